/* SPDX-License-Identifier: MIT */
/*
 * Which way to the interpreter lock is a good one here: tried once, when the
 * first server starts.
 *
 * The main thread is busy with bytecode meanwhile (pinefs._probe), as a
 * program would be, and a thread of ours takes the lock a few times each way.
 * The least wait counts: whatever else the machine does makes it longer, and
 * nothing makes it shorter than the way allows.
 *
 *	handoff			10 us		5 ms where it comes late
 *	handoff and signal	15 us
 *	burst			0.2 ms
 *
 * From another thread it cannot be tried: then the version of Python decides.
 */
#include "pyfs.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { TRIES = 4, PAUSE = 50000,		/* ns in between */
    PROBE_BOX = 2000 };				/* ms */
#define TIME_MAX	INT64_C(300000000)	/* ns, for all of it */

static struct {
	pthread_t	thread;
	struct gil	*gil;
	int64_t		end;
	int		signal;
	bool		polite, running, done;	/* with the lock */
	atomic_uint	turns;			/* of the main thread */
} probe;

static struct gil_test test;

const struct gil_test *
gil_tested(void)
{
	return &test;
}

/* The main thread has the lock again, and is busy. */
static void
let_it_spin(void)
{
	const struct timespec moment = { 0, PAUSE };
	unsigned turns = atomic_load(&probe.turns);

	do
		(void)nanosleep(&moment, NULL);
	while (atomic_load(&probe.turns) == turns && pyfs_clock() < probe.end);
}

/* The least wait of a few, or the first that is good. */
static int64_t
least(bool handoff, int signal)
{
	int64_t best = 0, waited;
	int i;

	for (i = 0; i < TRIES; i++) {
		let_it_spin();
		if (pyfs_clock() >= probe.end)
			break;
		waited = gil_try(probe.gil, handoff, signal);
		if (best == 0 || waited < best)
			best = waited;
		if (best < GIL_GOOD)
			break;
	}
	return best;
}

static bool
is_good(int64_t wait)
{
	return wait != 0 && wait < GIL_GOOD;
}

/* The next best is tried only if it would be taken. */
static bool
wants_signal(const struct gil_test *t)
{
	return !is_good(t->handoff) && probe.signal != 0 && t->signal == 0;
}

static bool
wants_burst(const struct gil_test *t)
{
	return !is_good(t->handoff) && !probe.polite && t->burst == 0 &&
	    (probe.signal == 0 || !is_good(t->signal));
}

static void *
probe_main(void *arg)
{
	struct gil_test found = test;		/* by earlier ones */

	(void)arg;
	(void)gil_try(probe.gil, true, 0);	/* the first makes its state */
	if (found.handoff == 0)
		found.handoff = least(true, 0);
	if (wants_signal(&found))
		found.signal = least(true, probe.signal);
	if (wants_burst(&found)) {
		gil_try_burst(probe.gil, true);
		found.burst = least(false, 0);
		gil_try_burst(probe.gil, false);
	}
	gil_take(probe.gil);
	/* Out of time, on a machine that does other things: not known. */
	if (pyfs_clock() < probe.end)
		test = found;
	probe.done = true;
	gil_drop(probe.gil);
	return NULL;
}

bool
probe_begin(bool polite, int signal)
{
	sigset_t block, old;
	int err;

	if (probe.running)
		return false;
	probe.polite = polite;
	probe.signal = signal;
	if (test.handoff != 0 && !wants_signal(&test) && !wants_burst(&test))
		return false;
	if ((probe.gil = gil_new(true, 0, PROBE_BOX)) == NULL)
		return false;
	probe.done = false;
	probe.end = pyfs_clock() + TIME_MAX;
	sigfillset(&block);
	(void)pthread_sigmask(SIG_SETMASK, &block, &old);
	err = pthread_create(&probe.thread, NULL, probe_main, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	probe.running = err == 0;
	if (err != 0)
		gil_free(probe.gil);
	return err == 0;
}

bool
probe_is_done(void)
{
	atomic_fetch_add(&probe.turns, 1);
	return !probe.running || probe.done || pyfs_clock() > probe.end;
}

void
probe_end(void)
{
	if (!probe.running)
		return;
	Py_BEGIN_ALLOW_THREADS
	(void)pthread_join(probe.thread, NULL);
	Py_END_ALLOW_THREADS
	probe.running = false;
	gil_free(probe.gil);
}

/* There is no such thread in the child of a fork. */
void
probe_fork_child(void)
{
	probe.running = false;
}
