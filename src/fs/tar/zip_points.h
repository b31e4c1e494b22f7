/*
 * Where large members of a zip can be gone on with, of an archive: about one
 * place each MiB, fewer of a member that is larger than so many, and none of
 * members that were not read for long when there are too many of all.
 */
#ifndef FS_TAR_ZIP_POINTS_H
#define FS_TAR_ZIP_POINTS_H

#include "blocks.h"
#include "zip_inflate.h"

enum { ZIP_SPACING = 16 * TAR_BLOCK_SIZE,	/* 1 MiB */
    ZIP_POINTS_EACH = 512, ZIP_POINTS_ALL = 2048 };

struct zip_points;

struct zip_points *zip_points_new(void);
void	zip_points_free(struct zip_points *);
/* Would one at `out` be of use? */
bool	zip_points_due(struct zip_points *, uint32_t member, uint64_t out);
/* Takes the point over.  A failure to keep it harms nobody. */
void	zip_points_add(struct zip_points *, uint32_t member,
	    struct zip_point *);
/* The last one at or before `out` and behind `from`; false: there is none. */
bool	zip_points_find(struct zip_points *, uint32_t member, uint64_t from,
	    uint64_t out, struct zip_point *);

#endif
