/*
 * NFS version 2, 3 and 4 and MOUNT 1 and 3, for src/server: fill a struct nfs,
 * hand the rows of nfs_programs to rpc_server_add.
 *
 *	nfs_init(&nfs, &exports);
 *	nfs.keys = ...;				from the state directory
 *	n = nfs_programs(&nfs, rows);
 *	for (i = 0; i < n; i++)
 *		err = rpc_server_add(server, &rows[i]);
 */
#ifndef NFS_NFS_H
#define NFS_NFS_H

#include <pinefs/rpc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "nfs/fh.h"
#include "vfs/vfs.h"

/* ------------------------------------------------------- what is mounted -- */

enum { NFS_MOUNTS = 256, NFS_MOUNT_HOST = 56, NFS_MOUNT_PATH = 200 };

/*
 * Who said MNT and not yet UMNT: what DUMP shows.  It is a rumour, as in
 * every server (clients crash, v4 says nothing), and decides nothing.  Full:
 * the oldest goes.  Longer paths are cut.
 */
struct nfs_mounts {
	pthread_mutex_t		lock;
	unsigned		n;
	struct nfs_mounted {
		char	host[NFS_MOUNT_HOST];	/* an address */
		char	path[NFS_MOUNT_PATH];
	}			list[NFS_MOUNTS];
};

/* ------------------------------------------------------------- a server -- */

/* What happened to handles and callers; read by whoever shows it. */
struct nfs_counters {
	atomic_uint_fast64_t	bad_handles;	/* no handle of any server of ours */
	atomic_uint_fast64_t	forged;		/* wrong MAC */
	atomic_uint_fast64_t	stale;		/* right, but the object is gone */
	atomic_uint_fast64_t	refused;	/* by an export's rules */
};

struct nfs4;

/* Constant while it serves, but for mounts and counters. */
struct nfs {
	const struct vfs_exports	*exports;
	struct nfs_keys			 keys;
	uint32_t			 max_tcp;	/* bytes of READ, WRITE */
	uint32_t			 max_udp;
	int32_t				 flavors[4];	/* MNT 3 offers them */
	uint32_t			 nflavors;	/* never 0 */
	/*
	 * Run fn(fn_arg) once in `ms` milliseconds, on any thread; NULL:
	 * v2 then answers EIO at once where v3 says JUKEBOX.
	 */
	int				(*after)(void *arg, unsigned ms,
					    void (*fn)(void *), void *fn_arg);
	void				*after_arg;
	/* rpc_link_connect, of the server `after_arg`; NULL: cannot. */
	int				(*connect)(void *arg,
					    const struct sockaddr_storage *,
					    struct rpc_link **);
	bool				 no_delegations;
	struct nfs4			*nfs4;	/* nfs4_new; NULL: v4 fails */
	struct timespec			 started;
	/*
	 * The id of `name@domain` or a bare name, or EINVAL; NULL: numbers
	 * and root are all there is.  Must not block.  On any thread.
	 */
	int				(*owner)(void *arg, const char *name,
					    uint32_t len, bool group,
					    uint32_t *id);
	void				*owner_arg;
	struct nfs_mounts		 mounts;
	struct nfs_counters		 count;
};

/* Defaults: 1 MiB, 32 KiB, AUTH_SYS; keys zero, which the caller replaces. */
void	nfs_init(struct nfs *, const struct vfs_exports *);
void	nfs_fini(struct nfs *);

enum { NFS_PROGRAMS = 5 };	/* NFS 2, 3, 4, MOUNT 1, 3 */

/* The rows to register; how many.  They borrow `nfs`. */
unsigned nfs_programs(struct nfs *, struct rpc_program rows[NFS_PROGRAMS]);

#endif
