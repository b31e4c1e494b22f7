/* What the files of dirfs share. */
#ifndef FS_DIR_DIR_H
#define FS_DIR_DIR_H

#include <pinefs.h>

#include "object.h"
#include "who.h"

struct dir_lists;
struct dir_mounts;
struct dir_places;

/* One directory that is served. */
struct dir_fs {
	struct pinefs		*fs;
	char			*path;		/* as it was given */
	int			 root;		/* O_RDONLY | O_DIRECTORY */
	struct dir_dev		 dev;
	uint64_t		 root_ino;
	bool			 by_handle;	/* the kernel opens handles */
	atomic_bool		 async;
	struct dir_objects	*objects;
	struct dir_places	*places;	/* NULL: not needed */
	struct dir_lists	*lists;
	struct dir_mounts	*mounts;
	struct pinefs_executor	 executor;
};

static inline struct dir_fs *
dir_of(const struct pinefs_node *node)
{
	return pinefs_arg(pinefs_node_fs(node));
}

/* NUL-terminated, for system calls. */
struct dir_name {
	char	text[256];
};
/* EINVAL, ENAMETOOLONG. */
int	dir_name_of(struct dir_name *, struct pinefs_name);

/* What /proc has an open file under: a path to what O_PATH opened. */
struct dir_proc {
	char	path[40];
};
struct dir_proc	dir_proc_of(int fd);

/* Names were changed in this directory: on the disk before the reply. */
int	dir_sync(struct dir_fs *, struct dir_object *);
/* Closes a descriptor it was written by: what was not committed is before, or
 * is said to be lost; the next descriptor would not hear of it. */
void	dir_close_written(struct dir_fs *, struct dir_object *, int fd);

/* The operations, each where pinefs.h has its contract. */
int	dir_getattr(struct pinefs_call *, struct pinefs_node *, uint64_t want,
	    struct pinefs_attr *);
int	dir_setattr(struct pinefs_call *, struct pinefs_node *,
	    const struct pinefs_set *, struct pinefs_change *);
int	dir_access(struct pinefs_call *, struct pinefs_node *, uint32_t asked,
	    uint32_t *granted);
int	dir_statfs(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_statfs *);
int	dir_lookup(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, struct pinefs_ident *);
int	dir_resolve(struct pinefs_call *, struct pinefs_node *);
int	dir_parent(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_ident *);
int	dir_create(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, const struct pinefs_create *,
	    struct pinefs_made *);
int	dir_remove(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, int kind, struct pinefs_change *);
int	dir_rename(struct pinefs_call *, struct pinefs_rename *);
int	dir_link(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node *dir, struct pinefs_name,
	    struct pinefs_change *);
int	dir_readlink(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_out *);
int	dir_readdir(struct pinefs_call *, struct pinefs_node *,
	    uint64_t after, struct pinefs_emit *);
int	dir_open(struct pinefs_call *, struct pinefs_node *, uint32_t access);
void	dir_close(struct pinefs_node *);
void	dir_written(struct pinefs_node *);
int	dir_read(struct pinefs_call *, struct pinefs_node *, uint64_t off,
	    uint32_t count, struct pinefs_out *);
int	dir_write(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_write *);
int	dir_commit(struct pinefs_call *, struct pinefs_node *, uint64_t off,
	    uint64_t len);
int	dir_seek(struct pinefs_call *, struct pinefs_node *, int what,
	    uint64_t off, uint64_t *found);
int	dir_allocate(struct pinefs_call *, struct pinefs_node *, uint64_t off,
	    uint64_t len, int punch);
int	dir_clone(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node *to, struct pinefs_range *);
int	dir_getxattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, struct pinefs_out *);
int	dir_setxattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, struct pinefs_in *, int how);
int	dir_listxattr(struct pinefs_call *, struct pinefs_node *,
	    uint64_t after, struct pinefs_emit *);
int	dir_removexattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name);

/* list.c: listings that are kept for the next page. */
struct dir_lists *dir_lists_new(void);
void	dir_lists_free(struct dir_lists *);
void	dir_lists_sweep(struct dir_lists *);
/* Sorts names into the order of their cookies: hashes. */
uint64_t dir_cookie(const char *name, size_t len);

/* attr.c: as the kernel says it, with a change counter of the object's. */
void	dir_attr_of(struct dir_object *, const struct statx *, unsigned mods,
	    struct pinefs_attr *);
/* Are the file's times those that stand for this verifier? */
bool	dir_verf_is_in_times(const uint8_t verf[8], const struct statx *);
/* Sets attributes as the caller may. */
int	dir_apply(struct pinefs_call *, struct dir_object *,
	    const struct pinefs_set *);

#endif
