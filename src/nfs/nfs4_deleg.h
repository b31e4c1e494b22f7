/*
 * Read delegations, and the way back to clients: nfs4_deleg.c and
 * nfs4_callback.c.  All under nfs4->lock, but where it says otherwise.
 */
#ifndef NFS_NFS4_DELEG_H
#define NFS_NFS4_DELEG_H

#include "nfs/nfs4_opens.h"

enum {
	NFS4_MAX_DELEGS = 1024,		/* of one client */
	NFS4_MAX_CALLBACKS = 65536,	/* waiting to be told */
	NFS4_MAX_WAITERS = 128,		/* each may hold 1 MiB to write */
	NFS4_MAX_PATIENT = 1024,	/* ... or, in version 2, 8 KiB */
	NFS4_DELEG_TABLE = 1024
};

/* The OPEN that gave something: a callback may overtake its reply. */
struct nfs4_referring {
	bool		known;
	sessionid4	session;
	slotid4		slot;
	sequenceid4	seq;
};

/*
 * A read delegation.  Revoked ones are kept, out of their file's list, until
 * the client has taken note (FREE_STATEID; 4.0: DELEGRETURN).
 */
struct nfs4_deleg {
	struct nfs4_state	 st;		/* first */
	struct nfs4_deleg	*next, **prev;	/* of the file */
	struct nfs4_deleg	*client_next, **client_prev;
	struct nfs4_deleg	*recall_next, **recall_prev; /* NULL: is not */
	struct nfs4_file	*file;		/* NULL: revoked */
	const struct vfs_export	*export;
	uint64_t		 revoke_ms;	/* when it is being recalled */
	struct nfs4_cb		*cb;		/* that is to tell of it */
	bool			 told;		/* it has */
	bool			 unknown;	/* to the client, who says so */
	uint64_t		 holder;	/* see `shunned` */
	struct nfs4_referring	 open;
};

/* A change that waits for delegations of others to be returned. */
struct nfs4_waiter {
	struct nfs4_waiter	*next, **prev;
	struct pinefs_call	*call;
	const struct pinefs_node *node;
	uint64_t		 until_ms;
};

struct nfs4_cb;

/* A place of a table that may forget. */
struct nfs4_note {
	uint64_t		 tag, until_ms;
};

struct nfs4_delegs {
	unsigned		 nwatched;	/* exports; 0: all is off */
	bool			 ticks;		/* a timer runs */
	struct pool		 deleg, cb;
	struct nfs4_deleg	*recalled;	/* oldest last */
	struct nfs4_waiter	*waiters;
	unsigned		 nwaiters;
	/* Who opened what before; files recalled lately; who did not return
	 * what he had, by address, whatever he calls himself. */
	uint64_t		 seen[NFS4_DELEG_TABLE];
	struct nfs4_note	 quiet[NFS4_DELEG_TABLE];
	struct nfs4_note	 shunned[NFS4_DELEG_TABLE];
};

/* ---------------------------------------------------------- delegations -- */

/*
 * For the answer of an OPEN that has just been entered: a delegation if that
 * is wise, else none, and why, if the client asked for one.
 */
void	nfs4_deleg_offer(struct nfs4_call *, struct nfs4_open *,
	    const OPEN4args *, open_delegation4 *);
/*
 * CLAIM_DELEGATE_CUR and CLAIM_DELEG_CUR_FH: may this client open `node` by
 * that delegation?  Takes the lock.
 */
nfsstat4 nfs4_deleg_claim(struct nfs4_call *, const stateid4 *,
	    const struct pinefs_node *, uint32_t access);
/* FREE_STATEID of one that was revoked. */
void	nfs4_deleg_free(struct nfs4 *, struct nfs4_deleg *);
/* Look at recalls, waiting changes and callbacks again soon. */
void	nfs4_deleg_tick(struct nfs4 *);

/* ------------------------------------------------------------ callbacks -- */

/*
 * What is known of the way back to a client.
 *
 *	UNKNOWN --somebody would use it--> PROBING --answered--> UP
 *	   ^                                  |                   |
 *	   +-- another connection, some time -+--> DOWN <---------+
 */
enum nfs4_cb_path { CB_UNKNOWN, CB_PROBING, CB_UP, CB_DOWN };

/* Does it work?  If nobody knows, it is found out, for the next time. */
bool	nfs4_cb_is_up(struct nfs4 *, struct nfs4_client *);
/* A new connection, or a new session: what waits is sent again. */
void	nfs4_cb_renewed(struct nfs4 *, struct nfs4_client *);
/* 4.0: the client wants to be called elsewhere. */
void	nfs4_cb_moved(struct nfs4 *, struct nfs4_client *);
/*
 * Tell the client; again where that fails.  Without memory d->cb stays NULL.
 * Then the delegation may come back, or be revoked.
 */
void	nfs4_cb_recall(struct nfs4 *, struct nfs4_deleg *d);
void	nfs4_cb_returned(struct nfs4_deleg *d);
/* Best effort: the client asks again, told or not. */
void	nfs4_cb_notify_lock(struct nfs4 *, struct nfs4_client *,
	    const struct vfs_export *, const struct pinefs_node *,
	    struct pool_bytes *owner);
/* May a client that asks for locks be told that it may be told? */
bool	nfs4_cb_may_notify(const struct nfs4_client *);
/* Send what waited long enough; true: something waits still. */
bool	nfs4_cb_retry(struct nfs4 *);
/* A session goes, out of its client's list; then the client. */
void	nfs4_cb_session_gone(struct nfs4_session *);
void	nfs4_cb_drop_client(struct nfs4_client *);
/* May the session's back channel be used? */
bool	nfs4_cb_session_is_up(const struct nfs4_session *);
/*
 * 4.0: the address that a client named, if it is its own and plain TCP over
 * IP; else *to is AF_UNSPEC.
 */
void	nfs4_cb_address(const cb_client4 *, const struct rpc_peer *,
	    struct sockaddr_storage *to);
void	nfs4_cb_init(struct pool *);

/* -------------------------------------------- locks: nfs4_blocked.c -- */

/* This owner was denied a blocking lock; it got it, and waits no more. */
void	nfs4_blocked_note(struct nfs4_call *, struct nfs4_file *,
	    const struct nfs4_owner *, uint64_t start, uint64_t end,
	    bool write);
void	nfs4_blocked_forget(struct nfs4 *, const struct nfs4_file *,
	    const struct nfs4_owner *, uint64_t start, uint64_t end);
/* Ranges of the file have gone: tell those who may go on. */
void	nfs4_blocked_tell(struct nfs4 *, struct nfs4_file *);
/* They go. */
void	nfs4_blocked_drop_client(struct nfs4 *, struct nfs4_client *);
void	nfs4_blocked_drop_file(struct nfs4 *, struct nfs4_file *);
void	nfs4_blocked_init(struct nfs4 *);

#endif
