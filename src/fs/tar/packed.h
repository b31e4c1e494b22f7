/*
 * A compressed archive as a source.  It is decoded once, from its beginning,
 * as its index is made; on the way the decoded bytes go, in blocks, to a
 * store that gives each of them back at once:
 *
 *	archive --decoder--> 128 KiB --zstd-1--> store: memory, then a file
 *	                                            |
 *	        a read <--- cache of blocks <-------+
 *
 * The file has no name, so nothing is left behind.
 */
#ifndef FS_TAR_PACKED_H
#define FS_TAR_PACKED_H

#include <stdatomic.h>

#include "blocks.h"
#include "codec.h"
#include "source.h"

/* What a source of this kind says to a person. */
typedef void tar_packed_note_fn(void *arg, const char *text);

/*
 * Takes `fd` over.  `dir`: where the store's file may be; NULL: in memory
 * only.  Once *stop is set, nothing more is decoded: ECANCELED.  NULL with
 * errno: ENOMEM.
 */
struct tar_source *tar_source_packed(int fd, const struct tar_codec *,
	    struct tar_blocks *, const char *dir,
	    const atomic_bool *stop, tar_packed_note_fn *, void *arg);

#endif
