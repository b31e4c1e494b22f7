/* The index.  See index.h. */
#include "index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum { FIRST_SLOTS = 64, AT_ONCE = 16 };

/* A hard link that waits for the end. */
struct later {
	uint32_t	rec, text, len;
};

/* --------------------------------------------------------------- arrays -- */

/* Room for n more; NULL: no memory, or more than 32 bits can count. */
static void *
room(struct tar_array *a, size_t n, size_t size)
{
	size_t cap = a->cap == 0 ? 64 : a->cap;
	void *base;

	if (n > UINT32_MAX - 1 || a->n > UINT32_MAX - 1 - n)
		return NULL;
	if (a->base == NULL || a->n + n > a->cap) {
		while (cap < a->n + n)
			cap += cap / 2;
		if ((base = realloc(a->base, cap * size)) == NULL)
			return NULL;
		a->base = base;
		a->cap = cap;
	}
	return (char *)a->base + a->n * size;
}

static int
put_bytes(struct tar_array *a, const void *base, size_t len, uint32_t *at)
{
	char *to = room(a, len, 1);

	if (to == NULL)
		return a->n + len > UINT32_MAX - 1 ? ENOSPC : ENOMEM;
	memcpy(to, base, len);
	*at = (uint32_t)a->n;
	a->n += len;
	return 0;
}

/* ---------------------------------------------------------------- slots -- */

static uint64_t
hash(const struct tar_index *ix, uint32_t dir, struct pinefs_name name)
{
	char text[4 + 255];

	memcpy(text, &dir, 4);
	memcpy(text + 4, name.base, name.len);
	return pinefs_hash(ix->key, text, 4 + name.len);
}

struct pinefs_name
tar_index_name(const struct tar_index *ix, const struct tar_rec *r)
{
	if (r->name > ix->names.n || r->name_len > ix->names.n - r->name)
		return (struct pinefs_name){ "?", 1 };
	return (struct pinefs_name){ (const char *)ix->names.base + r->name,
	    r->name_len };
}

static bool
is_named(const struct tar_index *ix, const struct tar_rec *r, uint32_t dir,
    struct pinefs_name name)
{
	struct pinefs_name its = tar_index_name(ix, r);

	return r->parent == dir && its.len == name.len &&
	    memcmp(its.base, name.base, name.len) == 0;
}

/*
 * A slot has a record's number + 1, and in the bits that no number needs some
 * of the hash: so that those of other names on the way are told without a
 * look at their records, which lie anywhere.
 */
#define SLOT_REC	0x01ffffffu
_Static_assert(TAR_MEMBERS_MAX < SLOT_REC, "numbers fit");

/* The slot of a name with that hash, or the free one where it would be; *tag
 * is the rest of what is to be in it. */
static uint32_t *
slot_of(const struct tar_index *ix, uint64_t h, uint32_t dir,
    struct pinefs_name name, uint32_t *tag)
{
	uint32_t i = (uint32_t)h % ix->nslots, left, slot;
	const struct tar_rec *r;

	*tag = (uint32_t)(h >> 32) & ~SLOT_REC;
	for (left = ix->nslots; left > 0; left--,
	    i = i + 1 == ix->nslots ? 0 : i + 1) {
		if ((slot = ix->slot[i]) == 0)
			break;
		if (((slot ^ *tag) & ~SLOT_REC) != 0)
			continue;
		r = tar_index_rec(ix, (slot & SLOT_REC) - 1);
		if (r != NULL && is_named(ix, r, dir, name))
			break;
	}
	return &ix->slot[i];
}

uint32_t
tar_index_find(const struct tar_index *ix, uint32_t dir,
    struct pinefs_name name)
{
	uint32_t i, tag;

	if (name.len > 255 || ix->nslots == 0)
		return TAR_NONE;
	i = *slot_of(ix, hash(ix, dir, name), dir, name, &tag) & SLOT_REC;
	/* A table without a free slot is a damaged one. */
	if (i == 0 || i > ix->recs.n ||
	    !is_named(ix, tar_index_rec(ix, i - 1), dir, name))
		return TAR_NONE;
	return i - 1;
}

/* The name, whose hash that is, now means record i. */
static void
fill_slot(struct tar_index *ix, uint32_t i, uint64_t h)
{
	const struct tar_rec *r = tar_index_rec(ix, i);
	uint32_t tag, *slot = slot_of(ix, h, r->parent, tar_index_name(ix, r),
	    &tag);

	if (*slot == 0)
		ix->used++;
	*slot = (i + 1) | tag;
}

static uint64_t
hash_of(const struct tar_index *ix, uint32_t i)
{
	const struct tar_rec *r = tar_index_rec(ix, i);

	return hash(ix, r->parent, tar_index_name(ix, r));
}

/* Records `from` ... `to`, a few: their slots lie anywhere, and are fetched
 * all at once. */
static void
fill_slots(struct tar_index *ix, uint32_t from, uint32_t to)
{
	uint64_t h[AT_ONCE];
	uint32_t i;

	for (i = from; i < to; i++) {
		h[i - from] = hash_of(ix, i);
		__builtin_prefetch(&ix->slot[(uint32_t)h[i - from] %
		    ix->nslots], 1);
	}
	for (i = from; i < to; i++)
		if ((tar_index_rec(ix, i)->flags & TAR_REC_DEAD) == 0)
			fill_slot(ix, i, h[i - from]);
}

/* By half: they are a part of what a file of it takes.  In the order of the
 * records, which are all that is not dead. */
static int
grow_slots(struct tar_index *ix)
{
	uint32_t i, left, n = ix->nslots < FIRST_SLOTS ? FIRST_SLOTS :
	    ix->nslots / 2 * 3;
	uint32_t *slot = calloc(n, sizeof *slot);

	if (slot == NULL)
		return ENOMEM;
	free(ix->slot);
	ix->slot = slot;
	ix->nslots = n;
	ix->used = 0;
	for (i = TAR_ROOT + 1; i < ix->recs.n; i += AT_ONCE) {
		left = (uint32_t)ix->recs.n - i;
		fill_slots(ix, i, i + (left < AT_ONCE ? left : AT_ONCE));
	}
	return 0;
}

static int
bind(struct tar_index *ix, uint32_t i)
{
	int err;

	if (ix->used >= ix->nslots / 4 * 3 && (err = grow_slots(ix)) != 0)
		return err;
	fill_slot(ix, i, hash_of(ix, i));
	return 0;
}

/* -------------------------------------------------------------- records -- */

uint32_t
tar_index_inode(const struct tar_index *ix, uint32_t i)
{
	const struct tar_rec *r = tar_index_rec(ix, i), *inode;

	if (r == NULL || r->type != TAR_HARD)
		return i;
	inode = tar_index_rec(ix, r->a);
	return inode == NULL || inode->type == TAR_HARD ? i : r->a;
}

uint32_t
tar_index_parent(const struct tar_index *ix, uint32_t i)
{
	const struct tar_rec *r = tar_index_rec(ix, i);

	return r == NULL || r->parent >= i ? TAR_ROOT : r->parent;
}

/* Entries of a directory lie behind it, and one behind the other. */
static uint32_t
behind(const struct tar_index *ix, uint32_t i, uint32_t next)
{
	return next > i && next < ix->recs.n ? next : TAR_NONE;
}

uint32_t
tar_index_after(const struct tar_index *ix, uint32_t dir, uint64_t after)
{
	const struct tar_rec *r = tar_index_rec(ix, dir);
	uint32_t i;

	if (r == NULL || r->type != TAR_DIR)
		return TAR_NONE;
	i = behind(ix, dir, r->a);
	if (after == 0)
		return i;
	if (after < ix->recs.n && after != TAR_ROOT &&
	    (r = tar_index_rec(ix, (uint32_t)after))->parent == dir)
		return behind(ix, (uint32_t)after, r->next);
	while (i != TAR_NONE && i <= after)
		i = behind(ix, i, tar_index_rec(ix, i)->next);
	return i;
}

static bool
is_dir(const struct tar_index *ix, uint32_t i)
{
	return tar_index_rec(ix, i)->type == TAR_DIR;
}

/* A record at the end of its directory, with no binding yet. */
static int
new_record(struct tar_index *ix, uint32_t dir, struct pinefs_name name,
    uint64_t header, uint32_t *i)
{
	struct tar_rec *r, *d;
	uint32_t at;
	int err;

	if (ix->recs.n >= TAR_MEMBERS_MAX)
		return ENOSPC;
	if ((r = room(&ix->recs, 1, sizeof *r)) == NULL)
		return ENOMEM;
	if ((err = put_bytes(&ix->names, name.base, name.len, &at)) != 0)
		return err;
	*i = (uint32_t)ix->recs.n++;
	*r = (struct tar_rec){ .header = header, .parent = dir, .name = at,
	    .name_len = (uint8_t)name.len, .next = TAR_NONE, .nlink = 1,
	    .ext = TAR_NONE };
	d = tar_index_rec(ix, dir);
	if (d->b >= *i)		/* TAR_NONE */
		d->a = *i;
	else
		tar_index_rec(ix, d->b)->next = *i;
	d->b = *i;
	d->size++;
	return 0;
}

static void
make_dir(struct tar_index *ix, uint32_t i, uint32_t mode)
{
	struct tar_rec *r = tar_index_rec(ix, i);

	r->type = TAR_DIR;
	r->mode = (uint16_t)mode;
	r->a = r->b = TAR_NONE;
	r->nlink = 2;
	r->size = 0;
	r->names = 0;
}

/* The directory gained a name, or lost one. */
static void
count(struct tar_index *ix, uint32_t i, int by)
{
	struct tar_rec *r = tar_index_rec(ix, i);
	struct tar_rec *d = tar_index_rec(ix, r->parent);

	d->names += (uint32_t)by;
	if (r->type == TAR_DIR)
		d->nlink += (uint32_t)by;
}

static void
unbind(struct tar_index *ix, uint32_t i)
{
	struct tar_rec *r = tar_index_rec(ix, i);

	count(ix, i, -1);
	r->flags |= TAR_REC_DEAD;
	if (r->type == TAR_DIR)
		r->nlink = 0;
	else
		tar_index_rec(ix, tar_index_inode(ix, i))->nlink--;
	ix->dir = TAR_NONE;
}

/* ---------------------------------------------------------------- paths -- */

/* Cut the next component off, without "." and empty ones. */
static bool
next_component(struct pinefs_name *path, struct pinefs_name *name)
{
	const char *p = path->base, *end = p + path->len, *q;

	do {
		while (p < end && *p == '/')
			p++;
		for (q = p; q < end && *q != '/'; )
			q++;
		*name = (struct pinefs_name){ p, (uint32_t)(q - p) };
		p = q;
	} while (name->len == 1 && name->base[0] == '.');
	*path = (struct pinefs_name){ p, (uint32_t)(end - p) };
	return name->len > 0;
}

static bool
is_dotdot(struct pinefs_name name)
{
	return name.len == 2 && name.base[0] == '.' && name.base[1] == '.';
}

/* Is every component one that may be served? */
static bool
path_ok(struct pinefs_name path)
{
	struct pinefs_name name;
	unsigned depth = 0;

	if (memchr(path.base, '\0', path.len) != NULL)
		return false;
	while (next_component(&path, &name))
		if (name.len > 255 || is_dotdot(name) ||
		    ++depth > TAR_DEPTH_MAX)
			return false;
	return true;
}

/* What a path names, or TAR_NONE.  Symbolic links are not followed. */
static uint32_t
find_path(const struct tar_index *ix, struct pinefs_name path)
{
	struct pinefs_name name;
	uint32_t at = TAR_ROOT;

	while (at != TAR_NONE && next_component(&path, &name))
		at = is_dir(ix, at) ? tar_index_find(ix, at, name) : TAR_NONE;
	return at;
}

/* A directory that no header has named so far. */
static int
implied(struct tar_index *ix, uint32_t dir, struct pinefs_name name,
    const struct tar_member *m, unsigned depth, uint32_t *i)
{
	struct tar_rec *r;
	int err;

	if ((err = new_record(ix, dir, name, m->header, i)) != 0)
		return err;
	r = tar_index_rec(ix, *i);
	r->implied = (uint16_t)depth;
	r->mtime = m->mtime.tv_sec;
	r->mtime_ns = (uint32_t)m->mtime.tv_nsec;
	r->sum = 1;
	make_dir(ix, *i, 0755);
	r->uid = m->uid;
	r->gid = m->gid;
	count(ix, *i, 1);
	return bind(ix, *i);
}

/* The directory of all but the last component, made where it is missing. */
static int
walk(struct tar_index *ix, const struct tar_member *m,
    struct pinefs_name path, struct pinefs_name *last, uint32_t *dir)
{
	struct pinefs_name name, next;
	unsigned depth = 0;
	uint32_t i;
	int err;

	*dir = TAR_ROOT;
	last->len = 0;
	if (!next_component(&path, &name))
		return 0;
	for (; next_component(&path, &next); name = next) {
		depth++;
		i = tar_index_find(ix, *dir, name);
		if (i != TAR_NONE && !is_dir(ix, i))
			return EBADMSG;
		if (i == TAR_NONE &&
		    (err = implied(ix, *dir, name, m, depth, &i)) != 0)
			return err;
		*dir = i;
	}
	*last = name;
	return 0;
}

/* What comes before the last component, as it stands there. */
static size_t
dir_part(struct pinefs_name path)
{
	size_t n = path.len;

	while (n > 0 && path.base[n - 1] == '/')
		n--;
	while (n > 0 && path.base[n - 1] != '/')
		n--;
	return n;
}

/* Members of one directory mostly stand together: it is remembered. */
static int
find_place(struct tar_index *ix, const struct tar_member *m,
    struct pinefs_name *last, uint32_t *dir, enum tar_note *why)
{
	struct pinefs_name path = m->name, rest;
	size_t n = dir_part(path);
	char *text;
	int err;

	rest = (struct pinefs_name){ path.base + n, path.len - (uint32_t)n };
	if (n > 0 && ix->dir != TAR_NONE && n == ix->dir_len &&
	    memcmp(ix->dir_text, path.base, n) == 0 && path_ok(rest) &&
	    next_component(&rest, last)) {
		*dir = ix->dir;
		return 0;
	}
	*why = TAR_NOTE_NAME;
	if (!path_ok(path))
		return EBADMSG;
	*why = TAR_NOTE_PARENT;
	if ((err = walk(ix, m, path, last, dir)) != 0)
		return err;
	ix->dir = TAR_NONE;
	if (n > ix->dir_cap) {
		if ((text = realloc(ix->dir_text, n)) == NULL)
			return 0;
		ix->dir_text = text;
		ix->dir_cap = n;
	}
	/* "a/b/." is not in a/b. */
	if (n > 0 && last->len > 0 && last->base == path.base + n) {
		memcpy(ix->dir_text, path.base, n);
		ix->dir_len = n;
		ix->dir = *dir;
	}
	return 0;
}

/* -------------------------------------------------------------- members -- */

static int
put_xattrs(struct tar_index *ix, const struct tar_member *m,
    struct tar_ext *x)
{
	uint32_t i, at, head[2];
	int err = 0;

	x->xattr = (uint32_t)ix->texts.n;
	x->nxattrs = m->nxattrs;
	for (i = 0; i < m->nxattrs && err == 0; i++) {
		head[0] = m->xattr[i].name.len;
		head[1] = m->xattr[i].value.len;
		if ((err = put_bytes(&ix->texts, head, sizeof head, &at)) == 0
		    && (err = put_bytes(&ix->texts, m->xattr[i].name.base,
		    head[0], &at)) == 0)
			err = put_bytes(&ix->texts, m->xattr[i].value.base,
			    head[1], &at);
	}
	return err;
}

static int
put_ext(struct tar_index *ix, const struct tar_member *m, struct tar_rec *r)
{
	bool sparse = m->sparse && r->type == TAR_REG;
	struct tar_ext *x, ext = { 0 };
	void *to;
	int err;

	r->ext = TAR_NONE;
	if (!sparse && m->nxattrs == 0)
		return 0;
	if ((err = put_xattrs(ix, m, &ext)) != 0)
		return err;
	if (sparse) {
		if ((to = room(&ix->segs, m->map->n,
		    sizeof(struct tar_segment))) == NULL)
			return ENOMEM;
		ext.seg = (uint32_t)ix->segs.n;
		ext.nseg = m->map->n;
		if (ext.nseg > 0)
			memcpy(to, m->map->seg,
			    ext.nseg * sizeof(struct tar_segment));
		ix->segs.n += ext.nseg;
		r->flags |= TAR_REC_SPARSE;
	}
	if ((x = room(&ix->exts, 1, sizeof *x)) == NULL)
		return ENOMEM;
	*x = ext;
	r->ext = (uint32_t)ix->exts.n++;
	return 0;
}

static int
set_attributes(struct tar_index *ix, const struct tar_member *m,
    struct tar_rec *r)
{
	r->mode = (uint16_t)m->mode;
	r->uid = m->uid;
	r->gid = m->gid;
	r->mtime = m->mtime.tv_sec;
	r->mtime_ns = (uint32_t)m->mtime.tv_nsec;
	return put_ext(ix, m, r);
}

/* What only some types have. */
static int
set_kind(struct tar_index *ix, const struct tar_member *m, uint32_t i)
{
	struct tar_rec *r = tar_index_rec(ix, i);

	r->type = (uint8_t)m->type;
	r->sum = m->sum;
	switch (m->type) {
	case TAR_DIR:
		make_dir(ix, i, m->mode);
		return 0;
	case TAR_REG:
		r->size = m->size;
		r->a = (uint32_t)m->data;
		r->b = (uint32_t)(m->data >> 32);
		return 0;
	case TAR_LNK:
		r->size = r->b = m->link.len;
		return put_bytes(&ix->texts, m->link.base, m->link.len, &r->a);
	case TAR_CHR:
	case TAR_BLK:
		r->a = m->major;
		r->b = m->minor;
		return 0;
	case TAR_HARD:
	case TAR_FIFO:
		return 0;
	}
	return 0;
}

/* May a member of that type take the place of record `old`? */
static bool
may_replace(const struct tar_index *ix, uint32_t old, enum tar_type type)
{
	return !is_dir(ix, old) || type == TAR_DIR ||
	    tar_index_rec(ix, old)->names == 0;
}

/* Bind a record that is complete in place of `old`. */
static int
put_in_place(struct tar_index *ix, uint32_t old, uint32_t i)
{
	if (old != TAR_NONE)
		unbind(ix, old);
	count(ix, i, 1);
	return bind(ix, i);
}

static int
add_plain(struct tar_index *ix, const struct tar_member *m, uint32_t dir,
    struct pinefs_name name, enum tar_note *why)
{
	uint32_t i, old = tar_index_find(ix, dir, name);
	int err;

	if (old != TAR_NONE && is_dir(ix, old) && m->type == TAR_DIR) {
		tar_index_rec(ix, old)->size++;
		return set_attributes(ix, m, tar_index_rec(ix, old));
	}
	if (old != TAR_NONE && !may_replace(ix, old, m->type)) {
		*why = TAR_NOTE_REPLACE;
		return EBADMSG;
	}
	if ((err = new_record(ix, dir, name, m->header, &i)) != 0)
		return err;
	if ((err = set_kind(ix, m, i)) == 0)
		err = set_attributes(ix, m, tar_index_rec(ix, i));
	if (err != 0) {
		tar_index_rec(ix, i)->flags |= TAR_REC_DEAD;
		return err;
	}
	return put_in_place(ix, old, i);
}

/* ----------------------------------------------------------- hard links -- */

static int
wait_for_target(struct tar_index *ix, const struct tar_member *m, uint32_t i)
{
	struct later *l;
	uint32_t at;
	int err;

	tar_index_rec(ix, i)->flags |= TAR_REC_DEAD;
	if ((err = put_bytes(&ix->texts, m->link.base, m->link.len, &at)) != 0)
		return err;
	if ((l = room(&ix->later, 1, sizeof *l)) == NULL)
		return ENOMEM;
	*l = (struct later){ i, at, m->link.len };
	ix->later.n++;
	return 0;
}

static int
add_link(struct tar_index *ix, const struct tar_member *m, uint32_t dir,
    struct pinefs_name name, enum tar_note *why)
{
	uint32_t i, old = tar_index_find(ix, dir, name), target;
	int err;

	*why = TAR_NOTE_LINK;
	if (!path_ok(m->link))
		return EBADMSG;
	target = find_path(ix, m->link);
	if (target != TAR_NONE && (is_dir(ix, target) || target == old))
		return EBADMSG;
	if (old != TAR_NONE && !may_replace(ix, old, TAR_HARD)) {
		*why = TAR_NOTE_REPLACE;
		return EBADMSG;
	}
	if ((err = new_record(ix, dir, name, m->header, &i)) != 0)
		return err;
	tar_index_rec(ix, i)->type = TAR_HARD;
	if (target == TAR_NONE)
		return wait_for_target(ix, m, i);
	target = tar_index_inode(ix, target);
	tar_index_rec(ix, i)->a = target;
	tar_index_rec(ix, target)->nlink++;
	return put_in_place(ix, old, i);
}

/* A link whose target may have come by now. */
static int
bind_later(struct tar_index *ix, const struct later *l, bool *bound)
{
	struct tar_rec *r = tar_index_rec(ix, l->rec);
	struct pinefs_name text = { (char *)ix->texts.base + l->text, l->len };
	uint32_t target = find_path(ix, text);

	*bound = target != TAR_NONE && !is_dir(ix, target) &&
	    tar_index_find(ix, r->parent, tar_index_name(ix, r)) == TAR_NONE;
	if (!*bound)
		return 0;
	r->a = tar_index_inode(ix, target);
	r->flags &= (uint16_t)~TAR_REC_DEAD;
	tar_index_rec(ix, r->a)->nlink++;
	return put_in_place(ix, TAR_NONE, l->rec);
}

int
tar_index_finish(struct tar_index *ix, tar_note_fn *note, void *arg)
{
	const struct later *l = ix->later.base;
	struct pinefs_name name;
	bool bound;
	size_t left;
	int err;

	for (left = ix->later.n; left > 0; left--, l++) {
		if ((err = bind_later(ix, l, &bound)) != 0)
			return err;
		if (!bound && note != NULL) {
			name = tar_index_name(ix, tar_index_rec(ix, l->rec));
			note(arg, TAR_NOTE_LINK,
			    tar_index_rec(ix, l->rec)->header, &name);
		}
	}
	free(ix->later.base);
	ix->later = (struct tar_array){ 0 };
	return 0;
}

/* What archives can make large by few members. */
static uint64_t
bytes_of(const struct tar_index *ix)
{
	return ix->names.n + ix->texts.n +
	    ix->segs.n * sizeof(struct tar_segment);
}

uint64_t
tar_index_bytes(const struct tar_index *ix)
{
	if (ix->mapped != NULL)
		return 0;
	return ix->recs.cap * sizeof(struct tar_rec) + ix->names.cap +
	    ix->texts.cap + ix->exts.cap * sizeof(struct tar_ext) +
	    ix->segs.cap * sizeof(struct tar_segment) +
	    ix->nslots * sizeof *ix->slot;
}

int
tar_index_add(struct tar_index *ix, const struct tar_member *m,
    enum tar_note *why)
{
	struct pinefs_name name;
	uint32_t dir;
	int err;

	if (bytes_of(ix) > ix->most)
		return ENOSPC;
	if ((err = find_place(ix, m, &name, &dir, why)) != 0)
		return err;
	if (name.len == 0) {	/* the root itself, or no name at all */
		if (m->type != TAR_DIR || m->name.len == 0)
			return 0;
		tar_index_rec(ix, TAR_ROOT)->size++;
		return set_attributes(ix, m, tar_index_rec(ix, TAR_ROOT));
	}
	return m->type == TAR_HARD ? add_link(ix, m, dir, name, why) :
	    add_plain(ix, m, dir, name, why);
}

/* ------------------------------------------------------------- identity -- */

#define LOW_MOST	UINT64_C(0xffffffff)	/* 2^32 - 1 */
#define IMPLIED		(UINT64_C(1) << 62)

uint64_t
tar_index_id(const struct tar_index *ix, uint32_t i)
{
	const struct tar_rec *r = tar_index_rec(ix, i);
	uint64_t n;

	if (i == TAR_ROOT || r == NULL)
		return TAR_ROOT_ID;
	n = r->header / ix->unit + TAR_ROOT_ID;
	if (r->implied != 0)
		return IMPLIED | n << 12 | r->implied;
	/* The lower half is never 0. */
	return n / LOW_MOST << 32 | (n % LOW_MOST + 1);
}

/* Implied directories come before the member that made them, by depth. */
static int
compare(const struct tar_index *ix, const struct tar_rec *r, uint64_t n,
    uint32_t depth)
{
	uint64_t its = r->header / ix->unit + TAR_ROOT_ID;
	uint32_t d = r->implied != 0 ? r->implied : UINT32_MAX;

	if (its != n)
		return its < n ? -1 : 1;
	return d == depth ? 0 : d < depth ? -1 : 1;
}

uint32_t
tar_index_by_id(const struct tar_index *ix, uint64_t id)
{
	uint32_t low = 1, high = tar_index_count(ix), mid, depth = UINT32_MAX;
	uint64_t n;
	int c;

	if (id == TAR_ROOT_ID)
		return high > 0 ? TAR_ROOT : TAR_NONE;
	if (id & IMPLIED) {
		depth = id & 0xfff;
		n = (id & ~IMPLIED) >> 12;
	} else {
		if ((id & LOW_MOST) == 0)
			return TAR_NONE;
		n = (id >> 32) * LOW_MOST + (id & LOW_MOST) - 1;
	}
	while (low < high) {
		mid = low + (high - low) / 2;
		c = compare(ix, tar_index_rec(ix, mid), n, depth);
		if (c == 0)
			return mid;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return TAR_NONE;
}

/* -------------------------------------------------------------- reading -- */

struct pinefs_name
tar_index_target(const struct tar_index *ix, const struct tar_rec *r)
{
	if (r->a > ix->texts.n || r->b > ix->texts.n - r->a)
		return (struct pinefs_name){ "", 0 };
	return (struct pinefs_name){ (const char *)ix->texts.base + r->a,
	    r->b };
}

static const struct tar_ext *
ext_of(const struct tar_index *ix, const struct tar_rec *r)
{
	return r->ext < ix->exts.n ? (struct tar_ext *)ix->exts.base + r->ext :
	    NULL;
}

const struct tar_segment *
tar_index_map(const struct tar_index *ix, const struct tar_rec *r,
    uint32_t *n)
{
	const struct tar_ext *x = ext_of(ix, r);

	*n = 0;
	if (x == NULL || (r->flags & TAR_REC_SPARSE) == 0 ||
	    x->seg > ix->segs.n || x->nseg > ix->segs.n - x->seg)
		return NULL;
	*n = x->nseg;
	return (struct tar_segment *)ix->segs.base + x->seg;
}

/* The first segment that ends behind `off`. */
static uint32_t
segment_at(const struct tar_segment *seg, uint32_t n, uint64_t off)
{
	uint32_t low = 0, high = n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (seg[mid].off + seg[mid].len <= off)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool
tar_index_stored(const struct tar_index *ix, const struct tar_rec *r,
    uint64_t off, uint64_t end, struct tar_stored *p)
{
	const struct tar_segment *seg;
	uint32_t i, n;

	seg = tar_index_map(ix, r, &n);
	for (i = segment_at(seg, n, off); i < n; i++) {
		if (seg[i].off >= end)
			return false;
		p->off = seg[i].off < off ? off : seg[i].off;
		p->at = seg[i].at + (p->off - seg[i].off);
		p->len = seg[i].len - (p->off - seg[i].off);
		if (p->len > end - p->off)
			p->len = end - p->off;
		if (p->len > 0)
			return true;
	}
	return false;
}

bool
tar_index_xattr(const struct tar_index *ix, const struct tar_rec *r,
    uint32_t i, struct tar_xattr *to)
{
	const struct tar_ext *x = ext_of(ix, r);
	const char *base = ix->texts.base;
	size_t at, left;
	uint32_t head[2];

	if (x == NULL || i >= x->nxattrs)
		return false;
	for (at = x->xattr;; i--) {
		left = at > ix->texts.n ? 0 : ix->texts.n - at;
		if (left < sizeof head)
			return false;
		memcpy(head, base + at, sizeof head);
		left -= sizeof head;
		if (head[0] > left || head[1] > left - head[0])
			return false;
		at += sizeof head;
		if (i == 0)
			break;
		at += (size_t)head[0] + head[1];
	}
	to->name = (struct pinefs_name){ base + at, head[0] };
	to->value = (struct pinefs_name){ base + at + head[0], head[1] };
	return true;
}

/* ------------------------------------------------------- begin and end -- */

int
tar_index_init(struct tar_index *ix)
{
	struct tar_rec *r;

	*ix = (struct tar_index){ .dir = TAR_NONE, .most = TAR_INDEX_BYTES,
	    .unit = TAR_BLOCK };
	if (getrandom(ix->key, sizeof ix->key, 0) != sizeof ix->key)
		return EIO;
	if ((r = room(&ix->recs, 1, sizeof *r)) == NULL ||
	    room(&ix->names, 1, 1) == NULL ||
	    room(&ix->texts, 1, 1) == NULL ||
	    grow_slots(ix) != 0) {
		tar_index_fini(ix);
		return ENOMEM;
	}
	*r = (struct tar_rec){ .parent = TAR_ROOT, .next = TAR_NONE,
	    .ext = TAR_NONE, .sum = 1, .flags = 0 };
	ix->recs.n = 1;
	make_dir(ix, TAR_ROOT, 0755);
	return 0;
}

void
tar_index_fini(struct tar_index *ix)
{
	if (ix->mapped != NULL) {
		munmap(ix->mapped, ix->mapped_len);
	} else {
		free(ix->recs.base);
		free(ix->names.base);
		free(ix->texts.base);
		free(ix->exts.base);
		free(ix->segs.base);
		free(ix->slot);
	}
	free(ix->later.base);
	free(ix->dir_text);
	*ix = (struct tar_index){ 0 };
}

static int
copy_array(struct tar_array *to, const struct tar_array *from, size_t size)
{
	void *base = room(to, from->n, size);

	if (base == NULL)
		return ENOMEM;
	if (from->n > 0)
		memcpy(base, from->base, from->n * size);
	to->n = from->n;
	return 0;
}

int
tar_index_copy(struct tar_index *ix, const struct tar_index *from)
{
	size_t bytes = from->nslots * sizeof *ix->slot;

	*ix = (struct tar_index){ .dir = TAR_NONE, .most = from->most,
	    .end = from->end, .unit = from->unit, .shape = from->shape,
	    .nslots = from->nslots, .used = from->used };
	memcpy(ix->key, from->key, sizeof ix->key);
	if ((ix->slot = malloc(bytes)) != NULL)
		memcpy(ix->slot, from->slot, bytes);
	if (ix->slot != NULL &&
	    copy_array(&ix->recs, &from->recs, sizeof(struct tar_rec)) == 0 &&
	    copy_array(&ix->names, &from->names, 1) == 0 &&
	    copy_array(&ix->texts, &from->texts, 1) == 0 &&
	    copy_array(&ix->exts, &from->exts, sizeof(struct tar_ext)) == 0 &&
	    copy_array(&ix->segs, &from->segs, sizeof(struct tar_segment))
	    == 0)
		return 0;
	tar_index_fini(ix);
	return ENOMEM;
}
