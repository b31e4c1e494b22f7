/*
 * File handles.  The input is taken for a handle, and for an object to make
 * one of: what is accepted must be exactly what we would have made, what we
 * made must come back, and a changed byte must not.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "nfs/fh.h"
#include "nfs/status.h"

static const struct nfs_keys keys = { .now = "a fuzzer's key 1", };

static void
check_same(const uint8_t *fh, uint32_t len, uint32_t export_id,
    const struct pinefs_ident *id)
{
	uint8_t again[NFS_FH_MAX4];
	uint32_t again_len;

	if (id->fileid == 0)
		return;
	assert(nfs_fh_make(&keys, export_id, id, NFS_FH_MAX4, again,
	    &again_len) == 0);
	assert(again_len == len && memcmp(again, fh, len) == 0);
}

static void
take_as_handle(const uint8_t *data, uint32_t len)
{
	struct pinefs_ident id;
	uint32_t export_id, peeked;
	int err = nfs_fh_open(&keys, data, len, &export_id, &id);

	assert(err == 0 || err == ESTALE || err == NFS_EBADHANDLE);
	assert(nfs_fh_peek(data, len, &peeked) == (err != NFS_EBADHANDLE));
	if (err == 0) {
		assert(peeked == export_id);
		check_same(data, len, export_id, &id);
	}
}

static void
take_as_object(const uint8_t *data, size_t len)
{
	struct pinefs_ident id = { 0 }, back;
	uint8_t fh[NFS_FH_MAX4], head[24];
	uint32_t export_id, fh_len, at;

	if (len < sizeof head)
		return;
	memcpy(head, data, sizeof head);
	memcpy(&export_id, head, 4);
	memcpy(&id.fileid, head + 4, 8);
	memcpy(&id.generation, head + 12, 8);
	memcpy(&at, head + 20, 4);
	id.own = data + sizeof head;
	id.own_len = (uint32_t)(len - sizeof head);
	if (nfs_fh_make(&keys, export_id, &id, NFS_FH_MAX4, fh, &fh_len) != 0)
		return;
	assert(fh_len <= NFS_FH_MAX4);
	assert(nfs_fh_open(&keys, fh, fh_len, &at, &back) == 0);
	assert(at == export_id && back.fileid == id.fileid);
	assert(back.own_len == 0 || (back.own_len == id.own_len &&
	    memcmp(back.own, id.own, id.own_len) == 0));
	fh[head[20] % fh_len] ^= (uint8_t)(head[21] | 1);
	assert(nfs_fh_open(&keys, fh, fh_len, &at, &back) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len > 4096)
		return 0;
	take_as_handle(data, (uint32_t)len);
	take_as_object(data, len);
	return 0;
}
