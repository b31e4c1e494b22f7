/*
 * Changes of names.  Each has three parts: look, and refuse; take what memory
 * it needs; then do it, where nothing can fail any more.
 *
 * The library has checked what it checks for all file systems: that a
 * directory is one, that the name may be one, and rights.
 */
#include <string.h>

#include "overlay.h"
#include "view.h"

enum { LINKS_MAX = 1000000000 };

/* --------------------------------------------------------------- looking -- */

static struct pinefs_attr
attr_of(struct tar_archive *ar, const struct tar_object *o)
{
	struct pinefs_attr attr;

	tar_object_attr(ar, o, &attr);
	return attr;
}

/* A directory whose names are to be changed. */
static int
find_dir(struct tar_archive *ar, struct pinefs_node *node,
    struct tar_object *dir)
{
	int err = tar_object_find(ar, node, dir);

	if (err == 0 && attr_of(ar, dir).nlink == 0)
		err = ESTALE;	/* it was removed */
	return err;
}

static bool
is_dir(struct tar_archive *ar, const struct tar_object *o)
{
	return attr_of(ar, o).type == PINEFS_DIR;
}

/* Are all names that a directory has ones that are not shown? */
static bool
is_empty(struct tar_archive *ar, const struct tar_object *dir)
{
	const struct tar_index *ix = &ar->index;
	const struct tar_rec *r = tar_index_rec(ix, dir->rec);
	uint32_t i;

	if (dir->u != NULL ? dir->u->live == 0 : r->names == 0)
		return true;
	if (ar->host->config.devices || r == NULL ||
	    (dir->u != NULL && dir->u->names.bound > 0))
		return false;
	for (i = tar_index_after(ix, dir->rec, 0); i != TAR_NONE;
	    i = tar_index_after(ix, dir->rec, i)) {
		r = tar_index_rec(ix, i);
		if (tar_view_shows(ar, r) && !tar_object_hides(ar, dir,
		    tar_index_name(ix, r)))
			return false;
	}
	return true;
}

static bool
is_same(const struct tar_object *a, const struct tar_object *b)
{
	return a->u == b->u && a->rec == b->rec;
}

/* Nothing happened, and both stamps say so. */
static void
unchanged(struct tar_archive *ar, const struct tar_object *o,
    struct pinefs_change *chg)
{
	struct pinefs_attr a = attr_of(ar, o);

	chg->before = chg->after = (struct pinefs_stamp){ a.change, a.size,
	    a.mtime, a.ctime };
	chg->atomic = true;
}

/* ------------------------------------------------------------- preparing -- */

/* A name to be bound or hidden, and what that costs. */
struct edit {
	struct tar_spot	*spot;
	struct tar_name	*name;
	uint64_t	 cost;
};

static void
give_up(struct tar_archive *ar, struct edit *e)
{
	if (e->name != NULL)
		tar_names_cancel(&e->spot->dir.u->names, e->name);
	mem_space_give(ar->overlay.space, e->cost);
}

/* `force`: beyond the limit, for it makes space.  ENOMEM, ENOSPC. */
static int
prepare(struct tar_archive *ar, struct tar_spot *spot, bool force,
    struct edit *e)
{
	struct mem_space *space = ar->overlay.space;
	int err;

	*e = (struct edit){ .spot = spot };
	if ((err = tar_object_raise(ar, &spot->dir, force)) != 0)
		return err;
	if (spot->entry == NULL)
		e->cost = tar_name_cost(spot->name.len);
	if (force) {
		mem_space_force(space, e->cost);
	} else if (!mem_space_take(space, e->cost)) {
		e->cost = 0;
		return ENOSPC;
	}
	e->name = tar_names_prepare(&spot->dir.u->names, spot->name,
	    spot->hash);
	if (e->name != NULL)
		return 0;
	give_up(ar, e);
	return ENOMEM;
}

/* ----------------------------------------------------------------- doing -- */

/* The name means this, instead of whatever it meant. */
static void
bind(struct tar_archive *ar, struct edit *e, struct tar_upper *u)
{
	struct tar_overlay *ov = &ar->overlay;
	struct tar_upper *dir = e->spot->dir.u;
	struct tar_name *name = e->name;
	bool was = name->upper != NULL;

	if (e->spot->base != TAR_NONE && !name->hides) {
		name->hides = true;
		ov->replaced++;
		was = true;
	} else if (name->hides && !was) {
		ov->removed--;
		ov->replaced++;
	} else if (!was) {
		ov->added++;
	}
	if (!was)
		dir->live++;
	tar_names_bind(&dir->names, name, u);
	u->parent = dir->id;
	u->placed = true;
}

/* The name means nothing any more.  An entry of the overlay needs no edit. */
static void
unbind(struct tar_archive *ar, struct tar_spot *spot, struct edit *e)
{
	struct tar_overlay *ov = &ar->overlay;
	struct tar_upper *dir = spot->dir.u;

	dir->live--;
	if (spot->entry == NULL) {
		tar_names_hide(&dir->names, e->name);
		ov->removed++;
	} else if (tar_names_unbind(&dir->names, spot->entry)) {
		mem_space_give(ov->space, tar_name_cost(spot->name.len));
		ov->added--;
	} else {
		ov->replaced--;
		ov->removed++;
	}
}

/* A name of it went; a directory has but one. */
static void
drop_link(struct tar_overlay *ov, struct tar_upper *u, struct tar_upper *dir)
{
	if (u->attr.type == PINEFS_DIR) {
		u->attr.nlink = 0;
		dir->attr.nlink--;
	} else {
		u->attr.nlink--;
	}
	tar_upper_bump(u, false);
	tar_upper_lapse(ov, u);
}

/* ---------------------------------------------------------------- create -- */

static void
tell_made(struct tar_archive *ar, const struct tar_object *o,
    struct pinefs_made *made)
{
	made->id = tar_object_ident(ar, o);
	tar_object_attr(ar, o, &made->attr);
}

static int
create_existing(struct tar_archive *ar, const struct tar_spot *s,
    const struct pinefs_create *how, struct pinefs_made *made)
{
	const struct tar_upper *u = s->object.u;
	bool ours = how->exclusive == PINEFS_EXCLUSIVE && u != NULL &&
	    u->exclusive && memcmp(u->verf, how->verf, sizeof u->verf) == 0;

	if (!ours && how->exclusive != PINEFS_UNCHECKED)
		return EEXIST;
	made->existed = true;
	tell_made(ar, &s->object, made);
	unchanged(ar, &s->dir, &made->dir);
	return 0;
}

int
tar_overlay_create(struct tar_archive *ar, const struct tar_wait *w)
{
	const struct pinefs_create *how = w->in;
	struct pinefs_made *made = w->out;
	struct tar_object dir, o = { .rec = TAR_NONE };
	struct tar_spot s;
	struct edit e;
	int err;

	if ((err = find_dir(ar, w->node, &dir)) != 0)
		return err;
	if ((err = tar_spot_look(ar, &dir, w->name, &s)) == 0)
		return create_existing(ar, &s, how, made);
	if (err != ENOENT || (err = prepare(ar, &s, false, &e)) != 0)
		return err;
	if ((err = tar_upper_new(&ar->overlay, how, &o.u)) != 0) {
		give_up(ar, &e);
		return err;
	}

	tar_upper_stamp(s.dir.u, &made->dir.before);
	bind(ar, &e, o.u);
	o.u->attr.nlink = 1;
	if (how->type == PINEFS_DIR) {
		o.u->attr.nlink = 2;
		s.dir.u->attr.nlink++;
	}
	tar_upper_bump(s.dir.u, true);
	tar_upper_stamp(s.dir.u, &made->dir.after);
	made->dir.atomic = true;
	tell_made(ar, &o, made);
	return 0;
}

/* ---------------------------------------------------------------- remove -- */

static int
may_remove(struct tar_archive *ar, const struct tar_object *o, int kind)
{
	bool dir = is_dir(ar, o);

	if (dir && (kind & PINEFS_REMOVE_DIR) == 0)
		return EISDIR;
	if (!dir && (kind & PINEFS_REMOVE_FILE) == 0)
		return ENOTDIR;
	return !dir || is_empty(ar, o) ? 0 : ENOTEMPTY;
}

int
tar_overlay_remove(struct tar_archive *ar, const struct tar_wait *w)
{
	struct pinefs_change *chg = w->out;
	struct tar_object dir;
	struct tar_spot s;
	struct edit e = { .name = NULL };
	int err;

	if ((err = find_dir(ar, w->node, &dir)) != 0 ||
	    (err = tar_spot_look(ar, &dir, w->name, &s)) != 0 ||
	    (err = may_remove(ar, &s.object, w->how)) != 0 ||
	    (err = tar_object_raise(ar, &s.object, true)) != 0 ||
	    (s.entry == NULL && (err = prepare(ar, &s, true, &e)) != 0))
		return err;

	tar_upper_stamp(s.dir.u, &chg->before);
	unbind(ar, &s, &e);
	drop_link(&ar->overlay, s.object.u, s.dir.u);
	tar_upper_bump(s.dir.u, true);
	tar_upper_stamp(s.dir.u, &chg->after);
	chg->atomic = true;
	return 0;
}

/* ------------------------------------------------------------------ link -- */

int
tar_overlay_link(struct tar_archive *ar, const struct tar_wait *w)
{
	struct pinefs_change *chg = w->out;
	struct tar_object dir, o;
	struct tar_spot s;
	uint32_t nlink;
	struct edit e;
	int err;

	if ((err = tar_object_find(ar, w->node, &o)) != 0 ||
	    (err = find_dir(ar, w->other, &dir)) != 0)
		return err;
	nlink = attr_of(ar, &o).nlink;
	/* Its last name went: it cannot come back from there. */
	if (nlink == 0)
		return ESTALE;
	if (nlink >= LINKS_MAX)
		return EMLINK;
	err = tar_spot_look(ar, &dir, w->name, &s);
	if (err != ENOENT)
		return err == 0 ? EEXIST : err;
	if ((err = tar_object_raise(ar, &o, false)) != 0 ||
	    (err = prepare(ar, &s, false, &e)) != 0)
		return err;

	tar_upper_stamp(s.dir.u, &chg->before);
	bind(ar, &e, o.u);
	o.u->attr.nlink++;
	tar_upper_bump(o.u, false);
	tar_upper_bump(s.dir.u, true);
	tar_upper_stamp(s.dir.u, &chg->after);
	chg->atomic = true;
	return 0;
}

/* ---------------------------------------------------------------- rename -- */

struct move {
	struct tar_spot	old, new;
	bool		replaces;
	struct edit	hide, put;
};

/* Is `o` the directory `dir`, or above it?  In a damaged index a way up may
 * have no end: nothing is moved there. */
static bool
is_above(struct tar_archive *ar, const struct tar_object *o,
    struct tar_object dir)
{
	uint64_t id, left = (uint64_t)tar_index_count(&ar->index) +
	    ar->overlay.n;

	for (; left > 0; left--) {
		if (is_same(o, &dir))
			return true;
		if (dir.rec == TAR_ROOT)
			return false;
		id = tar_object_parent(ar, &dir);
		if (tar_object_of_id(ar, id, &dir) != 0)
			return false;
	}
	return true;
}

static int
may_move(struct tar_archive *ar, const struct move *m)
{
	const struct tar_object *o = &m->old.object, *victim;
	bool dir = is_dir(ar, o);

	if (dir && is_above(ar, o, m->new.dir))
		return EINVAL;
	if (!m->replaces)
		return 0;
	victim = &m->new.object;
	if (dir != is_dir(ar, victim))
		return dir ? ENOTDIR : EISDIR;
	return !dir || is_empty(ar, victim) ? 0 : ENOTEMPTY;
}

static int
prepare_move(struct tar_archive *ar, struct move *m)
{
	int err;

	if ((err = tar_object_raise(ar, &m->old.object, false)) != 0 ||
	    (m->replaces && (err = tar_object_raise(ar, &m->new.object,
	    false)) != 0))
		return err;
	/* Either directory may be the other, or be moved: raise them first,
	 * and then look at what there is. */
	if ((err = tar_object_raise(ar, &m->old.dir, false)) != 0)
		return err;
	if (m->new.dir.u == NULL)
		m->new.dir = tar_object_of_rec(ar, m->new.dir.rec);
	if ((err = prepare(ar, &m->new, false, &m->put)) != 0)
		return err;
	if (m->old.entry == NULL &&
	    (err = prepare(ar, &m->old, false, &m->hide)) != 0)
		give_up(ar, &m->put);
	return err;
}

static void
do_move(struct tar_archive *ar, struct move *m)
{
	struct tar_upper *u = m->old.object.u;
	struct tar_upper *from = m->old.dir.u, *to = m->new.dir.u;
	bool dir = u->attr.type == PINEFS_DIR;

	unbind(ar, &m->old, &m->hide);
	bind(ar, &m->put, u);
	if (m->replaces)
		drop_link(&ar->overlay, m->new.object.u, to);
	if (dir) {
		from->attr.nlink--;
		to->attr.nlink++;
	}
	tar_upper_bump(u, false);
	tar_upper_bump(from, true);
	if (to != from)
		tar_upper_bump(to, true);
}

int
tar_overlay_rename(struct tar_archive *ar, const struct tar_wait *w)
{
	struct pinefs_rename *r = w->out;
	struct move m = { .replaces = true };
	struct tar_object from, to;
	int err;

	if ((err = find_dir(ar, r->from, &from)) != 0 ||
	    (err = find_dir(ar, r->to, &to)) != 0 ||
	    (err = tar_spot_look(ar, &from, r->old_name, &m.old)) != 0)
		return err;
	err = tar_spot_look(ar, &to, r->new_name, &m.new);
	if (err != 0 && err != ENOENT)
		return err;
	m.replaces = err == 0;
	if (m.replaces && is_same(&m.old.object, &m.new.object)) {
		unchanged(ar, &from, &r->from_change);
		unchanged(ar, &to, &r->to_change);
		return 0;
	}
	if ((err = may_move(ar, &m)) != 0 || (err = prepare_move(ar, &m)) != 0)
		return err;

	tar_upper_stamp(m.old.dir.u, &r->from_change.before);
	tar_upper_stamp(m.new.dir.u, &r->to_change.before);
	do_move(ar, &m);
	tar_upper_stamp(m.old.dir.u, &r->from_change.after);
	tar_upper_stamp(m.new.dir.u, &r->to_change.after);
	r->from_change.atomic = r->to_change.atomic = true;
	return 0;
}
