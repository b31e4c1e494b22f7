/*
 * Blobs, packed and checked by a sum, in the order they were added: in
 * memory, then in a file, which has no name until it is saved.
 */
#ifndef FS_TAR_STORE_H
#define FS_TAR_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAR_STORE_MEMORY = 64 << 20,	/* then a file */
    TAR_BLOB_MAX = 128 << 10 };		/* of one, not packed */

struct tar_blob {
	uint64_t	off;
	uint32_t	packed, len;	/* equal: stored as it is */
	uint64_t	sum;		/* of the packed bytes */
};

/* Adders wait for each other; readers only while memory moves. */
struct tar_store {
	const char		*dir;
	uint64_t		 id;		/* of this one; in its file */
	uint64_t		 max, checked;
	int			 fd;		/* -1: in memory */
	char			*memory;
	uint64_t		 end, cap;
	void			*packer;
	char			*room;		/* a packed blob */
	size_t			 room_len;
	pthread_mutex_t		 add_lock;	/* packer, room, end */
	pthread_rwlock_t	 lock;		/* memory, fd */
};

/* `dir`: where its file may be; NULL: none.  `max` bytes; 0: what there is.
 * ENOMEM. */
int	tar_store_init(struct tar_store *, const char *dir, uint64_t max);
void	tar_store_fini(struct tar_store *);
/* ENOMEM, ENOSPC, EIO, and what a directory's absence gives. */
int	tar_store_add(struct tar_store *, const void *base, size_t len,
	    struct tar_blob *);
/* blob->len bytes.  EIO: it is damaged; ENOMEM. */
int	tar_store_get(struct tar_store *, const struct tar_blob *, void *to);
/* Its file gets that name, in `dir`, in place of another one. */
int	tar_store_save(struct tar_store *, const char *path);
/* In place of what is there, the file of that name, id, and length.  ESTALE:
 * it is another one. */
int	tar_store_open(struct tar_store *, const char *path, uint64_t id,
	    uint64_t end);

#endif
