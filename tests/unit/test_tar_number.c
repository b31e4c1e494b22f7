/* Numbers in archives: fs/tar/number.c. */
#include "fs/tar/number.h"

#include <string.h>

#include "check.h"

static bool
field(const char *text, size_t len, int64_t *v)
{
	*v = 4711;
	return tar_number(text, len, v);
}

static void
test_octal_ends_at_blank_nul_or_field(void)
{
	int64_t v;

	CHECK(field("0000644\0", 8, &v) && v == 0644);
	CHECK(field("   644 \0", 8, &v) && v == 0644);
	CHECK(field("77777777", 8, &v) && v == 077777777);
	CHECK(field("644     ", 8, &v) && v == 0644);
	CHECK(field("\0\0\0\0\0\0\0\0", 8, &v) && v == 0);
	CHECK(field("        ", 8, &v) && v == 0);
}

static void
test_what_is_no_octal_number_is_none(void)
{
	int64_t v;

	CHECK(!field("0000689\0", 8, &v) && v == 4711);
	CHECK(!field("-0000001", 8, &v));
	CHECK(!field("garbage!", 8, &v));
	CHECK(!field("7777777777777777777777777", 25, &v));
}

static void
test_base_256_has_a_sign(void)
{
	int64_t v;

	CHECK(field("\x80\0\0\0\0\0\x01\x02", 8, &v) && v == 0x102);
	CHECK(field("\xff\xff\xff\xff\xff\xff\xff\xfe", 8, &v) && v == -2);
	CHECK(field("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, &v) &&
	    v == INT64_MAX);
	CHECK(!field("\x80\0\0\0\x80\0\0\0\0\0\0\0", 12, &v));
	CHECK(!field("\x80\0\0\x01\0\0\0\0\0\0\0\0", 12, &v));
	CHECK(field("\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", 12, &v) &&
	    v == INT64_MIN);
	CHECK(!field("\xff\xff\xff\xff\x7f\0\0\0\0\0\0\0", 12, &v));
}

static void
test_decimal_takes_all_of_the_text(void)
{
	int64_t v;

	CHECK(tar_decimal("4711", 4, &v) && v == 4711);
	CHECK(tar_decimal("-2", 2, &v) && v == -2);
	CHECK(tar_decimal("9223372036854775807", 19, &v) && v == INT64_MAX);
	CHECK(!tar_decimal("9223372036854775808", 19, &v));
	CHECK(!tar_decimal("99999999999999999999", 20, &v));
	CHECK(!tar_decimal("", 0, &v));
	CHECK(!tar_decimal("-", 1, &v));
	CHECK(!tar_decimal("12 ", 3, &v));
}

static bool
time_is(const char *text, time_t s, long ns)
{
	struct timespec t;

	return tar_time(text, strlen(text), &t) && t.tv_sec == s &&
	    t.tv_nsec == ns;
}

static void
test_fractions_of_times_before_1970_count_upwards(void)
{
	struct timespec t;

	CHECK(time_is("1700000000.123456789", 1700000000, 123456789));
	CHECK(time_is("1.5", 1, 500000000));
	CHECK(time_is("-1.25", -2, 750000000));
	CHECK(time_is("-1", -1, 0));
	CHECK(time_is("-0.5", -1, 500000000));
	CHECK(time_is("5.1234567899999", 5, 123456789));
	CHECK(!tar_time("now", 3, &t));
	CHECK(!tar_time("1.2.3", 5, &t));
	CHECK(!tar_time(".5", 2, &t));
}

CHECK_MAIN(
	CHECK_TEST(test_octal_ends_at_blank_nul_or_field),
	CHECK_TEST(test_what_is_no_octal_number_is_none),
	CHECK_TEST(test_base_256_has_a_sign),
	CHECK_TEST(test_decimal_takes_all_of_the_text),
	CHECK_TEST(test_fractions_of_times_before_1970_count_upwards),
)
