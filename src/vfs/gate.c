/* Taking turns without blocking.  See gate.h. */
#include "vfs/gate.h"

#include <errno.h>
#include <stdlib.h>

#include "vfs/node.h"

struct vfs_turn {
	struct vfs_step	 step;
	struct gate	*gate;
	bool		 left;
};

bool
gate_enter(struct gate *g, struct pinefs_call *call, struct vfs_step *s)
{
	bool mine;

	spin_lock(&g->lock);
	if ((mine = !g->busy)) {
		g->busy = true;
	} else {
		/* Before it can be granted, which may be at once. */
		atomic_store_explicit(&s->state, STEP_QUEUED,
		    memory_order_relaxed);
		call->parked = s;
		call->gate_next = NULL;
		if (g->first == NULL)
			g->last = &g->first;
		*g->last = call;
		g->last = &call->gate_next;
	}
	spin_unlock(&g->lock);
	return mine;
}

void
gate_leave(struct gate *g)
{
	struct pinefs_node *node;
	struct pinefs_call *call;

	spin_lock(&g->lock);
	while ((node = g->dropped) != NULL) {
		g->dropped = node->hash_next;
		spin_unlock(&g->lock);
		node_release(node);
		spin_lock(&g->lock);
	}
	if ((call = g->first) != NULL)
		g->first = call->gate_next;
	else
		g->busy = false;
	spin_unlock(&g->lock);

	if (call == NULL)
		return;
	atomic_store_explicit(&call->parked->state, STEP_GRANTED,
	    memory_order_release);
	call->resume(call->resume_arg);
}

void
gate_drop(struct gate *g, struct pinefs_node *node)
{
	bool mine;

	spin_lock(&g->lock);
	if ((mine = !g->busy)) {
		g->busy = true;
	} else {
		node->hash_next = g->dropped;
		g->dropped = node;
	}
	spin_unlock(&g->lock);
	if (mine) {
		node_release(node);
		gate_leave(g);
	}
}

int
turn_begin(struct pinefs_call *call, struct pinefs_node *node,
    struct vfs_turn **turn)
{
	struct vfs_turn *t;
	unsigned state;

	t = step_take(call, STEP_GATE, node->fs, node, sizeof *t);
	if (t == NULL)
		return ENOMEM;
	state = atomic_load_explicit(&t->step.state, memory_order_acquire);
	if (state == STEP_NEW) {
		if ((t->gate = node_gate(node)) == NULL)
			return ENOMEM;
		if (!gate_enter(t->gate, call, &t->step))
			return PINEFS_LATER;
		step_set(&t->step, 0);
	} else if (state == STEP_GRANTED) {
		step_set(&t->step, 0);
	} else if (state == STEP_QUEUED) {
		return PINEFS_LATER;
	}
	*turn = t;
	return 0;
}

void
turn_end(struct vfs_turn *t)
{
	unsigned state;

	if (t == NULL || t->left || t->gate == NULL)
		return;
	/* GRANTED: the call ended before it came back for its turn. */
	state = atomic_load_explicit(&t->step.state, memory_order_acquire);
	if (state != STEP_DONE && state != STEP_GRANTED)
		return;
	t->left = true;
	gate_leave(t->gate);
}
