/* SPDX-License-Identifier: MIT */
/*
 * The bytes of files as values (PYFS 8.1).  The type stays: text is parsed
 * by the type of the value that is bound now, and what does not parse is
 * EINVAL.  Never type(v)(): that would make True of "0".
 */
#define PY_SSIZE_T_CLEAN
#include "pyfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct piece {
	const char	*base;
	size_t		 len;
};

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct piece
strip(const char *base, size_t len)
{
	while (len > 0 && is_space(*base)) {
		base++;
		len--;
	}
	while (len > 0 && is_space(base[len - 1]))
		len--;
	return (struct piece){ base, len };
}

static bool
is_word(struct piece p, const char *word)
{
	return p.len == strlen(word) && strncasecmp(p.base, word, p.len) == 0;
}

static PyObject *
str_of(struct piece p)
{
	return PyUnicode_DecodeUTF8(p.base, (Py_ssize_t)p.len, NULL);
}

/* ---------------------------------------------------------- base types -- */

/*
 * One line that replaces a str without a newline loses its own: what `echo`
 * adds is not meant.
 */
static size_t
without_newline(struct hold *h, PyObject *old, const char *base, size_t len,
    bool replacing)
{
	Py_ssize_t n;

	if (!replacing || h->pf->config.exact_newline || old == NULL ||
	    len == 0 || memchr(base, '\n', len) != base + len - 1)
		return len;
	n = PyUnicode_GetLength(old);
	if (n <= 0 || PyUnicode_FindChar(old, '\n', 0, n, 1) != -1)
		return len;
	return len - 1;
}

static PyObject *
parse_str(struct hold *h, PyObject *old, const char *base, size_t len,
    bool replacing)
{
	len = without_newline(h, old, base, len, replacing);
	return PyUnicode_DecodeUTF8(base, (Py_ssize_t)len, "surrogateescape");
}

/* Nothing is bound yet. */
static PyObject *
parse_new(const char *base, size_t len)
{
	PyObject *v = PyUnicode_DecodeUTF8(base, (Py_ssize_t)len, NULL);

	if (v == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
		PyErr_Clear();
		v = PyBytes_FromStringAndSize(base, (Py_ssize_t)len);
	}
	return v;
}

/* In place: whoever holds the bytearray sees it change. */
static PyObject *
change_bytearray(PyObject *old, const char *base, size_t len)
{
	if (PyByteArray_Resize(old, (Py_ssize_t)len) != 0)
		return NULL;
	memcpy(PyByteArray_AsString(old), base, len);
	Py_INCREF(old);
	return old;
}

static PyObject *
parse_bool(struct piece p)
{
	static const char *const yes[] = { "1", "true", "yes", "on" };
	static const char *const no[] = { "0", "false", "no", "off" };
	PyObject *v = NULL;
	size_t i;

	for (i = 0; i < 4; i++) {
		if (is_word(p, yes[i]))
			v = Py_True;
		if (is_word(p, no[i]))
			v = Py_False;
	}
	if (v == NULL)
		PyErr_SetString(PyExc_ValueError, "not a truth value");
	Py_XINCREF(v);
	return v;
}

static PyObject *
parse_int_base(const char *text, size_t len, int base)
{
	PyObject *v;
	char *end;

	v = PyLong_FromString(text, &end, base);
	if (v != NULL && end != text + len) {
		Py_DECREF(v);
		PyErr_SetString(PyExc_ValueError, "not an integer");
		return NULL;
	}
	return v;
}

/* int(t, 0), then int(t, 10), so that `0x1f` and `007` both are numbers. */
static PyObject *
parse_int(struct piece p)
{
	char *text = malloc(p.len + 1);
	PyObject *v;

	if (text == NULL)
		return PyErr_NoMemory();
	memcpy(text, p.base, p.len);
	text[p.len] = '\0';
	v = parse_int_base(text, p.len, 0);
	if (v == NULL) {
		PyErr_Clear();
		v = parse_int_base(text, p.len, 10);
	}
	free(text);
	return v;
}

static PyObject *
call_with_str(PyObject *f, struct piece p)
{
	PyObject *str = str_of(p), *v = NULL;

	if (str != NULL && f != NULL)
		v = PyObject_CallFunctionObjArgs(f, str, NULL);
	Py_XDECREF(str);
	return v;
}

static PyObject *
parse_base(struct hold *h, PyObject *old, enum shape s, const char *base,
    size_t len, bool replacing)
{
	struct piece p = strip(base, len);

	switch (s) {
	case SHAPE_STR:
		return parse_str(h, old, base, len, replacing);
	case SHAPE_BYTES:
		return PyBytes_FromStringAndSize(base, (Py_ssize_t)len);
	case SHAPE_BYTEARRAY:
		return change_bytearray(old, base, len);
	case SHAPE_BOOL:
		return parse_bool(p);
	case SHAPE_INT:
		return parse_int(p);
	case SHAPE_FLOAT:
		return call_with_str((PyObject *)&PyFloat_Type, p);
	case SHAPE_COMPLEX:
		return call_with_str((PyObject *)&PyComplex_Type, p);
	default:	/* None: any literal */
		return call_with_str(kit.literal_eval, p);
	}
}

/* ---------------------------------------------- enums, standard scalars -- */

/* NAME or Class.NAME, from the class's own table of members. */
static PyObject *
enum_member(PyObject *cls, struct piece p)
{
	PyObject *map = shape_of_class(cls, kit.s_members), *name, *v = NULL;
	const char *dot = p.len > 0 ? memrchr(p.base, '.', p.len) : NULL;

	if (dot != NULL) {
		p.len -= (size_t)(dot + 1 - p.base);
		p.base = dot + 1;
	}
	name = str_of(p);
	if (map != NULL && PyDict_Check(map) && name != NULL) {
		v = PyDict_GetItemWithError(map, name);
		Py_XINCREF(v);
	}
	PyErr_Clear();
	Py_XDECREF(name);
	Py_XDECREF(map);
	return v;
}

/* NAME|NAME, of flags; their __or__ may be the user's. */
static PyObject *
enum_flags(PyObject *cls, struct piece p)
{
	const char *end = p.base + p.len, *bar;
	PyObject *v = NULL, *member, *both;

	for (; p.base < end; p.base = bar + 1) {
		if ((bar = memchr(p.base, '|', (size_t)(end - p.base))) ==
		    NULL)
			bar = end;
		p.len = (size_t)(bar - p.base);
		member = enum_member(cls, strip(p.base, p.len));
		both = member == NULL || v == NULL ? member :
		    PyNumber_Or(v, member);
		if (both != member)
			Py_XDECREF(member);
		Py_XDECREF(v);
		if ((v = both) == NULL)
			break;
	}
	return v;
}

/* The value's literal; the class decides, which is code of the user. */
static PyObject *
enum_by_value(PyObject *cls, struct piece p)
{
	PyObject *value, *v;

	if (memchr(p.base, '|', p.len) != NULL &&
	    (v = enum_flags(cls, p)) != NULL)
		return v;
	PyErr_Clear();
	value = call_with_str(kit.literal_eval, p);

	if (value == NULL)
		return NULL;
	v = PyObject_CallFunctionObjArgs(cls, value, NULL);
	Py_DECREF(value);
	return v;
}

static PyObject *
parse_hours(PyObject *cls, const char *base, size_t len)
{
	char text[8];
	int h, m, n = 0;

	if (len != 5)
		goto bad;
	memcpy(text, base, len);
	text[len] = '\0';
	if (sscanf(text, "%2d:%2d%n", &h, &m, &n) != 2 || n != 5)
		goto bad;
	return PyObject_CallFunction(cls, "ii", 0, h * 3600 + m * 60);
bad:
	PyErr_SetString(PyExc_ValueError, "not hours and minutes");
	return NULL;
}

/* What str() of a timedelta prints: `-1 day, 23:59:59.5`, `0:00:10`. */
static PyObject *
parse_timedelta(PyObject *cls, struct piece p)
{
	char text[64], fraction[7] = "000000";
	int days = 0, h, m, s, at = 0, n = 0;
	size_t i;

	if (p.len >= sizeof text)
		goto bad;
	memcpy(text, p.base, p.len);
	text[p.len] = '\0';
	if (sscanf(text, "%d day, %n", &days, &at) < 1 || at == 0)
		(void)sscanf(text, "%d days, %n", &days, &at);
	if (at == 0)
		days = 0;
	if (sscanf(text + at, "%d:%2d:%2d%n", &h, &m, &s, &n) != 3)
		goto bad;
	at += n;
	if (text[at] == '.') {
		at++;
		for (i = 0; i < 6 && text[at] >= '0' && text[at] <= '9'; i++)
			fraction[i] = text[at++];
	}
	if (text[at] != '\0')
		goto bad;
	return PyObject_CallFunction(cls, "iii", days,
	    h * 3600 + m * 60 + s, atoi(fraction));
bad:
	PyErr_SetString(PyExc_ValueError, "not a timedelta");
	return NULL;
}

/* What str() of a timezone prints: `UTC`, `UTC+01:00`, `UTC-00:00:07.5`. */
static PyObject *
parse_timezone(PyObject *cls, struct piece p)
{
	PyObject *delta = kit_std("datetime", "timedelta"), *offset, *zero;
	PyObject *v = NULL;

	if (p.len < 3 || memcmp(p.base, "UTC", 3) != 0 || delta == NULL)
		goto bad;
	if (p.len == 3)
		return PyObject_GetAttrString(cls, "utc");
	if (p.len < 9 || (p.base[3] != '+' && p.base[3] != '-'))
		goto bad;
	offset = parse_timedelta(delta, (struct piece){ p.base + 4,
	    p.len - 4 });
	if (offset == NULL) {	/* it prints no seconds where there are none */
		PyErr_Clear();
		offset = parse_hours(delta, p.base + 4, p.len - 4);
	}
	if (offset != NULL && p.base[3] == '-') {
		zero = PyObject_CallFunction(delta, "i", 0);
		v = zero != NULL ? PyNumber_Subtract(zero, offset) : NULL;
		Py_XDECREF(zero);
		Py_DECREF(offset);
		offset = v;
	}
	v = NULL;
	if (offset != NULL)
		v = PyObject_CallFunctionObjArgs(cls, offset, NULL);
	Py_XDECREF(offset);
	return v;
bad:
	PyErr_SetString(PyExc_ValueError, "not a timezone");
	return NULL;
}

static PyObject *
parse_std(PyObject *old, struct piece p)
{
	PyObject *cls = TYPE_OF(old), *from, *v;

	if (cls == kit_std("datetime", "timezone"))
		return parse_timezone(cls, p);
	if (cls == kit_std("datetime", "timedelta"))
		return parse_timedelta(cls, p);
	if (!PyObject_HasAttrString(cls, "fromisoformat"))
		return call_with_str(cls, p);
	from = PyObject_GetAttrString(cls, "fromisoformat");
	v = call_with_str(from, p);
	Py_XDECREF(from);
	return v;
}

/* ------------------------------------------------------------- the door -- */

static bool
is_exact(PyObject *old, enum shape s)
{
	PyTypeObject *t = Py_TYPE(old);

	switch (s) {
	case SHAPE_STR: return t == &PyUnicode_Type;
	case SHAPE_BYTES: return t == &PyBytes_Type;
	case SHAPE_INT: return t == &PyLong_Type;
	case SHAPE_FLOAT: return t == &PyFloat_Type;
	case SHAPE_COMPLEX: return t == &PyComplex_Type;
	default: return true;
	}
}

/* T(parsed) for a subclass T of one of Python's scalars. */
static PyObject *
as_subclass(struct hold *h, PyObject *old, PyObject *parsed, int *err)
{
	PyObject *v;

	if (h->broker) {
		Py_XDECREF(parsed);
		PyErr_Clear();
		*err = PYFS_WORKER;
		return NULL;
	}
	if (parsed == NULL)
		return NULL;
	v = PyObject_CallFunctionObjArgs(TYPE_OF(old), parsed, NULL);
	Py_DECREF(parsed);
	return v;
}

/*
 * A type that we know nothing of: text is taken if T(str(v)) == v holds for
 * what is bound now.  All of it is code of the user.
 */
static PyObject *
parse_other(struct hold *h, PyObject *old, struct piece p, int *err)
{
	PyObject *str, *back = NULL;
	int same = 0;

	if (h->broker) {
		*err = PYFS_WORKER;
		return NULL;
	}
	if ((str = PyObject_Str(old)) != NULL)
		back = PyObject_CallFunctionObjArgs(TYPE_OF(old), str, NULL);
	if (back != NULL && Py_TYPE(back) == Py_TYPE(old))
		same = PyObject_RichCompareBool(back, old, Py_EQ);
	Py_XDECREF(str);
	Py_XDECREF(back);
	if (same == 1)
		return call_with_str(TYPE_OF(old), p);
	PyErr_Clear();
	*err = EACCES;
	return NULL;
}

/* The function stays, and does from now on what its new source says. */
static PyObject *
write_source(struct hold *h, PyObject *old, const char *base, size_t len,
    int *err)
{
	PyObject *v;

	if (!h->pf->config.code || h->pf->config.swap == NULL ||
	    h->broker) {
		*err = h->pf->config.code ? PYFS_WORKER : EACCES;
		return NULL;
	}
	v = PyObject_CallFunction(h->pf->config.swap, "Oy#", old, base,
	    (Py_ssize_t)len);
	if (v == NULL)
		return NULL;
	Py_DECREF(v);
	Py_INCREF(old);
	return old;
}

/* The literal of a sequence or set, of the very type. */
static PyObject *
parse_flat(PyObject *old, struct piece p)
{
	PyObject *v = call_with_str(kit.literal_eval, p);

	if (v == NULL || Py_TYPE(v) == Py_TYPE(old))
		return v;
	Py_DECREF(v);
	PyErr_SetString(PyExc_ValueError, "a literal of another type");
	return NULL;
}

static PyObject *
parse_enum(struct hold *h, PyObject *old, struct piece p, int *err)
{
	PyObject *v = enum_member(TYPE_OF(old), p);

	if (v != NULL)
		return v;
	if (h->broker) {
		*err = PYFS_WORKER;
		return NULL;
	}
	return enum_by_value(TYPE_OF(old), p);
}

PyObject *
value_parse(struct hold *h, PyObject *old, enum shape s, const char *base,
    size_t len, bool replacing, int *err)
{
	PyObject *v;

	*err = 0;
	if (old == NULL) {
		v = parse_new(base, len);
	} else if (s == SHAPE_MAPPED) {
		v = view_parse(h, old, base, len, err);
	} else if (s == SHAPE_FUNC) {
		v = write_source(h, old, base, len, err);
	} else if (s == SHAPE_OPAQUE) {
		v = parse_other(h, old, strip(base, len), err);
	} else if (!shape_is_writable(s, old) || s == SHAPE_SYMLINK) {
		*err = EACCES;
		return NULL;
	} else if (s == SHAPE_ENUM) {
		v = parse_enum(h, old, strip(base, len), err);
	} else if (s == SHAPE_FLAT) {
		v = parse_flat(old, strip(base, len));
	} else if (s == SHAPE_STD) {
		v = parse_std(old, strip(base, len));
	} else if (s == SHAPE_INT && !is_exact(old, s) &&
	    (v = enum_member(TYPE_OF(old), strip(base, len))) != NULL) {
		return v;	/* an IntEnum, by name */
	} else if (s == SHAPE_INT && !is_exact(old, s) && len > 0 &&
	    memchr(base, '|', len) != NULL) {	/* an IntFlag */
		v = h->broker ? NULL : enum_flags(TYPE_OF(old),
		    strip(base, len));
		*err = h->broker ? PYFS_WORKER : 0;
	} else {
		v = parse_base(h, old, s, base, len, replacing);
		if (!is_exact(old, s))
			v = as_subclass(h, old, v, err);
	}
	if (v == NULL && *err == 0) {
		error_why();
		*err = PyErr_Occurred() &&
		    PyErr_ExceptionMatches(PyExc_MemoryError) ? ENOMEM :
		    EINVAL;
		PyErr_Clear();
	}
	return v;
}
