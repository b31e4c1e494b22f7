/* Record marking.  See record.h. */
#include "rpc/record.h"

#include <pinefs/xdr.h>
#include <string.h>

void
record_begin(struct rpc_record *r)
{
	*r = (struct rpc_record){ .start = r->pos, .end = r->pos,
	    .pos = r->pos };
}

void
record_shift(struct rpc_record *r, size_t by)
{
	r->start -= by;
	r->end -= by;
	r->pos -= by;
}

/* A mark: the top bit says "last", the rest is the fragment's length. */
static bool
mark_get(struct rpc_record *r, const uint8_t *p, size_t max)
{
	uint32_t mark = xdr_load_u32(p);

	r->last = (mark & 0x80000000u) != 0;
	r->left = mark & 0x7fffffffu;
	r->in_fragment = true;
	if (r->left == 0 && !r->last && ++r->empty > RECORD_MAX_EMPTY)
		return false;
	return r->left <= max && r->end - r->start <= max - r->left;
}

enum record_status
record_next(struct rpc_record *r, uint8_t *buf, size_t fill, size_t max)
{
	size_t n;

	for (;;) {
		if (!r->in_fragment) {
			if (fill - r->pos < 4)
				return RECORD_MORE;
			if (!r->under_way)
				r->start = r->end = r->pos + 4;
			r->under_way = true;
			if (!mark_get(r, buf + r->pos, max))
				return RECORD_BAD;
			r->pos += 4;
		}
		n = fill - r->pos < r->left ? fill - r->pos : r->left;
		if (r->end != r->pos)
			memmove(buf + r->end, buf + r->pos, n);
		r->end += n;
		r->pos += n;
		r->left -= (uint32_t)n;
		if (r->left > 0)
			return RECORD_MORE;
		r->in_fragment = false;
		if (r->last)
			return RECORD_DONE;
	}
}
