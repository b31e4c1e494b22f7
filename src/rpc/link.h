/*
 * A connection as something to keep: counted, valid after the connection has
 * ended, and a way to call the client back over it (RFC 8881 2.10.3.1).
 */
#ifndef RPC_LINK_H
#define RPC_LINK_H

#include "rpc/loop.h"

struct rpc_link {
	atomic_uint		 refs;
	struct rpc_loop		*loop;
	struct rpc_conn		*conn;		/* loop's thread; NULL: ended */
	atomic_bool		 open;
	atomic_bool		 closing;
	struct loop_task	 close;		/* rpc_link_close, once */
	struct link_pending	*pending;	/* loop's thread */
};

struct rpc_link	*link_new(struct rpc_loop *, struct rpc_conn *);
/* On the loop: the connection is closed; calls under way fail. */
void		 link_end(struct rpc_link *);
/* On the loop: a reply came in; `in` is at its start. */
void		 link_reply(struct rpc_link *, struct xdr_in *in);

#endif
