/*
 * Unmounting: by umount2(2), or by sudo, or by the line to type.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/log.h"
#include "pinefs/mount.h"
#include "server/cli.h"

enum { LINE = 4 * PATH_MAX, PATIENCE_MS = 5000 };

void
unmount_line(const char *dir, enum unmount_how how, char *to, size_t size)
{
	char quoted[2 * PATH_MAX];

	mount_quote(dir, quoted, sizeof quoted);
	snprintf(to, size, "sudo umount %s%s", how == UNMOUNT ? "" :
	    how == UNMOUNT_LAZY ? "-l " : "-f -l ", quoted);
}

struct unmounting {
	const char	*dir;
	enum unmount_how how;
};

static int
unmount_syscall(const void *arg)
{
	const struct unmounting *u = arg;
	int flags = UMOUNT_NOFOLLOW | (u->how == UNMOUNT ? 0 :
	    u->how == UNMOUNT_LAZY ? MNT_DETACH : MNT_DETACH | MNT_FORCE);

	return umount2(u->dir, flags) == 0 ? 0 : errno;
}

/* Whoever keeps a log of sudo need not read of us ten times a second. */
int
unmount_again_ms(void)
{
	return geteuid() == 0 ? 100 : 1000;
}

static int
unmount_by_sudo(const char *dir, enum unmount_how how,
    const struct mount_peer *peer)
{
	char sudo[PATH_MAX], umount[PATH_MAX];
	const char *const normal[] = { sudo, "-n", umount, dir, NULL };
	const char *const lazy[] = { sudo, "-n", umount, "-l", dir, NULL };
	const char *const dead[] = { sudo, "-n", umount, "-f", "-l", dir,
	    NULL };
	int status;

	if (mount_program("sudo", sudo) == NULL ||
	    mount_program("umount", umount) == NULL)
		return EPERM;
	status = mount_child(mount_run, how == UNMOUNT ? normal :
	    how == UNMOUNT_LAZY ? lazy : dead, peer);
	return status == 0 ? 0 : status == MOUNT_FAILED ||
	    status == MOUNT_INTERRUPTED ? EBUSY : EPERM;
}

int
unmount_it(const char *dir, enum unmount_how how,
    const struct mount_peer *peer)
{
	struct unmounting u = { dir, how };
	int err;

	if (geteuid() != 0)
		return unmount_by_sudo(dir, how, peer);
	err = mount_child(unmount_syscall, &u, peer);
	return err == MOUNT_INTERRUPTED ? EBUSY : err;
}

int
unmount_say(const char *dir, enum unmount_how how, int err)
{
	char line[LINE];

	unmount_line(dir, how, line, sizeof line);
	log_error("%s: %s\ntry: %s", dir, err == EPERM ?
	    "only root may unmount, and sudo wants a password or is not there"
	    : strerror(err), line);
	return err == EPERM ? EXIT_NOPERM : EXIT_OSERR;
}

int
unmount_patiently(const char *dir, bool lazy)
{
	enum unmount_how how = lazy ? UNMOUNT_LAZY : UNMOUNT;
	int waited, again = unmount_again_ms(), err = EBUSY;

	for (waited = 0; waited <= PATIENCE_MS; waited += again) {
		err = unmount_it(dir, how, NULL);
		if (err != EBUSY)
			break;
		(void)poll(NULL, 0, again);
	}
	if (err == 0 || err == EINVAL)		/* somebody else has done it */
		return 0;
	if (err != EBUSY)
		return unmount_say(dir, how, err);
	holders_say(dir);
	log_error("%s stays mounted\ntry: end those, or pinefs umount -l %s",
	    dir, dir);
	return EXIT_UNAVAILABLE;
}

int
unmount_dead(const char *dir, const char *addr, uint16_t port)
{
	int tries, err = EBUSY;
	pid_t stand_in;

	for (tries = 0; tries < 2 && err == EBUSY; tries++) {
		mount_signals_heeded();
		stand_in = server_stand_in(addr, port);
		err = unmount_it(dir, UNMOUNT_DEAD, NULL);
		server_stand_down(stand_in);
	}
	return err;
}
