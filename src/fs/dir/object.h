/*
 * The objects of the host that are open.  Each has a descriptor (O_PATH) for
 * as long as it is here, which keeps its number from being another's; one for
 * reading and one for writing are opened when they are first needed.  What was
 * not used for some seconds is closed, and those that were not used for
 * longest when there are too many: any may be opened again by its key.
 *
 * An object is used between get and put.  `pins`, of opens that last (version
 * 4), keep it from being closed.  With the last of them, or a while after it
 * was written by a version that has no open, it is no longer open for writing:
 * the host could not execute it (ETXTBSY).
 */
#ifndef FS_DIR_OBJECT_H
#define FS_DIR_OBJECT_H

#include <pthread.h>
#include <stdatomic.h>

#include "key.h"

struct dir_fs;
struct dir_objects;

enum dir_way { DIR_PATH, DIR_READ, DIR_WRITE, DIR_WAYS };

struct dir_object {
	struct dir_object	*hash_next, *newer, *older, *closing_next;
	struct dir_key		 key;
	atomic_int		 fd[DIR_WAYS];	/* -1: not open so */
	/* Under the shard's lock: */
	uint32_t		 users, pins;
	int64_t			 used;		/* in s, the last time */
	bool			 is_gone;	/* to be closed after its use */
	bool			 is_closing;	/* by the thread that sweeps */
	bool			 has_verf;
	uint8_t			 verf[8];	/* of an exclusive create */

	uint32_t		 type;		/* S_IFREG ... */
	_Atomic int64_t		 checked;	/* that it lies in the root */
	atomic_bool		 dirty;		/* written, not committed */
	/* Of a large file that was read; NULL, and whether that is final. */
	struct pinefs_map	*_Atomic map;
	atomic_bool		 has_no_map;
	/* Changes of ours, for what the clock is too coarse to tell. */
	atomic_uint		 mods;
	pthread_mutex_t		 lock;
	uint64_t		 ctime;
	unsigned		 base;		/* mods as ctime came */
};

/* At most so many descriptors, about.  NULL: no memory. */
struct dir_objects *dir_objects_new(struct dir_fs *, unsigned most);
void	dir_objects_free(struct dir_objects *);

/*
 * The object of a node, open as a path.  ESTALE: it is gone, or is no longer
 * in the directory; ENFILE, EIO.
 */
int	dir_get(const struct pinefs_node *, struct dir_object **);
void	dir_put(struct dir_fs *, struct dir_object *);
/* The one that is open under this number, used; or NULL. */
struct dir_object *dir_find(const struct dir_fs *, uint64_t fileid);
/* Takes over `fd`, opened as a path.  NULL: no memory. */
struct dir_object *dir_enter(const struct dir_fs *, const struct dir_key *,
	    int fd, uint32_t mode);
/* It was found just now in a directory of ours. */
void	dir_seen(struct dir_object *);
/* Its descriptor for that, while it is used.  -1 with errno. */
int	dir_fd(struct dir_object *, enum dir_way);
/* Hands over one that is there already. */
void	dir_give_fd(struct dir_object *, enum dir_way, int fd);
/* Its map, while it is used, if it is worth one; or NULL. */
struct pinefs_map *dir_map(struct dir_object *, int fd, uint64_t size);
/* It has no name any more: it is not to be held open for nothing. */
void	dir_let_go(const struct dir_fs *, struct dir_object *);
/* The verifier it was made with; false: none is known. */
bool	dir_verf(const struct dir_fs *, struct dir_object *, uint8_t verf[8]);
void	dir_keep_verf(const struct dir_fs *, struct dir_object *,
	    const uint8_t verf[8]);
void	dir_pin(const struct dir_fs *, struct dir_object *);
/* Of a node that was pinned.  Waits for no disk: what may is done on another
 * thread. */
void	dir_unpin(const struct pinefs_node *);
/* Of one that stays pinned: its open is for reading alone now. */
void	dir_stop_writing(const struct pinefs_node *);
/* We changed it. */
static inline void
dir_changed(struct dir_object *o)
{
	atomic_fetch_add(&o->mods, 1);
}

/* Where the kernel says it lies now; false: nowhere that can be said. */
enum { DIR_PATH_ROOM = 4096 };
bool	dir_path_of(int fd, char path[DIR_PATH_ROOM]);
/* Is what this descriptor has open the directory, or below it? */
bool	dir_is_below(const struct dir_fs *, int fd);

#endif
