/*
 * Is what we encode what Sun's compiler and libtirpc encode?  Made-up values
 * are encoded by our code, decoded and encoded again by theirs, and must be
 * the same bytes.  Their half is oracle_theirs.c: the type names clash.
 */
#include <pinefs/xdr_type.h>

#include <stdio.h>
#include <stdlib.h>

#include MADE

enum { SPACE = 4 << 20, ROUNDS = 60 };

size_t theirs(unsigned row, uint8_t *wire, size_t n, uint8_t *to,
    size_t size);

#define T(NAME)								\
static int NAME##_e(struct xdr_out *out, const void *v)			\
{ return NAME##_encode(out, v); }
#include "rows.h"
#undef T

static const struct {
	const char *name;
	const struct xdr_type *type;
	int (*encode)(struct xdr_out *, const void *);
} rows[] = {
#define T(NAME) { #NAME, &NAME##_type, NAME##_e },
#include "rows.h"
#undef T
};

int
main(void)
{
	static uint8_t wire[SPACE], again[SPACE];
	struct xdr_arena arena;
	struct xdr_out out;
	uint64_t seed;
	unsigned i, n;
	void *value;
	size_t len;
	int bad = 0;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (n = 0; n < ROUNDS; n++) {
			seed = n;
			xdr_arena_init(&arena, NULL, 0, SPACE);
			value = calloc(1, rows[i].type->size);
			if (xdr_random(rows[i].type, value, &seed, &arena))
				return 2;
			xdr_out_init_mem(&out, wire, SPACE);
			if (rows[i].encode(&out, value) != 0)
				return 3;
			len = xdr_out_len(&out);
			if (theirs(i, wire, len, again, SPACE) != len ||
			    memcmp(wire, again, len) != 0) {
				printf("%s differs, seed %u\n", rows[i].name,
				    n);
				bad = 1;
			}
			free(value);
			xdr_arena_reset(&arena);
		}
	return bad;
}
