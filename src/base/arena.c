/* The memory of one call.  See pinefs/memory.h. */
#include <pinefs/memory.h>
#include <stdlib.h>

struct xdr_arena_chunk {
	struct xdr_arena_chunk	*next;
	_Alignas(16) uint8_t	 data[];
};

enum { CHUNK = 16384 };

void
xdr_arena_free_chunks(struct xdr_arena *a)
{
	struct xdr_arena_chunk *c;

	while ((c = a->chunks) != NULL) {
		a->chunks = c->next;
		free(c);
	}
	a->pos = a->end = a->first_end;
	a->left = a->budget;
}

/*
 * The caller's own first memory is not counted, further chunks are, whole:
 * the budget bounds what a message can make us ask malloc for.
 */
void *
xdr_arena_grow(struct xdr_arena *a, size_t n)
{
	struct xdr_arena_chunk *c;
	size_t size;

	if (n > a->left)
		return NULL;
	n = (n + 15) & ~(size_t)15;
	size = n > CHUNK ? n : CHUNK;
	if (size > a->left)
		size = a->left & ~(size_t)15;
	if (size < n)
		return NULL;
	if ((c = malloc(sizeof *c + size)) == NULL)
		return NULL;
	a->left -= size;
	c->next = a->chunks;
	a->chunks = c;
	/* A large one is for itself: go on filling the present one. */
	if (n >= CHUNK / 2 && (size_t)(a->end - a->pos) > size - n)
		return c->data;
	a->pos = c->data + n;
	a->end = c->data + size;
	return c->data;
}
