/* bzip2. */
#include <bzlib.h>
#include <errno.h>
#include <stdlib.h>

#include "codec.h"

static void
bzip2_end(void *state)
{
	BZ2_bzDecompressEnd(state);
	free(state);
}

static void *
bzip2_begin(void *state)
{
	bz_stream *z;

	if (state != NULL)
		bzip2_end(state);
	if ((z = calloc(1, sizeof *z)) == NULL)
		return NULL;
	if (BZ2_bzDecompressInit(z, 0, 0) != BZ_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static int
bzip2_run(void *state, struct tar_stretch *s)
{
	bz_stream *z = state;
	int rc;

	z->next_in = (char *)(uintptr_t)s->in;
	z->avail_in = (unsigned)s->in_len;
	z->next_out = (char *)s->out;
	z->avail_out = (unsigned)s->out_len;
	rc = BZ2_bzDecompress(z);
	s->in = (uint8_t *)z->next_in;
	s->in_len = z->avail_in;
	s->out = (uint8_t *)z->next_out;
	s->out_len = z->avail_out;
	switch (rc) {
	case BZ_OK:
		return 0;
	case BZ_STREAM_END:
		return ENODATA;
	case BZ_MEM_ERROR:
		return ENOMEM;
	}
	return EBADMSG;
}

const struct tar_codec tar_codec_bzip2 = { .name = "bzip2",
    .feature = "bzip2", .begin = bzip2_begin, .run = bzip2_run,
    .end = bzip2_end };
