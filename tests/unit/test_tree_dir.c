/* The names of one directory, against a simple model and in large numbers. */
#include "vfs/tree_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "check.h"

static const uint8_t key[16] = "0123456789abcdef";

static struct pinefs_name
number(char *to, unsigned n)
{
	struct pinefs_name name = { to, (uint32_t)sprintf(to, "f%u", n) };

	return name;
}

static uint32_t
hash(struct pinefs_name name)
{
	return (uint32_t)siphash13(key, name.base, name.len);
}

static struct tree_entry *
find(struct tree_dir *d, unsigned n)
{
	char text[16];
	struct pinefs_name name = number(text, n);

	return tree_dir_find(d, name, hash(name));
}

static uint64_t
insert(struct tree_dir *d, unsigned n)
{
	char text[16];
	struct pinefs_name name = number(text, n);
	struct tree_entry *e = tree_entry_new(name, hash(name));

	CHECK(e != NULL && tree_dir_reserve(d) == 0);
	tree_dir_insert(d, e);
	return d->cookie;
}

static void
remove_one(struct tree_dir *d, unsigned n)
{
	struct tree_entry *e = find(d, n);

	CHECK(e != NULL);
	tree_dir_remove(d, e);
	free(e);
}

static void
clear(struct tree_dir *d)
{
	while (d->n > 0) {
		struct tree_entry *e = d->list[d->n - 1].entry;

		tree_dir_remove(d, e);
		free(e);
	}
	tree_dir_free(d);
}

/* Everything that must be true of a directory at any time. */
static void
check_whole(const struct tree_dir *d)
{
	uint32_t i, live = 0;
	uint64_t last = 0;

	for (i = 0; i < d->n; i++) {
		CHECK(d->list[i].cookie > last);
		last = d->list[i].cookie;
		if (d->list[i].entry != NULL) {
			CHECK(d->list[i].entry->at == i);
			live++;
		}
	}
	CHECK(live == d->live);
	CHECK(d->n <= 8 || d->live >= d->n / 2);
	CHECK(last <= d->cookie);
	if (d->table != NULL) {
		uint32_t used = 0;

		for (i = 0; i <= d->mask; i++)
			used += d->table[i].entry != NULL;
		CHECK(used == d->live);
	}
}

static void
test_an_empty_directory_has_nothing(void)
{
	struct tree_dir *d = tree_dir_new();

	CHECK(find(d, 1) == NULL);
	CHECK(tree_dir_after(d, 0) == 0 && d->n == 0);
	clear(d);
}

static void
test_names_are_found_whatever_was_removed(void)
{
	enum { NAMES = 500, STEPS = 40000 };
	static uint64_t cookie[NAMES];
	struct tree_dir *d = tree_dir_new();
	unsigned i, n;

	memset(cookie, 0, sizeof cookie);
	srand(1);
	for (i = 0; i < STEPS; i++) {
		n = (unsigned)rand() % NAMES;
		if (cookie[n] == 0) {
			CHECK(find(d, n) == NULL);
			cookie[n] = insert(d, n);
		} else if (rand() % 3 != 0 || i > STEPS * 3 / 4) {
			remove_one(d, n);
			cookie[n] = 0;
		}
		if (i % 97 != 0)
			continue;
		check_whole(d);
		for (n = 0; n < NAMES; n++) {
			struct tree_entry *e = find(d, n);

			CHECK((e != NULL) == (cookie[n] != 0));
			/* A cookie is an entry's for its life. */
			CHECK(e == NULL ||
			    d->list[e->at].cookie == cookie[n]);
		}
	}
	clear(d);
}

static void
test_a_listing_goes_on_behind_any_cookie_ever_given(void)
{
	enum { NAMES = 300 };
	static uint64_t cookie[NAMES];
	struct tree_dir *d = tree_dir_new();
	unsigned i, next;
	uint32_t at;

	for (i = 0; i < NAMES; i++)
		cookie[i] = insert(d, i);
	for (i = 0; i < NAMES; i++)
		if (i % 7 != 0)
			remove_one(d, i);
	for (i = 0; i < NAMES; i++) {
		at = tree_dir_after(d, cookie[i]);
		while (at < d->n && d->list[at].entry == NULL)
			at++;
		next = i / 7 * 7 + 7;
		if (next >= NAMES)
			CHECK(at == d->n);
		else
			CHECK(d->list[at].cookie == cookie[next]);
	}
	clear(d);
}

static void
test_memory_is_given_back_when_most_is_gone(void)
{
	struct tree_dir *d = tree_dir_new();
	unsigned i;

	for (i = 0; i < 10000; i++)
		insert(d, i);
	CHECK(d->cap >= 10000 && d->mask + 1 >= 10000);
	for (i = 0; i < 9990; i++)
		remove_one(d, i);
	check_whole(d);
	CHECK(d->cap < 1000 && d->mask < 1000);
	for (; i < 10000; i++)
		CHECK(find(d, i) != NULL);
	clear(d);
}

static void
test_a_name_made_and_removed_over_and_over_costs_nothing(void)
{
	struct tree_dir *d = tree_dir_new();
	unsigned i;

	insert(d, 0);
	for (i = 0; i < 100000; i++) {
		insert(d, 1);
		remove_one(d, 1);
	}
	CHECK(d->n == 1 && d->cap == 8);
	CHECK(d->cookie == 100001);
	clear(d);
}

static void
test_a_million_names_are_no_trouble(void)
{
	enum { MANY = 1000000 };
	struct tree_dir *d = tree_dir_new();
	unsigned i;

	for (i = 0; i < MANY; i++)
		insert(d, i);
	for (i = 0; i < MANY; i += 3)
		CHECK(find(d, i) != NULL);
	for (i = 0; i < MANY; i++)	/* as rm -r does */
		remove_one(d, i);
	CHECK(d->live == 0);
	clear(d);
}

CHECK_MAIN(
	CHECK_TEST(test_an_empty_directory_has_nothing),
	CHECK_TEST(test_names_are_found_whatever_was_removed),
	CHECK_TEST(test_a_listing_goes_on_behind_any_cookie_ever_given),
	CHECK_TEST(test_memory_is_given_back_when_most_is_gone),
	CHECK_TEST(test_a_name_made_and_removed_over_and_over_costs_nothing),
	CHECK_TEST(test_a_million_names_are_no_trouble),
)
