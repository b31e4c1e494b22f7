/*
 * One loop per core (PERFORMANCE: connections stay where they were born).
 * A turn: wait for readiness, let each ready connection receive, run and
 * answer, take what executors and resumed calls brought, hand over what is
 * to run elsewhere, run timers.
 *
 * Pools and connections belong to their loop and need no locks.  Only the
 * wake list and the inbox are touched by other threads.
 */
#ifndef RPC_LOOP_H
#define RPC_LOOP_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/chain.h"
#include "base/wheel.h"
#include "rpc/call.h"

struct rpc_server;
struct stats_cell;

/* What can be ready.  The first member of everything the poller watches. */
struct rpc_source {
	int	fd;
	/* `events`: LOOP_IN | LOOP_OUT | LOOP_GONE.  May free the source. */
	void	(*ready)(struct rpc_source *, struct rpc_loop *,
		    unsigned events);
};
enum { LOOP_IN = 1, LOOP_OUT = 2, LOOP_GONE = 4 };

/* A receive buffer: counted, since waiting calls point into it. */
struct rbuf {
	struct rbuf	*next;		/* in the pool */
	unsigned	 refs;
	size_t		 size;
	uint8_t		 data[];
};
enum { RBUF_SIZE = 64 << 10 };

enum { LOOP_MAX_EXECUTORS = 16, LOOP_COUNTERS = 12 };

/* Calls of this turn for one executor. */
struct loop_batch {
	struct rpc_executor	*executor;
	struct rpc_call		*first, **last;
};

/* Counted per loop, summed by whoever asks. */
enum rpc_counter { COUNT_CALLS, COUNT_BAD_RECORDS, COUNT_BAD_CALLS,
    COUNT_BAD_ARGS, COUNT_AUTH_REFUSED, COUNT_PEER_REFUSED, COUNT_REPLAYS,
    COUNT_TIMEOUTS, COUNT_ACCEPTED, COUNT_PAUSES, COUNT_SYSTEM_ERR,
    COUNT_UDP };

struct rpc_loop {
	struct rpc_server	*server;
	pthread_t		 thread;
	bool			 has_thread;
	int			 poll_fd;
	struct rpc_source	 wake;		/* an eventfd */
	_Atomic(struct rpc_call *) woken;	/* from other threads */
	_Atomic(struct loop_task *) inbox;	/* things to do here */
	atomic_bool		 stop;
	struct wheel		 wheel;
	uint64_t		 now_ms;	/* CLOCK_BOOTTIME, of this turn */

	struct rpc_call		*calls;		/* free ones */
	unsigned		 ncalls;
	struct rbuf		*rbufs;		/* free ones of RBUF_SIZE */
	unsigned		 nrbufs;
	struct chain_pool	 chunks;

	struct rpc_conn		*conns;		/* all of this loop */
	atomic_uint		 nconns;
	struct rpc_conn		*again;		/* have records in memory */
	struct rpc_conn		*dirty;		/* have replies to send */
	struct rpc_conn		*dead;		/* to free at the turn's end */
	struct loop_batch	 batch[LOOP_MAX_EXECUTORS];
	unsigned		 nbatches;
	atomic_uint		 in_flight;	/* calls not yet answered */
	atomic_uint		 unsent;	/* connections with replies that
						 * do not fit in the socket */
	atomic_uint_fast64_t	 count[LOOP_COUNTERS];
	_Atomic(struct stats_cell *) *cells;	/* stats.c: by place */
	uint64_t		 batch_ns;	/* it came, or the last reply
						 * left; 0: is not timed */
	uint64_t		 sampled_ms;
	unsigned		 batches;	/* since then */
};

/* Something to be done once on a loop's thread; from any thread. */
struct loop_task {
	struct loop_task	*next;
	void			(*fn)(struct loop_task *, struct rpc_loop *);
};

int	loop_init(struct rpc_loop *, struct rpc_server *);
void	loop_fini(struct rpc_loop *);
int	loop_start(struct rpc_loop *);		/* its thread */
/* One turn; waits at most timeout_ms (-1: until something happens). */
void	loop_turn(struct rpc_loop *, int timeout_ms);
void	loop_kick(struct rpc_loop *);		/* wake it; any thread */
void	loop_post(struct rpc_loop *, struct loop_task *);
void	loop_call_ready(struct rpc_loop *, struct rpc_call *); /* any thread */

/* The poller's seam (loop_epoll.c). */
int	poller_new(void);
int	poller_add(struct rpc_loop *, struct rpc_source *, unsigned events);
int	poller_set(struct rpc_loop *, struct rpc_source *, unsigned events);
void	poller_del(struct rpc_loop *, struct rpc_source *);
void	poller_wait(struct rpc_loop *, int timeout_ms);

struct rbuf *rbuf_new(struct rpc_loop *, size_t size);
void	rbuf_put(struct rpc_loop *, struct rbuf *);
/* A received payload, which was counted as memory of the server. */
void	rpc_bulk_put(struct rpc_loop *, struct pinefs_buf *);

/* Run this call, with others of the turn, on call->executor. */
void	loop_offload(struct rpc_loop *, struct rpc_call *);

static inline void
loop_count(struct rpc_loop *loop, enum rpc_counter c)
{
	/* Only this thread writes: no locked instruction needed. */
	atomic_store_explicit(&loop->count[c], 1 +
	    atomic_load_explicit(&loop->count[c], memory_order_relaxed),
	    memory_order_relaxed);
}

/* executor.c: hand over a batch. */
void	executor_submit(struct rpc_executor *, struct rpc_call *first,
	    struct rpc_call **last);

#endif
