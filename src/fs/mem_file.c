/* The content of one file.  See mem_file.h. */
#include "mem_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	WINDOW = 64 << 10,	/* what is copied for a small change at most */
	ZEROS = 64 << 10
};

struct mem_file *
mem_file_new(struct mem_space *space)
{
	struct mem_file *f = calloc(1, sizeof *f);

	if (f != NULL)
		f->space = space;
	return f;
}

void
mem_file_free(struct mem_file *f)
{
	mem_file_fini(f);
	free(f);
}

void
mem_file_init(struct mem_file *f, struct mem_space *space)
{
	*f = (struct mem_file){ .space = space };
}

void
mem_file_fini(struct mem_file *f)
{
	mem_map_fini(&f->map);
	mem_xattrs_fini(&f->xattrs, f->space);
}

static uint32_t
least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

/* ---------------------------------------------------------------- read -- */

static const uint8_t zeros[ZEROS];

/* Zeros are constant; a release says that they may go by reference. */
static void
zeros_put(void *owner)
{
	(void)owner;
}

static int
read_zeros(uint64_t count, struct pinefs_out *out)
{
	uint32_t n;
	int err = 0;

	for (; count > 0 && err == 0; count -= n) {
		n = least(count, sizeof zeros);
		err = pinefs_out_borrow(out, zeros, n, zeros_put, NULL);
	}
	return err;
}

/* As many bytes as lie in one run of memory from `off` on: one piece. */
static int
read_run(struct mem_file *f, struct mem_pos *pos, uint64_t off,
    uint32_t count, struct pinefs_out *out, uint32_t *done)
{
	struct mem_extent *e = mem_map_at(&f->map, *pos), *more;
	struct mem_block *b = e->b;
	uint32_t skip = e->skip + (uint32_t)(off - e->off);
	uint64_t end = mem_extent_end(e);

	for (;;) {
		*pos = mem_map_next(&f->map, *pos);
		more = mem_map_at(&f->map, *pos);
		if (more == NULL || end >= off + count || more->off != end ||
		    more->b != b || more->skip != e->skip + e->len)
			break;
		e = more;
		end = mem_extent_end(e);
	}
	*done = least(count, end - off);
	if (b->base == NULL)
		return read_zeros(*done, out);
	mem_block_get(b);
	return pinefs_out_borrow(out, b->base + skip, *done, mem_block_put,
	    b);
}

int
mem_file_read(struct mem_file *f, uint64_t off, uint32_t count,
    struct pinefs_out *out)
{
	struct mem_pos pos = mem_map_find(&f->map, off);
	struct mem_extent *e;
	uint32_t n;
	int err;

	while (count > 0) {
		e = mem_map_at(&f->map, pos);
		if (e == NULL || e->off >= off + count)
			return read_zeros(count, out);
		if (e->off > off) {
			n = (uint32_t)(e->off - off);
			err = read_zeros(n, out);
		} else {
			err = read_run(f, &pos, off, count, out, &n);
		}
		if (err != 0)
			return err;
		off += n;
		count -= n;
	}
	return 0;
}

/* --------------------------------------------------------------- space -- */

/*
 * How much space the extents in [off, off + len) would give back, if they
 * were dropped whole.
 */
static uint64_t
given_back(const struct mem_file *f, uint64_t off, uint64_t len)
{
	struct mem_pos pos = mem_map_find(&f->map, off);
	const struct mem_extent *e;
	uint64_t n = 0;

	for (; (e = mem_map_at(&f->map, pos)) != NULL &&
	    mem_extent_end(e) <= off + len;
	    pos = mem_map_next(&f->map, pos))
		if (e->off >= off && atomic_load(&e->b->maps) == 1)
			n += e->b->size;
	return n;
}

/* Take space for `size` bytes that replace a range. */
static bool
take_for(struct mem_file *f, uint32_t size, uint64_t off, uint32_t len)
{
	uint64_t back;

	if (mem_space_take(f->space, size))
		return true;
	back = given_back(f, off, len);
	if (size > back && !mem_space_take(f->space, size - back))
		return false;
	mem_space_force(f->space, size < back ? size : back);
	return true;
}

/* ------------------------------------------------------------ tidying up -- */

/* `n` bytes of an extent from `off` on, wherever they come from. */
static void
copy_bytes(uint8_t *to, const struct mem_extent *e, uint64_t off, uint32_t n)
{
	if (e->b->base == NULL)
		memset(to, 0, n);	/* reserved */
	else
		memcpy(to, e->b->base + e->skip + (off - e->off), n);
}

/* A block of these bytes, exactly. */
static struct mem_block *
copy_of(struct mem_file *f, const struct mem_extent *e)
{
	struct mem_block *b = mem_block_new(f->space, e->len);

	if (b != NULL) {
		copy_bytes(b->base, e, e->off, e->len);
		b->fill = e->len;
	}
	return b;
}

/*
 * A block of which little is left gives its memory back: what is left of it
 * is copied.  `origin` is where its first byte would be in the file.
 */
static void
tidy(struct mem_file *f, uint64_t off)
{
	struct mem_extent *e = mem_map_at(&f->map, mem_map_find(&f->map, off));
	struct mem_block *old, *b;
	uint64_t at, end;

	if (e == NULL || e->off > off)
		return;
	old = e->b;
	if (old->shared || old->base == NULL || old->size < MEM_BLOCK_BIG ||
	    old->live > old->size / 4)
		return;
	at = e->off < e->skip ? 0 : e->off - e->skip;
	end = e->off - e->skip + old->size;
	mem_block_get(old);
	while ((e = mem_map_at(&f->map, mem_map_find(&f->map, at))) != NULL &&
	    e->off < end) {
		at = mem_extent_end(e);
		if (e->b != old)
			continue;
		if ((b = copy_of(f, e)) == NULL)
			break;
		mem_space_force(f->space, b->size);
		if (mem_map_replace(&f->map, e->off, e->len, b) != 0) {
			mem_space_give(f->space, b->size);
			mem_block_free(b);
			break;
		}
	}
	mem_block_put(old);
}

/* The neighbours of a range that was written over or cut out. */
static void
tidy_around(struct mem_file *f, uint64_t off, uint64_t len)
{
	if (off > 0)
		tidy(f, off - 1);
	tidy(f, off + len);
}

/* --------------------------------------------------------------- write -- */

/* The payload becomes an extent.  ENOSPC: try to copy it. */
static int
write_keep(struct mem_file *f, uint64_t off, void *owner, void *base,
    uint32_t len)
{
	struct mem_block *b = mem_block_keep(f->space, owner, base, len);
	int err = 0;

	if (b == NULL) {
		pinefs_buf_put(owner);
		return ENOMEM;
	}
	if (!take_for(f, b->size, off, len)) {
		mem_block_free(b);
		return ENOSPC;
	}
	if ((err = mem_map_replace(&f->map, off, len, b)) != 0) {
		mem_space_give(f->space, b->size);
		mem_block_free(b);
		return err;
	}
	tidy_around(f, off, len);
	return 0;
}

/* Over bytes that are there, and that nobody else holds. */
static uint32_t
write_over(struct mem_extent *e, uint64_t off, const uint8_t *p, uint32_t len)
{
	uint32_t n = least(len, mem_extent_end(e) - off);

	memcpy(e->b->base + e->skip + (off - e->off), p, n);
	return n;
}

/*
 * Somebody else holds the bytes: they are replaced, and stay what they are
 * for whoever has them.  A small extent is copied whole, of a large one 64
 * KiB; the rest goes on sharing its block.
 */
static int
write_beside(struct mem_file *f, const struct mem_extent *e, uint64_t off,
    const uint8_t *p, uint32_t len, uint32_t *done)
{
	uint64_t from = e->off, to = mem_extent_end(e);
	struct mem_block *b;
	uint32_t n, size;
	int err;

	if (e->len > WINDOW) {
		if (from < (off & ~(uint64_t)(WINDOW - 1)))
			from = off & ~(uint64_t)(WINDOW - 1);
		if (to > from + WINDOW)
			to = from + WINDOW;
	}
	size = (uint32_t)(to - from);
	n = least(len, to - off);
	if ((b = mem_block_new(f->space, size)) == NULL)
		return ENOMEM;
	b->fill = size;
	if (n < size)
		copy_bytes(b->base, e, from, size);
	memcpy(b->base + (off - from), p, n);

	if (!take_for(f, b->size, from, size)) {
		mem_block_free(b);
		return ENOSPC;
	}
	if ((err = mem_map_replace(&f->map, from, size, b)) != 0) {
		mem_space_give(f->space, b->size);
		mem_block_free(b);
		return err;
	}
	tidy_around(f, from, size);
	*done = n;
	return 0;
}

/* The extent that ends at `off` and has bytes in memory, or NULL. */
static struct mem_extent *
extent_before(const struct mem_file *f, uint64_t off)
{
	struct mem_extent *e = mem_map_before(&f->map,
	    mem_map_find(&f->map, off));

	return e != NULL && mem_extent_end(e) == off && !e->b->far ? e : NULL;
}

/* Into the room that the block of the extent before has left. */
static uint32_t
write_behind(struct mem_file *f, uint64_t off, const uint8_t *p,
    uint32_t len, bool far)
{
	struct mem_extent *e = extent_before(f, off);
	struct mem_block *b;
	uint32_t n;

	if (e == NULL || (b = e->b)->shared || b->base == NULL ||
	    e->skip + e->len != b->fill)
		return 0;
	/* Replies may hold the block, but not the bytes behind its fill. */
	if ((n = least(len, b->size - b->fill)) == 0)
		return 0;
	memcpy(b->base + b->fill, p, n);
	b->fill += n;
	if (far) {
		mem_map_trim(&f->map, off, n);
		e = extent_before(f, off);	/* extents may have moved */
	}
	mem_map_grew(&f->map, e, n);
	return n;
}

static uint32_t
round_up(uint64_t n, uint32_t to)
{
	return (uint32_t)((n + to - 1) / to * to);
}

/*
 * How large a block for `need` bytes behind `before` (NULL: behind a hole)
 * should be, if `hole` bytes are free there.  Small files get what they
 * need; who writes on gets up to an eighth of what there is, so that little
 * is unused and a large file has large extents.
 */
static uint32_t
good_size(const struct mem_file *f, const struct mem_extent *before,
    uint32_t need, uint64_t hole)
{
	uint64_t size = need;

	if (before != NULL && before->len >= WINDOW)
		size = f->map.bytes / 8;
	if (size > MEM_BLOCK_MAX)
		size = MEM_BLOCK_MAX;
	if (before != NULL && before->len >= WINDOW && size < WINDOW)
		size = WINDOW;
	if (size < need)
		size = need;
	if (size > hole)
		size = hole;
	return size < MEM_BLOCK_BIG ? round_up(size, 64) : (uint32_t)size;
}

/*
 * An extent that grows by small pieces moves to a block of twice the size,
 * until it has 64 KiB: every byte is copied about once.
 */
static int
grow(struct mem_file *f, struct mem_extent *e, uint32_t need, uint64_t hole)
{
	uint64_t off = e->off, size = (uint64_t)e->len * 2;
	struct mem_block *b;
	int err;

	if (size < (uint64_t)e->len + need)
		size = (uint64_t)e->len + need;
	if (size > WINDOW)
		size = WINDOW;
	if (size - e->len > hole)
		size = e->len + hole;
	if (size < MEM_BLOCK_BIG)
		size = round_up(size, 64);
	if ((b = mem_block_new(f->space, (uint32_t)size)) == NULL)
		return ENOMEM;
	copy_bytes(b->base, e, off, e->len);
	b->fill = e->len;
	if (!take_for(f, b->size, off, e->len)) {
		mem_block_free(b);
		return ENOSPC;
	}
	if ((err = mem_map_replace(&f->map, off, e->len, b)) != 0) {
		mem_space_give(f->space, b->size);
		mem_block_free(b);
	}
	return err;
}

/* A block of about this size, and its space. */
static int
new_block(struct mem_file *f, uint32_t size, struct mem_block **to)
{
	struct mem_block *b = mem_block_new(f->space, size);

	if (b == NULL)
		return ENOMEM;
	if (!mem_space_take(f->space, b->size)) {
		mem_block_free(b);
		return ENOSPC;
	}
	*to = b;
	return 0;
}

/* Where nothing is, or something far. */
struct gap {
	uint64_t	len;
	bool		far;
};

/* A block of its own, as large as is good or as there is space for. */
static int
write_new(struct mem_file *f, const struct mem_extent *before, uint64_t off,
    const uint8_t *p, uint32_t len, struct gap gap, uint32_t *done)
{
	uint64_t hole = gap.len;
	uint32_t need = least(len < hole ? len : hole, MEM_BLOCK_MAX), left;
	struct mem_extent e = { .off = off };
	int err;

	err = new_block(f, good_size(f, before, need, hole), &e.b);
	if (err == ENOSPC) {
		/* Small ones are as small as they should be. */
		left = least(need, mem_space_left(f->space));
		if (left >= MEM_BLOCK_BIG)
			left = MEM_BLOCK_BIG - 1;
		err = left == 0 ? ENOSPC : new_block(f, left, &e.b);
	}
	if (err != 0)
		return err;
	e.len = need < e.b->size ? need : e.b->size;
	e.b->fill = e.len;
	memcpy(e.b->base, p, e.len);
	err = gap.far ? mem_map_replace(&f->map, off, e.len, e.b) :
	    mem_map_insert(&f->map, &e);
	if (err != 0) {
		mem_space_give(f->space, e.b->size);
		mem_block_free(e.b);
		return err;
	}
	*done = e.len;
	return 0;
}

static int
write_gap(struct mem_file *f, uint64_t off, const uint8_t *p, uint32_t len,
    struct gap gap, uint32_t *done)
{
	struct mem_extent *before;

	len = least(len, gap.len);
	if ((*done = write_behind(f, off, p, len, gap.far)) > 0)
		return 0;
	before = extent_before(f, off);
	if (before != NULL && before->len < WINDOW && !before->b->shared &&
	    grow(f, before, len, gap.len) == 0 &&
	    (*done = write_behind(f, off, p, len, gap.far)) > 0)
		return 0;
	/* Without the memory, or the space, to grow it: another one. */
	return write_new(f, extent_before(f, off), off, p, len, gap, done);
}

/* Where nothing is. */
static int
write_hole(struct mem_file *f, uint64_t off, const uint8_t *p, uint32_t len,
    uint32_t *done)
{
	const struct mem_extent *next = mem_map_at(&f->map,
	    mem_map_find(&f->map, off));
	struct gap gap = { next == NULL ? UINT64_MAX : next->off - off,
	    false };

	return write_gap(f, off, p, len, gap, done);
}

/* Over bytes that lie elsewhere. */
static int
write_far(struct mem_file *f, uint64_t off, const uint8_t *p, uint32_t len,
    uint32_t *done)
{
	struct gap gap = { .far = true };
	int err;

	if ((err = mem_map_split(&f->map, off)) != 0)
		return err;
	gap.len = mem_map_at(&f->map, mem_map_find(&f->map, off))->len;
	return write_gap(f, off, p, len, gap, done);
}

/* Copy; *done bytes were, also on failure. */
static int
write_copy(struct mem_file *f, uint64_t off, const uint8_t *p, uint32_t len,
    uint32_t *done)
{
	struct mem_extent *e;
	uint32_t n;
	int err = 0;

	for (*done = 0; *done < len; *done += n) {
		e = mem_map_at(&f->map, mem_map_find(&f->map, off + *done));
		n = 0;
		if (e == NULL || e->off > off + *done)
			err = write_hole(f, off + *done, p + *done,
			    len - *done, &n);
		else if (e->b->far)
			err = write_far(f, off + *done, p + *done,
			    len - *done, &n);
		else if (e->b->base != NULL && mem_block_is_private(e->b))
			n = write_over(e, off + *done, p + *done,
			    len - *done);
		else
			err = write_beside(f, e, off + *done, p + *done,
			    len - *done, &n);
		if (err != 0)
			break;
	}
	return err;
}

int
mem_file_write(struct mem_file *f, struct pinefs_write *w)
{
	const struct iovec *iov;
	unsigned i, n;
	uint32_t done = 0, len;
	void *owner;
	int err = 0;

	iov = pinefs_in_iov(w->in, &n);
	for (i = 0; i < n && err == 0; i++) {
		len = (uint32_t)iov[i].iov_len;
		owner = len >= MEM_BLOCK_BIG ? pinefs_in_keep(w->in, i) :
		    NULL;
		err = owner == NULL ? ENOSPC : write_keep(f,
		    w->off + w->written, owner, iov[i].iov_base, len);
		if (err == 0) {
			w->written += len;
		} else {
			err = write_copy(f, w->off + w->written,
			    iov[i].iov_base, len, &done);
			w->written += done;
		}
	}
	/* What was written is written; the next one is told why. */
	return w->written > 0 ? 0 : err;
}

/* -------------------------------------------------------- other changes -- */

void
mem_file_truncate(struct mem_file *f, uint64_t size)
{
	mem_map_truncate(&f->map, size);
	if (size > 0)
		tidy(f, size - 1);
}

int
mem_file_punch(struct mem_file *f, uint64_t off, uint64_t len)
{
	int err;

	if ((err = mem_map_split(&f->map, off)) != 0 ||
	    (err = mem_map_split(&f->map, off + len)) != 0)
		return err;
	mem_map_erase(&f->map, off, off + len);
	tidy_around(f, off, len);
	return 0;
}

/* The next hole in [off, end): *len is 0 if there is none. */
static void
next_hole(const struct mem_file *f, uint64_t *off, uint64_t end,
    uint64_t *len)
{
	struct mem_pos pos = mem_map_find(&f->map, *off);
	const struct mem_extent *e;

	while ((e = mem_map_at(&f->map, pos)) != NULL && e->off <= *off) {
		*off = mem_extent_end(e);
		pos = mem_map_next(&f->map, pos);
	}
	*len = 0;
	if (*off < end)
		*len = (e == NULL || e->off > end ? end : e->off) - *off;
}

/* How far the stretch at `off` of a hole reaches. */
static uint32_t
stretch(uint64_t off, uint64_t len)
{
	return least(WINDOW - off % WINDOW, len);
}

static uint64_t
space_for_hole(uint64_t off, uint64_t len)
{
	uint64_t sum = 0;
	uint32_t n;

	for (; len > 0; len -= n, off += n) {
		n = stretch(off, len);
		sum += mem_block_room(n);
	}
	return sum;
}

/* Zeros without memory, in stretches that a write can replace one by one. */
static int
reserve_hole(struct mem_file *f, uint64_t off, uint64_t len)
{
	struct mem_extent e = { .off = off };
	int err;

	for (; len > 0; len -= e.len, e.off += e.len) {
		e.len = stretch(e.off, len);
		if ((e.b = mem_block_reserve(f->space, e.len)) == NULL)
			return ENOMEM;
		if (!mem_space_take(f->space, e.b->size)) {
			mem_block_free(e.b);
			return ENOSPC;
		}
		if ((err = mem_map_insert(&f->map, &e)) != 0) {
			mem_space_give(f->space, e.b->size);
			mem_block_free(e.b);
			return err;
		}
	}
	return 0;
}

int
mem_file_reserve(struct mem_file *f, uint64_t off, uint64_t len)
{
	uint64_t end = off + len, at = off, n, sum = 0;
	uint64_t left = mem_space_left(f->space);
	int err = 0;

	for (next_hole(f, &at, end, &n); n > 0; next_hole(f, &at, end, &n)) {
		/* A hole takes no less than its length: no need to count. */
		if (n > left)
			return ENOSPC;
		sum += space_for_hole(at, n);
		if (sum > left)
			return ENOSPC;
		at += n;
	}
	at = off;
	for (next_hole(f, &at, end, &n); n > 0 && err == 0;
	    next_hole(f, &at, end, &n)) {
		err = reserve_hole(f, at, n);
		at += n;
	}
	return err;
}

/* ------------------------------------------------------------------ seek -- */

int
mem_file_seek(const struct mem_file *f, int what, uint64_t off,
    uint64_t *found)
{
	struct mem_pos pos = mem_map_find(&f->map, off);
	const struct mem_extent *e = mem_map_at(&f->map, pos);

	if (what == PINEFS_SEEK_DATA) {
		if (e == NULL)
			return ENXIO;
		*found = e->off > off ? e->off : off;
		return 0;
	}
	while (e != NULL && e->off <= off) {
		off = mem_extent_end(e);
		pos = mem_map_next(&f->map, pos);
		e = mem_map_at(&f->map, pos);
	}
	*found = off;
	return 0;
}

/* ----------------------------------------------------------------- clone -- */

int
mem_file_clone(struct mem_file *from, uint64_t from_off, struct mem_file *to,
    uint64_t to_off, uint64_t len)
{
	uint64_t end = from_off + len;
	struct mem_extent *e, copy;
	int err;

	if ((err = mem_map_split(&from->map, from_off)) != 0 ||
	    (err = mem_map_split(&from->map, end)) != 0 ||
	    (err = mem_file_punch(to, to_off, len)) != 0)
		return err;
	while (from_off < end) {
		e = mem_map_at(&from->map, mem_map_find(&from->map,
		    from_off));
		if (e == NULL || e->off >= end)
			break;
		from_off = mem_extent_end(e);
		copy = *e;
		copy.off = to_off + (e->off - (end - len));
		if (!e->b->shared)
			e->b->shared = true;	/* else others may look */
		if ((err = mem_map_insert(&to->map, &copy)) != 0)
			return err;
	}
	return 0;
}
