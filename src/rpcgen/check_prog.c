/* SPDX-License-Identifier: MIT */
/* The check pass: programs, versions and procedures. */
#include "check.h"

#include <stdio.h>
#include <string.h>

/*
 * Rows of a dispatch table are found by number, so a number far out costs
 * memory.  No known program comes near.
 */
enum { MAX_PROCEDURE = 65535 };

static const char *
lower(struct mem *mem, const char *s)
{
	char *p = mem_strndup(mem, s, strlen(s)), *c;

	for (c = p; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return p;
}

/* NFS_PROGRAM -> nfs */
static const char *
stem(struct mem *mem, const char *name)
{
	static const char *const ends[] = { "_PROGRAM", "_PROG", "_program",
	    "_prog" };
	size_t len = strlen(name), n, i;

	for (i = 0; i < sizeof ends / sizeof *ends; i++) {
		n = strlen(ends[i]);
		if (len > n && strcmp(name + len - n, ends[i]) == 0) {
			len -= n;
			break;
		}
	}
	return lower(mem, mem_strndup(mem, name, len));
}

/*
 * What all procedures of a version begin with, up to and with an underscore.
 * A single one gives no common part, so its first word is taken for it.
 */
static size_t
common_prefix(const struct procedure *procs)
{
	const struct procedure *r;
	const char *first = procs->name, *bar;
	size_t len = strlen(first), i;

	if (procs->next == NULL) {
		bar = strchr(first, '_');
		len = bar != NULL && bar[1] != '\0' ?
		    (size_t)(bar - first) + 1 : 0;
	}
	for (r = procs->next; r != NULL; r = r->next) {
		for (i = 0; i < len && r->name[i] == first[i]; i++)
			;
		len = i;
	}
	while (len > 0 && first[len - 1] != '_')
		len--;
	for (r = procs; r != NULL; r = r->next)
		if (r->name[len] == '\0' || (r->name[len] >= '0' &&
		    r->name[len] <= '9'))
			return 0;
	return len;
}

static void
member_names(struct checker *c, struct version *v)
{
	struct procedure *r;
	size_t prefix;
	struct map taken;

	if (v->procs == NULL)
		return;
	map_init(&taken, c->mem);
	prefix = common_prefix(v->procs);
	for (r = v->procs; r != NULL; r = r->next) {
		r->member = lower(c->mem, r->name + prefix);
		while (map_get(&taken, r->member) != NULL)
			r->member = mem_printf(c->mem, "%s_", r->member);
		map_put(&taken, r->member, r);
	}
}

/* The name of a program, version or procedure is a constant too. */
static void
check_against_constants(struct checker *c, const char *name,
    struct span where, uint32_t number)
{
	const struct constant *k = map_get(&c->model->constants, name);
	const struct type *t = map_get(&c->model->types, name);

	if (k != NULL && (k->is_text || k->value.negative ||
	    k->value.bits != number)) {
		diag_error(c->diag, where, NULL,
		    "'%s' is a constant with another value", name);
		diag_note(c->diag, k->where, NULL, "it is defined here");
	}
	if (t != NULL) {
		diag_error(c->diag, where, NULL,
		    "'%s' is the name of a type already", name);
		diag_note(c->diag, t->where, NULL, "it is defined here");
	}
}

/* Several arguments travel one after the other: as a struct of them all. */
static struct type *
joined_args(struct checker *c, const char *scope, const struct tree_proc *r)
{
	struct member **last, *m;
	const struct tree_decl *d;
	struct type *t;

	t = check_declare_type(c, scope, mem_printf(c->mem, "%s_args",
	    r->name), r->where, TYPE_STRUCT);
	if (t == NULL)
		return c->basic[BASIC_VOID];
	t->lifted = true;
	last = &t->members;
	for (d = r->args; d != NULL; d = d->next) {
		m = MEM_NEW(c->mem, struct member);
		m->type = check_decl(c, scope, d);
		m->name = d->name;
		m->where = d->where;
		m->parent = t;
		if (m->type->kind == TYPE_VOID) {
			diag_error(c->diag, d->where, NULL,
			    "void is no argument beside others");
			continue;
		}
		*last = m;
		last = &m->next;
	}
	check_new_item(c, ITEM_TYPE, t->where)->type = t;
	return t;
}

/* What is built of other types gets a name: PROC_arg1, PROC_res. */
static struct type *
lifted(struct checker *c, const char *scope, const struct tree_proc *r,
    const struct tree_decl *d, const char *what)
{
	struct type *t = check_decl(c, scope, d), *alias;

	if (t->kind < TYPE_OPAQUE || t->kind == TYPE_BYTES ||
	    t->kind == TYPE_STRING || t->kind >= TYPE_ALIAS)
		return t;
	alias = check_declare_type(c, scope, mem_printf(c->mem, "%s_%s",
	    r->name, what), r->where, TYPE_ALIAS);
	if (alias == NULL)
		return t;
	alias->lifted = true;
	alias->elem = t;
	check_new_item(c, ITEM_TYPE, alias->where)->type = alias;
	return alias;
}

/* NULL: it has no number. */
static struct procedure *
procedure(struct checker *c, const char *scope, const struct tree_proc *d)
{
	struct procedure *r = MEM_NEW(c->mem, struct procedure);
	const struct tree_decl *a;
	bool known;

	r->name = d->name;
	r->doc = d->doc;
	r->where = d->where;
	known = check_u32(c, scope, &d->number, "the number of a procedure",
	    &r->number, NULL);
	if (r->number > MAX_PROCEDURE) {
		diag_error(c->diag, d->number.where, NULL, "procedures are "
		    "numbered up to %d here", MAX_PROCEDURE);
		known = false;
	}
	r->res = lifted(c, scope, d, d->result, "res");
	for (a = d->args; a != NULL; a = a->next)
		r->nargs++;
	if (r->nargs == 0)
		r->args = c->basic[BASIC_VOID];
	else if (r->nargs == 1)
		r->args = lifted(c, scope, d, d->args, "arg1");
	else
		r->args = joined_args(c, scope, d);
	if (!known)
		return NULL;	/* and nobody has the same number */
	check_against_constants(c, r->name, r->where, r->number);
	return r;
}

/* Into the list by number; a message if number or name is taken. */
static void
add_procedure(struct checker *c, struct version *v, struct procedure *r)
{
	struct procedure **at, *other;

	for (other = v->procs; other != NULL; other = other->next) {
		if (strcmp(other->name, r->name) == 0)
			diag_error(c->diag, r->where, NULL,
			    "procedure '%s' stands twice in version '%s'",
			    r->name, v->name);
		else if (other->number == r->number)
			diag_error(c->diag, r->where, NULL,
			    "procedure '%s' has the number of '%s'",
			    r->name, other->name);
		else
			continue;
		diag_note(c->diag, other->where, NULL,
		    "the first one is here");
		return;
	}
	for (at = &v->procs; *at != NULL && (*at)->number < r->number;
	    at = &(*at)->next)
		;
	r->next = *at;
	*at = r;
	if (r->number >= v->nprocs)
		v->nprocs = r->number + 1;
}

static struct version *
version(struct checker *c, const char *scope, const struct tree_version *d)
{
	struct version *v = MEM_NEW(c->mem, struct version);
	const struct tree_proc *t;
	struct procedure *r;

	v->name = d->name;
	v->doc = d->doc;
	v->where = d->where;
	(void)check_u32(c, scope, &d->number, "the number of a version",
	    &v->number, NULL);
	check_against_constants(c, v->name, v->where, v->number);
	for (t = d->procs; t != NULL; t = t->next)
		if ((r = procedure(c, scope, t)) != NULL)
			add_procedure(c, v, r);
	member_names(c, v);
	return v;
}

static void
unique_version(struct checker *c, const struct program *p,
    const struct version *v)
{
	const struct version *other;

	for (other = p->versions; other != NULL; other = other->next) {
		if (strcmp(other->name, v->name) == 0)
			diag_error(c->diag, v->where, NULL,
			    "version '%s' stands twice in program '%s'",
			    v->name, p->name);
		else if (other->number == v->number)
			diag_error(c->diag, v->where, NULL,
			    "version '%s' has the number of '%s'", v->name,
			    other->name);
		else
			continue;
		diag_note(c->diag, other->where, NULL,
		    "the first one is here");
		return;
	}
}

static struct program *
program(struct checker *c, const struct tree_def *d)
{
	struct program *p = MEM_NEW(c->mem, struct program);
	struct version **last = &p->versions, *v;
	const struct tree_version *t;

	p->name = d->name;
	p->doc = d->doc;
	p->stem = stem(c->mem, d->name);
	p->where = d->where;
	(void)check_u32(c, d->scope, &d->value, "the number of a program",
	    &p->number, NULL);
	check_against_constants(c, p->name, p->where, p->number);
	for (t = d->versions; t != NULL; t = t->next) {
		v = version(c, d->scope, t);
		unique_version(c, p, v);
		*last = v;
		last = &v->next;
	}
	return p;
}

/* Two programs of one name would share their handlers' names. */
static void
unique_program(struct checker *c, struct map *names, struct program *p)
{
	struct program *first = map_get(names, p->name);

	if (first == NULL) {
		map_put(names, p->name, p);
		return;
	}
	diag_error(c->diag, p->where, NULL, "program '%s' is defined twice",
	    p->name);
	diag_note(c->diag, first->where, NULL, "the first one is here");
}

void
check_programs(struct checker *c)
{
	struct tree_def *d;
	struct program *p;
	struct map names;

	map_init(&names, c->mem);
	for (d = c->tree; d != NULL; d = d->next) {
		if (d->kind != DEF_PROGRAM || d->where.src->followed)
			continue;
		p = program(c, d);
		unique_program(c, &names, p);
		check_new_item(c, ITEM_PROGRAM, d->where)->program = p;
	}
}
