/*
 * NFS version 4: COMPOUND, and the table of what may stand in one.
 *
 * The operations of a compound are decoded and run one by one: a bad one
 * gets its error after those before it have run.  One that waits makes the
 * whole call wait; when it is run again it starts with that operation.
 *
 *	compound() --first time--> begin: limits, tag, minor version
 *	    |
 *	    +--> next_operation: decode it
 *	           check: may it stand here?  does its answer fit?
 *	           row->run, which may answer LATER
 *	           measure its answer
 */
#include "nfs/nfs4.h"

#include <errno.h>

#include "base/log.h"
#include "nfs/nfs4_attr.h"
#include "nfs/nfs4_ops.h"
#include "nfs/nfs4_pseudo.h"
#include "nfs/program.h"

/* --------------------------------------------------------- the table -- */

/*
 * minor: versions that have it (an older one does not know the number, a
 * newer one answers NOTSUPP).  res_max: bytes of its answer without data.
 * step: what of a file system may block (and getattr, resolve always).
 */
#define OP(name) PINEFS_OP_##name
#define NAMED(name) (OP(name) | OP(LOOKUP))

enum {
	FH = OP_FH, PFH = OP_FH | OP_PSEUDO, TWO = OP_FH | OP_SAVED,
	CHG = OP_CHANGES, FILE_ = OP_FH | OP_FILE,
	FIRST = OP_FIRST, ALONE = OP_FIRST | OP_ALONE,
	LONE = OP_FIRST | OP_ALONE | OP_LONE,
	ANYWHERE = 0
};

enum {				/* bytes of answers */
	ST = 8,			/* operation and status */
	CINFO = 20, SID = 16, BITMAP = 16, VERF = 8,
	DENIED = 48 + 1024, OPENED = SID + CINFO + 4 + BITMAP + 80
};

#define nfs4_op_NONE NULL	/* NFS4ERR_NOTSUPP */
#define nfs4_op_sequence nfs4_sequence

#define ROW(name, from, to, rules, res, step, run, rfc)			\
	[OP_##name] = { #name, from, to, rules, ST + (res), step,	\
	    nfs4_op_##run, rfc }

const struct nfs4_op nfs4_ops[NFS4_OPS] = {
	/*  operation			minor  rules		res_max
	 *	may block, function, RFC and section		     */
	ROW(ACCESS,			0, 2,  PFH,		8,
	    OP(ACCESS), access, "8881 18.1"),
	ROW(CLOSE,			0, 2,  FH | CHG,	SID,
	    OP(CLOSE), close, "8881 18.2"),
	ROW(COMMIT,			0, 2,  FILE_ | CHG,	VERF,
	    OP(COMMIT), commit, "8881 18.3"),
	ROW(CREATE,			0, 2,  FH | CHG,	CINFO + BITMAP,
	    NAMED(CREATE), create, "8881 18.4"),
	ROW(DELEGPURGE,			0, 2,  ANYWHERE,	0,
	    0, NONE, "8881 18.5"),
	ROW(DELEGRETURN,		0, 2,  FH | CHG,	0,
	    0, delegreturn, "8881 18.6"),
	ROW(GETATTR,			0, 2,  PFH,		BITMAP + 4,
	    OP(STATFS), getattr, "8881 18.7"),
	ROW(GETFH,			0, 2,  PFH,		4,
	    0, getfh, "8881 18.8"),
	ROW(LINK,			0, 2,  TWO | CHG,	CINFO,
	    NAMED(LINK), link, "8881 18.9"),
	ROW(LOCK,			0, 2,  FILE_ | CHG,	DENIED,
	    0, lock, "8881 18.10"),
	ROW(LOCKT,			0, 2,  FILE_,		DENIED,
	    0, lockt, "8881 18.11"),
	ROW(LOCKU,			0, 2,  FH | CHG,	SID,
	    0, locku, "8881 18.12"),
	ROW(LOOKUP,			0, 2,  PFH,		0,
	    OP(LOOKUP), lookup, "8881 18.13"),
	ROW(LOOKUPP,			0, 2,  PFH,		0,
	    OP(LOOKUP) | OP(PARENT), lookupp, "8881 18.14"),
	ROW(NVERIFY,			0, 2,  PFH,		0,
	    OP(STATFS), nverify, "8881 18.15"),
	ROW(OPEN,			0, 2,  FH | CHG,	OPENED,
	    NAMED(CREATE) | OP(OPEN) | OP(SETATTR), open, "8881 18.16"),
	ROW(OPENATTR,			0, 2,  FH | CHG,	0,
	    0, NONE, "8881 18.17"),
	ROW(OPEN_CONFIRM,		0, 0,  FH | CHG,	SID,
	    0, open_confirm, "7530 16.18"),
	ROW(OPEN_DOWNGRADE,		0, 2,  FH | CHG,	SID,
	    OP(CLOSE), open_downgrade, "8881 18.18"),
	ROW(PUTFH,			0, 2,  ANYWHERE,	0,
	    OP(RESOLVE), putfh, "8881 18.19"),
	ROW(PUTPUBFH,			0, 2,  ANYWHERE,	0,
	    0, putpubfh, "8881 18.20"),
	ROW(PUTROOTFH,			0, 2,  ANYWHERE,	0,
	    0, putrootfh, "8881 18.21"),
	ROW(READ,			0, 2,  FILE_,		8 + 3,
	    OP(READ), read, "8881 18.22"),
	ROW(READDIR,			0, 2,  PFH,		VERF + 8,
	    OP(READDIR), readdir, "8881 18.23"),
	ROW(READLINK,			0, 2,  FH,		4 + 3,
	    OP(READLINK), readlink, "8881 18.24"),
	ROW(REMOVE,			0, 2,  FH | CHG,	CINFO,
	    NAMED(REMOVE), remove, "8881 18.25"),
	ROW(RENAME,			0, 2,  TWO | CHG,	2 * CINFO,
	    NAMED(RENAME), rename, "8881 18.26"),
	ROW(RENEW,			0, 0,  ANYWHERE,	0,
	    0, renew, "7530 16.28"),
	ROW(RESTOREFH,			0, 2,  ANYWHERE,	0,
	    0, restorefh, "8881 18.27"),
	ROW(SAVEFH,			0, 2,  PFH,		0,
	    0, savefh, "8881 18.28"),
	ROW(SECINFO,			0, 2,  PFH,		4 + 4 * 4,
	    OP(LOOKUP), secinfo, "8881 18.29"),
	ROW(SETATTR,			0, 2,  FH | CHG,	BITMAP,
	    OP(SETATTR), setattr, "8881 18.30"),
	ROW(SETCLIENTID,		0, 0,  CHG,		16 + 160,
	    0, setclientid, "7530 16.33"),
	ROW(SETCLIENTID_CONFIRM,	0, 0,  CHG,		0,
	    0, setclientid_confirm, "7530 16.34"),
	ROW(VERIFY,			0, 2,  PFH,		0,
	    OP(STATFS), verify, "8881 18.31"),
	ROW(WRITE,			0, 2,  FILE_ | CHG,	8 + VERF,
	    OP(WRITE) | OP(SETATTR), write, "8881 18.32"),
	ROW(RELEASE_LOCKOWNER,		0, 0,  CHG,		0,
	    0, release_lockowner, "7530 16.37"),
	ROW(BACKCHANNEL_CTL,		1, 2,  ANYWHERE,	0,
	    0, backchannel_ctl, "8881 18.33"),
	ROW(BIND_CONN_TO_SESSION,	1, 2,  LONE,		24,
	    0, bind_conn_to_session, "8881 18.34"),
	ROW(EXCHANGE_ID,		1, 2,  ALONE | CHG,	512,
	    0, exchange_id, "8881 18.35"),
	ROW(CREATE_SESSION,		1, 2,  ALONE | CHG,	96,
	    0, create_session, "8881 18.36"),
	ROW(DESTROY_SESSION,		1, 2,  ALONE,		0,
	    0, destroy_session, "8881 18.37"),
	ROW(FREE_STATEID,		1, 2,  CHG,		0,
	    0, free_stateid, "8881 18.38"),
	ROW(GET_DIR_DELEGATION,		1, 2,  FH,		0,
	    0, NONE, "8881 18.39"),
	ROW(GETDEVICEINFO,		1, 2,  ANYWHERE,	0,
	    0, NONE, "8881 18.40"),
	ROW(GETDEVICELIST,		1, 2,  FH,		0,
	    0, NONE, "8881 18.41"),
	ROW(LAYOUTCOMMIT,		1, 2,  FH,		0,
	    0, NONE, "8881 18.42"),
	ROW(LAYOUTGET,			1, 2,  FH,		0,
	    0, NONE, "8881 18.43"),
	ROW(LAYOUTRETURN,		1, 2,  ANYWHERE,	0,
	    0, NONE, "8881 18.44"),
	ROW(SECINFO_NO_NAME,		1, 2,  PFH,		4 + 4 * 4,
	    OP(LOOKUP) | OP(PARENT), secinfo_no_name, "8881 18.45"),
	ROW(SEQUENCE,			1, 2,  FIRST,		36,
	    0, sequence, "8881 18.46"),
	ROW(SET_SSV,			1, 2,  ANYWHERE,	0,
	    0, NONE, "8881 18.47"),
	ROW(TEST_STATEID,		1, 2,  ANYWHERE,	4,
	    0, test_stateid, "8881 18.48"),
	ROW(WANT_DELEGATION,		1, 2,  FH,		0,
	    0, NONE, "8881 18.49"),
	ROW(DESTROY_CLIENTID,		1, 2,  ALONE,		0,
	    0, destroy_clientid, "8881 18.50"),
	ROW(RECLAIM_COMPLETE,		1, 2,  CHG,		0,
	    0, reclaim_complete, "8881 18.51"),
	ROW(ALLOCATE,			2, 2,  FILE_ | CHG,	0,
	    OP(ALLOCATE), allocate, "7862 15.1"),
	ROW(COPY,			2, 2,  TWO | FILE_ | CHG,	40,
	    OP(READ) | OP(WRITE), copy, "7862 15.2"),
	ROW(COPY_NOTIFY,		2, 2,  FILE_,		0,
	    0, NONE, "7862 15.3"),
	ROW(DEALLOCATE,			2, 2,  FILE_ | CHG,	0,
	    OP(ALLOCATE), deallocate, "7862 15.4"),
	ROW(IO_ADVISE,			2, 2,  FILE_,		BITMAP,
	    0, io_advise, "7862 15.5"),
	ROW(LAYOUTERROR,		2, 2,  ANYWHERE,	0,
	    0, NONE, "7862 15.6"),
	ROW(LAYOUTSTATS,		2, 2,  ANYWHERE,	0,
	    0, NONE, "7862 15.7"),
	ROW(OFFLOAD_CANCEL,		2, 2,  ANYWHERE,	0,
	    0, NONE, "7862 15.8"),
	ROW(OFFLOAD_STATUS,		2, 2,  ANYWHERE,	0,
	    0, NONE, "7862 15.9"),
	ROW(READ_PLUS,			2, 2,  FILE_,		8,
	    OP(READ) | OP(SEEK), read_plus, "7862 15.10"),
	ROW(SEEK,			2, 2,  FILE_,		12,
	    OP(SEEK), seek, "7862 15.11"),
	ROW(WRITE_SAME,			2, 2,  FILE_,		0,
	    0, NONE, "7862 15.12"),
	ROW(CLONE,			2, 2,  TWO | FILE_ | CHG,	0,
	    OP(CLONE), clone, "7862 15.13"),
	ROW(GETXATTR,			2, 2,  FH,		4 + 3,
	    OP(GETXATTR), getxattr, "8276 8.4.1"),
	ROW(SETXATTR,			2, 2,  FH | CHG,	CINFO,
	    OP(SETXATTR), setxattr, "8276 8.4.2"),
	ROW(LISTXATTRS,			2, 2,  FH,		16,
	    OP(LISTXATTR), listxattrs, "8276 8.4.3"),
	ROW(REMOVEXATTR,		2, 2,  FH | CHG,	CINFO,
	    OP(REMOVEXATTR), removexattr, "8276 8.4.4"),
};

/* The last operation of each minor version (4.2 with RFC 8276). */
static const uint8_t last_op[] = { OP_RELEASE_LOCKOWNER,
    OP_RECLAIM_COMPLETE, OP_REMOVEXATTR };

/* Every arm of nfs_resop4 begins with its status. */
#define STATUS_FIRST(arm, member)					\
_Static_assert(offsetof(nfs_resop4, arm.member) ==			\
    offsetof(nfs_resop4, opillegal.status), #arm)
STATUS_FIRST(opaccess, status);
STATUS_FIRST(opgetattr, status);
STATUS_FIRST(opsetattr, status);
STATUS_FIRST(opsequence, sr_status);
STATUS_FIRST(opcopy, cr_status);
STATUS_FIRST(opgetxattr, gxr_status);

/* ---------------------------------------------------------------- status -- */

nfsstat4
nfs4_status(struct nfs4_call *c, int err)
{
	static struct log_limit limit;
	unsigned op = c->arg == NULL ? OP_ILLEGAL : (unsigned)c->arg->argop;

	if (err == 0)
		return NFS4_OK;
	if (err == ESTALE)
		atomic_fetch_add_explicit(&c->nfs.nfs->count.stale, 1,
		    memory_order_relaxed);
	if (err == ENOMEM && c->minor == 0)
		return NFS4ERR_RESOURCE;
	if (!nfs_status_known(err))
		log_limited(&limit, "%s: the file system's error %d (%s) has "
		    "no status in version 4", op < NFS4_OPS &&
		    nfs4_ops[op].name != NULL ? nfs4_ops[op].name : "?", err,
		    strerror(err));
	return (nfsstat4)nfs_status(4, op, err);
}

/* ------------------------------------------------------- file handles -- */

static void
fh_clear(struct nfs4_fh *fh)
{
	if (fh->node != NULL)
		pinefs_node_put(fh->node);
	memset(fh, 0, sizeof *fh);
}

void
nfs4_fh_copy(struct nfs4_fh *to, const struct nfs4_fh *from)
{
	struct pinefs_node *old = to->node;

	if (from->node != NULL)
		pinefs_node_get(from->node);
	*to = *from;
	if (old != NULL)
		pinefs_node_put(old);
}

void
nfs4_set_current(struct nfs4_call *c, const struct vfs_export *x,
    struct pinefs_node *node)
{
	struct nfs4_fh fh = { .set = true, .export = x, .node = node };

	nfs4_fh_copy(&c->current, &fh);
}

void
nfs4_set_pseudo(struct nfs4_call *c, const struct vfs_way *way)
{
	fh_clear(&c->current);
	c->current.set = c->current.pseudo = true;
	c->current.way = way;
}

void
nfs4_set_none(struct nfs4_call *c)
{
	fh_clear(&c->current);
}

/*
 * A file system that blocks is asked on its own threads only: if this is
 * none of them, and there is something new to ask (what was asked before
 * answers from memory), the call goes on there.
 */
int
nfs4_enter(struct nfs4_call *c, const struct vfs_export *x)
{
	struct rpc_executor *on = vfs_fs_executor(x->fs, ~UINT64_C(0));

	if (on != NULL && on != rpc_call_executor(c->nfs.rpc) &&
	    vfs_call_is_at_end(&c->nfs.vfs)) {
		rpc_call_move(c->nfs.rpc, on);
		return PINEFS_LATER;
	}
	if (c->nfs.export == x)
		return 0;
	return nfs_enter(&c->nfs, x);
}

/* --------------------------------------------------- room in the reply -- */

/*
 * reply_size is an upper bound, made of the rows' res_max and what the
 * operations said of their data.  Where that does not fit, it is reckoned
 * anew, exactly.
 */
static void
measure_exactly(struct nfs4_call *c)
{
	size_t n = c->head_size;

	for (uint32_t i = 0; i < c->index; i++)
		n += xdr_size(&nfs_resop4_type, &c->results[i]);
	c->reply_size = n;
}

/* What stands behind an operation must have room for an error, too. */
static size_t
reserve(const struct nfs4_call *c)
{
	return c->index + 1 < c->nops ? ST : 0;
}

static size_t
most(const struct nfs4_call *c)
{
	return c->cachethis && c->cache_max < c->reply_max ? c->cache_max :
	    c->reply_max;
}

/* Does an answer of n bytes fit?  NFS4_OK, or what to say instead. */
static nfsstat4
fits(struct nfs4_call *c, size_t n)
{
	size_t max = most(c), need = n + reserve(c);

	if (c->reply_size + need <= max)
		return NFS4_OK;
	measure_exactly(c);
	if (c->reply_size + need <= max)
		return NFS4_OK;
	if (c->minor == 0)
		return NFS4ERR_RESOURCE;
	return c->reply_size + need <= c->reply_max ?
	    NFS4ERR_REP_TOO_BIG_TO_CACHE : NFS4ERR_REP_TOO_BIG;
}

size_t
nfs4_reply_room(const struct nfs4_call *c)
{
	size_t max = most(c), used = c->reply_size + reserve(c);

	return used < max ? max - used : 0;
}

/* The answer is there.  Is there room for it? */
static void
measure(struct nfs4_call *c, const struct nfs4_op *row, nfs_resop4 *res)
{
	size_t n = row->res_max + c->data;
	nfsstat4 st;

	if (res->opillegal.status != NFS4_OK) {
		n = res->opillegal.status == NFS4ERR_DENIED ||
		    res->opillegal.status == NFS4ERR_CLID_INUSE ?
		    row->res_max : ST + BITMAP;
	} else if (c->reply_size + n + ST > most(c) ||
	    c->arg->argop == OP_TEST_STATEID) {
		n = xdr_size(&nfs_resop4_type, res);
		/* What has changed something was checked before. */
		if (!(row->rules & OP_CHANGES) &&
		    c->arg->argop != OP_SEQUENCE &&
		    (st = fits(c, n)) != NFS4_OK) {
			memset(res, 0, sizeof *res);
			res->resop = (nfs_opnum4)c->arg->argop;
			res->opillegal.status = st;
			n = ST;
		}
	}
	c->reply_size += n;
}

/* ------------------------------------------------------- one operation -- */

/* The row of a number in this minor version; NULL: no such operation. */
static const struct nfs4_op *
row_of(const struct nfs4_call *c, uint32_t op)
{
	if (op > last_op[c->minor] || nfs4_ops[op].name == NULL ||
	    nfs4_ops[op].from > c->minor)
		return NULL;
	return &nfs4_ops[op];
}

/* 4.1: may it stand where it stands (8881 2.10.6.4, 18.46.3)? */
static nfsstat4
check_place(const struct nfs4_call *c, const struct nfs4_op *row)
{
	if (c->minor == 0)
		return NFS4_OK;
	if (c->index > 0) {
		if (c->arg->argop == OP_SEQUENCE)
			return NFS4ERR_SEQUENCE_POS;
		return row->rules & OP_LONE ? NFS4ERR_NOT_ONLY_OP : NFS4_OK;
	}
	if (!(row->rules & OP_FIRST))
		return NFS4ERR_OP_NOT_IN_SESSION;
	return row->rules & OP_ALONE && c->nops > 1 ? NFS4ERR_NOT_ONLY_OP :
	    NFS4_OK;
}

/*
 * Above the exports there are only directories, and nothing changes.  The
 * operation's row says whether it knows of that (OP_PSEUDO).
 */
static nfsstat4
check_pseudo(struct nfs4_call *c, const struct nfs4_op *row)
{
	if (row->rules & OP_PSEUDO)
		return NFS4_OK;
	switch (c->arg->argop) {
	case OP_OPEN:
		return nfs4_pseudo_open(c, &c->arg->opopen);
	case OP_CLOSE:
	case OP_DELEGRETURN:
	case OP_LOCKU:
	case OP_OPEN_CONFIRM:
	case OP_OPEN_DOWNGRADE:
		return NFS4ERR_BAD_STATEID;	/* there is none of it */
	default:
		break;
	}
	if (row->rules & OP_FILE)
		return NFS4ERR_ISDIR;
	return row->rules & OP_CHANGES ? NFS4ERR_ROFS : NFS4ERR_INVAL;
}

/* 8881 18.22.3 and its like; 4.0 knew INVAL only (7530 16.23.5). */
static nfsstat4
not_a_file(const struct nfs4_call *c, uint32_t type)
{
	switch (type) {
	case PINEFS_REG:
		return NFS4_OK;
	case PINEFS_DIR:
		return NFS4ERR_ISDIR;
	case PINEFS_LNK:
		return c->minor == 0 ? NFS4ERR_INVAL : NFS4ERR_SYMLINK;
	}
	return c->minor == 0 ? NFS4ERR_INVAL : NFS4ERR_WRONG_TYPE;
}

/* LATER, or 0 and *st. */
static int
check_file(struct nfs4_call *c, nfsstat4 *st)
{
	uint32_t type = vfs_node_type(c->current.node);
	struct pinefs_attr a;
	int err;

	/* Asked once, it is asked again when this runs again. */
	if (type == 0 || c->asked_type) {
		c->asked_type = true;
		err = vfs_getattr(&c->nfs.vfs, c->current.node, &a);
		if (err == PINEFS_LATER)
			return err;
		if (err != 0) {
			*st = nfs4_status(c, err);
			return 0;
		}
		type = a.type;
	}
	*st = not_a_file(c, type);
	return 0;
}

/*
 * Nobody in particular (AUTH_NONE) may find his way and look at attributes,
 * as in version 3, and as clients do while they mount.
 */
static bool
is_too_weak(const struct nfs4_call *c, const struct nfs4_op *row)
{
	return c->nfs.given.flavor == RPC_AUTH_NONE &&
	    row->rules & OP_FH && (!(row->rules & OP_PSEUDO) ||
	    c->arg->argop == OP_READDIR);
}

static int
check_handles(struct nfs4_call *c, const struct nfs4_op *row, nfsstat4 *st)
{
	int err;

	*st = NFS4_OK;
	if ((row->rules & OP_FH && !c->current.set) ||
	    (row->rules & OP_SAVED && !c->saved.set))
		*st = NFS4ERR_NOFILEHANDLE;
	else if (row->rules & OP_FH && c->current.pseudo)
		*st = check_pseudo(c, row);
	else if (row->rules & OP_SAVED && c->saved.pseudo)
		*st = NFS4ERR_XDEV;
	/* Who needs no handle goes elsewhere, and would be called back. */
	if (*st != NFS4_OK || !(row->rules & OP_FH) || c->current.pseudo)
		return 0;
	if (is_too_weak(c, row)) {
		*st = NFS4ERR_ACCESS;
		return 0;
	}
	if ((err = nfs4_enter(c, c->current.export)) == PINEFS_LATER)
		return err;
	*st = nfs4_status(c, err);
	if (*st == NFS4_OK && row->rules & OP_FILE)
		return check_file(c, st);
	return 0;
}

static int
run_one(struct nfs4_call *c, const struct nfs4_op *row, nfs_resop4 *res)
{
	nfsstat4 *st = &res->opillegal.status;
	int err;

	if ((*st = check_place(c, row)) != NFS4_OK)
		return 0;
	if (row->run == NULL || row->to < c->minor) {
		*st = NFS4ERR_NOTSUPP;
		return 0;
	}
	if ((err = check_handles(c, row, st)) != 0 || *st != NFS4_OK)
		return err;
	if (row->rules & OP_CHANGES) {
		if ((*st = fits(c, row->res_max)) != NFS4_OK)
			return 0;
		c->changed = true;
	}
	return row->run(c, c->arg, res);
}

/*
 * Decode the next operation.  False: it cannot be run, and *res says why.
 * What cannot be decoded has no name in the answer (16.2.3), if it has none
 * in the table.
 */
static bool
decode(struct nfs4_call *c, const struct nfs4_op **row, nfs_resop4 *res)
{
	int err = 0;

	if (!c->decoded)
		err = COMPOUND4args_argarray_next(&c->ops, c->arg);
	c->decoded = true;
	*row = row_of(c, (uint32_t)c->arg->argop);
	if (*row == NULL) {
		/* An operation number of 0 was not read at all. */
		res->resop = OP_ILLEGAL;
		res->opillegal.status = err != 0 && c->arg->argop == 0 &&
		    c->ops.in->why == XDR_SHORT ? NFS4ERR_BADXDR :
		    NFS4ERR_OP_ILLEGAL;
		return false;
	}
	res->resop = (nfs_opnum4)c->arg->argop;
	if (err == 0)
		return true;
	res->opillegal.status = err == ENOMEM ? nfs4_status(c, ENOMEM) :
	    NFS4ERR_BADXDR;
	return false;
}

/* One operation; 0, or LATER. */
static int
operate(struct nfs4_call *c, nfsstat4 *st)
{
	nfs_resop4 *res = &c->results[c->index];
	const struct nfs4_op *row;
	int err;

	c->data = 0;
	if (decode(c, &row, res)) {
		err = run_one(c, row, res);
		if (err == PINEFS_LATER) {
			memset(res, 0, sizeof *res);	/* as it was */
			return err;
		}
		if (err != 0)
			res->opillegal.status = nfs4_status(c, err);
		measure(c, row, res);
	}
	*st = res->opillegal.status;
	c->index++;
	c->decoded = false;
	c->io.known = c->io_from.known = false;
	c->asked_type = c->no_junction = false;
	c->listed = NULL;
	c->coming = NULL;
	vfs_call_next(&c->nfs.vfs);
	nfs_call_mark(&c->nfs, &c->mark);
	return 0;
}

/* -------------------------------------------------------- the compound -- */

static void
fini(void *arg)
{
	struct nfs4_call *c = arg;

	if (c->opening != NULL)
		nfs4_open_given_up(c);
	if (c->client != NULL)
		nfs4_sequence_end(c, NULL);
	fh_clear(&c->current);
	fh_clear(&c->saved);
	nfs_call_fini(&c->nfs);
}

/* RFC 3629, without surrogates. */
bool
nfs4_is_utf8(const void *text, size_t len)
{
	const uint8_t *p = text, *end;

	if (len == 0)
		return true;	/* `text` may be NULL, then */
	end = p + len;
	while (p < end) {
		uint32_t c = *p++, more, least;

		if (c < 0x80)
			continue;
		more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
		if (c < 0xc2 || c > 0xf4 || (size_t)(end - p) < more)
			return false;
		least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
		for (c &= 0x3fu >> more; more > 0; more--, p++) {
			if ((*p & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*p & 0x3f);
		}
		if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
	}
	return true;
}

/* What is wrong with the compound as such, before anything runs. */
static nfsstat4
check_head(const COMPOUND4args *args)
{
	if (args->minorversion > 2)
		return NFS4ERR_MINOR_VERS_MISMATCH;
	if (args->tag.len > NFS4_MAX_TAG)
		return args->minorversion == 0 ? NFS4ERR_RESOURCE :
		    NFS4ERR_REQ_TOO_BIG;
	if (!nfs4_is_utf8(args->tag.data, args->tag.len))
		return NFS4ERR_INVAL;
	if (args->argarray.n > NFS4_MAX_OPS)
		return args->minorversion == 0 ? NFS4ERR_RESOURCE :
		    NFS4ERR_TOO_MANY_OPS;
	return NFS4_OK;
}

enum {
	RPC_REPLY_HEAD = 24,	/* up to the results, with AUTH_NONE */
	HEADROOM = 3072		/* beside the data of one large READ */
};

/* The first time; false: no memory. */
static bool
begin(struct nfs4_call *c, struct nfs *nfs, struct rpc_call *rpc,
    const COMPOUND4args *args)
{
	nfs_call_begin(&c->nfs, nfs, rpc, &nfs4_v4_service);
	c->nfs4 = nfs->nfs4;
	c->minor = args->minorversion;
	c->ops = args->argarray;
	c->nops = args->argarray.n;
	c->reply_max = c->nfs.max_io + HEADROOM;
	c->head_size = RPC_REPLY_HEAD + 4 + xdr_view_size(&args->tag) + 4;
	c->reply_size = c->head_size;
	c->arg = xdr_arena_alloc(rpc_call_arena(rpc), sizeof *c->arg);
	c->results = xdr_arena_zalloc(rpc_call_arena(rpc),
	    (c->nops + 1) * sizeof *c->results);
	return c->arg != NULL && c->results != NULL;
}

/* Run again, or for the first time: at the operation that waited. */
static void
restart(struct nfs4_call *c)
{
	vfs_call_restart(&c->nfs.vfs);
	c->nfs.export = NULL;
	nfs_call_rewind(&c->nfs, &c->mark);
}

static int
refuse(struct rpc_call *rpc, COMPOUND4res *res, nfsstat4 st)
{
	rpc_call_forget(rpc);
	res->status = st;
	res->resarray.n = 0;
	return 0;
}

/* COMPOUND, RFC 8881 section 16.2, RFC 7530 15.2. */
static int
compound(void *self, struct rpc_call *rpc, const COMPOUND4args *args,
    COMPOUND4res *res)
{
	struct nfs4_call *c;
	nfsstat4 st = NFS4_OK;
	int err;

	res->tag = args->tag.len > NFS4_MAX_TAG ? xdr_view(NULL, 0) :
	    args->tag;
	if ((st = check_head(args)) != NFS4_OK)
		return refuse(rpc, res, st);
	if (((struct nfs *)self)->nfs4 == NULL)
		return refuse(rpc, res, NFS4ERR_SERVERFAULT);
	c = rpc_call_state(rpc, sizeof *c, fini);
	if (c == NULL || (c->nfs.rpc == NULL && !begin(c, self, rpc, args)))
		return refuse(rpc, res, args->minorversion == 0 ?
		    NFS4ERR_RESOURCE : NFS4ERR_DELAY);
	restart(c);
	while (c->index < c->nops && st == NFS4_OK && !c->replayed) {
		err = operate(c, &st);
		if (err == PINEFS_LATER)
			return err;	/* and once more this operation */
	}
	res->status = st;
	res->resarray.v = c->results;
	res->resarray.n = c->index;
	if (c->client != NULL)
		nfs4_sequence_end(c, res);
	if (c->minor > 0 || !c->changed)
		rpc_call_forget(rpc);
	return 0;
}

/* ---------------------------------------------------------- the program -- */

static const struct rpc_rule rules[] = {
	/*			changes	 replay	 handle	 least	     */
	[NFSPROC4_NULL] =	{ 0,	 0,	 0,	 RPC_AUTH_NONE },
	[NFSPROC4_COMPOUND] =	{ 1,	 1,	 0,	 RPC_AUTH_NONE },
};

/* Only 4.0 has no other way to tell a retransmission (8881 2.10.6.1). */
static bool
keeps(void *self, const struct xdr_in *args)
{
	struct xdr_in in = *args;
	struct xdr_view tag;

	(void)self;
	in.arena = NULL;
	return xdr_get_view(&in, &tag, UINT32_MAX, "tag") == 0 &&
	    xdr_get_u32(&in) == 0 && !in.bad;
}

/* Where an export's calls run; or those that look for one not known yet. */
static struct rpc_executor *
executor_of(const struct nfs *nfs, const struct vfs_export *x)
{
	return x == NULL ? nfs->exports->executor :
	    vfs_fs_executor(x->fs, ~UINT64_C(0));
}

/*
 * That of the first filehandle, if that comes first; or NULL.  *bytes: those
 * that a READ right behind it asks for.
 */
static struct rpc_executor *
first_executor(const struct nfs *nfs, const COMPOUND4args *args,
    uint32_t *bytes)
{
	enum { SEQUENCE_ARGS = NFS4_SESSIONID_SIZE + 16,
	    READ_ARGS = 16 + 8 /* before the count */ };
	struct xdr_in in = *args->argarray.in;
	struct xdr_view fh;
	uint32_t id, op;

	op = xdr_get_u32(&in);
	if (op == OP_SEQUENCE && args->argarray.n > 1 &&
	    xdr_take(&in, SEQUENCE_ARGS) != NULL)
		op = xdr_get_u32(&in);
	switch (op) {
	case OP_PUTFH:
		if (xdr_get_view(&in, &fh, NFS4_FHSIZE, "fh") != 0 ||
		    !nfs_fh_peek(fh.data, fh.len, &id))
			return NULL;
		/* What is read of it may wait, and be much. */
		if (xdr_get_u32(&in) == OP_READ &&
		    xdr_take(&in, READ_ARGS) != NULL)
			*bytes = xdr_get_u32(&in);
		return executor_of(nfs, vfs_export_by_id(nfs->exports, id));
	case OP_PUTROOTFH:
	case OP_PUTPUBFH:
		return executor_of(nfs, nfs4_root_export(nfs));
	}
	return NULL;
}

/*
 * Where the first filehandle's file system wants to be asked: the call seldom
 * has to move, then.
 */
static struct rpc_executor *
route(void *self, struct rpc_call *rpc, const void *args)
{
	const struct nfs *nfs = self;
	const struct vfs_export *x;
	struct rpc_executor *on;
	uint32_t bytes = 0;

	if (rpc_call_proc(rpc) != NFSPROC4_COMPOUND)
		return NULL;
	if (nfs->exports->executor == NULL) {
		for (x = nfs->exports->first; x != NULL; x = x->next)
			if (vfs_fs_executor(x->fs, ~UINT64_C(0)) != NULL)
				break;
		if (x == NULL)
			return NULL;
	}
	on = first_executor(nfs, args, &bytes);
	rpc_call_expect(rpc, bytes);
	return on;
}

/* ----------------------------------------------------------- statistics -- */

static const char *
part_name(unsigned number)
{
	return nfs4_ops[number].name;
}

/* Every result begins with its status, as OP_ILLEGAL's does. */
static void
parts(uint32_t proc, const void *arg, void (*tell)(void *, uint32_t, uint32_t),
    void *to)
{
	const COMPOUND4res *res = arg;
	uint32_t i;

	if (proc != NFSPROC4_COMPOUND)
		return;
	for (i = 0; i < res->resarray.n; i++)
		if ((uint32_t)res->resarray.v[i].resop < NFS4_OPS)
			tell(to, (uint32_t)res->resarray.v[i].resop,
			    (uint32_t)res->resarray.v[i].opillegal.status);
}

static const struct nfs4_v4_server handlers = { .compound = compound };

void
nfs4_program(struct nfs *nfs, struct rpc_program *row)
{
	nfs4_attr_init();
	*row = (struct rpc_program){ .service = &nfs4_v4_service,
	    .handlers = &handlers, .self = nfs, .rules = rules,
	    .route = route, .keeps = keeps, .no_udp = true,
	    .object = nfs_call_object, .nparts = NFS4_OPS, .part_name = part_name, .parts = parts };
}
