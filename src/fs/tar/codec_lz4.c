/* lz4, its frame format. */
#include <errno.h>
#include <lz4frame.h>

#include "codec.h"

static void *
lz4_begin(void *state)
{
	LZ4F_dctx *z = state;

	if (z != NULL)
		LZ4F_resetDecompressionContext(z);
	else if (LZ4F_isError(LZ4F_createDecompressionContext(&z,
	    LZ4F_VERSION)))
		return NULL;
	return z;
}

static int
lz4_run(void *state, struct tar_stretch *s)
{
	size_t in = s->in_len, out = s->out_len, rc;

	rc = LZ4F_decompress(state, s->out, &out, s->in, &in, NULL);
	s->in += in;
	s->in_len -= in;
	s->out += out;
	s->out_len -= out;
	if (LZ4F_isError(rc))
		return EBADMSG;
	return rc == 0 ? ENODATA : 0;
}

static void
lz4_end(void *state)
{
	LZ4F_freeDecompressionContext(state);
}

const struct tar_codec tar_codec_lz4 = { .name = "lz4", .feature = "lz4",
    .begin = lz4_begin, .run = lz4_run, .end = lz4_end };
