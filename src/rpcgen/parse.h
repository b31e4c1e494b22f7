/* SPDX-License-Identifier: MIT */
/* Tokens to tree. */
#ifndef RPCGEN_PARSE_H
#define RPCGEN_PARSE_H

#include "tree.h"

/*
 * Parse a file's tokens (up to TOK_END).  Errors are reported, and parsing
 * goes on behind the next ';' or '}'; the tree is then not complete.
 */
struct tree_def	*parse(struct mem *, struct diag *, const struct token *);

#endif
