/*
 * NFS version 4 (RFC 7530, 8881, 7862, 8276), minor versions 0, 1 and 2 on
 * one table of operations.  Internal to src/nfs.
 *
 *	nfs4.c		COMPOUND: the table, one operation after another
 *	nfs4_attr.c	attributes: one row each, encode, decode, compare
 *	nfs4_file.c	operations on objects and names without state
 *	nfs4_pseudo.c	the pseudo-root above the exports, and crossing them
 *	nfs4_dir.c	READDIR
 *	nfs4_io.c	READ WRITE COMMIT SEEK ALLOCATE DEALLOCATE COPY CLONE
 *			READ_PLUS and extended attributes
 *	nfs4_state.c	stateids, owners, files: the tables under one lock
 *	nfs4_client.c	SETCLIENTID …, EXCHANGE_ID …: clients, leases, grace
 *	nfs4_session.c	sessions, slots, SEQUENCE and its replay
 *	nfs4_open.c	OPEN, OPEN_CONFIRM, OPEN_DOWNGRADE, CLOSE, shares
 *	nfs4_opened.c	files with state; what their file systems are told
 *	nfs4_owner.c	open- and lock-owners; 4.0's numbers and replays
 *	nfs4_lock.c	LOCK, LOCKT, LOCKU, RELEASE_LOCKOWNER: ranges
 *	nfs4_blocked.c	who waits for a lock
 *	nfs4_deleg.c	read delegations: given, recalled, returned, revoked
 *	nfs4_callback.c	calls to clients
 *	nfs4_chores.c	what is done when the lock is free again
 *
 * How a COMPOUND waits.  An operation that answers PINEFS_LATER makes the
 * procedure return it.  When it is run again, the operations before are done
 * (their results lie in `results`), and the one at `index` runs from *its*
 * start: vfs_call_restart rewinds to the steps recorded since that operation
 * began, vfs_call_next forgets them when it ends.  So an operation reads
 * straight down; what it changed in the tables of state it must do after its
 * last step, or find done when it runs again.
 *
 * Locks.  All state is under nfs4->lock, which is never held while a step of
 * vfs is taken, nor while anything else is done that may block or come back
 * here (nfs4_chores.c).
 */
#ifndef NFS_NFS4_H
#define NFS_NFS4_H

#include "nfs/call.h"
#include "proto/nfs4.h"

enum {
	NFS4_MAX_OPS = 50,		/* of one COMPOUND */
	NFS4_MAX_TAG = 1024,
	NFS4_MAX_OWNER = 1024,
	NFS4_MIN_LEASE = 5, NFS4_LEASE = 60	/* s */
};

struct nfs4;			/* all state of a server (nfs4_state.h) */
struct nfs4_client;		/* who has state (nfs4_client) */
struct nfs4_session;
struct nfs4_slot;

/* A filehandle of the compound: an object, or the pseudo-root. */
struct nfs4_fh {
	bool				 set;
	bool				 pseudo;	/* above the exports */
	const struct vfs_way		*way;		/* ... here; NULL: root */
	const struct vfs_export		*export;
	struct pinefs_node		*node;	/* counted; NULL if pseudo */
	stateid4			 stateid; /* the current one */
	bool				 has_stateid; /* 8881 16.2.3.1.2 */
};

/* What nfs4_state_io has said, once per operation. */
struct nfs4_io {
	bool		known, opened;
	nfsstat4	status;
};

/* One COMPOUND under way; kept by rpc_call_state, first member nfs_call. */
struct nfs4_call {
	struct nfs_call		 nfs;
	struct nfs4		*nfs4;
	uint32_t		 minor;
	uint32_t		 index;		/* of the operation */
	bool			 decoded;	/* `arg` is that of `index` */
	bool			 asked_type;	/* ... by a step, if so */
	nfs_argop4		*arg;
	nfs_resop4		*results;	/* `index` are done */
	struct xdr_lazy		 ops;		/* those still to decode */
	struct nfs_mark		 mark;		/* memory when `index` began */
	struct nfs4_fh		 current, saved;
	size_t			 head_size;	/* of the reply: RPC, tag ... */
	size_t			 reply_size;	/* bytes so far, at most */
	size_t			 data;		/* of this answer, see below */
	size_t			 reply_max;	/* this reply may have */
	size_t			 cache_max;	/* ... if it is to be kept */
	uint32_t		 nops;		/* as the compound claims */
	struct nfs4_client	*client;	/* by SEQUENCE; counted */
	struct nfs4_session	*session;
	struct nfs4_slot	*slot;
	bool			 cachethis;
	bool			 replayed;	/* the stored reply goes out */
	bool			 changed;	/* 4.0: keep the reply */
	struct nfs4_io		 io, io_from;	/* of this operation */
	struct nfs4_file	*opening;	/* by an OPEN: pinned */
	const struct vfs_export	*coming;	/* found; to be entered */
	bool			 no_junction;	/* so a LOOKUP goes on, if so */
	struct nfs4_listed	*listed;	/* exports, by a READDIR */
	bool			 tells;		/* it tells the file system */
	struct nfs4_call	*wait_next;	/* for its turn */
};

/* ---------------------------------------------------------- operations -- */

/*
 * What an operation does: fill *res (its status among it) and return 0; or
 * PINEFS_LATER, to be run again; or an errno, which becomes its status.  The
 * current filehandle is there if the row asks for it, and its export entered.
 * *res is zeroed but for `resop`.  What its answer has beyond res_max of the
 * row goes to c->data.
 */
typedef int nfs4_run_fn(struct nfs4_call *, const nfs_argop4 *,
	    nfs_resop4 *);

enum {				/* rules of a row */
	OP_FH = 0x01,		/* needs the current filehandle: NOFILEHANDLE */
	OP_SAVED = 0x02,	/* and the saved one */
	OP_CHANGES = 0x04,	/* something: its reply must fit first */
	OP_FIRST = 0x08,	/* 4.1: may stand first without SEQUENCE */
	OP_ALONE = 0x10,	/* 4.1: ... and then only alone: NOT_ONLY_OP */
	OP_FILE = 0x20,		/* the current filehandle is a regular file */
	OP_LONE = 0x40,		/* 4.1: never in company, SEQUENCE or not */
	OP_PSEUDO = 0x80	/* works above the exports, too */
};

struct nfs4_op {
	const char	*name;		/* "READ"; NULL: no such number */
	uint8_t		 from, to;	/* minor versions that have it */
	uint8_t		 rules;
	uint32_t	 res_max;	/* bytes of a result without data */
	uint64_t	 step;		/* PINEFS_OP_* that may block */
	nfs4_run_fn	*run;		/* NULL: NFS4ERR_NOTSUPP */
	const char	*rfc;		/* "8881 18.22" */
};

/* By number, up to the last of 4.2 with RFC 8276. */
enum { NFS4_OPS = 76 };
extern const struct nfs4_op nfs4_ops[NFS4_OPS];

/* errno to nfsstat4, by the table of status.c, for this operation. */
nfsstat4	nfs4_status(struct nfs4_call *, int err);

/* Set the current filehandle; `node` is borrowed and counted here. */
void	nfs4_set_current(struct nfs4_call *, const struct vfs_export *,
	    struct pinefs_node *);
/* `way`: below the pseudo-root; NULL: that itself. */
void	nfs4_set_pseudo(struct nfs4_call *, const struct vfs_way *way);
void	nfs4_set_none(struct nfs4_call *);
void	nfs4_fh_copy(struct nfs4_fh *to, const struct nfs4_fh *from);
/* Enter an export for what follows; EACCES, or PINEFS_LATER. */
int	nfs4_enter(struct nfs4_call *, const struct vfs_export *);
/* Bytes that the answer under way may have. */
size_t	nfs4_reply_room(const struct nfs4_call *);
bool	nfs4_is_utf8(const void *text, size_t len);
/* EINVAL, ENAMETOOLONG as statuses: BADNAME for `.`, `..`, slashes. */
nfsstat4 nfs4_check_name(struct xdr_view);

/* change_info4 from what a directory operation reported. */
void	nfs4_change_info(const struct vfs_wcc *, change_info4 *);

/* ---------------------------------------------------------- attributes -- */

struct nfs4_setattr {			/* createattrs, obj_attributes */
	struct pinefs_set	set;
	bitmap4			done;	/* attrsset to answer */
	bool			has_umask; /* mode came as mode_umask: at
					      creation only */
};

/*
 * The attributes of one object asked for, encoded in bit order: exactly what
 * is asked and supported in this minor version.  INVAL for write-only ones.
 */
int	nfs4_getattr(struct nfs4_call *, const struct nfs4_fh *,
	    const bitmap4 *asked, fattr4 *, nfsstat4 *);
/* Take settable attributes apart: INVAL, ATTRNOTSUPP, BADOWNER, BADXDR. */
nfsstat4 nfs4_setattr_get(struct nfs4_call *, const fattr4 *,
	    struct nfs4_setattr *);

/* --------------------------------------------------------------- state -- */

/*
 * May this stateid do I/O on the current file?  `access`: OPEN4_SHARE_ACCESS_
 * READ or _WRITE.  NFS4_OK; BAD_STATEID, OLD_STATEID, STALE_STATEID, EXPIRED,
 * OPENMODE, LOCKED, ADMIN_REVOKED, GRACE, DELAY.  On NFS4_OK *opened says
 * that rights were checked by an OPEN, so READ and WRITE need not ask again.
 */
nfsstat4 nfs4_state_io(struct nfs4_call *, const stateid4 *, uint32_t access,
	    bool *opened);
/*
 * The same for a step of an operation that may be run again: asked once, and
 * vfs_call_opened said (nfs4_io.c).
 */
nfsstat4 nfs4_may_do_io(struct nfs4_call *, const stateid4 *,
	    uint32_t access);
/* The stateid an operation means: itself, or the current one (4.1). */
nfsstat4 nfs4_stateid_resolve(struct nfs4_call *, const stateid4 *,
	    stateid4 *);
/* The call is over while it opens a file (c->opening). */
void	nfs4_open_given_up(struct nfs4_call *);

/* SEQUENCE and its slot; called by COMPOUND around everything else. */
int	nfs4_sequence(struct nfs4_call *, const nfs_argop4 *, nfs_resop4 *);
/*
 * The compound is done, of whatever minor version: keep its reply in the slot
 * (`res` NULL: it has none), let slot, session and client go.
 */
void	nfs4_sequence_end(struct nfs4_call *, const COMPOUND4res *);

/*
 * Made with the server; `records` may be NULL, lease_s 0 is the default.
 * NULL without memory.  nfs4_start once nfs->after works, nfs4_stop while it
 * still does: nothing waits here any more.
 */
struct nfs4_records;
struct nfs4	*nfs4_new(struct nfs *, const struct nfs4_records *,
		    unsigned lease_s);
void		 nfs4_start(struct nfs4 *);
void		 nfs4_stop(struct nfs4 *);
void		 nfs4_free(struct nfs4 *);

#endif
