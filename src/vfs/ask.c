/* Questions to a file system.  See ask.h. */
#include "vfs/ask.h"

#include <errno.h>
#include <string.h>

/*
 * Every function here has the same shape: take the step; if it is new, fill
 * in what the operation gets, and call it; LATER unless it is done.
 */
static int
result(const struct vfs_step *s)
{
	return step_is_done(s) ? s->err : PINEFS_LATER;
}

/* The same for operations without a name, where ENOENT can only mean one
 * thing: this object is gone. */
static int
gone(const struct vfs_step *s)
{
	int err = result(s);

	return err == ENOENT ? ESTALE : err;
}

/* Something may have changed: attributes asked for before are old. */
static void
changes(struct pinefs_call *call)
{
	call->attr = NULL;
}

/* ------------------------------------------------------- door 2: nodes -- */

struct step_ident {
	struct vfs_step		step;
	struct pinefs_ident	id;
};

int
ask_lookup(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_ident **id)
{
	struct step_ident *s = step_take(call, STEP_LOOKUP, dir->fs, dir,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_begin(call, &s->step))
		step_end(call, &s->step, dir->fs->ops.lookup(call, dir, name,
		    &s->id));
	*id = &s->id;
	return result(&s->step);
}

int
ask_parent(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_ident **id)
{
	struct step_ident *s = step_take(call, STEP_PARENT, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.parent(call, node,
		    &s->id));
	*id = &s->id;
	return gone(&s->step);
}

int
ask_resolve(struct pinefs_call *call, struct pinefs_node *node)
{
	struct vfs_step *s = step_take(call, STEP_RESOLVE, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_begin(call, s))
		step_end(call, s, node->fs->ops.resolve(call, node));
	return gone(s);
}

/* -------------------------------------------------- door 2: attributes -- */

/* Those that still hold, newest first, hang on call->attr. */
struct step_attr {
	struct vfs_step		step;
	struct step_attr	*older;
	struct pinefs_attr	attr;
	bool			checked;
};

enum { ATTRS_KEPT = 4 };

/* Was it asked already in this call, and nothing done since? */
static struct step_attr *
attr_known(const struct pinefs_call *call, const struct pinefs_node *node)
{
	struct step_attr *s = (struct step_attr *)call->attr;
	int n;

	for (n = 0; s != NULL && n < ATTRS_KEPT; s = s->older, n++)
		if (s->step.object == node)
			return s;
	return NULL;
}

static void
attr_keep(struct pinefs_call *call, struct step_attr *s)
{
	s->older = (struct step_attr *)call->attr;
	call->attr = &s->step;
}

int
attr_given(struct pinefs_call *call, struct pinefs_node *node, const char *op,
    const struct pinefs_attr *attr)
{
	/* With less, defaults would stand where getattr tells better. */
	const uint64_t must = PINEFS_TYPE | PINEFS_MODE | PINEFS_NLINK |
	    PINEFS_UID | PINEFS_GID | PINEFS_SIZE | PINEFS_CHANGE |
	    PINEFS_MTIME | PINEFS_CTIME;
	struct step_attr *s;

	if ((attr->have & must) != must)
		return 0;
	s = step_take(call, STEP_NOTE, node->fs, node, sizeof *s);
	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		s->attr = *attr;
		step_set(&s->step, attr_check(node->fs, op, node, &s->attr));
	}
	attr_keep(call, s);
	return s->step.err;
}

/*
 * A time that moves when the change counter does: v2 and v3 know of changes
 * by times alone.  A counter made by pinefs_change_next is a time already; a
 * smaller one counts ns from the start; a hash tells no time.
 */
static struct timespec
time_of_change(const struct pinefs *fs, uint64_t change)
{
	const uint64_t second = 1000000000, of_2001 = second * second;
	struct timespec ts = fs->born;

	if (fs->ops.flags & PINEFS_CHANGE_UNORDERED)
		return ts;
	if (change < of_2001)
		change += (uint64_t)ts.tv_sec * second +
		    (uint64_t)ts.tv_nsec;
	ts.tv_sec = (time_t)(change / second);
	ts.tv_nsec = (long)(change % second);
	return ts;
}

static void
fill_defaults(const struct pinefs *fs, struct pinefs_attr *a)
{
	uint64_t miss = PINEFS_ALL & ~a->have;

	if (miss & PINEFS_MODE)
		a->mode = a->type == PINEFS_DIR ? 0555 :
		    a->type == PINEFS_LNK ? 0777 : 0444;
	if (miss & PINEFS_NLINK)
		a->nlink = 1;
	if (miss & PINEFS_UID)
		a->uid = fs->uid;
	if (miss & PINEFS_GID)
		a->gid = fs->gid;
	if (miss & PINEFS_RDEV)
		a->rdev_major = a->rdev_minor = 0;
	if (miss & PINEFS_SIZE)
		a->size = 0;
	if (miss & PINEFS_USED)
		a->used = a->size;
	if (miss & PINEFS_GENERATION)
		a->generation = 0;
	if (miss & PINEFS_CTIME)
		a->ctime = time_of_change(fs, a->change);
	if (miss & PINEFS_MTIME)
		a->mtime = a->ctime;
	if (miss & PINEFS_ATIME)
		a->atime = a->mtime;
	if (miss & PINEFS_BTIME)
		a->btime = fs->born;
	a->mode &= 07777;
	a->have = PINEFS_ALL;
}

int
attr_check(struct pinefs *fs, const char *op, struct pinefs_node *node,
    struct pinefs_attr *a)
{
	uint8_t known = 0;

	if (~a->have & (PINEFS_TYPE | PINEFS_CHANGE)) {
		log_limited(&fs->bad, "vfs: %s gave no %s", op,
		    a->have & PINEFS_TYPE ? "PINEFS_CHANGE" : "PINEFS_TYPE");
		return EIO;
	}
	if (a->type < PINEFS_REG || a->type > PINEFS_FIFO) {
		log_limited(&fs->bad, "vfs: %s gave type %u", op, a->type);
		return EIO;
	}
	/* An object is of one type for its life; this is another object. */
	if (node != NULL && !atomic_compare_exchange_strong_explicit(
	    &node->type, &known, (uint8_t)a->type, memory_order_relaxed,
	    memory_order_relaxed) && known != a->type)
		return ESTALE;
	fill_defaults(fs, a);
	return 0;
}

int
ask_getattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t want, const struct pinefs_attr **attr)
{
	struct step_attr *s;

	if ((s = attr_known(call, node)) != NULL) {
		*attr = &s->attr;
		return gone(&s->step);
	}
	s = step_take(call, STEP_GETATTR, node->fs, node, sizeof *s);
	if (s == NULL)
		return ENOMEM;
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.getattr(call, node,
		    want, &s->attr));
	if (!step_is_done(&s->step))
		return PINEFS_LATER;
	if (!s->checked) {
		s->checked = true;
		if (s->step.err == 0)
			s->step.err = attr_check(node->fs, "getattr", node,
			    &s->attr);
	}
	if (want == PINEFS_ALL)
		attr_keep(call, s);
	*attr = &s->attr;
	return gone(&s->step);
}

struct step_bits {
	struct vfs_step	step;
	uint32_t	bits;
};

int
ask_access(struct pinefs_call *call, struct pinefs_node *node,
    uint32_t asked, uint32_t *granted)
{
	struct step_bits *s = step_take(call, STEP_ACCESS, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.access(call, node,
		    asked, &s->bits));
	*granted = s->bits & asked;
	return gone(&s->step);
}

/* ---------------------------------------------------------------- data -- */

int
ask_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out **out)
{
	struct step_out *s = step_take(call, STEP_READ, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		out_init(&s->out, call);
		s->step.out = &s->out;
	}
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.read(call, node, off,
		    count, &s->out));
	if (!step_is_done(&s->step))
		return PINEFS_LATER;
	if (s->out.len > count) {
		out_clip(&s->out, count);
		s->out.eof = false;	/* it said so of what was cut off */
	}
	*out = &s->out;
	return gone(&s->step);
}

int
ask_readlink(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_out **out)
{
	struct step_out *s = step_take(call, STEP_READLINK, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		out_init(&s->out, call);
		s->step.out = &s->out;
	}
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.readlink(call, node,
		    &s->out));
	*out = &s->out;
	return gone(&s->step);
}

int
write_result_check(struct pinefs *fs, struct pinefs_write *w)
{
	if (fs->ops.commit == NULL)
		w->committed = PINEFS_FILE_SYNC;
	if (w->written == 0 || w->written > w->count) {
		log_limited(&fs->bad, "vfs: write of %u bytes wrote %u",
		    w->count, w->written);
		return EIO;
	}
	if (w->committed < w->stable || w->committed > PINEFS_FILE_SYNC) {
		log_limited(&fs->bad, "vfs: write was to be committed at "
		    "least as %d, and was as %d", w->stable, w->committed);
		return EIO;
	}
	return 0;
}

struct step_write {
	struct vfs_step		step;
	struct pinefs_in	in;
	struct pinefs_write	w;
	bool			checked;
};

int
ask_write(struct pinefs_call *call, struct pinefs_node *node,
    const struct vfs_write *vw, struct pinefs_write **w)
{
	struct step_write *s = step_take(call, STEP_WRITE, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);
	if (step_is_new(&s->step)) {
		in_init(&s->in, &vw->data, vw->buf);
		s->w.off = vw->off;
		s->w.count = vw->data.len;
		s->w.stable = vw->stable;
		s->w.in = &s->in;
	}
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.write(call, node,
		    &s->w));
	if (!step_is_done(&s->step))
		return PINEFS_LATER;
	if (!s->checked) {
		s->checked = true;
		if (s->step.err == 0)
			s->step.err = write_result_check(node->fs, &s->w);
	}
	*w = &s->w;
	return gone(&s->step);
}

int
ask_commit(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint64_t len)
{
	struct vfs_step *s = step_take(call, STEP_COMMIT, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);		/* maybe what its attributes say */
	if (step_begin(call, s))
		step_end(call, s, node->fs->ops.commit(call, node, off,
		    len));
	return gone(s);
}

int
ask_truncate(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t size)
{
	struct vfs_step *s = step_take(call, STEP_TRUNCATE, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_begin(call, s))
		step_end(call, s, node->fs->ops.truncate(call, node, size));
	return gone(s);
}

/* ------------------------------------------------------------- changes -- */

/* A set, copied deep: the guard lies on the procedure's stack. */
struct kept_set {
	struct pinefs_set	set;
	struct timespec		if_ctime;
};

static void
keep_set(struct kept_set *to, const struct pinefs_set *set)
{
	to->set = *set;
	if (set->if_ctime != NULL) {
		to->if_ctime = *set->if_ctime;
		to->set.if_ctime = &to->if_ctime;
	}
}

struct step_setattr {
	struct vfs_step		step;
	struct kept_set		kept;
	struct pinefs_change	chg;
};

int
ask_setattr(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_set *set, const struct pinefs_change **chg)
{
	struct step_setattr *s = step_take(call, STEP_SETATTR, node->fs,
	    node, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);
	if (step_is_new(&s->step))
		keep_set(&s->kept, set);
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.setattr(call, node,
		    &s->kept.set, chg == NULL ? NULL : &s->chg));
	if (chg != NULL)
		*chg = &s->chg;
	return gone(&s->step);
}

struct step_create {
	struct vfs_step		step;
	struct pinefs_create	how;
	struct kept_set		kept;
	struct pinefs_made	made;
};

int
ask_create(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_node *node, const struct pinefs_made **made)
{
	struct step_create *s = step_take(call, STEP_CREATE, dir->fs, dir,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);
	if (step_is_new(&s->step)) {
		s->how = *how;
		keep_set(&s->kept, &how->set);
		s->how.set = s->kept.set;
		s->made.node = node;
	}
	if (step_begin(call, &s->step))
		step_end(call, &s->step, dir->fs->ops.create(call, dir, name,
		    &s->how, &s->made));
	*made = &s->made;
	return result(&s->step);
}

struct step_change {
	struct vfs_step		step;
	struct pinefs_change	chg;
};

int
ask_remove(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, int kind, const struct pinefs_change **chg)
{
	struct step_change *s = step_take(call, STEP_REMOVE, dir->fs, dir,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);
	if (step_begin(call, &s->step))
		step_end(call, &s->step, dir->fs->ops.remove(call, dir, name,
		    kind, chg == NULL ? NULL : &s->chg));
	if (chg != NULL)
		*chg = &s->chg;
	return result(&s->step);
}

struct step_rename {
	struct vfs_step		step;
	struct pinefs_rename	r;
};

int
ask_rename(struct pinefs_call *call, struct pinefs_node *from,
    struct pinefs_name old_name, struct pinefs_node *to,
    struct pinefs_name new_name, const struct pinefs_rename **r)
{
	struct step_rename *s = step_take(call, STEP_RENAME, from->fs, from,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);
	if (step_is_new(&s->step)) {
		s->r.from = from;
		s->r.to = to;
		s->r.old_name = old_name;
		s->r.new_name = new_name;
	}
	if (step_begin(call, &s->step))
		step_end(call, &s->step, from->fs->ops.rename(call, &s->r));
	*r = &s->r;
	return result(&s->step);
}

int
ask_link(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *dir, struct pinefs_name name,
    const struct pinefs_change **chg)
{
	struct step_change *s = step_take(call, STEP_LINK, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.link(call, node, dir,
		    name, chg == NULL ? NULL : &s->chg));
	if (chg != NULL)
		*chg = &s->chg;
	return result(&s->step);
}

struct step_statfs {
	struct vfs_step		step;
	struct pinefs_statfs	st;
};

int
ask_statfs(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_statfs **st)
{
	struct step_statfs *s = step_take(call, STEP_STATFS, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.statfs(call, node,
		    &s->st));
	*st = &s->st;
	return gone(&s->step);
}

/* -------------------------------------------------------- state, ranges -- */

int
ask_open(struct pinefs_call *call, struct pinefs_node *node, uint32_t access)
{
	struct vfs_step *s = step_take(call, STEP_OPEN, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_begin(call, s))
		step_end(call, s, node->fs->ops.open(call, node, access));
	return gone(s);
}

struct step_seek {
	struct vfs_step	step;
	uint64_t	found;
};

int
ask_seek(struct pinefs_call *call, struct pinefs_node *node, int what,
    uint64_t off, uint64_t *found)
{
	struct step_seek *s = step_take(call, STEP_SEEK, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.seek(call, node, what,
		    off, &s->found));
	*found = s->found;
	return gone(&s->step);
}

int
ask_allocate(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t off, uint64_t len, bool punch)
{
	struct vfs_step *s = step_take(call, STEP_ALLOCATE, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);
	if (step_begin(call, s))
		step_end(call, s, node->fs->ops.allocate(call, node, off,
		    len, punch));
	return gone(s);
}

struct step_clone {
	struct vfs_step		step;
	struct pinefs_range	range;
};

int
ask_clone(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *to, const struct pinefs_range *range,
    const struct pinefs_range **done)
{
	struct step_clone *s = step_take(call, STEP_CLONE, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);
	if (step_is_new(&s->step))
		s->range = *range;
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.clone(call, node, to,
		    &s->range));
	*done = &s->range;
	return gone(&s->step);
}

/* -------------------------------------------------- extended attributes -- */

int
ask_getxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_out **out)
{
	struct step_out *s = step_take(call, STEP_GETXATTR, node->fs, node,
	    sizeof *s);

	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		out_init(&s->out, call);
		s->step.out = &s->out;
	}
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.getxattr(call, node,
		    name, &s->out));
	*out = &s->out;
	return gone(&s->step);
}

struct step_setxattr {
	struct vfs_step		step;
	struct pinefs_in	in;
};

int
ask_setxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, const struct xdr_view *value, int how)
{
	struct step_setxattr *s = step_take(call, STEP_SETXATTR, node->fs,
	    node, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);
	if (step_is_new(&s->step))
		in_init(&s->in, value, NULL);
	if (step_begin(call, &s->step))
		step_end(call, &s->step, node->fs->ops.setxattr(call, node,
		    name, &s->in, how));
	return gone(&s->step);
}

int
ask_removexattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name)
{
	struct vfs_step *s = step_take(call, STEP_REMOVEXATTR, node->fs,
	    node, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	changes(call);
	if (step_begin(call, s))
		step_end(call, s, node->fs->ops.removexattr(call, node,
		    name));
	return gone(s);
}
