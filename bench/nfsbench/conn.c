/*
 * Sending and receiving.  All replies that one recv brings are handled, then
 * the calls they give rise to leave in one sendmsg.  READ data is compared
 * where it lies in the receive buffer, and never put together.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "nfsbench.h"

void
conn_init(struct conn *c, int id, int depth)
{
	memset(c, 0, sizeof *c);
	c->id = id;
	c->fd = tcp_connect(cf.port);
	c->slots = xcalloc((size_t)depth, sizeof *c->slots);
	c->outq = xcalloc((size_t)depth, sizeof *c->outq);
	c->nslots = depth;
	for (int i = 0; i < depth; i++) {
		c->slots[i].c = c;
		c->slots[i].idx = (uint32_t)i;
		c->slots[i].xid = (uint32_t)i;
	}
	if (cf.vers == 4 && cf.w != W_NULL)
		v4_conn_init(c, depth);
}

void
conn_fini(struct conn *c)
{
	close(c->fd);
	free(c->slots);
	free(c->outq);
	free(c->carry);
	free(c->frag);
}

void
conn_dead(struct worker *w, struct conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	w->s.rpc_err += (uint64_t)c->inflight + 1;
	c->inflight = 0;
	shutdown(c->fd, SHUT_RDWR);
}

static void
conn_confused(struct worker *w, struct conn *c, const char *why)
{
	fprintf(stderr, "nfsbench: %s\n", why);
	conn_dead(w, c);
}

/* Sending */

enum { IOV_MAX_CALLS = 255 };

/* What is queued, as vectors; the first `oq_sent` bytes have gone. */
static int
gather(const struct conn *c, struct iovec *iov, size_t *total)
{
	uint32_t head = c->oq_sent, data = 0;
	int n = 0;

	*total = 0;
	for (int i = 0; i < c->oq_len && i < IOV_MAX_CALLS; i++) {
		struct slot *s = c->outq[(c->oq_head + i) % c->nslots];

		if (head > s->hlen) {
			data = head - s->hlen;
			head = s->hlen;
		}
		if (head < s->hlen)
			iov[n++] = (struct iovec){ s->hdr + head,
			    s->hlen - head };
		if (data < s->paylen)
			iov[n++] = (struct iovec){
			    (void *)(uintptr_t)(s->pay + data),
			    s->paylen - data };
		*total += s->hlen - head + s->paylen - data;
		head = data = 0;
	}
	return n;
}

static void
unqueue(struct conn *c, size_t sent)
{
	while (c->oq_len > 0) {
		struct slot *s = c->outq[c->oq_head];
		uint32_t rest = s->hlen + s->paylen - c->oq_sent;

		if (sent < rest) {
			c->oq_sent += (uint32_t)sent;
			return;
		}
		sent -= rest;
		c->oq_sent = 0;
		c->oq_head = (c->oq_head + 1) % c->nslots;
		c->oq_len--;
	}
}

bool
conn_flush(struct worker *w, struct conn *c)
{
	struct iovec iov[2 * IOV_MAX_CALLS];
	size_t total;
	ssize_t n;

	while (c->oq_len > 0 && !c->dead) {
		struct msghdr m = { .msg_iov = iov };

		m.msg_iovlen = (size_t)gather(c, iov, &total);
		n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return false;
		if (n == -1) {
			conn_dead(w, c);
			return true;
		}
		unqueue(c, (size_t)n);
		if ((size_t)n < total)
			return false;
	}
	return true;
}

/* Receiving */

static struct slot *
slot_of(struct conn *c, uint32_t xid)
{
	uint32_t i = xid & 0xffffu;
	struct slot *s = i < (uint32_t)c->nslots ? &c->slots[i] : NULL;

	return s != NULL && s->busy && s->xid == xid ? s : NULL;
}

/* Past verifier and accept status; false when the call was not accepted. */
static bool
accepted(struct xd *x)
{
	if (g32(x) != 0)
		return false;
	g32(x);
	graw(x, g32(x));
	return g32(x) == 0 && !x->bad;
}

/*
 * Go to the data of a READ reply, which need not be there yet.  Leaves V_OK in
 * *out when there is data, as much as was asked for.
 */
static void
read_reply(struct xd *x, uint32_t *len, struct outcome *out)
{
	*out = (struct outcome){ V_RPC, true, 0 };
	if (!accepted(x))
		return;
	if (cf.vers == 4)
		out->err = v4_read_status(x, len);
	else
		out->err = g32(x);
	if (out->err != 0) {
		out->verdict = V_NFS;
		return;
	}
	if (cf.vers == 2) {
		graw(x, 68);
		*len = g32(x);
	} else if (cf.vers == 3) {
		skip_attr3(x);
		g64(x);		/* count, eof */
		*len = g32(x);
	}
	out->verdict = x->bad || *len != cf.size ? V_BAD : V_OK;
}

static void
stream_bytes(struct conn *c, const uint8_t *d, uint32_t n)
{
	if (cf.verify && memcmp(d, pat_at(c->st_off), n) != 0)
		c->st_bad = true;
	c->st_off += n;
}

static void
digest(struct worker *w, struct slot *s, struct xd *x, struct outcome *out)
{
	const struct calls *calls = cf.vers == 4 ? calls4 : calls3;

	*out = (struct outcome){ V_RPC, true, 0 };
	if (!accepted(x))
		return;
	out->verdict = V_OK;
	if (w->j->w == W_NULL)
		return;
	out->err = cf.vers == 4 ? v4_reply(x) : g32(x);
	if (x->bad) {
		*out = (struct outcome){ V_RPC, true, 0 };
	} else if (out->err != 0) {
		out->verdict = V_NFS;
		s->step = 0;
		s->n++;
	} else {
		out->verdict = calls[w->j->w].digest(w, s, x, &out->txn);
		if (out->verdict == V_OK && x->bad)
			out->verdict = V_RPC;
	}
}

/* One whole reply, from its xid on. */
static void
record(struct worker *w, struct conn *c, const uint8_t *b, uint32_t len,
    uint64_t now)
{
	struct xd x = { b, b + len, false };
	struct slot *s = slot_of(c, g32(&x));
	struct outcome out;
	uint32_t n = 0;

	if (s == NULL || g32(&x) != 1 || x.bad) {
		conn_confused(w, c, "reply with an unknown xid");
		return;
	}
	if (w->j->w != W_READ) {
		digest(w, s, &x, &out);
		finished(w, s, out, now);
		return;
	}
	read_reply(&x, &n, &out);
	if (out.verdict == V_OK) {
		c->st_off = s->off;
		c->st_bad = (uint64_t)(x.e - x.p) < n;
		if (!c->st_bad)
			stream_bytes(c, x.p, n);
		if (c->st_bad)
			out.verdict = V_BAD;
		else
			s->bytes = cf.size;
	}
	finished(w, s, out, now);
}

/*
 * Each of these uses up some of the n bytes at b and returns how many; *more
 * becomes false when it needs further ones.
 */

/* READ data, and what follows it in its record. */
static uint32_t
consume_stream(struct worker *w, struct conn *c, const uint8_t *b, uint32_t n,
    uint64_t now, bool *more)
{
	uint32_t data = n < c->st_left ? n : c->st_left, rest;
	struct outcome out = { V_OK, true, 0 };
	struct slot *s = c->st;

	stream_bytes(c, b, data);
	c->st_left -= data;
	rest = n - data < c->st_rest ? n - data : c->st_rest;
	if (c->st_left > 0) {
		*more = false;
		return data;
	}
	c->st_rest -= rest;
	if (c->st_rest > 0) {
		*more = false;
		return data + rest;
	}
	c->st = NULL;
	s->bytes = cf.size;
	if (c->st_bad)
		out.verdict = V_BAD;
	finished(w, s, out, now);
	return data + rest;
}

/* A record in several fragments, put together by copying. */
static uint32_t
consume_fragment(struct worker *w, struct conn *c, const uint8_t *b,
    uint32_t n, uint64_t now, bool *more)
{
	uint32_t mark, pos = 0, k;

	if (c->frag_left == 0) {
		struct xd x = { b, b + n, false };

		if (n < 4) {
			*more = false;
			return 0;
		}
		mark = g32(&x);
		pos = 4;
		c->frag_last = mark >> 31;
		c->frag_left = mark & 0x7fffffffu;
		if (c->frag_left > SIZE_MAX_IO + 4096 - c->frag_len) {
			conn_confused(w, c, "reply too long");
			return pos;
		}
		if (c->frag_len + c->frag_left > c->frag_cap) {
			c->frag_cap = c->frag_len + c->frag_left;
			c->frag = realloc(c->frag, c->frag_cap);
			if (c->frag == NULL)
				die("out of memory");
		}
	}
	k = n - pos < c->frag_left ? n - pos : c->frag_left;
	memcpy(c->frag + c->frag_len, b + pos, k);
	c->frag_len += k;
	c->frag_left -= k;
	if (c->frag_left > 0) {
		*more = false;
	} else if (c->frag_last) {
		c->frag_on = false;
		record(w, c, c->frag, c->frag_len, now);
	}
	return pos + k;
}

/* The head of a READ reply whose data is still on its way. */
static uint32_t
consume_read_head(struct worker *w, struct conn *c, const uint8_t *b,
    uint32_t avail, uint32_t len, bool *more)
{
	struct xd x = { b, b + avail, false };
	struct outcome out;
	uint32_t head, n = 0;
	struct slot *s;

	if (avail < STREAM_PEEK) {
		*more = false;
		return 0;
	}
	s = slot_of(c, g32(&x));
	if (s == NULL || g32(&x) != 1) {
		conn_confused(w, c, "reply with an unknown xid");
		return 0;
	}
	read_reply(&x, &n, &out);
	if (out.verdict != V_OK) {
		if (len > REC_MAX)
			conn_confused(w, c,
			    "READ of another length than asked for");
		*more = false;	/* all of it first */
		return 0;
	}
	head = (uint32_t)(x.p - b);
	if ((uint64_t)head + n > len) {
		conn_confused(w, c, "READ data longer than its record");
		return 0;
	}
	c->st = s;
	c->st_left = n;
	c->st_rest = len - head - n;
	c->st_off = s->off;
	c->st_bad = false;
	return head;
}

/* From a record mark on. */
static uint32_t
consume_record(struct worker *w, struct conn *c, const uint8_t *b, uint32_t n,
    uint64_t now, bool *more)
{
	struct xd x = { b, b + n, false };
	uint32_t mark, len, head;

	if (n < 12) {
		*more = false;
		return 0;
	}
	mark = g32(&x);
	len = mark & 0x7fffffffu;
	if (!(mark & 0x80000000u)) {
		c->frag_on = true;
		c->frag_len = c->frag_left = 0;
		return 0;
	}
	if (w->j->w == W_READ && n - 4 < len) {
		head = consume_read_head(w, c, b + 4, n - 4, len, more);
		return head > 0 ? 4 + head : 0;
	}
	if (len > REC_MAX) {
		conn_confused(w, c, "reply too long");
		return 0;
	}
	if (n - 4 < len) {
		*more = false;
		return 0;
	}
	record(w, c, b + 4, len, now);
	return 4 + len;
}

static uint32_t
consume(struct worker *w, struct conn *c, const uint8_t *b, uint32_t n,
    uint64_t now)
{
	uint32_t pos = 0;
	bool more = true;

	while (more && !c->dead) {
		if (c->st != NULL)
			pos += consume_stream(w, c, b + pos, n - pos, now,
			    &more);
		else if (c->frag_on)
			pos += consume_fragment(w, c, b + pos, n - pos, now,
			    &more);
		else
			pos += consume_record(w, c, b + pos, n - pos, now,
			    &more);
	}
	return pos;
}

/* One receive; then everything in it is handled. */
bool
conn_input(struct worker *w, struct conn *c, int flags)
{
	uint32_t have = c->carry_len, n, used;
	uint64_t now;
	ssize_t r;

	if (have > 0)
		memcpy(w->rbuf, c->carry, have);
	r = recv(c->fd, w->rbuf + have, RBUF_SIZE - have, flags);
	if (r == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (r <= 0) {
		conn_dead(w, c);
		return false;
	}
	now = now_ns();
	if (w->j->limit == 0 && now > w->t_end)
		w->stop = true;
	n = have + (uint32_t)r;
	used = consume(w, c, w->rbuf, n, now);
	c->carry_len = n - used;
	if (c->carry_len > 0) {
		if (c->carry == NULL)
			c->carry = xcalloc(1, RBUF_SIZE);
		memcpy(c->carry, w->rbuf + used, c->carry_len);
	}
	return true;
}
