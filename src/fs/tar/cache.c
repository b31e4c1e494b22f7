/* The cache directory.  See cache.h. */
#include "cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "whole.h"

enum { NAME = 32, STEM = 16, LITTER = 3600 /* s */, SECRET = 16 };

struct tar_cache {
	pthread_mutex_t	 lock;
	char		*path;
	int		 dir;		/* -1: nothing is kept */
	uint64_t	 most, bytes;	/* bytes: about what is there */
	unsigned	 made;		/* temporary names */
	uint8_t		 secret[SECRET];
	bool		 is_new;	/* and in no file yet */
};

/* ---------------------------------------------------------------- where -- */

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

static char *
path_of(const char *given)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *path;
	int n;

	if (given != NULL)
		n = asprintf(&path, "%s", given);
	else if (xdg != NULL && xdg[0] == '/')
		n = asprintf(&path, "%s/pinefs", xdg);
	else if (geteuid() != 0 && home != NULL && home[0] == '/')
		n = asprintf(&path, "%s/.cache/pinefs", home);
	else
		n = asprintf(&path, "/var/cache/pinefs");
	return n == -1 ? NULL : path;
}

/* What nobody else may write.  0, or -1 with errno. */
static int
open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & 022) == 0)
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* ---------------------------------------------------------------- files -- */

static void
name_of(const struct tar_key *key, char name[NAME])
{
	static const uint8_t fixed[16] = "index files";

	snprintf(name, NAME, "%016llx.index", (unsigned long long)
	    pinefs_hash(fixed, key, offsetof(struct tar_key, size)));
}

/* -1 with errno; EPERM: somebody else may have written it. */
static int
open_ours(const struct tar_cache *c, const char *name)
{
	struct stat st;
	int fd;

	fd = c->dir == -1 ? (errno = ENOENT, -1) : openat(c->dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 022) == 0)
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

static int
open_file(const struct tar_cache *c, const struct tar_key *key)
{
	char name[NAME];

	name_of(key, name);
	return open_ours(c, name);
}

char *
tar_cache_path(const struct tar_cache *c, const struct tar_key *key,
    const char *kind)
{
	char name[NAME], *path;

	name_of(key, name);
	if (c->dir == -1 ||
	    asprintf(&path, "%s/%.16s.%s", c->path, name, kind) == -1)
		return NULL;
	return path;
}

static void
drop_damaged(struct tar_cache *c, const struct tar_key *key)
{
	char name[NAME];

	name_of(key, name);
	pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s/%s: damaged, or of another "
	    "version of pinefs: removed", c->path, name);
	unlinkat(c->dir, name, 0);
}

int
tar_cache_load(struct tar_cache *c, const struct tar_key *key,
    struct tar_index *ix, struct tar_extra *kept)
{
	int fd = open_file(c, key), err;

	if (fd == -1)
		return errno;
	err = tar_index_file_open(fd, key, ix, kept);
	if (err == 0)
		futimens(fd, NULL);	/* the last used stay */
	else if (err == EBADMSG)
		drop_damaged(c, key);
	close(fd);
	return err;
}

int
tar_cache_check(struct tar_cache *c, const struct tar_key *key,
    const atomic_bool *stop)
{
	int fd = open_file(c, key), err;

	if (fd == -1)
		return errno;
	err = tar_index_file_check(fd, stop);
	if (err == EBADMSG)
		drop_damaged(c, key);
	close(fd);
	return err;
}

/* ------------------------------------------------------------ not too many -- */

/* A file of an archive, or several, that go together. */
struct group {
	char		stem[STEM + 1];
	struct timespec	used;
	uint64_t	bytes;
};

struct groups {
	struct group	*g;
	size_t		 n, cap;
	uint64_t	 bytes;
};

static bool
is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec :
	    a->tv_nsec > b->tv_nsec;
}

static int
by_use(const void *a, const void *b)
{
	const struct group *g = a, *h = b;

	return is_later(&g->used, &h->used) - is_later(&h->used, &g->used);
}

static int
by_stem(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->stem,
	    ((const struct group *)b)->stem);
}

/* One of ours, "0123456789abcdef.KIND"? */
static bool
is_ours(const char *name)
{
	return strspn(name, "0123456789abcdef") == STEM && name[STEM] == '.';
}

static int
add_group(struct groups *all, const char *name, const struct stat *st)
{
	struct group *g;

	if (all->n == all->cap) {
		all->cap = all->cap == 0 ? 64 : all->cap * 2;
		if ((g = realloc(all->g, all->cap * sizeof *g)) == NULL)
			return ENOMEM;
		all->g = g;
	}
	g = &all->g[all->n++];
	memcpy(g->stem, name, STEM);
	g->stem[STEM] = '\0';
	g->used = st->st_mtim;
	g->bytes = (uint64_t)st->st_blocks * 512;
	all->bytes += g->bytes;
	return 0;
}

/* What is left of a server that was killed as it wrote. */
static bool
is_litter(const char *name, const struct stat *st)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".new") == 0 &&
	    st->st_mtim.tv_sec < time(NULL) - LITTER;
}

static void
merge(struct groups *all)
{
	size_t i, n = 0;
	struct group *g;

	if (all->n > 0)
		qsort(all->g, all->n, sizeof *all->g, by_stem);
	for (i = 0; i < all->n; i++) {
		g = &all->g[i];
		if (n > 0 && strcmp(all->g[n - 1].stem, g->stem) == 0) {
			all->g[n - 1].bytes += g->bytes;
			if (is_later(&g->used, &all->g[n - 1].used))
				all->g[n - 1].used = g->used;
		} else {
			all->g[n++] = *g;
		}
	}
	all->n = n;
}

static void
find_all(const struct tar_cache *c, struct groups *all)
{
	int fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *d;
	struct stat st;

	*all = (struct groups){ 0 };
	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	while ((d = readdir(dir)) != NULL) {
		if (!is_ours(d->d_name) || fstatat(c->dir, d->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		if (is_litter(d->d_name, &st))
			unlinkat(c->dir, d->d_name, 0);
		else if (add_group(all, d->d_name, &st) != 0)
			break;
	}
	closedir(dir);
	merge(all);
}

/* Every file of these archives. */
static void
remove_groups(const struct tar_cache *c, struct groups *all, size_t n)
{
	static const char *const kinds[] = { "index", "blocks" };
	char name[NAME];
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
			snprintf(name, sizeof name, "%s.%s", all->g[i].stem,
			    kinds[k]);
			unlinkat(c->dir, name, 0);
		}
}

/* Down to nine tenths, so that it is not done again at once. */
static void
make_room(struct tar_cache *c)
{
	uint64_t goal = c->most - c->most / 10;
	struct groups all;
	size_t n = 0;

	find_all(c, &all);
	c->bytes = all.bytes;
	if (all.n > 0)
		qsort(all.g, all.n, sizeof *all.g, by_use);
	if (c->bytes > c->most)
		for (; n < all.n && c->bytes > goal; n++)
			c->bytes -= all.g[n].bytes;
	remove_groups(c, &all, n);
	free(all.g);
}

/* --------------------------------------------------------------- secret -- */

static int
read_secret(struct tar_cache *c)
{
	int fd = open_ours(c, "key"), err;

	if (fd == -1)
		return errno;
	err = tar_whole_read(fd, 0, c->secret, SECRET);
	close(fd);
	return err;
}

/*
 * The first time that there is something under it.  Should another server be
 * faster, what is of this one is of no use to the next.
 */
static void
write_secret(struct tar_cache *c)
{
	char temp[NAME];
	int fd;

	if (!c->is_new)
		return;
	c->is_new = false;
	snprintf(temp, sizeof temp, "key.%ld.new", (long)getpid());
	fd = openat(c->dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return;
	if (tar_whole_write(fd, 0, c->secret, SECRET) == 0 && fsync(fd) == 0)
		linkat(c->dir, temp, c->dir, "key", 0);
	unlinkat(c->dir, temp, 0);
	close(fd);
}

/* One that is cut, or not ours, makes room for another. */
static int
find_secret(struct tar_cache *c)
{
	int err = read_secret(c);

	if (err == 0)
		return 0;
	if (c->dir != -1 && err != ENOENT)
		unlinkat(c->dir, "key", 0);
	c->is_new = c->dir != -1;
	return getrandom(c->secret, SECRET, 0) == SECRET ? 0 : ENOMEM;
}

const uint8_t *
tar_cache_secret(const struct tar_cache *c)
{
	return c->secret;
}

/* -------------------------------------------------------------- writing -- */

static int
write_new(const struct tar_cache *c, const char *temp, const char *name,
    const struct tar_key *key, const struct tar_index *ix,
    const struct tar_extra *kept, uint64_t *bytes)
{
	int fd = openat(c->dir, temp, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_CLOEXEC, 0600), err;
	struct stat st;

	if (fd == -1)
		return errno;
	err = tar_index_file_write(fd, ix, key, kept);
	if (err == 0 && (fsync(fd) == -1 || fstat(fd, &st) == -1 ||
	    renameat(c->dir, temp, c->dir, name) == -1))
		err = errno;
	if (err == 0)
		*bytes = (uint64_t)st.st_blocks * 512;
	else
		unlinkat(c->dir, temp, 0);
	close(fd);
	return err;
}

int
tar_cache_save(struct tar_cache *c, const struct tar_key *key,
    const struct tar_index *ix, const struct tar_extra *kept)
{
	char name[NAME], temp[2 * NAME];
	uint64_t bytes = 0;
	struct stat st;
	unsigned made;
	int err;

	if (c->dir == -1)
		return ENOENT;
	pthread_mutex_lock(&c->lock);
	made = c->made++;
	if (kept->len > 0)
		write_secret(c);
	pthread_mutex_unlock(&c->lock);
	name_of(key, name);
	snprintf(temp, sizeof temp, "%.16s.%lu-%u.new", name,
	    (unsigned long)getpid(), made);
	err = write_new(c, temp, name, key, ix, kept, &bytes);
	if (err != 0) {
		pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s/%s: %s: not kept",
		    c->path, name, strerror(err));
		return err;
	}
	snprintf(temp, sizeof temp, "%.16s.blocks", name);
	if (fstatat(c->dir, temp, &st, AT_SYMLINK_NOFOLLOW) == 0)
		bytes += (uint64_t)st.st_blocks * 512;
	pthread_mutex_lock(&c->lock);
	if ((c->bytes += bytes) > c->most)
		make_room(c);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

/* ------------------------------------------------------- begin and end -- */

struct tar_cache *
tar_cache_new(const char *dir, uint64_t most)
{
	struct tar_cache *c = calloc(1, sizeof *c);

	if (c == NULL || (c->path = path_of(dir)) == NULL) {
		free(c);
		return NULL;
	}
	c->most = most;
	pthread_mutex_init(&c->lock, NULL);
	if (make_dirs(c->path) == -1 || (c->dir = open_dir(c->path)) == -1 ||
	    faccessat(c->dir, ".", W_OK | X_OK, AT_EACCESS) == -1) {
		pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: %s: compressed "
		    "archives are kept in memory, and no index for the next "
		    "time; --cache-dir names another place", c->path,
		    errno == EPERM ? "it is not ours alone" :
		    strerror(errno));
		if (c->dir > 0)
			close(c->dir);
		c->dir = -1;
	} else {
		make_room(c);
	}
	if (find_secret(c) == 0)
		return c;
	tar_cache_free(c);
	return NULL;
}

void
tar_cache_free(struct tar_cache *c)
{
	if (c == NULL)
		return;
	if (c->dir != -1)
		close(c->dir);
	pthread_mutex_destroy(&c->lock);
	free(c->path);
	free(c);
}

const char *
tar_cache_dir(const struct tar_cache *c)
{
	return c->dir == -1 ? NULL : c->path;
}
