/*
 * Output on its way to a socket: a queue of pieces, each either bytes that
 * were copied into a chunk of ours or bytes borrowed from somebody, who is
 * told (release) once they have left, or were dropped.
 *
 * Copied bytes that follow one another in a chunk make one piece, so that
 * the replies of one turn leave as one element of one writev.  A chunk lives
 * as long as a piece lies in it, or as long as it is the one being filled.
 * Everything here belongs to one thread.
 */
#ifndef BASE_CHAIN_H
#define BASE_CHAIN_H

#include <pinefs/memory.h>
#include <stdbool.h>
#include <sys/uio.h>

#define CHAIN_CHUNK	(16u << 10)	/* bytes of a pooled chunk, head included */

struct chain_pool;

struct chain_chunk {
	struct chain_chunk	*next;		/* in the pool */
	struct chain_pool	*pool;		/* NULL: from malloc, to free */
	uint32_t		 refs;
	uint32_t		 size;		/* of data */
	uint8_t			 data[];
};

/* Free chunks of one loop. */
struct chain_pool {
	struct chain_chunk	*free;
	unsigned		 n, max;
};

struct pinefs_chain {
	struct xdr_piece	*piece;		/* [head, head + n) of cap */
	unsigned		 head, n, cap;
	size_t			 bytes;		/* in all pieces */
	struct chain_chunk	*chunk;		/* being filled, or NULL */
	size_t			 fill;		/* bytes used of it */
	struct chain_pool	*pool;		/* may be NULL */
};

void	chain_pool_fini(struct chain_pool *);

void	chain_init(struct pinefs_chain *, struct chain_pool *);
/* Release everything. */
void	chain_fini(struct pinefs_chain *);

/*
 * Room for at least `need` bytes in one stretch, in *pos to *end: the rest
 * of the chunk being filled, or a new one.  ENOMEM.
 */
int	chain_room(struct pinefs_chain *, size_t need, uint8_t **pos,
	    uint8_t **end);
/* `len` bytes were written at the start of that room. */
int	chain_commit(struct pinefs_chain *, size_t len);
/* Append borrowed bytes; on ENOMEM the caller still owns them. */
int	chain_borrow(struct pinefs_chain *, const void *base, size_t len,
	    xdr_release_fn *, void *owner);
int	chain_borrow_piece(struct pinefs_chain *, const struct xdr_piece *);
/*
 * Back to an earlier state: only the first `pieces` pieces, the last of them
 * `tail` bytes long.  Nothing may have been consumed since.
 */
void	chain_cut(struct pinefs_chain *, unsigned pieces, size_t tail);

/* The first pieces as an iovec; the number of elements. */
unsigned chain_iov(const struct pinefs_chain *, struct iovec *,
	    unsigned max);
/* n bytes have left. */
void	chain_consume(struct pinefs_chain *, size_t n);
/*
 * The kernel did not find some bytes of the first `max` pieces (EFAULT): have
 * copies of those that may have vanished.  0; EFAULT: there was none; ENOMEM,
 * EIO and others: those bytes cannot be had.
 */
int	chain_own(struct pinefs_chain *, unsigned max);
/* Copy the last `len` bytes of the chain; for the replay cache.  An errno:
 * they cannot be had. */
int	chain_copy_tail(const struct pinefs_chain *, size_t len, uint8_t *to);
/* Nothing is queued: give memory back to the pool. */
void	chain_idle(struct pinefs_chain *);

#endif
