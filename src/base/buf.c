/* Counted stretches of memory.  See buf.h. */
#include "base/buf.h"

#include <stdlib.h>

#include "base/slab.h"

enum { PAGE = 4096 };

struct pinefs_buf *
buf_new(size_t len)
{
	struct pinefs_buf *b;

	if (len > SIZE_MAX / 2 || (b = malloc(sizeof *b)) == NULL)
		return NULL;
	b->size = len == 0 ? PAGE : (len + PAGE - 1) & ~(size_t)(PAGE - 1);
	b->len = len;
	atomic_init(&b->refs, 1);
	if ((b->base = slab_alloc(b->size, &b->slab)) == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

void *
pinefs_buf_alloc(size_t len, void **base)
{
	struct pinefs_buf *b = buf_new(len);

	if (b != NULL)
		*base = b->base;
	return b;
}

size_t
pinefs_buf_room(size_t len)
{
	return slab_room(len == 0 ? 1 : len);
}

void
pinefs_buf_get(void *owner)
{
	struct pinefs_buf *b = owner;

	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
}

void
pinefs_buf_put(void *owner)
{
	struct pinefs_buf *b = owner;

	if (b == NULL || atomic_fetch_sub_explicit(&b->refs, 1,
	    memory_order_acq_rel) != 1)
		return;
	slab_free(b->base, b->size, b->slab);
	free(b);
}
