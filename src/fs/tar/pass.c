/*
 * The one pass over a compressed file, which its index needs anyway.  What
 * it decodes waits in memory for its store:
 *
 *	decoder --> pending: up to 64 MiB --writer--> store
 *
 * All of an archive that ends sooner is put there, and its file no longer
 * read; it stays open, for who looks whether it changes.  Of any other,
 * blocks that a point covers are dropped: for gzip, and small frames and
 * blocks of zstd and xz, these are all.
 */
#include "packed_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RATIO_MAX = 1000, PATIENCE_MS = 10,
    BEHIND = 32 };		/* blocks of the pass that stay cached */
#define RATIO_FROM	(UINT64_C(1) << 30)	/* decoded; then it counts */
#define PATIENCE	((uint64_t)64 * TAR_BLOCK_SIZE)	/* decoded: 4 MiB */
#define POINT_MIN	((uint64_t)2 * TAR_BLOCK_SIZE)	/* between two streams' */

/* -------------------------------------------------------------- pending -- */

bool
tar_pass_covers(const struct packed *p, uint64_t n)
{
	uint64_t at = n * TAR_BLOCK_SIZE;
	const struct tar_point *point;

	if (p->points.n == 0)
		return false;
	point = tar_points_at(&p->points, at);
	return (point != p->points.point || p->cheap) &&
	    at + TAR_BLOCK_SIZE - point->out <=
	    p->config.span + TAR_SPAN_MORE;
}

static void
pop(struct packed *p)
{
	tar_block_put(p->pending[p->head]);
	p->head = (p->head + 1) % TAR_PENDING;
	p->npending--;
	p->first++;
	if (p->lent > p->npending) {
		tar_blocks_return(p->config.blocks, 1);
		p->lent--;
	}
}

static void
drop_covered(struct packed *p)
{
	while (p->flow && p->npending > 0 && tar_pass_covers(p, p->first))
		pop(p);
}

static int
keep(struct packed *p, const struct tar_kept *one)
{
	uint64_t cap = p->kept_cap == 0 ? 64 : p->kept_cap * 2;
	struct tar_kept *more;

	if (p->nkept == p->kept_cap) {
		if ((more = realloc(p->kept, cap * sizeof *more)) == NULL)
			return ENOMEM;
		p->kept = more;
		p->kept_cap = cap;
	}
	p->kept[p->nkept++] = *one;
	return 0;
}

/* The first that waits; lets the lock go. */
static void
write_one(struct packed *p)
{
	struct tar_block *block = p->pending[p->head];
	struct tar_kept one = { .n = p->first };
	int err;

	pthread_mutex_unlock(&p->lock);
	err = tar_store_add(&p->store, TAR_BLOB_BLOCK, block->data,
	    block->len, &one.blob);
	pthread_mutex_lock(&p->lock);
	if (err == 0)
		err = keep(p, &one);
	if (err == 0) {
		pop(p);
		return;
	}
	p->err = err;
	while (p->npending > 0)
		pop(p);
}

static void *
write_pending(void *arg)
{
	struct packed *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->closing && p->err == 0) {
		drop_covered(p);
		if (p->npending > 0 && (p->flow || p->over))
			write_one(p);
		else if (p->over)
			break;
		else
			pthread_cond_wait(&p->changed, &p->lock);
		pthread_cond_broadcast(&p->changed);
	}
	p->written = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	tar_store_rest(&p->store);
	return NULL;
}

/* Where what is pending has to be written.  With the lock. */
static void
start_writer(struct packed *p)
{
	sigset_t all, was;

	if (p->writing || p->npending == 0 || !(p->flow || p->over))
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	if (pthread_create(&p->writer, NULL, write_pending, p) == 0)
		p->writing = true;
	else
		p->err = ENOMEM;
	pthread_sigmask(SIG_SETMASK, &was, NULL);
}

void
tar_pass_end(struct packed *p)
{
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	if (p->writing)
		pthread_join(p->writer, NULL);
	while (p->npending > 0)
		pop(p);
	tar_block_put(p->block);
	tar_block_put(p->spare);
	tar_run_fini(&p->run);
}

/* No more come. */
static void
finish(struct packed *p)
{
	tar_run_rest(&p->run);
	tar_block_put(p->spare);
	p->spare = NULL;
	tar_store_rest(&p->store);
	pthread_mutex_lock(&p->lock);
	p->over = true;
	start_writer(p);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static bool
is_full(const struct packed *p)
{
	return p->npending >= (p->lent < p->npending ? TAR_PENDING_FEW :
	    TAR_PENDING);
}

/*
 * What nobody has asked for gets a quarter of the cache: a pass that is longer
 * leaves there its beginning and what it has just come by.  The memory of the
 * rest, still in the processor's cache, is taken for the next block.
 */
static void
forget_old(struct packed *p, uint64_t n)
{
	struct tar_block *old;

	if (n < tar_blocks_room(p->config.blocks) / 4 || n < BEHIND)
		return;
	old = tar_blocks_take(p->config.blocks, p, n - BEHIND);
	if (old != NULL && atomic_load(&old->refs) == 1) {
		old->len = 0;
		tar_block_put(p->spare);
		p->spare = old;
	} else
		tar_block_put(old);
}

static struct tar_block *
new_block(struct packed *p)
{
	struct tar_block *block = p->spare;

	p->spare = NULL;
	return block != NULL ? block : tar_block_new();
}

/* A block is there to be read. */
static int
publish(struct packed *p)
{
	struct tar_block *block = p->block;
	uint64_t n = atomic_load(&p->size) / TAR_BLOCK_SIZE;
	int err;

	p->block = NULL;
	tar_blocks_add(p->config.blocks, p, n, block);
	pthread_mutex_lock(&p->lock);
	while (is_full(p) && p->err == 0)
		pthread_cond_wait(&p->changed, &p->lock);
	if ((err = p->err) != 0) {
		pthread_mutex_unlock(&p->lock);
		tar_block_put(block);
		return err;
	}
	if (p->npending == 0)
		p->first = n;
	p->pending[(p->head + p->npending++) % TAR_PENDING] = block;
	atomic_fetch_add(&p->size, block->len);
	if (!p->flow && tar_blocks_borrow(p->config.blocks))
		p->lent++;
	else
		p->flow = true;
	if (atomic_load(&p->size) > p->config.small ||
	    p->npending == TAR_PENDING)
		p->flow = true;
	drop_covered(p);
	start_writer(p);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	forget_old(p, n);
	return 0;
}

/* --------------------------------------------------------------- points -- */

static int
add_point(struct packed *p, const struct tar_point *point)
{
	int err;

	pthread_mutex_lock(&p->lock);
	err = tar_points_add(&p->points, point);
	pthread_mutex_unlock(&p->lock);
	return err;
}

/* A stream begins here. */
static int
mark_stream(struct packed *p, uint64_t last)
{
	const struct tar_run *r = &p->run;
	struct tar_point point = { .out = r->out, .in = tar_run_in(r) };
	bool cheap = r->units != NULL || (p->codec->is_point != NULL &&
	    p->codec->is_point(r->input + r->at, r->have - r->at));

	if (p->points.n == 0) {
		p->cheap = cheap;
		return add_point(p, &point);
	}
	return cheap && (r->out - last >= POINT_MIN ||
	    r->out - last >= p->config.span) ? add_point(p, &point) : 0;
}

/* The decoder's state, if it can be saved just here. */
static int
mark_state(struct packed *p)
{
	const struct tar_run *r = &p->run;
	struct tar_point point = { .out = r->out, .in = tar_run_in(r) };
	void *state = malloc(p->codec->state_len);
	size_t len;
	int err = 0;

	if (state == NULL)
		return ENOMEM;
	if (p->codec->save(r->decoder, state, &len) && (err = tar_store_add(
	    &p->store, TAR_BLOB_STATE, state, len, &point.state)) == 0)
		err = add_point(p, &point);
	free(state);
	return err;
}

/* A state costs 0.1 ms, and a read 0.35 ms for each half MiB before it. */
static uint64_t
state_span(const struct packed *p)
{
	return p->config.span / 4 * 3;
}

static int
mark(struct packed *p)
{
	const struct tar_run *r = &p->run;
	uint64_t last = p->points.n == 0 ? 0 :
	    p->points.point[p->points.n - 1].out;

	if (r->fresh && !r->between)
		return mark_stream(p, last);
	if (r->units == NULL && p->codec->save != NULL && !r->between &&
	    !r->ended && r->out - last >= state_span(p))
		return mark_state(p);
	return 0;
}

/* ------------------------------------------------------------- decoding -- */

static void
tell(struct packed *p, const char *why)
{
	char text[160];

	snprintf(text, sizeof text, "%s: %s, after %llu bytes of it and %llu "
	    "decoded: what is before is served", p->codec->name, why,
	    (unsigned long long)tar_run_in(&p->run),
	    (unsigned long long)p->run.out);
	p->config.note(p->config.arg, text);
}

static bool
is_bomb(const struct tar_run *r)
{
	return r->out > RATIO_FROM && r->out / RATIO_MAX > r->fd_off;
}

/* Fill the block; less only at the end of all. */
static int
fill_block(struct packed *p)
{
	struct tar_run *r = &p->run;
	struct tar_block *b = p->block;
	bool ended = r->ended;
	size_t got;
	int err = 0;

	while (b->len < TAR_BLOCK_SIZE && !r->ended && err == 0) {
		tar_run_step(r, b->data + b->len, TAR_BLOCK_SIZE - b->len,
		    &got);
		b->len += got;
		atomic_fetch_add(&p->decoded, got);
		if (is_bomb(r)) {
			r->ended = true;
			r->why = "more than 1000 times its size";
		}
		err = mark(p);
	}
	if (r->ended && !ended && r->why != NULL)
		tell(p, r->why);
	return err;
}

/* All there is was decoded, or all that can be read. */
static int
at_end(struct packed *p)
{
	if (p->run.input_err != 0)
		return EIO;
	if (!atomic_load(&p->whole)) {
		atomic_store(&p->whole, true);
		finish(p);
	}
	return ENODATA;
}

/* One more block.  ENODATA: there is none; EIO: who knows. */
static int
pass_block(struct packed *p)
{
	int err;

	if (p->block == NULL && !p->run.ended &&
	    (p->block = new_block(p)) == NULL)
		return ENOMEM;
	if (!p->run.ended && (err = fill_block(p)) != 0) {
		/* As with blocks: what could not be kept, cannot be had. */
		pthread_mutex_lock(&p->lock);
		p->err = err;
		pthread_cond_broadcast(&p->changed);
		pthread_mutex_unlock(&p->lock);
		return err;
	}
	if (p->block == NULL || p->block->len == 0)
		return at_end(p);
	if ((err = publish(p)) == 0 && p->run.ended)
		at_end(p);
	return err;
}

static int
error_of(struct packed *p)
{
	int err;

	pthread_mutex_lock(&p->lock);
	err = p->err;
	pthread_mutex_unlock(&p->lock);
	return err;
}

/* With the pass's lock. */
static int
go_on(struct packed *p, uint64_t to, bool patience)
{
	uint64_t stop = atomic_load(&p->size) + PATIENCE;
	int err = 0;

	while (err == 0 && atomic_load(&p->size) < to) {
		if (atomic_load(p->config.stop))
			err = ECANCELED;
		else if (atomic_load(&p->whole))
			err = ENODATA;
		else if (patience && atomic_load(&p->size) >= stop)
			err = EAGAIN;
		else if ((err = error_of(p)) == 0)
			err = pass_block(p);
	}
	return err == ENODATA ? 0 : err;
}

/* Somebody else decodes; give that some time. */
static int
wait_for_it(struct packed *p, uint64_t to)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PATIENCE_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&p->lock);
	while (atomic_load(&p->size) < to && !atomic_load(&p->whole) &&
	    p->err == 0 && pthread_cond_timedwait(&p->changed, &p->lock,
	    &until) == 0)
		;
	pthread_mutex_unlock(&p->lock);
	return atomic_load(&p->size) >= to || atomic_load(&p->whole) ? 0 :
	    EAGAIN;
}

int
tar_pass_to(struct packed *p, uint64_t to, bool patience)
{
	int err;

	if (to <= atomic_load(&p->size) || atomic_load(&p->whole))
		return 0;
	if (!patience)
		pthread_mutex_lock(&p->pass_lock);
	else if (pthread_mutex_trylock(&p->pass_lock) != 0)
		return wait_for_it(p, to);
	err = go_on(p, to, patience);
	pthread_mutex_unlock(&p->pass_lock);
	return err;
}
