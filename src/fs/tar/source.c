/*
 * Sources without a codec.  A file is never mapped: it may be cut under us,
 * and the pages would count as ours.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* ------------------------------------------------------------- a file -- */

struct file {
	struct tar_source	source;
	int			fd;
	uint64_t		size;
};

static int
read_with(int fd, uint64_t off, char *to, size_t len, size_t *got, int flags)
{
	size_t done = 0;
	struct iovec iov;
	ssize_t n;

	while (done < len && off + done <= INT64_MAX) {
		iov = (struct iovec){ to + done, len - done };
		n = preadv2(fd, &iov, 1, (off_t)(off + done), flags);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	*got = done;
	return 0;
}

static int
file_read(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	return read_with(((struct file *)s)->fd, off, to, len, got, 0);
}

/* File systems that cannot tell say EOPNOTSUPP; let a worker wait there. */
static int
file_try(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	int err = read_with(((struct file *)s)->fd, off, to, len, got,
	    RWF_NOWAIT);

	return err == EOPNOTSUPP ? EAGAIN : err;
}

static uint64_t
file_size(struct tar_source *s)
{
	return ((struct file *)s)->size;
}

static void
file_free(struct tar_source *s)
{
	close(((struct file *)s)->fd);
	free(s);
}

struct tar_source *
tar_source_file(int fd, uint64_t size)
{
	static const struct tar_source_ops ops = { .read = file_read,
	    .try_read = file_try, .size = file_size, .free = file_free };
	struct file *f = malloc(sizeof *f);

	if (f == NULL) {
		close(fd);
		return NULL;
	}
	/* Headers lie far apart: reading ahead reads what nobody wants. */
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	*f = (struct file){ { .ops = &ops }, fd, size };
	return &f->source;
}

/* --------------------------------------------------------------- memory -- */

struct memory {
	struct tar_source	source;
	const char		*base;
	size_t			 len;
};

static int
memory_read(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	const struct memory *m = (const struct memory *)s;

	*got = 0;
	if (off < m->len) {
		*got = len < m->len - off ? len : m->len - (size_t)off;
		memcpy(to, m->base + off, *got);
	}
	return 0;
}

static uint64_t
memory_size(struct tar_source *s)
{
	return ((struct memory *)s)->len;
}

static void
memory_free(struct tar_source *s)
{
	free(s);
}

struct tar_source *
tar_source_memory(const void *base, size_t len)
{
	static const struct tar_source_ops ops = { .read = memory_read,
	    .try_read = memory_read, .size = memory_size,
	    .free = memory_free };
	struct memory *m = malloc(sizeof *m);

	if (m == NULL)
		return NULL;
	*m = (struct memory){ { .ops = &ops }, base, len };
	return &m->source;
}
