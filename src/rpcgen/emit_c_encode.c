/* SPDX-License-Identifier: MIT */
/*
 * Encoders: the mirror of the decoders, with the same checks, so that no bad
 * value leaves.  A run of fixed size is one bounds check and then stores at
 * constant offsets.
 */
#include "emit_c.h"

#include <string.h>

static void	encode(struct emit *, const struct type *, const char *expr,
		    const char *where);

/* ---------------------------------------------------------- fixed sizes -- */

/* Can a program hold a value of this fixed type that must not leave? */
static bool
can_fail(const struct type *t)
{
	const struct member *m;

	switch (t->kind) {
	case TYPE_ENUM:
		return !t->open;
	case TYPE_ARRAY: case TYPE_ALIAS:
		return can_fail(t->elem);
	case TYPE_STRUCT:
		for (m = t->members; m != NULL; m = m->next)
			if (can_fail(m->type))
				return true;
		return false;
	default:
		return false;
	}
}

static void	store(struct emit *, const struct type *, const char *expr,
		    const char *p, uint32_t offset, const char *where);

static void
store_array(struct emit *e, const struct type *t, const char *expr,
    const char *p, uint32_t offset, const char *where)
{
	const char *i = c_index(e, e->loops++);
	const char *base = c_plus(e, p, offset);

	if (e->loops > e->max_loops)
		e->max_loops = e->loops;
	c_line(e, "for (%s = 0; %s < %s; %s++) {", i, i,
	    c_bound(e, &t->bound), i);
	e->indent++;
	store(e, t->elem, c_printf(e, "%s[%s]", expr, i), t->elem->min == 0 ?
	    base : c_printf(e, "%s + %u * %s", base, t->elem->min, i), 0,
	    where);
	c_flush(e);
	e->indent--;
	c_line(e, "}");
	e->loops--;
}

static void
store_number(struct emit *e, const struct type *t, const char *expr,
    const char *at)
{
	switch (t->kind) {
	case TYPE_INT:
		c_line(e, "xdr_store_u32(%s, (uint32_t)%s);", at, expr);
		break;
	case TYPE_BOOL: case TYPE_UINT:
		c_line(e, "xdr_store_u32(%s, %s);", at, expr);
		break;
	case TYPE_HYPER:
		c_line(e, "xdr_store_u64(%s, (uint64_t)%s);", at, expr);
		break;
	case TYPE_UHYPER:
		c_line(e, "xdr_store_u64(%s, %s);", at, expr);
		break;
	case TYPE_FLOAT:
		c_line(e, "xdr_store_float(%s, %s);", at, expr);
		break;
	case TYPE_DOUBLE:
		c_line(e, "xdr_store_double(%s, %s);", at, expr);
		break;
	default:	/* TYPE_QUADRUPLE */
		c_line(e, "memcpy(%s, %s, 16);", at, c_address(e, t, expr));
		break;
	}
}

/* One value of fixed size, to p + offset. */
static void
store(struct emit *e, const struct type *t, const char *expr, const char *p,
    uint32_t offset, const char *where)
{
	const char *at = c_plus(e, p, offset);

	switch (t->kind) {
	case TYPE_VOID:
		break;
	case TYPE_ENUM:
		if (!t->open) {
			c_line(e, "if (!%s_known((uint32_t)%s))",
			    c_of(t)->name, expr);
			c_line(e, "\treturn xdr_out_fail(%s, XDR_BAD_ENUM, "
			    "\"%s\");", e->l_out, where);
		}
		c_line(e, "xdr_store_u32(%s, (uint32_t)%s);", at, expr);
		break;
	case TYPE_OPAQUE:
		if (t->bound.value > 0)
			c_line(e, "xdr_store_bytes(%s, %s, %s);", at, expr,
			    c_bound(e, &t->bound));
		break;
	case TYPE_ARRAY:
		if (!c_is_absent(t))
			store_array(e, t, expr, p, offset, where);
		break;
	case TYPE_ALIAS:
		store(e, t->elem, expr, p, offset, where);
		break;
	case TYPE_STRUCT:
		if (t->min > 0 && can_fail(t))
			c_try(e, "%s_store(%s, %s, %s)", c_of(t)->name,
			    e->l_out, at, c_address(e, t, expr));
		else if (t->min > 0)
			c_line(e, "%s_store(%s, %s);", c_of(t)->name, at,
			    c_address(e, t, expr));
		break;
	default:
		store_number(e, t, expr, at);
		break;
	}
}

static void
store_members(struct emit *e, const struct member *m, unsigned n)
{
	uint32_t offset = 0;

	for (; n > 0; n--, m = m->next) {
		store(e, m->type, c_field(e, m), e->p, offset, c_path(e, m));
		offset += m->type->min;
	}
}

/* Room for `size` bytes, at p. */
void
c_room(struct emit *e, uint32_t size, const char *where)
{
	e->uses_p = true;
	c_line(e, "if ((%s = xdr_space(%s, %u, \"%s\")) == NULL)", e->p,
	    e->l_out, size, where);
	c_line(e, "\treturn %s->err;", e->l_out);
}

/* T_store: to room that is known to be there. */
static void
storer(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name;
	const struct member *m;
	unsigned n = 0;

	if (t->min == 0)
		return;
	for (m = t->members; m != NULL; m = m->next)
		n++;
	c_begin(e);
	store_members(e, t->members, n);
	if (can_fail(t)) {
		c_end(e, "static int", c_printf(e,
		    "%s_store(struct xdr_out *%s, uint8_t *%s, %s)", name,
		    e->l_out, e->p, c_param(e, t, true, e->v)));
		return;
	}
	c_flush(e);
	e->ended = true;
	c_end(e, "static void", c_printf(e, "%s_store(uint8_t *%s, %s)", name,
	    e->p, c_param(e, t, true, e->v)));
}

/* -------------------------------------------------------------- helpers -- */

static void
array_helper(struct emit *e, const struct type *elem)
{
	const char *name = strchr(c_array_name(elem), ' ') + 1;

	c_begin(e);
	e->max_loops = e->loops = 1;
	c_try(e, "xdr_put_count(%s, %s->n, %s, %s)", e->l_out, e->v, e->max,
	    e->where);
	c_line(e, "for (%s = 0; %s < %s->n; %s++) {", e->i, e->i, e->v, e->i);
	e->indent++;
	encode(e, elem, c_printf(e, "%s->v[%s]", e->v, e->i), elem->name);
	c_flush(e);
	e->indent--;
	c_line(e, "}");
	c_end(e, "static int", c_printf(e, "%s_encode(struct xdr_out *%s, "
	    "const struct %s *%s, uint32_t %s, const char *%s)", name,
	    e->l_out, name, e->v, e->max, e->where));
}

static void
optional_helper(struct emit *e, const struct type *elem)
{
	c_begin(e);
	c_try(e, "xdr_put_bool(%s, %s != NULL, \"%s\")", e->l_out, e->v,
	    elem->name);
	c_line(e, "if (%s == NULL)", e->v);
	c_line(e, "\treturn 0;");
	encode(e, elem, c_is_array(elem) ? e->v : c_printf(e, "*%s", e->v),
	    elem->name);
	c_end(e, "static int", c_printf(e, "%s_opt_encode(struct xdr_out *%s, "
	    "%s)", c_of(elem)->name, e->l_out, c_param(e, elem, true, e->v)));
}

static void
need_helpers(struct emit *e, const struct type *t)
{
	struct c_type *c;

	while (t->kind == TYPE_ARRAY || t->kind == TYPE_ALIAS)
		t = t->elem;
	if ((t->kind != TYPE_VECTOR && t->kind != TYPE_OPTIONAL) ||
	    t->elem->kind < TYPE_ALIAS)
		return;
	c = c_of(t->elem);
	if (t->kind == TYPE_VECTOR && !c->array_encode) {
		c->array_encode = true;
		need_helpers(e, t->elem);
		array_helper(e, t->elem);
	} else if (t->kind == TYPE_OPTIONAL && !c->opt_encode &&
	    type_real(t->elem)->link == NULL) {
		c->opt_encode = true;
		need_helpers(e, t->elem);
		optional_helper(e, t->elem);
	}
}

/* ------------------------------------------------------ variable sizes -- */

static void
encode_array(struct emit *e, const struct type *t, const char *expr,
    const char *where)
{
	const char *i = c_index(e, e->loops++);

	if (e->loops > e->max_loops)
		e->max_loops = e->loops;
	c_line(e, "for (%s = 0; %s < %s; %s++) {", i, i,
	    c_bound(e, &t->bound), i);
	e->indent++;
	encode(e, t->elem, c_printf(e, "%s[%s]", expr, i), where);
	c_flush(e);
	e->indent--;
	c_line(e, "}");
	e->loops--;
}

static void
encode_optional(struct emit *e, const struct type *t, const char *expr,
    const char *where)
{
	const struct type *real = type_real(t->elem);

	if (real->link != NULL) {
		c_try(e, "%s_encode_list(%s, %s)", c_of(real)->name, e->l_out,
		    expr);
	} else if (t->elem->kind >= TYPE_ALIAS) {
		c_try(e, "%s_opt_encode(%s, %s%s)", c_of(t->elem)->name,
		    e->l_out, c_is_array(t->elem) ? "*" :
		    t->elem->external ? "(void *)" : "", expr);
	} else {
		c_try(e, "xdr_put_bool(%s, %s != NULL, \"%s\")", e->l_out,
		    expr, where);
		c_line(e, "if (%s != NULL) {", expr);
		e->indent++;
		encode(e, t->elem, c_printf(e, "*%s", expr), where);
		c_flush(e);
		e->indent--;
		c_line(e, "}");
	}
}

static void
encode(struct emit *e, const struct type *t, const char *expr,
    const char *where)
{
	const char *array;

	if (t->kind == TYPE_ALIAS) {
		encode(e, t->elem, expr, where);
		return;
	}
	if (c_is_wrapper(t)) {
		encode(e, t->members->type, c_printf(e, *expr == '*' ?
		    "(%s).%s" : "%s.%s", expr, c_member(e, t->members)),
		    c_path(e, t->members));
		return;
	}
	if (t->fixed) {
		if (t->min == 0)
			return;
		c_room(e, t->min, where);
		store(e, t, expr, e->p, 0, where);
		return;
	}
	switch (t->kind) {
	case TYPE_BYTES: case TYPE_STRING:
		c_try(e, "xdr_put_view(%s, %s, %s, \"%s\")", e->l_out,
		    c_address(e, t, expr), c_bound(e, &t->bound), where);
		break;
	case TYPE_VECTOR:
		array = strchr(c_array_name(t->elem), ' ') + 1;
		c_try(e, "%s_encode(%s, %s, %s, \"%s\")", array, e->l_out,
		    c_address(e, t, expr), c_bound(e, &t->bound), where);
		break;
	case TYPE_OPAQUE:
		c_try(e, "xdr_put_fixed(%s, %s, %s, \"%s\")", e->l_out, expr,
		    c_bound(e, &t->bound), where);
		break;
	case TYPE_ARRAY:
		if (!c_is_absent(t))
			encode_array(e, t, expr, where);
		break;
	case TYPE_OPTIONAL:
		encode_optional(e, t, expr, where);
		break;
	default:
		c_try(e, "%s(%s, %s%s)", c_made(e, t, "encode"), e->l_out,
		    t->external ? "(const void *)" : "",
		    c_address(e, t, expr));
		break;
	}
}

void
c_encode_value(struct emit *e, const struct type *t, const char *expr,
    const char *where)
{
	encode(e, t, expr, where);
}

void
c_store_value(struct emit *e, const struct type *t, const char *expr,
    uint32_t offset, const char *where)
{
	store(e, t, expr, e->p, offset, where);
}

/* ------------------------------------------------------------- structs -- */

/* Of a lazy array, the count; the elements are the caller's to write. */
static void
store_lazy(struct emit *e, const struct member *m, const char *at)
{
	c_line(e, "xdr_store_u32(%s, %s.n);", at, c_field(e, m));
}

/* At p, with the count of a lazy array that follows. */
static void
store_run(struct emit *e, const struct run *r, const struct member *lazy)
{
	store_members(e, r->first, r->count);
	if (lazy != NULL)
		store_lazy(e, lazy, c_plus(e, e->p, r->size));
}

static void
encode_run(struct emit *e, const struct run *r, const struct member *lazy)
{
	c_room(e, r->size + (lazy != NULL ? 4 : 0), c_path(e, r->first));
	store_run(e, r, lazy);
}

static void
encode_lazy(struct emit *e, const struct member *m)
{
	c_room(e, 4, c_path(e, m));
	store_lazy(e, m, e->p);
}

static void
encode_members(struct emit *e, const struct type *t,
    const struct member *from, const struct member *to)
{
	const struct member *lazy = NULL;
	const struct run *r;
	bool active = false;

	for (r = t->runs; r != NULL && r->first != to; r = r->next) {
		active = active || r->first == from;
		if (!active || r->first == lazy)
			continue;
		lazy = c_lazy_behind(r);
		if (r->first->lazy)
			encode_lazy(e, r->first);
		else if (!r->fixed)
			encode(e, r->first->type, c_field(e, r->first),
			    c_path(e, r->first));
		else if (r->size > 0)
			encode_run(e, r, lazy);
	}
}

const char *
c_encode_head(struct emit *e, const struct type *t, const char *suffix)
{
	return c_printf(e, "%s(struct xdr_out *%s, %s)", c_made(e, t, suffix),
	    e->l_out, c_param(e, t, true, e->v));
}

void
c_encode_guard(struct emit *e, const struct type *t, const char *linkage,
    const char *outer, const char *inner)
{
	c_begin(e);
	e->uses_err = true;
	c_line(e, "if (%s->depth >= %u)", e->l_out, e->model->max_depth);
	c_line(e, "\treturn xdr_out_fail(%s, XDR_TOO_DEEP, \"%s\");",
	    e->l_out, t->name);
	c_line(e, "%s->depth++;", e->l_out);
	c_line(e, "%s = %s_%s(%s, %s);", e->err, c_of(t)->name, inner,
	    e->l_out, e->v);
	c_line(e, "%s->depth--;", e->l_out);
	c_line(e, "return %s;", e->err);
	e->ended = true;
	c_end(e, linkage, c_encode_head(e, t, outer));
}

/* Room for `size` bytes at p, or to the slow way. */
static void
flat_room(struct emit *e, uint32_t size)
{
	c_line(e, "if (XDR_UNLIKELY((size_t)(%s - %s) < %u))", e->end, e->p,
	    size);
	c_line(e, "\tgoto %s;", e->slow);
}

static void
flat_begin(struct emit *e)
{
	c_begin(e);
	e->extra_locals = c_printf(e, "\tuint8_t *%s = %s->pos, *%s = "
	    "%s->end;\n", e->p, e->l_out, e->end, e->l_out);
}

static void
fixed_encoder(struct emit *e, const struct type *t)
{
	if (t->min == 0) {
		c_begin(e);
		c_unused(e, e->l_out, e->v);
		c_end(e, C_CODEC, c_encode_head(e, t, "encode"));
		return;
	}
	flat_begin(e);
	flat_room(e, t->min);
	c_line(e, "%s->pos = %s + %u;", e->l_out, e->p, t->min);
	store(e, t, c_printf(e, "*%s", e->v), e->p, 0, t->name);
	c_return(e);
	c_end_slow(e, t, C_CODEC, c_encode_head(e, t, "encode"));
}

static void
flat_run(struct emit *e, const struct run *r, const struct member *lazy,
    bool is_last)
{
	uint32_t size = r->size + (lazy != NULL || r->first->lazy ? 4 : 0);

	flat_room(e, size);
	if (is_last)
		c_line(e, "%s->pos = %s + %u;", e->l_out, e->p, size);
	if (r->first->lazy)
		store_lazy(e, r->first, e->p);
	else
		store_run(e, r, lazy);
	c_flush(e);
	if (!is_last)
		c_line(e, "%s += %u;", e->p, size);
}

/* The last view may be a payload, which is worth its own code. */
static void
flat_view(struct emit *e, const struct member *m, bool is_last)
{
	const char *expr, *where;
	const struct type *t = c_view(e, m, &expr, &where);

	if (is_last) {
		c_line(e, "%s->pos = %s;", e->l_out, e->p);
		c_try(e, "xdr_put_view(%s, &%s, %s, \"%s\")", e->l_out, expr,
		    c_bound(e, &t->bound), where);
		return;
	}
	c_line(e, "if (!xdr_store_view(&%s, %s, &%s, %s))", e->p, e->end, expr,
	    c_bound(e, &t->bound));
	c_line(e, "\tgoto %s;", e->slow);
}

static void
flat_encoder(struct emit *e, const struct type *t)
{
	const struct member *lazy;
	const struct run *r, *next;

	flat_begin(e);
	for (r = t->runs; r != NULL; r = next) {
		lazy = c_lazy_behind(r);
		next = lazy != NULL ? r->next->next : r->next;
		if (!r->fixed && !r->first->lazy)
			flat_view(e, r->first, next == NULL);
		else
			flat_run(e, r, lazy, next == NULL);
	}
	c_return(e);
	c_end_slow(e, t, C_CODEC, c_encode_head(e, t, "encode"));
}

static void
plain_encoder(struct emit *e, const struct type *t)
{
	c_begin(e);
	encode_members(e, t, t->members, NULL);
	c_unused(e, e->l_out, e->v);
	if (t->recursive) {
		c_end(e, "static int", c_encode_head(e, t, "encode_inner"));
		c_encode_guard(e, t, C_CODEC, "encode", "encode_inner");
	} else {
		c_end(e, C_CODEC, c_encode_head(e, t, "encode"));
	}
}

/* --------------------------------------------------------------- lists -- */

static void
node_part(struct emit *e, const struct type *t, const struct member *from,
    const struct member *to, const char *name, const char *inner)
{
	c_begin(e);
	encode_members(e, t, from, to);
	c_unused(e, e->l_out, e->v);
	c_end(e, "static int", c_encode_head(e, t, t->recursive ? inner : name));
	if (t->recursive)
		c_encode_guard(e, t, "static int", name, inner);
}

/*
 * What follows the links comes last node first.  The way back is found by
 * keeping 64 places, and in each stretch between two of them 64 again.
 */
static void
ends_helper(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name, *n = e->n, *i = e->i, *v = e->v;

	c_begin(e);
	e->extra_locals = c_printf(e, "\tconst %s *%s[64];\n"
	    "\tuint32_t %s, %s = 0, %s = (%s + 63) / 64, %s;\n",
	    name, e->last, i, e->used, e->step, n, e->from);
	e->uses_err = true;
	c_line(e, "for (%s = 0; %s < %s; %s++, %s = %s->%s)", i, i, n, i, v,
	    v, c_member(e, t->link));
	c_line(e, "\tif (%s %% %s == 0)", i, e->step);
	c_line(e, "\t\t%s[%s++] = %s;", e->last, e->used, v);
	c_line(e, "while (%s > 0) {", e->used);
	e->indent++;
	c_line(e, "%s = --%s * %s;", e->from, e->used, e->step);
	c_line(e, "if (%s == 1)", e->step);
	c_line(e, "\t%s = %s_encode_rest(%s, %s[%s]);", e->err, name,
	    e->l_out, e->last, e->used);
	c_line(e, "else");
	c_line(e, "\t%s = %s_encode_ends(%s, %s[%s], %s - %s < %s ? %s - %s :"
	    " %s);", e->err, name, e->l_out, e->last, e->used, n, e->from,
	    e->step, n, e->from, e->step);
	c_line(e, "if (%s != 0)", e->err);
	c_line(e, "\treturn %s;", e->err);
	e->indent--;
	c_line(e, "}");
	c_end(e, "static int", c_printf(e, "%s_encode_ends(struct xdr_out *%s,"
	    " const %s *%s, uint32_t %s)", name, e->l_out, name, v, n));
}

static void
list_loop(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name, *where = c_path(e, t->link);
	bool back = t->link->next != NULL;

	c_begin(e);
	if (back)
		e->extra_locals = c_printf(e, "\tconst %s *%s = %s;\n"
		    "\tuint32_t %s = 0;\n", name, e->next, e->v, e->n);
	c_line(e, "for (; %s != NULL; %s = %s->%s) {", e->v, e->v, e->v,
	    c_member(e, t->link));
	e->indent++;
	c_try(e, "xdr_put_bool(%s, true, \"%s\")", e->l_out, where);
	c_try(e, "%s_encode_node(%s, %s)", name, e->l_out, e->v);
	c_flush(e);
	if (back)
		c_line(e, "%s++;", e->n);
	e->indent--;
	c_line(e, "}");
	c_try(e, "xdr_put_bool(%s, false, \"%s\")", e->l_out, where);
	if (back)
		c_try(e, "%s_encode_ends(%s, %s, %s)", name, e->l_out,
		    e->next, e->n);
	c_end(e, "static int", c_encode_head(e, t, "encode_list"));
}

static void
list_encoder(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name;

	if (t->recursive)
		c_top(e, "\nstatic int %s_encode_list(struct xdr_out *, "
		    "const %s *);", name, name);
	node_part(e, t, t->members, t->link, "encode_node", "encode_inner");
	if (t->link->next != NULL) {
		node_part(e, t, t->link->next, NULL, "encode_rest",
		    "encode_inner_rest");
		ends_helper(e, t);
	}
	list_loop(e, t);
	if (t->elsewhere || t->compact)
		return;
	c_begin(e);
	c_try(e, "%s_encode_node(%s, %s)", name, e->l_out, e->v);
	c_try(e, "%s_encode_list(%s, %s->%s)", name, e->l_out, e->v,
	    c_member(e, t->link));
	if (t->link->next != NULL)
		c_try(e, "%s_encode_rest(%s, %s)", name, e->l_out, e->v);
	c_end(e, C_CODEC, c_encode_head(e, t, "encode"));
}

static void
small_encoder(struct emit *e, const struct type *t)
{
	c_begin(e);
	encode(e, t, c_is_array(t) ? e->v : c_printf(e, "*%s", e->v), t->name);
	c_end(e, C_CODEC, c_encode_head(e, t, "encode"));
}

void
c_encoder(struct emit *e, struct type *t)
{
	const struct member *m;
	const struct arm *a;

	for (m = t->members; m != NULL; m = m->next)
		if (m != t->link && !m->lazy)
			need_helpers(e, m->type);
	for (a = t->arms; a != NULL; a = a->next)
		need_helpers(e, a->member->type);
	if (t->kind == TYPE_ALIAS)
		need_helpers(e, t->elem);

	if (t->kind == TYPE_STRUCT && t->fixed) {
		storer(e, t);
		fixed_encoder(e, t);
	} else if (t->link != NULL) {
		list_encoder(e, t);
	} else if (t->kind == TYPE_STRUCT && c_is_flat(e, t)) {
		flat_encoder(e, t);
	} else if (t->kind == TYPE_STRUCT) {
		plain_encoder(e, t);
	} else if (t->kind == TYPE_UNION) {
		c_union_encoder(e, t);
	} else {
		small_encoder(e, t);
	}
}
