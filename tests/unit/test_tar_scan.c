/* The scanner: fs/tar/scan.c. */
#include "tar_rig.h"

struct run {
	struct made		 made;
	struct tar_source	*source;
	struct tar_scan		*scan;
	struct tar_member	 m;
	unsigned		 notes[TAR_NOTES];
};

static struct run *
rig_new(void)
{
	return calloc(1, sizeof(struct run));
}

static void
start_at(struct run *r, size_t len)
{
	r->source = tar_source_memory(r->made.base, len);
	r->scan = tar_scan_new(r->source, false, rig_note, r->notes);
}

static void
start(struct run *r)
{
	rig_end(&r->made);
	start_at(r, r->made.len);
}

static bool
next_is(struct run *r, const char *name)
{
	return tar_scan_next(r->scan, &r->m) == 0 && rig_is(r->m.name, name);
}

static void
end(struct run *r, int err)
{
	CHECK(tar_scan_next(r->scan, &r->m) == err);
	CHECK(tar_scan_next(r->scan, &r->m) == ENOENT);
	tar_scan_free(r->scan);
	tar_source_free(r->source);
	free(r);
}

static void
test_a_member_is_told_with_its_places(void)
{
	struct run *r = rig_new();

	rig_add(&r->made, "dir/", '5', "");
	rig_add(&r->made, "dir/a", '0', "hello");
	start(r);
	CHECK(next_is(r, "dir/") && r->m.type == TAR_DIR);
	CHECK(next_is(r, "dir/a") && r->m.type == TAR_REG);
	CHECK(r->m.header == 512 && r->m.data == 1024 && r->m.size == 5);
	CHECK(r->m.mode == 0644 && r->m.uid == 1000 && r->m.gid == 50);
	CHECK(r->m.mtime.tv_sec == 100 && r->m.sum != 0);
	end(r, ENOENT);
}

static void
test_a_name_field_may_be_full_and_have_a_prefix(void)
{
	char name[101], whole[256];
	struct run *r = rig_new();
	struct tar_header h;

	memset(name, 'n', 100);
	name[100] = '\0';
	rig_add(&r->made, name, '0', "");
	h = rig_header(name, '0', 0);
	memset(h.prefix, 'p', sizeof h.prefix);
	rig_put(&r->made, h, "", 0);
	start(r);
	CHECK(next_is(r, name));
	memset(whole, 'p', 155);
	memcpy(whole + 155, "/", 1);
	memcpy(whole + 156, name, 100);
	CHECK(tar_scan_next(r->scan, &r->m) == 0);
	CHECK(r->m.name.len == 256 && memcmp(r->m.name.base, whole, 256) == 0);
	end(r, ENOENT);
}

static void
test_times_of_gnu_are_no_prefix(void)
{
	struct run *r = rig_new();
	struct tar_header h = rig_header("a", '0', 0);

	memcpy(h.magic, "ustar ", 6);
	memcpy(h.version, " ", 2);
	memcpy(h.prefix, "14000000000", 12);
	rig_put(&r->made, h, "", 0);
	h = rig_header("b", '0', 0);
	memcpy(h.prefix, "short", 5);
	memcpy((char *)&h + 476, "14000000000", 12);	/* star's atime */
	memcpy((char *)&h + 508, "tar", 4);
	rig_put(&r->made, h, "", 0);
	start(r);
	CHECK(next_is(r, "a"));
	CHECK(next_is(r, "short/b"));
	end(r, ENOENT);
}

static void
test_pax_wins_over_long_names_and_the_last_of_each_counts(void)
{
	struct run *r = rig_new();

	rig_add(&r->made, "././@LongLink", 'L', "first");
	rig_add(&r->made, "././@LongLink", 'L', "second");
	rig_add(&r->made, "././@LongLink", 'L', "");
	rig_add(&r->made, "a", '0', "");
	rig_add(&r->made, "././@LongLink", 'L', "long");
	RIG_PAX(&r->made, 'x', "path=pax", "path=the pax", "size=3");
	rig_put(&r->made, rig_header("b", '0', 0), "abc", 3);
	rig_add(&r->made, "././@LongLink", 'K', "a long target");
	rig_link(&r->made, "c", '2', "x");
	rig_link(&r->made, "d", '2', "y");
	start(r);
	CHECK(next_is(r, "second"));
	CHECK(next_is(r, "the pax") && r->m.size == 3);
	CHECK(next_is(r, "c") && rig_is(r->m.link, "a long target"));
	CHECK(next_is(r, "d") && rig_is(r->m.link, "y"));
	end(r, ENOENT);
}

static void
test_an_empty_local_value_lets_the_header_count(void)
{
	struct run *r = rig_new();

	RIG_PAX(&r->made, 'g', "uid=7", "mtime=3.5");
	rig_add(&r->made, "a", '0', "");
	RIG_PAX(&r->made, 'x', "uid=", "mtime=-1.25");
	rig_add(&r->made, "b", '0', "");
	RIG_PAX(&r->made, 'g', "uid=8");
	rig_add(&r->made, "c", '0', "");
	start(r);
	CHECK(next_is(r, "a") && r->m.uid == 7 && r->m.mtime.tv_sec == 3);
	CHECK(next_is(r, "b") && r->m.uid == 1000);
	CHECK(r->m.mtime.tv_sec == -2 && r->m.mtime.tv_nsec == 750000000);
	CHECK(next_is(r, "c") && r->m.uid == 8 && r->m.mtime.tv_sec == 3);
	end(r, ENOENT);
}

static void
test_broken_pax_records_spoil_only_what_follows_them(void)
{
	static const char *const broken[] = { "0 path=x\n", "99 path=x\n",
	    "7 pathx\n", "99999999999999999999999 path=x\n", "-3 path=x\n",
	    "9 path=xx", "3 =\n", "path=x\n" };
	struct run *r = rig_new();
	char text[64];

	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		snprintf(text, sizeof text, "9 uid=42\n%s", broken[i]);
		rig_add(&r->made, "pax", 'x', text);
		rig_add(&r->made, "a", '0', "x");
	}
	start(r);
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
		CHECK(next_is(r, "a") && r->m.uid == 42);
	CHECK(r->notes[TAR_NOTE_PAX] == 8);
	end(r, ENOENT);
}

static void
test_attributes_come_in_three_ways(void)
{
	struct run *r = rig_new();

	RIG_PAX(&r->made, 'x', "SCHILY.xattr.user.a=raw",
	    "LIBARCHIVE.xattr.user.b%3d=aGVsbG8",
	    "LIBARCHIVE.xattr.user.a=aGVsbG8", "RHT.security.selinux=label");
	rig_add(&r->made, "a", '0', "");
	rig_add(&r->made, "b", '0', "");
	start(r);
	CHECK(next_is(r, "a") && r->m.nxattrs == 3);
	CHECK(rig_is(r->m.xattr[0].name, "user.a"));
	CHECK(rig_is(r->m.xattr[0].value, "raw"));
	CHECK(rig_is(r->m.xattr[1].name, "security.selinux"));
	CHECK(rig_is(r->m.xattr[2].name, "user.b="));
	CHECK(rig_is(r->m.xattr[2].value, "hello"));
	CHECK(next_is(r, "b") && r->m.nxattrs == 0);
	end(r, ENOENT);
}

/* --------------------------------------------------------------- sparse -- */

static bool
segment_is(const struct run *r, uint32_t i, uint64_t off, uint64_t len,
    uint64_t at)
{
	const struct tar_segment *s = &r->m.map->seg[i];

	return i < r->m.map->n && s->off == off && s->len == len &&
	    s->at == at;
}

/* A big hole, then three bytes: in each format the same. */
static bool
has_hole(const struct run *r)
{
	return r->m.sparse && r->m.map->n == 2 && r->m.size == 1 << 20 &&
	    segment_is(r, 0, 0, 2, 0) && segment_is(r, 1, 1048573, 3, 2) &&
	    r->m.stored >= 5;
}

static void
test_every_sparse_format_gives_the_same_map(void)
{
	static const char gnu[] = "00000000000\0" "00000000002\0"
	    "00003777775\0" "00000000003";
	struct run *r = rig_new();
	struct tar_header h = rig_header("gnu", 'S', 5);
	char data[512 + 5] = "2\n0\n2\n1048573\n3\n";

	memcpy(h.magic, "ustar  ", 8);
	memcpy((char *)&h + 386, gnu, sizeof gnu);
	memcpy((char *)&h + 483, "00004000000", 12);
	rig_put(&r->made, h, "abcde", 5);

	h = rig_header("star", 'S', 5);
	memcpy((char *)&h + 356, gnu, sizeof gnu);
	memcpy((char *)&h + 452, "00004000000", 12);
	memcpy((char *)&h + 508, "tar", 4);
	rig_put(&r->made, h, "abcde", 5);

	RIG_PAX(&r->made, 'x', "GNU.sparse.size=1048576",
	    "GNU.sparse.numblocks=2", "GNU.sparse.offset=0",
	    "GNU.sparse.numbytes=2", "GNU.sparse.offset=1048573",
	    "GNU.sparse.numbytes=3");
	rig_add(&r->made, "pax 0.0", '0', "abcde");
	RIG_PAX(&r->made, 'x', "GNU.sparse.size=1048576",
	    "GNU.sparse.name=pax 0.1", "path=not this",
	    "GNU.sparse.map=0,2,1048573,3");
	rig_add(&r->made, "other", '0', "abcde");
	RIG_PAX(&r->made, 'x', "GNU.sparse.major=1", "GNU.sparse.minor=0",
	    "GNU.sparse.name=pax 1.0", "GNU.sparse.realsize=1048576");
	memcpy(data + 512, "abcde", 5);
	rig_put(&r->made, rig_header("other", '0', sizeof data), data,
	    sizeof data);
	start(r);
	CHECK(next_is(r, "gnu") && has_hole(r));
	CHECK(next_is(r, "star") && has_hole(r));
	CHECK(next_is(r, "pax 0.0") && has_hole(r));
	CHECK(next_is(r, "pax 0.1") && has_hole(r));
	CHECK(next_is(r, "pax 1.0") && has_hole(r));
	CHECK(memcmp(r->made.base + r->m.data, "abcde", 5) == 0);
	end(r, ENOENT);
}

static void
test_old_gnu_maps_go_on_in_blocks_behind(void)
{
	struct run *r = rig_new();
	struct tar_header h = rig_header("gnu", 'S', 25);
	char more[512] = "";

	memcpy(h.magic, "ustar  ", 8);
	for (int i = 0; i < 4; i++) {
		snprintf((char *)&h + 386 + 24 * i, 12, "%011o", i * 16);
		snprintf((char *)&h + 398 + 24 * i, 12, "%011o", 1);
	}
	((char *)&h)[482] = 1;
	memcpy((char *)&h + 483, "00000001000", 12);
	for (int i = 0; i < 21; i++) {
		snprintf(more + 24 * i, 12, "%011o", (i + 4) * 16);
		snprintf(more + 24 * i + 12, 12, "%011o", 1);
	}
	rig_put(&r->made, h, more, sizeof more);
	rig_bytes(&r->made, "abcdefghijklmnopqrstuvwxy", 25);
	rig_add(&r->made, "next", '0', "");
	start(r);
	CHECK(next_is(r, "gnu") && r->m.map->n == 25);
	CHECK(segment_is(r, 24, 384, 1, 24) && r->m.data == 1024);
	CHECK(next_is(r, "next"));
	end(r, ENOENT);
}

static void
test_maps_that_cannot_be_are_refused_alone(void)
{
	static const char *const maps[] = { "0,2,1,2",	/* overlap */
	    "5,1,0,1", "0,9", "18,3", "0,2,3", "0,-1", "x,1",
	    "9223372036854775807,1", "1,9223372036854775807" };
	struct run *r = rig_new();
	char record[80];

	for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
		snprintf(record, sizeof record, "GNU.sparse.map=%s", maps[i]);
		RIG_PAX(&r->made, 'x', "GNU.sparse.size=20", record);
		rig_add(&r->made, "bad", '0', "abcde");
	}
	RIG_PAX(&r->made, 'x', "GNU.sparse.major=1", "GNU.sparse.realsize=9");
	rig_add(&r->made, "bad", '0', "999999\n0\n");
	RIG_PAX(&r->made, 'x', "GNU.sparse.major=1", "GNU.sparse.realsize=9");
	rig_add(&r->made, "bad", '0', "9999999999999\n");
	rig_add(&r->made, "good", '0', "x");
	start(r);
	CHECK(next_is(r, "good") && !r->m.sparse);
	CHECK(r->notes[TAR_NOTE_SPARSE] == 11);
	end(r, ENOENT);
}

static void
test_a_hole_of_any_size_costs_nothing(void)
{
	struct run *r = rig_new();

	RIG_PAX(&r->made, 'x', "GNU.sparse.size=9223372036854775807",
	    "GNU.sparse.map=9223372036854775804,3");
	rig_add(&r->made, "huge", '0', "abc");
	start(r);
	CHECK(next_is(r, "huge") && r->m.size == INT64_MAX);
	CHECK(segment_is(r, 0, INT64_MAX - 3, 3, 0));
	end(r, ENOENT);
}

/* ---------------------------------------------------------- where it ends -- */

static void
test_the_end_may_be_missing(void)
{
	struct run *r = rig_new();

	rig_add(&r->made, "a", '0', "hello");
	start_at(r, r->made.len);
	CHECK(next_is(r, "a"));
	CHECK(tar_scan_next(r->scan, &r->m) == ENOENT);
	CHECK(r->notes[TAR_NOTE_CUT] == 0);
	end(r, ENOENT);
}

static void
test_an_archive_cut_anywhere_gives_what_is_whole(void)
{
	struct run *r;
	struct made *made = calloc(1, sizeof *made);
	size_t cut;
	int n, err;

	rig_add(made, "a", '0', "hello");
	rig_add(made, "././@LongLink", 'L', "long");
	rig_add(made, "b", '0', "hello");
	for (cut = 0; cut <= made->len; cut += cut % 512 < 2 ? 1 : 255) {
		r = rig_new();
		r->made = *made;
		start_at(r, cut);
		for (n = 0; (err = tar_scan_next(r->scan, &r->m)) == 0; n++)
			;
		CHECK(err == (cut < 512 ? ENOEXEC : ENOENT));
		CHECK(n == (cut >= 2560 ? 2 : cut >= 512 ? 1 : 0));
		CHECK((r->notes[TAR_NOTE_CUT] != 0) == (cut >= 512 &&
		    !(cut >= 517 && cut <= 1024) && cut < 2565));
		end(r, ENOENT);
	}
	free(made);
}

static void
test_a_bad_header_ends_the_archive_there(void)
{
	struct run *r = rig_new();

	rig_add(&r->made, "a", '0', "");
	rig_add(&r->made, "b", '0', "");
	rig_add(&r->made, "c", '0', "");
	r->made.base[512] ^= 1;
	start(r);
	CHECK(next_is(r, "a"));
	CHECK(tar_scan_next(r->scan, &r->m) == ENOENT);
	CHECK(r->notes[TAR_NOTE_CHECKSUM] == 1);
	end(r, ENOENT);
}

static void
test_sizes_that_cannot_be_end_it_too(void)
{
	struct run *r = rig_new();
	struct tar_header h = rig_header("b", '0', 0);

	rig_add(&r->made, "a", '0', "");
	memset(h.size, 0xff, sizeof h.size);
	rig_put(&r->made, h, "", 0);
	rig_add(&r->made, "c", '0', "");
	start(r);
	CHECK(next_is(r, "a"));
	CHECK(tar_scan_next(r->scan, &r->m) == ENOENT);
	CHECK(r->notes[TAR_NOTE_SIZE] == 1);
	end(r, ENOENT);
}

static void
test_a_member_larger_than_the_archive_keeps_its_size(void)
{
	struct run *r = rig_new();
	struct tar_header h = rig_header("a", '0', 0);

	memcpy(h.size, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
	rig_put(&r->made, h, "abc", 3);
	start(r);
	CHECK(next_is(r, "a") && r->m.size == INT64_MAX);
	CHECK(tar_scan_next(r->scan, &r->m) == ENOENT);
	CHECK(r->notes[TAR_NOTE_CUT] == 1);
	end(r, ENOENT);
}

static void
test_what_is_no_archive_is_told_from_an_empty_one(void)
{
	struct run *r = rig_new();

	start(r);
	end(r, ENOENT);
	r = rig_new();
	memset(r->made.base, 'x', 2048);
	start_at(r, 2048);
	end(r, ENOEXEC);
	r = rig_new();
	start_at(r, 0);
	end(r, ENOEXEC);
}

static void
test_zeros_end_it_unless_they_are_ignored(void)
{
	struct run *r = rig_new();

	rig_add(&r->made, "a", '0', "");
	rig_bytes(&r->made, (char[512]){ 0 }, 512);
	rig_add(&r->made, "b", '0', "");
	start(r);
	CHECK(next_is(r, "a"));
	CHECK(tar_scan_next(r->scan, &r->m) == ENOENT);
	tar_scan_free(r->scan);
	r->scan = tar_scan_new(r->source, true, NULL, NULL);
	CHECK(next_is(r, "a") && next_is(r, "b"));
	end(r, ENOENT);
}

/* ---------------------------------------------------------------- types -- */

static void
test_types_are_as_decided(void)
{
	static const struct {
		char		type;
		const char	*name;
		enum tar_type	is;
	} rows[] = {
		{ '\0', "a", TAR_REG }, { '0', "a", TAR_REG },
		{ '0', "a/", TAR_DIR }, { '\0', "a/", TAR_DIR },
		{ '7', "a", TAR_REG }, { 'Z', "a", TAR_REG },
		{ '5', "a", TAR_DIR }, { '3', "a", TAR_CHR },
		{ '4', "a", TAR_BLK }, { '6', "a", TAR_FIFO },
		{ 'D', "a", TAR_DIR },
	};
	struct run *r = rig_new();

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		rig_add(&r->made, rows[i].name, rows[i].type, "");
	rig_add(&r->made, "label", 'V', "");
	rig_add(&r->made, "part", 'M', "data of another volume");
	rig_add(&r->made, "names", 'N', "old");
	rig_add(&r->made, "last", '0', "");
	start(r);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK(next_is(r, rows[i].name) && r->m.type == rows[i].is);
	CHECK(next_is(r, "last"));
	CHECK(r->notes[TAR_NOTE_TYPE] == 1 && r->notes[TAR_NOTE_VOLUME] == 1);
	end(r, ENOENT);
}

static void
test_sizes_of_what_has_no_data_are_ignored(void)
{
	struct run *r = rig_new();

	for (const char *type = "23456"; *type != '\0'; type++)
		rig_put(&r->made, rig_header("a", *type, 99999), "", 0);
	rig_put(&r->made, rig_header("link", '1', 512), "", 0);
	rig_put(&r->made, rig_header("link2", '1', 6), "follow", 6);
	RIG_PAX(&r->made, 'x', "linkpath=a");
	rig_put(&r->made, rig_header("link3", '1', 512),
	    r->made.base, 512);		/* looks like a header, and is data */
	rig_add(&r->made, "last", '0', "");
	start(r);
	for (int i = 0; i < 5; i++)
		CHECK(next_is(r, "a"));
	CHECK(next_is(r, "link") && next_is(r, "link2"));
	CHECK(next_is(r, "link3") && next_is(r, "last"));
	end(r, ENOENT);
}

static void
test_names_too_long_refuse_their_member_alone(void)
{
	struct run *r = rig_new();

	rig_put(&r->made, rig_header("L", 'L', (1 << 20) + 1), "", 0);
	rig_end(&r->made);
	start_at(r, r->made.len);
	/* The name is longer than the archive. */
	CHECK(tar_scan_next(r->scan, &r->m) == ENOENT);
	CHECK(r->notes[TAR_NOTE_CUT] == 1);
	end(r, ENOENT);
}

static void
test_a_global_header_names_no_member(void)
{
	struct run *r = rig_new();

	RIG_PAX(&r->made, 'g', "path=all", "linkpath=all", "uid=7",
	    "GNU.sparse.name=all", "SCHILY.xattr.user.a=all",
	    "LIBARCHIVE.xattr.user.b=aGVsbG8");
	rig_link(&r->made, "a", '2', "target");
	RIG_PAX(&r->made, 'x', "path=own", "SCHILY.xattr.user.a=own");
	rig_add(&r->made, "b", '0', "");
	start(r);
	CHECK(next_is(r, "a") && rig_is(r->m.link, "target"));
	CHECK(r->m.uid == 7 && r->m.nxattrs == 0);
	CHECK(next_is(r, "own") && r->m.uid == 7 && r->m.nxattrs == 1);
	CHECK(rig_is(r->m.xattr[0].value, "own"));
	end(r, ENOENT);
}

/* A pax header of one record, whose value is that long. */
static void
long_record(struct made *m, const char *key, size_t len)
{
	char *text = malloc(len + 64);
	size_t all = strlen("ddddd =\n") + strlen(key) + len;
	int head = snprintf(text, 64, "%zu %s=", all, key);

	memset(text + head, '1', len);
	text[(size_t)head + len] = '\n';
	CHECK((size_t)head + len + 1 == all);
	rig_put(m, rig_header("pax", 'x', all), text, all);
	free(text);
}

static void
test_what_is_too_long_for_one_member_is_refused_or_left_out(void)
{
	struct run *r = rig_new();

	long_record(&r->made, "path", 65537);
	rig_add(&r->made, "a", '0', "");
	long_record(&r->made, "SCHILY.xattr.user.a", 65537);
	rig_add(&r->made, "b", '0', "");
	start(r);
	CHECK(next_is(r, "b") && r->m.nxattrs == 0);
	end(r, ENOENT);
	r = rig_new();
	long_record(&r->made, "SCHILY.xattr.user.a", 65536);
	rig_add(&r->made, "c", '0', "");
	long_record(&r->made, "linkpath", 14097);
	rig_link(&r->made, "d", '2', "x");
	rig_link(&r->made, "e", '2', "x");
	start(r);
	CHECK(next_is(r, "c") && r->m.nxattrs == 1);
	CHECK(r->m.xattr[0].value.len == 65536);
	CHECK(next_is(r, "e"));
	end(r, ENOENT);
}

static void
test_who_stops_waits_for_no_header(void)
{
	struct run *r = rig_new();
	atomic_bool stop = true;

	RIG_PAX(&r->made, 'x', "uid=7");
	rig_add(&r->made, "a", '0', "");
	start(r);
	tar_scan_stop_at(r->scan, &stop);
	CHECK(tar_scan_next(r->scan, &r->m) == ECANCELED);
	tar_scan_stop_at(r->scan, NULL);
	CHECK(next_is(r, "a") && r->m.uid == 7);
	end(r, ENOENT);
}

CHECK_MAIN(
	CHECK_TEST(test_a_member_is_told_with_its_places),
	CHECK_TEST(test_a_name_field_may_be_full_and_have_a_prefix),
	CHECK_TEST(test_times_of_gnu_are_no_prefix),
	CHECK_TEST(test_pax_wins_over_long_names_and_the_last_of_each_counts),
	CHECK_TEST(test_an_empty_local_value_lets_the_header_count),
	CHECK_TEST(test_broken_pax_records_spoil_only_what_follows_them),
	CHECK_TEST(test_attributes_come_in_three_ways),
	CHECK_TEST(test_every_sparse_format_gives_the_same_map),
	CHECK_TEST(test_old_gnu_maps_go_on_in_blocks_behind),
	CHECK_TEST(test_maps_that_cannot_be_are_refused_alone),
	CHECK_TEST(test_a_hole_of_any_size_costs_nothing),
	CHECK_TEST(test_the_end_may_be_missing),
	CHECK_TEST(test_an_archive_cut_anywhere_gives_what_is_whole),
	CHECK_TEST(test_a_bad_header_ends_the_archive_there),
	CHECK_TEST(test_sizes_that_cannot_be_end_it_too),
	CHECK_TEST(test_a_member_larger_than_the_archive_keeps_its_size),
	CHECK_TEST(test_what_is_no_archive_is_told_from_an_empty_one),
	CHECK_TEST(test_zeros_end_it_unless_they_are_ignored),
	CHECK_TEST(test_types_are_as_decided),
	CHECK_TEST(test_sizes_of_what_has_no_data_are_ignored),
	CHECK_TEST(test_names_too_long_refuse_their_member_alone),
	CHECK_TEST(test_a_global_header_names_no_member),
	CHECK_TEST(test_who_stops_waits_for_no_header),
	CHECK_TEST(test_what_is_too_long_for_one_member_is_refused_or_left_out),
)
