/*
 * gzip, by zlib.  A decoder can be left where a block of deflate ends, with
 * the 32 KiB behind which the next one may reach back (zlib's examples/zran.c
 * is the proof that this is enough).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "codec.h"

enum { GZIP = 16 + MAX_WBITS,		/* with gzip's header and trailer */
    RAW = -MAX_WBITS, TRAILER = 8, WINDOW = 32 << 10 };

struct gzip {
	z_stream	z;
	bool		raw;		/* it began within a stream */
	unsigned	trailer;	/* of that, still to be skipped */
	uint8_t		last;		/* byte that was taken in */
};

/* Before the window. */
struct saved {
	uint8_t		bits;		/* of `last` that were not used */
	uint8_t		last;
};

static void
gzip_end(void *state)
{
	inflateEnd(&((struct gzip *)state)->z);
	free(state);
}

static void *
begin(struct gzip *g, int kind)
{
	bool fresh = g == NULL;

	if (fresh && (g = calloc(1, sizeof *g)) == NULL)
		return NULL;
	g->raw = kind == RAW;
	g->trailer = 0;
	if (!fresh && inflateReset2(&g->z, kind) == Z_OK)
		return g;
	if (fresh && inflateInit2(&g->z, kind) == Z_OK)
		return g;
	if (fresh)
		free(g);
	else
		gzip_end(g);
	return NULL;
}

static void *
gzip_begin(void *state)
{
	return begin(state, GZIP);
}

/* What follows a stream that was not begun with its header. */
static int
skip_trailer(struct gzip *g, struct tar_stretch *s)
{
	size_t n = s->in_len < g->trailer ? s->in_len : g->trailer;

	s->in += n;
	s->in_len -= n;
	g->trailer -= (unsigned)n;
	return g->trailer == 0 ? ENODATA : 0;
}

static bool
at_block_end(const z_stream *z)
{
	return (z->data_type & 0xc0) == 0x80;	/* not that of the last */
}

/* To the end of a block; some are empty and take no whole byte. */
static int
inflate_some(struct gzip *g, struct tar_stretch *s)
{
	z_stream *z = &g->z;
	int rc;

	z->next_in = (Bytef *)(uintptr_t)s->in;
	z->avail_in = (uInt)s->in_len;
	z->next_out = s->out;
	z->avail_out = (uInt)s->out_len;
	do
		rc = inflate(z, Z_BLOCK);
	while (rc == Z_OK && at_block_end(z) && z->avail_in == s->in_len &&
	    z->avail_out == s->out_len && s->in_len > 0);
	if (z->avail_in < s->in_len)
		g->last = z->next_in[-1];
	s->in = z->next_in;
	s->in_len = z->avail_in;
	s->out = z->next_out;
	s->out_len = z->avail_out;
	return rc;
}

static int
gzip_run(void *state, struct tar_stretch *s)
{
	struct gzip *g = state;

	if (g->trailer > 0)
		return skip_trailer(g, s);
	switch (inflate_some(g, s)) {
	case Z_OK:
	case Z_BUF_ERROR:
		return 0;
	case Z_STREAM_END:
		if (!g->raw)
			return ENODATA;
		g->trailer = TRAILER;
		return skip_trailer(g, s);
	case Z_MEM_ERROR:
		return ENOMEM;
	}
	return EBADMSG;
}

static bool
gzip_save(void *state, void *to, size_t *len)
{
	struct gzip *g = state;
	struct saved saved = { (uint8_t)(g->z.data_type & 7), g->last };
	uInt n = 0;

	if (g->trailer > 0 || !at_block_end(&g->z))
		return false;
	memcpy(to, &saved, sizeof saved);
	if (inflateGetDictionary(&g->z, (Bytef *)to + sizeof saved, &n) !=
	    Z_OK)
		return false;
	*len = sizeof saved + n;
	return true;
}

static void *
gzip_resume(void *state, const void *from, size_t len)
{
	const uint8_t *p = from;
	struct saved saved;
	struct gzip *g;

	if (len < sizeof saved || (g = begin(state, RAW)) == NULL)
		return NULL;
	memcpy(&saved, p, sizeof saved);
	g->last = saved.last;
	if ((saved.bits == 0 || inflatePrime(&g->z, saved.bits & 7,
	    saved.last >> (8 - (saved.bits & 7))) == Z_OK) &&
	    inflateSetDictionary(&g->z, p + sizeof saved,
	    (uInt)(len - sizeof saved)) == Z_OK)
		return g;
	gzip_end(g);
	return NULL;
}

static bool
gzip_is_point(const uint8_t *base, size_t len)
{
	(void)base, (void)len;
	return true;
}

#define BY_ZLIB { .name = "gzip", .feature = "zlib", .begin = gzip_begin, \
    .run = gzip_run, .end = gzip_end, .is_point = gzip_is_point, \
    .state_len = sizeof(struct saved) + WINDOW, .save = gzip_save, \
    .resume = gzip_resume }

const struct tar_codec tar_codec_gzip_zlib = BY_ZLIB;
#if !TAR_WITH_ISAL
const struct tar_codec tar_codec_gzip = BY_ZLIB;
#endif
