/*
 * Door 1: the library keeps the tree.  A file system gives bytes; names,
 * ids, attributes, cookies, change counters, link counts and verifiers are
 * kept here.
 *
 * Locks, in the order in which they are taken:
 *
 *	rename_lock	of the file system: a directory changes its parent
 *	dir->lock	the names of a directory; of two, the lower fileid's
 *	node.lock	one object's attributes (and its data, where the
 *			file system is PINEFS_PROMPT); two at once only for a
 *			clone, the lower fileid's first; nothing is taken
 *			inside but a shard of the node table
 *
 * An attribute lock is four bytes and held for a few loads and stores.  A
 * sequence lock would spare readers a store to the line; they have counted
 * a reference on that line just before, so there is nothing to spare.
 *
 * A change of a directory and of its attributes happens under dir->lock, so
 * "before" and "after" of every operation are atomic.
 */
#ifndef VFS_TREE_H
#define VFS_TREE_H

#include "vfs/access.h"
#include "vfs/fs.h"
#include "vfs/io.h"
#include "vfs/tree_dir.h"

#define TREE_USED_IS_SIZE	UINT64_MAX

struct tree_node {
	struct pinefs_node	 node;		/* first */
	/* Under node.lock, but for `used`. */
	uint32_t		 mode, uid, gid, nlink;
	uint32_t		 rdev_major, rdev_minor;
	uint64_t		 size;
	_Atomic uint64_t	 used;		/* see pinefs_node_set_used */
	uint64_t		 change;
	struct timespec		 atime, mtime, ctime, btime;
	uint32_t		 live;		/* a directory's entries */
	bool			 dead;		/* its last name went */
	bool			 made_excl;
	uint8_t			 verf[8];	/* made_excl: by this one */
	/* Constant, but for rename (rename_lock and node.lock). */
	struct tree_node	*parent;	/* a directory's; counted */
	/* Constant. */
	struct tree_dir		*dir;
	const void		*bytes;		/* fixed content, or target */
	size_t			 len;
};

static inline bool
tree_is_prompt(const struct pinefs_node *node)
{
	return node->fs->ops.flags & PINEFS_PROMPT;
}

static inline struct tree_node *
tree_node(struct pinefs_node *node)
{
	return (struct tree_node *)node;
}

/* ----------------------------------------------------------- objects -- */

/* Set up and tear down what door 1 needs in a file system. */
int	tree_init(struct pinefs *);
void	tree_fini(struct pinefs *);

/*
 * A new object without a name, with one reference.  `set` has MODE, UID and
 * GID at least.  NULL: no memory.
 */
struct tree_node *tree_new(struct pinefs *, uint32_t type,
	    const struct pinefs_attr *set, uint64_t now);
/* What is left to free when a node goes; the node it held, or NULL. */
struct pinefs_node *tree_node_fini(struct pinefs_node *);

/* With node.lock: */
void	tree_attr(const struct tree_node *, struct pinefs_attr *);
void	tree_stamp(const struct tree_node *, struct pinefs_stamp *);
void	tree_who(const struct tree_node *, struct who *);
/* A change of attributes (and of the content, if `data`) is seen. */
void	tree_bump(struct tree_node *, struct timespec now, bool data);
void	tree_set_size(struct tree_node *, uint64_t size);

/* With the lock taken inside. */
void	tree_getattr(struct pinefs_node *, struct pinefs_attr *);
int	tree_may(struct pinefs_call *, struct pinefs_node *, unsigned want);

/* ------------------------------------------------------------- names -- */

/*
 * As the operations of vfs.h, without `.` and `..`; rights are checked
 * under the locks, unless `call` is NULL (the program itself) or the file
 * system has access() decide.  Nodes come with a reference.
 */
int	tree_lookup(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_name, struct pinefs_node **);
/* The directory above; the root's is the root. */
struct pinefs_node *tree_parent(struct pinefs_node *dir);
/* May `call` change the names of `dir`? */
int	tree_may_change(struct pinefs_call *, struct pinefs_node *dir);
/* Give an object without a name this one. */
int	tree_insert(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_name, struct tree_node *, struct vfs_wcc *);
int	tree_link(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node *dir, struct pinefs_name, struct vfs_wcc *);
int	tree_remove(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_name, int kind, struct vfs_wcc *);
int	tree_rename(struct pinefs_call *, struct pinefs_node *from,
	    struct pinefs_name, struct pinefs_node *to, struct pinefs_name,
	    struct vfs_wcc *from_wcc, struct vfs_wcc *to_wcc);
int	tree_readdir(struct pinefs_call *, struct pinefs_node *dir,
	    struct vfs_readdir *, uint64_t after);

/* -------------------------------------------------------- data, attrs -- */

int	tree_setattr(struct pinefs_call *, struct pinefs_node *,
	    const struct pinefs_set *, struct vfs_wcc *);
int	tree_read(struct pinefs_call *, struct pinefs_node *, uint64_t off,
	    uint32_t count, struct vfs_data *);
int	tree_write(struct pinefs_call *, struct pinefs_node *,
	    struct vfs_write *);
/* What read and write check, and note, with node.lock: see tree_data.c. */
int	tree_read_check(struct pinefs_call *, struct tree_node *,
	    uint64_t off, uint32_t *count);
int	tree_write_check(struct pinefs_call *, const struct tree_node *);
void	tree_write_seen(struct pinefs_call *, struct tree_node *,
	    uint64_t end);
void	tree_wcc_before(const struct tree_node *, struct vfs_wcc *);
void	tree_wcc_after(const struct tree_node *, struct vfs_wcc *);
/* A prompt operation must not wait, under a lock of ours: EIO if it does. */
int	tree_was_prompt(const char *op, int err);

/* A change of what only ctime tells; here an extended attribute. */
void	tree_meta_seen(struct tree_node *);

/* Ranges: see range.c. */
int	tree_seek(struct pinefs_call *, struct pinefs_node *, int what,
	    uint64_t off, uint64_t *found);
int	tree_allocate(struct pinefs_call *, struct pinefs_node *,
	    uint64_t off, uint64_t len, bool punch, struct vfs_wcc *);
int	tree_clone(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node *to, struct pinefs_range *,
	    struct vfs_wcc *);

#endif
