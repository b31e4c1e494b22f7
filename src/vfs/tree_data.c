/*
 * Door 1: bytes and attributes of one object.
 *
 * A file system that is PINEFS_PROMPT is asked under the node's lock, so
 * bytes, size and change counter move together.  Any other is asked without
 * a lock: its writes take turns (gate.h), and the attributes follow the
 * bytes: who reads between sees new bytes under the old change counter, and
 * asks again; the other order would let a client keep old bytes for ever.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "vfs/ask.h"
#include "vfs/tree.h"

static bool
own_access(const struct pinefs_node *node)
{
	return node->fs->ops.flags & PINEFS_OWN_ACCESS;
}

int
tree_was_prompt(const char *op, int err)
{
	if (err >= 0)
		return err;
	vfs_misuse("%s returned %d in a file system that is PINEFS_PROMPT",
	    op, err);
	return EIO;
}

void
tree_wcc_before(const struct tree_node *t, struct vfs_wcc *wcc)
{
	tree_stamp(t, &wcc->before);
	wcc->change_before = t->change;
	wcc->has_before = true;
}

void
tree_wcc_after(const struct tree_node *t, struct vfs_wcc *wcc)
{
	tree_attr(t, &wcc->after);
	wcc->has_after = true;
}

/* ------------------------------------------------------------- setattr -- */

/* May it be done?  With node.lock. */
static int
setattr_check(struct pinefs_call *call, const struct tree_node *t,
    const struct pinefs_set *set)
{
	struct who who;

	if (set->if_ctime != NULL &&
	    (set->if_ctime->tv_sec != t->ctime.tv_sec ||
	    set->if_ctime->tv_nsec != t->ctime.tv_nsec))
		return ECANCELED;
	tree_who(t, &who);
	if (set->attr.have & PINEFS_SIZE) {
		if (who.type == PINEFS_DIR)
			return EISDIR;
		if (who.type != PINEFS_REG)
			return EINVAL;
		if (t->bytes != NULL)
			return EACCES;	/* fixed content */
	}
	/* access() says who may write; who may chmod, setattr() does, where
	 * there is one. */
	if (own_access(&t->node) && t->node.fs->ops.setattr != NULL)
		return 0;
	return access_setattr(&call->cred, &who, set,
	    call->opened || own_access(&t->node));
}

static void
set_time(struct timespec *to, const struct timespec *given, uint64_t bit,
    const struct pinefs_set *set, const struct timespec *now)
{
	if (set->attr.have & bit)
		*to = set->now & bit ? *now : *given;
}

/* With node.lock. */
static void
setattr_apply(struct pinefs_call *call, struct tree_node *t,
    const struct pinefs_set *set)
{
	const struct pinefs_attr *a = &set->attr;
	struct timespec now;
	struct who who;

	if (a->have == 0)
		return;
	clock_wall(&now);
	tree_who(t, &who);
	t->mode = access_mode_after(&call->cred, &who, set);
	if (a->have & PINEFS_UID)
		t->uid = a->uid;
	if (a->have & PINEFS_GID)
		t->gid = a->gid;
	if (a->have & PINEFS_SIZE)
		tree_set_size(t, a->size);
	tree_bump(t, now, a->have & PINEFS_SIZE);
	set_time(&t->atime, &a->atime, PINEFS_ATIME, set, &t->ctime);
	set_time(&t->mtime, &a->mtime, PINEFS_MTIME, set, &t->ctime);
	set_time(&t->btime, &a->btime, PINEFS_BTIME, set, &t->ctime);
}

/* All of it under the lock, with truncate in between if it is prompt. */
static int
setattr_locked(struct pinefs_call *call, struct tree_node *t,
    const struct pinefs_set *set, bool check, struct vfs_wcc *wcc)
{
	int (*truncate)(struct pinefs_call *, struct pinefs_node *, uint64_t)
	    = t->node.fs->ops.truncate;
	int err = 0;

	spin_lock(&t->node.lock);
	if (check)
		err = setattr_check(call, t, set);
	if (err == 0) {
		tree_wcc_before(t, wcc);
		if (set->attr.have & PINEFS_SIZE && truncate != NULL &&
		    tree_is_prompt(&t->node))
			err = tree_was_prompt("truncate", truncate(call,
			    &t->node, set->attr.size));
	}
	if (err == 0) {
		setattr_apply(call, t, set);
		tree_wcc_after(t, wcc);
	}
	spin_unlock(&t->node.lock);
	return err;
}

/* As a step: checked before the file system is asked. */
static int
note_check(struct pinefs_call *call, struct tree_node *t,
    const struct pinefs_set *set)
{
	struct vfs_step *s = step_take(call, STEP_NOTE, t->node.fs,
	    &t->node, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(s)) {
		spin_lock(&t->node.lock);
		step_set(s, setattr_check(call, t, set));
		spin_unlock(&t->node.lock);
	}
	return s->err;
}

int
tree_setattr(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_set *set, struct vfs_wcc *wcc)
{
	struct tree_node *t = tree_node(node);
	const struct pinefs_ops *ops = &node->fs->ops;
	struct vfs_turn *turn = NULL;
	struct step_wcc *s;
	bool cut, asked;
	int err = 0;

	cut = set->attr.have & PINEFS_SIZE && ops->truncate != NULL &&
	    !tree_is_prompt(node);
	asked = cut || ops->setattr != NULL;
	if (cut && (err = turn_begin(call, node, &turn)) != 0)
		return err;
	if (asked && (err = note_check(call, t, set)) != 0)
		goto out;
	if (ops->setattr != NULL &&
	    (err = ask_setattr(call, node, set, NULL)) != 0)
		goto out;
	if (cut && (err = ask_truncate(call, node, set->attr.size)) != 0)
		goto out;

	s = step_take(call, STEP_TREE, node->fs, node, STEP_WCC_SIZE(1));
	if (s == NULL) {
		err = ENOMEM;
		goto out;
	}
	if (step_is_new(&s->step))
		step_set(&s->step, setattr_locked(call, t, set, !asked,
		    &s->wcc[0]));
	*wcc = s->wcc[0];
	err = s->step.err;
out:
	if (err != PINEFS_LATER)
		turn_end(turn);
	return err;
}

/* ---------------------------------------------------------------- read -- */

/*
 * What a read may give: EACCES, or how many bytes there are at `off`, at
 * most `count`.  With node.lock.
 */
int
tree_read_check(struct pinefs_call *call, struct tree_node *t, uint64_t off,
    uint32_t *count)
{
	struct who who;
	int err = 0;

	tree_who(t, &who);
	if (!own_access(&t->node) && !call->opened)
		err = access_check_io(&call->cred, &who, MAY_READ);
	if (off >= t->size)
		*count = 0;
	else if (*count > t->size - off)
		*count = (uint32_t)(t->size - off);
	return err;
}

/*
 * Reading moves atime only where it would not be later than the last change
 * (relatime): a read then costs no look at the clock, and tools that ask
 * "read since it was written?" get the right answer.
 */
static void
read_seen(struct tree_node *t)
{
	if (t->atime.tv_sec > t->mtime.tv_sec ||
	    (t->atime.tv_sec == t->mtime.tv_sec &&
	    t->atime.tv_nsec > t->mtime.tv_nsec))
		return;
	clock_wall(&t->atime);
}

static void
put_node(void *owner)
{
	pinefs_node_put(owner);
}

static int
read_fixed(struct tree_node *t, uint64_t off, uint32_t count,
    struct pinefs_out *out)
{
	if (count == 0)
		return 0;
	node_get(&t->node);
	return pinefs_out_borrow(out, (const char *)t->bytes + off, count,
	    put_node, &t->node);
}

/* The whole read under the lock: fixed bytes, or a prompt file system. */
static int
read_locked(struct pinefs_call *call, struct tree_node *t, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	const struct pinefs_ops *ops = &t->node.fs->ops;
	int err;

	spin_lock(&t->node.lock);
	if ((err = tree_read_check(call, t, off, &count)) != 0)
		goto out;
	if (t->bytes != NULL)
		err = read_fixed(t, off, count, out);
	else if (count > 0)
		err = tree_was_prompt("read", ops->read(call, &t->node, off,
		    count, out));
	if (err != 0)
		goto out;
	out_clip(out, count);
	out->eof = off >= t->size || off + out->len >= t->size ||
	    (out->len == 0 && count > 0);
	read_seen(t);
out:
	spin_unlock(&t->node.lock);
	return err;
}

static int
read_at_once(struct pinefs_call *call, struct tree_node *t, uint64_t off,
    uint32_t count, struct vfs_data *data)
{
	struct step_out *s = step_take(call, STEP_TREE, t->node.fs, &t->node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		out_init(&s->out, call);
		s->step.out = &s->out;
		step_set(&s->step, read_locked(call, t, off, count,
		    &s->out));
	}
	out_view(&s->out, &data->bytes);
	data->eof = s->out.eof;
	return s->step.err;
}

/* Rights and the number of bytes, as a step. */
struct step_count {
	struct vfs_step	step;
	uint32_t	count;
	bool		to_end;
};

static int
note_read(struct pinefs_call *call, struct tree_node *t, uint64_t off,
    uint32_t count, struct step_count **to)
{
	struct step_count *s = step_take(call, STEP_NOTE, t->node.fs,
	    &t->node, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		s->count = count;
		spin_lock(&t->node.lock);
		step_set(&s->step, tree_read_check(call, t, off, &s->count));
		s->to_end = off >= t->size || off + s->count >= t->size;
		read_seen(t);
		spin_unlock(&t->node.lock);
	}
	*to = s;
	return s->step.err;
}

int
tree_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct vfs_data *data)
{
	struct tree_node *t = tree_node(node);
	struct step_count *s;
	struct pinefs_out *out;
	int err;

	if (t->bytes == NULL && node->fs->ops.read == NULL)
		return EACCES;
	if (t->bytes != NULL || tree_is_prompt(node))
		return read_at_once(call, t, off, count, data);

	if ((err = note_read(call, t, off, count, &s)) != 0)
		return err;
	if (s->count == 0) {
		data->bytes = xdr_view(NULL, 0);
		data->eof = s->to_end;
		return 0;
	}
	if ((err = ask_read(call, node, off, s->count, &out)) != 0)
		return err;
	out_view(out, &data->bytes);
	/* It may know of an earlier end than the size says. */
	data->eof = out->eof || out->len == 0 ||
	    (s->to_end && out->len == s->count);
	return 0;
}

/* --------------------------------------------------------------- write -- */

/* With node.lock. */
int
tree_write_check(struct pinefs_call *call, const struct tree_node *t)
{
	struct who who;

	if (t->bytes != NULL)
		return EACCES;		/* fixed content */
	if (own_access(&t->node) || call->opened)
		return 0;
	tree_who(t, &who);
	return access_check_io(&call->cred, &who, MAY_WRITE);
}

/* The bytes are there: let the attributes say so.  With node.lock. */
void
tree_write_seen(struct pinefs_call *call, struct tree_node *t, uint64_t end)
{
	struct timespec now;
	struct who who;

	clock_wall(&now);
	tree_who(t, &who);
	t->mode = access_mode_written(&call->cred, &who);
	if (end > t->size)
		tree_set_size(t, end);
	tree_bump(t, now, true);
}

struct step_written {
	struct vfs_step		step;
	struct pinefs_in	in;
	struct pinefs_write	w;
	struct vfs_wcc		wcc;
};

static int
write_locked(struct pinefs_call *call, struct tree_node *t,
    struct step_written *s)
{
	const struct pinefs_ops *ops = &t->node.fs->ops;
	int err;

	spin_lock(&t->node.lock);
	if ((err = tree_write_check(call, t)) == 0) {
		tree_wcc_before(t, &s->wcc);
		if (s->w.count > 0)
			err = tree_was_prompt("write", ops->write(call,
			    &t->node, &s->w));
		if (err == 0 && s->w.count > 0)
			err = write_result_check(t->node.fs, &s->w);
		if (err == 0 && s->w.count > 0)
			tree_write_seen(call, t, s->w.off + s->w.written);
	}
	tree_wcc_after(t, &s->wcc);
	spin_unlock(&t->node.lock);
	return err;
}

static int
write_at_once(struct pinefs_call *call, struct tree_node *t,
    struct vfs_write *vw)
{
	struct step_written *s = step_take(call, STEP_TREE, t->node.fs,
	    &t->node, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		in_init(&s->in, &vw->data, vw->buf);
		s->w.off = vw->off;
		s->w.count = vw->data.len;
		s->w.stable = vw->stable;
		s->w.in = &s->in;
		step_set(&s->step, write_locked(call, t, s));
	}
	vw->written = s->w.written;
	vw->committed = s->w.committed;
	vw->wcc = s->wcc;
	return s->step.err;
}

static int
note_write(struct pinefs_call *call, struct tree_node *t)
{
	struct vfs_step *s = step_take(call, STEP_NOTE, t->node.fs, &t->node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(s)) {
		spin_lock(&t->node.lock);
		step_set(s, tree_write_check(call, t));
		spin_unlock(&t->node.lock);
	}
	return s->err;
}

static int
note_written(struct pinefs_call *call, struct tree_node *t, uint64_t end,
    struct vfs_wcc *wcc)
{
	struct step_wcc *s = step_take(call, STEP_TREE, t->node.fs, &t->node,
	    STEP_WCC_SIZE(1));

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		spin_lock(&t->node.lock);
		tree_wcc_before(t, &s->wcc[0]);
		tree_write_seen(call, t, end);
		tree_wcc_after(t, &s->wcc[0]);
		spin_unlock(&t->node.lock);
		step_set(&s->step, 0);
	}
	*wcc = s->wcc[0];
	return 0;
}

int
tree_write(struct pinefs_call *call, struct pinefs_node *node,
    struct vfs_write *vw)
{
	struct tree_node *t = tree_node(node);
	struct vfs_turn *turn = NULL;
	struct pinefs_write *w;
	int err;

	if (tree_is_prompt(node) || vw->data.len == 0)
		return write_at_once(call, t, vw);

	if ((err = turn_begin(call, node, &turn)) != 0)
		return err;
	err = note_write(call, t);
	if (err == 0)
		err = ask_write(call, node, vw, &w);
	if (err == 0) {
		vw->written = w->written;
		vw->committed = w->committed;
		err = note_written(call, t, vw->off + w->written, &vw->wcc);
	}
	if (err != PINEFS_LATER)
		turn_end(turn);
	return err;
}

void
tree_meta_seen(struct tree_node *t)
{
	struct timespec now;

	clock_wall(&now);
	tree_bump(t, now, false);
}
