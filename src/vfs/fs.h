/* One file system, as the library keeps it. */
#ifndef VFS_FS_H
#define VFS_FS_H

#include <pthread.h>
#include <string.h>

#include "base/log.h"
#include "vfs/gate.h"
#include "vfs/hot.h"
#include "vfs/node.h"

struct pinefs {
	struct pinefs_ops	 ops;
	void			*arg;
	bool			 tree;		/* door 1 */
	uint32_t		 can;		/* changes: PINEFS_OP_* */
	struct pinefs_node	*_Atomic root;
	/* Those before: calls borrow the root for as long as we live. */
	struct pinefs_node	**old_root;
	unsigned		 nold_roots;
	uint64_t		 instance;	/* random; in generations */
	_Atomic uint64_t	 verifier;	/* of unstable writes */
	struct timespec		 born;
	uint32_t		 uid, gid;	/* the server's: defaults */
	void			*executor;
	struct gate		 gate;		/* PINEFS_SERIAL */
	struct node_table	 table;

	/* Calls whose step is parked; and what cancels them. */
	pthread_mutex_t		 wait_lock;
	struct pinefs_call	*waiting;

	/* Door 1. */
	_Atomic uint64_t	 next_fileid;
	pthread_mutex_t		 rename_lock;	/* directories change parent */
	uint8_t			 name_key[16];

	/* Door 2: directories' parents by the last look-up. */
	struct spin		 parents_lock;
	struct fs_parent	*parents;

	void			(*watch)(void *, struct pinefs_node *);
	void			*watch_arg;
	vfs_guard_fn		*guard;
	void			*guard_arg;

	_Atomic(struct vfs_hot *) hot;		/* while it is watched */
	_Atomic(struct vfs_hot *) hot_tables;	/* once it was */

	struct log_limit	 bad;		/* broken contracts */
	_Atomic uint32_t	 blocked;	/* ms, when that was logged */
};

/*
 * Door 2 without `parent`: remember that `child` was found in `dir`, and
 * find it again.  Best effort: a small table, the newest wins.
 */
void	fs_parent_note(struct pinefs *, const struct pinefs_ident *child,
	    const struct pinefs_node *dir);
bool	fs_parent_find(struct pinefs *, const struct pinefs_node *child,
	    struct pinefs_ident *dir, uint8_t own[NODE_OWN_MAX]);

/* A name was found, or made: for who watches. */
static inline void
hot_note(const struct pinefs_node *dir, struct pinefs_name name,
    const struct pinefs_node *found)
{
	struct vfs_hot *hot = atomic_load_explicit(&dir->fs->hot,
	    memory_order_acquire);

	if (hot != NULL && !(name.len <= 2 && memcmp(name.base, "..",
	    name.len) == 0))
		hot_found(hot, dir->fileid, name, found->fileid);
}

#endif
