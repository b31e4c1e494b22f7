/*
 * Where objects were seen last: each in which directory, under which name.
 * For whoever may not open the kernel's handles, which is root's.
 *
 * They are kept in a file of the server's state directory, so that handles
 * outlive the process: a record for each object whose handle was given,
 * written before the handle is; the last of an object counts, and one without
 * a name says that it is gone.
 */
#ifndef FS_DIR_PLACE_H
#define FS_DIR_PLACE_H

#include "key.h"

struct dir_fs;
struct dir_places;

/* Of the directory with that number; NULL: no memory.  `state_dir`: where the
 * file is, or NULL. */
struct dir_places *dir_places_new(const char *state_dir, uint64_t root_ino,
	    const struct dir_dev *);
void	dir_places_free(struct dir_places *);
/* It lies there.  Nothing if no places are kept.  ENOMEM, EIO, ENOSPC. */
int	dir_places_note(const struct dir_fs *, const struct dir_key *,
	    const struct dir_key *dir, const char *name);
/* It is gone. */
void	dir_places_forget(const struct dir_fs *, const struct dir_key *);
/* Walk there from the root (O_PATH).  -1 with errno: ESTALE. */
int	dir_places_open(const struct dir_fs *, const struct dir_key *);

#endif
