#include "nfs/nfs2.h"

#include <stdio.h>
#include <sys/stat.h>

#include "check.h"
#include "nfs_rig.h"

/* ------------------------------------------------------- how to ask it -- */

#define LEAVE { UINT32_MAX, UINT32_MAX }

static const sattr leave_all = { .mode = UINT32_MAX, .uid = UINT32_MAX,
    .gid = UINT32_MAX, .size = UINT32_MAX, .atime = LEAVE, .mtime = LEAVE };

static fhandle root_fh;

static void
start(void)
{
	struct pinefs_ident id = { .fileid = TOY_FIRST_ID, .generation = 7 };
	uint32_t len;

	rig_start();
	CHECK(nfs_fh_make(&rig.nfs.keys, rig.export.id, &id, NFS_FH_MAX2,
	    root_fh, &len) == 0 && len == NFS_FHSIZE);
}

static struct xdr_view
text(const char *s)
{
	return xdr_view(s, (uint32_t)strlen(s));
}

static diropargs
at(const fhandle dir, const char *name)
{
	diropargs d = { .name = text(name) };

	memcpy(d.dir, dir, NFS_FHSIZE);
	return d;
}

static void
ask(uint32_t proc, const void *args, void *res)
{
	assert_int_equal(rig_call(100003, 2, proc, args, res), 0);
}

static nfsstat
attributes(const fhandle fh, fattr *f)
{
	attrstat r;

	ask(NFSPROC_GETATTR, fh, &r);
	if (r.status == NFS_OK)
		*f = r.attributes;
	return r.status;
}

static nfsstat
look_up(const fhandle dir, const char *name, fhandle fh)
{
	diropargs a = at(dir, name);
	diropres r;

	ask(NFSPROC_LOOKUP, &a, &r);
	if (r.status == NFS_OK)
		memcpy(fh, r.diropok.file, NFS_FHSIZE);
	return r.status;
}

static nfsstat
create(const char *name, sattr s, fhandle fh)
{
	createargs a = { at(root_fh, name), s };
	diropres r;

	ask(NFSPROC_CREATE, &a, &r);
	if (r.status == NFS_OK)
		memcpy(fh, r.diropok.file, NFS_FHSIZE);
	return r.status;
}

static sattr
with_mode(uint32_t mode)
{
	sattr s = leave_all;

	s.mode = mode;
	return s;
}

static nfsstat
write_at(const fhandle fh, uint32_t off, const char *s)
{
	writeargs a = { .offset = off, .data = text(s) };
	attrstat r;

	memcpy(a.file, fh, NFS_FHSIZE);
	ask(NFSPROC_WRITE, &a, &r);
	return r.status;
}

static nfsstat
set(const fhandle fh, sattr s, fattr *f)
{
	sattrargs a = { .attributes = s };
	attrstat r;

	memcpy(a.file, fh, NFS_FHSIZE);
	ask(NFSPROC_SETATTR, &a, &r);
	if (r.status == NFS_OK)
		*f = r.attributes;
	return r.status;
}

/* ---------------------------------------------------------- attributes -- */

static void
test_a_mode_tells_its_type(void)
{
	static const struct { uint32_t type, mode, ftype, rdev; } rows[] = {
		{ PINEFS_REG, S_IFREG, NFREG, 0 },
		{ PINEFS_DIR, S_IFDIR, NFDIR, 0 },
		{ PINEFS_BLK, S_IFBLK, NFBLK, 0x1112103 },
		{ PINEFS_CHR, S_IFCHR, NFCHR, 0x1112103 },
		{ PINEFS_LNK, S_IFLNK, NFLNK, 0 },
		{ PINEFS_SOCK, S_IFSOCK, NFNON, 0 },
		{ PINEFS_FIFO, S_IFIFO, NFCHR, UINT32_MAX },
	};
	struct toy_obj *o;
	fhandle fh;
	fattr f;

	start();
	for (unsigned i = 0; i < 7; i++) {
		char name[] = { (char)('a' + i), '\0' };

		o = toy_add(rig.toy, &rig.toy->obj[0], name, rows[i].type,
		    0640, NULL);
		if (rows[i].type == PINEFS_BLK ||
		    rows[i].type == PINEFS_CHR) {
			o->attr.rdev_major = 0x121;
			o->attr.rdev_minor = 0x1103;
		}
		CHECK(look_up(root_fh, name, fh) == NFS_OK);
		CHECK(attributes(fh, &f) == NFS_OK);
		CHECK(f.type == rows[i].ftype);
		CHECK(f.mode == (rows[i].mode | 0640));
		CHECK(f.rdev == rows[i].rdev);
	}
	rig_stop();
}

static void
test_what_32_bits_cannot_tell_is_their_greatest(void)
{
	struct toy_obj *o;
	fhandle fh;
	fattr f;

	start();
	o = toy_add(rig.toy, &rig.toy->obj[0], "f", PINEFS_REG, 0644, "");
	CHECK(look_up(root_fh, "f", fh) == NFS_OK);
	o->attr.size = 0x80000001;
	o->attr.used = 1025;
	CHECK(attributes(fh, &f) == NFS_OK);
	CHECK(f.size == 0x80000001 && f.blocks == 3);
	o->attr.size = o->attr.used = UINT64_C(1) << 50;
	CHECK(attributes(fh, &f) == NFS_OK);
	CHECK(f.size == UINT32_MAX && f.blocks == UINT32_MAX);
	o->attr.mtime.tv_sec = -5;
	o->attr.ctime = (struct timespec){ 7, 999999999 };
	CHECK(attributes(fh, &f) == NFS_OK);
	CHECK(f.mtime.seconds == 0 && f.ctime.useconds == 999999);
	rig_stop();
}

static void
test_fileids_fold_to_32_bits_and_never_to_0(void)
{
	CHECK(nfs2_fileid(1) == 1);
	CHECK(nfs2_fileid(0xfffffffe) == 0xfffffffe);
	CHECK(nfs2_fileid(UINT64_C(1) << 32) != nfs2_fileid(1));
	for (uint64_t high = 1; high < 100000; high += 77) {
		uint64_t low = (uint32_t)(high * 0x9e3779b1u);

		CHECK(nfs2_fileid(high << 32 | low) != 0);
	}
}

static void
test_all_ones_leave_alone(void)
{
	fhandle fh;
	fattr was, is;

	start();
	CHECK(create("f", with_mode(0644), fh) == NFS_OK);
	CHECK(write_at(fh, 0, "hello") == NFS_OK);
	CHECK(attributes(fh, &was) == NFS_OK);
	CHECK(set(fh, leave_all, &is) == NFS_OK);
	CHECK(is.mode == was.mode && is.size == was.size);
	CHECK(is.uid == was.uid && is.mtime.seconds == was.mtime.seconds);
	CHECK(set(fh, with_mode(0xffff), &is) == NFS_OK);
	CHECK(is.mode == was.mode);
	CHECK(set(fh, with_mode(0100600), &is) == NFS_OK);
	CHECK(is.mode == (S_IFREG | 0600));
	rig_stop();
}

static void
test_useconds_1000000_is_the_servers_time(void)
{
	sattr s = leave_all;
	fhandle fh;
	fattr f;

	start();
	CHECK(create("f", with_mode(0644), fh) == NFS_OK);
	s.atime = (nfstime){ 7, 8 };
	s.mtime = (nfstime){ 9, 10 };
	CHECK(set(fh, s, &f) == NFS_OK);
	CHECK(f.atime.seconds == 7 && f.atime.useconds == 8);
	CHECK(f.mtime.seconds == 9 && f.mtime.useconds == 10);
	/* In mtime: both. */
	s.mtime.useconds = 1000000;
	CHECK(set(fh, s, &f) == NFS_OK);
	CHECK(f.atime.seconds >= 1000000000);
	CHECK(f.mtime.seconds >= 1000000000);
	s.mtime.useconds = 1000001;
	CHECK(set(fh, s, &f) == NFSERR_IO);
	rig_stop();
}

/* --------------------------------------------------------------- files -- */

static void
test_reads_and_writes_of_8_kib(void)
{
	static char big[8193];
	readargs a = { .count = 9000 };
	readres r;
	fhandle fh;

	memset(big, 'x', 8192);
	start();
	CHECK(create("f", with_mode(0644), fh) == NFS_OK);
	rig.toy->write_max = 1000;	/* short writes are gone on with */
	CHECK(write_at(fh, 0, big) == NFS_OK);
	CHECK(write_at(fh, 8192, big) == NFS_OK);
	memcpy(a.file, fh, NFS_FHSIZE);
	ask(NFSPROC_READ, &a, &r);
	CHECK(r.status == NFS_OK && r.reply.data.len == 8192);
	CHECK(r.reply.attributes.size == 16384);
	a.offset = 16380;
	ask(NFSPROC_READ, &a, &r);
	CHECK(r.status == NFS_OK && r.reply.data.len == 4);
	a.offset = UINT32_MAX;
	ask(NFSPROC_READ, &a, &r);
	CHECK(r.status == NFS_OK && r.reply.data.len == 0);
	rig_stop();
}

static void
test_nothing_is_written_beyond_32_bits(void)
{
	fhandle fh;

	start();
	CHECK(create("f", with_mode(0644), fh) == NFS_OK);
	CHECK(write_at(fh, UINT32_MAX - 3, "hello") == NFSERR_FBIG);
	CHECK(write_at(fh, UINT32_MAX - 5, "hello") == NFSERR_NOSPC);
	CHECK(write_at(root_fh, 0, "hello") == NFSERR_ISDIR);
	CHECK(write_at(fh, 0, "") == NFS_OK);
	rig_stop();
}

static void
test_links_longer_than_the_protocol_allows(void)
{
	static char target[1026];
	struct toy_obj *o;
	readlinkres r;
	fhandle fh;

	memset(target, 't', 1025);
	start();
	toy_add(rig.toy, &rig.toy->obj[0], "long", PINEFS_LNK, 0777, target);
	o = toy_add(rig.toy, &rig.toy->obj[0], "l", PINEFS_LNK, 0777, "x/y");
	CHECK(look_up(root_fh, "l", fh) == NFS_OK);
	ask(NFSPROC_READLINK, fh, &r);
	CHECK(r.status == NFS_OK && r.data.len == o->attr.size);
	CHECK(look_up(root_fh, "long", fh) == NFS_OK);
	ask(NFSPROC_READLINK, fh, &r);
	CHECK(r.status == NFSERR_NAMETOOLONG);
	rig_stop();
}

static void
test_statfs_counts_in_31_bits(void)
{
	statfsres r;

	start();
	ask(NFSPROC_STATFS, root_fh, &r);
	CHECK(r.status == NFS_OK);
	CHECK(r.info.tsize == 8192);
	CHECK(r.info.blocks <= INT32_MAX);
	CHECK((uint64_t)r.info.blocks * r.info.bsize == UINT64_C(3) << 44);
	CHECK((uint64_t)r.info.bavail * r.info.bsize == UINT64_C(1) << 44);
	rig_stop();
}

static void
test_root_and_writecache_answer_nothing(void)
{
	start();
	ask(NFSPROC_ROOT, NULL, NULL);
	CHECK(rig.reply_len == 0);
	ask(NFSPROC_WRITECACHE, NULL, NULL);
	CHECK(rig.reply_len == 0);
	rig_stop();
}

/* --------------------------------------------------------------- names -- */

static void
test_create_makes_nodes_of_all_types(void)
{
	sattr s;
	fhandle fh;
	fattr f;

	start();
	CHECK(create("reg", with_mode(0644), fh) == NFS_OK);
	CHECK(attributes(fh, &f) == NFS_OK && f.type == NFREG);
	CHECK(create("reg2", with_mode(S_IFREG | 0644), fh) == NFS_OK);
	CHECK(attributes(fh, &f) == NFS_OK && f.type == NFREG);

	/* What Linux sends: FIFO without a size, device with its number. */
	CHECK(create("fifo", with_mode(S_IFCHR | 0600), fh) == NFS_OK);
	CHECK(attributes(fh, &f) == NFS_OK);
	CHECK(f.type == NFCHR && f.rdev == UINT32_MAX);
	CHECK(f.mode == (S_IFIFO | 0600));
	s = with_mode(S_IFCHR | 0600);
	s.size = 0x103;
	CHECK(create("null", s, fh) == NFS_OK);
	CHECK(attributes(fh, &f) == NFS_OK);
	CHECK(f.type == NFCHR && f.rdev == 0x103 && f.size == 0);
	s.mode = S_IFBLK | 0600;
	s.size = 0x11300ff;
	CHECK(create("disk", s, fh) == NFS_OK);
	CHECK(attributes(fh, &f) == NFS_OK);
	CHECK(f.type == NFBLK && f.rdev == 0x11300ff);
	CHECK(create("sock", with_mode(S_IFSOCK | 0600), fh) == NFS_OK);
	CHECK(attributes(fh, &f) == NFS_OK && f.mode == (S_IFSOCK | 0600));
	CHECK(create("fifo2", with_mode(S_IFIFO | 0600), fh) == NFS_OK);

	CHECK(create("null", s, fh) == NFSERR_EXIST);
	CHECK(create("dir", with_mode(S_IFDIR | 0755), fh) == NFSERR_IO);
	rig_stop();
}

static void
test_create_of_an_existing_file_opens_it(void)
{
	sattr s = with_mode(0644);
	fhandle fh, same;
	fattr f;

	start();
	CHECK(create("f", s, fh) == NFS_OK);
	CHECK(write_at(fh, 0, "hello") == NFS_OK);
	CHECK(create("f", s, same) == NFS_OK);
	assert_memory_equal(fh, same, NFS_FHSIZE);
	CHECK(attributes(fh, &f) == NFS_OK && f.size == 5);
	s.size = 0;
	CHECK(create("f", s, same) == NFS_OK);
	CHECK(attributes(fh, &f) == NFS_OK && f.size == 0);
	rig_stop();
}

static nfsstat
of_name(uint32_t proc, const char *name)
{
	diropargs a = at(root_fh, name);
	nfsstat st;

	ask(proc, &a, &st);
	return st;
}

static void
test_the_life_of_names(void)
{
	createargs c;
	symlinkargs l;
	renameargs r;
	linkargs k;
	diropres made;
	fhandle f, d;
	nfsstat st;

	start();
	CHECK(create("f", with_mode(0644), f) == NFS_OK);
	c = (createargs){ at(root_fh, "d"), with_mode(0755) };
	c.attributes.size = 0;
	ask(NFSPROC_MKDIR, &c, &made);
	CHECK(made.status == NFS_OK);
	CHECK(made.diropok.attributes.type == NFDIR);
	memcpy(d, made.diropok.file, NFS_FHSIZE);
	ask(NFSPROC_MKDIR, &c, &made);
	CHECK(made.status == NFSERR_EXIST);

	l = (symlinkargs){ at(d, "l"), text("../f"), leave_all };
	ask(NFSPROC_SYMLINK, &l, &st);
	CHECK(st == NFS_OK);
	memcpy(k.from, f, NFS_FHSIZE);
	k.to = at(d, "g");
	ask(NFSPROC_LINK, &k, &st);
	CHECK(st == NFS_OK);
	ask(NFSPROC_LINK, &k, &st);
	CHECK(st == NFSERR_EXIST);
	r = (renameargs){ at(d, "g"), at(root_fh, "h") };
	ask(NFSPROC_RENAME, &r, &st);
	CHECK(st == NFS_OK);
	ask(NFSPROC_RENAME, &r, &st);
	CHECK(st == NFSERR_NOENT);
	r = (renameargs){ at(root_fh, "d"), at(d, "d") };
	ask(NFSPROC_RENAME, &r, &st);
	CHECK(st == NFSERR_IO);

	CHECK(of_name(NFSPROC_REMOVE, "d") == NFSERR_ISDIR);
	CHECK(of_name(NFSPROC_RMDIR, "f") == NFSERR_NOTDIR);
	CHECK(of_name(NFSPROC_RMDIR, "d") == NFSERR_NOTEMPTY);
	CHECK(of_name(NFSPROC_REMOVE, "f") == NFS_OK);
	CHECK(of_name(NFSPROC_REMOVE, "f") == NFSERR_NOENT);
	CHECK(of_name(NFSPROC_REMOVE, "h") == NFS_OK);
	CHECK(look_up(root_fh, "h", f) == NFSERR_NOENT);
	CHECK(attributes(k.from, &made.diropok.attributes) == NFSERR_STALE);
	rig_stop();
}

static void
test_names_that_cannot_be_are_refused_with_access(void)
{
	static const char *const bad[] = { "", ".", "..", "a/b" };
	fhandle fh;

	start();
	for (unsigned i = 0; i < 4; i++) {
		CHECK(create(bad[i], with_mode(0644), fh) == NFSERR_ACCES);
		CHECK(of_name(NFSPROC_REMOVE, bad[i]) == NFSERR_ACCES);
		CHECK(of_name(NFSPROC_RMDIR, bad[i]) == NFSERR_ACCES);
	}
	CHECK(look_up(root_fh, "", fh) == NFSERR_ACCES);
	CHECK(look_up(root_fh, "a/b", fh) == NFSERR_ACCES);
	CHECK(look_up(root_fh, ".", fh) == NFS_OK);
	assert_memory_equal(fh, root_fh, NFS_FHSIZE);
	CHECK(look_up(root_fh, "..", fh) == NFS_OK);
	CHECK(look_up(root_fh, "...", fh) == NFSERR_NOENT);
	rig_stop();
}

/* ------------------------------------------------------------- listing -- */

static unsigned
list(uint32_t count)
{
	readdirargs a = { .count = count };
	readdirres r = { .status = NFS_OK };
	unsigned n = 0, before;

	memcpy(a.dir, root_fh, NFS_FHSIZE);
	do {
		before = n;
		ask(NFSPROC_READDIR, &a, &r);
		CHECK(r.status == NFS_OK);
		CHECK(rig.reply_len <= count);
		for (entry *e = r.readdirok.entries; e != NULL;
		    e = e->nextentry, n++)
			memcpy(a.cookie, e->cookie, NFS_COOKIESIZE);
		CHECK(r.readdirok.eof || n > before);
	} while (!r.readdirok.eof);
	return n;
}

static void
test_pages_of_any_size_lose_and_double_nothing(void)
{
	readdirargs a = { .count = 0 };
	readdirres r;

	start();
	for (unsigned i = 0; i < 40; i++) {
		char name[32];

		snprintf(name, sizeof name, "name%.*s%u", (int)(i % 7),
		    "abcdefg", i);
		toy_add(rig.toy, &rig.toy->obj[0], name, PINEFS_REG, 0644,
		    "");
	}
	for (uint32_t count = 48; count <= 8192; count = count * 4 / 3)
		CHECK(list(count) == 42);

	memcpy(a.dir, root_fh, NFS_FHSIZE);
	for (a.count = 0; a.count < 32; a.count++) {
		ask(NFSPROC_READDIR, &a, &r);
		CHECK(r.status == NFSERR_IO);
	}
	ask(NFSPROC_READDIR, &a, &r);
	CHECK(r.status == NFS_OK && r.readdirok.entries != NULL);
	CHECK(r.readdirok.entries->fileid == TOY_FIRST_ID);
	rig_stop();
}

/* ------------------------------------------------------------- waiting -- */

static void
test_the_library_asks_again_where_v3_says_later(void)
{
	fhandle fh;

	start();
	toy_add(rig.toy, &rig.toy->obj[0], "f", PINEFS_REG, 0644, "");
	rig.toy->fail = EAGAIN;
	rig.toy->fail_times = 3;
	CHECK(look_up(root_fh, "f", fh) == NFS_OK);
	CHECK(rig.waits == 3);
	/* Not for ever. */
	rig.toy->fail_times = 100;
	rig.waits = 0;
	CHECK(look_up(root_fh, "f", fh) == NFSERR_IO);
	CHECK(rig.waits == 6);
	rig.nfs.after = NULL;
	CHECK(look_up(root_fh, "f", fh) == NFSERR_IO);
	rig_stop();
}

static void
test_steps_that_come_later_change_nothing(void)
{
	fhandle fh;
	fattr f;

	start();
	rig.toy->later = true;
	CHECK(create("f", with_mode(0600), fh) == NFS_OK);
	rig.toy->write_max = 2;
	CHECK(write_at(fh, 0, "hello") == NFS_OK);
	CHECK(attributes(fh, &f) == NFS_OK && f.size == 5);
	CHECK(list(512) == 3);
	rig.toy->fail = EAGAIN;
	rig.toy->fail_times = 2;
	CHECK(write_at(fh, 5, " world") == NFS_OK);
	CHECK(attributes(fh, &f) == NFS_OK && f.size == 11);
	CHECK(memcmp(rig.toy->obj[1].data, "hello world", 11) == 0);
	rig_stop();
}

CHECK_MAIN(
	CHECK_TEST(test_a_mode_tells_its_type),
	CHECK_TEST(test_what_32_bits_cannot_tell_is_their_greatest),
	CHECK_TEST(test_fileids_fold_to_32_bits_and_never_to_0),
	CHECK_TEST(test_all_ones_leave_alone),
	CHECK_TEST(test_useconds_1000000_is_the_servers_time),
	CHECK_TEST(test_reads_and_writes_of_8_kib),
	CHECK_TEST(test_nothing_is_written_beyond_32_bits),
	CHECK_TEST(test_links_longer_than_the_protocol_allows),
	CHECK_TEST(test_statfs_counts_in_31_bits),
	CHECK_TEST(test_root_and_writecache_answer_nothing),
	CHECK_TEST(test_create_makes_nodes_of_all_types),
	CHECK_TEST(test_create_of_an_existing_file_opens_it),
	CHECK_TEST(test_the_life_of_names),
	CHECK_TEST(test_names_that_cannot_be_are_refused_with_access),
	CHECK_TEST(test_pages_of_any_size_lose_and_double_nothing),
	CHECK_TEST(test_the_library_asks_again_where_v3_says_later),
	CHECK_TEST(test_steps_that_come_later_change_nothing),
)
