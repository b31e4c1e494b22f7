/*
 * Memory with a known life: views of bytes that belong to somebody else,
 * pieces that are given back when they were sent, and an arena that goes
 * with one call.  Shared by the XDR runtime and everything that hands bytes
 * to a reply.
 */
#ifndef PINEFS_MEMORY_H
#define PINEFS_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------- views -- */

/* Called once when borrowed bytes are no longer needed. */
typedef void xdr_release_fn(void *owner);

/* Copies `len` bytes at `from`, which lie in a piece of this owner.  errno. */
typedef int xdr_copy_fn(void *owner, void *to, const void *from, size_t len);

/* Bytes that belong to somebody: `release(owner)` gives them back. */
struct xdr_piece {
	const void	*base;
	size_t		 len;
	xdr_release_fn	*release;	/* NULL: nothing to give back */
	void		*owner;
	xdr_copy_fn	*copy;		/* NULL: they are there to be read */
};

/*
 * Copies `len` bytes of a piece, from its byte `off` on.  Where it has `copy`,
 * the only way to see them: they may vanish from memory at any time, which a
 * system call like sendmsg(2) answers with EFAULT, and a load with SIGBUS.
 * 0 or an errno.
 */
static inline int
xdr_piece_copy(const struct xdr_piece *p, size_t off, void *to, size_t len)
{
	const char *from = (const char *)p->base + off;

	if (p->copy != NULL)
		return p->copy(p->owner, to, from, len);
	memcpy(to, from, len);
	return 0;
}

/*
 * An opaque or a string.  Decoded: points into the received record (not
 * NUL-terminated) and lives as long as it.  To be encoded: the caller's
 * bytes; or, with npieces > 0, `data` is an array of that many struct
 * xdr_piece which together hold `len` bytes.  Pieces go out by reference:
 * encoding one moves its `release` into the chain (and sets it NULL here).
 */
struct xdr_view {
	const void	*data;
	uint32_t	 len;
	uint32_t	 npieces;
};

static inline struct xdr_view
xdr_view(const void *data, uint32_t len)
{
	struct xdr_view v = { data, len, 0 };

	return v;
}

/* ------------------------------------------------------------- arena -- */

/*
 * Memory of one call: allocated by moving a pointer, freed all at once.
 * Never gives more than its budget, whatever a message claims.
 */
struct xdr_arena_chunk;
struct xdr_arena {
	uint8_t			*pos, *end;	/* room in the current chunk */
	struct xdr_arena_chunk	*chunks;	/* malloc'ed ones, newest first */
	uint8_t			*first, *first_end; /* the caller's own memory */
	size_t			 left;		/* of the budget */
	size_t			 budget;
};

/* `mem` (may be NULL, aligned for any type) is used before malloc is. */
static inline void
xdr_arena_init(struct xdr_arena *a, void *mem, size_t size, size_t budget)
{
	a->pos = a->first = (uint8_t *)mem;
	a->end = a->first_end = mem == NULL ? NULL : (uint8_t *)mem +
	    (size & ~(size_t)15);
	a->chunks = NULL;
	a->left = a->budget = budget;
}
/* What was asked of malloc; there is no room until a reset. */
void	 xdr_arena_free_chunks(struct xdr_arena *);
/* Free everything but `mem`; the arena can be used again at once. */
static inline void
xdr_arena_reset(struct xdr_arena *a)
{
	if (a->chunks != NULL)
		xdr_arena_free_chunks(a);
	a->pos = a->first;
}
/* The part of xdr_arena_alloc that asks for another chunk. */
void	*xdr_arena_grow(struct xdr_arena *, size_t n);

/* n bytes, aligned for any type, not cleared; NULL: over budget, or none. */
static inline void *
xdr_arena_alloc(struct xdr_arena *a, size_t n)
{
	void *p = a->pos;

	/*
	 * The room is a multiple of 16, so what fits, fits rounded up.  An
	 * arena without memory yet must not move its null pointer by 0.
	 */
	if (n >= (size_t)(a->end - a->pos))
		return xdr_arena_grow(a, n);
	a->pos += (n + 15) & ~(size_t)15;
	return p;
}

static inline void *
xdr_arena_zalloc(struct xdr_arena *a, size_t n)
{
	void *p = xdr_arena_alloc(a, n);

	return p == NULL ? NULL : memset(p, 0, n);
}

#ifdef __cplusplus
}
#endif

#endif
