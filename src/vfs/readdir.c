/*
 * Listings.
 *
 * The tree (door 1) lists straight into the packer, under the directory's
 * lock.  A file system (door 2) hands over entries by pinefs_emit, maybe
 * later and from another thread, maybe with a lock of its own held; they are
 * kept in the call's memory, a stretch at a time, and packed when the
 * operation has ended.  Attributes that it did not give are asked for then,
 * each as a step of its own.
 *
 * Cookies on the wire:
 *
 *	0		from the start
 *	1, 2		`.` and `..`
 *	c + 2		the entry with cookie c
 *	(c >> 32) + 3	the same in v2, which has 32 bits, for cookies that
 *			use all of theirs (PINEFS_WIDE_COOKIES): entries with
 *			equal upper halves then stay on one page
 */
#include <errno.h>
#include <string.h>

#include "vfs/emit.h"
#include "vfs/ops.h"

enum {
	COOKIE_DOT = 1, COOKIE_DOTDOT = 2,
	V2_ENTRY = 16		/* bytes of an NFSv2 entry beside its name */
};

/* A stretch of the listing, as a step. */
struct step_list {
	struct vfs_step		step;
	struct pinefs_emit	emit;
};

static int
ask_readdir(struct pinefs_call *call, struct pinefs_node *dir,
    const struct vfs_readdir *rd, uint64_t after, struct pinefs_emit **to)
{
	struct step_list *s = step_take(call, STEP_READDIR, dir->fs, dir,
	    sizeof *s);
	struct pinefs_emit *e;

	if (s == NULL)
		return ENOMEM;
	e = &s->emit;
	if (step_is_new(&s->step))
		emit_init(e, call, dir->fs, rd->want, rd->room, after);
	if (step_begin(call, &s->step))
		step_end(call, &s->step, dir->fs->ops.readdir(call, dir,
		    after, e));
	if (!step_is_done(&s->step))
		return PINEFS_LATER;
	*to = e;
	if (s->step.err == ENOENT)
		return ESTALE;
	return s->step.err != 0 ? s->step.err : e->err;
}

/* ------------------------------------------------------------- packing -- */

/* A listing of door 2 under way. */
struct listing {
	struct pinefs_call	*call;
	struct pinefs_node	*dir;
	struct vfs_readdir	*rd;
	bool			 halves;	/* v2 and wide cookies */
	struct emitted		*next;		/* to be packed */
	struct emitted		*newest;
	uint64_t		 after;
	bool			 end;		/* there are no more */
};

static uint64_t
after_of_wire(const struct vfs_readdir *rd, bool halves)
{
	if (rd->cookie <= COOKIE_DOTDOT)
		return 0;
	if (halves)
		return (rd->cookie - 3) << 32 | UINT32_MAX;
	return rd->cookie - 2;
}

/* Get another stretch. */
static int
listing_more(struct listing *l)
{
	struct pinefs_emit *e;
	int err;

	err = ask_readdir(l->call, l->dir, l->rd, l->after, &e);
	if (err != 0)
		return err;
	l->end = !e->full;
	l->after = e->after;
	if (e->first == NULL)
		return 0;
	if (l->next == NULL)
		l->next = e->first;
	else
		l->newest->next = e->first;
	for (l->newest = e->first; l->newest->next != NULL;)
		l->newest = l->newest->next;
	return 0;
}

static bool
same_half(const struct emitted *a, const struct emitted *b)
{
	return a->cookie >> 32 == b->cookie >> 32;
}

/* Is everything known that must be, to pack the next entry? */
static bool
listing_ready(const struct listing *l)
{
	if (l->end)
		return true;
	if (l->next == NULL)
		return false;
	return !l->halves || !same_half(l->next, l->newest);
}

/* Attributes that the file system gave, or else is asked for now. */
static int
entry_attr(struct listing *l, struct emitted *e, struct vfs_entry *entry)
{
	const uint64_t must = PINEFS_TYPE | PINEFS_CHANGE;
	struct pinefs *fs = l->dir->fs;
	const struct pinefs_attr *a;
	struct pinefs_node *node;
	int err;

	if (e->attr != NULL && (e->attr->have & must) == must) {
		entry->err = attr_check(fs, "readdir", NULL, e->attr);
		entry->attr = entry->err == 0 ? e->attr : NULL;
		return 0;
	}
	err = keep_ident(l->call, fs, "readdir", &e->id, &node);
	if (err == 0)
		err = ask_getattr(l->call, node, PINEFS_ALL, &a);
	if (err == PINEFS_LATER)
		return err;
	entry->err = err;
	entry->attr = err == 0 ? a : NULL;
	return 0;
}

/* Room for those that must stand on the same page. */
static uint32_t
reserve_of(const struct listing *l, const struct emitted *e)
{
	const struct emitted *o;
	uint32_t n = 0;

	if (!l->halves)
		return 0;
	for (o = e->next; o != NULL && same_half(e, o); o = o->next)
		n += V2_ENTRY + ((o->name_len + 3) & ~3u);
	return n;
}

/* 0, or LATER; *full if it did not fit. */
static int
listing_pack(struct listing *l, struct emitted *e, bool *full)
{
	struct pinefs *fs = l->dir->fs;
	struct vfs_entry entry = { .id = e->id, .cookie = e->cookie + 2 };
	int err;

	entry.name.base = e->bytes;
	entry.name.len = e->name_len;
	entry.id.generation = handle_generation(fs, e->id.fileid,
	    e->id.generation);
	if (l->halves)
		entry.cookie = (e->cookie >> 32) + 3;
	entry.reserve = reserve_of(l, e);
	if (l->rd->want != 0) {
		if ((err = entry_attr(l, e, &entry)) != 0)
			return err;
		if (entry.err == ENOENT || entry.err == ESTALE)
			return 0;	/* it went meanwhile: skip it */
	}
	if (l->rd->narrow && entry.cookie > UINT32_MAX)
		return EOVERFLOW;
	*full = l->rd->add(l->rd->add_arg, &entry) != 0;
	return 0;
}

static int
list_by_asking(struct pinefs_call *call, struct pinefs_node *dir,
    struct vfs_readdir *rd)
{
	struct listing l = { .call = call, .dir = dir, .rd = rd };
	bool full = false;
	int err;

	l.halves = rd->narrow && dir->fs->ops.flags & PINEFS_WIDE_COOKIES;
	l.after = after_of_wire(rd, l.halves);
	for (;;) {
		while (!listing_ready(&l))
			if ((err = listing_more(&l)) != 0)
				return err;
		if (l.next == NULL)
			break;
		if ((err = listing_pack(&l, l.next, &full)) != 0)
			return err;
		if (full)
			break;
		l.next = l.next->next;
	}
	rd->eof = !full;
	return 0;
}

/* ------------------------------------------------------------ the rest -- */

static int
add_dot(struct pinefs_call *call, struct pinefs_node *node,
    const char *name, uint64_t cookie, struct vfs_readdir *rd, bool *full)
{
	struct vfs_entry entry = { .name = { name, (uint32_t)cookie },
	    .cookie = cookie };
	struct pinefs_attr a;
	int err;

	vfs_node_handle_ident(node, &entry.id);
	if (rd->want != 0) {
		if ((err = vfs_getattr(call, node, &a)) == PINEFS_LATER)
			return err;
		entry.err = err;
		entry.attr = err == 0 ? &a : NULL;
	}
	*full = rd->add(rd->add_arg, &entry) != 0;
	return 0;
}

/* `.` has cookie 1 and `..` 2, which are also the lengths of their names. */
static int
add_dots(struct pinefs_call *call, struct pinefs_node *dir,
    struct vfs_readdir *rd, bool *full)
{
	static const struct pinefs_name up = { "..", 2 };
	struct pinefs_node *above;
	int err;

	if (rd->cookie < COOKIE_DOT) {
		err = add_dot(call, dir, ".", COOKIE_DOT, rd, full);
		if (err != 0 || *full)
			return err;
	}
	if (rd->cookie >= COOKIE_DOTDOT)
		return 0;
	/* Who may read it but not search it sees the directory itself. */
	if ((err = vfs_lookup(call, dir, up, &above)) == PINEFS_LATER)
		return err;
	return add_dot(call, err == 0 ? above : dir, "..", COOKIE_DOTDOT, rd,
	    full);
}

static int
note_may_read(struct pinefs_call *call, struct pinefs_node *dir)
{
	struct vfs_step *s = step_take(call, STEP_NOTE, dir->fs, dir,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(s))
		step_set(s, tree_may(call, dir, MAY_READ));
	return s->err;
}

int
vfs_readdir(struct pinefs_call *call, struct pinefs_node *dir,
    struct vfs_readdir *rd)
{
	const struct pinefs_attr *a;
	bool full = false;
	int err;

	rd->eof = false;
	if ((err = must_be_dir(call, dir)) != 0)
		return err;
	if (!dir->fs->tree)
		err = rights(call, dir, MAY_READ, PINEFS_ACCESS_READ, false,
		    &a);
	else if ((err = own_access_check(call, dir,
	    PINEFS_ACCESS_READ)) == 0)
		err = note_may_read(call, dir);
	if (err != 0)
		return err;

	if (rd->dots && rd->cookie < COOKIE_DOTDOT &&
	    ((err = add_dots(call, dir, rd, &full)) != 0 || full))
		return err;
	/* The tree lists again when the procedure is run again: it is not
	 * asked, and nothing hangs on what a reply not yet sent said. */
	if (dir->fs->tree)
		return tree_readdir(call, dir, rd, after_of_wire(rd, false));
	return list_by_asking(call, dir, rd);
}
