/*
 * Unit tests are functions whose name is the sentence they prove:
 *
 *	static void
 *	test_short_input_is_bad_and_stays_bad(void)
 *	{
 *		CHECK(in.bad);
 *	}
 *
 *	CHECK_MAIN(
 *		CHECK_TEST(test_short_input_is_bad_and_stays_bad),
 *		CHECK_TEST(test_...),
 *	)
 *
 * cmocka runs them; its assert_int_equal() and friends may be used too.
 */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CHECK(x) assert_true(x)
#define CHECK_TEST(fn) { #fn, fn }

struct check_test {
	const char *name;
	void (*run)(void);
};

static inline void
check_run(void **state)
{
	struct check_test *t = *state;

	t->run();
}

static inline int
check_main(const char *group, struct check_test *tests, size_t n)
{
	struct CMUnitTest table[256];

	if (n > sizeof table / sizeof table[0])
		return 1;
	for (size_t i = 0; i < n; i++)
		table[i] = (struct CMUnitTest){ tests[i].name, check_run,
		    NULL, NULL, &tests[i] };
	return _cmocka_run_group_tests(group, table, n, NULL, NULL);
}

#define CHECK_MAIN(...)							\
int									\
main(void)								\
{									\
	struct check_test tests[] = { __VA_ARGS__ };			\
									\
	return check_main(__FILE__, tests, sizeof tests / sizeof tests[0]); \
}

#endif
