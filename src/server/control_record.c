/* A server's record in the run directory.  See control.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/server.h"
#include "server/control_in.h"
#include "server/rundir.h"

enum { EXPORTS_SHOWN = 64 };

/* ------------------------------------------------------------- the text -- */

static void
put_exports(const struct pinefs_server *s, struct json *j)
{
	const struct vfs_export *x;
	unsigned n = 0;

	json_list(j, "exports");
	for (x = s->exports.first; x != NULL && n < EXPORTS_SHOWN;
	    x = x->next, n++)
		json_string(j, NULL, x->path);
	json_list_end(j);
}

static void
put_fields(struct control *c, struct json *j)
{
	const struct pinefs_server *s = c->server;
	char id[RUNDIR_NAME];
	unsigned i;

	json_string(j, "type", "server");
	rundir_name(id, getpid(), "");
	json_string(j, "id", id);
	json_uint(j, "pid", (uint64_t)getpid());
	json_string(j, "version", PINEFS_VERSION);
	json_string(j, "what", s->opt.what != NULL ? s->opt.what :
	    s->opt.instance != NULL ? s->opt.instance : "pinefs");
	json_string(j, "addr", s->opt.naddr > 0 ? s->opt.addr[0] :
	    "127.0.0.1");
	json_uint(j, "port", rpc_server_port(s->rpc));
	json_uint(j, "mount_port", rpc_server_second_port(s->rpc));
	put_exports(s, j);
	json_uint(j, "started", (uint64_t)c->started);
	json_uint(j, "uid", c->uid);
	json_list(j, "mounts");
	for (i = 0; i < c->nmounts; i++)
		json_string(j, NULL, c->mounts[i]);
	json_list_end(j);
	json_string(j, "source", c->source == NULL ? "" : c->source);
}

void
record_put(struct control *c, struct json *j)
{
	pthread_mutex_lock(&c->lock);
	put_fields(c, j);
	pthread_mutex_unlock(&c->lock);
}

/* ------------------------------------------------------------- the file -- */

static int
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if ((n = write(fd, text, len)) == -1 && errno != EINTR)
			return errno;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Whoever reads it meanwhile sees the old one or the new one. */
static int
replace(struct control *c, const char *text, size_t len)
{
	char new[RUNDIR_NAME], name[RUNDIR_NAME];
	int dir = c->dir, fd, err;

	rundir_name(new, getpid(), ".new");
	rundir_name(name, getpid(), ".json");
	fds_begin();
	fd = fds_end(&c->fds, openat(dir, new, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC | O_NOFOLLOW, 0600));
	if (fd == -1)
		return errno;
	err = write_all(fd, text, len);
	fds_close(&c->fds, fd);
	if (err == 0 && renameat(dir, new, dir, name) == -1)
		err = errno;
	if (err != 0)
		(void)unlinkat(dir, new, 0);
	return err;
}

int
record_write(struct control *c)
{
	struct json j = { 0 };
	int err;

	pthread_mutex_lock(&c->lock);
	json_begin(&j);
	put_fields(c, &j);
	json_end(&j);
	err = j.bad ? ENOMEM : replace(c, j.text, j.len);
	pthread_mutex_unlock(&c->lock);
	json_free(&j);
	return err;
}

/* systemd-tmpfiles leaves alone what is locked. */
static void
keep_from_cleaning(int dir)
{
	(void)flock(dir, LOCK_SH | LOCK_NB);
}

int
record_open(struct control *c)
{
	char path[PATH_MAX];
	int err = rundir_open(true, &c->fds, &c->dir);

	if (err == 0) {
		keep_from_cleaning(c->dir);
		return 0;
	}
	if (rundir_path(path) != 0)
		strcpy(path, "XDG_RUNTIME_DIR");
	log_warning("%s cannot be used: %s; pinefs ls, stat, top and stop "
	    "will not find this server (set XDG_RUNTIME_DIR)", path,
	    err == EPERM ? "it is not yours alone" : strerror(err));
	return err;
}

bool
record_moved(struct control *c)
{
	struct stat now, was;
	char name[RUNDIR_NAME];
	int dir, err;

	if (rundir_open(true, &c->fds, &dir) != 0)
		return false;
	rundir_name(name, getpid(), ".sock");
	err = fstat(dir, &now) == -1 || fstat(c->dir, &was) == -1 ||
	    now.st_ino != was.st_ino || now.st_dev != was.st_dev ||
	    faccessat(dir, name, F_OK, 0) == -1;
	if (err != 0) {
		/* The old one, if it is still somewhere, is cleaned first. */
		if (c->bound)
			record_remove(c);
		c->bound = false;
		pthread_mutex_lock(&c->lock);
		fds_close(&c->fds, c->dir);
		c->dir = dir;
		keep_from_cleaning(dir);
		pthread_mutex_unlock(&c->lock);
	} else {
		fds_close(&c->fds, dir);
	}
	return err != 0;
}

void
record_remove(struct control *c)
{
	char name[RUNDIR_NAME];

	rundir_name(name, getpid(), ".json");
	(void)unlinkat(c->dir, name, 0);
	rundir_name(name, getpid(), ".sock");
	(void)unlinkat(c->dir, name, 0);
}
