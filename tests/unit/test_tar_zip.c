/*
 * Zips as sources: fs/tar/zip_source.c and zip_points.c, as far as no client
 * can see it.  What each zip is to be: tests/wire/zip_cases.py.
 */
#include "fs/tar/zip_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fs/tar/index.h"
#include "fs/tar/zip_points.h"

/* ------------------------------------------------------- making of zips -- */

enum { PIECE = 65535, LARGE = 5 << 20 };

struct made {
	uint8_t	*base;
	size_t	 len;
	uint8_t	 central[1024];
	size_t	 central_len;
	unsigned count;
};

static void
put(struct made *m, const void *p, size_t len)
{
	memcpy(m->base + m->len, p, len);
	m->len += len;
}

static void
set16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void
set32(uint8_t *p, size_t v)
{
	set16(p, (unsigned)v & 0xffff);
	set16(p + 2, (unsigned)(v >> 16));
}

/* Deflate's way of not deflating: a block for each piece. */
static void
put_blocks(struct made *m, const uint8_t *data, size_t len)
{
	uint8_t head[5];
	size_t n;

	for (; len > 0; data += n, len -= n) {
		n = len < PIECE ? len : PIECE;
		head[0] = n == len;
		set16(head + 1, (unsigned)n);
		set16(head + 3, ~(unsigned)n & 0xffff);
		put(m, head, sizeof head);
		put(m, data, n);
	}
}

/* A member of one letter. */
static void
add(struct made *m, char name, uint16_t method, const uint8_t *data,
    size_t len)
{
	uint8_t local[ZIP_LOCAL_SIZE + 1] = "PK\3\4";
	uint8_t *e = m->central + m->central_len;
	size_t at = m->len, begin = at + sizeof local;

	local[26] = 1;
	local[ZIP_LOCAL_SIZE] = (uint8_t)name;
	put(m, local, sizeof local);
	if (method == ZIP_STORED)
		put(m, data, len);
	else
		put_blocks(m, data, len);
	memset(e, 0, ZIP_ENTRY_SIZE);
	memcpy(e, "PK\1\2", 4);
	e[5] = 3;
	set16(e + 10, method);
	set32(e + 16, zip_crc(0, data, len));
	set32(e + 20, m->len - begin);
	set32(e + 24, len);
	e[28] = 1;
	set32(e + 42, at);
	e[ZIP_ENTRY_SIZE] = (uint8_t)name;
	m->central_len += ZIP_ENTRY_SIZE + 1;
	m->count++;
}

static void
end(struct made *m)
{
	uint8_t e[22] = "PK\5\6";

	set16(e + 8, m->count);
	set16(e + 10, m->count);
	set32(e + 12, m->central_len);
	set32(e + 16, m->len);
	put(m, m->central, m->central_len);
	put(m, e, sizeof e);
}

/* a: stored; b, c: in blocks of deflate. */
struct rig {
	struct made		 made;
	uint8_t			*data;		/* of each, LARGE bytes */
	struct tar_blocks	*blocks;
	atomic_bool		 stop;
	struct tar_source	*source;
	uint64_t		 at[3];
};

static void
no_note(void *arg, const char *text)
{
	(void)arg;
	print_message("%s\n", text);
	CHECK(false);
}

static struct tar_source *
open_rig(struct rig *r)
{
	const struct zip_config config = { .blocks = r->blocks,
	    .stop = &r->stop, .note = no_note };
	struct tar_source *s;
	const char *why;

	CHECK(tar_source_zip(&s, tar_source_memory(r->made.base, r->made.len),
	    &config, &why) == 0);
	return s;
}

/* Where the members of a source are. */
static void
scan(struct tar_source *s, uint64_t at[3])
{
	struct tar_scan *scan = tar_scan_new(s, false, NULL, NULL);
	struct tar_member m;

	CHECK(scan != NULL && tar_scan_unit(scan) == 1);
	while (tar_scan_next(scan, &m) == 0)
		at[m.name.base[0] - 'a'] = m.data;
	tar_scan_free(scan);
}

static void
setup(struct rig *r)
{
	uint32_t v = 1;
	size_t i;

	*r = (struct rig){ .blocks = tar_blocks_new(2 * TAR_BLOCK_SIZE) };
	r->data = malloc(LARGE);
	r->made.base = malloc(3 * LARGE + (1 << 16));
	CHECK(r->data != NULL && r->made.base != NULL && r->blocks != NULL);
	for (i = 0; i < LARGE; i++, v = v * 1664525u + 1013904223u)
		r->data[i] = (uint8_t)(v >> 24);
	add(&r->made, 'a', ZIP_STORED, r->data, LARGE);
	add(&r->made, 'b', ZIP_DEFLATED, r->data, LARGE);
	add(&r->made, 'c', ZIP_DEFLATED, r->data, LARGE);
	end(&r->made);
	r->source = open_rig(r);
	scan(r->source, r->at);
}

static void
teardown(struct rig *r)
{
	tar_source_free(r->source);
	tar_blocks_free(r->blocks);
	free(r->made.base);
	free(r->data);
}

static bool
is_same(struct rig *r, struct tar_source *s, unsigned member, size_t off,
    size_t len)
{
	char *to = malloc(len);
	size_t got;
	bool same = to != NULL &&
	    tar_source_read(s, r->at[member] + off, to, len, &got) == 0 &&
	    got == len && memcmp(to, r->data + off, len) == 0;

	free(to);
	return same;
}

/* ---------------------------------------------------------------- tests -- */

static void
test_members_are_read_in_any_order(void)
{
	struct rig r;
	size_t off;

	setup(&r);
	for (off = LARGE - 100000; off > 300000; off -= 300000) {
		CHECK(is_same(&r, r.source, 0, off, 100000));
		if (zip_deflate.begin == NULL)
			continue;
		CHECK(is_same(&r, r.source, 1, off, 100000));
		CHECK(is_same(&r, r.source, 2, LARGE - off, 100000));
	}
	teardown(&r);
}

static void
test_what_nobody_went_through_finds_its_members(void)
{
	struct tar_source *s;
	struct rig r;
	size_t got;
	char c;

	setup(&r);
	s = open_rig(&r);
	CHECK(tar_source_try(s, r.at[0], &c, 1, &got) == EAGAIN);
	CHECK(is_same(&r, s, 0, 1000, 1000));
	CHECK(tar_source_try(s, r.at[0], &c, 1, &got) == 0 && got == 1);
	if (zip_deflate.begin != NULL) {
		CHECK(tar_source_try(s, r.at[2], &c, 1, &got) == EAGAIN);
		CHECK(is_same(&r, s, 2, 1000, 1000));
		CHECK(tar_source_try(s, r.at[2], &c, 1, &got) == 0);
	}
	CHECK(tar_source_read(s, ZIP_NOWHERE + 5, &c, 1, &got) == 0 &&
	    got == 0);
	CHECK(tar_source_size(s) == ZIP_NOWHERE);
	tar_source_free(s);
	teardown(&r);
}

static void
test_going_through_it_again_tells_the_same(void)
{
	uint64_t again[3] = { 1, 2, 3 };
	struct rig r;
	uint8_t *e;

	setup(&r);
	scan(r.source, again);
	CHECK(memcmp(again, r.at, sizeof again) == 0);
	/* The file changes: what is no more as it was has no bytes. */
	e = r.made.base + r.made.len - 22 - 2 * (ZIP_ENTRY_SIZE + 1);
	CHECK(memcmp(e, "PK\1\2", 4) == 0);
	set32(e + 24, LARGE + 1);
	scan(r.source, again);
	CHECK(again[0] == r.at[0] && again[1] == ZIP_NOWHERE &&
	    again[2] == r.at[2]);
	teardown(&r);
}

static void
test_once_it_is_stopped_nothing_is_decoded(void)
{
	struct rig r;
	size_t got;
	char c;

	setup(&r);
	atomic_store(&r.stop, true);
	CHECK(is_same(&r, r.source, 0, 0, 1000));
	if (zip_deflate.begin != NULL)
		CHECK(tar_source_read(r.source, r.at[1], &c, 1, &got) ==
		    ECANCELED);
	atomic_store(&r.stop, false);
	if (zip_deflate.begin != NULL)
		CHECK(is_same(&r, r.source, 1, 0, 1000));
	teardown(&r);
}

/* LARGE is more than a step. */
static void
test_a_step_is_short_and_the_next_goes_on(void)
{
	unsigned steps = 0;
	struct rig r;
	size_t got;
	int err;
	char c;

	if (zip_deflate.begin == NULL)
		return;
	setup(&r);
	while ((err = tar_source_step(r.source, r.at[1] + LARGE - 1, &c, 1,
	    &got)) == EAGAIN)
		CHECK(++steps < 10);
	CHECK(err == 0 && got == 1 && steps == 1);
	CHECK((uint8_t)c == r.data[LARGE - 1]);
	/* From the last point on it is one. */
	CHECK(tar_source_step(r.source, r.at[1] + LARGE - (1 << 20), &c, 1,
	    &got) == 0);
	CHECK(is_same(&r, r.source, 1, LARGE - 200000, 200000));
	teardown(&r);
}

/* A file that cannot be read, for a while. */
struct flaky {
	struct tar_source	 source, *file;
	bool			 fails;
};

static int
flaky_read(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	struct flaky *f = (struct flaky *)s;

	return f->fails ? EIO : tar_source_read(f->file, off, to, len, got);
}

static uint64_t
flaky_size(struct tar_source *s)
{
	return tar_source_size(((struct flaky *)s)->file);
}

static void
flaky_free(struct tar_source *s)
{
	tar_source_free(((struct flaky *)s)->file);
}

static void
test_a_read_error_is_not_for_ever(void)
{
	static const struct tar_source_ops ops = { .read = flaky_read,
	    .try_read = flaky_read, .size = flaky_size, .free = flaky_free };
	struct flaky f = { .source.ops = &ops };
	struct rig r;
	struct zip_config config = { .note = no_note };
	struct tar_source *s;
	const char *why;
	uint64_t at[3];
	size_t got;
	char c;

	setup(&r);
	config.blocks = r.blocks;
	config.stop = &r.stop;
	f.file = tar_source_memory(r.made.base, r.made.len);
	CHECK(tar_source_zip(&s, &f.source, &config, &why) == 0);
	scan(s, at);
	f.fails = true;
	CHECK(tar_source_read(s, at[0], &c, 1, &got) == EIO);
	if (zip_deflate.begin != NULL) {
		CHECK(tar_source_read(s, at[1], &c, 1, &got) == EIO);
		f.fails = false;
		CHECK(is_same(&r, s, 1, 0, 70000));
		f.fails = true;
		CHECK(tar_source_read(s, at[1] + 300000, &c, 1, &got) == EIO);
		f.fails = false;
		CHECK(is_same(&r, s, 1, 300000, 70000));
	}
	f.fails = false;
	CHECK(is_same(&r, s, 0, 0, 1000));
	tar_source_free(s);
	teardown(&r);
}

struct reader {
	struct rig	*rig;
	unsigned	 seed;
	bool		 ok;
};

static void *
read_here_and_there(void *arg)
{
	struct reader *rd = arg;
	uint32_t v = rd->seed;
	unsigned i;

	rd->ok = true;
	for (i = 0; i < 40 && rd->ok; i++) {
		v = v * 1664525u + 1013904223u;
		rd->ok = is_same(rd->rig, rd->rig->source, 1 + (v >> 31),
		    (v >> 8) % (LARGE - 70000), 70000);
	}
	return NULL;
}

static void
test_threads_read_the_same_members(void)
{
	struct reader reader[6];
	pthread_t thread[6];
	struct rig r;
	unsigned i;

	if (zip_deflate.begin == NULL)
		return;
	setup(&r);
	for (i = 0; i < 6; i++) {
		reader[i] = (struct reader){ &r, i, false };
		CHECK(pthread_create(&thread[i], NULL, read_here_and_there,
		    &reader[i]) == 0);
	}
	for (i = 0; i < 6; i++) {
		pthread_join(thread[i], NULL);
		CHECK(reader[i].ok);
	}
	teardown(&r);
}

/* A point at so many MiB. */
static void
add_point(struct zip_points *z, uint32_t member, uint64_t at)
{
	struct zip_point *p = calloc(1, sizeof *p);

	CHECK(p != NULL);
	p->out = at << 20;
	zip_points_add(z, member, p);
}

static void
test_a_very_large_member_has_fewer_points(void)
{
	struct zip_points *z = zip_points_new();
	struct zip_point p;
	uint64_t i;

	CHECK(z != NULL && !zip_points_due(z, 1, (1 << 20) - 1));
	for (i = 1; i <= 3 * ZIP_POINTS_EACH; i++)
		if (zip_points_due(z, 1, i << 20))
			add_point(z, 1, i);
	for (i = 8; i <= 3 * ZIP_POINTS_EACH; i++) {
		CHECK(zip_points_find(z, 1, 0, i << 20, &p));
		CHECK(p.out <= i << 20 && p.out + (UINT64_C(8) << 20) >
		    i << 20);
	}
	/* Nothing behind where one stands already. */
	CHECK(!zip_points_find(z, 1, p.out, p.out + 1, &p));
	CHECK(!zip_points_find(z, 2, 0, UINT64_MAX, &p));
	zip_points_free(z);
}

static void
test_members_that_were_not_read_for_long_lose_their_points(void)
{
	struct zip_points *z = zip_points_new();
	struct zip_point p;
	uint32_t member;
	uint64_t i;

	for (member = 0; member < 6; member++)
		for (i = 1; i <= ZIP_POINTS_EACH; i++) {
			add_point(z, member, i);
			/* The first one is in use all the time. */
			CHECK(zip_points_find(z, 0, 0, UINT64_MAX, &p));
		}
	CHECK(zip_points_find(z, 5, 0, UINT64_MAX, &p));
	CHECK(!zip_points_find(z, 1, 0, UINT64_MAX, &p));
	CHECK(!zip_points_find(z, 2, 0, UINT64_MAX, &p));
	zip_points_free(z);
}

CHECK_MAIN(
	CHECK_TEST(test_members_are_read_in_any_order),
	CHECK_TEST(test_what_nobody_went_through_finds_its_members),
	CHECK_TEST(test_going_through_it_again_tells_the_same),
	CHECK_TEST(test_once_it_is_stopped_nothing_is_decoded),
	CHECK_TEST(test_a_step_is_short_and_the_next_goes_on),
	CHECK_TEST(test_a_read_error_is_not_for_ever),
	CHECK_TEST(test_threads_read_the_same_members),
	CHECK_TEST(test_a_very_large_member_has_fewer_points),
	CHECK_TEST(test_members_that_were_not_read_for_long_lose_their_points),
)
