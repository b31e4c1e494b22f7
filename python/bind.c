/* SPDX-License-Identifier: MIT */
/*
 * Assigning to names and deleting them (PYFS 8.3), and letting go of values.
 *
 * setattr runs validators, properties and __setattr__; __setitem__ may be
 * the user's, too; so may be the end of the value that is replaced.  The
 * broker does what surely runs no such code, and leaves the rest to a
 * worker: PYFS_WORKER.
 */
#include "pyfs.h"

int
py_errno(void)
{
	int err = EIO;

	error_why();
	if (!PyErr_Occurred())
		return EIO;
	if (PyErr_ExceptionMatches(PyExc_AttributeError) ||
	    PyErr_ExceptionMatches(PyExc_LookupError))
		err = ENOENT;
	else if (PyErr_ExceptionMatches(PyExc_PermissionError))
		err = EACCES;
	else if (PyErr_ExceptionMatches(PyExc_ValueError) ||
	    PyErr_ExceptionMatches(PyExc_TypeError) ||
	    PyErr_ExceptionMatches(PyExc_SyntaxError))
		err = EINVAL;
	else if (PyErr_ExceptionMatches(PyExc_MemoryError))
		err = ENOSPC;
	PyErr_Clear();
	return err;
}

/* Of an assignment: what cannot be set there is EPERM. */
int
py_errno_bind(void)
{
	int err;

	if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_AttributeError)) {
		error_why();
		PyErr_Clear();
		return EPERM;
	}
	err = py_errno();
	return err == ENOENT ? EIO : err;
}

/* ---------------------------------------------------------- letting go -- */

/* Nothing of the user's runs when one of these ends. */
static bool
ends_quietly(PyObject *o)
{
	PyTypeObject *t = Py_TYPE(o);

	return t == &PyUnicode_Type || t == &PyBytes_Type ||
	    t == &PyLong_Type || t == &PyFloat_Type || t == &PyBool_Type ||
	    t == &PyComplex_Type || t == &PyByteArray_Type ||
	    t == Py_TYPE(Py_None);
}

void
bind_drop(struct hold *h, PyObject *o)
{
	if (!h->broker || Py_REFCNT(o) > 1 || ends_quietly(o))
		Py_DECREF(o);
	else
		worker_drop(o);
}

/* ------------------------------------------------- whose code would run -- */

/* The attribute that setattr would find in the class, if it is one of C. */
static bool
has_harmless_attribute(PyObject *type, PyObject *name)
{
	PyObject *v = shape_of_class(type, name), *set;
	bool harmless = true;

	if (v != NULL && !IS_EXACTLY(v, kit.member)) {
		set = shape_of_class(TYPE_OF(v), kit.s_set);
		harmless = set == NULL;
		Py_XDECREF(set);
	}
	Py_XDECREF(v);
	return harmless;
}

/* A static type keeps its slots to itself until 3.10; modules we know. */
static bool
has_plain_setattr(PyTypeObject *type)
{
	void *generic, *slot;
	setattrofunc f = PyObject_GenericSetAttr;

	if (type == &PyModule_Type)
		return true;
	if (!(PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE))
		return false;
	slot = PyType_GetSlot(type, Py_tp_setattro);
	memcpy(&generic, &f, sizeof generic);
	return slot == generic;
}

/* Of a set or dict: hashing and comparing it is ours. */
static bool
is_plain_key(PyObject *key)
{
	return PyUnicode_CheckExact(key) || PyLong_CheckExact(key) ||
	    PyBytes_CheckExact(key);
}

static bool
runs_user_code(PyObject *dir, enum shape s, PyObject *name)
{
	PyTypeObject *type = Py_TYPE(dir);

	switch (s) {
	case SHAPE_MODULE: case SHAPE_INSTANCE:
		return !has_plain_setattr(type) ||
		    !has_harmless_attribute((PyObject *)type, name);
	case SHAPE_CLASS:
		return type != &PyType_Type;
	case SHAPE_DICT:
		return type != &PyDict_Type || !is_plain_key(name);
	case SHAPE_LIST:
		return type != &PyList_Type;
	case SHAPE_SET:
		return type != &PySet_Type || !is_plain_key(name);
	case SHAPE_DEQUE:
		return (PyObject *)type != kit.deque;
	default:
		return false;
	}
}

/* --------------------------------------------------------------- keys -- */

static bool
first_key_is_int(PyObject *dict)
{
	PyObject *key, *value;
	Py_ssize_t pos = 0;

	return PyDict_Next(dict, &pos, &key, &value) &&
	    PyLong_CheckExact(key);
}

/* The int that a decimal stands for: it is there, or its likes are. */
static PyObject *
int_key(PyObject *dict, PyObject *str, struct pinefs_name name)
{
	PyObject *number = name_to_number(name);

	if (number == NULL)
		return NULL;
	if (PyDict_Contains(dict, str) == 0 &&
	    (PyDict_Contains(dict, number) == 1 || first_key_is_int(dict)))
		return number;
	PyErr_Clear();
	Py_DECREF(number);
	return NULL;
}

/* The key that a client means by a name. */
static PyObject *
key_for(struct hold *h, PyObject *dir, enum shape s, struct pinefs_name name,
    int *err)
{
	PyObject *key = name_to_key(name, err), *number, *old;

	if (key == NULL && *err == 0) {
		/* A class and such, or a long name: there or not at all. */
		old = child_search(h, dir, s, name, &key);
		if (old != NULL)
			bind_drop(h, old);
		if (key == NULL)
			*err = EPERM;
		return key;
	}
	if (key != NULL && shape_is_space(s) && !PyUnicode_CheckExact(key)) {
		Py_DECREF(key);
		*err = EINVAL;
		return NULL;
	}
	if (key != NULL && s == SHAPE_DICT && PyLong_CheckExact(key) &&
	    !name_is_of(name, dir, key)) {
		Py_DECREF(key);
		*err = EINVAL;
		return NULL;
	}
	if (key != NULL && s == SHAPE_DICT && PyUnicode_CheckExact(key) &&
	    (number = int_key(dir, key, name)) != NULL) {
		Py_DECREF(key);
		return number;
	}
	return key;
}

/* -------------------------------------------------------------- binding -- */

Py_ssize_t
sequence_size(PyObject *o, enum shape s)
{
	PyObject *v;
	Py_ssize_t n;

	if (s == SHAPE_LIST)
		return PyList_Size(o);
	v = PyObject_CallFunctionObjArgs(kit.deque_len, o, NULL);
	n = v != NULL ? PyLong_AsSsize_t(v) : -1;
	Py_XDECREF(v);
	PyErr_Clear();
	return n;
}

static int
set_in_list(PyObject *list, Py_ssize_t i, PyObject *value)
{
	Py_ssize_t n = PyList_Size(list);

	if (i < 0 || i > n)
		return EPERM;
	if (i == n)
		return PyList_Append(list, value) == 0 ? 0 : py_errno_bind();
	if (!PyList_CheckExact(list))
		return PySequence_SetItem(list, i, value) == 0 ? 0 :
		    py_errno_bind();
	Py_INCREF(value);
	return PyList_SetItem(list, i, value) == 0 ? 0 : py_errno_bind();
}

static int
set_in_deque(PyObject *deque, Py_ssize_t i, PyObject *value)
{
	Py_ssize_t n = sequence_size(deque, SHAPE_DEQUE);
	PyObject *v;

	if (i < 0 || i > n)
		return EPERM;
	if (i < n)
		return PySequence_SetItem(deque, i, value) == 0 ? 0 :
		    py_errno_bind();
	v = PyObject_CallFunctionObjArgs(kit.deque_append, deque, value,
	    NULL);
	Py_XDECREF(v);
	return v != NULL ? 0 : py_errno_bind();
}

/* touch adds the element that the name stands for; it has no other value. */
static int
add_to_set(PyObject *set, PyObject *key)
{
	return PySet_Add(set, key) == 0 ? 0 : py_errno_bind();
}

static int
set_by_key(PyObject *dir, enum shape s, PyObject *key, PyObject *value)
{
	int failed;

	switch (s) {
	case SHAPE_MODULE: case SHAPE_INSTANCE: case SHAPE_CLASS:
		failed = PyObject_SetAttr(dir, key, value);
		break;
	case SHAPE_DICT:
		failed = PyObject_SetItem(dir, key, value);
		break;
	default:
		return add_to_set(dir, key);
	}
	return failed ? py_errno_bind() : 0;
}

/* The value that is replaced outlives the assignment, and ends elsewhere. */
static int
bind_key(struct hold *h, struct node *at, PyObject *dir, enum shape s,
    struct pinefs_name name, PyObject *value)
{
	PyObject *key, *old;
	int err;

	if ((key = key_for(h, dir, s, name, &err)) == NULL)
		return err;
	if (h->broker && runs_user_code(dir, s, key)) {
		Py_DECREF(key);
		return PYFS_WORKER;
	}
	old = child_get(h, dir, s, name);
	err = watch_change(h, at, name, old, value);
	if (err == 0)
		err = set_by_key(dir, s, key, value);
	if (old != NULL)
		bind_drop(h, old);
	Py_DECREF(key);
	return err;
}

int
bind_set(struct hold *h, struct node *at, PyObject *dir, enum shape s,
    struct pinefs_name name, PyObject *value)
{
	PyObject *old;
	int err;

	if (!shape_is_writable(s, dir))
		return s == SHAPE_CLASS ? EPERM : EACCES;
	if (s != SHAPE_LIST && s != SHAPE_DEQUE)
		return bind_key(h, at, dir, s, name, value);
	if (h->broker && runs_user_code(dir, s, NULL))
		return PYFS_WORKER;
	old = child_get(h, dir, s, name);
	err = watch_change(h, at, name, old, value);
	if (err == 0 && s == SHAPE_LIST)
		err = set_in_list(dir, name_to_index(name), value);
	else if (err == 0)
		err = set_in_deque(dir, name_to_index(name), value);
	if (old != NULL)
		bind_drop(h, old);
	return err;
}

/* ------------------------------------------------------------- deleting -- */

/* Only the last one: the others would be renumbered. */
static int
delete_last(PyObject *dir, enum shape s, Py_ssize_t i)
{
	Py_ssize_t n = sequence_size(dir, s);
	PyObject *v;

	if (i < 0 || i >= n)
		return ENOENT;
	if (i != n - 1)
		return EPERM;
	if (s == SHAPE_LIST)
		return PySequence_DelItem(dir, i) == 0 ? 0 : py_errno_bind();
	v = PyObject_CallFunctionObjArgs(kit.deque_pop, dir, NULL);
	Py_XDECREF(v);
	return v != NULL ? 0 : py_errno_bind();
}

static PyObject *
key_of(struct hold *h, PyObject *dir, enum shape s, PyObject *value,
    struct pinefs_name name, int *err)
{
	if (s != SHAPE_SET)
		return key_for(h, dir, s, name, err);
	Py_INCREF(value);	/* the element itself */
	return value;
}

static int
delete_key(PyObject *dir, enum shape s, PyObject *key)
{
	int failed;

	if (s == SHAPE_DICT)
		failed = PyObject_DelItem(dir, key);
	else if (s == SHAPE_SET)
		failed = PySet_Discard(dir, key) < 0;
	else
		failed = PyObject_SetAttr(dir, key, NULL);
	return failed ? py_errno_bind() : 0;
}

int
bind_delete(struct hold *h, struct node *at, PyObject *dir, enum shape s,
    struct pinefs_name name)
{
	PyObject *old, *key;
	int err = 0;

	if (!shape_is_writable(s, dir))
		return s == SHAPE_CLASS ? EPERM : EACCES;
	if ((old = child_get(h, dir, s, name)) == NULL)
		return ENOENT;
	if (s == SHAPE_LIST || s == SHAPE_DEQUE) {
		if (h->broker && runs_user_code(dir, s, NULL))
			err = PYFS_WORKER;
		else if ((err = watch_change(h, at, name, old, NULL)) == 0)
			err = delete_last(dir, s, name_to_index(name));
	} else if ((key = key_of(h, dir, s, old, name, &err)) != NULL) {
		if (h->broker && runs_user_code(dir, s, key))
			err = PYFS_WORKER;
		else if ((err = watch_change(h, at, name, old, NULL)) == 0)
			err = delete_key(dir, s, key);
		Py_DECREF(key);
	}
	bind_drop(h, old);
	return err;
}
