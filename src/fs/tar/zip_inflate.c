/* Raw deflate, by zlib.  See zip_inflate.h. */
#include "zip_inflate.h"

#include "zip_dir.h"

#if TAR_WITH_ZLIB

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

enum { RAW = -MAX_WBITS };

static void
deflate_end(void *state)
{
	inflateEnd(state);
	free(state);
}

static void *
deflate_begin(void *state)
{
	z_stream *z = state;

	if (z != NULL)
		return inflateReset2(z, RAW) == Z_OK ? z : NULL;
	if ((z = calloc(1, sizeof *z)) == NULL)
		return NULL;
	if (inflateInit2(z, RAW) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static int
run(z_stream *z, struct tar_stretch *s, int flush)
{
	int rc;

	z->next_in = (Bytef *)(uintptr_t)s->in;
	z->avail_in = (uInt)s->in_len;
	z->next_out = s->out;
	z->avail_out = (uInt)s->out_len;
	rc = inflate(z, flush);
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

static int
deflate_run(void *state, struct tar_stretch *s)
{
	return run(state, s, Z_NO_FLUSH);
}

int
zip_inflate_step(void *state, struct tar_stretch *s, bool *at_end)
{
	z_stream *z = state;
	int err = run(z, s, Z_BLOCK);

	/* 128: behind a block; 64: it was the last. */
	*at_end = err == 0 && (z->data_type & (128 | 64)) == 128;
	return err;
}

bool
zip_inflate_save(void *state, struct zip_point *p)
{
	z_stream *z = state;
	uInt len = sizeof p->window;

	if (inflateGetDictionary(z, p->window, &len) != Z_OK)
		return false;
	p->bits = (uint8_t)(z->data_type & 7);
	p->len = (uint16_t)len;
	return true;
}

bool
zip_inflate_restore(void *state, const struct zip_point *p, uint8_t before)
{
	z_stream *z = state;

	return inflateReset2(z, RAW) == Z_OK &&
	    (p->bits == 0 ||
	    inflatePrime(z, p->bits, before >> (8 - p->bits)) == Z_OK) &&
	    inflateSetDictionary(z, p->window, p->len) == Z_OK;
}

const struct tar_codec zip_deflate = { .name = "deflate", .feature = "zlib",
    .begin = deflate_begin, .run = deflate_run, .end = deflate_end };

uint32_t
zip_crc(uint32_t crc, const void *base, size_t len)
{
	return (uint32_t)crc32_z(crc, base, len);
}

#else

const struct tar_codec zip_deflate = { .name = "deflate",
    .feature = "zlib" };

int
zip_inflate_step(void *state, struct tar_stretch *s, bool *at_end)
{
	(void)state, (void)s;
	*at_end = false;
	return 0;
}

bool
zip_inflate_save(void *state, struct zip_point *p)
{
	(void)state, (void)p;
	return false;
}

bool
zip_inflate_restore(void *state, const struct zip_point *p, uint8_t before)
{
	(void)state, (void)p, (void)before;
	return false;
}

uint32_t
zip_crc(uint32_t crc, const void *base, size_t len)
{
	const uint8_t *p = base;
	unsigned i;

	crc = ~crc;
	while (len-- > 0)
		for (crc ^= *p++, i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	return ~crc;
}

#endif
