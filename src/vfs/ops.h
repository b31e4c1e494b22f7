/* What the operations of vfs.h share. */
#ifndef VFS_OPS_H
#define VFS_OPS_H

#include "vfs/access.h"
#include "vfs/ask.h"
#include "vfs/guard.h"
#include "vfs/tree.h"

#define OFFSET_MAX	((uint64_t)INT64_MAX)

/* Bytes are in regular files; RFC 1813 3.3.6 says INVAL of all else. */
int	must_have_bytes(uint32_t type);

/* EINVAL, ENAMETOOLONG; `.` and `..` are names here. */
int	name_check(struct pinefs_name);
bool	name_is_dot(struct pinefs_name);
bool	name_is_dotdot(struct pinefs_name);
/* The same for names that are to be changed: without `.` and `..`. */
int	name_check_change(struct pinefs_name);

/* EROFS, ENOTSUP: may `op` (PINEFS_OP_*) be asked of this file system? */
int	may_change_at_all(const struct pinefs_call *, const struct pinefs *,
	    uint32_t op);

/* With PINEFS_OWN_ACCESS: EACCES unless access() grants all these bits. */
int	own_access_check(struct pinefs_call *, struct pinefs_node *,
	    uint32_t bits);

/*
 * Door 2: attributes, and EACCES unless the rights are there: `want` by
 * mode, or `bits` by access().  `io`: the owner may always.
 */
int	rights(struct pinefs_call *, struct pinefs_node *, unsigned want,
	    uint32_t bits, bool io, const struct pinefs_attr **);

void	who_of_attr(const struct pinefs_attr *, struct who *);

/* ENOTDIR, unless it is a directory. */
int	must_be_dir(struct pinefs_call *, struct pinefs_node *);

/* Door 2: *wcc from what an operation said, and fresh attributes. */
int	wcc_of_change(struct pinefs_call *, struct pinefs_node *,
	    const struct pinefs_change *, struct vfs_wcc *);

/* The generation as it stands in a handle, and back. */
uint64_t handle_generation(const struct pinefs *, uint64_t fileid,
	    uint64_t generation);

/* A reference to `node` becomes the call's, as a step. */
int	keep_node(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node **);
/* Door 2: the node of an ident that an operation gave, as a step. */
int	keep_ident(struct pinefs_call *, struct pinefs *, const char *op,
	    const struct pinefs_ident *, struct pinefs_node **);

/* Door 2 with PINEFS_SERIAL_DIR: a turn at each directory, or none. */
struct dir_turns {
	struct vfs_turn	*first, *second;
};
int	dir_turns_begin(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node *, struct dir_turns *);
void	dir_turns_end(struct dir_turns *);

#endif
