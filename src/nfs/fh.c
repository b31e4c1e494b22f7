/* File handles: see fh.h for their layout. */
#include "nfs/fh.h"

#include <errno.h>
#include <pinefs/xdr.h>

#include "base/hash.h"
#include "nfs/status.h"

enum { FORMAT = 1, SHORT = 1, LONG = 2 };

/* The MAC's place, and the bytes it covers, in one run. */
struct cover {
	uint32_t	 mac_at, len;
	const uint8_t	*bytes;
	uint8_t		 joined[NFS_FH_MAX4];	/* of a long handle */
};

static void
cover(struct cover *c, const uint8_t *fh, uint32_t len)
{
	c->len = len - 8;
	if (fh[1] == SHORT) {
		c->mac_at = 24;
		c->bytes = fh;
		return;
	}
	c->mac_at = 16;
	c->bytes = c->joined;
	memcpy(c->joined, fh, 16);
	memcpy(c->joined + 16, fh + NFS_FH_HEAD, len - NFS_FH_HEAD);
}

int
nfs_fh_make(const struct nfs_keys *keys, uint32_t export_id,
    const struct pinefs_ident *id, uint32_t max, uint8_t *to, uint32_t *len)
{
	struct cover c;
	bool fits = id->own_len > 0 && max > NFS_FH_MAX2 &&
	    id->own_len <= max - NFS_FH_HEAD;

	if (id->fileid == 0)
		return EIO;
	memset(to, 0, NFS_FH_SHORT);
	to[0] = FORMAT;
	xdr_store_u32(to + 4, export_id);
	xdr_store_u64(to + 8, id->fileid);
	if (fits) {
		to[1] = LONG;
		to[2] = (uint8_t)id->own_len;
		memcpy(to + NFS_FH_HEAD, id->own, id->own_len);
		*len = NFS_FH_HEAD + id->own_len;
	} else {
		to[1] = SHORT;
		xdr_store_u64(to + 16, id->generation);
		*len = NFS_FH_SHORT;
	}
	cover(&c, to, *len);
	xdr_store_u64(to + c.mac_at, siphash24(keys->now, c.bytes, c.len));
	return 0;
}

/* PROTOCOL 3: what cannot be a handle of ours, before any MAC is reckoned. */
static bool
has_form(const uint8_t *fh, uint32_t len)
{
	if (len < NFS_FH_HEAD || fh[0] != FORMAT || fh[3] != 0)
		return false;
	switch (fh[1]) {
	case SHORT:
		return fh[2] == 0 && len == NFS_FH_SHORT;
	case LONG:
		return fh[2] != 0 && len <= NFS_FH_MAX4 &&
		    len == (uint32_t)NFS_FH_HEAD + fh[2];
	}
	return false;
}

int
nfs_fh_open(const struct nfs_keys *keys, const void *bytes, uint32_t len,
    uint32_t *export_id, struct pinefs_ident *id)
{
	const uint8_t *fh = bytes;
	struct cover c;
	uint64_t mac;

	if (!has_form(fh, len))
		return NFS_EBADHANDLE;

	/* Whole words are compared: no timing tells how much was right. */
	cover(&c, fh, len);
	mac = xdr_load_u64(fh + c.mac_at);
	if (mac != siphash24(keys->now, c.bytes, c.len) &&
	    (!keys->has_before ||
	    mac != siphash24(keys->before, c.bytes, c.len)))
		return ESTALE;

	*export_id = xdr_load_u32(fh + 4);
	memset(id, 0, sizeof *id);
	id->fileid = xdr_load_u64(fh + 8);
	if (fh[1] == LONG) {
		id->own = fh + NFS_FH_HEAD;
		id->own_len = fh[2];
	} else {
		id->generation = xdr_load_u64(fh + 16);
	}
	return 0;
}

bool
nfs_fh_peek(const void *bytes, uint32_t len, uint32_t *export_id)
{
	const uint8_t *fh = bytes;

	if (!has_form(fh, len))
		return false;
	*export_id = xdr_load_u32(fh + 4);
	return true;
}
