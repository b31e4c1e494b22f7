/* SPDX-License-Identifier: MIT */
/*
 * Keys of dicts as names of files, reversibly (PYFS 7).
 *
 *	"a/b"		a%2Fb		a str, awkward bytes as %XX
 *	"50%", "%41"	50%, %41	a % is left alone ...
 *	"%2F", "%=1"	%252F, %25=1	... unless it would be read as ours
 *	""		%-
 *	5		5		%=5 where there is a "5", too
 *	(1, None)	%=(1, None)	other constants: their repr
 *	SomeClass	%:mod.SomeClass	and anything else: %:Type-0x7f...
 *	very long	first 200 bytes, %~, a hash of all of it
 *
 * The last two are found again by looking through all names.
 */
#include "pyfs.h"

#include <stdio.h>
#include <stdlib.h>

enum { LONG_NAME_KEPT = 200, LONG_TAIL = 18 };

int
sbuf_add(struct sbuf *b, const void *base, size_t len)
{
	size_t cap;
	char *p;

	if (len > b->cap - b->len) {
		cap = b->cap * 2 + len + 64;
		if ((p = realloc(b->base, cap)) == NULL)
			return ENOMEM;
		b->base = p;
		b->cap = cap;
	}
	if (len > 0)
		memcpy(b->base + b->len, base, len);
	b->len += len;
	return 0;
}

void
sbuf_fini(struct sbuf *b)
{
	free(b->base);
	*b = (struct sbuf){ 0 };
}

bool
name_equal(struct pinefs_name a, const char *base, size_t len)
{
	return a.len == len && memcmp(a.base, base, len) == 0;
}

/* ------------------------------------------------------------- escaping -- */

static bool
is_awkward(unsigned char c)
{
	return c == '/' || c < 0x20 || c == 0x7f;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that a %XX of ours at p stands for; -1: it is none of ours. */
static int
code_at(const char *p, const char *end)
{
	int high, low, c;

	if (end - p < 3 || *p != '%' || (high = hex_value(p[1])) < 0 ||
	    (low = hex_value(p[2])) < 0)
		return -1;
	c = high << 4 | low;
	return is_awkward((unsigned char)c) || c == '%' || c == '.' ? c : -1;
}

/* Would a % at p be read as something else than itself? */
static bool
is_mark(const char *base, const char *p, const char *end)
{
	if (end - p < 2)
		return false;
	if (p == base && (p[1] == '=' || p[1] == ':'))
		return true;
	if (p == base && p[1] == '-' && end - p == 2)
		return true;
	return code_at(p, end) >= 0 ||
	    (p[1] == '~' && end - p == LONG_TAIL);
}

static bool
is_dots(const char *base, size_t len)
{
	return (len == 1 && base[0] == '.') ||
	    (len == 2 && base[0] == '.' && base[1] == '.');
}

static int
escape(struct sbuf *b, const char *base, size_t len)
{
	const char *p, *end = base + len, *plain = base;
	bool dots = is_dots(base, len);
	char hex[4];
	int err = 0;

	for (p = base; p < end && err == 0; p++) {
		if (!dots && !is_awkward((unsigned char)*p) &&
		    !(*p == '%' && is_mark(base, p, end)))
			continue;
		(void)snprintf(hex, sizeof hex, "%%%02X", (unsigned char)*p);
		err = sbuf_add(b, plain, (size_t)(p - plain));
		if (err == 0)
			err = sbuf_add(b, hex, 3);
		plain = p + 1;
	}
	if (err == 0)
		err = sbuf_add(b, plain, (size_t)(end - plain));
	return err;
}

/* What does not fit a directory entry ends in a hash of the whole. */
static int
shorten(struct sbuf *b, size_t start, bool *scan)
{
	size_t len = b->len - start, keep = LONG_NAME_KEPT;
	char tail[20];

	if (len <= NAME_LEN_MAX)
		return 0;
	(void)snprintf(tail, sizeof tail, "%%~%016llx",
	    (unsigned long long)hash64(0, b->base + start, len));
	while (keep > 0 && ((unsigned char)b->base[start + keep] & 0xc0) ==
	    0x80)
		keep--;
	b->len = start + keep;
	*scan = true;
	return sbuf_add(b, tail, LONG_TAIL);
}

/* ------------------------------------------------------------ str as key -- */

/* A lone surrogate at p, as its three bytes; -1: something else. */
static int
surrogate_at(const unsigned char *p, const unsigned char *end)
{
	if (end - p < 3 || p[0] != 0xed || p[1] < 0xa0)
		return -1;
	return 0xd000 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
}

/*
 * Lone surrogates: U+DC80 to U+DCFF stand for bytes that were no UTF-8 and
 * are these bytes again; others are their three bytes, escaped, and found by
 * looking through all names.
 */
static int
name_of_odd_str(struct sbuf *b, PyObject *key, bool *scan)
{
	const unsigned char *p, *end;
	PyObject *bytes;
	Py_ssize_t len;
	char *base, hex[12];
	int c, err = 0;

	bytes = PyUnicode_AsEncodedString(key, "utf-8", "surrogatepass");
	if (bytes == NULL ||
	    PyBytes_AsStringAndSize(bytes, &base, &len) != 0) {
		Py_XDECREF(bytes);
		return py_errno();
	}
	p = (const unsigned char *)base;
	for (end = p + len; p < end && err == 0; p += c < 0 ? 1 : 3) {
		c = surrogate_at(p, end);
		if (c >= 0xdc80 && c <= 0xdcff) {
			hex[0] = (char)(c & 0xff);
			err = sbuf_add(b, hex, 1);
		} else if (c >= 0) {
			(void)snprintf(hex, sizeof hex, "%%%02X%%%02X%%%02X",
			    p[0], p[1], p[2]);
			err = sbuf_add(b, hex, 9);
			*scan = true;
		} else {
			err = escape(b, (const char *)p, 1);
		}
	}
	Py_DECREF(bytes);
	return err;
}

static int
name_of_str(struct sbuf *b, PyObject *key, bool *scan)
{
	const char *base;
	Py_ssize_t len;

	if ((base = kit.utf8(key, &len)) == NULL) {
		PyErr_Clear();
		return name_of_odd_str(b, key, scan);
	}
	return len == 0 ? sbuf_add(b, "%-", 2) : escape(b, base, (size_t)len);
}

/* A str key of these characters; NULL without memory. */
static PyObject *
decode(const char *base, size_t len)
{
	return PyUnicode_DecodeUTF8(base, (Py_ssize_t)len, "surrogateescape");
}

PyObject *
name_to_str(struct pinefs_name name)
{
	return decode(name.base, name.len);
}

/* ---------------------------------------------------------- other keys -- */

/* Constants that literal_eval reads back: no code of the user in them. */
static bool
is_constant(PyObject *key, int depth)
{
	Py_ssize_t i, n;

	if (key == Py_None || PyBool_Check(key) || PyLong_CheckExact(key) ||
	    PyUnicode_CheckExact(key) || PyBytes_CheckExact(key) ||
	    Py_TYPE(key) == &PyFloat_Type || Py_TYPE(key) == &PyComplex_Type)
		return true;
	if (!PyTuple_CheckExact(key) || depth == 0)
		return false;
	n = PyTuple_Size(key);
	for (i = 0; i < n; i++)
		if (!is_constant(PyTuple_GetItem(key, i), depth - 1))
			return false;
	return true;
}

static int
name_of_repr(struct sbuf *b, PyObject *key, bool *scan)
{
	PyObject *repr = PyObject_Repr(key);
	int err;

	if (repr == NULL)
		return py_errno();
	if ((err = sbuf_add(b, "%=", 2)) == 0)
		err = name_of_str(b, repr, scan);
	Py_DECREF(repr);
	return err;
}

static int
name_of_int(struct sbuf *b, PyObject *dict, PyObject *key, bool *scan)
{
	PyObject *str = PyObject_Str(key);
	bool taken = false;
	int err = 0;

	if (str == NULL)	/* beyond the digits that Python prints */
		return py_errno();
	if (dict != NULL && PyDict_Check(dict)) {
		taken = PyDict_GetItemWithError(dict, str) != NULL;
		PyErr_Clear();
	}
	if (taken)
		err = sbuf_add(b, "%=", 2);
	if (err == 0)
		err = name_of_str(b, str, scan);
	Py_DECREF(str);
	return err;
}

/* The dotted name of a class, function or module, as far as it has one. */
static PyObject *
dotted(PyObject *key)
{
	PyObject *module = NULL, *name = NULL, *both = NULL, *dict;

	if (PyModule_Check(key)) {
		dict = PyModule_GetDict(key);
		name = dict == NULL ? NULL :
		    PyDict_GetItemWithError(dict, kit.s_name);
		Py_XINCREF(name);
	} else if (PyType_Check(key)) {
		module = PyObject_CallFunctionObjArgs(kit.type_module, key,
		    NULL);
		name = PyObject_CallFunctionObjArgs(kit.type_qualname, key,
		    NULL);
	} else if (IS_EXACTLY(key, kit.function)) {
		module = PyObject_GetAttr(key, kit.s_module);
		name = PyObject_GetAttr(key, kit.s_qualname);
	}
	PyErr_Clear();
	if (name != NULL && PyUnicode_CheckExact(name)) {
		if (module != NULL && PyUnicode_CheckExact(module))
			both = PyUnicode_FromFormat("%U.%U", module, name);
		else
			both = PyUnicode_FromFormat("%U", name);
	}
	Py_XDECREF(module);
	Py_XDECREF(name);
	PyErr_Clear();
	return both;
}

static int
name_of_object(struct sbuf *b, PyObject *key, bool *scan)
{
	PyObject *text = dotted(key);
	PyObject *type;
	int err;

	if (text == NULL) {
		type = PyObject_CallFunctionObjArgs(kit.type_qualname,
		    TYPE_OF(key), NULL);
		if (type != NULL && PyUnicode_CheckExact(type))
			text = PyUnicode_FromFormat("%U-%p", type,
			    (void *)key);
		Py_XDECREF(type);
	}
	if (text == NULL) {
		PyErr_Clear();
		return ENOMEM;
	}
	if ((err = sbuf_add(b, "%:", 2)) == 0)
		err = name_of_str(b, text, scan);
	Py_DECREF(text);
	return err;
}

int
name_of_key(struct sbuf *b, PyObject *dict, PyObject *key, bool *scan)
{
	size_t start = b->len;
	int err;

	if (PyUnicode_CheckExact(key)) {
		err = name_of_str(b, key, scan);
	} else if (PyLong_CheckExact(key)) {
		err = name_of_int(b, dict, key, scan);
	} else if (is_constant(key, 4)) {
		err = name_of_repr(b, key, scan);
	} else {
		*scan = true;
		err = name_of_object(b, key, scan);
	}
	if (err == EINVAL) {	/* an int that Python refuses to print */
		*scan = true;
		b->len = start;
		err = name_of_object(b, key, scan);
	}
	return err != 0 ? err : shorten(b, start, scan);
}

/* ------------------------------------------------------------ and back -- */

Py_ssize_t
name_to_index(struct pinefs_name name)
{
	Py_ssize_t n = 0;
	uint32_t i;

	if (name.len == 0 || name.len > 15 ||
	    (name.base[0] == '0' && name.len > 1))
		return -1;
	for (i = 0; i < name.len; i++) {
		if (name.base[i] < '0' || name.base[i] > '9')
			return -1;
		n = n * 10 + (name.base[i] - '0');
	}
	return n;
}

static bool
is_number(struct pinefs_name name)
{
	uint32_t i = name.base[0] == '-', first = i;

	if (i == name.len || (name.base[i] == '0' && name.len > 1))
		return false;
	for (; i < name.len; i++)
		if (name.base[i] < '0' || name.base[i] > '9')
			return false;
	return name.len > first;
}

PyObject *
name_to_number(struct pinefs_name name)
{
	char text[NAME_LEN_MAX + 1];
	PyObject *number;

	if (!is_number(name))
		return NULL;
	memcpy(text, name.base, name.len);
	text[name.len] = '\0';
	if ((number = PyLong_FromString(text, NULL, 10)) == NULL)
		PyErr_Clear();
	return number;
}

/* Undo escape(); NULL without memory.  %- and its kin stay as they are. */
static PyObject *
unescape(const char *base, size_t len)
{
	const char *p, *end = base + len;
	PyObject *str;
	char *out, *q;
	int c;

	if (memchr(base, '%', len) == NULL)
		return decode(base, len);
	if ((out = malloc(len)) == NULL)
		return PyErr_NoMemory();
	for (p = base, q = out; p < end; q++) {
		if ((c = code_at(p, end)) >= 0) {
			*q = (char)c;
			p += 3;
		} else {
			*q = *p++;
		}
	}
	str = decode(out, (size_t)(q - out));
	free(out);
	return str;
}

/* Is there one way to write it only?  Else a file would have two names. */
bool
name_is_of(struct pinefs_name name, PyObject *dict, PyObject *key)
{
	struct sbuf b = { 0 };
	bool scan = false, same;

	same = name_of_key(&b, dict, key, &scan) == 0 &&
	    name_equal(name, b.base, b.len);
	sbuf_fini(&b);
	return same;
}

static PyObject *
literal(struct pinefs_name name)
{
	PyObject *text, *key;

	if ((text = unescape(name.base + 2, name.len - 2)) == NULL)
		return NULL;
	key = PyObject_CallFunctionObjArgs(kit.literal_eval, text, NULL);
	Py_DECREF(text);
	return key;
}

static bool
has_long_tail(struct pinefs_name name)
{
	return name.len > LONG_TAIL &&
	    memcmp(name.base + name.len - LONG_TAIL, "%~", 2) == 0;
}

PyObject *
name_to_key(struct pinefs_name name, int *err)
{
	PyObject *key;

	*err = 0;
	if (memchr(name.base, '%', name.len) == NULL)
		return name_to_str(name);
	if (has_long_tail(name) || memmem(name.base, name.len, "%ED%", 4) ||
	    (name.len > 2 && memcmp(name.base, "%:", 2) == 0))
		return NULL;
	if (name.len > 2 && memcmp(name.base, "%=", 2) == 0) {
		key = literal(name);
		if (key != NULL && PyLong_CheckExact(key))
			return key;	/* if "5" is there, too */
	} else if (name_equal(name, "%-", 2)) {
		key = PyUnicode_FromString("");
	} else {
		key = unescape(name.base, name.len);
	}
	if (key == NULL || !is_constant(key, 4) || !name_is_of(name, NULL, key)) {
		PyErr_Clear();
		Py_XDECREF(key);
		*err = ENOENT;
		return NULL;
	}
	return key;
}

bool
name_is_identifier(struct pinefs_name name)
{
	PyObject *str = name_to_str(name);
	bool is = str != NULL && PyUnicode_IsIdentifier(str) == 1;

	Py_XDECREF(str);
	PyErr_Clear();
	return is;
}
