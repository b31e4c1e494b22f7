/*
 * File handles: which export, which object, and a MAC over both, so that
 * nobody makes one but us.  They hold no path, no time and no state: a handle
 * works after a restart wherever the object's ident does.
 *
 *	short, every version		long, objects with own bytes
 *	 0  1  format (1)		 0  1  format (1)
 *	 1  1  type (1)			 1  1  type (2)
 *	 2  2  zero			 2  1  n, bytes of its own
 *	 4  4  export id		 3  1  zero
 *	 8  8  fileid			 4  4  export id
 *	16  8  generation		 8  8  fileid
 *	24  8  MAC			16  8  MAC
 *					24  n  own bytes
 *
 * Numbers are big-endian.  The MAC is SipHash-2-4 of all other bytes.
 */
#ifndef NFS_FH_H
#define NFS_FH_H

#include <pinefs.h>

enum {
	NFS_FH_SHORT = 32,
	NFS_FH_HEAD = 24,	/* of a long one; own bytes follow */
	NFS_FH_MAX2 = 32,	/* bytes a handle may have, by version */
	NFS_FH_MAX3 = 64,
	NFS_FH_MAX4 = 128
};

/* From the state directory; handles made with the previous key still work. */
struct nfs_keys {
	uint8_t	now[16];
	uint8_t	before[16];
	bool	has_before;
};

/*
 * Make the handle of an object.  `to` has room for `max` bytes, one of
 * NFS_FH_MAX*.  Own bytes that do not fit are left out: such a handle works
 * as long as the file system knows the object by fileid and generation.
 * EIO: the fileid is 0, which clients crash on.
 */
int	nfs_fh_make(const struct nfs_keys *, uint32_t export_id,
	    const struct pinefs_ident *, uint32_t max, uint8_t *to,
	    uint32_t *len);

/*
 * Take a handle apart.  id->own points into `fh`.  NFS_EBADHANDLE: wrong
 * length, format or type; ESTALE: not of our making.
 */
int	nfs_fh_open(const struct nfs_keys *, const void *fh, uint32_t len,
	    uint32_t *export_id, struct pinefs_ident *id);

/* The export a handle claims, unchecked; false: it has no place for one. */
bool	nfs_fh_peek(const void *fh, uint32_t len, uint32_t *export_id);

#endif
