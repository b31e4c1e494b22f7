/* What is known of archives.  See known.h. */
#include "known.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, BUCKETS = 1 << 14, NUMBERS = 16 };
/* No directory of an archive changes more often while its index is made, so
 * that counters of the epoch before are all less. */
#define EPOCH_STEP	(UINT64_C(1) << 26)

struct entry {
	struct entry	*next, *ino_next;	/* of a bucket */
	struct tar_life	 life;
	char		 name[];
};

struct tar_known {
	pthread_mutex_t	 lock;
	int		 fd;		/* -1: in memory only */
	struct entry	*by_name[BUCKETS], *by_ino[BUCKETS];
};

/* ---------------------------------------------------------------- marks -- */

int
tar_mark_of(int fd, uint64_t len, struct tar_mark *m)
{
	uint64_t n = len < CHUNK ? len : CHUNK;
	int err;

	m->len = len;
	if ((err = tar_key_hash(fd, 0, n, &m->head)) == 0)
		err = tar_key_hash(fd, len - n, n, &m->tail);
	return err;
}

bool
tar_mark_holds(int fd, uint64_t size, const struct tar_mark *m)
{
	struct tar_mark now;

	return size >= m->len && tar_mark_of(fd, m->len, &now) == 0 &&
	    now.head == m->head && now.tail == m->tail;
}

/* ---------------------------------------------------------------- lives -- */

static bool
is_same_file(const struct tar_key *a, const struct tar_key *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->mtime == b->mtime &&
	    a->mtime_ns == b->mtime_ns && a->ctime == b->ctime &&
	    a->ctime_ns == b->ctime_ns;
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t
later_than(uint64_t epoch)
{
	uint64_t now = now_ns();

	epoch += EPOCH_STEP;
	return now > epoch ? now : epoch;
}

static void
next_epoch(struct tar_life *l)
{
	l->epoch = l->dirs = later_than(l->dirs);
}

bool
tar_life_whole(struct tar_life *l)
{
	if (l->whole == l->key.size)
		return false;
	l->dirs = later_than(l->dirs);
	l->whole = l->key.size;
	return true;
}

/*
 * What is between the two ends of the mark may differ in a file that was
 * touched: whoever kept any of it asks again, by a new epoch.  In one that
 * grew it is believed.
 */
bool
tar_life_goes_on(struct tar_life *l, int fd, const struct tar_key *key)
{
	if (!tar_mark_holds(fd, key->size, &l->mark))
		return false;
	if (!is_same_file(&l->key, key) && key->size <= l->key.size)
		next_epoch(l);
	l->key = *key;
	return true;
}

void
tar_life_begin(struct tar_life *l, const struct tar_key *key)
{
	uint32_t generation;

	l->key = *key;
	do
		if (getrandom(&generation, sizeof generation, 0) !=
		    sizeof generation)
			generation = (uint32_t)now_ns();
	while (generation == 0 || generation == l->generation);
	l->generation = generation;
	l->whole = 0;
	next_epoch(l);
}

/* ---------------------------------------------------------------- table -- */

static struct entry **
bucket(struct entry **table, const void *key, size_t len)
{
	static const uint8_t fixed[16] = "known archives";

	return &table[pinefs_hash(fixed, key, len) % BUCKETS];
}

static struct entry **
ino_bucket(struct tar_known *k, uint64_t dev, uint64_t ino)
{
	uint64_t key[2] = { dev, ino };

	return bucket(k->by_ino, key, sizeof key);
}

static struct entry *
find(struct tar_known *k, const char *name)
{
	struct entry *e = *bucket(k->by_name, name, strlen(name));

	while (e != NULL && strcmp(e->name, name) != 0)
		e = e->next;
	return e;
}

static void
unlink_ino(struct tar_known *k, struct entry *e)
{
	struct entry **p = ino_bucket(k, e->life.key.dev, e->life.key.ino);

	while (*p != e)
		p = &(*p)->ino_next;
	*p = e->ino_next;
}

/* In memory. */
static int
enter(struct tar_known *k, const char *name, const struct tar_life *life)
{
	struct entry *e = find(k, name), **p;
	size_t n = strlen(name) + 1;

	if (e != NULL) {
		unlink_ino(k, e);
	} else {
		if ((e = malloc(sizeof *e + n)) == NULL)
			return ENOMEM;
		memcpy(e->name, name, n);
		p = bucket(k->by_name, name, n - 1);
		e->next = *p;
		*p = e;
	}
	e->life = *life;
	p = ino_bucket(k, life->key.dev, life->key.ino);
	e->ino_next = *p;
	*p = e;
	return 0;
}

/* ---------------------------------------------------------------- lines -- */

/* "1" and these numbers, in hex, then the name. */
static void
numbers_of(const struct tar_life *l, uint64_t n[NUMBERS])
{
	const uint64_t all[NUMBERS] = { l->key.dev, l->key.ino, l->key.size,
	    (uint64_t)l->key.mtime, (uint64_t)l->key.mtime_ns,
	    (uint64_t)l->key.ctime, (uint64_t)l->key.ctime_ns, l->key.head,
	    l->key.tail, l->mark.len, l->mark.head, l->mark.tail,
	    l->generation, l->epoch, l->dirs, l->whole };

	memcpy(n, all, sizeof all);
}

static int
write_line(int fd, const char *name, const struct tar_life *l)
{
	uint64_t n[NUMBERS];
	char text[NUMBERS * 17 + 8], *line;
	struct stat st;
	int i, at, err = 0;
	ssize_t done;

	if (strchr(name, '\n') != NULL)
		return EINVAL;
	numbers_of(l, n);
	at = sprintf(text, "1");
	for (i = 0; i < NUMBERS; i++)
		at += sprintf(text + at, " %llx", (unsigned long long)n[i]);
	if ((at = asprintf(&line, "%s %s\n", text, name)) == -1)
		return ENOMEM;
	if ((done = write(fd, line, (size_t)at)) != at)
		err = done == -1 ? errno : ENOSPC;
	/* The next one must not go on behind a part of this one. */
	if (done > 0 && done != at && (fstat(fd, &st) == -1 ||
	    ftruncate(fd, st.st_size - done) == -1))
		err = EIO;
	free(line);
	return err;
}

/* The name, or NULL: no such line. */
static const char *
read_line(const char *line, struct tar_life *l)
{
	uint64_t n[NUMBERS];
	char *end;
	int i;

	if (line[0] != '1')
		return NULL;
	line++;
	for (i = 0; i < NUMBERS; i++, line = end) {
		if (*line != ' ')
			return NULL;
		errno = 0;
		n[i] = strtoull(line, &end, 16);
		if (end == line || errno != 0)
			return NULL;
	}
	*l = (struct tar_life){
	    .key = { .dev = n[0], .ino = n[1], .size = n[2],
	    .mtime = (int64_t)n[3], .mtime_ns = (int64_t)n[4],
	    .ctime = (int64_t)n[5], .ctime_ns = (int64_t)n[6], .head = n[7],
	    .tail = n[8] }, .mark = { n[9], n[10], n[11] },
	    .generation = n[12], .epoch = n[13], .dirs = n[14],
	    .whole = n[15] };
	return *line == ' ' && line[1] != '\0' && l->generation != 0 &&
	    l->generation <= UINT32_MAX ? line + 1 : NULL;
}

/* How many lines there were. */
static unsigned
read_lines(struct tar_known *k, FILE *f)
{
	struct tar_life life;
	char *line = NULL;
	const char *name;
	size_t cap = 0;
	ssize_t n;
	unsigned lines = 0;

	while ((n = getline(&line, &cap, f)) > 0) {
		lines++;
		/* One that is cut was never said to anybody. */
		if (line[n - 1] != '\n')
			continue;
		line[n - 1] = '\0';
		if ((name = read_line(line, &life)) != NULL)
			enter(k, name, &life);
	}
	free(line);
	return lines;
}

/* One line for each, in place of many.  The new file, or -1. */
static int
write_lines(struct tar_known *k, int dir)
{
	int fd = openat(dir, "archives.new", O_WRONLY | O_CREAT | O_TRUNC |
	    O_APPEND | O_CLOEXEC, 0600), err = 0;
	const struct entry *e;
	unsigned i;

	if (fd == -1)
		return -1;
	for (i = 0; i < BUCKETS && err == 0; i++)
		for (e = k->by_name[i]; e != NULL && err == 0; e = e->next)
			err = write_line(fd, e->name, &e->life);
	if (err == 0 && fsync(fd) == 0 &&
	    renameat(dir, "archives.new", dir, "archives") == 0)
		return fd;
	close(fd);
	unlinkat(dir, "archives.new", 0);
	return -1;
}

static unsigned
count(const struct tar_known *k)
{
	const struct entry *e;
	unsigned i, n = 0;

	for (i = 0; i < BUCKETS; i++)
		for (e = k->by_name[i]; e != NULL; e = e->next)
			n++;
	return n;
}

/* The file goes on behind a whole line. */
static void
open_file(struct tar_known *k, const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	unsigned lines = 0;
	FILE *f;

	if (dir == -1)
		return;
	fd = openat(dir, "archives", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd != -1 && (f = fdopen(fd, "r")) != NULL) {
		lines = read_lines(k, f);
		fclose(f);
	}
	if (lines > 2 * count(k) + 64)
		k->fd = write_lines(k, dir);
	if (k->fd == -1)
		k->fd = openat(dir, "archives", O_WRONLY | O_CREAT | O_APPEND |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (k->fd != -1 && write(k->fd, "\n", 1) != 1) {
		close(k->fd);
		k->fd = -1;
	}
	if (k->fd == -1)
		pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s/archives: %s: "
		    "handles will not survive a restart", path,
		    strerror(errno));
	close(dir);
}

/* ------------------------------------------------------------- for users -- */

char *
tar_known_name(struct tar_known *k, const struct stat *st, const char *path)
{
	const struct entry *e;
	struct stat its;
	char *name;

	pthread_mutex_lock(&k->lock);
	e = find(k, path);
	if (e == NULL || e->life.key.dev != st->st_dev ||
	    e->life.key.ino != st->st_ino)
		for (e = *ino_bucket(k, st->st_dev, st->st_ino); e != NULL;
		    e = e->ino_next)
			if (e->life.key.dev == st->st_dev &&
			    e->life.key.ino == st->st_ino &&
			    stat(e->name, &its) == 0 &&
			    its.st_dev == st->st_dev &&
			    its.st_ino == st->st_ino)
				break;
	name = strdup(e != NULL ? e->name : path);
	pthread_mutex_unlock(&k->lock);
	return name;
}

int
tar_known_life(struct tar_known *k, const char *name, int fd,
    struct tar_life *l)
{
	const struct entry *e;
	struct tar_key key;
	bool known;
	int err;

	if ((err = tar_key_of(&key, fd)) != 0)
		return err;
	pthread_mutex_lock(&k->lock);
	if ((known = (e = find(k, name)) != NULL))
		*l = e->life;
	pthread_mutex_unlock(&k->lock);
	if (known && memcmp(&l->key, &key, sizeof key) == 0)
		return 0;
	if (known && tar_life_goes_on(l, fd, &key)) {
		tar_known_put(k, name, l);
		return 0;
	}
	if (!known)
		*l = (struct tar_life){ 0 };
	tar_life_begin(l, &key);
	if ((err = tar_mark_of(fd, key.size, &l->mark)) == 0)
		tar_known_put(k, name, l);
	return err;
}

void
tar_known_put(struct tar_known *k, const char *name,
    const struct tar_life *l)
{
	pthread_mutex_lock(&k->lock);
	if (enter(k, name, l) == 0 && k->fd != -1 &&
	    write_line(k->fd, name, l) == ENOSPC)
		pinefs_log(PINEFS_LOG_WARNING, "tarfs: no space for the state "
		    "of archives: handles may not survive a restart");
	pthread_mutex_unlock(&k->lock);
}

struct tar_known *
tar_known_new(const char *dir)
{
	struct tar_known *k = calloc(1, sizeof *k);

	if (k == NULL)
		return NULL;
	k->fd = -1;
	pthread_mutex_init(&k->lock, NULL);
	if (dir != NULL)
		open_file(k, dir);
	return k;
}

void
tar_known_free(struct tar_known *k)
{
	struct entry *e, *next;
	unsigned i;

	if (k == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		for (e = k->by_name[i]; e != NULL; e = next) {
			next = e->next;
			free(e);
		}
	if (k->fd != -1)
		close(k->fd);
	pthread_mutex_destroy(&k->lock);
	free(k);
}
