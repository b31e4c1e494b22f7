/* The duplicate request cache.  See drc.h. */
#include "rpc/drc.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/hash.h"
#include "rpc/peer.h"

enum { SHARDS = 64, BUCKETS = 256, SUMMED = 256, KEEP_MS = 120000,
    LOOK_BACK = 32 };

/* What two calls must share to be one; compared as a whole. */
struct drc_key {
	uint8_t		addr[16];
	uint64_t	sum;		/* of the record's beginning */
	uint32_t	xid, prog, vers, proc, len, uid;
	uint16_t	udp_port;	/* 0 for TCP */
	uint16_t	udp;
};

struct drc_entry {
	struct drc_entry	*hash_next, **hash_prev;
	struct drc_entry	*lru_next, **lru_prev;	/* oldest first */
	struct drc_key		 key;
	struct drc_origin	*origin;
	struct drc_reply	*reply;		/* NULL: INPROG */
	struct rpc_call		*waiters;
	uint64_t		 expires_ms;
	uint32_t		 shard;
};

struct drc_shard {
	pthread_mutex_t		 lock;
	struct drc_entry	*bucket[BUCKETS];
	struct drc_entry	*oldest, **newest;
	size_t			 bytes;
};

struct drc {
	size_t			 max_shard, max_origin;
	uint8_t			 key[16];	/* clients choose what is summed */
	struct drc_shard	 shard[SHARDS];
};

/* ------------------------------------------------------ replies, origins -- */

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

struct drc_origin *
drc_origin_new(uint16_t port)
{
	struct drc_origin *o = malloc(sizeof *o);

	if (o == NULL)
		return NULL;
	atomic_init(&o->refs, 1);
	atomic_init(&o->state, ORIGIN_LIVE);
	atomic_init(&o->bytes, 0);
	o->port = port;
	return o;
}

void
drc_origin_put(struct drc_origin *o)
{
	if (o != NULL && atomic_fetch_sub(&o->refs, 1) == 1)
		free(o);
}

/* --------------------------------------------------------------- entries -- */

static size_t
entry_bytes(const struct drc_entry *e)
{
	return sizeof *e + (e->reply == NULL ? 0 :
	    sizeof *e->reply + e->reply->len);
}

static void
lru_add(struct drc_shard *s, struct drc_entry *e)
{
	e->lru_next = NULL;
	e->lru_prev = s->newest;
	*s->newest = e;
	s->newest = &e->lru_next;
}

static void
lru_del(struct drc_shard *s, struct drc_entry *e)
{
	*e->lru_prev = e->lru_next;
	if (e->lru_next != NULL)
		e->lru_next->lru_prev = e->lru_prev;
	else
		s->newest = e->lru_prev;
}

static void
account(struct drc_shard *s, struct drc_entry *e, bool add)
{
	size_t n = entry_bytes(e);

	if (add) {
		s->bytes += n;
		atomic_fetch_add(&e->origin->bytes, n);
	} else {
		s->bytes -= n;
		atomic_fetch_sub(&e->origin->bytes, n);
	}
}

static void
entry_drop(struct drc_shard *s, struct drc_entry *e)
{
	account(s, e, false);
	lru_del(s, e);
	*e->hash_prev = e->hash_next;
	if (e->hash_next != NULL)
		e->hash_next->hash_prev = e->hash_prev;
	drc_origin_put(e->origin);
	drc_reply_put(e->reply);
	free(e);
}

/* Is there a reason to drop this entry? */
static bool
is_due(const struct drc *drc, const struct drc_shard *s,
    const struct drc_entry *e, const struct drc_origin *origin,
    uint64_t now_ms)
{
	return e->expires_ms <= now_ms || s->bytes > drc->max_shard ||
	    (e->origin == origin && atomic_load_explicit(&origin->bytes,
	    memory_order_relaxed) > drc->max_origin);
}

/*
 * Make room: what is expired goes, then the oldest while the shard is over
 * its limit, then the oldest of an origin that is over its own.  Entries of
 * running calls stay.  Normally a look at the oldest is all.
 */
static void
evict(struct drc *drc, struct drc_shard *s, struct drc_origin *origin,
    uint64_t now_ms)
{
	bool over = atomic_load_explicit(&origin->bytes,
	    memory_order_relaxed) > drc->max_origin;
	struct drc_entry *e, *next;
	int looked = 0;

	for (e = s->oldest; e != NULL && looked++ < LOOK_BACK; e = next) {
		next = e->lru_next;
		if (e->reply == NULL)
			continue;
		if (!is_due(drc, s, e, origin, now_ms)) {
			if (!over)
				return;
			continue;
		}
		over = over && e->origin != origin;
		entry_drop(s, e);
	}
}

static struct drc_entry *
entry_new(struct drc_shard *s, struct drc_entry **bucket,
    const struct drc_key *key, struct drc_origin *origin)
{
	struct drc_entry *e = calloc(1, sizeof *e);

	if (e == NULL)
		return NULL;
	e->key = *key;
	e->origin = origin;
	atomic_fetch_add(&origin->refs, 1);
	e->hash_next = *bucket;
	e->hash_prev = bucket;
	if (*bucket != NULL)
		(*bucket)->hash_prev = &e->hash_next;
	*bucket = e;
	lru_add(s, e);
	account(s, e, true);
	return e;
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
	uint8_t head[4 + SUMMED];
	size_t n = gather(call, head, sizeof head);

	memset(k, 0, sizeof *k);
	peer_addr_bytes(&call->peer->addr, k->addr);
	k->sum = siphash24(drc->key, head + 4, n - 4);
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
	if (e->key.udp || e->origin == origin)
		return true;
	switch (atomic_load(&e->origin->state)) {
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
		if (memcmp(&e->key, key, sizeof *key) == 0 &&
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
	if (e->key.udp || e->origin == origin)
		return DRC_BUSY;
	call->next = e->waiters;
	e->waiters = call;
	return DRC_WAIT;
}

enum drc_answer
drc_lookup(struct drc *drc, struct rpc_call *call, struct drc_origin *origin,
    uint64_t now_ms, struct drc_reply **reply)
{
	struct drc_entry *e, **bucket;
	struct drc_shard *s;
	struct drc_key key;
	enum drc_answer answer = DRC_NEW;
	uint32_t h;

	key_make(drc, &key, call);
	h = (uint32_t)(key.sum ^ key.sum >> 32) ^ key.xid;
	s = &drc->shard[h % SHARDS];
	bucket = &s->bucket[h / SHARDS % BUCKETS];
	pthread_mutex_lock(&s->lock);
	if ((e = find(*bucket, &key, origin, now_ms)) != NULL) {
		answer = found(e, call, origin, reply);
	} else {
		evict(drc, s, origin, now_ms);
		call->drc = e = entry_new(s, bucket, &key, origin);
		if (e != NULL)
			e->shard = h % SHARDS;
	}
	pthread_mutex_unlock(&s->lock);
	return answer;
}

struct rpc_call *
drc_done(struct drc *drc, struct drc_entry *e, struct drc_reply *reply,
    uint64_t now_ms)
{
	struct drc_shard *s = &drc->shard[e->shard];
	struct rpc_call *waiters;

	pthread_mutex_lock(&s->lock);
	waiters = e->waiters;
	e->waiters = NULL;
	if (reply == NULL) {
		entry_drop(s, e);
	} else {
		account(s, e, false);
		e->reply = reply;
		e->expires_ms = now_ms + KEEP_MS;
		account(s, e, true);
	}
	pthread_mutex_unlock(&s->lock);
	return waiters;
}

/* ------------------------------------------------------------- the cache -- */

struct drc *
drc_new(size_t max_bytes, size_t max_per_origin)
{
	struct drc *drc = calloc(1, sizeof *drc);
	unsigned i;

	if (drc == NULL)
		return NULL;
	if (getrandom(drc->key, sizeof drc->key, 0) != sizeof drc->key) {
		free(drc);
		return NULL;
	}
	drc->max_shard = max_bytes / SHARDS;
	drc->max_origin = max_per_origin;
	for (i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&drc->shard[i].lock, NULL);
		drc->shard[i].newest = &drc->shard[i].oldest;
	}
	return drc;
}

void
drc_free(struct drc *drc)
{
	unsigned i;

	if (drc == NULL)
		return;
	for (i = 0; i < SHARDS; i++) {
		while (drc->shard[i].oldest != NULL)
			entry_drop(&drc->shard[i], drc->shard[i].oldest);
		pthread_mutex_destroy(&drc->shard[i].lock);
	}
	free(drc);
}
