/*
 * Attributes of version 4: the table, and how each is written.
 *
 * A reply carries exactly what is asked and supported, in the order of the
 * bits: one too many or too few, and a Linux client gives the mount up.
 */
#include "nfs/nfs4_attr.h"

#include <errno.h>
#include <pthread.h>

#include "nfs/nfs4_pseudo.h"
#include "nfs/nfs4_tables.h"

typedef uint8_t *put_fn(const struct nfs4_object *, uint8_t *);

/* ------------------------------------------------- one attribute each -- */

static uint8_t *
u32(uint8_t *p, uint32_t v)
{
	xdr_store_u32(p, v);
	return p + 4;
}

static uint8_t *
u64(uint8_t *p, uint64_t v)
{
	xdr_store_u64(p, v);
	return p + 8;
}

static uint8_t *
put_time(uint8_t *p, const struct timespec *ts)
{
	p = u64(p, (uint64_t)(int64_t)ts->tv_sec);
	return u32(p, (uint32_t)ts->tv_nsec);
}

static uint8_t *
put_mask(uint8_t *p, const struct nfs4_mask *m)
{
	uint32_t n = NFS4_ATTR_WORDS;

	while (n > 0 && m->word[n - 1] == 0)
		n--;
	p = u32(p, n);
	for (uint32_t i = 0; i < n; i++)
		p = u32(p, m->word[i]);
	return p;
}

#define PUT(name, expression)						\
static uint8_t *							\
put_##name(const struct nfs4_object *o, uint8_t *p)			\
{									\
	(void)o;							\
	return expression;						\
}

PUT(true, u32(p, 1))
PUT(false, u32(p, 0))
PUT(type, u32(p, o->a->type))		/* the numbers are the same */
PUT(fh_expire_type, u32(p, FH4_PERSISTENT))
PUT(change, u64(p, o->a->change))
PUT(size, u64(p, o->a->size))
PUT(link_support, u32(p, o->l->can_link))
PUT(symlink_support, u32(p, o->l->can_symlink))
PUT(fsid, u64(u64(p, o->x == NULL ? 0 : o->x->id), 0))
PUT(rdattr_error, u32(p, (uint32_t)o->err))
PUT(cansettime, u32(p, o->l->can_settime))
PUT(case_insensitive, u32(p, o->l->case_insensitive))
PUT(fileid, u64(p, o->id.fileid))
PUT(files_avail, u64(p, o->l->st.files_avail))
PUT(files_free, u64(p, o->l->st.files_free))
PUT(files_total, u64(p, o->l->st.files))
PUT(homogeneous, u32(p, o->l->homogeneous))
PUT(maxfilesize, u64(p, o->l->st.size_max))
PUT(maxlink, u32(p, o->l->st.link_max))
PUT(maxname, u32(p, o->l->st.name_max))
PUT(maxio, u64(p, o->c->nfs.max_io))
PUT(mode, u32(p, o->a->mode & 07777))
PUT(numlinks, u32(p, o->a->nlink))
PUT(rawdev, u32(u32(p, o->a->rdev_major), o->a->rdev_minor))
PUT(space_avail, u64(p, o->l->st.bytes_avail))
PUT(space_free, u64(p, o->l->st.bytes_free))
PUT(space_total, u64(p, o->l->st.bytes))
PUT(space_used, u64(p, o->a->used))
PUT(time_access, put_time(p, &o->a->atime))
PUT(time_create, put_time(p, &o->a->btime))
PUT(time_metadata, put_time(p, &o->a->ctime))
PUT(time_modify, put_time(p, &o->a->mtime))
PUT(time_delta, u32(u64(p, 0), 1))
PUT(mounted_on_fileid, u64(p, o->mounted_on))
PUT(clone_blksize, u32(p, 1))

static uint8_t *
put_supported_attrs(const struct nfs4_object *o, uint8_t *p)
{
	struct nfs4_mask m;

	nfs4_supported(o->c, o->x, &m);
	return put_mask(p, &m);
}

/*
 * An exclusive create may set all that can be set: its verifier lies in a
 * place of its own, not in the times.
 */
static uint8_t *
put_suppattr_exclcreat(const struct nfs4_object *o, uint8_t *p)
{
	struct nfs4_mask m;

	nfs4_settable(o->c, o->x, &m);
	return put_mask(p, &m);
}

static uint8_t *
put_lease_time(const struct nfs4_object *o, uint8_t *p)
{
	return u32(p, (uint32_t)(o->c->nfs4->lease_ms / 1000));
}

static uint8_t *
put_filehandle(const struct nfs4_object *o, uint8_t *p)
{
	uint32_t len = 0;

	if (nfs_fh_make(&o->c->nfs.nfs->keys, o->x == NULL ?
	    NFS4_PSEUDO_EXPORT : o->x->id, &o->id, NFS_FH_MAX4, p + 4,
	    &len) != 0)
		len = 0;	/* fileid 0: nfs4_attr_encode has seen to it */
	xdr_store_u32(p, len);
	while (len % 4 != 0)
		p[4 + len++] = 0;
	return p + 4 + len;
}

/* In decimal: what RFC 8881 5.9 allows with AUTH_SYS. */
static uint8_t *
put_id(uint8_t *p, uint32_t id)
{
	uint32_t len = 1, left;

	for (left = id; left >= 10; left /= 10)
		len++;
	p = u32(p, len);
	u32(p + (len - 1) / 4 * 4, 0);
	for (left = len; left > 0; id /= 10)
		p[--left] = (uint8_t)('0' + id % 10);
	return p + ((len + 3) & ~3u);
}

PUT(owner, put_id(p, o->a->uid))
PUT(owner_group, put_id(p, o->a->gid))

/* Counters count up; a hash only tells one state from another. */
static uint8_t *
put_change_attr_type(const struct nfs4_object *o, uint8_t *p)
{
	bool unordered = o->x != NULL &&
	    vfs_fs_ops(o->x->fs)->flags & PINEFS_CHANGE_UNORDERED;

	return u32(p, unordered ? NFS4_CHANGE_TYPE_IS_UNDEFINED :
	    NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR);
}

static uint8_t *
put_xattr_support(const struct nfs4_object *o, uint8_t *p)
{
	return u32(p, o->x != NULL && vfs_can_xattr(o->x->fs));
}

/* ----------------------------------------------------------- the table -- */

enum { R = 1, W = 2, RW = 3 };
enum { NOTHING = 0, ATTR = 1, LIMITS = 2 };	/* what it is made of */

struct row {
	struct nfs4_attr_row	row;
	uint8_t			needs;
	put_fn			*put;		/* NULL: write-only */
};

/*	 number				  minor	 may be	made of	written by */
#define ROW(number, name, from, access, needs, put)			\
	[number] = { { name, from, (access) & R, (access) & W }, needs, put }

static const struct row rows[NFS4_ATTRS] = {
	ROW( 0, "supported_attrs",	0, R,	NOTHING, put_supported_attrs),
	ROW( 1, "type",			0, R,	ATTR,	put_type),
	ROW( 2, "fh_expire_type",	0, R,	NOTHING, put_fh_expire_type),
	ROW( 3, "change",		0, R,	ATTR,	put_change),
	ROW( 4, "size",			0, RW,	ATTR,	put_size),
	ROW( 5, "link_support",		0, R,	LIMITS,	put_link_support),
	ROW( 6, "symlink_support",	0, R,	LIMITS,	put_symlink_support),
	ROW( 7, "named_attr",		0, R,	NOTHING, put_false),
	ROW( 8, "fsid",			0, R,	NOTHING, put_fsid),
	ROW( 9, "unique_handles",	0, R,	NOTHING, put_true),
	ROW(10, "lease_time",		0, R,	NOTHING, put_lease_time),
	ROW(11, "rdattr_error",		0, R,	NOTHING, put_rdattr_error),
	/* 12, 13: acl, aclsupport: with ACLs */
	ROW(15, "cansettime",		0, R,	LIMITS,	put_cansettime),
	ROW(16, "case_insensitive",	0, R,	LIMITS,	put_case_insensitive),
	ROW(17, "case_preserving",	0, R,	NOTHING, put_true),
	ROW(18, "chown_restricted",	0, R,	NOTHING, put_true),
	ROW(19, "filehandle",		0, R,	NOTHING, put_filehandle),
	ROW(20, "fileid",		0, R,	NOTHING, put_fileid),
	ROW(21, "files_avail",		0, R,	LIMITS,	put_files_avail),
	ROW(22, "files_free",		0, R,	LIMITS,	put_files_free),
	ROW(23, "files_total",		0, R,	LIMITS,	put_files_total),
	/* 24: fs_locations: nothing ever moves */
	ROW(26, "homogeneous",		0, R,	LIMITS,	put_homogeneous),
	ROW(27, "maxfilesize",		0, R,	LIMITS,	put_maxfilesize),
	ROW(28, "maxlink",		0, R,	LIMITS,	put_maxlink),
	ROW(29, "maxname",		0, R,	LIMITS,	put_maxname),
	ROW(30, "maxread",		0, R,	NOTHING, put_maxio),
	ROW(31, "maxwrite",		0, R,	NOTHING, put_maxio),
	ROW(33, "mode",			0, RW,	ATTR,	put_mode),
	ROW(34, "no_trunc",		0, R,	NOTHING, put_true),
	ROW(35, "numlinks",		0, R,	ATTR,	put_numlinks),
	ROW(36, "owner",		0, RW,	ATTR,	put_owner),
	ROW(37, "owner_group",		0, RW,	ATTR,	put_owner_group),
	ROW(41, "rawdev",		0, R,	ATTR,	put_rawdev),
	ROW(42, "space_avail",		0, R,	LIMITS,	put_space_avail),
	ROW(43, "space_free",		0, R,	LIMITS,	put_space_free),
	ROW(44, "space_total",		0, R,	LIMITS,	put_space_total),
	ROW(45, "space_used",		0, R,	ATTR,	put_space_used),
	ROW(47, "time_access",		0, R,	ATTR,	put_time_access),
	ROW(48, "time_access_set",	0, W,	NOTHING, NULL),
	ROW(50, "time_create",		0, RW,	ATTR,	put_time_create),
	ROW(51, "time_delta",		0, R,	NOTHING, put_time_delta),
	ROW(52, "time_metadata",	0, R,	ATTR,	put_time_metadata),
	ROW(53, "time_modify",		0, R,	ATTR,	put_time_modify),
	ROW(54, "time_modify_set",	0, W,	NOTHING, NULL),
	ROW(55, "mounted_on_fileid",	0, R,	NOTHING, put_mounted_on_fileid),
	/* 62, 64, 65: layouts: never */
	ROW(75, "suppattr_exclcreat",	1, R,	NOTHING,
	    put_suppattr_exclcreat),
	ROW(77, "clone_blksize",	2, R,	NOTHING, put_clone_blksize),
	ROW(79, "change_attr_type",	2, R,	NOTHING, put_change_attr_type),
	ROW(81, "mode_umask",		2, W,	NOTHING, NULL),
	ROW(82, "xattr_support",	2, R,	NOTHING, put_xattr_support),
};

const struct nfs4_attr_row *
nfs4_attr_row(unsigned number)
{
	return number < NFS4_ATTRS && rows[number].row.name != NULL ?
	    &rows[number].row : NULL;
}

/* ------------------------------------------------------- sets of them -- */

/* Made of the table, once. */
static struct {
	struct nfs4_mask	supported[3];	/* by minor version */
	struct nfs4_mask	settable[3];
	struct nfs4_mask	write_only;
	struct nfs4_mask	attr, limits;	/* what needs them */
} sets;

static void
add(struct nfs4_mask *m, unsigned number)
{
	m->word[number / 32] |= 1u << number % 32;
}

static void
make_sets(void)
{
	for (unsigned i = 0; i < NFS4_ATTRS; i++) {
		const struct row *r = &rows[i];

		if (r->row.name == NULL)
			continue;
		for (unsigned minor = r->row.from; minor < 3; minor++) {
			add(&sets.supported[minor], i);
			if (r->row.write)
				add(&sets.settable[minor], i);
		}
		if (!r->row.read)
			add(&sets.write_only, i);
		if (r->needs == ATTR)
			add(&sets.attr, i);
		if (r->needs == LIMITS)
			add(&sets.limits, i);
	}
}

void
nfs4_attr_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_sets);
}

void
nfs4_supported(const struct nfs4_call *c, const struct vfs_export *x,
    struct nfs4_mask *m)
{
	*m = sets.supported[c->minor];
	/* A client that sees it tries CLONE, and is told no each time. */
	if (x == NULL || vfs_fs_ops(x->fs)->clone == NULL)
		m->word[2] &= ~(1u << FATTR4_CLONE_BLKSIZE % 32);
}

void
nfs4_settable(const struct nfs4_call *c, const struct vfs_export *x,
    struct nfs4_mask *m)
{
	(void)x;
	*m = sets.settable[c->minor];
}

nfsstat4
nfs4_asked(const struct nfs4_call *c, const struct vfs_export *x,
    const bitmap4 *asked, struct nfs4_mask *m)
{
	nfs4_supported(c, x, m);
	for (uint32_t i = 0; i < NFS4_ATTR_WORDS; i++) {
		m->word[i] &= i < asked->n ? asked->v[i] : 0;
		if ((m->word[i] & sets.write_only.word[i]) != 0)
			return NFS4ERR_INVAL;
	}
	return NFS4_OK;
}

static bool
overlap(const struct nfs4_mask *a, const struct nfs4_mask *b)
{
	return ((a->word[0] & b->word[0]) | (a->word[1] & b->word[1]) |
	    (a->word[2] & b->word[2])) != 0;
}

bool
nfs4_needs_attr(const struct nfs4_mask *m)
{
	return overlap(m, &sets.attr);
}

bool
nfs4_needs_limits(const struct nfs4_mask *m)
{
	return overlap(m, &sets.limits);
}

void
nfs4_bitmap(struct nfs4_mask *m, bitmap4 *b)
{
	b->v = m->word;
	b->n = NFS4_ATTR_WORDS;
	while (b->n > 0 && m->word[b->n - 1] == 0)
		b->n--;
}

uint32_t
nfs4_attr_encode(const struct nfs4_object *o, const struct nfs4_mask *m,
    uint8_t *to)
{
	uint8_t *p = to;

	if (o->x != NULL && nfs_check_fileid(&o->c->nfs, o->id.fileid) != 0)
		return 0;
	for (unsigned i = 0; i < NFS4_ATTR_WORDS; i++)
		for (uint32_t w = m->word[i]; w != 0; w &= w - 1)
			p = rows[i * 32 +
			    (unsigned)__builtin_ctz(w)].put(o, p);
	return (uint32_t)(p - to);
}

/* -------------------------------------------------- of a filehandle -- */

void
nfs4_pseudo_limits(struct vfs_limits *l)
{
	memset(l, 0, sizeof *l);
	l->st.name_max = 255;
	l->st.link_max = 32000;
	l->st.size_max = INT64_MAX;
	l->read_only = true;
	l->homogeneous = true;
}

static void
pseudo_object(struct nfs4_call *c, const struct nfs4_fh *fh,
    struct nfs4_object *o, struct pinefs_attr *a, struct vfs_limits *l)
{
	o->mounted_on = nfs4_pseudo_fileid(fh);
	o->id = (struct pinefs_ident){ .fileid = o->mounted_on };
	nfs4_pseudo_attr(c, a);
	nfs4_pseudo_limits(l);
}

int
nfs4_object_get(struct nfs4_call *c, const struct nfs4_fh *fh,
    const struct nfs4_mask *m, struct nfs4_object *o, struct pinefs_attr *a,
    struct vfs_limits *l)
{
	int err = 0;

	*o = (struct nfs4_object){ .c = c, .x = fh->export, .a = a, .l = l };
	if (fh->pseudo) {
		pseudo_object(c, fh, o, a, l);
		return 0;
	}
	vfs_node_handle_ident(fh->node, &o->id);
	o->mounted_on = nfs4_mounted_on(fh->export, o->id.fileid);
	if (nfs4_needs_attr(m))
		err = vfs_getattr(&c->nfs.vfs, fh->node, a);
	if (err == 0 && nfs4_needs_limits(m))
		err = vfs_limits(&c->nfs.vfs, fh->node, l);
	return err;
}

int
nfs4_getattr(struct nfs4_call *c, const struct nfs4_fh *fh,
    const bitmap4 *asked, fattr4 *f, nfsstat4 *st)
{
	uint8_t bytes[NFS4_ATTR_BYTES];
	struct nfs4_mask mask, *m;
	struct nfs4_object o;
	struct pinefs_attr a;
	struct vfs_limits l;
	uint32_t n;
	int err;

	if ((*st = nfs4_asked(c, fh->export, asked, &mask)) != NFS4_OK)
		return 0;
	if ((err = nfs4_object_get(c, fh, &mask, &o, &a, &l)) != 0)
		return err;
	n = nfs4_attr_encode(&o, &mask, bytes);
	if (n == 0 && (mask.word[0] | mask.word[1] | mask.word[2]) != 0)
		return EIO;
	if ((m = nfs_call_alloc(&c->nfs, sizeof *m + n)) == NULL)
		return ENOMEM;
	*m = mask;
	memcpy(m + 1, bytes, n);
	nfs4_bitmap(m, &f->attrmask);
	f->attr_vals = xdr_view(m + 1, n);
	return 0;
}
