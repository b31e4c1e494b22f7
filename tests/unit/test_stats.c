#include "rpc/stats.h"

#include <stdlib.h>

#include "check.h"

static const struct rpc_program one, other;

static void
test_buckets_grow_by_an_eighth_and_cover_all(void)
{
	uint64_t end, before = 0;
	unsigned i;

	for (i = 0; i < STATS_BUCKETS; i++, before = end) {
		end = stats_bucket_end(i);
		CHECK(end > before);
		if (i > 0 && i < STATS_BUCKETS - 1)
			CHECK((end - before) * STATS_STEPS <= before);
	}
	CHECK(end == UINT64_MAX);
	CHECK(stats_bucket_end(STATS_BUCKETS - 2) > UINT64_C(30000000000));
}

/* Powers of two end a bucket: metrics sum by them. */
static void
test_powers_of_two_are_ends(void)
{
	unsigned k, i = 0;

	for (k = STATS_LOWEST; k <= STATS_LOWEST + STATS_OCTAVES; k++) {
		while (stats_bucket_end(i) < UINT64_C(1) << k)
			i++;
		CHECK(stats_bucket_end(i) == UINT64_C(1) << k);
	}
}

static void
test_a_quantile_is_in_the_bucket_that_reaches_it(void)
{
	struct stats_row row = { .timed = 100 };
	uint64_t p;

	CHECK(stats_quantile(&row, 0.5) == 0);		/* nothing yet */
	row.bucket[10] = 98;
	row.bucket[100] = 2;
	p = stats_quantile(&row, 0.5);
	CHECK(p > stats_bucket_end(9) && p < stats_bucket_end(10));
	p = stats_quantile(&row, 0.98);
	CHECK(p < stats_bucket_end(10));
	p = stats_quantile(&row, 0.99);
	CHECK(p > stats_bucket_end(99) && p < stats_bucket_end(100));
	row.bucket[STATS_BUCKETS - 1] = 1000;
	CHECK(stats_quantile(&row, 0.99) ==
	    stats_bucket_end(STATS_BUCKETS - 2));	/* at least */
}

static void
test_what_was_before_is_subtracted_from_its_row_only(void)
{
	struct stats_row before[2] = {
		{ .program = &one, .number = 1, .status = 0, .count = 10,
		    .timed = 5, .ns = 50, .bucket[3] = 5 },
		{ .program = &one, .number = 1, .status = 2, .count = 1 },
	};
	struct stats_row now[4] = {
		{ .program = &one, .number = 1, .status = 0, .count = 15,
		    .timed = 8, .ns = 90, .bucket[3] = 7, .bucket[4] = 1 },
		{ .program = &one, .number = 1, .status = 2, .count = 1 },
		{ .program = &one, .number = 1, .part = true, .count = 3 },
		{ .program = &other, .number = 1, .count = 4 },
	};

	stats_subtract(now, 4, before, 2);
	CHECK(now[0].count == 5 && now[0].timed == 3 && now[0].ns == 40);
	CHECK(now[0].bucket[3] == 2 && now[0].bucket[4] == 1);
	CHECK(now[1].count == 0);
	CHECK(now[2].count == 3 && now[3].count == 4);
}

static void
test_every_counter_has_a_name_of_its_own(void)
{
	unsigned i, k;

	for (i = 0; i < LOOP_COUNTERS; i++) {
		CHECK(stats_counter_name(i) != NULL);
		for (k = 0; k < i; k++)
			CHECK(strcmp(stats_counter_name(i),
			    stats_counter_name(k)) != 0);
	}
}

CHECK_MAIN(
	CHECK_TEST(test_buckets_grow_by_an_eighth_and_cover_all),
	CHECK_TEST(test_powers_of_two_are_ends),
	CHECK_TEST(test_a_quantile_is_in_the_bucket_that_reaches_it),
	CHECK_TEST(test_what_was_before_is_subtracted_from_its_row_only),
	CHECK_TEST(test_every_counter_has_a_name_of_its_own),
)
