/* zstd; frames to be skipped are skipped by the library. */
#include <errno.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "codec.h"

#ifdef PINEFS_FUZZ
enum { WINDOW_LOG_MAX = 20 };
#else
enum { WINDOW_LOG_MAX = 27 };		/* 128 MiB */
#endif
enum { POINT_LOG_MAX = 23 };		/* of frames to begin with */

/*
 * A new one for each frame: buffers that another frame has left larger let a
 * damaged one give bytes that a decoder which begins with it does not.
 */
static void *
zstd_begin(void *state)
{
	ZSTD_DCtx *z;

	ZSTD_freeDCtx(state);
	if ((z = ZSTD_createDCtx()) == NULL)
		return NULL;
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

/*
 * A frame whose window is small (RFC 8878 section 3.1.1.1); one that is a
 * single segment says its size in place of a window.
 */
static bool
zstd_is_point(const uint8_t *p, size_t len)
{
	static const uint8_t fcs[] = { 1, 2, 4, 8 }, did[] = { 0, 1, 2, 4 };
	uint64_t size = 0;
	unsigned i, n, at;

	if (len < 6 || memcmp(p, "\x28\xb5\x2f\xfd", 4) != 0)
		return true;		/* to be skipped */
	if ((p[4] & 0x20) == 0)
		return 10u + (p[5] >> 3) < POINT_LOG_MAX;
	n = fcs[p[4] >> 6];
	at = 5u + did[p[4] & 3];
	if (at + n > len)
		return false;
	for (i = 0; i < n; i++)
		size |= (uint64_t)p[at + i] << 8 * i;
	return size < UINT64_C(1) << POINT_LOG_MAX;
}

const struct tar_codec tar_codec_zstd = { .name = "zstd", .feature = "zstd",
    .begin = zstd_begin, .run = zstd_run, .end = zstd_end,
    .is_point = zstd_is_point };
