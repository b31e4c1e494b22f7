/* The threads of tarfs: fs/tar/pool.c. */
#include "fs/tar/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "check.h"

static struct tar_pool *pool;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned hanging, ticks, parts;
static bool go_on;

static void
hang(struct tar_job *job)
{
	(void)job;
	pthread_mutex_lock(&lock);
	hanging++;
	pthread_cond_broadcast(&changed);
	while (!go_on)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void
open_up(struct tar_job *job)
{
	(void)job;
	pthread_mutex_lock(&lock);
	go_on = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void
count(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	ticks++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void
test_jobs_that_hang_stop_neither_the_tick_nor_others(void)
{
	struct tar_job job[2] = { { .run = hang }, { .run = hang } };
	struct tar_job other = { .run = open_up };

	pool = tar_pool_new(2, count, NULL);
	CHECK(pool != NULL);
	tar_pool_add(pool, &job[0]);
	tar_pool_add(pool, &job[1]);
	pthread_mutex_lock(&lock);
	while (hanging < 2)
		pthread_cond_wait(&changed, &lock);
	ticks = 0;
	while (ticks == 0)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	/* Who lets them go is behind them. */
	tar_pool_add(pool, &other);
	pthread_mutex_lock(&lock);
	while (!go_on)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	tar_pool_free(pool);
}

static void
by_parts(struct tar_job *job)
{
	if (++parts < 1000)
		tar_pool_add(pool, job);
}

static void
test_what_is_queued_is_done_before_the_end(void)
{
	struct tar_job job = { .run = by_parts };

	pool = tar_pool_new(1, NULL, NULL);
	CHECK(pool != NULL);
	tar_pool_add(pool, &job);
	tar_pool_free(pool);
	CHECK(parts == 1000);
}

CHECK_MAIN(
	CHECK_TEST(test_jobs_that_hang_stop_neither_the_tick_nor_others),
	CHECK_TEST(test_what_is_queued_is_done_before_the_end),
)
