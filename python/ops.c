/* SPDX-License-Identifier: MIT */
/*
 * Looking: lookup, getattr, readdir, read.  All of it runs on the broker, in
 * one hold of the interpreter lock for a batch of calls, and runs no code of
 * the user.
 */
#include "pyfs.h"

#include <stdlib.h>
#include <sys/resource.h>

enum {
	LISTING_KEPT_FROM = 256,	/* names; shorter ones are made again */
	LISTING_LONG = 100000		/* names: worth not hashing each time */
};
#define LISTING_KEPT_FOR INT64_C(5000000000)	/* ns, of a long one */

/* ------------------------------------------------------------- entering -- */

static struct pyfs *
pyfs_of(struct pinefs_call *call)
{
	return pinefs_arg(pinefs_call_fs(call));
}

void
hold_pause(struct hold *h)
{
	home_forget(h);
	gil_pause(h->pf->gil);
}

int
op_begin(struct op *op, struct pinefs_call *call, struct pinefs_node *node)
{
	struct pinefs_ident id;

	*op = (struct op){ .h = { .pf = pyfs_of(call), .broker = true } };
	if (!gil_is_held())
		return EAGAIN;	/* the program does not give it up */
	op->h.pf->calls++;
	pinefs_node_ident(node, &id);
	if ((op->n = home_node(&op->h, &id)) == NULL)
		return ESTALE;
	op->n = node_lead(op->n);
	node_pin(op->n);
	if (op->n->flags & (NODE_SHADOW | NODE_VIEW))
		return 0;
	if ((op->o = home_walk(&op->h, op->n)) == NULL)
		return ESTALE;
	op->s = shape_of(op->h.pf, op->o);
	/* Containers that lie too deep are files. */
	if (shape_is_dir(op->s) && op->n->kind == PINEFS_REG)
		op->s = SHAPE_OPAQUE;
	return 0;
}

void
op_end(struct op *op)
{
	if (op->o != NULL)
		bind_drop(&op->h, op->o);
	if (op->n != NULL)
		node_unpin(&op->h.pf->nodes, op->n);
}

void
ident_of(struct node *n, struct pinefs_ident *id, uint8_t own[OWN_MAX])
{
	n = node_lead(n);
	*id = (struct pinefs_ident){ .fileid = n->id, .generation = 1 };
	id->own_len = (uint32_t)node_own(n, own);
}

void
ident_give(struct pinefs_call *call, struct pinefs_ident *id,
    const uint8_t own[OWN_MAX])
{
	uint8_t *copy = NULL;

	if (id->own_len > 0 &&
	    (copy = pinefs_call_alloc(call, id->own_len)) != NULL)
		memcpy(copy, own, id->own_len);
	else
		id->own_len = 0;
	id->own = copy;
}

void
node_ident(struct pinefs_call *call, struct node *n, struct pinefs_ident *id)
{
	uint8_t own[OWN_MAX];

	ident_of(n, id, own);
	ident_give(call, id, own);
}

/* ----------------------------------------------------------- attributes -- */

int
node_text(struct hold *h, struct node *n, PyObject *o, enum shape s,
    struct text *t)
{
	if (n->stage != NULL && n->kind == PINEFS_REG) {
		*t = (struct text){ .base = n->stage->base,
		    .len = n->stage->len };
		return 0;
	}
	if (n->flags & NODE_VIEW)
		return view_text(h, n, t);
	if (n->kind == PINEFS_LNK)
		return home_link_text(h, n, o, s, t);
	if (o == NULL)
		return ESTALE;
	return value_render(h->pf, o, s, t);
}

static bool
is_in_writable(struct hold *h, struct node *n)
{
	PyObject *dir;
	enum shape ds;
	bool can;

	/* An item of a tuple cannot be exchanged, nor an element of a set. */
	if ((dir = home_walk(h, n->parent)) == NULL)
		return false;
	ds = shape_of(h->pf, dir);
	can = shape_is_writable(ds, dir) && ds != SHAPE_SET;
	bind_drop(h, dir);
	return can;
}

bool
node_is_writable(struct hold *h, struct node *n, PyObject *o, enum shape s)
{
	if (h->pf->config.readonly)
		return false;
	if (n->flags & NODE_VIEW)
		return n->flags & NODE_WRITABLE;
	if (n->flags & NODE_SHADOW)
		return true;
	if (s == SHAPE_FUNC)
		return h->pf->config.code && source_can_be_written(o);
	if (!shape_is_writable(s, o))
		return false;
	return shape_is_dir(s) || n->parent == NULL ||
	    is_in_writable(h, n);
}

bool
node_can_be_tried(struct hold *h, struct node *n, PyObject *o, enum shape s)
{
	if (s == SHAPE_OPAQUE && !h->pf->config.readonly)
		return is_in_writable(h, n);
	return node_is_writable(h, n, o, s);
}

static uint32_t
node_mode(struct hold *h, struct node *n, PyObject *o, enum shape s)
{
	const struct pyfs_config *c = &h->pf->config;
	uint32_t mode;

	if (n->kind == PINEFS_LNK)
		return 0777;
	mode = n->kind == PINEFS_DIR ? 0755 : 0644;
	if (n->flags & NODE_MODE)
		mode = n->mode;
	if (!node_is_writable(h, n, o, s))
		mode &= ~0222u;
	return mode & ~c->mode_mask & 0777;
}

/*
 * When a content is seen for the first time: at its change, or (a content
 * that was there when we came) at the start.  So `find -newer` works, and
 * looking twice gives the same answer.
 */
static void
see(struct pyfs *pf, struct node *n, uint64_t hash)
{
	if (!(n->flags & NODE_SEEN)) {
		n->flags |= NODE_SEEN;
		n->mtime = n->ctime = pf->started;
	} else if (n->seen != hash) {
		n->flags &= (uint16_t)~NODE_TIMES;
		n->mtime = n->ctime = pyfs_now(pf);
	}
	n->seen = hash;
}

/* Asked for several times in one call: before, after, with the reply. */
static uint64_t
directory_hash(struct hold *h, struct node *n, PyObject *o, enum shape s)
{
	struct pyfs *pf = h->pf;
	struct node *b;
	uint64_t hash;

	if (h->broker && n->sum_at == pf->hold)
		return n->sum;
	hash = listing_hash(h, o, s) + mix64(n->away);
	for (b = n->beside; b != NULL; b = b->beside_next)
		hash += mix64(b->id);
	if (h->broker) {
		n->sum = hash;
		n->sum_at = pf->hold;
	}
	return hash;
}

static int
content(struct hold *h, struct node *n, PyObject *o, enum shape s,
    uint64_t *hash, uint64_t *size)
{
	struct text t = { 0 };
	int err;

	if (n->kind == PINEFS_DIR && n->flags & NODE_VIEW) {
		/* Another each second: what it lists is asked for anew. */
		*hash = (uint64_t)(pyfs_clock() / 1000000000);
		*size = 4096;
		return 0;
	}
	if (n->kind == PINEFS_DIR) {
		*hash = directory_hash(h, n, o, s);
		*size = 4096;
		return 0;
	}
	if (n->kind == PINEFS_REG && n->stage != NULL) {
		*hash = stage_hash(n->stage);
		*size = n->stage->len;
		return 0;
	}
	if ((err = node_text(h, n, o, s, &t)) == 0) {
		*hash = hash64(0, t.base, t.len);
		*size = t.len;
	}
	text_fini(&t);
	return err;
}

int
node_attr(struct hold *h, struct node *n, PyObject *o, enum shape s,
    struct pinefs_attr *a)
{
	struct pyfs *pf = h->pf;
	struct node *lead = node_lead(n);
	uint64_t hash, size;
	int err;

	if ((err = content(h, lead, o, s, &hash, &size)) != 0)
		return err;
	see(pf, lead, hash);
	*a = (struct pinefs_attr){
		.have = PINEFS_TYPE | PINEFS_MODE | PINEFS_NLINK |
		    PINEFS_UID | PINEFS_GID | PINEFS_SIZE | PINEFS_USED |
		    PINEFS_CHANGE | PINEFS_GENERATION | PINEFS_ATIME |
		    PINEFS_MTIME | PINEFS_CTIME | PINEFS_BTIME,
		.type = n->kind,
		.mode = node_mode(h, lead, o, s),
		.nlink = node_nlink(lead),
		.uid = pf->uid,
		.gid = pf->gid,
		.size = size,
		.used = size,
		.change = mix64(hash + lead->meta),
		.generation = 1,
		.atime = ns_time(lead->mtime),
		.mtime = ns_time(lead->mtime),
		.ctime = ns_time(lead->ctime),
		.btime = ns_time(pf->started),
	};
	return 0;
}

void
node_stamp(struct hold *h, struct node *n, struct pinefs_stamp *st)
{
	struct pinefs_attr a;
	PyObject *o = NULL;
	enum shape s = SHAPE_NONE;

	*st = (struct pinefs_stamp){ 0 };
	if (!(n->flags & (NODE_SHADOW | NODE_VIEW))) {
		if ((o = home_walk(h, n)) == NULL)
			return;
		s = shape_of(h->pf, o);
	}
	if (node_attr(h, n, o, s, &a) == 0)
		*st = stamp_of(&a);
	if (o != NULL)
		bind_drop(h, o);
}

static int
op_getattr(struct pinefs_call *call, struct pinefs_node *node, uint64_t want,
    struct pinefs_attr *a)
{
	struct pinefs_ident id;
	struct op op;
	int err;

	(void)want;
	pinefs_node_ident(node, &id);
	if (glow_find(&pyfs_of(call)->glows, call, id.fileid, a))
		return 0;
	if ((err = op_begin(&op, call, node)) == 0)
		err = node_attr(&op.h, op.n, op.o, op.s, a);
	if (err == PYFS_WORKER)
		err = view_look(&op, call, VIEW_GETATTR,
		    (struct pinefs_name){ 0 }, 0, 0,
		    &(struct view_to){ .attr = a });
	op_end(&op);
	return err;
}

/* --------------------------------------------------------------- lookup -- */

static int
find_child(struct op *op, struct pinefs_name name, struct node **child)
{
	struct hold *h = &op->h;
	PyObject *o = NULL;

	if (op->n->kind != PINEFS_DIR)
		return ENOTDIR;
	if ((*child = node_beside(op->n, name)) != NULL)
		return 0;
	if (op->n->flags & NODE_VIEW)
		return view_find(h, op->n, name, child);
	if (!home_hides(h->pf, op->n, name))
		o = child_get(h, op->o, op->s, name);
	if (o == NULL)
		return view_is_name(h, op->n, op->o, op->s, name) ?
		    view_find(h, op->n, name, child) : ENOENT;
	*child = home_child(h, op->n, name, o, shape_of(h->pf, o));
	bind_drop(h, o);
	if (*child == NULL)
		return ENOMEM;
	return (*child)->flags & NODE_AWAY ? ENOENT : 0;
}

static int
op_lookup(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_ident *id)
{
	struct node *child;
	struct op op;
	int err;

	if ((err = op_begin(&op, call, node)) == 0 &&
	    (err = find_child(&op, name, &child)) == 0)
		node_ident(call, child, id);
	if (err == PYFS_WORKER)
		err = view_look(&op, call, VIEW_LOOKUP, name, 0, 0,
		    &(struct view_to){ .id = id });
	op_end(&op);
	return err;
}

static int
op_resolve(struct pinefs_call *call, struct pinefs_node *node)
{
	struct op op;
	int err = op_begin(&op, call, node);

	op_end(&op);
	return err;
}

static int
op_parent(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_ident *id)
{
	struct op op;
	int err = op_begin(&op, call, node);

	if (err == 0)
		node_ident(call, op.n->parent != NULL ? op.n->parent : op.n,
		    id);
	op_end(&op);
	return err;
}

/* -------------------------------------------------------------- readdir -- */

/*
 * The names of the long directory that was listed last: the next page does
 * not gather and sort them again, if the directory is still the same.
 */
struct listing_cache {
	uint64_t	id, hash;
	int64_t		made;
	struct listing	l;
};

static struct listing *
kept_listing(struct op *op, uint64_t hash)
{
	struct listing_cache *c = op->h.pf->lists;

	return c != NULL && c->id == op->n->id && c->hash == hash ? &c->l :
	    NULL;
}

/* To hash a million names for each page would take longer than the pages. */
static struct listing *
long_listing(struct op *op, uint64_t after)
{
	struct listing_cache *c = op->h.pf->lists;

	return after != 0 && c != NULL && c->id == op->n->id &&
	    c->l.n >= LISTING_LONG &&
	    c->made + LISTING_KEPT_FOR > pyfs_clock() ? &c->l : NULL;
}

void
ops_forget_listing(struct hold *h)
{
	struct listing_cache *c = h->pf->lists;

	if (c != NULL) {
		listing_fini(h, &c->l);
		free(c);
		h->pf->lists = NULL;
	}
}

/* Takes the listing over, if it is worth it. */
static void
keep_listing(struct op *op, uint64_t hash, struct listing *l)
{
	struct listing_cache *c;

	listing_drop_values(&op->h, l);
	if (l->n >= LISTING_KEPT_FROM && !l->scan) {
		ops_forget_listing(&op->h);
		if ((c = malloc(sizeof *c)) != NULL) {
			*c = (struct listing_cache){ op->n->id, hash,
			    pyfs_clock(), *l };
			op->h.pf->lists = c;
			return;
		}
	}
	listing_fini(&op->h, l);
}

static size_t
first_behind(const struct listing *l, uint64_t after)
{
	size_t low = 0, high = l->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (l->items[mid].cookie > after)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* 0: go on.  Names that went, or cannot be made nodes, are left out. */
static int
emit_item(struct op *op, const struct listing *l, const struct item *it,
    struct pinefs_emit *emit)
{
	struct pinefs_name name = { l->names.base + it->at, it->len };
	struct pinefs_attr attr;
	struct pinefs_ident id;
	struct node *child = it->shadow;
	struct hold *h = &op->h;
	PyObject *o = child == NULL ? it->value : NULL;
	enum shape s = SHAPE_NONE;
	uint8_t own[OWN_MAX];
	bool has_attr = false;
	int full = 0;

	if (child == NULL && home_hides(h->pf, op->n, name))
		return 0;
	if (child == NULL && o == NULL &&
	    (child = node_beside(op->n, name)) == NULL)
		o = child_get(h, op->o, op->s, name);
	else
		Py_XINCREF(o);
	if (o != NULL) {
		s = shape_of(h->pf, o);
		child = home_child(h, op->n, name, o, s);
		if (shape_is_dir(s) && child != NULL &&
		    child->kind == PINEFS_REG)
			s = SHAPE_OPAQUE;
	}
	if (child != NULL && !(child->flags & NODE_AWAY)) {
		node_pin(child);
		if (pinefs_emit_want(emit) != 0 && s == SHAPE_FUNC)
			source_prepare(h, o);
		if (pinefs_emit_want(emit) != 0 && child->flags & NODE_VIEW) {
			view_entry_attr(h, child, &attr);
			has_attr = true;
		} else if (pinefs_emit_want(emit) != 0)
			has_attr = node_attr(h, child, o, s, &attr) == 0;
		id = (struct pinefs_ident){ .fileid = node_lead(child)->id,
		    .generation = 1, .own = own };
		id.own_len = (uint32_t)node_own(node_lead(child), own);
		full = pinefs_emit(emit, name, &id, it->cookie,
		    has_attr ? &attr : NULL);
		node_unpin(&h->pf->nodes, child);
	}
	if (o != NULL)
		bind_drop(h, o);
	return full;
}

static int
list_directory(struct op *op, uint64_t after, struct pinefs_emit *emit)
{
	struct listing fresh = { 0 }, *l;
	uint64_t hash = 0, size;
	size_t i;
	int err;

	if ((l = long_listing(op, after)) == NULL) {
		err = content(&op->h, op->n, op->o, op->s, &hash, &size);
		if (err != 0)
			return err;
		l = kept_listing(op, hash);
	}
	if (l == NULL) {
		l = &fresh;
		err = listing_make(&op->h, op->n, op->o, op->s, l);
		if (err != 0) {
			listing_fini(&op->h, l);
			return err;
		}
	}
	for (i = first_behind(l, after); i < l->n; i++)
		if (emit_item(op, l, &l->items[i], emit) != 0)
			break;
	if (l == &fresh)
		keep_listing(op, hash, l);
	return 0;
}

static int
op_readdir(struct pinefs_call *call, struct pinefs_node *node, uint64_t after,
    struct pinefs_emit *emit)
{
	struct op op;
	int err;

	if ((err = op_begin(&op, call, node)) == 0) {
		if (op.n->kind != PINEFS_DIR)
			err = ENOTDIR;
		else if (op.n->flags & NODE_VIEW)
			err = view_look(&op, call, VIEW_READDIR,
			    (struct pinefs_name){ 0 }, after, 0,
			    &(struct view_to){ .emit = emit });
		else
			err = list_directory(&op, after, emit);
	}
	op_end(&op);
	return err;
}

/* ----------------------------------------------------------------- data -- */

static int
op_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	struct text t = { 0 };
	struct op op;
	int err;

	if ((err = op_begin(&op, call, node)) == 0)
		err = op.n->flags & NODE_VIEW && op.n->stage == NULL ?
		    view_text_from(&op.h, op.n, off, &t) :
		    node_text(&op.h, op.n, op.o, op.s, &t);
	if (err == PYFS_WORKER) {
		err = view_look(&op, call, VIEW_READ,
		    (struct pinefs_name){ 0 }, off, count,
		    &(struct view_to){ .out = out });
		op_end(&op);
		return err;
	}
	if (err == 0 && off < t.len && t.len - off > count)
		err = pinefs_out_copy(out, t.base + off, count);
	else if (err == 0) {
		if (off < t.len)
			err = pinefs_out_copy(out, t.base + off,
			    t.len - (size_t)off);
		pinefs_out_eof(out);
	}
	text_fini(&t);
	op_end(&op);
	return err;
}

static int
op_readlink(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_out *out)
{
	struct text t = { 0 };
	struct op op;
	int err;

	if ((err = op_begin(&op, call, node)) == 0)
		err = op.n->kind == PINEFS_LNK ?
		    node_text(&op.h, op.n, op.o, op.s, &t) : EINVAL;
	if (err == PYFS_WORKER) {
		err = view_look(&op, call, VIEW_READ,
		    (struct pinefs_name){ 0 }, 0, PATH_LEN_MAX,
		    &(struct view_to){ .out = out });
		op_end(&op);
		return err;
	}
	if (err == 0)
		err = pinefs_out_copy(out, t.base, t.len);
	text_fini(&t);
	op_end(&op);
	return err;
}

static int
op_statfs(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_statfs *st)
{
	const uint64_t plenty = UINT64_C(1) << 40;
	struct rlimit limit;

	(void)node;
	*st = (struct pinefs_statfs){
		.bytes = plenty, .bytes_free = plenty, .bytes_avail = plenty,
		.files = plenty, .files_free = plenty, .files_avail = plenty,
		.name_max = NAME_LEN_MAX, .link_max = 32000,
		.size_max = pyfs_of(call)->config.max_file,
	};
	if (getrlimit(RLIMIT_AS, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY)
		st->bytes = st->bytes_free = st->bytes_avail =
		    limit.rlim_cur;
	return 0;
}

/* ---------------------------------------------------------------- batch -- */

static void
broker_begin(void *arg)
{
	struct pyfs *pf = arg;

	gil_take(pf->gil);
	pf->hold++;
	switch_look(pf);
}

static void
broker_end(void *arg)
{
	struct pyfs *pf = arg;
	struct hold h = { .pf = pf, .broker = true };

	home_forget(&h);
	gil_drop(pf->gil);
}

void
pyfs_executor(struct pyfs *pf, struct pinefs_executor *x)
{
	*x = (struct pinefs_executor){ .threads = 1, .begin = broker_begin,
	    .end = broker_end, .arg = pf,
	    .patience = pf->config.patience };
}

const struct pinefs_ops pyfs_ops = {
	.flags = PINEFS_STABLE_IDS | PINEFS_CHANGE_UNORDERED |
	    PINEFS_WIDE_COOKIES,
	.blocking = ~UINT64_C(0),
	.lookup = op_lookup,
	.getattr = op_getattr,
	.readdir = op_readdir,
	.resolve = op_resolve,
	.parent = op_parent,
	.read = op_read,
	.write = op_write,
	.commit = op_commit,
	.setattr = op_setattr,
	.create = op_create,
	.remove = op_remove,
	.rename = op_rename,
	.link = op_link,
	.readlink = op_readlink,
	.statfs = op_statfs,
	.open = op_open,
	.close = op_close,
	.getxattr = op_getxattr,
	.setxattr = op_setxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.written = op_written,
};
