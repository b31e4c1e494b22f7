/* The programs of this room, joined for src/server. */
#include "nfs/nfs.h"

#include "base/clock.h"
#include "nfs/program.h"

enum { MAX_TCP = 1024 * 1024, MAX_UDP = 32 * 1024 };

void
nfs_init(struct nfs *nfs, const struct vfs_exports *exports)
{
	memset(nfs, 0, sizeof *nfs);
	nfs->exports = exports;
	nfs->max_tcp = MAX_TCP;
	nfs->max_udp = MAX_UDP;
	nfs->flavors[0] = RPC_AUTH_SYS;
	nfs->nflavors = 1;
	clock_wall(&nfs->started);
	pthread_mutex_init(&nfs->mounts.lock, NULL);
}

void
nfs_fini(struct nfs *nfs)
{
	pthread_mutex_destroy(&nfs->mounts.lock);
	explicit_bzero(&nfs->keys, sizeof nfs->keys);
}

unsigned
nfs_programs(struct nfs *nfs, struct rpc_program rows[NFS_PROGRAMS])
{
	unsigned n = 0;

	nfs2_program(nfs, &rows[n++]);
	nfs3_program(nfs, &rows[n++]);
	nfs4_program(nfs, &rows[n++]);
	mount_v1_program(nfs, &rows[n++]);
	mount_v3_program(nfs, &rows[n++]);
	return n;
}
