/*
 * One archive that is served.  Its index is made by a thread of its own
 * while clients are served already:
 *
 *	a name seen so far		answered at once
 *	a name not seen, a listing	waits until it comes, or the index is
 *					whole; after 4 s the client is told
 *					to ask again
 *
 * so that no client ever hears "there is no such name" too early.
 */
#ifndef FS_TAR_ARCHIVE_H
#define FS_TAR_ARCHIVE_H

#include <pinefs.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "../tarfs.h"
#include "blocks.h"
#include "codec.h"
#include "index.h"
#include "overlay.h"
#include "pool.h"

struct tar_wait;

/* What all archives of a server share. */
struct tar_host {
	struct tarfs_config	 config;
	struct tar_pool		*pool;
	struct tar_blocks	*blocks;
	struct mem_space	*space;		/* of overlays */
	char			*dir;		/* of the cache, or NULL */
	atomic_bool		 stop;		/* no more is decoded */
};

struct tar_archive {
	struct tar_archive	*next;		/* of all */
	char			*path, *shown;	/* that for a log */
	dev_t			 dev;
	ino_t			 ino;
	const struct tar_host	*host;
	struct tar_source	*source;
	const struct tar_codec	*codec;		/* NULL: plain, or a zip */
	const char		*why;		/* it is no archive; or NULL */
	uint64_t		 stored;	/* bytes of the file */
	uint32_t		 generation;	/* of the root; constant */
	struct pinefs		*fs;
	struct tar_overlay	 overlay;

	pthread_t		 thread;
	atomic_bool		 stop;
	pthread_rwlock_t	 lock;		/* the index, `whole` */
	struct tar_index	 index;
	bool			 whole;
	int			 missing;	/* of what whole lacks: EIO */
	uint64_t		 noted[TAR_NOTES];	/* thread's own */

	pthread_mutex_t		 wait_lock;	/* after `lock` */
	pthread_cond_t		 begun;
	enum { TAR_STARTS, TAR_SERVES, TAR_FAILED } state;
	int			 err;		/* why it failed */
	struct tar_wait		*waiting;
};

/*
 * Open an archive and wait until its first member is known.  Takes `fd`
 * over.  0, or an errno after one line; ENOEXEC: not an archive.
 */
int	tar_archive_open(struct tar_archive **, int fd, const char *path,
	    const struct tar_host *);
/* Ends the thread; completes who still waits. */
void	tar_archive_free(struct tar_archive *);

/*
 * A call that waits for the index.  `again` is tried whenever there is more,
 * with the index's lock held for reading; its answer completes the call,
 * unless it is PINEFS_LATER.  In the call's memory.
 */
struct tar_wait {
	struct tar_wait		*next;
	struct pinefs_call	*call;
	int			(*again)(struct tar_archive *,
				    struct tar_wait *);
	time_t			 until;
	tar_overlay_fn		*op;		/* what `again` does */
	/* For `op`: */
	struct pinefs_node	*node;
	struct pinefs_name	 name;
	struct pinefs_ident	*id;
	uint64_t		 after;
	struct pinefs_emit	*emit;
	/* ... where it changes something: */
	struct pinefs_node	*other;		/* LINK: dir; CLONE: to */
	const void		*in;
	void			*out;
	uint64_t		 off, len;
	int			 how;
};

/* With the index's lock held for reading.  PINEFS_LATER, or ENOMEM. */
int	tar_archive_wait(struct tar_archive *, const struct tar_wait *);
/* Calls that have waited too long are told to come again. */
void	tar_archive_tick(struct tar_archive *);

/* The operations, for an archive as `arg`: view.c.  All, and those that
 * change nothing. */
extern const struct pinefs_ops tar_view_ops, tar_view_ro_ops;

#endif
