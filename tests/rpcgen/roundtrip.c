/*
 * What generated code encodes, it decodes again: for made-up values of every
 * shape that shapes.x has.  test_compile.py compiles this and runs it.
 */
#include <pinefs/rpc.h>
#include <pinefs/xdr_type.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/chain.h"
#include "check.h"
#include "shapes.h"

/* Values of each type: so many, or so many bytes of them. */
enum { SPACE = 4 << 20, ROUNDS = 300, ENOUGH = 2 << 20 };
enum { LONG = 16 << 10 };	/* messages that take their time */

#define MY(T)								\
static int								\
T##_d(struct xdr_in *in, void *v)					\
{									\
	return T##_decode(in, v);					\
}									\
static int								\
T##_e(struct xdr_out *out, const void *v)				\
{									\
	return T##_encode(out, v);					\
}									\
static size_t								\
T##_s(const void *v)							\
{									\
	return T##_size(v);						\
}

MY(basics) MY(zeros) MY(fixed) MY(arrays) MY(optionals) MY(lists) MY(tree)
MY(forest) MY(unions) MY(by_int) MY(by_reach) MY(everything) MY(handle)
MY(words) MY(flats)
MY(chain) MY(colour) MY(middle) MY(old)

struct row {
	const struct xdr_type *type;
	int (*decode)(struct xdr_in *, void *);
	int (*encode)(struct xdr_out *, const void *);
	size_t (*size)(const void *);
	uint32_t min, max;
};

#define ROW(T, MACRO) { &T##_type, T##_d, T##_e, T##_s,			\
	MACRO##_XDR_MIN, MACRO##_XDR_MAX }

static const struct row rows[] = {
	ROW(basics, BASICS), ROW(zeros, ZEROS), ROW(fixed, FIXED),
	ROW(arrays, ARRAYS), ROW(optionals, OPTIONALS), ROW(lists, LISTS),
	ROW(tree, TREE), ROW(forest, FOREST), ROW(unions, UNIONS),
	ROW(by_int, BY_INT), ROW(by_reach, BY_REACH),
	ROW(flats, FLATS), ROW(everything, EVERYTHING),
	ROW(handle, HANDLE), ROW(words, WORDS), ROW(chain, CHAIN),
	ROW(colour, COLOUR), ROW(middle, MIDDLE), ROW(old, OLD),
};

#define FOR_ROWS(r) \
	for (r = rows; r < rows + sizeof rows / sizeof rows[0]; r++)

static struct xdr_arena made, decoded;
static uint8_t *wire, *again;

static void
begin(void)
{
	xdr_arena_init(&made, NULL, 0, 256 << 20);
	xdr_arena_init(&decoded, NULL, 0, 256 << 20);
	wire = malloc(SPACE);
	again = malloc(SPACE);
}

static void
end(void)
{
	xdr_arena_reset(&made);
	xdr_arena_reset(&decoded);
	free(wire);
	free(again);
}

static size_t
encode(const struct row *r, const void *value, uint8_t *to)
{
	struct xdr_out out;

	xdr_out_init_mem(&out, to, SPACE);
	if (r->encode(&out, value) != 0) {
		printf("# %s at %s\n", xdr_error_name(out.why), out.where);
		return SIZE_MAX;
	}
	return xdr_out_len(&out);
}

/* A value and its bytes, in `wire`. */
static void *
make(const struct row *r, uint64_t seed, size_t *n)
{
	void *value = xdr_arena_zalloc(&made, r->type->size);

	CHECK(xdr_random(r->type, value, &seed, &made) == 0);
	*n = encode(r, value, wire);
	CHECK(*n != SIZE_MAX);
	return value;
}

static void *
decode(const struct row *r, const uint8_t *bytes, size_t n, int *err)
{
	void *value = xdr_arena_zalloc(&decoded, r->type->size);
	struct xdr_in in;

	xdr_in_init(&in, bytes, n, &decoded);
	*err = r->decode(&in, value);
	CHECK((*err != 0) == in.bad);
	if (*err == 0 && xdr_in_left(&in) != 0)
		*err = -1;
	return value;
}

static void
test_made_up_values_come_back(void)
{
	const struct row *r;
	void *value, *back;
	uint64_t seed;
	size_t n, total;
	int err;

	begin();
	FOR_ROWS(r)
		for (seed = total = 0; seed < ROUNDS && total < ENOUGH;
		    seed++, total += n) {
			value = make(r, seed, &n);
			CHECK(r->size(value) == n);
			CHECK(n >= r->min && n <= r->max && n % 4 == 0);
			back = decode(r, wire, n, &err);
			CHECK(err == 0);
			CHECK(xdr_equal(r->type, value, back));
			CHECK(encode(r, back, again) == n);
			assert_memory_equal(wire, again, n);
			xdr_arena_reset(&made);
			xdr_arena_reset(&decoded);
		}
	end();
}

/* From one place in a message to the next: few in one that takes long. */
static size_t
step_of(size_t n, size_t most)
{
	return n > LONG ? n / 40 + 1 : n / most + 1;
}

static void
test_a_message_cut_short_anywhere_is_bad(void)
{
	const struct row *r;
	size_t n, have, step;
	uint64_t seed;
	uint8_t *part;
	int err;

	begin();
	FOR_ROWS(r)
		for (seed = 0; seed < 5; seed++) {
			(void)make(r, seed, &n);
			step = step_of(n, 800);
			for (have = 0; have < n; have += step) {
				part = malloc(have + 1);
				memcpy(part, wire, have);
				(void)decode(r, part, have, &err);
				CHECK(err == EBADMSG);
				free(part);
				xdr_arena_reset(&decoded);
			}
			xdr_arena_reset(&made);
		}
	end();
}

static void
test_a_message_in_two_stretches_is_the_same_message(void)
{
	const struct row *r;
	struct xdr_seg segs[2];
	struct xdr_in in;
	size_t n, cut, step;
	uint64_t seed;
	void *value, *back;

	begin();
	FOR_ROWS(r)
		for (seed = 0; seed < 5; seed++) {
			value = make(r, seed, &n);
			step = step_of(n, 200);
			for (cut = 0; cut <= n; cut += step) {
				segs[0] = (struct xdr_seg){ wire, cut };
				segs[1] = (struct xdr_seg){ wire + cut,
				    n - cut };
				xdr_in_init_segs(&in, segs, 2, &decoded);
				back = xdr_arena_zalloc(&decoded,
				    r->type->size);
				CHECK(r->decode(&in, back) == 0);
				CHECK(xdr_in_left(&in) == 0);
				CHECK(xdr_equal(r->type, value, back));
				xdr_arena_reset(&decoded);
			}
			xdr_arena_reset(&made);
		}
	end();
}

static void
test_room_may_end_anywhere(void)
{
	const struct row *r;
	struct xdr_out out;
	size_t n, have, step;
	uint64_t seed;
	void *value;

	begin();
	FOR_ROWS(r)
		for (seed = 0; seed < 5; seed++) {
			value = make(r, seed, &n);
			step = step_of(n, 400);
			for (have = 0; have < n; have += step) {
				xdr_out_init_mem(&out, again, have);
				CHECK(r->encode(&out, value) == EMSGSIZE);
				CHECK(out.bad && out.where != NULL);
			}
			xdr_arena_reset(&made);
		}
	end();
}

/* What is written is the same wherever a chunk ends in it. */
static void
test_a_chunk_may_end_anywhere(void)
{
	const struct row *r;
	struct pinefs_chain chain;
	struct xdr_mark mark;
	struct xdr_out out;
	size_t n, have, step;
	uint8_t *pos, *room;
	uint64_t seed;
	void *value;

	begin();
	FOR_ROWS(r)
		for (seed = 0; seed < 5; seed++) {
			value = make(r, seed, &n);
			step = step_of(n, 200);
			for (have = 0; have <= n; have += step) {
				chain_init(&chain, NULL);
				CHECK(chain_room(&chain, 1, &pos, &room) == 0);
				if (have < (size_t)(room - pos)) {
					memset(pos, 0, (size_t)(room - pos));
					CHECK(chain_commit(&chain,
					    (size_t)(room - pos) - have) == 0);
				}
				xdr_out_init(&out, &chain, SPACE);
				xdr_mark(&out, &mark);	/* makes room */
				CHECK(r->encode(&out, value) == 0);
				CHECK(xdr_out_len(&out) == n);
				xdr_out_flush(&out);
				chain_copy_tail(&chain, n, again);
				CHECK(memcmp(again, wire, n) == 0);
				chain_fini(&chain);
			}
			xdr_arena_reset(&made);
		}
	end();
}

/* Whatever decodes can be encoded again, and comes back. */
static void
test_changed_messages_are_refused_or_understood(void)
{
	const struct row *r;
	size_t n, m, i;
	uint64_t seed, good = 0;
	void *value, *back;
	int err;

	begin();
	FOR_ROWS(r)
		for (seed = 0; seed < 20; seed++) {
			(void)make(r, seed, &n);
			for (i = 0; i < (n > LONG ? 10 : 50) && n > 0;
			    i++) {
				uint8_t *byte = wire +
				    (seed * 7919 + i * 104729) % n;
				uint8_t was = *byte;

				*byte = (uint8_t)(was + 1 + i * 37);
				value = decode(r, wire, n, &err);
				if (err == 0) {
					m = encode(r, value, again);
					CHECK(m == n);
					back = decode(r, again, m, &err);
					CHECK(err == 0);
					CHECK(xdr_equal(r->type, value, back));
					good++;
				}
				*byte = was;
				xdr_arena_reset(&decoded);
			}
			xdr_arena_reset(&made);
		}
	CHECK(good > 1000);
	end();
}

static void
test_every_value_prints_on_one_line(void)
{
	char line[512], *whole;
	const struct row *r;
	uint64_t seed;
	size_t n, len, i;
	void *value;

	begin();
	whole = malloc(1 << 20);
	FOR_ROWS(r)
		for (seed = 0; seed < 50; seed++) {
			value = make(r, seed, &n);
			len = xdr_print(line, sizeof line, r->type, value);
			CHECK(strlen(line) < sizeof line);
			CHECK(len >= strlen(line));
			(void)xdr_print(whole, 1 << 20, r->type, value);
			CHECK(strncmp(whole, line, strlen(line)) == 0);
			for (i = 0; whole[i] != '\0'; i++)
				CHECK(whole[i] >= ' ' && whole[i] < 0x7f);
			xdr_arena_reset(&made);
		}
	free(whole);
	end();
}

/* ---------------------------------------------------- bombs and limits -- */

enum { MANY = 100000 };

static void
put(uint8_t *p, size_t i, uint32_t v)
{
	xdr_store_u32(p + 4 * i, v);
}

static void
test_a_list_of_100000_nodes_needs_no_stack(void)
{
	static uint8_t bytes[4 + 12 * MANY];
	struct node *n, *nodes;
	struct xdr_in in;
	size_t i;

	begin();
	for (i = 0; i < MANY; i++) {
		put(bytes, 3 * i, 1);
		put(bytes, 3 * i + 2, (uint32_t)i);
	}
	xdr_in_init(&in, bytes, sizeof bytes, &decoded);
	CHECK(chain_decode(&in, &nodes) == 0);
	for (i = 0, n = nodes; n != NULL; n = n->next)
		CHECK(n->x == (int64_t)i++);
	CHECK(i == MANY);
	CHECK(chain_size(&nodes) == sizeof bytes);
	CHECK(encode(&(struct row){ .encode = chain_e }, &nodes, wire) ==
	    sizeof bytes);
	assert_memory_equal(wire, bytes, sizeof bytes);
	end();
}

static void
test_a_list_with_its_link_in_the_middle_needs_no_stack_either(void)
{
	middle first = { .a = xdr_view("a", 1), .b = -1 }, *m, back;
	struct row r = { &middle_type, middle_d, middle_e, middle_s, 0, 0 };
	size_t i, n;
	int err;

	begin();
	for (i = 0, m = &first; i < MANY; i++) {
		m->next = xdr_arena_zalloc(&made, sizeof *m);
		m = m->next;
		m->a = xdr_view("abcdef", (uint32_t)(i % 7));
		m->b = (int32_t)i;
		m->c = xdr_view("xyz", (uint32_t)(i % 4));
	}
	n = encode(&r, &first, wire);
	CHECK(n == middle_size(&first));
	m = decode(&r, wire, n, &err);
	CHECK(err == 0);
	back = *m;
	CHECK(xdr_equal(&middle_type, &first, &back));
	for (i = 0, m = back.next; m != NULL; m = m->next)
		CHECK(m->b == (int32_t)i++);
	CHECK(i == MANY);
	end();
}

static void
test_a_tree_too_deep_is_refused_both_ways(void)
{
	struct row r = { &tree_type, tree_d, tree_e, tree_s, 0, 0 };
	tree nodes[70] = { 0 };
	struct xdr_out out;
	size_t i, depth, n;
	int err;

	begin();
	for (depth = 63; depth <= 66; depth++) {
		for (i = 0; i < 70; i++)
			nodes[i].left = i + 1 < depth ? &nodes[i + 1] : NULL;
		xdr_out_init_mem(&out, wire, SPACE);
		err = tree_encode(&out, nodes);
		CHECK((err == 0) == (depth <= 64));
		CHECK(err == 0 || (out.why == XDR_TOO_DEEP && err == EINVAL));
		if (err != 0)
			continue;
		n = xdr_out_len(&out);
		(void)decode(&r, wire, n, &err);
		CHECK(err == 0);
	}
	/* left, left, left ...: as deep as the message is long. */
	for (i = 0; i < SPACE / 4; i++)
		put(wire, i, 1);
	(void)decode(&r, wire, SPACE, &err);
	CHECK(err == EBADMSG);
	end();
}

static void
test_a_count_beyond_the_bytes_allocates_nothing(void)
{
	const uint8_t bytes[] = { 0x20, 0, 0, 0, 0, 0, 0, 0 };
	struct xdr_u32_array many;
	struct xdr_arena arena;
	struct xdr_in in;

	xdr_arena_init(&arena, NULL, 0, SIZE_MAX / 2);
	xdr_in_init(&in, bytes, sizeof bytes, &arena);
	CHECK(xdr_u32_array_decode(&in, &many, UINT32_MAX, "x") == EBADMSG);
	CHECK(arena.chunks == NULL);
	xdr_arena_reset(&arena);
}

static void
test_a_small_budget_is_never_exceeded(void)
{
	const struct row *r;
	struct xdr_arena arena;
	struct xdr_in in;
	size_t n, budget;
	uint64_t seed;
	void *value;
	int err;

	begin();
	FOR_ROWS(r)
		for (seed = 0; seed < 20; seed++) {
			(void)make(r, seed, &n);
			for (budget = 0; budget < 8192; budget += 1000) {
				value = calloc(1, r->type->size);
				xdr_arena_init(&arena, NULL, 0, budget);
				xdr_in_init(&in, wire, n, &arena);
				err = r->decode(&in, value);
				CHECK(err == 0 || err == ENOMEM);
				CHECK(err == 0 || in.why == XDR_OVER_BUDGET);
				xdr_arena_reset(&arena);
				free(value);
			}
			xdr_arena_reset(&made);
		}
	end();
}

/* ------------------------------------------------------------ bad values -- */

static int
decode_words(int (*fn)(struct xdr_in *, void *), const uint32_t *words,
    size_t n, struct xdr_in *in, void *value)
{
	static uint8_t bytes[256];
	size_t i;

	for (i = 0; i < n; i++)
		put(bytes, i, words[i]);
	xdr_in_init(in, bytes, 4 * n, &decoded);
	return fn(in, value);
}

#define WORDS(...) (const uint32_t[]){ __VA_ARGS__ }, \
	sizeof (const uint32_t[]){ __VA_ARGS__ } / 4

static void
test_values_outside_of_their_type_are_named_with_their_place(void)
{
	struct xdr_in in;
	by_int u;
	colour c;
	unions us;

	begin();
	CHECK(decode_words(colour_d, WORDS(5), &in, &c) == 0 && c == GREEN);
	CHECK(decode_words(colour_d, WORDS(0xfffffffdu), &in, &c) == 0);
	CHECK(c == NEGATIVE);
	CHECK(decode_words(colour_d, WORDS(7), &in, &c) == EBADMSG);
	CHECK(in.why == XDR_BAD_ENUM && (unsigned)c == 7);
	CHECK(decode_words(by_int_d, WORDS(2, 3), &in, &u) == 0);
	CHECK(u.i == 2 && u.two.nested == 3);
	CHECK(decode_words(by_int_d, WORDS(3, 3), &in, &u) == EBADMSG);
	CHECK(in.why == XDR_BAD_ARM && u.i == 3 && in.offset == 0);
	CHECK(strcmp(in.where, "by_int.i") == 0);
	/* a: RED, void; b: neither true nor false */
	CHECK(decode_words(unions_d, WORDS(0, 2), &in, &us) == EBADMSG);
	CHECK(in.why == XDR_BAD_BOOL && in.offset == 4);
	CHECK(strcmp(in.where, "by_bool.b") == 0);
	end();
}

static void
test_bad_values_do_not_leave(void)
{
	by_int u = { .i = 3 };
	by_colour bc = { .c = (enum colour)9 };
	colour c = (enum colour)7;
	struct xdr_out out;
	uint8_t to[64];
	words w = { NULL, 5 };

	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(by_int_encode(&out, &u) == EINVAL && out.why == XDR_BAD_ARM);
	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(colour_encode(&out, &c) == EINVAL && out.why == XDR_BAD_ENUM);
	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(by_colour_encode(&out, &bc) == EINVAL);
	CHECK(out.why == XDR_BAD_ENUM);
	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(words_encode(&out, &w) == EINVAL && out.why == XDR_TOO_LONG);
	CHECK(strcmp(out.where, "words") == 0);
}

static void
test_arms_that_are_void_clear_what_others_hold(void)
{
	struct xdr_in in;
	by_colour u;

	begin();
	memset(&u, 0xff, sizeof u);
	xdr_in_init(&in, "\0\0\0\0", 4, &decoded);
	CHECK(by_colour_decode(&in, &u) == 0);
	CHECK(u.c == RED && u.s.data == NULL && u.s.len == 0);
	end();
}

/* -------------------------------------------------------------- programs -- */

static int
add(void *self, struct rpc_call *call, const SHAPES_ADD_args *args,
    int32_t *res)
{
	(void)call;
	*res = args->arg1 + args->arg2 + *(int *)self;
	return 0;
}

static void
test_a_service_row_decodes_calls_and_encodes(void)
{
	const struct shapes_v1_server handlers = { .add = add };
	const struct rpc_procedure *row = &shapes_v1_service.procs[4];
	const uint8_t args[] = { 0, 0, 0, 2, 0, 0, 0, 3 };
	SHAPES_ADD_args a;
	struct xdr_out out;
	struct xdr_in in;
	int self = 10;
	int32_t res;
	uint8_t to[4];

	CHECK(shapes_v1_service.prog == 0x20000001);
	CHECK(shapes_v1_service.vers == 1);
	CHECK(shapes_v1_service.nprocs == 11);
	CHECK(shapes_v1_service.procs[8].name == NULL);	/* a gap */
	CHECK(strcmp(row->name, "SHAPES_ADD") == 0);
	CHECK(row->args_size == sizeof a && row->res_size == sizeof res);
	CHECK(row->handler == offsetof(struct shapes_v1_server, add));
	xdr_in_init(&in, args, sizeof args, NULL);
	CHECK(row->decode(&in, &a) == 0);
	CHECK(row->call(&handlers, &self, NULL, &a, &res) == 0);
	CHECK(res == 15);
	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(row->encode(&out, &res) == 0);
	CHECK(xdr_load_u32(to) == 15);
	CHECK(shapes_v1_service.procs[0].args_type == NULL);
	CHECK(shapes_v1_service.procs[0].decode == NULL);
	CHECK(shapes_v2_service.procs[1].args_type != NULL);
}

CHECK_MAIN(
	CHECK_TEST(test_made_up_values_come_back),
	CHECK_TEST(test_a_message_cut_short_anywhere_is_bad),
	CHECK_TEST(test_room_may_end_anywhere),
	CHECK_TEST(test_a_chunk_may_end_anywhere),
	CHECK_TEST(test_a_message_in_two_stretches_is_the_same_message),
	CHECK_TEST(test_changed_messages_are_refused_or_understood),
	CHECK_TEST(test_every_value_prints_on_one_line),
	CHECK_TEST(test_a_list_of_100000_nodes_needs_no_stack),
	CHECK_TEST(test_a_list_with_its_link_in_the_middle_needs_no_stack_either),
	CHECK_TEST(test_a_tree_too_deep_is_refused_both_ways),
	CHECK_TEST(test_a_count_beyond_the_bytes_allocates_nothing),
	CHECK_TEST(test_a_small_budget_is_never_exceeded),
	CHECK_TEST(test_values_outside_of_their_type_are_named_with_their_place),
	CHECK_TEST(test_bad_values_do_not_leave),
	CHECK_TEST(test_arms_that_are_void_clear_what_others_hold),
	CHECK_TEST(test_a_service_row_decodes_calls_and_encodes),
)
