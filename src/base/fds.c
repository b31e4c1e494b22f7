/* Descriptors and fork.  See fds.h. */
#include "base/fds.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BITS = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
take(void)
{
	pthread_mutex_lock(&lock);
}

static void
let_go(void)
{
	pthread_mutex_unlock(&lock);
}

/* In the child it is the thread that took it that lets go of it, too. */
static void
hook_fork(void)
{
	(void)pthread_atfork(take, let_go, let_go);
}

void
fds_begin(void)
{
	(void)pthread_once(&once, hook_fork);
	take();
}

static int
note(struct fds *f, size_t fd)
{
	size_t words = fd / BITS + 1;
	uint64_t *map;

	if (words > f->words) {
		words += words / 2;
		if ((map = realloc(f->map, words * sizeof *map)) == NULL)
			return ENOMEM;
		memset(map + f->words, 0, (words - f->words) * sizeof *map);
		f->map = map;
		f->words = words;
	}
	f->map[fd / BITS] |= UINT64_C(1) << fd % BITS;
	return 0;
}

int
fds_end(struct fds *f, int fd)
{
	int err = errno;

	if (f != NULL && fd != -1 && note(f, (size_t)fd) != 0) {
		(void)close(fd);
		err = ENOMEM;
		fd = -1;
	}
	let_go();
	errno = err;
	return fd;
}

void
fds_close(struct fds *f, int fd)
{
	size_t word = (size_t)fd / BITS;

	fds_begin();
	(void)close(fd);
	if (f != NULL && word < f->words)
		f->map[word] &= ~(UINT64_C(1) << (size_t)fd % BITS);
	let_go();
}

void
fds_fork_child(struct fds *f)
{
	size_t fd;

	for (fd = 0; fd < f->words * BITS; fd++)
		if (f->map[fd / BITS] >> fd % BITS & 1)
			(void)close((int)fd);
	fds_fini(f);
}

void
fds_fini(struct fds *f)
{
	free(f->map);
	*f = (struct fds){ NULL, 0 };
}
