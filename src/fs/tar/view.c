/*
 * The operations of an archive's file system.  Nothing here waits: what is
 * in the page cache is answered at once, else a worker reads it.
 */
#include <string.h>

#include "archive.h"

enum { PIECES_MAX = 64 };

static struct tar_archive *
archive_of(const struct pinefs_node *node)
{
	return pinefs_arg(pinefs_node_fs(node));
}

static void
lock(struct tar_archive *ar)
{
	pthread_rwlock_rdlock(&ar->lock);
}

static void
unlock(struct tar_archive *ar)
{
	pthread_rwlock_unlock(&ar->lock);
}

/* -------------------------------------------------------------- objects -- */

static uint32_t
record_of(struct tar_archive *ar, const struct pinefs_node *node)
{
	struct pinefs_ident id;

	pinefs_node_ident(node, &id);
	return tar_index_by_id(&ar->index, id.fileid);
}

static struct pinefs_ident
ident_of(const struct tar_archive *ar, uint32_t i)
{
	const struct tar_rec *r = tar_index_rec(&ar->index, i);

	return (struct pinefs_ident){ .fileid = tar_index_id(&ar->index, i),
	    .generation = i == TAR_ROOT ? ar->generation : r->sum };
}

/* Is this name to be seen? */
static bool
is_shown(const struct tar_archive *ar, const struct tar_rec *r)
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

	return types[r->type];
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
 * clients survive a restart; a directory's counts its names.
 */
static void
attr_of(const struct tar_archive *ar, uint32_t i, struct pinefs_attr *a)
{
	const struct tar_rec *r = tar_index_rec(&ar->index, i);

	a->type = type_of(r);
	a->mode = r->mode & (ar->host->config.setuid ? 07777 : 01777);
	a->nlink = r->nlink;
	a->uid = r->uid;
	a->gid = r->gid;
	a->size = r->type == TAR_DIR ? 4096 : r->size;
	a->used = r->type == TAR_REG ? used_of(ar, r) : 0;
	a->rdev_major = r->type == TAR_CHR || r->type == TAR_BLK ? r->a : 0;
	a->rdev_minor = r->type == TAR_CHR || r->type == TAR_BLK ? r->b : 0;
	a->change = (uint64_t)r->sum << 32 | (r->type == TAR_DIR ?
	    (uint32_t)r->size + 1 : 1);
	a->generation = i == TAR_ROOT ? ar->generation : r->sum;
	a->mtime = (struct timespec){ (time_t)r->mtime, (long)r->mtime_ns };
	a->atime = a->ctime = a->btime = a->mtime;
	a->have = PINEFS_ALL;
}

static int
tar_getattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t want, struct pinefs_attr *attr)
{
	struct tar_archive *ar = archive_of(node);
	uint32_t i;

	(void)call, (void)want;
	lock(ar);
	if ((i = record_of(ar, node)) != TAR_NONE)
		attr_of(ar, i, attr);
	unlock(ar);
	return i == TAR_NONE ? ESTALE : 0;
}

/* ---------------------------------------------------------------- names -- */

static int
lookup(struct tar_archive *ar, struct tar_wait *w)
{
	uint32_t dir = record_of(ar, w->node), i;

	if (dir == TAR_NONE)
		return ESTALE;
	i = tar_index_find(&ar->index, dir, w->name);
	if (i == TAR_NONE)
		return !ar->whole ? PINEFS_LATER : ar->missing != 0 ?
		    ar->missing : ENOENT;
	if (!is_shown(ar, tar_index_rec(&ar->index, i)))
		return ENOENT;
	*w->id = ident_of(ar, tar_index_inode(&ar->index, i));
	return 0;
}

static int
resolve(struct tar_archive *ar, struct tar_wait *w)
{
	struct pinefs_ident id, its;
	uint32_t i;

	pinefs_node_ident(w->node, &id);
	if ((i = tar_index_by_id(&ar->index, id.fileid)) == TAR_NONE)
		return !ar->whole ? PINEFS_LATER : ar->missing != 0 ?
		    ar->missing : ESTALE;
	its = ident_of(ar, i);
	return its.generation == id.generation ? 0 : ESTALE;
}

/* The record behind `after` in a directory, whose cookie is its number + 1. */
static uint32_t
record_after(const struct tar_index *ix, uint32_t dir, uint64_t after)
{
	const struct tar_rec *r = tar_index_rec(ix, dir);
	uint32_t i = r->a;

	if (after == 0)
		return i;
	if (after <= ix->recs.n &&
	    (r = tar_index_rec(ix, (uint32_t)after - 1))->parent == dir &&
	    after != 1)
		return r->next;
	while (i != TAR_NONE && i < after)
		i = tar_index_rec(ix, i)->next;
	return i;
}

static int
readdir(struct tar_archive *ar, struct tar_wait *w)
{
	const struct tar_index *ix = &ar->index;
	uint32_t dir = record_of(ar, w->node), i, inode;
	bool want = pinefs_emit_want(w->emit) != 0;
	const struct tar_rec *r;
	struct pinefs_ident id;
	struct pinefs_attr attr;

	if (!ar->whole)
		return PINEFS_LATER;
	if (dir == TAR_NONE)
		return ESTALE;
	for (i = record_after(ix, dir, w->after); i != TAR_NONE; i = r->next) {
		r = tar_index_rec(ix, i);
		if (!is_shown(ar, r))
			continue;
		inode = tar_index_inode(ix, i);
		id = ident_of(ar, inode);
		attr_of(ar, inode, &attr);
		if (pinefs_emit(w->emit, tar_index_name(ix, r), &id,
		    (uint64_t)i + 1, want ? &attr : NULL) != 0)
			break;
	}
	return 0;
}

/* Now, or when the index has what it takes. */
static int
now_or_later(const struct tar_wait *w)
{
	struct tar_archive *ar = archive_of(w->node);
	struct tar_wait try = *w;
	int err;

	lock(ar);
	err = w->again(ar, &try);
	if (err == PINEFS_LATER)
		err = tar_archive_wait(ar, w);
	unlock(ar);
	return err;
}

static int
tar_lookup(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_ident *id)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .name = name, .id = id, .again = lookup });
}

static int
tar_resolve(struct pinefs_call *call, struct pinefs_node *node)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .again = resolve });
}

static int
tar_readdir(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *emit)
{
	return now_or_later(&(struct tar_wait){ .call = call, .node = node,
	    .after = after, .emit = emit, .again = readdir });
}

static int
tar_parent(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_ident *id)
{
	struct tar_archive *ar = archive_of(node);
	uint32_t i;

	(void)call;
	lock(ar);
	if ((i = record_of(ar, node)) != TAR_NONE)
		*id = ident_of(ar, tar_index_rec(&ar->index, i)->parent);
	unlock(ar);
	return i == TAR_NONE ? ESTALE : 0;
}

static int
tar_readlink(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_out *out)
{
	struct tar_archive *ar = archive_of(node);
	struct pinefs_name text;
	int err = ESTALE;
	uint32_t i;

	(void)call;
	lock(ar);
	if ((i = record_of(ar, node)) != TAR_NONE) {
		text = tar_index_target(&ar->index,
		    tar_index_rec(&ar->index, i));
		err = pinefs_out_copy(out, text.base, text.len);
	}
	unlock(ar);
	return err;
}

/* -------------------------------------------------------------- content -- */

/* Part of a read that lies together in the archive. */
struct piece {
	uint64_t	at;
	uint32_t	len, to;
};

/* In the call's memory, should a worker have to do it. */
struct reading {
	struct tar_job		 job;
	struct tar_archive	*ar;
	struct pinefs_call	*call;
	char			*to;
	unsigned		 n;
	struct piece		 piece[PIECES_MAX];
};

/* The first segment that ends behind `off`. */
static uint32_t
segment_at(const struct tar_segment *seg, uint32_t n, uint64_t off)
{
	uint32_t low = 0, high = n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (seg[mid].off + seg[mid].len <= off)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/*
 * What the archive was cut of cannot be read: *len shrinks to what is there.
 * EIO: nothing is.
 */
static int
put_piece(struct reading *rd, uint64_t at, uint64_t piece, uint32_t to,
    uint64_t *len)
{
	uint64_t limit = tar_source_size(rd->ar->source);

	if (at >= limit || piece > limit - at) {
		piece = at >= limit ? 0 : limit - at;
		*len = to + piece;
		if (*len == 0)
			return EIO;
	}
	rd->piece[rd->n++] = (struct piece){ at, (uint32_t)piece, to };
	return 0;
}

/* Which parts of the archive a read is made of; *len of it can be. */
static int
plan(struct reading *rd, const struct tar_rec *r, uint64_t off,
    uint64_t *len)
{
	uint64_t data = tar_index_data(r), begin, end, want = *len;
	const struct tar_segment *seg;
	uint32_t i, n;
	int err = 0;

	if ((r->flags & TAR_REC_SPARSE) == 0)
		return put_piece(rd, data + off, want, 0, len);
	seg = tar_index_map(&rd->ar->index, r, &n);
	for (i = segment_at(seg, n, off); err == 0 && i < n &&
	    seg[i].off < off + *len && *len == want; i++) {
		begin = seg[i].off < off ? off : seg[i].off;
		if (rd->n == PIECES_MAX) {
			*len = begin - off;
			break;
		}
		end = seg[i].off + seg[i].len;
		if (end > off + want)
			end = off + want;
		err = put_piece(rd, data + seg[i].at + (begin - seg[i].off),
		    end - begin, (uint32_t)(begin - off), len);
	}
	return err;
}

/* Fill in; EAGAIN: only by waiting. */
static int
fill(struct reading *rd, bool wait)
{
	struct tar_source *s = rd->ar->source;
	const struct piece *p = rd->piece, *end = p + rd->n;
	size_t got;
	int err = 0;

	for (; p < end && err == 0; p++) {
		err = wait ? tar_source_read(s, p->at, rd->to + p->to, p->len,
		    &got) : tar_source_try(s, p->at, rd->to + p->to, p->len,
		    &got);
		if (err == 0 && got < p->len)
			err = EIO;	/* cut under us */
	}
	return err;
}

static void
run_reading(struct tar_job *job)
{
	struct reading *rd = (struct reading *)job;

	pinefs_complete(rd->call, fill(rd, true));
}

/* Under the index's lock: all that is needed of it. */
static int
prepare(struct reading *rd, const struct pinefs_node *node, uint64_t off,
    uint64_t *len, bool *eof)
{
	uint32_t i = record_of(rd->ar, node);
	const struct tar_rec *r = tar_index_rec(&rd->ar->index, i);
	int err;

	if (r == NULL)
		return ESTALE;
	*eof = off >= r->size || r->size - off <= *len;
	if (off >= r->size)
		*len = 0;
	else if (r->size - off < *len)
		*len = r->size - off;
	if (*len == 0)
		return 0;
	err = plan(rd, r, off, len);
	*eof = *eof && off + *len == r->size;
	return err;
}

static int
tar_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	struct tar_archive *ar = archive_of(node);
	struct reading *rd = pinefs_call_alloc(call, sizeof *rd);
	uint64_t len = count;
	bool eof = false;
	int err;

	if (rd == NULL)
		return ENOMEM;
	*rd = (struct reading){ .ar = ar, .call = call,
	    .job.run = run_reading };
	lock(ar);
	err = prepare(rd, node, off, &len, &eof);
	unlock(ar);
	if (err != 0)
		return err;
	if (eof)
		pinefs_out_eof(out);
	if (len == 0)
		return 0;
	if ((rd->to = pinefs_out_space(out, len)) == NULL)
		return ENOMEM;
	if (rd->n != 1 || rd->piece[0].len < len)
		memset(rd->to, 0, len);
	if ((err = fill(rd, false)) != EAGAIN)
		return err;
	tar_pool_add(ar->host->pool, &rd->job);
	return PINEFS_LATER;
}

static int
seek_in(const struct tar_archive *ar, const struct tar_rec *r, int what,
    uint64_t off, uint64_t *found)
{
	const struct tar_segment *seg;
	uint32_t i, n;

	if (off >= r->size)
		return ENXIO;
	seg = tar_index_map(&ar->index, r, &n);
	i = segment_at(seg, n, off);
	if (what == PINEFS_SEEK_DATA) {
		if (i == n)
			return ENXIO;
		*found = seg[i].off > off ? seg[i].off : off;
		return 0;
	}
	*found = off;
	for (; i < n && seg[i].off <= *found; i++)
		*found = seg[i].off + seg[i].len;
	return 0;
}

static int
tar_seek(struct pinefs_call *call, struct pinefs_node *node, int what,
    uint64_t off, uint64_t *found)
{
	struct tar_archive *ar = archive_of(node);
	const struct tar_rec *r;
	int err = ESTALE;

	(void)call;
	lock(ar);
	r = tar_index_rec(&ar->index, record_of(ar, node));
	if (r != NULL && r->flags & TAR_REC_SPARSE) {
		err = seek_in(ar, r, what, off, found);
	} else if (r != NULL) {
		*found = what == PINEFS_SEEK_DATA ? off : r->size;
		err = off >= r->size ? ENXIO : 0;
	}
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

static int
tar_getxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_out *out)
{
	struct tar_archive *ar = archive_of(node);
	const struct tar_rec *r;
	struct pinefs_name its;
	struct tar_xattr x;
	int err = ENODATA;
	uint32_t i;

	(void)call;
	lock(ar);
	r = tar_index_rec(&ar->index, record_of(ar, node));
	for (i = 0; r != NULL && tar_index_xattr(&ar->index, r, i, &x); i++) {
		if (user_name(&x, &its) && its.len == name.len &&
		    memcmp(its.base, name.base, name.len) == 0) {
			err = pinefs_out_copy(out, x.value.base, x.value.len);
			break;
		}
	}
	unlock(ar);
	return r == NULL ? ESTALE : err;
}

static int
tar_listxattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *emit)
{
	struct tar_archive *ar = archive_of(node);
	const struct tar_rec *r;
	struct pinefs_name name;
	struct tar_xattr x;
	uint32_t i;

	(void)call;
	lock(ar);
	r = tar_index_rec(&ar->index, record_of(ar, node));
	for (i = (uint32_t)after; r != NULL &&
	    tar_index_xattr(&ar->index, r, i, &x); i++)
		if (user_name(&x, &name) && pinefs_emit(emit, name, NULL,
		    (uint64_t)i + 1, NULL) != 0)
			break;
	unlock(ar);
	return r == NULL ? ESTALE : 0;
}

/* ---------------------------------------------------------------- whole -- */

static int
tar_statfs(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_statfs *st)
{
	struct tar_archive *ar = archive_of(node);

	(void)call;
	lock(ar);
	st->bytes = ar->stored;
	st->files = tar_index_count(&ar->index);
	unlock(ar);
	st->link_max = UINT32_MAX;
	return 0;
}

const struct pinefs_ops tar_view_ops = {
	.flags = PINEFS_STABLE_IDS,
	.lookup = tar_lookup,
	.getattr = tar_getattr,
	.readdir = tar_readdir,
	.resolve = tar_resolve,
	.parent = tar_parent,
	.read = tar_read,
	.readlink = tar_readlink,
	.statfs = tar_statfs,
	.seek = tar_seek,
	.getxattr = tar_getxattr,
	.listxattr = tar_listxattr,
};
