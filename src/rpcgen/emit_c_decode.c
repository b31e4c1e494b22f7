/* SPDX-License-Identifier: MIT */
/*
 * Decoders.
 *
 * A run of fixed size is one bounds check and then loads at constant offsets;
 * a struct that is fixed as a whole has T_load() for that, which others use
 * inside their own runs.  A list is a loop.  What is recursive in another
 * way counts its depth in the cursor.
 *
 * What is flat, that is runs and strings only, and a union up to its arm,
 * keep their place in a local and move the cursor once.  Where bytes are
 * missing at that place, be it a seam or the message's end, nothing has been
 * taken yet: the descriptor decodes the type from its start.  Such a function
 * calls nothing on its way, so it needs neither stack nor saved registers.
 */
#include "emit_c.h"

#include <string.h>

static void	decode(struct emit *, const struct type *, const char *expr,
		    const char *where);

/* &(expr), or just the name where that is an array. */
const char *
c_address(struct emit *e, const struct type *t, const char *expr)
{
	if (c_is_array(t))
		return expr;
	return *expr == '*' ? expr + 1 : c_printf(e, "&%s", expr);
}

/* ------------------------------------------------------ fixed sizes -- */

/* Is there a value of this fixed type that is not valid? */
static bool
is_checked(const struct type *t)
{
	switch (t->kind) {
	case TYPE_BOOL:
		return true;
	case TYPE_ENUM:
		return !t->open;
	case TYPE_ARRAY: case TYPE_ALIAS:
		return is_checked(t->elem);
	case TYPE_STRUCT:
		return c_of(t)->checked;
	default:
		return false;
	}
}

static bool
has_padding(const struct type *t)
{
	const struct member *m;

	switch (t->kind) {
	case TYPE_OPAQUE:
		return t->bound.value % 4 != 0;
	case TYPE_ARRAY: case TYPE_ALIAS:
		return has_padding(t->elem);
	case TYPE_STRUCT:
		for (m = t->members; m != NULL; m = m->next)
			if (has_padding(m->type))
				return true;
		return false;
	default:
		return false;
	}
}

static void	load(struct emit *, const struct type *, const char *expr,
		    const char *p, uint32_t offset, const char *where);

static void
load_array(struct emit *e, const struct type *t, const char *expr,
    const char *p, uint32_t offset, const char *where)
{
	const char *i = c_index(e, e->loops++);
	const char *base = c_plus(e, p, offset);

	if (e->loops > e->max_loops)
		e->max_loops = e->loops;
	c_line(e, "for (%s = 0; %s < %s; %s++) {", i, i,
	    c_bound(e, &t->bound), i);
	e->indent++;
	load(e, t->elem, c_printf(e, "%s[%s]", expr, i), t->elem->min == 0 ?
	    base : c_printf(e, "%s + %u * %s", base, t->elem->min, i), 0,
	    where);
	c_flush(e);
	e->indent--;
	c_line(e, "}");
	e->loops--;
}

static void
load_opaque(struct emit *e, const struct type *t, const char *expr,
    const char *p, uint32_t offset, const char *where)
{
	uint32_t n = t->bound.value;

	if (n == 0)
		return;
	c_line(e, "memcpy(%s, %s, %s);", expr, c_plus(e, p, offset),
	    c_bound(e, &t->bound));
	if (e->model->strict_pad && n % 4 != 0)
		c_try(e, "xdr_check_pad(%s, %s, %u, \"%s\")", e->in,
		    c_plus(e, p, offset + n), 4 - n % 4, where);
}

static void
load_number(struct emit *e, const struct type *t, const char *expr,
    const char *at)
{
	switch (t->kind) {
	case TYPE_INT:
		c_line(e, "%s = (int32_t)xdr_load_u32(%s);", expr, at);
		break;
	case TYPE_UINT:
		c_line(e, "%s = xdr_load_u32(%s);", expr, at);
		break;
	case TYPE_HYPER:
		c_line(e, "%s = (int64_t)xdr_load_u64(%s);", expr, at);
		break;
	case TYPE_UHYPER:
		c_line(e, "%s = xdr_load_u64(%s);", expr, at);
		break;
	case TYPE_FLOAT:
		c_line(e, "%s = xdr_load_float(%s);", expr, at);
		break;
	case TYPE_DOUBLE:
		c_line(e, "%s = xdr_load_double(%s);", expr, at);
		break;
	default:	/* TYPE_QUADRUPLE */
		c_line(e, "memcpy(%s, %s, 16);", c_address(e, t, expr), at);
		break;
	}
}

/* One value of fixed size, whose bytes begin at p + offset. */
static void
load(struct emit *e, const struct type *t, const char *expr, const char *p,
    uint32_t offset, const char *where)
{
	const char *at = c_plus(e, p, offset);

	switch (t->kind) {
	case TYPE_VOID:
		break;
	case TYPE_BOOL:
		c_try(e, "xdr_load_bool(%s, %s, &%s, \"%s\")", e->in, at,
		    expr, where);
		break;
	case TYPE_ENUM:
		c_line(e, "%s = (enum %s)(int32_t)xdr_load_u32(%s);", expr,
		    c_of(t)->name, at);
		if (t->open)
			break;
		c_line(e, "if (!%s_known((uint32_t)%s))", c_of(t)->name,
		    expr);
		c_line(e, "\treturn xdr_fail_at(%s, XDR_BAD_ENUM, \"%s\", "
		    "%s);", e->in, where, at);
		break;
	case TYPE_OPAQUE:
		load_opaque(e, t, expr, p, offset, where);
		break;
	case TYPE_ARRAY:
		if (!c_is_absent(t))
			load_array(e, t, expr, p, offset, where);
		break;
	case TYPE_ALIAS:
		load(e, t->elem, expr, p, offset, where);
		break;
	case TYPE_STRUCT:
		if (is_checked(t))
			c_try(e, "%s_load(%s, %s, %s)", c_of(t)->name, e->in,
			    at, c_address(e, t, expr));
		else if (t->min > 0)
			c_line(e, "%s_load(%s, %s);", c_of(t)->name, at,
			    c_address(e, t, expr));
		break;
	default:
		load_number(e, t, expr, at);
		break;
	}
}

static void
load_members(struct emit *e, const struct member *m, unsigned n)
{
	uint32_t offset = 0;

	for (; n > 0; n--, m = m->next) {
		load(e, m->type, c_field(e, m), e->p, offset, c_path(e, m));
		offset += m->type->min;
	}
}

/* The next `size` bytes, at p. */
void
c_take(struct emit *e, const char *size, const char *where)
{
	e->uses_p = true;
	c_line(e, "if ((%s = xdr_need(%s, %s, \"%s\")) == NULL)", e->p, e->in,
	    size, where);
	c_line(e, "\treturn %s->err;", e->in);
}

/* T_load: from bytes that are known to be there. */
static void
loader(struct emit *e, struct type *t)
{
	struct c_type *c = c_of(t);
	const struct member *m;
	unsigned n = 0;

	if (t->min == 0)
		return;
	for (m = t->members; m != NULL; m = m->next) {
		n++;
		c->checked = c->checked || is_checked(m->type) ||
		    (e->model->strict_pad && has_padding(m->type));
	}
	c_begin(e);
	load_members(e, t->members, n);
	if (c->checked) {
		c_end(e, "static int", c_printf(e,
		    "%s_load(struct xdr_in *%s, const uint8_t *%s, %s)",
		    c->name, e->in, e->p, c_param(e, t, false, e->v)));
		return;
	}
	c_flush(e);
	e->ended = true;
	c_end(e, "static void", c_printf(e, "%s_load(const uint8_t *%s, %s)",
	    c->name, e->p, c_param(e, t, false, e->v)));
}

/* -------------------------------------------------------------- helpers -- */

/*
 * A variable array: one function for all with the same elements.  Those of
 * fixed size are taken at once, so that one bounds check does for them all.
 */
static void
array_helper(struct emit *e, const struct type *elem)
{
	const char *name = strchr(c_array_name(elem), ' ') + 1, *size;

	c_begin(e);
	c_try(e, "xdr_get_count(%s, &%s->n, %s, %s, %s)", e->in, e->v, e->max,
	    c_least(e, elem), e->where);
	c_line(e, "%s->v = xdr_alloc_array(%s, %s->n, sizeof *%s->v);", e->v,
	    e->in, e->v, e->v);
	c_line(e, "if (%s->v == NULL && %s->n > 0)", e->v, e->v);
	c_line(e, "\treturn xdr_fail(%s, XDR_OVER_BUDGET, %s);", e->in,
	    e->where);
	e->max_loops = e->loops = 1;
	if (elem->fixed && elem->min > 0) {
		size = c_printf(e, "(size_t)%u * %s->n", elem->min, e->v);
		e->uses_p = true;
		c_line(e, "if (%s->n == 0)", e->v);
		c_line(e, "\treturn 0;");
		c_line(e, "if ((%s = xdr_need(%s, %s, %s)) == NULL)", e->p,
		    e->in, size, e->where);
		c_line(e, "\treturn %s->err;", e->in);
	}
	c_line(e, "for (%s = 0; %s < %s->n; %s++) {", e->i, e->i, e->v, e->i);
	e->indent++;
	if (elem->fixed && elem->min > 0)
		load(e, elem, c_printf(e, "%s->v[%s]", e->v, e->i),
		    c_printf(e, "%s + (size_t)%u * %s", e->p, elem->min,
		    e->i), 0, elem->name);
	else
		decode(e, elem, c_printf(e, "%s->v[%s]", e->v, e->i),
		    elem->name);
	c_flush(e);
	e->indent--;
	c_line(e, "}");
	c_end(e, "static int", c_printf(e, "%s_decode(struct xdr_in *%s, "
	    "struct %s *%s, uint32_t %s, const char *%s)", name, e->in,
	    name, e->v, e->max, e->where));
}

/* T *x, for a T that is no list. */
static void
optional_helper(struct emit *e, const struct type *elem)
{
	const char *name = c_of(elem)->name;

	c_begin(e);
	e->uses_more = true;
	c_try(e, "xdr_get_bool(%s, &%s, %s)", e->in, e->more, e->where);
	c_line(e, "*%s = NULL;", e->v);
	c_line(e, "if (!%s)", e->more);
	c_line(e, "\treturn 0;");
	c_line(e, "if ((*%s = xdr_alloc(%s, sizeof **%s)) == NULL)", e->v,
	    e->in, e->v);
	c_line(e, "\treturn xdr_fail(%s, XDR_OVER_BUDGET, %s);", e->in,
	    e->where);
	decode(e, elem, c_printf(e, "**%s", e->v), name);
	c_end(e, "static int", c_printf(e, "%s_opt_decode(struct xdr_in *%s, "
	    "%s **%s, const char *%s)", name, e->in, c_type_name(e, elem),
	    e->v, e->where));
}

/* Helpers are made before the function that first needs them. */
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
	if (t->kind == TYPE_VECTOR && !c->array_decode) {
		c->array_decode = true;
		need_helpers(e, t->elem);
		array_helper(e, t->elem);
	} else if (t->kind == TYPE_OPTIONAL && !c->opt_decode &&
	    type_real(t->elem)->link == NULL) {
		c->opt_decode = true;
		need_helpers(e, t->elem);
		optional_helper(e, t->elem);
	}
}

/* ------------------------------------------------------ variable sizes -- */

static void
decode_array(struct emit *e, const struct type *t, const char *expr,
    const char *where)
{
	const char *i = c_index(e, e->loops++);

	if (e->loops > e->max_loops)
		e->max_loops = e->loops;
	c_line(e, "for (%s = 0; %s < %s; %s++) {", i, i,
	    c_bound(e, &t->bound), i);
	e->indent++;
	decode(e, t->elem, c_printf(e, "%s[%s]", expr, i), where);
	c_flush(e);
	e->indent--;
	c_line(e, "}");
	e->loops--;
}

/* A basic type behind a pointer: int *x. */
static void
decode_basic_optional(struct emit *e, const struct type *t, const char *expr,
    const char *where)
{
	e->uses_more = true;
	c_try(e, "xdr_get_bool(%s, &%s, \"%s\")", e->in, e->more, where);
	c_line(e, "%s = NULL;", expr);
	c_line(e, "if (%s) {", e->more);
	e->indent++;
	c_line(e, "if ((%s = xdr_alloc(%s, sizeof *%s)) == NULL)", expr,
	    e->in, expr);
	c_line(e, "\treturn xdr_fail(%s, XDR_OVER_BUDGET, \"%s\");", e->in,
	    where);
	decode(e, t->elem, c_printf(e, "*%s", expr), where);
	c_flush(e);
	e->indent--;
	c_line(e, "}");
}

static void
decode_optional(struct emit *e, const struct type *t, const char *expr,
    const char *where)
{
	const struct type *real = type_real(t->elem);

	if (real->link != NULL)
		c_try(e, "%s_decode_list(%s, %s)", c_of(real)->name, e->in,
		    c_address(e, t, expr));
	else if (t->elem->kind >= TYPE_ALIAS)
		c_try(e, "%s_opt_decode(%s, %s, \"%s\")", c_of(t->elem)->name,
		    e->in, c_address(e, t, expr), where);
	else
		decode_basic_optional(e, t, expr, where);
}

/* Any value, into the lvalue `expr`. */
static void
decode(struct emit *e, const struct type *t, const char *expr,
    const char *where)
{
	const char *array;

	if (t->kind == TYPE_ALIAS) {
		decode(e, t->elem, expr, where);
		return;
	}
	if (c_is_wrapper(t)) {
		decode(e, t->members->type, c_printf(e, *expr == '*' ?
		    "(%s).%s" : "%s.%s", expr, c_member(e, t->members)),
		    c_path(e, t->members));
		return;
	}
	if (t->fixed) {
		if (t->min == 0)
			return;
		c_take(e, c_printf(e, "%u", t->min), where);
		load(e, t, expr, e->p, 0, where);
		return;
	}
	switch (t->kind) {
	case TYPE_BYTES: case TYPE_STRING:
		c_try(e, "%s(%s, %s, %s, \"%s\")", e->model->strict_pad ?
		    "xdr_get_view_strict" : "xdr_get_view", e->in,
		    c_address(e, t, expr), c_bound(e, &t->bound), where);
		break;
	case TYPE_VECTOR:
		array = strchr(c_array_name(t->elem), ' ') + 1;
		c_try(e, "%s_decode(%s, %s, %s, \"%s\")", array, e->in,
		    c_address(e, t, expr), c_bound(e, &t->bound), where);
		break;
	case TYPE_OPAQUE:
		c_try(e, "xdr_get_fixed%s(%s, %s, %s, \"%s\")",
		    e->model->strict_pad ? "_strict" : "", e->in, expr,
		    c_bound(e, &t->bound), where);
		break;
	case TYPE_ARRAY:
		if (!c_is_absent(t))
			decode_array(e, t, expr, where);
		break;
	case TYPE_OPTIONAL:
		decode_optional(e, t, expr, where);
		break;
	default:
		c_try(e, "%s(%s, %s%s)", c_made(e, t, "decode"), e->in,
		    t->external ? "(void *)" : "", c_address(e, t, expr));
		break;
	}
}

void
c_decode_value(struct emit *e, const struct type *t, const char *expr,
    const char *where)
{
	decode(e, t, expr, where);
}

void
c_load_value(struct emit *e, const struct type *t, const char *expr,
    uint32_t offset, const char *where)
{
	load(e, t, expr, e->p, offset, where);
}

/* ------------------------------------------------------------- structs -- */

/* Of a lazy array, the count, which lies at `at`; its user does the rest. */
static void
load_lazy(struct emit *e, const struct member *m, const char *at)
{
	c_line(e, "%s.%s = %s;", c_field(e, m), "in", e->in);
	c_line(e, "%s.done = 0;", c_field(e, m));
	c_line(e, "%s.n = xdr_load_u32(%s);", c_field(e, m), at);
}

/* At p, with the count of a lazy array that follows. */
static void
load_run(struct emit *e, const struct run *r, const struct member *lazy)
{
	load_members(e, r->first, r->count);
	if (lazy != NULL)
		load_lazy(e, lazy, c_plus(e, e->p, r->size));
}

static void
decode_run(struct emit *e, const struct run *r, const struct member *lazy)
{
	c_take(e, c_printf(e, "%u", r->size + (lazy != NULL ? 4 : 0)),
	    c_path(e, r->first));
	load_run(e, r, lazy);
}

static void
decode_lazy(struct emit *e, const struct member *m)
{
	c_take(e, "4", c_path(e, m));
	load_lazy(e, m, e->p);
}

/*
 * The members from `from` up to and without `to`, run by run.  A link, a
 * lazy array and what --bulk names are never of fixed size, so these begin a
 * run each.
 */
static void
decode_members(struct emit *e, const struct type *t,
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
			decode_lazy(e, r->first);
		else if (!r->fixed)
			decode(e, r->first->type, c_field(e, r->first),
			    c_path(e, r->first));
		else if (r->size > 0)
			decode_run(e, r, lazy);
	}
}

void
c_decode_before(struct emit *e, const struct type *t, const struct member *m)
{
	decode_members(e, t, t->members, m);
}

static void
need_member_helpers(struct emit *e, const struct type *t)
{
	const struct member *m;
	const struct arm *a;

	for (m = t->members; m != NULL; m = m->next)
		if (m != t->link && !m->lazy)
			need_helpers(e, m->type);
	for (a = t->arms; a != NULL; a = a->next)
		need_helpers(e, a->member->type);
}

const char *
c_decode_head(struct emit *e, const struct type *t, const char *suffix)
{
	return c_printf(e, "%s(struct xdr_in *%s, %s)", c_made(e, t, suffix),
	    e->in, c_param(e, t, false, e->v));
}

/* What is recursive is bounded: `inner` does the work. */
void
c_decode_guard(struct emit *e, const struct type *t, const char *linkage,
    const char *outer, const char *inner)
{
	c_begin(e);
	e->uses_err = true;
	c_line(e, "if (%s->depth >= %u)", e->in, e->model->max_depth);
	c_line(e, "\treturn xdr_fail(%s, XDR_TOO_DEEP, \"%s\");", e->in,
	    t->name);
	c_line(e, "%s->depth++;", e->in);
	c_line(e, "%s = %s_%s(%s, %s);", e->err, c_of(t)->name, inner, e->in,
	    e->v);
	c_line(e, "%s->depth--;", e->in);
	c_line(e, "return %s;", e->err);
	e->ended = true;
	c_end(e, linkage, c_decode_head(e, t, outer));
}

/* `size` bytes at p, or to the slow way. */
static void
flat_take(struct emit *e, uint32_t size)
{
	c_line(e, "if (XDR_UNLIKELY((size_t)(%s - %s) < %u))", e->end, e->p,
	    size);
	c_line(e, "\tgoto %s;", e->slow);
}

static void
flat_begin(struct emit *e)
{
	c_begin(e);
	e->extra_locals = c_printf(e, "\tconst uint8_t *%s = %s->pos, *%s = "
	    "%s->end;\n", e->p, e->in, e->end, e->in);
}

static void
fixed_decoder(struct emit *e, const struct type *t)
{
	if (t->min == 0) {
		c_begin(e);
		c_unused(e, e->in, e->v);
		c_end(e, C_CODEC, c_decode_head(e, t, "decode"));
		return;
	}
	flat_begin(e);
	flat_take(e, t->min);
	c_line(e, "%s->pos = %s + %u;", e->in, e->p, t->min);
	load(e, t, c_printf(e, "*%s", e->v), e->p, 0, t->name);
	c_return(e);
	c_end_slow(e, t, C_CODEC, c_decode_head(e, t, "decode"));
}

static void
flat_run(struct emit *e, const struct run *r, const struct member *lazy,
    bool is_last)
{
	uint32_t size = r->size + (lazy != NULL || r->first->lazy ? 4 : 0);

	flat_take(e, size);
	if (is_last)
		c_line(e, "%s->pos = %s + %u;", e->in, e->p, size);
	if (r->first->lazy)
		load_lazy(e, r->first, e->p);
	else
		load_run(e, r, lazy);
	c_flush(e);
	if (!is_last)
		c_line(e, "%s += %u;", e->p, size);
}

/* A string at p, which moves on, or to the slow way. */
void
c_load_view(struct emit *e, const struct member *m, const char *end)
{
	const char *expr, *where;
	const struct type *t = c_view(e, m, &expr, &where);

	c_line(e, "if (!xdr_load_view(&%s, %s, &%s, %s))", e->p, end, expr,
	    c_bound(e, &t->bound));
	c_line(e, "\tgoto %s;", e->slow);
}

/* The last view may be a payload, which is worth its own code at a seam. */
static void
last_view(struct emit *e, const struct member *m)
{
	const char *expr, *where;
	const struct type *t = c_view(e, m, &expr, &where);

	c_line(e, "%s->pos = %s;", e->in, e->p);
	c_try(e, "xdr_get_view(%s, &%s, %s, \"%s\")", e->in, expr,
	    c_bound(e, &t->bound), where);
}

static void
flat_decoder(struct emit *e, const struct type *t)
{
	const struct member *lazy;
	const struct run *r, *next;

	flat_begin(e);
	for (r = t->runs; r != NULL; r = next) {
		lazy = c_lazy_behind(r);
		next = lazy != NULL ? r->next->next : r->next;
		if (!r->fixed && !r->first->lazy && next == NULL)
			last_view(e, r->first);
		else if (!r->fixed && !r->first->lazy)
			c_load_view(e, r->first, e->end);
		else
			flat_run(e, r, lazy, next == NULL);
	}
	c_return(e);
	c_end_slow(e, t, C_CODEC, c_decode_head(e, t, "decode"));
}

static void
plain_decoder(struct emit *e, const struct type *t)
{
	c_begin(e);
	decode_members(e, t, t->members, NULL);
	c_unused(e, e->in, e->v);
	if (t->recursive) {
		c_end(e, "static int", c_decode_head(e, t, "decode_inner"));
		c_decode_guard(e, t, C_CODEC, "decode", "decode_inner");
	} else {
		c_end(e, C_CODEC, c_decode_head(e, t, "decode"));
	}
}

/* --------------------------------------------------------------- lists -- */

/*
 * The members of one node before its link, and those behind it, if any.
 * Where a node contains lists of its own kind besides, these count.
 */
static void
node_parts(struct emit *e, const struct type *t)
{
	c_begin(e);
	decode_members(e, t, t->members, t->link);
	c_unused(e, e->in, e->v);
	c_end(e, "static int", c_decode_head(e, t, t->recursive ? "decode_inner" :
	    "decode_node"));
	if (t->recursive)
		c_decode_guard(e, t, "static int", "decode_node",
		    "decode_inner");
	if (t->link->next == NULL)
		return;
	c_begin(e);
	decode_members(e, t, t->link->next, NULL);
	c_unused(e, e->in, e->v);
	c_end(e, "static int", c_decode_head(e, t, t->recursive ? "decode_inner_rest" :
	    "decode_rest"));
	if (t->recursive)
		c_decode_guard(e, t, "static int", "decode_rest",
		    "decode_inner_rest");
}

/*
 * The loop that both forms have: read nodes until a zero says that there is
 * no more.  It is left open, for what is to be done with a node.
 */
static void
list_loop(struct emit *e, const struct type *t)
{
	c_line(e, "for (;;) {");
	e->indent++;
	e->uses_more = true;
	c_try(e, "xdr_get_bool(%s, &%s, \"%s\")", e->in, e->more,
	    c_path(e, t->link));
	c_line(e, "if (!%s)", e->more);
	c_line(e, "\tbreak;");
	c_line(e, "if ((%s = xdr_alloc(%s, sizeof *%s)) == NULL)", e->v,
	    e->in, e->v);
	c_line(e, "\treturn xdr_fail(%s, XDR_OVER_BUDGET, \"%s\");", e->in,
	    t->name);
	c_try(e, "%s_decode_node(%s, %s)", c_of(t)->name, e->in, e->v);
}

static void
list_head(struct emit *e, const struct type *t)
{
	c_end(e, "static int", c_printf(e, "%s_decode_list(struct xdr_in *%s,"
	    " %s **%s)", c_of(t)->name, e->in, c_of(t)->name, e->tail));
}

/* The link stands last: nodes are complete when the next one begins. */
static void
forward_list(struct emit *e, const struct type *t)
{
	c_begin(e);
	e->extra_locals = c_printf(e, "\t%s *%s;\n", c_of(t)->name, e->v);
	list_loop(e, t);
	c_line(e, "*%s = %s;", e->tail, e->v);
	c_line(e, "%s = &%s->%s;", e->tail, e->v, c_member(e, t->link));
	e->indent--;
	c_line(e, "}");
	c_line(e, "*%s = NULL;", e->tail);
	list_head(e, t);
}

/*
 * The link stands before other members: on the wire, what follows it comes
 * when the list has ended, last node first.  Links point backwards until
 * then, so that the way back needs no stack.
 */
static void
backward_list(struct emit *e, const struct type *t)
{
	const char *link = c_member(e, t->link);

	c_begin(e);
	e->extra_locals = c_printf(e, "\t%s *%s, *%s = NULL, *%s = NULL;\n",
	    c_of(t)->name, e->v, e->last, e->next);
	list_loop(e, t);
	c_line(e, "%s->%s = %s;", e->v, link, e->last);
	c_line(e, "%s = %s;", e->last, e->v);
	e->indent--;
	c_line(e, "}");
	c_line(e, "while ((%s = %s) != NULL) {", e->v, e->last);
	e->indent++;
	c_try(e, "%s_decode_rest(%s, %s)", c_of(t)->name, e->in, e->v);
	c_line(e, "%s = %s->%s;", e->last, e->v, link);
	c_line(e, "%s->%s = %s;", e->v, link, e->next);
	c_line(e, "%s = %s;", e->next, e->v);
	e->indent--;
	c_line(e, "}");
	c_line(e, "*%s = %s;", e->tail, e->next);
	list_head(e, t);
}

static void
list_decoder(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name;

	/* Only a list that holds lists like itself needs its name early. */
	if (t->recursive)
		c_top(e, "\nstatic int %s_decode_list(struct xdr_in *, %s "
		    "**);", name, name);
	node_parts(e, t);
	if (t->link->next == NULL)
		forward_list(e, t);
	else
		backward_list(e, t);
	if (t->elsewhere || t->compact)
		return;
	c_begin(e);
	c_try(e, "%s_decode_node(%s, %s)", name, e->in, e->v);
	c_try(e, "%s_decode_list(%s, &%s->%s)", name, e->in, e->v,
	    c_member(e, t->link));
	if (t->link->next != NULL)
		c_try(e, "%s_decode_rest(%s, %s)", name, e->in, e->v);
	c_end(e, C_CODEC, c_decode_head(e, t, "decode"));
}

/* --------------------------------------------------------------- enums -- */

/* T_known: is this one of the enum's values? */
static void
enum_known(struct emit *e, const struct type *t)
{
	const struct enumerator *n;
	struct map seen;
	const char *key;

	map_init(&seen, e->mem);
	text_printf(e->out, "\nstatic %sbool\n%s_known(uint32_t %s)\n{\n"
	    "\tswitch ((int32_t)%s) {\n", t->elsewhere ?
	    "XDR_MAYBE_UNUSED " : "", c_of(t)->name, e->n, e->n);
	for (n = t->enumerators; n != NULL; n = n->next) {
		key = c_printf(e, "%ld",
		    (long)number_int(n->constant->value));
		if (map_get(&seen, key) != NULL)
			continue;	/* two names for one value */
		map_put(&seen, key, e);
		text_printf(e->out, "\tcase %s:\n", c_constant(e,
		    n->constant));
	}
	text_put(e->out, "\t\treturn true;\n\t}\n\treturn false;\n}\n");
}

/* Does a union of this file switch on it? */
static bool
is_switched(const struct emit *e, const struct type *t)
{
	const struct item *i;

	for (i = e->model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_TYPE && !i->elsewhere &&
		    i->type->disc != NULL && type_real(i->type->disc->type) == t)
			return true;
	return false;
}

void
c_enum_checks(struct emit *e)
{
	struct item *i;

	for (i = e->model->items; i != NULL; i = i->next) {
		if (i->kind != ITEM_TYPE || i->type->kind != TYPE_ENUM ||
		    i->elsewhere)
			continue;
		c_top(e, "_Static_assert(sizeof(enum %s) == 4, \"an enum "
		    "holds 32 bits\");", c_of(i->type)->name);
	}
	for (i = e->model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_TYPE && i->type->kind == TYPE_ENUM &&
		    !i->type->open && (!i->elsewhere ||
		    is_switched(e, i->type)))
			enum_known(e, i->type);
}

static void
small_decoder(struct emit *e, const struct type *t)
{
	c_begin(e);
	decode(e, t, c_is_array(t) ? e->v : c_printf(e, "*%s", e->v), t->name);
	c_end(e, C_CODEC, c_decode_head(e, t, "decode"));
}

void
c_decoder(struct emit *e, struct type *t)
{
	need_member_helpers(e, t);
	if (t->kind == TYPE_ALIAS)
		need_helpers(e, t->elem);
	if (t->kind == TYPE_STRUCT && t->fixed) {
		loader(e, t);
		fixed_decoder(e, t);
	} else if (t->link != NULL) {
		list_decoder(e, t);
	} else if (t->kind == TYPE_STRUCT && c_is_flat(e, t)) {
		flat_decoder(e, t);
	} else if (t->kind == TYPE_STRUCT) {
		plain_decoder(e, t);
	} else if (t->kind == TYPE_UNION) {
		c_union_decoder(e, t);
	} else {
		small_decoder(e, t);
	}
}
