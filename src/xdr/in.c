/* Reading XDR: the slow halves of the cursor.  See pinefs/xdr.h. */
#include <pinefs/xdr.h>

static uint32_t
pad_of(uint32_t n)
{
	return (4 - n % 4) % 4;
}

void
xdr_in_init(struct xdr_in *in, const void *base, size_t len,
    struct xdr_arena *arena)
{
	*in = (struct xdr_in){ .pos = base, .arena = arena };
	in->start = in->pos;
	in->end = len == 0 ? in->pos : in->pos + len;
}

void
xdr_in_init_segs(struct xdr_in *in, const struct xdr_seg *segs,
    unsigned nsegs, struct xdr_arena *arena)
{
	xdr_in_init(in, nsegs == 0 ? NULL : segs[0].base,
	    nsegs == 0 ? 0 : segs[0].len, arena);
	if (nsegs > 1) {
		in->segs = segs + 1;
		in->nsegs = (uint16_t)(nsegs - 1);
	}
}

size_t
xdr_in_left(const struct xdr_in *in)
{
	size_t n = (size_t)(in->end - in->pos);
	unsigned i;

	for (i = 0; i < in->nsegs; i++)
		n += in->segs[i].len;
	return n;
}

/* Bytes consumed so far. */
static size_t
offset(const struct xdr_in *in)
{
	return in->before + (in->start == NULL ? 0 :
	    (size_t)(in->pos - in->start));
}

int
xdr_fail(struct xdr_in *in, enum xdr_error why, const char *where)
{
	if (!in->bad) {
		in->bad = true;
		in->why = (uint8_t)why;
		in->offset = offset(in);
	}
	/* The cursor itself does not know what it was reading. */
	if (in->where == NULL)
		in->where = where;
	return in->why == XDR_OVER_BUDGET || in->why == XDR_NO_MEMORY ?
	    ENOMEM : EBADMSG;
}

/* The present stretch is used up: go on to the next one that has bytes. */
static void
next_stretch(struct xdr_in *in)
{
	while (in->pos == in->end && in->nsegs > 0) {
		in->before = offset(in);
		in->pos = in->start = in->segs->base;
		in->end = in->pos + in->segs->len;
		in->segs++;
		in->nsegs--;
	}
}

/* n bytes, which are there, into `to`, across any seams. */
static void
gather(struct xdr_in *in, uint8_t *to, size_t n)
{
	size_t part;

	while (n > 0) {
		next_stretch(in);
		part = (size_t)(in->end - in->pos);
		if (part > n)
			part = n;
		memcpy(to, in->pos, part);
		in->pos += part;
		to += part;
		n -= part;
	}
}

const uint8_t *
xdr_take_slow(struct xdr_in *in, size_t n)
{
	const uint8_t *p;
	uint8_t *copy;

	if (in->bad)
		return NULL;
	if (n > xdr_in_left(in)) {
		xdr_fail(in, XDR_SHORT, NULL);
		return NULL;
	}
	next_stretch(in);
	if (n <= (size_t)(in->end - in->pos)) {
		p = in->pos;
		in->pos += n;
		return p;
	}
	if ((copy = xdr_alloc(in, n)) == NULL) {
		xdr_fail(in, XDR_OVER_BUDGET, NULL);
		return NULL;
	}
	gather(in, copy, n);
	return copy;
}

/* The padding behind n bytes; it may lie in the next stretch. */
static int
skip_pad(struct xdr_in *in, uint32_t n, const char *where)
{
	uint32_t pad = pad_of(n);
	uint8_t bytes[3];

	if (pad <= (size_t)(in->end - in->pos)) {
		in->pos += pad;
		return 0;
	}
	if (pad > xdr_in_left(in))
		return xdr_fail(in, XDR_SHORT, where);
	gather(in, bytes, pad);
	return 0;
}

int
xdr_get_view(struct xdr_in *in, struct xdr_view *v, uint32_t max,
    const char *where)
{
	const uint8_t *p = xdr_take(in, 4);
	uint32_t n;

	*v = (struct xdr_view){ 0 };
	if (p == NULL)
		return xdr_fail(in, XDR_SHORT, where);
	if ((n = xdr_load_u32(p)) > max)
		return xdr_fail(in, XDR_TOO_LONG, where);
	if ((p = xdr_take(in, n)) == NULL)
		return xdr_fail(in, XDR_SHORT, where);
	v->data = p;
	v->len = n;
	return skip_pad(in, n, where);
}

int
xdr_get_fixed(struct xdr_in *in, void *to, uint32_t n, const char *where)
{
	if (in->bad || n > xdr_in_left(in))
		return xdr_fail(in, XDR_SHORT, where);
	gather(in, to, n);
	return skip_pad(in, n, where);
}

int
xdr_get_count(struct xdr_in *in, uint32_t *n, uint32_t max, uint32_t least,
    const char *where)
{
	const uint8_t *p = xdr_take(in, 4);

	*n = 0;
	if (p == NULL)
		return xdr_fail(in, XDR_SHORT, where);
	if (xdr_load_u32(p) > max)
		return xdr_fail(in, XDR_TOO_LONG, where);
	if (xdr_load_u32(p) > xdr_in_left(in) / (least == 0 ? 1 : least))
		return xdr_fail(in, XDR_SHORT, where);
	*n = xdr_load_u32(p);
	return 0;
}

const char *
xdr_error_name(enum xdr_error e)
{
	static const char *const names[] = { "XDR_OK", "XDR_SHORT",
	    "XDR_BAD_BOOL", "XDR_BAD_ENUM", "XDR_BAD_ARM", "XDR_TOO_LONG",
	    "XDR_TOO_DEEP", "XDR_BAD_PAD", "XDR_OVER_BUDGET",
	    "XDR_OVER_LIMIT", "XDR_NO_MEMORY" };

	return e < sizeof names / sizeof names[0] ? names[e] : "XDR_?";
}
