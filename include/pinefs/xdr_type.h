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
	const char		*name;	/* NULL: void */
	uint32_t		 offset;
	const struct xdr_type	*type;
};

struct xdr_arm {		/* a row for each case */
	int32_t			 label;
	struct xdr_field	 field;
};

struct xdr_type {
	enum xdr_kind		 kind;
	uint32_t		 size;		/* of the C value */
	uint32_t		 bound;
	uint32_t		 n;		/* names, fields or arms */
	const char		*name;		/* NULL: has none */
	const struct xdr_type	*elem;
	const struct xdr_name	*names;		/* ENUM */
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
