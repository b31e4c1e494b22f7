/*
 * NFS version 3: what its files share.
 *
 *	nfs3.c		the table of procedures; attributes, files, file system
 *	nfs3_attr.c	attributes, to and from the protocol's words
 *	nfs3_name.c	procedures that make, remove and rename
 *	nfs3_dir.c	READDIR and READDIRPLUS: packing entries
 */
#ifndef NFS_NFS3_H
#define NFS_NFS3_H

#include "nfs/call.h"
#include "proto/nfs3.h"

/* The top of every procedure; see call.h. */
static inline struct nfs_call *
nfs3_call(void *self, struct rpc_call *rpc)
{
	return nfs_call(self, rpc, &nfs_v3_service);
}

static inline int
nfs3_node(struct nfs_call *call, const nfs_fh3 *fh, struct pinefs_node **node)
{
	return nfs_fh_to_node(call, fh->data.data, fh->data.len, node);
}

/* The handle of a node, in the call's memory. */
int	nfs3_node_fh(struct nfs_call *, const struct pinefs_node *,
	    nfs_fh3 *);
int	nfs3_ident_fh(struct nfs_call *, const struct pinefs_ident *,
	    nfs_fh3 *);

static inline nfsstat3
nfs3_status(struct nfs_call *call, int err)
{
	return (nfsstat3)nfs_call_status(call, err);
}

/* ---------------------------------------------------------- attributes -- */

/* EIO: something that clients crash on. */
int	nfs3_fattr(struct nfs_call *, uint64_t fileid,
	    const struct pinefs_attr *, fattr3 *);
int	nfs3_node_fattr(struct nfs_call *, const struct pinefs_node *,
	    const struct pinefs_attr *, fattr3 *);

/*
 * Attributes for a reply: of a node (NULL: none), or these.  Where they
 * cannot be had the reply goes without; where they come later, call->late.
 */
void	nfs3_post_op_attr(struct nfs_call *, struct pinefs_node *,
	    post_op_attr *);
void	nfs3_post_these(struct nfs_call *, const struct pinefs_node *,
	    const struct pinefs_attr *, post_op_attr *);

/* Before and after of a node (NULL: neither), as vfs saw them. */
void	nfs3_wcc_data(struct nfs_call *, struct pinefs_node *,
	    const struct vfs_wcc *, wcc_data *);

/*
 * After a failure too the client learns how the object is now, be it that
 * the operation did not get far enough to tell.
 */
void	nfs3_wcc_failed(struct nfs_call *, struct pinefs_node *,
	    const struct vfs_wcc *, wcc_data *);

/* What a client wants set; EINVAL, EFBIG. */
int	nfs3_set(const sattr3 *, struct pinefs_set *);

/* ---------------------------------------------------------- procedures -- */

/* nfs3_name.c */
int	nfs3_create(void *, struct rpc_call *, const CREATE3args *,
	    CREATE3res *);
int	nfs3_mkdir(void *, struct rpc_call *, const MKDIR3args *,
	    MKDIR3res *);
int	nfs3_symlink(void *, struct rpc_call *, const SYMLINK3args *,
	    SYMLINK3res *);
int	nfs3_mknod(void *, struct rpc_call *, const MKNOD3args *,
	    MKNOD3res *);
int	nfs3_remove(void *, struct rpc_call *, const REMOVE3args *,
	    REMOVE3res *);
int	nfs3_rmdir(void *, struct rpc_call *, const RMDIR3args *,
	    RMDIR3res *);
int	nfs3_rename(void *, struct rpc_call *, const RENAME3args *,
	    RENAME3res *);
int	nfs3_link(void *, struct rpc_call *, const LINK3args *, LINK3res *);

/* nfs3_dir.c */
int	nfs3_readdir(void *, struct rpc_call *, const READDIR3args *,
	    READDIR3res *);
int	nfs3_readdirplus(void *, struct rpc_call *, const READDIRPLUS3args *,
	    READDIRPLUS3res *);

#endif
