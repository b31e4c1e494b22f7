/*
 * The store of blobs.  See store.h.  Without zstd they are kept as they
 * are.
 */
#include "store.h"

#include <pinefs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "whole.h"

#if TAR_WITH_ZSTD
#include <zstd.h>

enum { ROOM = ZSTD_COMPRESSBOUND(TAR_BLOB_MAX) };

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
pack(void *packer, void *to, const void *from, size_t len)
{
	size_t n = ZSTD_compressCCtx(packer, to, ROOM, from, len, -1);

	return ZSTD_isError(n) || n >= len ? 0 : n;
}

static pthread_key_t unpacker;
static bool have_unpackers;
static pthread_once_t unpacker_once = PTHREAD_ONCE_INIT;

static void
unpacker_free(void *z)
{
	ZSTD_freeDCtx(z);
}

static void
unpacker_make(void)
{
	have_unpackers = pthread_key_create(&unpacker, unpacker_free) == 0;
}

/* The thread's, 160 KB, which it keeps until it ends: to make one costs as much
 * as a small blob.  NULL: no memory. */
static ZSTD_DCtx *
my_unpacker(void)
{
	ZSTD_DCtx *z;

	(void)pthread_once(&unpacker_once, unpacker_make);
	if (!have_unpackers)
		return NULL;
	if ((z = pthread_getspecific(unpacker)) != NULL)
		return z;
	if ((z = ZSTD_createDCtx()) != NULL &&
	    pthread_setspecific(unpacker, z) != 0) {
		ZSTD_freeDCtx(z);
		return NULL;
	}
	return z;
}

static int
unpack(void *to, size_t len, const void *from, size_t packed)
{
	ZSTD_DCtx *z = my_unpacker();
	size_t n;

	if (z == NULL)
		return ENOMEM;
	n = ZSTD_decompressDCtx(z, to, len, from, packed);
	return n == len ? 0 : EIO;
}
#else
enum { ROOM = TAR_BLOB_MAX };

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
pack(void *packer, void *to, const void *from, size_t len)
{
	(void)packer, (void)to, (void)from, (void)len;
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
	uint64_t	id, seal;	/* of the id, by the key */
};

static const char magic[8] = "pinetar2";

enum { FREE_MIN = 64 << 20, CHECK_EACH = 16 << 20, FIRST = 64 << 10 };

static void
fill_head(const struct tar_store *s, uint64_t id, struct head *h)
{
	memcpy(h->magic, magic, sizeof magic);
	h->id = id;
	h->seal = pinefs_hash(s->key, &id, sizeof id);
}

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
	atomic_fetch_sub(&s->all->used, s->cap);
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

/* ENOSPC: all stores take as much memory as they may. */
static int
grow(struct tar_store *s, size_t len)
{
	uint64_t cap = s->cap == 0 ? FIRST : s->cap, more;
	char *memory;

	while (cap < s->end + len)
		cap *= 2;
	if ((more = cap - s->cap) == 0)
		return 0;
	if (atomic_fetch_add(&s->all->used, more) + more > s->all->most) {
		atomic_fetch_sub(&s->all->used, more);
		return ENOSPC;
	}
	pthread_rwlock_wrlock(&s->lock);
	if ((memory = realloc(s->memory, cap)) != NULL) {
		s->memory = memory;
		s->cap = cap;
	}
	pthread_rwlock_unlock(&s->lock);
	if (memory == NULL)
		atomic_fetch_sub(&s->all->used, more);
	return memory == NULL ? ENOMEM : 0;
}

/* At the end, which stays where it is. */
static int
put(struct tar_store *s, const void *data, size_t len)
{
	int err = 0;

	if (s->max != 0 && s->end + len > s->max)
		return ENOSPC;
	if (s->fd == -1 && s->dir != NULL && s->end + len > TAR_STORE_MEMORY)
		err = to_file(s);
	else if (s->fd == -1 && (err = grow(s, len)) == ENOSPC &&
	    s->dir != NULL)
		err = to_file(s);
	if (err == 0 && s->fd != -1 && (err = check_free(s)) == 0)
		err = tar_whole_write(s->fd, s->end, data, len);
	else if (err == 0)
		memcpy(s->memory + s->end, data, len);
	if (err == 0)
		atomic_fetch_add(&s->end, len);
	return err;
}

/* ---------------------------------------------------------------- blobs -- */

static uint64_t
sum_of(const struct tar_store *s, enum tar_blob_kind kind, const char *packed,
    size_t len)
{
	uint8_t key[16];

	memcpy(key, s->key, sizeof key);
	key[0] ^= (uint8_t)(1 + kind);
	return pinefs_hash(key, packed, len);
}

/* What it takes to add, when there is something. */
static int
begin(struct tar_store *s)
{
	struct head h;

	if (s->packer == NULL && (s->packer = packer_new()) == NULL)
		return ENOMEM;
	if (s->room == NULL && (s->room = malloc(ROOM)) == NULL)
		return ENOMEM;
	fill_head(s, s->id, &h);
	return s->end == 0 ? put(s, &h, sizeof h) : 0;
}

int
tar_store_add(struct tar_store *s, enum tar_blob_kind kind, const void *base,
    size_t len, struct tar_blob *blob)
{
	const char *data = base;
	size_t packed = 0;
	uint64_t at;
	int err;

	pthread_mutex_lock(&s->add_lock);
	err = len > TAR_BLOB_MAX ? EFBIG : begin(s);
	if (err == 0 && (packed = pack(s->packer, s->room, base, len)) != 0)
		data = s->room;
	else
		packed = len;
	at = s->end;
	if (err == 0 && (err = put(s, data, packed)) == 0)
		*blob = (struct tar_blob){ at, (uint32_t)packed,
		    (uint32_t)len, sum_of(s, kind, data, packed) };
	pthread_mutex_unlock(&s->add_lock);
	return err;
}

void
tar_store_rest(struct tar_store *s)
{
	pthread_mutex_lock(&s->add_lock);
	packer_free(s->packer);
	free(s->room);
	s->packer = NULL;
	s->room = NULL;
	pthread_mutex_unlock(&s->add_lock);
}

static int
open_blob(const struct tar_store *s, enum tar_blob_kind kind,
    const struct tar_blob *blob, const char *packed, void *to)
{
	if (sum_of(s, kind, packed, blob->packed) != blob->sum)
		return EIO;
	if (blob->packed != blob->len)
		return unpack(to, blob->len, packed, blob->packed);
	memcpy(to, packed, blob->len);
	return 0;
}

static int
get_of_file(struct tar_store *s, enum tar_blob_kind kind,
    const struct tar_blob *blob, void *to)
{
	char *packed = malloc(blob->packed);
	int err;

	if (packed == NULL)
		return ENOMEM;
	err = tar_whole_read(s->fd, blob->off, packed, blob->packed);
	if (err == 0)
		err = open_blob(s, kind, blob, packed, to);
	free(packed);
	return err;
}

int
tar_store_get(struct tar_store *s, enum tar_blob_kind kind,
    const struct tar_blob *blob, void *to)
{
	uint64_t end = s->end;
	int err;

	if (blob->packed > blob->len || blob->len > TAR_BLOB_MAX ||
	    blob->off > end || blob->packed > end - blob->off)
		return EIO;		/* the table is damaged */
	pthread_rwlock_rdlock(&s->lock);
	if (s->fd != -1)
		err = get_of_file(s, kind, blob, to);
	else
		err = open_blob(s, kind, blob, s->memory + blob->off, to);
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
	struct head h, its;
	struct stat st;

	fill_head(s, id, &its);
	if (fd == -1)
		return errno;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid() || (st.st_mode & 022) != 0 ||
	    (uint64_t)st.st_size < end ||
	    tar_whole_read(fd, 0, (char *)&h, sizeof h) != 0 ||
	    memcmp(&h, &its, sizeof h) != 0) {
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
tar_store_init(struct tar_store *s, const struct tar_store_config *config)
{
	static struct tar_store_memory any = { .most = UINT64_MAX };

	*s = (struct tar_store){ .dir = config->dir, .fd = -1,
	    .max = config->max,
	    .all = config->memory != NULL ? config->memory : &any };
	if (config->key != NULL)
		memcpy(s->key, config->key, sizeof s->key);
	if (s->dir == NULL && (s->max == 0 || s->max > memory_max()))
		s->max = memory_max();
	if (getrandom(&s->id, sizeof s->id, 0) != sizeof s->id)
		return ENOMEM;
	pthread_mutex_init(&s->add_lock, NULL);
	pthread_rwlock_init(&s->lock, NULL);
	return 0;
}

void
tar_store_fini(struct tar_store *s)
{
	packer_free(s->packer);
	free(s->room);
	free(s->memory);
	atomic_fetch_sub(&s->all->used, s->cap);
	if (s->fd != -1)
		close(s->fd);
	pthread_mutex_destroy(&s->add_lock);
	pthread_rwlock_destroy(&s->lock);
}
