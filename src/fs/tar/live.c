/*
 * Decoding a part again: from a point before it, or by a decoder that was
 * left there.  Each block is decoded by one thread; others that want it, or
 * one that it comes by, wait.
 */
#include "packed_impl.h"

#include <errno.h>
#include <stdlib.h>

/* It will, or ends on the way there: better to go on from that. */
static bool
comes_by(const struct tar_live *lv, uint64_t n, uint64_t from)
{
	return lv->busy && lv->next <= n && (n <= lv->target ||
	    lv->next * TAR_BLOCK_SIZE >= from);
}

/* The decoder to use, or NULL: wait.  That one is best which stands between
 * the point and the block; else the one longest unused. */
static struct tar_live *
choose(struct packed *p, uint64_t n, uint64_t from)
{
	struct tar_live *lv, *best = NULL;

	for (lv = p->live; lv < p->live + TAR_LIVE; lv++)
		if (comes_by(lv, n, from))
			return NULL;
	for (lv = p->live; lv < p->live + TAR_LIVE; lv++)
		if (!lv->busy && lv->valid && lv->next <= n &&
		    lv->next * TAR_BLOCK_SIZE >= from &&
		    (best == NULL || lv->next > best->next))
			best = lv;
	if (best != NULL)
		return best;
	for (lv = p->live; lv < p->live + TAR_LIVE; lv++)
		if (!lv->busy && (best == NULL || lv->used < best->used))
			best = lv;
	if (best != NULL)
		best->valid = false;
	return best;
}

/* The decoder stands at that point.  EIO: what was saved of it is damaged. */
static int
go_to(struct packed *p, struct tar_run *r, const struct tar_point *point)
{
	void *state;
	int err;

	if (point->state.len == 0)
		return tar_run_at(r, point->out, point->in, NULL, 0);
	if (point->state.len > p->codec->state_len)
		return EIO;
	if ((state = malloc(point->state.len)) == NULL)
		return ENOMEM;
	err = tar_store_get(&p->store, TAR_BLOB_STATE, &point->state, state);
	if (err == 0 && tar_run_at(r, point->out, point->in, state,
	    point->state.len) != 0)
		err = EIO;
	free(state);
	return err;
}

/* Up to a multiple of the block size. */
static int
skip_part(struct packed *p, struct tar_run *r)
{
	struct tar_block *b;
	size_t got, left = (size_t)(-r->out % TAR_BLOCK_SIZE);

	if (left == 0)
		return 0;
	if ((b = tar_block_new()) == NULL)
		return ENOMEM;
	for (; left > 0 && !r->ended; left -= got) {
		tar_run_step(r, b->data, left, &got);
		atomic_fetch_add(&p->again, got);
	}
	tar_block_put(b);
	return left == 0 ? 0 : EIO;
}

/* From the last point before block `n` that is sound. */
static int
restart(struct packed *p, struct tar_live *lv, uint64_t n)
{
	struct tar_point point;
	uint64_t at = n * TAR_BLOCK_SIZE;
	int err;

	if (!lv->begun) {
		err = tar_run_init(&lv->run, p->fd, p->run.codec, p->run.units);
		if (err != 0)
			return err;
		lv->begun = true;
	}
	for (;;) {
		pthread_mutex_lock(&p->lock);
		point = *tar_points_at(&p->points, at);
		lv->next = (point.out + TAR_BLOCK_SIZE - 1) / TAR_BLOCK_SIZE;
		pthread_mutex_unlock(&p->lock);
		err = go_to(p, &lv->run, &point);
		if (err != EIO || point.out == 0)
			return err != 0 ? err : skip_part(p, &lv->run);
		tar_store_tell(p);
		at = point.out - 1;
	}
}

/* The block that comes next. */
static int
decode(struct packed *p, struct tar_live *lv, struct tar_block **to)
{
	size_t want = tar_block_len(p, lv->next), got;
	struct tar_block *b = tar_block_new();

	if (b == NULL)
		return ENOMEM;
	while (b->len < want && !lv->run.ended) {
		tar_run_step(&lv->run, b->data + b->len, want - b->len, &got);
		b->len += got;
		atomic_fetch_add(&p->again, got);
	}
	if (b->len < want) {
		tar_block_put(b);
		return EIO;	/* it was decoded before: the file changed */
	}
	*to = b;
	return 0;
}

/* All up to block `n`, which is *to; the others are left in the cache. */
static int
decode_to(struct packed *p, struct tar_live *lv, uint64_t n,
    struct tar_block **to)
{
	uint64_t i = lv->next;
	struct tar_block *b;
	int err;

	for (;; i++) {
		if (atomic_load(p->config.stop))
			return ECANCELED;
		if ((err = decode(p, lv, &b)) != 0)
			return err;
		tar_blocks_add(p->config.blocks, p, i, b);
		pthread_mutex_lock(&p->lock);
		lv->next = i + 1;
		pthread_cond_broadcast(&p->changed);
		pthread_mutex_unlock(&p->lock);
		if (i == n)
			break;
		tar_block_put(b);
	}
	*to = b;
	return 0;
}

int
tar_live_get(struct packed *p, uint64_t n, bool far, struct tar_block **to)
{
	const struct tar_point *point;
	struct tar_live *lv;
	uint64_t end = (n + 1) * TAR_BLOCK_SIZE;
	int err = 0;

	if (p->points.n == 0 || p->fd == -1)
		return EIO;
	point = tar_points_at(&p->points, n * TAR_BLOCK_SIZE);
	if (!far && end - point->out > p->config.span + TAR_SPAN_MORE)
		return p->err != 0 ? p->err : EIO;	/* it was not kept */
	if ((lv = choose(p, n, point->out)) == NULL) {
		pthread_cond_wait(&p->changed, &p->lock);
		return EAGAIN;
	}
	lv->busy = lv->lately = true;
	lv->used = ++p->uses;
	lv->target = n;
	if (!lv->valid)
		lv->next = (point->out + TAR_BLOCK_SIZE - 1) / TAR_BLOCK_SIZE;
	pthread_mutex_unlock(&p->lock);
	if (!lv->valid)
		err = restart(p, lv, n);
	if (err == 0)
		err = decode_to(p, lv, n, to);
	pthread_mutex_lock(&p->lock);
	lv->busy = false;
	lv->valid = err == 0;
	pthread_cond_broadcast(&p->changed);
	return err;
}

void
tar_live_rest(struct packed *p)
{
	struct tar_live *lv;

	for (lv = p->live; lv < p->live + TAR_LIVE; lv++) {
		if (!lv->busy && !lv->lately && lv->begun) {
			tar_run_fini(&lv->run);
			lv->begun = lv->valid = false;
		}
		lv->lately = false;
	}
}

void
tar_live_end(struct packed *p)
{
	struct tar_live *lv;

	for (lv = p->live; lv < p->live + TAR_LIVE; lv++)
		if (lv->begun)
			tar_run_fini(&lv->run);
}
