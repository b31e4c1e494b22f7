/*
 * The tables behind nfs4_state.h, for the files that own them: nfs4_state.c,
 * nfs4_client.c, nfs4_session.c, nfs4_open.c, nfs4_lock.c, nfs4_callback.c,
 * nfs4_chores.c.
 */
#ifndef NFS_NFS4_TABLES_H
#define NFS_NFS4_TABLES_H

#include <pthread.h>

#include "base/pool.h"
#include "nfs/nfs4_state.h"

enum {
	NFS4_MAX_CLIENTS = 4096, NFS4_MAX_SESSIONS = 8,	/* of one client */
	NFS4_MAX_SLOTS = 64,
	NFS4_BUCKETS = 1024, NFS4_STATE_BUCKETS = 8192
};

/*
 * How much state there may be (SECURITY 5), so that no client can exhaust
 * memory, or leave nothing to others.  Set by nfs4_new; tests set less.
 */
struct nfs4_limits {
	unsigned	states, client_states;	/* opens, locks, delegations */
	unsigned	owners, client_owners;
	unsigned	ranges, client_ranges;
	/*
	 * Bytes of replies that slots may keep.  Every session may have
	 * `least_replies`; more, up to session_replies, comes out of
	 * `replies`, which is for all.
	 */
	size_t		least_replies, session_replies, replies;
};

/* Who a client record belongs to: no other principal may touch it. */
struct nfs4_principal {
	uint32_t	flavor, uid;
};

/* Is it on stable storage? */
enum nfs4_recorded { NOT_RECORDED, RECORD_PENDING, RECORDED };

/*
 * A client record (RFC 8881 18.35, RFC 7530 16.33).  For one owner there is
 * at most one confirmed and one unconfirmed record.
 */
struct nfs4_client {
	struct nfs4_client	*next, **prev;		/* by clientid */
	struct nfs4_client	*owner_next, **owner_prev; /* by owner */
	unsigned		 refs;		/* calls; under the lock */
	bool			 dead;		/* out of the tables */
	clientid4		 id;
	struct pool_bytes	*owner;
	verifier4		 verifier;
	struct nfs4_principal	 principal;
	uint8_t			 minor;		/* 0, or 1 and up */
	bool			 confirmed;
	bool			 courtesy;	/* expired, but nobody minded */
	uint8_t			 recorded;	/* enum nfs4_recorded */
	bool			 reclaimed;	/* RECLAIM_COMPLETE was seen */
	bool			 reclaims;	/* it was recorded before us */
	uint64_t		 expires_ms;
	unsigned		 nstates;	/* opens, locks, delegations */
	unsigned		 nowners, nranges;

	/* 4.0 */
	verifier4		 confirm;
	uint32_t		 cb_ident, cb_program;
	char			 cb_netid[8], cb_addr[64];
	struct sockaddr_storage	 cb_sa;		/* AF_UNSPEC: nowhere */
	struct rpc_link		*cb_link;	/* to there, or NULL */
	struct nfs4_client	*replaces;	/* updated callback of this one */

	/* 4.1 */
	sequenceid4		 cs_seq;	/* of the next CREATE_SESSION */
	bool			 cs_done;	/* there is one to replay */
	CREATE_SESSION4res	 cs_res;
	struct nfs4_session	*sessions;
	unsigned		 nsessions;

	struct nfs4_owner	*owners;	/* that have some state */
	struct nfs4_owner	*idle, **idle_last; /* ... none; oldest first */
	struct nfs4_deleg	*delegs;
	unsigned		 ndelegs, nrevoked;	/* among them */

	struct nfs4_blocked	*blocked;	/* that wait for locks */
	unsigned		 nblocked;

	/* Calls to it (nfs4_callback.c). */
	uint8_t			 cb_path;	/* enum nfs4_cb_path */
	bool			 cb_busy;	/* one is under way */
	uint64_t		 cb_again_ms;	/* the next, not before */
	uint64_t		 cb_probe_ms;	/* DOWN: look again then */
	bool			 cb_probes;	/* a CB_NULL is among them */
	struct nfs4_cb		*cb_first, **cb_last;	/* those that wait */
	unsigned		 ncbs;
};

enum nfs4_slot_state { SLOT_NEVER, SLOT_RUNNING, SLOT_DONE };

struct nfs4_slot {
	sequenceid4		 seq;
	uint8_t			 state;
	bool			 cached;
	nfsstat4		 lone;		/* status, if SEQUENCE was alone */
	bool			 was_lone;
	uint64_t		 digest;	/* of the request, if cached */
	struct pool_bytes	*reply;
};

struct nfs4_session {
	struct nfs4_session	*next, **prev;		/* by session id */
	struct nfs4_session	*of_client;		/* next of its client */
	struct nfs4_client	*client;
	unsigned		 refs;		/* calls */
	bool			 dead;
	sessionid4		 id;
	uint32_t		 flags;
	channel_attrs4		 fore, back;
	uint32_t		 minor;		/* its calls' version */
	uint32_t		 cb_program;
	struct rpc_cred		 cb_cred;
	struct rpc_link		*back_link;	/* back channel, or NULL */
	size_t			 replies;	/* taken from nfs4->replies */
	uint32_t		 back_seq;	/* the last, in slot 0 */
	struct nfs4_cb		*back_cb;	/* ... is this, or NULL */
	bool			 back_stuck;	/* ... got no answer */
	bool			 back_fault;	/* ... or a wrong one */
	struct nfs4_slot	 slot[NFS4_MAX_SLOTS];
};

/* A node that is counted, until the lock is free and it can be let go. */
struct nfs4_held {
	struct nfs4_held	*next;
	struct pinefs_node	*node;
};

/* Something to be written to the records of clients, in turn. */
enum nfs4_record_what { RECORD_ADD, RECORD_REMOVE, RECORDS_END };
struct nfs4_record {
	struct nfs4_record	*next;
	enum nfs4_record_what	 what;
	struct pool_bytes	*owner;		/* counted */
	struct nfs4_client	*client;	/* counted; of an ADD */
	int			 failed;
};

struct nfs4 {
	struct nfs		*nfs;
	struct nfs4_records	 records;
	pthread_mutex_t		 lock;
	uint32_t		 epoch;		/* of this instance */
	uint8_t			 secret[16];	/* ids are not guessable */
	uint64_t		 lease_ms;
	uint64_t		 drawn;		/* see nfs4_draw */
	char			 scope[64];	/* server owner and scope */

	struct nfs4_client	*by_id[NFS4_BUCKETS];
	struct nfs4_client	*by_owner[NFS4_BUCKETS];
	struct nfs4_session	*by_session[NFS4_BUCKETS];
	struct nfs4_state	*by_state[NFS4_STATE_BUCKETS];
	struct pool		 clients, sessions;
	unsigned		 nstates;
	struct nfs4_limits	 limits;
	size_t			 replies;	/* of limits.replies, taken */

	/* Grace: owners that were recorded and may reclaim. */
	bool			 grace;
	uint64_t		 grace_until_ms;
	unsigned		 reclaimers;	/* that are not done yet */

	struct nfs4_opens	*opens;		/* nfs4_open.c */
	struct nfs4_delegs	*delegs;	/* nfs4_deleg.c */
	bool			 timers;	/* nfs->after works */
	bool			 stopping;	/* ... no more, soon */

	/* What is done when the lock is free again: nfs4_chores.c. */
	bool			 chores;	/* there is some */
	struct nfs4_held	*let_go;
	struct nfs4_file	*to_tell;	/* its file system; tell_next */
	struct nfs4_call	*to_wake;	/* by wait_next */
	struct nfs4_record	*record_first, **record_last;
	bool			 await_records;	/* even if another writes */
	pthread_mutex_t		 records_lock;	/* before `lock` */
	struct pool		 held, record_pool;
};

void	nfs4_unlock_and_do(struct nfs4 *);

static inline void
nfs4_lock(struct nfs4 *n)
{
	pthread_mutex_lock(&n->lock);
}

static inline void
nfs4_unlock(struct nfs4 *n)
{
	if (n->chores)
		nfs4_unlock_and_do(n);
	else
		pthread_mutex_unlock(&n->lock);
}

/* Count a node, if there is memory; and let it go, when the lock is free. */
struct nfs4_held *nfs4_hold(struct nfs4 *, struct pinefs_node *);
void	nfs4_let_go(struct nfs4 *, struct nfs4_held *);

uint64_t nfs4_now_ms(void);
/* A number for an id: another each time, most probably; not to be guessed. */
uint32_t nfs4_draw(struct nfs4 *);

/* Sessions of a client go with it; the lock is held. */
void	nfs4_sessions_drop(struct nfs4 *, struct nfs4_client *);

/* nfs4_open.c's part of the server; 0 or ENOMEM. */
int	nfs4_opens_init(struct nfs4 *);
void	nfs4_opens_fini(struct nfs4 *);
/* nfs4_deleg.c's. */
int	nfs4_delegs_init(struct nfs4 *, bool on);
void	nfs4_delegs_stop(struct nfs4 *);
void	nfs4_delegs_fini(struct nfs4 *);

#endif
