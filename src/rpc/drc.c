/* The duplicate request cache.  See drc.h. */
#include "rpc/drc.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/random.h"
#include "base/spin.h"
#include "rpc/peer.h"

enum { SHARDS = 16, BUCKETS = 4096, SUMMED = 256, KEEP_MS = 120000,
    STEPS = 8 };	/* of making room, for one that comes */

/* What two calls must share to be one; compared as a whole. */
struct drc_key {
	uint8_t		addr[16];
	uint64_t	sum;		/* of the record's beginning, the xid among it */
	uint32_t	xid, prog, vers, proc, len, uid;
	uint16_t	udp_port;	/* 0 for TCP */
	uint16_t	udp;
};

/* A place in a queue, oldest first. */
struct drc_link {
	struct drc_link		*next, **prev;
};

struct drc_queue {
	struct drc_link		*oldest, **newest;
};

struct drc_origin {
	atomic_uint		 refs;
	struct drc_shard	*shard;
	/* Under the shard's lock: */
	enum drc_origin_state	 state;
	struct drc_queue	 queue;		/* entries, by of_origin */
	size_t			 bytes;
	uint16_t		 port;
};

struct drc_entry {
	struct drc_link		 of_shard;	/* first */
	struct drc_link		 of_origin;
	struct drc_entry	*hash_next, **hash_prev;
	struct drc_key		 key;
	struct drc_origin	*origin;
	struct drc_reply	*reply;		/* NULL: INPROG */
	struct rpc_call		*waiters;
	uint64_t		 expires_ms;
};

struct drc_shard {
	struct spin		 lock;
	struct drc_queue	 queue;		/* entries, by of_shard */
	size_t			 bytes;
	struct drc_origin	*udp;		/* of all datagrams */
	struct drc_entry	*bucket[BUCKETS];
};

struct drc {
	size_t			 max_shard, max_origin;
	uint8_t			 key[16];	/* clients choose what is summed */
	struct drc_shard	 shard[SHARDS];
};

/* --------------------------------------------------------------- replies -- */

struct drc_reply *
drc_reply_new(size_t len)
{
	struct drc_reply *r = malloc(sizeof *r + len);

	if (r == NULL)
		return NULL;
	atomic_init(&r->refs, 1);
	r->len = (uint32_t)len;
	return r;
}

void
drc_reply_put(void *reply)
{
	struct drc_reply *r = reply;

	if (r != NULL && atomic_fetch_sub(&r->refs, 1) == 1)
		free(r);
}

/* ---------------------------------------------------------------- queues -- */

static void
queue_init(struct drc_queue *q)
{
	q->oldest = NULL;
	q->newest = &q->oldest;
}

static void
queue_add(struct drc_queue *q, struct drc_link *l)
{
	l->next = NULL;
	l->prev = q->newest;
	*q->newest = l;
	q->newest = &l->next;
}

static void
queue_del(struct drc_queue *q, struct drc_link *l)
{
	*l->prev = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	else
		q->newest = l->prev;
}

static struct drc_entry *
oldest_of_shard(const struct drc_shard *s)
{
	return (struct drc_entry *)(void *)s->queue.oldest;
}

static struct drc_entry *
oldest_of_origin(const struct drc_origin *o)
{
	return o->queue.oldest == NULL ? NULL : (struct drc_entry *)(void *)
	    ((char *)o->queue.oldest - offsetof(struct drc_entry, of_origin));
}

/* --------------------------------------------------------------- origins -- */

static struct drc_origin *
origin_new(struct drc_shard *s, uint16_t port)
{
	struct drc_origin *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	atomic_init(&o->refs, 1);
	queue_init(&o->queue);
	o->shard = s;
	o->port = port;
	return o;
}

static struct drc_shard *
shard_of(struct drc *drc, const struct sockaddr_storage *peer)
{
	uint8_t addr[16];

	peer_addr_bytes(peer, addr);
	return &drc->shard[siphash13(drc->key, addr, sizeof addr) % SHARDS];
}

struct drc_origin *
drc_origin_new(struct drc *drc, const struct sockaddr_storage *peer)
{
	return origin_new(shard_of(drc, peer), peer_port(peer));
}

void
drc_origin_put(struct drc_origin *o)
{
	if (o != NULL && atomic_fetch_sub(&o->refs, 1) == 1)
		free(o);
}

void
drc_origin_end(struct drc_origin *o, enum drc_origin_state state)
{
	spin_lock(&o->shard->lock);
	o->state = state;
	spin_unlock(&o->shard->lock);
}

size_t
drc_origin_bytes(struct drc_origin *o)
{
	size_t n;

	spin_lock(&o->shard->lock);
	n = o->bytes;
	spin_unlock(&o->shard->lock);
	return n;
}

/* --------------------------------------------------------------- entries -- */

static void
account(struct drc_shard *s, const struct drc_entry *e, bool add)
{
	size_t n = sizeof *e + (e->reply == NULL ? 0 :
	    sizeof *e->reply + e->reply->len);

	if (add) {
		s->bytes += n;
		e->origin->bytes += n;
	} else {
		s->bytes -= n;
		e->origin->bytes -= n;
	}
}

/* Out of every list; the caller frees it, without the lock. */
static void
entry_unlink(struct drc_shard *s, struct drc_entry *e)
{
	account(s, e, false);
	queue_del(&s->queue, &e->of_shard);
	queue_del(&e->origin->queue, &e->of_origin);
	*e->hash_prev = e->hash_next;
	if (e->hash_next != NULL)
		e->hash_next->hash_prev = e->hash_prev;
}

static void
entry_link(struct drc_shard *s, struct drc_entry **bucket,
    struct drc_entry *e, struct drc_origin *origin)
{
	e->origin = origin;
	atomic_fetch_add(&origin->refs, 1);
	e->hash_next = *bucket;
	e->hash_prev = bucket;
	if (*bucket != NULL)
		(*bucket)->hash_prev = &e->hash_next;
	*bucket = e;
	queue_add(&s->queue, &e->of_shard);
	queue_add(&origin->queue, &e->of_origin);
	account(s, e, true);
}

static void
entry_free(struct drc_entry *e)
{
	if (e == NULL)
		return;
	drc_origin_put(e->origin);
	drc_reply_put(e->reply);
	free(e);
}

/* Take an entry out, for the list of those to be freed without the lock. */
static void
drop(struct drc_shard *s, struct drc_entry *e, struct drc_entry **gone)
{
	entry_unlink(s, e);
	e->hash_next = *gone;
	*gone = e;
}

/* A call that still runs is not in the way of those behind it. */
static void
requeue(struct drc_shard *s, struct drc_entry *e)
{
	queue_del(&s->queue, &e->of_shard);
	queue_add(&s->queue, &e->of_shard);
	queue_del(&e->origin->queue, &e->of_origin);
	queue_add(&e->origin->queue, &e->of_origin);
}

/*
 * Make room: of the shard's oldest entries while it is too large or they
 * are expired, and of the origin's while that has too much.  Entries of
 * running calls stay; a few steps at a time, and normally a look is all.
 */
static void
evict(const struct drc *drc, struct drc_shard *s, struct drc_origin *origin,
    uint64_t now_ms, struct drc_entry **gone)
{
	struct drc_entry *e;
	int steps = 0;

	while ((e = oldest_of_shard(s)) != NULL && steps++ < STEPS &&
	    (s->bytes > drc->max_shard || (e->reply != NULL &&
	    e->expires_ms <= now_ms))) {
		if (e->reply == NULL)
			requeue(s, e);
		else
			drop(s, e, gone);
	}
	while ((e = oldest_of_origin(origin)) != NULL && steps++ < STEPS &&
	    origin->bytes > drc->max_origin) {
		if (e->reply == NULL)
			requeue(s, e);
		else
			drop(s, e, gone);
	}
}

static void
free_gone(struct drc_entry *gone)
{
	struct drc_entry *e;

	while ((e = gone) != NULL) {
		gone = e->hash_next;
		entry_free(e);
	}
}

/* --------------------------------------------------------------- lookups -- */

/* The beginning of a record, which may lie in several stretches. */
static size_t
gather(const struct rpc_call *call, uint8_t *to, size_t max)
{
	size_t n, have = 0;
	unsigned i;

	for (i = 0; i < call->nsegs && have < max; i++) {
		n = call->segs[i].len;
		if (n > max - have)
			n = max - have;
		memcpy(to + have, call->segs[i].base, n);
		have += n;
	}
	return have;
}

static void
key_make(const struct drc *drc, struct drc_key *k, const struct rpc_call *call)
{
	uint8_t head[SUMMED];
	size_t n = gather(call, head, sizeof head);

	memset(k, 0, sizeof *k);
	peer_addr_bytes(&call->peer->addr, k->addr);
	k->sum = siphash13(drc->key, head, n);
	k->xid = call->h.xid;
	k->prog = call->h.prog;
	k->vers = call->h.vers;
	k->proc = call->h.proc;
	k->len = (uint32_t)call->size;
	k->uid = call->cred.uid;
	k->udp = call->peer->udp;
	if (k->udp)
		k->udp_port = peer_port(&call->peer->addr);
}

/* May a call from `origin` be the one that made this entry? */
static bool
origin_matches(const struct drc_entry *e, const struct drc_origin *origin)
{
	if (e->origin == origin)
		return true;
	switch (e->origin->state) {
	case ORIGIN_LIVE:
		return false;
	case ORIGIN_CUT:
		return true;
	case ORIGIN_CLEAN:
		return e->origin->port == origin->port;
	}
	return false;
}

static struct drc_entry *
find(struct drc_entry *bucket, const struct drc_key *key,
    const struct drc_origin *origin, uint64_t now_ms)
{
	struct drc_entry *e;

	for (e = bucket; e != NULL; e = e->hash_next)
		if (e->key.sum == key->sum &&
		    memcmp(&e->key, key, sizeof *key) == 0 &&
		    (e->reply == NULL || e->expires_ms > now_ms) &&
		    origin_matches(e, origin))
			return e;
	return NULL;
}

static enum drc_answer
found(struct drc_entry *e, struct rpc_call *call, struct drc_origin *origin,
    struct drc_reply **reply)
{
	if (e->reply != NULL) {
		atomic_fetch_add(&e->reply->refs, 1);
		*reply = e->reply;
		return DRC_DONE;
	}
	if (e->origin == origin)
		return DRC_BUSY;
	call->next = e->waiters;
	e->waiters = call;
	return DRC_WAIT;
}

enum drc_answer
drc_lookup(struct drc *drc, struct rpc_call *call, struct drc_origin *origin,
    uint64_t now_ms, struct drc_reply **reply)
{
	struct drc_entry *gone = NULL, *e, **bucket;
	struct drc_entry *fresh = calloc(1, sizeof *fresh);
	struct drc_shard *s = origin != NULL ? origin->shard :
	    shard_of(drc, &call->peer->addr);
	enum drc_answer answer = DRC_NEW;
	struct drc_key key;

	if (origin == NULL)
		origin = s->udp;
	key_make(drc, &key, call);
	bucket = &s->bucket[key.sum % BUCKETS];
	spin_lock(&s->lock);
	if ((e = find(*bucket, &key, origin, now_ms)) != NULL) {
		answer = found(e, call, origin, reply);
	} else if (fresh != NULL) {
		evict(drc, s, origin, now_ms, &gone);
		fresh->key = key;
		entry_link(s, bucket, fresh, origin);
		call->drc = fresh;
		fresh = NULL;
	}
	spin_unlock(&s->lock);
	free(fresh);
	free_gone(gone);
	return answer;
}

struct rpc_call *
drc_done(struct drc *drc, struct drc_entry *e, struct drc_reply *reply,
    uint64_t now_ms)
{
	struct drc_shard *s = e->origin->shard;
	struct drc_entry *gone = NULL;
	struct rpc_call *waiters;

	spin_lock(&s->lock);
	waiters = e->waiters;
	e->waiters = NULL;
	if (reply == NULL) {
		drop(s, e, &gone);
	} else {
		account(s, e, false);
		e->reply = reply;
		e->expires_ms = now_ms + KEEP_MS;
		account(s, e, true);
		evict(drc, s, e->origin, now_ms, &gone);
	}
	spin_unlock(&s->lock);
	free_gone(gone);
	return waiters;
}

/* ------------------------------------------------------------- the cache -- */

struct drc *
drc_new(size_t max_bytes, size_t max_per_origin)
{
	struct drc *drc = calloc(1, sizeof *drc);
	struct drc_shard *s;

	if (drc == NULL)
		return NULL;
	random_fill(drc->key, sizeof drc->key);
	drc->max_shard = max_bytes / SHARDS;
	drc->max_origin = max_per_origin;
	for (s = drc->shard; s < drc->shard + SHARDS; s++) {
		queue_init(&s->queue);
		if ((s->udp = origin_new(s, 0)) == NULL) {
			drc_free(drc);
			return NULL;
		}
	}
	return drc;
}

void
drc_free(struct drc *drc)
{
	struct drc_shard *s;
	struct drc_entry *e;

	if (drc == NULL)
		return;
	for (s = drc->shard; s < drc->shard + SHARDS; s++) {
		while (s->udp != NULL && (e = oldest_of_shard(s)) != NULL) {
			entry_unlink(s, e);
			entry_free(e);
		}
		drc_origin_put(s->udp);
	}
	free(drc);
}
