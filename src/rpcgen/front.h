/* SPDX-License-Identifier: MIT */
/* A file's text to a checked model, in one call. */
#ifndef RPCGEN_FRONT_H
#define RPCGEN_FRONT_H

#include "cpp.h"
#include "model.h"

/* The first half of it: the tree.  NULL after errors, and for no text. */
struct tree_def	*front_tree(struct mem *, struct diag *, const char *name,
		    const char *text, size_t len, const struct cpp_options *,
		    struct source **);

/*
 * Read `text` (see source_init).  NULL after errors, which are in `diag`.
 * mem's and diag's give_up may be jumped to.
 */
struct model	*front(struct mem *, struct diag *, const char *name,
		    const char *text, size_t len,
		    const struct cpp_options *,
		    const struct check_options *);

#endif
