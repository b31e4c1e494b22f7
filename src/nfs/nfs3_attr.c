/* NFS version 3: handles and attributes, to and from the protocol's words. */
#include "nfs/nfs3.h"

#include <errno.h>

#include "nfs/words.h"

int
nfs3_ident_fh(struct nfs_call *call, const struct pinefs_ident *id,
    nfs_fh3 *fh)
{
	void *bytes = nfs_call_alloc(call, id->own_len == 0 ? NFS_FH_SHORT :
	    NFS_FH_MAX3);
	int err;

	if (bytes == NULL)
		return ENOMEM;
	err = nfs_ident_to_fh(call, id, bytes, &fh->data.len);
	fh->data.data = bytes;
	fh->data.npieces = 0;
	return err;
}

int
nfs3_node_fh(struct nfs_call *call, const struct pinefs_node *node,
    nfs_fh3 *fh)
{
	struct pinefs_ident id;

	vfs_node_handle_ident(node, &id);
	return nfs3_ident_fh(call, &id, fh);
}

static nfstime3
time_of(struct timespec ts)
{
	nfstime3 t;

	nfs_clamp_time(ts, &t.seconds, &t.nseconds);
	return t;
}

int
nfs3_fattr(struct nfs_call *call, uint64_t fileid,
    const struct pinefs_attr *a, fattr3 *f)
{
	if (nfs_check_fileid(call, fileid) != 0 ||
	    a->type < PINEFS_REG || a->type > PINEFS_FIFO)
		return EIO;
	f->type = (ftype3)a->type;	/* the numbers are the same */
	f->mode = a->mode & 07777;
	f->nlink = a->nlink;
	f->uid = a->uid;
	f->gid = a->gid;
	f->size = a->size;
	f->used = a->used;
	f->rdev.specdata1 = a->rdev_major;
	f->rdev.specdata2 = a->rdev_minor;
	f->fsid = call->export->id;
	f->fileid = fileid;
	f->atime = time_of(a->atime);
	f->mtime = time_of(a->mtime);
	f->ctime = time_of(a->ctime);
	return 0;
}

int
nfs3_node_fattr(struct nfs_call *call, const struct pinefs_node *node,
    const struct pinefs_attr *a, fattr3 *f)
{
	struct pinefs_ident id;

	pinefs_node_ident(node, &id);
	return nfs3_fattr(call, id.fileid, a, f);
}

void
nfs3_post_these(struct nfs_call *call, const struct pinefs_node *node,
    const struct pinefs_attr *a, post_op_attr *post)
{
	post->attributes_follow =
	    nfs3_node_fattr(call, node, a, &post->attributes) == 0;
}

void
nfs3_post_op_attr(struct nfs_call *call, struct pinefs_node *node,
    post_op_attr *post)
{
	struct pinefs_attr a;
	int err;

	post->attributes_follow = false;
	if (node == NULL || call->late)
		return;
	err = vfs_getattr(&call->vfs, node, &a);
	if (err == PINEFS_LATER)
		call->late = true;
	else if (err == 0)
		nfs3_post_these(call, node, &a, post);
}

void
nfs3_wcc_data(struct nfs_call *call, struct pinefs_node *node,
    const struct vfs_wcc *wcc, wcc_data *w)
{
	w->before.attributes_follow = node != NULL && wcc->has_before;
	if (w->before.attributes_follow) {
		w->before.attributes.size = wcc->before.size;
		w->before.attributes.mtime = time_of(wcc->before.mtime);
		w->before.attributes.ctime = time_of(wcc->before.ctime);
	}
	w->after.attributes_follow = false;
	if (node != NULL && wcc->has_after)
		nfs3_post_these(call, node, &wcc->after, &w->after);
}

/*
 * What failed has changed nothing that anybody noted: one look serves as
 * before and after.  A client compares `before` with what it has cached, so
 * that a change by anybody else shows, and its cache stays where there was
 * none.
 */
void
nfs3_wcc_failed(struct nfs_call *call, struct pinefs_node *node,
    const struct vfs_wcc *wcc, wcc_data *w)
{
	const fattr3 *a = &w->after.attributes;

	nfs3_wcc_data(call, node, wcc, w);
	if (wcc->has_after)
		return;
	nfs3_post_op_attr(call, node, &w->after);
	w->before.attributes_follow = w->after.attributes_follow;
	if (w->before.attributes_follow)
		w->before.attributes = (wcc_attr){ a->size, a->mtime,
		    a->ctime };
}

/* --------------------------------------------------------- what to set -- */

static int
set_time(struct pinefs_set *set, uint64_t bit, time_how how,
    const nfstime3 *from, struct timespec *to)
{
	if (how == DONT_CHANGE)
		return 0;
	set->attr.have |= bit;
	if (how == SET_TO_SERVER_TIME) {
		set->now |= bit;
		return 0;
	}
	if (from->nseconds >= 1000000000)
		return EINVAL;
	to->tv_sec = from->seconds;
	to->tv_nsec = from->nseconds;
	return 0;
}

int
nfs3_set(const sattr3 *s, struct pinefs_set *set)
{
	struct pinefs_attr *a = &set->attr;
	int err;

	memset(set, 0, sizeof *set);
	if (s->mode.set_it) {
		a->have |= PINEFS_MODE;
		a->mode = s->mode.mode & 07777;
	}
	if (s->uid.set_it) {
		a->have |= PINEFS_UID;
		a->uid = s->uid.uid;
	}
	if (s->gid.set_it) {
		a->have |= PINEFS_GID;
		a->gid = s->gid.gid;
	}
	if (s->size.set_it) {
		if (s->size.size > INT64_MAX)
			return EFBIG;
		a->have |= PINEFS_SIZE;
		a->size = s->size.size;
	}
	err = set_time(set, PINEFS_ATIME, s->atime.set_it, &s->atime.atime,
	    &a->atime);
	if (err == 0)
		err = set_time(set, PINEFS_MTIME, s->mtime.set_it,
		    &s->mtime.mtime, &a->mtime);
	return err;
}
