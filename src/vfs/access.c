/* Rights.  See access.h. */
#include "vfs/access.h"

#include <errno.h>

enum { SUID = 04000, SGID = 02000, STICKY = 01000, GROUP_EXEC = 0010,
    ANY_EXEC = 0111, MODE_FILE = 0600, MODE_DIR = 0700, MODE_LNK = 0777 };

bool
access_in_group(const struct pinefs_cred *cred, uint32_t gid)
{
	uint32_t i;

	if (cred->gid == gid)
		return true;
	for (i = 0; i < cred->ngids; i++)
		if (cred->gids[i] == gid)
			return true;
	return false;
}

unsigned
access_rights(const struct pinefs_cred *cred, const struct who *who)
{
	if (cred->uid == 0) {
		/* Root executes what somebody may execute. */
		if (who->type == PINEFS_DIR || who->mode & ANY_EXEC)
			return MAY_READ | MAY_WRITE | MAY_EXEC;
		return MAY_READ | MAY_WRITE;
	}
	if (cred->uid == who->uid)
		return who->mode >> 6 & 7;
	if (access_in_group(cred, who->gid))
		return who->mode >> 3 & 7;
	return who->mode & 7;
}

int
access_check(const struct pinefs_cred *cred, const struct who *who,
    unsigned want)
{
	return (access_rights(cred, who) & want) == want ? 0 : EACCES;
}

int
access_check_io(const struct pinefs_cred *cred, const struct who *who,
    unsigned want)
{
	unsigned have = access_rights(cred, who);

	/* A program that may be executed must be read to be. */
	if (have & MAY_EXEC)
		have |= MAY_READ;
	if (cred->uid == who->uid)
		have |= MAY_READ | MAY_WRITE;
	return (have & want) == want ? 0 : EACCES;
}

uint32_t
access_bits(const struct pinefs_cred *cred, const struct who *who,
    uint32_t asked)
{
	unsigned have = access_rights(cred, who);
	bool dir = who->type == PINEFS_DIR;
	uint32_t bits = 0;

	if (have & MAY_READ)
		bits |= PINEFS_ACCESS_READ;
	if (have & MAY_EXEC)
		bits |= dir ? PINEFS_ACCESS_LOOKUP : PINEFS_ACCESS_EXECUTE;
	if (dir && (~have & (MAY_WRITE | MAY_EXEC)) == 0)
		bits |= PINEFS_ACCESS_MODIFY | PINEFS_ACCESS_EXTEND |
		    PINEFS_ACCESS_DELETE;
	else if (!dir && have & MAY_WRITE)
		bits |= PINEFS_ACCESS_MODIFY | PINEFS_ACCESS_EXTEND;
	return bits & asked;
}

int
access_sticky(const struct pinefs_cred *cred, const struct who *dir,
    const struct who *object)
{
	if (!(dir->mode & STICKY) || cred->uid == 0 ||
	    cred->uid == dir->uid || cred->uid == object->uid)
		return 0;
	return EPERM;
}

/* --------------------------------------------------------- attributes -- */

static int
may_chown(const struct pinefs_cred *cred, const struct who *who,
    const struct pinefs_attr *to)
{
	if (to->have & PINEFS_UID && to->uid != who->uid)
		return EPERM;	/* nobody gives files away, but root */
	if (to->have & PINEFS_UID && cred->uid != who->uid)
		return EPERM;
	if (to->have & PINEFS_GID && cred->uid != who->uid)
		return EPERM;
	if (to->have & PINEFS_GID && to->gid != who->gid &&
	    !access_in_group(cred, to->gid))
		return EPERM;
	return 0;
}

int
access_setattr(const struct pinefs_cred *cred, const struct who *who,
    const struct pinefs_set *set, bool opened)
{
	const struct pinefs_attr *to = &set->attr;
	const uint64_t times = PINEFS_ATIME | PINEFS_MTIME;
	bool own = cred->uid == who->uid;
	int err;

	if (to->have & PINEFS_SIZE && !opened &&
	    (err = access_check_io(cred, who, MAY_WRITE)) != 0)
		return err;
	if (cred->uid == 0)
		return 0;
	if ((err = may_chown(cred, who, to)) != 0)
		return err;
	if (to->have & (PINEFS_MODE | PINEFS_BTIME) && !own)
		return EPERM;
	/* utimes(2): a given time wants the owner, "now" who may write. */
	if (to->have & times & ~set->now && !own)
		return EPERM;
	if (to->have & times && !own)
		return access_check(cred, who, MAY_WRITE);
	return 0;
}

uint32_t
access_mode_written(const struct pinefs_cred *cred, const struct who *who)
{
	uint32_t mode = who->mode;

	if (cred->uid == 0 || who->type != PINEFS_REG)
		return mode;
	/* sgid without group execution once meant mandatory locks: stays. */
	if (mode & GROUP_EXEC)
		mode &= ~(uint32_t)SGID;
	return mode & ~(uint32_t)SUID;
}

uint32_t
access_mode_after(const struct pinefs_cred *cred, const struct who *who,
    const struct pinefs_set *set)
{
	const struct pinefs_attr *to = &set->attr;
	struct who now = *who;
	uint32_t gid = to->have & PINEFS_GID ? to->gid : who->gid;

	if (to->have & PINEFS_MODE) {
		now.mode = to->mode & 07777;
		/* chmod(2): only members hand out a group's rights. */
		if (cred->uid != 0 && who->type != PINEFS_DIR &&
		    !access_in_group(cred, gid))
			now.mode &= ~(uint32_t)SGID;
	}
	if (to->have & PINEFS_SIZE)
		now.mode = access_mode_written(cred, &now);
	/*
	 * chown(2): the new owner did not ask for them.  Linux clears them
	 * for root as well, and its client relies on the server to do it.
	 */
	if (to->have & (PINEFS_UID | PINEFS_GID) &&
	    who->type != PINEFS_DIR) {
		now.mode &= ~(uint32_t)SUID;
		if (now.mode & GROUP_EXEC)
			now.mode &= ~(uint32_t)SGID;
	}
	return now.mode;
}

void
access_new(const struct pinefs_cred *cred, const struct who *dir,
    uint32_t type, struct pinefs_attr *set)
{
	bool root = cred->uid == 0;

	if (!(set->have & PINEFS_MODE))
		set->mode = type == PINEFS_DIR ? MODE_DIR :
		    type == PINEFS_LNK ? MODE_LNK : MODE_FILE;
	set->mode &= 07777;
	/* Who is root may make it somebody else's at once. */
	if (!(set->have & PINEFS_UID) || !root)
		set->uid = cred->uid;
	if (dir->mode & SGID) {
		if (!(set->have & PINEFS_GID) || !root)
			set->gid = dir->gid;
		if (type == PINEFS_DIR)
			set->mode |= SGID;
	} else if (!(set->have & PINEFS_GID) ||
	    (!root && !access_in_group(cred, set->gid))) {
		set->gid = cred->gid;
	}
	if (!root && type != PINEFS_DIR && set->mode & GROUP_EXEC &&
	    !access_in_group(cred, set->gid))
		set->mode &= ~(uint32_t)SGID;
	set->have |= PINEFS_MODE | PINEFS_UID | PINEFS_GID;
}
