/*
 * The closed loop: a fixed number of connections, each with a fixed number of
 * calls in flight; when a reply comes, the next call goes out.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "nfsbench.h"

/* The words after the xid, up to the verifier, as all calls have them. */
static uint8_t template[256];
static size_t template_len;

void
call_template_init(void)
{
	uint8_t head[sizeof template];
	uint8_t *end = call_head(head, 0, PROG_NFS, (uint32_t)cf.vers, 0,
	    cf.w != W_NULL);

	template_len = (size_t)(end - head) - 8;
	memcpy(template, head + 8, template_len);
}

/* Begin a call in a slot: where its arguments go. */
uint8_t *
start(struct slot *s, uint32_t proc)
{
	uint8_t *p = s->hdr + 8;

	memcpy(p, template, template_len);
	p32(p + 16, proc);	/* after mtype rpcvers prog vers */
	s->pay = NULL;
	s->paylen = 0;
	return p + template_len;
}

/* Where the next READ or WRITE goes, in a file of `span` bytes. */
uint64_t
next_offset(struct worker *w, struct slot *s, uint64_t span)
{
	uint64_t blocks = span / cf.size ? span / cf.size : 1, off;
	struct conn *c = s->c;

	if (cf.random)
		return rng_next(&w->rng) % blocks * cf.size;
	off = c->next_off;
	c->next_off += cf.size;
	if (c->next_off >= blocks * cf.size)
		c->next_off = 0;
	return off;
}

/* Make the slot's next call; false when there is nothing left to do. */
static bool
build(struct worker *w, struct slot *s)
{
	const struct calls *calls = cf.vers == 4 ? calls4 : calls3;
	struct job *j = w->j;
	uint64_t mine;
	uint8_t *end;

	if (j->limit != 0 && s->step == 0) {
		mine = w->issued++ * (uint64_t)w->nthreads + (uint64_t)w->id;
		if (mine >= j->limit)
			return false;
		s->n = mine;
	}
	if (s->step == 0)
		s->t_txn = 0;
	if (calls[j->w].build == NULL)
		die("workload not available");
	end = calls[j->w].build(w, s);
	s->hlen = (uint32_t)(end - s->hdr);
	if (s->hlen > HDR_MAX)
		die("call too long");
	s->xid += 0x10000;
	p32(s->hdr, 0x80000000u | (s->hlen - 4 + s->paylen));
	p32(s->hdr + 4, s->xid);
	return true;
}

void
issue(struct worker *w, struct slot *s, uint64_t now)
{
	struct conn *c = s->c;

	if (c->dead || w->stop || !build(w, s))
		return;
	s->t0 = now;
	if (s->t_txn == 0)
		s->t_txn = now;
	s->busy = true;
	c->inflight++;
	c->outq[(c->oq_head + c->oq_len) % c->nslots] = s;
	c->oq_len++;
}

static void
count_failure(struct stats *st, struct slot *s, struct outcome out)
{
	if (out.verdict == V_NFS)
		st->nfs_err++;
	else if (out.verdict == V_RPC)
		st->rpc_err++;
	else
		st->bad_data++;
	if (st->first_err == 0)
		st->first_err = out.err ? out.err : 1;
	if (out.verdict != V_NFS)
		s->step = 0;
}

static void
count_success(struct stats *st, struct slot *s, bool txn, uint64_t now)
{
	st->ops++;
	st->bytes += s->bytes;
	st->entries += s->entries;
	hist_add(&st->rpc, now - s->t0);
	if (txn) {
		st->txns++;
		hist_add(&st->txn, now - s->t_txn);
	}
	if (st->t_first == 0)
		st->t_first = now;
	st->t_last = now;
}

/* Of a counted job: note when each tenth was done. */
static void
mark_tenth(struct worker *w, uint64_t now)
{
	uint64_t tenth = w->j->limit / (uint64_t)w->nthreads / 10;

	w->txn_ctr++;
	if (tenth > 0 && w->txn_ctr % tenth == 0 && w->txn_ctr / tenth <= 10)
		w->s.mark[w->txn_ctr / tenth] = now;
}

/* connscale: the next call goes to the next idle connection. */
static void
issue_elsewhere(struct worker *w, uint64_t now)
{
	for (int i = 0; i < w->nconns; i++) {
		struct conn *c = &w->conns[w->rr];

		w->rr = (w->rr + 1) % w->nconns;
		if (c->inflight == 0 && !c->dead) {
			issue(w, &c->slots[0], now);
			conn_flush(w, c);
			return;
		}
	}
}

/* A call has its reply: count it, and make the next. */
void
finished(struct worker *w, struct slot *s, struct outcome out, uint64_t now)
{
	s->busy = false;
	s->c->inflight--;
	if (out.verdict != V_OK)
		count_failure(&w->s, s, out);
	else if (w->j->limit != 0 || (now >= w->t_warm && now <= w->t_end))
		count_success(&w->s, s, out.txn, now);
	if (out.txn && w->j->limit != 0)
		mark_tenth(w, now);
	if (out.txn)
		s->t_txn = 0;
	s->bytes = s->entries = 0;
	if (w->j->w == W_CONNSCALE)
		issue_elsewhere(w, now);
	else
		issue(w, s, now);
}

static uint64_t
replies(const struct worker *w)
{
	return w->s.ops + failures(&w->s);
}

/* One connection needs no epoll: block in recv. */
static void
loop_one(struct worker *w)
{
	struct timeval tv = { 5, 0 };
	struct conn *c = &w->conns[0];
	uint64_t before, t;

	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	while (!c->dead && (c->inflight > 0 || c->oq_len > 0)) {
		if (!conn_flush(w, c)) {
			struct pollfd pf = { c->fd, POLLIN | POLLOUT, 0 };

			poll(&pf, 1, 5000);
			if (pf.revents == 0)
				conn_dead(w, c);
			if (!(pf.revents & POLLIN))
				continue;
		}
		before = replies(w);
		t = now_ns();
		conn_input(w, c, 0);
		if (before == replies(w) && now_ns() - t > STALL_NS / 10 * 9) {
			fprintf(stderr, "nfsbench: no reply for 5 s\n");
			conn_dead(w, c);
		}
	}
}

static void
set_events(struct worker *w, struct conn *c, bool out)
{
	struct epoll_event ev = { EPOLLIN | (out ? EPOLLOUT : 0),
		{ .ptr = c } };

	if (c->want_out == out)
		return;
	epoll_ctl(w->ep, EPOLL_CTL_MOD, c->fd, &ev);
	c->want_out = out;
}

static int
total_inflight(const struct worker *w)
{
	int n = 0;

	for (int i = 0; i < w->nconns; i++)
		n += w->conns[i].inflight;
	return n;
}

static void
stalled(struct worker *w)
{
	fprintf(stderr, "nfsbench: no reply for 5 s\n");
	for (int i = 0; i < w->nconns; i++)
		if (w->conns[i].inflight > 0)
			conn_dead(w, &w->conns[i]);
}

static void
handle_event(struct worker *w, const struct epoll_event *ev)
{
	struct conn *c = ev->data.ptr;

	if (ev->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		conn_input(w, c, MSG_DONTWAIT);
	if (c->dead)
		epoll_ctl(w->ep, EPOLL_CTL_DEL, c->fd, NULL);
	else
		set_events(w, c, !conn_flush(w, c));
}

static void
loop_many(struct worker *w)
{
	struct epoll_event ev[256];
	uint64_t last, drain = 0;
	int n;

	w->ep = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < w->nconns; i++) {
		struct conn *c = &w->conns[i];

		ev[0] = (struct epoll_event){ EPOLLIN, { .ptr = c } };
		epoll_ctl(w->ep, EPOLL_CTL_ADD, c->fd, &ev[0]);
		set_events(w, c, !conn_flush(w, c));
	}
	last = now_ns();
	while (total_inflight(w) > 0) {
		n = epoll_wait(w->ep, ev, 256, 1000);
		if (n <= 0) {
			if (now_ns() - last > STALL_NS)
				stalled(w);
			if (w->j->limit == 0 && now_ns() > w->t_end)
				w->stop = true;
			continue;
		}
		for (int i = 0; i < n; i++)
			handle_event(w, &ev[i]);
		last = now_ns();
		if (w->stop && drain == 0)
			drain = last;
		if (drain != 0 && last - drain > 2 * STALL_NS)
			break;
	}
	close(w->ep);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct job *j = w->j;
	uint64_t now = now_ns();
	int busy = w->nconns;

	w->t_warm = now + (uint64_t)(j->warm * 1e9);
	w->t_end = w->t_warm + (uint64_t)(j->secs * 1e9);
	if (j->limit != 0) {
		w->t_warm = 0;
		w->t_end = UINT64_MAX;
	}
	w->s.mark[0] = now;

	if (j->w == W_CONNSCALE && busy > j->depth)
		busy = j->depth;
	w->rr = busy % w->nconns;
	for (int i = 0; i < busy; i++)
		for (int k = 0; k < w->conns[i].nslots; k++)
			issue(w, &w->conns[i].slots[k], now);
	if (w->nconns == 1)
		loop_one(w);
	else
		loop_many(w);
	return NULL;
}

/* Give a connection the file it reads or writes. */
static void
conn_file(struct job *j, struct conn *c, const struct conn *keep)
{
	uint64_t blocks = cf.file_size / cf.size;
	char name[32];
	struct fh f;

	if (keep != NULL && j->w == W_WRITE && !j->fill) {
		c->file = keep[c->id].file;
		c->written = keep[c->id].written;
		snprintf(name, sizeof name, "w%d", c->id);
		if (cf.vers == 4)
			v4_conn_open(c, &work_dir, name, &f, c->stateid);
	} else if (cf.vers == 4 && (j->w == W_READ || j->fill)) {
		v4_conn_open(c, &work_dir, "data", &f, c->stateid);
	}
	if (j->w == W_READ && !cf.random)	/* each begins elsewhere */
		c->next_off = (uint64_t)c->id * blocks /
		    (uint64_t)j->conns * cf.size;
}

static void
worker_init(struct worker *w, struct job *j, int id, int nthreads, int *conn,
    const struct conn *keep)
{
	w->j = j;
	w->id = id;
	w->nthreads = nthreads;
	w->nconns = j->conns / nthreads + (id < j->conns % nthreads);
	w->conns = xcalloc((size_t)w->nconns, sizeof *w->conns);
	w->rbuf = xcalloc(1, RBUF_SIZE);
	w->rng = cf.seed + (uint64_t)id * 7919 + (uint64_t)j->w;
	if (j->w == W_READDIR && cf.verify && j->conns == 1 && j->depth == 1)
		w->bitmap = xcalloc(1, j->entries / 8 + 1);
	for (int i = 0; i < w->nconns; i++) {
		conn_init(&w->conns[i], (*conn)++,
		    j->w == W_CONNSCALE ? 1 : j->depth);
		conn_file(j, &w->conns[i], keep);
	}
}

static void
worker_fini(struct worker *w)
{
	for (int i = 0; i < w->nconns; i++)
		conn_fini(&w->conns[i]);
	free(w->conns);
	free(w->rbuf);
	free(w->bitmap);
}

void
run_job(struct job *j, int threads, struct stats *out, struct conn *keep)
{
	struct worker *ws;
	int conn = 0;

	if (cf.vers != 4 && setup.fd != -1) {
		/* Some servers take one connection at a time. */
		close(setup.fd);
		setup.fd = -1;
	}
	if (threads > j->conns)
		threads = j->conns;
	ws = xcalloc((size_t)threads, sizeof *ws);
	for (int t = 0; t < threads; t++)
		worker_init(&ws[t], j, t, threads, &conn, keep);
	for (int t = 1; t < threads; t++)
		if (pthread_create(&ws[t].th, NULL, worker_main, &ws[t]) != 0)
			die("cannot start a thread");
	worker_main(&ws[0]);
	memset(out, 0, sizeof *out);
	memcpy(out->mark, ws[0].s.mark, sizeof out->mark);
	for (int t = 0; t < threads; t++) {
		if (t > 0)
			pthread_join(ws[t].th, NULL);
		stats_merge(out, &ws[t].s);
		worker_fini(&ws[t]);
	}
	free(ws);
}

/* A job of preparation: it must succeed. */
void
counted(struct job j, struct stats *st)
{
	j.conns = 1;
	j.fill = j.w == W_WRITE;
	run_job(&j, 1, st, NULL);
	if (failures(st) > 0)
		die("preparation failed: %llu errors, first status %u",
		    (unsigned long long)failures(st), st->first_err);
}
