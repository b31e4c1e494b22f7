/*
 * What a file consists of: extents in the order of their offsets, with holes
 * between them.
 *
 *	chunk[0] ----> extent extent extent ...	(at most CHUNK of them)
 *	chunk[1] ----> extent extent ...
 *
 * A place is found by two binary searches; an insertion moves at most one
 * chunk's extents and, once in some sixty, the pointers behind it.  So a
 * million extents in any order cost what a balanced tree would, in far less
 * memory, and a file of one extent is a pointer and an extent.
 */
#ifndef FS_MEM_MAP_H
#define FS_MEM_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct mem_block;

struct mem_extent {
	uint64_t		 off;
	uint32_t		 len;
	uint32_t		 skip;		/* where in the block */
	struct mem_block	*b;		/* held */
};

struct mem_chunk;
struct mem_map {
	struct mem_chunk	**chunk;	/* none is empty */
	uint32_t		 n, cap;
	struct mem_chunk	*only;		/* room for one */
	uint64_t		 bytes;		/* in all extents */
};

/* A place between or at extents; valid until the map changes. */
struct mem_pos {
	uint32_t	c, i;
};

static inline uint64_t
mem_extent_end(const struct mem_extent *e)
{
	return e->off + e->len;
}

void	mem_map_fini(struct mem_map *);
/* The first extent that ends behind `off`. */
struct mem_pos mem_map_find(const struct mem_map *, uint64_t off);
/* The extent there, or NULL at the end. */
struct mem_extent *mem_map_at(const struct mem_map *, struct mem_pos);
struct mem_pos mem_map_next(const struct mem_map *, struct mem_pos);
/* The extent before it, or NULL. */
struct mem_extent *mem_map_before(const struct mem_map *, struct mem_pos);

/* Add an extent, into a hole; it holds its block.  ENOMEM: nothing was done. */
int	mem_map_insert(struct mem_map *, const struct mem_extent *);
/* Let no extent cross `off`.  ENOMEM: nothing was done. */
int	mem_map_split(struct mem_map *, uint64_t off);
/* Drop the extents in [from, to), which cuts none (see split). */
void	mem_map_erase(struct mem_map *, uint64_t from, uint64_t to);
/* Drop everything from `size` on. */
void	mem_map_truncate(struct mem_map *, uint64_t size);
/*
 * Put `b`, from its start, in the place of what is in [off, off + len).
 * ENOMEM: nothing is lost.
 */
int	mem_map_replace(struct mem_map *, uint64_t off, uint32_t len,
	    struct mem_block *b);
/* Drop the first `n` bytes of the extent that begins at `off`. */
void	mem_map_trim(struct mem_map *, uint64_t off, uint32_t n);
/* The last bytes of an extent became more (its block had room). */
void	mem_map_grew(struct mem_map *, struct mem_extent *, uint32_t more);

#endif
