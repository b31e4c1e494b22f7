/* Members of zips, decoded.  See zip_source.h. */
#include "zip_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zip_points.h"

enum { DECODERS = 4, INPUT = TAR_BLOCK_SIZE, SMALL = 16 * TAR_BLOCK_SIZE,
    TOLD_MAX = 16, LZMA_HEADER = 9, STEP = 64 /* blocks */ };
#define NOBODY	UINT32_MAX

/* It stands somewhere in a member. */
struct decoder {
	bool			 busy;
	bool			 lately;	/* used, since a rest */
	uint64_t		 used;		/* when; a count */
	uint32_t		 member;	/* or NOBODY */
	const struct tar_codec	*codec;
	void			*state;
	uint64_t		 in, out;	/* bytes before where it stands */
	uint32_t		 crc;		/* of those decoded */
	bool			 ended;		/* the stream is complete */
	uint8_t			*input;
	size_t			 at, have;
	uint8_t			*block;
};

struct zip {
	struct tar_source	 source;
	struct tar_source	*file;
	struct zip_end		 end;
	struct zip_config	 config;
	struct tar_blocks	*blocks;
	atomic_uint		 told;

	zip_fill_fn		*fill;
	pthread_mutex_t		 fill_lock;	/* before put_lock */
	atomic_bool		 whole;
	pthread_mutex_t		 put_lock;
	struct zip_member	*member;	/* all before n can be read */
	uint32_t		 cap;
	_Atomic uint32_t	 n;
	uint64_t		 behind;	/* the last of them */

	struct zip_points	*points;
	pthread_mutex_t		 lock;		/* the decoders */
	pthread_cond_t		 given;
	uint64_t		 uses;
	struct decoder		 decoder[DECODERS];
};

const struct tar_codec *
zip_codec_of(uint16_t method)
{
	switch (method) {
	case ZIP_DEFLATED:
		return &zip_deflate;
	case ZIP_BZIP2:
		return &tar_codec_bzip2;
	case ZIP_LZMA:
		return &tar_codec_lzma;
	case ZIP_ZSTD:
		return &tar_codec_zstd;
	case ZIP_XZ:
		return &tar_codec_xz;
	}
	return NULL;
}

/* ------------------------------------------------------------- members -- */

/* Each member says it once; an archive of many such is not heard for ever. */
static void
tell(struct zip *z, const struct zip_member *m, const char *why)
{
	char text[160];
	unsigned n = atomic_fetch_add(&z->told, 1);

	if (n > TOLD_MAX)
		return;
	snprintf(text, sizeof text, "member at %llu: %s%s",
	    (unsigned long long)m->header, why, n == TOLD_MAX ?
	    "; of others nothing is said" : "");
	z->config.note(z->config.arg, text);
}

/* No more of it than the first `good` bytes from now on. */
static int
give_up(struct zip *z, struct zip_member *m, uint64_t good, const char *why)
{
	if (atomic_exchange(&m->good, good) == UINT64_MAX)
		tell(z, m, why);
	return EIO;
}

/* No byte of a member belongs to two. */
static uint64_t
limit_of(struct zip *z, const struct zip_member *m)
{
	uint32_t i = (uint32_t)(m - z->member);

	return i + 1 < atomic_load(&z->n) ? m[1].header : z->end.directory;
}

/*
 * Where its bytes are in the file: behind the local header, which has extra
 * fields of its own.  The rest of what that says does not count.
 */
static int
locate(struct zip *z, struct zip_member *m, uint64_t *data)
{
	uint8_t h[ZIP_LOCAL_SIZE];
	size_t got;
	int err;

	if ((*data = atomic_load(&m->data)) != 0)
		return 0;
	if ((err = tar_source_read(z->file, m->header, h, sizeof h,
	    &got)) != 0)
		return err;
	if (got < sizeof h || memcmp(h, "PK\3\4", 4) != 0)
		return give_up(z, m, 0, "there is no header of a member");
	*data = m->header + sizeof h + zip_u16(h + 26) + zip_u16(h + 28);
	if (*data > limit_of(z, m) || m->packed > limit_of(z, m) - *data)
		return give_up(z, m, 0, "it reaches into what follows it");
	atomic_store(&m->data, *data);
	return 0;
}

/* The one with that offset; NULL: none, or it is not known yet. */
static struct zip_member *
member_at(struct zip *z, uint64_t off)
{
	uint32_t low = 0, high = atomic_load(&z->n), mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (z->member[mid].begin <= off)
			low = mid + 1;
		else
			high = mid;
	}
	return low == 0 || off - z->member[low - 1].begin >=
	    z->member[low - 1].size ? NULL : &z->member[low - 1];
}

/* ------------------------------------------------------------- decoding -- */

/* lzma as zip has it: version, length of the properties, these; then the
 * stream.  The decoder wants the header of files of its own. */
static int
begin_lzma(struct zip *z, struct decoder *d, const struct zip_member *m)
{
	uint8_t head[LZMA_HEADER], file[13];
	struct tar_stretch s = { file, sizeof file, d->block, 1 };
	uint64_t size = m->flags & ZIP_FLAG_LZMA_EOS ? UINT64_MAX : m->size;
	unsigned i;
	size_t got;
	int err;

	err = tar_source_read(z->file, m->data, head, sizeof head, &got);
	if (err != 0)
		return err;
	if (m->packed < sizeof head || got < sizeof head ||
	    zip_u16(head + 2) != 5)
		return EBADMSG;
	memcpy(file, head + 4, 5);
	for (i = 0; i < 8; i++)
		file[5 + i] = (uint8_t)(size >> 8 * i);
	d->in = sizeof head;
	err = d->codec->run(d->state, &s);
	return err != 0 ? err : s.in_len != 0 || s.out_len != 1 ? EBADMSG : 0;
}

/* From the beginning. */
static int
begin(struct zip *z, struct decoder *d, const struct zip_member *m)
{
	const struct tar_codec *codec = zip_codec_of(m->method);

	if (d->codec != codec && d->state != NULL) {
		d->codec->end(d->state);
		d->state = NULL;
	}
	d->codec = codec;
	if ((d->state = codec->begin(d->state)) == NULL)
		return ENOMEM;
	d->in = d->out = d->crc = 0;
	d->at = d->have = 0;
	d->ended = false;
	return m->method == ZIP_LZMA ? begin_lzma(z, d, m) : 0;
}

/* At a point of deflate's.  ENOENT: there is none that helps. */
static int
begin_at_point(struct zip *z, struct decoder *d, const struct zip_member *m,
    uint64_t from, uint64_t to)
{
	struct zip_point *p;
	uint8_t before = 0;
	size_t got = 1;
	int err = ENOENT;

	if (m->method != ZIP_DEFLATED || m->size <= SMALL || to == 0)
		return ENOENT;
	if ((p = malloc(sizeof *p)) == NULL)
		return ENOMEM;
	if (!zip_points_find(z->points, d->member, from, to, p) ||
	    (err = begin(z, d, m)) != 0)
		goto out;
	if (p->bits != 0)
		err = tar_source_read(z->file, m->data + p->in - 1, &before,
		    1, &got);
	if (err == 0 && got == 1 &&
	    !zip_inflate_restore(d->state, p, before))
		err = ENOMEM;
	d->in = p->in;
	d->out = p->out;
	d->crc = p->crc;
out:
	free(p);
	return got == 1 ? err : EIO;
}

static int
get_input(struct zip *z, struct decoder *d, const struct zip_member *m)
{
	uint64_t left = m->packed - d->in;

	d->at = 0;
	return tar_source_read(z->file, m->data + d->in, d->input,
	    left < INPUT ? (size_t)left : INPUT, &d->have);
}

static void
add_point(struct zip *z, struct decoder *d)
{
	struct zip_point *p = malloc(sizeof *p);

	if (p == NULL)
		return;
	p->in = d->in;
	p->out = d->out;
	p->crc = d->crc;
	if (zip_inflate_save(d->state, p))
		zip_points_add(z->points, d->member, p);
	else
		free(p);
}

/* Some bytes more, into `room` of them.  EBADMSG, ENOTSUP: damaged. */
static int
step(struct zip *z, struct decoder *d, const struct zip_member *m,
    uint8_t *to, size_t room, size_t *made)
{
	struct tar_stretch s = { .out = to, .out_len = room };
	bool at_end = false;
	size_t taken;
	int err;

	*made = 0;
	if (d->at == d->have && (err = get_input(z, d, m)) != 0)
		return err;
	s.in = d->input + d->at;
	s.in_len = d->have - d->at;
	if (m->method == ZIP_DEFLATED && m->size > SMALL &&
	    zip_points_due(z->points, d->member, d->out))
		err = zip_inflate_step(d->state, &s, &at_end);
	else
		err = d->codec->run(d->state, &s);
	taken = d->have - d->at - s.in_len;
	*made = room - s.out_len;
	d->at += taken;
	d->in += taken;
	d->out += *made;
	d->crc = zip_crc(d->crc, to, *made);
	if (at_end)
		add_point(z, d);
	if (err == ENODATA)
		d->ended = true;
	else if (err == 0 && taken == 0 && *made == 0)
		err = EBADMSG;
	return err == ENODATA ? 0 : err;
}

/* A stream is complete before its member is: some have several. */
static int
next_stream(struct decoder *d, const struct zip_member *m)
{
	if (m->method == ZIP_DEFLATED || m->method == ZIP_LZMA ||
	    d->in == m->packed)
		return EBADMSG;
	d->ended = false;
	d->state = d->codec->begin(d->state);
	return d->state == NULL ? ENOMEM : 0;
}

/* So many bytes, to the block. */
static int
fill(struct zip *z, struct decoder *d, const struct zip_member *m, size_t len)
{
	size_t filled = 0, made;
	int err = 0;

	while (err == 0 && filled < len) {
		if (atomic_load(z->config.stop))
			return ECANCELED;
		if (d->ended && (err = next_stream(d, m)) != 0)
			break;
		err = step(z, d, m, d->block + filled, len - filled, &made);
		filled += made;
	}
	return err;
}

/* All of it was decoded: is the stream at its end, and the sum right? */
static int
check_end(struct zip *z, struct decoder *d, struct zip_member *m,
    char *why, size_t size)
{
	uint8_t more;
	size_t made;
	int err;

	while (!d->ended) {
		if ((err = step(z, d, m, &more, 1, &made)) != 0)
			return err;
		if (made != 0) {
			snprintf(why, size, "it is longer than the %llu bytes "
			    "that it says", (unsigned long long)m->size);
			return EBADMSG;
		}
	}
	if (d->crc == m->crc)
		return 0;
	snprintf(why, size, "its checksum is %08x, and that of its bytes %08x",
	    (unsigned)m->crc, (unsigned)d->crc);
	return EBADMSG;
}

static size_t
block_len(const struct zip_member *m, uint64_t n)
{
	uint64_t left = m->size - n * TAR_BLOCK_SIZE;

	return left < TAR_BLOCK_SIZE ? (size_t)left : TAR_BLOCK_SIZE;
}

/* The next block.  What is damaged stays so, and is told. */
static int
decode_block(struct zip *z, struct decoder *d, struct zip_member *m)
{
	uint64_t n = d->out / TAR_BLOCK_SIZE;
	size_t len = block_len(m, n);
	char why[100] = "it is damaged";
	int err;

	if ((err = fill(z, d, m, len)) == 0 && d->out == m->size)
		err = check_end(z, d, m, why, sizeof why);
	if (err == 0)
		tar_blocks_put(z->blocks, z,
		    m->begin / TAR_BLOCK_SIZE + n, d->block, len);
	if (err == ENOTSUP)
		snprintf(why, sizeof why, "it takes more memory to decode "
		    "than is allowed");
	return err == EBADMSG || err == ENOTSUP ?
	    give_up(z, m, n * TAR_BLOCK_SIZE, why) : err;
}

/* Let it stand at most `to` bytes behind the beginning, a block's. */
static int
go_near(struct zip *z, struct decoder *d, struct zip_member *m, uint64_t to)
{
	bool here = d->state != NULL && d->out <= to;
	size_t left;
	int err;

	err = begin_at_point(z, d, m, here ? d->out : 0, to);
	if (err == ENOENT)
		err = here ? 0 : begin(z, d, m);
	left = (size_t)(d->out % TAR_BLOCK_SIZE);
	if (err == 0 && left != 0)
		err = fill(z, d, m, TAR_BLOCK_SIZE - left);
	if (err == EBADMSG || err == ENOTSUP)
		err = give_up(z, m, 0, "it is damaged");
	return err;
}

struct wanted {
	uint64_t	 n;		/* block of the member */
	size_t		 at, len;
	char		*to;
	uint64_t	 most;		/* blocks to decode; then EAGAIN */
};

/* Up to the block that is wanted; a small member to its end.  *broke: the
 * decoder is of no use any more, even if the block was found. */
static int
decode(struct zip *z, struct decoder *d, struct zip_member *m,
    const struct wanted *w, bool *broke)
{
	uint64_t end = m->size <= SMALL ? m->size :
	    w->n * TAR_BLOCK_SIZE + block_len(m, w->n);
	uint64_t n, left = w->most;
	bool found = false;
	int err = go_near(z, d, m, w->n * TAR_BLOCK_SIZE);

	while (err == 0 && d->out < end) {
		if (left-- == 0) {
			*broke = false;
			return EAGAIN;
		}
		n = d->out / TAR_BLOCK_SIZE;
		if ((err = decode_block(z, d, m)) == 0 && n == w->n) {
			memcpy(w->to, d->block + w->at, w->len);
			found = true;
		}
	}
	*broke = err != 0;
	return found ? 0 : err;
}

/* ------------------------------------------------------------- decoders -- */

static bool
is_ready(struct decoder *d)
{
	if (d->input == NULL)
		d->input = malloc(INPUT);
	if (d->block == NULL)
		d->block = malloc(TAR_BLOCK_SIZE);
	return d->input != NULL && d->block != NULL;
}

/* That of the member, else the one not used for the longest time. */
static struct decoder *
choose(struct zip *z, uint32_t member)
{
	struct decoder *d, *best = NULL;

	for (d = z->decoder; d < z->decoder + DECODERS; d++) {
		if (d->member == member)
			return d;
		if (!d->busy && (best == NULL || d->used < best->used))
			best = d;
	}
	return best;
}

/* *to is NULL: another thread was decoding that member, so look again. */
static int
take(struct zip *z, uint32_t member, struct decoder **to)
{
	struct decoder *d;
	int err = 0;

	pthread_mutex_lock(&z->lock);
	while ((d = choose(z, member)) == NULL)
		pthread_cond_wait(&z->given, &z->lock);
	if (d->busy) {
		pthread_cond_wait(&z->given, &z->lock);
		d = NULL;
	} else if (!is_ready(d)) {
		err = ENOMEM;
	} else {
		if (d->member != member)
			d->out = UINT64_MAX;	/* nowhere in it */
		d->member = member;
		d->busy = d->lately = true;
	}
	pthread_mutex_unlock(&z->lock);
	*to = d;
	return err;
}

static void
give(struct zip *z, struct decoder *d, bool broke)
{
	pthread_mutex_lock(&z->lock);
	if (broke)
		d->member = NOBODY;
	d->busy = false;
	d->used = ++z->uses;
	pthread_cond_broadcast(&z->given);
	pthread_mutex_unlock(&z->lock);
}

/* -------------------------------------------------------------- reading -- */

/* A part of one block: out of the cache, or decoded now. */
static int
read_part(struct zip *z, struct zip_member *m, const struct wanted *w)
{
	uint64_t n = m->begin / TAR_BLOCK_SIZE + w->n, data;
	struct decoder *d;
	bool broke;
	int err;

	while (!tar_blocks_get(z->blocks, z, n, w->at, w->to, w->len)) {
		if (w->n * TAR_BLOCK_SIZE >= atomic_load(&m->good))
			return EIO;
		if ((err = locate(z, m, &data)) != 0 ||
		    (err = take(z, (uint32_t)(m - z->member), &d)) != 0)
			return err;
		if (d == NULL)
			continue;
		err = decode(z, d, m, w, &broke);
		give(z, d, broke);
		return err;
	}
	return 0;
}

static int
read_packed(struct zip *z, struct zip_member *m, uint64_t off, char *to,
    size_t len, uint64_t most)
{
	struct wanted w = { .to = to, .most = most };
	int err = 0;

	for (; len > 0 && err == 0; off += w.len, w.to += w.len, len -= w.len) {
		w.n = off / TAR_BLOCK_SIZE;
		w.at = (size_t)(off % TAR_BLOCK_SIZE);
		w.len = TAR_BLOCK_SIZE - w.at;
		if (w.len > len)
			w.len = len;
		err = read_part(z, m, &w);
	}
	return err;
}

/* An index that was kept needs no going through the directory, but this. */
static int
find_member(struct zip *z, uint64_t off, struct zip_member **m)
{
	int err = 0;

	if ((*m = member_at(z, off)) != NULL || atomic_load(&z->whole))
		return 0;
	pthread_mutex_lock(&z->fill_lock);
	if (!atomic_load(&z->whole))
		err = z->fill(&z->source);
	pthread_mutex_unlock(&z->fill_lock);
	*m = member_at(z, off);
	return *m != NULL ? 0 : err;
}

static int
read_most(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got, uint64_t most)
{
	struct zip *z = (struct zip *)s;
	struct zip_member *m;
	uint64_t data;
	int err;

	*got = 0;
	if ((err = find_member(z, off, &m)) != 0 || m == NULL)
		return err;
	off -= m->begin;
	if (len > m->size - off)
		len = (size_t)(m->size - off);
	if (m->method != ZIP_STORED) {
		*got = len;
		return read_packed(z, m, off, to, len,
		    m->method == ZIP_DEFLATED ? most : UINT64_MAX);
	}
	if (atomic_load(&m->good) == 0)
		return EIO;
	if ((err = locate(z, m, &data)) != 0)
		return err;
	return tar_source_read(z->file, data + off, to, len, got);
}

static int
zip_read(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	return read_most(s, off, to, len, got, UINT64_MAX);
}

/*
 * A decoder, or at least a point, stays where a step ends.  Other methods
 * have none: a step that lost its decoder would begin anew for ever.
 */
static int
zip_step(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	return read_most(s, off, to, len, got, STEP);
}

static int
zip_try(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	struct zip *z = (struct zip *)s;
	struct zip_member *m = member_at(z, off);
	char *at = to, *end;
	uint64_t data;
	size_t n;

	*got = 0;
	if (m == NULL)
		return atomic_load(&z->whole) ? 0 : EAGAIN;
	if (len > m->size - (off - m->begin))
		len = (size_t)(m->size - (off - m->begin));
	if (m->method == ZIP_STORED) {
		data = atomic_load(&m->data);
		return data == 0 ? EAGAIN : tar_source_try(z->file,
		    data + (off - m->begin), to, len, got);
	}
	for (end = at + len; at < end; at += n, off += n) {
		n = TAR_BLOCK_SIZE - (size_t)(off % TAR_BLOCK_SIZE);
		if (n > (size_t)(end - at))
			n = (size_t)(end - at);
		if (!tar_blocks_get(z->blocks, z, off / TAR_BLOCK_SIZE,
		    off % TAR_BLOCK_SIZE, at, n))
			return EAGAIN;
	}
	*got = len;
	return 0;
}

/* What nobody can read is behind it. */
static uint64_t
zip_size(struct tar_source *s)
{
	(void)s;
	return ZIP_NOWHERE;
}

/* ------------------------------------------------------------- the table -- */

struct tar_source *
zip_source_file(struct tar_source *s)
{
	return ((struct zip *)s)->file;
}

const struct zip_end *
zip_source_end(struct tar_source *s)
{
	return &((struct zip *)s)->end;
}

const struct zip_config *
zip_source_config(struct tar_source *s)
{
	return &((struct zip *)s)->config;
}

int
zip_source_room(struct tar_source *s, uint32_t n)
{
	struct zip *z = (struct zip *)s;
	struct zip_member *m;

	if (n == 0)
		return 0;
	if ((m = calloc(n, sizeof *m)) == NULL)
		return ENOMEM;
	pthread_mutex_lock(&z->put_lock);
	if (z->member == NULL) {
		z->member = m;
		z->cap = n;
		m = NULL;
	}
	pthread_mutex_unlock(&z->put_lock);
	free(m);
	return 0;
}

/* Behind the last one. */
static uint64_t
append(struct zip *z, uint32_t i, const struct zip_member *what)
{
	struct zip_member *m = &z->member[i];

	m->header = what->header;
	m->packed = what->packed;
	m->size = what->size;
	m->crc = what->crc;
	m->method = what->method;
	m->flags = what->flags;
	m->begin = z->behind;
	atomic_store(&m->good, UINT64_MAX);
	z->behind += (m->size + TAR_BLOCK_SIZE - 1) / TAR_BLOCK_SIZE *
	    TAR_BLOCK_SIZE;
	atomic_store(&z->n, i + 1);
	return m->begin;
}

uint64_t
zip_source_put(struct tar_source *s, uint32_t i, const struct zip_member *m)
{
	struct zip *z = (struct zip *)s;
	uint64_t begin = ZIP_NOWHERE;
	uint32_t n;

	pthread_mutex_lock(&z->put_lock);
	n = atomic_load(&z->n);
	if (i < n && z->member[i].header == m->header &&
	    z->member[i].size == m->size)
		begin = z->member[i].begin;
	else if (i == n && i < z->cap)
		begin = append(z, i, m);
	/* Else the file changed under us. */
	pthread_mutex_unlock(&z->put_lock);
	return begin;
}

void
zip_source_whole(struct tar_source *s)
{
	atomic_store(&((struct zip *)s)->whole, true);
}

/* -------------------------------------------------------- begin and end -- */

static void
free_decoder(struct decoder *d)
{
	if (d->state != NULL)
		d->codec->end(d->state);
	free(d->input);
	free(d->block);
	*d = (struct decoder){ .member = NOBODY };
}

static void
zip_rest(struct tar_source *s)
{
	struct zip *z = (struct zip *)s;
	struct decoder *d;

	pthread_mutex_lock(&z->lock);
	for (d = z->decoder; d < z->decoder + DECODERS; d++) {
		if (!d->busy && !d->lately)
			free_decoder(d);
		d->lately = false;
	}
	pthread_mutex_unlock(&z->lock);
}

static void
zip_free(struct tar_source *s)
{
	struct zip *z = (struct zip *)s;
	struct decoder *d;

	for (d = z->decoder; d < z->decoder + DECODERS; d++)
		free_decoder(d);
	tar_blocks_drop(z->blocks, z);
	zip_points_free(z->points);
	tar_source_free(z->file);
	pthread_cond_destroy(&z->given);
	pthread_mutex_destroy(&z->lock);
	pthread_mutex_destroy(&z->put_lock);
	pthread_mutex_destroy(&z->fill_lock);
	free(z->member);
	free(z);
}

static const struct tar_source_ops ops = { .read = zip_read,
    .try_read = zip_try, .step = zip_step, .size = zip_size,
    .free = zip_free, .rest = zip_rest };

bool
tar_source_is_zip(const struct tar_source *s)
{
	return s->ops == &ops;
}

struct tar_source *
zip_source_new(struct tar_source *file, const struct zip_end *end,
    const struct zip_config *config, zip_fill_fn *fn)
{
	struct zip *z = calloc(1, sizeof *z);
	unsigned i;

	if (z == NULL || (z->points = zip_points_new()) == NULL) {
		free(z);
		return NULL;
	}
	z->source.ops = &ops;
	z->file = file;
	z->end = *end;
	z->config = *config;
	z->blocks = config->blocks;
	z->fill = fn;
	for (i = 0; i < DECODERS; i++)
		z->decoder[i].member = NOBODY;
	pthread_mutex_init(&z->fill_lock, NULL);
	pthread_mutex_init(&z->put_lock, NULL);
	pthread_mutex_init(&z->lock, NULL);
	pthread_cond_init(&z->given, NULL);
	return &z->source;
}
