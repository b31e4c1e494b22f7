/* What of this machine `pinefs doctor` looks at. */
#ifndef PINEFS_CHECKS_H
#define PINEFS_CHECKS_H

#include <limits.h>
#include <stdint.h>

enum check_status { CHECK_OK, CHECK_NOTE, CHECK_MISSING };

struct check {
	const char		*name;		/* "nfs-client" */
	enum check_status	 status;
	char			 found[PATH_MAX + 256];
	char			 advice[512];	/* "": nothing to do */
};

/* Each fills in all but the name. */
void	check_nfs_client(struct check *);
void	check_mount_rights(struct check *);
void	check_mount_helper(struct check *);
void	check_python(struct check *);
void	check_portmapper(struct check *);
void	check_fuse(struct check *);
void	check_io_uring(struct check *);
void	check_state_dir(struct check *);
void	check_run_dir(struct check *);
void	check_port(struct check *, uint16_t port, const char *option);

#endif
