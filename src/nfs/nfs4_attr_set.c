/*
 * Attributes of version 4 that a client sets: fattr4 taken apart into what
 * vfs knows.  Values come in the order of their bits.
 */
#include "nfs/nfs4_attr.h"

#include <errno.h>

/* ---------------------------------------------------------------- owners -- */

/* Digits and nothing else, of 32 bits. */
static bool
number(const char *p, uint32_t len, uint32_t *id)
{
	uint64_t v = 0;

	if (len == 0 || len > 10)
		return false;
	for (uint32_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	*id = (uint32_t)v;
	return v <= UINT32_MAX;
}

int
nfs4_owner_id(const struct nfs *nfs, struct xdr_view text, bool group,
    uint32_t *id)
{
	const char *p = text.data;
	const char *at = text.len == 0 ? NULL : memchr(p, '@', text.len);
	uint32_t len = at == NULL ? text.len : (uint32_t)(at - p);

	if (number(p, len, id))
		return 0;
	if (nfs->owner != NULL && len > 0 &&
	    nfs->owner(nfs->owner_arg, p, text.len, group, id) == 0)
		return 0;
	/* The one name that means the same everywhere. */
	if (at == NULL || len != 4 || memcmp(p, "root", 4) != 0)
		return EINVAL;
	*id = 0;
	return 0;
}

/* ---------------------------------------------------------------- values -- */

/* Where decoding is; the first complaint stays. */
struct setting {
	struct nfs4_call	*c;
	struct xdr_in		 in;
	struct nfs4_setattr	*s;
	nfsstat4		 st;
};

static void
get_mode(struct setting *g, struct pinefs_attr *a)
{
	uint32_t mode = xdr_get_u32(&g->in);

	if ((mode & ~07777u) != 0)
		g->st = NFS4ERR_INVAL;
	a->mode = mode & 07777;
	a->have |= PINEFS_MODE;
}

/* RFC 8275: the server applies the umask; no ACL is inherited here. */
static void
get_mode_umask(struct setting *g, struct pinefs_attr *a)
{
	uint32_t mode = xdr_get_u32(&g->in), umask = xdr_get_u32(&g->in);

	if ((mode & ~07777u) != 0 || (umask & ~0777u) != 0 ||
	    a->have & PINEFS_MODE)
		g->st = NFS4ERR_INVAL;
	a->mode = mode & ~umask & 07777;
	a->have |= PINEFS_MODE;
	g->s->has_umask = true;
}

static void
get_owner(struct setting *g, uint64_t bit, uint32_t *id, uint64_t *have)
{
	struct xdr_view text;

	if (xdr_get_view(&g->in, &text, NFS4_OPAQUE_LIMIT, "owner") != 0)
		return;
	if (nfs4_owner_id(g->c->nfs.nfs, text, bit == PINEFS_GID, id) != 0)
		g->st = NFS4ERR_BADOWNER;
	*have |= bit;
}

static void
get_nfstime(struct setting *g, struct timespec *ts)
{
	uint32_t ns;

	ts->tv_sec = (time_t)(int64_t)xdr_get_u64(&g->in);
	ns = xdr_get_u32(&g->in);
	if (ns >= 1000000000)
		g->st = NFS4ERR_INVAL;
	ts->tv_nsec = (long)ns;
}

static void
get_settime(struct setting *g, uint64_t bit, struct timespec *ts)
{
	struct pinefs_set *set = &g->s->set;
	uint32_t how = xdr_get_u32(&g->in);

	set->attr.have |= bit;
	if (how == SET_TO_SERVER_TIME4)
		set->now |= bit;
	else if (how == SET_TO_CLIENT_TIME4)
		get_nfstime(g, ts);
	else
		g->st = NFS4ERR_BADXDR;
}

static void
get_one(struct setting *g, unsigned attr)
{
	struct pinefs_attr *a = &g->s->set.attr;

	switch (attr) {
	case FATTR4_SIZE:
		a->size = xdr_get_u64(&g->in);
		a->have |= PINEFS_SIZE;
		break;
	case FATTR4_MODE:
		get_mode(g, a);
		break;
	case FATTR4_MODE_UMASK:
		get_mode_umask(g, a);
		break;
	case FATTR4_OWNER:
		get_owner(g, PINEFS_UID, &a->uid, &a->have);
		break;
	case FATTR4_OWNER_GROUP:
		get_owner(g, PINEFS_GID, &a->gid, &a->have);
		break;
	case FATTR4_TIME_ACCESS_SET:
		get_settime(g, PINEFS_ATIME, &a->atime);
		break;
	case FATTR4_TIME_MODIFY_SET:
		get_settime(g, PINEFS_MTIME, &a->mtime);
		break;
	case FATTR4_TIME_CREATE:
		a->have |= PINEFS_BTIME;
		get_nfstime(g, &a->btime);
		break;
	}
}

/* What is not ours is ATTRNOTSUPP; what is, but cannot be set, INVAL. */
static nfsstat4
check_mask(const struct nfs4_call *c, const bitmap4 *mask,
    struct nfs4_mask *words)
{
	struct nfs4_mask supported, settable;
	nfsstat4 st = NFS4_OK;

	nfs4_supported(c, c->current.export, &supported);
	nfs4_settable(c, c->current.export, &settable);
	memset(words, 0, sizeof *words);
	for (uint32_t i = 0; i < mask->n; i++) {
		if (i >= NFS4_ATTR_WORDS) {
			if (mask->v[i] != 0)
				return NFS4ERR_ATTRNOTSUPP;
			continue;
		}
		if ((mask->v[i] & ~supported.word[i]) != 0)
			return NFS4ERR_ATTRNOTSUPP;
		if ((mask->v[i] & ~settable.word[i]) != 0)
			st = NFS4ERR_INVAL;
		words->word[i] = mask->v[i];
	}
	return st;
}

nfsstat4
nfs4_setattr_get(struct nfs4_call *c, const fattr4 *f,
    struct nfs4_setattr *s)
{
	struct setting g = { .c = c, .s = s, .st = NFS4_OK };
	struct nfs4_mask words, *done;
	nfsstat4 st;

	memset(s, 0, sizeof *s);
	if ((st = check_mask(c, &f->attrmask, &words)) != NFS4_OK)
		return st;
	/* The answer may point to it: in the call's memory, then. */
	if ((done = nfs_call_alloc(&c->nfs, sizeof *done)) == NULL)
		return nfs4_status(c, ENOMEM);
	xdr_in_init(&g.in, f->attr_vals.data, f->attr_vals.len,
	    rpc_call_arena(c->nfs.rpc));
	for (unsigned i = 0; i < NFS4_ATTR_WORDS; i++)
		for (uint32_t w = words.word[i]; w != 0; w &= w - 1)
			get_one(&g, i * 32 + (unsigned)__builtin_ctz(w));
	if (g.in.bad || xdr_in_left(&g.in) != 0)
		return NFS4ERR_BADXDR;
	*done = words;
	nfs4_bitmap(done, &s->done);
	return g.st;
}
