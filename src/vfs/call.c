/* One request's walk through a file system: its beginning and its end. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "vfs/fs.h"
#include "vfs/io.h"

void
vfs_call_init(struct pinefs_call *call, struct xdr_arena *arena,
    const struct pinefs_cred *given, bool peer_root, void (*resume)(void *),
    void *arg)
{
	call->arena = arena;
	call->given = *given;
	call->cred = *given;
	call->peer_root = peer_root;
	call->next = &call->steps;
	call->resume = resume;
	call->resume_arg = arg;
}

void
vfs_call_restart(struct pinefs_call *call)
{
	struct vfs_step *s = call->parked;
	unsigned complete = STEP_COMPLETE;

	if (s != NULL)
		atomic_compare_exchange_strong_explicit(&s->state, &complete,
		    STEP_DONE, memory_order_acq_rel, memory_order_relaxed);
	call->next = &call->steps;
	call->export = NULL;
	call->attr = NULL;
	call->opened = false;
}

int
vfs_call_go(struct pinefs_call *call, struct vfs_place *place)
{
	if (place->at == NULL) {
		while (*call->next != NULL)
			call->next = &(*call->next)->next;
		place->at = call->next;
	}
	call->next = place->at;
	call->attr = NULL;	/* what was asked before may not be again */
	/* Where it goes on is no end for what is asked before, once more. */
	return step_take(call, STEP_NOTE, NULL, NULL,
	    sizeof(struct vfs_step)) == NULL ? ENOMEM : 0;
}

void
vfs_call_next(struct pinefs_call *call)
{
	struct vfs_step **last, *s;

	for (last = &call->steps; (s = *last) != NULL; last = &s->next)
		if (s->op == STEP_GATE)
			turn_end((struct vfs_turn *)s);
		else if (s->op == STEP_GUARD)
			vfs_guard_end((struct vfs_guard *)s);
	*last = call->kept;
	call->kept = call->steps;
	call->steps = NULL;
	call->next = &call->steps;
	call->attr = NULL;
	call->opened = false;
}

static void
drop_steps(struct vfs_step *s)
{
	for (; s != NULL; s = s->next) {
		if (s->op == STEP_GATE)
			turn_end((struct vfs_turn *)s);
		else
			assert(step_is_done(s) || step_is_new(s));
		if (s->op == STEP_GUARD)
			vfs_guard_end((struct vfs_guard *)s);
		if (s->out != NULL)
			out_drop(s->out);
		if (s->node != NULL)
			pinefs_node_put(s->node);
	}
}

void
vfs_call_fini(struct pinefs_call *call)
{
	drop_steps(call->steps);
	drop_steps(call->kept);
	call->steps = call->kept = NULL;
	call->next = &call->steps;
	call->attr = NULL;
}

/* By the uid that the client proved or claims, not the squashed one. */
static bool
is_admitted(const struct vfs_export *x, const struct vfs_rights *r,
    const struct pinefs_cred *cred)
{
	unsigned i;

	if (x->uids == NULL || r->any_uid)
		return true;
	if (cred->flavor == 0)
		return false;	/* AUTH_NONE is nobody, whatever its uid says */
	for (i = 0; i < x->nuids; i++)
		if (x->uids[i] == cred->uid)
			return true;
	return false;
}

int
vfs_call_enter(struct pinefs_call *call, const struct vfs_export *x)
{
	struct vfs_rights r = { .read_only = x->read_only,
	    .squash = x->squash, .anon_uid = x->anon_uid,
	    .anon_gid = x->anon_gid };

	if (call->export == x)
		return 0;
	if (x->rules != NULL && !vfs_rules_find(x->rules, call->from, &r))
		return EACCES;
	if (!is_admitted(x, &r, &call->given))
		return EACCES;
	if (r.squash == VFS_SQUASH_ROOT && call->peer_root)
		r.squash = VFS_SQUASH_NONE;
	vfs_squash(&call->given, r.squash, r.anon_uid, r.anon_gid,
	    &call->cred, call->gids);
	call->cred.export_id = x->id;
	call->read_only = r.read_only;
	call->export = x;
	return 0;
}

const struct pinefs_cred *
pinefs_call_cred(const struct pinefs_call *call)
{
	return &call->cred;
}

struct pinefs *
pinefs_call_fs(const struct pinefs_call *call)
{
	return call->export->fs;
}

void *
pinefs_call_alloc(struct pinefs_call *call, size_t len)
{
	return xdr_arena_alloc(call->arena, len);
}
