/* SPDX-License-Identifier: MIT */
/*
 * Servers and clients: for each version a struct of handlers, a table of
 * procedures, and functions that call them.  No function pointer is cast:
 * each row has its own one-line thunks, which know the types.
 */
#include "emit_c.h"

#include <string.h>

const char *
c_version(struct emit *e, const struct program *p,
    const struct version *v)
{
	return c_printf(e, "%s_v%u", p->stem, v->number);
}

/* Other than the name of a procedure, should that end in _start. */
static const char *
start_name(struct emit *e, const struct version *v,
    const struct procedure *r)
{
	const char *name = c_printf(e, "%s_start", r->member);
	const struct procedure *other = v->procs;

	while (other != NULL)
		if (strcmp(other->member, name) == 0) {
			name = c_printf(e, "%s_", name);
			other = v->procs;
		} else {
			other = other->next;
		}
	return name;
}

static const char *
member_name(struct emit *e, const struct procedure *r)
{
	return c_escape(e, r->member);
}

/* ", const T *args, U *res" as far as there are such. */
const char *
c_params(struct emit *e, const struct procedure *r)
{
	const char *args = "", *res = "";

	if (r->args->kind != TYPE_VOID)
		args = c_printf(e, ", %s", c_param(e, r->args, true, "$args"));
	if (r->res->kind != TYPE_VOID)
		res = c_printf(e, ", %s", c_param(e, r->res, false, "$res"));
	return c_printf(e, "%s%s", args, res);
}

/* -------------------------------------------------------------- header -- */

static void
number(struct emit *e, struct map *seen, const char *name, uint32_t value)
{
	const struct constant *k = map_get(&e->model->constants, name);

	if (k != NULL || map_get(seen, name) != NULL)
		return;	/* checked: a constant of that name has this value */
	map_put(seen, name, e);
	name = c_number_name(e, name);
	if (value > INT32_MAX)
		text_printf(e->out, "#define %s %uu\n", name, value);
	else
		text_printf(e->out, "enum { %s = %u };\n", name, value);
}

static void
handlers(struct emit *e, const struct program *p, const struct version *v)
{
	const struct procedure *r;

	text_put(e->out, "\n");
	c_comment(e, "", v->doc);
	text_printf(e->out, "struct %s_server {\t/* a null member answers "
	    "PROC_UNAVAIL */\n", c_version(e, p, v));
	for (r = v->procs; r != NULL; r = r->next) {
		c_comment(e, "\t", r->doc);
		c_wrap(e->out, 1, c_printf(e, "int (*%s)(void *$self, struct "
		    "rpc_call *%s);", member_name(e, r), c_params(e, r)));
	}
	text_put(e->out, "};\n");
	c_top(e, "extern const struct rpc_service %s_service;",
	    c_version(e, p, v));
}

static void
client_heads(struct emit *e, const struct program *p,
    const struct version *v)
{
	const struct procedure *r;
	const char *args;

	text_put(e->out, "\n");
	for (r = v->procs; r != NULL; r = r->next) {
		args = r->args->kind == TYPE_VOID ? "" : c_printf(e, ", %s",
		    c_param(e, r->args, true, "$args"));
		c_top(e, "int %s_%s(struct rpc_client *%s, struct xdr_arena "
		    "*);", c_version(e, p, v), r->member, c_params(e, r));
		c_top(e, "int %s_%s(struct rpc_client *%s, void "
		    "(*$done)(void *$ctx, int $err, void *$res), void *$ctx);",
		    c_version(e, p, v), start_name(e, v, r), args);
	}
}

/*
 * The number of a program is a macro: the files of two versions both have
 * it, and may be included together.
 */
void
c_program_header(struct emit *e, const struct program *p, struct map *seen)
{
	const struct version *v;
	const struct procedure *r;

	text_put(e->out, "\n");
	c_comment(e, "", p->doc);
	if (map_get(&e->model->constants, p->name) == NULL)
		text_printf(e->out, "#define %s %u%s\n", c_number_name(e,
		    p->name), p->number, p->number > INT32_MAX ? "u" : "");
	for (v = p->versions; v != NULL; v = v->next) {
		number(e, seen, v->name, v->number);
		for (r = v->procs; r != NULL; r = r->next)
			number(e, seen, r->name, r->number);
	}
	for (v = p->versions; v != NULL; v = v->next) {
		handlers(e, p, v);
		client_heads(e, p, v);
	}
}

/* -------------------------------------------------------------- thunks -- */

static const char *
where(struct emit *e, const struct procedure *r, const char *what)
{
	return c_printf(e, "%s.%s", r->name, what);
}

static void
decode_thunk(struct emit *e, const struct type *t, const char *name,
    const char *place)
{
	c_begin(e);
	if (t->kind >= TYPE_ALIAS) {
		c_line(e, "return %s(%s, $value);", c_made(e, t, "decode"),
		    e->in);
		e->ended = true;
	} else {
		e->extra_locals = c_printf(e, "\t%s = $value;\n",
		    c_param(e, t, false, e->v));
		c_decode_value(e, t, c_printf(e, "*%s", e->v), place);
	}
	c_end(e, "static int", c_printf(e, "%s(struct xdr_in *%s, void "
	    "*$value)", name, e->in));
}

static void
encode_thunk(struct emit *e, const struct type *t, const char *name,
    const char *place)
{
	c_begin(e);
	if (t->kind >= TYPE_ALIAS) {
		c_line(e, "return %s(%s, $value);", c_made(e, t, "encode"),
		    e->l_out);
		e->ended = true;
	} else {
		e->extra_locals = c_printf(e, "\t%s = $value;\n",
		    c_param(e, t, true, e->v));
		c_encode_value(e, t, c_printf(e, "*%s", e->v), place);
	}
	c_end(e, "static int", c_printf(e, "%s(struct xdr_out *%s, const "
	    "void *$value)", name, e->l_out));
}

static void
call_thunk(struct emit *e, const char *version, const struct procedure *r)
{
	bool args = r->args->kind != TYPE_VOID, res = r->res->kind != TYPE_VOID;

	c_begin(e);
	e->extra_locals = c_printf(e, "\tconst struct %s_server *$h = $handlers;"
	    "\n", version);
	if (!args && !res)
		c_line(e, "(void)$args, (void)$res;");
	else if (!args)
		c_line(e, "(void)$args;");
	else if (!res)
		c_line(e, "(void)$res;");
	c_line(e, "return $h->%s($self, $call%s%s);", member_name(e, r),
	    args ? ", $args" : "", res ? ", $res" : "");
	e->ended = true;
	c_end(e, "static int", c_printf(e, "call_of_%s(const void *$handlers, "
	    "void *$self, struct rpc_call *$call, const void *$args, void *$res)",
	    r->handler));
}

/* ----------------------------------------------------------------- rows -- */

static const char *
size_macro(struct emit *e, const struct type *t, bool max)
{
	if (t->kind >= TYPE_ALIAS && !t->external)
		return c_printf(e, "%s_XDR_%s", c_of(t)->upper,
		    max ? "MAX" : "MIN");
	return c_printf(e, "%uu", max ? t->max : t->min);
}

static void
value_rows(struct emit *e, const struct type *t, const char *what,
    const char *table)
{
	if (t->kind == TYPE_VOID)
		return;
	text_printf(e->out, "\t\t.%s_size = sizeof(%s),\n", what,
	    c_declare(e, t, ""));
	text_printf(e->out, "\t\t.%s_min = %s, .%s_max = %s,\n", what,
	    size_macro(e, t, false), what, size_macro(e, t, true));
	text_printf(e->out, "\t\t.%s_type = %s,\n", what, table);
}

static const struct member *
bulk_member(const struct type *t)
{
	const struct member *m;

	t = type_real((struct type *)(uintptr_t)t);
	for (m = t->members; m != NULL; m = m->next)
		if (c_is_located(m))
			return m;
	return NULL;
}

static bool
is_lazy(const struct type *t)
{
	const struct member *m;

	t = type_real((struct type *)(uintptr_t)t);
	for (m = t->members; m != NULL; m = m->next)
		if (m->lazy)
			return true;
	return false;
}

struct tables {
	const char *args, *res;
};

static void
server_row(struct emit *e, const char *version, const struct procedure *r,
    const struct tables *t)
{
	const struct member *bulk = bulk_member(r->args);

	text_printf(e->out, "\t[%u] = {\n\t\t.name = \"%s\",\n", r->number,
	    r->name);
	if (r->args->kind != TYPE_VOID)
		text_printf(e->out, "\t\t.decode = args_of_%s,\n", r->handler);
	if (r->res->kind != TYPE_VOID)
		text_printf(e->out, "\t\t.encode = res_of_%s,\n", r->handler);
	text_printf(e->out, "\t\t.call = call_of_%s,\n", r->handler);
	text_printf(e->out, "\t\t.handler = offsetof(struct %s_server, %s),\n",
	    version, member_name(e, r));
	value_rows(e, r->args, "args", t->args);
	value_rows(e, r->res, "res", t->res);
	if (bulk != NULL)
		text_printf(e->out, "\t\t.bulk = %s_%s_locate,\n",
		    c_of(bulk->parent)->name, bulk->name);
	if (is_lazy(r->args))
		text_put(e->out, "\t\t.args_lazy = true,\n");
	text_put(e->out, "\t},\n");
}

/* Two versions in one file: their statics are told apart by a prefix. */
static void
prefix_members(struct emit *e, const char *version, const struct version *v)
{
	struct procedure *r;

	for (r = v->procs; r != NULL; r = r->next)
		r->handler = c_printf(e, "%s_%s", version, r->member);
}

void
c_program_svc(struct emit *e, const struct program *p)
{
	const struct procedure *r;
	const struct version *v;
	const char *name;
	struct tables *t;
	size_t n, i;

	for (v = p->versions; v != NULL; v = v->next) {
		name = c_version(e, p, v);
		prefix_members(e, name, v);
		for (n = 0, r = v->procs; r != NULL; r = r->next)
			n++;
		t = mem_grow(e->mem, NULL, 0, n + 1, sizeof(*t));
		for (i = 0, r = v->procs; r != NULL; r = r->next, i++) {
			t[i].args = c_table(e, r->args, c_printf(e,
			    "args_of_%s", r->handler));
			t[i].res = c_table(e, r->res, c_printf(e,
			    "res_of_%s", r->handler));
			if (r->args->kind != TYPE_VOID)
				decode_thunk(e, r->args, c_printf(e,
				    "args_of_%s", r->handler), where(e, r,
				    "args"));
			if (r->res->kind != TYPE_VOID)
				encode_thunk(e, r->res, c_printf(e,
				    "res_of_%s", r->handler), where(e, r,
				    "res"));
			call_thunk(e, name, r);
		}
		text_printf(e->out, "\nstatic const struct rpc_procedure "
		    "%s_procs[%u] = {\n", name, v->nprocs > 0 ? v->nprocs : 1);
		for (i = 0, r = v->procs; r != NULL; r = r->next, i++)
			server_row(e, name, r, &t[i]);
		text_printf(e->out, "};\n\nconst struct rpc_service "
		    "%s_service = {\n\t.name = \"%s\",\n\t.prog = %s,\n"
		    "\t.vers = %u,\n\t.nprocs = %u,\n\t.procs = %s_procs,\n"
		    "};\n", name, v->name, c_number_name(e, p->name), v->number,
		    v->nprocs, name);
	}
}

/* -------------------------------------------------------------- client -- */

static void
client_row(struct emit *e, const struct procedure *r, const struct tables *t)
{
	text_printf(e->out, "\nstatic const struct rpc_procedure row_of_%s = {\n"
	    "\t.name = \"%s\",\n", r->handler, r->name);
	if (r->res->kind != TYPE_VOID)
		text_printf(e->out, "\t.decode = res_of_%s,\n", r->handler);
	if (r->args->kind != TYPE_VOID)
		text_printf(e->out, "\t.encode = args_of_%s,\n", r->handler);
	value_rows(e, r->args, "args", t->args);
	value_rows(e, r->res, "res", t->res);
	text_put(e->out, "};\n");
}

static void
client_calls(struct emit *e, const char *name, const struct version *v,
    const struct procedure *r)
{
	const char *args = r->args->kind == TYPE_VOID ? "NULL" : "$args";
	const char *res = r->res->kind == TYPE_VOID ? "NULL" : "$res";
	const char *args_param = r->args->kind == TYPE_VOID ? "" :
	    c_printf(e, ", %s", c_param(e, r->args, true, "$args"));

	c_begin(e);
	c_line(e, "return rpc_client_call($client, &row_of_%s, %u, %s, %s, "
	    "$arena);", r->handler, r->number, args, res);
	e->ended = true;
	c_end(e, "int", c_printf(e, "%s_%s(struct rpc_client *$client%s, "
	    "struct xdr_arena *$arena)", name, r->member, c_params(e, r)));
	c_begin(e);
	c_line(e, "return rpc_client_start($client, &row_of_%s, %u, %s, $done, "
	    "$ctx);", r->handler, r->number, args);
	e->ended = true;
	c_end(e, "int", c_printf(e, "%s_%s(struct rpc_client *$client%s, "
	    "void (*$done)(void *$ctx, int $err, void *$res), void *$ctx)",
	    name, start_name(e, v, r), args_param));
}

void
c_program_clnt(struct emit *e, const struct program *p)
{
	const struct procedure *r;
	const struct version *v;
	struct tables t;
	const char *name;

	for (v = p->versions; v != NULL; v = v->next) {
		name = c_version(e, p, v);
		prefix_members(e, name, v);
		for (r = v->procs; r != NULL; r = r->next) {
			t.args = c_table(e, r->args, c_printf(e, "args_of_%s",
			    r->handler));
			t.res = c_table(e, r->res, c_printf(e, "res_of_%s",
			    r->handler));
			if (r->args->kind != TYPE_VOID)
				encode_thunk(e, r->args, c_printf(e,
				    "args_of_%s", r->handler), where(e, r,
				    "args"));
			if (r->res->kind != TYPE_VOID)
				decode_thunk(e, r->res, c_printf(e,
				    "res_of_%s", r->handler), where(e, r,
				    "res"));
			client_row(e, r, &t);
			client_calls(e, name, v, r);
		}
	}
}
