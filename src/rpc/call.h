/*
 * One call, from its record to its reply.
 *
 *	dispatch: decoded, its program found, not a replay
 *	   |  route() says: here             |  route() names an executor
 *	   v                                 v
 *	RUNNING on the loop               batched, RUNNING on the executor
 *	   |  0 or errno   |  RPC_LATER      |
 *	   v               v                 v
 *	reply           PARKED --resume--> RUNNING again, from the start
 *
 * A handler that finds out that it must run elsewhere says rpc_call_move and
 * RPC_LATER: RUNNING there, from the start.
 *
 * A call belongs to the loop of its connection: only that loop touches the
 * connection, the replay cache entry and the output.  An executor runs the
 * handler, and nothing else.
 */
#ifndef RPC_CALL_H
#define RPC_CALL_H

#include <pinefs/rpc.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "rpc/msg.h"

struct drc_entry;
struct rpc_conn;
struct rpc_loop;
struct rpc_udp;
struct rbuf;

enum call_phase { CALL_RUNNING, CALL_PARKED, CALL_RESUMED };

/* What is done where a call's turn comes. */
enum call_todo { CALL_TO_RUN, CALL_TO_REPLY, CALL_TO_DISPATCH,
    CALL_TO_FIND_GROUPS };

enum { CALL_MEMORY = 8192,	/* bytes of a call, this struct included */
    CALL_BUDGET = 256 << 10 };	/* what its arena may ask malloc for */

struct rpc_call {
	struct rpc_call			*next;	/* pool, batch, wake list */
	struct rpc_loop			*loop;
	struct rpc_conn			*conn;	/* NULL: over UDP */
	struct rpc_udp			*udp;
	const struct rpc_peer		*peer;
	struct rpc_header		 h;
	struct rpc_cred			 cred;
	const struct rpc_program	*program;
	const struct rpc_procedure	*proc;
	void				*args, *res;
	struct xdr_in			 in;	/* at the arguments */
	struct xdr_seg			 segs[3]; /* the record */
	unsigned			 nsegs;
	struct xdr_arena		 arena;
	void				*state;
	void				(*state_fini)(void *);
	struct pinefs_buf		*bulk;	/* received payload */
	struct rbuf			*record; /* kept while the call waits */
	struct drc_entry		*drc;
	struct drc_reply		*replay;	/* of a call like this */
	struct rpc_executor		*executor;
	struct rpc_executor		*move_to;	/* rpc_call_move */
	struct xdr_piece		 raw;	/* encoded results */
	bool				 forget; /* not for the cache */
	void				(*_Atomic cancel)(void *);
	void				*cancel_arg;
	struct rpc_call			*conn_next, **conn_prev; /* waiting */
	uint64_t			 started;	/* ns, when traced */
	size_t				 size;	/* of the record */
	size_t				 head;	/* ... before the arguments */
	size_t				 expected; /* bytes of its reply */
	int				 err;	/* what the handler returned */
	atomic_int			 phase;
	enum call_todo			 todo;
	struct rpc_peer			 udp_peer;
	_Alignas(16) uint8_t		 memory[];
};

struct rpc_call	*rpc_call_new(struct rpc_loop *);
void		 rpc_call_free(struct rpc_call *);

#endif
