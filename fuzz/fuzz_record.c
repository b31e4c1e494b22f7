/*
 * Records out of a stream that arrives in pieces: whatever comes, no byte
 * outside the buffer is touched, no record is longer than allowed, and the
 * same stream in one piece gives the same records.
 *
 * Input: the first byte sets the size of the pieces, the rest is the stream.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/record.h"

enum { MAX = 4096, KEPT = 64 };

struct seen {
	unsigned		n;
	size_t			len[KEPT];
	enum record_status	end;
};

static void
run(const uint8_t *stream, size_t n, size_t piece, struct seen *seen)
{
	struct rpc_record r = { 0 };
	uint8_t *buf = malloc(n == 0 ? 1 : n);
	size_t fill = 0;

	*seen = (struct seen){ .end = RECORD_MORE };
	while (fill < n && seen->end != RECORD_BAD) {
		if (piece > n - fill)
			piece = n - fill;
		memcpy(buf + fill, stream + fill, piece);
		fill += piece;
		while ((seen->end = record_next(&r, buf, fill, MAX)) ==
		    RECORD_DONE) {
			assert(r.start <= r.end && r.end <= r.pos);
			assert(r.pos <= fill && r.end - r.start <= MAX);
			if (seen->n < KEPT)
				seen->len[seen->n] = r.end - r.start;
			seen->n++;
			record_begin(&r);
		}
	}
	free(buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen pieces, whole;

	if (size < 1)
		return 0;
	run(data + 1, size - 1, 1 + data[0] % 64, &pieces);
	run(data + 1, size - 1, size, &whole);
	assert(pieces.n == whole.n && pieces.end == whole.end);
	assert(memcmp(pieces.len, whole.len, sizeof whole.len) == 0);
	return 0;
}
