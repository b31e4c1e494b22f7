/* The store of packed blocks: fs/tar/store.c. */
#include "fs/tar/store.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "fs/tar/blocks.h"

static char block[TAR_BLOCK_SIZE], got[TAR_BLOCK_SIZE];

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

static void
add_and_get(struct tar_store *s, uint64_t blocks)
{
	for (uint64_t n = 0; n < blocks; n++) {
		fill(n);
		CHECK(tar_store_add(s, block, sizeof block) == 0);
	}
	for (uint64_t n = blocks; n-- > 0; ) {
		fill(n);
		CHECK(tar_store_get(s, n, got) == 0);
		CHECK(memcmp(got, block, sizeof got) == 0);
	}
}

static void
test_a_little_is_kept_in_memory(void)
{
	struct tar_store s;

	CHECK(tar_store_init(&s, "/tmp") == 0);
	add_and_get(&s, 40);
	CHECK(s.fd == -1);
	CHECK(tar_store_add(&s, "short", 5) == 0);
	CHECK(tar_store_get(&s, 40, got) == 0 && s.entry[40].len == 5);
	tar_store_fini(&s);
}

static void
test_more_moves_to_a_file(void)
{
	struct tar_store s;

	CHECK(tar_store_init(&s, "/tmp") == 0);
	add_and_get(&s, 1040);
	CHECK(s.fd != -1 && s.memory == NULL);
	tar_store_fini(&s);
}

static void
test_where_there_is_no_place_is_said(void)
{
	struct tar_store s;
	int err = 0;

	CHECK(tar_store_init(&s, "/proc/none") == 0);
	fill(1);
	for (int n = 0; n < 600 && err == 0; n++)
		err = tar_store_add(&s, block, sizeof block);
	CHECK(err == ENOENT);
	CHECK(tar_store_get(&s, 0, got) == 0);	/* what is there, stays */
	tar_store_fini(&s);
}

CHECK_MAIN(
	CHECK_TEST(test_a_little_is_kept_in_memory),
	CHECK_TEST(test_more_moves_to_a_file),
	CHECK_TEST(test_where_there_is_no_place_is_said),
)
