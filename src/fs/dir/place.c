/* Where objects were seen last.  See place.h. */
#include "place.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"

enum { DEPTH_MAX = 4096, FIRST_BUCKETS = 1024, SPARE = 1024 };

/* An object; without a name it was only met as somebody's directory. */
struct place {
	struct place	*hash_next, *dir;
	struct dir_key	 key;
	char		*name;
	size_t		 refs;		/* those it is the directory of */
};

struct dir_places {
	pthread_mutex_t	 lock;
	struct place	**bucket;
	size_t		 nbuckets, n;
	int		 fd;			/* of the file, or -1 */
	off_t		 end;			/* of its last whole record */
	bool		 failed;		/* it was said */
	char		 file[32];		/* its name */
};

/* In the file, before the bytes: own, the directory's own, the name. */
struct record {
	uint16_t	len;			/* of it all */
	uint8_t		own_len, dir_own_len;
	uint32_t	zero;
	uint64_t	fileid, generation;
	uint64_t	dir_fileid, dir_generation;
	uint64_t	sum;			/* of it all, with this 0 */
};

enum { RECORD_MAX = sizeof(struct record) + 2 * DIR_OWN_MAX + 256 };

static const uint8_t no_key[16];

/* ------------------------------------------------------------ the table -- */

static size_t
bucket_of(const struct dir_places *t, const struct dir_key *key)
{
	return pinefs_hash(no_key, &key->fileid, sizeof key->fileid) %
	    t->nbuckets;
}

static void
grow(struct dir_places *t)
{
	size_t n = t->nbuckets, i, to;
	struct place **old = t->bucket, *p;
	struct place **more = calloc(2 * n, sizeof *more);

	if (more == NULL)
		return;			/* longer chains, then */
	t->bucket = more;
	t->nbuckets = 2 * n;
	for (i = 0; i < n; i++) {
		while ((p = old[i]) != NULL) {
			old[i] = p->hash_next;
			to = bucket_of(t, &p->key);
			p->hash_next = more[to];
			more[to] = p;
		}
	}
	free(old);
}

static struct place *
find(const struct dir_places *t, const struct dir_key *key)
{
	struct place *p = t->bucket[bucket_of(t, key)];

	while (p != NULL && !dir_key_equal(&p->key, key))
		p = p->hash_next;
	return p;
}

/* NULL: no memory. */
static struct place *
find_or_make(struct dir_places *t, const struct dir_key *key)
{
	struct place *p = find(t, key);
	size_t i;

	if (p != NULL || (p = calloc(1, sizeof *p)) == NULL)
		return p;
	if (t->n++ > t->nbuckets)
		grow(t);
	p->key = *key;
	i = bucket_of(t, key);
	p->hash_next = t->bucket[i];
	t->bucket[i] = p;
	return p;
}

/* Nobody needs it any more, if that is so; nor its directory, then. */
static void
drop(struct dir_places *t, struct place *p)
{
	struct place **at, *up;

	while (p != NULL && p->name == NULL && p->refs == 0) {
		at = &t->bucket[bucket_of(t, &p->key)];
		while (*at != p)
			at = &(*at)->hash_next;
		*at = p->hash_next;
		t->n--;
		if ((up = p->dir) != NULL)
			up->refs--;
		free(p);
		p = up;
	}
}

/* False: it was not known. */
static bool
forget(struct dir_places *t, const struct dir_key *key)
{
	struct place *p = find(t, key);

	if (p == NULL || p->name == NULL)
		return false;
	free(p->name);
	p->name = NULL;
	drop(t, p);
	return true;
}

/* 0; EEXIST: it was known; ENOMEM. */
static int
put(struct dir_places *t, const struct dir_key *key,
    const struct dir_key *dir, const char *name)
{
	struct place *p = find_or_make(t, key);
	struct place *up = p == NULL ? NULL : find_or_make(t, dir), *was;
	char *copy;

	if (up == NULL)
		return ENOMEM;
	if (p->dir == up && p->name != NULL && strcmp(p->name, name) == 0)
		return EEXIST;
	if ((copy = strdup(name)) == NULL)
		return ENOMEM;
	free(p->name);
	p->name = copy;
	up->refs++;
	was = p->dir;
	p->dir = up;
	if (was != NULL) {
		was->refs--;
		drop(t, was);
	}
	return 0;
}

/* ------------------------------------------------------------- the file -- */

static size_t
pack(char to[RECORD_MAX], const struct dir_key *key,
    const struct dir_key *dir, const char *name)
{
	struct record r = { .own_len = key->own_len,
	    .dir_own_len = dir->own_len, .fileid = key->fileid,
	    .generation = key->generation, .dir_fileid = dir->fileid,
	    .dir_generation = dir->generation };
	size_t n = strlen(name);
	char *p = to + sizeof r;

	r.len = (uint16_t)(sizeof r + r.own_len + r.dir_own_len + n);
	memcpy(to, &r, sizeof r);
	memcpy(p, key->own, r.own_len);
	memcpy(p + r.own_len, dir->own, r.dir_own_len);
	memcpy(p + r.own_len + r.dir_own_len, name, n);
	r.sum = pinefs_hash(no_key, to, r.len);
	memcpy(to, &r, sizeof r);
	return r.len;
}

/* The bytes it took; 0: there is no whole record. */
static size_t
unpack(struct dir_places *t, const char *from, size_t len)
{
	struct dir_key key = { .own_len = 0 }, dir = { .own_len = 0 };
	char name[256], copy[RECORD_MAX];
	struct record r;
	uint64_t sum;
	size_t n;

	if (len < sizeof r)
		return 0;
	memcpy(&r, from, sizeof r);
	n = sizeof r + r.own_len + r.dir_own_len;
	if (r.len > len || r.len > RECORD_MAX || r.len < n ||
	    r.len - n >= sizeof name || r.own_len > DIR_OWN_MAX ||
	    r.dir_own_len > DIR_OWN_MAX)
		return 0;
	sum = r.sum;
	r.sum = 0;
	memcpy(copy, from, r.len);
	memcpy(copy, &r, sizeof r);
	if (pinefs_hash(no_key, copy, r.len) != sum)
		return 0;
	key.fileid = r.fileid;
	key.generation = r.generation;
	key.own_len = r.own_len;
	memcpy(key.own, copy + sizeof r, r.own_len);
	dir.fileid = r.dir_fileid;
	dir.generation = r.dir_generation;
	dir.own_len = r.dir_own_len;
	memcpy(dir.own, copy + sizeof r + r.own_len, r.dir_own_len);
	memcpy(name, copy + n, r.len - n);
	name[r.len - n] = '\0';
	if (strchr(name, '/') != NULL || strcmp(name, "..") == 0)
		return 0;
	if (name[0] == '\0') {
		forget(t, &key);
		return r.len;
	}
	return put(t, &key, &dir, name) == ENOMEM ? 0 : r.len;
}

static bool
write_all(int fd, const char *from, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, from, len);
		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0) {
			from += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* What cannot be kept is said once; handles are good until the end, then. */
static void
failed(struct dir_places *t)
{
	if (!t->failed)
		pinefs_log(PINEFS_LOG_WARNING, "dirfs: %s in the state "
		    "directory: %s: after a restart clients have to mount "
		    "anew", t->file, strerror(errno));
	t->failed = true;
}

/* What follows a record that was cut would be lost with it. */
static void
append(struct dir_places *t, const struct dir_key *key,
    const struct dir_key *dir, const char *name)
{
	char record[RECORD_MAX];
	size_t len;

	if (t->fd == -1)
		return;
	len = pack(record, key, dir, name);
	if (write_all(t->fd, record, len)) {
		t->end += (off_t)len;
		return;
	}
	failed(t);
	if (ftruncate(t->fd, t->end) == -1) {
		close(t->fd);
		t->fd = -1;
	}
}

/* Without what was written again and again. */
static void
rewrite(struct dir_places *t, int state)
{
	char record[RECORD_MAX], other[sizeof t->file + 4];
	struct place *p;
	bool good = true;
	size_t i;
	int fd;

	snprintf(other, sizeof other, "%s.new", t->file);
	fd = openat(state, other, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND |
	    O_CLOEXEC, 0600);
	for (i = 0; fd != -1 && i < t->nbuckets; i++)
		for (p = t->bucket[i]; p != NULL && good; p = p->hash_next)
			if (p->name != NULL)
				good = write_all(fd, record, pack(record,
				    &p->key, &p->dir->key, p->name));
	if (fd != -1 && good && fsync(fd) == 0 &&
	    renameat(state, other, state, t->file) == 0)
		dup3(fd, t->fd, O_CLOEXEC);
	if (fd != -1)
		close(fd);
}

/* Every whole record; what was cut, and would hide what follows, goes. */
static int
read_records(struct dir_places *t, size_t size, size_t *records)
{
	size_t at = 0, n;
	char *text = malloc(size + 1);
	int err = 0;

	if (text == NULL)
		return ENOMEM;
	if (pread(t->fd, text, size, 0) != (ssize_t)size)
		err = EIO;
	while (err == 0 && (n = unpack(t, text + at, size - at)) != 0) {
		at += n;
		++*records;
	}
	free(text);
	if (err == 0 && at < size && ftruncate(t->fd, (off_t)at) == -1)
		err = errno;
	return err;
}

/* 0, or errno: then nothing is kept. */
static int
load(struct dir_places *t, int state)
{
	size_t records = 0;
	struct stat st;
	int err;

	t->fd = openat(state, t->file, O_RDWR | O_CREAT | O_APPEND |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (t->fd == -1 || fstat(t->fd, &st) == -1)
		return errno;
	if (st.st_uid != geteuid() || !S_ISREG(st.st_mode))
		return EPERM;
	if ((err = read_records(t, (size_t)st.st_size, &records)) != 0)
		return err;
	if (records > 2 * t->n + SPARE)
		rewrite(t, state);
	t->end = lseek(t->fd, 0, SEEK_END);
	return t->end == -1 ? errno : 0;
}

/* What cannot be kept is a line, and no reason not to serve. */
static void
begin(struct dir_places *t, const char *state_dir)
{
	int state = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if ((errno = state == -1 ? errno : load(t, state)) != 0) {
		failed(t);
		if (t->fd != -1)
			close(t->fd);
		t->fd = -1;
	}
	if (state != -1)
		close(state);
}

/* ------------------------------------------------------------ the places -- */

struct dir_places *
dir_places_new(const char *state_dir, uint64_t root_ino,
    const struct dir_dev *dev)
{
	uint64_t root[3] = { root_ino, dev->major, dev->minor };
	struct dir_places *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	t->fd = -1;
	t->nbuckets = FIRST_BUCKETS;
	t->bucket = calloc(t->nbuckets, sizeof *t->bucket);
	if (t->bucket == NULL) {
		dir_places_free(t);
		return NULL;
	}
	snprintf(t->file, sizeof t->file, "dir-%016llx",
	    (unsigned long long)pinefs_hash(no_key, root, sizeof root));
	if (state_dir != NULL)
		begin(t, state_dir);
	return t;
}

void
dir_places_free(struct dir_places *t)
{
	struct place *p;
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; t->bucket != NULL && i < t->nbuckets; i++) {
		while ((p = t->bucket[i]) != NULL) {
			t->bucket[i] = p->hash_next;
			free(p->name);
			free(p);
		}
	}
	if (t->fd != -1)
		close(t->fd);
	pthread_mutex_destroy(&t->lock);
	free(t->bucket);
	free(t);
}

int
dir_places_note(const struct dir_fs *d, const struct dir_key *key,
    const struct dir_key *dir, const char *name)
{
	struct dir_places *t = d->places;
	int err;

	if (t == NULL || key->fileid == d->root_ino)
		return 0;
	pthread_mutex_lock(&t->lock);
	err = put(t, key, dir, name);
	if (err == 0)
		append(t, key, dir, name);
	pthread_mutex_unlock(&t->lock);
	return err == EEXIST ? 0 : err;
}

void
dir_places_forget(const struct dir_fs *d, const struct dir_key *key)
{
	static const struct dir_key none;
	struct dir_places *t = d->places;

	if (t == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	if (forget(t, key))
		append(t, key, &none, "");
	pthread_mutex_unlock(&t->lock);
}

/* The names on the way up to the root, from its end; -1: it is unknown. */
static int
way_of(const struct dir_fs *d, const struct dir_key *key, char **names)
{
	struct place *p = find(d->places, key);
	int n = 0;

	while (p != NULL && p->key.fileid != d->root_ino) {
		if (p->name == NULL || n == DEPTH_MAX ||
		    (names[n] = strdup(p->name)) == NULL)
			break;
		n++;
		p = p->dir;
	}
	if (p != NULL && p->key.fileid == d->root_ino)
		return n;
	while (n > 0)
		free(names[--n]);
	return -1;
}

int
dir_places_open(const struct dir_fs *d, const struct dir_key *key)
{
	char **names = d->places == NULL ? NULL :
	    calloc(DEPTH_MAX, sizeof *names);
	int n = -1, fd, next;

	if (names != NULL) {
		pthread_mutex_lock(&d->places->lock);
		n = way_of(d, key, names);
		pthread_mutex_unlock(&d->places->lock);
	}
	fd = n < 0 ? -1 : openat(d->root, ".", O_PATH | O_CLOEXEC);
	errno = n < 0 ? ESTALE : errno;
	while (n > 0) {
		n--;
		next = fd == -1 ? -1 : openat(fd, names[n], O_PATH |
		    O_NOFOLLOW | O_CLOEXEC | (n > 0 ? O_DIRECTORY : 0));
		if (fd != -1)
			close(fd);
		fd = next;
		free(names[n]);
	}
	free(names);
	return fd;
}
