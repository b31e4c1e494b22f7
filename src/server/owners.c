/*
 * Users and groups by name, from /etc/passwd and /etc/group themselves.  Not
 * by getpwnam(3): behind it may be a directory service, and a loop that waits
 * for the network serves nobody.  Nor by fgetpwent(3), which is not for
 * several threads, while this is part of other people's programs.
 *
 * Most clients never ask: they send numbers.  Linux does until a BADOWNER
 * makes it send names for the rest of the mount, so a name that is known here
 * should not be refused.
 *
 * A file is kept as it is, and read again when another stands in its place or
 * it has been changed, which is looked at once a second.  Both files begin
 * their lines alike: NAME:PASSWORD:ID:
 */
#include "server/owners.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { FILE_MAX = 4 << 20, LOOK_MS = 1000 };

struct file {
	const char	*path;
	char		*text;		/* NULL: there are no names */
	size_t		 len;
	bool		 looked;
	uint64_t	 looked_ms;	/* then */
	struct stat	 st;		/* of what `text` is */
};

struct owners {
	pthread_mutex_t	lock;		/* of what follows */
	struct file	users, groups;
};

/* ---------------------------------------------------------------- the file -- */

static void
forget(struct file *f)
{
	free(f->text);
	f->text = NULL;
	f->len = 0;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* All of it, or as much as there still is. */
static int
read_text(struct file *f, int fd, size_t size)
{
	ssize_t n;

	/* One more, so that an empty file is not "no memory". */
	if ((f->text = malloc(size + 1)) == NULL)
		return ENOMEM;
	while (f->len < size) {
		n = read(fd, f->text + f->len, size - f->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno;
		if (n == 0)
			break;
		f->len += (size_t)n;
	}
	return 0;
}

static int
read_file(struct file *f)
{
	int fd, err = 0;

	/* Whatever stands there must not keep us. */
	fd = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return errno;
	if (fstat(fd, &f->st) == -1)
		err = errno;
	else if (!S_ISREG(f->st.st_mode))
		err = EINVAL;
	else if (f->st.st_size > FILE_MAX)
		err = EFBIG;
	else
		err = read_text(f, fd, (size_t)f->st.st_size);
	close(fd);
	return err;
}

/* Have the file as it is now, or was a second ago. */
static void
look(struct file *f)
{
	static struct log_limit limit;
	uint64_t now = clock_boot_ms();
	struct stat st;
	int err;

	if (f->looked && now - f->looked_ms < LOOK_MS)
		return;
	f->looked = true;
	f->looked_ms = now;
	if (f->text != NULL && stat(f->path, &st) == 0 && is_same(&st, &f->st))
		return;
	forget(f);
	if ((err = read_file(f)) == 0)
		return;
	forget(f);
	if (err != ENOENT)
		log_limited(&limit, "%s: %s: clients cannot use its names",
		    f->path, strerror(err));
}

/* ------------------------------------------------------------------- names -- */

/* Digits up to a colon, of 32 bits. */
static bool
number(const char *p, const char *end, uint32_t *id)
{
	const char *start = p;
	uint64_t v = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if ((v = v * 10 + (uint64_t)(*p - '0')) > UINT32_MAX)
			return false;
	if (p == start || p == end || *p != ':')
		return false;
	*id = (uint32_t)v;
	return true;
}

/* Is this the line of `name`, and has it an id? */
static bool
line_id(const char *p, const char *end, const char *name, size_t len,
    uint32_t *id)
{
	if ((size_t)(end - p) <= len || p[len] != ':' ||
	    memcmp(p, name, len) != 0)
		return false;
	p += len + 1;
	p = memchr(p, ':', (size_t)(end - p));	/* after the password */
	return p != NULL && number(p + 1, end, id);
}

/* Linear, the first one counts: 4 MiB are some 60 000 users.  A table when
 * clients ask often. */
static int
find(const struct file *f, const char *name, size_t len, uint32_t *id)
{
	const char *p = f->text, *end, *line_end;

	if (p == NULL)
		return EINVAL;
	for (end = p + f->len; p < end; p = line_end + 1) {
		line_end = memchr(p, '\n', (size_t)(end - p));
		if (line_end == NULL)
			line_end = end;
		if (line_id(p, line_end, name, len, id))
			return 0;
	}
	return EINVAL;
}

int
owners_id(void *arg, const char *name, uint32_t len, bool group,
    uint32_t *id)
{
	const char *at = len == 0 ? NULL : memchr(name, '@', len);
	size_t name_len = at == NULL ? len : (size_t)(at - name);
	struct owners *o = arg;
	struct file *f = group ? &o->groups : &o->users;
	int err;

	/* A colon would reach into the next field. */
	if (name_len == 0 || memchr(name, ':', name_len) != NULL)
		return EINVAL;
	pthread_mutex_lock(&o->lock);
	look(f);
	err = find(f, name, name_len, id);
	pthread_mutex_unlock(&o->lock);
	return err;
}

/* -------------------------------------------------------------- life, death -- */

struct owners *
owners_new(const char *passwd, const char *group)
{
	struct owners *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	pthread_mutex_init(&o->lock, NULL);
	o->users.path = passwd;
	o->groups.path = group;
	return o;
}

void
owners_free(struct owners *o)
{
	if (o == NULL)
		return;
	forget(&o->users);
	forget(&o->groups);
	pthread_mutex_destroy(&o->lock);
	free(o);
}
