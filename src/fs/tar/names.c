/* Names that differ.  See names.h. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST = 4 };

void
tar_names_fini(struct tar_names *t, void (*each)(void *,
    const struct tar_name *), void *arg)
{
	struct tar_name *name;
	uint32_t i;

	for (i = 0; i < t->nslots; i++) {
		while ((name = t->slot[i]) != NULL) {
			t->slot[i] = name->next;
			each(arg, name);
			free(name);
		}
	}
	free(t->slot);
	free(t->list);
	*t = (struct tar_names){ 0 };
}

/* ---------------------------------------------------------------- table -- */

static struct tar_name **
slot_of(const struct tar_names *t, uint32_t hash)
{
	return &t->slot[hash & (t->nslots - 1)];
}

struct tar_name *
tar_names_find(const struct tar_names *t, struct pinefs_name name,
    uint32_t hash)
{
	struct tar_name *n;

	if (t->nslots == 0)
		return NULL;
	for (n = *slot_of(t, hash); n != NULL; n = n->next)
		if (n->hash == hash && n->len == name.len &&
		    memcmp(n->text, name.base, name.len) == 0)
			break;
	return n;
}

/* Room for one more; without memory chains grow longer. */
static bool
grow_table(struct tar_names *t)
{
	uint32_t i, was = t->nslots;
	struct tar_name **old = t->slot, **slot, *n;

	if (t->n < was)
		return true;
	slot = calloc(was == 0 ? FIRST : (size_t)was * 2, sizeof *slot);
	if (slot == NULL)
		return was > 0;
	t->slot = slot;
	t->nslots = was == 0 ? FIRST : was * 2;
	for (i = 0; i < was; i++) {
		while ((n = old[i]) != NULL) {
			old[i] = n->next;
			n->next = *slot_of(t, n->hash);
			*slot_of(t, n->hash) = n;
		}
	}
	free(old);
	return true;
}

static bool
is_in(const struct tar_names *t, const struct tar_name *name)
{
	const struct tar_name *n = *slot_of(t, name->hash);

	while (n != NULL && n != name)
		n = n->next;
	return n != NULL;
}

static void
enter(struct tar_names *t, struct tar_name *name)
{
	struct tar_name **slot = slot_of(t, name->hash);

	if (is_in(t, name))
		return;
	name->next = *slot;
	*slot = name;
	t->n++;
}

static void
leave(struct tar_names *t, struct tar_name *name)
{
	struct tar_name **p = slot_of(t, name->hash);

	while (*p != name)
		p = &(*p)->next;
	*p = name->next;
	t->n--;
}

/* ----------------------------------------------------------------- list -- */

/* The first place with a cookie greater than this. */
static uint32_t
place_after(const struct tar_names *t, uint64_t cookie)
{
	uint32_t low = 0, high = t->nlist, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (t->list[mid].cookie <= cookie)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
grow_list(struct tar_names *t)
{
	uint32_t cap = t->cap == 0 ? FIRST : t->cap + t->cap / 2;
	struct tar_place *list;

	if (t->nlist < t->cap)
		return true;
	if ((list = realloc(t->list, cap * sizeof *list)) == NULL)
		return false;
	t->list = list;
	t->cap = cap;
	return true;
}

static void
pack(struct tar_names *t)
{
	uint32_t i, n = 0;

	for (i = 0; i < t->nlist; i++)
		if (t->list[i].name != NULL)
			t->list[n++] = t->list[i];
	t->nlist = n;
}

/* Its place becomes a hole. */
static void
vacate(struct tar_names *t, const struct tar_name *name)
{
	t->list[place_after(t, name->cookie - 1)].name = NULL;
	t->bound--;
	if (t->bound < t->nlist / 2)
		pack(t);
}

struct tar_name *
tar_names_after(const struct tar_names *t, uint64_t cookie)
{
	uint32_t i = place_after(t, cookie);

	while (i < t->nlist && t->list[i].name == NULL)
		i++;
	return i < t->nlist ? t->list[i].name : NULL;
}

/* -------------------------------------------------------------- changes -- */

struct tar_name *
tar_names_prepare(struct tar_names *t, struct pinefs_name name,
    uint32_t hash)
{
	struct tar_name *n = tar_names_find(t, name, hash);

	if (!grow_list(t) || (n == NULL && !grow_table(t)))
		return NULL;
	if (n != NULL || (n = malloc(sizeof *n + name.len)) == NULL)
		return n;
	*n = (struct tar_name){ .hash = hash, .len = (uint8_t)name.len };
	memcpy(n->text, name.base, name.len);
	return n;
}

void
tar_names_cancel(struct tar_names *t, struct tar_name *name)
{
	if (!is_in(t, name))
		free(name);
}

void
tar_names_bind(struct tar_names *t, struct tar_name *name,
    struct tar_upper *upper)
{
	enter(t, name);
	if (name->upper != NULL)
		vacate(t, name);
	if (t->cookie == 0)
		t->cookie = TAR_COOKIE_NEW - 1;
	name->upper = upper;
	name->cookie = ++t->cookie;
	t->list[t->nlist++] = (struct tar_place){ name->cookie, name };
	t->bound++;
}

bool
tar_names_unbind(struct tar_names *t, struct tar_name *name)
{
	vacate(t, name);
	name->upper = NULL;
	if (name->hides)
		return false;
	leave(t, name);
	free(name);
	return true;
}

void
tar_names_hide(struct tar_names *t, struct tar_name *name)
{
	name->hides = true;
	name->upper = NULL;
	enter(t, name);
}
