/*
 * One archive that is served.  Its index is made by a thread of its own
 * while clients are served already:
 *
 *	a name seen so far		answered at once
 *	a name not seen, a listing	waits until it comes, or the index is
 *					whole; after 4 s the client is told
 *					to ask again
 *
 * so that no client ever hears "there is no such name" too early.  An index
 * that took its time is kept in a file (cache.h), and mapped from then on.
 *
 * The archive's file lives, too.  Whoever comes looks at it, once a second:
 *
 *	touched, copied back,	served on, by the same handles; the index is
 *	with more behind it	made anew, or goes on where it ended, aside
 *	anything else		another archive: every handle is stale, and
 *				the root is a new one
 *	nothing			served on as long as it is open
 *
 * An archive that nobody uses gives up descriptor and index, and whoever
 * comes opens it again.
 */
#ifndef FS_TAR_ARCHIVE_H
#define FS_TAR_ARCHIVE_H

#include <pinefs.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "../tarfs.h"
#include "blocks.h"
#include "cache.h"
#include "codec.h"
#include "index.h"
#include "known.h"
#include "overlay.h"
#include "pool.h"
#include "store.h"

struct tar_wait;

/* What all archives of a server share. */
struct tar_host {
	struct tarfs_config	 config;
	struct tar_pool		*pool;
	struct tar_blocks	*blocks;
	struct tar_cache	*cache;
	struct tar_known	*known;
	uint32_t		 shape;		/* what an index depends on, but
						   for its archive */
	struct mem_space	*space;		/* of overlays */
	atomic_bool		 stop;		/* no more is decoded */
	struct tar_store_memory	 stores;
	uint64_t		 index_most;	/* bytes of indexes in memory */
	_Atomic uint64_t	 index_bytes;	/* there are */

	pthread_mutex_t		 open_lock;	/* before an archive's lock */
	struct tar_archive	*open;		/* those at hand */
	unsigned		 nopen, open_most, ticks;
};

struct tar_archive {
	struct tar_archive	*next;		/* of all, in a bucket */
	char			*path, *shown;	/* that for a log */
	int			 root;		/* see tar_open_below */
	const char		*rel;		/* in path */
	struct tar_host		*host;
	struct pinefs		*fs;
	struct tar_overlay	 overlay;
	_Atomic time_t		 looked;	/* ... at its file; used */

	pthread_rwlock_t	 lock;		/* all of these: */
	struct tar_life		 life;		/* of what is served */
	struct tar_source	*source;
	const struct tar_codec	*codec;		/* NULL: plain, or a zip */
	const char		*why;		/* it is no archive; or NULL */
	bool			 refused;	/* what was kept of the source */
	int			 fd;		/* the source's */
	uint64_t		 stored;	/* bytes of the file */
	struct tar_index	 index;
	bool			 at_hand;	/* there are source and index */
	bool			 gone;		/* there will be none */
	bool			 whole;
	int			 missing;	/* of what whole lacks: EIO */
	bool			 checked;	/* its index file was */
	uint64_t		 charged;	/* of index_bytes */

	/* Somebody makes an index; one at a time. */
	pthread_t		 thread;
	bool			 building, has_thread;
	atomic_bool		 stop;
	time_t			 rest_until;	/* then it may be made anew */

	struct tar_archive	*open_next, **open_prev;	/* open_lock */
	bool			 tried;		/* to give it up; open_lock */

	pthread_mutex_t		 wait_lock;	/* after `lock` */
	pthread_cond_t		 begun;
	enum { TAR_STARTS, TAR_SERVES, TAR_FAILED } state;
	int			 err;		/* why it failed */
	struct tar_wait		*waiting;
	atomic_bool		 waits;		/* somebody, maybe */
};

/*
 * An archive of that name: `rel`, a part of the path, below `root`.  Nothing
 * is opened yet.  NULL: no memory.
 */
struct tar_archive *tar_archive_new(const char *path, int root,
	    const char *rel, struct tar_host *);
/*
 * See that it is served, and wait until its first member is known, but not
 * for ever.  0, or an errno after one line; ENOEXEC: not an archive.
 */
int	tar_archive_serve(struct tar_archive *);
/* Ends its thread; completes who still waits. */
void	tar_archive_free(struct tar_archive *);

/*
 * Take its lock for reading.  Its file is looked at before, and opened again
 * if need be: what is there is up to date, or `gone`.
 */
void	tar_archive_enter(struct tar_archive *);
/*
 * Would that take long, for there is another file, or none open?  Then a
 * thread that may wait is to get it ready before.
 */
bool	tar_archive_is_ready(struct tar_archive *);
void	tar_archive_get_ready(struct tar_archive *);
void	tar_archive_leave(struct tar_archive *);
/* There is no record for an id: ESTALE, or EAGAIN: who knows. */
int	tar_archive_stale(const struct tar_archive *);

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
/* Once a second: calls that have waited too long are told to come again,
 * and archives that nobody uses give up what they have. */
void	tar_archive_tick(struct tar_host *);
/* There is more in the index: try all that wait.  `end`: what still would,
 * hears that. */
void	tar_archive_try_waiting(struct tar_archive *, int end);

/* The operations, for an archive as `arg`: view.c.  All, and those that
 * change nothing. */
extern const struct pinefs_ops tar_view_ops, tar_view_ro_ops;

#endif
