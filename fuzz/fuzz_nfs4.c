/*
 * The arguments of NFSv4's COMPOUND, read as a server reads them: operation
 * by operation.  Each that decodes must encode, to as many bytes as its size
 * says, and come back; in two stretches the message must mean the same; and
 * where a payload was said to lie, there the WRITE must have it.
 *
 * fuzz/nfs4_seeds.py makes the seeds.
 */
#include <assert.h>
#include <stdlib.h>

#include <pinefs/xdr_type.h>

#include "proto/nfs4.h"

enum { BUDGET = 256 << 10, SPACE = 4 << 20 };

/* What T_M_locate said; len 0: nothing. */
struct place {
	const uint8_t *at;
	uint32_t len;
};

/* An operation to bytes and back, and once more. */
static void
again(const nfs_argop4 *op)
{
	static uint8_t first[SPACE], second[SPACE];
	struct xdr_arena arena;
	struct xdr_out out;
	struct xdr_in in;
	nfs_argop4 back;
	char line[200];
	size_t n;

	xdr_out_init_mem(&out, first, sizeof first);
	assert(nfs_argop4_encode(&out, op) == 0);
	n = xdr_out_len(&out);
	assert(n == nfs_argop4_size(op));

	xdr_arena_init(&arena, NULL, 0, 4 * BUDGET);
	xdr_in_init(&in, first, n, &arena);
	memset(&back, 0, sizeof back);
	assert(nfs_argop4_decode(&in, &back) == 0);
	assert(xdr_in_left(&in) == 0);
	assert(xdr_equal(&nfs_argop4_type, op, &back));
	xdr_out_init_mem(&out, second, sizeof second);
	assert(nfs_argop4_encode(&out, &back) == 0);
	assert(xdr_out_len(&out) == n && memcmp(first, second, n) == 0);
	(void)xdr_print(line, sizeof line, &nfs_argop4_type, &back);
	xdr_arena_reset(&arena);
}

/* The first WRITE has its data where it was said; then there is no place. */
static void
check_place(const nfs_argop4 *op, struct place *place)
{
	if (op->argop != OP_WRITE || place->len == 0)
		return;
	assert(op->opwrite.data.data == place->at);
	assert(op->opwrite.data.len == place->len);
	place->len = 0;
}

static void
check_failure(const struct xdr_in *in, int err)
{
	assert((err == ENOENT) != in->bad);
	if (in->bad) {
		assert(err == EBADMSG || err == ENOMEM);
		assert(in->why != XDR_OK && in->where != NULL);
	}
}

/* Both cursors have the same bytes, `two` in two stretches. */
static void
walk(struct xdr_in *one, struct xdr_in *two, struct place *place)
{
	COMPOUND4args a, b;
	nfs_argop4 op, same;
	int err, other;

	err = COMPOUND4args_decode(one, &a);
	other = COMPOUND4args_decode(two, &b);
	assert(err == other || other == ENOMEM);
	if (err != 0 || other != 0)
		return;
	assert(a.argarray.n == b.argarray.n);
	for (;;) {
		err = COMPOUND4args_argarray_next(&a.argarray, &op);
		other = COMPOUND4args_argarray_next(&b.argarray, &same);
		/* What crosses the seam is copied, and needs memory. */
		assert(err == other || err == ENOMEM || other == ENOMEM);
		if (err != 0)
			break;
		check_place(&op, place);
		again(&op);
		if (other == 0)
			assert(xdr_equal(&nfs_argop4_type, &op, &same));
	}
	check_failure(one, err);
	if (err == EBADMSG && other == EBADMSG)
		assert(op.argop == same.argop);
	/* There is no more, after a failure neither. */
	assert(COMPOUND4args_argarray_next(&a.argarray, &op) != 0);
}

/* An allocation of its own, so that a read beyond it is seen. */
static uint8_t *
copy(const uint8_t *from, size_t len)
{
	uint8_t *p = malloc(len + (len == 0));

	assert(p != NULL);
	if (len > 0)
		memcpy(p, from, len);
	return p;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t cut = len == 0 ? 0 : (data[len / 2] | data[len - 1] << 8) % len;
	uint8_t *head = copy(data, cut), *tail = copy(data + cut, len - cut);
	struct xdr_seg segs[2] = { { head, cut }, { tail, len - cut } };
	struct xdr_arena one_arena, two_arena;
	struct place place = { .len = 0 };
	struct xdr_in one, two;
	uint32_t n;
	size_t at;

	if (COMPOUND4args_argarray_locate(data, len, &at, &n) == 0 && n > 0) {
		assert(at <= len);
		if (n <= len - at)
			place = (struct place){ data + at, n };
	}
	(void)COMPOUND4args_argarray_locate(head, cut, &at, &n);

	xdr_arena_init(&one_arena, NULL, 0, BUDGET);
	xdr_arena_init(&two_arena, NULL, 0, 2 * BUDGET);
	xdr_in_init(&one, data, len, &one_arena);
	xdr_in_init_segs(&two, segs, 2, &two_arena);
	walk(&one, &two, &place);
	xdr_arena_reset(&one_arena);
	xdr_arena_reset(&two_arena);
	free(head);
	free(tail);
	return 0;
}
