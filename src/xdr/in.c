/* The cursor over received bytes: what is not inline.  See pinefs/xdr.h. */
#include <pinefs/xdr.h>

enum { SCRATCH = 64 };

const char *
xdr_error_name(enum xdr_error e)
{
	static const char *const names[] = {
		[XDR_OK] = "XDR_OK", [XDR_SHORT] = "XDR_SHORT",
		[XDR_BAD_BOOL] = "XDR_BAD_BOOL",
		[XDR_BAD_ENUM] = "XDR_BAD_ENUM",
		[XDR_BAD_ARM] = "XDR_BAD_ARM",
		[XDR_TOO_LONG] = "XDR_TOO_LONG",
		[XDR_TOO_DEEP] = "XDR_TOO_DEEP",
		[XDR_BAD_PAD] = "XDR_BAD_PAD",
		[XDR_OVER_BUDGET] = "XDR_OVER_BUDGET",
		[XDR_OVER_LIMIT] = "XDR_OVER_LIMIT",
		[XDR_NO_MEMORY] = "XDR_NO_MEMORY"
	};

	return (size_t)e < sizeof names / sizeof *names ? names[e] :
	    "XDR_UNKNOWN";
}

void
xdr_in_init_segs(struct xdr_in *in, const struct xdr_seg *segs,
    unsigned nsegs, struct xdr_arena *arena)
{
	if (nsegs == 0) {
		xdr_in_init(in, NULL, 0, arena);
		return;
	}
	xdr_in_init(in, segs[0].base, segs[0].len, arena);
	in->segs = segs + 1;
	in->nsegs = nsegs - 1;
}

size_t
xdr_in_left(const struct xdr_in *in)
{
	size_t left = (size_t)(in->end - in->pos);
	unsigned i;

	for (i = 0; i < in->nsegs; i++)
		left += in->segs[i].len;
	return left;
}

/* ------------------------------------------------------------- failure -- */

/* Where in the whole message; 0 for a cursor made by hand. */
static size_t
offset(const struct xdr_in *in, const uint8_t *at)
{
	return in->start == NULL ? 0 : in->before + (size_t)(at - in->start);
}

int
xdr_fail(struct xdr_in *in, enum xdr_error why, const char *where)
{
	return xdr_fail_at(in, why, where, in->pos);
}

int
xdr_fail_at(struct xdr_in *in, enum xdr_error why, const char *where,
    const uint8_t *at)
{
	if (!in->bad) {
		in->bad = true;
		in->why = (uint8_t)why;
		in->err = why == XDR_OVER_BUDGET || why == XDR_NO_MEMORY ?
		    ENOMEM : EBADMSG;
		in->where = where;
		/* A run that was put together lies outside of the message. */
		in->offset = offset(in, in->start <= at && at <= in->end ?
		    at : in->pos);
		in->end = in->pos;
		in->nsegs = 0;
	} else if (in->where == NULL) {
		in->where = where;	/* xdr_take knew no name for it */
	}
	return in->err;
}

int
xdr_clear_large(void *p, size_t n)
{
	memset(p, 0, n);
	return 0;
}

/* ---------------------------------------------------------------- runs -- */

static void
next_seg(struct xdr_in *in)
{
	in->before += (size_t)(in->end - in->start);
	in->start = in->pos = in->segs->base;
	in->end = in->pos + in->segs->len;
	in->segs++;
	in->nsegs--;
}

/* Copy n bytes, which are there, from as many stretches as they take. */
static void
gather(struct xdr_in *in, uint8_t *to, size_t n)
{
	size_t part;

	while (n > 0) {
		if (in->pos == in->end) {
			next_seg(in);
			continue;
		}
		part = (size_t)(in->end - in->pos);
		part = part < n ? part : n;
		memcpy(to, in->pos, part);
		in->pos += part;
		to += part;
		n -= part;
	}
}

/* To the first byte of a stretch, if the present one is used up. */
static void
cross(struct xdr_in *in)
{
	while (in->pos == in->end && in->nsegs > 0)
		next_seg(in);
}

const uint8_t *
xdr_take_slow(struct xdr_in *in, size_t n)
{
	static _Thread_local uint8_t scratch[SCRATCH];
	const uint8_t *p;
	uint8_t *to;

	if (in->bad)
		return NULL;
	if (n > xdr_in_left(in)) {
		(void)xdr_fail(in, XDR_SHORT, NULL);
		return NULL;
	}
	cross(in);
	if (n <= (size_t)(in->end - in->pos)) {
		p = in->pos;
		in->pos += n;
		return p;
	}
	/* Without an arena, the bytes last until the next run that crosses. */
	to = in->arena != NULL ? xdr_alloc(in, n) :
	    n <= SCRATCH ? scratch : NULL;
	if (to == NULL) {
		(void)xdr_fail(in, XDR_OVER_BUDGET, NULL);
		return NULL;
	}
	gather(in, to, n);
	return to;
}

const uint8_t *
xdr_need_slow(struct xdr_in *in, size_t n, const char *where)
{
	const uint8_t *p = xdr_take_slow(in, n);

	if (p == NULL)
		(void)xdr_fail(in, XDR_SHORT, where);
	return p;
}

int
xdr_check_pad(struct xdr_in *in, const uint8_t *p, unsigned n,
    const char *where)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (p[i] != 0)
			return xdr_fail_at(in, XDR_BAD_PAD, where, p);
	return 0;
}

/* --------------------------------------------------------------- views -- */

/* Skip padding, which may lie in another stretch than what it pads. */
static int
skip_pad(struct xdr_in *in, unsigned n, bool strict, const char *where)
{
	uint8_t pad[4];

	if (n > xdr_in_left(in))
		return xdr_fail(in, XDR_SHORT, where);
	gather(in, pad, n);
	return strict ? xdr_check_pad(in, pad, n, where) : 0;
}

/* The payload lies across a seam: only then is it copied. */
static int
view_across(struct xdr_in *in, struct xdr_view *v, uint32_t n,
    const char *where)
{
	uint8_t *to;

	if (n > xdr_in_left(in))
		return xdr_fail(in, XDR_SHORT, where);
	cross(in);
	if (n <= (size_t)(in->end - in->pos)) {
		*v = xdr_view(in->pos, n);
		in->pos += n;
		return 0;
	}
	if ((to = xdr_alloc(in, n)) == NULL)
		return xdr_fail(in, XDR_OVER_BUDGET, where);
	gather(in, to, n);
	*v = xdr_view(to, n);
	return 0;
}

static int
get_view(struct xdr_in *in, struct xdr_view *v, uint32_t max, bool strict,
    const char *where)
{
	const uint8_t *p = xdr_take(in, 4);
	uint32_t n;
	uint64_t padded;	/* a size_t of 32 bits would wrap */
	int err;

	if (p == NULL)
		return xdr_fail(in, XDR_SHORT, where);
	n = xdr_load_u32(p);
	if (n > max)
		return xdr_fail_at(in, XDR_TOO_LONG, where, p);
	padded = ((uint64_t)n + 3) & ~(uint64_t)3;
	if (padded <= (size_t)(in->end - in->pos)) {
		*v = xdr_view(in->pos, n);
		in->pos += padded;
		return strict ? xdr_check_pad(in, in->pos - (padded - n),
		    (unsigned)(padded - n), where) : 0;
	}
	if ((err = view_across(in, v, n, where)) != 0)
		return err;
	return skip_pad(in, (unsigned)(padded - n), strict, where);
}

int
xdr_get_view_slow(struct xdr_in *in, struct xdr_view *v, uint32_t max,
    const char *where)
{
	return get_view(in, v, max, false, where);
}

int
xdr_get_view_strict(struct xdr_in *in, struct xdr_view *v, uint32_t max,
    const char *where)
{
	return get_view(in, v, max, true, where);
}

static int
get_fixed(struct xdr_in *in, void *to, uint32_t n, bool strict,
    const char *where)
{
	size_t padded = ((size_t)n + 3) & ~(size_t)3;

	if (padded > xdr_in_left(in))
		return xdr_fail(in, XDR_SHORT, where);
	gather(in, to, n);
	return skip_pad(in, (unsigned)(padded - n), strict, where);
}

int
xdr_get_fixed(struct xdr_in *in, void *to, uint32_t n, const char *where)
{
	return get_fixed(in, to, n, false, where);
}

int
xdr_get_fixed_strict(struct xdr_in *in, void *to, uint32_t n,
    const char *where)
{
	return get_fixed(in, to, n, true, where);
}

int
xdr_get_count(struct xdr_in *in, uint32_t *n, uint32_t max, uint32_t least,
    const char *where)
{
	const uint8_t *p = xdr_take(in, 4);
	uint32_t count;

	if (p == NULL)
		return xdr_fail(in, XDR_SHORT, where);
	count = xdr_load_u32(p);
	if (count > max)
		return xdr_fail_at(in, XDR_TOO_LONG, where, p);
	if (count > xdr_in_left(in) / (least > 0 ? least : 1))
		return xdr_fail_at(in, XDR_SHORT, where, p);
	*n = count;
	return 0;
}
