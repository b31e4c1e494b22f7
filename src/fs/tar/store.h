/* Blocks, compressed, in the order they were added: see packed.h. */
#ifndef FS_TAR_STORE_H
#define FS_TAR_STORE_H

#include <stddef.h>
#include <stdint.h>

enum { TAR_STORE_MEMORY = 64 << 20 };	/* then a file */

struct tar_store_entry {
	uint64_t	off;
	uint32_t	packed, len;	/* equal: stored as it is */
};

struct tar_store {
	const char		*dir;
	int			 fd;		/* -1: in memory */
	char			*memory;
	uint64_t		 end, cap;
	struct tar_store_entry	*entry;
	uint64_t		 n, entries_cap;
	void			*packer;
	char			*room;		/* a packed block */
	size_t			 room_len;
};

int	tar_store_init(struct tar_store *, const char *dir);
void	tar_store_fini(struct tar_store *);
/* ENOMEM, ENOSPC, EIO. */
int	tar_store_add(struct tar_store *, const void *block, size_t len);
/* `to` has room for a block.  EIO. */
int	tar_store_get(const struct tar_store *, uint64_t n, void *to);

#endif
