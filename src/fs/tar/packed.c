/* Compressed archives.  See packed.h; packed_impl.h says what is where. */
#include "packed_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { AHEAD = 16, NEAR = 8, RUN = 3,		/* blocks */
    SPAN = 1 << 20, SMALL = 64 << 20 };

#ifndef PINEFS_FUZZ
_Static_assert((uint64_t)TAR_PENDING * TAR_BLOCK_SIZE > SMALL,
    "what is small stays in memory");
#endif

static struct packed *
packed_of(struct tar_source *s)
{
	return (struct packed *)s;
}

/* --------------------------------------------------------------- blocks -- */

static const struct tar_kept *
find_kept(const struct packed *p, uint64_t n)
{
	uint64_t low = 0, high = p->nkept, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (p->kept[mid].n < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->nkept && p->kept[low].n == n ? &p->kept[low] : NULL;
}

static bool
is_flying(const struct packed *p, uint64_t n)
{
	unsigned i;

	for (i = 0; i < p->nflying; i++)
		if (p->flying[i] == n)
			return true;
	return false;
}

static void
land(struct packed *p, uint64_t n)
{
	unsigned i;

	for (i = 0; p->flying[i] != n; i++)
		;
	p->flying[i] = p->flying[--p->nflying];
	pthread_cond_broadcast(&p->changed);
}

void
tar_store_tell(struct packed *p)
{
	bool told;

	pthread_mutex_lock(&p->lock);
	told = p->told;
	p->told = true;
	pthread_mutex_unlock(&p->lock);
	if (told)
		return;
	/* The next process is to make another one. */
	if (p->config.store != NULL)
		unlink(p->config.store);
	p->config.note(p->config.arg, "what was kept of it in the cache is "
	    "damaged: it is decoded again where needed");
}

static int
read_store(struct packed *p, const struct tar_blob *blob, size_t want,
    struct tar_block **to)
{
	struct tar_block *b = tar_block_new();
	int err;

	if (b == NULL)
		return ENOMEM;
	b->len = want;
	err = blob->len == want ? tar_store_get(&p->store, TAR_BLOB_BLOCK,
	    blob, b->data) : EIO;
	if (err != 0) {
		tar_block_put(b);
		return err;
	}
	*to = b;
	return 0;
}

/* Out of the store, by one thread.  With the lock, which it lets go. */
static int
load(struct packed *p, const struct tar_kept *kept, struct tar_block **to)
{
	struct tar_kept one = *kept;
	int err;

	if (is_flying(p, one.n) || p->nflying == TAR_FLYING) {
		pthread_cond_wait(&p->changed, &p->lock);
		return EAGAIN;
	}
	p->flying[p->nflying++] = one.n;
	pthread_mutex_unlock(&p->lock);
	err = read_store(p, &one.blob, tar_block_len(p, one.n), to);
	if (err == 0)
		tar_blocks_add(p->config.blocks, p, one.n, *to);
	else if (err == EIO)
		tar_store_tell(p);
	pthread_mutex_lock(&p->lock);
	land(p, one.n);
	/* A damaged store is worth a pass; nothing worse. */
	return err == EIO ? tar_live_get(p, one.n, true, to) : err;
}

/* Wherever it is.  With the lock. */
static int
look_for(struct packed *p, uint64_t n, struct tar_block **to)
{
	const struct tar_kept *kept;

	if ((*to = tar_blocks_find(p->config.blocks, p, n)) != NULL)
		return 0;
	if (p->npending > 0 && n >= p->first && n - p->first < p->npending) {
		*to = tar_block_get(p->pending[(p->head + n - p->first) %
		    TAR_PENDING]);
		tar_blocks_add(p->config.blocks, p, n, *to);
		return 0;
	}
	if ((kept = find_kept(p, n)) != NULL)
		return load(p, kept, to);
	return tar_live_get(p, n, false, to);
}

/* Some stream of reads goes on with block `n`, or one begins. */
static void
note_miss(struct packed *p, uint64_t n)
{
	struct tar_recent *r;

	for (r = p->recent; r < p->recent + TAR_RECENT; r++) {
		if (r->run == 0 || n + NEAR < r->next || n > r->next + NEAR)
			continue;
		if (n >= r->next)
			r->next = n + 1;
		r->run++;
		return;
	}
	r = &p->recent[p->nrecent++ % TAR_RECENT];
	*r = (struct tar_recent){ n + 1, 1 };
}

/* Block `n`, which there is. */
static int
get_block(struct packed *p, uint64_t n, bool ahead, struct tar_block **to)
{
	int err;

	if ((*to = tar_blocks_find(p->config.blocks, p, n)) != NULL)
		return 0;
	pthread_mutex_lock(&p->lock);
	if (!ahead)
		note_miss(p, n);
	do
		err = look_for(p, n, to);
	while (err == EAGAIN);
	pthread_mutex_unlock(&p->lock);
	return err;
}

/* -------------------------------------------------------------- reading -- */

/* How much of a read lies in one block. */
static size_t
part(uint64_t off, size_t len)
{
	size_t left = TAR_BLOCK_SIZE - (size_t)(off % TAR_BLOCK_SIZE);

	return len < left ? len : left;
}

static size_t
clip(uint64_t off, size_t len, uint64_t size)
{
	return off >= size ? 0 : len < size - off ? len : (size_t)(size - off);
}

static int
read_there(struct packed *p, uint64_t off, char *to, size_t len)
{
	struct tar_block *b;
	char *end = to + len;
	size_t n;
	int err;

	for (; to < end; to += n, off += n) {
		n = part(off, (size_t)(end - to));
		err = get_block(p, off / TAR_BLOCK_SIZE, false, &b);
		if (err != 0)
			return err;
		memcpy(to, b->data + off % TAR_BLOCK_SIZE, n);
		tar_block_put(b);
	}
	return 0;
}

static int
read_with(struct packed *p, uint64_t off, void *to, size_t len, size_t *got,
    bool patience)
{
	int err;

	*got = 0;
	if (off > INT64_MAX)
		return 0;
	if ((err = tar_pass_to(p, off + len, patience)) != 0)
		return err;
	len = clip(off, len, atomic_load(&p->size));
	if ((err = read_there(p, off, to, len)) == 0)
		*got = len;
	return err;
}

static int
packed_read(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	return read_with(packed_of(s), off, to, len, got, false);
}

static int
packed_step(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	int err = read_with(packed_of(s), off, to, len, got, true);

	/* A client knows nothing of our disk. */
	return err == ENOSPC || err == EDQUOT || err == EFBIG ? EIO : err;
}

static int
packed_try(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	struct packed *p = packed_of(s);
	bool whole = atomic_load(&p->whole);	/* before what it speaks of */
	uint64_t size = atomic_load(&p->size);
	char *at = to, *end;
	struct tar_block *b;
	size_t n;

	if ((off >= size || len > size - off) && !whole)
		return EAGAIN;
	len = clip(off, len, size);
	for (end = at + len; at < end; at += n, off += n) {
		n = part(off, (size_t)(end - at));
		b = tar_blocks_find(p->config.blocks, p, off / TAR_BLOCK_SIZE);
		if (b == NULL)
			return EAGAIN;
		memcpy(at, b->data + off % TAR_BLOCK_SIZE, n);
		tar_block_put(b);
	}
	*got = len;
	return 0;
}

static uint64_t
packed_size(struct tar_source *s)
{
	struct packed *p = packed_of(s);

	return atomic_load(&p->whole) ? atomic_load(&p->size) : UINT64_MAX;
}

/* -------------------------------------------------------- reading ahead -- */

/* Only of who has read some blocks behind each other. */
static bool
packed_hold(struct tar_source *s, uint64_t off)
{
	struct packed *p = packed_of(s);
	uint64_t n = (off + TAR_BLOCK_SIZE - 1) / TAR_BLOCK_SIZE;
	struct tar_recent *r;
	bool does = false;

	pthread_mutex_lock(&p->lock);
	for (r = p->recent; r < p->recent + TAR_RECENT && !does; r++) {
		if (r->run < RUN || n + NEAR < r->next || n > r->next)
			continue;
		/* Who comes to the end of that goes on so. */
		r->next = n + AHEAD;
		r->run = RUN - 1;
		p->holds++;
		does = true;
	}
	pthread_mutex_unlock(&p->lock);
	return does;
}

static void
packed_ahead(struct tar_source *s, uint64_t off)
{
	struct packed *p = packed_of(s);
	uint64_t n = (off + TAR_BLOCK_SIZE - 1) / TAR_BLOCK_SIZE, end;
	struct tar_block *b;

	for (end = n + AHEAD; n < end; n++) {
		if (n * TAR_BLOCK_SIZE >= atomic_load(&p->size) ||
		    atomic_load(p->config.stop) ||
		    get_block(p, n, true, &b) != 0)
			break;
		tar_block_put(b);
	}
	pthread_mutex_lock(&p->lock);
	p->holds--;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/* ------------------------------------------------------- begin and end -- */

static int
packed_save(struct tar_source *s, tar_sink_fn *sink, void *arg)
{
	return tar_saved_put(packed_of(s), sink, arg);
}

static void
packed_rest(struct tar_source *s)
{
	struct packed *p = packed_of(s);

	pthread_mutex_lock(&p->lock);
	tar_live_rest(p);
	pthread_mutex_unlock(&p->lock);
}

void
tar_packed_counts(struct tar_source *s, struct tar_packed_counts *counts)
{
	struct packed *p = packed_of(s);

	counts->decoded = atomic_load(&p->decoded);
	counts->again = atomic_load(&p->again);
}

static void
packed_free(struct tar_source *s)
{
	struct packed *p = packed_of(s);

	pthread_mutex_lock(&p->lock);
	while (p->holds > 0)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
	tar_pass_end(p);
	tar_live_end(p);
	tar_blocks_drop(p->config.blocks, p);
	tar_store_fini(&p->store);
	tar_points_fini(&p->points);
	if (p->kept_cap != 0)
		free(p->kept);
	free(p->units.unit);
	close(p->fd);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->pass_lock);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void
init_locks(struct packed *p)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->pass_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attr);
	pthread_condattr_destroy(&attr);
}

/* At the beginning of the pass, or with what another process has left. */
static int
begin(struct packed *p)
{
	const struct tar_codec *codec = p->codec;
	const struct tar_units *units = NULL;
	struct stat st;
	int err;

	if (fstat(p->fd, &st) == 0)
		p->fd_size = (uint64_t)st.st_size;
	if (codec->units != NULL && codec->units(p->fd, p->fd_size,
	    p->config.span, &p->units) == 0) {
		units = &p->units;
		codec = codec->unit_codec;
	}
	if (p->config.saved != NULL)
		tar_saved_get(p, p->config.saved, p->config.saved_len);
	err = tar_run_init(&p->run, p->fd, codec, units);
	if (atomic_load(&p->whole))
		tar_run_rest(&p->run);
	return err;
}

static const struct tar_source_ops ops = { .read = packed_read,
    .try_read = packed_try, .step = packed_step, .size = packed_size,
    .free = packed_free, .save = packed_save, .hold = packed_hold,
    .ahead = packed_ahead, .rest = packed_rest };

bool
tar_source_is_packed(const struct tar_source *s)
{
	return s->ops == &ops;
}

struct tar_source *
tar_source_packed(int fd, const struct tar_codec *codec,
    const struct tar_packed_config *config)
{
	struct packed *p = calloc(1, sizeof *p);

	if (p == NULL || tar_store_init(&p->store, &(struct tar_store_config){
	    .dir = config->dir, .max = config->store_max, .key = config->key,
	    .memory = config->memory }) != 0) {
		close(fd);
		free(p);
		errno = ENOMEM;
		return NULL;
	}
	p->source.ops = &ops;
	p->codec = codec;
	p->config = *config;
	if (config->span == 0)
		p->config.span = SPAN;
	if (config->small == 0)
		p->config.small = SMALL;
	p->fd = fd;
	init_locks(p);
	if (begin(p) == 0)
		return &p->source;
	packed_free(&p->source);
	errno = ENOMEM;
	return NULL;
}
