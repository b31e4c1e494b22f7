/*
 * Door 1: changes of names, and look-ups.  See tree.h for the locks.
 *
 * Each change has three parts: look and check; take what memory it needs;
 * then do it, where nothing can fail any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "vfs/guard.h"
#include "vfs/tree.h"

enum { ENTRY_BYTES = 32, LINK_MAX = 1000000000 };

static uint32_t
hash(const struct pinefs *fs, struct pinefs_name name)
{
	return (uint32_t)siphash13(fs->name_key, name.base, name.len);
}

/* Does somebody ask whose rights are checked by mode bits? */
static const struct pinefs_cred *
cred_of(const struct pinefs_call *call, const struct pinefs *fs)
{
	if (call == NULL || fs->ops.flags & PINEFS_OWN_ACCESS)
		return NULL;
	return &call->cred;
}

static void
who_of(struct tree_node *t, struct who *who)
{
	spin_lock(&t->node.lock);
	tree_who(t, who);
	spin_unlock(&t->node.lock);
}

/* -------------------------------------------------- parts of a change -- */

/* May the names of this directory be changed?  With its dir->lock. */
static int
may_change(struct pinefs_call *call, struct tree_node *dir)
{
	const struct pinefs_cred *cred = cred_of(call, dir->node.fs);
	struct who who;
	bool dead;

	spin_lock(&dir->node.lock);
	tree_who(dir, &who);
	dead = dir->dead;
	spin_unlock(&dir->node.lock);
	if (dead)
		return ESTALE;
	return cred == NULL ? 0 :
	    access_check(cred, &who, MAY_WRITE | MAY_EXEC);
}

/*
 * One entry is counted before it is there: from now on the directory is not
 * empty, so nobody removes it meanwhile.  Whoever does that has the lock of
 * the directory above, not of this one.
 */
static int
claim(struct tree_node *dir)
{
	int err = 0;

	spin_lock(&dir->node.lock);
	if (dir->dead)
		err = ESTALE;
	else
		dir->live++;
	spin_unlock(&dir->node.lock);
	return err;
}

static void
unclaim(struct tree_node *dir)
{
	spin_lock(&dir->node.lock);
	dir->live--;
	spin_unlock(&dir->node.lock);
}

/*
 * The name has come to mean another object since the change was announced:
 * one that is promised, and no change of it is under way.  Where the file
 * system has made the change already, it is too late.
 */
static bool
is_unannounced(const struct pinefs_call *call, struct tree_node *child)
{
	const struct pinefs_ops *ops = &child->node.fs->ops;

	return call != NULL && ops->remove == NULL && ops->rename == NULL &&
	    atomic_load(&child->node.guard) == GUARD_PROMISED;
}

/* May this entry be taken out of it?  EAGAIN: announce it first. */
static int
may_take(struct pinefs_call *call, struct tree_node *dir,
    struct tree_node *child)
{
	const struct pinefs_cred *cred = cred_of(call, dir->node.fs);
	struct who above, object;

	if (is_unannounced(call, child))
		return EAGAIN;
	if (cred == NULL)
		return 0;
	who_of(dir, &above);
	who_of(child, &object);
	return access_sticky(cred, &above, &object);
}

/*
 * The directory got `entries` (beside those that were claimed) and `subdirs`
 * more, or fewer.  Fills *wcc, if there is one.
 */
static void
dir_changed(struct tree_node *dir, int entries, int subdirs,
    const struct timespec *now, struct vfs_wcc *wcc)
{
	spin_lock(&dir->node.lock);
	if (wcc != NULL) {
		tree_stamp(dir, &wcc->before);
		wcc->change_before = dir->change;
		wcc->has_before = true;
	}
	dir->live += (uint32_t)entries;
	dir->nlink += (uint32_t)subdirs;
	tree_set_size(dir, (uint64_t)dir->live * ENTRY_BYTES);
	tree_bump(dir, *now, true);
	if (wcc != NULL) {
		tree_attr(dir, &wcc->after);
		wcc->has_after = true;
	}
	spin_unlock(&dir->node.lock);
}

/* One name more or less. */
static void
links_changed(struct tree_node *t, int links, const struct timespec *now)
{
	spin_lock(&t->node.lock);
	t->nlink += (uint32_t)links;
	tree_bump(t, *now, false);
	spin_unlock(&t->node.lock);
}

/* From here on nothing can be made in it; ENOTEMPTY if there is something. */
static int
dir_kill(struct tree_node *dir, const struct timespec *now)
{
	int err = 0;

	spin_lock(&dir->node.lock);
	if (dir->live > 0) {
		err = ENOTEMPTY;
	} else {
		dir->dead = true;
		dir->nlink = 0;
		tree_bump(dir, *now, false);
	}
	spin_unlock(&dir->node.lock);
	return err;
}

static bool
is_dir(const struct tree_node *t)
{
	return t->dir != NULL;
}

/* ------------------------------------------------------------ look-ups -- */

int
tree_lookup(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, struct pinefs_node **to)
{
	struct tree_dir *d = tree_node(dir)->dir;
	uint32_t h = hash(dir->fs, name);
	struct tree_entry *e;
	int err;

	if ((err = tree_may(call, dir, MAY_EXEC)) != 0)
		return err;
	pthread_mutex_lock(&d->lock);
	if ((e = tree_dir_find(d, name, h)) != NULL) {
		node_get(&e->node->node);
		*to = &e->node->node;
	}
	pthread_mutex_unlock(&d->lock);
	return e == NULL ? ENOENT : 0;
}

struct pinefs_node *
tree_parent(struct pinefs_node *dir)
{
	struct pinefs_node *up = dir;

	spin_lock(&dir->lock);
	if (tree_node(dir)->parent != NULL)
		up = &tree_node(dir)->parent->node;
	node_get(up);
	spin_unlock(&dir->lock);
	return up;
}

int
tree_may_change(struct pinefs_call *call, struct pinefs_node *dir)
{
	return may_change(call, tree_node(dir));
}

/* -------------------------------------------------------------- insert -- */

/*
 * Everything an insertion needs before it can be done: the name is free, the
 * directory may be changed, has room, and has counted it.  With dir->lock.
 */
static int
insert_prepare(struct pinefs_call *call, struct tree_node *dir,
    struct pinefs_name name, uint32_t h)
{
	int err;

	if ((err = may_change(call, dir)) != 0)
		return err;
	if (tree_dir_find(dir->dir, name, h) != NULL)
		return EEXIST;
	if ((err = tree_dir_reserve(dir->dir)) != 0)
		return err;
	return claim(dir);
}

int
tree_insert(struct pinefs_call *call, struct pinefs_node *to,
    struct pinefs_name name, struct tree_node *t, struct vfs_wcc *wcc)
{
	struct tree_node *dir = tree_node(to);
	uint32_t h = hash(to->fs, name);
	struct tree_entry *e;
	struct timespec now;
	int err;

	if (!is_dir(dir))
		return ENOTDIR;
	if ((e = tree_entry_new(name, h)) == NULL)
		return ENOMEM;
	node_get(&t->node);	/* the entry's */
	if (node_enter(&t->node) == NULL) {
		free(e);
		return ENOMEM;	/* node_enter put it */
	}
	e->node = t;
	if (is_dir(t)) {
		node_get(to);
		t->parent = dir;
	}
	clock_wall(&now);

	pthread_mutex_lock(&dir->dir->lock);
	if ((err = insert_prepare(call, dir, name, h)) == 0) {
		t->nlink = is_dir(t) ? 2 : 1;
		dir_changed(dir, 0, is_dir(t), &now, wcc);
		tree_dir_insert(dir->dir, e);
		e = NULL;
	}
	pthread_mutex_unlock(&dir->dir->lock);

	if (e != NULL) {
		free(e);
		pinefs_node_put(&t->node);
	}
	return err;
}

int
tree_link(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *to, struct pinefs_name name, struct vfs_wcc *wcc)
{
	struct tree_node *dir = tree_node(to), *t = tree_node(node);
	uint32_t h = hash(to->fs, name);
	struct tree_entry *e;
	struct timespec now;
	int err;

	if (!is_dir(dir))
		return ENOTDIR;
	if (is_dir(t))
		return EPERM;
	if ((e = tree_entry_new(name, h)) == NULL)
		return ENOMEM;
	e->node = t;
	clock_wall(&now);

	pthread_mutex_lock(&dir->dir->lock);
	err = insert_prepare(call, dir, name, h);
	if (err == 0) {
		spin_lock(&node->lock);
		/* Its last name went: it cannot come back from there. */
		if (t->nlink == 0)
			err = ESTALE;
		else if (t->nlink >= LINK_MAX)
			err = EMLINK;
		if (err == 0) {
			t->nlink++;
			tree_bump(t, now, false);
		}
		spin_unlock(&node->lock);
		if (err != 0)
			unclaim(dir);
	}
	if (err == 0) {
		node_get(node);
		dir_changed(dir, 0, 0, &now, wcc);
		tree_dir_insert(dir->dir, e);
		e = NULL;
	}
	pthread_mutex_unlock(&dir->dir->lock);
	free(e);
	return err;
}

/* -------------------------------------------------------------- remove -- */

static int
remove_check(struct pinefs_call *call, struct tree_node *dir,
    struct tree_node *victim, int kind)
{
	if (is_dir(victim) && !(kind & PINEFS_REMOVE_DIR))
		return EISDIR;
	if (!is_dir(victim) && !(kind & PINEFS_REMOVE_FILE))
		return ENOTDIR;
	return may_take(call, dir, victim);
}

int
tree_remove(struct pinefs_call *call, struct pinefs_node *from,
    struct pinefs_name name, int kind, struct vfs_wcc *wcc)
{
	struct tree_node *dir = tree_node(from), *victim = NULL;
	uint32_t h = hash(from->fs, name);
	struct tree_entry *e = NULL;
	struct timespec now;
	int err;

	if (!is_dir(dir))
		return ENOTDIR;
	clock_wall(&now);
	pthread_mutex_lock(&dir->dir->lock);
	if ((err = may_change(call, dir)) != 0)
		goto out;
	if ((e = tree_dir_find(dir->dir, name, h)) == NULL) {
		err = ENOENT;
		goto out;
	}
	victim = e->node;
	if ((err = remove_check(call, dir, victim, kind)) != 0)
		goto out;
	if (is_dir(victim)) {
		if ((err = dir_kill(victim, &now)) != 0)
			goto out;
	} else {
		links_changed(victim, -1, &now);
	}
	dir_changed(dir, -1, -(int)is_dir(victim), &now, wcc);
	tree_dir_remove(dir->dir, e);
out:
	pthread_mutex_unlock(&dir->dir->lock);
	if (err == 0) {
		free(e);
		if (call == NULL)
			pinefs_changed(&victim->node);
		pinefs_node_put(&victim->node);	/* the entry's */
	}
	return err;
}

/* -------------------------------------------------------------- rename -- */

/* One rename under way. */
struct move {
	struct pinefs_call	*call;
	struct tree_node	*from, *to;
	struct pinefs_name	 old_name, new_name;
	uint32_t		 old_hash, new_hash;
	struct tree_entry	*old, *target;	/* what is there */
	struct tree_entry	*new;		/* to be inserted */
	struct tree_node	*victim, *left;	/* to be put at the end */
	struct tree_node	*moved;		/* ... by the program itself */
	struct vfs_wcc		*from_wcc, *to_wcc;
};

static void
lock_both(struct tree_node *a, struct tree_node *b)
{
	if (a == b) {
		pthread_mutex_lock(&a->dir->lock);
	} else if (a->node.fileid < b->node.fileid) {
		pthread_mutex_lock(&a->dir->lock);
		pthread_mutex_lock(&b->dir->lock);
	} else {
		pthread_mutex_lock(&b->dir->lock);
		pthread_mutex_lock(&a->dir->lock);
	}
}

static void
unlock_both(struct tree_node *a, struct tree_node *b)
{
	pthread_mutex_unlock(&a->dir->lock);
	if (a != b)
		pthread_mutex_unlock(&b->dir->lock);
}

/* Is `t` the directory `dir`, or above it?  With rename_lock. */
static bool
is_above(const struct tree_node *t, const struct tree_node *dir)
{
	for (; dir != NULL; dir = dir->parent)
		if (dir == t)
			return true;
	return false;
}

/* What is at the new name must give way, and may. */
static int
move_check_target(struct move *m)
{
	struct tree_node *t = m->old->node, *victim = m->target->node;

	if (is_dir(t) && !is_dir(victim))
		return ENOTDIR;
	if (!is_dir(t) && is_dir(victim))
		return EISDIR;
	return may_take(m->call, m->to, victim);
}

/* May it be moved?  EALREADY: both names are one object, nothing to do. */
static int
move_check(struct move *m)
{
	struct tree_node *t = m->old->node;
	int err;

	if ((err = may_take(m->call, m->from, t)) != 0)
		return err;
	if (m->target != NULL && m->target->node == t)
		return EALREADY;
	if (is_dir(t) && m->from != m->to && is_above(t, m->to))
		return EINVAL;
	/* A directory that moves needs its own `..` changed (POSIX). */
	return m->target == NULL ? 0 : move_check_target(m);
}

/* Everything that may fail.  With the locks. */
static int
move_prepare(struct move *m, const struct timespec *now)
{
	int err;

	if ((err = move_check(m)) != 0 ||
	    (err = tree_dir_reserve(m->to->dir)) != 0)
		return err;
	m->new = tree_entry_new(m->new_name, m->new_hash);
	if (m->new == NULL)
		return ENOMEM;
	if ((err = claim(m->to)) != 0) {
		free(m->new);
		return err;
	}
	if (m->target != NULL && is_dir(m->target->node) &&
	    (err = dir_kill(m->target->node, now)) != 0) {
		unclaim(m->to);
		free(m->new);
	}
	return err;
}

static void
move_commit(struct move *m, const struct timespec *now)
{
	struct tree_node *t = m->old->node;
	int subdir = is_dir(t), victims = 0, subvictims = 0;

	if (m->target != NULL) {
		m->victim = m->target->node;
		victims = 1;
		if (is_dir(m->victim))
			subvictims = 1;
		else
			links_changed(m->victim, -1, now);
		tree_dir_remove(m->to->dir, m->target);
		free(m->target);
	}
	tree_dir_remove(m->from->dir, m->old);
	free(m->old);
	m->new->node = t;	/* the entry's reference moves along */
	tree_dir_insert(m->to->dir, m->new);

	if (subdir && m->from != m->to) {
		node_get(&m->to->node);
		spin_lock(&t->node.lock);
		t->parent = m->to;
		spin_unlock(&t->node.lock);
		m->left = m->from;	/* was its parent */
	}
	links_changed(t, 0, now);
	if (m->call == NULL) {
		node_get(&t->node);
		m->moved = t;
	}
	if (m->from == m->to) {
		dir_changed(m->to, -1 - victims, -subvictims, now,
		    m->to_wcc);
		return;
	}
	dir_changed(m->from, -1, -subdir, now, m->from_wcc);
	dir_changed(m->to, -victims, subdir - subvictims, now, m->to_wcc);
}

/* With the locks of both directories. */
static int
move_locked(struct move *m, bool may_move_dirs)
{
	struct timespec now;
	int err;

	if ((err = may_change(m->call, m->from)) != 0 ||
	    (err = may_change(m->call, m->to)) != 0)
		return err;
	m->old = tree_dir_find(m->from->dir, m->old_name, m->old_hash);
	if (m->old == NULL)
		return ENOENT;
	m->target = tree_dir_find(m->to->dir, m->new_name, m->new_hash);
	if (is_dir(m->old->node) && m->from != m->to && !may_move_dirs)
		return EAGAIN;
	clock_wall(&now);
	if ((err = move_prepare(m, &now)) != 0)
		return err;
	move_commit(m, &now);
	return 0;
}

/* Nothing happened, but both directories are told as they are. */
static void
wcc_same(struct tree_node *dir, struct vfs_wcc *wcc)
{
	if (wcc == NULL)
		return;
	spin_lock(&dir->node.lock);
	tree_stamp(dir, &wcc->before);
	wcc->change_before = dir->change;
	tree_attr(dir, &wcc->after);
	wcc->has_before = wcc->has_after = true;
	spin_unlock(&dir->node.lock);
}

int
tree_rename(struct pinefs_call *call, struct pinefs_node *from,
    struct pinefs_name old_name, struct pinefs_node *to,
    struct pinefs_name new_name, struct vfs_wcc *from_wcc,
    struct vfs_wcc *to_wcc)
{
	struct pinefs *fs = from->fs;
	struct move m = { .call = call, .from = tree_node(from),
	    .to = tree_node(to), .old_name = old_name, .new_name = new_name,
	    .from_wcc = from_wcc, .to_wcc = to_wcc };
	bool dirs = false;
	int err;

	if (!is_dir(m.from) || !is_dir(m.to))
		return ENOTDIR;
	m.old_hash = hash(fs, old_name);
	m.new_hash = hash(fs, new_name);
again:
	/* Only a directory that changes its parent needs the tree's lock. */
	if (dirs)
		pthread_mutex_lock(&fs->rename_lock);
	lock_both(m.from, m.to);
	err = move_locked(&m, dirs);
	if (err == EALREADY) {
		wcc_same(m.from, from_wcc);
		wcc_same(m.to, to_wcc);
	} else if (err == 0 && from == to && from_wcc != NULL) {
		*from_wcc = *to_wcc;	/* one change, told twice */
	}
	unlock_both(m.from, m.to);
	if (dirs)
		pthread_mutex_unlock(&fs->rename_lock);
	if (err == EAGAIN && !dirs) {
		dirs = true;
		goto again;
	}

	if (m.moved != NULL) {
		pinefs_changed(&m.moved->node);
		pinefs_node_put(&m.moved->node);
	}
	if (m.victim != NULL && call == NULL)
		pinefs_changed(&m.victim->node);
	if (m.victim != NULL)
		pinefs_node_put(&m.victim->node);
	if (m.left != NULL)
		pinefs_node_put(&m.left->node);
	return err == EALREADY ? 0 : err;
}

/* ------------------------------------------------------------- listing -- */

static int
list_one(struct pinefs_call *call, struct vfs_readdir *rd,
    const struct tree_slot *slot, bool *full)
{
	const struct tree_entry *e = slot->entry;
	struct vfs_entry entry = { .cookie = slot->cookie + 2 };
	struct pinefs_attr attr;
	char *name;

	if (rd->narrow && entry.cookie > UINT32_MAX)
		return EOVERFLOW;
	if ((name = xdr_arena_alloc(call->arena, e->len)) == NULL)
		return ENOMEM;
	memcpy(name, e->name, e->len);
	entry.name.base = name;
	entry.name.len = e->len;
	vfs_node_handle_ident(&e->node->node, &entry.id);
	if (rd->want != 0) {
		tree_getattr(&e->node->node, &attr);
		entry.attr = &attr;
	}
	*full = rd->add(rd->add_arg, &entry) != 0;
	return 0;
}

/* Entries and objects lie anywhere in memory: have them fetched early. */
static void
look_ahead(const struct tree_dir *d, uint32_t i, bool attrs)
{
	const struct tree_entry *e;

	if (i + 8 < d->n)
		__builtin_prefetch(d->list[i + 8].entry);
	if (i + 4 < d->n && (e = d->list[i + 4].entry) != NULL) {
		__builtin_prefetch(e->node);
		if (attrs)
			__builtin_prefetch((const char *)e->node + 128);
	}
}

int
tree_readdir(struct pinefs_call *call, struct pinefs_node *node,
    struct vfs_readdir *rd, uint64_t after)
{
	struct tree_dir *d = tree_node(node)->dir;
	bool full = false;
	int err = 0;
	uint32_t i;

	pthread_mutex_lock(&d->lock);
	for (i = tree_dir_after(d, after); i < d->n && !full; i++) {
		look_ahead(d, i, rd->want != 0);
		if (d->list[i].entry == NULL)
			continue;
		if ((err = list_one(call, rd, &d->list[i], &full)) != 0)
			break;
	}
	rd->eof = !full && err == 0;
	pthread_mutex_unlock(&d->lock);
	return err;
}
