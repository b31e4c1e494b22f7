/*
 * Decoded blocks, in memory, of all archives of a server: the last used stay.
 */
#ifndef FS_TAR_BLOCKS_H
#define FS_TAR_BLOCKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a fuzzer makes is short: there it has many blocks all the same, and
 * decoders are allowed less memory. */
#ifdef PINEFS_FUZZ
enum { TAR_BLOCK_SIZE = 8 << 10 };
#else
enum { TAR_BLOCK_SIZE = 64 << 10 };
#endif

/* Counted.  Whoever made it may write until another one has it. */
struct tar_block {
	atomic_uint	refs;
	size_t		len;
	uint8_t		data[TAR_BLOCK_SIZE];
};

struct tar_block *tar_block_new(void);		/* NULL: no memory */
struct tar_block *tar_block_get(struct tar_block *);
void	tar_block_put(struct tar_block *);	/* also NULL */

struct tar_blocks;

/* At most so many bytes.  NULL: no memory. */
struct tar_blocks *tar_blocks_new(size_t bytes);
void	tar_blocks_free(struct tar_blocks *);
/* Block `n` of `owner`, for tar_block_put(); NULL: it is not there. */
struct tar_block *tar_blocks_find(struct tar_blocks *, const void *owner,
	    uint64_t n);
/* Keep it, too; a failure to do so harms nobody. */
void	tar_blocks_add(struct tar_blocks *, const void *owner, uint64_t n,
	    struct tar_block *);
/* The same with copies: of a part; false: it, or so much of it, is not there. */
bool	tar_blocks_get(struct tar_blocks *, const void *owner, uint64_t n,
	    size_t at, void *to, size_t len);
void	tar_blocks_put(struct tar_blocks *, const void *owner, uint64_t n,
	    const void *data, size_t len);
/* As tar_blocks_find(), and it is no longer there. */
struct tar_block *tar_blocks_take(struct tar_blocks *, const void *owner,
	    uint64_t n);
/* How many there can be. */
size_t	tar_blocks_room(const struct tar_blocks *);
/* The owner goes. */
void	tar_blocks_drop(struct tar_blocks *, const void *owner);

/*
 * Blocks that an owner keeps on its own, up to as many again as are cached:
 * may there be one more?
 */
bool	tar_blocks_borrow(struct tar_blocks *);
void	tar_blocks_return(struct tar_blocks *, size_t n);

#endif
