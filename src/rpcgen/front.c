/* SPDX-License-Identifier: MIT */
/* A file's text to a checked model, in one call. */
#include "front.h"

#include "parse.h"

struct tree_def *
front_tree(struct mem *mem, struct diag *diag, const char *name,
    const char *text, size_t len, const struct cpp_options *cpp,
    struct source **src)
{
	struct tree_def *tree;

	*src = MEM_NEW(mem, struct source);
	if (source_init(*src, mem, name, text, len) != 0) {
		diag_error(diag, (struct span){ 0 }, NULL,
		    "%s: larger than 1 GiB", name);
		return NULL;
	}
	tree = parse(mem, diag, preprocess(mem, diag, cpp, lex(mem, *src)));
	return diag->errors > 0 ? NULL : tree;
}

struct model *
front(struct mem *mem, struct diag *diag, const char *name, const char *text,
    size_t len, const struct cpp_options *cpp,
    const struct check_options *options)
{
	struct source *src;
	struct tree_def *tree;
	struct model *model;

	tree = front_tree(mem, diag, name, text, len, cpp, &src);
	/* What an incomplete tree lacks would be reported as unknown. */
	if (diag->errors > 0)
		return NULL;
	model = check(mem, diag, src, tree, options);
	return diag->errors > 0 ? NULL : model;
}
