/* The objects that are open.  See object.h. */
#include "object.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dir.h"
#include "place.h"

enum { SHARDS = 16, BUCKETS = 1024,
    IDLE = 5, WRITTEN = 1 /* s */,
    MAPPED = 1 << 20 /* bytes of a file that is worth it */ };

struct shard {
	pthread_mutex_t		 lock;
	struct dir_object	*bucket[BUCKETS];
	struct dir_object	*newest, *oldest;
	unsigned		 n;
};

struct dir_objects {
	struct shard	shard[SHARDS];
	struct dir_fs	*owner;
	unsigned	most;		/* objects of a shard */
	atomic_uint	pinned;
	/* Closes those that nobody has used for a while. */
	pthread_t	thread;
	bool		has_thread, stop;
	pthread_mutex_t	lock;
	pthread_cond_t	more;		/* to close, or to stop */
	struct dir_object *closing;	/* each is used once for that */
};

/* ------------------------------------------------------------ the table -- */

static uint64_t
mix(uint64_t n)
{
	n ^= n >> 33;
	n *= UINT64_C(0xff51afd7ed558ccd);
	return n ^ n >> 33;
}

static struct shard *
shard_of(const struct dir_fs *d, uint64_t fileid)
{
	return &d->objects->shard[mix(fileid) % SHARDS];
}

static struct dir_object **
bucket_of(struct shard *s, uint64_t fileid)
{
	return &s->bucket[mix(fileid) / SHARDS % BUCKETS];
}

static void
unlink_lru(struct shard *s, struct dir_object *o)
{
	*(o->newer != NULL ? &o->newer->older : &s->newest) = o->older;
	*(o->older != NULL ? &o->older->newer : &s->oldest) = o->newer;
	o->newer = o->older = NULL;
}

static void
link_lru(struct shard *s, struct dir_object *o)
{
	o->older = s->newest;
	*(s->newest != NULL ? &s->newest->newer : &s->oldest) = o;
	s->newest = o;
}

static int64_t
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec + 1;
}

/* Used once more; the shard's lock is held. */
static struct dir_object *
use(struct shard *s, uint64_t fileid)
{
	struct dir_object *o = *bucket_of(s, fileid);

	while (o != NULL && o->key.fileid != fileid)
		o = o->hash_next;
	if (o == NULL)
		return NULL;
	o->users++;
	o->used = seconds();
	if (o != s->newest) {
		unlink_lru(s, o);
		link_lru(s, o);
	}
	return o;
}

static void
destroy(struct dir_fs *d, struct dir_object *o)
{
	int way, fd;

	for (way = 0; way < DIR_WAYS; way++) {
		if ((fd = atomic_load(&o->fd[way])) == -1)
			continue;
		if (way == DIR_WRITE && d != NULL)
			dir_close_written(d, o, fd);
		else
			close(fd);
	}
	pinefs_map_put(atomic_load(&o->map));
	pthread_mutex_destroy(&o->lock);
	free(o);
}

/* Out of the table; the lock is held. */
static void
take_out(struct shard *s, struct dir_object *o)
{
	struct dir_object **p = bucket_of(s, o->key.fileid);

	while (*p != o)
		p = &(*p)->hash_next;
	*p = o->hash_next;
	unlink_lru(s, o);
	s->n--;
}

/* One that nobody uses, out of the table, if there are too many. */
static struct dir_object *
too_many(struct shard *s, unsigned most)
{
	struct dir_object *o = s->oldest;

	if (s->n <= most)
		return NULL;
	while (o != NULL && (o->users > 0 || o->pins > 0))
		o = o->newer;
	if (o != NULL)
		take_out(s, o);
	return o;
}

struct dir_object *
dir_find(const struct dir_fs *d, uint64_t fileid)
{
	struct shard *s = shard_of(d, fileid);
	struct dir_object *o;

	pthread_mutex_lock(&s->lock);
	o = use(s, fileid);
	pthread_mutex_unlock(&s->lock);
	return o;
}

void
dir_put(struct dir_fs *d, struct dir_object *o)
{
	struct shard *s = shard_of(d, o->key.fileid);
	struct dir_object *old;

	pthread_mutex_lock(&s->lock);
	o->users--;
	if (o->is_gone && o->users == 0 && o->pins == 0) {
		take_out(s, o);
		old = o;
	} else {
		old = too_many(s, d->objects->most);
	}
	pthread_mutex_unlock(&s->lock);
	if (old != NULL)
		destroy(d, old);
}

static struct dir_object *
object_new(const struct dir_key *key, int fd, uint32_t mode)
{
	struct dir_object *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->key = *key;
	o->type = mode & S_IFMT;
	o->users = 1;
	pthread_mutex_init(&o->lock, NULL);
	atomic_init(&o->fd[DIR_PATH], fd);
	atomic_init(&o->fd[DIR_READ], -1);
	atomic_init(&o->fd[DIR_WRITE], -1);
	return o;
}

struct dir_object *
dir_enter(const struct dir_fs *d, const struct dir_key *key, int fd,
    uint32_t mode)
{
	struct shard *s = shard_of(d, key->fileid);
	struct dir_object *o = object_new(key, fd, mode), *other;

	if (o == NULL) {
		close(fd);
		return NULL;
	}
	pthread_mutex_lock(&s->lock);
	if ((other = use(s, key->fileid)) == NULL) {
		o->hash_next = *bucket_of(s, key->fileid);
		*bucket_of(s, key->fileid) = o;
		link_lru(s, o);
		s->n++;
	}
	pthread_mutex_unlock(&s->lock);
	if (other == NULL)
		return o;
	destroy(NULL, o);
	return other;
}

/* ------------------------------------------------------------- sweeping -- */

/* The next that nobody has used for a while, out of the table; or NULL. */
static struct dir_object *
take_idle(struct shard *s)
{
	struct dir_object *o;

	pthread_mutex_lock(&s->lock);
	o = s->oldest;
	while (o != NULL && (o->users > 0 || o->pins > 0))
		o = o->newer;
	if (o != NULL && o->used + IDLE < seconds())
		take_out(s, o);
	else
		o = NULL;
	pthread_mutex_unlock(&s->lock);
	return o;
}

/* Who is not root could not open it again where its mode says no. */
static bool
can_be_written(const struct dir_object *o)
{
	return dir_who_is_real() || syscall(SYS_faccessat2,
	    atomic_load(&o->fd[DIR_PATH]), "", W_OK, AT_EMPTY_PATH |
	    AT_EACCESS) == 0;
}

/* Its descriptor for writing, if nobody else uses it; the lock is held. */
static int
take_written(struct dir_object *o, uint32_t users, uint32_t pins)
{
	if (o->users != users || o->pins > pins || !can_be_written(o))
		return -1;
	return atomic_exchange(&o->fd[DIR_WRITE], -1);
}

/* The next that was written and is not any more, used; or NULL. */
static struct dir_object *
next_written(struct shard *s, int *fd)
{
	int64_t before = seconds() - WRITTEN;
	struct dir_object *o;

	*fd = -1;
	pthread_mutex_lock(&s->lock);
	for (o = s->oldest; o != NULL && o->used < before; o = o->newer)
		if (atomic_load(&o->fd[DIR_WRITE]) != -1 &&
		    (*fd = take_written(o, 0, 0)) != -1)
			break;
	if (*fd == -1)
		o = NULL;
	else
		o->users++;
	pthread_mutex_unlock(&s->lock);
	return o;
}

/* The map of the next that is open, but was not read for a while; or NULL. */
static struct pinefs_map *
take_map(struct shard *s)
{
	int64_t before = seconds() - IDLE;
	struct pinefs_map *map = NULL;
	struct dir_object *o;

	pthread_mutex_lock(&s->lock);
	for (o = s->oldest; o != NULL && o->used < before && map == NULL;
	    o = o->newer)
		if (o->users == 0)
			map = atomic_exchange(&o->map, NULL);
	pthread_mutex_unlock(&s->lock);
	return map;
}

/* Of those whose last open went; they are ours to put. */
static void
close_all(struct dir_objects *t, struct dir_object *list)
{
	struct dir_object *o;
	struct shard *s;
	int fd;

	while ((o = list) != NULL) {
		list = o->closing_next;
		s = shard_of(t->owner, o->key.fileid);
		pthread_mutex_lock(&s->lock);
		o->is_closing = false;
		fd = take_written(o, 1, 0);
		pthread_mutex_unlock(&s->lock);
		if (fd != -1)
			dir_close_written(t->owner, o, fd);
		dir_put(t->owner, o);
	}
}

static void
sweep_shard(struct dir_objects *t, struct shard *s)
{
	struct pinefs_map *map;
	struct dir_object *o;
	int fd;

	while ((o = take_idle(s)) != NULL)
		destroy(t->owner, o);
	while ((map = take_map(s)) != NULL)
		pinefs_map_put(map);
	while ((o = next_written(s, &fd)) != NULL) {
		dir_close_written(t->owner, o, fd);
		dir_put(t->owner, o);
	}
}

/* What was removed on the host takes up space as long as we have it open. */
static void *
sweep(void *arg)
{
	struct dir_objects *t = arg;
	struct dir_object *list;
	struct timespec until;
	unsigned i;

	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += WRITTEN;
		if (t->closing == NULL)
			pthread_cond_timedwait(&t->more, &t->lock, &until);
		list = t->closing;
		t->closing = NULL;
		pthread_mutex_unlock(&t->lock);
		close_all(t, list);
		for (i = 0; i < SHARDS; i++)
			sweep_shard(t, &t->shard[i]);
		if (t->owner->lists != NULL)
			dir_lists_sweep(t->owner->lists);
		pthread_mutex_lock(&t->lock);
	}
	list = t->closing;
	t->closing = NULL;
	pthread_mutex_unlock(&t->lock);
	close_all(t, list);
	return NULL;
}

/* The sweeping thread's to close, with our use of it. */
static void
close_later(struct dir_objects *t, struct dir_object *o)
{
	pthread_mutex_lock(&t->lock);
	o->closing_next = t->closing;
	t->closing = o;
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
}

static bool
start_sweeping(struct dir_objects *t)
{
	sigset_t all, was;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	t->has_thread = pthread_create(&t->thread, NULL, sweep, t) == 0;
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return t->has_thread;
}

struct dir_objects *
dir_objects_new(struct dir_fs *owner, unsigned most)
{
	struct dir_objects *t = calloc(1, sizeof *t);
	pthread_condattr_t attr;
	unsigned i;

	if (t == NULL)
		return NULL;
	t->owner = owner;
	/* Each may have one descriptor of each kind. */
	t->most = most / SHARDS / DIR_WAYS + 1;
	for (i = 0; i < SHARDS; i++)
		pthread_mutex_init(&t->shard[i].lock, NULL);
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->more, &attr);
	pthread_condattr_destroy(&attr);
	if (start_sweeping(t))
		return t;
	dir_objects_free(t);
	return NULL;
}

static void
stop_sweeping(struct dir_objects *t)
{
	if (!t->has_thread)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
}

void
dir_objects_free(struct dir_objects *t)
{
	struct dir_object *o;
	unsigned i;

	if (t == NULL)
		return;
	stop_sweeping(t);
	for (i = 0; i < SHARDS; i++) {
		while ((o = t->shard[i].oldest) != NULL) {
			take_out(&t->shard[i], o);
			destroy(NULL, o);
		}
		pthread_mutex_destroy(&t->shard[i].lock);
	}
	pthread_cond_destroy(&t->more);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* -------------------------------------------------------------- opening -- */

bool
dir_path_of(int fd, char path[DIR_PATH_ROOM])
{
	struct dir_proc proc = dir_proc_of(fd);
	ssize_t n = readlink(proc.path, path, DIR_PATH_ROOM);

	if (n <= 0 || n == DIR_PATH_ROOM)
		return false;
	path[n] = '\0';
	return true;
}

/* The same step by step, for a path that has no room in any call. */
static bool
climb(const struct dir_fs *d, int fd)
{
	struct statx st, was = { 0 };
	struct dir_dev dev;
	int up, at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool found = false;

	while (at != -1 && statx(at, "", AT_EMPTY_PATH, DIR_STATX,
	    &st) == 0) {
		dev = dir_dev_of(&st);
		dev.mount = d->dev.mount;
		found = st.stx_ino == d->root_ino &&
		    dir_dev_equal(&dev, &d->dev);
		if (found || (st.stx_ino == was.stx_ino &&
		    st.stx_dev_minor == was.stx_dev_minor &&
		    st.stx_dev_major == was.stx_dev_major))
			break;		/* the root of all is above itself */
		was = st;
		up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = up;
	}
	if (at != -1)
		close(at);
	return found;
}

static bool
is_path_below(const char *path, const char *root)
{
	size_t n = strlen(root);

	if (n > 0 && root[n - 1] == '/')
		n--;			/* that is "/" */
	return strncmp(path, root, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0');
}

bool
dir_is_below(const struct dir_fs *d, int fd)
{
	char root[DIR_PATH_ROOM], path[DIR_PATH_ROOM];
	unsigned tries;

	/* It, or what it lies in, may be moved between the two. */
	for (tries = 0; tries < 3; tries++) {
		if (!dir_path_of(d->root, root))
			return false;
		if (!dir_path_of(fd, path))
			return errno == ENAMETOOLONG && climb(d, fd);
		if (is_path_below(path, root))
			return true;
	}
	return false;
}

/*
 * A file may have names that the kernel does not tell of: so only one that has
 * a single name, which is outside, is out.
 */
static bool
is_file_outside(const struct dir_fs *d, int fd)
{
	char path[DIR_PATH_ROOM];
	struct statx is, there;

	if (dir_is_below(d, fd))
		return false;
	dir_who_server();
	return dir_path_of(fd, path) && path[0] == '/' &&
	    statx(fd, "", AT_EMPTY_PATH, DIR_STATX, &is) == 0 &&
	    is.stx_nlink == 1 &&
	    statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
	    DIR_STATX, &there) == 0 && is.stx_ino == there.stx_ino &&
	    is.stx_dev_major == there.stx_dev_major &&
	    is.stx_dev_minor == there.stx_dev_minor &&
	    !dir_is_below(d, fd);
}

/*
 * What somebody on the host moved out of the directory that is served is not
 * to be reached any longer: looked after once a second.
 */
static int
check_place(const struct dir_fs *d, struct dir_object *o)
{
	int fd = atomic_load(&o->fd[DIR_PATH]);
	int64_t t = seconds();

	if (atomic_load(&o->checked) == t)
		return 0;
	if (S_ISDIR(o->type) ? !dir_is_below(d, fd) : is_file_outside(d, fd))
		return ESTALE;
	atomic_store(&o->checked, t);
	return 0;
}

/* O_PATH.  -1 with errno. */
static int
open_key(const struct dir_fs *d, const struct dir_key *key)
{
	dir_who_server();
	if (key->fileid == d->root_ino)
		return openat(d->root, ".", O_PATH | O_CLOEXEC);
	if (d->by_handle)
		return dir_key_open(key, d->root);
	return dir_places_open(d, key);
}

/* Is what was opened what is meant? */
static int
check(const struct dir_fs *d, const struct dir_key *key, int fd,
    uint32_t *mode)
{
	struct dir_key now;
	struct dir_dev dev;
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, DIR_STATX, &st) == -1)
		return errno;
	dev = dir_dev_of(&st);
	*mode = st.stx_mode;
	if (st.stx_ino != key->fileid)
		return ESTALE;
	if (key->fileid == d->root_ino)
		return 0;
	/* By a handle it comes without saying by which mount. */
	dev.mount = d->dev.mount;
	if (!dir_dev_equal(&dev, &d->dev))
		return ESTALE;
	dir_key_make(&now, fd, "", &st);
	return dir_key_equal(&now, key) ? 0 : ESTALE;
}

static int
open_object(const struct dir_fs *d, const struct dir_key *key,
    struct dir_object **to)
{
	int fd = open_key(d, key), err;
	uint32_t mode = 0;

	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR ||
		    errno == EINVAL ? ESTALE : errno == EMFILE ||
		    errno == ENFILE ? EAGAIN : errno;
	if ((err = check(d, key, fd, &mode)) != 0) {
		close(fd);
		return err;
	}
	*to = dir_enter(d, key, fd, mode);
	return *to == NULL ? ENOMEM : 0;
}

void
dir_seen(struct dir_object *o)
{
	atomic_store(&o->checked, seconds());
}

int
dir_get(const struct pinefs_node *node, struct dir_object **to)
{
	struct dir_fs *d = dir_of(node);
	struct dir_object *o;
	struct dir_key key;
	int err;

	dir_key_of_node(&key, node);
	if ((o = dir_find(d, key.fileid)) == NULL &&
	    (err = open_object(d, &key, &o)) != 0)
		return err;
	err = key.fileid != d->root_ino && !dir_key_equal(&o->key, &key) ?
	    ESTALE : check_place(d, o);
	if (err != 0) {
		dir_put(d, o);
		return err;
	}
	*to = o;
	return 0;
}

void
dir_give_fd(struct dir_object *o, enum dir_way way, int fd)
{
	int none = -1;

	if (!atomic_compare_exchange_strong(&o->fd[way], &none, fd))
		close(fd);
}

int
dir_fd(struct dir_object *o, enum dir_way way)
{
	static const int flags[] = { [DIR_READ] = O_RDONLY,
	    [DIR_WRITE] = O_WRONLY };
	int fd = atomic_load(&o->fd[way]);
	struct dir_proc proc;

	if (fd != -1)
		return fd;
	/* To open a device does something. */
	if (!S_ISREG(o->type) && !S_ISDIR(o->type)) {
		errno = EINVAL;
		return -1;
	}
	/* Whoever asks has been let in already: by mode, or as the owner. */
	dir_who_server();
	proc = dir_proc_of(atomic_load(&o->fd[DIR_PATH]));
	fd = open(proc.path, flags[way] | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
	    (S_ISDIR(o->type) ? O_DIRECTORY : 0));
	if (fd == -1)
		return -1;
	dir_give_fd(o, way, fd);
	return atomic_load(&o->fd[way]);
}

struct pinefs_map *
dir_map(struct dir_object *o, int fd, uint64_t size)
{
	struct pinefs_map *map = atomic_load(&o->map), *none = NULL;

	if (map != NULL || size < MAPPED || atomic_load(&o->has_no_map))
		return map;
	if ((map = pinefs_map_new(fd, size)) == NULL) {
		if (errno == ENOTSUP)
			atomic_store(&o->has_no_map, true);
	} else if (!atomic_compare_exchange_strong(&o->map, &none, map)) {
		pinefs_map_put(map);
		map = none;
	}
	return map;
}

void
dir_let_go(const struct dir_fs *d, struct dir_object *o)
{
	struct shard *s = shard_of(d, o->key.fileid);

	pthread_mutex_lock(&s->lock);
	o->is_gone = true;
	pthread_mutex_unlock(&s->lock);
}

bool
dir_verf(const struct dir_fs *d, struct dir_object *o, uint8_t verf[8])
{
	struct shard *s = shard_of(d, o->key.fileid);
	bool has;

	pthread_mutex_lock(&s->lock);
	has = o->has_verf;
	memcpy(verf, o->verf, sizeof o->verf);
	pthread_mutex_unlock(&s->lock);
	return has;
}

void
dir_keep_verf(const struct dir_fs *d, struct dir_object *o,
    const uint8_t verf[8])
{
	struct shard *s = shard_of(d, o->key.fileid);

	pthread_mutex_lock(&s->lock);
	o->has_verf = true;
	memcpy(o->verf, verf, sizeof o->verf);
	pthread_mutex_unlock(&s->lock);
}

void
dir_pin(const struct dir_fs *d, struct dir_object *o)
{
	struct shard *s = shard_of(d, o->key.fileid);

	/* With so many open it is opened again instead, by its key. */
	if (atomic_load(&d->objects->pinned) >= d->objects->most *
	    SHARDS / 2)
		return;
	pthread_mutex_lock(&s->lock);
	if (o->pins++ == 0)
		atomic_fetch_add(&d->objects->pinned, 1);
	pthread_mutex_unlock(&s->lock);
}

void
dir_unpin(const struct pinefs_node *node)
{
	struct dir_fs *d = dir_of(node);
	struct dir_object *o;
	struct dir_key key;
	struct shard *s;
	bool later = false;
	int fd = -1;

	dir_key_of_node(&key, node);
	s = shard_of(d, key.fileid);
	pthread_mutex_lock(&s->lock);
	if ((o = use(s, key.fileid)) != NULL && o->pins > 0 &&
	    --o->pins == 0) {
		atomic_fetch_sub(&d->objects->pinned, 1);
		/* What is dirty waits for the disk; what is gone may be large,
		 * and goes with its last descriptor. */
		later = (o->is_gone || atomic_load(&o->dirty)) &&
		    !o->is_closing;
		if (later)
			o->is_closing = true;
		else
			fd = take_written(o, 1, 0);
	}
	pthread_mutex_unlock(&s->lock);
	if (fd != -1)
		close(fd);
	if (later)
		close_later(d->objects, o);
	else if (o != NULL)
		dir_put(d, o);
}

void
dir_stop_writing(const struct pinefs_node *node)
{
	struct dir_fs *d = dir_of(node);
	struct dir_object *o;
	struct dir_key key;
	struct shard *s;
	int fd = -1;

	dir_key_of_node(&key, node);
	s = shard_of(d, key.fileid);
	pthread_mutex_lock(&s->lock);
	/* What is dirty waits for the disk, and so for the last close. */
	if ((o = use(s, key.fileid)) != NULL && !atomic_load(&o->dirty))
		fd = take_written(o, 1, 1);
	pthread_mutex_unlock(&s->lock);
	if (fd != -1)
		close(fd);
	if (o != NULL)
		dir_put(d, o);
}
