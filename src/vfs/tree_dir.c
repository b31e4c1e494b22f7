/* The names of one directory.  See tree_dir.h. */
#include "vfs/tree_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 8, FIRST_BUCKETS = 16 };

struct tree_dir *
tree_dir_new(void)
{
	struct tree_dir *d = calloc(1, sizeof *d);

	if (d != NULL)
		pthread_mutex_init(&d->lock, NULL);
	return d;
}

void
tree_dir_free(struct tree_dir *d)
{
	if (d == NULL)
		return;
	pthread_mutex_destroy(&d->lock);
	free(d->list);
	free(d->table);
	free(d);
}

struct tree_entry *
tree_entry_new(struct pinefs_name name, uint32_t hash)
{
	struct tree_entry *e = malloc(sizeof *e + name.len);

	if (e == NULL)
		return NULL;
	e->node = NULL;
	e->hash = hash;
	e->len = (uint8_t)name.len;
	memcpy(e->name, name.base, name.len);
	return e;
}

/* -------------------------------------------------------- the table -- */

struct tree_entry *
tree_dir_find(const struct tree_dir *d, struct pinefs_name name,
    uint32_t hash)
{
	struct tree_entry *e;
	uint32_t i;

	if (d->table == NULL)
		return NULL;
	for (i = hash & d->mask; (e = d->table[i].entry) != NULL;
	    i = (i + 1) & d->mask)
		if (d->table[i].hash == hash && e->len == name.len &&
		    memcmp(e->name, name.base, name.len) == 0)
			return e;
	return NULL;
}

static void
table_put(struct tree_dir *d, struct tree_entry *e)
{
	uint32_t i = e->hash & d->mask;

	while (d->table[i].entry != NULL)
		i = (i + 1) & d->mask;
	d->table[i].hash = e->hash;
	d->table[i].entry = e;
}

/* Later entries of the same run move up, so there are no tombstones. */
static void
table_remove(struct tree_dir *d, const struct tree_entry *e)
{
	uint32_t hole = e->hash & d->mask, i, home;

	while (d->table[hole].entry != e)
		hole = (hole + 1) & d->mask;
	for (i = hole;;) {
		d->table[hole].entry = NULL;
		do {
			i = (i + 1) & d->mask;
			if (d->table[i].entry == NULL)
				return;
			home = d->table[i].hash & d->mask;
		} while (((i - home) & d->mask) < ((i - hole) & d->mask));
		d->table[hole] = d->table[i];
		hole = i;
	}
}

/* Make it `buckets` large, a power of two, and put every entry in again. */
static int
table_build(struct tree_dir *d, uint32_t buckets)
{
	struct tree_bucket *was = d->table;
	uint32_t i;

	d->table = calloc(buckets, sizeof *d->table);
	if (d->table == NULL) {
		d->table = was;
		return ENOMEM;
	}
	free(was);
	d->mask = buckets - 1;
	for (i = 0; i < d->n; i++)
		if (d->list[i].entry != NULL)
			table_put(d, d->list[i].entry);
	return 0;
}

/* ---------------------------------------------------------- the list -- */

static void
list_resize(struct tree_dir *d, uint32_t cap)
{
	struct tree_slot *list = realloc(d->list, cap * sizeof *list);

	if (list != NULL) {
		d->list = list;
		d->cap = cap;
	}
}

/* Close the holes; cookies stay.  Then smaller arrays, if there is memory. */
static void
pack(struct tree_dir *d)
{
	uint32_t i, n = 0, buckets = FIRST_BUCKETS;

	for (i = 0; i < d->n; i++) {
		if (d->list[i].entry == NULL)
			continue;
		d->list[n] = d->list[i];
		d->list[n].entry->at = n;
		n++;
	}
	d->n = n;
	while (buckets / 2 < n)
		buckets *= 2;
	if (buckets <= d->mask)
		table_build(d, buckets);
	if (d->cap / 4 > n)
		list_resize(d, n < FIRST_SLOTS ? FIRST_SLOTS : n * 2);
}

int
tree_dir_reserve(struct tree_dir *d)
{
	uint32_t buckets = d->table == NULL ? 0 : d->mask + 1;

	if (d->live >= UINT32_MAX / 4)
		return ENOSPC;
	if (d->n == d->cap) {
		list_resize(d, d->cap == 0 ? FIRST_SLOTS : d->cap * 2);
		if (d->n == d->cap)
			return ENOMEM;
	}
	/* At most three quarters full. */
	if (buckets == 0 || d->live + 1 > buckets / 4 * 3)
		return table_build(d, buckets == 0 ? FIRST_BUCKETS :
		    buckets * 2);
	return 0;
}

void
tree_dir_insert(struct tree_dir *d, struct tree_entry *e)
{
	e->at = d->n;
	d->list[d->n].cookie = ++d->cookie;
	d->list[d->n].entry = e;
	d->n++;
	d->live++;
	table_put(d, e);
}

void
tree_dir_remove(struct tree_dir *d, struct tree_entry *e)
{
	table_remove(d, e);
	d->list[e->at].entry = NULL;
	d->live--;
	while (d->n > 0 && d->list[d->n - 1].entry == NULL)
		d->n--;
	if (d->n > FIRST_SLOTS && d->live < d->n / 2)
		pack(d);
}

uint32_t
tree_dir_after(const struct tree_dir *d, uint64_t cookie)
{
	uint32_t lo = 0, hi = d->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (d->list[mid].cookie <= cookie)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
