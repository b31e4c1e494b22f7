/*
 * The descriptors of a server, for the child of a fork, which closes them.
 *
 * fork copies the table of descriptors first and memory some time later, and
 * other threads go on all the while.  So what memory tells about descriptors
 * is true in the child only if none is opened or closed in between: who does
 * that has a lock meanwhile, and fork waits for it (pthread_atfork).  The lock
 * is held for a system call that does not wait, and is the last of all.
 */
#ifndef BASE_FDS_H
#define BASE_FDS_H

#include <stddef.h>
#include <stdint.h>

struct fds {
	uint64_t	*map;		/* a bit for each descriptor */
	size_t		 words;
};

/*
 * Around what opens one: fds_begin(); fd = fds_end(&fds, socket(...));
 * fds_end notes it and returns it.  -1 stays -1, with its errno; what cannot
 * be noted is closed, and -1 with ENOMEM.  `fds` may be NULL: who opens it
 * knows of it before fds_end.
 */
void	fds_begin(void);
int	fds_end(struct fds *, int fd);

/* Close it, wherever it came from. */
void	fds_close(struct fds *, int fd);

/* In the child: close them all. */
void	fds_fork_child(struct fds *);
void	fds_fini(struct fds *);

#endif
