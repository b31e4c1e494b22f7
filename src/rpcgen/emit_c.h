/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the C printer share.
 *
 *	emit_c.c	the files: what stands in them and in which order
 *	emit_c_name.c	names in C: escapes, clashes, locals
 *	emit_c_line.c	lines and functions, wrapped to 80 columns
 *	emit_c_type.c	declarations of types and constants
 *	emit_c_decode.c	bytes to values
 *	emit_c_encode.c	values to bytes
 *	emit_c_union.c	both, of unions
 *	emit_c_part.c	messages that are read by parts
 *	emit_c_table.c	descriptors, which drive printing
 *	emit_c_prog.c	servers and clients
 *	emit_c_sample.c	samples of programs that use these
 *	emit_tirpc.c	types and codecs over libtirpc instead of all that
 *	emit_tirpc_prog.c	... and its servers and clients
 */
#ifndef RPCGEN_EMIT_C_H
#define RPCGEN_EMIT_C_H

#include "emit.h"

/* What the printer keeps of a type, at type->printer. */
struct c_type {
	const char *name;	/* in C */
	const char *upper;	/* the same for macros */
	const char *array;	/* "struct T_array" */
	bool array_declared;
	bool array_decode, array_encode;	/* helpers made */
	bool opt_decode, opt_encode;
	bool visited;		/* by the walk that orders codecs */
	bool checked;		/* fixed, and some value of it is bad */
};

/* A function or a file under way. */
struct emit {
	struct text *out;
	struct mem *mem;
	struct model *model;
	struct map *reserved;	/* words that C or a header claims */
	struct map *globals;	/* C names that are taken at file scope */
	struct map *macros;	/* those of them that are macros */
	struct map *types;	/* every named type by its C name */

	/* Names that no global of the file has. */
	const char *in, *l_out, *p, *v, *err, *i, *n, *tail, *more, *max,
	    *where, *last, *next, *used, *step, *from, *end, *left, *slow;

	bool elsewhere;		/* the header of another file is walked */

	/* The function whose body is being made. */
	struct text body;
	unsigned indent;
	const char **pending;	/* calls that may fail, not yet printed */
	unsigned npending, max_pending;
	bool uses_p, uses_err, uses_more;
	bool ended;		/* the body returns by itself */
	const char *extra_locals;
	unsigned loops, max_loops;
};

/* emit_c_name.c */
void		 c_names(struct emit *, struct text *, struct model *);
const char	*c_escape(struct emit *, const char *name);
const char	*c_constant(struct emit *, const struct constant *);
const char	*c_number_name(struct emit *, const char *name);
const char	*c_local(struct emit *, const char *name);
const char	*c_upper(struct mem *, const char *name);
struct c_type	*c_of(const struct type *);
const char	*c_made(struct emit *, const struct type *,
		    const char *suffix);
const char	*c_member(struct emit *, const struct member *);
const char	*c_number(struct emit *, struct number);

/* emit_c_line.c */
void	c_line(struct emit *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	c_top(struct emit *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	c_comment(struct emit *, const char *indent, const char *text);
void	c_wrap(struct text *, unsigned tabs, const char *line);
void	c_try(struct emit *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	c_flush(struct emit *);
const char *c_printf(struct emit *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
const char *c_index(struct emit *, unsigned n);
void	c_begin(struct emit *);
void	c_return(struct emit *);
void	c_unused(struct emit *, const char *, const char *);
/* End the body with `return 0`, print head, locals and body. */
void	c_end(struct emit *, const char *linkage, const char *head);

void	c_end_slow(struct emit *, const struct type *, const char *linkage,
	    const char *head);

/* p + 4 */
const char *c_plus(struct emit *, const char *p, uint32_t offset);
const char *c_path(struct emit *, const struct member *);
const char *c_field(struct emit *, const struct member *);

/* emit_c_type.c */
void		 c_types(struct emit *);
const char	*c_type_name(struct emit *, const struct type *);
const char	*c_declare(struct emit *, const struct type *,
		    const char *name);
const char	*c_bound(struct emit *, const struct bound *);
bool		 c_is_array(const struct type *);
bool		 c_is_wrapper(const struct type *);
bool		 c_is_absent(const struct type *);
bool		 c_is_flat(struct emit *, const struct type *);
bool		 c_is_simple_view(struct emit *, const struct member *);
const struct type *c_view(struct emit *, const struct member *,
		    const char **expr, const char **where);
const struct member *c_lazy_behind(const struct run *);
const char	*c_array_name(const struct type *elem);
const char	*c_param(struct emit *, const struct type *, bool is_const,
		    const char *name);
const char	*c_least(struct emit *, const struct type *);

/* How the codecs of named types are linked; see pinefs/xdr.h. */
#define C_CODEC "XDR_CODEC int"

/* emit_c_decode.c */
void	c_decoder(struct emit *, struct type *);
/* The body of a function that decodes *v of any type. */
void	c_decode_value(struct emit *, const struct type *, const char *expr,
	    const char *where);
/* The same of fixed size, whose bytes are known to lie at p + offset. */
void	c_load_value(struct emit *, const struct type *, const char *expr,
	    uint32_t offset, const char *where);
/* A string or opaque at p, which moves on; before c_end_slow. */
void	c_load_view(struct emit *, const struct member *, const char *end);
void	c_enum_checks(struct emit *);
const char *c_address(struct emit *, const struct type *, const char *expr);
const char *c_label(struct emit *, const struct type *disc,
	    const struct label *);

/* What stands before one of a struct's members. */
void	c_decode_before(struct emit *, const struct type *,
	    const struct member *);

void	c_take(struct emit *, const char *size, const char *where);
const char *c_decode_head(struct emit *, const struct type *,
	    const char *suffix);
/* What is recursive is bounded: `inner` does the work. */
void	c_decode_guard(struct emit *, const struct type *,
	    const char *linkage, const char *outer, const char *inner);

/* emit_c_union.c */
void	c_union_decoder(struct emit *, const struct type *);
bool	c_sets_discriminant(const struct type *);
void	c_union_encoder(struct emit *, const struct type *);

/* emit_c_part.c */
void	c_lazy(struct emit *, const struct member *);
void	c_bulk(struct emit *, const struct member *);
void	c_lazy_bulk(struct emit *, const struct member *);
bool	c_is_located(const struct member *);

/* emit_c_encode.c */
void	c_encoder(struct emit *, struct type *);
void	c_encode_value(struct emit *, const struct type *, const char *expr,
	    const char *where);
/* The same of fixed size, for which there is room at p + offset. */
void	c_store_value(struct emit *, const struct type *, const char *expr,
	    uint32_t offset, const char *where);

void	c_room(struct emit *, uint32_t size, const char *where);
const char *c_encode_head(struct emit *, const struct type *,
	    const char *suffix);
void	c_encode_guard(struct emit *, const struct type *,
	    const char *linkage, const char *outer, const char *inner);

/* emit_c_table.c */
void		 c_table_of(struct emit *, struct type *);
const char	*c_table(struct emit *, const struct type *,
		    const char *prefix);
void		 c_compact(struct emit *, const struct type *);
bool		 c_has_table(const struct type *);

/* emit_c_prog.c */
/* nfs_v3; ", const T *args, U *res" */
const char *c_version(struct emit *, const struct program *,
	    const struct version *);
const char *c_params(struct emit *, const struct procedure *);
void	c_program_header(struct emit *, const struct program *, struct map *);
void	c_program_svc(struct emit *, const struct program *);
void	c_program_clnt(struct emit *, const struct program *);

/* emit_tirpc.c */
const char *tirpc_type(struct emit *, const struct type *);
const char *tirpc_function(struct emit *, const struct type *);

/* emit_tirpc_prog.c */
void	tirpc_program_header(struct emit *, const struct program *);
void	tirpc_program_clnt(struct emit *, const struct program *);
void	tirpc_program_svc(struct emit *, const struct program *);

#endif
