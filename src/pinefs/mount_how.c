/*
 * Mounting, by the first way that works here:
 *
 *	root		mount(2), with the options as text: nfs-common is not
 *			needed
 *	sudo -n		mount.nfs, where sudo asks for no password
 *	nobody		the line to type
 *
 * NFS 4.2, or 3 where the kernel has no 4.  Every line has the port, and of 3
 * the port of MOUNT and nolock: no portmapper is asked, and no lock manager,
 * which on the same machine would wait for itself for ever.
 *
 * Each attempt is a child: whoever presses Ctrl-C gets it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "pinefs/mount.h"
#include "server/cli.h"

enum { OPTIONS = 2048, LINE = OPTIONS + 4 * PATH_MAX, PATIENCE_MS = 5000,
    AGAIN_MS = 100 };

static const char *const versions[] = { "4.2", "3" };

/* ----------------------------------------------------------------- options */

/* Is there a version among the user's? */
static const char *
wanted_version(const char *list)
{
	static const char *const names[] = { "vers=", "nfsvers=" };
	const char *p;
	size_t i;

	for (p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		for (i = 0; i < 2; i++)
			if (strncmp(p, names[i], strlen(names[i])) == 0)
				return p + strlen(names[i]);
	}
	return NULL;
}

/* As mount.nfs takes them; the version is the user's if he names one. */
static void
options_of(const struct mount_target *t, const char *version, char *to,
    size_t size)
{
	const char *own = t->options;
	const char *v = own == NULL ? NULL : wanted_version(own);
	bool v3 = *(v == NULL ? version : v) == '3';
	int n;

	n = snprintf(to, size, "%s%s%sproto=tcp,port=%u",
	    v == NULL ? "vers=" : "", v == NULL ? version : "",
	    v == NULL ? "," : "", (unsigned)t->port);
	if (v3 && n > 0 && (size_t)n < size)
		n += snprintf(to + n, size - (size_t)n,
		    ",mountport=%u,mountproto=tcp,nolock", (unsigned)t->port);
	if (n > 0 && (size_t)n < size)
		snprintf(to + n, size - (size_t)n, "%s%s%s",
		    t->sync ? ",sync" : "", own == NULL ? "" : ",",
		    own == NULL ? "" : own);
}

/* "[::1]:/x" */
static void
device_of(const struct mount_target *t, char *to, size_t size)
{
	bool v6 = strchr(t->host, ':') != NULL;

	snprintf(to, size, "%s%s%s:%s", v6 ? "[" : "", t->host, v6 ? "]" : "",
	    t->export);
}

static const char *
find_program(const char *name, char path[PATH_MAX])
{
	static const char *const dirs[] = { "/sbin", "/usr/sbin",
	    "/usr/local/sbin", "/bin", "/usr/bin", "/usr/local/bin" };
	size_t i;

	for (i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
		snprintf(path, PATH_MAX, "%s/%s", dirs[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* ------------------------------------------------------------------ a line */

/* In single quotes, if a shell would take it for anything but itself. */
static size_t
quote(const char *text, char *to, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO"
	    "PQRSTUVWXYZ0123456789_-+=:,./@%[]";
	size_t n = 0;

	if (strspn(text, plain) == strlen(text)) {
		snprintf(to, size, "%s", text);
		return strlen(to);
	}
	to[n++] = '\'';
	for (; *text != '\0' && n + 6 < size; text++) {
		if (*text == '\'') {
			memcpy(to + n, "'\\'", 3);
			n += 3;
		}
		to[n++] = *text;
	}
	to[n++] = '\'';
	to[n] = '\0';
	return n;
}

/*
 * Without nfs-common there is no mount.nfs to add the addresses: -i, and
 * they are in the line.
 */
static void
internal_options(const struct mount_target *t, const char *version, char *to,
    size_t size)
{
	size_t n;
	const char *own = t->options == NULL ? NULL :
	    wanted_version(t->options);

	options_of(t, version, to, size);
	n = strlen(to);
	if (*(own == NULL ? version : own) == '3')
		snprintf(to + n, size - n, ",addr=%s,mountaddr=%s", t->host,
		    t->host);
	else
		snprintf(to + n, size - n, ",addr=%s,clientaddr=%s", t->host,
		    strchr(t->host, ':') != NULL ? "::1" : "127.0.0.1");
}

void
mount_line(const struct mount_target *t, char *to, size_t size)
{
	char device[PATH_MAX + MOUNT_HOST], options[OPTIONS], path[PATH_MAX];
	char dir[2 * PATH_MAX], quoted[2 * PATH_MAX];
	bool helper = find_program("mount.nfs", path) != NULL;

	if (helper)
		options_of(t, versions[0], options, sizeof options);
	else
		internal_options(t, versions[0], options, sizeof options);
	device_of(t, device, sizeof device);
	quote(device, quoted, sizeof quoted);
	quote(t->dir, dir, sizeof dir);
	snprintf(to, size, "sudo mount %s-t nfs -o %s %s %s",
	    helper ? "" : "-i ", options, quoted, dir);
}

void
unmount_line(const char *dir, enum unmount_how how, char *to, size_t size)
{
	char quoted[2 * PATH_MAX];

	quote(dir, quoted, sizeof quoted);
	snprintf(to, size, "sudo umount %s%s", how == UNMOUNT ? "" :
	    how == UNMOUNT_LAZY ? "-l " : "-f -l ", quoted);
}

/* --------------------------------------------------------------- by a child */

/* What it does is an errno, which is its exit status. */
typedef int child_fn(const void *arg);

enum { INTERRUPTED = 250 };

/*
 * Do it in a child; INTERRUPTED: a signal came, and what it did is undone by
 * who knows what it was.  Signals are blocked here, and not there.
 */
static int
in_child(child_fn *fn, const void *arg)
{
	sigset_t ends, none;
	int status, fd, pidfd = -1;
	struct pollfd p[2];
	pid_t pid;

	sigemptyset(&none);
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	if ((pid = fork()) == -1)
		return errno;
	if (pid == 0) {
		(void)setpgid(0, 0);	/* Ctrl-C is ours to hand on */
		sigprocmask(SIG_SETMASK, &none, NULL);
		_exit(fn(arg));
	}
	fd = signalfd(-1, &ends, SFD_CLOEXEC);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	p[0] = (struct pollfd){ fd, POLLIN, 0 };
	p[1] = (struct pollfd){ pidfd, POLLIN, 0 };
	while (pidfd != -1 && poll(p, 2, -1) == -1 && errno == EINTR)
		;
	if (pidfd != -1 && p[1].revents == 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	close(fd);
	if (pidfd != -1)
		close(pidfd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : INTERRUPTED;
}

/* A program that says nothing; its exit status, or 127. */
static int
run_silently(const void *arg)
{
	char *const *argv = arg;
	int null = open("/dev/null", O_RDWR);

	if (null != -1) {
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)dup2(null, 2);
	}
	(void)execv(argv[0], argv);
	return 127;
}

static char *
word(const char *text)
{
	return (char *)(uintptr_t)text;		/* exec takes it so */
}

/* ----------------------------------------------------------------- mount(2) */

static const struct {
	const char	*word;
	unsigned long	 set, clear;
} flag_words[] = {
	{ "ro", MS_RDONLY, 0 }, { "rw", 0, MS_RDONLY },
	{ "sync", MS_SYNCHRONOUS, 0 }, { "async", 0, MS_SYNCHRONOUS },
	{ "nosuid", MS_NOSUID, 0 }, { "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 }, { "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 }, { "exec", 0, MS_NOEXEC },
	{ "noatime", MS_NOATIME, 0 }, { "atime", 0, MS_NOATIME },
	{ "nodiratime", MS_NODIRATIME, 0 }, { "relatime", MS_RELATIME, 0 },
	{ "strictatime", MS_STRICTATIME, 0 }, { "dirsync", MS_DIRSYNC, 0 },
	{ "defaults", 0, 0 }, { "_netdev", 0, 0 },
};

static bool
take_flag(const char *text, size_t len, unsigned long *flags)
{
	size_t i;

	for (i = 0; i < sizeof flag_words / sizeof flag_words[0]; i++) {
		if (strlen(flag_words[i].word) == len &&
		    memcmp(flag_words[i].word, text, len) == 0) {
			*flags &= ~flag_words[i].clear;
			*flags |= flag_words[i].set;
			return true;
		}
	}
	return false;
}

/* The words that are flags go to the flags. */
static unsigned long
split_flags(char *list)
{
	unsigned long flags = 0;
	char *from = list, *to = list;
	size_t n;

	while (*from != '\0') {
		n = strcspn(from, ",");
		if (!take_flag(from, n, &flags)) {
			if (to != list)
				*to++ = ',';
			memmove(to, from, n);
			to += n;
		}
		from += n;
		from += *from == ',';
	}
	*to = '\0';
	return flags;
}

struct attempt {
	const struct mount_target *target;
	const char	*version;
};

static int
by_syscall(const void *arg)
{
	const struct attempt *a = arg;
	char device[PATH_MAX + MOUNT_HOST], options[OPTIONS];
	unsigned long flags;

	device_of(a->target, device, sizeof device);
	internal_options(a->target, a->version, options, sizeof options);
	flags = split_flags(options);
	return mount(device, a->target->dir, "nfs", flags, options) == 0 ? 0 :
	    errno;
}

/* What a kernel says that does not have this version. */
static bool
is_no_version(int err)
{
	return err == EPROTONOSUPPORT || err == EPFNOSUPPORT ||
	    err == EINVAL;
}

static int
try_syscall(const struct mount_target *t, const char **version)
{
	struct attempt a = { .target = t };
	int err = 0;
	size_t i;

	for (i = 0; i < 2; i++) {
		*version = a.version = versions[i];
		err = in_child(by_syscall, &a);
		if (!is_no_version(err) || (t->options != NULL &&
		    wanted_version(t->options) != NULL))
			break;
	}
	return err;
}

static int
say_syscall(const struct mount_target *t, int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		log_error("root may not mount here: this is a container, or "
		    "has lost CAP_SYS_ADMIN\n"
		    "try: docker run --cap-add SYS_ADMIN, or serve here and "
		    "mount on the host: pinefs serve --port 2049");
		return EXIT_NOPERM;
	case ENODEV:
		log_error("this kernel has no NFS client\n"
		    "try: modprobe nfs, or install the kernel's modules "
		    "(linux-modules-extra on Ubuntu)");
		return EXIT_OSERR;
	case ENOENT:
	case ENOTDIR:
		log_error("%s: %s\ntry: mkdir %s", t->dir, strerror(err),
		    t->dir);
		return EXIT_NOINPUT;
	}
	log_error("mount of %s:%s on %s: %s\ntry: dmesg | tail, where the "
	    "kernel says more", t->host, t->export, t->dir, strerror(err));
	return EXIT_OSERR;
}

/* --------------------------------------------------------------------- sudo */

/* 0; ENOENT: there is no such program; EPERM: a password is wanted. */
static int
try_sudo(const struct mount_target *t, const char **version)
{
	char device[PATH_MAX + MOUNT_HOST], options[OPTIONS];
	char sudo[PATH_MAX], helper[PATH_MAX];
	char *argv[] = { sudo, word("-n"), helper, device, word(t->dir),
	    word("-o"), options, NULL };
	char *probe[] = { sudo, word("-n"), word("true"), NULL };
	size_t i;
	int err;

	if (find_program("sudo", sudo) == NULL ||
	    find_program("mount.nfs", helper) == NULL)
		return ENOENT;
	if ((err = in_child(run_silently, probe)) != 0)
		return err == INTERRUPTED ? err : EPERM;
	device_of(t, device, sizeof device);
	for (i = 0; i < 2; i++) {
		*version = versions[i];
		options_of(t, versions[i], options, sizeof options);
		err = in_child(run_silently, argv);
		if (err == 0 || err == INTERRUPTED)
			return err;
	}
	return EIO;
}

static void
say_by_hand(const struct mount_target *t, int err)
{
	char line[LINE];

	mount_line(t, line, sizeof line);
	log_info("only root may mount, and %s; it goes on as soon as it is "
	    "mounted\ntry: %s", err == ENOENT ?
	    "there is no sudo with mount.nfs" : err == EPERM ?
	    "sudo wants a password" : "sudo mount.nfs has failed", line);
}

static const char *
version_of(const struct mount_target *t, const char *version, char *to,
    size_t size)
{
	const char *own = t->options == NULL ? NULL :
	    wanted_version(t->options);

	if (own == NULL)
		return version;
	snprintf(to, size, "%.*s", (int)strcspn(own, ","), own);
	return to;
}

int
mount_it(const struct mount_target *t, enum mount_way *way)
{
	bool root = geteuid() == 0;
	const char *version = versions[0];
	char own[16];
	int err = root ? try_syscall(t, &version) : try_sudo(t, &version);

	if (err == INTERRUPTED) {
		(void)unmount_it(t->dir, UNMOUNT_LAZY);
		return EXIT_UNAVAILABLE;
	}
	if (err != 0 && root)
		return say_syscall(t, err);
	*way = err != 0 ? MOUNT_BY_HAND : root ? MOUNT_BY_SYSCALL :
	    MOUNT_BY_SUDO;
	if (err != 0)
		say_by_hand(t, err);
	else
		log_info("mounted on %s by %s, NFS %s", t->dir, root ?
		    "mount(2), as root" : "sudo mount.nfs, as you are not "
		    "root", version_of(t, version, own, sizeof own));
	return 0;
}

/* --------------------------------------------------------------- unmounting */

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

/* umount(8) says "target is busy." and no errno. */
static int
unmount_by_sudo(const char *dir, enum unmount_how how)
{
	char sudo[PATH_MAX], umount[PATH_MAX];
	char *probe[] = { sudo, word("-n"), word("true"), NULL };
	char *argv[] = { sudo, word("-n"), umount, word("-i"),
	    word(how == UNMOUNT ? "--" : "-l"), word(how == UNMOUNT_DEAD ?
	    "-f" : "--"), word(dir), NULL };

	if (how == UNMOUNT) {
		argv[5] = word(dir);
		argv[6] = NULL;
	}
	if (find_program("sudo", sudo) == NULL ||
	    find_program("umount", umount) == NULL ||
	    in_child(run_silently, probe) != 0)
		return EPERM;
	return in_child(run_silently, argv) == 0 ? 0 : EBUSY;
}

int
unmount_it(const char *dir, enum unmount_how how)
{
	struct unmounting u = { dir, how };
	int err;

	if (geteuid() != 0)
		return unmount_by_sudo(dir, how);
	err = in_child(unmount_syscall, &u);
	return err == INTERRUPTED ? EBUSY : err;
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
	int waited, err = EBUSY;

	for (waited = 0; waited <= PATIENCE_MS; waited += AGAIN_MS) {
		err = unmount_it(dir, how);
		if (err != EBUSY)
			break;
		(void)poll(NULL, 0, AGAIN_MS);
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
	pid_t stand_in = server_stand_in(addr, port);
	int err = unmount_it(dir, UNMOUNT_DEAD);

	server_stand_down(stand_in);
	return err;
}
