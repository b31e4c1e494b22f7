/*
 * An index file of any bytes behind a header that is in order: whatever its
 * numbers are, everything a client can ask for has an answer, and an end.
 *
 * The input is a file as tar_index_file_write makes it; what it says of the
 * program that made it, and its sum, are made right here, for no one would
 * guess them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/tar/index_file.h"

/* Where the key lies in a header. */
enum { KEY_AT = 48, STEPS_MAX = 4096 };

static volatile uint64_t seen;

static void
look(struct pinefs_name name)
{
	uint32_t i;

	for (i = 0; i < name.len; i++)
		seen += (uint8_t)name.base[i];
}

static void
look_at_record(const struct tar_index *ix, uint32_t i)
{
	const struct tar_rec *r = tar_index_rec(ix, i);
	uint64_t off = 0, end = r->size & INT64_MAX;
	struct tar_stored p;
	struct tar_xattr x;
	uint32_t n;

	assert(tar_index_rec(ix, tar_index_inode(ix, i)) != NULL);
	assert(tar_index_rec(ix, tar_index_parent(ix, i)) != NULL);
	look(tar_index_name(ix, r));
	look(tar_index_target(ix, r));
	n = tar_index_by_id(ix, tar_index_id(ix, i));
	assert(n == TAR_NONE || n < tar_index_count(ix));
	n = tar_index_find(ix, r->parent, tar_index_name(ix, r));
	assert(n == TAR_NONE || n < tar_index_count(ix));
	for (n = 0; n < STEPS_MAX && tar_index_xattr(ix, r, n, &x); n++) {
		look(x.name);
		look(x.value);
	}
	while (tar_index_stored(ix, r, off, end, &p)) {
		assert(p.off >= off && p.off < end && p.len > 0 &&
		    p.len <= end - p.off);
		off = p.off + p.len;
	}
}

static void
list(const struct tar_index *ix, uint32_t dir)
{
	uint32_t i = tar_index_after(ix, dir, 0), last = dir;

	for (; i != TAR_NONE; i = tar_index_after(ix, dir, i)) {
		assert(i > last && i < tar_index_count(ix));
		last = i;
	}
	i = tar_index_after(ix, dir, last / 2);
	assert(i == TAR_NONE || i < tar_index_count(ix));
}

static void
look_at_all(const struct tar_index *ix)
{
	uint32_t i;

	for (i = 0; i < tar_index_count(ix) && i < STEPS_MAX; i++) {
		look_at_record(ix, i);
		list(ix, i);
	}
	tar_index_rec(ix, UINT32_MAX);
	tar_index_by_id(ix, UINT64_MAX);
	tar_index_find(ix, UINT32_MAX, (struct pinefs_name){ "name", 4 });
}

/* What the file of this program begins with, up to the key. */
static void
begin_rightly(int fd, uint8_t *file)
{
	static uint8_t right[KEY_AT];
	static bool has;
	struct tar_key key = { 0 };
	struct tar_index ix;

	if (!has) {
		assert(tar_index_init(&ix) == 0 && tar_index_file_write(fd,
		    &ix, &key, &(struct tar_extra){ 0 }) == 0);
		assert(pread(fd, right, KEY_AT, 0) == KEY_AT);
		tar_index_fini(&ix);
		has = true;
	}
	memcpy(file, right, KEY_AT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	uint8_t *file = malloc(size);
	struct tar_extra kept;
	struct tar_index ix;
	struct tar_key key = { 0 };
	int err;

	if (fd == -1)
		fd = memfd_create("index", MFD_CLOEXEC);
	assert(fd != -1 && (file != NULL || size == 0));
	if (size > 0)
		memcpy(file, data, size);
	if (size >= TAR_INDEX_HEADER) {
		begin_rightly(fd, file);
		tar_index_file_sign(file);
		memcpy(&key, file + KEY_AT, sizeof key);
	}
	assert(ftruncate(fd, 0) == 0 &&
	    pwrite(fd, file, size, 0) == (ssize_t)size);
	free(file);
	err = tar_index_file_open(fd, &key, &ix, &kept);
	if (err == 0) {
		look((struct pinefs_name){ kept.base, (uint32_t)kept.len });
		look_at_all(&ix);
		tar_extra_fini(&kept);
		tar_index_fini(&ix);
		err = tar_index_file_check(fd, NULL);
		assert(err == 0 || err == EBADMSG);
		key.ino++;
		assert(tar_index_file_open(fd, &key, &ix, &kept) == ESTALE);
	} else {
		assert(err == EBADMSG);
	}
	return 0;
}
