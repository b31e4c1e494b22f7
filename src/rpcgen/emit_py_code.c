/* SPDX-License-Identifier: MIT */
/* One value of any type: from bytes, to bytes, and as an expression. */
#include "emit_py.h"

#include <string.h>

/*
 * Linked in the IDL, a list here.  A struct with several pointers to itself
 * is a tree, and stays one.
 */
bool
py_is_linked(const struct type *t)
{
	const struct member *m;
	struct type *o;

	if (t->kind != TYPE_STRUCT || t->link == NULL)
		return false;
	for (m = t->members; m != NULL; m = m->next) {
		o = type_real(m->type);
		if (m != t->link && o->kind == TYPE_OPTIONAL &&
		    type_real(o->elem) == t)
			return false;
	}
	return true;
}

bool
py_is_in_one(const struct py *e, struct type *t)
{
	const struct arm *a;

	t = type_real(t);
	if (t->kind == TYPE_STRUCT)
		return t->min > 0 && py_is_flat(e, t);
	if (t->kind != TYPE_UNION || t->recursive || t->arms == NULL)
		return false;
	for (a = t->arms; a != NULL; a = a->next)
		if (a->member->type->kind != TYPE_VOID &&
		    !py_is_flat(e, a->member->type))
			return false;
	return true;
}

const char *
py_bound(struct py *e, const struct bound *b)
{
	if (!b->given)
		return "rpchelp.UNLIMITED";
	if (b->constant != NULL && !b->constant->is_text)
		return py_constant(e, b->constant);
	return mem_printf(e->mem, "%u", (unsigned)b->value);
}

/* -------------------------------------------------------------- codecs -- */

static const char *
basic_codec(const struct type *t)
{
	static const char *const names[] = {
		[TYPE_VOID] = "rpchelp.r_void",
		[TYPE_BOOL] = "rpchelp.r_bool",
		[TYPE_INT] = "rpchelp.r_int",
		[TYPE_UINT] = "rpchelp.r_uint",
		[TYPE_HYPER] = "rpchelp.r_hyper",
		[TYPE_UHYPER] = "rpchelp.r_uhyper",
		[TYPE_FLOAT] = "rpchelp.r_float",
		[TYPE_DOUBLE] = "rpchelp.r_double",
		[TYPE_QUADRUPLE] = "rpchelp.r_quadruple"
	};

	return names[t->kind];
}

/* What a codec is made of; a function if it is defined further down. */
static const char *
elem_codec(struct py *e, struct type *t)
{
	if (t->kind >= TYPE_ALIAS && !py_of(t)->done)
		return mem_printf(e->mem, "lambda: %s", py_of(t)->name);
	return py_codec(e, t);
}

static const char *
bytes_codec(struct py *e, struct type *t)
{
	const char *s = mem_printf(e->mem, "rpchelp.%s(rpchelp.%s, %s)",
	    t->kind == TYPE_STRING ? "string" : "opaque",
	    t->kind == TYPE_OPAQUE ? "fixed" : "var",
	    t->bound.given ? py_bound(e, &t->bound) : "None");

	if (e->model->strict_pad)
		s = mem_printf(e->mem, "rpchelp.strict(%s)", s);
	return s;
}

const char *
py_codec(struct py *e, struct type *t)
{
	switch (t->kind) {
	case TYPE_OPAQUE: case TYPE_BYTES: case TYPE_STRING:
		return bytes_codec(e, t);
	case TYPE_ARRAY: case TYPE_VECTOR:
		return mem_printf(e->mem, "rpchelp.arr(%s, rpchelp.%s, %s)",
		    elem_codec(e, t->elem),
		    t->kind == TYPE_ARRAY ? "fixed" : "var",
		    t->bound.given ? py_bound(e, &t->bound) : "None");
	case TYPE_OPTIONAL:
		return mem_printf(e->mem, "rpchelp.opt_data(%s)",
		    elem_codec(e, t->elem));
	default:
		return t->kind >= TYPE_ALIAS ? py_of(t)->name :
		    basic_codec(t);
	}
}

/* ", depth + 1" where the type under way and this one count theirs. */
static const char *
deeper(const struct py *e, struct type *t)
{
	t = type_real(t);
	return (t->kind == TYPE_STRUCT || t->kind == TYPE_UNION) &&
	    t->recursive && e->type != NULL && e->type->recursive ?
	    ", $depth + 1" : "";
}

/* The code of struct.Struct for what is a plain number, else 0. */
static char
number_code(struct type *t)
{
	switch (type_real(t)->kind) {
	case TYPE_INT: return 'i';
	case TYPE_UINT: return 'I';
	case TYPE_HYPER: return 'q';
	case TYPE_UHYPER: return 'Q';
	case TYPE_FLOAT: return 'f';
	case TYPE_DOUBLE: return 'd';
	default: return 0;
	}
}

/* ------------------------------------------------------------ decoding -- */

static void
decode_array(struct py *e, struct type *t, const char *var)
{
	char code = number_code(t->elem);
	const char *n = py_bound(e, &t->bound);

	if (code != 0)
		py_line(e, "%s, $o = rpchelp.get_numbers($b, $o, %s, '%c', %u)",
		    var, n, code, (unsigned)t->elem->min);
	else
		py_line(e, "%s, $o = rpchelp.get_items($b, $o, %s, %s.unpack%s)",
		    var, n, py_codec(e, t->elem), deeper(e, t->elem));
}

static void
decode_vector(struct py *e, struct type *t, const char *var,
    const char *where)
{
	char code = number_code(t->elem);
	const char *max = py_bound(e, &t->bound);

	if (code == 0) {
		py_line(e, "%s, $o = rpchelp.get_vector($b, $o, %s, %u, "
		    "%s.unpack, '%s'%s)", var, max, (unsigned)t->elem->min,
		    py_codec(e, t->elem), where, deeper(e, t->elem));
		return;
	}
	py_line(e, "$n, $o = rpchelp.get_count($b, $o, %s, %u, '%s')", max,
	    (unsigned)t->elem->min, where);
	py_line(e, "%s, $o = rpchelp.get_numbers($b, $o, $n, '%c', %u)", var,
	    code, (unsigned)t->elem->min);
}

static void
decode_optional(struct py *e, struct type *t, const char *var,
    const char *where)
{
	struct type *elem = type_real(t->elem);

	if (py_is_linked(elem)) {
		py_line(e, "%s, $o = %s.unpack_list($b, $o%s)", var,
		    py_of(elem)->name, deeper(e, elem));
		return;
	}
	py_line(e, "$more, $o = rpchelp.get_more($b, $o, '%s')", where);
	py_line(e, "%s = None", var);
	py_line(e, "if $more:");
	e->indent++;
	py_decode(e, t->elem, var, where);
	e->indent--;
}

static void
decode_flat(struct py *e, struct type *t, const char *var)
{
	struct py_run r;
	const char *value;

	py_run_init(e, &r);
	value = t->kind == TYPE_STRUCT ? py_run_read(e, &r, t, "", NULL) :
	    py_run_read_into(e, &r, t, var);
	py_run_unpack(e, &r);
	if (r.size > 0)
		py_line(e, "$o += %u", (unsigned)r.size);
	if (value != var)
		py_line(e, "%s = %s", var, value);
}

/*
 * The string or opaque that is all there is in a struct, as in a handle of a
 * file: it is read and written in place.  NULL: it is not so.
 */
static const struct member *
wrapped(const struct type *t)
{
	const struct member *m = t->members;
	const struct type *real;

	if (t->kind != TYPE_STRUCT || m == NULL || m->next != NULL)
		return NULL;
	real = type_real(m->type);
	return real->kind == TYPE_BYTES || real->kind == TYPE_STRING ? m :
	    NULL;
}

static const char *
wrapped_where(struct py *e, const struct member *m)
{
	return mem_printf(e->mem, "%s.%s", m->parent->name, m->name);
}

static void
decode_wrapped(struct py *e, const struct member *m, const char *var)
{
	py_line(e, "%s = %s(%s)", var, e->new_object, py_of(m->parent)->name);
	py_decode(e, m->type, mem_printf(e->mem, "%s.%s", var,
	    py_member(e, m->name)), wrapped_where(e, m));
}

/* Read a value at `o` into `var`, a local or a member of one. */
void
py_decode(struct py *e, struct type *t, const char *var, const char *where)
{
	const char *strict = e->model->strict_pad ? "_strict" : "";

	t = type_real(t);
	if (t->kind == TYPE_VOID) {
		py_line(e, "%s = None", var);
		return;
	}
	if (py_is_flat(e, t)) {
		decode_flat(e, t, var);
		return;
	}
	switch (t->kind) {
	case TYPE_OPAQUE:
		py_line(e, "%s, $o = rpchelp.get_fixed%s($b, $o, %s, '%s')", var,
		    strict, py_bound(e, &t->bound), where);
		break;
	case TYPE_BYTES: case TYPE_STRING:
		py_line(e, "%s, $o = rpchelp.get_opaque%s($b, $o, %s, '%s')",
		    var, strict, py_bound(e, &t->bound), where);
		break;
	case TYPE_ARRAY:
		decode_array(e, t, var);
		break;
	case TYPE_VECTOR:
		decode_vector(e, t, var, where);
		break;
	case TYPE_OPTIONAL:
		decode_optional(e, t, var, where);
		break;
	default:
		if (wrapped(t) != NULL)
			decode_wrapped(e, wrapped(t), var);
		else
			py_line(e, "%s, $o = %s.unpack($b, $o%s)", var,
			    py_of(t)->name, deeper(e, t));
		break;
	}
}

/* ------------------------------------------------------------ encoding -- */

static void
encode_optional(struct py *e, struct type *t, const char *expr,
    const char *name, const char *where)
{
	struct type *elem = type_real(t->elem);

	if (py_is_linked(elem)) {
		py_line(e, "%s.pack_list_to(%s, $add%s)", py_of(elem)->name,
		    expr, deeper(e, elem));
		return;
	}
	if (strchr(expr, '.') == NULL) {
		name = expr;
	} else {
		name = py_local(e, name);
		py_line(e, "%s = %s", name, expr);
	}
	py_line(e, "if %s is None:", name);
	e->indent++;
	py_line(e, "$add(rpchelp.ZERO)");
	e->indent--;
	py_line(e, "else:");
	e->indent++;
	py_line(e, "$add(rpchelp.ONE)");
	py_encode(e, t->elem, name, name, where);
	e->indent--;
}

static void
encode_array(struct py *e, struct type *t, const char *expr,
    const char *where)
{
	const char *kind = t->kind == TYPE_ARRAY ? "array" : "vector";
	const char *n = py_bound(e, &t->bound);
	char code = number_code(t->elem);

	if (code != 0)
		py_line(e, "rpchelp.put_number_%s($add, %s, %s, '%c', '%s')",
		    kind, expr, n, code, where);
	else if (py_is_in_one(e, t->elem))
		py_line(e, "rpchelp.put_packed_%s($add, %s, %s, %s.pack, '%s')",
		    kind, expr, n, py_codec(e, t->elem), where);
	else
		py_line(e, "rpchelp.put_%s($add, %s, %s, %s.pack_to, '%s'%s)",
		    kind, expr, n, py_codec(e, t->elem), where,
		    deeper(e, t->elem));
}

/* Hand the bytes of `expr` to add(); `name` is one for a local. */
void
py_encode(struct py *e, struct type *t, const char *expr, const char *name,
    const char *where)
{
	struct py_run r;

	t = type_real(t);
	if (t->kind == TYPE_VOID)
		return;
	if (py_is_flat(e, t)) {
		py_run_init(e, &r);
		py_run_write(e, &r, t, expr, "", NULL, where);
		py_run_pack(e, &r);
		return;
	}
	switch (t->kind) {
	case TYPE_OPAQUE:
		py_line(e, "rpchelp.put_fixed($add, %s, %s, '%s')", expr,
		    py_bound(e, &t->bound), where);
		break;
	case TYPE_BYTES: case TYPE_STRING:
		py_line(e, "rpchelp.put_opaque($add, %s, %s, '%s')", expr,
		    py_bound(e, &t->bound), where);
		break;
	case TYPE_ARRAY: case TYPE_VECTOR:
		encode_array(e, t, expr, where);
		break;
	case TYPE_OPTIONAL:
		encode_optional(e, t, expr, name, where);
		break;
	default:
		if (wrapped(t) != NULL)
			py_encode(e, wrapped(t)->type, mem_printf(e->mem,
			    "%s.%s", expr, py_member(e, wrapped(t)->name)),
			    name, wrapped_where(e, wrapped(t)));
		else if (py_is_in_one(e, t))
			py_line(e, "$add(%s.pack(%s))", py_of(t)->name, expr);
		else
			py_line(e, "%s.pack_to(%s, $add%s)", py_of(t)->name,
			    expr, deeper(e, t));
		break;
	}
}
