/*
 * Codecs by descriptors, for types that are compiled with --compact: the
 * same checks, bytes and failures as the straight-line ones, in a fraction
 * of the text.  See pinefs/xdr_type.h.
 */
#include "xdr/walk.h"

enum { PLACES = 64 };	/* kept of a list, to find the way back */

static int	decode(struct xdr_in *, const struct xdr_type *, uint8_t *to,
		    const char *where);
static int	encode(struct xdr_out *, const struct xdr_type *,
		    const uint8_t *value, const char *where);

/* What a failure of an element is said of. */
static const char *
place(const struct xdr_type *elem, const char *where)
{
	return elem->kind == XDR_KIND_ENUM ? elem->name : where;
}

/* ------------------------------------------------------------- decoding -- */

static int
decode_fields(struct xdr_in *in, const struct xdr_type *t,
    const struct xdr_field *f, const struct xdr_field *end, uint8_t *to)
{
	int err = 0;

	if (t->depth > 0 && in->depth >= t->depth)
		return xdr_fail(in, XDR_TOO_DEEP, t->name);
	in->depth = (uint16_t)(in->depth + (t->depth > 0));
	for (; f < end && err == 0; f++)
		err = decode(in, f->type, to + f->offset, f->path);
	in->depth = (uint16_t)(in->depth - (t->depth > 0));
	return err;
}

/*
 * The nodes behind `place`.  Where members follow the link, theirs come last
 * node first; links point backwards until then.
 */
static int
decode_list(struct xdr_in *in, const struct xdr_type *node, uint8_t *place)
{
	const struct xdr_field *link = node->link, *rest = link + 1;
	const struct xdr_field *end = node->fields + node->n;
	uint8_t *v, *last = NULL, *next = NULL;
	bool more;
	int err;

	for (;;) {
		if ((err = xdr_get_bool(in, &more, link->path)) != 0)
			return err;
		if (!more)
			break;
		if ((v = xdr_alloc(in, node->size)) == NULL)
			return xdr_fail(in, XDR_OVER_BUDGET, node->name);
		if ((err = decode_fields(in, node, node->fields, link,
		    v)) != 0)
			return err;
		if (rest == end) {
			memcpy(place, &v, sizeof v);
			place = v + link->offset;
		} else {
			memcpy(v + link->offset, &last, sizeof last);
			last = v;
		}
	}
	for (v = last; v != NULL; v = last) {
		if ((err = decode_fields(in, node, rest, end, v)) != 0)
			return err;
		last = walk_pointer(v + link->offset);
		memcpy(v + link->offset, &next, sizeof next);
		next = v;
	}
	memcpy(place, &next, sizeof next);
	return 0;
}

static int
decode_struct(struct xdr_in *in, const struct xdr_type *t, uint8_t *to)
{
	const struct xdr_field *end = t->fields + t->n;
	int err;

	if (t->link == NULL)
		return decode_fields(in, t, t->fields, end, to);
	if ((err = decode_fields(in, t, t->fields, t->link, to)) != 0 ||
	    (err = decode_list(in, t, to + t->link->offset)) != 0 ||
	    t->link + 1 == end)
		return err;
	return decode_fields(in, t, t->link + 1, end, to);
}

/* What is left over in other arms must not be of another message. */
static void
clear_arms(const struct xdr_type *t, uint8_t *to)
{
	const struct xdr_field *f = t->otherwise;
	uint32_t i;

	for (i = 0; i < t->n && (f == NULL || f->path == NULL); i++)
		f = &t->arms[i].field;
	if (f != NULL && f->path != NULL)
		memset(to + f->offset, 0, t->size - f->offset);
}

/* Does an enum that lists its values not have this one? */
static bool
is_unknown(const struct xdr_type *t, int32_t v)
{
	return t->known != NULL && !t->known((uint32_t)v);
}

/* An arm for it, where no case names the value. */
static enum xdr_error
no_case(const struct xdr_type *t, int32_t v)
{
	if (is_unknown(t->fields[0].type, v))
		return XDR_BAD_ENUM;
	return t->otherwise == NULL ? XDR_BAD_ARM : XDR_OK;
}

static const struct xdr_field *
find_case(const struct xdr_type *t, int32_t v)
{
	const struct xdr_field *arm = walk_arm(t, v);

	return arm == t->otherwise ? NULL : arm;
}

static int
decode_union(struct xdr_in *in, const struct xdr_type *t, uint8_t *to)
{
	const struct xdr_field *disc = &t->fields[0], *arm;
	enum xdr_error why;
	const uint8_t *p;
	int32_t v;
	bool b;
	int err;

	/* An iterator's user may look at it whatever has failed. */
	memset(to + disc->offset, 0, disc->type->size);
	if ((p = xdr_need(in, 4, disc->path)) == NULL)
		return in->err;
	v = (int32_t)xdr_load_u32(p);
	if (disc->type->kind == XDR_KIND_BOOL) {
		if ((err = xdr_load_bool(in, p, &b, disc->path)) != 0)
			return err;
		to[disc->offset] = b;
	} else {
		memcpy(to + disc->offset, &v, sizeof v);
	}
	if ((arm = find_case(t, v)) == NULL) {
		if ((why = no_case(t, v)) != XDR_OK)
			return xdr_fail_at(in, why, disc->path, p);
		arm = t->otherwise;
	}
	if (arm->path == NULL)
		clear_arms(t, to);
	return decode_fields(in, t, arm, arm + (arm->path != NULL), to);
}

static int
decode_elements(struct xdr_in *in, const struct xdr_type *elem, uint8_t *to,
    uint32_t n, const char *where)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < n && err == 0; i++)
		err = decode(in, elem, to + (size_t)i * elem->size,
		    place(elem, where));
	return err;
}

static int
decode_vector(struct xdr_in *in, const struct xdr_type *t, uint8_t *to,
    const char *where)
{
	struct vector v = { NULL, 0 };
	int err = xdr_get_count(in, &v.n, t->bound, t->elem->min, where);

	if (err != 0)
		return err;
	v.v = xdr_alloc_array(in, v.n, t->elem->size);
	if (v.v == NULL && v.n > 0)
		return xdr_fail(in, XDR_OVER_BUDGET, where);
	memcpy(to, &v, sizeof v);
	return decode_elements(in, t->elem, v.v, v.n, where);
}

static int
decode_optional(struct xdr_in *in, const struct xdr_type *t, uint8_t *to,
    const char *where)
{
	uint8_t *v = NULL;
	bool more;
	int err;

	if (t->elem->link != NULL)
		return decode_list(in, t->elem, to);
	if ((err = xdr_get_bool(in, &more, where)) != 0)
		return err;
	if (more && (v = xdr_alloc(in, t->elem->size)) == NULL)
		return xdr_fail(in, XDR_OVER_BUDGET, where);
	memcpy(to, &v, sizeof v);
	return more ? decode(in, t->elem, v, place(t->elem, where)) : 0;
}

static int
decode_view(struct xdr_in *in, const struct xdr_type *t, uint8_t *to,
    const char *where)
{
	struct xdr_view v = { NULL, 0, 0 };
	int err = t->strict ? xdr_get_view_strict(in, &v, t->bound, where) :
	    xdr_get_view(in, &v, t->bound, where);

	if (err == 0)
		memcpy(to, &v, sizeof v);
	return err;
}

static int
decode_lazy(struct xdr_in *in, uint8_t *to, const char *where)
{
	struct xdr_lazy lazy = { .in = in };
	const uint8_t *p = xdr_need(in, 4, where);

	if (p == NULL)
		return in->err;
	lazy.n = xdr_load_u32(p);
	memcpy(to, &lazy, sizeof lazy);
	return 0;
}

/* What takes four bytes, and is all right unless it is an enum or a bool. */
static int
decode_word(struct xdr_in *in, const struct xdr_type *t, uint8_t *to,
    const char *where)
{
	const uint8_t *p = xdr_need(in, 4, where);
	uint32_t u;
	bool b;
	int err;

	if (p == NULL)
		return in->err;
	if (t->kind == XDR_KIND_BOOL) {
		err = xdr_load_bool(in, p, &b, where);
		*to = b;
		return err;
	}
	u = xdr_load_u32(p);
	memcpy(to, &u, sizeof u);
	if (t->kind == XDR_KIND_ENUM && is_unknown(t, (int32_t)u))
		return xdr_fail_at(in, XDR_BAD_ENUM, where, p);
	return 0;
}

static int
decode_long(struct xdr_in *in, const struct xdr_type *t, uint8_t *to,
    const char *where)
{
	const uint8_t *p = xdr_need(in, t->size, where);
	uint64_t u;

	if (p == NULL)
		return in->err;
	if (t->kind == XDR_KIND_QUADRUPLE) {
		memcpy(to, p, t->size);
	} else {
		u = xdr_load_u64(p);
		memcpy(to, &u, sizeof u);
	}
	return 0;
}

static int
decode(struct xdr_in *in, const struct xdr_type *t, uint8_t *to,
    const char *where)
{
	switch (t->kind) {
	case XDR_KIND_VOID:
		return 0;
	case XDR_KIND_BOOL: case XDR_KIND_INT: case XDR_KIND_UINT:
	case XDR_KIND_FLOAT: case XDR_KIND_ENUM:
		return decode_word(in, t, to, where);
	case XDR_KIND_HYPER: case XDR_KIND_UHYPER: case XDR_KIND_DOUBLE:
	case XDR_KIND_QUADRUPLE:
		return decode_long(in, t, to, where);
	case XDR_KIND_OPAQUE:
		return t->strict ? xdr_get_fixed_strict(in, to, t->bound,
		    where) : xdr_get_fixed(in, to, t->bound, where);
	case XDR_KIND_BYTES: case XDR_KIND_STRING:
		return decode_view(in, t, to, where);
	case XDR_KIND_ARRAY:
		return decode_elements(in, t->elem, to, t->bound, where);
	case XDR_KIND_VECTOR:
		return decode_vector(in, t, to, where);
	case XDR_KIND_OPTIONAL:
		return decode_optional(in, t, to, where);
	case XDR_KIND_STRUCT:
		return decode_struct(in, t, to);
	case XDR_KIND_UNION:
		return decode_union(in, t, to);
	case XDR_KIND_LAZY:
		break;
	}
	return decode_lazy(in, to, where);
}

int
xdr_decode(struct xdr_in *in, const struct xdr_type *t, void *to)
{
	return decode(in, t, to, t->name);
}

/* ------------------------------------------------------------- encoding -- */

static int
encode_fields(struct xdr_out *out, const struct xdr_type *t,
    const struct xdr_field *f, const struct xdr_field *end,
    const uint8_t *value)
{
	int err = 0;

	if (t->depth > 0 && out->depth >= t->depth)
		return xdr_out_fail(out, XDR_TOO_DEEP, t->name);
	out->depth = (uint16_t)(out->depth + (t->depth > 0));
	for (; f < end && err == 0; f++)
		err = encode(out, f->type, value + f->offset, f->path);
	out->depth = (uint16_t)(out->depth - (t->depth > 0));
	return err;
}

/*
 * What follows the links comes last node first.  The way back is found by
 * keeping some places, and in each stretch between two of them some again.
 */
static int
encode_ends(struct xdr_out *out, const struct xdr_type *node,
    const uint8_t *v, uint32_t n)
{
	const struct xdr_field *end = node->fields + node->n;
	uint32_t i, used = 0, step = (n + PLACES - 1) / PLACES, from;
	const uint8_t *last[PLACES];
	int err = 0;

	for (i = 0; i < n; i++, v = walk_pointer(v + node->link->offset))
		if (i % step == 0)
			last[used++] = v;
	while (used > 0 && err == 0) {
		from = --used * step;
		if (step == 1)
			err = encode_fields(out, node, node->link + 1, end,
			    last[used]);
		else
			err = encode_ends(out, node, last[used],
			    n - from < step ? n - from : step);
	}
	return err;
}

static int
encode_list(struct xdr_out *out, const struct xdr_type *node,
    const uint8_t *v)
{
	const struct xdr_field *link = node->link;
	const uint8_t *first = v;
	uint32_t n = 0;
	int err;

	for (; v != NULL; v = walk_pointer(v + link->offset), n++)
		if ((err = xdr_put_bool(out, true, link->path)) != 0 ||
		    (err = encode_fields(out, node, node->fields, link,
		    v)) != 0)
			return err;
	if ((err = xdr_put_bool(out, false, link->path)) != 0 ||
	    link + 1 == node->fields + node->n)
		return err;
	return encode_ends(out, node, first, n);
}

static int
encode_struct(struct xdr_out *out, const struct xdr_type *t,
    const uint8_t *value)
{
	const struct xdr_field *end = t->fields + t->n;
	int err;

	if (t->link == NULL)
		return encode_fields(out, t, t->fields, end, value);
	if ((err = encode_fields(out, t, t->fields, t->link, value)) != 0 ||
	    (err = encode_list(out, t, walk_pointer(value +
	    t->link->offset))) != 0 || t->link + 1 == end)
		return err;
	return encode_fields(out, t, t->link + 1, end, value);
}

static int
put_word(struct xdr_out *out, uint32_t u, const char *where)
{
	uint8_t *p = xdr_space(out, 4, where);

	if (p == NULL)
		return out->err;
	xdr_store_u32(p, u);
	return 0;
}

static int
encode_union(struct xdr_out *out, const struct xdr_type *t,
    const uint8_t *value)
{
	const struct xdr_field *disc = &t->fields[0], *arm;
	int32_t v = walk_discriminant(t, value);
	enum xdr_error why;
	int err = put_word(out, (uint32_t)v, disc->path);

	if (err != 0)
		return err;
	if ((arm = find_case(t, v)) == NULL) {
		if ((why = no_case(t, v)) != XDR_OK)
			return xdr_out_fail(out, why, disc->path);
		arm = t->otherwise;
	}
	return encode_fields(out, t, arm, arm + (arm->path != NULL), value);
}

static int
encode_elements(struct xdr_out *out, const struct xdr_type *elem,
    const uint8_t *v, uint32_t n, const char *where)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < n && err == 0; i++)
		err = encode(out, elem, v + (size_t)i * elem->size,
		    place(elem, where));
	return err;
}

static int
encode_vector(struct xdr_out *out, const struct xdr_type *t,
    const uint8_t *value, const char *where)
{
	struct vector v;
	int err;

	memcpy(&v, value, sizeof v);
	err = xdr_put_count(out, v.n, t->bound, where);
	return err != 0 ? err : encode_elements(out, t->elem, v.v, v.n, where);
}

static int
encode_optional(struct xdr_out *out, const struct xdr_type *t,
    const uint8_t *value, const char *where)
{
	const uint8_t *v = walk_pointer(value);
	int err;

	if (t->elem->link != NULL)
		return encode_list(out, t->elem, v);
	err = xdr_put_bool(out, v != NULL, where);
	return err != 0 || v == NULL ? err : encode(out, t->elem, v,
	    place(t->elem, where));
}

static int
encode_long(struct xdr_out *out, const struct xdr_type *t,
    const uint8_t *value, const char *where)
{
	uint8_t *p = xdr_space(out, t->size, where);
	uint64_t u;

	if (p == NULL)
		return out->err;
	if (t->kind == XDR_KIND_QUADRUPLE) {
		memcpy(p, value, t->size);
	} else {
		memcpy(&u, value, sizeof u);
		xdr_store_u64(p, u);
	}
	return 0;
}

static int
encode_view(struct xdr_out *out, const struct xdr_type *t,
    const uint8_t *value, const char *where)
{
	struct xdr_view v;

	memcpy(&v, value, sizeof v);
	return xdr_put_view(out, &v, t->bound, where);
}

/* The elements are the caller's to write. */
static int
encode_lazy(struct xdr_out *out, const uint8_t *value, const char *where)
{
	struct xdr_lazy lazy;

	memcpy(&lazy, value, sizeof lazy);
	return put_word(out, lazy.n, where);
}

static int
encode(struct xdr_out *out, const struct xdr_type *t, const uint8_t *value,
    const char *where)
{
	switch (t->kind) {
	case XDR_KIND_VOID:
		return 0;
	case XDR_KIND_BOOL:
		return put_word(out, *value, where);
	case XDR_KIND_ENUM:
		if (is_unknown(t, walk_int(value)))
			return xdr_out_fail(out, XDR_BAD_ENUM, where);
		return put_word(out, (uint32_t)walk_int(value), where);
	case XDR_KIND_INT: case XDR_KIND_UINT: case XDR_KIND_FLOAT:
		return put_word(out, (uint32_t)walk_int(value), where);
	case XDR_KIND_HYPER: case XDR_KIND_UHYPER: case XDR_KIND_DOUBLE:
	case XDR_KIND_QUADRUPLE:
		return encode_long(out, t, value, where);
	case XDR_KIND_OPAQUE:
		return xdr_put_fixed(out, value, t->bound, where);
	case XDR_KIND_BYTES: case XDR_KIND_STRING:
		return encode_view(out, t, value, where);
	case XDR_KIND_ARRAY:
		return encode_elements(out, t->elem, value, t->bound, where);
	case XDR_KIND_VECTOR:
		return encode_vector(out, t, value, where);
	case XDR_KIND_OPTIONAL:
		return encode_optional(out, t, value, where);
	case XDR_KIND_STRUCT:
		return encode_struct(out, t, value);
	case XDR_KIND_UNION:
		return encode_union(out, t, value);
	case XDR_KIND_LAZY:
		break;
	}
	return encode_lazy(out, value, where);
}

int
xdr_encode(struct xdr_out *out, const struct xdr_type *t, const void *value)
{
	return encode(out, t, value, t->name);
}
