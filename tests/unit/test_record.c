#include "rpc/record.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { MAX = 1000 };

/* A mark and `n` bytes of `fill` at p; returns what follows. */
static uint8_t *
fragment(uint8_t *p, uint32_t n, bool last, uint8_t fill)
{
	uint32_t mark = n | (last ? 0x80000000u : 0);

	*p++ = (uint8_t)(mark >> 24);
	*p++ = (uint8_t)(mark >> 16);
	*p++ = (uint8_t)(mark >> 8);
	*p++ = (uint8_t)mark;
	memset(p, fill, n);
	return p + n;
}

static void
test_a_record_of_one_fragment_is_not_moved(void)
{
	uint8_t buf[64];
	struct rpc_record r = { 0 };
	size_t fill = (size_t)(fragment(buf, 8, true, 'a') - buf);

	CHECK(record_next(&r, buf, fill, MAX) == RECORD_DONE);
	CHECK(r.start == 4 && r.end == 12 && r.pos == 12);
	CHECK(buf[4] == 'a' && buf[11] == 'a');
}

static void
test_fragments_are_joined_in_place(void)
{
	uint8_t buf[64], *p = buf;
	struct rpc_record r = { 0 };

	p = fragment(p, 4, false, 'a');
	p = fragment(p, 0, false, 0);
	p = fragment(p, 8, true, 'b');
	CHECK(record_next(&r, buf, (size_t)(p - buf), MAX) == RECORD_DONE);
	CHECK(r.end - r.start == 12);
	CHECK(memcmp(buf + r.start, "aaaabbbbbbbb", 12) == 0);
}

static void
test_bytes_that_come_one_by_one_give_the_same_records(void)
{
	uint8_t wire[64], buf[64], *p = wire;
	struct rpc_record r = { 0 };
	size_t i, n, records = 0;

	p = fragment(p, 4, false, 'a');
	p = fragment(p, 4, true, 'b');
	p = fragment(p, 8, true, 'c');
	n = (size_t)(p - wire);
	for (i = 0; i < n; i++) {
		buf[i] = wire[i];
		if (record_next(&r, buf, i + 1, MAX) != RECORD_DONE)
			continue;
		CHECK(memcmp(buf + r.start, records == 0 ? "aaaabbbb" :
		    "cccccccc", 8) == 0);
		records++;
		record_begin(&r);
	}
	CHECK(records == 2);
}

static void
test_a_record_may_have_the_maximum_and_not_one_byte_more(void)
{
	uint8_t buf[2 * MAX], *p = buf;
	struct rpc_record r = { 0 };

	p = fragment(p, MAX - 1, false, 'a');
	p = fragment(p, 1, true, 'b');
	CHECK(record_next(&r, buf, (size_t)(p - buf), MAX) == RECORD_DONE);
	r = (struct rpc_record){ 0 };
	p = fragment(buf, MAX, false, 'a');
	p = fragment(p, 1, true, 'b');
	CHECK(record_next(&r, buf, (size_t)(p - buf), MAX) == RECORD_BAD);
}

static void
test_absurd_lengths_are_bad_from_the_mark_alone(void)
{
	static const uint8_t marks[][4] = { { 0x7f, 0xff, 0xff, 0xff },
	    { 0xff, 0xff, 0xff, 0xff }, "GET ", "POST", { 0x16, 3, 1, 2 } };
	struct rpc_record r;
	uint8_t buf[4];
	size_t i;

	for (i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		r = (struct rpc_record){ 0 };
		memcpy(buf, marks[i], 4);
		CHECK(record_next(&r, buf, 4, 1 << 20) == RECORD_BAD);
	}
}

static void
test_64_empty_fragments_are_allowed_and_65_are_not(void)
{
	uint8_t buf[8 * 80], *p;
	struct rpc_record r;
	int i, n;

	for (n = RECORD_MAX_EMPTY; n <= RECORD_MAX_EMPTY + 1; n++) {
		p = buf;
		for (i = 0; i < n; i++)
			p = fragment(p, 0, false, 0);
		p = fragment(p, 4, true, 'x');
		r = (struct rpc_record){ 0 };
		CHECK(record_next(&r, buf, (size_t)(p - buf), MAX) ==
		    (n == RECORD_MAX_EMPTY ? RECORD_DONE : RECORD_BAD));
	}
}

static void
test_a_shifted_buffer_goes_on_where_it_was(void)
{
	uint8_t buf[64], *p = buf;
	struct rpc_record r = { 0 };
	size_t fill;

	p = fragment(p, 4, true, 'a');
	p = fragment(p, 8, true, 'b');
	fill = (size_t)(p - buf);
	CHECK(record_next(&r, buf, fill, MAX) == RECORD_DONE);
	record_begin(&r);
	CHECK(record_next(&r, buf, fill - 2, MAX) == RECORD_MORE);
	memmove(buf, buf + r.start, fill - r.start);
	fill -= r.start;
	record_shift(&r, r.start);
	CHECK(record_next(&r, buf, fill, MAX) == RECORD_DONE);
	CHECK(memcmp(buf + r.start, "bbbbbbbb", 8) == 0);
}

CHECK_MAIN(
	CHECK_TEST(test_a_record_of_one_fragment_is_not_moved),
	CHECK_TEST(test_fragments_are_joined_in_place),
	CHECK_TEST(test_bytes_that_come_one_by_one_give_the_same_records),
	CHECK_TEST(test_a_record_may_have_the_maximum_and_not_one_byte_more),
	CHECK_TEST(test_absurd_lengths_are_bad_from_the_mark_alone),
	CHECK_TEST(test_64_empty_fragments_are_allowed_and_65_are_not),
	CHECK_TEST(test_a_shifted_buffer_goes_on_where_it_was),
)
