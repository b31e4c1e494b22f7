#include "rpc/drc.h"

#include <stdlib.h>

#include "check.h"
#include "rpc/peer.h"

enum { T0 = 1000 };

static struct rpc_peer peer;

/* A call with this xid and body from 127.0.0.1. */
static struct rpc_call *
call_new(uint32_t xid, const char *body)
{
	struct rpc_call *call = aligned_alloc(64, 4096);
	uint8_t *record = (uint8_t *)call + 2048;
	socklen_t len;

	memset(call, 0, 4096);
	peer_parse("127.0.0.1", 999, &peer.addr, &len);
	call->peer = &peer;
	call->h.xid = xid;
	call->h.prog = 100003;
	call->h.vers = 3;
	call->h.proc = 8;
	call->size = 4 + strlen(body);
	xdr_store_u32(record, xid);
	memcpy(record + 4, body, strlen(body));
	call->segs[0] = (struct xdr_seg){ record, call->size };
	call->nsegs = 1;
	return call;
}

static struct drc_origin *
origin(struct drc *drc, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len;

	peer_parse("127.0.0.1", port, &ss, &len);
	return drc_origin_new(drc, &ss);
}

static struct drc_reply *
reply_new(const char *text)
{
	struct drc_reply *r = drc_reply_new(strlen(text));

	memcpy(r->bytes, text, strlen(text));
	return r;
}

/* Look up; the answer.  A stored reply must be "reply". */
static enum drc_answer
ask(struct drc *drc, struct rpc_call *call, struct drc_origin *o,
    uint64_t now)
{
	struct drc_reply *r = NULL;
	enum drc_answer a = drc_lookup(drc, call, o, now, &r);

	if (a == DRC_DONE) {
		CHECK(r->len == 5 && memcmp(r->bytes, "reply", 5) == 0);
		drc_reply_put(r);
	}
	return a;
}

/* The call runs and is answered. */
static void
answer(struct drc *drc, struct rpc_call *call)
{
	CHECK(call->drc != NULL);
	CHECK(drc_done(drc, call->drc, reply_new("reply"), T0) == NULL);
	call->drc = NULL;
}

static void
test_a_call_runs_once_and_is_answered_twice(void)
{
	struct drc *drc = drc_new(1 << 20, 1 << 20);
	struct drc_origin *o = origin(drc, 999);
	struct rpc_call *a = call_new(1, "create x"), *b;

	CHECK(ask(drc, a, o, T0) == DRC_NEW);
	answer(drc, a);
	b = call_new(1, "create x");
	CHECK(ask(drc, b, o, T0 + 119000) == DRC_DONE);
	CHECK(ask(drc, b, o, T0 + 121000) == DRC_NEW);	/* forgotten */
	CHECK(drc_done(drc, b->drc, NULL, T0) == NULL);
	drc_origin_put(o);
	drc_free(drc);
	free(a);
	free(b);
}

static void
test_same_xid_with_another_body_or_principal_is_another_call(void)
{
	struct drc *drc = drc_new(1 << 20, 1 << 20);
	struct drc_origin *o = origin(drc, 999);
	struct rpc_call *a = call_new(1, "create x"), *b, *c;

	CHECK(ask(drc, a, o, T0) == DRC_NEW);
	answer(drc, a);
	b = call_new(1, "create y");
	CHECK(ask(drc, b, o, T0) == DRC_NEW);
	answer(drc, b);
	c = call_new(1, "create x");
	c->cred.uid = 7;
	CHECK(ask(drc, c, o, T0) == DRC_NEW);
	answer(drc, c);
	drc_origin_put(o);
	drc_free(drc);
	free(a);
	free(b);
	free(c);
}

static void
test_a_duplicate_of_a_running_call_is_dropped_on_its_own_connection(void)
{
	struct drc *drc = drc_new(1 << 20, 1 << 20);
	struct drc_origin *o = origin(drc, 999);
	struct rpc_call *a = call_new(1, "x"), *b = call_new(1, "x");

	CHECK(ask(drc, a, o, T0) == DRC_NEW);
	CHECK(ask(drc, b, o, T0) == DRC_BUSY);
	answer(drc, a);
	CHECK(ask(drc, b, o, T0) == DRC_DONE);
	drc_origin_put(o);
	drc_free(drc);
	free(a);
	free(b);
}

static void
test_after_a_broken_connection_the_reply_goes_to_the_new_one(void)
{
	struct drc *drc = drc_new(1 << 20, 1 << 20);
	struct drc_origin *o = origin(drc, 999), *p = origin(drc, 998);
	struct rpc_call *a = call_new(1, "x"), *b = call_new(1, "x");

	CHECK(ask(drc, a, o, T0) == DRC_NEW);
	drc_origin_end(o, ORIGIN_CUT);
	CHECK(ask(drc, b, p, T0) == DRC_WAIT);
	CHECK(drc_done(drc, a->drc, reply_new("reply"), T0) == b);
	CHECK(ask(drc, b, p, T0) == DRC_DONE);
	drc_origin_put(o);
	drc_origin_put(p);
	drc_free(drc);
	free(a);
	free(b);
}

static void
test_another_live_connection_never_gets_a_reply_of_this_one(void)
{
	struct drc *drc = drc_new(1 << 20, 1 << 20);
	struct drc_origin *o = origin(drc, 999), *p = origin(drc, 998);
	struct rpc_call *a = call_new(0, "x"), *b = call_new(0, "x");

	CHECK(ask(drc, a, o, T0) == DRC_NEW);
	answer(drc, a);
	CHECK(ask(drc, b, p, T0) == DRC_NEW);
	answer(drc, b);
	drc_origin_put(o);
	drc_origin_put(p);
	drc_free(drc);
	free(a);
	free(b);
}

static void
test_after_a_clean_end_only_the_same_port_matches(void)
{
	struct drc *drc = drc_new(1 << 20, 1 << 20);
	struct drc_origin *o = origin(drc, 999), *same, *other;
	struct rpc_call *a = call_new(5, "x"), *b = call_new(5, "x");

	same = origin(drc, 999);
	other = origin(drc, 998);
	CHECK(ask(drc, a, o, T0) == DRC_NEW);
	answer(drc, a);
	drc_origin_end(o, ORIGIN_CLEAN);
	CHECK(ask(drc, b, same, T0) == DRC_DONE);
	CHECK(ask(drc, b, other, T0) == DRC_NEW);
	answer(drc, b);
	drc_origin_put(o);
	drc_origin_put(same);
	drc_origin_put(other);
	drc_free(drc);
	free(a);
	free(b);
}

static void
test_a_flood_of_one_client_stays_within_its_bytes(void)
{
	struct drc *drc = drc_new(8 << 20, 64 << 10);
	struct drc_origin *o = origin(drc, 999);
	struct rpc_call *a;
	uint32_t i;

	for (i = 0; i < 20000; i++) {
		a = call_new(i, "x");
		CHECK(ask(drc, a, o, T0) == DRC_NEW);
		answer(drc, a);
		free(a);
	}
	CHECK(drc_origin_bytes(o) < (64 << 10) + 1024);
	drc_origin_put(o);
	drc_free(drc);
}

CHECK_MAIN(
	CHECK_TEST(test_a_call_runs_once_and_is_answered_twice),
	CHECK_TEST(
	    test_same_xid_with_another_body_or_principal_is_another_call),
	CHECK_TEST(
	    test_a_duplicate_of_a_running_call_is_dropped_on_its_own_connection),
	CHECK_TEST(
	    test_after_a_broken_connection_the_reply_goes_to_the_new_one),
	CHECK_TEST(
	    test_another_live_connection_never_gets_a_reply_of_this_one),
	CHECK_TEST(test_after_a_clean_end_only_the_same_port_matches),
	CHECK_TEST(test_a_flood_of_one_client_stays_within_its_bytes),
)
