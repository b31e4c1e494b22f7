/*
 * Clients of version 4: who they are, how long they live, what they may
 * reclaim.  4.0: SETCLIENTID and its kin (RFC 7530 16.33, 16.34); 4.1:
 * EXCHANGE_ID (RFC 8881 18.35) and its kin.
 *
 *	unconfirmed --SETCLIENTID_CONFIRM, CREATE_SESSION--> confirmed
 *	confirmed --lease runs out--> courtesy --somebody minds--> gone
 *	                                 |
 *	                                 +--the client speaks--> confirmed
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "nfs/nfs4_deleg.h"
#include "nfs/nfs4_ops.h"

enum {
	SCAN_PARTS = 4,		/* scans for expired clients in a lease */
	COURTESY = 60		/* leases that an expired client is kept */
};

uint64_t
nfs4_now_ms(void)
{
	return clock_boot_ms();
}

/* ---------------------------------------------------------------- tables -- */

static struct nfs4_client **
id_bucket(struct nfs4 *n, clientid4 id)
{
	return &n->by_id[id % NFS4_BUCKETS];
}

static struct nfs4_client **
owner_bucket(struct nfs4 *n, const void *owner, size_t len)
{
	return &n->by_owner[siphash13(n->secret, owner, len) % NFS4_BUCKETS];
}

static struct nfs4_client *
find_id(struct nfs4 *n, clientid4 id)
{
	struct nfs4_client *c = *id_bucket(n, id);

	while (c != NULL && c->id != id)
		c = c->next;
	return c;
}

/* The record of an owner, confirmed or not. */
static struct nfs4_client *
find_owner(struct nfs4 *n, struct xdr_view owner, bool confirmed)
{
	struct nfs4_client *c = *owner_bucket(n, owner.data, owner.len);

	for (; c != NULL; c = c->owner_next)
		if (c->confirmed == confirmed && c->owner->len == owner.len &&
		    memcmp(c->owner->data, owner.data, owner.len) == 0)
			return c;
	return NULL;
}

struct nfs4_client *
nfs4_client_find(struct nfs4 *n, clientid4 id)
{
	struct nfs4_client *c = find_id(n, id);

	if (c != NULL)
		c->refs++;
	return c;
}

static void
client_free(struct nfs4 *n, struct nfs4_client *c)
{
	pool_bytes_put(c->owner);
	pool_give(&n->clients, c);
}

void
nfs4_client_release(struct nfs4 *n, struct nfs4_client *c)
{
	if (--c->refs == 0 && c->dead)
		client_free(n, c);
}

clientid4
nfs4_client_id(const struct nfs4_client *c)
{
	return c->id;
}

/* The epoch in the upper half: ids of an earlier instance are told apart. */
static clientid4
new_id(struct nfs4 *n)
{
	clientid4 id;

	do
		id = (clientid4)n->epoch << 32 | nfs4_draw(n);
	while (find_id(n, id) != NULL);
	return id;
}

/* Out of the tables, with everything it has. */
static void
client_drop(struct nfs4 *n, struct nfs4_client *c)
{
	struct nfs4_client *o;

	nfs4_sessions_drop(n, c);
	nfs4_lock_drop_client(n, c);
	nfs4_open_drop_client(n, c);
	nfs4_deleg_drop_client(n, c);
	for (o = *owner_bucket(n, c->owner->data, c->owner->len); o != NULL;
	    o = o->owner_next)
		if (o->replaces == c)
			o->replaces = NULL;
	*c->prev = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	*c->owner_prev = c->owner_next;
	if (c->owner_next != NULL)
		c->owner_next->owner_prev = c->owner_prev;
	c->dead = true;
	if (c->refs == 0)
		client_free(n, c);
}

/* The owner has restarted; his record on stable storage holds for both. */
static void
replace(struct nfs4 *n, struct nfs4_client *old, struct nfs4_client *c)
{
	if (old->recorded == RECORDED)
		c->recorded = RECORDED;
	client_drop(n, old);
}

static bool
may_go(const struct nfs4_client *c, uint64_t now)
{
	return c->refs == 0 && (c->nstates == 0 || c->expires_ms <= now);
}

/* Unconfirmed records go first, then those that were silent longest. */
static bool
is_better(const struct nfs4_client *a, const struct nfs4_client *b)
{
	if (a->confirmed != b->confirmed)
		return !a->confirmed;
	return a->expires_ms < b->expires_ms;
}

/* At the limit somebody makes room. */
static void
make_room(struct nfs4 *n)
{
	struct nfs4_client *c, *oldest = NULL;
	uint64_t now = nfs4_now_ms();
	unsigned i;

	if (n->clients.used < n->clients.limit)
		return;
	for (i = 0; i < NFS4_BUCKETS; i++)
		for (c = n->by_id[i]; c != NULL; c = c->next)
			if (may_go(c, now) && (oldest == NULL ||
			    is_better(c, oldest)))
				oldest = c;
	if (oldest != NULL) {
		nfs4_client_forget(n, oldest);
		client_drop(n, oldest);
	}
}

static struct nfs4_client *
client_new(struct nfs4 *n, struct xdr_view owner, const uint8_t *verifier,
    const struct nfs4_principal *who, unsigned minor)
{
	struct nfs4_client *c, **b;

	make_room(n);
	if ((c = pool_take(&n->clients)) == NULL)
		return NULL;
	if ((c->owner = pool_bytes_new(owner.data, owner.len)) == NULL) {
		pool_give(&n->clients, c);
		return NULL;
	}
	memcpy(c->verifier, verifier, sizeof c->verifier);
	c->principal = *who;
	c->minor = (uint8_t)(minor > 0);
	c->id = new_id(n);
	c->cs_seq = 1;
	c->idle_last = &c->idle;
	c->cb_last = &c->cb_first;
	c->expires_ms = nfs4_now_ms() + n->lease_ms;
	b = id_bucket(n, c->id);
	if ((c->next = *b) != NULL)
		c->next->prev = &c->next;
	c->prev = b;
	*b = c;
	b = owner_bucket(n, owner.data, owner.len);
	if ((c->owner_next = *b) != NULL)
		c->owner_next->owner_prev = &c->owner_next;
	c->owner_prev = b;
	*b = c;
	return c;
}

static struct nfs4_principal
principal_of(const struct nfs4_call *call)
{
	const struct rpc_cred *cred = rpc_call_cred(call->nfs.rpc);

	return (struct nfs4_principal){ cred->flavor,
	    cred->flavor == RPC_AUTH_NONE ? 0 : cred->uid };
}

static bool
same_principal(const struct nfs4_principal *a, const struct nfs4_principal *b)
{
	return a->flavor == b->flavor && a->uid == b->uid;
}

static bool
same_verifier(const struct nfs4_client *c, const uint8_t *verifier)
{
	return memcmp(c->verifier, verifier, sizeof c->verifier) == 0;
}

/* ---------------------------------------------------------------- leases -- */

static bool
is_expired(const struct nfs4_client *c, uint64_t now)
{
	return c->expires_ms <= now;
}

void
nfs4_client_renew(struct nfs4 *n, struct nfs4_client *c)
{
	c->expires_ms = nfs4_now_ms() + n->lease_ms;
	c->courtesy = false;
}

/*
 * An expired client without state goes; one with state keeps it, until
 * somebody minds (nfs4_client_minds), for an hour by default: removed files
 * that it has open take up space.
 */
static void
scan(void *arg)
{
	struct nfs4 *n = arg;
	struct nfs4_client *c, *next;
	uint64_t now = nfs4_now_ms();
	unsigned i;

	nfs4_lock(n);
	for (i = 0; i < NFS4_BUCKETS; i++) {
		for (c = n->by_id[i]; c != NULL; c = next) {
			next = c->next;
			if (!is_expired(c, now))
				continue;
			/* A courtesy, while there is room for it. */
			if (c->nstates > 0 &&
			    n->nstates < n->limits.states / 2 &&
			    now - c->expires_ms < COURTESY * n->lease_ms) {
				c->courtesy = true;
			} else if (c->refs == 0) {
				nfs4_client_forget(n, c);
				client_drop(n, c);
			}
		}
	}
	if (n->grace && now >= n->grace_until_ms)
		nfs4_grace_end(n);
	nfs4_unlock(n);
	n->nfs->after(n->nfs->after_arg, (unsigned)n->lease_ms / SCAN_PARTS,
	    scan, n);
}

/* Expired for longest, and in no call; NULL: none is. */
static struct nfs4_client *
longest_expired(struct nfs4 *n)
{
	struct nfs4_client *c, *oldest = NULL;
	uint64_t now = nfs4_now_ms();
	unsigned i;

	for (i = 0; i < NFS4_BUCKETS; i++)
		for (c = n->by_id[i]; c != NULL; c = c->next)
			if (c->refs == 0 && c->nstates > 0 &&
			    is_expired(c, now) && (oldest == NULL ||
			    c->expires_ms < oldest->expires_ms))
				oldest = c;
	return oldest;
}

void
nfs4_client_make_room(struct nfs4 *n)
{
	struct nfs4_client *c;

	while (n->nstates >= n->limits.states ||
	    n->opens->owner.used >= n->limits.owners ||
	    n->opens->range.used >= n->limits.ranges) {
		if ((c = longest_expired(n)) == NULL)
			return;
		nfs4_client_forget(n, c);
		client_drop(n, c);
	}
}

bool
nfs4_client_is_silent(const struct nfs4_client *c)
{
	/* Who is in a call of its own right now is alive. */
	return c->refs == 0 && is_expired(c, nfs4_now_ms());
}

bool
nfs4_client_minds(struct nfs4 *n, struct nfs4_client *holder)
{
	if (!nfs4_client_is_silent(holder))
		return false;
	nfs4_client_forget(n, holder);
	client_drop(n, holder);
	return true;
}

nfsstat4
nfs4_client_of(struct nfs4_call *call, clientid4 id,
    struct nfs4_client **client)
{
	struct nfs4 *n = call->nfs4;
	struct nfs4_client *c;

	if (call->client != NULL && call->client->dead)
		return call->minor == 0 ? NFS4ERR_STALE_CLIENTID :
		    NFS4ERR_EXPIRED;
	if (call->client != NULL && (call->minor > 0 ||
	    call->client->id == id)) {
		if (call->minor == 0) {
			nfs4_client_renew(n, call->client);
			vfs_call_by(&call->nfs.vfs, call->client->id);
		}
		*client = call->client;
		return NFS4_OK;
	}
	if (id >> 32 != n->epoch || (c = find_id(n, id)) == NULL ||
	    !c->confirmed || c->minor != 0)
		return NFS4ERR_STALE_CLIENTID;
	c->refs++;
	if (call->client != NULL)
		nfs4_client_release(n, call->client);
	call->client = c;	/* counted by the call, put at its end */
	vfs_call_by(&call->nfs.vfs, c->id);
	nfs4_client_renew(n, c);
	*client = c;
	return NFS4_OK;
}

/* ----------------------------------------------------------------- grace -- */

/* Those of 4.0 are back, but have no word for having reclaimed all. */
static unsigned
count_missing(const struct nfs4 *n)
{
	const struct nfs4_client *c;
	unsigned missing = n->reclaimers, i;

	for (i = 0; i < NFS4_BUCKETS; i++)
		for (c = n->by_id[i]; c != NULL; c = c->next)
			if (c->reclaims && missing > 0)
				missing--;
	return missing;
}

void
nfs4_grace_end(struct nfs4 *n)
{
	if (!n->grace)
		return;
	n->grace = false;
	nfs4_records_end(n);
	log_info("grace is over: %u client(s) did not come back",
	    count_missing(n));
}

static void
count_record(void *ctx, const void *owner, uint32_t len)
{
	struct nfs4 *n = ctx;

	(void)owner, (void)len;
	n->reclaimers++;
}

/* Is there anything whose handles and state can outlive the process? */
static bool
can_reclaim(const struct nfs4 *n)
{
	const struct vfs_export *x;

	for (x = n->nfs->exports->first; x != NULL; x = x->next)
		if ((vfs_fs_ops(x->fs)->flags & PINEFS_STABLE_IDS) != 0)
			return true;
	return false;
}

/* No recorded client, or nothing to reclaim: no grace (PROTOCOL 10). */
static void
grace_begin(struct nfs4 *n)
{
	if (!can_reclaim(n)) {
		if (n->records.end != NULL) {
			n->records.end(n->records.arg);
			n->records.sync(n->records.arg);
		}
		return;
	}
	if (n->records.each == NULL ||
	    n->records.each(n->records.arg, count_record, n) != 0 ||
	    n->reclaimers == 0)
		return;
	n->grace = true;
	n->grace_until_ms = nfs4_now_ms() + n->lease_ms;
	log_info("grace: waiting up to %u s for %u client(s) to reclaim",
	    (unsigned)(n->lease_ms / 1000), n->reclaimers);
}

nfsstat4
nfs4_grace_check(struct nfs4 *n, const struct nfs4_client *c,
    const struct pinefs *fs, bool reclaim)
{
	bool volatile_fs = (vfs_fs_ops(fs)->flags & PINEFS_STABLE_IDS) == 0;

	if (!reclaim)
		return n->grace && !volatile_fs ? NFS4ERR_GRACE : NFS4_OK;
	if (volatile_fs || !n->grace || !c->reclaims || c->reclaimed)
		return NFS4ERR_NO_GRACE;
	return NFS4_OK;
}

/* Is the owner of this client among those recorded by an earlier instance? */
struct search {
	const struct nfs4_client	*client;
	bool				 found;
};

static void
match_record(void *ctx, const void *owner, uint32_t len)
{
	struct search *s = ctx;

	if (s->client->owner->len == len &&
	    memcmp(s->client->owner->data, owner, len) == 0)
		s->found = true;
}

static void
confirm(struct nfs4 *n, struct nfs4_client *c)
{
	struct search s = { .client = c };

	c->confirmed = true;
	nfs4_client_renew(n, c);
	if (!n->grace)
		return;
	n->records.each(n->records.arg, match_record, &s);
	c->reclaims = s.found;
}

static void
reclaim_done(struct nfs4 *n, struct nfs4_client *c)
{
	c->reclaimed = true;
	if (!n->grace || !c->reclaims)
		return;
	c->reclaims = false;
	if (--n->reclaimers == 0)
		nfs4_grace_end(n);
}

/* ------------------------------------------------------------------- 4.0 -- */

static void
set_callback(struct nfs4_client *c, const SETCLIENTID4args *a)
{
	const clientaddr4 *loc = &a->callback.cb_location;

	c->cb_ident = a->callback_ident;
	c->cb_program = a->callback.cb_program;
	snprintf(c->cb_netid, sizeof c->cb_netid, "%.*s",
	    (int)loc->na_r_netid.len, (const char *)loc->na_r_netid.data);
	snprintf(c->cb_addr, sizeof c->cb_addr, "%.*s",
	    (int)loc->na_r_addr.len, (const char *)loc->na_r_addr.data);
}

/*
 * RFC 7530 16.33.5.  A confirmed record of the same verifier means that only
 * the callback changes: the new record has the same clientid.
 */
static nfsstat4
setclientid(struct nfs4_call *call, const SETCLIENTID4args *a,
    const struct nfs4_principal *who, SETCLIENTID4res *res)
{
	struct nfs4 *n = call->nfs4;
	struct nfs4_client *conf = find_owner(n, a->client.id, true), *c;
	struct nfs4_client *un = find_owner(n, a->client.id, false);

	if (conf != NULL && !same_principal(&conf->principal, who) &&
	    conf->nstates > 0 && !is_expired(conf, nfs4_now_ms())) {
		res->client_using.na_r_netid = xdr_view(conf->cb_netid,
		    (uint32_t)strlen(conf->cb_netid));
		res->client_using.na_r_addr = xdr_view(conf->cb_addr,
		    (uint32_t)strlen(conf->cb_addr));
		nfs4_view_copy(call, &res->client_using.na_r_netid);
		nfs4_view_copy(call, &res->client_using.na_r_addr);
		return NFS4ERR_CLID_INUSE;
	}
	if (un != NULL)
		client_drop(n, un);
	/* Making room must not take the one we compare with. */
	if (conf != NULL)
		conf->refs++;
	c = client_new(n, a->client.id, a->client.verifier, who, 0);
	if (conf != NULL)
		nfs4_client_release(n, conf);
	if (c == NULL)
		return NFS4ERR_RESOURCE;
	if (conf != NULL && same_verifier(conf, a->client.verifier) &&
	    same_principal(&conf->principal, who) && conf->minor == 0)
		c->replaces = conf;
	set_callback(c, a);
	nfs4_cb_address(&a->callback, rpc_call_peer(call->nfs.rpc),
	    &c->cb_sa);
	random_fill(c->confirm, sizeof c->confirm);
	res->resok4.clientid = c->replaces != NULL ? conf->id : c->id;
	memcpy(res->resok4.setclientid_confirm, c->confirm,
	    sizeof c->confirm);
	return NFS4_OK;
}

int
nfs4_op_setclientid(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	struct nfs4_principal who = principal_of(call);
	SETCLIENTID4res *res = &r->opsetclientid;

	nfs4_lock(call->nfs4);
	res->status = setclientid(call, &arg->opsetclientid, &who, res);
	nfs4_unlock(call->nfs4);
	return 0;
}

/* The unconfirmed record that a confirmation means. */
static struct nfs4_client *
find_confirm(struct nfs4 *n, const SETCLIENTID_CONFIRM4args *a)
{
	struct nfs4_client *c = find_id(n, a->clientid), *un;

	if (c != NULL && !c->confirmed && c->minor == 0 &&
	    c->replaces == NULL && memcmp(c->confirm,
	    a->setclientid_confirm, sizeof c->confirm) == 0)
		return c;
	if (c == NULL || !c->confirmed)
		return NULL;
	/* A new callback for a confirmed one. */
	un = find_owner(n, xdr_view(c->owner->data, (uint32_t)c->owner->len),
	    false);
	return un != NULL && un->replaces == c && memcmp(un->confirm,
	    a->setclientid_confirm, sizeof un->confirm) == 0 ? un : NULL;
}

/* RFC 7530 16.34.5. */
static nfsstat4
setclientid_confirm(struct nfs4 *n, const SETCLIENTID_CONFIRM4args *a,
    const struct nfs4_principal *who)
{
	struct nfs4_client *c = find_confirm(n, a), *old;

	if (c == NULL) {
		/* A retransmission of what was confirmed already? */
		c = find_id(n, a->clientid);
		return c != NULL && c->confirmed && memcmp(c->confirm,
		    a->setclientid_confirm, sizeof c->confirm) == 0 &&
		    same_principal(&c->principal, who) ? NFS4_OK :
		    NFS4ERR_STALE_CLIENTID;
	}
	if (!same_principal(&c->principal, who))
		return NFS4ERR_CLID_INUSE;
	if ((old = c->replaces) != NULL) {
		memcpy(old->cb_netid, c->cb_netid, sizeof old->cb_netid);
		memcpy(old->cb_addr, c->cb_addr, sizeof old->cb_addr);
		memcpy(old->confirm, c->confirm, sizeof old->confirm);
		old->cb_ident = c->cb_ident;
		old->cb_program = c->cb_program;
		old->cb_sa = c->cb_sa;
		nfs4_client_renew(n, old);
		client_drop(n, c);
		nfs4_cb_moved(n, old);
		return NFS4_OK;
	}
	/* The client has rebooted: what it had before is gone. */
	old = find_owner(n, xdr_view(c->owner->data,
	    (uint32_t)c->owner->len), true);
	if (old != NULL && !same_principal(&old->principal, who) &&
	    old->nstates > 0 && !is_expired(old, nfs4_now_ms()))
		return NFS4ERR_CLID_INUSE;
	if (old != NULL) {
		replace(n, old, c);
	}
	confirm(n, c);
	return NFS4_OK;
}

int
nfs4_op_setclientid_confirm(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	struct nfs4_principal who = principal_of(call);

	nfs4_lock(call->nfs4);
	r->opsetclientid_confirm.status = setclientid_confirm(call->nfs4,
	    &arg->opsetclientid_confirm, &who);
	nfs4_unlock(call->nfs4);
	return 0;
}

int
nfs4_op_renew(struct nfs4_call *call, const nfs_argop4 *arg, nfs_resop4 *r)
{
	struct nfs4_client *c;

	nfs4_lock(call->nfs4);
	r->oprenew.status = nfs4_client_of(call, arg->oprenew.clientid, &c);
	/* RFC 7530 16.28.4: renewed all the same. */
	if (r->oprenew.status == NFS4_OK && c->ndelegs > 0 &&
	    c->cb_path == CB_DOWN)
		r->oprenew.status = NFS4ERR_CB_PATH_DOWN;
	nfs4_unlock(call->nfs4);
	return 0;
}

/* ------------------------------------------------------------------- 4.1 -- */

enum { EXID_KNOWN = EXCHGID4_FLAG_SUPP_MOVED_REFER |
    EXCHGID4_FLAG_SUPP_MOVED_MIGR | EXCHGID4_FLAG_BIND_PRINC_STATEID |
    EXCHGID4_FLAG_USE_NON_PNFS | EXCHGID4_FLAG_USE_PNFS_MDS |
    EXCHGID4_FLAG_USE_PNFS_DS | EXCHGID4_FLAG_UPD_CONFIRMED_REC_A |
    EXCHGID4_FLAG_SUPP_FENCE_OPS };

/* With EXCHGID4_FLAG_UPD_CONFIRMED_REC_A: cases 6 to 9 of 18.35.4. */
static nfsstat4
update(const struct nfs4_client *conf, const EXCHANGE_ID4args *a,
    const struct nfs4_principal *who)
{
	if (conf == NULL || conf->minor == 0)
		return NFS4ERR_NOENT;
	if (!same_verifier(conf, a->eia_clientowner.co_verifier))
		return NFS4ERR_NOT_SAME;
	if (!same_principal(&conf->principal, who))
		return NFS4ERR_PERM;
	return NFS4_OK;
}

/*
 * Without it: cases 1 to 5.  An unconfirmed record of the same incarnation is
 * used again: a Linux client asks twice before it confirms.
 */
static nfsstat4
find_or_make(struct nfs4 *n, struct nfs4_client *conf,
    const EXCHANGE_ID4args *a, const struct nfs4_principal *who,
    struct nfs4_client **client)
{
	const client_owner4 *o = &a->eia_clientowner;
	struct nfs4_client *un = find_owner(n, o->co_ownerid, false);

	if (conf != NULL && !same_principal(&conf->principal, who)) {
		if (conf->nstates > 0 && !is_expired(conf, nfs4_now_ms()))
			return NFS4ERR_CLID_INUSE;
		client_drop(n, conf);
		conf = NULL;
	}
	if (conf != NULL && conf->minor > 0 &&
	    same_verifier(conf, o->co_verifier)) {
		if (un != NULL)
			client_drop(n, un);
		*client = conf;
		return NFS4_OK;
	}
	if (un != NULL && un->minor > 0 && same_verifier(un, o->co_verifier)
	    && same_principal(&un->principal, who)) {
		*client = un;
		return NFS4_OK;
	}
	if (un != NULL)
		client_drop(n, un);
	*client = client_new(n, o->co_ownerid, o->co_verifier, who, 1);
	return *client == NULL ? NFS4ERR_DELAY : NFS4_OK;
}

static nfsstat4
exchange_id(struct nfs4 *n, const EXCHANGE_ID4args *a,
    const struct nfs4_principal *who, EXCHANGE_ID4resok *ok)
{
	bool upd = (a->eia_flags & EXCHGID4_FLAG_UPD_CONFIRMED_REC_A) != 0;
	struct nfs4_client *c, *conf;
	nfsstat4 st;

	if ((a->eia_flags & ~(uint32_t)EXID_KNOWN) != 0 ||
	    a->eia_clientowner.co_ownerid.len == 0)
		return NFS4ERR_INVAL;
	if (a->eia_state_protect.spa_how == SP4_SSV)
		return NFS4ERR_ENCR_ALG_UNSUPP;
	/* Machine credentials are those of RPCSEC_GSS. */
	if (a->eia_state_protect.spa_how != SP4_NONE)
		return NFS4ERR_INVAL;
	conf = find_owner(n, a->eia_clientowner.co_ownerid, true);
	c = conf;
	st = upd ? update(conf, a, who) : find_or_make(n, conf, a, who, &c);
	if (st != NFS4_OK)
		return st;
	ok->eir_clientid = c->id;
	ok->eir_sequenceid = c->cs_seq;
	ok->eir_flags = EXCHGID4_FLAG_USE_NON_PNFS |
	    (c->confirmed ? EXCHGID4_FLAG_CONFIRMED_R : 0);
	ok->eir_state_protect.spr_how = SP4_NONE;
	ok->eir_server_owner.so_major_id = xdr_view(n->scope,
	    (uint32_t)strlen(n->scope));
	ok->eir_server_scope = ok->eir_server_owner.so_major_id;
	return NFS4_OK;
}

int
nfs4_op_exchange_id(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	struct nfs4_principal who = principal_of(call);
	EXCHANGE_ID4res *res = &r->opexchange_id;

	memset(&res->eir_resok4, 0, sizeof res->eir_resok4);
	nfs4_lock(call->nfs4);
	res->eir_status = exchange_id(call->nfs4, &arg->opexchange_id, &who,
	    &res->eir_resok4);
	nfs4_unlock(call->nfs4);
	return 0;
}

/*
 * For CREATE_SESSION: its client; when the first session is made,
 * nfs4_client_confirm.
 */
nfsstat4
nfs4_client_for_session(struct nfs4_call *call, clientid4 id,
    struct nfs4_client **client)
{
	struct nfs4_principal who = principal_of(call);
	struct nfs4_client *c = find_id(call->nfs4, id);

	if (c == NULL || c->minor == 0)
		return NFS4ERR_STALE_CLIENTID;
	/* 18.36.4: asked of the first session alone, which confirms it. */
	if (!c->confirmed && !same_principal(&c->principal, &who))
		return NFS4ERR_CLID_INUSE;
	*client = c;
	return NFS4_OK;
}

void
nfs4_client_confirm(struct nfs4 *n, struct nfs4_client *c)
{
	struct nfs4_client *old;

	if (c->confirmed)
		return;
	old = find_owner(n, xdr_view(c->owner->data,
	    (uint32_t)c->owner->len), true);
	if (old != NULL) {
		replace(n, old, c);
	}
	confirm(n, c);
}

int
nfs4_op_destroy_clientid(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	struct nfs4 *n = call->nfs4;
	struct nfs4_client *c;
	nfsstat4 st = NFS4_OK;

	nfs4_lock(n);
	c = find_id(n, arg->opdestroy_clientid.dca_clientid);
	if (c == NULL || c->minor == 0) {
		st = NFS4ERR_STALE_CLIENTID;
	} else if (c->sessions != NULL || c->nstates > 0) {
		st = NFS4ERR_CLIENTID_BUSY;
	} else {
		nfs4_client_forget(n, c);
		client_drop(n, c);
	}
	nfs4_unlock(n);
	r->opdestroy_clientid.dcr_status = st;
	return 0;
}

/* RFC 8881 18.51: one_fs does not end global reclaim. */
int
nfs4_op_reclaim_complete(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	nfsstat4 st = NFS4_OK;

	nfs4_lock(call->nfs4);
	if (arg->opreclaim_complete.rca_one_fs) {
		if (!call->current.set)
			st = NFS4ERR_NOFILEHANDLE;
	} else if (call->client->dead) {
		st = NFS4ERR_EXPIRED;
	} else if (call->client->reclaimed) {
		st = NFS4ERR_COMPLETE_ALREADY;
	} else {
		nfs4_client_record(call->nfs4, call->client);
		reclaim_done(call->nfs4, call->client);
	}
	nfs4_unlock(call->nfs4);
	r->opreclaim_complete.rcr_status = st;
	return 0;
}

/* ---------------------------------------------------------------- server -- */

int
nfs4_clients_init(struct nfs4 *n)
{
	pool_init(&n->clients, sizeof(struct nfs4_client), NFS4_MAX_CLIENTS);
	pool_init(&n->sessions, sizeof(struct nfs4_session),
	    NFS4_MAX_CLIENTS);
	pool_init(&n->record_pool, sizeof(struct nfs4_record),
	    2 * NFS4_MAX_CLIENTS);
	n->record_last = &n->record_first;
	random_fill(n->secret, sizeof n->secret);
	grace_begin(n);
	return 0;
}

void
nfs4_clients_start(struct nfs4 *n)
{
	if (n->nfs->after != NULL)
		n->nfs->after(n->nfs->after_arg,
		    (unsigned)n->lease_ms / SCAN_PARTS, scan, n);
}

void
nfs4_clients_drop(struct nfs4 *n)
{
	unsigned i;

	for (i = 0; i < NFS4_BUCKETS; i++)
		while (n->by_id[i] != NULL)
			client_drop(n, n->by_id[i]);
}

void
nfs4_clients_fini(struct nfs4 *n)
{
	pool_fini(&n->record_pool);
	pool_fini(&n->sessions);
	pool_fini(&n->clients);
}
