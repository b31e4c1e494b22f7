/* Values as one line of text: what trace_rpc shows. */
#include <pinefs/xdr_type.h>

#include <math.h>

#include "check.h"
#include "proto/mount.h"
#include "proto/nfs3.h"

static char line[400];

static const char *
print(const struct xdr_type *t, const void *value)
{
	(void)xdr_print(line, sizeof line, t, value);
	return line;
}

static void
test_members_have_their_names(void)
{
	READ3args a = { .file.data = xdr_view("\1\2\xff", 3), .offset = 1024,
	    .count = 4096 };

	assert_string_equal(print(&READ3args_type, &a),
	    "{file={data=0102ff},offset=1024,count=4096}");
}

static void
test_an_enum_prints_its_name_or_its_number(void)
{
	nfsstat3 stat = NFS3ERR_JUKEBOX;

	assert_string_equal(print(&nfsstat3_type, &stat), "NFS3ERR_JUKEBOX");
	stat = (enum nfsstat3)4711;
	assert_string_equal(print(&nfsstat3_type, &stat), "4711");
}

static void
test_a_union_prints_the_arm_it_has(void)
{
	set_mode3 m = { .set_it = true, .mode = 420 };
	GETATTR3res r = { .status = NFS3ERR_STALE };

	assert_string_equal(print(&set_mode3_type, &m),
	    "{set_it=true,mode=420}");
	m.set_it = false;
	assert_string_equal(print(&set_mode3_type, &m), "{set_it=false}");
	assert_string_equal(print(&GETATTR3res_type, &r),
	    "{status=NFS3ERR_STALE}");
}

static void
test_a_list_prints_without_its_links(void)
{
	entry3 b = { .fileid = 2, .name = xdr_view("b", 1), .cookie = 8 };
	entry3 a = { .fileid = 1, .name = xdr_view("a", 1), .cookie = 7,
	    .nextentry = &b };
	dirlist3 d = { .entries = &a, .eof = true };

	assert_string_equal(print(&dirlist3_type, &d),
	    "{entries=[{fileid=1,name=\"a\",cookie=7},"
	    "{fileid=2,name=\"b\",cookie=8}],eof=true}");
	d.entries = NULL;
	assert_string_equal(print(&dirlist3_type, &d),
	    "{entries=[],eof=true}");
}

static void
test_names_from_strangers_do_not_reach_the_terminal(void)
{
	filename3 name = xdr_view("a\"b\\c\n\x1b[2J\0\xc3\xa9", 13);

	assert_string_equal(print(&filename3_type, &name),
	    "\"a\\\"b\\\\c\\x0a\\x1b[2J\\x00\\xc3\\xa9\"");
}

static void
test_data_is_clipped_to_80_bytes(void)
{
	static char data[100000];
	WRITE3args w = { .data = xdr_view(data, sizeof data) };
	size_t n;

	n = xdr_print(line, sizeof line, &WRITE3args_type, &w);
	CHECK(n == strlen(line) && n < 300);
	CHECK(strstr(line, "0000...") != NULL);
	memset(data, 'x', sizeof data);
	n = xdr_print(line, sizeof line, &filename3_type, &w.data);
	CHECK(n == 80 + strlen("\"\"..."));
}

static void
test_long_lists_and_arrays_are_clipped(void)
{
	int32_t flavors[40] = { 1 };
	mountres3_ok ok = { .auth_flavors = { flavors, 40 } };
	struct groupnode nodes[40] = { { { 0 }, NULL } };
	groups g = nodes;
	unsigned i;

	CHECK(strstr(print(&mountres3_ok_type, &ok), ",... 40 in all]") !=
	    NULL);
	for (i = 0; i + 1 < 40; i++)
		nodes[i].gr_next = &nodes[i + 1];
	CHECK(strstr(print(&groups_type, &g), ",...]") != NULL);
}

static void
test_pieces_show_the_first_one(void)
{
	struct xdr_piece pieces[] = {
		{ .base = "ab", .len = 2 }, { .base = "cd", .len = 2 }
	};
	WRITE3args w = { .data = { pieces, 4, 2 } };

	CHECK(strstr(print(&WRITE3args_type, &w), "data=6162...}") != NULL);
}

static void
test_a_line_too_long_is_cut_and_its_length_told(void)
{
	READ3args a = { .offset = 1024, .count = 4096 };
	char small[12];
	size_t n = xdr_print(small, sizeof small, &READ3args_type, &a);

	CHECK(strlen(small) == 11);
	CHECK(n > 11);
	CHECK(xdr_print(NULL, 0, &READ3args_type, &a) > 0);
}

/* ---------------------------------------------------------------- JSON -- */

static const char *
json(const struct xdr_type *t, const void *value)
{
	(void)xdr_json(line, sizeof line, t, value);
	return line;
}

static void
test_json_has_members_by_name_and_bytes_in_digits(void)
{
	READ3args a = { .file.data = xdr_view("\1\2\xff", 3),
	    .offset = UINT64_MAX, .count = 4096 };

	assert_string_equal(json(&READ3args_type, &a), "{\"file\":{\"data\":"
	    "\"0102ff\"},\"offset\":18446744073709551615,\"count\":4096}");
}

static void
test_json_strings_are_utf8_whatever_the_bytes(void)
{
	const struct {
		const char *bytes;
		const char *shown;
	} rows[] = {
		{ "a\"b\\c\n", "\"a\\\"b\\\\c\\u000a\"" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
		    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "\xc3", "\"\\u00c3\"" },
		{ "\xc0\x80\xed\xa0\x80",
		    "\"\\u00c0\\u0080\\u00ed\\u00a0\\u0080\"" },
		{ "\xf4\x90\x80\x80\xff",
		    "\"\\u00f4\\u0090\\u0080\\u0080\\u00ff\"" },
		{ "", "\"\"" },
	};
	filename3 name;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		name = xdr_view(rows[i].bytes,
		    (uint32_t)strlen(rows[i].bytes));
		assert_string_equal(json(&filename3_type, &name),
		    rows[i].shown);
	}
}

static void
test_json_shows_lists_options_and_arms(void)
{
	entry3 b = { .fileid = 2, .name = xdr_view("b", 1), .cookie = 8 };
	entry3 a = { .fileid = 1, .name = xdr_view("a", 1), .cookie = 7,
	    .nextentry = &b };
	dirlist3 d = { .entries = &a, .eof = true };
	GETATTR3res r = { .status = NFS3ERR_STALE };
	set_mode3 m = { .set_it = true, .mode = 420 };

	assert_string_equal(json(&dirlist3_type, &d), "{\"entries\":[{"
	    "\"fileid\":1,\"name\":\"a\",\"cookie\":7},{\"fileid\":2,"
	    "\"name\":\"b\",\"cookie\":8}],\"eof\":true}");
	d.entries = NULL;
	assert_string_equal(json(&dirlist3_type, &d),
	    "{\"entries\":[],\"eof\":true}");
	assert_string_equal(json(&GETATTR3res_type, &r),
	    "{\"status\":\"NFS3ERR_STALE\"}");
	assert_string_equal(json(&set_mode3_type, &m),
	    "{\"set_it\":true,\"mode\":420}");
	r.status = (enum nfsstat3)4711;
	assert_string_equal(json(&GETATTR3res_type, &r), "{\"status\":4711}");
}

static void
test_json_of_pieces_is_that_of_their_bytes(void)
{
	struct xdr_piece pieces[] = { { .base = "\x12", .len = 1 },
	    { .base = "\x34\x56", .len = 2 } };
	nfs_fh3 fh = { .data = { pieces, 3, 2 } };

	assert_string_equal(json(&nfs_fh3_type, &fh), "{\"data\":\"123456\"}");
}

static int
fill_with_owner(void *owner, void *to, const void *from, size_t len)
{
	(void)from;
	memset(to, *(char *)owner, len);
	return *(char *)owner == 'x' ? EIO : 0;
}

static void
test_what_may_vanish_is_printed_from_a_copy(void)
{
	char c = 'a';
	struct xdr_piece piece = { .base = &c, .len = 300, .owner = &c,
	    .copy = fill_with_owner };
	WRITE3args w = { .data = { &piece, 300, 1 } };
	nfs_fh3 fh = { .data = { &piece, 3, 1 } };

	CHECK(strstr(print(&WRITE3args_type, &w), "data=61616161") != NULL);
	piece.len = 3;
	assert_string_equal(json(&nfs_fh3_type, &fh), "{\"data\":\"616161\"}");
	c = 'x';
	assert_string_equal(json(&nfs_fh3_type, &fh), "{\"data\":\"\"}");
	w.data.len = 3;
	CHECK(strstr(print(&WRITE3args_type, &w), "data=...}") != NULL);
}

static void
test_json_numbers_that_are_none_are_strings(void)
{
	const double values[] = { 0.1, -1e300, HUGE_VAL, -HUGE_VAL };
	const char *const shown[] = { "0.10000000000000001",
	    "-1.0000000000000001e+300", "\"Infinity\"", "\"-Infinity\"" };
	size_t i;

	for (i = 0; i < sizeof values / sizeof values[0]; i++)
		assert_string_equal(json(&xdr_type_double, &values[i]),
		    shown[i]);
}

static void
test_json_says_how_long_it_would_have_been(void)
{
	filename3 name = xdr_view("abcdef", 6);
	char small[5];

	CHECK(xdr_json(small, sizeof small, &filename3_type, &name) == 8);
	assert_string_equal(small, "\"abc");
	CHECK(xdr_json(NULL, 0, &filename3_type, &name) == 8);
}

CHECK_MAIN(
	CHECK_TEST(test_members_have_their_names),
	CHECK_TEST(test_an_enum_prints_its_name_or_its_number),
	CHECK_TEST(test_a_union_prints_the_arm_it_has),
	CHECK_TEST(test_a_list_prints_without_its_links),
	CHECK_TEST(test_names_from_strangers_do_not_reach_the_terminal),
	CHECK_TEST(test_data_is_clipped_to_80_bytes),
	CHECK_TEST(test_long_lists_and_arrays_are_clipped),
	CHECK_TEST(test_pieces_show_the_first_one),
	CHECK_TEST(test_what_may_vanish_is_printed_from_a_copy),
	CHECK_TEST(test_a_line_too_long_is_cut_and_its_length_told),
	CHECK_TEST(test_json_has_members_by_name_and_bytes_in_digits),
	CHECK_TEST(test_json_strings_are_utf8_whatever_the_bytes),
	CHECK_TEST(test_json_shows_lists_options_and_arms),
	CHECK_TEST(test_json_of_pieces_is_that_of_their_bytes),
	CHECK_TEST(test_json_numbers_that_are_none_are_strings),
	CHECK_TEST(test_json_says_how_long_it_would_have_been),
)
