/*
 * Pages for payloads and extents: pieces of one size class cut from slabs of
 * 2 MiB, so that what is freed is used again at once, a slab whose pieces are
 * all free goes back to the system, and malloc's heaps are not torn to
 * shreds by blocks that live long.
 *
 * Classes are the powers of two from 4 KiB to 1 MiB; a larger piece is a
 * mapping of its own.  From any thread.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>

struct slab;

/*
 * Page-aligned, not cleared; *slab is needed to free it.  NULL without
 * memory.
 */
void	*slab_alloc(size_t size, struct slab **slab);
/* What a piece of `size` bytes takes up. */
size_t	 slab_room(size_t size);
void	 slab_free(void *base, size_t size, struct slab *slab);

#endif
