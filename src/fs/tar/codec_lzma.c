/* xz and the older lzma, by liblzma. */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"

#ifdef PINEFS_FUZZ
#define MEMORY_MAX	(UINT64_C(2) << 20)
#else
#define MEMORY_MAX	(UINT64_C(256) << 20)
#endif

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
code(lzma_stream *z, struct tar_stretch *s)
{
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

static int
xz_run(void *state, struct tar_stretch *s)
{
	return code(state, s);
}

/* ------------------------------------------------- single blocks of xz -- */

/*
 * An xz file ends with an index of its blocks.  What that says of a block is
 * checked when the block is decoded.
 */
struct block {
	lzma_stream	z;
	lzma_block	block;
	lzma_filter	filters[LZMA_FILTERS_MAX + 1];
	struct tar_unit	unit;
	uint8_t		head[LZMA_BLOCK_HEADER_SIZE_MAX];
	size_t		head_len;
	bool		in_data;
};

static void
block_end(void *state)
{
	struct block *b = state;

	lzma_end(&b->z);
	free(b);
}

static void *
block_resume(void *state, const void *from, size_t len)
{
	static const lzma_stream fresh = LZMA_STREAM_INIT;
	struct block *b = state;

	if (len != sizeof b->unit)
		return NULL;
	if (b == NULL) {
		if ((b = calloc(1, sizeof *b)) == NULL)
			return NULL;
		b->z = fresh;
	}
	memcpy(&b->unit, from, len);
	b->head_len = 0;
	b->in_data = false;
	return b;
}

static void
free_filters(struct block *b)
{
	unsigned i;

	for (i = 0; b->filters[i].id != LZMA_VLI_UNKNOWN; i++)
		free(b->filters[i].options);
}

/* The whole header is there. */
static int
begin_data(struct block *b)
{
	lzma_ret rc;

	b->block.filters = b->filters;
	if (lzma_block_header_decode(&b->block, NULL, b->head) != LZMA_OK)
		return EBADMSG;
	if (lzma_block_compressed_size(&b->block, b->unit.len) != LZMA_OK ||
	    (b->block.uncompressed_size != LZMA_VLI_UNKNOWN &&
	    b->block.uncompressed_size != b->unit.size))
		rc = LZMA_DATA_ERROR;
	else if (lzma_raw_decoder_memusage(b->filters) > MEMORY_MAX)
		rc = LZMA_MEMLIMIT_ERROR;
	else {
		b->block.uncompressed_size = b->unit.size;
		rc = lzma_block_decoder(&b->z, &b->block);
	}
	free_filters(b);
	b->in_data = true;
	return rc == LZMA_OK ? 0 : rc == LZMA_MEM_ERROR ? ENOMEM :
	    rc == LZMA_MEMLIMIT_ERROR ? ENOTSUP : EBADMSG;
}

/* Section 3.1 of "The .xz File Format", version 1.1. */
static int
get_head(struct block *b, struct tar_stretch *s)
{
	size_t want;

	while (s->in_len > 0) {
		b->head[b->head_len++] = *s->in++;
		s->in_len--;
		if (b->head[0] == 0)
			return EBADMSG;		/* the index, no block */
		want = lzma_block_header_size_decode(b->head[0]);
		if (b->head_len < want)
			continue;
		b->block.version = 0;
		b->block.header_size = (uint32_t)want;
		b->block.check = (lzma_check)b->unit.kind;
		return begin_data(b);
	}
	return 0;
}

static int
block_run(void *state, struct tar_stretch *s)
{
	struct block *b = state;
	int err = b->in_data ? 0 : get_head(b, s);

	return err != 0 || !b->in_data ? err : code(&b->z, s);
}

static const struct tar_codec xz_block = { .name = "xz", .feature = "lzma",
    .run = block_run, .end = block_end, .resume = block_resume };

#if LZMA_VERSION >= UINT32_C(50040000)
enum { INDEX_MEMORY = 32 << 20, INPUT = 64 << 10 };

/* Its index, or those of all its streams; NULL: none that is sound. */
static lzma_index *
index_of(int fd, uint64_t size)
{
	lzma_stream z = LZMA_STREAM_INIT;
	uint8_t *input = malloc(INPUT);
	lzma_index *index = NULL;
	lzma_ret rc = lzma_file_info_decoder(&z, &index, INDEX_MEMORY, size);
	off_t at = 0;
	ssize_t n;

	if (input == NULL || rc != LZMA_OK)
		rc = LZMA_MEM_ERROR;
	while (rc == LZMA_OK || rc == LZMA_SEEK_NEEDED) {
		if (rc == LZMA_SEEK_NEEDED) {
			at = (off_t)z.seek_pos;
			z.avail_in = 0;
		}
		if (z.avail_in == 0) {
			n = pread(fd, input, INPUT, at);
			if (n <= 0)
				break;
			at += n;
			z.next_in = input;
			z.avail_in = (size_t)n;
		}
		rc = lzma_code(&z, LZMA_RUN);
	}
	lzma_end(&z);
	free(input);
	return rc == LZMA_STREAM_END ? index : NULL;
}

static int
fill_units(struct tar_units *units, const lzma_index *index, uint64_t most)
{
	lzma_index_iter it;
	struct tar_unit *u;

	lzma_index_iter_init(&it, index);
	while (!lzma_index_iter_next(&it, LZMA_INDEX_ITER_NONEMPTY_BLOCK)) {
		if (it.block.uncompressed_size > most)
			return ENOTSUP;
		u = &units->unit[units->n++];
		u->out = it.block.uncompressed_file_offset;
		u->size = it.block.uncompressed_size;
		u->in = it.block.compressed_file_offset;
		u->len = it.block.unpadded_size;
		u->kind = it.stream.flags->check;
	}
	return units->n > 1 ? 0 : ENOTSUP;
}

static int
xz_units(int fd, uint64_t size, uint64_t most, struct tar_units *units)
{
	lzma_index *index = index_of(fd, size);
	int err = ENOTSUP;

	if (index == NULL)
		return ENOTSUP;
	units->n = 0;
	units->unit = calloc(lzma_index_block_count(index) + 1,
	    sizeof *units->unit);
	if (units->unit != NULL)
		err = fill_units(units, index, most);
	lzma_index_end(index, NULL);
	if (err != 0) {
		free(units->unit);
		*units = (struct tar_units){ NULL, 0 };
	}
	return err;
}
#else
#define xz_units NULL
#endif

const struct tar_codec tar_codec_xz = { .name = "xz", .feature = "lzma",
    .begin = xz_begin, .run = xz_run, .end = xz_end, .units = xz_units,
    .unit_codec = &xz_block };
const struct tar_codec tar_codec_lzma = { .name = "lzma", .feature = "lzma",
    .begin = lzma_begin, .run = xz_run, .end = xz_end };
