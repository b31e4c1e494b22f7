/* Files below a directory, and nowhere else. */
#ifndef FS_TAR_BELOW_H
#define FS_TAR_BELOW_H

/*
 * Open for reading.  The kernel walks the path, below `dir` all the way; dir
 * -1: an absolute path, wherever it leads.  -1 with errno.
 */
int	tar_open_below(int dir, const char *path);
/* Where the kernel says that it is, to be freed; NULL with errno. */
char	*tar_path_of(int fd);

#endif
