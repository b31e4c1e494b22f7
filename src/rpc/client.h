/* Calling, for the server's own needs; the rest is in <pinefs/rpc.h>. */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include <pinefs/rpc.h>

#include "base/fds.h"

/* rpc_client_new, and `fds`, which outlives it, knows of its socket. */
int	rpc_client_open(struct rpc_client **, const struct sockaddr *,
	    socklen_t, bool udp, uint32_t prog, uint32_t vers,
	    int timeout_ms, struct fds *fds);

#endif
