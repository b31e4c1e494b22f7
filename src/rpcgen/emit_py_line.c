/* SPDX-License-Identifier: MIT */
/*
 * Lines of Python.  Those longer than 79 columns are broken behind a comma
 * that stands within brackets, where Python reads on by itself.
 */
#include "emit_py.h"

#include <string.h>

enum { WIDTH = 79, STEP = 4 };

/* Where to break so that the first part fits into `room`; 0: nowhere. */
static size_t
break_at(const char *line, size_t room, int depth)
{
	bool quoted = false;
	size_t i, best = 0;

	for (i = 0; line[i] != '\0'; i++) {
		if (line[i] == '\'')
			quoted = !quoted;
		else if (!quoted && strchr("([{", line[i]) != NULL)
			depth++;
		else if (!quoted && strchr(")]}", line[i]) != NULL)
			depth--;
		if (i >= 1 && line[i] == ' ' && line[i - 1] == ',' &&
		    !quoted && depth > 0 && (i <= room || best == 0))
			best = i;
		if (i > room && best != 0)
			break;
	}
	return best;
}

static int
depth_of(const char *line, size_t len, int depth)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (line[i] == '\'')
			quoted = !quoted;
		else if (!quoted && strchr("([{", line[i]) != NULL)
			depth++;
		else if (!quoted && strchr(")]}", line[i]) != NULL)
			depth--;
	}
	return depth;
}

static void
spaces(struct text *t, unsigned n)
{
	while (n-- > 0)
		text_put(t, " ");
}

static void
wrap(struct text *t, unsigned indent, const char *line)
{
	size_t len = strlen(line), cut;
	/* What follows a line that opens a block must not look like it. */
	unsigned more = len > 0 && line[len - 1] == ':' ? 2 * STEP : STEP;
	unsigned column = indent;
	int depth = 0;

	spaces(t, indent);
	while (column + strlen(line) > WIDTH) {
		cut = break_at(line, WIDTH - column, depth);
		if (cut == 0)
			break;
		text_add(t, line, cut);
		text_put(t, "\n");
		depth = depth_of(line, cut, depth);
		column = indent + more;
		spaces(t, column);
		line += cut + 1;
	}
	text_put(t, line);
	text_put(t, "\n");
}

/* Put the names of locals in for `$b`, `$o` and so on. */
static const char *
expand(struct py *e, const char *line)
{
	struct text t;
	const char *p, *end;

	text_init(&t, e->mem);
	for (; (p = strchr(line, '$')) != NULL; line = end) {
		for (end = p + 1; *end >= 'a' && *end <= 'z'; end++)
			;
		text_printf(&t, "%.*s%s", (int)(p - line), line,
		    py_fixed_local(e, p + 1, (size_t)(end - p - 1)));
	}
	text_printf(&t, "%s", line);
	return mem_strndup(e->mem, t.base, t.len);
}

/* A line of the class under way. */
void
py_line(struct py *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	wrap(&e->body, STEP * e->indent,
	    expand(e, mem_vprintf(e->mem, fmt, ap)));
	va_end(ap);
}

/* A line at top level. */
void
py_top(struct py *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	wrap(e->out, 0, mem_vprintf(e->mem, fmt, ap));
	va_end(ap);
}

/* `name = value`, for a value that cannot be broken. */
void
py_assign(struct py *e, const char *name, const char *value)
{
	bool fits = strlen(name) + 3 + strlen(value) <= WIDTH;

	text_printf(e->out, fits ? "%s = %s\n" : "%s = (\n    %s)\n", name,
	    value);
}

void
py_blank(struct text *t, unsigned n)
{
	while (n-- > 0)
		text_put(t, "\n");
}

void
py_doc(struct text *t, unsigned indent, const char *doc)
{
	const char *end;

	while (doc != NULL) {
		end = strchr(doc, '\n');
		spaces(t, STEP * indent);
		text_put(t, *doc == '\n' || *doc == '\0' ? "#" : "# ");
		text_add(t, doc, end != NULL ? (size_t)(end - doc) :
		    strlen(doc));
		text_put(t, "\n");
		doc = end != NULL ? end + 1 : NULL;
	}
}

/* --------------------------------------------------------------- words -- */

void
py_word(struct py *e, struct words *w, const char *fmt, ...)
{
	va_list ap;

	if (w->n == w->max) {
		w->max = 2 * w->max + 8;
		w->v = mem_grow(e->mem, w->v, w->n, w->max, sizeof(*w->v));
	}
	va_start(ap, fmt);
	w->v[w->n++] = mem_vprintf(e->mem, fmt, ap);
	va_end(ap);
}

const char *
py_join(struct py *e, const struct words *w)
{
	struct text t;
	unsigned i;

	text_init(&t, e->mem);
	for (i = 0; i < w->n; i++)
		text_printf(&t, i > 0 ? ", %s" : "%s", w->v[i]);
	return mem_strndup(e->mem, t.base != NULL ? t.base : "", t.len);
}

/* `(a, b)`, `(a,)`, `()`. */
const char *
py_tuple(struct py *e, const struct words *w)
{
	return mem_printf(e->mem, w->n == 1 ? "(%s,)" : "(%s)",
	    py_join(e, w));
}
