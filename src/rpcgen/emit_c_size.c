/* SPDX-License-Identifier: MIT */
/* T_size(): how many bytes a value takes on the wire, exactly. */
#include "emit_c.h"

#include <string.h>

static void	add(struct emit *, const struct type *, const char *expr);

static void
add_array(struct emit *e, const struct type *t, const char *expr)
{
	const char *i = c_index(e, e->loops++);

	if (e->loops > e->max_loops)
		e->max_loops = e->loops;
	c_line(e, "for (%s = 0; %s < %s; %s++) {", i, i,
	    c_bound(e, &t->bound), i);
	e->indent++;
	add(e, t->elem, c_printf(e, "%s[%s]", expr, i));
	e->indent--;
	c_line(e, "}");
	e->loops--;
}

static void
add_vector(struct emit *e, const struct type *t, const char *expr)
{
	const char *i;

	if (t->elem->fixed) {
		c_line(e, "%s += 4 + (size_t)%u * %s.n;", e->size,
		    t->elem->min, *expr == '*' ? c_printf(e, "(%s)", expr) :
		    expr);
		return;
	}
	if (*expr == '*')
		expr = c_printf(e, "(%s)", expr);
	i = c_index(e, e->loops++);
	if (e->loops > e->max_loops)
		e->max_loops = e->loops;
	c_line(e, "%s += 4;", e->size);
	c_line(e, "for (%s = 0; %s < %s.n; %s++) {", i, i, expr, i);
	e->indent++;
	add(e, t->elem, c_printf(e, "%s.v[%s]", expr, i));
	e->indent--;
	c_line(e, "}");
	e->loops--;
}

static void
add_optional(struct emit *e, const struct type *t, const char *expr)
{
	const struct type *real = type_real(t->elem);

	if (real->link != NULL) {
		c_line(e, "%s += %s_list_size(%s);", e->size,
		    c_of(real)->name, expr);
		return;
	}
	c_line(e, "%s += 4;", e->size);
	c_line(e, "if (%s != NULL) {", expr);
	e->indent++;
	add(e, t->elem, c_printf(e, "*%s", expr));
	e->indent--;
	c_line(e, "}");
}

/* `size += ...` for any value. */
static void
add(struct emit *e, const struct type *t, const char *expr)
{
	if (t->fixed) {
		if (t->min > 0)
			c_line(e, "%s += %u;", e->size, t->min);
		return;
	}
	switch (t->kind) {
	case TYPE_ALIAS:
		add(e, t->elem, expr);
		break;
	case TYPE_BYTES: case TYPE_STRING:
		c_line(e, "%s += xdr_view_size(%s);", e->size,
		    c_address(e, t, expr));
		break;
	case TYPE_VECTOR:
		add_vector(e, t, expr);
		break;
	case TYPE_OPAQUE:
		c_line(e, "%s += %u;", e->size, t->min);
		break;
	case TYPE_ARRAY:
		if (!c_is_absent(t))
			add_array(e, t, expr);
		break;
	case TYPE_OPTIONAL:
		add_optional(e, t, expr);
		break;
	default:
		c_line(e, "%s += %s(%s);", e->size, c_made(e, t, "size"),
		    c_address(e, t, expr));
		break;
	}
}

static void
add_members(struct emit *e, const struct type *t)
{
	const struct run *r;
	const struct member *m;
	uint32_t fixed = 0;
	const char *start;

	for (r = t->runs; r != NULL; r = r->next)
		fixed += r->fixed ? r->size : 0;
	start = c_printf(e, "\tsize_t %s = %u;\n", e->size, fixed);
	e->extra_locals = start;
	for (r = t->runs; r != NULL; r = r->next) {
		m = r->first;
		if (r->fixed || m == t->link)
			continue;
		if (m->lazy)
			c_line(e, "%s += 4;", e->size);
		else
			add(e, m->type, c_printf(e, "%s->%s", e->v,
			    c_member(e, m)));
	}
}

static void
end(struct emit *e, const struct type *t, const char *linkage,
    const char *suffix)
{
	c_line(e, "return %s;", e->size);
	e->ended = true;
	c_end(e, linkage, c_printf(e, "%s(%s)", c_made(e, t, suffix),
	    c_param(e, t, true, e->v)));
}

static void
list_sizer(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name, *link = c_member(e, t->link);

	if (t->recursive)
		c_top(e, "\nstatic size_t %s_list_size(const %s *);", name,
		    name);
	c_begin(e);
	add_members(e, t);
	if (e->body.len == 0)
		c_line(e, "(void)%s;", e->v);
	end(e, t, "static size_t", "node_size");
	c_begin(e);
	e->extra_locals = c_printf(e, "\tsize_t %s = 4;\n", e->size);
	c_line(e, "for (; %s != NULL; %s = %s->%s)", e->v, e->v, e->v, link);
	c_line(e, "\t%s += 4 + %s_node_size(%s);", e->size, name, e->v);
	end(e, t, "static size_t", "list_size");
	c_begin(e);
	e->extra_locals = c_printf(e, "\tsize_t %s = %s_node_size(%s);\n",
	    e->size, name, e->v);
	c_line(e, "%s += %s_list_size(%s->%s);", e->size, name, e->v, link);
	end(e, t, "size_t", "size");
}

static void
union_sizer(struct emit *e, const struct type *t)
{
	const struct type *disc = type_real(t->disc->type);
	const struct label *l;
	const struct arm *a;

	c_begin(e);
	e->extra_locals = c_printf(e, "\tsize_t %s = 4;\n", e->size);
	c_line(e, "switch (%s%s->%s) {", disc->kind == TYPE_ENUM ?
	    "(int32_t)" : disc->kind == TYPE_BOOL ? "(int)" : "", e->v,
	    c_member(e, t->disc));
	for (a = t->arms; a != NULL; a = a->next) {
		if (a->member->type->max == 0 && t->default_arm == NULL)
			continue;
		for (l = a->labels; l != NULL && !a->is_default; l = l->next)
			c_line(e, "case %s:", c_label(e, disc, l));
		if (a->is_default)
			c_line(e, "default:");
		e->indent++;
		if (a->member->type->kind != TYPE_VOID)
			add(e, a->member->type, c_printf(e, "%s->%s", e->v,
			    c_member(e, a->member)));
		c_line(e, "break;");
		e->indent--;
	}
	c_line(e, "}");
	end(e, t, "size_t", "size");
}

void
c_sizer(struct emit *e, struct type *t)
{
	if (t->link != NULL) {
		list_sizer(e, t);
		return;
	}
	if (t->kind == TYPE_UNION) {
		union_sizer(e, t);
		return;
	}
	c_begin(e);
	if (t->fixed) {
		c_line(e, "(void)%s;", e->v);
		c_line(e, "return %u;", t->min);
		e->ended = true;
		c_end(e, "size_t", c_printf(e, "%s(%s)", c_made(e, t, "size"),
		    c_param(e, t, true, e->v)));
		return;
	}
	if (t->kind == TYPE_STRUCT) {
		add_members(e, t);
	} else {
		e->extra_locals = c_printf(e, "\tsize_t %s = 0;\n", e->size);
		add(e, t, c_is_array(t) ? e->v : c_printf(e, "*%s", e->v));
	}
	if (e->body.len == 0)
		c_line(e, "(void)%s;", e->v);
	end(e, t, "size_t", "size");
}
