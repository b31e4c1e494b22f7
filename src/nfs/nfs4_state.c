/*
 * Stateids (RFC 8881 8.2, RFC 7530 9.1.4).  `other` is
 *
 *	0  4  epoch of this instance	an earlier one is told from nonsense
 *	4  4  client			(lower half of its id)
 *	8  4  a number of its own, which nobody can guess
 *
 * so that a stateid of another client or instance is known as such without a
 * table of what once was.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/random.h"
#include "nfs/nfs4_ops.h"
#include "nfs/nfs4_tables.h"

static void
put_u32(uint8_t *p, uint32_t v)
{
	xdr_store_u32(p, v);
}

static struct nfs4_state **
bucket(struct nfs4 *n, const uint8_t *other)
{
	return &n->by_state[xdr_load_u32(other + 8) % NFS4_STATE_BUCKETS];
}

uint32_t
nfs4_draw(struct nfs4 *n)
{
	n->drawn++;
	return (uint32_t)siphash13(n->secret, &n->drawn, sizeof n->drawn);
}

bool
nfs4_state_enter(struct nfs4 *n, struct nfs4_state *s)
{
	struct nfs4_state **b;

	if (n->nstates >= n->limits.states ||
	    s->client->nstates >= n->limits.client_states)
		return false;
	put_u32(s->id.other, n->epoch);
	put_u32(s->id.other + 4, (uint32_t)s->client->id);
	do
		put_u32(s->id.other + 8, nfs4_draw(n));
	while (nfs4_state_other(n, &s->id) != NULL);
	s->id.seqid = 1;
	b = bucket(n, s->id.other);
	if ((s->hash_next = *b) != NULL)
		s->hash_next->hash_prev = &s->hash_next;
	s->hash_prev = b;
	*b = s;
	n->nstates++;
	s->client->nstates++;
	return true;
}

void
nfs4_state_leave(struct nfs4 *n, struct nfs4_state *s)
{
	*s->hash_prev = s->hash_next;
	if (s->hash_next != NULL)
		s->hash_next->hash_prev = s->hash_prev;
	n->nstates--;
	s->client->nstates--;
}

/* seqid wraps around 0, which means "the newest" in 4.1. */
void
nfs4_state_next(struct nfs4_state *s)
{
	if (++s->id.seqid == 0)
		s->id.seqid = 1;
}

static bool
other_is(const stateid4 *id, uint8_t value)
{
	unsigned i;

	for (i = 0; i < sizeof id->other; i++)
		if (id->other[i] != value)
			return false;
	return true;
}

bool
nfs4_stateid_is_anonymous(const stateid4 *id)
{
	return id->seqid == 0 && other_is(id, 0);
}

bool
nfs4_stateid_is_bypass(const stateid4 *id)
{
	return id->seqid == UINT32_MAX && other_is(id, 0xff);
}

/* RFC 8881 8.2.3: other 0, seqid 1 is the current one. */
void
nfs4_view_copy(struct nfs4_call *call, struct xdr_view *v)
{
	void *copy = nfs_call_alloc(&call->nfs, v->len + 1);

	if (copy == NULL)
		v->len = 0;
	else
		memcpy(copy, v->data, v->len);
	v->data = copy;
}

nfsstat4
nfs4_stateid_resolve(struct nfs4_call *call, const stateid4 *id,
    stateid4 *real)
{
	*real = *id;
	if (call->minor == 0 || id->seqid != 1 || !other_is(id, 0))
		return NFS4_OK;
	if (!call->current.has_stateid)
		return NFS4ERR_BAD_STATEID;
	*real = call->current.stateid;
	/* Within the compound nobody else can have gone on from it. */
	real->seqid = 0;
	return NFS4_OK;
}

static nfsstat4
check_seqid(const struct nfs4_call *call, const struct nfs4_state *s,
    uint32_t seqid)
{
	if (seqid == 0 && call->minor > 0)
		return NFS4_OK;		/* the newest, whatever it is */
	if (seqid == s->id.seqid)
		return NFS4_OK;
	return (int32_t)(seqid - s->id.seqid) < 0 ? NFS4ERR_OLD_STATEID :
	    NFS4ERR_BAD_STATEID;
}

struct nfs4_state *
nfs4_state_other(struct nfs4 *n, const stateid4 *id)
{
	struct nfs4_state *s = *bucket(n, id->other);

	while (s != NULL &&
	    memcmp(s->id.other, id->other, sizeof id->other) != 0)
		s = s->hash_next;
	return s;
}

/* Is the client that had this stateid still there? */
static bool
is_alive(struct nfs4 *n, const stateid4 *id)
{
	struct nfs4_client *c = nfs4_client_find(n,
	    (clientid4)n->epoch << 32 | xdr_load_u32(id->other + 4));

	if (c == NULL)
		return false;
	nfs4_client_release(n, c);
	return true;
}

nfsstat4
nfs4_state_find(struct nfs4_call *call, const stateid4 *id,
    struct nfs4_state **state)
{
	struct nfs4 *n = call->nfs4;
	struct nfs4_state *s;
	nfsstat4 st;

	/* Special stateids are of no entry. */
	if (other_is(id, 0) || other_is(id, 0xff))
		return NFS4ERR_BAD_STATEID;
	if (xdr_load_u32(id->other) != n->epoch)
		return call->minor == 0 ? NFS4ERR_STALE_STATEID :
		    NFS4ERR_BAD_STATEID;
	s = nfs4_state_other(n, id);
	if (s == NULL && call->minor == 0)
		return is_alive(n, id) ? NFS4ERR_BAD_STATEID :
		    NFS4ERR_EXPIRED;
	if (s == NULL || (call->minor > 0 && s->client != call->client))
		return NFS4ERR_BAD_STATEID;
	if ((st = check_seqid(call, s, id->seqid)) != NFS4_OK)
		return st;
	if (s->revoked)
		return s->kind == STATE_DELEG && call->minor > 0 ?
		    NFS4ERR_DELEG_REVOKED : NFS4ERR_ADMIN_REVOKED;
	if (call->minor == 0) {
		nfs4_client_renew(n, s->client);
		vfs_call_by(&call->nfs.vfs, nfs4_client_id(s->client));
	}
	*state = s;
	return NFS4_OK;
}

/* RFC 8881 18.48.3: each for itself; the whole always succeeds. */
int
nfs4_op_test_stateid(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	const struct stateid4_array *ids =
	    &arg->optest_stateid.ts_stateids;
	TEST_STATEID4res *res = &r->optest_stateid;
	struct nfs4_state *s;
	nfsstat4 *v;
	uint32_t i;

	v = nfs_call_alloc(&call->nfs, ids->n * sizeof *v + 1);
	res->tsr_status = v == NULL ? NFS4ERR_DELAY : NFS4_OK;
	if (v == NULL)
		return 0;
	nfs4_lock(call->nfs4);
	for (i = 0; i < ids->n; i++)
		v[i] = nfs4_state_find(call, &ids->v[i], &s);
	nfs4_unlock(call->nfs4);
	res->tsr_resok4.tsr_status_codes.v = v;
	res->tsr_resok4.tsr_status_codes.n = ids->n;
	return 0;
}

/* ---------------------------------------------------------------- server -- */

/*
 * 485 KiB of replies are what a Linux client asks for: 64 times 7584 bytes.
 * 4096 sessions of the least are 128 MiB, on top of the 64 MiB for all.
 */
static const struct nfs4_limits default_limits = {
	.states = 65536,	.client_states = 65536 / 4,
	.owners = 65536,	.client_owners = 65536 / 4,
	.ranges = 65536,	.client_ranges = 65536 / 4,
	.least_replies = 32 << 10, .session_replies = 512 << 10,
	.replies = 64 << 20,
};

/*
 * Another epoch at every start; never 0, or small numbers would be ids.  The
 * scope is made of the state directory's key: the same after a restart, so
 * that clients reclaim, and another one for every other instance.
 */
static void
name_instance(struct nfs4 *n)
{
	static const char what[] = "server scope of version 4";
	const uint8_t *key = n->nfs->keys.now;

	while (n->epoch == 0)
		n->epoch = (uint32_t)random_u64();
	snprintf(n->scope, sizeof n->scope, "pinefs-%016" PRIx64,
	    siphash24(key, what, sizeof what));
}

struct nfs4 *
nfs4_new(struct nfs *nfs, const struct nfs4_records *records,
    unsigned lease_s)
{
	struct nfs4 *n = pool_zalloc(sizeof *n);

	if (n == NULL)
		return NULL;
	n->nfs = nfs;
	if (records != NULL)
		n->records = *records;
	n->limits = default_limits;
	n->lease_ms = (uint64_t)(lease_s == 0 ? NFS4_LEASE : lease_s) * 1000;
	name_instance(n);
	pthread_mutex_init(&n->lock, NULL);
	pthread_mutex_init(&n->records_lock, NULL);
	nfs4_clients_init(n);
	if (nfs4_opens_init(n) != 0 ||
	    nfs4_delegs_init(n, !nfs->no_delegations) != 0) {
		nfs4_free(n);
		return NULL;
	}
	return n;
}

void
nfs4_start(struct nfs4 *n)
{
	nfs4_lock(n);
	n->timers = n->nfs->after != NULL;
	nfs4_unlock(n);
	nfs4_clients_start(n);
}

void
nfs4_stop(struct nfs4 *n)
{
	nfs4_lock(n);
	n->stopping = true;
	nfs4_delegs_stop(n);
	nfs4_unlock(n);
}

void
nfs4_free(struct nfs4 *n)
{
	if (n == NULL)
		return;
	nfs4_lock(n);
	nfs4_clients_drop(n);
	nfs4_unlock(n);		/* and files are closed */
	nfs4_clients_fini(n);
	nfs4_delegs_fini(n);
	nfs4_opens_fini(n);
	pthread_mutex_destroy(&n->records_lock);
	pthread_mutex_destroy(&n->lock);
	pool_zfree(n);
}
