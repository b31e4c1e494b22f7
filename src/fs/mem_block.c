/* Blocks and space.  See mem_block.h. */
#include "mem_block.h"

#include <pinefs.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------- space -- */

bool
mem_space_take(struct mem_space *s, uint64_t bytes)
{
	uint64_t used = atomic_load_explicit(&s->used, memory_order_relaxed);

	do {
		if (used > s->limit || bytes > s->limit - used)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&s->used, &used,
	    used + bytes, memory_order_relaxed, memory_order_relaxed));
	return true;
}

void
mem_space_give(struct mem_space *s, uint64_t bytes)
{
	atomic_fetch_sub_explicit(&s->used, bytes, memory_order_relaxed);
}

void
mem_space_force(struct mem_space *s, uint64_t bytes)
{
	atomic_fetch_add_explicit(&s->used, bytes, memory_order_relaxed);
}

uint64_t
mem_space_left(struct mem_space *s)
{
	uint64_t used = atomic_load_explicit(&s->used, memory_order_relaxed);

	return used < s->limit ? s->limit - used : 0;
}

/* -------------------------------------------------------------- blocks -- */

/* Memory of the large ones comes in powers of two: use and count it all. */
uint32_t
mem_block_room(uint32_t size)
{
	return size < MEM_BLOCK_BIG ? size : (uint32_t)pinefs_buf_room(size);
}

struct mem_block *
mem_block_new(struct mem_space *space, uint32_t size)
{
	bool big = size >= MEM_BLOCK_BIG;
	struct mem_block *b = malloc(sizeof *b + (big ? 0 : size));
	void *base;

	if (b == NULL)
		return NULL;
	memset(b, 0, sizeof *b);
	b->size = mem_block_room(size);
	b->space = space;
	b->base = (uint8_t *)(b + 1);
	if (big) {
		b->owner = pinefs_buf_alloc(b->size, &base);
		if (b->owner == NULL) {
			free(b);
			return NULL;
		}
		b->base = base;
	}
	return b;
}

struct mem_block *
mem_block_reserve(struct mem_space *space, uint32_t size)
{
	struct mem_block *b = calloc(1, sizeof *b);

	if (b != NULL) {
		b->size = b->fill = mem_block_room(size);
		b->space = space;
	}
	return b;
}

struct mem_block *
mem_block_keep(struct mem_space *space, void *owner, void *base,
    uint32_t len)
{
	struct mem_block *b = calloc(1, sizeof *b);

	if (b != NULL) {
		b->size = mem_block_room(len);
		b->fill = b->size;	/* what lies behind is not ours */
		b->space = space;
		b->owner = owner;
		b->base = base;
	}
	return b;
}

struct mem_block *
mem_block_far(struct mem_space *space, uint64_t at)
{
	struct mem_block *b = calloc(1, sizeof *b);

	if (b != NULL) {
		b->shared = b->far = true;
		b->at = at;
		b->space = space;
	}
	return b;
}

void
mem_block_free(struct mem_block *b)
{
	if (!b->far && b->owner != NULL)
		pinefs_buf_put(b->owner);
	free(b);
}

void
mem_block_get(struct mem_block *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
}

void
mem_block_put(void *block)
{
	struct mem_block *b = block;

	if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
		mem_block_free(b);
}

void
mem_block_map(struct mem_block *b, uint32_t len)
{
	atomic_fetch_add_explicit(&b->maps, 1, memory_order_relaxed);
	mem_block_get(b);
	if (!b->shared)
		b->live += len;
}

void
mem_block_unmap(struct mem_block *b, uint32_t len)
{
	mem_block_cut(b, len);
	if (atomic_fetch_sub_explicit(&b->maps, 1,
	    memory_order_acq_rel) == 1)
		mem_space_give(b->space, b->size);
	mem_block_put(b);
}

void
mem_block_cut(struct mem_block *b, uint32_t len)
{
	if (!b->shared)
		b->live -= len;
}

bool
mem_block_is_private(const struct mem_block *b)
{
	/*
	 * Replies take references under the lock of a file that holds the
	 * block, so without sharing their number cannot rise here.
	 */
	return !b->shared && atomic_load_explicit(&b->refs,
	    memory_order_acquire) == atomic_load_explicit(&b->maps,
	    memory_order_relaxed);
}
