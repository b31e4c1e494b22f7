/* SPDX-License-Identifier: MIT */
/*
 * The model: a .x file, resolved and checked.  Every printer reads it, and
 * none of them decides anything: what could be decided stands here.
 *
 *	tokens -> tree -> [check] -> model -> emit_c, emit_py ...
 *
 * How to walk it.  `items` is the whole file, in an order in which a
 * one-pass language can print it: what an item needs stands before it, and
 * otherwise the order of the file is kept.  Types that had no name of their
 * own (nested, anonymous) are items too, named `outer_member`.
 *
 * A type is a tree of `struct type`.  Items have a name.  Members point at
 * named types, at the shared basic types, or at unnamed ones built of these:
 *
 *	fattr3    attr;		the item fattr3
 *	filename3 name;		the item filename3: TYPE_ALIAS to ...
 *	string    name<255>;	TYPE_STRING, bound 255
 *	opaque    fh[32];	TYPE_OPAQUE, bound 32
 *	opaque    data<>;	TYPE_BYTES, bound UINT32_MAX, not bounded
 *	int       a[4];		TYPE_ARRAY of TYPE_INT, bound 4
 *	entry     e<8>;		TYPE_VECTOR of the item entry, bound 8
 *	entry    *next;		TYPE_OPTIONAL of the item entry
 *	void;			TYPE_VOID: no bytes, and no member name
 *
 * Names are the IDL's.  Escaping what the output language reserves, and
 * shortening `a::b`, is the printer's business, and all that is.
 *
 * Memory is the run's; nothing is freed, nothing changes after check().
 */
#ifndef RPCGEN_MODEL_H
#define RPCGEN_MODEL_H

#include "lex.h"

struct type;

/* ----------------------------------------------------------- constants -- */

struct constant {
	const char *name;	/* with its namespaces: "a::b::NAME" */
	const char *doc;	/* NULL: none */
	struct span where;
	bool is_text;		/* const S = "text"; */
	const char *text;	/* ... between its quotes, as written */
	struct number value;	/* see lex.h: bits, negative, base */
	struct type *of;	/* the enum that it belongs to, or NULL */
	struct constant *same;	/* const B = A: A.  Else NULL */
	/*
	 * The name was taken when this one came.  An enumerator is then
	 * called ENUM_NAME in C; a constant has the same value as the first
	 * one, and need not be printed.
	 */
	bool second;
	bool external;		/* a header of C says what it is */
	const char *c_name;	/* for the C printer's own use */
	struct item *item;	/* for check's use */
};

/* A size or a maximum; also by its name, for a reader's sake. */
struct bound {
	uint32_t value;			/* UINT32_MAX where none is given */
	bool given;
	struct constant *constant;	/* NULL: a plain number */
};

/* --------------------------------------------------------------- types -- */

enum type_kind {
	/* Shared, one `struct type` each; always of fixed size. */
	TYPE_VOID,		/* 0 bytes */
	TYPE_BOOL, TYPE_INT, TYPE_UINT, TYPE_HYPER, TYPE_UHYPER,
	TYPE_FLOAT, TYPE_DOUBLE, TYPE_QUADRUPLE,
	/* Built of others; no name. */
	TYPE_OPAQUE,		/* opaque [bound] */
	TYPE_BYTES,		/* opaque <bound> */
	TYPE_STRING,		/* string <bound> */
	TYPE_ARRAY,		/* elem [bound] */
	TYPE_VECTOR,		/* elem <bound> */
	TYPE_OPTIONAL,		/* elem * */
	/* Items; have a name. */
	TYPE_ALIAS,		/* a typedef for `elem` */
	TYPE_ENUM, TYPE_STRUCT, TYPE_UNION
};

/* A member of a struct, an arm's member, or a discriminant. */
struct member {
	struct member *next;
	const char *name;	/* NULL for void */
	const char *doc;
	struct span where;
	struct type *type;
	struct type *parent;	/* the struct or union it is in */
	bool lazy;		/* --lazy: decoded one by one by its user */
	bool bulk;		/* --bulk: its place is to be told early */
	const char *c_name;	/* for the C printer's own use */
};

struct enumerator {
	struct enumerator *next;
	struct constant *constant;
};

struct label {
	struct label *next;
	struct span where;
	struct number value;	/* as the discriminant's type has it */
	struct constant *constant;	/* NULL: a plain number */
};

struct arm {
	struct arm *next;
	struct label *labels;	/* may be NULL in a default arm */
	bool is_default;
	struct member *member;	/* never NULL; void has no name */
};

/*
 * A maximal run of members of fixed size: one bounds check, then everything
 * at constant offsets.  Or a single member of any other kind.
 */
struct run {
	struct run *next;
	struct member *first;
	unsigned count;		/* members, counted from `first` */
	bool fixed;
	uint32_t size;		/* on the wire, if fixed */
};

/* Sizes on the wire saturate: this, or more. */
#define WIRE_MAX UINT32_MAX

/* A run of fixed size is no longer; what is longer is done in loops. */
#define RUN_MAX 4096u

struct type {
	enum type_kind kind;
	const char *name;	/* items; basic types have the IDL's word */
	const char *doc;
	struct span where;
	bool lifted;		/* had no name in the IDL */
	bool elsewhere;		/* declared by another file's header, which
				 * a % line includes; its codecs, too */
	bool external;		/* ... and nothing more is known of it: a
				 * TYPE_STRUCT without members, in C by way
				 * of void * for it may be an array */

	bool compact;		/* --compact: its codec goes by a table */

	struct type *elem;	/* ALIAS ARRAY VECTOR OPTIONAL */
	struct bound bound;	/* OPAQUE BYTES STRING ARRAY VECTOR */
	unsigned bits;		/* INT, UINT: 8, 16 or 32, as declared; all
				 * take four bytes on the wire */

	struct enumerator *enumerators;		/* ENUM */
	bool open;		/* --open-enum: other values stay, raw */
	bool is_bare_alias;	/* a typedef that the language has itself, as
				 * `typedef unsigned int uint32_t`: print
				 * nothing where it is known */

	struct member *members;	/* STRUCT; void members are left out */
	struct run *runs;	/* STRUCT: all members, in order */

	struct member *disc;	/* UNION: its type is, or is an alias of,
				 * BOOL, INT, UINT or ENUM, or external */
	struct arm *arms;	/* UNION; labels that fall through are one
				 * arm; the default, if any, is the last */
	struct arm *default_arm;

	/*
	 * A list: the struct has one member that is an optional of itself,
	 * perhaps by way of a typedef.  Walk it in a loop, whether the
	 * member stands last, first or in the middle.
	 */
	struct member *link;

	/*
	 * Contains itself in a way that is not a list (a tree, say): its
	 * codec counts its depth.
	 */
	bool recursive;
	unsigned component;	/* types of equal number contain each other */

	uint32_t min, max;	/* bytes on the wire; saturate at WIRE_MAX */
	bool fixed;		/* always `min` bytes, at most RUN_MAX, with
				 * every part at a constant offset */

	void *printer;		/* for the printer's own use */
	unsigned mark;		/* ... and for check's walks */
};

/* ------------------------------------------------------------ programs -- */

struct procedure {
	struct procedure *next;
	const char *name;	/* NFSPROC3_GETATTR */
	const char *member;	/* getattr: without what all procedures of
				 * its version begin with, in lower case */
	const char *doc;
	const char *handler;	/* for the printer's own use */
	struct span where;
	uint32_t number;
	struct type *args;	/* TYPE_VOID: none.  Several: a struct
				 * NAME_args, lifted, of all of them */
	unsigned nargs;		/* as written */
	struct type *res;	/* TYPE_VOID: none */
};

struct version {
	struct version *next;
	const char *name, *doc;
	struct span where;
	uint32_t number;
	struct procedure *procs;	/* by number */
	uint32_t nprocs;	/* one more than the greatest number */
};

struct program {
	const char *name, *doc;
	const char *stem;	/* NFS_PROGRAM -> nfs: lower case, without
				 * _PROGRAM or _PROG */
	struct span where;
	uint32_t number;
	struct version *versions;	/* as written */
};

/* --------------------------------------------------------------- model -- */

enum item_kind { ITEM_CONSTANT, ITEM_TYPE, ITEM_PROGRAM, ITEM_PASS };

struct item {
	struct item *next;
	enum item_kind kind;
	struct constant *constant;	/* enumerators are in their enum */
	struct type *type;
	struct program *program;
	const char *text;		/* PASS: a line for C, without the % */
	bool only_here;		/* PASS: stands in an #ifdef RPC_HDR or the
				 * like: for one of the C files only */
	bool elsewhere;			/* another file's header has it */
	struct span where;
	struct item *order;		/* for check's use */
};

struct model {
	const char *file;	/* its name without directories: "nfs3.x" */
	const char *stem;	/* ... and without the ending: "nfs3" */
	struct item *items;
	struct map types;	/* by full name: struct type */
	struct map constants;	/* by full name: struct constant */
	bool strict_pad;	/* --strict-pad */
	unsigned max_depth;	/* --max-depth */
	void *printer;		/* for the printer's own use */
};

/* What the command line says about the model.  Lists end with NULL. */
struct check_options {
	const char *const *lazy;	/* "COMPOUND4args.argarray" */
	const char *const *bulk;
	const char *const *open_enums;
	bool strict_pad;
	const char *const *hot;		/* with compact: types that are not */
	bool compact;		/* --compact */
	bool external;		/* --extern */
	bool whole;		/* what was followed is printed, too */
	unsigned max_depth;
};

struct tree_def;

/*
 * Build the model of `tree`.  What is wrong with it is reported; the result
 * is of use only if diag->errors is still 0.
 */
struct model	*check(struct mem *, struct diag *, const struct source *,
		    struct tree_def *tree, const struct check_options *);

/* The type behind its typedefs; never TYPE_ALIAS. */
struct type	*type_real(struct type *);

/* As a signed number of 32 bits, which is what an enum holds on the wire. */
int32_t		 number_int(struct number);

/* Bytes and their padding. */
uint32_t	 wire_round(uint32_t);

#endif
