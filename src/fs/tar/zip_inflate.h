/*
 * Raw deflate, with places to begin again in the middle: what it takes to go
 * on at the end of one of its blocks is the last 32 KiB that were decoded and
 * the bits of a byte that belong to both.
 */
#ifndef FS_TAR_ZIP_INFLATE_H
#define FS_TAR_ZIP_INFLATE_H

#include "codec.h"

enum { ZIP_WINDOW = 32 << 10 };

struct zip_point {
	uint64_t	in, out;	/* bytes before it */
	uint32_t	crc;		/* of the decoded ones */
	uint8_t		bits;		/* unused ones of the byte before */
	uint16_t	len;		/* of the window */
	uint8_t		window[ZIP_WINDOW];
};

/* Without `begin`: this build has no zlib. */
extern const struct tar_codec zip_deflate;

/* As zip_deflate.run, which also stops at the end of each block; *at_end: it
 * did. */
int	zip_inflate_step(void *state, struct tar_stretch *, bool *at_end);
/* There: fill in what the state knows of it.  False: it cannot. */
bool	zip_inflate_save(void *state, struct zip_point *);
/* `before`: the byte before p->in, if there are bits of it.  False: no
 * memory. */
bool	zip_inflate_restore(void *state, const struct zip_point *,
	    uint8_t before);

#endif
