/* The states gzip leaves, of ISA-L where it is built.  See tar_seek.h. */
#include "tar_seek.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return seek_one(&tar_codec_gzip, data, size);
}
