/* SPDX-License-Identifier: MIT */
/*
 * Exchanging what is in an object, in one go: the interpreter lock is held,
 * and no code of the user runs between the old and the new.
 *
 * What is taken out is kept until the new is in, since its end may be code
 * of the user.  If memory ends in the middle, the old comes back.
 */
#include "pyfs.h"

/* The exception that is set stays, whatever goes wrong in here. */
static void
put_back(int (*fill)(PyObject *, PyObject *), PyObject *o, PyObject *old)
{
	PyObject *type, *value, *trace;

	PyErr_Fetch(&type, &value, &trace);
	(void)fill(o, old);
	PyErr_Restore(type, value, trace);
}

static int
fill_dict(PyObject *o, PyObject *value)
{
	PyDict_Clear(o);
	return PyDict_Update(o, value);
}

/* set.update, not |=, which a subclass may have of its own. */
static int
fill_set(PyObject *o, PyObject *value)
{
	PyObject *v;

	if (PySet_Clear(o) != 0)
		return -1;
	v = PyObject_CallFunctionObjArgs(kit.set_update, o, value, NULL);
	Py_XDECREF(v);
	return v != NULL ? 0 : -1;
}

/*
 * `old` is a copy of what is in it.  Up to 3.11 any allocation may collect, as
 * of the arguments to set.update: a finalizer would see it empty.
 */
static int
exchange(int (*fill)(PyObject *, PyObject *), PyObject *o, PyObject *old,
    PyObject *value)
{
	bool collected;
	int failed;

	if (old == NULL)
		return -1;
	collected = gil_collector_off();
	if ((failed = fill(o, value)) != 0)
		put_back(fill, o, old);
	gil_collector_on(collected);
	Py_DECREF(old);
	return failed;
}

static int
fill_bytearray(PyObject *o, PyObject *value)
{
	Py_ssize_t len = PyByteArray_Size(value);

	if (PyByteArray_Resize(o, len) != 0)
		return -1;
	memmove(PyByteArray_AsString(o), PyByteArray_AsString(value),
	    (size_t)len);
	return 0;
}

int
fill_container(PyObject *o, PyObject *value)
{
	/* PyDict_Update would ask what is no dict for its keys(). */
	if (PyDict_Check(o) && PyDict_CheckExact(value))
		return exchange(fill_dict, o, PyDict_Copy(o), value);
	if (PyList_Check(o) && PyList_CheckExact(value))
		return PyList_SetSlice(o, 0, PyList_Size(o), value);
	if (PyType_IsSubtype(Py_TYPE(o), &PySet_Type) &&
	    Py_TYPE(value) == &PySet_Type)
		return exchange(fill_set, o, PySet_New(o), value);
	if (PyByteArray_Check(o) && PyByteArray_Check(value))
		return fill_bytearray(o, value);
	PyErr_SetString(PyExc_TypeError, "not two containers of one type");
	return -1;
}

/*
 * Only audit hooks of the program can come in between, and refuse: then what
 * was set before is set back.
 */
int
fill_function(PyObject *function, PyObject *const parts[FUNCTION_PARTS])
{
	static const char *const names[FUNCTION_PARTS] = { "__code__",
	    "__defaults__", "__kwdefaults__", "__doc__" };
	PyObject *old[FUNCTION_PARTS] = { NULL };
	PyObject *type, *value, *trace;
	int i, failed = 0;

	for (i = 0; i < FUNCTION_PARTS && !failed; i++)
		failed = (old[i] = PyObject_GetAttrString(function,
		    names[i])) == NULL;
	for (i = 0; i < FUNCTION_PARTS && !failed; i++)
		failed = PyObject_SetAttrString(function, names[i],
		    parts[i]);
	if (failed) {
		PyErr_Fetch(&type, &value, &trace);
		while (--i >= 0)
			if (old[i] != NULL && PyObject_SetAttrString(function,
			    names[i], old[i]) != 0)
				PyErr_Clear();
		PyErr_Restore(type, value, trace);
	}
	for (i = 0; i < FUNCTION_PARTS; i++)
		Py_XDECREF(old[i]);
	return failed ? -1 : 0;
}
