/*
 * Datagrams: one call each way (RFC 5531 section 11).  Answered from the
 * address the call was sent to, by asking for it with every datagram.
 */
#include <netinet/udp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/peer.h"
#include "rpc/server.h"
#include "rpc/stats.h"

enum { MAX_IN_FLIGHT = 1024, BATCH = 8, DATAGRAM = 65536, CONTROL = 64,
    MAX_PAYLOAD = 65507 };

struct rpc_udp {
	struct rpc_source	 source;	/* first */
	struct rpc_udp		*next;
	struct rpc_server	*server;
	struct rpc_loop		*loop;
	struct sockaddr_storage	 addr;
	bool			 second;
	uint8_t			*buf;		/* BATCH datagrams */
};

/* The control message that says which of our addresses was meant. */
union pktinfo {
	struct in_pktinfo	v4;
	struct in6_pktinfo	v6;
};

static void
local_addr(struct msghdr *m, const struct rpc_udp *u,
    struct sockaddr_storage *local)
{
	struct cmsghdr *c;
	union pktinfo info;

	*local = u->addr;
	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP &&
		    c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof info.v4);
			((struct sockaddr_in *)local)->sin_addr =
			    info.v4.ipi_addr;
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof info.v6);
			((struct sockaddr_in6 *)local)->sin6_addr =
			    info.v6.ipi6_addr;
		}
	}
}

/* Weaker than TCP's: the port may have changed hands (SECURITY 3, 5). */
static bool
identify(struct rpc_server *server, struct rpc_peer *peer)
{
	peer->udp = true;
	peer_name(&peer->addr, peer->name, sizeof peer->name);
	peer->loopback = peer_is_loopback(&peer->addr) &&
	    peer_is_loopback(&peer->local);
	if (peer->loopback && !server->config.local_auth_none) {
		if (peer_owner(&peer->addr, &peer->local, true, &server->fds,
		    &peer->uid) != 0)
			return false;
		peer->proven = true;
	}
	return server_admits(server, peer);
}

static void
datagram(struct rpc_udp *u, struct msghdr *m, const uint8_t *bytes, size_t len)
{
	struct rpc_loop *loop = u->loop;
	struct rpc_call *call;
	void *copy;

	loop_count(loop, COUNT_UDP);
	/* Too much under way: it is lost, as datagrams are. */
	if (len < 4 || atomic_load(&loop->in_flight) >= MAX_IN_FLIGHT ||
	    (call = rpc_call_new(loop)) == NULL)
		return;
	call->udp = u;
	call->udp_peer = (struct rpc_peer){ .uid = UINT32_MAX };
	memcpy(&call->udp_peer.addr, m->msg_name, m->msg_namelen);
	local_addr(m, u, &call->udp_peer.local);
	call->peer = &call->udp_peer;
	if (!identify(u->server, &call->udp_peer)) {
		loop_count(loop, COUNT_PEER_REFUSED);
		rpc_call_free(call);
		return;
	}
	/* The buffer is for the next datagrams; the call may wait. */
	if ((copy = xdr_arena_alloc(&call->arena, len)) == NULL) {
		rpc_call_free(call);
		return;
	}
	memcpy(copy, bytes, len);
	call->segs[0] = (struct xdr_seg){ copy, len };
	call->nsegs = 1;
	call->size = len;
	rpc_dispatch(call);
}

static void
udp_ready(struct rpc_source *s, struct rpc_loop *loop, unsigned events)
{
	struct rpc_udp *u = (struct rpc_udp *)s;
	struct sockaddr_storage from[BATCH];
	_Alignas(8) char control[BATCH][CONTROL];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	int i, n;

	(void)events;
	memset(m, 0, sizeof m);
	for (i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ u->buf + (size_t)i * DATAGRAM,
		    DATAGRAM };
		m[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
		    .msg_namelen = sizeof from[i], .msg_iov = &iov[i],
		    .msg_iovlen = 1, .msg_control = control[i],
		    .msg_controllen = CONTROL };
	}
	n = recvmmsg(s->fd, m, BATCH, MSG_DONTWAIT, NULL);
	if (stats_watched(loop))
		stats_batch(loop);
	for (i = 0; i < n; i++)
		if ((m[i].msg_hdr.msg_flags & MSG_TRUNC) == 0)
			datagram(u, &m[i].msg_hdr, iov[i].iov_base,
			    m[i].msg_len);
}

/* From the address that was asked. */
static void
set_source(struct msghdr *m, char *control,
    const struct sockaddr_storage *local)
{
	struct cmsghdr *c;
	union pktinfo info;
	size_t len;

	memset(&info, 0, sizeof info);
	m->msg_control = control;
	m->msg_controllen = CONTROL;
	c = CMSG_FIRSTHDR(m);
	if (local->ss_family == AF_INET6) {
		info.v6.ipi6_addr =
		    ((const struct sockaddr_in6 *)local)->sin6_addr;
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		len = sizeof info.v6;
	} else {
		info.v4.ipi_spec_dst =
		    ((const struct sockaddr_in *)local)->sin_addr;
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		len = sizeof info.v4;
	}
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), &info, len);
	m->msg_controllen = CMSG_SPACE(len);
}

void
udp_reply(struct rpc_call *call, struct pinefs_chain *chain)
{
	_Alignas(8) char control[CONTROL] = { 0 };
	struct iovec iov[64];
	struct msghdr m = { .msg_iov = iov };
	ssize_t n;

	if (chain->bytes > MAX_PAYLOAD || chain->n > 64)
		return;		/* the client asked for too much: it will
				   ask again, and hear nothing again */
	m.msg_iovlen = chain_iov(chain, iov, 64);
	m.msg_name = &call->udp_peer.addr;
	m.msg_namelen = call->udp_peer.addr.ss_family == AF_INET6 ?
	    sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	set_source(&m, control, &call->udp_peer.local);
	n = sendmsg(call->udp->source.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == -1 && errno == EFAULT && chain_own(chain, 64) == 0) {
		m.msg_iovlen = chain_iov(chain, iov, 64);
		n = sendmsg(call->udp->source.fd, &m, MSG_DONTWAIT |
		    MSG_NOSIGNAL);
	}
	/* Lost like any datagram when the socket is full: they ask again. */
	if (n == -1 && errno != EAGAIN)
		log_debug("udp: reply not sent: %s", strerror(errno));
}

/* A new one in the list, with no socket yet; NULL: no memory. */
static struct rpc_udp *
add(struct rpc_server *server, struct rpc_loop *loop,
    const struct sockaddr_storage *addr, bool second)
{
	struct rpc_udp *u;

	if ((u = calloc(1, sizeof *u)) == NULL ||
	    (u->buf = malloc((size_t)BATCH * DATAGRAM)) == NULL) {
		free(u);
		return NULL;
	}
	u->source = (struct rpc_source){ .fd = -1, .ready = udp_ready };
	u->server = server;
	u->loop = loop;
	u->addr = *addr;
	u->second = second;
	u->next = server->udp;
	server->udp = u;
	return u;
}

/* Let each datagram tell which address it was sent to. */
static void
ask_destination(const struct rpc_udp *u)
{
	int on = 1, v6 = u->addr.ss_family == AF_INET6;

	setsockopt(u->source.fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
	    v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &on, sizeof on);
}

static int
open_one(struct rpc_server *server, struct rpc_loop *loop,
    const struct rpc_listener *l)
{
	socklen_t len = l->addr.ss_family == AF_INET6 ?
	    sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	struct rpc_udp *u = add(server, loop, &l->addr, l->second);
	int on = 1;

	if (u == NULL)
		return ENOMEM;
	fds_begin();
	u->source.fd = fds_end(&server->fds, socket(l->addr.ss_family,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (u->source.fd == -1)
		return errno;
	setsockopt(u->source.fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	if (l->addr.ss_family == AF_INET6)
		setsockopt(u->source.fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof on);
	ask_destination(u);
	return bind(u->source.fd, (const struct sockaddr *)&l->addr, len) == -1
	    ? errno : poller_add(loop, &u->source, LOOP_IN);
}

/* Sockets that came to us: there is one of each, so one loop reads it. */
static int
adopt(struct rpc_server *server)
{
	const struct rpc_socket *s = server->config.sockets;
	struct rpc_udp *u;
	unsigned i, n = 0;
	int err;

	for (i = 0; i < server->config.nsockets; i++, s++) {
		if (!s->udp)
			continue;
		u = add(server, &server->loops[n++ % server->nloops], &s->addr,
		    s->second);
		if (u == NULL)
			return ENOMEM;
		fds_begin();
		u->source.fd = fds_end(&server->fds, s->fd);
		ask_destination(u);
		if ((err = poller_add(u->loop, &u->source, LOOP_IN)) != 0)
			return err;
	}
	return 0;
}

bool
udp_is_second(const struct rpc_udp *u)
{
	return u->second;
}

void
udp_pause(struct rpc_loop *loop)
{
	struct rpc_udp *u;

	for (u = loop->server->udp; u != NULL; u = u->next)
		if (u->loop == loop)
			poller_set(loop, &u->source, 0);
}

int
udp_open(struct rpc_server *server)
{
	unsigned i, j;
	int err;

	if (server->config.nsockets > 0)
		return adopt(server);
	for (i = 0; i < server->nlisteners; i++) {
		for (j = 0; j < server->nloops; j++) {
			err = open_one(server, &server->loops[j],
			    &server->listener[i]);
			if (err != 0)
				return err;
		}
	}
	return 0;
}

void
udp_close(struct rpc_server *server)
{
	struct rpc_udp *u;

	while ((u = server->udp) != NULL) {
		server->udp = u->next;
		if (u->source.fd != -1) {
			poller_del(u->loop, &u->source);
			fds_close(&server->fds, u->source.fd);
		}
		free(u->buf);
		free(u);
	}
}
