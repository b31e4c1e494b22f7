/* What a server has to tell of itself, to the log.  See report.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "server/report.h"

enum { WAIT_MS = 200, SHOWN = 100 };

static void
log_counts(const struct rpc_counts *c)
{
	char line[768];
	size_t n = 0;
	unsigned i;

	for (i = 0; i < LOOP_COUNTERS && n < sizeof line; i++)
		if (c->count[i] > 0)
			n += (size_t)snprintf(line + n, sizeof line - n,
			    ", %s %" PRIu64, stats_counter_name(i),
			    c->count[i]);
	log_info("state: %" PRIu64 " connections, %" PRIu64 " calls in "
	    "flight, %" PRIu64 " bytes of buffers%s", c->connections,
	    c->in_flight, c->memory, n == 0 ? "" : line);
}

static void
log_row(const struct stats_row *row)
{
	char status[16], times[96] = "";

	if (row->timed > 0)
		snprintf(times, sizeof times, ", p50 %.1f us, p99 %.1f us",
		    (double)stats_quantile(row, 0.5) / 1000,
		    (double)stats_quantile(row, 0.99) / 1000);
	log_info("state: %s %s %s: %" PRIu64 "%s",
	    row->program->service->name, stats_name(row), stats_status(row,
	    status, sizeof status), row->count, times);
}

static void
log_client(const struct stats_client *c)
{
	log_info("state: client %s: %" PRIu64 " calls, %" PRIu64
	    " bytes received, %" PRIu64 " sent, %u in flight", c->name,
	    c->calls, c->received, c->sent, c->in_flight);
}

static struct stats_clients *
ask_clients(struct pinefs_server *s)
{
	struct timespec ms = { 0, 1000000 };
	struct stats_clients *clients;
	unsigned i;

	if (stats_clients_ask(s->rpc, &clients) != 0)
		return NULL;
	for (i = 0; i < WAIT_MS && !stats_clients_ready(clients); i++)
		nanosleep(&ms, NULL);
	return clients;
}

void
report_log(struct pinefs_server *s)
{
	struct stats_clients *clients = ask_clients(s);
	struct report r;
	unsigned i;

	report_take(s, clients, &r);
	stats_clients_put(clients);
	log_counts(&r.counts);
	for (i = 0; i < r.nrows; i++)
		log_row(&r.rows[i]);
	for (i = 0; i < r.nclients && i < SHOWN; i++)
		log_client(&r.clients[i]);
	if (r.nclients > SHOWN)
		log_info("state: and %u clients more", r.nclients - SHOWN);
	report_free(&r);
}
