/* Files as memory.  See map.h. */
#include "vfs/map.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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
	/* May be mapped, of memory; may be taken, of descriptors: one in */
	MEMORY_SHARE = 4, FDS_SHARE = 16
};

#define F2FS_MAGIC	0xf2f52010	/* <linux/magic.h> of old has none */

struct pinefs_map {
	const char		*base;
	size_t			 len;
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
	long		n;
	uint64_t	bytes;
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
static uint64_t
bytes_most(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) *
	    (uint64_t)sysconf(_SC_PAGESIZE) / MEMORY_SHARE;
}

static bool
count_in(size_t len)
{
	uint64_t bytes = bytes_most();
	long fds = sysconf(_SC_OPEN_MAX), most = MAPS_MOST;
	bool fits;

	if (fds >= 0 && fds / FDS_SHARE < most)
		most = fds / FDS_SHARE;
	pthread_mutex_lock(&all.lock);
	fits = all.n < most && all.bytes + len <= bytes;
	if (fits) {
		all.n++;
		all.bytes += len;
	}
	pthread_mutex_unlock(&all.lock);
	return fits;
}

static void
count_out(size_t len)
{
	pthread_mutex_lock(&all.lock);
	all.n--;
	all.bytes -= len;
	pthread_mutex_unlock(&all.lock);
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
	count_out(m->len);
	free(m);
	errno = err;
}

/* Counted already. */
static struct pinefs_map *
new(size_t len)
{
	size_t slots = SLOTS_LEAST;
	struct pinefs_map *m;

	while (slots < SLOTS_MOST && slots < len / GRANULE)
		slots *= 2;
	m = calloc(1, sizeof *m + slots * sizeof m->read[0]);
	if (m == NULL) {
		count_out(len);
		return NULL;
	}
	m->slots = slots;
	m->len = len;
	m->fd = -1;
	m->base = MAP_FAILED;
	atomic_init(&m->refs, 1);
	return m;
}

struct pinefs_map *
pinefs_map_new(int fd, uint64_t size)
{
	/* It may grow, and addresses cost nothing. */
	size_t len = size > SIZE_MAX / 4 ? 0 : (size_t)size * 2;
	struct pinefs_map *m;
	bool holes_cost = false;

	if (len == 0 || len > bytes_most() || !is_local(fd, &holes_cost)) {
		errno = ENOTSUP;
		return NULL;
	}
	if (!count_in(len)) {
		errno = EAGAIN;
		return NULL;
	}
	if ((m = new(len)) == NULL)
		return NULL;
	m->holes_cost = holes_cost;
	if ((m->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) != -1)
		m->base = mmap(NULL, m->len, PROT_READ, MAP_SHARED, m->fd, 0);
	if (m->base == MAP_FAILED) {
		free_map(m);
		return NULL;
	}
#ifdef MADV_DONTFORK
	/* Of no use to a child, which would hold the file's space by it. */
	(void)madvise((void *)(uintptr_t)m->base, m->len, MADV_DONTFORK);
#endif
	return m;
}

/* Was it the last? */
static bool
put(struct pinefs_map *m)
{
	return atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) ==
	    1;
}

void
pinefs_map_put(struct pinefs_map *m)
{
	if (m != NULL && put(m))
		free_map(m);
}

static void *
free_on_thread(void *map)
{
	free_map(map);
	return NULL;
}

/*
 * Rarely the last: the client was slower than whoever gave up the map.  Then
 * the file may be a removed one, and the kernel frees all of it now, for which
 * no loop is to wait.
 */
void
map_take_back(void *map)
{
	sigset_t all_signals, was;
	pthread_attr_t attr;
	pthread_t thread;

	if (!put(map))
		return;
	sigfillset(&all_signals);
	pthread_sigmask(SIG_SETMASK, &all_signals, &was);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, free_on_thread, map) != 0)
		free_map(map);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
}

/* -------------------------------------------------------------- lending -- */

/* What says that this granule was read in this moment: never 0. */
static uint64_t
note(uint64_t granule)
{
	return granule << 20 | (clock_coarse_ms() / MOMENT % 0xfffff + 1);
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
	if (off > m->len || len > m->len - off)
		return;
	for (; g < end; g++)
		atomic_store_explicit(&m->read[g % m->slots], note(g),
		    memory_order_relaxed);
}

/*
 * SEEK_HOLE would look through all of the file.  What is allocated beyond its
 * end may make up for holes, which are filled then; so are those that somebody
 * on this host makes before the bytes leave.
 */
static bool
has_holes(const struct pinefs_map *m)
{
	struct stat st;

	return fstat(m->fd, &st) == -1 || st.st_blocks < st.st_size / 512;
}

const void *
map_lend(struct pinefs_map *m, uint64_t off, size_t len)
{
	uint64_t g, end = (off + len + GRANULE - 1) / GRANULE;

	/* Less than a granule is cheaper copied. */
	if (len < GRANULE || off > m->len || len > m->len - off)
		return NULL;
	for (g = off / GRANULE; g < end; g++)
		if (atomic_load_explicit(&m->read[g % m->slots],
		    memory_order_relaxed) != note(g))
			return NULL;
	if (m->holes_cost && has_holes(m))
		return NULL;
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
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
