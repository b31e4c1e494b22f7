/* Arguments of NFS version 2, decoded and run: see nfs_fuzz.h. */
#include "fuzz/nfs_fuzz.h"
#include "nfs/nfs2.h"

static void
patch_one(uint8_t *fh)
{
	uint8_t good[NFS_FH_MAX3];

	if (fuzz_handle(fh, NFS_FHSIZE, good))
		memcpy(fh, good, NFS_FHSIZE);
}

static void
patch(uint32_t proc, void *args)
{
	patch_one(args);
	if (proc == NFSPROC_RENAME)
		patch_one(((renameargs *)args)->to.dir);
	else if (proc == NFSPROC_LINK)
		patch_one(((linkargs *)args)->to.dir);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	return fuzz_calls(2, NFSPROC_STATFS + 1, data, len, patch);
}
