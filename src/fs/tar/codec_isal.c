/*
 * gzip, by ISA-L, which is several times as fast as zlib.  Its decoder is one
 * struct without pointers but those to input and output, so that a copy of it
 * is all that is needed to go on from there.
 */
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

static void *
gzip_begin(void *state)
{
	struct inflate_state *z = state;

	if (z == NULL && (z = calloc(1, sizeof *z)) == NULL)
		return NULL;
	isal_inflate_init(z);
	z->crc_flag = ISAL_GZIP;
	return z;
}

static int
gzip_run(void *state, struct tar_stretch *s)
{
	struct inflate_state *z = state;
	int rc;

	z->next_in = (uint8_t *)(uintptr_t)s->in;
	z->avail_in = (uint32_t)s->in_len;
	z->next_out = s->out;
	z->avail_out = (uint32_t)s->out_len;
	rc = isal_inflate(z);
	s->in = z->next_in;
	s->in_len = z->avail_in;
	s->out = z->next_out;
	s->out_len = z->avail_out;
	if (rc < 0 || rc == ISAL_NEED_DICT)
		return EBADMSG;
	return z->block_state == ISAL_BLOCK_FINISH ? ENODATA : 0;
}

/* Of the output only the last 32 KiB, and what was not handed out, count. */
static bool
gzip_save(void *state, void *to, size_t *len)
{
	const struct inflate_state *z = state;
	struct inflate_state *copy = to;
	int32_t from = z->tmp_out_processed - ISAL_DEF_HIST_SIZE;

	memcpy(copy, z, sizeof *copy);
	copy->next_in = copy->next_out = NULL;
	copy->avail_in = copy->avail_out = 0;
	if (from > 0)
		memset(copy->tmp_out_buffer, 0, (size_t)from);
	memset(copy->tmp_out_buffer + z->tmp_out_valid, 0,
	    sizeof copy->tmp_out_buffer - (size_t)z->tmp_out_valid);
	*len = sizeof *copy;
	return true;
}

/* Its tables lead anywhere: it is as gzip_save made it, or not asked for
 * (store.h). */
static void *
gzip_resume(void *state, const void *from, size_t len)
{
	struct inflate_state *z = state;

	if (len != sizeof *z)
		return NULL;
	if (z == NULL && (z = malloc(sizeof *z)) == NULL)
		return NULL;
	memcpy(z, from, sizeof *z);
	return z;
}

static uint64_t
find_version(void)
{
	static const uint8_t fixed[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3,
	    0x2b, 0xc8, 0xcc, 0x4b, 0x4d, 0x2b, 0x56, 0x28 };
	struct inflate_state *z = gzip_begin(NULL), *copy = malloc(sizeof *z);
	struct tar_stretch s = { fixed, sizeof fixed, (uint8_t[64]){ 0 }, 64 };
	uint64_t h = sizeof *z, word;
	size_t i, len;

	if (z != NULL && copy != NULL && gzip_run(z, &s) == 0 &&
	    gzip_save(z, copy, &len))
		for (i = 0; i + sizeof word <= sizeof *copy;
		    i += sizeof word) {
			memcpy(&word, (const char *)copy + i, sizeof word);
			h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
			h ^= h >> 32;
		}
	free(z);
	free(copy);
	return h;
}

/*
 * The library does not say its version, so it is told from what it makes of
 * the first half of a stream: tables of another form are other bytes.
 */
static uint64_t
gzip_version(void)
{
	static _Atomic uint64_t version;

	if (version == 0)
		version = find_version();
	return version;
}

static bool
gzip_is_point(const uint8_t *base, size_t len)
{
	(void)base, (void)len;
	return true;
}

const struct tar_codec tar_codec_gzip = { .name = "gzip", .feature = "isal",
    .begin = gzip_begin, .run = gzip_run, .end = free,
    .is_point = gzip_is_point, .state_len = sizeof(struct inflate_state),
    .save = gzip_save, .resume = gzip_resume, .version = gzip_version };
