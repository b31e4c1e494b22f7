/* Addresses and owners of peers.  See peer.h. */
#include "rpc/peer.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STATE_ESTABLISHED = 1 };	/* TCP_ESTABLISHED of the kernel */

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

void
peer_addr_bytes(const struct sockaddr_storage *ss, uint8_t addr[16])
{
	if (ss->ss_family == AF_INET6) {
		memcpy(addr, &((const struct sockaddr_in6 *)ss)->sin6_addr,
		    16);
		return;
	}
	memcpy(addr, mapped, 12);
	memcpy(addr + 12, &((const struct sockaddr_in *)ss)->sin_addr, 4);
}

uint16_t
peer_port(const struct sockaddr_storage *ss)
{
	return ntohs(ss->ss_family == AF_INET6 ?
	    ((const struct sockaddr_in6 *)ss)->sin6_port :
	    ((const struct sockaddr_in *)ss)->sin_port);
}

bool
peer_is_loopback(const struct sockaddr_storage *ss)
{
	static const uint8_t one[16] = { [15] = 1 };
	uint8_t a[16];

	peer_addr_bytes(ss, a);
	if (memcmp(a, mapped, 12) == 0)
		return a[12] == 127;
	return memcmp(a, one, 16) == 0;
}

bool
peer_is_same_host(const struct sockaddr_storage *one,
    const struct sockaddr_storage *other)
{
	uint8_t a[16], b[16];

	peer_addr_bytes(one, a);
	peer_addr_bytes(other, b);
	return memcmp(a, b, sizeof a) == 0;
}

static char *
put_number(char *p, unsigned v)
{
	char digits[10];
	int n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

/* By hand for IPv4: over UDP it is done for every call, and printf is slow. */
void
peer_name(const struct sockaddr_storage *ss, char *to, size_t size)
{
	const struct sockaddr_in *sin = (const void *)ss;
	const uint8_t *ip = (const uint8_t *)&sin->sin_addr;
	char text[INET6_ADDRSTRLEN] = "?";

	if (ss->ss_family == AF_INET6) {
		inet_ntop(AF_INET6,
		    &((const struct sockaddr_in6 *)ss)->sin6_addr, text,
		    sizeof text);
		snprintf(to, size, "[%s]:%u", text, peer_port(ss));
		return;
	}
	if (size < sizeof "255.255.255.255:65535")
		return;
	for (int i = 0; i < 4; i++) {
		to = put_number(to, ip[i]);
		*to++ = i < 3 ? '.' : ':';
	}
	*put_number(to, peer_port(ss)) = '\0';
}

int
peer_parse(const char *text, uint16_t port, struct sockaddr_storage *ss,
    socklen_t *len)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		*len = sizeof *sin;
		return 0;
	}
	if (inet_pton(AF_INET6, text, &sin6->sin6_addr) == 1) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(port);
		*len = sizeof *sin6;
		return 0;
	}
	return EINVAL;
}

/* "10.0.0.0/8" as 16 bytes and the number of bits that count. */
static int
net_parse(const char *net, uint8_t addr[16], unsigned *bits)
{
	const char *slash = strchr(net, '/');
	size_t n = slash == NULL ? strlen(net) : (size_t)(slash - net);
	struct sockaddr_storage ss;
	char host[INET6_ADDRSTRLEN], *end;
	unsigned long b, most;
	socklen_t len;

	if (n >= sizeof host)
		return EINVAL;
	memcpy(host, net, n);
	host[n] = '\0';
	if (peer_parse(host, 0, &ss, &len) != 0)
		return EINVAL;
	peer_addr_bytes(&ss, addr);
	most = b = ss.ss_family == AF_INET ? 32 : 128;
	if (slash != NULL) {
		b = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end != '\0' ||
		    b > most)
			return EINVAL;
	}
	*bits = (unsigned)(128 - most + b);
	return 0;
}

int
peer_net_check(const char *net)
{
	uint8_t addr[16];
	unsigned bits;

	return net_parse(net, addr, &bits);
}

bool
peer_in_net(const struct sockaddr_storage *ss, const char *net)
{
	uint8_t want[16], is[16], mask;
	unsigned bits;

	if (net_parse(net, want, &bits) != 0)
		return false;
	peer_addr_bytes(ss, is);
	if (memcmp(want, is, bits / 8) != 0)
		return false;
	if (bits % 8 == 0)
		return true;
	mask = (uint8_t)(0xff00u >> bits % 8);
	return ((want[bits / 8] ^ is[bits / 8]) & mask) == 0;
}

/* -------------------------------------------------------- socket owners -- */

struct diag_query {
	struct nlmsghdr			h;
	struct inet_diag_req_v2		r;
};

/* Is `a` an IPv4 address in the mapped form? */
static bool
is_mapped(const uint8_t a[16])
{
	return memcmp(a, mapped, 12) == 0;
}

static void
diag_addr(__be32 to[4], const struct sockaddr_storage *ss, bool v4)
{
	uint8_t a[16];

	peer_addr_bytes(ss, a);
	memset(to, 0, 16);
	if (v4)
		memcpy(to, a + 12, 4);
	else
		memcpy(to, a, 16);
}

/*
 * The socket at `peer` that talks to `local`.  For UDP the kernel takes the
 * two the other way round ("for historical reasons", udp_diag.c): asked as
 * for TCP, it would tell of our own socket.
 */
static void
diag_query(struct diag_query *q, const struct sockaddr_storage *peer,
    const struct sockaddr_storage *local, bool udp, bool v4)
{
	const struct sockaddr_storage *src = udp ? local : peer;
	const struct sockaddr_storage *dst = udp ? peer : local;

	memset(q, 0, sizeof *q);
	q->h.nlmsg_len = sizeof *q;
	q->h.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q->h.nlmsg_flags = NLM_F_REQUEST;
	q->r.sdiag_family = v4 ? AF_INET : AF_INET6;
	q->r.sdiag_protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;
	q->r.idiag_states = ~0u;
	q->r.id.idiag_sport = htons(peer_port(src));
	q->r.id.idiag_dport = htons(peer_port(dst));
	diag_addr(q->r.id.idiag_src, src, v4);
	diag_addr(q->r.id.idiag_dst, dst, v4);
	q->r.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	q->r.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

/* The answer must be about the socket that has the peer's port. */
static int
diag_answer(const struct nlmsghdr *h, size_t n, uint16_t port, bool udp,
    uint32_t *uid)
{
	const struct inet_diag_msg *m;

	if (n < sizeof *h || h->nlmsg_len > n)
		return ENOSYS;
	if (h->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(h))->error ==
		    -ENOENT ? ENOENT : ENOSYS;
	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof *m))
		return ENOSYS;
	m = NLMSG_DATA(h);
	if (ntohs(m->id.idiag_sport) != port)
		return EPERM;
	/* Rule 2: a socket already closed is reported as uid 0, inode 0. */
	if ((!udp && m->idiag_state != STATE_ESTABLISHED) ||
	    m->idiag_inode == 0)
		return EPERM;
	*uid = m->idiag_uid;
	return 0;
}

static int
diag_ask(const struct diag_query *q, uint16_t port, bool udp, struct fds *fds,
    uint32_t *uid)
{
	_Alignas(8) char buf[1024];
	ssize_t n;
	int fd, err = ENOSYS;

	fds_begin();
	fd = fds_end(fds, socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
	    NETLINK_SOCK_DIAG));
	if (fd == -1)
		return ENOSYS;
	if (send(fd, q, sizeof *q, 0) == (ssize_t)sizeof *q &&
	    (n = recv(fd, buf, sizeof buf, 0)) > 0)
		err = diag_answer((const struct nlmsghdr *)buf, (size_t)n,
		    port, udp, uid);
	fds_close(fds, fd);
	return err;
}

/* What lines of /proc/net/tcp and its like are held against. */
struct proc_pair {
	char		local[64], remote[64];	/* as the peer sees it */
	char		any_local[64], any_remote[64];
	bool		udp;
};

/* A datagram socket need not be bound to an address, nor be connected. */
static bool
proc_match(const struct proc_pair *w, const char *local, const char *remote)
{
	if (!w->udp)
		return strcmp(local, w->local) == 0 &&
		    strcmp(remote, w->remote) == 0;
	return (strcmp(local, w->local) == 0 ||
	    strcmp(local, w->any_local) == 0) &&
	    (strcmp(remote, w->remote) == 0 ||
	    strcmp(remote, w->any_remote) == 0);
}

/*
 * One line of /proc/net/tcp or its like.  *err is ENOENT until a line
 * matches; EPERM if it is not to be believed, or if two have other owners.
 */
static void
proc_line(const char *line, const struct proc_pair *w, uint32_t *uid,
    int *err)
{
	unsigned long inode;
	unsigned state, u;
	char local[64], remote[64];

	if (sscanf(line, " %*u: %63s %63s %x %*s %*s %*s %u %*u %lu", local,
	    remote, &state, &u, &inode) != 5 ||
	    !proc_match(w, local, remote))
		return;
	if ((!w->udp && state != STATE_ESTABLISHED) || inode == 0 ||
	    (*err == 0 && *uid != u))
		*err = EPERM;
	else if (*err == ENOENT)
		*err = 0;
	*uid = u;
}

/* The kernel prints addresses as 32-bit words in its own byte order. */
static void
proc_addr(char *to, size_t size, const struct sockaddr_storage *ss, bool v4)
{
	uint32_t w[4];
	uint8_t a[16];
	size_t n = 0;
	int i;

	peer_addr_bytes(ss, a);
	memcpy(w, a, 16);
	for (i = v4 ? 3 : 0; i < 4; i++)
		n += (size_t)snprintf(to + n, size - n, "%08X", w[i]);
	snprintf(to + n, size - n, ":%04X", peer_port(ss));
}

static void
proc_pair(struct proc_pair *w, const struct sockaddr_storage *peer,
    const struct sockaddr_storage *local, bool udp, bool v4)
{
	const char *zeros = v4 ? "00000000" :
	    "00000000000000000000000000000000";

	proc_addr(w->local, sizeof w->local, peer, v4);
	proc_addr(w->remote, sizeof w->remote, local, v4);
	snprintf(w->any_local, sizeof w->any_local, "%s:%04X", zeros,
	    peer_port(peer));
	snprintf(w->any_remote, sizeof w->any_remote, "%s:0000", zeros);
	w->udp = udp;
}

static int
proc_ask(const struct sockaddr_storage *peer,
    const struct sockaddr_storage *local, bool udp, bool v4, uint32_t *uid)
{
	char path[32], line[512];
	struct proc_pair want;
	int err = ENOENT;
	FILE *f;

	snprintf(path, sizeof path, "/proc/net/%s%s", udp ? "udp" : "tcp",
	    v4 ? "" : "6");
	if ((f = fopen(path, "re")) == NULL)
		return ENOSYS;
	proc_pair(&want, peer, local, udp, v4);
	while (fgets(line, sizeof line, f) != NULL)
		proc_line(line, &want, uid, &err);
	fclose(f);
	return err;
}

int
peer_owner(const struct sockaddr_storage *peer,
    const struct sockaddr_storage *local, bool udp, struct fds *fds,
    uint32_t *uid)
{
	struct diag_query q;
	uint8_t a[16];
	bool v4;
	int err;

	peer_addr_bytes(peer, a);
	v4 = is_mapped(a);
	diag_query(&q, peer, local, udp, v4);
	err = diag_ask(&q, peer_port(peer), udp, fds, uid);
	if (err == ENOSYS)
		err = proc_ask(peer, local, udp, v4, uid);
	return err;
}
