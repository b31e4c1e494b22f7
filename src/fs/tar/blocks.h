/*
 * Decoded blocks, in memory, of all archives of a server: the last used stay.
 */
#ifndef FS_TAR_BLOCKS_H
#define FS_TAR_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAR_BLOCK_SIZE = 128 << 10 };

struct tar_blocks;

/* At most so many bytes.  NULL: no memory. */
struct tar_blocks *tar_blocks_new(size_t bytes);
void	tar_blocks_free(struct tar_blocks *);
/* Copy a part of block `n` of `owner`; false: it is not there. */
bool	tar_blocks_get(struct tar_blocks *, const void *owner, uint64_t n,
	    size_t at, void *to, size_t len);
/* A whole block; a failure to keep it harms nobody. */
void	tar_blocks_put(struct tar_blocks *, const void *owner, uint64_t n,
	    const void *data, size_t len);
/* The owner goes. */
void	tar_blocks_drop(struct tar_blocks *, const void *owner);

#endif
