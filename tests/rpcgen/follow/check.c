/* Values of types that several files describe together, there and back. */
#include "ext.h"
#include "outer.h"
#include "twin.h"

#include <pinefs/xdr_type.h>

#include <stdio.h>
#include <stdlib.h>

enum { SPACE = 1 << 20, SEEDS = 200 };

static void
require(bool x, const char *what, uint64_t seed)
{
	if (x)
		return;
	printf("%s, seed %llu\n", what, (unsigned long long)seed);
	exit(1);
}

#define CHECK_TYPE(T)							\
static void								\
check_##T(uint64_t seed)						\
{									\
	static uint8_t wire[SPACE];					\
	struct xdr_arena arena;						\
	struct xdr_out out;						\
	struct xdr_in in;						\
	T value, back;							\
									\
	xdr_arena_init(&arena, NULL, 0, SPACE);				\
	require(xdr_random(&T##_type, &value, &seed, &arena) == 0,	\
	    #T " made", seed);						\
	xdr_out_init_mem(&out, wire, sizeof wire);			\
	require(T##_encode(&out, &value) == 0, #T " encoded", seed);	\
	require(xdr_out_len(&out) == T##_size(&value), #T " measured",	\
	    seed);							\
	xdr_in_init(&in, wire, xdr_out_len(&out), &arena);		\
	memset(&back, 0, sizeof back);					\
	require(T##_decode(&in, &back) == 0 && in.pos == in.end,	\
	    #T " decoded", seed);					\
	require(xdr_equal(&T##_type, &value, &back), #T " is the same",	\
	    seed);							\
	xdr_arena_reset(&arena);					\
}

CHECK_TYPE(all)
CHECK_TYPE(mine)
CHECK_TYPE(lax)
CHECK_TYPE(looped)
CHECK_TYPE(holds)
CHECK_TYPE(twin)
CHECK_TYPE(ext)
CHECK_TYPE(by_int)
CHECK_TYPE(by_kind)
CHECK_TYPE(by_far)
CHECK_TYPE(by_name)
CHECK_TYPE(by_flag)

int
main(void)
{
	uint64_t seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		check_all(seed);
		check_mine(seed);
		check_lax(seed);
		check_looped(seed);
		check_holds(seed);
		check_twin(seed);
		check_ext(seed);
		check_by_int(seed);
		check_by_kind(seed);
		check_by_far(seed);
		check_by_name(seed);
		check_by_flag(seed);
	}
	return 0;
}
