/* Waiting for a lock of four bytes.  See spin.h. */
#include "base/spin.h"

#include <sched.h>
#include <time.h>

enum { SPINS = 100, YIELDS = 1000 };

static void
relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

void
spin_wait(struct spin *s)
{
	static const struct timespec nap = { 0, 50000 };
	unsigned tries;

	for (tries = 0;; tries++) {
		if (atomic_load_explicit(&s->held, memory_order_relaxed) == 0 &&
		    atomic_exchange_explicit(&s->held, 1,
		    memory_order_acquire) == 0)
			return;
		if (tries < SPINS)
			relax();
		else if (tries < YIELDS)
			sched_yield();
		else
			nanosleep(&nap, NULL);	/* its holder was stopped */
	}
}
