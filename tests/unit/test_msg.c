#include "rpc/msg.h"

#include "base/chain.h"
#include "check.h"

static uint8_t wire[2048];

/* Put a call's header (and a 17-gid or other odd body if asked) in wire. */
static size_t
call(const struct rpc_cred *cred)
{
	struct pinefs_chain chain;
	struct xdr_out out;
	size_t n;

	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, sizeof wire);
	rpc_put_call(&out, 7, 100003, 3, 6, cred);
	xdr_out_flush(&out);
	n = chain.bytes;
	chain_copy_tail(&chain, n, wire);
	chain_fini(&chain);
	return n;
}

static void
test_a_header_comes_back_as_it_went(void)
{
	struct rpc_cred cred = { .flavor = RPC_AUTH_SYS, .uid = 1000,
	    .gid = 0xfffffffe, .ngids = 2, .gids = { 4, 27 } }, got;
	struct rpc_header h;
	struct xdr_in in;
	size_t n = call(&cred);

	xdr_in_init(&in, wire, n, NULL);
	CHECK(rpc_header_get(&in, &h) == 0);
	CHECK(h.xid == 7 && h.prog == 100003 && h.vers == 3 && h.proc == 6);
	CHECK(in.pos == in.end);
	CHECK(rpc_cred_get(&h.cred, &got) == RPC_AUTH_OK);
	CHECK(got.uid == 1000 && got.gid == 0xfffffffe && got.ngids == 2);
	CHECK(got.gids[0] == 4 && got.gids[1] == 27);
}

static void
test_a_header_cut_anywhere_is_bad_and_nothing_is_read_behind_it(void)
{
	struct rpc_cred cred = { .flavor = RPC_AUTH_SYS };
	size_t n = call(&cred), i;
	struct rpc_header h;
	struct xdr_in in;

	for (i = 0; i < n; i++) {
		xdr_in_init(&in, wire, i, NULL);
		CHECK(rpc_header_get(&in, &h) != 0);
	}
}

static void
test_another_rpc_version_is_told_from_garbage(void)
{
	struct rpc_header h;
	struct xdr_in in;
	size_t n = call(NULL);

	wire[11] = 3;
	xdr_in_init(&in, wire, n, NULL);
	CHECK(rpc_header_get(&in, &h) == EPROTO && h.xid == 7);
	wire[7] = 1;	/* a reply */
	xdr_in_init(&in, wire, n, NULL);
	CHECK(rpc_header_get(&in, &h) == EBADMSG);
}

static void
test_17_gids_a_long_name_and_a_long_body_are_bad_credentials(void)
{
	uint8_t body[4 * (5 + 17)] = { 0 };
	struct rpc_auth a = { RPC_AUTH_SYS, xdr_view(body, sizeof body) };
	struct rpc_cred cred;

	xdr_store_u32(body + 16, 17);
	CHECK(rpc_cred_get(&a, &cred) == RPC_AUTH_BADCRED);
	xdr_store_u32(body + 16, 16);
	CHECK(rpc_cred_get(&a, &cred) == RPC_AUTH_BADCRED); /* left over */
	a.body.len -= 4;
	CHECK(rpc_cred_get(&a, &cred) == RPC_AUTH_OK && cred.ngids == 16);
	xdr_store_u32(body + 4, 256);	/* machine name */
	CHECK(rpc_cred_get(&a, &cred) == RPC_AUTH_BADCRED);
	a.flavor = 99;
	CHECK(rpc_cred_get(&a, &cred) == RPC_AUTH_BADCRED);
}

static void
test_a_credential_of_400_bytes_passes_and_404_do_not(void)
{
	struct rpc_header h;
	struct xdr_in in;
	uint32_t len;

	for (len = 400; len <= 404; len += 4) {
		memset(wire, 0, sizeof wire);
		xdr_store_u32(wire + 8, 2);
		xdr_store_u32(wire + 28, len);
		xdr_in_init(&in, wire, 24 + 8 + len + 8, NULL);
		CHECK(rpc_header_get(&in, &h) == 0);
		CHECK(h.auth_stat == (len == 400 ? RPC_AUTH_OK :
		    RPC_AUTH_BADCRED));
	}
}

CHECK_MAIN(
	CHECK_TEST(test_a_header_comes_back_as_it_went),
	CHECK_TEST(
	    test_a_header_cut_anywhere_is_bad_and_nothing_is_read_behind_it),
	CHECK_TEST(test_another_rpc_version_is_told_from_garbage),
	CHECK_TEST(
	    test_17_gids_a_long_name_and_a_long_body_are_bad_credentials),
	CHECK_TEST(test_a_credential_of_400_bytes_passes_and_404_do_not),
)
