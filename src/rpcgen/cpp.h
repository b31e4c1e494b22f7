/* SPDX-License-Identifier: MIT */
/*
 * The preprocessor: what .x files use of C's.
 *
 * Conditionals, #include, #error, and macros without parameters.  Nothing is
 * forked; columns stay, because tokens are taken as they stand in their files.
 */
#ifndef RPCGEN_CPP_H
#define RPCGEN_CPP_H

#include "lex.h"

struct cpp_options {
	const char *const *defines;	/* "NAME" or "NAME=VALUE", then NULL */
	/*
	 * Find and read a file that `from` includes: its text, or NULL; *path
	 * is what messages call it.  `read` itself may be NULL.
	 */
	const char *(*read)(void *ctx, const char *name, const char *from,
	    const char **path, size_t *len);
	void *ctx;
	bool follow;		/* `%#include "a.h"` stands for a.x, too */
	bool *by_output;	/* set if the result depends on one of the
				 * macros RPC_HDR, RPC_XDR ...; may be NULL */
};

/*
 * Tokens without # lines, up to TOK_END.  Those of files that were followed
 * come last; their source says so.  A % line in a group that depends on
 * RPC_HDR, RPC_XDR, RPC_SVC or RPC_CLNT has `only_here` set.
 */
struct token	*preprocess(struct mem *, struct diag *,
		    const struct cpp_options *, const struct token *);

#endif
