/* SipHash-1-3 of Aumasson and Bernstein.  See siphash.h. */
#include "siphash.h"

#include <string.h>

struct state {
	uint64_t	v0, v1, v2, v3;
};

static uint64_t
turn(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void
mix(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = turn(s->v1, 13) ^ s->v0;
	s->v0 = turn(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = turn(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = turn(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = turn(s->v1, 17) ^ s->v2;
	s->v2 = turn(s->v2, 32);
}

static void
word(struct state *s, uint64_t m)
{
	s->v3 ^= m;
	mix(s);
	s->v0 ^= m;
}

uint64_t
tar_siphash(const uint64_t key[2], const void *data, size_t len)
{
	struct state s = { key[0] ^ UINT64_C(0x736f6d6570736575),
	    key[1] ^ UINT64_C(0x646f72616e646f6d),
	    key[0] ^ UINT64_C(0x6c7967656e657261),
	    key[1] ^ UINT64_C(0x7465646279746573) };
	const char *p = data;
	uint64_t m;
	size_t left;

	for (left = len; left >= sizeof m; left -= sizeof m) {
		memcpy(&m, p, sizeof m);
		word(&s, m);
		p += sizeof m;
	}
	m = 0;
	memcpy(&m, p, left);
	word(&s, m ^ (uint64_t)len << 56);
	s.v2 ^= 0xff;
	mix(&s);
	mix(&s);
	mix(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
