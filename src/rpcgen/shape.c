/* SPDX-License-Identifier: MIT */
/*
 * The check pass, last part: the shape of what was resolved.
 *
 *	measure		least size, by walking what is contained by value;
 *			finds types that contain themselves
 *	find_link	which structs are lists
 *	components	which types are recursive in another way (Tarjan)
 *	greatest	greatest size, which recursion makes unlimited
 *	find_runs	members at constant offsets
 *	order_items	what is needed stands first
 */
#include "check.h"

/* One walk at a time uses type->mark. */
enum { NEW, BUSY, DONE };

struct shaper {
	struct checker *c;
	struct type *path[MAX_CHAIN + 1];	/* types being measured */
	struct span via[MAX_CHAIN + 1];		/* and where each is used */
	unsigned depth;
	/* components */
	struct type **stack;
	unsigned nstack, next_index;
	unsigned *index, *low;			/* by number in type->mark */
	/* order_items */
	struct item **last;
};

/* ------------------------------------------------------------ all types -- */

static struct item *
next_type(struct item *i)
{
	while (i != NULL && i->kind != ITEM_TYPE)
		i = i->next;
	return i;
}

#define FOR_TYPES(s, i) \
	for (i = next_type((s)->c->model->items); i != NULL; \
	    i = next_type(i->next))

static void
clear_marks(struct shaper *s)
{
	struct item *i;

	FOR_TYPES(s, i)
		i->type->mark = NEW;
}

/* The item a type leads to, or NULL where that is a basic type. */
static struct type *
named(struct type *t)
{
	while (t->kind == TYPE_ARRAY || t->kind == TYPE_VECTOR ||
	    t->kind == TYPE_OPTIONAL)
		t = t->elem;
	return t->kind >= TYPE_ALIAS ? t : NULL;
}

static bool
too_deep(struct shaper *s, const struct type *t)
{
	if (s->depth < MAX_CHAIN)
		return false;
	diag_error(s->c->diag, t->where, NULL,
	    "types within types, more than %d deep", MAX_CHAIN);
	return true;
}

static uint32_t
plus(uint32_t a, uint32_t b)
{
	return a > WIRE_MAX - b ? WIRE_MAX : a + b;
}

static uint32_t
times(uint32_t a, uint32_t n)
{
	return n != 0 && a > WIRE_MAX / n ? WIRE_MAX : a * n;
}

/* ---------------------------------------------------------- least sizes -- */

static void	measure(struct shaper *, struct type *, struct span via);

/* From the type that comes round again along the path to it. */
static void
contains_itself(struct shaper *s, struct type *t, struct span via)
{
	unsigned i = s->depth;

	while (i > 0 && s->path[i - 1] != t)
		i--;
	diag_error(s->c->diag, t->where, "use '*' or '<>' on the way",
	    "'%s' contains itself", t->name);
	for (; i < s->depth; i++)
		diag_note(s->c->diag, i + 1 < s->depth ? s->via[i + 1] : via,
		    NULL, "'%s' contains '%s' here", s->path[i]->name,
		    i + 1 < s->depth ? s->path[i + 1]->name : t->name);
	for (i = 0; i < s->depth; i++)
		s->path[i]->mark = DONE;	/* say it once */
}

static void
measure_struct(struct shaper *s, struct type *t)
{
	struct member *m;

	t->fixed = true;
	for (m = t->members; m != NULL; m = m->next) {
		measure(s, m->type, m->where);
		t->min = plus(t->min, m->type->min);
		t->fixed = t->fixed && m->type->fixed;
	}
	t->fixed = t->fixed && t->min <= RUN_MAX;
}

/* The least arm; labels outside of all arms are not valid messages. */
static void
measure_union(struct shaper *s, struct type *t)
{
	uint32_t least = WIRE_MAX;
	struct arm *a;

	measure(s, t->disc->type, t->disc->where);
	for (a = t->arms; a != NULL; a = a->next) {
		measure(s, a->member->type, a->member->where);
		if (a->member->type->min < least)
			least = a->member->type->min;
	}
	t->min = plus(4, t->arms != NULL ? least : 0);
}

static void
measure_body(struct shaper *s, struct type *t)
{
	switch (t->kind) {
	case TYPE_STRUCT:
		measure_struct(s, t);
		break;
	case TYPE_UNION:
		measure_union(s, t);
		break;
	case TYPE_ALIAS:
		measure(s, t->elem, t->where);
		t->min = t->elem->min;
		t->fixed = t->elem->fixed;
		break;
	default:		/* TYPE_ENUM */
		t->min = 4;
		t->fixed = true;
		break;
	}
}

/* Of a size that only a header of C knows. */
static bool
is_external(const struct type *t)
{
	return t->bound.constant != NULL && t->bound.constant->external;
}

/* Sets min and fixed of `t` and of all it contains by value. */
static void
measure(struct shaper *s, struct type *t, struct span via)
{
	switch (t->kind) {
	case TYPE_BYTES: case TYPE_STRING: case TYPE_VECTOR:
	case TYPE_OPTIONAL:
		t->min = 4;
		return;
	case TYPE_OPAQUE:
		if (is_external(t))
			return;
		t->min = wire_round(t->bound.value);
		t->fixed = t->min <= RUN_MAX;
		return;
	case TYPE_ARRAY:
		measure(s, t->elem, via);
		if (is_external(t))
			return;
		t->min = times(t->elem->min, t->bound.value);
		t->fixed = t->elem->fixed && t->min <= RUN_MAX &&
		    t->bound.value <= RUN_MAX;
		return;
	default:
		break;
	}
	if (t->kind < TYPE_ALIAS || t->mark == DONE)
		return;
	if (t->mark == BUSY) {
		contains_itself(s, t, via);
		return;
	}
	if (too_deep(s, t))
		return;
	t->mark = BUSY;
	s->path[s->depth] = t;
	s->via[s->depth++] = via;
	measure_body(s, t);
	/* What others have is not there to be used inside of our runs. */
	if ((t->elsewhere || t->compact) && t->kind != TYPE_ALIAS)
		t->fixed = false;
	s->depth--;
	t->mark = DONE;
}

/* Do something to every argument and result. */
static void
for_procedures(struct shaper *s, void (*fn)(struct shaper *, struct type *))
{
	struct version *v;
	struct procedure *r;
	struct item *i;

	for (i = s->c->model->items; i != NULL; i = i->next) {
		if (i->kind != ITEM_PROGRAM)
			continue;
		for (v = i->program->versions; v != NULL; v = v->next)
			for (r = v->procs; r != NULL; r = r->next) {
				fn(s, r->args);
				fn(s, r->res);
			}
	}
}

static void
measure_one(struct shaper *s, struct type *t)
{
	measure(s, t, t->where);
}

static void
measure_all(struct shaper *s)
{
	static const uint32_t sizes[] = {
		[TYPE_VOID] = 0, [TYPE_BOOL] = 4, [TYPE_INT] = 4,
		[TYPE_UINT] = 4, [TYPE_HYPER] = 8, [TYPE_UHYPER] = 8,
		[TYPE_FLOAT] = 4, [TYPE_DOUBLE] = 8, [TYPE_QUADRUPLE] = 16
	};
	struct type *t;
	struct item *i;
	size_t n;

	for (n = 0; n < sizeof s->c->basic / sizeof *s->c->basic; n++) {
		if ((t = s->c->basic[n]) == NULL)
			continue;
		t->min = t->max = sizes[t->kind];
		t->fixed = true;
	}
	clear_marks(s);
	FOR_TYPES(s, i)
		measure_one(s, i->type);
	for_procedures(s, measure_one);
}

/* --------------------------------------------------------------- lists -- */

/* The last member that is an optional of the struct itself. */
static void
find_link(struct type *t)
{
	struct member *m;
	struct type *o;

	for (m = t->members; m != NULL; m = m->next) {
		o = type_real(m->type);
		if (o->kind == TYPE_OPTIONAL && type_real(o->elem) == t)
			t->link = m;
	}
}

/* ---------------------------------------------------------- components -- */

static void	connect(struct shaper *, struct type *);

static void
follow(struct shaper *s, struct type *from, struct type *to)
{
	unsigned *low = &s->low[from->mark];

	if (to == NULL || to->kind == TYPE_ENUM)
		return;
	if (to == from)
		from->recursive = true;
	if (to->mark == 0)
		connect(s, to);
	else if (to->component == 0 && s->index[to->mark] < *low)
		*low = s->index[to->mark];	/* still on the stack */
	if (to->component == 0 && s->low[to->mark] < *low)
		*low = s->low[to->mark];
}

static void
follow_all(struct shaper *s, struct type *t)
{
	struct member *m;
	struct arm *a;

	if (t->kind == TYPE_ALIAS)
		follow(s, t, named(t->elem));
	for (m = t->members; m != NULL; m = m->next)
		if (m != t->link)
			follow(s, t, named(m->type));
	for (a = t->arms; a != NULL; a = a->next)
		follow(s, t, named(a->member->type));
}

/* Tarjan: a type is the root of its component if it reaches none earlier. */
static void
connect(struct shaper *s, struct type *t)
{
	struct type *u;
	bool several;

	t->mark = ++s->next_index;
	s->index[t->mark] = s->low[t->mark] = t->mark;
	s->stack[s->nstack++] = t;
	if (too_deep(s, t))
		return;
	s->depth++;
	follow_all(s, t);
	s->depth--;
	if (s->low[t->mark] != t->mark)
		return;
	several = s->stack[s->nstack - 1] != t;
	do {
		u = s->stack[--s->nstack];
		u->component = t->mark;
		u->recursive = u->recursive || several;
	} while (u != t);
}

static void
components(struct shaper *s)
{
	struct item *i;
	unsigned n = 1;

	FOR_TYPES(s, i)
		n++;
	s->stack = mem_grow(s->c->mem, NULL, 0, n, sizeof(*s->stack));
	s->index = mem_grow(s->c->mem, NULL, 0, n, sizeof(*s->index));
	s->low = mem_grow(s->c->mem, NULL, 0, n, sizeof(*s->low));
	clear_marks(s);
	FOR_TYPES(s, i)
		if (i->type->mark == 0 && i->type->kind != TYPE_ENUM)
			connect(s, i->type);
}

/* ------------------------------------------------------- greatest sizes -- */

static uint32_t	greatest(struct shaper *, struct type *);

static uint32_t
greatest_body(struct shaper *s, struct type *t)
{
	uint32_t max = 0, m_max;
	struct member *m;
	struct arm *a;

	switch (t->kind) {
	case TYPE_STRUCT:
		if (t->external)
			return WIRE_MAX;
		for (m = t->members; m != NULL; m = m->next)
			max = plus(max, greatest(s, m->type));
		return max;
	case TYPE_UNION:
		for (a = t->arms; a != NULL; a = a->next) {
			m_max = greatest(s, a->member->type);
			max = m_max > max ? m_max : max;
		}
		return plus(max, 4);
	case TYPE_ALIAS:
		return greatest(s, t->elem);
	default:
		return 4;
	}
}

static uint32_t
greatest(struct shaper *s, struct type *t)
{
	switch (t->kind) {
	case TYPE_BYTES: case TYPE_STRING:
		return t->max = plus(4, wire_round(t->bound.value));
	case TYPE_OPAQUE:
		return t->max = wire_round(t->bound.value);
	case TYPE_ARRAY:
		return t->max = times(greatest(s, t->elem), t->bound.value);
	case TYPE_VECTOR:
		return t->max = plus(4, times(greatest(s, t->elem),
		    t->bound.value));
	case TYPE_OPTIONAL:
		return t->max = plus(4, greatest(s, t->elem));
	default:
		break;
	}
	if (t->kind < TYPE_ALIAS || t->mark == DONE)
		return t->max;
	if (t->mark == BUSY)
		return WIRE_MAX;	/* recursive: there is no greatest */
	if (too_deep(s, t))
		return WIRE_MAX;
	t->mark = BUSY;
	s->depth++;
	t->max = greatest_body(s, t);
	s->depth--;
	t->mark = DONE;
	return t->max;
}

static void
greatest_one(struct shaper *s, struct type *t)
{
	(void)greatest(s, t);
}

/* ---------------------------------------------------------------- runs -- */

static void
find_runs(struct shaper *s, struct type *t)
{
	struct run **last = &t->runs, *r = NULL;
	struct member *m;

	for (m = t->members; m != NULL; m = m->next) {
		if (r == NULL || !r->fixed || !m->type->fixed ||
		    r->size + m->type->min > RUN_MAX) {
			r = MEM_NEW(s->c->mem, struct run);
			r->first = m;
			r->fixed = m->type->fixed;
			*last = r;
			last = &r->next;
		}
		r->count++;
		if (r->fixed)
			r->size += m->type->min;
	}
}

/* --------------------------------------------------------------- order -- */

static void	place_type(struct shaper *, struct type *);

static void
append(struct shaper *s, struct item *i)
{
	i->next = NULL;
	*s->last = i;
	s->last = &i->next;
}

/* A constant stands before what uses it: a bound, another constant. */
static void
place_constant(struct shaper *s, struct constant *k)
{
	struct item *i;

	if (k == NULL)
		return;
	if (k->of != NULL) {
		place_type(s, k->of);
	} else if ((i = k->item) != NULL) {
		k->item = NULL;
		place_constant(s, k->same);
		append(s, i);
	}
}

/*
 * What must stand before a use of `t`.  Behind a pointer a struct or union
 * need not be complete; a typedef and an enum must be known everywhere.
 */
static void
place_needed(struct shaper *s, struct type *t, bool pointer)
{
	switch (t->kind) {
	case TYPE_ARRAY:
		place_constant(s, t->bound.constant);
		place_needed(s, t->elem, pointer);
		return;
	case TYPE_VECTOR: case TYPE_OPTIONAL:
		place_constant(s, t->bound.constant);
		place_needed(s, t->elem, true);
		return;
	case TYPE_OPAQUE: case TYPE_BYTES: case TYPE_STRING:
		place_constant(s, t->bound.constant);
		return;
	case TYPE_STRUCT: case TYPE_UNION:
		if (!pointer)
			place_type(s, t);
		return;
	case TYPE_ALIAS:
		place_type(s, t);
		if (!pointer)
			place_needed(s, t->elem, false);
		return;
	case TYPE_ENUM:
		place_type(s, t);
		return;
	default:
		return;
	}
}

static void
place_body(struct shaper *s, struct type *t)
{
	struct member *m;
	struct arm *a;
	bool plain;

	if (t->kind == TYPE_ALIAS) {
		/* A name for a struct needs only the struct's tag. */
		plain = t->elem->kind == TYPE_STRUCT ||
		    t->elem->kind == TYPE_UNION;
		place_needed(s, t->elem, plain);
	}
	for (m = t->members; m != NULL; m = m->next)
		place_needed(s, m->type, false);
	if (t->disc != NULL)
		place_needed(s, t->disc->type, false);
	for (a = t->arms; a != NULL; a = a->next)
		place_needed(s, a->member->type, false);
}

static void
place_type(struct shaper *s, struct type *t)
{
	struct item *i = t->printer;

	if (t->mark == DONE || t->is_bare_alias)
		return;
	if (t->mark == BUSY) {
		diag_error(s->c->diag, t->where, NULL,
		    "'%s' cannot be defined without itself", t->name);
		return;
	}
	if (too_deep(s, t))
		return;
	t->mark = BUSY;
	s->depth++;
	place_body(s, t);
	s->depth--;
	t->mark = DONE;
	append(s, i);
}

static void
order_items(struct shaper *s)
{
	struct item *i, *next, *programs = NULL, **last_program = &programs;
	struct item *old = s->c->model->items;

	clear_marks(s);
	for (i = old; i != NULL; i = i->next) {
		if (i->kind == ITEM_TYPE)
			i->type->printer = i;
		else if (i->kind == ITEM_CONSTANT)
			i->constant->item = i;
	}
	s->last = &s->c->model->items;
	for (i = old; i != NULL; i = next) {
		next = i->order;
		switch (i->kind) {
		case ITEM_TYPE:
			if (i->type->is_bare_alias)
				append(s, i);
			else
				place_type(s, i->type);
			break;
		case ITEM_CONSTANT:
			place_constant(s, i->constant);
			break;
		case ITEM_PASS:
			append(s, i);
			break;
		case ITEM_PROGRAM:
			*last_program = i;
			last_program = &i->next;
			break;
		}
	}
	*last_program = NULL;
	*s->last = programs;
}

void
check_shapes(struct checker *c)
{
	struct shaper *s = MEM_NEW(c->mem, struct shaper);
	struct item *i;

	s->c = c;
	measure_all(s);
	if (c->diag->errors > 0)
		return;
	FOR_TYPES(s, i)
		find_link(i->type);
	components(s);
	clear_marks(s);
	FOR_TYPES(s, i) {
		greatest_one(s, i->type);
		find_runs(s, i->type);
	}
	for_procedures(s, greatest_one);
	for (i = c->model->items; i != NULL; i = i->next)
		i->order = i->next;
	order_items(s);
	FOR_TYPES(s, i)
		i->type->printer = NULL;
}
