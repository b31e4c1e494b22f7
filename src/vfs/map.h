/*
 * A file of the host as memory that is sent from where the kernel has it,
 * without a copy of ours.
 *
 * What is mapped may vanish at any time, when somebody cuts the file off or a
 * disk fails.  A load is SIGBUS then, so nobody in this program reads these
 * bytes: the kernel does (EFAULT), and whoever needs a copy has it by
 * pread(2), as xdr_piece_copy does.  What lies beyond the end by then is
 * zeros, which is what a read beside a truncate may be told by any kernel.
 *
 * Nor is the thread that sends to wait for a disk.  So only those bytes are
 * lent that somebody read (map_was_read) a moment ago: they are in the page
 * cache, and stay there, unless memory is so short that what was read last
 * goes.  And tmpfs would fill a hole that is looked at in memory: of its files
 * only those without holes are lent.
 */
#ifndef VFS_MAP_H
#define VFS_MAP_H

#include <pinefs.h>
#include <stdbool.h>

/* The file, to be read by. */
int	map_fd(const struct pinefs_map *);
/* These bytes of the file were read just now; `to_end`: they reach its end. */
void	map_was_read(struct pinefs_map *, uint64_t off, size_t len,
	    bool to_end);
/*
 * Where these are in memory, until map_take_back; NULL: they are not to be
 * lent.  Of a piece they are the base, map_take_back the release, the map the
 * owner, and map_copy the copy.
 */
const void *map_lend(struct pinefs_map *, uint64_t off, size_t len);
void	map_take_back(void *map);
int	map_copy(void *map, void *to, const void *from, size_t len);

#endif
