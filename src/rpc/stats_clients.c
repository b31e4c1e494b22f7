/* Who is connected: loops are asked.  See stats.h. */
#include <stdlib.h>

#include "rpc/conn.h"
#include "rpc/stats.h"

enum { MAX_OF_LOOP = 4096 };	/* the newest */

struct part {
	struct loop_task	 task;	/* first */
	struct stats_clients	*all;
	struct stats_client	*v;
	unsigned		 n;
	atomic_bool		 there;
};

struct stats_clients {
	atomic_uint	refs;		/* of who asked, and of the loops */
	unsigned	nparts;
	struct part	part[];
};

static void
describe(const struct rpc_conn *c, struct stats_client *to)
{
	*to = (struct stats_client){ .proven = c->peer.proven,
	    .uid = c->peer.uid, .in_flight = c->in_flight,
	    .calls = c->calls, .received = c->received, .sent = c->sent };
	memcpy(to->name, c->peer.name, sizeof to->name);
}

/* On the loop. */
static void
fill(struct loop_task *task, struct rpc_loop *loop)
{
	struct part *p = (struct part *)task;
	const struct rpc_conn *c;
	unsigned n = 0;

	for (c = loop->conns; c != NULL && n < MAX_OF_LOOP; c = c->next)
		n += !c->outgoing;
	p->v = n == 0 ? NULL : calloc(n, sizeof *p->v);
	for (c = loop->conns; p->v != NULL && c != NULL && p->n < n;
	    c = c->next)
		if (!c->outgoing)
			describe(c, &p->v[p->n++]);
	atomic_store(&p->there, true);
	stats_clients_put(p->all);
}

int
stats_clients_ask(struct rpc_server *s, struct stats_clients **to)
{
	struct stats_clients *all;
	unsigned i;

	all = calloc(1, sizeof *all + s->nloops * sizeof all->part[0]);
	if (all == NULL)
		return ENOMEM;
	atomic_store(&all->refs, s->nloops + 1);
	all->nparts = s->nloops;
	*to = all;
	for (i = 0; i < s->nloops; i++) {
		all->part[i].task.fn = fill;
		all->part[i].all = all;
		loop_post(&s->loops[i], &all->part[i].task);
	}
	return 0;
}

bool
stats_clients_ready(const struct stats_clients *all)
{
	unsigned i;

	for (i = 0; i < all->nparts; i++)
		if (!atomic_load(&all->part[i].there))
			return false;
	return true;
}

struct stats_client *
stats_clients_list(const struct stats_clients *all, unsigned *n)
{
	struct stats_client *v;
	const struct part *p;
	unsigned i, most = 0;

	*n = 0;
	for (i = 0; i < all->nparts; i++)
		if (atomic_load(&all->part[i].there))
			most += all->part[i].n;
	if (most == 0 || (v = calloc(most, sizeof *v)) == NULL)
		return NULL;
	for (i = 0; i < all->nparts; i++) {
		p = &all->part[i];
		/* One that came just now may not fit any more. */
		if (!atomic_load(&p->there) || p->n > most - *n)
			continue;
		if (p->n > 0)
			memcpy(v + *n, p->v, p->n * sizeof *v);
		*n += p->n;
	}
	return v;
}

void
stats_clients_put(struct stats_clients *all)
{
	unsigned i;

	if (all == NULL || atomic_fetch_sub(&all->refs, 1) != 1)
		return;
	for (i = 0; i < all->nparts; i++)
		free(all->part[i].v);
	free(all);
}
