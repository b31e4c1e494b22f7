/* Promises, and changes that must not break them.  See guard.h. */
#include "vfs/guard.h"

#include <errno.h>

#include "vfs/ops.h"

struct vfs_guard {
	struct vfs_step	step;		/* .node: counted */
	bool		asked;		/* there was a promise */
	bool		over;
};

static bool
is_guarded(const struct pinefs *fs)
{
	/* Who waits for a promise must not keep all others out. */
	return (fs->ops.flags & PINEFS_DELEGATION) != 0 &&
	    (fs->ops.flags & PINEFS_SERIAL) == 0 && fs->guard != NULL;
}

bool
vfs_fs_can_promise(const struct pinefs *fs, const void *arg)
{
	return is_guarded(fs) && fs->guard_arg == arg;
}

void
vfs_fs_set_guard(struct pinefs *fs, vfs_guard_fn *fn, void *arg)
{
	if (fs->guard != NULL && fs->guard_arg != arg)
		return;		/* another server has it */
	fs->guard_arg = arg;
	fs->guard = fn;
}

bool
vfs_node_promise(struct pinefs_node *node)
{
	uint32_t was = 0;

	return atomic_compare_exchange_strong(&node->guard, &was,
	    GUARD_PROMISED) || was == GUARD_PROMISED;
}

void
vfs_node_promise_end(struct pinefs_node *node)
{
	atomic_fetch_and(&node->guard, ~GUARD_PROMISED);
}

/*
 * Somebody without the right to change it disturbs nobody: the operation
 * itself will refuse.  In the tree it is only looked at where there is
 * something to disturb.
 */
static bool
may_in_tree(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir, enum guard_want want)
{
	struct who who;

	if (node->fs->ops.flags & PINEFS_OWN_ACCESS)
		return true;
	if (want == GUARD_NAME)
		return tree_may_change(call, dir) == 0;
	if (want == GUARD_CHECKED || call->opened)
		return true;
	spin_lock(&node->lock);
	tree_who(tree_node(node), &who);
	spin_unlock(&node->lock);
	return access_check_io(&call->cred, &who, MAY_WRITE) == 0 ||
	    (want == GUARD_ATTR && call->cred.uid == who.uid);
}

/* Door 2: a step before that of the guard, which the operation itself finds
 * done.  Whether there is a promise must not decide which steps there are. */
static int
may_by_asking(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir, enum guard_want want, bool *may)
{
	struct pinefs_node *decides = want == GUARD_NAME ? dir : node;
	const struct pinefs_attr *a;
	struct who who;
	int err;

	*may = true;
	if (node->fs->ops.flags & PINEFS_OWN_ACCESS || want == GUARD_CHECKED ||
	    (call->opened && want != GUARD_NAME))
		return 0;
	if ((err = ask_getattr(call, decides, PINEFS_ALL, &a)) != 0)
		return err;
	who_of_attr(a, &who);
	if (want == GUARD_NAME)
		*may = access_check(&call->cred, &who,
		    MAY_WRITE | MAY_EXEC) == 0;
	else
		*may = access_check_io(&call->cred, &who, MAY_WRITE) == 0 ||
		    (want == GUARD_ATTR && call->cred.uid == who.uid);
	return 0;
}

/* `dir`: the directory whose names change. */
static int
announce(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir, enum guard_want want, struct vfs_guard **to)
{
	struct pinefs *fs = node->fs;
	struct vfs_guard *g;
	bool may = true;
	int err;

	*to = NULL;
	if (!is_guarded(fs))
		return 0;
	if (!fs->tree && (err = may_by_asking(call, node, dir, want,
	    &may)) != 0)
		return err;
	if ((g = step_take(call, STEP_GUARD, fs, node, sizeof *g)) == NULL)
		return ENOMEM;
	if (step_is_new(&g->step)) {
		node_get(node);
		g->step.node = node;
		if ((atomic_fetch_add(&node->guard, 1) & GUARD_PROMISED) == 0
		    || !(fs->tree ? may_in_tree(call, node, dir, want) : may))
			step_set(&g->step, 0);
		else
			g->asked = true;
		if (g->asked && step_begin(call, &g->step))
			step_end(call, &g->step, fs->guard(fs->guard_arg,
			    call, node));
	}
	if (!step_is_done(&g->step))
		return PINEFS_LATER;
	if (g->asked)
		call->attr = NULL;	/* much may have changed meanwhile */
	*to = g;
	if (g->step.err != 0)
		vfs_guard_end(g);
	return g->step.err;
}

int
guard_begin(struct pinefs_call *call, struct pinefs_node *node,
    enum guard_want want, struct vfs_guard **to)
{
	return announce(call, node, NULL, want, to);
}

int
vfs_guard_begin(struct pinefs_call *call, struct pinefs_node *node,
    struct vfs_guard **to)
{
	return announce(call, node, NULL, GUARD_CHECKED, to);
}

int
guard_link(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir, struct vfs_guard **to)
{
	return announce(call, node, dir, GUARD_NAME, to);
}

int
guard_name(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, struct vfs_guard **to)
{
	struct pinefs_node *node;
	int err;

	*to = NULL;
	if (!is_guarded(dir->fs))
		return 0;
	err = vfs_lookup(call, dir, name, &node);
	if (err == ENOENT || err == EACCES)
		return 0;	/* the operation itself says so */
	return err != 0 ? err : announce(call, node, dir, GUARD_NAME, to);
}

void
vfs_guard_end(struct vfs_guard *g)
{
	if (g == NULL || g->over)
		return;
	g->over = true;
	atomic_fetch_sub(&g->step.node->guard, 1);
}
