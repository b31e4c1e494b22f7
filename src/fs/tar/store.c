/*
 * The store of blobs.  See store.h.  Without zstd they are kept as they
 * are.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "blocks.h"
#include "whole.h"

#if TAR_WITH_ZSTD
#include <zstd.h>

static size_t
pack_bound(size_t len)
{
	return ZSTD_compressBound(len);
}

static void *
packer_new(void)
{
	return ZSTD_createCCtx();
}

static void
packer_free(void *packer)
{
	ZSTD_freeCCtx(packer);
}

/* 0: better as it is. */
static size_t
pack(void *packer, void *to, size_t room, const void *from, size_t len)
{
	size_t n = ZSTD_compressCCtx(packer, to, room, from, len, 1);

	return ZSTD_isError(n) || n >= len ? 0 : n;
}

static int
unpack(void *to, size_t len, const void *from, size_t packed)
{
	return ZSTD_decompress(to, len, from, packed) == len ? 0 : EIO;
}
#else
static size_t
pack_bound(size_t len)
{
	return len;
}

static void *
packer_new(void)
{
	return malloc(1);
}

static void
packer_free(void *packer)
{
	free(packer);
}

static size_t
pack(void *packer, void *to, size_t room, const void *from, size_t len)
{
	(void)packer, (void)to, (void)room, (void)from, (void)len;
	return 0;
}

static int
unpack(void *to, size_t len, const void *from, size_t packed)
{
	(void)to, (void)len, (void)from, (void)packed;
	return EIO;
}
#endif

/* ----------------------------------------------------------------- file -- */

/* What a file begins with. */
struct head {
	char		magic[8];
	uint64_t	id;
};

static const char magic[8] = "pinetar1";

enum { FREE_MIN = 64 << 20, CHECK_EACH = 16 << 20 };

/* What is in memory moves to a file without a name.  With `add_lock` held. */
static int
to_file(struct tar_store *s)
{
	int err, fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd == -1)
		return errno;
	if ((err = tar_whole_write(fd, 0, s->memory, s->end)) != 0) {
		close(fd);
		return err;
	}
	pthread_rwlock_wrlock(&s->lock);
	free(s->memory);
	s->memory = NULL;
	s->cap = 0;
	s->fd = fd;
	pthread_rwlock_unlock(&s->lock);
	return 0;
}

/* The disk is left some room for others. */
static int
check_free(struct tar_store *s)
{
	struct statvfs st;

	if (s->end < s->checked)
		return 0;
	if (fstatvfs(s->fd, &st) == 0 &&
	    st.f_bavail < FREE_MIN / st.f_frsize)
		return ENOSPC;
	s->checked = s->end + CHECK_EACH;
	return 0;
}

static int
grow(struct tar_store *s, size_t len)
{
	uint64_t cap = s->cap;
	char *memory;

	while (cap < s->end + len)
		cap *= 2;
	if (cap == s->cap)
		return 0;
	pthread_rwlock_wrlock(&s->lock);
	if ((memory = realloc(s->memory, cap)) != NULL) {
		s->memory = memory;
		s->cap = cap;
	}
	pthread_rwlock_unlock(&s->lock);
	return memory == NULL ? ENOMEM : 0;
}

/* At the end, which stays where it is. */
static int
put(struct tar_store *s, const void *data, size_t len)
{
	int err;

	if (s->max != 0 && s->end + len > s->max)
		return ENOSPC;
	if (s->fd == -1 && s->dir != NULL && s->end + len > TAR_STORE_MEMORY
	    && (err = to_file(s)) != 0)
		return err;
	if (s->fd != -1)
		return (err = check_free(s)) != 0 ? err :
		    tar_whole_write(s->fd, s->end, data, len);
	if ((err = grow(s, len)) == 0)
		memcpy(s->memory + s->end, data, len);
	return err;
}

/* ---------------------------------------------------------------- blobs -- */

/* No defence against who may write to the file: that is the user alone. */
static uint64_t
sum_of(const char *p, size_t len)
{
	const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t h = len * k, word;

	for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
		memcpy(&word, p, sizeof word);
		h = (h ^ word) * k;
		h ^= h >> 32;
	}
	for (; len > 0; p++, len--)
		h = (h ^ (uint8_t)*p) * k;
	return h ^ h >> 32;
}

int
tar_store_add(struct tar_store *s, const void *base, size_t len,
    struct tar_blob *blob)
{
	const void *data = s->room;
	size_t packed = 0;
	int err;

	pthread_mutex_lock(&s->add_lock);
	if (len <= TAR_BLOCK_SIZE)
		packed = pack(s->packer, s->room, s->room_len, base, len);
	if (packed == 0) {
		data = base;
		packed = len;
	}
	if ((err = put(s, data, packed)) == 0) {
		*blob = (struct tar_blob){ s->end, (uint32_t)packed,
		    (uint32_t)len, sum_of(data, packed) };
		s->end += packed;
	}
	pthread_mutex_unlock(&s->add_lock);
	return err;
}

static int
open_blob(const struct tar_blob *blob, const char *packed, void *to)
{
	if (sum_of(packed, blob->packed) != blob->sum)
		return EIO;
	if (blob->packed != blob->len)
		return unpack(to, blob->len, packed, blob->packed);
	memcpy(to, packed, blob->len);
	return 0;
}

static int
get_of_file(struct tar_store *s, const struct tar_blob *blob, void *to)
{
	char *packed = malloc(blob->packed);
	int err;

	if (packed == NULL)
		return ENOMEM;
	err = tar_whole_read(s->fd, blob->off, packed, blob->packed);
	if (err == 0)
		err = open_blob(blob, packed, to);
	free(packed);
	return err;
}

int
tar_store_get(struct tar_store *s, const struct tar_blob *blob, void *to)
{
	int err;

	if (blob->packed > blob->len || blob->len > TAR_BLOCK_SIZE)
		return EIO;		/* the table is damaged */
	pthread_rwlock_rdlock(&s->lock);
	if (s->fd != -1)
		err = get_of_file(s, blob, to);
	else if (blob->off > s->cap || blob->packed > s->cap - blob->off)
		err = EIO;
	else
		err = open_blob(blob, s->memory + blob->off, to);
	pthread_rwlock_unlock(&s->lock);
	return err;
}

/* ------------------------------------------------------- begin and end -- */

static int
give_name(struct tar_store *s, const char *path)
{
	char from[40], *with;
	int err = 0;

	if (s->fd == -1 && (err = to_file(s)) != 0)
		return err;
	if (fdatasync(s->fd) == -1)
		return errno;
	snprintf(from, sizeof from, "/proc/self/fd/%d", s->fd);
	if (asprintf(&with, "%s.%d.new", path, (int)getpid()) == -1)
		return ENOMEM;
	unlink(with);
	if (linkat(AT_FDCWD, from, AT_FDCWD, with, AT_SYMLINK_FOLLOW) == -1)
		err = errno;
	else if (rename(with, path) == -1)
		err = errno;
	unlink(with);		/* still there if it was that file already */
	free(with);
	return err;
}

int
tar_store_save(struct tar_store *s, const char *path)
{
	int err;

	if (s->dir == NULL)
		return ENOTSUP;
	pthread_mutex_lock(&s->add_lock);
	err = give_name(s, path);
	pthread_mutex_unlock(&s->add_lock);
	return err;
}

int
tar_store_open(struct tar_store *s, const char *path, uint64_t id,
    uint64_t end)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	struct stat st;
	struct head h;

	if (fd == -1)
		return errno;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid() || (st.st_mode & 022) != 0 ||
	    (uint64_t)st.st_size < end ||
	    tar_whole_read(fd, 0, (char *)&h, sizeof h) != 0 ||
	    memcmp(h.magic, magic, sizeof magic) != 0 || h.id != id) {
		close(fd);
		return ESTALE;
	}
	if (s->fd != -1)
		close(s->fd);
	s->fd = fd;
	s->id = id;
	s->end = end;
	return 0;
}

/* Without a file memory ends sooner than the machine's. */
static uint64_t
memory_max(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages <= 0 || size <= 0 ? UINT64_C(1) << 30 :
	    (uint64_t)pages * (uint64_t)size / 4;
}

int
tar_store_init(struct tar_store *s, const char *dir, uint64_t max)
{
	struct head h;

	*s = (struct tar_store){ .dir = dir, .fd = -1, .max = max,
	    .room_len = pack_bound(TAR_BLOCK_SIZE), .cap = 64 << 10,
	    .end = sizeof h };
	if (dir == NULL && (max == 0 || max > memory_max()))
		s->max = memory_max();
	pthread_mutex_init(&s->add_lock, NULL);
	pthread_rwlock_init(&s->lock, NULL);
	s->packer = packer_new();
	s->room = malloc(s->room_len);
	s->memory = malloc(s->cap);
	if (s->packer == NULL || s->room == NULL || s->memory == NULL ||
	    getrandom(&s->id, sizeof s->id, 0) != sizeof s->id) {
		tar_store_fini(s);
		return ENOMEM;
	}
	memcpy(h.magic, magic, sizeof magic);
	h.id = s->id;
	memcpy(s->memory, &h, sizeof h);
	return 0;
}

void
tar_store_fini(struct tar_store *s)
{
	packer_free(s->packer);
	free(s->room);
	free(s->memory);
	if (s->fd != -1)
		close(s->fd);
	pthread_mutex_destroy(&s->add_lock);
	pthread_rwlock_destroy(&s->lock);
}
