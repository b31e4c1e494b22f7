/* gzip, by zlib. */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "codec.h"

enum { GZIP = 16 + MAX_WBITS };		/* with gzip's header and trailer */

static void
gzip_end(void *state)
{
	inflateEnd(state);
	free(state);
}

static void *
gzip_begin(void *state)
{
	z_stream *z = state;

	if (z != NULL)
		return inflateReset(z) == Z_OK ? z : NULL;
	if ((z = calloc(1, sizeof *z)) == NULL)
		return NULL;
	if (inflateInit2(z, GZIP) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static int
gzip_run(void *state, struct tar_stretch *s)
{
	z_stream *z = state;
	int rc;

	z->next_in = (Bytef *)(uintptr_t)s->in;
	z->avail_in = (uInt)s->in_len;
	z->next_out = s->out;
	z->avail_out = (uInt)s->out_len;
	rc = inflate(z, Z_NO_FLUSH);
	s->in = z->next_in;
	s->in_len = z->avail_in;
	s->out = z->next_out;
	s->out_len = z->avail_out;
	switch (rc) {
	case Z_OK:
	case Z_BUF_ERROR:
		return 0;
	case Z_STREAM_END:
		return ENODATA;
	case Z_MEM_ERROR:
		return ENOMEM;
	}
	return EBADMSG;
}

const struct tar_codec tar_codec_gzip = { "gzip", "zlib", gzip_begin,
    gzip_run, gzip_end };
