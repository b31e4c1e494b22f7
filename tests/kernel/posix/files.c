/* The data of files: reading, writing, sizes, holes, maps. */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "posix.h"

static void
test_what_is_written_is_read_back(void)
{
	static char buf[300000];
	char *back;
	size_t len;

	fill(buf, sizeof buf, 1, 0);
	put_file("f", buf, sizeof buf);
	back = get_file("f", &len);
	CHECK_EQ(len, sizeof buf);
	check_filled(back, len, 1, 0);
	CHECK_EQ(stat_of("f").st_size, sizeof buf);
}

static void
test_an_empty_file_reads_as_nothing(void)
{
	char c;
	int fd;

	put_file("f", "", 0);
	fd = open_file("f", O_RDONLY);
	CHECK_EQ(read(fd, &c, 1), 0);
	CHECK_EQ(pread(fd, &c, 1, 1000), 0);
	CHECK_EQ(stat_of("f").st_size, 0);
}

static void
test_reads_at_the_end_are_short_then_empty(void)
{
	char buf[64];
	int fd;

	put_file("f", "0123456789", 10);
	fd = open_file("f", O_RDONLY);
	CHECK_EQ(pread(fd, buf, sizeof buf, 7), 3);
	CHECK(memcmp(buf, "789", 3) == 0);
	CHECK_EQ(pread(fd, buf, sizeof buf, 10), 0);
	CHECK_EQ(pread(fd, buf, sizeof buf, 1 << 20), 0);
}

static void
test_o_excl_makes_a_file_only_once(void)
{
	int fd;

	fd = open_file("f", O_WRONLY | O_CREAT | O_EXCL, 0640);
	CHECK_EQ(write(fd, "one", 3), 3);
	CHECK(close(fd) == 0);
	CHECK_ERR(open("f", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_EQ(stat_of("f").st_mode & 07777, 0640);
	CHECK(strcmp(get_file("f", NULL), "one") == 0);
}

static void
test_o_excl_of_eight_processes_succeeds_in_one(void)
{
	int won = 0, status;

	for (int i = 0; i < 8; i++)
		if (fork() == 0)
			_exit(open("lock", O_WRONLY | O_CREAT | O_EXCL,
			    0600) != -1 ? 0 : errno == EEXIST ? 1 : 2);
	for (int i = 0; i < 8; i++) {
		CHECK(wait(&status) != -1);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		won += WEXITSTATUS(status) == 0;
	}
	CHECK_EQ(won, 1);
}

static void
test_o_append_writes_at_the_end(void)
{
	int a, b;

	put_file("f", "start;", 6);
	a = open_file("f", O_WRONLY | O_APPEND);
	b = open_file("f", O_WRONLY | O_APPEND);
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(write(a, "aa", 2), 2);
		CHECK_EQ(write(b, "b", 1), 1);
	}
	CHECK(close(a) == 0 && close(b) == 0);
	CHECK(strcmp(get_file("f", NULL),
	    "start;aabaabaabaabaabaabaabaabaabaab") == 0);
}

static void
test_o_trunc_empties_a_file(void)
{
	put_file("f", "something", 9);
	close(open_file("f", O_WRONLY | O_TRUNC));
	CHECK_EQ(stat_of("f").st_size, 0);
	put_file("f", "new", 3);
	CHECK(strcmp(get_file("f", NULL), "new") == 0);
}

static void
test_truncate_shortens_and_lengthens_with_zeros(void)
{
	char buf[10000];
	size_t len;
	char *back;

	memset(buf, 'x', sizeof buf);
	put_file("f", buf, sizeof buf);
	CHECK(truncate("f", 5001) == 0);
	CHECK_EQ(stat_of("f").st_size, 5001);
	CHECK(truncate("f", 20000) == 0);
	back = get_file("f", &len);
	CHECK_EQ(len, 20000);
	for (size_t i = 0; i < len; i++)
		CHECK(back[i] == (i < 5001 ? 'x' : '\0'));
}

static void
test_a_write_beyond_the_end_leaves_zeros_between(void)
{
	char *back;
	size_t len;
	int fd;

	put_file("f", "abc", 3);
	fd = open_file("f", O_WRONLY);
	CHECK_EQ(pwrite(fd, "xyz", 3, 70000), 3);
	CHECK(close(fd) == 0);
	back = get_file("f", &len);
	CHECK_EQ(len, 70003);
	CHECK(memcmp(back, "abc", 3) == 0);
	for (size_t i = 3; i < 70000; i++)
		CHECK(back[i] == '\0');
	CHECK(memcmp(back + 70000, "xyz", 3) == 0);
}

static void
test_a_hole_takes_no_space(void)
{
	struct stat st;
	int fd;

	fd = open_file("f", O_WRONLY | O_CREAT, 0644);
	CHECK_EQ(pwrite(fd, "end", 3, 64 << 20), 3);
	CHECK(close(fd) == 0);
	st = stat_of("f");
	CHECK_EQ(st.st_size, (64 << 20) + 3);
	CHECK((uint64_t)st.st_blocks * 512 < 2 << 20);
}

static void
test_offsets_beyond_4_gib_work(void)
{
	const off_t far = (5ll << 30) + 12345;
	char buf[16];
	int fd;

	fd = open_file("f", O_RDWR | O_CREAT, 0644);
	CHECK_EQ(pwrite(fd, "far away", 8, far), 8);
	CHECK_EQ(pwrite(fd, "near", 4, 0), 4);
	CHECK(close(fd) == 0);
	CHECK_EQ(stat_of("f").st_size, far + 8);
	fd = open_file("f", O_RDONLY | O_DIRECT);
	CHECK_EQ(pread(fd, buf, sizeof buf, far), 8);
	CHECK(memcmp(buf, "far away", 8) == 0);
	CHECK_EQ(pread(fd, buf, 4, far - (1ll << 32)), 4);
	CHECK(memcmp(buf, "\0\0\0\0", 4) == 0);
	close(fd);
	CHECK(truncate("f", 4) == 0);
	CHECK(strcmp(get_file("f", NULL), "near") == 0);
}

static void
test_a_large_file_survives(void)
{
	enum { CHUNK = 1 << 20, CHUNKS = 24 };
	static char buf[CHUNK];
	int fd;

	fd = open_file("f", O_RDWR | O_CREAT, 0644);
	for (int i = 0; i < CHUNKS; i++) {
		fill(buf, 4096, 7, (uint64_t)i * CHUNK);
		memcpy(buf + CHUNK - 4096, buf, 4096);
		CHECK_EQ(write(fd, buf, CHUNK), CHUNK);
	}
	CHECK(fsync(fd) == 0);
	CHECK(close(fd) == 0);
	fd = open_file("f", O_RDONLY | O_DIRECT);	/* from the server */
	for (int i = 0; i < CHUNKS; i++) {
		CHECK_EQ(read(fd, buf, CHUNK), CHUNK);
		check_filled(buf, 4096, 7, (uint64_t)i * CHUNK);
		check_filled(buf + CHUNK - 4096, 4096, 7,
		    (uint64_t)i * CHUNK);
	}
	CHECK_EQ(read(fd, buf, CHUNK), 0);
	close(fd);
	CHECK(unlink("f") == 0);
}

static void
test_o_direct_and_o_sync_write_through(void)
{
	static char buf[20000];
	size_t len;
	int fd;

	fill(buf, sizeof buf, 3, 0);
	fd = open_file("d", O_WRONLY | O_CREAT | O_DIRECT, 0644);
	CHECK_EQ(write(fd, buf, sizeof buf), sizeof buf);
	CHECK(close(fd) == 0);
	fd = open_file("s", O_WRONLY | O_CREAT | O_SYNC, 0644);
	CHECK_EQ(write(fd, buf, sizeof buf), sizeof buf);
	CHECK(close(fd) == 0);
	check_filled(get_file("d", &len), sizeof buf, 3, 0);
	CHECK_EQ(len, sizeof buf);
	check_filled(get_file("s", &len), sizeof buf, 3, 0);
	CHECK_EQ(len, sizeof buf);
}

/* Past the client's cache, so that the server is asked each time. */
static void
test_a_large_file_read_again_and_again_is_as_it_is(void)
{
	enum { SIZE = 3 << 20, PART = 256 << 10 };
	static _Alignas(4096) char buf[PART];
	static char data[SIZE];
	unsigned round;
	off_t off;
	int fd;

	fill(data, SIZE, 1, 0);
	put_file("f", data, SIZE);
	fd = open_file("f", O_RDWR | O_DIRECT);
	for (round = 0; round < 4; round++) {
		for (off = 0; off < SIZE; off += PART) {
			CHECK_EQ(pread(fd, buf, PART, off), PART);
			check_filled(buf, PART, round > 0 && off == PART ?
			    2 : 1, (uint64_t)off);
		}
		fill(buf, PART, 2, PART);
		CHECK_EQ(pwrite(fd, buf, PART, PART), PART);
	}
	CHECK(ftruncate(fd, PART + 4096) == 0);
	CHECK_EQ(pread(fd, buf, PART, PART), 4096);
	check_filled(buf, 4096, 2, PART);
	CHECK(ftruncate(fd, SIZE) == 0);
	CHECK_EQ(pread(fd, buf, PART, 2 * PART), PART);
	for (off = 0; off < PART; off++)
		CHECK(buf[off] == 0);
}

static void
test_fsync_and_fdatasync_succeed(void)
{
	int fd = open_file("f", O_WRONLY | O_CREAT, 0644);

	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK(fdatasync(fd) == 0);
	CHECK_EQ(write(fd, "y", 1), 1);
	CHECK(fsync(fd) == 0);
	close(fd);
	fd = open_file(".", O_RDONLY | O_DIRECTORY);
	CHECK(fsync(fd) == 0);
}

static void
test_two_descriptors_see_each_other(void)
{
	char buf[8] = "";
	int w, r;

	w = open_file("f", O_WRONLY | O_CREAT, 0644);
	r = open_file("f", O_RDONLY);
	CHECK_EQ(write(w, "hello", 5), 5);
	CHECK_EQ(read(r, buf, sizeof buf), 5);
	CHECK(memcmp(buf, "hello", 5) == 0);
	CHECK(ftruncate(w, 2) == 0);
	CHECK_EQ(pread(r, buf, sizeof buf, 0), 2);
}

static void
test_scattered_vectors_arrive_in_order(void)
{
	char a[1000], b[3], c[70001];
	struct iovec v[] = { { a, sizeof a }, { b, sizeof b },
		{ c, sizeof c } };
	size_t total = sizeof a + sizeof b + sizeof c, len;
	int fd;

	fill(a, sizeof a, 9, 0);
	fill(b, sizeof b, 9, sizeof a);
	fill(c, sizeof c, 9, sizeof a + sizeof b);
	fd = open_file("f", O_RDWR | O_CREAT, 0644);
	CHECK_EQ(writev(fd, v, 3), total);
	CHECK(close(fd) == 0);
	check_filled(get_file("f", &len), total, 9, 0);
	CHECK_EQ(len, total);
}

static void
test_sendfile_copies_a_file(void)
{
	static char buf[200000];
	size_t len;
	int in, out;

	fill(buf, sizeof buf, 4, 0);
	put_file("a", buf, sizeof buf);
	in = open_file("a", O_RDONLY);
	out = open_file("b", O_WRONLY | O_CREAT, 0644);
	for (size_t done = 0; done < sizeof buf; ) {
		ssize_t n = sendfile(out, in, NULL, sizeof buf - done);

		CHECK(n > 0);
		done += (size_t)n;
	}
	CHECK(close(out) == 0);
	check_filled(get_file("b", &len), sizeof buf, 4, 0);
	CHECK_EQ(len, sizeof buf);
}

static void
test_a_map_shows_the_file_and_writes_into_it(void)
{
	static char buf[20000];
	char *map, *back;
	size_t len;
	int fd;

	fill(buf, sizeof buf, 5, 0);
	put_file("f", buf, sizeof buf);
	fd = open_file("f", O_RDWR);
	map = mmap(NULL, sizeof buf, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	CHECK(map != MAP_FAILED);
	check_filled(map, sizeof buf, 5, 0);
	memcpy(map + 4090, "across a page", 13);
	CHECK(msync(map, sizeof buf, MS_SYNC) == 0);
	CHECK(munmap(map, sizeof buf) == 0);
	CHECK(close(fd) == 0);
	fd = open_file("f", O_RDONLY | O_DIRECT);
	CHECK_EQ(pread(fd, buf, 13, 4090), 13);
	CHECK(memcmp(buf, "across a page", 13) == 0);
	back = get_file("f", &len);
	check_filled(back, 4090, 5, 0);
	check_filled(back + 4103, len - 4103, 5, 4103);
}

static void
test_a_program_can_be_run_from_here(void)
{
	size_t len;
	char *p = get_file("/bin/true", &len);
	int status;
	pid_t pid;

	put_file("true", p, len);
	CHECK(chmod("true", 0755) == 0);
	if ((pid = fork()) == 0) {
		execl("./true", "true", (char *)NULL);
		_exit(99);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

static void
test_an_unlinked_open_file_is_kept_until_closed(void)
{
	char buf[32] = "";
	int fd;

	CHECK(mkdir("d", 0755) == 0);
	put_file("d/f", "still here", 10);
	fd = open_file("d/f", O_RDWR);
	CHECK(unlink("d/f") == 0);
	CHECK_ERR(access("d/f", F_OK), ENOENT);
	CHECK_EQ(pread(fd, buf, sizeof buf, 0), 10);
	CHECK(memcmp(buf, "still here", 10) == 0);
	CHECK_EQ(pwrite(fd, "STILL", 5, 0), 5);
	CHECK(fsync(fd) == 0);
	CHECK_EQ(pread(fd, buf, sizeof buf, 0), 10);
	CHECK(memcmp(buf, "STILL here", 10) == 0);
	CHECK(close(fd) == 0);
	CHECK(rmdir("d") == 0);		/* and leaves nothing behind */
}

/*
 * Random writes, reads, truncations and maps against a copy in memory, in the
 * manner of fsx.
 */
static void
test_random_operations_agree_with_a_model(void)
{
	enum { SIZE = 200000, STEPS = 400 };
	static char model[SIZE], buf[SIZE], back[SIZE];
	size_t size = 0, off, len;
	uint64_t seed = 12345;
	char *map;
	int fd;

	fd = open_file("f", O_RDWR | O_CREAT, 0644);
	for (int i = 0; i < STEPS; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		off = (size_t)(seed >> 33) % SIZE;
		len = (size_t)(seed >> 12) % 30000 % (SIZE - off) + 1;
		switch ((seed >> 58) % 8) {
		case 0: case 1: case 2:
			fill(buf, len, seed, off);
			CHECK_EQ(pwrite(fd, buf, len, (off_t)off), len);
			memcpy(model + off, buf, len);
			if (off + len > size)
				size = off + len;
			break;
		case 3:
			CHECK(ftruncate(fd, (off_t)off) == 0);
			if (off < size)
				memset(model + off, 0, size - off);
			size = off;
			break;
		case 4:		/* by another way to the server */
			CHECK(fsync(fd) == 0);
			break;
		case 5:
			if (off >= size || len > size - off)
				break;
			map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
			CHECK(map != MAP_FAILED);
			CHECK(memcmp(map + off, model + off, len) == 0);
			fill(map + off, len, seed, off);
			fill(model + off, len, seed, off);
			CHECK(munmap(map, size) == 0);
			break;
		default:
			CHECK_EQ(pread(fd, back, len, (off_t)off), off >= size ?
			    0 : len < size - off ? len : size - off);
			if (off < size)
				CHECK(memcmp(back, model + off, len <
				    size - off ? len : size - off) == 0);
			break;
		}
		CHECK_EQ(lseek(fd, 0, SEEK_END), size);
	}
	CHECK(close(fd) == 0);
	fd = open_file("f", O_RDONLY | O_DIRECT);
	CHECK_EQ(read(fd, back, SIZE), size);
	CHECK(memcmp(back, model, size) == 0);
}

/* With `nolock` the client keeps locks itself: they must not reach us. */
static void
test_locks_work_on_one_client(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_len = 10 };
	int fd, other, status;

	fd = open_file("f", O_RDWR | O_CREAT, 0644);
	CHECK(fcntl(fd, F_SETLK, &l) == 0);
	fflush(stdout);
	if (fork() == 0) {
		l.l_type = F_WRLCK;
		CHECK_ERR(fcntl(fd, F_SETLK, &l), EAGAIN);
		l.l_start = 10;
		CHECK(fcntl(fd, F_SETLK, &l) == 0);
		_exit(0);
	}
	CHECK(wait(&status) != -1);
	CHECK_EQ(status, 0);
	CHECK(close(fd) == 0);
	fd = open_file("f", O_RDWR);
	other = open_file("f", O_RDWR);
	CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
	CHECK_ERR(flock(other, LOCK_EX | LOCK_NB), EAGAIN);
}

const struct test file_tests[] = {
	TEST(test_what_is_written_is_read_back),
	TEST(test_an_empty_file_reads_as_nothing),
	TEST(test_reads_at_the_end_are_short_then_empty),
	TEST(test_o_excl_makes_a_file_only_once),
	TEST(test_o_excl_of_eight_processes_succeeds_in_one),
	TEST(test_o_append_writes_at_the_end),
	TEST(test_o_trunc_empties_a_file),
	TEST(test_truncate_shortens_and_lengthens_with_zeros),
	TEST(test_a_write_beyond_the_end_leaves_zeros_between),
	TEST(test_a_hole_takes_no_space),
	TEST_V3(test_offsets_beyond_4_gib_work),
	TEST(test_a_large_file_survives),
	TEST(test_o_direct_and_o_sync_write_through),
	TEST(test_a_large_file_read_again_and_again_is_as_it_is),
	TEST(test_fsync_and_fdatasync_succeed),
	TEST(test_two_descriptors_see_each_other),
	TEST(test_scattered_vectors_arrive_in_order),
	TEST(test_sendfile_copies_a_file),
	TEST(test_a_map_shows_the_file_and_writes_into_it),
	TEST(test_a_program_can_be_run_from_here),
	TEST(test_an_unlinked_open_file_is_kept_until_closed),
	TEST(test_random_operations_agree_with_a_model),
	TEST(test_locks_work_on_one_client),
	{ 0 },
};
