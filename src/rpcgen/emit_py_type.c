/* SPDX-License-Identifier: MIT */
/* Classes of enums, structs, linked structs and unions. */
#include "emit_py.h"

/* ----------------------------------------------------------- functions -- */

static void
begin_unpack(struct py *e, const char *name)
{
	py_blank(&e->body, 1);
	py_line(e, "@classmethod");
	py_line(e, e->type->recursive ? "def %s($cls, $b, $o=0, $depth=0):" :
	    "def %s($cls, $b, $o=0):", name);
	py_locals(e);
}

static void
guard_depth(struct py *e)
{
	if (!e->type->recursive)
		return;
	py_line(e, "if $depth >= %u:", e->model->max_depth);
	py_line(e, "    raise rpchelp.too_deep('%s', %u)", e->type->name,
	    e->model->max_depth);
}

static void
begin_try(struct py *e)
{
	e->indent++;
	guard_depth(e);
	py_line(e, "try:");
	e->indent++;
}

static void
end_try(struct py *e)
{
	e->indent--;
	py_line(e, "except rpchelp.BAD as $error:");
	py_line(e, "    raise rpchelp.bad('%s', $error) from $error",
	    e->type->name);
	e->indent--;
}

static const char *
where(struct py *e, const struct member *m)
{
	return mem_printf(e->mem, "%s.%s", e->type->name, m->name);
}

static void
begin_class(struct py *e, struct type *t, const char *base)
{
	e->type = t;
	e->nstructs = 0;
	e->indent = 0;
	map_init(&e->structs, e->mem);
	text_init(&e->body, e->mem);
	py_doc(&e->body, 0, t->doc);
	py_line(e, "class %s(rpchelp.%s):", py_of(t)->name, base);
	e->indent = 1;
}

/* What was found to be needed before the class stands in e->out by now. */
static void
end_class(struct py *e)
{
	if (e->nstructs > 0)
		py_blank(e->out, 2);
	text_add(e->out, e->body.base, e->body.len);
	e->type = NULL;
}

/* --------------------------------------------------------------- enums -- */

static void
print_enum(struct py *e, struct type *t)
{
	const struct enumerator *n;
	const struct constant *k;

	begin_class(e, t, t->open ? "OpenEnum" : "Enum");
	for (n = t->enumerators; n != NULL; n = n->next) {
		k = n->constant;
		py_doc(&e->body, 1, k->doc);
		py_line(e, "%s = %s", py_enumerator(e, k->name),
		    py_number(e, k->value));
	}
	end_class(e);
	py_blank(e->out, 2);
	py_top(e, "%s = rpchelp.%s(%s)", py_of(t)->values,
	    t->open ? "OpenValues" : "Values", py_of(t)->name);
	for (n = t->enumerators; n != NULL; n = n->next) {
		k = n->constant;
		if (!k->second)
			py_assign(e, py_constant(e, k), mem_printf(e->mem,
			    "%s.%s", py_of(t)->name,
			    py_enumerator(e, k->name)));
	}
}

/* ------------------------------------------------------------- members -- */

static const char *
default_of(struct type *t)
{
	switch (type_real(t)->kind) {
	case TYPE_BOOL:
		return "False";
	case TYPE_INT: case TYPE_UINT: case TYPE_HYPER: case TYPE_UHYPER:
		return "0";
	case TYPE_FLOAT: case TYPE_DOUBLE:
		return "0.0";
	case TYPE_BYTES: case TYPE_STRING:
		return "b''";
	default:
		return "None";
	}
}

/* A list's link is no member in Python. */
static bool
is_link(const struct member *m)
{
	return py_is_linked(m->parent) && m == m->parent->link;
}

static void
print_init(struct py *e, struct type *t)
{
	struct words slots = { 0 }, params = { 0 };
	struct member *m;

	for (m = t->members; m != NULL; m = m->next) {
		if (is_link(m))
			continue;
		py_word(e, &slots, "'%s'", py_member(e, m->name));
		py_word(e, &params, "%s: %s = %s", py_member(e, m->name),
		    py_annotation(e, m->type), default_of(m->type));
	}
	py_line(e, "__slots__ = %s", py_tuple(e, &slots));
	if (slots.n == 0)
		return;
	py_blank(&e->body, 1);
	py_line(e, "def __init__(self, %s):", py_join(e, &params));
	e->indent++;
	for (m = t->members; m != NULL; m = m->next) {
		if (is_link(m))
			continue;
		py_doc(&e->body, 2, m->doc);
		py_line(e, "self.%s = %s", py_member(e, m->name),
		    py_member(e, m->name));
	}
	e->indent--;
}

/*
 * Read the members from `m` on and up to `end` into the object `self`.
 * Returns what is still to be added to `o`.
 */
static uint32_t
read_members(struct py *e, struct member *m, const struct member *end,
    const char *self)
{
	struct py_run r;
	uint32_t size = 0;

	while (m != end) {
		if (size > 0)
			py_line(e, "$o += %u", (unsigned)size);
		size = 0;
		py_run_init(e, &r);
		for (; m != end && py_is_flat(e, m->type); m = m->next)
			py_run_fill(e, &r, m, self, "");
		py_run_unpack(e, &r);
		size = r.size;
		if (m == end)
			break;
		if (size > 0)
			py_line(e, "$o += %u", (unsigned)size);
		size = 0;
		py_decode(e, m->type, mem_printf(e->mem, "%s.%s", self,
		    py_member(e, m->name)), where(e, m));
		m = m->next;
	}
	return size;
}

/* Write them from `self`; `r` may hold something already. */
static void
write_members(struct py *e, struct py_run *r, const char *self,
    struct member *m, const struct member *end)
{
	const char *expr;

	for (; m != end; m = m->next) {
		expr = mem_printf(e->mem, "%s.%s", self,
		    py_member(e, m->name));
		if (py_is_flat(e, m->type)) {
			py_run_write(e, r, m->type, expr, "", py_run_name(m),
			    where(e, m));
			continue;
		}
		py_run_pack(e, r);
		py_encode(e, m->type, expr, py_escape(e, m->name),
		    where(e, m));
	}
	py_run_pack(e, r);
}

/* ------------------------------------------------------------- structs -- */

static void
unpack_struct(struct py *e, struct type *t)
{
	uint32_t size;

	begin_unpack(e, "unpack");
	begin_try(e);
	py_line(e, "$self = %s($cls)", e->new_object);
	size = read_members(e, t->members, NULL, "$self");
	py_line(e, size > 0 ? "return $self, $o + %u" : "return $self, $o",
	    (unsigned)size);
	end_try(e);
}

/* def pack or, of what does not go into one Struct, pack_to. */
static void
begin_pack(struct py *e, struct type *t)
{
	e->in_one = py_is_in_one(e, t);
	py_blank(&e->body, 1);
	py_line(e, e->in_one ? "def pack($self):" : t->recursive ?
	    "def pack_to($self, $add, $depth=0):" :
	    "def pack_to($self, $add):");
	py_locals(e);
}

static void
pack_struct(struct py *e, struct type *t)
{
	struct py_run r;

	begin_pack(e, t);
	begin_try(e);
	py_run_init(e, &r);
	write_members(e, &r, "$self", t->members, NULL);
	end_try(e);
	e->in_one = false;
}

static void
print_empty(struct py *e)
{
	py_blank(&e->body, 1);
	py_line(e, "@classmethod");
	py_line(e, "def unpack($cls, $b, $o=0):");
	py_line(e, "    return $cls(), $o");
	py_blank(&e->body, 1);
	py_line(e, "def pack_to($self, $add):");
	py_line(e, "    pass");
}

static void
print_struct(struct py *e, struct type *t)
{
	begin_class(e, t, "Value");
	print_init(e, t);
	if (t->members == NULL) {
		print_empty(e);
	} else {
		unpack_struct(e, t);
		pack_struct(e, t);
	}
	end_class(e);
}

/* --------------------------------------------------------------- lists -- */

static void
check_more(struct py *e, const char *otherwise)
{
	py_line(e, "$more, = %s.unpack_from($b, $o)", e->u32);
	py_line(e, "$o += 4");
	py_line(e, "if $more != 1:");
	py_line(e, "    rpchelp.check_end($more, '%s')",
	    where(e, e->type->link));
	py_line(e, "    %s", otherwise);
}

/* The link is the last member: items are complete one by one. */
static void
unpack_in_order(struct py *e, struct type *t)
{
	uint32_t size;

	py_line(e, "$items = []");
	py_line(e, "while True:");
	e->indent++;
	check_more(e, "return $items, $o");
	py_line(e, "$item = %s($cls)", e->new_object);
	size = read_members(e, t->members, t->link, "$item");
	if (size > 0)
		py_line(e, "$o += %u", (unsigned)size);
	py_line(e, "$items.append($item)");
	e->indent--;
}

/*
 * What stands behind the link comes behind the rest of the list: last item
 * first.
 */
static void
unpack_inside_out(struct py *e, struct type *t)
{
	uint32_t size;

	py_line(e, "$items = []");
	py_line(e, "while True:");
	e->indent++;
	check_more(e, "break");
	py_line(e, "$item = %s($cls)", e->new_object);
	size = read_members(e, t->members, t->link, "$item");
	if (size > 0)
		py_line(e, "$o += %u", (unsigned)size);
	py_line(e, "$items.append($item)");
	e->indent--;
	py_line(e, "for $item in $items[::-1]:");
	e->indent++;
	size = read_members(e, t->link->next, NULL, "$item");
	if (size > 0)
		py_line(e, "$o += %u", (unsigned)size);
	e->indent--;
	py_line(e, "return $items, $o");
}

static void
unpack_list(struct py *e, struct type *t)
{
	begin_unpack(e, "unpack_list");
	begin_try(e);
	if (t->link->next == NULL)
		unpack_in_order(e, t);
	else
		unpack_inside_out(e, t);
	end_try(e);
}

static void
pack_list(struct py *e, struct type *t)
{
	struct py_run r;

	py_blank(&e->body, 1);
	py_line(e, "@staticmethod");
	py_line(e, t->recursive ? "def pack_list_to($items, $add, $depth=0):" :
	    "def pack_list_to($items, $add):");
	py_locals(e);
	begin_try(e);
	py_line(e, "$items = $items or ()");
	py_line(e, "for $item in $items:");
	e->indent++;
	py_run_init(e, &r);
	py_run_code(e, &r, 'I', 4);
	py_word(e, &r.values, "1");
	write_members(e, &r, "$item", t->members, t->link);
	e->indent--;
	py_line(e, "$add(rpchelp.ZERO)");
	if (t->link->next != NULL) {
		py_line(e, "for $item in $items[::-1]:");
		e->indent++;
		py_run_init(e, &r);
		write_members(e, &r, "$item", t->link->next, NULL);
		e->indent--;
	}
	end_try(e);
}

static void
print_linked(struct py *e, struct type *t)
{
	begin_class(e, t, "Linked");
	print_init(e, t);
	unpack_list(e, t);
	pack_list(e, t);
	end_class(e);
}

/* -------------------------------------------------------------- unions -- */

static const char *
label_text(struct py *e, const struct type *disc, const struct label *l)
{
	if (l->constant != NULL)
		return py_constant(e, l->constant);
	if (disc->kind == TYPE_BOOL)
		return l->value.bits != 0 ? "True" : "False";
	return py_number(e, l->value);
}

static bool
is_listed(const struct type *disc, const struct label *l)
{
	const struct enumerator *n;

	for (n = disc->enumerators; n != NULL; n = n->next)
		if (number_int(n->constant->value) == number_int(l->value))
			return true;
	return disc->kind != TYPE_ENUM || disc->open;
}

/* The discriminant as a user sees it, checked; `raw` is a local with it. */
static const char *
checked_disc(struct py *e, const struct type *t, const struct type *disc,
    const char *raw)
{
	struct words extra = { 0 };
	const struct label *l;
	const struct arm *a;
	const char *known;

	if (disc->kind == TYPE_BOOL)
		return mem_printf(e->mem, "rpchelp.BOOL[%s]", raw);
	if (disc->kind != TYPE_ENUM)
		return raw;
	known = mem_printf(e->mem, "%s[%s]", py_of(disc)->values, raw);
	/* Labels that the enum lacks are values of this union's all the same. */
	for (a = t->arms; a != NULL; a = a->next)
		for (l = a->labels; l != NULL; l = l->next)
			if (!is_listed(disc, l))
				py_word(e, &extra, "%s",
				    label_text(e, disc, l));
	if (extra.n == 0)
		return known;
	if (extra.n == 1)
		return mem_printf(e->mem, "%s if %s == %s else %s", raw, raw,
		    extra.v[0], known);
	return mem_printf(e->mem, "%s if %s in %s else %s", raw, raw,
	    py_tuple(e, &extra), known);
}

/* `if status == A:`, `elif status in (B, C):`, `else:`; opens a block. */
static void
begin_arm(struct py *e, const struct type *disc, const struct arm *a,
    const char *raw, bool first)
{
	struct words labels = { 0 };
	const char *word = first ? "if" : "elif";
	const struct label *l;

	for (l = a->labels; l != NULL; l = l->next)
		py_word(e, &labels, "%s", label_text(e, disc, l));
	if (a->is_default || (disc->kind == TYPE_BOOL && !first))
		py_line(e, first ? "if True:" : "else:");
	else if (disc->kind == TYPE_BOOL && labels.n == 1)
		py_line(e, a->labels->value.bits != 0 ? "if %s:" :
		    "if not %s:", raw);
	else if (labels.n == 1)
		py_line(e, "%s %s == %s:", word, raw, labels.v[0]);
	else
		py_line(e, "%s %s in %s:", word, raw, py_tuple(e, &labels));
	e->indent++;
}

static bool
has_all_arms(const struct type *t)
{
	const struct label *l;
	const struct arm *a;
	unsigned n = 0;

	for (a = t->arms; a != NULL; a = a->next)
		for (l = a->labels; l != NULL; l = l->next)
			n++;
	return t->default_arm != NULL ||
	    (type_real(t->disc->type)->kind == TYPE_BOOL && n == 2);
}

static void
no_arm(struct py *e, const struct type *t, const char *raw)
{
	if (has_all_arms(t))
		return;
	if (t->arms == NULL) {
		py_line(e, "raise rpchelp.no_arm('%s', %s)", t->name, raw);
		return;
	}
	py_line(e, "else:");
	py_line(e, "    raise rpchelp.no_arm('%s', %s)", t->name, raw);
}

/* An arm with a name of its own in messages: GETATTR3res.obj. */
static const char *
arm_where(struct py *e, const struct arm *a)
{
	return a->member->name != NULL ? where(e, a->member) : e->type->name;
}

static void
union_locals(struct py *e, const char **raw, const char **data)
{
	py_locals(e);
	*raw = py_local(e, py_escape(e, e->type->disc->name));
	*data = py_local(e, "data");
}

static void
unpack_union(struct py *e, struct type *t)
{
	struct type *disc = type_real(t->disc->type);
	const char *raw, *data;
	struct arm *a;

	begin_unpack(e, "unpack");
	union_locals(e, &raw, &data);
	begin_try(e);
	py_line(e, "%s, = %s.unpack_from($b, $o)", raw,
	    disc->kind == TYPE_INT || disc->kind == TYPE_ENUM ? e->i32 :
	    e->u32);
	py_line(e, "$o += 4");
	if (disc->kind == TYPE_BOOL)
		py_line(e, "%s = rpchelp.BOOL[%s]", raw, raw);
	for (a = t->arms; a != NULL; a = a->next) {
		union_locals(e, &raw, &data);
		begin_arm(e, disc, a, raw, a == t->arms);
		py_decode(e, a->member->type, data, arm_where(e, a));
		e->indent--;
	}
	no_arm(e, t, raw);
	py_line(e, "$self = %s($cls)", e->new_object);
	py_line(e, "$self.%s = %s", py_member(e, t->disc->name),
	    disc->kind == TYPE_BOOL ? raw : checked_disc(e, t, disc, raw));
	py_line(e, "$self._data = %s", data);
	py_line(e, "return $self, $o");
	end_try(e);
}

/* Begun with the discriminant, and ended with the arm. */
static void
pack_arm(struct py *e, const struct type *disc, struct arm *a,
    const char *raw, const char *data)
{
	struct py_run r;

	py_run_init(e, &r);
	py_run_code(e, &r, disc->kind == TYPE_INT ||
	    disc->kind == TYPE_ENUM ? 'i' : 'I', 4);
	py_word(e, &r.values, "%s", raw);
	if (a->member->type->kind == TYPE_VOID) {
		py_run_pack(e, &r);
	} else if (py_is_flat(e, a->member->type)) {
		py_run_write(e, &r, a->member->type, data, "", NULL,
		    arm_where(e, a));
		py_run_pack(e, &r);
	} else {
		py_run_pack(e, &r);
		py_encode(e, a->member->type, data, data, arm_where(e, a));
	}
}

static void
pack_union(struct py *e, struct type *t)
{
	struct type *disc = type_real(t->disc->type);
	const char *raw, *data, *member;
	struct arm *a;

	begin_pack(e, t);
	union_locals(e, &raw, &data);
	begin_try(e);
	member = mem_printf(e->mem, "$self.%s", py_member(e, t->disc->name));
	py_line(e, "%s = %s", raw, checked_disc(e, t, disc, member));
	py_line(e, "%s = $self._data", data);
	for (a = t->arms; a != NULL; a = a->next) {
		union_locals(e, &raw, &data);
		begin_arm(e, disc, a, raw, a == t->arms);
		pack_arm(e, disc, a, raw, data);
		e->indent--;
	}
	no_arm(e, t, raw);
	end_try(e);
	e->in_one = false;
}

static void
print_union(struct py *e, struct type *t)
{
	const char *disc = py_member(e, t->disc->name);
	struct type *data;
	struct arm *a;

	begin_class(e, t, "Value");
	py_line(e, "__slots__ = ('%s', '_data')", disc);
	py_blank(&e->body, 1);
	py_line(e, "def __init__(self, %s: %s, _data=None):", disc,
	    py_annotation(e, t->disc->type));
	e->indent++;
	py_line(e, "self.%s = %s", disc, disc);
	for (a = t->arms; a != NULL; a = a->next) {
		data = a->member->type;
		if (a->member->name == NULL)
			continue;
		py_doc(&e->body, 2, a->member->doc);
		py_line(e, "# %s: %s", a->is_default ? "otherwise" :
		    label_text(e, type_real(t->disc->type), a->labels),
		    mem_printf(e->mem, "%s, %s", a->member->name,
		    py_annotation(e, data)));
	}
	py_line(e, "self._data = _data");
	e->indent--;
	unpack_union(e, t);
	pack_union(e, t);
	end_class(e);
}

void
py_type(struct py *e, struct type *t)
{
	py_blank(e->out, 2);
	if (t->kind == TYPE_ENUM)
		print_enum(e, t);
	else if (t->kind == TYPE_UNION)
		print_union(e, t);
	else if (py_is_linked(t))
		print_linked(e, t);
	else
		print_struct(e, t);
	py_of(t)->done = true;
}
