/*
 * Read delegations (RFC 8881 10.2 to 10.4, RFC 7530 10.2 to 10.4): a client
 * that has one need not ask whether a file has changed; it is called before
 * that happens.
 *
 * Given at an OPEN for reading, to a client that can be called back, when it
 * opens the file for the second time: who reads everything once (cp, grep,
 * tar) would only have to give them all back.  Never for writing: what is
 * promised there (that nobody reads) is worth little and costs much.
 *
 * A change by anybody else is announced by vfs (vfs/guard.h):
 *
 *	change ---> guard ---> CB_RECALL to each holder; the change waits
 *	               |             |
 *	               |             +--DELEGRETURN--> the change goes on
 *	               |             +--PARK_MS--> DELAY; the client asks again
 *	               |             +--a lease time--> revoked; it goes on
 *	               +-- nobody else has one: it goes on at once
 *
 * Nothing waits here with the lock held: guard answers LATER, and whoever
 * takes the last delegation away completes the call.
 */
#include "nfs/nfs4_deleg.h"

#include <errno.h>
#include <inttypes.h>

#include "base/hash.h"
#include "base/log.h"
#include "nfs/nfs4_ops.h"
#include "rpc/peer.h"

enum {
	PARK_MS = 1000,		/* a change waits; a recall takes 1 ms or so */
	TICK_MS = 250,
	SHUN_LEASES = 16	/* nothing for who did not return something */
};

/* ---------------------------------------------------------------- tables -- */

static struct nfs4_deleg *
deleg_new(struct nfs4 *n, struct nfs4_client *c, struct nfs4_file *f)
{
	struct nfs4_deleg *d = pool_take(&n->delegs->deleg);

	if (d == NULL)
		return NULL;
	d->st.client = c;
	d->st.kind = STATE_DELEG;
	if (!nfs4_state_enter(n, &d->st)) {
		pool_give(&n->delegs->deleg, d);
		return NULL;
	}
	d->file = f;
	if ((d->next = f->delegs) != NULL)
		d->next->prev = &d->next;
	d->prev = &f->delegs;
	f->delegs = d;
	if ((d->client_next = c->delegs) != NULL)
		d->client_next->client_prev = &d->client_next;
	d->client_prev = &c->delegs;
	c->delegs = d;
	c->ndelegs++;
	return d;
}

static bool
others_have(const struct nfs4_file *f, clientid4 who)
{
	const struct nfs4_deleg *d = f->delegs;

	while (d != NULL && nfs4_client_id(d->st.client) == who)
		d = d->next;
	return d != NULL;
}

static void
waiter_end(struct nfs4 *n, struct nfs4_waiter *w, int err)
{
	*w->prev = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	n->delegs->nwaiters--;
	pinefs_complete(w->call, err);	/* from here on it is gone */
}

/* A delegation of the file went: whoever waited for just that goes on. */
static void
wake(struct nfs4 *n, const struct nfs4_file *f)
{
	struct nfs4_waiter *w, *next;

	for (w = n->delegs->waiters; w != NULL; w = next) {
		next = w->next;
		if (w->node == f->node && !others_have(f, w->call->who))
			waiter_end(n, w, 0);
	}
}

static void
recall_end(struct nfs4_deleg *d)
{
	if (d->recall_prev == NULL)
		return;
	*d->recall_prev = d->recall_next;
	if (d->recall_next != NULL)
		d->recall_next->recall_prev = d->recall_prev;
	d->recall_prev = NULL;
}

/* It stands in nobody's way any more. */
static void
leave_file(struct nfs4 *n, struct nfs4_deleg *d)
{
	struct nfs4_file *f = d->file;

	recall_end(d);
	nfs4_cb_returned(d);
	*d->prev = d->next;
	if (d->next != NULL)
		d->next->prev = d->prev;
	d->file = NULL;
	if (f->delegs == NULL)
		vfs_node_promise_end(f->node);
	wake(n, f);
	nfs4_file_put(n, f);
}

void
nfs4_deleg_free(struct nfs4 *n, struct nfs4_deleg *d)
{
	struct nfs4_client *c = d->st.client;

	if (d->file != NULL)
		leave_file(n, d);
	*d->client_prev = d->client_next;
	if (d->client_next != NULL)
		d->client_next->client_prev = d->client_prev;
	c->ndelegs--;
	if (d->st.revoked)
		c->nrevoked--;
	nfs4_state_leave(n, &d->st);
	pool_give(&n->delegs->deleg, d);
}

void
nfs4_deleg_drop_client(struct nfs4 *n, struct nfs4_client *c)
{
	while (c->delegs != NULL)
		nfs4_deleg_free(n, c->delegs);
	nfs4_cb_drop_client(c);
}

/* ---------------------------------------------------------------- giving -- */

/* A place in a table, and what is to be found there; 0 never is. */
static uint64_t
tag_of(const struct nfs4 *n, const struct pinefs_node *node, clientid4 who)
{
	struct pinefs_ident id;
	uint64_t key[3];

	pinefs_node_ident(node, &id);	/* an address has several lives */
	key[0] = id.fileid;
	key[1] = id.generation;
	key[2] = who;
	return siphash13(n->secret, key, sizeof key) | 1;
}

/* Did this client open it before?  It has now. */
static bool
was_seen(struct nfs4 *n, const struct pinefs_node *node, clientid4 who)
{
	uint64_t tag = tag_of(n, node, who);
	uint64_t *at = &n->delegs->seen[(tag >> 1) % NFS4_DELEG_TABLE];
	bool was = *at == tag;

	*at = tag;
	return was;
}

static void
note(struct nfs4_note *table, uint64_t tag, uint64_t ms)
{
	table[(tag >> 1) % NFS4_DELEG_TABLE] = (struct nfs4_note){ tag,
	    nfs4_now_ms() + ms };
}

static bool
is_noted(const struct nfs4_note *table, uint64_t tag)
{
	const struct nfs4_note *at = &table[(tag >> 1) % NFS4_DELEG_TABLE];

	return at->tag == tag && at->until_ms > nfs4_now_ms();
}

/* Recalled a lease ago or less: it would soon be so again. */
static bool
is_contended(struct nfs4 *n, const struct pinefs_node *node)
{
	return is_noted(n->delegs->quiet, tag_of(n, node, 0));
}

/* Whose a client is: another one of his is no better. */
static uint64_t
holder_of(const struct nfs4_call *call)
{
	const struct rpc_peer *peer = rpc_call_peer(call->nfs.rpc);
	uint32_t uid = peer->proven ? peer->uid : 0;
	uint8_t key[16 + sizeof uid];

	peer_addr_bytes(&peer->addr, key);
	memcpy(key + 16, &uid, sizeof uid);
	return siphash13(call->nfs4->secret, key, sizeof key) | 1;
}

/* Does somebody write, or keep readers out; or has this client one? */
static bool
is_taken(const struct nfs4_open *open)
{
	const struct nfs4_file *f = open->file;
	const struct nfs4_deleg *d;
	const struct nfs4_open *o;

	for (o = f->opens; o != NULL; o = o->next)
		if ((o->access & OPEN4_SHARE_ACCESS_WRITE) != 0 ||
		    (o->deny & OPEN4_SHARE_DENY_READ) != 0)
			return true;
	for (d = f->delegs; d != NULL; d = d->next)
		if (d->st.client == open->st.client || d->recall_prev != NULL)
			return true;
	return false;
}

/* What an OPEN says of delegations. */
struct wish {
	uint32_t	want;		/* OPEN4_SHARE_ACCESS_WANT_* */
	bool		reclaim;	/* it had one before we started */
	bool		is_new;		/* not by a delegation of its own */
};

static struct wish
wish_of(const struct nfs4_call *call, const OPEN4args *a)
{
	struct wish w = { 0 };

	if (call->minor > 0)
		w.want = a->share_access &
		    OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;
	w.reclaim = a->claim.claim == CLAIM_PREVIOUS &&
	    a->claim.delegate_type == OPEN_DELEGATE_READ;
	w.is_new = a->claim.claim == CLAIM_NULL ||
	    a->claim.claim == CLAIM_FH;
	return w;
}

enum { GIVE = -1, NOT_NOW = -2 };

/* GIVE; a why_no_delegation4; NOT_NOW, which has no name there. */
static int
decide(struct nfs4_call *call, const struct nfs4_open *open,
    const struct wish *w)
{
	struct nfs4_client *c = open->st.client;
	const struct pinefs_node *node = open->file->node;
	struct nfs4 *n = call->nfs4;
	bool seen;

	if (w->want == OPEN4_SHARE_ACCESS_WANT_NO_DELEG)
		return WND4_NOT_WANTED;
	if (w->want == OPEN4_SHARE_ACCESS_WANT_CANCEL)
		return WND4_CANCELLED;
	if (w->want == OPEN4_SHARE_ACCESS_WANT_WRITE_DELEG)
		return WND4_WRITE_DELEG_NOT_SUPP_FTYPE;
	if (!vfs_fs_can_promise(pinefs_node_fs(node), n))
		return WND4_NOT_SUPP_FTYPE;
	/* A retransmitted OPEN cannot be told before it is confirmed. */
	if ((!w->is_new && !w->reclaim) ||
	    (call->minor == 0 && !open->owner->confirmed))
		return NOT_NOW;
	if (is_taken(open))
		return WND4_CONTENTION;
	if (c->ndelegs >= NFS4_MAX_DELEGS)
		return WND4_RESOURCE;
	if (w->reclaim)
		return GIVE;
	if (is_contended(n, node))
		return WND4_CONTENTION;
	if (is_noted(n->delegs->shunned, holder_of(call)))
		return WND4_RESOURCE;
	seen = was_seen(n, node, nfs4_client_id(c));
	if (!nfs4_cb_is_up(n, c))
		return WND4_RESOURCE;
	return seen || w->want != OPEN4_SHARE_ACCESS_WANT_NO_PREFERENCE ?
	    GIVE : NOT_NOW;
}

static void
note_open(const struct nfs4_call *call, struct nfs4_referring *open)
{
	const struct nfs4_session *s = call->session;

	if (s == NULL)
		return;
	open->known = true;
	memcpy(open->session, s->id, sizeof open->session);
	open->slot = (slotid4)(call->slot - s->slot);
	open->seq = call->slot->seq;
}

/* GIVE, or why it could not be done after all. */
static int
give(struct nfs4_call *call, struct nfs4_open *open, const struct wish *w,
    open_delegation4 *out)
{
	struct nfs4_file *f = open->file;
	struct nfs4_deleg *d;

	if (!vfs_node_promise(f->node))
		return WND4_CONTENTION;
	if ((d = deleg_new(call->nfs4, open->st.client, f)) == NULL) {
		if (f->delegs == NULL)
			vfs_node_promise_end(f->node);
		return WND4_RESOURCE;
	}
	d->export = call->nfs.vfs.export;
	d->holder = holder_of(call);
	note_open(call, &d->open);
	out->delegation_type = OPEN_DELEGATE_READ;
	out->read.stateid = d->st.id;
	/* Who cannot be called back keeps it only to give it back. */
	out->read.recall = w->reclaim &&
	    !nfs4_cb_is_up(call->nfs4, open->st.client);
	/* An entry that allows nothing: let the client ask with ACCESS. */
	out->read.permissions = (nfsace4){ .who = xdr_view("", 0) };
	return GIVE;
}

void
nfs4_deleg_offer(struct nfs4_call *call, struct nfs4_open *open,
    const OPEN4args *a, open_delegation4 *out)
{
	struct wish w = wish_of(call, a);
	int why = decide(call, open, &w);

	memset(out, 0, sizeof *out);
	out->delegation_type = OPEN_DELEGATE_NONE;
	if (why == GIVE)
		why = give(call, open, &w, out);
	if (why < 0 || w.want == OPEN4_SHARE_ACCESS_WANT_NO_PREFERENCE)
		return;
	out->delegation_type = OPEN_DELEGATE_NONE_EXT;
	out->od_whynone.ond_why = (why_no_delegation4)why;
}

/* ---------------------------------------------------------------- using -- */

/* RFC 8881 18.16.3: what a delegation allows, and no more. */
nfsstat4
nfs4_deleg_claim(struct nfs4_call *call, const stateid4 *id,
    const struct pinefs_node *node, uint32_t access)
{
	struct nfs4_state *s;
	stateid4 real;
	nfsstat4 st;

	nfs4_lock(call->nfs4);
	st = nfs4_stateid_resolve(call, id, &real);
	if (st == NFS4_OK)
		st = nfs4_state_find(call, &real, &s);
	if (st == NFS4_OK && (s->kind != STATE_DELEG ||
	    ((struct nfs4_deleg *)s)->file->node != node))
		st = NFS4ERR_BAD_STATEID;
	if (st == NFS4_OK && (access & OPEN4_SHARE_ACCESS_WRITE) != 0)
		st = NFS4ERR_OPENMODE;
	nfs4_unlock(call->nfs4);
	return st;
}

/* 18.6.  A revoked one of 4.0 goes with this: there is no FREE_STATEID. */
int
nfs4_op_delegreturn(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	const stateid4 *id = &arg->opdelegreturn.deleg_stateid;
	struct nfs4_state *s = NULL;
	stateid4 real;
	nfsstat4 st;

	nfs4_lock(call->nfs4);
	st = nfs4_stateid_resolve(call, id, &real);
	if (st == NFS4_OK)
		st = nfs4_state_find(call, &real, &s);
	if (st == NFS4_OK && (s->kind != STATE_DELEG ||
	    ((struct nfs4_deleg *)s)->file->node != call->current.node))
		st = NFS4ERR_BAD_STATEID;
	if (st == NFS4ERR_ADMIN_REVOKED && call->minor == 0 &&
	    (s = nfs4_state_other(call->nfs4, &real)) != NULL &&
	    s->kind != STATE_DELEG)
		s = NULL;
	if (s != NULL && (st == NFS4_OK || st == NFS4ERR_ADMIN_REVOKED))
		nfs4_deleg_free(call->nfs4, (struct nfs4_deleg *)s);
	r->opdelegreturn.status = st;
	nfs4_unlock(call->nfs4);
	return 0;
}

/* -------------------------------------------------------------- recalling -- */

static void
recall(struct nfs4 *n, struct nfs4_deleg *d)
{
	struct nfs4_delegs *t = n->delegs;

	if (d->recall_prev != NULL)
		return;
	d->revoke_ms = nfs4_now_ms() + n->lease_ms;
	if ((d->recall_next = t->recalled) != NULL)
		d->recall_next->recall_prev = &d->recall_next;
	d->recall_prev = &t->recalled;
	t->recalled = d;
	note(t->quiet, tag_of(n, d->file->node, 0), n->lease_ms);
	nfs4_cb_recall(n, d);
	nfs4_deleg_tick(n);
}

/* What it promised ends; its stateid stays, to be told as revoked. */
static void
revoke(struct nfs4 *n, struct nfs4_deleg *d)
{
	d->st.revoked = true;
	d->st.client->nrevoked++;
	leave_file(n, d);
}

/*
 * All but those of `who`; true: there are some to wait for.  Of a client whose
 * lease has run out, this is all that goes: nothing here may block.
 */
static bool
recall_others(struct nfs4 *n, const struct pinefs_node *node, clientid4 who)
{
	struct nfs4_deleg *d;
	struct nfs4_file *f;
	bool any;

again:
	any = false;
	f = nfs4_file_find(n, node);
	for (d = f == NULL ? NULL : f->delegs; d != NULL; d = d->next) {
		if (nfs4_client_id(d->st.client) == who)
			continue;
		if (nfs4_client_is_silent(d->st.client)) {
			revoke(n, d);
			goto again;	/* the list is another now */
		}
		recall(n, d);
		any = true;
	}
	return any;
}

/*
 * PINEFS_LATER; EAGAIN where nothing could wake it, or where many wait, for
 * what they would write takes up memory.  Who cannot be told to come again
 * waits to the end, which is that of a lease.
 */
static int
wait_for_return(struct nfs4 *n, struct pinefs_call *vfs,
    const struct pinefs_node *node)
{
	unsigned most = vfs->patient ? NFS4_MAX_PATIENT : NFS4_MAX_WAITERS;
	struct nfs4_delegs *t = n->delegs;
	struct nfs4_waiter *w;

	nfs4_deleg_tick(n);
	if (!t->ticks || n->stopping || t->nwaiters >= most ||
	    (w = pinefs_call_alloc(vfs, sizeof *w)) == NULL)
		return EAGAIN;
	w->call = vfs;
	w->node = node;
	w->until_ms = vfs->patient ? UINT64_MAX : nfs4_now_ms() + PARK_MS;
	if ((w->next = t->waiters) != NULL)
		w->next->prev = &w->next;
	w->prev = &t->waiters;
	t->waiters = w;
	t->nwaiters++;
	return PINEFS_LATER;
}

/* vfs asks before a change. */
static int
guard(void *arg, struct pinefs_call *vfs, struct pinefs_node *node)
{
	struct nfs4 *n = arg;
	int err = 0;

	nfs4_lock(n);
	if (recall_others(n, node, vfs->who))
		err = wait_for_return(n, vfs, node);
	nfs4_unlock(n);
	return err;
}

/* It has changed by itself: nothing can wait, but they are told. */
static void
changed(void *arg, struct pinefs_node *node)
{
	struct nfs4 *n = arg;

	nfs4_lock(n);
	recall_others(n, node, 0);
	nfs4_unlock(n);
}

/* A lease time is over (RFC 8881 10.4.5 does not ask for more). */
static void
too_late(struct nfs4 *n, struct nfs4_deleg *d)
{
	static struct log_limit limit;
	struct nfs4_client *c = d->st.client;

	if (d->unknown) {
		nfs4_deleg_free(n, d);
		return;
	}
	log_limited(&limit, "client %#" PRIx64 ": a delegation was not "
	    "returned in %u s, and is revoked", c->id,
	    (unsigned)(n->lease_ms / 1000));
	/*
	 * That it answers says nothing of whether it returns anything, and
	 * each that is not costs somebody a lease time.
	 */
	note(n->delegs->shunned, d->holder, SHUN_LEASES * n->lease_ms);
	c->cb_path = CB_DOWN;
	c->cb_probe_ms = nfs4_now_ms() + n->lease_ms;
	revoke(n, d);
}

static void
tick(void *arg)
{
	struct nfs4 *n = arg;
	struct nfs4_delegs *t = n->delegs;
	uint64_t now = nfs4_now_ms();
	struct nfs4_deleg *d, *next;
	struct nfs4_waiter *w, *rest;

	nfs4_lock(n);
	t->ticks = false;
	for (d = t->recalled; d != NULL; d = next) {
		next = d->recall_next;
		if (d->revoke_ms <= now)
			too_late(n, d);
		else if (d->cb == NULL && !d->told)
			nfs4_cb_recall(n, d);	/* there is room now */
	}
	for (w = t->waiters; w != NULL; w = rest) {
		rest = w->next;
		if (w->until_ms <= now)
			waiter_end(n, w, EAGAIN);
	}
	if (nfs4_cb_retry(n) || t->recalled != NULL || t->waiters != NULL)
		nfs4_deleg_tick(n);
	nfs4_unlock(n);
}

void
nfs4_deleg_tick(struct nfs4 *n)
{
	if (n->delegs->ticks || !n->timers || n->stopping)
		return;
	n->delegs->ticks = n->nfs->after(n->nfs->after_arg, TICK_MS, tick,
	    n) == 0;
}

/* ---------------------------------------------------------------- server -- */

/*
 * The exports there are at the start.  In those that come later nothing is
 * delegated: no file system that comes so would have it.
 */
static void
watch(struct nfs4 *n, bool on)
{
	const struct vfs_export *x = n->nfs->exports->first;
	unsigned i;

	for (i = 0; i < n->delegs->nwatched; i++, x = x->next) {
		if (on)
			vfs_fs_set_guard(x->fs, guard, n);
		if (!vfs_fs_can_promise(x->fs, n))
			continue;
		vfs_fs_set_watch(x->fs, on ? changed : NULL, n);
		if (!on)
			vfs_fs_set_guard(x->fs, NULL, n);
	}
}

int
nfs4_delegs_init(struct nfs4 *n, bool on)
{
	struct nfs4_delegs *t = pool_zalloc(sizeof *t);

	if ((n->delegs = t) == NULL)
		return ENOMEM;
	pool_init(&t->deleg, sizeof(struct nfs4_deleg), n->limits.states);
	nfs4_cb_init(&t->cb);
	t->nwatched = on ? n->nfs->exports->n : 0;
	watch(n, true);
	return 0;
}

/* What waits is told to come again, for no timer will wake it. */
void
nfs4_delegs_stop(struct nfs4 *n)
{
	while (n->delegs->waiters != NULL)
		waiter_end(n, n->delegs->waiters, EAGAIN);
}

void
nfs4_delegs_fini(struct nfs4 *n)
{
	if (n->delegs == NULL)
		return;
	watch(n, false);
	pool_fini(&n->delegs->cb);
	pool_fini(&n->delegs->deleg);
	pool_zfree(n->delegs);
	n->delegs = NULL;
}
