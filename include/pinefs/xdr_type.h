/*
 * Types as data: one descriptor per type of a .x file, made by
 * pinefs-rpcgen.  Everything that is not hot is driven by them: printing,
 * comparing, making values up for tests.
 */
#ifndef PINEFS_XDR_TYPE_H
#define PINEFS_XDR_TYPE_H

#include <pinefs/xdr.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The C representation of each is what xdr.h and the generated header say. */
enum xdr_kind {
	XDR_KIND_VOID, XDR_KIND_BOOL, XDR_KIND_INT, XDR_KIND_UINT,
	XDR_KIND_HYPER, XDR_KIND_UHYPER, XDR_KIND_FLOAT, XDR_KIND_DOUBLE,
	XDR_KIND_QUADRUPLE, XDR_KIND_ENUM,
	XDR_KIND_OPAQUE,	/* bytes, `bound` of them */
	XDR_KIND_BYTES,		/* a view of at most `bound` */
	XDR_KIND_STRING,	/* the same, to be shown as text */
	XDR_KIND_ARRAY,		/* `bound` elements */
	XDR_KIND_VECTOR,	/* a pointer and a count, at most `bound` */
	XDR_KIND_OPTIONAL,	/* a pointer, or NULL */
	XDR_KIND_STRUCT, XDR_KIND_UNION,
	XDR_KIND_LAZY		/* struct xdr_lazy */
};

struct xdr_name {		/* of an enum's value */
	int32_t		 value;
	const char	*name;
};

struct xdr_field {		/* of a struct; an arm's member */
	const char		*path;	/* "note.name"; NULL: void */
	uint32_t		 offset;
	uint32_t		 name;	/* where in the path it begins */
	const struct xdr_type	*type;
};

static inline const char *
xdr_field_name(const struct xdr_field *f)
{
	return f->path + f->name;
}

struct xdr_arm {		/* a row for each case */
	int32_t			 label;
	struct xdr_field	 field;
};

struct xdr_type {
	enum xdr_kind		 kind;
	uint32_t		 size;		/* of the C value */
	uint32_t		 bound;
	uint32_t		 min;		/* least size on the wire */
	uint32_t		 n;		/* names, fields or arms */
	uint16_t		 depth;		/* --max-depth, where a value
						   may contain others of its
						   type; else 0 */
	bool			 strict;	/* --strict-pad */
	const char		*name;		/* NULL: has none */
	const struct xdr_type	*elem;
	const struct xdr_name	*names;		/* ENUM */
	bool			(*known)(uint32_t);	/* ENUM: is it one of
						   them?  NULL: need not */
	const struct xdr_field	*fields;	/* STRUCT; UNION: [0] is the
						   discriminant */
	const struct xdr_arm	*arms;		/* UNION */
	const struct xdr_field	*otherwise;	/* its default, or NULL */
	const struct xdr_field	*link;		/* STRUCT: to the next of a
						   list, one of `fields` */
};

extern const struct xdr_type xdr_type_void, xdr_type_bool, xdr_type_int,
    xdr_type_uint, xdr_type_hyper, xdr_type_uhyper, xdr_type_float,
    xdr_type_double, xdr_type_quadruple;

/*
 * Codecs by descriptor, which is what --compact makes T_decode and T_encode
 * call: smaller than those in straight lines, and slower.
 */
int	xdr_decode(struct xdr_in *, const struct xdr_type *, void *to);
int	xdr_encode(struct xdr_out *, const struct xdr_type *,
	    const void *value);

/*
 * The value as JSON: members by name, enums by theirs, opaque data in
 * hexadecimal digits, strings as they are (a byte that is no UTF-8 as U+00XX),
 * lists as arrays, nothing optional as null, an arm beside its discriminant.
 * Nothing is left out.  Writes at most `size` bytes with the final NUL, and
 * returns what it would have written.
 */
size_t	xdr_json(char *to, size_t size, const struct xdr_type *,
	    const void *value);

/*
 * Equal on the wire?  Views are compared by their bytes, in one piece each.
 * Trees are followed as deep as they are.
 */
bool	xdr_equal(const struct xdr_type *, const void *, const void *);

/*
 * Make a value up: `*seed` says which, and moves on.  Maxima, arms and lists
 * are honoured; memory comes from the arena.  0 or ENOMEM.
 */
int	xdr_random(const struct xdr_type *, void *value, uint64_t *seed,
	    struct xdr_arena *);

#ifdef __cplusplus
}
#endif

#endif
