/*
 * The pseudo-root: the directory above the exports, where none of them is
 * named "/" (RFC 8881 7.3).  Where one is, it is the root itself, and the
 * others are mounted on names in it.
 *
 *	no "/"			"/" and "/b"
 *
 *	pseudo-root		root of "/"
 *	  a -> root of "/a"	  ...	what lies there
 *	  b -> root of "/b"	  b  -> root of "/b"
 *
 * An export whose name is a path lies below directories that are nothing but
 * the way to it (struct vfs_way).
 *
 * An export that a caller may not see is not there; one that is broken
 * harms no other.
 */
#ifndef NFS_NFS4_PSEUDO_H
#define NFS_NFS4_PSEUDO_H

#include "nfs/nfs4.h"

enum {
	NFS4_PSEUDO_EXPORT = 0,		/* in handles; no export has it */
	NFS4_PSEUDO_FILEID = 0x50696e65
};

/* The export that is the root; NULL: the pseudo-root is. */
const struct vfs_export *nfs4_root_export(const struct nfs *);
/* What is mounted there under this name, for this caller; or NULL. */
const struct vfs_export *nfs4_junction(struct nfs4_call *,
	    struct pinefs_name);
/* Is there one, whoever may see it? */
bool	nfs4_is_junction(const struct nfs *, struct pinefs_name);
/* May names of this directory be junctions? */
bool	nfs4_has_junctions(const struct nfs4_call *, const struct nfs4_fh *);
/*
 * The name in this directory (of files, or the pseudo-root or one below it) by
 * which an export is reached, or what is on the way to it.  False: it is not
 * below, or is not listed.
 */
struct nfs4_entry {
	struct pinefs_name	name;
	bool			is_export;	/* else a way */
};
bool	nfs4_entry_of(const struct nfs4_fh *dir, const struct vfs_export *,
	    struct nfs4_entry *);
/* Enters it, if this caller may.  Without a word in the log: who looks around
 * has not tried to get in. */
bool	nfs4_may_see(struct nfs4_call *, const struct vfs_export *);
/* The fileid of what a junction covers. */
uint64_t nfs4_covered_fileid(const struct vfs_export *);
/* mounted_on_fileid of an object. */
uint64_t nfs4_mounted_on(const struct vfs_export *, uint64_t fileid);
/* Is this the root directory of an export? */
bool	nfs4_is_export_root(const struct nfs4_fh *);

/* Make an export's root, or the root of all, the current filehandle. */
int	nfs4_goto_export(struct nfs4_call *, const struct vfs_export *);
int	nfs4_goto_root(struct nfs4_call *);
/*
 * An export that is not known yet, or a directory on the way to some, by its
 * name in the current directory.  ENOENT; PINEFS_LATER.
 */
int	nfs4_goto_coming(struct nfs4_call *, struct pinefs_name);
const struct vfs_way *nfs4_way_of(const struct nfs *, uint64_t fileid);
/* The one of this name below `dir`, on the way to an export; NULL: no memory. */
const struct vfs_way *nfs4_way_below(struct nfs4_call *,
	    const struct nfs4_fh *dir, struct pinefs_name);
/* Of the pseudo-root, or of a directory below it. */
uint64_t nfs4_pseudo_fileid(const struct nfs4_fh *);
/* From an export's root to what is above it: ENOENT at the top. */
int	nfs4_goto_above(struct nfs4_call *);

void	nfs4_pseudo_attr(const struct nfs4_call *, struct pinefs_attr *);
/* OPEN of a name there: nothing can be opened or made. */
nfsstat4 nfs4_pseudo_open(struct nfs4_call *, const OPEN4args *);

#endif
