/*
 * The state of NFS version 4: clients and their leases, sessions and slots,
 * open-owners, opens, lock-owners, locks, delegations; every stateid finds
 * its entry here.  One lock, nfs4->lock, over all of it; it is held for
 * microseconds and never while a step of vfs is taken.
 *
 *	client --- sessions --- slots		(4.1: nfs4_session.c)
 *	   |
 *	   +--- owners --- opens --- locks	(nfs4_open.c, nfs4_lock.c)
 *	   |                 |         |
 *	   +--- delegations  |         |	(nfs4_deleg.c)
 *	             |       |         |
 *	             +-------+---------+--- file (one per object with state)
 *
 * Tables own their entries; ids carry an epoch of this instance, so that one
 * of an earlier instance is told from one that never was.
 */
#ifndef NFS_NFS4_STATE_H
#define NFS_NFS4_STATE_H

#include "nfs/nfs4.h"

/*
 * Records of clients that outlive the server, kept by src/server in the state
 * directory; NULL functions: nothing is kept (a volatile file system).  All
 * but `sync` only take note, and may be called by several threads at once.
 */
struct nfs4_records {
	/* fn for each client recorded by an earlier instance. */
	int	(*each)(void *arg, void (*fn)(void *ctx, const void *owner,
		    uint32_t len), void *ctx);
	int	(*add)(void *arg, const void *owner, uint32_t len);
	void	(*remove)(void *arg, const void *owner, uint32_t len);
	/* Grace is over: those not added again since the start are gone. */
	void	(*end)(void *arg);
	/* What the three have said is on the disk, or an error. */
	int	(*sync)(void *arg);
	void	*arg;
};

/* ------------------------------------------------------------- clients -- */

/* All of these with the lock held. */

/* Found and counted; NULL: unknown. */
struct nfs4_client *nfs4_client_find(struct nfs4 *, clientid4);
void	nfs4_client_release(struct nfs4 *, struct nfs4_client *);
clientid4 nfs4_client_id(const struct nfs4_client *);
/* The lease is renewed by anything the client does successfully. */
void	nfs4_client_renew(struct nfs4 *, struct nfs4_client *);
/*
 * The client that an operation means: that of SEQUENCE, or in 4.0 that of
 * `id`, which the call then counts.  NFS4_OK, STALE_CLIENTID.
 */
nfsstat4 nfs4_client_of(struct nfs4_call *, clientid4 id,
	    struct nfs4_client **);
/*
 * State of `holder` is in somebody's way.  True: its lease had run out, and
 * it is gone now, with all it had; look again.
 */
bool	nfs4_client_minds(struct nfs4 *, struct nfs4_client *holder);
/* The same question, and nothing is done. */
bool	nfs4_client_is_silent(const struct nfs4_client *);
/*
 * Before an operation takes more state: where there is too much already,
 * clients whose lease ran out give way.  Pointers into the tables may be
 * gone after it.
 */
void	nfs4_client_make_room(struct nfs4 *);
/*
 * Put it on stable storage, at its first OPEN; it is there when nfs4_unlock
 * returns.  And take it from there.  Grace is over.
 */
void	nfs4_client_record(struct nfs4 *, struct nfs4_client *);
void	nfs4_client_forget(struct nfs4 *, struct nfs4_client *);
void	nfs4_records_end(struct nfs4 *);
/* GRACE while others reclaim and this is no reclaim; NO_GRACE. */
nfsstat4 nfs4_grace_check(struct nfs4 *, const struct nfs4_client *,
	    const struct pinefs *fs, bool reclaim);
void	nfs4_grace_end(struct nfs4 *);

/* CREATE_SESSION: its client, which the first session confirms. */
nfsstat4 nfs4_client_for_session(struct nfs4_call *, clientid4,
	    struct nfs4_client **);
void	nfs4_client_confirm(struct nfs4 *, struct nfs4_client *);

/* Everything of a client that goes. */
void	nfs4_open_drop_client(struct nfs4 *, struct nfs4_client *);
void	nfs4_lock_drop_client(struct nfs4 *, struct nfs4_client *);
void	nfs4_deleg_drop_client(struct nfs4 *, struct nfs4_client *);

/* Made and unmade with the server; `start` once timers run. */
int	nfs4_clients_init(struct nfs4 *);
void	nfs4_clients_start(struct nfs4 *);
void	nfs4_clients_drop(struct nfs4 *);	/* with all they have */
void	nfs4_clients_fini(struct nfs4 *);

/* ------------------------------------------------------------ stateids -- */

/* What a stateid may be of. */
enum nfs4_state_kind { STATE_OPEN, STATE_LOCK, STATE_DELEG };

/* First member of every open, lock and delegation. */
struct nfs4_state {
	struct nfs4_state	*hash_next, **hash_prev;
	struct nfs4_client	*client;	/* borrowed: it owns us */
	stateid4		 id;		/* seqid, other */
	uint8_t			 kind;
	bool			 revoked;	/* admin, or lost courtesy */
	bool			 confirmed;	/* 4.0 opens */
};

/*
 * Give it a fresh `other` and seqid 1, and enter it; false: too much state.
 * Its client must be set.  And out again; the next seqid.
 */
bool	nfs4_state_enter(struct nfs4 *, struct nfs4_state *);
void	nfs4_state_leave(struct nfs4 *, struct nfs4_state *);
void	nfs4_state_next(struct nfs4_state *);
/*
 * Find the entry of a stateid of this client (of whoever owns it, in 4.0:
 * client NULL).  NFS4_OK; BAD_STATEID, STALE_STATEID (4.0, another epoch),
 * OLD_STATEID, EXPIRED, ADMIN_REVOKED.  With the lock held.
 */
nfsstat4 nfs4_state_find(struct nfs4_call *, const stateid4 *,
	    struct nfs4_state **);
/* The same by `other` alone, whoever asks; NULL: there is none. */
struct nfs4_state *nfs4_state_other(struct nfs4 *, const stateid4 *);
/*
 * Bytes of the tables, for a reply: copied, for it is encoded when the lock is
 * free again.  Without memory there are none.
 */
void	nfs4_view_copy(struct nfs4_call *, struct xdr_view *);
/* All zeros, all ones; the current stateid (other 0, seqid 1) is neither. */
bool	nfs4_stateid_is_anonymous(const stateid4 *);
bool	nfs4_stateid_is_bypass(const stateid4 *);

#endif
