/* SPDX-License-Identifier: MIT */
/*
 * What the client caches (PYFS 8.2).
 *
 * What was written is not always how the value reads: `TRUE` becomes `True`.
 * If the reply to the call that binds it told of the new content, Linux would
 * take its own pages for that content and keep them.  So that reply carries
 * the attributes of what was written, and only the next look shows those of
 * the value: then the client drops its pages.
 *
 * Version 4 has a file open meanwhile, and while it writes Linux drops
 * nothing: for the client that wrote, what was written glows until it has
 * closed the file (the last GETATTR comes just before CLOSE, or after it).
 *
 * Guarded by a lock of its own: files are closed by any thread.
 */
#include "pyfs.h"

#define OF_A_REPLY	INT64_C(1000000000)	/* ns; calls are reused */
#define OF_AN_OPEN	INT64_C(30000000000)
#define OF_A_CLOSE	INT64_C(20000000)

uint64_t
glow_client(const struct pinefs_call *call)
{
	const char *client = pinefs_call_cred(call)->client;

	return client == NULL ? 0 : hash64(0, client, strlen(client));
}

int
glow_init(struct glows *all)
{
	return pthread_mutex_init(&all->lock, NULL);
}

void
glow_fini(struct glows *all)
{
	(void)pthread_mutex_destroy(&all->lock);
}

void
glow_keep(struct glows *all, const struct pinefs_call *call,
    uint64_t client, uint64_t id, const struct pinefs_attr *attr, bool open)
{
	struct glow *g;

	pthread_mutex_lock(&all->lock);
	g = &all->glow[all->next++ % GLOWS];
	*g = (struct glow){ .call = call, .client = client,
	    .id = id, .open = open, .attr = *attr,
	    .until = pyfs_clock() + (open ? OF_AN_OPEN : OF_A_REPLY) };
	pthread_mutex_unlock(&all->lock);
}

bool
glow_find(struct glows *all, const struct pinefs_call *call, uint64_t id,
    struct pinefs_attr *attr)
{
	struct glow *g;
	bool found = false;

	pthread_mutex_lock(&all->lock);
	for (g = all->glow; g < all->glow + GLOWS && !found; g++) {
		if (g->id != id || (g->open ? g->client != glow_client(call) :
		    g->call != call))
			continue;
		found = g->until > pyfs_clock();
		if (found)
			*attr = g->attr;
		if (!found || !g->open)
			g->id = 0;	/* for this reply, no other */
	}
	pthread_mutex_unlock(&all->lock);
	return found;
}

void
glow_close(struct glows *all, uint64_t id)
{
	struct glow *g;

	pthread_mutex_lock(&all->lock);
	for (g = all->glow; g < all->glow + GLOWS; g++)
		if (g->id == id && g->open)
			g->until = pyfs_clock() + OF_A_CLOSE;
	pthread_mutex_unlock(&all->lock);
}

/* Something else is there now. */
void
glow_forget(struct glows *all, uint64_t id)
{
	struct glow *g;

	pthread_mutex_lock(&all->lock);
	for (g = all->glow; g < all->glow + GLOWS; g++)
		if (g->id == id)
			g->id = 0;
	pthread_mutex_unlock(&all->lock);
}
