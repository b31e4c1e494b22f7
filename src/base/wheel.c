/* The timer wheel.  See wheel.h. */
#include "base/wheel.h"

#include <stddef.h>

void
wheel_init(struct wheel *w, uint64_t now_ms)
{
	*w = (struct wheel){ .tick = now_ms / WHEEL_TICK_MS };
}

static void
put(struct wheel *w, struct wheel_timer *t)
{
	uint64_t ahead = t->tick - w->tick;
	struct wheel_timer **slot;
	int level = 0;

	while (level < WHEEL_LEVELS - 1 && ahead >= WHEEL_SLOTS) {
		ahead /= WHEEL_SLOTS;
		level++;
	}
	slot = &w->slot[level][(t->tick >> (8 * level)) % WHEEL_SLOTS];
	t->next = *slot;
	t->prev = slot;
	if (t->next != NULL)
		t->next->prev = &t->next;
	*slot = t;
}

static void
unlink_timer(struct wheel_timer *t)
{
	*t->prev = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	t->prev = NULL;
}

void
wheel_arm(struct wheel *w, struct wheel_timer *t, uint64_t at_ms)
{
	uint64_t most = UINT64_C(1) << (8 * WHEEL_LEVELS);

	wheel_disarm(w, t);
	t->tick = (at_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
	if (t->tick <= w->tick)
		t->tick = w->tick + 1;
	if (t->tick - w->tick >= most)
		t->tick = w->tick + most - 1;
	put(w, t);
	if (w->n++ == 0 || t->tick < w->soonest)
		w->soonest = t->tick;
}

void
wheel_disarm(struct wheel *w, struct wheel_timer *t)
{
	if (t->prev == NULL)
		return;
	unlink_timer(t);
	w->n--;
}

/* A slot of a higher level has come: its timers go where they now belong. */
static void
cascade(struct wheel *w, int level)
{
	unsigned i = (w->tick >> (8 * level)) % WHEEL_SLOTS;
	struct wheel_timer *t;

	if (i == 0 && level + 1 < WHEEL_LEVELS)
		cascade(w, level + 1);
	while ((t = w->slot[level][i]) != NULL) {
		unlink_timer(t);
		put(w, t);
	}
}

/* The next full slot of the lowest level, or at worst the next cascade. */
static uint64_t
find_soonest(const struct wheel *w)
{
	uint64_t t;

	for (t = w->tick + 1; t % WHEEL_SLOTS != 0; t++)
		if (w->slot[0][t % WHEEL_SLOTS] != NULL)
			break;
	return t;
}

void
wheel_run(struct wheel *w, uint64_t now_ms)
{
	uint64_t now = now_ms / WHEEL_TICK_MS;
	struct wheel_timer *t;
	unsigned i;

	if (w->n == 0 && w->tick < now)
		w->tick = now;
	while (w->tick < now) {
		w->tick++;
		i = w->tick % WHEEL_SLOTS;
		if (i == 0)
			cascade(w, 1);
		while ((t = w->slot[0][i]) != NULL) {
			unlink_timer(t);
			w->n--;
			t->fn(t);
		}
	}
	if (w->soonest <= w->tick)
		w->soonest = find_soonest(w);
}

int
wheel_wait(const struct wheel *w, uint64_t now_ms)
{
	uint64_t at = w->soonest * WHEEL_TICK_MS;

	if (w->n == 0)
		return -1;
	return at <= now_ms ? 0 : (int)(at - now_ms);
}
