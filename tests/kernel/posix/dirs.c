/* Directories: making, removing, listing, also while they change. */
#include <dirent.h>
#include <sys/statvfs.h>

#include "posix.h"

enum { MANY = 1500 };

static void
make_entries(unsigned from, unsigned to)
{
	int fd;

	for (unsigned i = from; i < to; i++) {
		fd = open_file(entry_name(i), O_WRONLY | O_CREAT | O_EXCL,
		    0600);
		close(fd);
	}
}

/* Count each of entry_name(0..max-1) in what a listing gives. */
static void
count_entry(const char *name, unsigned *seen, unsigned max)
{
	const char *digits = name + strlen(name) - 5;
	unsigned i;

	if (name[0] == '.')
		return;
	CHECK(strlen(name) > 5);
	i = (unsigned)strtoul(digits, NULL, 10);
	CHECK(i < max && strcmp(entry_name(i), name) == 0);
	seen[i]++;
}

static void
test_directories_are_made_and_removed(void)
{
	CHECK(mkdir("d", 0750) == 0);
	CHECK(S_ISDIR(stat_of("d").st_mode));
	CHECK_EQ(stat_of("d").st_mode & 07777, 0750);
	CHECK_ERR(mkdir("d", 0755), EEXIST);
	CHECK(rmdir("d") == 0);
	CHECK_ERR(rmdir("d"), ENOENT);
	CHECK_ERR(mkdir("none/d", 0755), ENOENT);
}

static void
test_removing_the_wrong_kind_fails(void)
{
	CHECK(mkdir("d", 0755) == 0);
	put_file("d/f", "x", 1);
	CHECK_ERR(rmdir("d/f"), ENOTDIR);
	CHECK_ERR(unlink("d"), EISDIR);
	CHECK(rmdir("d") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	CHECK_ERR(unlink("d/none"), ENOENT);
	CHECK_ERR(open("d/f/g", O_RDONLY), ENOTDIR);
	CHECK_ERR(mkdir("d/f/g", 0755), ENOTDIR);
}

static void
test_a_directory_counts_its_subdirectories(void)
{
	CHECK(mkdir("d", 0755) == 0);
	CHECK_EQ(stat_of("d").st_nlink, 2);
	CHECK(mkdir("d/a", 0755) == 0 && mkdir("d/b", 0755) == 0);
	put_file("d/f", "x", 1);
	CHECK_EQ(stat_of("d").st_nlink, 4);
	CHECK(rmdir("d/a") == 0);
	CHECK_EQ(stat_of("d").st_nlink, 3);
}

static void
test_a_listing_has_each_name_once(void)
{
	static unsigned seen[MANY];
	unsigned dot = 0, dotdot = 0;
	struct dirent *e;
	DIR *d;

	make_entries(0, MANY);
	CHECK((d = opendir(".")) != NULL);
	while (errno = 0, (e = readdir(d)) != NULL) {
		dot += strcmp(e->d_name, ".") == 0;
		dotdot += strcmp(e->d_name, "..") == 0;
		count_entry(e->d_name, seen, MANY);
	}
	CHECK_EQ(errno, 0);
	CHECK_EQ(dot, 1);
	CHECK_EQ(dotdot, 1);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_EQ(seen[i], 1);
	closedir(d);
}

static void
test_a_listing_agrees_with_lstat(void)
{
	struct dirent *e;
	struct stat st;
	DIR *d;

	put_file("file", "x", 1);
	CHECK(mkdir("dir", 0755) == 0);
	CHECK(symlink("x", "link") == 0);
	CHECK(mkfifo("fifo", 0600) == 0);
	CHECK((d = opendir(".")) != NULL);
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, "..") == 0)
			continue;	/* the mount point's own, at times */
		st = stat_of(e->d_name);
		CHECK_EQ(e->d_ino, st.st_ino);
		if (e->d_type != DT_UNKNOWN)
			CHECK_EQ(e->d_type, IFTODT(st.st_mode));
	}
	closedir(d);
}

/* What `rm -r` does: one pass over the listing, removing as it goes. */
static void
test_everything_can_be_removed_while_listing(void)
{
	struct dirent *e;
	unsigned removed = 0;
	DIR *d;

	CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0);
	make_entries(0, MANY);
	CHECK((d = opendir(".")) != NULL);
	while (errno = 0, (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		CHECK(unlink(e->d_name) == 0);
		removed++;
	}
	CHECK_EQ(errno, 0);
	closedir(d);
	CHECK_EQ(removed, MANY);
	CHECK(chdir("..") == 0);
	CHECK(rmdir("d") == 0);
}

static void
test_a_listing_keeps_the_others_while_names_come_and_go(void)
{
	static unsigned seen[2 * MANY];
	unsigned i, n = 0, made = MANY;
	struct dirent *e;
	char gone[64];
	DIR *d;

	make_entries(0, MANY);
	CHECK((d = opendir(".")) != NULL);
	while (errno = 0, (e = readdir(d)) != NULL) {
		count_entry(e->d_name, seen, 2 * MANY);
		if (++n % 3 != 0 || made == 2 * MANY)
			continue;
		/* Remove an old name, make a new one, rename another. */
		make_entries(made, made + 1);
		made++;
		i = (n * 13) % MANY;
		snprintf(gone, sizeof gone, "%s", entry_name(i));
		if (unlink(gone) == 0)
			seen[i] += 100;		/* may be seen or not */
	}
	CHECK_EQ(errno, 0);
	for (i = 0; i < MANY; i++)
		if (seen[i] != 1 && seen[i] != 100 && seen[i] != 101)
			fail(__FILE__, __LINE__, "%s was listed %u times",
			    entry_name(i), seen[i] % 100);
	for (i = MANY; i < 2 * MANY; i++)
		CHECK(seen[i] <= 1);
	closedir(d);
}

static void
test_a_listing_can_go_back_to_a_place(void)
{
	char name[256];
	struct dirent *e;
	long place;
	DIR *d;

	make_entries(0, 600);
	CHECK((d = opendir(".")) != NULL);
	for (int i = 0; i < 300; i++)
		CHECK((e = readdir(d)) != NULL);
	place = telldir(d);
	CHECK((e = readdir(d)) != NULL);
	snprintf(name, sizeof name, "%s", e->d_name);
	while (readdir(d) != NULL)
		;
	seekdir(d, place);
	CHECK((e = readdir(d)) != NULL);
	CHECK(strcmp(e->d_name, name) == 0);
	rewinddir(d);
	place = 0;
	while (readdir(d) != NULL)
		place++;
	CHECK_EQ(place, 602);
	closedir(d);
}

static void
test_a_directory_open_while_removed_ends_quietly(void)
{
	DIR *d;

	CHECK(mkdir("d", 0755) == 0);
	CHECK((d = opendir("d")) != NULL);
	CHECK(rmdir("d") == 0);
	while (readdir(d) != NULL)
		;
	closedir(d);
	CHECK_ERR(access("d", F_OK), ENOENT);
}

static void
test_the_current_directory_may_be_removed(void)
{
	CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0);
	CHECK(rmdir("../d") == 0);
	CHECK(open("f", O_WRONLY | O_CREAT, 0644) == -1 &&
	    (errno == ENOENT || errno == ESTALE));
	CHECK(chdir("/") == 0);
}

static void
test_statvfs_shows_what_is_used(void)
{
	static char buf[1 << 20];
	struct statvfs before, during, after;
	uint64_t used;
	int fd;

	CHECK(statvfs(".", &before) == 0);
	CHECK(before.f_blocks > 0 && before.f_bsize > 0);
	CHECK(before.f_bfree <= before.f_blocks);
	CHECK(before.f_namemax >= 255);
	fill(buf, sizeof buf, 6, 0);
	fd = open_file("f", O_WRONLY | O_CREAT, 0644);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(write(fd, buf, sizeof buf), sizeof buf);
	CHECK(fsync(fd) == 0 && close(fd) == 0);
	CHECK(statvfs(".", &during) == 0);
	CHECK(during.f_bfree < before.f_bfree);
	used = (before.f_bfree - during.f_bfree) * before.f_frsize;
	CHECK(used >= 7 << 20 && used < 64 << 20);
	CHECK(unlink("f") == 0);
	for (int i = 0; i < 50; i++) {		/* ext4 frees it in a while */
		CHECK(statvfs(".", &after) == 0);
		if (after.f_bfree > during.f_bfree)
			break;
		usleep(100000);
	}
	CHECK(after.f_bfree > during.f_bfree);
}

const struct test dir_tests[] = {
	TEST(test_directories_are_made_and_removed),
	TEST(test_removing_the_wrong_kind_fails),
	TEST(test_a_directory_counts_its_subdirectories),
	TEST(test_a_listing_has_each_name_once),
	TEST(test_a_listing_agrees_with_lstat),
	TEST(test_everything_can_be_removed_while_listing),
	TEST(test_a_listing_keeps_the_others_while_names_come_and_go),
	TEST(test_a_listing_can_go_back_to_a_place),
	TEST(test_a_directory_open_while_removed_ends_quietly),
	TEST(test_the_current_directory_may_be_removed),
	TEST(test_statvfs_shows_what_is_used),
	{ 0 },
};
