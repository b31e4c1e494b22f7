/* SPDX-License-Identifier: MIT */
/*
 * Rename and link (PYFS 8.3, 8.4).
 *
 *	from \ to	shadow			real name
 *	shadow		moves, beside Python	its text is parsed by the type
 *						of what it replaces, and bound
 *	real		its text goes beside	bound there, then deleted here;
 *			Python, it is deleted	rolled back if that fails
 *
 * The node moves along, so that open files stay valid.
 */
#include "change.h"

/* One rename, looked at from both ends. */
struct move {
	struct request	*r;
	struct dir	 from, to;
	struct node	*source;	/* what moves */
	struct node	*target;	/* what is replaced, or NULL */
	PyObject	*value, *old;	/* bound there; NULL for shadows */
	PyObject	*was;		/* in old, before it was changed */
	bool		 to_shadow;
};

static enum shape
shape_or_none(struct hold *h, PyObject *o)
{
	return o != NULL ? shape_of(h->pf, o) : SHAPE_NONE;
}

static struct node *
find(struct hold *h, struct node *dir, struct dir *d,
    struct pinefs_name name, PyObject **o)
{
	struct node *n = node_beside(dir, name);

	*o = NULL;
	if (n != NULL || home_hides(h->pf, dir, name))
		return n;
	if ((*o = child_get(h, d->o, d->s, name)) == NULL)
		return NULL;
	return home_child(h, dir, name, *o, shape_of(h->pf, *o));
}

/* ---------------------------------------------------- what is replaced -- */

static int
may_replace(struct hold *h, struct move *m)
{
	struct request *r = m->r;
	enum shape s;

	/* A shadow that replaces is a way of writing, no removal. */
	if (m->value != NULL && (is_protected(h, r->n, m->from.s, r->name) ||
	    is_protected(h, r->to, m->to.s, r->new_name)))
		return EPERM;
	if (m->source->kind == PINEFS_DIR && node_is_below(r->to, m->source))
		return EINVAL;
	if (m->target == NULL)
		return 0;
	if (m->source->kind == PINEFS_DIR && m->target->kind != PINEFS_DIR)
		return ENOTDIR;
	if (m->target->kind != PINEFS_DIR)
		return 0;
	if (m->source->kind != PINEFS_DIR)
		return EISDIR;
	s = shape_of(h->pf, m->old);
	if (shape_is_mapped(s))
		return mapped_is_empty(h, m->target);
	return m->target->beside == NULL && listing_is_empty(m->old, s) ?
	    0 : ENOTEMPTY;
}

/* The node has the new name; what was there under it is no more. */
static int
move_node(struct hold *h, struct move *m)
{
	struct request *r = m->r;
	struct nodes *t = &h->pf->nodes;

	if (m->target != NULL && m->target != m->source)
		node_remove(t, m->target);
	return node_move(t, m->source, r->to, r->new_name);
}

/* ------------------------------------------------------- from a shadow -- */

static int
shadow_to_shadow(struct hold *h, struct move *m)
{
	struct node *n = m->source;
	int err;

	node_beside_drop(n);
	err = move_node(h, m);
	node_beside_add(n);
	n->flags &= (uint16_t)~NODE_FRESH;	/* not to be bound */
	return err;
}

/* A replacing write: the type of what is there decides. */
static int
shadow_to_real(struct hold *h, struct move *m)
{
	struct request *r = m->r;
	struct stage *st = m->source->stage;
	enum shape s = shape_or_none(h, m->old);
	PyObject *like = m->old, *value, *bytes;
	uint64_t version = st->version, hash = stage_hash(st);
	int err;

	if (m->target != NULL && m->target->kind != PINEFS_REG)
		return EISDIR;
	if (!shape_is_writable(m->to.s, m->to.o))
		return EACCES;
	/* What a client made itself is text or bytes, as it comes. */
	if (m->target != NULL && m->target->flags & NODE_MADE &&
	    (s == SHAPE_STR || s == SHAPE_BYTES))
		like = NULL;
	bytes = PyBytes_FromStringAndSize(st->base, (Py_ssize_t)st->len);
	if (bytes == NULL)
		return py_errno();
	err = watch_in_place(h, r->to, r->new_name, m->old, s,
	    PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes));
	value = err != 0 ? NULL : value_parse(h, like, s,
	    PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes), true, &err);
	Py_DECREF(bytes);
	if (value == NULL)
		return err;
	if (value != m->old)
		err = bind_set(h, r->to, m->to.o, m->to.s, r->new_name,
		    value);
	bind_drop(h, value);
	if (err != 0)
		return err;
	node_beside_drop(m->source);
	m->source->flags &= (uint16_t)~(NODE_FRESH | NODE_VERF);
	if (like != NULL)
		m->source->flags &= (uint16_t)~NODE_MADE;
	/* What came while code of the user ran is bound as a later write. */
	st = m->source->stage;
	if (st != NULL && st->version != version) {
		st->base_hash = hash;
		stage_due(m->source, STAGE_AFTER_WRITE);
	} else {
		stage_drop(m->source);
	}
	return move_node(h, m);
}

/* ------------------------------------------------------ from a binding -- */

/* A directory that cannot give the name up: say so before anything is done. */
static int
can_delete(struct move *m)
{
	struct dir *d = &m->from;
	Py_ssize_t n;

	if (!shape_is_writable(d->s, d->o))
		return d->s == SHAPE_CLASS ? EPERM : EACCES;
	if (d->s != SHAPE_LIST && d->s != SHAPE_DEQUE)
		return 0;
	n = sequence_size(d->o, d->s);
	return n > 0 && name_to_index(m->r->name) == n - 1 ? 0 : EPERM;
}

/* The client's way of removing what somebody has open: no backup. */
static bool
is_silly(struct pinefs_name name)
{
	return name.len > 4 && memcmp(name.base, ".nfs", 4) == 0;
}

/* What a mapper makes of it is kept: beside Python there is no mapper. */
static int
read_mapped(struct hold *h, struct node *n)
{
	struct text t;
	int err;

	if ((err = view_text(h, n, &t)) != 0)
		return err;
	text_fini(&t);
	/* It may have been removed while the mapper ran. */
	return n->flags & NODE_DEAD ? ENOENT : 0;
}

/*
 * A backup.  The program is not to miss the name while the editor writes the
 * new file, nor is the type to be lost: Python keeps the old value for a
 * second, or until the new one is there.
 */
static int
real_to_shadow(struct hold *h, struct move *m)
{
	struct pyfs *pf = h->pf;
	struct request *r = m->r;
	struct node *n = m->source, *old;
	enum shape s = shape_of(pf, m->value);
	int err;

	if ((err = can_delete(m)) != 0)
		return err;
	if (shape_is_mapped(s) && (err = read_mapped(h, n)) != 0)
		return err;
	if (n->link_next != NULL)
		node_unlink(n);
	if ((err = stage_begin(pf, n, m->value, s, SIZE_MAX)) != 0)
		return err;
	n->stage->due = 0;
	if (is_silly(r->new_name) &&
	    (err = bind_delete(h, r->n, m->from.o, m->from.s,
		    r->name)) != 0) {
		stage_drop(n);
		return err;
	}
	view_free(n);
	n->flags &= (uint16_t)~(NODE_VIEW | NODE_WRITABLE);
	if ((err = move_node(h, m)) != 0)
		return err;
	node_beside_add(n);
	if (is_silly(r->new_name))
		return 0;
	old = node_make(&pf->nodes, r->n, r->name, PINEFS_REG);
	return old != NULL ? stage_away(pf, old, m->value) : ENOMEM;
}

/* Both halves are asked for before one of them is done. */
static int
ask_for_both(struct hold *h, struct move *m, PyObject *value)
{
	struct request *r = m->r;
	int err = watch_change(h, r->to, r->new_name, m->old, value);

	return err != 0 ? err : watch_change(h, r->n, r->name, m->value,
	    NULL);
}

/* Parsed for its new place; m->old, if that was changed in place. */
static PyObject *
typed_value(struct hold *h, struct move *m, int *err)
{
	struct request *r = m->r;
	enum shape s = shape_of(h->pf, m->old);
	bool in_place = s == SHAPE_BYTEARRAY || s == SHAPE_FUNC ||
	    s == SHAPE_MAPPED;
	PyObject *bytes = NULL, *v = NULL;
	struct text t = { 0 };

	/* Not to be begun here, and done again there. */
	if (in_place && h->broker) {
		*err = PYFS_WORKER;
		return NULL;
	}
	*err = value_render(h->pf, m->value, shape_of(h->pf, m->value), &t);
	if (*err == 0 && (bytes = PyBytes_FromStringAndSize(t.base,
	    (Py_ssize_t)t.len)) == NULL)
		*err = py_errno();
	text_fini(&t);
	if (*err == 0)
		*err = watch_in_place(h, r->to, r->new_name, m->old, s,
		    PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes));
	if (*err == 0 && in_place)
		*err = watch_change(h, r->n, r->name, m->value, NULL);
	if (*err == 0 && s == SHAPE_BYTEARRAY && (m->was =
	    PyByteArray_FromStringAndSize(PyByteArray_AsString(m->old),
	    PyByteArray_Size(m->old))) == NULL)
		*err = py_errno();
	if (*err == 0)
		v = value_parse(h, m->old, s, PyBytes_AsString(bytes),
		    (size_t)PyBytes_Size(bytes), true, err);
	Py_XDECREF(bytes);
	if (v == NULL)
		return NULL;
	if (!in_place)
		*err = ask_for_both(h, m, v);
	else if (v != m->old)
		*err = watch_change(h, r->to, r->new_name, m->old, v);
	if (*err == 0)
		return v;
	bind_drop(h, v);
	return NULL;
}

/* What is bound at the new name: nobody refuses it. */
static PyObject *
value_for(struct hold *h, struct move *m, int *err)
{
	if (m->old != NULL && m->source->flags & NODE_MADE &&
	    !(m->target->flags & NODE_MADE) &&
	    !shape_is_dir(shape_of(h->pf, m->old)))
		return typed_value(h, m, err);
	if ((*err = ask_for_both(h, m, m->value)) != 0)
		return NULL;
	Py_INCREF(m->value);
	return m->value;
}

static void
roll_back(struct hold *h, struct move *m, PyObject *value)
{
	struct request *r = m->r;

	if (m->was != NULL && fill_container(m->old, m->was) != 0)
		PyErr_Clear();
	if (value == m->old)
		return;
	if (m->old != NULL)
		(void)bind_set(h, r->to, m->to.o, m->to.s, r->new_name,
		    m->old);
	else
		(void)bind_delete(h, r->to, m->to.o, m->to.s, r->new_name);
}

static int
bind_and_delete(struct hold *h, struct move *m, PyObject *value)
{
	struct request *r = m->r;
	int err = 0;

	if (value != m->old)
		err = bind_set(h, r->to, m->to.o, m->to.s, r->new_name,
		    value);
	if (err != 0)
		return err;
	err = bind_delete(h, r->n, m->from.o, m->from.s, r->name);
	/* The second half on a worker is the whole on a worker. */
	if (err != 0)
		roll_back(h, m, value);
	return err;
}

static int
real_to_real(struct hold *h, struct move *m)
{
	PyObject *value;
	int err;

	if ((err = can_delete(m)) != 0 ||
	    (value = value_for(h, m, &err)) == NULL)
		return err;
	h->told = true;
	err = bind_and_delete(h, m, value);
	h->told = false;
	bind_drop(h, value);
	if (err != 0)
		return err;
	if (m->old != NULL && !(m->target->flags & NODE_MADE))
		m->source->flags &= (uint16_t)~NODE_MADE;
	return move_node(h, m);
}

static int
move(struct hold *h, struct move *m)
{
	bool from_shadow = m->value == NULL;
	int err;

	if (m->target != NULL && node_lead(m->source) ==
	    node_lead(m->target))
		return 0;	/* two names of one file: nothing is done */
	if ((err = may_replace(h, m)) != 0)
		return err;
	if (m->to_shadow && m->source->kind == PINEFS_REG)
		return from_shadow ? shadow_to_shadow(h, m) :
		    real_to_shadow(h, m);
	return from_shadow ? shadow_to_real(h, m) : real_to_real(h, m);
}

/* What clients have written is bound before it moves. */
static int
commit_first(struct hold *h, struct move *m)
{
	int err;

	if (m->value == NULL || node_lead(m->source)->stage == NULL)
		return 0;
	if ((err = stage_commit(h, node_lead(m->source))) != 0)
		return err;
	bind_drop(h, m->value);
	m->value = child_get(h, m->from.o, m->from.s, m->r->name);
	return m->value != NULL ? 0 : ENOENT;
}

/* `mv x .pyfs/trash`: the binding goes, and what was bound stays whole. */
static int
drop_binding(struct hold *h, struct move *m)
{
	struct request *r = m->r;
	int err;

	node_stamp(h, r->n, &r->chg.before);
	m->source = find(h, r->n, &m->from, r->name, &m->value);
	if (m->source == NULL || m->source->flags & NODE_AWAY)
		return ENOENT;
	if (is_protected(h, r->n, m->from.s, r->name))
		return EPERM;
	node_pin(m->source);
	err = m->value == NULL ? 0 : bind_delete(h, r->n, m->from.o,
	    m->from.s, r->name);
	if (err == 0)
		node_remove(&h->pf->nodes, m->source);
	node_unpin(&h->pf->nodes, m->source);
	home_forget(h);
	if (err == 0) {
		node_stamp(h, r->n, &r->chg.after);
		node_stamp(h, r->to, &r->to_chg.after);
	}
	return err;
}

static int
work_rename(struct hold *h, struct request *r)
{
	struct move m = { .r = r };
	int err;

	if (mapped_is_dir(r->n) || mapped_is_dir(r->to))
		return mapped_rename(h, r);
	if ((err = dir_begin(h, r->n, &m.from)) != 0)
		goto out;
	if (view_is_trash(r->to)) {
		err = drop_binding(h, &m);
		goto out;
	}
	if ((err = dir_begin(h, r->to, &m.to)) != 0)
		goto out;
	node_stamp(h, r->n, &r->chg.before);
	node_stamp(h, r->to, &r->to_chg.before);
	m.source = find(h, r->n, &m.from, r->name, &m.value);
	if (m.source == NULL || m.source->flags & NODE_AWAY) {
		err = ENOENT;
		goto out;
	}
	node_pin(m.source);
	m.target = find(h, r->to, &m.to, r->new_name, &m.old);
	if (m.target != NULL)
		node_pin(m.target);
	m.to_shadow = is_shadow_name(h->pf, m.to.s, r->new_name);
	if (m.to_shadow && m.old != NULL)
		m.to_shadow = false;	/* such a name is bound: let it be */
	if (home_hides(h->pf, r->to, r->new_name) ||
	    (m.source->kind == PINEFS_DIR &&
	    home_would_show(h->pf, m.source, r->to, r->new_name)))
		err = EPERM;
	if (err == 0)
		err = commit_first(h, &m);
	if (err == 0)
		err = move(h, &m);
	home_forget(h);
	if (err == 0) {
		node_stamp(h, r->n, &r->chg.after);
		node_stamp(h, r->to, &r->to_chg.after);
	}
	node_unpin(&h->pf->nodes, m.source);
	if (m.target != NULL)
		node_unpin(&h->pf->nodes, m.target);
out:
	if (m.value != NULL)
		bind_drop(h, m.value);
	if (m.old != NULL)
		bind_drop(h, m.old);
	Py_XDECREF(m.was);
	dir_end(h, &m.from);
	dir_end(h, &m.to);
	return err;
}

int
op_rename(struct pinefs_call *call, struct pinefs_rename *rn)
{
	struct request r = { .work = work_rename, .what = "rename",
	    .call = call,
	    .name = rn->old_name, .new_name = rn->new_name,
	    .chg_out = &rn->from_change, .to_chg_out = &rn->to_change };
	struct op from, to = { 0 };
	int err;

	if ((err = op_begin(&from, call, rn->from)) == 0 &&
	    (err = op_begin(&to, call, rn->to)) == 0) {
		r.to = to.n;
		err = request_do(&from, &r);
	}
	if (to.n != NULL)
		op_end(&to);
	op_end(&from);
	return err;
}

/* ----------------------------------------------------------------- link -- */

/*
 * Another name for the same object.  From then on a commit through one name
 * binds both, as long as both are still bound to one object.
 */
static int
bind_link(struct hold *h, struct request *r, struct dir *d, PyObject *o)
{
	struct node *member;
	int err;

	if (!shape_is_writable(d->s, d->o))
		return EACCES;
	if (r->n->parent == NULL && is_protected(h, r->n, d->s, r->name))
		return EPERM;
	if (is_shadow_name(h->pf, d->s, r->name))
		return EPERM;
	if ((err = bind_set(h, r->n, d->o, d->s, r->name, o)) != 0)
		return err;
	member = node_make(&h->pf->nodes, r->n, r->name, PINEFS_REG);
	if (member == NULL)
		return ENOMEM;
	return node_link(&h->pf->nodes, r->to, member);
}

static int
work_link(struct hold *h, struct request *r)
{
	PyObject *o = NULL, *there = NULL;
	struct dir d;
	int err;

	if ((err = dir_begin(h, r->n, &d)) != 0 ||
	    (err = stage_go_away(h, r->n)) != 0)
		goto out;
	node_stamp(h, r->n, &r->chg.before);
	if (home_hides(h->pf, r->n, r->name))
		err = EPERM;
	else if (node_beside(r->n, r->name) != NULL ||
	    (there = child_get(h, d.o, d.s, r->name)) != NULL)
		err = EEXIST;
	else if (r->to->kind != PINEFS_REG ||
	    r->to->flags & (NODE_SHADOW | NODE_VIEW))
		err = EPERM;
	else
		err = stage_commit(h, r->to);
	if (err == 0 && (o = home_walk(h, r->to)) == NULL)
		err = ESTALE;
	glow_forget(&h->pf->glows, r->to->id);
	if (err == 0)
		err = bind_link(h, r, &d, o);
	home_forget(h);
	if (err == 0)
		node_stamp(h, r->n, &r->chg.after);
out:
	if (there != NULL)
		bind_drop(h, there);
	if (o != NULL)
		bind_drop(h, o);
	dir_end(h, &d);
	return err;
}

int
op_link(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir, struct pinefs_name name,
    struct pinefs_change *chg)
{
	struct request r = { .work = work_link, .what = "link",
	    .call = call, .name = name,
	    .chg_out = chg };
	struct op file = { 0 }, to;
	int err;

	if ((err = op_begin(&to, call, dir)) == 0 &&
	    (err = op_begin(&file, call, node)) == 0) {
		r.to = file.n;
		err = request_do(&to, &r);
	}
	if (file.n != NULL)
		op_end(&file);
	op_end(&to);
	return err;
}
