/* COMPOUND: its rules, and operations on handles and names. */
#include "nfs4_rig.h"

#include <stdio.h>

#include "nfs/nfs4_pseudo.h"

static const uint32_t last_of[] = { OP_RELEASE_LOCKOWNER,
    OP_RECLAIM_COMPLETE, OP_REMOVEXATTR };

static struct toy_obj *
add(const char *name, uint32_t type, const char *bytes)
{
	return toy_add(rig.toy, &rig.toy->obj[0], name, type, type ==
	    PINEFS_DIR ? 0755 : 0644, bytes);
}

/* ------------------------------------------------------------ compounds -- */

static void
test_root_and_its_attributes(void)
{
	fattr4 *f;

	rig4_start();
	op(OP_PUTROOTFH);
	op_getattr(ATTRS(FATTR4_TYPE, FATTR4_FILEID));
	CHECK(run(0) == NFS4_OK);
	CHECK(v4.res.resarray.n == 2);
	f = &RES(1, opgetattr).resok4.obj_attributes;
	CHECK(f->attrmask.n == 1);
	CHECK(f->attrmask.v[0] == (1u << FATTR4_TYPE | 1u << FATTR4_FILEID));
	CHECK(f->attr_vals.len == 12);
	CHECK(xdr_load_u32(f->attr_vals.data) == NF4DIR);
	CHECK(xdr_load_u64((const uint8_t *)f->attr_vals.data + 4) ==
	    TOY_FIRST_ID);
	rig4_stop();
}

static void
test_a_minor_version_beyond_2_has_no_results(void)
{
	rig4_start();
	for (uint32_t minor = 3; minor != 0; minor = minor * 2 + 1) {
		v4.tag = text("t");
		op(OP_PUTROOTFH);
		CHECK(run_bare(minor) == NFS4ERR_MINOR_VERS_MISMATCH);
		CHECK(v4.res.resarray.n == 0);
		CHECK(v4.res.tag.len == 1);
		if (minor == UINT32_MAX)
			break;
	}
	rig4_stop();
}

static void
test_the_tag_comes_back(void)
{
	static char tag[NFS4_MAX_TAG + 1];
	static const char *const bad[] = { "\x80", "\xc0\xaf", "a\xff",
	    "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf8" };
	static const char *const good[] = { "", "a", "\xc3\xa4",
	    "\xe2\x82\xac", "\xf0\x9f\x8c\xb2", "\xef\xbf\xbf" };

	rig4_start();
	memset(tag, 'x', sizeof tag);
	v4.tag = xdr_view(tag, NFS4_MAX_TAG);
	CHECK(run(0) == NFS4_OK);
	CHECK(v4.res.tag.len == NFS4_MAX_TAG);
	CHECK(memcmp(v4.res.tag.data, tag, NFS4_MAX_TAG) == 0);
	v4.tag.len++;
	CHECK(run(0) == NFS4ERR_RESOURCE);
	CHECK(v4.res.tag.len == 0);
	CHECK(run_bare(1) == NFS4ERR_REQ_TOO_BIG);
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
		v4.tag = text(good[i]);
		CHECK(run(0) == NFS4_OK);
	}
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		v4.tag = text(bad[i]);
		CHECK(run(0) == NFS4ERR_INVAL);
		CHECK(v4.res.resarray.n == 0);
	}
	rig4_stop();
}

static void
test_at_most_50_operations(void)
{
	rig4_start();
	for (int i = 0; i < NFS4_MAX_OPS; i++)
		op(OP_PUTROOTFH);
	CHECK(run_bare(0) == NFS4_OK && v4.res.resarray.n == NFS4_MAX_OPS);
	for (int i = 0; i <= NFS4_MAX_OPS; i++)
		op(OP_PUTROOTFH);
	CHECK(run_bare(0) == NFS4ERR_RESOURCE && v4.res.resarray.n == 0);
	for (int i = 0; i <= NFS4_MAX_OPS; i++)
		op(OP_PUTROOTFH);
	CHECK(run_bare(1) == NFS4ERR_TOO_MANY_OPS && v4.res.resarray.n == 0);
	rig4_stop();
}

/* PUTROOTFH, then a number and nothing behind it. */
static nfsstat4
run_number(uint32_t minor, uint32_t number)
{
	struct xdr_out out;
	nfs_argop4 a = { .argop = OP_PUTROOTFH };
	SEQUENCE4args *s;
	uint32_t n = 2;

	if (minor > 0 && v4.minor != minor)
		make_session(minor);
	xdr_out_init_mem(&out, v4.bytes, sizeof v4.bytes);
	if (minor > 0) {
		nfs_argop4 seq = { .argop = OP_SEQUENCE };

		s = &seq.opsequence;
		memcpy(s->sa_sessionid, v4.session, sizeof v4.session);
		s->sa_sequenceid = ++v4.seq;
		nfs_argop4_encode(&out, &seq);
		n++;
	}
	nfs_argop4_encode(&out, &a);
	xdr_put_u32(&out, number);
	v4.len = xdr_out_len(&out);
	v4.first = minor > 0;
	return run_bytes(minor, n);
}

static void
test_numbers_that_are_none_are_illegal(void)
{
	static const uint32_t never[] = { 0, 1, 2, OP_ILLEGAL, 10045,
	    0x7fffffff, UINT32_MAX };

	rig4_start();
	for (uint32_t minor = 0; minor <= 2; minor++) {
		for (unsigned i = 0; i < 7; i++) {
			CHECK(run_number(minor, never[i]) ==
			    NFS4ERR_OP_ILLEGAL);
			CHECK(status_of(0) == NFS4_OK);
			CHECK(RES(1, resop) == OP_ILLEGAL);
		}
		CHECK(run_number(minor, last_of[minor] + 1) ==
		    NFS4ERR_OP_ILLEGAL);
		CHECK(run_number(minor, OP_GETFH) == NFS4_OK);
	}
	rig4_stop();
}

static void
test_operations_that_we_have_not_are_notsupp(void)
{
	rig4_start();
	for (uint32_t minor = 1; minor <= 2; minor++) {
		op(OP_RENEW)->oprenew.clientid = 1;
		CHECK(run(minor) == NFS4ERR_NOTSUPP);
		op(OP_SETCLIENTID_CONFIRM);
		CHECK(run(minor) == NFS4ERR_NOTSUPP);
		op(OP_GETDEVICELIST);
		CHECK(run(minor) == NFS4ERR_NOTSUPP);
		CHECK(RES(0, resop) == OP_GETDEVICELIST);
	}
	op(OP_PUTROOTFH);
	op(OP_OPENATTR);
	CHECK(run(0) == NFS4ERR_NOTSUPP && status_of(1) == NFS4ERR_NOTSUPP);
	rig4_stop();
}

static void
test_bad_arguments_end_it_where_they_stand(void)
{
	rig4_start();
	op(OP_PUTROOTFH);
	op_lookup("name");
	encode_ops();
	for (size_t cut = 1; cut <= 12; cut++) {
		uint32_t n = v4.n;

		encode_ops();
		v4.len -= cut;
		v4.first = 0;
		CHECK(run_bytes(0, n) == NFS4ERR_BADXDR);
		CHECK(v4.res.resarray.n == 2 && status_of(0) == NFS4_OK);
		CHECK(status_of(1) == NFS4ERR_BADXDR);
		CHECK(RES(1, resop) == (cut <= 8 ? OP_LOOKUP : OP_ILLEGAL));
		v4.n = n;
	}
	/* More are claimed than there are. */
	v4.n = 1;
	encode_ops();
	CHECK(run_bytes(0, 3) == NFS4ERR_BADXDR);
	CHECK(v4.res.resarray.n == 2 && status_of(0) == NFS4_OK);
	CHECK(RES(1, resop) == OP_ILLEGAL);
	rig4_stop();
}

static void
test_what_may_stand_where_in_4_1(void)
{
	rig4_start();
	op(OP_PUTROOTFH);
	CHECK(run_bare(1) == NFS4ERR_OP_NOT_IN_SESSION);
	CHECK(v4.res.resarray.n == 1);
	op(OP_PUTROOTFH);
	op(OP_SEQUENCE);
	CHECK(run(1) == NFS4ERR_SEQUENCE_POS);
	CHECK(status_of(0) == NFS4_OK && v4.res.resarray.n == 3);
	op(OP_EXCHANGE_ID);
	op(OP_PUTROOTFH);
	CHECK(run_bare(1) == NFS4ERR_NOT_ONLY_OP);
	op(OP_DESTROY_SESSION);
	op(OP_PUTROOTFH);
	CHECK(run_bare(1) == NFS4ERR_NOT_ONLY_OP);
	op(OP_BIND_CONN_TO_SESSION)->opbind_conn_to_session.bctsa_dir =
	    CDFC4_FORE;
	CHECK(run(1) == NFS4ERR_NOT_ONLY_OP);
	rig4_stop();
}

/* Every row that wants a handle, or two, does without in the same way. */
static void
test_without_a_handle_nothing_is_done(void)
{
	static const uint32_t plain[] = { OP_ACCESS, OP_COMMIT, OP_GETATTR,
	    OP_GETFH, OP_LOOKUP, OP_LOOKUPP, OP_NVERIFY, OP_READ, OP_READDIR,
	    OP_READLINK, OP_REMOVE, OP_RENAME, OP_SAVEFH, OP_SECINFO,
	    OP_SETATTR, OP_VERIFY, OP_WRITE, OP_LINK, OP_ALLOCATE, OP_COPY,
	    OP_DEALLOCATE, OP_SEEK, OP_CLONE, OP_READ_PLUS, OP_GETXATTR,
	    OP_LISTXATTRS, OP_REMOVEXATTR, OP_IO_ADVISE };

	rig4_start();
	for (unsigned i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		CHECK(nfs4_ops[plain[i]].rules & OP_FH);
		op((nfs_opnum4)plain[i]);
		CHECK(run(2) == NFS4ERR_NOFILEHANDLE);
	}
	for (unsigned i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		if (!(nfs4_ops[plain[i]].rules & OP_SAVED))
			continue;
		op(OP_PUTROOTFH);
		op((nfs_opnum4)plain[i]);
		CHECK(run(2) == NFS4ERR_NOFILEHANDLE);
	}
	op(OP_RESTOREFH);
	CHECK(run(0) == NFS4ERR_RESTOREFH);
	op(OP_RESTOREFH);
	CHECK(run(1) == NFS4ERR_NOFILEHANDLE);
	rig4_stop();
}

static void
test_rows_are_what_the_rfcs_number(void)
{
	for (unsigned i = 0; i < NFS4_OPS; i++) {
		const struct nfs4_op *o = &nfs4_ops[i];

		if (i < 3) {
			CHECK(o->name == NULL);
			continue;
		}
		CHECK(o->name != NULL && o->rfc != NULL);
		CHECK(o->from == (i <= last_of[0] ? 0 : i <= last_of[1] ? 1 :
		    2));
		CHECK(o->to == 2 || (o->to == 0 && o->run != NULL));
		CHECK(o->res_max >= 8);
		CHECK((o->rules & (OP_FILE | OP_SAVED)) == 0 ||
		    o->rules & OP_FH);
	}
}

/* -------------------------------------------------------------- replies -- */

/* What does not fit is not done. */
static void
test_a_change_whose_answer_does_not_fit_does_not_happen(void)
{
	unsigned before;

	rig4_start();
	v4.fore = (channel_attrs4){ 0, 4096, 512, 512, 32, 4, { 0 } };
	add("d", PINEFS_DIR, NULL);
	before = rig.toy->n;
	/* 88 bytes with SEQUENCE and PUTROOTFH, and 44 for each handle. */
	op(OP_PUTROOTFH);
	for (int i = 0; i < 8; i++)
		op(OP_GETFH);
	v4.op[v4.n - 1].argop = OP_CREATE;
	v4.op[v4.n - 1].opcreate.objtype.type = NF4DIR;
	v4.op[v4.n - 1].opcreate.objname = text("new");
	CHECK(run(1) == NFS4_OK);
	CHECK(rig.toy->n == before + 1);
	op(OP_PUTROOTFH);
	for (int i = 0; i < 11; i++)
		op(OP_GETFH);
	v4.op[v4.n - 1].argop = OP_REMOVE;
	v4.op[v4.n - 1].opremove.target = text("new");
	CHECK(run(1) == NFS4ERR_REP_TOO_BIG);
	CHECK(rig.reply_len + 24 <= 512);
	CHECK(toy_find(&rig.toy->obj[0], (struct pinefs_name){ "new", 3 })
	    != NULL);
	rig4_stop();
}

static void
test_a_reply_never_is_larger_than_the_session_takes(void)
{
	struct toy_obj *f;

	rig4_start();
	v4.fore = (channel_attrs4){ 0, 4096, 700, 600, 32, 4, { 0 } };
	f = add("f", PINEFS_REG, "");
	toy_data(f);
	for (uint32_t size = 0; size < 900; size += 7) {
		for (int cache = 0; cache < 2; cache++) {
			uint32_t max = cache ? 600 : 700, need;
			nfsstat4 st;

			f->attr.size = size;
			v4.cachethis = cache;
			op(OP_PUTROOTFH);
			op_lookup("f");
			op(OP_READ)->opread.count = size;
			op(OP_GETFH);
			st = run(1);
			CHECK(rig.reply_len + 24 <= max);
			need = 36 + 44 + 8 + 8 + 16 + ((size + 3) & ~3u) + 44;
			CHECK((st == NFS4_OK) == (need <= max));
			CHECK(st == NFS4_OK || st == NFS4ERR_REP_TOO_BIG ||
			    (cache &&
			    st == NFS4ERR_REP_TOO_BIG_TO_CACHE));
		}
	}
	rig4_stop();
}

static void
test_only_changes_of_4_0_are_kept_for_a_retransmission(void)
{
	rig4_start();
	rig.rpc->forget = false;
	op(OP_PUTROOTFH);
	op(OP_GETFH);
	CHECK(run(0) == NFS4_OK && rig.rpc->forget);
	rig.rpc->forget = false;
	op(OP_PUTROOTFH);
	op(OP_REMOVE)->opremove.target = text("none");
	CHECK(run(0) == NFS4ERR_NOENT && !rig.rpc->forget);
	op(OP_PUTROOTFH);
	op(OP_REMOVE)->opremove.target = text("none");
	CHECK(run(1) == NFS4ERR_NOENT && rig.rpc->forget);
	rig.rpc->forget = false;
	rig4_stop();
}

/* -------------------------------------------------------------- handles -- */

static void
test_every_bit_of_a_handle_counts(void)
{
	nfs_fh4 fh;
	uint8_t *b;

	rig4_start();
	fh = root();
	b = (uint8_t *)(uintptr_t)fh.data;
	for (unsigned bit = 0; bit < fh.len * 8; bit++) {
		nfsstat4 st;

		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		op_putfh(fh);
		st = run(0);
		CHECK(st == NFS4ERR_STALE || st == NFS4ERR_BADHANDLE);
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	op_putfh(fh);
	CHECK(run(0) == NFS4_OK);
	fh.len--;
	op_putfh(fh);
	CHECK(run(0) == NFS4ERR_BADHANDLE);
	rig4_stop();
}

static void
test_savefh_and_restorefh(void)
{
	nfs_fh4 a, b;

	rig4_start();
	add("d", PINEFS_DIR, NULL);
	a = root();
	b = look_up(a, "d");
	op_putfh(a);
	op(OP_SAVEFH);
	op_putfh(b);
	op(OP_GETFH);
	op(OP_RESTOREFH);
	op(OP_GETFH);
	op(OP_RESTOREFH);
	op(OP_PUTROOTFH);
	op(OP_RESTOREFH);
	CHECK(run(0) == NFS4_OK);
	CHECK(memcmp(RES(3, opgetfh).resok4.object.data, b.data, b.len) == 0);
	CHECK(memcmp(RES(5, opgetfh).resok4.object.data, a.data, a.len) == 0);
	rig4_stop();
}

static void
test_a_removed_object_is_stale(void)
{
	nfs_fh4 fh;

	rig4_start();
	add("f", PINEFS_REG, "x");
	fh = look_up(root(), "f");
	op(OP_PUTROOTFH);
	op(OP_REMOVE)->opremove.target = text("f");
	CHECK(run(0) == NFS4_OK);
	op_putfh(fh);
	op_getattr(ATTRS(FATTR4_SIZE));
	CHECK(run(0) == NFS4ERR_STALE);
	rig4_stop();
}

/* ---------------------------------------------------------------- names -- */

static void
test_names_that_cannot_be(void)
{
	static char long_name[257];
	static const struct { const char *name; uint32_t len; nfsstat4 st; }
	    bad[] = {
		{ "", 0, NFS4ERR_INVAL }, { ".", 1, NFS4ERR_BADNAME },
		{ "..", 2, NFS4ERR_BADNAME }, { "a/b", 3, NFS4ERR_BADNAME },
		{ "a\0b", 3, NFS4ERR_BADNAME },
		{ long_name, 256, NFS4ERR_NAMETOOLONG },
	};

	rig4_start();
	memset(long_name, 'n', sizeof long_name);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct xdr_view v = xdr_view(bad[i].name, bad[i].len);

		op(OP_PUTROOTFH);
		op(OP_LOOKUP)->oplookup.objname = v;
		CHECK(run(0) == bad[i].st);
		op(OP_PUTROOTFH);
		op(OP_REMOVE)->opremove.target = v;
		CHECK(run(0) == bad[i].st);
		op(OP_PUTROOTFH);
		op(OP_SECINFO)->opsecinfo.name = v;
		CHECK(run(0) == bad[i].st);
		op(OP_PUTROOTFH);
		op(OP_CREATE)->opcreate.objname = v;
		v4.op[1].opcreate.objtype.type = NF4DIR;
		CHECK(run(0) == bad[i].st);
		op(OP_PUTROOTFH);
		op(OP_SAVEFH);
		op(OP_RENAME)->oprename.oldname = text("a");
		v4.op[2].oprename.newname = v;
		CHECK(run(0) == bad[i].st);
		op(OP_PUTROOTFH);
		op(OP_SAVEFH);
		op(OP_LINK)->oplink.newname = v;
		CHECK(run(0) == bad[i].st);
	}
	/* Bytes that are no UTF-8 are a name. */
	add("\xff\xfe", PINEFS_REG, "x");
	op(OP_PUTROOTFH);
	op_lookup("\xff\xfe");
	CHECK(run(0) == NFS4_OK);
	rig4_stop();
}

static void
test_lookup_says_what_stands_in_its_way(void)
{
	struct toy_obj *d;

	rig4_start();
	d = add("d", PINEFS_DIR, NULL);
	toy_add(rig.toy, d, "in", PINEFS_REG, 0644, "x");
	add("f", PINEFS_REG, "x");
	add("l", PINEFS_LNK, "d");
	op(OP_PUTROOTFH);
	op_lookup("d");
	op_lookup("in");
	op_getattr(ATTRS(FATTR4_SIZE));
	CHECK(run(0) == NFS4_OK);
	op(OP_PUTROOTFH);
	op_lookup("f");
	op_lookup("x");
	CHECK(run(0) == NFS4ERR_NOTDIR);
	op(OP_PUTROOTFH);
	op_lookup("l");
	op_lookup("x");
	CHECK(run(0) == NFS4ERR_SYMLINK);
	op(OP_PUTROOTFH);
	op_lookup("none");
	op(OP_GETFH);
	CHECK(run(0) == NFS4ERR_NOENT && v4.res.resarray.n == 2);
	rig4_stop();
}

static void
test_lookupp_goes_up_to_the_root(void)
{
	nfs_fh4 top, d;

	rig4_start();
	add("d", PINEFS_DIR, NULL);
	add("f", PINEFS_REG, "x");
	top = root();
	d = look_up(top, "d");
	op_putfh(d);
	op(OP_LOOKUPP);
	op(OP_GETFH);
	CHECK(run(0) == NFS4_OK);
	CHECK(memcmp(RES(2, opgetfh).resok4.object.data, top.data, top.len)
	    == 0);
	op_putfh(top);
	op(OP_LOOKUPP);
	CHECK(run(0) == NFS4ERR_NOENT);
	op_putfh(look_up(top, "f"));
	op(OP_LOOKUPP);
	CHECK(run(0) == NFS4ERR_NOTDIR);
	rig4_stop();
}

/* ------------------------------------------------- directories change -- */

static uint64_t
change_of(nfs_fh4 fh)
{
	op_putfh(fh);
	op_getattr(ATTRS(FATTR4_CHANGE));
	CHECK(run_bare(0) == NFS4_OK);
	return xdr_load_u64(RES(1, opgetattr).resok4.obj_attributes
	    .attr_vals.data);
}

static CREATE4args *
op_create(nfs_ftype4 type, const char *name)
{
	CREATE4args *a = &op(OP_CREATE)->opcreate;

	a->objtype.type = type;
	a->objname = text(name);
	return a;
}

static void
test_each_type_can_be_created_but_files(void)
{
	static const nfs_ftype4 types[] = { NF4DIR, NF4LNK, NF4SOCK, NF4FIFO,
	    NF4BLK, NF4CHR };
	uint64_t before;
	nfs_fh4 top;

	rig4_start();
	top = root();
	for (unsigned i = 0; i < 6; i++) {
		char name[2] = { (char)('a' + i), 0 };
		CREATE4args *a;
		change_info4 ci;

		before = change_of(top);
		op_putfh(top);
		a = op_create(types[i], name);
		if (types[i] == NF4LNK)
			a->objtype.linkdata = text("target");
		if (types[i] == NF4BLK || types[i] == NF4CHR)
			a->objtype.devdata = (specdata4){ 4, 7 };
		op_getattr(ATTRS(FATTR4_TYPE, FATTR4_RAWDEV));
		CHECK(run(0) == NFS4_OK);
		CHECK(xdr_load_u32(RES(2, opgetattr).resok4.obj_attributes
		    .attr_vals.data) == (uint32_t)types[i]);
		ci = RES(1, opcreate).resok4.cinfo;
		CHECK(ci.atomic && ci.before == before);
		CHECK(ci.after == change_of(top) && ci.after != ci.before);
		op_putfh(top);
		op_create(types[i], name)->objtype.linkdata = text("t");
		if (types[i] != NF4LNK)
			memset(&v4.op[1].opcreate.objtype.linkdata, 0,
			    sizeof v4.op[1].opcreate.objtype.linkdata);
		CHECK(run(0) == NFS4ERR_EXIST);
	}
	op_putfh(look_up(top, "b"));
	op(OP_READLINK);
	CHECK(run(0) == NFS4_OK);
	CHECK(RES(1, opreadlink).resok4.link.len == 6);
	op_putfh(top);
	op_create(NF4REG, "f");
	CHECK(run(0) == NFS4ERR_BADTYPE);
	op_putfh(top);
	op_create(NF4ATTRDIR, "f");
	CHECK(run(0) == NFS4ERR_BADTYPE);
	op_putfh(look_up(top, "c"));
	op(OP_READLINK);
	CHECK(run(0) == NFS4ERR_INVAL);
	op_putfh(look_up(top, "c"));
	op(OP_READLINK);
	CHECK(run(1) == NFS4ERR_WRONG_TYPE);
	rig4_stop();
}

static void
test_remove_is_for_everything(void)
{
	nfs_fh4 top;
	struct toy_obj *d;
	uint64_t before;
	change_info4 ci;

	rig4_start();
	top = root();
	add("f", PINEFS_REG, "x");
	add("e", PINEFS_DIR, NULL);
	d = add("d", PINEFS_DIR, NULL);
	toy_add(rig.toy, d, "in", PINEFS_REG, 0644, "x");
	before = change_of(top);
	op_putfh(top);
	op(OP_REMOVE)->opremove.target = text("f");
	op(OP_REMOVE)->opremove.target = text("e");
	CHECK(run(0) == NFS4_OK);
	ci = RES(1, opremove).resok4.cinfo;
	CHECK(ci.atomic && ci.before == before);
	CHECK(RES(2, opremove).resok4.cinfo.before == ci.after);
	op_putfh(top);
	op(OP_REMOVE)->opremove.target = text("d");
	CHECK(run(0) == NFS4ERR_NOTEMPTY);
	op_putfh(top);
	op(OP_REMOVE)->opremove.target = text("f");
	CHECK(run(0) == NFS4ERR_NOENT);
	rig4_stop();
}

static void
test_rename_and_link_work_from_the_saved_handle(void)
{
	uint64_t a_before, b_before;
	nfs_fh4 top, a, b, f;
	RENAME4resok r;

	rig4_start();
	top = root();
	add("a", PINEFS_DIR, NULL);
	add("b", PINEFS_DIR, NULL);
	add("f", PINEFS_REG, "x");
	a = look_up(top, "a");
	b = look_up(top, "b");
	f = look_up(top, "f");
	op_putfh(f);
	op(OP_SAVEFH);
	op_putfh(a);
	op(OP_LINK)->oplink.newname = text("l");
	op_lookup("l");
	op_getattr(ATTRS(FATTR4_NUMLINKS));
	CHECK(run(0) == NFS4_OK);
	CHECK(xdr_load_u32(RES(5, opgetattr).resok4.obj_attributes
	    .attr_vals.data) == 2);
	a_before = change_of(a);
	b_before = change_of(b);
	op_putfh(a);
	op(OP_SAVEFH);
	op_putfh(b);
	op(OP_RENAME)->oprename.oldname = text("l");
	v4.op[3].oprename.newname = text("m");
	CHECK(run(0) == NFS4_OK);
	r = RES(3, oprename).resok4;
	CHECK(r.source_cinfo.atomic && r.source_cinfo.before == a_before);
	CHECK(r.target_cinfo.atomic && r.target_cinfo.before == b_before);
	CHECK(r.source_cinfo.after == change_of(a));
	CHECK(r.target_cinfo.after == change_of(b));
	op_putfh(look_up(b, "m"));
	CHECK(run(0) == NFS4_OK);
	op_putfh(f);
	op(OP_SAVEFH);
	op_putfh(top);
	op(OP_RENAME)->oprename.oldname = text("f");
	v4.op[3].oprename.newname = text("g");
	CHECK(run(0) == NFS4ERR_NOTDIR);
	rig4_stop();
}

/* ------------------------------------------------------- access, secinfo -- */

static void
test_access_answers_only_what_is_asked_and_meant(void)
{
	ACCESS4resok *r;

	rig4_start();
	add("f", PINEFS_REG, "x");
	for (uint32_t asked = 0; asked < 1024; asked += 5) {
		op(OP_PUTROOTFH);
		op(OP_ACCESS)->opaccess.access = asked;
		op_lookup("f");
		op(OP_ACCESS)->opaccess.access = asked;
		CHECK(run(2) == NFS4_OK);
		r = &RES(1, opaccess).resok4;
		CHECK((r->supported & ~asked) == 0);
		CHECK((r->access & ~r->supported) == 0);
		CHECK(r->supported == (asked & 0x1f));
		r = &RES(3, opaccess).resok4;
		CHECK(r->supported == (asked & 0x2d));
	}
	rig4_stop();
}

static void
test_secinfo_takes_the_handle_with_it_in_4_1(void)
{
	rig4_start();
	add("f", PINEFS_REG, "x");
	for (uint32_t minor = 0; minor <= 2; minor++) {
		op(OP_PUTROOTFH);
		op(OP_SECINFO)->opsecinfo.name = text("f");
		op(OP_GETFH);
		CHECK(run(minor) == (minor == 0 ? NFS4_OK :
		    NFS4ERR_NOFILEHANDLE));
		CHECK(RES(1, opsecinfo).resok4.n == 1);
		CHECK(RES(1, opsecinfo).resok4.v[0].flavor == RPC_AUTH_SYS);
		op(OP_PUTROOTFH);
		op(OP_SECINFO)->opsecinfo.name = text("none");
		CHECK(run(minor) == NFS4ERR_NOENT);
	}
	op(OP_PUTROOTFH);
	op(OP_SECINFO_NO_NAME)->opsecinfo_no_name = SECINFO_STYLE4_CURRENT_FH;
	op(OP_GETFH);
	CHECK(run(1) == NFS4ERR_NOFILEHANDLE);
	CHECK(RES(1, opsecinfo_no_name).resok4.n == 1);
	op(OP_PUTROOTFH);
	op(OP_SECINFO_NO_NAME)->opsecinfo_no_name = SECINFO_STYLE4_PARENT;
	CHECK(run(1) == NFS4ERR_NOENT);
	rig4_stop();
}

static void
test_an_export_that_refuses_says_so(void)
{
	static const uint32_t only[] = { 1234 };
	nfs_fh4 fh;

	rig4_start();
	fh = root();
	rig.export.uids = only;
	rig.export.nuids = 1;
	op_putfh(fh);
	CHECK(run(0) == NFS4ERR_ACCESS);
	op(OP_PUTROOTFH);
	CHECK(run(0) == NFS4ERR_ACCESS);
	rig.cred.uid = 1234;
	op_putfh(fh);
	CHECK(run(0) == NFS4_OK);
	rig4_stop();
}

static void
test_without_memory_it_is_asked_to_come_again(void)
{
	rig4_start();
	rig.budget = 0;
	op(OP_PUTROOTFH);
	CHECK(run_bare(0) == NFS4ERR_RESOURCE);
	op(OP_PUTROOTFH);
	CHECK(run_bare(1) == NFS4ERR_DELAY);
	rig4_stop();
}

static void
test_later_is_delay(void)
{
	static const struct { int err; nfsstat4 v40, v41; } of[] = {
		{ EAGAIN, NFS4ERR_DELAY, NFS4ERR_DELAY },
		{ ENOMEM, NFS4ERR_RESOURCE, NFS4ERR_DELAY },
		{ EFAULT, NFS4ERR_SERVERFAULT, NFS4ERR_SERVERFAULT },
		{ EBUSY, NFS4ERR_ACCESS, NFS4ERR_ACCESS },
	};

	rig4_start();
	for (unsigned i = 0; i < 4; i++)
		for (uint32_t minor = 0; minor < 2; minor++) {
			op(OP_PUTROOTFH);
			op_lookup("x");
			if (minor > 0 && v4.minor == 0) {
				CHECK(run(minor) == NFS4ERR_NOENT);
				op(OP_PUTROOTFH);
				op_lookup("x");
			}
			rig.toy->fail = of[i].err;
			rig.toy->fail_times = 1;
			CHECK(run(minor) == (minor == 0 ? of[i].v40 :
			    of[i].v41));
			rig.toy->fail_times = 0;
		}
	rig4_stop();
}

/* ----------------------------------------------------------- pseudo-root -- */

static void
test_exports_lie_under_names_of_a_root(void)
{
	nfs_fh4 top, a, b;

	rig4_start();
	EXPORTS("/a", "/b");
	add("d", PINEFS_DIR, NULL);
	top = root();
	a = look_up(top, "a");
	b = look_up(top, "b");
	CHECK(memcmp(a.data, b.data, a.len) != 0);
	op_putfh(a);
	op_lookup("d");
	op(OP_LOOKUPP);
	op(OP_GETFH);
	op(OP_LOOKUPP);
	op(OP_GETFH);
	op_lookup("b");
	op(OP_GETFH);
	CHECK(run(0) == NFS4_OK);
	CHECK(memcmp(RES(3, opgetfh).resok4.object.data, a.data, a.len) == 0);
	CHECK(memcmp(RES(5, opgetfh).resok4.object.data, top.data, top.len)
	    == 0);
	CHECK(memcmp(RES(7, opgetfh).resok4.object.data, b.data, b.len) == 0);
	op_putfh(top);
	op(OP_LOOKUPP);
	CHECK(run(0) == NFS4ERR_NOENT);
	op_putfh(top);
	op_lookup("c");
	CHECK(run(0) == NFS4ERR_NOENT);
	rig4_stop();
}

static void
test_nothing_changes_above_the_exports(void)
{
	nfs_fh4 top;

	rig4_start();
	EXPORTS("/a", "/b");
	top = root();
	op_putfh(top);
	op_create(NF4DIR, "x");
	CHECK(run(0) == NFS4ERR_ROFS);
	op_putfh(top);
	op(OP_REMOVE)->opremove.target = text("a");
	CHECK(run(0) == NFS4ERR_ROFS);
	op_putfh(top);
	op(OP_SETATTR);
	CHECK(run(0) == NFS4ERR_ROFS);
	op_putfh(top);
	op(OP_READ);
	CHECK(run(0) == NFS4ERR_ISDIR);
	op_putfh(top);
	op(OP_READLINK);
	CHECK(run(0) == NFS4ERR_INVAL);
	op_putfh(top);
	op(OP_ACCESS)->opaccess.access = 0x3f;
	CHECK(run(0) == NFS4_OK);
	CHECK(RES(1, opaccess).resok4.access ==
	    (ACCESS4_READ | ACCESS4_LOOKUP));
	op_putfh(top);
	op(OP_SAVEFH);
	op_lookup("a");
	op(OP_RENAME)->oprename.oldname = text("x");
	v4.op[3].oprename.newname = text("y");
	CHECK(run(0) == NFS4ERR_XDEV);
	rig4_stop();
}

static void
test_an_export_named_slash_is_the_root(void)
{
	nfs_fh4 top;

	rig4_start();
	EXPORTS("/", "/b");
	add("f", PINEFS_REG, "x");
	top = root();
	op_putfh(top);
	op_lookup("f");
	CHECK(run(0) == NFS4_OK);
	op_putfh(top);
	op_lookup("b");
	op_getattr(ATTRS(FATTR4_FSID));
	op(OP_LOOKUPP);
	op(OP_GETFH);
	CHECK(run(0) == NFS4_OK);
	CHECK(xdr_load_u64(RES(2, opgetattr).resok4.obj_attributes
	    .attr_vals.data) == 0x101);
	CHECK(memcmp(RES(4, opgetfh).resok4.object.data, top.data, top.len)
	    == 0);
	rig4_stop();
}

/* Nor is it taken away from under what is mounted on it. */
static void
test_a_name_with_an_export_on_it_does_not_change(void)
{
	nfs_fh4 top;

	rig4_start();
	EXPORTS("/", "/b");
	add("b", PINEFS_DIR, NULL);
	add("f", PINEFS_REG, "x");
	top = root();
	op_putfh(top);
	op(OP_REMOVE)->opremove.target = text("b");
	CHECK(run(0) == NFS4ERR_FILE_OPEN);
	op_putfh(top);
	op_create(NF4DIR, "b");
	CHECK(run(0) == NFS4ERR_EXIST);
	op_putfh(top);
	op(OP_SAVEFH);
	op(OP_RENAME)->oprename.oldname = text("b");
	v4.op[2].oprename.newname = text("c");
	CHECK(run(0) == NFS4ERR_FILE_OPEN);
	op_putfh(top);
	op(OP_SAVEFH);
	op(OP_RENAME)->oprename.oldname = text("f");
	v4.op[2].oprename.newname = text("b");
	CHECK(run(0) == NFS4ERR_FILE_OPEN);
	op_putfh(look_up(top, "f"));
	op(OP_SAVEFH);
	op_putfh(top);
	op(OP_LINK)->oplink.newname = text("b");
	CHECK(run(0) == NFS4ERR_EXIST);
	rig4_stop();
}

static void
test_auth_none_finds_its_way_and_no_more(void)
{
	nfs_fh4 top;

	rig4_start();
	EXPORTS("/a", "/b");
	add("f", PINEFS_REG, "x");
	rig.cred.flavor = RPC_AUTH_NONE;
	top = root();
	op_putfh(top);
	op(OP_READDIR)->opreaddir.maxcount = 4096;
	op_lookup("a");
	op_getattr(ATTRS(FATTR4_TYPE));
	op_lookup("f");
	op(OP_GETFH);
	op(OP_READ);
	CHECK(run(0) == NFS4ERR_ACCESS && v4.res.resarray.n == 7);
	CHECK(status_of(5) == NFS4_OK);
	op_putfh(top);
	op_lookup("a");
	op(OP_READDIR)->opreaddir.maxcount = 4096;
	CHECK(run(0) == NFS4ERR_ACCESS);
	op_putfh(top);
	op_lookup("a");
	op(OP_REMOVE)->opremove.target = text("f");
	CHECK(run(0) == NFS4ERR_ACCESS);
	rig4_stop();
}

static void
test_exports_that_may_not_be_seen_are_not_there(void)
{
	static const uint32_t only[] = { 1234 };
	nfs_fh4 top;

	rig4_start();
	EXPORTS("/a", "/b");
	v4.more[1].uids = only;
	v4.more[1].nuids = 1;
	top = root();
	op_putfh(top);
	op_lookup("b");
	CHECK(run(0) == NFS4ERR_NOENT);
	op_putfh(top);
	op_lookup("a");
	CHECK(run(0) == NFS4_OK);
	rig4_stop();
}

static void
test_two_exports_do_not_mix(void)
{
	nfs_fh4 top;

	rig4_start();
	EXPORTS("/a", "/b");
	add("f", PINEFS_REG, "x");
	add("d", PINEFS_DIR, NULL);
	top = root();
	op_putfh(top);
	op_lookup("a");
	op(OP_SAVEFH);
	op_putfh(top);
	op_lookup("b");
	op(OP_RENAME)->oprename.oldname = text("f");
	v4.op[5].oprename.newname = text("g");
	CHECK(run(0) == NFS4ERR_XDEV);
	op_putfh(top);
	op_lookup("a");
	op_lookup("f");
	op(OP_SAVEFH);
	op_putfh(top);
	op_lookup("b");
	op(OP_LINK)->oplink.newname = text("g");
	CHECK(run(0) == NFS4ERR_XDEV);
	rig4_stop();
}

/* A new one knows no handle of the root that was. */
static void
test_a_handle_of_the_pseudo_root_is_stale_under_slash(void)
{
	nfs_fh4 top;

	rig4_start();
	EXPORTS("/a");
	top = root();
	EXPORTS("/");
	op_putfh(top);
	CHECK(run(0) == NFS4ERR_STALE);
	rig4_stop();
}

/* ---------------------------------------------------------------- later -- */

struct transcript {
	uint8_t		bytes[1 << 16];
	size_t		len;
	unsigned	calls;		/* of the file system */
};

/*
 * All but what SEQUENCE said, and write verifiers: no two sessions, or file
 * systems, have them in common.
 */
static void
note(struct transcript *t)
{
	size_t skip = v4.first == 0 ? 0 : 12 + 44;
	uint8_t *to = t->bytes + t->len, verf[8];

	CHECK(rig.reply_len >= skip);
	vfs_write_verifier(rig.toy->fs, verf);
	for (size_t i = 0; i + 8 <= rig.reply_len; i += 4)
		if (memcmp(rig.reply + i, verf, sizeof verf) == 0)
			memset(rig.reply + i, 0, sizeof verf);
	memcpy(to, rig.reply + skip, rig.reply_len - skip);
	t->len += rig.reply_len - skip;
}

/* Every operation without state, good and bad, in compounds of several. */
static void
conversation(struct transcript *t, bool later)
{
	static const stateid4 zero;
	uint32_t w[3] = { 0 };
	bitmap4 all = { w, 2 };
	uint8_t mode[4] = { 0, 0, 1, 0x80 };
	uint32_t mode_bit[2] = { 0, 2 };
	nfs_fh4 top;

	memset(t, 0, sizeof *t);
	rig4_start();
	make_session(2);
	rig.toy->clock = 1000;
	w[0] = 0xfffffff7 & ~(1u << FATTR4_LEASE_TIME);
	w[1] = 0x30a23a;
	top = root();
	rig.toy->later = later;
	rig.toy->calls = 0;

	op_putfh(top);
	op_create(NF4DIR, "d")->createattrs = (fattr4){ { mode_bit, 2 },
	    xdr_view(mode, 4) };
	op_getattr(all);
	op(OP_GETFH);
	op(OP_SAVEFH);
	op_putfh(top);
	op_create(NF4LNK, "l")->objtype.linkdata = text("d");
	op(OP_READLINK);
	op_putfh(top);
	op_create(NF4FIFO, "p");
	run(0);
	note(t);
	for (int minor = 0; minor <= 2; minor += 2) {
		op_putfh(top);
		op_lookup("d");
		op(OP_LOOKUPP);
		op_lookup("p");
		op(OP_SAVEFH);
		op(OP_PUTROOTFH);
		op(OP_LINK)->oplink.newname = text(minor ? "p2" : "p1");
		op(OP_ACCESS)->opaccess.access = 0x3f;
		op(OP_SAVEFH);
		op(OP_RENAME)->oprename.oldname = text(minor ? "p2" : "p1");
		v4.op[9].oprename.newname = text(minor ? "q2" : "q1");
		op(OP_READDIR)->opreaddir.maxcount = 8192;
		v4.op[10].opreaddir.attr_request = all;
		op(OP_REMOVE)->opremove.target = text(minor ? "q2" : "q1");
		op(OP_READDIR)->opreaddir.maxcount = 512;
		op_lookup("none");
		CHECK(run((uint32_t)minor) == NFS4ERR_NOENT);
		note(t);
	}
	toy_add(rig.toy, &rig.toy->obj[0], "f", PINEFS_REG, 0644, "bytes");
	toy_add(rig.toy, &rig.toy->obj[0], "g", PINEFS_REG, 0644, "");
	op_putfh(top);
	op_lookup("f");
	op(OP_READ)->opread.count = 3;
	op(OP_WRITE)->opwrite = (WRITE4args){ zero, 2, UNSTABLE4,
	    text("more and more") };
	op(OP_READ)->opread.count = 100;
	op(OP_COMMIT);
	op(OP_SETATTR)->opsetattr.obj_attributes = (fattr4){ { mode_bit, 2 },
	    xdr_view(mode, 4) };
	op_getattr(all);
	op(OP_VERIFY);
	op(OP_NVERIFY);
	run(0);
	note(t);
	op_putfh(top);
	op_lookup("f");
	op(OP_SAVEFH);
	op_putfh(top);
	op_lookup("g");
	op(OP_COPY)->opcopy = (COPY4args){ .ca_src_offset = 1,
	    .ca_dst_offset = 3, .ca_count = 4, .ca_synchronous = true };
	op(OP_SEEK)->opseek.sa_what = NFS4_CONTENT_HOLE;
	op(OP_READ_PLUS)->opread_plus.rpa_count = 50;
	op_getattr(all);
	op(OP_IO_ADVISE);
	op(OP_ALLOCATE)->opallocate.aa_length = 10;
	CHECK(run(2) == NFS4ERR_NOTSUPP && status_of(9) == NFS4_OK);
	note(t);
	op(OP_PUTROOTFH);
	op(OP_SECINFO)->opsecinfo.name = text("f");
	run(0);
	note(t);
	t->calls = rig.toy->calls;
	CHECK(rig.toy->pending == NULL);
	rig.toy->later = false;
	rig4_stop();
}

static void
test_replies_are_the_same_when_each_step_comes_later(void)
{
	static struct transcript now, later;

	conversation(&now, false);
	conversation(&later, true);
	CHECK(now.len > 2000);
	CHECK(now.len == later.len);
	for (size_t i = 0; i < now.len; i++)
		if (now.bytes[i] != later.bytes[i])
			fail_msg("replies differ at byte %zu", i);
	CHECK(now.calls == later.calls);
}

/* The first operations are not run again for what the last one waits for. */
static void
test_a_compound_starts_again_at_the_operation_that_waits(void)
{
	rig4_start();
	add("f", PINEFS_REG, "x");
	rig.toy->calls = 0;
	rig.toy->later = true;
	for (int i = 0; i < 20; i++) {
		op(OP_PUTROOTFH);
		op_lookup("f");
		op_getattr(ATTRS(FATTR4_SIZE));
	}
	v4.n = 48;
	CHECK(run(0) == NFS4_OK);
	CHECK(rig.toy->calls >= 48);
	CHECK(rig.runs == rig.toy->calls + 1);
	rig.toy->later = false;
	rig4_stop();
}

CHECK_MAIN(
	CHECK_TEST(test_root_and_its_attributes),
	CHECK_TEST(test_a_minor_version_beyond_2_has_no_results),
	CHECK_TEST(test_the_tag_comes_back),
	CHECK_TEST(test_at_most_50_operations),
	CHECK_TEST(test_numbers_that_are_none_are_illegal),
	CHECK_TEST(test_operations_that_we_have_not_are_notsupp),
	CHECK_TEST(test_bad_arguments_end_it_where_they_stand),
	CHECK_TEST(test_what_may_stand_where_in_4_1),
	CHECK_TEST(test_without_a_handle_nothing_is_done),
	CHECK_TEST(test_rows_are_what_the_rfcs_number),
	CHECK_TEST(test_a_change_whose_answer_does_not_fit_does_not_happen),
	CHECK_TEST(test_a_reply_never_is_larger_than_the_session_takes),
	CHECK_TEST(test_only_changes_of_4_0_are_kept_for_a_retransmission),
	CHECK_TEST(test_every_bit_of_a_handle_counts),
	CHECK_TEST(test_savefh_and_restorefh),
	CHECK_TEST(test_a_removed_object_is_stale),
	CHECK_TEST(test_names_that_cannot_be),
	CHECK_TEST(test_lookup_says_what_stands_in_its_way),
	CHECK_TEST(test_lookupp_goes_up_to_the_root),
	CHECK_TEST(test_each_type_can_be_created_but_files),
	CHECK_TEST(test_remove_is_for_everything),
	CHECK_TEST(test_rename_and_link_work_from_the_saved_handle),
	CHECK_TEST(test_access_answers_only_what_is_asked_and_meant),
	CHECK_TEST(test_secinfo_takes_the_handle_with_it_in_4_1),
	CHECK_TEST(test_an_export_that_refuses_says_so),
	CHECK_TEST(test_without_memory_it_is_asked_to_come_again),
	CHECK_TEST(test_later_is_delay),
	CHECK_TEST(test_exports_lie_under_names_of_a_root),
	CHECK_TEST(test_nothing_changes_above_the_exports),
	CHECK_TEST(test_an_export_named_slash_is_the_root),
	CHECK_TEST(test_a_name_with_an_export_on_it_does_not_change),
	CHECK_TEST(test_auth_none_finds_its_way_and_no_more),
	CHECK_TEST(test_exports_that_may_not_be_seen_are_not_there),
	CHECK_TEST(test_two_exports_do_not_mix),
	CHECK_TEST(test_a_handle_of_the_pseudo_root_is_stale_under_slash),
	CHECK_TEST(test_replies_are_the_same_when_each_step_comes_later),
	CHECK_TEST(test_a_compound_starts_again_at_the_operation_that_waits),
)
