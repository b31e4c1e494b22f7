/*
 * Decoders of compressed streams, each library behind one file:
 *
 *	codec_isal.c  gzip	codec_lzma.c  xz, lzma	codec_zstd.c  zstd
 *	codec_zlib.c  gzip	codec_bzip2.c bzip2	codec_lz4.c   lz4
 *
 * gzip is ISA-L's where there is that, else zlib's.
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

/* A part of a file that is decoded on its own, told of by a table in it. */
struct tar_unit {
	uint64_t	out, size;	/* decoded */
	uint64_t	in, len;	/* in the file */
	uint32_t	kind;		/* for the codec */
};

struct tar_units {
	struct tar_unit	*unit;
	uint64_t	 n;
};

struct tar_codec {
	const char	*name, *feature;
	/* NULL: no memory.  With `state` one of before, which is taken over or
	 * freed, for another stream. */
	void		*(*begin)(void *state);
	/*
	 * 0: go on with more input or room; ENODATA: the stream is complete;
	 * EBADMSG: damaged; ENOTSUP: it takes more memory than is allowed;
	 * ENOMEM.
	 */
	int		(*run)(void *state, struct tar_stretch *);
	void		(*end)(void *state);
	/*
	 * Is it cheap to begin with the stream that these bytes begin?  NULL:
	 * never.
	 */
	bool		(*is_point)(const uint8_t *base, size_t len);
	/*
	 * What the decoder knows, at most state_len bytes, behind what it took
	 * in; false: not just here.  NULL: nowhere.
	 */
	size_t		state_len;
	bool		(*save)(void *state, void *to, size_t *len);
	/* As begin, but from there.  Only what `save` gave, unaltered. */
	void		*(*resume)(void *state, const void *from, size_t len);
	/* Differs where those bytes mean something else.  NULL: 0. */
	uint64_t	(*version)(void);
	/*
	 * The table of units, none larger than `most`, and the codec whose
	 * `resume` takes one of them.  ENOTSUP: there is none that serves.
	 */
	int		(*units)(int fd, uint64_t size, uint64_t most,
			    struct tar_units *);
	const struct tar_codec *unit_codec;
};

/*
 * The codec that bytes at the beginning of a file speak of; NULL: none.
 * Without `begin`: this build has not got it.
 */
const struct tar_codec *tar_codec_of(const uint8_t *base, size_t len);

/* May bytes behind a stream of that codec be another one of it? */
bool	tar_codec_goes_on(const struct tar_codec *, const uint8_t *base,
	    size_t len);

/* A bit for each of them that this build has. */
uint32_t tar_codecs(void);

/* The first is one of the others; that of zlib is there for its tests. */
extern const struct tar_codec tar_codec_gzip, tar_codec_gzip_zlib;
extern const struct tar_codec tar_codec_zstd,
    tar_codec_xz, tar_codec_lzma, tar_codec_bzip2, tar_codec_lz4;

#endif
