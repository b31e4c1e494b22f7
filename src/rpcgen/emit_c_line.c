/* SPDX-License-Identifier: MIT */
/*
 * Lines of C, wrapped to 80 columns, and functions put together of them.
 *
 * Calls that may fail are collected by c_try() and printed by c_flush() as
 * one condition, so that the output reads like the specification:
 *
 *	if ((err = fh_decode(in, &v->fh)) != 0 ||
 *	    (err = name_decode(in, &v->name)) != 0)
 *		return err;
 */
#include "emit_c.h"

#include <string.h>

enum { WIDTH = 80 };

/*
 * Where to break `line` so that its first part fits into `room`: behind a
 * comma or an operator if there is one in its second half, else at any
 * space outside of quotes.  0: nowhere.
 */
static size_t
break_at(const char *line, size_t room)
{
	size_t i, good = 0, any = 0;
	bool quoted = false;

	for (i = 0; line[i] != '\0' && (i <= room || any == 0); i++) {
		if (line[i] == '"' && (i == 0 || line[i - 1] != '\\'))
			quoted = !quoted;
		if (line[i] != ' ' || quoted || i == 0)
			continue;
		any = i;
		if (strchr(",|&=?:", line[i - 1]) != NULL)
			good = i;
	}
	return good > room / 2 ? good : any;
}

void
c_wrap(struct text *t, unsigned tabs, const char *line)
{
	unsigned i, indent = tabs * 8;
	size_t cut;

	for (i = 0; i < tabs; i++)
		text_put(t, "\t");
	while (indent + strlen(line) > WIDTH) {
		cut = break_at(line, WIDTH - 1 > indent ? WIDTH - indent : 1);
		if (cut == 0)
			break;
		text_add(t, line, cut);
		text_put(t, "\n");
		for (i = 0; i < tabs; i++)
			text_put(t, "\t");
		text_put(t, "    ");
		indent = tabs * 8 + 4;
		line += cut + 1;
	}
	text_put(t, line);
	text_put(t, "\n");
}

/*
 * `$name` is a parameter or local, called so unless a global of the file has
 * the name.
 */
static const char *
with_locals(struct emit *e, const char *s)
{
	const char *dollar, *end;
	struct text t;

	if (strchr(s, '$') == NULL)
		return s;
	text_init(&t, e->mem);
	while ((dollar = strchr(s, '$')) != NULL) {
		for (end = dollar + 1; *end >= 'a' && *end <= 'z'; end++)
			;
		text_add(&t, s, (size_t)(dollar - s));
		text_put(&t, c_local(e, mem_strndup(e->mem, dollar + 1,
		    (size_t)(end - dollar) - 1)));
		s = end;
	}
	text_add(&t, s, strlen(s) + 1);
	return t.base;
}

static const char *
vprint(struct emit *e, const char *fmt, va_list ap)
{
	return with_locals(e, mem_vprintf(e->mem, fmt, ap));
}

/* Print a line into `t`; most are short, and gone when they are printed. */
static void
print_line(struct emit *e, struct text *t, unsigned tabs, const char *fmt,
    va_list ap)
{
	char small[256];
	va_list again;
	int len;

	va_copy(again, ap);
	len = mem_format(small, sizeof small, fmt, ap);
	if (len >= 0 && (size_t)len < sizeof small)
		c_wrap(t, tabs, with_locals(e, small));
	else
		c_wrap(t, tabs, vprint(e, fmt, again));
	va_end(again);
}

/* A line of the body under way. */
void
c_line(struct emit *e, const char *fmt, ...)
{
	va_list ap;

	c_flush(e);
	va_start(ap, fmt);
	print_line(e, &e->body, e->indent, fmt, ap);
	va_end(ap);
}

/* A line at file scope. */
void
c_top(struct emit *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(e, e->out, 0, fmt, ap);
	va_end(ap);
}

const char *
c_printf(struct emit *e, const char *fmt, ...)
{
	va_list ap;
	const char *s;

	va_start(ap, fmt);
	s = vprint(e, fmt, ap);
	va_end(ap);
	return s;
}

/* What would end the comment early is kept from doing so. */
static void
comment_line(struct text *t, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		text_add(t, s + i, 1);
		if (s[i] == '*' && i + 1 < len && s[i + 1] == '/')
			text_put(t, " ");
	}
}

void
c_comment(struct emit *e, const char *indent, const char *text)
{
	const char *end;

	if (text == NULL)
		return;
	end = strchr(text, '\n');
	if (end == NULL) {
		text_printf(e->out, "%s/** ", indent);
		comment_line(e->out, text, strlen(text));
		text_put(e->out, " */\n");
		return;
	}
	text_printf(e->out, "%s/**\n", indent);
	for (;;) {
		text_printf(e->out, "%s *%s", indent,
		    *text == '\n' || *text == '\0' ? "" : " ");
		comment_line(e->out, text, end != NULL ?
		    (size_t)(end - text) : strlen(text));
		text_put(e->out, "\n");
		if (end == NULL)
			break;
		text = end + 1;
		end = strchr(text, '\n');
	}
	text_printf(e->out, "%s */\n", indent);
}

/* How messages and tracers call a member: note.name. */
const char *
c_path(struct emit *e, const struct member *m)
{
	return c_printf(e, "%s.%s", m->parent->name, m->name);
}

const char *
c_plus(struct emit *e, const char *p, uint32_t offset)
{
	return offset == 0 ? p : c_printf(e, "%s + %u", p, offset);
}

/* The member itself: v->name. */
const char *
c_field(struct emit *e, const struct member *m)
{
	return c_printf(e, "%s->%s", e->v, c_member(e, m));
}

/* ----------------------------------------------------------- functions -- */

/* A call whose value, if not 0, ends the function. */
void
c_try(struct emit *e, const char *fmt, ...)
{
	va_list ap;

	if (e->npending == e->max_pending) {
		e->max_pending = 2 * e->max_pending + 16;
		e->pending = mem_grow(e->mem, e->pending, e->npending,
		    e->max_pending, sizeof(*e->pending));
	}
	va_start(ap, fmt);
	e->pending[e->npending++] = vprint(e, fmt, ap);
	va_end(ap);
}

/* An empty body leaves its parameters unused, which is worth a warning. */
void
c_unused(struct emit *e, const char *a, const char *b)
{
	if (e->body.len == 0 && e->npending == 0)
		c_line(e, "(void)%s, (void)%s;", a, b);
}

static void
flush_first(struct emit *e, unsigned n)
{
	unsigned i;

	if (n == 0)
		return;
	e->uses_err = true;
	for (i = 0; i < n; i++)
		c_wrap(&e->body, e->indent, c_printf(e, "%s(%s = %s) != 0%s",
		    i == 0 ? "if (" : "    ", e->err, e->pending[i],
		    i + 1 < n ? " ||" : ")"));
	c_wrap(&e->body, e->indent + 1, c_printf(e, "return %s;", e->err));
}

void
c_flush(struct emit *e)
{
	unsigned n = e->npending;

	e->npending = 0;
	flush_first(e, n);
}

/* The calls so far, and a return behind them. */
void
c_return(struct emit *e)
{
	const char *last = "0";

	if (e->npending > 0)
		last = e->pending[--e->npending];
	c_line(e, "return %s;", last);
}

/*
 * The end of a codec that moves the cursor only when all is well with the
 * bytes: what is not so simple, a message's end or a seam in it, is done
 * from the start by the type's descriptor.
 */
void
c_end_slow(struct emit *e, const struct type *t, const char *linkage,
    const char *head)
{
	bool out = strstr(head, "struct xdr_out") != NULL;

	text_printf(&e->body, "%s:\n", e->slow);
	c_line(e, "return xdr_%s(%s, %s, %s);", out ? "encode" : "decode",
	    out ? e->l_out : e->in, c_table(e, t, c_of(t)->name), e->v);
	e->ended = true;
	c_end(e, linkage, head);
}

void
c_begin(struct emit *e)
{
	if (e->body.base == NULL)
		text_init(&e->body, e->mem);
	e->body.len = 0;
	e->indent = 1;
	e->npending = 0;
	e->uses_p = e->uses_err = e->uses_more = e->ended = false;
	e->loops = e->max_loops = 0;
	e->extra_locals = NULL;
}

/* The index of the n-th loop within another. */
const char *
c_index(struct emit *e, unsigned n)
{
	return n == 0 ? e->i : c_printf(e, "%s%u", e->i, n);
}

static void
locals(struct emit *e, const char *pointer)
{
	unsigned i;
	bool any = e->uses_p || e->uses_err || e->uses_more ||
	    e->max_loops > 0 || e->extra_locals != NULL;

	if (e->uses_p)
		text_printf(e->out, "\t%suint8_t *%s;\n", pointer, e->p);
	if (e->extra_locals != NULL)
		text_put(e->out, e->extra_locals);
	if (e->uses_more)
		text_printf(e->out, "\tbool %s;\n", e->more);
	for (i = 0; i < e->max_loops; i++)
		text_printf(e->out, i == 0 ? "\tuint32_t %s" : ", %s",
		    c_index(e, i));
	if (e->max_loops > 0)
		text_put(e->out, ";\n");
	if (e->uses_err)
		text_printf(e->out, "\tint %s;\n", e->err);
	if (any)
		text_put(e->out, "\n");
}

void
c_end(struct emit *e, const char *linkage, const char *head)
{
	const char *last = NULL;
	bool out = strstr(head, "struct xdr_out") != NULL;

	if (e->npending > 0) {
		last = e->pending[--e->npending];
		c_flush(e);
	}
	if (!e->ended)
		c_wrap(&e->body, 1, c_printf(e, "return %s;",
		    last != NULL ? last : "0"));
	text_printf(e->out, "\n%s\n", linkage);
	c_wrap(e->out, 0, head);
	text_put(e->out, "{\n");
	locals(e, out ? "" : "const ");
	text_add(e->out, e->body.base, e->body.len);
	text_put(e->out, "}\n");
}
