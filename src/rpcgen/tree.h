/* SPDX-License-Identifier: MIT */
/*
 * A file as it was written: what the parser makes and the check pass reads.
 * Nothing is resolved here; names are texts.
 */
#ifndef RPCGEN_TREE_H
#define RPCGEN_TREE_H

#include "lex.h"

/* A constant where one may stand: a bound, a case, an enumerator's value. */
struct tree_value {
	enum { VALUE_NONE, VALUE_NUMBER, VALUE_NAME, VALUE_TEXT } kind;
	struct number number;
	const char *text;
	struct span where;
};

/* The types that need no declaration. */
enum basic {
	BASIC_VOID, BASIC_BOOL, BASIC_CHAR, BASIC_UCHAR, BASIC_SHORT,
	BASIC_USHORT, BASIC_INT, BASIC_UINT, BASIC_HYPER, BASIC_UHYPER,
	BASIC_FLOAT, BASIC_DOUBLE, BASIC_QUADRUPLE, BASIC_OPAQUE,
	BASIC_STRING
};

struct tree_enumerator {
	struct tree_enumerator *next;
	const char *name, *doc;
	struct span where;
	struct tree_value value;
};

struct tree_label {
	struct tree_label *next;
	struct tree_value value;
};

struct tree_arm {
	struct tree_arm *next;
	struct tree_label *labels;
	bool is_default;		/* also with labels, if they fell
					 * through into it */
	struct span where;
	struct tree_decl *decl;
};

/* The type part of a declaration. */
struct tree_spec {
	enum { SPEC_BASIC, SPEC_NAME, SPEC_ENUM, SPEC_STRUCT, SPEC_UNION }
	    kind;
	enum basic basic;
	const char *name;		/* SPEC_NAME; else a tag, or NULL */
	struct span where;
	/* Bodies, of the last three kinds. */
	struct tree_enumerator *enumerators;
	struct tree_decl *members;
	struct tree_decl *disc;
	struct tree_arm *arms;
	struct type *type;		/* check's: what a body became */
};

/* A member, typedef, discriminant, argument or result. */
struct tree_decl {
	struct tree_decl *next;
	struct tree_spec *spec;
	enum { FORM_PLAIN, FORM_FIXED, FORM_COUNTED, FORM_OPTIONAL } form;
	struct tree_value bound;	/* x[bound] or x<bound> */
	const char *name;		/* NULL: has none, as `void` */
	const char *doc;
	struct span where;		/* its name, or its type */
};

struct tree_proc {
	struct tree_proc *next;
	const char *name, *doc;
	struct span where;
	struct tree_decl *result;
	struct tree_decl *args;		/* one without a name: void */
	struct tree_value number;
};

struct tree_version {
	struct tree_version *next;
	const char *name, *doc;
	struct span where;
	struct tree_proc *procs;
	struct tree_value number;
};

struct tree_def {
	struct tree_def *next;
	enum { DEF_CONST, DEF_TYPE, DEF_TYPEDEF, DEF_PROGRAM, DEF_PASS } kind;
	const char *name, *doc;
	const char *scope;		/* "a::b::", or "" outside of any */
	struct span where;
	struct tree_value value;	/* of a constant, of a program */
	struct tree_spec *spec;		/* DEF_TYPE */
	bool pointer;			/* struct *name { }: RFC 1057 */
	struct tree_decl *decl;		/* DEF_TYPEDEF */
	struct tree_version *versions;
	const char *text;		/* DEF_PASS: a line for the C output */
	const struct token *token;	/* ... as it was read */
};

#endif
