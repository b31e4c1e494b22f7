/* Operations that change names: make, remove, rename, link. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vfs/ops.h"

enum { TARGET_MAX = 4096 };

/* ------------------------------------------------------ turns (door 2) -- */

int
dir_turns_begin(struct pinefs_call *call, struct pinefs_node *a,
    struct pinefs_node *b, struct dir_turns *turns)
{
	struct pinefs_node *low = a, *high = b;
	int err;

	memset(turns, 0, sizeof *turns);
	if (!(a->fs->ops.flags & PINEFS_SERIAL_DIR))
		return 0;
	/* Always in the same order, so that two calls cannot wait in a ring. */
	if (b != NULL && (b->fileid < a->fileid ||
	    (b->fileid == a->fileid && b < a))) {
		low = b;
		high = a;
	}
	if ((err = turn_begin(call, low, &turns->first)) != 0)
		return err;
	if (high == NULL || high == low)
		return 0;
	err = turn_begin(call, high, &turns->second);
	if (err != 0 && err != PINEFS_LATER)
		turn_end(turns->first);
	return err;
}

void
dir_turns_end(struct dir_turns *turns)
{
	turn_end(turns->second);
	turn_end(turns->first);
}

/* ------------------------------------------------------------- create -- */

static int
create_check(const struct pinefs_create *how)
{
	if (how->type < PINEFS_REG || how->type > PINEFS_FIFO)
		return EINVAL;
	if (how->set.attr.have & PINEFS_SIZE && how->type == PINEFS_REG &&
	    how->set.attr.size > (uint64_t)INT64_MAX)
		return EFBIG;
	if (how->type != PINEFS_LNK)
		return 0;
	if (how->target.len == 0 ||
	    memchr(how->target.base, '\0', how->target.len) != NULL)
		return EINVAL;
	return how->target.len > TARGET_MAX ? ENAMETOOLONG : 0;
}

static int
truncate_to(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t size)
{
	struct pinefs_set set = { .attr.have = PINEFS_SIZE,
	    .attr.size = size };
	struct vfs_wcc wcc;

	return vfs_setattr(call, node, &set, &wcc);
}

/* A new file is to have a size; that must not move the times it was given. */
static int
extend_new(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_set *given)
{
	const uint64_t bits = PINEFS_SIZE | PINEFS_ATIME | PINEFS_MTIME |
	    PINEFS_BTIME;
	struct pinefs_set set = { .attr = given->attr,
	    .now = given->now & bits };
	struct vfs_wcc wcc;

	set.attr.have &= bits;
	return vfs_setattr(call, node, &set, &wcc);
}

/* UNCHECKED, and there was one: it is opened, and emptied if asked. */
static int
open_existing(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_create *how)
{
	struct pinefs_attr a;
	int err;

	if ((err = vfs_getattr(call, node, &a)) != 0)
		return err;
	if (how->type != PINEFS_REG || how->exclusive != PINEFS_UNCHECKED)
		return EEXIST;
	if (a.type != PINEFS_REG)
		return a.type == PINEFS_DIR ? EISDIR : EEXIST;
	call->found = true;
	if (!(how->set.attr.have & PINEFS_SIZE) || how->set.attr.size != 0)
		return 0;
	return truncate_to(call, node, 0);
}

/* --------------------------------------------------- create in the tree -- */

/* The object to be: one that is there, or a new one without a name. */
struct step_new {
	struct vfs_step		step;		/* .node */
	bool			existed;
	bool			ours;		/* it was made with our verf */
};

static bool
made_with(struct pinefs_node *node, const struct pinefs_create *how)
{
	struct tree_node *t = tree_node(node);
	bool yes;

	spin_lock(&node->lock);
	yes = how->exclusive == PINEFS_EXCLUSIVE && t->made_excl &&
	    memcmp(t->verf, how->verf, sizeof t->verf) == 0;
	spin_unlock(&node->lock);
	return yes;
}

static struct tree_node *
make_object(struct pinefs *fs, const struct pinefs_create *how)
{
	struct tree_node *t = tree_new(fs, how->type, &how->set.attr,
	    how->set.now);
	char *target;

	if (t == NULL)
		return NULL;
	if (how->type == PINEFS_LNK) {
		if ((target = malloc(how->target.len)) == NULL) {
			pinefs_node_put(&t->node);
			return NULL;
		}
		memcpy(target, how->target.base, how->target.len);
		t->bytes = target;
		t->len = t->size = how->target.len;
	}
	if (how->exclusive == PINEFS_EXCLUSIVE) {
		t->made_excl = true;
		memcpy(t->verf, how->verf, sizeof t->verf);
	}
	return t;
}

static int
find_or_make(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *how,
    struct step_new *s)
{
	struct tree_node *t;
	int err;

	err = tree_lookup(call, dir, name, &s->step.node);
	if (err == 0) {
		s->existed = true;
		s->ours = made_with(s->step.node, how);
		return 0;
	}
	if (err != ENOENT || (err = tree_may_change(call, dir)) != 0)
		return err;
	if ((t = make_object(dir->fs, how)) == NULL)
		return ENOMEM;
	s->step.node = &t->node;
	return 0;
}

static int
step_find_or_make(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *how,
    struct step_new **to)
{
	struct step_new *s = step_take(call, STEP_FIND, dir->fs, dir,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step))
		step_set(&s->step, find_or_make(call, dir, name, how, s));
	*to = s;
	return s->step.err;
}

static int
step_insert(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, struct pinefs_node *node, struct vfs_wcc *wcc)
{
	struct step_wcc *s = step_take(call, STEP_TREE, dir->fs, dir,
	    STEP_WCC_SIZE(1));

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step))
		step_set(&s->step, tree_insert(call, dir, name,
		    tree_node(node), &s->wcc[0]));
	*wcc = s->wcc[0];
	return s->step.err;
}

/* The directory did not change, and both stamps say so. */
static int
step_unchanged(struct pinefs_call *call, struct pinefs_node *dir,
    struct vfs_wcc *wcc)
{
	struct pinefs_attr a;
	int err;

	if ((err = vfs_getattr(call, dir, &a)) != 0)
		return err;
	wcc->has_before = wcc->has_after = true;
	wcc->before.change = wcc->change_before = a.change;
	wcc->before.size = a.size;
	wcc->before.mtime = a.mtime;
	wcc->before.ctime = a.ctime;
	wcc->after = a;
	return 0;
}

static int
create_in_tree(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *given,
    struct pinefs_node **node, struct vfs_wcc *wcc)
{
	struct pinefs_create how = *given;
	const struct pinefs_made *made;
	struct step_new *s;
	struct who who;
	int err;

	spin_lock(&dir->lock);
	tree_who(tree_node(dir), &who);
	spin_unlock(&dir->lock);
	access_new(&call->cred, &who, how.type, &how.set.attr);
again:
	if ((err = step_find_or_make(call, dir, name, &how, &s)) != 0)
		return err;
	if (s->existed) {
		*node = s->step.node;
		if (!s->ours && (err = open_existing(call, *node, given)) != 0)
			return err;
		return step_unchanged(call, dir, wcc);
	}
	if (dir->fs->ops.create != NULL && (err = ask_create(call, dir, name,
	    &how, s->step.node, &made)) != 0)
		return err;
	err = step_insert(call, dir, name, s->step.node, wcc);
	if (err == EEXIST)
		goto again;	/* somebody was faster: theirs is it */
	if (err != 0)
		return err;
	*node = s->step.node;
	if (how.type == PINEFS_REG && how.set.attr.have & PINEFS_SIZE &&
	    how.set.attr.size != 0)
		err = extend_new(call, *node, &how.set);
	return err;
}

/* ---------------------------------------------------- create by asking -- */

/*
 * No right to change the directory: a file that is there may be opened all
 * the same.
 */
static int
create_found(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_node **node, struct vfs_wcc *wcc)
{
	int err;

	if (how->exclusive != PINEFS_UNCHECKED || how->type != PINEFS_REG)
		return EACCES;
	if ((err = vfs_lookup(call, dir, name, node)) != 0)
		return err == ENOENT ? EACCES : err;
	if ((err = open_existing(call, *node, how)) != 0)
		return err;
	return step_unchanged(call, dir, wcc);
}

static int
create_by_asking(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *given,
    struct pinefs_node **node, struct vfs_wcc *wcc)
{
	struct pinefs_create how = *given;
	const struct pinefs_made *made;
	const struct pinefs_attr *a;
	struct dir_turns turns;
	struct who who;
	int err;

	err = rights(call, dir, MAY_WRITE | MAY_EXEC, PINEFS_ACCESS_EXTEND,
	    false, &a);
	if (err == EACCES)
		return create_found(call, dir, name, given, node, wcc);
	if (err != 0)
		return err;
	who_of_attr(a, &who);
	access_new(&call->cred, &who, how.type, &how.set.attr);

	if ((err = dir_turns_begin(call, dir, NULL, &turns)) != 0)
		return err;
	err = ask_create(call, dir, name, &how, NULL, &made);
	if (err == PINEFS_LATER)
		return err;
	dir_turns_end(&turns);
	if (err != 0 || (err = keep_ident(call, dir->fs, "create", &made->id,
	    node)) != 0)
		return err;
	if (dir->fs->ops.parent == NULL)
		fs_parent_note(dir->fs, &made->id, dir);
	if ((err = attr_given(call, *node, "create", &made->attr)) != 0)
		return err;
	if (made->existed && how.exclusive == PINEFS_UNCHECKED &&
	    (err = open_existing(call, *node, given)) != 0)
		return err;
	return wcc_of_change(call, dir, &made->dir, wcc);
}

int
vfs_create(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_node **node, struct vfs_wcc *wcc)
{
	int err;

	memset(wcc, 0, sizeof *wcc);
	call->found = false;
	if ((err = must_be_dir(call, dir)) != 0 ||
	    (err = name_check_change(name)) != 0 ||
	    (err = create_check(how)) != 0 ||
	    (err = may_change_at_all(call, dir->fs, PINEFS_OP_CREATE)) != 0)
		return err;
	/* mknod(2): a device is a door into whoever mounts this. */
	if ((how->type == PINEFS_BLK || how->type == PINEFS_CHR) &&
	    call->cred.uid != 0)
		return EPERM;
	if (!dir->fs->tree)
		err = create_by_asking(call, dir, name, how, node, wcc);
	else if ((err = own_access_check(call, dir,
	    PINEFS_ACCESS_EXTEND)) == 0)
		err = create_in_tree(call, dir, name, how, node, wcc);
	if (err == 0)
		hot_note(dir, name, *node);
	return err;
}

/* ------------------------------------------------------------- remove -- */

/* Before the file system is asked, as a step; checked again under locks. */
static int
note_may_change(struct pinefs_call *call, struct pinefs_node *dir)
{
	struct vfs_step *s = step_take(call, STEP_NOTE, dir->fs, dir,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(s))
		step_set(s, tree_may_change(call, dir));
	return s->err;
}

static int
remove_in_tree(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, int kind, struct vfs_wcc *wcc)
{
	struct step_wcc *s;
	int err;

	if ((err = own_access_check(call, dir, PINEFS_ACCESS_DELETE)) != 0)
		return err;
	if (dir->fs->ops.remove != NULL &&
	    ((err = note_may_change(call, dir)) != 0 ||
	    (err = ask_remove(call, dir, name, kind, NULL)) != 0))
		return err;
	s = step_take(call, STEP_TREE, dir->fs, dir, STEP_WCC_SIZE(1));
	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step))
		step_set(&s->step, tree_remove(call, dir, name, kind,
		    &s->wcc[0]));
	*wcc = s->wcc[0];
	return s->step.err;
}

/*
 * Door 2: in a sticky directory the object's owner counts.  Elsewhere
 * nobody needs to look at it.
 */
static int
sticky_by_asking(struct pinefs_call *call, struct pinefs_node *dir,
    const struct pinefs_attr *above, struct pinefs_name name,
    bool must_exist)
{
	const struct pinefs_attr *a;
	struct pinefs_node *node;
	struct who who, object;
	int err;

	who_of_attr(above, &who);
	object = (struct who){ .uid = ~call->cred.uid };
	if (dir->fs->ops.flags & PINEFS_OWN_ACCESS ||
	    access_sticky(&call->cred, &who, &object) == 0)
		return 0;
	err = vfs_lookup(call, dir, name, &node);
	if (err == ENOENT && !must_exist)
		return 0;
	if (err != 0 || (err = ask_getattr(call, node, PINEFS_ALL, &a)) != 0)
		return err;
	who_of_attr(a, &object);
	return access_sticky(&call->cred, &who, &object);
}

static int
remove_by_asking(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, int kind, struct vfs_wcc *wcc)
{
	const struct pinefs_change *chg;
	const struct pinefs_attr *a;
	struct dir_turns turns;
	int err;

	if ((err = rights(call, dir, MAY_WRITE | MAY_EXEC,
	    PINEFS_ACCESS_DELETE, false, &a)) != 0 ||
	    (err = sticky_by_asking(call, dir, a, name, true)) != 0 ||
	    (err = dir_turns_begin(call, dir, NULL, &turns)) != 0)
		return err;
	err = ask_remove(call, dir, name, kind, &chg);
	if (err == PINEFS_LATER)
		return err;
	dir_turns_end(&turns);
	return err != 0 ? err : wcc_of_change(call, dir, chg, wcc);
}

int
vfs_remove(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, int kind, struct vfs_wcc *wcc)
{
	struct vfs_guard *guard;
	int err;

	memset(wcc, 0, sizeof *wcc);
	if ((err = must_be_dir(call, dir)) != 0 ||
	    (err = name_check_change(name)) != 0 ||
	    (err = may_change_at_all(call, dir->fs, PINEFS_OP_REMOVE)) != 0)
		return err;
	if ((err = guard_name(call, dir, name, &guard)) != 0)
		return err;
	err = dir->fs->tree ? remove_in_tree(call, dir, name, kind, wcc) :
	    remove_by_asking(call, dir, name, kind, wcc);
	if (err != PINEFS_LATER)
		vfs_guard_end(guard);
	return err;
}

/* ------------------------------------------------------------- rename -- */

static int
rename_in_tree(struct pinefs_call *call, struct pinefs_node *from,
    struct pinefs_name old_name, struct pinefs_node *to,
    struct pinefs_name new_name, struct vfs_wcc *from_wcc,
    struct vfs_wcc *to_wcc)
{
	const struct pinefs_rename *r;
	struct step_wcc *s;
	int err;

	if ((err = own_access_check(call, from, PINEFS_ACCESS_DELETE)) != 0 ||
	    (err = own_access_check(call, to, PINEFS_ACCESS_EXTEND)) != 0)
		return err;
	if (from->fs->ops.rename != NULL &&
	    ((err = note_may_change(call, from)) != 0 ||
	    (err = note_may_change(call, to)) != 0 ||
	    (err = ask_rename(call, from, old_name, to, new_name, &r)) != 0))
		return err;
	s = step_take(call, STEP_TREE, from->fs, from, STEP_WCC_SIZE(2));
	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step))
		step_set(&s->step, tree_rename(call, from, old_name, to,
		    new_name, &s->wcc[0], &s->wcc[1]));
	*from_wcc = s->wcc[0];
	*to_wcc = s->wcc[1];
	return s->step.err;
}

static int
rename_rights(struct pinefs_call *call, struct pinefs_node *from,
    struct pinefs_name old_name, struct pinefs_node *to,
    struct pinefs_name new_name)
{
	const struct pinefs_attr *a, *b;
	int err;

	if ((err = rights(call, from, MAY_WRITE | MAY_EXEC,
	    PINEFS_ACCESS_DELETE, false, &a)) != 0 ||
	    (err = rights(call, to, MAY_WRITE | MAY_EXEC,
	    PINEFS_ACCESS_EXTEND, false, &b)) != 0 ||
	    (err = sticky_by_asking(call, from, a, old_name, true)) != 0)
		return err;
	return sticky_by_asking(call, to, b, new_name, false);
}

static int
rename_by_asking(struct pinefs_call *call, struct pinefs_node *from,
    struct pinefs_name old_name, struct pinefs_node *to,
    struct pinefs_name new_name, struct vfs_wcc *from_wcc,
    struct vfs_wcc *to_wcc)
{
	const struct pinefs_rename *r;
	struct dir_turns turns;
	int err;

	if ((err = rename_rights(call, from, old_name, to, new_name)) != 0 ||
	    (err = dir_turns_begin(call, from, to, &turns)) != 0)
		return err;
	err = ask_rename(call, from, old_name, to, new_name, &r);
	if (err == PINEFS_LATER)
		return err;
	dir_turns_end(&turns);
	if (err != 0 ||
	    (err = wcc_of_change(call, from, &r->from_change, from_wcc)) != 0)
		return err;
	return wcc_of_change(call, to, from == to ? &r->from_change :
	    &r->to_change, to_wcc);
}

int
vfs_rename(struct pinefs_call *call, struct pinefs_node *from,
    struct pinefs_name old_name, struct pinefs_node *to,
    struct pinefs_name new_name, struct vfs_wcc *from_wcc,
    struct vfs_wcc *to_wcc)
{
	struct vfs_guard *guard, *target = NULL;
	struct vfs_hot *hot;
	int err;

	memset(from_wcc, 0, sizeof *from_wcc);
	memset(to_wcc, 0, sizeof *to_wcc);
	if (from->fs != to->fs)
		return EXDEV;
	if ((err = must_be_dir(call, from)) != 0 ||
	    (err = must_be_dir(call, to)) != 0 ||
	    (err = name_check_change(old_name)) != 0 ||
	    (err = name_check_change(new_name)) != 0 ||
	    (err = may_change_at_all(call, from->fs, PINEFS_OP_RENAME)) != 0)
		return err;
	if ((err = guard_name(call, from, old_name, &guard)) == 0)
		err = guard_name(call, to, new_name, &target);
	if (err == 0)
		err = from->fs->tree ?
		    rename_in_tree(call, from, old_name, to, new_name,
		    from_wcc, to_wcc) :
		    rename_by_asking(call, from, old_name, to, new_name,
		    from_wcc, to_wcc);
	if (err != PINEFS_LATER) {
		vfs_guard_end(guard);
		vfs_guard_end(target);
	}
	hot = atomic_load_explicit(&from->fs->hot, memory_order_acquire);
	if (err == 0 && hot != NULL)
		hot_renamed(hot, from->fileid, old_name, to->fileid,
		    new_name);
	return err;
}

/* --------------------------------------------------------------- link -- */

static int
link_in_tree(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir, struct pinefs_name name, struct vfs_wcc *wcc)
{
	struct step_wcc *s;
	int err;

	if ((err = own_access_check(call, dir, PINEFS_ACCESS_EXTEND)) != 0)
		return err;
	if (dir->fs->ops.link != NULL &&
	    ((err = note_may_change(call, dir)) != 0 ||
	    (err = ask_link(call, node, dir, name, NULL)) != 0))
		return err;
	s = step_take(call, STEP_TREE, dir->fs, dir, STEP_WCC_SIZE(1));
	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step))
		step_set(&s->step, tree_link(call, node, dir, name,
		    &s->wcc[0]));
	*wcc = s->wcc[0];
	return s->step.err;
}

static int
link_by_asking(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir, struct pinefs_name name, struct vfs_wcc *wcc)
{
	const struct pinefs_change *chg;
	const struct pinefs_attr *a;
	struct dir_turns turns;
	int err;

	if ((err = ask_getattr(call, node, PINEFS_ALL, &a)) != 0)
		return err;
	if (a->type == PINEFS_DIR)
		return EPERM;
	if ((err = rights(call, dir, MAY_WRITE | MAY_EXEC,
	    PINEFS_ACCESS_EXTEND, false, &a)) != 0 ||
	    (err = dir_turns_begin(call, dir, NULL, &turns)) != 0)
		return err;
	err = ask_link(call, node, dir, name, &chg);
	if (err == PINEFS_LATER)
		return err;
	dir_turns_end(&turns);
	return err != 0 ? err : wcc_of_change(call, dir, chg, wcc);
}

int
vfs_link(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir, struct pinefs_name name, struct vfs_wcc *wcc)
{
	struct vfs_guard *guard;
	int err;

	memset(wcc, 0, sizeof *wcc);
	if (node->fs != dir->fs)
		return EXDEV;
	if ((err = must_be_dir(call, dir)) != 0 ||
	    (err = name_check_change(name)) != 0 ||
	    (err = may_change_at_all(call, dir->fs, PINEFS_OP_LINK)) != 0)
		return err;
	if ((err = guard_link(call, node, dir, &guard)) != 0)
		return err;
	err = dir->fs->tree ? link_in_tree(call, node, dir, name, wcc) :
	    link_by_asking(call, node, dir, name, wcc);
	if (err != PINEFS_LATER)
		vfs_guard_end(guard);
	return err;
}
