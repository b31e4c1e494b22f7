/*
 * A compressed archive, inside: packed.c joins
 *
 *	pass.c	decodes it once, in the order of its bytes; leaves points on
 *		the way, and keeps what lies too far behind them
 *	live.c	decodes a part of it again, from the nearest point
 *	saved.c	what of this outlives the process
 *
 * Lock order: pass_lock, lock, and then those of the cache and the store.
 */
#ifndef FS_TAR_PACKED_IMPL_H
#define FS_TAR_PACKED_IMPL_H

#include <pthread.h>

#include "packed.h"
#include "points.h"
#include "run.h"
#include "store.h"

/* A block that ends no further than span and this behind a point is decoded
 * from there. */
#define TAR_SPAN_MORE	((uint64_t)4 * TAR_BLOCK_SIZE)

enum { TAR_LIVE = 4, TAR_RECENT = 4, TAR_FLYING = 32,
    TAR_PENDING = 1024 + 64,	/* blocks: a little over 64 MiB */
    TAR_PENDING_FEW = 32 };

/* A block in the store. */
struct tar_kept {
	uint64_t	n;
	struct tar_blob	blob;
};

/* A decoder that stays where it was, for who reads on. */
struct tar_live {
	struct tar_run	run;
	bool		begun;		/* there is one */
	bool		valid;		/* and it stands before block `next` */
	bool		busy;		/* with next ... target */
	bool			lately;		/* used, since a rest */
	uint64_t	next, target;
	uint64_t	used;		/* when */
};

/* A stream of reads. */
struct tar_recent {
	uint64_t	next;		/* block */
	unsigned	run;		/* that many behind each other */
};

struct packed {
	struct tar_source	 source;
	const struct tar_codec	*codec;
	struct tar_packed_config config;
	int			 fd;
	uint64_t		 fd_size;
	struct tar_units	 units;
	struct tar_store	 store;
	_Atomic uint64_t	 size;		/* that can be read */
	atomic_bool		 whole;		/* there is no more */
	_Atomic uint64_t	 decoded, again;

	pthread_mutex_t		 lock;		/* from here on */
	pthread_cond_t		 changed;	/* monotonic */
	int			 err;		/* of the store: no more */
	bool			 closing;
	struct tar_points	 points;
	bool			 cheap;		/* to begin at the first */
	struct tar_kept		*kept;		/* in the order of n */
	uint64_t		 nkept, kept_cap;	/* 0: borrowed */
	bool			 told;		/* of a damaged store */

	/* Decoded, and not in the store yet: blocks first ... */
	struct tar_block	*pending[TAR_PENDING];
	unsigned		 head, npending, lent;
	uint64_t		 first;
	bool			 flow;		/* to the store */
	bool			 over;		/* no more come */
	bool			 writing, written;	/* a thread is/was */
	pthread_t		 writer;

	struct tar_live		 live[TAR_LIVE];
	uint64_t		 uses;
	uint64_t		 flying[TAR_FLYING];	/* out of the store */
	unsigned		 nflying;
	struct tar_recent	 recent[TAR_RECENT];
	unsigned		 nrecent, holds;

	/* The pass. */
	pthread_mutex_t		 pass_lock;
	struct tar_run		 run;
	struct tar_block	*block, *spare;
};

/* Decode until `to` bytes are there, or all; `patience`: at most so many
 * bytes, and some ms for who else does it, then EAGAIN. */
int	tar_pass_to(struct packed *, uint64_t to, bool patience);
/* Ends the writer's thread. */
void	tar_pass_end(struct packed *);
/* Is block `n` decoded from a point?  With the lock. */
bool	tar_pass_covers(const struct packed *, uint64_t n);

/*
 * Block `n`, decoded from the last point before it.  `far`: however far that
 * is.  With the lock, which it lets go; EAGAIN: look for it anew.
 */
int	tar_live_get(struct packed *, uint64_t n, bool far,
	    struct tar_block **);
/* Frees those not used since the last time.  With the lock. */
void	tar_live_rest(struct packed *);
void	tar_live_end(struct packed *);

/* Its store is damaged: said once.  Without the lock. */
void	tar_store_tell(struct packed *);

int	tar_saved_put(struct packed *, tar_sink_fn *, void *arg);
/* ESTALE: of no use. */
int	tar_saved_get(struct packed *, const void *base, size_t len);

/* How long block `n` is. */
static inline size_t
tar_block_len(struct packed *p, uint64_t n)
{
	uint64_t left = atomic_load(&p->size) - n * TAR_BLOCK_SIZE;

	return left < TAR_BLOCK_SIZE ? (size_t)left : TAR_BLOCK_SIZE;
}

#endif
