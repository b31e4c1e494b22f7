/*
 * What a server has done so far.  Each loop counts for itself; whoever asks
 * sums, from any thread, while they go on.
 */
#ifndef RPC_STATS_H
#define RPC_STATS_H

#include "rpc/server.h"

struct rpc_counts {
	uint64_t	count[LOOP_COUNTERS];	/* by enum rpc_counter */
	uint64_t	connections, in_flight, memory, loops;
};

void	 stats_counts(const struct rpc_server *, struct rpc_counts *);
/* "bad_records", of an enum rpc_counter. */
const char *stats_counter_name(unsigned);

#endif
