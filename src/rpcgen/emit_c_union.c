/* SPDX-License-Identifier: MIT */
/*
 * Decoders and encoders of unions: the discriminant, then a switch.  What a
 * union cannot hold is told apart: a value that the enum does not have, and
 * one for which there is no arm.
 */
#include "emit_c.h"

/* ------------------------------------------------------------- decoding -- */

static bool
covers_all(const struct type *u, const struct type *disc)
{
	const struct enumerator *n;
	const struct label *l;
	const struct arm *a;
	bool found;

	for (n = disc->enumerators; n != NULL; n = n->next) {
		found = false;
		for (a = u->arms; a != NULL && !found; a = a->next)
			for (l = a->labels; l != NULL && !found; l = l->next)
				found = number_int(l->value) ==
				    number_int(n->constant->value);
		if (!found)
			return false;
	}
	return true;
}

/* A label as a `case` of an int, or of an unsigned where that is switched. */
const char *
c_label(struct emit *e, const struct type *disc, const struct label *l)
{
	bool large = l->value.negative || l->value.bits > INT32_MAX;

	if (l->constant != NULL && (!large || l->constant->of != NULL ||
	    l->constant->external))
		return c_constant(e, l->constant);
	if (disc->kind == TYPE_UINT)
		return c_number(e, l->value);
	return c_printf(e, "%ld", (long)number_int(l->value));
}

static unsigned
count_labels(const struct type *t)
{
	const struct label *l;
	const struct arm *a;
	unsigned n = 0;

	for (a = t->arms; a != NULL; a = a->next)
		for (l = a->labels; l != NULL; l = l->next)
			n++;
	return n;
}

/*
 * Labels far behind the others, n in all, as an error's number often is.
 * Such ones have a switch of their own, for with them the first would not be
 * one jump by a table.
 */
static bool
is_far(const struct arm *a, uint64_t n)
{
	const struct label *l;

	for (l = a->labels; l != NULL; l = l->next)
		if (n < 8 || l->value.negative || l->value.bits < 8 * n)
			return false;
	return a->labels != NULL && !a->is_default;
}

/* The switch, or two; a default stands in the second. */
static void
for_arms(struct emit *e, const struct type *t, const struct type *disc,
    void (*print)(struct emit *, const struct type *, const struct type *,
    const struct arm *))
{
	const char *cast = disc->kind == TYPE_ENUM || disc->external ?
	    "(int32_t)" : disc->kind == TYPE_BOOL ? "(int)" : "";
	bool near = false, far = false, second = false;
	unsigned n = count_labels(t);
	const struct arm *a;

	for (a = t->arms; a != NULL; a = a->next) {
		far = far || is_far(a, n);
		near = near || !(a->is_default || is_far(a, n));
	}
	do {
		c_line(e, "switch (%s%s) {", cast, c_field(e, t->disc));
		for (a = t->arms; a != NULL; a = a->next)
			if (second == (near && far && (a->is_default ||
			    is_far(a, n))))
				print(e, t, disc, a);
		c_line(e, "}");
		second = !second;
	} while (second && near && far);
}

static void
union_arm(struct emit *e, const struct type *disc, const struct arm *a)
{
	const struct label *l;

	for (l = a->labels; l != NULL; l = l->next)
		if (!a->is_default)
			c_line(e, "case %s:", c_label(e, disc, l));
	if (a->is_default)
		c_line(e, "default:");
}

/* `default` stands for the values of the enum that no case names. */
static void
decode_default_check(struct emit *e, const struct type *t,
    const struct type *disc)
{
	const struct label *l;
	const char *more = "";

	if (disc->kind != TYPE_ENUM || disc->open)
		return;
	for (l = t->default_arm->labels; l != NULL; l = l->next)
		if (l->constant == NULL || l->constant->of != disc)
			more = c_printf(e, "%s && (int32_t)xdr_load_u32(%s) "
			    "!= %s", more, e->p, c_label(e, disc, l));
	c_line(e, "if (!%s_known(xdr_load_u32(%s))%s)", c_of(disc)->name,
	    e->p, more);
	c_line(e, "\treturn xdr_fail_at(%s, XDR_BAD_ENUM, \"%s\", %s);",
	    e->in, c_path(e, t->disc), e->p);
}

/*
 * The discriminant is looked at where it lies, and taken together with what
 * its arm has of fixed size.  Not so in a recursive type, whose descriptor
 * would count the depth again.
 */
static bool
is_flat(const struct type *t, const struct type *disc)
{
	return !t->recursive && !disc->external;
}

/* Sets the discriminant whatever fails, if only to 0. */
bool
c_sets_discriminant(const struct type *t)
{
	return t->kind == TYPE_UNION && (t->compact ||
	    is_flat(t, type_real(t->disc->type)));
}

/* `size` bytes of the arm behind the discriminant, or to the slow way. */
static void
take_arm(struct emit *e, const char *cursor, uint32_t size)
{
	if (size > 0) {
		c_line(e, "if (XDR_UNLIKELY(%s < %u))", e->left, 4 + size);
		c_line(e, "\tgoto %s;", e->slow);
	}
	c_line(e, "%s->pos = %s + %u;", cursor, e->p, 4 + size);
}

/* The first lines of both codecs, with the discriminant's bytes at p. */
static void
begin(struct emit *e, bool flat, const char *cursor, const char *constness)
{
	c_begin(e);
	if (!flat)
		return;
	e->extra_locals = c_printf(e, "\t%suint8_t *%s = %s->pos;\n"
	    "\tsize_t %s = (size_t)(%s->end - %s);\n", constness, e->p,
	    cursor, e->left, cursor, e->p);
	c_line(e, "if (XDR_UNLIKELY(%s < 4))", e->left);
	c_line(e, "\tgoto %s;", e->slow);
}

static void
read_discriminant(struct emit *e, const struct type *t,
    const struct type *disc)
{
	const char *v = c_field(e, t->disc);

	if (disc->external) {
		c_decode_value(e, t->disc->type, v, c_path(e, t->disc));
		return;
	}
	if (!is_flat(t, disc))
		c_take(e, "4", c_path(e, t->disc));
	switch (disc->kind) {
	case TYPE_ENUM:
		c_line(e, "%s = (enum %s)(int32_t)xdr_load_u32(%s);", v,
		    c_of(disc)->name, e->p);
		break;
	case TYPE_INT:
		c_line(e, "%s = (int32_t)xdr_load_u32(%s);", v, e->p);
		break;
	case TYPE_UINT:
		c_line(e, "%s = xdr_load_u32(%s);", v, e->p);
		break;
	default:
		c_try(e, "xdr_load_bool(%s, %s, &%s, \"%s\")", e->in, e->p, v,
		    c_path(e, t->disc));
		break;
	}
}

static void
no_arm(struct emit *e, const struct type *t, const struct type *disc)
{
	const char *why = "XDR_BAD_ARM";

	if (disc->kind == TYPE_ENUM && !disc->open)
		why = covers_all(t, disc) ? "XDR_BAD_ENUM" :
		    c_printf(e, "%s_known(xdr_load_u32(%s)) ? XDR_BAD_ARM : "
		    "XDR_BAD_ENUM", c_of(disc)->name, e->p);
	if (disc->external)
		c_line(e, "return xdr_fail(%s, %s, \"%s\");", e->in, why,
		    c_path(e, t->disc));
	else
		c_line(e, "return xdr_fail_at(%s, %s, \"%s\", %s);", e->in,
		    why, c_path(e, t->disc), e->p);
	e->ended = true;
}

/*
 * Nobody should read the members of other arms, but what somebody reads by
 * mistake must not be left over from another message.
 */
static void
clear_arms(struct emit *e, const struct type *t)
{
	const struct arm *a;

	for (a = t->arms; a != NULL; a = a->next)
		if (!c_is_absent(a->member->type))
			break;
	if (a == NULL)
		return;
	c_try(e, "xdr_clear((char *)%s + offsetof(%s, %s), sizeof *%s - "
	    "offsetof(%s, %s))", e->v, c_of(t)->name, c_member(e, a->member),
	    e->v, c_of(t)->name, c_member(e, a->member));
}

static void
decode_arm_value(struct emit *e, const struct type *t,
    const struct member *m, bool flat)
{
	bool fixed = flat && m->type->fixed;

	if (flat && c_is_simple_view(e, m)) {
		c_line(e, "%s += 4;", e->p);
		c_load_view(e, m, c_printf(e, "%s->end", e->in));
		c_line(e, "%s->pos = %s;", e->in, e->p);
		return;
	}
	if (flat)
		take_arm(e, e->in, fixed ? m->type->min : 0);
	if (c_is_absent(m->type))
		clear_arms(e, t);
	else if (fixed)
		c_load_value(e, m->type, c_field(e, m), 4, c_path(e, m));
	else
		c_decode_value(e, m->type, c_field(e, m), c_path(e, m));
}

static void
decode_arm(struct emit *e, const struct type *t, const struct type *disc,
    const struct arm *a)
{
	union_arm(e, disc, a);
	e->indent++;
	/* Labels outside of the enum are valid here: say so first. */
	if (a->is_default && !covers_all(t, disc)) {
		decode_default_check(e, t, disc);
	} else if (a->is_default && disc->kind == TYPE_ENUM && !disc->open &&
	    a->labels == NULL) {
		no_arm(e, t, disc);
		e->indent--;
		return;
	}
	decode_arm_value(e, t, a->member, is_flat(t, disc));
	c_return(e);
	e->indent--;
}

void
c_union_decoder(struct emit *e, const struct type *t)
{
	const struct type *disc = type_real(t->disc->type);
	bool flat = is_flat(t, disc);

	begin(e, flat, e->in, "const ");
	read_discriminant(e, t, disc);
	for_arms(e, t, disc, decode_arm);
	if (t->default_arm == NULL)
		no_arm(e, t, disc);
	if (flat) {
		c_end_slow(e, t, C_CODEC, c_decode_head(e, t, "decode"));
		return;
	}
	e->ended = true;
	c_end(e, t->recursive ? "static int" : C_CODEC, c_decode_head(e, t,
	    t->recursive ? "decode_inner" : "decode"));
	if (t->recursive)
		c_decode_guard(e, t, C_CODEC, "decode", "decode_inner");
}

/* ------------------------------------------------------------- encoding -- */

static void
bad_discriminant(struct emit *e, const struct type *t,
    const struct type *disc)
{
	const char *why = "XDR_BAD_ARM";

	if (disc->kind == TYPE_ENUM && !disc->open)
		why = c_printf(e, "%s_known((uint32_t)%s) ? XDR_BAD_ARM : "
		    "XDR_BAD_ENUM", c_of(disc)->name, c_field(e, t->disc));
	c_line(e, "return xdr_out_fail(%s, %s, \"%s\");", e->l_out, why,
	    c_path(e, t->disc));
}

static void
encode_default_check(struct emit *e, const struct type *t,
    const struct type *disc)
{
	const char *v = c_field(e, t->disc), *more = "";
	const struct label *l;

	if (disc->kind != TYPE_ENUM || disc->open)
		return;
	for (l = t->default_arm->labels; l != NULL; l = l->next)
		if (l->constant == NULL || l->constant->of != disc)
			more = c_printf(e, "%s && (int32_t)%s != %s", more, v,
			    c_label(e, disc, l));
	c_line(e, "if (!%s_known((uint32_t)%s)%s)", c_of(disc)->name, v, more);
	c_line(e, "\treturn xdr_out_fail(%s, XDR_BAD_ENUM, \"%s\");",
	    e->l_out, c_path(e, t->disc));
}

static void
encode_arm(struct emit *e, const struct type *t, const struct type *disc,
    const struct arm *a)
{
	const struct type *value = a->member->type;
	bool flat = is_flat(t, disc), fixed = flat && value->fixed;

	union_arm(e, disc, a);
	e->indent++;
	if (a->is_default)
		encode_default_check(e, t, disc);
	if (flat)
		take_arm(e, e->l_out, fixed ? value->min : 0);
	if (c_is_absent(value))
		;
	else if (fixed)
		c_store_value(e, value, c_field(e, a->member), 4,
		    c_path(e, a->member));
	else
		c_encode_value(e, value, c_field(e, a->member),
		    c_path(e, a->member));
	c_return(e);
	e->indent--;
}

static void
write_discriminant(struct emit *e, const struct type *t,
    const struct type *disc)
{
	const char *v = c_field(e, t->disc);

	if (disc->external) {
		c_encode_value(e, t->disc->type, v, c_path(e, t->disc));
		return;
	}
	if (!is_flat(t, disc))
		c_room(e, 4, c_path(e, t->disc));
	c_line(e, "xdr_store_u32(%s, %s%s);", e->p, disc->kind == TYPE_UINT ||
	    disc->kind == TYPE_BOOL ? "" : "(uint32_t)", v);
}

void
c_union_encoder(struct emit *e, const struct type *t)
{
	const struct type *disc = type_real(t->disc->type);
	bool flat = is_flat(t, disc);

	begin(e, flat, e->l_out, "");
	write_discriminant(e, t, disc);
	for_arms(e, t, disc, encode_arm);
	if (t->default_arm == NULL)
		bad_discriminant(e, t, disc);
	if (flat) {
		c_end_slow(e, t, C_CODEC, c_encode_head(e, t, "encode"));
		return;
	}
	e->ended = true;
	c_end(e, t->recursive ? "static int" : C_CODEC, c_encode_head(e, t,
	    t->recursive ? "encode_inner" : "encode"));
	if (t->recursive)
		c_encode_guard(e, t, C_CODEC, "encode", "encode_inner");
}
