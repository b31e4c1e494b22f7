/* Compressed archives.  See packed.h. */
#include "packed.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

enum { INPUT = 128 << 10, RATIO_MAX = 1000 };
#define RATIO_FROM	(UINT64_C(1) << 30)	/* decoded; then it counts */

struct packed {
	struct tar_source	 source;
	const struct tar_codec	*codec;
	struct tar_blocks	*blocks;
	const atomic_bool	*stop;
	tar_packed_note_fn	*note;
	void			*arg;

	/* The store; its blocks of before are read while one is added. */
	pthread_rwlock_t	 store_lock;
	struct tar_store	 store;
	_Atomic uint64_t	 size;		/* that can be read */
	atomic_bool		 whole;		/* there is no more */

	/* Going on. */
	pthread_mutex_t		 decode_lock;
	void			*decoder;
	int			 fd;
	uint64_t		 fd_off;
	uint8_t			*input;
	size_t			 at, have;
	uint8_t			*block;
	size_t			 filled;
	bool			 between;	/* two streams, or at the end */
	bool			 ended;		/* no more is decoded */
	int			 err;		/* of the store: no more of it */
	int			 input_err;	/* of the file: the same */
};

/* ------------------------------------------------------------- decoding -- */

static void
end(struct packed *p, const char *why)
{
	char text[160];

	p->ended = true;
	if (why == NULL)
		return;
	snprintf(text, sizeof text, "%s: %s, after %llu bytes of it and %llu "
	    "decoded: what is before is served", p->codec->name, why,
	    (unsigned long long)(p->fd_off - (p->have - p->at)),
	    (unsigned long long)p->size + p->filled);
	p->note(p->arg, text);
}

/* More input; false: there is none any more, or p->input_err. */
static bool
get_input(struct packed *p)
{
	ssize_t n;

	memmove(p->input, p->input + p->at, p->have - p->at);
	p->have -= p->at;
	p->at = 0;
	do
		n = pread(p->fd, p->input + p->have, INPUT - p->have,
		    (off_t)p->fd_off);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		p->input_err = errno;
	if (n <= 0)
		return false;
	p->fd_off += (uint64_t)n;
	p->have += (size_t)n;
	return true;
}

/* Behind a stream: zeros, another one of the same codec, or the end. */
static bool
next_stream(struct packed *p)
{
	do {
		while (p->at < p->have && p->input[p->at] == 0)
			p->at++;
	} while (p->at == p->have && get_input(p));
	while (p->have - p->at < TAR_SNIFF && get_input(p))
		;
	if (p->at == p->have || p->input_err != 0) {
		end(p, p->input_err != 0 ? strerror(p->input_err) : NULL);
		return false;
	}
	if (!tar_codec_goes_on(p->codec, p->input + p->at,
	    p->have - p->at)) {
		end(p, "what follows the last stream is something else");
		return false;
	}
	p->decoder = p->codec->begin(p->decoder);
	if (p->decoder == NULL) {
		end(p, "no memory");
		return false;
	}
	p->between = false;
	return true;
}

static bool
is_bomb(const struct packed *p)
{
	uint64_t decoded = p->size + p->filled;

	return decoded > RATIO_FROM && decoded / RATIO_MAX > p->fd_off;
}

static const char *
text_of(int err)
{
	switch (err) {
	case ENOMEM:
		return "no memory";
	case ENOTSUP:
		return "it takes more memory to decode than is allowed";
	}
	return "damaged";
}

/* Why there is no more input. */
static const char *
text_of_end(const struct packed *p)
{
	return p->input_err != 0 ? strerror(p->input_err) : "cut";
}

/* Go on by a step.  Why it does not, or NULL. */
static const char *
step(struct packed *p)
{
	bool over = p->at == p->have && !get_input(p);
	struct tar_stretch s = { p->input + p->at, p->have - p->at,
	    p->block + p->filled, TAR_BLOCK_SIZE - p->filled };
	int err = p->codec->run(p->decoder, &s);
	bool stuck = s.in_len == p->have - p->at &&
	    s.out_len == TAR_BLOCK_SIZE - p->filled;

	p->at = p->have - s.in_len;
	p->filled = TAR_BLOCK_SIZE - s.out_len;
	if (err == ENODATA)
		p->between = true;
	else if (err != 0)
		return over ? text_of_end(p) : text_of(err);
	else if (stuck)
		return over ? text_of_end(p) : text_of(EBADMSG);
	return is_bomb(p) ? "more than 1000 times its size" : NULL;
}

/* Fill the block; less only at the end of all. */
static void
fill_block(struct packed *p)
{
	const char *why;

	while (p->filled < TAR_BLOCK_SIZE && !p->ended) {
		if (p->between && !next_stream(p))
			return;
		if ((why = step(p)) != NULL)
			end(p, why);
	}
}

/* All there is was decoded, or all that can be read. */
static int
at_end(struct packed *p)
{
	if (p->input_err != 0)
		return EIO;
	atomic_store(&p->whole, true);
	return ENODATA;
}

/* One more block.  ENODATA: there is none; EIO: who knows. */
static int
decode_block(struct packed *p)
{
	uint64_t n = p->store.n;

	if (p->err != 0)
		return p->err;
	fill_block(p);
	if (p->filled == 0)
		return at_end(p);
	pthread_rwlock_wrlock(&p->store_lock);
	p->err = tar_store_add(&p->store, p->block, p->filled);
	pthread_rwlock_unlock(&p->store_lock);
	if (p->err != 0) {
		end(p, strerror(p->err));
		return p->err;
	}
	tar_blocks_put(p->blocks, p, n, p->block, p->filled);
	atomic_fetch_add(&p->size, p->filled);
	p->filled = 0;
	if (p->ended)
		at_end(p);
	return 0;
}

/* Go on until `to` bytes are there. */
static int
decode_to(struct packed *p, uint64_t to)
{
	int err = 0;

	if (to <= atomic_load(&p->size))
		return 0;
	pthread_mutex_lock(&p->decode_lock);
	while (err == 0 && atomic_load(&p->size) < to)
		err = atomic_load(p->stop) ? ECANCELED : decode_block(p);
	pthread_mutex_unlock(&p->decode_lock);
	return err == ENODATA ? 0 : err;
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

/* Out of the store, and into the cache. */
static int
load(struct packed *p, uint64_t n, size_t at, char *to, size_t len)
{
	char *block = malloc(TAR_BLOCK_SIZE);
	size_t whole = 0;
	int err;

	if (block == NULL)
		return ENOMEM;
	pthread_rwlock_rdlock(&p->store_lock);
	err = tar_store_get(&p->store, n, block);
	if (err == 0)
		whole = p->store.entry[n].len;
	pthread_rwlock_unlock(&p->store_lock);
	if (err == 0) {
		tar_blocks_put(p->blocks, p, n, block, whole);
		memcpy(to, block + at, len);
	}
	free(block);
	return err;
}

static int
packed_read(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	struct packed *p = (struct packed *)s;
	char *end_of = to, *at = to;
	size_t n;
	int err;

	*got = 0;
	if (off > INT64_MAX || (err = decode_to(p, off + len)) != 0)
		return off > INT64_MAX ? 0 : err;
	len = clip(off, len, atomic_load(&p->size));
	for (end_of += len; at < end_of; at += n, off += n) {
		n = part(off, (size_t)(end_of - at));
		if (!tar_blocks_get(p->blocks, p, off / TAR_BLOCK_SIZE,
		    off % TAR_BLOCK_SIZE, at, n) && (err = load(p,
		    off / TAR_BLOCK_SIZE, off % TAR_BLOCK_SIZE, at, n)) != 0)
			return err;
	}
	*got = len;
	return 0;
}

static int
packed_try(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	struct packed *p = (struct packed *)s;
	bool whole = atomic_load(&p->whole);	/* before what it speaks of */
	uint64_t size = atomic_load(&p->size);
	char *at = to, *end_of;
	size_t n;

	if ((off >= size || len > size - off) && !whole)
		return EAGAIN;
	len = clip(off, len, size);
	for (end_of = at + len; at < end_of; at += n, off += n) {
		n = part(off, (size_t)(end_of - at));
		if (!tar_blocks_get(p->blocks, p, off / TAR_BLOCK_SIZE,
		    off % TAR_BLOCK_SIZE, at, n))
			return EAGAIN;
	}
	*got = len;
	return 0;
}

static uint64_t
packed_size(struct tar_source *s)
{
	struct packed *p = (struct packed *)s;

	return atomic_load(&p->whole) ? atomic_load(&p->size) : UINT64_MAX;
}

/* ------------------------------------------------------- begin and end -- */

static void
packed_free(struct tar_source *s)
{
	struct packed *p = (struct packed *)s;

	tar_blocks_drop(p->blocks, p);
	if (p->decoder != NULL)
		p->codec->end(p->decoder);
	tar_store_fini(&p->store);
	pthread_rwlock_destroy(&p->store_lock);
	pthread_mutex_destroy(&p->decode_lock);
	close(p->fd);
	free(p->input);
	free(p->block);
	free(p);
}

struct tar_source *
tar_source_packed(int fd, const struct tar_codec *codec,
    const struct tar_packed_config *config)
{
	static const struct tar_source_ops ops = { packed_read, packed_try,
	    packed_size, packed_free, NULL };
	struct packed *p = calloc(1, sizeof *p);

	if (p == NULL || tar_store_init(&p->store, config->dir) != 0) {
		close(fd);
		free(p);
		errno = ENOMEM;
		return NULL;
	}
	p->source.ops = &ops;
	p->codec = codec;
	p->blocks = config->blocks;
	p->stop = config->stop;
	p->note = config->note;
	p->arg = config->arg;
	p->fd = fd;
	pthread_rwlock_init(&p->store_lock, NULL);
	pthread_mutex_init(&p->decode_lock, NULL);
	p->input = malloc(INPUT);
	p->block = malloc(TAR_BLOCK_SIZE);
	p->decoder = codec->begin(NULL);
	if (p->input != NULL && p->block != NULL && p->decoder != NULL)
		return &p->source;
	packed_free(&p->source);
	errno = ENOMEM;
	return NULL;
}
