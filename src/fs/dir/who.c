/* Identity.  See who.h. */
#include "who.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GROUPS_MAX = 1024 };

static _Thread_local struct {
	bool		 begun, known, is_real;
	uint32_t	 uid, gid, ngids;
	uint32_t	 gids[GROUPS_MAX];
} me;

/*
 * What root keeps: to act as others, and what the kernel takes away from
 * them by itself.  Not to go past quotas and the space kept for root
 * (CAP_SYS_RESOURCE), nor anything that is no business of files.
 */
static void
drop_capabilities(void)
{
	static const unsigned keep[] = { CAP_CHOWN, CAP_DAC_OVERRIDE,
	    CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_MKNOD,
	    CAP_SETGID, CAP_SETUID };
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct cap[2];
	uint32_t mask = 0;
	unsigned i;

	if (syscall(SYS_capget, &head, cap) == -1)
		return;
	for (i = 0; i < sizeof keep / sizeof keep[0]; i++)
		mask |= UINT32_C(1) << keep[i];
	cap[0].effective &= mask;
	cap[0].permitted &= mask;
	cap[0].inheritable = cap[1].inheritable = 0;
	cap[1].effective = cap[1].permitted = 0;
	syscall(SYS_capset, &head, cap);
}

void
dir_who_begin(void)
{
	if (me.begun)
		return;
	me.begun = true;
	me.is_real = dir_who_is_real();
	/* Modes are as clients say them; umask(2) is the process's. */
	if (unshare(CLONE_FS) == 0)
		umask(0);
	if (dir_who_is_real())
		drop_capabilities();
}

bool
dir_who_is_safe(void)
{
	int bits = prctl(PR_GET_SECUREBITS);

	return !dir_who_is_real() || bits == -1 ||
	    (bits & (int)SECBIT_NO_SETUID_FIXUP) == 0;
}

bool
dir_who_is_real(void)
{
	return geteuid() == 0;
}

static bool
is_me(const struct pinefs_cred *c)
{
	return me.known && me.uid == c->uid && me.gid == c->gid &&
	    me.ngids == c->ngids && (c->ngids == 0 ||
	    memcmp(me.gids, c->gids, c->ngids * sizeof c->gids[0]) == 0);
}

/* They say what was before, so a second call tells what is now. */
static bool
set_fs_ids(uint32_t uid, uint32_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	return (uint32_t)setfsgid((gid_t)-1) == gid &&
	    (uint32_t)setfsuid((uid_t)-1) == uid;
}

int
dir_who_become(const struct pinefs_cred *c)
{
	dir_who_begin();
	if (!me.is_real || is_me(c))
		return 0;
	me.known = false;
	if (c->ngids > GROUPS_MAX ||
	    syscall(SYS_setgroups, (size_t)c->ngids, c->gids) == -1 ||
	    !set_fs_ids(c->uid, c->gid)) {
		set_fs_ids(0, 0);
		return EPERM;
	}
	me.uid = c->uid;
	me.gid = c->gid;
	me.ngids = c->ngids;
	if (c->ngids > 0)
		memcpy(me.gids, c->gids, c->ngids * sizeof c->gids[0]);
	me.known = true;
	return 0;
}

void
dir_who_server(void)
{
	static const struct pinefs_cred root = { .uid = 0 };

	dir_who_become(&root);
}
