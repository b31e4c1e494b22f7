/*
 * A call's header and its credential, whole and in two stretches; and a
 * reply's header, as our client reads it.  What is accepted is within the
 * limits of RFC 5531.
 */
#include <assert.h>
#include <stdlib.h>

#include "rpc/msg.h"

static void
check(const struct rpc_header *h)
{
	struct rpc_cred cred;

	if (h->auth_stat != RPC_AUTH_OK)
		return;
	assert(h->cred.body.len <= RPC_MAX_AUTH);
	assert(h->verf.body.len <= RPC_MAX_AUTH);
	if (rpc_cred_get(&h->cred, &cred) == RPC_AUTH_OK)
		assert(cred.ngids <= RPC_MAX_GIDS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_Alignas(16) uint8_t mem[2048];
	size_t cut = size == 0 ? 0 : data[size - 1] % size;
	struct xdr_seg segs[2] = { { data, cut }, { data + cut, size - cut } };
	struct rpc_header one, two;
	struct xdr_arena arena;
	struct xdr_in in;
	uint32_t xid;
	int err;

	xdr_in_init(&in, data, size, NULL);
	if ((err = rpc_header_get(&in, &one)) == 0)
		check(&one);
	xdr_arena_init(&arena, mem, sizeof mem, 4096);
	xdr_in_init_segs(&in, segs, 2, &arena);
	if (rpc_header_get(&in, &two) == 0 && err == 0) {
		check(&two);
		assert(one.xid == two.xid && one.prog == two.prog);
		assert(one.auth_stat == two.auth_stat);
		assert(one.cred.body.len == two.cred.body.len);
	}
	xdr_arena_reset(&arena);
	xdr_in_init(&in, data, size, NULL);
	rpc_reply_get(&in, &xid);
	return 0;
}
