#include "base/chain.h"

#include <stdlib.h>

#include "check.h"

static int released[8];

static void
count_release(void *owner)
{
	released[(intptr_t)owner]++;
}

/* Copy `n` bytes of `fill` into the chain. */
static void
put(struct pinefs_chain *c, size_t n, uint8_t fill)
{
	uint8_t *pos, *end;

	CHECK(chain_room(c, n, &pos, &end) == 0);
	CHECK((size_t)(end - pos) >= n);
	memset(pos, fill, n);
	CHECK(chain_commit(c, n) == 0);
}

static void
test_copied_bytes_that_follow_one_another_are_one_piece(void)
{
	struct chain_pool pool = { .max = 4 };
	struct pinefs_chain c;
	struct iovec iov[4];

	chain_init(&c, &pool);
	put(&c, 100, 'a');
	put(&c, 28, 'b');
	CHECK(chain_iov(&c, iov, 4) == 1);
	CHECK(iov[0].iov_len == 128 && c.bytes == 128);
	chain_fini(&c);
	chain_pool_fini(&pool);
}

static void
test_each_borrowed_piece_is_released_exactly_once(void)
{
	struct chain_pool pool = { .max = 4 };
	struct pinefs_chain c;
	intptr_t i;

	memset(released, 0, sizeof released);
	chain_init(&c, &pool);
	for (i = 0; i < 8; i++) {
		put(&c, 10, 'x');
		CHECK(chain_borrow(&c, "yyyy", 4, count_release, (void *)i)
		    == 0);
	}
	chain_consume(&c, 14);		/* exactly the first two pieces */
	CHECK(released[0] == 1 && released[1] == 0);
	chain_consume(&c, 13);		/* into the middle of one */
	CHECK(released[1] == 0);
	chain_consume(&c, 1);
	CHECK(released[1] == 1);
	chain_cut(&c, 4, 4);		/* drops 4 .. 7 */
	CHECK(released[2] == 0 && released[3] == 0);
	for (i = 4; i < 8; i++)
		CHECK(released[i] == 1);
	chain_fini(&c);
	for (i = 0; i < 8; i++)
		CHECK(released[i] == 1);
	chain_pool_fini(&pool);
}

static void
test_a_cut_chain_goes_on_where_it_was_cut(void)
{
	struct chain_pool pool = { .max = 4 };
	struct pinefs_chain c;
	uint8_t tail[24];

	chain_init(&c, &pool);
	put(&c, 20, 'a');
	put(&c, 20, 'b');
	chain_cut(&c, 1, 20);
	put(&c, 4, 'c');
	CHECK(c.n == 1 && c.bytes == 24);
	chain_copy_tail(&c, 24, tail);
	CHECK(tail[0] == 'a' && tail[19] == 'a' && tail[20] == 'c');
	chain_fini(&c);
	chain_pool_fini(&pool);
}

static void
test_an_empty_chain_holds_no_memory_but_its_pool_does(void)
{
	struct chain_pool pool = { .max = 4 };
	struct pinefs_chain c;

	chain_init(&c, &pool);
	put(&c, 5000, 'a');
	put(&c, 15000, 'b');		/* another chunk */
	chain_consume(&c, 20000);
	chain_idle(&c);
	CHECK(c.chunk == NULL && pool.n == 2);
	chain_fini(&c);
	chain_pool_fini(&pool);
}

static void
test_more_than_a_chunk_is_given_a_chunk_of_its_own(void)
{
	struct chain_pool pool = { .max = 4 };
	struct pinefs_chain c;

	chain_init(&c, &pool);
	put(&c, 200000, 'a');
	put(&c, 10, 'b');
	CHECK(c.bytes == 200010);
	chain_fini(&c);
	CHECK(pool.n <= 1);		/* the large one went back to malloc */
	chain_pool_fini(&pool);
}

static void
test_a_long_queue_is_consumed_in_small_steps(void)
{
	struct chain_pool pool = { .max = 4 };
	struct pinefs_chain c;
	size_t put_bytes = 0, got = 0;
	int i;

	chain_init(&c, &pool);
	for (i = 0; i < 10000; i++) {
		put(&c, 37, (uint8_t)i);
		CHECK(chain_borrow(&c, "zz", 2, NULL, NULL) == 0);
		put_bytes += 39;
		if (c.bytes > 1000) {
			chain_consume(&c, 777);
			got += 777;
		}
	}
	CHECK(put_bytes - got == c.bytes);
	CHECK(c.cap <= 1024);		/* the queue's array was reused */
	chain_fini(&c);
	chain_pool_fini(&pool);
}

CHECK_MAIN(
	CHECK_TEST(test_copied_bytes_that_follow_one_another_are_one_piece),
	CHECK_TEST(test_each_borrowed_piece_is_released_exactly_once),
	CHECK_TEST(test_a_cut_chain_goes_on_where_it_was_cut),
	CHECK_TEST(test_an_empty_chain_holds_no_memory_but_its_pool_does),
	CHECK_TEST(test_more_than_a_chunk_is_given_a_chunk_of_its_own),
	CHECK_TEST(test_a_long_queue_is_consumed_in_small_steps),
)
