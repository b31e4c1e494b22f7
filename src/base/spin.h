/*
 * A lock of four bytes for what is held for less than a microsecond, or for
 * the copying of a small write: nodes and shards have one each.  It spins,
 * then gives up the processor, since the holder may need it; it is not fair.
 */
#ifndef BASE_SPIN_H
#define BASE_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>

struct spin {
	atomic_uint	held;		/* zeroed: free */
};

/* The part of spin_lock that waits. */
void	spin_wait(struct spin *);

static inline void
spin_lock(struct spin *s)
{
	if (atomic_exchange_explicit(&s->held, 1, memory_order_acquire) != 0)
		spin_wait(s);
}

/* False: somebody has it. */
static inline bool
spin_try(struct spin *s)
{
	return atomic_exchange_explicit(&s->held, 1, memory_order_acquire) ==
	    0;
}

static inline void
spin_unlock(struct spin *s)
{
	atomic_store_explicit(&s->held, 0, memory_order_release);
}

#endif
