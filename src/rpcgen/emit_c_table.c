/* SPDX-License-Identifier: MIT */
/*
 * Descriptors (pinefs/xdr_type.h), one for each type: they drive printing
 * and everything else that is not hot.  Names in them are the IDL's.
 */
#include "emit_c.h"

#include <string.h>

static const char *
kind_name(const struct type *t)
{
	static const char *const names[] = {
		[TYPE_VOID] = "VOID", [TYPE_BOOL] = "BOOL", [TYPE_INT] = "INT",
		[TYPE_UINT] = "UINT", [TYPE_HYPER] = "HYPER",
		[TYPE_UHYPER] = "UHYPER", [TYPE_FLOAT] = "FLOAT",
		[TYPE_DOUBLE] = "DOUBLE", [TYPE_QUADRUPLE] = "QUADRUPLE",
		[TYPE_OPAQUE] = "OPAQUE", [TYPE_BYTES] = "BYTES",
		[TYPE_STRING] = "STRING", [TYPE_ARRAY] = "ARRAY",
		[TYPE_VECTOR] = "VECTOR", [TYPE_OPTIONAL] = "OPTIONAL",
		[TYPE_ALIAS] = "", [TYPE_ENUM] = "ENUM",
		[TYPE_STRUCT] = "STRUCT", [TYPE_UNION] = "UNION"
	};

	return names[t->kind];
}

static const char *
basic_table(const struct type *t)
{
	static const char *const names[] = {
		[TYPE_VOID] = "&xdr_type_void", [TYPE_BOOL] = "&xdr_type_bool",
		[TYPE_INT] = "&xdr_type_int", [TYPE_UINT] = "&xdr_type_uint",
		[TYPE_HYPER] = "&xdr_type_hyper",
		[TYPE_UHYPER] = "&xdr_type_uhyper",
		[TYPE_FLOAT] = "&xdr_type_float",
		[TYPE_DOUBLE] = "&xdr_type_double",
		[TYPE_QUADRUPLE] = "&xdr_type_quadruple"
	};

	return names[t->kind];
}

/* One row of a table, with what every kind has. */
static void
begin(struct emit *e, const char *linkage, const char *table,
    const struct type *t, const char *name, const char *size)
{
	text_printf(e->out, "\n%sconst struct xdr_type %s = {\n"
	    "\t.kind = XDR_KIND_%s,\n", linkage, table, kind_name(t));
	if (name != NULL)
		text_printf(e->out, "\t.name = \"%s\",\n", name);
	text_printf(e->out, "\t.size = sizeof(%s),\n\t.min = %u,\n", size,
	    t->min);
	if (e->model->strict_pad && (t->kind == TYPE_OPAQUE ||
	    t->kind == TYPE_BYTES || t->kind == TYPE_STRING))
		text_put(e->out, "\t.strict = true,\n");
	if (t->recursive && t->kind != TYPE_ALIAS)
		text_printf(e->out, "\t.depth = %u,\n", e->model->max_depth);
}

static void
bound(struct emit *e, const struct type *t)
{
	if (t->kind != TYPE_OPTIONAL)
		text_printf(e->out, "\t.bound = %s,\n", c_bound(e, &t->bound));
}

/* What a type without a name of its own is built of. */
static void
unnamed(struct emit *e, const char *linkage, const char *table,
    const struct type *t, const char *name)
{
	const char *elem = t->elem == NULL ? NULL :
	    c_table(e, t->elem, table);

	begin(e, linkage, table, t, name, c_declare(e, t, ""));
	bound(e, t);
	if (elem != NULL)
		text_printf(e->out, "\t.elem = %s,\n", elem);
	text_put(e->out, "};\n");
}

/*
 * The address of a type's descriptor.  One that has no name is printed now,
 * as `prefix_`.
 */
const char *
c_table(struct emit *e, const struct type *t, const char *prefix)
{
	const char *name;

	if (t->kind < TYPE_OPAQUE)
		return basic_table(t);
	if (t->kind == TYPE_ALIAS && (t->elem->kind >= TYPE_ALIAS ||
	    t->elem->kind < TYPE_OPAQUE))
		return c_table(e, t->elem, prefix);
	if (t->kind >= TYPE_ALIAS)
		return c_printf(e, "&%s", c_made(e, t, "type"));
	name = c_printf(e, "%s_t", prefix);
	unnamed(e, "static ", name, t, NULL);
	return c_printf(e, "&%s", name);
}

static void
enum_table(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name, *full, *colon;
	const struct enumerator *n;
	unsigned count = 0;

	text_printf(e->out, "\nstatic const struct xdr_name %s_names[] = {\n",
	    name);
	for (n = t->enumerators; n != NULL; n = n->next, count++) {
		full = n->constant->name;
		colon = strrchr(full, ':');
		text_printf(e->out, "\t{ %s, \"%s\" },\n", c_constant(e,
		    n->constant), colon != NULL ? colon + 1 : full);
	}
	text_put(e->out, "};\n");
	begin(e, "", c_made(e, t, "type"), t, t->name, c_type_name(e, t));
	text_printf(e->out, "\t.n = %u,\n\t.names = %s_names,\n", count, name);
	if (!t->open)
		text_printf(e->out, "\t.known = %s_known,\n", name);
	text_put(e->out, "};\n");
}

static const char *
field_row(struct emit *e, const struct type *t, const struct member *m)
{
	const char *name = c_of(t)->name, *table;

	if (m->name == NULL || c_is_absent(m->type))
		return "{ NULL, 0, 0, &xdr_type_void }";
	if (m->lazy)
		table = "&xdr_type_lazy";
	else
		table = c_table(e, m->type, c_printf(e, "%s_%s", name,
		    m->name));
	return c_printf(e, "{ \"%s\", offsetof(%s, %s), %u, %s }", c_path(e, m),
	    name, c_member(e, m), (unsigned)strlen(m->parent->name) + 1,
	    table);
}

static void
struct_table(struct emit *e, const struct type *t)
{
	const char *name = c_of(t)->name;
	const struct member *m;
	unsigned n = 0, link = 0;
	struct text rows;

	/* Apart, for what a row refers to is printed before all of them. */
	text_init(&rows, e->mem);
	for (m = t->members; m != NULL; m = m->next) {
		if (c_is_absent(m->type))
			continue;
		text_printf(&rows, "\t%s,\n", field_row(e, t, m));
		if (m == t->link)
			link = n;
		n++;
	}
	if (n > 0) {
		text_printf(e->out, "\nstatic const struct xdr_field "
		    "%s_fields[] = {\n", name);
		text_add(e->out, rows.base, rows.len);
		text_put(e->out, "};\n");
	}
	begin(e, "", c_made(e, t, "type"), t, t->name, name);
	if (n > 0)
		text_printf(e->out, "\t.n = %u,\n\t.fields = %s_fields,\n", n,
		    name);
	if (t->link != NULL)
		text_printf(e->out, "\t.link = &%s_fields[%u],\n", name, link);
	text_put(e->out, "};\n");
}

static void
union_table(struct emit *e, const struct type *t)
{
	const struct type *disc = type_real(t->disc->type);
	const char *name = c_of(t)->name, *row, *other = NULL;
	const struct label *l;
	const struct arm *a;
	struct text arms;
	unsigned n = 0;

	text_init(&arms, e->mem);
	row = field_row(e, t, t->disc);
	for (a = t->arms; a != NULL; a = a->next) {
		const char *field = field_row(e, t, a->member);

		for (l = a->labels; l != NULL; l = l->next, n++)
			text_printf(&arms, "\t{ %s%s, %s },\n", disc->kind ==
			    TYPE_UINT ? "(int32_t)" : "", c_label(e, disc, l),
			    field);
		if (a->is_default)
			other = field;
	}
	text_printf(e->out, "\nstatic const struct xdr_field %s_fields[] = "
	    "{\n\t%s,\n", name, row);
	if (other != NULL)
		text_printf(e->out, "\t%s,\n", other);
	text_put(e->out, "};\n");
	if (n > 0) {
		text_printf(e->out, "\nstatic const struct xdr_arm "
		    "%s_arms[] = {\n", name);
		text_add(e->out, arms.base, arms.len);
		text_put(e->out, "};\n");
	}
	begin(e, "", c_made(e, t, "type"), t, t->name, name);
	text_printf(e->out, "\t.n = %u,\n\t.fields = %s_fields,\n", n, name);
	if (n > 0)
		text_printf(e->out, "\t.arms = %s_arms,\n", name);
	if (other != NULL)
		text_printf(e->out, "\t.otherwise = &%s_fields[1],\n", name);
	text_put(e->out, "};\n");
}

bool
c_has_table(const struct type *t)
{
	return t->kind != TYPE_ALIAS || !(t->is_bare_alias ||
	    c_is_absent(t) || t->elem->kind >= TYPE_ALIAS ||
	    t->elem->kind < TYPE_OPAQUE);
}

void
c_table_of(struct emit *e, struct type *t)
{
	if (!c_has_table(t))
		return;
	if (t->kind == TYPE_ENUM)
		enum_table(e, t);
	else if (t->kind == TYPE_STRUCT)
		struct_table(e, t);
	else if (t->kind == TYPE_UNION)
		union_table(e, t);
	else
		unnamed(e, "", c_made(e, t, "type"), t->elem, t->name);
}

/* The codecs of a type that go by its descriptor. */
void
c_compact(struct emit *e, const struct type *t)
{
	const char *table = c_table(e, t, c_of(t)->name);

	c_begin(e);
	c_line(e, "return xdr_decode(%s, %s, %s);", e->in, table, e->v);
	e->ended = true;
	c_end(e, "int", c_decode_head(e, t, "decode"));
	c_begin(e);
	c_line(e, "return xdr_encode(%s, %s, %s);", e->l_out, table, e->v);
	e->ended = true;
	c_end(e, "int", c_encode_head(e, t, "encode"));
}
