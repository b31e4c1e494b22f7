/* xdrbench: the side of Sun's compiler and libtirpc. */
#include <rpc/rpc.h>

#include <stdint.h>
#include <string.h>

#include "nfs3_tirpc.h"
#include "xdrbench.h"

static char handle[32] = "handle", payload[PAYLOAD];
static char file_name[] = "some_file.txt", entry_name[] = "file_name_01";

static GETATTR3res getattr_value;
static LOOKUP3args lookup_value;
static READDIRPLUS3res readdirplus_value;
static WRITE3args write_value;

static void
attributes(fattr3 *a)
{
	memset(a, 0, sizeof *a);
	a->type = NF3REG;
	a->mode = 0644;
	a->nlink = 1;
	a->size = 12345;
}

static void
make_listing(void)
{
	static entryplus3 entries[ENTRIES];
	READDIRPLUS3resok *ok = &readdirplus_value.READDIRPLUS3res_u.resok;
	post_op_fh3 *fh;
	unsigned i;

	for (i = 0; i < ENTRIES; i++) {
		fh = &entries[i].name_handle;
		entries[i].fileid = entries[i].cookie = i;
		entries[i].name = entry_name;
		entries[i].name_attributes.attributes_follow = 1;
		attributes(&entries[i].name_attributes.post_op_attr_u
		    .attributes);
		fh->handle_follows = 1;
		fh->post_op_fh3_u.handle.data.data_val = handle;
		fh->post_op_fh3_u.handle.data.data_len = sizeof handle;
		entries[i].nextentry = i + 1 < ENTRIES ? &entries[i + 1] :
		    NULL;
	}
	ok->dir_attributes.attributes_follow = 1;
	attributes(&ok->dir_attributes.post_op_attr_u.attributes);
	ok->reply.entries = entries;
	ok->reply.eof = 1;
}

static void
make_values(void)
{
	attributes(&getattr_value.GETATTR3res_u.resok.obj_attributes);
	lookup_value.what.dir.data.data_val = handle;
	lookup_value.what.dir.data.data_len = sizeof handle;
	lookup_value.what.name = file_name;
	make_listing();
	write_value.file.data.data_val = handle;
	write_value.file.data.data_len = sizeof handle;
	write_value.count = PAYLOAD;
	write_value.stable = FILE_SYNC;
	write_value.data.data_val = payload;
	write_value.data.data_len = PAYLOAD;
}

static bool_t
codec(XDR *x, enum message m, GETATTR3res *getattr, LOOKUP3args *lookup,
    READDIRPLUS3res *readdirplus, WRITE3args *write)
{
	if (m == GETATTR)
		return xdr_GETATTR3res(x, getattr);
	if (m == LOOKUP)
		return xdr_LOOKUP3args(x, lookup);
	if (m == READDIRPLUS)
		return xdr_READDIRPLUS3res(x, readdirplus);
	return xdr_WRITE3args(x, write);
}

static size_t
encode(enum message m, uint8_t *to)
{
	static int made;
	XDR x;

	if (m == COMPOUND)
		return tirpc_encode_compound(to);
	if (!made++)
		make_values();
	xdrmem_create(&x, (char *)to, SPACE, XDR_ENCODE);
	(void)codec(&x, m, &getattr_value, &lookup_value, &readdirplus_value,
	    &write_value);
	return xdr_getpos(&x);
}

static int
decode(enum message m, const uint8_t *from, size_t n)
{
	GETATTR3res getattr;
	LOOKUP3args lookup;
	READDIRPLUS3res readdirplus;
	WRITE3args write;
	bool_t ok;
	XDR x;

	if (m == COMPOUND)
		return tirpc_decode_compound(from, n);
	memset(&getattr, 0, sizeof getattr);
	memset(&lookup, 0, sizeof lookup);
	memset(&readdirplus, 0, sizeof readdirplus);
	memset(&write, 0, sizeof write);
	xdrmem_create(&x, (char *)(uintptr_t)from, (u_int)n, XDR_DECODE);
	ok = codec(&x, m, &getattr, &lookup, &readdirplus, &write);
	x.x_op = XDR_FREE;
	(void)codec(&x, m, &getattr, &lookup, &readdirplus, &write);
	return !ok;
}

const struct side libtirpc = { "libtirpc", encode, decode };
