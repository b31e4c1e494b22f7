/* SPDX-License-Identifier: MIT */
/*
 * The Python printer: the file as a whole.
 *
 * Output needs rpchelp at run time and nothing else, and runs on every
 * Python since 3.8.  What can be decided here is decided here: bounds are
 * numbers in the output, members of fixed size one struct.Struct.
 */
#include "emit_py.h"

#include <string.h>

/* A text of the IDL, as a literal: Python knows fewer escapes than C. */
static const char *
bytes_literal(struct py *e, const char *s)
{
	struct text t;

	text_init(&t, e->mem);
	text_put(&t, "b\"");
	for (; *s != '\0'; s++) {
		if (*s == '\\' && s[1] != '\0' &&
		    strchr("\\'\"abfnrtv01234567x", s[1]) == NULL)
			text_put(&t, "\\");
		if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
			text_printf(&t, "\\x%02x", (unsigned char)*s);
		else
			text_add(&t, s, 1);
		if (*s == '\\' && s[1] != '\0')
			text_add(&t, ++s, 1);
	}
	text_put(&t, "\"");
	return mem_strndup(e->mem, t.base, t.len);
}

static void
print_constant(struct py *e, const struct constant *k)
{
	const char *value;

	if (k->second)
		return;
	if (k->is_text)
		value = bytes_literal(e, k->text);
	else if (k->same != NULL && !k->same->second &&
	    map_get(&e->printed, k->same->name) != NULL)
		value = py_constant(e, k->same);
	else
		value = py_number(e, k->value);
	py_doc(e->out, 0, k->doc);
	py_top(e, "%s = %s", py_constant(e, k), value);
	map_put(&e->printed, k->name, (void *)(uintptr_t)k->name);
}

static void
print_alias(struct py *e, struct type *t)
{
	py_doc(e->out, 0, t->doc);
	py_top(e, "%s = %s", py_of(t)->name, py_codec(e, t->elem));
	py_of(t)->done = true;
}

/* A second name for a class that stands further down comes behind it. */
static bool
must_wait(const struct type *t)
{
	return t->elem->kind >= TYPE_ALIAS && !py_of(t->elem)->done;
}

static void
print_types(struct py *e)
{
	const struct enumerator *n;
	struct item *i;
	bool in_lines = false, first = true;

	for (i = e->model->items; i != NULL; i = i->next) {
		if (i->kind == ITEM_CONSTANT ||
		    (i->kind == ITEM_TYPE && i->type->kind == TYPE_ALIAS)) {
			if (!in_lines)
				py_blank(e->out, first ? 1 : 2);
			in_lines = true;
		}
		if (i->kind == ITEM_CONSTANT) {
			print_constant(e, i->constant);
		} else if (i->kind == ITEM_TYPE &&
		    i->type->kind == TYPE_ALIAS) {
			if (!must_wait(i->type))
				print_alias(e, i->type);
		} else if (i->kind == ITEM_TYPE) {
			py_type(e, i->type);
			for (n = i->type->enumerators; n != NULL; n = n->next)
				map_put(&e->printed, n->constant->name, i);
			in_lines = false;
		}
		first = false;
	}
	for (i = e->model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_TYPE && i->type->kind == TYPE_ALIAS &&
		    !py_of(i->type)->done)
			print_alias(e, i->type);
}

void
emit_py(struct text *out, struct model *model)
{
	struct py e = { .out = out, .mem = out->mem, .model = model };
	struct item *i;

	py_names(&e);
	text_printf(out, "# %s.py: from %s by pinefs-rpcgen; do not edit.\n",
	    model->stem, model->file);
	text_put(out, "from __future__ import annotations\n\n"
	    "import rpchelp\n\n");
	text_printf(out, "%s = rpchelp.Struct('>i')\n", e.i32);
	text_printf(out, "%s = rpchelp.Struct('>I')\n", e.u32);
	text_printf(out, "%s = rpchelp.new\n", e.new_object);
	print_types(&e);
	for (i = model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_PROGRAM)
			py_program(&e, i->program);
}
