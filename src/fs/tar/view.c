/*
 * The operations of an archive's file system: what the overlay has of an
 * object, or the index.  Nothing here waits: what is in the page cache is
 * answered at once, else a worker reads it.
 */
#include "view.h"

#include <string.h>
#include <time.h>

enum { PATIENCE = 4 };		/* s, of who reads */

static struct tar_archive *
archive_of(const struct pinefs_node *node)
{
	return pinefs_arg(pinefs_node_fs(node));
}

/* To look, at the index and the overlay. */
static void
lock(struct tar_archive *ar)
{
	tar_archive_enter(ar);
	pthread_rwlock_rdlock(&ar->overlay.lock);
}

static void
unlock(struct tar_archive *ar)
{
	pthread_rwlock_unlock(&ar->overlay.lock);
	tar_archive_leave(ar);
}

/* The same, and to find what a node is. */
static int
lock_object(struct pinefs_node *node, struct tar_object *o)
{
	struct tar_archive *ar = archive_of(node);

	lock(ar);
	return tar_object_find(ar, node, o);
}

/* -------------------------------------------------------------- objects -- */

/* Of these contents, and of a header that says the same. */
static uint64_t
generation_of(const struct tar_archive *ar, uint32_t i)
{
	const struct tar_rec *r = tar_index_rec(&ar->index, i);

	return ar->life.generation << 32 | (i == TAR_ROOT ? 0 : r->sum);
}

struct pinefs_ident
tar_view_ident(const struct tar_archive *ar, uint32_t i)
{
	return (struct pinefs_ident){ .fileid = tar_index_id(&ar->index, i),
	    .generation = generation_of(ar, i) };
}

bool
tar_view_shows(const struct tar_archive *ar, const struct tar_rec *r)
{
	const struct tar_rec *inode = r->type == TAR_HARD ?
	    tar_index_rec(&ar->index, r->a) : r;

	if (r->flags & TAR_REC_DEAD || inode == NULL)
		return false;
	return ar->host->config.devices ||
	    (inode->type != TAR_CHR && inode->type != TAR_BLK);
}

static uint32_t
type_of(const struct tar_rec *r)
{
	static const uint8_t types[] = { [TAR_REG] = PINEFS_REG,
	    [TAR_HARD] = PINEFS_REG, [TAR_LNK] = PINEFS_LNK,
	    [TAR_CHR] = PINEFS_CHR, [TAR_BLK] = PINEFS_BLK,
	    [TAR_DIR] = PINEFS_DIR, [TAR_FIFO] = PINEFS_FIFO };

	return r->type < sizeof types ? types[r->type] : PINEFS_REG;
}

/* What it takes up in the archive. */
static uint64_t
used_of(const struct tar_archive *ar, const struct tar_rec *r)
{
	const struct tar_segment *seg;
	uint32_t n;

	if ((r->flags & TAR_REC_SPARSE) == 0)
		return r->size;
	seg = tar_index_map(&ar->index, r, &n);
	return n == 0 ? 0 : seg[n - 1].at + seg[n - 1].len;
}

/*
 * The change counter of what nobody changes is a constant, so that caches of
 * clients survive a restart.  Those of directories rise as an index is made
 * of what is new, and move on when it is whole.  All are times, in ns, so
 * that every change in the overlay is later.
 */
static uint64_t
change_of(const struct tar_archive *ar, const struct tar_rec *r)
{
	const struct tar_life *l = &ar->life;

	if (r->type != TAR_DIR)
		return l->epoch + (r->flags & TAR_REC_DEAD);
	return l->whole == l->key.size ? l->dirs : l->dirs + 1 +
	    (uint32_t)r->size;
}

void
tar_view_attr(const struct tar_archive *ar, uint32_t i, struct pinefs_attr *a)
{
	const struct tar_rec *r = tar_index_rec(&ar->index, i);

	a->type = type_of(r);
	a->mode = r->mode & (ar->host->config.setuid ? 07777 : 01777);
	a->nlink = r->nlink;
	a->uid = r->uid;
	a->gid = r->gid;
	a->size = r->type == TAR_DIR ? 4096 : r->size & INT64_MAX;
	a->used = r->type == TAR_REG ? used_of(ar, r) : 0;
	a->rdev_major = r->type == TAR_CHR || r->type == TAR_BLK ? r->a : 0;
	a->rdev_minor = r->type == TAR_CHR || r->type == TAR_BLK ? r->b : 0;
	a->change = change_of(ar, r);
	a->generation = generation_of(ar, i);
	a->mtime = (struct timespec){ (time_t)r->mtime, (long)r->mtime_ns };
	a->atime = a->btime = a->mtime;
	/* Clients that know no change counter go by it. */
	a->ctime = (struct timespec){ (time_t)(a->change / 1000000000),
	    (long)(a->change % 1000000000) };
	a->have = PINEFS_ALL;
}

static int
tar_getattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t want, struct pinefs_attr *attr)
{
	struct tar_object o;
	int err;

	(void)call, (void)want;
	if ((err = lock_object(node, &o)) == 0)
		tar_object_attr(archive_of(node), &o, attr);
	unlock(archive_of(node));
	return err;
}

/* ---------------------------------------------------------------- names -- */

static int
lookup(struct tar_archive *ar, const struct tar_wait *w)
{
	struct tar_object dir;
	struct tar_spot s;
	int err;

	if ((err = tar_object_find(ar, w->node, &dir)) == 0 &&
	    (err = tar_spot_look(ar, &dir, w->name, &s)) == 0)
		*w->id = tar_object_ident(ar, &s.object);
	return err;
}

/* An object without a name lives on for who has it, but is not found. */
static int
resolve(struct tar_archive *ar, const struct tar_wait *w)
{
	struct pinefs_ident id, its;
	struct tar_object o;
	int err;

	pinefs_node_ident(w->node, &id);
	if ((err = tar_object_of_id(ar, id.fileid, &o)) != 0)
		return err;
	if (o.u != NULL && o.u->attr.nlink == 0)
		return ESTALE;
	its = tar_object_ident(ar, &o);
	return its.generation == id.generation ? 0 : ESTALE;
}

/* One name; true: full. */
static bool
emit(struct tar_archive *ar, const struct tar_wait *w,
    struct pinefs_name name, const struct tar_object *o, uint64_t cookie)
{
	bool want = pinefs_emit_want(w->emit) != 0;
	struct pinefs_ident id = tar_object_ident(ar, o);
	struct pinefs_attr attr;

	if (want)
		tar_object_attr(ar, o, &attr);
	return pinefs_emit(w->emit, name, &id, cookie, want ? &attr : NULL) !=
	    0;
}

/* Those of the archive; true: full. */
static bool
list_base(struct tar_archive *ar, const struct tar_wait *w,
    const struct tar_object *dir)
{
	const struct tar_index *ix = &ar->index;
	struct pinefs_name name;
	const struct tar_rec *r;
	struct tar_object o;
	uint32_t i;

	if (dir->rec == TAR_NONE || w->after >= TAR_COOKIE_NEW)
		return false;
	/* A cookie is the number + 1. */
	i = tar_index_after(ix, dir->rec, w->after == 0 ? 0 : w->after - 1);
	for (; i != TAR_NONE; i = tar_index_after(ix, dir->rec, i)) {
		r = tar_index_rec(ix, i);
		name = tar_index_name(ix, r);
		if (!tar_view_shows(ar, r) || tar_object_hides(ar, dir, name))
			continue;
		o = tar_object_of_rec(ar, tar_index_inode(ix, i));
		if (emit(ar, w, name, &o, (uint64_t)i + 1))
			return true;
	}
	return false;
}

static int
readdir(struct tar_archive *ar, const struct tar_wait *w)
{
	struct pinefs_name name;
	struct tar_object dir, o;
	const struct tar_name *n;
	uint64_t after = w->after;
	int err;

	if ((err = tar_object_find(ar, w->node, &dir)) != 0)
		return err;
	if (!ar->whole)
		return PINEFS_LATER;
	if (list_base(ar, w, &dir) || dir.u == NULL)
		return 0;
	while ((n = tar_names_after(&dir.u->names, after)) != NULL) {
		name = (struct pinefs_name){ n->text, n->len };
		o = (struct tar_object){ n->upper->rec, n->upper };
		if (emit(ar, w, name, &o, n->cookie))
			break;
		after = n->cookie;
	}
	return 0;
}

/* With the index's lock. */
static int
look(struct tar_archive *ar, struct tar_wait *w)
{
	int err;

	pthread_rwlock_rdlock(&ar->overlay.lock);
	err = w->op(ar, w);
	pthread_rwlock_unlock(&ar->overlay.lock);
	return err == EAGAIN && !ar->whole ? PINEFS_LATER : err;
}

static int
change(struct tar_archive *ar, struct tar_wait *w)
{
	int err;

	if (!ar->whole && !ar->gone)
		return PINEFS_LATER;
	pthread_rwlock_wrlock(&ar->overlay.lock);
	err = w->op(ar, w);
	pthread_rwlock_unlock(&ar->overlay.lock);
	return err;
}

/* Now, or when the index has what it takes. */
static int
try_or_wait(struct tar_archive *ar, const struct tar_wait *w)
{
	struct tar_wait try = *w;
	int err;

	tar_archive_enter(ar);
	err = w->again(ar, &try);
	if (err == PINEFS_LATER)
		err = tar_archive_wait(ar, w);
	tar_archive_leave(ar);
	return err;
}

/* A call that has to wait for the archive itself. */
struct arrival {
	struct tar_job	 job;
	struct tar_wait	 w;
};

static void
run_arrival(struct tar_job *job)
{
	struct arrival *a = (struct arrival *)job;
	struct tar_archive *ar = archive_of(a->w.node);
	struct pinefs_call *call = a->w.call;
	int err;

	tar_archive_get_ready(ar);
	err = try_or_wait(ar, &a->w);
	if (err != PINEFS_LATER)	/* else `a` may be gone */
		pinefs_complete(call, err);
}

/* Whoever comes first to an archive that was given up, or has changed, comes
 * by this; opening it takes some ms, or what a dead disk takes. */
static int
now_or_later(const struct tar_wait *w)
{
	struct tar_archive *ar = archive_of(w->node);
	struct arrival *a;

	if (tar_archive_is_ready(ar))
		return try_or_wait(ar, w);
	if ((a = pinefs_call_alloc(w->call, sizeof *a)) == NULL)
		return ENOMEM;
	*a = (struct arrival){ .job.run = run_arrival, .w = *w };
	tar_pool_add(ar->host->pool, &a->job);
	return PINEFS_LATER;
}

static int
tar_lookup(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_ident *id)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .name = name, .id = id, .again = look,
	    .op = lookup });
}

static int
tar_resolve(struct pinefs_call *call, struct pinefs_node *node)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = look,
	    .op = resolve });
}

static int
tar_readdir(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *emit)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .after = after, .emit = emit, .again = look,
	    .op = readdir });
}

static int
tar_parent(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_ident *id)
{
	struct tar_archive *ar = archive_of(node);
	struct tar_object o;
	int err;

	(void)call;
	if ((err = lock_object(node, &o)) == 0 && (err = tar_object_of_id(ar,
	    tar_object_parent(ar, &o), &o)) == 0)
		*id = tar_object_ident(ar, &o);
	unlock(ar);
	return err;
}

static int
tar_readlink(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_out *out)
{
	struct tar_archive *ar = archive_of(node);
	struct pinefs_name text;
	struct tar_object o;
	int err;

	(void)call;
	if ((err = lock_object(node, &o)) == 0) {
		if (o.rec != TAR_NONE)
			text = tar_index_target(&ar->index,
			    tar_index_rec(&ar->index, o.rec));
		else
			text = (struct pinefs_name){ o.u->target,
			    (uint32_t)o.u->attr.size };
		err = pinefs_out_copy(out, text.base, text.len);
	}
	unlock(ar);
	return err;
}

/* -------------------------------------------------------------- content -- */

int
tar_reading_add(struct tar_reading *rd, uint64_t at, uint64_t piece, uint32_t to,
    uint64_t *len)
{
	uint64_t limit = tar_source_size(rd->source);

	if (at >= limit || piece > limit - at) {
		piece = at >= limit ? 0 : limit - at;
		*len = to + piece;
		if (*len == 0)
			return EIO;
	}
	rd->piece[rd->n++] = (struct tar_piece){ at, (uint32_t)piece, to };
	return 0;
}

/* Which parts of the archive a read is made of; *len of it can be. */
static int
plan(struct tar_reading *rd, const struct tar_rec *r, uint64_t off,
    uint64_t *len)
{
	uint64_t data = tar_index_data(r), want = *len, pos = off;
	struct tar_stored p;
	int err = 0;

	if ((r->flags & TAR_REC_SPARSE) == 0)
		return tar_reading_add(rd, data + off, want, 0, len);
	while (err == 0 && *len == want && tar_index_stored(&rd->ar->index,
	    r, pos, off + want, &p)) {
		if (rd->n == TAR_PIECES_MAX) {
			*len = p.off - off;
			break;
		}
		err = tar_reading_add(rd, data + p.at, p.len,
		    (uint32_t)(p.off - off), len);
		pos = p.off + p.len;
	}
	return err;
}

/* Fill in; EAGAIN: only by waiting. */
static int
fill(struct tar_reading *rd, bool wait)
{
	struct tar_source *s = rd->source;
	const struct tar_piece *p = rd->piece, *end = p + rd->n;
	size_t got;
	int err = 0;

	for (; p < end && err == 0; p++) {
		err = wait ? tar_source_step(s, p->at, rd->to + p->to, p->len,
		    &got) : tar_source_try(s, p->at, rd->to + p->to, p->len,
		    &got);
		if (err == 0 && got < p->len)
			err = EIO;	/* cut under us */
	}
	return err;
}

static time_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/*
 * What takes long goes on behind the others that wait; after some seconds
 * the client is told to ask again.
 */
static void
run_reading(struct tar_job *job)
{
	struct tar_reading *rd = (struct tar_reading *)job;
	struct tar_source *s = rd->source;
	const struct tar_piece *last = &rd->piece[rd->n - 1];
	uint64_t end = last->at + last->len;
	bool held;
	int err = fill(rd, true);

	if (err == EAGAIN && now() < rd->until) {
		tar_pool_add(rd->ar->host->pool, job);
		return;
	}
	held = err == 0 && tar_source_hold(s, end);
	pinefs_complete(rd->call, err);		/* rd is gone */
	if (held)
		tar_source_ahead(s, end);
	tar_source_free(s);
}

/* Of a file that is as in the archive. */
static int
prepare_base(struct tar_reading *rd, const struct tar_rec *r, uint64_t off,
    uint64_t *len, struct pinefs_out *out)
{
	int err = plan(rd, r, off, len);

	if (err != 0 || *len == 0)
		return err;
	if ((rd->to = pinefs_out_space(out, *len)) == NULL)
		return ENOMEM;
	if (rd->n != 1 || rd->piece[0].len < *len)
		memset(rd->to, 0, *len);
	return 0;
}

/* Under the locks: all that is needed of what they protect. */
static int
prepare(struct tar_reading *rd, const struct tar_object *o, uint64_t off,
    uint64_t len, struct pinefs_out *out)
{
	struct pinefs_attr a;
	int err;

	tar_object_attr(rd->ar, o, &a);
	if (off >= a.size)
		len = 0;
	else if (a.size - off < len)
		len = a.size - off;
	if (len == 0)
		err = 0;
	else if (o->u != NULL && o->u->mapped)
		err = tar_overlay_read(o->u, rd, off, &len, out);
	else
		err = prepare_base(rd, tar_index_rec(&rd->ar->index, o->rec),
		    off, &len, out);
	if (err == 0 && (off >= a.size || off + len == a.size))
		pinefs_out_eof(out);
	return err;
}

/* A file of the overlay was read. */
static void
seen(struct tar_archive *ar, struct tar_upper *u)
{
	pthread_rwlock_wrlock(&ar->overlay.lock);
	tar_upper_seen(u);
	pthread_rwlock_unlock(&ar->overlay.lock);
}

static int
tar_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	struct tar_archive *ar = archive_of(node);
	struct tar_reading *rd = pinefs_call_alloc(call, sizeof *rd);
	bool unseen = false;
	struct tar_object o;
	int err;

	if (rd == NULL)
		return ENOMEM;
	*rd = (struct tar_reading){ .ar = ar, .call = call,
	    .job.run = run_reading };
	if ((err = lock_object(node, &o)) == 0) {
		rd->source = tar_source_get(ar->source);
		err = prepare(rd, &o, off, count, out);
	}
	if (err == 0)
		unseen = o.u != NULL && tar_upper_is_unseen(o.u);
	unlock(ar);
	if (unseen)
		seen(ar, o.u);
	if (err == 0 && rd->n > 0 && (err = fill(rd, false)) == EAGAIN) {
		rd->until = now() + PATIENCE;
		tar_pool_add(ar->host->pool, &rd->job);
		return PINEFS_LATER;
	}
	tar_source_free(rd->source);
	return err;
}

static int
seek_in(const struct tar_archive *ar, const struct tar_rec *r, int what,
    uint64_t off, uint64_t *found)
{
	struct tar_stored p;

	if (off >= r->size)
		return ENXIO;
	if (what == PINEFS_SEEK_DATA) {
		if (!tar_index_stored(&ar->index, r, off, r->size, &p))
			return ENXIO;
		*found = p.off;
		return 0;
	}
	*found = off;
	while (tar_index_stored(&ar->index, r, *found, r->size, &p) &&
	    p.off == *found)
		*found += p.len;
	return 0;
}

static int
seek_base(const struct tar_archive *ar, const struct tar_rec *r, int what,
    uint64_t off, uint64_t *found)
{
	if (r->flags & TAR_REC_SPARSE)
		return seek_in(ar, r, what, off, found);
	*found = what == PINEFS_SEEK_DATA ? off : r->size;
	return off >= r->size ? ENXIO : 0;
}

static int
tar_seek(struct pinefs_call *call, struct pinefs_node *node, int what,
    uint64_t off, uint64_t *found)
{
	struct tar_archive *ar = archive_of(node);
	struct tar_object o;
	int err;

	(void)call;
	if ((err = lock_object(node, &o)) == 0)
		err = o.u != NULL && o.u->mapped ?
		    tar_overlay_seek(o.u, what, off, found) :
		    seek_base(ar, tar_index_rec(&ar->index, o.rec), what, off,
		    found);
	unlock(ar);
	return err;
}

/* -------------------------------------------------- extended attributes -- */

/* Clients know those of users only, and without their prefix (RFC 8276). */
static bool
user_name(const struct tar_xattr *x, struct pinefs_name *name)
{
	static const char prefix[] = "user.";
	uint32_t n = sizeof prefix - 1;

	if (x->name.len <= n || memcmp(x->name.base, prefix, n) != 0)
		return false;
	*name = (struct pinefs_name){ x->name.base + n, x->name.len - n };
	return true;
}

bool
tar_view_xattr(const struct tar_archive *ar, uint32_t rec, uint32_t *i,
    struct tar_xattr *x)
{
	const struct tar_rec *r = tar_index_rec(&ar->index, rec);

	while (r != NULL && tar_index_xattr(&ar->index, r, (*i)++, x))
		if (user_name(x, &x->name))
			return true;
	return false;
}

static int
getxattr_base(const struct tar_archive *ar, uint32_t rec,
    struct pinefs_name name, struct pinefs_out *out)
{
	struct tar_xattr x;
	uint32_t i = 0;

	while (tar_view_xattr(ar, rec, &i, &x))
		if (x.name.len == name.len &&
		    memcmp(x.name.base, name.base, name.len) == 0)
			return pinefs_out_copy(out, x.value.base,
			    x.value.len);
	return ENODATA;
}

static int
tar_getxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_out *out)
{
	struct tar_archive *ar = archive_of(node);
	struct tar_object o;
	int err;

	(void)call;
	if ((err = lock_object(node, &o)) == 0)
		err = o.u != NULL && o.u->own_xattrs ?
		    mem_xattr_get(&o.u->file.xattrs, name, out) :
		    getxattr_base(ar, o.rec, name, out);
	unlock(ar);
	return err;
}

static void
listxattr_base(const struct tar_archive *ar, uint32_t rec, uint64_t after,
    struct pinefs_emit *to)
{
	uint32_t i = after < UINT32_MAX ? (uint32_t)after : UINT32_MAX;
	struct tar_xattr x;

	while (tar_view_xattr(ar, rec, &i, &x))
		if (pinefs_emit(to, x.name, NULL, i, NULL) != 0)
			break;
}

static int
tar_listxattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *to)
{
	struct tar_archive *ar = archive_of(node);
	struct tar_object o;
	int err;

	(void)call;
	if ((err = lock_object(node, &o)) == 0 && o.u != NULL &&
	    o.u->own_xattrs)
		mem_xattr_list(&o.u->file.xattrs, after, to);
	else if (err == 0)
		listxattr_base(ar, o.rec, after, to);
	unlock(ar);
	return err;
}

/* -------------------------------------------------------------- changes -- */

/* What each is asked is handed on, as overlay.h's functions take it. */

static int
tar_create(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_made *made)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = change, .op = tar_overlay_create, .name = name,
	    .in = how, .out = made });
}

static int
tar_remove(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, int kind, struct pinefs_change *chg)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = change, .op = tar_overlay_remove, .name = name,
	    .how = kind, .out = chg });
}

static int
tar_rename(struct pinefs_call *call, struct pinefs_rename *r)
{
	return now_or_later(&(struct tar_wait){ .call = call,
	    .node = r->from, .again = change, .op = tar_overlay_rename,
	    .out = r });
}

static int
tar_link(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir, struct pinefs_name name,
    struct pinefs_change *chg)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = change, .op = tar_overlay_link, .other = dir,
	    .name = name, .out = chg });
}

static int
tar_setattr(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_set *set, struct pinefs_change *chg)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = change, .op = tar_overlay_setattr, .in = set,
	    .out = chg });
}

static int
tar_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = change, .op = tar_overlay_write, .out = w });
}

static int
tar_allocate(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t off, uint64_t len, int punch)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = change, .op = tar_overlay_allocate, .off = off,
	    .len = len, .how = punch });
}

static int
tar_clone(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *to, struct pinefs_range *r)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = change, .op = tar_overlay_clone, .other = to,
	    .out = r });
}

static int
tar_setxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_in *in, int how)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = change, .op = tar_overlay_setxattr, .name = name,
	    .out = in, .how = how });
}

static int
tar_removexattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = change, .op = tar_overlay_removexattr, .name = name });
}

/* From now on this node is seen by the overlay, if it has the object. */
static int
tar_open(struct pinefs_call *call, struct pinefs_node *node, uint32_t access)
{
	struct tar_object o;
	int err;

	(void)call, (void)access;
	err = lock_object(node, &o);
	unlock(archive_of(node));
	return err;
}

/* ---------------------------------------------------------------- whole -- */

/* What a new object takes at least. */
enum { BYTES_PER_OBJECT = sizeof(struct tar_upper) +
    sizeof(struct tar_name) };

static int
tar_statfs(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_statfs *st)
{
	struct tar_archive *ar = archive_of(node);
	struct mem_space *space = ar->overlay.space;

	(void)call;
	lock(ar);
	st->bytes = ar->stored;
	st->files = tar_index_count(&ar->index) + ar->overlay.added;
	unlock(ar);
	if (!ar->host->config.readonly) {
		st->bytes += space->limit;
		st->bytes_free = st->bytes_avail = mem_space_left(space);
		st->files_free = st->files_avail = st->bytes_free /
		    BYTES_PER_OBJECT;
		st->files += st->files_free;
	}
	st->link_max = 1000000000;
	return 0;
}

#define LOOKING								\
	.lookup = tar_lookup,						\
	.getattr = tar_getattr,						\
	.readdir = tar_readdir,						\
	.resolve = tar_resolve,						\
	.parent = tar_parent,						\
	.read = tar_read,						\
	.readlink = tar_readlink,					\
	.statfs = tar_statfs,						\
	.seek = tar_seek,						\
	.getxattr = tar_getxattr,					\
	.listxattr = tar_listxattr

const struct pinefs_ops tar_view_ro_ops = {
	.flags = PINEFS_STABLE_IDS,
	LOOKING,
};

const struct pinefs_ops tar_view_ops = {
	.flags = PINEFS_STABLE_IDS | PINEFS_DELEGATION,
	LOOKING,
	.write = tar_write,
	.setattr = tar_setattr,
	.create = tar_create,
	.remove = tar_remove,
	.rename = tar_rename,
	.link = tar_link,
	.allocate = tar_allocate,
	.clone = tar_clone,
	.setxattr = tar_setxattr,
	.removexattr = tar_removexattr,
	.open = tar_open,
	.release = tar_overlay_release,
};
