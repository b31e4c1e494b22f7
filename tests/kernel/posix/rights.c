/* Modes, owners, permission checks, times. */
#include <time.h>

#include "posix.h"

enum { ALICE = 1001, BOB = 1002, TEAM = 2000 };

static void
test_new_files_have_the_mode_asked_for_and_the_makers_ids(void)
{
	struct stat st;

	umask(027);
	close(open_file("f", O_WRONLY | O_CREAT, 0666));
	CHECK(mkdir("d", 0777) == 0);
	st = stat_of("f");
	CHECK_EQ(st.st_mode, S_IFREG | 0640);
	CHECK_EQ(st.st_uid, served);
	CHECK_EQ(st.st_gid, served);
	CHECK_EQ(stat_of("d").st_mode, S_IFDIR | 0750);
}

static void
alice_makes(void)
{
	struct stat st;

	put_file("hers", "x", 1);
	CHECK(mkdir("hers-too", 0700) == 0);
	CHECK(symlink("hers", "her-link") == 0);
	st = stat_of("hers");
	CHECK_EQ(st.st_uid, ALICE);
	CHECK_EQ(st.st_gid, ALICE);
	CHECK_EQ(stat_of("hers-too").st_uid, ALICE);
	CHECK_EQ(stat_of("her-link").st_uid, ALICE);
}

static void
test_files_belong_to_who_makes_them(void)
{
	CHECK(chmod(".", 0777) == 0);
	as_user(ALICE, ALICE, 0, NULL, alice_makes);
	CHECK_EQ(stat_of("hers").st_uid, ALICE);
}

static void
test_chmod_sets_all_twelve_bits(void)
{
	put_file("f", "x", 1);
	for (unsigned mode = 0; mode <= 07777; mode += 0123) {
		CHECK(chmod("f", mode) == 0);
		CHECK_EQ(stat_of("f").st_mode & 07777, mode);
	}
	CHECK(mkdir("d", 0755) == 0);
	CHECK(chmod("d", 03770) == 0);
	CHECK_EQ(stat_of("d").st_mode & 07777, 03770);
}

static void
test_chown_sets_owner_and_group(void)
{
	struct stat st;

	put_file("f", "x", 1);
	CHECK(symlink("f", "l") == 0);
	CHECK(chown("f", ALICE, TEAM) == 0);
	st = stat_of("f");
	CHECK_EQ(st.st_uid, ALICE);
	CHECK_EQ(st.st_gid, TEAM);
	CHECK(chown("f", (uid_t)-1, BOB) == 0);
	st = stat_of("f");
	CHECK_EQ(st.st_uid, ALICE);
	CHECK_EQ(st.st_gid, BOB);
	CHECK(lchown("l", BOB, BOB) == 0);
	CHECK_EQ(stat_of("l").st_uid, BOB);
	CHECK_EQ(stat_of("f").st_uid, ALICE);
}

static void
bob_is_kept_out(void)
{
	CHECK_ERR(open("secret", O_RDONLY), EACCES);
	CHECK_ERR(open("secret", O_WRONLY), EACCES);
	CHECK_ERR(access("secret", R_OK), EACCES);
	CHECK(access("readable", R_OK) == 0);
	CHECK_ERR(access("readable", W_OK), EACCES);
	CHECK(strcmp(get_file("readable", NULL), "r") == 0);
	CHECK_ERR(open("readable", O_WRONLY), EACCES);
	CHECK_ERR(truncate("readable", 0), EACCES);
	CHECK_ERR(open("new", O_WRONLY | O_CREAT, 0644), EACCES);
	CHECK_ERR(mkdir("new", 0755), EACCES);
	CHECK_ERR(symlink("x", "new"), EACCES);
	CHECK_ERR(unlink("readable"), EACCES);
	CHECK_ERR(rename("readable", "other"), EACCES);
	CHECK_ERR(open("closed/f", O_RDONLY), EACCES);
	CHECK_ERR(open("closed", O_RDONLY | O_DIRECTORY), EACCES);
	CHECK_ERR(chmod("readable", 0777), EPERM);
	CHECK_ERR(chown("readable", BOB, BOB), EPERM);
	CHECK(strcmp(get_file("passage/f", NULL), "p") == 0);
	CHECK_ERR(open("passage", O_RDONLY | O_DIRECTORY), EACCES);
}

static void
test_others_are_refused_what_the_mode_refuses(void)
{
	put_file("secret", "s", 1);
	CHECK(chmod("secret", 0600) == 0);
	put_file("readable", "r", 1);
	CHECK(mkdir("closed", 0700) == 0);
	put_file("closed/f", "c", 1);
	CHECK(mkdir("passage", 0711) == 0);
	put_file("passage/f", "p", 1);
	as_user(BOB, BOB, 0, NULL, bob_is_kept_out);
}

static void
bob_reads_the_teams_file(void)
{
	int fd;

	CHECK(strcmp(get_file("team", NULL), "t") == 0);
	fd = open_file("team", O_WRONLY | O_APPEND);
	CHECK_EQ(write(fd, "!", 1), 1);
	CHECK(close(fd) == 0);
}

static void
bob_cannot_read_the_teams_file(void)
{
	CHECK_ERR(open("team", O_RDONLY), EACCES);
}

static void
test_a_supplementary_group_lets_in(void)
{
	const gid_t groups[] = { 3000, TEAM, 3001 };

	put_file("team", "t", 1);
	CHECK(chown("team", 0, TEAM) == 0 && chmod("team", 0660) == 0);
	as_user(BOB, BOB, 0, NULL, bob_cannot_read_the_teams_file);
	as_user(BOB, BOB, 3, groups, bob_reads_the_teams_file);
	CHECK(strcmp(get_file("team", NULL), "t!") == 0);
}

static void
alice_changes_her_own(void)
{
	CHECK(chmod("f", 0640) == 0);
	CHECK_ERR(chown("f", BOB, (gid_t)-1), EPERM);
	CHECK_ERR(chown("f", (uid_t)-1, TEAM + 1), EPERM);
	CHECK(chown("f", (uid_t)-1, TEAM) == 0);
	CHECK(utimensat(AT_FDCWD, "f", NULL, 0) == 0);
}

static void
test_an_owner_may_change_mode_and_give_to_own_groups(void)
{
	const gid_t groups[] = { TEAM };

	put_file("f", "x", 1);
	CHECK(chown("f", ALICE, ALICE) == 0);
	as_user(ALICE, ALICE, 1, groups, alice_changes_her_own);
	CHECK_EQ(stat_of("f").st_gid, TEAM);
}

static void
alice_writes_where_she_may_not_open(void)
{
	char c = 0;
	int fd;

	/* tar and git make read-only files and write to them. */
	fd = open_file("f", O_RDWR | O_CREAT | O_EXCL, 0400);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK(fsync(fd) == 0);
	CHECK(fchmod(fd, 0) == 0);
	CHECK_EQ(write(fd, "y", 1), 1);
	CHECK(fsync(fd) == 0);
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK(close(fd) == 0);
	CHECK_ERR(open("f", O_RDONLY), EACCES);
}

static void
test_an_open_file_stays_writable_whatever_its_mode(void)
{
	CHECK(chmod(".", 0777) == 0);
	as_user(ALICE, ALICE, 0, NULL, alice_writes_where_she_may_not_open);
	CHECK(strcmp(get_file("f", NULL), "xy") == 0);
}

static void
bob_in_the_sticky_directory(void)
{
	CHECK(unlink("tmp/alices") == -1 &&
	    (errno == EPERM || errno == EACCES));
	CHECK(rename("tmp/alices", "tmp/bobs") == -1 &&
	    (errno == EPERM || errno == EACCES));
	put_file("tmp/bobs", "b", 1);
	CHECK(unlink("tmp/bobs") == 0);
}

static void
test_a_sticky_directory_protects_others_files(void)
{
	CHECK(mkdir("tmp", 0755) == 0 && chmod("tmp", 01777) == 0);
	put_file("tmp/alices", "a", 1);
	CHECK(chown("tmp/alices", ALICE, ALICE) == 0);
	as_user(BOB, BOB, 0, NULL, bob_in_the_sticky_directory);
	CHECK(access("tmp/alices", F_OK) == 0);
}

static void
alice_makes_in_the_teams_directory(void)
{
	put_file("shared/f", "x", 1);
	CHECK(mkdir("shared/d", 0755) == 0);
}

static void
test_a_set_group_id_directory_passes_its_group_on(void)
{
	CHECK(mkdir("shared", 0755) == 0);
	CHECK(chown("shared", 0, TEAM) == 0 && chmod("shared", 02777) == 0);
	as_user(ALICE, ALICE, 0, NULL, alice_makes_in_the_teams_directory);
	CHECK_EQ(stat_of("shared/f").st_gid, TEAM);
	CHECK_EQ(stat_of("shared/d").st_gid, TEAM);
	CHECK(stat_of("shared/d").st_mode & S_ISGID);
}

static void
test_times_can_be_set(void)
{
	/* Full microseconds: NFS 2 knows no finer. */
	struct timespec t[2] = { { 1000000000, 123456000 },
	    { 1500000000, 999999000 } };
	struct stat st;

	put_file("f", "x", 1);
	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0);
	st = stat_of("f");
	CHECK_EQ(st.st_atim.tv_sec, t[0].tv_sec);
	CHECK_EQ(st.st_atim.tv_nsec, t[0].tv_nsec);
	CHECK_EQ(st.st_mtim.tv_sec, t[1].tv_sec);
	CHECK_EQ(st.st_mtim.tv_nsec, t[1].tv_nsec);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_sec = 2000000000, t[1].tv_nsec = 0;
	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0);
	st = stat_of("f");
	CHECK_EQ(st.st_atim.tv_sec, 1000000000);
	CHECK_EQ(st.st_mtim.tv_sec, 2000000000);
	CHECK(utimensat(AT_FDCWD, "f", NULL, 0) == 0);
	CHECK(labs(stat_of("f").st_mtim.tv_sec - time(NULL)) < 60);
}

static void
test_nanoseconds_of_times_are_kept(void)
{
	struct timespec t[2] = { { 1, 1 }, { 4000000000, 123456789 } };
	struct stat st;

	put_file("f", "x", 1);
	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0);
	st = stat_of("f");
	CHECK_EQ(st.st_atim.tv_nsec, 1);
	CHECK_EQ(st.st_mtim.tv_sec, 4000000000);
	CHECK_EQ(st.st_mtim.tv_nsec, 123456789);
}

static void
wait_a_tick(void)
{
	usleep(30000);		/* a guest's clock ticks each 10 ms */
}

static bool
later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec ||
	    (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static void
test_times_follow_what_happens(void)
{
	struct stat a, b;

	put_file("f", "x", 1);
	a = stat_of("f");
	wait_a_tick();
	put_file("f", "y", 1);
	b = stat_of("f");
	CHECK(later(b.st_mtim, a.st_mtim) && later(b.st_ctim, a.st_ctim));
	a = b;
	wait_a_tick();
	CHECK(chmod("f", 0600) == 0);
	b = stat_of("f");
	CHECK(!later(b.st_mtim, a.st_mtim) && later(b.st_ctim, a.st_ctim));
	a = b;
	wait_a_tick();
	CHECK(link("f", "g") == 0);
	b = stat_of("f");
	CHECK(!later(b.st_mtim, a.st_mtim) && later(b.st_ctim, a.st_ctim));
	a = stat_of(".");
	wait_a_tick();
	CHECK(unlink("g") == 0);
	b = stat_of(".");
	CHECK(later(b.st_mtim, a.st_mtim) && later(b.st_ctim, a.st_ctim));
}

static void
bob_writes(void)
{
	int fd = open_file("f", O_WRONLY);

	CHECK_EQ(write(fd, "y", 1), 1);
	CHECK(fsync(fd) == 0);
	CHECK(close(fd) == 0);
}

static void
test_a_write_takes_set_user_id_away(void)
{
	CHECK(chmod(".", 0777) == 0);
	put_file("f", "x", 1);
	CHECK(chmod("f", 06777) == 0);
	as_user(BOB, BOB, 0, NULL, bob_writes);
	CHECK_EQ(stat_of("f").st_mode & 06000, 0);
}

static void
the_user_makes(void)
{
	put_file("theirs", "x", 1);
	CHECK_EQ(stat_of("theirs").st_uid, served);
	CHECK(chmod("theirs", 0666) == 0 && chmod(".", 0777) == 0);
}

static void
bob_is_nobody_here(void)
{
	CHECK_ERR(open("theirs", O_RDONLY), EACCES);
	CHECK_ERR(open("theirs", O_WRONLY), EACCES);
	CHECK_ERR(open("new", O_WRONLY | O_CREAT, 0644), EACCES);
	CHECK_ERR(mkdir("new", 0755), EACCES);
	CHECK_ERR(unlink("theirs"), EACCES);
}

static void
test_only_who_serves_and_root_may_call_and_both_are_who_serves(void)
{
	put_file("roots", "x", 1);
	CHECK_EQ(stat_of("roots").st_uid, served);
	CHECK_ERR(chown("roots", 0, 0), EPERM);
	CHECK(chmod("roots", 0) == 0);
	CHECK_ERR(open("roots", O_RDONLY), EACCES);
	as_user(served, served, 0, NULL, the_user_makes);
	as_user(BOB, BOB, 0, NULL, bob_is_nobody_here);
}

const struct test right_tests[] = {
	TEST_SERVED(
	    test_only_who_serves_and_root_may_call_and_both_are_who_serves),
	TEST(test_new_files_have_the_mode_asked_for_and_the_makers_ids),
	TEST_ROOT(test_files_belong_to_who_makes_them),
	TEST(test_chmod_sets_all_twelve_bits),
	TEST_ROOT(test_chown_sets_owner_and_group),
	TEST_ROOT(test_others_are_refused_what_the_mode_refuses),
	TEST_ROOT(test_a_supplementary_group_lets_in),
	TEST_ROOT(test_an_owner_may_change_mode_and_give_to_own_groups),
	TEST_ROOT(test_an_open_file_stays_writable_whatever_its_mode),
	TEST_ROOT(test_a_sticky_directory_protects_others_files),
	TEST_ROOT(test_a_set_group_id_directory_passes_its_group_on),
	TEST(test_times_can_be_set),
	TEST_V3(test_nanoseconds_of_times_are_kept),
	TEST(test_times_follow_what_happens),
	TEST_ROOT(test_a_write_takes_set_user_id_away),
	{ 0 },
};
