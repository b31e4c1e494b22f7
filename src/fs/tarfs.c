/*
 * Which archives may be served, and which are.  A client names an archive by
 * the path it mounts: one that begins with an allowed directory is taken so,
 * any other below each of them in turn.  The rest of the path, behind the
 * archive, lies in it.
 *
 * Nothing that a path, or a link on its way, says leads out of the allowed
 * directories: that is the kernel's to see to (openat2, RESOLVE_BENEATH).
 */
#include "tarfs.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tar/archive.h"

enum { ROOTS_MAX = 64, WORKERS = 2, PATH_LONGEST = 4096,
    BLOCK_CACHE = 256 << 20 };

struct root {
	char	*path;		/* absolute; without a slash at its end */
	int	 fd;
};

struct tarfs {
	struct tar_host		 host;
	struct mem_space	 space;		/* of overlays */
	struct root		 root[ROOTS_MAX];
	unsigned		 nroots;
	pthread_mutex_t		 lock;		/* the list */
	struct tar_archive	*first;
};

/* ---------------------------------------------------------------- opening -- */

/*
 * The kernel walks the path, below `dir` all the way.  One too old for that
 * gets a single component, and no link.
 */
static int
open_below(int dir, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);

	if (fd == -1 && errno == ENOSYS && strchr(path, '/') == NULL)
		fd = openat(dir, path, (int)how.flags | O_NOFOLLOW);
	return (int)fd;
}

/*
 * The regular file that `path`, or as much of it as there is, names below
 * `dir`; *used bytes of it do.  -1 with errno.
 */
static int
open_prefix(int dir, const char *path, size_t *used)
{
	char text[PATH_LONGEST];
	size_t len = strlen(path), n = 0;
	struct stat st;
	int fd;

	if (len >= sizeof text) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(text, path, len + 1);
	while (n < len) {
		n += 1 + strcspn(text + n + 1, "/");
		text[n] = '\0';
		if ((fd = open_below(dir, text)) == -1)
			return -1;
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
			*used = n;
			return fd;
		}
		close(fd);
		if (!S_ISDIR(st.st_mode))
			break;
		text[n] = path[n];
	}
	errno = len == 0 || n == len ? EISDIR : EINVAL;
	return -1;
}

static struct tar_archive *
find(struct tarfs *t, const struct stat *st)
{
	struct tar_archive *ar;

	for (ar = t->first; ar != NULL; ar = ar->next)
		if (ar->dev == st->st_dev && ar->ino == st->st_ino)
			break;
	return ar;
}

/* One archive is one file system, however often it is named.  Takes `fd`. */
static int
serve(struct tarfs *t, int fd, const char *path, struct tar_archive **to)
{
	struct stat st;
	int err = 0;

	if (fstat(fd, &st) == -1) {
		err = errno;
		close(fd);
		return err;
	}
	pthread_mutex_lock(&t->lock);
	*to = find(t, &st);
	pthread_mutex_unlock(&t->lock);
	if (*to != NULL) {
		close(fd);
		return 0;
	}
	err = tar_archive_open(to, fd, path, &t->host);
	if (err == 0) {
		pthread_mutex_lock(&t->lock);
		(*to)->next = t->first;
		t->first = *to;
		pthread_mutex_unlock(&t->lock);
	}
	return err;
}

/* --------------------------------------------------------------- mounting -- */

/* What of `path` lies below that directory, or NULL. */
static const char *
below(const struct root *root, const char *path)
{
	size_t n = strlen(root->path);

	if (strncmp(path, root->path, n) != 0 || path[n] != '/')
		return NULL;
	return path + n;
}

/* Is it a directory on the way to a root, or that itself? */
static bool
is_above(const char *path, const struct root *root)
{
	size_t n = strlen(path);

	while (n > 0 && path[n - 1] == '/')
		n--;
	return n > 0 && strncmp(path, root->path, n) == 0 &&
	    (root->path[n] == '/' || root->path[n] == '\0');
}

/* `rest` is a part of m->path. */
static int
mount_below(struct tarfs *t, const struct root *root, const char *rest,
    struct pinefs_mount *m)
{
	struct tar_archive *ar;
	size_t used;
	char *path;
	int fd, err;

	rest += strspn(rest, "/");
	if (*rest == '\0')
		return ENOENT;
	if ((fd = open_prefix(root->fd, rest, &used)) == -1)
		return errno;
	if (asprintf(&path, "%s/%.*s", root->path, (int)used, rest) == -1) {
		close(fd);
		return ENOMEM;
	}
	if ((err = serve(t, fd, path, &ar)) == 0) {
		m->fs = ar->fs;
		m->name = ar->path;
		m->used = (size_t)(rest - m->path) + used;
	}
	free(path);
	return err;
}

int
tarfs_mount(void *arg, struct pinefs_mount *m)
{
	struct tarfs *t = arg;
	const char *rest;
	int err = ENOENT, one;
	unsigned i;

	for (i = 0; i < t->nroots; i++)
		if (is_above(m->path, &t->root[i]))
			return EISDIR;
	for (i = 0; i < t->nroots; i++)
		if ((rest = below(&t->root[i], m->path)) != NULL &&
		    (err = mount_below(t, &t->root[i], rest, m)) == 0)
			return 0;
	for (i = 0; i < t->nroots; i++) {
		one = mount_below(t, &t->root[i], m->path, m);
		if (one == 0)
			return 0;
		/* What there is says more than what is not. */
		if (err == ENOENT || err == EISDIR)
			err = one == ENOENT ? err : one;
	}
	return err;
}

int
tarfs_open(struct tarfs *t, const char *path, struct pinefs **fs)
{
	char *whole = realpath(path, NULL);
	struct tar_archive *ar;
	struct stat st;
	int fd, err;

	fd = whole == NULL ? -1 : open(whole, O_RDONLY | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK);
	err = fd == -1 || fstat(fd, &st) == -1 ? errno :
	    S_ISREG(st.st_mode) ? 0 : S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	if (err != 0) {
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: %s", path,
		    err == EINVAL ? "not a regular file" : strerror(err));
		if (fd != -1)
			close(fd);
	} else if ((err = serve(t, fd, whole, &ar)) == 0) {
		*fs = ar->fs;
	}
	free(whole);
	return err;
}

/* --------------------------------------------------------- begin and end -- */

/* Every directory on the way.  0 or -1 with errno. */
static int
make_dirs(char *path)
{
	char *p;

	if (*path == '\0') {
		errno = ENOENT;
		return -1;
	}
	for (p = path + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST &&
		    errno != EROFS && errno != EACCES)
			return -1;
	}
	return mkdir(path, 0700) == -1 && errno != EEXIST ? -1 : 0;
}

/* Where to keep what is decoded; NULL, and a line: in memory, then. */
static char *
cache_dir(const char *given)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *dir;
	int n;

	if (given != NULL)
		n = asprintf(&dir, "%s", given);
	else if (xdg != NULL && xdg[0] == '/')
		n = asprintf(&dir, "%s/pinefs", xdg);
	else if (geteuid() != 0 && home != NULL && home[0] == '/')
		n = asprintf(&dir, "%s/.cache/pinefs", home);
	else
		n = asprintf(&dir, "/var/cache/pinefs");
	if (n == -1)
		return NULL;
	if (make_dirs(dir) == 0 && access(dir, W_OK | X_OK) == 0)
		return dir;
	pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: %s: compressed archives "
	    "are kept in memory; --cache-dir names another place", dir,
	    strerror(errno));
	free(dir);
	return NULL;
}

static void
tick(void *arg)
{
	struct tarfs *t = arg;
	struct tar_archive *ar;

	/* Archives are added in front, and none goes while it is served. */
	pthread_mutex_lock(&t->lock);
	ar = t->first;
	pthread_mutex_unlock(&t->lock);
	for (; ar != NULL; ar = ar->next)
		tar_archive_tick(ar);
}

static uint64_t
quarter_of_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	if (pages <= 0 || size <= 0)
		return UINT64_C(1) << 28;
	return (uint64_t)pages * (uint64_t)size / 4;
}

struct tarfs *
tarfs_new(const struct tarfs_config *config)
{
	struct tarfs *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->host.config = *config;
	t->host.dir = cache_dir(config->cache_dir);
	t->space.limit = config->overlay_size != 0 ? config->overlay_size :
	    quarter_of_memory();
	t->host.space = &t->space;
	pthread_mutex_init(&t->lock, NULL);
	t->host.blocks = tar_blocks_new(config->block_cache != 0 ?
	    config->block_cache : BLOCK_CACHE);
	if (t->host.blocks == NULL ||
	    (t->host.pool = tar_pool_new(WORKERS, tick, t)) == NULL) {
		tarfs_free(t);
		errno = ENOMEM;
		return NULL;
	}
	return t;
}

int
tarfs_add_root(struct tarfs *t, const char *dir)
{
	struct root *r = &t->root[t->nroots];
	size_t n;

	if (t->nroots == ROOTS_MAX)
		return ENOSPC;
	if ((r->fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return errno;
	if ((r->path = realpath(dir, NULL)) == NULL) {
		close(r->fd);
		return errno;
	}
	n = strlen(r->path);
	if (n > 0 && r->path[n - 1] == '/')	/* that is "/" */
		r->path[n - 1] = '\0';
	t->nroots++;
	return 0;
}

void
tarfs_free(struct tarfs *t)
{
	struct tar_archive *ar;

	if (t == NULL)
		return;
	atomic_store(&t->host.stop, true);
	tar_pool_free(t->host.pool);
	while ((ar = t->first) != NULL) {
		t->first = ar->next;
		tar_archive_free(ar);
	}
	tar_blocks_free(t->host.blocks);
	free(t->host.dir);
	while (t->nroots > 0) {
		close(t->root[--t->nroots].fd);
		free(t->root[t->nroots].path);
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
}
