/* Compressed archives: fs/tar/packed.c, fs/tar/codec.c. */
#include "fs/tar/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* ---------------------------------------------- random access, each codec -- */

enum { PLAIN = 1600000, READS = 24 };

static char dir[] = "/tmp/pinefs-packed-XXXXXX";
static uint8_t *plain;

/* Text of a kind: words from a list, and now and then noise. */
static void
make_plain(void)
{
	static const char *const words[] = { "archive ", "of ", "members\n",
	    "that ", "nobody ", "unpacks ", "\t0644 ", "ustar", "0000000" };
	uint64_t x = 88172645463325252u;
	char path[64];
	size_t n = 0, len, i;
	FILE *f;

	plain = malloc(PLAIN);
	while (n < PLAIN) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (x % 97 == 0) {
			for (i = 0; i < 40 && n < PLAIN; i++)
				plain[n++] = (uint8_t)(x >> i % 56);
			continue;
		}
		len = strlen(words[x % 9]);
		len = len < PLAIN - n ? len : PLAIN - n;
		memcpy(plain + n, words[x % 9], len);
		n += len;
	}
	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/plain", dir);
	f = fopen(path, "w");
	CHECK(f != NULL && fwrite(plain, 1, PLAIN, f) == PLAIN);
	CHECK(fclose(f) == 0);
}

/* The ways there are to pack it, in the shell, from `plain` to stdout. */
static const struct way {
	const char	*name, *how;
	const struct tar_codec *codec;
	int		 kept;		/* 1: by the store; 0: by points */
} ways[] = {
	{ "gzip", "gzip -6 <plain", &tar_codec_gzip, 0 },
	{ "gzip -1, by zlib", "gzip -1 <plain", &tar_codec_gzip_zlib, 0 },
	{ "gzip members", "split -b 800000 --filter='gzip -4' plain",
	    &tar_codec_gzip, 0 },
	{ "gzip members, by zlib", "split -b 700001 --filter='gzip -4' plain",
	    &tar_codec_gzip_zlib, 0 },
	{ "gzip small members", "split -b 65280 --filter='gzip -4' plain",
	    &tar_codec_gzip, 0 },
	{ "gzip small members, by zlib",
	    "split -b 65280 --filter='gzip -4' plain",
	    &tar_codec_gzip_zlib, 0 },
	{ "gzip, nothing packed", "python3 -c \"import gzip,sys; "
	    "sys.stdout.buffer.write(gzip.compress(open('plain','rb').read(),"
	    "0))\"", &tar_codec_gzip, 0 },
	{ "gzip, nothing packed, by zlib", "python3 -c \"import gzip,sys; "
	    "sys.stdout.buffer.write(gzip.compress(open('plain','rb').read(),"
	    "0))\"", &tar_codec_gzip_zlib, 0 },
	{ "zstd", "zstd -q -3 <plain", &tar_codec_zstd, 1 },
	{ "zstd frames", "split -b 300000 --filter='zstd -q' plain",
	    &tar_codec_zstd, 0 },
	{ "zstd frames, too large", "split -b 900000 --filter='zstd -q' plain",
	    &tar_codec_zstd, 1 },
	{ "xz", "xz -1 -T1 <plain", &tar_codec_xz, 1 },
	{ "xz blocks", "xz -0 -T1 --block-size=200000 <plain",
	    &tar_codec_xz, 0 },
	{ "xz streams of blocks",
	    "split -b 700000 --filter='xz -0 -T1 --block-size=150000' plain",
	    &tar_codec_xz, 0 },
	{ "xz blocks, too large", "xz -0 -T1 --block-size=600000 <plain",
	    &tar_codec_xz, 1 },
	{ "lzma", "xz --format=lzma -0 <plain", &tar_codec_lzma, 1 },
	{ "bzip2", "bzip2 -1 <plain", &tar_codec_bzip2, 1 },
	{ "bzip2 streams", "split -b 200000 --filter='bzip2 -1' plain",
	    &tar_codec_bzip2, 1 },
	{ "lz4", "lz4 -q <plain", &tar_codec_lz4, 1 },
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static char packed_path[WAYS][64];

/* Once for all tests. */
static bool
pack(unsigned i)
{
	char command[512];

	if (ways[i].codec->begin == NULL)
		return false;
	if (plain == NULL)
		make_plain();
	if (packed_path[i][0] != '\0')
		return true;
	snprintf(packed_path[i], sizeof packed_path[i], "%s/%u", dir, i);
	snprintf(command, sizeof command, "cd %s && %s >%s", dir, ways[i].how,
	    packed_path[i]);
	CHECK(system(command) == 0);
	return true;
}

struct way_rig {
	struct tar_blocks	*blocks;
	struct tar_source	*s;
	unsigned		 notes;
	char			 store[64];
};

/* `blocks`: so many are cached. */
static void
open_way(struct way_rig *r, unsigned i, unsigned blocks, uint64_t small,
    const void *saved, size_t len)
{
	int fd = open(packed_path[i], O_RDONLY | O_CLOEXEC);

	CHECK(fd != -1);
	r->notes = 0;
	snprintf(r->store, sizeof r->store, "%s/store", dir);
	r->blocks = tar_blocks_new(blocks * (size_t)TAR_BLOCK_SIZE);
	r->s = tar_source_packed(fd, ways[i].codec,
	    &(struct tar_packed_config){ .blocks = r->blocks, .dir = dir,
	    .store = r->store, .span = 1 << 18, .small = small, .saved = saved,
	    .saved_len = len, .stop = &stop, .note = count,
	    .arg = &r->notes });
	CHECK(r->s != NULL);
}

static void
close_way(struct way_rig *r)
{
	tar_source_free(r->s);
	tar_blocks_free(r->blocks);
}

/* `size` bytes of it are there, and are these. */
static void
read_anywhere(struct tar_source *s, const uint8_t *its, size_t size)
{
	static uint8_t to[300000];
	uint64_t x = 2463534242u;
	size_t got, off, len, want;

	for (unsigned i = 0; i < READS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		off = x % (size + 1000);
		len = i % 8 == 7 ? sizeof to : x >> 32 & 0x7fff;
		want = off >= size ? 0 : len < size - off ? len : size - off;
		CHECK(tar_source_read(s, off, to, len, &got) == 0);
		CHECK(got == want && memcmp(to, its + off, got) == 0);
	}
}

/* All of it, in parts of less than a block. */
static size_t
read_all(struct tar_source *s, uint8_t *to)
{
	size_t off = 0, got;

	do {
		CHECK(off + 50000 <= PLAIN + 50000);
		CHECK(tar_source_read(s, off, to + off, 50000, &got) == 0);
		off += got;
	} while (got == 50000);
	return off;
}

static size_t
read_through(struct tar_source *s)
{
	static uint8_t to[PLAIN + 100000];
	size_t size = read_all(s, to);

	CHECK(size <= PLAIN && memcmp(to, plain, size) == 0);
	return size;
}

static void
test_any_part_of_any_codec_is_what_was_packed(void)
{
	struct tar_packed_counts counts;
	struct way_rig r;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!pack(i))
			continue;
		open_way(&r, i, 2, 1, NULL, 0);
		CHECK(read_through(r.s) == PLAIN);
		read_anywhere(r.s, plain, PLAIN);
		CHECK(tar_source_size(r.s) == PLAIN && r.notes == 0);
		tar_packed_counts(r.s, &counts);
		CHECK(counts.decoded == PLAIN);
		/* Points are no more than 256 KiB apart, and a bit. */
		CHECK(ways[i].kept ? counts.again <= PLAIN * 5ull :
		    counts.again > 0 && counts.again <
		    (READS + 40) * UINT64_C(900000));
		close_way(&r);
	}
}

static void
test_what_is_small_stays_in_memory_and_is_decoded_once(void)
{
	struct tar_packed_counts counts;
	struct way_rig r;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!pack(i))
			continue;
		open_way(&r, i, 40, 0, NULL, 0);
		read_anywhere(r.s, plain, PLAIN);
		CHECK(read_through(r.s) == PLAIN && r.notes == 0);
		tar_packed_counts(r.s, &counts);
		CHECK(counts.decoded == PLAIN && counts.again == 0);
		close_way(&r);
	}
}

static void
test_reading_on_goes_on_decoding(void)
{
	struct tar_packed_counts counts;
	struct way_rig r;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!pack(i))
			continue;
		open_way(&r, i, 3, 1, NULL, 0);
		CHECK(read_through(r.s) == PLAIN);
		CHECK(read_through(r.s) == PLAIN);
		tar_packed_counts(r.s, &counts);
		/* Once for the pass, and no more than once for the reads. */
		CHECK(counts.decoded == PLAIN && counts.again <= PLAIN);
		close_way(&r);
	}
}

/* ------------------------------------------------------- what is saved -- */

struct bytes {
	uint64_t	base[1 << 16];
	size_t		len;
};

static int
take(void *arg, const void *base, size_t len)
{
	struct bytes *b = arg;

	CHECK(len <= sizeof b->base - b->len);
	if (len > 0)
		memcpy((char *)b->base + b->len, base, len);
	b->len += len;
	return 0;
}

static void
test_what_one_process_saves_spares_the_next_its_work(void)
{
	static struct bytes b;
	struct tar_packed_counts counts;
	struct way_rig r;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!pack(i))
			continue;
		b.len = 0;
		open_way(&r, i, 2, 1, NULL, 0);
		CHECK(tar_source_save(r.s, take, &b) == EAGAIN);
		CHECK(read_through(r.s) == PLAIN);
		CHECK(tar_source_save(r.s, take, &b) == 0 && b.len > 0);
		close_way(&r);

		open_way(&r, i, 2, 1, b.base, b.len);
		CHECK(tar_source_size(r.s) == PLAIN);
		read_anywhere(r.s, plain, PLAIN);
		CHECK(read_through(r.s) == PLAIN && r.notes == 0);
		tar_packed_counts(r.s, &counts);
		CHECK(counts.decoded == 0);
		close_way(&r);
	}
}

static void
test_what_is_small_is_not_worth_saving(void)
{
	static struct bytes b;
	struct way_rig r;

	if (!pack(0))
		return;
	open_way(&r, 0, 40, 0, NULL, 0);
	CHECK(read_through(r.s) == PLAIN);
	CHECK(tar_source_save(r.s, take, &b) == 0 && b.len == 0);
	close_way(&r);
}

/* Any word of the tables wrong: it is noticed, or reads fail, or are right. */
static void
test_damaged_tables_never_give_other_bytes(void)
{
	static struct bytes b, bad;
	static uint8_t to[5000];
	struct way_rig r;
	size_t at, got, off;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!pack(i))
			continue;
		b.len = 0;
		open_way(&r, i, 2, 1, NULL, 0);
		CHECK(read_through(r.s) == PLAIN);
		CHECK(tar_source_save(r.s, take, &b) == 0);
		close_way(&r);
		for (at = 0; at < b.len / 8; at += 1 + b.len / 60) {
			bad = b;
			bad.base[at] ^= UINT64_C(0x8000000000000101) <<
			    at % 7;
			open_way(&r, i, 1, 1, bad.base, bad.len);
			for (off = 0; off < PLAIN; off += 400001)
				if (tar_source_read(r.s, off, to, sizeof to,
				    &got) != 0)
					break;
			close_way(&r);
		}
		/* Cut short, it is nothing. */
		open_way(&r, i, 1, 1, b.base, b.len - 8);
		CHECK(tar_source_size(r.s) == UINT64_MAX);
		close_way(&r);
	}
}

static void
test_a_damaged_store_is_said_once_and_decoded_again(void)
{
	static struct bytes b;
	struct way_rig r;
	long len = 0;
	FILE *f;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!pack(i))
			continue;
		b.len = 0;
		open_way(&r, i, 2, 1, NULL, 0);
		CHECK(read_through(r.s) == PLAIN);
		CHECK(tar_source_save(r.s, take, &b) == 0);
		close_way(&r);
		if ((f = fopen(r.store, "r+")) == NULL)
			continue;	/* it needs none */
		CHECK(fseek(f, 0, SEEK_END) == 0 && (len = ftell(f)) > 100);
		for (long at = 24; at < len; at += 900) {
			CHECK(fseek(f, at, SEEK_SET) == 0);
			CHECK(fputc('!', f) != EOF);
		}
		CHECK(fclose(f) == 0);

		open_way(&r, i, 2, 1, b.base, b.len);
		CHECK(read_through(r.s) == PLAIN);
		read_anywhere(r.s, plain, PLAIN);
		CHECK(r.notes == 1);
		close_way(&r);
		/* No process to come finds that. */
		CHECK(access(r.store, F_OK) == -1);
	}
}

/* ------------------------------------------------------ what is damaged -- */

static void
change_file(unsigned i, size_t cut, size_t damage)
{
	char command[200];

	if (cut != 0)
		snprintf(command, sizeof command, "cp %s %s/bad && "
		    "truncate -s -%zu %s/bad", packed_path[i], dir, cut, dir);
	else
		snprintf(command, sizeof command, "cp %s %s/bad && printf "
		    "'%%500s' | dd of=%s/bad bs=1 seek=%zu conv=notrunc "
		    "status=none", packed_path[i], dir, dir, damage);
	CHECK(system(command) == 0);
}

/*
 * What is served of it is the same whenever it is read; `right`: and what
 * was packed.
 */
static void
serve_bad(unsigned i, size_t least, bool right)
{
	static uint8_t its[PLAIN + 100000];
	char *path = packed_path[i], good[64];
	struct way_rig r;
	size_t size;

	memcpy(good, path, sizeof good);
	snprintf(path, sizeof packed_path[i], "%s/bad", dir);
	open_way(&r, i, 2, 1, NULL, 0);
	size = read_all(r.s, its);
	CHECK(size >= least && (size < PLAIN || !right));
	CHECK(!right || memcmp(its, plain, size) == 0);
	read_anywhere(r.s, its, size);
	CHECK(tar_source_size(r.s) == size && r.notes == 1);
	close_way(&r);
	memcpy(path, good, sizeof good);
}

static void
test_what_is_before_a_cut_or_damage_is_served(void)
{
	struct stat st;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!pack(i) || strstr(ways[i].name, "nothing") != NULL)
			continue;
		CHECK(stat(packed_path[i], &st) == 0);
		change_file(i, (size_t)st.st_size / 3, 0);
		serve_bad(i, ways[i].codec == &tar_codec_lz4 ? 0 : PLAIN / 3,
		    true);
		/* It has no sum: noise may be other data. */
		if (ways[i].codec == &tar_codec_lzma)
			continue;
		change_file(i, 0, (size_t)st.st_size / 2);
		serve_bad(i, 0, false);
	}
}

/*
 * The table behind the frames of seekable zstd: of 14 frames it knows one,
 * which is as long as it likes.
 */
static void
test_a_lying_seek_table_is_not_believed(void)
{
	static const char table[] = "\x5e\x2a\x4d\x18\x11\0\0\0"
	    "\xff\xff\xff\x7f\xff\xff\xff\x7f" "\x01\0\0\0\0\xb1\xea\x92\x8f";
	struct way_rig r;
	char path[64];
	FILE *f;

	if (tar_codec_zstd.begin == NULL)
		return;
	for (unsigned i = 0; i < WAYS; i++) {
		if (ways[i].codec != &tar_codec_zstd || !pack(i))
			continue;
		memcpy(path, packed_path[i], sizeof path);
		snprintf(packed_path[i], sizeof packed_path[i], "%s/lie",
		    dir);
		CHECK(rename(path, packed_path[i]) == 0);
		f = fopen(packed_path[i], "a");
		CHECK(f != NULL && fwrite(table, sizeof table - 1, 1, f) == 1);
		CHECK(fclose(f) == 0);
		open_way(&r, i, 2, 1, NULL, 0);
		CHECK(read_through(r.s) == PLAIN && r.notes == 0);
		read_anywhere(r.s, plain, PLAIN);
		close_way(&r);
		CHECK(unlink(packed_path[i]) == 0);
		packed_path[i][0] = '\0';
	}
}

static void
test_a_store_that_is_full_is_an_error_behind_what_is_there(void)
{
	struct tar_blocks *blocks = tar_blocks_new(2 * TAR_BLOCK_SIZE);
	struct tar_source *s;
	unsigned notes = 0;
	uint8_t to[1000];
	size_t got;
	int fd;

	if (!pack(11)) {
		tar_blocks_free(blocks);
		return;
	}
	fd = open(packed_path[11], O_RDONLY | O_CLOEXEC);
	s = tar_source_packed(fd, ways[11].codec, &(struct tar_packed_config){
	    .blocks = blocks, .store_max = 100000, .small = 1, .stop = &stop,
	    .note = count, .arg = &notes });
	CHECK(s != NULL);
	CHECK(tar_source_read(s, PLAIN - 1000, to, 1000, &got) == ENOSPC);
	CHECK(tar_source_step(s, PLAIN - 1000, to, 1000, &got) == EIO);
	CHECK(tar_source_read(s, 5000, to, 1000, &got) == 0);
	CHECK(got == 1000 && memcmp(to, plain + 5000, 1000) == 0);
	CHECK(tar_source_size(s) == UINT64_MAX && notes == 0);
	tar_source_free(s);
	tar_blocks_free(blocks);
}

/* ---------------------------------------------------------- many readers -- */

/* The same way through it, at once. */
static void *
read_as_another(void *s)
{
	uint8_t *to = malloc(100000);
	size_t off, got;

	for (off = 0; off < PLAIN; off += got) {
		CHECK(tar_source_read(s, off, to, 100000, &got) == 0);
		CHECK(got > 0 && memcmp(to, plain + off, got) == 0);
	}
	free(to);
	return NULL;
}

static void
test_many_readers_decode_each_block_once(void)
{
	struct tar_packed_counts counts;
	pthread_t thread[4];
	struct way_rig r;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!pack(i))
			continue;
		open_way(&r, i, 50, 1, NULL, 0);
		for (unsigned t = 0; t < 4; t++)
			CHECK(pthread_create(&thread[t], NULL,
			    read_as_another, r.s) == 0);
		for (unsigned t = 0; t < 4; t++)
			CHECK(pthread_join(thread[t], NULL) == 0);
		tar_packed_counts(r.s, &counts);
		CHECK(counts.decoded == PLAIN && counts.again == 0);
		/* Without the cache's help: */
		tar_blocks_drop(r.blocks, r.s);
		for (unsigned t = 0; t < 4; t++)
			CHECK(pthread_create(&thread[t], NULL,
			    read_as_another, r.s) == 0);
		for (unsigned t = 0; t < 4; t++)
			CHECK(pthread_join(thread[t], NULL) == 0);
		tar_packed_counts(r.s, &counts);
		CHECK(counts.decoded == PLAIN && counts.again <= PLAIN +
		    PLAIN / 8);
		close_way(&r);
	}
}

static void
test_reading_ahead_is_for_who_reads_on(void)
{
	struct way_rig r;
	uint8_t c;
	size_t got;

	if (!pack(0))
		return;
	open_way(&r, 0, 30, 1, NULL, 0);
	CHECK(tar_source_read(r.s, PLAIN - 1, &c, 1, &got) == 0);
	tar_blocks_drop(r.blocks, r.s);
	CHECK(tar_source_read(r.s, 200000, &c, 1, &got) == 0);
	CHECK(!tar_source_hold(r.s, 200001));
	CHECK(tar_source_try(r.s, 200000 + TAR_BLOCK_SIZE, &c, 1, &got) ==
	    EAGAIN);
	CHECK(tar_source_read(r.s, 200000 + TAR_BLOCK_SIZE, &c, 1, &got) ==
	    0);
	/* So far it is one READ that a block ends in. */
	CHECK(!tar_source_hold(r.s, 200001 + TAR_BLOCK_SIZE));
	CHECK(tar_source_read(r.s, 200000 + 2 * TAR_BLOCK_SIZE, &c, 1,
	    &got) == 0);
	CHECK(tar_source_hold(r.s, 200001 + 2 * TAR_BLOCK_SIZE));
	tar_source_ahead(r.s, 200001 + 2 * TAR_BLOCK_SIZE);
	for (unsigned i = 3; i < 19; i++)
		CHECK(tar_source_try(r.s, 200000 + i * TAR_BLOCK_SIZE, &c, 1,
		    &got) == 0 && c == plain[200000 + i * TAR_BLOCK_SIZE]);
	CHECK(!tar_source_hold(r.s, 200001 + 2 * TAR_BLOCK_SIZE));
	close_way(&r);
}

static void
test_it_can_be_cleaned_up(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	CHECK(plain == NULL || system(command) == 0);
	free(plain);
}

CHECK_MAIN(
	CHECK_TEST(test_a_read_error_is_not_the_end),
	CHECK_TEST(test_a_frame_to_be_skipped_may_stand_between_those_of_lz4),
	CHECK_TEST(test_who_stops_waits_for_no_decoder),
	CHECK_TEST(test_any_part_of_any_codec_is_what_was_packed),
	CHECK_TEST(test_what_is_small_stays_in_memory_and_is_decoded_once),
	CHECK_TEST(test_reading_on_goes_on_decoding),
	CHECK_TEST(test_what_one_process_saves_spares_the_next_its_work),
	CHECK_TEST(test_what_is_small_is_not_worth_saving),
	CHECK_TEST(test_damaged_tables_never_give_other_bytes),
	CHECK_TEST(test_a_damaged_store_is_said_once_and_decoded_again),
	CHECK_TEST(test_what_is_before_a_cut_or_damage_is_served),
	CHECK_TEST(test_a_lying_seek_table_is_not_believed),
	CHECK_TEST(test_a_store_that_is_full_is_an_error_behind_what_is_there),
	CHECK_TEST(test_many_readers_decode_each_block_once),
	CHECK_TEST(test_reading_ahead_is_for_who_reads_on),
	CHECK_TEST(test_it_can_be_cleaned_up),
)
