/*
 * Listening sockets.  Loop 0 accepts and gives each connection to the loop
 * with the fewest; there it stays.  No SO_REUSEPORT: it would let a second
 * server of the same user share the port silently.
 */
#include <linux/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/addrs.h"
#include "rpc/conn.h"
#include "rpc/peer.h"
#include "rpc/server.h"

enum { BACKLOG = 1024, USER_TIMEOUT_MS = 60000, NOTSENT_LOWAT = 256 << 10,
    LOCAL_SNDBUF = 256 << 10, ACCEPTS = 64, RETRY_MS = 1000 };

/* A new connection on its way to its loop. */
struct newcomer {
	struct loop_task	task;
	int			fd;
	struct rpc_peer		peer;
	bool			second;
};

bool
server_admits(const struct rpc_server *server, const struct rpc_peer *peer)
{
	const char *const *net = server->config.allow;

	if (peer->loopback)
		return true;
	/* An accident guard, no authentication (SECURITY 2). */
	if (peer_port(&peer->addr) >= IPPORT_RESERVED)
		return false;
	for (; net != NULL && *net != NULL; net++)
		if (peer_in_net(&peer->addr, *net))
			return true;
	return false;
}

/*
 * On loopback, ask whose socket it is.  False: do not talk to it.
 */
static bool
find_owner(struct rpc_server *server, struct rpc_peer *peer)
{
	static struct log_limit limit;

	if (!peer->loopback || server->config.local_auth_none)
		return true;
	switch (peer_owner(&peer->addr, &peer->local, peer->udp,
	    &server->fds, &peer->uid)) {
	case 0:
		peer->proven = true;
		return true;
	case ENOSYS:
		log_limited(&limit, "cannot ask the kernel who owns a local "
		    "peer's socket; its uid is what it says");
		return true;
	case ENOENT:
		peer->loopback = false;	/* of another network namespace */
		return true;
	}
	return false;
}

static bool
identify(struct rpc_server *server, int fd, struct rpc_peer *peer)
{
	socklen_t len = sizeof peer->local;

	peer_name(&peer->addr, peer->name, sizeof peer->name);
	if (getsockname(fd, (struct sockaddr *)&peer->local, &len) == -1)
		return false;
	peer->loopback = peer_is_loopback(&peer->addr) &&
	    peer_is_loopback(&peer->local);
	return find_owner(server, peer) && server_admits(server, peer);
}

static void
set_options(int fd, const struct rpc_peer *peer)
{
	int on = 1, ms = USER_TIMEOUT_MS, low = NOTSENT_LOWAT,
	    few = LOCAL_SNDBUF;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof low);
	/*
	 * A client on this host: no bytes are under way.  It is to take them
	 * while they are in a cache; the kernel would let us go on for
	 * megabytes (PERFORMANCE: a third more READs of 64 KiB, twice as
	 * many of 1 MiB).
	 */
	if (peer_is_loopback(&peer->addr) ||
	    peer_is_same_host(&peer->addr, &peer->local))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &few, sizeof few);
}

/* Only remote peers are limited; false: they are too many. */
static bool
count_conn(struct rpc_server *server, const struct rpc_peer *peer)
{
	if (!peer->loopback &&
	    !addrs_add(server->addrs, &peer->addr, SERVER_MAX_PER_ADDR))
		return false;
	atomic_fetch_add(&server->nconns, 1);
	return true;
}

void
server_forget_conn(struct rpc_server *server, const struct rpc_peer *peer)
{
	if (!peer->loopback)
		addrs_remove(server->addrs, &peer->addr);
	atomic_fetch_sub(&server->nconns, 1);
}

static void
arrive(struct loop_task *task, struct rpc_loop *loop)
{
	struct newcomer *n = (struct newcomer *)task;

	if (conn_new(loop, n->fd, &n->peer, n->second, NULL) != 0) {
		fds_close(&loop->server->fds, n->fd);
		server_forget_conn(loop->server, &n->peer);
	}
	free(n);
}

static struct rpc_loop *
least_loaded(struct rpc_server *server)
{
	struct rpc_loop *best = &server->loops[0];
	unsigned i;

	for (i = 1; i < server->nloops; i++)
		if (atomic_load(&server->loops[i].nconns) <
		    atomic_load(&best->nconns))
			best = &server->loops[i];
	return best;
}

static void
refuse(struct rpc_loop *loop, const struct rpc_peer *peer, int fd,
    const char *why)
{
	static struct log_limit limit;

	loop_count(loop, COUNT_PEER_REFUSED);
	log_limited(&limit, "%s: connection refused: %s", peer->name, why);
	fds_close(&loop->server->fds, fd);
}

static void
welcome(struct rpc_listener *l, struct rpc_loop *loop, int fd,
    const struct rpc_peer *addr)
{
	struct rpc_server *server = l->server;
	struct rpc_peer peer = *addr;
	struct newcomer *n;

	if (!identify(server, fd, &peer)) {
		refuse(loop, &peer, fd, peer.loopback ?
		    "its owner cannot be proven; serve with --local-auth "
		    "none if it is to be believed" :
		    "not from an allowed network and a port below 1024 "
		    "(--allow)");
		return;
	}
	if ((n = calloc(1, sizeof *n)) == NULL) {
		fds_close(&server->fds, fd);
		return;
	}
	if (!count_conn(server, &peer)) {
		refuse(loop, &peer, fd, "its address has too many");
		free(n);
		return;
	}
	set_options(fd, &peer);
	loop_count(loop, COUNT_ACCEPTED);
	*n = (struct newcomer){ .task.fn = arrive, .fd = fd, .peer = peer,
	    .second = l->second };
	loop = least_loaded(server);
	if (loop == &server->loops[0])
		arrive(&n->task, loop);
	else
		loop_post(loop, &n->task);
}

/* ------------------------------------------------------ pause and resume -- */

static void
set_paused(struct rpc_server *server, bool paused)
{
	struct rpc_listener *l;

	for (l = server->listener; l < server->listener + server->nlisteners;
	    l++) {
		if (l->paused == paused || l->source.fd == -1)
			continue;
		l->paused = paused;
		poller_set(&server->loops[0], &l->source,
		    paused ? 0 : LOOP_IN);
	}
}

/* A second after a pause, and when it is over: look whether it still is. */
static void
try_again(struct wheel_timer *t)
{
	struct rpc_server *server = (struct rpc_server *)(void *)((char *)t -
	    offsetof(struct rpc_server, resume_accept));

	set_paused(server, false);
}

static void
pause_accept(struct rpc_server *server)
{
	struct rpc_loop *loop = &server->loops[0];

	loop_count(loop, COUNT_PAUSES);
	set_paused(server, true);
	wheel_arm(&loop->wheel, &server->resume_accept,
	    loop->now_ms + RETRY_MS);
}

static void
listener_ready(struct rpc_source *s, struct rpc_loop *loop, unsigned events)
{
	struct rpc_listener *l = (struct rpc_listener *)s;
	struct rpc_peer peer;
	socklen_t len;
	int fd, i;

	(void)events;
	for (i = 0; i < ACCEPTS; i++) {
		if (atomic_load(&l->server->nconns) >= l->server->max_conns) {
			pause_accept(l->server);
			return;
		}
		peer = (struct rpc_peer){ .uid = UINT32_MAX };
		len = sizeof peer.addr;
		fds_begin();
		fd = fds_end(&l->server->fds, accept4(s->fd,
		    (struct sockaddr *)&peer.addr, &len,
		    SOCK_CLOEXEC | SOCK_NONBLOCK));
		if (fd == -1) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS)
				pause_accept(l->server);
			return;
		}
		welcome(l, loop, fd, &peer);
	}
}

/* ------------------------------------------------------------- listening -- */

/* A socket bound to `ss`; *err is said by the caller, with the port. */
static int
listen_on(struct fds *fds, const struct sockaddr_storage *ss, socklen_t len,
    int *err)
{
	int fd, on = 1;

	fds_begin();
	fd = fds_end(fds, socket(ss->ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (fd == -1) {
		*err = errno;
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (ss->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)ss, len) == -1 ||
	    listen(fd, BACKLOG) == -1) {
		*err = errno;
		fds_close(fds, fd);
		return -1;
	}
	return fd;
}

/* Port 0 was asked for: all further addresses take the port of the first. */
static uint16_t
port_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	return getsockname(fd, (struct sockaddr *)&ss, &len) == -1 ? 0 :
	    peer_port(&ss);
}

static int
add_listener(struct rpc_server *server, const char *addr, uint16_t port,
    bool second)
{
	struct rpc_listener *l = &server->listener[server->nlisteners];
	socklen_t len;
	int err = 0, fd;

	if (server->nlisteners == SERVER_MAX_LISTENERS)
		return EMFILE;
	if (peer_parse(addr, port, &l->addr, &len) != 0)
		return EINVAL;
	if ((fd = listen_on(&server->fds, &l->addr, len, &err)) == -1)
		return err;
	if (port == 0)
		peer_parse(addr, port_of(fd), &l->addr, &len);
	l->server = server;
	l->second = second;
	l->source = (struct rpc_source){ .fd = fd, .ready = listener_ready };
	server->nlisteners++;
	return poller_add(&server->loops[0], &l->source, LOOP_IN);
}

/*
 * A machine without IPv6 has no ::1; that is no reason not to serve, unless
 * it was asked for by name.
 */
static bool
may_be_absent(const struct rpc_server *server, int err)
{
	return server->config.addrs == NULL &&
	    (err == EADDRNOTAVAIL || err == EAFNOSUPPORT);
}

static int
open_port(struct rpc_server *server, uint16_t *port, bool second,
    const char **failed)
{
	static const char *const loopback[] = { "127.0.0.1", "::1", NULL };
	const char *const *addr = server->config.addrs;
	unsigned before = server->nlisteners;
	bool own = addr == NULL;
	int err;

	for (addr = own ? loopback : addr; *addr != NULL; addr++) {
		*failed = *addr;
		err = add_listener(server, *addr, *port, second);
		if (err != 0 && !(server->nlisteners > before &&
		    may_be_absent(server, err)))
			return err;
		if (err == 0 && *port == 0)
			*port = peer_port(&server->listener[before].addr);
	}
	return 0;
}

/* Sockets that came to us; the first decides what port we say. */
static int
adopt_listeners(struct rpc_server *server)
{
	const struct rpc_socket *s = server->config.sockets;
	struct rpc_listener *l;
	unsigned i;
	int err;

	for (i = 0; i < server->config.nsockets; i++, s++) {
		if (s->udp)
			continue;
		if (server->nlisteners == SERVER_MAX_LISTENERS)
			return EMFILE;
		l = &server->listener[server->nlisteners++];
		*l = (struct rpc_listener){ .server = server, .addr = s->addr,
		    .second = s->second, .source.ready = listener_ready };
		fds_begin();
		l->source.fd = fds_end(&server->fds, s->fd);
		err = poller_add(&server->loops[0], &l->source, LOOP_IN);
		if (err != 0)
			return err;
		if (s->second && server->second_port == 0)
			server->second_port = peer_port(&s->addr);
		if (!s->second && server->port == 0)
			server->port = peer_port(&s->addr);
	}
	return 0;
}

int
listeners_open(struct rpc_server *server)
{
	uint16_t port = server->config.port, second;
	const char *addr = "";
	int err;

	server->resume_accept.fn = try_again;
	if (server->config.nsockets > 0)
		return adopt_listeners(server);
	if ((err = open_port(server, &port, false, &addr)) != 0) {
		server_cannot_listen(addr, port, err);
		return err;
	}
	server->port = port;
	second = server->config.second_port;
	if (second == 0 || second == port)
		return 0;
	if ((err = open_port(server, &second, true, &addr)) != 0)
		log_warning("cannot listen on %s port %u: %s; MOUNT answers on "
		    "port %u as well", addr, second, strerror(err), port);
	else
		server->second_port = second;
	return 0;
}

void
listeners_close(struct rpc_server *server)
{
	struct rpc_listener *l;

	for (l = server->listener; l < server->listener + server->nlisteners;
	    l++) {
		if (l->source.fd == -1)
			continue;
		poller_del(&server->loops[0], &l->source);
		fds_close(&server->fds, l->source.fd);
		l->source.fd = -1;
	}
}
