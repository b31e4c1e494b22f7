/* SPDX-License-Identifier: MIT */
/*
 * Reading a message by parts: arrays whose elements are decoded one by one
 * (--lazy), and where a bulk payload lies before the message is complete
 * (--bulk).
 */
#include "emit_c.h"

/* The payload of a struct itself. */
static const struct member *
payload(const struct type *t)
{
	const struct member *m;

	t = type_real((struct type *)(uintptr_t)t);
	for (m = t->kind == TYPE_STRUCT ? t->members : NULL; m != NULL;
	    m = m->next)
		if (m->bulk)
			return m;
	return NULL;
}

/* The arms of a lazy array's elements; NULL if these are no unions. */
static const struct arm *
elements(const struct member *lazy)
{
	return type_real(type_real(lazy->type)->elem)->arms;
}

/* Has T_M_locate: a payload, or a lazy array with payloads among it. */
bool
c_is_located(const struct member *m)
{
	const struct arm *a;

	if (m->bulk || !m->lazy)
		return m->bulk;
	for (a = elements(m); a != NULL; a = a->next)
		if (payload(a->member->type) != NULL)
			return true;
	return false;
}

/*
 * What a failure leaves must not be of the element before.  Of a union, only
 * the discriminant is looked at then, which most decoders set themselves.
 */
static void
clear_element(struct emit *e, const struct type *elem)
{
	const struct type *disc, *real = type_real((struct type *)(uintptr_t)
	    elem);

	if (real->kind != TYPE_UNION) {
		c_line(e, "memset(%s, 0, sizeof(%s));", e->v,
		    c_type_name(e, elem));
		return;
	}
	if (c_sets_discriminant(real))
		return;
	disc = type_real(real->disc->type);
	if (disc->kind == TYPE_ENUM)
		c_line(e, "%s = (enum %s)0;", c_field(e, real->disc),
		    c_of(disc)->name);
	else
		c_line(e, "%s = 0;", c_field(e, real->disc));
}

/*
 * T_M_next: a message that turns out to be bad at one element has given the
 * ones before it.  The failure stays, as that of any cursor does.
 */
void
c_lazy(struct emit *e, const struct member *m)
{
	const struct type *elem = type_real(m->type)->elem;

	c_begin(e);
	c_line(e, "if (XDR_UNLIKELY($lazy->done >= $lazy->n))");
	c_line(e, "\treturn $lazy->in->bad ? $lazy->in->err : ENOENT;");
	clear_element(e, elem);
	c_line(e, "$lazy->done++;");
	if (elem->kind >= TYPE_ALIAS) {
		c_try(e, "%s($lazy->in, %s%s)", c_made(e, elem, "decode"),
		    elem->external ? "(void *)" : "", e->v);
	} else {
		e->extra_locals = c_printf(e, "\tstruct xdr_in *%s = "
		    "$lazy->in;\n", e->in);
		c_decode_value(e, elem, c_printf(e, "*%s", e->v),
		    c_path(e, m));
	}
	c_end(e, "int", c_printf(e, "%s_%s_next(struct xdr_lazy *$lazy, %s)",
	    c_of(m->parent)->name, m->name, c_param(e, elem, false, e->v)));
}

/*
 * T_M_locate: decode what stands before the payload, and its length.  What
 * needs memory for that is not located; a message cut short may be longer
 * next time.
 */
void
c_bulk(struct emit *e, const struct member *m)
{
	const struct type *t = m->parent;
	const char *name = c_of(t)->name;

	c_begin(e);
	c_decode_before(e, t, m);
	e->uses_p = true;
	c_line(e, "if ((%s = xdr_take(%s, 4)) == NULL)", e->p, e->in);
	c_line(e, "\treturn xdr_fail(%s, XDR_SHORT, \"%s.%s\");", e->in,
	    t->name, m->name);
	c_line(e, "%s->%s.len = xdr_load_u32(%s);", e->v, c_member(e, m),
	    e->p);
	if (type_real(m->type)->bound.value != UINT32_MAX) {
		c_line(e, "if (%s->%s.len > %s)", e->v, c_member(e, m),
		    c_bound(e, &type_real(m->type)->bound));
		c_line(e, "\treturn xdr_fail(%s, XDR_TOO_LONG, \"%s.%s\");",
		    e->in, t->name, m->name);
	}
	c_end(e, "static int", c_printf(e, "%s_before_%s(struct xdr_in *%s, "
	    "%s)", name, m->name, e->in, c_param(e, t, false, e->v)));

	c_begin(e);
	e->extra_locals = c_printf(e, "\tstruct xdr_in %s;\n\t%s %s;\n",
	    e->in, name, e->v);
	c_line(e, "memset(&%s, 0, sizeof %s);", e->v, e->v);
	c_line(e, "xdr_in_init(&%s, $args, $have, NULL);", e->in);
	c_line(e, "if (%s_before_%s(&%s, &%s) != 0)", name, m->name, e->in,
	    e->v);
	c_line(e, "\treturn %s.why == XDR_SHORT ? EAGAIN : EBADMSG;", e->in);
	c_line(e, "*$start = (size_t)(%s.pos - $args);", e->in);
	c_line(e, "*$len = %s.%s.len;", e->v, c_member(e, m));
	c_end(e, "int", c_printf(e, "%s_%s_locate(const uint8_t *$args, "
	    "size_t $have, size_t *$start, uint32_t *$len)", name, m->name));
}

/* Whether the discriminant that comes next is one of this arm's. */
static const char *
comes_next(struct emit *e, const struct type *u, const struct arm *a)
{
	const struct type *disc = type_real(u->disc->type);
	const struct label *l;
	const char *test = "";

	for (l = a->labels; l != NULL; l = l->next)
		test = c_printf(e, "%s%s%s(%s.pos) == %s", test,
		    l == a->labels ? "" : " || ", disc->kind == TYPE_UINT ?
		    "xdr_load_u32" : "(int32_t)xdr_load_u32", e->in,
		    c_label(e, disc, l));
	return a->labels->next == NULL ? test : c_printf(e, "(%s)", test);
}

/*
 * T_M_locate of a lazy array: walk its elements to the first that has a
 * payload.  There is no memory for what elements before it may want; then,
 * or if none has any, the message is received as others are.
 */
void
c_lazy_bulk(struct emit *e, const struct member *m)
{
	const struct type *t = m->parent;
	const struct type *u = type_real(type_real(m->type)->elem);
	const char *name = c_of(t)->name, *more = "";
	const struct member *data;
	const struct arm *a;

	c_begin(e);
	e->uses_err = true;
	e->extra_locals = c_printf(e, "\tstruct xdr_in %s;\n\t%s %s;\n"
	    "\t%s %s;\n", e->in, name, e->v, c_of(u)->name, e->next);
	c_line(e, "*$start = *$len = 0;");
	c_line(e, "xdr_in_init(&%s, $args, $have, NULL);", e->in);
	c_line(e, "%s = %s(&%s, &%s);", e->err, c_made(e, t, "decode"), e->in,
	    e->v);
	c_line(e, "while (%s == 0) {", e->err);
	e->indent++;
	for (a = u->arms; a != NULL; a = a->next) {
		if (a->is_default || (data = payload(a->member->type)) == NULL)
			continue;
		c_line(e, "%sif (%s.%s.done < %s.%s.n && "
		    "%s.end - %s.pos >= 4 && %s) {", more, e->v,
		    c_member(e, m), e->v, c_member(e, m), e->in, e->in,
		    comes_next(e, u, a));
		e->indent++;
		c_line(e, "%s.pos += 4;", e->in);
		c_line(e, "%s = %s_before_%s(&%s, &%s.%s);", e->err,
		    c_of(data->parent)->name, data->name, e->in, e->next,
		    c_member(e, a->member));
		c_line(e, "if (%s != 0)", e->err);
		c_line(e, "\tbreak;");
		c_line(e, "*$start = (size_t)(%s.pos - $args);", e->in);
		c_line(e, "*$len = %s.%s.%s.len;", e->next,
		    c_member(e, a->member), c_member(e, data));
		c_line(e, "return 0;");
		e->indent--;
		more = "} else ";
	}
	c_line(e, "}");
	c_line(e, "%s = %s_%s_next(&%s.%s, &%s);", e->err, name, m->name, e->v,
	    c_member(e, m), e->next);
	e->indent--;
	c_line(e, "}");
	c_line(e, "if (%s == ENOENT)", e->err);
	c_line(e, "\treturn 0;");
	c_line(e, "return %s.why == XDR_SHORT ? EAGAIN : EBADMSG;", e->in);
	e->ended = true;
	c_end(e, "int", c_printf(e, "%s_%s_locate(const uint8_t *$args, "
	    "size_t $have, size_t *$start, uint32_t *$len)", name, m->name));
}
