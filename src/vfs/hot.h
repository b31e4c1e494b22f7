/*
 * Hot files: which objects handles are used of, how often, and by what names
 * they were found, while somebody watches.
 *
 * Tables of fixed size, whose oldest entries go: what is used much stays.
 * A set of entries that somebody else is just counting in is left alone, so
 * that nobody waits; a count more or less does not matter here.
 */
#ifndef VFS_HOT_H
#define VFS_HOT_H

#include "vfs/vfs.h"

enum { VFS_HOT_PATH = 512, VFS_HOT_FILES = 2048 };

struct vfs_hot_file {
	uint64_t	fileid;
	uint64_t	count;		/* since it came into the table */
};

/* Watch from now on, or no more.  ENOMEM. */
int	 vfs_hot_watch(struct pinefs *, bool on);
/* All that are in the table, up to `max`: their number.  From any thread. */
unsigned vfs_hot_list(struct pinefs *, struct vfs_hot_file *, unsigned max);
/*
 * Its path, bytes as clients gave them: from "/" if all of the names were
 * seen, or without it from where they begin; empty: none was.
 */
void	 vfs_hot_path(struct pinefs *, uint64_t fileid,
	    char path[VFS_HOT_PATH]);

/* For the room itself. */
struct vfs_hot;
void	 hot_use(struct vfs_hot *, uint64_t fileid);
void	 hot_found(struct vfs_hot *, uint64_t dir, struct pinefs_name,
	    uint64_t fileid);
void	 hot_renamed(struct vfs_hot *, uint64_t from, struct pinefs_name,
	    uint64_t to, struct pinefs_name);
void	 hot_free(struct vfs_hot *);

#endif
