/*
 * NFS version 4: READDIR (RFC 8881 18.23).
 *
 * Entries come one by one from vfs_readdir, or are exports and the ways to
 * them: those of the pseudo-root and below it, and behind the names of an
 * export that is the root, those that are mounted on it.  They are chained in
 * the call's memory as long as the encoded result, counted to the byte, stays
 * within what the client asked for:
 *
 *	verifier 8	entries...	end of list 4	eof 4
 *
 * `.` and `..` are never listed, and their cookies, 1 and 2, are bad ones.
 * The verifier is 0 and is not checked but for cookie 0: cookies stay valid,
 * and a client told so throws its whole listing away.
 */
#include "nfs/nfs4.h"

#include <errno.h>

#include "nfs/nfs4_attr.h"
#include "nfs/nfs4_ops.h"
#include "nfs/nfs4_pseudo.h"

enum {
	AROUND = 8 + 4 + 4,
	/* Never more than this: the reply has to fit the call's memory. */
	MOST = 65536,
	PSEUDO_COOKIE = 3		/* of the first export there */
};

/* Of the first export in a directory of files: no file's is as great. */
static const uint64_t JUNCTION_COOKIE = PINEFS_COOKIE_MAX + 3;

/* A listing on its way into a reply. */
struct pack {
	struct nfs4_call	*c;
	const struct nfs4_fh	*dir;
	struct nfs4_mask	*mask;		/* in the call's memory */
	struct nfs4_mask	*only_error;	/* made when first needed */
	bool			 junctions;	/* exports are mounted here */
	uint32_t		 left;		/* bytes of the result */
	unsigned		 n;
	bool			 full;
	nfsstat4		 st;		/* why it ended, if not full */
	struct vfs_limits	 limits;
	entry4			**tail;
};

static uint32_t
padded(uint32_t n)
{
	return (n + 3) & ~3u;
}

static bool
wants_error(const struct pack *p)
{
	return (p->mask->word[0] & 1u << FATTR4_RDATTR_ERROR) != 0;
}

/* ------------------------------------------------------------ one entry -- */

/* Its attributes cannot be had: say that of it, or end the listing. */
static struct nfs4_mask *
error_mask(struct pack *p)
{
	if (!wants_error(p))
		return NULL;
	if (p->only_error == NULL) {
		p->only_error = nfs_call_alloc(&p->c->nfs,
		    sizeof *p->only_error);
		if (p->only_error == NULL)
			return NULL;
		memset(p->only_error, 0, sizeof *p->only_error);
		p->only_error->word[0] = 1u << FATTR4_RDATTR_ERROR;
		p->only_error->word[1] = p->mask->word[1] &
		    1u << FATTR4_MOUNTED_ON_FILEID % 32;
	}
	return p->only_error;
}

/* Without memory this is where the page ends. */
static int
end_page(struct pack *p)
{
	p->full = p->n > 0;
	p->st = nfs4_status(p->c, ENOMEM);
	return 1;
}

/* Take it, or say that it does not fit. */
static int
add(struct pack *p, struct pinefs_name name, uint64_t cookie,
    const struct nfs4_object *o, struct nfs4_mask *mask)
{
	uint8_t bytes[NFS4_ATTR_BYTES];
	uint32_t n, need, words;
	bitmap4 map;
	entry4 *e;

	nfs4_bitmap(mask, &map);
	words = map.n;
	n = nfs4_attr_encode(o, mask, bytes);
	if (n == 0 && words != 0) {
		p->st = NFS4ERR_IO;	/* fileid 0: logged */
		return 1;
	}
	need = 4 + 8 + 4 + padded(name.len) + 4 + 4 * words + 4 + padded(n);
	p->full = need > p->left;
	if (p->full)
		return 1;
	if ((e = nfs_call_alloc(&p->c->nfs, sizeof *e + n)) == NULL)
		return end_page(p);
	memcpy(e + 1, bytes, n);
	e->cookie = cookie;
	e->name = xdr_view(name.base, name.len);
	e->attrs.attrmask = map;
	e->attrs.attr_vals = xdr_view(e + 1, n);
	e->nextentry = NULL;
	*p->tail = e;
	p->tail = &e->nextentry;
	p->left -= need;
	p->n++;
	return 0;
}

/*
 * What an export stands for in a listing, and its attributes: decided and
 * asked once, however often the operation runs, for the call goes from the
 * threads of one export to those of another, and who may see what may change.
 */
struct nfs4_listed {
	struct nfs4_listed	*next;
	const struct vfs_export	*x;
	struct pinefs_node	*root;
	struct nfs4_entry	 e;
	uint64_t		 cookie;
	struct vfs_place	 place;
	bool			 is_known;	/* these: */
	int			 err;
	struct nfs4_object	 o;
	struct pinefs_attr	 a;
	struct vfs_limits	 l;
};

/* Its root, as an entry of what is above it; or LATER. */
static int
ask_junction(struct pack *p, struct nfs4_listed *it)
{
	struct nfs4_fh root = { .set = true, .export = it->x,
	    .node = it->root };
	int err = vfs_call_go(&p->c->nfs.vfs, &it->place);

	if (err == 0 && root.node == NULL)
		err = ESTALE;
	if (err == 0 && (nfs4_needs_attr(p->mask) ||
	    nfs4_needs_limits(p->mask)))
		err = nfs4_enter(p->c, it->x);
	if (err == 0)
		err = nfs4_object_get(p->c, &root, p->mask, &it->o, &it->a,
		    &it->l);
	return err;
}

/* A directory on the way to exports. */
static int
ask_way(struct pack *p, struct nfs4_listed *it)
{
	struct nfs4_fh fh = { .set = true, .pseudo = true,
	    .way = nfs4_way_below(p->c, p->dir, it->e.name) };

	return fh.way == NULL ? ENOMEM : nfs4_object_get(p->c, &fh, p->mask,
	    &it->o, &it->a, &it->l);
}

/* LATER in *later. */
static int
add_listed(struct pack *p, struct nfs4_listed *it, bool *later)
{
	struct nfs4_mask *mask = p->mask;

	if (!it->is_known) {
		it->err = it->e.is_export ? ask_junction(p, it) :
		    ask_way(p, it);
		*later = it->err == PINEFS_LATER;
		it->is_known = !*later;
	}
	if (*later)
		return 1;
	if (it->err == ENOMEM && p->n > 0)
		return end_page(p);
	if (it->err != 0) {
		/* It is broken; that must not harm the others. */
		if ((mask = error_mask(p)) == NULL)
			return 0;
		it->o = (struct nfs4_object){ .c = p->c,
		    .mounted_on = nfs4_covered_fileid(it->x),
		    .err = nfs4_status(p->c, it->err) };
	}
	return add(p, it->e.name, it->cookie, &it->o, mask);
}

/* vfs_readdir's `add`. */
static int
pack_entry(void *arg, const struct vfs_entry *v)
{
	struct pack *p = arg;
	struct nfs4_mask *mask = p->mask;
	struct nfs4_object o = { .c = p->c, .x = p->dir->export, .id = v->id,
	    .mounted_on = v->id.fileid, .a = v->attr, .l = &p->limits };

	if (p->junctions && nfs4_is_junction(p->c->nfs.nfs, v->name))
		return 0;	/* what lies under an export is not seen */
	if (v->attr == NULL && nfs4_needs_attr(mask)) {
		if (v->err == ENOENT || v->err == ESTALE)
			return 0;	/* it went while we were listing */
		o.err = nfs4_status(p->c, v->err);
		if ((mask = error_mask(p)) == NULL) {
			p->st = o.err;
			return 1;
		}
	}
	return add(p, v->name, v->cookie, &o, mask);
}

/* --------------------------------------------------------- the listings -- */

/* Does an export before this one stand for the name? */
static bool
is_listed_before(struct pack *p, const struct vfs_export *x,
    const struct nfs4_entry *e)
{
	const struct vfs_export *y = p->c->nfs.nfs->exports->first;
	struct nfs4_entry other;

	for (; y != x; y = y->next)
		if (nfs4_entry_of(p->dir, y, &other) &&
		    other.name.len == e->name.len && memcmp(other.name.base,
		    e->name.base, e->name.len) == 0 && nfs4_may_see(p->c, y))
			return true;
	return false;
}

/* The next that is listed, from this one on, whose cookie is `at`; or NULL,
 * and *full without memory.  In memory that stays when the call runs again. */
static struct nfs4_listed *
find_listed(struct pack *p, const struct vfs_export *x, uint64_t at,
    uint64_t cookie, int *full)
{
	struct nfs4_listed *it;
	struct nfs4_entry e;

	for (; x != NULL; x = x->next, at++)
		if (at > cookie && nfs4_entry_of(p->dir, x, &e) &&
		    !is_listed_before(p, x, &e) && nfs4_may_see(p->c, x))
			break;
	if (x == NULL)
		return NULL;
	if ((it = xdr_arena_zalloc(p->c->nfs.vfs.arena, sizeof *it)) == NULL)
		*full = end_page(p);
	else
		*it = (struct nfs4_listed){ .x = x, .e = e, .cookie = at,
		    .root = pinefs_root(x->fs) };
	return it;
}

/* Exports, and what is on the way to them, have cookies by the places of
 * exports, which do not change. */
static int
list_exports(struct pack *p, uint64_t first, uint64_t cookie, bool *eof)
{
	const struct vfs_export *x = p->c->nfs.nfs->exports->first;
	struct nfs4_listed **next = &p->c->listed;
	bool later = false;
	int full = 0;

	for (; !full; next = &(*next)->next) {
		if (*next == NULL)
			*next = find_listed(p, x, first, cookie, &full);
		if (*next == NULL)
			break;
		full = add_listed(p, *next, &later);
		x = (*next)->x->next;
		first = (*next)->cookie + 1;
	}
	*eof = !full;
	return later ? PINEFS_LATER : 0;
}

static int
list_files(struct pack *p, uint64_t cookie, bool *eof)
{
	struct vfs_readdir rd = { .cookie = cookie, .room = p->left,
	    .add = pack_entry, .add_arg = p };
	struct pinefs_call *call = &p->c->nfs.vfs;
	int err = 0;

	if (nfs4_needs_attr(p->mask))
		rd.want = PINEFS_ALL;
	if (nfs4_needs_limits(p->mask))
		err = vfs_limits(call, p->dir->node, &p->limits);
	if (err == 0)
		err = vfs_readdir(call, p->dir->node, &rd);
	*eof = rd.eof;
	return err;
}

static int
list(struct pack *p, uint64_t cookie, bool *eof)
{
	int err;

	if (p->dir->pseudo)
		return list_exports(p, PSEUDO_COOKIE, cookie, eof);
	if (!p->junctions)
		return list_files(p, cookie, eof);
	if (cookie < JUNCTION_COOKIE) {
		err = list_files(p, cookie, eof);
		if (err != 0 || !*eof || p->st != NFS4_OK)
			return err;
		*eof = false;
	}
	return list_exports(p, JUNCTION_COOKIE, cookie, eof);
}

static bool
is_zero(const uint8_t *verf)
{
	static const uint8_t zero[NFS4_VERIFIER_SIZE];

	return memcmp(verf, zero, sizeof zero) == 0;
}

static nfsstat4
begin(struct nfs4_call *c, const READDIR4args *args, struct pack *p)
{
	size_t room = nfs4_reply_room(c);
	uint32_t most = args->maxcount;
	nfsstat4 st;

	if (args->cookie == 1 || args->cookie == 2 ||
	    (args->cookie == 0 && !is_zero(args->cookieverf)))
		return NFS4ERR_BAD_COOKIE;
	if (most > MOST)
		most = MOST;
	if (most + 8 > room)		/* and what names the operation */
		most = room < 8 ? 0 : (uint32_t)room - 8;
	if (most < AROUND)
		return NFS4ERR_TOOSMALL;
	p->left = most - AROUND;
	p->mask = nfs_call_alloc(&c->nfs, sizeof *p->mask);
	if (p->mask == NULL)
		return nfs4_status(c, ENOMEM);
	if ((st = nfs4_asked(c, c->current.export, &args->attr_request,
	    p->mask)) != NFS4_OK)
		return st;
	return NFS4_OK;
}

int
nfs4_op_readdir(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const READDIR4args *args = &arg->opreaddir;
	READDIR4res *r = &res->opreaddir;
	READDIR4resok *ok = &r->resok4;
	struct pack p = { .c = c, .dir = &c->current,
	    .tail = &ok->reply.entries };
	uint32_t left;
	int err;

	if ((r->status = begin(c, args, &p)) != NFS4_OK)
		return 0;
	left = p.left;
	p.junctions = nfs4_has_junctions(c, &c->current);
	err = list(&p, args->cookie, &ok->reply.eof);
	if (err != 0)
		return err;
	if (p.full && p.n == 0)
		return NFS_ETOOSMALL;
	if (!p.full && p.st != NFS4_OK) {
		r->status = p.st;
		return 0;
	}
	c->data = left - p.left;
	return 0;
}
