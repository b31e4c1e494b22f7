/* SipHash.  See hash.h. */
#include "base/hash.h"

#include <string.h>

struct sip {
	uint64_t	a, b, c, d;
};

static inline uint64_t
rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void
sip_round(struct sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = rotl(s->b, 13) ^ s->a;
	s->d = rotl(s->d, 16) ^ s->c;
	s->a = rotl(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = rotl(s->b, 17) ^ s->c;
	s->d = rotl(s->d, 21) ^ s->a;
	s->c = rotl(s->c, 32);
}

static inline uint64_t
load_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* The paper's SipHash-c-d: c rounds a word, d at the end. */
static inline uint64_t
sip(const uint8_t key[16], const uint8_t *p, size_t len, int c, int d)
{
	uint64_t k0 = load_le64(key), k1 = load_le64(key + 8), m;
	struct sip s = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
	    k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };
	size_t left = len;
	unsigned i;
	int r;

	for (; left >= 8; p += 8, left -= 8) {
		m = load_le64(p);
		s.d ^= m;
		for (r = 0; r < c; r++)
			sip_round(&s);
		s.a ^= m;
	}
	m = (uint64_t)len << 56;
	for (i = 0; i < left; i++)
		m |= (uint64_t)p[i] << (8 * i);
	s.d ^= m;
	for (r = 0; r < c; r++)
		sip_round(&s);
	s.a ^= m;
	s.c ^= 0xff;
	for (r = 0; r < d; r++)
		sip_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

uint64_t
siphash24(const uint8_t key[16], const void *data, size_t len)
{
	return sip(key, data, len, 2, 4);
}

uint64_t
siphash13(const uint8_t key[16], const void *data, size_t len)
{
	return sip(key, data, len, 1, 3);
}
