/*
 * ONC RPC version 2 (RFC 5531): serve a program of your own, or call one.
 *
 * pinefs-rpcgen makes a `struct rpc_service` and a struct of handlers from a
 * .x file; rpc_server_add joins them to a server, and handlers are called
 * with decoded arguments:
 *
 *	static int
 *	pong(void *self, struct rpc_call *call, const ping_args *args,
 *	    ping_res *res)
 *	{
 *		res->n = args->n + 1;
 *		return 0;
 *	}
 *
 * A handler returns 0 (encode *res), an errno (the caller sees SYSTEM_ERR),
 * or RPC_LATER: it will be run again from its start, with the same args, res
 * and arena, after rpc_call_resume(call).
 */
#ifndef PINEFS_RPC_H
#define PINEFS_RPC_H

#include <sys/socket.h>

#include <netinet/in.h>
#include <pinefs/xdr.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RPC_LATER	(-1)	/* the value of PINEFS_LATER */

struct rpc_call;
struct rpc_server;
struct rpc_client;

/* ---------------------------------------- what pinefs-rpcgen generates -- */

/*
 * Where a bulk payload lies in a record's arguments (--bulk).  `args` are
 * the first `have` bytes of the arguments.  0: *start and *len are set;
 * EAGAIN: not to be told from so few bytes; EBADMSG: not a valid message.
 */
typedef int rpc_bulk_fn(const uint8_t *args, size_t have, size_t *start,
    uint32_t *len);

struct rpc_procedure {
	const char		*name;		/* "NFSPROC3_READ"; NULL: a gap */
	/*
	 * What comes in and what goes out: arguments and results in a
	 * server's row, results and arguments in a client's.  NULL: void.
	 */
	int			(*decode)(struct xdr_in *, void *);
	int			(*encode)(struct xdr_out *, const void *);
	int			(*call)(const void *handlers, void *self,
				    struct rpc_call *, const void *args,
				    void *res);
	size_t			 handler;	/* offset in the handlers */
	uint32_t		 args_size, res_size;	/* sizeof; 0: void */
	uint32_t		 args_min, args_max;	/* on the wire */
	uint32_t		 res_min, res_max;
	const struct xdr_type	*args_type, *res_type;	/* NULL: void */
	rpc_bulk_fn		*bulk;		/* NULL: no bulk payload */
	bool			 args_lazy;	/* end with what the handler
						   reads itself (--lazy) */
};

/* One version of one program. */
struct rpc_service {
	const char			*name;	/* "NFS_V3" */
	uint32_t			 prog, vers;
	uint32_t			 nprocs;
	const struct rpc_procedure	*procs;	/* [nprocs] by number */
};

/* ------------------------------------------------------- who is calling -- */

enum { RPC_AUTH_NONE = 0, RPC_AUTH_SYS = 1, RPC_AUTH_SHORT = 2,
    RPC_AUTH_GSS = 6, RPC_AUTH_TLS = 7 };

#define RPC_MAX_GIDS	16

struct rpc_cred {
	uint32_t	flavor;
	uint32_t	uid, gid;		/* AUTH_SYS */
	uint32_t	ngids;
	uint32_t	gids[RPC_MAX_GIDS];
};

/* The other end.  Constant for the life of a connection. */
struct rpc_peer {
	struct sockaddr_storage	 addr;		/* of the peer */
	struct sockaddr_storage	 local;		/* that it reached */
	bool			 udp;
	bool			 loopback;
	bool			 proven;	/* `uid` owns the peer's socket */
	uint32_t		 uid;
	char			 name[56];	/* "127.0.0.1:1012" */
};

const struct rpc_cred	*rpc_call_cred(const struct rpc_call *);
const struct rpc_peer	*rpc_call_peer(const struct rpc_call *);
/* Memory that goes with the call; for lists in results, say. */
struct xdr_arena	*rpc_call_arena(struct rpc_call *);
uint32_t		 rpc_call_xid(const struct rpc_call *);
uint32_t		 rpc_call_proc(const struct rpc_call *);

/*
 * Keep something for the call: zeroed, `size` bytes, made at the first call
 * and the same at every later one, also when the handler is run again.
 * `fini` (may be NULL) is called on it before the call goes.  One per call.
 */
void	*rpc_call_state(struct rpc_call *, size_t size, void (*fini)(void *));

/*
 * The memory of a payload that was received into a place of its own (see
 * bulk below), or NULL.  Borrowed: pinefs_buf_get to keep it.
 */
struct pinefs_buf;
struct pinefs_buf *rpc_call_bulk(const struct rpc_call *);

/*
 * Instead of *res, answer these bytes, encoded already; borrowed until the
 * call goes.  For protocols that keep replies themselves.
 */
void	 rpc_call_set_raw(struct rpc_call *, const void *base, size_t len);
/* A sum over the first arguments: does a retry carry the same request? */
uint64_t rpc_call_digest(const struct rpc_call *);
/* Bytes of the whole call. */
size_t	 rpc_call_size(const struct rpc_call *);
/* Said by route(): its reply may have so many bytes of data. */
void	 rpc_call_expect(struct rpc_call *, size_t bytes);
/* This call's reply need not be kept for a retransmission after all. */
void	 rpc_call_forget(struct rpc_call *);

/* Run a handler that answered RPC_LATER again.  From any thread. */
void	rpc_call_resume(struct rpc_call *);

/*
 * Tell when the caller is gone; the handler must still end.  Called at most
 * once, on the call's loop; not at all once the handler has ended.
 */
void	rpc_call_on_cancel(struct rpc_call *, void (*fn)(void *), void *arg);

/* ---------------------------------------------------------- executors -- */

/*
 * Threads on which calls that may block run whole.  `begin` and `end` are
 * called by the thread around each batch.
 */
struct rpc_executor;
/* Where a handler runs; NULL: on a loop. */
struct rpc_executor *rpc_call_executor(const struct rpc_call *);
/*
 * Not here: the handler returns RPC_LATER next, and is run again there.  For
 * a handler that learns only as it goes what it has to do.
 */
void	rpc_call_move(struct rpc_call *, struct rpc_executor *);
int	rpc_executor_new(struct rpc_executor **, unsigned threads,
	    void (*begin)(void *), void (*end)(void *), void *arg);
/*
 * With one thread: when `begin` has taken `ms`, what waits is run without it,
 * on another thread; handlers must then answer that it is to be tried later.
 * Before the first call.
 */
int	rpc_executor_set_patience(struct rpc_executor *, unsigned ms);
void	rpc_executor_free(struct rpc_executor *);	/* runs what is queued */

/* ------------------------------------------------------------ serving -- */

/* What a program's author knows of one procedure. */
struct rpc_rule {
	uint8_t		changes;	/* modifies something */
	uint8_t		replay;		/* answered once: replies are kept */
	uint8_t		handle;		/* wants an object; for its own use */
	uint8_t		auth;		/* least flavour: RPC_AUTH_… */
};

/*
 * One version of one program as a server has it.  Borrowed for the server's
 * life, as is everything in it.
 */
struct rpc_program {
	const struct rpc_service	*service;
	const void			*handlers;
	void				*self;
	const struct rpc_rule		*rules;	/* [nprocs], or NULL */
	/* Where to run a decoded call: NULL = here and now.  May be NULL. */
	struct rpc_executor		*(*route)(void *self,
					    struct rpc_call *,
					    const void *args);
	/*
	 * Of a procedure whose replies are kept: those of this call, too?
	 * It is asked before the look-up, with the cursor at the arguments.
	 * NULL: of all calls.
	 */
	bool				 (*keeps)(void *self,
					    const struct xdr_in *args);
	/*
	 * For traces: what a call with this rpc_call_state is about, as text
	 * without an end of line; "": it cannot be told.
	 */
	void				 (*object)(const void *state,
					    char *to, size_t size);
	/*
	 * For statistics: procedures whose calls are made of parts.  `parts`
	 * tells the number, below nparts, and the status of each that a result
	 * has; part_name what a number is called, NULL: it is none.
	 */
	unsigned			 nparts;
	const char			*(*part_name)(unsigned number);
	void				 (*parts)(uint32_t proc,
					    const void *res,
					    void (*tell)(void *arg,
						uint32_t number,
						uint32_t status),
					    void *arg);
	/* Not over UDP, not over TCP (RPC over that transport: mismatch). */
	bool				 no_udp;
	bool				 mount_port;	/* also on that port */
};

/* A socket that is bound already, and for TCP listens. */
struct rpc_socket {
	struct sockaddr_storage	 addr;		/* it is bound to */
	int			 fd;
	bool			 udp;
	bool			 second;	/* as if of second_port */
};

struct rpc_server_config {
	const char *const	*addrs;		/* NULL-terminated; NULL: 127.0.0.1, ::1 */
	uint16_t		 port;		/* 0: any free one */
	uint16_t		 second_port;	/* 0: none; busy: a warning */
	bool			 tcp_only;
	bool			 local_auth_none; /* do not ask for socket owners */
	bool			 udp_changes_reserved; /* SECURITY 3.5 */
	unsigned		 loops;		/* 0: one per core */
	const char *const	*allow;		/* "10.0.0.0/8", NULL-terminated */
	size_t			 max_payload;	/* most bytes of a READ or WRITE */
	/* Instead of addrs and ports; the server's from its start on, and
	 * UDP is served on those of them that are of UDP. */
	const struct rpc_socket	*sockets;
	unsigned		 nsockets;
};

int	rpc_server_new(struct rpc_server **, const struct rpc_server_config *);
int	rpc_server_add(struct rpc_server *, const struct rpc_program *);
/*
 * Bind and start the loops' threads; returns once it listens.  On failure a
 * line was logged.
 */
int	rpc_server_start(struct rpc_server *);
uint16_t rpc_server_port(const struct rpc_server *);
uint16_t rpc_server_second_port(const struct rpc_server *); /* 0: none */
/* One loop without a thread, for a host with its own: readable = poll. */
int	rpc_server_poll_fd(struct rpc_server *);
int	rpc_server_poll(struct rpc_server *, int timeout_ms);
/* Let calls in flight end for at most drain_ms; then close everything. */
int	rpc_server_stop(struct rpc_server *, int drain_ms);
/* Once, on a loop's thread, in `ms` milliseconds; dropped by a stop. */
int	rpc_server_after(struct rpc_server *, unsigned ms, void (*fn)(void *),
	    void *arg);
/* After fork, in the child: close what is inherited; nothing else works. */
void	rpc_server_fork_child(struct rpc_server *);
void	rpc_server_free(struct rpc_server *);

/*
 * The trace switch: while not zero, each call and its reply are printed on
 * fd 2, one line each.  Read when a reply is ready.
 */
int	*rpc_trace_switch(void);

/* ------------------------------------------------------------ calling -- */

/* Over TCP (or UDP); connects within timeout_ms. */
int	rpc_client_new(struct rpc_client **, const struct sockaddr *,
	    socklen_t, bool udp, uint32_t prog, uint32_t vers,
	    int timeout_ms);
void	rpc_client_free(struct rpc_client *);
/* AUTH_SYS from now on; AUTH_NONE before. */
void	rpc_client_auth_sys(struct rpc_client *, const struct rpc_cred *);

/*
 * Call and wait.  `args`, `res`: as the service's row says; results that
 * need memory come from `arena` and views in *res point into it.  0; EBADMSG,
 * ETIMEDOUT, EPROTONOSUPPORT (the server has not got the program, version or
 * procedure), EACCES (credential refused), EREMOTEIO (SYSTEM_ERR,
 * GARBAGE_ARGS), or an errno of the socket.
 */
int	rpc_client_call(struct rpc_client *, const struct rpc_procedure *,
	    uint32_t proc, const void *args, void *res, struct xdr_arena *);
/*
 * Call without waiting: `done(ctx, err, res)` is run by rpc_client_poll.
 * `done` NULL: one-way, no reply expected.
 */
typedef void rpc_done_fn(void *ctx, int err, void *res);
int	rpc_client_start(struct rpc_client *, const struct rpc_procedure *,
	    uint32_t proc, const void *args, rpc_done_fn *done, void *ctx);
int	rpc_client_poll(struct rpc_client *, int timeout_ms);

/* -------------------------------------------------------- calling back -- */

/*
 * The connection that a call came by, as something to keep: valid after it
 * has ended, too.  NULL over UDP.  Borrowed: get it to keep it.
 */
struct rpc_link;
struct rpc_link	*rpc_call_link(const struct rpc_call *);
void	 rpc_link_get(struct rpc_link *);
void	 rpc_link_put(struct rpc_link *);
bool	 rpc_link_is_open(const struct rpc_link *);
/*
 * A connection that we make, over TCP: for clients that want to be called
 * back elsewhere.  It is there at once, calls wait until it stands, and fail
 * with ECONNRESET if it never does, or where half of all connections that
 * there may be are taken.  What comes in by it are replies only.
 */
int	 rpc_link_connect(struct rpc_server *, const struct sockaddr_storage *,
	    struct rpc_link **);
/* Close the connection soon, whoever made it; calls under way fail. */
void	 rpc_link_close(struct rpc_link *);
/*
 * Call the client over it, by a row of a client's service; from any thread.
 * `args` are encoded before it returns; `done` is run once, on the link's
 * loop, unless an error is returned: ECONNRESET, EMSGSIZE, EINVAL, ENOMEM.
 */
int	rpc_link_call(struct rpc_link *, const struct rpc_procedure *row,
	    uint32_t prog, uint32_t vers, uint32_t proc,
	    const struct rpc_cred *cred, const void *args,
	    unsigned timeout_ms, rpc_done_fn *done, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
