/*
 * A fuzz target over the types of a .x file: the first byte chooses a type,
 * the second where the message is cut in two stretches; the rest is decoded.
 * What decodes must encode, to as many bytes as T_size says, and come back.
 * A message must mean the same in one stretch and in two.
 *
 * The target defines ROWS: T(name) for each type, and includes this.
 */
#include <pinefs/xdr_type.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { BUDGET = 256 << 10, SPACE = 4 << 20 };

struct row {
	const struct xdr_type *type;
	int (*decode)(struct xdr_in *, void *);
	int (*encode)(struct xdr_out *, const void *);
	size_t (*size)(const void *);
};

#define T(NAME)								\
static int NAME##_d(struct xdr_in *in, void *v)				\
{ return NAME##_decode(in, v); }					\
static int NAME##_e(struct xdr_out *out, const void *v)			\
{ return NAME##_encode(out, v); }					\
static size_t NAME##_s(const void *v)					\
{ return NAME##_size(v); }
ROWS
#undef T

#define T(NAME) { &NAME##_type, NAME##_d, NAME##_e, NAME##_s },
static const struct row rows[] = { ROWS };
#undef T

static void
require(bool x)
{
	if (!x)
		abort();
}

static void *
decode(const struct row *r, const struct xdr_seg *segs, unsigned n,
    struct xdr_arena *arena, int *err)
{
	void *value = calloc(1, r->type->size);
	struct xdr_in in;

	require(value != NULL);
	xdr_in_init_segs(&in, segs, n, arena);
	*err = r->decode(&in, value);
	require((*err != 0) == in.bad);
	require(*err == 0 || *err == EBADMSG || *err == ENOMEM);
	require(*err == 0 || (in.where != NULL && in.why != XDR_OK));
	return value;
}

static size_t
encode(const struct row *r, const void *value, uint8_t *to)
{
	struct xdr_out out;

	xdr_out_init_mem(&out, to, SPACE);
	require(r->encode(&out, value) == 0);
	require(xdr_out_len(&out) == r->size(value));
	return xdr_out_len(&out);
}

/* What came out is its own best representation: once more is the same. */
static void
again(const struct row *r, const void *value)
{
	static uint8_t first[SPACE], second[SPACE];
	struct xdr_arena arena;
	struct xdr_seg seg;
	char line[200];
	void *back;
	size_t n;
	int err;

	n = encode(r, value, first);
	seg = (struct xdr_seg){ first, n };
	xdr_arena_init(&arena, NULL, 0, 4 * BUDGET);
	back = decode(r, &seg, 1, &arena, &err);
	require(err == 0);
	require(xdr_equal(r->type, value, back));
	require(encode(r, back, second) == n);
	require(memcmp(first, second, n) == 0);
	(void)xdr_print(line, sizeof line, r->type, back);
	xdr_arena_reset(&arena);
	free(back);
}

#ifdef MAKE_SEEDS
/* cc -DMAKE_SEEDS ... && ./a.out DIRECTORY: two values of each type. */
#include <stdio.h>

static void
write_seed(const char *directory, unsigned n, const uint8_t *data, size_t len)
{
	char name[4096];
	FILE *f;

	(void)snprintf(name, sizeof name, "%s/%s-%u", directory,
	    rows[data[0]].type->name, n);
	require((f = fopen(name, "wb")) != NULL);
	require(fwrite(data, 1, len, f) == len);
	require(fclose(f) == 0);
}

int
main(int argc, char **argv)
{
	static uint8_t data[2 + SPACE];
	struct xdr_arena arena;
	uint64_t seed = 1;
	unsigned i, n;
	void *value;
	size_t len;

	require(argc == 2);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (n = 0; n < 2; ) {
			xdr_arena_init(&arena, NULL, 0, 16 * BUDGET);
			value = calloc(1, rows[i].type->size);
			require(value != NULL);
			require(xdr_random(rows[i].type, value, &seed,
			    &arena) == 0);
			data[0] = (uint8_t)i;
			data[1] = (uint8_t)seed;
			len = 2 + encode(&rows[i], value, data + 2);
			if (len < 700)
				write_seed(argv[1], n++, data, len);
			xdr_arena_reset(&arena);
			free(value);
		}
	return 0;
}
#endif

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct xdr_arena one_arena, two_arena;
	const struct row *r;
	struct xdr_seg seg, two[2];
	void *value, *split;
	uint8_t *a, *b;
	size_t cut;
	int err, split_err;

	if (len < 2)
		return 0;
	r = &rows[data[0] % (sizeof rows / sizeof rows[0])];
	cut = len > 2 ? data[1] % (len - 2) : 0;
	data += 2;
	len -= 2;

	/* Allocations of their own, so that a read beyond them is seen. */
	a = malloc(cut + 1);
	b = malloc(len - cut + 1);
	require(a != NULL && b != NULL);
	if (cut > 0)
		memcpy(a, data, cut);
	if (len > cut)
		memcpy(b, data + cut, len - cut);
	seg = (struct xdr_seg){ data, len };
	two[0] = (struct xdr_seg){ a, cut };
	two[1] = (struct xdr_seg){ b, len - cut };

	xdr_arena_init(&one_arena, NULL, 0, BUDGET);
	xdr_arena_init(&two_arena, NULL, 0, 2 * BUDGET);
	value = decode(r, &seg, 1, &one_arena, &err);
	split = decode(r, two, 2, &two_arena, &split_err);
	/* The copy of what crosses the seam needs memory of its own. */
	require(err == split_err || err == ENOMEM || split_err == ENOMEM);
	if (err == 0)
		again(r, value);
	if (err == 0 && split_err == 0)
		require(xdr_equal(r->type, value, split));
	free(value);
	free(split);
	free(a);
	free(b);
	xdr_arena_reset(&one_arena);
	xdr_arena_reset(&two_arena);
	return 0;
}
