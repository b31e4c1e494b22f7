/*
 * Promises, and changes that must not break them.
 *
 * A protocol may promise a client to tell it before a file changes (a
 * delegation of version 4).  Every change of such a file, by whatever
 * version, is announced here before it is made; if somebody holds a promise,
 * the protocol is asked, who calls it back, and the change waits.
 *
 * One word per node says both whether there are promises (GUARD_PROMISED)
 * and how many changes are under way, waiting ones among them.  A promise is
 * given only while there is no change; a change that finds no promise goes
 * on, and until it ends nobody can get one.  Since both are told from one
 * atomic word, neither can slip past the other.
 */
#ifndef VFS_GUARD_H
#define VFS_GUARD_H

#include "vfs/vfs.h"

#define GUARD_PROMISED	0x80000000u

struct pinefs_node;

/* What rights a change needs: who has none disturbs nobody. */
enum guard_want {
	GUARD_DATA,		/* may write it */
	GUARD_ATTR,		/* owns it, or may write it */
	GUARD_NAME,		/* may change the directory */
	GUARD_CHECKED		/* was asked before */
};

/*
 * As vfs_guard_begin (vfs.h): before a change of an object; before it gets
 * one more name in a directory; and before the name it has there goes, or
 * another object comes under it.
 */
int	guard_begin(struct pinefs_call *, struct pinefs_node *,
	    enum guard_want, struct vfs_guard **);
int	guard_link(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node *dir, struct vfs_guard **);
int	guard_name(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_name, struct vfs_guard **);

#endif
