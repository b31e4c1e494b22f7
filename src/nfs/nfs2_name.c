/* NFS version 2: procedures that make, remove and rename. */
#include "nfs/nfs2.h"

int
nfs2_name(struct xdr_view text, bool dots, struct pinefs_name *name)
{
	*name = nfs_name(text);
	if (text.len == 0 || memchr(text.data, '/', text.len) != NULL ||
	    memchr(text.data, '\0', text.len) != NULL)
		return EACCES;
	if (!dots && text.len <= 2 && memcmp(text.data, "..", text.len) == 0)
		return EACCES;
	return 0;
}

/* ---------------------------------------------------------------- make -- */

static int
make(struct nfs_call *call, const diropargs *where,
    const struct pinefs_create *how, struct pinefs_node **node)
{
	struct pinefs_node *dir = NULL;
	struct pinefs_name name;
	struct vfs_wcc wcc;
	int err;

	err = nfs2_node(call, where->dir, &dir);
	if (err == 0)
		err = nfs2_name(where->name, false, &name);
	if (err == 0)
		err = vfs_create(&call->vfs, dir, name, how, node, &wcc);
	return err;
}

/* CREATE, RFC 1094 section 2.2.10. */
int
nfs2_create(void *self, struct rpc_call *rpc, const createargs *args,
    diropres *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_create how = { 0 };
	struct pinefs_node *node = NULL;
	int err;

	err = nfs2_how_to_create(&args->attributes, &how);
	if (err == 0)
		err = make(call, &args->where, &how, &node);
	if (err == 0)
		err = nfs2_dirop(call, node, &res->diropok);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	res->status = nfs2_status(call, err);
	return 0;
}

/* MKDIR, 2.2.15. */
int
nfs2_mkdir(void *self, struct rpc_call *rpc, const createargs *args,
    diropres *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_create how = { .type = PINEFS_DIR,
	    .exclusive = PINEFS_GUARDED };
	struct pinefs_node *node = NULL;
	int err;

	err = nfs2_set(&args->attributes, &how.set);
	how.set.attr.have &= ~(uint64_t)PINEFS_SIZE;
	if (err == 0)
		err = make(call, &args->where, &how, &node);
	if (err == 0)
		err = nfs2_dirop(call, node, &res->diropok);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	res->status = nfs2_status(call, err);
	return 0;
}

/* SYMLINK, 2.2.14.  The attributes are nobody's: a link has none. */
int
nfs2_symlink(void *self, struct rpc_call *rpc, const symlinkargs *args,
    nfsstat *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_create how = { .type = PINEFS_LNK,
	    .exclusive = PINEFS_GUARDED };
	struct pinefs_node *node = NULL;
	int err;

	how.target = nfs_name(args->to);
	err = make(call, &args->from, &how, &node);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	*res = nfs2_status(call, err);
	return 0;
}

/* -------------------------------------------------------------- remove -- */

static int
take_away(struct nfs_call *call, const diropargs *what, int kind)
{
	struct pinefs_node *dir = NULL;
	struct pinefs_name name;
	struct vfs_wcc wcc;
	int err;

	err = nfs2_node(call, what->dir, &dir);
	if (err == 0)
		err = nfs2_name(what->name, false, &name);
	if (err == 0)
		err = vfs_remove(&call->vfs, dir, name, kind, &wcc);
	return err;
}

/* REMOVE, 2.2.11. */
int
nfs2_remove(void *self, struct rpc_call *rpc, const diropargs *args,
    nfsstat *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	int err = take_away(call, args, PINEFS_REMOVE_FILE);

	if (nfs2_later(call, err))
		return PINEFS_LATER;
	*res = nfs2_status(call, err);
	return 0;
}

/* RMDIR, 2.2.16. */
int
nfs2_rmdir(void *self, struct rpc_call *rpc, const diropargs *args,
    nfsstat *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	int err = take_away(call, args, PINEFS_REMOVE_DIR);

	if (nfs2_later(call, err))
		return PINEFS_LATER;
	*res = nfs2_status(call, err);
	return 0;
}

/* -------------------------------------------------------- rename, link -- */

/* RENAME, 2.2.12. */
int
nfs2_rename(void *self, struct rpc_call *rpc, const renameargs *args,
    nfsstat *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_node *from = NULL, *to = NULL;
	struct pinefs_name old_name, new_name;
	struct vfs_wcc from_wcc, to_wcc;
	int err;

	err = nfs2_node(call, args->from.dir, &from);
	if (err == 0)
		err = nfs2_node(call, args->to.dir, &to);
	if (err == 0)
		err = nfs2_name(args->from.name, false, &old_name);
	if (err == 0)
		err = nfs2_name(args->to.name, false, &new_name);
	if (err == 0)
		err = vfs_rename(&call->vfs, from, old_name, to, new_name,
		    &from_wcc, &to_wcc);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	*res = nfs2_status(call, err);
	return 0;
}

/* LINK, 2.2.13. */
int
nfs2_link(void *self, struct rpc_call *rpc, const linkargs *args,
    nfsstat *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	struct pinefs_node *node = NULL, *dir = NULL;
	struct pinefs_name name;
	struct vfs_wcc wcc;
	int err;

	err = nfs2_node(call, args->from, &node);
	if (err == 0)
		err = nfs2_node(call, args->to.dir, &dir);
	if (err == 0)
		err = nfs2_name(args->to.name, false, &name);
	if (err == 0)
		err = vfs_link(&call->vfs, node, dir, name, &wcc);
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	*res = nfs2_status(call, err);
	return 0;
}
