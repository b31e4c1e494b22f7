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
 * expression is evaluated once for both.
 *
 * LOOKUP finds views, READDIR does not list them: `find` runs nothing.
 */
#include "pyfs.h"

#include <stdlib.h>

#define FRESH	INT64_C(1000000000)	/* ns */

struct view {
	char		*base;
	size_t		 len;
	int64_t		 made;
	uint64_t	 changes;	/* of the server, then */
};

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

	if (h->pf->config.ask == NULL)
		return false;
	if (dir->parent == NULL && h->pf->config.control &&
	    name_equal(name, CONTROL, sizeof CONTROL - 1))
		return true;
	if (!split(name, &of, &view) ||
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
	struct node	*dir_node;
	struct pinefs_name name;
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
}

/* The object of the view at the top of the path. */
static int
about_object(struct hold *h, struct node *top, struct about *a)
{
	struct pinefs_name view;
	struct node *dir = top->parent;

	if (!split(name_of(top), &a->name, &view))
		return dir->parent == NULL ? 0 : ESTALE;
	if ((a->dir = home_walk(h, dir)) == NULL)
		return ESTALE;
	a->shape = shape_of(h->pf, a->dir);
	a->dir_node = dir;
	a->o = object_of(h, dir, a->dir, a->shape, a->name);
	if (a->o == NULL)
		return ESTALE;
	if (!name_equal(a->name, ".", 1))
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
	struct pinefs_name of, view;
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
	if (err == 0) {
		part = name_to_str(split(name_of(top), &of, &view) ? view :
		    name_of(top));
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
	return err != 0 ? err : about_object(h, top, a);
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

	if ((o = subject(a, &more)) != NULL)
		answer = PyObject_CallFunction(h->pf->config.ask, "sOOO",
		    what, o, a->path, argument != NULL ? argument :
		    more != NULL ? more : Py_None);
	Py_XDECREF(more);
	Py_XDECREF(o);
	if (answer == NULL) {
		*err = py_errno();
		error_add(h->pf, n, (struct pinefs_name){ 0 }, what, *err);
	}
	return answer;
}

/* ---------------------------------------------------------------- nodes -- */

/* What ask("look") says: f file, w one that can be written, d, l; no node. */
static struct node *
make_node(struct hold *h, struct node *dir, struct pinefs_name name,
    const char *kind)
{
	struct node *n;

	n = node_make(&h->pf->nodes, dir, name, *kind == 'd' ? PINEFS_DIR :
	    *kind == 'l' ? PINEFS_LNK : PINEFS_REG);
	if (n == NULL)
		return NULL;
	n->flags |= NODE_VIEW;
	if (*kind == 'w')
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
		*found = make_node(h, dir, name, "d");
		return *found != NULL ? 0 : ENOMEM;
	}
	if (h->broker)
		return PYFS_WORKER;
	if (dir->flags & NODE_VIEW) {
		err = about_begin(h, dir, name, &a);
	} else {
		/* A file until we know better; other kinds are other nodes. */
		if ((probe = make_node(h, dir, name, "f")) == NULL)
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
	*found = kind != NULL ? make_node(h, dir, name, kind) : NULL;
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
	return make_node(h, h->pf->nodes.root, name, "d");
}

struct node *
view_revive(struct hold *h, struct node *dir, struct pinefs_name name,
    int kind)
{
	return make_node(h, dir, name, kind == PINEFS_DIR ? "d" :
	    kind == PINEFS_LNK ? "l" : "w");
}

void
view_free(struct node *n)
{
	if (n->view == NULL)
		return;
	free(n->view->base);
	free(n->view);
	n->view = NULL;
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
	if (answer != NULL) {
		err = text_of_answer(h, n, answer, &t);
		if (err == 0 && t.len > h->pf->config.max_file)
			err = EFBIG;
		if (err == 0)
			err = keep_text(h->pf, n, &t);
		text_fini(&t);
		Py_DECREF(answer);
	}
	about_fini(h, &a);
	return err;
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

/* What the package makes of it: nothing more to do, or a value to bind. */
static int
take_answer(struct hold *h, struct about *a, PyObject *answer)
{
	PyObject *value;

	if (answer == Py_None)
		return 0;
	if (a->dir == NULL || !PyTuple_CheckExact(answer) ||
	    PyTuple_Size(answer) != 1)
		return EACCES;
	value = PyTuple_GetItem(answer, 0);
	return bind_set(h, a->dir_node, a->dir, a->shape, a->name, value);
}

/* Have the package take what was written; on a worker. */
static int
hand_over(struct hold *h, struct node *n, const char *base, size_t len)
{
	struct pinefs_name none = { 0 };
	PyObject *bytes, *answer = NULL;
	struct about a;
	int err;

	bytes = PyBytes_FromStringAndSize(base, (Py_ssize_t)len);
	if (bytes == NULL)
		return py_errno();
	if ((err = about_begin(h, n, none, &a)) == 0)
		answer = ask(h, n, &a, "write", bytes, &err);
	if (answer != NULL) {
		err = take_answer(h, &a, answer);
		Py_DECREF(answer);
	}
	about_fini(h, &a);
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
	err = hand_over(h, n, st->base, st->len);
	home_forget(h);
	if (err == 0 && n->stage != NULL && n->stage->version == version) {
		if (node_attr(h, n, NULL, SHAPE_NONE, &h->glow) == 0)
			h->glow_id = n->id;
		stage_drop(n);
		view_free(n);
	}
	node_unpin(&h->pf->nodes, n);
	return err == ESTALE || err == ENOENT ? EIO : err;
}

/* --------------------------------------------------------------- looking -- */

struct entry {
	struct pinefs_ident	 id;
	uint64_t		 cookie;
	size_t			 at;		/* of the name in `names` */
	uint32_t		 len;
	uint8_t			 own[OWN_MAX];
	struct pinefs_attr	 attr;
};

/* A look that waits for a worker. */
struct look {
	struct job		 job;
	enum view_look		 what;
	struct pinefs_call	*call;
	struct node		*n;		/* pinned */
	struct pinefs_name	 name;
	char			 name_bytes[NAME_LEN_MAX];
	uint64_t		 off;
	uint32_t		 count;
	/* Results, and where they go: */
	struct entry		*entries;
	size_t			 nentries;
	struct sbuf		 bytes;		/* text; names of entries */
	struct pinefs_attr	 attr;
	struct pinefs_ident	 id;
	uint8_t			 own[OWN_MAX];
	bool			 eof;
	struct view_to		 to;
};

static void
look_fini(struct job *job)
{
	struct look *l = (struct look *)job;

	sbuf_fini(&l->bytes);
	free(l->entries);
}

static void
own_ident(struct node *n, struct pinefs_ident *id, uint8_t own[OWN_MAX])
{
	*id = (struct pinefs_ident){ .fileid = n->id, .generation = 1 };
	id->own_len = (uint32_t)node_own(n, own);
}

static int
look_lookup(struct hold *h, struct look *l)
{
	struct node *child;
	int err;

	if ((err = view_find(h, l->n, l->name, &child)) == 0)
		own_ident(child, &l->id, l->own);
	return err;
}

static int
look_read(struct hold *h, struct look *l)
{
	struct text t = { 0 };
	size_t n = 0;
	int err;

	if ((err = view_text_from(h, l->n, l->off, &t)) != 0)
		return err;
	if (l->off < t.len) {
		n = t.len - (size_t)l->off;
		n = n < l->count ? n : l->count;
		err = sbuf_add(&l->bytes, t.base + l->off, n);
	}
	l->eof = l->off + n >= t.len;
	text_fini(&t);
	return err;
}

/* Sizes are not known before somebody looks at the file itself. */
static void
entry_attr(struct hold *h, struct node *n, struct pinefs_attr *a)
{
	struct view *kept = n->view, none = { .base = NULL };

	none.made = pyfs_clock();
	none.changes = h->pf->changes;
	n->view = &none;
	(void)node_attr(h, n, NULL, SHAPE_NONE, a);
	n->view = kept;
}

static int
add_entry(struct hold *h, struct look *l, PyObject *pair)
{
	PyObject *key, *kind;
	struct entry *e = &l->entries[l->nentries];
	struct pinefs_name name;
	bool scan = false;
	struct node *n;
	size_t at = l->bytes.len;
	int err;

	if (!PyTuple_CheckExact(pair) || PyTuple_Size(pair) != 2)
		return EIO;
	key = PyTuple_GetItem(pair, 0);
	kind = PyTuple_GetItem(pair, 1);
	if (!PyUnicode_CheckExact(kind) || kit.utf8(kind, NULL) == NULL)
		return EIO;
	if ((err = name_of_key(&l->bytes, NULL, key, &scan)) != 0)
		return err;
	name = (struct pinefs_name){ l->bytes.base + at,
	    (uint32_t)(l->bytes.len - at) };
	n = make_node(h, l->n, name, kit.utf8(kind, NULL));
	if (n == NULL)
		return ENOMEM;
	own_ident(n, &e->id, e->own);
	e->at = at;
	e->len = name.len;
	e->cookie = cookie_of(name, SHAPE_DICT);
	entry_attr(h, n, &e->attr);
	l->nentries++;
	return 0;
}

static int
by_cookie(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

static int
look_readdir(struct hold *h, struct look *l)
{
	struct pinefs_name none = { 0 };
	PyObject *answer = NULL;
	struct about a;
	Py_ssize_t i, n;
	size_t j;
	int err;

	if ((err = about_begin(h, l->n, none, &a)) == 0)
		answer = ask(h, l->n, &a, "list", NULL, &err);
	about_fini(h, &a);
	if (answer == NULL)
		return err;
	n = PyList_CheckExact(answer) ? PyList_Size(answer) : 0;
	l->entries = calloc((size_t)n + 1, sizeof l->entries[0]);
	err = l->entries != NULL ? 0 : ENOMEM;
	for (i = 0; i < n && err == 0; i++)
		err = add_entry(h, l, PyList_GetItem(answer, i));
	Py_DECREF(answer);
	if (err != 0)
		return err;
	qsort(l->entries, l->nentries, sizeof l->entries[0], by_cookie);
	for (j = 1; j < l->nentries; j++)
		if (l->entries[j].cookie <= l->entries[j - 1].cookie)
			l->entries[j].cookie = l->entries[j - 1].cookie + 1;
	return 0;
}

/* `name` is that of a view beside or in a directory. */
static int
look_getxattr(struct hold *h, struct look *l)
{
	struct text t = { 0 };
	struct node *n;
	int err;

	if ((err = view_find(h, l->n, l->name, &n)) != 0)
		return err == ENOENT ? ENODATA : err;
	if (n->kind == PINEFS_DIR)
		return ENODATA;
	node_pin(n);
	if ((err = view_text(h, n, &t)) == 0)
		err = sbuf_add(&l->bytes, t.base, t.len);
	text_fini(&t);
	node_unpin(&h->pf->nodes, n);
	return err == ESTALE ? ENODATA : err;
}

static int
look_setxattr(struct hold *h, struct look *l)
{
	struct node *n;
	int err;

	if ((err = view_find(h, l->n, l->name, &n)) != 0)
		return err == ENOENT ? ENODATA : err;
	if (!(n->flags & NODE_WRITABLE))
		return EACCES;
	node_pin(n);
	err = hand_over(h, n, l->bytes.base, l->bytes.len);
	if (err == 0)
		h->pf->changes++;
	node_unpin(&h->pf->nodes, n);
	return err;
}

static int
look_run(struct job *job, struct hold *h)
{
	struct look *l = (struct look *)job;
	int err = EIO;

	switch (l->what) {
	case VIEW_LOOKUP:
		err = look_lookup(h, l);
		break;
	case VIEW_GETATTR:
		err = node_attr(h, l->n, NULL, SHAPE_NONE, &l->attr);
		break;
	case VIEW_READ:
		err = look_read(h, l);
		break;
	case VIEW_READDIR:
		err = look_readdir(h, l);
		break;
	case VIEW_GETXATTR:
		err = look_getxattr(h, l);
		break;
	case VIEW_SETXATTR:
		err = look_setxattr(h, l);
		break;
	}
	node_unpin(&h->pf->nodes, l->n);
	return err;
}

static void
emit_entries(struct look *l)
{
	struct entry *e;

	for (e = l->entries; e < l->entries + l->nentries; e++) {
		if (e->cookie <= l->off)
			continue;
		e->id.own = e->own;
		if (pinefs_emit(l->to.emit, (struct pinefs_name){
		    l->bytes.base + e->at, e->len }, &e->id, e->cookie,
		    &e->attr) != 0)
			break;
	}
}

static int
deliver_ident(struct look *l)
{
	uint8_t *copy;

	if (l->id.own_len > 0) {
		copy = pinefs_call_alloc(l->call, l->id.own_len);
		if (copy == NULL)
			return ENOMEM;
		memcpy(copy, l->own, l->id.own_len);
		l->id.own = copy;
	}
	*l->to.id = l->id;
	return 0;
}

static void
look_done(struct job *job, int err)
{
	struct look *l = (struct look *)job;

	if (err == 0 && l->what == VIEW_LOOKUP)
		err = deliver_ident(l);
	if (err == 0 && l->what == VIEW_GETATTR)
		*l->to.attr = l->attr;
	if (err == 0 && l->what == VIEW_READDIR)
		emit_entries(l);
	if (err == 0 && l->what == VIEW_GETXATTR)
		err = pinefs_out_copy(l->to.out, l->bytes.base,
		    l->bytes.len);
	if (err == 0 && l->what == VIEW_READ) {
		err = pinefs_out_copy(l->to.out, l->bytes.base,
		    l->bytes.len);
		if (l->eof)
			pinefs_out_eof(l->to.out);
	}
	pinefs_complete(l->call, err);
}

/* What the client wants to be written: the call may end before the work. */
static int
copy_in(struct look *l, struct pinefs_in *in)
{
	const struct iovec *iov;
	unsigned n, i;
	int err = 0;

	if (in == NULL)
		return 0;
	iov = pinefs_in_iov(in, &n);
	for (i = 0; i < n && err == 0; i++)
		err = sbuf_add(&l->bytes, iov[i].iov_base, iov[i].iov_len);
	return err;
}

int
view_look(struct op *op, struct pinefs_call *call, enum view_look what,
    struct pinefs_name name, uint64_t off, uint32_t count,
    const struct view_to *to)
{
	struct pyfs *pf = op->h.pf;
	struct look *l = calloc(1, sizeof *l);
	int err;

	if (l == NULL)
		return ENOMEM;
	l->what = what;
	l->call = call;
	l->n = op->n;
	l->off = off;
	l->count = count;
	l->to = *to;
	if (name.len > 0)
		memcpy(l->name_bytes, name.base, name.len);
	l->name = (struct pinefs_name){ l->name_bytes, name.len };
	if ((err = copy_in(l, to->in)) != 0) {
		free(l);
		return err;
	}
	l->job = (struct job){ .pf = pf, .run = look_run, .done = look_done,
	    .fini = look_fini,
	    .time_box = (int64_t)pf->config.time_box * 1000000 };
	node_pin(l->n);
	if ((err = worker_do(&l->job)) == 0)
		return PINEFS_LATER;
	node_unpin(&pf->nodes, op->n);
	look_fini(&l->job);
	free(l);
	return err;
}
