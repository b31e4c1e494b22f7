/* The two sides of xdrbench: their types have the same names. */
#ifndef BENCH_XDRBENCH_H
#define BENCH_XDRBENCH_H

#include <stddef.h>
#include <stdint.h>

enum message { GETATTR, LOOKUP, READDIRPLUS, WRITE, COMPOUND, MESSAGES };

enum { SPACE = 256 << 10, ENTRIES = 100, PAYLOAD = 64 << 10 };

/* Encode one into `to`, and say how long it is; decode what is there. */
struct side {
	const char	*name;
	size_t		(*encode)(enum message, uint8_t *to);
	int		(*decode)(enum message, const uint8_t *from,
			    size_t n);
};

extern const struct side ours, libtirpc;

/* SEQUENCE, PUTFH, READ: names of version 4 stay in files of their own. */
size_t	tirpc_encode_compound(uint8_t *to);
int	tirpc_decode_compound(const uint8_t *from, size_t n);

#endif
