/* Opening what archives lie in.  See below.h. */
#include "below.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int
tar_open_below(int dir, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	long fd;

	if (dir == -1)
		return open(path, (int)how.flags);
	fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
	/* A kernel too old for that gets a single component, and no link. */
	if (fd == -1 && errno == ENOSYS && strchr(path, '/') == NULL)
		fd = openat(dir, path, (int)how.flags | O_NOFOLLOW);
	return (int)fd;
}

char *
tar_path_of(int fd)
{
	char link[40], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path);
	if (n == -1)
		return NULL;
	if (n == sizeof path || path[0] != '/') {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return strndup(path, (size_t)n);
}
