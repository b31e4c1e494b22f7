/* SPDX-License-Identifier: MIT */
/* A program's versions: a class to serve it, a class to call it. */
#include "emit_py.h"

/* For readers and their tools; nothing looks at it when the module runs. */
const char *
py_annotation(struct py *e, struct type *t)
{
	if (t->kind == TYPE_ALIAS)
		return py_annotation(e, t->elem);
	switch (t->kind) {
	case TYPE_VOID:
		return "None";
	case TYPE_BOOL:
		return "bool";
	case TYPE_INT: case TYPE_UINT: case TYPE_HYPER: case TYPE_UHYPER:
		return "int";
	case TYPE_FLOAT: case TYPE_DOUBLE:
		return "float";
	case TYPE_QUADRUPLE: case TYPE_OPAQUE: case TYPE_BYTES:
	case TYPE_STRING:
		return "bytes";
	case TYPE_ARRAY: case TYPE_VECTOR:
		return "list";
	case TYPE_OPTIONAL:
		t = type_real(t->elem);
		return py_is_linked(t) ? "list" : py_annotation(e, t);
	default:
		return py_is_linked(t) ? "list" : py_of(t)->name;
	}
}

static const char *
args_codecs(struct py *e, const struct procedure *r)
{
	struct words w = { 0 };
	struct member *m;

	if (r->nargs > 1) {
		for (m = r->args->members; m != NULL; m = m->next)
			py_word(e, &w, "%s", py_codec(e, m->type));
	} else if (r->args->kind != TYPE_VOID) {
		py_word(e, &w, "%s", py_codec(e, r->args));
	}
	return py_join(e, &w);
}

static const char *
u32_text(struct py *e, uint32_t n)
{
	return mem_printf(e->mem, n < 0x1000000 ? "%u" : "0x%08x",
	    (unsigned)n);
}

/* Its name for its number, if that is free. */
static void
print_number(struct py *e, const char *name, uint32_t number)
{
	name = py_escape(e, name);
	if (map_get(&e->globals, name) == NULL)
		py_top(e, "%s = %s", py_global(e, name), u32_text(e, number));
}

static void
print_server(struct py *e, const struct program *p, const struct version *v,
    const char *name)
{
	const struct procedure *r;

	text_init(&e->body, e->mem);
	py_blank(&e->body, 2);
	e->indent = 0;
	py_doc(&e->body, 0, v->doc != NULL ? v->doc : p->doc);
	py_line(e, "class %s(rpchelp.Server):", name);
	e->indent = 1;
	py_line(e, "prog, vers = %s, %s", u32_text(e, p->number),
	    u32_text(e, v->number));
	py_line(e, "procs = {");
	e->indent = 2;
	for (r = v->procs; r != NULL; r = r->next)
		py_line(e, "%u: rpchelp.Proc('%s', %s, [%s]),",
		    (unsigned)r->number, py_procedure(e, r->name),
		    py_codec(e, r->res), args_codecs(e, r));
	e->indent = 1;
	py_line(e, "}");
	text_add(e->out, e->body.base, e->body.len);
}

static void
print_method(struct py *e, const struct procedure *r)
{
	struct words params = { 0 }, args = { 0 };
	struct member *m;
	const char *name;

	if (r->nargs > 1) {
		for (m = r->args->members; m != NULL; m = m->next) {
			name = py_member(e, m->name);
			py_word(e, &params, "%s: %s", name,
			    py_annotation(e, m->type));
			py_word(e, &args, "%s", name);
		}
	} else if (r->args->kind != TYPE_VOID) {
		py_word(e, &params, "args: %s", py_annotation(e, r->args));
		py_word(e, &args, "args");
	}
	py_blank(&e->body, 1);
	py_line(e, "def %s(self%s%s) -> %s:", py_procedure(e, r->name),
	    params.n > 0 ? ", " : "", py_join(e, &params),
	    py_annotation(e, r->res));
	py_doc(&e->body, 2, r->doc);
	py_line(e, "    return self.call(%u%s%s)", (unsigned)r->number,
	    args.n > 0 ? ", " : "", py_join(e, &args));
}

static void
print_client(struct py *e, const struct version *v, const char *server)
{
	const struct procedure *r;
	const char *name = py_global(e, mem_printf(e->mem, "%s_client",
	    server));

	text_init(&e->body, e->mem);
	py_blank(&e->body, 2);
	e->indent = 0;
	py_line(e, "class %s(rpchelp.Client):", name);
	e->indent = 1;
	py_line(e, "prog, vers = %s.prog, %s.vers", server, server);
	py_line(e, "procs = %s.procs", server);
	for (r = v->procs; r != NULL; r = r->next)
		print_method(e, r);
	text_add(e->out, e->body.base, e->body.len);
}

void
py_program(struct py *e, const struct program *p)
{
	const struct version *v;
	const char *name;

	py_blank(e->out, 2);
	print_number(e, p->name, p->number);
	for (v = p->versions; v != NULL; v = v->next)
		print_number(e, v->name, v->number);
	for (v = p->versions; v != NULL; v = v->next) {
		name = py_global(e, py_escape(e, mem_printf(e->mem, "%s_%u",
		    p->name, (unsigned)v->number)));
		print_server(e, p, v, name);
		print_client(e, v, name);
	}
}
