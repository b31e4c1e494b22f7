/* SPDX-License-Identifier: MIT */
/*
 * What the front end made of a file, for people, tests and other tools:
 * tokens one to a line, the model as JSON.
 */
#include "emit.h"

#include <string.h>

static const char *
token_kind(const struct token *t)
{
	static const char *const names[] = {
		[TOK_END] = "end", [TOK_NAME] = "name",
		[TOK_NUMBER] = "number", [TOK_TEXT] = "text",
		[TOK_PASS] = "pass", [TOK_DIRECTIVE] = "directive",
		[TOK_PUNCT] = "punct", [TOK_BAD] = "bad"
	};

	return t->kind == TOK_NAME && is_keyword(t->text) ? "keyword" :
	    names[t->kind];
}

void
dump_tokens(struct text *out, const struct token *t)
{
	for (;; t++) {
		text_printf(out, "%u\t%s\t", diag_line(t->where),
		    token_kind(t));
		text_add(out, t->where.src->text + t->where.at, t->where.len);
		text_put(out, "\n");
		if (t->kind == TOK_END)
			return;
	}
}

/* ---------------------------------------------------------------- JSON -- */

struct json {
	struct text *out;
	unsigned depth;
	bool first;		/* in the object or array under way */
};

static void
newline(struct json *j)
{
	unsigned i;

	text_put(j->out, "\n");
	for (i = 0; i < j->depth; i++)
		text_put(j->out, "  ");
}

/* Bytes of the UTF-8 character at s, which is not ASCII; 0: it is none. */
static size_t
utf8_len(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2, i;
	uint32_t point = u[0] & (0x7fu >> len);

	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	for (i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (u[i] & 0x3f);
	}
	if ((len == 3 && (point < 0x800 || point >> 11 == 0x1b)) ||
	    (len == 4 && (point < 0x10000 || point > 0x10ffff)))
		return 0;
	return len;
}

/* Comments may be of any encoding: a byte that is no UTF-8 is U+00XX. */
static void
string(struct json *j, const char *s)
{
	size_t len;
	unsigned char c;

	text_put(j->out, "\"");
	for (; (c = (unsigned char)*s) != '\0'; s += len) {
		len = c < 0x80 ? 1 : utf8_len(s);
		if (c == '"' || c == '\\')
			text_printf(j->out, "\\%c", c);
		else if (c < ' ' || len == 0)
			text_printf(j->out, "\\u%04x", c);
		else
			text_add(j->out, s, len);
		len = len > 0 ? len : 1;
	}
	text_put(j->out, "\"");
}

static void
key(struct json *j, const char *name)
{
	if (!j->first)
		text_put(j->out, ", ");
	j->first = false;
	if (name != NULL) {
		string(j, name);
		text_put(j->out, ": ");
	}
}

static void
open(struct json *j, const char *name, const char *bracket)
{
	key(j, name);
	text_put(j->out, bracket);
	j->depth++;
	j->first = true;
}

static void
close(struct json *j, const char *bracket)
{
	j->depth--;
	text_put(j->out, bracket);
	j->first = false;
}

/* An element on a line of its own. */
static void
row(struct json *j)
{
	if (!j->first)
		text_put(j->out, ",");
	newline(j);
	text_put(j->out, "{");
	j->depth++;
	j->first = true;
}

static void
text_member(struct json *j, const char *name, const char *value)
{
	if (value == NULL)
		return;
	key(j, name);
	string(j, value);
}

static void
number_member(struct json *j, const char *name, uint64_t value)
{
	key(j, name);
	text_printf(j->out, "%llu", (unsigned long long)value);
}

static void
true_member(struct json *j, const char *name, bool value)
{
	if (!value)
		return;
	key(j, name);
	text_put(j->out, "true");
}

static void
value_member(struct json *j, const char *name, struct number n)
{
	key(j, name);
	if (n.negative)
		text_printf(j->out, "%lld", (long long)n.bits);
	else
		text_printf(j->out, "%llu", (unsigned long long)n.bits);
}

static const char *
kind_name(const struct type *t)
{
	static const char *const names[] = {
		[TYPE_VOID] = "void", [TYPE_BOOL] = "bool",
		[TYPE_INT] = "int", [TYPE_UINT] = "uint",
		[TYPE_HYPER] = "hyper", [TYPE_UHYPER] = "uhyper",
		[TYPE_FLOAT] = "float", [TYPE_DOUBLE] = "double",
		[TYPE_QUADRUPLE] = "quadruple", [TYPE_OPAQUE] = "opaque",
		[TYPE_BYTES] = "bytes", [TYPE_STRING] = "string",
		[TYPE_ARRAY] = "array", [TYPE_VECTOR] = "vector",
		[TYPE_OPTIONAL] = "optional", [TYPE_ALIAS] = "typedef",
		[TYPE_ENUM] = "enum", [TYPE_STRUCT] = "struct",
		[TYPE_UNION] = "union"
	};

	return names[t->kind];
}

/* A type where it is used: an item's name, or what it is built of. */
static void
type_use(struct json *j, const char *name, const struct type *t)
{
	if (t->kind >= TYPE_ALIAS || t->kind < TYPE_OPAQUE) {
		text_member(j, name, t->name);
		return;
	}
	open(j, name, "{");
	text_member(j, "kind", kind_name(t));
	if (t->elem != NULL)
		type_use(j, "of", t->elem);
	if (t->bound.given)
		number_member(j, "bound", t->bound.value);
	if (t->bound.constant != NULL)
		text_member(j, "bound_name", t->bound.constant->name);
	close(j, "}");
}

static void
member(struct json *j, const struct member *m)
{
	text_member(j, "name", m->name);
	type_use(j, "type", m->type);
	text_member(j, "doc", m->doc);
	true_member(j, "lazy", m->lazy);
	true_member(j, "bulk", m->bulk);
}

static void
members(struct json *j, const struct type *t)
{
	const struct member *m;

	open(j, "members", "[");
	for (m = t->members; m != NULL; m = m->next) {
		row(j);
		member(j, m);
		close(j, "}");
	}
	close(j, "]");
}

static void
enumerators(struct json *j, const struct type *t)
{
	const struct enumerator *n;

	open(j, "values", "[");
	for (n = t->enumerators; n != NULL; n = n->next) {
		row(j);
		text_member(j, "name", n->constant->name);
		value_member(j, "value", n->constant->value);
		text_member(j, "doc", n->constant->doc);
		close(j, "}");
	}
	close(j, "]");
}

static void
arms(struct json *j, const struct type *t)
{
	const struct arm *a;
	const struct label *l;

	open(j, "switch", "{");
	member(j, t->disc);
	close(j, "}");
	open(j, "arms", "[");
	for (a = t->arms; a != NULL; a = a->next) {
		row(j);
		open(j, "cases", "[");
		for (l = a->labels; l != NULL; l = l->next)
			value_member(j, NULL, l->value);
		close(j, "]");
		true_member(j, "default", a->is_default);
		member(j, a->member);
		close(j, "}");
	}
	close(j, "]");
}

static void
type_item(struct json *j, const struct type *t)
{
	text_member(j, "item", kind_name(t));
	text_member(j, "name", t->name);
	text_member(j, "doc", t->doc);
	true_member(j, "lifted", t->lifted);
	true_member(j, "known", t->is_bare_alias);
	true_member(j, "elsewhere", t->elsewhere);
	true_member(j, "external", t->external);
	if (t->kind == TYPE_ALIAS)
		type_use(j, "type", t->elem);
	else if (t->kind == TYPE_ENUM)
		enumerators(j, t);
	else if (t->kind == TYPE_STRUCT)
		members(j, t);
	else
		arms(j, t);
	number_member(j, "min", t->min);
	number_member(j, "max", t->max);
	true_member(j, "fixed", t->fixed);
	true_member(j, "recursive", t->recursive);
	text_member(j, "link", t->link != NULL ? t->link->name : NULL);
}

static void
version(struct json *j, const struct version *v)
{
	const struct procedure *r;

	text_member(j, "name", v->name);
	text_member(j, "doc", v->doc);
	number_member(j, "number", v->number);
	open(j, "procedures", "[");
	for (r = v->procs; r != NULL; r = r->next) {
		row(j);
		text_member(j, "name", r->name);
		text_member(j, "member", r->member);
		number_member(j, "number", r->number);
		type_use(j, "args", r->args);
		type_use(j, "res", r->res);
		text_member(j, "doc", r->doc);
		close(j, "}");
	}
	close(j, "]");
}

static void
item(struct json *j, const struct item *i)
{
	const struct version *v;

	switch (i->kind) {
	case ITEM_CONSTANT:
		text_member(j, "item", "const");
		text_member(j, "name", i->constant->name);
		text_member(j, "text", i->constant->text);
		if (!i->constant->is_text)
			value_member(j, "value", i->constant->value);
		text_member(j, "doc", i->constant->doc);
		break;
	case ITEM_TYPE:
		type_item(j, i->type);
		break;
	case ITEM_PASS:
		text_member(j, "item", "pass");
		text_member(j, "text", i->text);
		break;
	case ITEM_PROGRAM:
		text_member(j, "item", "program");
		text_member(j, "name", i->program->name);
		text_member(j, "doc", i->program->doc);
		text_member(j, "stem", i->program->stem);
		number_member(j, "number", i->program->number);
		open(j, "versions", "[");
		for (v = i->program->versions; v != NULL; v = v->next) {
			row(j);
			version(j, v);
			close(j, "}");
		}
		close(j, "]");
		break;
	}
}

void
dump_json(struct text *out, struct model *model)
{
	struct json j = { .out = out, .first = true };
	const struct item *i;

	open(&j, NULL, "{");
	text_member(&j, "file", model->file);
	open(&j, "items", "[");
	for (i = model->items; i != NULL; i = i->next) {
		row(&j);
		item(&j, i);
		close(&j, "}");
	}
	close(&j, "]");
	close(&j, "}");
	text_put(out, "\n");
}
