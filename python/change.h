/* SPDX-License-Identifier: MIT */
/* What change.c and rename.c share: a change asked for by a client. */
#ifndef CHANGE_H
#define CHANGE_H

#include "pyfs.h"

struct request {
	struct job		 job;
	int			(*work)(struct hold *, struct request *);
	const char		*what;		/* for .pyfs/errors */
	char			 client[64];	/* who asks */
	uint64_t		 glow_client;	/* the same, for glow.c */
	struct pinefs_call	*call;
	struct node		*n, *to;	/* pinned; leaders */
	struct pinefs_name	 name, new_name;
	const struct pinefs_create *how;
	int			 kind;		/* of remove */
	uint32_t		 len;		/* of a write */
	uint64_t		 close;		/* its number; of closing */
	bool			 aside;		/* the call succeeds anyway */
	/* Results, and where they go when all is well: */
	struct pinefs_change	 chg, to_chg;
	struct pinefs_made	 made;
	uint8_t			 made_own[OWN_MAX];
	struct pinefs_change	*chg_out, *to_chg_out;
	struct pinefs_made	*made_out;
};

/*
 * Do r->work to op's node: here, or on a worker if code of the user would
 * run.  The operation's result; what it made goes to r's outs.
 */
int	request_do(struct op *op, struct request *r);

/* A directory in which something is to be changed. */
struct dir {
	PyObject	*o;
	enum shape	 s;
};

/* 0, ENOTDIR or ESTALE; dir_end also after a failure. */
int	dir_begin(struct hold *, struct node *, struct dir *);
void	dir_end(struct hold *, struct dir *);
/* Not to be removed: dunders of namespaces, names of the root, of sys. */
bool	is_protected(struct hold *, const struct node *dir, enum shape,
	    struct pinefs_name name);
/*
 * Editors and tools put names beside what they write, and the program would
 * not know what to make of them.
 */
bool	is_shadow_name(const struct pyfs *, enum shape,
	    struct pinefs_name name);

/*
 * Directories by mappers in which names can be made and removed.  A new name
 * gets a stage, whose commit the mapper is told of; what is pending so is
 * found by mapped_pending.
 */
bool	mapped_is_dir(const struct node *);
/* 0, ENOTEMPTY, an errno; or PYFS_WORKER, since its mapper knows its names. */
int	mapped_is_empty(struct hold *, struct node *);
int	mapped_make(struct hold *h, struct request *r, struct node **made);
int	mapped_remove(struct hold *h, struct request *r);
int	mapped_rename(struct hold *h, struct request *r);

#endif
