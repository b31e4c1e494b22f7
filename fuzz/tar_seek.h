/*
 * Any bytes as a file of one codec, with a point every few KiB: what is
 * decoded from a point, or kept because none is near, is what the pass has
 * decoded, in whatever order it is read; and so it is for the next process.
 * The first byte says how far points are apart, and what is done.
 */
#ifndef FUZZ_TAR_SEEK_H
#define FUZZ_TAR_SEEK_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/tar/packed.h"

enum { SEEK_MOST = 12 * TAR_BLOCK_SIZE, SEEK_STEP = TAR_BLOCK_SIZE / 5 * 2,
    SEEK_PART = TAR_BLOCK_SIZE / 8 + 1, SEEK_BACK = TAR_BLOCK_SIZE / 2 + 1,
    SEEK_SAVED = 1 << 16 };

static inline void
seek_quiet(void *arg, const char *text)
{
	assert(arg == NULL && text[0] != '\0');
}

static inline size_t
seek_read_all(struct tar_source *s, uint8_t *to)
{
	size_t len = 0, got;

	do {
		if (tar_source_read(s, len, to + len, SEEK_STEP, &got) != 0)
			return 0;
		len += got;
	} while (got == SEEK_STEP && len < SEEK_MOST);
	return len;
}

/* Parts of it, from the end; `rests`: no decoder stays. */
static inline void
seek_compare(struct tar_source *s, const uint8_t *all, size_t len, bool rests)
{
	static uint8_t part[SEEK_PART];
	size_t at, want, got;

	for (at = len; at > 0; at -= at < SEEK_BACK ? at : SEEK_BACK) {
		want = at < sizeof part ? at : sizeof part;
		assert(tar_source_read(s, at - want, part, want, &got) == 0);
		assert(got == want && memcmp(part, all + at - want, got) == 0);
		if (rests)
			tar_source_rest(s);
	}
}

struct seek_saved {
	uint64_t	base[SEEK_SAVED / 8];
	size_t		len;
};

static inline int
seek_sink(void *arg, const void *base, size_t len)
{
	struct seek_saved *saved = arg;

	if (len > SEEK_SAVED - saved->len)
		return ENOSPC;
	if (len > 0)
		memcpy((char *)saved->base + saved->len, base, len);
	saved->len += len;
	return 0;
}

static inline int
seek_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);

	if (fd == -1 || write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

/* The next process, which has the tables and the store. */
static inline void
seek_again(const uint8_t *data, size_t size, const struct tar_codec *codec,
    struct tar_packed_config *config, const struct seek_saved *saved,
    const uint8_t *all, size_t len)
{
	struct tar_source *s;

	config->saved = saved->base;
	config->saved_len = saved->len;
	s = tar_source_packed(seek_file(data, size), codec, config);
	assert(s != NULL && tar_source_size(s) == len);
	seek_compare(s, all, len, false);
	tar_source_free(s);
}

static inline int
seek_one(const struct tar_codec *codec, const uint8_t *data, size_t size)
{
	static uint8_t all[SEEK_MOST + SEEK_STEP];
	static struct seek_saved saved;
	static char store[64];
	static const atomic_bool stop;
	struct tar_packed_config config = { .stop = &stop,
	    .note = seek_quiet, .small = 1 };
	struct tar_source *s;
	size_t len;

	if (size < 2 || codec->begin == NULL)
		return 0;
	config.span = (uint64_t)TAR_BLOCK_SIZE / 8 << (data[0] & 7);
	if (data[0] & 8) {
		snprintf(store, sizeof store, "/dev/shm/pinefs-fuzz-%d",
		    (int)getpid());
		config.dir = "/dev/shm";
		config.store = store;
	}
	if (data[0] & 16)
		config.small = 0;
	config.blocks = tar_blocks_new(2 * TAR_BLOCK_SIZE);
	s = tar_source_packed(seek_file(data + 1, size - 1), codec, &config);
	assert(config.blocks != NULL && s != NULL);
	len = seek_read_all(s, all);
	seek_compare(s, all, len, data[0] & 32);
	saved.len = 0;
	if (len < SEEK_MOST && tar_source_save(s, seek_sink, &saved) != 0)
		saved.len = 0;
	tar_source_free(s);
	if (saved.len > 0)
		seek_again(data + 1, size - 1, codec, &config, &saved, all,
		    len);
	if (config.store != NULL)
		unlink(store);
	tar_blocks_free(config.blocks);
	return 0;
}

#endif
