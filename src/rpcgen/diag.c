/* SPDX-License-Identifier: MIT */
/* What the compiler says about its input. */
#include "diag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum severity { NOTE, WARNING, ERROR };

struct diag_message {
	struct diag_message *next;
	struct diag_message *notes, **last_note;
	enum severity severity;
	struct span where;
	const char *text, *hint;
};

void
diag_init(struct diag *diag, struct mem *mem, jmp_buf *give_up)
{
	*diag = (struct diag){ .mem = mem, .give_up = give_up };
	diag->last = &diag->first;
}

/* A file is read once for each output, and is then another `struct source`. */
static bool
same_file(const struct source *a, const struct source *b)
{
	return a == b || (a != NULL && b != NULL && a->order == b->order &&
	    strcmp(a->name, b->name) == 0);
}

static bool
same_place(struct span a, struct span b)
{
	return same_file(a.src, b.src) && a.at == b.at;
}

static bool
is_repeated(const struct diag *diag, struct span where, const char *text)
{
	const struct diag_message *m;

	for (m = diag->first; m != NULL; m = m->next)
		if (same_place(m->where, where) && strcmp(m->text, text) == 0)
			return true;
	return false;
}

static struct diag_message *
message(struct diag *diag, enum severity severity, struct span where,
    const char *hint, const char *text)
{
	struct diag_message *m = MEM_NEW(diag->mem, struct diag_message);

	m->severity = severity;
	m->where = where;
	m->text = text;
	m->hint = hint;
	m->last_note = &m->notes;
	return m;
}

/* What was said already is not said again, nor are the notes on it. */
static bool
add(struct diag *diag, enum severity severity, struct span where,
    const char *hint, const char *text)
{
	struct diag_message *m;

	diag->noted = NULL;
	if (is_repeated(diag, where, text))
		return false;
	m = message(diag, severity, where, hint, text);
	*diag->last = m;
	diag->last = &m->next;
	diag->noted = m;
	return true;
}

void
diag_error(struct diag *diag, struct span where, const char *hint,
    const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vprintf(diag->mem, fmt, ap);
	va_end(ap);
	/* One more than fits was found: what was shown so far must do. */
	diag->stopped = diag->errors == MAX_ERRORS &&
	    !is_repeated(diag, where, text);
	if (diag->stopped)
		longjmp(*diag->give_up, 1);
	if (add(diag, ERROR, where, hint, text))
		diag->errors++;
}

void
diag_warning(struct diag *diag, struct span where, const char *hint,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)add(diag, WARNING, where, hint, mem_vprintf(diag->mem, fmt,
	    ap));
	va_end(ap);
}

void
diag_note(struct diag *diag, struct span where, const char *hint,
    const char *fmt, ...)
{
	struct diag_message *m, *owner = diag->noted;
	va_list ap;

	if (owner == NULL)
		return;
	va_start(ap, fmt);
	m = message(diag, NOTE, where, hint, mem_vprintf(diag->mem, fmt, ap));
	va_end(ap);
	*owner->last_note = m;
	owner->last_note = &m->next;
}

int
source_init(struct source *src, struct mem *mem, const char *name,
    const char *text, size_t len)
{
	uint32_t n = 1, i;

	if (len >= 1u << 30)
		return EFBIG;
	for (i = 0; i < len; i++)
		n += text[i] == '\n';
	*src = (struct source){ .name = name, .text = text, .len = len };
	src->marker = MEM_NEW(mem, struct line_marker *);
	src->lines = mem_grow(mem, NULL, 0, n, sizeof(*src->lines));
	src->nlines = n;
	n = 1;
	for (i = 0; i < len; i++)
		if (text[i] == '\n')
			src->lines[n++] = i + 1;
	return 0;
}

static unsigned
line_of(const struct source *src, uint32_t at)
{
	uint32_t lo = 0, hi = src->nlines, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (src->lines[mid] <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo + 1;
}

void
source_mark(struct mem *mem, struct span where, unsigned line,
    const char *name)
{
	struct line_marker *m = MEM_NEW(mem, struct line_marker);

	m->before = *where.src->marker;
	m->from = line_of(where.src, where.at) + 1;
	m->line = line;
	m->name = name;
	*where.src->marker = m;
}

static const struct line_marker *
marker_of(struct span where)
{
	const struct line_marker *m = *where.src->marker;
	uint32_t line = m != NULL ? line_of(where.src, where.at) : 0;

	while (m != NULL && m->from > line)
		m = m->before;
	return m;
}

unsigned
diag_line(struct span where)
{
	const struct line_marker *m;
	unsigned line;

	if (where.src == NULL)
		return 0;
	line = line_of(where.src, where.at);
	m = marker_of(where);
	return m != NULL ? m->line + (line - m->from) : line;
}

const char *
diag_file(struct span where)
{
	const struct line_marker *m = marker_of(where);

	return m != NULL ? m->name : where.src->name;
}

struct span
span_join(struct span from, struct span to)
{
	if (from.src == to.src && to.at >= from.at)
		from.len = to.at + to.len - from.at;
	return from;
}

/* A byte that continues a UTF-8 character takes no column of its own. */
static bool
takes_column(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static unsigned
columns(const char *from, const char *to)
{
	unsigned n = 0;

	while (from < to)
		n += takes_column(*from++);
	return n;
}

/* The line as it is, but for what would confuse a terminal. */
static void
show_line(const char *from, const char *to, FILE *f)
{
	unsigned char c;

	while (from < to) {
		c = (unsigned char)*from++;
		putc((c < ' ' && c != '\t') || c == 0x7f ? '?' : c, f);
	}
}

enum { BEFORE = 100, AFTER = 100 };	/* the caret, of a long line */

static void
show_source(const struct diag_message *m, FILE *f)
{
	const struct source *src = m->where.src;
	unsigned n = line_of(src, m->where.at), under;
	const char *from = src->text + src->lines[n - 1], *p;
	const char *at = src->text + m->where.at, *end = at + m->where.len;
	const char *to = from + strcspn(from, "\r\n");

	if (at - from > BEFORE)
		for (from = at - BEFORE; !takes_column(*from); from++)
			;
	if (to - at > AFTER)
		for (to = at + AFTER; !takes_column(*to); to++)
			;
	fprintf(f, "%5u | ", diag_line(m->where));
	show_line(from, to, f);
	fprintf(f, "\n      | ");
	for (p = from; p < at && p < to; p++)
		if (takes_column(*p))
			putc(*p == '\t' ? '\t' : ' ', f);
	putc('^', f);
	end = end < to ? end : to;
	under = at < end ? columns(at, end) : 1;
	while (under-- > 1)
		putc('~', f);
	if (m->hint != NULL)
		fprintf(f, " %s", m->hint);
	putc('\n', f);
}

static void
show(const struct diag_message *m, FILE *f)
{
	static const char *const word[] = { "note", "warning", "error" };
	const struct source *src = m->where.src;
	const char *line;

	if (src == NULL) {
		fprintf(f, "%s: %s\n", word[m->severity], m->text);
		return;
	}
	line = src->text + src->lines[line_of(src, m->where.at) - 1];
	fprintf(f, "%s:%u:%u: %s: %s\n", diag_file(m->where),
	    diag_line(m->where),
	    columns(line, src->text + m->where.at) + 1, word[m->severity],
	    m->text);
	show_source(m, f);
}

static int
by_place(const void *a, const void *b)
{
	const struct diag_message *x = *(const struct diag_message *const *)a;
	const struct diag_message *y = *(const struct diag_message *const *)b;

	if (!same_file(x->where.src, y->where.src)) {
		if (x->where.src == NULL || y->where.src == NULL)
			return x->where.src == NULL ? -1 : 1;
		return x->where.src->order < y->where.src->order ? -1 : 1;
	}
	if (x->where.at != y->where.at)
		return x->where.at < y->where.at ? -1 : 1;
	return strcmp(x->text, y->text);
}

void
diag_show(struct diag *diag, FILE *f)
{
	const struct diag_message *m, **all;
	size_t n = 0, i;

	for (m = diag->first; m != NULL; m = m->next)
		n++;
	if (n == 0)
		return;
	all = mem_grow(diag->mem, NULL, 0, n, sizeof(*all));
	for (i = 0, m = diag->first; m != NULL; m = m->next)
		all[i++] = m;
	qsort(all, n, sizeof(*all), by_place);
	for (i = 0; i < n; i++) {
		show(all[i], f);
		for (m = all[i]->notes; m != NULL; m = m->next)
			show(m, f);
	}
	if (diag->stopped)
		fprintf(f, "%d errors: stopped there\n", MAX_ERRORS);
}
