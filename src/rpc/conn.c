/*
 * One TCP connection.  See conn.h.
 *
 * Input.  Bytes come into one receive buffer; records are run in place.  A
 * record too large for what is here yet is looked at first (rpc_peek): if
 * its call will be refused, it is refused now and the rest thrown away; if
 * it carries a bulk payload (a WRITE), the payload is received straight into
 * memory of its own:
 *
 *	in:   | record's head | tail | head of the next record ...
 *	bulk:        | payload, page-aligned |
 *
 * and while large records follow one another, each recv asks only for as much
 * of the next as a head has, so that next to nothing is copied.
 *
 * Output.  Replies of a turn lie in one chain and leave by one writev.  Who
 * does not read his replies is not read from, either.
 */
#include "rpc/conn.h"

#include <limits.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/peer.h"
#include "rpc/server.h"
#include "rpc/stats.h"

enum {
	TURN_RECORDS = 64,		/* then the next connection's turn */
	TURN_BYTES = 256 << 10,
	BULK_MIN = 16 << 10,		/* smaller payloads are copied */
	HEAD_BYTES = 512,		/* room for a WRITE's head */
	TAIL_MAX = 4096,		/* of a record, behind its payload */
	PEEK_MAX = 4096,		/* no head is longer */
	ROOM_MIN = 4096,
	OUT_IOV = 256,
	MARK_MS = 10000, RECORD_MS = 30000, IDLE_MS = 360000, STUCK_MS = 60000,
	OFF_MS = 250
};

/* ---------------------------------------------------------- life, timers -- */

static void	conn_ready(struct rpc_source *, struct rpc_loop *, unsigned);
static void	conn_timer(struct wheel_timer *);
static void	regulate(struct rpc_conn *);

void
conn_put(struct rpc_conn *c)
{
	if (--c->refs > 0)
		return;
	/* Calls that outlived the socket have used these. */
	drc_origin_put(c->origin);
	rpc_link_put(c->link);
	/* The poller may still hold an event of this turn for it. */
	c->next = c->loop->dead;
	c->loop->dead = c;
}

int
conn_new(struct rpc_loop *loop, int fd, const struct rpc_peer *peer,
    bool second_port, struct rpc_link *link)
{
	struct rpc_conn *c = calloc(1, sizeof *c);
	int err = ENOMEM;

	if (c == NULL)
		return ENOMEM;
	c->source = (struct rpc_source){ .fd = fd, .ready = conn_ready };
	c->refs = 1;
	c->loop = loop;
	c->peer = *peer;
	c->second_port = second_port;
	c->timer.fn = conn_timer;
	c->heard_ms = c->sent_ms = loop->now_ms;
	chain_init(&c->out, &loop->chunks);
	c->origin = drc_origin_new(loop->server->drc, &peer->addr);
	c->outgoing = link != NULL;
	if ((c->link = link) == NULL) {
		c->link = link_new(loop, c);
	} else {
		rpc_link_get(link);
		link->conn = c;
	}
	if (c->origin == NULL || c->link == NULL ||
	    (err = poller_add(loop, &c->source, LOOP_IN)) != 0) {
		drc_origin_put(c->origin);
		if (link != NULL)
			link->conn = NULL;
		rpc_link_put(c->link);
		free(c);
		return err;
	}
	c->next = loop->conns;
	c->prev = &loop->conns;
	if (c->next != NULL)
		c->next->prev = &c->next;
	loop->conns = c;
	atomic_fetch_add(&loop->nconns, 1);
	wheel_arm(&loop->wheel, &c->timer, loop->now_ms + MARK_MS);
	c->armed_ms = loop->now_ms + MARK_MS;
	return 0;
}

/* How did it end?  See drc.h. */
static enum drc_origin_state
end_state(const struct rpc_conn *c)
{
	int unsent;

	if (!c->eof || c->out.n > 0 || c->in_flight > 0)
		return ORIGIN_CUT;
	if (ioctl(c->source.fd, SIOCOUTQ, &unsent) == -1 || unsent != 0)
		return ORIGIN_CUT;
	return ORIGIN_CLEAN;
}

static void
bulk_drop(struct rpc_conn *c)
{
	if (c->bulk.buf != NULL)
		rpc_bulk_put(c->loop, c->bulk.buf);
	c->bulk.buf = NULL;
}

void
conn_close(struct rpc_conn *c)
{
	struct rpc_loop *loop = c->loop;
	struct rpc_call *call, *next;
	void (*cancel)(void *);

	if (c->closed)
		return;
	c->closed = true;
	if (c->waits_out)
		atomic_fetch_sub(&loop->unsent, 1);
	c->waits_out = false;
	drc_origin_end(c->origin, end_state(c));
	link_end(c->link);
	poller_del(loop, &c->source);
	fds_close(&loop->server->fds, c->source.fd);
	wheel_disarm(&loop->wheel, &c->timer);
	*c->prev = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	bulk_drop(c);
	rbuf_put(loop, c->in);
	c->in = NULL;
	chain_fini(&c->out);
	for (call = c->waiting; call != NULL; call = next) {
		next = call->conn_next;
		cancel = atomic_exchange(&call->cancel, NULL);
		if (cancel != NULL)
			cancel(call->cancel_arg);
	}
	atomic_fetch_sub(&loop->nconns, 1);
	/* Those that we make are none of the peer's. */
	if (c->outgoing)
		atomic_fetch_sub(&loop->server->nconns, 1);
	else
		server_forget_conn(loop->server, &c->peer);
	conn_put(c);
}

/* Input is off since this connection has too much under way itself. */
static bool
has_much(const struct rpc_conn *c)
{
	return c->out.bytes > 2 * c->loop->server->config.max_payload ||
	    c->out.bytes + c->held > SERVER_MAX_HELD ||
	    c->in_flight >= SERVER_MAX_IN_FLIGHT;
}

/* When does this connection have to show something? */
static uint64_t
deadline(const struct rpc_conn *c, const char **why)
{
	uint64_t at = UINT64_MAX;
	bool reads = !(c->input_off && has_much(c)) && c->record_ms != 0;

	if (c->in_flight == 0) {
		at = c->heard_ms + IDLE_MS;
		*why = "idle";
	}
	if (reads && c->record_ms + MARK_MS < at && !c->record.under_way &&
	    c->skip == 0) {
		at = c->record_ms + MARK_MS;
		*why = "no whole record mark";
	}
	if (reads && c->record_ms + RECORD_MS < at &&
	    (c->record.under_way || c->skip > 0)) {
		at = c->record_ms + RECORD_MS;
		*why = "no whole record";
	}
	if (c->waits_out && c->sent_ms + STUCK_MS < at) {
		at = c->sent_ms + STUCK_MS;
		*why = "does not read its replies";
	}
	return at;
}

static void
arm(struct rpc_conn *c)
{
	const char *why;
	uint64_t at = deadline(c, &why);

	/* Memory of others may have been what stopped it: look again. */
	if (c->input_off && at > c->loop->now_ms + OFF_MS)
		at = c->loop->now_ms + OFF_MS;
	/* Later than armed: the timer finds that out when it fires. */
	if (c->armed_ms != 0 && at >= c->armed_ms)
		return;
	if (at == UINT64_MAX)
		at = c->loop->now_ms + IDLE_MS;
	c->armed_ms = at;
	wheel_arm(&c->loop->wheel, &c->timer, at);
}

static void
conn_timer(struct wheel_timer *t)
{
	struct rpc_conn *c = (struct rpc_conn *)(void *)((char *)t -
	    offsetof(struct rpc_conn, timer));
	const char *why = "";

	c->armed_ms = 0;
	if (deadline(c, &why) > c->loop->now_ms) {
		regulate(c);
		arm(c);
		return;
	}
	loop_count(c->loop, COUNT_TIMEOUTS);
	log_debug("%s: connection closed: %s", c->peer.name, why);
	conn_close(c);
}

/* ------------------------------------------------------------- interest -- */

static bool
overloaded(const struct rpc_conn *c)
{
	const struct rpc_server *server = c->loop->server;

	return has_much(c) ||
	    atomic_load_explicit(&server->stopping, memory_order_relaxed) ||
	    atomic_load_explicit(&server->memory, memory_order_relaxed) >
	    SERVER_MAX_MEMORY;
}

static void
watch(struct rpc_conn *c)
{
	unsigned events = 0;

	if (!c->input_off && !c->eof)
		events |= LOOP_IN;
	if (c->waits_out)
		events |= LOOP_OUT;
	poller_set(c->loop, &c->source, events);
}

static void
run_later(struct rpc_conn *c)
{
	if (c->is_again)
		return;
	c->is_again = true;
	c->refs++;
	c->again_next = c->loop->again;
	c->loop->again = c;
}

/* Backpressure on, or off. */
static void
regulate(struct rpc_conn *c)
{
	bool off = overloaded(c);

	if (c->closed || off == c->input_off)
		return;
	c->input_off = off;
	watch(c);
	if (!off) {
		c->record_ms = 0;	/* it was we who did not read */
		run_later(c);	/* what is in memory wakes nobody */
		return;
	}
	loop_count(c->loop, COUNT_PAUSES);
	arm(c);
}

void
conn_mark_dirty(struct rpc_conn *c)
{
	if (c->is_dirty || c->closed)
		return;
	c->is_dirty = true;
	c->refs++;
	c->dirty_next = c->loop->dirty;
	c->loop->dirty = c;
}

/* The payload that came with a call, and that which will go with its reply. */
static size_t
holds(const struct rpc_call *call)
{
	return call->expected + (call->bulk == NULL ? 0 : call->bulk->size);
}

void
conn_call_waits(struct rpc_conn *c, struct rpc_call *call)
{
	if (c->in != NULL && call->record == NULL) {
		call->record = c->in;
		c->in->refs++;
	}
	c->refs++;
	c->held += holds(call);
	call->conn_next = c->waiting;
	call->conn_prev = &c->waiting;
	if (c->waiting != NULL)
		c->waiting->conn_prev = &call->conn_next;
	c->waiting = call;
}

void
conn_call_ends(struct rpc_conn *c, struct rpc_call *call)
{
	c->in_flight--;
	if (call->conn_prev == NULL)
		return;		/* it never waited */
	c->held -= holds(call);
	*call->conn_prev = call->conn_next;
	if (call->conn_next != NULL)
		call->conn_next->conn_prev = call->conn_prev;
	if (!c->closed && c->in_flight == 0)
		c->heard_ms = c->loop->now_ms;
	if (c->input_off && !c->closed)
		regulate(c);
	conn_put(c);
}

/* --------------------------------------------------------------- output -- */

void
conn_output(struct rpc_conn *c)
{
	struct iovec iov[OUT_IOV];
	struct msghdr m = { .msg_iov = iov };
	bool full = false;
	ssize_t n;

	while (c->out.n > 0 && !full) {
		m.msg_iovlen = chain_iov(&c->out, iov, OUT_IOV);
		n = sendmsg(c->source.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			chain_consume(&c->out, (size_t)n);
			c->sent += (uint64_t)n;
			c->sent_ms = c->loop->now_ms;
		} else if (errno == EAGAIN) {
			full = true;
		} else if (errno == EFAULT) {
			/* A file that we were to send of was cut off. */
			if (chain_own(&c->out, OUT_IOV) != 0) {
				conn_close(c);
				return;
			}
		} else if (errno != EINTR) {
			conn_close(c);
			return;
		}
	}
	if (!full)
		chain_idle(&c->out);
	if (full != c->waits_out) {
		c->waits_out = full;
		c->sent_ms = c->loop->now_ms;
		if (full)
			atomic_fetch_add(&c->loop->unsent, 1);
		else
			atomic_fetch_sub(&c->loop->unsent, 1);
		watch(c);
		arm(c);
	}
	regulate(c);
	if (c->eof && c->out.n == 0 && c->in_flight == 0)
		conn_close(c);
}

/* ---------------------------------------------------------------- input -- */

/* Everything in the buffer has been run, and nobody points into it. */
static void
buffer_idle(struct rpc_conn *c)
{
	if (c->in == NULL || c->record.pos != c->fill ||
	    c->record.under_way || c->bulk.buf != NULL)
		return;
	rbuf_put(c->loop, c->in);
	c->in = NULL;
	c->fill = 0;
	c->record = (struct rpc_record){ 0 };
}

/* Where the bytes begin that are still needed. */
static size_t
needed_from(const struct rpc_conn *c)
{
	return c->record.under_way ? c->record.start : c->record.pos;
}

/*
 * Make room for `want` more bytes behind fill.  Bytes that waiting calls
 * point into stay where they are; a long record makes the buffer grow as its
 * bytes arrive, never before.
 */
static int
make_room(struct rpc_conn *c, size_t want)
{
	size_t from, keep, size = RBUF_SIZE;
	struct rbuf *b;

	if (c->in != NULL && c->in->size - c->fill >= want)
		return 0;
	from = c->in == NULL ? 0 : needed_from(c);
	keep = c->fill - from;
	while (size < keep + want)
		size *= 2;
	if (c->in != NULL && c->in->refs == 1 && c->in->size >= size &&
	    from > 0) {
		memmove(c->in->data, c->in->data + from, keep);
	} else {
		if ((b = rbuf_new(c->loop, size)) == NULL)
			return ENOMEM;
		if (keep > 0)
			memcpy(b->data, c->in->data + from, keep);
		rbuf_put(c->loop, c->in);
		c->in = b;
	}
	record_shift(&c->record, from);
	c->fill = keep;
	return 0;
}

/* A record is whole (or as much as will be looked at): run its call. */
static void
run_record(struct rpc_conn *c, const struct xdr_seg *segs, unsigned nsegs,
    struct pinefs_buf *bulk)
{
	struct rpc_call *call = rpc_call_new(c->loop);
	unsigned i;

	c->record_ms = 0;	/* conn_input sets it, if more is under way */

	if (call == NULL) {
		if (bulk != NULL)
			rpc_bulk_put(c->loop, bulk);
		conn_close(c);
		return;
	}
	call->conn = c;
	call->peer = &c->peer;
	call->bulk = bulk;
	call->nsegs = nsegs;
	for (i = 0; i < nsegs; i++) {
		call->segs[i] = segs[i];
		call->size += segs[i].len;
	}
	c->in_flight++;
	c->calls++;
	rpc_dispatch(call);
}

/*
 * Answer what is here of a record, and throw the rest away; where more
 * fragments would follow, that is the end of the connection.
 */
static void
refuse_rest(struct rpc_conn *c)
{
	struct xdr_seg seg = { c->in->data + c->record.start,
	    c->record.end - c->record.start };

	c->skip = c->record.left;
	c->small_head = false;
	c->eof = !c->record.last;
	c->record.pos = c->fill;
	record_begin(&c->record);
	run_record(c, &seg, 1, NULL);
}

static int
bulk_begin(struct rpc_conn *c, size_t start, uint32_t len)
{
	struct rpc_record *r = &c->record;
	size_t have = r->end - r->start, whole = have + r->left;
	struct pinefs_buf *buf;

	/* Not worth it, not true, or too much claimed: the usual way. */
	if (len < BULK_MIN || start > have || have - start >= len ||
	    start + len > whole || whole - start - len > TAIL_MAX ||
	    atomic_load(&c->loop->server->memory) > SERVER_MAX_MEMORY / 2)
		return 0;
	if ((buf = buf_new(len)) == NULL)
		return ENOMEM;
	atomic_fetch_add(&c->loop->server->memory, buf->size);
	memcpy(buf->base, c->in->data + r->start + start, have - start);
	c->bulk = (struct conn_bulk){ .buf = buf, .got = have - start,
	    .start = start, .tail = whole - start - len };
	c->fill = r->start + start;
	return 0;
}

/*
 * More of this record is to come.  Look at what is here once, when its head
 * is (SECURITY 5: check first, then receive the rest).
 */
static int
look_at_head(struct rpc_conn *c)
{
	struct rpc_record *r = &c->record;
	size_t start, have = r->end - r->start;
	uint32_t len;

	if (c->checked || !r->under_way ||
	    (r->last ? r->left < BULK_MIN / 2 : have < RBUF_SIZE / 2))
		return 0;
	switch (rpc_peek(c, c->in->data + r->start, have, &start, &len)) {
	case 0:
		c->checked = true;
		return len > 0 && r->last ? bulk_begin(c, start, len) : 0;
	case EAGAIN:
		c->checked = have >= PEEK_MAX;
		return 0;
	}
	refuse_rest(c);
	return 0;
}

/* Payload and tail are here: the record is whole. */
static void
bulk_end(struct rpc_conn *c)
{
	struct rpc_record *r = &c->record;
	uint8_t *head = c->in->data + r->start;
	struct conn_bulk b = c->bulk;
	struct xdr_seg segs[3] = {
		{ head, b.start },
		{ b.buf->base, b.buf->len },
		{ head + b.start, b.tail },
	};

	c->bulk.buf = NULL;	/* the call's, and counted as long */
	c->small_head = true;
	c->checked = false;
	r->pos = r->start + b.start + b.tail;
	record_begin(r);
	run_record(c, segs, b.tail > 0 ? 3 : 2, b.buf);
}

static void
bad_record(struct rpc_conn *c)
{
	static struct log_limit limit;
	const uint8_t *p = c->in->data + c->record.pos;
	const char *what = "an over-long record or empty fragments";

	if (memcmp(p, "GET ", 4) == 0 || memcmp(p, "POST", 4) == 0 ||
	    memcmp(p, "HEAD", 4) == 0 || memcmp(p, "OPTI", 4) == 0 ||
	    memcmp(p, "PUT ", 4) == 0 || memcmp(p, "PRI ", 4) == 0)
		what = "HTTP";
	else if (p[0] == 0x16 && p[1] == 3)
		what = "TLS without STARTTLS";
	loop_count(c->loop, COUNT_BAD_RECORDS);
	log_limited(&limit, "%s sent %s: connection closed", c->peer.name,
	    what);
	conn_close(c);
}

/* Run whole records in the buffer; the number of them. */
static int
run_records(struct rpc_conn *c, int most)
{
	struct rpc_record *r = &c->record;
	enum record_status st;
	struct xdr_seg seg;
	int n = 0;

	while (n < most && !c->closed && !c->input_off &&
	    c->bulk.buf == NULL && c->in != NULL) {
		st = record_next(r, c->in->data, c->fill,
		    c->loop->server->max_record);
		if (st == RECORD_BAD) {
			bad_record(c);
			break;
		}
		if (st == RECORD_MORE) {
			if (look_at_head(c) != 0)
				conn_close(c);
			break;
		}
		seg = (struct xdr_seg){ c->in->data + r->start,
		    r->end - r->start };
		c->small_head = seg.len >= BULK_MIN;
		c->checked = false;
		record_begin(r);
		run_record(c, &seg, 1, NULL);
		n++;
		if (overloaded(c))
			regulate(c);
	}
	return n;
}

/* Is there another whole record in memory?  Looking costs less than asking. */
static bool
has_more(const struct rpc_conn *c)
{
	return c->in != NULL && !c->closed && c->bulk.buf == NULL &&
	    c->fill - c->record.pos >= 4;
}

/*
 * Receive once.  The bytes received; 0: nothing there now, or the end (eof),
 * or closed.  *asked: fewer than that means the socket is empty.
 */
static size_t
receive(struct rpc_conn *c, size_t *asked)
{
	struct conn_bulk *b = &c->bulk;
	struct iovec iov[2];
	size_t want = c->small_head ? HEAD_BYTES : ROOM_MIN, part;
	int n = 0;
	ssize_t got;

	if (b->buf != NULL) {
		want = b->tail + HEAD_BYTES;
		iov[n++] = (struct iovec){ b->buf->base + b->got,
		    b->buf->len - b->got };
	}
	if (make_room(c, want) != 0) {
		conn_close(c);
		return 0;
	}
	if (b->buf == NULL && !c->small_head)
		want = c->in->size - c->fill;
	iov[n++] = (struct iovec){ c->in->data + c->fill, want };
	*asked = want + (n == 2 ? iov[0].iov_len : 0);
	do
		got = readv(c->source.fd, iov, n);
	while (got == -1 && errno == EINTR);
	if (got == 0)
		c->eof = true;
	else if (got == -1 && errno != EAGAIN)
		conn_close(c);
	if (got <= 0)
		return 0;
	c->received += (uint64_t)got;
	part = 0;
	if (b->buf != NULL) {
		part = (size_t)got < iov[0].iov_len ? (size_t)got :
		    iov[0].iov_len;
		b->got += part;
	}
	c->fill += (size_t)got - part;
	return (size_t)got;
}

/* Throw away what is left of a refused record. */
static void
skip_some(struct rpc_conn *c)
{
	size_t n = c->fill - c->record.pos;

	if (n > c->skip)
		n = c->skip;
	c->skip -= n;
	c->record.pos += n;
	if (!c->record.under_way)
		record_begin(&c->record);
}

static bool
bulk_is_whole(const struct rpc_conn *c)
{
	return c->bulk.buf != NULL && c->bulk.got == c->bulk.buf->len &&
	    c->fill - c->record.start >= c->bulk.start + c->bulk.tail;
}

/* One turn of receiving and running. */
static void
input_turn(struct rpc_conn *c)
{
	size_t n, asked, bytes = 0;
	int records;

	/* What an earlier turn left. */
	records = run_records(c, TURN_RECORDS);
	while (!c->closed && !c->eof && !c->input_off &&
	    records < TURN_RECORDS &&
	    bytes < TURN_BYTES) {
		if ((n = receive(c, &asked)) == 0)
			break;
		bytes += n;
		if (stats_watched(c->loop))
			stats_batch(c->loop);
		if (c->skip > 0)
			skip_some(c);
		if (bulk_is_whole(c)) {
			bulk_end(c);
			records++;
			if (overloaded(c))
				regulate(c);
		}
		if (!c->closed)
			records += run_records(c, TURN_RECORDS - records);
		if (n < asked)
			break;
	}
	if (records >= TURN_RECORDS && has_more(c))
		run_later(c);
	if (bytes > 0)
		c->heard_ms = c->loop->now_ms;
}

void
conn_input(struct rpc_conn *c)
{
	bool partial;

	c->refs++;
	input_turn(c);
	if (!c->closed) {
		buffer_idle(c);
		partial = c->skip > 0 || (c->in != NULL &&
		    (c->record.under_way || c->record.pos != c->fill));
		if (!partial)
			c->record_ms = 0;
		else if (c->record_ms == 0)
			c->record_ms = c->loop->now_ms;
		if (c->out.n > 0 && !c->waits_out)
			conn_output(c);
		else if (c->eof && c->out.n == 0 && c->in_flight == 0)
			conn_close(c);
	}
	if (!c->closed) {
		if (c->eof)
			watch(c);
		arm(c);
	}
	conn_put(c);
}

static void
conn_ready(struct rpc_source *s, struct rpc_loop *loop, unsigned events)
{
	struct rpc_conn *c = (struct rpc_conn *)s;

	(void)loop;
	if (c->closed)
		return;
	c->refs++;
	if (events & LOOP_OUT)
		conn_output(c);
	if (!c->closed && (events & LOOP_IN) && !c->input_off && !c->eof)
		conn_input(c);
	else if (!c->closed && (events & LOOP_GONE))
		conn_close(c);
	conn_put(c);
}
