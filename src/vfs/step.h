/*
 * A step: one thing a procedure asks of a file system, and its result, kept
 * in the call's memory so that the procedure can be run again from its start
 * without asking again.
 *
 *	NEW --------> RUNNING --returned 0 or errno--> DONE
 *	  |  gate        |  returned LATER
 *	  | is busy      v
 *	QUEUED        PARKED --pinefs_complete--> COMPLETE, and the call
 *	  |				resumes: vfs_call_restart makes it DONE
 *	GRANTED --> RUNNING		RUNNING --pinefs_complete--> EARLY
 *	   (the call resumes)		EARLY --returned LATER--> DONE
 *
 * COMPLETE is not DONE, so that the pass of the procedure that was told LATER
 * also returns it, however soon the completion comes: each LATER is followed
 * by exactly one resume, and no resume comes to a call that has gone on.
 *
 * A procedure takes its steps in the same order every time, so a step needs
 * no name: call->next is the place of the next one.  Steps of the tree
 * (door 1) never wait and go from NEW to DONE.
 */
#ifndef VFS_STEP_H
#define VFS_STEP_H

#include <stdatomic.h>

#include "vfs/vfs.h"

/* What a step is: operations by the number of their PINEFS_OP_ bit. */
enum step_op {
	STEP_LOOKUP, STEP_GETATTR, STEP_READDIR, STEP_RESOLVE, STEP_PARENT,
	STEP_READ, STEP_WRITE, STEP_COMMIT, STEP_TRUNCATE, STEP_SETATTR,
	STEP_CREATE, STEP_REMOVE, STEP_RENAME, STEP_LINK, STEP_READLINK,
	STEP_STATFS, STEP_ACCESS, STEP_OPEN, STEP_CLOSE, STEP_SEEK,
	STEP_ALLOCATE, STEP_CLONE, STEP_GETXATTR, STEP_SETXATTR,
	STEP_LISTXATTR, STEP_REMOVEXATTR,
	STEP_OPS,		/* how many there are; from here on our own */
	STEP_FIND = STEP_OPS,	/* a node of the table, or one made */
	STEP_GATE,		/* a turn to wait for */
	STEP_TREE,		/* something of door 1 */
	STEP_GUARD,		/* a change was announced */
	STEP_NOTE		/* a decision that must stay */
};

enum step_state { STEP_NEW, STEP_QUEUED, STEP_GRANTED, STEP_RUNNING,
    STEP_EARLY, STEP_PARKED, STEP_COMPLETE, STEP_DONE };

struct vfs_step {
	struct vfs_step		*next;
	atomic_uint		 state;		/* step_state | errno << 8 */
	int			 err;		/* once it is DONE */
	uint8_t			 op;		/* enum step_op */
	uint32_t		 began;		/* ms, when it was asked */
	struct pinefs		*fs;
	struct pinefs_node	*object;	/* borrowed */
	struct pinefs_node	*node;		/* result: a reference */
	struct pinefs_out	*out;		/* result: unsent pieces */
};

/*
 * The next step of the call, `size` zeroed bytes that begin with a vfs_step,
 * or the one recorded when the procedure ran before.  NULL: no memory.
 */
void	*step_take(struct pinefs_call *, enum step_op, struct pinefs *,
	    struct pinefs_node *object, size_t size);

/*
 * For an operation of a file system: true means call it now, and hand what
 * it returned to step_end.  After that (or if false), step_is_done tells
 * whether there is a result; if not, return PINEFS_LATER.
 */
bool	step_begin(struct pinefs_call *, struct vfs_step *);
void	step_end(struct pinefs_call *, struct vfs_step *, int err);

static inline bool
step_is_done(const struct vfs_step *s)
{
	return (atomic_load_explicit(&s->state, memory_order_acquire) & 0xff)
	    == STEP_DONE;
}

/* For steps of the tree. */
static inline bool
step_is_new(const struct vfs_step *s)
{
	return (atomic_load_explicit(&s->state, memory_order_relaxed) & 0xff)
	    == STEP_NEW;
}

static inline int
step_set(struct vfs_step *s, int err)
{
	s->err = err;
	atomic_store_explicit(&s->state, STEP_DONE, memory_order_relaxed);
	return err;
}

/* "write": for the log. */
const char *step_name(enum step_op);

/*
 * A file system broke its contract: one line, and, in builds with assertions,
 * the end.  Never for what a client can cause.
 */
void	vfs_misuse(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

#endif
