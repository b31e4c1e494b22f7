/*
 * Any bytes as a compressed file: what is decoded is the same each time it is
 * read, in whatever order.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/tar/packed.h"

enum { MOST = 6 * TAR_BLOCK_SIZE, PIECE = TAR_BLOCK_SIZE / 5 * 2,
    BACK = TAR_BLOCK_SIZE * 3 / 2 };

static void
quiet(void *arg, const char *text)
{
	assert(arg == NULL && text[0] != '\0');
}

static size_t
read_all(struct tar_source *s, char *to)
{
	size_t len = 0, got;

	do {
		if (tar_source_read(s, len, to + len, PIECE, &got) != 0)
			return 0;
		len += got;
	} while (got == PIECE && len < MOST);
	return len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tar_codec *codec = tar_codec_of(data, size);
	struct tar_blocks *blocks;
	struct tar_source *s;
	static const atomic_bool stop;
	static char all[MOST + PIECE], part[1000];
	size_t len, at, got;
	int fd;

	if (codec == NULL || codec->begin == NULL ||
	    (fd = memfd_create("fuzz", 0)) == -1)
		return 0;
	if (write(fd, data, size) != (ssize_t)size)
		abort();
	blocks = tar_blocks_new(2 * TAR_BLOCK_SIZE);
	s = tar_source_packed(fd, codec, &(struct tar_packed_config){
	    .blocks = blocks, .stop = &stop, .note = quiet });
	assert(blocks != NULL && s != NULL);
	len = read_all(s, all);
	for (at = len; at > sizeof part; at -= at < BACK ? at : BACK) {
		assert(tar_source_read(s, at - sizeof part, part, sizeof part,
		    &got) == 0 && got == sizeof part);
		assert(memcmp(part, all + at - sizeof part, got) == 0);
	}
	if (len < MOST)
		assert(tar_source_size(s) == UINT64_MAX ||
		    tar_source_size(s) == len);
	tar_source_free(s);
	tar_blocks_free(blocks);
	return 0;
}
