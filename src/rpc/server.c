/* A server: its programs, loops, listeners; start and stop. */
#include "rpc/addrs.h"
#include "rpc/server.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/conn.h"
#include "rpc/stats.h"

enum { MAX_LOOPS = 64, DRC_BYTES = 64 << 20, DRC_PER_ORIGIN = 96 << 10,
    RESERVED_FDS = 32 };

int
rpc_server_new(struct rpc_server **sp, const struct rpc_server_config *config)
{
	struct rpc_server *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	s->config = *config;
	s->max_record = config->max_payload + SERVER_HEAD_ROOM;
	s->drc = drc_new(DRC_BYTES, DRC_PER_ORIGIN);
	s->groups = groups_new();
	s->addrs = addrs_new();
	if (s->drc == NULL || s->groups == NULL || s->addrs == NULL) {
		rpc_server_free(s);
		return ENOMEM;
	}
	*sp = s;
	return 0;
}

/* One warning a program for procedures that nobody handles. */
static void
warn_missing(const struct rpc_program *p)
{
	char list[512] = "";
	size_t n = 0;
	uint32_t i;

	for (i = 1; i < p->service->nprocs; i++) {
		if (p->service->procs[i].name == NULL ||
		    rpc_procedure_has(p, &p->service->procs[i]))
			continue;
		n += (size_t)snprintf(list + n, sizeof list - n, " %s",
		    p->service->procs[i].name);
		if (n >= sizeof list)
			break;
	}
	if (n > 0)
		log_debug("%s: not implemented:%s", p->service->name, list);
}

int
rpc_server_add(struct rpc_server *s, const struct rpc_program *p)
{
	if (s->nprograms == SERVER_MAX_PROGRAMS)
		return ENOSPC;
	warn_missing(p);
	s->program[s->nprograms++] = p;
	return 0;
}

uint16_t
rpc_server_port(const struct rpc_server *s)
{
	return s->port;
}

uint16_t
rpc_server_second_port(const struct rpc_server *s)
{
	return s->second_port;
}

/* --------------------------------------------------------------- limits -- */

/* 90 % of the descriptors that we may have (raised as far as allowed). */
static unsigned
max_conns(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return 900;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
		getrlimit(RLIMIT_NOFILE, &r);
	}
	if (r.rlim_cur > 1000000)
		r.rlim_cur = 1000000;
	return r.rlim_cur <= RESERVED_FDS ? 1 :
	    (unsigned)((r.rlim_cur - RESERVED_FDS) / 10 * 9);
}

/* One loop per core that this process may use. */
static unsigned
cores(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof set, &set) == -1 ||
	    (n = CPU_COUNT(&set)) < 1)
		return 1;
	return n > MAX_LOOPS ? MAX_LOOPS : (unsigned)n;
}

/* -------------------------------------------------------- start and stop -- */

static int
loops_open(struct rpc_server *s, unsigned n)
{
	int err;

	if (s->loops != NULL)
		return EALREADY;
	if (stats_open(s) != 0)
		return ENOMEM;
	if ((s->loops = calloc(n, sizeof *s->loops)) == NULL)
		return ENOMEM;
	while (s->nloops < n) {
		err = loop_init(&s->loops[s->nloops++], s);
		if (err != 0)
			return err;
	}
	return 0;
}

static int
open_all(struct rpc_server *s, unsigned nloops)
{
	int err;

	s->max_conns = max_conns();
	if ((err = loops_open(s, nloops)) != 0 ||
	    (err = rpc_executor_new(&s->slow, 1, NULL, NULL, NULL)) != 0) {
		log_error("cannot start: %s", strerror(err));
		return err;
	}
	if ((err = listeners_open(s)) != 0)
		return err;
	if (!s->config.tcp_only && (err = udp_open(s)) != 0)
		log_warning("no UDP on port %u: %s", s->port, strerror(err));
	atomic_store(&s->started, true);
	return 0;
}

int
rpc_server_start(struct rpc_server *s)
{
	unsigned i;
	int err;

	err = open_all(s, s->config.loops == 0 ? cores() : s->config.loops);
	if (err != 0)
		return err;
	for (i = 0; i < s->nloops; i++) {
		if ((err = loop_start(&s->loops[i])) != 0) {
			log_error("cannot start a thread: %s", strerror(err));
			rpc_server_stop(s, 0);
			return err;
		}
	}
	return 0;
}

int
rpc_server_poll_fd(struct rpc_server *s)
{
	if (!atomic_load(&s->started) && open_all(s, 1) != 0)
		return -1;
	return s->loops[0].poll_fd;
}

int
rpc_server_poll(struct rpc_server *s, int timeout_ms)
{
	if (s->nloops == 0)
		return EINVAL;
	loop_turn(&s->loops[0], timeout_ms);
	return 0;
}

static bool
is_quiet(const struct rpc_server *s)
{
	unsigned i;

	for (i = 0; i < s->nloops; i++)
		if (atomic_load(&s->loops[i].in_flight) > 0)
			return false;
	return true;
}

/* On loop 0: nobody new comes in. */
static void
stop_listening(struct loop_task *task, struct rpc_loop *loop)
{
	(void)task;
	listeners_close(loop->server);
}

/* On each loop: no more calls are read. */
static void
stop_reading(struct loop_task *task, struct rpc_loop *loop)
{
	struct rpc_conn *c;

	(void)task;
	udp_pause(loop);
	for (c = loop->conns; c != NULL; c = c->next) {
		c->input_off = true;
		poller_set(loop, &c->source, c->waits_out ? LOOP_OUT : 0);
	}
}

static bool
all_sent(const struct rpc_server *s)
{
	unsigned i;

	for (i = 0; i < s->nloops; i++)
		if (atomic_load(&s->loops[i].unsent) > 0)
			return false;
	return true;
}

/* Until calls are answered, and their replies have left. */
static void
drain(struct rpc_server *s, uint64_t until)
{
	struct timespec ms = { 0, 1000000 };

	while (!(is_quiet(s) && all_sent(s)) && clock_boot_ms() < until) {
		if (!s->loops[0].has_thread)
			loop_turn(&s->loops[0], 1);
		else
			nanosleep(&ms, NULL);
	}
}

/*
 * The threads are gone: take what was posted, a connection or a timer, and
 * send what was answered in the very moment in which they were stopped.
 */
static void
send_rest(struct rpc_server *s, uint64_t until)
{
	unsigned i;

	do
		for (i = 0; i < s->nloops; i++)
			loop_turn(&s->loops[i], all_sent(s) ? 0 : 1);
	while (!all_sent(s) && clock_boot_ms() < until);
}

static void
stop_threads(struct rpc_server *s)
{
	unsigned i;

	for (i = 0; i < s->nloops; i++) {
		atomic_store(&s->loops[i].stop, true);
		loop_kick(&s->loops[i]);
	}
	for (i = 0; i < s->nloops; i++)
		if (s->loops[i].has_thread)
			pthread_join(s->loops[i].thread, NULL);
}

/*
 * The threads are gone: what is left is ours.  Calls that wait are ended by
 * their file systems' executors, which the caller stops before this one.
 */
static void
close_connections(struct rpc_server *s)
{
	struct timespec ms = { 0, 1000000 };
	uint64_t until = clock_boot_ms() + 2000;
	unsigned i;

	for (i = 0; i < s->nloops; i++)
		while (s->loops[i].conns != NULL)
			conn_close(s->loops[i].conns);
	while (!is_quiet(s) && clock_boot_ms() < until) {
		for (i = 0; i < s->nloops; i++)
			loop_turn(&s->loops[i], 0);
		nanosleep(&ms, NULL);
	}
}

int
rpc_server_stop(struct rpc_server *s, int drain_ms)
{
	struct loop_task listen = { .fn = stop_listening };
	struct loop_task read[MAX_LOOPS];
	uint64_t until = clock_boot_ms() + (uint64_t)drain_ms;
	unsigned i;

	if (!atomic_load(&s->started))
		return 0;
	atomic_store(&s->stopping, true);
	loop_post(&s->loops[0], &listen);
	for (i = 0; i < s->nloops; i++) {
		read[i] = (struct loop_task){ .fn = stop_reading };
		loop_post(&s->loops[i], &read[i]);
	}
	drain(s, until);
	stop_threads(s);
	send_rest(s, until);
	close_connections(s);
	atomic_store(&s->started, false);
	if (!is_quiet(s))
		return EBUSY;
	udp_close(s);
	return 0;
}

static void	drop_timers(struct rpc_loop *);

void
rpc_server_free(struct rpc_server *s)
{
	unsigned i;

	if (s == NULL)
		return;
	for (i = 0; i < s->nlisteners; i++)
		if (s->listener[i].source.fd != -1)
			fds_close(&s->fds, s->listener[i].source.fd);
	udp_close(s);
	rpc_executor_free(s->slow);
	for (i = 0; i < s->nloops; i++) {
		drop_timers(&s->loops[i]);
		loop_fini(&s->loops[i]);
	}
	free(s->loops);
	stats_close(s);
	drc_free(s->drc);
	groups_free(s->groups);
	addrs_free(s->addrs);
	fds_fini(&s->fds);
	free(s);
}

void
rpc_server_fork_child(struct rpc_server *s)
{
	fds_fork_child(&s->fds);
}

/* ---------------------------------------------------------------- timers -- */

struct timer_task {
	struct loop_task	task;
	struct wheel_timer	timer;
	struct rpc_loop		*loop;
	unsigned		ms;
	void			(*fn)(void *);
	void			*arg;
};

static void
timer_fires(struct wheel_timer *t)
{
	struct timer_task *task = (struct timer_task *)(void *)((char *)t -
	    offsetof(struct timer_task, timer));

	task->fn(task->arg);
	free(task);
}

static void
timer_arrives(struct loop_task *t, struct rpc_loop *loop)
{
	struct timer_task *task = (struct timer_task *)t;

	task->timer.fn = timer_fires;
	wheel_arm(&loop->wheel, &task->timer, loop->now_ms + task->ms);
}

/* Those that are not due any more; the loop has stopped. */
static void
drop_timers(struct rpc_loop *loop)
{
	struct loop_task *task = atomic_exchange(&loop->inbox, NULL), *rest;
	struct wheel_timer *t, *next;
	unsigned i;

	/* Set in the last turn, by one that fired. */
	for (; task != NULL; task = rest) {
		rest = task->next;
		if (task->fn == timer_arrives)
			free(task);
	}
	for (i = 0; i < WHEEL_LEVELS * WHEEL_SLOTS; i++) {
		t = loop->wheel.slot[i / WHEEL_SLOTS][i % WHEEL_SLOTS];
		for (; t != NULL; t = next) {
			next = t->next;
			if (t->fn != timer_fires)
				continue;
			wheel_disarm(&loop->wheel, t);
			free((char *)t - offsetof(struct timer_task, timer));
		}
	}
}

int
rpc_server_after(struct rpc_server *s, unsigned ms, void (*fn)(void *),
    void *arg)
{
	struct timer_task *task;

	if (s->nloops == 0)
		return EINVAL;
	if ((task = calloc(1, sizeof *task)) == NULL)
		return ENOMEM;
	*task = (struct timer_task){ .task.fn = timer_arrives, .ms = ms,
	    .fn = fn, .arg = arg };
	loop_post(&s->loops[0], &task->task);
	return 0;
}
