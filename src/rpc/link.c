/* Calling clients back.  See link.h. */
#include "rpc/link.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "rpc/conn.h"
#include "rpc/peer.h"
#include "rpc/server.h"

enum { RES_MAX = 65536, CALL_MAX = 65536 };

/* A call to a client, from rpc_link_call until `done` was told. */
struct link_pending {
	struct loop_task		 task;	/* first: on its way there */
	struct wheel_timer		 timer;
	struct link_pending		*next, **prev;
	struct rpc_link			*link;
	const struct rpc_procedure	*row;
	uint32_t			 xid;
	unsigned			 timeout_ms;
	rpc_done_fn			*done;
	void				*ctx;
	struct pinefs_chain		 chain;	/* the encoded call */
};

struct rpc_link *
link_new(struct rpc_loop *loop, struct rpc_conn *conn)
{
	struct rpc_link *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	atomic_init(&l->refs, 1);
	atomic_init(&l->open, true);
	atomic_init(&l->closing, false);
	l->loop = loop;
	l->conn = conn;
	return l;
}

struct rpc_link *
rpc_call_link(const struct rpc_call *call)
{
	return call->conn == NULL ? NULL : call->conn->link;
}

void
rpc_link_get(struct rpc_link *l)
{
	atomic_fetch_add(&l->refs, 1);
}

void
rpc_link_put(struct rpc_link *l)
{
	if (l != NULL && atomic_fetch_sub(&l->refs, 1) == 1)
		free(l);
}

bool
rpc_link_is_open(const struct rpc_link *l)
{
	return atomic_load(&l->open);
}

/* --------------------------------------------------------------- endings -- */

static void
finish(struct link_pending *p, int err, void *res)
{
	struct rpc_link *l = p->link;

	if (p->prev != NULL) {
		*p->prev = p->next;
		if (p->next != NULL)
			p->next->prev = p->prev;
		wheel_disarm(&l->loop->wheel, &p->timer);
	}
	chain_fini(&p->chain);
	p->done(p->ctx, err, res);
	free(p);
	rpc_link_put(l);
}

static void
too_late(struct wheel_timer *t)
{
	finish((struct link_pending *)(void *)((char *)t -
	    offsetof(struct link_pending, timer)), ETIMEDOUT, NULL);
}

void
link_end(struct rpc_link *l)
{
	atomic_store(&l->open, false);
	l->conn = NULL;
	while (l->pending != NULL)
		finish(l->pending, ECONNRESET, NULL);
}

static void
deliver(struct link_pending *p, int err, struct xdr_in *in)
{
	_Alignas(16) uint8_t first[1024];
	struct xdr_arena arena;
	void *res = NULL;

	xdr_arena_init(&arena, first, sizeof first, RES_MAX);
	in->arena = &arena;
	if (err == 0 && p->row->res_size > 0 &&
	    (res = xdr_arena_zalloc(&arena, p->row->res_size)) == NULL)
		err = ENOMEM;
	if (err == 0 && p->row->decode != NULL)
		err = p->row->decode(in, res);
	finish(p, err, err == 0 ? res : NULL);
	xdr_arena_reset(&arena);
}

void
link_reply(struct rpc_link *l, struct xdr_in *in)
{
	struct link_pending *p;
	uint32_t xid;
	int err = rpc_reply_get(in, &xid);

	for (p = l->pending; p != NULL; p = p->next)
		if (p->xid == xid)
			break;
	if (p != NULL)
		deliver(p, err, in);
}

/* --------------------------------------------------------------- calling -- */

/* On the link's loop: behind whatever the connection has to say. */
static void
start(struct loop_task *task, struct rpc_loop *loop)
{
	struct link_pending *p = (struct link_pending *)task;
	struct rpc_link *l = p->link;
	struct xdr_piece *piece = &p->chain.piece[p->chain.head];
	struct rpc_conn *conn = l->conn;
	bool begun = false;

	if (conn == NULL) {
		finish(p, ECONNRESET, NULL);
		return;
	}
	while (p->chain.n > 0) {
		if (chain_borrow_piece(&conn->out, piece) != 0) {
			finish(p, ENOMEM, NULL);
			/* Half a call is in the stream: it is no use now. */
			if (begun)
				conn_close(conn);
			return;
		}
		begun = true;
		/* The piece is the connection's now. */
		piece->release = NULL;
		chain_consume(&p->chain, piece->len);
		piece = &p->chain.piece[p->chain.head];
	}
	p->next = l->pending;
	p->prev = &l->pending;
	if (p->next != NULL)
		p->next->prev = &p->next;
	l->pending = p;
	p->timer.fn = too_late;
	wheel_arm(&loop->wheel, &p->timer, loop->now_ms + p->timeout_ms);
	conn_mark_dirty(conn);
}

static int
encode(struct link_pending *p, uint32_t prog, uint32_t vers, uint32_t proc,
    const struct rpc_cred *cred, const void *args)
{
	struct xdr_mark mark;
	struct xdr_out out;
	int err = 0;

	xdr_out_init(&out, &p->chain, CALL_MAX);
	xdr_mark(&out, &mark);
	xdr_put_u32(&out, 0);
	rpc_put_call(&out, p->xid, prog, vers, proc, cred);
	if (p->row->encode != NULL)
		err = p->row->encode(&out, args);
	xdr_patch_u32(&out, &mark,
	    0x80000000u | (uint32_t)(xdr_out_len(&out) - 4));
	xdr_out_flush(&out);
	return err != 0 ? err : out.bad ? EMSGSIZE : 0;
}

int
rpc_link_call(struct rpc_link *l, const struct rpc_procedure *row,
    uint32_t prog, uint32_t vers, uint32_t proc, const struct rpc_cred *cred,
    const void *args, unsigned timeout_ms, rpc_done_fn *done, void *ctx)
{
	static atomic_uint xid = 1;
	struct link_pending *p;
	int err;

	if (!rpc_link_is_open(l))
		return ECONNRESET;
	if ((p = calloc(1, sizeof *p)) == NULL)
		return ENOMEM;
	*p = (struct link_pending){ .task.fn = start, .link = l, .row = row,
	    .xid = atomic_fetch_add(&xid, 1), .timeout_ms = timeout_ms,
	    .done = done, .ctx = ctx };
	chain_init(&p->chain, NULL);
	if ((err = encode(p, prog, vers, proc, cred, args)) != 0) {
		chain_fini(&p->chain);
		free(p);
		return err;
	}
	rpc_link_get(l);
	loop_post(l->loop, &p->task);
	return 0;
}

/* ------------------------------------------- connections that we make -- */

/* On its way to its loop. */
struct dialing {
	struct loop_task	 task;		/* first */
	struct rpc_link		*link;
	struct rpc_peer		 peer;
};

/* The socket, about to be connected; or -1. */
static int
dial(struct fds *fds, const struct sockaddr_storage *to)
{
	socklen_t len = to->ss_family == AF_INET6 ?
	    sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int fd;

	fds_begin();
	fd = fds_end(fds, socket(to->ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (fd == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)to, len) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	fds_close(fds, fd);
	return -1;
}

static void
dial_on_loop(struct loop_task *task, struct rpc_loop *loop)
{
	struct dialing *d = (struct dialing *)task;
	struct rpc_server *server = loop->server;
	int fd = -1;

	if (!atomic_load(&server->stopping) &&
	    atomic_load(&server->nconns) < server->max_conns / 2)
		fd = dial(&server->fds, &d->peer.addr);
	if (fd != -1) {
		atomic_fetch_add(&server->nconns, 1);
		if (conn_new(loop, fd, &d->peer, false, d->link) != 0) {
			fds_close(&server->fds, fd);
			atomic_fetch_sub(&server->nconns, 1);
			fd = -1;
		}
	}
	if (fd == -1)
		link_end(d->link);
	rpc_link_put(d->link);
	free(d);
}

int
rpc_link_connect(struct rpc_server *server, const struct sockaddr_storage *to,
    struct rpc_link **lp)
{
	struct dialing *d = calloc(1, sizeof *d);
	struct rpc_loop *loop = &server->loops[0];
	struct rpc_link *l;

	if (d == NULL)
		return ENOMEM;
	if ((l = link_new(loop, NULL)) == NULL) {
		free(d);
		return ENOMEM;
	}
	rpc_link_get(l);	/* the task's */
	*d = (struct dialing){ .task.fn = dial_on_loop, .link = l,
	    .peer.addr = *to };
	peer_name(to, d->peer.name, sizeof d->peer.name);
	loop_post(loop, &d->task);
	*lp = l;
	return 0;
}

static void
close_on_loop(struct loop_task *task, struct rpc_loop *loop)
{
	struct rpc_link *l = (struct rpc_link *)(void *)((char *)task -
	    offsetof(struct rpc_link, close));

	(void)loop;
	if (l->conn != NULL)
		conn_close(l->conn);
	rpc_link_put(l);
}

void
rpc_link_close(struct rpc_link *l)
{
	if (!rpc_link_is_open(l) || atomic_exchange(&l->closing, true))
		return;
	rpc_link_get(l);
	l->close.fn = close_on_loop;
	loop_post(l->loop, &l->close);
}
