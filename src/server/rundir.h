/*
 * The run directory: one for each user, where every running server of his
 * keeps its record, PID.json, and its control socket, PID.sock.
 *
 * $XDG_RUNTIME_DIR/pinefs if that is ours, or else /run/pinefs for root and
 * /tmp/pinefs-UID for everybody else.  It is used only if it is ours and nobody else may
 * enter: in /tmp anybody could have made it.
 */
#ifndef SERVER_RUNDIR_H
#define SERVER_RUNDIR_H

#include <limits.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/fds.h"

/* Its path; ENAMETOOLONG. */
int	rundir_path(char path[PATH_MAX]);
/*
 * A descriptor of it, noted in `fds` (or NULL); it is made if need be and
 * `make`.  ENOENT: there is none;
 * EPERM: it is somebody else's, or others may enter; and what mkdir and open
 * say.
 */
int	rundir_open(bool make, struct fds *, int *fd);

/* For root: that of another user, for reading.  EPERM: others may enter. */
int	rundir_open_other(const char *path, int *fd);

/* "4711.json", of a process. */
enum { RUNDIR_NAME = 32 };
void	rundir_name(char name[RUNDIR_NAME], pid_t, const char *suffix);
/* The address of a socket there, which fits however long the path is. */
socklen_t rundir_addr(int fd, const char *name, struct sockaddr_un *);

#endif
