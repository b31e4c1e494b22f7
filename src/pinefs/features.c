/* Features of the build.  See features.h. */
#include "pinefs/features.h"

#include <stddef.h>

/* src/pinefs/meson.build defines each as 0 or 1. */
static const struct feature table[] = {
	{ "python", WITH_PYTHON, "-f py, import pinefs (python3-dev)" },
	{ "isal", WITH_ISAL, "tar: gzip, several times as fast (libisal)" },
	{ "zlib", WITH_ZLIB, "tar: gzip, zip (zlib)" },
	{ "zstd", WITH_ZSTD, "tar: zstd, and a smaller cache (libzstd)" },
	{ "lzma", WITH_LZMA, "tar: xz and lzma (liblzma)" },
	{ "bzip2", WITH_BZIP2, "tar: bzip2 (libbz2)" },
	{ "lz4", WITH_LZ4, "tar: lz4 (liblz4)" },
	{ "usdt", WITH_USDT, "probes of calls (systemtap-sdt-dev)" },
	{ NULL, false, NULL }
};

const struct feature *
features(void)
{
	return table;
}
