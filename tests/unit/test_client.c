/* Calling over TCP: a reply that comes late does not shift those after it. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pinefs/rpc.h>

enum { PROG = 200000, VERS = 1, CALL = 44 };	/* bytes, with its mark */

/* A server for one connection, that answers as it is told. */
static struct {
	int			listener, fd;
	struct sockaddr_in	addr;
} srv;

static int
decode_word(struct xdr_in *in, void *v)
{
	*(uint32_t *)v = xdr_get_u32(in);
	return in->bad ? EBADMSG : 0;
}

static const struct rpc_procedure proc = {
	.name = "WORD", .res_size = sizeof(uint32_t), .decode = decode_word
};

static void
start(struct rpc_client **c, int timeout_ms)
{
	socklen_t len = sizeof srv.addr;

	memset(&srv, 0, sizeof srv);
	srv.addr.sin_family = AF_INET;
	srv.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	srv.listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(srv.listener, (struct sockaddr *)&srv.addr, len) == 0);
	CHECK(listen(srv.listener, 1) == 0);
	CHECK(getsockname(srv.listener, (struct sockaddr *)&srv.addr,
	    &len) == 0);
	CHECK(rpc_client_new(c, (struct sockaddr *)&srv.addr, len, false,
	    PROG, VERS, timeout_ms) == 0);
	srv.fd = accept(srv.listener, NULL, NULL);
	CHECK(srv.fd != -1);
}

static void
stop(struct rpc_client *c)
{
	rpc_client_free(c);
	close(srv.fd);
	close(srv.listener);
}

/* The xid of the next call. */
static uint32_t
next_xid(void)
{
	uint8_t call[CALL];

	CHECK(recv(srv.fd, call, sizeof call, MSG_WAITALL) == sizeof call);
	return xdr_load_u32(call + 4);
}

/* The reply to a call: `from` to `to` of its 32 bytes. */
static void
answer(uint32_t xid, uint32_t word, size_t from, size_t to)
{
	uint8_t reply[32] = { 0x80, 0, 0, 28 };

	xdr_store_u32(reply + 4, xid);
	xdr_store_u32(reply + 8, 1);		/* REPLY; accepted, no verifier */
	xdr_store_u32(reply + 28, word);
	CHECK(send(srv.fd, reply + from, to - from, 0) ==
	    (ssize_t)(to - from));
}

static void
test_a_time_out_in_the_middle_of_a_reply_loses_nothing_after_it(void)
{
	struct rpc_client *c;
	uint32_t word = 0, xid;

	/* At every byte, in the mark too. */
	for (size_t cut = 1; cut < 32; cut += 3) {
		start(&c, 30);
		answer(0x1234, 1, 0, 32);	/* of nobody: passed over */
		CHECK(rpc_client_call(c, &proc, 1, NULL, &word, NULL) ==
		    ETIMEDOUT);
		xid = next_xid();
		answer(xid, 2, 0, cut);
		CHECK(rpc_client_call(c, &proc, 1, NULL, &word, NULL) ==
		    ETIMEDOUT);
		answer(xid, 2, cut, 32);
		answer(xid + 1, 3, 0, 32);
		answer(xid + 2, 4, 0, 32);
		CHECK(next_xid() == xid + 1);
		CHECK(rpc_client_call(c, &proc, 1, NULL, &word, NULL) == 0);
		assert_int_equal(word, 4);
		stop(c);
	}
}

static void
test_a_stream_that_makes_no_sense_is_not_used_any_more(void)
{
	static const uint8_t huge[8] = { 0xff, 0xff, 0xff, 0xff };
	struct rpc_client *c;
	uint32_t word;

	start(&c, 5000);
	CHECK(send(srv.fd, huge, sizeof huge, 0) == sizeof huge);
	CHECK(rpc_client_call(c, &proc, 1, NULL, &word, NULL) == EBADMSG);
	answer(next_xid() + 1, 1, 0, 32);
	CHECK(rpc_client_call(c, &proc, 1, NULL, &word, NULL) == EBADMSG);
	stop(c);
}

CHECK_MAIN(
	CHECK_TEST(test_a_time_out_in_the_middle_of_a_reply_loses_nothing_after_it),
	CHECK_TEST(test_a_stream_that_makes_no_sense_is_not_used_any_more),
)
