/* Exports by id and path; squashing. */
#include <errno.h>
#include <string.h>

#include "vfs_rig.h"

static struct vfs_export mem = { .path = (char *)(uintptr_t)"/mem", .id = 7 },
    top = { .path = (char *)(uintptr_t)"/", .id = 9, .next = &mem };
static const struct vfs_exports both = { .first = &top, .n = 2 };

static struct vfs_export *
by_path(const char *path, const char *rest)
{
	struct pinefs_name left;
	struct vfs_export *x;

	x = vfs_export_by_path(&both, path, strlen(path), &left);
	CHECK(left.len == strlen(rest) &&
	    memcmp(left.base, rest, left.len) == 0);
	return x;
}

static void
test_a_path_names_an_export_however_it_is_spelled(void)
{
	CHECK(by_path("/mem", "") == &mem);
	CHECK(by_path("mem", "") == &mem);
	CHECK(by_path("/mem/", "") == &mem);
	CHECK(by_path("//mem//", "") == &mem);
	CHECK(by_path("/", "") == &top);
	CHECK(by_path("", "") == &top);
}

static void
test_what_lies_below_an_export_is_told(void)
{
	CHECK(by_path("/mem/a/b", "a/b") == &mem);
	CHECK(by_path("/mem//a", "a") == &mem);
	CHECK(by_path("/memory/a", "memory/a") == &top);
	CHECK(by_path("/me", "me") == &top);
}

static void
test_without_a_root_export_other_paths_are_nothing(void)
{
	const struct vfs_exports one = { .first = &mem, .n = 1 };
	struct pinefs_name left;

	CHECK(vfs_export_by_path(&one, "/x", 2, &left) == NULL);
	CHECK(vfs_export_by_path(&one, "/", 1, &left) == NULL);
	CHECK(vfs_export_by_id(&both, 7) == &mem);
	CHECK(vfs_export_by_id(&both, 9) == &top);
	CHECK(vfs_export_by_id(&both, 8) == NULL);
}

/* uid, gid, and one group each of root and somebody: before and after. */
static void
test_squash_maps_uid_gid_and_each_group(void)
{
	const uint32_t groups[] = { 0, 5, UINT32_MAX };
	const struct {
		enum vfs_squash	squash;
		uint32_t	uid, gid, to_uid, to_gid, to[3];
	} row[] = {
		{ VFS_SQUASH_NONE, 0, 0, 0, 0, { 0, 5, UINT32_MAX } },
		{ VFS_SQUASH_NONE, 3, 4, 3, 4, { 0, 5, UINT32_MAX } },
		{ VFS_SQUASH_ROOT, 0, 0, 98, 99, { 99, 5, UINT32_MAX } },
		{ VFS_SQUASH_ROOT, 3, 4, 3, 4, { 99, 5, UINT32_MAX } },
		{ VFS_SQUASH_ROOT, 0, 4, 98, 4, { 99, 5, UINT32_MAX } },
		{ VFS_SQUASH_ROOT, 3, 0, 3, 99, { 99, 5, UINT32_MAX } },
		{ VFS_SQUASH_ALL, 0, 0, 98, 99, { 99, 99, 99 } },
		{ VFS_SQUASH_ALL, 3, 4, 98, 99, { 99, 99, 99 } },
	};
	uint32_t gids[VFS_MAX_GIDS];
	struct pinefs_cred out;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct pinefs_cred given = { .flavor = 1, .uid = row[i].uid,
		    .gid = row[i].gid, .ngids = 3, .gids = groups };

		vfs_squash(&given, row[i].squash, 98, 99, &out, gids);
		assert_int_equal(out.uid, row[i].to_uid);
		assert_int_equal(out.gid, row[i].to_gid);
		assert_int_equal(out.ngids, 3);
		CHECK(out.gids == gids);
		CHECK(memcmp(gids, row[i].to, sizeof row[i].to) == 0);
	}
}

static void
test_an_anonymous_uid_of_minus_two_is_not_root(void)
{
	struct pinefs_cred given = { .flavor = 1 }, out;
	uint32_t gids[VFS_MAX_GIDS];

	vfs_squash(&given, VFS_SQUASH_ROOT, (uint32_t)-2, (uint32_t)-2, &out,
	    gids);
	assert_int_equal(out.uid, 4294967294u);
	assert_int_equal(out.gid, 4294967294u);
}

static void
test_auth_none_is_nobody_even_without_squashing(void)
{
	struct pinefs_cred given = { .flavor = 0, .uid = 0 }, out;
	uint32_t gids[VFS_MAX_GIDS];

	vfs_squash(&given, VFS_SQUASH_NONE, 98, 99, &out, gids);
	assert_int_equal(out.uid, 98);
	assert_int_equal(out.gid, 99);
	assert_int_equal(out.ngids, 0);
}

static void
test_root_that_is_proven_stays_root(void)
{
	struct pinefs_ops ops = { 0 };
	struct pinefs *fs = pinefs_new(&ops, NULL);
	struct pinefs_cred given = { .flavor = 1 };
	struct pinefs_call call;
	struct vfs_export x;

	rig_export(&x, fs);
	x.squash = VFS_SQUASH_ROOT;
	x.anon_uid = 98;
	memset(&call, 0, sizeof call);
	vfs_call_init(&call, NULL, &given, true, NULL, NULL);
	CHECK(vfs_call_enter(&call, &x) == 0);
	assert_int_equal(call.cred.uid, 0);
	assert_int_equal(call.cred.export_id, 1);

	memset(&call, 0, sizeof call);
	vfs_call_init(&call, NULL, &given, false, NULL, NULL);
	CHECK(vfs_call_enter(&call, &x) == 0);
	assert_int_equal(call.cred.uid, 98);

	/* Everybody means everybody. */
	x.squash = VFS_SQUASH_ALL;
	memset(&call, 0, sizeof call);
	vfs_call_init(&call, NULL, &given, true, NULL, NULL);
	CHECK(vfs_call_enter(&call, &x) == 0);
	assert_int_equal(call.cred.uid, 98);
	pinefs_free(fs);
}

static void
test_only_listed_uids_are_admitted(void)
{
	const uint32_t uids[] = { 0, 1000 };
	const struct {
		uint32_t	flavor, uid;
		int		err;
	} row[] = { { 1, 0, 0 }, { 1, 1000, 0 }, { 1, 1001, EACCES },
	    { 0, 0, EACCES } };
	struct vfs_export x = { .uids = uids, .nuids = 2 };
	struct pinefs_call call;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct pinefs_cred given = { .flavor = row[i].flavor,
		    .uid = row[i].uid };

		memset(&call, 0, sizeof call);
		vfs_call_init(&call, NULL, &given, false, NULL, NULL);
		assert_int_equal(vfs_call_enter(&call, &x), row[i].err);
	}
}

static int
rules_enter(struct vfs_export *x, uint8_t last, struct pinefs_call *call)
{
	struct pinefs_cred given = { .flavor = 1, .uid = 0 };

	memset(call, 0, sizeof *call);
	vfs_call_init(call, NULL, &given, false, NULL, NULL);
	memcpy(call->from, (uint8_t[16]){ [10] = 0xff, [11] = 0xff, [12] = 10,
	    [15] = last }, 16);
	return vfs_call_enter(call, x);
}

static void
test_the_first_rule_that_fits_the_address_counts(void)
{
	const struct vfs_rule rule[] = {
		{ .addr = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 },
		    .bits = 128, .rights = { .read_only = true } },
		/* 10.0.0.0/25 */
		{ .addr = { [10] = 0xff, [11] = 0xff, [12] = 10 },
		    .bits = 121, .rights = { .squash = VFS_SQUASH_ROOT,
		    .anon_uid = 98, .any_uid = true } },
	};
	const uint32_t uids[] = { 0 };
	struct vfs_export x = { .rules = vfs_rules_new(), .uids = uids };
	struct pinefs_call call;

	CHECK(rules_enter(&x, 1, &call) == EACCES);
	CHECK(vfs_rules_set(x.rules, rule, 2) == 0);
	/* Admitted by no uid, but where the rule says that any may. */
	CHECK(rules_enter(&x, 1, &call) == EACCES);
	x.nuids = 1;
	CHECK(rules_enter(&x, 1, &call) == 0);
	CHECK(call.read_only && call.cred.uid == 0);
	x.nuids = 0;
	CHECK(rules_enter(&x, 2, &call) == 0);
	CHECK(!call.read_only && call.cred.uid == 98);
	CHECK(rules_enter(&x, 127, &call) == 0);
	CHECK(rules_enter(&x, 128, &call) == EACCES);
	CHECK(vfs_rules_set(x.rules, NULL, 0) == 0);
	CHECK(rules_enter(&x, 2, &call) == EACCES);
	vfs_rules_free(x.rules);
}

CHECK_MAIN(
	CHECK_TEST(test_a_path_names_an_export_however_it_is_spelled),
	CHECK_TEST(test_what_lies_below_an_export_is_told),
	CHECK_TEST(test_without_a_root_export_other_paths_are_nothing),
	CHECK_TEST(test_squash_maps_uid_gid_and_each_group),
	CHECK_TEST(test_an_anonymous_uid_of_minus_two_is_not_root),
	CHECK_TEST(test_auth_none_is_nobody_even_without_squashing),
	CHECK_TEST(test_root_that_is_proven_stays_root),
	CHECK_TEST(test_the_first_rule_that_fits_the_address_counts),
	CHECK_TEST(test_only_listed_uids_are_admitted),
)
