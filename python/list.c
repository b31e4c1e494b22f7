/* SPDX-License-Identifier: MIT */
/*
 * The names in a directory, and what is bound to one of them.
 *
 * A listing is a snapshot: names and values are gathered in one go, in which
 * no code of the user can run, and then sorted by cookie.  The cookie is a
 * hash of the name, so that names which come and go move no others.
 *
 * A dict of very many names is listed in slices between which the program
 * goes on: from a snapshot, so that what stays is listed once.
 *
 * Items of sequences are listed from the last to the first: only the last
 * one of a list can be removed, and `rm -r` removes in the order it reads.
 */
#include "pyfs.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	COOKIE_SEED = 0x636b,
	LONG_DICT = 100000,	/* names; then with pauses */
	LOOK_EVERY = 256	/* names, at the clock */
};
#define SLICE	1000000		/* ns */

/*
 * A key of the program's, met with the hash of a name, is compared, which is
 * code of the user: it may take what is being looked at out of the dict.
 */
static inline void
let_go(PyObject *o)
{
	struct hold h;

	if (Py_REFCNT(o) > 1) {		/* as good as always */
		Py_DECREF(o);
		return;
	}
	h = (struct hold){ .broker = gil_is_held() };
	bind_drop(&h, o);
}

/* One binding: a key of a dict or element of a set, or an index. */
typedef int each_fn(void *arg, PyObject *dict, PyObject *key,
    Py_ssize_t index, PyObject *value);

/* --------------------------------------------------------- enumerating -- */

static int
each_of_dict(PyObject *dict, each_fn *fn, void *arg)
{
	PyObject *key, *value;
	Py_ssize_t pos = 0;
	int err = 0;

	while (err == 0 && PyDict_Next(dict, &pos, &key, &value)) {
		Py_INCREF(key);
		Py_INCREF(value);
		err = fn(arg, dict, key, -1, value);
		let_go(key);
		let_go(value);
	}
	return err;
}

/* Time for a pause?  Asked for every name. */
static void
perhaps_pause(struct hold *h, Py_ssize_t i, int64_t *until)
{
	if (i % LOOK_EVERY != 0 || pyfs_clock() < *until)
		return;
	hold_pause(h);
	*until = pyfs_clock() + SLICE;
}

/* The class, and the slots that are filled, behind the dict's names. */
static int
each_beside_dict(PyObject *o, PyObject *dict, each_fn *fn, void *arg)
{
	PyObject *names = shape_slots(o), *name, *value;
	Py_ssize_t i, n;
	int err;

	err = fn(arg, dict, kit.s_class, -1, TYPE_OF(o));
	n = names != NULL ? PyList_Size(names) : 0;
	for (i = 0; i < n && err == 0; i++) {
		name = PyList_GetItem(names, i);
		if (dict != NULL && PyDict_Contains(dict, name) != 0) {
			PyErr_Clear();
			continue;
		}
		if ((value = shape_slot(o, name)) == NULL)
			continue;
		err = fn(arg, dict, name, -1, value);
		Py_DECREF(value);
	}
	Py_XDECREF(names);
	return err;
}

static int
each_of_set(PyObject *o, PyObject *iter_fn, each_fn *fn, void *arg)
{
	PyObject *iter, *list, *value;
	Py_ssize_t i, n;
	int err = 0;

	iter = PyObject_CallFunctionObjArgs(iter_fn, o, NULL);
	list = iter != NULL ? PySequence_List(iter) : NULL;
	Py_XDECREF(iter);
	if (list == NULL)
		return py_errno();
	n = PyList_Size(list);
	for (i = 0; i < n && err == 0; i++) {
		value = PyList_GetItem(list, i);
		err = fn(arg, NULL, value, -1, value);
	}
	Py_DECREF(list);
	return err;
}

static int
each_of_deque(PyObject *o, each_fn *fn, void *arg)
{
	PyObject *iter, *list;
	Py_ssize_t i, n;
	int err = 0;

	iter = PyObject_CallFunctionObjArgs(kit.deque_iter, o, NULL);
	list = iter != NULL ? PySequence_List(iter) : NULL;
	Py_XDECREF(iter);
	if (list == NULL)
		return py_errno();
	n = PyList_Size(list);
	for (i = 0; i < n && err == 0; i++)
		err = fn(arg, NULL, NULL, i, PyList_GetItem(list, i));
	Py_DECREF(list);
	return err;
}

static int
each_of_named(PyObject *o, each_fn *fn, void *arg)
{
	PyObject *fields = shape_of_class(TYPE_OF(o), kit.s_fields);
	Py_ssize_t i, n = PyTuple_Size(o), named;
	int err = 0;

	named = fields != NULL ? PyTuple_Size(fields) : 0;
	for (i = 0; i < n && err == 0; i++)
		err = fn(arg, NULL,
		    i < named ? PyTuple_GetItem(fields, i) : NULL, i,
		    PyTuple_GetItem(o, i));
	Py_XDECREF(fields);
	return err;
}

/* Every binding of a directory; fn must run no code that could change it. */
static int
each(PyObject *o, enum shape s, each_fn *fn, void *arg)
{
	PyObject *dict, *value;
	Py_ssize_t i;
	int err = 0;

	switch (s) {
	case SHAPE_LIST:
		for (i = 0; i < PyList_Size(o) && err == 0; i++) {
			value = PyList_GetItem(o, i);
			Py_INCREF(value);
			err = fn(arg, NULL, NULL, i, value);
			let_go(value);
		}
		return err;
	case SHAPE_TUPLE:
		for (i = 0; i < PyTuple_Size(o) && err == 0; i++)
			err = fn(arg, NULL, NULL, i, PyTuple_GetItem(o, i));
		return err;
	case SHAPE_NAMED:
		return each_of_named(o, fn, arg);
	case SHAPE_SET:
		return each_of_set(o, kit.set_iter, fn, arg);
	case SHAPE_FROZENSET:
		return each_of_set(o, kit.frozenset_iter, fn, arg);
	case SHAPE_DEQUE:
		return each_of_deque(o, fn, arg);
	default:
		dict = shape_dict(s, o);
		if (dict != NULL)
			err = each_of_dict(dict, fn, arg);
		if (err == 0 && s == SHAPE_INSTANCE)
			err = each_beside_dict(o, dict, fn, arg);
		Py_XDECREF(dict);
		return err;
	}
}

/* -------------------------------------------------------------- listing -- */

uint64_t
cookie_of(struct pinefs_name name, enum shape s)
{
	uint64_t c;
	Py_ssize_t i;

	/* v2 sees the upper 31 bits: they must tell items apart. */
	if (shape_is_sequence(s) && (i = name_to_index(name)) >= 0)
		return (UINT64_C(0x7ffffffe) - (uint64_t)i) << 32;
	c = 1 + (hash64(COOKIE_SEED, name.base, name.len) >> 1);
	return c < PINEFS_COOKIE_MAX ? c : PINEFS_COOKIE_MAX;
}

static int
make_room(struct listing *l)
{
	struct item *p;

	if (l->n < l->cap)
		return 0;
	p = realloc(l->items, (l->cap * 2 + 32) * sizeof *p);
	if (p == NULL)
		return ENOMEM;
	l->items = p;
	l->cap = l->cap * 2 + 32;
	return 0;
}

static int
gather(void *arg, PyObject *dict, PyObject *key, Py_ssize_t index,
    PyObject *value)
{
	struct listing *l = arg;
	size_t at = l->names.len;
	bool scan = false;
	char number[24];
	int err;

	if ((err = make_room(l)) != 0)
		return err;
	if (key != NULL)
		err = name_of_key(&l->names, dict, key, &scan);
	else
		err = sbuf_add(&l->names, number, (size_t)snprintf(number,
		    sizeof number, "%zd", index));
	if (err != 0)
		return err;
	l->scan = l->scan || scan;
	if (scan)
		Py_INCREF(key);
	Py_INCREF(value);
	l->items[l->n++] = (struct item){ .at = at,
	    .len = (uint32_t)(l->names.len - at), .value = value,
	    .key = scan ? key : NULL };
	return 0;
}

static int
gather_slices(struct hold *h, struct listing *l, PyObject *dict)
{
	PyObject *keys = PyDict_Keys(dict), *values = PyDict_Values(dict);
	Py_ssize_t i, n = keys != NULL && values != NULL ?
	    PyList_Size(keys) : 0;
	int64_t until = pyfs_clock() + SLICE;
	int err = keys != NULL && values != NULL ? 0 : py_errno();

	for (i = 0; i < n && err == 0; i++) {
		err = gather(l, dict, PyList_GetItem(keys, i), -1,
		    PyList_GetItem(values, i));
		perhaps_pause(h, i, &until);
	}
	/* The listing has them now: little is left to let go of. */
	Py_XDECREF(keys);
	Py_XDECREF(values);
	return err;
}

/* What exists beside Python is listed, too. */
static int
gather_shadows(struct listing *l, const struct node *dir)
{
	struct node *n;
	size_t at;
	int err = 0;

	for (n = dir->beside; n != NULL && err == 0; n = n->beside_next) {
		at = l->names.len;
		if ((err = make_room(l)) != 0)
			return err;
		err = sbuf_add(&l->names, n->name, n->name_len);
		node_pin(n);
		l->items[l->n++] = (struct item){ .at = at,
		    .len = n->name_len, .shadow = n };
	}
	return err;
}

static int
by_cookie(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->cookie != y->cookie)
		return x->cookie < y->cookie ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static bool
same_name(const struct listing *l, const struct item *a, const struct item *b)
{
	return a->len == b->len && memcmp(l->names.base + a->at,
	    l->names.base + b->at, a->len) == 0;
}

static void
item_fini(struct hold *h, struct item *it)
{
	if (it->value != NULL)
		bind_drop(h, it->value);
	if (it->key != NULL)
		bind_drop(h, it->key);
	if (it->shadow != NULL)
		node_unpin(&h->pf->nodes, it->shadow);
	it->value = it->key = NULL;
	it->shadow = NULL;
}

static int
rename_item(struct listing *l, struct item *it, size_t number)
{
	size_t keep = it->len < 200 ? it->len : 200, at = l->names.len;
	char tail[24], *copy;
	int n, err;

	n = snprintf(tail, sizeof tail, "%%~%016zx", number);
	if ((copy = malloc(keep + 1)) == NULL)
		return ENOMEM;
	memcpy(copy, l->names.base + it->at, keep);
	if ((err = sbuf_add(&l->names, copy, keep)) == 0)
		err = sbuf_add(&l->names, tail, (size_t)n);
	free(copy);
	it->at = at;
	it->len = (uint32_t)(l->names.len - at);
	l->scan = true;
	return err;
}

/*
 * Two keys can have one name, and two names one hash: nothing is dropped.
 * But a shadow hides what the program has bound to its name meanwhile.
 */
static int
tell_apart(struct hold *h, struct listing *l)
{
	struct item *a, *b;
	size_t i;
	int err = 0;

	for (i = 1; i < l->n && err == 0; i++) {
		a = &l->items[i - 1];
		b = &l->items[i];
		if (b->cookie > a->cookie)
			continue;
		if (!same_name(l, a, b)) {
			b->cookie = a->cookie + 1;
		} else if (b->shadow != NULL || a->shadow != NULL) {
			if (a->shadow == NULL) {
				a->shadow = b->shadow;
				b->shadow = NULL;
			}
			item_fini(h, b);
			memmove(b, b + 1, (l->n - i - 1) * sizeof *b);
			l->n--;
			i--;
		} else {
			b->cookie = a->cookie + 1;
			err = rename_item(l, b, i);
		}
	}
	return err;
}

static void
sort(struct listing *l, enum shape s)
{
	struct item *it;

	for (it = l->items; it < l->items + l->n; it++)
		it->cookie = cookie_of((struct pinefs_name){
		    l->names.base + it->at, it->len }, s);
	if (l->n > 1)
		qsort(l->items, l->n, sizeof l->items[0], by_cookie);
}

static bool
is_long(struct hold *h, PyObject *dict)
{
	return h->broker && dict != NULL && PyDict_Size(dict) > LONG_DICT;
}

int
listing_make(struct hold *h, struct node *dir, PyObject *o, enum shape s,
    struct listing *l)
{
	PyObject *dict = shape_is_space(s) || s == SHAPE_DICT ?
	    shape_dict(s, o) : NULL;
	bool pauses = dir != NULL && s != SHAPE_INSTANCE && is_long(h, dict);
	int err;

	*l = (struct listing){ .may_pause = dir != NULL };
	err = pauses ? gather_slices(h, l, dict) : each(o, s, gather, l);
	Py_XDECREF(dict);
	if (err == 0 && dir != NULL)
		err = gather_shadows(l, dir);
	if (err != 0)
		return err;
	if (pauses) {
		home_forget(h);
		gil_drop(h->pf->gil);
		sort(l, s);
		gil_take(h->pf->gil);
	} else {
		sort(l, s);
	}
	return tell_apart(h, l);
}

void
listing_drop_values(struct hold *h, struct listing *l)
{
	bool pauses = h->broker && l->may_pause && l->n > LONG_DICT;
	int64_t until = pyfs_clock() + SLICE;
	size_t i;

	for (i = 0; i < l->n; i++) {
		item_fini(h, &l->items[i]);
		if (pauses)
			perhaps_pause(h, (Py_ssize_t)i, &until);
	}
}

void
listing_fini(struct hold *h, struct listing *l)
{
	listing_drop_values(h, l);
	free(l->items);
	sbuf_fini(&l->names);
	*l = (struct listing){ 0 };
}

static int
count(void *arg, PyObject *dict, PyObject *key, Py_ssize_t index,
    PyObject *value)
{
	(void)arg, (void)dict, (void)index, (void)value;
	return key == kit.s_class ? 0 : EEXIST;
}

bool
listing_is_empty(PyObject *o, enum shape s)
{
	return each(o, s, count, NULL) == 0;
}

/* -------------------------------------------------------------- change -- */

struct sum {
	const struct pyfs *pf;
	uint64_t	   total;
};

/*
 * Strings keep their hash, so this costs a few ns a name.  It differs from
 * run to run, which makes clients read directories again, no more.
 */
static int
add_hash(void *arg, PyObject *dict, PyObject *key, Py_ssize_t index,
    PyObject *value)
{
	struct sum *sum = arg;
	enum shape s = shape_of(sum->pf, value);
	uint64_t k = (uint64_t)index, v;

	(void)dict;
	if (key != NULL && PyUnicode_CheckExact(key))
		k = (uint64_t)PyObject_Hash(key);
	else if (key != NULL)
		k = (uintptr_t)key;
	/* Another container may be a link where the old one was at home. */
	if (shape_is_dir(s))
		v = (uintptr_t)value;
	else
		v = s == SHAPE_SYMLINK ? 2 : 1;
	sum->total += mix64(k * UINT64_C(0x9e3779b97f4a7c15) ^ v);
	return 0;
}

/* The program may change it meanwhile: then this is but another hash. */
static void
add_slices(struct hold *h, struct sum *sum, PyObject *dict)
{
	int64_t until = pyfs_clock() + SLICE;
	PyObject *key, *value;
	Py_ssize_t pos = 0, i;

	for (i = 0; PyDict_Next(dict, &pos, &key, &value); i++) {
		Py_INCREF(key);
		Py_INCREF(value);
		(void)add_hash(sum, dict, key, -1, value);
		let_go(key);
		let_go(value);
		perhaps_pause(h, i, &until);
	}
}

uint64_t
listing_hash(struct hold *h, PyObject *o, enum shape s)
{
	struct sum sum = { .pf = h->pf, .total = (uint64_t)s };

	if (s == SHAPE_DICT && is_long(h, o))
		add_slices(h, &sum, o);
	else
		(void)each(o, s, add_hash, &sum);
	return sum.total;
}

/* ----------------------------------------------------- finding one name -- */

/* Through all names; the key, if it is wanted, is a new reference, too. */
PyObject *
child_search(struct hold *h, PyObject *o, enum shape s,
    struct pinefs_name name, PyObject **key)
{
	struct listing l;
	PyObject *found = NULL;
	struct item *it;

	if (listing_make(h, NULL, o, s, &l) != 0)
		goto out;
	for (it = l.items; it < l.items + l.n && found == NULL; it++) {
		if (!name_equal(name, l.names.base + it->at, it->len))
			continue;
		found = it->value;
		Py_INCREF(found);
		if (key != NULL) {
			*key = it->key;
			Py_XINCREF(it->key);
		}
	}
out:
	listing_fini(h, &l);
	return found;
}

static PyObject *
get_item(PyObject *dict, PyObject *key)
{
	PyObject *v = PyDict_GetItemWithError(dict, key);

	Py_XINCREF(v);
	if (v == NULL)
		PyErr_Clear();
	return v;
}

/* `5` may be the str or the int. */
static PyObject *
get_number(PyObject *dict, struct pinefs_name name)
{
	PyObject *number = name_to_number(name), *v;

	if (number == NULL)
		return NULL;
	v = get_item(dict, number);
	Py_DECREF(number);
	return v;
}

/* `%=5` is a name where there is a "5" as well: else the int has only `5`. */
static bool
is_other_name(PyObject *dict, PyObject *key, struct pinefs_name name)
{
	return PyLong_CheckExact(key) && !name_is_of(name, dict, key);
}

static PyObject *
get_from_dict(struct hold *h, PyObject *o, enum shape s,
    struct pinefs_name name)
{
	PyObject *dict = shape_dict(s, o), *key, *v = NULL;
	int err;

	key = name_to_key(name, &err);
	if (key == NULL) {
		if (err == 0)
			v = child_search(h, o, s, name, NULL);
		Py_XDECREF(dict);
		return v;
	}
	if (dict != NULL && !is_other_name(dict, key, name)) {
		v = get_item(dict, key);
		if (v == NULL && s != SHAPE_MODULE && s != SHAPE_CLASS)
			v = get_number(dict, name);
	}
	if (v == NULL && s == SHAPE_INSTANCE && PyUnicode_Check(key)) {
		if (name_equal(name, "__class__", 9)) {
			v = TYPE_OF(o);
			Py_INCREF(v);
		} else {
			v = shape_slot(o, key);
		}
	}
	Py_DECREF(key);
	Py_XDECREF(dict);
	return v;
}

static PyObject *
get_from_set(struct hold *h, PyObject *o, enum shape s,
    struct pinefs_name name)
{
	PyObject *key, *v = NULL;
	int err;

	if ((key = name_to_key(name, &err)) == NULL) {
		if (err == 0)
			v = child_search(h, o, s, name, NULL);
		return v;
	}
	if (!is_other_name(NULL, key, name) && PySet_Contains(o, key) == 1)
		return key;
	PyErr_Clear();
	Py_DECREF(key);
	/* A number, say: the name says too little. */
	return child_search(h, o, s, name, NULL);
}

static PyObject *
get_from_deque(PyObject *o, Py_ssize_t index)
{
	PyObject *iter, *list, *v = NULL;

	iter = PyObject_CallFunctionObjArgs(kit.deque_iter, o, NULL);
	list = iter != NULL ? PySequence_List(iter) : NULL;
	Py_XDECREF(iter);
	if (list != NULL && index < PyList_Size(list)) {
		v = PyList_GetItem(list, index);
		Py_INCREF(v);
	}
	Py_XDECREF(list);
	PyErr_Clear();
	return v;
}

static PyObject *
get_by_index(PyObject *o, enum shape s, Py_ssize_t i)
{
	PyObject *v = NULL;

	if (i < 0)
		return NULL;
	if (s == SHAPE_DEQUE)
		return get_from_deque(o, i);
	if (s == SHAPE_LIST && i < PyList_Size(o))
		v = PyList_GetItem(o, i);
	if (s != SHAPE_LIST && i < PyTuple_Size(o))
		v = PyTuple_GetItem(o, i);
	Py_XINCREF(v);
	return v;
}

static Py_ssize_t
field_index(PyObject *o, struct pinefs_name name)
{
	PyObject *fields = shape_of_class(TYPE_OF(o), kit.s_fields);
	PyObject *str = name_to_str(name);
	Py_ssize_t i = -1, n = 0;

	if (fields != NULL && str != NULL) {
		i = PySequence_Index(fields, str);
		PyErr_Clear();
		n = PySequence_Size(fields);
	}
	PyErr_Clear();
	Py_XDECREF(str);
	Py_XDECREF(fields);
	if (i >= 0)
		return i;
	/* What has a name has no other: it may be hidden. */
	i = name_to_index(name);
	return i >= n ? i : -1;
}

PyObject *
child_get(struct hold *h, PyObject *o, enum shape s, struct pinefs_name name)
{
	if (!shape_is_dir(s) || name.len == 0 || name.len > NAME_LEN_MAX)
		return NULL;
	switch (s) {
	case SHAPE_LIST: case SHAPE_TUPLE: case SHAPE_DEQUE:
		return get_by_index(o, s, name_to_index(name));
	case SHAPE_NAMED:
		return get_by_index(o, s, field_index(o, name));
	case SHAPE_SET: case SHAPE_FROZENSET:
		return get_from_set(h, o, s, name);
	default:
		return get_from_dict(h, o, s, name);
	}
}
