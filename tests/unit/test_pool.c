/* Objects of tables: zeroed, limited, and given back. */
#include "check.h"

#include <stdbool.h>
#include <string.h>

#include "base/pool.h"

enum { SIZE = 200, MANY = 5000 };

static unsigned char *object[MANY];

static void
test_objects_are_zeroed_and_do_not_overlap(void)
{
	struct pool p;
	int i, j;

	pool_init(&p, SIZE, MANY);
	for (i = 0; i < MANY; i++) {
		object[i] = pool_take(&p);
		CHECK(object[i] != NULL);
		CHECK((uintptr_t)object[i] % 16 == 0);
		for (j = 0; j < SIZE; j++)
			CHECK(object[i][j] == 0);
		memset(object[i], i % 255 + 1, SIZE);
	}
	for (i = 0; i < MANY; i++)
		CHECK(object[i][0] == i % 255 + 1 &&
		    object[i][SIZE - 1] == i % 255 + 1);
	pool_fini(&p);
}

static void
test_there_are_no_more_than_the_limit(void)
{
	struct pool p;
	void *one;

	pool_init(&p, SIZE, 2);
	one = pool_take(&p);
	CHECK(one != NULL);
	CHECK(pool_take(&p) != NULL);
	CHECK(pool_take(&p) == NULL);
	pool_give(&p, one);
	CHECK(pool_take(&p) == one);
	pool_fini(&p);
}

static void
test_what_was_given_back_is_taken_again_in_any_order(void)
{
	struct pool p;
	int i, round;

	pool_init(&p, SIZE, MANY);
	for (round = 0; round < 5; round++) {
		for (i = 0; i < MANY; i++)
			CHECK((object[i] = pool_take(&p)) != NULL);
		CHECK(pool_take(&p) == NULL);
		for (i = 0; i < MANY; i++)
			pool_give(&p, object[(i * 7 + round) % MANY]);
		CHECK(p.used == 0);
		/* But for one chunk, nothing is kept. */
		CHECK(p.full == NULL);
		CHECK(p.room != NULL);
	}
	pool_fini(&p);
}

static void
test_large_objects_have_room(void)
{
	struct pool p;
	void *a, *b;

	pool_init(&p, 32 << 10, 10);
	CHECK((a = pool_take(&p)) != NULL);
	CHECK((b = pool_take(&p)) != NULL);
	memset(a, 1, 32 << 10);
	memset(b, 2, 32 << 10);
	CHECK(*(char *)a == 1);
	pool_give(&p, a);
	pool_give(&p, b);
	pool_fini(&p);
}

CHECK_MAIN(
	CHECK_TEST(test_objects_are_zeroed_and_do_not_overlap),
	CHECK_TEST(test_there_are_no_more_than_the_limit),
	CHECK_TEST(test_what_was_given_back_is_taken_again_in_any_order),
	CHECK_TEST(test_large_objects_have_room),
)
