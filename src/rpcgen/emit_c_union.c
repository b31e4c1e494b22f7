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

static void
read_discriminant(struct emit *e, const struct type *t,
    const struct type *disc)
{
	const char *v = c_field(e, t->disc);

	if (disc->external) {
		c_decode_value(e, t->disc->type, v, c_path(e, t->disc));
		c_line(e, "switch ((int32_t)%s) {", v);
		return;
	}
	c_take(e, "4", c_path(e, t->disc));
	switch (disc->kind) {
	case TYPE_ENUM:
		c_line(e, "%s = (enum %s)(int32_t)xdr_load_u32(%s);", v,
		    c_of(disc)->name, e->p);
		c_line(e, "switch ((int32_t)%s) {", v);
		break;
	case TYPE_INT:
		c_line(e, "%s = (int32_t)xdr_load_u32(%s);", v, e->p);
		c_line(e, "switch (%s) {", v);
		break;
	case TYPE_UINT:
		c_line(e, "%s = xdr_load_u32(%s);", v, e->p);
		c_line(e, "switch (%s) {", v);
		break;
	default:
		c_try(e, "xdr_load_bool(%s, %s, &%s, \"%s\")", e->in, e->p, v,
		    c_path(e, t->disc));
		c_line(e, "switch ((int)%s) {", v);
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

/* What an arm's value needs, and the return behind it. */
static void
finish_arm(struct emit *e)
{
	const char *last;

	if (e->npending == 0) {
		c_line(e, "return 0;");
		return;
	}
	last = e->pending[--e->npending];
	c_flush(e);
	c_line(e, "return %s;", last);
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
	c_line(e, "memset((char *)%s + offsetof(%s, %s), 0, sizeof *%s - "
	    "offsetof(%s, %s));", e->v, c_of(t)->name, c_member(e, a->member),
	    e->v, c_of(t)->name, c_member(e, a->member));
}

void
c_union_decoder(struct emit *e, const struct type *t)
{
	const struct type *disc = type_real(t->disc->type);
	const struct arm *a;
	bool checked;

	c_begin(e);
	read_discriminant(e, t, disc);
	for (a = t->arms; a != NULL; a = a->next) {
		union_arm(e, disc, a);
		e->indent++;
		/* Labels outside of the enum are valid here: say so first. */
		checked = a->is_default && !covers_all(t, disc);
		if (checked)
			decode_default_check(e, t, disc);
		else if (a->is_default && disc->kind == TYPE_ENUM &&
		    !disc->open && a->labels == NULL) {
			no_arm(e, t, disc);
			e->indent--;
			continue;
		}
		if (c_is_absent(a->member->type))
			clear_arms(e, t);
		else
			c_decode_value(e, a->member->type, c_field(e, a->member),
			    c_path(e, a->member));
		finish_arm(e);
		e->indent--;
	}
	c_line(e, "}");
	if (t->default_arm == NULL)
		no_arm(e, t, disc);
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
	const struct label *l;
	const char *last;

	for (l = a->labels; l != NULL && !a->is_default; l = l->next)
		c_line(e, "case %s:", c_label(e, disc, l));
	if (a->is_default)
		c_line(e, "default:");
	e->indent++;
	if (a->is_default)
		encode_default_check(e, t, disc);
	if (a->member->type->kind != TYPE_VOID)
		c_encode_value(e, a->member->type, c_field(e, a->member),
		    c_path(e, a->member));
	if (e->npending > 0) {
		last = e->pending[--e->npending];
		c_flush(e);
		c_line(e, "return %s;", last);
	} else {
		c_line(e, "return 0;");
	}
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
	c_room(e, 4, c_path(e, t->disc));
	c_line(e, "xdr_store_u32(%s, %s%s);", e->p, disc->kind == TYPE_UINT ||
	    disc->kind == TYPE_BOOL ? "" : "(uint32_t)", v);
}

void
c_union_encoder(struct emit *e, const struct type *t)
{
	const struct type *disc = type_real(t->disc->type);
	const struct arm *a;

	c_begin(e);
	write_discriminant(e, t, disc);
	c_line(e, "switch (%s%s) {", disc->kind == TYPE_ENUM ||
	    disc->external ? "(int32_t)" : disc->kind == TYPE_BOOL ?
	    "(int)" : "", c_field(e, t->disc));
	for (a = t->arms; a != NULL; a = a->next)
		encode_arm(e, t, disc, a);
	c_line(e, "}");
	if (t->default_arm == NULL)
		bad_discriminant(e, t, disc);
	e->ended = true;
	c_end(e, t->recursive ? "static int" : C_CODEC, c_encode_head(e, t,
	    t->recursive ? "encode_inner" : "encode"));
	if (t->recursive)
		c_encode_guard(e, t, C_CODEC, "encode", "encode_inner");
}
