/*
 * Calling clients: CB_RECALL and CB_NOTIFY_LOCK (RFC 8881 20.2, 20.11; RFC
 * 7530 18.2).
 *
 * 4.1 and up: over a connection that the client bound to a session, in slot
 * 0 of its back channel (8881 2.10.3, 20.9).  4.0: over a connection of our
 * own to the address that the client named, which must be its own.
 *
 * What is to be told waits in a queue per client; one call is under way at a
 * time.  A recall goes out of it when its delegation comes back; so there are
 * no more of a client's than it has delegations.  The client may be gone when
 * a call is answered.
 *
 * A call whose connection broke may have been executed: in a session it is
 * sent again as it was, with its number, when the client has bound a
 * connection, and not before (8881 2.10.6.2).  A Linux client may bind the one
 * it has, by which it says that it listens again.  Until then the call occupies
 * its session, which others do not wait for: they are told by another one, if
 * there is one.
 */
#include "nfs/nfs4_deleg.h"

#include <errno.h>

#include "nfs/nfs4_ops.h"
#include "rpc/peer.h"

enum {
	AGAIN_MS = 1000,	/* after NFS4ERR_DELAY and the like */
	TRIES = 4,		/* for what the client does not know (yet) */
	MOST_LOCKS = 256,	/* of one client, to be told of */
	CALL_SIZE = 2048	/* with a handle and a lock-owner */
};

enum cb_what { CB_PROBE, CB_TELL_RECALL, CB_TELL_LOCK };

/* Something to be told to a client. */
struct nfs4_cb {
	struct nfs4_cb		*next, **prev;	/* in the queue */
	struct nfs4		*nfs4;
	clientid4		 client;
	uint8_t			 what;
	uint8_t			 tries;
	bool			 under_way;	/* done() will be called */
	sessionid4		 session;	/* that it was last sent in */
	struct nfs4_deleg	*deleg;		/* recall; NULL: came back */
	stateid4		 stateid;
	struct pool_bytes	*owner;		/* lock */
	struct nfs4_referring	 open;
	uint32_t		 fh_len;
	uint8_t			 fh[NFS4_FHSIZE];
};

/* ---------------------------------------------------------- on the wire -- */

/* CB_COMPOUND4args, whose operations are behind it. */
struct cb_args {
	CB_COMPOUND4args	head;
	nfs_cb_argop4		op[2];
};

static int
encode(struct xdr_out *out, const void *v)
{
	const struct cb_args *a = v;
	int err = CB_COMPOUND4args_encode(out, &a->head);
	uint32_t i;

	for (i = 0; err == 0 && i < a->head.argarray.n; i++)
		err = nfs_cb_argop4_encode(out, &a->op[i]);
	return err;
}

static int
decode(struct xdr_in *in, void *v)
{
	return CB_COMPOUND4res_decode(in, v);
}

static const struct rpc_procedure null_row = { .name = "CB_NULL" };
static const struct rpc_procedure compound_row = { .name = "CB_COMPOUND",
    .encode = encode, .decode = decode,
    .res_size = sizeof(CB_COMPOUND4res) };

/* -------------------------------------------------------------- the queue -- */

/* `c`: its client, if that is still there. */
static void
cb_free(struct nfs4_client *c, struct nfs4_cb *cb)
{
	if (c != NULL && cb->what == CB_PROBE)
		c->cb_probes = false;
	if (cb->deleg != NULL)
		cb->deleg->cb = NULL;
	pool_bytes_put(cb->owner);
	pool_give(&cb->nfs4->delegs->cb, cb);
}

static struct nfs4_cb *
cb_new(struct nfs4 *n, const struct nfs4_client *c, enum cb_what what)
{
	struct nfs4_cb *cb;

	if (n->stopping || (cb = pool_take(&n->delegs->cb)) == NULL)
		return NULL;
	cb->nfs4 = n;
	cb->client = c->id;
	cb->what = (uint8_t)what;
	return cb;
}

static void
put_first(struct nfs4_client *c, struct nfs4_cb *cb)
{
	if ((cb->next = c->cb_first) != NULL)
		cb->next->prev = &cb->next;
	else
		c->cb_last = &cb->next;
	cb->prev = &c->cb_first;
	c->cb_first = cb;
	c->ncbs++;
}

static void
put_last(struct nfs4_client *c, struct nfs4_cb *cb)
{
	cb->next = NULL;
	cb->prev = c->cb_last;
	*c->cb_last = cb;
	c->cb_last = &cb->next;
	c->ncbs++;
}

/* Out of the queue, if it is there. */
static void
take(struct nfs4_client *c, struct nfs4_cb *cb)
{
	if (cb->prev == NULL)
		return;
	if ((*cb->prev = cb->next) != NULL)
		cb->next->prev = cb->prev;
	else
		c->cb_last = cb->prev;
	cb->prev = NULL;
	c->ncbs--;
}

static void
queue_drop(struct nfs4_client *c)
{
	struct nfs4_cb *cb;

	while ((cb = c->cb_first) != NULL) {
		take(c, cb);
		cb_free(c, cb);
	}
}

/* The delegation that it wants back has come by itself. */
static bool
is_moot(const struct nfs4_cb *cb)
{
	return cb->what == CB_TELL_RECALL && cb->deleg == NULL;
}

/* It occupies no session: it goes, or waits for its turn again. */
static void
put_back(struct nfs4_client *c, struct nfs4_cb *cb)
{
	if (is_moot(cb))
		cb_free(c, cb);
	else
		put_first(c, cb);
}

void
nfs4_cb_returned(struct nfs4_deleg *d)
{
	struct nfs4_cb *cb = d->cb;

	if (cb == NULL)
		return;
	d->cb = NULL;
	cb->deleg = NULL;
	if (cb->prev == NULL)
		return;		/* a session has sent it, and needs it still */
	take(d->st.client, cb);
	cb_free(d->st.client, cb);
}

/* What a session has sent has no number any more. */
void
nfs4_cb_session_gone(struct nfs4_session *s)
{
	struct nfs4_cb *cb = s->back_cb;

	s->back_cb = NULL;
	if (cb != NULL && !cb->under_way)
		put_back(s->client, cb);
}

/* ---------------------------------------------------------------- the way -- */

bool
nfs4_cb_session_is_up(const struct nfs4_session *s)
{
	return (s->flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN) != 0 &&
	    s->back_link != NULL && rpc_link_is_open(s->back_link) &&
	    !s->back_stuck && !s->back_fault &&
	    s->back.ca_maxrequests > 0 && s->back.ca_maxoperations >= 2 &&
	    s->back.ca_maxrequestsize >= CALL_SIZE;
}

static struct nfs4_session *
find_session(struct nfs4_client *c, const sessionid4 id)
{
	struct nfs4_session *s = c->sessions;

	while (s != NULL && memcmp(s->id, id, sizeof s->id) != 0)
		s = s->of_client;
	return s;
}

/*
 * What can be sent now, and in which session: what was sent before comes
 * first.  *sp NULL: in none.  NULL: there is nothing.
 */
static struct nfs4_cb *
next_of(const struct nfs4_client *c, struct nfs4_session **sp)
{
	struct nfs4_session *s;

	for (s = c->sessions; s != NULL; s = s->of_client) {
		if (!nfs4_cb_session_is_up(s))
			continue;
		*sp = s;
		if (s->back_cb != NULL)
			return s->back_cb;
		if (c->cb_first != NULL)
			return c->cb_first;
	}
	*sp = NULL;
	return c->cb_first;
}

/* Has a client a way to be called by at all? */
static bool
has_way(const struct nfs4_client *c)
{
	const struct nfs4_session *s = c->sessions;

	if (c->minor == 0)
		return c->cb_sa.ss_family != AF_UNSPEC;
	while (s != NULL && !nfs4_cb_session_is_up(s))
		s = s->of_client;
	return s != NULL;
}

/* 4.0: the connection there is, or a new one; NULL: it cannot be. */
static struct rpc_link *
link_to(struct nfs4 *n, struct nfs4_client *c)
{
	if (c->cb_link != NULL && rpc_link_is_open(c->cb_link))
		return c->cb_link;
	rpc_link_put(c->cb_link);
	c->cb_link = NULL;
	if (c->cb_sa.ss_family == AF_UNSPEC || n->nfs->connect == NULL ||
	    n->nfs->connect(n->nfs->after_arg, &c->cb_sa, &c->cb_link) != 0)
		return NULL;
	return c->cb_link;
}

static void
path_down(struct nfs4 *n, struct nfs4_client *c)
{
	c->cb_path = CB_DOWN;
	c->cb_probe_ms = nfs4_now_ms() + n->lease_ms / 2;
	c->cb_again_ms = nfs4_now_ms() + AGAIN_MS;
}

/* Nobody waits for it so much that it must be kept for better times. */
static bool
may_be_lost(const struct nfs4_cb *cb)
{
	return cb->what == CB_PROBE || cb->what == CB_TELL_LOCK;
}

/* -------------------------------------------------------------- answers -- */

static void	run(struct nfs4 *, struct nfs4_client *);

enum verdict {
	V_DONE,			/* told */
	V_AGAIN,		/* at once, another way if there is one */
	V_LATER,		/* in a while */
	V_DOWN			/* there is no way now */
};

/* 20.9.3 and 2.10.6: what the answer to CB_SEQUENCE does to the slot. */
static enum verdict
judge_sequence(struct nfs4_session *s, struct nfs4_cb *cb,
    const CB_COMPOUND4res *res)
{
	const nfs_cb_resop4 *r = res->resarray.v;
	const CB_SEQUENCE4resok *ok;

	if (res->resarray.n == 0 || r->resop != OP_CB_SEQUENCE)
		goto fault;
	ok = &r->opcbsequence.csr_resok4;
	switch (r->opcbsequence.csr_status) {
	case NFS4_OK:
		if (ok->csr_sequenceid != s->back_seq + 1 ||
		    ok->csr_slotid != 0 || memcmp(ok->csr_sessionid, s->id,
		    sizeof s->id) != 0)
			break;
		s->back_seq++;
		s->back_cb = NULL;
		return V_DONE;
	case NFS4ERR_DELAY:
		return V_LATER;
	case NFS4ERR_RETRY_UNCACHED_REP:
		if (++cb->tries >= TRIES)
			break;
		/* It was executed, but the answer is lost. */
		s->back_seq++;
		s->back_cb = NULL;
		return V_AGAIN;
	default:
		break;
	}
fault:
	s->back_fault = true;
	s->back_cb = NULL;
	return V_AGAIN;
}

/* What the operation itself came to. */
static enum verdict
judge_operation(struct nfs4_cb *cb, nfsstat4 st)
{
	switch (st) {
	case NFS4ERR_DELAY:
		return cb->what == CB_TELL_RECALL || ++cb->tries < TRIES ?
		    V_LATER : V_DONE;
	case NFS4ERR_BADHANDLE:
	case NFS4ERR_BAD_STATEID:
		/* It may have overtaken the answer that gave it. */
		return cb->what == CB_TELL_RECALL && ++cb->tries < TRIES ?
		    V_LATER : V_DONE;
	default:
		return V_DONE;
	}
}

/* `s`: that it was sent in, if that is still there. */
static enum verdict
judge(struct nfs4_client *c, struct nfs4_session *s, struct nfs4_cb *cb,
    int err, const CB_COMPOUND4res *res)
{
	enum verdict v;

	if (s != NULL && err != 0 && err != ECONNRESET)
		s->back_stuck = true;	/* until it is bound anew */
	if (err != 0)
		return s != NULL ? V_AGAIN : cb->what != CB_PROBE &&
		    err == ECONNRESET && ++cb->tries < TRIES ? V_LATER :
		    V_DOWN;
	c->cb_path = CB_UP;
	if (cb->what == CB_PROBE)
		return V_DONE;
	if (c->minor > 0) {
		if (s == NULL)
			return V_AGAIN;
		if ((v = judge_sequence(s, cb, res)) != V_DONE)
			return v;
	}
	v = judge_operation(cb, res->status);
	if (v == V_DONE && cb->deleg != NULL)
		cb->deleg->unknown = res->status == NFS4ERR_BADHANDLE ||
		    res->status == NFS4ERR_BAD_STATEID;
	return v;
}

/* The client has the answer, or does not wait for it any more. */
static bool
is_over(struct nfs4_client *c, const struct nfs4_referring *open)
{
	const struct nfs4_session *s;

	if (!open->known)
		return false;
	s = find_session(c, open->session);
	return s == NULL || s->slot[open->slot].seq != open->seq;
}

/*
 * There is nothing more to say.  What a client neither knows nor will hear
 * of is not worth waiting for.
 */
static void
told(struct nfs4_client *c, struct nfs4_cb *cb)
{
	struct nfs4_deleg *d = cb->deleg;
	struct nfs4 *n = cb->nfs4;

	cb_free(c, cb);
	if (d == NULL)
		return;
	d->told = true;
	if (d->unknown && is_over(c, &d->open))
		nfs4_deleg_free(n, d);
}

/* On the loop of the connection, without the lock. */
static void
done(void *ctx, int err, void *res)
{
	struct nfs4_cb *cb = ctx;
	struct nfs4 *n = cb->nfs4;
	struct nfs4_session *s = NULL;
	struct nfs4_client *c;
	enum verdict v;

	nfs4_lock(n);
	cb->under_way = false;
	if ((c = nfs4_client_find(n, cb->client)) == NULL) {
		cb_free(NULL, cb);
		nfs4_unlock(n);
		return;
	}
	c->cb_busy = false;
	if (c->minor > 0)
		s = find_session(c, cb->session);
	v = judge(c, s, cb, err, res);
	if (is_moot(cb) && (s == NULL || s->back_cb != cb))
		v = V_DONE;
	if (v == V_LATER)
		c->cb_again_ms = nfs4_now_ms() + AGAIN_MS;
	if (v == V_DOWN || !has_way(c))
		path_down(n, c);
	if (v == V_DONE || (v == V_DOWN && may_be_lost(cb)))
		told(c, cb);
	else if (s == NULL || s->back_cb != cb)
		put_back(c, cb);
	run(n, c);
	nfs4_client_release(n, c);
	nfs4_unlock(n);
}

/* --------------------------------------------------------------- sending -- */

static void
fill_sequence(const struct nfs4_session *s, const struct nfs4_cb *cb,
    referring_call_list4 *list, referring_call4 *ref, CB_SEQUENCE4args *a)
{
	memcpy(a->csa_sessionid, s->id, sizeof a->csa_sessionid);
	a->csa_sequenceid = s->back_seq + 1;
	if (!cb->open.known)
		return;
	/* 2.10.6.3: do not take it for nonsense, the answer is coming. */
	*ref = (referring_call4){ cb->open.seq, cb->open.slot };
	memcpy(list->rcl_sessionid, cb->open.session,
	    sizeof list->rcl_sessionid);
	list->rcl_referring_calls.v = ref;
	list->rcl_referring_calls.n = 1;
	a->csa_referring_call_lists.v = list;
	a->csa_referring_call_lists.n = 1;
}

static void
fill_operation(const struct nfs4_cb *cb, nfs_cb_argop4 *op)
{
	struct xdr_view fh = xdr_view(cb->fh, cb->fh_len);

	if (cb->what == CB_TELL_RECALL) {
		op->argop = OP_CB_RECALL;
		op->opcbrecall.stateid = cb->stateid;
		op->opcbrecall.fh = fh;
		return;
	}
	op->argop = OP_CB_NOTIFY_LOCK;
	op->opcbnotify_lock.cnla_fh = fh;
	op->opcbnotify_lock.cnla_lock_owner.clientid = cb->client;
	op->opcbnotify_lock.cnla_lock_owner.owner = xdr_view(cb->owner->data,
	    (uint32_t)cb->owner->len);
}

/* 0, and done() will be called; or an errno: it could not even be sent. */
static int
send_to(struct nfs4 *n, struct nfs4_client *c, struct nfs4_cb *cb,
    struct nfs4_session *s, struct rpc_link *link)
{
	const struct rpc_cred sys = { .flavor = RPC_AUTH_SYS,
	    .uid = c->principal.uid }, none = { .flavor = RPC_AUTH_NONE };
	unsigned ms = (unsigned)n->lease_ms / 2;
	uint32_t prog = s != NULL ? s->cb_program : c->cb_program, i = 0;
	referring_call_list4 list;
	struct cb_args a = { 0 };
	referring_call4 ref;

	if (s != NULL)
		memcpy(cb->session, s->id, sizeof cb->session);
	if (cb->what == CB_PROBE)
		return rpc_link_call(link, &null_row, prog, NFS_CB, CB_NULL,
		    &none, NULL, ms, done, cb);
	if (s != NULL) {
		a.head.minorversion = s->minor;
		a.op[i].argop = OP_CB_SEQUENCE;
		fill_sequence(s, cb, &list, &ref, &a.op[i++].opcbsequence);
	} else {
		a.head.callback_ident = c->cb_ident;
	}
	fill_operation(cb, &a.op[i++]);
	a.head.argarray.n = i;
	return rpc_link_call(link, &compound_row, prog, NFS_CB, CB_COMPOUND,
	    s != NULL ? &s->cb_cred : &sys, &a, ms, done, cb);
}

static void
run(struct nfs4 *n, struct nfs4_client *c)
{
	struct nfs4_session *s;
	struct rpc_link *link;
	struct nfs4_cb *cb;

	while (!n->stopping && !c->cb_busy && (cb = next_of(c, &s)) != NULL) {
		if (c->cb_again_ms > nfs4_now_ms()) {
			nfs4_deleg_tick(n);
			return;
		}
		if (c->minor > 0)
			link = s == NULL ? NULL : s->back_link;
		else
			link = link_to(n, c);
		if (link != NULL && send_to(n, c, cb, s, link) == 0) {
			take(c, cb);
			if (s != NULL && cb->what != CB_PROBE)
				s->back_cb = cb;
			cb->under_way = c->cb_busy = true;
			return;
		}
		path_down(n, c);
		if (may_be_lost(cb) && cb->prev != NULL) {
			take(c, cb);
			cb_free(c, cb);
			continue;
		}
		if (c->minor == 0)
			nfs4_deleg_tick(n);	/* else a new connection will */
		return;
	}
}

bool
nfs4_cb_retry(struct nfs4 *n)
{
	uint64_t now = nfs4_now_ms();
	struct nfs4_session *s;
	struct nfs4_client *c;
	bool waits = false;
	unsigned i;

	/* Linear: four times a second, while something is being recalled. */
	for (i = 0; i < NFS4_BUCKETS; i++) {
		for (c = n->by_id[i]; c != NULL; c = c->next) {
			if (c->cb_busy || next_of(c, &s) == NULL)
				continue;
			if (c->cb_again_ms <= now)
				run(n, c);
			else if (c->minor == 0 || c->cb_path != CB_DOWN)
				waits = true;
		}
	}
	return waits;
}

/* ---------------------------------------------------------- for the rest -- */

/* 4.0 does not have it.  A way that is not known to work will do. */
bool
nfs4_cb_may_notify(const struct nfs4_client *c)
{
	return c->minor > 0 && c->cb_path != CB_DOWN && has_way(c);
}

bool
nfs4_cb_is_up(struct nfs4 *n, struct nfs4_client *c)
{
	struct nfs4_cb *cb;

	if (!has_way(c))
		return false;
	if (c->cb_path == CB_DOWN && c->cb_probe_ms <= nfs4_now_ms())
		c->cb_path = CB_UNKNOWN;
	if (c->cb_path == CB_UNKNOWN && !c->cb_probes &&
	    (cb = cb_new(n, c, CB_PROBE)) != NULL) {
		c->cb_path = CB_PROBING;
		c->cb_probes = true;
		put_last(c, cb);
		run(n, c);
	}
	return c->cb_path == CB_UP;
}

void
nfs4_cb_renewed(struct nfs4 *n, struct nfs4_client *c)
{
	/*
	 * What waits finds out whether it works.  Else not before its time: a
	 * client that binds whenever it hears of trouble, and never answers,
	 * would be asked for ever.
	 */
	c->cb_again_ms = 0;
	run(n, c);
}

/* The handle as the client has it; false: there is none. */
static bool
set_fh(struct nfs4_cb *cb, const struct vfs_export *x,
    const struct pinefs_node *node)
{
	struct pinefs_ident id;

	vfs_node_handle_ident(node, &id);
	return nfs_fh_make(&cb->nfs4->nfs->keys, x->id, &id, NFS_FH_MAX4,
	    cb->fh, &cb->fh_len) == 0;
}

static void
tell(struct nfs4_client *c, struct nfs4_cb *cb, const struct vfs_export *x,
    const struct pinefs_node *node)
{
	struct nfs4 *n = cb->nfs4;

	if (!set_fh(cb, x, node)) {
		cb_free(c, cb);
		return;
	}
	put_last(c, cb);
	run(n, c);
}

void
nfs4_cb_recall(struct nfs4 *n, struct nfs4_deleg *d)
{
	struct nfs4_client *c = d->st.client;
	struct nfs4_cb *cb = cb_new(n, c, CB_TELL_RECALL);

	if (cb == NULL)
		return;
	cb->deleg = d;
	d->cb = cb;
	cb->stateid = d->st.id;
	cb->open = d->open;
	tell(c, cb, d->export, d->file->node);
}

void
nfs4_cb_notify_lock(struct nfs4 *n, struct nfs4_client *c,
    const struct vfs_export *x, const struct pinefs_node *node,
    struct pool_bytes *owner)
{
	struct nfs4_cb *cb;

	if (c->ncbs >= MOST_LOCKS ||
	    (cb = cb_new(n, c, CB_TELL_LOCK)) == NULL)
		return;
	cb->owner = owner;
	owner->refs++;
	tell(c, cb, x, node);
}

static void
link_drop(struct nfs4_client *c)
{
	if (c->cb_link == NULL)
		return;
	rpc_link_close(c->cb_link);
	rpc_link_put(c->cb_link);
	c->cb_link = NULL;
}

void
nfs4_cb_moved(struct nfs4 *n, struct nfs4_client *c)
{
	link_drop(c);
	if (c->cb_path != CB_PROBING)
		c->cb_path = CB_UNKNOWN;
	c->cb_probe_ms = 0;
	nfs4_cb_renewed(n, c);
}

void
nfs4_cb_drop_client(struct nfs4_client *c)
{
	queue_drop(c);
	link_drop(c);
}

void
nfs4_cb_init(struct pool *pool)
{
	pool_init(pool, sizeof(struct nfs4_cb), NFS4_MAX_CALLBACKS);
}

/* -------------------------------------------------- 4.0: where to call -- */

/* Take ".N", N at most 255, off the end of a text; -1: it is not there. */
static int
take_byte(char *text)
{
	char *dot = strrchr(text, '.'), *p;
	int n = 0;

	if (dot == NULL || dot[1] == '\0' || strlen(dot + 1) > 3)
		return -1;
	for (p = dot + 1; *p >= '0' && *p <= '9'; p++)
		n = 10 * n + (*p - '0');
	if (*p != '\0' || n > 255)
		return -1;
	*dot = '\0';
	return n;
}

static bool
is_tcp(struct xdr_view netid)
{
	return (netid.len == 3 && memcmp(netid.data, "tcp", 3) == 0) ||
	    (netid.len == 4 && memcmp(netid.data, "tcp6", 4) == 0);
}

/*
 * "h1.h2.h3.h4.p1.p2", or an IPv6 address and ".p1.p2" (RFC 5665 5.2.3).  It
 * must be where the client calls from: we are not to be sent elsewhere, nor to
 * services of that machine on ports that only root may have.  And the program
 * must be one of those that belong to nobody (RFC 5531 13).
 */
void
nfs4_cb_address(const cb_client4 *cb, const struct rpc_peer *peer,
    struct sockaddr_storage *to)
{
	struct xdr_view addr = cb->cb_location.na_r_addr;
	struct sockaddr_storage ss;
	uint8_t here[16], there[16];
	char text[80];
	socklen_t len;
	int hi, lo;

	memset(to, 0, sizeof *to);
	to->ss_family = AF_UNSPEC;
	if (cb->cb_program < 0x40000000 || cb->cb_program > 0x5fffffff ||
	    !is_tcp(cb->cb_location.na_r_netid) || addr.len >= sizeof text ||
	    addr.len == 0 || memchr(addr.data, '\0', addr.len) != NULL)
		return;
	memcpy(text, addr.data, addr.len);
	text[addr.len] = '\0';
	if ((lo = take_byte(text)) == -1 || (hi = take_byte(text)) == -1 ||
	    hi << 8 < IPPORT_RESERVED ||
	    peer_parse(text, (uint16_t)(hi << 8 | lo), &ss,
	    &len) != 0)
		return;
	peer_addr_bytes(&ss, there);
	peer_addr_bytes(&peer->addr, here);
	if (memcmp(here, there, sizeof here) == 0)
		*to = ss;
}
