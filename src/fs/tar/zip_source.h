/*
 * The members of a zip as a source.  Each has a stretch of offsets of its
 * own, as long as it is decoded; they lie one behind the other, in the order
 * of the local headers, and begin at multiples of a block:
 *
 *	the file    |hdr|packed a|hdr|stored b|hdr|packed c| directory |
 *	the source  |a..........   |b......|c......................  |
 *
 * What is stored is read in the file.  What is packed is decoded block by
 * block into the cache of blocks: a small member whole, of a large one what
 * is before the block that was asked for, from where a decoder stands or from
 * the last point (zip_points.h).  So going through a member once decodes it
 * once.
 */
#ifndef FS_TAR_ZIP_SOURCE_H
#define FS_TAR_ZIP_SOURCE_H

#include <stdatomic.h>

#include "blocks.h"
#include "codec.h"
#include "packed.h"
#include "source.h"
#include "zip_dir.h"

/* Where nothing can be read; sizes may be added to it. */
#define ZIP_NOWHERE	(UINT64_C(1) << 63)
#define ZIP_FILE_MAX	(UINT64_C(1) << 50)

struct zip_member {
	uint64_t		header;		/* the local one, in the file */
	uint64_t		packed, size;
	uint32_t		crc;
	uint16_t		method, flags;
	/* Its own: */
	uint64_t		begin;		/* in the source */
	_Atomic uint64_t	data;		/* in the file; 0: not known */
	_Atomic uint64_t	good;		/* bytes before what is
						   damaged */
};

struct zip_config {
	struct tar_blocks	*blocks;
	const atomic_bool	*stop;	/* once set nothing more is decoded:
					   ECANCELED */
	uint32_t		 uid, gid;	/* of members that say none */
	tar_packed_note_fn	*note;
	void			*arg;
};

/*
 * 0: it is a zip, and takes `file` over.  ENOEXEC: it is none that can be
 * served, *why says it (NULL: no sign of one); EIO, ENOMEM.
 */
int	tar_source_zip(struct tar_source **, struct tar_source *file,
	    const struct zip_config *, const char **why);
bool	tar_source_is_zip(const struct tar_source *);

/* For zip_scan.c, whose business is to find the members. */

/* Goes through them all; called when there is a read before anybody did. */
typedef int zip_fill_fn(struct tar_source *);
/* NULL: no memory. */
struct tar_source *zip_source_new(struct tar_source *file,
	    const struct zip_end *, const struct zip_config *, zip_fill_fn *);
struct tar_source *zip_source_file(struct tar_source *);
const struct zip_end *zip_source_end(struct tar_source *);
const struct zip_config *zip_source_config(struct tar_source *);
/* Room for so many members, before any is put.  ENOMEM. */
int	zip_source_room(struct tar_source *, uint32_t n);
/*
 * The i-th member, in the order of headers; where its bytes are, or
 * ZIP_NOWHERE.  Whoever goes through them once more is told the same.  The
 * caller has seen that it can be decoded, that header and packed bytes lie in
 * the file behind the member before, and that its size is at most 1 GiB or
 * 1000 times the packed one.
 */
uint64_t zip_source_put(struct tar_source *, uint32_t i,
	    const struct zip_member *);
/* All were put. */
void	zip_source_whole(struct tar_source *);
/* NULL: a method that nobody here knows; without `begin`: this build. */
const struct tar_codec *zip_codec_of(uint16_t method);

#endif
