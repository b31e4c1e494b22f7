/* SPDX-License-Identifier: MIT */
/*
 * Threads for code of the user: setters, constructors, finalizers.
 *
 * Two workers take jobs.  The watch, a third thread, has the clock: it
 * interrupts a job that runs longer than its time box by an exception in the
 * worker's thread, gives it up when that does not help (code in C, a sleep),
 * and has another worker started in its place; it also calls for commits
 * whose time has come.
 *
 * A job that is given up may still be running: who waits for it is answered,
 * and the job is freed when it comes back.
 *
 * Code of the user may fork.  In the child its thread is the only one, and
 * ends when that code returns: the job is the parent's.
 *
 * What is shared here has a lock of its own, which is never held while
 * waiting for the interpreter lock.
 */
#include "pyfs.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { WORKERS = 2, GIVEN_UP_MAX = 4 };
#define GIVE_UP_AFTER	INT64_C(10000000000)	/* ns */
#define DROP_TIME	INT64_C(2000000000)	/* ns, for the end of values */

struct worker {
	struct worker	*next;
	struct job	*job;		/* at work on it */
	unsigned long	 ident;		/* Python's name for the thread */
	bool		 given_up;
};

static struct {
	pthread_mutex_t	 lock;
	pthread_cond_t	 more;		/* for workers */
	pthread_cond_t	 earlier;	/* for the watch */
	pthread_cond_t	 fewer;		/* work was done, a thread ended */
	struct worker	*workers;
	struct job	*first, **last;
	unsigned	 alive, busy, given_up;
	int64_t		 commit_at, idle_at, box_at;	/* 0: nothing is due */
	bool		 running, stop;
	bool		 dropping;	/* a job is to drop the trash */
	unsigned	 forks;		/* of this process from its parents */
	struct worker_count count;
} all = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.last = &all.first,
};

/* With the interpreter lock: references to be dropped by a worker. */
static PyObject **trash;
static size_t ntrash, trash_cap;

/* ---------------------------------------------------------------- trash -- */

static int
drop_run(struct job *job, struct hold *h)
{
	(void)job, (void)h;
	pthread_mutex_lock(&all.lock);
	all.dropping = false;
	pthread_mutex_unlock(&all.lock);
	while (ntrash > 0) {
		Py_DECREF(trash[--ntrash]);
		PyErr_Clear();
	}
	return 0;
}

static void
no_matter(struct job *job, int err)
{
	(void)job, (void)err;
}

/* A job, since the end of a value can take its time, or all of it. */
static void
ask_for_drop(void)
{
	struct job *job;
	bool asked;

	pthread_mutex_lock(&all.lock);
	asked = all.dropping;
	all.dropping = true;
	pthread_mutex_unlock(&all.lock);
	if (asked)
		return;
	if ((job = calloc(1, sizeof *job)) != NULL) {
		job->run = drop_run;
		job->done = no_matter;
		job->time_box = DROP_TIME;
		if (worker_do(job) == 0)
			return;
		free(job);
	}
	/* Later, with the next one. */
	pthread_mutex_lock(&all.lock);
	all.dropping = false;
	pthread_mutex_unlock(&all.lock);
}

void
worker_drop(PyObject *o)
{
	PyObject **p;

	if (ntrash == trash_cap) {
		p = realloc(trash, (trash_cap * 2 + 16) * sizeof(PyObject *));
		if (p == NULL)
			return;		/* leaked: better than run here */
		trash = p;
		trash_cap = trash_cap * 2 + 16;
	}
	trash[ntrash++] = o;
	ask_for_drop();
}

/* -------------------------------------------------------------- workers -- */

static struct job *
next_job(struct worker *w)
{
	struct job *job = NULL;

	pthread_mutex_lock(&all.lock);
	while (!w->given_up && !all.stop && all.first == NULL)
		pthread_cond_wait(&all.more, &all.lock);
	if (!w->given_up && (job = all.first) != NULL) {
		if ((all.first = job->next) == NULL)
			all.last = &all.first;
		job->started = pyfs_clock();
		w->job = job;
		all.busy++;
		pthread_cond_signal(&all.earlier);
	}
	pthread_mutex_unlock(&all.lock);
	return job;
}

/* The watch may be answering for a job that its worker is done with. */
static void
job_put(struct job *job)
{
	bool last;

	pthread_mutex_lock(&all.lock);
	last = --job->refs == 0;
	pthread_mutex_unlock(&all.lock);
	if (last && job->fini != NULL)
		job->fini(job);
	if (last)
		free(job);
}

/* True: nobody has answered for it yet. */
static bool
end_job(struct worker *w, struct job *job, bool *interrupted)
{
	bool ours;

	pthread_mutex_lock(&all.lock);
	w->job = NULL;
	if (job->pf != NULL)
		job->pf->jobs--;
	*interrupted = job->interrupted;
	ours = !job->given_up;
	if (ours)
		all.busy--;
	else
		all.given_up--;
	pthread_cond_broadcast(&all.fewer);
	pthread_mutex_unlock(&all.lock);
	return ours;
}

/* False: this is another process now, in which there are no workers. */
static bool
run_job(struct worker *w, struct job *job, PyThreadState **ts)
{
	struct hold h = { .pf = job->pf };
	unsigned forks = all.forks;
	bool interrupted, ours;
	int err;

	err = job->run(job, &h);
	if (all.forks != forks) {
		gil_leave(ts);
		return false;
	}
	ours = end_job(w, job, &interrupted);
	if (interrupted) {	/* it may have come too late */
		(void)PyThreadState_SetAsyncExc(w->ident, NULL);
		if (ours && err != 0)
			err = ETIMEDOUT;
	}
	PyErr_Clear();
	gil_leave(ts);
	if (ours)
		job->done(job, err == ETIMEDOUT ? EIO : err);
	job_put(job);
	return true;
}

static void
thread_is_gone(void)
{
	pthread_mutex_lock(&all.lock);
	all.alive--;
	pthread_cond_broadcast(&all.fewer);
	pthread_mutex_unlock(&all.lock);
}

/* Detached, since one that hangs cannot be joined; all signals blocked. */
static int
start_thread(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t block, old;
	int err;

	pthread_mutex_lock(&all.lock);
	all.alive++;
	pthread_mutex_unlock(&all.lock);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&block);
	(void)pthread_sigmask(SIG_SETMASK, &block, &old);
	err = pthread_create(&thread, &attr, fn, arg);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	if (err != 0)
		thread_is_gone();
	return err;
}

static void
worker_forget(struct worker *w)
{
	struct worker **p;

	pthread_mutex_lock(&all.lock);
	for (p = &all.workers; *p != NULL && *p != w; p = &(*p)->next)
		continue;
	if (*p != NULL)
		*p = w->next;
	pthread_mutex_unlock(&all.lock);
	free(w);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	PyThreadState *ts = NULL;
	struct job *job;

	w->ident = PyThread_get_thread_ident();
	while ((job = next_job(w)) != NULL) {
		gil_enter(&ts);
		if (!run_job(w, job, &ts))
			return NULL;
	}
	gil_bye(&ts);
	worker_forget(w);
	thread_is_gone();
	return NULL;
}

static int
worker_new(void)
{
	struct worker *w = calloc(1, sizeof *w);
	int err;

	if (w == NULL)
		return ENOMEM;
	pthread_mutex_lock(&all.lock);
	w->next = all.workers;
	all.workers = w;
	pthread_mutex_unlock(&all.lock);
	if ((err = start_thread(worker_main, w)) != 0)
		worker_forget(w);
	return err;
}

int
worker_do(struct job *job)
{
	int err = 0;

	job->next = NULL;
	job->refs = 1;
	pthread_mutex_lock(&all.lock);
	if (!all.running || all.given_up >= GIVEN_UP_MAX) {
		err = EBUSY;
	} else {
		*all.last = job;
		all.last = &job->next;
		all.count.jobs++;
		if (job->pf != NULL)
			job->pf->jobs++;
		pthread_cond_signal(&all.more);
	}
	pthread_mutex_unlock(&all.lock);
	return err;
}

void
workers_counted(struct worker_count *count)
{
	pthread_mutex_lock(&all.lock);
	*count = all.count;
	pthread_mutex_unlock(&all.lock);
}

/* ------------------------------------------------------------ the watch -- */

static void
wake_at(int64_t *at, int64_t when)
{
	pthread_mutex_lock(&all.lock);
	if (*at == 0 || when < *at) {
		*at = when;
		pthread_cond_signal(&all.earlier);
	}
	pthread_mutex_unlock(&all.lock);
}

void
worker_commit_at(int64_t when)
{
	wake_at(&all.commit_at, when);
}

void
worker_idle_at(int64_t when)
{
	wake_at(&all.idle_at, when);
}

void
worker_box_at(int64_t when)
{
	wake_at(&all.box_at, when);
}

static int64_t
deadline(const struct job *job)
{
	return job->started + (job->interrupted ? GIVE_UP_AFTER :
	    job->time_box);
}

static void
earlier(int64_t *a, int64_t b)
{
	if (b != 0 && (*a == 0 || b < *a))
		*a = b;
}

/* With our lock; 0: nothing is to be done before somebody says so. */
static int64_t
next_due(void)
{
	int64_t at = 0;
	struct worker *w;

	earlier(&at, all.commit_at);
	earlier(&at, all.idle_at);
	earlier(&at, all.box_at);
	for (w = all.workers; w != NULL; w = w->next)
		if (w->job != NULL && !w->given_up)
			earlier(&at, deadline(w->job));
	return at;
}

/* False: stop. */
static bool
wait_until_due(bool *commit, bool *idle, bool *box)
{
	struct timespec ts;
	int64_t at, now;
	bool go_on;

	pthread_mutex_lock(&all.lock);
	while (!all.stop && ((at = next_due()) == 0 || at > pyfs_clock())) {
		if (at == 0) {
			pthread_cond_wait(&all.earlier, &all.lock);
			continue;
		}
		ts.tv_sec = at / 1000000000;
		ts.tv_nsec = at % 1000000000;
		(void)pthread_cond_timedwait(&all.earlier, &all.lock, &ts);
	}
	now = pyfs_clock();
	if ((*commit = all.commit_at != 0 && all.commit_at <= now))
		all.commit_at = 0;
	if ((*idle = all.idle_at != 0 && all.idle_at <= now))
		all.idle_at = 0;
	if ((*box = all.box_at != 0 && all.box_at <= now))
		all.box_at = 0;
	go_on = !all.stop;
	pthread_mutex_unlock(&all.lock);
	return go_on;
}

/* A job that is overdue, and what is to be done about it. */
static struct job *
overdue(unsigned long *ident, bool *give_up)
{
	int64_t now = pyfs_clock();
	struct worker *w;
	struct job *job = NULL;

	pthread_mutex_lock(&all.lock);
	for (w = all.workers; w != NULL && job == NULL; w = w->next) {
		if (w->job == NULL || w->given_up || deadline(w->job) > now)
			continue;
		job = w->job;
		*ident = w->ident;
		if ((*give_up = job->interrupted)) {
			job->given_up = w->given_up = true;
			job->refs++;
			all.busy--;
			all.given_up++;
			all.count.given_up++;
		} else {
			all.count.interrupted++;
		}
		job->interrupted = true;
	}
	pthread_mutex_unlock(&all.lock);
	return job;
}

/* With the interpreter lock, which a job's worker has when it ends the job. */
static bool
is_at_work(const struct job *job)
{
	struct worker *w;

	pthread_mutex_lock(&all.lock);
	for (w = all.workers; w != NULL && w->job != job; w = w->next)
		continue;
	pthread_mutex_unlock(&all.lock);
	return w != NULL && job->interrupted;
}

static void
watch_jobs(PyThreadState **ts)
{
	unsigned long ident;
	struct job *job;
	bool give_up;

	while ((job = overdue(&ident, &give_up)) != NULL) {
		if (give_up) {
			pyfs_log("code of the program hangs: given up");
			job->done(job, EIO);
			job_put(job);
			(void)worker_new();
			continue;
		}
		gil_enter(ts);
		if (is_at_work(job))
			(void)PyThreadState_SetAsyncExc(ident,
			    PyExc_TimeoutError);
		gil_leave(ts);
	}
}

/* Commits may run code of the user: on a worker. */
static int
commit_by(int (*run)(struct job *, struct hold *), struct pyfs *pf)
{
	struct job *job = calloc(1, sizeof *job);
	int err;

	if (job == NULL)
		return ENOMEM;
	job->pf = pf;
	job->run = run;
	job->done = no_matter;
	job->time_box = GIVE_UP_AFTER / 2;
	if ((err = worker_do(job)) != 0)
		free(job);
	return err;
}

static int
commit_rest_run(struct job *job, struct hold *h)
{
	(void)job;
	stage_commit_due(h, true);
	return 0;
}

int
worker_commit_rest(struct pyfs *pf)
{
	return commit_by(commit_rest_run, pf);
}

static int
commit_run(struct job *job, struct hold *h)
{
	(void)job;
	stage_commit_due(h, false);
	return 0;
}

/*
 * The list of servers needs the interpreter lock, for which the watch is not
 * to wait.  One job for each server, which is counted as the server's: a
 * server that stops waits for it.
 */
static int
commit_all_run(struct job *job, struct hold *h)
{
	struct pyfs *pf;

	(void)job, (void)h;
	for (pf = pyfs_all; pf != NULL; pf = pf->next)
		if (pf->stages != NULL && !pf->stopping)
			(void)commit_by(commit_run, pf);
	return 0;
}

static void
count_interrupted(unsigned n)
{
	pthread_mutex_lock(&all.lock);
	all.count.interrupted += n;
	pthread_mutex_unlock(&all.lock);
}

static void *
watch_main(void *arg)
{
	PyThreadState *ts = NULL;
	bool commit, idle, box;

	(void)arg;
	while (wait_until_due(&commit, &idle, &box)) {
		watch_jobs(&ts);
		if (box)
			count_interrupted(gil_interrupt_late(&ts));
		if (commit)
			(void)commit_by(commit_all_run, NULL);
		if (idle) {
			gil_enter(&ts);
			gil_idle();
			gil_leave(&ts);
		}
	}
	gil_bye(&ts);
	thread_is_gone();
	return NULL;
}

/* --------------------------------------------------------- start and end -- */

static int
conds_init(void)
{
	pthread_condattr_t attr;

	if (pthread_condattr_init(&attr) != 0 ||
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&all.more, &attr) != 0 ||
	    pthread_cond_init(&all.earlier, &attr) != 0 ||
	    pthread_cond_init(&all.fewer, &attr) != 0)
		return ENOMEM;
	(void)pthread_condattr_destroy(&attr);
	return 0;
}

int
workers_start(void)
{
	static bool made;
	int i, err = 0;

	if (all.running)
		return 0;
	if (!made && (err = conds_init()) != 0)
		return err;
	made = true;
	all.stop = false;
	all.running = true;
	for (i = 0; i < WORKERS && err == 0; i++)
		err = worker_new();
	if (err == 0 && (err = start_thread(watch_main, NULL)) == 0)
		return 0;
	workers_stop(1000);
	return err;
}

void
workers_stop(unsigned ms)
{
	int64_t until = pyfs_clock() + (int64_t)ms * 1000000;
	struct timespec ts = { until / 1000000000, until % 1000000000 };

	pthread_mutex_lock(&all.lock);
	all.running = false;
	all.stop = true;
	pthread_cond_broadcast(&all.more);
	pthread_cond_broadcast(&all.earlier);
	/* Those that are given up stay where they hang. */
	while (all.alive > all.given_up &&
	    pthread_cond_timedwait(&all.fewer, &all.lock, &ts) == 0)
		continue;
	pthread_mutex_unlock(&all.lock);
}

/* Also what was given up: it may come back and look for its server. */
bool
workers_are_done_with(const struct pyfs *pf, unsigned ms)
{
	int64_t until = pyfs_clock() + (int64_t)ms * 1000000;
	struct timespec ts = { until / 1000000000, until % 1000000000 };
	bool done;

	pthread_mutex_lock(&all.lock);
	while (pf->jobs > 0 && pthread_cond_timedwait(&all.fewer, &all.lock,
	    &ts) == 0)
		continue;
	done = pf->jobs == 0;
	pthread_mutex_unlock(&all.lock);
	return done;
}

/* What the parent's threads were doing is nothing to the child. */
void
workers_fork_child(void)
{
	(void)pthread_mutex_init(&all.lock, NULL);
	(void)conds_init();
	all.workers = NULL;
	all.first = NULL;
	all.last = &all.first;
	all.alive = all.busy = all.given_up = 0;
	all.commit_at = all.idle_at = all.box_at = 0;
	all.running = false;
	all.stop = all.dropping = false;
	all.forks++;
	ntrash = 0;
}
