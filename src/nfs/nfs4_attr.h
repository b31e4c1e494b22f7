/*
 * Attributes of version 4 (RFC 8881 5, 7530 5, 7862 12.2, 8276, 8275): one
 * row each.  Sets of them are words of a bitmap, three of which hold all
 * that we know.
 */
#ifndef NFS_NFS4_ATTR_H
#define NFS_NFS4_ATTR_H

#include "nfs/nfs4.h"

enum { NFS4_ATTR_WORDS = 3,
    NFS4_ATTR_BYTES = 768 };	/* of all attributes of one object, at most */

struct nfs4_mask {
	uint32_t	word[NFS4_ATTR_WORDS];
};

/* What attributes are made of. */
struct nfs4_object {
	struct nfs4_call		*c;
	const struct vfs_export		*x;	/* NULL: the pseudo-root */
	struct pinefs_ident		 id;	/* as it stands in handles */
	uint64_t			 mounted_on;
	const struct pinefs_attr	*a;
	const struct vfs_limits		*l;
	nfsstat4			 err;	/* rdattr_error */
};

/* Once, before anything else. */
void	nfs4_attr_init(void);

/* What objects of this export have, in this minor version. */
void	nfs4_supported(const struct nfs4_call *, const struct vfs_export *,
	    struct nfs4_mask *);
/* ... and can be set. */
void	nfs4_settable(const struct nfs4_call *, const struct vfs_export *,
	    struct nfs4_mask *);
/* Of those asked, what a reply carries; INVAL: one is write-only. */
nfsstat4 nfs4_asked(const struct nfs4_call *, const struct vfs_export *,
	    const bitmap4 *, struct nfs4_mask *);

/* Do these need the object's attributes, or its file system's limits? */
bool	nfs4_needs_attr(const struct nfs4_mask *);
bool	nfs4_needs_limits(const struct nfs4_mask *);
/* Get what these need of a filehandle: 0, an errno, or LATER. */
int	nfs4_object_get(struct nfs4_call *, const struct nfs4_fh *,
	    const struct nfs4_mask *, struct nfs4_object *,
	    struct pinefs_attr *, struct vfs_limits *);
/* The limits of the pseudo-root. */
void	nfs4_pseudo_limits(struct vfs_limits *);

/* In bit order; `to` has NFS4_ATTR_BYTES.  How many; 0: EIO was logged. */
uint32_t nfs4_attr_encode(const struct nfs4_object *,
	    const struct nfs4_mask *, uint8_t *to);
/* The words as a bitmap, without zeros at its end. */
void	nfs4_bitmap(struct nfs4_mask *, bitmap4 *);

/* "0", "1000@example.org", "root@anything": EINVAL if it is nobody. */
int	nfs4_owner_id(const struct nfs *, struct xdr_view text, bool group,
	    uint32_t *id);

/* For tests and the book of what is served. */
struct nfs4_attr_row {
	const char	*name;		/* "mode"; NULL: not ours */
	uint8_t		 from;		/* minor version */
	bool		 read, write;
};
enum { NFS4_ATTRS = 87 };
const struct nfs4_attr_row *nfs4_attr_row(unsigned number);

#endif
