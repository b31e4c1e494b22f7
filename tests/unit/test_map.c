/* Files as memory: what is lent, and what becomes of what was cut off. */
#include "vfs/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/chain.h"
#include "base/clock.h"
#include "check.h"

enum { SIZE = 1 << 20, PART = 64 << 10 };

static time_t seconds = 1000;

static void
our_clock(clockid_t which, struct timespec *ts)
{
	(void)which;
	*ts = (struct timespec){ .tv_sec = seconds };
}

/* On a tmpfs, each PART filled with its number + 1. */
static int
file_new(void)
{
	static char part[PART];
	int fd = memfd_create("test", MFD_CLOEXEC), i;

	CHECK(fd != -1);
	for (i = 0; i < SIZE / PART; i++) {
		memset(part, i + 1, sizeof part);
		CHECK(write(fd, part, sizeof part) == sizeof part);
	}
	return fd;
}

static struct pinefs_map *
map_new(int fd)
{
	struct pinefs_map *m;

	clock_set_source(our_clock);
	m = pinefs_map_new(fd, SIZE);
	CHECK(m != NULL);
	return m;
}

/* Are these bytes lent, at least for now? */
static bool
is_lent(struct pinefs_map *m, uint64_t off, size_t len)
{
	const void *p = map_lend(m, off, len);

	if (p != NULL)
		map_take_back(m);
	return p != NULL;
}

static void
test_only_what_was_read_a_moment_ago_is_lent(void)
{
	int fd = file_new();
	struct pinefs_map *m = map_new(fd);
	const char *p;

	CHECK(!is_lent(m, PART, PART));
	map_was_read(m, PART, PART, false);
	p = map_lend(m, PART, PART);
	CHECK(p != NULL && p[0] == 2 && p[PART - 1] == 2);
	CHECK(map_lend(m, PART + 5, PART / 2) == p + 5);
	map_take_back(m);
	map_take_back(m);
	CHECK(!is_lent(m, PART, 1000));		/* cheaper copied */
	CHECK(!is_lent(m, PART - 1, PART));
	CHECK(!is_lent(m, PART + 1, PART));
	seconds += 10;
	CHECK(!is_lent(m, PART, PART));
	pinefs_map_put(m);
	close(fd);
}

static void
test_a_part_that_was_half_read_is_not_lent(void)
{
	int fd = file_new();
	struct pinefs_map *m = map_new(fd);

	map_was_read(m, 100, PART, false);
	CHECK(!is_lent(m, 100, PART));
	CHECK(is_lent(m, PART / 2, PART / 2));
	CHECK(ftruncate(fd, SIZE - 100) == 0);
	map_was_read(m, SIZE - PART, PART - 100, false);
	CHECK(!is_lent(m, SIZE - PART, PART - 100));
	map_was_read(m, SIZE - PART, PART - 100, true);
	CHECK(is_lent(m, SIZE - PART, PART - 100));
	pinefs_map_put(m);
	close(fd);
}

static void
test_holes_of_tmpfs_stay_holes(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	static char part[PART];
	struct pinefs_map *m;
	struct stat st;
	off_t off;

	CHECK(ftruncate(fd, SIZE) == 0);
	CHECK(pwrite(fd, "x", 1, PART) == 1);
	m = map_new(fd);
	map_was_read(m, 0, SIZE, true);
	CHECK(!is_lent(m, 0, PART));
	CHECK(!is_lent(m, PART, PART));
	CHECK(fstat(fd, &st) == 0 && st.st_blocks * 512 < PART);
	/* One that is made between the two, as well. */
	for (off = 0; off < SIZE; off += PART)
		CHECK(pwrite(fd, part, PART, off) == PART);
	CHECK(is_lent(m, 0, PART));
	CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096,
	    4096) == 0);
	CHECK(!is_lent(m, 0, PART) && !is_lent(m, PART, PART));
	pinefs_map_put(m);
	close(fd);
}

static void
test_a_file_may_grow_to_twice_its_size(void)
{
	int fd = file_new();
	struct pinefs_map *m = map_new(fd);
	static char more[2 * SIZE];
	const char *p;

	memset(more, 99, sizeof more);
	CHECK(pwrite(fd, more, sizeof more, SIZE) == sizeof more);
	map_was_read(m, SIZE, SIZE, false);
	map_was_read(m, 2 * SIZE, SIZE, true);
	p = map_lend(m, SIZE, SIZE);
	CHECK(p != NULL && p[SIZE - 1] == 99);
	map_take_back(m);
	CHECK(!is_lent(m, SIZE, SIZE + 1));
	CHECK(!is_lent(m, 2 * SIZE, PART));
	CHECK(!is_lent(m, UINT64_MAX - PART, PART));
	pinefs_map_put(m);
	close(fd);
}

static void
test_what_was_cut_off_is_copied_as_zeros(void)
{
	int fd = file_new();
	struct pinefs_map *m = map_new(fd);
	static char copy[PART];
	const char *p;

	map_was_read(m, 0, SIZE, true);
	p = map_lend(m, 0, PART);
	CHECK(p != NULL);
	CHECK(map_copy(m, copy, p + 10, 5) == 0 && copy[4] == 1);
	CHECK(ftruncate(fd, 100) == 0);
	CHECK(map_copy(m, copy, p, PART) == 0);
	CHECK(copy[0] == 1 && copy[99] == 1 && copy[100] == 0 &&
	    copy[PART - 1] == 0);
	map_take_back(m);
	pinefs_map_put(m);
	close(fd);
}

static void
test_what_cannot_be_mapped_is_refused(void)
{
	int fds[2];

	CHECK(pinefs_map_new(-1, SIZE) == NULL && errno == ENOTSUP);
	CHECK(pipe(fds) == 0);
	CHECK(pinefs_map_new(fds[0], SIZE) == NULL && errno == ENOTSUP);
	close(fds[0]);
	close(fds[1]);
	fds[0] = file_new();
	CHECK(pinefs_map_new(fds[0], 0) == NULL && errno == ENOTSUP);
	CHECK(pinefs_map_new(fds[0], UINT64_MAX) == NULL && errno == ENOTSUP);
	/* Of more than all memory. */
	CHECK(pinefs_map_new(fds[0], UINT64_C(1) << 50) == NULL &&
	    errno == ENOTSUP);
	close(fds[0]);
}

static void
test_there_are_not_too_many_maps(void)
{
	long fds = sysconf(_SC_OPEN_MAX) / 16, most = fds < 256 ? fds : 256, i;
	struct pinefs_map *m[256] = { NULL };
	int fd = file_new();

	for (i = 0; i < most; i++)
		CHECK((m[i] = pinefs_map_new(fd, 4096)) != NULL);
	CHECK(pinefs_map_new(fd, 4096) == NULL && errno == EAGAIN);
	pinefs_map_put(m[0]);
	CHECK((m[0] = pinefs_map_new(fd, 4096)) != NULL);
	for (i = 0; i < most; i++)
		pinefs_map_put(m[i]);
	close(fd);
}

/* Whoever is the last may be a loop: it does not wait for that. */
static void
test_what_is_lent_outlives_the_map(void)
{
	int fd = file_new(), i;
	struct pinefs_map *m = map_new(fd);
	char path[64], target[64];
	const char *p;

	map_was_read(m, 0, PART, false);
	p = map_lend(m, 0, PART);
	pinefs_map_put(m);
	CHECK(p != NULL && p[0] == 1);
	map_take_back(m);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd + 1);
	for (i = 0; i < 10000 && readlink(path, target, sizeof target) > 0; i++)
		usleep(1000);
	CHECK(i < 10000);
	close(fd);
}

/* ----------------------------------------------------------- on its way -- */

static void
lend(struct pinefs_chain *c, struct pinefs_map *m, uint64_t off, size_t len)
{
	struct xdr_piece p = { .len = len, .release = map_take_back,
	    .owner = m, .copy = map_copy };

	map_was_read(m, off, len, true);
	p.base = map_lend(m, off, len);
	CHECK(p.base != NULL);
	CHECK(chain_borrow_piece(c, &p) == 0);
}

static ssize_t
send_chain(int fd, struct pinefs_chain *c)
{
	struct iovec iov[4];
	struct msghdr m = { .msg_iov = iov };
	ssize_t n;

	m.msg_iovlen = chain_iov(c, iov, 4);
	n = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		chain_consume(c, (size_t)n);
	return n;
}

static void
test_a_file_that_is_cut_off_on_its_way_ends_in_zeros(void)
{
	static char got[100000];
	struct pinefs_map *m;
	struct pinefs_chain c;
	int fd = file_new(), to[2];
	size_t done = 0;
	ssize_t n;

	m = map_new(fd);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, to) == 0);
	chain_init(&c, NULL);
	CHECK(chain_borrow(&c, "head", 4, NULL, NULL) == 0);
	lend(&c, m, 2 * PART, PART);
	CHECK(chain_borrow(&c, "tail", 4, NULL, NULL) == 0);
	pinefs_map_put(m);		/* the chain has it */
	CHECK(ftruncate(fd, 2 * PART + 5000) == 0);
	while (c.bytes > 0) {
		if ((n = send_chain(to[0], &c)) == -1) {
			CHECK(errno == EFAULT);
			CHECK(chain_own(&c, 4) == 0);
		}
		while ((n = recv(to[1], got + done, sizeof got - done,
		    MSG_DONTWAIT)) > 0)
			done += (size_t)n;
	}
	CHECK(done == PART + 8);
	CHECK(memcmp(got, "head\3", 5) == 0 && got[4 + 4999] == 3);
	CHECK(got[4 + 5000] == 0 && got[4 + PART - 1] == 0);
	CHECK(memcmp(got + 4 + PART, "tail", 4) == 0);
	CHECK(chain_own(&c, 4) == EFAULT);
	chain_fini(&c);
	close(fd);
	close(to[0]);
	close(to[1]);
}

static void
test_a_replay_has_a_copy(void)
{
	static uint8_t tail[PART + 4];
	struct pinefs_chain c;
	int fd = file_new();
	struct pinefs_map *m = map_new(fd);

	chain_init(&c, NULL);
	lend(&c, m, PART, PART);
	CHECK(chain_borrow(&c, "tail", 4, NULL, NULL) == 0);
	CHECK(ftruncate(fd, PART + 1) == 0);
	CHECK(chain_copy_tail(&c, PART + 4, tail) == 0);
	CHECK(tail[0] == 2 && tail[1] == 0 && tail[PART - 1] == 0 &&
	    memcmp(tail + PART, "tail", 4) == 0);
	chain_fini(&c);
	pinefs_map_put(m);
	close(fd);
}

static int
no_copy(void *owner, void *to, const void *from, size_t len)
{
	(void)owner, (void)to, (void)from, (void)len;
	return EIO;
}

static void
test_what_a_disk_does_not_give_is_an_error(void)
{
	struct xdr_piece p = { .base = "lost", .len = 4, .copy = no_copy };
	struct pinefs_chain c;
	uint8_t to[4];

	chain_init(&c, NULL);
	CHECK(chain_borrow_piece(&c, &p) == 0);
	CHECK(chain_own(&c, 4) == EIO);
	CHECK(chain_copy_tail(&c, 4, to) == EIO);
	chain_fini(&c);
}

CHECK_MAIN(
	CHECK_TEST(test_only_what_was_read_a_moment_ago_is_lent),
	CHECK_TEST(test_a_part_that_was_half_read_is_not_lent),
	CHECK_TEST(test_holes_of_tmpfs_stay_holes),
	CHECK_TEST(test_a_file_may_grow_to_twice_its_size),
	CHECK_TEST(test_what_was_cut_off_is_copied_as_zeros),
	CHECK_TEST(test_what_cannot_be_mapped_is_refused),
	CHECK_TEST(test_there_are_not_too_many_maps),
	CHECK_TEST(test_what_is_lent_outlives_the_map),
	CHECK_TEST(test_a_file_that_is_cut_off_on_its_way_ends_in_zeros),
	CHECK_TEST(test_a_replay_has_a_copy),
	CHECK_TEST(test_what_a_disk_does_not_give_is_an_error),
)
