/* Worker threads.  See pool.h. */
#include "pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS_MAX = 16 };

struct tar_pool {
	pthread_mutex_t	 lock;
	pthread_cond_t	 more;		/* jobs, or the end */
	pthread_cond_t	 ending;
	struct tar_job	*first, **last;
	unsigned	 done;		/* jobs, since the last tick */
	bool		 stop;
	void		(*tick)(void *);
	void		*arg;
	pthread_t	 ticker;
	unsigned	 n;
	pthread_t	 thread[THREADS_MAX];
};

/* A job; NULL: none comes any more. */
static struct tar_job *
take(struct tar_pool *p)
{
	struct tar_job *job;

	while (p->first == NULL && !p->stop)
		pthread_cond_wait(&p->more, &p->lock);
	if ((job = p->first) != NULL && (p->first = job->next) == NULL)
		p->last = &p->first;
	return job;
}

static void *
work(void *arg)
{
	struct tar_pool *p = arg;
	struct tar_job *job;

	pthread_mutex_lock(&p->lock);
	while ((job = take(p)) != NULL) {
		pthread_mutex_unlock(&p->lock);
		job->run(job);
		pthread_mutex_lock(&p->lock);
		p->done++;
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* With all signals blocked: those are for the main thread. */
static int
start(pthread_t *thread, void *(*run)(void *), struct tar_pool *p)
{
	sigset_t all, was;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	err = pthread_create(thread, NULL, run, p);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return err;
}

/* One more, if some wait and none was done for a second. */
static void
look_after(struct tar_pool *p)
{
	if (p->first != NULL && p->done == 0 && p->n < THREADS_MAX &&
	    start(&p->thread[p->n], work, p) == 0)
		p->n++;
	p->done = 0;
}

static void *
tick(void *arg)
{
	struct tar_pool *p = arg;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		until.tv_sec++;
		while (!p->stop && pthread_cond_timedwait(&p->ending,
		    &p->lock, &until) == 0)
			;
		if (p->stop)
			break;
		look_after(p);
		pthread_mutex_unlock(&p->lock);
		if (p->tick != NULL)
			p->tick(p->arg);
		clock_gettime(CLOCK_MONOTONIC, &until);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Nobody but the ticker makes threads, so that their number stands. */
static void
end(struct tar_pool *p, bool ticks)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->more);
	pthread_cond_signal(&p->ending);
	pthread_mutex_unlock(&p->lock);
	if (ticks)
		pthread_join(p->ticker, NULL);
	while (p->n > 0)
		pthread_join(p->thread[--p->n], NULL);
	pthread_cond_destroy(&p->more);
	pthread_cond_destroy(&p->ending);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct tar_pool *
tar_pool_new(unsigned threads, void (*ticked)(void *), void *arg)
{
	struct tar_pool *p = calloc(1, sizeof *p);
	pthread_condattr_t attr;

	if (p == NULL)
		return NULL;
	p->last = &p->first;
	p->tick = ticked;
	p->arg = arg;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->more, NULL);
	pthread_cond_init(&p->ending, &attr);
	pthread_condattr_destroy(&attr);
	while (p->n < threads && p->n < THREADS_MAX &&
	    start(&p->thread[p->n], work, p) == 0)
		p->n++;
	if (p->n > 0 && start(&p->ticker, tick, p) == 0)
		return p;
	end(p, false);
	return NULL;
}

void
tar_pool_free(struct tar_pool *p)
{
	if (p != NULL)
		end(p, true);
}

void
tar_pool_add(struct tar_pool *p, struct tar_job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->last = job;
	p->last = &job->next;
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
}
