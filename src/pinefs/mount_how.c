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
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/log.h"
#include "pinefs/mount.h"
#include "server/cli.h"

enum { OPTIONS = 2048, LINE = OPTIONS + 4 * PATH_MAX };

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

/* ------------------------------------------------------------------ a line */

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
	bool helper = mount_program("mount.nfs", path) != NULL;

	if (helper)
		options_of(t, versions[0], options, sizeof options);
	else
		internal_options(t, versions[0], options, sizeof options);
	device_of(t, device, sizeof device);
	mount_quote(device, quoted, sizeof quoted);
	mount_quote(t->dir, dir, sizeof dir);
	snprintf(to, size, "sudo mount %s-t nfs -o %s %s %s",
	    helper ? "" : "-i ", options, quoted, dir);
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
		err = mount_child(by_syscall, &a, NULL);
		if (!is_no_version(err) || (t->options != NULL &&
		    wanted_version(t->options) != NULL))
			break;
	}
	return err;
}

static int
say_server(const struct mount_target *t, int err)
{
	switch (err) {
	case ECONNREFUSED:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		log_error("nobody serves NFS on port %u of %s: %s\n"
		    "try: nfs://HOST:PORT/PATH, of a server that runs",
		    (unsigned)t->port, t->host, strerror(err));
		return EXIT_UNAVAILABLE;
	case ENOENT:
		log_error("%s has no %s\ntry: another path; / is there with "
		    "NFS 4", t->host, t->export);
		return EXIT_NOINPUT;
	case EACCES:
		log_error("%s lets nobody mount %s from here\ntry: its list "
		    "of who may, exports(5) or --allow", t->host, t->export);
		return EXIT_NOPERM;
	}
	log_error("mount of %s:%s on %s: %s\ntry: dmesg | tail, where the "
	    "kernel says more", t->host, t->export, t->dir, strerror(err));
	return EXIT_OSERR;
}

static int
say_syscall(const struct mount_target *t, int err)
{
	if (err == EPERM) {
		log_error("root may not mount here: this is a container, or "
		    "has lost CAP_SYS_ADMIN\n"
		    "try: docker run --cap-add SYS_ADMIN, or serve here and "
		    "mount on the host: pinefs serve --port 2049");
		return EXIT_NOPERM;
	}
	if (err == ENODEV) {
		log_error("this kernel has no NFS client\n"
		    "try: modprobe nfs, or install the kernel's modules "
		    "(linux-modules-extra on Ubuntu)");
		return EXIT_OSERR;
	}
	return say_server(t, err);
}

/* --------------------------------------------------------------------- sudo */

/* mount.nfs is root's, and tries for two minutes: who is interrupted could
 * not end it. */
static void
once(char *options, size_t size)
{
	size_t n = strlen(options);

	if (strstr(options, "retry=") == NULL)
		snprintf(options + n, size - n, ",retry=0");
}

/* 0; ENOENT: there is no such program; EPERM: a password is wanted. */
static int
try_sudo(const struct mount_target *t, const char **version)
{
	char device[PATH_MAX + MOUNT_HOST], options[OPTIONS];
	char sudo[PATH_MAX], helper[PATH_MAX];
	const char *const argv[] = { sudo, "-n", helper, device, t->dir,
	    "-o", options, NULL };
	int status = 0;
	size_t i;

	if (mount_program("sudo", sudo) == NULL ||
	    mount_program("mount.nfs", helper) == NULL)
		return ENOENT;
	device_of(t, device, sizeof device);
	for (i = 0; i < 2; i++) {
		*version = versions[i];
		options_of(t, versions[i], options, sizeof options);
		once(options, sizeof options);
		status = mount_child(mount_run, argv, NULL);
		if (status != MOUNT_FAILED)
			break;
	}
	return status == 0 || status == MOUNT_INTERRUPTED ? status :
	    status == MOUNT_FAILED ? EIO : EPERM;
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

/* It may just have been mounted; what was there before us is not ours. */
static void
undo(const struct mount_target *t)
{
	struct mount_entry m;

	mount_signals_heeded();
	if (mounts_place(t->dir, t->host, t->port, &m) == MOUNTS_TOP)
		(void)unmount_it(t->dir, UNMOUNT_LAZY, NULL);
}

int
mount_it(const struct mount_target *t, enum mount_way *way)
{
	bool root = geteuid() == 0;
	const char *version = versions[0];
	char own[16];
	int err = root ? try_syscall(t, &version) : try_sudo(t, &version);

	if (err == MOUNT_INTERRUPTED) {
		undo(t);
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
