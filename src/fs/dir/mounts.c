/*
 * What is mounted below the directory.  A plain listing asks nothing else of
 * its names, and the kernel lists the names of mount points as any other, so
 * they are taken out by the table of mounts (proc(5)).  It is read again when
 * the kernel says that it has changed; mostly nothing in it is of ours.
 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"

enum { READ_AT_ONCE = 64 << 10, MOUNT_POINT = 4 /* the field of a line */ };

struct dir_mounts {
	pthread_mutex_t	 lock;
	int		 fd;
	char		*paths;		/* of ours, each with its NUL */
	size_t		 len;
	bool		 was_read;	/* and nothing has changed since */
	char		 root[DIR_PATH_ROOM];	/* what lies below it is ours */
};

struct dir_mounts *
dir_mounts_new(void)
{
	struct dir_mounts *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	t->fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	return t;
}

void
dir_mounts_free(struct dir_mounts *t)
{
	if (t == NULL)
		return;
	if (t->fd != -1)
		close(t->fd);
	pthread_mutex_destroy(&t->lock);
	free(t->paths);
	free(t);
}

/* All of the table; NULL: without memory, or it cannot be read. */
static char *
read_all(int fd)
{
	size_t cap = READ_AT_ONCE, len = 0;
	char *text = malloc(cap + 1), *more;
	ssize_t n = -1;

	while (text != NULL && (n = pread(fd, text + len, cap - len,
	    (off_t)len)) > 0) {
		len += (size_t)n;
		if (len < cap)
			continue;
		cap *= 2;
		if ((more = realloc(text, cap + 1)) == NULL)
			break;
		text = more;
	}
	if (n != 0) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

/* "\040" is a blank, in place; where it ends. */
static char *
decode(char *field)
{
	char *from = field, *to = field;

	for (; *from != '\0' && *from != ' '; to++) {
		if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
			*to = (char)((from[1] - '0') << 6 |
			    (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	return to;
}

/* Keep those paths of the table that lie below the root. */
static void
keep_ours(struct dir_mounts *t, char *text, const char *root)
{
	char *line, *next, *field, *end;
	size_t n = strlen(root);
	unsigned i;

	t->len = 0;
	n -= n > 0 && root[n - 1] == '/';	/* that is "/" */
	for (line = text; *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		for (field = line, i = 0; field != NULL && i < MOUNT_POINT;
		    i++)
			if ((field = strchr(field, ' ')) != NULL)
				field++;
		if (field == NULL || field >= next)
			continue;
		end = decode(field);
		if ((size_t)(end - field) <= n + 1 ||
		    memcmp(field, root, n) != 0 || field[n] != '/')
			continue;
		/* It moves forward to where others were. */
		memmove(text + t->len, field, (size_t)(end - field));
		t->len += (size_t)(end - field);
		text[t->len++] = '\0';
	}
	free(t->paths);
	t->paths = text;
}

static void
refresh(struct dir_mounts *t, const struct dir_fs *d)
{
	struct pollfd p = { .fd = t->fd, .events = POLLPRI };
	char root[DIR_PATH_ROOM], *text;

	if (t->fd == -1 || !dir_path_of(d->root, root))
		return;
	/* The kernel tells of a change once; of a renamed root it does not. */
	if (poll(&p, 1, 0) > 0 || strcmp(root, t->root) != 0)
		t->was_read = false;
	if (t->was_read || (text = read_all(t->fd)) == NULL)
		return;
	keep_ours(t, text, root);
	strcpy(t->root, root);
	t->was_read = true;
}

void
dir_mounts_each(const struct dir_fs *d, int fd,
    void (*fn)(void *arg, const char *name), void *arg)
{
	struct dir_mounts *t = d->mounts;
	char dir[DIR_PATH_ROOM];
	const char *p;
	size_t n;

	pthread_mutex_lock(&t->lock);
	refresh(t, d);
	if (t->len > 0 && dir_path_of(fd, dir)) {
		n = strlen(dir);
		n -= n > 0 && dir[n - 1] == '/';
		for (p = t->paths; p < t->paths + t->len;
		    p += strlen(p) + 1)
			if (strncmp(p, dir, n) == 0 && p[n] == '/' &&
			    strchr(p + n + 1, '/') == NULL)
				fn(arg, p + n + 1);
	}
	pthread_mutex_unlock(&t->lock);
}
