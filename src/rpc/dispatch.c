/*
 * From a record to a reply: who calls, is it a replay, which row; decode the
 * arguments; run the procedure; encode what it says.  See call.h for the
 * states of a call.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "rpc/conn.h"
#include "rpc/peer.h"
#include "rpc/probe.h"
#include "rpc/server.h"
#include "rpc/stats.h"

enum { DIGESTED = 512 };	/* bytes of arguments */

/* -------------------------------------------------------------- replies -- */

/* The call is over. */
static void
end(struct rpc_call *call)
{
	if (call->conn != NULL)
		conn_call_ends(call->conn, call);
	rpc_call_free(call);
}

/* It waited: nobody is about to send what its connection has to say. */
static bool
waited(const struct rpc_call *call)
{
	return call->conn != NULL && call->conn_prev != NULL;
}

static bool
is_open(const struct rpc_call *call)
{
	return call->conn != NULL && !call->conn->closed;
}

static void
put_refusal(struct xdr_out *out, const struct rpc_call *call,
    enum rpc_accept_stat stat)
{
	const struct rpc_server *server = call->loop->server;
	uint32_t low = UINT32_MAX, high = 0, vers;
	unsigned i;

	if (stat != RPC_PROG_MISMATCH) {
		rpc_put_accepted(out, call->h.xid, stat);
		return;
	}
	for (i = 0; i < server->nprograms; i++) {
		if (server->program[i]->service->prog != call->h.prog ||
		    (server->program[i]->no_udp && call->peer->udp))
			continue;
		vers = server->program[i]->service->vers;
		low = vers < low ? vers : low;
		high = vers > high ? vers : high;
	}
	rpc_put_mismatch(out, call->h.xid, low, high);
}

/*
 * Write a reply behind what `chain` holds, with a record mark in a stream.
 * The reply's length without the mark; 0: no memory.
 */
static size_t
encode(struct rpc_call *call, struct pinefs_chain *chain,
    enum rpc_accept_stat *stat, bool stream)
{
	size_t limit = call->loop->server->config.max_payload +
	    SERVER_HEAD_ROOM, n;
	struct xdr_mark mark, body;
	struct xdr_out out;

	xdr_out_init(&out, chain, 4 + limit);
	xdr_mark(&out, &mark);
	if (stream)
		xdr_put_u32(&out, 0);
	xdr_mark(&out, &body);
	if (*stat == RPC_SUCCESS && call->raw.base != NULL) {
		rpc_put_accepted(&out, call->h.xid, RPC_SUCCESS);
		xdr_put_fixed(&out, call->raw.base, (uint32_t)call->raw.len,
		    "reply");
	} else if (*stat == RPC_SUCCESS) {
		rpc_put_accepted(&out, call->h.xid, RPC_SUCCESS);
		if (call->proc != NULL && call->proc->encode != NULL &&
		    call->proc->encode(&out, call->res) != 0) {
			log_warning("%s: the reply cannot be encoded: %s at %s",
			    call->proc->name,
			    xdr_error_name((enum xdr_error)out.why),
			    out.where == NULL ? "?" : out.where);
			xdr_rewind(&out, &body);
			*stat = RPC_SYSTEM_ERR;
		}
	}
	if (*stat != RPC_SUCCESS)
		put_refusal(&out, call, *stat);
	n = xdr_out_len(&out) - (stream ? 4 : 0);
	if (stream)
		xdr_patch_u32(&out, &mark, 0x80000000u | (uint32_t)n);
	xdr_out_flush(&out);
	return out.bad ? 0 : n;
}

/* Keep the reply's bytes for a retransmission, and for those who wait. */
static void
remember(struct rpc_call *call, const struct pinefs_chain *chain, size_t len)
{
	struct rpc_loop *loop = call->loop;
	struct drc_reply *r = len == 0 || call->forget ? NULL :
	    drc_reply_new(len);
	struct rpc_call *w, *next;

	if (r != NULL && chain_copy_tail(chain, len, r->bytes) != 0) {
		drc_reply_put(r);
		r = NULL;
	}
	if (r != NULL)
		atomic_fetch_add(&r->refs, 1);	/* ours, for the loop below */
	w = drc_done(loop->server->drc, call->drc, r, loop->now_ms);
	call->drc = NULL;
	for (; w != NULL; w = next) {
		next = w->next;
		if (r != NULL)
			atomic_fetch_add(&r->refs, 1);
		w->replay = r;
		/* No reply to share: then it runs itself. */
		w->todo = r != NULL ? CALL_TO_REPLY : CALL_TO_DISPATCH;
		loop_call_ready(w->loop, w);
	}
	drc_reply_put(r);
}

/* Where a reply goes: its connection's chain, or one of its own. */
struct way {
	struct pinefs_chain	*chain, own;
	bool			 stream;
};

static void
way_open(struct way *way, struct rpc_call *call)
{
	way->stream = is_open(call);
	way->chain = way->stream ? &call->conn->out : &way->own;
	if (!way->stream)
		chain_init(&way->own, &call->loop->chunks);
}

/* The reply is in the chain (or, not ok, was lost): the call is over. */
static void
way_close(struct way *way, struct rpc_call *call, bool ok)
{
	probe_end(call, ok);
	if (way->stream && !ok)
		conn_close(call->conn);
	else if (way->stream && waited(call))
		conn_mark_dirty(call->conn);
	else if (ok && call->udp != NULL)
		udp_reply(call, way->chain);
	if (!way->stream)
		chain_fini(&way->own);
	end(call);
}

static void
reply(struct rpc_call *call, enum rpc_accept_stat stat)
{
	struct way way;
	size_t n;

	way_open(&way, call);
	n = encode(call, way.chain, &stat, way.stream);
	if (call->drc != NULL)
		remember(call, way.chain, n);
	stats_reply(call, stat);
	if (*rpc_trace_switch() != 0)
		rpc_trace(call, stat);
	way_close(&way, call, n > 0);
}

/* Send stored bytes once more.  Takes over the count of `r`. */
static void
reply_again(struct rpc_call *call, struct drc_reply *r)
{
	struct xdr_out out;
	struct way way;
	bool ok;

	loop_count(call->loop, COUNT_REPLAYS);
	way_open(&way, call);
	xdr_out_init(&out, way.chain, 4);
	if (way.stream)
		xdr_put_u32(&out, 0x80000000u | r->len);
	xdr_out_flush(&out);
	ok = !out.bad && chain_borrow(way.chain, r->bytes, r->len,
	    drc_reply_put, r) == 0;
	if (!ok)
		drc_reply_put(r);
	way_close(&way, call, ok);
}

/* A denial (MSG_DENIED): RPC_AUTH_OK stands for "RPC version". */
static void
deny(struct rpc_call *call, enum rpc_auth_stat why)
{
	struct xdr_mark mark;
	struct xdr_out out;
	struct way way;

	loop_count(call->loop, COUNT_AUTH_REFUSED);
	way_open(&way, call);
	xdr_out_init(&out, way.chain, SERVER_HEAD_ROOM);
	xdr_mark(&out, &mark);
	if (way.stream)
		xdr_put_u32(&out, 0);
	if (why == RPC_AUTH_OK)
		rpc_put_rpc_mismatch(&out, call->h.xid);
	else
		rpc_put_denied(&out, call->h.xid, why);
	if (way.stream)
		xdr_patch_u32(&out, &mark,
		    0x80000000u | (uint32_t)(xdr_out_len(&out) - 4));
	xdr_out_flush(&out);
	way_close(&way, call, !out.bad);
}

/* ------------------------------------------------------------ execution -- */

static void
finish(struct rpc_call *call)
{
	static struct log_limit limit;

	if (call->err != 0) {
		loop_count(call->loop, COUNT_SYSTEM_ERR);
		log_limited(&limit, "%s: failed: %s", call->proc->name,
		    strerror(call->err));
	}
	reply(call, call->err == 0 ? RPC_SUCCESS : RPC_SYSTEM_ERR);
}

enum run { RUN_DONE, RUN_PARKED, RUN_MOVES };

/*
 * Until it is done, parked or wants to move.  A parked call is somebody
 * else's from that moment on.
 */
static enum run
run(struct rpc_call *call)
{
	int running;

	do {
		atomic_store(&call->phase, CALL_RUNNING);
		call->err = call->proc->call(call->program->handlers,
		    call->program->self, call, call->args, call->res);
		if (call->err != RPC_LATER)
			return RUN_DONE;
		if (call->move_to != NULL) {
			call->executor = call->move_to;
			call->move_to = NULL;
			return RUN_MOVES;
		}
		running = CALL_RUNNING;
		/* Failing means it was resumed before it returned. */
	} while (!atomic_compare_exchange_strong(&call->phase, &running,
	    CALL_PARKED));
	return RUN_PARKED;
}

void
rpc_call_run(struct rpc_call *call)
{
	struct rpc_loop *loop = call->loop;

	if (call->todo == CALL_TO_FIND_GROUPS) {
		groups_fill(loop->server->groups, &call->cred,
		    clock_boot_ms());
		call->todo = CALL_TO_DISPATCH;
		loop_call_ready(loop, call);
		return;
	}
	switch (run(call)) {
	case RUN_DONE:
		loop_call_ready(loop, call);
		break;
	case RUN_MOVES:
		call->next = NULL;
		executor_submit(call->executor, call, &call->next);
		break;
	case RUN_PARKED:
		break;
	}
}

static void
wait_for(struct rpc_call *call)
{
	if (call->conn != NULL && call->conn_prev == NULL)
		conn_call_waits(call->conn, call);
}

static void
hand_over(struct rpc_call *call, struct rpc_executor *x, enum call_todo todo)
{
	wait_for(call);
	call->executor = x;
	call->todo = todo;
	loop_offload(call->loop, call);
}

static void
run_here(struct rpc_call *call)
{
	switch (run(call)) {
	case RUN_DONE:
		finish(call);
		break;
	case RUN_MOVES:
		hand_over(call, call->executor, CALL_TO_REPLY);
		break;
	case RUN_PARKED:
		wait_for(call);	/* still ours: it comes back by our list */
		break;
	}
}

void
rpc_call_resume(struct rpc_call *call)
{
	int running = CALL_RUNNING;

	if (atomic_compare_exchange_strong(&call->phase, &running,
	    CALL_RESUMED))
		return;		/* run() sees it */
	if (call->executor != NULL) {
		call->next = NULL;
		executor_submit(call->executor, call, &call->next);
	} else {
		call->todo = CALL_TO_RUN;
		loop_call_ready(call->loop, call);
	}
}

/* ----------------------------------------------------- before execution -- */

/* For the person at the server: whose socket it is, and who it says it is. */
static void
log_pretender(const struct rpc_peer *peer, uint32_t uid)
{
	static struct log_limit limit;

	log_limited(&limit, "%s is a socket of uid %u, but calls as uid %u: "
	    "refused; call as uid %u or from root, or serve with "
	    "--local-auth none", peer->name, peer->uid, uid, peer->uid);
}

/*
 * Who calls?  On a connection whose owner is known, uid 0 may speak for
 * anybody, everybody else for himself only; and then gid and groups are
 * those of the user database, since nobody proves them (SECURITY 3).
 * EAGAIN: the user database has to be asked.
 */
static int
authenticate(const struct rpc_server *server, const struct rpc_peer *peer,
    const struct rpc_header *h, struct rpc_cred *cred, uint64_t now_ms,
    enum rpc_auth_stat *stat)
{
	if ((*stat = h->auth_stat) != RPC_AUTH_OK)
		return EACCES;
	if (h->proc == 0 && h->cred.flavor != RPC_AUTH_SYS) {
		*cred = (struct rpc_cred){ .flavor = RPC_AUTH_NONE };
		return 0;	/* NULL takes any flavour */
	}
	if ((*stat = rpc_cred_get(&h->cred, cred)) != RPC_AUTH_OK)
		return EACCES;
	if (!peer->proven || peer->uid == 0 || cred->flavor != RPC_AUTH_SYS)
		return 0;
	if (cred->uid != peer->uid) {
		log_pretender(peer, cred->uid);
		*stat = RPC_AUTH_BADCRED;
		return EACCES;
	}
	return groups_get(server->groups, cred, now_ms);
}

/* The row of a call, or why there is none. */
static enum rpc_accept_stat
find_procedure(const struct rpc_server *server, const struct rpc_peer *peer,
    bool second_port, const struct rpc_header *h,
    const struct rpc_program **program, const struct rpc_procedure **proc)
{
	enum rpc_accept_stat stat = RPC_PROG_UNAVAIL;
	const struct rpc_program *p;
	unsigned i;

	for (i = 0; i < server->nprograms; i++) {
		p = server->program[i];
		if (p->service->prog != h->prog ||
		    (second_port && !p->mount_port))
			continue;
		stat = RPC_PROG_MISMATCH;
		if (p->service->vers == h->vers && !(p->no_udp && peer->udp))
			break;
	}
	if (i == server->nprograms)
		return stat;
	*program = p;
	*proc = h->proc < p->service->nprocs ? &p->service->procs[h->proc] :
	    NULL;
	if (*proc == NULL || (*proc)->name == NULL ||
	    (h->proc != 0 && !rpc_procedure_has(p, *proc)))
		return RPC_PROC_UNAVAIL;
	return RPC_SUCCESS;
}

static const struct rpc_rule *
rule_of(const struct rpc_program *program, uint32_t proc)
{
	static const struct rpc_rule none;

	return program->rules == NULL ? &none : &program->rules[proc];
}

/* May this caller use this procedure? */
static bool
is_too_weak(const struct rpc_call *call, const struct rpc_rule *rule)
{
	const struct rpc_server *server = call->loop->server;

	if (rule->auth != RPC_AUTH_NONE && call->cred.flavor == RPC_AUTH_NONE)
		return true;
	/* A UDP sender's port can change hands before we ask for its owner. */
	return call->peer->udp && rule->changes &&
	    server->config.udp_changes_reserved &&
	    peer_port(&call->peer->addr) >= IPPORT_RESERVED;
}

static enum rpc_accept_stat
decode(struct rpc_call *call)
{
	static struct log_limit limit;
	const struct rpc_procedure *proc = call->proc;

	if (proc->args_size > 0)
		call->args = xdr_arena_alloc(&call->arena, proc->args_size);
	if (proc->res_size > 0)
		call->res = xdr_arena_zalloc(&call->arena, proc->res_size);
	if ((proc->args_size > 0 && call->args == NULL) ||
	    (proc->res_size > 0 && call->res == NULL)) {
		call->args = NULL;	/* who traces would look at it */
		return RPC_SYSTEM_ERR;
	}
	if ((proc->decode == NULL || proc->decode(&call->in, call->args) == 0)
	    && (proc->args_lazy || xdr_in_left(&call->in) == 0))
		return RPC_SUCCESS;
	loop_count(call->loop, COUNT_BAD_ARGS);
	log_limited(&limit, "%s: %s: bad arguments: %s at %s +%zu",
	    call->peer->name, proc->name,
	    xdr_error_name((enum xdr_error)call->in.why),
	    call->in.where == NULL ? "the end" : call->in.where,
	    call->in.offset);
	return RPC_GARBAGE_ARGS;
}

/* True: a new call, go on.  False: it is taken care of. */
static bool
is_new(struct rpc_call *call)
{
	struct rpc_loop *loop = call->loop;
	struct drc_reply *r = NULL;

	switch (drc_lookup(loop->server->drc, call, call->conn == NULL ?
	    NULL : call->conn->origin, loop->now_ms, &r)) {
	case DRC_NEW:
		return true;
	case DRC_DONE:
		reply_again(call, r);
		break;
	case DRC_BUSY:
		end(call);
		break;
	case DRC_WAIT:
		wait_for(call);	/* it comes back by our list */
		break;
	}
	return false;
}

/* The second half: the caller is known. */
static void
dispatch(struct rpc_call *call)
{
	const struct rpc_server *server = call->loop->server;
	const struct rpc_rule *rule;
	enum rpc_accept_stat stat;
	struct rpc_executor *x;

	stat = find_procedure(server, call->peer, call->conn != NULL ?
	    call->conn->second_port : udp_is_second(call->udp), &call->h,
	    &call->program, &call->proc);
	if (stat != RPC_SUCCESS) {
		reply(call, stat);
		return;
	}
	rule = rule_of(call->program, call->h.proc);
	if (is_too_weak(call, rule)) {
		deny(call, RPC_AUTH_TOOWEAK);
		return;
	}
	if (rule->replay && (call->program->keeps == NULL ||
	    call->program->keeps(call->program->self, &call->in)) &&
	    !is_new(call))
		return;
	if ((stat = decode(call)) != RPC_SUCCESS) {
		reply(call, stat);
		return;
	}
	if (call->h.proc == 0 && !rpc_procedure_has(call->program, call->proc))
		reply(call, RPC_SUCCESS);	/* NULL answers itself */
	else if (call->program->route != NULL && (x = call->program->route(
	    call->program->self, call, call->args)) != NULL)
		hand_over(call, x, CALL_TO_REPLY);
	else
		run_here(call);
}

/*
 * A message that is no call: a client's reply to a call of ours, or nothing
 * at all.
 */
static void
no_call(struct rpc_call *call)
{
	static struct log_limit limit;

	if (call->h.mtype == RPC_REPLY && call->conn != NULL) {
		xdr_in_init_segs(&call->in, call->segs, call->nsegs,
		    &call->arena);
		link_reply(call->conn->link, &call->in);
		end(call);
		return;
	}
	loop_count(call->loop, COUNT_BAD_CALLS);
	log_limited(&limit, "%s sent a message that is no RPC call",
	    call->peer->name);
	if (call->conn != NULL)
		conn_close(call->conn);
	end(call);
}

static void
authenticate_and_dispatch(struct rpc_call *call)
{
	struct rpc_server *server = call->loop->server;
	enum rpc_auth_stat stat;

	switch (authenticate(server, call->peer, &call->h, &call->cred,
	    call->loop->now_ms, &stat)) {
	case 0:
		dispatch(call);
		break;
	case EAGAIN:
		hand_over(call, server->slow, CALL_TO_FIND_GROUPS);
		break;
	default:
		deny(call, stat);
		break;
	}
}

void
rpc_dispatch(struct rpc_call *call)
{
	loop_count(call->loop, COUNT_CALLS);
	xdr_in_init_segs(&call->in, call->segs, call->nsegs, &call->arena);
	switch (rpc_header_get(&call->in, &call->h)) {
	case 0:
		if (call->conn == NULL || !call->conn->outgoing)
			break;
		/* Whom we call for answers has no calls to make there. */
		no_call(call);
		return;
	case EPROTO:
		deny(call, RPC_AUTH_OK);
		return;
	default:
		no_call(call);
		return;
	}
	call->head = call->size - xdr_in_left(&call->in);
	if (*rpc_trace_switch() != 0)
		stats_begin(call);
	else
		call->started = call->loop->batch_ns;
	probe_start(call);
	authenticate_and_dispatch(call);
}

void
rpc_call_continue(struct rpc_call *call)
{
	switch (call->todo) {
	case CALL_TO_RUN:
		run_here(call);
		break;
	case CALL_TO_REPLY:
		if (call->replay != NULL)
			reply_again(call, call->replay);
		else
			finish(call);
		break;
	case CALL_TO_DISPATCH:
	case CALL_TO_FIND_GROUPS:
		/* Its caller is known by now. */
		call->executor = NULL;
		dispatch(call);
		break;
	}
}

int
rpc_peek(const struct rpc_conn *c, const uint8_t *record, size_t have,
    size_t *bulk_start, uint32_t *bulk_len)
{
	const struct rpc_server *server = c->loop->server;
	const struct rpc_program *program;
	const struct rpc_procedure *proc;
	enum rpc_auth_stat stat;
	struct rpc_header h;
	struct rpc_cred cred;
	struct xdr_in in;
	size_t head;
	int err;

	*bulk_len = 0;
	xdr_in_init(&in, record, have, NULL);
	if (rpc_header_get(&in, &h) != 0)
		return in.bad && have < SERVER_HEAD_ROOM ? EAGAIN : EBADMSG;
	err = authenticate(server, &c->peer, &h, &cred, c->loop->now_ms,
	    &stat);
	if ((err != 0 && err != EAGAIN) || find_procedure(server, &c->peer,
	    c->second_port, &h, &program, &proc) != RPC_SUCCESS)
		return EBADMSG;
	if (proc->bulk == NULL)
		return 0;
	head = (size_t)(in.pos - record);
	err = proc->bulk(in.pos, have - head, bulk_start, bulk_len);
	*bulk_start += head;
	if (err == EBADMSG) {
		*bulk_len = 0;	/* decoding says why, once all is here */
		return 0;
	}
	return err;
}

/* ------------------------------------------------------------ accessors -- */

const struct rpc_cred *
rpc_call_cred(const struct rpc_call *call)
{
	return &call->cred;
}

const struct rpc_peer *
rpc_call_peer(const struct rpc_call *call)
{
	return call->peer;
}

struct xdr_arena *
rpc_call_arena(struct rpc_call *call)
{
	return &call->arena;
}

uint32_t
rpc_call_xid(const struct rpc_call *call)
{
	return call->h.xid;
}

uint32_t
rpc_call_proc(const struct rpc_call *call)
{
	return call->h.proc;
}

/*
 * Head and arguments lie in the first stretch, but for a bulk payload; what
 * is asked is "the same request again", not "equal payloads".
 */
uint64_t
rpc_call_digest(const struct rpc_call *call)
{
	static const uint8_t key[16];
	const struct xdr_seg *s = &call->segs[0];
	size_t n = s->len < call->head ? 0 : s->len - call->head;

	if (n > DIGESTED)
		n = DIGESTED;
	return siphash13(key, s->base + call->head, n) ^ call->size;
}

size_t
rpc_call_size(const struct rpc_call *call)
{
	return call->size;
}

struct rpc_executor *
rpc_call_executor(const struct rpc_call *call)
{
	return call->executor;
}

void
rpc_call_move(struct rpc_call *call, struct rpc_executor *to)
{
	call->move_to = to;
}

void
rpc_call_forget(struct rpc_call *call)
{
	call->forget = true;
}

void
rpc_call_expect(struct rpc_call *call, size_t bytes)
{
	size_t most = call->loop->server->config.max_payload;

	call->expected = bytes < most ? bytes : most;
}

void
rpc_call_set_raw(struct rpc_call *call, const void *base, size_t len)
{
	call->raw = (struct xdr_piece){ .base = base, .len = len };
}

struct pinefs_buf *
rpc_call_bulk(const struct rpc_call *call)
{
	return call->bulk;
}

void *
rpc_call_state(struct rpc_call *call, size_t size, void (*fini)(void *))
{
	if (call->state == NULL &&
	    (call->state = xdr_arena_zalloc(&call->arena, size)) != NULL)
		call->state_fini = fini;
	return call->state;
}

void
rpc_call_on_cancel(struct rpc_call *call, void (*fn)(void *), void *arg)
{
	/* The loop that calls it reads in the opposite order. */
	call->cancel_arg = arg;
	atomic_store(&call->cancel, fn);
}
