/* Files as memory.  See map.h. */
#include "base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/magic.h>
#include <sys/statfs.h>
#endif

#include "base/clock.h"

enum {
	GRANULE = 32 << 10,	/* bytes that are noted as one */
	SLOTS_LEAST = 64, SLOTS_MOST = 16384,
	MOMENT = 4096,		/* ms */
	MAPS_MOST = 256,
	SHARE = 8		/* of memory that may be mapped: one in so many */
};

#define F2FS_MAGIC	0xf2f52010	/* <linux/magic.h> of old has none */

struct pinefs_map {
	const char		*base;
	size_t			 len;
	uint64_t		 size;		/* of the file, at first */
	int			 fd;
	bool			 holes_cost;
	atomic_uint		 refs;
	/* Each: a granule that was read, and in which moment, as note() has
	 * it; at its number modulo slots, the newest wins. */
	size_t			 slots;
	_Atomic uint64_t	 read[];
};

/* Of all that are mapped. */
static struct {
	pthread_mutex_t	lock;
	unsigned	n;
	uint64_t	bytes;		/* of their files */
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ------------------------------------------------------- making, ending -- */

/*
 * File systems whose pages stay in memory, and are one with what read(2)
 * says.  Others may take a page away and ask somebody far for it, who does
 * not answer (FUSE, NFS), or have two inodes for one file (overlayfs).
 */
static bool
is_local(int fd, bool *holes_cost)
{
#ifdef __linux__
	struct statfs f;

	if (fstatfs(fd, &f) == -1)
		return false;
	*holes_cost = f.f_type == TMPFS_MAGIC;
	return f.f_type == TMPFS_MAGIC || f.f_type == EXT4_SUPER_MAGIC ||
	    f.f_type == XFS_SUPER_MAGIC || f.f_type == BTRFS_SUPER_MAGIC ||
	    f.f_type == F2FS_MAGIC;
#else
	(void)fd, (void)holes_cost;
	return false;
#endif
}

/* The kernel takes what is mapped for ours when memory is short. */
static bool
count_in(uint64_t size)
{
	uint64_t most = (uint64_t)sysconf(_SC_PHYS_PAGES) *
	    (uint64_t)sysconf(_SC_PAGESIZE) / SHARE;
	bool fits;

	pthread_mutex_lock(&all.lock);
	fits = all.n < MAPS_MOST && all.bytes + size <= most;
	if (fits) {
		all.n++;
		all.bytes += size;
	}
	pthread_mutex_unlock(&all.lock);
	return fits;
}

static void
count_out(uint64_t size)
{
	pthread_mutex_lock(&all.lock);
	all.n--;
	all.bytes -= size;
	pthread_mutex_unlock(&all.lock);
}

static struct pinefs_map *
new(uint64_t size)
{
	size_t slots = SLOTS_LEAST;
	struct pinefs_map *m;

	while (slots < SLOTS_MOST && slots < size / GRANULE)
		slots *= 2;
	m = calloc(1, sizeof *m + slots * sizeof m->read[0]);
	if (m == NULL)
		return NULL;
	m->slots = slots;
	m->size = size;
	/* It may grow, and addresses cost nothing. */
	m->len = (size_t)size * 2;
	m->fd = -1;
	m->base = MAP_FAILED;
	atomic_init(&m->refs, 1);
	return m;
}

/* errno is kept. */
static void
free_map(struct pinefs_map *m)
{
	int err = errno;

	if (m->base != MAP_FAILED)
		munmap((void *)(uintptr_t)m->base, m->len);
	if (m->fd != -1)
		close(m->fd);
	count_out(m->size);
	free(m);
	errno = err;
}

struct pinefs_map *
pinefs_map_new(int fd, uint64_t size)
{
	struct pinefs_map *m;
	bool holes_cost;

	if (size == 0 || size > SIZE_MAX / 4 || !is_local(fd, &holes_cost) ||
	    !count_in(size)) {
		errno = ENOTSUP;
		return NULL;
	}
	if ((m = new(size)) == NULL) {
		count_out(size);
		return NULL;
	}
	m->holes_cost = holes_cost;
	if ((m->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) != -1)
		m->base = mmap(NULL, m->len, PROT_READ, MAP_SHARED, m->fd, 0);
	if (m->base == MAP_FAILED) {
		free_map(m);
		return NULL;
	}
	/* A child would hold the file, and its space, for as long as it lives. */
	(void)madvise((void *)(uintptr_t)m->base, m->len, MADV_DONTFORK);
	return m;
}

void
map_get(struct pinefs_map *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
}

void
pinefs_map_put(void *map)
{
	struct pinefs_map *m = map;

	if (m != NULL && atomic_fetch_sub_explicit(&m->refs, 1,
	    memory_order_acq_rel) == 1)
		free_map(m);
}

/* -------------------------------------------------------------- lending -- */

/* What says that this granule was read in this moment. */
static uint64_t
note(uint64_t granule)
{
	return granule << 20 | ((clock_coarse_ms() / MOMENT) & 0xfffff);
}

int
map_fd(const struct pinefs_map *m)
{
	return m->fd;
}

void
map_was_read(struct pinefs_map *m, uint64_t off, size_t len, bool to_end)
{
	uint64_t g = (off + GRANULE - 1) / GRANULE, end = (off + len) / GRANULE;

	if (to_end && (off + len) % GRANULE != 0)
		end++;
	if (g >= end)
		return;
	/* The first hole, or the end of the file. */
	if (m->holes_cost &&
	    lseek(m->fd, (off_t)off, SEEK_HOLE) < (off_t)(off + len))
		return;
	for (; g < end; g++)
		atomic_store_explicit(&m->read[g % m->slots], note(g),
		    memory_order_relaxed);
}

const void *
map_lend(struct pinefs_map *m, uint64_t off, size_t len)
{
	uint64_t g, end = (off + len + GRANULE - 1) / GRANULE;

	if (off > m->len || len > m->len - off)
		return NULL;
	for (g = off / GRANULE; g < end; g++)
		if (atomic_load_explicit(&m->read[g % m->slots],
		    memory_order_relaxed) != note(g))
			return NULL;
	return m->base + off;
}

int
map_copy(void *map, void *to, const void *from, size_t len)
{
	struct pinefs_map *m = map;
	off_t off = (const char *)from - m->base;
	size_t done = 0;
	ssize_t n = 0;

	while (done < len) {
		n = pread(m->fd, (char *)to + done, len - done,
		    off + (off_t)done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (n == -1)
		return errno;
	memset((char *)to + done, 0, len - done);
	return 0;
}
