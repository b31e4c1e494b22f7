/* A cache of blocks: a hash table, and a list in the order of use. */
#include "blocks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct block {
	struct block	*hash_next;
	struct block	*newer, *older;
	const void	*owner;
	uint64_t	 n;
	struct tar_block *data;
};

struct tar_blocks {
	pthread_mutex_t	 lock;
	size_t		 room;		/* blocks that still fit */
	size_t		 lent, lend_max;
	uint32_t	 mask;
	struct block	*newest, *oldest;
	struct block	*bucket[];
};

static struct block **
bucket_of(struct tar_blocks *b, const void *owner, uint64_t n)
{
	uint64_t h = ((uintptr_t)owner ^ n) * UINT64_C(0x9e3779b97f4a7c15);

	return &b->bucket[h >> 32 & b->mask];
}

static struct block **
find(struct tar_blocks *b, const void *owner, uint64_t n)
{
	struct block **p = bucket_of(b, owner, n);

	while (*p != NULL && ((*p)->owner != owner || (*p)->n != n))
		p = &(*p)->hash_next;
	return p;
}

static void
unlist(struct tar_blocks *b, struct block *x)
{
	*(x->newer != NULL ? &x->newer->older : &b->newest) = x->older;
	*(x->older != NULL ? &x->older->newer : &b->oldest) = x->newer;
}

static void
list(struct tar_blocks *b, struct block *x)
{
	x->newer = NULL;
	x->older = b->newest;
	*(x->older != NULL ? &x->older->newer : &b->oldest) = x;
	b->newest = x;
}

static void
drop(struct tar_blocks *b, struct block *x)
{
	struct block **p = find(b, x->owner, x->n);

	*p = x->hash_next;
	unlist(b, x);
	tar_block_put(x->data);
	free(x);
	b->room++;
}

struct tar_block *
tar_block_new(void)
{
	struct tar_block *block = malloc(sizeof *block);

	if (block != NULL) {
		atomic_init(&block->refs, 1);
		block->len = 0;
	}
	return block;
}

struct tar_block *
tar_block_get(struct tar_block *block)
{
	atomic_fetch_add(&block->refs, 1);
	return block;
}

void
tar_block_put(struct tar_block *block)
{
	if (block != NULL && atomic_fetch_sub(&block->refs, 1) == 1)
		free(block);
}

struct tar_block *
tar_blocks_find(struct tar_blocks *b, const void *owner, uint64_t n)
{
	struct tar_block *data = NULL;
	struct block *x;

	pthread_mutex_lock(&b->lock);
	if ((x = *find(b, owner, n)) != NULL) {
		unlist(b, x);
		list(b, x);
		data = tar_block_get(x->data);
	}
	pthread_mutex_unlock(&b->lock);
	return data;
}

void
tar_blocks_add(struct tar_blocks *b, const void *owner, uint64_t n,
    struct tar_block *data)
{
	struct block *x = malloc(sizeof *x), **p;

	if (x == NULL)
		return;
	x->owner = owner;
	x->n = n;
	x->data = tar_block_get(data);
	pthread_mutex_lock(&b->lock);
	if ((p = find(b, owner, n)), *p != NULL)
		drop(b, *p);
	while (b->room == 0)
		drop(b, b->oldest);
	p = bucket_of(b, owner, n);
	x->hash_next = *p;
	*p = x;
	list(b, x);
	b->room--;
	pthread_mutex_unlock(&b->lock);
}

struct tar_block *
tar_blocks_take(struct tar_blocks *b, const void *owner, uint64_t n)
{
	struct tar_block *data = NULL;
	struct block *x;

	pthread_mutex_lock(&b->lock);
	if ((x = *find(b, owner, n)) != NULL) {
		data = tar_block_get(x->data);
		drop(b, x);
	}
	pthread_mutex_unlock(&b->lock);
	return data;
}

size_t
tar_blocks_room(const struct tar_blocks *b)
{
	return b->lend_max;		/* constant */
}

bool
tar_blocks_get(struct tar_blocks *b, const void *owner, uint64_t n,
    size_t at, void *to, size_t len)
{
	struct tar_block *block = tar_blocks_find(b, owner, n);
	bool has = block != NULL && at <= block->len && len <= block->len - at;

	if (has)
		memcpy(to, block->data + at, len);
	tar_block_put(block);
	return has;
}

void
tar_blocks_put(struct tar_blocks *b, const void *owner, uint64_t n,
    const void *data, size_t len)
{
	struct tar_block *block = tar_block_new();

	if (block == NULL)
		return;
	memcpy(block->data, data, len);
	block->len = len;
	tar_blocks_add(b, owner, n, block);
	tar_block_put(block);
}

bool
tar_blocks_borrow(struct tar_blocks *b)
{
	bool may;

	pthread_mutex_lock(&b->lock);
	if ((may = b->lent < b->lend_max))
		b->lent++;
	pthread_mutex_unlock(&b->lock);
	return may;
}

void
tar_blocks_return(struct tar_blocks *b, size_t n)
{
	pthread_mutex_lock(&b->lock);
	b->lent -= n;
	pthread_mutex_unlock(&b->lock);
}

void
tar_blocks_drop(struct tar_blocks *b, const void *owner)
{
	struct block *x, *next;

	pthread_mutex_lock(&b->lock);
	for (x = b->newest; x != NULL; x = next) {
		next = x->older;
		if (x->owner == owner)
			drop(b, x);
	}
	pthread_mutex_unlock(&b->lock);
}

struct tar_blocks *
tar_blocks_new(size_t bytes)
{
	size_t n = bytes / TAR_BLOCK_SIZE, buckets = 16;
	struct tar_blocks *b;

	while (buckets < n)
		buckets *= 2;
	b = calloc(1, sizeof *b + buckets * sizeof b->bucket[0]);
	if (b == NULL)
		return NULL;
	pthread_mutex_init(&b->lock, NULL);
	b->room = b->lend_max = n == 0 ? 1 : n;
	b->mask = (uint32_t)buckets - 1;
	return b;
}

void
tar_blocks_free(struct tar_blocks *b)
{
	if (b == NULL)
		return;
	while (b->newest != NULL)
		drop(b, b->newest);
	pthread_mutex_destroy(&b->lock);
	free(b);
}
