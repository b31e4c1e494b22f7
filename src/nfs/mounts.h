/* The list of what is mounted: see struct nfs_mounts. */
#ifndef NFS_MOUNTS_H
#define NFS_MOUNTS_H

#include "nfs/nfs.h"

/* Twice is once. */
void	nfs_mounts_add(struct nfs_mounts *, const char *host,
	    const void *path, size_t len);
void	nfs_mounts_remove(struct nfs_mounts *, const char *host,
	    const void *path, size_t len);
void	nfs_mounts_remove_all(struct nfs_mounts *, const char *host);
/*
 * Call `fn` for each, oldest first, while it returns 0.  The list is locked;
 * what is handed out is borrowed.
 */
void	nfs_mounts_walk(struct nfs_mounts *,
	    int (*fn)(void *arg, const struct nfs_mounted *), void *arg);

#endif
