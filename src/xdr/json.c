/*
 * Values as JSON (RFC 8259), by their types' descriptors: all of them, for
 * programs to read.  See pinefs/xdr_type.h.
 */
#include "xdr/print.h"
#include "xdr/walk.h"

#include <inttypes.h>
#include <math.h>

enum { DEPTH = 1000 };	/* of values made by hand; decoded ones have less */

static void	json(struct printer *, const struct xdr_type *,
		    const uint8_t *value);

/* -------------------------------------------------------------- strings -- */

/* Bytes of the UTF-8 character at s, of n bytes at most; 0: it is none. */
static size_t
utf8_len(const uint8_t *s, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4, i;
	uint32_t c = s[0] & (0xff >> (len + 1));

	if (s[0] < 0xc2 || s[0] > 0xf4 || len > n)
		return 0;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ?
	    0 : len;
}

/* XDR's strings are bytes; a byte that is no UTF-8 stands for U+00XX. */
static void
json_string(struct printer *p, const uint8_t *s, size_t n)
{
	size_t i, len;

	print_text(p, "\"");
	for (i = 0; i < n; i += len) {
		len = s[i] < 0x80 ? 1 : utf8_len(s + i, n - i);
		if (s[i] == '"' || s[i] == '\\')
			print_format(p, "\\%c", s[i]);
		else if (len == 0 || s[i] < 0x20)
			print_format(p, "\\u%04x", s[i]);
		else
			print_bytes(p, (const char *)s + i, len);
		len += len == 0;
	}
	print_text(p, "\"");
}

static void
json_piece(struct printer *p, const struct xdr_piece *piece)
{
	uint8_t some[256];
	size_t done, n;

	for (done = 0; done < piece->len; done += n) {
		n = piece->len - done < sizeof some ? piece->len - done :
		    sizeof some;
		if (xdr_piece_copy(piece, done, some, n) != 0)
			return;
		print_hex(p, some, n);
	}
}

/* Bytes in several pieces are joined, but for strings: those have one. */
static void
json_view(struct printer *p, const struct xdr_type *t, const uint8_t *value)
{
	struct xdr_piece piece;
	struct xdr_view v;
	uint32_t i;

	memcpy(&v, value, sizeof v);
	if (v.npieces == 0 && t->kind == XDR_KIND_STRING) {
		json_string(p, v.data, v.len);
		return;
	}
	print_text(p, "\"");
	if (v.npieces == 0)
		print_hex(p, v.data, v.len);
	for (i = 0; i < v.npieces; i++) {
		memcpy(&piece, (const uint8_t *)v.data + i * sizeof piece,
		    sizeof piece);
		json_piece(p, &piece);
	}
	print_text(p, "\"");
}

/* ------------------------------------------------------------- numbers -- */

/* JSON has no word for what is no number, so that is a string. */
static void
json_real(struct printer *p, double d, int digits)
{
	if (isnan(d))
		print_text(p, "\"NaN\"");
	else if (isinf(d))
		print_text(p, d > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	else
		print_format(p, "%.*g", digits, d);
}

static void
json_number(struct printer *p, const struct xdr_type *t, const uint8_t *value)
{
	double d;
	float f;

	if (print_integer(p, t, value))
		return;
	if (t->kind == XDR_KIND_FLOAT) {
		memcpy(&f, value, sizeof f);
		json_real(p, (double)f, 9);
	} else {	/* XDR_KIND_DOUBLE */
		memcpy(&d, value, sizeof d);
		json_real(p, d, 17);
	}
}

/* By its name; by number what has none. */
static void
json_enum(struct printer *p, const struct xdr_type *t, const uint8_t *value)
{
	int32_t v = walk_int(value);
	const char *name = walk_name(t, v);

	if (name == NULL) {
		print_format(p, "%" PRId32, v);
		return;
	}
	print_text(p, "\"");
	print_text(p, name);
	print_text(p, "\"");
}

/* ----------------------------------------------------- values of values -- */

static void
json_elements(struct printer *p, const struct xdr_type *elem,
    const uint8_t *v, uint32_t n)
{
	uint32_t i;

	print_text(p, "[");
	for (i = 0; i < n; i++) {
		if (i > 0)
			print_text(p, ",");
		json(p, elem, v + (size_t)i * elem->size);
	}
	print_text(p, "]");
}

static void
json_field(struct printer *p, const struct xdr_field *f,
    const uint8_t *value)
{
	print_text(p, "\"");
	print_text(p, xdr_field_name(f));
	print_text(p, "\":");
	json(p, f->type, value + f->offset);
}

static void
json_fields(struct printer *p, const struct xdr_type *t,
    const uint8_t *value)
{
	const char *comma = "{";
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		if (&t->fields[i] == t->link)
			continue;	/* shown as a list */
		print_text(p, comma);
		json_field(p, &t->fields[i], value);
		comma = ",";
	}
	print_text(p, *comma == '{' ? "{}" : "}");
}

static void
json_list(struct printer *p, const struct xdr_type *node, const uint8_t *v)
{
	const char *comma = "";

	print_text(p, "[");
	for (; v != NULL; v = walk_pointer(v + node->link->offset)) {
		print_text(p, comma);
		json_fields(p, node, v);
		comma = ",";
	}
	print_text(p, "]");
}

static void
json_optional(struct printer *p, const struct xdr_type *t,
    const uint8_t *value)
{
	const uint8_t *to = walk_pointer(value);

	if (t->elem->link != NULL)
		json_list(p, t->elem, to);
	else if (to == NULL)
		print_text(p, "null");
	else
		json(p, t->elem, to);
}

static void
json_union(struct printer *p, const struct xdr_type *t, const uint8_t *value)
{
	const struct xdr_field *arm = walk_arm(t,
	    walk_discriminant(t, value));

	print_text(p, "{");
	json_field(p, &t->fields[0], value);
	if (arm != NULL && arm->path != NULL) {
		print_text(p, ",");
		json_field(p, arm, value);
	}
	print_text(p, "}");
}

/* A struct that is a list itself is one of a node at least. */
static void
json_struct(struct printer *p, const struct xdr_type *t,
    const uint8_t *value)
{
	if (t->link != NULL)
		json_list(p, t, value);
	else
		json_fields(p, t, value);
}

static void
json_value(struct printer *p, const struct xdr_type *t, const uint8_t *value)
{
	struct xdr_lazy lazy;
	struct vector v;

	switch (t->kind) {
	case XDR_KIND_VOID:
		print_text(p, "null");
		break;
	case XDR_KIND_BOOL:
		print_text(p, *value != 0 ? "true" : "false");
		break;
	case XDR_KIND_QUADRUPLE:
	case XDR_KIND_OPAQUE:
		print_text(p, "\"");
		print_hex(p, value, t->kind == XDR_KIND_OPAQUE ? t->bound : 16);
		print_text(p, "\"");
		break;
	case XDR_KIND_ENUM:
		json_enum(p, t, value);
		break;
	case XDR_KIND_BYTES:
	case XDR_KIND_STRING:
		json_view(p, t, value);
		break;
	case XDR_KIND_ARRAY:
		json_elements(p, t->elem, value, t->bound);
		break;
	case XDR_KIND_VECTOR:
		memcpy(&v, value, sizeof v);
		json_elements(p, t->elem, v.v, v.n);
		break;
	case XDR_KIND_OPTIONAL:
		json_optional(p, t, value);
		break;
	case XDR_KIND_STRUCT:
		json_struct(p, t, value);
		break;
	case XDR_KIND_UNION:
		json_union(p, t, value);
		break;
	case XDR_KIND_LAZY:
		memcpy(&lazy, value, sizeof lazy);
		print_format(p, "%" PRIu32, lazy.n);
		break;
	default:
		json_number(p, t, value);
		break;
	}
}

static void
json(struct printer *p, const struct xdr_type *t, const uint8_t *value)
{
	if (p->depth == DEPTH) {
		print_text(p, "null");
		return;
	}
	p->depth++;
	json_value(p, t, value);
	p->depth--;
}

size_t
xdr_json(char *to, size_t size, const struct xdr_type *t, const void *value)
{
	struct printer p = { .to = to, .size = size > 0 ? size - 1 : 0 };

	json(&p, t, value);
	return print_end(&p, to, size);
}
