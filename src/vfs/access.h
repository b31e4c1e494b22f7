/*
 * Rights as POSIX has them: mode bits, groups, the sticky bit, and who may
 * change which attribute.  Pure functions of a credential and attributes.
 */
#ifndef VFS_ACCESS_H
#define VFS_ACCESS_H

#include <pinefs.h>

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };

/* What rights hang on. */
struct who {
	uint32_t	type;		/* enum pinefs_type */
	uint32_t	mode, uid, gid;
};

bool	access_in_group(const struct pinefs_cred *, uint32_t gid);
/* MAY_* that the credential has. */
unsigned access_rights(const struct pinefs_cred *, const struct who *);
/* EACCES unless all of `want` is there. */
int	access_check(const struct pinefs_cred *, const struct who *,
	    unsigned want);
/* READ and WRITE of v2 and v3, which have no open: the owner always may. */
int	access_check_io(const struct pinefs_cred *, const struct who *,
	    unsigned want);
/* The same as the bits of ACCESS; only those asked. */
uint32_t access_bits(const struct pinefs_cred *, const struct who *,
	    uint32_t asked);
/* EPERM if the directory is sticky and neither it nor the object is ours. */
int	access_sticky(const struct pinefs_cred *, const struct who *dir,
	    const struct who *object);

/*
 * chmod, chown, utimes, truncate: EPERM or EACCES.  `opened`: ftruncate, by
 * somebody who has it open for writing.
 */
int	access_setattr(const struct pinefs_cred *, const struct who *,
	    const struct pinefs_set *, bool opened);
/* The mode that an object has after `set`: suid and sgid bits may go. */
uint32_t access_mode_after(const struct pinefs_cred *, const struct who *,
	    const struct pinefs_set *);
/* The mode after a write or truncate by this credential. */
uint32_t access_mode_written(const struct pinefs_cred *,
	    const struct who *);

/*
 * Mode, uid and gid of an object that `cred` makes in `dir`: setgid
 * directories hand on their group.  Fills what `set` leaves open.
 */
void	access_new(const struct pinefs_cred *, const struct who *dir,
	    uint32_t type, struct pinefs_attr *set);

#endif
