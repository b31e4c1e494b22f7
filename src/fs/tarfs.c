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
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tar/archive.h"
#include "tar/below.h"

enum { ROOTS_MAX = 64, WORKERS = 2, PATH_LONGEST = 4096,
    BLOCK_CACHE = 256 << 20, BUCKETS = 1 << 14, OPEN_MOST = 512 };
#define CACHE_MAX	(UINT64_C(8) << 30)

struct root {
	char	*path;		/* absolute; without a slash at its end */
	int	 fd;
};

/* A name that is being opened for the first time. */
struct opening {
	struct opening	*next;
	const char	*name;
};

struct tarfs {
	struct tar_host		 host;
	struct mem_space	 space;		/* of overlays */
	struct root		 root[ROOTS_MAX];
	unsigned		 nroots;
	pthread_mutex_t		 lock;		/* of the next: */
	pthread_cond_t		 opened;
	struct opening		*opening;
	struct tar_archive	*bucket[BUCKETS];	/* by name */
};

/* ---------------------------------------------------------------- opening -- */

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
		if ((fd = tar_open_below(dir, text)) == -1)
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

static struct tar_archive **
bucket_of(struct tarfs *t, const char *name)
{
	static const uint8_t fixed[16] = "archives";

	return &t->bucket[pinefs_hash(fixed, name, strlen(name)) % BUCKETS];
}

static struct tar_archive *
find(struct tarfs *t, const char *name)
{
	struct tar_archive *ar = *bucket_of(t, name);

	while (ar != NULL && strcmp(ar->path, name) != 0)
		ar = ar->next;
	return ar;
}

static bool
is_opening(const struct tarfs *t, const char *name)
{
	const struct opening *o;

	for (o = t->opening; o != NULL; o = o->next)
		if (strcmp(o->name, name) == 0)
			return true;
	return false;
}

static void
forget_opening(struct tarfs *t, const struct opening *o)
{
	struct opening **p = &t->opening;

	while (*p != o)
		p = &(*p)->next;
	*p = o->next;
	pthread_cond_broadcast(&t->opened);
}

/* With the lock, which is not held meanwhile: one that is new. */
static int
open_new(struct tarfs *t, const char *name, const struct root *root,
    struct tar_archive **to)
{
	struct opening o = { t->opening, name };
	struct tar_archive *ar, **p = bucket_of(t, name);
	int err = ENOMEM;

	t->opening = &o;
	pthread_mutex_unlock(&t->lock);
	ar = tar_archive_new(name, root == NULL ? -1 : root->fd,
	    root == NULL ? name : name + strlen(root->path) + 1, &t->host);
	if (ar != NULL && (err = tar_archive_serve(ar)) != 0) {
		tar_archive_free(ar);
		ar = NULL;
	}
	pthread_mutex_lock(&t->lock);
	forget_opening(t, &o);
	if (ar != NULL) {
		ar->next = *p;
		*p = ar;
		*to = ar;
	}
	return err;
}

static struct tar_archive *
find_locked(struct tarfs *t, const char *name)
{
	struct tar_archive *ar;

	pthread_mutex_lock(&t->lock);
	ar = find(t, name);
	pthread_mutex_unlock(&t->lock);
	return ar;
}

/* The one of that name, and whoever comes first makes it. */
static int
serve_name(struct tarfs *t, const char *name, const struct root *root,
    struct tar_archive **to)
{
	int err;

	pthread_mutex_lock(&t->lock);
	while (is_opening(t, name))
		pthread_cond_wait(&t->opened, &t->lock);
	if ((*to = find(t, name)) == NULL) {
		err = open_new(t, name, root, to);
		pthread_mutex_unlock(&t->lock);
	} else {
		pthread_mutex_unlock(&t->lock);
		err = tar_archive_serve(*to);
	}
	return err;
}

/* Is that root the way to this name? */
static bool
is_below(const struct root *root, const char *name)
{
	size_t n = strlen(root->path);

	return strncmp(name, root->path, n) == 0 && name[n] == '/';
}

/*
 * One archive is one file system, however it is named: by the path that the
 * kernel says, or the name it had before.  `root`: below which it was found,
 * or NULL.  Takes `fd`.
 */
static int
serve(struct tarfs *t, int fd, const struct root *root,
    struct tar_archive **to)
{
	char *path = tar_path_of(fd), *name = NULL;
	struct stat st;
	int err;

	err = path == NULL || fstat(fd, &st) == -1 ? errno : 0;
	close(fd);
	if (err == 0 && (name = tar_known_name(t->host.known, &st, path)) ==
	    NULL)
		err = ENOMEM;
	/* The name of before may be below another root, or none now. */
	if (err == 0 && root != NULL && !is_below(root, name) &&
	    find_locked(t, name) == NULL) {
		free(name);
		name = strdup(path);
		err = name == NULL ? ENOMEM : !is_below(root, name) ? ENOENT :
		    0;
	}
	if (err == 0)
		err = serve_name(t, name, root, to);
	free(path);
	free(name);
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
	int fd, err;

	rest += strspn(rest, "/");
	if (*rest == '\0')
		return ENOENT;
	if ((fd = open_prefix(root->fd, rest, &used)) == -1)
		return errno;
	if ((err = serve(t, fd, root, &ar)) == 0) {
		m->fs = ar->fs;
		m->name = ar->path;
		m->used = (size_t)(rest - m->path) + used;
	}
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
	} else if ((err = serve(t, fd, NULL, &ar)) == 0) {
		*fs = ar->fs;
	}
	free(whole);
	return err;
}

/* --------------------------------------------------------- begin and end -- */

static void
tick(void *arg)
{
	tar_archive_tick(&((struct tarfs *)arg)->host);
}

static uint64_t
quarter_of_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages <= 0 || size <= 0 ? (uint64_t)1 << 30 :
	    (uint64_t)pages * (uint64_t)size / 4;
}

/* How many archives may be at hand, at two descriptors each: most are left
 * to others. */
static unsigned
open_most(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur / 8 > OPEN_MOST)
		return OPEN_MOST;
	return limit.rlim_cur < 8 ? 1 : (unsigned)(limit.rlim_cur / 8);
}

static int
init_host(struct tar_host *host, const struct tarfs_config *config)
{
	host->config = *config;
	if (config->cache_max == 0)
		host->config.cache_max = CACHE_MAX;
	/* Members of a zip lie in whole blocks. */
	host->shape = TAR_BLOCK_SIZE + (tar_codecs() << 1 |
	    config->ignore_zeros);
	host->index_most = host->stores.most = quarter_of_memory();
	host->open_most = open_most();
	pthread_mutex_init(&host->open_lock, NULL);
	host->cache = tar_cache_new(config->cache_dir,
	    host->config.cache_max);
	host->known = tar_known_new(config->state_dir);
	host->blocks = tar_blocks_new(config->block_cache != 0 ?
	    config->block_cache : BLOCK_CACHE);
	return host->cache == NULL || host->known == NULL ||
	    host->blocks == NULL ? ENOMEM : 0;
}

struct tarfs *
tarfs_new(const struct tarfs_config *config)
{
	struct tarfs *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->opened, NULL);
	t->space.limit = config->overlay_size != 0 ? config->overlay_size :
	    quarter_of_memory();
	t->host.space = &t->space;
	if (init_host(&t->host, config) != 0 ||
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

static void
free_archives(struct tarfs *t)
{
	struct tar_archive *ar;
	unsigned i;

	for (i = 0; i < BUCKETS; i++)
		while ((ar = t->bucket[i]) != NULL) {
			t->bucket[i] = ar->next;
			tar_archive_free(ar);
		}
}

void
tarfs_free(struct tarfs *t)
{
	if (t == NULL)
		return;
	atomic_store(&t->host.stop, true);
	tar_pool_free(t->host.pool);
	free_archives(t);
	tar_blocks_free(t->host.blocks);
	tar_cache_free(t->host.cache);
	tar_known_free(t->host.known);
	pthread_mutex_destroy(&t->host.open_lock);
	while (t->nroots > 0) {
		close(t->root[--t->nroots].fd);
		free(t->root[t->nroots].path);
	}
	pthread_cond_destroy(&t->opened);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
