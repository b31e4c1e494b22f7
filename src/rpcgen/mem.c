/* SPDX-License-Identifier: MIT */
/* Memory of one run of the compiler, and the tables of names in it. */
#include "mem.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks grow: from a size on, calloc need not clear them. */
enum { BLOCK_MIN = 64 << 10, BLOCK_MAX = 1 << 20 };

/* What was asked of the system. */
struct mem_piece {
	struct mem_piece *next, **back;
	max_align_t bytes[];
};

static void
link_in(struct mem *mem, struct mem_piece *b)
{
	b->back = &mem->pieces;
	b->next = mem->pieces;
	if (b->next != NULL)
		b->next->back = &b->next;
	mem->pieces = b;
}

static void
unlink_it(struct mem_piece *b)
{
	*b->back = b->next;
	if (b->next != NULL)
		b->next->back = b->back;
}

void
mem_init(struct mem *mem, size_t budget, jmp_buf *give_up)
{
	*mem = (struct mem){ .left = budget, .give_up = give_up,
	    .block = BLOCK_MIN };
}

void
mem_fini(struct mem *mem)
{
	struct mem_piece *b, *next;

	for (b = mem->pieces; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	*mem = (struct mem){ 0 };
}

/* `size` bytes, aligned for nothing. */
static char *
take(struct mem *mem, size_t size)
{
	struct mem_piece *b;
	size_t room;
	char *p;

	if (size > mem->left)
		longjmp(*mem->give_up, ENOMEM);
	if (size > (size_t)(mem->end - mem->pos)) {
		room = size > mem->block ? size : mem->block;
		if ((b = calloc(1, sizeof *b + room)) == NULL)
			longjmp(*mem->give_up, ENOMEM);
		if (mem->block < BLOCK_MAX)
			mem->block *= 2;
		link_in(mem, b);
		mem->pos = (char *)b->bytes;
		mem->end = mem->pos + room;
	}
	p = mem->pos;
	mem->pos += size;
	mem->left -= size;
	return p;
}

void *
mem_alloc(struct mem *mem, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	size_t skip = -(uintptr_t)mem->pos & (align - 1);

	/* A string may stand before it; or nothing aligned fits behind. */
	if (skip > (size_t)(mem->end - mem->pos))
		mem->pos = mem->end;
	else if (skip > 0)
		mem->pos += skip;
	return take(mem, size);
}

void *
mem_grow(struct mem *mem, const void *old, size_t old_n, size_t n, size_t size)
{
	void *p;

	if (n > SIZE_MAX / size)
		longjmp(*mem->give_up, ENOMEM);
	p = mem_alloc(mem, n * size);
	if (old_n > 0)
		memcpy(p, old, old_n * size);
	return p;
}

void *
mem_block(struct mem *mem, void *old, size_t old_size, size_t size)
{
	struct mem_piece *b = NULL, *new;

	if (size - old_size > mem->left)
		longjmp(*mem->give_up, ENOMEM);
	if (old != NULL) {
		b = (struct mem_piece *)(void *)((char *)old -
		    offsetof(struct mem_piece, bytes));
		unlink_it(b);
	}
	if ((new = realloc(b, sizeof *new + size)) == NULL) {
		if (b != NULL)
			link_in(mem, b);
		longjmp(*mem->give_up, ENOMEM);
	}
	link_in(mem, new);
	mem->left -= size - old_size;
	return new->bytes;
}

char *
mem_strndup(struct mem *mem, const char *s, size_t len)
{
	char *p = take(mem, len + 1);

	memcpy(p, s, len);
	return p;
}

/* What does not fit is only counted. */
static size_t
append(char *to, size_t room, size_t at, const char *from)
{
	size_t n = strlen(from);

	if (at < room)
		memcpy(to + at, from, n < room - at ? n : room - at);
	return at + n;
}

static size_t
append_number(char *to, size_t room, size_t at, unsigned n)
{
	char digits[3 * sizeof n + 1], *p = digits + sizeof digits - 1;

	*p = '\0';
	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return append(to, room, at, p);
}

/* Nearly all that is printed is names put together; of a run it was half. */
int
mem_format(char *to, size_t room, const char *fmt, va_list ap)
{
	const char *start = fmt;
	size_t at = 0;
	va_list all;
	int len;

	va_copy(all, ap);
	for (; *fmt != '\0'; fmt++) {
		if (*fmt != '%') {
			if (at < room)
				to[at] = *fmt;
			at++;
		} else if (*++fmt == 's') {
			at = append(to, room, at, va_arg(ap, const char *));
		} else if (*fmt == 'u') {
			at = append_number(to, room, at,
			    va_arg(ap, unsigned));
		} else {
			len = vsnprintf(to, room, start, all);
			va_end(all);
			return len;
		}
	}
	va_end(all);
	if (room > 0)
		to[at < room ? at : room - 1] = '\0';
	return at > INT_MAX ? -1 : (int)at;
}

char *
mem_vprintf(struct mem *mem, const char *fmt, va_list ap)
{
	size_t room = (size_t)(mem->end - mem->pos);
	va_list again;
	char *p;
	int len;

	/* Into what is left of the block, where it mostly fits. */
	va_copy(again, ap);
	len = mem_format(mem->pos, room, fmt, ap);
	if (len < 0)
		longjmp(*mem->give_up, EOVERFLOW);
	p = mem->pos;
	if ((size_t)len < room && room <= mem->left) {
		(void)take(mem, (size_t)len + 1);
	} else {
		/* What did not fit must not be found by who wants zeros. */
		if (room > 0)
			memset(p, 0, room);
		p = take(mem, (size_t)len + 1);
		(void)mem_format(p, (size_t)len + 1, fmt, again);
	}
	va_end(again);
	return p;
}

char *
mem_printf(struct mem *mem, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = mem_vprintf(mem, fmt, ap);
	va_end(ap);
	return p;
}

void
map_init(struct map *map, struct mem *mem)
{
	*map = (struct map){ .mem = mem };
	map->last = &map->first;
}

/* FNV-1a.  Its keys are the user's own file, so it needs no secret. */
static uint64_t
hash(const char *key)
{
	uint64_t h = 14695981039346656037u;

	while (*key != '\0')
		h = (h ^ (unsigned char)*key++) * 1099511628211u;
	return h ^ h >> 29;
}

static struct map_entry **
slot(const struct map *map, const char *key, uint64_t h)
{
	size_t i = h & (map->size - 1);
	const struct map_entry *e;

	while ((e = map->slots[i]) != NULL &&
	    (e->hash != h || strcmp(e->key, key) != 0))
		i = (i + 1) & (map->size - 1);
	return &map->slots[i];
}

void *
map_get(const struct map *map, const char *key)
{
	const struct map_entry *e;

	if (map->used == 0)
		return NULL;
	e = *slot(map, key, hash(key));
	return e != NULL ? e->value : NULL;
}

static void
map_double(struct map *map)
{
	struct map_entry *e;

	map->size = map->size > 0 ? map->size * 2 : 64;
	map->slots = mem_grow(map->mem, NULL, 0, map->size,
	    sizeof(struct map_entry *));
	for (e = map->first; e != NULL; e = e->next)
		*slot(map, e->key, e->hash) = e;
}

void
map_put(struct map *map, const char *key, void *value)
{
	struct map_entry **s, *e;
	uint64_t h = hash(key);

	if (map->used * 4 >= map->size * 3)
		map_double(map);
	s = slot(map, key, h);
	if (*s != NULL) {
		(*s)->value = value;
		return;
	}
	e = MEM_NEW(map->mem, struct map_entry);
	e->key = key;
	e->hash = h;
	e->value = value;
	*map->last = e;
	map->last = &e->next;
	*s = e;
	map->used++;
}

enum { NEAR_MAX = 64 };	/* longer names get no suggestion */

static bool
same_letter(char a, char b)
{
	if (a >= 'A' && a <= 'Z')
		a = (char)(a - 'A' + 'a');
	if (b >= 'A' && b <= 'Z')
		b = (char)(b - 'A' + 'a');
	return a == b;
}

/* Edits that turn `a` into `b`; a difference in case only counts as one. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NEAR_MAX + 1], i, j, diagonal, above, best;
	size_t na = strlen(a), nb = strlen(b);

	if (na > NEAR_MAX || nb > NEAR_MAX)
		return SIZE_MAX;
	for (j = 0; j <= nb; j++)
		row[j] = j;
	for (i = 1; i <= na; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= nb; j++) {
			above = row[j];
			best = diagonal + !same_letter(a[i - 1], b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[nb] > 0 || strcmp(a, b) == 0 ? row[nb] : 1;
}

const struct map_entry *
map_nearest(const struct map *map, const char *name)
{
	const struct map_entry *e, *found = NULL;
	size_t d, best = strlen(name) / 3 + 1;

	if (best > 4)
		best = 4;
	for (e = map->first; e != NULL; e = e->next) {
		d = distance(name, e->key);
		if (d < best) {
			best = d;
			found = e;
		}
	}
	return found;
}
