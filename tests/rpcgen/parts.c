/* Lazy arrays, bulk payloads, open enums, strict padding: see parts.x. */
#include <pinefs/rpc.h>

#include <stdlib.h>

#include "check.h"
#include "parts.h"

/* tag "ab", minor 1, then as many operations as it says. */
static const uint8_t message[] = {
	0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0, 0, 1, 0, 0, 0, 4,
	0, 0, 0, 3, 0, 0, 0, 7,			/* add 7 */
	0, 0, 0, 4, 0, 0, 0, 1, 'x', 0, 0, 0,	/* name "x" */
	0, 0, 0, 99,				/* no such operation */
	0, 0, 0, 3, 0, 0, 0, 8,
};

static void
test_operations_are_decoded_one_by_one(void)
{
	struct xdr_in in;
	operation o;
	batch b;

	xdr_in_init(&in, message, sizeof message, NULL);
	CHECK(batch_decode(&in, &b) == 0);
	CHECK(b.tag.len == 2 && b.minor == 1 && b.ops.n == 4);
	CHECK(batch_ops_next(&b.ops, &o) == 0);
	CHECK(o.o == OP_ADD && o.add == 7);
	CHECK(batch_ops_next(&b.ops, &o) == 0);
	CHECK(o.o == OP_NAME && o.name.n.len == 1);
	CHECK(batch_ops_next(&b.ops, &o) == EBADMSG);
	CHECK((int)o.o == 99);	/* the raw number, for OP_ILLEGAL */
	CHECK(batch_ops_next(&b.ops, &o) == EBADMSG);
	CHECK((int)o.o == 0);
}

static void
test_a_count_too_large_is_bad_where_the_bytes_end(void)
{
	struct xdr_in in;
	operation o;
	batch b;

	xdr_in_init(&in, message, 24, NULL);
	CHECK(batch_decode(&in, &b) == 0);
	CHECK(batch_ops_next(&b.ops, &o) == 0);
	CHECK(batch_ops_next(&b.ops, &o) == EBADMSG);
	CHECK((int)o.o == 0 && in.why == XDR_SHORT);
	CHECK(batch_ops_next(&b.ops, &o) == EBADMSG);
	xdr_in_init(&in, message, 12, NULL);
	CHECK(batch_decode(&in, &b) == EBADMSG);
}

static void
test_elements_of_a_basic_type_are_decoded_one_by_one(void)
{
	const uint8_t wire[] = { 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 3,
		0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2 };
	struct xdr_in in;
	bool b = false;
	sums s;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(sums_decode(&in, &s) == 0);
	CHECK(s.first == 9 && s.rest.n == 3);
	CHECK(sums_rest_next(&s.rest, &b) == 0 && b);
	CHECK(sums_rest_next(&s.rest, &b) == 0 && !b);
	CHECK(sums_rest_next(&s.rest, &b) == EBADMSG);
	CHECK(in.why == XDR_BAD_BOOL && in.offset == 20);
	assert_string_equal(in.where, "sums.rest");
	xdr_in_init(&in, wire, 16, NULL);
	CHECK(sums_decode(&in, &s) == 0);
	CHECK(sums_rest_next(&s.rest, &b) == 0 && b);
	CHECK(sums_rest_next(&s.rest, &b) == EBADMSG);
	CHECK(sums_rest_next(&s.rest, &b) == EBADMSG);
	xdr_in_init(&in, wire, 20, NULL);
	CHECK(sums_decode(&in, &s) == 0);
	s.rest.n = 1;
	CHECK(sums_rest_next(&s.rest, &b) == 0 && b);
	CHECK(sums_rest_next(&s.rest, &b) == ENOENT);
}

/* The last element claimed was bad: asked again, that is still so. */
static void
test_a_failure_at_the_last_element_stays(void)
{
	const uint8_t wire[] = { 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1,
		0, 0, 0, 2 };
	struct xdr_in in;
	bool b = false;
	sums s;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(sums_decode(&in, &s) == 0);
	CHECK(sums_rest_next(&s.rest, &b) == EBADMSG);
	CHECK(sums_rest_next(&s.rest, &b) == EBADMSG);
}

static void
test_answers_are_encoded_one_by_one(void)
{
	const uint8_t want[] = {
		0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 5,
		0, 0, 0, 3, 0, 0, 0, 6
	};
	answers a = { .m = HAPPY };
	operation o = { .o = OP_ADD, .add = 5 };
	struct xdr_mark count;
	struct xdr_out out;
	uint8_t to[64];

	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(answers_encode(&out, &a) == 0);
	out.pos -= 4;
	xdr_mark(&out, &count);
	xdr_put_u32(&out, 0);
	CHECK(operation_encode(&out, &o) == 0);
	o.add = 6;
	CHECK(operation_encode(&out, &o) == 0);
	xdr_patch_u32(&out, &count, 2);
	CHECK(xdr_out_len(&out) == sizeof want);
	assert_memory_equal(to, want, sizeof want);
	CHECK(answers_size(&a) == 8);
}

static size_t
make_put(uint8_t *to, size_t size, uint32_t len)
{
	uint8_t *data = calloc(1, len);
	put p = { .handle = xdr_view("handle", 6), .offset = 9,
	    .stable = true, .data = xdr_view(data, len) };
	struct xdr_out out;

	xdr_out_init_mem(&out, to, size);
	CHECK(put_encode(&out, &p) == 0);
	free(data);
	return xdr_out_len(&out);
}

static void
test_a_payload_is_located_as_soon_as_its_length_has_come(void)
{
	uint8_t bytes[2000], *part;
	size_t start, have, n = make_put(bytes, sizeof bytes, 1000);
	uint32_t len;
	int err;

	CHECK(n == 4 + 8 + 8 + 4 + 4 + 1000);
	for (have = 0; have <= n; have++) {
		part = malloc(have + 1);
		memcpy(part, bytes, have);
		start = 0;
		err = put_data_locate(part, have, &start, &len);
		CHECK(err == (have < 28 ? EAGAIN : 0));
		if (err == 0)
			CHECK(start == 28 && len == 1000);
		free(part);
	}
	CHECK(parts_v1_service.procs[2].bulk == put_data_locate);
	CHECK(parts_v1_service.procs[0].bulk == NULL);
	CHECK(parts_v1_service.procs[1].args_lazy);
	CHECK(!parts_v1_service.procs[2].args_lazy);
}

/* A batch of add, put and add. */
static size_t
make_batch(uint8_t *to, size_t size, uint32_t claimed, uint32_t len)
{
	batch b = { .tag = xdr_view("ab", 2), .minor = 1, .ops.n = claimed };
	operation add = { .o = OP_ADD, .add = 5 };
	struct xdr_out out;
	size_t n;

	xdr_out_init_mem(&out, to, size);
	CHECK(batch_encode(&out, &b) == 0);
	CHECK(operation_encode(&out, &add) == 0);
	xdr_put_u32(&out, OP_PUT);
	n = xdr_out_len(&out);
	n += make_put(to + n, size - n, len);
	xdr_store_u32(to + n, OP_ADD);
	xdr_store_u32(to + n + 4, 6);
	return n + 8;
}

static void
test_a_payload_among_lazy_elements_is_located(void)
{
	uint8_t bytes[2000], *part;
	size_t start, have, n = make_batch(bytes, sizeof bytes, 3, 1000);
	uint32_t len;
	int err;

	CHECK(parts_v1_service.procs[1].bulk == batch_ops_locate);
	for (have = 0; have <= n; have++) {
		part = malloc(have + 1);
		memcpy(part, bytes, have);
		err = batch_ops_locate(part, have, &start, &len);
		CHECK(err == (have < 56 ? EAGAIN : 0));
		CHECK(start == (have < 56 ? 0 : 56));
		CHECK(len == (have < 56 ? 0 : 1000));
		free(part);
	}
}

static void
test_lazy_elements_without_a_payload_have_none_to_locate(void)
{
	uint8_t bytes[2000];
	size_t start = 7, n = make_batch(bytes, sizeof bytes, 1, 1000);
	uint32_t len = 7;

	/* The put lies beyond the count: nobody will read it. */
	CHECK(batch_ops_locate(bytes, n, &start, &len) == 0);
	CHECK(start == 0 && len == 0);
	xdr_store_u32(bytes + 12, 2);
	xdr_store_u32(bytes + 16, 99);	/* no such operation */
	CHECK(batch_ops_locate(bytes, n, &start, &len) == EBADMSG);
	CHECK(start == 0 && len == 0);
}

static void
test_a_payload_that_is_not_valid_is_not_located(void)
{
	uint8_t bytes[2000];
	size_t start, n = make_put(bytes, sizeof bytes, 1000);
	uint32_t len;

	bytes[23] = 2;		/* stable: neither true nor false */
	CHECK(put_data_locate(bytes, n, &start, &len) == EBADMSG);
	bytes[23] = 1;
	bytes[25] = 2;		/* more than 100000 */
	CHECK(put_data_locate(bytes, n, &start, &len) == EBADMSG);
	bytes[25] = 0;
	bytes[11] = 1;		/* padding, and --strict-pad */
	CHECK(put_data_locate(bytes, n, &start, &len) == EBADMSG);
}

static void
test_an_open_enum_keeps_what_it_does_not_list(void)
{
	const uint8_t wire[] = { 0, 0, 0, 77 };
	struct xdr_out out;
	struct xdr_in in;
	feeling f;
	uint8_t to[8];

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(feeling_decode(&in, &f) == 0);
	CHECK((int)f.m == 77);
	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(feeling_encode(&out, &f) == 0);
	CHECK(xdr_load_u32(to) == 77 && xdr_out_len(&out) == 4);
}

static void
test_lazy_arrays_print_their_count(void)
{
	struct xdr_in in;
	char line[100];
	batch b;

	xdr_in_init(&in, message, sizeof message, NULL);
	CHECK(batch_decode(&in, &b) == 0);
	(void)xdr_print(line, sizeof line, &batch_type, &b);
	assert_string_equal(line, "{tag=\"ab\",minor=1,ops=[4]}");
}

CHECK_MAIN(
	CHECK_TEST(test_operations_are_decoded_one_by_one),
	CHECK_TEST(test_a_count_too_large_is_bad_where_the_bytes_end),
	CHECK_TEST(test_elements_of_a_basic_type_are_decoded_one_by_one),
	CHECK_TEST(test_a_failure_at_the_last_element_stays),
	CHECK_TEST(test_answers_are_encoded_one_by_one),
	CHECK_TEST(test_a_payload_is_located_as_soon_as_its_length_has_come),
	CHECK_TEST(test_a_payload_that_is_not_valid_is_not_located),
	CHECK_TEST(test_a_payload_among_lazy_elements_is_located),
	CHECK_TEST(test_lazy_elements_without_a_payload_have_none_to_locate),
	CHECK_TEST(test_an_open_enum_keeps_what_it_does_not_list),
	CHECK_TEST(test_lazy_arrays_print_their_count),
)
