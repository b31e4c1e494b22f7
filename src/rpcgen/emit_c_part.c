/* SPDX-License-Identifier: MIT */
/*
 * Reading a message by parts: arrays whose elements are decoded one by one
 * (--lazy), and where a bulk payload lies before the message is complete
 * (--bulk).
 */
#include "emit_c.h"

/*
 * T_M_next: a message that turns out to be bad at one element has given the
 * ones before it.  The iterator is then at its end.
 */
void
c_lazy(struct emit *e, const struct member *m)
{
	const struct type *elem = type_real(m->type)->elem;
	const char *type = c_type_name(e, elem);

	c_begin(e);
	e->uses_err = true;
	c_line(e, "if (lazy->done >= lazy->n)");
	c_line(e, "\treturn ENOENT;");
	c_line(e, "memset(%s, 0, sizeof(%s));", e->v, type);
	c_line(e, "lazy->done++;");
	c_line(e, "%s = %s(lazy->in, %s);", e->err,
	    c_made(e, elem, "decode"), e->v);
	c_line(e, "if (%s != 0)", e->err);
	c_line(e, "\tlazy->done = lazy->n;");
	c_line(e, "return %s;", e->err);
	e->ended = true;
	c_end(e, "int", c_printf(e, "%s_%s_next(struct xdr_lazy *lazy, %s)",
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
	c_line(e, "xdr_in_init(&%s, args, have, NULL);", e->in);
	c_line(e, "if (%s_before_%s(&%s, &%s) != 0)", name, m->name, e->in,
	    e->v);
	c_line(e, "\treturn %s.why == XDR_SHORT ? EAGAIN : EBADMSG;", e->in);
	c_line(e, "*start = (size_t)(%s.pos - args);", e->in);
	c_line(e, "*len = %s.%s.len;", e->v, c_member(e, m));
	c_end(e, "int", c_printf(e, "%s_%s_locate(const uint8_t *args, "
	    "size_t have, size_t *start, uint32_t *len)", name, m->name));
}
