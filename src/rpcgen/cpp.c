/* SPDX-License-Identifier: MIT */
/* The preprocessor. */
#include "cpp.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_INCLUDES = 32 };	/* within each other */
enum { MAX_EXPANSIONS = 64 };	/* of macros within macros */
enum { MAX_OPERATORS = 200 };	/* in one #if, within parentheses */
enum { MAX_EXPANDED = 1 << 20 };	/* names looked up in macros' bodies */

struct macro {
	const struct token *body;	/* up to TOK_END */
	bool busy;			/* being expanded: not again */
	bool function;			/* has parameters, which we refuse */
};

/* One #if and what follows of it. */
struct group {
	struct group *outer;
	struct span where;
	bool active;		/* tokens count */
	bool done;		/* one branch was, or the outer is not */
	bool had_else;
	bool by_output;		/* asks for RPC_HDR and the like */
};

struct cpp {
	struct mem *mem;
	struct diag *diag;
	const struct cpp_options *options;
	struct map macros;
	struct group *group;
	struct token *v;	/* the result */
	size_t n, size;
	unsigned includes, expansions;
	unsigned files, expanded;
	struct followed *followed, **last_followed;	/* not read yet */
	struct seen *seen;	/* files that need not be followed */
	bool following;
};

struct seen {
	struct seen *next;
	const struct source *src;
};

/* A `%#include "a.h"`, whose a.x is read behind the file that says so. */
struct followed {
	struct followed *next;
	const char *name;		/* a.x */
	const struct source *from;
};

static void	file(struct cpp *, const struct token *, bool only_lines);

static bool
is_active(const struct cpp *c)
{
	return c->group == NULL || c->group->active;
}

static bool
is_by_output(const struct cpp *c)
{
	const struct group *g;

	for (g = c->group; g != NULL; g = g->outer)
		if (g->by_output)
			return true;
	return false;
}

static void
emit(struct cpp *c, const struct token *t)
{
	if (c->n == c->size) {
		c->size *= 2;
		c->v = mem_grow(c->mem, c->v, c->n, c->size, sizeof(*c->v));
	}
	c->v[c->n++] = *t;
}

/* Names of outputs: what a condition on them guards is for one file only. */
static bool
is_output(struct cpp *c, const char *name)
{
	if (strncmp(name, "RPC_", 4) != 0)
		return false;
	if (strcmp(name, "RPC_HDR") != 0 && strcmp(name, "RPC_XDR") != 0 &&
	    strcmp(name, "RPC_SVC") != 0 && strcmp(name, "RPC_CLNT") != 0 &&
	    strcmp(name, "RPC_TBL") != 0)
		return false;
	if (c->options->by_output != NULL)
		*c->options->by_output = true;
	return true;
}

/* --------------------------------------------------------------- macros -- */

static const struct token *
lex_text(struct cpp *c, const char *text, size_t len)
{
	struct source *src = MEM_NEW(c->mem, struct source);

	if (source_init(src, c->mem, "macro", text, len) != 0)
		return NULL;
	return lex(c->mem, src);
}

static void
define(struct cpp *c, const char *name, const char *value, bool function)
{
	struct macro *m = MEM_NEW(c->mem, struct macro);

	m->body = lex_text(c, value, strlen(value));
	m->function = function;
	map_put(&c->macros, name, m->body != NULL ? m : NULL);
}

/* `use` is where messages about what comes of it point to. */
static void
expand(struct cpp *c, const struct token *t, struct span use)
{
	struct macro *m = t->kind != TOK_NAME ? NULL :
	    map_get(&c->macros, t->text);
	const struct token *b;
	struct token copy = *t;

	c->expanded += c->expansions > 0;
	if (t->kind == TOK_NAME)
		(void)is_output(c, t->text);
	if (m != NULL && m->function) {
		diag_error(c->diag, use, NULL, "macros with parameters are "
		    "not understood: '%s'", t->text);
		return;
	}
	if (m == NULL || m->busy || c->expansions == MAX_EXPANSIONS) {
		copy.where = use;
		emit(c, &copy);
		return;
	}
	if (c->expanded >= MAX_EXPANDED) {
		diag_error(c->diag, use, NULL, "macros here expand to more "
		    "than %d words", MAX_EXPANDED);
		return;
	}
	m->busy = true;
	c->expansions++;
	for (b = m->body; b->kind != TOK_END; b++)
		expand(c, b, use);
	c->expansions--;
	m->busy = false;
}

/* ---------------------------------------------------------- expressions -- */

struct expr {
	struct cpp *c;
	const struct token *t;
	struct span where;
	unsigned depth;
	bool by_output;
	bool bad;
};

static int64_t	binary(struct expr *, int level);

static void
bad_expression(struct expr *e)
{
	if (!e->bad)
		diag_error(e->c->diag, e->where, NULL,
		    "this condition is not understood");
	e->bad = true;
}

static bool
is_char(const struct expr *e, char ch)
{
	return e->t->kind == TOK_PUNCT && e->t->punct == ch;
}

static int64_t
is_defined(struct expr *e)
{
	bool paren = is_char(e, '(');
	int64_t found;

	e->t += paren;
	if (e->t->kind != TOK_NAME) {
		bad_expression(e);
		return 0;
	}
	e->by_output = is_output(e->c, e->t->text) || e->by_output;
	found = map_get(&e->c->macros, e->t->text) != NULL;
	e->t++;
	if (paren && !is_char(e, ')'))
		bad_expression(e);
	else
		e->t += paren;
	return found;
}

/* A macro's value is its first token; other names are 0, as in C. */
static int64_t
name_value(struct expr *e)
{
	const struct token *t = e->t++;
	const struct macro *m;
	unsigned n;

	for (n = 0; n < MAX_EXPANSIONS && t->kind == TOK_NAME; n++) {
		e->by_output = is_output(e->c, t->text) || e->by_output;
		m = map_get(&e->c->macros, t->text);
		if (m == NULL || m->body->kind == TOK_END)
			return 0;
		t = m->body;
	}
	return t->kind == TOK_NUMBER ? (int64_t)t->number.bits : 0;
}

static int64_t
primary(struct expr *e)
{
	int64_t v;

	if (e->bad || ++e->depth > MAX_OPERATORS) {
		bad_expression(e);
		return 0;
	}
	if (is_char(e, '!')) {
		e->t++;
		v = !primary(e);
	} else if (is_char(e, '(')) {
		e->t++;
		v = binary(e, 0);
		if (!is_char(e, ')'))
			bad_expression(e);
		else
			e->t++;
	} else if (e->t->kind == TOK_NUMBER) {
		v = (int64_t)e->t++->number.bits;
	} else if (e->t->kind == TOK_NAME &&
	    strcmp(e->t->text, "defined") == 0) {
		e->t++;
		v = is_defined(e);
	} else if (e->t->kind == TOK_NAME) {
		v = name_value(e);
	} else {
		bad_expression(e);
		v = 0;
	}
	e->depth--;
	return v;
}

/* The operators of each level, weakest first. */
static const char *const levels[][5] = {
	{ "||" }, { "&&" }, { "==", "!=" }, { "<=", ">=", "<", ">" },
};

static const char *
operator(struct expr *e, int level)
{
	const char *const *op;
	size_t len;

	for (op = levels[level]; *op != NULL; op++) {
		len = strlen(*op);
		if (!is_char(e, (*op)[0]) ||
		    (len == 2 && !(e->t[1].kind == TOK_PUNCT &&
		    e->t[1].punct == (*op)[1])))
			continue;
		e->t += len;
		return *op;
	}
	return NULL;
}

static int64_t
apply(const char *op, int64_t a, int64_t b)
{
	switch (op[0]) {
	case '|':
		return a != 0 || b != 0;
	case '&':
		return a != 0 && b != 0;
	case '=':
		return a == b;
	case '!':
		return a != b;
	case '<':
		return op[1] == '=' ? a <= b : a < b;
	default:
		return op[1] == '=' ? a >= b : a > b;
	}
}

static int64_t
binary(struct expr *e, int level)
{
	const char *op;
	int64_t v;

	if (level == sizeof levels / sizeof levels[0])
		return primary(e);
	v = binary(e, level + 1);
	while (!e->bad && (op = operator(e, level)) != NULL)
		v = apply(op, v, binary(e, level + 1));
	return v;
}

static bool
condition(struct cpp *c, const char *text, struct span where,
    bool *by_output)
{
	struct expr e = { .c = c, .where = where };
	int64_t v;

	e.t = lex_condition(c->mem, text);
	v = binary(&e, 0);
	if (e.t->kind != TOK_END)
		bad_expression(&e);
	*by_output = e.by_output;
	return !e.bad && v != 0;
}

/* ----------------------------------------------------------- # lines -- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\\' || c == '\n' || c == '\r';
}

static const char *
skip_blanks(const char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

/* Cut a word off; *s then points behind it and its blanks. */
static const char *
word(struct cpp *c, const char **s)
{
	const char *from = skip_blanks(*s), *to = from;

	while (is_name(*to))
		to++;
	*s = skip_blanks(to);
	return mem_strndup(c->mem, from, (size_t)(to - from));
}

static void
begin_if(struct cpp *c, struct span where, bool yes, bool by_output)
{
	struct group *g = MEM_NEW(c->mem, struct group);

	g->outer = c->group;
	g->where = where;
	g->done = !is_active(c) || yes;
	g->active = is_active(c) && yes;
	g->by_output = by_output;
	c->group = g;
}

static void
if_line(struct cpp *c, const char *what, const char *rest, struct span where)
{
	bool by_output = false, yes = false;
	const char *name;

	if (!is_active(c)) {
		begin_if(c, where, false, false);
		return;
	}
	if (what[2] == '\0') {
		yes = condition(c, rest, where, &by_output);
	} else {
		name = word(c, &rest);
		by_output = is_output(c, name);
		yes = (map_get(&c->macros, name) != NULL) ==
		    (strcmp(what, "ifdef") == 0);
		if (*name == '\0')
			diag_error(c->diag, where, NULL,
			    "#%s needs a name", what);
	}
	begin_if(c, where, yes, by_output);
}

static void
else_line(struct cpp *c, const char *what, const char *rest,
    struct span where)
{
	struct group *g = c->group;
	bool by_output = false, yes;

	if (g == NULL) {
		diag_error(c->diag, where, NULL, "#%s without #if", what);
		return;
	}
	if (g->had_else)
		diag_error(c->diag, where, NULL, "#%s after #else", what);
	g->had_else = what[2] == 's';
	if (g->done) {
		g->active = false;
		return;
	}
	yes = g->had_else || condition(c, rest, where, &by_output);
	g->by_output = g->by_output || by_output;
	g->active = g->done = yes;
}

static void
define_line(struct cpp *c, const char *rest, struct span where)
{
	const char *name = word(c, &rest);

	if (*name == '\0') {
		diag_error(c->diag, where, NULL, "#define needs a name");
		return;
	}
	/* A parenthesis that touches the name begins parameters. */
	define(c, name, rest, *rest == '(' && rest[-1] != ' ' &&
	    rest[-1] != '\t');
}

static void
note_seen(struct cpp *c, const struct source *src)
{
	struct seen *s = MEM_NEW(c->mem, struct seen);

	s->src = src;
	s->next = c->seen;
	c->seen = s;
}

static void
include_line(struct cpp *c, const char *rest, struct span where)
{
	char close = *rest == '<' ? '>' : '"';
	const char *end, *name, *text, *path = NULL;
	struct source *src;
	size_t len = 0;
	bool is_x;

	if ((*rest != '<' && *rest != '"') ||
	    (end = strchr(rest + 1, close)) == NULL) {
		diag_error(c->diag, where, NULL, "#include needs a file");
		return;
	}
	name = mem_strndup(c->mem, rest + 1, (size_t)(end - rest) - 1);
	if (c->includes == MAX_INCLUDES) {
		diag_error(c->diag, where, NULL, "more than %d files include "
		    "each other", MAX_INCLUDES);
		return;
	}
	text = c->options->read == NULL ? NULL : c->options->read(
	    c->options->ctx, name, where.src->name, &path, &len);
	is_x = strlen(name) > 2 && strcmp(name + strlen(name) - 2, ".x") == 0;
	if (text == NULL && !is_x) {
		diag_warning(c->diag, where, NULL, "'%s' is not found, and "
		    "left out", name);
		return;
	}
	src = MEM_NEW(c->mem, struct source);
	if (text == NULL || source_init(src, c->mem, path, text, len) != 0) {
		diag_error(c->diag, where, NULL, "'%s' is not found", name);
		return;
	}
	note_seen(c, src);
	src->followed = where.src->followed;
	src->order = ++c->files;
	c->includes++;
	/* Of headers of C only the macros are of use. */
	file(c, lex(c->mem, src), !is_x);
	c->includes--;
}

static void
end_if(struct cpp *c, struct span where)
{
	if (c->group == NULL)
		diag_error(c->diag, where, NULL, "#endif without #if");
	else
		c->group = c->group->outer;
}

/* `# 7 "other.x"` and `#line 7`, as another preprocessor leaves them. */
static void
marker_line(struct cpp *c, const char *rest, struct span where)
{
	const char *digits = word(c, &rest), *d;
	const char *end = *rest == '"' ? strchr(rest + 1, '"') : NULL;
	unsigned long line = strtoul(digits, NULL, 10);

	for (d = digits; *d >= '0' && *d <= '9'; d++)
		;
	if (d == digits || *d != '\0' || line > INT32_MAX ||
	    (*rest != '\0' && end == NULL)) {
		diag_error(c->diag, where, NULL,
		    "a line marker is a number and a file");
		return;
	}
	source_mark(c->mem, where, (unsigned)line, end == NULL ?
	    diag_file(where) : mem_strndup(c->mem, rest + 1,
	    (size_t)(end - rest) - 1));
}

static void
active_line(struct cpp *c, const char *all, struct span where)
{
	const char *rest = all, *what = word(c, &rest);

	if (strcmp(what, "define") == 0)
		define_line(c, rest, where);
	else if (strcmp(what, "undef") == 0)
		map_put(&c->macros, word(c, &rest), NULL);
	else if (strcmp(what, "include") == 0)
		include_line(c, rest, where);
	else if (strcmp(what, "error") == 0)
		diag_error(c->diag, where, NULL, "#error %s", rest);
	else if (strcmp(what, "line") == 0)
		marker_line(c, rest, where);
	else if (*what >= '0' && *what <= '9')
		marker_line(c, all, where);
	else if (strcmp(what, "pragma") != 0 && strcmp(what, "ident") != 0 &&
	    strcmp(what, "warning") != 0 && *what != '\0')
		diag_error(c->diag, where, NULL, "unknown line '#%s'", what);
}

static void
directive(struct cpp *c, const struct token *t)
{
	const char *rest = t->text, *what = word(c, &rest);

	if (strcmp(what, "if") == 0 || strcmp(what, "ifdef") == 0 ||
	    strcmp(what, "ifndef") == 0)
		if_line(c, what, rest, t->where);
	else if (strcmp(what, "elif") == 0 || strcmp(what, "else") == 0)
		else_line(c, what, rest, t->where);
	else if (strcmp(what, "endif") == 0)
		end_if(c, t->where);
	else if (is_active(c))
		active_line(c, t->text, t->where);
}

/* ------------------------------------------------------ followed files -- */

/* What a % line includes: "dir/a.h" gives dir/a.x.  NULL: nothing. */
static const char *
followed_name(struct cpp *c, const char *line)
{
	const char *end;

	line = skip_blanks(line);
	if (*line != '#')
		return NULL;
	line++;
	if (strcmp(word(c, &line), "include") != 0 || *line != '"')
		return NULL;
	end = strchr(++line, '"');
	if (end == NULL || end - line < 3 || strncmp(end - 2, ".h", 2) != 0)
		return NULL;
	return mem_printf(c->mem, "%.*s.x", (int)(end - line) - 2, line);
}

static void
note_followed(struct cpp *c, const struct token *t)
{
	const char *name = followed_name(c, t->text);
	struct followed *f;

	if (name == NULL || c->options->read == NULL)
		return;
	f = MEM_NEW(c->mem, struct followed);
	f->name = name;
	f->from = t->where.src;
	*c->last_followed = f;
	c->last_followed = &f->next;
}

/* Beside the file that wants it or on the path; also without directories. */
static const char *
read_followed(struct cpp *c, const struct followed *f, const char **path,
    size_t *len)
{
	const char *slash = strrchr(f->name, '/');
	const char *text = c->options->read(c->options->ctx, f->name,
	    f->from->name, path, len);

	if (text == NULL && slash != NULL)
		text = c->options->read(c->options->ctx, slash + 1,
		    f->from->name, path, len);
	return text;
}

static const char *
last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Paths to one file differ; its name and what stands in it do not. */
static bool
is_seen(const struct cpp *c, const struct source *src)
{
	const struct seen *s;

	for (s = c->seen; s != NULL; s = s->next)
		if (s->src->len == src->len &&
		    strcmp(last_name(s->src->name), last_name(src->name)) ==
		    0 && memcmp(s->src->text, src->text, src->len) == 0)
			return true;
	return false;
}

/* A header that no .x file makes is one of C, and none of our business. */
static void
follow(struct cpp *c, const struct followed *f)
{
	const char *path = NULL, *text;
	struct source *src;
	size_t len;

	text = read_followed(c, f, &path, &len);
	if (text == NULL)
		return;
	src = MEM_NEW(c->mem, struct source);
	if (source_init(src, c->mem, path, text, len) != 0 ||
	    is_seen(c, src))
		return;
	note_seen(c, src);
	src->followed = true;
	src->order = ++c->files;
	file(c, lex(c->mem, src), false);
}

static void
follow_all(struct cpp *c)
{
	const struct followed *f;

	c->following = true;
	c->includes++;		/* these have no end of their own */
	for (f = c->followed; f != NULL; f = f->next)
		follow(c, f);
	c->includes--;
}

/* ------------------------------------------------------------------ all -- */

static void
plain_token(struct cpp *c, const struct token *t)
{
	struct token copy = *t;

	switch (t->kind) {
	case TOK_BAD:
		diag_error(c->diag, t->where, t->hint, "%s", t->text);
		/* A number that is none is still in a number's place. */
		if (t->instead != TOK_BAD) {
			copy.kind = t->instead;
			emit(c, &copy);
		}
		break;
	case TOK_PASS:
		copy.only_here = is_by_output(c);
		if (c->options->follow)
			note_followed(c, t);
		if (!c->following)
			emit(c, &copy);
		break;
	case TOK_NAME:
		expand(c, t, t->where);
		/* Comments belong to the place, whatever came of the name. */
		if (c->n > 0) {
			c->v[c->n - 1].after = t->after;
			if (c->v[c->n - 1].doc == NULL)
				c->v[c->n - 1].doc = t->doc;
		}
		break;
	default:
		emit(c, t);
		break;
	}
}

static void
file(struct cpp *c, const struct token *t, bool only_lines)
{
	const struct group *outer = c->group;

	for (; t->kind != TOK_END; t++) {
		if (t->kind == TOK_DIRECTIVE)
			directive(c, t);
		else if (is_active(c) && !only_lines)
			plain_token(c, t);
	}
	while (c->group != outer && c->group != NULL) {
		diag_error(c->diag, c->group->where, NULL,
		    "this #if has no #endif");
		c->group = c->group->outer;
	}
	if (c->includes > 0)
		return;
	follow_all(c);
	emit(c, t);
}

struct token *
preprocess(struct mem *mem, struct diag *diag,
    const struct cpp_options *options, const struct token *tokens)
{
	struct cpp c = { .mem = mem, .diag = diag, .options = options };
	const char *const *d;
	const char *equals;

	/* Where no macro grows and nothing is included, as many come out. */
	for (c.size = 1; tokens[c.size - 1].kind != TOK_END; c.size++)
		;
	c.v = mem_grow(mem, NULL, 0, c.size, sizeof(*c.v));
	map_init(&c.macros, mem);
	note_seen(&c, tokens->where.src);
	c.last_followed = &c.followed;
	for (d = options->defines; d != NULL && *d != NULL; d++) {
		equals = strchr(*d, '=');
		if (equals == NULL)
			define(&c, *d, "1", false);
		else
			define(&c, mem_strndup(mem, *d,
			    (size_t)(equals - *d)), equals + 1, false);
	}
	file(&c, tokens, false);
	return c.v;
}
