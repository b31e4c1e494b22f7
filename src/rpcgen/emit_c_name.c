/* SPDX-License-Identifier: MIT */
/*
 * Names in C.
 *
 * The IDL's names are kept; one that C, C++ or a header claims gets a `_`,
 * and one that is such a word followed by underscores gets one more, so that
 * no two become one.  A namespace is left out unless two names would clash.
 */
#include "emit_c.h"

#include <stdio.h>
#include <string.h>

static const char *const reserved[] = {
	/* C and C++ */
	"alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand",
	"bitor", "bool", "break", "case", "catch", "char", "char16_t",
	"char32_t", "char8_t", "class", "compl", "concept", "const",
	"const_cast", "consteval", "constexpr", "constinit", "continue",
	"co_await", "co_return", "co_yield", "decltype", "default", "delete",
	"do", "double", "dynamic_cast", "else", "enum", "explicit", "export",
	"extern", "false", "float", "for", "friend", "goto", "if", "inline",
	"int", "long", "mutable", "namespace", "new", "noexcept", "not",
	"not_eq", "nullptr", "operator", "or", "or_eq", "private",
	"protected", "public", "register", "reinterpret_cast", "requires",
	"restrict", "return", "short", "signed", "sizeof", "static",
	"static_assert", "static_cast", "struct", "switch", "template",
	"this", "thread_local", "throw", "true", "try", "typedef", "typeid",
	"typename", "typeof", "typeof_unqual", "union", "unsigned", "using",
	"virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
	/* macros and types of the headers that are included */
	"errno", "NULL", "offsetof", "linux", "unix", "i386", "EOF",
	"size_t", "ssize_t", "ptrdiff_t", "max_align_t", "nullptr_t",
	"int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t",
	"uint32_t", "uint64_t", "intptr_t", "uintptr_t", "intmax_t",
	"uintmax_t", "memcpy", "memset", "memcmp", "memmove", "strlen",
	"strcmp", "strcpy", "strdup", "index", "main",
	"EBADMSG", "EINVAL", "ENOMEM", "EMSGSIZE", "ENOENT", "EPERM", "EIO",
	"EACCES", "EEXIST", "EAGAIN", "INT32_MAX", "UINT32_MAX",
	"INT32_MIN", "INT64_MAX", "UINT64_MAX", "SIZE_MAX",
};

/* Such a word, perhaps followed by underscores. */
static bool
is_reserved(struct emit *e, const char *name)
{
	size_t len = strlen(name), bare = len, i;

	if (e->reserved->used == 0)
		for (i = 0; i < sizeof reserved / sizeof *reserved; i++)
			map_put(e->reserved, reserved[i], e);
	while (bare > 1 && name[bare - 1] == '_')
		bare--;
	return map_get(e->reserved, bare == len ? name :
	    mem_strndup(e->mem, name, bare)) != NULL;
}

const char *
c_escape(struct emit *e, const char *name)
{
	return is_reserved(e, name) ? mem_printf(e->mem, "%s_", name) : name;
}

const char *
c_upper(struct mem *mem, const char *name)
{
	char *p = mem_strndup(mem, name, strlen(name)), *c;

	for (c = p; *c != '\0'; c++) {
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
		else if (!(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9'))
			*c = '_';
	}
	return p;
}

/* Without its namespaces if that is free, else with all of them. */
static const char *
global_name(struct emit *e, const char *full, const void *owner)
{
	const char *colon = strrchr(full, ':');
	const char *name = c_escape(e, colon != NULL ? colon + 1 : full);
	char *to;

	if (colon != NULL && map_get(e->globals, name) != NULL) {
		name = to = mem_strndup(e->mem, full, strlen(full));
		for (; *full != '\0'; full++)
			if (*full != ':')
				*to++ = *full;
			else if (full[1] == ':')
				*to++ = '_';
		*to = '\0';
	}
	while (map_get(e->globals, name) != NULL)
		name = mem_printf(e->mem, "%s_", name);
	map_put(e->globals, name, (void *)(uintptr_t)owner);
	return name;
}

struct c_type *
c_of(const struct type *t)
{
	return t->printer;
}

static const char *
constant_name(struct emit *e, const struct constant *k)
{
	const char *name = map_get(e->types, mem_printf(e->mem, "=%s",
	    k->name));

	if (k->second && k->of != NULL)
		return mem_printf(e->mem, "%s_%s", c_upper(e->mem,
		    c_of(k->of)->name), c_escape(e, k->name));
	return name != NULL ? name : c_escape(e, k->name);
}

const char *
c_constant(struct emit *e, const struct constant *k)
{
	return k->c_name != NULL ? k->c_name : constant_name(e, k);
}

/*
 * A member whose C name would be that of a macro or keyword is escaped;
 * beside that, members have a scope of their own.
 */
static const char *
member_name(struct emit *e, const struct member *m)
{
	const char *name = c_escape(e, m->name);

	while (map_get(e->macros, name) != NULL)
		name = mem_printf(e->mem, "%s_", name);
	return name;
}

const char *
c_member(struct emit *e, const struct member *m)
{
	return m->c_name != NULL ? m->c_name : member_name(e, m);
}

/* Printed with #define, because no enum could hold it. */
static bool
is_macro(const struct constant *k)
{
	return k->is_text || (k->value.negative ?
	    (int64_t)k->value.bits < INT32_MIN : k->value.bits > INT32_MAX);
}

static void
name_type(struct emit *e, struct type *t)
{
	struct c_type *c = MEM_NEW(e->mem, struct c_type);

	t->printer = c;
	c->name = t->external ? t->name : global_name(e, t->name, t);
	c->upper = c_upper(e->mem, c->name);
	/* `Note` beside `note`: their macros must differ too. */
	while (map_get(e->types, mem_printf(e->mem, "^%s", c->upper)) != NULL)
		c->upper = mem_printf(e->mem, "%s_", c->upper);
	map_put(e->types, mem_printf(e->mem, "^%s", c->upper), t);
}

static void
name_constant(struct emit *e, struct constant *k)
{
	const char *name;

	if (k->second)
		return;
	name = global_name(e, k->name, k);
	map_put(e->types, mem_printf(e->mem, "=%s", k->name),
	    (void *)(uintptr_t)name);
	if (k->of == NULL && !k->external && is_macro(k))
		map_put(e->macros, name, k);
}

/* The file's name, as part of another name. */
static const char *
stem(struct emit *e)
{
	char *s = mem_strndup(e->mem, e->model->stem, strlen(e->model->stem));
	char *c;

	for (c = s; *c != '\0'; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9'))
			*c = '_';
	return s;
}

/*
 * The struct of variable arrays of a type, should there be any.  Whether the
 * header of an external type has one is not known, so ours is another.
 */
static void
name_array(struct emit *e, const struct type *t)
{
	struct c_type *c = c_of(t);
	const char *name = t->external ?
	    mem_printf(e->mem, "%s_in_%s_array", c->name, stem(e)) :
	    mem_printf(e->mem, "%s_array", c->name);

	while (map_get(e->globals, name) != NULL)
		name = mem_printf(e->mem, "%s_", name);
	c->array = mem_printf(e->mem, "struct %s", name);
}

/*
 * What is made of a type for others to use: T_decode, T_encode, T_size and
 * T_type.  NFSv4 has types fattr4 and fattr4_size: the IDL's names stay, and
 * ours get a `_`.
 */
const char *
c_made(struct emit *e, const struct type *t, const char *suffix)
{
	const char *name = mem_printf(e->mem, "%s_%s", c_of(t)->name, suffix);

	while (map_get(e->globals, name) != NULL)
		name = mem_printf(e->mem, "%s_", name);
	return name;
}

/* A name for a local that shadows nothing of this file. */
const char *
c_local(struct emit *e, const char *name)
{
	while (map_get(e->globals, name) != NULL)
		name = mem_printf(e->mem, "%s_", name);
	return name;
}

/*
 * The number of a program, version or procedure.  Two versions may share
 * such a name, and a constant of the same value is it already (checked).
 */
const char *
c_number_name(struct emit *e, const char *name)
{
	const char *key = mem_printf(e->mem, "=%s", name);
	const char *found = map_get(e->types, key);

	if (found == NULL) {
		found = global_name(e, name, e);
		map_put(e->types, key, (void *)(uintptr_t)found);
	}
	return found;
}

static void
name_program(struct emit *e, const struct program *p)
{
	const struct version *v;
	const struct procedure *r;

	map_put(e->macros, c_number_name(e, p->name), e);
	for (v = p->versions; v != NULL; v = v->next) {
		(void)c_number_name(e, v->name);
		for (r = v->procs; r != NULL; r = r->next)
			(void)c_number_name(e, r->name);
	}
}

static void
name_items(struct emit *e)
{
	const struct enumerator *n;
	struct item *i;

	for (i = e->model->items; i != NULL; i = i->next) {
		if (i->kind == ITEM_CONSTANT)
			name_constant(e, i->constant);
		else if (i->kind == ITEM_PROGRAM)
			name_program(e, i->program);
		if (i->kind != ITEM_TYPE)
			continue;
		if (!i->type->is_bare_alias)
			name_type(e, i->type);
		for (n = i->type->enumerators; n != NULL; n = n->next)
			name_constant(e, n->constant);
	}
	for (i = e->model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_TYPE && !i->type->is_bare_alias)
			name_array(e, i->type);
}

/* What is asked for often, when all macros are known. */
static void
name_members(struct emit *e, const struct type *t)
{
	struct enumerator *n;
	struct member *m;
	struct arm *a;

	for (n = t->enumerators; n != NULL; n = n->next)
		n->constant->c_name = constant_name(e, n->constant);
	for (m = t->members; m != NULL; m = m->next)
		m->c_name = member_name(e, m);
	for (a = t->arms; a != NULL; a = a->next)
		if (a->member->name != NULL)
			a->member->c_name = member_name(e, a->member);
	if (t->disc != NULL)
		t->disc->c_name = member_name(e, t->disc);
}

static void
name_uses(struct emit *e)
{
	struct item *i;

	for (i = e->model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_CONSTANT)
			i->constant->c_name = constant_name(e, i->constant);
		else if (i->kind == ITEM_TYPE)
			name_members(e, i->type);
}

static void
name_locals(struct emit *e)
{
	e->in = c_local(e, "in");
	e->l_out = c_local(e, "out");
	e->p = c_local(e, "p");
	e->v = c_local(e, "v");
	e->err = c_local(e, "err");
	e->i = c_local(e, "i");
	e->n = c_local(e, "n");
	e->tail = c_local(e, "tail");
	e->more = c_local(e, "more");
	e->max = c_local(e, "max");
	e->where = c_local(e, "where");
	e->last = c_local(e, "last");
	e->next = c_local(e, "next");
	e->used = c_local(e, "used");
	e->step = c_local(e, "step");
	e->from = c_local(e, "from");
	e->end = c_local(e, "end");
	e->left = c_local(e, "left");
	e->slow = c_local(e, "slow");
}

/* Types as they were before another file was printed, but for their names. */
static void
forget_progress(struct emit *e)
{
	struct c_type *c;
	struct item *i;

	for (i = e->model->items; i != NULL; i = i->next) {
		if (i->kind != ITEM_TYPE || i->type->is_bare_alias)
			continue;
		c = c_of(i->type);
		*c = (struct c_type){ .name = c->name, .upper = c->upper,
		    .array = c->array };
	}
}

static struct map *
new_map(struct mem *mem)
{
	struct map *map = MEM_NEW(mem, struct map);

	map_init(map, mem);
	return map;
}

/* Begin a file.  All files of a model have the same names. */
void
c_names(struct emit *e, struct text *out, struct model *model)
{
	struct emit *first = model->printer;

	if (first != NULL) {
		*e = *first;
		e->out = out;
		forget_progress(e);
		return;
	}
	*e = (struct emit){ .out = out, .mem = out->mem, .model = model };
	e->reserved = new_map(e->mem);
	e->globals = new_map(e->mem);
	e->macros = new_map(e->mem);
	e->types = new_map(e->mem);
	name_items(e);
	name_uses(e);
	name_locals(e);
	model->printer = first = MEM_NEW(e->mem, struct emit);
	*first = *e;
}

const char *
c_number(struct emit *e, struct number n)
{
	if (n.negative && n.bits == (uint64_t)1 << 63)
		return "(-INT64_MAX - 1)";
	if (n.negative && (int64_t)n.bits == INT32_MIN)
		return "(-INT32_MAX - 1)";
	if (n.negative)
		return mem_printf(e->mem, "%lld%s", (long long)n.bits,
		    (int64_t)n.bits < INT32_MIN ? "LL" : "");
	if (n.base == 16)
		return mem_printf(e->mem, "0x%llx%s",
		    (unsigned long long)n.bits, n.bits <= INT32_MAX ? "" :
		    n.bits <= UINT32_MAX ? "u" : "ull");
	return mem_printf(e->mem, "%llu%s", (unsigned long long)n.bits,
	    n.bits <= INT32_MAX ? "" : n.bits <= UINT32_MAX ? "u" : "ull");
}
