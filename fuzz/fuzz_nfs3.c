/* Arguments of NFS version 3, decoded and run: see nfs_fuzz.h. */
#include "fuzz/nfs_fuzz.h"
#include "nfs/nfs3.h"

static uint8_t good[2][NFS_FH_MAX3];

static void
patch_one(nfs_fh3 *fh, uint8_t *to)
{
	if (fuzz_handle(fh->data.data, fh->data.len, to))
		fh->data = xdr_view(to, NFS_FH_SHORT);
}

static void
patch(uint32_t proc, void *args)
{
	patch_one(args, good[0]);
	if (proc == NFSPROC3_RENAME)
		patch_one(&((RENAME3args *)args)->to.dir, good[1]);
	else if (proc == NFSPROC3_LINK)
		patch_one(&((LINK3args *)args)->link.dir, good[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	return fuzz_calls(3, NFSPROC3_COMMIT + 1, data, len, patch);
}
