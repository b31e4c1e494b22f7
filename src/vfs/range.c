/*
 * Operations on ranges, which only v4.2 has: where data is, giving space,
 * punching holes, sharing.
 */
#include <errno.h>
#include <string.h>

#include "vfs/ops.h"

/* ---------------------------------------------------------------- seek -- */

/* What a file system found, against the size: the end is a hole. */
static int
seek_result(int what, uint64_t size, int err, uint64_t *found)
{
	if (what == PINEFS_SEEK_HOLE) {
		if (err == ENXIO || (err == 0 && *found > size)) {
			*found = size;
			err = 0;
		}
		return err;
	}
	return err == 0 && *found >= size ? ENXIO : err;
}

/* Without seek(): all data, one hole at the end. */
static int
seek_default(int what, uint64_t off, uint64_t size, uint64_t *found)
{
	*found = what == PINEFS_SEEK_DATA ? off : size;
	return 0;
}

struct step_sought {
	struct vfs_step	step;
	uint64_t	size, found;
};

/* With node.lock: all of it, if the file system is prompt. */
static int
seek_locked(struct pinefs_call *call, struct tree_node *t, int what,
    uint64_t off, struct step_sought *s)
{
	const struct pinefs_ops *ops = &t->node.fs->ops;
	uint32_t one = 1;
	int err;

	s->size = t->size;
	if ((err = tree_read_check(call, t, off, &one)) != 0)
		return err;
	if (one == 0)
		return ENXIO;
	if (ops->seek == NULL || t->bytes != NULL)
		return seek_default(what, off, t->size, &s->found);
	if (!tree_is_prompt(&t->node))
		return 0;
	err = tree_was_prompt("seek", ops->seek(call, &t->node, what, off,
	    &s->found));
	return seek_result(what, t->size, err, &s->found);
}

int
tree_seek(struct pinefs_call *call, struct pinefs_node *node, int what,
    uint64_t off, uint64_t *found)
{
	struct tree_node *t = tree_node(node);
	struct step_sought *s;
	int err;

	s = step_take(call, STEP_TREE, node->fs, node, sizeof *s);
	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		spin_lock(&node->lock);
		step_set(&s->step, seek_locked(call, t, what, off, s));
		spin_unlock(&node->lock);
	}
	*found = s->found;
	if (s->step.err != 0 || node->fs->ops.seek == NULL ||
	    t->bytes != NULL || tree_is_prompt(node))
		return s->step.err;
	err = ask_seek(call, node, what, off, found);
	return err == PINEFS_LATER ? err :
	    seek_result(what, s->size, err, found);
}

int
vfs_seek(struct pinefs_call *call, struct pinefs_node *node, int what,
    uint64_t off, uint64_t *found)
{
	const struct pinefs_attr *a;
	int err;

	if (what != PINEFS_SEEK_DATA && what != PINEFS_SEEK_HOLE)
		return EINVAL;
	if (node->fs->tree) {
		if ((err = must_have_bytes(node_type(node))) != 0 ||
		    (err = own_access_check(call, node,
		    PINEFS_ACCESS_READ)) != 0)
			return err;
		return tree_seek(call, node, what, off, found);
	}
	if ((err = rights(call, node, MAY_READ, PINEFS_ACCESS_READ, true,
	    &a)) != 0 || (err = must_have_bytes(a->type)) != 0)
		return err;
	if (off >= a->size)
		return ENXIO;
	if (node->fs->ops.seek == NULL)
		return seek_default(what, off, a->size, found);
	err = ask_seek(call, node, what, off, found);
	return err == PINEFS_LATER ? err :
	    seek_result(what, a->size, err, found);
}

/* ------------------------------------------------------------ allocate -- */

static int
note_write_check(struct pinefs_call *call, struct tree_node *t)
{
	struct vfs_step *s = step_take(call, STEP_NOTE, t->node.fs, &t->node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(s)) {
		spin_lock(&t->node.lock);
		step_set(s, tree_write_check(call, t));
		spin_unlock(&t->node.lock);
	}
	return s->err;
}

/* Check, ask if it is prompt, and note the change; `end` 0: no new size. */
static int
allocate_locked(struct pinefs_call *call, struct tree_node *t, uint64_t off,
    uint64_t len, bool punch, struct vfs_wcc *wcc)
{
	const struct pinefs_ops *ops = &t->node.fs->ops;
	int err = 0;

	spin_lock(&t->node.lock);
	if (tree_is_prompt(&t->node) &&
	    (err = tree_write_check(call, t)) == 0)
		err = tree_was_prompt("allocate", ops->allocate(call,
		    &t->node, off, len, punch));
	if (err == 0) {
		tree_wcc_before(t, wcc);
		tree_write_seen(call, t, punch ? 0 : off + len);
		tree_wcc_after(t, wcc);
	}
	spin_unlock(&t->node.lock);
	return err;
}

int
tree_allocate(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t off, uint64_t len, bool punch, struct vfs_wcc *wcc)
{
	struct tree_node *t = tree_node(node);
	struct vfs_turn *turn = NULL;
	struct step_wcc *s;
	int err;

	if (!tree_is_prompt(node)) {
		if ((err = turn_begin(call, node, &turn)) != 0)
			return err;
		if ((err = note_write_check(call, t)) != 0 ||
		    (err = ask_allocate(call, node, off, len, punch)) != 0)
			goto out;
	}
	s = step_take(call, STEP_TREE, node->fs, node, STEP_WCC_SIZE(1));
	if (s == NULL) {
		err = ENOMEM;
		goto out;
	}
	if (step_is_new(&s->step))
		step_set(&s->step, allocate_locked(call, t, off, len, punch,
		    &s->wcc[0]));
	*wcc = s->wcc[0];
	err = s->step.err;
out:
	if (err != PINEFS_LATER)
		turn_end(turn);
	return err;
}

static int
allocate_by_asking(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t off, uint64_t len, bool punch, struct vfs_wcc *wcc)
{
	const struct pinefs_change none = { .atomic = false };
	const struct pinefs_attr *a;
	int err;

	if ((err = rights(call, node, MAY_WRITE, PINEFS_ACCESS_MODIFY, true,
	    &a)) != 0 || (err = must_have_bytes(a->type)) != 0 ||
	    (err = ask_allocate(call, node, off, len, punch)) != 0)
		return err;
	return wcc_of_change(call, node, &none, wcc);
}

int
vfs_allocate(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t off, uint64_t len, bool punch, struct vfs_wcc *wcc)
{
	struct vfs_guard *guard;
	int err;

	memset(wcc, 0, sizeof *wcc);
	if ((err = may_change_at_all(call, node->fs, PINEFS_OP_WRITE)) != 0)
		return err;
	if (node->fs->ops.allocate == NULL)
		return ENOTSUP;
	if (len == 0)
		return EINVAL;
	if (off > OFFSET_MAX || len > OFFSET_MAX - off)
		return punch && off <= OFFSET_MAX ? vfs_allocate(call, node,
		    off, OFFSET_MAX - off, punch, wcc) : EFBIG;
	if (node->fs->tree &&
	    ((err = must_have_bytes(node_type(node))) != 0 ||
	    (err = own_access_check(call, node, PINEFS_ACCESS_MODIFY)) != 0))
		return err;
	if ((err = guard_begin(call, node, GUARD_DATA, &guard)) != 0)
		return err;
	err = node->fs->tree ?
	    tree_allocate(call, node, off, len, punch, wcc) :
	    allocate_by_asking(call, node, off, len, punch, wcc);
	if (err != PINEFS_LATER)
		vfs_guard_end(guard);
	return err;
}

/* --------------------------------------------------------------- clone -- */

/* The range lies in the source, and not over itself. */
static int
clone_range(const struct pinefs_node *from, const struct pinefs_node *to,
    uint64_t size, struct pinefs_range *r)
{
	if (r->from_off > size)
		return EINVAL;
	if (r->len == 0)
		r->len = size - r->from_off;
	if (r->len > size - r->from_off)
		return EINVAL;
	if (r->to_off > OFFSET_MAX || r->len > OFFSET_MAX - r->to_off)
		return EFBIG;
	if (from == to && r->from_off < r->to_off + r->len &&
	    r->to_off < r->from_off + r->len)
		return EINVAL;
	return 0;
}

static void
lock_two(struct pinefs_node *a, struct pinefs_node *b)
{
	if (a == b) {
		spin_lock(&a->lock);
	} else if (a->fileid < b->fileid) {
		spin_lock(&a->lock);
		spin_lock(&b->lock);
	} else {
		spin_lock(&b->lock);
		spin_lock(&a->lock);
	}
}

static void
unlock_two(struct pinefs_node *a, struct pinefs_node *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

static int
clone_check(struct pinefs_call *call, struct tree_node *from,
    struct tree_node *to, struct pinefs_range *r)
{
	uint32_t none = 0;
	int err;

	if (from->bytes != NULL)
		return ENOTSUP;		/* fixed content */
	if ((err = tree_read_check(call, from, 0, &none)) != 0 ||
	    (err = tree_write_check(call, to)) != 0)
		return err;
	return clone_range(&from->node, &to->node, from->size, r);
}

static int
clone_locked(struct pinefs_call *call, struct tree_node *from,
    struct tree_node *to, struct pinefs_range *r, bool asked,
    struct vfs_wcc *wcc)
{
	const struct pinefs_ops *ops = &from->node.fs->ops;
	int err = 0;

	lock_two(&from->node, &to->node);
	if (!asked && (err = clone_check(call, from, to, r)) == 0 &&
	    r->len > 0)
		err = tree_was_prompt("clone", ops->clone(call, &from->node,
		    &to->node, r));
	if (err == 0) {
		tree_wcc_before(to, wcc);
		if (r->len > 0)
			tree_write_seen(call, to, r->to_off + r->len);
		tree_wcc_after(to, wcc);
	}
	unlock_two(&from->node, &to->node);
	return err;
}

struct step_range {
	struct vfs_step		step;
	struct pinefs_range	r;
};

static int
note_clone(struct pinefs_call *call, struct tree_node *from,
    struct tree_node *to, struct pinefs_range *r)
{
	struct step_range *s = step_take(call, STEP_NOTE, from->node.fs,
	    &from->node, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		s->r = *r;
		lock_two(&from->node, &to->node);
		step_set(&s->step, clone_check(call, from, to, &s->r));
		unlock_two(&from->node, &to->node);
	}
	*r = s->r;
	return s->step.err;
}

int
tree_clone(struct pinefs_call *call, struct pinefs_node *from,
    struct pinefs_node *to, struct pinefs_range *r, struct vfs_wcc *wcc)
{
	bool asked = !tree_is_prompt(from);
	const struct pinefs_range *done;
	struct vfs_turn *turn = NULL;
	struct step_wcc *s;
	int err = 0;

	if (asked) {
		if ((err = turn_begin(call, to, &turn)) != 0)
			return err;
		err = note_clone(call, tree_node(from), tree_node(to), r);
		if (err == 0 && r->len > 0)
			err = ask_clone(call, from, to, r, &done);
		if (err != 0)
			goto out;
	}
	s = step_take(call, STEP_TREE, from->fs, from, STEP_WCC_SIZE(1));
	if (s == NULL) {
		err = ENOMEM;
		goto out;
	}
	if (step_is_new(&s->step))
		step_set(&s->step, clone_locked(call, tree_node(from),
		    tree_node(to), r, asked, &s->wcc[0]));
	*wcc = s->wcc[0];
	err = s->step.err;
out:
	if (err != PINEFS_LATER)
		turn_end(turn);
	return err;
}

static int
clone_by_asking(struct pinefs_call *call, struct pinefs_node *from,
    struct pinefs_node *to, struct pinefs_range *r, struct vfs_wcc *wcc)
{
	const struct pinefs_range *done;
	const struct pinefs_attr *a, *b;
	int err;

	if ((err = rights(call, from, MAY_READ, PINEFS_ACCESS_READ, true,
	    &a)) != 0 || (err = must_have_bytes(a->type)) != 0 ||
	    (err = rights(call, to, MAY_WRITE, PINEFS_ACCESS_MODIFY, true,
	    &b)) != 0 || (err = must_have_bytes(b->type)) != 0 ||
	    (err = clone_range(from, to, a->size, r)) != 0)
		return err;
	if ((err = ask_clone(call, from, to, r, &done)) != 0)
		return err;
	r->len = done->len;
	return wcc_of_change(call, to, &done->change, wcc);
}

static int
clone_it(struct pinefs_call *call, struct pinefs_node *from,
    struct pinefs_node *to, struct pinefs_range *r, struct vfs_wcc *wcc)
{
	struct vfs_guard *guard;
	int err;

	memset(wcc, 0, sizeof *wcc);
	if (from->fs != to->fs)
		return EXDEV;
	if ((err = may_change_at_all(call, to->fs, PINEFS_OP_WRITE)) != 0)
		return err;
	if (to->fs->ops.clone == NULL)
		return ENOTSUP;
	if (to->fs->tree &&
	    ((err = must_have_bytes(node_type(from))) != 0 ||
	    (err = must_have_bytes(node_type(to))) != 0 ||
	    (err = own_access_check(call, from, PINEFS_ACCESS_READ)) != 0 ||
	    (err = own_access_check(call, to, PINEFS_ACCESS_MODIFY)) != 0))
		return err;
	if ((err = guard_begin(call, to, GUARD_DATA, &guard)) != 0)
		return err;
	err = to->fs->tree ? tree_clone(call, from, to, r, wcc) :
	    clone_by_asking(call, from, to, r, wcc);
	if (err != PINEFS_LATER)
		vfs_guard_end(guard);
	return err;
}

int
vfs_clone(struct pinefs_call *call, struct pinefs_node *from,
    uint64_t from_off, struct pinefs_node *to, uint64_t to_off, uint64_t len,
    struct vfs_wcc *wcc)
{
	struct pinefs_range r = { .from_off = from_off, .to_off = to_off,
	    .len = len };

	return clone_it(call, from, to, &r, wcc);
}

int
vfs_copy(struct pinefs_call *call, struct pinefs_node *from,
    uint64_t from_off, struct pinefs_node *to, uint64_t to_off,
    uint64_t *len, struct vfs_wcc *wcc)
{
	struct pinefs_range r = { .from_off = from_off, .to_off = to_off,
	    .len = *len, .may_copy = true };
	int err = clone_it(call, from, to, &r, wcc);

	if (err == 0)
		*len = r.len;
	return err;
}
