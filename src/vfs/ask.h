/*
 * Questions to a file system: one step each, so each operation is called
 * once, however often the procedure runs.  Results stay in the step, in the
 * call's memory, and are pointed to, not copied.
 *
 * What an operation gets by pointer lies in the step too: it may answer
 * LATER, and by then the procedure's stack is gone.  Names point into the
 * received record, which is kept while the call waits.
 */
#ifndef VFS_ASK_H
#define VFS_ASK_H

#include "vfs/fs.h"
#include "vfs/io.h"
#include "vfs/step.h"

struct step_out {
	struct vfs_step		step;
	struct pinefs_out	out;
};

struct step_wcc {
	struct vfs_step		step;
	struct vfs_wcc		wcc[];
};
#define STEP_WCC_SIZE(n)						\
	(sizeof(struct step_wcc) + (n) * sizeof(struct vfs_wcc))

int	ask_lookup(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_name, const struct pinefs_ident **);
/*
 * TYPE and CHANGE are checked for (EIO), defaults filled in, so that all of
 * PINEFS_ALL is there.  ESTALE: the object has another type than before.
 */
int	ask_getattr(struct pinefs_call *, struct pinefs_node *,
	    uint64_t want, const struct pinefs_attr **);
/* The same check of attributes that came otherwise; `node` may be NULL. */
int	attr_check(struct pinefs *, const char *op, struct pinefs_node *,
	    struct pinefs_attr *);
/* An operation gave attributes with its result: nobody need ask for them. */
int	attr_given(struct pinefs_call *, struct pinefs_node *, const char *op,
	    const struct pinefs_attr *);
int	ask_resolve(struct pinefs_call *, struct pinefs_node *);
int	ask_parent(struct pinefs_call *, struct pinefs_node *,
	    const struct pinefs_ident **);
int	ask_access(struct pinefs_call *, struct pinefs_node *,
	    uint32_t asked, uint32_t *granted);

int	ask_read(struct pinefs_call *, struct pinefs_node *, uint64_t off,
	    uint32_t count, struct pinefs_out **);
int	ask_readlink(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_out **);
/* Checked: see write_result_check. */
int	ask_write(struct pinefs_call *, struct pinefs_node *,
	    const struct vfs_write *, struct pinefs_write **);
int	ask_commit(struct pinefs_call *, struct pinefs_node *, uint64_t off,
	    uint64_t len);
int	ask_truncate(struct pinefs_call *, struct pinefs_node *,
	    uint64_t size);
/* `chg` NULL: the operation gets NULL too (door 1); here and below. */
int	ask_setattr(struct pinefs_call *, struct pinefs_node *,
	    const struct pinefs_set *, const struct pinefs_change **chg);

/* `node`: door 1's new object. */
int	ask_create(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_name, const struct pinefs_create *,
	    struct pinefs_node *node, const struct pinefs_made **);
int	ask_remove(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_name, int kind, const struct pinefs_change **);
int	ask_rename(struct pinefs_call *, struct pinefs_node *from,
	    struct pinefs_name old_name, struct pinefs_node *to,
	    struct pinefs_name new_name, const struct pinefs_rename **);
int	ask_link(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node *dir, struct pinefs_name,
	    const struct pinefs_change **);
int	ask_open(struct pinefs_call *, struct pinefs_node *,
	    uint32_t access);
int	ask_seek(struct pinefs_call *, struct pinefs_node *, int what,
	    uint64_t off, uint64_t *found);
int	ask_allocate(struct pinefs_call *, struct pinefs_node *,
	    uint64_t off, uint64_t len, bool punch);
int	ask_clone(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node *to, const struct pinefs_range *,
	    const struct pinefs_range **done);
int	ask_getxattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, struct pinefs_out **);
int	ask_setxattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, const struct xdr_view *value, int how);
int	ask_removexattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name);
int	ask_statfs(struct pinefs_call *, struct pinefs_node *,
	    const struct pinefs_statfs **);

/*
 * A write says what it did: 0 < written <= count, committed >= stable (or
 * FILE_SYNC, where there is no commit).  EIO, and a line, if not.
 */
int	write_result_check(struct pinefs *, struct pinefs_write *);

#endif
