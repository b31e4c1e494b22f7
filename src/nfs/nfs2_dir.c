/*
 * NFS version 2: READDIR.  Entries are chained in the call's memory as long
 * as the encoded result, counted to the byte, stays within `count`.
 */
#include "nfs/nfs2.h"

enum {
	AROUND = 4 + 4 + 4,	/* status, end of list, eof */
	ENTRY = 4 + 4 + 4 + 4	/* follows, fileid, length of name, cookie */
};

struct pack {
	struct nfs_call	*call;
	uint32_t	 left;
	unsigned	 n;
	bool		 full;
	int		 err;
	entry		*entries, **tail;
};

static int
add(void *arg, const struct vfs_entry *v)
{
	struct pack *p = arg;
	uint32_t need = ENTRY + ((v->name.len + 3) & ~3u);
	entry *e;

	p->err = nfs_check_fileid(p->call, v->id.fileid);
	if (p->err != 0)
		return 1;
	p->full = need + v->reserve > p->left;
	if (p->full)
		return 1;
	if ((e = nfs_call_alloc(p->call, sizeof *e)) == NULL) {
		p->err = p->n == 0 ? ENOMEM : 0;
		return 1;
	}
	e->fileid = nfs2_fileid(v->id.fileid);
	e->name = xdr_view(v->name.base, v->name.len);
	xdr_store_u32(e->cookie, (uint32_t)v->cookie);
	e->nextentry = NULL;
	*p->tail = e;
	p->tail = &e->nextentry;
	p->left -= need;
	p->n++;
	return 0;
}

/* READDIR, RFC 1094 section 2.2.17. */
int
nfs2_readdir(void *self, struct rpc_call *rpc, const readdirargs *args,
    readdirres *res)
{
	struct nfs_call *call = nfs2_call(self, rpc);
	uint32_t count = args->count < NFS2_MAX_IO ? args->count :
	    NFS2_MAX_IO;
	struct pack p = { .call = call, .tail = &p.entries };
	struct vfs_readdir rd = { .cookie = xdr_load_u32(args->cookie),
	    .dots = true, .narrow = true, .room = count, .add = add,
	    .add_arg = &p };
	struct pinefs_node *dir = NULL;
	int err;

	p.left = count > AROUND ? count - AROUND : 0;
	err = nfs2_node(call, args->dir, &dir);
	if (err == 0)
		err = vfs_readdir(&call->vfs, dir, &rd);
	if (err == 0)
		err = p.err;
	if (err == 0 && p.full && p.n == 0)
		err = NFS_ETOOSMALL;
	if (nfs2_later(call, err))
		return PINEFS_LATER;
	if (err == 0) {
		res->readdirok.entries = p.entries;
		res->readdirok.eof = rd.eof;
	}
	res->status = nfs2_status(call, err);
	return 0;
}
