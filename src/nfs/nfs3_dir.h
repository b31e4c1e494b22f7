/* The packer of READDIR and READDIRPLUS, apart so that it can be tested. */
#ifndef NFS_NFS3_DIR_H
#define NFS_NFS3_DIR_H

#include "nfs/nfs3.h"

struct nfs3_pack {
	struct nfs_call	*call;
	uint32_t	 left;		/* bytes of the result */
	uint32_t	 names_left;	/* ... of dircount */
	unsigned	 n;		/* entries taken */
	bool		 full;		/* the last one did not fit */
	int		 err;
	entry3		*entries, **tail;
	entryplus3	*entries_plus, **tail_plus;
};

/* `dircount` 0: no such bound.  False: not even an empty result fits. */
bool	nfs3_pack_init(struct nfs3_pack *, struct nfs_call *, uint32_t count,
	    uint32_t dircount);
/* vfs_readdir's `add`: non-zero if the entry was not taken. */
int	nfs3_pack_entry(void *pack, const struct vfs_entry *);
int	nfs3_pack_entry_plus(void *pack, const struct vfs_entry *);

#endif
