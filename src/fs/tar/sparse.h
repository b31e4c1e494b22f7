/*
 * Sparse maps: where the stored bytes of a member belong.  All formats end
 * up as one list of segments, checked before anybody sees it.
 */
#ifndef FS_TAR_SPARSE_H
#define FS_TAR_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAR_SEGMENTS_MAX = 1000000 };

struct tar_segment {
	uint64_t	off, len;	/* in the file */
	uint64_t	at;		/* in the member's stored bytes */
};

struct tar_sparse {
	struct tar_segment	*seg;
	uint32_t		 n, cap;
	bool			 bad;	/* refuse the member */
	bool			 odd;	/* an offset waits for its length */
	uint64_t		 off;	/* ... this one */
};

void	tar_sparse_clear(struct tar_sparse *);	/* empty, memory kept */
void	tar_sparse_fini(struct tar_sparse *);
/* Empty segments are dropped.  Sets `bad` on nonsense; ENOMEM. */
int	tar_sparse_add(struct tar_sparse *, int64_t off, int64_t len);
/* An offset, then a length, then an offset: as texts have them. */
int	tar_sparse_number(struct tar_sparse *, int64_t v);
/*
 * Is the map sorted, without overlap, inside `size` bytes, and are `stored`
 * bytes enough for it?
 */
bool	tar_sparse_check(const struct tar_sparse *, uint64_t size,
	    uint64_t stored);

#endif
