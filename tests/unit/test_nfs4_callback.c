/* Where a client of 4.0 may have itself called: RFC 5665 5.2.3. */
#include "nfs/nfs4_deleg.h"

#include "check.h"
#include "rpc/peer.h"

static const struct {
	const char	*peer;		/* who calls */
	const char	*netid, *addr;	/* what he says */
	uint32_t	 program;
	uint16_t	 port;		/* 0: not called */
} rows[] = {
	{ "127.0.0.1", "tcp", "127.0.0.1.8.1", 0x40000000, 2049 },
	{ "127.0.0.1", "tcp", "127.0.0.1.4.0", 0x40000000, 1024 },
	{ "127.0.0.1", "tcp", "127.0.0.1.255.255", 0x5fffffff, 65535 },
	{ "10.1.2.3", "tcp", "10.1.2.3.19.10", 0x40000000, 4874 },
	{ "::1", "tcp6", "::1.8.1", 0x40000000, 2049 },
	{ "fe80::1:2", "tcp6", "fe80::1:2.8.1", 0x40000000, 2049 },
	/* Seen by a socket of both families. */
	{ "::ffff:10.1.2.3", "tcp", "10.1.2.3.19.10", 0x40000000, 4874 },

	{ "127.0.0.1", "tcp", "127.0.0.2.8.1", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "10.1.2.3.8.1", 0x40000000, 0 },
	{ "127.0.0.1", "tcp6", "::1.8.1", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "0.0.0.0.8.1", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.0.0", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.0.1", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.3.255", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.256.0", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.8.256", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.-1.1", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.8.1x", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.8. 1", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.8.", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1..1", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.8", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "localhost.8.1", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", ".", 0x40000000, 0 },
	{ "127.0.0.1", "tcp", "..", 0x40000000, 0 },
	{ "127.0.0.1", "udp", "127.0.0.1.8.1", 0x40000000, 0 },
	{ "127.0.0.1", "rdma", "127.0.0.1.8.1", 0x40000000, 0 },
	{ "127.0.0.1", "tcpx", "127.0.0.1.8.1", 0x40000000, 0 },
	{ "127.0.0.1", "", "127.0.0.1.8.1", 0x40000000, 0 },
	/* Numbers that are somebody's (RFC 5531 13). */
	{ "127.0.0.1", "tcp", "127.0.0.1.8.1", 0x3fffffff, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.8.1", 0x60000000, 0 },
	{ "127.0.0.1", "tcp", "127.0.0.1.8.1", 100005, 0 },
};

static void
test_a_client_is_called_where_it_calls_from_or_not_at_all(void)
{
	struct sockaddr_storage to;
	struct rpc_peer peer;
	cb_client4 cb;
	socklen_t len;

	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memset(&peer, 0, sizeof peer);
		CHECK(peer_parse(rows[i].peer, 999, &peer.addr, &len) == 0);
		cb.cb_program = rows[i].program;
		cb.cb_location.na_r_netid = xdr_view(rows[i].netid,
		    (uint32_t)strlen(rows[i].netid));
		cb.cb_location.na_r_addr = xdr_view(rows[i].addr,
		    (uint32_t)strlen(rows[i].addr));
		nfs4_cb_address(&cb, &peer, &to);
		if (rows[i].port == 0) {
			assert_int_equal(to.ss_family, AF_UNSPEC);
			continue;
		}
		CHECK(to.ss_family == AF_INET || to.ss_family == AF_INET6);
		assert_int_equal(peer_port(&to), rows[i].port);
	}
}

static void
test_long_and_strange_bytes_are_no_address(void)
{
	struct rpc_peer peer = { .udp = false };
	struct sockaddr_storage to;
	static char text[2000];
	cb_client4 cb = { .cb_program = 0x40000000 };
	socklen_t len;

	CHECK(peer_parse("127.0.0.1", 999, &peer.addr, &len) == 0);
	memset(text, '1', sizeof text);
	cb.cb_location.na_r_netid = xdr_view("tcp", 3);
	for (uint32_t n = 0; n < sizeof text; n++) {
		cb.cb_location.na_r_addr = xdr_view(text, n);
		nfs4_cb_address(&cb, &peer, &to);
		assert_int_equal(to.ss_family, AF_UNSPEC);
	}
	/* A byte 0 ends no name. */
	cb.cb_location.na_r_addr = xdr_view("127.0.0.1.8.1\0.9", 16);
	nfs4_cb_address(&cb, &peer, &to);
	assert_int_equal(to.ss_family, AF_UNSPEC);
}

CHECK_MAIN(
	CHECK_TEST(test_a_client_is_called_where_it_calls_from_or_not_at_all),
	CHECK_TEST(test_long_and_strange_bytes_are_no_address),
)
