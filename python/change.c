/* SPDX-License-Identifier: MIT */
/*
 * Changing: write, setattr, create, remove, rename, link (PYFS 8).
 *
 * Each change is a request that is first tried by the broker.  If it turns
 * out that code of the user would run (a setter, a constructor), the request
 * has done nothing yet; it is copied to memory of its own and done by a
 * worker, from the start, while the call waits (PINEFS_LATER).
 */
#include "change.h"

#include <fnmatch.h>
#include <stdlib.h>

enum {
	BIG_WRITE = 64 * 1024,	/* more may come: bound a little later */
	V2_WRITE = 8192,	/* the same, for clients of version 2 */
	SMALL_TEXT = 4096	/* all of it is here: what is wrong is wrong */
};

/* --------------------------------------------- here, or on a worker -- */

static void
deliver(struct request *r)
{
	if (r->chg_out != NULL)
		*r->chg_out = r->chg;
	if (r->to_chg_out != NULL)
		*r->to_chg_out = r->to_chg;
	if (r->made_out != NULL) {
		ident_give(r->call, &r->made.id, r->made_own);
		*r->made_out = r->made;
	}
}

/*
 * The part that needs the lock: nodes, handles.  On a worker the call may be
 * over meanwhile.
 */
static int
attempt(struct hold *h, struct request *r)
{
	struct pyfs *pf = h->pf;
	int err;

	error_forget();
	h->client = r->client;
	err = r->work(h, r);
	h->client = NULL;
	home_forget(h);
	if (err != 0) {
		error_add(pf, r->n, r->name, r->what, err);
		return err;
	}
	pf->changes++;
	if (h->glow_id != 0)
		glow_keep(&pf->glows, r->call, r->glow_client, h->glow_id,
		    &h->glow, r->n->opens > 0 && !(r->n->flags & NODE_VIEW));
	r->chg.atomic = r->to_chg.atomic = h->broker;
	return 0;
}

static int
run_on_worker(struct job *job, struct hold *h)
{
	struct request *r = (struct request *)job;
	int err = attempt(h, r);

	node_unpin(&h->pf->nodes, r->n);
	if (r->to != NULL)
		node_unpin(&h->pf->nodes, r->to);
	return err == PYFS_WORKER ? EIO : err;
}

static void
done_on_worker(struct job *job, int err)
{
	struct request *r = (struct request *)job;

	if (r->aside)
		err = 0;
	if (err == 0)
		deliver(r);
	pinefs_complete(r->call, err);
}

static void
copy_name(struct pinefs_name *name, char **to)
{
	if (name->len > 0)
		memcpy(*to, name->base, name->len);
	name->base = *to;
	*to += name->len;
}

/*
 * The call's names and arguments stay until it is completed; but work that
 * was given up goes on after that, so it has copies.
 */
static struct request *
copy_of(const struct request *r)
{
	size_t target = r->how != NULL ? r->how->target.len : 0;
	struct pinefs_create *how;
	struct request *copy;
	char *p;

	copy = malloc(sizeof *copy + sizeof *how + r->name.len +
	    r->new_name.len + target);
	if (copy == NULL)
		return NULL;
	*copy = *r;
	how = (struct pinefs_create *)(copy + 1);
	p = (char *)(how + 1);
	copy_name(&copy->name, &p);
	copy_name(&copy->new_name, &p);
	if (r->how != NULL) {
		*how = *r->how;
		copy_name(&how->target, &p);
		copy->how = how;
	}
	return copy;
}

static int
hand_over(struct pyfs *pf, const struct request *r)
{
	struct request *copy = copy_of(r);
	int err;

	if (copy == NULL)
		return ENOMEM;
	copy->job = (struct job){ .pf = pf, .run = run_on_worker,
	    .done = done_on_worker,
	    .time_box = (int64_t)pf->config.time_box * 1000000 };
	node_pin(copy->n);
	if (copy->to != NULL)
		node_pin(copy->to);
	if ((err = worker_do(&copy->job)) == 0)
		return PINEFS_LATER;
	node_unpin(&pf->nodes, copy->n);
	if (copy->to != NULL)
		node_unpin(&pf->nodes, copy->to);
	free(copy);
	return err;
}

int
request_do(struct op *op, struct request *r)
{
	const char *client = pinefs_call_cred(r->call)->client;
	int err;

	if (op->h.pf->config.readonly)
		return EROFS;
	(void)PyOS_snprintf(r->client, sizeof r->client, "%s",
	    client != NULL ? client : "");
	r->glow_client = glow_client(r->call);
	r->n = op->n;
	err = attempt(&op->h, r);
	if (err == PYFS_WORKER)
		return hand_over(op->h.pf, r);
	if (err == 0)
		deliver(r);
	return err;
}

/* --------------------------------------------------------------- setattr -- */

/* What the client says of mode and times is kept: make(1) lives by it. */
static void
set_attributes(struct pyfs *pf, struct node *n, const struct pinefs_set *set)
{
	uint32_t mode = set->attr.mode & 0777;
	struct timespec mtime = set->attr.mtime;
	uint64_t have = set->attr.have;

	if (!(have & (PINEFS_MODE | PINEFS_MTIME)))
		return;
	if (have & PINEFS_MODE) {
		n->mode = (uint16_t)mode;
		n->flags |= NODE_MODE;
	}
	if (have & PINEFS_MTIME) {
		n->mtime = set->now & PINEFS_MTIME ? pyfs_now(pf) :
		    (int64_t)mtime.tv_sec * 1000000000 + mtime.tv_nsec;
		n->flags |= NODE_TIMES;
	}
	n->ctime = pyfs_now(pf);
	n->meta++;
}

static int
set_size(struct op *op, uint64_t size)
{
	struct pyfs *pf = op->h.pf;
	struct node *n = op->n;
	int err;

	if (n->kind != PINEFS_REG)
		return n->kind == PINEFS_DIR ? EISDIR : EINVAL;
	if (!node_can_be_tried(&op->h, n, op->o, op->s))
		return EACCES;
	if (size > pf->config.max_file)
		return EFBIG;
	err = stage_begin(pf, n, op->o, op->s, (size_t)size);
	if (err == 0)
		err = stage_resize(pf, n, size);
	if (err == 0)
		stage_due(n, STAGE_AFTER_CUT);
	return err;
}

/* Nothing of it is seen by Python: no code of the user runs. */
int
op_setattr(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_set *set, struct pinefs_change *chg)
{
	struct op op;
	int err;

	if ((err = op_begin(&op, call, node)) != 0)
		goto out;
	if (op.h.pf->config.readonly) {
		err = EROFS;
		goto out;
	}
	glow_forget(&op.h.pf->glows, op.n->id);
	node_stamp(&op.h, op.n, &chg->before);
	if (set->if_ctime != NULL &&
	    (set->if_ctime->tv_sec != chg->before.ctime.tv_sec ||
	    set->if_ctime->tv_nsec != chg->before.ctime.tv_nsec))
		err = ECANCELED;
	if (err == 0 && set->attr.have & PINEFS_SIZE)
		err = set_size(&op, set->attr.size);
	if (err == 0) {
		/* First the content's own time, then the client's. */
		node_stamp(&op.h, op.n, &chg->after);
		set_attributes(op.h.pf, op.n, set);
		node_stamp(&op.h, op.n, &chg->after);
		chg->atomic = true;
	}
out:
	op_end(&op);
	return err;
}

/* ------------------------------------------------------- write, commit -- */

/* Bind what is staged; if that fails, the old value shows again. */
static int
work_commit(struct hold *h, struct request *r)
{
	bool all_of_it = r->len == 0 || (r->n->stage != NULL &&
	    r->n->stage->len < SMALL_TEXT);
	int err = stage_commit(h, r->n);

	if (err > 0 && !all_of_it && r->n->stage != NULL) {
		/* More may come; the timer will tell if not. */
		stage_due(r->n, STAGE_AFTER_WRITE);
		err = 0;
	} else if (err > 0) {
		stage_fail(h->pf, r->n);
	}
	if (err != 0)
		return err;
	if (h->glow_id == 0)
		node_stamp(h, r->n, &r->chg.after);
	else
		r->chg.after = stamp_of(&h->glow);
	return 0;
}

/*
 * A temporary file, as mkstemp(3) makes it, in a namespace: the program is
 * not to see it before it is renamed, or has been left alone for a second.
 */
static bool
is_scratch(struct op *op)
{
	const unsigned made = NODE_SHADOW | NODE_FRESH | NODE_MODE;
	PyObject *dir;
	bool space;

	if ((op->n->flags & made) != made || op->n->mode != 0600 ||
	    (dir = home_walk(&op->h, op->n->parent)) == NULL)
		return false;
	space = shape_is_space(shape_of(op->h.pf, dir));
	bind_drop(&op->h, dir);
	return space;
}

static bool
more_will_come(const struct pinefs_write *w, const struct node *n)
{
	return w->stable == PINEFS_UNSTABLE || w->count == V2_WRITE ||
	    w->count >= BIG_WRITE || n->stage->len >= BIG_WRITE;
}

static int
write_staged(struct op *op, struct pinefs_write *w)
{
	struct pyfs *pf = op->h.pf;
	struct node *n = op->n;
	const struct iovec *iov;
	unsigned niov;
	int err;

	if (n->kind != PINEFS_REG)
		return n->kind == PINEFS_DIR ? EISDIR : EINVAL;
	if (!node_can_be_tried(&op->h, n, op->o, op->s))
		return EACCES;
	node_stamp(&op->h, n, &w->change.before);
	err = stage_begin(pf, n, op->o, op->s, SIZE_MAX);
	if (err != 0)
		return err;
	glow_forget(&pf->glows, n->id);
	iov = pinefs_in_iov(w->in, &niov);
	return stage_write(pf, n, w->off, iov, niov);
}

int
op_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	struct request r = { .work = work_commit, .what = "write",
	    .call = call, .chg_out = &w->change, .len = w->count };
	struct op op;
	int err;

	if ((err = op_begin(&op, call, node)) == 0)
		err = op.h.pf->config.readonly ? EROFS : write_staged(&op, w);
	if (err != 0)
		goto out;
	w->written = w->count;
	/* What is staged is as safe as what is bound: both are memory. */
	w->committed = w->stable;
	r.chg.before = w->change.before;
	if (is_scratch(&op) || more_will_come(w, op.n)) {
		stage_due(op.n, is_scratch(&op) ? STAGE_AFTER_CUT :
		    STAGE_AFTER_WRITE);
		node_stamp(&op.h, op.n, &w->change.after);
		w->change.atomic = true;
	} else {
		err = request_do(&op, &r);
	}
out:
	op_end(&op);
	return err;
}

int
op_commit(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint64_t len)
{
	struct request r = { .work = work_commit, .what = "commit",
	    .call = call };
	struct op op;
	int err;

	(void)off, (void)len;
	if ((err = op_begin(&op, call, node)) == 0 && op.n->stage != NULL &&
	    !is_scratch(&op))
		err = request_do(&op, &r);
	op_end(&op);
	return err;
}

static struct node *
node_of_job(const struct job *job, struct hold *h)
{
	const struct request *r = (const struct request *)job;

	return node_by_id(&h->pf->nodes, r->made.id.fileid);
}

/*
 * Commit what was written before it was closed.  A worker may come to it
 * late, when the file is open again and has been cut: that is not done yet,
 * and what is wrong with it is to be told to who writes it.
 */
static int
written_run(struct job *job, struct hold *h)
{
	const struct request *r = (const struct request *)job;
	struct node *n = node_of_job(job, h);

	if (n == NULL || n->stage == NULL || n->stage->closes >= r->close)
		return 0;
	n->stage->due = 1;
	stage_commit_due(h, false);
	return 0;
}

static int
close_run(struct job *job, struct hold *h)
{
	struct node *n = node_of_job(job, h);

	if (n != NULL && n->opens > 0)
		n->opens--;
	return written_run(job, h);
}

static void
close_done(struct job *job, int err)
{
	(void)job, (void)err;
}

/* Who opens it reads what is bound, not how it was written. */
static int
work_open(struct hold *h, struct request *r)
{
	int err = stage_commit_alone(h, r->n);

	h->glow_id = 0;
	return err;
}

/*
 * The first state of v4.  What another client has staged is committed first,
 * but not if that is nothing yet, between truncation and the first write.
 */
int
op_open(struct pinefs_call *call, struct pinefs_node *node, uint32_t access)
{
	struct request r = { .work = work_open, .what = "open",
	    .call = call, .aside = true };
	struct op op;
	int err;

	(void)access;
	if ((err = op_begin(&op, call, node)) == 0) {
		op.n->opens++;
		if (op.n->stage != NULL && op.n->stage->written &&
		    !is_scratch(&op) &&
		    request_do(&op, &r) == PINEFS_LATER)
			err = PINEFS_LATER;
	}
	op_end(&op);
	return err;
}

/* Perhaps on a thread without the lock of the interpreter: a worker does it. */
static void
tell_worker(struct pinefs_node *node, int (*run)(struct job *, struct hold *))
{
	struct pyfs *pf = pinefs_arg(pinefs_node_fs(node));
	struct request *r = calloc(1, sizeof *r);

	if (r == NULL)
		return;
	pinefs_node_ident(node, &r->made.id);
	r->close = ++pf->closes;
	r->job = (struct job){ .pf = pf, .run = run,
	    .done = close_done,
	    .time_box = (int64_t)pf->config.time_box * 1000000 };
	if (worker_do(&r->job) != 0)
		free(r);
}

/* The last state of v4 went. */
void
op_close(struct pinefs_node *node)
{
	struct pyfs *pf = pinefs_arg(pinefs_node_fs(node));
	struct pinefs_ident id;

	pinefs_node_ident(node, &id);
	glow_close(&pf->glows, id.fileid);
	tell_worker(node, close_run);
}

/* The last of those that may write went, and others read on. */
void
op_written(struct pinefs_node *node)
{
	tell_worker(node, written_run);
}

/* ---------------------------------------------------------- directories -- */

int
dir_begin(struct hold *h, struct node *n, struct dir *d)
{
	*d = (struct dir){ 0 };
	if (n->kind != PINEFS_DIR)
		return ENOTDIR;
	if (n->flags & NODE_VIEW)
		return EACCES;
	if ((d->o = home_walk(h, n)) == NULL)
		return ESTALE;
	d->s = shape_of(h->pf, d->o);
	return 0;
}

void
dir_end(struct hold *h, struct dir *d)
{
	if (d->o != NULL)
		bind_drop(h, d->o);
}

static bool
is_in_class_of(const struct node *dir)
{
	for (; dir->parent != NULL; dir = dir->parent)
		if (strcmp(dir->name, "__class__") == 0)
			return true;
	return false;
}

bool
is_protected(struct hold *h, const struct node *dir, enum shape s,
    struct pinefs_name name)
{
	char *const *protect = h->pf->config.protect;

	if (protect == NULL)
		return false;
	if (dir->parent == NULL)
		return h->pf->config.root == NULL;
	/* `rm -r` of an object must not empty its class. */
	if (is_in_class_of(dir))
		return true;
	if (s == SHAPE_DICT)	/* a file named __init__ is no dunder */
		return false;
	return home_match(protect, dir, name, '/');
}

bool
is_shadow_name(const struct pyfs *pf, enum shape s, struct pinefs_name name)
{
	char text[NAME_LEN_MAX + 1];
	char *const *p;

	if (shape_is_space(s) && !name_is_identifier(name))
		return true;
	memcpy(text, name.base, name.len);
	text[name.len] = '\0';
	for (p = pf->config.shadow; p != NULL && *p != NULL; p++)
		if (fnmatch(*p, text, 0) == 0)
			return true;
	return false;
}

/* --------------------------------------------------------------- create -- */

static int
make_done(struct hold *h, struct request *r, struct node *n, PyObject *o,
    bool existed)
{
	struct pyfs *pf = h->pf;
	enum shape s = o != NULL ? shape_of(pf, o) : SHAPE_NONE;
	int err;

	if (n == NULL)
		return ENOMEM;
	if (!existed) {
		n->flags |= NODE_SEEN;
		n->mtime = n->ctime = pyfs_now(pf);
		n->flags &= (uint16_t)~(NODE_MODE | NODE_TIMES);
	}
	if ((err = node_attr(h, n, o, s, &r->made.attr)) != 0)
		return err;
	if (!existed) {
		n->mtime = n->ctime;
		set_attributes(pf, n, &r->how->set);
		err = node_attr(h, n, o, s, &r->made.attr);
	}
	r->made.existed = existed;
	ident_of(n, &r->made.id, r->made_own);
	return err;
}

/* Beside Python: at once, and for good, or until the first commit. */
static int
make_beside(struct hold *h, struct request *r, bool pending)
{
	struct node *n;
	int err;

	n = node_make(&h->pf->nodes, r->n, r->name, PINEFS_REG);
	if (n == NULL)
		return ENOMEM;
	if ((err = stage_begin(h->pf, n, NULL, SHAPE_NONE, 0)) != 0)
		return err;
	node_beside_add(n);
	n->flags |= NODE_MADE;
	if (pending) {
		n->flags |= NODE_FRESH;
		stage_due(n, STAGE_AFTER_CUT);
	}
	if (r->how->exclusive == PINEFS_EXCLUSIVE) {
		memcpy(n->verf, r->how->verf, sizeof n->verf);
		n->flags |= NODE_VERF;
	}
	return make_done(h, r, n, NULL, false);
}

/* An empty file is '': text, until its content shows otherwise. */
static int
make_file(struct hold *h, struct request *r, struct dir *d)
{
	PyObject *empty, *now;
	struct node *n;
	int err;

	if (is_shadow_name(h->pf, d->s, r->name))
		return make_beside(h, r, false);
	if (r->how->exclusive == PINEFS_EXCLUSIVE)
		return make_beside(h, r, true);
	if ((empty = PyUnicode_FromString("")) == NULL)
		return py_errno();
	err = bind_set(h, r->n, d->o, d->s, r->name, empty);
	Py_DECREF(empty);
	if (err != 0)
		return err;
	if ((now = child_get(h, d->o, d->s, r->name)) == NULL)
		return EIO;
	n = home_child(h, r->n, r->name, now, shape_of(h->pf, now));
	if (n != NULL)
		n->flags |= NODE_FRESH | NODE_MADE;
	err = make_done(h, r, n, now, false);
	bind_drop(h, now);
	return err;
}

static int
make_bound(struct hold *h, struct request *r, struct dir *d, PyObject *value)
{
	struct node *n;
	int err;

	if (value == NULL)
		return py_errno();
	err = bind_set(h, r->n, d->o, d->s, r->name, value);
	if (err == 0) {
		n = home_child(h, r->n, r->name, value,
		    shape_of(h->pf, value));
		err = make_done(h, r, n, value, false);
	}
	bind_drop(h, value);
	return err;
}

/*
 * A link to a container or a function of the tree binds that object; any
 * other link is text, kept as a pinefs.Symlink.
 */
static int
make_link(struct hold *h, struct request *r, struct dir *d)
{
	struct pinefs_name target = r->how->target;
	PyObject *o = home_follow(h, r->n, target), *text;
	enum shape s = o != NULL ? shape_of(h->pf, o) : SHAPE_NONE;

	if (o != NULL && (shape_is_dir(s) || s == SHAPE_FUNC))
		return make_bound(h, r, d, o);
	if (o != NULL)
		bind_drop(h, o);
	if (h->pf->config.symlink == NULL)
		return ENOTSUP;
	text = PyUnicode_DecodeUTF8(target.base, (Py_ssize_t)target.len,
	    "surrogateescape");
	o = NULL;
	if (text != NULL)
		o = PyObject_CallFunctionObjArgs(h->pf->config.symlink, text,
		    NULL);
	Py_XDECREF(text);
	return make_bound(h, r, d, o);
}

static bool
is_same_exclusive(const struct node *n, const struct pinefs_create *how)
{
	return how->exclusive == PINEFS_EXCLUSIVE && n->flags & NODE_VERF &&
	    memcmp(n->verf, how->verf, sizeof n->verf) == 0;
}

/* Something of that name is there already. */
static int
make_over(struct hold *h, struct request *r, struct node *n, PyObject *o)
{
	const struct pinefs_create *how = r->how;
	enum shape s = o != NULL ? shape_of(h->pf, o) : SHAPE_NONE;
	int err = 0;

	if (n == NULL)
		return ENOMEM;
	if (how->type != PINEFS_REG || n->kind != PINEFS_REG ||
	    (how->exclusive != PINEFS_UNCHECKED && !is_same_exclusive(n, how)))
		return EEXIST;
	if (how->exclusive == PINEFS_UNCHECKED &&
	    how->set.attr.have & PINEFS_SIZE) {
		if (!node_can_be_tried(h, n, o, s))
			return EACCES;
		err = stage_begin(h->pf, n, o, s, (size_t)how->set.attr.size);
		if (err == 0)
			err = stage_resize(h->pf, n, how->set.attr.size);
		if (err == 0)
			stage_due(n, STAGE_AFTER_CUT);
	}
	return err != 0 ? err : make_done(h, r, n, o, true);
}

/* `echo 1 >x@repr` opens with O_CREAT; but views cannot be made. */
static int
make_view(struct hold *h, struct request *r)
{
	bool mapped = mapped_is_dir(r->n);
	struct node *n = node_beside(r->n, r->name);
	int err = 0;

	if (n == NULL && mapped && r->how->type == PINEFS_REG &&
	    is_shadow_name(h->pf, SHAPE_NONE, r->name))
		return make_beside(h, r, false);
	if (n == NULL)
		err = view_find(h, r->n, r->name, &n);
	if (err == ENOENT && mapped) {
		err = mapped_make(h, r, &n);
		return err != 0 ? err : make_done(h, r, n, NULL, false);
	}
	if (err != 0)
		return err == ENOENT ? EPERM : err;
	node_pin(n);
	err = make_over(h, r, n, NULL);
	node_unpin(&h->pf->nodes, n);
	return err;
}

static int make(struct hold *, struct request *, struct dir *);

/* What was renamed to a backup: its value still says which type it has. */
static int
make_again(struct hold *h, struct request *r, struct dir *d, struct node *n,
    PyObject *o)
{
	int err;

	if (r->how->type == PINEFS_REG) {
		if ((err = stage_return(h->pf, n, o)) != 0)
			return err;
		return make_done(h, r, n, o, false);
	}
	if ((err = stage_commit(h, n)) != 0)
		return err;
	return make(h, r, d);
}

static int
make(struct hold *h, struct request *r, struct dir *d)
{
	struct node *n = node_beside(r->n, r->name);
	PyObject *o = NULL;
	int err;

	if (n == NULL && !home_hides(h->pf, r->n, r->name))
		o = child_get(h, d->o, d->s, r->name);
	if (o != NULL)
		n = home_child(h, r->n, r->name, o, shape_of(h->pf, o));
	if (n != NULL && n->flags & NODE_AWAY) {
		err = make_again(h, r, d, n, o);
		bind_drop(h, o);
		return err;
	}
	if (n != NULL || o != NULL) {
		err = make_over(h, r, n, o);
		if (o != NULL)
			bind_drop(h, o);
		return err;
	}
	if (!shape_is_writable(d->s, d->o))
		return EACCES;
	if (r->n->parent == NULL && is_protected(h, r->n, d->s, r->name))
		return EPERM;
	if (view_is_name(h, r->n, d->o, d->s, r->name))
		return make_view(h, r);
	if (home_hides(h->pf, r->n, r->name))
		return EPERM;
	/* A file of that name that the program has deleted. */
	if ((n = node_at(&h->pf->nodes, r->n, r->name, PINEFS_REG)) != NULL)
		node_remove(&h->pf->nodes, n);
	switch (r->how->type) {
	case PINEFS_REG:
		return make_file(h, r, d);
	case PINEFS_DIR:
		return make_bound(h, r, d, PyDict_New());
	case PINEFS_LNK:
		return make_link(h, r, d);
	default:
		return ENOTSUP;
	}
}

static int
work_create(struct hold *h, struct request *r)
{
	struct dir d;
	int err;

	d = (struct dir){ 0 };
	err = r->n->flags & NODE_VIEW ? 0 : dir_begin(h, r->n, &d);
	if (err == 0) {
		node_stamp(h, r->n, &r->chg.before);
		err = r->n->flags & NODE_VIEW ? make_view(h, r) :
		    make(h, r, &d);
		home_forget(h);
		node_stamp(h, r->n, &r->chg.after);
		r->chg.atomic = h->broker;
		r->made.dir = r->chg;
	}
	dir_end(h, &d);
	return err;
}

int
op_create(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_made *made)
{
	struct request r = { .work = work_create, .what = "create",
	    .call = call, .name = name,
	    .how = how, .made_out = made };
	struct op op;
	int err;

	if ((err = op_begin(&op, call, node)) == 0)
		err = request_do(&op, &r);
	op_end(&op);
	return err;
}

/* --------------------------------------------------------------- remove -- */

static int
may_remove(struct hold *h, struct node *n, PyObject *o, enum shape s,
    int kind)
{
	int err;

	if (n->flags & NODE_AWAY)
		return ENOENT;
	if (n->kind == PINEFS_DIR) {
		if (!(kind & PINEFS_REMOVE_DIR))
			return EISDIR;
		if (shape_is_mapped(s))
			return mapped_is_empty(h, n);
		if ((err = stage_go_away(h, n)) != 0)
			return err;
		if (n->beside != NULL || !listing_is_empty(o, s))
			return ENOTEMPTY;
		return 0;
	}
	return kind & PINEFS_REMOVE_FILE ? 0 : ENOTDIR;
}

static int
remove_shadow(struct hold *h, struct node *n, int kind)
{
	if (!(kind & PINEFS_REMOVE_FILE))
		return ENOTDIR;
	node_remove(&h->pf->nodes, n);
	return 0;
}

static int
unbind(struct hold *h, struct request *r, struct dir *d, PyObject *o)
{
	enum shape s = shape_of(h->pf, o);
	struct node *n = home_child(h, r->n, r->name, o, s);
	int err;

	if (n == NULL)
		return ENOMEM;
	node_pin(n);
	err = may_remove(h, n, o, s, r->kind);
	if (err == 0 && is_protected(h, r->n, d->s, r->name))
		err = EPERM;
	/* What is staged goes with the last name. */
	if (err == 0 && node_nlink(node_lead(n)) > 1)
		err = stage_commit(h, node_lead(n));
	if (err == 0)
		err = bind_delete(h, r->n, d->o, d->s, r->name);
	if (err == 0)
		node_remove(&h->pf->nodes, n);
	node_unpin(&h->pf->nodes, n);
	return err;
}

static int
work_remove(struct hold *h, struct request *r)
{
	struct node *n;
	struct dir d;
	PyObject *o;
	int err;

	if (mapped_is_dir(r->n))
		return mapped_remove(h, r);
	if ((err = dir_begin(h, r->n, &d)) != 0)
		goto out;
	node_stamp(h, r->n, &r->chg.before);
	if ((n = node_beside(r->n, r->name)) != NULL) {
		err = remove_shadow(h, n, r->kind);
	} else if (home_hides(h->pf, r->n, r->name) ||
	    (o = child_get(h, d.o, d.s, r->name)) == NULL) {
		err = ENOENT;
	} else {
		err = unbind(h, r, &d, o);
		bind_drop(h, o);
	}
	home_forget(h);
	if (err == 0)
		node_stamp(h, r->n, &r->chg.after);
out:
	dir_end(h, &d);
	return err;
}

int
op_remove(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, int kind, struct pinefs_change *chg)
{
	struct request r = { .work = work_remove, .what = "remove",
	    .call = call, .name = name,
	    .kind = kind, .chg_out = chg };
	struct op op;
	int err;

	if ((err = op_begin(&op, call, node)) == 0)
		err = request_do(&op, &r);
	op_end(&op);
	return err;
}
