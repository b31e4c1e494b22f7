/*
 * A compressed archive as a source.  It is decoded once, from its beginning,
 * as its index is made.  On the way points are noted from which decoding can
 * go on later, no more than 1 MiB apart; what lies further behind a point
 * (within the one frame of most zstd files, say) goes, in blocks, to a store:
 *
 *	a read <--- cache of blocks <--+-- memory, of small archives
 *	                               +-- decoder, from the last point
 *	                               +-- store: memory, then a file
 *
 *	gzip			states of the decoder (codec_isal.c, _zlib.c)
 *	zstd			its frames; the table some files end with may lie,
 *				and is not needed
 *	xz			its blocks, if all are small
 *	larger ones, others	the store
 *
 * The file has no name until it is saved, so nothing is left behind.
 */
#ifndef FS_TAR_PACKED_H
#define FS_TAR_PACKED_H

#include <stdatomic.h>

#include "blocks.h"
#include "codec.h"
#include "source.h"
#include "store.h"

/* What a source of this kind says to a person. */
typedef void tar_packed_note_fn(void *arg, const char *text);

struct tar_packed_config {
	struct tar_blocks	*blocks;
	/* Where the store's file may be; NULL: in memory only. */
	const char		*dir;
	/* The path under which tar_source_save() leaves that file, in `dir`,
	 * and where it is found again; NULL: it has no name. */
	const char		*store;
	/* Its bytes; 0: what the disk, or a quarter of memory, has. */
	uint64_t		 store_max;
	/* Of all stores of a server: see store.h.  NULL: none. */
	const uint8_t		*key;
	struct tar_store_memory	*memory;
	/* What tar_source_save() gave for this file; NULL: nothing.  Bytes
	 * that are of no use here are ignored.  As all pointers here, they
	 * are borrowed until the source is freed.  Aligned as a uint64_t. */
	const void		*saved;
	size_t			 saved_len;
	/* From point to point, decoded; 0: 1 MiB, and three quarters of it
	 * where a decoder's state is what is kept.  What is no larger than
	 * `small`, decoded, stays in memory; 0: 64 MiB. */
	uint64_t		 span, small;
	/* Once set, nothing more is decoded: ECANCELED. */
	const atomic_bool	*stop;
	tar_packed_note_fn	*note;
	void			*arg;
};

/* Takes `fd` over.  NULL with errno: ENOMEM. */
struct tar_source *tar_source_packed(int fd, const struct tar_codec *,
	    const struct tar_packed_config *);

bool	tar_source_is_packed(const struct tar_source *);

/* Bytes that were decoded: in the pass from the beginning, and for reads. */
struct tar_packed_counts {
	uint64_t	decoded, again;
};
void	tar_packed_counts(struct tar_source *, struct tar_packed_counts *);

#endif
