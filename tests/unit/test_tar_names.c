/* Names that differ from the archive's: fs/tar/names.c, against an array. */
#include "fs/tar/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { NAMES = 60 };

static struct tar_names t;
/* What each name means; with `hides`, what is not bound is hidden. */
static struct {
	struct tar_upper	*upper;
	uint64_t		 cookie;
	bool			 hides;
} model[NAMES];
static unsigned freed;

/* Nobody looks into them. */
static char objects[8];

static struct pinefs_name
name_of(int i, char text[16])
{
	int n = snprintf(text, 16, "name%d", i);

	return (struct pinefs_name){ text, (uint32_t)n };
}

/* Few hashes, so that chains have several. */
static uint32_t
hash_of(int i)
{
	return (uint32_t)i % 7 * 1000;
}

static struct tar_name *
find(int i)
{
	char text[16];

	return tar_names_find(&t, name_of(i, text), hash_of(i));
}

static struct tar_name *
prepare(int i)
{
	char text[16];
	struct tar_name *n = tar_names_prepare(&t, name_of(i, text),
	    hash_of(i));

	CHECK(n != NULL);
	return n;
}

static void
bind(int i, bool hides)
{
	struct tar_name *n = prepare(i);

	model[i].upper = (struct tar_upper *)&objects[rand() % 8];
	model[i].hides |= hides;
	n->hides = model[i].hides;
	tar_names_bind(&t, n, model[i].upper);
	CHECK(n->cookie > model[i].cookie);
	model[i].cookie = n->cookie;
}

static void
unbind(int i)
{
	CHECK(tar_names_unbind(&t, find(i)) == !model[i].hides);
	model[i].upper = NULL;
}

static void
compare(void)
{
	const struct tar_name *n;
	uint64_t after = rand() % 2 ? 0 : TAR_COOKIE_NEW +
	    (uint64_t)rand() % 200;
	unsigned listed = 0, bound = 0;
	int i;

	for (i = 0; i < NAMES; i++) {
		n = find(i);
		CHECK((n != NULL) == (model[i].upper != NULL ||
		    model[i].hides));
		CHECK(n == NULL || n->upper == model[i].upper);
		bound += model[i].upper != NULL && model[i].cookie > after;
	}
	for (; (n = tar_names_after(&t, after)) != NULL; listed++) {
		CHECK(n->cookie > after && n->cookie >= TAR_COOKIE_NEW);
		CHECK(n->upper != NULL);
		after = n->cookie;
	}
	CHECK(listed == bound);
}

static void
note_freed(void *arg, const struct tar_name *name)
{
	(void)arg, (void)name;
	freed++;
}

static void
test_names_mean_what_they_were_bound_to_last(void)
{
	int i, step;

	srand(1);
	for (step = 0; step < 5000; step++) {
		i = rand() % NAMES;
		if (model[i].upper != NULL && rand() % 2)
			unbind(i);
		else if (model[i].upper == NULL && rand() % 8 == 0) {
			tar_names_hide(&t, prepare(i));
			model[i].hides = true;
		} else
			bind(i, rand() % 16 == 0);
		if (step % 10 == 0)
			compare();
	}
	tar_names_fini(&t, note_freed, NULL);
	memset(model, 0, sizeof model);
	CHECK(freed > 0 && t.n == 0);
}

static void
test_a_name_that_was_prepared_in_vain_leaves_nothing(void)
{
	tar_names_cancel(&t, prepare(3));
	CHECK(find(3) == NULL && tar_names_after(&t, 0) == NULL);
	bind(3, false);
	tar_names_cancel(&t, prepare(3));
	CHECK(find(3) != NULL);
	unbind(3);
	tar_names_fini(&t, note_freed, NULL);
	memset(model, 0, sizeof model);
}

static void
test_replacing_one_name_for_ever_takes_no_more_room(void)
{
	int i;

	bind(0, false);
	bind(1, false);
	for (i = 0; i < 10000; i++)
		bind(0, false);
	CHECK(t.cap < 32);
	CHECK(tar_names_after(&t, 0) == find(1));
	tar_names_fini(&t, note_freed, NULL);
	memset(model, 0, sizeof model);
}

CHECK_MAIN(
	CHECK_TEST(test_names_mean_what_they_were_bound_to_last),
	CHECK_TEST(test_a_name_that_was_prepared_in_vain_leaves_nothing),
	CHECK_TEST(test_replacing_one_name_for_ever_takes_no_more_room),
)
