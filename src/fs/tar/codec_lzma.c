/* xz and the older lzma, by liblzma. */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#include "codec.h"

#define MEMORY_MAX	(UINT64_C(256) << 20)

static void
xz_end(void *state)
{
	lzma_end(state);
	free(state);
}

static lzma_stream *
stream(void *state)
{
	static const lzma_stream fresh = LZMA_STREAM_INIT;
	lzma_stream *z = state;

	if (z == NULL && (z = malloc(sizeof *z)) != NULL)
		*z = fresh;
	return z;
}

static void *
begun(lzma_stream *z, lzma_ret rc)
{
	if (rc == LZMA_OK)
		return z;
	xz_end(z);
	return NULL;
}

static void *
xz_begin(void *state)
{
	lzma_stream *z = stream(state);

	return z == NULL ? NULL : begun(z, lzma_stream_decoder(z, MEMORY_MAX,
	    0));
}

static void *
lzma_begin(void *state)
{
	lzma_stream *z = stream(state);

	return z == NULL ? NULL : begun(z, lzma_alone_decoder(z,
	    MEMORY_MAX));
}

static int
xz_run(void *state, struct tar_stretch *s)
{
	lzma_stream *z = state;
	lzma_ret rc;

	z->next_in = s->in;
	z->avail_in = s->in_len;
	z->next_out = s->out;
	z->avail_out = s->out_len;
	rc = lzma_code(z, LZMA_RUN);
	s->in = z->next_in;
	s->in_len = z->avail_in;
	s->out = z->next_out;
	s->out_len = z->avail_out;
	switch (rc) {
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return 0;
	case LZMA_STREAM_END:
		return ENODATA;
	case LZMA_MEM_ERROR:
		return ENOMEM;
	case LZMA_MEMLIMIT_ERROR:
		return ENOTSUP;
	default:
		return EBADMSG;
	}
}

const struct tar_codec tar_codec_xz = { "xz", "lzma", xz_begin, xz_run,
    xz_end };
const struct tar_codec tar_codec_lzma = { "lzma", "lzma", lzma_begin, xz_run,
    xz_end };
