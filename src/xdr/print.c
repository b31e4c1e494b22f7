/*
 * Values as one line of text, by their types' descriptors: what trace_rpc
 * shows.  See pinefs/xdr.h and xdr_type.h.
 */
#include "xdr/print.h"
#include "xdr/walk.h"

#include <inttypes.h>

enum { CLIP = 80 };	/* bytes of data that are shown of one value */
enum { ELEMENTS = 16 };	/* ... and elements of an array or list */
enum { DEPTH = 64 };

#define BASIC(NAME, KIND, TYPE, MIN)					\
const struct xdr_type xdr_type_##NAME = {				\
	.kind = XDR_KIND_##KIND, .size = sizeof(TYPE), .min = MIN,	\
	.name = #NAME							\
}

const struct xdr_type xdr_type_void = {
	.kind = XDR_KIND_VOID, .name = "void"
};
BASIC(bool, BOOL, bool, 4);
BASIC(int, INT, int32_t, 4);
BASIC(uint, UINT, uint32_t, 4);
BASIC(hyper, HYPER, int64_t, 8);
BASIC(uhyper, UHYPER, uint64_t, 8);
BASIC(float, FLOAT, float, 4);
BASIC(double, DOUBLE, double, 8);
BASIC(quadruple, QUADRUPLE, struct xdr_quadruple, 16);

static void	print(struct printer *, const struct xdr_type *,
		    const uint8_t *value);

/* -------------------------------------------------------------- output -- */

static void
put_hex(struct printer *p, const uint8_t *b, size_t n)
{
	print_hex(p, b, n < CLIP ? n : CLIP);
	if (n > CLIP)
		print_text(p, "...");
}

/* Names come from strangers and go to terminals. */
static void
put_text(struct printer *p, const uint8_t *b, size_t n)
{
	size_t i;

	print_text(p, "\"");
	for (i = 0; i < n && i < CLIP; i++) {
		if (b[i] == '"' || b[i] == '\\')
			print_format(p, "\\%c", b[i]);
		else if (b[i] >= ' ' && b[i] < 0x7f)
			print_bytes(p, (const char *)&b[i], 1);
		else
			print_format(p, "\\x%02x", b[i]);
	}
	print_text(p, n > CLIP ? "\"..." : "\"");
}

/* -------------------------------------------------------------- values -- */

/* Of bytes in several pieces the first one is shown. */
static void
print_view(struct printer *p, const struct xdr_type *t, const uint8_t *value)
{
	struct xdr_piece piece;
	uint8_t some[CLIP];
	struct xdr_view v;
	size_t n;

	memcpy(&v, value, sizeof v);
	n = v.len;
	if (v.npieces > 0) {
		memcpy(&piece, v.data, sizeof piece);
		n = piece.len;
		v.data = some;
		if (xdr_piece_copy(&piece, 0, some, n < CLIP ? n : CLIP) != 0)
			n = 0;
	}
	if (t->kind == XDR_KIND_STRING)
		put_text(p, v.data, n);
	else
		put_hex(p, v.data, n);
	if (n < v.len)
		print_text(p, "...");
}

static void
print_elements(struct printer *p, const struct xdr_type *elem,
    const uint8_t *v, uint32_t n)
{
	uint32_t i;

	print_text(p, "[");
	for (i = 0; i < n && i < ELEMENTS; i++) {
		if (i > 0)
			print_text(p, ",");
		print(p, elem, v + (size_t)i * elem->size);
	}
	if (i < n)
		print_format(p, ",... %" PRIu32 " in all", n);
	print_text(p, "]");
}

static void
print_fields(struct printer *p, const struct xdr_type *t,
    const uint8_t *value)
{
	const struct xdr_field *f;
	const char *comma = "";
	uint32_t i;

	print_text(p, "{");
	for (i = 0; i < t->n; i++) {
		f = &t->fields[i];
		if (f == t->link)
			continue;	/* printed as a list */
		print_text(p, comma);
		print_text(p, xdr_field_name(f));
		print_text(p, "=");
		print(p, f->type, value + f->offset);
		comma = ",";
	}
	print_text(p, "}");
}

/* A list: what the nodes hold, without their links. */
static void
print_list(struct printer *p, const struct xdr_type *node, const uint8_t *v)
{
	uint32_t n = 0;

	print_text(p, "[");
	for (; v != NULL; v = walk_pointer(v + node->link->offset)) {
		if (n > 0)
			print_text(p, ",");
		if (n++ == ELEMENTS) {
			print_text(p, "...");
			break;
		}
		print_fields(p, node, v);
	}
	print_text(p, "]");
}

static void
print_optional(struct printer *p, const struct xdr_type *t,
    const uint8_t *value)
{
	const uint8_t *to = walk_pointer(value);

	if (t->elem->link != NULL)
		print_list(p, t->elem, to);
	else if (to == NULL)
		print_text(p, "none");
	else
		print(p, t->elem, to);
}

static void
print_enum(struct printer *p, const struct xdr_type *t, const uint8_t *value)
{
	int32_t v = walk_int(value);
	const char *name = walk_name(t, v);

	if (name != NULL)
		print_text(p, name);
	else
		print_format(p, "%" PRId32, v);
}

static void
print_union(struct printer *p, const struct xdr_type *t,
    const uint8_t *value)
{
	const struct xdr_field *arm = walk_arm(t,
	    walk_discriminant(t, value));

	print_format(p, "{%s=", xdr_field_name(&t->fields[0]));
	print(p, t->fields[0].type, value + t->fields[0].offset);
	if (arm != NULL && arm->path != NULL) {
		print_text(p, ",");
		print_text(p, xdr_field_name(arm));
		print_text(p, "=");
		print(p, arm->type, value + arm->offset);
	}
	print_text(p, "}");
}

static void
print_number(struct printer *p, const struct xdr_type *t,
    const uint8_t *value)
{
	double d;
	float f;

	if (print_integer(p, t, value))
		return;
	if (t->kind == XDR_KIND_FLOAT) {
		memcpy(&f, value, sizeof f);
		print_format(p, "%g", (double)f);
	} else {	/* XDR_KIND_DOUBLE */
		memcpy(&d, value, sizeof d);
		print_format(p, "%g", d);
	}
}

static void
print(struct printer *p, const struct xdr_type *t, const uint8_t *value)
{
	struct vector v;
	struct xdr_lazy lazy;

	if (p->depth == DEPTH || p->len >= p->size) {
		print_text(p, "...");
		return;
	}
	p->depth++;
	switch (t->kind) {
	case XDR_KIND_VOID:
		break;
	case XDR_KIND_BOOL:
		print_text(p, *value != 0 ? "true" : "false");
		break;
	case XDR_KIND_QUADRUPLE:
		put_hex(p, value, 16);
		break;
	case XDR_KIND_ENUM:
		print_enum(p, t, value);
		break;
	case XDR_KIND_OPAQUE:
		put_hex(p, value, t->bound);
		break;
	case XDR_KIND_BYTES:
	case XDR_KIND_STRING:
		print_view(p, t, value);
		break;
	case XDR_KIND_ARRAY:
		print_elements(p, t->elem, value, t->bound);
		break;
	case XDR_KIND_VECTOR:
		memcpy(&v, value, sizeof v);
		print_elements(p, t->elem, v.v, v.n);
		break;
	case XDR_KIND_OPTIONAL:
		print_optional(p, t, value);
		break;
	case XDR_KIND_STRUCT:
		print_fields(p, t, value);
		break;
	case XDR_KIND_UNION:
		print_union(p, t, value);
		break;
	case XDR_KIND_LAZY:
		memcpy(&lazy, value, sizeof lazy);
		print_format(p, "[%" PRIu32 "]", lazy.n);
		break;
	default:
		print_number(p, t, value);
		break;
	}
	p->depth--;
}

size_t
xdr_print(char *to, size_t size, const struct xdr_type *t, const void *value)
{
	struct printer p = { .to = to, .size = size > 0 ? size - 1 : 0 };

	print(&p, t, value);
	return print_end(&p, to, size);
}
