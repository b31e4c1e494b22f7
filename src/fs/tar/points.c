/* See points.h. */
#include "points.h"

#include <errno.h>
#include <stdlib.h>

int
tar_points_add(struct tar_points *p, const struct tar_point *point)
{
	uint64_t cap = p->cap == 0 ? 16 : p->cap * 2;
	struct tar_point *more;

	if (p->n == p->cap) {
		more = realloc(p->point, cap * sizeof *more);
		if (more == NULL)
			return ENOMEM;
		p->point = more;
		p->cap = cap;
	}
	p->point[p->n++] = *point;
	return 0;
}

const struct tar_point *
tar_points_at(const struct tar_points *p, uint64_t out)
{
	uint64_t low = 0, high = p->n, mid;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (p->point[mid].out <= out)
			low = mid;
		else
			high = mid;
	}
	return &p->point[low];
}

void
tar_points_fini(struct tar_points *p)
{
	if (p->cap != 0)
		free(p->point);
}
