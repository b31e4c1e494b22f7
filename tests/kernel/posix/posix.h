/*
 * What a POSIX program expects of a file system, as tests that run on any
 * directory.  Each is a function whose name is the sentence it proves; it runs
 * in a process of its own, in a fresh directory, as root; or, where a server
 * acts as an ordinary user, as that user.
 */
#ifndef TESTS_KERNEL_POSIX_H
#define TESTS_KERNEL_POSIX_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

struct test {
	const char *name;
	void (*run)(void);
	int least;		/* NFS version it needs: 2 or 3 */
	enum { ANYBODY, ROOT, SERVED } who;
};

#define TEST(fn) { #fn, fn, 2, ANYBODY }
#define TEST_V3(fn) { #fn, fn, 3, ANYBODY }	/* beyond what NFS 2 can say */
#define TEST_ROOT(fn) { #fn, fn, 2, ROOT }	/* takes others' identity */
#define TEST_SERVED(fn) { #fn, fn, 2, SERVED }	/* as root, of the user's */

extern uid_t served;		/* who the server is; 0: root */

extern const struct test file_tests[], name_tests[], dir_tests[], right_tests[];

/* End the test as failed, with the values that disagree. */
_Noreturn void fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define CHECK(x) do {							\
	if (!(x))							\
		fail(__FILE__, __LINE__, "%s (errno: %s)", #x,		\
		    strerror(errno));					\
} while (0)

/* A call that must fail with `want`. */
#define CHECK_ERR(call, want) do {					\
	errno = 0;							\
	if ((call) != -1)						\
		fail(__FILE__, __LINE__, "%s succeeded", #call);	\
	if (errno != (want))						\
		fail(__FILE__, __LINE__, "%s: %s, not %s", #call,	\
		    strerror(errno), strerror(want));			\
} while (0)

#define CHECK_EQ(a, b) do {						\
	long long a_ = (long long)(a), b_ = (long long)(b);		\
									\
	if (a_ != b_)							\
		fail(__FILE__, __LINE__, "%s is %lld, not %lld",	\
		    #a, a_, b_);					\
} while (0)

/* Below: each ends the test when it cannot do its work. */

/* A new file of these bytes. */
void put_file(const char *path, const void *data, size_t len);

/* The whole of a file, NUL-terminated; freed by nobody. */
char *get_file(const char *path, size_t *len);

int open_file(const char *path, int flags, ...);
struct stat stat_of(const char *path);		/* lstat */

/* `len` bytes that depend on `seed` and on their place. */
void fill(void *buf, size_t len, uint64_t seed, uint64_t off);
void check_filled(const void *buf, size_t len, uint64_t seed, uint64_t off);

/* Run fn in a child as this user; it fails when the child does. */
void as_user(uid_t uid, gid_t gid, size_t ngroups, const gid_t *groups,
    void (*fn)(void));

/* The name of the i-th entry of a test's directory. */
const char *entry_name(unsigned i);

#endif
