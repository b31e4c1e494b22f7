#include "base/slab.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

struct piece {
	void		*base;
	size_t		 size;
	struct slab	*slab;
	uint8_t		 mark;
};

static void
get(struct piece *p, size_t size, uint8_t mark)
{
	p->base = slab_alloc(size, &p->slab);
	p->size = size;
	p->mark = mark;
	CHECK(p->base != NULL);
	CHECK((uintptr_t)p->base % 4096 == 0);
	memset(p->base, mark, size);
}

/* Nobody else wrote into it. */
static void
put(struct piece *p)
{
	const uint8_t *b = p->base;

	CHECK(b[0] == p->mark && b[p->size - 1] == p->mark &&
	    b[p->size / 2] == p->mark);
	slab_free(p->base, p->size, p->slab);
}

static void
churn(unsigned seed, int rounds)
{
	static const size_t sizes[] = { 1, 4096, 4097, 16384, 65536, 70000,
	    1 << 20, (1 << 20) + 1 };
	struct piece p[64] = { { 0 } };
	unsigned i;

	while (rounds-- > 0) {
		i = (unsigned)rand_r(&seed) % 64;
		if (p[i].base != NULL) {
			put(&p[i]);
			p[i].base = NULL;
		} else {
			get(&p[i], sizes[(unsigned)rand_r(&seed) % 8],
			    (uint8_t)rand_r(&seed));
		}
	}
	for (i = 0; i < 64; i++)
		if (p[i].base != NULL)
			put(&p[i]);
}

static void
test_pieces_of_all_sizes_do_not_overlap(void)
{
	churn(1, 20000);
}

static void *
worker(void *arg)
{
	churn(*(unsigned *)arg, 5000);
	return NULL;
}

static void
test_threads_share_slabs(void)
{
	unsigned seed[4] = { 2, 3, 4, 5 };
	pthread_t t[4];
	int i;

	for (i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, worker, &seed[i]) == 0);
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

static void
test_what_was_freed_last_is_used_first(void)
{
	struct piece a, b;
	void *was;

	get(&a, 65536, 1);
	was = a.base;
	put(&a);
	get(&b, 65000, 2);
	CHECK(b.base == was);
	put(&b);
}

CHECK_MAIN(
	CHECK_TEST(test_pieces_of_all_sizes_do_not_overlap),
	CHECK_TEST(test_threads_share_slabs),
	CHECK_TEST(test_what_was_freed_last_is_used_first),
)
