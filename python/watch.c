/* SPDX-License-Identifier: MIT */
/*
 * Who wants to know of changes before they are made: audit hooks (PEP 578),
 * and what the program gave to pinefs.on_change.  Both can refuse.
 *
 * Hooks of the program are code of the program: with any, changes are made by
 * workers.  Audit hooks cannot be seen, and are called where the change is
 * made: nothing is under way there yet.
 */
#include "pyfs.h"

static PyObject *
path_of(const struct node *at, struct pinefs_name name)
{
	char path[PATH_LEN_MAX];
	size_t len = node_path(at, path, sizeof path);

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

int
watch_change(struct hold *h, const struct node *at, struct pinefs_name name,
    PyObject *old, PyObject *value)
{
	PyObject *list = h->pf->config.watchers, *path, *v;
	bool watched = list != NULL && PyList_Size(list) > 0;

	if (watched && h->broker)
		return PYFS_WORKER;
	if ((path = path_of(at, name)) == NULL)
		return py_errno();
	v = PyObject_CallFunction(kit.audit, "sOs", "pinefs.write", path,
	    value != NULL ? "bind" : "delete");
	if (v != NULL && watched) {
		Py_DECREF(v);
		v = PyObject_CallFunction(h->pf->config.tell, "OiOiOs", path,
		    old != NULL, or_none(old), value != NULL,
		    or_none(value), h->client != NULL ? h->client : "");
	}
	Py_DECREF(path);
	Py_XDECREF(v);
	if (v != NULL)
		return 0;
	error_why();
	PyErr_Clear();
	return EPERM;
}

int
watch_in_place(struct hold *h, const struct node *at, struct pinefs_name name,
    PyObject *old, enum shape s, const char *base, size_t len)
{
	PyObject *value;
	int err;

	if (s != SHAPE_BYTEARRAY)
		return 0;
	value = PyByteArray_FromStringAndSize(base, (Py_ssize_t)len);
	if (value == NULL)
		return py_errno();
	err = watch_change(h, at, name, old, value);
	Py_DECREF(value);
	return err;
}
