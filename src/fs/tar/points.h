/*
 * Places in a compressed file from which decoding can go on: where a stream
 * begins, or, with what the decoder knew, in the midst of one.
 */
#ifndef FS_TAR_POINTS_H
#define FS_TAR_POINTS_H

#include <stddef.h>
#include <stdint.h>

#include "store.h"

struct tar_point {
	uint64_t	out;		/* decoded before it */
	uint64_t	in;		/* in the file */
	struct tar_blob	state;		/* of the decoder; len 0: none */
};

/* In the order of `out`, beginning at 0. */
struct tar_points {
	struct tar_point	*point;
	uint64_t		 n, cap;	/* cap 0: borrowed */
};

/* Behind all others.  ENOMEM. */
int	tar_points_add(struct tar_points *, const struct tar_point *);
/* The last one at or before `out`; there is at least one. */
const struct tar_point *tar_points_at(const struct tar_points *,
	    uint64_t out);
void	tar_points_fini(struct tar_points *);

#endif
