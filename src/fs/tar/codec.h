/*
 * Decoders of compressed streams, each library behind one file:
 *
 *	codec_zlib.c  gzip	codec_zstd.c  zstd	codec_lz4.c  lz4
 *	codec_lzma.c  xz, lzma	codec_bzip2.c bzip2
 *
 * What was not built is still recognised, so that it can be named.
 */
#ifndef FS_TAR_CODEC_H
#define FS_TAR_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAR_SNIFF = 16 };	/* bytes to tell a codec from */

/* What is left of the input, and of the room for output. */
struct tar_stretch {
	const uint8_t	*in;
	size_t		 in_len;
	uint8_t		*out;
	size_t		 out_len;
};

struct tar_decoder;

struct tar_codec {
	const char	*name, *library;
	/* NULL: no memory.  With `state` one of before, for another stream. */
	void		*(*begin)(void *state);
	/*
	 * 0: go on with more input or room; ENODATA: the stream is complete;
	 * EBADMSG: damaged; ENOTSUP: it takes more memory than is allowed;
	 * ENOMEM.
	 */
	int		(*run)(void *state, struct tar_stretch *);
	void		(*end)(void *state);
};

/*
 * The codec that bytes at the beginning of a file speak of; NULL: none.
 * Without `begin`: this build has not got it.
 */
const struct tar_codec *tar_codec_of(const uint8_t *base, size_t len);

/* May bytes behind a stream of that codec be another one of it? */
bool	tar_codec_goes_on(const struct tar_codec *, const uint8_t *base,
	    size_t len);

extern const struct tar_codec tar_codec_gzip, tar_codec_zstd, tar_codec_xz,
    tar_codec_lzma, tar_codec_bzip2, tar_codec_lz4;

#endif
