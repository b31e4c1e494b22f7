/*
 * One call of NFS or MOUNT: what every procedure starts from and ends with.
 * Internal to src/nfs.
 *
 *	call = nfs_call(self, rpc, &service);	 who asks
 *	err = nfs_fh_to_node(call, ...);	 which object
 *	err = vfs_...(&call->vfs, node, ...);	 do it
 *	if (err == PINEFS_LATER)
 *		return err;			 run again from the top
 *	res->status = nfs_call_status(call, err);
 *	...
 *	return nfs_call_end(call);
 */
#ifndef NFS_CALL_H
#define NFS_CALL_H

#include "nfs/nfs.h"
#include "nfs/status.h"

struct nfs_block;

/* Zeroed by rpc; lives until the reply is encoded. */
struct nfs_call {
	struct nfs			*nfs;
	struct rpc_call			*rpc;		/* NULL: no memory */
	const struct rpc_service	*service;
	unsigned			 proc;
	uint32_t			 fh_max;	/* bytes of a handle */
	uint32_t			 max_io;	/* bytes of READ, WRITE */
	const struct vfs_export		*export;	/* of the first handle */
	bool				 late;		/* attributes were */
	unsigned			 tries;		/* of nfs_call_again */
	struct nfs_block		*blocks, *block; /* nfs_call_alloc */
	struct pinefs_cred		 given;
	struct pinefs_call		 vfs;
};

/*
 * The call at the top of a procedure: made when it is run first, rewound
 * when it is run again.  Never NULL: without memory the first handle fails.
 */
struct nfs_call	*nfs_call(void *self, struct rpc_call *,
		    const struct rpc_service *);

/* Of a program: the path, or number, of what the last handle was of. */
void		 nfs_call_object(const void *state, char *to, size_t size);

/*
 * The same for a procedure that keeps more than this for its call (v4): its
 * struct begins with a nfs_call, zeroed, and ends with nfs_call_fini.
 */
void	nfs_call_begin(struct nfs_call *, struct nfs *, struct rpc_call *,
	    const struct rpc_service *);
void	nfs_call_fini(struct nfs_call *);

/* 0, or PINEFS_LATER if attributes for the reply were not ready. */
static inline int
nfs_call_end(const struct nfs_call *call)
{
	return call->late ? PINEFS_LATER : 0;
}

/*
 * Run the procedure once more in a while, from nothing; true: it will be,
 * return PINEFS_LATER.  For v2, which cannot say "later".
 */
bool	nfs_call_again(struct nfs_call *);

/* The status for `err`; logs what has none of its own. */
enum nfs_status	nfs_call_status(struct nfs_call *, int err);

/*
 * Memory for a list in the result; NULL at the call's budget.  A procedure
 * that is run again gets the same memory again.
 */
void	*nfs_call_alloc(struct nfs_call *, size_t);

/* A point in that memory to go back to, instead of its beginning. */
struct nfs_mark {
	struct nfs_block	*block;
	size_t			 used;
};
void	nfs_call_mark(const struct nfs_call *, struct nfs_mark *);
void	nfs_call_rewind(struct nfs_call *, const struct nfs_mark *);

/* ------------------------------------------------------------- handles -- */

/*
 * The node a handle names, owned by the call, and its export entered.  The
 * second handle of a call must be of the same export: EXDEV.  EACCES: the
 * export does not admit the caller.
 */
int	nfs_fh_to_node(struct nfs_call *, const void *fh, uint32_t len,
	    struct pinefs_node **);
/* nfs_fh_open, with failures counted. */
int	nfs_fh_take(struct nfs_call *, const void *fh, uint32_t len,
	    uint32_t *export_id, struct pinefs_ident *);

/* Enter an export; EACCES, and a line in the log: not for this caller. */
int	nfs_enter(struct nfs_call *, const struct vfs_export *);

/* The handle of an object; `to` has room for call->fh_max bytes. */
int	nfs_node_to_fh(struct nfs_call *, const struct pinefs_node *,
	    void *to, uint32_t *len);
int	nfs_ident_to_fh(struct nfs_call *, const struct pinefs_ident *,
	    void *to, uint32_t *len);

/* EIO, and a line in the log, for 0. */
int	nfs_check_fileid(struct nfs_call *, uint64_t);

/* Where to run a call that may reach `ops`, PINEFS_OP_*; NULL: here. */
struct rpc_executor *nfs_executor(const struct nfs *, const void *fh,
		    uint32_t len, uint64_t ops);

/* --------------------------------------------------------------- names -- */

/* As vfs wants it, which checks it. */
static inline struct pinefs_name
nfs_name(struct xdr_view text)
{
	struct pinefs_name name = { text.data, text.len };

	return name;
}

#endif
