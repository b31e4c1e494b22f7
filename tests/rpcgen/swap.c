/*
 * Generated C at the other end of a pipe, so that another backend's output
 * can be held against it.  rows.h, which the test writes, has a ROW(T) for
 * each type of a .x file.  Words of 32 bits in, big endian:
 *
 *	0 row seed		make a value up		-> length, bytes
 *	1 row length bytes	decode, encode again	-> 0 length, bytes
 *				... which cannot be	-> 1
 */
#include <pinefs/xdr_type.h>

#include <stdio.h>
#include <stdlib.h>

#include TESTED

enum { SPACE = 16 << 20 };

#define ROW(T)								\
static int								\
T##_in(struct xdr_in *in, void *v)					\
{									\
	return T##_decode(in, v);					\
}									\
static int								\
T##_out(struct xdr_out *out, const void *v)				\
{									\
	return T##_encode(out, v);					\
}
#include "rows.h"
#undef ROW

static const struct {
	const struct xdr_type *type;
	int (*decode)(struct xdr_in *, void *);
	int (*encode)(struct xdr_out *, const void *);
} rows[] = {
#define ROW(T)	{ &T##_type, T##_in, T##_out },
#include "rows.h"
};

static struct xdr_arena arena;
static uint8_t *bytes, *again;

static uint32_t
word(void)
{
	uint8_t b[4];

	if (fread(b, 1, 4, stdin) != 4)
		exit(0);
	return xdr_load_u32(b);
}

static void
put_word(uint32_t n)
{
	uint8_t b[4];

	xdr_store_u32(b, n);
	fwrite(b, 1, 4, stdout);
}

/* Encode; false if it cannot be. */
static bool
encode(uint32_t row, const void *value, uint8_t *to, uint32_t *n)
{
	struct xdr_out out;

	xdr_out_init_mem(&out, to, SPACE);
	if (rows[row].encode(&out, value) != 0)
		return false;
	*n = (uint32_t)xdr_out_len(&out);
	return true;
}

static void
make(uint32_t row)
{
	void *value = xdr_arena_zalloc(&arena, rows[row].type->size + 8);
	uint64_t seed = word();
	uint32_t n;

	if (value == NULL ||
	    xdr_random(rows[row].type, value, &seed, &arena) != 0 ||
	    !encode(row, value, bytes, &n))
		abort();
	put_word(n);
	fwrite(bytes, 1, n, stdout);
}

static void
swap(uint32_t row)
{
	void *value = xdr_arena_zalloc(&arena, rows[row].type->size + 8);
	uint32_t n = word();
	struct xdr_in in;

	if (value == NULL || n > SPACE || fread(bytes, 1, n, stdin) != n)
		abort();
	xdr_in_init(&in, bytes, n, &arena);
	if (rows[row].decode(&in, value) != 0 || xdr_in_left(&in) != 0) {
		put_word(1);
		return;
	}
	if (!encode(row, value, again, &n))
		abort();
	put_word(0);
	put_word(n);
	fwrite(again, 1, n, stdout);
}

int
main(void)
{
	uint32_t what, row;

	bytes = malloc(SPACE);
	again = malloc(SPACE);
	if (bytes == NULL || again == NULL)
		return 1;
	for (;;) {
		xdr_arena_init(&arena, NULL, 0, 64 << 20);
		what = word();
		row = word();
		if (row >= sizeof rows / sizeof rows[0])
			abort();
		if (what == 0)
			make(row);
		else
			swap(row);
		fflush(stdout);
		xdr_arena_reset(&arena);
	}
}
