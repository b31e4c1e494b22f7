/* Sparse maps.  See sparse.h. */
#include "sparse.h"

#include <errno.h>
#include <stdlib.h>

void
tar_sparse_clear(struct tar_sparse *s)
{
	s->n = 0;
	s->bad = s->odd = false;
}

void
tar_sparse_fini(struct tar_sparse *s)
{
	free(s->seg);
	*s = (struct tar_sparse){ 0 };
}

static int
grow(struct tar_sparse *s)
{
	uint32_t cap = s->cap == 0 ? 16 : s->cap * 2;
	struct tar_segment *seg = realloc(s->seg, cap * sizeof *seg);

	if (seg == NULL)
		return ENOMEM;
	s->seg = seg;
	s->cap = cap;
	return 0;
}

int
tar_sparse_add(struct tar_sparse *s, int64_t off, int64_t len)
{
	struct tar_segment *last = s->n == 0 ? NULL : &s->seg[s->n - 1];
	uint64_t at = last == NULL ? 0 : last->at + last->len;
	int err;

	if (off < 0 || len < 0 || len > INT64_MAX - off ||
	    s->n == TAR_SEGMENTS_MAX ||
	    (uint64_t)len > INT64_MAX - at ||
	    (last != NULL && (uint64_t)off < last->off + last->len))
		s->bad = true;
	if (s->bad || len == 0)
		return 0;
	if (s->n == s->cap && (err = grow(s)) != 0)
		return err;
	s->seg[s->n++] = (struct tar_segment){ (uint64_t)off, (uint64_t)len,
	    at };
	return 0;
}

int
tar_sparse_number(struct tar_sparse *s, int64_t v)
{
	if ((s->odd = !s->odd)) {
		s->off = (uint64_t)v;
		return 0;
	}
	return tar_sparse_add(s, (int64_t)s->off, v);
}

bool
tar_sparse_check(const struct tar_sparse *s, uint64_t size, uint64_t stored)
{
	const struct tar_segment *last;

	if (s->bad || s->odd)
		return false;
	if (s->n == 0)
		return true;
	last = &s->seg[s->n - 1];
	return last->off + last->len <= size && last->at + last->len <= stored;
}
