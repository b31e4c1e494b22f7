/*
 * NFS version 3 (RFC 1813): the table of its procedures, and those that work
 * on one object.  Each turns protocol words into file-system words, and the
 * result back; nothing is decided here that vfs could decide for every
 * version.
 */
#include "nfs/nfs3.h"

#include <errno.h>

#include "nfs/program.h"

/* ---------------------------------------------------------- attributes -- */

/* GETATTR, section 3.3.1. */
static int
nfs3_getattr(void *self, struct rpc_call *rpc, const GETATTR3args *args,
    GETATTR3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *node = NULL;
	struct pinefs_attr a;
	int err;

	err = nfs3_node(call, &args->object, &node);
	if (err == 0)
		err = vfs_getattr(&call->vfs, node, &a);
	if (err == PINEFS_LATER)
		return err;	/* run again from the top */

	if (err == 0)
		err = nfs3_node_fattr(call, node, &a,
		    &res->resok.obj_attributes);
	res->status = nfs3_status(call, err);
	return 0;
}

/* SETATTR, 3.3.2.  The guard is the ctime the client last saw. */
static int
nfs3_setattr(void *self, struct rpc_call *rpc, const SETATTR3args *args,
    SETATTR3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *node = NULL;
	struct vfs_wcc wcc = { 0 };
	struct pinefs_set set;
	struct timespec guard;
	int err;

	err = nfs3_node(call, &args->object, &node);
	if (err == 0)
		err = nfs3_set(&args->new_attributes, &set);
	if (err == 0) {
		if (args->guard.check) {
			guard.tv_sec = args->guard.obj_ctime.seconds;
			guard.tv_nsec = args->guard.obj_ctime.nseconds;
			set.if_ctime = &guard;
		}
		err = vfs_setattr(&call->vfs, node, &set, &wcc);
	}
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0)
		nfs3_wcc_data(call, node, &wcc, &res->resok.obj_wcc);
	else
		nfs3_wcc_failed(call, node, &wcc, &res->resfail.obj_wcc);
	return nfs_call_end(call);
}

/* LOOKUP, 3.3.3. */
static int
nfs3_lookup(void *self, struct rpc_call *rpc, const LOOKUP3args *args,
    LOOKUP3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *dir = NULL, *node = NULL;
	int err;

	err = nfs3_node(call, &args->what.dir, &dir);
	if (err == 0)
		err = vfs_lookup(&call->vfs, dir, nfs_name(args->what.name),
		    &node);
	if (err == 0)
		err = nfs3_node_fh(call, node, &res->resok.object);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		nfs3_post_op_attr(call, node, &res->resok.obj_attributes);
		nfs3_post_op_attr(call, dir, &res->resok.dir_attributes);
	} else {
		nfs3_post_op_attr(call, dir, &res->resfail.dir_attributes);
	}
	return nfs_call_end(call);
}

/* ACCESS, 3.3.4: of the bits asked, those that hold. */
static int
nfs3_access(void *self, struct rpc_call *rpc, const ACCESS3args *args,
    ACCESS3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *node = NULL;
	struct pinefs_attr a;
	uint32_t granted = 0;
	int err;

	err = nfs3_node(call, &args->object, &node);
	if (err == 0)
		err = vfs_access(&call->vfs, node, args->access, &granted,
		    &a);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		res->resok.access = granted & args->access;
		nfs3_post_these(call, node, &a, &res->resok.obj_attributes);
	} else {
		nfs3_post_op_attr(call, node, &res->resfail.obj_attributes);
	}
	return nfs_call_end(call);
}

/* --------------------------------------------------------------- files -- */

/* READLINK, 3.3.5. */
static int
nfs3_readlink(void *self, struct rpc_call *rpc, const READLINK3args *args,
    READLINK3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *node = NULL;
	struct xdr_view text;
	int err;

	err = nfs3_node(call, &args->symlink, &node);
	if (err == 0)
		err = vfs_readlink(&call->vfs, node, &text);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		res->resok.data = text;
		nfs3_post_op_attr(call, node, &res->resok.symlink_attributes);
	} else {
		nfs3_post_op_attr(call, node,
		    &res->resfail.symlink_attributes);
	}
	return nfs_call_end(call);
}

/* READ, 3.3.6. */
static int
nfs3_read(void *self, struct rpc_call *rpc, const READ3args *args,
    READ3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *node = NULL;
	uint32_t count = args->count;
	struct vfs_data data;
	int err;

	if (count > call->max_io)
		count = call->max_io;	/* "less than count" is allowed */
	call->vfs.may_lend = true;
	err = nfs3_node(call, &args->file, &node);
	if (err == 0)
		err = vfs_read(&call->vfs, node, args->offset, count, &data);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		res->resok.count = data.bytes.len;
		res->resok.eof = data.eof;
		res->resok.data = data.bytes;
		nfs3_post_op_attr(call, node, &res->resok.file_attributes);
	} else {
		nfs3_post_op_attr(call, node, &res->resfail.file_attributes);
	}
	return nfs_call_end(call);	/* node belongs to the call */
}

/*
 * WRITE, 3.3.7.  Where `count` and the length of the data disagree, either
 * may be the wrong one: nothing is written.
 */
static int
nfs3_write(void *self, struct rpc_call *rpc, const WRITE3args *args,
    WRITE3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct vfs_write w = { .off = args->offset, .data = args->data,
	    .buf = rpc_call_bulk(rpc), .stable = (int)args->stable };
	struct pinefs_node *node = NULL;
	int err;

	if (w.data.len > call->max_io)
		w.data.len = call->max_io;	/* a short write */
	err = nfs3_node(call, &args->file, &node);
	if (err == 0 && args->count != args->data.len)
		err = EINVAL;
	if (err == 0)
		err = vfs_write(&call->vfs, node, &w);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		res->resok.count = w.written;
		res->resok.committed = (stable_how)w.committed;
		vfs_write_verifier(call->export->fs, res->resok.verf);
		nfs3_wcc_data(call, node, &w.wcc, &res->resok.file_wcc);
	} else {
		nfs3_wcc_failed(call, node, &w.wcc, &res->resfail.file_wcc);
	}
	return nfs_call_end(call);
}

/* COMMIT, 3.3.21. */
static int
nfs3_commit(void *self, struct rpc_call *rpc, const COMMIT3args *args,
    COMMIT3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *node = NULL;
	struct vfs_wcc wcc = { 0 };
	int err;

	err = nfs3_node(call, &args->file, &node);
	if (err == 0 && args->offset > UINT64_MAX - args->count)
		err = EINVAL;
	if (err == 0)
		err = vfs_commit(&call->vfs, node, args->offset, args->count,
		    &wcc);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		vfs_write_verifier(call->export->fs, res->resok.verf);
		nfs3_wcc_data(call, node, &wcc, &res->resok.file_wcc);
	} else {
		nfs3_wcc_failed(call, node, &wcc, &res->resfail.file_wcc);
	}
	return nfs_call_end(call);
}

/* --------------------------------------------------------- file system -- */

/* FSSTAT, 3.3.18. */
static int
nfs3_fsstat(void *self, struct rpc_call *rpc, const FSSTAT3args *args,
    FSSTAT3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *node = NULL;
	struct vfs_limits l;
	int err;

	err = nfs3_node(call, &args->fsroot, &node);
	if (err == 0)
		err = vfs_limits(&call->vfs, node, &l);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		res->resok.tbytes = l.st.bytes;
		res->resok.fbytes = l.st.bytes_free;
		res->resok.abytes = l.st.bytes_avail;
		res->resok.tfiles = l.st.files;
		res->resok.ffiles = l.st.files_free;
		res->resok.afiles = l.st.files_avail;
		res->resok.invarsec = l.st.invarsec;
		nfs3_post_op_attr(call, node, &res->resok.obj_attributes);
	} else {
		nfs3_post_op_attr(call, node, &res->resfail.obj_attributes);
	}
	return nfs_call_end(call);
}

enum { PAGE = 4096, DIR_PREFERRED = 65536 };

static void
fill_fsinfo(const struct nfs_call *call, const struct vfs_limits *l,
    FSINFO3resok *r)
{
	r->rtmax = r->rtpref = call->max_io;
	r->wtmax = r->wtpref = call->max_io;
	r->rtmult = r->wtmult = PAGE;
	r->dtpref = call->max_io < DIR_PREFERRED ? call->max_io :
	    DIR_PREFERRED;
	r->maxfilesize = l->st.size_max;
	r->time_delta.seconds = 0;
	r->time_delta.nseconds = 1;
	r->properties = (l->can_link ? FSF3_LINK : 0u) |
	    (l->can_symlink ? FSF3_SYMLINK : 0u) |
	    (l->homogeneous ? FSF3_HOMOGENEOUS : 0u) |
	    (l->can_settime ? FSF3_CANSETTIME : 0u);
}

/* FSINFO, 3.3.19: what a client makes its rsize and wsize of. */
static int
nfs3_fsinfo(void *self, struct rpc_call *rpc, const FSINFO3args *args,
    FSINFO3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *node = NULL;
	struct vfs_limits l;
	int err;

	err = nfs3_node(call, &args->fsroot, &node);
	if (err == 0)
		err = vfs_limits(&call->vfs, node, &l);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		fill_fsinfo(call, &l, &res->resok);
		nfs3_post_op_attr(call, node, &res->resok.obj_attributes);
	} else {
		nfs3_post_op_attr(call, node, &res->resfail.obj_attributes);
	}
	return nfs_call_end(call);
}

/* PATHCONF, 3.3.20. */
static int
nfs3_pathconf(void *self, struct rpc_call *rpc, const PATHCONF3args *args,
    PATHCONF3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *node = NULL;
	struct vfs_limits l;
	int err;

	err = nfs3_node(call, &args->object, &node);
	if (err == 0)
		err = vfs_limits(&call->vfs, node, &l);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		res->resok.linkmax = l.st.link_max;
		res->resok.name_max = l.st.name_max;
		res->resok.no_trunc = true;
		res->resok.chown_restricted = true;
		res->resok.case_insensitive = l.case_insensitive;
		res->resok.case_preserving = true;
		nfs3_post_op_attr(call, node, &res->resok.obj_attributes);
	} else {
		nfs3_post_op_attr(call, node, &res->resfail.obj_attributes);
	}
	return nfs_call_end(call);
}

/* ----------------------------------------------------------- the table -- */

#define OP(x)	PINEFS_OP_##x
#define NAMED(x)	(OP(x) | OP(LOOKUP))	/* names are found first */

/*
 * Least auth: NONE for what a client asks while it mounts (RFC 2623 2.3.2).
 *
 *	changes: something	replay: the reply is kept, for a second
 *	handle: needs one	operation: that may block, if the file
 *				system says so (and attributes always)
 *
 *	procedure     changes  replay  handle  least   operation         */
#define PROCEDURES(ROW)							\
	ROW(NULL,	 0,	0,	0,	NONE,	0)		\
	ROW(GETATTR,	 0,	0,	1,	NONE,	OP(GETATTR))	\
	ROW(SETATTR,	 1,	1,	1,	SYS,	OP(SETATTR))	\
	ROW(LOOKUP,	 0,	0,	1,	SYS,	OP(LOOKUP))	\
	ROW(ACCESS,	 0,	0,	1,	SYS,	OP(ACCESS))	\
	ROW(READLINK,	 0,	0,	1,	SYS,	OP(READLINK))	\
	ROW(READ,	 0,	0,	1,	SYS,	OP(READ))	\
	ROW(WRITE,	 1,	1,	1,	SYS,	OP(WRITE))	\
	ROW(CREATE,	 1,	1,	1,	SYS,	NAMED(CREATE))	\
	ROW(MKDIR,	 1,	1,	1,	SYS,	NAMED(CREATE))	\
	ROW(SYMLINK,	 1,	1,	1,	SYS,	NAMED(CREATE))	\
	ROW(MKNOD,	 1,	1,	1,	SYS,	NAMED(CREATE))	\
	ROW(REMOVE,	 1,	1,	1,	SYS,	NAMED(REMOVE))	\
	ROW(RMDIR,	 1,	1,	1,	SYS,	NAMED(REMOVE))	\
	ROW(RENAME,	 1,	1,	1,	SYS,	NAMED(RENAME))	\
	ROW(LINK,	 1,	1,	1,	SYS,	NAMED(LINK))	\
	ROW(READDIR,	 0,	0,	1,	SYS,	OP(READDIR))	\
	ROW(READDIRPLUS, 0,	0,	1,	SYS,	OP(READDIR))	\
	ROW(FSSTAT,	 0,	0,	1,	NONE,	OP(STATFS))	\
	ROW(FSINFO,	 0,	0,	1,	NONE,	OP(STATFS))	\
	ROW(PATHCONF,	 0,	0,	1,	NONE,	OP(STATFS))	\
	ROW(COMMIT,	 0,	0,	1,	SYS,	OP(COMMIT))

#define RULE(name, changes, replay, handle, auth, ops)			\
	[NFSPROC3_##name] = { changes, replay, handle, RPC_AUTH_##auth },
#define OPS(name, changes, replay, handle, auth, ops)			\
	[NFSPROC3_##name] = ops,

static const struct rpc_rule rules[] = { PROCEDURES(RULE) };
static const uint64_t operations[] = { PROCEDURES(OPS) };

static const struct nfs_v3_server handlers = {
	.getattr = nfs3_getattr,	.setattr = nfs3_setattr,
	.lookup = nfs3_lookup,		.access = nfs3_access,
	.readlink = nfs3_readlink,	.read = nfs3_read,
	.write = nfs3_write,		.create = nfs3_create,
	.mkdir = nfs3_mkdir,		.symlink = nfs3_symlink,
	.mknod = nfs3_mknod,		.remove = nfs3_remove,
	.rmdir = nfs3_rmdir,		.rename = nfs3_rename,
	.link = nfs3_link,		.readdir = nfs3_readdir,
	.readdirplus = nfs3_readdirplus, .fsstat = nfs3_fsstat,
	.fsinfo = nfs3_fsinfo,		.pathconf = nfs3_pathconf,
	.commit = nfs3_commit,
};

/* Every procedure's arguments begin with the handle that decides. */
static struct rpc_executor *
route(void *self, struct rpc_call *rpc, const void *args)
{
	uint32_t proc = rpc_call_proc(rpc);
	const nfs_fh3 *fh = args;

	if (proc == NFSPROC3_READ)
		rpc_call_expect(rpc, ((const READ3args *)args)->count);
	if (!rules[proc].handle)
		return NULL;
	return nfs_executor(self, fh->data.data, fh->data.len,
	    operations[proc]);
}

_Static_assert(offsetof(RENAME3args, from.dir) == 0 &&
    offsetof(LINK3args, file) == 0 && offsetof(CREATE3args, where.dir) == 0 &&
    offsetof(LOOKUP3args, what.dir) == 0 && offsetof(READ3args, file) == 0,
    "route takes the first member");

void
nfs3_program(struct nfs *nfs, struct rpc_program *row)
{
	*row = (struct rpc_program){ .service = &nfs_v3_service,
	    .handlers = &handlers, .self = nfs, .rules = rules,
	    .route = route, .object = nfs_call_object };
}
