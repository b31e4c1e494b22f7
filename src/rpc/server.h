/*
 * A server as the rest of rpc sees it: its programs, loops, listeners and
 * limits.  Fixed once it has started, but for counters.
 */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include "base/fds.h"
#include "rpc/drc.h"
#include "rpc/loop.h"

enum { SERVER_MAX_PROGRAMS = 16, SERVER_MAX_LISTENERS = 32,
    SERVER_MAX_PER_ADDR = 256, SERVER_MAX_IN_FLIGHT = 128,
    SERVER_HEAD_ROOM = 4096 };

/* A reply is ready: see stats.h. */
struct stats_row;
typedef void stats_trace_fn(void *arg, const struct rpc_call *,
	    const struct stats_row *row, uint64_t ns);

/* Bytes of all receive buffers and payloads under way, of all loops. */
#define SERVER_MAX_MEMORY	((size_t)256 << 20)
/*
 * Bytes of one connection (SECURITY 5): unsent replies, and what calls hold
 * that wait: their payloads, and those of the replies they will have.
 */
#define SERVER_MAX_HELD		((size_t)8 << 20)

struct rpc_listener {
	struct rpc_source	 source;	/* first */
	struct rpc_server	*server;
	struct sockaddr_storage	 addr;
	bool			 second;	/* the second port */
	bool			 paused;
};

struct rpc_server {
	struct rpc_server_config config;
	const struct rpc_program *program[SERVER_MAX_PROGRAMS];
	unsigned		 nprograms;
	size_t			 max_record;
	struct rpc_loop		*loops;
	unsigned		 nloops;
	struct rpc_listener	 listener[SERVER_MAX_LISTENERS];
	unsigned		 nlisteners;
	struct rpc_udp		*udp;		/* all sockets, a list */
	struct fds		 fds;		/* all that it has open */
	struct drc		*drc;
	struct groups		*groups;	/* of local users */
	struct rpc_executor	*slow;		/* the user database */
	uint16_t		 port;		/* as bound */
	uint16_t		 second_port;	/* 0: none */
	atomic_uint		 nconns;
	struct addrs		*addrs;		/* of remote peers */
	unsigned		 max_conns;
	atomic_size_t		 memory;
	struct stats_place	*places;	/* of stats.c: rows of loops */
	unsigned		 nplaces;
	unsigned		 first_place[SERVER_MAX_PROGRAMS];
	/* By so many: stats_watch, and STATS_TRACED times stats_trace. */
	atomic_uint		 watched;
	_Atomic(stats_trace_fn *) trace;
	void			*_Atomic trace_arg;
	atomic_bool		 started, stopping;
	struct wheel_timer	 resume_accept;	/* of loop 0 */
};

/* accept.c */
void	server_forget_conn(struct rpc_server *, const struct rpc_peer *);
int	listeners_open(struct rpc_server *);
void	listeners_close(struct rpc_server *);

/* holder.c: one line: what failed, who is in the way, what to do. */
void	server_cannot_listen(const char *addr, uint16_t port, int err);
/*
 * Does anybody listen on this TCP port?  Who: " by rpc.nfsd (pid 4711)", " by
 * the kernel", or "" when it cannot be told.
 */
bool	server_port_holder(uint16_t port, char *who, size_t size);

/* udp.c */
int	udp_open(struct rpc_server *);	/* after the TCP bind */
void	udp_close(struct rpc_server *);
bool	udp_is_second(const struct rpc_udp *);
void	udp_pause(struct rpc_loop *);	/* read no more */
void	udp_reply(struct rpc_call *, struct pinefs_chain *);

/* May this peer come at all?  (--allow, source port) */
bool	server_admits(const struct rpc_server *, const struct rpc_peer *);

/* groups.c: supplementary groups of local users, kept for 5 minutes. */
struct groups *groups_new(void);
void	groups_free(struct groups *);
/* From memory: gid and groups of *cred by its uid; EAGAIN: not there. */
int	groups_get(struct groups *, struct rpc_cred *, uint64_t now_ms);
/* The same by asking the user database, which may block. */
void	groups_fill(struct groups *, struct rpc_cred *, uint64_t now_ms);

/* dispatch.c */
/*
 * A record has come: call->segs, nsegs, size, conn or udp, peer and bulk are
 * set.  The call is answered, waits, or is dropped; it is not the caller's
 * any more.
 */
void	rpc_dispatch(struct rpc_call *);
/* What is to happen to a call that came back to its loop. */
void	rpc_call_continue(struct rpc_call *);
/* Run the handler: on the loop, or an executor's thread. */
void	rpc_call_run(struct rpc_call *);

/*
 * Look at a record whose end is not here yet.  0: worth receiving; with
 * *bulk_len > 0 its payload of that length begins at *bulk_start.  EAGAIN:
 * cannot be told yet.  EBADMSG: will be refused whatever follows, so that
 * its bytes need not be kept.
 */
int	rpc_peek(const struct rpc_conn *, const uint8_t *record, size_t have,
	    size_t *bulk_start, uint32_t *bulk_len);

/* Is there a handler for it? */
static inline bool
rpc_procedure_has(const struct rpc_program *p, const struct rpc_procedure *proc)
{
	static void (*const none)(void);

	return memcmp((const uint8_t *)p->handlers + proc->handler, &none,
	    sizeof none) != 0;
}

/* trace.c */
void	rpc_trace(const struct rpc_call *, enum rpc_accept_stat);

#endif
