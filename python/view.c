/* SPDX-License-Identifier: MIT */
/*
 * Files that the package makes up (PYFS 12): views of what is bound to a name
 * (`level@repr`), and the control directory `.pyfs`.
 *
 *	/app/x@attrs/y	 a view of what is bound at /app/x: the path attrs/y
 *	/app/.@repr	 a view of the directory itself
 *	/.pyfs/stats	 no object: the path stats
 *
 * What they hold is asked of pinefs._views, in Python: ask(what, object,
 * path, argument).  That may run code of the user (repr, properties), so it
 * is done by workers, while the call waits.  Here are the nodes, which are
 * like others but for NODE_VIEW, and the text that was made last: it counts
 * for a second, or until a client changes something, so that the size that a
 * client was told, and the bytes that it then reads, are of one text, and an
 * expression is evaluated once for both.  The last few texts are kept longer,
 * for who reads one in pieces.
 *
 * LOOKUP finds views, READDIR does not list them: `find` runs nothing.
 */
#define PY_SSIZE_T_CLEAN
#include "change.h"

#include <stdlib.h>

#define FRESH	INT64_C(1000000000)	/* ns */

enum { KEPT = 256, KEPT_BYTES = 16 << 20 };	/* texts, and their sizes */

struct view {
	struct view	*next, **prev;	/* the latest first */
	struct node	*node;
	char		*base;
	size_t		 len;
	int64_t		 made;
	uint64_t	 changes;	/* of the server, then */
};

/* Texts that are kept, of all servers. */
static struct view *kept;
static size_t nkept, kept_bytes;

static const char CONTROL[] = ".pyfs";

static struct pinefs_name
name_of(const struct node *n)
{
	return (struct pinefs_name){ n->name, n->name_len };
}

/* ---------------------------------------------------------------- names -- */

/* `x@repr`: the view, and what it is of; false: no such name. */
static bool
split(struct pinefs_name name, struct pinefs_name *of,
    struct pinefs_name *view)
{
	static const char *const views[] = { "repr", "str", "expr", "json",
	    "type", "id", "refcount", "sizeof", "len", "doc", "sig", "src",
	    "attrs", "items", "append", "referrers", "referents", "raw",
	    "npy", "csv", "call", "pickle" };
	const char *at = name.len > 0 ? memrchr(name.base, '@', name.len) :
	    NULL;
	size_t i;

	if (at == NULL || at == name.base)
		return false;
	*of = (struct pinefs_name){ name.base, (uint32_t)(at - name.base) };
	at++;
	*view = (struct pinefs_name){ at,
	    (uint32_t)(name.base + name.len - at) };
	for (i = 0; i < sizeof views / sizeof views[0]; i++)
		if (name_equal(*view, views[i], strlen(views[i])))
			return true;
	return false;
}

/* What a view in directory `o` is of: a new reference, or NULL. */
static PyObject *
object_of(struct hold *h, struct node *dir, PyObject *o, enum shape s,
    struct pinefs_name of)
{
	if (name_equal(of, ".", 1)) {
		Py_INCREF(o);
		return o;
	}
	if (home_hides(h->pf, dir, of))
		return NULL;
	return child_get(h, o, s, of);
}

bool
view_is_name(struct hold *h, struct node *dir, PyObject *o, enum shape s,
    struct pinefs_name name)
{
	struct pinefs_name of, view;
	PyObject *v;

	if (dir->parent == NULL && h->pf->config.control &&
	    name_equal(name, CONTROL, sizeof CONTROL - 1))
		return true;
	if (!h->pf->config.views || !split(name, &of, &view) ||
	    (v = object_of(h, dir, o, s, of)) == NULL)
		return false;
	bind_drop(h, v);
	return true;
}

/* ------------------------------------------------------------- asking -- */

/* What a view node is about. */
struct about {
	PyObject	*dir;		/* what it is bound in */
	enum shape	 shape;		/* of that */
	struct node	*dir_node;	/* pinned, or NULL */
	struct pinefs_name name;
	char		 name_bytes[NAME_LEN_MAX];
	PyObject	*o;		/* NULL: it is no view of an object */
	PyObject	*path;		/* tuple of str */
};

static void
about_fini(struct hold *h, struct about *a)
{
	if (a->dir != NULL)
		bind_drop(h, a->dir);
	if (a->o != NULL)
		bind_drop(h, a->o);
	Py_XDECREF(a->path);
	if (a->dir_node != NULL)
		node_unpin(&h->pf->nodes, a->dir_node);
}

/* Nodes get other names, and go, while the package is asked. */
static void
about_keep(struct about *a)
{
	if (a->dir_node != NULL)
		node_pin(a->dir_node);
	if (a->name.len > 0)
		memcpy(a->name_bytes, a->name.base, a->name.len);
	a->name.base = a->name_bytes;
}

static bool
is_control(const struct hold *h, const struct node *top)
{
	return h->pf->config.control && top->parent->parent == NULL &&
	    strcmp(top->name, CONTROL) == 0;
}

/*
 * The object of the view at the top of the path, and what begins the path:
 * the name of the view, `.pyfs`, or `mapped` of what has a mapper.
 */
static int
about_object(struct hold *h, struct node *top, struct about *a,
    struct pinefs_name *first)
{
	static const struct pinefs_name mapped = { "mapped", 6 };
	struct node *dir = top->parent;
	bool is_view;

	*first = name_of(top);
	if (is_control(h, top))
		return 0;
	is_view = h->pf->config.views &&
	    split(name_of(top), &a->name, first);
	if (!is_view) {
		a->name = name_of(top);
		*first = mapped;
	}
	if ((a->dir = home_walk(h, dir)) == NULL)
		return ESTALE;
	a->shape = shape_of(h->pf, a->dir);
	a->dir_node = dir;
	a->o = object_of(h, dir, a->dir, a->shape, a->name);
	if (a->o == NULL || (!is_view &&
	    !shape_is_mapped(shape_of(h->pf, a->o))))
		return ESTALE;
	if (!is_view || !name_equal(a->name, ".", 1))
		return 0;
	/* Of the directory itself, which is bound one higher. */
	bind_drop(h, a->dir);
	a->dir = NULL;
	a->dir_node = dir->parent;
	a->name = name_of(dir);
	if (dir->parent == NULL || (a->dir = home_walk(h, dir->parent)) ==
	    NULL)
		return dir->parent == NULL ? 0 : ESTALE;
	a->shape = shape_of(h->pf, a->dir);
	return 0;
}

static int
about_begin(struct hold *h, struct node *n, struct pinefs_name more,
    struct about *a)
{
	PyObject *list = PyList_New(0), *part;
	struct pinefs_name first = { 0 };
	struct node *top = n;
	int err = list != NULL ? 0 : py_errno();

	*a = (struct about){ 0 };
	for (; err == 0; top = top->parent) {
		if (!(top->parent->flags & NODE_VIEW))
			break;
		part = name_to_str(name_of(top));
		if (part == NULL || PyList_Append(list, part) != 0)
			err = py_errno();
		Py_XDECREF(part);
	}
	if (err == 0)
		err = about_object(h, top, a, &first);
	about_keep(a);
	if (err == 0) {
		part = name_to_str(first);
		if (part == NULL || PyList_Append(list, part) != 0)
			err = py_errno();
		Py_XDECREF(part);
	}
	if (err == 0 && PyList_Reverse(list) != 0)
		err = py_errno();
	if (err == 0 && more.len > 0) {
		part = name_to_str(more);
		if (part == NULL || PyList_Append(list, part) != 0)
			err = py_errno();
		Py_XDECREF(part);
	}
	if (err == 0 && (a->path = PyList_AsTuple(list)) == NULL)
		err = py_errno();
	Py_XDECREF(list);
	return err;
}

/*
 * Who refers to an object, and how often, is found out here, before somebody
 * in Python does it only to ask.
 */
static PyObject *
subject(struct about *a, PyObject **argument)
{
	PyObject *first = PyTuple_GetItem(a->path, 0), *o = a->o;

	*argument = NULL;
	if (o == NULL)
		o = Py_None;
	else if (PyUnicode_CompareWithASCIIString(first, "referrers") == 0)
		return PyObject_CallFunctionObjArgs(kit.referrers, o, NULL);
	else if (PyUnicode_CompareWithASCIIString(first, "refcount") == 0 &&
	    (*argument = PyLong_FromSsize_t(Py_REFCNT(o) - 1)) == NULL)
		return NULL;
	Py_INCREF(o);
	return o;
}

/* The answer, a new reference; NULL with *err. */
static PyObject *
ask(struct hold *h, struct node *n, struct about *a, const char *what,
    PyObject *argument, int *err)
{
	PyObject *answer = NULL, *more, *o;
	char where[PATH_LEN_MAX];

	if (node_path(n, where, sizeof where) >= sizeof where)
		where[0] = '\0';
	if ((o = subject(a, &more)) != NULL)
		answer = PyObject_CallFunction(h->pf->config.ask, "sOOOy",
		    what, o, a->path, argument != NULL ? argument :
		    more != NULL ? more : Py_None, where);
	Py_XDECREF(more);
	Py_XDECREF(o);
	shape_forget();
	if (answer == NULL) {
		*err = py_errno();
		error_add(h->pf, n, (struct pinefs_name){ 0 }, what, *err);
	}
	return answer;
}

/* ---------------------------------------------------------------- nodes -- */

struct node *
view_node(struct hold *h, struct node *dir, struct pinefs_name name,
    const char *kind)
{
	struct node *n;

	n = node_make(&h->pf->nodes, dir, name, *kind == 'd' ||
	    *kind == 'D' ? PINEFS_DIR : *kind == 'l' ? PINEFS_LNK :
	    PINEFS_REG);
	if (n == NULL)
		return NULL;
	n->flags |= NODE_VIEW;
	if (*kind == 'w' || *kind == 'D')
		n->flags |= NODE_WRITABLE;
	else
		n->flags &= (uint16_t)~NODE_WRITABLE;
	return n;
}

int
view_find(struct hold *h, struct node *dir, struct pinefs_name name,
    struct node **found)
{
	struct about a;
	PyObject *answer = NULL;
	struct node *probe;
	const char *kind;
	int err;

	if (dir->parent == NULL && name_equal(name, CONTROL,
	    sizeof CONTROL - 1)) {
		*found = view_node(h, dir, name, "d");
		return *found != NULL ? 0 : ENOMEM;
	}
	if (dir->flags & NODE_VIEW ? home_hides_made(h->pf, dir, name) :
	    home_excludes(h->pf, dir, name))
		return ENOENT;
	if ((*found = mapped_pending(h, dir, name)) != NULL)
		return 0;
	if (h->broker)
		return PYFS_WORKER;
	if (dir->flags & NODE_VIEW) {
		err = about_begin(h, dir, name, &a);
	} else {
		/* A file until we know better; other kinds are other nodes. */
		if ((probe = view_node(h, dir, name, "f")) == NULL)
			return ENOMEM;
		node_pin(probe);
		err = about_begin(h, probe, (struct pinefs_name){ 0 }, &a);
		node_unpin(&h->pf->nodes, probe);
	}
	if (err == 0)
		answer = ask(h, dir, &a, "look", NULL, &err);
	about_fini(h, &a);
	if (answer == NULL)
		return err == ESTALE ? ENOENT : err;
	kind = PyUnicode_Check(answer) ? kit.utf8(answer, NULL) : NULL;
	PyErr_Clear();
	*found = kind != NULL ? view_node(h, dir, name, kind) : NULL;
	Py_DECREF(answer);
	return kind == NULL ? ENOENT : *found != NULL ? 0 : ENOMEM;
}

bool
view_is_trash(const struct node *n)
{
	return n->flags & NODE_VIEW && strcmp(n->name, "trash") == 0 &&
	    n->parent->parent != NULL && n->parent->parent->parent == NULL &&
	    strcmp(n->parent->name, CONTROL) == 0;
}

/* A handle after a restart: its kind is known, what it is of is not asked. */
struct node *
view_control(struct hold *h, uint32_t hash)
{
	struct pinefs_name name = { CONTROL, sizeof CONTROL - 1 };

	if (!h->pf->config.control || node_module_hash(name) != hash)
		return NULL;
	return view_node(h, h->pf->nodes.root, name, "d");
}

struct node *
view_revive(struct hold *h, struct node *dir, struct pinefs_name name,
    int kind)
{
	if (dir->flags & NODE_VIEW ? home_hides_made(h->pf, dir, name) :
	    home_excludes(h->pf, dir, name))
		return NULL;
	return view_node(h, dir, name, kind == PINEFS_DIR ? "d" :
	    kind == PINEFS_LNK ? "l" : "w");
}

void
view_free(struct node *n)
{
	struct view *v = n->view;

	if (v == NULL)
		return;
	*v->prev = v->next;
	if (v->next != NULL)
		v->next->prev = v->prev;
	nkept--;
	kept_bytes -= v->len;
	free(v->base);
	free(v);
	n->view = NULL;
}

/* The latest stays, however long it is. */
static void
forget_old(void)
{
	struct view *last;

	while (nkept > 1 && (nkept > KEPT || kept_bytes > KEPT_BYTES)) {
		for (last = kept; last->next != NULL; last = last->next)
			continue;
		view_free(last->node);
	}
}

/* ----------------------------------------------------------------- text -- */

static int
keep_text(struct pyfs *pf, struct node *n, const struct text *t)
{
	struct view *v = calloc(1, sizeof *v);

	if (v == NULL || (v->base = malloc(t->len + 1)) == NULL) {
		free(v);
		return ENOMEM;
	}
	memcpy(v->base, t->base, t->len);
	v->len = t->len;
	v->made = pyfs_clock();
	v->changes = pf->changes;
	view_free(n);
	n->view = v;
	v->node = n;
	v->next = kept;
	v->prev = &kept;
	if (kept != NULL)
		kept->prev = &v->next;
	kept = v;
	nkept++;
	kept_bytes += v->len;
	forget_old();
	return 0;
}

static int
text_of_answer(struct hold *h, struct node *n, PyObject *answer,
    struct text *t)
{
	PyObject *type = TYPE_OF(answer);
	enum shape s;

	if (n->kind == PINEFS_LNK && type != (PyObject *)&PyUnicode_Type) {
		s = shape_of(h->pf, answer);
		if (shape_is_dir(s) && home_find(h, answer, s) != NULL)
			return home_link_text(h, n, answer, s, t);
		return value_render(h->pf, answer, SHAPE_OPAQUE, t);
	}
	if (type == (PyObject *)&PyUnicode_Type)
		return value_render(h->pf, answer, SHAPE_STR, t);
	return value_render(h->pf, answer, PyBytes_Check(answer) ?
	    SHAPE_BYTES : SHAPE_OPAQUE, t);
}

static int
make_text(struct hold *h, struct node *n)
{
	struct pinefs_name none = { 0 };
	PyObject *answer = NULL;
	struct text t = { 0 };
	struct about a;
	int err;

	if ((err = about_begin(h, n, none, &a)) == 0)
		answer = ask(h, n, &a, "read", NULL, &err);
	if (answer != NULL)
		err = text_of_answer(h, n, answer, &t);
	/* Their end can be code of the user, during which others forget. */
	Py_XDECREF(answer);
	about_fini(h, &a);
	if (err == 0 && t.len > h->pf->config.max_file)
		err = EFBIG;
	if (err == 0)
		err = keep_text(h->pf, n, &t);
	text_fini(&t);
	return err != 0 || n->view != NULL ? err : EIO;
}

static bool
is_fresh(const struct pyfs *pf, const struct node *n)
{
	return n->view != NULL && n->view->changes == pf->changes &&
	    pyfs_clock() - n->view->made < FRESH;
}

int
view_text(struct hold *h, struct node *n, struct text *t)
{
	int err;

	*t = (struct text){ .base = t->small };
	if (!is_fresh(h->pf, n)) {
		if (h->broker)
			return PYFS_WORKER;
		if ((err = make_text(h, n)) != 0)
			return err;
	}
	t->base = n->view->base;
	t->len = n->view->len;
	return 0;
}

void
view_kept(const struct node *n, struct text *t)
{
	*t = (struct text){ .base = t->small };
	if (n->view == NULL)
		return;
	t->base = n->view->base;
	t->len = n->view->len;
}

int
view_text_from(struct hold *h, struct node *n, uint64_t off, struct text *t)
{
	/* The rest of what was read before. */
	if (off > 0 && n->view != NULL) {
		view_kept(n, t);
		return 0;
	}
	return view_text(h, n, t);
}

/* --------------------------------------------------------------- commit -- */

/* The view's text is that of what is put in the place of what is there. */
static bool
replaces(const struct about *a)
{
	PyObject *first = PyTuple_GetItem(a->path, 0);

	return PyUnicode_CompareWithASCIIString(first, "repr") == 0 ||
	    PyUnicode_CompareWithASCIIString(first, "json") == 0 ||
	    PyUnicode_CompareWithASCIIString(first, "expr") == 0;
}

/* It would take what is bound there away. */
static int
may_replace(struct hold *h, const struct about *a)
{
	if (a->dir == NULL)
		return EACCES;
	return is_protected(h, a->dir_node, a->shape, a->name) ? EPERM : 0;
}

static PyObject *
first_of(PyObject *tuple)
{
	return PyTuple_Size(tuple) > 0 ? PyTuple_GetItem(tuple, 0) : NULL;
}

/*
 * (name, (old,), (new,)), or () for nothing: of what has that name in the
 * object, of the object (None), or of the file that is written (...).
 */
static int
tell_row(struct hold *h, struct node *n, struct about *a, PyObject *row)
{
	PyObject *name, *old, *value;

	if (!PyTuple_Check(row) || !PyArg_ParseTuple(row, "OO!O!", &name,
	    &PyTuple_Type, &old, &PyTuple_Type, &value)) {
		PyErr_Clear();
		return EIO;
	}
	if (a->o == NULL || name == Py_Ellipsis)
		return watch_change(h, n->parent, name_of(n), first_of(old),
		    first_of(value));
	return watch_within(h, a->dir_node, a->name,
	    name == Py_None ? NULL : name, first_of(old), first_of(value));
}

/* None, or a tuple of a value that is to be bound. */
static int
bind_answer(struct hold *h, struct about *a, PyObject *answer)
{
	int err;

	if (answer == Py_None)
		return 0;
	if (!PyTuple_CheckExact(answer) || PyTuple_Size(answer) != 1)
		return EACCES;
	if ((err = may_replace(h, a)) != 0)
		return err;
	return bind_set(h, a->dir_node, a->dir, a->shape, a->name,
	    PyTuple_GetItem(answer, 0));
}

/* Tell of all in the list, and have it done by calling `act`. */
static int
do_answer(struct hold *h, struct node *n, struct about *a, PyObject *list,
    PyObject *act)
{
	PyObject *v;
	Py_ssize_t i;
	int err = replaces(a) ? may_replace(h, a) : 0;

	for (i = 0; i < PyList_Size(list) && err == 0; i++)
		err = tell_row(h, n, a, PyList_GetItem(list, i));
	if (err != 0)
		return err;
	if ((v = PyObject_CallFunctionObjArgs(act, NULL)) == NULL)
		return py_errno();
	err = bind_answer(h, a, v);
	Py_DECREF(v);
	return err;
}

/* What the package makes of a write: see pinefs._nodes. */
static int
take_answer(struct hold *h, struct node *n, struct about *a,
    PyObject *answer)
{
	PyObject *list;

	if (!PyTuple_CheckExact(answer) || PyTuple_Size(answer) != 2)
		return bind_answer(h, a, answer);
	list = PyTuple_GetItem(answer, 0);
	return PyList_CheckExact(list) ? do_answer(h, n, a, list,
	    PyTuple_GetItem(answer, 1)) : EIO;
}

int
view_change(struct hold *h, struct node *n, const char *what,
    PyObject *argument)
{
	struct pinefs_name none = { 0 };
	PyObject *answer = NULL;
	struct about a;
	int err;

	if ((err = about_begin(h, n, none, &a)) == 0)
		answer = ask(h, n, &a, what, argument, &err);
	if (answer != NULL) {
		err = take_answer(h, n, &a, answer);
		Py_DECREF(answer);
	}
	about_fini(h, &a);
	return err;
}

int
view_write(struct hold *h, struct node *n, const char *base, size_t len)
{
	PyObject *bytes = PyBytes_FromStringAndSize(base, (Py_ssize_t)len);
	int err;

	if (bytes == NULL)
		return py_errno();
	err = view_change(h, n, "write", bytes);
	Py_DECREF(bytes);
	return err;
}

int
view_commit(struct hold *h, struct node *n)
{
	struct stage *st = n->stage;
	uint64_t version = st->version;
	int err;

	if (h->broker)
		return PYFS_WORKER;
	node_pin(n);
	err = view_write(h, n, st->base, st->len);
	home_forget(h);
	if (err == 0)
		n->flags &= (uint16_t)~(NODE_FRESH | NODE_VERF);
	if (err == 0 && n->stage != NULL && n->stage->version == version) {
		if (node_attr(h, n, NULL, SHAPE_NONE, &h->glow) == 0)
			h->glow_id = n->id;
		stage_drop(n);
		view_free(n);
	}
	node_unpin(&h->pf->nodes, n);
	return err == ESTALE || err == ENOENT ? EIO : err;
}

PyObject *
view_list(struct hold *h, struct node *n, int *err)
{
	struct pinefs_name none = { 0 };
	PyObject *answer = NULL;
	struct about a;

	if ((*err = about_begin(h, n, none, &a)) == 0)
		answer = ask(h, n, &a, "list", NULL, err);
	about_fini(h, &a);
	return answer;
}

void
view_entry_attr(struct hold *h, struct node *n, struct pinefs_attr *a)
{
	struct view *was = n->view, none = { .base = NULL };
	struct node seen = *n;

	none.made = pyfs_clock();
	none.changes = h->pf->changes;
	n->view = &none;
	*a = (struct pinefs_attr){ 0 };
	(void)node_attr(h, n, NULL, SHAPE_NONE, a);
	n->view = was;
	/* Nothing was seen of it: its time stays. */
	if (seen.flags & NODE_SEEN) {
		a->mtime = a->atime = ns_time(seen.mtime);
		a->ctime = ns_time(seen.ctime);
	}
	n->flags = seen.flags;
	n->seen = seen.seen;
	n->mtime = seen.mtime;
	n->ctime = seen.ctime;
}

struct node *
view_mapped(struct hold *h, struct node *dir, struct pinefs_name name,
    PyObject *o)
{
	return view_node(h, dir, name, shape_mapped_kind(o));
}

PyObject *
view_parse(struct hold *h, PyObject *o, const char *base, size_t len,
    int *err)
{
	PyObject *answer, *done, *v = NULL;

	if (h->broker) {
		*err = PYFS_WORKER;
		return NULL;
	}
	if (h->pf->config.ask == NULL) {
		*err = EACCES;
		return NULL;
	}
	answer = PyObject_CallFunction(h->pf->config.ask, "sO(s)y#y", "write",
	    o, "mapped", base, (Py_ssize_t)len, "");
	/* Who is to be told was told: watch_in_place. */
	if (answer != NULL && PyTuple_CheckExact(answer) &&
	    PyTuple_Size(answer) == 2) {
		done = PyObject_CallFunctionObjArgs(
		    PyTuple_GetItem(answer, 1), NULL);
		Py_DECREF(answer);
		answer = done;
	}
	if (answer == Py_None)
		v = o;
	else if (answer != NULL && PyTuple_CheckExact(answer))
		v = first_of(answer);
	Py_XINCREF(v);
	Py_XDECREF(answer);
	return v;
}
