/*
 * NFS version 3: READDIR and READDIRPLUS.
 *
 * Entries come one by one from vfs_readdir and are chained in the call's
 * memory as long as the encoded result, counted to the byte, stays within
 * what the client asked for.  An over-full reply would be worse than a short
 * one: clients drop what does not fit and go on *before* our last cookie.
 *
 * RFC 1813 counts the whole READDIR3resok: attributes of the directory,
 * verifier, entries, end of list and eof.
 *
 * The verifier is 0 and is not checked: cookies stay valid for ever, and a
 * client told BAD_COOKIE throws its whole listing away.
 */
#include "nfs/nfs3.h"

#include <errno.h>

#include "nfs/nfs3_dir.h"

enum {
	/* Never more than this: the reply has to fit the call's memory. */
	MOST = 65536,
	ATTRIBUTES = 4 + 84,		/* post_op_attr that follows */
	AROUND = ATTRIBUTES + 8 + 4 + 4,
	ABSENT = 4			/* post_op_attr, post_op_fh3: no */
};

static uint32_t
padded(uint32_t n)
{
	return (n + 3) & ~3u;
}

/* An entry's fileid, name and cookie, and the mark that it follows. */
static uint32_t
plain_size(uint32_t name_len)
{
	return 4 + 8 + 4 + padded(name_len) + 8;
}

bool
nfs3_pack_init(struct nfs3_pack *p, struct nfs_call *call, uint32_t count,
    uint32_t dircount)
{
	uint32_t most = call->max_io < MOST ? call->max_io : MOST;

	memset(p, 0, sizeof *p);
	p->call = call;
	p->tail = &p->entries;
	p->tail_plus = &p->entries_plus;
	if (count > most)
		count = most;
	if (count < AROUND)
		return false;
	p->left = count - AROUND;
	p->names_left = dircount == 0 ? UINT32_MAX : dircount;
	return true;
}

/* Enough memory, or this is where the reply ends. */
static void *
entry_memory(struct nfs3_pack *p, size_t size)
{
	void *e = nfs_call_alloc(p->call, size);

	if (e == NULL && p->n == 0)
		p->err = ENOMEM;
	return e;
}

int
nfs3_pack_entry(void *arg, const struct vfs_entry *v)
{
	struct nfs3_pack *p = arg;
	uint32_t need = plain_size(v->name.len);
	entry3 *e;

	p->err = nfs_check_fileid(p->call, v->id.fileid);
	if (p->err != 0)
		return 1;
	p->full = need > p->left;
	if (p->full || (e = entry_memory(p, sizeof *e)) == NULL)
		return 1;
	e->fileid = v->id.fileid;
	e->name = xdr_view(v->name.base, v->name.len);
	e->cookie = v->cookie;
	e->nextentry = NULL;
	*p->tail = e;
	p->tail = &e->nextentry;
	p->left -= need;
	p->n++;
	return 0;
}

/*
 * Attributes and handle of an entry.  They are worth a LOOKUP to the client
 * but not an error: without them the name is still told.
 */
static uint32_t
add_extras(struct nfs3_pack *p, const struct vfs_entry *v, entryplus3 *e)
{
	uint32_t need = 2 * ABSENT;

	e->name_attributes.attributes_follow = v->attr != NULL &&
	    nfs3_fattr(p->call, v->id.fileid, v->attr,
	    &e->name_attributes.attributes) == 0;
	if (e->name_attributes.attributes_follow)
		need += ATTRIBUTES - ABSENT;
	e->name_handle.handle_follows =
	    nfs3_ident_fh(p->call, &v->id, &e->name_handle.handle) == 0;
	if (e->name_handle.handle_follows)
		need += 4 + padded(e->name_handle.handle.data.len);
	return need;
}

int
nfs3_pack_entry_plus(void *arg, const struct vfs_entry *v)
{
	struct nfs3_pack *p = arg;
	uint32_t names = plain_size(v->name.len) - 4;
	uint32_t need = plain_size(v->name.len);
	entryplus3 *e;

	if (v->err == ENOENT || v->err == ESTALE)
		return 0;		/* it went while we were listing */
	p->err = nfs_check_fileid(p->call, v->id.fileid);
	if (p->err != 0)
		return 1;
	p->full = need + 2 * ABSENT > p->left ||
	    (p->n > 0 && names > p->names_left);
	if (p->full || (e = entry_memory(p, sizeof *e)) == NULL)
		return 1;
	e->fileid = v->id.fileid;
	e->name = xdr_view(v->name.base, v->name.len);
	e->cookie = v->cookie;
	e->nextentry = NULL;
	need += add_extras(p, v, e);
	if (need > p->left && p->n == 0) {
		/* One long name in a small reply: the name must get out. */
		e->name_attributes.attributes_follow = false;
		e->name_handle.handle_follows = false;
		need = plain_size(v->name.len) + 2 * ABSENT;
	}
	p->full = need > p->left;
	if (p->full)
		return 1;
	*p->tail_plus = e;
	p->tail_plus = &e->nextentry;
	p->left -= need;
	p->names_left -= names < p->names_left ? names : p->names_left;
	p->n++;
	return 0;
}

/* How packing ended, given how listing did. */
static int
result_of(const struct nfs3_pack *p, int err)
{
	if (err != 0 || p->err != 0)
		return err != 0 ? err : p->err;
	return p->full && p->n == 0 ? NFS_ETOOSMALL : 0;
}

/* READDIR, section 3.3.16. */
int
nfs3_readdir(void *self, struct rpc_call *rpc, const READDIR3args *args,
    READDIR3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct nfs3_pack pack;
	struct vfs_readdir rd = { .cookie = args->cookie, .dots = true,
	    .room = args->count, .add = nfs3_pack_entry, .add_arg = &pack };
	struct pinefs_node *dir = NULL;
	int err;

	err = nfs3_node(call, &args->dir, &dir);
	if (err == 0 && !nfs3_pack_init(&pack, call, args->count, 0))
		err = NFS_ETOOSMALL;
	if (err == 0)
		err = result_of(&pack, vfs_readdir(&call->vfs, dir, &rd));
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		memset(res->resok.cookieverf, 0, sizeof res->resok.cookieverf);
		res->resok.reply.entries = pack.entries;
		res->resok.reply.eof = rd.eof;
		nfs3_post_op_attr(call, dir, &res->resok.dir_attributes);
	} else {
		nfs3_post_op_attr(call, dir, &res->resfail.dir_attributes);
	}
	return nfs_call_end(call);
}

/*
 * READDIRPLUS, 3.3.17.  `dircount` bounds names, cookies and fileids; it is
 * a hint, so the first entry goes out in spite of it.
 */
int
nfs3_readdirplus(void *self, struct rpc_call *rpc,
    const READDIRPLUS3args *args, READDIRPLUS3res *res)
{
	struct nfs_call *call = nfs3_call(self, rpc);
	struct nfs3_pack pack;
	struct vfs_readdir rd = { .cookie = args->cookie, .dots = true,
	    .want = PINEFS_ALL, .room = args->maxcount,
	    .add = nfs3_pack_entry_plus, .add_arg = &pack };
	struct pinefs_node *dir = NULL;
	int err;

	err = nfs3_node(call, &args->dir, &dir);
	if (err == 0 && !nfs3_pack_init(&pack, call, args->maxcount,
	    args->dircount))
		err = NFS_ETOOSMALL;
	if (err == 0)
		err = result_of(&pack, vfs_readdir(&call->vfs, dir, &rd));
	if (err == PINEFS_LATER)
		return err;

	res->status = nfs3_status(call, err);
	if (err == 0) {
		memset(res->resok.cookieverf, 0, sizeof res->resok.cookieverf);
		res->resok.reply.entries = pack.entries_plus;
		res->resok.reply.eof = rd.eof;
		nfs3_post_op_attr(call, dir, &res->resok.dir_attributes);
	} else {
		nfs3_post_op_attr(call, dir, &res->resfail.dir_attributes);
	}
	return nfs_call_end(call);
}
