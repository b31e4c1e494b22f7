/* SPDX-License-Identifier: MIT */
/*
 * The last failures, with their reasons: .pyfs/errors.  NFS has numbers only,
 * and the person at the shell wants to know what was wrong with the text.
 */
#include "pyfs.h"

#include <stdlib.h>
#include <time.h>

/* Its str() is Python's own, and shows nothing whose own is the user's. */
static bool
prints_plainly(PyObject *type, PyObject *value)
{
	PyObject *args;
	bool plain;

	if (PyType_GetFlags((PyTypeObject *)type) & Py_TPFLAGS_HEAPTYPE)
		return false;
	if (!PyExceptionInstance_Check(value))
		return value_is_plain(value);
	if (TYPE_OF(value) != type)
		return false;
	args = PyObject_GetAttrString(value, "args");
	plain = args != NULL && value_is_plain(args);
	Py_XDECREF(args);
	PyErr_Clear();
	return plain;
}

static void
put(char *to, size_t size, PyObject *str, size_t *at)
{
	struct text t = { 0 };
	size_t len;

	if (str == NULL)
		return;
	if (value_render(NULL, str, SHAPE_STR, &t) == 0) {
		len = t.len < size - *at - 1 ? t.len : size - *at - 1;
		memcpy(to + *at, t.base, len);
		*at += len;
	}
	to[*at] = '\0';
	text_fini(&t);
}

/* Of the last exception in this thread. */
static _Thread_local char why[200];

void
error_forget(void)
{
	why[0] = '\0';
}

const char *
error_said(void)
{
	return why;
}

void
error_why(void)
{
	PyObject *type, *value, *trace, *name, *str = NULL;
	size_t at = 0;

	why[0] = '\0';
	PyErr_Fetch(&type, &value, &trace);
	if (type == NULL)
		return;
	if (PyType_Check(type)) {
		name = PyObject_CallFunctionObjArgs(kit.type_qualname, type,
		    NULL);
		put(why, sizeof why, name, &at);
		Py_XDECREF(name);
		if (value != NULL && (!gil_is_held() ||
		    prints_plainly(type, value)))
			str = PyObject_Str(value);
	}
	PyErr_Clear();
	if (str != NULL && at + 3 < sizeof why) {
		memcpy(why + at, ": ", 2);
		at += 2;
		put(why, sizeof why, str, &at);
	}
	Py_XDECREF(str);
	PyErr_Clear();
	PyErr_Restore(type, value, trace);
}

void
error_add(struct pyfs *pf, const struct node *n, struct pinefs_name name,
    const char *what, int err)
{
	struct error *e;
	size_t len;

	/* Not there, or there already: nobody's failure. */
	if (err <= 0 || err == ENOENT || err == EEXIST || err == ESTALE ||
	    err == ENOTEMPTY)
		return;
	pf->changes++;		/* of .pyfs/errors */
	e = &pf->errors[pf->nerrors++ % ERRORS_KEPT];
	e->at = time(NULL);
	e->err = err;
	e->what = what;
	(void)PyOS_snprintf(e->why, sizeof e->why, "%s", why[0] != '\0' ?
	    why : strerror(err));
	len = node_path(n, e->path, sizeof e->path);
	if (name.len > 0 && len + name.len + 2 <= sizeof e->path) {
		e->path[len] = '/';
		memcpy(e->path + len + 1, name.base, name.len);
		e->path[len + 1 + name.len] = '\0';
	}
	error_forget();
}

/* (time, path, operation, errno, reason) of each, the oldest first. */
PyObject *
error_list(const struct pyfs *pf)
{
	PyObject *list = PyList_New(0), *row;
	const struct error *e;
	unsigned i = pf->nerrors > ERRORS_KEPT ? pf->nerrors - ERRORS_KEPT :
	    0;

	for (; list != NULL && i < pf->nerrors; i++) {
		e = &pf->errors[i % ERRORS_KEPT];
		row = Py_BuildValue("(LNsiN)", (long long)e->at,
		    PyUnicode_DecodeUTF8(e->path, (Py_ssize_t)strlen(e->path),
		    "surrogateescape"), e->what, e->err,
		    PyUnicode_DecodeUTF8(e->why, (Py_ssize_t)strlen(e->why),
		    "replace"));
		if (row == NULL || PyList_Append(list, row) != 0)
			Py_CLEAR(list);
		Py_XDECREF(row);
	}
	return list;
}

void
error_clear(struct pyfs *pf)
{
	pf->nerrors = 0;
}
