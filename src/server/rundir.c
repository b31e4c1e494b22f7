/* The run directory.  See rundir.h. */
#include "server/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Under su or sudo it may be somebody else's, whom a directory of ours there
 * would lock out. */
static bool
is_ours(const char *dir)
{
	struct stat st;

	return *dir == '/' && stat(dir, &st) == 0 && st.st_uid == geteuid();
}

int
rundir_path(char path[PATH_MAX])
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	int n;

	if (base != NULL && is_ours(base))
		n = snprintf(path, PATH_MAX, "%s/pinefs", base);
	else if (geteuid() == 0)
		n = snprintf(path, PATH_MAX, "/run/pinefs");
	else
		n = snprintf(path, PATH_MAX, "/tmp/pinefs-%u",
		    (unsigned)geteuid());
	return n < 0 || n >= PATH_MAX ? ENAMETOOLONG : 0;
}

int
rundir_open(bool make, struct fds *fds, int *to)
{
	char path[PATH_MAX];
	struct stat st;
	int err, fd;

	if ((err = rundir_path(path)) != 0)
		return err;
	if (make && mkdir(path, 0700) == -1 && errno != EEXIST)
		return errno;
	fds_begin();
	fd = fds_end(fds, open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC));
	if (fd == -1)
		return errno == ENOTDIR || errno == ELOOP ? EPERM : errno;
	if (fstat(fd, &st) == -1) {
		err = errno;
	} else if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		err = EPERM;
	} else {
		*to = fd;
		return 0;
	}
	fds_close(fds, fd);
	return err;
}

int
rundir_open_other(const char *path, int *to)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd == -1)
		return errno;
	if (fstat(fd, &st) == -1 || (st.st_mode & 077) != 0) {
		close(fd);
		return EPERM;
	}
	*to = fd;
	return 0;
}

void
rundir_name(char name[RUNDIR_NAME], pid_t pid, const char *suffix)
{
	snprintf(name, RUNDIR_NAME, "%ld%s", (long)pid, suffix);
}

/* 108 bytes are all that a path may have there: by the descriptor. */
socklen_t
rundir_addr(int fd, const char *name, struct sockaddr_un *sun)
{
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(sun->sun_path, sizeof sun->sun_path, "/proc/self/fd/%d/%s",
	    fd, name);
	return sizeof *sun;
}
