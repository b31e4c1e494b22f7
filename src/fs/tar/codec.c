/* Which codec a file speaks.  See codec.h. */
#include "codec.h"

#include <string.h>

#if !TAR_WITH_ZLIB && !TAR_WITH_ISAL
const struct tar_codec tar_codec_gzip = { .name = "gzip",
    .feature = "zlib" };
#endif
#if !TAR_WITH_ZLIB
const struct tar_codec tar_codec_gzip_zlib = { .name = "gzip",
    .feature = "zlib" };
#endif
#if !TAR_WITH_ZSTD
const struct tar_codec tar_codec_zstd = { .name = "zstd",
    .feature = "zstd" };
#endif
#if !TAR_WITH_LZMA
const struct tar_codec tar_codec_xz = { .name = "xz",
    .feature = "lzma" };
const struct tar_codec tar_codec_lzma = { .name = "lzma",
    .feature = "lzma" };
#endif
#if !TAR_WITH_BZIP2
const struct tar_codec tar_codec_bzip2 = { .name = "bzip2",
    .feature = "bzip2" };
#endif
#if !TAR_WITH_LZ4
const struct tar_codec tar_codec_lz4 = { .name = "lz4",
    .feature = "lz4" };
#endif

static const struct {
	const char		*magic;
	size_t			 len;
	const struct tar_codec	*codec;
} magics[] = {
	{ "\x1f\x8b\x08", 3, &tar_codec_gzip },
	{ "\x28\xb5\x2f\xfd", 4, &tar_codec_zstd },
	{ "\xfd" "7zXZ\0", 6, &tar_codec_xz },
	{ "BZh", 3, &tar_codec_bzip2 },
	{ "\x04\x22\x4d\x18", 4, &tar_codec_lz4 },
	{ "\x5d\0\0", 3, &tar_codec_lzma },
};

uint32_t
tar_codecs(void)
{
	uint32_t bits = 0;
	size_t i;

	for (i = 0; i < sizeof magics / sizeof magics[0]; i++)
		bits |= (uint32_t)(magics[i].codec->begin != NULL) << i;
	return bits;
}

/* Both zstd and lz4 have frames to be skipped; the former begins with one
 * more often. */
static bool
is_skippable(const uint8_t *p, size_t len)
{
	return len >= 4 && (p[0] & 0xf0) == 0x50 &&
	    memcmp(p + 1, "\x2a\x4d\x18", 3) == 0;
}

const struct tar_codec *
tar_codec_of(const uint8_t *base, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof magics / sizeof magics[0]; i++)
		if (len >= magics[i].len &&
		    memcmp(base, magics[i].magic, magics[i].len) == 0)
			return magics[i].codec;
	return is_skippable(base, len) ? &tar_codec_zstd : NULL;
}

bool
tar_codec_goes_on(const struct tar_codec *codec, const uint8_t *base,
    size_t len)
{
	const struct tar_codec *its = tar_codec_of(base, len);

	return (its != NULL && its->run != NULL &&
	    strcmp(its->name, codec->name) == 0) ||
	    (codec == &tar_codec_lz4 && is_skippable(base, len));
}
