/* The cache of decoded blocks: fs/tar/blocks.c. */
#include "fs/tar/blocks.h"

#include <string.h>

#include "check.h"

static char a, b;	/* owners */

static void
put(struct tar_blocks *c, const void *owner, uint64_t n, char fill)
{
	char data[100];

	memset(data, fill, sizeof data);
	tar_blocks_put(c, owner, n, data, sizeof data);
}

static bool
has(struct tar_blocks *c, const void *owner, uint64_t n, char fill)
{
	char to[10] = "";

	return tar_blocks_get(c, owner, n, 90, to, 10) && to[0] == fill &&
	    to[9] == fill;
}

static void
test_the_last_used_stay(void)
{
	struct tar_blocks *c = tar_blocks_new(3 * TAR_BLOCK_SIZE);

	put(c, &a, 1, '1');
	put(c, &a, 2, '2');
	put(c, &b, 1, '3');
	CHECK(has(c, &a, 1, '1'));
	put(c, &b, 2, '4');
	CHECK(has(c, &a, 1, '1') && has(c, &b, 1, '3') && has(c, &b, 2, '4'));
	CHECK(!has(c, &a, 2, '2'));
	tar_blocks_free(c);
}

static void
test_a_block_is_replaced_and_goes_with_its_owner(void)
{
	struct tar_blocks *c = tar_blocks_new(3 * TAR_BLOCK_SIZE);

	put(c, &a, 1, '1');
	put(c, &a, 1, '2');
	put(c, &b, 1, '3');
	CHECK(has(c, &a, 1, '2'));
	tar_blocks_drop(c, &a);
	CHECK(!has(c, &a, 1, '2') && has(c, &b, 1, '3'));
	tar_blocks_free(c);
}

static void
test_no_more_is_copied_than_there_is(void)
{
	struct tar_blocks *c = tar_blocks_new(0);	/* room for one */
	char to[20];

	put(c, &a, 1, '1');
	CHECK(tar_blocks_get(c, &a, 1, 80, to, 20));
	CHECK(!tar_blocks_get(c, &a, 1, 81, to, 20));
	CHECK(!tar_blocks_get(c, &a, 1, 200, to, 0));
	tar_blocks_free(c);
}

static void
test_who_has_a_block_keeps_it(void)
{
	struct tar_blocks *c = tar_blocks_new(0);	/* room for one */
	struct tar_block *one;

	put(c, &a, 1, '1');
	one = tar_blocks_find(c, &a, 1);
	put(c, &a, 2, '2');
	CHECK(!has(c, &a, 1, '1') && has(c, &a, 2, '2'));
	CHECK(one != NULL && one->data[50] == '1');
	tar_blocks_free(c);
	CHECK(one->data[50] == '1');
	tar_block_put(one);
}

static void
test_no_more_is_lent_than_there_is(void)
{
	struct tar_blocks *c = tar_blocks_new(2 * TAR_BLOCK_SIZE);

	CHECK(tar_blocks_borrow(c) && tar_blocks_borrow(c));
	CHECK(!tar_blocks_borrow(c));
	tar_blocks_return(c, 1);
	CHECK(tar_blocks_borrow(c) && !tar_blocks_borrow(c));
	tar_blocks_free(c);
}

CHECK_MAIN(
	CHECK_TEST(test_the_last_used_stay),
	CHECK_TEST(test_a_block_is_replaced_and_goes_with_its_owner),
	CHECK_TEST(test_no_more_is_copied_than_there_is),
	CHECK_TEST(test_who_has_a_block_keeps_it),
	CHECK_TEST(test_no_more_is_lent_than_there_is),
)
