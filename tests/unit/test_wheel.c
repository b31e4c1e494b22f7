#include "base/wheel.h"

#include <stdlib.h>

#include "check.h"

struct alarm {
	struct wheel_timer	t;
	uint64_t		at;
	int			fired;
};

static uint64_t now;
static struct wheel w;

static void
fire(struct wheel_timer *t)
{
	struct alarm *a = (struct alarm *)t;

	a->fired++;
	CHECK(now >= a->at);		/* never early */
	CHECK(now < a->at + 2 * WHEEL_TICK_MS + 1000);
}

static void
set(struct alarm *a, uint64_t at)
{
	a->t.fn = fire;
	a->at = at;
	wheel_arm(&w, &a->t, at);
}

static void
run_to(uint64_t until, uint64_t step)
{
	while (now < until) {
		now += step;
		wheel_run(&w, now);
	}
}

static void
test_timers_of_all_levels_fire_once_and_in_time(void)
{
	static const uint64_t in_ms[] = { 1, 125, 126, 31999, 32000, 32125,
	    8192000, 8192125, 9000000 };
	struct alarm a[9] = { 0 };
	unsigned i;

	now = 123456789;
	wheel_init(&w, now);
	for (i = 0; i < 9; i++)
		set(&a[i], now + in_ms[i]);
	run_to(now + 9010000, 997);
	for (i = 0; i < 9; i++)
		CHECK(a[i].fired == 1);
	CHECK(wheel_wait(&w, now) == -1);
}

static void
test_a_disarmed_timer_does_not_fire_and_a_rearmed_one_fires_later(void)
{
	struct alarm a = { 0 }, b = { 0 };

	now = 5000;
	wheel_init(&w, now);
	set(&a, now + 1000);
	set(&b, now + 1000);
	wheel_disarm(&w, &a.t);
	set(&b, now + 100000);
	run_to(now + 99000, 50);
	CHECK(a.fired == 0 && b.fired == 0);
	run_to(now + 2000, 50);
	CHECK(a.fired == 0 && b.fired == 1);
}

static void
test_random_timers_are_never_early_nor_lost(void)
{
	static struct alarm a[5000];
	unsigned i, n = 0;

	srandom(7);
	now = 1000;
	wheel_init(&w, now);
	for (i = 0; i < 5000; i++)
		set(&a[i], now + (uint64_t)random() % 3000000);
	run_to(now + 3100000, 333);
	for (i = 0; i < 5000; i++)
		n += a[i].fired == 1;
	CHECK(n == 5000);
}

static void
test_the_wait_ends_no_later_than_the_next_timer(void)
{
	struct alarm a = { 0 };

	now = 777;
	wheel_init(&w, now);
	set(&a, now + 40000);
	while (a.fired == 0) {
		CHECK(wheel_wait(&w, now) >= 0);
		CHECK(now + (uint64_t)wheel_wait(&w, now) <=
		    a.at + WHEEL_TICK_MS);
		now += (uint64_t)wheel_wait(&w, now) + 1;
		wheel_run(&w, now);
	}
	CHECK(a.fired == 1);
}

CHECK_MAIN(
	CHECK_TEST(test_timers_of_all_levels_fire_once_and_in_time),
	CHECK_TEST(
	    test_a_disarmed_timer_does_not_fire_and_a_rearmed_one_fires_later),
	CHECK_TEST(test_random_timers_are_never_early_nor_lost),
	CHECK_TEST(test_the_wait_ends_no_later_than_the_next_timer),
)
