/*
 * Registering with rpcbind.  Version 4 over its unix socket first: that
 * works for an ordinary user and knows IPv6; then 3; then, over TCP, the
 * portmapper's version 2 (RFC 1833).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "proto/portmap.h"
#include "rpc/peer.h"
#include "server/server.h"

enum { TIMEOUT_MS = 2000 };

#define SOCKET_PATH	"/run/rpcbind.sock"

/* Somebody to tell: rpcbind in one of its versions. */
struct portmapper {
	struct rpc_client	*client;
	unsigned		 version;
};

static int
open_unix(struct portmapper *pm, unsigned version)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
	    .sun_path = SOCKET_PATH };

	pm->version = version;
	return rpc_client_new(&pm->client, (struct sockaddr *)&sun,
	    sizeof sun, false, PMAP_PROG, version, TIMEOUT_MS);
}

static int
open_tcp(struct portmapper *pm)
{
	struct sockaddr_storage ss;
	socklen_t len;

	pm->version = 2;
	peer_parse("127.0.0.1", PMAP_PORT, &ss, &len);
	return rpc_client_new(&pm->client, (struct sockaddr *)&ss, len, false,
	    PMAP_PROG, 2, TIMEOUT_MS);
}

/* The answer to a call whose result is a bool; EEXIST: it said no. */
static int
answer(int err, bool yes)
{
	return err != 0 ? err : yes ? 0 : EEXIST;
}

static struct xdr_view
view(const char *text)
{
	return xdr_view(text, (uint32_t)strlen(text));
}

/* rpcbind 3 and 4: by transport and universal address, "127.0.0.1.8.1". */
static int
rpcb_row(struct portmapper *pm, const struct register_row *row,
    const char *host, bool v6, bool on)
{
	const char *netid = row->udp ? v6 ? "udp6" : "udp" :
	    v6 ? "tcp6" : "tcp";
	char addr[128], owner[16];
	rpcb args = { .r_prog = row->prog, .r_vers = row->vers,
	    .r_netid = view(netid) };
	bool yes = false;
	int err;

	snprintf(addr, sizeof addr, "%s.%u.%u", host, row->port >> 8,
	    row->port & 255);
	snprintf(owner, sizeof owner, "%u", geteuid());
	args.r_addr = view(addr);
	args.r_owner = view(owner);
	err = on ? pmap_v3_set(pm->client, &args, &yes, NULL) :
	    pmap_v3_unset(pm->client, &args, &yes, NULL);
	return answer(err, yes);
}

static int
pmap_row(struct portmapper *pm, const struct register_row *row, bool on)
{
	mapping args = { .prog = row->prog, .vers = row->vers,
	    .prot = row->udp ? IPPROTO_UDP : IPPROTO_TCP,
	    .port = row->port };
	bool yes = false;
	int err;

	err = on ? pmap_v2_set(pm->client, &args, &yes, NULL) :
	    pmap_v2_unset(pm->client, &args, &yes, NULL);
	return answer(err, yes);
}

/* Is anybody still there, where the portmapper says that a server is? */
static bool
is_alive(const struct register_row *row)
{
	mapping args = { .prog = row->prog, .vers = row->vers,
	    .prot = row->udp ? IPPROTO_UDP : IPPROTO_TCP };
	struct rpc_client *probe;
	struct portmapper two;
	struct sockaddr_storage ss;
	uint32_t port = 0;
	socklen_t len;

	if (open_tcp(&two) != 0)
		return true;	/* cannot tell: leave it alone */
	pmap_v2_getport(two.client, &args, &port, NULL);
	rpc_client_free(two.client);
	if (port == 0 || port > 65535)
		return false;
	peer_parse("127.0.0.1", (uint16_t)port, &ss, &len);
	if (rpc_client_new(&probe, (struct sockaddr *)&ss, len, false,
	    row->prog, row->vers, TIMEOUT_MS) != 0)
		return false;
	rpc_client_free(probe);
	return true;
}

static int
set_row(struct portmapper *pm, const struct register_row *row,
    const char *host, bool v6, bool on)
{
	return pm->version > 2 ? rpcb_row(pm, row, host, v6, on) :
	    pmap_row(pm, row, on);
}

/*
 * One row of one family.  What a server left behind that was killed is
 * replaced; a living one keeps its place.
 */
static int
one(struct portmapper *pm, const struct register_row *row, const char *host,
    bool v6, bool on)
{
	int err = set_row(pm, row, host, v6, on);

	if (!on || err != EEXIST || is_alive(row))
		return err;
	set_row(pm, row, host, v6, false);
	return set_row(pm, row, host, v6, true);
}

static int
all(struct portmapper *pm, const struct register_row *rows, unsigned n,
    const char *host4, const char *host6, bool on)
{
	int err = 0, first = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (host4 != NULL)
			err = one(pm, &rows[i], host4, false, on);
		if (err != 0 && err != EEXIST)
			return err;
		first = first == 0 ? err : first;
		if (host6 == NULL || pm->version == 2)
			continue;
		err = one(pm, &rows[i], host6, true, on);
		if (err != 0 && err != EEXIST)
			return err;
		first = first == 0 ? err : first;
	}
	return first;
}

int
register_rows(const struct register_row *rows, unsigned n, const char *host4,
    const char *host6, bool on)
{
	struct portmapper pm = { 0 };
	unsigned version;
	int err;

	for (version = 4; version >= 2; version--) {
		if ((version > 2 ? open_unix(&pm, version) : open_tcp(&pm))
		    != 0)
			continue;
		err = all(&pm, rows, n, host4, host6, on);
		rpc_client_free(pm.client);
		if (err == 0 || err == EEXIST)
			return err;
	}
	return ENOENT;
}
