/* Bytes from clients and to them, as a file system sees them. */
#ifndef VFS_IO_H
#define VFS_IO_H

#include "base/buf.h"
#include "vfs/vfs.h"

struct pinefs_in {
	struct iovec		 iov[1];
	unsigned		 n;
	struct pinefs_buf	*buf;	/* all of it lies in here, or NULL */
};

enum { OUT_FIRST = 4 };

/*
 * What an operation hands out: pieces, in order.  A piece without `release`
 * is the call's memory or constant; one with it is borrowed, and given back
 * by whoever takes it out of here, at last by out_drop.
 */
struct pinefs_out {
	struct pinefs_call	*call;
	struct xdr_piece	*piece;
	uint32_t		 n, cap;
	uint64_t		 len;
	bool			 eof;
	struct xdr_piece	 first[OUT_FIRST];
};

void	in_init(struct pinefs_in *, const struct xdr_view *,
	    struct pinefs_buf *);
void	out_init(struct pinefs_out *, struct pinefs_call *);
/* At most `max` bytes: release what lies behind. */
void	out_clip(struct pinefs_out *, uint64_t max);
/* What is there as one view; pieces stay the out's. */
void	out_view(struct pinefs_out *, struct xdr_view *);
/* Release every piece that still has somebody to tell. */
void	out_drop(struct pinefs_out *);

#endif
