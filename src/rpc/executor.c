/*
 * Threads for calls that may block.  A loop hands over the calls of one turn
 * as a batch; a thread takes everything that is queued, runs it between
 * `begin` and `end`, and gives each call back to its loop.
 */
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "rpc/loop.h"
#include "rpc/server.h"

enum { BATCH_CALLS = 256 };
#define BATCH_NS	1000000		/* then let go of what begin took */

struct rpc_executor {
	pthread_mutex_t	 lock;
	pthread_cond_t	 more;
	struct rpc_call	*first, **last;
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

/* Run calls until the batch is empty or has held `begin` long enough. */
static struct rpc_call *
run_some(struct rpc_executor *x, struct rpc_call *list)
{
	uint64_t until = clock_boot_ns() + BATCH_NS;
	struct rpc_call *call;

	if (x->begin != NULL)
		x->begin(x->arg);
	do {
		call = list;
		list = call->next;
		rpc_call_run(call);
	} while (list != NULL && clock_boot_ns() < until);
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
	pthread_mutex_unlock(&x->lock);
	for (i = 0; i < x->nthreads; i++)
		pthread_join(x->thread[i], NULL);
	pthread_cond_destroy(&x->more);
	pthread_mutex_destroy(&x->lock);
	free(x);
}
