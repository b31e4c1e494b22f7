/*
 * Lists and trees that fill a message of 1 MiB, on a stack of 64 KiB: they
 * come back, or are refused for being too deep.
 */
#include "shapes.h"

#include <pinefs/xdr_type.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIRE = 1 << 20, STACK = 64 << 10, BUDGET = 64 << 20 };

static uint8_t wire[WIRE], again[WIRE + 64];
static struct xdr_arena arena;

static void
require(bool x, const char *what)
{
	if (x)
		return;
	puts(what);
	exit(1);
}

/* `n` times the same words. */
static size_t
fill(const uint32_t *words, unsigned nwords, size_t n)
{
	size_t i, at = 0;
	unsigned w;

	for (i = 0; i < n; i++)
		for (w = 0; w < nwords; w++, at += 4)
			xdr_store_u32(wire + at, words[w]);
	return at;
}

static void
there_and_back(const char *what, int (*decode)(struct xdr_in *, void *),
    int (*encode)(struct xdr_out *, const void *), void *value, size_t len)
{
	struct xdr_out out;
	struct xdr_in in;

	xdr_in_init(&in, wire, len, &arena);
	require(decode(&in, value) == 0 && in.pos == in.end, what);
	xdr_out_init_mem(&out, again, sizeof again);
	require(encode(&out, value) == 0 && xdr_out_len(&out) == len, what);
	require(memcmp(wire, again, len) == 0, what);
	xdr_arena_reset(&arena);
}

#define CODEC(T)							\
static int T##_d(struct xdr_in *in, void *v) { return T##_decode(in, v); } \
static int T##_e(struct xdr_out *out, const void *v)			\
{ return T##_encode(out, v); }
CODEC(chain)
CODEC(first)
CODEC(middle)

/* The link stands last: more, x (hyper); ...; no more. */
static void
a_list(void)
{
	const uint32_t node[] = { 1, 0, 7 };
	size_t len = fill(node, 3, (WIRE - 4) / 12);
	chain v;

	xdr_store_u32(wire + len, 0);
	there_and_back("chain", chain_d, chain_e, &v, len + 4);
}

/* The link stands first: all nodes, then what follows, backwards. */
static void
a_list_backwards(void)
{
	const size_t n = (WIRE - 4) / 12;
	struct first v;
	size_t at = 0, i;

	for (i = 0; i < n; i++, at += 4)
		xdr_store_u32(wire + at, i + 1 < n);
	for (i = 0; i < n; i++, at += 8) {
		xdr_store_u32(wire + at, (uint32_t)i);
		xdr_store_u32(wire + at + 4, 0);
	}
	there_and_back("first", first_d, first_e, &v, at);
}

/* Members on both sides of the link. */
static void
a_list_both_ways(void)
{
	const size_t n = WIRE / 24;
	struct middle v;
	size_t at = 0, i;

	for (i = 0; i < n; i++, at += 8) {
		xdr_store_u32(wire + at, 0);
		xdr_store_u32(wire + at + 4, i + 1 < n);
	}
	for (i = 0; i < n; i++, at += 8) {
		xdr_store_u32(wire + at, (uint32_t)i);
		xdr_store_u32(wire + at + 4, 0);
	}
	there_and_back("middle", middle_d, middle_e, &v, at);
}

/* left, left, left ...: there is no end to it. */
static void
trees(void)
{
	const uint32_t left[] = { 1 }, twig[] = { 0, 1 };
	struct xdr_in in;
	struct tree t;
	struct bush b;
	size_t len = fill(left, 1, WIRE / 4);

	xdr_in_init(&in, wire, len, &arena);
	require(tree_decode(&in, &t) == EBADMSG && in.why == XDR_TOO_DEEP,
	    "tree");
	xdr_arena_reset(&arena);
	len = fill(twig, 2, WIRE / 8);
	xdr_in_init(&in, wire, len, &arena);
	require(bush_decode(&in, &b) == EBADMSG && in.why == XDR_TOO_DEEP,
	    "bush");
	xdr_arena_reset(&arena);
}

static void *
all(void *arg)
{
	a_list();
	a_list_backwards();
	a_list_both_ways();
	trees();
	return arg;
}

int
main(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	xdr_arena_init(&arena, NULL, 0, BUDGET);
	require(pthread_attr_init(&attr) == 0 &&
	    pthread_attr_setstacksize(&attr, STACK) == 0 &&
	    pthread_create(&thread, &attr, all, NULL) == 0 &&
	    pthread_join(thread, NULL) == 0, "thread");
	return 0;
}
