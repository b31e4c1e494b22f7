/*
 * memfs: a complete POSIX file system in memory.  A user of pinefs.h, and of
 * nothing else of ours.
 */
#ifndef FS_MEMFS_H
#define FS_MEMFS_H

#include <pinefs.h>

/*
 * At most `size_limit` bytes of content and `inode_limit` objects, the root
 * among them; 0: half of the machine's memory, and an object per 4 KiB.
 * NULL with errno.  pinefs_free frees the content.
 */
struct pinefs *memfs_new(uint64_t size_limit, uint64_t inode_limit);

#endif
