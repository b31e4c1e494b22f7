/*
 * Timers of one thread: a hashed hierarchical wheel, 4 levels of 256 slots
 * of 1/8 s, so that arming and disarming are O(1) for any number of them
 * and a timer may be 17 years away.  Time is handed in (milliseconds of any
 * clock that does not go back).
 */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

enum { WHEEL_LEVELS = 4, WHEEL_SLOTS = 256, WHEEL_TICK_MS = 125 };

struct wheel_timer {
	struct wheel_timer	*next, **prev;	/* prev NULL: not armed */
	uint64_t		 tick;		/* when it is due */
	void			(*fn)(struct wheel_timer *);
};

struct wheel {
	uint64_t		 tick;		/* done up to here */
	uint64_t		 soonest;	/* no timer is due before */
	unsigned		 n;		/* armed timers */
	struct wheel_timer	*slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

void	wheel_init(struct wheel *, uint64_t now_ms);
/* (Re-)arm: due at `at_ms` or up to a tick later; never before. */
void	wheel_arm(struct wheel *, struct wheel_timer *, uint64_t at_ms);
void	wheel_disarm(struct wheel *, struct wheel_timer *);
/* Run what is due; timers may be armed and disarmed by what runs. */
void	wheel_run(struct wheel *, uint64_t now_ms);
/* Milliseconds until wheel_run should be called; -1: nothing is armed. */
int	wheel_wait(const struct wheel *, uint64_t now_ms);

#endif
