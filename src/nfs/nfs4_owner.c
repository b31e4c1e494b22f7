/*
 * Open-owners and lock-owners (RFC 8881 8.7, RFC 7530 9.1.5): found by a hash
 * of their names, and in one of two lists of their client: `owners` have
 * opens or locks; `idle` have none, and are kept by 4.0 only, for answers that
 * may be asked for again.  Where there are too many, the idle go first, those
 * that are so for longest.
 */
#include "base/hash.h"
#include "nfs/nfs4_opens.h"

nfsstat4
nfs4_no_room(const struct nfs4_call *call)
{
	return call->minor == 0 ? NFS4ERR_RESOURCE : NFS4ERR_DELAY;
}

/* ---------------------------------------------------------------- tables -- */

static struct nfs4_owner **
bucket(struct nfs4 *n, const struct nfs4_client *c, struct xdr_view id)
{
	uint64_t h = siphash13(n->secret, id.data, id.len) ^
	    c->id * UINT64_C(0x9e3779b97f4a7c15);

	return &n->opens->owners[h % NFS4_OWNER_BUCKETS];
}

struct nfs4_owner *
nfs4_owner_find(struct nfs4 *n, const struct nfs4_client *c,
    struct xdr_view id, bool is_lock)
{
	struct nfs4_owner *o = *bucket(n, c, id);

	while (o != NULL && !(o->client == c && o->is_lock == is_lock &&
	    o->id->len == id.len && memcmp(o->id->data, id.data,
	    id.len) == 0))
		o = o->hash_next;
	return o;
}

static void
link_busy(struct nfs4_owner *o)
{
	struct nfs4_client *c = o->client;

	if ((o->next = c->owners) != NULL)
		o->next->prev = &o->next;
	o->prev = &c->owners;
	c->owners = o;
}

/* Behind those that have been idle for longer. */
static void
link_idle(struct nfs4_owner *o)
{
	struct nfs4_client *c = o->client;

	o->idle_ms = nfs4_now_ms();
	o->next = NULL;
	o->prev = c->idle == NULL ? &c->idle : c->idle_last;
	*o->prev = o;
	c->idle_last = &o->next;
}

static void
unlink_it(struct nfs4_owner *o)
{
	struct nfs4_client *c = o->client;

	*o->prev = o->next;
	if (o->next != NULL)
		o->next->prev = o->prev;
	else if (c->idle_last == &o->next)
		c->idle_last = o->prev;
}

/* The owner that is idle for longest, of any client. */
static struct nfs4_owner *
longest_idle(const struct nfs4 *n)
{
	const struct nfs4_client *c;
	struct nfs4_owner *o = NULL;
	unsigned i;

	for (i = 0; i < NFS4_BUCKETS; i++)
		for (c = n->by_id[i]; c != NULL; c = c->next)
			if (c->idle != NULL && (o == NULL ||
			    c->idle->idle_ms < o->idle_ms))
				o = c->idle;
	return o;
}

/* Room for one more of this client; false: there is none. */
static bool
make_room(struct nfs4 *n, const struct nfs4_client *c)
{
	struct nfs4_owner *o = NULL;

	if (c->nowners >= n->limits.client_owners)
		o = c->idle;
	else if (n->opens->owner.used < n->limits.owners)
		return true;
	else
		o = longest_idle(n);
	if (o != NULL)
		nfs4_owner_free(n, o);
	return o != NULL;
}

struct nfs4_owner *
nfs4_owner_new(struct nfs4 *n, struct nfs4_client *c, struct xdr_view id,
    bool is_lock)
{
	struct nfs4_owner *o, **b;

	if (!make_room(n, c) || (o = pool_take(&n->opens->owner)) == NULL)
		return NULL;
	if ((o->id = pool_bytes_new(id.data, id.len)) == NULL) {
		pool_give(&n->opens->owner, o);
		return NULL;
	}
	o->client = c;
	o->is_lock = is_lock;
	b = bucket(n, c, id);
	if ((o->hash_next = *b) != NULL)
		o->hash_next->hash_prev = &o->hash_next;
	o->hash_prev = b;
	*b = o;
	link_idle(o);
	c->nowners++;
	return o;
}

void
nfs4_owner_free(struct nfs4 *n, struct nfs4_owner *o)
{
	nfs4_owner_forget_last(n, o);
	unlink_it(o);
	*o->hash_prev = o->hash_next;
	if (o->hash_next != NULL)
		o->hash_next->hash_prev = o->hash_prev;
	o->client->nowners--;
	pool_bytes_put(o->id);
	pool_give(&n->opens->owner, o);
}

void
nfs4_owner_more(struct nfs4_owner *o)
{
	if (o->nstates++ > 0)
		return;
	unlink_it(o);
	link_busy(o);
}

void
nfs4_owner_less(struct nfs4 *n, struct nfs4_owner *o)
{
	if (--o->nstates > 0)
		return;
	if (o->client->minor > 0 || (o->is_lock && !o->has_last)) {
		nfs4_owner_free(n, o);
		return;
	}
	unlink_it(o);
	link_idle(o);
}

void
nfs4_owner_forget_last(struct nfs4 *n, struct nfs4_owner *o)
{
	pool_bytes_put(o->last_denied);
	o->last_denied = NULL;
	nfs4_let_go(n, o->last_node);
	o->last_node = NULL;
	o->has_last = false;
}

/* ------------------------------------------------ 4.0: numbers of owners -- */

enum nfs4_seq
nfs4_owner_seq(const struct nfs4_call *call, const struct nfs4_owner *o,
    uint32_t seqid)
{
	if (call->minor > 0 || o == NULL || (!o->is_lock && !o->confirmed &&
	    o->nstates == 0))
		return SEQ_RUN;
	if (seqid == o->seqid + 1)
		return SEQ_RUN;
	return seqid == o->seqid && o->has_last &&
	    o->last.resop == (nfs_opnum4)call->arg->argop ? SEQ_REPLAY :
	    SEQ_BAD;
}

/*
 * The reply is encoded when the tables are free for others again, and the
 * owner may have done more: what it points to is copied.
 */
void
nfs4_owner_replay(struct nfs4_call *call, const struct nfs4_owner *o,
    nfs_resop4 *r)
{
	bitmap4 *set = &r->opopen.resok4.attrset;

	*r = o->last;
	if (r->resop == OP_LOCK && o->last_denied != NULL)
		nfs4_view_copy(call, &r->oplock.denied.owner.owner);
	if (r->resop == OP_OPEN && r->opopen.status == NFS4_OK &&
	    set->n > 0) {
		set->v = nfs_call_alloc(&call->nfs, sizeof o->last_words);
		if (set->v == NULL)
			set->n = 0;
		else
			memcpy(set->v, o->last_words, sizeof o->last_words);
	}
	if (o->last_node == NULL)
		return;
	nfs4_set_current(call, o->last_export, o->last_node->node);
	nfs4_set_stateid(call, &o->last.opopen.resok4.stateid);
}

bool
nfs4_owner_retry(struct nfs4_call *call, const stateid4 *id, uint32_t seqid,
    nfs_resop4 *r)
{
	const struct nfs4_owner *o = NULL;
	struct nfs4_state *s;

	if (call->minor > 0 ||
	    (s = nfs4_state_other(call->nfs4, id)) == NULL)
		return false;
	if (s->kind == STATE_OPEN)
		o = ((struct nfs4_open *)s)->owner;
	else if (s->kind == STATE_LOCK)
		o = ((struct nfs4_locks *)s)->owner;
	if (o == NULL || !o->has_last || o->seqid != seqid ||
	    o->last.resop != r->resop)
		return false;
	nfs4_owner_replay(call, o, r);
	return true;
}

/* RFC 7530 9.1.7: these do not count. */
static bool
counts(nfsstat4 st)
{
	switch (st) {
	case NFS4ERR_STALE_CLIENTID:
	case NFS4ERR_STALE_STATEID:
	case NFS4ERR_BAD_STATEID:
	case NFS4ERR_BAD_SEQID:
	case NFS4ERR_BADXDR:
	case NFS4ERR_RESOURCE:
	case NFS4ERR_NOFILEHANDLE:
	case NFS4ERR_MOVED:
		return false;
	default:
		return true;
	}
}

void
nfs4_owner_keep(struct nfs4_call *call, struct nfs4_owner *o, uint32_t seqid,
    nfsstat4 st, const nfs_resop4 *r)
{
	bitmap4 *set;
	struct xdr_view *denied;
	uint32_t i;

	if (call->minor > 0 || o == NULL || !counts(st))
		return;
	nfs4_owner_forget_last(call->nfs4, o);
	o->seqid = seqid;
	o->has_last = true;
	o->last = *r;
	if (r->resop == OP_OPEN && st == NFS4_OK) {
		set = &o->last.opopen.resok4.attrset;
		for (i = 0; i < set->n && i < 3; i++)
			o->last_words[i] = set->v[i];
		set->v = o->last_words;
		set->n = i;
		o->last_node = nfs4_hold(call->nfs4, call->current.node);
		o->last_export = call->current.export;
		o->has_last = o->last_node != NULL;
	} else if (r->resop == OP_LOCK && st == NFS4ERR_DENIED) {
		denied = &o->last.oplock.denied.owner.owner;
		o->last_denied = pool_bytes_new(denied->data, denied->len);
		*denied = o->last_denied == NULL ? xdr_view("", 0) :
		    xdr_view(o->last_denied->data,
		    (uint32_t)o->last_denied->len);
	}
}
