/* What each version's file gives to nfs.c: its row.  Internal to src/nfs. */
#ifndef NFS_PROGRAM_H
#define NFS_PROGRAM_H

#include "nfs/nfs.h"

void	nfs2_program(struct nfs *, struct rpc_program *);
void	nfs3_program(struct nfs *, struct rpc_program *);
void	nfs4_program(struct nfs *, struct rpc_program *);
void	mount_v1_program(struct nfs *, struct rpc_program *);
void	mount_v3_program(struct nfs *, struct rpc_program *);

#endif
