/* SPDX-License-Identifier: MIT */
/* Declarations of constants and types, in the header. */
#include "emit_c.h"

#include <string.h>

/* ---------------------------------------------------------- type names -- */

const char *
c_type_name(struct emit *e, const struct type *t)
{
	switch (t->kind) {
	case TYPE_VOID: return "void";
	case TYPE_BOOL: return "bool";
	case TYPE_INT: return "int32_t";
	case TYPE_UINT: return "uint32_t";
	case TYPE_HYPER: return "int64_t";
	case TYPE_UHYPER: return "uint64_t";
	case TYPE_FLOAT: return "float";
	case TYPE_DOUBLE: return "double";
	case TYPE_QUADRUPLE: return "struct xdr_quadruple";
	case TYPE_BYTES: case TYPE_STRING: return "struct xdr_view";
	case TYPE_VECTOR: return c_array_name(t->elem);
	case TYPE_ALIAS: return c_of(t)->name;
	case TYPE_ENUM: return c_printf(e, "enum %s", c_of(t)->name);
	case TYPE_STRUCT: case TYPE_UNION:
		if (t->external)
			return c_of(t)->name;
		return c_printf(e, "struct %s", c_of(t)->name);
	case TYPE_OPAQUE: case TYPE_ARRAY: case TYPE_OPTIONAL:
		break;
	}
	return c_declare(e, t, "");
}

const char *
c_bound(struct emit *e, const struct bound *b)
{
	if (b->constant != NULL)
		return c_constant(e, b->constant);
	if (b->value == UINT32_MAX)
		return "UINT32_MAX";
	return c_printf(e, "%u%s", b->value, b->value > INT32_MAX ? "u" : "");
}

/* A declarator; `name` may be empty, for sizeof. */
const char *
c_declare(struct emit *e, const struct type *t, const char *name)
{
	const char *space = *name != '\0' && *name != '[' ? " " : "";

	switch (t->kind) {
	case TYPE_OPAQUE:
		return c_printf(e, "uint8_t%s%s[%s]", space, name,
		    c_bound(e, &t->bound));
	case TYPE_ARRAY:
		return c_declare(e, t->elem, c_printf(e, "%s[%s]", name,
		    c_bound(e, &t->bound)));
	case TYPE_OPTIONAL:
		return c_printf(e, "%s *%s", c_type_name(e, t->elem), name);
	default:
		return c_printf(e, "%s%s%s", c_type_name(e, t), space, name);
	}
}

/* A parameter that points at a value; an array does that by itself. */
const char *
c_param(struct emit *e, const struct type *t, bool is_const, const char *name)
{
	const char *space = *name != '\0' ? " " : "";
	const char *word = is_const ? "const " : "";

	switch (t->kind) {
	case TYPE_OPAQUE:
		return c_printf(e, "%suint8_t *%s", word, name);
	case TYPE_ARRAY:
		return c_printf(e, "%s%s *%s", word, c_type_name(e, t->elem),
		    name);
	case TYPE_OPTIONAL:
		return c_printf(e, "%s *%s*%s", c_type_name(e, t->elem),
		    is_const ? "const " : "", name);
	case TYPE_ALIAS:
		if (c_is_array(t))
			return c_printf(e, "%s%s%s%s", word, c_of(t)->name,
			    space, name);
		break;
	case TYPE_ENUM: case TYPE_STRUCT: case TYPE_UNION:
		return c_printf(e, "%s%s *%s", word, c_of(t)->name, name);
	default:
		break;
	}
	return c_printf(e, "%s%s *%s", word, c_type_name(e, t), name);
}

bool
c_is_array(const struct type *t)
{
	while (t->kind == TYPE_ALIAS)
		t = t->elem;
	return t->kind == TYPE_OPAQUE || t->kind == TYPE_ARRAY;
}

/* C has no arrays without elements, and void is nothing at all. */
bool
c_is_absent(const struct type *t)
{
	while (t->kind == TYPE_ALIAS)
		t = t->elem;
	return t->kind == TYPE_VOID || ((t->kind == TYPE_OPAQUE ||
	    t->kind == TYPE_ARRAY) && (t->bound.value == 0 ||
	    (t->kind == TYPE_ARRAY && c_is_absent(t->elem))));
}

/*
 * A struct around a single string or opaque, as handles of files are: what
 * holds one has the member's code itself, which takes no more than a call.
 */
bool
c_is_wrapper(const struct type *t)
{
	const struct type *m;

	if (t->kind != TYPE_STRUCT || t->elsewhere || t->compact ||
	    t->members == NULL || t->members->next != NULL)
		return false;
	m = type_real(t->members->type);
	return (m->kind == TYPE_BYTES || m->kind == TYPE_STRING) &&
	    !t->members->lazy && !t->members->bulk;
}

/*
 * The string or opaque that a member is, perhaps within a wrapper; NULL: is
 * none.  *expr and *where come to be the string's own.
 */
const struct type *
c_view(struct emit *e, const struct member *m, const char **expr,
    const char **where)
{
	*expr = c_field(e, m);
	for (;;) {
		const struct type *t = type_real(m->type);

		*where = c_path(e, m);
		if (t->kind == TYPE_BYTES || t->kind == TYPE_STRING)
			return t;
		if (!c_is_wrapper(t))
			return NULL;
		m = t->members;
		*expr = c_printf(e, "%s.%s", *expr, c_member(e, m));
	}
}

/* One that is read in line.  Its padding is nobody's business. */
bool
c_is_simple_view(struct emit *e, const struct member *m)
{
	const char *expr, *where;

	return !e->model->strict_pad && !c_is_absent(m->type) &&
	    c_view(e, m, &expr, &where) != NULL;
}

/*
 * A struct of several parts, each of which is a run of fixed size, a string
 * or an opaque: its codec moves the cursor once, at its end.
 */
bool
c_is_flat(struct emit *e, const struct type *t)
{
	const struct run *r;

	if (t->recursive || t->link != NULL || t->runs == NULL ||
	    t->runs->next == NULL)
		return false;
	for (r = t->runs; r != NULL; r = r->next)
		if (r->fixed ? r->size == 0 : !r->first->lazy &&
		    !c_is_simple_view(e, r->first))
			return false;
	return true;
}

/*
 * The lazy array whose count is taken with the run of fixed size before it;
 * NULL: there is none.
 */
const struct member *
c_lazy_behind(const struct run *r)
{
	return r->fixed && r->size > 0 && r->next != NULL &&
	    r->next->first->lazy ? r->next->first : NULL;
}

/* struct T_array { T *v; uint32_t n; }; those of basic types are in xdr.h. */
const char *
c_array_name(const struct type *elem)
{
	switch (elem->kind) {
	case TYPE_BOOL: return "struct xdr_bool_array";
	case TYPE_INT: return "struct xdr_i32_array";
	case TYPE_UINT: return "struct xdr_u32_array";
	case TYPE_HYPER: return "struct xdr_i64_array";
	case TYPE_UHYPER: return "struct xdr_u64_array";
	case TYPE_FLOAT: return "struct xdr_float_array";
	case TYPE_DOUBLE: return "struct xdr_double_array";
	case TYPE_QUADRUPLE: return "struct xdr_quadruple_array";
	default: return c_of(elem)->array;
	}
}

const char *
c_least(struct emit *e, const struct type *t)
{
	if (t->kind >= TYPE_ALIAS && !t->external)
		return c_printf(e, "%s_XDR_MIN", c_of(t)->upper);
	return c_printf(e, "%uu", t->min);
}

/* The struct of a variable array's element type, before its first user. */
static void
declare_array(struct emit *e, struct type *t)
{
	const char *guard;
	struct c_type *c;

	while (t->kind == TYPE_ARRAY || t->kind == TYPE_OPTIONAL)
		t = t->elem;
	if (t->kind != TYPE_VECTOR || t->elem->kind < TYPE_ALIAS)
		return;
	c = c_of(t->elem);
	if (c->array_declared)
		return;
	c->array_declared = true;
	if (e->elsewhere)
		return;		/* its header has it */
	/* Of another file's type: others may want the same. */
	guard = t->elem->elsewhere && !t->elem->external ?
	    c_printf(e, "%s_XDR_ARRAY", c->upper) : NULL;
	if (guard != NULL)
		text_printf(e->out, "\n#ifndef %s\n#define %s\n", guard,
		    guard);
	c_top(e, guard != NULL ? "%s {" : "\n%s {", c->array);
	text_printf(e->out, "\t%s *v;\n\tuint32_t n;\n};\n",
	    c_type_name(e, t->elem));
	if (guard != NULL)
		text_put(e->out, "#endif\n");
}

/* ----------------------------------------------------------- constants -- */

static void
constant(struct emit *e, const struct constant *k)
{
	const char *name = c_constant(e, k), *value;

	if (k->second)
		return;
	c_comment(e, "", k->doc);
	if (k->is_text) {
		text_printf(e->out, "#define %s \"%s\"\n", name, k->text);
		return;
	}
	value = k->same != NULL ? c_constant(e, k->same) :
	    c_number(e, k->value);
	if (k->external || (k->value.negative ?
	    (int64_t)k->value.bits >= INT32_MIN :
	    k->value.bits <= INT32_MAX))
		c_top(e, "enum { %s = %s };", name, value);
	else
		text_printf(e->out, "#define %s %s\n", name, value);
}

/* --------------------------------------------------------------- types -- */

static void
enumeration(struct emit *e, const struct type *t)
{
	const struct enumerator *n;
	struct number value;

	c_comment(e, "", t->doc);
	c_top(e, "typedef enum %s {", c_of(t)->name);
	for (n = t->enumerators; n != NULL; n = n->next) {
		value = n->constant->value;
		if (!value.negative && value.bits > INT32_MAX) {
			/* The same 32 bits, as C's int has them. */
			value.bits = (uint64_t)(int64_t)number_int(value);
			value.negative = true;
		}
		text_printf(e->out, "\t%s = %s%s", c_constant(e, n->constant),
		    c_number(e, value), n->next != NULL ? "," : "");
		if (n->constant->doc != NULL &&
		    strchr(n->constant->doc, '\n') == NULL)
			text_printf(e->out, "\t/**< %s */", n->constant->doc);
		text_put(e->out, "\n");
	}
	c_top(e, "} %s;", c_of(t)->name);
}

/* What a reader wants to know beside a member. */
static void
member_comment(struct emit *e, const struct member *m, const char *more)
{
	const struct type *t = m->type;
	const char *limit = "", *doc = m->doc;
	size_t len;

	if (doc != NULL && strchr(doc, '\n') != NULL)
		doc = NULL;	/* printed before it */
	if ((t->kind == TYPE_BYTES || t->kind == TYPE_STRING) &&
	    t->bound.given)
		limit = c_printf(e, "at most %s bytes", c_bound(e, &t->bound));
	else if (t->kind == TYPE_VECTOR && t->bound.given)
		limit = c_printf(e, "at most %s", c_bound(e, &t->bound));
	len = strlen(limit);
	if (doc == NULL && len == 0 && more == NULL)
		return;
	text_printf(e->out, "\t/**< %s%s%s%s%s */", more != NULL ? more : "",
	    more != NULL && (doc != NULL || len > 0) ? ": " : "",
	    doc != NULL ? doc : "", doc != NULL && len > 0 ? "; " : "",
	    limit);
}

/*
 * In C++ a member cannot have the name of a type that its struct uses, so
 * such a typedef is looked through.
 */
static const struct type *
usable(struct emit *e, const struct member *m)
{
	const struct type *t = m->type;
	const struct member *other;
	const struct arm *a;
	bool hidden;

	for (; t->kind == TYPE_ALIAS; t = t->elem) {
		hidden = false;
		for (other = m->parent->members; other != NULL;
		    other = other->next)
			hidden |= strcmp(c_member(e, other),
			    c_of(t)->name) == 0;
		if (m->parent->disc != NULL)
			hidden |= strcmp(c_member(e, m->parent->disc),
			    c_of(t)->name) == 0;
		for (a = m->parent->arms; a != NULL; a = a->next)
			hidden |= a->member->name != NULL &&
			    strcmp(c_member(e, a->member),
			    c_of(t)->name) == 0;
		if (!hidden)
			break;
	}
	return t;
}

static void
print_member(struct emit *e, const char *indent, const struct member *m,
    const char *more)
{
	const char *d;

	if (m->doc != NULL && strchr(m->doc, '\n') != NULL)
		c_comment(e, indent, m->doc);
	d = m->lazy ? c_printf(e, "struct xdr_lazy %s", c_member(e, m)) :
	    c_declare(e, usable(e, m), c_member(e, m));
	text_printf(e->out, "%s%s;", indent, d);
	member_comment(e, m, more);
	text_put(e->out, "\n");
}

static void
structure(struct emit *e, const struct type *t)
{
	const struct member *m;
	bool any = false;

	for (m = t->members; m != NULL; m = m->next)
		if (!m->lazy)
			declare_array(e, m->type);
	text_put(e->out, "\n");
	c_comment(e, "", t->doc);
	c_top(e, "typedef struct %s {", c_of(t)->name);
	for (m = t->members; m != NULL; m = m->next) {
		if (c_is_absent(m->type))
			continue;
		print_member(e, "\t", m, NULL);
		any = true;
	}
	if (!any)
		text_put(e->out, "\tchar none_;\n");
	c_top(e, "} %s;", c_of(t)->name);
}

static const char *
label_name(struct emit *e, const struct type *disc, const struct label *l)
{
	if (l->constant != NULL)
		return c_constant(e, l->constant);
	if (disc->kind == TYPE_BOOL)
		return l->value.bits != 0 ? "true" : "false";
	return c_number(e, l->value);
}

/* The first few of an arm's cases, for the comment beside its member. */
static const char *
arm_cases(struct emit *e, const struct type *disc, const struct arm *a)
{
	const struct label *l;
	const char *s = NULL;
	unsigned n = 0;

	for (l = a->labels; l != NULL; l = l->next) {
		if (++n > 3)
			return c_printf(e, "%s ...", s);
		s = s == NULL ? label_name(e, disc, l) :
		    c_printf(e, "%s, %s", s, label_name(e, disc, l));
	}
	if (!a->is_default)
		return s;
	return s == NULL ? "default" : c_printf(e, "%s, default", s);
}

static void
union_type(struct emit *e, struct type *t)
{
	const struct type *disc = type_real(t->disc->type);
	const struct arm *a;
	bool any = false;

	for (a = t->arms; a != NULL; a = a->next) {
		declare_array(e, a->member->type);
		any = any || !c_is_absent(a->member->type);
	}
	text_put(e->out, "\n");
	c_comment(e, "", t->doc);
	c_top(e, "typedef struct %s {", c_of(t)->name);
	print_member(e, "\t", t->disc, NULL);
	if (any)
		text_put(e->out, "\tunion {\n");
	for (a = t->arms; a != NULL; a = a->next)
		if (!c_is_absent(a->member->type))
			print_member(e, "\t\t", a->member,
			    arm_cases(e, disc, a));
	if (any)
		text_put(e->out, "\t};\n");
	c_top(e, "} %s;", c_of(t)->name);
}

static void
alias(struct emit *e, struct type *t)
{
	if (t->is_bare_alias || c_is_absent(t))
		return;
	declare_array(e, t->elem);
	c_comment(e, "", t->doc);
	c_top(e, "typedef %s;%s", c_declare(e, t->elem, c_of(t)->name),
	    (t->elem->kind == TYPE_BYTES || t->elem->kind == TYPE_STRING) &&
	    t->elem->bound.given ? c_printf(e, "\t/* at most %s bytes */",
	    c_bound(e, &t->elem->bound)) : "");
}

/* What the header of another file declares beside its types. */
static void
declare_elsewhere(struct emit *e, const struct type *t)
{
	const struct member *m;
	const struct arm *a;

	e->elsewhere = true;
	for (m = t->members; m != NULL; m = m->next)
		declare_array(e, m->type);
	for (a = t->arms; a != NULL; a = a->next)
		declare_array(e, a->member->type);
	if (t->kind == TYPE_ALIAS)
		declare_array(e, t->elem);
	e->elsewhere = false;
}

/* One blank line between groups of small definitions. */
static bool
is_small(const struct item *i)
{
	return i->kind == ITEM_CONSTANT || i->kind == ITEM_PASS ||
	    (i->kind == ITEM_TYPE && i->type->kind == TYPE_ALIAS);
}

void
c_types(struct emit *e)
{
	struct item *i, *before = NULL, *next;

	for (i = e->model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_TYPE && i->elsewhere)
			declare_elsewhere(e, i->type);
	for (i = e->model->items; i != NULL; i = next) {
		next = i->next;
		if (i->kind == ITEM_PROGRAM || i->elsewhere)
			continue;
		if ((is_small(i) && (before == NULL || !is_small(before))) ||
		    (i->kind == ITEM_TYPE && i->type->kind == TYPE_ENUM))
			text_put(e->out, "\n");
		if (i->kind == ITEM_CONSTANT)
			constant(e, i->constant);
		else if (i->kind == ITEM_PASS)
			text_printf(e->out, "%s\n", i->text);
		else if (i->type->kind == TYPE_ENUM)
			enumeration(e, i->type);
		else if (i->type->kind == TYPE_STRUCT)
			structure(e, i->type);
		else if (i->type->kind == TYPE_UNION)
			union_type(e, i->type);
		else
			alias(e, i->type);
		before = i;
	}
}
