/*
 * The overlay of an archive: what clients have changed, in memory.  The index
 * stays as it is; each object that differs has a record of its own, an
 * upper, which says all there is to say of it.
 *
 *	of a member	begins as what the archive says, and keeps fileid,
 *			generation, names and cookies
 *	a new one	2^63 | a counter, and a generation of this run: ram
 *			is empty after a restart, and whoever comes with an
 *			old handle must not meet another object
 *
 * Names: an upper of a directory has those that differ (names.h).  What a
 * name means:
 *
 *	in that table, with an upper	that
 *	in that table, without		nothing, whatever the archive says
 *	not in it			what the index says
 *
 * A listing gives the archive's names by their cookies, but for those in the
 * table, and then the table's by theirs.
 *
 * Content: extents, as memfs has them, of memory and of ranges of the
 * archive (mem_block_far), made when it is changed for the first time.
 * Bytes of the archive are never copied: one byte written into a member of 4
 * GB takes the space of one, and no write ever waits for a decoder.
 *
 * Change counters: what the archive says is far in the past, the first change
 * goes to the present (pinefs_change_next), and then it counts.  ctime goes
 * along.
 *
 * Changes of any kind wait until the index is whole.  Until then a later
 * member might still take the place of what is to be changed; and a new name
 * would have to wait in any case, for the archive might have it.
 *
 * Locks, in the order in which they are taken:
 *
 *	archive's lock		for reading: the index must not move
 *	overlay's lock		uppers with all they have.  For reading:
 *				look-ups, listings, attributes, reads; for
 *				writing: every change, as a whole, so that
 *				before and after of all of them are atomic
 *	attach_lock		the first use of an upper by a node, which
 *				readers do, too
 *
 * No lock is held while something is read from the archive, and none while a
 * reply is sent: it holds the blocks.  One lock for all of an archive is
 * what its changes cost: a few table look-ups, and the copying of payloads
 * below 16 KiB.
 *
 * An upper lives as long as its names, or nodes that use it.  Nodes are made
 * by the library, one per object, and go unseen while an object is as in the
 * archive; `nodes` counts those that were seen since.  A member without a
 * name keeps an upper, with nothing in it, so that no handle brings it back.
 *
 * Kept in a file instead, an overlay would write what overlay_name.c and
 * overlay_data.c do to uppers and names in their last, infallible parts to a
 * journal; who looks at one need not know.
 */
#ifndef FS_TAR_OVERLAY_H
#define FS_TAR_OVERLAY_H

#include <pinefs.h>

#include <pthread.h>

#include "../mem_file.h"
#include "names.h"

#define TAR_ID_NEW	(UINT64_C(1) << 63)

struct tar_archive;
struct tar_index;
struct tar_wait;

struct tar_upper {
	struct tar_upper	*next;		/* of its slot */
	uint64_t		 id, parent;	/* fileids */
	uint32_t		 rec;		/* TAR_NONE: a new one */
	uint32_t		 nodes;
	struct pinefs_attr	 attr;		/* but for `used` */
	/* Content and extended attributes, if they are not the archive's. */
	struct mem_file		 file;
	bool			 mapped, own_xattrs;
	/* The archive is cut: these bytes are EIO, unless in extents. */
	uint64_t		 lost, lost_end;
	struct tar_names	 names;		/* DIR */
	uint32_t		 live;		/* DIR: names it has */
	char			*target;	/* LNK, new */
	bool			 exclusive;	/* it was made with verf */
	uint8_t			 verf[8];
	bool			 touched;	/* its times are of this run */
	bool			 changed;	/* it is not as in the archive */
	bool			 placed;	/* nor are its names */
	bool			 gone;		/* without a name, or use */
	bool			 old;		/* of an archive before */
	uint32_t		 cost;		/* taken from the space */
};

struct tar_overlay {
	pthread_rwlock_t	 lock;
	pthread_mutex_t		 attach_lock;
	struct mem_space	*space;		/* of all archives; borrowed */
	struct tar_upper	**slot;		/* by id */
	uint32_t		 nslots, n;	/* nslots: 0 or a power of 2 */
	struct tar_upper	*old;		/* which nodes still have */
	uint8_t			 key[16];	/* of hashes of names */
	uint64_t		 generation;	/* of new objects */
	uint64_t		 next;		/* their ids */
	/* Names: */
	uint64_t		 added, replaced, removed;
};

/* An object: a record of the index, or TAR_NONE; an upper, or NULL. */
struct tar_object {
	uint32_t		 rec;
	struct tar_upper	*u;
};

/* What a name means. */
struct tar_spot {
	struct tar_object	 dir;
	struct pinefs_name	 name;
	uint32_t		 hash;
	struct tar_name		*entry;		/* of the overlay, or NULL */
	uint32_t		 base;		/* of the index, or TAR_NONE */
	struct tar_object	 object;
};

/* 0, EIO. */
int	tar_overlay_init(struct tar_overlay *, struct mem_space *);
void	tar_overlay_fini(struct tar_overlay *);
/* A line of what there is, if there is something. */
void	tar_overlay_report(struct tar_archive *);
/* There is no upper.  With the archive's lock for writing none comes, but
 * the last may go. */
bool	tar_overlay_is_empty(struct tar_overlay *);
/* Do the uppers mean the same of another index, which is to take the place
 * of the archive's?  With its lock for writing. */
bool	tar_overlay_fits(struct tar_archive *, const struct tar_index *);
/* Another archive is in its place, or none, so what was changed is lost, with
 * such a line; nodes that had it are stale.  With the archive's lock for
 * writing. */
void	tar_overlay_drop(struct tar_archive *);
void	tar_overlay_release(struct pinefs_node *);

/* ------------------------------------------------------------- objects -- */

/* All of these with the overlay's lock, and the archive's. */

/* What tar_archive_stale says. */
int	tar_object_find(struct tar_archive *, struct pinefs_node *,
	    struct tar_object *);
struct tar_object tar_object_of_rec(struct tar_archive *, uint32_t rec);
/* Whether it has a name or not; the same. */
int	tar_object_of_id(struct tar_archive *, uint64_t id,
	    struct tar_object *);
struct pinefs_ident tar_object_ident(const struct tar_archive *,
	    const struct tar_object *);
void	tar_object_attr(const struct tar_archive *,
	    const struct tar_object *, struct pinefs_attr *);
/* The directory above: a fileid. */
uint64_t tar_object_parent(const struct tar_archive *,
	    const struct tar_object *);

/*
 * 0 or ENOENT, in either case with the rest filled in; PINEFS_LATER: the
 * index has to tell; EIO: it never will.
 */
int	tar_spot_look(struct tar_archive *, const struct tar_object *dir,
	    struct pinefs_name, struct tar_spot *);
/* Is this name of the archive not to be seen there? */
bool	tar_object_hides(const struct tar_archive *,
	    const struct tar_object *dir, struct pinefs_name);

/* ------------------------------------------------ for changes: the lock -- */

/*
 * See that an object has an upper; `force`: beyond the limit, for what makes
 * space in the end.  ENOSPC, ENOMEM.
 */
int	tar_object_raise(struct tar_archive *, struct tar_object *,
	    bool force);
/* A new object, without a name.  ENOSPC, ENOMEM. */
int	tar_upper_new(struct tar_overlay *, const struct pinefs_create *,
	    struct tar_upper **);
/* It has no name: what nobody uses goes, maybe all of it. */
void	tar_upper_lapse(struct tar_overlay *, struct tar_upper *);
/* A change is seen, of the content if `data`. */
void	tar_upper_bump(struct tar_upper *, bool data);
void	tar_upper_stamp(const struct tar_upper *, struct pinefs_stamp *);
/* What a name in a directory's table costs. */
uint64_t tar_name_cost(uint32_t len);

/* ---------------------------------------------------------- operations -- */

/*
 * Of struct tar_wait, whose members they take their arguments from: all with
 * both locks, the overlay's for writing where something changes.
 */
typedef int tar_overlay_fn(struct tar_archive *, const struct tar_wait *);

/* overlay_name.c */
tar_overlay_fn tar_overlay_create, tar_overlay_remove, tar_overlay_rename,
    tar_overlay_link;
/* overlay_data.c */
tar_overlay_fn tar_overlay_write, tar_overlay_setattr, tar_overlay_allocate,
    tar_overlay_clone, tar_overlay_setxattr, tar_overlay_removexattr;

struct tar_reading;
/*
 * Bytes of a file with extents: into `out`, as far as they are in memory,
 * and the rest as pieces of *rd.  *len shrinks to what can be read at once.
 */
int	tar_overlay_read(const struct tar_upper *, struct tar_reading *,
	    uint64_t off, uint64_t *len, struct pinefs_out *out);
/* As pinefs_ops.seek: what is lost is no hole. */
int	tar_overlay_seek(const struct tar_upper *, int what, uint64_t off,
	    uint64_t *found);
/* It was read: with the overlay's lock for writing. */
void	tar_upper_seen(struct tar_upper *);
bool	tar_upper_is_unseen(const struct tar_upper *);

#endif
