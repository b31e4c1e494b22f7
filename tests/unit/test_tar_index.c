/* The index: fs/tar/index.c. */
#include "tar_rig.h"

struct run {
	struct made		 made;
	struct tar_index	 ix;
	unsigned		 notes[TAR_NOTES];
};

static struct run *
rig_new(void)
{
	return calloc(1, sizeof(struct run));
}

static void
build(struct run *r)
{
	struct tar_source *source;
	struct tar_scan *scan;
	struct tar_member m;
	enum tar_note why;
	int err;

	rig_end(&r->made);
	source = tar_source_memory(r->made.base, r->made.len);
	scan = tar_scan_new(source, false, rig_note, r->notes);
	CHECK(tar_index_init(&r->ix) == 0);
	while (tar_scan_next(scan, &m) == 0) {
		err = tar_index_add(&r->ix, &m, &why);
		CHECK(err == 0 || err == EBADMSG);
		if (err != 0)
			r->notes[why]++;
	}
	CHECK(tar_index_finish(&r->ix, rig_note, r->notes) == 0);
	tar_scan_free(scan);
	tar_source_free(source);
}

static void
end(struct run *r)
{
	tar_index_fini(&r->ix);
	free(r);
}

/* The record that is the inode at a path. */
static uint32_t
inode(const struct run *r, const char *path)
{
	uint32_t at = TAR_ROOT;
	size_t n;

	for (; *path != '\0' && at != TAR_NONE; path += n) {
		path += *path == '/';
		n = strcspn(path, "/");
		at = tar_index_find(&r->ix, at, (struct pinefs_name){ path,
		    (uint32_t)n });
	}
	return at == TAR_NONE ? at : tar_index_inode(&r->ix, at);
}

static const struct tar_rec *
rec(const struct run *r, const char *path)
{
	return tar_index_rec(&r->ix, inode(r, path));
}

/* The place in the archive where a file's data are, of that text? */
static bool
holds(const struct run *r, const char *path, const char *text)
{
	const struct tar_rec *f = rec(r, path);

	return f != NULL && f->type == TAR_REG && f->size == strlen(text) &&
	    memcmp(r->made.base + tar_index_data(f), text, f->size) == 0;
}

static void
test_directories_not_listed_are_implied(void)
{
	struct run *r = rig_new();

	rig_add(&r->made, "a/b/c", '0', "x");
	rig_add(&r->made, "a/b/", '5', "");
	rig_add(&r->made, "a/b/d", '0', "y");
	build(r);
	CHECK(holds(r, "a/b/c", "x") && holds(r, "a/b/d", "y"));
	CHECK(rec(r, "a")->mode == 0755 && rec(r, "a/b")->mode == 0644);
	CHECK(rec(r, "a")->nlink == 3 && rec(r, "a/b")->nlink == 2);
	/* It keeps the id of its first appearance. */
	CHECK(tar_index_id(&r->ix, inode(r, "a/b")) ==
	    (UINT64_C(1) << 62 | 17 << 12 | 2));
	end(r);
}

static void
test_every_id_finds_its_record(void)
{
	struct run *r = rig_new();
	uint64_t id;

	rig_add(&r->made, "a/b/c/d/e", '0', "x");
	rig_add(&r->made, "a/c/f", '0', "y");
	rig_add(&r->made, "z", '0', "");
	build(r);
	for (uint32_t i = 0; i < tar_index_count(&r->ix); i++) {
		id = tar_index_id(&r->ix, i);
		CHECK(id >= TAR_ROOT_ID && (id & UINT32_MAX) != 0);
		CHECK(tar_index_by_id(&r->ix, id) == i);
	}
	CHECK(tar_index_id(&r->ix, 0) == 17);
	CHECK(tar_index_id(&r->ix, inode(r, "a/b/c/d/e")) == 18);
	CHECK(tar_index_by_id(&r->ix, 0) == TAR_NONE);
	CHECK(tar_index_by_id(&r->ix, 19) == TAR_NONE);
	CHECK(tar_index_by_id(&r->ix, UINT64_MAX) == TAR_NONE);
	end(r);
}

static void
test_names_are_cleaned_or_refused(void)
{
	struct run *r = rig_new();

	rig_add(&r->made, "/abs", '0', "1");
	rig_add(&r->made, "./dot//./x", '0', "2");
	rig_add(&r->made, "../up", '0', "3");
	rig_add(&r->made, "a/../b", '0', "4");
	rig_add(&r->made, "", '0', "5");
	rig_add(&r->made, "././", '5', "");
	rig_add(&r->made, "./dot/.", '5', "");
	build(r);
	CHECK(holds(r, "abs", "1") && holds(r, "dot/x", "2"));
	CHECK(inode(r, "up") == TAR_NONE && inode(r, "b") == TAR_NONE);
	CHECK(rec(r, "")->mode == 0644 && rec(r, "dot")->mode == 0644);
	CHECK(rec(r, "")->names == 2);
	CHECK(r->notes[TAR_NOTE_NAME] == 2);
	end(r);
}

static void
test_the_last_of_a_name_wins_and_links_keep_the_old(void)
{
	struct run *r = rig_new();

	rig_add(&r->made, "a", '0', "old");
	rig_link(&r->made, "b", '1', "a");
	rig_add(&r->made, "a", '0', "newer");
	build(r);
	CHECK(holds(r, "a", "newer") && holds(r, "b", "old"));
	CHECK(rec(r, "a")->nlink == 1 && rec(r, "b")->nlink == 1);
	CHECK(rec(r, "")->names == 2);
	end(r);
}

static void
test_links_to_odd_places_are_as_decided(void)
{
	struct run *r = rig_new();

	rig_link(&r->made, "early", '1', "late");
	rig_link(&r->made, "self", '1', "self");
	rig_link(&r->made, "missing", '1', "nothing");
	rig_link(&r->made, "outside", '1', "../etc/passwd");
	rig_add(&r->made, "dir", '5', "");
	rig_link(&r->made, "todir", '1', "dir");
	rig_add(&r->made, "late", '0', "data");
	rig_link(&r->made, "again", '1', "./early");
	rig_link(&r->made, "chain", '1', "/late");
	rig_link(&r->made, "sym", '2', "anywhere");
	rig_link(&r->made, "tosym", '1', "sym");
	rig_link(&r->made, "late", '1', "late");
	build(r);
	CHECK(holds(r, "early", "data") && holds(r, "again", "data"));
	CHECK(holds(r, "chain", "data") && holds(r, "late", "data"));
	CHECK(rec(r, "late")->nlink == 4);
	CHECK(inode(r, "self") == TAR_NONE && inode(r, "missing") == TAR_NONE);
	CHECK(inode(r, "outside") == TAR_NONE);
	CHECK(inode(r, "todir") == TAR_NONE);
	CHECK(rec(r, "tosym")->type == TAR_LNK && rec(r, "sym")->nlink == 2);
	CHECK(rig_is(tar_index_target(&r->ix, rec(r, "tosym")), "anywhere"));
	CHECK(r->notes[TAR_NOTE_LINK] == 5);
	end(r);
}

static void
test_files_and_directories_replace_each_other_as_decided(void)
{
	struct run *r = rig_new();

	rig_add(&r->made, "full/x", '0', "x");
	rig_add(&r->made, "full", '0', "file");		/* refused */
	rig_add(&r->made, "empty", '5', "");
	rig_add(&r->made, "empty", '0', "file");	/* replaces it */
	rig_add(&r->made, "file", '0', "file");
	rig_add(&r->made, "file", '5', "");		/* replaces it */
	rig_add(&r->made, "file/below", '0', "y");
	rig_link(&r->made, "sym", '2', "full");
	rig_add(&r->made, "sym/below", '0', "z");	/* refused */
	build(r);
	CHECK(holds(r, "full/x", "x") && holds(r, "empty", "file"));
	CHECK(holds(r, "file/below", "y") && rec(r, "sym")->type == TAR_LNK);
	CHECK(r->notes[TAR_NOTE_REPLACE] == 1);
	CHECK(r->notes[TAR_NOTE_PARENT] == 1);
	CHECK(rec(r, "")->nlink == 4);		/* full and file */
	end(r);
}

static void
test_many_names_are_listed_in_the_order_of_headers(void)
{
	struct run *r = rig_new();
	const struct tar_rec *f;
	char name[32];
	uint32_t i, n = 0;

	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "d%u/%u", i % 2, i);
		rig_add(&r->made, name, '0', "");
	}
	build(r);
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "d%u/%u", i % 2, i);
		CHECK(rec(r, name) != NULL);
	}
	for (i = rec(r, "d1")->a; i != TAR_NONE; i = f->next) {
		f = tar_index_rec(&r->ix, i);
		snprintf(name, sizeof name, "%u", 2 * n++ + 1);
		CHECK(rig_is(tar_index_name(&r->ix, f), name));
	}
	CHECK(n == 150 && rec(r, "d1")->size == 150);
	end(r);
}

static void
test_a_map_may_be_empty(void)
{
	struct run *r = rig_new();
	uint32_t n;

	RIG_PAX(&r->made, 'x', "GNU.sparse.size=20", "GNU.sparse.map=20,0");
	rig_add(&r->made, "a", '0', "");
	build(r);
	CHECK(tar_index_map(&r->ix, rec(r, "a"), &n) != NULL && n == 0);
	CHECK(rec(r, "a")->size == 20);
	end(r);
}

static void
test_maps_and_attributes_are_kept(void)
{
	struct run *r = rig_new();
	const struct tar_segment *seg;
	struct tar_xattr x;
	uint32_t n;

	RIG_PAX(&r->made, 'x', "GNU.sparse.size=20", "GNU.sparse.map=9,2",
	    "SCHILY.xattr.user.one=1", "SCHILY.xattr.user.two=22");
	rig_add(&r->made, "a", '0', "ab");
	build(r);
	seg = tar_index_map(&r->ix, rec(r, "a"), &n);
	CHECK(n == 1 && seg->off == 9 && rec(r, "a")->size == 20);
	CHECK(tar_index_xattr(&r->ix, rec(r, "a"), 1, &x));
	CHECK(rig_is(x.name, "user.two") && rig_is(x.value, "22"));
	CHECK(!tar_index_xattr(&r->ix, rec(r, "a"), 2, &x));
	end(r);
}

static void
test_an_index_that_is_full_takes_no_more(void)
{
	struct tar_member m = { .name = { "a/bcdefghij", 11 },
	    .type = TAR_REG };
	struct tar_index ix;
	enum tar_note why;

	CHECK(tar_index_init(&ix) == 0);
	ix.most = 9;
	CHECK(tar_index_add(&ix, &m, &why) == 0);
	m.header = 512;
	CHECK(tar_index_add(&ix, &m, &why) == ENOSPC);
	CHECK(tar_index_finish(&ix, NULL, NULL) == 0);
	CHECK(tar_index_count(&ix) == 3);
	tar_index_fini(&ix);
}

static void
test_data_may_lie_anywhere(void)
{
	struct tar_member m = { .name = { "a", 1 }, .type = TAR_REG,
	    .data = UINT64_C(0x123456789) };
	struct tar_index ix;
	enum tar_note why;

	CHECK(tar_index_init(&ix) == 0);
	CHECK(tar_index_add(&ix, &m, &why) == 0);
	CHECK(tar_index_data(tar_index_rec(&ix, 1)) == m.data);
	tar_index_fini(&ix);
}

static void
test_ids_count_headers_in_the_unit_that_was_set(void)
{
	struct tar_member m = { .name = { "d/a", 3 }, .type = TAR_REG };
	struct tar_index ix;
	enum tar_note why;
	uint32_t i;

	CHECK(tar_index_init(&ix) == 0);
	ix.unit = 1;
	CHECK(tar_index_add(&ix, &m, &why) == 0);
	m.name = (struct pinefs_name){ "b", 1 };
	m.header = 31;
	CHECK(tar_index_add(&ix, &m, &why) == 0);
	for (i = 0; i < 4; i++)
		CHECK(tar_index_by_id(&ix, tar_index_id(&ix, i)) == i);
	CHECK(tar_index_id(&ix, 3) == 31 + TAR_ROOT_ID + 1);
	tar_index_fini(&ix);
}

CHECK_MAIN(
	CHECK_TEST(test_directories_not_listed_are_implied),
	CHECK_TEST(test_every_id_finds_its_record),
	CHECK_TEST(test_names_are_cleaned_or_refused),
	CHECK_TEST(test_the_last_of_a_name_wins_and_links_keep_the_old),
	CHECK_TEST(test_links_to_odd_places_are_as_decided),
	CHECK_TEST(test_files_and_directories_replace_each_other_as_decided),
	CHECK_TEST(test_many_names_are_listed_in_the_order_of_headers),
	CHECK_TEST(test_a_map_may_be_empty),
	CHECK_TEST(test_maps_and_attributes_are_kept),
	CHECK_TEST(test_an_index_that_is_full_takes_no_more),
	CHECK_TEST(test_data_may_lie_anywhere),
	CHECK_TEST(test_ids_count_headers_in_the_unit_that_was_set),
)
