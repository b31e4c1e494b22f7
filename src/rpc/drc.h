/*
 * The duplicate request cache: a retransmitted call that changes something
 * gets the stored reply instead of running twice (PROTOCOL section 7).
 *
 * A call is the same if client address, transport, xid, program, version,
 * procedure, length, principal and the checksum of its first 256 bytes are.
 * All clients of one host share an address, and xids restart at 0, so the
 * connection counts too:
 *
 *	origin LIVE    only calls of that very connection match
 *	       CUT     broken off: any new connection of the address matches
 *	       CLEAN   ended by the peer with everything delivered: only the
 *	               same source port does, which Linux uses again
 *
 * An entry is INPROG while the call runs and DONE, with the reply's bytes,
 * for 120 s after it.
 *
 * Shards go by client address, so that everything an address may match lies
 * under one lock.  A connection is bounded in bytes and drops its own oldest
 * entries, a shard is bounded and drops its oldest of all: what a client may
 * still ask for are the calls it had in flight, at most a few hundred.
 */
#ifndef RPC_DRC_H
#define RPC_DRC_H

#include "rpc/call.h"

struct drc;
struct drc_origin;

enum drc_origin_state { ORIGIN_LIVE, ORIGIN_CUT, ORIGIN_CLEAN };

struct drc	  *drc_new(size_t max_bytes, size_t max_per_origin);
void		   drc_free(struct drc *);
/* A connection as its entries remember it; counted by them and by you. */
struct drc_origin *drc_origin_new(struct drc *,
		    const struct sockaddr_storage *peer);
void		   drc_origin_put(struct drc_origin *);
/* The connection has ended so; no more look-ups come from it. */
void		   drc_origin_end(struct drc_origin *,
		    enum drc_origin_state);
size_t		   drc_origin_bytes(struct drc_origin *);

enum drc_answer {
	DRC_NEW,	/* run it; call->drc is set (or NULL: no memory) */
	DRC_BUSY,	/* the same call runs: drop this one */
	DRC_WAIT,	/* ... for a dead connection: this one gets the reply */
	DRC_DONE	/* *reply holds the bytes */
};

/* Stored bytes of a reply, without a record mark; counted. */
struct drc_reply {
	atomic_uint	refs;
	uint32_t	len;
	uint8_t		bytes[];
};

struct drc_reply *drc_reply_new(size_t len);
void		  drc_reply_put(void *reply);	/* an xdr_release_fn */

/*
 * Look a call up by its record, call->segs.
 * `origin` NULL: it came over UDP.  DRC_DONE: *reply is counted for the
 * caller.
 */
enum drc_answer drc_lookup(struct drc *, struct rpc_call *,
	    struct drc_origin *, uint64_t now_ms, struct drc_reply **reply);
/*
 * The call is answered with these bytes, which become the entry's (NULL: it
 * was not answered: forget it).  Returns the calls that wait for the same
 * reply, linked by `next`.
 */
struct rpc_call *drc_done(struct drc *, struct drc_entry *,
	    struct drc_reply *, uint64_t now_ms);

#endif
