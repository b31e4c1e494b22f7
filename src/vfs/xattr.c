/*
 * Extended attributes: named bytes beside an object's own.  They are read
 * and changed by who may read and change the object.
 *
 * Door 1: the library bumps the change counter when the file system is done;
 * door 2: it asks for attributes before and after, which others may get
 * between, so that change is not atomic.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "vfs/ops.h"

bool
vfs_can_xattr(const struct pinefs *fs)
{
	return fs->ops.getxattr != NULL && fs->ops.listxattr != NULL;
}

/* As user.* of xattr(7): of files and directories. */
static int
may(struct pinefs_call *call, struct pinefs_node *node, unsigned want,
    uint32_t bits, struct pinefs_attr *a)
{
	struct who who;
	int err;

	if ((err = vfs_getattr(call, node, a)) != 0)
		return err;
	if (node->fs->ops.flags & PINEFS_OWN_ACCESS)
		return own_access_check(call, node, bits);
	who_of_attr(a, &who);
	return access_check(&call->cred, &who, want);
}

int
vfs_getxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct xdr_view *value)
{
	struct pinefs_attr a;
	struct step_out *s;
	int err;

	if (node->fs->ops.getxattr == NULL)
		return ENOTSUP;
	if ((err = may(call, node, MAY_READ, PINEFS_ACCESS_READ, &a)) != 0)
		return err;
	s = step_take(call, STEP_GETXATTR, node->fs, node, sizeof *s);
	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		out_init(&s->out, call);
		s->step.out = &s->out;
	}
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.getxattr(call, node,
		    name, &s->out));
	if (!step_is_done(&s->step))
		return PINEFS_LATER;
	out_view(&s->out, value);
	return s->step.err;
}

/* ------------------------------------------------------------- changes -- */

struct step_setxattr {
	struct vfs_step		step;
	struct pinefs_in	in;
};

static int
ask_setxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct xdr_view value, int how)
{
	struct step_setxattr *s = step_take(call, STEP_SETXATTR, node->fs,
	    node, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	call->attr = NULL;
	if (step_is_new(&s->step))
		in_init(&s->in, &value, NULL);
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.setxattr(call, node,
		    name, &s->in, how));
	return step_is_done(&s->step) ? s->step.err : PINEFS_LATER;
}

static int
ask_removexattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name)
{
	struct vfs_step *s = step_take(call, STEP_REMOVEXATTR, node->fs,
	    node, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	call->attr = NULL;
	if (step_begin(call, s))
		step_end(call, s, node->fs->ops.removexattr(call, node,
		    name));
	return step_is_done(s) ? s->err : PINEFS_LATER;
}

static int
bump(struct pinefs_call *call, struct pinefs_node *node,
    struct vfs_wcc *wcc)
{
	struct tree_node *t = tree_node(node);
	struct step_wcc *s = step_take(call, STEP_TREE, node->fs, node,
	    STEP_WCC_SIZE(1));
	struct timespec now;

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		clock_wall(&now);
		spin_lock(&node->lock);
		tree_wcc_before(t, &s->wcc[0]);
		tree_bump(t, now, false);
		tree_wcc_after(t, &s->wcc[0]);
		spin_unlock(&node->lock);
		step_set(&s->step, 0);
	}
	*wcc = s->wcc[0];
	return 0;
}

/* It is done: what a client is told of it. */
static int
seen(struct pinefs_call *call, struct pinefs_node *node, struct vfs_wcc *wcc)
{
	int err;

	if (node->fs->tree)
		return bump(call, node, wcc);
	err = vfs_getattr(call, node, &wcc->after);
	wcc->has_after = err == 0;
	return err == PINEFS_LATER ? err : 0;
}

static int
may_set(struct pinefs_call *call, struct pinefs_node *node, bool has_op,
    struct vfs_wcc *wcc)
{
	struct pinefs_attr a;

	memset(wcc, 0, sizeof *wcc);
	if (!has_op)
		return ENOTSUP;
	if (call->export->read_only)
		return EROFS;
	return may(call, node, MAY_WRITE, PINEFS_ACCESS_MODIFY, &a);
}

int
vfs_setxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct xdr_view value, int how,
    struct vfs_wcc *wcc)
{
	int err;

	err = may_set(call, node, node->fs->ops.setxattr != NULL, wcc);
	if (err == 0)
		err = ask_setxattr(call, node, name, value, how);
	return err != 0 ? err : seen(call, node, wcc);
}

int
vfs_removexattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct vfs_wcc *wcc)
{
	int err;

	err = may_set(call, node, node->fs->ops.removexattr != NULL, wcc);
	if (err == 0)
		err = ask_removexattr(call, node, name);
	return err != 0 ? err : seen(call, node, wcc);
}
