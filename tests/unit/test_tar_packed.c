/* Compressed archives: fs/tar/packed.c, fs/tar/codec.c. */
#include "fs/tar/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static atomic_bool stop;

static void
count(void *arg, const char *text)
{
	CHECK(*text != '\0');
	++*(unsigned *)arg;
}

/* A file of these bytes, without a name. */
static int
file_of(const void *data, size_t len, int flags)
{
	char path[] = "/tmp/pinefs-packed-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd != -1 && write(fd, data, len) == (ssize_t)len);
	close(fd);
	fd = open(path, flags | O_CLOEXEC);
	CHECK(fd != -1 && unlink(path) == 0);
	return fd;
}

static struct tar_source *
open_packed(int fd, const struct tar_codec *codec, struct tar_blocks *blocks,
    unsigned *notes)
{
	return tar_source_packed(fd, codec, &(struct tar_packed_config){
	    .blocks = blocks, .stop = &stop, .note = count, .arg = notes });
}

static void
test_a_read_error_is_not_the_end(void)
{
	struct tar_blocks *blocks = tar_blocks_new(1 << 20);
	unsigned notes = 0;
	struct tar_source *s;
	size_t got;
	char c;

	if (tar_codec_gzip.begin == NULL) {
		tar_blocks_free(blocks);
		return;
	}
	/* Opened to be written only: it cannot be read. */
	s = open_packed(file_of("x", 1, O_WRONLY),
	    &tar_codec_gzip, blocks, &notes);
	CHECK(s != NULL);
	CHECK(tar_source_read(s, 0, &c, 1, &got) == EIO);
	CHECK(tar_source_read(s, 0, &c, 1, &got) == EIO);
	CHECK(tar_source_try(s, 0, &c, 1, &got) == EAGAIN);
	CHECK(tar_source_size(s) == UINT64_MAX && notes == 1);
	tar_source_free(s);
	tar_blocks_free(blocks);
}

#define FRAME	"\x04\x22\x4d\x18\x60\x40\x82" "\x03\0\0\x80" "abc" "\0\0\0\0"
#define SKIPPED	"\x5a\x2a\x4d\x18" "\x05\0\0\0" "note."

static void
test_a_frame_to_be_skipped_may_stand_between_those_of_lz4(void)
{
	static const char data[] = FRAME SKIPPED FRAME SKIPPED;
	struct tar_blocks *blocks = tar_blocks_new(1 << 20);
	unsigned notes = 0;
	struct tar_source *s;
	char text[8];
	size_t got;

	if (tar_codec_lz4.begin == NULL) {
		tar_blocks_free(blocks);
		return;
	}
	s = open_packed(file_of(data, sizeof data - 1, O_RDONLY),
	    &tar_codec_lz4, blocks, &notes);
	CHECK(s != NULL);
	CHECK(tar_source_read(s, 0, text, sizeof text, &got) == 0);
	CHECK(got == 6 && memcmp(text, "abcabc", 6) == 0 && notes == 0);
	CHECK(tar_source_size(s) == 6);
	tar_source_free(s);
	tar_blocks_free(blocks);
}

static void
test_who_stops_waits_for_no_decoder(void)
{
	static const char data[] = FRAME;
	struct tar_blocks *blocks = tar_blocks_new(1 << 20);
	unsigned notes = 0;
	struct tar_source *s;
	size_t got;
	char c;

	if (tar_codec_lz4.begin == NULL) {
		tar_blocks_free(blocks);
		return;
	}
	s = open_packed(file_of(data, sizeof data - 1, O_RDONLY),
	    &tar_codec_lz4, blocks, &notes);
	CHECK(s != NULL);
	atomic_store(&stop, true);
	CHECK(tar_source_read(s, 0, &c, 1, &got) == ECANCELED);
	atomic_store(&stop, false);
	CHECK(tar_source_read(s, 0, &c, 1, &got) == 0 && got == 1);
	tar_source_free(s);
	tar_blocks_free(blocks);
}

CHECK_MAIN(
	CHECK_TEST(test_a_read_error_is_not_the_end),
	CHECK_TEST(test_a_frame_to_be_skipped_may_stand_between_those_of_lz4),
	CHECK_TEST(test_who_stops_waits_for_no_decoder),
)
