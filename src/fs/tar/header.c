/* Blocks that are headers.  See header.h. */
#include "header.h"

#include <string.h>

#include "number.h"

enum {
	SUM_AT = 148, SUM_LEN = 8,
	SEGMENT = 24,			/* offset[12] and length[12] */
	GNU_MAP = 386, GNU_MORE = 482, GNU_SIZE = 483,
	STAR_MORE = 355, STAR_MAP = 356, STAR_SIZE = 452,
	STAR_PREFIX = 131, STAR_MAGIC = 508,
	EXT_SEGMENTS = 21, EXT_MORE = 504
};

static const uint8_t *
bytes_of(const struct tar_header *h)
{
	return (const uint8_t *)h;
}

bool
tar_header_is_zero(const struct tar_header *h)
{
	const uint8_t *p = bytes_of(h);

	return p[0] == 0 && memcmp(p, p + 1, sizeof *h - 1) == 0;
}

/* Of the bytes as they are, and as numbers with a sign; eight at a time, for
 * this is done for each member. */
static void
sums_of(const uint8_t *p, int64_t *sum, int64_t *old)
{
	const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
	const uint64_t tops = UINT64_C(0x0101010101010101);
	uint64_t v, fours = 0, high = 0;
	size_t i;

	for (i = 0; i < sizeof(struct tar_header); i += sizeof v) {
		memcpy(&v, p + i, sizeof v);
		fours += (v & even) + (v >> 8 & even);	/* < 2^16 each */
		high += v >> 7 & tops;			/* < 2^8 each */
	}
	fours = (fours & UINT64_C(0x0000ffff0000ffff)) +
	    (fours >> 16 & UINT64_C(0x0000ffff0000ffff));
	*sum = (int64_t)((fours & UINT32_MAX) + (fours >> 32));
	high = (high & even) + (high >> 8 & even);
	*old = *sum - 256 * (int64_t)((high * UINT64_C(0x0001000100010001)) >>
	    48);
}

bool
tar_header_sum_ok(const struct tar_header *h)
{
	const uint8_t *p = bytes_of(h);
	int64_t said, sum, old;
	size_t i;

	if (!tar_number(h->chksum, sizeof h->chksum, &said))
		return false;
	sums_of(p, &sum, &old);
	for (i = SUM_AT; i < SUM_AT + SUM_LEN; i++) {
		sum += ' ' - p[i];
		old += ' ' - (int8_t)p[i];
	}
	return said == sum || said == old;
}

enum tar_format
tar_header_format(const struct tar_header *h)
{
	if (memcmp(bytes_of(h) + STAR_MAGIC, "tar", 4) == 0)
		return TAR_STAR;
	if (memcmp(h->magic, "ustar", 6) == 0)
		return TAR_USTAR;
	if (memcmp(h->magic, "ustar  ", 8) == 0)
		return TAR_GNU;
	return TAR_V7;
}

uint32_t
tar_header_hash(const struct tar_header *h)
{
	uint64_t v, n = UINT64_C(0x9e3779b97f4a7c15);
	size_t i;

	for (i = 0; i < sizeof *h; i += sizeof v) {
		memcpy(&v, bytes_of(h) + i, sizeof v);
		n = (n ^ v) * UINT64_C(0xff51afd7ed558ccd);
		n ^= n >> 32;
	}
	return (uint32_t)n == 0 ? 1 : (uint32_t)n;
}

struct pinefs_name
tar_header_text(const char *field, size_t size)
{
	return (struct pinefs_name){ field, (uint32_t)strnlen(field, size) };
}

struct pinefs_name
tar_header_prefix(const struct tar_header *h)
{
	switch (tar_header_format(h)) {
	case TAR_USTAR:
		return tar_header_text(h->prefix, sizeof h->prefix);
	case TAR_STAR:
		/* A sparse member of star has its map there. */
		if (h->typeflag != 'S' && memcmp(h->magic, "ustar", 5) == 0)
			return tar_header_text(h->prefix, STAR_PREFIX);
		break;
	case TAR_GNU:
	case TAR_V7:
		break;
	}
	return (struct pinefs_name){ "", 0 };
}

/* ---------------------------------------------------------- sparse maps -- */

static int
segments(const uint8_t *p, unsigned n, struct tar_sparse *map)
{
	int64_t off, len;
	int err = 0;

	for (; n > 0 && err == 0; n--, p += SEGMENT) {
		if (p[0] == 0 && p[12] == 0)
			break;		/* the rest is not used */
		if (!tar_number(p, 12, &off) || !tar_number(p + 12, 12, &len))
			map->bad = true;
		else
			err = tar_sparse_add(map, off, len);
	}
	return err;
}

int
tar_header_map(const struct tar_header *h, struct tar_sparse *map, bool *more,
    uint64_t *size)
{
	bool star = tar_header_format(h) == TAR_STAR;
	const uint8_t *p = bytes_of(h);
	int64_t v = -1;

	*more = p[star ? STAR_MORE : GNU_MORE] != 0 &&
	    p[star ? STAR_MORE : GNU_MORE] != '0';
	if (!tar_number(p + (star ? STAR_SIZE : GNU_SIZE), 12, &v) || v < 0)
		map->bad = true;
	*size = v < 0 ? 0 : (uint64_t)v;
	return segments(p + (star ? STAR_MAP : GNU_MAP), 4, map);
}

int
tar_header_map_more(const void *block, struct tar_sparse *map, bool *more)
{
	const uint8_t *p = block;

	*more = p[EXT_MORE] != 0 && p[EXT_MORE] != '0';
	return segments(p, EXT_SEGMENTS, map);
}
