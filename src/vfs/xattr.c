/*
 * Extended attributes (RFC 8276), which only v4.2 has: named bytes beside an
 * object's own.  They are read and changed by who may read and change the
 * object.
 *
 * Door 1: a prompt file system is asked under the node's lock, any other
 * without; then the library bumps the change counter.  Door 2: attributes
 * are asked for afterwards, so that a change is not atomic.
 */
#include <errno.h>
#include <string.h>

#include "vfs/emit.h"
#include "vfs/ops.h"

bool
vfs_can_xattr(const struct pinefs *fs)
{
	return fs->ops.getxattr != NULL && fs->ops.listxattr != NULL;
}

/* ------------------------------------------------------ what may be done -- */

/* Not a file's name: a slash is a letter here. */
static int
xattr_name_check(struct pinefs_name name)
{
	if (name.len == 0)
		return EINVAL;
	return name.len > 255 ? ENAMETOOLONG : 0;
}

/* xattr(7): on what has no bytes, mode bits mean something else. */
static int
type_check(uint32_t type)
{
	return type == PINEFS_REG || type == PINEFS_DIR ? 0 : EPERM;
}

static int
check_by_asking(struct pinefs_call *call, struct pinefs_node *node,
    unsigned want, uint32_t bits)
{
	const struct pinefs_attr *a;
	int err;

	if ((err = rights(call, node, want, bits, false, &a)) != 0)
		return err;
	return type_check(a->type);
}

/* Door 1, with node.lock if it is prompt. */
static int
tree_check(struct pinefs_call *call, struct tree_node *t, unsigned want)
{
	struct who who;
	int err;

	if ((err = type_check(node_type(&t->node))) != 0 ||
	    t->node.fs->ops.flags & PINEFS_OWN_ACCESS)
		return err;
	tree_who(t, &who);
	return access_check(&call->cred, &who, want);
}

/* As a step, before a file system is asked that is not prompt. */
static int
note_check(struct pinefs_call *call, struct pinefs_node *node, unsigned want)
{
	struct vfs_step *s = step_take(call, STEP_NOTE, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(s)) {
		spin_lock(&node->lock);
		step_set(s, tree_check(call, tree_node(node), want));
		spin_unlock(&node->lock);
	}
	return s->err;
}

/* Everything before the question, of whichever door. */
static int
check(struct pinefs_call *call, struct pinefs_node *node, unsigned want,
    uint32_t bits)
{
	int err;

	if (!node->fs->tree)
		return check_by_asking(call, node, want, bits);
	if ((err = own_access_check(call, node, bits)) != 0)
		return err;
	return tree_is_prompt(node) ? 0 : note_check(call, node, want);
}

static int
changing_check(struct pinefs_call *call, struct pinefs_node *node)
{
	struct pinefs *fs = node->fs;

	if (fs->ops.setxattr == NULL || fs->ops.removexattr == NULL)
		return ENOTSUP;
	if (call->read_only)
		return EROFS;
	return check(call, node, MAY_WRITE, PINEFS_ACCESS_MODIFY);
}

static bool
is_locked(const struct pinefs_node *node)
{
	return node->fs->tree && tree_is_prompt(node);
}

/* ----------------------------------------------------------------- get -- */

static int
get_locked(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_out *out)
{
	int err;

	spin_lock(&node->lock);
	if ((err = tree_check(call, tree_node(node), MAY_READ)) == 0)
		err = tree_was_prompt("getxattr", node->fs->ops.getxattr(call,
		    node, name, out));
	spin_unlock(&node->lock);
	return err;
}

static int
get_at_once(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_out **out)
{
	struct step_out *s = step_take(call, STEP_TREE, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		out_init(&s->out, call);
		s->step.out = &s->out;
		step_set(&s->step, get_locked(call, node, name, &s->out));
	}
	*out = &s->out;
	return s->step.err;
}

int
vfs_getxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct xdr_view *value)
{
	struct pinefs_out *out;
	int err;

	if (node->fs->ops.getxattr == NULL)
		return ENOTSUP;
	if ((err = xattr_name_check(name)) != 0 || (err = check(call, node,
	    MAY_READ, PINEFS_ACCESS_READ)) != 0)
		return err;
	err = is_locked(node) ? get_at_once(call, node, name, &out) :
	    ask_getxattr(call, node, name, &out);
	if (err == 0)
		out_view(out, value);
	return err;
}

/* -------------------------------------------------------- set and remove -- */

/* One change: a value to be set, or (NULL) an attribute to be removed. */
struct change {
	struct pinefs_name	 name;
	const struct xdr_view	*value;
	int			 how;
};

static int
call_prompt(struct pinefs_call *call, struct pinefs_node *node,
    const struct change *c)
{
	const struct pinefs_ops *ops = &node->fs->ops;
	struct pinefs_in in;

	if (c->value == NULL)
		return tree_was_prompt("removexattr", ops->removexattr(call,
		    node, c->name));
	in_init(&in, c->value, NULL);
	return tree_was_prompt("setxattr", ops->setxattr(call, node, c->name,
	    &in, c->how));
}

static int
change_locked(struct pinefs_call *call, struct pinefs_node *node,
    const struct change *c, struct vfs_wcc *wcc)
{
	struct tree_node *t = tree_node(node);
	int err = 0;

	spin_lock(&node->lock);
	if (tree_is_prompt(node) &&
	    (err = tree_check(call, t, MAY_WRITE)) == 0)
		err = call_prompt(call, node, c);
	if (err == 0) {
		tree_wcc_before(t, wcc);
		tree_meta_seen(t);
		tree_wcc_after(t, wcc);
	}
	spin_unlock(&node->lock);
	return err;
}

static int
change_in_tree(struct pinefs_call *call, struct pinefs_node *node,
    const struct change *c, struct vfs_wcc *wcc)
{
	struct step_wcc *s = step_take(call, STEP_TREE, node->fs, node,
	    STEP_WCC_SIZE(1));

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step))
		step_set(&s->step, change_locked(call, node, c, &s->wcc[0]));
	*wcc = s->wcc[0];
	return s->step.err;
}

static int
change_guarded(struct pinefs_call *call, struct pinefs_node *node,
    const struct change *c, struct vfs_wcc *wcc)
{
	const struct pinefs_change none = { .atomic = false };
	int err = 0;

	if (!is_locked(node))
		err = c->value == NULL ?
		    ask_removexattr(call, node, c->name) :
		    ask_setxattr(call, node, c->name, c->value, c->how);
	if (err != 0)
		return err;
	return node->fs->tree ? change_in_tree(call, node, c, wcc) :
	    wcc_of_change(call, node, &none, wcc);
}

static int
change(struct pinefs_call *call, struct pinefs_node *node,
    const struct change *c, struct vfs_wcc *wcc)
{
	struct vfs_guard *guard;
	int err;

	memset(wcc, 0, sizeof *wcc);
	if ((err = xattr_name_check(c->name)) != 0 ||
	    (err = changing_check(call, node)) != 0 ||
	    (err = guard_begin(call, node, GUARD_DATA, &guard)) != 0)
		return err;
	err = change_guarded(call, node, c, wcc);
	if (err != PINEFS_LATER)
		vfs_guard_end(guard);
	return err;
}

int
vfs_setxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct xdr_view value, int how,
    struct vfs_wcc *wcc)
{
	struct change c = { name, &value, how };

	return change(call, node, &c, wcc);
}

int
vfs_removexattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct vfs_wcc *wcc)
{
	struct change c = { .name = name };

	return change(call, node, &c, wcc);
}

/* ---------------------------------------------------------------- list -- */

struct step_names {
	struct vfs_step		step;
	struct pinefs_emit	emit;
};

static int
list_locked(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *e)
{
	int err;

	spin_lock(&node->lock);
	if ((err = tree_check(call, tree_node(node), MAY_READ)) == 0)
		err = tree_was_prompt("listxattr", node->fs->ops.listxattr(
		    call, node, after, e));
	spin_unlock(&node->lock);
	return err;
}

/* A stretch of the names, as a step. */
static int
list_more(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit **to)
{
	struct step_names *s = step_take(call, STEP_LISTXATTR, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		emit_init(&s->emit, call, node->fs, 0, 0, after);
		s->emit.names_only = true;
		if (is_locked(node))
			step_set(&s->step, list_locked(call, node, after,
			    &s->emit));
	}
	if (!is_locked(node) && step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.listxattr(call, node,
		    after, &s->emit));
	if (!step_is_done(&s->step))
		return PINEFS_LATER;
	*to = &s->emit;
	return s->step.err != 0 ? s->step.err : s->emit.err;
}

int
vfs_listxattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, int (*add)(void *, const struct vfs_entry *), void *arg,
    bool *eof)
{
	struct vfs_entry entry = { .cookie = 0 };
	const struct emitted *e;
	struct pinefs_emit *emit;
	int err;

	*eof = false;
	if (node->fs->ops.listxattr == NULL)
		return ENOTSUP;
	if ((err = check(call, node, MAY_READ, PINEFS_ACCESS_READ)) != 0)
		return err;
	do {
		if ((err = list_more(call, node, after, &emit)) != 0)
			return err;
		for (e = emit->first; e != NULL; e = e->next) {
			entry.name.base = e->bytes;
			entry.name.len = e->name_len;
			entry.cookie = e->cookie;
			if (add(arg, &entry) != 0)
				return 0;
		}
		after = emit->after;
	} while (emit->full);
	*eof = true;
	return 0;
}
