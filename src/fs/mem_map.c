/* The extents of a file.  See mem_map.h. */
#include "mem_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mem_block.h"

enum { CHUNK = 128, FIRST = 1 };

struct mem_chunk {
	uint32_t		n, cap;
	struct mem_extent	e[];
};

/* ---------------------------------------------------------------- places -- */

struct mem_pos
mem_map_find(const struct mem_map *m, uint64_t off)
{
	uint32_t lo = 0, hi = m->n, mid;
	const struct mem_chunk *c;
	struct mem_pos pos = { m->n, 0 };

	/* The first chunk whose last extent ends behind `off`. */
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = m->chunk[mid];
		if (mem_extent_end(&c->e[c->n - 1]) > off)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (lo == m->n)
		return pos;
	pos.c = lo;
	c = m->chunk[lo];
	lo = 0;
	hi = c->n;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (mem_extent_end(&c->e[mid]) > off)
			hi = mid;
		else
			lo = mid + 1;
	}
	pos.i = lo;
	return pos;
}

struct mem_extent *
mem_map_at(const struct mem_map *m, struct mem_pos pos)
{
	return pos.c < m->n ? &m->chunk[pos.c]->e[pos.i] : NULL;
}

struct mem_pos
mem_map_next(const struct mem_map *m, struct mem_pos pos)
{
	if (++pos.i == m->chunk[pos.c]->n) {
		pos.i = 0;
		pos.c++;
	}
	return pos;
}

struct mem_extent *
mem_map_before(const struct mem_map *m, struct mem_pos pos)
{
	if (pos.i > 0)
		return &m->chunk[pos.c]->e[pos.i - 1];
	if (pos.c == 0)
		return NULL;
	return &m->chunk[pos.c - 1]->e[m->chunk[pos.c - 1]->n - 1];
}

/* ---------------------------------------------------------------- chunks -- */

/* Put a chunk into the list of chunks. */
static int
add_chunk(struct mem_map *m, uint32_t at, struct mem_chunk *c)
{
	struct mem_chunk **list;
	uint32_t cap;

	if (m->cap == 0) {
		m->chunk = &m->only;
		m->cap = 1;
	}
	if (m->n == m->cap) {
		cap = m->cap < 4 ? 4 : m->cap * 2;
		list = realloc(m->chunk == &m->only ? NULL : m->chunk,
		    cap * sizeof(struct mem_chunk *));
		if (list == NULL)
			return ENOMEM;
		if (m->chunk == &m->only)
			list[0] = m->only;
		m->chunk = list;
		m->cap = cap;
	}
	memmove(&m->chunk[at + 1], &m->chunk[at],
	    (m->n - at) * sizeof *m->chunk);
	m->chunk[at] = c;
	m->n++;
	return 0;
}

static void
drop_chunks(struct mem_map *m, uint32_t from, uint32_t to)
{
	struct mem_chunk *only;

	memmove(&m->chunk[from], &m->chunk[to],
	    (m->n - to) * sizeof *m->chunk);
	m->n -= to - from;
	if (m->n <= 1 && m->chunk != &m->only) {
		only = m->n == 1 ? m->chunk[0] : NULL;
		free(m->chunk);
		m->only = only;
		m->chunk = &m->only;
		m->cap = 1;
	}
}

static struct mem_chunk *
new_chunk(uint32_t cap)
{
	struct mem_chunk *c = malloc(sizeof *c + cap * sizeof c->e[0]);

	if (c != NULL) {
		c->n = 0;
		c->cap = cap;
	}
	return c;
}

/* Room for one more in chunk pos->c; *pos may move to another chunk. */
static int
make_room(struct mem_map *m, struct mem_pos *pos)
{
	struct mem_chunk *c = m->chunk[pos->c], *more;
	uint32_t half;

	if (c->n < c->cap)
		return 0;
	if (c->cap < CHUNK) {
		more = realloc(c, sizeof *c + c->cap * 2 * sizeof c->e[0]);
		if (more == NULL)
			return ENOMEM;
		more->cap *= 2;
		m->chunk[pos->c] = more;
		return 0;
	}
	/*
	 * Full: half of it becomes a chunk of its own; nothing of it, where
	 * extents are added at the end, so that a file written from its
	 * start has full chunks.
	 */
	half = pos->i == c->n && pos->c == m->n - 1 ? c->n : c->n / 2;
	if ((more = new_chunk(CHUNK)) == NULL)
		return ENOMEM;
	if (add_chunk(m, pos->c + 1, more) != 0) {
		free(more);
		return ENOMEM;
	}
	more->n = c->n - half;
	memcpy(more->e, &c->e[half], more->n * sizeof more->e[0]);
	c->n = half;
	if (pos->i >= half) {
		pos->c++;
		pos->i -= half;
	}
	return 0;
}

/* A place at which an extent before *pos can be inserted. */
static int
insert_room(struct mem_map *m, struct mem_pos *pos)
{
	struct mem_chunk *c;

	if (m->n == 0) {
		if ((c = new_chunk(FIRST)) == NULL)
			return ENOMEM;
		if (add_chunk(m, 0, c) != 0) {
			free(c);
			return ENOMEM;
		}
		pos->c = pos->i = 0;
		return 0;
	}
	/* Behind the last of a chunk rather than before the first of one. */
	if (pos->i == 0 && pos->c > 0) {
		pos->c--;
		pos->i = m->chunk[pos->c]->n;
	}
	return make_room(m, pos);
}

static void
put_extent(struct mem_map *m, struct mem_pos pos, const struct mem_extent *e)
{
	struct mem_chunk *c = m->chunk[pos.c];

	memmove(&c->e[pos.i + 1], &c->e[pos.i],
	    (c->n - pos.i) * sizeof c->e[0]);
	c->e[pos.i] = *e;
	c->n++;
}

/* --------------------------------------------------------------- extents -- */

int
mem_map_insert(struct mem_map *m, const struct mem_extent *e)
{
	struct mem_pos pos = mem_map_find(m, e->off);
	int err;

	if ((err = insert_room(m, &pos)) != 0)
		return err;
	put_extent(m, pos, e);
	mem_block_map(e->b, e->len);
	m->bytes += e->len;
	return 0;
}

int
mem_map_split(struct mem_map *m, uint64_t off)
{
	struct mem_pos pos = mem_map_find(m, off);
	struct mem_extent *e = mem_map_at(m, pos), tail;
	uint32_t head;
	int err;

	if (e == NULL || e->off >= off)
		return 0;
	head = (uint32_t)(off - e->off);
	tail = (struct mem_extent){ off, e->len - head, e->skip + head,
	    e->b };
	pos.i++;	/* behind it, in the same chunk */
	if ((err = make_room(m, &pos)) != 0)
		return err;
	e = mem_map_before(m, pos);
	e->len = head;
	put_extent(m, pos, &tail);
	mem_block_cut(tail.b, tail.len);
	mem_block_map(tail.b, tail.len);
	return 0;
}

static void
forget(struct mem_map *m, struct mem_extent *e)
{
	m->bytes -= e->len;
	mem_block_unmap(e->b, e->len);
}

/* Two neighbours that fit into one chunk become one. */
static void
join(struct mem_map *m, uint32_t at)
{
	struct mem_chunk *a, *b;

	if (at + 1 >= m->n)
		return;
	a = m->chunk[at];
	b = m->chunk[at + 1];
	if (a->n + b->n > CHUNK / 2 || a->n + b->n > a->cap)
		return;
	memcpy(&a->e[a->n], b->e, b->n * sizeof a->e[0]);
	a->n += b->n;
	free(b);
	drop_chunks(m, at + 1, at + 2);
}

/* Drop extents [from, to) of one chunk. */
static void
erase_in(struct mem_map *m, struct mem_chunk *c, uint32_t from, uint32_t to)
{
	uint32_t i;

	for (i = from; i < to; i++)
		forget(m, &c->e[i]);
	memmove(&c->e[from], &c->e[to], (c->n - to) * sizeof c->e[0]);
	c->n -= to - from;
}

/* How many extents of a chunk begin before `off`. */
static uint32_t
begin_before(const struct mem_chunk *c, uint64_t off)
{
	uint32_t lo = 0, hi = c->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (c->e[mid].off < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void
mem_map_erase(struct mem_map *m, uint64_t from, uint64_t to)
{
	struct mem_pos pos = mem_map_find(m, from);
	uint32_t c, empty = m->n, end = m->n, stop;

	for (c = pos.c; c < m->n; c++, pos.i = 0) {
		stop = begin_before(m->chunk[c], to);
		if (stop > pos.i)
			erase_in(m, m->chunk[c], pos.i, stop);
		if (m->chunk[c]->n == 0) {
			free(m->chunk[c]);
			if (empty == m->n)
				empty = c;
			end = c + 1;
		} else if (pos.i < m->chunk[c]->n) {
			break;		/* something is left behind `to` */
		}
	}
	if (empty < m->n)
		drop_chunks(m, empty, end);
	if (pos.c < m->n)
		join(m, pos.c);
	if (pos.c > 0)
		join(m, pos.c - 1);
}

void
mem_map_truncate(struct mem_map *m, uint64_t size)
{
	struct mem_extent *e = mem_map_at(m, mem_map_find(m, size));
	uint32_t more;

	if (e != NULL && e->off < size) {
		more = (uint32_t)(mem_extent_end(e) - size);
		e->len -= more;
		m->bytes -= more;
		mem_block_cut(e->b, more);
	}
	mem_map_erase(m, size, UINT64_MAX);
}

int
mem_map_replace(struct mem_map *m, uint64_t off, uint32_t len,
    struct mem_block *b)
{
	struct mem_extent e = { off, len, 0, b }, *old;
	struct mem_pos pos;
	int err;

	if ((err = mem_map_split(m, off)) != 0 ||
	    (err = mem_map_split(m, off + len)) != 0)
		return err;
	old = mem_map_at(m, mem_map_find(m, off));
	if (old == NULL || old->off >= off + len)
		return mem_map_insert(m, &e);

	/* The first one's place is taken over; that cannot fail. */
	mem_map_erase(m, mem_extent_end(old), off + len);
	pos = mem_map_find(m, off);
	old = mem_map_at(m, pos);
	forget(m, old);
	*old = e;
	mem_block_map(b, len);
	m->bytes += len;
	return 0;
}

void
mem_map_trim(struct mem_map *m, uint64_t off, uint32_t n)
{
	struct mem_extent *e = mem_map_at(m, mem_map_find(m, off));

	if (n == e->len) {
		mem_map_erase(m, off, off + n);
		return;
	}
	e->off += n;
	e->skip += n;
	e->len -= n;
	m->bytes -= n;
	mem_block_cut(e->b, n);
}

void
mem_map_grew(struct mem_map *m, struct mem_extent *e, uint32_t more)
{
	e->len += more;
	e->b->live += more;
	m->bytes += more;
}

void
mem_map_fini(struct mem_map *m)
{
	mem_map_erase(m, 0, UINT64_MAX);
	if (m->chunk != &m->only)
		free(m->chunk);
	memset(m, 0, sizeof *m);
}
