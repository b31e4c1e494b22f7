/* Content, attributes and extended attributes of the overlay. */
#include <string.h>

#include "overlay.h"
#include "view.h"

enum { FAR_LONGEST = 1 << 30, MAP_FREE = 64 };
#define MAP_MOST	(UINT64_C(1) << 50)

/* -------------------------------------------------- extents of a member -- */

/* Extents that stand for bytes of the archive, one behind the other. */
struct mapping {
	struct tar_upper	*u;
	struct mem_block	*b;		/* the last one, or NULL */
	uint64_t		 bytes;
	uint64_t		 limit;		/* of the archive */
};

/* A block that has the byte at `at` and those behind it. */
static struct mem_block *
block_of(struct mapping *m, uint64_t at, uint32_t len)
{
	struct mem_block *b = m->b;

	if (b != NULL && at >= b->at && at - b->at <= UINT32_MAX - len)
		return b;
	return mem_block_far(m->u->file.space, at);
}

/* What the archive was cut of is lost: false, and the end. */
static bool
is_there(struct mapping *m, uint64_t off, uint64_t at, uint64_t *len)
{
	if (at < m->limit && *len <= m->limit - at)
		return true;
	*len = at < m->limit ? m->limit - at : 0;
	m->u->lost = off + *len;
	m->u->lost_end = m->u->attr.size;
	return false;
}

static int
map_range(struct mapping *m, uint64_t off, uint64_t at, uint64_t len,
    bool *end)
{
	struct mem_extent e;
	uint32_t n;
	int err;

	*end = !is_there(m, off, at, &len);
	/* A file of 2^63 bytes is quickly made; its extents would not be. */
	if ((m->bytes += len) > MAP_MOST)
		return EFBIG;
	for (; len > 0; len -= n, off += n, at += n) {
		n = len < FAR_LONGEST ? (uint32_t)len : FAR_LONGEST;
		if ((e.b = block_of(m, at, n)) == NULL)
			return ENOMEM;
		e.off = off;
		e.len = n;
		e.skip = (uint32_t)(at - e.b->at);
		if ((err = mem_map_insert(&m->u->file.map, &e)) != 0) {
			if (e.b != m->b)
				mem_block_free(e.b);
			return err;
		}
		m->b = e.b;
	}
	return 0;
}

static int
map_record(struct tar_archive *ar, struct mapping *m)
{
	const struct tar_rec *r = tar_index_rec(&ar->index, m->u->rec);
	uint64_t data = tar_index_data(r);
	struct tar_stored p;
	uint64_t off = 0;
	bool end = false;
	int err = 0;

	if ((r->flags & TAR_REC_SPARSE) == 0)
		return map_range(m, 0, data, r->size, &end);
	for (; err == 0 && !end && tar_index_stored(&ar->index, r, off,
	    r->size, &p); off = p.off + p.len)
		err = map_range(m, p.off, data + p.at, p.len, &end);
	return err;
}

/* What a long list of extents takes is somebody's space, too. */
static uint32_t
cost_of_map(const struct tar_archive *ar, const struct tar_upper *u)
{
	uint32_t n;

	tar_index_map(&ar->index, tar_index_rec(&ar->index, u->rec), &n);
	return n <= MAP_FREE ? 0 : n * (uint32_t)sizeof(struct mem_extent);
}

/* See that a file has extents.  ENOMEM, ENOSPC. */
static int
map_file(struct tar_archive *ar, struct tar_upper *u)
{
	struct mapping m = { .u = u, .limit = tar_source_size(ar->source) };
	uint32_t cost;
	int err;

	if (u->mapped)
		return 0;
	cost = cost_of_map(ar, u);
	if (!mem_space_take(ar->overlay.space, cost))
		return ENOSPC;
	if ((err = map_record(ar, &m)) != 0) {
		mem_map_fini(&u->file.map);
		mem_space_give(ar->overlay.space, cost);
		u->lost = u->lost_end = 0;
		return err;
	}
	u->cost += cost;
	u->mapped = true;
	return 0;
}

/* --------------------------------------------------------- what is shared -- */

static struct tar_upper *
seen_changed(struct tar_upper *u, bool data)
{
	u->changed = true;
	tar_upper_bump(u, data);
	return u;
}

/* The node's upper. */
static int
raise_node(struct tar_archive *ar, struct pinefs_node *node,
    struct tar_upper **u)
{
	struct tar_object o;
	int err;

	if ((err = tar_object_find(ar, node, &o)) != 0 ||
	    (err = tar_object_raise(ar, &o, false)) != 0 ||
	    /* Now it is seen. */
	    (err = tar_object_find(ar, node, &o)) != 0)
		return err;
	*u = o.u;
	return 0;
}

static int
raise_file(struct tar_archive *ar, struct pinefs_node *node,
    struct tar_upper **u)
{
	int err = raise_node(ar, node, u);

	if (err == 0 && (*u)->attr.type != PINEFS_REG)
		err = EINVAL;
	return err != 0 ? err : map_file(ar, *u);
}

static void
grow_to(struct tar_upper *u, uint64_t end)
{
	if (end > u->attr.size)
		u->attr.size = end;
}

/* ------------------------------------------------------------------ read -- */

/* The first byte behind `off` that is lost. */
static uint64_t
next_lost(const struct tar_upper *u, uint64_t off)
{
	if (off >= u->lost_end)
		return UINT64_MAX;
	return off > u->lost ? off : u->lost;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Which parts of the archive are needed.  *len shrinks to what one reading
 * can do; EIO: to nothing. */
static int
plan(const struct tar_upper *u, struct tar_reading *rd, uint64_t off,
    uint64_t *len)
{
	const struct mem_map *map = &u->file.map;
	struct mem_pos pos = mem_map_find(map, off);
	uint64_t at, stop, left = *len;
	const struct mem_extent *e;
	int err = 0;

	for (at = off; at < off + left && err == 0; at = stop) {
		e = mem_map_at(map, pos);
		if (e == NULL || e->off > at) {
			stop = least(e == NULL ? UINT64_MAX : e->off,
			    off + left);
			if (next_lost(u, at) < stop) {
				left = next_lost(u, at) - off;
				err = left == 0 ? EIO : 0;
			}
			continue;
		}
		stop = least(mem_extent_end(e), off + left);
		pos = mem_map_next(map, pos);
		if (e->b->far && rd->n == TAR_PIECES_MAX)
			left = at - off;
		else if (e->b->far)
			err = tar_reading_add(rd, e->b->at + e->skip +
			    (at - e->off), stop - at, (uint32_t)(at - off),
			    &left);
	}
	*len = left;
	return err;
}

/* What is in memory, into a reading's buffer of zeros. */
static void
copy_memory(const struct tar_upper *u, const struct tar_reading *rd,
    uint64_t off, uint64_t len)
{
	const struct mem_map *map = &u->file.map;
	struct mem_pos pos = mem_map_find(map, off);
	uint64_t begin, end;
	const struct mem_extent *e;

	for (; (e = mem_map_at(map, pos)) != NULL && e->off < off + len;
	    pos = mem_map_next(map, pos)) {
		begin = e->off > off ? e->off : off;
		end = least(mem_extent_end(e), off + len);
		if (e->b->base != NULL)
			memcpy(rd->to + (begin - off), e->b->base + e->skip +
			    (begin - e->off), end - begin);
	}
}

int
tar_overlay_read(const struct tar_upper *u, struct tar_reading *rd,
    uint64_t off, uint64_t *len, struct pinefs_out *out)
{
	int err = plan(u, rd, off, len);

	if (err != 0 || *len == 0)
		return err;
	/* Taking references changes blocks, not the file. */
	if (rd->n == 0)
		return mem_file_read((struct mem_file *)(uintptr_t)&u->file,
		    off, (uint32_t)*len, out);
	if ((rd->to = pinefs_out_space(out, *len)) == NULL)
		return ENOMEM;
	memset(rd->to, 0, *len);
	copy_memory(u, rd, off, *len);
	return 0;
}

/* ------------------------------------------------------------------ seek -- */

static int
seek_data(const struct tar_upper *u, uint64_t off, uint64_t *found)
{
	uint64_t lost = next_lost(u, off);
	int err = mem_file_seek(&u->file, PINEFS_SEEK_DATA, off, found);

	if (lost == UINT64_MAX || (err == 0 && *found < lost))
		return err;
	*found = lost;
	return 0;
}

static int
seek_hole(const struct tar_upper *u, uint64_t off, uint64_t *found)
{
	int err;

	/* Behind what is lost extents may go on. */
	while ((err = mem_file_seek(&u->file, PINEFS_SEEK_HOLE, off,
	    found)) == 0 && next_lost(u, *found) == *found)
		off = u->lost_end;
	return err;
}

int
tar_overlay_seek(const struct tar_upper *u, int what, uint64_t off,
    uint64_t *found)
{
	return what == PINEFS_SEEK_DATA ? seek_data(u, off, found) :
	    seek_hole(u, off, found);
}

/* ----------------------------------------------------------------- write -- */

int
tar_overlay_write(struct tar_archive *ar, const struct tar_wait *w)
{
	struct pinefs_write *write = w->out;
	struct tar_upper *u;
	int err;

	if ((err = raise_file(ar, w->node, &u)) != 0)
		return err;
	tar_upper_stamp(u, &write->change.before);
	if ((err = mem_file_write(&u->file, write)) != 0)
		return err;
	grow_to(u, write->off + write->written);
	seen_changed(u, true);
	tar_upper_stamp(u, &write->change.after);
	write->change.atomic = true;
	write->committed = PINEFS_FILE_SYNC;	/* as durable as it gets */
	return 0;
}

/* ------------------------------------------------------------ attributes -- */

static int
cut(struct tar_archive *ar, struct tar_upper *u, uint64_t size)
{
	int err;

	if (size == 0 && !u->mapped)
		u->mapped = true;	/* all of it is new */
	else if ((err = map_file(ar, u)) != 0)
		return err;
	mem_file_truncate(&u->file, size);
	if (u->lost_end > size)
		u->lost_end = size;
	u->attr.size = size;
	return 0;
}

static void
set_time(struct timespec *to, const struct timespec *given, uint64_t bit,
    const struct pinefs_set *set, const struct timespec *now)
{
	if (set->attr.have & bit)
		*to = set->now & bit ? *now : *given;
}

static void
set_attr(struct tar_upper *u, const struct pinefs_set *set)
{
	const struct pinefs_attr *given = &set->attr;
	struct pinefs_attr *a = &u->attr;

	if (given->have & PINEFS_MODE)
		a->mode = given->mode & 07777;
	if (given->have & PINEFS_UID)
		a->uid = given->uid;
	if (given->have & PINEFS_GID)
		a->gid = given->gid;
	seen_changed(u, given->have & PINEFS_SIZE);
	set_time(&a->atime, &given->atime, PINEFS_ATIME, set, &a->ctime);
	set_time(&a->mtime, &given->mtime, PINEFS_MTIME, set, &a->ctime);
	set_time(&a->btime, &given->btime, PINEFS_BTIME, set, &a->ctime);
}

int
tar_overlay_setattr(struct tar_archive *ar, const struct tar_wait *w)
{
	const struct pinefs_set *set = w->in;
	struct pinefs_change *chg = w->out;
	struct tar_upper *u;
	int err;

	if ((err = raise_node(ar, w->node, &u)) != 0)
		return err;
	if (set->if_ctime != NULL &&
	    (set->if_ctime->tv_sec != u->attr.ctime.tv_sec ||
	    set->if_ctime->tv_nsec != u->attr.ctime.tv_nsec))
		return ECANCELED;
	tar_upper_stamp(u, &chg->before);
	if (set->attr.have & PINEFS_SIZE &&
	    (err = cut(ar, u, set->attr.size)) != 0)
		return err;
	if (set->attr.have != 0)
		set_attr(u, set);
	tar_upper_stamp(u, &chg->after);
	chg->atomic = true;
	return 0;
}

/* ---------------------------------------------------------------- ranges -- */

int
tar_overlay_allocate(struct tar_archive *ar, const struct tar_wait *w)
{
	bool punch = w->how != 0;
	struct tar_upper *u;
	int err;

	if ((err = raise_file(ar, w->node, &u)) != 0)
		return err;
	err = punch ? mem_file_punch(&u->file, w->off, w->len) :
	    mem_file_reserve(&u->file, w->off, w->len);
	if (err != 0)
		return err;
	if (!punch)
		grow_to(u, w->off + w->len);
	seen_changed(u, true);
	return 0;
}

int
tar_overlay_clone(struct tar_archive *ar, const struct tar_wait *w)
{
	struct pinefs_range *r = w->out;
	struct tar_upper *from, *to;
	int err;

	if ((err = raise_file(ar, w->node, &from)) != 0 ||
	    (err = raise_file(ar, w->other, &to)) != 0)
		return err;
	if (next_lost(from, r->from_off) < r->from_off + r->len)
		return EIO;
	tar_upper_stamp(to, &r->change.before);
	if (r->len > 0) {
		err = mem_file_clone(&from->file, r->from_off, &to->file,
		    r->to_off, r->len);
		if (err != 0)
			return err;
		grow_to(to, r->to_off + r->len);
		seen_changed(to, true);
	}
	tar_upper_stamp(to, &r->change.after);
	r->change.atomic = true;
	return 0;
}

/* -------------------------------------------------- extended attributes -- */

/* Those of the archive come along when the first one changes, with their
 * cookies. */
static int
raise_xattrs(struct tar_archive *ar, struct pinefs_node *node,
    struct tar_upper **to)
{
	struct tar_upper *u;
	struct tar_xattr x;
	uint32_t i = 0;
	int err;

	if ((err = raise_node(ar, node, &u)) != 0)
		return err;
	*to = u;
	if (u->own_xattrs)
		return 0;
	while (tar_view_xattr(ar, u->rec, &i, &x)) {
		err = mem_xattr_add(&u->file.xattrs, u->file.space, x.name,
		    x.value.base, x.value.len, i);
		if (err != 0) {
			mem_xattrs_fini(&u->file.xattrs, u->file.space);
			u->file.xattrs = (struct mem_xattrs){ 0 };
			return err;
		}
	}
	u->own_xattrs = true;
	return 0;
}

int
tar_overlay_setxattr(struct tar_archive *ar, const struct tar_wait *w)
{
	struct tar_upper *u;
	int err;

	if ((err = raise_xattrs(ar, w->node, &u)) != 0 ||
	    (err = mem_xattr_set(&u->file.xattrs, u->file.space, w->name,
	    w->out, w->how)) != 0)
		return err;
	seen_changed(u, false);
	return 0;
}

int
tar_overlay_removexattr(struct tar_archive *ar, const struct tar_wait *w)
{
	struct tar_upper *u;
	int err;

	if ((err = raise_xattrs(ar, w->node, &u)) != 0 ||
	    (err = mem_xattr_remove(&u->file.xattrs, u->file.space,
	    w->name)) != 0)
		return err;
	seen_changed(u, false);
	return 0;
}
