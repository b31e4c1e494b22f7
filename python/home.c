/* SPDX-License-Identifier: MIT */
/*
 * From a path to the object that is bound there, and from a container to the
 * one path where it is a directory: its home.
 *
 * Everywhere else a container is a symbolic link to its home.  So the tree
 * is one, `find` ends, and each object is met once.  A module's home is its
 * name, a class's its module and qualified name, anything else's the first
 * path under which a client met it.  Only (address, path) is remembered, and
 * it is checked at each use by walking there: an address that is used again
 * for another object finds that the old path leads elsewhere.
 *
 * A path counts only if each directory on it is at home there, too; else two
 * links could lead to each other.
 */
#include "pyfs.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

enum { HOPS_MAX = 16 };

static struct pinefs_name
name_of(const struct node *n)
{
	return (struct pinefs_name){ n->name, n->name_len };
}

static bool
serves_modules(const struct hold *h)
{
	return h->pf->config.root == NULL;
}

static PyObject *
root_object(const struct hold *h)
{
	PyObject *root = h->pf->config.root;

	if (root == NULL)
		root = PyImport_GetModuleDict();
	Py_XINCREF(root);
	return root;
}

/* --------------------------------------------------------------- hiding -- */

/*
 * A pattern without a separator is for names anywhere, one with separators
 * for whole paths; one that ends in "..." is for all that is below.
 */
static bool
matches(const char *pattern, const char *path, const char *name, char slash)
{
	size_t len = strlen(pattern);

	if (strchr(pattern, slash) == NULL)
		return fnmatch(pattern, name, 0) == 0;
	if (len > 3 && strcmp(pattern + len - 3, "...") == 0)
		return strncmp(pattern, path, len - 3) == 0;
	return fnmatch(pattern, path, FNM_PATHNAME) == 0;
}

/*
 * The path of a directory, without what makes it a view: /app/conf@attrs is
 * /app/conf here, and so is /app/conf/.@attrs.
 */
static size_t
plain_path(const struct node *dir, char *buf, size_t size)
{
	size_t len = node_path(dir, buf, size), at;
	const struct node *top = dir;
	const char *mark;

	if (!(dir->flags & NODE_VIEW) || len >= size)
		return len;
	while (top->parent->flags & NODE_VIEW)
		top = top->parent;
	if ((mark = memrchr(top->name, '@', top->name_len)) == NULL)
		return len;
	at = node_path(top->parent, NULL, 0) + 1 +
	    (size_t)(mark - top->name);
	memmove(buf + at, buf + at + strlen(mark), len + 1 - at -
	    strlen(mark));
	len -= strlen(mark);
	if (mark == top->name + 1 && *top->name == '.') {
		memmove(buf + at - 2, buf + at, len + 1 - at);
		len -= 2;
	}
	return len;
}

/* Where no path can be made for them, all patterns of paths match. */
static bool
match_long(char *const *patterns, const char *name, char slash)
{
	for (; *patterns != NULL; patterns++)
		if (strchr(*patterns, slash) != NULL ||
		    fnmatch(*patterns, name, 0) == 0)
			return true;
	return false;
}

bool
home_match(char *const *patterns, const struct node *parent,
    struct pinefs_name name, char slash)
{
	char path[PATH_LEN_MAX], last[NAME_LEN_MAX + 1];
	size_t len, i;

	if (patterns == NULL || *patterns == NULL)
		return false;
	memcpy(last, name.base, name.len);
	last[name.len] = '\0';
	len = plain_path(parent, path, sizeof path);
	if (len + 1 + name.len >= sizeof path)
		return match_long(patterns, last, slash);
	path[len] = '/';
	memcpy(path + len + 1, last, name.len + 1u);
	for (i = 0; path[i] != '\0' && slash != '/'; i++)
		if (path[i] == '/')
			path[i] = slash;
	for (; *patterns != NULL; patterns++)
		if (matches(*patterns, slash == '/' ? path : path + 1, last,
		    slash))
			return true;
	return false;
}

/* No pattern begins with this letter: the usual case, and cheap. */
static bool
none_begins_so(char *const *patterns, char first)
{
	for (; *patterns != NULL; patterns++)
		if (strchr("*?[", **patterns) != NULL ||
		    strchr(*patterns, '.') == NULL || **patterns == first)
			return false;
	return true;
}

/* The next part of a dotted path, or NULL. */
static const char *
next_part(const char *p, char part[NAME_LEN_MAX + 1])
{
	size_t len;

	if (*p == '\0')
		return NULL;
	len = strcspn(p, ".");
	if (len > NAME_LEN_MAX)
		len = NAME_LEN_MAX;
	memcpy(part, p, len);
	part[len] = '\0';
	return p[len] == '.' ? p + len + 1 : p + len;
}

/*
 * A pattern includes what it names, all that is below, and what leads there:
 * part by part, as far as both go.
 */
static bool
includes(const char *pattern, const char *path)
{
	char want[NAME_LEN_MAX + 1], part[NAME_LEN_MAX + 1];

	while ((pattern = next_part(pattern, want)) != NULL &&
	    (path = next_part(path, part)) != NULL)
		if (fnmatch(want, part, 0) != 0)
			return false;
	return true;
}

static bool
is_included(char *const *patterns, const struct node *parent,
    struct pinefs_name name)
{
	char path[PATH_LEN_MAX];
	size_t len = plain_path(parent, path, sizeof path), i;

	if (len + name.len + 2 > sizeof path)
		return true;	/* what led here was included */
	path[len] = '.';
	memcpy(path + len + 1, name.base, name.len);
	path[len + 1 + name.len] = '\0';
	for (i = 0; i < len; i++)
		if (path[i] == '/')
			path[i] = '.';
	for (; *patterns != NULL; patterns++)
		if (includes(*patterns, path + 1))
			return true;
	return false;
}

bool
home_excludes(const struct pyfs *pf, const struct node *parent,
    struct pinefs_name name)
{
	char *const *exclude = pf->config.exclude;
	const struct node *top = parent;
	char first = name.base[0];

	if (pf->config.hide_private && name.len > 0 && first == '_' &&
	    !(name.len > 4 && memcmp(name.base, "__", 2) == 0))
		return true;
	if (exclude == NULL)
		return false;
	while (top->parent != NULL) {
		first = top->name[0];
		top = top->parent;
	}
	if (none_begins_so(exclude, first))
		return false;
	return home_match(exclude, parent, name, '.');
}

bool
home_hides(const struct pyfs *pf, const struct node *parent,
    struct pinefs_name name)
{
	if (parent->parent == NULL && pf->config.control &&
	    name_equal(name, ".pyfs", 5))
		return false;	/* no name of the program's */
	if (pf->config.include != NULL &&
	    !is_included(pf->config.include, parent, name))
		return true;
	return home_excludes(pf, parent, name);
}

bool
home_would_show(const struct pyfs *pf, const struct node *dir,
    const struct node *parent, struct pinefs_name name)
{
	char *one[2] = { NULL, NULL };
	char *const *p;

	for (p = pf->config.exclude; p != NULL && *p != NULL; p++) {
		one[0] = *p;
		if (strchr(*p, '.') != NULL &&
		    is_included(one, dir->parent, name_of(dir)) &&
		    !is_included(one, parent, name))
			return true;
	}
	return false;
}

/* No name of the program's: only patterns of names are for it. */
static bool
is_in_control(const struct pyfs *pf, const struct node *dir)
{
	while (dir->parent != NULL && dir->parent->parent != NULL)
		dir = dir->parent;
	return dir->parent != NULL && pf->config.control &&
	    name_equal(name_of(dir), ".pyfs", 5);
}

bool
home_hides_made(const struct pyfs *pf, const struct node *dir,
    struct pinefs_name name)
{
	if (is_in_control(pf, dir))
		return home_excludes(pf, pf->nodes.root, name);
	return home_hides(pf, dir, name);
}

/* --------------------------------------------------- homes by the name -- */

/* A new reference, or NULL without an exception. */
static PyObject *
module_named(PyObject *name)
{
	PyObject *m;

	if (name == NULL || !PyUnicode_CheckExact(name))
		return NULL;
	/* A key that compares in its own way can take it away meanwhile. */
	Py_INCREF(name);
	m = PyDict_GetItemWithError(PyImport_GetModuleDict(), name);
	Py_DECREF(name);
	if (m == NULL)
		PyErr_Clear();
	if (m == NULL || !PyModule_Check(m))
		return NULL;
	Py_INCREF(m);
	return m;
}

static struct node *
make_named(struct hold *h, struct node *parent, PyObject *name)
{
	struct sbuf b = { 0 };
	struct pinefs_name escaped;
	struct node *n = NULL;
	bool scan = false;

	if (name_of_key(&b, NULL, name, &scan) == 0) {
		escaped = (struct pinefs_name){ b.base, (uint32_t)b.len };
		if (!home_hides(h->pf, parent, escaped))
			n = node_make(&h->pf->nodes, parent, escaped,
			    PINEFS_DIR);
	}
	sbuf_fini(&b);
	return n;
}

static struct node *
home_of_module(struct hold *h, PyObject *module)
{
	PyObject *dict = PyModule_GetDict(module), *name, *named;
	struct node *n = NULL;

	if (dict == NULL)
		return NULL;
	name = PyDict_GetItemWithError(dict, kit.s_name);
	Py_XINCREF(name);
	PyErr_Clear();
	named = module_named(name);
	if (named == module)
		n = make_named(h, h->pf->nodes.root, name);
	if (named != NULL)
		bind_drop(h, named);
	if (name != NULL)
		bind_drop(h, name);
	return n;
}

/*
 * Follow a qualified name through classes that are at home themselves.
 * `dict` is where the first part is looked up, `n` its node.
 */
static struct node *
home_by_parts(struct hold *h, struct node *n, PyObject *dict,
    PyObject *parts, PyObject *cls)
{
	Py_ssize_t i, last = PyList_Size(parts) - 1;
	PyObject *part, *v;
	struct node *next;

	Py_INCREF(dict);
	for (i = 0; n != NULL && dict != NULL && i <= last; i++) {
		part = PyList_GetItem(parts, i);
		v = PyDict_GetItemWithError(dict, part);
		Py_XINCREF(v);
		PyErr_Clear();
		Py_DECREF(dict);
		dict = NULL;
		if (v == NULL)
			return NULL;
		next = NULL;
		if (PyType_Check(v) && (i == last) == (v == cls))
			next = i == last ? make_named(h, n, part) :
			    home_find(h, v, SHAPE_CLASS);
		if (i < last && next != NULL)
			dict = shape_dict(SHAPE_CLASS, v);
		bind_drop(h, v);
		if (i == last)
			n = next;
		else
			n = next != NULL && next->parent == n ? next : NULL;
	}
	Py_XDECREF(dict);
	return i > last ? n : NULL;
}

static struct node *
home_of_class(struct hold *h, PyObject *cls)
{
	PyObject *module, *qualname, *parts = NULL, *m, *dot;
	struct node *n = NULL;

	module = PyObject_CallFunctionObjArgs(kit.type_module, cls, NULL);
	PyErr_Clear();
	qualname = PyObject_CallFunctionObjArgs(kit.type_qualname, cls, NULL);
	PyErr_Clear();
	m = module_named(module);
	dot = PyUnicode_FromString(".");
	if (m != NULL && dot != NULL && qualname != NULL &&
	    PyUnicode_CheckExact(qualname) && PyModule_GetDict(m) != NULL)
		parts = PyUnicode_Split(qualname, dot, -1);
	if (parts != NULL)
		n = home_by_parts(h, home_of_module(h, m),
		    PyModule_GetDict(m), parts, cls);
	PyErr_Clear();
	if (m != NULL)
		bind_drop(h, m);
	Py_XDECREF(parts);
	Py_XDECREF(dot);
	Py_XDECREF(qualname);
	Py_XDECREF(module);
	return n;
}

/* The dict of a module, met as a dict (`__builtins__`): that module. */
static struct node *
home_of_dict(struct hold *h, PyObject *dict)
{
	struct node *n = NULL;
	PyObject *m;

	if (dict == PyImport_GetModuleDict())
		return h->pf->nodes.root;
	m = module_named(PyDict_GetItemWithError(dict, kit.s_name));
	PyErr_Clear();
	if (m == NULL)
		return NULL;
	if (PyModule_GetDict(m) == dict)
		n = home_find(h, m, SHAPE_MODULE);
	bind_drop(h, m);
	return n;
}

/* ---------------------------------------------------------------- homes -- */

static struct node *
home_remembered(struct hold *h, PyObject *o)
{
	struct node *n = node_by_home(&h->pf->nodes, o);
	PyObject *there;
	bool same;

	if (n == NULL)
		return NULL;
	there = home_walk(h, n);
	same = there == o;
	if (there != NULL)
		bind_drop(h, there);
	/* The walk can have found another home for it. */
	return same ? node_by_home(&h->pf->nodes, o) : NULL;
}

struct node *
home_find(struct hold *h, PyObject *o, enum shape s)
{
	struct node *n = NULL;

	if (s == SHAPE_DICT && serves_modules(h) &&
	    (n = home_of_dict(h, o)) != NULL)
		return n;
	if ((n = home_remembered(h, o)) != NULL)
		return n;
	if (serves_modules(h) && s == SHAPE_MODULE)
		n = home_of_module(h, o);
	else if (serves_modules(h) && s == SHAPE_CLASS)
		n = home_of_class(h, o);
	if (n != NULL)
		node_set_home(&h->pf->nodes, n, o);
	return n;
}

static bool
is_at(const struct node *n, const struct node *parent,
    struct pinefs_name name)
{
	return n->parent == parent && name_equal(name, n->name, n->name_len);
}

/*
 * The node of a container at a place: there it is at home, moves in, or is
 * at home elsewhere and linked to.
 */
static struct node *
place_container(struct hold *h, struct node *parent, struct pinefs_name name,
    PyObject *o, enum shape s)
{
	struct node *n = home_find(h, o, s);

	if (n != NULL && is_at(n, parent, name))
		return n;
	if (n != NULL)
		return node_make(&h->pf->nodes, parent, name, PINEFS_LNK);
	n = node_make(&h->pf->nodes, parent, name, PINEFS_DIR);
	if (n != NULL) {
		n->flags &= (uint16_t)~NODE_VIEW;
		node_set_home(&h->pf->nodes, n, o);
	}
	return n;
}

static bool
is_bound_to(struct hold *h, struct node *n, PyObject *o)
{
	PyObject *there = home_walk(h, n);

	if (there != NULL)
		bind_drop(h, there);
	return there == o;
}

/* Hard links are one file only while their values are one object. */
static void
check_link(struct hold *h, struct node *n, PyObject *o)
{
	struct node *m, *next;

	if (node_lead(n)->binding > 0)
		return;		/* some have the new value already */
	if (n->leader != NULL) {
		if (!is_bound_to(h, n->leader, o))
			node_unlink(n);
		return;
	}
	for (m = n->link_next; m != NULL && m != n; m = next) {
		next = m->link_next;
		if (!is_bound_to(h, m, o))
			node_unlink(m);
	}
}

struct node *
home_child(struct hold *h, struct node *parent, struct pinefs_name name,
    PyObject *o, enum shape s)
{
	struct node *n;

	if (shape_is_dir(s) && node_depth(parent) < DEPTH_MAX) {
		node_pin(parent);
		n = place_container(h, parent, name, o, s);
		node_unpin(&h->pf->nodes, parent);
		return n;
	}
	if (shape_is_mapped(s))
		return view_mapped(h, parent, name, o);
	n = node_make(&h->pf->nodes, parent, name,
	    s == SHAPE_SYMLINK ? PINEFS_LNK : PINEFS_REG);
	if (n != NULL)	/* it may have had a mapper */
		n->flags &= (uint16_t)~(NODE_VIEW | NODE_WRITABLE);
	if (n != NULL && n->link_next != NULL)
		check_link(h, n, o);
	return n;
}

/* -------------------------------------------------------------- walking -- */

static void
memo_keep(struct hold *h, struct node *n, PyObject *o)
{
	if (!h->broker || n->memo != NULL)
		return;
	Py_INCREF(o);
	n->memo = o;
	n->memo_next = h->pf->memos;
	h->pf->memos = n;
}

void
home_forget(struct hold *h)
{
	struct node *n;
	PyObject *o;

	if (!h->broker)
		return;
	h->pf->hold++;
	while ((n = h->pf->memos) != NULL) {
		h->pf->memos = n->memo_next;
		o = n->memo;
		n->memo = NULL;
		node_reap(&h->pf->nodes, n);
		bind_drop(h, o);
	}
}

/* Is what is bound there of the node's kind? */
static bool
is_kind(struct hold *h, struct node *n, PyObject *o)
{
	enum shape s = shape_of(h->pf, o);
	struct node *at;

	if (s == SHAPE_SYMLINK)
		return n->kind == PINEFS_LNK;
	if (shape_is_mapped(s))		/* since a moment ago */
		return false;
	if (!shape_is_dir(s) || node_depth(n) > DEPTH_MAX)
		return n->kind == PINEFS_REG;
	if (n->kind == PINEFS_REG)
		return false;
	if (n->kind == PINEFS_DIR && n->home == o)
		return true;
	at = place_container(h, n->parent, name_of(n), o, s);
	return at == n;
}

static PyObject *
walk_from_parent(struct hold *h, struct node *n)
{
	PyObject *dir = home_walk(h, n->parent), *o = NULL;

	if (dir == NULL)
		return NULL;
	if (!home_hides(h->pf, n->parent, name_of(n)))
		o = child_get(h, dir, shape_of(h->pf, dir), name_of(n));
	bind_drop(h, dir);
	if (o != NULL && !is_kind(h, n, o)) {
		bind_drop(h, o);
		return NULL;
	}
	return o;
}

PyObject *
home_walk(struct hold *h, struct node *n)
{
	PyObject *o;

	if (n->parent == NULL)
		return root_object(h);
	if (h->broker && n->memo != NULL) {
		Py_INCREF(n->memo);
		return n->memo;
	}
	if (n->flags & (NODE_DEAD | NODE_SHADOW | NODE_AWAY | NODE_WALKING |
	    NODE_VIEW))
		return NULL;
	n->flags |= NODE_WALKING;
	node_pin(n);
	if ((o = walk_from_parent(h, n)) != NULL)
		memo_keep(h, n, o);
	n->flags &= (uint16_t)~NODE_WALKING;
	node_unpin(&h->pf->nodes, n);
	return o;
}

/* ---------------------------------------------------------------- links -- */

static const struct node *
common_parent(const struct node *a, const struct node *b)
{
	unsigned da = node_depth(a), db = node_depth(b);

	for (; da > db; da--)
		a = a->parent;
	for (; db > da; db--)
		b = b->parent;
	while (a != b) {
		a = a->parent;
		b = b->parent;
	}
	return a;
}

int
home_link_text(struct hold *h, struct node *n, PyObject *o, enum shape s,
    struct text *t)
{
	char path[PATH_LEN_MAX], up[3 * DEPTH_MAX + 4];
	const struct node *top, *p;
	struct node *home;
	size_t skip, len = 0;

	if (s == SHAPE_SYMLINK)
		return value_render(h->pf, o, SHAPE_STR, t);
	if ((home = home_find(h, o, s)) == NULL)
		return ESTALE;
	top = common_parent(n->parent, home);
	for (p = n->parent; p != top; p = p->parent) {
		memcpy(up + len, "../", 3);
		len += 3;
	}
	up[len] = '\0';
	if (node_path(home, path, sizeof path) >= sizeof path)
		return ENAMETOOLONG;
	skip = node_path(top, NULL, 0);
	if (path[skip] == '\0') {	/* home is above: "../..", or "." */
		if (len == 0)
			return text_printf(t, ".");
		up[len - 1] = '\0';
		return text_printf(t, "%s", up);
	}
	return text_printf(t, "%s%s", up, path + skip + 1);
}

/* One component further; `n` is a directory.  The object, or NULL. */
static PyObject *
step(struct hold *h, struct node **n, struct pinefs_name part, int *hops)
{
	PyObject *dir = home_walk(h, *n), *o = NULL;
	struct node *child;
	enum shape s;

	if (dir == NULL)
		return NULL;
	o = child_get(h, dir, shape_of(h->pf, dir), part);
	bind_drop(h, dir);
	if (o == NULL)
		return NULL;
	if (home_hides(h->pf, *n, part)) {
		bind_drop(h, o);
		return NULL;
	}
	s = shape_of(h->pf, o);
	child = home_child(h, *n, part, o, s);
	if (child != NULL && child->kind == PINEFS_LNK &&
	    s != SHAPE_SYMLINK)
		child = home_find(h, o, s);
	if (child == NULL || --*hops < 0) {
		bind_drop(h, o);
		return NULL;
	}
	*n = child;
	return o;
}

PyObject *
home_follow(struct hold *h, struct node *dir, struct pinefs_name target)
{
	const char *p = target.base, *end = p + target.len, *slash;
	struct pinefs_name part;
	PyObject *o = NULL;
	int hops = DEPTH_MAX;

	if (target.len == 0 || *p == '/')
		return NULL;	/* we do not know where we are mounted */
	for (; p < end; p = slash + 1) {
		slash = memchr(p, '/', (size_t)(end - p));
		if (slash == NULL)
			slash = end;
		part = (struct pinefs_name){ p, (uint32_t)(slash - p) };
		if (o != NULL)
			bind_drop(h, o);
		o = NULL;
		if (part.len == 0 || name_equal(part, ".", 1)) {
			o = home_walk(h, dir);
		} else if (name_equal(part, "..", 2)) {
			if (dir->parent == NULL)
				return NULL;
			dir = dir->parent;
			o = home_walk(h, dir);
		} else {
			o = step(h, &dir, part, &hops);
		}
		if (o == NULL)
			return NULL;
	}
	return o;
}

/* -------------------------------------------------------------- handles -- */

static struct node *
follow_own(struct hold *h, struct node *n, const char *p, const char *end,
    int kind)
{
	const char *slash;
	PyObject *o;
	struct node *child;
	enum shape s;
	struct pinefs_name part;
	PyObject *dir;
	bool view, lost;

	for (; p < end; p = slash) {
		p++;	/* the slash before each part */
		slash = memchr(p, '/', (size_t)(end - p));
		if (slash == NULL)
			slash = end;
		part = (struct pinefs_name){ p, (uint32_t)(slash - p) };
		view = n->flags & NODE_VIEW;
		dir = view ? NULL : home_walk(h, n);
		if (dir == NULL && !view)
			return NULL;
		o = NULL;
		if (!view) {
			s = shape_of(h->pf, dir);
			o = child_get(h, dir, s, part);
			view = o == NULL && view_is_name(h, n, dir, s, part);
			bind_drop(h, dir);
		}
		if (view) {
			n = view_revive(h, n, part, slash < end ? PINEFS_DIR :
			    kind);
			if (n == NULL)
				return NULL;
			continue;
		}
		if (o == NULL)
			return NULL;
		s = shape_of(h->pf, o);
		/* A link to what nobody has met yet is not its home. */
		lost = slash == end && kind == PINEFS_LNK && shape_is_dir(s) &&
		    home_find(h, o, s) == NULL;
		child = lost ? NULL : home_child(h, n, part, o, s);
		bind_drop(h, o);
		if (child == NULL ||
		    (slash < end && child->kind != PINEFS_DIR))
			return NULL;
		n = child;
	}
	return n->kind == kind ? n : NULL;
}

static struct node *
follow_module(struct hold *h, struct pinefs_name module, PyObject *o,
    const uint8_t *own, size_t len)
{
	const char *rest = (const char *)own + 5;
	struct node *n;

	n = home_child(h, h->pf->nodes.root, module, o, shape_of(h->pf, o));
	if (n == NULL || (len > 5 && n->kind != PINEFS_DIR))
		return NULL;
	return follow_own(h, n, rest, rest + len - 5, own[0]);
}

/* The path in a handle; what is bound there now is meant. */
static struct node *
revive(struct hold *h, const struct pinefs_ident *id)
{
	const uint8_t *own = id->own;
	struct pinefs_name name;
	struct node *n = NULL;
	struct listing l;
	PyObject *root;
	uint32_t want;
	size_t i;

	if (id->own_len < 5 || (root = root_object(h)) == NULL)
		return NULL;
	want = (uint32_t)own[1] << 24 | (uint32_t)own[2] << 16 |
	    (uint32_t)own[3] << 8 | own[4];
	if ((n = view_control(h, want)) != NULL) {
		bind_drop(h, root);
		n = follow_own(h, n, (const char *)own + 5,
		    (const char *)own + id->own_len, own[0]);
		return n != NULL && n->id == id->fileid ? n : NULL;
	}
	if (listing_make(h, NULL, root, shape_of(h->pf, root), &l) == 0) {
		for (i = 0; i < l.n && n == NULL; i++) {
			name = (struct pinefs_name){
			    l.names.base + l.items[i].at, l.items[i].len };
			if (node_module_hash(name) == want)
				n = follow_module(h, name, l.items[i].value,
				    own, id->own_len);
			if (n != NULL && node_lead(n)->id != id->fileid)
				n = NULL;
		}
	}
	listing_fini(h, &l);
	bind_drop(h, root);
	return n;
}

struct node *
home_node(struct hold *h, const struct pinefs_ident *id)
{
	struct node *n = node_by_id(&h->pf->nodes, id->fileid);

	if (n == NULL)
		n = revive(h, id);
	return n == NULL || n->flags & NODE_DEAD ? NULL : n;
}
