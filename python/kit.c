/* SPDX-License-Identifier: MIT */
/*
 * Types and functions of Python, fetched once at import.
 *
 * What looks at objects must call the functions of the base types and no
 * others: a subclass may define anything.  The limited API has no names for
 * most of them, so they are taken from the types' dicts here, before the
 * program has a chance to change much.
 */
#include "pyfs.h"

#include <dlfcn.h>

struct kit kit;

enum how {
	ATTR,		/* module, attribute */
	SLOT,		/* the function `name` in the dict of builtin `from` */
	GETTER		/* the bound __get__ of the descriptor there */
};

struct part {
	PyObject	**to;
	enum how	 how;
	const char	*from, *name;
};

static const struct part parts[] = {
	{ &kit.function, ATTR, "types", "FunctionType" },
	{ &kit.method, ATTR, "types", "MethodType" },
	{ &kit.builtin, ATTR, "types", "BuiltinFunctionType" },
	{ &kit.method_descriptor, ATTR, "types", "MethodDescriptorType" },
	{ &kit.classmethod_descriptor, ATTR, "types",
	    "ClassMethodDescriptorType" },
	{ &kit.wrapper_descriptor, ATTR, "types", "WrapperDescriptorType" },
	{ &kit.method_wrapper, ATTR, "types", "MethodWrapperType" },
	{ &kit.getset, ATTR, "types", "GetSetDescriptorType" },
	{ &kit.member, ATTR, "types", "MemberDescriptorType" },
	{ &kit.proxy, ATTR, "types", "MappingProxyType" },
	{ &kit.code, ATTR, "types", "CodeType" },
	{ &kit.frame, ATTR, "types", "FrameType" },
	{ &kit.generator, ATTR, "types", "GeneratorType" },
	{ &kit.coroutine, ATTR, "types", "CoroutineType" },
	{ &kit.async_generator, ATTR, "types", "AsyncGeneratorType" },
	{ &kit.cell, ATTR, "types", "CellType" },
	{ &kit.property, ATTR, "builtins", "property" },
	{ &kit.staticmethod, ATTR, "builtins", "staticmethod" },
	{ &kit.classmethod, ATTR, "builtins", "classmethod" },
	{ &kit.cached_property, ATTR, "functools", "cached_property" },
	{ &kit.deque, ATTR, "_collections", "deque" },
	{ &kit.audit, ATTR, "sys", "audit" },
	{ &kit.referents, ATTR, "gc", "get_referents" },
	{ &kit.referrers, ATTR, "gc", "get_referrers" },
	{ &kit.literal_eval, ATTR, "ast", "literal_eval" },

	{ &kit.type_dict, GETTER, "type", "__dict__" },
	{ &kit.type_mro, GETTER, "type", "__mro__" },
	{ &kit.type_module, GETTER, "type", "__module__" },
	{ &kit.type_qualname, GETTER, "type", "__qualname__" },
	{ &kit.property_get, GETTER, "property", "fget" },
	{ &kit.staticmethod_func, GETTER, "staticmethod", "__func__" },
	{ &kit.classmethod_func, GETTER, "classmethod", "__func__" },

	{ &kit.type_repr, SLOT, "type", "__repr__" },
	{ &kit.int_repr, SLOT, "int", "__repr__" },
	{ &kit.float_repr, SLOT, "float", "__repr__" },
	{ &kit.complex_repr, SLOT, "complex", "__repr__" },
	{ &kit.range_repr, SLOT, "range", "__repr__" },
	{ &kit.slice_repr, SLOT, "slice", "__repr__" },
	{ &kit.set_iter, SLOT, "set", "__iter__" },
	{ &kit.set_len, SLOT, "set", "__len__" },
	{ &kit.set_has, SLOT, "set", "__contains__" },
	{ &kit.set_add, SLOT, "set", "add" },
	{ &kit.set_discard, SLOT, "set", "discard" },
	{ &kit.set_update, SLOT, "set", "update" },
	{ &kit.frozenset_iter, SLOT, "frozenset", "__iter__" },
	{ &kit.frozenset_len, SLOT, "frozenset", "__len__" },
	{ &kit.frozenset_has, SLOT, "frozenset", "__contains__" },
};

struct word {
	PyObject	**to;
	const char	*text;
};

static const struct word words[] = {
	{ &kit.s_dict, "__dict__" },
	{ &kit.s_get, "__get__" },
	{ &kit.s_set, "__set__" },
	{ &kit.s_slots, "__slots__" },
	{ &kit.s_class, "__class__" },
	{ &kit.s_name, "__name__" },
	{ &kit.s_module, "__module__" },
	{ &kit.s_qualname, "__qualname__" },
	{ &kit.s_fields, "_fields" },
	{ &kit.s_code, "__code__" },
	{ &kit.s_doc, "__doc__" },
	{ &kit.s_func, "func" },
	{ &kit.s_filename, "co_filename" },
	{ &kit.s_firstlineno, "co_firstlineno" },
	{ &kit.s_varnames, "co_varnames" },
	{ &kit.s_argcount, "co_argcount" },
	{ &kit.s_enum_name, "_name_" },
	{ &kit.s_enum_value, "_value_" },
	{ &kit.s_pinefs, "__pinefs__" },
	{ &kit.s_members, "_member_map_" },
	{ &kit.s_trace_rpc, "trace_rpc" },
};

/* The descriptor `name` in the dict of `type`: a new reference. */
static PyObject *
in_dict(PyObject *type, const char *name)
{
	PyObject *dict = PyObject_GetAttrString(type, "__dict__");
	PyObject *found = NULL;

	if (dict != NULL)
		found = PyMapping_GetItemString(dict, name);
	Py_XDECREF(dict);
	return found;
}

static PyObject *
fetch(enum how how, const char *from, const char *name)
{
	PyObject *module, *type, *found, *get;

	module = PyImport_ImportModule(how == ATTR ? from : "builtins");
	if (module == NULL)
		return NULL;
	if (how == ATTR) {
		found = PyObject_GetAttrString(module, name);
		Py_DECREF(module);
		return found;
	}
	type = PyObject_GetAttrString(module, from);
	Py_DECREF(module);
	if (type == NULL)
		return NULL;
	found = in_dict(type, name);
	Py_DECREF(type);
	if (found == NULL || how == SLOT)
		return found;
	get = PyObject_GetAttrString(found, "__get__");
	Py_DECREF(found);
	return get;
}

static int
fetch_deque(void)
{
	kit.deque_iter = in_dict(kit.deque, "__iter__");
	kit.deque_len = in_dict(kit.deque, "__len__");
	kit.deque_append = in_dict(kit.deque, "append");
	kit.deque_pop = in_dict(kit.deque, "pop");
	return kit.deque_iter == NULL || kit.deque_len == NULL ||
	    kit.deque_append == NULL || kit.deque_pop == NULL ? -1 : 0;
}

/* ISO C has no cast between the two kinds of pointers. */
void
kit_newer(const char *name, void *function)
{
	void *p = dlsym(RTLD_DEFAULT, name);

	memcpy(function, &p, sizeof p);
}

int
kit_init(void)
{
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		if ((*words[i].to =
		    PyUnicode_InternFromString(words[i].text)) == NULL)
			return -1;
	for (i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if ((*parts[i].to = fetch(parts[i].how, parts[i].from,
		    parts[i].name)) == NULL)
			return -1;
	kit_newer("PyUnicode_AsUTF8AndSize", &kit.utf8);
	kit_newer("PyThreadState_DeleteCurrent", &kit.delete_current);
	kit_newer("PyGC_Disable", &kit.gc_disable);
	kit_newer("PyGC_Enable", &kit.gc_enable);
	return fetch_deque();
}

/* Looked up each time: modules come and go, and none is imported for us. */
PyObject *
kit_std(const char *module, const char *name)
{
	PyObject *m = PyDict_GetItemString(PyImport_GetModuleDict(), module);
	PyObject *dict;

	if (m == NULL || !PyModule_Check(m) ||
	    (dict = PyModule_GetDict(m)) == NULL)
		return NULL;
	return PyDict_GetItemString(dict, name);
}
