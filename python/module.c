/* SPDX-License-Identifier: MIT */
/*
 * pinefs._pinefs: what the package pinefs is built on.
 *
 *	start(options, settings, path, beside) -> server
 *	stop(server)		port(server)
 *	stats(server)		trace(value)
 *	version()		fork_child()
 *	ending()		nothing(...)
 *
 * `options` is a dict of what concerns pyfs, `settings` a list of pairs of
 * str for the server, as pinefs_set takes them; `path` is where the program
 * is exported, `beside` a list of file systems in memory (path, bytes,
 * readonly).  A server is a capsule.
 */
#include "pyfs.h"

#include <stdlib.h>

static const char CAPSULE[] = "pinefs.server";

/* --------------------------------------------------------------- options -- */

static PyObject *
option(PyObject *options, const char *name)
{
	return PyDict_GetItemString(options, name);
}

static int
get_bool(PyObject *options, const char *name, bool *to)
{
	PyObject *v = option(options, name);
	int is = v != NULL ? PyObject_IsTrue(v) : 0;

	*to = is == 1;
	return is == -1 ? -1 : 0;
}

static int
get_size(PyObject *options, const char *name, size_t *to)
{
	PyObject *v = option(options, name);

	if (v == NULL)
		return 0;
	*to = PyLong_AsSize_t(v);
	return PyErr_Occurred() ? -1 : 0;
}

static void
get_object(PyObject *options, const char *name, PyObject **to)
{
	PyObject *v = option(options, name);

	if (v == NULL || v == Py_None)
		return;
	Py_INCREF(v);
	*to = v;
}

static char *
copy_str(PyObject *str)
{
	PyObject *bytes = PyUnicode_AsUTF8String(str);
	char *copy = NULL;

	if (bytes == NULL)
		return NULL;
	if ((copy = strdup(PyBytes_AsString(bytes))) == NULL)
		PyErr_NoMemory();
	Py_DECREF(bytes);
	return copy;
}

/* Any iterable of str; absent or empty: NULL. */
static int
get_patterns(PyObject *options, const char *name, char ***to)
{
	PyObject *v = option(options, name), *list;
	Py_ssize_t i, n;

	if (v == NULL || v == Py_None)
		return 0;
	if ((list = PySequence_List(v)) == NULL)
		return -1;
	n = PyList_Size(list);
	if (n > 0 && (*to = calloc((size_t)n + 1, sizeof **to)) == NULL)
		PyErr_NoMemory();
	for (i = 0; i < n && !PyErr_Occurred(); i++)
		(*to)[i] = copy_str(PyList_GetItem(list, i));
	Py_DECREF(list);
	return PyErr_Occurred() ? -1 : 0;
}

static int
get_config(PyObject *options, struct pyfs_config *c)
{
	size_t mask = 077, ms = 2000, patience = 10000, signal = 0;

	c->max_nodes = 1 << 18;
	c->max_file = 1 << 26;
	if (get_bool(options, "readonly", &c->readonly) != 0 ||
	    get_bool(options, "hide_private", &c->hide_private) != 0 ||
	    get_bool(options, "exact_newline", &c->exact_newline) != 0 ||
	    get_bool(options, "polite", &c->polite) != 0 ||
	    get_bool(options, "flat", &c->flat) != 0 ||
	    get_bool(options, "code", &c->code) != 0 ||
	    get_bool(options, "control", &c->control) != 0 ||
	    get_bool(options, "views", &c->views) != 0 ||
	    get_size(options, "signal", &signal) != 0 ||
	    get_size(options, "max_nodes", &c->max_nodes) != 0 ||
	    get_size(options, "max_file", &c->max_file) != 0 ||
	    get_size(options, "mode_mask", &mask) != 0 ||
	    get_size(options, "time_box_ms", &ms) != 0 ||
	    get_size(options, "patience_ms", &patience) != 0 ||
	    get_patterns(options, "include", &c->include) != 0 ||
	    get_patterns(options, "exclude", &c->exclude) != 0 ||
	    get_patterns(options, "protect", &c->protect) != 0 ||
	    get_patterns(options, "shadow", &c->shadow) != 0)
		return -1;
	c->mode_mask = (uint32_t)mask & 0777;
	c->time_box = (unsigned)ms;
	c->patience = (unsigned)patience;
	c->signal = (int)signal;
	get_object(options, "root", &c->root);
	get_object(options, "symlink", &c->symlink);
	get_object(options, "switches", &c->switches);
	get_object(options, "ask", &c->ask);
	get_object(options, "swap", &c->swap);
	get_object(options, "watchers", &c->watchers);
	get_object(options, "tell", &c->tell);
	shape_set_mappers(option(options, "mappers"));
	return 0;
}

/* ------------------------------------------------------------- functions -- */

/* An OSError whose strerror is the system's. */
static PyObject *
raise_errno(int err)
{
	errno = err;
	return PyErr_SetFromErrno(PyExc_OSError);
}

static PyObject *
py_start(PyObject *self, PyObject *args)
{
	PyObject *options, *settings, *beside, *capsule;
	const char *path;
	struct pyfs *pf;
	int err;

	(void)self;
	if (!PyArg_ParseTuple(args, "O!O!sO!:start", &PyDict_Type, &options,
	    &PyList_Type, &settings, &path, &PyList_Type, &beside))
		return NULL;
	if ((pf = calloc(1, sizeof *pf)) == NULL)
		return PyErr_NoMemory();
	if (get_config(options, &pf->config) != 0) {
		pyfs_free_config(pf);
		free(pf);
		return NULL;
	}
	if ((err = pyfs_start(pf, settings, path, beside)) != 0)
		return raise_errno(err);
	capsule = PyCapsule_New(pf, CAPSULE, NULL);
	if (capsule == NULL)
		pyfs_stop(pf);
	return capsule;
}

/* NULL: it was stopped, or belongs to the parent of this process. */
static struct pyfs *
server_of(PyObject *capsule)
{
	struct pyfs *pf, *p;

	if ((pf = PyCapsule_GetPointer(capsule, CAPSULE)) == NULL)
		return NULL;
	for (p = pyfs_all; p != NULL && p != pf; p = p->next)
		continue;
	return p;
}

static PyObject *
py_stop(PyObject *self, PyObject *capsule)
{
	struct pyfs *pf = server_of(capsule);

	(void)self;
	if (pf != NULL && !pf->stopping) {
		pf->stopping = true;
		pyfs_stop(pf);
	}
	if (PyErr_Occurred())
		return NULL;
	Py_RETURN_NONE;
}

static struct pyfs *
any_running(void)
{
	struct pyfs *pf;

	for (pf = pyfs_all; pf != NULL; pf = pf->next)
		if (pf->serving && !pf->stopping)
			break;
	return pf;
}

static PyObject *
py_stop_all(PyObject *self, PyObject *none)
{
	struct pyfs *pf;

	(void)self, (void)none;
	while ((pf = any_running()) != NULL) {
		pf->stopping = true;
		pyfs_stop(pf);
	}
	Py_RETURN_NONE;
}

static PyObject *
py_port(PyObject *self, PyObject *capsule)
{
	struct pyfs *pf = server_of(capsule);

	(void)self;
	if (PyErr_Occurred())
		return NULL;
	return PyLong_FromLong(pf != NULL ? pinefs_port(pf->server) : 0);
}

static PyObject *
py_stats(PyObject *self, PyObject *capsule)
{
	struct pyfs *pf = server_of(capsule);

	(void)self;
	if (PyErr_Occurred())
		return NULL;
	return pf != NULL ? stats_of(pf) : PyDict_New();
}

static PyObject *
py_errors(PyObject *self, PyObject *capsule)
{
	struct pyfs *pf = server_of(capsule);

	(void)self;
	if (PyErr_Occurred())
		return NULL;
	return pf != NULL ? error_list(pf) : PyList_New(0);
}

static PyObject *
py_clear_errors(PyObject *self, PyObject *capsule)
{
	struct pyfs *pf = server_of(capsule);

	(void)self;
	if (pf != NULL)
		error_clear(pf);
	if (PyErr_Occurred())
		return NULL;
	Py_RETURN_NONE;
}

/* For views, which show attributes and locals as the tree shows values. */
static PyObject *
py_text(PyObject *self, PyObject *o)
{
	static const struct pyfs plain;
	PyObject *bytes = NULL;
	struct text t = { 0 };
	enum shape s = shape_of(&plain, o);
	int err;

	(void)self;
	if (shape_is_dir(s) || s == SHAPE_OPAQUE || s == SHAPE_REPR)
		Py_RETURN_NONE;
	if ((err = value_render(NULL, o, s, &t)) == 0)
		bytes = PyBytes_FromStringAndSize(t.base, (Py_ssize_t)t.len);
	text_fini(&t);
	return err != 0 ? raise_errno(err) : bytes;
}

/* Raises ValueError for what is EINVAL in the tree. */
static PyObject *
py_parse(PyObject *self, PyObject *args)
{
	static struct pyfs plain;
	struct hold h = { .pf = &plain };
	PyObject *old, *bytes, *v;
	enum shape s;
	int err;

	(void)self;
	if (!PyArg_ParseTuple(args, "OS:parse", &old, &bytes))
		return NULL;
	s = shape_of(&plain, old);
	if (s == SHAPE_BYTEARRAY)	/* nobody was asked yet */
		return PyByteArray_FromObject(bytes);
	if (s == SHAPE_MODULE || s == SHAPE_CLASS || s == SHAPE_INSTANCE)
		return raise_errno(EACCES);
	v = value_parse(&h, old, s, PyBytes_AsString(bytes),
	    (size_t)PyBytes_Size(bytes), true, &err);
	if (v != NULL && shape_is_dir(s) && Py_TYPE(v) != Py_TYPE(old)) {
		Py_DECREF(v);
		PyErr_SetString(PyExc_ValueError,
		    "a literal of another type");
		return NULL;
	}
	if (v != NULL)
		return v;
	if (err == EINVAL) {
		PyErr_SetString(PyExc_ValueError, error_said());
		return NULL;
	}
	return raise_errno(err);
}

static PyObject *
py_key_name(PyObject *self, PyObject *key)
{
	struct sbuf b = { 0 };
	PyObject *name = NULL;
	bool scan = false;
	int err;

	(void)self;
	if ((err = name_of_key(&b, NULL, key, &scan)) == 0)
		name = PyUnicode_DecodeUTF8(b.base, (Py_ssize_t)b.len,
		    "surrogateescape");
	sbuf_fini(&b);
	return err != 0 ? raise_errno(err) : name;
}

/* Subclasses can have attributes, and a __repr__ that shows them. */
static PyObject *
py_is_scalar(PyObject *self, PyObject *o)
{
	static const struct pyfs plain;

	(void)self;
	switch (shape_of(&plain, o)) {
	case SHAPE_STR: case SHAPE_BYTES: case SHAPE_BYTEARRAY:
	case SHAPE_BOOL: case SHAPE_INT: case SHAPE_FLOAT:
	case SHAPE_COMPLEX: case SHAPE_NIL: case SHAPE_RANGE:
	case SHAPE_ELLIPSIS:
		return PyBool_FromLong(!(PyType_GetFlags(Py_TYPE(o)) &
		    Py_TPFLAGS_HEAPTYPE));
	case SHAPE_STD:
		Py_RETURN_TRUE;
	default:
		Py_RETURN_FALSE;
	}
}

static PyObject *
py_fill(PyObject *self, PyObject *args)
{
	PyObject *o, *value;

	(void)self;
	if (!PyArg_ParseTuple(args, "OO:fill", &o, &value) ||
	    fill_container(o, value) != 0)
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *
py_set_function(PyObject *self, PyObject *args)
{
	PyObject *function, *parts[FUNCTION_PARTS];

	(void)self;
	if (!PyArg_ParseTuple(args, "O!OOOO:set_function", kit.function,
	    &function, &parts[0], &parts[1], &parts[2], &parts[3]) ||
	    fill_function(function, parts) != 0)
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *
py_probe_begin(PyObject *self, PyObject *args)
{
	int polite, number;

	(void)self;
	if (!PyArg_ParseTuple(args, "pi:probe_begin", &polite, &number))
		return NULL;
	return PyBool_FromLong(probe_begin(polite != 0, number));
}

static PyObject *
py_probe_is_done(PyObject *self, PyObject *none)
{
	(void)self, (void)none;
	return PyBool_FromLong(probe_is_done());
}

static PyObject *
py_probe_end(PyObject *self, PyObject *none)
{
	(void)self, (void)none;
	probe_end();
	Py_RETURN_NONE;
}

/* A handler for the signal of gil="signal": no bytecode runs. */
static PyObject *
py_nothing(PyObject *self, PyObject *args)
{
	(void)self, (void)args;
	Py_RETURN_NONE;
}

static PyObject *
py_trace(PyObject *self, PyObject *value)
{
	long on = PyLong_AsLong(value);

	(void)self;
	if (on == -1 && PyErr_Occurred())
		return NULL;
	switch_set(on);
	Py_RETURN_NONE;
}

static PyObject *
py_version(PyObject *self, PyObject *none)
{
	(void)self, (void)none;
	return PyUnicode_FromString(pinefs_version());
}

static PyObject *
py_fork_child(PyObject *self, PyObject *none)
{
	(void)self, (void)none;
	pyfs_fork_child();
	Py_RETURN_NONE;
}

static PyObject *
py_ending(PyObject *self, PyObject *none)
{
	(void)self, (void)none;
	gil_hand_over_no_more();
	Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
	{ "start", py_start, METH_VARARGS, "Serve; returns the server." },
	{ "stop", py_stop, METH_O, "Stop a server." },
	{ "stop_all", py_stop_all, METH_NOARGS, "Stop those that nobody has, "
	    "too: a signal can end the program while one starts." },
	{ "port", py_port, METH_O, "The port it listens on; 0: stopped." },
	{ "stats", py_stats, METH_O, "What was counted; {}: stopped." },
	{ "errors", py_errors, METH_O, "The last failures; see error.c." },
	{ "clear_errors", py_clear_errors, METH_O, "Forget them." },
	{ "text", py_text, METH_O,
	    "What a scalar reads as in the tree, as bytes; others: None." },
	{ "parse", py_parse, METH_VARARGS,
	    "The value that bytes stand for where another is bound now." },
	{ "key_name", py_key_name, METH_O, "A key as the name of a file." },
	{ "is_scalar", py_is_scalar, METH_O,
	    "Of a type whose objects hold no others, and not of a subclass." },
	{ "fill", py_fill, METH_VARARGS,
	    "Exchange the contents of a container, in one go." },
	{ "set_function", py_set_function, METH_VARARGS,
	    "Give a function code, defaults, kwdefaults, doc, in one go." },
	{ "probe_begin", py_probe_begin, METH_VARARGS,
	    "Try the ways to the lock, if they were not; see probe.c." },
	{ "probe_is_done", py_probe_is_done, METH_NOARGS, "Stop spinning." },
	{ "probe_end", py_probe_end, METH_NOARGS, "Join its thread." },
	{ "nothing", py_nothing, METH_VARARGS, "Does nothing." },
	{ "trace", py_trace, METH_O, "Print calls, or do not." },
	{ "version", py_version, METH_NOARGS, "The library's version." },
	{ "fork_child", py_fork_child, METH_NOARGS,
	    "Forget every server: this is the child of a fork." },
	{ "ending", py_ending, METH_NOARGS,
	    "The interpreter is about to end." },
	{ NULL, NULL, 0, NULL }
};

static struct PyModuleDef module = {
	PyModuleDef_HEAD_INIT,
	.m_name = "pinefs._pinefs",
	.m_doc = "Serves this process over NFS.  Use the package pinefs.",
	.m_size = -1,
	.m_methods = methods,
};

/* Threads of ours know one interpreter only: the main one, whose id is 0. */
static bool
is_main_interpreter(void)
{
	PyInterpreterState *(*get)(void);

	kit_newer("PyInterpreterState_Get", &get);
	if (get == NULL)	/* 3.8 */
		kit_newer("_PyInterpreterState_Get", &get);
	return get == NULL || PyInterpreterState_GetID(get()) == 0;
}

PyMODINIT_FUNC PyInit__pinefs(void);

PyMODINIT_FUNC
PyInit__pinefs(void)
{
	if (!is_main_interpreter()) {
		PyErr_SetString(PyExc_ImportError,
		    "pinefs serves the main interpreter only");
		return NULL;
	}
	if (kit_init() != 0)
		return NULL;
	return PyModule_Create(&module);
}
