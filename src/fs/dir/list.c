/*
 * Listings.  The order is that of the names' hashes, which are the cookies:
 * those of the kernel are places in a list on some file systems (tmpfs), and
 * move when something is removed.  So a directory is read whole, and what
 * was read is kept for its next pages as long as the directory is the same.
 */
#include "dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mounts.h"
#include "place.h"

enum { KEPT = 16, READ_AT_ONCE = 256 << 10, KEPT_BYTES = 256 << 20,
    IDLE = 30 /* s */ };

struct entry {
	uint64_t	cookie;
	uint64_t	fileid;
	size_t		name;		/* where in names */
	uint32_t	len;
};

struct list {
	unsigned	 users;
	uint64_t	 fileid;	/* of the directory */
	unsigned	 mods;
	time_t		 used;		/* the last time */
	struct statx_timestamp mtime, ctime;
	struct entry	*entry;
	size_t		 n, cap;
	char		*names;
	size_t		 names_len, names_cap;
};

struct dir_lists {
	pthread_mutex_t	 lock;
	struct list	*kept[KEPT];
	unsigned	 next;		/* to be replaced */
};

/* ------------------------------------------------------------------ a list -- */

static void
list_free(struct list *l)
{
	free(l->entry);
	free(l->names);
	free(l);
}

/* Hash 0 is no cookie, and the highest are the library's. */
uint64_t
dir_cookie(const char *name, size_t len)
{
	static const uint8_t key[16];

	return (pinefs_hash(key, name, len) >> 2) + 1;
}

/* More room, doubled.  False: no memory. */
static bool
room(void **base, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap == 0 ? 64 : *cap;
	void *more;

	if (need <= *cap)
		return true;
	while (n < need)
		n *= 2;
	if ((more = realloc(*base, n * size)) == NULL)
		return false;
	*base = more;
	*cap = n;
	return true;
}

static int
add(struct list *l, uint64_t fileid, const char *name)
{
	size_t len = strlen(name);
	void *entries = l->entry, *names = l->names;
	bool good;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	good = room(&entries, &l->cap, l->n + 1, sizeof *l->entry);
	l->entry = entries;
	good = good && room(&names, &l->names_cap, l->names_len + len + 1, 1);
	l->names = names;
	if (!good)
		return ENOMEM;
	l->entry[l->n++] = (struct entry){ .cookie = dir_cookie(name, len),
	    .fileid = fileid, .name = l->names_len, .len = (uint32_t)len };
	memcpy(l->names + l->names_len, name, len + 1);
	l->names_len += len + 1;
	return 0;
}

static int
compare(const void *a, const void *b, void *names)
{
	const struct entry *x = a, *y = b;

	if (x->cookie != y->cookie)
		return x->cookie < y->cookie ? -1 : 1;
	return strcmp((char *)names + x->name, (char *)names + y->name);
}

static void
sort(struct list *l)
{
	size_t i;

	if (l->n == 0)
		return;
	qsort_r(l->entry, l->n, sizeof *l->entry, compare, l->names);
	for (i = 1; i < l->n; i++)
		if (l->entry[i].cookie <= l->entry[i - 1].cookie)
			l->entry[i].cookie = l->entry[i - 1].cookie + 1;
}

static int
read_all(struct list *l, int fd)
{
	char *buf = malloc(READ_AT_ONCE);
	const struct dirent64 *e;
	ssize_t n = 0, at;
	int err = buf == NULL ? ENOMEM : 0;

	while (err == 0 && (n = getdents64(fd, buf, READ_AT_ONCE)) > 0) {
		for (at = 0; at < n && err == 0; at += e->d_reclen) {
			e = (const struct dirent64 *)(buf + at);
			err = add(l, e->d_ino, e->d_name);
		}
	}
	if (n == -1)
		err = errno;
	free(buf);
	return err;
}

/* dir_mounts_each's: what is mounted there is not ours to show.  Linear, for
 * there are few. */
static void
take_out(void *arg, const char *name)
{
	struct list *l = arg;
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->names + l->entry[i].name, name) == 0)
			break;
	if (i < l->n)
		l->entry[i] = l->entry[--l->n];
}

/* As it is now, read as the thread's identity. */
static int
list_new(struct dir_fs *d, struct dir_object *dir, const struct statx *st, unsigned mods,
    struct list **to)
{
	struct list *l = calloc(1, sizeof *l);
	int fd, err;

	if (l == NULL)
		return ENOMEM;
	l->users = 1;
	l->fileid = dir->key.fileid;
	l->mods = mods;
	l->mtime = st->stx_mtime;
	l->ctime = st->stx_ctime;
	/* Through /proc: "." would take the right to search. */
	fd = open(dir_proc_of(atomic_load(&dir->fd[DIR_PATH])).path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd == -1 ? errno : read_all(l, fd);
	if (fd != -1)
		close(fd);
	if (err != 0) {
		list_free(l);
		return err;
	}
	dir_mounts_each(d, atomic_load(&dir->fd[DIR_PATH]), take_out, l);
	sort(l);
	*to = l;
	return 0;
}

/* -------------------------------------------------------------- kept ones -- */

static void
list_put(struct dir_lists *t, struct list *l)
{
	bool last;

	pthread_mutex_lock(&t->lock);
	last = --l->users == 0;
	pthread_mutex_unlock(&t->lock);
	if (last)
		list_free(l);
}

static bool
is_same(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* The list of this directory as it was read, if it is still the same. */
static struct list *
kept(struct dir_lists *t, const struct dir_object *dir,
    const struct statx *st, unsigned mods)
{
	struct list *l, *found = NULL;
	unsigned i;

	pthread_mutex_lock(&t->lock);
	for (i = 0; i < KEPT && found == NULL; i++) {
		l = t->kept[i];
		if (l != NULL && l->fileid == dir->key.fileid &&
		    l->mods == mods && is_same(&l->mtime, &st->stx_mtime) &&
		    is_same(&l->ctime, &st->stx_ctime))
			found = l;
	}
	if (found != NULL)
		found->users++;
	pthread_mutex_unlock(&t->lock);
	return found;
}

static size_t
bytes_of(const struct list *l)
{
	return l->cap * sizeof *l->entry + l->names_cap;
}

static time_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

/* In the place of what was kept of this directory, or of the oldest. */
static void
keep(struct dir_lists *t, struct list *l)
{
	struct list *old;
	unsigned i;

	pthread_mutex_lock(&t->lock);
	for (i = 0; i < KEPT; i++)
		if (t->kept[i] != NULL && t->kept[i]->fileid == l->fileid)
			break;
	if (i == KEPT)
		i = t->next++ % KEPT;
	old = t->kept[i];
	t->kept[i] = l;
	l->used = now();
	l->users++;
	pthread_mutex_unlock(&t->lock);
	if (old != NULL)
		list_put(t, old);
}

/* Somebody began to list them and went away; or they are too much. */
void
dir_lists_sweep(struct dir_lists *t)
{
	struct list *gone[KEPT] = { NULL };
	size_t sum = 0;
	unsigned i;

	pthread_mutex_lock(&t->lock);
	for (i = 0; i < KEPT; i++) {
		if (t->kept[i] == NULL)
			continue;
		sum += bytes_of(t->kept[i]);
		if (sum > KEPT_BYTES || t->kept[i]->used + IDLE < now()) {
			sum -= bytes_of(t->kept[i]);
			gone[i] = t->kept[i];
			t->kept[i] = NULL;
		}
	}
	pthread_mutex_unlock(&t->lock);
	for (i = 0; i < KEPT; i++)
		if (gone[i] != NULL)
			list_put(t, gone[i]);
}

/* It was listed to its end. */
static void
forget(struct dir_lists *t, struct list *l)
{
	unsigned i;

	pthread_mutex_lock(&t->lock);
	for (i = 0; i < KEPT; i++) {
		if (t->kept[i] == l) {
			t->kept[i] = NULL;
			l->users--;
		}
	}
	pthread_mutex_unlock(&t->lock);
}

struct dir_lists *
dir_lists_new(void)
{
	struct dir_lists *t = calloc(1, sizeof *t);

	if (t != NULL)
		pthread_mutex_init(&t->lock, NULL);
	return t;
}

void
dir_lists_free(struct dir_lists *t)
{
	unsigned i;

	if (t == NULL)
		return;
	for (i = 0; i < KEPT; i++)
		if (t->kept[i] != NULL)
			list_put(t, t->kept[i]);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* ---------------------------------------------------------------- listing -- */

/* 0: go on; non-zero: there is no room for more. */
static int
emit(struct dir_fs *d, struct dir_object *dir, const struct list *l,
    const struct entry *e, struct pinefs_emit *to)
{
	const char *name = l->names + e->name;
	struct pinefs_ident id = { .fileid = e->fileid, .generation = 1 };
	struct dir_object *o;
	struct pinefs_attr attr;
	struct dir_key key;
	struct dir_dev dev;
	struct statx st;
	unsigned mods = 0;
	int at = atomic_load(&dir->fd[DIR_PATH]);

	if (pinefs_emit_want(to) == 0)
		return pinefs_emit(to, (struct pinefs_name){ name, e->len },
		    &id, e->cookie, NULL);
	/* Gone, or mounted there. */
	if (statx(at, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, DIR_STATX,
	    &st) == -1)
		return 0;
	dev = dir_dev_of(&st);
	if (!dir_dev_equal(&dev, &d->dev))
		return 0;
	if ((o = dir_find(d, st.stx_ino)) != NULL) {
		key = o->key;
		mods = atomic_load(&o->mods);
	} else {
		dir_key_make(&key, at, name, &st);
	}
	dir_attr_of(o, &st, mods, &attr);
	if (o != NULL)
		dir_put(d, o);
	/* Without memory for that the name has to be looked up first. */
	(void)dir_places_note(d, &key, &dir->key, name);
	id = (struct pinefs_ident){ key.fileid, key.generation, key.own,
	    key.own_len };
	return pinefs_emit(to, (struct pinefs_name){ name, e->len }, &id,
	    e->cookie, &attr);
}

/* The first entry behind that cookie. */
static size_t
first_after(const struct list *l, uint64_t after)
{
	size_t low = 0, high = l->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (l->entry[mid].cookie <= after)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int
list_from(struct dir_fs *d, struct dir_object *dir, uint64_t after,
    struct pinefs_emit *to)
{
	unsigned mods = atomic_load(&dir->mods);
	struct list *l = NULL;
	struct statx st;
	size_t i;
	int err;

	if (statx(atomic_load(&dir->fd[DIR_PATH]), "", AT_EMPTY_PATH,
	    DIR_STATX, &st) == -1)
		return errno;
	/* One that begins sees what there is now. */
	if (after != 0)
		l = kept(d->lists, dir, &st, mods);
	if (l == NULL && (err = list_new(d, dir, &st, mods, &l)) != 0)
		return err;
	/* Who may read it sees what is there, searched or not. */
	dir_who_server();
	for (i = first_after(l, after); i < l->n; i++)
		if (emit(d, dir, l, &l->entry[i], to) != 0)
			break;
	if (i < l->n)
		keep(d->lists, l);
	else
		forget(d->lists, l);
	list_put(d->lists, l);
	dir_lists_sweep(d->lists);
	return 0;
}

int
dir_readdir(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *emit_to)
{
	struct dir_fs *d = dir_of(node);
	struct dir_object *dir;
	int err;

	if ((err = dir_get(node, &dir)) != 0)
		return err;
	if ((err = dir_who_become(pinefs_call_cred(call))) == 0)
		err = list_from(d, dir, after, emit_to);
	dir_put(d, dir);
	return err;
}
