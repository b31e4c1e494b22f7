/*
 * posix [-v VERSION] [-u UID] DIR [NAME]: run the tests (posix.h) in DIR, which
 * an ordinary user serves if one is given; print TAP.
 *
 *	main.c		this
 *	files.c		the data of files: reading, writing, holes, maps
 *	names.c		links, renames, symbolic links, nodes
 *	dirs.c		directories: listing, also while they change
 *	rights.c	modes, owners, times
 */
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "posix.h"

#define SECONDS_EACH 60

uid_t served;

_Noreturn void
fail(const char *file, int line, const char *fmt, ...)
{
	const char *slash = strrchr(file, '/');
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	dprintf(STDOUT_FILENO, "# %s:%d: %s\n",
	    slash != NULL ? slash + 1 : file, line, text);
	_exit(1);
}

int
open_file(const char *path, int flags, ...)
{
	mode_t mode = 0644;
	va_list ap;
	int fd;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	if ((fd = open(path, flags | O_CLOEXEC, mode)) == -1)
		fail(__FILE__, __LINE__, "open %.64s: %s", path,
		    strerror(errno));
	return fd;
}

void
put_file(const char *path, const void *data, size_t len)
{
	const char *p = data;
	size_t done = 0;
	ssize_t n;
	int fd;

	fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	while (done < len) {
		n = write(fd, p + done, len - done);
		if (n <= 0)
			fail(__FILE__, __LINE__, "write %.64s: %s", path,
			    strerror(errno));
		done += (size_t)n;
	}
	if (close(fd) == -1)
		fail(__FILE__, __LINE__, "close %.64s: %s", path,
		    strerror(errno));
}

char *
get_file(const char *path, size_t *len)
{
	size_t size = 65536, have = 0;
	char *p = malloc(size + 1);
	ssize_t n;
	int fd;

	fd = open_file(path, O_RDONLY);
	while ((n = read(fd, p + have, size - have)) > 0) {
		have += (size_t)n;
		if (have == size)
			p = realloc(p, (size *= 2) + 1);
	}
	if (n == -1)
		fail(__FILE__, __LINE__, "read %.64s: %s", path,
		    strerror(errno));
	close(fd);
	p[have] = '\0';
	if (len != NULL)
		*len = have;
	return p;
}

struct stat
stat_of(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		fail(__FILE__, __LINE__, "lstat %.64s: %s", path,
		    strerror(errno));
	return st;
}

static uint8_t
byte_at(uint64_t seed, uint64_t off)
{
	uint64_t x = (seed + off / 8 + 1) * 0x9e3779b97f4a7c15u;

	x ^= x >> 29;
	return (uint8_t)(x >> (off % 8 * 8));
}

void
fill(void *buf, size_t len, uint64_t seed, uint64_t off)
{
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++)
		p[i] = byte_at(seed, off + i);
}

void
check_filled(const void *buf, size_t len, uint64_t seed, uint64_t off)
{
	const uint8_t *p = buf;

	for (size_t i = 0; i < len; i++)
		if (p[i] != byte_at(seed, off + i))
			fail(__FILE__, __LINE__,
			    "byte %llu is 0x%02x, not 0x%02x",
			    (unsigned long long)(off + i), p[i],
			    byte_at(seed, off + i));
}

void
as_user(uid_t uid, gid_t gid, size_t ngroups, const gid_t *groups,
    void (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		CHECK(setgroups(ngroups, groups) == 0);
		CHECK(setresgid(gid, gid, gid) == 0);
		CHECK(setresuid(uid, uid, uid) == 0);
		fn();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status != 0)
		_exit(1);	/* the child has said why */
}

const char *
entry_name(unsigned i)
{
	static char name[64];

	/* Of different lengths, so that pages of listings end anywhere. */
	snprintf(name, sizeof name, "entry-%.*s%05u", (int)(i * 7 % 23),
	    "abcdefghijklmnopqrstuvwxyz", i);
	return name;
}

static void
become(uid_t uid)
{
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setresgid(uid, uid, uid) == 0);
	CHECK(setresuid(uid, uid, uid) == 0);
}

/* Can it be run with this version, and where this user serves? */
static bool
is_wanted(const struct test *t, int version, const char *only)
{
	return t->least <= version && strstr(t->name, only) != NULL &&
	    t->who != (served == 0 ? SERVED : ROOT);
}

static bool
run_one(const struct test *t, const char *top, unsigned n)
{
	char dir[4096];
	int status;
	pid_t pid;

	snprintf(dir, sizeof dir, "%s/posix-%u", top, n);
	if (mkdir(dir, 0755) == -1 || chmod(dir, 0755) == -1) {
		printf("# mkdir %s: %s\n", dir, strerror(errno));
		return false;
	}
	fflush(stdout);
	if ((pid = fork()) == 0) {
		if (chdir(dir) == -1)
			_exit(1);
		umask(022);
		alarm(SECONDS_EACH);
		if (served != 0 && t->who == ANYBODY)
			become(served);
		t->run();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		printf("# ended by signal %d%s\n", WTERMSIG(status),
		    WTERMSIG(status) == SIGALRM ? ": too slow" : "");
	return status == 0;
}

static void
print_sentence(const char *name)
{
	for (const char *p = name + strlen("test_"); *p != '\0'; p++)
		putchar(*p == '_' ? ' ' : *p);
	putchar('\n');
}

int
main(int argc, char **argv)
{
	const struct test *all[] = {
		file_tests, name_tests, dir_tests, right_tests,
	};
	unsigned n = 0, failed = 0, planned = 0;
	const char *only;
	int version = 3;
	bool ok;

	for (; argc > 2 && argv[1][0] == '-'; argc -= 2, argv += 2) {
		if (strcmp(argv[1], "-v") == 0)
			version = atoi(argv[2]);
		else
			served = (uid_t)atoi(argv[2]);
	}
	if (argc < 2) {
		fprintf(stderr, "usage: posix [-v VERSION] [-u UID] DIR "
		    "[NAME]\n");
		return 64;
	}
	only = argc > 2 ? argv[2] : "";
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
			for (const struct test *t = all[i]; t->run; t++) {
				if (!is_wanted(t, version, only))
					continue;
				if (pass == 0) {
					planned++;
					continue;
				}
				ok = run_one(t, argv[1], ++n);
				failed += !ok;
				printf("%sok %u - ", ok ? "" : "not ", n);
				print_sentence(t->name);
				fflush(stdout);
			}
		}
		if (pass == 0)
			printf("1..%u\n", planned);
	}
	return failed != 0;
}
