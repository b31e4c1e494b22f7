/*
 * Files, owners, opens and locks: shared by nfs4_open.c and nfs4_lock.c.
 * All under nfs4->lock.
 */
#ifndef NFS_NFS4_OPENS_H
#define NFS_NFS4_OPENS_H

#include "nfs/nfs4_tables.h"

enum { NFS4_FILE_BUCKETS = 4096, NFS4_OWNER_BUCKETS = 4096 };

/* What its file system knows of a file, and what it is told next. */
enum nfs4_told { FILE_UNTOLD, FILE_TELLING, FILE_TOLD };
enum nfs4_tell { TELL_CLOSE, TELL_WRITTEN };

/* An object with state.  Its node is counted as long. */
struct nfs4_file {
	struct nfs4_file	*next, **prev;
	struct nfs4_held	*held;
	struct pinefs_node	*node;
	struct nfs4_open	*opens;
	struct nfs4_deleg	*delegs;
	struct nfs4_range	*ranges;	/* by start */
	struct nfs4_blocked	*blocked;	/* who waits for some */
	unsigned		 nopens, nwriters;
	unsigned		 pins;		/* OPENs under way */
	uint8_t			 told, tell;
	struct nfs4_file	*tell_next;	/* see nfs4->to_tell */
	struct nfs4_call	*waiting;	/* OPENs, for their turn */
};

/*
 * An open-owner or lock-owner.  4.0 numbers what an owner asks; the last
 * answer is kept, to be given again (RFC 7530 9.1.7).
 */
struct nfs4_owner {
	struct nfs4_owner	*hash_next, **hash_prev;
	struct nfs4_owner	*next, **prev;	/* of the client */
	struct nfs4_open	*opens;		/* by of_owner; or */
	struct nfs4_locks	*locks;
	uint64_t		 idle_ms;	/* since when */
	struct nfs4_client	*client;
	struct pool_bytes	*id;
	bool			 is_lock;
	bool			 confirmed;	/* 4.0 open-owner */
	unsigned		 nstates;
	uint32_t		 seqid;
	bool			 has_last;
	nfs_resop4		 last;
	uint32_t		 last_words[3];	/* of an OPEN's attrset */
	struct pool_bytes	*last_denied;	/* of a LOCK's holder */
	struct nfs4_held	*last_node;	/* current after an OPEN */
	const struct vfs_export	*last_export;
};

struct nfs4_open {
	struct nfs4_state	 st;		/* first */
	struct nfs4_open	*next, **prev;	/* of the file */
	struct nfs4_open	*of_owner, **of_owner_prev;
	struct nfs4_owner	*owner;
	struct nfs4_file	*file;
	uint8_t			 access, deny;
	uint8_t			 seen_access, seen_deny; /* 1 << mode */
	struct nfs4_locks	*locks;
};

/* The locks of one lock-owner under one open. */
struct nfs4_locks {
	struct nfs4_state	 st;		/* first */
	struct nfs4_locks	*next, **prev;	/* of the open */
	struct nfs4_locks	*of_owner, **of_owner_prev;
	struct nfs4_owner	*owner;
	struct nfs4_open	*open;
	unsigned		 nranges;
};

struct nfs4_range {
	struct nfs4_range	*next;
	struct nfs4_locks	*locks;
	uint64_t		 start, end;	/* both among it */
	bool			 write;
};

struct nfs4_opens {
	struct nfs4_file	*files[NFS4_FILE_BUCKETS];
	struct nfs4_owner	*owners[NFS4_OWNER_BUCKETS];
	struct pool		 file, owner, open, locks, range, blocked;
};

/* ------------------------------------------------ files: nfs4_opened.c -- */

struct nfs4_file *nfs4_file_find(struct nfs4 *, const struct pinefs_node *);
/* The same, or a new one; NULL without memory. */
struct nfs4_file *nfs4_file_get(struct nfs4 *, struct pinefs_node *);
/* If nothing is left of it, it goes, and its file system hears that. */
void	nfs4_file_put(struct nfs4 *, struct nfs4_file *);
/* An open that may write comes (1) or goes (-1). */
void	nfs4_file_writers(struct nfs4 *, struct nfs4_file *, int more);
/*
 * An OPEN's last step, without the lock: its file system is told, if this is
 * the first.  The file stays until nfs4_file_unpin, with the lock.
 */
int	nfs4_file_open(struct nfs4_call *, struct pinefs_node *,
	    uint32_t access);
void	nfs4_file_unpin(struct nfs4_call *);
/* For nfs4_chores.c: tell, without the lock; it was told, with it. */
void	nfs4_file_tell(struct nfs4_file *);
void	nfs4_file_told(struct nfs4 *, struct nfs4_file *);

/* --------------------------------------------------------------- owners -- */


struct nfs4_owner *nfs4_owner_find(struct nfs4 *, const struct nfs4_client *,
	    struct xdr_view id, bool is_lock);
/* NULL: no memory, or too many that are not idle.  An idle one may go. */
struct nfs4_owner *nfs4_owner_new(struct nfs4 *, struct nfs4_client *,
	    struct xdr_view id, bool is_lock);
void	nfs4_owner_free(struct nfs4 *, struct nfs4_owner *);
/* It has one open or lock state more; or less, and may go with the last. */
void	nfs4_owner_more(struct nfs4_owner *);
void	nfs4_owner_less(struct nfs4 *, struct nfs4_owner *);
/* Close all it has open. */
void	nfs4_open_drop_owner(struct nfs4 *, struct nfs4_owner *);
/* A lock-owner without locks goes, with its stateids; false: it has some. */
bool	nfs4_owner_release(struct nfs4 *, struct nfs4_owner *);

/* 4.0: what an owner's seqid means. */
enum nfs4_seq { SEQ_RUN, SEQ_REPLAY, SEQ_BAD };
enum nfs4_seq nfs4_owner_seq(const struct nfs4_call *,
	    const struct nfs4_owner *, uint32_t seqid);
/* ... give the last answer again; and keep this one. */
void	nfs4_owner_replay(struct nfs4_call *, const struct nfs4_owner *,
	    nfs_resop4 *);
void	nfs4_owner_keep(struct nfs4_call *, struct nfs4_owner *,
	    uint32_t seqid, nfsstat4, const nfs_resop4 *);

void	nfs4_owner_forget_last(struct nfs4 *, struct nfs4_owner *);
/* Too much state, or no memory: RESOURCE, which 4.1 calls DELAY. */
nfsstat4 nfs4_no_room(const struct nfs4_call *);

/*
 * A request sent again carries the stateid of before, which is an old one by
 * now.  True: it is what the owner was asked last, and *r the same answer.
 */
bool	nfs4_owner_retry(struct nfs4_call *, const stateid4 *, uint32_t seqid,
	    nfs_resop4 *r);

/* A stateid of this kind, of the current file; in 4.0 of a confirmed one. */
nfsstat4 nfs4_open_of(struct nfs4_call *, const stateid4 *,
	    struct nfs4_open **);
nfsstat4 nfs4_locks_of(struct nfs4_call *, const stateid4 *,
	    struct nfs4_locks **);

/* Everything under an open; then the lock state is gone, too. */
void	nfs4_locks_drop(struct nfs4 *, struct nfs4_locks *);

/* The current stateid is this one from now on. */
void	nfs4_set_stateid(struct nfs4_call *, const stateid4 *);

#endif
