/*
 * Record marking (RFC 5531 section 11): records, each of any number of
 * fragments, out of a stream of bytes in one growing buffer.
 *
 *	buf:  ....  start=======end   pos~~~~~~~~fill
 *	            record so far     not looked at
 *
 * Fragments are joined in place: what follows a mark is moved down to `end`,
 * each byte at most once; a record of one fragment is not moved at all.
 * Pure: no sockets, no memory of its own.
 */
#ifndef RPC_RECORD_H
#define RPC_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_MAX_EMPTY = 64 };	/* empty fragments in one record */

struct rpc_record {
	size_t		start, end;	/* of the record under way */
	size_t		pos;		/* next byte to look at */
	uint32_t	left;		/* bytes missing of this fragment */
	bool		in_fragment;
	bool		last;		/* ... which is the last one */
	bool		under_way;	/* a mark has been seen */
	uint8_t		empty;		/* empty fragments so far */
};

enum record_status {
	RECORD_MORE,		/* more bytes are needed */
	RECORD_DONE,		/* buf[start] to buf[end] is one record */
	RECORD_BAD		/* too long, or too many empty fragments */
};

/*
 * Look at buf[pos] to buf[fill].  `max`: most bytes a record may have.
 * After RECORD_DONE call record_begin for the next one.
 */
enum record_status record_next(struct rpc_record *, uint8_t *buf,
	    size_t fill, size_t max);
/* The next record begins at `pos`. */
void	record_begin(struct rpc_record *);
/* The buffer's bytes now lie `by` further down. */
void	record_shift(struct rpc_record *, size_t by);

#endif
