/* SPDX-License-Identifier: MIT */
/*
 * Members of fixed size that stand side by side are read and written by one
 * struct.Struct, together with those of the structs among them:
 *
 *	_fattr3 = rpchelp.Struct('>i4I2Q2I2Q6I')
 */
#include "emit_py.h"

#include <string.h>

/* Longer ones would be hard to read, and are faster in a call. */
enum { MAX_LEAVES = 64 };

static unsigned	leaves(const struct py *, struct type *);

static unsigned
leaves_of_struct(const struct py *e, struct type *t)
{
	struct member *m;
	unsigned n = 0, more;

	if (!t->fixed || t->recursive || t->link != NULL)
		return MAX_LEAVES + 1;
	for (m = t->members; m != NULL && n <= MAX_LEAVES; m = m->next) {
		more = leaves(e, m->type);
		n += more;
	}
	return n;
}

/* How many raw values; above MAX_LEAVES: more than are to be unfolded. */
static unsigned
leaves(const struct py *e, struct type *t)
{
	t = type_real(t);
	switch (t->kind) {
	case TYPE_BOOL: case TYPE_INT: case TYPE_UINT: case TYPE_HYPER:
	case TYPE_UHYPER: case TYPE_FLOAT: case TYPE_DOUBLE:
	case TYPE_QUADRUPLE: case TYPE_ENUM:
		return 1;
	case TYPE_OPAQUE:
		return t->fixed && (!e->model->strict_pad ||
		    t->bound.value % 4 == 0) ? 1 : MAX_LEAVES + 1;
	case TYPE_STRUCT:
		return leaves_of_struct(e, t);
	default:
		return MAX_LEAVES + 1;
	}
}

bool
py_is_flat(const struct py *e, struct type *t)
{
	return leaves(e, t) <= MAX_LEAVES;
}

/* -------------------------------------------------------------- formats -- */

void
py_run_init(struct py *e, struct py_run *r)
{
	memset(r, 0, sizeof *r);
	text_init(&r->format, e->mem);
	text_put(&r->format, ">");
}

static void
flush_code(struct py_run *r)
{
	if (r->repeat == 1)
		text_printf(&r->format, "%c", r->last);
	else if (r->repeat > 1)
		text_printf(&r->format, "%u%c", r->repeat, r->last);
	r->repeat = 0;
}

void
py_run_code(struct py *e, struct py_run *r, char code, uint32_t size)
{
	(void)e;
	if (r->repeat > 0 && r->last != code)
		flush_code(r);
	r->last = code;
	r->repeat++;
	r->ncodes++;
	r->size += size;
}

static void
bytes_code(struct py_run *r, uint32_t n)
{
	flush_code(r);
	text_printf(&r->format, "%us", (unsigned)n);
	if (n % 4 != 0)
		text_printf(&r->format, "%ux", (unsigned)(4 - n % 4));
	r->ncodes++;
	r->size += wire_round(n);
}

static void
code_of(struct py *e, struct py_run *r, const struct type *t)
{
	static const char codes[] = {
		[TYPE_BOOL] = 'I', [TYPE_INT] = 'i', [TYPE_UINT] = 'I',
		[TYPE_HYPER] = 'q', [TYPE_UHYPER] = 'Q', [TYPE_FLOAT] = 'f',
		[TYPE_DOUBLE] = 'd'
	};

	if (t->kind == TYPE_ENUM)
		py_run_code(e, r, 'i', 4);
	else if (t->kind == TYPE_QUADRUPLE)
		bytes_code(r, 16);
	else if (t->kind == TYPE_OPAQUE)
		bytes_code(r, t->bound.value);
	else
		py_run_code(e, r, codes[t->kind], t->min);
}

const char *
py_run_struct(struct py *e, struct py_run *r)
{
	const char *format, *name;

	flush_code(r);
	format = mem_strndup(e->mem, r->format.base, r->format.len);
	if (strcmp(format, ">i") == 0)
		return e->i32;
	if (strcmp(format, ">I") == 0)
		return e->u32;
	name = map_get(&e->structs, format);
	if (name != NULL)
		return name;
	name = py_of(e->type)->name;
	name = py_global(e, e->nstructs++ == 0 ?
	    mem_printf(e->mem, "_%s", name) :
	    mem_printf(e->mem, "_%s_%u", name, e->nstructs));
	map_put(&e->structs, format, (void *)(uintptr_t)name);
	py_top(e, "%s = rpchelp.Struct('%s')", name, format);
	return name;
}

/* ------------------------------------------------------------- reading -- */

/* What locals for the members of a struct begin with. */
static const char *
base_of(struct py *e, const char *base, const char *own)
{
	return own == NULL ? base : mem_printf(e->mem, "%s%s_", base, own);
}

/* A struct that is all there is in another adds nothing to names. */
const char *
py_run_name(const struct member *m)
{
	return m->parent->members->next == NULL &&
	    type_real(m->type)->kind == TYPE_STRUCT ? NULL : m->name;
}

static const char *
local_name(struct py *e, const char *base, const char *own)
{
	return py_local(e, py_escape(e, mem_printf(e->mem, "%s%s", base,
	    own != NULL ? own : "value")));
}

/*
 * Objects are made bare and their members set, which takes half the time of
 * a call of their class.
 */
void
py_run_fill(struct py *e, struct py_run *r, struct member *m,
    const char *name, const char *base)
{
	const char *member = mem_printf(e->mem, "%s.%s", name,
	    py_member(e, m->name)), *value;
	struct type *real = type_real(m->type);

	if (real->kind != TYPE_STRUCT && real->kind != TYPE_BOOL &&
	    real->kind != TYPE_ENUM) {
		(void)py_run_read_into(e, r, real, member);
		return;
	}
	value = py_run_read(e, r, m->type, base, py_run_name(m));
	py_word(e, &r->after, "%s = %s", member, value);
}

static const char *
read_struct(struct py *e, struct py_run *r, struct type *t,
    const char *base, const char *own)
{
	const char *name = local_name(e, base, own);
	struct member *m;

	py_line(e, "%s = %s(%s)", name, e->new_object, py_of(t)->name);
	for (m = t->members; m != NULL; m = m->next)
		py_run_fill(e, r, m, name, base_of(e, base, own));
	return name;
}

/* One that is no struct, into a local there is. */
const char *
py_run_read_into(struct py *e, struct py_run *r, struct type *t,
    const char *name)
{
	code_of(e, r, t);
	py_word(e, &r->vars, "%s", name);
	if (t->kind == TYPE_BOOL)
		return mem_printf(e->mem, "rpchelp.BOOL[%s]", name);
	if (t->kind == TYPE_ENUM)
		return mem_printf(e->mem, "%s[%s]", py_of(t)->values, name);
	return name;
}

const char *
py_run_read(struct py *e, struct py_run *r, struct type *t,
    const char *base, const char *own)
{
	t = type_real(t);
	if (t->kind == TYPE_STRUCT)
		return read_struct(e, r, t, base, own);
	return py_run_read_into(e, r, t, local_name(e, base, own));
}

void
py_run_unpack(struct py *e, struct py_run *r)
{
	const char *from = r->ncodes == 0 ? NULL : py_run_struct(e, r);
	unsigned i;

	if (r->vars.n == 1)
		py_line(e, "%s, = %s.unpack_from($b, $o)", r->vars.v[0], from);
	else if (r->vars.n > 1)
		py_line(e, "(%s) = %s.unpack_from($b, $o)",
		    py_join(e, &r->vars), from);
	for (i = 0; i < r->after.n; i++)
		py_line(e, "%s", r->after.v[i]);
}

/* ------------------------------------------------------------- writing -- */

static void
write_struct(struct py *e, struct py_run *r, struct type *t,
    const char *expr, const char *base, const char *own, const char *where)
{
	const char *name;
	struct member *m;

	/* A dotted name with several uses becomes a local. */
	if (t->members != NULL && t->members->next != NULL &&
	    strchr(expr, '.') != NULL) {
		name = local_name(e, base, own);
		py_line(e, "%s = %s", name, expr);
		expr = name;
	}
	base = base_of(e, base, own);
	for (m = t->members; m != NULL; m = m->next)
		py_run_write(e, r, m->type, mem_printf(e->mem, "%s.%s", expr,
		    py_member(e, m->name)), base, py_run_name(m),
		    mem_printf(e->mem, "%s.%s", where, m->name));
}

void
py_run_write(struct py *e, struct py_run *r, struct type *t,
    const char *expr, const char *base, const char *own, const char *where)
{
	t = type_real(t);
	if (t->kind == TYPE_STRUCT) {
		write_struct(e, r, t, expr, base, own, where);
		return;
	}
	code_of(e, r, t);
	if (t->kind == TYPE_BOOL)
		py_word(e, &r->values, "rpchelp.BOOL[%s]", expr);
	else if (t->kind == TYPE_ENUM)
		py_word(e, &r->values, "%s[%s]", py_of(t)->values, expr);
	else if (t->kind == TYPE_OPAQUE || t->kind == TYPE_QUADRUPLE)
		py_word(e, &r->values, "rpchelp.exact(%s, %u, '%s')", expr,
		    t->kind == TYPE_OPAQUE ? (unsigned)t->bound.value : 16,
		    where);
	else
		py_word(e, &r->values, "%s", expr);
}

void
py_run_pack(struct py *e, struct py_run *r)
{
	if (r->ncodes > 0)
		py_line(e, e->in_one ? "return %s.pack(%s)" :
		    "$add(%s.pack(%s))", py_run_struct(e, r),
		    py_join(e, &r->values));
	py_run_init(e, r);
}
