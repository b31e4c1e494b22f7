/*
 * What pinefs_emit does: keep entries in the call's memory, a stretch at a
 * time.  From any thread, until the operation has ended.
 */
#include "vfs/emit.h"

#include <errno.h>
#include <string.h>

#include "vfs/ops.h"

enum {
	STRETCH = 64,		/* entries asked for at a time, by default */
	STRETCH_MAX = 512
};

void
emit_init(struct pinefs_emit *e, struct pinefs_call *call, struct pinefs *fs,
    uint64_t want, uint32_t room, uint64_t after)
{
	e->call = call;
	e->fs = fs;
	e->want = want;
	e->after = after;
	e->max = room == 0 ? STRETCH : room / (want == 0 ? 40 : 160) + 1;
	if (e->max > STRETCH_MAX)
		e->max = STRETCH_MAX;
	e->last = &e->first;
}

static int
emit_check(struct pinefs_emit *emit, struct pinefs_name name,
    const struct pinefs_ident *id, uint64_t cookie)
{
	if (emit->names_only ? name.len == 0 || name.len > 255 :
	    name_check_change(name) != 0) {
		log_limited(&emit->fs->bad,
		    "vfs: readdir gave a name that cannot be one");
		return EIO;
	}
	if (cookie == 0 || cookie > PINEFS_COOKIE_MAX) {
		log_limited(&emit->fs->bad, "vfs: readdir gave cookie %llu",
		    (unsigned long long)cookie);
		return EIO;
	}
#ifndef NDEBUG
	if (cookie <= emit->after)
		vfs_misuse("readdir gave cookie %llu after %llu",
		    (unsigned long long)cookie,
		    (unsigned long long)emit->after);
#endif
	return emit->names_only ? 0 :
	    node_ident_check(emit->fs, "readdir", id);
}

static struct emitted *
emit_copy(struct pinefs_emit *emit, struct pinefs_name name,
    const struct pinefs_ident *id, const struct pinefs_attr *attr)
{
	struct emitted *e;
	char *p;

	e = xdr_arena_alloc(emit->call->arena, sizeof *e + name.len +
	    id->own_len);
	if (e == NULL)
		return NULL;
	e->next = NULL;
	e->attr = NULL;
	e->id = *id;
	e->name_len = name.len;
	p = memcpy(e->bytes, name.base, name.len);
	if (id->own_len > 0)
		e->id.own = memcpy(p + name.len, id->own, id->own_len);
	if (attr != NULL && emit->want != 0) {
		e->attr = xdr_arena_alloc(emit->call->arena, sizeof *attr);
		if (e->attr == NULL)
			return NULL;
		*e->attr = *attr;
	}
	return e;
}

int
pinefs_emit(struct pinefs_emit *emit, struct pinefs_name name,
    const struct pinefs_ident *id, uint64_t cookie,
    const struct pinefs_attr *attr)
{
	static const struct pinefs_ident none;
	struct emitted *e;

	if (emit->full || emit->err != 0)
		return 1;
	if (emit->names_only)
		id = &none;
	if ((emit->err = emit_check(emit, name, id, cookie)) != 0)
		return 1;
	if (emit->n == emit->max ||
	    (e = emit_copy(emit, name, id, attr)) == NULL) {
		/* No memory for more: what there is makes a page. */
		emit->full = true;
		emit->err = emit->n == 0 ? ENOMEM : 0;
		return 1;
	}
	e->cookie = cookie;
	*emit->last = e;
	emit->last = &e->next;
	emit->after = cookie;
	emit->n++;
	return 0;
}

uint64_t
pinefs_emit_want(const struct pinefs_emit *emit)
{
	return emit->want;
}
