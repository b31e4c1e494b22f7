/* SPDX-License-Identifier: MIT */
/*
 * Who wants to know of changes before they are made: audit hooks (PEP 578),
 * and what the program gave to pinefs.on_change.  Both can refuse.
 *
 * Hooks of the program are code of the program: with any, changes are made by
 * workers.  Audit hooks cannot be seen, and are called where the change is
 * made: nothing is under way there yet.
 *
 * A change of several bindings (rename, hard links) is asked for all of them
 * before the first is made; `told` of the hold says that this was done.
 */
#include "pyfs.h"

/* `at` NULL: what is named has no place in the tree but this name. */
static PyObject *
path_of(const struct node *at, struct pinefs_name name)
{
	char path[PATH_LEN_MAX];
	size_t len = at != NULL ? node_path(at, path, sizeof path) : 0;

	if (len + name.len + 2 > sizeof path)
		len = 0;
	path[len] = '/';
	memcpy(path + len + 1, name.base, name.len);
	return PyUnicode_DecodeUTF8(path, (Py_ssize_t)(len + 1 + name.len),
	    "surrogateescape");
}

static PyObject *
or_none(PyObject *o)
{
	return o != NULL ? o : Py_None;
}

static bool
is_watched(const struct hold *h)
{
	PyObject *list = h->pf->config.watchers;

	return list != NULL && PyList_Size(list) > 0;
}

/* Takes the path over. */
static int
tell(struct hold *h, PyObject *path, PyObject *old, PyObject *value)
{
	PyObject *v;

	if (path == NULL)
		return py_errno();
	v = PyObject_CallFunction(kit.audit, "sOs", "pinefs.write", path,
	    value != NULL ? "bind" : "delete");
	if (v != NULL && is_watched(h)) {
		Py_DECREF(v);
		v = PyObject_CallFunction(h->pf->config.tell, "OiOiOs", path,
		    old != NULL, or_none(old), value != NULL,
		    or_none(value), h->client != NULL ? h->client : "");
	}
	Py_DECREF(path);
	Py_XDECREF(v);
	shape_forget();
	if (v != NULL)
		return 0;
	error_why();
	PyErr_Clear();
	return EPERM;
}

int
watch_change(struct hold *h, const struct node *at, struct pinefs_name name,
    PyObject *old, PyObject *value)
{
	if (h->told)
		return 0;
	if (h->broker && is_watched(h))
		return PYFS_WORKER;
	return tell(h, path_of(at, name), old, value);
}

int
watch_within(struct hold *h, const struct node *at, struct pinefs_name name,
    PyObject *within, PyObject *old, PyObject *value)
{
	PyObject *path, *both;

	if (within == NULL)
		return watch_change(h, at, name, old, value);
	if (name.len == 0)	/* the root's */
		return tell(h, PyUnicode_FromFormat("/%U", within), old,
		    value);
	if ((path = path_of(at, name)) == NULL)
		return py_errno();
	both = PyUnicode_FromFormat("%U/%U", path, within);
	Py_DECREF(path);
	return tell(h, both, old, value);
}

int
watch_in_place(struct hold *h, const struct node *at, struct pinefs_name name,
    PyObject *old, enum shape s, const char *base, size_t len)
{
	PyObject *value;
	int err;

	if (s == SHAPE_FUNC && !h->pf->config.code)
		return EACCES;
	if ((s == SHAPE_FUNC || s == SHAPE_MAPPED) && h->broker)
		return PYFS_WORKER;	/* asked once, there */
	if (s == SHAPE_BYTEARRAY)
		value = PyByteArray_FromStringAndSize(base, (Py_ssize_t)len);
	else if (s == SHAPE_FUNC)
		value = PyUnicode_DecodeUTF8(base, (Py_ssize_t)len,
		    "surrogateescape");
	else if (s == SHAPE_MAPPED)
		value = PyBytes_FromStringAndSize(base, (Py_ssize_t)len);
	else
		return 0;
	if (value == NULL)
		return py_errno();
	err = watch_change(h, at, name, old, value);
	Py_DECREF(value);
	return err;
}
