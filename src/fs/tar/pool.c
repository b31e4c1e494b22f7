/* Worker threads.  See pool.h. */
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct tar_pool {
	pthread_mutex_t	 lock;
	pthread_cond_t	 more;
	struct tar_job	*first, **last;
	bool		 stop;
	void		(*tick)(void *);
	void		*arg;
	time_t		 ticked;
	unsigned	 n;
	pthread_t	 thread[];
};

static time_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* A job, or NULL: nothing came for a second, or it is time to stop. */
static struct tar_job *
take(struct tar_pool *p, bool *stop)
{
	struct timespec until = { .tv_sec = now() + 1 };
	struct tar_job *job;

	while (p->first == NULL && !p->stop)
		if (pthread_cond_timedwait(&p->more, &p->lock, &until) ==
		    ETIMEDOUT)
			break;
	if ((job = p->first) != NULL && (p->first = job->next) == NULL)
		p->last = &p->first;
	*stop = p->stop && job == NULL;
	return job;
}

static bool
is_time(struct tar_pool *p)
{
	time_t t = now();

	if (p->tick == NULL || t == p->ticked)
		return false;
	p->ticked = t;
	return true;
}

static void *
work(void *arg)
{
	struct tar_pool *p = arg;
	struct tar_job *job;
	bool stop, tick;

	do {
		pthread_mutex_lock(&p->lock);
		job = take(p, &stop);
		tick = is_time(p);
		pthread_mutex_unlock(&p->lock);
		if (job != NULL)
			job->run(job);
		if (tick)
			p->tick(p->arg);
	} while (!stop);
	return NULL;
}

static void
end(struct tar_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	while (p->n > 0)
		pthread_join(p->thread[--p->n], NULL);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct tar_pool *
tar_pool_new(unsigned threads, void (*tick)(void *), void *arg)
{
	struct tar_pool *p = calloc(1, sizeof *p +
	    threads * sizeof p->thread[0]);
	pthread_condattr_t attr;
	sigset_t all, was;

	if (p == NULL)
		return NULL;
	p->last = &p->first;
	p->tick = tick;
	p->arg = arg;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->more, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	while (p->n < threads && pthread_create(&p->thread[p->n], NULL, work,
	    p) == 0)
		p->n++;
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (p->n > 0)
		return p;
	end(p);
	return NULL;
}

void
tar_pool_free(struct tar_pool *p)
{
	if (p != NULL)
		end(p);
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
