/* SPDX-License-Identifier: MIT */
/*
 * A file's text, cut into tokens.
 *
 * Comments of the kind that begins with two stars are kept for the output:
 * with the token before them if that one is on the same line, else with the
 * token that follows.
 */
#include "lex.h"

#include <string.h>

struct lexer {
	struct mem *mem;
	const struct source *src;
	const char *pos, *end;
	const char *last_end;	/* where the newest token ended */
	const char *doc;	/* comment waiting for the next token */
	struct token *v;
	size_t n, size;
	const char *punct;	/* characters that stand for themselves */
	bool line_start;	/* nothing but blanks since the newline */
};

/* By alphabet. */
static const struct word {
	const char *text;
	enum keyword keyword;
	bool reserved;		/* the others are words only in their place */
} keywords[] = {
	{ "bool", KW_BOOL, true }, { "case", KW_CASE, true },
	{ "char", KW_CHAR, true }, { "const", KW_CONST, true },
	{ "default", KW_DEFAULT, true }, { "double", KW_DOUBLE, true },
	{ "enum", KW_ENUM, true }, { "float", KW_FLOAT, true },
	{ "hyper", KW_HYPER, true }, { "int", KW_INT, true },
	{ "long", KW_LONG, true }, { "namespace", KW_NAMESPACE, false },
	{ "opaque", KW_OPAQUE, true }, { "pragma", KW_PRAGMA, false },
	{ "program", KW_PROGRAM, false },
	{ "quadruple", KW_QUADRUPLE, true }, { "short", KW_SHORT, true },
	{ "string", KW_STRING, true }, { "struct", KW_STRUCT, true },
	{ "switch", KW_SWITCH, true }, { "typedef", KW_TYPEDEF, true },
	{ "union", KW_UNION, true }, { "unsigned", KW_UNSIGNED, true },
	{ "version", KW_VERSION, false }, { "void", KW_VOID, true },
};

static const struct word *
find_word(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof keywords / sizeof *keywords &&
	    keywords[i].text[0] <= text[0]; i++)
		if (keywords[i].text[0] == text[0] &&
		    strcmp(keywords[i].text, text) == 0)
			return &keywords[i];
	return NULL;
}

static enum keyword
keyword(const char *text)
{
	const struct word *w = find_word(text);

	return w != NULL ? w->keyword : KW_NONE;
}

bool
is_keyword(const char *name)
{
	const struct word *w = find_word(name);

	return w != NULL && w->reserved;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int
digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static struct span
span(const struct lexer *lex, const char *from, const char *to)
{
	return (struct span){ lex->src, (uint32_t)(from - lex->src->text),
	    (uint32_t)(to - from) };
}

static struct token *
add(struct lexer *lex, enum token_kind kind, const char *from)
{
	size_t size = lex->size > 0 ? lex->size * 2 :
	    lex->src->len / 8 + 16;	/* mostly enough */
	struct token *t;

	if (lex->n == lex->size) {
		lex->v = mem_block(lex->mem, lex->v, lex->size *
		    sizeof(*lex->v), size * sizeof(*lex->v));
		lex->size = size;
	}
	t = &lex->v[lex->n++];
	*t = (struct token){ .kind = kind, .doc = lex->doc,
	    .where = span(lex, from, lex->pos) };
	lex->doc = NULL;
	lex->last_end = lex->pos;
	lex->line_start = false;
	return t;
}

/* What was cut last is not what it seems to be. */
static void
bad(struct lexer *lex, const char *from, enum token_kind instead,
    const char *hint, const char *why)
{
	struct token *t = add(lex, TOK_BAD, from);

	t->instead = instead;
	t->hint = hint;
	t->text = why;
}

/* The words of a comment: without its stars, line by line. */
static const char *
comment_text(struct mem *mem, const char *from, const char *to)
{
	char *text = mem_alloc(mem, (size_t)(to - from) + 1), *p = text;

	while (from < to) {
		while (from < to && (*from == ' ' || *from == '\t'))
			from++;
		while (from < to && *from == '*')
			from++;
		if (from < to && *from == ' ')
			from++;
		while (from < to && *from != '\n')
			*p++ = *from++;
		while (p > text && (p[-1] == ' ' || p[-1] == '\t' ||
		    p[-1] == '\r'))
			p--;
		if (from < to) {
			from++;
			if (p > text)
				*p++ = '\n';
		}
	}
	while (p > text && p[-1] == '\n')
		p--;
	*p = '\0';
	return text;
}

/* A comment written for the reader of the output: give it to its token. */
static void
keep_comment(struct lexer *lex, const char *from, const char *to)
{
	const char *text, *p;

	if (from < to && *from == '<')
		from++;
	if (*(text = comment_text(lex->mem, from, to)) == '\0')
		return;
	if (lex->n > 0) {
		for (p = lex->last_end; p < from && *p != '\n'; p++)
			;
		if (p == from) {
			lex->v[lex->n - 1].after = text;
			return;
		}
	}
	lex->doc = text;
}

static void
block_comment(struct lexer *lex)
{
	const char *from = lex->pos, *p = from + 2;

	while (p < lex->end && !(p[0] == '*' && p[1] == '/'))
		p++;
	if (p >= lex->end) {
		lex->pos = from + 2;
		bad(lex, from, TOK_BAD, NULL, "this comment is never closed");
		lex->pos = lex->end;
		return;
	}
	if (from[2] == '*' && p > from + 2)
		keep_comment(lex, from + 3, p);
	lex->pos = p + 2;
}

static void
skip_line(struct lexer *lex)
{
	while (lex->pos < lex->end && *lex->pos != '\n')
		lex->pos++;
}

/* Skip blanks and comments.  False at the end of the text. */
static bool
skip_blanks(struct lexer *lex)
{
	for (; lex->pos < lex->end; ) {
		switch (*lex->pos) {
		case '\n':
			lex->line_start = true;
			lex->pos++;
			continue;
		case ' ': case '\t': case '\r': case '\f': case '\v':
			lex->pos++;
			continue;
		case '/':
			if (lex->pos[1] == '*') {
				block_comment(lex);
				continue;
			}
			if (lex->pos[1] == '/') {
				skip_line(lex);
				continue;
			}
			return true;
		default:
			return true;
		}
	}
	return false;
}

/* A line for the C output or the preprocessor; a backslash continues it. */
static void
whole_line(struct lexer *lex, enum token_kind kind)
{
	const char *from = lex->pos, *end;
	struct token *t;

	for (;;) {
		skip_line(lex);
		end = lex->pos;
		if (end > from && end[-1] == '\r')
			end--;
		if (end == from || end[-1] != '\\' || lex->pos == lex->end)
			break;
		lex->pos++;
	}
	t = add(lex, kind, from);
	t->where.len = (uint32_t)(end - from);
	t->text = mem_strndup(lex->mem, from + 1, (size_t)(end - from) - 1);
	lex->line_start = true;
}

static void
name(struct lexer *lex)
{
	const char *from = lex->pos;
	struct token *t;

	for (;;) {
		while (is_letter(*lex->pos) || is_digit(*lex->pos))
			lex->pos++;
		if (lex->pos[0] != ':' || lex->pos[1] != ':' ||
		    !is_letter(lex->pos[2]))
			break;
		lex->pos += 2;
	}
	t = add(lex, TOK_NAME, from);
	t->text = mem_strndup(lex->mem, from, (size_t)(lex->pos - from));
	t->keyword = keyword(t->text);
}

static bool
add_digit(struct number *n, int digit)
{
	if (n->bits > (UINT64_MAX - (unsigned)digit) / n->base)
		return false;
	n->bits = n->bits * n->base + (unsigned)digit;
	return true;
}

static void
negate(struct number *n)
{
	n->negative = n->bits != 0;
	n->bits = -n->bits;
}

static void
number(struct lexer *lex)
{
	const char *from = lex->pos, *digits;
	struct number n = { .base = 10 };
	bool minus = *from == '-', fits = true, good;

	lex->pos += minus;
	if (lex->pos[0] == '0' && (lex->pos[1] | 0x20) == 'x') {
		n.base = 16;
		lex->pos += 2;
	} else if (lex->pos[0] == '0' && is_digit(lex->pos[1])) {
		n.base = 8;
	}
	for (digits = lex->pos; digit_value(*lex->pos) < n.base; lex->pos++)
		fits = add_digit(&n, digit_value(*lex->pos)) && fits;
	good = lex->pos > digits;
	while (strchr("uUlL", *lex->pos) != NULL && *lex->pos != '\0')
		lex->pos++;	/* some write 1U: it means the same */
	if (is_letter(*lex->pos) || is_digit(*lex->pos) || *lex->pos == '.') {
		while (is_letter(*lex->pos) || is_digit(*lex->pos) ||
		    *lex->pos == '.')
			lex->pos++;
		good = false;
	}
	if (minus && n.bits > (uint64_t)1 << 63)
		fits = false;
	if (minus)
		negate(&n);
	if (!good)
		bad(lex, from, TOK_NUMBER, n.base == 8 ?
		    "a leading 0 makes it octal" : NULL, "not a number");
	else if (!fits)
		bad(lex, from, TOK_NUMBER, NULL,
		    "this number needs more than 64 bits");
	else
		add(lex, TOK_NUMBER, from);
	lex->v[lex->n - 1].number = n;
}

static void
text(struct lexer *lex)
{
	const char *from = lex->pos++;
	struct token *t;

	while (lex->pos < lex->end && *lex->pos != '"' && *lex->pos != '\n')
		lex->pos += lex->pos[0] == '\\' && lex->pos[1] != '\n' &&
		    lex->pos + 1 < lex->end ? 2 : 1;
	if (lex->pos >= lex->end || *lex->pos != '"') {
		bad(lex, from, TOK_TEXT, NULL,
		    "this text is not closed on its line");
		return;
	}
	lex->pos++;
	t = add(lex, TOK_TEXT, from);
	t->text = mem_strndup(lex->mem, from + 1,
	    (size_t)(lex->pos - from) - 2);
}

static void
stray(struct lexer *lex)
{
	const char *from = lex->pos++;

	/* The whole character, were it several bytes of UTF-8. */
	while (lex->pos < lex->end && ((unsigned char)*lex->pos & 0xc0) == 0x80)
		lex->pos++;
	bad(lex, from, TOK_BAD, NULL, "this character means nothing here");
}

static void
token(struct lexer *lex)
{
	const char *from = lex->pos;
	char c = *from;

	if (lex->line_start && (c == '%' || c == '#'))
		whole_line(lex, c == '%' ? TOK_PASS : TOK_DIRECTIVE);
	else if (is_letter(c) || (c == ':' && from[1] == ':'))
		if (is_letter(c) || is_letter(from[2]))
			name(lex);
		else
			stray(lex);
	else if (is_digit(c) || (c == '-' && is_digit(from[1])))
		number(lex);
	else if (c == '"')
		text(lex);
	else if (c != '\0' && strchr(lex->punct, c) != NULL) {
		lex->pos++;
		add(lex, TOK_PUNCT, from)->punct = c;
	} else
		stray(lex);
}

static struct token *
cut(struct lexer *lex)
{
	while (skip_blanks(lex))
		token(lex);
	(void)add(lex, TOK_END, lex->pos);
	return lex->v;
}

struct token *
lex(struct mem *mem, const struct source *src)
{
	struct lexer lexer = {
		.mem = mem, .src = src, .pos = src->text,
		.end = src->text + src->len, .punct = "{}()[]<>;:,=*",
		.line_start = true
	};

	/* A byte order mark, which some editors put before everything. */
	if (src->len >= 3 && memcmp(src->text, "\xef\xbb\xbf", 3) == 0)
		lexer.pos += 3;
	return cut(&lexer);
}

struct token *
lex_condition(struct mem *mem, const char *text)
{
	struct source src = { .text = text, .len = strlen(text) };
	struct lexer lexer = {
		.mem = mem, .src = &src, .pos = text, .end = text + src.len,
		.punct = "()<>=!&|"
	};
	struct token *t = cut(&lexer), *i;

	for (i = t; i->kind != TOK_END; i++)
		i->where = (struct span){ 0 };
	i->where = (struct span){ 0 };
	return t;
}

const char *
token_text(struct mem *mem, const struct token *t)
{
	switch (t->kind) {
	case TOK_END:
		return "end of file";
	case TOK_PASS:
		return "a % line";
	case TOK_DIRECTIVE:
		return "a # line";
	case TOK_NUMBER:
	case TOK_NAME:
	case TOK_TEXT:
	case TOK_PUNCT:
	case TOK_BAD:
		break;
	}
	return mem_printf(mem, "'%.*s'", (int)t->where.len,
	    t->where.src->text + t->where.at);
}
