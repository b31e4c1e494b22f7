/*
 * Objects of one size for tables of state: zeroed when taken, at most `limit`
 * of them, so that what strangers can make us keep has an end, and given back
 * to the system when they are gone.  At most 32 KiB each.  Used by one thread
 * at a time.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool_chunk;

struct pool {
	size_t			 size;
	unsigned		 per_chunk, limit, used;
	struct pool_chunk	*room, *full;
};

void	 pool_init(struct pool *, size_t size, unsigned limit);
/* Frees what is still taken, too. */
void	 pool_fini(struct pool *);
/* NULL: at the limit, or no memory. */
void	*pool_take(struct pool *);
void	 pool_give(struct pool *, void *);

/*
 * A counted copy of bytes that outlives its call (`data` NULL: room for you
 * to fill); NULL without memory.
 */
struct pool_bytes {
	unsigned	refs;
	size_t		len;
	unsigned char	data[];
};
struct pool_bytes *pool_bytes_new(const void *data, size_t len);
void	 pool_bytes_put(struct pool_bytes *);

/* One zeroed object of a table's owner; NULL without memory. */
void	*pool_zalloc(size_t size);
void	 pool_zfree(void *);

#endif
