/*
 * NFS version 2 (RFC 1094): the table of its procedures, and those that work
 * on one object.
 */
#include "nfs/nfs2.h"
#include "nfs/program.h"
#include "nfs/words.h"

/* ---------------------------------------------------------- attributes -- */

/* GETATTR, section 2.2.2. */
static int
nfs2_getattr(void *self, struct rpc_call *rpc, const fhandle args,
    attrstat *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_node *node = NULL;
	int err;

	err = nfs2_node(call, args, &node);
	if (err == 0)
		err = nfs2_attr_of(call, node, &res->attributes);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	res->status = nfs2_status(call, err);
	return 0;
}

/* SETATTR, 2.2.3. */
static int
nfs2_setattr(void *self, struct rpc_call *rpc, const sattrargs *args,
    attrstat *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_node *node = NULL;
	struct pinefs_set set;
	struct vfs_wcc wcc;
	int err;

	err = nfs2_node(call, args->file, &node);
	if (err == 0)
		err = nfs2_set(&args->attributes, &set);
	if (err == 0)
		err = vfs_setattr(&call->vfs, node, &set, &wcc);
	if (err == 0)
		err = nfs2_attr_of(call, node, &res->attributes);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	res->status = nfs2_status(call, err);
	return 0;
}

/* LOOKUP, 2.2.5. */
static int
nfs2_lookup(void *self, struct rpc_call *rpc, const diropargs *args,
    diropres *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_node *dir = NULL, *node = NULL;
	struct pinefs_name name;
	int err;

	err = nfs2_node(call, args->dir, &dir);
	if (err == 0)
		err = nfs2_name(args->name, true, &name);
	if (err == 0)
		err = vfs_lookup(&call->vfs, dir, name, &node);
	if (err == 0)
		err = nfs2_dirop(call, node, &res->diropok);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	res->status = nfs2_status(call, err);
	return 0;
}

/* ROOT and WRITECACHE, 2.2.4 and 2.2.8: obsolete, never used; void. */
static int
nothing(void *self, struct rpc_call *rpc)
{
	(void)self, (void)rpc;
	return 0;
}

/* --------------------------------------------------------------- files -- */

/* READLINK, 2.2.6. */
static int
nfs2_readlink(void *self, struct rpc_call *rpc, const fhandle args,
    readlinkres *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_node *node = NULL;
	int err;

	err = nfs2_node(call, args, &node);
	if (err == 0)
		err = vfs_readlink(&call->vfs, node, &res->data);
	if (err == 0 && res->data.len > NFS_MAXPATHLEN)
		err = ENAMETOOLONG;
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	res->status = nfs2_status(call, err);
	return 0;
}

/* READ, 2.2.7.  `totalcount` is unused by definition. */
static int
nfs2_read(void *self, struct rpc_call *rpc, const readargs *args, readres *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	uint32_t count = args->count < NFS2_MAX_IO ? args->count :
	    NFS2_MAX_IO;
	struct pinefs_node *node = NULL;
	struct vfs_data data;
	int err;

	err = nfs2_node(call, args->file, &node);
	if (err == 0)
		err = vfs_read(&call->vfs, node, args->offset, count, &data);
	if (err == 0)
		err = nfs2_attr_of(call, node, &res->reply.attributes);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	if (err == 0)
		res->reply.data = data.bytes;
	res->status = nfs2_status(call, err);
	return 0;
}

/* All of it: a version 2 reply cannot say that a write was short. */
static int
write_all(struct nfs_call *call, struct pinefs_node *node,
    const writeargs *args)
{
	uint32_t done = 0;
	int err;

	do {
		struct vfs_write w = { .off = (uint64_t)args->offset + done,
		    .stable = PINEFS_FILE_SYNC };

		w.data = xdr_view((const uint8_t *)args->data.data + done,
		    args->data.len - done);
		if (done == 0)
			w.buf = rpc_call_bulk(call->rpc);
		err = vfs_write(&call->vfs, node, &w);
		if (err == 0 && w.written == 0 && done < args->data.len)
			err = EIO;
		done += w.written;
	} while (err == 0 && done < args->data.len);
	return err;
}

/* WRITE, 2.2.9: durable when it returns. */
static int
nfs2_write(void *self, struct rpc_call *rpc, const writeargs *args,
    attrstat *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_node *node = NULL;
	int err;

	err = nfs2_node(call, args->file, &node);
	if (err == 0 && args->offset > UINT32_MAX - args->data.len)
		err = EFBIG;
	if (err == 0)
		err = write_all(call, node, args);
	if (err == 0)
		err = nfs2_attr_of(call, node, &res->attributes);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	res->status = nfs2_status(call, err);
	return 0;
}

/* --------------------------------------------------------- file system -- */

/* Blocks as large as it takes to count them in 31 bits, which all can read. */
static void
fill_statfs(const struct pinefs_statfs *st, statfsok *r)
{
	uint32_t size = 4096;

	while (st->bytes / size > INT32_MAX && size < 1u << 30)
		size *= 2;
	r->tsize = NFS2_MAX_IO;
	r->bsize = size;
	r->blocks = nfs_clamp_u32(st->bytes / size);
	r->bfree = nfs_clamp_u32(st->bytes_free / size);
	r->bavail = nfs_clamp_u32(st->bytes_avail / size);
}

/* STATFS, 2.2.18. */
static int
nfs2_statfs(void *self, struct rpc_call *rpc, const fhandle args,
    statfsres *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_node *node = NULL;
	struct vfs_limits l;
	int err;

	err = nfs2_node(call, args, &node);
	if (err == 0)
		err = vfs_limits(&call->vfs, node, &l);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	if (err == 0)
		fill_statfs(&l.st, &res->info);
	res->status = nfs2_status(call, err);
	return 0;
}

/* ----------------------------------------------------------- the table -- */

#define OP(x)	PINEFS_OP_##x
#define NAMED(x)	(OP(x) | OP(LOOKUP))	/* names are found first */

/*
 * Columns as in nfs3.c.
 *
 *	procedure     changes  replay  handle  least   operation         */
#define PROCEDURES(ROW)							\
	ROW(NULL,	 0,	0,	0,	NONE,	0)		\
	ROW(GETATTR,	 0,	0,	1,	NONE,	OP(GETATTR))	\
	ROW(SETATTR,	 1,	1,	1,	SYS,	OP(SETATTR))	\
	ROW(ROOT,	 0,	0,	0,	NONE,	0)		\
	ROW(LOOKUP,	 0,	0,	1,	SYS,	OP(LOOKUP))	\
	ROW(READLINK,	 0,	0,	1,	SYS,	OP(READLINK))	\
	ROW(READ,	 0,	0,	1,	SYS,	OP(READ))	\
	ROW(WRITECACHE,	 0,	0,	0,	NONE,	0)		\
	ROW(WRITE,	 1,	1,	1,	SYS,	OP(WRITE))	\
	ROW(CREATE,	 1,	1,	1,	SYS,	NAMED(CREATE))	\
	ROW(REMOVE,	 1,	1,	1,	SYS,	NAMED(REMOVE))	\
	ROW(RENAME,	 1,	1,	1,	SYS,	NAMED(RENAME))	\
	ROW(LINK,	 1,	1,	1,	SYS,	NAMED(LINK))	\
	ROW(SYMLINK,	 1,	1,	1,	SYS,	NAMED(CREATE))	\
	ROW(MKDIR,	 1,	1,	1,	SYS,	NAMED(CREATE))	\
	ROW(RMDIR,	 1,	1,	1,	SYS,	NAMED(REMOVE))	\
	ROW(READDIR,	 0,	0,	1,	SYS,	OP(READDIR))	\
	ROW(STATFS,	 0,	0,	1,	NONE,	OP(STATFS))

#define RULE(name, changes, replay, handle, auth, ops)			\
	[NFSPROC_##name] = { changes, replay, handle, RPC_AUTH_##auth },
#define OPS(name, changes, replay, handle, auth, ops)			\
	[NFSPROC_##name] = ops,

static const struct rpc_rule rules[] = { PROCEDURES(RULE) };
static const uint64_t operations[] = { PROCEDURES(OPS) };

static const struct nfs_v2_server handlers = {
	.getattr = nfs2_getattr,	.setattr = nfs2_setattr,
	.root = nothing,		.lookup = nfs2_lookup,
	.readlink = nfs2_readlink,	.read = nfs2_read,
	.writecache = nothing,		.write = nfs2_write,
	.create = nfs2_create,		.remove = nfs2_remove,
	.rename = nfs2_rename,		.link = nfs2_link,
	.symlink = nfs2_symlink,	.mkdir = nfs2_mkdir,
	.rmdir = nfs2_rmdir,		.readdir = nfs2_readdir,
	.statfs = nfs2_statfs,
};

/* Every procedure's arguments begin with the handle that decides. */
static struct rpc_executor *
route(void *self, struct rpc_call *rpc, const void *args)
{
	uint32_t proc = rpc_call_proc(rpc);

	if (!rules[proc].handle)
		return NULL;
	return nfs_executor(self, args, NFS_FHSIZE, operations[proc]);
}

_Static_assert(offsetof(renameargs, from.dir) == 0 &&
    offsetof(linkargs, from) == 0 && offsetof(createargs, where.dir) == 0 &&
    offsetof(symlinkargs, from.dir) == 0 && offsetof(readargs, file) == 0,
    "route takes the first member");

void
nfs2_program(struct nfs *nfs, struct rpc_program *row)
{
	*row = (struct rpc_program){ .service = &nfs_v2_service,
	    .handlers = &handlers, .self = nfs, .rules = rules,
	    .route = route, .object = nfs_call_object };
}
