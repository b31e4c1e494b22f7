/* READDIR of version 4: pages, cookies, attributes of entries, exports. */
#include "nfs4_rig.h"

#include <stdio.h>

#include "nfs/nfs4_attr.h"
#include "nfs/nfs4_pseudo.h"

enum { ENTRIES = 40 };

static nfs_fh4 dir;

static void
start(void)
{
	char name[64];

	rig4_start();
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof name, "%.*s%02d", i % 23,
		    "abcdefghijklmnopqrstuvwxyz", i);
		toy_add(rig.toy, &rig.toy->obj[0], name, i % 5 == 0 ?
		    PINEFS_DIR : PINEFS_REG, 0755, NULL);
	}
	dir = root();
}

static nfsstat4
list(uint64_t cookie, uint32_t maxcount, bitmap4 asked)
{
	READDIR4args *a;

	op_putfh(dir);
	a = &op(OP_READDIR)->opreaddir;
	a->cookie = cookie;
	a->maxcount = maxcount;
	a->dircount = maxcount;
	a->attr_request = asked;
	return run(0);
}

static READDIR4resok *
page(void)
{
	return &RES(1, opreaddir).resok4;
}

/* The bytes that maxcount counts: without operation and status. */
static uint32_t
page_size(void)
{
	return (uint32_t)READDIR4resok_size(page());
}

/* Every entry once, in order, whatever fits on a page. */
static void
list_all(uint32_t maxcount, bitmap4 asked)
{
	unsigned seen[ENTRIES] = { 0 }, n = 0;
	uint64_t cookie = 0;
	bool eof = false;

	while (!eof) {
		nfsstat4 st = list(cookie, maxcount, asked);
		entry4 *e;

		if (st == NFS4ERR_TOOSMALL) {
			/* Then a page of one entry would be larger. */
			CHECK(maxcount < 400);
			return;
		}
		CHECK(st == NFS4_OK);
		CHECK(page_size() <= maxcount);
		eof = page()->reply.eof;
		CHECK(page()->reply.entries != NULL || eof);
		for (e = page()->reply.entries; e != NULL; e = e->nextentry) {
			const char *p = e->name.data;
			int i = (p[e->name.len - 2] - '0') * 10 +
			    p[e->name.len - 1] - '0';

			CHECK(i >= 0 && i < ENTRIES && e->cookie > cookie);
			CHECK(e->cookie > 2);
			seen[i]++;
			n++;
			cookie = e->cookie;
		}
	}
	CHECK(n == ENTRIES);
	for (int i = 0; i < ENTRIES; i++)
		CHECK(seen[i] == 1);
}

static void
test_pages_of_any_size_lose_and_double_nothing(void)
{
	start();
	for (uint32_t max = 0; max < 1200; max += 4) {
		list_all(max, (bitmap4){ NULL, 0 });
		list_all(max, ATTRS(FATTR4_TYPE, FATTR4_FILEID,
		    FATTR4_FILEHANDLE, FATTR4_MODE, FATTR4_OWNER));
	}
	list_all(65448, ATTRS(FATTR4_RDATTR_ERROR, FATTR4_FILEHANDLE));
	list_all(UINT32_MAX, ATTRS(FATTR4_RDATTR_ERROR, FATTR4_FILEHANDLE));
	rig4_stop();
}

/* A page is full: the next entry would not have fit. */
static void
test_pages_are_filled(void)
{
	start();
	for (uint32_t max = 300; max < 1000; max += 4) {
		uint32_t size, more;
		uint64_t last = 0;

		CHECK(list(0, max, (bitmap4){ NULL, 0 }) == NFS4_OK);
		size = page_size();
		for (entry4 *e = page()->reply.entries; e != NULL;
		    e = e->nextentry)
			last = e->cookie;
		CHECK(list(last, 100, (bitmap4){ NULL, 0 }) == NFS4_OK);
		more = 4 + 8 + 4 + ((page()->reply.entries->name.len + 3) &
		    ~3u) + 8;
		CHECK(size + more > max);
	}
	rig4_stop();
}

static void
test_too_small_for_one_entry(void)
{
	start();
	for (uint32_t max = 0; max < 44; max++)
		CHECK(list(0, max, (bitmap4){ NULL, 0 }) == (max < 44 ?
		    NFS4ERR_TOOSMALL : NFS4_OK));
	CHECK(list(0, 44, (bitmap4){ NULL, 0 }) == NFS4_OK);
	CHECK(page_size() == 44);
	rig4_stop();
}

static void
test_cookies_that_cannot_be(void)
{
	start();
	CHECK(list(1, 4096, (bitmap4){ NULL, 0 }) == NFS4ERR_BAD_COOKIE);
	CHECK(list(2, 4096, (bitmap4){ NULL, 0 }) == NFS4ERR_BAD_COOKIE);
	op_putfh(dir);
	op(OP_READDIR)->opreaddir.maxcount = 4096;
	v4.op[1].opreaddir.cookieverf[7] = 1;
	CHECK(run(0) == NFS4ERR_BAD_COOKIE);
	/* With a cookie, no verifier is looked at. */
	op_putfh(dir);
	op(OP_READDIR)->opreaddir.maxcount = 4096;
	v4.op[1].opreaddir.cookieverf[7] = 1;
	v4.op[1].opreaddir.cookie = 5;
	CHECK(run(0) == NFS4_OK);
	/* Behind the last one there is the end. */
	CHECK(list(1u << 30, 4096, (bitmap4){ NULL, 0 }) == NFS4_OK);
	CHECK(page()->reply.eof && page()->reply.entries == NULL);
	rig4_stop();
}

static void
test_an_empty_directory_is_ok_and_eof(void)
{
	rig4_start();
	dir = root();
	CHECK(list(0, 16, ATTRS(FATTR4_TYPE)) == NFS4_OK);
	CHECK(page()->reply.eof && page()->reply.entries == NULL);
	CHECK(page_size() == 16);
	CHECK(list(0, 15, ATTRS(FATTR4_TYPE)) == NFS4ERR_TOOSMALL);
	rig4_stop();
}

static void
test_it_is_of_a_directory(void)
{
	rig4_start();
	toy_add(rig.toy, &rig.toy->obj[0], "f", PINEFS_REG, 0644, "x");
	dir = look_up(root(), "f");
	CHECK(list(0, 4096, (bitmap4){ NULL, 0 }) == NFS4ERR_NOTDIR);
	CHECK(list(0, 4096, ATTRS(FATTR4_TIME_MODIFY_SET)) ==
	    NFS4ERR_INVAL);
	rig4_stop();
}

static void
test_entries_have_the_attributes_that_getattr_tells(void)
{
	static uint8_t one[1024];
	uint32_t w[2] = { 0xfffff7ff & ~(1u << FATTR4_RDATTR_ERROR),
	    0x00b0a23a & ~(1u << FATTR4_TIME_MODIFY_SET % 32) };
	bitmap4 all = { w, 2 };
	entry4 *e;

	rig4_start();
	toy_add(rig.toy, &rig.toy->obj[0], "f", PINEFS_REG, 0644, "x");
	toy_add(rig.toy, &rig.toy->obj[0], "g", PINEFS_REG, 0600, "xyz");
	dir = root();
	for (int i = 0; i < 2; i++) {
		uint32_t n;

		CHECK(list(0, 4096, all) == NFS4_OK);
		e = page()->reply.entries;
		e = i == 0 ? e : e->nextentry;
		n = e->attrs.attr_vals.len;
		memcpy(one, e->attrs.attr_vals.data, n);
		op_putfh(dir);
		op_lookup(i == 0 ? "f" : "g");
		op_getattr(all);
		CHECK(run(0) == NFS4_OK);
		CHECK(RES(2, opgetattr).resok4.obj_attributes.attr_vals.len
		    == n);
		CHECK(memcmp(RES(2, opgetattr).resok4.obj_attributes
		    .attr_vals.data, one, n) == 0);
	}
	rig4_stop();
}

/* ----------------------------------------------------------- pseudo-root -- */

static void
test_exports_are_listed(void)
{
	const bitmap4 none = { NULL, 0 };
	entry4 *e;

	rig4_start();
	EXPORTS("/one", "/two", "/three");
	dir = root();
	CHECK(list(0, 4096, ATTRS(FATTR4_FSID, FATTR4_FILEID,
	    FATTR4_MOUNTED_ON_FILEID, FATTR4_TYPE)) == NFS4_OK);
	CHECK(page()->reply.eof);
	e = page()->reply.entries;
	for (unsigned i = 0; i < 3; i++, e = e->nextentry) {
		const uint8_t *p = e->attrs.attr_vals.data;

		CHECK(xdr_load_u32(p) == NF4DIR);
		CHECK(xdr_load_u64(p + 4) == 0x100 + i);
		CHECK(xdr_load_u64(p + 20) == TOY_FIRST_ID);
		CHECK(xdr_load_u64(p + 28) ==
		    nfs4_covered_fileid(&v4.more[i]));
	}
	CHECK(e == NULL);
	/* Page by page. */
	CHECK(list(0, 16 + 28, none) == NFS4_OK && !page()->reply.eof);
	e = page()->reply.entries;
	CHECK(e->nextentry == NULL && memcmp(e->name.data, "one", 3) == 0);
	CHECK(list(e->cookie, 16 + 28, none) == NFS4_OK);
	e = page()->reply.entries;
	CHECK(memcmp(e->name.data, "two", 3) == 0);
	CHECK(list(e->cookie, 16 + 32, none) == NFS4_OK);
	e = page()->reply.entries;
	CHECK(memcmp(e->name.data, "three", 5) == 0 && page()->reply.eof);
	CHECK(list(e->cookie, 16, none) == NFS4_OK);
	CHECK(page()->reply.entries == NULL && page()->reply.eof);
	CHECK(list(0, 20, none) == NFS4ERR_TOOSMALL);
	rig4_stop();
}

static int
broken_getattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t want, struct pinefs_attr *a)
{
	(void)call, (void)node, (void)want, (void)a;
	return EIO;
}

static int
broken_lookup(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_ident *id)
{
	(void)call, (void)node, (void)name, (void)id;
	return EIO;
}

static int
broken_readdir(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *emit)
{
	(void)call, (void)node, (void)after, (void)emit;
	return EIO;
}

static void
test_a_broken_export_harms_no_other(void)
{
	static const struct pinefs_ops ops = { .lookup = broken_lookup,
	    .getattr = broken_getattr, .readdir = broken_readdir };
	static const struct pinefs_ident id = { .fileid = 50 };
	struct pinefs *fs = pinefs_new(&ops, NULL);
	entry4 *e;

	rig4_start();
	CHECK(pinefs_set_root(fs, &id) == 0);
	EXPORTS("/a", "/broken", "/c");
	v4.more[1].fs = fs;
	dir = root();
	CHECK(list(0, 4096, ATTRS(FATTR4_TYPE, FATTR4_RDATTR_ERROR)) ==
	    NFS4_OK);
	e = page()->reply.entries;
	CHECK(e->attrs.attrmask.v[0] ==
	    (1u << FATTR4_TYPE | 1u << FATTR4_RDATTR_ERROR));
	e = e->nextentry;
	CHECK(e->attrs.attrmask.v[0] == 1u << FATTR4_RDATTR_ERROR);
	CHECK(xdr_load_u32(e->attrs.attr_vals.data) == NFS4ERR_IO);
	CHECK(e->nextentry != NULL && page()->reply.eof);
	/* Who does not ask for errors does not see it. */
	CHECK(list(0, 4096, ATTRS(FATTR4_TYPE)) == NFS4_OK);
	e = page()->reply.entries;
	CHECK(e->nextentry->nextentry == NULL && page()->reply.eof);
	CHECK(look_up(dir, "c").len > 0);
	rig4_stop();
	pinefs_free(fs);
}

static void
test_exports_that_may_not_be_seen_are_not_listed(void)
{
	static const uint32_t only[] = { 1234 };
	entry4 *e;

	rig4_start();
	EXPORTS("/a", "/b", "/c");
	v4.more[0].uids = v4.more[2].uids = only;
	v4.more[0].nuids = v4.more[2].nuids = 1;
	dir = root();
	CHECK(list(0, 4096, ATTRS(FATTR4_TYPE)) == NFS4_OK);
	e = page()->reply.entries;
	CHECK(memcmp(e->name.data, "b", 1) == 0 && e->nextentry == NULL);
	CHECK(page()->reply.eof);
	rig4_stop();
}

/* Behind the files of an export that is the root, the exports in it; what
 * they cover is not seen. */
static void
test_exports_in_a_root_export_are_listed_behind_its_files(void)
{
	entry4 *e;
	uint64_t last;

	rig4_start();
	EXPORTS("/", "/b", "/c");
	toy_add(rig.toy, &rig.toy->obj[0], "b", PINEFS_DIR, 0755, NULL);
	toy_add(rig.toy, &rig.toy->obj[0], "z", PINEFS_DIR, 0755, NULL);
	dir = root();
	CHECK(list(0, 4096, ATTRS(FATTR4_FSID, FATTR4_RDATTR_ERROR)) ==
	    NFS4_OK);
	e = page()->reply.entries;
	CHECK(memcmp(e->name.data, "z", 1) == 0);
	CHECK(xdr_load_u64(e->attrs.attr_vals.data) == 0x100);
	last = e->cookie;
	e = e->nextentry;
	CHECK(memcmp(e->name.data, "b", 1) == 0);
	CHECK(xdr_load_u64(e->attrs.attr_vals.data) == 0x101);
	CHECK(e->cookie > PINEFS_COOKIE_MAX + 2 && e->cookie >> 63 == 0);
	e = e->nextentry;
	CHECK(memcmp(e->name.data, "c", 1) == 0 && e->nextentry == NULL);
	CHECK(page()->reply.eof);
	/* From any cookie on. */
	CHECK(list(last, 4096, ATTRS(FATTR4_FSID)) == NFS4_OK);
	e = page()->reply.entries;
	CHECK(memcmp(e->name.data, "b", 1) == 0);
	CHECK(list(e->cookie, 4096, ATTRS(FATTR4_FSID)) == NFS4_OK);
	e = page()->reply.entries;
	CHECK(memcmp(e->name.data, "c", 1) == 0 && page()->reply.eof);
	CHECK(list(e->cookie, 4096, ATTRS(FATTR4_FSID)) == NFS4_OK);
	CHECK(page()->reply.entries == NULL && page()->reply.eof);
	/* Below the root there are none. */
	dir = look_up(root(), "z");
	CHECK(list(0, 4096, ATTRS(FATTR4_FSID)) == NFS4_OK);
	CHECK(page()->reply.entries == NULL && page()->reply.eof);
	rig4_stop();
}

/* To whom one may not see there is nothing of that name. */
static void
test_exports_in_a_root_export_may_be_hidden(void)
{
	static const uint32_t only[] = { 1234 };
	entry4 *e;

	rig4_start();
	EXPORTS("/", "/b", "/c");
	toy_add(rig.toy, &rig.toy->obj[0], "b", PINEFS_DIR, 0755, NULL);
	v4.more[1].uids = only;
	v4.more[1].nuids = 1;
	dir = root();
	CHECK(list(0, 4096, ATTRS(FATTR4_TYPE)) == NFS4_OK);
	e = page()->reply.entries;
	CHECK(memcmp(e->name.data, "c", 1) == 0 && e->nextentry == NULL);
	op_putfh(dir);
	op_lookup("b");
	CHECK(run(0) == NFS4ERR_NOENT);
	rig4_stop();
}

CHECK_MAIN(
	CHECK_TEST(test_pages_of_any_size_lose_and_double_nothing),
	CHECK_TEST(test_pages_are_filled),
	CHECK_TEST(test_too_small_for_one_entry),
	CHECK_TEST(test_cookies_that_cannot_be),
	CHECK_TEST(test_an_empty_directory_is_ok_and_eof),
	CHECK_TEST(test_it_is_of_a_directory),
	CHECK_TEST(test_entries_have_the_attributes_that_getattr_tells),
	CHECK_TEST(test_exports_are_listed),
	CHECK_TEST(test_a_broken_export_harms_no_other),
	CHECK_TEST(test_exports_that_may_not_be_seen_are_not_listed),
	CHECK_TEST(test_exports_in_a_root_export_are_listed_behind_its_files),
	CHECK_TEST(test_exports_in_a_root_export_may_be_hidden),
)
