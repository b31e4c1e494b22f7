/*
 * NFS version 2: what its files share.
 *
 *	nfs2.c		the table of procedures; attributes, files, file system
 *	nfs2_attr.c	attributes, to and from the protocol's words
 *	nfs2_name.c	procedures that make, remove and rename
 *	nfs2_dir.c	READDIR
 *
 * Sizes, offsets, cookies and fileids have 32 bits here.  What does not fit
 * is told as the greatest number that does, and writing there is FBIG.
 */
#ifndef NFS_NFS2_H
#define NFS_NFS2_H

#include <errno.h>

#include "nfs/call.h"
#include "proto/nfs2.h"

enum { NFS2_MAX_IO = 8192 };

/* The top of every procedure; see call.h. */
static inline struct nfs_call *
nfs2_call(void *self, struct rpc_call *rpc)
{
	return nfs_call(self, rpc, &nfs_v2_service);
}

static inline int
nfs2_node(struct nfs_call *call, const fhandle fh, struct pinefs_node **node)
{
	return nfs_fh_to_node(call, fh, NFS_FHSIZE, node);
}

/*
 * Is the procedure to be run again?  Where v3 would tell the client to come
 * back later, the library asks again itself, for some seconds.
 */
static inline bool
nfs2_later(struct nfs_call *call, int err)
{
	return err == PINEFS_LATER ||
	    ((err == EAGAIN || err == ETIMEDOUT) && nfs_call_again(call));
}

static inline nfsstat
nfs2_status(struct nfs_call *call, int err)
{
	return (nfsstat)nfs_call_status(call, err);
}

/*
 * A name; EACCES for one that cannot be (v2 has no INVAL).  `dots`: "." and
 * ".." will do.
 */
int	nfs2_name(struct xdr_view, bool dots, struct pinefs_name *);

/* A 64-bit fileid in 32 bits, never 0; small ones stay what they are. */
uint32_t nfs2_fileid(uint64_t fileid);

/* Of a node; there is no reply without, so this may fail, or come later. */
int	nfs2_attr_of(struct nfs_call *, struct pinefs_node *, fattr *);
/* These; EIO: something that clients crash on. */
int	nfs2_fattr(struct nfs_call *, const struct pinefs_node *,
	    const struct pinefs_attr *, fattr *);
/* Handle and attributes of what was found or made. */
int	nfs2_dirop(struct nfs_call *, struct pinefs_node *, diropok *);

/* What a client wants set: all ones leave a member alone. */
int	nfs2_set(const sattr *, struct pinefs_set *);
/* What CREATE is to make. */
int	nfs2_how_to_create(const sattr *, struct pinefs_create *);

/* nfs2_name.c */
int	nfs2_create(void *, struct rpc_call *, const createargs *,
	    diropres *);
int	nfs2_mkdir(void *, struct rpc_call *, const createargs *,
	    diropres *);
int	nfs2_symlink(void *, struct rpc_call *, const symlinkargs *,
	    nfsstat *);
int	nfs2_remove(void *, struct rpc_call *, const diropargs *, nfsstat *);
int	nfs2_rmdir(void *, struct rpc_call *, const diropargs *, nfsstat *);
int	nfs2_rename(void *, struct rpc_call *, const renameargs *,
	    nfsstat *);
int	nfs2_link(void *, struct rpc_call *, const linkargs *, nfsstat *);

/* nfs2_dir.c */
int	nfs2_readdir(void *, struct rpc_call *, const readdirargs *,
	    readdirres *);

#endif
