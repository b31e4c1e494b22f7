/*
 * The store of blocks.  See store.h.  Without zstd they are kept as they
 * are.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocks.h"

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

static int
write_all(int fd, uint64_t off, const char *p, size_t len)
{
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n, off += (uint64_t)n) {
		n = pwrite(fd, p, len, (off_t)off);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n == -1 ? errno : ENOSPC;
	}
	return 0;
}

/* What is in memory moves to a file without a name. */
static int
to_file(struct tar_store *s)
{
	int err, fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd == -1)
		return errno;
	if ((err = write_all(fd, 0, s->memory, s->end)) != 0) {
		close(fd);
		return err;
	}
	free(s->memory);
	s->memory = NULL;
	s->fd = fd;
	return 0;
}

static int
put(struct tar_store *s, const void *data, size_t len)
{
	uint64_t cap = s->cap == 0 ? 1 << 20 : s->cap;
	char *memory;
	int err;

	if (s->fd == -1 && s->dir != NULL && s->end + len > TAR_STORE_MEMORY
	    && (err = to_file(s)) != 0)
		return err;
	if (s->fd != -1)
		return write_all(s->fd, s->end, data, len);
	if (s->end + len > s->cap) {
		while (cap < s->end + len)
			cap *= 2;
		if ((memory = realloc(s->memory, cap)) == NULL)
			return ENOMEM;
		s->memory = memory;
		s->cap = cap;
	}
	memcpy(s->memory + s->end, data, len);
	return 0;
}

int
tar_store_add(struct tar_store *s, const void *block, size_t len)
{
	uint64_t cap = s->entries_cap == 0 ? 64 : s->entries_cap * 2;
	struct tar_store_entry *entry;
	size_t packed;
	int err;

	if (s->n == s->entries_cap) {
		if ((entry = realloc(s->entry, cap * sizeof *entry)) == NULL)
			return ENOMEM;
		s->entry = entry;
		s->entries_cap = cap;
	}
	packed = pack(s->packer, s->room, s->room_len, block, len);
	err = packed == 0 ? put(s, block, len) : put(s, s->room, packed);
	if (err != 0)
		return err;
	if (packed == 0)
		packed = len;
	s->entry[s->n++] = (struct tar_store_entry){ s->end, (uint32_t)packed,
	    (uint32_t)len };
	s->end += packed;
	return 0;
}

static int
read_file(int fd, uint64_t off, char *to, size_t len)
{
	ssize_t n;

	for (; len > 0; to += n, len -= (size_t)n, off += (uint64_t)n) {
		n = pread(fd, to, len, (off_t)off);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return EIO;
	}
	return 0;
}

int
tar_store_get(const struct tar_store *s, uint64_t n, void *to)
{
	const struct tar_store_entry *e = &s->entry[n];
	char *packed;
	int err;

	if (s->fd == -1) {
		if (e->packed != e->len)
			return unpack(to, e->len, s->memory + e->off,
			    e->packed);
		memcpy(to, s->memory + e->off, e->len);
		return 0;
	}
	if (e->packed == e->len)
		return read_file(s->fd, e->off, to, e->len);
	if ((packed = malloc(e->packed)) == NULL)
		return ENOMEM;
	if ((err = read_file(s->fd, e->off, packed, e->packed)) == 0)
		err = unpack(to, e->len, packed, e->packed);
	free(packed);
	return err;
}

int
tar_store_init(struct tar_store *s, const char *dir)
{
	*s = (struct tar_store){ .dir = dir, .fd = -1,
	    .room_len = pack_bound(TAR_BLOCK_SIZE) };
	s->packer = packer_new();
	s->room = malloc(s->room_len);
	if (s->packer != NULL && s->room != NULL)
		return 0;
	tar_store_fini(s);
	return ENOMEM;
}

void
tar_store_fini(struct tar_store *s)
{
	packer_free(s->packer);
	free(s->room);
	free(s->memory);
	free(s->entry);
	if (s->fd != -1)
		close(s->fd);
}
