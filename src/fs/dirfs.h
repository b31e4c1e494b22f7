/*
 * dirfs: a directory of this host as a file system.  A user of pinefs.h, and
 * of nothing else of ours.
 *
 *	dirfs.c		makes one, and the table of its operations (this)
 *	dir/object.c	the objects that are open, and how they are opened
 *	dir/key.c	what an object is known by, over restarts
 *	dir/place.c	where it was seen last, for whoever is not root
 *	dir/who.c	a thread takes a caller's identity
 *	dir/attr.c	attributes and rights
 *	dir/name.c	names: look up, make, remove, rename, link
 *	dir/data.c	bytes
 *	dir/list.c	listings
 *	dir/mounts.c	what is mounted below it
 *	dir/xattr.c	extended attributes
 *
 * As root, callers act as who they are: the kernel checks what they do by
 * their own uid, gid and groups.  As anybody else, everything is done as that
 * user, and the server is to squash all callers to it.
 *
 * File systems that are mounted below the directory are not shown.
 */
#ifndef FS_DIRFS_H
#define FS_DIRFS_H

#include <pinefs.h>

struct dirfs_config {
	const char	*dir;
	/* A change of a name is answered before it is on the disk. */
	bool		 async;
	const char	*state_dir;	/* pinefs_state_dir */
};

/*
 * 0, or an errno after one line that says why.  The directory stays open;
 * nothing of the configuration is kept.
 */
int	dirfs_new(const struct dirfs_config *, struct pinefs **);
/* From now on, of one that dirfs_new made: as `async` above. */
void	dirfs_set_async(struct pinefs *, bool async);

/* Is what lies at the path now still the directory of this one? */
bool	dirfs_is_at(struct pinefs *, const char *path);

#endif
