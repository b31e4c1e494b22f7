/*
 * Time, through one seam, so that tests can set it.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The time of day; may jump. */
void		clock_wall(struct timespec *now);
/* The same in ns since 1970. */
uint64_t	clock_wall_ns(void);
/* Since boot, time asleep included: for leases and waits; never jumps. */
uint64_t	clock_boot_ns(void);
uint64_t	clock_boot_ms(void);
/* Not since boot, and some ms coarse, but cheap: for how long things take. */
uint64_t	clock_coarse_ms(void);

/*
 * For tests: `fn` answers for both clocks (CLOCK_REALTIME, CLOCK_BOOTTIME);
 * NULL: the kernel again.
 */
typedef void clock_source_fn(clockid_t which, struct timespec *now);
void		clock_set_source(clock_source_fn *fn);

#endif
