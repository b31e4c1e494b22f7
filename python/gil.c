/* SPDX-License-Identifier: MIT */
/*
 * The interpreter lock: nowhere else is it taken.
 *
 * The broker is the one thread of pyfs's executor.  Calls arrive in batches;
 * gil_take and gil_drop are around each.  Its thread state is kept, so that
 * beside an idle program this costs a fraction of a microsecond.
 *
 * Beside a busy program a plain acquire waits 5 ms, Python's switch interval.
 * Three ways around it:
 *
 *	handoff	 a pending call asks the main thread, at its next bytecode, to
 *		 step aside until the broker has the lock: 10 us.  3.8, and
 *		 from 3.13; in between pending calls of other threads are
 *		 noticed at the switch interval only (python/cpython#95820)
 *	burst	 the switch interval is 0.1 ms while requests keep coming, and
 *		 is restored 100 ms after the last
 *	signal	 where handoff comes late: the same, and a signal to the main
 *		 thread, whose handler does nothing: 15 us.  The program must
 *		 bear interrupted system calls, so only if it asks for it
 *
 * The collector is off while the broker has the lock: it would run code of
 * the user, finalizers, in the middle of a look-up.
 *
 * One thing of the user's a look-up does call: __eq__ of a key that has the
 * hash of the name.  If that goes on for too long it is interrupted, like a
 * job of a worker.
 */
#include "pyfs.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define BURST_INTERVAL	1e-4		/* s */
#define LONG_WAIT	1000000		/* ns: the program is busy */
#define BURST_IDLE	100000000	/* ns */
#define ASIDE_MAX	20000000	/* ns */
#define SHORT_WAIT	200000		/* ns: the lock was free, almost */
#define PAUSE		50000		/* ns: enough for others to take it */

struct gil {
	PyThreadState	*ts;
	bool		 polite, handoff;
	int		 signal;
	pthread_t	 main;		/* who gets it */
	bool		 busy;		/* it seemed to be needed last time */
	int64_t		 since;		/* the lock is held */
	struct gil_count count;
	bool		 collected;	/* the collector was on */
	bool		 inside;	/* a batch is under way */
	/* The time box: */
	struct gil	*next;
	int64_t		 box;		/* ns */
	unsigned long	 ident;		/* Python's name for the thread */
	_Atomic int64_t	 at;		/* the hold began, 0: none */
	bool		 interrupted;
};

int64_t
pyfs_clock(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* --------------------------------------------------------------- handoff -- */

/* One for all brokers of the process: pending calls may come late. */
static struct {
	pthread_mutex_t	lock;
	pthread_cond_t	served_one;
	unsigned	waiting;	/* brokers that want the lock */
	unsigned long	served;
	unsigned long	aside;		/* times that somebody stepped */
	bool		queued;		/* a pending call is on its way */
	bool		over;		/* no more of them */
} hand = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0,
    false, false };

/*
 * In the main thread, with the lock: step aside until a broker has had it.
 * Nothing of the user's runs in here.
 */
static int
step_aside(void *arg)
{
	struct timespec until;
	unsigned long served;
	PyThreadState *ts;
	bool wanted;

	(void)arg;
	pthread_mutex_lock(&hand.lock);
	hand.queued = false;
	wanted = hand.waiting > 0;
	served = hand.served;
	hand.aside += wanted;
	pthread_mutex_unlock(&hand.lock);
	if (!wanted)
		return 0;	/* late: it got the lock by itself */

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ASIDE_MAX;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	ts = PyEval_SaveThread();
	pthread_mutex_lock(&hand.lock);
	while (hand.waiting > 0 && hand.served == served)
		if (pthread_cond_timedwait(&hand.served_one, &hand.lock,
		    &until) != 0)
			break;
	pthread_mutex_unlock(&hand.lock);
	PyEval_RestoreThread(ts);
	return 0;
}

static void
ask_for_it(struct gil *g, unsigned long *aside)
{
	pthread_mutex_lock(&hand.lock);
	hand.waiting++;
	*aside = hand.aside;
	/* With our lock: gil_hand_over_no_more is not to come in between. */
	if (!hand.queued && !hand.over)
		hand.queued = Py_AddPendingCall(step_aside, NULL) == 0;
	pthread_mutex_unlock(&hand.lock);
	if (g->signal != 0 && g->busy)
		(void)pthread_kill(g->main, g->signal);
}

void
gil_hand_over_no_more(void)
{
	pthread_mutex_lock(&hand.lock);
	hand.over = true;
	pthread_mutex_unlock(&hand.lock);
}

static void
got_it(struct gil *g, unsigned long aside, int64_t waited)
{
	pthread_mutex_lock(&hand.lock);
	hand.waiting--;
	hand.served++;
	g->busy = hand.aside != aside || waited > SHORT_WAIT;
	pthread_cond_broadcast(&hand.served_one);
	pthread_mutex_unlock(&hand.lock);
}

/* ----------------------------------------------------------------- burst -- */

/* With the lock. */
static struct {
	bool	on;
	double	before;		/* the program's own interval */
	int64_t	last;		/* request */
} burst;

static double
switch_interval(void)
{
	PyObject *f = PySys_GetObject("getswitchinterval"), *v = NULL;
	double s = 0;

	if (f != NULL)
		v = PyObject_CallFunctionObjArgs(f, NULL);
	if (v != NULL)
		s = PyFloat_AsDouble(v);
	Py_XDECREF(v);
	PyErr_Clear();
	return s;
}

static void
set_switch_interval(double s)
{
	PyObject *f = PySys_GetObject("setswitchinterval"), *v = NULL;

	if (f != NULL)
		v = PyObject_CallFunction(f, "d", s);
	Py_XDECREF(v);
	PyErr_Clear();
}

static bool
is_ours(double s)
{
	return s > BURST_INTERVAL / 2 && s < BURST_INTERVAL * 2;
}

static void
burst_begin(void)
{
	double now;

	if (burst.on)
		return;
	now = switch_interval();
	if (now <= BURST_INTERVAL * 2)
		return;		/* fast enough already */
	burst.before = now;
	burst.on = true;
	set_switch_interval(BURST_INTERVAL);
	worker_idle_at(pyfs_clock() + BURST_IDLE);
}

void
gil_restore(void)
{
	if (!burst.on)
		return;
	burst.on = false;
	/* Somebody else changed it meanwhile: then it is theirs. */
	if (is_ours(switch_interval()))
		set_switch_interval(burst.before);
}

void
gil_idle(void)
{
	int64_t now = pyfs_clock();

	if (!burst.on)
		return;
	if (now - burst.last >= BURST_IDLE)
		gil_restore();
	else
		worker_idle_at(burst.last + BURST_IDLE);
}

/* ------------------------------------------------------------- collector -- */

static PyObject *
call_gc(const char *name)
{
	PyObject *gc = PyImport_ImportModule("gc"), *v = NULL;

	if (gc != NULL)
		v = PyObject_CallMethod(gc, name, NULL);
	Py_XDECREF(gc);
	PyErr_Clear();
	return v;
}

bool
gil_collector_off(void)
{
	PyObject *on;
	bool was;

	if (kit.gc_disable != NULL)
		return kit.gc_disable() == 1;
	on = call_gc("isenabled");
	was = on == Py_True;
	Py_XDECREF(on);
	if (was)
		Py_XDECREF(call_gc("disable"));
	return was;
}

void
gil_collector_on(bool was)
{
	if (!was)
		return;
	if (kit.gc_enable != NULL)
		(void)kit.gc_enable();
	else
		Py_XDECREF(call_gc("enable"));
}

/* -------------------------------------------------------------- time box -- */

/* One look at all of them is due, or none is in a hold. */
static struct {
	pthread_mutex_t	lock;	/* never held while waiting for the other */
	struct gil	*all;
	atomic_bool	watched;
} brokers = { PTHREAD_MUTEX_INITIALIZER, NULL, false };

static void
box_begin(struct gil *g)
{
	atomic_store(&g->at, g->since);
	if (!atomic_load(&brokers.watched) &&
	    !atomic_exchange(&brokers.watched, true))
		worker_box_at(g->since + g->box);
}

/* What was to interrupt it must not interrupt another look-up. */
static void
box_end(struct gil *g)
{
	atomic_store(&g->at, 0);
	if (!g->interrupted)
		return;
	g->interrupted = false;
	(void)PyThreadState_SetAsyncExc(g->ident, NULL);
}

/* When the hold that is under way has to end; 0: none is. */
static int64_t
box_due(struct gil *g)
{
	int64_t at = atomic_load(&g->at);

	return at == 0 ? 0 : at + g->box;
}

/* The next look; *late: somebody is overdue. */
static int64_t
look_at_boxes(bool *late)
{
	int64_t now = pyfs_clock(), due, next = 0;
	struct gil *g;

	*late = false;
	pthread_mutex_lock(&brokers.lock);
	for (g = brokers.all; g != NULL; g = g->next) {
		if ((due = box_due(g)) == 0)
			continue;
		if (due <= now) {
			*late = true;
			due = now + g->box;
		}
		if (next == 0 || due < next)
			next = due;
	}
	pthread_mutex_unlock(&brokers.lock);
	return next;
}

/* With the lock: who is in a hold then is in code of the user. */
static unsigned
interrupt_late(void)
{
	int64_t now = pyfs_clock();
	struct gil *g;
	unsigned n = 0;

	pthread_mutex_lock(&brokers.lock);
	for (g = brokers.all; g != NULL; g = g->next) {
		if (box_due(g) == 0 || box_due(g) > now)
			continue;
		g->interrupted = true;
		(void)PyThreadState_SetAsyncExc(g->ident, PyExc_TimeoutError);
		n++;
	}
	pthread_mutex_unlock(&brokers.lock);
	return n;
}

unsigned
gil_interrupt_late(PyThreadState **kept)
{
	unsigned n = 0;
	int64_t next;
	bool late;

	atomic_store(&brokers.watched, false);
	next = look_at_boxes(&late);
	if (late) {
		gil_enter(kept);
		n = interrupt_late();
		gil_leave(kept);
	}
	if (next != 0 && !atomic_exchange(&brokers.watched, true))
		worker_box_at(next);
	return n;
}

/* ---------------------------------------------------------------- broker -- */

static pthread_key_t state_key;
static pthread_once_t state_once = PTHREAD_ONCE_INIT;

/* The broker's thread ends: its thread state with it. */
static void
state_end(void *arg)
{
	PyThreadState *ts = arg;

	PyEval_RestoreThread(ts);
	PyThreadState_Clear(ts);
	kit.delete_current();
}

static void
state_key_make(void)
{
	(void)pthread_key_create(&state_key, state_end);
}

/* As it was tried; else by the version. */
static bool
can_hand_off(void)
{
	int minor = 0;

	if (gil_tested()->handoff != 0)
		return gil_tested()->handoff < GIL_GOOD;
	if (strncmp(Py_GetVersion(), "3.", 2) == 0)
		minor = atoi(Py_GetVersion() + 2);
	return minor == 8 || minor >= 13;
}

struct gil *
gil_new(bool polite, int signal, unsigned time_box)
{
	struct gil *g = calloc(1, sizeof *g);

	if (g == NULL)
		return NULL;
	(void)pthread_once(&state_once, state_key_make);
	g->polite = polite;
	if (!can_hand_off() && gil_tested()->signal < GIL_GOOD)
		g->signal = signal;
	g->main = pthread_self();
	g->handoff = can_hand_off() || g->signal != 0;
	g->box = (int64_t)time_box * 1000000;
	pthread_mutex_lock(&brokers.lock);
	g->next = brokers.all;
	brokers.all = g;
	pthread_mutex_unlock(&brokers.lock);
	return g;
}

int64_t
gil_try(struct gil *g, bool handoff, int signal)
{
	int64_t start, waited;

	g->handoff = handoff;
	g->signal = signal;
	g->busy = true;
	start = pyfs_clock();
	gil_take(g);
	waited = pyfs_clock() - start;
	gil_drop(g);
	return waited;
}

void
gil_try_burst(struct gil *g, bool on)
{
	static double before;
	double now;

	gil_take(g);
	now = switch_interval();
	if (on) {
		before = now;
		set_switch_interval(BURST_INTERVAL);
	} else if (is_ours(now)) {
		set_switch_interval(before);
	}
	gil_drop(g);
}

void
gil_free(struct gil *g)
{
	struct gil **p;

	pthread_mutex_lock(&brokers.lock);
	for (p = &brokers.all; *p != NULL && *p != g; p = &(*p)->next)
		continue;
	if (*p != NULL)
		*p = g->next;
	pthread_mutex_unlock(&brokers.lock);
	free(g);
}

static void
first_take(struct gil *g)
{
	sigset_t all;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, NULL);
	(void)PyGILState_Ensure();
	g->ts = PyThreadState_Get();
	g->ident = PyThread_get_thread_ident();
	(void)pthread_setspecific(state_key, g->ts);
}

/* Below 8 ns a class each; then the highest bit and the three after it. */
static unsigned
class_of(int64_t waited)
{
	unsigned exponent = 0;

	while (waited >> exponent >= 16)
		exponent++;
	return 8 * exponent + (unsigned)(waited >> exponent);
}

int64_t
gil_class_end(unsigned class)
{
	unsigned exponent = class < 16 ? 0 : class / 8 - 1;

	return ((int64_t)(class - 8 * exponent) + 1) << exponent;
}

static void
count_wait(struct gil *g, int64_t waited)
{
	unsigned i = class_of(waited);

	g->count.waits[i < GIL_CLASSES ? i : GIL_CLASSES - 1]++;
	g->count.holds++;
}

const struct gil_count *
gil_counted(const struct gil *g)
{
	return &g->count;
}

const char *
gil_way(const struct gil *g)
{
	return g->signal != 0 ? "signal" : g->handoff ? "handoff" :
	    g->polite ? "polite" : "burst";
}

static _Thread_local bool held;

bool
gil_is_held(void)
{
	return held;
}

void
gil_take(struct gil *g)
{
	int64_t start = pyfs_clock(), waited;
	unsigned long aside = 0;

	if (g->handoff)
		ask_for_it(g, &aside);
	if (g->ts == NULL)
		first_take(g);
	else
		PyEval_RestoreThread(g->ts);
	burst.last = g->since = pyfs_clock();
	waited = burst.last - start;
	if (g->handoff)
		got_it(g, aside, waited);
	count_wait(g, waited);
	if (waited > LONG_WAIT && !g->polite)
		burst_begin();
	g->collected = gil_collector_off();
	g->inside = held = true;
	box_begin(g);
	shape_forget();
}

void
gil_drop(struct gil *g)
{
	int64_t time = pyfs_clock() - g->since;

	if (time > g->count.longest)
		g->count.longest = time;
	g->inside = held = false;
	box_end(g);
	gil_collector_on(g->collected);
	(void)PyEval_SaveThread();
}

void
gil_pause(struct gil *g)
{
	const struct timespec moment = { 0, PAUSE };

	gil_drop(g);
	(void)nanosleep(&moment, NULL);
	gil_take(g);
}

/* --------------------------------------------------------- other threads -- */

void
gil_enter(PyThreadState **kept)
{
	if (*kept == NULL) {
		(void)PyGILState_Ensure();
		*kept = PyThreadState_Get();
	} else {
		PyEval_RestoreThread(*kept);
	}
	shape_forget();
}

void
gil_leave(PyThreadState **kept)
{
	PyErr_Clear();
	*kept = PyEval_SaveThread();
}

void
gil_bye(PyThreadState **kept)
{
	if (*kept == NULL)
		return;
	PyEval_RestoreThread(*kept);
	PyThreadState_Clear(*kept);
	kit.delete_current();
	*kept = NULL;
}

/* The threads are gone; what they held must not stay held. */
void
gil_fork_child(void)
{
	(void)pthread_mutex_init(&hand.lock, NULL);
	(void)pthread_cond_init(&hand.served_one, NULL);
	hand.waiting = 0;
	hand.queued = false;
	(void)pthread_mutex_init(&brokers.lock, NULL);
	brokers.all = NULL;
	atomic_store(&brokers.watched, false);
	probe_fork_child();
	gil_restore();
}

void
gil_fork_child_of(struct gil *g)
{
	if (g->inside)	/* code of the library let go of the lock in there */
		gil_collector_on(g->collected);
}
