/* Entries on their way from a file system to a packer. */
#ifndef VFS_EMIT_H
#define VFS_EMIT_H

#include "vfs/vfs.h"

/* One emitted entry; its name and own bytes lie behind it. */
struct emitted {
	struct emitted		*next;
	struct pinefs_ident	 id;
	uint64_t		 cookie;
	struct pinefs_attr	*attr;
	uint32_t		 name_len;
	char			 bytes[];
};

struct pinefs_emit {
	struct pinefs_call	*call;
	struct pinefs		*fs;
	uint64_t		 want;
	uint64_t		 after;		/* the last cookie */
	unsigned		 n, max;
	struct emitted		*first, **last;
	bool			 names_only;	/* of extended attributes */
	bool			 full;
	int			 err;
};

/*
 * For attributes `want` of entries behind `after`, as many as a page of
 * `room` bytes can have, about (0: not known).
 */
void	emit_init(struct pinefs_emit *, struct pinefs_call *, struct pinefs *,
	    uint64_t want, uint32_t room, uint64_t after);

#endif
