/* Writing XDR into a chain: the slow halves.  See pinefs/xdr.h. */
#include <pinefs/xdr.h>

#include "base/chain.h"

enum {
	BY_REFERENCE = 1024,	/* smaller ones are copied */
	ROOM = 512		/* what a fresh stretch has at least */
};

/* Continue in the chain's chunk, with at least `need` bytes of room. */
static int
renew(struct xdr_out *out, size_t need)
{
	size_t left = out->limit - out->len;

	if (need > left)
		return xdr_out_fail(out, XDR_OVER_LIMIT, NULL);
	if (chain_room(out->chain, need, &out->pos, &out->end) != 0) {
		out->pos = out->end = out->start = NULL;
		return xdr_out_fail(out, XDR_NO_MEMORY, NULL);
	}
	out->start = out->pos;
	/* The inline half looks at `end` alone, so the limit is in it. */
	if ((size_t)(out->end - out->pos) > left)
		out->end = out->pos + left;
	return 0;
}

void
xdr_out_init(struct xdr_out *out, struct pinefs_chain *chain, size_t limit)
{
	*out = (struct xdr_out){ .chain = chain, .limit = limit };
	renew(out, limit < ROOM ? limit : ROOM);
}

void
xdr_out_flush(struct xdr_out *out)
{
	size_t n = (size_t)(out->pos - out->start);

	if (n == 0)
		return;
	if (chain_commit(out->chain, n) != 0) {
		out->pos = out->start;
		xdr_out_fail(out, XDR_NO_MEMORY, NULL);
		return;
	}
	out->len += n;
	out->start = out->pos;
}

int
xdr_out_fail(struct xdr_out *out, enum xdr_error why, const char *where)
{
	if (!out->bad) {
		out->bad = true;
		out->why = (uint8_t)why;
	}
	if (out->where == NULL)
		out->where = where;
	switch (out->why) {
	case XDR_OVER_LIMIT:
		return EMSGSIZE;
	case XDR_NO_MEMORY:
		return ENOMEM;
	}
	return EINVAL;
}

uint8_t *
xdr_room_slow(struct xdr_out *out, size_t n)
{
	uint8_t *p;

	if (out->bad)
		return NULL;
	xdr_out_flush(out);
	if (out->bad || renew(out, n) != 0)
		return NULL;
	p = out->pos;
	out->pos += n;
	return p;
}

void
xdr_mark(struct xdr_out *out, struct xdr_mark *m)
{
	struct pinefs_chain *chain = out->chain;

	xdr_out_flush(out);
	/* What comes next begins here, so that it can be patched. */
	if (!out->bad && (size_t)(out->end - out->pos) < 8 &&
	    out->limit - out->len >= 8)
		renew(out, 8);
	m->len = out->len;
	m->pieces = chain->n;
	m->tail = chain->n == 0 ? 0 :
	    chain->piece[chain->head + chain->n - 1].len;
	m->chunk = chain->chunk;
	m->pos = out->pos;
}

void
xdr_rewind(struct xdr_out *out, const struct xdr_mark *m)
{
	struct pinefs_chain *chain = out->chain;

	chain_cut(chain, m->pieces, m->tail);
	if (chain->chunk != NULL && chain->chunk == m->chunk)
		chain->fill = (size_t)(m->pos - chain->chunk->data);
	out->len = m->len;
	out->bad = false;
	out->why = XDR_OK;
	out->where = NULL;
	out->pos = out->start = out->end = NULL;
	renew(out, out->limit - out->len < ROOM ? out->limit - out->len :
	    ROOM);
}

void
xdr_patch_u32(struct xdr_out *out, const struct xdr_mark *m, uint32_t v)
{
	if (!out->bad)
		xdr_store_u32(m->pos, v);
}

/* Any number of bytes, over as many chunks as it takes. */
static void
put_bytes(struct xdr_out *out, const uint8_t *from, size_t n)
{
	size_t part;
	uint8_t *p;

	while (n > 0 && !out->bad) {
		part = (size_t)(out->end - out->pos);
		if (part == 0 || part > n)
			part = n < ROOM || part > n ? n : ROOM;
		if ((p = xdr_room(out, part)) == NULL)
			return;
		memcpy(p, from, part);
		from += part;
		n -= part;
	}
}

static void
put_reference(struct xdr_out *out, const void *base, size_t n,
    xdr_release_fn *release, void *owner)
{
	xdr_out_flush(out);
	if (out->bad)
		return;
	if (n > out->limit - out->len) {
		xdr_out_fail(out, XDR_OVER_LIMIT, NULL);
		return;
	}
	if (chain_borrow(out->chain, base, n, release, owner) != 0) {
		xdr_out_fail(out, XDR_NO_MEMORY, NULL);
		return;
	}
	out->len += n;
	/* `end` may hold the limit: it is nearer by n now. */
	if (out->limit - out->len < (size_t)(out->end - out->pos))
		out->end = out->pos + (out->limit - out->len);
}

/* The piece's bytes, and with them its owner, become the output's. */
static void
put_piece(struct xdr_out *out, struct xdr_piece *p)
{
	if (p->release != NULL && p->len >= BY_REFERENCE) {
		put_reference(out, p->base, p->len, p->release, p->owner);
		if (!out->bad)
			p->release = NULL;
	} else {
		put_bytes(out, p->base, p->len);
	}
}

int
xdr_put_view(struct xdr_out *out, const struct xdr_view *v, uint32_t max,
    const char *where)
{
	static const uint8_t zero[4];
	struct xdr_piece *p;
	uint32_t i;

	if (v->len > max)
		return xdr_out_fail(out, XDR_TOO_LONG, where);
	xdr_put_u32(out, v->len);
	if (v->npieces > 0) {
		p = (struct xdr_piece *)(uintptr_t)v->data;
		for (i = 0; i < v->npieces; i++)
			put_piece(out, &p[i]);
	} else if (out->borrow && v->len >= BY_REFERENCE) {
		put_reference(out, v->data, v->len, NULL, NULL);
	} else {
		put_bytes(out, v->data, v->len);
	}
	put_bytes(out, zero, (4 - v->len % 4) % 4);
	return out->bad ? xdr_out_fail(out, XDR_OK, where) : 0;
}

int
xdr_put_fixed(struct xdr_out *out, const void *from, uint32_t n)
{
	static const uint8_t zero[4];

	put_bytes(out, from, n);
	put_bytes(out, zero, (4 - n % 4) % 4);
	return out->bad ? xdr_out_fail(out, XDR_OK, NULL) : 0;
}
