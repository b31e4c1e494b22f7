/*
 * Content of which a part lies elsewhere, as the overlay of an archive has
 * it, against a flat buffer.  SEED=N runs one seed.
 */
#include "fs/mem_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "check.h"
#include "vfs/io.h"

enum { FAR = 400000, MOST = 600000 };

static uint8_t archive[FAR];

struct model {
	struct mem_space	space;
	struct mem_file		file;
	uint64_t		size;
	uint8_t			bytes[MOST];	/* zero behind size */
};

/* One file whose bytes are those of the archive from `at` on, in pieces. */
static void
begin(struct model *m, uint64_t limit, uint64_t at, uint32_t len)
{
	struct mem_extent e;
	struct mem_block *b;
	uint32_t n;

	for (n = 0; n < FAR; n++)
		archive[n] = (uint8_t)(n * 2654435761u >> 24);
	memset(m, 0, sizeof *m);
	m->space.limit = limit;
	mem_file_init(&m->file, &m->space);
	b = mem_block_far(&m->space, at);
	CHECK(b != NULL);
	for (e.off = 0; e.off < len; e.off += n) {
		n = 1 + (uint32_t)rand() % 200000;
		if (n > len - e.off)
			n = (uint32_t)(len - e.off);
		e.len = n;
		e.skip = (uint32_t)e.off;
		e.b = b;
		CHECK(mem_map_insert(&m->file.map, &e) == 0);
	}
	memcpy(m->bytes, archive + at, len);
	m->size = len;
}

static void
end(struct model *m)
{
	mem_file_fini(&m->file);
	CHECK(m->space.used == 0);
}

static uint8_t
byte_of(const struct mem_extent *e, uint64_t off)
{
	uint64_t at = e->skip + (off - e->off);

	if (e->b->far)
		return archive[e->b->at + at];
	return e->b->base == NULL ? 0 : e->b->base[at];
}

static void
compare(const struct model *m)
{
	const struct mem_map *map = &m->file.map;
	struct mem_pos pos = mem_map_find(map, 0);
	const struct mem_extent *e;
	uint64_t off = 0;

	for (; (e = mem_map_at(map, pos)) != NULL; pos = mem_map_next(map,
	    pos)) {
		CHECK(e->off >= off && e->len > 0);
		for (; off < e->off; off++)
			CHECK(m->bytes[off] == 0);
		for (; off < mem_extent_end(e); off++)
			CHECK(m->bytes[off] == byte_of(e, off));
	}
	for (; off < m->size; off++)
		CHECK(m->bytes[off] == 0);
}

/* Received in memory of its own, or in a buffer of others. */
static int
put(struct model *m, uint64_t off, const uint8_t *bytes, uint32_t len,
    bool own)
{
	struct pinefs_buf *buf = own ? buf_new(len) : NULL;
	struct xdr_view data = xdr_view(bytes, len);
	struct pinefs_write w = { .off = off, .count = len };
	struct pinefs_in in;
	int err;

	if (own) {
		memcpy(buf->base, bytes, len);
		data.data = buf->base;
	}
	in_init(&in, &data, buf);
	w.in = &in;
	err = mem_file_write(&m->file, &w);
	if (own)
		pinefs_buf_put(buf);
	memcpy(m->bytes + off, bytes, w.written);
	if (w.written > 0 && off + w.written > m->size)
		m->size = off + w.written;
	CHECK((err != 0) == (w.written == 0));
	return err;
}

static void
write_some(struct model *m, bool may_fail)
{
	static const uint32_t lengths[] = { 1, 50, 700, 4096, 16384, 70000 };
	static uint64_t behind;
	uint32_t i, len = lengths[rand() % 6];
	uint64_t off = (uint64_t)rand() % (MOST - 70000);
	static uint8_t bytes[70000];
	int err;

	/* Often behind the last one: that is how files are written. */
	if (rand() % 2 == 0 && behind < MOST - 70000)
		off = behind;
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)rand();
	err = put(m, off, bytes, len, len >= 16384 && rand() % 2);
	CHECK(err == 0 || (may_fail && err == ENOSPC));
	behind = off + len;
}

static void
punch_some(struct model *m)
{
	uint64_t off = (uint64_t)rand() % MOST, len = (uint64_t)rand() % 90000;

	if (len > MOST - off)
		len = MOST - off;
	CHECK(mem_file_punch(&m->file, off, len) == 0);
	memset(m->bytes + off, 0, len);
}

static void
cut_some(struct model *m)
{
	uint64_t size = (uint64_t)rand() % MOST;

	mem_file_truncate(&m->file, size);
	memset(m->bytes + size, 0, MOST - size);
	m->size = size;
}

static void
clone_some(struct model *from, struct model *to)
{
	uint64_t off = (uint64_t)rand() % MOST, at = (uint64_t)rand() % MOST;
	uint64_t len = (uint64_t)rand() % 100000;

	if (len > MOST - off)
		len = MOST - off;
	if (len > MOST - at)
		len = MOST - at;
	CHECK(mem_file_clone(&from->file, off, &to->file, at, len) == 0);
	memcpy(to->bytes + at, from->bytes + off, len);
	if (at + len > to->size)
		to->size = at + len;
}

static void
reserve_some(struct model *m)
{
	uint64_t off = (uint64_t)rand() % MOST;

	CHECK(mem_file_reserve(&m->file, off, (MOST - off) / 2) == 0);
}

static unsigned
seeds(unsigned *first)
{
	const char *seed = getenv("SEED");

	*first = seed != NULL ? (unsigned)atoi(seed) : 1;
	return seed != NULL ? 1 : 12;
}

static void
test_what_is_written_beside_an_archive_is_what_is_read(void)
{
	static struct model a, b;
	unsigned seed, n;
	int i;

	for (n = seeds(&seed); n > 0; n--, seed++) {
		srand(seed);
		begin(&a, 1 << 28, 1000, FAR - 1000);
		begin(&b, 1 << 28, 0, 5000);
		for (i = 0; i < 300; i++) {
			switch (rand() % 12) {
			case 0:
				punch_some(&a);
				break;
			case 1:
				cut_some(&a);
				break;
			case 2:
				clone_some(&a, &b);
				break;
			case 3:
				clone_some(&b, &a);
				break;
			case 4:
				reserve_some(&a);
				break;
			default:
				write_some(&a, false);
			}
			if (i % 30 == 0)
				compare(&a);
		}
		compare(&a);
		compare(&b);
		/* Blocks are shared: they are of one space each. */
		mem_file_fini(&a.file);
		mem_file_fini(&b.file);
		CHECK(a.space.used + b.space.used == 0);
	}
}

static void
test_without_space_nothing_of_the_archive_is_lost(void)
{
	static struct model a;
	unsigned seed, n;
	int i;

	for (n = seeds(&seed); n > 0; n--, seed++) {
		srand(seed);
		begin(&a, 100000, 0, FAR);
		for (i = 0; i < 200; i++) {
			write_some(&a, true);
			if (i % 40 == 0)
				compare(&a);
		}
		compare(&a);
		CHECK(a.space.used <= a.space.limit);
		end(&a);
	}
}

static void
test_small_writes_one_behind_the_other_become_few_extents(void)
{
	static struct model a;
	const uint8_t bytes[100] = { 1 };
	struct mem_pos pos;
	unsigned n = 0;
	uint64_t off;

	begin(&a, 1 << 28, 0, FAR);
	for (off = 1000; off < 101000; off += sizeof bytes)
		CHECK(put(&a, off, bytes, sizeof bytes, false) == 0);
	compare(&a);
	for (pos = mem_map_find(&a.file.map, 0); mem_map_at(&a.file.map,
	    pos) != NULL; pos = mem_map_next(&a.file.map, pos))
		n++;
	CHECK(n < 20);
	CHECK(a.space.used < 200000);
	end(&a);
}

static void
test_a_byte_takes_no_more_than_a_small_block(void)
{
	static struct model a;
	const uint8_t one = 1;

	begin(&a, 1 << 28, 0, FAR);
	CHECK(put(&a, 123456, &one, 1, false) == 0);
	CHECK(a.space.used <= 64);
	compare(&a);
	end(&a);
}

CHECK_MAIN(
	CHECK_TEST(test_what_is_written_beside_an_archive_is_what_is_read),
	CHECK_TEST(test_without_space_nothing_of_the_archive_is_lost),
	CHECK_TEST(test_small_writes_one_behind_the_other_become_few_extents),
	CHECK_TEST(test_a_byte_takes_no_more_than_a_small_block),
)
