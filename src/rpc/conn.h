/*
 * One TCP connection: records in, replies out, and the limits between
 * (SECURITY section 5).
 */
#ifndef RPC_CONN_H
#define RPC_CONN_H

#include "rpc/drc.h"
#include "rpc/link.h"
#include "rpc/loop.h"
#include "rpc/record.h"

/* A payload on its way into memory of its own. */
struct conn_bulk {
	struct pinefs_buf	*buf;
	size_t			 got;		/* of its len */
	size_t			 start;		/* record's bytes before it */
	size_t			 tail;		/* ... and after it */
};

struct rpc_conn {
	struct rpc_source	 source;	/* first */
	unsigned		 refs;		/* the loop's, and calls' */
	struct rpc_loop		*loop;
	struct rpc_conn		*next, **prev;	/* of the loop */
	struct rpc_conn		*again_next, *dirty_next;
	bool			 is_again, is_dirty;
	bool			 closed;
	bool			 input_off;	/* backpressure */
	bool			 waits_out;	/* socket full */
	bool			 eof;		/* peer sent FIN */
	bool			 checked;	/* head of this record */
	bool			 small_head;	/* the last one was large */
	bool			 second_port;
	bool			 outgoing;	/* we called; no calls come in */
	struct rpc_peer		 peer;

	struct rbuf		*in;
	size_t			 fill;
	struct rpc_record	 record;
	size_t			 skip;		/* bytes to throw away */
	struct conn_bulk	 bulk;		/* buf NULL: none */

	struct pinefs_chain	 out;
	struct rpc_call		*waiting;	/* parked or elsewhere */
	unsigned		 in_flight;
	size_t			 held;		/* bytes of `waiting` */
	struct drc_origin	*origin;
	struct rpc_link		*link;		/* for those who keep it */

	uint64_t		 calls, received, sent;	/* bytes of both */
	struct wheel_timer	 timer;
	uint64_t		 armed_ms;	/* 0: not armed */
	uint64_t		 heard_ms;	/* last byte in */
	uint64_t		 record_ms;	/* began; 0: none under way */
	uint64_t		 sent_ms;	/* last progress of output */
};

/*
 * Takes over `fd`, on the loop's thread.  `link`: of a connection that we
 * made, which gets a reference of it; NULL: one that came in.
 */
int	conn_new(struct rpc_loop *, int fd, const struct rpc_peer *,
	    bool second_port, struct rpc_link *link);
void	conn_close(struct rpc_conn *);
void	conn_put(struct rpc_conn *);
/* Cut whole records out of the socket, run them, send what they answer. */
void	conn_input(struct rpc_conn *);
/* One writev, and what follows from it. */
void	conn_output(struct rpc_conn *);
/* A reply was appended outside of conn_input: send it this turn. */
void	conn_mark_dirty(struct rpc_conn *);
/* A call leaves the stack: keep its record, list it.  And the opposite. */
void	conn_call_waits(struct rpc_conn *, struct rpc_call *);
void	conn_call_ends(struct rpc_conn *, struct rpc_call *);

#endif
