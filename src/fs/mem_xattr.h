/*
 * Extended attributes of one object of memfs, or of tarfs's overlay: a list,
 * since they are few.  Everything is called under the lock of whoever has it.
 */
#ifndef FS_MEM_XATTR_H
#define FS_MEM_XATTR_H

#include <pinefs.h>

#include "mem_block.h"

enum { MEM_XATTR_MAX = 64 << 10,	/* bytes of a value */
    MEM_XATTRS_MAX = 1 << 10 };		/* of one object: ENOSPC */

struct mem_xattr;
struct mem_xattrs {
	struct mem_xattr	*first;		/* by cookie */
	uint64_t		 cookie;	/* the last one given */
	unsigned		 n;
};

void	mem_xattrs_fini(struct mem_xattrs *, struct mem_space *);
/* ENODATA. */
int	mem_xattr_get(const struct mem_xattrs *, struct pinefs_name,
	    struct pinefs_out *);
/* `how`: PINEFS_XATTR_*.  EEXIST, ENODATA, E2BIG, ENOSPC, ENOMEM. */
int	mem_xattr_set(struct mem_xattrs *, struct mem_space *,
	    struct pinefs_name, struct pinefs_in *, int how);
/* One more, behind all others; `cookie` is greater than theirs.  ENOSPC,
 * ENOMEM. */
int	mem_xattr_add(struct mem_xattrs *, struct mem_space *,
	    struct pinefs_name, const void *value, uint32_t len,
	    uint64_t cookie);
int	mem_xattr_remove(struct mem_xattrs *, struct mem_space *,
	    struct pinefs_name);
void	mem_xattr_list(const struct mem_xattrs *, uint64_t after,
	    struct pinefs_emit *);

#endif
