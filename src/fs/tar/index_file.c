/* Indexes in files.  See index_file.h. */
#include "index_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "whole.h"

enum { FORMAT = 5, ORDER = 0x01020304, CHUNK = 64 << 10 };

enum { RECS, NAMES, TEXTS, EXTS, SEGS, SLOTS, KEPT, SECTIONS };

/* What an element of each takes up. */
static const size_t sizes[SECTIONS] = {
	[RECS] = sizeof(struct tar_rec), [NAMES] = 1, [TEXTS] = 1,
	[EXTS] = sizeof(struct tar_ext), [SEGS] = sizeof(struct tar_segment),
	[SLOTS] = sizeof(uint32_t), [KEPT] = 1,
};

struct section {
	uint64_t	at, n;		/* bytes from the beginning; elements */
	uint64_t	sum;
};

struct header {
	char		magic[8];
	uint32_t	order, format;
	char		maker[32];	/* the program's version */
	struct tar_key	key;
	uint64_t	end;		/* of struct tar_index */
	uint8_t		hash_key[16];
	uint32_t	used, unit;
	struct section	section[SECTIONS];
	uint32_t	shape, zero;
	char		room[TAR_INDEX_HEADER - 8 - 8 - 32 -
			    sizeof(struct tar_key) - 8 - 16 - 8 -
			    SECTIONS * sizeof(struct section) - 8 - 8];
	uint64_t	sum;		/* of all before */
};
_Static_assert(sizeof(struct header) == TAR_INDEX_HEADER, "has no holes");

static const char magic[8] = "pinefs\1i";

/* ---------------------------------------------------------------- sums -- */

/* Stretches of CHUNK bytes, but for the last: each keyed by what it was of
 * those before. */
static uint64_t
sum_on(uint64_t sum, const void *data, size_t len)
{
	uint64_t key[2] = { sum, UINT64_C(0x70696e656673) };

	return pinefs_hash((const uint8_t *)key, data, len);
}

void
tar_index_file_sign(void *header)
{
	struct header *h = header;

	h->sum = sum_on(0, h, offsetof(struct header, sum));
}

/* ----------------------------------------------------------------- keys -- */

int
tar_key_hash(int fd, uint64_t off, uint64_t len, uint64_t *hash)
{
	char *buf = malloc(CHUNK);
	int err;

	if (buf == NULL)
		return ENOMEM;
	if (len > CHUNK || off > INT64_MAX - CHUNK)
		err = EINVAL;
	else if ((err = tar_whole_read(fd, off, buf, (size_t)len)) == 0)
		*hash = sum_on(len, buf, (size_t)len);
	free(buf);
	return err;
}

void
tar_key_stat(struct tar_key *k, const struct stat *st)
{
	*k = (struct tar_key){ .dev = st->st_dev, .ino = st->st_ino,
	    .size = (uint64_t)st->st_size, .mtime = st->st_mtim.tv_sec,
	    .mtime_ns = st->st_mtim.tv_nsec, .ctime = st->st_ctim.tv_sec,
	    .ctime_ns = st->st_ctim.tv_nsec };
}

int
tar_key_of(struct tar_key *k, int fd)
{
	struct stat st;
	uint64_t len;
	int err;

	if (fstat(fd, &st) == -1)
		return errno;
	tar_key_stat(k, &st);
	len = k->size < CHUNK ? k->size : CHUNK;
	if ((err = tar_key_hash(fd, 0, len, &k->head)) == 0)
		err = tar_key_hash(fd, k->size - len, len, &k->tail);
	return err;
}

/* -------------------------------------------------------------- writing -- */

/* Sections begin where any element may. */
static uint64_t
aligned(uint64_t at)
{
	return (at + 63) / 64 * 64;
}

static int
write_section(int fd, const void *base, size_t len, struct section *s)
{
	const char *p = base;
	uint64_t at = s->at;
	size_t n;
	int err = 0;

	for (; len > 0 && err == 0; p += n, len -= n, at += n) {
		n = len < CHUNK ? len : CHUNK;
		s->sum = sum_on(s->sum, p, n);
		err = tar_whole_write(fd, at, p, n);
	}
	return err;
}

int
tar_index_file_write(int fd, const struct tar_index *ix,
    const struct tar_key *key, const struct tar_extra *kept)
{
	const struct tar_array arrays[SECTIONS] = {
		[RECS] = ix->recs, [NAMES] = ix->names, [TEXTS] = ix->texts,
		[EXTS] = ix->exts, [SEGS] = ix->segs,
		[SLOTS] = { ix->slot, ix->nslots, 0 },
		[KEPT] = { kept->base, kept->len, 0 },
	};
	struct header h = { .order = ORDER, .format = FORMAT, .key = *key,
	    .end = ix->end, .used = ix->used, .unit = ix->unit,
	    .shape = ix->shape };
	uint64_t at = sizeof h;
	int i, err = 0;

	memcpy(h.magic, magic, sizeof magic);
	snprintf(h.maker, sizeof h.maker, "%s", pinefs_version());
	memcpy(h.hash_key, ix->key, sizeof h.hash_key);
	for (i = 0; i < SECTIONS && err == 0; i++) {
		h.section[i] = (struct section){ aligned(at), arrays[i].n, 0 };
		err = write_section(fd, arrays[i].base,
		    arrays[i].n * sizes[i], &h.section[i]);
		at = h.section[i].at + arrays[i].n * sizes[i];
	}
	tar_index_file_sign(&h);
	if (err == 0 && ftruncate(fd, (off_t)at) == -1)
		err = errno;
	return err != 0 ? err : tar_whole_write(fd, 0, &h, sizeof h);
}

/* -------------------------------------------------------------- reading -- */

/* Does each section lie in a file of that size? */
static bool
sections_fit(const struct header *h, uint64_t size)
{
	const struct section *s;
	int i;

	for (i = 0; i < SECTIONS; i++) {
		s = &h->section[i];
		if (s->at % 64 != 0 || s->at > size ||
		    s->n > (size - s->at) / sizes[i])
			return false;
		if (s->n > UINT32_MAX - 1 && i != KEPT)
			return false;
	}
	return true;
}

static int
read_header(int fd, struct header *h, uint64_t *size)
{
	struct stat st;
	uint64_t sum;
	int err;

	if (fstat(fd, &st) == -1)
		return errno;
	*size = (uint64_t)st.st_size;
	if (*size < sizeof *h)
		return EBADMSG;
	if ((err = tar_whole_read(fd, 0, h, sizeof *h)) != 0)
		return err;
	sum = h->sum;
	tar_index_file_sign(h);
	if (memcmp(h->magic, magic, sizeof magic) != 0 || h->sum != sum ||
	    h->order != ORDER || h->format != FORMAT ||
	    strncmp(h->maker, pinefs_version(), sizeof h->maker) != 0 ||
	    !sections_fit(h, *size))
		return EBADMSG;
	return 0;
}

static struct tar_array
array_of(const struct header *h, char *base, int i)
{
	return (struct tar_array){ base + h->section[i].at,
	    (size_t)h->section[i].n, 0 };
}

/* A root, and slots. */
static bool
is_usable(const struct header *h, const char *base)
{
	const struct tar_rec *root = (const void *)(base +
	    h->section[RECS].at);

	return h->unit > 0 && h->section[RECS].n > 0 &&
	    root->type == TAR_DIR && h->section[SLOTS].n > 0;
}

void
tar_extra_fini(struct tar_extra *x)
{
	if (x->mapped != NULL)
		munmap(x->mapped, x->mapped_len);
	*x = (struct tar_extra){ 0 };
}

static int
map_extra(int fd, const struct section *s, struct tar_extra *x)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), skip = s->at % page;

	*x = (struct tar_extra){ 0 };
	if (s->n == 0)
		return 0;
	x->mapped_len = (size_t)(skip + s->n);
	x->mapped = mmap(NULL, x->mapped_len, PROT_READ, MAP_PRIVATE, fd,
	    (off_t)(s->at - skip));
	if (x->mapped == MAP_FAILED) {
		x->mapped = NULL;
		return errno;
	}
	x->base = (char *)x->mapped + skip;
	x->len = (size_t)s->n;
	return 0;
}

int
tar_index_file_open(int fd, const struct tar_key *key, struct tar_index *ix,
    struct tar_extra *kept)
{
	struct header h;
	uint64_t size;
	char *base;
	int err;

	if ((err = read_header(fd, &h, &size)) != 0)
		return err;
	if (memcmp(&h.key, key, sizeof *key) != 0)
		return ESTALE;
	base = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED)
		return errno;
	err = !is_usable(&h, base) ? EBADMSG :
	    map_extra(fd, &h.section[KEPT], kept);
	if (err != 0) {
		munmap(base, size);
		return err;
	}
	*ix = (struct tar_index){ .mapped = base, .mapped_len = size,
	    .end = h.end, .used = h.used, .unit = h.unit,
	    .shape = h.shape,
	    .dir = TAR_NONE,
	    .most = TAR_INDEX_BYTES,
	    .recs = array_of(&h, base, RECS),
	    .names = array_of(&h, base, NAMES),
	    .texts = array_of(&h, base, TEXTS),
	    .exts = array_of(&h, base, EXTS),
	    .segs = array_of(&h, base, SEGS),
	    .slot = array_of(&h, base, SLOTS).base,
	    .nslots = (uint32_t)h.section[SLOTS].n };
	memcpy(ix->key, h.hash_key, sizeof ix->key);
	return 0;
}

static int
check_section(int fd, const struct section *s, uint64_t len, char *buf,
    const atomic_bool *stop)
{
	uint64_t at = s->at, sum = 0;
	size_t n;

	for (; len > 0; len -= n, at += n) {
		n = len < CHUNK ? (size_t)len : CHUNK;
		if (stop != NULL && atomic_load(stop))
			return ECANCELED;
		if (tar_whole_read(fd, at, buf, n) != 0)
			return EBADMSG;
		sum = sum_on(sum, buf, n);
	}
	return sum == s->sum ? 0 : EBADMSG;
}

int
tar_index_file_check(int fd, const atomic_bool *stop)
{
	char *buf = malloc(CHUNK);
	struct header h;
	uint64_t size;
	int i, err;

	if (buf == NULL)
		return ENOMEM;
	err = read_header(fd, &h, &size);
	for (i = 0; i < SECTIONS && err == 0; i++)
		err = check_section(fd, &h.section[i], h.section[i].n *
		    sizes[i], buf, stop);
	free(buf);
	return err;
}
