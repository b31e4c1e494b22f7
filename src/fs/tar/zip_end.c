/*
 * The end of a zip.  It is searched from the end of the file backwards: the
 * record closest to it whose comment ends with the file, else one behind
 * which there is junk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "zip_dir.h"

enum { END_SIZE = 22, LOCATOR_SIZE = 20, END64_SIZE = 56,
    TAIL = END_SIZE + 65535 };

bool
zip_begins(const uint8_t *p, size_t len)
{
	return len >= 4 && p[0] == 'P' && p[1] == 'K' &&
	    ((p[2] == 3 && p[3] == 4) || (p[2] == 5 && p[3] == 6) ||
	    (p[2] == 7 && p[3] == 8) || (p[2] == '0' && p[3] == '0'));
}

/* So many bytes; false: they are not there. */
static bool
get(struct tar_source *file, uint64_t off, void *to, size_t len)
{
	size_t got;

	return tar_source_read(file, off, to, len, &got) == 0 && got == len;
}

static bool
is_there(struct tar_source *file, uint64_t off, const char *sign)
{
	char four[4];

	return get(file, off, four, 4) && memcmp(four, sign, 4) == 0;
}

/* What the records of the end say, put together. */
struct said {
	uint64_t	size, off;	/* of the directory */
	uint32_t	disk;
	uint64_t	limit;		/* the first of these records */
};

/* Fields that are full are found in the record of zip64. */
static void
get64(struct tar_source *file, uint64_t pos, struct said *s)
{
	uint8_t p[END64_SIZE];
	uint64_t at;

	if (pos < LOCATOR_SIZE ||
	    !get(file, pos - LOCATOR_SIZE, p, LOCATOR_SIZE) ||
	    memcmp(p, "PK\6\7", 4) != 0)
		return;
	at = zip_u64(p + 8);
	/* Where something stands before the zip it says too little. */
	if (at > pos || !is_there(file, at, "PK\6\6"))
		at = pos - LOCATOR_SIZE - END64_SIZE;
	if (at > pos || !get(file, at, p, END64_SIZE) ||
	    memcmp(p, "PK\6\6", 4) != 0)
		return;
	if (s->disk == 0xffff)
		s->disk = zip_u32(p + 16);
	if (s->size == UINT32_MAX)
		s->size = zip_u64(p + 40);
	if (s->off == UINT32_MAX)
		s->off = zip_u64(p + 48);
	s->limit = at;
}

/* The record `p` at `pos`: does it lead to a directory?  Why not, or NULL. */
static const char *
follow(struct tar_source *file, uint64_t pos, const uint8_t *p,
    struct zip_end *end)
{
	struct said s = { .disk = zip_u16(p + 4), .size = zip_u32(p + 12),
	    .off = zip_u32(p + 16), .limit = pos };

	get64(file, pos, &s);
	if (s.disk != 0)
		return "it is a part of a zip that was split over several "
		    "files";
	*end = (struct zip_end){ .limit = s.limit };
	if (s.size == 0) {
		end->directory = s.limit;
		return NULL;
	}
	if (s.size <= s.limit && s.off <= s.limit - s.size)
		end->base = s.limit - s.size - s.off;
	if (end->base != 0 && !is_there(file, end->base + s.off, "PK\1\2"))
		end->base = 0;
	end->directory = end->base + s.off;
	if (s.off >= s.limit || !is_there(file, end->directory, "PK\1\2"))
		return "its directory is not where the end of it says";
	return NULL;
}

/* Through the last bytes; `exact`: the comment ends with them. */
static bool
search(struct tar_source *file, uint64_t off, const uint8_t *tail, size_t n,
    bool exact, struct zip_end *end, const char **why)
{
	size_t i, after;
	const char *one;

	for (i = n < END_SIZE ? 0 : n - END_SIZE + 1; i-- > 0;) {
		if (memcmp(tail + i, "PK\5\6", 4) != 0)
			continue;
		after = n - i - END_SIZE;
		if (exact ? zip_u16(tail + i + 20) != after :
		    zip_u16(tail + i + 20) > after)
			continue;
		if ((one = follow(file, off + i, tail + i, end)) == NULL)
			return true;
		*why = one;
	}
	return false;
}

int
zip_end_find(struct tar_source *file, struct zip_end *end, const char **why)
{
	uint64_t size = tar_source_size(file), off;
	uint8_t *tail = malloc(TAIL), head[4];
	size_t got = 0;
	int err;

	*why = NULL;
	if (tail == NULL)
		return ENOMEM;
	off = size > TAIL ? size - TAIL : 0;
	err = tar_source_read(file, off, tail, TAIL, &got);
	if (err == 0 && !search(file, off, tail, got, true, end, why) &&
	    !search(file, off, tail, got, false, end, why))
		err = ENOEXEC;
	free(tail);
	if (err == ENOEXEC && *why == NULL && get(file, 0, head, 4) &&
	    zip_begins(head, 4))
		*why = "it begins as a zip, but its end is missing, and with "
		    "it the directory";
	return err;
}
