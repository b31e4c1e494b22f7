/*
 * The words of ONC RPC (RFC 5531 section 9): a call's header in, a reply's
 * header out, and AUTH_SYS credentials (appendix A).
 */
#ifndef RPC_MSG_H
#define RPC_MSG_H

#include <pinefs/rpc.h>

enum { RPC_CALL = 0, RPC_REPLY = 1, RPC_VERSION = 2, RPC_MAX_AUTH = 400,
    RPC_MAX_MACHINE = 255 };
enum rpc_reply_stat { RPC_ACCEPTED = 0, RPC_DENIED = 1 };
enum rpc_accept_stat { RPC_SUCCESS = 0, RPC_PROG_UNAVAIL = 1,
    RPC_PROG_MISMATCH = 2, RPC_PROC_UNAVAIL = 3, RPC_GARBAGE_ARGS = 4,
    RPC_SYSTEM_ERR = 5 };
enum rpc_reject_stat { RPC_MISMATCH = 0, RPC_AUTH_ERROR = 1 };
enum rpc_auth_stat { RPC_AUTH_OK = 0, RPC_AUTH_BADCRED = 1,
    RPC_AUTH_REJECTEDCRED = 2, RPC_AUTH_BADVERF = 3,
    RPC_AUTH_REJECTEDVERF = 4, RPC_AUTH_TOOWEAK = 5 };

struct rpc_auth {
	uint32_t	flavor;
	struct xdr_view	body;
};

struct rpc_header {
	uint32_t	xid, mtype, rpcvers, prog, vers, proc;
	struct rpc_auth	cred, verf;
	uint8_t		auth_stat;	/* BADCRED, BADVERF: too long */
};

/*
 * Decode a call header.  The arguments are what is left in `in`.
 * On EBADMSG only h->xid may be used; on EPROTO (RPC version not 2) xid and
 * rpcvers.  A credential or verifier beyond 400 bytes sets auth_stat.
 */
int	rpc_header_get(struct xdr_in *, struct rpc_header *);

/* AUTH_NONE and AUTH_SYS into *cred; anything else is RPC_AUTH_BADCRED. */
enum rpc_auth_stat rpc_cred_get(const struct rpc_auth *, struct rpc_cred *);

/* xid to accept_stat: 24 bytes, verifier AUTH_NONE. */
void	rpc_put_accepted(struct xdr_out *, uint32_t xid,
	    enum rpc_accept_stat);
void	rpc_put_mismatch(struct xdr_out *, uint32_t xid, uint32_t low,
	    uint32_t high);			/* PROG_MISMATCH */
void	rpc_put_denied(struct xdr_out *, uint32_t xid,
	    enum rpc_auth_stat);
void	rpc_put_rpc_mismatch(struct xdr_out *, uint32_t xid);

/* A client's side: a call's header with this credential. */
void	rpc_put_call(struct xdr_out *, uint32_t xid, uint32_t prog,
	    uint32_t vers, uint32_t proc, const struct rpc_cred *);
/*
 * A reply's header; the results are what is left.  0 for success; EACCES
 * (credential refused), EPROTONOSUPPORT (program, version or procedure not
 * there), EREMOTEIO (GARBAGE_ARGS, SYSTEM_ERR), EBADMSG.
 */
int	rpc_reply_get(struct xdr_in *, uint32_t *xid);

#endif
