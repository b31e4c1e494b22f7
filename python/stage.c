/* SPDX-License-Identifier: MIT */
/*
 * Writes that Python does not see yet (PYFS 8.2).
 *
 * A file that is being written has a stage: its bytes.  Clients read the
 * stage, Python keeps the old value.  A commit parses the bytes by the type
 * of what is bound, binds the new value, and drops the stage, in one go: the
 * program never sees half a value, nor the empty one between truncation and
 * the first write.
 *
 *	truncate, write --> stage --commit--> bound
 *	                      |  ^              EINVAL: the old value stays
 *	                      +--+ write
 *
 * The stage of a shadow is the file itself, and is never bound.
 */
#include "pyfs.h"

#include <stdlib.h>

static void
stage_list(struct pyfs *pf, struct stage *st)
{
	st->next = pf->stages;
	st->prev = &pf->stages;
	if (st->next != NULL)
		st->next->prev = &st->next;
	pf->stages = st;
}

/* The node goes with it, if only that kept it. */
void
stage_drop(struct node *n)
{
	struct stage *st = n->stage;

	if (st == NULL)
		return;
	*st->prev = st->next;
	if (st->next != NULL)
		st->next->prev = st->prev;
	n->stage = NULL;
	node_unpin(st->nodes, n);
	free(st->base);
	free(st);
}

static int
reserve(struct stage *st, size_t len)
{
	size_t cap = st->cap;
	char *p;

	if (len <= cap && cap > 0)	/* never without memory */
		return 0;
	cap = cap * 2 > len ? cap * 2 : len + 64;
	if ((p = realloc(st->base, cap)) == NULL)
		return ENOSPC;
	st->base = p;
	st->cap = cap;
	return 0;
}

int
stage_begin(struct pyfs *pf, struct node *n, PyObject *o, enum shape s,
    size_t keep)
{
	struct text t = { 0 };
	struct stage *st;
	int err;

	if (n->stage != NULL)
		return 0;
	if (n->flags & NODE_VIEW) {
		view_kept(n, &t);
	} else if (o != NULL && (err = value_render(pf, o, s, &t)) != 0) {
		text_fini(&t);
		return err;
	}
	if (keep > t.len)
		keep = t.len;
	st = calloc(1, sizeof *st);
	if (st == NULL || reserve(st, keep) != 0) {
		free(st);
		text_fini(&t);
		return ENOSPC;
	}
	if (keep > 0)
		memcpy(st->base, t.base, keep);
	st->len = keep;
	st->version = 1;
	st->closes = pf->closes;
	st->base_hash = hash64(0, t.base, t.len);
	st->node = n;
	st->nodes = &pf->nodes;
	n->stage = st;
	node_pin(n);
	stage_list(pf, st);
	text_fini(&t);
	return 0;
}

int
stage_resize(struct pyfs *pf, struct node *n, uint64_t size)
{
	struct stage *st = n->stage;

	if (size > pf->config.max_file)
		return EFBIG;
	if (reserve(st, (size_t)size) != 0)
		return ENOSPC;
	if (size > st->len)
		memset(st->base + st->len, 0, (size_t)size - st->len);
	st->len = (size_t)size;
	st->version++;
	st->closes = pf->closes;
	if (size == 0) {
		st->replacing = true;
		st->written = false;
	}
	return 0;
}

int
stage_write(struct pyfs *pf, struct node *n, uint64_t off,
    const struct iovec *iov, unsigned niov)
{
	struct stage *st = n->stage;
	uint64_t len = 0;
	unsigned i;
	int err;

	for (i = 0; i < niov; i++)
		len += iov[i].iov_len;
	if (off > pf->config.max_file || len > pf->config.max_file - off)
		return EFBIG;
	if (off + len > st->len) {
		if ((err = reserve(st, (size_t)(off + len))) != 0)
			return err;
		if (off > st->len)
			memset(st->base + st->len, 0, (size_t)off - st->len);
		st->len = (size_t)(off + len);
	}
	for (i = 0; i < niov; i++) {
		memcpy(st->base + off, iov[i].iov_base, iov[i].iov_len);
		off += iov[i].iov_len;
	}
	st->version++;
	st->closes = pf->closes;
	st->written = true;
	return 0;
}

uint64_t
stage_hash(struct stage *st)
{
	if (st->hash_version != st->version) {
		st->hash = hash64(0, st->base, st->len);
		st->hash_version = st->version;
	}
	return st->hash;
}

void
stage_due(struct node *n, unsigned ms)
{
	n->stage->due = pyfs_clock() + (int64_t)ms * 1000000;
	worker_commit_at(n->stage->due);
}

/* --------------------------------------------------------------- commit -- */

/* What a commit works on: held while code of the user may run. */
struct commit {
	struct node	*n, *parent;	/* pinned; and */
	char		 name_bytes[NAME_LEN_MAX];
	struct pinefs_name name;	/* n's place, which may change */
	PyObject	*dir, *old;
	enum shape	 dir_shape, shape;
	PyObject	*bytes;		/* of the stage, a copy for workers */
	const char	*base;
	size_t		 len;
	bool		 replacing;
	uint64_t	 version, base_hash;
};

static void
log_about(const struct node *n, const char *what)
{
	char path[512];

	(void)node_path(n, path, sizeof path);
	pyfs_log("%s: %s", path, what);
}

static bool
keeps_empty(enum shape s)
{
	return s == SHAPE_STR || s == SHAPE_BYTES || s == SHAPE_BYTEARRAY ||
	    s == SHAPE_NONE;
}

/* The rules before parsing; ECANCELED: there is nothing to bind. */
static int
check(struct hold *h, struct commit *c)
{
	struct text t = { 0 };
	uint64_t hash;
	bool same;
	int err;

	if (c->old == NULL)
		return c->n->flags & NODE_FRESH ? 0 : ESTALE;
	if (shape_is_dir(c->shape))
		return ESTALE;
	if (c->len == 0 && !keeps_empty(c->shape)) {
		log_about(c->n, "cut to nothing: the old value stays");
		return ECANCELED;
	}
	if ((err = value_render(h->pf, c->old, c->shape, &t)) == 0) {
		hash = hash64(0, t.base, t.len);
		same = t.len == c->len &&
		    memcmp(t.base, c->base, c->len) == 0;
		if (same)
			err = ECANCELED;
		else if (hash != c->base_hash)
			log_about(c->n, "overwrote a newer value");
	}
	text_fini(&t);
	return err;
}

/* What is done with a group of hard links. */
enum group { GROUP_ASK, GROUP_BIND, GROUP_UNDO };

/*
 * The others of a group, as they were when it began: while code of the user
 * runs another client can look, and find that two of them differ.
 */
struct others {
	struct other {
		struct node	*n;	/* pinned */
		bool		 tried;	/* may be bound to the new value */
	}		*of;
	size_t		 n;
};

static int
others_begin(struct node *n, struct others *o)
{
	struct node *m;

	*o = (struct others){ .n = 0 };
	o->of = calloc(node_nlink(n), sizeof *o->of);
	if (o->of == NULL)
		return ENOMEM;
	for (m = n->link_next; m != NULL && m != n; m = m->link_next) {
		node_pin(m);
		o->of[o->n++].n = m;
	}
	return 0;
}

static void
others_end(struct hold *h, struct others *o)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		node_unpin(&h->pf->nodes, o->of[i].n);
	free(o->of);
}

/* One of the group, if `from` is bound to it still. */
static int
bind_other(struct hold *h, struct other *other, enum group what,
    PyObject *from, PyObject *to)
{
	struct node *m = other->n, *parent = m->parent;
	char bytes[NAME_LEN_MAX];
	struct pinefs_name name = { bytes, m->name_len };
	PyObject *dir, *v;
	enum shape s;
	int err = 0;

	if ((dir = home_walk(h, parent)) == NULL)
		return 0;
	memcpy(bytes, m->name, m->name_len);
	node_pin(parent);
	s = shape_of(h->pf, dir);
	v = child_get(h, dir, s, name);
	if (v == from && what == GROUP_ASK) {
		err = watch_change(h, parent, name, v, to);
	} else if (v == from) {
		other->tried = true;
		err = bind_set(h, parent, dir, s, name, to);
	}
	if (v != NULL)
		bind_drop(h, v);
	bind_drop(h, dir);
	node_unpin(&h->pf->nodes, parent);
	return err;
}

static int
bind_others(struct hold *h, struct others *o, enum group what,
    PyObject *from, PyObject *to)
{
	struct node *m;
	size_t i;
	int err = 0;

	for (i = 0; i < o->n && err == 0; i++) {
		m = o->of[i].n;
		if (m->flags & NODE_DEAD)
			continue;
		if (what == GROUP_UNDO && o->of[i].tried)
			(void)bind_other(h, &o->of[i], what, from, to);
		else if (what != GROUP_UNDO && m->link_next != NULL)
			err = bind_other(h, &o->of[i], what, from, to);
	}
	return err;
}

/* All of a group, or none: the others first, for they are told by `old`. */
static int
bind_group(struct hold *h, struct commit *c, struct others *o,
    PyObject *value)
{
	int err = bind_others(h, o, GROUP_ASK, c->old, value);

	if (err == 0)
		err = watch_change(h, c->parent, c->name, c->old, value);
	if (err != 0)
		return err;
	h->told = true;
	err = bind_others(h, o, GROUP_BIND, c->old, value);
	if (err == 0)
		err = bind_set(h, c->parent, c->dir, c->dir_shape, c->name,
		    value);
	if (err != 0)
		(void)bind_others(h, o, GROUP_UNDO, value, c->old);
	h->told = false;
	return err;
}

/* To its name, and to those that are hard links to it. */
static int
bind_names(struct hold *h, struct commit *c, PyObject *value)
{
	struct node *lead = node_lead(c->n);
	struct others o;
	int err;

	if (c->old == NULL || c->n->link_next == NULL)
		return bind_set(h, c->parent, c->dir, c->dir_shape, c->name,
		    value);
	if ((err = others_begin(c->n, &o)) != 0)
		return err;
	node_pin(lead);
	lead->binding++;
	err = bind_group(h, c, &o, value);
	lead->binding--;
	node_unpin(&h->pf->nodes, lead);
	others_end(h, &o);
	return err;
}

static int
parse_and_bind(struct hold *h, struct commit *c)
{
	PyObject *value, *like = c->old;
	int err;

	/* What a client made is text or bytes, as its content wants. */
	if (c->n->flags & (NODE_FRESH | NODE_MADE) &&
	    (c->shape == SHAPE_STR || c->shape == SHAPE_BYTES))
		like = NULL;
	err = watch_in_place(h, c->parent, c->name, c->old, c->shape,
	    c->base, c->len);
	if (err != 0)
		return err;
	value = value_parse(h, like, c->shape, c->base, c->len,
	    c->replacing, &err);
	if (value == NULL)
		return err;
	if (value != c->old)
		err = bind_names(h, c, value);
	bind_drop(h, value);
	return err;
}

static void
finish(struct hold *h, struct commit *c)
{
	struct node *n = c->n;

	n->flags &= (uint16_t)~(NODE_FRESH | NODE_VERF);
	if (n->flags & NODE_SHADOW)
		node_beside_drop(n);	/* it is real now */
	home_forget(h);
	if (n->stage == NULL || n->stage->version != c->version)
		return;		/* more came while code of the user ran */
	if (node_attr(h, n, c->old, c->shape, &h->glow) == 0)
		h->glow_id = n->id;
	stage_drop(n);
}

static int
commit_begin(struct hold *h, struct node *n, struct commit *c)
{
	struct stage *st = n->stage;

	*c = (struct commit){ .n = n, .base = st->base, .len = st->len,
	    .replacing = st->replacing, .version = st->version,
	    .base_hash = st->base_hash, .parent = n->parent };
	memcpy(c->name_bytes, n->name, n->name_len);
	c->name = (struct pinefs_name){ c->name_bytes, n->name_len };
	node_pin(n);
	node_pin(c->parent);
	if ((c->dir = home_walk(h, n->parent)) == NULL)
		return ESTALE;
	c->dir_shape = shape_of(h->pf, c->dir);
	c->old = child_get(h, c->dir, c->dir_shape, c->name);
	if (c->old != NULL)
		c->shape = shape_of(h->pf, c->old);
	if (h->broker)
		return 0;
	/* The stage can change or go while code of the user runs. */
	c->bytes = PyBytes_FromStringAndSize(c->base, (Py_ssize_t)c->len);
	if (c->bytes == NULL)
		return py_errno();
	c->base = PyBytes_AsString(c->bytes);
	return 0;
}

static void
commit_end(struct hold *h, struct commit *c)
{
	if (c->old != NULL)
		bind_drop(h, c->old);
	if (c->dir != NULL)
		bind_drop(h, c->dir);
	Py_XDECREF(c->bytes);
	node_unpin(&h->pf->nodes, c->n);
	node_unpin(&h->pf->nodes, c->parent);
}

static bool
is_only_shadow(const struct node *n)
{
	return n->flags & NODE_SHADOW && !(n->flags & NODE_FRESH);
}

/* --------------------------------------------------------------- away -- */

int
stage_away(struct pyfs *pf, struct node *n, PyObject *o)
{
	int err = stage_begin(pf, n, o, shape_of(pf, o), 0);

	if (err != 0)
		return err;
	n->flags |= NODE_AWAY;
	n->parent->away++;
	stage_due(n, STAGE_AFTER_CUT);
	return 0;
}

/* Empty, as a file just made is; over the value that Python has still. */
int
stage_return(struct pyfs *pf, struct node *n, PyObject *o)
{
	int err;

	stage_drop(n);
	n->flags &= (uint16_t)~NODE_AWAY;
	n->parent->away++;
	if ((err = stage_begin(pf, n, o, shape_of(pf, o), 0)) != 0)
		return err;
	n->stage->replacing = true;
	stage_due(n, STAGE_AFTER_CUT);
	return 0;
}

/* The program has not bound something else there. */
static bool
is_as_it_was(struct hold *h, const struct node *n, PyObject *o)
{
	struct text t = { 0 };
	bool same;

	same = value_render(h->pf, o, shape_of(h->pf, o), &t) == 0 &&
	    hash64(0, t.base, t.len) == n->stage->base_hash;
	text_fini(&t);
	return same;
}

static int
delete_away(struct hold *h, struct node *n)
{
	struct pinefs_name name = { n->name, n->name_len };
	PyObject *dir = home_walk(h, n->parent), *o = NULL;
	enum shape s = dir != NULL ? shape_of(h->pf, dir) : SHAPE_NONE;
	int err = 0;

	node_pin(n);
	if (dir != NULL)
		o = child_get(h, dir, s, name);
	if (o != NULL && is_as_it_was(h, n, o))
		err = bind_delete(h, n->parent, dir, s, name);
	if (o != NULL)
		bind_drop(h, o);
	if (dir != NULL)
		bind_drop(h, dir);
	/* It may have returned while code of the user ran. */
	if (err != PYFS_WORKER && n->flags & NODE_AWAY) {
		n->parent->away++;
		node_remove(&h->pf->nodes, n);
		home_forget(h);
	}
	node_unpin(&h->pf->nodes, n);
	return err == ENOENT ? 0 : err;
}

int
stage_go_away(struct hold *h, struct node *dir)
{
	struct stage *st, *next;
	int err;

	for (st = h->pf->stages; st != NULL; st = next) {
		next = st->next;
		if (st->node->parent != dir || !(st->node->flags & NODE_AWAY))
			continue;
		if ((err = delete_away(h, st->node)) != 0)
			return err;
		next = h->pf->stages;
	}
	return 0;
}

int
stage_commit(struct hold *h, struct node *n)
{
	struct commit c;
	int err;

	if (n->stage == NULL || is_only_shadow(n))
		return 0;
	n->stage->due = 0;
	if (n->flags & NODE_AWAY)	/* of a view, too: a mapper's file */
		return delete_away(h, n);
	if (n->flags & NODE_VIEW)
		return view_commit(h, n);
	if ((err = commit_begin(h, n, &c)) == 0)
		err = check(h, &c);
	if (err == 0)
		err = parse_and_bind(h, &c);
	if (err == 0 || err == ECANCELED)
		finish(h, &c);
	commit_end(h, &c);
	return err == ECANCELED ? 0 : err;
}

void
stage_fail(struct pyfs *pf, struct node *n)
{
	const unsigned pending = NODE_VIEW | NODE_FRESH;

	stage_drop(n);
	if (n->flags & NODE_SHADOW || (n->flags & pending) == pending)
		node_remove(&pf->nodes, n);	/* it never was more */
}

int
stage_commit_alone(struct hold *h, struct node *n)
{
	struct pyfs *pf = h->pf;
	char what[64];
	int err;

	node_pin(n);
	error_forget();
	err = stage_commit(h, n);
	if (err > 0) {
		error_add(pf, n, (struct pinefs_name){ 0 }, "write", err);
		(void)PyOS_snprintf(what, sizeof what,
		    "not written: %s", strerror(err));
		log_about(n, what);
		stage_fail(pf, n);
		err = 0;
	}
	node_unpin(&pf->nodes, n);
	return err;
}

static struct stage *
next_due(struct pyfs *pf, bool all, int64_t now, int64_t *later)
{
	struct stage *st;

	*later = 0;
	for (st = pf->stages; st != NULL; st = st->next) {
		if (is_only_shadow(st->node))
			continue;
		if (all || (st->due > 0 && st->due <= now))
			return st;
		if (st->due > 0 && (*later == 0 || st->due < *later))
			*later = st->due;
	}
	return NULL;
}

void
stage_commit_due(struct hold *h, bool all)
{
	int64_t now = pyfs_clock(), later;
	struct stage *st;
	struct node *n;

	/* From the start each time: the list is another after a commit. */
	while ((st = next_due(h->pf, all, now, &later)) != NULL) {
		n = st->node;
		node_pin(n);
		(void)stage_commit_alone(h, n);
		if (all)
			stage_drop(n);
		node_unpin(&h->pf->nodes, n);
	}
	if (later != 0)
		worker_commit_at(later);
}
