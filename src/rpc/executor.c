/*
 * Threads for calls that may block.  A loop hands over the calls of one turn
 * as a batch; a thread takes everything that is queued, runs it between
 * `begin` and `end`, and gives each call back to its loop.
 *
 * `begin` may wait for something that does not come.  Where somebody has
 * said how long that may take, a second thread, the watch, then runs what
 * waits without `begin`: the handlers see that and answer "try again later".
 */
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "rpc/loop.h"
#include "rpc/server.h"

enum { BATCH_CALLS = 256 };
#define BATCH_NS	1000000		/* then let go of what begin took */
#define TURN_NS		50000		/* the same, of one of several threads */

struct rpc_executor {
	pthread_mutex_t	 lock;
	pthread_cond_t	 more;
	struct rpc_call	*first, **last;
	/* The watch: */
	unsigned	 patience;	/* ms; 0: there is none */
	struct rpc_call	*beginning;	/* the batch that waits in begin */
	uint64_t	 since;		/* ms by clock_boot_ms; 0: none does */
	bool		 idle;		/* the watch waits for a batch */
	pthread_cond_t	 hurry;
	pthread_t	 watch;
	bool		 stop;
	bool		 alone;		/* one thread */
	unsigned	 nthreads;
	void		(*begin)(void *), (*end)(void *);
	void		*arg;
	pthread_t	 thread[];
};

/* A batch's worth of calls off the queue; NULL: stop. */
static struct rpc_call *
take(struct rpc_executor *x)
{
	struct rpc_call *list, *call;
	int n;

	pthread_mutex_lock(&x->lock);
	while (x->first == NULL && !x->stop)
		pthread_cond_wait(&x->more, &x->lock);
	list = call = x->first;
	/* Share a long queue with the other threads. */
	n = x->alone ? BATCH_CALLS : BATCH_CALLS / 16;
	while (call != NULL && call->next != NULL && --n > 0)
		call = call->next;
	if (call != NULL) {
		x->first = call->next;
		call->next = NULL;
	}
	if (x->first == NULL)
		x->last = &x->first;
	else
		pthread_cond_signal(&x->more);
	pthread_mutex_unlock(&x->lock);
	return list;
}

/* The batch, if the watch has not lost patience with it meanwhile. */
static struct rpc_call *
begin_batch(struct rpc_executor *x, struct rpc_call *list)
{
	if (x->begin == NULL)
		return list;
	if (x->patience == 0) {
		x->begin(x->arg);
		return list;
	}
	pthread_mutex_lock(&x->lock);
	x->beginning = list;
	x->since = clock_boot_ms();
	if (x->idle)
		pthread_cond_signal(&x->hurry);
	pthread_mutex_unlock(&x->lock);
	x->begin(x->arg);
	pthread_mutex_lock(&x->lock);
	list = x->beginning;
	x->beginning = NULL;
	x->since = 0;
	pthread_mutex_unlock(&x->lock);
	return list;
}

/* Run calls until the batch is empty or has held `begin` long enough. */
static struct rpc_call *
run_some(struct rpc_executor *x, struct rpc_call *list)
{
	struct rpc_call *call;
	uint64_t until;

	list = begin_batch(x, list);
	until = clock_boot_ns() + (x->alone ? BATCH_NS : TURN_NS);
	while (list != NULL && clock_boot_ns() < until) {
		call = list;
		list = call->next;
		rpc_call_run(call);
	}
	if (x->end != NULL)
		x->end(x->arg);
	return list;
}

static void *
executor_thread(void *arg)
{
	struct rpc_executor *x = arg;
	struct rpc_call *list;

	while ((list = take(x)) != NULL)
		while (list != NULL)
			list = run_some(x, list);
	return NULL;
}

void
executor_submit(struct rpc_executor *x, struct rpc_call *first,
    struct rpc_call **last)
{
	pthread_mutex_lock(&x->lock);
	*x->last = first;
	x->last = last;
	pthread_cond_signal(&x->more);
	pthread_mutex_unlock(&x->lock);
}

/* Everything that waits; with the lock. */
static struct rpc_call *
take_waiting(struct rpc_executor *x)
{
	struct rpc_call *list = x->beginning, **end = &list;

	while (*end != NULL)
		end = &(*end)->next;
	*end = x->first;
	x->first = NULL;
	x->last = &x->first;
	x->beginning = NULL;
	return list;
}

static void
wait_ms(struct rpc_executor *x, uint64_t ms)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += (time_t)(ms / 1000);
	ts.tv_nsec += (long)(ms % 1000) * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&x->hurry, &x->lock, &ts);
}

static void *
watch_thread(void *arg)
{
	struct rpc_executor *x = arg;
	struct rpc_call *list, *call;
	uint64_t now;

	pthread_mutex_lock(&x->lock);
	while (!x->stop) {
		now = clock_boot_ms();
		if (x->since == 0) {
			x->idle = true;
			pthread_cond_wait(&x->hurry, &x->lock);
			x->idle = false;
		} else if (now < x->since + x->patience) {
			wait_ms(x, x->since + x->patience - now);
		} else {
			x->since = now;		/* for what comes from now on */
			list = take_waiting(x);
			pthread_mutex_unlock(&x->lock);
			while ((call = list) != NULL) {
				list = call->next;
				rpc_call_run(call);
			}
			pthread_mutex_lock(&x->lock);
		}
	}
	pthread_mutex_unlock(&x->lock);
	return NULL;
}

int
rpc_executor_set_patience(struct rpc_executor *x, unsigned ms)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	int err;

	if (x->nthreads != 1 || ms == 0)
		return EINVAL;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&x->hurry, &attr);
	(void)pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&x->watch, NULL, watch_thread, x);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err == 0)
		x->patience = ms;
	else
		(void)pthread_cond_destroy(&x->hurry);
	return err;
}

int
rpc_executor_new(struct rpc_executor **xp, unsigned threads,
    void (*begin)(void *), void (*end)(void *), void *arg)
{
	struct rpc_executor *x;
	sigset_t all, old;
	int err = 0;

	if ((x = calloc(1, sizeof *x + threads * sizeof x->thread[0])) == NULL)
		return ENOMEM;
	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->more, NULL);
	x->last = &x->first;
	x->alone = threads == 1;
	x->begin = begin;
	x->end = end;
	x->arg = arg;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (x->nthreads < threads &&
	    (err = pthread_create(&x->thread[x->nthreads], NULL,
	    executor_thread, x)) == 0)
		x->nthreads++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (x->nthreads == 0) {
		rpc_executor_free(x);
		return err == 0 ? EINVAL : err;
	}
	*xp = x;
	return 0;
}

void
rpc_executor_free(struct rpc_executor *x)
{
	unsigned i;

	if (x == NULL)
		return;
	pthread_mutex_lock(&x->lock);
	x->stop = true;
	pthread_cond_broadcast(&x->more);
	if (x->patience != 0)
		pthread_cond_broadcast(&x->hurry);
	pthread_mutex_unlock(&x->lock);
	if (x->patience != 0) {
		pthread_join(x->watch, NULL);
		pthread_cond_destroy(&x->hurry);
	}
	for (i = 0; i < x->nthreads; i++)
		pthread_join(x->thread[i], NULL);
	pthread_cond_destroy(&x->more);
	pthread_mutex_destroy(&x->lock);
	free(x);
}
