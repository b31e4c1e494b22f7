/* Uppers: found, made, dropped.  See overlay.h. */
#include "overlay.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "view.h"

enum { FIRST_SLOTS = 64, DIR_SIZE = 4096, SLOT_COST = 16, PLACE_COST = 32 };

/* ---------------------------------------------------------------- table -- */

static struct tar_upper **
slot_of(const struct tar_overlay *ov, uint64_t id)
{
	/* Ids are places of headers, which are multiples of something. */
	return &ov->slot[id * UINT64_C(0x9e3779b97f4a7c15) >> 32 &
	    (ov->nslots - 1)];
}

static struct tar_upper *
upper_of(const struct tar_overlay *ov, uint64_t id)
{
	struct tar_upper *u;

	if (ov->n == 0)
		return NULL;
	for (u = *slot_of(ov, id); u != NULL && u->id != id; )
		u = u->next;
	return u;
}

/* Without memory chains grow longer. */
static bool
grow(struct tar_overlay *ov)
{
	uint32_t i, was = ov->nslots, n = was == 0 ? FIRST_SLOTS : was * 2;
	struct tar_upper **old = ov->slot, **slot, *u;

	if (ov->n < was)
		return true;
	if (n == 0 || (slot = calloc(n, sizeof *slot)) == NULL)
		return was > 0;
	ov->slot = slot;
	ov->nslots = n;
	for (i = 0; i < was; i++) {
		while ((u = old[i]) != NULL) {
			old[i] = u->next;
			u->next = *slot_of(ov, u->id);
			*slot_of(ov, u->id) = u;
		}
	}
	free(old);
	return true;
}

static void
leave(struct tar_overlay *ov, struct tar_upper *u)
{
	struct tar_upper **p = slot_of(ov, u->id);

	while (*p != u)
		p = &(*p)->next;
	*p = u->next;
	ov->n--;
}

/* ---------------------------------------------------------------- uppers -- */

uint64_t
tar_name_cost(uint32_t len)
{
	return sizeof(struct tar_name) + len + PLACE_COST;
}

static int
add_upper(struct tar_overlay *ov, uint64_t id, uint32_t more, bool force,
    struct tar_upper **to)
{
	uint32_t cost = (uint32_t)sizeof **to + SLOT_COST + more;
	struct tar_upper *u;

	if (!grow(ov) || (u = calloc(1, sizeof *u)) == NULL)
		return ENOMEM;
	if (force) {
		mem_space_force(ov->space, cost);
	} else if (!mem_space_take(ov->space, cost)) {
		free(u);
		return ENOSPC;
	}
	u->id = id;
	u->cost = cost;
	mem_file_init(&u->file, ov->space);
	u->next = *slot_of(ov, id);
	*slot_of(ov, id) = u;
	ov->n++;
	*to = u;
	return 0;
}

int
tar_object_raise(struct tar_archive *ar, struct tar_object *o, bool force)
{
	const struct tar_rec *r = tar_index_rec(&ar->index, o->rec);
	struct tar_upper *u;
	int err;

	if (o->u != NULL)
		return 0;
	err = add_upper(&ar->overlay, tar_index_id(&ar->index, o->rec), 0,
	    force, &u);
	if (err != 0)
		return err;
	u->rec = o->rec;
	u->parent = tar_index_id(&ar->index,
	    tar_index_parent(&ar->index, o->rec));
	tar_view_attr(ar, o->rec, &u->attr);
	if (r->type == TAR_DIR)
		u->live = r->names;
	o->u = u;
	return 0;
}

static uint64_t
next_id(struct tar_overlay *ov)
{
	/* Never one whose lower half is 0: 32-bit clients take it for 0. */
	if ((uint32_t)++ov->next == 0)
		ov->next++;
	return TAR_ID_NEW | ov->next;
}

static void
give_attr(struct tar_upper *u, const struct pinefs_set *set)
{
	struct pinefs_attr *a = &u->attr;

	a->mode = set->attr.mode & 07777;
	a->uid = set->attr.uid;
	a->gid = set->attr.gid;
	if (a->type == PINEFS_BLK || a->type == PINEFS_CHR) {
		a->rdev_major = set->attr.rdev_major;
		a->rdev_minor = set->attr.rdev_minor;
	}
	if (a->type == PINEFS_REG && set->attr.have & PINEFS_SIZE)
		a->size = set->attr.size;
	clock_gettime(CLOCK_REALTIME, &a->ctime);
	a->atime = a->mtime = a->btime = a->ctime;
	if (set->attr.have & PINEFS_ATIME & ~set->now)
		a->atime = set->attr.atime;
	if (set->attr.have & PINEFS_MTIME & ~set->now)
		a->mtime = set->attr.mtime;
	if (set->attr.have & PINEFS_BTIME & ~set->now)
		a->btime = set->attr.btime;
	pinefs_change_next(&a->change);
}

int
tar_upper_new(struct tar_overlay *ov, const struct pinefs_create *how,
    struct tar_upper **to)
{
	uint32_t more = how->type == PINEFS_LNK ? how->target.len : 0;
	struct tar_upper *u;
	char *target = NULL;
	int err;

	if (more > 0 && (target = malloc(more)) == NULL)
		return ENOMEM;
	if ((err = add_upper(ov, next_id(ov), more, false, &u)) != 0) {
		free(target);
		return err;
	}
	if (more > 0)
		memcpy(target, how->target.base, more);
	u->target = target;
	u->rec = TAR_NONE;
	u->mapped = how->type == PINEFS_REG;
	u->own_xattrs = u->touched = true;
	u->attr.have = PINEFS_ALL;
	u->attr.type = how->type;
	u->attr.size = how->type == PINEFS_DIR ? DIR_SIZE : more;
	u->attr.generation = ov->generation;
	give_attr(u, &how->set);
	if (how->exclusive == PINEFS_EXCLUSIVE) {
		u->exclusive = true;
		memcpy(u->verf, how->verf, sizeof u->verf);
	}
	*to = u;
	return 0;
}

static void
free_name(void *arg, const struct tar_name *name)
{
	struct tar_overlay *ov = arg;

	mem_space_give(ov->space, tar_name_cost(name->len));
}

static void
empty(struct tar_overlay *ov, struct tar_upper *u)
{
	mem_file_fini(&u->file);
	tar_names_fini(&u->names, free_name, ov);
	free(u->target);
	u->target = NULL;
}

static void
free_old(struct tar_overlay *ov, struct tar_upper *u)
{
	struct tar_upper **p = &ov->old;

	while (*p != u)
		p = &(*p)->next;
	*p = u->next;
	free(u);
}

void
tar_upper_lapse(struct tar_overlay *ov, struct tar_upper *u)
{
	if (u->attr.nlink > 0 || u->nodes > 0)
		return;
	if (u->old) {
		free_old(ov, u);
		return;
	}
	if (u->rec == TAR_NONE) {
		leave(ov, u);
		empty(ov, u);
		mem_space_give(ov->space, u->cost);
		free(u);
		return;
	}
	/*
	 * Somebody may have it open without having been seen: only if it was
	 * never changed.
	 */
	if (u->mapped || u->own_xattrs || u->attr.type == PINEFS_DIR) {
		empty(ov, u);
		u->gone = true;
	}
}

static bool
is_after(const struct timespec *a, const struct timespec *b)
{
	if (a->tv_sec != b->tv_sec)
		return a->tv_sec > b->tv_sec;
	return a->tv_nsec > b->tv_nsec;
}

void
tar_upper_bump(struct tar_upper *u, bool data)
{
	struct pinefs_attr *a = &u->attr;
	struct timespec now;

	/*
	 * Times differ for every change, however coarse the clock is; and
	 * those of the archive may be of any time.
	 */
	clock_gettime(CLOCK_REALTIME, &now);
	if (u->touched && !is_after(&now, &a->ctime)) {
		now = a->ctime;
		if (++now.tv_nsec == 1000000000) {
			now.tv_nsec = 0;
			now.tv_sec++;
		}
	}
	a->ctime = now;
	if (data)
		a->mtime = now;
	pinefs_change_next(&a->change);
	u->touched = true;
}

void
tar_upper_stamp(const struct tar_upper *u, struct pinefs_stamp *stamp)
{
	*stamp = (struct pinefs_stamp){ u->attr.change, u->attr.size,
	    u->attr.mtime, u->attr.ctime };
}

/* Reading moves atime only where it is not later than the last change, as
 * memfs has it, and nothing of what is as in the archive. */
bool
tar_upper_is_unseen(const struct tar_upper *u)
{
	return !is_after(&u->attr.atime, &u->attr.mtime);
}

void
tar_upper_seen(struct tar_upper *u)
{
	if (tar_upper_is_unseen(u))
		clock_gettime(CLOCK_REALTIME, &u->attr.atime);
}

/* -------------------------------------------------------------- objects -- */

struct tar_object
tar_object_of_rec(struct tar_archive *ar, uint32_t rec)
{
	struct tar_overlay *ov = &ar->overlay;

	return (struct tar_object){ rec, ov->n == 0 ? NULL :
	    upper_of(ov, tar_index_id(&ar->index, rec)) };
}

int
tar_object_of_id(struct tar_archive *ar, uint64_t id, struct tar_object *o)
{
	o->rec = TAR_NONE;
	o->u = NULL;
	if (!ar->at_hand)
		return tar_archive_stale(ar);
	if ((o->u = upper_of(&ar->overlay, id)) != NULL)
		o->rec = o->u->rec;
	else if ((id & TAR_ID_NEW) == 0 && !ar->gone)
		o->rec = tar_index_by_id(&ar->index, id);
	else
		return ESTALE;
	return o->u == NULL && o->rec == TAR_NONE ? tar_archive_stale(ar) : 0;
}

/* Readers come here, too. */
static void
attach(struct tar_overlay *ov, struct pinefs_node *node, struct tar_upper *u)
{
	pthread_mutex_lock(&ov->attach_lock);
	if (pinefs_node_data(node) == NULL) {
		u->nodes++;
		pinefs_node_set_data(node, u);
	}
	pthread_mutex_unlock(&ov->attach_lock);
}

int
tar_object_find(struct tar_archive *ar, struct pinefs_node *node,
    struct tar_object *o)
{
	struct pinefs_ident id;
	int err;

	if (!ar->at_hand)
		return tar_archive_stale(ar);
	if ((o->u = pinefs_node_data(node)) != NULL) {
		o->rec = o->u->rec;
	} else {
		pinefs_node_ident(node, &id);
		if ((err = tar_object_of_id(ar, id.fileid, o)) != 0)
			return err;
		if (tar_object_ident(ar, o).generation != id.generation)
			return ESTALE;
		if (o->u != NULL)
			attach(&ar->overlay, node, o->u);
	}
	return o->u != NULL && o->u->gone ? ESTALE : 0;
}

void
tar_overlay_release(struct pinefs_node *node)
{
	struct tar_archive *ar = pinefs_arg(pinefs_node_fs(node));
	struct tar_overlay *ov = &ar->overlay;
	struct tar_upper *u = pinefs_node_data(node);

	if (u == NULL)
		return;
	pthread_rwlock_wrlock(&ov->lock);
	u->nodes--;
	tar_upper_lapse(ov, u);
	pthread_rwlock_unlock(&ov->lock);
}

struct pinefs_ident
tar_object_ident(const struct tar_archive *ar, const struct tar_object *o)
{
	if (o->u == NULL)
		return tar_view_ident(ar, o->rec);
	return (struct pinefs_ident){ .fileid = o->u->id,
	    .generation = o->u->attr.generation };
}

void
tar_object_attr(const struct tar_archive *ar, const struct tar_object *o,
    struct pinefs_attr *attr)
{
	if (o->u == NULL) {
		tar_view_attr(ar, o->rec, attr);
		return;
	}
	*attr = o->u->attr;
	if (o->u->mapped)
		attr->used = o->u->file.map.bytes;
}

uint64_t
tar_object_parent(const struct tar_archive *ar, const struct tar_object *o)
{
	if (o->u != NULL)
		return o->u->parent;
	return tar_index_id(&ar->index, tar_index_parent(&ar->index, o->rec));
}

/* ---------------------------------------------------------------- names -- */

static uint32_t
hash(const struct tar_overlay *ov, struct pinefs_name name)
{
	return (uint32_t)pinefs_hash(ov->key, name.base, name.len);
}

bool
tar_object_hides(const struct tar_archive *ar, const struct tar_object *dir,
    struct pinefs_name name)
{
	return dir->u != NULL && dir->u->names.n > 0 && tar_names_find(
	    &dir->u->names, name, hash(&ar->overlay, name)) != NULL;
}

int
tar_spot_look(struct tar_archive *ar, const struct tar_object *dir,
    struct pinefs_name name, struct tar_spot *s)
{
	*s = (struct tar_spot){ .dir = *dir, .name = name,
	    .hash = hash(&ar->overlay, name), .base = TAR_NONE };
	if (dir->u != NULL)
		s->entry = tar_names_find(&dir->u->names, name, s->hash);
	if (dir->rec != TAR_NONE)
		s->base = tar_index_find(&ar->index, dir->rec, name);
	if (s->entry != NULL) {
		if (s->entry->upper == NULL)
			return ENOENT;
		s->object = (struct tar_object){ s->entry->upper->rec,
		    s->entry->upper };
		return 0;
	}
	if (s->base == TAR_NONE)
		return dir->rec == TAR_NONE ? ENOENT :
		    !ar->whole ? PINEFS_LATER :
		    ar->missing != 0 ? ar->missing : ENOENT;
	if (!tar_view_shows(ar, tar_index_rec(&ar->index, s->base)))
		return ENOENT;
	s->object = tar_object_of_rec(ar, tar_index_inode(&ar->index,
	    s->base));
	return 0;
}

/* ------------------------------------------------------- begin and end -- */

int
tar_overlay_init(struct tar_overlay *ov, struct mem_space *space)
{
	pthread_rwlockattr_t attr;

	*ov = (struct tar_overlay){ .space = space };
	if (getrandom(ov->key, sizeof ov->key, 0) != sizeof ov->key ||
	    getrandom(&ov->generation, sizeof ov->generation, 0) !=
	    sizeof ov->generation)
		return EIO;
	/* Many readers must not keep a change waiting for ever. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
	    PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&ov->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	pthread_mutex_init(&ov->attach_lock, NULL);
	return 0;
}

void
tar_overlay_fini(struct tar_overlay *ov)
{
	struct tar_upper *u;
	uint32_t i;

	if (ov->space == NULL)
		return;		/* there was no init */
	for (i = 0; i < ov->nslots; i++) {
		while ((u = ov->slot[i]) != NULL) {
			ov->slot[i] = u->next;
			empty(ov, u);
			mem_space_give(ov->space, u->cost);
			free(u);
		}
	}
	while ((u = ov->old) != NULL) {
		ov->old = u->next;
		free(u);
	}
	free(ov->slot);
	pthread_rwlock_destroy(&ov->lock);
	pthread_mutex_destroy(&ov->attach_lock);
	*ov = (struct tar_overlay){ 0 };
}

/* With the lock. */
static void
report(const struct tar_archive *ar)
{
	const struct tar_overlay *ov = &ar->overlay;
	uint64_t changed = ov->replaced;
	const struct tar_upper *u;
	uint32_t i;

	for (i = 0; i < ov->nslots; i++)
		for (u = ov->slot[i]; u != NULL; u = u->next)
			changed += u->rec != TAR_NONE && u->changed &&
			    !u->placed && u->attr.nlink > 0;
	if (ov->added + changed + ov->removed > 0)
		pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: %llu new, %llu "
		    "changed, %llu removed: dropped", ar->shown,
		    (unsigned long long)ov->added,
		    (unsigned long long)changed,
		    (unsigned long long)ov->removed);
}

void
tar_overlay_report(struct tar_archive *ar)
{
	pthread_rwlock_rdlock(&ar->overlay.lock);
	report(ar);
	pthread_rwlock_unlock(&ar->overlay.lock);
}

bool
tar_overlay_is_empty(struct tar_overlay *ov)
{
	bool empty;

	pthread_rwlock_rdlock(&ov->lock);
	empty = ov->n == 0;
	pthread_rwlock_unlock(&ov->lock);
	return empty;
}

/* The same object, with its bytes at the same place. */
static bool
is_same(const struct tar_index *a, const struct tar_index *b, uint32_t i)
{
	const struct tar_rec *r = tar_index_rec(a, i), *s;

	if (i >= tar_index_count(b) || tar_index_id(b, i) !=
	    tar_index_id(a, i))
		return false;
	s = tar_index_rec(b, i);
	return s->type == r->type && s->sum == r->sum &&
	    (r->type != TAR_REG || (s->size == r->size &&
	    tar_index_data(s) == tar_index_data(r)));
}

bool
tar_overlay_fits(struct tar_archive *ar, const struct tar_index *ix)
{
	struct tar_overlay *ov = &ar->overlay;
	const struct tar_upper *u;
	bool fits = true;
	uint32_t i;

	pthread_rwlock_rdlock(&ov->lock);
	for (i = 0; fits && i < ov->nslots; i++)
		for (u = ov->slot[i]; fits && u != NULL; u = u->next)
			fits = u->rec == TAR_NONE ||
			    is_same(&ar->index, ix, u->rec);
	pthread_rwlock_unlock(&ov->lock);
	return fits;
}

/* Nothing is left of it but that it was. */
static void
make_old(struct tar_overlay *ov, struct tar_upper *u)
{
	empty(ov, u);
	mem_space_give(ov->space, u->cost);
	u->cost = 0;
	u->attr.nlink = 0;
	u->rec = TAR_NONE;
	u->gone = u->old = true;
	u->next = ov->old;
	ov->old = u;
	tar_upper_lapse(ov, u);
}

void
tar_overlay_drop(struct tar_archive *ar)
{
	struct tar_overlay *ov = &ar->overlay;
	struct tar_upper *u;
	uint32_t i;

	pthread_rwlock_wrlock(&ov->lock);
	report(ar);
	for (i = 0; i < ov->nslots; i++) {
		while ((u = ov->slot[i]) != NULL) {
			ov->slot[i] = u->next;
			make_old(ov, u);
		}
	}
	ov->n = 0;
	ov->added = ov->replaced = ov->removed = 0;
	pthread_rwlock_unlock(&ov->lock);
}
