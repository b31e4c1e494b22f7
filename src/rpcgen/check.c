/* SPDX-License-Identifier: MIT */
/*
 * The check pass: from the tree to the model.
 *
 * Names may be used before they are defined, so everything is declared
 * first; then constants get their values, types their parts, and at last
 * the shape of the whole is computed.
 */
#include "check.h"

#include <string.h>

struct type *
type_real(struct type *t)
{
	while (t->kind == TYPE_ALIAS)
		t = t->elem;
	return t;
}

int32_t
number_int(struct number n)
{
	uint32_t low = (uint32_t)n.bits;

	return low <= INT32_MAX ? (int32_t)low :
	    (int32_t)(low - INT32_MAX - 1) + INT32_MIN;
}

uint32_t
wire_round(uint32_t n)
{
	return n > WIRE_MAX - 3 ? WIRE_MAX : (n + 3) & ~3u;
}

/* --------------------------------------------------------------- names -- */

/* From the innermost namespace outwards; `::name` is looked up as it is. */
void *
check_find(const struct map *map, struct mem *mem, const char *scope,
    const char *name)
{
	size_t len = strlen(scope);
	void *found;

	if (strncmp(name, "::", 2) == 0)
		return map_get(map, name + 2);
	for (;;) {
		if (len == 0)
			return map_get(map, name);
		found = map_get(map, mem_printf(mem, "%.*s%s", (int)len,
		    scope, name));
		if (found != NULL)
			return found;
		for (len -= 2; len > 0 && scope[len - 1] != ':'; len--)
			;
	}
}

/* In a file that was followed: its header and codecs have it. */
static bool
is_elsewhere(const struct checker *c, struct span where)
{
	return where.src != NULL && where.src->followed && !c->options->whole;
}

struct item *
check_new_item(struct checker *c, enum item_kind kind, struct span where)
{
	struct item *i = MEM_NEW(c->mem, struct item);

	i->kind = kind;
	i->where = where;
	i->elsewhere = is_elsewhere(c, where);
	*c->last_item = i;
	c->last_item = &i->next;
	return i;
}

static bool
is_taken(struct checker *c, const char *name, struct span where)
{
	struct type *t = map_get(&c->model->types, name);
	struct constant *k = map_get(&c->model->constants, name);
	struct span first;

	if (t == NULL && k == NULL)
		return false;
	first = t != NULL ? t->where : k->where;
	diag_error(c->diag, where, NULL, t != NULL ?
	    "type '%s' is defined twice" :
	    "'%s' is the name of a constant already", name);
	diag_note(c->diag, first, NULL, "the first definition is here");
	return true;
}

/* NULL, after a message, if the name is taken. */
struct type *
check_declare_type(struct checker *c, const char *scope, const char *name,
    struct span where, enum type_kind kind)
{
	const char *full = mem_printf(c->mem, "%s%s", scope, name);
	struct type *t;

	if (is_taken(c, full, where))
		return NULL;
	t = MEM_NEW(c->mem, struct type);
	t->kind = kind;
	t->name = full;
	t->where = where;
	t->elsewhere = is_elsewhere(c, where);
	map_put(&c->model->types, full, t);
	return t;
}

static struct pending_constant *
declare_constant(struct checker *c, const char *scope, const char *name,
    struct span where, const struct tree_value *value)
{
	struct pending_constant *k = MEM_NEW(c->mem, struct pending_constant);
	const char *full = mem_printf(c->mem, "%s%s", scope, name);
	struct type *t = map_get(&c->model->types, full);

	k->c.name = full;
	k->c.where = where;
	k->value = value;
	k->scope = scope;
	if (t != NULL) {
		diag_error(c->diag, where, NULL,
		    "'%s' is the name of a type already", full);
		diag_note(c->diag, t->where, NULL, "it is defined here");
	}
	k->rival = map_get(&c->model->constants, full);
	if (k->rival == NULL)
		map_put(&c->model->constants, full, k);
	*c->last_constant = k;
	c->last_constant = &k->next;
	return k;
}

static void
declare_enumerators(struct checker *c, const char *scope, struct type *t,
    const struct tree_spec *spec)
{
	struct enumerator **last = &t->enumerators, *e;
	const struct tree_enumerator *n;
	struct pending_constant *k, *previous = NULL, *twin;
	const char *key;

	if (spec->enumerators == NULL)
		diag_error(c->diag, t->where, NULL,
		    "enum '%s' has no values", t->name);
	for (n = spec->enumerators; n != NULL; n = n->next) {
		key = mem_printf(c->mem, "%s.%s", t->name, n->name);
		twin = map_get(&c->enumerators, key);
		if (twin != NULL) {
			diag_error(c->diag, n->where, NULL,
			    "'%s' stands twice in enum '%s'", n->name,
			    t->name);
			diag_note(c->diag, twin->c.where, NULL,
			    "the first one is here");
			continue;
		}
		k = declare_constant(c, scope, n->name, n->where, &n->value);
		k->c.doc = n->doc;
		k->c.of = t;
		k->previous = previous;
		previous = k;
		map_put(&c->enumerators, key, k);
		e = MEM_NEW(c->mem, struct enumerator);
		e->constant = &k->c;
		*last = e;
		last = &e->next;
	}
}

/* --------------------------------------------------- types with bodies -- */

static void
queue_type(struct checker *c, struct type *t, const char *scope,
    const struct tree_spec *spec, const struct tree_decl *decl)
{
	struct pending_type *p = MEM_NEW(c->mem, struct pending_type);

	p->type = t;
	p->scope = scope;
	p->spec = spec;
	p->decl = decl;
	*c->last_type = p;
	c->last_type = &p->next;
	check_new_item(c, ITEM_TYPE, t->where)->type = t;
}

/*
 * Bodies within a declaration become types of their own, which stand before
 * the outer one: `outer_member`, or as their tag says.
 */
void
check_declare_nested(struct checker *c, const char *scope, const char *outer,
    struct tree_decl *d)
{
	struct tree_spec *s = d->spec;
	const char *name = s->name;

	if (s->kind == SPEC_BASIC || s->kind == SPEC_NAME)
		return;
	if (name == NULL)
		name = mem_printf(c->mem, "%s_%s", outer,
		    d->name != NULL ? d->name : "elem");
	check_declare_body(c, scope, name, s->name == NULL, s);
}

void
check_declare_body(struct checker *c, const char *scope, const char *name,
    bool lifted, struct tree_spec *s)
{
	static const enum type_kind kinds[] = {
		[SPEC_ENUM] = TYPE_ENUM, [SPEC_STRUCT] = TYPE_STRUCT,
		[SPEC_UNION] = TYPE_UNION
	};
	struct tree_decl *d;
	struct tree_arm *a;

	s->type = check_declare_type(c, scope, name, s->where, kinds[s->kind]);
	if (s->type == NULL)
		return;
	s->type->lifted = lifted;
	if (s->kind == SPEC_ENUM)
		declare_enumerators(c, scope, s->type, s);
	for (d = s->members; d != NULL; d = d->next)
		check_declare_nested(c, scope, name, d);
	if (s->kind == SPEC_UNION)
		check_declare_nested(c, scope, name, s->disc);
	for (a = s->arms; a != NULL; a = a->next)
		check_declare_nested(c, scope, name, a->decl);
	queue_type(c, s->type, scope, s, NULL);
}

/* RFC 1057: struct *name { ... } names a pointer to what stands there. */
static void
declare_pointer(struct checker *c, struct tree_def *d)
{
	struct tree_decl *decl = MEM_NEW(c->mem, struct tree_decl);
	struct type *t;

	check_declare_body(c, d->scope,
	    mem_printf(c->mem, "%s_node", d->name), true, d->spec);
	t = check_declare_type(c, d->scope, d->name, d->where, TYPE_ALIAS);
	if (t == NULL)
		return;
	t->doc = d->doc;
	decl->spec = d->spec;
	decl->form = FORM_OPTIONAL;
	decl->where = d->where;
	queue_type(c, t, d->scope, NULL, decl);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_bound(const struct tree_value *a, const struct tree_value *b)
{
	return a->kind == b->kind && same_text(a->text, b->text) &&
	    a->number.bits == b->number.bits &&
	    a->number.negative == b->number.negative;
}

/* Of typedefs that name a type, rather than have its body. */
static bool
same_decl(const struct tree_decl *a, const struct tree_decl *b)
{
	const struct tree_spec *s = a->spec, *t = b->spec;

	return (s->kind == SPEC_BASIC || s->kind == SPEC_NAME) &&
	    s->kind == t->kind && s->basic == t->basic &&
	    same_text(s->name, t->name) && a->form == b->form &&
	    same_bound(&a->bound, &b->bound);
}

/* The same typedef again is as good in C, and some files have it. */
static bool
is_repeated(struct checker *c, const struct tree_def *d)
{
	const struct type *t = map_get(&c->model->types,
	    mem_printf(c->mem, "%s%s", d->scope, d->name));
	const struct pending_type *p;

	for (p = c->types; t != NULL && p != NULL; p = p->next)
		if (p->type == t && p->decl != NULL &&
		    same_decl(p->decl, d->decl)) {
			diag_warning(c->diag, d->where, NULL, "type '%s' is "
			    "defined twice, in the same way", d->name);
			diag_note(c->diag, t->where, NULL,
			    "the first definition is here");
			return true;
		}
	return false;
}

static void
declare_typedef(struct checker *c, struct tree_def *d)
{
	struct tree_decl *decl = d->decl;
	struct tree_spec *s = decl->spec;
	struct type *t;

	if (s->kind == SPEC_BASIC && s->basic == BASIC_VOID) {
		diag_warning(c->diag, d->where, NULL,
		    "a typedef of void defines nothing");
		return;
	}
	if (is_repeated(c, d))
		return;
	/* `typedef struct X X;` is not a second X. */
	if (s->kind == SPEC_NAME && decl->form == FORM_PLAIN &&
	    strcmp(s->name, d->name) == 0)
		return;
	if (s->kind != SPEC_BASIC && s->kind != SPEC_NAME &&
	    decl->form == FORM_PLAIN &&
	    (s->name == NULL || strcmp(s->name, d->name) == 0)) {
		check_declare_body(c, d->scope, d->name, false, s);
		if (s->type != NULL) {
			s->type->doc = d->doc;
			s->type->where = d->where;
		}
		return;
	}
	check_declare_nested(c, d->scope, d->name, &(struct tree_decl){
	    .spec = s, .form = decl->form });
	t = check_declare_type(c, d->scope, d->name, d->where, TYPE_ALIAS);
	if (t == NULL)
		return;
	t->doc = d->doc;
	queue_type(c, t, d->scope, NULL, decl);
}

/* Programs, versions and procedures have numbers that a constant may be. */
static void
declare_number(struct checker *c, const struct tree_def *d, const char *name,
    struct span where, const struct tree_value *value)
{
	struct pending_constant *k;

	if (map_get(&c->numbers, name) != NULL)
		return;		/* of another version, say */
	k = MEM_NEW(c->mem, struct pending_constant);
	k->c.name = name;
	k->c.where = where;
	k->value = value;
	k->scope = d->scope;
	k->is_number = true;
	map_put(&c->numbers, name, k);
}

static void
declare_numbers(struct checker *c, const struct tree_def *d)
{
	const struct tree_version *v;
	const struct tree_proc *r;

	declare_number(c, d, d->name, d->where, &d->value);
	for (v = d->versions; v != NULL; v = v->next) {
		declare_number(c, d, v->name, v->where, &v->number);
		for (r = v->procs; r != NULL; r = r->next)
			declare_number(c, d, r->name, r->where, &r->number);
	}
}

/* Types within a procedure's line, which may have been given a body there. */
static void
declare_procedure_types(struct checker *c, struct tree_def *d)
{
	struct tree_version *v;
	struct tree_proc *r;
	struct tree_decl *a;
	unsigned n;

	for (v = d->versions; v != NULL; v = v->next)
		for (r = v->procs; r != NULL; r = r->next) {
			r->result->name = "res";
			check_declare_nested(c, d->scope, r->name, r->result);
			n = 1;
			for (a = r->args; a != NULL; a = a->next, n++) {
				if (a->name == NULL)
					a->name = mem_printf(c->mem, "arg%u",
					    n);
				check_declare_nested(c, d->scope, r->name, a);
			}
		}
}

static void
declare(struct checker *c, struct tree_def *d)
{
	struct pending_constant *k;
	struct item *i;

	switch (d->kind) {
	case DEF_CONST:
		k = declare_constant(c, d->scope, d->name, d->where,
		    &d->value);
		k->c.doc = d->doc;
		check_new_item(c, ITEM_CONSTANT, d->where)->constant = &k->c;
		break;
	case DEF_TYPE:
		if (d->pointer) {
			declare_pointer(c, d);
			break;
		}
		check_declare_body(c, d->scope, d->name, false, d->spec);
		if (d->spec->type != NULL)
			d->spec->type->doc = d->doc;
		break;
	case DEF_TYPEDEF:
		declare_typedef(c, d);
		break;
	case DEF_PROGRAM:
		declare_numbers(c, d);
		if (!d->where.src->followed)
			declare_procedure_types(c, d);
		break;
	case DEF_PASS:
		i = check_new_item(c, ITEM_PASS, d->where);
		i->text = d->text;
		i->only_here = d->token->only_here;
		break;
	}
}

/* ----------------------------------------------------------- constants -- */

static void	resolve(struct checker *, struct pending_constant *);

static struct pending_constant *
find_constant(struct checker *c, const char *scope, const char *name)
{
	struct pending_constant *k;

	k = check_find(&c->model->constants, c->mem, scope, name);
	return k != NULL ? k : map_get(&c->numbers, name);
}

/* --extern: nothing here has this name, so some header of C must. */
bool
check_is_external(struct checker *c, const char *scope,
    const struct tree_value *v)
{
	struct pending_constant *k;

	if (!c->options->external || v->kind != VALUE_NAME ||
	    strchr(v->text, ':') != NULL)
		return false;
	k = find_constant(c, scope, v->text);
	return k == NULL || k->c.external;
}

/* ... and says how much it is. */
struct constant *
check_external_constant(struct checker *c, const struct tree_value *v)
{
	struct pending_constant *k = map_get(&c->model->constants, v->text);

	if (k != NULL)
		return &k->c;
	k = declare_constant(c, "", v->text, v->where, v);
	k->state = CONSTANT_DONE;
	k->c.external = true;
	k->c.value = (struct number){ .bits = UINT32_MAX, .base = 10 };
	return &k->c;
}

static void
unknown_constant(struct checker *c, const struct tree_value *v)
{
	const struct map_entry *e;
	const struct constant *k;
	const char *hint = NULL;

	if (map_get(&c->unknown, v->text) != NULL)
		return;
	map_put(&c->unknown, v->text, c);
	e = map_nearest(&c->model->constants, v->text);
	if (e != NULL) {
		k = e->value;
		hint = mem_printf(c->mem, "did you mean '%s' (line %u)?",
		    e->key, diag_line(k->where));
	} else if (check_find(&c->model->types, c->mem, "", v->text) != NULL) {
		hint = "this is the name of a type";
	}
	diag_error(c->diag, v->where, hint, "unknown constant '%s'", v->text);
}

/* The constant a value names, with its value found; NULL after a message. */
struct pending_constant *
check_constant(struct checker *c, const char *scope,
    const struct tree_value *v)
{
	struct pending_constant *k;

	k = find_constant(c, scope, v->text);
	if (k == NULL) {
		unknown_constant(c, v);
		return NULL;
	}
	resolve(c, k);
	if (k->ambiguous) {
		diag_error(c->diag, v->where, NULL, "'%s' has one value in "
		    "enum '%s' and another elsewhere", v->text,
		    k->c.of != NULL ? k->c.of->name : "?");
		return NULL;
	}
	return k;
}

/* A number, by itself or by its name.  *which may be NULL, as may be which. */
bool
check_number(struct checker *c, const char *scope,
    const struct tree_value *v, struct number *n,
    struct constant **which)
{
	struct pending_constant *k;

	if (v->kind == VALUE_NUMBER) {
		*n = v->number;
		return true;
	}
	if (v->kind != VALUE_NAME)
		return false;
	if ((k = check_constant(c, scope, v)) == NULL)
		return false;
	if (k->c.is_text) {
		diag_error(c->diag, v->where, NULL,
		    "'%s' is a text, not a number", v->text);
		return false;
	}
	*n = k->c.value;
	if (which != NULL && !k->is_number)
		*which = &k->c;
	return true;
}

bool
check_u32(struct checker *c, const char *scope, const struct tree_value *v,
    const char *what, uint32_t *u, struct constant **which)
{
	struct number n;

	if (!check_number(c, scope, v, &n, which))
		return false;
	if (n.negative || n.bits > UINT32_MAX) {
		diag_error(c->diag, v->where, NULL,
		    "%s must be between 0 and 4294967295", what);
		return false;
	}
	*u = (uint32_t)n.bits;
	return true;
}

static bool
fits_enum(struct number n)
{
	if (n.negative)
		return (int64_t)n.bits >= INT32_MIN;
	return n.bits <= UINT32_MAX;
}

/* Without a value: one more than the one before, from 0. */
static void
count_on(struct checker *c, struct pending_constant *k)
{
	k->c.value.base = 10;
	if (k->previous == NULL)
		return;
	resolve(c, k->previous);
	k->c.value.bits = (uint64_t)((int64_t)k->previous->c.value.bits + 1);
	k->c.value.negative = k->previous->c.value.negative &&
	    k->c.value.bits != 0;
}

static void
find_value(struct checker *c, struct pending_constant *k)
{
	struct pending_constant *other;

	switch (k->value->kind) {
	case VALUE_NONE:
		count_on(c, k);
		break;
	case VALUE_NUMBER:
		k->c.value = k->value->number;
		break;
	case VALUE_TEXT:
		k->c.is_text = true;
		k->c.text = k->value->text;
		break;
	case VALUE_NAME:
		/* An enumerator's value others may count on from. */
		if (k->c.of == NULL &&
		    check_is_external(c, k->scope, k->value)) {
			k->c.same = check_external_constant(c, k->value);
			k->c.value = k->c.same->value;
			k->c.external = true;
			break;
		}
		other = check_constant(c, k->scope, k->value);
		if (other == NULL)
			return;
		k->c.is_text = other->c.is_text;
		k->c.text = other->c.text;
		k->c.value = other->c.value;
		if (!other->is_number)
			k->c.same = &other->c;
		break;
	}
	if (k->c.of != NULL && (k->c.is_text || !fits_enum(k->c.value)))
		diag_error(c->diag, k->c.where, NULL,
		    "the value of '%s' does not fit 32 bits", k->c.name);
}

static void
resolve(struct checker *c, struct pending_constant *k)
{
	struct pending_constant *p;

	if (k->state == CONSTANT_DONE)
		return;
	if (k->state == CONSTANT_BUSY) {
		diag_error(c->diag, k->c.where, NULL,
		    "the value of '%s' depends on itself", k->c.name);
		return;
	}
	if (c->depth == MAX_CHAIN) {
		diag_error(c->diag, k->c.where, NULL,
		    "more than %d constants in a chain", MAX_CHAIN);
		return;
	}
	c->depth++;
	/* Enumerators in their order, so that a long enum needs no stack. */
	for (p = k; p->previous != NULL &&
	    p->previous->state == CONSTANT_NEW; p = p->previous)
		p->previous->next_up = p;
	for (; p != k; p = p->next_up)
		if (p->state == CONSTANT_NEW) {
			p->state = CONSTANT_BUSY;
			find_value(c, p);
			p->state = CONSTANT_DONE;
		}
	k->state = CONSTANT_BUSY;
	find_value(c, k);
	k->state = CONSTANT_DONE;
	c->depth--;
}

static bool
same_value(const struct constant *a, const struct constant *b)
{
	if (a->is_text || b->is_text)
		return a->is_text && b->is_text &&
		    strcmp(a->text, b->text) == 0;
	return a->value.bits == b->value.bits &&
	    a->value.negative == b->value.negative;
}

/* A name that was taken when it came: may it be? */
static void
settle_rival(struct checker *c, struct pending_constant *k)
{
	struct pending_constant *first = k->rival;
	bool same = same_value(&k->c, &first->c);

	k->c.second = true;
	if (k->c.of != NULL && first->c.of != NULL) {
		/* Two enums may; each is meant where its enum is. */
		if (!same)
			first->ambiguous = true;
		return;
	}
	if (same)
		diag_warning(c->diag, k->c.where, NULL,
		    "'%s' is defined twice, with the same value", k->c.name);
	else
		diag_error(c->diag, k->c.where, NULL,
		    "'%s' is defined twice, with another value", k->c.name);
	diag_note(c->diag, first->c.where, NULL,
	    "the first definition is here");
}

static void
check_constants(struct checker *c)
{
	struct pending_constant *k;

	for (k = c->constants; k != NULL; k = k->next)
		if (k->c.of != NULL)
			resolve(c, k);
	for (k = c->constants; k != NULL; k = k->next)
		if (k->c.of != NULL && k->rival != NULL &&
		    k->rival->c.of != NULL)
			settle_rival(c, k);
	for (k = c->constants; k != NULL; k = k->next)
		resolve(c, k);
	for (k = c->constants; k != NULL; k = k->next)
		if (k->rival != NULL && !k->c.second)
			settle_rival(c, k);
}

/* ------------------------------------------------------------- options -- */

static struct member *
option_member(struct checker *c, const char *option, const char *name)
{
	const char *dot = strchr(name, '.');
	struct member *m = NULL;
	struct type *t = NULL;
	struct arm *a;

	if (dot != NULL)
		t = map_get(&c->model->types, mem_strndup(c->mem, name,
		    (size_t)(dot - name)));
	if (t != NULL && t->kind == TYPE_STRUCT)
		for (m = t->members; m != NULL; m = m->next)
			if (strcmp(m->name, dot + 1) == 0)
				return m;
	if (t != NULL && t->kind == TYPE_UNION)
		for (a = t->arms; a != NULL; a = a->next)
			if (a->member->name != NULL &&
			    strcmp(a->member->name, dot + 1) == 0)
				return a->member;
	diag_error(c->diag, (struct span){ 0 }, NULL,
	    "%s %s: there is no such member", option, name);
	return NULL;
}

static void
apply_options(struct checker *c)
{
	const char *const *o;
	struct member *m;
	struct type *t;

	for (o = c->options->lazy; o != NULL && *o != NULL; o++) {
		m = option_member(c, "--lazy", *o);
		if (m == NULL)
			continue;
		if (type_real(m->type)->kind != TYPE_VECTOR ||
		    m->parent->kind != TYPE_STRUCT || m->next != NULL)
			diag_error(c->diag, m->where, NULL, "--lazy %s: not "
			    "an array <> at the end of a struct", *o);
		m->lazy = true;
	}
	for (o = c->options->bulk; o != NULL && *o != NULL; o++) {
		m = option_member(c, "--bulk", *o);
		if (m == NULL)
			continue;
		if (type_real(m->type)->kind != TYPE_BYTES ||
		    m->parent->kind != TYPE_STRUCT)
			diag_error(c->diag, m->where, NULL,
			    "--bulk %s: not an opaque <> in a struct", *o);
		m->bulk = true;
	}
	for (o = c->options->open_enums; o != NULL && *o != NULL; o++) {
		t = map_get(&c->model->types, *o);
		if (t == NULL || t->kind != TYPE_ENUM)
			diag_error(c->diag, (struct span){ 0 }, NULL,
			    "--open-enum %s: there is no such enum", *o);
		else
			t->open = true;
	}
}

/* ------------------------------------------------------------- compact -- */

/*
 * What --hot names keeps its own code, with all it is built of but for the
 * arms of unions, which are named themselves; so does what --lazy and --bulk
 * read in parts.  What is left goes by tables.
 */
static void
keep_hot(struct checker *c, struct type *t)
{
	struct member *m;

	while (t->kind == TYPE_ARRAY || t->kind == TYPE_VECTOR ||
	    t->kind == TYPE_OPTIONAL)
		t = t->elem;
	if (!t->compact)
		return;
	t->compact = false;
	if (c->depth == MAX_CHAIN)
		return;		/* shape.c says what is wrong with that */
	c->depth++;
	if (t->kind == TYPE_ALIAS)
		keep_hot(c, t->elem);
	for (m = t->members; m != NULL; m = m->next)
		if (!m->lazy)
			keep_hot(c, m->type);
	c->depth--;
}

static bool
is_read_in_parts(const struct type *t)
{
	const struct member *m;

	for (m = t->members; m != NULL; m = m->next)
		if (m->lazy || m->bulk)
			return true;
	return false;
}

static void
apply_compact(struct checker *c)
{
	const char *const *o;
	struct item *i;
	struct type *t;

	for (i = c->model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_TYPE && !i->elsewhere)
			i->type->compact = i->type->kind != TYPE_ENUM;
	for (i = c->model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_TYPE && is_read_in_parts(i->type))
			keep_hot(c, i->type);
	for (o = c->options->hot; o != NULL && *o != NULL; o++) {
		t = map_get(&c->model->types, *o);
		if (t == NULL)
			diag_error(c->diag, (struct span){ 0 }, NULL,
			    "--hot %s: there is no such type", *o);
		else
			keep_hot(c, t);
	}
}

/* ----------------------------------------------------------------- all -- */

static void
basic_types(struct checker *c)
{
	static const struct {
		enum basic basic;
		enum type_kind kind;
		const char *name;
		unsigned bits;
	} table[] = {
		{ BASIC_VOID, TYPE_VOID, "void", 0 },
		{ BASIC_BOOL, TYPE_BOOL, "bool", 0 },
		{ BASIC_CHAR, TYPE_INT, "char", 8 },
		{ BASIC_UCHAR, TYPE_UINT, "unsigned char", 8 },
		{ BASIC_SHORT, TYPE_INT, "short", 16 },
		{ BASIC_USHORT, TYPE_UINT, "unsigned short", 16 },
		{ BASIC_INT, TYPE_INT, "int", 32 },
		{ BASIC_UINT, TYPE_UINT, "unsigned int", 32 },
		{ BASIC_HYPER, TYPE_HYPER, "hyper", 0 },
		{ BASIC_UHYPER, TYPE_UHYPER, "unsigned hyper", 0 },
		{ BASIC_FLOAT, TYPE_FLOAT, "float", 0 },
		{ BASIC_DOUBLE, TYPE_DOUBLE, "double", 0 },
		{ BASIC_QUADRUPLE, TYPE_QUADRUPLE, "quadruple", 0 },
	};
	struct type *t;
	size_t i;

	for (i = 0; i < sizeof table / sizeof *table; i++) {
		t = MEM_NEW(c->mem, struct type);
		t->kind = table[i].kind;
		t->name = table[i].name;
		t->bits = table[i].bits;
		c->basic[table[i].basic] = t;
	}
}

static void
file_names(struct checker *c, const char *name)
{
	const char *slash = strrchr(name, '/'), *dot;

	if (slash != NULL)
		name = slash + 1;
	c->model->file = name;
	dot = strrchr(name, '.');
	c->model->stem = dot == NULL || dot == name ? name :
	    mem_strndup(c->mem, name, (size_t)(dot - name));
}

struct model *
check(struct mem *mem, struct diag *diag, const struct source *src,
    struct tree_def *tree, const struct check_options *options)
{
	struct model *model = MEM_NEW(mem, struct model);
	struct checker c = {
		.mem = mem, .diag = diag, .model = model, .options = options,
		.last_item = &model->items, .tree = tree
	};
	struct tree_def *d;

	c.last_type = &c.types;
	c.last_constant = &c.constants;
	map_init(&model->types, mem);
	map_init(&model->constants, mem);
	map_init(&c.enumerators, mem);
	map_init(&c.numbers, mem);
	map_init(&c.unknown, mem);
	model->strict_pad = options->strict_pad;
	model->max_depth = options->max_depth;
	file_names(&c, src->name);
	basic_types(&c);

	for (d = tree; d != NULL; d = d->next)
		declare(&c, d);
	check_constants(&c);
	check_types(&c);
	check_programs(&c);
	if (diag->errors == 0)
		apply_options(&c);
	if (diag->errors == 0 && options->compact)
		apply_compact(&c);
	if (diag->errors == 0)
		check_shapes(&c);
	return model;
}
