/*
 * What a compressed archive leaves for the next process: two tables, used
 * where they lie, and the file of the store they speak of.
 *
 *	head | points | kept blocks
 *
 * Nothing of them is trusted before it is used: places lie in the file or
 * reading there fails, and what the store gives has a sum.
 */
#include "packed_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = "pntrsv2";

/* Native, as is the file it becomes a part of. */
struct head {
	char		magic[8];
	char		codec[8];
	uint64_t	version;	/* of states */
	uint64_t	fd_size, size;
	uint64_t	store_id, store_end;	/* 0: there is none */
	uint64_t	points, kept;
	uint64_t	cheap;
};

static uint64_t
version_of(const struct tar_codec *codec)
{
	return codec->version != NULL ? codec->version() : 0;
}

/* Of the tables alone, until there is more than they can say. */
static bool
needs_store(const struct packed *p)
{
	uint64_t i;

	if (p->nkept > 0)
		return true;
	for (i = 0; i < p->points.n; i++)
		if (p->points.point[i].state.len > 0)
			return true;
	return false;
}

static void
fill_head(const struct packed *p, struct head *h)
{
	memset(h, 0, sizeof *h);
	memcpy(h->magic, magic, sizeof magic);
	strncpy(h->codec, p->codec->name, sizeof h->codec - 1);
	h->version = version_of(p->codec);
	h->fd_size = p->fd_size;
	h->size = p->size;
	h->points = p->points.n;
	h->kept = p->nkept;
	h->cheap = p->cheap;
}

/* All is in the store. */
static int
wait_for_writer(struct packed *p)
{
	int err;

	pthread_mutex_lock(&p->lock);
	while (p->writing && !p->written && !p->closing)
		pthread_cond_wait(&p->changed, &p->lock);
	err = p->err;
	pthread_mutex_unlock(&p->lock);
	return err;
}

int
tar_saved_put(struct packed *p, tar_sink_fn *sink, void *arg)
{
	struct head h;
	int err;

	if (!atomic_load(&p->whole))
		return EAGAIN;
	if ((err = wait_for_writer(p)) != 0 || !p->flow)
		return err;	/* small: decoded before a file is read */
	fill_head(p, &h);
	if (needs_store(p)) {
		if (p->config.store == NULL)
			return 0;
		err = tar_store_save(&p->store, p->config.store);
		if (err != 0)
			return err;
		h.store_id = p->store.id;
		h.store_end = p->store.end;
	}
	if ((err = sink(arg, &h, sizeof h)) == 0)
		err = sink(arg, p->points.point,
		    p->points.n * sizeof *p->points.point);
	if (err == 0)
		err = sink(arg, p->kept, p->nkept * sizeof *p->kept);
	return err;
}

static bool
is_ours(const struct packed *p, const struct head *h, size_t len)
{
	struct head mine;

	fill_head(p, &mine);
	return memcmp(h->magic, mine.magic, sizeof h->magic) == 0 &&
	    memcmp(h->codec, mine.codec, sizeof h->codec) == 0 &&
	    h->version == mine.version && h->fd_size == mine.fd_size &&
	    h->points > 0 && h->points < len && h->kept < len &&
	    len == sizeof *h + h->points * sizeof(struct tar_point) +
	    h->kept * sizeof(struct tar_kept);
}

static bool
speaks_of_store(const struct head *h, const struct tar_point *point)
{
	uint64_t i;

	for (i = 0; i < h->points; i++)
		if (point[i].state.len > 0)
			return true;
	return h->kept > 0;
}

int
tar_saved_get(struct packed *p, const void *base, size_t len)
{
	struct head h;
	struct tar_point *point;

	if (len < sizeof h || (uintptr_t)base % sizeof(uint64_t) != 0)
		return ESTALE;
	memcpy(&h, base, sizeof h);
	if (!is_ours(p, &h, len))
		return ESTALE;
	point = (struct tar_point *)((uintptr_t)base + sizeof h);
	if (h.store_id == 0 && speaks_of_store(&h, point))
		return ESTALE;
	if (point[0].out != 0 || (h.store_id != 0 && (p->config.store == NULL
	    || tar_store_open(&p->store, p->config.store, h.store_id,
	    h.store_end) != 0)))
		return ESTALE;
	p->points = (struct tar_points){ .point = point, .n = h.points };
	p->kept = (struct tar_kept *)(point + h.points);
	p->nkept = h.kept;
	p->cheap = h.cheap != 0;
	p->flow = p->over = true;
	atomic_store(&p->size, h.size);
	atomic_store(&p->whole, true);
	return 0;
}
