#include "rpc/peer.h"

#include <unistd.h>

#include "check.h"

static struct sockaddr_storage
addr(const char *text, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len;

	CHECK(peer_parse(text, port, &ss, &len) == 0);
	return ss;
}

static void
test_loopback_is_127_and_1_and_nothing_else(void)
{
	struct sockaddr_storage ss;

	ss = addr("127.0.0.1", 1);
	CHECK(peer_is_loopback(&ss));
	ss = addr("127.9.9.9", 1);
	CHECK(peer_is_loopback(&ss));
	ss = addr("::1", 1);
	CHECK(peer_is_loopback(&ss));
	ss = addr("::ffff:127.0.0.1", 1);
	CHECK(peer_is_loopback(&ss));
	ss = addr("128.0.0.1", 1);
	CHECK(!peer_is_loopback(&ss));
	ss = addr("::2", 1);
	CHECK(!peer_is_loopback(&ss));
	ss = addr("::ffff:10.0.0.1", 1);
	CHECK(!peer_is_loopback(&ss));
}

static void
test_networks_hold_their_own_and_no_others(void)
{
	struct sockaddr_storage ss = addr("10.1.2.3", 1);

	CHECK(peer_in_net(&ss, "10.0.0.0/8"));
	CHECK(peer_in_net(&ss, "10.1.2.3"));
	CHECK(peer_in_net(&ss, "10.1.2.2/31"));
	CHECK(!peer_in_net(&ss, "10.1.2.4/31"));
	CHECK(peer_in_net(&ss, "0.0.0.0/0"));
	CHECK(!peer_in_net(&ss, "fe80::/10"));
	ss = addr("fe80::1", 1);
	CHECK(peer_in_net(&ss, "fe80::/10"));
	CHECK(!peer_in_net(&ss, "0.0.0.0/0"));
	CHECK(peer_net_check("10.0.0.0/33") == EINVAL);
	CHECK(peer_net_check("10.0.0.0/") == EINVAL);
	CHECK(peer_net_check("ten") == EINVAL);
}

/* A connected pair on loopback; the accepted end in *server. */
static void
connect_pair(int *client, int *server)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sin;
	int l = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(bind(l, (struct sockaddr *)&sin, len) == 0);
	CHECK(listen(l, 1) == 0);
	CHECK(getsockname(l, (struct sockaddr *)&sin, &len) == 0);
	*client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(*client, (struct sockaddr *)&sin, len) == 0);
	*server = accept(l, NULL, NULL);
	CHECK(*server != -1);
	close(l);
}

static int
owner(int server, uint32_t *uid)
{
	struct sockaddr_storage peer, local;
	socklen_t n = sizeof peer, m = sizeof local;

	CHECK(getpeername(server, (struct sockaddr *)&peer, &n) == 0);
	CHECK(getsockname(server, (struct sockaddr *)&local, &m) == 0);
	return peer_owner(&peer, &local, false, NULL, uid);
}

static void
test_the_owner_of_an_open_connection_is_known(void)
{
	uint32_t uid = 12345;
	int client, server;

	connect_pair(&client, &server);
	CHECK(owner(server, &uid) == 0);
	CHECK(uid == geteuid());
	close(client);
	close(server);
}

static void
test_a_peer_that_has_closed_already_is_not_believed(void)
{
	struct sockaddr_storage peer, local;
	socklen_t n = sizeof peer, m = sizeof local;
	uint32_t uid = 12345;
	int client, server;

	connect_pair(&client, &server);
	CHECK(getpeername(server, (struct sockaddr *)&peer, &n) == 0);
	CHECK(getsockname(server, (struct sockaddr *)&local, &m) == 0);
	close(client);
	CHECK(peer_owner(&peer, &local, false, NULL, &uid) != 0);
	CHECK(uid == 12345);
	close(server);
}

CHECK_MAIN(
	CHECK_TEST(test_loopback_is_127_and_1_and_nothing_else),
	CHECK_TEST(test_networks_hold_their_own_and_no_others),
	CHECK_TEST(test_the_owner_of_an_open_connection_is_known),
	CHECK_TEST(test_a_peer_that_has_closed_already_is_not_believed),
)
