/* The store of packed blocks: fs/tar/store.c. */
#include "fs/tar/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static char block[TAR_BLOB_MAX], got[TAR_BLOB_MAX];

/* Every other one cannot be packed. */
static void
fill(uint64_t n)
{
	uint64_t x = n * 2654435761u + 1;

	if (n % 2 == 0) {
		memset(block, (int)(n & 0xff), sizeof block);
		return;
	}
	for (size_t i = 0; i < sizeof block; i += sizeof x) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(block + i, &x, sizeof x);
	}
}

static struct tar_blob blob[1100];

static void
add_and_get(struct tar_store *s, uint64_t blocks)
{
	for (uint64_t n = 0; n < blocks; n++) {
		fill(n);
		CHECK(tar_store_add(s, TAR_BLOB_BLOCK, block, sizeof block, &blob[n]) == 0);
	}
	for (uint64_t n = blocks; n-- > 0; ) {
		fill(n);
		CHECK(tar_store_get(s, TAR_BLOB_BLOCK, &blob[n], got) == 0);
		CHECK(memcmp(got, block, sizeof got) == 0);
	}
}

static void
test_a_little_is_kept_in_memory(void)
{
	struct tar_store s;

	CHECK(tar_store_init(&s, &(struct tar_store_config){
	    .dir = "/tmp", .max = 0 }) == 0);
	add_and_get(&s, 40);
	CHECK(s.fd == -1);
	CHECK(tar_store_add(&s, TAR_BLOB_BLOCK, "short", 5, &blob[40]) == 0);
	CHECK(blob[40].len == 5);
	CHECK(tar_store_get(&s, TAR_BLOB_BLOCK, &blob[40], got) == 0);
	CHECK(memcmp(got, "short", 5) == 0);
	tar_store_fini(&s);
}

static void
test_more_moves_to_a_file(void)
{
	struct tar_store s;

	CHECK(tar_store_init(&s, &(struct tar_store_config){
	    .dir = "/tmp", .max = 0 }) == 0);
	add_and_get(&s, 1040);
	CHECK(s.fd != -1 && s.memory == NULL);
	tar_store_fini(&s);
}

static void
test_where_there_is_no_place_is_said(void)
{
	struct tar_store s;
	int err = 0;

	CHECK(tar_store_init(&s, &(struct tar_store_config){
	    .dir = "/proc/none", .max = 0 }) == 0);
	fill(1);
	for (int n = 0; n < 600 && err == 0; n++)
		err = tar_store_add(&s, TAR_BLOB_BLOCK, block, sizeof block, &blob[n]);
	CHECK(err == ENOENT);
	/* What is there, stays. */
	CHECK(tar_store_get(&s, TAR_BLOB_BLOCK, &blob[0], got) == 0);
	tar_store_fini(&s);
}

static void
test_it_takes_no_more_than_it_may(void)
{
	struct tar_store s;

	CHECK(tar_store_init(&s, &(struct tar_store_config){
	    .dir = NULL, .max = 3 * sizeof block }) == 0);
	fill(1);
	CHECK(tar_store_add(&s, TAR_BLOB_BLOCK, block, sizeof block, &blob[0]) == 0);
	CHECK(tar_store_add(&s, TAR_BLOB_BLOCK, block, sizeof block, &blob[1]) == 0);
	CHECK(tar_store_add(&s, TAR_BLOB_BLOCK, block, sizeof block,
	    &blob[2]) == ENOSPC);
	CHECK(tar_store_get(&s, TAR_BLOB_BLOCK, &blob[1], got) == 0);
	tar_store_fini(&s);
}

static void
test_a_blob_that_is_not_what_it_was_is_found_out(void)
{
	struct tar_blob bad;
	struct tar_store s;

	CHECK(tar_store_init(&s, &(struct tar_store_config){
	    .dir = NULL, .max = 0 }) == 0);
	add_and_get(&s, 2);
	s.memory[blob[0].off + 5] ^= 1;
	s.memory[blob[1].off + 70000] ^= 1;
	CHECK(tar_store_get(&s, TAR_BLOB_BLOCK, &blob[0], got) == EIO);
	CHECK(tar_store_get(&s, TAR_BLOB_BLOCK, &blob[1], got) == EIO);
	bad = blob[0];
	bad.off = UINT64_MAX - 3;
	CHECK(tar_store_get(&s, TAR_BLOB_BLOCK, &bad, got) == EIO);
	bad.len = UINT32_MAX;
	CHECK(tar_store_get(&s, TAR_BLOB_BLOCK, &bad, got) == EIO);
	tar_store_fini(&s);
}

static void
test_another_process_finds_it_by_its_name(void)
{
	char dir[] = "/tmp/pinefs-store-XXXXXX", path[64];
	static const uint8_t key[16] = "another's";
	struct tar_store s, next;

	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/one", dir);
	CHECK(tar_store_init(&s, &(struct tar_store_config){
	    .dir = dir, .max = 0 }) == 0);
	add_and_get(&s, 5);
	CHECK(access(path, F_OK) == -1);
	CHECK(tar_store_save(&s, path) == 0);
	CHECK(tar_store_save(&s, path) == 0);	/* in its own place */
	CHECK(tar_store_get(&s, TAR_BLOB_BLOCK, &blob[3], got) == 0);

	CHECK(tar_store_init(&next, &(struct tar_store_config){
	    .dir = dir }) == 0);
	CHECK(tar_store_open(&next, path, s.id + 1, s.end) == ESTALE);
	CHECK(tar_store_open(&next, path, s.id, s.end + 1) == ESTALE);
	CHECK(tar_store_open(&next, path, s.id, s.end) == 0);
	fill(4);
	CHECK(tar_store_get(&next, TAR_BLOB_BLOCK, &blob[4], got) == 0);
	CHECK(memcmp(got, block, sizeof got) == 0);
	tar_store_fini(&next);

	/* Whoever else wrote it has another key. */
	CHECK(tar_store_init(&next, &(struct tar_store_config){
	    .dir = dir, .key = key }) == 0);
	CHECK(tar_store_open(&next, path, s.id, s.end) == ESTALE);
	tar_store_fini(&next);
	tar_store_fini(&s);
	CHECK(unlink(path) == 0 && rmdir(dir) == 0);
}

/* Whatever a table says, it is not handed to a decoder as its state. */
static void
test_a_block_is_no_state(void)
{
	struct tar_store s;

	CHECK(tar_store_init(&s, &(struct tar_store_config){ 0 }) == 0);
	add_and_get(&s, 2);
	CHECK(tar_store_get(&s, TAR_BLOB_STATE, &blob[0], got) == EIO);
	CHECK(tar_store_get(&s, TAR_BLOB_STATE, &blob[1], got) == EIO);
	CHECK(tar_store_add(&s, TAR_BLOB_STATE, "state", 5, &blob[2]) == 0);
	CHECK(tar_store_get(&s, TAR_BLOB_BLOCK, &blob[2], got) == EIO);
	CHECK(tar_store_get(&s, TAR_BLOB_STATE, &blob[2], got) == 0);
	tar_store_fini(&s);
}

/* Nor what lies behind all that was added. */
static void
test_nothing_lies_behind_the_end(void)
{
	struct tar_store s;
	struct tar_blob bad;

	CHECK(tar_store_init(&s, &(struct tar_store_config){ 0 }) == 0);
	CHECK(tar_store_add(&s, TAR_BLOB_BLOCK, "short", 5, &blob[0]) == 0);
	bad = blob[0];
	bad.off = s.end - 4;
	CHECK(bad.off + 5 <= s.cap);
	CHECK(tar_store_get(&s, TAR_BLOB_BLOCK, &bad, got) == EIO);
	tar_store_fini(&s);
}

/* What does not fit into the memory of all goes to a file, or nowhere. */
static void
test_all_stores_share_their_memory(void)
{
	struct tar_store_memory memory = { .most = 256 << 10 };
	struct tar_store with, without;

	fill(1);
	CHECK(tar_store_init(&with, &(struct tar_store_config){
	    .dir = "/tmp", .memory = &memory }) == 0);
	CHECK(tar_store_init(&without, &(struct tar_store_config){
	    .memory = &memory }) == 0);
	CHECK(memory.used == 0);
	CHECK(tar_store_add(&with, TAR_BLOB_BLOCK, block, sizeof block,
	    &blob[0]) == 0);
	CHECK(with.fd == -1 && memory.used == 256 << 10);
	CHECK(tar_store_add(&without, TAR_BLOB_BLOCK, "short", 5, &blob[1]) ==
	    ENOSPC);
	CHECK(tar_store_add(&with, TAR_BLOB_BLOCK, block, sizeof block,
	    &blob[1]) == 0);
	CHECK(with.fd != -1 && memory.used == 0);
	CHECK(tar_store_get(&with, TAR_BLOB_BLOCK, &blob[0], got) == 0);
	CHECK(memcmp(got, block, sizeof got) == 0);
	CHECK(tar_store_add(&without, TAR_BLOB_BLOCK, "short", 5, &blob[1]) ==
	    0);
	tar_store_fini(&with);
	tar_store_fini(&without);
	CHECK(memory.used == 0);
}

CHECK_MAIN(
	CHECK_TEST(test_a_little_is_kept_in_memory),
	CHECK_TEST(test_more_moves_to_a_file),
	CHECK_TEST(test_where_there_is_no_place_is_said),
	CHECK_TEST(test_it_takes_no_more_than_it_may),
	CHECK_TEST(test_a_blob_that_is_not_what_it_was_is_found_out),
	CHECK_TEST(test_another_process_finds_it_by_its_name),
	CHECK_TEST(test_a_block_is_no_state),
	CHECK_TEST(test_nothing_lies_behind_the_end),
	CHECK_TEST(test_all_stores_share_their_memory),
)
