/*
 * Byte-range locks (RFC 8881 18.10 to 18.12, RFC 7530 16.10 to 16.12).
 *
 * A file has one list of ranges, sorted by their start; ranges of one
 * lock-owner never overlap, and adjoining ones of one kind are joined.  LOCK
 * never waits: a client that would be blocked is told who holds it and asks
 * again.
 */
#include <errno.h>

#include "nfs/nfs4_deleg.h"
#include "nfs/nfs4_ops.h"

/* ---------------------------------------------------------------- ranges -- */

/* Offset and length as first and last byte; all ones: to the end. */
static nfsstat4
span(uint64_t off, uint64_t len, uint64_t *start, uint64_t *end)
{
	if (len == 0)
		return NFS4ERR_INVAL;
	*start = off;
	if (len == NFS4_UINT64_MAX)
		*end = NFS4_UINT64_MAX;
	else if (len > NFS4_UINT64_MAX - off)
		return NFS4ERR_INVAL;
	else
		*end = off + (len - 1);
	return NFS4_OK;
}

static bool
is_write(nfs_lock_type4 type)
{
	return type == WRITE_LT || type == WRITEW_LT;
}

static void
range_free(struct nfs4 *n, struct nfs4_range **at)
{
	struct nfs4_range *r = *at;

	*at = r->next;
	r->locks->nranges--;
	r->locks->st.client->nranges--;
	pool_give(&n->opens->range, r);
}

/* NULL: no memory, or its client has too many. */
static struct nfs4_range *
range_new(struct nfs4 *n, struct nfs4_client *c)
{
	struct nfs4_range *r;

	if (c->nranges >= n->limits.client_ranges ||
	    (r = pool_take(&n->opens->range)) == NULL)
		return NULL;
	c->nranges++;
	return r;
}

static bool
range_add(struct nfs4 *n, struct nfs4_locks *l, uint64_t start, uint64_t end,
    bool write)
{
	struct nfs4_range *r = range_new(n, l->st.client), **at;

	if (r == NULL)
		return false;
	*r = (struct nfs4_range){ .locks = l, .start = start, .end = end,
	    .write = write };
	at = &l->open->file->ranges;
	while (*at != NULL && (*at)->start < start)
		at = &(*at)->next;
	r->next = *at;
	*at = r;
	l->nranges++;
	return true;
}

/*
 * Take [start, end] out of what the owner holds.  A range around it is split,
 * for which memory may be missing: false, and nothing is changed.
 */
static bool
ranges_cut(struct nfs4 *n, struct nfs4_locks *l, uint64_t start,
    uint64_t end)
{
	struct nfs4_range **at = &l->open->file->ranges, *r;

	while ((r = *at) != NULL && r->start <= end) {
		if (r->locks->owner != l->owner || r->end < start) {
			at = &r->next;
		} else if (r->start < start && r->end > end) {
			if (!range_add(n, r->locks, end + 1, r->end,
			    r->write))
				return false;
			r->end = start - 1;
			return true;
		} else if (r->start < start) {
			r->end = start - 1;
			at = &r->next;
		} else if (r->end > end) {
			/* Its start moves up: it may belong further down. */
			r->start = end + 1;
			return true;
		} else {
			range_free(n, at);
		}
	}
	return true;
}

static void
sort(struct nfs4_range **list)
{
	struct nfs4_range **at = list, *r, *next;

	/* At most one range is out of place, and moves down the list. */
	while ((r = *at) != NULL && (next = r->next) != NULL) {
		if (next->start < r->start) {
			r->next = next->next;
			next->next = r;
			*at = next;
			at = &next->next;
		} else {
			at = &r->next;
		}
	}
}

/* Join what adjoins, of one owner and kind. */
static void
join(struct nfs4 *n, struct nfs4_locks *l)
{
	struct nfs4_range *r, **at;

	for (r = l->open->file->ranges; r != NULL; r = r->next) {
		if (r->locks != l)
			continue;
		for (at = &r->next; *at != NULL && r->end !=
		    NFS4_UINT64_MAX && (*at)->start <= r->end + 1; ) {
			if ((*at)->locks == l && (*at)->write == r->write &&
			    (*at)->start == r->end + 1) {
				r->end = (*at)->end;
				range_free(n, at);
			} else {
				at = &(*at)->next;
			}
		}
	}
}

static bool
lock_range(struct nfs4 *n, struct nfs4_locks *l, uint64_t start,
    uint64_t end, bool write)
{
	/* The new one first: then nothing can be lost for want of memory. */
	struct nfs4_range *room = range_new(n, l->st.client);
	bool cut = room != NULL && ranges_cut(n, l, start, end);

	if (room != NULL) {
		l->st.client->nranges--;
		pool_give(&n->opens->range, room);
	}
	if (!cut)
		return false;
	range_add(n, l, start, end, write);
	sort(&l->open->file->ranges);
	join(n, l);
	return true;
}

/* Somebody else's range in the way; those of expired clients give way. */
static const struct nfs4_range *
conflict(struct nfs4 *n, const struct pinefs_node *node,
    const struct nfs4_owner *owner, uint64_t start, uint64_t end, bool write)
{
	struct nfs4_file *f;
	struct nfs4_range *r;

again:
	f = nfs4_file_find(n, node);
	for (r = f == NULL ? NULL : f->ranges; r != NULL && r->start <= end;
	    r = r->next) {
		if (r->locks->owner == owner || r->end < start ||
		    (!write && !r->write))
			continue;
		if (nfs4_client_minds(n, r->locks->st.client))
			goto again;	/* the list is another now */
		return r;
	}
	return NULL;
}

static void
denied(const struct nfs4_range *r, LOCK4denied *d)
{
	const struct nfs4_owner *o = r->locks->owner;

	d->offset = r->start;
	d->length = r->end == NFS4_UINT64_MAX ? NFS4_UINT64_MAX :
	    r->end - r->start + 1;
	d->locktype = r->write ? WRITE_LT : READ_LT;
	d->owner.clientid = o->client->id;
	d->owner.owner = xdr_view(o->id->data, (uint32_t)o->id->len);
}

/* The holder's name must outlive the lock on the tables. */
static nfsstat4
denied_copy(struct nfs4_call *call, LOCK4denied *d)
{
	void *copy = nfs_call_alloc(&call->nfs, d->owner.owner.len + 1);

	if (copy == NULL)
		return NFS4ERR_DELAY;
	memcpy(copy, d->owner.owner.data, d->owner.owner.len);
	d->owner.owner.data = copy;
	return NFS4ERR_DENIED;
}

/* ----------------------------------------------------------- lock states -- */

void
nfs4_locks_drop(struct nfs4 *n, struct nfs4_locks *l)
{
	struct nfs4_range **at = &l->open->file->ranges;
	struct nfs4_owner *o = l->owner;

	while (*at != NULL) {
		if ((*at)->locks == l)
			range_free(n, at);
		else
			at = &(*at)->next;
	}
	nfs4_blocked_tell(n, l->open->file);
	nfs4_state_leave(n, &l->st);
	*l->prev = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	*l->of_owner_prev = l->of_owner;
	if (l->of_owner != NULL)
		l->of_owner->of_owner_prev = l->of_owner_prev;
	pool_give(&n->opens->locks, l);
	nfs4_owner_less(n, o);
}

void
nfs4_lock_drop_client(struct nfs4 *n, struct nfs4_client *c)
{
	/* Locks themselves hang on opens, and go with those. */
	nfs4_blocked_drop_client(n, c);
}

static struct nfs4_locks *
find_locks(struct nfs4_open *open, const struct nfs4_owner *owner)
{
	struct nfs4_locks *l = open->locks;

	while (l != NULL && l->owner != owner)
		l = l->next;
	return l;
}

static struct nfs4_locks *
locks_new(struct nfs4 *n, struct nfs4_open *open, struct nfs4_owner *owner)
{
	struct nfs4_locks *l = pool_take(&n->opens->locks);

	if (l == NULL)
		return NULL;
	l->st.client = open->st.client;
	l->st.kind = STATE_LOCK;
	if (!nfs4_state_enter(n, &l->st)) {
		pool_give(&n->opens->locks, l);
		return NULL;
	}
	l->st.id.seqid = 0;	/* counted up by the LOCK that makes it */
	l->owner = owner;
	l->open = open;
	if ((l->of_owner = owner->locks) != NULL)
		l->of_owner->of_owner_prev = &l->of_owner;
	l->of_owner_prev = &owner->locks;
	owner->locks = l;
	nfs4_owner_more(owner);
	if ((l->next = open->locks) != NULL)
		l->next->prev = &l->next;
	l->prev = &open->locks;
	open->locks = l;
	return l;
}

/* ------------------------------------------------------------------ LOCK -- */

/* Where a LOCK stands: its open, its owner, and what they have already. */
struct locking {
	struct nfs4_open	*open;
	struct nfs4_owner	*owner;
	struct nfs4_locks	*locks;		/* NULL: the first of them */
	struct nfs4_owner	*numbered;	/* whose seqid this is (4.0) */
	uint32_t		 seqid;
	bool			 fresh;		/* owner was made for it */
};

/* The first lock of an owner under an open. */
static nfsstat4
first_lock(struct nfs4_call *call, const open_to_lock_owner4 *a,
    struct locking *w)
{
	nfsstat4 st = nfs4_open_of(call, &a->open_stateid, &w->open);

	if (st != NFS4_OK)
		return st;
	w->numbered = w->open->owner;
	w->seqid = a->open_seqid;
	w->owner = nfs4_owner_find(call->nfs4, w->open->st.client,
	    a->lock_owner.owner, true);
	if (w->owner == NULL) {
		w->owner = nfs4_owner_new(call->nfs4, w->open->st.client,
		    a->lock_owner.owner, true);
		if (w->owner == NULL)
			return nfs4_no_room(call);
		w->fresh = true;
	}
	w->locks = find_locks(w->open, w->owner);
	return NFS4_OK;
}

static nfsstat4
next_lock(struct nfs4_call *call, const exist_lock_owner4 *a,
    struct locking *w)
{
	nfsstat4 st = nfs4_locks_of(call, &a->lock_stateid, &w->locks);

	if (st != NFS4_OK)
		return st;
	w->open = w->locks->open;
	w->owner = w->numbered = w->locks->owner;
	w->seqid = a->lock_seqid;
	return NFS4_OK;
}

static nfsstat4
lock(struct nfs4_call *call, const LOCK4args *a, struct locking *w,
    LOCK4res *res)
{
	bool write = is_write(a->locktype);
	const struct nfs4_range *r;
	uint64_t start, end;
	nfsstat4 st;
	bool first;

	if ((st = span(a->offset, a->length, &start, &end)) != NFS4_OK)
		return st;
	if (write && (w->open->access & OPEN4_SHARE_ACCESS_WRITE) == 0)
		return NFS4ERR_OPENMODE;
	if (!write && (w->open->access & OPEN4_SHARE_ACCESS_READ) == 0)
		return NFS4ERR_OPENMODE;
	st = nfs4_grace_check(call->nfs4, w->open->st.client,
	    pinefs_node_fs(call->current.node), a->reclaim);
	if (st != NFS4_OK)
		return st;
	r = conflict(call->nfs4, call->current.node, w->owner, start, end,
	    write);
	if (r != NULL) {
		if (a->locktype == READW_LT || a->locktype == WRITEW_LT)
			nfs4_blocked_note(call, w->open->file, w->owner,
			    start, end, write);
		denied(r, &res->denied);
		return denied_copy(call, &res->denied);
	}
	nfs4_blocked_forget(call->nfs4, w->open->file, w->owner, start, end);
	first = w->locks == NULL;
	if (first && (w->locks = locks_new(call->nfs4, w->open,
	    w->owner)) == NULL)
		return nfs4_no_room(call);
	if (!lock_range(call->nfs4, w->locks, start, end, write)) {
		if (first)
			nfs4_locks_drop(call->nfs4, w->locks);
		/* And an owner that had none but these went with them. */
		w->fresh = w->fresh && !first;
		return nfs4_no_room(call);
	}
	if (!write)	/* it may have been more before */
		nfs4_blocked_tell(call->nfs4, w->open->file);
	nfs4_state_next(&w->locks->st);
	res->resok4.lock_stateid = w->locks->st.id;
	nfs4_set_stateid(call, &w->locks->st.id);
	return NFS4_OK;
}

int
nfs4_op_lock(struct nfs4_call *call, const nfs_argop4 *arg, nfs_resop4 *r)
{
	const LOCK4args *a = &arg->oplock;
	struct locking w = { 0 };
	LOCK4res *res = &r->oplock;
	nfsstat4 st;

	nfs4_lock(call->nfs4);
	nfs4_client_make_room(call->nfs4);
	if (!a->locker.new_lock_owner && nfs4_owner_retry(call,
	    &a->locker.lock_owner.lock_stateid,
	    a->locker.lock_owner.lock_seqid, r))
		goto out;
	st = a->locker.new_lock_owner ?
	    first_lock(call, &a->locker.open_owner, &w) :
	    next_lock(call, &a->locker.lock_owner, &w);
	if (st != NFS4_OK) {
		res->status = st;
	} else switch (nfs4_owner_seq(call, w.numbered, w.seqid)) {
	case SEQ_REPLAY:
		nfs4_owner_replay(call, w.numbered, r);
		break;
	case SEQ_BAD:
		res->status = NFS4ERR_BAD_SEQID;
		break;
	case SEQ_RUN:
		res->status = st = lock(call, a, &w, res);
		if (st == NFS4_OK && a->locker.new_lock_owner)
			w.owner->seqid = a->locker.open_owner.lock_seqid;
		nfs4_owner_keep(call, w.numbered, w.seqid, st, r);
		break;
	}
	/* Nothing came of it: its owner was made in vain. */
	if (w.fresh && w.owner->nstates == 0)
		nfs4_owner_free(call->nfs4, w.owner);
out:
	nfs4_unlock(call->nfs4);
	return 0;
}

/* ----------------------------------------------------------- LOCKT, LOCKU -- */

int
nfs4_op_lockt(struct nfs4_call *call, const nfs_argop4 *arg, nfs_resop4 *r)
{
	const LOCKT4args *a = &arg->oplockt;
	const struct nfs4_range *holder;
	const struct nfs4_owner *owner;
	LOCKT4res *res = &r->oplockt;
	struct nfs4_client *c;
	uint64_t start, end;
	nfsstat4 st;

	nfs4_lock(call->nfs4);
	st = nfs4_client_of(call, a->owner.clientid, &c);
	if (st == NFS4_OK)
		st = span(a->offset, a->length, &start, &end);
	if (st == NFS4_OK)
		st = nfs4_grace_check(call->nfs4, c,
		    pinefs_node_fs(call->current.node), false);
	if (st == NFS4_OK) {
		owner = nfs4_owner_find(call->nfs4, c, a->owner.owner, true);
		holder = conflict(call->nfs4, call->current.node, owner,
		    start, end, is_write(a->locktype));
		if (holder != NULL) {
			denied(holder, &res->denied);
			st = denied_copy(call, &res->denied);
		}
	}
	res->status = st;
	nfs4_unlock(call->nfs4);
	return 0;
}

static nfsstat4
unlock(struct nfs4_call *call, const LOCKU4args *a, struct nfs4_locks *l)
{
	uint64_t start, end;
	nfsstat4 st;

	if ((st = span(a->offset, a->length, &start, &end)) != NFS4_OK)
		return st;
	if (!ranges_cut(call->nfs4, l, start, end))
		return nfs4_no_room(call);
	sort(&l->open->file->ranges);
	nfs4_blocked_tell(call->nfs4, l->open->file);
	nfs4_state_next(&l->st);
	return NFS4_OK;
}

int
nfs4_op_locku(struct nfs4_call *call, const nfs_argop4 *arg, nfs_resop4 *r)
{
	const LOCKU4args *a = &arg->oplocku;
	LOCKU4res *res = &r->oplocku;
	struct nfs4_locks *l;
	nfsstat4 st;

	nfs4_lock(call->nfs4);
	if (nfs4_owner_retry(call, &a->lock_stateid, a->seqid, r))
		goto out;
	st = nfs4_locks_of(call, &a->lock_stateid, &l);
	if (st != NFS4_OK) {
		res->status = st;
	} else switch (nfs4_owner_seq(call, l->owner, a->seqid)) {
	case SEQ_REPLAY:
		nfs4_owner_replay(call, l->owner, r);
		break;
	case SEQ_BAD:
		res->status = NFS4ERR_BAD_SEQID;
		break;
	case SEQ_RUN:
		res->status = st = unlock(call, a, l);
		if (st == NFS4_OK) {
			res->lock_stateid = l->st.id;
			nfs4_set_stateid(call, &l->st.id);
		}
		nfs4_owner_keep(call, l->owner, a->seqid, st, r);
		break;
	}
out:
	nfs4_unlock(call->nfs4);
	return 0;
}

/* ------------------------------------------------------- letting go of it -- */

static bool
has_ranges(const struct nfs4_owner *o)
{
	const struct nfs4_locks *l = o->locks;

	while (l != NULL && l->nranges == 0)
		l = l->of_owner;
	return l != NULL;
}

bool
nfs4_owner_release(struct nfs4 *n, struct nfs4_owner *o)
{
	if (has_ranges(o))
		return false;
	nfs4_owner_forget_last(n, o);
	if (o->locks == NULL) {
		nfs4_owner_free(n, o);
		return true;
	}
	/* Nothing to be repeated, either: with the last the owner goes. */
	for (struct nfs4_locks *l = o->locks, *next; l != NULL; l = next) {
		next = l->of_owner;
		nfs4_locks_drop(n, l);
	}
	return true;
}

/* 4.0, RFC 7530 16.37. */
int
nfs4_op_release_lockowner(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	const lock_owner4 *a = &arg->oprelease_lockowner.lock_owner;
	struct nfs4_client *c;
	struct nfs4_owner *o;
	nfsstat4 st;

	nfs4_lock(call->nfs4);
	st = nfs4_client_of(call, a->clientid, &c);
	o = st == NFS4_OK ? nfs4_owner_find(call->nfs4, c, a->owner, true) : NULL;
	if (o != NULL && !nfs4_owner_release(call->nfs4, o))
		st = NFS4ERR_LOCKS_HELD;
	r->oprelease_lockowner.status = st;
	nfs4_unlock(call->nfs4);
	return 0;
}

/* 4.1, RFC 8881 18.38. */
int
nfs4_op_free_stateid(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	struct nfs4_state *s;
	nfsstat4 st;

	nfs4_lock(call->nfs4);
	st = nfs4_state_find(call, &arg->opfree_stateid.fsa_stateid, &s);
	if (st == NFS4_OK || st == NFS4ERR_OLD_STATEID) {
		if (st == NFS4_OK && s->kind == STATE_LOCK &&
		    ((struct nfs4_locks *)s)->nranges == 0)
			nfs4_locks_drop(call->nfs4, (struct nfs4_locks *)s);
		else if (st == NFS4_OK)
			st = NFS4ERR_LOCKS_HELD;
	} else if (st == NFS4ERR_DELEG_REVOKED) {
		s = nfs4_state_other(call->nfs4,
		    &arg->opfree_stateid.fsa_stateid);
		nfs4_deleg_free(call->nfs4, (struct nfs4_deleg *)s);
		st = NFS4_OK;	/* the client knows now */
	}
	r->opfree_stateid.fsr_status = st;
	nfs4_unlock(call->nfs4);
	return 0;
}
