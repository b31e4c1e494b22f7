/* The output queue.  See chain.h. */
#include "base/chain.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { PIECES_MIN = 16, PIECES_IDLE = 64 };

/* -------------------------------------------------------------- chunks -- */

static struct chain_chunk *
chunk_new(struct chain_pool *pool, size_t need)
{
	size_t size = CHAIN_CHUNK - sizeof(struct chain_chunk);
	struct chain_chunk *c;

	if (pool != NULL && need <= size && pool->free != NULL) {
		c = pool->free;
		pool->free = c->next;
		pool->n--;
	} else {
		if (need > size) {
			size = need;
			pool = NULL;
		}
		if ((c = malloc(sizeof *c + size)) == NULL)
			return NULL;
		c->pool = pool;
		c->size = (uint32_t)size;
	}
	c->refs = 1;
	return c;
}

static void
chunk_put(void *owner)
{
	struct chain_chunk *c = owner;
	struct chain_pool *pool = c->pool;

	if (--c->refs != 0)
		return;
	if (pool == NULL || pool->n >= pool->max) {
		free(c);
		return;
	}
	c->next = pool->free;
	pool->free = c;
	pool->n++;
}

void
chain_pool_fini(struct chain_pool *pool)
{
	struct chain_chunk *c;

	while ((c = pool->free) != NULL) {
		pool->free = c->next;
		free(c);
	}
	pool->n = 0;
}

/* -------------------------------------------------------------- pieces -- */

static struct xdr_piece *
last(const struct pinefs_chain *chain)
{
	return &chain->piece[chain->head + chain->n - 1];
}

static void
release(struct xdr_piece *p)
{
	if (p->release != NULL)
		p->release(p->owner);
}

/* Room for one more at the end of the array. */
static int
pieces_grow(struct pinefs_chain *chain)
{
	struct xdr_piece *more;
	unsigned cap;

	if (chain->head > 0 && chain->head >= chain->cap / 2) {
		memmove(chain->piece, chain->piece + chain->head,
		    chain->n * sizeof *chain->piece);
		chain->head = 0;
		return 0;
	}
	cap = chain->cap == 0 ? PIECES_MIN : 2 * chain->cap;
	if ((more = realloc(chain->piece, cap * sizeof *more)) == NULL)
		return ENOMEM;
	chain->piece = more;
	chain->cap = cap;
	return 0;
}

int
chain_borrow_piece(struct pinefs_chain *chain, const struct xdr_piece *p)
{
	int err;

	if (chain->head + chain->n == chain->cap &&
	    (err = pieces_grow(chain)) != 0)
		return err;
	chain->n++;
	*last(chain) = *p;
	chain->bytes += p->len;
	return 0;
}

int
chain_borrow(struct pinefs_chain *chain, const void *base, size_t len,
    xdr_release_fn *fn, void *owner)
{
	struct xdr_piece p = { base, len, fn, owner, NULL };

	return chain_borrow_piece(chain, &p);
}

/* A copy in its place. */
static int
own(struct xdr_piece *p)
{
	void *to = malloc(p->len);
	int err;

	if (to == NULL)
		return ENOMEM;
	if ((err = xdr_piece_copy(p, 0, to, p->len)) != 0) {
		free(to);
		return err;
	}
	release(p);
	*p = (struct xdr_piece){ to, p->len, free, to, NULL };
	return 0;
}

int
chain_own(struct pinefs_chain *chain, unsigned max)
{
	struct xdr_piece *p = chain->piece + chain->head;
	unsigned i, n = chain->n < max ? chain->n : max;
	int err = EFAULT;

	for (i = 0; i < n; i++)
		if (p[i].copy != NULL && (err = own(&p[i])) != 0)
			break;
	return err;
}

/* --------------------------------------------------------------- chain -- */

void
chain_init(struct pinefs_chain *chain, struct chain_pool *pool)
{
	*chain = (struct pinefs_chain){ .pool = pool };
}

static void
drop_chunk(struct pinefs_chain *chain)
{
	if (chain->chunk != NULL)
		chunk_put(chain->chunk);
	chain->chunk = NULL;
	chain->fill = 0;
}

void
chain_fini(struct pinefs_chain *chain)
{
	chain_cut(chain, 0, 0);
	drop_chunk(chain);
	free(chain->piece);
	*chain = (struct pinefs_chain){ .pool = chain->pool };
}

int
chain_room(struct pinefs_chain *chain, size_t need, uint8_t **pos,
    uint8_t **end)
{
	struct chain_chunk *c = chain->chunk;

	/* Nobody but us looks at it: what was in it has left. */
	if (c != NULL && c->refs == 1)
		chain->fill = 0;
	if (c == NULL || c->size - chain->fill < need) {
		if ((c = chunk_new(chain->pool, need)) == NULL)
			return ENOMEM;
		drop_chunk(chain);
		chain->chunk = c;
	}
	*pos = c->data + chain->fill;
	*end = c->data + c->size;
	return 0;
}

int
chain_commit(struct pinefs_chain *chain, size_t len)
{
	struct chain_chunk *c = chain->chunk;
	const uint8_t *base = c->data + chain->fill;
	int err;

	if (len == 0)
		return 0;
	if (chain->n > 0 && last(chain)->owner == c &&
	    (const uint8_t *)last(chain)->base + last(chain)->len == base) {
		last(chain)->len += len;
		chain->bytes += len;
	} else {
		if ((err = chain_borrow(chain, base, len, chunk_put, c)) != 0)
			return err;
		c->refs++;
	}
	chain->fill += len;
	return 0;
}

void
chain_cut(struct pinefs_chain *chain, unsigned pieces, size_t tail)
{
	size_t was;

	assert(pieces <= chain->n);
	while (chain->n > pieces) {
		chain->bytes -= last(chain)->len;
		release(last(chain));
		chain->n--;
	}
	if (pieces == 0)
		return;
	was = last(chain)->len - tail;
	last(chain)->len = tail;
	chain->bytes -= was;
	if (chain->chunk != NULL && last(chain)->owner == chain->chunk)
		chain->fill = (size_t)((const uint8_t *)last(chain)->base +
		    tail - chain->chunk->data);
}

unsigned
chain_iov(const struct pinefs_chain *chain, struct iovec *iov, unsigned max)
{
	unsigned i, n = chain->n < max ? chain->n : max;
	const struct xdr_piece *p = chain->piece + chain->head;

	for (i = 0; i < n; i++) {
		iov[i].iov_base = (void *)(uintptr_t)p[i].base;
		iov[i].iov_len = p[i].len;
	}
	return n;
}

void
chain_consume(struct pinefs_chain *chain, size_t n)
{
	struct xdr_piece *p;

	assert(n <= chain->bytes);
	chain->bytes -= n;
	while (chain->n > 0) {
		p = &chain->piece[chain->head];
		if (n < p->len) {
			p->base = (const uint8_t *)p->base + n;
			p->len -= n;
			return;
		}
		n -= p->len;
		release(p);
		chain->head++;
		chain->n--;
	}
	chain->head = 0;
}

int
chain_copy_tail(const struct pinefs_chain *chain, size_t len, uint8_t *to)
{
	const struct xdr_piece *p = chain->piece + chain->head + chain->n;
	size_t left = len, n;
	int err = 0;

	assert(len <= chain->bytes);
	while (left > 0 && err == 0) {
		p--;
		n = p->len < left ? p->len : left;
		left -= n;
		err = xdr_piece_copy(p, p->len - n, to + left, n);
	}
	return err;
}

void
chain_idle(struct pinefs_chain *chain)
{
	if (chain->n > 0)
		return;
	drop_chunk(chain);
	if (chain->cap > PIECES_IDLE) {
		free(chain->piece);
		chain->piece = NULL;
		chain->cap = chain->head = 0;
	}
}
