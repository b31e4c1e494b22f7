/* What of this machine is looked at.  See checks.h. */
#include "pinefs/checks.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "pinefs/py.h"
#include "rpc/peer.h"
#include "rpc/server.h"
#include "server/rundir.h"
#include "server/state.h"

enum { CAP_SYS_ADMIN_BIT = 21 };

#define FOUND(c, ...) snprintf((c)->found, sizeof (c)->found, __VA_ARGS__)
#define ADVISE(c, ...) snprintf((c)->advice, sizeof (c)->advice, __VA_ARGS__)

/* A line of `file` that begins so, without that; false: there is none. */
static bool
find_line(const char *file, const char *begin, char *to, size_t size)
{
	FILE *f = fopen(file, "re");
	bool found = false;
	char line[512];

	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof line, f) != NULL) {
		found = strncmp(line, begin, strlen(begin)) == 0;
		if (found)
			snprintf(to, size, "%s", line + strlen(begin));
	}
	fclose(f);
	return found;
}

/* Is it in a directory of PATH, or of root's? */
static bool
find_program(const char *name, char *to, size_t size)
{
	const char *path = getenv("PATH"), *end;
	char all[4096];

	snprintf(all, sizeof all, "%s:/usr/sbin:/sbin", path == NULL ?
	    "/usr/bin:/bin" : path);
	for (path = all; ; path = end + 1) {
		end = strchrnul(path, ':');
		snprintf(to, size, "%.*s/%s", (int)(end - path), path, name);
		if (access(to, X_OK) == 0)
			return true;
		if (*end == '\0')
			return false;
	}
}

/* ------------------------------------------------------------- mounting -- */

static bool
has_module(void)
{
	struct utsname u;
	bool found = false;
	char pattern[256];
	glob_t g;

	if (uname(&u) == -1)
		return false;
	snprintf(pattern, sizeof pattern,
	    "/lib/modules/%s/kernel/fs/nfs/nfs.ko*", u.release);
	if (glob(pattern, GLOB_NOSORT, NULL, &g) == 0) {
		found = g.gl_pathc > 0;
		globfree(&g);
	}
	return found;
}

void
check_nfs_client(struct check *c)
{
	char rest[8];

	if (find_line("/proc/filesystems", "nodev\tnfs\n", rest,
	    sizeof rest) || find_line("/proc/filesystems", "nodev\tnfs4\n",
	    rest, sizeof rest)) {
		FOUND(c, "this kernel has an NFS client");
	} else if (has_module()) {
		FOUND(c, "this kernel has an NFS client as a module");
	} else {
		c->status = CHECK_MISSING;
		FOUND(c, "this kernel has no NFS client");
		ADVISE(c, "modprobe nfs, install the kernel's extra modules, "
		    "or mount from another machine");
	}
}

static bool
has_sys_admin(void)
{
	char text[64];

	return find_line("/proc/self/status", "CapEff:", text, sizeof text) &&
	    (strtoull(text, NULL, 16) >> CAP_SYS_ADMIN_BIT & 1) != 0;
}

void
check_mount_rights(struct check *c)
{
	char path[PATH_MAX];

	if (has_sys_admin()) {
		FOUND(c, "this process may mount (CAP_SYS_ADMIN)");
		return;
	}
	c->status = CHECK_MISSING;
	if (geteuid() == 0) {
		FOUND(c, "root without CAP_SYS_ADMIN, as in a container");
		ADVISE(c, "start the container with --cap-add SYS_ADMIN, or "
		    "mount on its host");
	} else if (find_program("sudo", path, sizeof path)) {
		c->status = CHECK_NOTE;
		FOUND(c, "an ordinary user may not mount; there is %s", path);
		ADVISE(c, "mount with the sudo line that pinefs prints");
	} else {
		FOUND(c, "an ordinary user may not mount, and there is no "
		    "sudo");
		ADVISE(c, "mount as root with the line that pinefs prints");
	}
}

void
check_mount_helper(struct check *c)
{
	char path[PATH_MAX];

	if (find_program("mount.nfs", path, sizeof path)) {
		FOUND(c, "%s", path);
		return;
	}
	c->status = CHECK_NOTE;
	FOUND(c, "there is no mount.nfs");
	ADVISE(c, "apt-get install nfs-common, for mount -t nfs");
}

/* ---------------------------------------------------------------- python -- */

static void
say_no_python(struct check *c, const struct py_found *f)
{
	c->status = CHECK_MISSING;
	if (f->python == NULL) {
		FOUND(c, "there is no python3 on PATH");
		ADVISE(c, "apt-get install python3, or PINEFS_PYTHON=FILE");
	} else if (!f->works) {
		FOUND(c, "%s%s does not run, or is older than 3.8", f->given ?
		    "PINEFS_PYTHON=" : "", f->python);
		ADVISE(c, "PINEFS_PYTHON=/usr/bin/python3");
	} else if (f->package == NULL) {
		FOUND(c, "the Python package is not beside this program");
		ADVISE(c, "build with python3-dev installed, or install "
		    "pinefs");
	} else {
		FOUND(c, "the module in %s does not load in %s", f->package,
		    f->python);
		ADVISE(c, "PINEFS_PYTHON=/usr/bin/python3");
	}
}

void
check_python(struct check *c)
{
	struct py_found f;

	if (py_look(&f))
		FOUND(c, "%s%s loads the module in %s", f.given ?
		    "PINEFS_PYTHON=" : "", f.python, f.package);
	else
		say_no_python(c, &f);
	free(f.python);
	free(f.package);
}

/* --------------------------------------------------------------- network -- */

static bool
connects(const struct sockaddr *sa, socklen_t len)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd != -1 && connect(fd, sa, len) == 0;

	if (fd != -1)
		close(fd);
	return ok;
}

void
check_portmapper(struct check *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
	    .sun_path = "/run/rpcbind.sock" };
	struct sockaddr_storage ss;
	socklen_t len;

	if (connects((struct sockaddr *)&sun, sizeof sun) ||
	    (peer_parse("127.0.0.1", 111, &ss, &len) == 0 &&
	    connects((struct sockaddr *)&ss, len))) {
		FOUND(c, "there is one");
		return;
	}
	c->status = CHECK_NOTE;
	FOUND(c, "there is none");
	ADVISE(c, "not needed: give port= and mountport= when mounting");
}

void
check_port(struct check *c, uint16_t port, const char *option)
{
	char who[128];

	if (!server_port_holder(port, who, sizeof who)) {
		FOUND(c, "port %u is free", port);
		return;
	}
	c->status = CHECK_NOTE;
	FOUND(c, "port %u is in use%s", port, who);
	ADVISE(c, "pinefs %s 0, or stop what holds it", option);
}

/* ---------------------------------------------------------------- kernel -- */

void
check_fuse(struct check *c)
{
	char path[PATH_MAX];

	if (access("/dev/fuse", F_OK) != 0)
		FOUND(c, "there is no /dev/fuse; nothing here wants it");
	else if (find_program("fusermount3", path, sizeof path))
		FOUND(c, "/dev/fuse and %s; nothing here wants them", path);
	else
		FOUND(c, "/dev/fuse, but no fusermount3; nothing here wants "
		    "them");
}

void
check_io_uring(struct check *c)
{
	uint64_t params[16] = { 0 };	/* struct io_uring_params: 120 bytes */
	long fd = syscall(SYS_io_uring_setup, 1u, params);

	if (fd != -1) {
		close((int)fd);
		FOUND(c, "this kernel has it; nothing here wants it, epoll is "
		    "used");
	} else {
		FOUND(c, "refused (%s); nothing here wants it, epoll is used",
		    strerror(errno));
	}
}

/* ----------------------------------------------------------- directories -- */

/* Can it be written, or be made? */
static bool
is_usable(const char *dir)
{
	char path[PATH_MAX], *slash;

	snprintf(path, sizeof path, "%s", dir);
	while (access(path, F_OK) != 0 && errno == ENOENT &&
	    (slash = strrchr(path, '/')) != NULL && slash > path)
		*slash = '\0';
	return access(path, W_OK | X_OK) == 0;
}

void
check_state_dir(struct check *c)
{
	char *dir = state_default_path("INSTANCE");

	if (dir != NULL && is_usable(dir)) {
		FOUND(c, "%s", dir);
	} else {
		c->status = CHECK_MISSING;
		FOUND(c, "%s cannot be written", dir == NULL ? "(none)" :
		    dir);
		ADVISE(c, "pinefs --state-dir DIR; without, mounts do not "
		    "survive a restart");
	}
	free(dir);
}

void
check_run_dir(struct check *c)
{
	char path[PATH_MAX];
	int err = rundir_path(path), fd;

	if (err == 0 && (err = rundir_open(false, NULL, &fd)) == 0)
		close(fd);
	if (err == 0 || (err == ENOENT && is_usable(path))) {
		FOUND(c, "%s", path);
		return;
	}
	c->status = CHECK_MISSING;
	FOUND(c, "%s cannot be used: %s", path, err == EPERM ?
	    "it is not yours alone" : strerror(err));
	ADVISE(c, "set XDG_RUNTIME_DIR; without, pinefs ls, stat, top and "
	    "stop find no server");
}
