/*
 * The writer into a chain: what is not inline.  See pinefs/xdr.h.
 *
 * Bytes between `start` and `pos` are written but not yet in the chain.
 * `end` is the end of the chunk or where the limit is reached, whichever
 * comes first, so that the inline half of xdr_room checks both at once.
 */
#include <pinefs/xdr.h>

#include "base/chain.h"

enum { BY_REFERENCE = 1024 };	/* bytes from which copying is dearer */
enum { COPY = 4096 };		/* bytes copied into one stretch */

#define FAILED_BEFORE	(~0u)	/* of mark->pieces: nothing to go back to */

void
xdr_out_init(struct xdr_out *out, struct pinefs_chain *chain, size_t limit)
{
	*out = (struct xdr_out){ .chain = chain, .limit = limit };
}

void
xdr_out_init_mem(struct xdr_out *out, void *base, size_t size)
{
	*out = (struct xdr_out){ .pos = base, .start = base, .limit = size };
	out->end = size == 0 ? out->pos : out->pos + size;
}

int
xdr_out_fail(struct xdr_out *out, enum xdr_error why, const char *where)
{
	if (!out->bad) {
		out->bad = true;
		out->why = (uint8_t)why;
		out->err = why == XDR_OVER_LIMIT ? EMSGSIZE :
		    why == XDR_NO_MEMORY ? ENOMEM : EINVAL;
		out->end = out->pos;
	}
	if (out->where == NULL)
		out->where = where;
	return out->err;
}

/* Put what was written into the chain, and go on behind it. */
static bool
commit(struct xdr_out *out)
{
	size_t n = (size_t)(out->pos - out->start);

	if (n == 0 || out->chain == NULL)
		return true;
	if (chain_commit(out->chain, n) != 0) {
		(void)xdr_out_fail(out, XDR_NO_MEMORY, NULL);
		return false;
	}
	out->len += n;
	out->start = out->pos;
	return true;
}

/* The chain is the master of its chunk again. */
static void
let_go(struct xdr_out *out)
{
	out->start = out->pos = out->end = NULL;
}

void
xdr_out_flush(struct xdr_out *out)
{
	if (out->chain == NULL)
		return;
	(void)commit(out);
	let_go(out);
}

static size_t
left(const struct xdr_out *out)
{
	return out->limit - xdr_out_len(out);
}

/* Room of n bytes at `pos`, not yet taken.  Within the limit. */
static bool
make_room(struct xdr_out *out, size_t n)
{
	if (n <= (size_t)(out->end - out->pos))
		return true;
	if (out->chain == NULL || !commit(out))
		return false;
	if (chain_room(out->chain, n, &out->pos, &out->end) != 0) {
		let_go(out);
		(void)xdr_out_fail(out, XDR_NO_MEMORY, NULL);
		return false;
	}
	out->start = out->pos;
	if ((size_t)(out->end - out->pos) > out->limit - out->len)
		out->end = out->pos + (out->limit - out->len);
	return true;
}

uint8_t *
xdr_room_slow(struct xdr_out *out, size_t n)
{
	uint8_t *p;

	if (out->bad)
		return NULL;
	if (n > left(out)) {
		(void)xdr_out_fail(out, XDR_OVER_LIMIT, NULL);
		return NULL;
	}
	if (!make_room(out, n))
		return NULL;
	p = out->pos;
	out->pos += n;
	return p;
}

uint8_t *
xdr_space_slow(struct xdr_out *out, size_t n, const char *where)
{
	uint8_t *p = xdr_room_slow(out, n);

	if (p == NULL)
		(void)xdr_out_fail(out, XDR_OVER_LIMIT, where);
	return p;
}

/* --------------------------------------------------------------- marks -- */

void
xdr_mark(struct xdr_out *out, struct xdr_mark *m)
{
	struct pinefs_chain *chain = out->chain;

	*m = (struct xdr_mark){ .pieces = FAILED_BEFORE };
	/* At the limit no u32 can follow, so there is no need to place it. */
	if (out->bad || (left(out) >= 4 && !make_room(out, 4)) ||
	    !commit(out))
		return;
	m->len = xdr_out_len(out);
	m->pos = out->pos;
	m->pieces = 0;
	if (chain == NULL)
		return;
	m->chunk = chain->chunk;
	m->pieces = chain->n;
	if (chain->n > 0)
		m->tail = chain->piece[chain->head + chain->n - 1].len;
}

void
xdr_rewind(struct xdr_out *out, const struct xdr_mark *m)
{
	bool failed = out->bad;

	if (m->pieces == FAILED_BEFORE)
		return;
	out->bad = false;
	out->why = XDR_OK;
	out->where = NULL;
	out->depth = 0;
	if (out->chain == NULL) {
		out->pos = m->pos;
		out->end = out->start + out->limit;
		return;
	}
	/* Nothing reached the chain since: only step back. */
	if (!failed && out->len == m->len && out->start == m->pos &&
	    out->chain->chunk == m->chunk) {
		out->pos = m->pos;
		return;
	}
	chain_cut(out->chain, m->pieces, m->tail);
	out->len = m->len;
	let_go(out);
}

void
xdr_patch_u32(struct xdr_out *out, const struct xdr_mark *m, uint32_t v)
{
	if (!out->bad && m->pieces != FAILED_BEFORE && m->pos != NULL)
		xdr_store_u32(m->pos, v);
}

/* --------------------------------------------------------------- views -- */

/* Copy, in as many stretches as it takes. */
static void
copy_piece(struct xdr_out *out, const struct xdr_piece *from)
{
	size_t done, part;
	uint8_t *p;

	for (done = 0; done < from->len; done += part) {
		part = from->len - done < COPY ? from->len - done : COPY;
		if ((p = xdr_room(out, part)) == NULL)
			return;
		if (xdr_piece_copy(from, done, p, part) != 0) {
			(void)xdr_out_fail(out, XDR_NO_MEMORY, NULL);
			return;
		}
	}
}

static void
copy(struct xdr_out *out, const void *from, size_t n)
{
	struct xdr_piece p = { .base = from, .len = n };

	copy_piece(out, &p);
}

static void
pad(struct xdr_out *out, size_t n)
{
	uint8_t *p;

	if (n % 4 != 0 && (p = xdr_room(out, 4 - n % 4)) != NULL)
		memset(p, 0, 4 - n % 4);
}

/* Into the chain, which gives it back when it has left. */
static bool
lend(struct xdr_out *out, const struct xdr_piece *p)
{
	if (chain_borrow_piece(out->chain, p) != 0) {
		(void)xdr_out_fail(out, XDR_NO_MEMORY, NULL);
		return false;
	}
	out->len += p->len;
	return true;
}

static void
put_pieces(struct xdr_out *out, const struct xdr_view *v)
{
	/* The pieces are the caller's own, and ours to empty: memory.h. */
	struct xdr_piece *p = (struct xdr_piece *)(uintptr_t)v->data;
	uint32_t i;

	if (v->len < BY_REFERENCE || out->chain == NULL) {
		for (i = 0; i < v->npieces; i++)
			copy_piece(out, &p[i]);
		return;
	}
	xdr_out_flush(out);
	for (i = 0; i < v->npieces && !out->bad; i++) {
		if (p[i].len == 0)
			continue;
		if (!lend(out, &p[i]))
			return;
		p[i].release = NULL;	/* the chain's from here on */
	}
}

static bool
pieces_fit(const struct xdr_view *v)
{
	const struct xdr_piece *p = v->data;
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < v->npieces; i++)
		n += p[i].len;
	return n == v->len;
}

static void
put_large(struct xdr_out *out, const struct xdr_view *v)
{
	struct xdr_piece p = { .base = v->data, .len = v->len };

	if (v->npieces > 0) {
		put_pieces(out, v);
	} else if (out->borrow && out->chain != NULL &&
	    v->len >= BY_REFERENCE) {
		xdr_out_flush(out);
		if (!out->bad)
			(void)lend(out, &p);
	} else {
		copy_piece(out, &p);
	}
	pad(out, v->len);
}

int
xdr_put_view_slow(struct xdr_out *out, const struct xdr_view *v, uint32_t max,
    const char *where)
{
	size_t size = xdr_view_size(v);
	uint8_t *p;

	if (v->len > max || (v->npieces > 0 && !pieces_fit(v)))
		return xdr_out_fail(out, XDR_TOO_LONG, where);
	if (v->npieces == 0 && v->len < BY_REFERENCE) {
		if ((p = xdr_room(out, size)) == NULL)
			return xdr_out_fail(out, XDR_OVER_LIMIT, where);
		xdr_store_u32(p + size - 4, 0);
		xdr_store_u32(p, v->len);
		xdr_copy(p + 4, v->data, v->len);
		return 0;
	}
	if (out->bad || size > left(out))
		return xdr_out_fail(out, XDR_OVER_LIMIT, where);
	xdr_put_u32(out, v->len);
	put_large(out, v);
	return out->bad ? xdr_out_fail(out, XDR_OVER_LIMIT, where) : 0;
}

int
xdr_put_fixed(struct xdr_out *out, const void *from, uint32_t n,
    const char *where)
{
	copy(out, from, n);
	pad(out, n);
	return out->bad ? xdr_out_fail(out, XDR_OVER_LIMIT, where) : 0;
}

int
xdr_put_bool(struct xdr_out *out, bool b, const char *where)
{
	uint8_t *p = xdr_room(out, 4);

	if (p == NULL)
		return xdr_out_fail(out, XDR_OVER_LIMIT, where);
	xdr_store_u32(p, b);
	return 0;
}

int
xdr_put_count(struct xdr_out *out, uint32_t n, uint32_t max,
    const char *where)
{
	uint8_t *p;

	if (n > max)
		return xdr_out_fail(out, XDR_TOO_LONG, where);
	if ((p = xdr_room(out, 4)) == NULL)
		return xdr_out_fail(out, XDR_OVER_LIMIT, where);
	xdr_store_u32(p, n);
	return 0;
}
