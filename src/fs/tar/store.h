/*
 * Blobs, packed and checked by a sum, in the order they were added: in
 * memory, then in a file, which has no name until it is saved.
 *
 * The sums are keyed, by what only this user's servers know (cache.h), and
 * by the kind of blob: what a decoder's state is made of was made by save()
 * here, and by nobody else, whatever a table or a file says.
 */
#ifndef FS_TAR_STORE_H
#define FS_TAR_STORE_H

#include <pthread.h>
#include <stdatomic.h>
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

enum tar_blob_kind { TAR_BLOB_BLOCK, TAR_BLOB_STATE };

/* What stores of a server take of its memory, in all. */
struct tar_store_memory {
	uint64_t		 most;
	_Atomic uint64_t	 used;
};

struct tar_store_config {
	const char		*dir;		/* of its file; NULL: none */
	uint64_t		 max;		/* bytes; 0: what there is */
	const uint8_t		*key;		/* 16 bytes; NULL: zeros */
	struct tar_store_memory	*memory;	/* NULL: its own */
};

/* Adders wait for each other; readers only while memory moves. */
struct tar_store {
	const char		*dir;
	uint8_t			 key[16];
	struct tar_store_memory	*all;
	uint64_t		 id;		/* of this one; in its file */
	uint64_t		 max, checked;
	int			 fd;		/* -1: in memory */
	char			*memory;
	uint64_t		 cap;
	_Atomic uint64_t	 end;		/* 0: nothing was added */
	void			*packer;
	char			*room;		/* a packed blob */
	pthread_mutex_t		 add_lock;	/* packer, room, end */
	pthread_rwlock_t	 lock;		/* memory, fd */
};

/* ENOMEM. */
int	tar_store_init(struct tar_store *, const struct tar_store_config *);
void	tar_store_fini(struct tar_store *);
/* ENOMEM, ENOSPC, EIO, and what a directory's absence gives. */
int	tar_store_add(struct tar_store *, enum tar_blob_kind, const void *base,
	    size_t len, struct tar_blob *);
/* Frees what adding takes: no more is added, or not soon. */
void	tar_store_rest(struct tar_store *);
/* blob->len bytes.  EIO: it is damaged, or no such one; ENOMEM. */
int	tar_store_get(struct tar_store *, enum tar_blob_kind,
	    const struct tar_blob *, void *to);
/* Its file gets that name, in `dir`, in place of another one. */
int	tar_store_save(struct tar_store *, const char *path);
/* In place of what is there, the file of that name, id, and length.  ESTALE:
 * it is another one, or of another key. */
int	tar_store_open(struct tar_store *, const char *path, uint64_t id,
	    uint64_t end);

#endif
