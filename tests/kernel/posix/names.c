/* Links, renames, symbolic links, special files. */
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "posix.h"

static void
test_a_rename_moves_the_file(void)
{
	ino_t ino;

	put_file("a", "x", 1);
	ino = stat_of("a").st_ino;
	CHECK(rename("a", "b") == 0);
	CHECK_ERR(access("a", F_OK), ENOENT);
	CHECK_EQ(stat_of("b").st_ino, ino);
	CHECK(strcmp(get_file("b", NULL), "x") == 0);
	CHECK_ERR(rename("a", "c"), ENOENT);
}

static void
test_a_rename_replaces_a_file_atomically(void)
{
	int status, fd;
	pid_t pid;

	put_file("target", "old", 3);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		for (int i = 0; i < 100; i++) {
			fd = open("target", O_RDONLY);
			if (fd == -1 && errno == ESTALE)
				continue;	/* opened as it went */
			CHECK(fd != -1);
			close(fd);
		}
		_exit(0);
	}
	for (int i = 0; i < 30; i++) {
		put_file("new", "new", 3);
		CHECK(rename("new", "target") == 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	CHECK(strcmp(get_file("target", NULL), "new") == 0);
}

static void
test_a_renamed_open_file_stays_open(void)
{
	char c;
	int fd;

	put_file("a", "x", 1);
	fd = open_file("a", O_RDWR);
	CHECK(rename("a", "b") == 0);
	CHECK_EQ(pwrite(fd, "y", 1, 0), 1);
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK(close(fd) == 0);
	CHECK(strcmp(get_file("b", NULL), "y") == 0);
}

static void
test_the_replaced_file_stays_readable_while_open(void)
{
	char buf[8] = "";
	int fd;

	put_file("a", "new", 3);
	put_file("b", "old", 3);
	fd = open_file("b", O_RDONLY);
	CHECK(rename("a", "b") == 0);
	CHECK_EQ(pread(fd, buf, sizeof buf, 0), 3);
	CHECK(memcmp(buf, "old", 3) == 0);
	CHECK(strcmp(get_file("b", NULL), "new") == 0);
}

static void
test_a_directory_moves_with_what_is_in_it(void)
{
	CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
	CHECK(mkdir("a/d", 0755) == 0);
	put_file("a/d/f", "deep", 4);
	CHECK(rename("a/d", "b/e") == 0);
	CHECK(strcmp(get_file("b/e/f", NULL), "deep") == 0);
	CHECK_EQ(stat_of("b/e/..").st_ino, stat_of("b").st_ino);
	CHECK_EQ(stat_of("a").st_nlink, 2);
	CHECK_EQ(stat_of("b").st_nlink, 3);
}

static void
test_a_directory_replaces_only_an_empty_directory(void)
{
	CHECK(mkdir("a", 0755) == 0 && mkdir("empty", 0755) == 0);
	CHECK(mkdir("full", 0755) == 0);
	put_file("full/f", "x", 1);
	put_file("file", "x", 1);
	CHECK(rename("a", "full") == -1 &&
	    (errno == ENOTEMPTY || errno == EEXIST));
	CHECK_ERR(rename("a", "file"), ENOTDIR);
	CHECK_ERR(rename("file", "a"), EISDIR);
	CHECK(rename("a", "empty") == 0);
	CHECK_ERR(access("a", F_OK), ENOENT);
}

static void
test_a_directory_cannot_move_into_itself(void)
{
	CHECK(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0);
	CHECK_ERR(rename("a", "a/b/c"), EINVAL);
	CHECK(access("a/b", F_OK) == 0);
}

static void
test_a_rename_to_another_link_of_the_file_does_nothing(void)
{
	put_file("a", "x", 1);
	CHECK(link("a", "b") == 0);
	CHECK(rename("a", "b") == 0);
	CHECK(access("a", F_OK) == 0 && access("b", F_OK) == 0);
	CHECK(rename("a", "a") == 0);
	CHECK_EQ(stat_of("a").st_nlink, 2);
}

static void
test_hard_links_are_one_file(void)
{
	put_file("a", "one", 3);
	CHECK(mkdir("d", 0755) == 0);
	CHECK(link("a", "d/b") == 0);
	CHECK_EQ(stat_of("a").st_ino, stat_of("d/b").st_ino);
	CHECK_EQ(stat_of("a").st_nlink, 2);
	put_file("d/b", "two", 3);
	CHECK(strcmp(get_file("a", NULL), "two") == 0);
	CHECK(chmod("a", 0600) == 0);
	CHECK_EQ(stat_of("d/b").st_mode & 07777, 0600);
	CHECK(unlink("a") == 0);
	CHECK_EQ(stat_of("d/b").st_nlink, 1);
	CHECK(strcmp(get_file("d/b", NULL), "two") == 0);
}

static void
test_links_are_refused_where_they_must_be(void)
{
	put_file("a", "x", 1);
	put_file("b", "x", 1);
	CHECK(mkdir("d", 0755) == 0);
	CHECK_ERR(link("a", "b"), EEXIST);
	CHECK_ERR(link("d", "e"), EPERM);
	CHECK_ERR(link("none", "e"), ENOENT);
}

static void
test_symbolic_links_say_where_they_point(void)
{
	char target[1001], back[2000];
	ssize_t n;

	memset(target, 't', sizeof target - 1);
	target[sizeof target - 1] = '\0';
	CHECK(symlink(target, "long") == 0);
	n = readlink("long", back, sizeof back);
	CHECK_EQ(n, sizeof target - 1);
	CHECK(memcmp(back, target, (size_t)n) == 0);
	CHECK_EQ(stat_of("long").st_size, sizeof target - 1);
	CHECK(S_ISLNK(stat_of("long").st_mode));
	CHECK_ERR(symlink("x", "long"), EEXIST);
	put_file("f", "x", 1);
	CHECK_ERR(readlink("f", back, sizeof back), EINVAL);
}

static void
test_symbolic_links_are_followed(void)
{
	CHECK(mkdir("d", 0755) == 0);
	put_file("d/f", "through", 7);
	CHECK(symlink("d/f", "to-file") == 0);
	CHECK(symlink("d", "to-dir") == 0);
	CHECK(symlink("nowhere", "dangling") == 0);
	CHECK(symlink("loop", "loop") == 0);
	CHECK(strcmp(get_file("to-file", NULL), "through") == 0);
	CHECK(strcmp(get_file("to-dir/f", NULL), "through") == 0);
	CHECK_ERR(open("dangling", O_RDONLY), ENOENT);
	CHECK_ERR(open("loop", O_RDONLY), ELOOP);
	put_file("dangling", "made", 4);
	CHECK(strcmp(get_file("nowhere", NULL), "made") == 0);
	CHECK(unlink("to-dir") == 0);
	CHECK(access("d/f", F_OK) == 0);
}

static void
test_a_fifo_carries_data(void)
{
	char buf[16] = "";
	int fd, status;

	CHECK(mkfifo("fifo", 0600) == 0);
	CHECK(S_ISFIFO(stat_of("fifo").st_mode));
	if (fork() == 0) {
		fd = open("fifo", O_WRONLY);
		_exit(write(fd, "through", 7) == 7 ? 0 : 1);
	}
	fd = open_file("fifo", O_RDONLY);
	CHECK_EQ(read(fd, buf, sizeof buf), 7);
	CHECK(wait(&status) != -1);
	CHECK_EQ(status, 0);
}

static void
test_device_nodes_keep_their_numbers(void)
{
	char buf[4] = "xxxx";
	int fd;

	CHECK(mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0);
	CHECK(mknod("zero", S_IFCHR | 0666, makedev(1, 5)) == 0);
	CHECK(mknod("disk", S_IFBLK | 0600, makedev(8, 17)) == 0);
	CHECK(S_ISCHR(stat_of("null").st_mode));
	CHECK(S_ISBLK(stat_of("disk").st_mode));
	CHECK_EQ(stat_of("disk").st_rdev, makedev(8, 17));
	fd = open_file("zero", O_RDONLY);
	CHECK_EQ(read(fd, buf, 4), 4);
	CHECK(memcmp(buf, "\0\0\0\0", 4) == 0);
}

static void
test_large_device_numbers_survive(void)
{
	CHECK(mknod("dev", S_IFCHR | 0600, makedev(2000, 70000)) == 0);
	CHECK_EQ(major(stat_of("dev").st_rdev), 2000);
	CHECK_EQ(minor(stat_of("dev").st_rdev), 70000);
}

static void
test_a_socket_can_be_bound_here(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c;

	CHECK(bind(s, (struct sockaddr *)&a, sizeof a) == 0);
	CHECK(listen(s, 1) == 0);
	CHECK(S_ISSOCK(stat_of("sock").st_mode));
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(connect(c, (struct sockaddr *)&a, sizeof a) == 0);
	CHECK(unlink("sock") == 0);
}

static void
test_names_may_be_255_bytes_long_and_no_longer(void)
{
	char name[257];

	memset(name, 'n', sizeof name);
	name[255] = '\0';
	put_file(name, "x", 1);
	CHECK(strcmp(get_file(name, NULL), "x") == 0);
	CHECK(unlink(name) == 0);
	name[255] = 'n', name[256] = '\0';
	CHECK_ERR(open(name, O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
}

static void
test_names_may_be_any_bytes(void)
{
	static const char *const names[] = {
		" ", "with space", "new\nline", "-dash", "...", "tab\t",
		"gr\xc3\xbc\xc3\x9f", "\xff\xfe not utf-8", "back\\slash",
		"*?[", "\x01\x7f", ":colon", "A", "a",
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		put_file(names[i], names[i], strlen(names[i]));
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		CHECK(strcmp(get_file(names[i], NULL), names[i]) == 0);
		CHECK(unlink(names[i]) == 0);
	}
}

static void
test_paths_may_be_deep(void)
{
	enum { DEPTH = 100 };

	for (int i = 0; i < DEPTH; i++) {
		CHECK(mkdir("d", 0755) == 0);
		CHECK(chdir("d") == 0);
	}
	put_file("f", "bottom", 6);
	CHECK(strcmp(get_file("f", NULL), "bottom") == 0);
	CHECK(unlink("f") == 0);
	for (int i = 0; i < DEPTH; i++) {
		CHECK(chdir("..") == 0);
		CHECK(rmdir("d") == 0);
	}
}

const struct test name_tests[] = {
	TEST(test_a_rename_moves_the_file),
	TEST(test_a_rename_replaces_a_file_atomically),
	TEST(test_a_renamed_open_file_stays_open),
	TEST(test_the_replaced_file_stays_readable_while_open),
	TEST(test_a_directory_moves_with_what_is_in_it),
	TEST(test_a_directory_replaces_only_an_empty_directory),
	TEST(test_a_directory_cannot_move_into_itself),
	TEST(test_a_rename_to_another_link_of_the_file_does_nothing),
	TEST(test_hard_links_are_one_file),
	TEST(test_links_are_refused_where_they_must_be),
	TEST(test_symbolic_links_say_where_they_point),
	TEST(test_symbolic_links_are_followed),
	TEST(test_a_fifo_carries_data),
	TEST_ROOT(test_device_nodes_keep_their_numbers),
	{ "test_large_device_numbers_survive",
	    test_large_device_numbers_survive, 3, ROOT },
	TEST_V3(test_a_socket_can_be_bound_here),
	TEST(test_names_may_be_255_bytes_long_and_no_longer),
	TEST(test_names_may_be_any_bytes),
	TEST(test_paths_may_be_deep),
	{ 0 },
};
