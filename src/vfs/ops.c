/*
 * The operations: what every protocol version may rely on, whatever the file
 * system is.  Each checks type, rights and limits, then asks the tree (door
 * 1) or the file system (door 2).
 */
#include "vfs/ops.h"

#include <errno.h>
#include <string.h>

/* What an OPEN has checked (vfs_call_opened). */
enum { IO_BITS = PINEFS_ACCESS_READ | PINEFS_ACCESS_MODIFY };

/* ----------------------------------------------------- what they share -- */

int
may_change_at_all(const struct pinefs_call *call, const struct pinefs *fs,
    uint32_t op)
{
	if (fs->can == 0 || call->read_only)
		return EROFS;
	return fs->can & op ? 0 : ENOTSUP;
}

int
own_access_check(struct pinefs_call *call, struct pinefs_node *node,
    uint32_t bits)
{
	const uint32_t wanted = bits & ~PINEFS_ACCESS_OPENED;
	uint32_t granted;
	int err;

	if (!(node->fs->ops.flags & PINEFS_OWN_ACCESS) ||
	    (call->opened && (wanted & ~IO_BITS) == 0))
		return 0;
	err = ask_access(call, node, bits, &granted);
	if (err == 0 && (granted & wanted) != wanted)
		err = EACCES;
	return err;
}

void
who_of_attr(const struct pinefs_attr *a, struct who *who)
{
	who->type = a->type;
	who->mode = a->mode;
	who->uid = a->uid;
	who->gid = a->gid;
}

int
rights(struct pinefs_call *call, struct pinefs_node *node, unsigned want,
    uint32_t bits, bool io, const struct pinefs_attr **a)
{
	struct who who;
	int err;

	if ((err = ask_getattr(call, node, PINEFS_ALL, a)) != 0)
		return err;
	if (node->fs->ops.flags & PINEFS_OWN_ACCESS)
		return own_access_check(call, node, io ?
		    bits | PINEFS_ACCESS_OPENED : bits);
	if (io && call->opened)
		return 0;
	who_of_attr(*a, &who);
	return io ? access_check_io(&call->cred, &who, want) :
	    access_check(&call->cred, &who, want);
}

int
must_be_dir(struct pinefs_call *call, struct pinefs_node *node)
{
	const struct pinefs_attr *a;
	int err;

	if (node->fs->tree)
		return node_type(node) == PINEFS_DIR ? 0 : ENOTDIR;
	if ((err = ask_getattr(call, node, PINEFS_ALL, &a)) != 0)
		return err;
	return a->type == PINEFS_DIR ? 0 : ENOTDIR;
}

int
must_have_bytes(uint32_t type)
{
	if (type == PINEFS_DIR)
		return EISDIR;
	return type == PINEFS_REG ? 0 : EINVAL;
}

int
wcc_of_change(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_change *chg, struct vfs_wcc *wcc)
{
	const struct pinefs_attr *a;
	int err;

	memset(wcc, 0, sizeof *wcc);
	err = ask_getattr(call, node, PINEFS_ALL, &a);
	if (err == PINEFS_LATER)
		return err;
	if (err == 0) {
		wcc->has_after = true;
		wcc->after = *a;
	}
	if (!chg->atomic)
		return 0;
	wcc->has_before = true;
	wcc->before = chg->before;
	wcc->change_before = chg->before.change;
	/* Others may have been at it since: after is what we left. */
	wcc->after.change = chg->after.change;
	wcc->after.size = chg->after.size;
	wcc->after.mtime = chg->after.mtime;
	wcc->after.ctime = chg->after.ctime;
	return 0;
}

int
vfs_wcc_after(struct pinefs_call *call, struct pinefs_node *node,
    struct vfs_wcc *wcc)
{
	int err;

	memset(wcc, 0, sizeof *wcc);
	err = vfs_getattr(call, node, &wcc->after);
	wcc->has_after = err == 0;
	return err == PINEFS_LATER ? err : 0;
}

/* ---------------------------------------------------------- attributes -- */

struct step_tree_attr {
	struct vfs_step		step;
	struct pinefs_attr	attr;
};

int
vfs_getattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_attr *attr)
{
	struct step_tree_attr *s;
	const struct pinefs_attr *a;
	int err;

	if (!node->fs->tree) {
		err = ask_getattr(call, node, PINEFS_ALL, &a);
		if (err == 0)
			*attr = *a;
		return err;
	}
	s = step_take(call, STEP_TREE, node->fs, node, sizeof *s);
	if (s == NULL)
		return ENOMEM;
	if (step_is_new(&s->step)) {
		tree_getattr(node, &s->attr);
		step_set(&s->step, 0);
	}
	*attr = s->attr;
	return 0;
}

/* Bits that nobody has where nothing can be changed. */
static uint32_t
bits_of_fs(const struct pinefs_call *call, const struct pinefs *fs)
{
	const uint32_t change = PINEFS_ACCESS_MODIFY | PINEFS_ACCESS_EXTEND |
	    PINEFS_ACCESS_DELETE;

	return fs->can == 0 || call->read_only ? ~change : ~0u;
}

int
vfs_access(struct pinefs_call *call, struct pinefs_node *node,
    uint32_t asked, uint32_t *granted, struct pinefs_attr *attr)
{
	struct who who;
	uint32_t bits;
	int err;

	if ((err = vfs_getattr(call, node, attr)) != 0)
		return err;
	who_of_attr(attr, &who);
	/* LOOKUP is for directories, EXECUTE for all else. */
	asked &= ~(who.type == PINEFS_DIR ? PINEFS_ACCESS_EXECUTE :
	    PINEFS_ACCESS_LOOKUP | PINEFS_ACCESS_DELETE);
	if (node->fs->ops.flags & PINEFS_OWN_ACCESS) {
		if ((err = ask_access(call, node, asked, &bits)) != 0)
			return err;
	} else {
		bits = access_bits(&call->cred, &who, asked);
	}
	*granted = bits & bits_of_fs(call, node->fs);
	return 0;
}

static int
setattr_check(const struct pinefs_set *set)
{
	if (set->attr.have & PINEFS_SIZE && set->attr.size > OFFSET_MAX)
		return EFBIG;
	return 0;
}

static int
setattr_by_asking(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_set *set, struct vfs_wcc *wcc)
{
	const struct pinefs_change *chg;
	const struct pinefs_attr *a;
	struct pinefs_set full = *set;
	struct who who;
	int err;

	if ((err = ask_getattr(call, node, PINEFS_ALL, &a)) != 0)
		return err;
	if (set->attr.have & PINEFS_SIZE &&
	    (err = must_have_bytes(a->type)) != 0)
		return err;
	if (node->fs->ops.flags & PINEFS_OWN_ACCESS) {
		if (set->attr.have & PINEFS_SIZE && (err = own_access_check(
		    call, node, PINEFS_ACCESS_MODIFY |
		    PINEFS_ACCESS_OPENED)) != 0)
			return err;
	} else {
		who_of_attr(a, &who);
		if ((err = access_setattr(&call->cred, &who, set,
		    call->opened)) != 0)
			return err;
		/* The file system need not know which bits must go. */
		full.attr.mode = access_mode_after(&call->cred, &who, set);
		if (full.attr.mode != a->mode)
			full.attr.have |= PINEFS_MODE;
	}
	if ((err = ask_setattr(call, node, &full, &chg)) != 0)
		return err;
	return wcc_of_change(call, node, chg, wcc);
}

int
vfs_setattr(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_set *set, struct vfs_wcc *wcc)
{
	struct vfs_guard *guard;
	int err;

	memset(wcc, 0, sizeof *wcc);
	if ((err = may_change_at_all(call, node->fs, PINEFS_OP_SETATTR)) != 0
	    || (err = setattr_check(set)) != 0)
		return err;
	if (node->fs->tree && set->attr.have & PINEFS_SIZE &&
	    (err = own_access_check(call, node, PINEFS_ACCESS_MODIFY)) != 0)
		return err;
	if ((err = guard_begin(call, node, GUARD_ATTR, &guard)) != 0)
		return err;
	err = node->fs->tree ? tree_setattr(call, node, set, wcc) :
	    setattr_by_asking(call, node, set, wcc);
	if (err != PINEFS_LATER)
		vfs_guard_end(guard);
	return err;
}

/* ---------------------------------------------------------------- data -- */

int
vfs_readlink(struct pinefs_call *call, struct pinefs_node *node,
    struct xdr_view *text)
{
	const struct pinefs_attr *a;
	struct tree_node *t;
	struct pinefs_out *out;
	int err;

	if (node->fs->tree) {
		if (node_type(node) != PINEFS_LNK)
			return EINVAL;
		t = tree_node(node);	/* a target never changes */
		*text = xdr_view(t->bytes, (uint32_t)t->len);
		return 0;
	}
	if ((err = ask_getattr(call, node, PINEFS_ALL, &a)) != 0)
		return err;
	if (a->type != PINEFS_LNK || node->fs->ops.readlink == NULL)
		return EINVAL;
	if ((err = ask_readlink(call, node, &out)) != 0)
		return err;
	out_view(out, text);
	return 0;
}

static int
read_by_asking(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t off, uint32_t count, struct vfs_data *data)
{
	const struct pinefs_attr *a;
	struct pinefs_out *out;
	int err;

	if ((err = ask_getattr(call, node, PINEFS_ALL, &a)) != 0 ||
	    (err = must_have_bytes(a->type)) != 0 ||
	    (err = rights(call, node, MAY_READ, PINEFS_ACCESS_READ, true,
	    &a)) != 0)
		return err;
	if (node->fs->ops.read == NULL)
		return EACCES;
	if (count == 0) {
		data->bytes = xdr_view(NULL, 0);
		data->eof = off >= a->size;
		return 0;
	}
	if ((err = ask_read(call, node, off, count, &out)) != 0)
		return err;
	out_view(out, &data->bytes);
	data->eof = out->eof || out->len == 0;
	return 0;
}

int
vfs_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct vfs_data *data)
{
	int err;

	if (off > OFFSET_MAX) {
		/* Beyond the end of any file. */
		off = OFFSET_MAX;
		count = 0;
	}
	if (count > OFFSET_MAX - off)
		count = (uint32_t)(OFFSET_MAX - off);
	if (!node->fs->tree)
		return read_by_asking(call, node, off, count, data);
	if ((err = must_have_bytes(node_type(node))) != 0 ||
	    (err = own_access_check(call, node, PINEFS_ACCESS_READ)) != 0)
		return err;
	return tree_read(call, node, off, count, data);
}

/*
 * A write by somebody else than root takes suid and sgid away (the tree does
 * it by itself).  Where setattr is missing there were none to set.
 */
static int
clear_suid(struct pinefs_call *call, struct pinefs_node *node,
    const struct who *who)
{
	struct pinefs_set set = { .attr.have = PINEFS_MODE };
	const struct pinefs_change *chg;

	if (node->fs->ops.flags & PINEFS_OWN_ACCESS)
		return 0;		/* it looks after that itself */
	set.attr.mode = access_mode_written(&call->cred, who);
	if (set.attr.mode == who->mode || node->fs->ops.setattr == NULL)
		return 0;
	return ask_setattr(call, node, &set, &chg);
}

static int
write_by_asking(struct pinefs_call *call, struct pinefs_node *node,
    struct vfs_write *vw)
{
	const struct pinefs_attr *a;
	struct pinefs_write *w;
	struct who who;
	int err;

	if ((err = ask_getattr(call, node, PINEFS_ALL, &a)) != 0 ||
	    (err = must_have_bytes(a->type)) != 0 ||
	    (err = rights(call, node, MAY_WRITE, PINEFS_ACCESS_MODIFY, true,
	    &a)) != 0)
		return err;
	if (vw->data.len == 0) {
		vw->committed = PINEFS_FILE_SYNC;
		return vfs_wcc_after(call, node, &vw->wcc);
	}
	who_of_attr(a, &who);
	if ((err = clear_suid(call, node, &who)) != 0 ||
	    (err = ask_write(call, node, vw, &w)) != 0)
		return err;
	vw->written = w->written;
	vw->committed = w->committed;
	return wcc_of_change(call, node, &w->change, &vw->wcc);
}

static int
write_guarded(struct pinefs_call *call, struct pinefs_node *node,
    struct vfs_write *vw)
{
	struct vfs_guard *guard;
	int err;

	if ((err = guard_begin(call, node, GUARD_DATA, &guard)) != 0)
		return err;
	err = node->fs->tree ? tree_write(call, node, vw) :
	    write_by_asking(call, node, vw);
	if (err != PINEFS_LATER)
		vfs_guard_end(guard);
	return err;
}

int
vfs_write(struct pinefs_call *call, struct pinefs_node *node,
    struct vfs_write *vw)
{
	int err;

	vw->written = 0;
	vw->committed = vw->stable;
	memset(&vw->wcc, 0, sizeof vw->wcc);
	err = may_change_at_all(call, node->fs, PINEFS_OP_WRITE);
	if (err == 0 && (vw->off > OFFSET_MAX ||
	    vw->data.len > OFFSET_MAX - vw->off))
		err = EFBIG;
	if (err == 0 && node->fs->tree) {
		if ((err = must_have_bytes(node_type(node))) == 0 &&
		    (err = own_access_check(call, node,
		    PINEFS_ACCESS_MODIFY)) == 0)
			err = write_guarded(call, node, vw);
	} else if (err == 0) {
		err = write_guarded(call, node, vw);
	}
	/* Door 2 may answer later: its caller asks, who can wait. */
	if (err > 0 && !vw->wcc.has_after && node->fs->tree)
		vfs_wcc_after(call, node, &vw->wcc);
	return err;
}

int
vfs_commit(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint64_t len, struct vfs_wcc *wcc)
{
	const struct pinefs_attr *a;
	int err = 0;

	memset(wcc, 0, sizeof *wcc);
	if (node->fs->tree)
		err = must_have_bytes(node_type(node));
	else if ((err = ask_getattr(call, node, PINEFS_ALL, &a)) == 0)
		err = must_have_bytes(a->type);
	if (err != 0)
		return err;
	if (off > OFFSET_MAX || len > OFFSET_MAX - off)
		len = 0;	/* to the end */
	if (node->fs->ops.commit != NULL &&
	    (err = ask_commit(call, node, off, len)) != 0)
		return err;
	err = vfs_getattr(call, node, &wcc->after);
	wcc->has_after = err == 0;
	return err;
}

/* -------------------------------------------------------------- limits -- */

int
vfs_limits(struct pinefs_call *call, struct pinefs_node *node,
    struct vfs_limits *l)
{
	struct pinefs *fs = node->fs;
	const struct pinefs_statfs *st;
	int err;

	memset(l, 0, sizeof *l);
	if (fs->ops.statfs != NULL) {
		if ((err = ask_statfs(call, node, &st)) != 0)
			return err;
		l->st = *st;
	} else {
		l->st.bytes = UINT64_C(1) << 40;
		l->st.files = UINT64_C(1) << 32;
		l->st.invarsec = 3600;
		if (fs->can != 0) {
			l->st.bytes_free = l->st.bytes_avail = l->st.bytes;
			l->st.files_free = l->st.files_avail = l->st.files;
		}
	}
	if (l->st.name_max == 0 || l->st.name_max > 255)
		l->st.name_max = 255;
	if (l->st.link_max == 0)
		l->st.link_max = 32000;
	if (l->st.size_max == 0 || l->st.size_max > OFFSET_MAX)
		l->st.size_max = OFFSET_MAX;
	l->read_only = fs->can == 0 || call->read_only;
	l->can_link = fs->can & PINEFS_OP_LINK;
	l->can_symlink = fs->tree || fs->ops.readlink != NULL;
	l->can_settime = fs->can & PINEFS_OP_SETATTR;
	l->case_insensitive = fs->ops.flags & PINEFS_CASE_INSENSITIVE;
	l->homogeneous = true;
	l->can_allocate = fs->can & PINEFS_OP_WRITE &&
	    fs->ops.allocate != NULL;
	l->can_clone = fs->can & PINEFS_OP_WRITE && fs->ops.clone != NULL;
	return 0;
}

/* ---------------------------------------------------------------- open -- */

int
vfs_open(struct pinefs_call *call, struct pinefs_node *node, uint32_t access)
{
	return node->fs->ops.open == NULL ? 0 : ask_open(call, node, access);
}

void
vfs_close(struct pinefs_node *node)
{
	if (node->fs->ops.close != NULL)
		node->fs->ops.close(node);
}

void
vfs_written(struct pinefs_node *node)
{
	if (node->fs->ops.written != NULL)
		node->fs->ops.written(node);
}
