/* Objects for tables.  See pool.h. */
#include "base/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slab.h"

/*
 * Chunks are aligned to their size, so that an object tells its chunk.  Those
 * with a free object are in pool->room, the others in pool->full.  A chunk
 * that is free goes back, if there is another with room.
 */
enum { CHUNK = 64 << 10 };

struct pool_item {
	struct pool_item	*next;
};

struct pool_chunk {
	struct pool_chunk	*next, **prev;
	struct slab		*slab;
	struct pool_item	*free;
	unsigned		 used;		/* objects taken */
	unsigned		 touched;	/* ... at some time */
	_Alignas(16) uint8_t	 data[];
};

void
pool_init(struct pool *p, size_t size, unsigned limit)
{
	*p = (struct pool){ .limit = limit };
	p->size = (size + 15) & ~(size_t)15;
	p->per_chunk = (unsigned)((CHUNK - sizeof(struct pool_chunk)) /
	    p->size);
}

static void
list_add(struct pool_chunk **list, struct pool_chunk *c)
{
	if ((c->next = *list) != NULL)
		c->next->prev = &c->next;
	c->prev = list;
	*list = c;
}

static void
list_remove(struct pool_chunk *c)
{
	*c->prev = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
}

static void
chunk_free(struct pool_chunk *c)
{
	list_remove(c);
	slab_free(c, CHUNK, c->slab);
}

void
pool_fini(struct pool *p)
{
	while (p->room != NULL)
		chunk_free(p->room);
	while (p->full != NULL)
		chunk_free(p->full);
	p->used = 0;
}

/* A chunk with room, which is the first; NULL: no memory. */
static struct pool_chunk *
chunk_with_room(struct pool *p)
{
	struct pool_chunk *c = p->room;
	struct slab *slab;

	if (c != NULL || (c = slab_alloc(CHUNK, &slab)) == NULL)
		return c;
	*c = (struct pool_chunk){ .slab = slab };
	list_add(&p->room, c);
	return c;
}

void *
pool_take(struct pool *p)
{
	struct pool_chunk *c;
	struct pool_item *item;

	if (p->used >= p->limit || (c = chunk_with_room(p)) == NULL)
		return NULL;
	if ((item = c->free) != NULL)
		c->free = item->next;
	else
		item = (struct pool_item *)(void *)(c->data +
		    c->touched++ * p->size);
	if (++c->used == p->per_chunk) {
		list_remove(c);
		list_add(&p->full, c);
	}
	p->used++;
	return memset(item, 0, p->size);
}

void
pool_give(struct pool *p, void *object)
{
	struct pool_item *item = object;
	struct pool_chunk *c;

	if (item == NULL)
		return;
	c = (struct pool_chunk *)((uintptr_t)object & ~(uintptr_t)(CHUNK - 1));
	item->next = c->free;
	c->free = item;
	p->used--;
	if (c->used-- == p->per_chunk) {
		list_remove(c);
		list_add(&p->room, c);
	}
	if (c->used == 0 && (p->room != c || c->next != NULL))
		chunk_free(c);
}

struct pool_bytes *
pool_bytes_new(const void *data, size_t len)
{
	struct pool_bytes *b = malloc(sizeof *b + len);

	if (b == NULL)
		return NULL;
	b->refs = 1;
	b->len = len;
	if (data != NULL && len > 0)
		memcpy(b->data, data, len);
	return b;
}

void
pool_bytes_put(struct pool_bytes *b)
{
	if (b != NULL && --b->refs == 0)
		free(b);
}

void *
pool_zalloc(size_t size)
{
	return calloc(1, size);
}

void
pool_zfree(void *object)
{
	free(object);
}
