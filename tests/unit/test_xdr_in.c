/* The cursor over received bytes. */
#include <pinefs/xdr.h>

#include "check.h"

static void
test_short_input_is_bad_and_stays_bad(void)
{
	const uint8_t wire[] = { 0, 0, 0, 7, 0, 0 };
	struct xdr_in in = { .pos = wire, .end = wire + sizeof wire };

	CHECK(xdr_get_u32(&in) == 7);
	CHECK(!in.bad);
	CHECK(xdr_get_u32(&in) == 0);
	CHECK(in.bad);
	CHECK(in.pos == wire + 4);	/* nothing is consumed by a failure */
	CHECK(xdr_get_u64(&in) == 0);
	CHECK(xdr_take(&in, 1) == NULL && xdr_in_left(&in) == 0);
}

static void
test_numbers_are_big_endian(void)
{
	const uint8_t wire[] = { 1, 2, 3, 4, 0xff, 2, 3, 4, 5, 6, 7, 8 };
	struct xdr_in in;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_get_u32(&in) == 0x01020304);
	CHECK(xdr_get_u64(&in) == 0xff02030405060708u);
	CHECK(xdr_in_left(&in) == 0 && !in.bad);
}

static void
test_the_first_failure_is_the_one_reported(void)
{
	const uint8_t wire[8] = { 0 };
	struct xdr_in in;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_take(&in, 4) != NULL);
	CHECK(xdr_fail(&in, XDR_BAD_ENUM, "a.b") == EBADMSG);
	CHECK(xdr_fail(&in, XDR_OVER_BUDGET, "c.d") == EBADMSG);
	CHECK(in.why == XDR_BAD_ENUM);
	CHECK(strcmp(in.where, "a.b") == 0);
	CHECK(in.offset == 4);
	CHECK(strcmp(xdr_error_name(XDR_BAD_ENUM), "XDR_BAD_ENUM") == 0);
}

static void
test_a_bad_value_is_located_where_it_begins(void)
{
	const uint8_t wire[] = { 0, 0, 0, 1, 0, 0, 0, 2 };
	struct xdr_in in;
	bool b;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_get_bool(&in, &b, "one") == 0 && b);
	CHECK(xdr_get_bool(&in, &b, "two") == EBADMSG);
	CHECK(in.why == XDR_BAD_BOOL && in.offset == 4);
	CHECK(strcmp(in.where, "two") == 0);
}

static void
test_a_view_points_into_the_message(void)
{
	const uint8_t wire[] = { 0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 0, 9 };
	struct xdr_view v;
	struct xdr_in in;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_get_view(&in, &v, 3, "v") == 0);
	CHECK(v.data == wire + 4 && v.len == 3 && v.npieces == 0);
	CHECK(xdr_get_u32(&in) == 9);
}

static void
test_a_view_beyond_its_maximum_is_too_long(void)
{
	const uint8_t wire[] = { 0, 0, 0, 3, 'a', 'b', 'c', 0 };
	struct xdr_view v;
	struct xdr_in in;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_get_view(&in, &v, 2, "v") == EBADMSG);
	CHECK(in.why == XDR_TOO_LONG && in.offset == 0);
}

static void
test_a_view_of_every_length_is_short_by_any_byte(void)
{
	uint8_t wire[24] = { 0 };
	struct xdr_view v;
	struct xdr_in in;
	uint8_t n;
	size_t have, whole;

	for (n = 0; n <= 20; n++) {
		wire[3] = n;
		whole = 4 + ((n + 3u) & ~3u);
		for (have = 0; have <= whole; have++) {
			xdr_in_init(&in, wire, have, NULL);
			CHECK((xdr_get_view(&in, &v, 20, "v") == 0) ==
			    (have == whole));
			CHECK(have == whole || in.why == XDR_SHORT);
		}
	}
}

static void
test_a_length_near_the_greatest_does_not_wrap(void)
{
	const uint8_t wire[] = { 0xff, 0xff, 0xff, 0xfe, 1, 2, 3, 4 };
	struct xdr_view v;
	struct xdr_in in;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_get_view(&in, &v, UINT32_MAX, "v") == EBADMSG);
	CHECK(in.why == XDR_SHORT);
}

static void
test_strict_padding_must_be_zero(void)
{
	const uint8_t good[] = { 0, 0, 0, 2, 'a', 'b', 0, 0 };
	const uint8_t bad[] = { 0, 0, 0, 2, 'a', 'b', 0, 1 };
	struct xdr_view v;
	struct xdr_in in;

	xdr_in_init(&in, good, sizeof good, NULL);
	CHECK(xdr_get_view_strict(&in, &v, 2, "v") == 0);
	xdr_in_init(&in, bad, sizeof bad, NULL);
	CHECK(xdr_get_view_strict(&in, &v, 2, "v") == EBADMSG);
	CHECK(in.why == XDR_BAD_PAD);
	xdr_in_init(&in, bad, sizeof bad, NULL);
	CHECK(xdr_get_view(&in, &v, 2, "v") == 0);
}

static void
test_a_count_is_checked_against_the_bytes_left(void)
{
	uint8_t wire[4 + 24] = { 0 };
	struct xdr_in in;
	uint32_t n;

	wire[3] = 3;
	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_get_count(&in, &n, 100, 8, "c") == 0 && n == 3);
	wire[3] = 4;
	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_get_count(&in, &n, 100, 8, "c") == EBADMSG);
	CHECK(in.why == XDR_SHORT);
	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_get_count(&in, &n, 3, 1, "c") == EBADMSG);
	CHECK(in.why == XDR_TOO_LONG);
	/* Elements of no bytes count as one each. */
	wire[3] = 25;
	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_get_count(&in, &n, 100, 0, "c") == EBADMSG);
}

/* The same message, cut in two at each place. */
static void
test_a_seam_may_lie_anywhere(void)
{
	static const uint8_t wire[] = {
		1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o',
		0, 0, 0, 0, 0, 0, 42
	};
	struct xdr_seg segs[3];
	struct xdr_arena arena;
	struct xdr_view v;
	struct xdr_in in;
	size_t cut;

	xdr_arena_init(&arena, NULL, 0, 65536);
	for (cut = 0; cut <= sizeof wire; cut++) {
		segs[0] = (struct xdr_seg){ wire, cut };
		segs[1] = (struct xdr_seg){ wire, 0 };	/* empty ones too */
		segs[2] = (struct xdr_seg){ wire + cut, sizeof wire - cut };
		xdr_in_init_segs(&in, segs, 3, &arena);
		CHECK(xdr_in_left(&in) == sizeof wire);
		CHECK(xdr_get_u64(&in) == 0x0102030405060708u);
		CHECK(xdr_get_view(&in, &v, 5, "v") == 0);
		CHECK(v.len == 5 && memcmp(v.data, "hello", 5) == 0);
		CHECK(xdr_get_u32(&in) == 42);
		CHECK(!in.bad && xdr_in_left(&in) == 0);
		xdr_arena_reset(&arena);
	}
}

static void
test_a_payload_that_lies_whole_in_the_next_stretch_is_not_copied(void)
{
	static const uint8_t head[] = { 0, 0, 0, 5 };
	static const uint8_t payload[] = { 'h', 'e', 'l', 'l', 'o' };
	static const uint8_t tail[] = { 0, 0, 0, 0, 0, 0, 7 };
	const struct xdr_seg segs[] = {
		{ head, sizeof head }, { payload, sizeof payload },
		{ tail, sizeof tail }
	};
	struct xdr_view v;
	struct xdr_in in;

	xdr_in_init_segs(&in, segs, 3, NULL);
	CHECK(xdr_get_view(&in, &v, 5, "v") == 0);
	CHECK(v.data == payload);
	CHECK(xdr_get_u32(&in) == 7);
	CHECK(xdr_take(&in, 4) == NULL);
	CHECK(xdr_fail(&in, XDR_SHORT, "end") == EBADMSG);
	CHECK(in.offset == sizeof head + sizeof payload + sizeof tail);
}

static void
test_without_an_arena_small_runs_cross_seams_too(void)
{
	static const uint8_t wire[128] = { 0, 0, 0, 1 };
	struct xdr_seg segs[] = { { wire, 2 }, { wire + 2, 126 } };
	struct xdr_in in;

	xdr_in_init_segs(&in, segs, 2, NULL);
	CHECK(xdr_get_u32(&in) == 1);
	segs[0].len = 30;
	segs[1] = (struct xdr_seg){ wire + 30, 98 };
	xdr_in_init_segs(&in, segs, 2, NULL);
	CHECK(xdr_take(&in, 64) != NULL);
	xdr_in_init_segs(&in, segs, 2, NULL);
	CHECK(xdr_take(&in, 68) == NULL);
	CHECK(in.why == XDR_OVER_BUDGET);
}

static void
test_fixed_bytes_are_copied_without_their_padding(void)
{
	const uint8_t wire[] = { 'a', 'b', 'c', 0, 0, 0, 0, 1 };
	char to[4] = "....";
	struct xdr_in in;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(xdr_get_fixed(&in, to, 3, "f") == 0);
	CHECK(memcmp(to, "abc.", 4) == 0);
	CHECK(xdr_get_u32(&in) == 1);
	CHECK(xdr_get_fixed(&in, to, 1, "f") == EBADMSG);
}

static void
test_arrays_of_basic_types_are_decoded(void)
{
	const uint8_t wire[] = {
		0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 5,
		0, 0, 0, 1, 0, 0, 0, 2,
	};
	struct xdr_i32_array a;
	struct xdr_bool_array b;
	struct xdr_arena arena;
	struct xdr_in in;

	xdr_arena_init(&arena, NULL, 0, 4096);
	xdr_in_init(&in, wire, sizeof wire, &arena);
	CHECK(xdr_i32_array_decode(&in, &a, 2, "a") == 0);
	CHECK(a.n == 2 && a.v[0] == -1 && a.v[1] == 5);
	CHECK(xdr_bool_array_decode(&in, &b, 2, "b") == EBADMSG);
	CHECK(in.why == XDR_BAD_BOOL);
	xdr_arena_reset(&arena);
}

static void
test_memory_never_exceeds_the_budget(void)
{
	static uint8_t wire[4 + 65536] = { 0, 0, 0x40, 0 };
	struct xdr_u32_array a;
	struct xdr_arena arena;
	struct xdr_in in;

	xdr_arena_init(&arena, NULL, 0, 32768);
	xdr_in_init(&in, wire, sizeof wire, &arena);
	CHECK(xdr_u32_array_decode(&in, &a, UINT32_MAX, "a") == ENOMEM);
	CHECK(in.why == XDR_OVER_BUDGET);
	xdr_arena_reset(&arena);
}

CHECK_MAIN(
	CHECK_TEST(test_short_input_is_bad_and_stays_bad),
	CHECK_TEST(test_numbers_are_big_endian),
	CHECK_TEST(test_the_first_failure_is_the_one_reported),
	CHECK_TEST(test_a_bad_value_is_located_where_it_begins),
	CHECK_TEST(test_a_view_points_into_the_message),
	CHECK_TEST(test_a_view_beyond_its_maximum_is_too_long),
	CHECK_TEST(test_a_view_of_every_length_is_short_by_any_byte),
	CHECK_TEST(test_a_length_near_the_greatest_does_not_wrap),
	CHECK_TEST(test_strict_padding_must_be_zero),
	CHECK_TEST(test_a_count_is_checked_against_the_bytes_left),
	CHECK_TEST(test_a_seam_may_lie_anywhere),
	CHECK_TEST(
	    test_a_payload_that_lies_whole_in_the_next_stretch_is_not_copied),
	CHECK_TEST(test_without_an_arena_small_runs_cross_seams_too),
	CHECK_TEST(test_fixed_bytes_are_copied_without_their_padding),
	CHECK_TEST(test_arrays_of_basic_types_are_decoded),
	CHECK_TEST(test_memory_never_exceeds_the_budget),
)
