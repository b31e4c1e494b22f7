/* NFS version 3: procedures that make, remove and rename. */
#include "nfs/nfs3.h"

#include <errno.h>

/* ---------------------------------------------------------------- make -- */

/*
 * CREATE, MKDIR, SYMLINK and MKNOD differ in what they make; where, and what
 * is told of it, is the same.
 */
struct making {
	struct pinefs_node	*dir, *node;
	struct pinefs_create	 how;
	struct vfs_wcc		 wcc;
};

static int
make(struct nfs_call *call, const diropargs3 *where, struct making *m)
{
	int err;

	err = nfs3_node(call, &where->dir, &m->dir);
	if (err == 0)
		err = vfs_create(&call->vfs, m->dir, nfs_name(where->name),
		    &m->how, &m->node, &m->wcc);
	return err;
}

/* CREATE3resok, MKDIR3resok and so on are one type under four names. */
static void
tell(struct nfs_call *call, struct making *m, post_op_fh3 *obj,
    post_op_attr *attributes, wcc_data *dir_wcc)
{
	/* Without a handle the client does a LOOKUP: it was made all right. */
	obj->handle_follows = nfs3_node_fh(call, m->node, &obj->handle) == 0;
	nfs3_post_op_attr(call, m->node, attributes);
	nfs3_wcc_data(call, m->dir, &m->wcc, dir_wcc);
}

/*
 * What CREATE is to make.  EXCLUSIVE carries no attributes; the client sets
 * them next, and until then nobody else gets in.
 */
static int
how_to_create(const createhow3 *how, struct pinefs_create *c)
{
	c->type = PINEFS_REG;
	switch (how->mode) {
	case UNCHECKED:
		c->exclusive = PINEFS_UNCHECKED;
		return nfs3_set(&how->obj_attributes, &c->set);
	case GUARDED:
		c->exclusive = PINEFS_GUARDED;
		return nfs3_set(&how->obj_attributes, &c->set);
	case EXCLUSIVE:
		c->exclusive = PINEFS_EXCLUSIVE;
		c->set.attr.have = PINEFS_MODE;
		c->set.attr.mode = 0600;
		memcpy(c->verf, how->verf, sizeof c->verf);
		return 0;
	}
	return EINVAL;
}

/* CREATE, RFC 1813 section 3.3.8. */
int
nfs3_create(void *self, struct rpc_call *rpc, const CREATE3args *args,
    CREATE3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct making m = { 0 };
	int err;

	err = how_to_create(&args->how, &m.how);
	if (err == 0)
		err = make(call, &args->where, &m);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0)
		tell(call, &m, &res->resok.obj, &res->resok.obj_attributes,
		    &res->resok.dir_wcc);
	else
		nfs3_wcc_failed(call, m.dir, &m.wcc, &res->resfail.dir_wcc);
	return nfs_call_end(call);
}

/* MKDIR, 3.3.9. */
int
nfs3_mkdir(void *self, struct rpc_call *rpc, const MKDIR3args *args,
    MKDIR3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct making m = { .how.type = PINEFS_DIR,
	    .how.exclusive = PINEFS_GUARDED };
	int err;

	err = nfs3_set(&args->attributes, &m.how.set);
	if (err == 0)
		err = make(call, &args->where, &m);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0)
		tell(call, &m, &res->resok.obj, &res->resok.obj_attributes,
		    &res->resok.dir_wcc);
	else
		nfs3_wcc_failed(call, m.dir, &m.wcc, &res->resfail.dir_wcc);
	return nfs_call_end(call);
}

/* SYMLINK, 3.3.10. */
int
nfs3_symlink(void *self, struct rpc_call *rpc, const SYMLINK3args *args,
    SYMLINK3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct making m = { .how.type = PINEFS_LNK,
	    .how.exclusive = PINEFS_GUARDED };
	int err;

	err = nfs3_set(&args->symlink.symlink_attributes, &m.how.set);
	m.how.target = nfs_name(args->symlink.symlink_data);
	if (err == 0)
		err = make(call, &args->where, &m);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0)
		tell(call, &m, &res->resok.obj, &res->resok.obj_attributes,
		    &res->resok.dir_wcc);
	else
		nfs3_wcc_failed(call, m.dir, &m.wcc, &res->resfail.dir_wcc);
	return nfs_call_end(call);
}

static int
what_to_mknod(const mknoddata3 *what, struct pinefs_create *c)
{
	int err;

	c->exclusive = PINEFS_GUARDED;
	c->type = what->type;		/* the numbers are the same */
	switch (what->type) {
	case NF3CHR:
	case NF3BLK:
		err = nfs3_set(&what->device.dev_attributes, &c->set);
		if (err != 0)
			return err;
		c->set.attr.have |= PINEFS_RDEV;
		c->set.attr.rdev_major = what->device.spec.specdata1;
		c->set.attr.rdev_minor = what->device.spec.specdata2;
		return 0;
	case NF3SOCK:
	case NF3FIFO:
		return nfs3_set(&what->pipe_attributes, &c->set);
	default:
		return NFS_EBADTYPE;	/* files, directories: not this way */
	}
}

/* MKNOD, 3.3.11. */
int
nfs3_mknod(void *self, struct rpc_call *rpc, const MKNOD3args *args,
    MKNOD3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct making m = { 0 };
	int err;

	err = what_to_mknod(&args->what, &m.how);
	if (err == 0)
		err = make(call, &args->where, &m);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0)
		tell(call, &m, &res->resok.obj, &res->resok.obj_attributes,
		    &res->resok.dir_wcc);
	else
		nfs3_wcc_failed(call, m.dir, &m.wcc, &res->resfail.dir_wcc);
	return nfs_call_end(call);
}

/* -------------------------------------------------------------- remove -- */

static int
take_away(struct nfs_call *call, const diropargs3 *object, int kind,
    struct pinefs_node **dir, struct vfs_wcc *wcc)
{
	int err;

	err = nfs3_node(call, &object->dir, dir);
	if (err == 0)
		err = vfs_remove(&call->vfs, *dir, nfs_name(object->name),
		    kind, wcc);
	return err;
}

/* REMOVE, 3.3.12. */
int
nfs3_remove(void *self, struct rpc_call *rpc, const REMOVE3args *args,
    REMOVE3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *dir = NULL;
	struct vfs_wcc wcc = { 0 };
	int err;

	err = take_away(call, &args->object, PINEFS_REMOVE_FILE, &dir, &wcc);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0)
		nfs3_wcc_data(call, dir, &wcc, &res->resok.dir_wcc);
	else
		nfs3_wcc_failed(call, dir, &wcc, &res->resfail.dir_wcc);
	return nfs_call_end(call);
}

/* RMDIR, 3.3.13. */
int
nfs3_rmdir(void *self, struct rpc_call *rpc, const RMDIR3args *args,
    RMDIR3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *dir = NULL;
	struct vfs_wcc wcc = { 0 };
	int err;

	err = take_away(call, &args->object, PINEFS_REMOVE_DIR, &dir, &wcc);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0)
		nfs3_wcc_data(call, dir, &wcc, &res->resok.dir_wcc);
	else
		nfs3_wcc_failed(call, dir, &wcc, &res->resfail.dir_wcc);
	return nfs_call_end(call);
}

/* -------------------------------------------------------- rename, link -- */

/* RENAME, 3.3.14. */
int
nfs3_rename(void *self, struct rpc_call *rpc, const RENAME3args *args,
    RENAME3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *from = NULL, *to = NULL;
	struct vfs_wcc from_wcc = { 0 }, to_wcc = { 0 };
	int err;

	err = nfs3_node(call, &args->from.dir, &from);
	if (err == 0)
		err = nfs3_node(call, &args->to.dir, &to);
	if (err == 0)
		err = vfs_rename(&call->vfs, from, nfs_name(args->from.name),
		    to, nfs_name(args->to.name), &from_wcc, &to_wcc);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		nfs3_wcc_data(call, from, &from_wcc,
		    &res->resok.fromdir_wcc);
		nfs3_wcc_data(call, to, &to_wcc, &res->resok.todir_wcc);
	} else {
		nfs3_wcc_failed(call, from, &from_wcc,
		    &res->resfail.fromdir_wcc);
		nfs3_wcc_failed(call, to, &to_wcc, &res->resfail.todir_wcc);
	}
	return nfs_call_end(call);
}

/* LINK, 3.3.15. */
int
nfs3_link(void *self, struct rpc_call *rpc, const LINK3args *args,
    LINK3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct pinefs_node *node = NULL, *dir = NULL;
	struct vfs_wcc wcc = { 0 };
	int err;

	err = nfs3_node(call, &args->file, &node);
	if (err == 0)
		err = nfs3_node(call, &args->link.dir, &dir);
	if (err == 0)
		err = vfs_link(&call->vfs, node, dir,
		    nfs_name(args->link.name), &wcc);
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		nfs3_post_op_attr(call, node, &res->resok.file_attributes);
		nfs3_wcc_data(call, dir, &wcc, &res->resok.linkdir_wcc);
	} else {
		nfs3_post_op_attr(call, node, &res->resfail.file_attributes);
		nfs3_wcc_failed(call, dir, &wcc, &res->resfail.linkdir_wcc);
	}
	return nfs_call_end(call);
}
