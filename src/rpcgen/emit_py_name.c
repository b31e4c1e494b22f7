/* SPDX-License-Identifier: MIT */
/*
 * Names in Python.
 *
 * The IDL's names are kept.  A keyword of Python gets a `_`, and so does a
 * keyword followed by underscores, so that no two names become one.  Members
 * must not be called like the functions their classes have either.  A
 * namespace is left out unless two names would clash.
 */
#include "emit_py.h"

#include <stdio.h>
#include <string.h>

static const char *const keywords[] = {
	"False", "None", "True", "and", "as", "assert", "async", "await",
	"break", "class", "continue", "def", "del", "elif", "else", "except",
	"finally", "for", "from", "global", "if", "import", "in", "is",
	"lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try",
	"while", "with", "yield", NULL
};

/* What generated modules use at top level. */
static const char *const at_top[] = {
	"rpchelp", "annotations", "classmethod", "staticmethod", NULL
};

static const char *const in_values[] = {
	"self", "pack", "pack_to", "pack_list", "pack_list_to", "unpack",
	"unpack_list", "from_bytes", "_data", NULL
};

static const char *const in_enums[] = {
	"mro", "name", "value", "pack", "pack_to", "unpack", NULL
};

static const char *const in_programs[] = {
	"self", "prog", "vers", "procs", "deliberately_unimplemented",
	"check_host_ok", "create_transport_server", "register", "handle",
	"transport", "call", "close", NULL
};

/*
 * Locals of generated functions.  py_line() knows them as `$b`, `$o` and so
 * on: where something at top level has the name, they get another one.
 */
static const char *const in_functions[] = {
	"b", "o", "cls", "self", "add", "depth", "items", "item",
	"more", "n", "error", NULL
};

static bool
is_one_of(const char *name, size_t len, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strlen(*list) == len && memcmp(*list, name, len) == 0)
			return true;
	return false;
}

/* `name`, or `name_` if it is on the list but for underscores at its end. */
static const char *
escape(struct py *e, const char *name, const char *const *list)
{
	size_t len = strlen(name);

	while (len > 1 && name[len - 1] == '_')
		len--;
	if (is_one_of(name, len, list))
		name = mem_printf(e->mem, "%s_", name);
	return name;
}

const char *
py_escape(struct py *e, const char *name)
{
	/* Python changes such names within classes. */
	if (strncmp(name, "__", 2) == 0)
		name = mem_printf(e->mem, "x%s", name);
	return escape(e, name, keywords);
}

const char *
py_member(struct py *e, const char *name)
{
	return escape(e, py_escape(e, name), in_values);
}

static const char *
last_part(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL ? colon + 1 : name;
}

const char *
py_enumerator(struct py *e, const char *name)
{
	name = last_part(name);
	/* What begins and ends with `_` has a meaning in an enum. */
	if (name[0] == '_' && name[strlen(name) - 1] == '_')
		name = mem_printf(e->mem, "x%s", name);
	return escape(e, py_escape(e, name), in_enums);
}

const char *
py_procedure(struct py *e, const char *name)
{
	return escape(e, py_escape(e, last_part(name)), in_programs);
}

/* ------------------------------------------------------------ top level -- */

/* `name`, or with as many underscores as it takes; taken from now on. */
const char *
py_global(struct py *e, const char *name)
{
	while (map_get(&e->globals, name) != NULL)
		name = mem_printf(e->mem, "%s_", name);
	map_put(&e->globals, name, e);
	return name;
}

static const char *
global_name(struct py *e, const char *full)
{
	const char *last = last_part(full);
	const char *name = escape(e, py_escape(e, last), at_top);
	char *joined, *c;

	if (last != full && map_get(&e->globals, name) != NULL) {
		joined = mem_strndup(e->mem, full, strlen(full));
		for (c = joined; *c != '\0'; c++)
			if (*c == ':')
				*c = '_';
		name = joined;
	}
	return py_global(e, name);
}

struct py_type *
py_of(const struct type *t)
{
	return t->printer;
}

const char *
py_constant(struct py *e, const struct constant *k)
{
	const char *name;

	if (k->second && k->of != NULL)
		return mem_printf(e->mem, "%s.%s", py_of(k->of)->name,
		    py_enumerator(e, k->name));
	name = map_get(&e->constants, k->name);
	return name != NULL ? name : py_escape(e, last_part(k->name));
}

static void
name_type(struct py *e, struct type *t)
{
	struct py_type *p = MEM_NEW(e->mem, struct py_type);

	t->printer = p;
	p->name = global_name(e, t->name);
}

static void
name_constant(struct py *e, const struct constant *k)
{
	if (!k->second)
		map_put(&e->constants, k->name,
		    (void *)(uintptr_t)global_name(e, k->name));
}

static void
name_fixed_locals(struct py *e)
{
	const char *const *word, *name;

	for (word = in_functions; *word != NULL; word++) {
		name = *word;
		while (map_get(&e->globals, name) != NULL)
			name = mem_printf(e->mem, "%s_", name);
		map_put(&e->fixed, *word, (void *)(uintptr_t)name);
		map_put(&e->fixed_taken, name, e);
	}
}

const char *
py_fixed_local(struct py *e, const char *word, size_t len)
{
	return map_get(&e->fixed, mem_strndup(e->mem, word, len));
}

void
py_names(struct py *e)
{
	const struct enumerator *n;
	struct item *i;

	e->model->printer = NULL;	/* types have other names from here on */
	map_init(&e->globals, e->mem);
	map_init(&e->constants, e->mem);
	map_init(&e->printed, e->mem);
	for (i = e->model->items; i != NULL; i = i->next) {
		if (i->kind == ITEM_CONSTANT)
			name_constant(e, i->constant);
		if (i->kind != ITEM_TYPE)
			continue;
		name_type(e, i->type);
		for (n = i->type->enumerators; n != NULL; n = n->next)
			name_constant(e, n->constant);
	}
	/* Names of our own come last, so that those of the IDL stay. */
	for (i = e->model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_TYPE && i->type->kind == TYPE_ENUM)
			py_of(i->type)->values = py_global(e,
			    mem_printf(e->mem, "_%s",
			    py_of(i->type)->name));
	e->i32 = py_global(e, "_i32");
	e->u32 = py_global(e, "_u32");
	e->new_object = py_global(e, "_new");
	map_init(&e->fixed, e->mem);
	map_init(&e->fixed_taken, e->mem);
	name_fixed_locals(e);
}

/* -------------------------------------------------------------- locals -- */

void
py_locals(struct py *e)
{
	map_init(&e->locals, e->mem);
}

/* A local name that hides nothing, and is taken from now on. */
const char *
py_local(struct py *e, const char *name)
{
	while (map_get(&e->globals, name) != NULL ||
	    map_get(&e->locals, name) != NULL ||
	    map_get(&e->fixed_taken, name) != NULL ||
	    is_one_of(name, strlen(name), at_top))
		name = mem_printf(e->mem, "%s_", name);
	map_put(&e->locals, name, e);
	return name;
}

const char *
py_number(struct py *e, struct number n)
{
	if (n.negative)
		return mem_printf(e->mem, "%lld", (long long)n.bits);
	return mem_printf(e->mem, n.base == 16 ? "0x%llx" :
	    n.base == 8 && n.bits != 0 ? "0o%llo" : "%llu",
	    (unsigned long long)n.bits);
}
