/* SPDX-License-Identifier: MIT */
/*
 * Directories of what has a mapper (pinefs.Mapper, kind = "dir"): names made,
 * removed and renamed in them.  The mapper is code of the user, so workers do
 * it; what editors put beside their files (PYFS 8.4) it is not asked for.
 *
 *	from \ to	shadow			name
 *	shadow		moves			its text is what set() gets
 *	name		its text goes beside,	rename(), or set() and delete()
 *			delete()
 *
 * A new name is a stage until its first commit, which is the first set().
 */
#include "change.h"

bool
mapped_is_dir(const struct node *n)
{
	const unsigned made = NODE_VIEW | NODE_WRITABLE;

	return n->kind == PINEFS_DIR && (n->flags & made) == made;
}

/* Made by a client, and not known to the mapper yet. */
static bool
is_pending(const struct node *n)
{
	return n != NULL && n->flags & NODE_FRESH && n->stage != NULL;
}

struct node *
mapped_pending(const struct hold *h, const struct node *dir,
    struct pinefs_name name)
{
	struct node *n = node_at(&h->pf->nodes, dir, name, PINEFS_REG);

	return is_pending(n) ? n : NULL;
}

/* ask() about the directory, with one name or two. */
static int
tell_mapper(struct hold *h, struct node *dir, const char *what,
    struct pinefs_name name, const struct pinefs_name *to)
{
	PyObject *a = name_to_str(name), *b = to != NULL ? name_to_str(*to) :
	    NULL, *both = NULL;
	int err;

	if (a != NULL && b != NULL)
		both = PyTuple_Pack(2, a, b);
	if (a == NULL || (to != NULL && both == NULL))
		err = py_errno();
	else
		err = view_change(h, dir, what, both != NULL ? both : a);
	Py_XDECREF(a);
	Py_XDECREF(b);
	Py_XDECREF(both);
	return err;
}

int
mapped_is_empty(struct hold *h, struct node *n)
{
	PyObject *list;
	int err;

	if (h->broker)
		return PYFS_WORKER;
	if ((list = view_list(h, n, &err)) == NULL)
		return err;
	err = n->beside == NULL && PyList_CheckExact(list) &&
	    PyList_Size(list) == 0 ? 0 : ENOTEMPTY;
	Py_DECREF(list);
	return err;
}

/* --------------------------------------------------------------- create -- */

int
mapped_make(struct hold *h, struct request *r, struct node **made)
{
	struct node *n;
	int err;

	if (r->how->type != PINEFS_REG ||
	    home_hides_made(h->pf, r->n, r->name))
		return EPERM;
	if (h->broker)
		return PYFS_WORKER;
	err = tell_mapper(h, r->n, "make", r->name, NULL);
	if (err != 0)
		return err;
	if ((n = view_node(h, r->n, r->name, "w")) == NULL)
		return ENOMEM;
	if ((err = stage_begin(h->pf, n, NULL, SHAPE_NONE, 0)) != 0)
		return err;
	n->stage->replacing = true;
	n->flags |= NODE_FRESH;
	if (r->how->exclusive == PINEFS_EXCLUSIVE) {
		memcpy(n->verf, r->how->verf, sizeof n->verf);
		n->flags |= NODE_VERF;
	}
	stage_due(n, STAGE_AFTER_CUT);
	*made = n;
	return 0;
}

/* --------------------------------------------------------------- remove -- */

static int
remove_name(struct hold *h, struct node *dir, struct pinefs_name name)
{
	struct node *n = node_beside(dir, name);
	int err;

	if (n == NULL)
		n = mapped_pending(h, dir, name);
	if (n != NULL) {
		node_remove(&h->pf->nodes, n);
		return 0;
	}
	if (h->broker)
		return PYFS_WORKER;
	if ((err = view_find(h, dir, name, &n)) != 0)
		return err;
	if (is_protected(h, dir, SHAPE_NONE, name))
		return EPERM;
	node_pin(n);
	if ((err = tell_mapper(h, dir, "delete", name, NULL)) == 0)
		node_remove(&h->pf->nodes, n);
	node_unpin(&h->pf->nodes, n);
	return err;
}

int
mapped_remove(struct hold *h, struct request *r)
{
	int err;

	if (!(r->kind & PINEFS_REMOVE_FILE))
		return ENOTDIR;
	node_stamp(h, r->n, &r->chg.before);
	if ((err = remove_name(h, r->n, r->name)) == 0)
		node_stamp(h, r->n, &r->chg.after);
	return err;
}

/* --------------------------------------------------------------- rename -- */

static int
shadow_to_shadow(struct hold *h, struct request *r, struct node *n)
{
	struct node *old = node_beside(r->n, r->new_name);
	int err;

	if (old == n)
		return 0;
	if (old != NULL)
		node_remove(&h->pf->nodes, old);
	node_beside_drop(n);
	err = node_move(&h->pf->nodes, n, r->n, r->new_name);
	node_beside_add(n);
	return err;
}

/* As editors save: open files stay valid, so the node becomes the name's. */
static int
shadow_to_name(struct hold *h, struct request *r, struct node *n)
{
	struct node *to = view_node(h, r->n, r->new_name, "w");
	int err;

	if (to == NULL)
		return ENOMEM;
	node_pin(to);
	err = view_write(h, to, n->stage->base, n->stage->len);
	node_unpin(&h->pf->nodes, to);
	if (err != 0 || n->flags & NODE_DEAD || !(n->flags & NODE_SHADOW))
		return err;
	node_beside_drop(n);
	stage_drop(n);
	n->flags |= NODE_VIEW | NODE_WRITABLE;
	n->flags &= (uint16_t)~(NODE_FRESH | NODE_VERF | NODE_MADE);
	return node_move(&h->pf->nodes, n, r->n, r->new_name);
}

/* A backup: what it read as last is beside, and the mapper loses it. */
static int
name_to_shadow(struct hold *h, struct request *r, struct node *n)
{
	struct text t;
	int err;

	if ((err = view_text(h, n, &t)) != 0)
		return err;
	err = stage_begin(h->pf, n, NULL, SHAPE_NONE, SIZE_MAX);
	text_fini(&t);
	if (err != 0)
		return err;
	n->stage->due = 0;
	err = tell_mapper(h, r->n, "delete", r->name, NULL);
	if (err != 0 || n->flags & NODE_DEAD) {
		stage_drop(n);
		return err;
	}
	view_free(n);
	n->flags &= (uint16_t)~(NODE_VIEW | NODE_WRITABLE);
	err = node_move(&h->pf->nodes, n, r->n, r->new_name);
	node_beside_add(n);
	return err;
}

static int
name_to_name(struct hold *h, struct request *r, struct node *n)
{
	int err;

	if (home_hides_made(h->pf, r->n, r->new_name) ||
	    is_protected(h, r->n, SHAPE_NONE, r->new_name))
		return EPERM;
	err = tell_mapper(h, r->n, "rename", r->name, &r->new_name);
	if (err != 0 || n->flags & NODE_DEAD)
		return err;
	view_free(n);
	return node_move(&h->pf->nodes, n, r->n, r->new_name);
}

static int
move_name(struct hold *h, struct request *r, bool to_shadow)
{
	struct node *n;
	int err;

	if (h->broker)
		return PYFS_WORKER;
	if ((err = view_find(h, r->n, r->name, &n)) != 0)
		return err;
	if (is_protected(h, r->n, SHAPE_NONE, r->name))
		return EPERM;
	node_pin(n);
	if (n->stage != NULL)
		err = stage_commit(h, n);
	if (err == 0)
		err = to_shadow ? name_to_shadow(h, r, n) :
		    name_to_name(h, r, n);
	node_unpin(&h->pf->nodes, n);
	return err;
}

static int
move_shadow(struct hold *h, struct request *r, struct node *n, bool to_shadow)
{
	int err;

	if (to_shadow)
		return shadow_to_shadow(h, r, n);
	if (home_hides_made(h->pf, r->n, r->new_name))
		return EPERM;
	if (h->broker)
		return PYFS_WORKER;
	node_pin(n);
	err = shadow_to_name(h, r, n);
	node_unpin(&h->pf->nodes, n);
	return err;
}

int
mapped_rename(struct hold *h, struct request *r)
{
	bool to_shadow = is_shadow_name(h->pf, SHAPE_NONE, r->new_name);
	struct node *n = node_beside(r->n, r->name);
	int err;

	node_stamp(h, r->n, &r->chg.before);
	node_stamp(h, r->to, &r->to_chg.before);
	if (view_is_trash(r->to))
		err = remove_name(h, r->n, r->name);
	else if (r->n != r->to)
		err = EXDEV;	/* mv copies then, and removes */
	else if (name_equal(r->name, r->new_name.base, r->new_name.len))
		err = 0;
	else
		err = n != NULL ? move_shadow(h, r, n, to_shadow) :
		    move_name(h, r, to_shadow);
	home_forget(h);
	if (err == 0) {
		node_stamp(h, r->n, &r->chg.after);
		node_stamp(h, r->to, &r->to_chg.after);
	}
	return err;
}
