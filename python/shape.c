/* SPDX-License-Identifier: MIT */
/*
 * Which Python type is which kind of file, and how to look into an object
 * without running code of its class (PYFS 6).
 *
 * The type is type(o), never o.__class__.  The dict of an instance counts
 * only if the first `__dict__` in the type's mro is one that C code made: a
 * property of that name is code of the user.  The dict of a class is read
 * through type.__dict__["__dict__"], and the dict inside a mappingproxy
 * through gc.get_referents, which calls nothing.
 */
#include "pyfs.h"

enum { TYPES_KEPT = 1024 };

/* What was found out about a type; good for one hold (types can die). */
struct known {
	const PyTypeObject *type;
	uint64_t	    epoch;
	enum shape	    shape;
};

static struct known known[TYPES_KEPT];
static uint64_t epoch = 1;

void
shape_forget(void)
{
	epoch++;
}

uint64_t
shape_epoch(void)
{
	return epoch;
}

/* ------------------------------------------------------- dicts of types -- */

static PyObject *
referent(PyObject *o)
{
	PyObject *list, *first = NULL;

	list = PyObject_CallFunctionObjArgs(kit.referents, o, NULL);
	if (list != NULL && PyList_Size(list) == 1) {
		first = PyList_GetItem(list, 0);
		Py_INCREF(first);
	}
	Py_XDECREF(list);
	PyErr_Clear();
	if (first != NULL && !PyDict_Check(first)) {
		Py_DECREF(first);
		return NULL;
	}
	return first;
}

static PyObject *
class_dict(PyObject *cls)
{
	PyObject *proxy, *dict;

	proxy = PyObject_CallFunctionObjArgs(kit.type_dict, cls, NULL);
	if (proxy == NULL) {
		PyErr_Clear();
		return NULL;
	}
	dict = referent(proxy);
	Py_DECREF(proxy);
	return dict;
}

int
shape_mro(PyObject *type,
    int (*fn)(PyObject *cls, PyObject *dict, void *arg), void *arg)
{
	PyObject *mro, *cls, *dict;
	Py_ssize_t i, n;
	int stop = 0;

	mro = PyObject_CallFunctionObjArgs(kit.type_mro, type, NULL);
	if (mro == NULL || !PyTuple_Check(mro)) {
		PyErr_Clear();
		Py_XDECREF(mro);
		return 0;
	}
	n = PyTuple_Size(mro);
	for (i = 0; i < n && stop == 0; i++) {
		cls = PyTuple_GetItem(mro, i);
		if (!PyType_Check(cls) || (dict = class_dict(cls)) == NULL)
			continue;
		stop = fn(cls, dict, arg);
		Py_DECREF(dict);
	}
	Py_DECREF(mro);
	return stop;
}

struct wanted {
	PyObject	*name;
	PyObject	*found;
	PyObject	*dict;	/* where: only to ask for __slots__ */
};

static PyObject *
get_str(PyObject *dict, PyObject *key)
{
	PyObject *v = PyDict_GetItemWithError(dict, key);

	if (v == NULL)
		PyErr_Clear();
	return v;
}

static int
look_in_class(PyObject *cls, PyObject *dict, void *arg)
{
	struct wanted *w = arg;

	(void)cls;
	if ((w->found = get_str(dict, w->name)) == NULL)
		return 0;
	w->dict = dict;
	Py_INCREF(w->found);
	Py_INCREF(dict);
	return 1;
}

PyObject *
shape_of_class(PyObject *type, PyObject *name)
{
	struct wanted w = { .name = name };

	(void)shape_mro(type, look_in_class, &w);
	Py_XDECREF(w.dict);
	return w.found;
}

/* ------------------------------------------------------------ instances -- */

static PyObject *
descriptor_get(PyObject *descr, PyObject *o)
{
	PyObject *v;

	v = PyObject_CallMethodObjArgs(descr, kit.s_get, o, TYPE_OF(o), NULL);
	if (v == NULL)
		PyErr_Clear();
	return v;
}

/* Of C: types.SimpleNamespace has a member where others have a getset. */
static bool
is_of_c(PyObject *descr)
{
	return descr != NULL && (IS_EXACTLY(descr, kit.getset) ||
	    IS_EXACTLY(descr, kit.member));
}

static PyObject *
instance_dict(PyObject *o)
{
	PyObject *descr = shape_of_class(TYPE_OF(o), kit.s_dict);
	PyObject *dict = NULL;

	if (is_of_c(descr))
		dict = descriptor_get(descr, o);
	Py_XDECREF(descr);
	if (dict != NULL && !PyDict_Check(dict)) {
		Py_DECREF(dict);
		return NULL;
	}
	return dict;
}

static bool
has_instance_dict(PyObject *type)
{
	PyObject *descr = shape_of_class(type, kit.s_dict);
	bool has = is_of_c(descr);

	Py_XDECREF(descr);
	return has;
}

/* Add the slots that this class defines to the list `arg`. */
static int
collect_slots(PyObject *cls, PyObject *dict, void *arg)
{
	PyObject *key, *value;
	Py_ssize_t pos = 0;

	(void)cls;
	if (get_str(dict, kit.s_slots) == NULL)
		return 0;
	while (PyDict_Next(dict, &pos, &key, &value))
		if (IS_EXACTLY(value, kit.member) && PyUnicode_CheckExact(key))
			if (PyList_Append(arg, key) != 0)
				PyErr_Clear();
	return 0;
}

PyObject *
shape_slots(PyObject *o)
{
	PyObject *names = PyList_New(0);

	if (names == NULL) {
		PyErr_Clear();
		return NULL;
	}
	(void)shape_mro(TYPE_OF(o), collect_slots, names);
	return names;
}

static int
has_slots(PyObject *cls, PyObject *dict, void *arg)
{
	PyObject *key, *value;
	Py_ssize_t pos = 0;

	(void)cls, (void)arg;
	if (get_str(dict, kit.s_slots) == NULL)
		return 0;
	while (PyDict_Next(dict, &pos, &key, &value))
		if (IS_EXACTLY(value, kit.member))
			return 1;
	return 0;
}

PyObject *
shape_slot(PyObject *o, PyObject *name)
{
	struct wanted w = { .name = name };
	PyObject *value = NULL;

	(void)shape_mro(TYPE_OF(o), look_in_class, &w);
	if (w.found != NULL && IS_EXACTLY(w.found, kit.member) &&
	    get_str(w.dict, kit.s_slots) != NULL)
		value = descriptor_get(w.found, o);
	Py_XDECREF(w.found);
	Py_XDECREF(w.dict);
	return value;
}

PyObject *
shape_dict(enum shape s, PyObject *o)
{
	PyObject *dict;

	switch (s) {
	case SHAPE_MODULE:
		dict = PyModule_GetDict(o);
		Py_XINCREF(dict);
		return dict;
	case SHAPE_CLASS:
		return class_dict(o);
	case SHAPE_INSTANCE:
		return instance_dict(o);
	case SHAPE_PROXY:
		return referent(o);
	case SHAPE_DICT:
		Py_INCREF(o);
		return o;
	default:
		return NULL;
	}
}

/* ---------------------------------------------------------------- types -- */

/* Types whose repr() names the object and looks at nothing it holds. */
static bool
has_harmless_repr(PyObject *type)
{
	return type == kit.builtin || type == kit.method_descriptor ||
	    type == kit.classmethod_descriptor ||
	    type == kit.wrapper_descriptor || type == kit.method_wrapper ||
	    type == kit.getset || type == kit.member || type == kit.code ||
	    type == kit.generator || type == kit.coroutine ||
	    type == kit.async_generator || type == kit.frame ||
	    type == kit.cell || type == TYPE_OF(Py_NotImplemented) ||
	    type == (PyObject *)&PyMemoryView_Type;
}

/* Scalars of the standard library that print and parse without the user. */
static const struct {
	const char *module, *name;
} std_types[] = {
	{ "decimal", "Decimal" }, { "fractions", "Fraction" },
	{ "datetime", "datetime" }, { "datetime", "date" },
	{ "datetime", "time" }, { "datetime", "timedelta" },
	{ "datetime", "timezone" }, { "uuid", "UUID" },
	{ "pathlib", "PosixPath" }, { "pathlib", "PurePosixPath" },
	{ "pathlib", "PureWindowsPath" },
	{ "ipaddress", "IPv4Address" }, { "ipaddress", "IPv6Address" },
	{ "ipaddress", "IPv4Network" }, { "ipaddress", "IPv6Network" },
	{ "ipaddress", "IPv4Interface" }, { "ipaddress", "IPv6Interface" },
};

static bool
is_std(PyObject *type)
{
	size_t i;

	for (i = 0; i < sizeof std_types / sizeof std_types[0]; i++)
		if (kit_std(std_types[i].module, std_types[i].name) == type)
			return true;
	return false;
}

static bool
is_enum(PyObject *type)
{
	PyObject *meta = kit_std("enum", "EnumMeta");

	return meta != NULL && PyType_Check(meta) &&
	    PyType_IsSubtype(Py_TYPE(type), (PyTypeObject *)meta);
}

static bool
is_named_tuple(PyObject *type)
{
	PyObject *fields = shape_of_class(type, kit.s_fields);
	Py_ssize_t i, n;
	bool named;

	if (fields == NULL)
		return false;
	named = PyTuple_CheckExact(fields);
	n = named ? PyTuple_Size(fields) : 0;
	for (i = 0; i < n && named; i++)
		named = PyUnicode_CheckExact(PyTuple_GetItem(fields, i));
	Py_DECREF(fields);
	return named;
}

static bool
is_kind_of(PyObject *type, PyObject *base)
{
	return PyType_IsSubtype((PyTypeObject *)type, (PyTypeObject *)base);
}

static bool
is_function(PyObject *type)
{
	return type == kit.function || type == kit.method ||
	    type == kit.cached_property || is_kind_of(type, kit.property) ||
	    is_kind_of(type, kit.staticmethod) ||
	    is_kind_of(type, kit.classmethod);
}

/* Subclasses of the types that have a shape of their own. */
static enum shape
shape_by_base(PyObject *type)
{
	unsigned long f = PyType_GetFlags((PyTypeObject *)type);

	if (f & Py_TPFLAGS_UNICODE_SUBCLASS)
		return SHAPE_STR;
	if (f & Py_TPFLAGS_BYTES_SUBCLASS)
		return SHAPE_BYTES;
	if (f & Py_TPFLAGS_LONG_SUBCLASS)
		return SHAPE_INT;
	if (f & Py_TPFLAGS_DICT_SUBCLASS)
		return SHAPE_DICT;
	if (f & Py_TPFLAGS_LIST_SUBCLASS)
		return SHAPE_LIST;
	if (f & Py_TPFLAGS_TUPLE_SUBCLASS)
		return is_named_tuple(type) ? SHAPE_NAMED : SHAPE_TUPLE;
	if (f & Py_TPFLAGS_TYPE_SUBCLASS)
		return SHAPE_CLASS;
	if (is_kind_of(type, (PyObject *)&PyModule_Type))
		return SHAPE_MODULE;
	if (is_kind_of(type, (PyObject *)&PyFloat_Type))
		return SHAPE_FLOAT;
	if (is_kind_of(type, (PyObject *)&PyComplex_Type))
		return SHAPE_COMPLEX;
	if (is_kind_of(type, (PyObject *)&PyByteArray_Type))
		return SHAPE_BYTEARRAY;
	if (is_kind_of(type, (PyObject *)&PySet_Type))
		return SHAPE_SET;
	if (is_kind_of(type, (PyObject *)&PyFrozenSet_Type))
		return SHAPE_FROZENSET;
	if (is_kind_of(type, kit.deque))
		return SHAPE_DEQUE;
	return SHAPE_NONE;
}

/* {type: kind}, of pinefs.mapper; filled and read by the package. */
static PyObject *mappers;

void
shape_set_mappers(PyObject *dict)
{
	PyObject *old = mappers;

	Py_XINCREF(dict);
	mappers = dict;		/* for the life of the process */
	Py_XDECREF(old);
}

static int
kind_of_class(PyObject *cls, PyObject *dict, void *arg)
{
	PyObject *key, *kind;
	Py_ssize_t pos = 0;

	(void)dict;
	/* A metaclass may have a __hash__ of its own, which is not to run. */
	do {
		if (!PyDict_Next(mappers, &pos, &key, &kind))
			return 0;
	} while (key != cls);
	if (!PyUnicode_CheckExact(kind))
		return 0;
	*(const char **)arg = kit.utf8(kind, NULL);
	return 1;
}

/* NULL: it has no mapper.  With __pinefs__ it is a file unless one says. */
static const char *
mapped_kind(PyObject *type)
{
	const char *kind = NULL;
	PyObject *own;

	if (mappers == NULL)
		return NULL;
	if (PyDict_Size(mappers) > 0)
		(void)shape_mro(type, kind_of_class, &kind);
	if (kind == NULL && (own = shape_of_class(type, kit.s_pinefs)) !=
	    NULL) {
		kind = "f";
		if (PyType_Check(own))
			(void)shape_mro(own, kind_of_class, &kind);
		Py_DECREF(own);
	}
	return kind;
}

const char *
shape_mapped_kind(PyObject *o)
{
	const char *kind = mapped_kind(TYPE_OF(o));

	return kind != NULL ? kind : "f";
}

static enum shape
shape_of_type(PyObject *type)
{
	enum shape s;

	if (mapped_kind(type) != NULL)
		return SHAPE_MAPPED;
	s = shape_by_base(type);
	if (s != SHAPE_NONE)
		return s;
	if (type == TYPE_OF(Py_None))
		return SHAPE_NIL;
	if (type == TYPE_OF(Py_Ellipsis))
		return SHAPE_ELLIPSIS;
	if (type == (PyObject *)&PyRange_Type)
		return SHAPE_RANGE;
	if (type == (PyObject *)&PySlice_Type)
		return SHAPE_SLICE;
	if (type == kit.proxy)
		return SHAPE_PROXY;
	if (is_function(type))
		return SHAPE_FUNC;
	if (has_harmless_repr(type))
		return SHAPE_REPR;
	if (is_enum(type))
		return SHAPE_ENUM;
	if (is_std(type))
		return SHAPE_STD;
	if (has_instance_dict(type) || shape_mro(type, has_slots, NULL))
		return SHAPE_INSTANCE;
	return SHAPE_OPAQUE;
}

static enum shape
shape_known(PyObject *type)
{
	struct known *k;

	/* Types come and go where code of the user runs. */
	if (!gil_is_held())
		return shape_of_type(type);
	k = &known[mix64((uintptr_t)type) % TYPES_KEPT];
	if (k->type != (PyTypeObject *)type || k->epoch != epoch) {
		k->shape = shape_of_type(type);
		k->type = (PyTypeObject *)type;
		k->epoch = epoch;
	}
	return k->shape;
}

static bool
is_flat(enum shape s)
{
	return shape_is_sequence(s) || s == SHAPE_NAMED || s == SHAPE_SET ||
	    s == SHAPE_FROZENSET;
}

enum shape
shape_of(const struct pyfs *pf, PyObject *o)
{
	PyTypeObject *type = Py_TYPE(o);
	PyObject *dict;
	enum shape s;

	if (type == &PyUnicode_Type)
		return SHAPE_STR;
	if (type == &PyLong_Type)
		return SHAPE_INT;
	if (type == &PyBool_Type)
		return SHAPE_BOOL;
	if (type == &PyDict_Type)
		return SHAPE_DICT;
	if (type == &PyList_Type && !pf->config.flat)
		return SHAPE_LIST;
	if (type == &PyTuple_Type && !pf->config.flat)
		return SHAPE_TUPLE;
	s = shape_known((PyObject *)type);
	if (s == SHAPE_STR && pf->config.symlink != NULL &&
	    is_kind_of((PyObject *)type, pf->config.symlink))
		return SHAPE_SYMLINK;
	if (pf->config.flat && is_flat(s))
		return SHAPE_FLAT;
	if (s == SHAPE_PROXY) {	/* around something that is no dict? */
		if ((dict = referent(o)) == NULL)
			return SHAPE_OPAQUE;
		Py_DECREF(dict);
	}
	return s;
}

/* 1 << 8: not in the headers of all versions. */
static bool
is_fixed_class(PyObject *cls)
{
	unsigned long f = PyType_GetFlags((PyTypeObject *)cls);

	return !(f & Py_TPFLAGS_HEAPTYPE) || f & 1ul << 8;
}

bool
shape_is_writable(enum shape s, PyObject *o)
{
	switch (s) {
	case SHAPE_STR: case SHAPE_BYTES: case SHAPE_BYTEARRAY:
	case SHAPE_BOOL: case SHAPE_INT: case SHAPE_FLOAT:
	case SHAPE_COMPLEX: case SHAPE_NIL: case SHAPE_ENUM: case SHAPE_STD:
	case SHAPE_MODULE: case SHAPE_INSTANCE: case SHAPE_DICT:
	case SHAPE_LIST: case SHAPE_SET: case SHAPE_DEQUE:
	case SHAPE_SYMLINK:
		return true;
	case SHAPE_CLASS:
		return !is_fixed_class(o);
	case SHAPE_FLAT:	/* what literals there are for */
		return PyList_CheckExact(o) || PyTuple_CheckExact(o) ||
		    Py_TYPE(o) == &PySet_Type;
	default:
		return false;
	}
}
