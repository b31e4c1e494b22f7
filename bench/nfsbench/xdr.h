/* XDR by hand: p... write and return the end, g... read. */
#ifndef BENCH_XDR_H
#define BENCH_XDR_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint8_t *
p32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, 4);
	return p + 4;
}

static inline uint8_t *
p64(uint8_t *p, uint64_t v)
{
	return p32(p32(p, (uint32_t)(v >> 32)), (uint32_t)v);
}

static inline uint8_t *
praw(uint8_t *p, const void *d, uint32_t n)
{
	memcpy(p, d, n);
	memset(p + n, 0, -n & 3u);
	return p + n + (-n & 3u);
}

static inline uint8_t *
popaque(uint8_t *p, const void *d, uint32_t n)
{
	return praw(p32(p, n), d, n);
}

static inline uint8_t *
pstr(uint8_t *p, const char *s)
{
	return popaque(p, s, (uint32_t)strlen(s));
}

/* Reads past the end set bad, and it stays. */
struct xd {
	const uint8_t *p, *e;
	bool bad;
};

static inline uint32_t
g32(struct xd *x)
{
	uint32_t v;

	if (x->e - x->p < 4) {
		x->bad = true;
		return 0;
	}
	memcpy(&v, x->p, 4);
	x->p += 4;
	return ntohl(v);
}

static inline uint64_t
g64(struct xd *x)
{
	uint64_t h = g32(x);

	return h << 32 | g32(x);
}

static inline const uint8_t *
graw(struct xd *x, uint32_t n)
{
	const uint8_t *p = x->p;
	uint64_t padded = (uint64_t)n + (-n & 3u);

	if ((uint64_t)(x->e - x->p) < padded) {
		x->bad = true;
		return NULL;
	}
	x->p += padded;
	return p;
}

#endif
