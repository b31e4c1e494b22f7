/* SPDX-License-Identifier: MIT */
/* The C files: what stands in them and in which order. */
#include "emit_c.h"

#include <string.h>

static void
begin(struct emit *e, struct text *out, struct model *model,
    const char *suffix)
{
	c_names(e, out, model);
	text_printf(out, "/* %s%s: from %s by pinefs-rpcgen; do not edit. */\n",
	    model->stem, suffix, model->file);
}

static bool
is_printed(const struct item *i)
{
	return i->kind == ITEM_TYPE && !i->elsewhere &&
	    !i->type->is_bare_alias && !c_is_absent(i->type);
}

/* -------------------------------------------------------------- header -- */

static void
sizes(struct emit *e, const struct type *t)
{
	const struct c_type *c = c_of(t);

	text_printf(e->out, "#define %s_XDR_MIN %uu\n", c->upper, t->min);
	text_printf(e->out, "#define %s_XDR_MAX %uu\n", c->upper, t->max);
}

/* T_size: by the descriptor, unless it is always the same. */
static void
size_function(struct emit *e, const struct type *t)
{
	const char *name = c_made(e, t, "size"), *param, *table;

	param = c_param(e, t, true, "");
	if (t->min == t->max && t->max < WIRE_MAX) {
		c_top(e, "XDR_SIZE_FIXED(%s, %s, %u)", name, param, t->min);
		return;
	}
	table = c_table(e, t, name);
	c_top(e, "XDR_SIZE(%s, %s, %s)", name, param, table + 1);
}

static void
descriptor(struct emit *e, const struct type *t)
{
	const char *name = c_made(e, t, "type");

	if (c_has_table(t))
		c_top(e, "extern const struct xdr_type %s;", name);
	else
		c_top(e, "XDR_TYPE_ALIAS(%s, %s);", name,
		    c_table(e, t, name) + 1);
}

static void
prototypes(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name;
	const struct member *m;

	c_top(e, "int %s(struct xdr_in *, %s);", c_made(e, t, "decode"),
	    c_param(e, t, false, ""));
	c_top(e, "int %s(struct xdr_out *, %s);", c_made(e, t, "encode"),
	    c_param(e, t, true, ""));
	size_function(e, t);
	for (m = t->members; m != NULL; m = m->next) {
		if (m->lazy)
			c_top(e, "int %s_%s_next(struct xdr_lazy *, %s);",
			    name, m->name, c_param(e, type_real(m->type)->elem,
			    false, ""));
		if (c_is_located(m))
			c_top(e, "int %s_%s_locate(const uint8_t *$args, "
			    "size_t $have, size_t *$start, uint32_t *$len);",
			    name, m->name);
	}
}

static void
guard(struct emit *e)
{
	const char *name = c_upper(e->mem, e->model->stem);

	if (*name >= '0' && *name <= '9')
		name = c_printf(e, "X%s", name);
	text_printf(e->out, "#ifndef %s_X_H\n#define %s_X_H\n\n", name, name);
}

static void
program_types(struct emit *e)
{
	struct map seen;
	struct item *i;
	bool any = false;

	map_init(&seen, e->mem);
	for (i = e->model->items; i != NULL; i = i->next) {
		if (i->kind != ITEM_PROGRAM)
			continue;
		if (!any)
			text_put(e->out, "\n/* Programs.  A handler returns "
			    "0, an errno or RPC_LATER (pinefs/rpc.h). */\n"
			    "struct rpc_call;\nstruct rpc_client;\n"
			    "struct rpc_service;\n");
		any = true;
		c_program_header(e, i->program, &seen);
	}
}

void
emit_c_header(struct text *t, struct model *model)
{
	struct emit e;
	struct item *i;

	begin(&e, t, model, ".h");
	guard(&e);
	text_put(t, "#include <pinefs/xdr.h>\n\n"
	    "#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
	c_types(&e);
	text_put(t, "\n/* Least and greatest sizes on the wire; 4294967295u: "
	    "that, or more. */\n");
	for (i = model->items; i != NULL; i = i->next)
		if (is_printed(i))
			sizes(&e, i->type);
	text_put(t, "\n/* For xdr_print and the like. */\n");
	for (i = model->items; i != NULL; i = i->next)
		if (is_printed(i))
			descriptor(&e, i->type);
	text_put(t, "\n/* 0, EBADMSG or ENOMEM; 0, EINVAL, EMSGSIZE or "
	    "ENOMEM; exact size on the wire. */\n");
	for (i = model->items; i != NULL; i = i->next)
		if (is_printed(i))
			prototypes(&e, i->type);
	program_types(&e);
	text_put(t, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

/* -------------------------------------------------------------- codecs -- */

/*
 * A codec stands behind those it calls, also by way of a pointer, wherever
 * that is possible; so almost nothing need be declared before it is defined.
 */
static void	codec(struct emit *, struct type *);

/* Has no code in straight lines, here. */
static bool
is_called_only(const struct type *t)
{
	return t->elsewhere || t->compact;
}

static void
codec_of(struct emit *e, struct type *t)
{
	bool optional = false;

	for (;; t = t->elem) {
		optional = optional || t->kind == TYPE_OPTIONAL;
		if (t->kind != TYPE_ARRAY && t->kind != TYPE_VECTOR &&
		    t->kind != TYPE_OPTIONAL &&
		    !(t->kind == TYPE_ALIAS && is_called_only(t)))
			break;
	}
	/* Of what has other codecs, only how to walk its lists. */
	if (t->kind >= TYPE_ALIAS && (!is_called_only(t) ||
	    (optional && t->link != NULL)))
		codec(e, t);
}

static void
codec(struct emit *e, struct type *t)
{
	struct member *m;
	struct arm *a;

	if (c_of(t)->visited || c_is_absent(t))
		return;
	c_of(t)->visited = true;
	if (t->kind == TYPE_ALIAS)
		codec_of(e, t->elem);
	for (m = t->members; m != NULL; m = m->next)
		codec_of(e, m->type);
	for (a = t->arms; a != NULL; a = a->next)
		codec_of(e, a->member->type);
	c_decoder(e, t);
	c_encoder(e, t);
	for (m = t->members; m != NULL; m = m->next) {
		if (m->lazy)
			c_lazy(e, m);
		if (m->bulk)
			c_bulk(e, m);
		else if (c_is_located(m))
			c_lazy_bulk(e, m);
	}
}

/* % lines that are for this file alone; the others are in the header. */
static void
own_lines(struct text *t, const struct model *model)
{
	const struct item *i;

	for (i = model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_PASS && i->only_here)
			text_printf(t, "%s\n", i->text);
}

static bool
has_lazy(const struct model *model)
{
	const struct item *i;
	const struct member *m;

	for (i = model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_TYPE)
			for (m = i->type->members; m != NULL; m = m->next)
				if (m->lazy)
					return true;
	return false;
}

void
emit_c_xdr(struct text *t, struct model *model)
{
	struct emit e;
	struct item *i;

	begin(&e, t, model, "_xdr.c");
	text_printf(t, "#include \"%s.h\"\n\n#include <pinefs/xdr_type.h>\n\n",
	    model->stem);
	own_lines(t, model);
	c_enum_checks(&e);
	for (i = model->items; i != NULL; i = i->next)
		if (is_printed(i) && i->type->compact)
			c_compact(&e, i->type);
		else if (is_printed(i))
			codec(&e, i->type);
	if (has_lazy(model))
		text_put(t, "\nstatic const struct xdr_type xdr_type_lazy = {"
		    "\n\t.kind = XDR_KIND_LAZY,\n\t.size = sizeof(struct "
		    "xdr_lazy),\n};\n");
	for (i = model->items; i != NULL; i = i->next)
		if (is_printed(i))
			c_table_of(&e, i->type);
}

/* ------------------------------------------------------------ programs -- */

static void
programs(struct text *t, struct model *model, const char *suffix,
    void (*emit)(struct emit *, const struct program *))
{
	struct emit e;
	struct item *i;

	begin(&e, t, model, suffix);
	text_printf(t, "#include \"%s.h\"\n\n#include <pinefs/rpc.h>\n"
	    "#include <pinefs/xdr_type.h>\n", model->stem);
	own_lines(t, model);
	for (i = model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_PROGRAM)
			emit(&e, i->program);
}

void
emit_c_svc(struct text *t, struct model *model)
{
	programs(t, model, "_svc.c", c_program_svc);
}

void
emit_c_clnt(struct text *t, struct model *model)
{
	programs(t, model, "_clnt.c", c_program_clnt);
}
