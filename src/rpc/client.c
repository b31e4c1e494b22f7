/*
 * Calling: one program of one server over TCP or UDP.  A client belongs to
 * one thread at a time.
 */
#include "rpc/client.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/chain.h"
#include "rpc/msg.h"
#include "rpc/record.h"

enum { MAX_REPLY = 2 << 20, IN_MIN = 65536, UDP_RESEND_MS = 1000 };

/* A call that waits for its reply. */
struct pending {
	struct pending			*next;
	uint32_t			 xid;
	const struct rpc_procedure	*proc;
	rpc_done_fn			*done;
	void				*ctx;
};

struct rpc_client {
	int			 fd;
	struct fds		*fds;
	bool			 udp;
	uint32_t		 prog, vers, xid;
	int			 timeout_ms;
	struct rpc_cred		 cred;
	struct rpc_record	 record;	/* under way, or done with */
	int			 broken;	/* why the stream is no use */
	uint8_t			*in;
	size_t			 fill, size;
	bool			 done;	/* the record was handed out */
	struct pending		*pending;
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until fd is ready, or the time is up: ETIMEDOUT. */
static int
wait_ready(int fd, short events, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int n;

	do {
		left = until - now_ms();
		n = poll(&p, 1, left < 0 ? 0 : (int)left);
	} while (n == -1 && errno == EINTR);
	return n == -1 ? errno : n == 0 ? ETIMEDOUT : 0;
}

static int
connect_within(int fd, const struct sockaddr *sa, socklen_t len, int64_t until)
{
	socklen_t n = sizeof(int);
	int err;

	if (connect(fd, sa, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if ((err = wait_ready(fd, POLLOUT, until)) != 0)
		return err;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) == -1 ? errno :
	    err;
}

int
rpc_client_new(struct rpc_client **cp, const struct sockaddr *sa,
    socklen_t len, bool udp, uint32_t prog, uint32_t vers, int timeout_ms)
{
	return rpc_client_open(cp, sa, len, udp, prog, vers, timeout_ms, NULL);
}

int
rpc_client_open(struct rpc_client **cp, const struct sockaddr *sa,
    socklen_t len, bool udp, uint32_t prog, uint32_t vers, int timeout_ms,
    struct fds *fds)
{
	struct rpc_client *c = calloc(1, sizeof *c);
	int err;

	if (c == NULL)
		return ENOMEM;
	*c = (struct rpc_client){ .fds = fds, .udp = udp, .prog = prog,
	    .vers = vers, .timeout_ms = timeout_ms, .size = IN_MIN };
	c->in = malloc(c->size);
	fds_begin();
	c->fd = fds_end(fds, socket(sa->sa_family,
	    (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0));
	if (c->in == NULL || c->fd == -1 ||
	    getrandom(&c->xid, sizeof c->xid, 0) == -1) {
		err = errno;
		rpc_client_free(c);
		return err;
	}
	err = connect_within(c->fd, sa, len, now_ms() + timeout_ms);
	if (err != 0) {
		rpc_client_free(c);
		return err;
	}
	*cp = c;
	return 0;
}

void
rpc_client_free(struct rpc_client *c)
{
	struct pending *p;

	if (c == NULL)
		return;
	while ((p = c->pending) != NULL) {
		c->pending = p->next;
		free(p);
	}
	if (c->fd != -1)
		fds_close(c->fds, c->fd);
	free(c->in);
	free(c);
}

void
rpc_client_auth_sys(struct rpc_client *c, const struct rpc_cred *cred)
{
	c->cred = *cred;
	c->cred.flavor = RPC_AUTH_SYS;
}

/* --------------------------------------------------------------- sending -- */

static int
send_chain(struct rpc_client *c, struct pinefs_chain *chain, int64_t until)
{
	struct iovec iov[64];
	struct msghdr m = { .msg_iov = iov };
	ssize_t n;
	int err;

	while (chain->bytes > 0) {
		m.msg_iovlen = chain_iov(chain, iov, 64);
		n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
		if (n >= 0)
			chain_consume(chain, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return errno;
		else if ((err = wait_ready(c->fd, POLLOUT, until)) != 0)
			return err;
	}
	return 0;
}

static int
send_call(struct rpc_client *c, const struct rpc_procedure *proc,
    uint32_t number, uint32_t xid, const void *args, int64_t until)
{
	struct pinefs_chain chain;
	struct xdr_mark mark;
	struct xdr_out out;
	size_t size;
	int err = 0;

	if (c->broken != 0)
		return c->broken;
	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, MAX_REPLY);
	out.borrow = true;	/* the caller's bytes stay until we return */
	xdr_mark(&out, &mark);
	if (!c->udp)
		xdr_put_u32(&out, 0);
	rpc_put_call(&out, xid, c->prog, c->vers, number, &c->cred);
	if (proc->encode != NULL)
		err = proc->encode(&out, args);
	if (!c->udp && !out.bad)
		xdr_patch_u32(&out, &mark,
		    0x80000000u | (uint32_t)(xdr_out_len(&out) - 4));
	xdr_out_flush(&out);
	if (err == 0 && out.bad)
		err = EMSGSIZE;
	size = chain.bytes;
	if (err == 0)
		err = send_chain(c, &chain, until);
	/* Half a call is in the stream: nothing can follow it. */
	if (err != 0 && !c->udp && chain.bytes != size)
		c->broken = ECONNRESET;
	chain_fini(&chain);
	return err;
}

/* ------------------------------------------------------------- receiving -- */

static int
grow(struct rpc_client *c)
{
	uint8_t *more;

	if (c->fill < c->size)
		return 0;
	if (c->size >= 2 * (size_t)MAX_REPLY)
		return EMSGSIZE;
	if ((more = realloc(c->in, 2 * c->size)) == NULL)
		return ENOMEM;
	c->in = more;
	c->size *= 2;
	return 0;
}

/* What the last record used is free again. */
static void
drop_last(struct rpc_client *c)
{
	memmove(c->in, c->in + c->record.pos, c->fill - c->record.pos);
	c->fill -= c->record.pos;
	c->record = (struct rpc_record){ 0 };
	c->done = false;
}

/*
 * One message into c->in[*start] to [*end].  When the time is up in the
 * middle of one, the next call goes on with it.
 */
static int
receive_some(struct rpc_client *c, size_t *start, size_t *end, int64_t until)
{
	enum record_status st;
	ssize_t n;
	int err;

	if (c->done)
		drop_last(c);
	for (;;) {
		st = c->udp ? c->fill > 0 ? RECORD_DONE : RECORD_MORE :
		    record_next(&c->record, c->in, c->fill, MAX_REPLY);
		if (st == RECORD_BAD)
			return EBADMSG;
		if (st == RECORD_DONE)
			break;
		if ((err = grow(c)) != 0 ||
		    (err = wait_ready(c->fd, POLLIN, until)) != 0)
			return err;
		n = recv(c->fd, c->in + c->fill, c->size - c->fill, 0);
		if (n == 0)
			return ECONNRESET;
		if (n > 0)
			c->fill += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return errno;
	}
	*start = c->udp ? 0 : c->record.start;
	*end = c->udp ? c->fill : c->record.end;
	if (c->udp)
		c->record.pos = c->fill;
	c->done = true;
	return 0;
}

static int
receive(struct rpc_client *c, size_t *start, size_t *end, int64_t until)
{
	int err = c->broken != 0 ? c->broken :
	    receive_some(c, start, end, until);

	if (err != 0 && err != ETIMEDOUT && !c->udp)
		c->broken = err;
	return err;
}

/*
 * Views in *res point into a copy in the arena: the buffer is for the next
 * reply.  Results of fixed size need no arena.
 */
static int
decode(const struct rpc_procedure *proc, struct xdr_in *in,
    void *res, struct xdr_arena *arena)
{
	size_t left = (size_t)(in->end - in->pos);
	uint8_t *copy;

	if (proc->decode == NULL)
		return 0;
	if (arena == NULL)
		return proc->decode(in, res);
	if ((copy = xdr_arena_alloc(arena, left)) == NULL && left > 0)
		return ENOMEM;
	if (left > 0)
		memcpy(copy, in->pos, left);
	xdr_in_init(in, copy, left, arena);
	return proc->decode(in, res);
}

int
rpc_client_call(struct rpc_client *c, const struct rpc_procedure *proc,
    uint32_t number, const void *args, void *res, struct xdr_arena *arena)
{
	int64_t until = now_ms() + c->timeout_ms, resend;
	uint32_t xid = ++c->xid, got;
	size_t start, end;
	struct xdr_in in;
	int err;

	do {
		if ((err = send_call(c, proc, number, xid, args, until)) != 0)
			return err;
		resend = c->udp ? now_ms() + UDP_RESEND_MS : until;
		do {
			err = receive(c, &start, &end,
			    resend < until ? resend : until);
			if (err != 0)
				break;
			xdr_in_init(&in, c->in + start, end - start, NULL);
			err = rpc_reply_get(&in, &got);
		} while (got != xid);
	} while (err == ETIMEDOUT && now_ms() < until);
	return err != 0 ? err : decode(proc, &in, res, arena);
}

int
rpc_client_start(struct rpc_client *c, const struct rpc_procedure *proc,
    uint32_t number, const void *args, rpc_done_fn *done, void *ctx)
{
	struct pending *p = NULL;
	uint32_t xid = ++c->xid;
	int err;

	if (done != NULL) {
		if ((p = calloc(1, sizeof *p)) == NULL)
			return ENOMEM;
		*p = (struct pending){ .xid = xid, .proc = proc,
		    .done = done, .ctx = ctx };
	}
	err = send_call(c, proc, number, xid, args, now_ms() + c->timeout_ms);
	if (err != 0) {
		free(p);
		return err;
	}
	if (p != NULL) {
		p->next = c->pending;
		c->pending = p;
	}
	return 0;
}

static void
deliver(struct pending *p, int err, struct xdr_in *in)
{
	_Alignas(16) uint8_t first[4096];
	struct xdr_arena arena;
	void *res = NULL;

	xdr_arena_init(&arena, first, sizeof first, MAX_REPLY);
	if (err == 0 && p->proc->res_size > 0 &&
	    (res = xdr_arena_zalloc(&arena, p->proc->res_size)) == NULL)
		err = ENOMEM;
	if (err == 0)
		err = decode(p->proc, in, res, &arena);
	p->done(p->ctx, err, err == 0 ? res : NULL);
	xdr_arena_reset(&arena);
}

int
rpc_client_poll(struct rpc_client *c, int timeout_ms)
{
	struct pending **pp, *p;
	size_t start, end;
	struct xdr_in in;
	uint32_t xid = 0;
	int err;

	if (c->pending == NULL)
		return 0;
	err = receive(c, &start, &end, now_ms() + timeout_ms);
	if (err != 0)
		return err;
	xdr_in_init(&in, c->in + start, end - start, NULL);
	err = rpc_reply_get(&in, &xid);
	for (pp = &c->pending; (p = *pp) != NULL; pp = &p->next) {
		if (p->xid != xid)
			continue;
		*pp = p->next;
		deliver(p, err, &in);
		free(p);
		break;
	}
	return 0;
}
