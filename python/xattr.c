/* SPDX-License-Identifier: MIT */
/*
 * Views as extended attributes (RFC 8276, NFS 4.2): `user.py.repr` of a file
 * is what NAME@repr reads as.  Clients see the names behind `user.`.
 */
#include "pyfs.h"

static const char PREFIX[] = "py.";

/* Those that everything has; others are there without being listed. */
static const char *const listed[] = { "py.doc", "py.id", "py.refcount",
    "py.repr", "py.sizeof", "py.str", "py.type" };

/*
 * The view that an attribute of op's node is: its name, in the directory that
 * *dir says.  0 or ENODATA.
 */
static int
view_of(struct op *op, struct pinefs_name name, char buf[NAME_LEN_MAX + 1],
    struct pinefs_name *view)
{
	const size_t prefix = sizeof PREFIX - 1;
	const char *of = op->n->name;
	int len;

	if (!op->h.pf->config.views || name.len <= prefix ||
	    memcmp(name.base, PREFIX, prefix) != 0 ||
	    op->n->flags & (NODE_VIEW | NODE_SHADOW))
		return ENODATA;
	if (op->n->kind == PINEFS_DIR)
		of = ".";
	len = PyOS_snprintf(buf, NAME_LEN_MAX + 1, "%s@%.*s", of,
	    (int)(name.len - prefix), name.base + prefix);
	if (len < 0 || len > NAME_LEN_MAX)
		return ENODATA;
	*view = (struct pinefs_name){ buf, (uint32_t)len };
	return 0;
}

static int
look(struct op *op, struct pinefs_call *call, enum view_look what,
    struct pinefs_name name, const struct view_to *to)
{
	char buf[NAME_LEN_MAX + 1];
	struct pinefs_name view;
	struct op dir = *op;
	int err;

	if ((err = view_of(op, name, buf, &view)) != 0)
		return err;
	if (op->n->kind != PINEFS_DIR)
		dir.n = op->n->parent;
	return view_look(&dir, call, what, view, 0, 0, to);
}

int
op_getxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_out *out)
{
	struct op op;
	int err;

	if ((err = op_begin(&op, call, node)) == 0)
		err = look(&op, call, VIEW_GETXATTR, name,
		    &(struct view_to){ .out = out });
	op_end(&op);
	return err;
}

int
op_setxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_in *in, int how)
{
	struct op op;
	int err;

	if ((err = op_begin(&op, call, node)) == 0 &&
	    op.h.pf->config.readonly)
		err = EROFS;
	if (err == 0 && how == PINEFS_XATTR_CREATE)
		err = EEXIST;
	if (err == 0)
		err = look(&op, call, VIEW_SETXATTR, name,
		    &(struct view_to){ .in = in });
	op_end(&op);
	return err;
}

/* A view is there as long as what it is of. */
int
op_removexattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name)
{
	(void)call, (void)node, (void)name;
	return EACCES;
}

int
op_listxattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *emit)
{
	struct pinefs_name name;
	struct op op;
	uint64_t i;
	int err;

	err = op_begin(&op, call, node);
	if (err != 0 || !op.h.pf->config.views || op.n->flags & NODE_VIEW)
		after = UINT64_MAX;
	for (i = after; i < sizeof listed / sizeof listed[0]; i++) {
		name = (struct pinefs_name){ listed[i],
		    (uint32_t)strlen(listed[i]) };
		if (pinefs_emit(emit, name, NULL, i + 1, NULL) != 0)
			break;
	}
	op_end(&op);
	return err;
}
