/* SPDX-License-Identifier: MIT */
/* The check pass: what declarations, structs and unions say. */
#include "check.h"

#include <string.h>

/* Words that many files use without a typedef, because C has them. */
static const struct {
	const char *name;
	enum basic basic;
} known[] = {
	{ "u_char", BASIC_UCHAR }, { "uint8_t", BASIC_UCHAR },
	{ "u_int8_t", BASIC_UCHAR }, { "int8_t", BASIC_CHAR },
	{ "u_short", BASIC_USHORT }, { "uint16_t", BASIC_USHORT },
	{ "u_int16_t", BASIC_USHORT }, { "int16_t", BASIC_SHORT },
	{ "ushort", BASIC_USHORT },
	{ "u_int", BASIC_UINT }, { "uint", BASIC_UINT },
	{ "uint32_t", BASIC_UINT }, { "u_int32_t", BASIC_UINT },
	{ "int32_t", BASIC_INT }, { "u_long", BASIC_UINT },
	{ "ulong", BASIC_UINT }, { "bool_t", BASIC_BOOL },
	{ "int64_t", BASIC_HYPER }, { "uint64_t", BASIC_UHYPER },
	{ "u_int64_t", BASIC_UHYPER }, { "quad_t", BASIC_HYPER },
	{ "u_quad_t", BASIC_UHYPER }, { "longlong_t", BASIC_HYPER },
	{ "u_longlong_t", BASIC_UHYPER }, { "rpcprog_t", BASIC_UINT },
	{ "rpcvers_t", BASIC_UINT }, { "rpcproc_t", BASIC_UINT },
};

static struct type *
known_type(struct checker *c, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].name, name) == 0)
			return c->basic[known[i].basic];
	return NULL;
}

/* --------------------------------------------------------- declarations -- */

static bool
includes_header(const struct checker *c)
{
	const struct tree_def *d;

	for (d = c->tree; d != NULL; d = d->next)
		if (d->kind == DEF_PASS && strstr(d->text, "include") != NULL)
			return true;
	return false;
}

static void
unknown_type(struct checker *c, const struct tree_spec *s)
{
	const struct map_entry *e;
	const struct type *t;
	const char *hint = NULL;
	const char *key = mem_printf(c->mem, "type %s", s->name);

	if (map_get(&c->unknown, key) != NULL)
		return;
	map_put(&c->unknown, key, c);
	e = map_nearest(&c->model->types, s->name);
	if (e != NULL) {
		t = e->value;
		hint = mem_printf(c->mem, "did you mean '%s' (line %u)?",
		    e->key, diag_line(t->where));
	} else if (map_get(&c->model->constants, s->name) != NULL) {
		hint = "this is the name of a constant";
	} else if (includes_header(c)) {
		hint = "does a % line's header have it? See --follow, "
		    "--extern";
	}
	diag_error(c->diag, s->where, hint, "unknown type '%s'", s->name);
}

/* --extern: some header declares it, and has codecs for it. */
static struct type *
external_type(struct checker *c, const struct tree_spec *s)
{
	struct item *i;
	struct type *t;

	t = check_declare_type(c, "", s->name, s->where, TYPE_STRUCT);
	if (t == NULL)
		return NULL;
	t->elsewhere = t->external = true;
	t->where.src = NULL;	/* this is not where it is defined */
	i = check_new_item(c, ITEM_TYPE, s->where);
	i->type = t;
	i->elsewhere = true;
	return t;
}

/* The type a spec names.  Never NULL: after a message it is int. */
static struct type *
spec_type(struct checker *c, const char *scope, const struct tree_spec *s)
{
	struct type *t;

	if (s->kind == SPEC_BASIC)
		return s->basic < BASIC_OPAQUE ? c->basic[s->basic] : NULL;
	t = s->kind == SPEC_NAME ?
	    check_find(&c->model->types, c->mem, scope, s->name) : s->type;
	if (t == NULL && s->kind == SPEC_NAME) {
		t = known_type(c, s->name);
		if (t == NULL && c->options->external &&
		    strchr(s->name, ':') == NULL)
			t = external_type(c, s);
		else if (t == NULL)
			unknown_type(c, s);
	} else if (t != NULL && t->is_bare_alias) {
		return t->elem;
	}
	return t != NULL ? t : c->basic[BASIC_INT];
}

static struct type *
new_type(struct checker *c, enum type_kind kind, const struct tree_decl *d)
{
	struct type *t = MEM_NEW(c->mem, struct type);

	t->kind = kind;
	t->where = d->where;
	return t;
}

static void
set_bound(struct checker *c, const char *scope, const struct tree_decl *d,
    struct bound *b)
{
	b->value = UINT32_MAX;
	if (d->bound.kind == VALUE_NONE)
		return;
	if (check_is_external(c, scope, &d->bound)) {
		b->given = true;
		b->constant = check_external_constant(c, &d->bound);
		return;
	}
	b->given = check_u32(c, scope, &d->bound, d->form == FORM_FIXED ?
	    "a size" : "a maximum", &b->value, &b->constant);
}

struct type *
check_decl(struct checker *c, const char *scope, const struct tree_decl *d)
{
	struct type *base = spec_type(c, scope, d->spec), *t;
	bool opaque = base == NULL && d->spec->basic == BASIC_OPAQUE;
	enum type_kind kind;

	switch (d->form) {
	case FORM_FIXED:
		kind = base != NULL ? TYPE_ARRAY : TYPE_OPAQUE;
		break;
	case FORM_COUNTED:
		kind = base != NULL ? TYPE_VECTOR :
		    opaque ? TYPE_BYTES : TYPE_STRING;
		break;
	case FORM_OPTIONAL:
		kind = TYPE_OPTIONAL;
		break;
	default:
		/* The parser has said what is wrong with a bare opaque. */
		return base != NULL ? base : c->basic[BASIC_INT];
	}
	t = new_type(c, kind, d);
	t->elem = base;
	if (kind != TYPE_OPTIONAL)
		set_bound(c, scope, d, &t->bound);
	return t;
}

/* ------------------------------------------------------------- members -- */

static struct member *
new_member(struct checker *c, const struct pending_type *p,
    const struct tree_decl *d)
{
	struct member *m = MEM_NEW(c->mem, struct member);

	m->type = check_decl(c, p->scope, d);
	m->name = m->type->kind == TYPE_VOID ? NULL : d->name;
	m->doc = d->doc;
	m->where = d->where;
	m->parent = p->type;
	return m;
}

static void
unique_member(struct checker *c, struct map *names, struct member *m)
{
	struct member *first = map_get(names, m->name);

	if (first == NULL) {
		map_put(names, m->name, m);
		return;
	}
	diag_error(c->diag, m->where, NULL, "member '%s' stands twice in '%s'",
	    m->name, m->parent->name);
	diag_note(c->diag, first->where, NULL, "the first one is here");
}

static void
struct_members(struct checker *c, const struct pending_type *p)
{
	struct member **last = &p->type->members, *m;
	const struct tree_decl *d;
	struct map names;

	map_init(&names, c->mem);
	for (d = p->spec->members; d != NULL; d = d->next) {
		m = new_member(c, p, d);
		if (m->name == NULL)
			continue;	/* void: no bytes */
		unique_member(c, &names, m);
		*last = m;
		last = &m->next;
	}
}

/* -------------------------------------------------------------- unions -- */

static bool
is_bool_word(const char *text, struct number *n)
{
	if (strcmp(text, "TRUE") == 0 || strcmp(text, "true") == 0)
		n->bits = 1;
	else if (strcmp(text, "FALSE") == 0 || strcmp(text, "false") == 0)
		n->bits = 0;
	else
		return false;
	n->base = 10;
	return true;
}

/* A label's name means the discriminant's enum first, then anything. */
static bool
label_number(struct checker *c, const char *scope, const struct type *disc,
    const struct tree_value *v, struct label *l)
{
	struct pending_constant *k = NULL;
	const char *name = v->text, *colon;

	if (v->kind == VALUE_NAME && disc->kind == TYPE_ENUM) {
		if ((colon = strrchr(name, ':')) != NULL)
			name = colon + 1;
		k = map_get(&c->enumerators, mem_printf(c->mem, "%s.%s",
		    disc->name, name));
	}
	if (k != NULL) {
		l->constant = &k->c;
		l->value = k->c.value;
		return true;
	}
	if (v->kind == VALUE_NAME && is_bool_word(v->text, &l->value) &&
	    check_find(&c->model->constants, c->mem, scope, v->text) == NULL)
		return true;
	if (check_is_external(c, scope, v)) {
		l->constant = check_external_constant(c, v);
		return true;
	}
	return check_number(c, scope, v, &l->value, &l->constant);
}

static bool
is_external(const struct label *l)
{
	return l->constant != NULL && l->constant->external;
}

static bool
fits(const struct type *disc, struct number n)
{
	if (n.negative)
		return (disc->kind == TYPE_INT || disc->kind == TYPE_ENUM ||
		    disc->external) && (int64_t)n.bits >= INT32_MIN;
	return n.bits <= (disc->kind == TYPE_BOOL ? 1 : UINT32_MAX);
}

static bool
in_enum(const struct type *t, struct number n)
{
	const struct enumerator *e;

	for (e = t->enumerators; e != NULL; e = e->next)
		if (number_int(e->constant->value) == number_int(n))
			return true;
	return false;
}

static struct label *
new_label(struct checker *c, const struct pending_type *p,
    const struct type *disc, const struct tree_value *v, struct map *seen)
{
	struct label *l = MEM_NEW(c->mem, struct label), *first;
	const char *key;

	l->where = v->where;
	if (!label_number(c, p->scope, disc, v, l))
		return NULL;
	if (!is_external(l) && !fits(disc, l->value)) {
		diag_error(c->diag, v->where, NULL,
		    "'%s' cannot have this value", p->type->disc->name);
		return NULL;
	}
	if (disc->kind == TYPE_ENUM && !is_external(l) &&
	    (l->constant == NULL || l->constant->of != disc) &&
	    !in_enum(disc, l->value))
		diag_warning(c->diag, v->where, NULL, "enum '%s' has no such "
		    "value; it is taken as valid in this union", disc->name);
	key = is_external(l) ? l->constant->name :
	    mem_printf(c->mem, "%ld", (long)number_int(l->value));
	if ((first = map_get(seen, key)) != NULL) {
		diag_error(c->diag, v->where, NULL,
		    "this case stands twice in union '%s'", p->type->name);
		diag_note(c->diag, first->where, NULL,
		    "the first one is here");
		return NULL;
	}
	map_put(seen, key, l);
	return l;
}

static struct arm *
new_arm(struct checker *c, const struct pending_type *p,
    const struct type *disc, const struct tree_arm *t, struct map *seen)
{
	struct arm *a = MEM_NEW(c->mem, struct arm);
	struct label **last = &a->labels, *l;
	const struct tree_label *v;

	for (v = t->labels; v != NULL; v = v->next) {
		l = new_label(c, p, disc, &v->value, seen);
		if (l == NULL)
			continue;
		*last = l;
		last = &l->next;
	}
	a->is_default = t->is_default;
	a->member = new_member(c, p, t->decl);
	return a;
}

static void
union_arms(struct checker *c, const struct pending_type *p)
{
	struct type *t = p->type, *disc;
	struct arm **last = &t->arms, *a;
	const struct tree_arm *v;
	struct map names, seen;

	map_init(&names, c->mem);
	map_init(&seen, c->mem);
	t->disc = new_member(c, p, p->spec->disc);
	disc = type_real(t->disc->type);
	/* What only a header of C says is taken for one of these four. */
	if (t->disc->name == NULL ||
	    (disc->kind != TYPE_INT && disc->kind != TYPE_UINT &&
	    disc->kind != TYPE_BOOL && disc->kind != TYPE_ENUM &&
	    !disc->external)) {
		diag_error(c->diag, t->disc->where, NULL,
		    "a union switches on an int, unsigned int, bool or enum");
		return;
	}
	map_put(&names, t->disc->name, t->disc);
	for (v = p->spec->arms; v != NULL; v = v->next) {
		a = new_arm(c, p, disc, v, &seen);
		if (a->member->name != NULL)
			unique_member(c, &names, a->member);
		if (!a->is_default) {
			*last = a;
			last = &a->next;
			continue;
		}
		if (t->default_arm != NULL) {
			diag_error(c->diag, v->where, NULL,
			    "a second default in union '%s'", t->name);
			diag_note(c->diag, t->default_arm->member->where,
			    NULL, "the first one is here");
		}
		t->default_arm = a;
	}
	*last = t->default_arm;
}

/* ----------------------------------------------------------------- all -- */

/*
 * Typedefs that define what C has anyhow are no types of their own.  Names
 * are all declared, so their users, which come later, see the mark.
 */
static void
find_bare_aliases(struct checker *c)
{
	struct pending_type *p;
	struct type *t, *target;

	for (p = c->types; p != NULL; p = p->next) {
		t = p->type;
		if (t->kind != TYPE_ALIAS || p->decl->form != FORM_PLAIN ||
		    p->decl->spec->kind != SPEC_BASIC)
			continue;
		target = known_type(c, t->name);
		if (target == NULL ||
		    target->kind != spec_type(c, p->scope, p->decl->spec)->kind)
			continue;
		t->is_bare_alias = true;
		t->elem = target;
	}
}

/* A typedef of typedefs must come to an end. */
static void
check_alias(struct checker *c, struct type *start)
{
	struct type *t = start;
	unsigned n;

	for (n = 0; n < MAX_CHAIN && t->kind == TYPE_ALIAS; n++)
		if ((t = t->elem) == start)
			break;
	if (t->kind != TYPE_ALIAS)
		return;
	if (t == start)
		diag_error(c->diag, start->where, NULL,
		    "typedef '%s' stands for nothing but itself",
		    start->name);
	else
		diag_error(c->diag, start->where, NULL,
		    "more than %d typedefs in a chain", MAX_CHAIN);
	start->elem = c->basic[BASIC_INT];
}

void
check_types(struct checker *c)
{
	struct pending_type *p;

	find_bare_aliases(c);
	/* Typedefs first: unions must look behind them. */
	for (p = c->types; p != NULL; p = p->next)
		if (p->type->kind == TYPE_ALIAS && !p->type->is_bare_alias)
			p->type->elem = check_decl(c, p->scope, p->decl);
	for (p = c->types; p != NULL; p = p->next)
		if (p->type->kind == TYPE_ALIAS)
			check_alias(c, p->type);
	for (p = c->types; p != NULL; p = p->next) {
		if (p->type->kind == TYPE_STRUCT)
			struct_members(c, p);
		else if (p->type->kind == TYPE_UNION)
			union_arms(c, p);
	}
}
