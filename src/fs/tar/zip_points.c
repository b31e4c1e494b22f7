/* Places to go on at.  See zip_points.h. */
#include "zip_points.h"

#include <pthread.h>
#include <stdlib.h>

/* Those of a member, by their places. */
struct list {
	struct list		*next;
	uint32_t		 member, n;
	uint64_t		 spacing;
	struct zip_point	*point[ZIP_POINTS_EACH];
};

struct zip_points {
	pthread_mutex_t	 lock;
	struct list	*first;		/* the one used last */
	uint32_t	 all;
};

/* Moved to the front; NULL: it has none. */
static struct list *
list_of(struct zip_points *z, uint32_t member)
{
	struct list **p = &z->first, *l;

	while ((l = *p) != NULL && l->member != member)
		p = &l->next;
	if (l != NULL) {
		*p = l->next;
		l->next = z->first;
		z->first = l;
	}
	return l;
}

static void
forget(struct zip_points *z, struct list *l)
{
	z->all -= l->n;
	while (l->n > 0)
		free(l->point[--l->n]);
	free(l);
}

/* Room for one more: the member that waits longest pays, maybe with all. */
static void
make_room(struct zip_points *z)
{
	struct list **p = &z->first, *l;

	if (z->all < ZIP_POINTS_ALL)
		return;
	while ((l = *p)->next != NULL)
		p = &l->next;
	*p = NULL;
	forget(z, l);
}

/* Every other one goes, and they come half as often from now on. */
static void
thin(struct zip_points *z, struct list *l)
{
	uint32_t i, n = 0;

	for (i = 0; i < l->n; i++)
		if (i % 2 == 1)
			l->point[n++] = l->point[i];
		else
			free(l->point[i]);
	z->all -= l->n - n;
	l->n = n;
	l->spacing *= 2;
}

static bool
is_due(const struct list *l, uint64_t out)
{
	return l == NULL || l->n == 0 ? out >= ZIP_SPACING :
	    out >= l->point[l->n - 1]->out + l->spacing;
}

bool
zip_points_due(struct zip_points *z, uint32_t member, uint64_t out)
{
	bool due;

	pthread_mutex_lock(&z->lock);
	due = is_due(list_of(z, member), out);
	pthread_mutex_unlock(&z->lock);
	return due;
}

static struct list *
new_list(struct zip_points *z, uint32_t member)
{
	struct list *l = malloc(sizeof *l);

	if (l == NULL)
		return NULL;
	l->member = member;
	l->n = 0;
	l->spacing = ZIP_SPACING;
	l->next = z->first;
	z->first = l;
	return l;
}

void
zip_points_add(struct zip_points *z, uint32_t member, struct zip_point *p)
{
	struct list *l;

	pthread_mutex_lock(&z->lock);
	make_room(z);
	if ((l = list_of(z, member)) == NULL)
		l = new_list(z, member);
	if (l != NULL && l->n == ZIP_POINTS_EACH)
		thin(z, l);
	if (l != NULL && is_due(l, p->out)) {
		l->point[l->n++] = p;
		z->all++;
		p = NULL;
	}
	pthread_mutex_unlock(&z->lock);
	free(p);
}

bool
zip_points_find(struct zip_points *z, uint32_t member, uint64_t from,
    uint64_t out, struct zip_point *to)
{
	uint32_t low = 0, high, mid;
	struct list *l;
	bool found;

	pthread_mutex_lock(&z->lock);
	l = list_of(z, member);
	for (high = l == NULL ? 0 : l->n; low < high; ) {
		mid = low + (high - low) / 2;
		if (l->point[mid]->out <= out)
			low = mid + 1;
		else
			high = mid;
	}
	found = low > 0 && l->point[low - 1]->out > from;
	if (found)
		*to = *l->point[low - 1];
	pthread_mutex_unlock(&z->lock);
	return found;
}

struct zip_points *
zip_points_new(void)
{
	struct zip_points *z = calloc(1, sizeof *z);

	if (z != NULL)
		pthread_mutex_init(&z->lock, NULL);
	return z;
}

void
zip_points_free(struct zip_points *z)
{
	struct list *l;

	if (z == NULL)
		return;
	while ((l = z->first) != NULL) {
		z->first = l->next;
		forget(z, l);
	}
	pthread_mutex_destroy(&z->lock);
	free(z);
}
