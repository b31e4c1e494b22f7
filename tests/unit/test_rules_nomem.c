/*
 * Rules by client without memory.  More rights are not had then, but rights
 * can always be taken away.
 */
#include <errno.h>

#include "nomem.h"
#include "vfs_rig.h"

static void
test_who_may_is_taken_away_without_memory(void)
{
	static const struct vfs_rule everybody = { .bits = 0 };
	const uint8_t addr[16] = { [15] = 1 };
	struct vfs_rules *t = vfs_rules_new();
	struct vfs_rights to;
	long before = live;

	CHECK(t != NULL && vfs_rules_is_empty(t));
	CHECK(vfs_rules_set(t, &everybody, 1) == 0);
	CHECK(!vfs_rules_is_empty(t) && vfs_rules_find(t, addr, &to));

	countdown = 0;
	CHECK(vfs_rules_set(t, NULL, 0) == 0);
	CHECK(!failed && live == before);
	CHECK(vfs_rules_is_empty(t) && !vfs_rules_find(t, addr, &to));
	CHECK(vfs_rules_set(t, &everybody, 1) == ENOMEM);
	countdown = -1;
	CHECK(failed && vfs_rules_is_empty(t));
	vfs_rules_free(t);
}

CHECK_MAIN(
	CHECK_TEST(test_who_may_is_taken_away_without_memory),
)
