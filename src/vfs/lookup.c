/* Finding objects: by handle, by name, upwards. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vfs/ops.h"

/* --------------------------------------------------------------- names -- */

int
name_check(struct pinefs_name name)
{
	if (name.len == 0)
		return EINVAL;
	if (name.len > 255)
		return ENAMETOOLONG;
	if (memchr(name.base, '/', name.len) != NULL ||
	    memchr(name.base, '\0', name.len) != NULL)
		return EINVAL;
	return 0;
}

bool
name_is_dot(struct pinefs_name name)
{
	return name.len == 1 && name.base[0] == '.';
}

bool
name_is_dotdot(struct pinefs_name name)
{
	return name.len == 2 && name.base[0] == '.' && name.base[1] == '.';
}

int
name_check_change(struct pinefs_name name)
{
	if (name_is_dot(name) || name_is_dotdot(name))
		return EINVAL;
	return name_check(name);
}

/* ----------------------------------------------------- nodes of a call -- */

int
keep_node(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node **to)
{
	struct vfs_step *s = step_take(call, STEP_FIND, node->fs, NULL,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(s)) {
		node_get(node);
		s->node = node;
		step_set(s, 0);
	}
	*to = s->node;
	return 0;
}

int
keep_ident(struct pinefs_call *call, struct pinefs *fs, const char *op,
    const struct pinefs_ident *id, struct pinefs_node **to)
{
	struct vfs_step *s = step_take(call, STEP_FIND, fs, NULL, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(s))
		step_set(s, node_get_or_make(fs, op, id, &s->node));
	*to = s->node;
	return s->err;
}

/* ---------------------------------------------------------- by handle -- */

/*
 * Without stable ids the generation in a handle is mixed with a number of
 * this instance, so that a handle of another run names nothing.  The root
 * is exempt: a mount survives a restart, and shows what is there now.  Mixing
 * twice is the way back.
 */
uint64_t
handle_generation(const struct pinefs *fs, uint64_t fileid,
    uint64_t generation)
{
	if (fs->ops.flags & PINEFS_STABLE_IDS ||
	    (fs->root != NULL && fs->root->fileid == fileid))
		return generation;
	return generation ^ fs->instance;
}

void
vfs_node_handle_ident(const struct pinefs_node *node,
    struct pinefs_ident *id)
{
	pinefs_node_ident(node, id);
	id->generation = handle_generation(node->fs, node->fileid,
	    node->generation);
}

struct step_find {
	struct vfs_step		 step;		/* .node: the result */
	struct vfs_step		**after;	/* settled: what follows */
	struct pinefs_node	*candidate;
};

/* Is there still an object of that ident?  The default of resolve. */
static int
resolve_by_getattr(struct pinefs_call *call, struct pinefs_node *node)
{
	const struct pinefs_attr *a;
	int err;

	err = ask_getattr(call, node, PINEFS_TYPE | PINEFS_GENERATION, &a);
	if (err == 0 && node->own_len == 0 &&
	    a->generation != node->generation)
		err = ESTALE;
	return err;
}

/*
 * A handle came whose node is not in memory.  The candidate is this call's
 * alone until the file system has confirmed it: two calls that ask at once
 * each have one, and the later one is released again.
 */
static int
find_by_asking(struct pinefs_call *call, struct pinefs *fs,
    struct step_find *s)
{
	int err;

	if (fs->ops.resolve != NULL)
		err = ask_resolve(call, s->candidate);
	else
		err = resolve_by_getattr(call, s->candidate);
	if (err == PINEFS_LATER)
		return err;
	s->after = call->next;
	call->attr = NULL;	/* it may be the other node that stays */
	if (err == 0) {
		s->step.node = node_enter(s->candidate);
		err = s->step.node == NULL ? ENOMEM : 0;
	} else {
		pinefs_node_put(s->candidate);
	}
	s->candidate = NULL;
	return step_set(&s->step, err);
}

int
vfs_node_find(struct pinefs_call *call, const struct vfs_export *x,
    const struct pinefs_ident *handle, struct pinefs_node **to)
{
	struct pinefs *fs = x->fs;
	struct pinefs_ident id = *handle;
	struct step_find *s;
	struct vfs_hot *hot;
	int err;

	s = step_take(call, STEP_FIND, fs, NULL, sizeof *s);
	if (s == NULL)
		return ENOMEM;
	if (!step_is_new(&s->step)) {
		if (s->after != NULL)
			call->next = s->after;
		*to = s->step.node;
		return s->step.err;
	}
	id.generation = handle_generation(fs, id.fileid, id.generation);
	if (s->candidate == NULL) {
		call->last_fs = fs;
		call->last_fileid = id.fileid;
		hot = atomic_load_explicit(&fs->hot, memory_order_acquire);
		if (hot != NULL)
			hot_use(hot, id.fileid);
		if ((s->step.node = node_find(fs, &id)) != NULL) {
			*to = s->step.node;
			return step_set(&s->step, 0);
		}
		if (fs->tree || id.fileid == 0 || id.own_len > NODE_OWN_MAX)
			return step_set(&s->step, ESTALE);
		s->candidate = node_new(fs, &id, sizeof *s->candidate);
		if (s->candidate == NULL)
			return step_set(&s->step, ENOMEM);
		s->step.node = s->candidate;	/* the call's, until then */
	}
	s->step.node = NULL;
	err = find_by_asking(call, fs, s);
	if (err == PINEFS_LATER)
		s->step.node = s->candidate;
	*to = s->step.node;
	return err;
}

int
vfs_node_root(struct pinefs_call *call, struct pinefs_node **to)
{
	struct pinefs *fs = call->export->fs;

	if (fs->root == NULL) {
		log_limited(&fs->bad, "vfs: pinefs_set_root was not called");
		return ESTALE;
	}
	*to = fs->root;		/* as long as the file system lives */
	return 0;
}

/* ------------------------------------------------------------- by name -- */

/* Door 2. */
static int
lookup_up(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_node **to)
{
	struct pinefs *fs = dir->fs;
	const struct pinefs_ident *id;
	struct pinefs_ident noted;
	uint8_t own[NODE_OWN_MAX];
	int err;

	if (fs->ops.parent != NULL) {
		if ((err = ask_parent(call, dir, &id)) != 0)
			return err;
		return keep_ident(call, fs, "parent", id, to);
	}
	if (!fs_parent_find(fs, dir, &noted, own))
		return keep_node(call, fs->root, to);
	return keep_ident(call, fs, "lookup", &noted, to);
}

static int
tree_walk(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, struct pinefs_node **to)
{
	bool dot = name_is_dot(name);
	int err;

	if (!dot && !name_is_dotdot(name))
		return tree_lookup(call, dir, name, to);
	if ((err = tree_may(call, dir, MAY_EXEC)) != 0)
		return err;
	if (dot)
		node_get(dir);
	*to = dot ? dir : tree_parent(dir);
	return 0;
}

static int
lookup_in_tree(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, struct pinefs_node **to)
{
	struct vfs_step *s;
	int err;

	err = own_access_check(call, dir, PINEFS_ACCESS_LOOKUP);
	if (err != 0)
		return err;
	s = step_take(call, STEP_FIND, dir->fs, dir, sizeof *s);
	if (s == NULL)
		return ENOMEM;
	if (step_is_new(s))
		step_set(s, tree_walk(call, dir, name, &s->node));
	*to = s->node;
	return s->err;
}

static int
lookup_by_asking(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, struct pinefs_node **to)
{
	const struct pinefs_ident *id;
	const struct pinefs_attr *a;
	int err;

	err = rights(call, dir, MAY_EXEC, PINEFS_ACCESS_LOOKUP, false, &a);
	if (err != 0)
		return err;
	if (name_is_dot(name))
		return keep_node(call, dir, to);
	if (name_is_dotdot(name))
		return lookup_up(call, dir, to);
	if ((err = ask_lookup(call, dir, name, &id)) != 0 ||
	    (err = keep_ident(call, dir->fs, "lookup", id, to)) != 0)
		return err;
	if (dir->fs->ops.parent == NULL)
		fs_parent_note(dir->fs, id, dir);
	return 0;
}

int
vfs_lookup(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, struct pinefs_node **to)
{
	int err;

	if ((err = must_be_dir(call, dir)) != 0 ||
	    (err = name_check(name)) != 0)
		return err;
	err = dir->fs->tree ? lookup_in_tree(call, dir, name, to) :
	    lookup_by_asking(call, dir, name, to);
	if (err == 0)
		hot_note(dir, name, *to);
	return err;
}

int
vfs_lookup_parent(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_node **to)
{
	static const struct pinefs_name up = { "..", 2 };

	if (dir == dir->fs->root)
		return ENOENT;
	return vfs_lookup(call, dir, up, to);
}
