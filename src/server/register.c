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
#include "rpc/client.h"
#include "rpc/peer.h"
#include "server/server.h"

enum { TIMEOUT_MS = 2000, PROBE_MS = 200, MAX_DUMP = 1 << 20 };

#define SOCKET_PATH	"/run/rpcbind.sock"

/* Somebody to tell: rpcbind in one of its versions. */
struct portmapper {
	struct rpc_client	*client;
	unsigned		 version;
	struct fds		*fds;	/* of the server */
};

static int
open_unix(struct portmapper *pm, unsigned version)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
	    .sun_path = SOCKET_PATH };

	pm->version = version;
	return rpc_client_open(&pm->client, (struct sockaddr *)&sun,
	    sizeof sun, false, PMAP_PROG, version, TIMEOUT_MS, pm->fds);
}

static int
open_tcp(struct portmapper *pm)
{
	struct sockaddr_storage ss;
	socklen_t len;

	pm->version = 2;
	peer_parse("127.0.0.1", PMAP_PORT, &ss, &len);
	return rpc_client_open(&pm->client, (struct sockaddr *)&ss, len,
	    false, PMAP_PROG, 2, TIMEOUT_MS, pm->fds);
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

static const char *
netid_of(const struct register_row *row, bool v6)
{
	return row->udp ? v6 ? "udp6" : "udp" : v6 ? "tcp6" : "tcp";
}

/* rpcbind 3 and 4: by transport and universal address, "127.0.0.1.8.1". */
static int
rpcb_row(struct portmapper *pm, const struct register_row *row,
    const char *host, bool v6, bool on)
{
	char addr[128], owner[16];
	rpcb args = { .r_prog = row->prog, .r_vers = row->vers,
	    .r_netid = view(netid_of(row, v6)) };
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

/* Where the portmapper says that a server is. */
struct place {
	char		host[128];
	uint32_t	port;
};

/* "127.0.0.1.8.1"; port 0: it does not look like that. */
static void
place_of(struct xdr_view addr, struct place *place)
{
	unsigned high, low, dots = 0;
	char *host = place->host, *p;

	*place = (struct place){ 0 };
	if (addr.len >= sizeof place->host)
		return;
	memcpy(host, addr.data, addr.len);
	for (p = host + addr.len; p > host && dots < 2; )
		dots += *--p == '.';
	if (dots == 2 && sscanf(p, ".%3u.%3u", &high, &low) == 2)
		place->port = high << 8 | low;
	*p = '\0';
}

static int
rpcb_find(struct portmapper *pm, const struct register_row *row, bool v6,
    struct xdr_arena *arena, struct place *place)
{
	struct xdr_view want = view(netid_of(row, v6));
	rpcblist list = NULL;
	const rpcb *b;
	int err = pmap_v3_dump(pm->client, &list, arena);

	if (err != 0)
		return err;
	for (; list != NULL; list = list->rpcb_next) {
		b = &list->rpcb_map;
		if (b->r_prog == row->prog && b->r_vers == row->vers &&
		    b->r_netid.len == want.len &&
		    memcmp(b->r_netid.data, want.data, want.len) == 0) {
			place_of(b->r_addr, place);
			return 0;
		}
	}
	return ENOENT;
}

static int
pmap_find(struct portmapper *pm, const struct register_row *row,
    struct place *place)
{
	mapping args = { .prog = row->prog, .vers = row->vers,
	    .prot = row->udp ? IPPROTO_UDP : IPPROTO_TCP };
	int err;

	strcpy(place->host, "127.0.0.1");	/* it does not tell */
	err = pmap_v2_getport(pm->client, &args, &place->port, NULL);
	return err != 0 ? err : place->port == 0 ? ENOENT : 0;
}

/* ENOENT: it knows no server for this row. */
static int
find(struct portmapper *pm, const struct register_row *row, bool v6,
    struct place *place)
{
	_Alignas(16) uint8_t first[4096];
	struct xdr_arena arena;
	int err;

	if (pm->version == 2)
		return pmap_find(pm, row, place);
	xdr_arena_init(&arena, first, sizeof first, MAX_DUMP);
	err = rpcb_find(pm, row, v6, &arena, place);
	xdr_arena_reset(&arena);
	return err;
}

static bool
is_any(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/*
 * Is anybody still there?  Only a refusal says no: over UDP, where a
 * connection proves nothing, a refusal of NULL, which is procedure 0 of
 * whatever program.  A refusal comes at once from this host.  What answers at
 * our own port is we.
 */
static bool
is_alive(const struct portmapper *pm, const struct register_row *row,
    const char *host, const struct place *place)
{
	struct sockaddr_storage ss;
	struct rpc_client *probe;
	socklen_t len;
	int err;

	if (place->port == row->port && (is_any(place->host) || is_any(host)))
		return false;
	if (place->port == 0 || place->port > 65535 || peer_parse(place->host,
	    (uint16_t)place->port, &ss, &len) != 0)
		return true;	/* cannot tell: leave it alone */
	err = rpc_client_open(&probe, (struct sockaddr *)&ss, len, row->udp,
	    row->prog, row->vers, PROBE_MS, pm->fds);
	if (err != 0)
		return err != ECONNREFUSED;
	if (row->udp)
		err = pmap_v2_null(probe, NULL);
	rpc_client_free(probe);
	return err != ECONNREFUSED;
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
tell(struct portmapper *pm, const struct register_row *row, const char *host,
    bool v6)
{
	int err = set_row(pm, row, host, v6, true);
	struct place place;

	if (err != EEXIST || find(pm, row, v6, &place) != 0 ||
	    is_alive(pm, row, host, &place))
		return err;
	set_row(pm, row, host, v6, false);
	return set_row(pm, row, host, v6, true);
}

/* Only what is ours: for root, rpcbind forgets anybody's. */
static int
withdraw(struct portmapper *pm, const struct register_row *row,
    const char *host, bool v6)
{
	struct place place;
	int err = find(pm, row, v6, &place);

	if (err != 0)
		return err == ENOENT ? 0 : err;
	if (place.port != row->port ||
	    (pm->version > 2 && strcmp(place.host, host) != 0))
		return 0;
	return set_row(pm, row, host, v6, false);
}

static int
one(struct portmapper *pm, const struct register_row *row, const char *host,
    bool v6, bool on)
{
	return on ? tell(pm, row, host, v6) : withdraw(pm, row, host, v6);
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
    const char *host6, bool on, struct fds *fds)
{
	struct portmapper pm = { .fds = fds };
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
		if (err == ETIMEDOUT)
			break;	/* nor will it answer another version */
	}
	return ENOENT;
}
