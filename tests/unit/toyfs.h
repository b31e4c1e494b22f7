/*
 * A file system for tests of the protocols: door 2, every operation, few and
 * small objects.  It can answer at once or always later, and fail on demand.
 */
#ifndef TESTS_UNIT_TOYFS_H
#define TESTS_UNIT_TOYFS_H

#include <errno.h>
#include <pinefs.h>
#include <stdlib.h>
#include <string.h>

#ifndef TOY_BYTES
#define TOY_BYTES	65536		/* most bytes of a file */
#endif

enum { TOY_OBJECTS = 96, TOY_ENTRIES = 64, TOY_FIRST_ID = 100 };

struct toy_entry {
	char		 name[256];
	uint32_t	 len;
	struct toy_obj	*obj;		/* NULL: removed */
	uint64_t	 cookie;
};

struct toy_obj {
	struct pinefs_attr	 attr;	/* all of it; nlink 0: gone */
	uint64_t		 fileid;
	uint8_t			*data;	/* TOY_BYTES, or NULL: no bytes yet */
	uint8_t			 verf[8];
	struct toy_obj		*parent;
	unsigned		 nentries;
	uint64_t		 cookie;
	struct toy_entry	 entry[TOY_ENTRIES];	/* the first are used */
};

struct toy {
	struct pinefs		*fs;
	struct toy_obj		 obj[TOY_OBJECTS];
	unsigned		 n;
	bool			 later;		/* answer later, each time */
	struct pinefs_call	*pending;	/* it waits */
	int			 pending_err;
	int			 fail;		/* the next operations ... */
	int			 fail_times;	/* ... so many */
	unsigned		 calls;
	int64_t			 clock;
	uint32_t		 write_max;	/* bytes of one write; 0: all */
	bool			 hide;		/* the next name looked up */
	char			 told[64];	/* o: open, c: close ... */
	bool			 later_open;	/* that alone comes later */
	void			(*on_close)(void), (*on_written)(void);
};

/* At once, or when toy_complete says so. */
static inline int
toy_answer(struct toy *t, struct pinefs_call *call, int err)
{
	t->calls++;
	if (!t->later)
		return err;
	t->pending = call;
	t->pending_err = err;
	return PINEFS_LATER;
}

static inline bool
toy_complete(struct toy *t)
{
	struct pinefs_call *call = t->pending;

	if (call == NULL)
		return false;
	t->pending = NULL;
	pinefs_complete(call, t->pending_err);
	return true;
}

#define TOY(call) ((struct toy *)pinefs_arg(pinefs_call_fs(call)))

static inline int
toy_failure(struct toy *t)
{
	if (t->fail_times == 0)
		return 0;
	t->fail_times--;
	return t->fail;
}

/* ------------------------------------------------------------- objects -- */

static inline struct toy_obj *
toy_obj(struct toy *t, const struct pinefs_node *node)
{
	struct pinefs_ident id;

	pinefs_node_ident(node, &id);
	if (id.fileid < TOY_FIRST_ID || id.fileid >= TOY_FIRST_ID + t->n ||
	    t->obj[id.fileid - TOY_FIRST_ID].attr.nlink == 0)
		return NULL;
	return &t->obj[id.fileid - TOY_FIRST_ID];
}

static inline void
toy_ident(const struct toy_obj *o, struct pinefs_ident *id)
{
	*id = (struct pinefs_ident){ .fileid = o->fileid,
	    .generation = o->attr.generation };
}

static inline uint8_t *
toy_data(struct toy_obj *o)
{
	if (o->data == NULL)
		o->data = calloc(1, TOY_BYTES);
	return o->data;
}

static inline void
toy_stamp(const struct toy_obj *o, struct pinefs_stamp *s)
{
	s->change = o->attr.change;
	s->size = o->attr.size;
	s->mtime = o->attr.mtime;
	s->ctime = o->attr.ctime;
}

static inline void
toy_bump(struct toy *t, struct toy_obj *o, bool data)
{
	o->attr.change++;
	o->attr.ctime = (struct timespec){ ++t->clock, 5 };
	if (data)
		o->attr.mtime = o->attr.ctime;
}

static inline struct toy_obj *
toy_new(struct toy *t, uint32_t type, uint32_t mode)
{
	struct toy_obj *o;

	if (t->n == TOY_OBJECTS)
		return NULL;
	o = &t->obj[t->n];
	o->fileid = TOY_FIRST_ID + t->n++;
	o->attr.have = PINEFS_ALL;
	o->attr.type = type;
	o->attr.mode = mode;
	o->attr.nlink = 1;
	o->attr.generation = 7;
	toy_bump(t, o, true);
	o->attr.atime = o->attr.mtime;
	return o;
}

static inline struct toy_entry *
toy_find(struct toy_obj *dir, struct pinefs_name name)
{
	for (unsigned i = 0; i < dir->nentries; i++)
		if (dir->entry[i].obj != NULL &&
		    dir->entry[i].len == name.len &&
		    memcmp(dir->entry[i].name, name.base, name.len) == 0)
			return &dir->entry[i];
	return NULL;
}

static inline bool
toy_is_empty(const struct toy_obj *dir)
{
	for (unsigned i = 0; i < dir->nentries; i++)
		if (dir->entry[i].obj != NULL)
			return false;
	return true;
}

static inline void
toy_enter(struct toy_obj *dir, struct pinefs_name name, struct toy_obj *o)
{
	struct toy_entry *e = &dir->entry[dir->nentries++];

	memcpy(e->name, name.base, name.len);
	e->len = name.len;
	e->obj = o;
	e->cookie = ++dir->cookie;
	if (o->attr.type == PINEFS_DIR)
		o->parent = dir;
}

/* For tests: make something by hand. */
static inline struct toy_obj *
toy_add(struct toy *t, struct toy_obj *dir, const char *name, uint32_t type,
    uint32_t mode, const char *text)
{
	struct pinefs_name n = { name, (uint32_t)strlen(name) };
	struct toy_obj *o = toy_new(t, type, mode);

	if (text != NULL) {
		o->attr.size = strlen(text);
		memcpy(toy_data(o), text, strlen(text));
	}
	toy_enter(dir, n, o);
	return o;
}

/* ---------------------------------------------------------- operations -- */

static inline int
toy_lookup(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_ident *id)
{
	struct toy *t = TOY(call);
	struct toy_obj *dir = toy_obj(t, node);
	struct toy_entry *e;
	int err = toy_failure(t);

	if (err == 0 && dir == NULL)
		err = ESTALE;
	if (err == 0 && ((e = toy_find(dir, name)) == NULL || t->hide)) {
		err = ENOENT;
		t->hide = false;
	}
	if (err == 0)
		toy_ident(e->obj, id);
	return toy_answer(t, call, err);
}

static inline int
toy_getattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t want, struct pinefs_attr *attr)
{
	struct toy *t = TOY(call);
	struct toy_obj *o = toy_obj(t, node);

	(void)want;
	if (o != NULL)
		*attr = o->attr;
	return toy_answer(t, call, o == NULL ? ESTALE : 0);
}

static inline int
toy_readdir(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *emit)
{
	struct toy *t = TOY(call);
	struct toy_obj *dir = toy_obj(t, node);
	int err = toy_failure(t);

	for (unsigned i = 0; err == 0 && i < dir->nentries; i++) {
		struct toy_entry *e = &dir->entry[i];
		struct pinefs_name name = { e->name, e->len };
		struct pinefs_ident id;

		if (e->obj == NULL || e->cookie <= after)
			continue;
		toy_ident(e->obj, &id);
		/* With and without attributes, in turn. */
		if (pinefs_emit(emit, name, &id, e->cookie,
		    i % 2 == 0 ? &e->obj->attr : NULL) != 0)
			break;
	}
	return toy_answer(t, call, err);
}

static inline int
toy_parent(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_ident *id)
{
	struct toy *t = TOY(call);
	struct toy_obj *o = toy_obj(t, node);

	toy_ident(o->parent == NULL ? &t->obj[0] : o->parent, id);
	return toy_answer(t, call, 0);
}

static inline int
toy_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	struct toy *t = TOY(call);
	struct toy_obj *o = toy_obj(t, node);
	int err = toy_failure(t);

	if (err == 0)
		err = pinefs_out_slice(out, toy_data(o), o->attr.size, off,
		    count);
	return toy_answer(t, call, err);
}

static inline int
toy_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	struct toy *t = TOY(call);
	struct toy_obj *o = toy_obj(t, node);
	unsigned n;
	const struct iovec *iov = pinefs_in_iov(w->in, &n);
	uint32_t count = w->count;
	int err = toy_failure(t);

	if (t->write_max != 0 && count > t->write_max)
		count = t->write_max;
	if (err == 0 && w->off + count > TOY_BYTES)
		err = ENOSPC;
	if (err == 0) {
		toy_stamp(o, &w->change.before);
		memcpy(toy_data(o) + w->off, iov[0].iov_base, count);
		if (w->off + count > o->attr.size)
			o->attr.size = w->off + count;
		toy_bump(t, o, true);
		toy_stamp(o, &w->change.after);
		w->change.atomic = true;
		w->written = count;
		w->committed = w->stable;
	}
	return toy_answer(t, call, err);
}

static inline int
toy_commit(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint64_t len)
{
	struct toy *t = TOY(call);

	(void)node, (void)off, (void)len;
	return toy_answer(t, call, toy_failure(t));
}

/* What both setattr and create do with a set. */
static inline void
toy_apply(struct toy *t, struct toy_obj *o, const struct pinefs_set *set)
{
	const struct pinefs_attr *a = &set->attr;
	struct timespec now = { t->clock, 9 };

	if (a->have & PINEFS_MODE)
		o->attr.mode = a->mode;
	if (a->have & PINEFS_UID)
		o->attr.uid = a->uid;
	if (a->have & PINEFS_GID)
		o->attr.gid = a->gid;
	if (a->have & PINEFS_RDEV) {
		o->attr.rdev_major = a->rdev_major;
		o->attr.rdev_minor = a->rdev_minor;
	}
	if (a->have & PINEFS_SIZE && o->attr.type == PINEFS_REG)
		o->attr.size = a->size;
	if (a->have & PINEFS_ATIME)
		o->attr.atime = set->now & PINEFS_ATIME ? now : a->atime;
	if (a->have & PINEFS_MTIME)
		o->attr.mtime = set->now & PINEFS_MTIME ? now : a->mtime;
}

static inline int
toy_setattr(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_set *set, struct pinefs_change *chg)
{
	struct toy *t = TOY(call);
	struct toy_obj *o = toy_obj(t, node);
	int err = toy_failure(t);

	if (err == 0 && set->if_ctime != NULL &&
	    (set->if_ctime->tv_sec != o->attr.ctime.tv_sec ||
	    set->if_ctime->tv_nsec != o->attr.ctime.tv_nsec))
		err = ECANCELED;
	if (err == 0 && set->attr.have & PINEFS_SIZE &&
	    set->attr.size > TOY_BYTES)
		err = ENOSPC;
	if (err == 0) {
		toy_stamp(o, &chg->before);
		toy_bump(t, o, (set->attr.have & PINEFS_SIZE) != 0);
		toy_apply(t, o, set);
		toy_stamp(o, &chg->after);
		chg->atomic = true;
	}
	return toy_answer(t, call, err);
}

static inline int
toy_make(struct toy *t, struct toy_obj *dir, struct pinefs_name name,
    const struct pinefs_create *how, struct pinefs_made *made)
{
	struct toy_entry *e = toy_find(dir, name);
	struct toy_obj *o;

	toy_stamp(dir, &made->dir.before);
	made->dir.atomic = true;
	if (e != NULL) {
		o = e->obj;
		if (how->exclusive == PINEFS_GUARDED ||
		    (how->exclusive == PINEFS_EXCLUSIVE &&
		    memcmp(o->verf, how->verf, 8) != 0))
			return EEXIST;
		made->existed = true;
	} else {
		if (dir->nentries == TOY_ENTRIES ||
		    (how->set.attr.have & PINEFS_SIZE &&
		    how->set.attr.size > TOY_BYTES) ||
		    (o = toy_new(t, how->type, 0)) == NULL)
			return ENOSPC;
		toy_apply(t, o, &how->set);
		memcpy(o->verf, how->verf, 8);
		if (how->type == PINEFS_LNK) {
			memcpy(toy_data(o), how->target.base, how->target.len);
			o->attr.size = how->target.len;
		}
		toy_enter(dir, name, o);
		toy_bump(t, dir, true);
	}
	toy_ident(o, &made->id);
	made->attr = o->attr;
	toy_stamp(dir, &made->dir.after);
	return 0;
}

static inline int
toy_create(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_made *made)
{
	struct toy *t = TOY(call);
	int err = toy_failure(t);

	if (err == 0)
		err = toy_make(t, toy_obj(t, node), name, how, made);
	return toy_answer(t, call, err);
}

static inline int
toy_unmake(struct toy *t, struct toy_obj *dir, struct pinefs_name name,
    int kind, struct pinefs_change *chg)
{
	struct toy_entry *e = toy_find(dir, name);

	if (e == NULL)
		return ENOENT;
	if (kind == PINEFS_REMOVE_FILE && e->obj->attr.type == PINEFS_DIR)
		return EISDIR;
	if (kind == PINEFS_REMOVE_DIR && e->obj->attr.type != PINEFS_DIR)
		return ENOTDIR;
	if (e->obj->attr.type == PINEFS_DIR && !toy_is_empty(e->obj))
		return ENOTEMPTY;
	toy_stamp(dir, &chg->before);
	e->obj->attr.nlink--;
	toy_bump(t, e->obj, false);
	e->obj = NULL;
	toy_bump(t, dir, true);
	toy_stamp(dir, &chg->after);
	chg->atomic = true;
	return 0;
}

static inline int
toy_remove(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, int kind, struct pinefs_change *chg)
{
	struct toy *t = TOY(call);
	int err = toy_failure(t);

	if (err == 0)
		err = toy_unmake(t, toy_obj(t, node), name, kind, chg);
	return toy_answer(t, call, err);
}

static inline int
toy_move(struct toy *t, struct pinefs_rename *r)
{
	struct toy_obj *from = toy_obj(t, r->from), *to = toy_obj(t, r->to);
	struct toy_entry *e = toy_find(from, r->old_name), *old;
	struct toy_obj *o, *up;

	if (e == NULL)
		return ENOENT;
	o = e->obj;
	for (up = to; up != NULL; up = up->parent)
		if (up == o)
			return EINVAL;
	old = toy_find(to, r->new_name);
	toy_stamp(from, &r->from_change.before);
	toy_stamp(to, &r->to_change.before);
	r->from_change.atomic = r->to_change.atomic = true;
	if (old == NULL || old->obj != o) {
		if (old != NULL) {
			if (old->obj->attr.type == PINEFS_DIR &&
			    !toy_is_empty(old->obj))
				return ENOTEMPTY;
			old->obj->attr.nlink--;
			old->obj = NULL;
		}
		e->obj = NULL;
		toy_enter(to, r->new_name, o);
		toy_bump(t, o, false);
		toy_bump(t, from, true);
		if (to != from)
			toy_bump(t, to, true);
	}
	toy_stamp(from, &r->from_change.after);
	toy_stamp(to, &r->to_change.after);
	return 0;
}

static inline int
toy_rename(struct pinefs_call *call, struct pinefs_rename *r)
{
	struct toy *t = TOY(call);
	int err = toy_failure(t);

	return toy_answer(t, call, err != 0 ? err : toy_move(t, r));
}

static inline int
toy_link(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir_node, struct pinefs_name name,
    struct pinefs_change *chg)
{
	struct toy *t = TOY(call);
	struct toy_obj *o = toy_obj(t, node), *dir = toy_obj(t, dir_node);
	int err = toy_failure(t);

	if (err == 0 && toy_find(dir, name) != NULL)
		err = EEXIST;
	if (err == 0) {
		toy_stamp(dir, &chg->before);
		o->attr.nlink++;
		toy_enter(dir, name, o);
		toy_bump(t, o, false);
		toy_bump(t, dir, true);
		toy_stamp(dir, &chg->after);
		chg->atomic = true;
	}
	return toy_answer(t, call, err);
}

static inline int
toy_readlink(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_out *out)
{
	struct toy *t = TOY(call);
	struct toy_obj *o = toy_obj(t, node);

	return toy_answer(t, call, pinefs_out_copy(out, toy_data(o),
	    o->attr.size));
}

static inline int
toy_statfs(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_statfs *st)
{
	(void)node;
	st->bytes = UINT64_C(3) << 44;
	st->bytes_free = st->bytes_avail = UINT64_C(1) << 44;
	st->files = TOY_OBJECTS;
	st->files_free = st->files_avail = 5;
	st->link_max = 1000;
	return toy_answer(TOY(call), call, 0);
}

static inline int
toy_open(struct pinefs_call *call, struct pinefs_node *node, uint32_t access)
{
	struct toy *t = TOY(call);
	bool later = t->later;
	size_t len = strlen(t->told);
	int err;

	(void)node, (void)access;
	t->told[len < sizeof t->told - 1 ? len : 0] = 'o';
	t->later = later || t->later_open;
	err = toy_answer(t, call, toy_failure(t));
	t->later = later;
	return err;
}

static inline void
toy_close(struct pinefs_node *node)
{
	struct toy *t = pinefs_arg(pinefs_node_fs(node));

	if (t->on_close != NULL)
		t->on_close();
}

static inline void
toy_written(struct pinefs_node *node)
{
	struct toy *t = pinefs_arg(pinefs_node_fs(node));

	if (t->on_written != NULL)
		t->on_written();
}

static const struct pinefs_ops toy_ops = {
	.flags = PINEFS_STABLE_IDS,
	.lookup = toy_lookup,		.getattr = toy_getattr,
	.readdir = toy_readdir,		.parent = toy_parent,
	.read = toy_read,		.write = toy_write,
	.commit = toy_commit,		.setattr = toy_setattr,
	.create = toy_create,		.remove = toy_remove,
	.rename = toy_rename,		.link = toy_link,
	.readlink = toy_readlink,	.statfs = toy_statfs,
	.open = toy_open,		.close = toy_close,
	.written = toy_written,
};

static inline void
toy_init(struct toy *t)
{
	struct pinefs_ident id;

	/* Zeroed where it was used: all of it is large. */
	for (unsigned i = 0; i < t->n; i++)
		memset(&t->obj[i], 0, offsetof(struct toy_obj, entry));
	t->n = 0;
	t->later = false;
	t->pending = NULL;
	t->fail_times = 0;
	t->calls = 0;
	t->write_max = 0;
	memset(t->told, 0, sizeof t->told);
	t->later_open = t->hide = false;
	t->on_close = t->on_written = NULL;
	t->clock = 1000000000;
	t->fs = pinefs_new(&toy_ops, t);
	toy_ident(toy_new(t, PINEFS_DIR, 0755), &id);
	pinefs_set_root(t->fs, &id);
}

static inline void
toy_fini(struct toy *t)
{
	pinefs_free(t->fs);
	for (unsigned i = 0; i < t->n; i++)
		free(t->obj[i].data);
}

#endif
