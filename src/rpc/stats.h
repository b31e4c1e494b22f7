/*
 * What a server has done so far.  Each loop counts for itself, calls by
 * program, version, procedure and status; whoever asks sums, from any thread,
 * while they go on.
 *
 * While somebody watches, how long calls take is counted as well, in
 * log-linear histograms: a clock is read once for what one receive brought,
 * and once for each reply, which is where the next call of that batch begins.
 * A clock takes a twentieth of what a cheap call does: where much comes, one
 * batch of 17 is timed.  And so are the parts of calls that are made of
 * several (COMPOUND), all of them.
 */
#ifndef RPC_STATS_H
#define RPC_STATS_H

#include "rpc/server.h"

/* ------------------------------------------------------ for who asks -- */

struct rpc_counts {
	uint64_t	count[LOOP_COUNTERS];	/* by enum rpc_counter */
	uint64_t	connections, in_flight, memory, loops;
};

void	 stats_counts(const struct rpc_server *, struct rpc_counts *);
/* "bad_records", of an enum rpc_counter. */
const char *stats_counter_name(unsigned);

/*
 * Buckets: one below 64 ns, then 8 for each doubling, and the last for all
 * of 34 s and more.
 */
enum { STATS_LOWEST = 6, STATS_STEPS = 8, STATS_OCTAVES = 29,
    STATS_BUCKETS = 2 + STATS_STEPS * STATS_OCTAVES };

/* Not answered with results: STATS_REFUSED + enum rpc_accept_stat. */
enum { STATS_REFUSED = 0x40000000, STATS_OTHERS = 0x7fffffff };

struct stats_row {
	const struct rpc_program *program;
	uint32_t	number;		/* of the procedure, or part */
	uint32_t	status;
	bool		part;		/* of a COMPOUND */
	uint64_t	count;		/* calls */
	uint64_t	timed, ns;	/* of those watched: how many, sum */
	uint64_t	bucket[STATS_BUCKETS];
};

/* All that have been counted, by program, number and status; to be freed. */
int	 stats_rows(const struct rpc_server *, struct stats_row **,
	    unsigned *n);
/* What has been added since `before`, of the same server. */
void	 stats_subtract(struct stats_row *, unsigned n,
	    const struct stats_row *before, unsigned nbefore);
/* So many ns or less took the part `q` of the timed calls; 0: none was. */
uint64_t stats_quantile(const struct stats_row *, double q);
/* The ns that bucket `i` ends at; UINT64_MAX: the last. */
uint64_t stats_bucket_end(unsigned i);

const char *stats_name(const struct stats_row *);	/* "READ" */
/* "NFS3ERR_NOENT", "GARBAGE_ARGS", "10099". */
const char *stats_status(const struct stats_row *, char *to, size_t size);

/* A connection that came in. */
struct stats_client {
	char		name[56];	/* "127.0.0.1:1012" */
	bool		proven;
	uint32_t	uid;		/* if proven */
	uint32_t	in_flight;
	uint64_t	calls, received, sent;
};

/*
 * Of these only their loops know, each of its own: they are asked, and answer
 * when they have a moment.  stats_clients_ready: have all?  The list may be
 * had before, and has those that have then; it lives until the put.
 */
struct stats_clients;
int	 stats_clients_ask(struct rpc_server *, struct stats_clients **);
bool	 stats_clients_ready(const struct stats_clients *);
/* To be freed; NULL and none without memory. */
struct stats_client *stats_clients_list(const struct stats_clients *,
	    unsigned *n);
void	 stats_clients_put(struct stats_clients *);

/*
 * Each reply is told to `fn`, on its loop's thread, from now on, or (NULL) no
 * more; counted; who traces, traces all.  `row` has what a call is counted as;
 * program, proc, args and results of the call are there.
 */
void	 stats_trace(struct rpc_server *, stats_trace_fn *, void *arg);

/* Somebody watches from now on, or no more; counted. */
void	 stats_watch(struct rpc_server *, bool on);

/* --------------------------------------------------------- for loops -- */

/* One status of one row, of one loop. */
struct stats_cell {
	_Atomic(struct stats_cell *)	 next;
	uint32_t			 status;
	atomic_uint_fast64_t		 count;
	_Atomic(struct stats_times *)	 times;	/* once it was watched */
};

/* Once all programs are there, before any loop. */
int	stats_open(struct rpc_server *);
void	stats_close(struct rpc_server *);
int	stats_loop_open(struct rpc_loop *);
void	stats_loop_close(struct rpc_loop *);

/* A reply is ready. */
void	stats_reply(struct rpc_call *, enum rpc_accept_stat);

static inline bool
stats_watched(const struct rpc_loop *loop)
{
	return atomic_load_explicit(&loop->server->watched,
	    memory_order_acquire) != 0;
}

/* Bytes have come: what they hold begins now, if it is to be timed. */
void	stats_batch(struct rpc_loop *);
/* The same for one call that is timed in any case. */
void	stats_begin(struct rpc_call *);

#endif
