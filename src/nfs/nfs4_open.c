/*
 * OPEN and what belongs to it (RFC 8881 18.16, RFC 7530 16.16): claims,
 * creation, share reservations; who holds which file open.
 *
 * An OPEN first takes its steps in the file system (look up, create, rights,
 * truncate), which may wait; the tables change after the last of them.
 */
#include <errno.h>

#include "nfs/nfs4_deleg.h"
#include "nfs/nfs4_ops.h"
#include "nfs/nfs4_pseudo.h"

enum {
	ACCESS_BITS = OPEN4_SHARE_ACCESS_BOTH,
	/* 4.1: what the client would like of delegations; a wish. */
	WANT_BITS = 0xff00 | 0x10000 | 0x20000 | 0x100000 | 0x200000
};

/* ---------------------------------------------------------------- tables -- */

static void
open_drop(struct nfs4 *n, struct nfs4_open *open)
{
	struct nfs4_file *f = open->file;

	while (open->locks != NULL)
		nfs4_locks_drop(n, open->locks);
	nfs4_state_leave(n, &open->st);
	*open->prev = open->next;
	if (open->next != NULL)
		open->next->prev = open->prev;
	*open->of_owner_prev = open->of_owner;
	if (open->of_owner != NULL)
		open->of_owner->of_owner_prev = open->of_owner_prev;
	nfs4_owner_less(n, open->owner);
	f->nopens--;
	if (open->access & OPEN4_SHARE_ACCESS_WRITE)
		nfs4_file_writers(n, f, -1);
	pool_give(&n->opens->open, open);
	nfs4_file_put(n, f);
}

void
nfs4_open_drop_owner(struct nfs4 *n, struct nfs4_owner *o)
{
	struct nfs4_open *open = o->opens, *next;

	/* With its last open the owner may go. */
	for (; open != NULL; open = next) {
		next = open->of_owner;
		open_drop(n, open);
	}
}

void
nfs4_open_drop_client(struct nfs4 *n, struct nfs4_client *c)
{
	struct nfs4_owner *o;

	while ((o = c->owners) != NULL) {
		if (o->opens != NULL)
			nfs4_open_drop_owner(n, o);
		else
			nfs4_locks_drop(n, o->locks);
	}
	while (c->idle != NULL)
		nfs4_owner_free(n, c->idle);
}

/* -------------------------------------------------------------- stateids -- */

void
nfs4_set_stateid(struct nfs4_call *call, const stateid4 *id)
{
	call->current.stateid = *id;
	call->current.has_stateid = true;
}

/*
 * That of an open or of locks.  A delegation's is neither, and where it was
 * revoked the operations that take these have no error to say so.
 */
static nfsstat4
state_of(struct nfs4_call *call, const stateid4 *id,
    enum nfs4_state_kind kind, struct nfs4_state **s)
{
	stateid4 real;
	nfsstat4 st;

	if ((st = nfs4_stateid_resolve(call, id, &real)) != NFS4_OK)
		return st;
	st = nfs4_state_find(call, &real, s);
	if (st == NFS4ERR_DELEG_REVOKED ||
	    (st == NFS4_OK && (*s)->kind != kind))
		return NFS4ERR_BAD_STATEID;
	return st;
}

/* Confirmed or not. */
static nfsstat4
any_open_of(struct nfs4_call *call, const stateid4 *id,
    struct nfs4_open **open)
{
	struct nfs4_state *s;
	nfsstat4 st = state_of(call, id, STATE_OPEN, &s);

	if (st != NFS4_OK)
		return st;
	*open = (struct nfs4_open *)s;
	return (*open)->file->node == call->current.node ? NFS4_OK :
	    NFS4ERR_BAD_STATEID;
}

/* RFC 7530 16.18.5: an open that is not confirmed is of no use. */
static bool
is_usable(const struct nfs4_call *call, const struct nfs4_open *open)
{
	return call->minor > 0 || open->owner->confirmed;
}

nfsstat4
nfs4_open_of(struct nfs4_call *call, const stateid4 *id,
    struct nfs4_open **open)
{
	nfsstat4 st = any_open_of(call, id, open);

	return st == NFS4_OK && !is_usable(call, *open) ?
	    NFS4ERR_BAD_STATEID : st;
}

nfsstat4
nfs4_locks_of(struct nfs4_call *call, const stateid4 *id,
    struct nfs4_locks **locks)
{
	struct nfs4_state *s;
	nfsstat4 st = state_of(call, id, STATE_LOCK, &s);

	if (st != NFS4_OK)
		return st;
	*locks = (struct nfs4_locks *)s;
	return (*locks)->open->file->node == call->current.node ? NFS4_OK :
	    NFS4ERR_BAD_STATEID;
}

/*
 * An open in the way of `access` and `deny` on a file, but for one (NULL:
 * none); those of clients whose lease ran out give way.
 */
static bool
is_shared(struct nfs4 *n, const struct pinefs_node *node,
    const struct nfs4_owner *but, uint32_t access, uint32_t deny)
{
	struct nfs4_open *o;
	struct nfs4_file *f;

again:
	f = nfs4_file_find(n, node);
	for (o = f == NULL ? NULL : f->opens; o != NULL; o = o->next) {
		if (o->owner == but ||
		    ((o->access & deny) == 0 && (o->deny & access) == 0))
			continue;
		if (nfs4_client_minds(n, o->st.client))
			goto again;	/* the list is another now */
		return false;
	}
	return true;
}

/* READ and WRITE by one of the special stateids. */
static nfsstat4
io_special(struct nfs4_call *call, const stateid4 *id, uint32_t access)
{
	struct nfs4 *n = call->nfs4;
	nfsstat4 st;

	st = nfs4_grace_check(n, NULL, pinefs_node_fs(call->current.node),
	    false);
	if (st != NFS4_OK)
		return st;
	if (nfs4_stateid_is_bypass(id) &&
	    access == OPEN4_SHARE_ACCESS_READ)
		return NFS4_OK;
	return is_shared(n, call->current.node, NULL, access, 0) ? NFS4_OK :
	    NFS4ERR_LOCKED;
}

static nfsstat4
io_state(struct nfs4_call *call, const stateid4 *id, uint32_t access,
    bool *opened)
{
	struct nfs4_state *s;
	struct nfs4_open *o;
	nfsstat4 st;

	if ((st = nfs4_state_find(call, id, &s)) != NFS4_OK)
		return st;
	if (s->kind == STATE_DELEG) {
		if (((struct nfs4_deleg *)s)->file->node !=
		    call->current.node)
			return NFS4ERR_BAD_STATEID;
		return access == OPEN4_SHARE_ACCESS_READ ? NFS4_OK :
		    NFS4ERR_OPENMODE;
	}
	o = s->kind == STATE_OPEN ? (struct nfs4_open *)s :
	    ((struct nfs4_locks *)s)->open;
	if (o->file->node != call->current.node || !is_usable(call, o))
		return NFS4ERR_BAD_STATEID;
	/* Who may write may read: clients fill pages that they write into. */
	if (access == OPEN4_SHARE_ACCESS_WRITE &&
	    (o->access & OPEN4_SHARE_ACCESS_WRITE) == 0)
		return NFS4ERR_OPENMODE;
	/* What OPEN did not ask for, it did not check. */
	*opened = (o->access & access) != 0;
	return NFS4_OK;
}

nfsstat4
nfs4_state_io(struct nfs4_call *call, const stateid4 *id, uint32_t access,
    bool *opened)
{
	stateid4 real;
	nfsstat4 st;

	*opened = false;
	if ((st = nfs4_stateid_resolve(call, id, &real)) != NFS4_OK)
		return st;
	nfs4_lock(call->nfs4);
	if (nfs4_stateid_is_anonymous(&real) ||
	    nfs4_stateid_is_bypass(&real)) {
		st = io_special(call, &real, access);
	} else {
		st = io_state(call, &real, access, opened);
	}
	nfs4_unlock(call->nfs4);
	return st;
}

/* ------------------------------------------------- OPEN: the file system -- */

/* An OPEN under way; filled again whenever it is run again. */
struct opening {
	const OPEN4args		*args;
	uint32_t		 access, deny;
	struct nfs4_client	*client;
	struct pinefs_node	*node;
	bool			 created;
	bool			 reclaim;
	struct vfs_guard	*guard;		/* no delegation is given */
	struct nfs4_setattr	 set;
	struct vfs_wcc		 dir;
	bool			 has_dir;
};

/* Attributes at creation; an exclusive one of 4.0 has none. */
static nfsstat4
create_args(struct nfs4_call *call, const createhow4 *how,
    struct opening *w, struct pinefs_create *c)
{
	nfsstat4 st = NFS4_OK;

	*c = (struct pinefs_create){ .type = PINEFS_REG };
	switch (how->mode) {
	case UNCHECKED4:
	case GUARDED4:
		c->exclusive = how->mode == GUARDED4 ? PINEFS_GUARDED :
		    PINEFS_UNCHECKED;
		st = nfs4_setattr_get(call, &how->createattrs, &w->set);
		break;
	case EXCLUSIVE4:
		c->exclusive = PINEFS_EXCLUSIVE;
		memcpy(c->verf, how->createverf, sizeof c->verf);
		break;
	case EXCLUSIVE4_1:
		if (call->minor == 0)
			return NFS4ERR_INVAL;
		c->exclusive = PINEFS_EXCLUSIVE;
		memcpy(c->verf, how->ch_createboth.cva_verf, sizeof c->verf);
		st = nfs4_setattr_get(call, &how->ch_createboth.cva_attrs,
		    &w->set);
		break;
	}
	c->set = w->set.set;
	if ((c->set.attr.have & PINEFS_MODE) == 0) {
		c->set.attr.have |= PINEFS_MODE;
		c->set.attr.mode = 0600;
	}
	return st;
}

/* OPEN of a name on which an export is mounted: nothing can be made there. */
static nfsstat4
of_junction(struct nfs4_call *call, const OPEN4args *args)
{
	const openflag4 *how = &args->openhow;

	if (how->opentype == OPEN4_CREATE && how->how.mode != UNCHECKED4)
		return NFS4ERR_EXIST;
	return nfs4_junction(call, nfs_name(args->claim.file)) == NULL ?
	    NFS4ERR_NOENT : NFS4ERR_ISDIR;
}

/* The file named in the current directory, made if need be. */
static int
by_name(struct nfs4_call *call, struct opening *w, nfsstat4 *st)
{
	const createhow4 *how = &w->args->openhow.how;
	struct pinefs_name name = nfs_name(w->args->claim.file);
	bool create = w->args->openhow.opentype == OPEN4_CREATE;
	struct pinefs_node *dir = call->current.node;
	struct pinefs_call *vfs = &call->nfs.vfs;
	struct pinefs_create c;
	int err = ENOENT;

	if (create && (*st = create_args(call, how, w, &c)) != NFS4_OK)
		return 0;
	/* With a verifier, only creating tells whose file it is. */
	if (!create || c.exclusive != PINEFS_EXCLUSIVE)
		err = vfs_lookup(vfs, dir, name, &w->node);
	if (err == 0 && create && c.exclusive == PINEFS_GUARDED)
		err = EEXIST;
	if (err == ENOENT && create) {
		/* A new file is empty; another's must be asked for first. */
		if (c.set.attr.size == 0)
			c.set.attr.have &= ~(uint64_t)PINEFS_SIZE;
		err = vfs_create(vfs, dir, name, &c, &w->node, &w->dir);
		w->created = err == 0 && !vfs->found;
		w->has_dir = true;
	}
	if (err == 0 && !w->created) {
		/* Attributes hold for a new file; size 0 cuts an old one. */
		w->set.set.attr.have &= PINEFS_SIZE;
		if (w->set.set.attr.size != 0)
			w->set.set.attr.have = 0;
	}
	if (err == PINEFS_LATER)
		return err;
	*st = nfs4_status(call, err);
	if (err == 0 && !w->has_dir) {
		/* Nothing was done to the directory. */
		if ((err = vfs_wcc_after(vfs, dir, &w->dir)) != 0)
			return err;
		w->dir.has_before = w->dir.has_after;
		w->dir.change_before = w->dir.after.change;
	}
	return 0;
}

/* The file named, which the client has a delegation for. */
static int
by_delegation(struct nfs4_call *call, struct opening *w, nfsstat4 *st)
{
	const open_claim_delegate_cur4 *cur = &w->args->claim.delegate_cur_info;
	int err;

	if ((*st = nfs4_check_name(cur->file)) != NFS4_OK)
		return 0;
	err = vfs_lookup(&call->nfs.vfs, call->current.node,
	    nfs_name(cur->file), &w->node);
	if (err == 0)
		err = vfs_wcc_after(&call->nfs.vfs, call->current.node,
		    &w->dir);
	if (err == PINEFS_LATER)
		return err;
	*st = nfs4_status(call, err);
	if (err != 0)
		return 0;
	w->dir.has_before = w->dir.has_after;
	w->dir.change_before = w->dir.after.change;
	*st = nfs4_deleg_claim(call, &cur->delegate_stateid, w->node,
	    w->access);
	return 0;
}

static int
by_claim(struct nfs4_call *call, struct opening *w, nfsstat4 *st)
{
	bool create = w->args->openhow.opentype == OPEN4_CREATE;

	*st = NFS4_OK;
	if (call->minor == 0 && w->args->claim.claim > CLAIM_DELEGATE_PREV) {
		*st = NFS4ERR_BADXDR;	/* 4.0 does not know it */
		return 0;
	}
	switch (w->args->claim.claim) {
	case CLAIM_NULL:
		if (call->current.pseudo) {
			*st = create ? NFS4ERR_ROFS : NFS4ERR_ISDIR;
			return 0;
		}
		*st = nfs4_check_name(w->args->claim.file);
		if (*st == NFS4_OK &&
		    nfs4_has_junctions(call, &call->current) &&
		    nfs4_is_junction(call->nfs.nfs,
		    nfs_name(w->args->claim.file)))
			*st = of_junction(call, w->args);
		return *st == NFS4_OK ? by_name(call, w, st) : 0;
	case CLAIM_PREVIOUS:
		w->reclaim = true;
		break;
	case CLAIM_FH:
		break;
	case CLAIM_DELEGATE_CUR:
		if (create)
			*st = NFS4ERR_INVAL;
		else if (call->current.pseudo)
			*st = NFS4ERR_BAD_STATEID;
		else
			return by_delegation(call, w, st);
		return 0;
	case CLAIM_DELEG_CUR_FH:
		if (!create && !call->current.pseudo)
			*st = nfs4_deleg_claim(call,
			    &w->args->claim.oc_delegate_stateid,
			    call->current.node, w->access);
		break;
	default:
		*st = NFS4ERR_NOTSUPP;
		return 0;
	}
	if (*st == NFS4_OK && create)
		*st = NFS4ERR_INVAL;
	if (*st == NFS4_OK && call->current.pseudo)
		*st = NFS4ERR_ISDIR;
	w->node = call->current.node;
	return 0;
}

/* A file system that keeps its own names has to be asked for the type. */
static int
type_of(struct nfs4_call *call, struct pinefs_node *node, uint32_t *type,
    nfsstat4 *st)
{
	struct pinefs_attr attr = { 0 };
	int err = vfs_getattr(&call->nfs.vfs, node, &attr);

	if (err == PINEFS_LATER)
		return err;
	*st = nfs4_status(call, err);
	*type = attr.type;
	return 0;
}

static int
check_type(struct nfs4_call *call, struct pinefs_node *node, nfsstat4 *st)
{
	uint32_t type = 0;
	int err;

	if ((err = type_of(call, node, &type, st)) != 0 || *st != NFS4_OK)
		return err;
	switch (type) {
	case PINEFS_REG:
		break;
	case PINEFS_DIR:
		*st = NFS4ERR_ISDIR;
		break;
	case PINEFS_LNK:
		*st = NFS4ERR_SYMLINK;
		break;
	default:
		*st = call->minor == 0 ? NFS4ERR_INVAL : NFS4ERR_WRONG_TYPE;
		break;
	}
	return 0;
}

/* CLAIM_NULL names a file in a directory. */
static int
check_dir(struct nfs4_call *call, nfsstat4 *st)
{
	uint32_t type = 0;
	int err;

	err = type_of(call, call->current.node, &type, st);
	if (err != 0 || *st != NFS4_OK || type == PINEFS_DIR)
		return err;
	*st = type == PINEFS_LNK && call->minor > 0 ? NFS4ERR_SYMLINK :
	    NFS4ERR_NOTDIR;
	return 0;
}

/* Rights, asked of a file that was there before. */
static int
check_rights(struct nfs4_call *call, struct opening *w, nfsstat4 *st)
{
	uint32_t asked = 0, granted = 0;
	struct pinefs_attr attr;
	int err;

	if (w->access & OPEN4_SHARE_ACCESS_READ)
		asked |= PINEFS_ACCESS_READ | PINEFS_ACCESS_EXECUTE;
	if (w->access & OPEN4_SHARE_ACCESS_WRITE)
		asked |= PINEFS_ACCESS_MODIFY;
	err = vfs_access(&call->nfs.vfs, w->node, asked, &granted, &attr);
	if (err == PINEFS_LATER)
		return err;
	*st = nfs4_status(call, err);
	if (err != 0)
		return 0;
	if ((w->access & OPEN4_SHARE_ACCESS_WRITE) != 0 &&
	    (granted & PINEFS_ACCESS_MODIFY) == 0)
		*st = call->nfs.vfs.read_only ? NFS4ERR_ROFS :
		    NFS4ERR_ACCESS;
	else if ((w->access & OPEN4_SHARE_ACCESS_READ) != 0 &&
	    (granted & (PINEFS_ACCESS_READ | PINEFS_ACCESS_EXECUTE)) == 0)
		*st = NFS4ERR_ACCESS;
	return 0;
}

/* Who reads by a delegation does not know that others write, or mind. */
static bool
breaks_promises(const struct opening *w)
{
	return (w->access & OPEN4_SHARE_ACCESS_WRITE) != 0 ||
	    (w->deny & OPEN4_SHARE_DENY_READ) != 0 ||
	    (w->set.set.attr.have & PINEFS_SIZE) != 0;
}

/* Every step in the file system; PINEFS_LATER, or 0 and *st. */
static int
steps(struct nfs4_call *call, struct opening *w, nfsstat4 *st)
{
	struct vfs_wcc wcc;
	bool shared;
	int err;

	if ((w->args->claim.claim == CLAIM_NULL ||
	    w->args->claim.claim == CLAIM_DELEGATE_CUR) &&
	    !call->current.pseudo &&
	    ((err = check_dir(call, st)) != 0 || *st != NFS4_OK))
		return err;
	if ((err = by_claim(call, w, st)) != 0 || *st != NFS4_OK)
		return err;
	if ((err = check_type(call, w->node, st)) != 0 || *st != NFS4_OK)
		return err;
	if (!w->created && ((err = check_rights(call, w, st)) != 0 ||
	    *st != NFS4_OK))
		return err;
	if (breaks_promises(w) &&
	    (err = vfs_guard_begin(&call->nfs.vfs, w->node, &w->guard)) != 0)
		goto out;
	if (!w->created && (w->set.set.attr.have & PINEFS_SIZE) != 0) {
		nfs4_lock(call->nfs4);
		shared = w->client->dead || is_shared(call->nfs4, w->node,
		    nfs4_owner_find(call->nfs4, w->client,
		    w->args->owner.owner, false),
		    w->access | OPEN4_SHARE_ACCESS_WRITE, w->deny);
		nfs4_unlock(call->nfs4);
		if (!shared) {
			*st = NFS4ERR_SHARE_DENIED;
			return 0;
		}
		err = vfs_setattr(&call->nfs.vfs, w->node, &w->set.set,
		    &wcc);
	}
	/* The last: once that is done, the call does not run again. */
	if (err == 0)
		err = nfs4_file_open(call, w->node, w->access);
out:
	if (err == PINEFS_LATER)
		return err;
	*st = nfs4_status(call, err);
	return 0;
}

/* ------------------------------------------------------ OPEN: the tables -- */

static struct nfs4_open *
find_open(struct nfs4_file *f, const struct nfs4_owner *o)
{
	struct nfs4_open *open = f->opens;

	while (open != NULL && open->owner != o)
		open = open->next;
	return open;
}

static struct nfs4_open *
open_new(struct nfs4 *n, struct nfs4_file *f, struct nfs4_owner *o)
{
	struct nfs4_open *open = pool_take(&n->opens->open);

	if (open == NULL)
		return NULL;
	open->st.client = o->client;
	open->st.kind = STATE_OPEN;
	if (!nfs4_state_enter(n, &open->st)) {
		pool_give(&n->opens->open, open);
		return NULL;
	}
	open->owner = o;
	open->file = f;
	if ((open->of_owner = o->opens) != NULL)
		open->of_owner->of_owner_prev = &open->of_owner;
	open->of_owner_prev = &o->opens;
	o->opens = open;
	nfs4_owner_more(o);
	f->nopens++;
	if ((open->next = f->opens) != NULL)
		open->next->prev = &open->next;
	open->prev = &f->opens;
	f->opens = open;
	return open;
}

/* Nothing came of it: an owner that was made for it goes, too. */
static nfsstat4
in_vain(struct nfs4 *n, struct nfs4_owner **owner, bool fresh, nfsstat4 st)
{
	if (fresh) {
		nfs4_owner_free(n, *owner);
		*owner = NULL;
	}
	return st;
}

/* What the client has now, by all its OPENs of this owner and file. */
static nfsstat4
enter(struct nfs4_call *call, struct opening *w, struct nfs4_owner **owner,
    struct nfs4_open **opened)
{
	struct nfs4 *n = call->nfs4;
	struct nfs4_open *open;
	struct nfs4_file *f;
	bool fresh;

	if (w->client->dead)	/* while we waited */
		return call->minor == 0 ? NFS4ERR_STALE_CLIENTID :
		    NFS4ERR_EXPIRED;
	nfs4_client_make_room(n);
	*owner = nfs4_owner_find(n, w->client, w->args->owner.owner, false);
	if (!is_shared(n, w->node, *owner, w->access, w->deny))
		return NFS4ERR_SHARE_DENIED;
	fresh = *owner == NULL;
	if (fresh && (*owner = nfs4_owner_new(n, w->client,
	    w->args->owner.owner, false)) == NULL)
		return nfs4_no_room(call);
	if ((f = nfs4_file_get(n, w->node)) == NULL)
		return in_vain(n, owner, fresh, nfs4_no_room(call));
	if ((open = find_open(f, *owner)) != NULL) {
		nfs4_state_next(&open->st);
	} else if ((open = open_new(n, f, *owner)) == NULL) {
		nfs4_file_put(n, f);
		return in_vain(n, owner, fresh, nfs4_no_room(call));
	}
	if (w->access & ~(uint32_t)open->access & OPEN4_SHARE_ACCESS_WRITE)
		nfs4_file_writers(n, f, 1);
	if (w->reclaim)		/* RFC 7530 9.1.11: needs no OPEN_CONFIRM */
		(*owner)->confirmed = true;
	open->access |= (uint8_t)w->access;
	open->deny |= (uint8_t)w->deny;
	open->seen_access |= (uint8_t)(1 << w->access);
	open->seen_deny |= (uint8_t)(1 << w->deny);
	nfs4_client_record(n, w->client);
	*opened = open;
	return NFS4_OK;
}

static void
fill(struct nfs4_call *call, const struct opening *w,
    const struct nfs4_owner *owner, struct nfs4_open *open, OPEN4resok *ok)
{
	static uint32_t size_word[1] = { 1u << FATTR4_SIZE };

	memset(ok, 0, sizeof *ok);
	ok->stateid = open->st.id;
	nfs4_change_info(&w->dir, &ok->cinfo);
	ok->rflags = OPEN4_RESULT_LOCKTYPE_POSIX;
	if (call->minor == 0 && !owner->confirmed)
		ok->rflags |= OPEN4_RESULT_CONFIRM;
	if (call->minor > 0)
		ok->rflags |= OPEN4_RESULT_PRESERVE_UNLINKED;
	if (nfs4_cb_may_notify(w->client))
		ok->rflags |= OPEN4_RESULT_MAY_NOTIFY_LOCK;
	if (w->created)
		ok->attrset = w->set.done;
	else if ((w->set.set.attr.have & PINEFS_SIZE) != 0)
		ok->attrset = (bitmap4){ size_word, 1 };
	nfs4_deleg_offer(call, open, w->args, &ok->delegation);
}

static nfsstat4
check_args(const struct nfs4_call *call, struct opening *w)
{
	const OPEN4args *a = w->args;

	w->access = a->share_access;
	if (call->minor > 0)
		w->access &= ~(uint32_t)WANT_BITS;
	w->deny = a->share_deny;
	if (w->access == 0 || (w->access & ~(uint32_t)ACCESS_BITS) != 0 ||
	    (w->deny & ~(uint32_t)OPEN4_SHARE_DENY_BOTH) != 0)
		return NFS4ERR_INVAL;
	return NFS4_OK;
}

/* Who asks, and may he now?  *replay: the answer is in *r already. */
static nfsstat4
admit(struct nfs4_call *call, struct opening *w, nfs_resop4 *r, bool *replay)
{
	const OPEN4args *a = w->args;
	struct nfs4_owner *o;
	enum nfs4_seq seq;
	nfsstat4 st;

	st = nfs4_client_of(call, a->owner.clientid, &w->client);
	if (st != NFS4_OK)
		return st;
	o = nfs4_owner_find(call->nfs4, w->client, a->owner.owner, false);
	seq = nfs4_owner_seq(call, o, a->seqid);
	if (call->minor == 0 && o != NULL && !o->confirmed &&
	    seq != SEQ_REPLAY) {
		/*
		 * RFC 7530 16.18.5: who asks again instead of confirming
		 * starts over, and what was opened before is let go.
		 */
		nfs4_open_drop_owner(call->nfs4, o);
		nfs4_owner_forget_last(call->nfs4, o);
		seq = SEQ_RUN;
	}
	switch (seq) {
	case SEQ_BAD:
		return NFS4ERR_BAD_SEQID;
	case SEQ_REPLAY:
		nfs4_owner_replay(call, o, r);
		*replay = true;
		return NFS4_OK;
	case SEQ_RUN:
		break;
	}
	/* Opens before RECLAIM_COMPLETE would race with reclaims. */
	if (call->minor > 0 && !w->client->reclaimed &&
	    a->claim.claim != CLAIM_PREVIOUS)
		return NFS4ERR_GRACE;
	if (call->current.pseudo)
		return NFS4_OK;
	return nfs4_grace_check(call->nfs4, w->client,
	    pinefs_node_fs(call->current.node),
	    a->claim.claim == CLAIM_PREVIOUS);
}

int
nfs4_op_open(struct nfs4_call *call, const nfs_argop4 *arg, nfs_resop4 *r)
{
	struct opening w = { .args = &arg->opopen };
	struct nfs4_owner *owner = NULL;
	struct nfs4_open *open = NULL;
	OPEN4res *res = &r->opopen;
	bool replay = false;
	nfsstat4 st;
	int err;

	nfs4_lock(call->nfs4);
	st = admit(call, &w, r, &replay);
	if (replay)	/* another was faster, while this one waited */
		nfs4_file_unpin(call);
	nfs4_unlock(call->nfs4);
	if (replay)
		return 0;
	if (st == NFS4_OK)
		st = check_args(call, &w);
	if (st == NFS4_OK && (err = steps(call, &w, &st)) != 0)
		return err;

	nfs4_lock(call->nfs4);
	if (st == NFS4_OK)
		st = enter(call, &w, &owner, &open);
	else if (w.client != NULL)
		owner = nfs4_owner_find(call->nfs4, w.client,
		    w.args->owner.owner, false);
	res->status = st;
	if (st == NFS4_OK) {
		fill(call, &w, owner, open, &res->resok4);
		nfs4_set_current(call, call->nfs.vfs.export, w.node);
		nfs4_set_stateid(call, &open->st.id);
	}
	nfs4_owner_keep(call, owner, w.args->seqid, st, r);
	nfs4_file_unpin(call);
	nfs4_unlock(call->nfs4);
	vfs_guard_end(w.guard);
	return 0;
}

/* -------------------------------------------------- CONFIRM, DOWNGRADE … -- */

/* 4.0: does the open-owner's number allow this?  False: *r or *st is it. */
static bool
in_turn(struct nfs4_call *call, const struct nfs4_owner *o, uint32_t seqid,
    nfs_resop4 *r, nfsstat4 *st)
{
	switch (nfs4_owner_seq(call, o, seqid)) {
	case SEQ_RUN:
		return true;
	case SEQ_REPLAY:
		nfs4_owner_replay(call, o, r);
		*st = NFS4_OK;
		return false;
	case SEQ_BAD:
		break;
	}
	*st = NFS4ERR_BAD_SEQID;
	return false;
}

static struct nfs4_owner *
that_closed(struct nfs4_owner *o, const CLOSE4args *a)
{
	while (o != NULL && !(o->has_last && o->last.resop == OP_CLOSE &&
	    o->seqid == a->seqid && memcmp(o->last.opclose.open_stateid.other,
	    a->open_stateid.other, NFS4_OTHER_SIZE) == 0))
		o = o->next;
	return o;
}

/*
 * A retransmitted CLOSE has a stateid that is gone: its owner is found by
 * what was answered last.
 */
static struct nfs4_owner *
owner_that_closed(struct nfs4_call *call, const CLOSE4args *a)
{
	uint32_t id = xdr_load_u32(a->open_stateid.other + 4);
	struct nfs4_client *c = nfs4_client_find(call->nfs4,
	    (clientid4)call->nfs4->epoch << 32 | id);
	struct nfs4_owner *o;

	if (c == NULL)
		return NULL;
	nfs4_client_release(call->nfs4, c);
	o = that_closed(c->owners, a);
	return o != NULL ? o : that_closed(c->idle, a);
}

int
nfs4_op_open_confirm(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	const OPEN_CONFIRM4args *a = &arg->opopen_confirm;
	OPEN_CONFIRM4res *res = &r->opopen_confirm;
	struct nfs4_open *open = NULL;
	nfsstat4 st;

	nfs4_lock(call->nfs4);
	if (nfs4_owner_retry(call, &a->open_stateid, a->seqid, r))
		goto out;
	st = any_open_of(call, &a->open_stateid, &open);
	if (st == NFS4_OK && open->owner->confirmed)
		st = NFS4ERR_BAD_STATEID;
	if (st == NFS4_OK && in_turn(call, open->owner, a->seqid, r, &st)) {
		open->owner->confirmed = true;
		nfs4_state_next(&open->st);
		res->status = NFS4_OK;
		res->resok4.open_stateid = open->st.id;
		nfs4_owner_keep(call, open->owner, a->seqid, st, r);
	} else if (st != NFS4_OK) {
		res->status = st;
	}
out:
	nfs4_unlock(call->nfs4);
	return 0;
}

/* By one OPEN, or by two together. */
static bool
was_asked(uint8_t seen, uint32_t bits)
{
	return (seen & 1 << bits) != 0 ||
	    (bits == OPEN4_SHARE_ACCESS_BOTH && (seen & 0x06) == 0x06);
}

/* Only to what was opened so before (RFC 8881 18.18.3). */
static nfsstat4
downgrade(struct nfs4 *n, struct nfs4_open *open, uint32_t access,
    uint32_t deny)
{
	if (access == 0 || (access & ~(uint32_t)ACCESS_BITS) != 0 ||
	    (deny & ~(uint32_t)OPEN4_SHARE_DENY_BOTH) != 0 ||
	    !was_asked(open->seen_access, access) ||
	    !was_asked(open->seen_deny, deny))
		return NFS4ERR_INVAL;
	if (open->access & ~access & OPEN4_SHARE_ACCESS_WRITE)
		nfs4_file_writers(n, open->file, -1);
	open->access = (uint8_t)access;
	open->deny = (uint8_t)deny;
	/* What is wider is not there to go back to any more. */
	open->seen_access = (uint8_t)(1 << access |
	    (open->seen_access & (access == 3 ? 0x06 : 0)));
	open->seen_deny = (uint8_t)(1 << deny |
	    (open->seen_deny & (deny == 3 ? 0x07 : deny == 0 ? 0 : 0x01)));
	nfs4_state_next(&open->st);
	return NFS4_OK;
}

int
nfs4_op_open_downgrade(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	const OPEN_DOWNGRADE4args *a = &arg->opopen_downgrade;
	OPEN_DOWNGRADE4res *res = &r->opopen_downgrade;
	uint32_t access = a->share_access;
	struct nfs4_open *open;
	nfsstat4 st;

	if (call->minor > 0)
		access &= ~(uint32_t)WANT_BITS;
	nfs4_lock(call->nfs4);
	if (nfs4_owner_retry(call, &a->open_stateid, a->seqid, r))
		goto out;
	st = nfs4_open_of(call, &a->open_stateid, &open);
	if (st != NFS4_OK) {
		res->status = st;
	} else if (!in_turn(call, open->owner, a->seqid, r, &st)) {
		if (st != NFS4_OK)
			res->status = st;
	} else {
		st = downgrade(call->nfs4, open, access, a->share_deny);
		res->status = st;
		res->resok4.open_stateid = open->st.id;
		if (st == NFS4_OK)
			nfs4_set_stateid(call, &open->st.id);
		nfs4_owner_keep(call, open->owner, a->seqid, st, r);
	}
out:
	nfs4_unlock(call->nfs4);
	return 0;
}

/* The stateid that CLOSE answers is of no use, and 4.1 says so. */
static void
close_open(struct nfs4_call *call, struct nfs4_open *open, CLOSE4res *res)
{
	nfs4_state_next(&open->st);
	res->open_stateid = open->st.id;
	if (call->minor > 0) {
		memset(res->open_stateid.other, 0, NFS4_OTHER_SIZE);
		res->open_stateid.seqid = UINT32_MAX;
	}
	open_drop(call->nfs4, open);
	call->current.has_stateid = false;
}

int
nfs4_op_close(struct nfs4_call *call, const nfs_argop4 *arg, nfs_resop4 *r)
{
	const CLOSE4args *a = &arg->opclose;
	CLOSE4res *res = &r->opclose;
	struct nfs4_owner *o;
	struct nfs4_open *open;
	nfsstat4 st;

	nfs4_lock(call->nfs4);
	st = any_open_of(call, &a->open_stateid, &open);
	if (st != NFS4_OK) {
		res->status = st;
		if (call->minor == 0 &&
		    (o = owner_that_closed(call, a)) != NULL)
			nfs4_owner_replay(call, o, r);
	} else if (!in_turn(call, open->owner, a->seqid, r, &st)) {
		if (st != NFS4_OK)
			res->status = st;
	} else {
		/* 4.1 has no use for an owner without anything: it goes. */
		o = call->minor > 0 ? NULL : open->owner;
		res->status = NFS4_OK;
		close_open(call, open, res);
		nfs4_owner_keep(call, o, a->seqid, NFS4_OK, r);
	}
	nfs4_unlock(call->nfs4);
	return 0;
}

/* ---------------------------------------------------------------- server -- */

int
nfs4_opens_init(struct nfs4 *n)
{
	struct nfs4_opens *o = pool_zalloc(sizeof *o);

	if ((n->opens = o) == NULL)
		return ENOMEM;
	pool_init(&o->file, sizeof(struct nfs4_file), n->limits.states);
	pool_init(&n->held, sizeof(struct nfs4_held),
	    n->limits.states + n->limits.owners);
	pool_init(&o->owner, sizeof(struct nfs4_owner), n->limits.owners);
	pool_init(&o->open, sizeof(struct nfs4_open), n->limits.states);
	pool_init(&o->locks, sizeof(struct nfs4_locks), n->limits.states);
	pool_init(&o->range, sizeof(struct nfs4_range), n->limits.ranges);
	nfs4_blocked_init(n);
	return 0;
}

void
nfs4_opens_fini(struct nfs4 *n)
{
	struct nfs4_opens *o = n->opens;

	if (o == NULL)
		return;
	pool_fini(&n->held);
	pool_fini(&o->blocked);
	pool_fini(&o->range);
	pool_fini(&o->locks);
	pool_fini(&o->open);
	pool_fini(&o->owner);
	pool_fini(&o->file);
	pool_zfree(o);
	n->opens = NULL;
}
