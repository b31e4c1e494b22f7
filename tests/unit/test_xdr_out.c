/* The writer into a chain. */
#include <pinefs/xdr.h>

#include <stdlib.h>

#include "base/chain.h"
#include "check.h"

/* All of a chain's bytes in one piece, to be freed. */
static uint8_t *
flat(const struct pinefs_chain *chain)
{
	uint8_t *p = malloc(chain->bytes + 1);

	chain_copy_tail(chain, chain->bytes, p);
	return p;
}

static void
check_bytes(const struct pinefs_chain *chain, const void *want, size_t n)
{
	uint8_t *p = flat(chain);

	CHECK(chain->bytes == n);
	assert_memory_equal(p, want, n);
	free(p);
}

static unsigned released;

static void
release(void *owner)
{
	(void)owner;
	released++;
}

static void
test_what_is_put_comes_out_in_order(void)
{
	const uint8_t want[] = {
		1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1,
		0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0
	};
	struct xdr_view v = xdr_view("hello", 5);
	struct pinefs_chain chain;
	struct xdr_out out;

	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, 1000);
	xdr_put_u32(&out, 0x01020304);
	xdr_put_u64(&out, 9);
	CHECK(xdr_put_bool(&out, true, "b") == 0);
	CHECK(xdr_put_view(&out, &v, 5, "v") == 0);
	CHECK(xdr_out_len(&out) == sizeof want);
	xdr_out_flush(&out);
	CHECK(xdr_out_len(&out) == sizeof want);
	check_bytes(&chain, want, sizeof want);
	chain_fini(&chain);
}

static void
test_the_limit_is_met_exactly(void)
{
	struct xdr_view v = xdr_view("hello", 5);
	struct pinefs_chain chain;
	struct xdr_out out;
	size_t limit;

	for (limit = 0; limit <= 16; limit++) {
		chain_init(&chain, NULL);
		xdr_out_init(&out, &chain, limit);
		xdr_put_u32(&out, 1);
		(void)xdr_put_view(&out, &v, 5, "v");
		CHECK(out.bad == (limit < 16));
		if (out.bad)
			CHECK(xdr_out_fail(&out, XDR_BAD_ENUM, "x") ==
			    EMSGSIZE);
		xdr_out_flush(&out);
		CHECK(chain.bytes <= limit);
		chain_fini(&chain);
	}
}

static void
test_a_value_too_long_does_not_leave(void)
{
	struct xdr_view v = xdr_view("hello", 5);
	struct pinefs_chain chain;
	struct xdr_out out;

	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, 1000);
	CHECK(xdr_put_view(&out, &v, 4, "s.v") == EINVAL);
	CHECK(out.why == XDR_TOO_LONG && strcmp(out.where, "s.v") == 0);
	CHECK(xdr_put_view(&out, &v, 5, "t.v") == EINVAL);
	CHECK(strcmp(out.where, "s.v") == 0);
	xdr_out_flush(&out);
	CHECK(chain.bytes == 0);
	chain_fini(&chain);
}

static void
test_large_data_with_an_owner_goes_by_reference(void)
{
	static char data[3001];
	struct xdr_piece pieces[] = {
		{ data, 1000, release, data, NULL },
		{ data, 2001, release, data, NULL }
	};
	struct xdr_view v = { pieces, 3001, 2 };
	struct pinefs_chain chain;
	struct xdr_out out;

	memset(data, 'x', sizeof data);
	released = 0;
	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, 10000);
	CHECK(xdr_put_view(&out, &v, UINT32_MAX, "v") == 0);
	xdr_put_u32(&out, 7);
	xdr_out_flush(&out);
	CHECK(pieces[0].release == NULL && pieces[1].release == NULL);
	CHECK(chain.n == 4);	/* count; two pieces; padding and 7 */
	CHECK(chain.piece[1].base == data && chain.piece[1].len == 1000);
	CHECK(chain.bytes == 4 + 3004 + 4);
	CHECK(released == 0);
	chain_fini(&chain);
	CHECK(released == 2);
}

static void
test_small_data_with_an_owner_is_copied_and_stays_the_callers(void)
{
	struct xdr_piece pieces[] = {
		{ .base = "ab", .len = 2, .release = release },
		{ .base = "cde", .len = 3, .release = release }
	};
	const uint8_t want[] = { 0, 0, 0, 5, 'a', 'b', 'c', 'd', 'e', 0, 0, 0 };
	struct xdr_view v = { pieces, 5, 2 };
	struct pinefs_chain chain;
	struct xdr_out out;

	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, 10000);
	CHECK(xdr_put_view(&out, &v, UINT32_MAX, "v") == 0);
	xdr_out_flush(&out);
	CHECK(pieces[0].release != NULL);
	check_bytes(&chain, want, sizeof want);
	chain_fini(&chain);
}

/* Bytes that count from *owner on; with none: EIO. */
static int
count_up(void *owner, void *to, const void *from, size_t len)
{
	size_t i;

	if (owner == NULL)
		return EIO;
	for (i = 0; i < len; i++)
		((char *)to)[i] = (char)(*(char *)owner +
		    ((const char *)from - (const char *)owner) + i);
	return 0;
}

static void
test_a_piece_that_may_vanish_is_copied_by_its_owner(void)
{
	char first = 'a';
	struct xdr_piece piece = { .base = &first, .len = 5, .owner = &first,
	    .release = release, .copy = count_up };
	const uint8_t want[] = { 0, 0, 0, 5, 'a', 'b', 'c', 'd', 'e', 0, 0, 0 };
	struct xdr_view v = { &piece, 5, 1 };
	uint8_t mem[64];
	struct xdr_out out;

	xdr_out_init_mem(&out, mem, sizeof mem);
	CHECK(xdr_put_view(&out, &v, UINT32_MAX, "v") == 0);
	CHECK(memcmp(mem, want, sizeof want) == 0);
	piece.owner = NULL;
	xdr_out_init_mem(&out, mem, sizeof mem);
	CHECK(xdr_put_view(&out, &v, UINT32_MAX, "v") != 0);
}

static void
test_pieces_that_do_not_add_up_do_not_leave(void)
{
	struct xdr_piece piece = { .base = "abcdef", .len = 6 };
	struct xdr_view v = { &piece, 7, 1 };
	struct pinefs_chain chain;
	struct xdr_out out;

	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, 10000);
	CHECK(xdr_put_view(&out, &v, UINT32_MAX, "v") == EINVAL);
	chain_fini(&chain);
}

static void
test_bytes_without_an_owner_are_borrowed_only_where_allowed(void)
{
	static char data[2048];
	struct xdr_view v = xdr_view(data, sizeof data);
	struct pinefs_chain chain;
	struct xdr_out out;

	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, 10000);
	CHECK(xdr_put_view(&out, &v, UINT32_MAX, "v") == 0);
	xdr_out_flush(&out);
	CHECK(chain.n == 1);
	out.borrow = true;
	CHECK(xdr_put_view(&out, &v, UINT32_MAX, "v") == 0);
	xdr_out_flush(&out);
	CHECK(chain.n == 2 && chain.piece[1].base == data);
	CHECK(chain.bytes == 2 * (4 + sizeof data));
	chain_fini(&chain);
}

static void
test_data_larger_than_a_chunk_is_copied_whole(void)
{
	static uint8_t data[100001];
	struct xdr_view v = xdr_view(data, sizeof data);
	struct pinefs_chain chain;
	struct xdr_out out;
	uint8_t *p;
	size_t i;

	for (i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, 200000);
	CHECK(xdr_put_view(&out, &v, UINT32_MAX, "v") == 0);
	xdr_out_flush(&out);
	p = flat(&chain);
	CHECK(chain.bytes == 4 + 100004);
	assert_memory_equal(p + 4, data, sizeof data);
	free(p);
	chain_fini(&chain);
}

/* Entries until one does not fit, as READDIR does. */
static void
fill(struct xdr_out *out, unsigned *n)
{
	struct xdr_mark mark;
	uint8_t data[100] = { 0 };
	struct xdr_view v = xdr_view(data, sizeof data);

	for (*n = 0; ; ++*n) {
		xdr_mark(out, &mark);
		xdr_put_u32(out, *n);
		if (xdr_put_view(out, &v, 100, "v") != 0)
			break;
	}
	xdr_rewind(out, &mark);
}

static void
test_a_rewind_forgets_what_was_written_since_the_mark(void)
{
	struct pinefs_chain chain;
	struct xdr_out out;
	uint8_t *p;
	unsigned n, i;
	size_t limit;

	for (limit = 0; limit < 70000; limit += 997) {
		chain_init(&chain, NULL);
		xdr_out_init(&out, &chain, limit);
		fill(&out, &n);
		CHECK(!out.bad);
		CHECK(n == limit / 108);
		CHECK(xdr_out_len(&out) == 108 * n);
		xdr_out_flush(&out);
		CHECK(chain.bytes == 108 * n);
		p = flat(&chain);
		for (i = 0; i < n; i++)
			CHECK(xdr_load_u32(p + 108 * i) == i);
		free(p);
		chain_fini(&chain);
	}
}

static void
test_a_count_is_patched_where_the_mark_was(void)
{
	struct pinefs_chain chain;
	struct xdr_mark mark;
	struct xdr_out out;
	uint8_t *p;
	unsigned lead, n;

	/* Also where the chunk has less than four bytes left. */
	for (lead = 16300; lead < 16400; lead += 4) {
		chain_init(&chain, NULL);
		xdr_out_init(&out, &chain, 100000);
		for (n = 0; n < lead; n += 4)
			xdr_put_u32(&out, 0);
		xdr_mark(&out, &mark);
		xdr_put_u32(&out, 0);
		fill(&out, &n);
		xdr_patch_u32(&out, &mark, 0xabcdef);
		xdr_out_flush(&out);
		p = flat(&chain);
		CHECK(xdr_load_u32(p + lead) == 0xabcdef);
		free(p);
		chain_fini(&chain);
	}
}

static void
test_a_rewind_releases_what_was_lent_since(void)
{
	static char data[2000];
	struct xdr_piece piece = { .base = data, .len = sizeof data,
	    .release = release };
	struct xdr_view v = { &piece, sizeof data, 1 };
	struct pinefs_chain chain;
	struct xdr_mark mark;
	struct xdr_out out;

	released = 0;
	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, 10000);
	xdr_put_u32(&out, 1);
	xdr_mark(&out, &mark);
	CHECK(xdr_put_view(&out, &v, UINT32_MAX, "v") == 0);
	xdr_rewind(&out, &mark);
	CHECK(released == 1);
	xdr_put_u32(&out, 2);
	xdr_out_flush(&out);
	check_bytes(&chain, "\0\0\0\1\0\0\0\2", 8);
	chain_fini(&chain);
}

static void
test_a_rewind_keeps_a_failure_older_than_the_mark(void)
{
	struct pinefs_chain chain;
	struct xdr_mark mark;
	struct xdr_out out;

	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, 4);
	xdr_put_u64(&out, 1);
	CHECK(out.bad);
	xdr_mark(&out, &mark);
	xdr_rewind(&out, &mark);
	CHECK(out.bad);
	chain_fini(&chain);
}

static void
test_plain_memory_is_written_to_its_last_byte(void)
{
	struct xdr_view v = xdr_view("abc", 3);
	struct xdr_mark mark;
	struct xdr_out out;
	uint8_t to[12];

	xdr_out_init_mem(&out, to, sizeof to);
	xdr_mark(&out, &mark);
	xdr_put_u32(&out, 0);
	CHECK(xdr_put_view(&out, &v, 3, "v") == 0);
	xdr_patch_u32(&out, &mark, 5);
	CHECK(xdr_out_len(&out) == 12);
	assert_memory_equal(to, "\0\0\0\5\0\0\0\3abc\0", 12);
	xdr_put_u32(&out, 0);
	CHECK(out.bad);
	xdr_rewind(&out, &mark);
	CHECK(!out.bad && xdr_out_len(&out) == 0);
}

CHECK_MAIN(
	CHECK_TEST(test_what_is_put_comes_out_in_order),
	CHECK_TEST(test_the_limit_is_met_exactly),
	CHECK_TEST(test_a_value_too_long_does_not_leave),
	CHECK_TEST(test_large_data_with_an_owner_goes_by_reference),
	CHECK_TEST(test_small_data_with_an_owner_is_copied_and_stays_the_callers),
	CHECK_TEST(test_a_piece_that_may_vanish_is_copied_by_its_owner),
	CHECK_TEST(test_pieces_that_do_not_add_up_do_not_leave),
	CHECK_TEST(test_bytes_without_an_owner_are_borrowed_only_where_allowed),
	CHECK_TEST(test_data_larger_than_a_chunk_is_copied_whole),
	CHECK_TEST(test_a_rewind_forgets_what_was_written_since_the_mark),
	CHECK_TEST(test_a_count_is_patched_where_the_mark_was),
	CHECK_TEST(test_a_rewind_releases_what_was_lent_since),
	CHECK_TEST(test_a_rewind_keeps_a_failure_older_than_the_mark),
	CHECK_TEST(test_plain_memory_is_written_to_its_last_byte),
)
