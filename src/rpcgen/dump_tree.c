/* SPDX-License-Identifier: MIT */
/*
 * The tree, as the parser made it: the file once more, one definition after
 * the other, with everything that may be left out put in.
 */
#include "emit.h"
#include "tree.h"

#include <string.h>

static void	spec(struct text *, unsigned depth, const struct tree_spec *);

static void
indent(struct text *out, unsigned depth)
{
	while (depth-- > 0)
		text_put(out, "\t");
}

static void
value(struct text *out, const struct tree_value *v)
{
	switch (v->kind) {
	case VALUE_NONE:
		break;
	case VALUE_NUMBER:
		if (v->number.negative)
			text_printf(out, "%lld", (long long)v->number.bits);
		else
			text_printf(out, v->number.base == 16 ? "0x%llx" :
			    v->number.base == 8 ? "0%llo" : "%llu",
			    (unsigned long long)v->number.bits);
		break;
	case VALUE_NAME:
		text_put(out, v->text);
		break;
	case VALUE_TEXT:
		text_printf(out, "\"%s\"", v->text);
		break;
	}
}

static void
decl(struct text *out, unsigned depth, const struct tree_decl *d)
{
	spec(out, depth, d->spec);
	if (d->form == FORM_OPTIONAL)
		text_put(out, " *");
	else if (d->name != NULL)
		text_put(out, " ");
	if (d->name != NULL)
		text_put(out, d->name);
	if (d->form == FORM_FIXED || d->form == FORM_COUNTED) {
		text_put(out, d->form == FORM_FIXED ? "[" : "<");
		value(out, &d->bound);
		text_put(out, d->form == FORM_FIXED ? "]" : ">");
	}
}

static const char *
basic_name(enum basic b)
{
	static const char *const names[] = {
		[BASIC_VOID] = "void", [BASIC_BOOL] = "bool",
		[BASIC_CHAR] = "char", [BASIC_UCHAR] = "unsigned char",
		[BASIC_SHORT] = "short", [BASIC_USHORT] = "unsigned short",
		[BASIC_INT] = "int", [BASIC_UINT] = "unsigned int",
		[BASIC_HYPER] = "hyper", [BASIC_UHYPER] = "unsigned hyper",
		[BASIC_FLOAT] = "float", [BASIC_DOUBLE] = "double",
		[BASIC_QUADRUPLE] = "quadruple", [BASIC_OPAQUE] = "opaque",
		[BASIC_STRING] = "string"
	};

	return names[b];
}

static void
enumerators(struct text *out, unsigned depth,
    const struct tree_enumerator *e)
{
	for (; e != NULL; e = e->next) {
		indent(out, depth);
		text_put(out, e->name);
		if (e->value.kind != VALUE_NONE)
			text_put(out, " = ");
		value(out, &e->value);
		text_put(out, e->next != NULL ? ",\n" : "\n");
	}
}

static void
arms(struct text *out, unsigned depth, const struct tree_arm *a)
{
	const struct tree_label *l;

	for (; a != NULL; a = a->next) {
		for (l = a->labels; l != NULL; l = l->next) {
			indent(out, depth - 1);
			text_put(out, "case ");
			value(out, &l->value);
			text_put(out, ":\n");
		}
		if (a->is_default) {
			indent(out, depth - 1);
			text_put(out, "default:\n");
		}
		indent(out, depth);
		decl(out, depth, a->decl);
		text_put(out, ";\n");
	}
}

/*
 * A body ends with its brace; what follows it is the caller's.  `space`
 * stands before its name, if it has one.
 */
static void
body(struct text *out, unsigned depth, const struct tree_spec *s,
    const char *space)
{
	static const char *const words[] = {
		[SPEC_ENUM] = "enum", [SPEC_STRUCT] = "struct",
		[SPEC_UNION] = "union"
	};
	const struct tree_decl *d;

	text_put(out, words[s->kind]);
	if (s->name != NULL)
		text_printf(out, "%s%s", space, s->name);
	if (s->kind == SPEC_UNION) {
		text_put(out, " switch (");
		decl(out, depth, s->disc);
		text_put(out, ")");
	}
	text_put(out, " {\n");
	enumerators(out, depth + 1, s->enumerators);
	for (d = s->members; d != NULL; d = d->next) {
		indent(out, depth + 1);
		decl(out, depth + 1, d);
		text_put(out, ";\n");
	}
	arms(out, depth + 1, s->arms);
	indent(out, depth);
	text_put(out, "}");
}

static void
spec(struct text *out, unsigned depth, const struct tree_spec *s)
{
	if (s->kind == SPEC_BASIC || s->kind == SPEC_NAME)
		text_put(out, s->kind == SPEC_NAME ? s->name :
		    basic_name(s->basic));
	else
		body(out, depth, s, " ");
}

static void
procedure(struct text *out, const struct tree_proc *r)
{
	const struct tree_decl *a;

	indent(out, 2);
	decl(out, 2, r->result);
	text_printf(out, " %s(", r->name);
	for (a = r->args; a != NULL; a = a->next) {
		decl(out, 2, a);
		text_put(out, a->next != NULL ? ", " : "");
	}
	text_put(out, ") = ");
	value(out, &r->number);
	text_put(out, ";\n");
}

static void
program(struct text *out, const struct tree_def *d)
{
	const struct tree_version *v;
	const struct tree_proc *r;

	text_printf(out, "program %s {\n", d->name);
	for (v = d->versions; v != NULL; v = v->next) {
		text_printf(out, "\tversion %s {\n", v->name);
		for (r = v->procs; r != NULL; r = r->next)
			procedure(out, r);
		text_put(out, "\t} = ");
		value(out, &v->number);
		text_put(out, ";\n");
	}
	text_put(out, "} = ");
	value(out, &d->value);
	text_put(out, ";\n");
}

/* namespace a { namespace b { of "a::b::"; how many there are. */
static unsigned
enter(struct text *out, const char *scope)
{
	const char *end;
	unsigned n = 0;

	for (; (end = strstr(scope, "::")) != NULL; scope = end + 2, n++) {
		text_put(out, "namespace ");
		text_add(out, scope, (size_t)(end - scope));
		text_put(out, " {\n");
	}
	return n;
}

static void
definition(struct text *out, const struct tree_def *d)
{
	unsigned scopes = enter(out, d->scope);

	switch (d->kind) {
	case DEF_CONST:
		text_printf(out, "const %s = ", d->name);
		value(out, &d->value);
		text_put(out, ";\n");
		break;
	case DEF_TYPE:
		body(out, 0, d->spec, d->pointer ? " *" : " ");
		text_put(out, ";\n");
		break;
	case DEF_TYPEDEF:
		text_put(out, "typedef ");
		decl(out, 0, d->decl);
		text_put(out, ";\n");
		break;
	case DEF_PROGRAM:
		program(out, d);
		break;
	case DEF_PASS:
		text_printf(out, "%%%s\n", d->text);
		break;
	}
	for (; scopes > 0; scopes--)
		text_put(out, "}\n");
}

void
dump_tree(struct text *out, const struct tree_def *d)
{
	for (; d != NULL; d = d->next)
		definition(out, d);
}
