/* Indexes in files: fs/tar/index_file.c. */
#include <sys/mman.h>
#include <unistd.h>

#include "fs/tar/index_file.h"
#include "tar_rig.h"

static const struct tar_key key = { .dev = 1, .ino = 2, .size = 3,
    .mtime = 4, .head = 5, .tail = 6 };

/* Of an archive that has something for every section. */
static struct tar_index
make_index(void)
{
	struct made *made = calloc(1, sizeof *made);
	struct tar_source *source;
	struct tar_scan *scan;
	struct tar_index ix;
	struct tar_member m;
	enum tar_note why;

	rig_add(made, "d/", '5', "");
	rig_add(made, "d/a", '0', "hello");
	rig_link(made, "d/soft", '2', "a");
	rig_link(made, "hard", '1', "d/a");
	rig_add(made, "deep/er/f", '0', "deep");
	RIG_PAX(made, 'x', "SCHILY.xattr.user.key=value");
	rig_add(made, "x", '0', "x");
	RIG_PAX(made, 'x', "GNU.sparse.size=1000",
	    "GNU.sparse.numblocks=2", "GNU.sparse.offset=10",
	    "GNU.sparse.numbytes=3", "GNU.sparse.offset=500",
	    "GNU.sparse.numbytes=2");
	rig_add(made, "sparse", '0', "abcde");
	rig_end(made);
	source = tar_source_memory(made->base, made->len);
	scan = tar_scan_new(source, false, NULL, NULL);
	CHECK(tar_index_init(&ix) == 0);
	while (tar_scan_next(scan, &m) == 0)
		CHECK(tar_index_add(&ix, &m, &why) == 0);
	CHECK(tar_index_finish(&ix, NULL, NULL) == 0);
	CHECK(tar_scan_end(scan, &ix.end) && ix.end == made->len - 1024);
	tar_scan_free(scan);
	tar_source_free(source);
	free(made);
	return ix;
}

static int
new_file(void)
{
	int fd = memfd_create("index", MFD_CLOEXEC);

	CHECK(fd != -1);
	return fd;
}

static int
write_it(const struct tar_index *ix)
{
	struct tar_extra kept = { .base = (char[]){ "kept" }, .len = 5 };
	int fd = new_file();

	CHECK(tar_index_file_write(fd, ix, &key, &kept) == 0);
	return fd;
}

static void
check_xattr(const struct tar_index *ix, const struct tar_rec *r,
    const struct tar_rec *was, const struct tar_index *made)
{
	struct tar_xattr x, y;
	uint32_t i;

	for (i = 0; tar_index_xattr(made, was, i, &y); i++) {
		CHECK(tar_index_xattr(ix, r, i, &x));
		CHECK(x.name.len == y.name.len && x.value.len == y.value.len);
		CHECK(memcmp(x.value.base, y.value.base, y.value.len) == 0);
	}
	CHECK(!tar_index_xattr(ix, r, i, &x));
}

static void
check_same(const struct tar_index *ix, const struct tar_index *made)
{
	const struct tar_rec *r, *was;
	struct pinefs_name name;
	uint32_t i, n, m;

	CHECK(tar_index_count(ix) == tar_index_count(made));
	CHECK(ix->end == made->end);
	for (i = 0; i < tar_index_count(ix); i++) {
		r = tar_index_rec(ix, i);
		was = tar_index_rec(made, i);
		CHECK(memcmp(r, was, sizeof *r) == 0);
		name = tar_index_name(ix, r);
		CHECK(name.len == was->name_len && memcmp(name.base,
		    tar_index_name(made, was).base, name.len) == 0);
		CHECK(tar_index_find(ix, r->parent, name) ==
		    tar_index_find(made, r->parent, name));
		CHECK(tar_index_by_id(ix, tar_index_id(ix, i)) == i);
		CHECK((tar_index_map(ix, r, &n) != NULL) ==
		    (tar_index_map(made, was, &m) != NULL) && n == m);
		check_xattr(ix, r, was, made);
	}
}

static void
test_what_was_written_is_read(void)
{
	struct tar_index made = make_index(), ix, copy;
	int fd = write_it(&made);
	struct tar_extra kept;

	CHECK(tar_index_file_check(fd, NULL) == 0);
	CHECK(tar_index_file_open(fd, &key, &ix, &kept) == 0);
	close(fd);
	CHECK(ix.mapped != NULL);
	CHECK(kept.len == 5 && strcmp(kept.base, "kept") == 0);
	check_same(&ix, &made);
	CHECK(tar_index_copy(&copy, &ix) == 0);
	tar_index_fini(&ix);
	/* They outlive the index. */
	CHECK(kept.len == 5 && strcmp(kept.base, "kept") == 0);
	tar_extra_fini(&kept);
	check_same(&copy, &made);
	tar_index_fini(&copy);
	tar_index_fini(&made);
}

static void
test_of_other_bytes_it_is_not_used(void)
{
	struct tar_index made = make_index(), ix;
	int fd = write_it(&made);
	struct tar_extra kept;
	struct tar_key other;
	size_t i;

	for (i = 0; i < sizeof key / sizeof(uint64_t); i++) {
		other = key;
		((uint64_t *)&other)[i]++;
		CHECK(tar_index_file_open(fd, &other, &ix, &kept) == ESTALE);
	}
	close(fd);
	tar_index_fini(&made);
}

/* Is a file with that byte changed taken for what it was? */
static bool
is_noticed(int fd, off_t at)
{
	struct tar_extra kept;
	struct tar_index ix;
	uint8_t b, other;
	int err;

	CHECK(pread(fd, &b, 1, at) == 1);
	other = b ^ 0x10;
	CHECK(pwrite(fd, &other, 1, at) == 1);
	err = tar_index_file_open(fd, &key, &ix, &kept);
	if (err == 0) {
		err = tar_index_file_check(fd, NULL);
		tar_index_fini(&ix);
		tar_extra_fini(&kept);
	}
	CHECK(err == 0 || err == EBADMSG);
	CHECK(pwrite(fd, &b, 1, at) == 1);
	return err != 0;
}

static void
test_no_byte_of_a_section_changes_unnoticed(void)
{
	struct tar_index made = make_index();
	int fd = write_it(&made);
	off_t at, end = lseek(fd, 0, SEEK_END);
	unsigned missed = 0;

	for (at = 0; at < end; at++)
		missed += !is_noticed(fd, at);
	/* But what lies between them. */
	CHECK(missed < 6 * 63);
	CHECK(tar_index_file_check(fd, NULL) == 0);
	close(fd);
	tar_index_fini(&made);
}

static void
test_cut_anywhere_it_is_damaged(void)
{
	struct tar_index made = make_index(), ix;
	int fd = write_it(&made);
	off_t end = lseek(fd, 0, SEEK_END);
	struct tar_extra kept;

	while (end > 0) {
		end -= end < 97 ? end : 97;
		CHECK(ftruncate(fd, end) == 0);
		CHECK(tar_index_file_open(fd, &key, &ix, &kept) == EBADMSG);
		CHECK(tar_index_file_check(fd, NULL) == EBADMSG);
	}
	close(fd);
	tar_index_fini(&made);
}

static void
test_a_check_can_be_stopped(void)
{
	struct tar_index made = make_index();
	int fd = write_it(&made);
	atomic_bool stop = true;

	CHECK(tar_index_file_check(fd, &stop) == ECANCELED);
	close(fd);
	tar_index_fini(&made);
}

static void
test_a_key_follows_both_ends_of_a_file(void)
{
	int fd = new_file();
	struct tar_key k, l;
	char byte = 'x';

	CHECK(tar_key_of(&k, fd) == 0);
	CHECK(ftruncate(fd, 1 << 20) == 0 && tar_key_of(&k, fd) == 0);
	CHECK(k.size == 1 << 20);
	CHECK(pwrite(fd, &byte, 1, 65535) == 1 && tar_key_of(&l, fd) == 0);
	CHECK(k.head != l.head && k.tail == l.tail);
	CHECK(pwrite(fd, &byte, 1, (1 << 20) - 65536) == 1);
	CHECK(tar_key_of(&k, fd) == 0);
	CHECK(k.head == l.head && k.tail != l.tail);
	CHECK(tar_key_hash(fd, (1 << 20) - 1, 2, &k.head) == EIO);
	close(fd);
}

CHECK_MAIN(
	CHECK_TEST(test_what_was_written_is_read),
	CHECK_TEST(test_of_other_bytes_it_is_not_used),
	CHECK_TEST(test_no_byte_of_a_section_changes_unnoticed),
	CHECK_TEST(test_cut_anywhere_it_is_damaged),
	CHECK_TEST(test_a_check_can_be_stopped),
	CHECK_TEST(test_a_key_follows_both_ends_of_a_file),
)
