/* SPDX-License-Identifier: MIT */
/*
 * --lang=tirpc: types laid out as Sun's rpcgen has them, and xdr_T functions
 * over libtirpc, for programs that are written for these.
 *
 *	string name<9>;		char *name;
 *	opaque data<>;		struct { u_int data_len; char *data_val; } data;
 *	union u switch (...)	struct u { disc; union { ... } u_u; };
 *
 * Lists whose link stands last are walked in a loop, and not, as there, by
 * recursion; what else is recursive is decoded to a depth (--max-depth).  What
 * cannot be decoded leaves no pointer to nowhere.
 */
#include "emit_c.h"

#include <string.h>

static bool
is_printed(const struct item *i)
{
	return i->kind == ITEM_TYPE && !i->elsewhere && !i->type->is_bare_alias;
}

/* --------------------------------------------------------------- types -- */

const char *
tirpc_type(struct emit *e, const struct type *t)
{
	static const char *const signed_names[] = { "char", "short", "int" };

	(void)e;
	switch (t->kind) {
	case TYPE_BOOL:
		return "bool_t";
	case TYPE_INT:
		return signed_names[t->bits / 16];
	case TYPE_UINT:
		return t->bits == 8 ? "u_char" : t->bits == 16 ? "u_short" :
		    "u_int";
	case TYPE_HYPER:
		return "quad_t";
	case TYPE_UHYPER:
		return "u_quad_t";
	case TYPE_FLOAT:
		return "float";
	case TYPE_DOUBLE:
		return "double";
	default:
		return t->kind >= TYPE_ALIAS ? c_of(t)->name : "void";
	}
}

static const char *
max(struct emit *e, const struct bound *b)
{
	return b->given ? c_bound(e, b) : "(u_int)~0";
}

/* A member or a typedef; of no bytes, where the size is 0. */
static const char *
declare(struct emit *e, const struct type *t, const char *name)
{
	switch (t->kind) {
	case TYPE_OPAQUE:
		return c_printf(e, "char %s[%s]", name, c_bound(e,
		    &t->bound));
	case TYPE_BYTES:
		return c_printf(e, "struct { u_int %s_len; char *%s_val; } "
		    "%s", name, name, name);
	case TYPE_STRING:
		return c_printf(e, "char *%s", name);
	case TYPE_ARRAY:
		return c_printf(e, "%s %s[%s]", tirpc_type(e, t->elem), name,
		    c_bound(e, &t->bound));
	case TYPE_VECTOR:
		return c_printf(e, "struct { u_int %s_len; %s%s *%s_val; } "
		    "%s", name, t->elem->kind >= TYPE_STRUCT ? "struct " : "",
		    tirpc_type(e, t->elem), name, name);
	case TYPE_OPTIONAL:
		return c_printf(e, "%s%s *%s", t->elem->kind >= TYPE_STRUCT ?
		    "struct " : "", tirpc_type(e, t->elem), name);
	default:
		return c_printf(e, "%s %s", tirpc_type(e, t), name);
	}
}

static void
enumeration(struct emit *e, const struct type *t)
{
	const struct enumerator *n;

	text_printf(e->out, "\nenum %s {\n", c_of(t)->name);
	for (n = t->enumerators; n != NULL; n = n->next)
		text_printf(e->out, "\t%s = %ld,\n", c_constant(e,
		    n->constant), (long)number_int(n->constant->value));
	text_printf(e->out, "};\ntypedef enum %s %s;\n", c_of(t)->name,
	    c_of(t)->name);
}

static void
structure(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name;
	const struct member *m;
	const struct arm *a;
	bool any = false;

	text_printf(e->out, "\nstruct %s {\n", name);
	for (m = t->members; m != NULL; m = m->next) {
		any = any || !c_is_absent(m->type);
		if (!c_is_absent(m->type))
			text_printf(e->out, "\t%s;\n", declare(e, m->type,
			    c_member(e, m)));
	}
	if (t->disc != NULL) {
		text_printf(e->out, "\t%s;\n\tunion {\n", declare(e,
		    t->disc->type, c_member(e, t->disc)));
		for (a = t->arms; a != NULL; a = a->next)
			if (!c_is_absent(a->member->type))
				text_printf(e->out, "\t\t%s;\n", declare(e,
				    a->member->type, c_member(e, a->member)));
		text_printf(e->out, "\t\tchar none_;\n\t} %s_u;\n", name);
	} else if (!any) {
		text_put(e->out, "\tchar none_;\n");
	}
	text_printf(e->out, "};\ntypedef struct %s %s;\n", name, name);
}

static void
constant(struct emit *e, const struct constant *k)
{
	if (k->second)
		return;
	if (k->is_text)
		text_printf(e->out, "#define %s \"%s\"\n", c_constant(e, k),
		    k->text);
	else
		text_printf(e->out, "#define %s %s\n", c_constant(e, k),
		    k->same != NULL ? c_constant(e, k->same) :
		    c_number(e, k->value));
}

static void
number(struct emit *e, struct map *seen, const char *name, uint32_t value)
{
	if (map_get(seen, name) != NULL)
		return;
	map_put(seen, name, e);
	text_printf(e->out, "#define %s ((unsigned long)%u)\n",
	    c_number_name(e, name), value);
}

static void
program(struct emit *e, const struct program *p, struct map *seen)
{
	const struct procedure *r;
	const struct version *v;

	text_put(e->out, "\n");
	number(e, seen, p->name, p->number);
	for (v = p->versions; v != NULL; v = v->next) {
		number(e, seen, v->name, v->number);
		for (r = v->procs; r != NULL; r = r->next)
			number(e, seen, r->name, r->number);
	}
}

static bool
has_quadruple(const struct type *t)
{
	while (t->elem != NULL && t->kind < TYPE_ALIAS)
		t = t->elem;
	return t->kind == TYPE_QUADRUPLE;
}

static void
one_item(struct emit *e, const struct item *i)
{
	if (i->kind == ITEM_PASS)
		text_printf(e->out, "%s\n", i->text);
	else if (i->kind == ITEM_CONSTANT && !i->elsewhere)
		constant(e, i->constant);
	else if (!is_printed(i))
		return;
	else if (i->type->kind == TYPE_ENUM)
		enumeration(e, i->type);
	else if (i->type->kind != TYPE_ALIAS)
		structure(e, i->type);
	else if (!c_is_absent(i->type))
		text_printf(e->out, "\ntypedef %s;\n", declare(e,
		    i->type->elem, c_of(i->type)->name));
}

/* A type that has what libtirpc has not. */
static bool
type_lacks(const struct type *t)
{
	const struct member *m;
	const struct arm *a;

	for (m = t->members; m != NULL; m = m->next)
		if (has_quadruple(m->type))
			return true;
	for (a = t->arms; a != NULL; a = a->next)
		if (has_quadruple(a->member->type))
			return true;
	return t->kind == TYPE_ALIAS && has_quadruple(t->elem);
}

/* Of a procedure: a quadruple, or what would need the name of a struct. */
static bool
is_unsaid(const struct type *t)
{
	return has_quadruple(t) || t->kind == TYPE_BYTES;
}

const char *
tirpc_lacks(const struct model *model)
{
	const struct procedure *r;
	const struct version *v;
	const struct item *i;

	for (i = model->items; i != NULL; i = i->next) {
		if (i->kind == ITEM_TYPE && type_lacks(i->type))
			return i->type->name;
		if (i->kind != ITEM_PROGRAM)
			continue;
		for (v = i->program->versions; v != NULL; v = v->next)
			for (r = v->procs; r != NULL; r = r->next)
				if (is_unsaid(r->args) || is_unsaid(r->res))
					return r->name;
	}
	return NULL;
}

void
emit_tirpc_header(struct text *t, struct model *model)
{
	struct emit e;
	const struct item *i;
	const char *guard = c_upper(t->mem, model->stem);
	struct map seen;

	c_names(&e, t, model);
	map_init(&seen, t->mem);
	text_printf(t, "/* %s.h: from %s by pinefs-rpcgen; do not edit. */\n"
	    "#ifndef %s%s_X_H\n#define %s%s_X_H\n\n#include <rpc/rpc.h>\n\n"
	    "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", model->stem,
	    model->file, *guard >= '0' && *guard <= '9' ? "X" : "", guard,
	    *guard >= '0' && *guard <= '9' ? "X" : "", guard);
	for (i = model->items; i != NULL; i = i->next)
		one_item(&e, i);
	for (i = model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_PROGRAM) {
			program(&e, i->program, &seen);
			tirpc_program_header(&e, i->program);
		}
	text_put(t, "\n");
	for (i = model->items; i != NULL; i = i->next)
		if (is_printed(i) && !c_is_absent(i->type))
			text_printf(t, "extern bool_t xdr_%s (XDR *, %s%s);\n",
			    c_of(i->type)->name, c_of(i->type)->name,
			    c_is_array(i->type) ? "" : " *");
	text_put(t, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

/* -------------------------------------------------------------- codecs -- */

const char *
tirpc_function(struct emit *e, const struct type *t)
{
	switch (t->kind) {
	case TYPE_BOOL:
		return "xdr_bool";
	case TYPE_HYPER:
		return "xdr_quad_t";
	case TYPE_UHYPER:
		return "xdr_u_quad_t";
	default:
		return c_printf(e, "xdr_%s", tirpc_type(e, t));
	}
}

/* A call that codes what the lvalue `x` is, whose last name is `name`. */
static const char *
call(struct emit *e, const struct type *t, const char *x, const char *name)
{
	const char *sep = strcmp(x, "*objp") == 0 ? "objp->" :
	    c_printf(e, "%s.", x);

	switch (t->kind) {
	case TYPE_OPAQUE:
		return c_printf(e, "xdr_opaque(xdrs, %s, %s)", x,
		    c_bound(e, &t->bound));
	case TYPE_BYTES:
		return c_printf(e, "xdr_bytes(xdrs, (char **)&%s%s_val, "
		    "&%s%s_len, %s)", sep, name, sep, name, max(e, &t->bound));
	case TYPE_STRING:
		return c_printf(e, "xdr_string(xdrs, &%s, %s)", x,
		    max(e, &t->bound));
	case TYPE_ARRAY:
		return c_printf(e, "xdr_vector(xdrs, (char *)%s, %s, "
		    "sizeof(%s), (xdrproc_t)%s)", x, c_bound(e, &t->bound),
		    tirpc_type(e, t->elem), tirpc_function(e, t->elem));
	case TYPE_VECTOR:
		return c_printf(e, "xdr_array(xdrs, (char **)&%s%s_val, "
		    "&%s%s_len, %s, sizeof(%s), (xdrproc_t)%s)", sep, name,
		    sep, name, max(e, &t->bound), tirpc_type(e, t->elem),
		    tirpc_function(e, t->elem));
	case TYPE_OPTIONAL:
		return c_printf(e, "xdr_pointer(xdrs, (char **)&%s, "
		    "sizeof(%s), (xdrproc_t)%s)", x, tirpc_type(e, t->elem),
		    tirpc_function(e, t->elem));
	default:
		return c_printf(e, "%s(xdrs, %s%s)", tirpc_function(e, t),
		    c_is_array(t) ? "" : "&", x);
	}
}

static void
try(struct emit *e, const struct type *t, const char *x, const char *name)
{
	if (c_is_absent(t))
		return;
	c_line(e, "if (!%s)", call(e, t, x, name));
	c_line(e, "\treturn FALSE;");
}

static void
struct_body(struct emit *e, const struct type *t)
{
	const struct member *m;

	for (m = t->members; m != NULL && m != t->link; m = m->next)
		try(e, m->type, c_printf(e, "objp->%s", c_member(e, m)),
		    c_member(e, m));
}

/*
 * The members of each node, and whether another follows.  The first node is
 * the caller's, to free as well; the others are ours.
 */
static void
list_body(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name, *link = c_member(e, t->link);

	e->extra_locals = c_printf(e, "\tstruct %s *first = objp, *next;\n"
	    "\tbool_t more;\n", name);
	c_line(e, "for (;;) {");
	e->indent++;
	struct_body(e, t);
	c_line(e, "next = xdrs->x_op == XDR_DECODE ? NULL : objp->%s;", link);
	c_line(e, "more = next != NULL;");
	c_line(e, "if (xdrs->x_op != XDR_FREE && !xdr_bool(xdrs, &more))");
	c_line(e, "\treturn FALSE;");
	c_line(e, "if (xdrs->x_op == XDR_DECODE) {");
	c_line(e, "\tif (more && (next = calloc(1, sizeof *next)) == NULL)");
	c_line(e, "\t\treturn FALSE;");
	c_line(e, "\tobjp->%s = next;", link);
	c_line(e, "} else if (xdrs->x_op == XDR_FREE && objp != first) {");
	c_line(e, "\tfree(objp);");
	c_line(e, "}");
	c_line(e, "if (!more)");
	c_line(e, "\treturn TRUE;");
	c_line(e, "objp = next;");
	e->indent--;
	c_line(e, "}");
	e->ended = true;
}

static void
union_body(struct emit *e, const struct type *t)
{
	const struct type *disc = type_real(t->disc->type);
	const char *name = c_of(t)->name;
	const struct label *l;
	const struct arm *a;

	try(e, t->disc->type, c_printf(e, "objp->%s", c_member(e, t->disc)),
	    c_member(e, t->disc));
	c_line(e, "switch (%sobjp->%s) {", disc->kind == TYPE_ENUM ?
	    "(int)" : "", c_member(e, t->disc));
	for (a = t->arms; a != NULL; a = a->next) {
		for (l = a->labels; l != NULL && !a->is_default; l = l->next)
			c_line(e, "case %s:", c_label(e, disc, l));
		if (a->is_default)
			c_line(e, "default:");
		e->indent++;
		try(e, a->member->type, c_printf(e, "objp->%s_u.%s", name,
		    a->member->name != NULL ? c_member(e, a->member) : ""),
		    a->member->name != NULL ? c_member(e, a->member) : "");
		c_line(e, "break;");
		e->indent--;
	}
	if (t->default_arm == NULL) {
		c_line(e, "default:");
		c_line(e, "\treturn FALSE;");
	}
	c_line(e, "}");
}

/* Of a list whose link does not stand last, which is walked by recursion. */
enum { LIST_DEPTH = 4096 };

static unsigned
depth_limit(const struct emit *e, const struct type *t)
{
	if (t->recursive)
		return e->model->max_depth;
	return t->link != NULL && t->link->next != NULL ? LIST_DEPTH : 0;
}

static const char *
codec_head(struct emit *e, const struct type *t, const char *name)
{
	return c_printf(e, "xdr_%s(XDR *xdrs, %s%sobjp)", name, c_of(t)->name,
	    c_is_array(t) ? " " : " *");
}

/* What is recursive is decoded to a depth: `inner` does the work. */
static void
guard(struct emit *e, const struct type *t, const char *inner)
{
	c_begin(e);
	e->extra_locals = "\tstatic __thread unsigned depth;\n\tbool_t ok;\n";
	c_line(e, "if (xdrs->x_op == XDR_DECODE && depth >= %u)",
	    depth_limit(e, t));
	c_line(e, "\treturn FALSE;");
	c_line(e, "depth++;");
	c_line(e, "ok = xdr_%s(xdrs, objp);", inner);
	c_line(e, "depth--;");
	c_line(e, "return ok;");
	e->ended = true;
	c_end(e, "bool_t", codec_head(e, t, c_of(t)->name));
}

static void
codec(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name, *inner = c_made(e, t, "inner");
	const struct member *m;

	c_begin(e);
	if (t->kind == TYPE_ENUM)
		c_line(e, "return xdr_enum(xdrs, (enum_t *)objp);");
	else if (t->kind == TYPE_ALIAS)
		try(e, t->elem, c_is_array(t) ? "objp" : "*objp", name);
	else if (t->kind == TYPE_UNION)
		union_body(e, t);
	else if (t->link != NULL && t->link->next == NULL)
		list_body(e, t);
	else
		struct_body(e, t);
	if (t->link != NULL && t->link->next != NULL)
		for (m = t->link; m != NULL; m = m->next)
			try(e, m->type, c_printf(e, "objp->%s",
			    c_member(e, m)), c_member(e, m));
	c_unused(e, "xdrs", "objp");
	if (!e->ended && t->kind != TYPE_ENUM)
		c_line(e, "return TRUE;");
	e->ended = true;
	if (depth_limit(e, t) == 0) {
		c_end(e, "bool_t", codec_head(e, t, name));
		return;
	}
	c_end(e, "static bool_t", codec_head(e, t, inner));
	guard(e, t, inner);
}

static void
own_lines(struct text *t, const struct model *model)
{
	const struct item *i;

	for (i = model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_PASS && i->only_here)
			text_printf(t, "%s\n", i->text);
}

void
emit_tirpc_xdr(struct text *t, struct model *model)
{
	struct emit e;
	const struct item *i;

	c_names(&e, t, model);
	text_printf(t, "/* %s_xdr.c: from %s by pinefs-rpcgen; do not edit. "
	    "*/\n#include \"%s.h\"\n\n#include <stdlib.h>\n", model->stem,
	    model->file, model->stem);
	own_lines(t, model);
	for (i = model->items; i != NULL; i = i->next)
		if (is_printed(i) && !c_is_absent(i->type))
			codec(&e, i->type);
}

/* ------------------------------------------------------------ programs -- */

static void
programs(struct text *t, struct model *model, const char *suffix,
    const char *more, void (*emit)(struct emit *, const struct program *))
{
	struct emit e;
	const struct item *i;

	c_names(&e, t, model);
	text_printf(t, "/* %s%s: from %s by pinefs-rpcgen; do not edit. */\n"
	    "#include \"%s.h\"\n\n#include <string.h>\n%s", model->stem,
	    suffix, model->file, model->stem, more);
	own_lines(t, model);
	for (i = model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_PROGRAM)
			emit(&e, i->program);
}

void
emit_tirpc_clnt(struct text *t, struct model *model)
{
	programs(t, model, "_clnt.c", "\n/* clnt_control() changes it. */\n"
	    "static struct timeval TIMEOUT = { 25, 0 };\n",
	    tirpc_program_clnt);
}

void
emit_tirpc_svc(struct text *t, struct model *model)
{
	programs(t, model, "_svc.c", "", tirpc_program_svc);
}
