/*
 * Sessions (RFC 8881 2.10): exactly-once calls by slots.
 *
 *	seq on slot    slot                       answer
 *	last + 1       idle                       run
 *	last           never used                 SEQ_MISORDERED
 *	last           running                    DELAY
 *	last           done, reply kept           that reply
 *	                     of another request   SEQ_FALSE_RETRY
 *	last           done, SEQUENCE was alone   the same again
 *	                     and now is not       SEQ_FALSE_RETRY
 *	last           done, not kept             RETRY_UNCACHED_REP
 *	else           any                        SEQ_MISORDERED
 */
#include "base/random.h"
#include "nfs/nfs4_deleg.h"
#include "nfs/nfs4_ops.h"

enum {
	LEAST_REQUEST = 512, LEAST_REPLY = 512, LEAST_OPS = 2,
	HEADROOM = 4096,	/* of a record, beside the data */
	MOST_CACHED = 16384, LEAST_CACHED = 2048,	/* of one reply */
	PARTS = 32,		/* of what is left, one takes at most one */
	BACK_OPS = 8, BACK_SLOTS = 16, BACK_SIZE = 4096
};

/* ---------------------------------------------------------------- tables -- */

static struct nfs4_session **
bucket(struct nfs4 *n, const uint8_t *id)
{
	uint32_t h;

	memcpy(&h, id + 8, sizeof h);	/* the random half */
	return &n->by_session[h % NFS4_BUCKETS];
}

static struct nfs4_session *
find(struct nfs4 *n, const uint8_t *id)
{
	struct nfs4_session *s = *bucket(n, id);

	while (s != NULL && memcmp(s->id, id, sizeof s->id) != 0)
		s = s->next;
	return s;
}

static void
session_free(struct nfs4 *n, struct nfs4_session *s)
{
	unsigned i;

	for (i = 0; i < NFS4_MAX_SLOTS; i++)
		pool_bytes_put(s->slot[i].reply);
	rpc_link_put(s->back_link);
	n->replies -= s->replies;
	pool_give(&n->sessions, s);
}

static void
session_release(struct nfs4 *n, struct nfs4_session *s)
{
	if (--s->refs == 0 && s->dead)
		session_free(n, s);
}

static void
session_drop(struct nfs4 *n, struct nfs4_session *s)
{
	struct nfs4_session **p = &s->client->sessions;

	while (*p != s)
		p = &(*p)->of_client;
	*p = s->of_client;
	s->client->nsessions--;
	nfs4_cb_session_gone(s);
	*s->prev = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	s->dead = true;
	if (s->refs == 0)
		session_free(n, s);
}

void
nfs4_sessions_drop(struct nfs4 *n, struct nfs4_client *c)
{
	while (c->sessions != NULL)
		session_drop(n, c->sessions);
}

/* -------------------------------------------------------- CREATE_SESSION -- */

static uint32_t
at_most(uint32_t asked, uint32_t most)
{
	return asked < most ? asked : most;
}

/*
 * What a session's slots may keep: what is asked, if there is so much.  One
 * may take a small part of what is left for all, so that nothing can be used
 * up.  Smaller replies are kept, but none that could not have a LOCK's answer
 * in it; then fewer.
 */
static size_t
negotiate_cached(const struct nfs4 *n, channel_attrs4 *fore)
{
	size_t most = n->limits.least_replies +
	    (n->limits.replies - n->replies) / PARTS;
	size_t asked = (size_t)fore->ca_maxresponsesize_cached *
	    fore->ca_maxrequests, each;

	if (most > n->limits.session_replies)
		most = n->limits.session_replies;
	if (asked > most && fore->ca_maxresponsesize_cached > LEAST_CACHED) {
		each = most / fore->ca_maxrequests;
		fore->ca_maxresponsesize_cached = each < LEAST_CACHED ?
		    LEAST_CACHED : (uint32_t)each;
	}
	each = fore->ca_maxresponsesize_cached;
	if (each * fore->ca_maxrequests > most)
		fore->ca_maxrequests = (uint32_t)(most / each);
	asked = each * fore->ca_maxrequests;
	return asked < n->limits.least_replies ? 0 :
	    asked - n->limits.least_replies;
}

/* 18.36.3: never more than was asked; a Linux client insists on it. */
static nfsstat4
negotiate(const struct nfs4 *n, const CREATE_SESSION4args *a,
    channel_attrs4 *fore, channel_attrs4 *back, size_t *replies)
{
	const channel_attrs4 *f = &a->csa_fore_chan_attrs;
	const channel_attrs4 *b = &a->csa_back_chan_attrs;
	uint32_t most = n->nfs->max_tcp + HEADROOM;

	if (f->ca_maxrequestsize < LEAST_REQUEST ||
	    f->ca_maxresponsesize < LEAST_REPLY ||
	    f->ca_maxoperations < LEAST_OPS || f->ca_maxrequests == 0)
		return NFS4ERR_TOOSMALL;
	*fore = (channel_attrs4){
		.ca_maxrequestsize = at_most(f->ca_maxrequestsize, most),
		.ca_maxresponsesize = at_most(f->ca_maxresponsesize, most),
		.ca_maxresponsesize_cached =
		    at_most(f->ca_maxresponsesize_cached, MOST_CACHED),
		.ca_maxoperations =
		    at_most(f->ca_maxoperations, NFS4_MAX_OPS),
		.ca_maxrequests = at_most(f->ca_maxrequests, NFS4_MAX_SLOTS),
	};
	*replies = negotiate_cached(n, fore);
	*back = (channel_attrs4){
		.ca_maxrequestsize =
		    at_most(b->ca_maxrequestsize, BACK_SIZE),
		.ca_maxresponsesize =
		    at_most(b->ca_maxresponsesize, BACK_SIZE),
		.ca_maxresponsesize_cached =
		    at_most(b->ca_maxresponsesize_cached, BACK_SIZE),
		.ca_maxoperations = at_most(b->ca_maxoperations, BACK_OPS),
		.ca_maxrequests = at_most(b->ca_maxrequests, BACK_SLOTS),
	};
	return NFS4_OK;
}

static void
bind_back(struct nfs4_session *s, struct rpc_link *link)
{
	if (link != NULL)
		rpc_link_get(link);
	rpc_link_put(s->back_link);
	s->back_link = link;
	s->back_stuck = false;
}

/* 18.36.3: as one of those that the client offers; AUTH_NONE: none fits. */
static struct rpc_cred
callback_cred(const callback_sec_parms4 *v, uint32_t n)
{
	struct rpc_cred cred = { .flavor = RPC_AUTH_NONE };
	const authsys_parms4 *sys;
	uint32_t i, k;

	for (i = 0; i < n && v[i].cb_secflavor != RPC_AUTH_SYS; i++)
		;
	if (i == n)
		return cred;
	sys = &v[i].cbsp_sys_cred;
	cred = (struct rpc_cred){ .flavor = RPC_AUTH_SYS, .uid = sys->uid,
	    .gid = sys->gid, .ngids = sys->gids.n };
	for (k = 0; k < cred.ngids && k < RPC_MAX_GIDS; k++)
		cred.gids[k] = sys->gids.v[k];
	return cred;
}

static struct nfs4_session *
session_new(struct nfs4 *n, struct nfs4_client *c,
    const CREATE_SESSION4args *a, struct rpc_link *link)
{
	struct nfs4_session *s = pool_take(&n->sessions), **b;
	uint64_t rest = random_u64();

	if (s == NULL)
		return NULL;
	memcpy(s->id, &c->id, 8);
	memcpy(s->id + 8, &rest, 8);
	s->client = c;
	s->cb_program = a->csa_cb_program;
	s->cb_cred = callback_cred(a->csa_sec_parms.v, a->csa_sec_parms.n);
	if (link != NULL && (a->csa_flags &
	    CREATE_SESSION4_FLAG_CONN_BACK_CHAN) != 0) {
		s->flags = CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
		bind_back(s, link);
	}
	b = bucket(n, s->id);
	if ((s->next = *b) != NULL)
		s->next->prev = &s->next;
	s->prev = b;
	*b = s;
	s->of_client = c->sessions;
	c->sessions = s;
	c->nsessions++;
	return s;
}

static nfsstat4
create(struct nfs4_call *call, const CREATE_SESSION4args *a,
    struct nfs4_client *c, CREATE_SESSION4resok *ok)
{
	enum { KNOWN = CREATE_SESSION4_FLAG_PERSIST |
	    CREATE_SESSION4_FLAG_CONN_BACK_CHAN |
	    CREATE_SESSION4_FLAG_CONN_RDMA };
	struct nfs4 *n = call->nfs4;
	channel_attrs4 fore, back;
	size_t replies;
	struct nfs4_session *s;
	nfsstat4 st;

	if ((a->csa_flags & ~(uint32_t)KNOWN) != 0)
		return NFS4ERR_INVAL;
	if ((st = negotiate(n, a, &fore, &back, &replies)) != NFS4_OK)
		return st;
	/* Where sessions run short, nobody gets more than one. */
	if (c->nsessions == NFS4_MAX_SESSIONS || (c->nsessions > 0 &&
	    n->sessions.used >= n->sessions.limit / 4 * 3))
		return NFS4ERR_NOSPC;
	nfs4_client_confirm(n, c);
	s = session_new(n, c, a, rpc_call_link(call->nfs.rpc));
	if (s == NULL)
		return NFS4ERR_NOSPC;
	nfs4_client_renew(n, c);
	s->minor = call->minor;
	s->fore = fore;
	s->replies = replies;
	n->replies += replies;
	s->back = back;
	nfs4_cb_renewed(n, c);
	memcpy(ok->csr_sessionid, s->id, sizeof s->id);
	ok->csr_sequence = a->csa_sequence;
	ok->csr_flags = s->flags;
	ok->csr_fore_chan_attrs = fore;
	ok->csr_back_chan_attrs = back;
	return NFS4_OK;
}

/* 18.36.4: one reply is kept per client record. */
int
nfs4_op_create_session(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	const CREATE_SESSION4args *a = &arg->opcreate_session;
	CREATE_SESSION4res *res = &r->opcreate_session;
	struct nfs4_client *c;

	memset(res, 0, sizeof *res);
	nfs4_lock(call->nfs4);
	res->csr_status = nfs4_client_for_session(call, a->csa_clientid, &c);
	if (res->csr_status != NFS4_OK) {
		/* as it is */
	} else if (c->cs_done && a->csa_sequence == c->cs_seq - 1) {
		*res = c->cs_res;
	} else if (a->csa_sequence != c->cs_seq) {
		res->csr_status = NFS4ERR_SEQ_MISORDERED;
	} else {
		res->csr_status = create(call, a, c, &res->csr_resok4);
		c->cs_seq++;
		c->cs_done = true;
		c->cs_res = *res;
	}
	nfs4_unlock(call->nfs4);
	return 0;
}

int
nfs4_op_destroy_session(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	struct nfs4_session *s;

	nfsstat4 st = NFS4_OK;

	nfs4_lock(call->nfs4);
	s = find(call->nfs4, arg->opdestroy_session.dsa_sessionid);
	if (s == NULL)
		st = NFS4ERR_BADSESSION;
	else if (s == call->session && call->index + 1 != call->nops)
		st = NFS4ERR_NOT_ONLY_OP;	/* its own: last (18.37.3) */
	else
		session_drop(call->nfs4, s);
	nfs4_unlock(call->nfs4);
	r->opdestroy_session.dsr_status = st;
	return 0;
}

/* 18.34.  The fore channel needs no binding: SP4_NONE is all we grant. */
int
nfs4_op_bind_conn_to_session(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	const BIND_CONN_TO_SESSION4args *a = &arg->opbind_conn_to_session;
	BIND_CONN_TO_SESSION4res *res = &r->opbind_conn_to_session;
	BIND_CONN_TO_SESSION4resok *ok = &res->bctsr_resok4;
	struct nfs4_session *s;

	nfs4_lock(call->nfs4);
	s = find(call->nfs4, a->bctsa_sessid);
	res->bctsr_status = s == NULL ? NFS4ERR_BADSESSION : NFS4_OK;
	if (s != NULL) {
		memcpy(ok->bctsr_sessid, s->id, sizeof s->id);
		ok->bctsr_use_conn_in_rdma_mode = false;
		ok->bctsr_dir = CDFS4_FORE;
		if (a->bctsa_dir != CDFC4_FORE) {
			bind_back(s, rpc_call_link(call->nfs.rpc));
			s->flags |= CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
			ok->bctsr_dir = a->bctsa_dir == CDFC4_BACK ?
			    CDFS4_BACK : CDFS4_BOTH;
			nfs4_cb_renewed(call->nfs4, s->client);
		}
		nfs4_client_renew(call->nfs4, s->client);
	}
	nfs4_unlock(call->nfs4);
	return 0;
}

int
nfs4_op_backchannel_ctl(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	const BACKCHANNEL_CTL4args *a = &arg->opbackchannel_ctl;
	nfsstat4 st = NFS4_OK;
	uint32_t i;

	/* 18.33.3: contexts of RPCSEC_GSS, of which there are none here. */
	for (i = 0; i < a->bca_sec_parms.n; i++)
		if (a->bca_sec_parms.v[i].cb_secflavor == RPC_AUTH_GSS)
			st = NFS4ERR_NOENT;
	if (st == NFS4_OK) {
		nfs4_lock(call->nfs4);
		call->session->cb_program = a->bca_cb_program;
		call->session->cb_cred = callback_cred(a->bca_sec_parms.v,
		    a->bca_sec_parms.n);
		nfs4_unlock(call->nfs4);
	}
	r->opbackchannel_ctl.bcr_status = st;
	return 0;
}

/* -------------------------------------------------------------- SEQUENCE -- */

static uint32_t
status_flags(const struct nfs4_session *s)
{
	const struct nfs4_session *any = s->client->sessions;
	uint32_t flags = 0;

	/* Only where a back channel was promised: else it asks for ever. */
	if ((s->flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN) != 0 &&
	    (s->back_stuck || s->back_link == NULL ||
	    !rpc_link_is_open(s->back_link))) {
		flags |= SEQ4_STATUS_CB_PATH_DOWN_SESSION;
		while (any != NULL && !nfs4_cb_session_is_up(any))
			any = any->of_client;
		if (any == NULL)
			flags |= SEQ4_STATUS_CB_PATH_DOWN;
	}
	if (s->back_fault)
		flags |= SEQ4_STATUS_BACKCHANNEL_FAULT;
	if (s->client->nrevoked > 0)
		flags |= SEQ4_STATUS_RECALLABLE_STATE_REVOKED;
	return flags;
}

static void
fill(const struct nfs4_session *s, const SEQUENCE4args *a,
    SEQUENCE4resok *ok)
{
	memcpy(ok->sr_sessionid, s->id, sizeof s->id);
	ok->sr_sequenceid = a->sa_sequenceid;
	ok->sr_slotid = a->sa_slotid;
	/* 0 would throttle a Linux client to one call at a time. */
	ok->sr_highest_slotid = s->fore.ca_maxrequests - 1;
	ok->sr_target_highest_slotid = s->fore.ca_maxrequests - 1;
	ok->sr_status_flags = status_flags(s);
}

/* The last request of a slot once more: see the table at the top. */
static nfsstat4
retry(struct nfs4_call *call, struct nfs4_slot *slot)
{
	void *copy;

	if (slot->state == SLOT_NEVER)
		return NFS4ERR_SEQ_MISORDERED;
	if (slot->state == SLOT_RUNNING)
		return NFS4ERR_DELAY;
	if (slot->was_lone)
		return call->nops == 1 ? NFS4_OK : NFS4ERR_SEQ_FALSE_RETRY;
	if (slot->reply == NULL)
		return NFS4ERR_RETRY_UNCACHED_REP;
	if (slot->digest != rpc_call_digest(call->nfs.rpc))
		return NFS4ERR_SEQ_FALSE_RETRY;
	copy = xdr_arena_alloc(rpc_call_arena(call->nfs.rpc),
	    slot->reply->len);
	if (copy == NULL)
		return NFS4ERR_DELAY;
	memcpy(copy, slot->reply->data, slot->reply->len);
	rpc_call_set_raw(call->nfs.rpc, copy, slot->reply->len);
	call->replayed = true;
	return NFS4_OK;
}

static nfsstat4
sequence(struct nfs4_call *call, const SEQUENCE4args *a, SEQUENCE4resok *ok)
{
	struct nfs4_session *s = find(call->nfs4, a->sa_sessionid);
	struct nfs4_slot *slot;

	if (s == NULL)
		return NFS4ERR_BADSESSION;
	if (a->sa_slotid >= s->fore.ca_maxrequests)
		return NFS4ERR_BADSLOT;
	if (a->sa_highest_slotid >= s->fore.ca_maxrequests)
		return NFS4ERR_BAD_HIGH_SLOT;
	if (rpc_call_size(call->nfs.rpc) > s->fore.ca_maxrequestsize)
		return NFS4ERR_REQ_TOO_BIG;
	slot = &s->slot[a->sa_slotid];
	fill(s, a, ok);
	if (a->sa_sequenceid == slot->seq)
		return retry(call, slot);
	if (a->sa_sequenceid != slot->seq + 1 || slot->state == SLOT_RUNNING)
		return NFS4ERR_SEQ_MISORDERED;
	if (call->nops > s->fore.ca_maxoperations)
		return NFS4ERR_TOO_MANY_OPS;

	slot->seq++;
	slot->state = SLOT_RUNNING;
	/* To be compared with, if there will be a reply to give again. */
	if (a->sa_cachethis)
		slot->digest = rpc_call_digest(call->nfs.rpc);
	slot->was_lone = false;
	pool_bytes_put(slot->reply);
	slot->reply = NULL;
	s->refs++;
	s->client->refs++;
	call->session = s;
	call->client = s->client;
	vfs_call_by(&call->nfs.vfs, s->client->id);
	call->slot = slot;
	call->cachethis = a->sa_cachethis;
	call->reply_max = s->fore.ca_maxresponsesize;
	call->cache_max = s->fore.ca_maxresponsesize_cached;
	nfs4_client_renew(call->nfs4, s->client);
	return NFS4_OK;
}

int
nfs4_sequence(struct nfs4_call *call, const nfs_argop4 *arg, nfs_resop4 *r)
{
	SEQUENCE4res *res = &r->opsequence;

	nfs4_lock(call->nfs4);
	res->sr_status = sequence(call, &arg->opsequence, &res->sr_resok4);
	nfs4_unlock(call->nfs4);
	return 0;
}

/*
 * The reply's bytes, to be sent again; NULL: too large, or no memory.  Into
 * plain memory: encoding for a connection would give away bytes that file
 * systems have lent to the reply.
 */
static struct pool_bytes *
keep(const struct nfs4_call *call, const COMPOUND4res *res)
{
	struct pool_bytes *b;
	struct xdr_out out;
	size_t n;

	if (!call->cachethis || res->resarray.n < 2 ||
	    (n = COMPOUND4res_size(res)) > call->cache_max ||
	    (b = pool_bytes_new(NULL, n)) == NULL)
		return NULL;
	xdr_out_init_mem(&out, b->data, n);
	if (COMPOUND4res_encode(&out, res) == 0 && xdr_out_len(&out) == n)
		return b;
	pool_bytes_put(b);
	return NULL;
}

void
nfs4_sequence_end(struct nfs4_call *call, const COMPOUND4res *res)
{
	struct pool_bytes *reply = NULL;
	struct nfs4 *n = call->nfs4;

	if (call->client == NULL)
		return;
	if (call->slot != NULL && res != NULL)
		reply = keep(call, res);
	nfs4_lock(n);
	if (call->slot != NULL) {
		call->slot->state = SLOT_DONE;
		call->slot->reply = reply;
		call->slot->was_lone = res != NULL && res->resarray.n == 1 &&
		    call->nops == 1;
		session_release(n, call->session);
	}
	nfs4_client_release(n, call->client);
	nfs4_unlock(n);
	call->slot = NULL;
	call->session = NULL;
	call->client = NULL;
}
