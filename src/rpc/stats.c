/* What a server has done so far.  See stats.h. */
#include "rpc/stats.h"

const char *
stats_counter_name(unsigned c)
{
	static const char *const names[] = {
		[COUNT_CALLS] = "calls",
		[COUNT_BAD_RECORDS] = "bad_records",
		[COUNT_BAD_CALLS] = "bad_calls",
		[COUNT_BAD_ARGS] = "bad_args",
		[COUNT_AUTH_REFUSED] = "auth_refused",
		[COUNT_PEER_REFUSED] = "peer_refused",
		[COUNT_REPLAYS] = "replays",
		[COUNT_TIMEOUTS] = "timeouts",
		[COUNT_ACCEPTED] = "accepted",
		[COUNT_PAUSES] = "pauses",
		[COUNT_SYSTEM_ERR] = "system_err",
		[COUNT_UDP] = "udp",
	};

	_Static_assert(sizeof names / sizeof names[0] == LOOP_COUNTERS,
	    "every counter has a name");
	return names[c];
}

void
stats_counts(const struct rpc_server *s, struct rpc_counts *to)
{
	const struct rpc_loop *loop;
	unsigned i, c;

	*to = (struct rpc_counts){ .loops = s->nloops,
	    .connections = atomic_load(&s->nconns),
	    .memory = atomic_load(&s->memory) };
	for (i = 0; i < s->nloops; i++) {
		loop = &s->loops[i];
		to->in_flight += atomic_load(&loop->in_flight);
		for (c = 0; c < LOOP_COUNTERS; c++)
			to->count[c] += atomic_load_explicit(&loop->count[c],
			    memory_order_relaxed);
	}
}
