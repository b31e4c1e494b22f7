/*
 * The memory of memfs and of tarfs's overlay: blocks, counted, and the space
 * they take.
 *
 * A block is held by extents of files (`maps`) and by replies on their way to
 * a socket (the rest of `refs`).  Whoever writes into one must know that no
 * reply holds it and no other file: mem_block_is_private.  Bytes behind
 * `fill` are nobody's yet, so a file may append there at any time.
 *
 * Space is charged for a block while a file holds it; a reply that outlives
 * the file's interest is the server's to bound, not ours.
 *
 * A far block stands for bytes that lie elsewhere and never change: those of
 * an archive.  It takes no space, and whoever has extents of one reads them
 * by himself.
 */
#ifndef FS_MEM_BLOCK_H
#define FS_MEM_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem_space {
	uint64_t		limit;
	_Atomic uint64_t	used;
};

/* False: there is not so much left. */
bool	mem_space_take(struct mem_space *, uint64_t bytes);
void	mem_space_give(struct mem_space *, uint64_t bytes);
/* Also beyond the limit: what it replaces is given right after. */
void	mem_space_force(struct mem_space *, uint64_t bytes);
uint64_t mem_space_left(struct mem_space *);

enum {
	MEM_BLOCK_MAX = 1 << 20,
	MEM_BLOCK_BIG = 16 << 10	/* from here on page-aligned memory */
};

struct mem_block {
	atomic_uint		 refs;
	atomic_uint		 maps;
	uint32_t		 size;		/* which is what it takes up */
	uint32_t		 fill;
	uint32_t		 live;		/* in extents; unless shared */
	bool			 shared;	/* with another file, once */
	bool			 far;		/* shared, and base is NULL */
	uint8_t			*base;		/* NULL: reserved, all zero */
	union {
		void		*owner;		/* of base: a pinefs_buf */
		uint64_t	 at;		/* far: of the first byte */
	};
	struct mem_space	*space;
};

/* What a block for `size` bytes takes up. */
uint32_t mem_block_room(uint32_t size);
/*
 * All four: no references yet; the first extent holds it.  Its `size`, at
 * least what was asked for, is taken from the space by the caller before
 * that, and given back when the last extent lets go.  NULL without memory.
 */
struct mem_block *mem_block_new(struct mem_space *, uint32_t size);
/* Zeros without memory. */
struct mem_block *mem_block_reserve(struct mem_space *, uint32_t size);
/* Memory that `owner` keeps and that is ours now. */
struct mem_block *mem_block_keep(struct mem_space *, void *owner,
	    void *base, uint32_t len);
/* Bytes that lie elsewhere, from `at` on. */
struct mem_block *mem_block_far(struct mem_space *, uint64_t at);
/* One that was never held. */
void	mem_block_free(struct mem_block *);

/* Another extent holds it; or one less. */
void	mem_block_map(struct mem_block *, uint32_t len);
void	mem_block_unmap(struct mem_block *, uint32_t len);
/* An extent of it became shorter. */
void	mem_block_cut(struct mem_block *, uint32_t len);

/* A reply holds it; mem_block_put is its release. */
void	mem_block_get(struct mem_block *);
void	mem_block_put(void *block);

/* May the bytes of extents be written over?  Under the file's lock. */
bool	mem_block_is_private(const struct mem_block *);

#endif
