/* SPDX-License-Identifier: MIT */
/*
 * Values as the bytes of files (PYFS 6).  Strings and bytes are themselves;
 * other scalars are what Python prints for them, and a newline.  Only the
 * functions of base types are called: an IntEnum prints as a number here.
 */
#include "pyfs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
text_fini(struct text *t)
{
	Py_CLEAR(t->owner);
	free(t->heap);
	t->heap = NULL;
}

int
text_printf(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	*t = (struct text){ .base = t->small };
	va_start(ap, format);
	n = vsnprintf(t->small, sizeof t->small, format, ap);
	va_end(ap);
	if (n < 0)
		return EIO;
	t->len = (size_t)n;
	if (t->len < sizeof t->small)
		return 0;
	if ((t->heap = malloc(t->len + 1)) == NULL)
		return ENOMEM;
	va_start(ap, format);
	(void)vsnprintf(t->heap, t->len + 1, format, ap);
	va_end(ap);
	t->base = t->heap;
	return 0;
}

int
text_take(struct text *t, PyObject *bytes)
{
	Py_ssize_t len;
	char *base;

	*t = (struct text){ .base = t->small };
	if (bytes == NULL || PyBytes_AsStringAndSize(bytes, &base, &len) != 0) {
		Py_XDECREF(bytes);
		return py_errno();
	}
	t->owner = bytes;
	t->base = base;
	t->len = (size_t)len;
	return 0;
}

/* The UTF-8 of a str, which is let go of; NULL is an error that is set. */
static int
take_str(struct text *t, PyObject *str, bool newline)
{
	PyObject *bytes;
	int err;

	*t = (struct text){ .base = t->small };
	if (str == NULL)
		return py_errno();
	bytes = PyUnicode_AsEncodedString(str, "utf-8", "surrogateescape");
	if (bytes == NULL) {	/* other lone surrogates */
		PyErr_Clear();
		bytes = PyUnicode_AsEncodedString(str, "utf-8",
		    "surrogatepass");
	}
	Py_DECREF(str);
	if ((err = text_take(t, bytes)) != 0 || !newline)
		return err;
	if (t->len + 1 <= sizeof t->small) {
		memcpy(t->small, t->base, t->len);
		t->base = t->small;
	} else {
		if ((t->heap = malloc(t->len + 1)) == NULL)
			return ENOMEM;
		memcpy(t->heap, t->base, t->len);
		t->base = t->heap;
	}
	((char *)t->base)[t->len++] = '\n';
	Py_CLEAR(t->owner);
	return 0;
}

static int
render_str(PyObject *o, struct text *t)
{
	Py_INCREF(o);
	return take_str(t, o, false);
}

static int
render_bytearray(PyObject *o, struct text *t)
{
	*t = (struct text){ .base = PyByteArray_AsString(o),
	    .len = (size_t)PyByteArray_Size(o), .owner = o };
	Py_INCREF(o);
	return 0;
}

static int
render_by(PyObject *repr, PyObject *o, struct text *t)
{
	return take_str(t, PyObject_CallFunctionObjArgs(repr, o, NULL), true);
}

static int
render_int(PyObject *o, struct text *t)
{
	int over = 0;
	long long v = PyLong_AsLongLongAndOverflow(o, &over);
	PyObject *str;

	if (over == 0)
		return text_printf(t, "%lld\n", v);
	str = PyObject_CallFunctionObjArgs(kit.int_repr, o, NULL);
	if (str == NULL) {	/* more digits than Python likes to print */
		PyErr_Clear();
		str = PyNumber_ToBase(o, 16);
	}
	return take_str(t, str, true);
}

/* `<module.Type object at 0x...>`, made here: repr() may be the user's. */
static int
render_opaque(PyObject *o, struct text *t)
{
	PyObject *module, *name, *str = NULL;

	module = PyObject_CallFunctionObjArgs(kit.type_module, TYPE_OF(o),
	    NULL);
	PyErr_Clear();
	name = PyObject_CallFunctionObjArgs(kit.type_qualname, TYPE_OF(o),
	    NULL);
	PyErr_Clear();
	if (module != NULL && name != NULL && PyUnicode_CheckExact(module) &&
	    PyUnicode_CheckExact(name))
		str = PyUnicode_FromFormat("<%U.%U object at %p>", module,
		    name, (void *)o);
	Py_XDECREF(module);
	Py_XDECREF(name);
	if (str == NULL) {
		PyErr_Clear();
		return text_printf(t, "<object at %p>\n", (void *)o);
	}
	return take_str(t, str, true);
}

/* The parts of a slice can be anything. */
static int
render_slice(PyObject *o, struct text *t)
{
	static const char *const parts[] = { "start", "stop", "step" };
	bool plain = true;
	PyObject *v;
	size_t i;

	for (i = 0; i < 3; i++) {
		v = PyObject_GetAttrString(o, parts[i]);
		plain = plain && v != NULL &&
		    (v == Py_None || PyLong_CheckExact(v));
		Py_XDECREF(v);
	}
	PyErr_Clear();
	return plain ? render_by(kit.slice_repr, o, t) : render_opaque(o, t);
}

/* Several flags at once have no name before 3.11: a number. */
static int
render_flags(PyObject *o, struct text *t)
{
	PyObject *dict = shape_dict(SHAPE_INSTANCE, o), *value = NULL;
	int err;

	if (dict != NULL)
		value = PyDict_GetItemWithError(dict, kit.s_enum_value);
	PyErr_Clear();
	if (value != NULL && PyLong_CheckExact(value))
		err = render_int(value, t);
	else
		err = render_opaque(o, t);
	Py_XDECREF(dict);
	return err;
}

static int
render_enum(PyObject *o, struct text *t)
{
	PyObject *dict = shape_dict(SHAPE_INSTANCE, o), *name = NULL;

	if (dict != NULL)
		name = PyDict_GetItemWithError(dict, kit.s_enum_name);
	PyErr_Clear();
	Py_XINCREF(name);
	Py_XDECREF(dict);
	if (name != NULL && PyUnicode_CheckExact(name))
		return take_str(t, name, true);
	Py_XDECREF(name);
	return render_flags(o, t);
}

/*
 * A time zone of the user's is code of the user.  What is not one of
 * datetime's or zoneinfo's is left out.
 */
static int
render_std(PyObject *o, struct text *t)
{
	PyObject *zone, *str;
	bool foreign = false;

	if (TYPE_OF(o) == kit_std("datetime", "datetime") ||
	    TYPE_OF(o) == kit_std("datetime", "time")) {
		zone = PyObject_GetAttrString(o, "tzinfo");
		PyErr_Clear();
		foreign = zone != NULL && zone != Py_None &&
		    TYPE_OF(zone) != kit_std("datetime", "timezone") &&
		    TYPE_OF(zone) != kit_std("zoneinfo", "ZoneInfo");
		Py_XDECREF(zone);
	}
	if (foreign)
		return render_opaque(o, t);
	if (PyObject_HasAttrString(o, "isoformat"))
		str = PyObject_CallMethod(o, "isoformat", NULL);
	else
		str = PyObject_Str(o);
	return take_str(t, str, true);
}

enum { PLAIN_MAX = 100000, PLAIN_DEPTH = 20 };

static bool
is_plain_scalar(PyObject *o)
{
	PyTypeObject *t = Py_TYPE(o);

	return t == &PyUnicode_Type || t == &PyBytes_Type ||
	    t == &PyLong_Type || t == &PyFloat_Type || t == &PyBool_Type ||
	    t == &PyComplex_Type || o == Py_None || o == Py_Ellipsis;
}

static bool is_plain(PyObject *o, int depth, Py_ssize_t *left);

/* `iter` is the base type's own. */
static bool
is_plain_set(PyObject *o, PyObject *iter_fn, int depth, Py_ssize_t *left)
{
	PyObject *iter = PyObject_CallFunctionObjArgs(iter_fn, o, NULL), *v;
	bool plain = iter != NULL;

	while (plain && (v = PyIter_Next(iter)) != NULL) {
		plain = is_plain(v, depth, left);
		Py_DECREF(v);
	}
	PyErr_Clear();
	Py_XDECREF(iter);
	return plain;
}

static bool
is_plain(PyObject *o, int depth, Py_ssize_t *left)
{
	PyTypeObject *t = Py_TYPE(o);
	PyObject *key, *value;
	Py_ssize_t i, pos = 0;

	if (is_plain_scalar(o))
		return --*left > 0;
	if (--depth < 0)
		return false;
	if (t == &PyList_Type) {
		for (i = 0; i < PyList_Size(o); i++)
			if (!is_plain(PyList_GetItem(o, i), depth, left))
				return false;
		return true;
	}
	if (t == &PyTuple_Type) {
		for (i = 0; i < PyTuple_Size(o); i++)
			if (!is_plain(PyTuple_GetItem(o, i), depth, left))
				return false;
		return true;
	}
	if (t == &PyDict_Type) {
		while (PyDict_Next(o, &pos, &key, &value))
			if (!is_plain(key, depth, left) ||
			    !is_plain(value, depth, left))
				return false;
		return true;
	}
	if (t == &PySet_Type)
		return is_plain_set(o, kit.set_iter, depth, left);
	return t == &PyFrozenSet_Type &&
	    is_plain_set(o, kit.frozenset_iter, depth, left);
}

bool
value_is_plain(PyObject *o)
{
	Py_ssize_t left = PLAIN_MAX;

	return is_plain(o, PLAIN_DEPTH, &left);
}

int
value_render(struct pyfs *pf, PyObject *o, enum shape s, struct text *t)
{
	(void)pf;
	switch (s) {
	case SHAPE_STR: case SHAPE_SYMLINK:
		return render_str(o, t);
	case SHAPE_BYTES:
		Py_INCREF(o);
		return text_take(t, o);
	case SHAPE_BYTEARRAY:
		return render_bytearray(o, t);
	case SHAPE_BOOL:
		return text_printf(t, o == Py_True ? "True\n" : "False\n");
	case SHAPE_INT:
		return render_int(o, t);
	case SHAPE_FLOAT:
		return render_by(kit.float_repr, o, t);
	case SHAPE_COMPLEX:
		return render_by(kit.complex_repr, o, t);
	case SHAPE_NIL:
		return text_printf(t, "None\n");
	case SHAPE_ELLIPSIS:
		return text_printf(t, "Ellipsis\n");
	case SHAPE_RANGE:
		return render_by(kit.range_repr, o, t);
	case SHAPE_SLICE:
		return render_slice(o, t);
	case SHAPE_ENUM:
		return render_enum(o, t);
	case SHAPE_STD:
		return render_std(o, t);
	case SHAPE_FUNC:
		return source_render(o, t);
	case SHAPE_FLAT:
		if (!value_is_plain(o))
			return render_opaque(o, t);
		return take_str(t, PyObject_Repr(o), true);
	case SHAPE_REPR:
		return take_str(t, PyObject_Repr(o), true);
	default:	/* containers, when they lie too deep */
		return render_opaque(o, t);
	}
}
