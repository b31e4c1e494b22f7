/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the Python printer share.
 *
 *	emit_py.c	the file: what stands in it and in which order
 *	emit_py_name.c	names in Python: escapes, clashes, locals
 *	emit_py_line.c	lines, wrapped to 79 columns
 *	emit_py_run.c	members of fixed size, as one struct.Struct
 *	emit_py_type.c	classes of structs, unions and enums
 *	emit_py_code.c	one value of any type, from bytes and to bytes
 *	emit_py_prog.c	servers and clients
 */
#ifndef RPCGEN_EMIT_PY_H
#define RPCGEN_EMIT_PY_H

#include "emit.h"

/* What the printer keeps of a type, at type->printer. */
struct py_type {
	const char *name;	/* in Python */
	const char *values;	/* ENUM: its values by number */
	bool done;		/* its definition stands above */
};

/* Words under way: arguments, names of a tuple. */
struct words {
	const char **v;
	unsigned n, max;
};

struct py {
	struct text *out;
	struct mem *mem;
	struct model *model;
	struct map globals;	/* Python names that are taken at top level */
	struct map constants;	/* their Python names, by the IDL's */
	struct map printed;	/* constants that stand above */
	const char *i32, *u32;	/* Struct('>i'), Struct('>I') */
	const char *new_object;	/* makes one whose members are then set */
	struct map fixed;	/* locals of all functions, by what $ calls */
	struct map fixed_taken;	/* ... and their names */

	/* The class under way.  Its Structs are printed before it. */
	struct text body;
	unsigned indent;
	const struct type *type;
	struct map structs;	/* names of its Structs by format */
	unsigned nstructs;
	struct map locals;	/* taken in the function under way */
	bool in_one;		/* ... which returns what a Struct packs */
};

/* Members of fixed size that stand side by side. */
struct py_run {
	struct text format;
	char last;		/* code not yet in `format` */
	unsigned repeat;	/* ... and how often */
	unsigned ncodes;
	uint32_t size;		/* on the wire */
	struct words vars;	/* decoding: the raw values */
	struct words after;	/* ... and what is done with them */
	struct words values;	/* encoding: what is packed */
};

/* emit_py_name.c */
void		 py_names(struct py *);
const char	*py_escape(struct py *, const char *name);
const char	*py_member(struct py *, const char *name);
const char	*py_enumerator(struct py *, const char *name);
const char	*py_procedure(struct py *, const char *name);
const char	*py_constant(struct py *, const struct constant *);
const char	*py_number(struct py *, struct number);
const char	*py_global(struct py *, const char *name);
struct py_type	*py_of(const struct type *);
void		 py_locals(struct py *);
const char	*py_local(struct py *, const char *name);
const char	*py_fixed_local(struct py *, const char *word, size_t len);

/* emit_py_line.c */
void	py_line(struct py *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	py_top(struct py *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	py_assign(struct py *, const char *name, const char *value);
void	py_blank(struct text *, unsigned n);
void	py_doc(struct text *, unsigned indent, const char *doc);
void	py_word(struct py *, struct words *, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
const char *py_join(struct py *, const struct words *);
const char *py_tuple(struct py *, const struct words *);

/* emit_py_run.c */
bool		 py_is_flat(const struct py *, struct type *);
void		 py_run_init(struct py *, struct py_run *);
void		 py_run_code(struct py *, struct py_run *, char code,
		    uint32_t size);
/* What a member is called in names of locals; NULL: nothing. */
const char	*py_run_name(const struct member *);
/*
 * Take a value of `t` in: the expression for what it decodes to.  Locals are
 * named by `base` and, if it has a name, `own`.
 */
const char	*py_run_read(struct py *, struct py_run *, struct type *t,
		    const char *base, const char *own);
/* ... of one that is no struct, into the local `var`. */
const char	*py_run_read_into(struct py *, struct py_run *, struct type *t,
		    const char *var);
/* ... of a member of a struct, which is set in the object `name`. */
void		 py_run_fill(struct py *, struct py_run *, struct member *,
		    const char *name, const char *base);
/* ... and of the value of `expr`, to be encoded. */
void		 py_run_write(struct py *, struct py_run *, struct type *t,
		    const char *expr, const char *base, const char *own,
		    const char *where);
/* The name of its struct.Struct. */
const char	*py_run_struct(struct py *, struct py_run *);
/* Print the line that reads the raw values. */
void		 py_run_unpack(struct py *, struct py_run *);
/* Print the line that packs them, if there are any; see in_one. */
void		 py_run_pack(struct py *, struct py_run *);

/* emit_py_code.c */
bool		 py_is_linked(const struct type *);
/* Is a value of this struct or union always packed by one Struct? */
bool		 py_is_in_one(const struct py *, struct type *);
const char	*py_codec(struct py *, struct type *);
const char	*py_bound(struct py *, const struct bound *);
void		 py_decode(struct py *, struct type *, const char *var,
		    const char *where);
void		 py_encode(struct py *, struct type *, const char *expr,
		    const char *name, const char *where);

/* emit_py_type.c */
void	py_type(struct py *, struct type *);

/* emit_py_prog.c */
void	py_program(struct py *, const struct program *);
const char *py_annotation(struct py *, struct type *);

#endif
