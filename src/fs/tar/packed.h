/*
 * A compressed archive as a source.  It is decoded once, from its beginning,
 * as its index is made; on the way the decoded bytes go, in blocks, to a
 * store that gives each of them back at once:
 *
 *	archive --decoder--> 128 KiB --zstd-1--> store: memory, then a file
 *	                                            |
 *	        a read <--- cache of blocks <-------+
 *
 * The file has no name until it is saved, so nothing is left behind.
 */
#ifndef FS_TAR_PACKED_H
#define FS_TAR_PACKED_H

#include <stdatomic.h>

#include "blocks.h"
#include "codec.h"
#include "source.h"

/* What a source of this kind says to a person. */
typedef void tar_packed_note_fn(void *arg, const char *text);

struct tar_packed_config {
	struct tar_blocks	*blocks;
	/* Where the store's file may be; NULL: in memory only. */
	const char		*dir;
	/* The path under which tar_source_save() leaves that file, in `dir`,
	 * and where it is found again; NULL: it has no name. */
	const char		*store;
	uint64_t		 store_max;	/* its bytes; 0: any */
	/* What tar_source_save() gave for this file; NULL: nothing.  Bytes
	 * that are of no use here are ignored.  As all pointers here, they
	 * are borrowed until the source is freed. */
	const void		*saved;
	size_t			 saved_len;
	/* Once set, nothing more is decoded: ECANCELED. */
	const atomic_bool	*stop;
	tar_packed_note_fn	*note;
	void			*arg;
};

/* Takes `fd` over.  NULL with errno: ENOMEM. */
struct tar_source *tar_source_packed(int fd, const struct tar_codec *,
	    const struct tar_packed_config *);

#endif
