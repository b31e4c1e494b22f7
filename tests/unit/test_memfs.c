/*
 * memfs against flat buffers: random writes, reads, cuts, holes and clones,
 * with replies that hold on to what they were given.  SEED=N runs one seed.
 */
#include "fs/memfs.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "vfs_rig.h"

static struct vfs_export x;
static struct rig_call r;
static struct pinefs_node *root;

static void
start(uint64_t size, uint64_t inodes)
{
	rig_export(&x, memfs_new(size, inodes));
	CHECK(x.fs != NULL);
	rig_begin(&r, &x);
	CHECK(vfs_node_root(&r.call, &root) == 0);
}

static void
stop(void)
{
	rig_end(&r);
	pinefs_free(x.fs);
}

static void
fresh(void)
{
	rig_end(&r);
	rig_begin(&r, &x);
}

/* A new file; with a reference. */
static struct pinefs_node *
file(const char *name)
{
	struct pinefs_create how = { .type = PINEFS_REG };
	struct pinefs_node *n;
	struct vfs_wcc wcc;

	CHECK(vfs_create(&r.call, root, rig_name(name), &how, &n, &wcc) == 0);
	pinefs_node_get(n);
	fresh();
	return n;
}

static int
rm(const char *name)
{
	struct vfs_wcc wcc;
	int err;

	err = vfs_remove(&r.call, root, rig_name(name), PINEFS_REMOVE_ANY,
	    &wcc);
	fresh();
	return err;
}

/* As it is received: into memory of its own, or in a buffer of others. */
static int
put(struct pinefs_node *n, uint64_t off, const void *bytes, uint32_t len,
    bool own, uint32_t *written)
{
	struct vfs_write w = { .off = off, .data = xdr_view(bytes, len) };
	struct pinefs_buf *buf = NULL;
	int err;

	if (own) {
		buf = buf_new(len);
		memcpy(buf->base, bytes, len);
		w.data.data = buf->base;
		w.buf = buf;
	}
	err = vfs_write(&r.call, n, &w);
	*written = w.written;
	fresh();
	if (buf != NULL)
		pinefs_buf_put(buf);
	return err;
}

static void
put_all(struct pinefs_node *n, uint64_t off, const void *bytes, uint32_t len)
{
	uint32_t written;

	CHECK(put(n, off, bytes, len, len >= 16384, &written) == 0);
	CHECK(written == len);
}

static uint64_t
size_of(struct pinefs_node *n, uint64_t *used)
{
	struct pinefs_attr a;

	CHECK(vfs_getattr(&r.call, n, &a) == 0);
	fresh();
	if (used != NULL)
		*used = a.used;
	return a.size;
}

static void
cut(struct pinefs_node *n, uint64_t size)
{
	struct pinefs_set set = { .attr = { .have = PINEFS_SIZE,
	    .size = size } };
	struct vfs_wcc wcc;

	CHECK(vfs_setattr(&r.call, n, &set, &wcc) == 0);
	fresh();
}

static uint64_t
space_used(void)
{
	struct vfs_limits l;

	CHECK(vfs_limits(&r.call, root, &l) == 0);
	fresh();
	return l.st.bytes - l.st.bytes_free;
}

/* ----------------------------------------------------------- the model -- */

enum { FILES = 3, MOST = 3 << 20, HELD = 8 };

static struct {
	struct pinefs_node	*node;
	uint64_t		 size;
	uint8_t			*bytes;		/* zero behind size */
} m[FILES];

/* Pieces that a reply took, and what was in them. */
static struct held {
	struct xdr_piece	*piece;
	uint32_t		 n;
	uint8_t			*bytes;
} held[HELD];

static void
let_go(struct held *h)
{
	size_t at = 0;

	for (uint32_t i = 0; i < h->n; i++) {
		/* They did not change since. */
		CHECK(memcmp(h->piece[i].base, h->bytes + at,
		    h->piece[i].len) == 0);
		at += h->piece[i].len;
		if (h->piece[i].release != NULL)
			h->piece[i].release(h->piece[i].owner);
	}
	free(h->piece);
	free(h->bytes);
	memset(h, 0, sizeof *h);
}

/* Take the pieces away, as a chain does. */
static void
hold(struct vfs_data *d)
{
	struct held *h = &held[rand() % HELD];
	struct xdr_piece *p = (struct xdr_piece *)(uintptr_t)d->bytes.data;

	let_go(h);
	if (d->bytes.npieces == 0)
		return;
	h->n = d->bytes.npieces;
	h->piece = malloc(h->n * sizeof *p);
	memcpy(h->piece, p, h->n * sizeof *p);
	h->bytes = malloc(d->bytes.len);
	rig_bytes(&d->bytes, h->bytes, d->bytes.len);
	for (uint32_t i = 0; i < h->n; i++)
		p[i].release = NULL;
}

static uint64_t
some_offset(int f)
{
	switch (rand() % 4) {
	case 0:
		return m[f].size;	/* append */
	case 1:
		return (uint64_t)(rand() % (MOST / 4096)) * 4096;
	default:
		return (uint64_t)rand() % MOST;
	}
}

static uint32_t
some_length(void)
{
	const uint32_t most[] = { 10, 300, 5000, 20000, 70000, 300000 };

	return (uint32_t)rand() % most[rand() % 6] + 1;
}

static void
do_write(int f)
{
	static uint8_t bytes[300001];
	uint32_t len = some_length(), i, written;
	uint64_t off = some_offset(f);
	uint8_t start_with = (uint8_t)rand();

	if (off + len > MOST)
		return;
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(start_with + i * 7);
	CHECK(put(m[f].node, off, bytes, len, len >= 16384 && rand() % 4,
	    &written) == 0);
	CHECK(written == len);
	memcpy(m[f].bytes + off, bytes, len);
	if (off + len > m[f].size)
		m[f].size = off + len;
}

static void
do_read(int f)
{
	static uint8_t bytes[300001];
	struct vfs_data d;
	uint64_t off = rand() % 3 ? (uint64_t)rand() % MOST : 0;
	uint32_t count = some_length(), want;

	CHECK(vfs_read(&r.call, m[f].node, off, count, &d) == 0);
	want = off >= m[f].size ? 0 : m[f].size - off < count ?
	    (uint32_t)(m[f].size - off) : count;
	assert_int_equal(d.bytes.len, want);
	CHECK(d.eof == (off + want >= m[f].size));
	rig_bytes(&d.bytes, bytes, sizeof bytes);
	CHECK(memcmp(bytes, m[f].bytes + off, want) == 0);
	if (rand() % 3 == 0)
		hold(&d);
	fresh();
}

static void
do_cut(int f)
{
	uint64_t size = rand() % 3 ? (uint64_t)rand() % MOST :
	    m[f].size - m[f].size / 8;

	if (rand() % 10 == 0)
		size = 0;
	cut(m[f].node, size);
	if (size < m[f].size)
		memset(m[f].bytes + size, 0, m[f].size - size);
	m[f].size = size;
}

static void
do_allocate(int f, bool punch)
{
	uint64_t off = some_offset(f), len = some_length();
	struct vfs_wcc wcc;

	if (off + len > MOST)
		return;
	CHECK(vfs_allocate(&r.call, m[f].node, off, len, punch, &wcc) == 0);
	fresh();
	if (punch)
		memset(m[f].bytes + off, 0, len);
	else if (off + len > m[f].size)
		m[f].size = off + len;
}

static void
do_clone(int f)
{
	int t = rand() % FILES, err, want;
	uint64_t from = (uint64_t)rand() % MOST, to = (uint64_t)rand() % MOST,
	    len = some_length();
	struct vfs_wcc wcc;

	if (to + len > MOST)
		return;
	err = vfs_clone(&r.call, m[f].node, from, m[t].node, to, len, &wcc);
	fresh();
	want = from > m[f].size || len > m[f].size - from ||
	    (f == t && from < to + len && to < from + len) ? EINVAL : 0;
	assert_int_equal(err, want);
	if (err != 0)
		return;
	memmove(m[t].bytes + to, m[f].bytes + from, len);
	if (to + len > m[t].size)
		m[t].size = to + len;
}

/* From data to hole to data: what is called a hole is zero. */
static void
check_seek(int f)
{
	uint64_t off = 0, data, hole, i;
	int err;

	while ((err = vfs_seek(&r.call, m[f].node, PINEFS_SEEK_DATA, off,
	    &data)) == 0) {
		fresh();
		for (i = off; i < data; i++)
			CHECK(m[f].bytes[i] == 0);
		CHECK(vfs_seek(&r.call, m[f].node, PINEFS_SEEK_HOLE, data,
		    &hole) == 0);
		fresh();
		CHECK(hole > data && hole <= m[f].size);
		off = hole;
		if (off == m[f].size)
			break;
	}
	CHECK(err == 0 || err == ENXIO);
	for (i = off; i < m[f].size; i++)
		CHECK(m[f].bytes[i] == 0);
	fresh();
}

static void
check_whole(int f)
{
	static uint8_t bytes[1 << 18];
	struct vfs_data d;
	uint64_t off, used;

	assert_int_equal(size_of(m[f].node, &used), m[f].size);
	for (off = 0; off < m[f].size; off += d.bytes.len) {
		CHECK(vfs_read(&r.call, m[f].node, off, sizeof bytes, &d) ==
		    0);
		rig_bytes(&d.bytes, bytes, sizeof bytes);
		CHECK(d.bytes.len > 0 &&
		    memcmp(bytes, m[f].bytes + off, d.bytes.len) == 0);
		fresh();
	}
	CHECK(used <= m[f].size);
	check_seek(f);
}

static void
run_model(unsigned seed, int steps)
{
	char name[] = "f0";
	int i, f;

	srand(seed);
	start(UINT64_C(1) << 30, 0);
	for (f = 0; f < FILES; f++) {
		name[1] = (char)('0' + f);
		m[f].node = file(name);
		m[f].bytes = calloc(1, MOST);
		m[f].size = 0;
	}
	for (i = 0; i < steps; i++) {
		f = rand() % FILES;
		switch (rand() % 12) {
		case 0:
			do_cut(f);
			break;
		case 1:
			do_allocate(f, true);
			break;
		case 2:
			do_allocate(f, false);
			break;
		case 3:
			do_clone(f);
			break;
		case 4: case 5: case 6:
			do_read(f);
			break;
		default:
			do_write(f);
		}
		if (i % 200 == 199)
			check_whole(f);
	}
	for (f = 0; f < FILES; f++) {
		check_whole(f);
		name[1] = (char)('0' + f);
		CHECK(rm(name) == 0);
		pinefs_node_put(m[f].node);
		free(m[f].bytes);
	}
	/* Files are gone; replies have what they were given. */
	assert_int_equal(space_used(), 0);
	for (i = 0; i < HELD; i++)
		let_go(&held[i]);
	stop();
}

static void
test_content_is_that_of_a_flat_buffer(void)
{
	const char *s = getenv("SEED");

	if (s != NULL) {
		run_model((unsigned)atoi(s), 3000);
		return;
	}
	for (unsigned seed = 1; seed <= 6; seed++)
		run_model(seed, 700);
}

/* -------------------------------------------------------------- shapes -- */

static unsigned
pieces_of(struct pinefs_node *n, uint64_t off, uint32_t count)
{
	struct vfs_data d;
	unsigned pieces;

	CHECK(vfs_read(&r.call, n, off, count, &d) == 0 &&
	    d.bytes.len == count);
	pieces = d.bytes.npieces;
	fresh();
	return pieces;
}

static void
test_a_large_payload_is_kept_and_read_without_a_copy(void)
{
	struct pinefs_buf *buf = buf_new(65536);
	struct vfs_write w = { .data = xdr_view(buf->base, 65536),
	    .buf = buf };
	const struct xdr_piece *p;
	struct pinefs_node *n;
	struct vfs_data d;

	start(1 << 20, 0);
	n = file("f");
	memset(buf->base, 'k', 65536);
	CHECK(vfs_write(&r.call, n, &w) == 0 && w.written == 65536);
	CHECK(vfs_read(&r.call, n, 100, 60000, &d) == 0);
	p = d.bytes.data;
	CHECK(d.bytes.npieces == 1 && p->base == buf->base + 100 &&
	    p->release != NULL);
	pinefs_buf_put(buf);
	fresh();
	pinefs_node_put(n);
	stop();
}

static void
test_small_appends_make_large_extents(void)
{
	static uint8_t bytes[4096];
	struct pinefs_node *n;
	uint64_t used;

	start(1 << 28, 0);
	n = file("f");
	for (int i = 0; i < 16 << 20; i += 4096)
		put_all(n, (uint64_t)i, bytes, 4096);
	CHECK(pieces_of(n, 8 << 20, 1 << 20) <= 3);
	CHECK(pieces_of(n, 0, 65536) == 1);
	assert_int_equal(size_of(n, &used), 16 << 20);
	assert_int_equal(used, 16 << 20);
	/* What is not used yet is little. */
	CHECK(space_used() < (16 << 20) + (2 << 20) + 65536);
	pinefs_node_put(n);
	stop();
}

static void
test_tiny_appends_cost_tiny_memory(void)
{
	struct pinefs_node *n;

	start(1 << 28, 0);
	n = file("f");
	put_all(n, 0, "hello", 5);
	CHECK(space_used() <= 64);
	for (unsigned i = 5; i < 3000; i++)
		put_all(n, i, "x", 1);
	CHECK(space_used() <= 8192);
	CHECK(pieces_of(n, 0, 3000) == 1);
	pinefs_node_put(n);
	stop();
}

static void
test_a_small_write_into_what_nobody_holds_is_in_place(void)
{
	static uint8_t bytes[65536];
	const struct xdr_piece *p;
	struct pinefs_node *n;
	struct vfs_data d;
	const void *base;

	start(1 << 20, 0);
	n = file("f");
	put_all(n, 0, bytes, 65536);
	CHECK(vfs_read(&r.call, n, 0, 65536, &d) == 0);
	base = ((const struct xdr_piece *)d.bytes.data)->base;
	fresh();
	put_all(n, 1000, "in place", 8);
	CHECK(vfs_read(&r.call, n, 0, 65536, &d) == 0);
	p = d.bytes.data;
	CHECK(d.bytes.npieces == 1 && p->base == base);
	/* Held now: the next one is written beside. */
	memcpy(bytes, p->base, 65536);
	{
		struct vfs_write w = { .off = 1000,
		    .data = xdr_view("elsewhere", 9) };

		CHECK(vfs_write(&r.call, n, &w) == 0);
	}
	CHECK(memcmp(bytes, p->base, 65536) == 0);
	fresh();
	assert_int_equal(space_used(), 65536);
	pinefs_node_put(n);
	stop();
}

static void
test_a_file_of_many_extents_in_any_order(void)
{
	enum { MANY = 200000, STEP = 8192 };
	struct pinefs_node *n;
	struct vfs_data d;
	uint64_t i, at, used;
	char bytes[16];

	start(1 << 30, 0);
	n = file("f");
	for (i = 0; i < MANY; i++) {
		at = i * 7919 % MANY;
		memcpy(bytes, &at, 8);
		put_all(n, at * STEP, bytes, 8);
	}
	for (i = 0; i < MANY; i += 11) {
		CHECK(vfs_read(&r.call, n, i * STEP, 16, &d) == 0);
		rig_bytes(&d.bytes, bytes, 16);
		CHECK(memcmp(bytes, &i, 8) == 0);
		fresh();
	}
	size_of(n, &used);
	assert_int_equal(used, MANY * 8);
	for (i = 0; i < MANY / 2; i++) {
		struct vfs_wcc wcc;

		at = i * 7919 % MANY;
		CHECK(vfs_allocate(&r.call, n, at * STEP, 8, true, &wcc) ==
		    0);
		fresh();
	}
	cut(n, MANY / 2 * STEP);
	cut(n, 0);
	assert_int_equal(space_used(), 0);
	pinefs_node_put(n);
	stop();
}

static void
test_what_is_left_of_a_large_block_gives_the_rest_back(void)
{
	static uint8_t bytes[1 << 20];
	struct pinefs_node *n;
	struct vfs_wcc wcc;

	start(1 << 28, 0);
	n = file("f");
	put_all(n, 0, bytes, sizeof bytes);
	assert_int_equal(space_used(), 1 << 20);
	CHECK(vfs_allocate(&r.call, n, 1000, (1 << 20) - 2000, true, &wcc) ==
	    0);
	fresh();
	CHECK(space_used() <= 2048);
	put_all(n, 0, bytes, sizeof bytes);
	cut(n, 10);
	CHECK(space_used() <= 64);
	pinefs_node_put(n);
	stop();
}

/* -------------------------------------------------------------- limits -- */

static void
test_a_full_file_system_says_so_and_loses_nothing(void)
{
	static uint8_t a[65536], b[65536], got[65536];
	struct pinefs_node *n, *other;
	struct vfs_limits l;
	struct vfs_data d;
	uint32_t written;
	uint64_t off;
	int err;

	start(256 << 10, 0);
	n = file("f");
	memset(a, 'a', sizeof a);
	memset(b, 'b', sizeof b);
	for (off = 0; off < 256 << 10; off += 65536)
		put_all(n, off, a, 65536);
	assert_int_equal(space_used(), 256 << 10);
	CHECK(vfs_limits(&r.call, root, &l) == 0 && l.st.bytes_free == 0);
	fresh();
	CHECK(put(n, off, b, 65536, true, &written) == ENOSPC);
	CHECK(put(n, off, b, 1, false, &written) == ENOSPC);
	other = file("g");
	CHECK(put(other, 0, b, 100, false, &written) == ENOSPC);
	assert_int_equal(size_of(n, NULL), 256 << 10);

	/* What is there may be written over, also while it is held. */
	CHECK(vfs_read(&r.call, n, 65536, 65536, &d) == 0);
	CHECK(put(n, 65536, b, 65536, true, &written) == 0);
	CHECK(put(n, 3, b, 1000, false, &written) == 0 && written == 1000);
	CHECK(vfs_read(&r.call, n, 65536, 65536, &d) == 0);
	rig_bytes(&d.bytes, got, sizeof got);
	CHECK(memcmp(got, b, sizeof got) == 0);
	fresh();

	/* Space that is given back can be used: some of a write fits. */
	cut(n, (192 << 10) + 1000);
	err = put(other, 0, b, 65536, false, &written);
	CHECK(err == 0 && written >= 64000 && written < 65536);
	CHECK(rm("f") == 0);
	pinefs_node_put(n);
	put_all(other, 0, b, 5000);
	pinefs_node_put(other);
	stop();
}

static void
test_objects_are_counted_and_limited(void)
{
	struct pinefs_create how = { .type = PINEFS_REG,
	    .exclusive = PINEFS_GUARDED };
	struct pinefs_node *n;
	struct vfs_limits l;
	struct vfs_wcc wcc;

	start(1 << 20, 4);
	CHECK(vfs_create(&r.call, root, rig_name("a"), &how, &n, &wcc) == 0);
	how.type = PINEFS_DIR;
	CHECK(vfs_create(&r.call, root, rig_name("b"), &how, &n, &wcc) == 0);
	how.type = PINEFS_FIFO;
	CHECK(vfs_create(&r.call, root, rig_name("c"), &how, &n, &wcc) == 0);
	CHECK(vfs_create(&r.call, root, rig_name("d"), &how, &n, &wcc) ==
	    ENOSPC);
	/* One that is there is no new one. */
	CHECK(vfs_create(&r.call, root, rig_name("a"), &how, &n, &wcc) ==
	    EEXIST);
	CHECK(vfs_limits(&r.call, root, &l) == 0);
	CHECK(l.st.files == 4 && l.st.files_free == 0);
	fresh();
	CHECK(rm("b") == 0);
	CHECK(vfs_create(&r.call, root, rig_name("d"), &how, &n, &wcc) == 0);
	stop();
}

static void
test_an_allocated_range_can_be_written_when_all_is_full(void)
{
	static uint8_t bytes[65536];
	struct pinefs_node *n, *g;
	struct vfs_wcc wcc;
	uint32_t written;
	uint64_t off;

	start(256 << 10, 0);
	n = file("f");
	CHECK(vfs_allocate(&r.call, n, 0, 128 << 10, false, &wcc) == 0);
	fresh();
	assert_int_equal(size_of(n, NULL), 128 << 10);
	assert_int_equal(space_used(), 128 << 10);
	CHECK(vfs_allocate(&r.call, n, 0, 512 << 10, false, &wcc) == ENOSPC);
	fresh();
	g = file("g");
	put_all(g, 0, bytes, 65536);
	put_all(g, 65536, bytes, 65536);
	CHECK(put(g, 131072, bytes, 1, false, &written) == ENOSPC);
	for (off = 0; off < 128 << 10; off += 4096)
		put_all(n, off, bytes, 4096);
	assert_int_equal(space_used(), 256 << 10);
	pinefs_node_put(n);
	pinefs_node_put(g);
	stop();
}

static void
test_ranges_know_their_limits(void)
{
	struct pinefs_node *n, *dir;
	struct pinefs_create how = { .type = PINEFS_DIR };
	struct vfs_wcc wcc;
	uint64_t found;

	start(1 << 20, 0);
	n = file("f");
	CHECK(vfs_create(&r.call, root, rig_name("d"), &how, &dir, &wcc) ==
	    0);
	CHECK(vfs_seek(&r.call, n, PINEFS_SEEK_DATA, 0, &found) == ENXIO);
	CHECK(vfs_seek(&r.call, n, PINEFS_SEEK_HOLE, 0, &found) == ENXIO);
	CHECK(vfs_seek(&r.call, n, 2, 0, &found) == EINVAL);
	CHECK(vfs_seek(&r.call, dir, PINEFS_SEEK_DATA, 0, &found) == EISDIR);
	CHECK(vfs_allocate(&r.call, n, 0, 0, false, &wcc) == EINVAL);
	CHECK(vfs_allocate(&r.call, n, INT64_MAX, 10, false, &wcc) == EFBIG);
	CHECK(vfs_allocate(&r.call, n, 5, UINT64_MAX, true, &wcc) == 0);
	CHECK(vfs_allocate(&r.call, dir, 0, 10, false, &wcc) == EISDIR);
	CHECK(vfs_clone(&r.call, n, 0, n, 0, 1, &wcc) == EINVAL);
	CHECK(vfs_clone(&r.call, n, 1, n, 0, 0, &wcc) == EINVAL);
	fresh();
	put_all(n, 1000, "x", 1);
	cut(n, 2000);
	CHECK(vfs_seek(&r.call, n, PINEFS_SEEK_DATA, 0, &found) == 0 &&
	    found == 1000);
	CHECK(vfs_seek(&r.call, n, PINEFS_SEEK_HOLE, 1000, &found) == 0 &&
	    found == 1001);
	CHECK(vfs_seek(&r.call, n, PINEFS_SEEK_DATA, 1001, &found) == ENXIO);
	CHECK(vfs_seek(&r.call, n, PINEFS_SEEK_HOLE, 1999, &found) == 0 &&
	    found == 1999);
	pinefs_node_put(n);
	stop();
}

/* ------------------------------------------------- extended attributes -- */

static int
set_x(struct pinefs_node *n, const char *name, const char *value, int how)
{
	struct pinefs_attr before, after;
	struct vfs_wcc wcc;
	int err;

	CHECK(vfs_getattr(&r.call, n, &before) == 0);
	err = vfs_setxattr(&r.call, n, rig_name(name),
	    xdr_view(value, (uint32_t)strlen(value)), how, &wcc);
	CHECK(vfs_getattr(&r.call, n, &after) == 0);
	CHECK((err == 0) == (before.change != after.change));
	CHECK(err != 0 || (wcc.change_before == before.change &&
	    wcc.after.change == after.change));
	CHECK(memcmp(&before.mtime, &after.mtime, sizeof before.mtime) == 0);
	fresh();
	return err;
}

static bool
has_x(struct pinefs_node *n, const char *name, const char *value)
{
	static char got[64 << 10];
	struct xdr_view v;
	int err = vfs_getxattr(&r.call, n, rig_name(name), &v);
	bool same;

	CHECK(err == 0 || err == ENODATA);
	same = err == 0 && value != NULL && v.len == strlen(value) &&
	    memcmp(got, value, rig_bytes(&v, got, sizeof got)) == 0;
	fresh();
	return err == ENODATA ? value == NULL : same;
}

struct names {
	unsigned	n, max;
	uint64_t	last;
	char		text[4000];
};

static int
names_add(void *arg, const struct vfs_entry *e)
{
	struct names *l = arg;

	if (l->n == l->max)
		return 1;
	l->n++;
	l->last = e->cookie;
	strncat(l->text, e->name.base, e->name.len);
	strcat(l->text, " ");
	return 0;
}

static void
test_extended_attributes_of_files_and_directories(void)
{
	struct pinefs_node *n, *nodes[2];
	struct names l = { .max = 1 };
	struct vfs_wcc wcc;
	bool eof;

	start(1 << 20, 0);
	nodes[0] = file("f");
	nodes[1] = root;
	for (int i = 0; i < 2; i++) {
		n = nodes[i];
		CHECK(has_x(n, "a", NULL));
		CHECK(set_x(n, "a", "one", PINEFS_XATTR_REPLACE) == ENODATA);
		CHECK(set_x(n, "a", "one", PINEFS_XATTR_CREATE) == 0);
		CHECK(set_x(n, "a", "two", PINEFS_XATTR_CREATE) == EEXIST);
		CHECK(set_x(n, "b/c", "", PINEFS_XATTR_EITHER) == 0);
		CHECK(set_x(n, "a", "more", PINEFS_XATTR_EITHER) == 0);
		CHECK(set_x(n, "d", "dd", PINEFS_XATTR_EITHER) == 0);
		CHECK(has_x(n, "a", "more") && has_x(n, "b/c", ""));
		l = (struct names){ .max = 1 };
		do {
			CHECK(vfs_listxattr(&r.call, n, l.last, names_add, &l,
			    &eof) == 0);
			fresh();
			l.max++;
		} while (!eof);
		CHECK(strcmp(l.text, "a b/c d ") == 0);
		CHECK(vfs_removexattr(&r.call, n, rig_name("b/c"), &wcc) == 0);
		fresh();
		CHECK(vfs_removexattr(&r.call, n, rig_name("b/c"), &wcc) ==
		    ENODATA);
		CHECK(has_x(n, "b/c", NULL) && has_x(n, "d", "dd"));
	}
	CHECK(space_used() > 0);
	CHECK(rm("f") == 0);
	pinefs_node_put(nodes[0]);
	CHECK(vfs_removexattr(&r.call, root, rig_name("a"), &wcc) == 0);
	CHECK(vfs_removexattr(&r.call, root, rig_name("d"), &wcc) == 0);
	assert_int_equal(space_used(), 0);
	stop();
}

static void
test_extended_attributes_know_their_limits(void)
{
	static char big[(64 << 10) + 2];
	struct pinefs_create how = { .type = PINEFS_FIFO };
	struct pinefs_node *n, *fifo;
	struct xdr_view v;
	struct vfs_wcc wcc;

	start(100 << 10, 0);
	n = file("f");
	memset(big, 'x', sizeof big - 1);
	CHECK(set_x(n, "big", big, PINEFS_XATTR_EITHER) == E2BIG);
	big[64 << 10] = '\0';
	CHECK(set_x(n, "big", big, PINEFS_XATTR_EITHER) == 0);
	CHECK(set_x(n, "two", big, PINEFS_XATTR_EITHER) == ENOSPC);
	CHECK(has_x(n, "big", big) && has_x(n, "two", NULL));
	CHECK(vfs_getxattr(&r.call, n, rig_name(""), &v) == EINVAL);
	CHECK(vfs_create(&r.call, root, rig_name("p"), &how, &fifo, &wcc) ==
	    0);
	CHECK(vfs_setxattr(&r.call, fifo, rig_name("a"), xdr_view("", 0), 0,
	    &wcc) == EPERM);
	rig_end(&r);
	rig_begin_as(&r, &x, 10, 20);
	CHECK(vfs_setxattr(&r.call, n, rig_name("a"), xdr_view("", 0), 0,
	    &wcc) == EACCES);
	pinefs_node_put(n);
	stop();
}

/* ------------------------------------------------------------- threads -- */

enum { THREADS = 4, ROUNDS = 1500 };

static struct pinefs_node *shared[2];
static atomic_uint torn;

/* Each write fills a whole block with one byte: no read sees two. */
static void *
read_and_write(void *arg)
{
	static struct rig_call calls[THREADS];
	static uint8_t buffer[THREADS][65536];
	unsigned me = *(unsigned *)arg, seed = me + 1;
	struct rig_call *c = &calls[me];
	uint8_t *bytes = buffer[me];
	struct pinefs_set set = { .attr = { .have = PINEFS_SIZE,
	    .size = 16 << 16 } };
	struct vfs_wcc wcc;
	struct vfs_data d;
	uint32_t size, n, k;

	for (int i = 0; i < ROUNDS; i++) {
		struct pinefs_node *node = shared[rand_r(&seed) / 8 % 2];
		uint64_t off = (uint64_t)(rand_r(&seed) / 8 % 16) << 16;
		struct vfs_write w = { .off = off };

		rig_begin(c, &x);
		size = rand_r(&seed) / 8 % 2 ? 65536 : 4096;
		switch (rand_r(&seed) / 8 % 8) {
		case 0: case 1: case 2:
			memset(bytes, rand_r(&seed) / 8, size);
			w.data = xdr_view(bytes, size);
			if (size == 65536) {
				w.buf = buf_new(size);
				memcpy(w.buf->base, bytes, size);
				w.data.data = w.buf->base;
			}
			if (vfs_write(&c->call, node, &w) != 0)
				atomic_fetch_add(&torn, 1);
			if (w.buf != NULL)
				pinefs_buf_put(w.buf);
			break;
		case 3:
			if (vfs_clone(&c->call, shared[0], off, shared[1],
			    off, 65536, &wcc) != 0)
				atomic_fetch_add(&torn, 1);
			break;
		case 4:
			if (vfs_allocate(&c->call, node, off, 65536, true,
			    &wcc) != 0 ||
			    vfs_setattr(&c->call, node, &set, &wcc) != 0)
				atomic_fetch_add(&torn, 1);
			break;
		default:
			if (vfs_read(&c->call, node, off, 65536, &d) != 0)
				atomic_fetch_add(&torn, 1);
			n = (uint32_t)rig_bytes(&d.bytes, bytes, 65536);
			for (k = 1; k < n && k < 4096; k++)
				if (bytes[k] != bytes[0])
					atomic_fetch_add(&torn, 1);
		}
		rig_end(c);
	}
	return NULL;
}

static void
test_threads_on_the_same_files_see_whole_writes(void)
{
	pthread_t t[THREADS];
	unsigned number[THREADS];

	start(1 << 26, 0);
	shared[0] = file("a");
	shared[1] = file("b");
	cut(shared[0], 16 << 16);
	cut(shared[1], 16 << 16);
	for (unsigned i = 0; i < THREADS; i++) {
		number[i] = i;
		pthread_create(&t[i], NULL, read_and_write, &number[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(atomic_load(&torn), 0);
	CHECK(rm("a") == 0 && rm("b") == 0);
	pinefs_node_put(shared[0]);
	pinefs_node_put(shared[1]);
	assert_int_equal(space_used(), 0);
	stop();
}

CHECK_MAIN(
	CHECK_TEST(test_content_is_that_of_a_flat_buffer),
	CHECK_TEST(test_a_large_payload_is_kept_and_read_without_a_copy),
	CHECK_TEST(test_small_appends_make_large_extents),
	CHECK_TEST(test_tiny_appends_cost_tiny_memory),
	CHECK_TEST(test_a_small_write_into_what_nobody_holds_is_in_place),
	CHECK_TEST(test_a_file_of_many_extents_in_any_order),
	CHECK_TEST(test_what_is_left_of_a_large_block_gives_the_rest_back),
	CHECK_TEST(test_a_full_file_system_says_so_and_loses_nothing),
	CHECK_TEST(test_objects_are_counted_and_limited),
	CHECK_TEST(test_an_allocated_range_can_be_written_when_all_is_full),
	CHECK_TEST(test_ranges_know_their_limits),
	CHECK_TEST(test_extended_attributes_of_files_and_directories),
	CHECK_TEST(test_extended_attributes_know_their_limits),
	CHECK_TEST(test_threads_on_the_same_files_see_whole_writes),
)
