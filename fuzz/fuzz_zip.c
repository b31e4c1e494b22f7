/*
 * A zip of any bytes: its directory, its index, and its members as they are
 * decoded.  What comes out lies within what went in, no two members share a
 * byte, every object is found again by its id, and a member is the same
 * whenever it is read.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/tar/index.h"
#include "fs/tar/zip_source.h"

/* More than a step, and than a large member has between two points. */
enum { BLOCK = TAR_BLOCK_SIZE, MOST = 72 * BLOCK, PIECE = BLOCK / 5 * 2,
    PART = 1000, STEPS = 8 };

static void
quiet(void *arg, const char *text)
{
	assert(arg == NULL && text[0] != '\0');
}

/* From the beginning; how much there is. */
static uint64_t
read_all(struct tar_source *s, uint64_t data, uint64_t size, char *to)
{
	uint64_t len = 0;
	size_t got;
	int err;

	while (len < size && len < MOST) {
		err = tar_source_read(s, data + len, to + len,
		    size - len < PIECE ? (size_t)(size - len) : PIECE, &got);
		assert(err == 0 || err == EIO);
		if (err != 0 || got == 0)
			break;
		len += got;
	}
	return len;
}

/* As a worker reads it. */
static int
in_steps(struct tar_source *s, uint64_t at, char *part, size_t *got)
{
	unsigned i = 0;
	int err;

	do
		err = tar_source_step(s, at, part, PART, got);
	while (err == EAGAIN && ++i < STEPS);
	return err;
}

static void
check_steps(struct tar_source *s, uint64_t at, const char *is)
{
	static char part[PART];
	size_t got;

	assert(in_steps(s, at, part, &got) == 0);
	assert(got == PART && memcmp(part, is, PART) == 0);
}

/*
 * The end, before anybody was there: that takes more than a step.  Then
 * backwards, and again without waiting.
 */
static void
check_data(struct tar_source *s, uint64_t data, uint64_t size)
{
	static char all[MOST + PIECE], part[PART], early[PART];
	uint64_t far = size < MOST ? size : MOST, len, at;
	size_t got = 0;
	int err = EIO;

	if (far > PART)
		err = in_steps(s, data + far - PART, early, &got);
	len = read_all(s, data, size, all);
	if (err == 0 && got == PART && len >= far)
		assert(memcmp(early, all + far - PART, PART) == 0);
	for (at = len; at > PART; at -= at < BLOCK + 999 ? at : BLOCK + 999) {
		check_steps(s, data + at - PART, all + at - PART);
		assert(tar_source_read(s, data + at - PART, part, PART, &got)
		    == 0 && got == PART);
		assert(memcmp(part, all + at - PART, PART) == 0);
		if (tar_source_try(s, data + at - PART, part, PART, &got) == 0)
			assert(got == PART &&
			    memcmp(part, all + at - PART, PART) == 0);
	}
	assert(tar_source_read(s, ZIP_NOWHERE + size, part, 1, &got) == 0 &&
	    got == 0);
}

static void
check_record(const struct tar_index *ix, struct tar_source *s, uint32_t i)
{
	const struct tar_rec *r = tar_index_rec(ix, i);

	assert(tar_index_by_id(ix, tar_index_id(ix, i)) == i);
	assert(r->parent < tar_index_count(ix));
	assert(tar_index_rec(ix, r->parent)->type == TAR_DIR);
	if (r->type == TAR_REG)
		check_data(s, tar_index_data(r), r->size);
}

static void
index_all(struct tar_source *s, struct tar_index *ix, size_t size)
{
	struct tar_scan *scan = tar_scan_new(s, false, NULL, NULL);
	uint64_t behind = 0;
	struct tar_member m;
	enum tar_note why;
	int err;

	assert(scan != NULL && tar_index_init(ix) == 0);
	ix->unit = tar_scan_unit(scan);
	while ((err = tar_scan_next(scan, &m)) == 0) {
		assert(m.header >= behind && m.header < size);
		behind = m.header + ZIP_LOCAL_SIZE;
		assert(m.size <= INT64_MAX && m.mode <= 07777);
		assert(m.mtime.tv_nsec >= 0 && m.mtime.tv_nsec < 1000000000);
		err = tar_index_add(ix, &m, &why);
		assert(err == 0 || err == EBADMSG);
	}
	assert(err == ENOENT);
	assert(tar_index_finish(ix, NULL, NULL) == 0);
	tar_scan_free(scan);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const atomic_bool stop;
	struct tar_source *file = tar_source_memory(data, size), *s;
	struct zip_config config = { .stop = &stop, .note = quiet };
	struct tar_index ix;
	const char *why;
	uint32_t i;
	int err;

	config.blocks = tar_blocks_new(2 * TAR_BLOCK_SIZE);
	assert(file != NULL && config.blocks != NULL);
	err = tar_source_zip(&s, file, &config, &why);
	assert(err == 0 || err == ENOEXEC);
	if (err == 0) {
		index_all(s, &ix, size);
		/* A source of its own, which nobody has gone through. */
		if (size & 1) {
			tar_source_free(s);
			file = tar_source_memory(data, size);
			assert(tar_source_zip(&s, file, &config, &why) == 0);
		}
		for (i = 0; i < tar_index_count(&ix); i++)
			check_record(&ix, s, i);
		tar_index_fini(&ix);
		tar_source_free(s);
	} else {
		tar_source_free(file);
	}
	tar_blocks_free(config.blocks);
	return 0;
}
