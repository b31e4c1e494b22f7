/* Time, through one seam.  See clock.h. */
#include "base/clock.h"

#include <stdatomic.h>
#include <stddef.h>

static clock_source_fn *_Atomic source;

static void
now(clockid_t which, struct timespec *ts)
{
	clock_source_fn *fn = atomic_load_explicit(&source,
	    memory_order_relaxed);

	if (fn != NULL)
		fn(which, ts);
	else
		clock_gettime(which, ts);
}

void
clock_wall(struct timespec *ts)
{
	now(CLOCK_REALTIME, ts);
}

uint64_t
clock_wall_ns(void)
{
	struct timespec ts;

	now(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t
clock_boot_ns(void)
{
	struct timespec ts;

#ifdef CLOCK_BOOTTIME
	now(CLOCK_BOOTTIME, &ts);
#else
	now(CLOCK_MONOTONIC, &ts);
#endif
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t
clock_boot_ms(void)
{
	return clock_boot_ns() / 1000000;
}

uint64_t
clock_coarse_ms(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
	struct timespec ts;

	if (atomic_load_explicit(&source, memory_order_relaxed) == NULL) {
		clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
		return (uint64_t)ts.tv_sec * 1000 +
		    (uint64_t)ts.tv_nsec / 1000000;
	}
#endif
	return clock_boot_ms();
}

void
clock_set_source(clock_source_fn *fn)
{
	atomic_store(&source, fn);
}
