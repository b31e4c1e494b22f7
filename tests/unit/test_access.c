/* Rights: mode bits, groups, owners, sticky directories, chmod and chown. */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "vfs/access.h"

static const uint32_t extra[] = { 50, 60 };
static const struct pinefs_cred root = { .flavor = 1 },
    alice = { .flavor = 1, .uid = 10, .gid = 20, .ngids = 2, .gids = extra },
    bob = { .flavor = 1, .uid = 11, .gid = 21 };

static struct who
file(uint32_t mode, uint32_t uid, uint32_t gid)
{
	return (struct who){ PINEFS_REG, mode, uid, gid };
}

static void
test_owner_group_and_others_each_have_their_bits(void)
{
	const struct {
		uint32_t	mode, uid, gid;
		unsigned	rights;
	} row[] = {
		{ 0640, 10, 99, MAY_READ | MAY_WRITE },
		{ 0640, 99, 20, MAY_READ },
		{ 0640, 99, 50, MAY_READ },	/* a supplementary group */
		{ 0640, 99, 60, MAY_READ },
		{ 0640, 99, 99, 0 },
		{ 0644, 99, 99, MAY_READ },
		{ 0070, 10, 20, 0 },		/* the owner is no member */
		{ 0007, 99, 20, 0 },		/* nor are members others */
		{ 0111, 99, 99, MAY_EXEC },
	};
	struct who who;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		who = file(row[i].mode, row[i].uid, row[i].gid);
		assert_int_equal(access_rights(&alice, &who), row[i].rights);
	}
}

static void
test_root_may_all_but_execute_what_nobody_may(void)
{
	struct who plain = file(0, 1, 1), program = file(0010, 1, 1),
	    dir = { PINEFS_DIR, 0, 1, 1 };

	assert_int_equal(access_rights(&root, &plain), MAY_READ | MAY_WRITE);
	assert_int_equal(access_rights(&root, &program), 7);
	assert_int_equal(access_rights(&root, &dir), 7);
}

static void
test_the_owner_reads_and_writes_in_spite_of_the_mode(void)
{
	struct who closed = file(0, 10, 20), program = file(0111, 1, 1);

	assert_int_equal(access_check(&alice, &closed, MAY_READ), EACCES);
	assert_int_equal(access_check_io(&alice, &closed, MAY_READ), 0);
	assert_int_equal(access_check_io(&alice, &closed, MAY_WRITE), 0);
	assert_int_equal(access_check_io(&bob, &closed, MAY_READ), EACCES);
	/* What may be executed is read for that. */
	assert_int_equal(access_check_io(&bob, &program, MAY_READ), 0);
	assert_int_equal(access_check_io(&bob, &program, MAY_WRITE), EACCES);
}

static void
test_access_answers_only_what_was_asked(void)
{
	struct who dir = { PINEFS_DIR, 0755, 10, 20 },
	    plain = file(0644, 10, 20);
	uint32_t all = 0x3f;

	assert_int_equal(access_bits(&alice, &dir, all), all &
	    ~PINEFS_ACCESS_EXECUTE);
	assert_int_equal(access_bits(&bob, &dir, all),
	    PINEFS_ACCESS_READ | PINEFS_ACCESS_LOOKUP);
	assert_int_equal(access_bits(&bob, &dir, PINEFS_ACCESS_READ),
	    PINEFS_ACCESS_READ);
	assert_int_equal(access_bits(&alice, &plain, all),
	    PINEFS_ACCESS_READ | PINEFS_ACCESS_MODIFY |
	    PINEFS_ACCESS_EXTEND);
	/* A directory one cannot search one cannot change. */
	dir.mode = 0666;
	assert_int_equal(access_bits(&alice, &dir, all), PINEFS_ACCESS_READ);
}

static void
test_a_sticky_directory_guards_other_peoples_names(void)
{
	struct who dir = { PINEFS_DIR, 01777, 1, 1 }, hers = file(0, 10, 20),
	    his = file(0, 11, 21);

	assert_int_equal(access_sticky(&alice, &dir, &hers), 0);
	assert_int_equal(access_sticky(&alice, &dir, &his), EPERM);
	assert_int_equal(access_sticky(&root, &dir, &his), 0);
	dir.uid = 10;
	assert_int_equal(access_sticky(&alice, &dir, &his), 0);
	dir.uid = 1;
	dir.mode = 0777;
	assert_int_equal(access_sticky(&alice, &dir, &his), 0);
}

static int
set_attr(const struct pinefs_cred *cred, const struct who *who,
    struct pinefs_attr a, uint64_t now)
{
	struct pinefs_set set = { .attr = a, .now = now };

	return access_setattr(cred, who, &set, false);
}

static void
test_who_may_change_which_attribute(void)
{
	struct who hers = file(0644, 10, 20), open = file(0666, 10, 20);
	struct pinefs_attr mode = { .have = PINEFS_MODE, .mode = 0600 },
	    give = { .have = PINEFS_UID, .uid = 11 },
	    same = { .have = PINEFS_UID | PINEFS_GID, .uid = 10, .gid = 20 },
	    to_own_group = { .have = PINEFS_GID, .gid = 60 },
	    to_other_group = { .have = PINEFS_GID, .gid = 21 },
	    times = { .have = PINEFS_ATIME | PINEFS_MTIME },
	    size = { .have = PINEFS_SIZE };

	assert_int_equal(set_attr(&alice, &hers, mode, 0), 0);
	assert_int_equal(set_attr(&bob, &hers, mode, 0), EPERM);
	assert_int_equal(set_attr(&root, &hers, mode, 0), 0);
	assert_int_equal(set_attr(&alice, &hers, give, 0), EPERM);
	assert_int_equal(set_attr(&alice, &hers, same, 0), 0);
	assert_int_equal(set_attr(&bob, &hers, same, 0), EPERM);
	assert_int_equal(set_attr(&root, &hers, give, 0), 0);
	assert_int_equal(set_attr(&alice, &hers, to_own_group, 0), 0);
	assert_int_equal(set_attr(&alice, &hers, to_other_group, 0), EPERM);

	/* A given time wants the owner, "now" also whoever may write. */
	assert_int_equal(set_attr(&bob, &open, times, 0), EPERM);
	assert_int_equal(set_attr(&bob, &open, times, times.have), 0);
	assert_int_equal(set_attr(&bob, &hers, times, times.have), EACCES);
	assert_int_equal(set_attr(&bob, &open, times, PINEFS_ATIME), EPERM);
	assert_int_equal(set_attr(&alice, &hers, times, 0), 0);

	assert_int_equal(set_attr(&bob, &hers, size, 0), EACCES);
	assert_int_equal(set_attr(&bob, &open, size, 0), 0);
	hers.mode = 0;
	assert_int_equal(set_attr(&alice, &hers, size, 0), 0);
}

static uint32_t
mode_after(const struct pinefs_cred *cred, struct who who,
    struct pinefs_attr a)
{
	struct pinefs_set set = { .attr = a };

	return access_mode_after(cred, &who, &set);
}

static void
test_suid_and_sgid_go_when_they_must(void)
{
	struct who suid = file(06755, 10, 20), lock = file(02644, 10, 20),
	    dir = { PINEFS_DIR, 02755, 10, 20 };
	struct pinefs_attr chown = { .have = PINEFS_GID, .gid = 50 },
	    chmod = { .have = PINEFS_MODE, .mode = 02755 },
	    size = { .have = PINEFS_SIZE };

	assert_int_equal(access_mode_written(&bob, &suid), 0755);
	assert_int_equal(access_mode_written(&root, &suid), 06755);
	assert_int_equal(access_mode_written(&bob, &lock), 02644);
	assert_int_equal(mode_after(&bob, suid, size), 0755);

	assert_int_equal(mode_after(&alice, suid, chown), 0755);
	assert_int_equal(mode_after(&root, suid, chown), 0755);
	assert_int_equal(mode_after(&alice, lock, chown), 02644);
	assert_int_equal(mode_after(&alice, dir, chown), 02755);

	/* Only a member hands out the group's rights. */
	assert_int_equal(mode_after(&alice, file(0, 10, 20), chmod), 02755);
	assert_int_equal(mode_after(&alice, file(0, 10, 99), chmod), 0755);
	assert_int_equal(mode_after(&root, file(0, 10, 99), chmod), 02755);
}

static void
test_a_setgid_directory_hands_on_its_group(void)
{
	struct who plain = { PINEFS_DIR, 0777, 1, 99 },
	    setgid = { PINEFS_DIR, 02777, 1, 99 };
	struct pinefs_attr a = { .have = PINEFS_MODE, .mode = 0644 }, none;

	access_new(&alice, &plain, PINEFS_REG, &a);
	assert_int_equal(a.uid, 10);
	assert_int_equal(a.gid, 20);
	assert_int_equal(a.mode, 0644);

	a = (struct pinefs_attr){ .have = PINEFS_MODE, .mode = 0755 };
	access_new(&alice, &setgid, PINEFS_DIR, &a);
	assert_int_equal(a.gid, 99);
	assert_int_equal(a.mode, 02755);

	a = (struct pinefs_attr){ .have = PINEFS_MODE, .mode = 02755 };
	access_new(&alice, &setgid, PINEFS_REG, &a);
	assert_int_equal(a.gid, 99);
	assert_int_equal(a.mode, 0755);		/* she is no member of 99 */

	memset(&none, 0, sizeof none);
	access_new(&alice, &plain, PINEFS_REG, &none);
	assert_int_equal(none.mode, 0600);
	assert_int_equal(none.have, PINEFS_MODE | PINEFS_UID | PINEFS_GID);
}

static void
test_only_root_makes_files_for_others(void)
{
	struct who dir = { PINEFS_DIR, 0777, 1, 1 };
	struct pinefs_attr a = { .have = PINEFS_UID | PINEFS_GID, .uid = 77,
	    .gid = 78 }, b = a;

	access_new(&alice, &dir, PINEFS_REG, &a);
	assert_int_equal(a.uid, 10);
	assert_int_equal(a.gid, 20);
	access_new(&root, &dir, PINEFS_REG, &b);
	assert_int_equal(b.uid, 77);
	assert_int_equal(b.gid, 78);
}

CHECK_MAIN(
	CHECK_TEST(test_owner_group_and_others_each_have_their_bits),
	CHECK_TEST(test_root_may_all_but_execute_what_nobody_may),
	CHECK_TEST(test_the_owner_reads_and_writes_in_spite_of_the_mode),
	CHECK_TEST(test_access_answers_only_what_was_asked),
	CHECK_TEST(test_a_sticky_directory_guards_other_peoples_names),
	CHECK_TEST(test_who_may_change_which_attribute),
	CHECK_TEST(test_suid_and_sgid_go_when_they_must),
	CHECK_TEST(test_a_setgid_directory_hands_on_its_group),
	CHECK_TEST(test_only_root_makes_files_for_others),
)
