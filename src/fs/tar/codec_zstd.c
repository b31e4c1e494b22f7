/* zstd; frames to be skipped are skipped by the library. */
#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "codec.h"

enum { WINDOW_LOG_MAX = 27 };		/* 128 MiB */

static void *
zstd_begin(void *state)
{
	ZSTD_DCtx *z = state != NULL ? state : ZSTD_createDCtx();

	if (z == NULL)
		return NULL;
	ZSTD_DCtx_reset(z, ZSTD_reset_session_only);
	ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return z;
}

static int
zstd_run(void *state, struct tar_stretch *s)
{
	ZSTD_inBuffer in = { s->in, s->in_len, 0 };
	ZSTD_outBuffer out = { s->out, s->out_len, 0 };
	size_t rc = ZSTD_decompressStream(state, &out, &in);

	s->in += in.pos;
	s->in_len -= in.pos;
	s->out += out.pos;
	s->out_len -= out.pos;
	if (!ZSTD_isError(rc))
		return rc == 0 ? ENODATA : 0;
	switch (ZSTD_getErrorCode(rc)) {
	case ZSTD_error_memory_allocation:
		return ENOMEM;
	case ZSTD_error_frameParameter_windowTooLarge:
		return ENOTSUP;
	default:
		return EBADMSG;
	}
}

static void
zstd_end(void *state)
{
	ZSTD_freeDCtx(state);
}

const struct tar_codec tar_codec_zstd = { "zstd", "zstd", zstd_begin,
    zstd_run, zstd_end };
