/* The loop: turns, pools, and what comes from other threads.  See loop.h. */
#include "rpc/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "rpc/conn.h"
#include "rpc/server.h"
#include "rpc/stats.h"

enum { POOL_CALLS = 256, POOL_RBUFS = 64, POOL_CHUNKS = 256 };

/* --------------------------------------------------------------- pools -- */

struct rbuf *
rbuf_new(struct rpc_loop *loop, size_t size)
{
	struct rbuf *b;

	if (size <= RBUF_SIZE && loop->rbufs != NULL) {
		b = loop->rbufs;
		loop->rbufs = b->next;
		loop->nrbufs--;
	} else {
		if (size < RBUF_SIZE)
			size = RBUF_SIZE;
		if ((b = malloc(sizeof *b + size)) == NULL)
			return NULL;
		b->size = size;
	}
	b->refs = 1;
	atomic_fetch_add_explicit(&loop->server->memory, b->size,
	    memory_order_relaxed);
	return b;
}

void
rbuf_put(struct rpc_loop *loop, struct rbuf *b)
{
	if (b == NULL || --b->refs > 0)
		return;
	atomic_fetch_sub_explicit(&loop->server->memory, b->size,
	    memory_order_relaxed);
	if (b->size != RBUF_SIZE || loop->nrbufs == POOL_RBUFS) {
		free(b);
		return;
	}
	b->next = loop->rbufs;
	loop->rbufs = b;
	loop->nrbufs++;
}

void
rpc_bulk_put(struct rpc_loop *loop, struct pinefs_buf *buf)
{
	/* A file system that keeps it counts it from now on. */
	atomic_fetch_sub_explicit(&loop->server->memory, buf->size,
	    memory_order_relaxed);
	pinefs_buf_put(buf);
}

struct rpc_call *
rpc_call_new(struct rpc_loop *loop)
{
	struct rpc_call *call = loop->calls;
	size_t room = CALL_MEMORY - sizeof *call;

	if (call != NULL) {
		loop->calls = call->next;
		loop->ncalls--;
	} else if ((call = aligned_alloc(64, CALL_MEMORY)) == NULL) {
		return NULL;
	}
	memset(call, 0, offsetof(struct rpc_call, udp_peer));
	call->loop = loop;
	xdr_arena_init(&call->arena, call->memory, room,
	    CALL_BUDGET + loop->server->config.max_payload);
	atomic_fetch_add_explicit(&loop->in_flight, 1, memory_order_relaxed);
	return call;
}

void
rpc_call_free(struct rpc_call *call)
{
	struct rpc_loop *loop = call->loop;

	if (call->state_fini != NULL)
		call->state_fini(call->state);
	if (call->bulk != NULL)
		rpc_bulk_put(loop, call->bulk);
	rbuf_put(loop, call->record);
	xdr_arena_reset(&call->arena);
	atomic_fetch_sub_explicit(&loop->in_flight, 1, memory_order_relaxed);
	if (loop->ncalls == POOL_CALLS) {
		free(call);
		return;
	}
	call->next = loop->calls;
	loop->calls = call;
	loop->ncalls++;
}

static void
pools_fini(struct rpc_loop *loop)
{
	struct rpc_call *call;
	struct rbuf *b;

	while ((call = loop->calls) != NULL) {
		loop->calls = call->next;
		free(call);
	}
	while ((b = loop->rbufs) != NULL) {
		loop->rbufs = b->next;
		free(b);
	}
	chain_pool_fini(&loop->chunks);
}

/* ------------------------------------------------- from other threads -- */

void
loop_kick(struct rpc_loop *loop)
{
	uint64_t one = 1;

	if (write(loop->wake.fd, &one, sizeof one) == -1) {
		/* The counter is full: it is awake anyway. */
	}
}

void
loop_call_ready(struct rpc_loop *loop, struct rpc_call *call)
{
	struct rpc_call *top = atomic_load(&loop->woken);

	do
		call->next = top;
	while (!atomic_compare_exchange_weak(&loop->woken, &top, call));
	if (top == NULL)	/* else somebody has woken it already */
		loop_kick(loop);
}

void
loop_post(struct rpc_loop *loop, struct loop_task *task)
{
	struct loop_task *top = atomic_load(&loop->inbox);

	do
		task->next = top;
	while (!atomic_compare_exchange_weak(&loop->inbox, &top, task));
	if (top == NULL)
		loop_kick(loop);
}

/* Both lists are stacks: turn them over, first come, first served. */
static void
take_woken(struct rpc_loop *loop)
{
	struct rpc_call *call, *next, *first = NULL;

	for (call = atomic_exchange(&loop->woken, NULL); call != NULL;
	    call = next) {
		next = call->next;
		call->next = first;
		first = call;
	}
	for (call = first; call != NULL; call = next) {
		next = call->next;
		rpc_call_continue(call);
	}
}

static void
take_inbox(struct rpc_loop *loop)
{
	struct loop_task *t, *next, *first = NULL;

	for (t = atomic_exchange(&loop->inbox, NULL); t != NULL; t = next) {
		next = t->next;
		t->next = first;
		first = t;
	}
	for (t = first; t != NULL; t = next) {
		next = t->next;
		t->fn(t, loop);
	}
}

static void
wake_ready(struct rpc_source *s, struct rpc_loop *loop, unsigned events)
{
	uint64_t n;

	(void)loop, (void)events;
	if (read(s->fd, &n, sizeof n) == -1) {
		/* EAGAIN: nothing was there. */
	}
}

/* -------------------------------------------------------------- batches -- */

void
loop_offload(struct rpc_loop *loop, struct rpc_call *call)
{
	struct loop_batch *b = loop->batch;

	while (b < loop->batch + loop->nbatches &&
	    b->executor != call->executor)
		b++;
	if (b == loop->batch + LOOP_MAX_EXECUTORS) {
		/* More executors than slots: this one goes by itself. */
		call->next = NULL;
		executor_submit(call->executor, call, &call->next);
		return;
	}
	if (b == loop->batch + loop->nbatches) {
		loop->nbatches++;
		*b = (struct loop_batch){ .executor = call->executor };
		b->last = &b->first;
	}
	call->next = NULL;
	*b->last = call;
	b->last = &call->next;
}

static void
submit_batches(struct rpc_loop *loop)
{
	unsigned i;

	for (i = 0; i < loop->nbatches; i++)
		executor_submit(loop->batch[i].executor, loop->batch[i].first,
		    loop->batch[i].last);
	loop->nbatches = 0;
}

/* ---------------------------------------------------------------- turns -- */

/* Connections that still have whole records in memory. */
static void
run_again(struct rpc_loop *loop)
{
	struct rpc_conn *c, *list = loop->again;

	loop->again = NULL;
	if (stats_watched(loop))
		stats_batch(loop);
	while ((c = list) != NULL) {
		list = c->again_next;
		c->is_again = false;
		if (!c->closed)
			conn_input(c);
		conn_put(c);
	}
}

static void
send_dirty(struct rpc_loop *loop)
{
	struct rpc_conn *c, *list = loop->dirty;

	loop->dirty = NULL;
	while ((c = list) != NULL) {
		list = c->dirty_next;
		c->is_dirty = false;
		if (!c->closed)
			conn_output(c);
		conn_put(c);
	}
}

static void
free_dead(struct rpc_loop *loop)
{
	struct rpc_conn *c;

	while ((c = loop->dead) != NULL) {
		loop->dead = c->next;
		free(c);
	}
}

static int
shorter(int a, int b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

void
loop_turn(struct rpc_loop *loop, int timeout_ms)
{
	if (loop->again != NULL)
		timeout_ms = 0;
	else
		timeout_ms = shorter(timeout_ms,
		    wheel_wait(&loop->wheel, loop->now_ms));
	poller_wait(loop, timeout_ms);
	loop->now_ms = clock_boot_ms();
	take_inbox(loop);
	take_woken(loop);
	if (loop->again != NULL)
		run_again(loop);
	wheel_run(&loop->wheel, loop->now_ms);
	if (loop->nbatches > 0)
		submit_batches(loop);
	if (loop->dirty != NULL)
		send_dirty(loop);
	free_dead(loop);
}

/* Our threads take no signals: those are the host program's. */
static void *
loop_thread(void *arg)
{
	struct rpc_loop *loop = arg;

	while (!atomic_load_explicit(&loop->stop, memory_order_relaxed))
		loop_turn(loop, -1);
	return NULL;
}

int
loop_start(struct rpc_loop *loop)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&loop->thread, NULL, loop_thread, loop);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	loop->has_thread = err == 0;
	return err;
}

int
loop_init(struct rpc_loop *loop, struct rpc_server *server)
{
	*loop = (struct rpc_loop){ .server = server, .poll_fd = -1 };
	loop->wake = (struct rpc_source){ .fd = -1, .ready = wake_ready };
	loop->chunks.max = POOL_CHUNKS;
	loop->now_ms = clock_boot_ms();
	wheel_init(&loop->wheel, loop->now_ms);
	fds_begin();
	if ((loop->poll_fd = fds_end(&server->fds, poller_new())) == -1)
		return errno;
	fds_begin();
	loop->wake.fd = fds_end(&server->fds,
	    eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (loop->wake.fd == -1)
		return errno;
	if (stats_loop_open(loop) != 0)
		return ENOMEM;
	return poller_add(loop, &loop->wake, LOOP_IN);
}

void
loop_fini(struct rpc_loop *loop)
{
	free_dead(loop);
	pools_fini(loop);
	stats_loop_close(loop);
	if (loop->wake.fd != -1)
		fds_close(&loop->server->fds, loop->wake.fd);
	if (loop->poll_fd != -1)
		fds_close(&loop->server->fds, loop->poll_fd);
}
