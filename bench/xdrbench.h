/* The two sides of xdrbench: their types have the same names. */
#ifndef BENCH_XDRBENCH_H
#define BENCH_XDRBENCH_H

#include <stddef.h>
#include <stdint.h>

enum message { GETATTR, LOOKUP, READDIRPLUS, WRITE, COMPOUND, MESSAGES };

enum { SPACE = 256 << 10, ENTRIES = 100, PAYLOAD = 64 << 10 };

/* The compiler is to believe that somebody reads what is there. */
#define KEEP(p) __asm__ volatile("" : : "r" (p) : "memory")

/*
 * Encode one into `to`, or decode the n bytes at `from`, `times` in a row by
 * one cursor that is set back each time; 0 if all went well.  `setup` makes
 * such a cursor that often.
 */
typedef int encode_fn(uint8_t *to, unsigned times);
typedef int decode_fn(const uint8_t *from, size_t n, unsigned times);

struct side {
	encode_fn	*encode[MESSAGES];
	decode_fn	*decode[MESSAGES];
	encode_fn	*setup_encode;
	decode_fn	*setup_decode;
};

extern const struct side ours, libtirpc;

/* SEQUENCE, PUTFH, READ: names of version 4 stay in files of their own. */
encode_fn	 tirpc_encode_compound;
decode_fn	 tirpc_decode_compound;

#endif
