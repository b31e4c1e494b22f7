/* What is mounted below the directory, by its names. */
#ifndef FS_DIR_MOUNTS_H
#define FS_DIR_MOUNTS_H

struct dir_fs;
struct dir_mounts;

struct dir_mounts *dir_mounts_new(void);	/* NULL: no memory */
void	dir_mounts_free(struct dir_mounts *);
/* Each name in this directory on which something is mounted. */
void	dir_mounts_each(const struct dir_fs *, int fd,
	    void (*fn)(void *arg, const char *name), void *arg);

#endif
