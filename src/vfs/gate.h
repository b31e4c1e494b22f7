/*
 * A gate lets one call through at a time.  Who finds it busy is put into a
 * queue and waits as for a file system that answered LATER: no loop is ever
 * blocked.  There is one per file system with PINEFS_SERIAL, and one per
 * node where its writes, or changes of a directory, must take turns.
 */
#ifndef VFS_GATE_H
#define VFS_GATE_H

#include "base/spin.h"
#include "vfs/step.h"

struct gate {
	struct spin		 lock;
	bool			 busy;
	struct pinefs_call	*first, **last;		/* by gate_next */
	struct pinefs_node	*dropped;		/* to release */
};

/*
 * True: the gate is the step's.  False: it is queued; once the gate is its,
 * the step becomes GRANTED and the call is resumed.
 */
bool	gate_enter(struct gate *, struct pinefs_call *, struct vfs_step *);
/* Let the next one through. */
void	gate_leave(struct gate *);
/*
 * For PINEFS_SERIAL: `node` has no references any more; hand it to
 * node_release now, or when whoever is in leaves.
 */
void	gate_drop(struct gate *, struct pinefs_node *);

/*
 * Wait for the gate of a node, as a step of the call: 0 once it is the
 * call's, PINEFS_LATER, or ENOMEM.  *turn is for turn_end.
 */
struct vfs_turn;
int	turn_begin(struct pinefs_call *, struct pinefs_node *,
	    struct vfs_turn **turn);
/* Give it up; again is harmless, and so is NULL. */
void	turn_end(struct vfs_turn *);

#endif
