/*
 * The size of values, comparing them and making them up, by their types'
 * descriptors.  See pinefs/xdr.h and xdr_type.h.
 */
#include "xdr/walk.h"

enum { DEPTH = 8 };	/* from which made-up values stop branching */

/* -------------------------------------------------------------- equal -- */

static bool	equal(const struct xdr_type *, const uint8_t *a,
		    const uint8_t *b);

static bool
equal_elements(const struct xdr_type *elem, const uint8_t *a,
    const uint8_t *b, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!equal(elem, a + (size_t)i * elem->size,
		    b + (size_t)i * elem->size))
			return false;
	return true;
}

static bool
equal_fields(const struct xdr_type *t, const uint8_t *a, const uint8_t *b)
{
	const struct xdr_field *f;
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		f = &t->fields[i];
		if (f != t->link &&
		    !equal(f->type, a + f->offset, b + f->offset))
			return false;
	}
	return true;
}

/* Both lists from here on, in a loop: they may be long. */
static bool
equal_lists(const struct xdr_type *node, const uint8_t *a, const uint8_t *b)
{
	while (a != NULL && b != NULL) {
		if (!equal_fields(node, a, b))
			return false;
		a = walk_pointer(a + node->link->offset);
		b = walk_pointer(b + node->link->offset);
	}
	return a == b;
}

static bool
equal_optional(const struct xdr_type *t, const uint8_t *a, const uint8_t *b)
{
	a = walk_pointer(a);
	b = walk_pointer(b);
	if (t->elem->link != NULL)
		return equal_lists(t->elem, a, b);
	return a == NULL || b == NULL ? a == b : equal(t->elem, a, b);
}

static bool
equal_unions(const struct xdr_type *t, const uint8_t *a, const uint8_t *b)
{
	const struct xdr_field *arm;

	if (walk_discriminant(t, a) != walk_discriminant(t, b))
		return false;
	arm = walk_arm(t, walk_discriminant(t, a));
	return arm == NULL || equal(arm->type, a + arm->offset,
	    b + arm->offset);
}

static bool
equal_views(const uint8_t *a, const uint8_t *b)
{
	struct xdr_view v, w;

	memcpy(&v, a, sizeof v);
	memcpy(&w, b, sizeof w);
	return v.len == w.len && (v.len == 0 ||
	    memcmp(v.data, w.data, v.len) == 0);
}

static bool
equal(const struct xdr_type *t, const uint8_t *a, const uint8_t *b)
{
	struct vector v, w;

	switch (t->kind) {
	case XDR_KIND_VOID:
	case XDR_KIND_LAZY:
		return true;
	case XDR_KIND_OPAQUE:
		return memcmp(a, b, t->bound) == 0;
	case XDR_KIND_BYTES:
	case XDR_KIND_STRING:
		return equal_views(a, b);
	case XDR_KIND_ARRAY:
		return equal_elements(t->elem, a, b, t->bound);
	case XDR_KIND_VECTOR:
		memcpy(&v, a, sizeof v);
		memcpy(&w, b, sizeof w);
		return v.n == w.n && equal_elements(t->elem, v.v, w.v, v.n);
	case XDR_KIND_OPTIONAL:
		return equal_optional(t, a, b);
	case XDR_KIND_STRUCT:
		return equal_fields(t, a, b) && (t->link == NULL ||
		    equal_lists(t, walk_pointer(a + t->link->offset),
		    walk_pointer(b + t->link->offset)));
	case XDR_KIND_UNION:
		return equal_unions(t, a, b);
	default:
		return memcmp(a, b, t->size) == 0;
	}
}

bool
xdr_equal(const struct xdr_type *t, const void *a, const void *b)
{
	return equal(t, a, b);
}

/* --------------------------------------------------------------- size -- */

static size_t
size_elements(const struct xdr_type *elem, const uint8_t *v, uint32_t n)
{
	size_t size = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		size += xdr_size(elem, v + (size_t)i * elem->size);
	return size;
}

static size_t
size_fields(const struct xdr_type *t, const uint8_t *value)
{
	size_t size = 0;
	uint32_t i;

	for (i = 0; i < t->n; i++)
		if (&t->fields[i] != t->link)
			size += xdr_size(t->fields[i].type,
			    value + t->fields[i].offset);
	return size;
}

/* Each node and the word before it, and the word that ends the list. */
static size_t
size_list(const struct xdr_type *node, const uint8_t *v)
{
	size_t size = 4;

	for (; v != NULL; v = walk_pointer(v + node->link->offset))
		size += 4 + size_fields(node, v);
	return size;
}

static size_t
size_optional(const struct xdr_type *t, const uint8_t *v)
{
	if (t->elem->link != NULL)
		return size_list(t->elem, v);
	return v == NULL ? 4 : 4 + xdr_size(t->elem, v);
}

static size_t
size_union(const struct xdr_type *t, const uint8_t *value)
{
	const struct xdr_field *arm = walk_arm(t, walk_discriminant(t, value));

	return arm == NULL ? 4 : 4 + xdr_size(arm->type, value + arm->offset);
}

size_t
xdr_size(const struct xdr_type *t, const void *at)
{
	const uint8_t *value = at;
	struct xdr_view view;
	struct vector v;

	switch (t->kind) {
	case XDR_KIND_VOID:
		return 0;
	case XDR_KIND_HYPER:
	case XDR_KIND_UHYPER:
	case XDR_KIND_DOUBLE:
		return 8;
	case XDR_KIND_QUADRUPLE:
		return 16;
	case XDR_KIND_OPAQUE:
		return ((size_t)t->bound + 3) & ~(size_t)3;
	case XDR_KIND_BYTES:
	case XDR_KIND_STRING:
		memcpy(&view, value, sizeof view);
		return xdr_view_size(&view);
	case XDR_KIND_ARRAY:
		return size_elements(t->elem, value, t->bound);
	case XDR_KIND_VECTOR:
		memcpy(&v, value, sizeof v);
		return 4 + size_elements(t->elem, v.v, v.n);
	case XDR_KIND_OPTIONAL:
		return size_optional(t, walk_pointer(value));
	case XDR_KIND_STRUCT:
		return size_fields(t, value) + (t->link == NULL ? 0 :
		    size_list(t, walk_pointer(value + t->link->offset)));
	case XDR_KIND_UNION:
		return size_union(t, value);
	default:	/* a bool, a number, an enum; the count of LAZY */
		return 4;
	}
}

/* ------------------------------------------------------------- random -- */

struct maker {
	uint64_t state;
	struct xdr_arena *arena;
	unsigned depth;
	bool failed;
};

static void	make(struct maker *, const struct xdr_type *, uint8_t *value);

/* splitmix64: any seed is a good one. */
static uint64_t
next(struct maker *m)
{
	uint64_t z = m->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint32_t
below(struct maker *m, uint32_t n)
{
	return n == 0 ? 0 : (uint32_t)(next(m) % n);
}

static void *
memory(struct maker *m, size_t n)
{
	void *p = xdr_arena_zalloc(m->arena, n);

	m->failed = m->failed || p == NULL;
	return p;
}

static void
fill(struct maker *m, uint8_t *to, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = (uint8_t)next(m);
}

/* Mostly short, sometimes empty, sometimes as long as it may be. */
static uint32_t
length(struct maker *m, uint32_t bound, uint32_t usual)
{
	uint32_t most = bound < usual ? bound : usual;

	if (m->depth > DEPTH)
		return 0;
	if (bound <= 1024 && below(m, 16) == 0)
		return bound;
	return below(m, most + 1);
}

static void
make_view(struct maker *m, const struct xdr_type *t, uint8_t *value)
{
	uint32_t n = length(m, t->bound, below(m, 32) == 0 ? 5000 : 40);
	uint8_t *to = memory(m, n);
	struct xdr_view v;
	uint32_t i;

	if (to == NULL)
		return;
	fill(m, to, n);
	/* Elsewhere strings end at a NUL. */
	for (i = 0; t->kind == XDR_KIND_STRING && i < n; i++)
		to[i] |= to[i] == 0;
	v = xdr_view(to, n);
	memcpy(value, &v, sizeof v);
}

static void
make_elements(struct maker *m, const struct xdr_type *elem, uint8_t *v,
    uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		make(m, elem, v + (size_t)i * elem->size);
}

static void
make_vector(struct maker *m, const struct xdr_type *t, uint8_t *value)
{
	struct vector v;

	v.n = length(m, t->bound, 5);
	v.v = memory(m, (size_t)v.n * t->elem->size);
	if (v.v == NULL)
		return;
	make_elements(m, t->elem, v.v, v.n);
	memcpy(value, &v, sizeof v);
}

static void
make_fields(struct maker *m, const struct xdr_type *t, uint8_t *value)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		if (&t->fields[i] != t->link)
			make(m, t->fields[i].type, value +
			    t->fields[i].offset);
}

/* n nodes behind the pointer at `place`. */
static void
make_list(struct maker *m, const struct xdr_type *node, uint8_t *place,
    uint32_t n)
{
	uint8_t *v;

	for (; n > 0; n--) {
		if ((v = memory(m, node->size)) == NULL)
			return;
		make_fields(m, node, v);
		memcpy(place, &v, sizeof v);
		place = v + node->link->offset;
	}
}

static void
make_optional(struct maker *m, const struct xdr_type *t, uint8_t *value)
{
	uint8_t *v;

	if (t->elem->link != NULL) {
		make_list(m, t->elem, value, length(m, UINT32_MAX, 6));
	} else if (length(m, UINT32_MAX, 3) > 1) {
		if ((v = memory(m, t->elem->size)) == NULL)
			return;
		make(m, t->elem, v);
		memcpy(value, &v, sizeof v);
	}
}

static void
make_union(struct maker *m, const struct xdr_type *t, uint8_t *value)
{
	const struct xdr_type *d = t->fields[0].type;
	uint8_t *disc = value + t->fields[0].offset;
	const struct xdr_field *arm;
	int32_t v;

	/* Any value if there is a default, else one that has an arm. */
	make(m, d, disc);
	v = walk_discriminant(t, value);
	if ((t->otherwise == NULL && walk_arm(t, v) == NULL) ||
	    (t->n > 0 && below(m, 2) == 0)) {
		v = t->arms[below(m, t->n)].label;
		if (d->kind == XDR_KIND_BOOL)
			*disc = v != 0;
		else
			memcpy(disc, &v, sizeof v);
	}
	arm = walk_arm(t, v);
	if (arm != NULL)
		make(m, arm->type, value + arm->offset);
}

static void
make(struct maker *m, const struct xdr_type *t, uint8_t *value)
{
	if (m->failed)
		return;
	m->depth++;
	switch (t->kind) {
	case XDR_KIND_VOID:
	case XDR_KIND_LAZY:
		break;
	case XDR_KIND_BOOL:
		*value = next(m) & 1;
		break;
	case XDR_KIND_ENUM:
		memcpy(value, &t->names[below(m, t->n)].value, 4);
		break;
	case XDR_KIND_OPAQUE:
		fill(m, value, t->bound);
		break;
	case XDR_KIND_BYTES:
	case XDR_KIND_STRING:
		make_view(m, t, value);
		break;
	case XDR_KIND_ARRAY:
		make_elements(m, t->elem, value, t->bound);
		break;
	case XDR_KIND_VECTOR:
		make_vector(m, t, value);
		break;
	case XDR_KIND_OPTIONAL:
		make_optional(m, t, value);
		break;
	case XDR_KIND_STRUCT:
		make_fields(m, t, value);
		if (t->link != NULL)
			make_list(m, t, value + t->link->offset,
			    length(m, UINT32_MAX, 6));
		break;
	case XDR_KIND_UNION:
		make_union(m, t, value);
		break;
	default:
		fill(m, value, t->size);
		break;
	}
	m->depth--;
}

int
xdr_random(const struct xdr_type *t, void *value, uint64_t *seed,
    struct xdr_arena *arena)
{
	struct maker m = { .state = *seed, .arena = arena };

	memset(value, 0, t->size);
	make(&m, t, value);
	*seed = m.state;
	return m.failed ? ENOMEM : 0;
}
