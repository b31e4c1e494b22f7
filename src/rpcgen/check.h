/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the check pass share.
 *
 *	check.c		declares every name, gives constants their values
 *	check_type.c	turns declarations into types, looks at unions
 *	check_prog.c	programs, versions, procedures
 *	shape.c		recursion, lists, sizes, runs, the order of printing
 */
#ifndef RPCGEN_CHECK_H
#define RPCGEN_CHECK_H

#include "model.h"
#include "tree.h"

/* A type whose body is still to be read. */
struct pending_type {
	struct pending_type *next;
	struct type *type;
	const char *scope;
	const struct tree_spec *spec;	/* a body; or */
	const struct tree_decl *decl;	/* what a typedef says */
};

/* A constant whose value is still to be found. */
struct pending_constant {
	struct constant c;	/* first: the model points at this part */
	struct pending_constant *next;
	struct pending_constant *previous;	/* enumerator before it */
	struct pending_constant *next_up;	/* ... one after it */
	struct pending_constant *rival;	/* had the name first */
	const struct tree_value *value;
	const char *scope;
	enum { CONSTANT_NEW, CONSTANT_BUSY, CONSTANT_DONE } state;
	bool ambiguous;		/* two enums have it, with two values */
	bool is_number;		/* of a program, version or procedure */
};

struct checker {
	struct mem *mem;
	struct diag *diag;
	struct model *model;
	const struct check_options *options;
	struct item **last_item;
	struct pending_type *types, **last_type;
	struct pending_constant *constants, **last_constant;
	struct map enumerators;		/* "ENUM.NAME" */
	struct map numbers;		/* of programs and so on, by name */
	struct map unknown;		/* names already complained about */
	struct type *basic[BASIC_STRING + 1];
	struct tree_def *tree;
	unsigned depth;			/* of the walk that is under way */
};

/* Definitions in a chain, beyond which somebody plays with our stack. */
enum { MAX_CHAIN = 1000 };

/* check.c */
struct item	*check_new_item(struct checker *, enum item_kind, struct span);
struct type	*check_declare_type(struct checker *, const char *scope,
		    const char *name, struct span, enum type_kind);
void		 check_declare_body(struct checker *, const char *scope,
		    const char *name, bool lifted, struct tree_spec *);
void		 check_declare_nested(struct checker *, const char *scope,
		    const char *outer, struct tree_decl *);
struct pending_constant *check_constant(struct checker *,
		    const char *scope, const struct tree_value *);
bool		 check_is_external(struct checker *, const char *scope,
		    const struct tree_value *);
struct constant	*check_external_constant(struct checker *,
		    const struct tree_value *);
bool		 check_number(struct checker *, const char *scope,
		    const struct tree_value *, struct number *,
		    struct constant **);
bool		 check_u32(struct checker *, const char *scope,
		    const struct tree_value *, const char *what, uint32_t *,
		    struct constant **);
void		*check_find(const struct map *, struct mem *,
		    const char *scope, const char *name);

/* check_type.c */
void		 check_types(struct checker *);
struct type	*check_decl(struct checker *, const char *scope,
		    const struct tree_decl *);

/* check_prog.c */
void		 check_programs(struct checker *);

/* shape.c */
void		 check_shapes(struct checker *);

#endif
