/* SPDX-License-Identifier: MIT */
/*
 * Functions as their source.
 *
 * The lines are those of the file, from the first line of the code object to
 * the end of the block, which its indentation shows.  Files are read here,
 * not by inspect or linecache, which cost half a millisecond a function and
 * may call import hooks; only where there is no such file is linecache asked
 * for what it holds already (the prompt of 3.13, doctest, notebooks).
 *
 * A file on our own mount is not read: mounts.c.
 *
 * The last files are kept, checked against the file's time and size once in a
 * hold.  For a listing they are loaded while the program goes on: 225 files of
 * a large one take 0.2 s.
 */
#include "pyfs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_KEPT = 512, FILE_MAX = 8 << 20, ALL_MAX = 24 << 20 };

struct file {
	char		*name, *base;
	size_t		 len;
	size_t		*lines;		/* where each begins */
	size_t		 nlines;
	struct timespec	 mtime;
	uint64_t	 hash;		/* of the name */
	uint64_t	 used;
	uint64_t	 checked;	/* in this hold */
};

static struct file files[FILES_KEPT];
static size_t nfiles, nbytes;
static uint64_t clock_hand;

static void
file_fini(struct file *f)
{
	free(f->name);
	free(f->base);
	free(f->lines);
	*f = (struct file){ 0 };
}

static int
find_lines(struct file *f)
{
	size_t i, n = 1;

	for (i = 0; i < f->len; i++)
		n += f->base[i] == '\n';
	if ((f->lines = malloc((n + 1) * sizeof *f->lines)) == NULL)
		return ENOMEM;
	f->lines[0] = 0;
	for (i = 0, n = 1; i < f->len; i++)
		if (f->base[i] == '\n')
			f->lines[n++] = i + 1;
	if (f->lines[n - 1] == f->len)
		n--;
	f->lines[n] = f->len;
	f->nlines = n;
	return 0;
}

static int
read_all(int fd, struct file *f)
{
	size_t got = 0;
	ssize_t n;

	if ((f->base = malloc(f->len + 1)) == NULL)
		return ENOMEM;
	while (got < f->len) {
		n = read(fd, f->base + got, f->len - got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	f->len = got;
	return 0;
}

static int
file_load(struct file *f, const char *name)
{
	struct stat st;
	int fd, err;

	file_fini(f);
	/* Not a fifo that would block, nor a terminal. */
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return errno;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size > FILE_MAX) {
		(void)close(fd);
		return EINVAL;
	}
	f->len = (size_t)st.st_size;
	f->mtime = st.st_mtim;
	err = read_all(fd, f);
	(void)close(fd);
	if (err == 0)
		err = find_lines(f);
	if (err == 0 && (f->name = strdup(name)) == NULL)
		err = ENOMEM;
	f->hash = hash64(0, name, strlen(name));
	if (err != 0)
		file_fini(f);
	return err;
}

static bool
is_current(struct file *f)
{
	struct stat st;

	if (f->checked == shape_epoch())
		return true;
	if (stat(f->name, &st) == -1 || (size_t)st.st_size != f->len ||
	    st.st_mtim.tv_sec != f->mtime.tv_sec ||
	    st.st_mtim.tv_nsec != f->mtime.tv_nsec)
		return false;
	f->checked = shape_epoch();
	return true;
}

static void
file_drop(struct file *f)
{
	nbytes -= f->len;
	file_fini(f);
	*f = files[--nfiles];
}

static struct file *
file_find(const char *name)
{
	static size_t last;	/* most often it is that one again */
	uint64_t hash = hash64(0, name, strlen(name));
	size_t i = last;

	if (i >= nfiles || files[i].hash != hash)
		for (i = 0; i < nfiles && files[i].hash != hash; i++)
			continue;
	if (i == nfiles || strcmp(files[i].name, name) != 0)
		return NULL;
	last = i;
	if (is_current(&files[i]))
		return &files[i];
	file_drop(&files[i]);
	return NULL;
}

/* Takes *f over. */
static struct file *
file_keep(struct file *f)
{
	struct file *p, *oldest;

	while (nfiles > 0 && (nfiles == FILES_KEPT ||
	    nbytes + f->len > ALL_MAX)) {
		oldest = files;
		for (p = files; p < files + nfiles; p++)
			if (p->used < oldest->used)
				oldest = p;
		file_drop(oldest);
	}
	nbytes += f->len;
	files[nfiles] = *f;
	return &files[nfiles++];
}

/* `<string>` and the like, as linecache has it; or not to be read. */
static bool
is_no_file(const char *name)
{
	size_t len = strlen(name);

	return len == 0 || (name[0] == '<' && name[len - 1] == '>') ||
	    mounts_is_ours(name);
}

static struct file *
file_get(const char *name)
{
	struct file *f, loaded = { 0 };

	if (is_no_file(name))
		return NULL;
	if ((f = file_find(name)) == NULL) {
		if (file_load(&loaded, name) != 0)
			return NULL;
		f = file_keep(&loaded);
	}
	f->used = ++clock_hand;
	return f;
}

/* --------------------------------------------------------------- blocks -- */

/* Where we are in Python's syntax, as far as line ends depend on it. */
struct scan {
	int	brackets;
	char	quote;		/* in a string, which ends with this */
	bool	triple;
	bool	continued;	/* the line ended in a backslash */
};

static void
scan_string(struct scan *s, const char **p, const char *end)
{
	for (; *p < end; (*p)++) {
		if (**p == '\\') {
			(*p)++;
		} else if (**p == '\n' && !s->triple) {
			s->quote = '\0';
			return;
		} else if (**p == s->quote && (!s->triple ||
		    (end - *p >= 3 && (*p)[1] == s->quote &&
		    (*p)[2] == s->quote))) {
			*p += s->triple ? 2 : 0;
			s->quote = '\0';
			return;
		}
	}
}

static void
scan_line(struct scan *s, const char *p, const char *end)
{
	s->continued = false;
	for (; p < end; p++) {
		if (s->quote != '\0') {
			scan_string(s, &p, end);
		} else if (*p == '"' || *p == '\'') {
			s->quote = *p;
			s->triple = end - p >= 3 && p[1] == *p && p[2] == *p;
			p += s->triple ? 2 : 0;
		} else if (*p == '#') {
			return;
		} else if (*p == '(' || *p == '[' || *p == '{') {
			s->brackets++;
		} else if (*p == ')' || *p == ']' || *p == '}') {
			s->brackets--;
		} else if (*p == '\\') {
			s->continued = true;
		} else if (*p != '\n' && *p != '\r') {
			s->continued = false;
		}
	}
}

static bool
is_inside(const struct scan *s)
{
	return s->brackets > 0 || s->quote != '\0' || s->continued;
}

/* -1: nothing but a comment or white space. */
static int
indent_of(const char *p, const char *end)
{
	int n = 0;

	for (; p < end && (*p == ' ' || *p == '\t' || *p == '\f'); p++)
		n = *p == '\t' ? n / 8 * 8 + 8 : n + 1;
	return p == end || *p == '#' || *p == '\n' || *p == '\r' ? -1 : n;
}

static bool
begins_block(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return (end - p > 4 && strncmp(p, "def ", 4) == 0) ||
	    (end - p > 6 && strncmp(p, "async ", 6) == 0) ||
	    (end - p > 6 && strncmp(p, "class ", 6) == 0);
}

static bool
is_decorator(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p < end && *p == '@';
}

/*
 * The line behind the block that begins on line `first`: decorators, the
 * head, and all that is indented more than the head.
 */
static size_t
block_end(const char *base, const size_t *lines, size_t nlines, size_t first)
{
	struct scan s = { 0 };
	const char *p, *end;
	size_t i, last = first + 1;
	int head = -1, indent;
	bool block = false, decorated = false, inside;

	for (i = first; i < nlines; i++) {
		p = base + lines[i];
		end = base + lines[i + 1];
		inside = is_inside(&s);
		indent = indent_of(p, end);
		if (!inside && indent >= 0) {
			if (head >= 0 && !decorated &&
			    (!block || indent <= head))
				break;
			if (head < 0 || decorated) {
				head = indent;
				decorated = is_decorator(p, end);
				block = begins_block(p, end);
			}
		}
		scan_line(&s, p, end);
		if (inside || indent >= 0)
			last = i + 1;
	}
	return last;
}

/* ------------------------------------------------------------ functions -- */

/* What of `o` has code: a function, or the getter of a property. */
static PyObject *
function_of(PyObject *o)
{
	PyObject *type = TYPE_OF(o), *f = NULL, *dict;

	if (type == kit.function) {
		Py_INCREF(o);
		return o;
	}
	if (type == kit.method) {
		f = PyObject_GetAttrString(o, "__func__");
	} else if (type == kit.cached_property) {
		dict = shape_dict(SHAPE_INSTANCE, o);
		if (dict != NULL)
			f = PyDict_GetItemWithError(dict, kit.s_func);
		Py_XINCREF(f);
		Py_XDECREF(dict);
	} else if (PyType_IsSubtype(Py_TYPE(o),
	    (PyTypeObject *)kit.property)) {
		f = PyObject_CallFunctionObjArgs(kit.property_get, o, NULL);
	} else if (PyType_IsSubtype(Py_TYPE(o),
	    (PyTypeObject *)kit.staticmethod)) {
		f = PyObject_CallFunctionObjArgs(kit.staticmethod_func, o,
		    NULL);
	} else {
		f = PyObject_CallFunctionObjArgs(kit.classmethod_func, o,
		    NULL);
	}
	PyErr_Clear();
	if (f != NULL && !IS_EXACTLY(f, kit.function)) {
		Py_DECREF(f);
		return NULL;
	}
	return f;
}

/* The lines that linecache holds for a name that is no file. */
static PyObject *
lines_held(PyObject *filename)
{
	PyObject *cache = kit_std("linecache", "cache"), *entry, *lines;

	if (cache == NULL || !PyDict_CheckExact(cache))
		return NULL;
	entry = PyDict_GetItemWithError(cache, filename);
	PyErr_Clear();
	if (entry == NULL || !PyTuple_CheckExact(entry) ||
	    PyTuple_Size(entry) != 4)
		return NULL;	/* lazy: would call the module's loader */
	lines = PyTuple_GetItem(entry, 2);
	return PyList_CheckExact(lines) ? lines : NULL;
}

static int
join_lines(PyObject *list, struct file *f)
{
	PyObject *none = PyUnicode_FromString(""), *joined = NULL;
	struct text t = { 0 };
	int err = EIO;

	if (none != NULL)
		joined = PyUnicode_Join(none, list);
	Py_XDECREF(none);
	PyErr_Clear();
	if (joined == NULL)
		return err;
	err = value_render(NULL, joined, SHAPE_STR, &t);
	if (err == 0 && (f->base = malloc(t.len + 1)) != NULL) {
		memcpy(f->base, t.base, t.len);
		f->len = t.len;
		err = find_lines(f);
	}
	text_fini(&t);
	Py_DECREF(joined);
	return f->base == NULL ? ENOMEM : err;
}

static int
slice(const struct file *f, long first, struct text *t)
{
	size_t from, to;

	if (first < 1 || (size_t)first > f->nlines)
		return ENOENT;
	from = f->lines[first - 1];
	to = f->lines[block_end(f->base, f->lines, f->nlines,
	    (size_t)first - 1)];
	return text_take(t, PyBytes_FromStringAndSize(f->base + from,
	    (Py_ssize_t)(to - from)));
}

static int
render_code(PyObject *code, struct text *t)
{
	PyObject *filename = PyObject_GetAttr(code, kit.s_filename);
	PyObject *line = PyObject_GetAttr(code, kit.s_firstlineno), *lines;
	struct file held = { 0 }, *f = NULL;
	struct text name = { 0 };
	long first = line != NULL ? PyLong_AsLong(line) : 0;
	int err = ENOENT;

	if (filename != NULL &&
	    value_render(NULL, filename, SHAPE_STR, &name) == 0 &&
	    memchr(name.base, '\0', name.len) == NULL) {
		f = file_get(name.base);
		lines = f == NULL ? lines_held(filename) : NULL;
		if (lines != NULL && join_lines(lines, &held) == 0)
			f = &held;
		if (f != NULL)
			err = slice(f, first, t);
	}
	text_fini(&name);
	file_fini(&held);
	PyErr_Clear();
	Py_XDECREF(filename);
	Py_XDECREF(line);
	return err;
}

/* `# no source`, the names of the arguments, the docstring. */
static int
render_head(PyObject *function, PyObject *code, struct text *t)
{
	PyObject *names, *count, *name, *doc, *comma, *args = NULL, *list;
	PyObject *str = NULL;

	names = PyObject_GetAttr(code, kit.s_varnames);
	count = PyObject_GetAttr(code, kit.s_argcount);
	name = PyObject_GetAttr(function, kit.s_qualname);
	doc = PyObject_GetAttr(function, kit.s_doc);
	comma = PyUnicode_FromString(", ");
	if (names != NULL && count != NULL && comma != NULL) {
		list = PyTuple_GetSlice(names, 0, PyLong_AsSsize_t(count));
		if (list != NULL)
			args = PyUnicode_Join(comma, list);
		Py_XDECREF(list);
	}
	if (name != NULL && args != NULL) {
		if (doc != NULL && PyUnicode_CheckExact(doc))
			str = PyUnicode_FromFormat(
			    "# no source\n%U(%U)\n\n%U", name, args, doc);
		else
			str = PyUnicode_FromFormat("# no source\n%U(%U)",
			    name, args);
	}
	PyErr_Clear();
	Py_XDECREF(names);
	Py_XDECREF(count);
	Py_XDECREF(name);
	Py_XDECREF(doc);
	Py_XDECREF(comma);
	Py_XDECREF(args);
	if (str == NULL)
		return text_printf(t, "# no source\n");
	names = PyUnicode_FromFormat("%U\n", str);
	Py_DECREF(str);
	if (names == NULL) {
		PyErr_Clear();
		return ENOMEM;
	}
	str = PyUnicode_AsEncodedString(names, "utf-8", "replace");
	Py_DECREF(names);
	return text_take(t, str);
}

bool
source_can_be_written(PyObject *o)
{
	PyObject *function = function_of(o);
	bool can = function != NULL;

	Py_XDECREF(function);
	return can;
}

/* The name of the file with the code of `o`: 0 or an errno. */
static int
file_name_of(PyObject *o, struct text *name)
{
	PyObject *function = function_of(o), *code = NULL, *file = NULL;
	int err = ENOENT;

	if (function != NULL)
		code = PyObject_GetAttr(function, kit.s_code);
	if (code != NULL && IS_EXACTLY(code, kit.code))
		file = PyObject_GetAttr(code, kit.s_filename);
	PyErr_Clear();
	if (file != NULL)
		err = value_render(NULL, file, SHAPE_STR, name);
	if (err == 0 && memchr(name->base, '\0', name->len) != NULL)
		err = ENOENT;
	Py_XDECREF(file);
	Py_XDECREF(code);
	Py_XDECREF(function);
	return err;
}

void
source_prepare(struct hold *h, PyObject *o)
{
	struct file loaded = { 0 };
	struct text name = { 0 };
	int err;

	if (!h->broker || file_name_of(o, &name) != 0 ||
	    is_no_file(name.base) || file_find(name.base) != NULL) {
		text_fini(&name);
		return;
	}
	home_forget(h);
	gil_drop(h->pf->gil);
	err = file_load(&loaded, name.base);
	gil_take(h->pf->gil);
	if (err == 0) {
		loaded.used = ++clock_hand;
		(void)file_keep(&loaded);
	}
	text_fini(&name);
}

int
source_render(PyObject *o, struct text *t)
{
	PyObject *function = function_of(o), *code = NULL;
	int err = ENOENT;

	*t = (struct text){ .base = t->small };
	if (function != NULL)
		code = PyObject_GetAttr(function, kit.s_code);
	PyErr_Clear();
	if (code != NULL && IS_EXACTLY(code, kit.code)) {
		err = render_code(code, t);
		if (err == ENOENT)
			err = render_head(function, code, t);
	}
	Py_XDECREF(code);
	Py_XDECREF(function);
	return err == ENOENT ? text_printf(t, "# no source\n") : err;
}
