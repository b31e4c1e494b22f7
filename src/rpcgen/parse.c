/* SPDX-License-Identifier: MIT */
/*
 * Tokens to tree: recursive descent, with one token of look-ahead and
 * sometimes one more.
 *
 * An error sets `panic`.  While it is set nothing is consumed and nothing
 * more is reported, so the functions below read as if all went well; each
 * list calls recover() at its end of an element, which skips to a place from
 * which to go on.
 */
#include "parse.h"

#include <string.h>

enum { MAX_NESTING = 64 };	/* anonymous types within each other */

struct parser {
	struct mem *mem;
	struct diag *diag;
	const struct token *t;		/* the next one */
	const struct token *before;	/* the one before it */
	const char *scope;
	struct tree_def **last;		/* where the next definition goes */
	struct tree_def *passes, **last_pass;	/* % lines met, not placed */
	unsigned nesting;
	bool panic;
};

static struct tree_spec *spec(struct parser *);
static struct tree_decl *decl(struct parser *, bool name_needed);

/* ------------------------------------------------------------- tokens -- */

static void
append(struct parser *p, struct tree_def *d)
{
	*p->last = d;
	p->last = &d->next;
}

static void
keep_pass(struct parser *p)
{
	struct tree_def *d = MEM_NEW(p->mem, struct tree_def);

	d->kind = DEF_PASS;
	d->text = p->t->text;
	d->token = p->t;
	d->where = p->t->where;
	d->scope = p->scope;
	*p->last_pass = d;
	p->last_pass = &d->next;
}

/*
 * The % lines met before `token` get their place in the list.  Those inside
 * a definition stand before it.
 */
static void
place_passes(struct parser *p, const struct token *token)
{
	struct tree_def *d;

	while ((d = p->passes) != NULL && d->token < token) {
		if ((p->passes = d->next) == NULL)
			p->last_pass = &p->passes;
		d->next = NULL;
		append(p, d);
	}
}

static void
skip_lines(struct parser *p)
{
	for (; p->t->kind == TOK_PASS; p->t++)
		keep_pass(p);
}

static void
step(struct parser *p)
{
	p->before = p->t;
	if (p->t->kind != TOK_END)
		p->t++;
	skip_lines(p);
}

static bool
is_punct(const struct parser *p, char c)
{
	return !p->panic && p->t->kind == TOK_PUNCT && p->t->punct == c;
}

static bool
is_word(const struct parser *p, enum keyword keyword)
{
	return !p->panic && p->t->kind == TOK_NAME && p->t->keyword == keyword;
}

static bool
accept(struct parser *p, char c)
{
	if (!is_punct(p, c))
		return false;
	step(p);
	return true;
}

static bool
accept_word(struct parser *p, enum keyword keyword)
{
	if (!is_word(p, keyword))
		return false;
	step(p);
	return true;
}

static void
fail(struct parser *p, const char *wanted, const char *hint)
{
	if (p->panic)
		return;
	p->panic = true;
	diag_error(p->diag, p->t->where, hint, "expected %s, found %s",
	    wanted, token_text(p->mem, p->t));
}

static void
expect(struct parser *p, char c)
{
	char wanted[] = "'?'";

	if (accept(p, c))
		return;
	wanted[1] = c;
	fail(p, wanted, NULL);
}

/* What is missing is missing behind the last token, not at the next. */
static void
expect_end(struct parser *p, char c)
{
	struct span where = p->before->where;

	if (p->panic || accept(p, c))
		return;
	if (p->t->kind != TOK_END && where.src == p->t->where.src &&
	    diag_line(where) == diag_line(p->t->where)) {
		expect(p, c);
		return;
	}
	where.at += where.len;
	where.len = 0;
	p->panic = true;
	diag_error(p->diag, where, NULL, "missing '%c' after %s", c,
	    token_text(p->mem, p->before));
}

/*
 * After an error, skip to behind the next ';' at this level, or to the '}'
 * that closes it.  The level is the one of the list that calls.
 */
static void
recover(struct parser *p)
{
	unsigned depth = 0;

	if (!p->panic)
		return;
	p->panic = false;
	while (p->t->kind != TOK_END) {
		if (is_punct(p, '{'))
			depth++;
		else if (is_punct(p, '}') && depth-- == 0)
			return;
		else if (is_punct(p, ';') && depth == 0) {
			step(p);
			return;
		}
		step(p);
	}
}

/* Behind an error in a list whose elements are not worth saving. */
static void
skip_to_close(struct parser *p)
{
	unsigned depth = 0;

	if (!p->panic)
		return;
	p->panic = false;
	for (; p->t->kind != TOK_END; step(p)) {
		if (is_punct(p, '{'))
			depth++;
		else if (is_punct(p, '}') && depth-- == 0)
			return;
	}
}

static struct span
open_brace(struct parser *p)
{
	struct span where = p->t->where;

	expect(p, '{');
	return where;
}

static void
close_brace(struct parser *p, struct span opened)
{
	if (!p->panic && p->t->kind == TOK_END) {
		p->panic = true;
		diag_error(p->diag, opened, NULL, "this '{' is never closed");
	}
	expect(p, '}');
}

/* Is there another element in the list that a '}' closes? */
static bool
is_more(const struct parser *p)
{
	return !p->panic && p->t->kind != TOK_END && !is_punct(p, '}');
}

static const char *
new_name(struct parser *p, const char *what, struct span *where)
{
	const char *name = p->t->text;

	if (p->panic)
		return NULL;
	*where = p->t->where;
	if (p->t->kind != TOK_NAME) {
		fail(p, what, NULL);
		return NULL;
	}
	if (is_keyword(name)) {
		fail(p, what, "a word of the language cannot be a name");
		return NULL;
	}
	if (strchr(name, ':') != NULL) {
		fail(p, what, "a new name stands without '::'");
		return NULL;
	}
	step(p);
	return name;
}

static struct tree_value
value(struct parser *p, const char *what)
{
	struct tree_value v = { .kind = VALUE_NONE, .where = p->t->where };

	if (p->panic)
		return v;
	if (p->t->kind == TOK_NUMBER) {
		v.kind = VALUE_NUMBER;
		v.number = p->t->number;
	} else if (p->t->kind == TOK_NAME && !is_keyword(p->t->text)) {
		v.kind = VALUE_NAME;
		v.text = p->t->text;
	} else {
		fail(p, what, NULL);
		return v;
	}
	step(p);
	return v;
}

/* --------------------------------------------------------------- types -- */

/* `doc` before the first token, else what follows on the last one's line. */
static const char *
doc_of(const struct parser *p, const char *before)
{
	return before != NULL ? before : p->before->after;
}

static struct tree_enumerator *
enumerators(struct parser *p)
{
	struct tree_enumerator *first = NULL, **last = &first, *e;
	struct span opened;

	opened = open_brace(p);
	while (is_more(p)) {
		e = MEM_NEW(p->mem, struct tree_enumerator);
		e->doc = p->t->doc;
		e->name = new_name(p, "the name of a value", &e->where);
		if (accept(p, '='))
			e->value = value(p, "a value");
		if (is_punct(p, ';'))
			fail(p, "',' or '}'",
			    "values of an enum are separated by ','");
		else if (is_more(p) && !accept(p, ','))
			fail(p, "',' or '}'", NULL);
		if (!p->panic) {
			e->doc = doc_of(p, e->doc);
			*last = e;
			last = &e->next;
		}
		skip_to_close(p);
	}
	close_brace(p, opened);
	return first;
}

static struct tree_decl *
members(struct parser *p)
{
	struct tree_decl *first = NULL, **last = &first, *d;
	const char *doc;
	struct span opened = open_brace(p);

	while (is_more(p)) {
		doc = p->t->doc;
		d = decl(p, true);
		expect_end(p, ';');
		if (!p->panic) {
			d->doc = doc_of(p, doc);
			*last = d;
			last = &d->next;
		}
		recover(p);
	}
	close_brace(p, opened);
	return first;
}

/* One arm: any number of labels, and the declaration they share. */
static struct tree_arm *
arm(struct parser *p)
{
	struct tree_arm *a = MEM_NEW(p->mem, struct tree_arm);
	struct tree_label **last = &a->labels, *l;
	const char *doc = p->t->doc;

	a->where = p->t->where;
	while (!p->panic) {
		if (accept_word(p, KW_CASE)) {
			l = MEM_NEW(p->mem, struct tree_label);
			l->value = value(p, "the value of a case");
			*last = l;
			last = &l->next;
		} else if (is_word(p, KW_DEFAULT)) {
			if (a->is_default)
				fail(p, "a declaration", NULL);
			a->is_default = true;
			step(p);
		} else {
			break;
		}
		expect(p, ':');
	}
	if (a->labels == NULL && !a->is_default)
		fail(p, "'case', 'default' or '}'", NULL);
	a->decl = decl(p, true);
	expect_end(p, ';');
	if (!p->panic)
		a->decl->doc = doc_of(p, doc);
	return a;
}

static void
union_body(struct parser *p, struct tree_spec *s)
{
	struct tree_arm **last = &s->arms, *a;
	struct span opened;

	if (!accept_word(p, KW_SWITCH)) {
		fail(p, "'switch'", "a union of XDR says which arm it holds: "
		    "union u switch (type name) { case ... }");
		return;
	}
	expect(p, '(');
	s->disc = decl(p, true);
	expect(p, ')');
	opened = open_brace(p);
	while (is_more(p)) {
		a = arm(p);
		if (!p->panic) {
			*last = a;
			last = &a->next;
		}
		recover(p);
	}
	close_brace(p, opened);
}

/* enum, struct or union, with a tag or without, with a body or without. */
static void
composite(struct parser *p, struct tree_spec *s)
{
	enum keyword keyword = p->t->keyword;
	bool body;

	step(p);
	if (!p->panic && p->t->kind == TOK_NAME &&
	    !(keyword == KW_UNION && is_word(p, KW_SWITCH)))
		s->name = new_name(p, "a name", &s->where);
	body = is_punct(p, '{') ||
	    (keyword == KW_UNION && is_word(p, KW_SWITCH));
	if (s->name != NULL && !body) {
		s->kind = SPEC_NAME;	/* `struct X x` is `X x` */
		return;
	}
	if (++p->nesting > MAX_NESTING)
		fail(p, "a type nested less deeply", NULL);
	if (keyword == KW_ENUM) {
		s->kind = SPEC_ENUM;
		s->enumerators = enumerators(p);
	} else if (keyword == KW_STRUCT) {
		s->kind = SPEC_STRUCT;
		s->members = members(p);
	} else {
		s->kind = SPEC_UNION;
		union_body(p, s);
	}
	p->nesting--;
}

/* What follows `unsigned`. */
static enum basic
unsigned_type(struct parser *p)
{
	if (accept_word(p, KW_HYPER))
		return BASIC_UHYPER;
	if (accept_word(p, KW_CHAR))
		return BASIC_UCHAR;
	if (accept_word(p, KW_SHORT)) {
		(void)accept_word(p, KW_INT);
		return BASIC_USHORT;
	}
	if (accept_word(p, KW_LONG)) {
		if (accept_word(p, KW_LONG)) {
			(void)accept_word(p, KW_INT);
			return BASIC_UHYPER;
		}
		(void)accept_word(p, KW_INT);
		return BASIC_UINT;	/* four bytes on the wire */
	}
	(void)accept_word(p, KW_INT);
	return BASIC_UINT;
}

static enum basic
long_or_short(struct parser *p, enum keyword keyword)
{
	enum basic basic = keyword == KW_SHORT ? BASIC_SHORT : BASIC_INT;

	if (keyword == KW_LONG && accept_word(p, KW_LONG))
		basic = BASIC_HYPER;
	(void)accept_word(p, KW_INT);
	return basic;
}

static bool
basic_type(struct parser *p, struct tree_spec *s)
{
	static const struct {
		enum keyword keyword;
		enum basic basic;
	} table[] = {
		{ KW_VOID, BASIC_VOID }, { KW_BOOL, BASIC_BOOL },
		{ KW_CHAR, BASIC_CHAR }, { KW_INT, BASIC_INT },
		{ KW_HYPER, BASIC_HYPER }, { KW_FLOAT, BASIC_FLOAT },
		{ KW_DOUBLE, BASIC_DOUBLE },
		{ KW_QUADRUPLE, BASIC_QUADRUPLE },
		{ KW_OPAQUE, BASIC_OPAQUE }, { KW_STRING, BASIC_STRING },
		{ KW_LONG, BASIC_INT }, { KW_SHORT, BASIC_SHORT },
		{ KW_UNSIGNED, BASIC_UINT },
	};
	enum keyword keyword = p->t->keyword;
	size_t i;

	for (i = 0; i < sizeof table / sizeof *table; i++) {
		if (!accept_word(p, table[i].keyword))
			continue;
		s->kind = SPEC_BASIC;
		s->basic = table[i].basic;
		if (keyword == KW_UNSIGNED)
			s->basic = unsigned_type(p);
		else if (keyword == KW_LONG || keyword == KW_SHORT)
			s->basic = long_or_short(p, keyword);
		return true;
	}
	return false;
}

static struct tree_spec *
spec(struct parser *p)
{
	struct tree_spec *s = MEM_NEW(p->mem, struct tree_spec);

	s->where = p->t->where;
	if (is_word(p, KW_ENUM) || is_word(p, KW_STRUCT) ||
	    is_word(p, KW_UNION)) {
		composite(p, s);
	} else if (basic_type(p, s)) {
		s->where = span_join(s->where, p->before->where);
	} else if (!p->panic && p->t->kind == TOK_NAME &&
	    !is_keyword(p->t->text)) {
		s->kind = SPEC_NAME;
		s->name = p->t->text;
		step(p);
	} else {
		fail(p, "a type", NULL);
	}
	return s;
}

/* -------------------------------------------------------- declarations -- */

static void
bound(struct parser *p, struct tree_decl *d)
{
	if (!is_punct(p, '[') && !is_punct(p, '<'))
		return;
	if (d->form == FORM_OPTIONAL) {
		fail(p, "';'", "'*' and a bound do not go together: give the "
		    "one a name with typedef");
		return;
	}
	if (accept(p, '[')) {
		d->form = FORM_FIXED;
		if (is_punct(p, ']'))
			fail(p, "a size", "<> has no limit");
		d->bound = value(p, "a size");
		expect(p, ']');
	} else if (accept(p, '<')) {
		d->form = FORM_COUNTED;
		if (!is_punct(p, '>'))
			d->bound = value(p, "a maximum, or '>'");
		expect(p, '>');
	}
}

/* opaque and string need a bound; what `void` has, nobody reads. */
static void
check_form(struct parser *p, struct tree_decl *d, bool member)
{
	if (p->panic || d->spec->kind != SPEC_BASIC)
		return;
	if (d->spec->basic == BASIC_OPAQUE && d->form != FORM_FIXED &&
	    d->form != FORM_COUNTED) {
		diag_error(p->diag, d->where, "[n]: exactly n bytes, "
		    "<n>: at most n", "opaque needs a bound");
	} else if (d->spec->basic == BASIC_STRING) {
		if (d->form == FORM_FIXED)
			diag_error(p->diag, d->where, "use <n>, or opaque [n]",
			    "a string has no fixed size");
		else if (d->form == FORM_OPTIONAL)
			diag_error(p->diag, d->where, "give the string a name "
			    "with typedef", "'*' cannot stand before a string");
		else if (d->form == FORM_PLAIN && member)
			diag_warning(p->diag, d->where, "write <>",
			    "a string without a bound has no limit");
		if (d->form == FORM_PLAIN)
			d->form = FORM_COUNTED;
	} else if (d->spec->basic == BASIC_VOID && d->form != FORM_PLAIN) {
		diag_error(p->diag, d->where, NULL,
		    "void stands alone, for no bytes");
	}
}

static struct tree_decl *
decl(struct parser *p, bool name_needed)
{
	struct tree_decl *d = MEM_NEW(p->mem, struct tree_decl);

	d->doc = p->t->doc;
	d->spec = spec(p);
	d->where = d->spec->where;
	if (accept(p, '*'))
		d->form = FORM_OPTIONAL;
	if (!p->panic && p->t->kind == TOK_NAME)
		d->name = new_name(p, "a name", &d->where);
	else if (name_needed && !(d->spec->kind == SPEC_BASIC &&
	    d->spec->basic == BASIC_VOID))
		fail(p, "a name", NULL);
	bound(p, d);
	check_form(p, d, name_needed);
	return d;
}

/* --------------------------------------------------------- definitions -- */

static struct tree_def *
new_def(struct parser *p)
{
	struct tree_def *d = MEM_NEW(p->mem, struct tree_def);

	d->doc = p->t->doc;
	d->where = p->t->where;
	d->scope = p->scope;
	return d;
}

static void
constant(struct parser *p, struct tree_def *d)
{
	d->kind = DEF_CONST;
	step(p);
	d->name = new_name(p, "the name of a constant", &d->where);
	expect(p, '=');
	if (!p->panic && p->t->kind == TOK_TEXT) {
		d->value.kind = VALUE_TEXT;
		d->value.text = p->t->text;
		d->value.where = p->t->where;
		step(p);
	} else {
		d->value = value(p, "a value");
	}
	expect_end(p, ';');
}

/* enum, struct and union at top level; these need a tag. */
static void
type_definition(struct parser *p, struct tree_def *d)
{
	const struct token *keyword = p->t;

	d->kind = DEF_TYPE;
	if (keyword->keyword == KW_STRUCT && keyword[1].kind == TOK_PUNCT &&
	    keyword[1].punct == '*') {
		/* RFC 1057's struct *name { ... }: skip the star. */
		d->pointer = true;
		step(p);
		step(p);
		d->spec = MEM_NEW(p->mem, struct tree_spec);
		d->spec->kind = SPEC_STRUCT;
		d->spec->name = new_name(p, "a name", &d->spec->where);
		d->spec->members = members(p);
	} else {
		d->spec = spec(p);
	}
	d->where = d->spec->where;
	d->name = d->spec->name;
	if (p->panic)
		return;
	if (d->spec->kind == SPEC_NAME) {
		if (keyword->keyword == KW_STRUCT && accept(p, ';')) {
			d->spec = NULL;		/* `struct x;` says nothing */
			return;
		}
		fail(p, "'{'", NULL);
	} else if (d->name == NULL) {
		diag_error(p->diag, keyword->where, NULL,
		    "a type at this place needs a name");
	}
	expect_end(p, ';');
}

static void
typedef_definition(struct parser *p, struct tree_def *d)
{
	d->kind = DEF_TYPEDEF;
	step(p);
	d->decl = decl(p, true);
	if (d->decl != NULL) {
		d->name = d->decl->name;
		d->where = d->decl->where;
	}
	expect_end(p, ';');
}

static struct tree_proc *
procedure(struct parser *p)
{
	struct tree_proc *r = MEM_NEW(p->mem, struct tree_proc);
	struct tree_decl **last = &r->args;
	const char *doc = p->t->doc;
	struct tree_decl *a;

	r->result = decl(p, false);
	if (r->result != NULL && r->result->name != NULL) {
		/* The declaration took the procedure's name for its own. */
		r->name = r->result->name;
		r->where = r->result->where;
		r->result->name = NULL;
		r->result->where = r->result->spec->where;
	} else {
		r->name = new_name(p, "the name of a procedure", &r->where);
	}
	expect(p, '(');
	while (!p->panic && !is_punct(p, ')')) {
		a = decl(p, false);
		*last = a;
		last = &a->next;
		if (!is_punct(p, ')'))
			expect(p, ',');
	}
	expect(p, ')');
	expect(p, '=');
	r->number = value(p, "the number of the procedure");
	expect_end(p, ';');
	if (!p->panic)
		r->doc = doc_of(p, doc);
	return r;
}

static struct tree_version *
version(struct parser *p)
{
	struct tree_version *v = MEM_NEW(p->mem, struct tree_version);
	struct tree_proc **last = &v->procs, *r;
	struct span opened;

	v->doc = p->t->doc;
	if (!accept_word(p, KW_VERSION))
		fail(p, "'version' or '}'", NULL);
	v->name = new_name(p, "the name of a version", &v->where);
	opened = open_brace(p);
	while (is_more(p)) {
		r = procedure(p);
		if (!p->panic) {
			*last = r;
			last = &r->next;
		}
		recover(p);
	}
	close_brace(p, opened);
	expect(p, '=');
	v->number = value(p, "the number of the version");
	expect_end(p, ';');
	return v;
}

static void
program(struct parser *p, struct tree_def *d)
{
	struct tree_version **last = &d->versions, *v;
	struct span opened;

	d->kind = DEF_PROGRAM;
	step(p);
	d->name = new_name(p, "the name of a program", &d->where);
	opened = open_brace(p);
	while (is_more(p)) {
		v = version(p);
		if (!p->panic) {
			*last = v;
			last = &v->next;
		}
		recover(p);
	}
	close_brace(p, opened);
	expect(p, '=');
	d->value = value(p, "the number of the program");
	expect_end(p, ';');
}

/* Not ours, but much like it: say which language it is. */
static const char *
foreign(const struct parser *p)
{
	const char *t = p->t->kind == TOK_NAME ? p->t->text : "";

	if (strcmp(t, "package") == 0 || strcmp(t, "import") == 0 ||
	    strcmp(t, "message") == 0 || strcmp(t, "syntax") == 0)
		return "this looks like protocol buffers, not ONC RPC";
	if (strcmp(t, "interface") == 0 || strcmp(t, "module") == 0)
		return "this looks like CORBA or DCE IDL, not ONC RPC";
	if (p->t->kind == TOK_PUNCT && p->t->punct == '[')
		return "this looks like DCE IDL, not ONC RPC";
	return NULL;
}

static void	definitions(struct parser *, bool nested);

static void
namespace(struct parser *p)
{
	const char *outer = p->scope, *name;
	struct span where, opened;

	step(p);
	name = new_name(p, "the name of a namespace", &where);
	opened = open_brace(p);
	if (p->panic)
		return;
	if (++p->nesting > MAX_NESTING) {
		fail(p, "a namespace nested less deeply", NULL);
		return;
	}
	p->scope = mem_printf(p->mem, "%s%s::", outer, name);
	definitions(p, true);
	p->scope = outer;
	p->nesting--;
	close_brace(p, opened);
	(void)accept(p, ';');
}

/* The kernel's `pragma name args;` means something to its tool only. */
static void
pragma(struct parser *p)
{
	struct span where = p->t->where;

	while (!p->panic && p->t->kind != TOK_END && !is_punct(p, ';'))
		step(p);
	diag_warning(p->diag, where, NULL, "pragma: read and ignored");
	expect_end(p, ';');
}

static void
definition(struct parser *p)
{
	struct tree_def *d = new_def(p);

	switch (p->t->kind == TOK_NAME ? p->t->keyword : KW_NONE) {
	case KW_CONST:
		constant(p, d);
		break;
	case KW_ENUM:
	case KW_STRUCT:
	case KW_UNION:
		type_definition(p, d);
		break;
	case KW_TYPEDEF:
		typedef_definition(p, d);
		break;
	case KW_PROGRAM:
		program(p, d);
		break;
	case KW_NAMESPACE:
		namespace(p);
		return;
	case KW_PRAGMA:
		pragma(p);
		return;
	default:
		fail(p, "a definition", foreign(p));
		return;
	}
	if (p->panic || (d->kind == DEF_TYPE && d->spec == NULL))
		return;
	d->doc = doc_of(p, d->doc);
	place_passes(p, p->before);
	append(p, d);
}

static void
definitions(struct parser *p, bool nested)
{
	bool failed;

	while (p->t->kind != TOK_END && !(nested && is_punct(p, '}'))) {
		place_passes(p, p->t);
		if (accept(p, ';'))
			continue;	/* some write it after everything */
		definition(p);
		failed = p->panic;
		recover(p);
		if (!nested && is_punct(p, '}')) {
			if (!failed)
				diag_error(p->diag, p->t->where, NULL,
				    "this '}' closes nothing");
			step(p);
		}
	}
}

struct tree_def *
parse(struct mem *mem, struct diag *diag, const struct token *tokens)
{
	struct tree_def *first = NULL;
	struct parser p = {
		.mem = mem, .diag = diag, .t = tokens, .before = tokens,
		.scope = "", .last = &first
	};

	p.last_pass = &p.passes;
	skip_lines(&p);
	definitions(&p, false);
	place_passes(&p, p.t);
	return first;
}
