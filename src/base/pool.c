/* Objects for tables.  See pool.h. */
#include "base/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PER_CHUNK = 32 };

struct pool_chunk {
	struct pool_chunk	*next;
	_Alignas(16) uint8_t	 data[];
};

void
pool_init(struct pool *p, size_t size, unsigned limit)
{
	*p = (struct pool){ .limit = limit };
	p->size = (size + 15) & ~(size_t)15;
}

void
pool_fini(struct pool *p)
{
	struct pool_chunk *c;

	while ((c = p->chunks) != NULL) {
		p->chunks = c->next;
		free(c);
	}
	*p = (struct pool){ .size = p->size, .limit = p->limit };
}

static void
grow(struct pool *p)
{
	struct pool_chunk *c = malloc(sizeof *c + PER_CHUNK * p->size);
	struct pool_item *item;
	int i;

	if (c == NULL)
		return;
	c->next = p->chunks;
	p->chunks = c;
	for (i = PER_CHUNK - 1; i >= 0; i--) {
		item = (struct pool_item *)(void *)(c->data +
		    (size_t)i * p->size);
		item->next = p->free;
		p->free = item;
	}
}

void *
pool_take(struct pool *p)
{
	struct pool_item *item;

	if (p->used == p->limit)
		return NULL;
	if (p->free == NULL)
		grow(p);
	if ((item = p->free) == NULL)
		return NULL;
	p->free = item->next;
	p->used++;
	return memset(item, 0, p->size);
}

void
pool_give(struct pool *p, void *object)
{
	struct pool_item *item = object;

	if (item == NULL)
		return;
	item->next = p->free;
	p->free = item;
	p->used--;
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
