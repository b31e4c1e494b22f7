/* Owners by name: two files of its own in a directory, and a clock. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/owners.h"

static const char passwd[] =
    "root:x:0:0:root:/root:/bin/sh\n"
    "alice:x:1000:100:Alice:/home/alice:/bin/sh\n"
    "alice:x:1001:100:another:/:/bin/sh\n"
    "bob::1002:100::/:\n"
    "+::::::\n"
    "none:x::100::/:\n"
    "odd:x:12x:100::/:\n"
    "large:x:4294967296:100::/:\n"
    "largest:x:4294967295:100::/:\n"
    "short:x:7\n"
    "shorter:x\n"
    "\n"
    "nul\0l:x:8:8::/:\n"
    "last:x:1003:100::/:";

static const char later[] = "alice:x:3000:3000::/:\n";

static const char group[] =
    "root:x:0:\n"
    "alice:x:2000:bob,root\n"
    "staff:x:50:alice\n";

static struct {
	char	dir[PATH_MAX], passwd[PATH_MAX + 16], group[PATH_MAX + 16];
	long	seconds;
} t;

static void
now_is(clockid_t which, struct timespec *now)
{
	(void)which;
	*now = (struct timespec){ .tv_sec = t.seconds };
}

/* As useradd(8) does it: another file takes its place. */
static void
put(const char *path, const char *text, size_t len)
{
	char other[PATH_MAX + 32];
	FILE *f;

	snprintf(other, sizeof other, "%s-new", path);
	CHECK((f = fopen(other, "w")) != NULL);
	CHECK(fwrite(text, 1, len, f) == len);
	CHECK(fclose(f) == 0);
	CHECK(rename(other, path) == 0);
}

static struct owners *
begin(void)
{
	const char *tmp = getenv("TMPDIR");
	struct owners *o;

	snprintf(t.dir, sizeof t.dir, "%s/owners-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	CHECK(mkdtemp(t.dir) != NULL);
	snprintf(t.passwd, sizeof t.passwd, "%s/passwd", t.dir);
	snprintf(t.group, sizeof t.group, "%s/group", t.dir);
	put(t.passwd, passwd, sizeof passwd - 1);
	put(t.group, group, sizeof group - 1);
	t.seconds = 1000;
	clock_set_source(now_is);
	CHECK((o = owners_new(t.passwd, t.group)) != NULL);
	return o;
}

static void
end(struct owners *o)
{
	owners_free(o);
	clock_set_source(NULL);
	unlink(t.passwd);
	unlink(t.group);
	CHECK(rmdir(t.dir) == 0);
}

/* The id, or -1: nobody. */
static int64_t
id_of(struct owners *o, const char *name, size_t len, bool is_group)
{
	uint32_t id = 4711;
	int err = owners_id(o, name, (uint32_t)len, is_group, &id);

	CHECK(err == 0 || (err == EINVAL && id == 4711));
	return err == 0 ? (int64_t)id : -1;
}

static int64_t
uid(struct owners *o, const char *name)
{
	return id_of(o, name, strlen(name), false);
}

static int64_t
gid(struct owners *o, const char *name)
{
	return id_of(o, name, strlen(name), true);
}

/* ------------------------------------------------------------------- names -- */

static void
test_a_name_is_a_users_or_a_groups_whatever_its_domain(void)
{
	struct owners *o = begin();

	CHECK(uid(o, "alice") == 1000);	/* the first */
	CHECK(uid(o, "alice@") == 1000);
	CHECK(uid(o, "alice@example.org") == 1000);
	CHECK(uid(o, "alice@a@b:c") == 1000);
	CHECK(uid(o, "root@localdomain") == 0);
	CHECK(uid(o, "bob@x") == 1002);
	CHECK(uid(o, "last") == 1003);	/* no newline behind it */
	CHECK(uid(o, "largest") == 4294967295);
	CHECK(gid(o, "alice@example.org") == 2000);
	CHECK(gid(o, "staff@example.org") == 50);
	CHECK(uid(o, "staff@example.org") == -1);
	CHECK(gid(o, "bob@example.org") == -1);
	end(o);
}

static void
test_other_text_is_nobody(void)
{
	static const char *const bad[] = { "", "@", "@example.org", "alic",
	    "alicea", "Alice", " alice", "alice ", "alice:x", "alice:x:1000",
	    "root:x:0:0:root", "/bin/sh", "\n", "\nalice", "sh\nalice", ":",
	    "x", "+", "none", "odd", "large", "short", "shorter", "l" };
	struct owners *o = begin();
	char *longest = malloc(UINT16_MAX);

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(uid(o, bad[i]) == -1);
	CHECK(id_of(o, NULL, 0, false) == -1);
	CHECK(id_of(o, "alice\0", 6, false) == -1);
	CHECK(id_of(o, "alice", 4, false) == -1);
	CHECK(id_of(o, "nul", 3, false) == -1);
	memset(longest, 'a', UINT16_MAX);
	CHECK(id_of(o, longest, UINT16_MAX, false) == -1);
	free(longest);
	end(o);
}

/* ---------------------------------------------------------------- the file -- */

static void
test_a_change_is_seen_after_a_second(void)
{
	struct owners *o = begin();

	CHECK(uid(o, "alice") == 1000);
	CHECK(gid(o, "alice") == 2000);
	put(t.passwd, later, sizeof later - 1);
	CHECK(uid(o, "alice") == 1000);	/* not looked at again yet */
	t.seconds++;
	CHECK(uid(o, "alice") == 3000);
	CHECK(uid(o, "bob") == -1);
	CHECK(gid(o, "alice") == 2000);
	end(o);
}

static void
test_a_change_in_place_is_seen(void)
{
	const struct timespec times[2] = { { 5000, 0 }, { 5000, 0 } };
	struct owners *o = begin();
	FILE *f;

	CHECK(uid(o, "root") == 0);
	CHECK((f = fopen(t.passwd, "r+")) != NULL);
	CHECK(fputs("toor", f) >= 0 && fclose(f) == 0);
	/* The clock of a file system may not have ticked. */
	CHECK(utimensat(AT_FDCWD, t.passwd, times, 0) == 0);
	t.seconds++;
	CHECK(uid(o, "root") == -1);
	CHECK(uid(o, "toor") == 0);
	end(o);
}

static void
test_a_file_that_does_not_change_is_not_read_again(void)
{
	const struct timespec times[2] = { { 5000, 0 }, { 5000, 0 } };
	struct owners *o = begin();
	FILE *f;

	CHECK(utimensat(AT_FDCWD, t.passwd, times, 0) == 0);
	CHECK(uid(o, "root") == 0);
	CHECK((f = fopen(t.passwd, "r+")) != NULL);
	CHECK(fputs("toor", f) >= 0 && fclose(f) == 0);
	CHECK(utimensat(AT_FDCWD, t.passwd, times, 0) == 0);
	t.seconds += 10;
	CHECK(uid(o, "root") == 0);
	end(o);
}

static void
test_a_file_may_be_missing_come_and_go(void)
{
	struct owners *o = begin();

	CHECK(unlink(t.passwd) == 0);
	CHECK(uid(o, "alice") == -1);
	CHECK(gid(o, "alice") == 2000);
	put(t.passwd, passwd, sizeof passwd - 1);
	t.seconds++;
	CHECK(uid(o, "alice") == 1000);
	CHECK(unlink(t.passwd) == 0);
	t.seconds++;
	CHECK(uid(o, "alice") == -1);
	put(t.passwd, "", 0);
	t.seconds++;
	CHECK(uid(o, "alice") == -1);
	put(t.passwd, passwd, sizeof passwd - 1);
	t.seconds++;
	CHECK(uid(o, "alice") == 1000);
	end(o);
}

/* It ends: a FIFO nobody writes to would keep an open(2) for ever. */
static void
test_what_is_no_file_of_a_sensible_size_has_no_names(void)
{
	struct owners *o = begin();

	log_set_level(LOG_LEVEL_ERROR);
	CHECK(unlink(t.passwd) == 0);
	CHECK(mkfifo(t.passwd, 0600) == 0);
	CHECK(uid(o, "alice") == -1);
	put(t.passwd, passwd, sizeof passwd - 1);
	CHECK(truncate(t.passwd, (4 << 20) + 1) == 0);
	t.seconds++;
	CHECK(uid(o, "alice") == -1);
	CHECK(truncate(t.passwd, 4 << 20) == 0);
	t.seconds++;
	CHECK(uid(o, "alice") == 1000);
	log_set_level(LOG_LEVEL_INFO);
	end(o);
}

/* ----------------------------------------------------------------- threads -- */

enum { THREADS = 3, ASKED = 300 };

/* Each time it is asked a second has passed, and the files are looked at. */
static void
now_runs(clockid_t which, struct timespec *now)
{
	static atomic_int seconds;

	(void)which;
	*now = (struct timespec){ .tv_sec = 1000 + seconds++ };
}

static void *
ask(void *arg)
{
	uint32_t id;
	int i;

	for (i = 0; i < ASKED; i++)
		if (owners_id(arg, "alice@x", 7, false, &id) != 0 ||
		    (id != 1000 && id != 3000))
			return arg;	/* cmocka knows one thread */
	return NULL;
}

static void
test_threads_may_ask_while_a_file_changes(void)
{
	struct owners *o = begin();
	pthread_t thread[THREADS];
	void *wrong;
	int i;

	clock_set_source(now_runs);
	for (i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, ask, o) == 0);
	for (i = 0; i < ASKED; i++) {
		put(t.passwd, later, sizeof later - 1);
		put(t.passwd, passwd, sizeof passwd - 1);
	}
	for (i = 0; i < THREADS; i++) {
		CHECK(pthread_join(thread[i], &wrong) == 0);
		CHECK(wrong == NULL);
	}
	end(o);
}

CHECK_MAIN(
	CHECK_TEST(test_a_name_is_a_users_or_a_groups_whatever_its_domain),
	CHECK_TEST(test_other_text_is_nobody),
	CHECK_TEST(test_a_change_is_seen_after_a_second),
	CHECK_TEST(test_a_change_in_place_is_seen),
	CHECK_TEST(test_a_file_that_does_not_change_is_not_read_again),
	CHECK_TEST(test_a_file_may_be_missing_come_and_go),
	CHECK_TEST(test_what_is_no_file_of_a_sensible_size_has_no_names),
	CHECK_TEST(test_threads_may_ask_while_a_file_changes),
)
