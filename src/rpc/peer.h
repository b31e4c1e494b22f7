/*
 * Who is at the other end: addresses as plain words, the networks that may
 * come, and the owner of a peer's socket on this machine (SECURITY 3).
 */
#ifndef RPC_PEER_H
#define RPC_PEER_H

#include <pinefs/rpc.h>

#include "base/fds.h"

/* IPv4 as v4-mapped IPv6, so that one form serves both. */
void	 peer_addr_bytes(const struct sockaddr_storage *, uint8_t addr[16]);
uint16_t peer_port(const struct sockaddr_storage *);
bool	 peer_is_loopback(const struct sockaddr_storage *);
/* Whatever their ports. */
bool	 peer_is_same_host(const struct sockaddr_storage *,
	    const struct sockaddr_storage *);
/* "127.0.0.1:1012", "[::1]:1012"; size: that of rpc_peer.name, or more. */
void	 peer_name(const struct sockaddr_storage *, char *to, size_t size);
/* "127.0.0.1", "::1", "10.0.0.0/8"; EINVAL. */
int	 peer_parse(const char *text, uint16_t port,
	    struct sockaddr_storage *, socklen_t *);
int	 peer_net_check(const char *net);	/* is it one at all: EINVAL */
bool	 peer_in_net(const struct sockaddr_storage *, const char *net);

/*
 * The uid that owns the peer's socket: asked of the kernel by
 * NETLINK_SOCK_DIAG, else of /proc/net/tcp.  Believed only when the state is
 * ESTABLISHED (TCP) and the inode is not 0: a client that connected, sent
 * and closed is reported as uid 0.  EPERM: not to be believed; ENOENT: no
 * such socket here (another network namespace); ENOSYS: cannot be asked.
 * `fds` (or NULL) knows of the socket by which it is asked.
 */
int	 peer_owner(const struct sockaddr_storage *peer,
	    const struct sockaddr_storage *local, bool udp, struct fds *fds,
	    uint32_t *uid);

#endif
