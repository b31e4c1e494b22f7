/*
 * Who waits for a lock (RFC 8881 9.4, 20.11).  LOCK never waits: who asked for
 * a blocking one was told who holds it, and asks again now and then.  Where
 * the client can be called back, it is told when that is worth while.
 *
 * A file keeps those in the order in which they came.  When ranges go, all
 * who could have theirs now are told, and forgotten; who is late and denied
 * again stands at the end.  None gets a lock kept for him: he may have given
 * up long ago, which nobody says.
 */
#include "nfs/nfs4_deleg.h"

enum { MOST = 256 };		/* of one client */

struct nfs4_blocked {
	struct nfs4_blocked	*next, **prev;	/* of the file */
	struct nfs4_blocked	*client_next, **client_prev;
	struct nfs4_client	*client;
	struct pool_bytes	*owner;
	const struct vfs_export	*export;
	uint64_t		 start, end;
	bool			 write;
};

void
nfs4_blocked_init(struct nfs4 *n)
{
	pool_init(&n->opens->blocked, sizeof(struct nfs4_blocked),
	    n->limits.ranges);
}

static void
drop(struct nfs4 *n, struct nfs4_blocked *b)
{
	*b->prev = b->next;
	if (b->next != NULL)
		b->next->prev = b->prev;
	*b->client_prev = b->client_next;
	if (b->client_next != NULL)
		b->client_next->client_prev = b->client_prev;
	b->client->nblocked--;
	pool_bytes_put(b->owner);
	pool_give(&n->opens->blocked, b);
}

void
nfs4_blocked_drop_client(struct nfs4 *n, struct nfs4_client *c)
{
	while (c->blocked != NULL)
		drop(n, c->blocked);
}

void
nfs4_blocked_drop_file(struct nfs4 *n, struct nfs4_file *f)
{
	while (f->blocked != NULL)
		drop(n, f->blocked);
}

static bool
is_of(const struct pool_bytes *id, const struct nfs4_blocked *b)
{
	return id->len == b->owner->len &&
	    memcmp(id->data, b->owner->data, id->len) == 0;
}

static struct nfs4_blocked *
find(const struct nfs4_file *f, const struct nfs4_owner *o, uint64_t start,
    uint64_t end)
{
	struct nfs4_blocked *b = f->blocked;

	while (b != NULL && (b->client != o->client || b->start != start ||
	    b->end != end || !is_of(o->id, b)))
		b = b->next;
	return b;
}

void
nfs4_blocked_forget(struct nfs4 *n, const struct nfs4_file *f,
    const struct nfs4_owner *o, uint64_t start, uint64_t end)
{
	struct nfs4_blocked *b = find(f, o, start, end);

	if (b != NULL)
		drop(n, b);
}

void
nfs4_blocked_note(struct nfs4_call *call, struct nfs4_file *f,
    const struct nfs4_owner *o, uint64_t start, uint64_t end, bool write)
{
	struct nfs4 *n = call->nfs4;
	struct nfs4_client *c = o->client;
	struct nfs4_blocked *b, **at;

	if (!nfs4_cb_may_notify(c))
		return;
	if ((b = find(f, o, start, end)) != NULL) {
		b->write = write;
		return;
	}
	if (c->nblocked == MOST ||
	    (b = pool_take(&n->opens->blocked)) == NULL)
		return;		/* it will ask by itself */
	b->owner = o->id;
	b->owner->refs++;
	b->client = c;
	b->export = call->nfs.vfs.export;
	b->start = start;
	b->end = end;
	b->write = write;
	for (at = &f->blocked; *at != NULL; at = &(*at)->next)
		;
	b->prev = at;
	*at = b;
	if ((b->client_next = c->blocked) != NULL)
		b->client_next->client_prev = &b->client_next;
	b->client_prev = &c->blocked;
	c->blocked = b;
	c->nblocked++;
}

static bool
is_blocked(const struct nfs4_file *f, const struct nfs4_blocked *b)
{
	const struct nfs4_range *r = f->ranges;

	for (; r != NULL && r->start <= b->end; r = r->next)
		if (r->end >= b->start && (b->write || r->write) &&
		    (r->locks->st.client != b->client ||
		    !is_of(r->locks->owner->id, b)))
			return true;
	return false;
}

void
nfs4_blocked_tell(struct nfs4 *n, struct nfs4_file *f)
{
	struct nfs4_blocked *b, *next;

	for (b = f->blocked; b != NULL; b = next) {
		next = b->next;
		if (is_blocked(f, b))
			continue;
		nfs4_cb_notify_lock(n, b->client, b->export, f->node,
		    b->owner);
		drop(n, b);
	}
}
