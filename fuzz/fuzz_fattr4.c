/*
 * fattr4, the attributes of NFSv4 as a client sends them: decoded by SETATTR,
 * CREATE, each way of OPEN, VERIFY and NVERIFY, and applied.  Afterwards the
 * object equals itself, and VERIFY and NVERIFY contradict each other.
 *
 * Byte 0: what is done; byte 1: the object, and whether answers come later;
 * byte 2: the minor version; byte 3: words of the bitmap; the words; values.
 *
 * fuzz/nfs4_seeds.py makes the seeds.
 */
#include "fuzz/nfs4_fuzz.h"

enum { HEAD = 4, WORDS = 6, OBJECTS = 5 };
enum does { SET, MAKE_DIR, MAKE_FIFO, UNCHECKED, GUARDED, EXCLUSIVE, SAME,
    DIFFERENT };

static uint32_t words[WORDS];
static fattr4 given;

static void
begin(uint8_t object)
{
	uint8_t first = object % OBJECTS;
	nfs_fh4 fh = xdr_view(&first, 1);

	fuzz_introduce(fuzz.minor);
	if (fuzz.minor > 0) {
		op(OP_SEQUENCE)->opsequence.sa_sequenceid = 1;
		patch(&v4.op[0], 0);
	}
	patch_fh(&fh);
	op_putfh(fh);
}

static void
put_create(nfs_ftype4 type)
{
	CREATE4args *a = &op(OP_CREATE)->opcreate;

	a->objtype.type = type;
	a->objname = text("new");
	a->createattrs = given;
}

static void
put_open(createmode4 mode)
{
	OPEN4args *a = &op(OP_OPEN)->opopen;
	createhow4 *how = &a->openhow.how;

	patch_seqid(&a->seqid, 0, v4.n - 1);
	patch_owner(&a->owner);
	a->owner.owner = text("owner");
	a->share_access = OPEN4_SHARE_ACCESS_BOTH;
	a->openhow.opentype = OPEN4_CREATE;
	how->mode = mode;
	if (mode == EXCLUSIVE4_1)
		how->ch_createboth.cva_attrs = given;
	else
		how->createattrs = given;
	a->claim.claim = CLAIM_NULL;
	a->claim.file = text("new");
}

static void
put(enum does does)
{
	switch (does) {
	case SET:
		op(OP_SETATTR)->opsetattr.obj_attributes = given;
		break;
	case MAKE_DIR:
		put_create(NF4DIR);
		break;
	case MAKE_FIFO:
		put_create(NF4FIFO);
		break;
	case UNCHECKED:
		put_open(UNCHECKED4);
		break;
	case GUARDED:
		put_open(GUARDED4);
		break;
	case EXCLUSIVE:
		put_open(EXCLUSIVE4_1);
		break;
	case SAME:
		op(OP_VERIFY)->opverify.obj_attributes = given;
		break;
	case DIFFERENT:
		op(OP_NVERIFY)->opnverify.obj_attributes = given;
		break;
	}
}

/* What was set is a part of what was asked for. */
static void
check_done(const bitmap4 *done)
{
	for (uint32_t i = 0; i < done->n; i++)
		assert((done->v[i] & ~(i < given.attrmask.n ?
		    given.attrmask.v[i] : 0)) == 0);
}

static nfsstat4
do_it(enum does does, uint8_t object)
{
	nfs_resop4 *last;

	begin(object);
	put(does);
	fuzz_run_ops(fuzz.minor);
	last = &v4.res.resarray.v[v4.res.resarray.n - 1];
	if (does == SET)
		check_done(&last->opsetattr.attrsset);
	else if (v4.res.status == NFS4_OK && last->resop == OP_CREATE)
		check_done(&last->opcreate.resok4.attrset);
	else if (v4.res.status == NFS4_OK && last->resop == OP_OPEN)
		check_done(&last->opopen.resok4.attrset);
	return v4.res.status;
}

/* What GETATTR answers, VERIFY takes back. */
static void
check_equals_itself(uint8_t object)
{
	static uint8_t values[1 << 14];
	uint32_t mask[WORDS] = { 0 };
	fattr4 *f;

	begin(object);
	op(OP_GETATTR)->opgetattr.attr_request = given.attrmask;
	fuzz_run_ops(fuzz.minor);
	if (v4.res.status != NFS4_OK)
		return;		/* what can only be written was asked for */
	f = &v4.res.resarray.v[v4.res.resarray.n - 1].opgetattr.resok4.
	    obj_attributes;
	assert(f->attrmask.n <= WORDS && f->attr_vals.len <= sizeof values);
	memcpy(mask, f->attrmask.v, f->attrmask.n * sizeof mask[0]);
	memcpy(values, f->attr_vals.data, f->attr_vals.len);
	if (mask[0] & 1u << FATTR4_RDATTR_ERROR)
		return;		/* is not compared (RFC 8881 18.30.3) */
	given.attrmask = (bitmap4){ mask, f->attrmask.n };
	given.attr_vals = xdr_view(values, f->attr_vals.len);
	assert(do_it(SAME, object) == NFS4_OK);
	assert(do_it(DIFFERENT, object) == NFS4ERR_SAME);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint32_t n;
	uint8_t *copy;
	nfsstat4 st;

	if (len < HEAD || (n = data[3] % (WORDS + 1)) * 4 > len - HEAD)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		words[i] = xdr_load_u32(data + HEAD + 4 * i);
	len -= HEAD + 4 * n;
	/* Of its own, so that one byte beyond it is seen. */
	copy = malloc(len + (len == 0));
	assert(copy != NULL);
	memcpy(copy, data + HEAD + 4 * n, len);
	given.attrmask = (bitmap4){ words, n };
	given.attr_vals = xdr_view(copy, (uint32_t)len);

	fuzz4_start();
	fuzz.minor = data[2] % 3;
	rig.toy->later = data[1] & 0x80;
	st = do_it(data[0] % (DIFFERENT + 1), data[1] & 0x7f);
	if (data[0] % (DIFFERENT + 1) == SAME && (st == NFS4_OK ||
	    st == NFS4ERR_NOT_SAME))
		assert(do_it(DIFFERENT, data[1] & 0x7f) ==
		    (st == NFS4_OK ? NFS4ERR_SAME : NFS4_OK));
	check_equals_itself(data[1] & 0x7f);
	fuzz4_stop();
	free(copy);
	return 0;
}
