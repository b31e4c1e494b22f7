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

/* One message: both ways, and the walk that frees what a decoder made. */
#define MESSAGE(NAME, TYPE, VALUE)					\
static int								\
encode_##NAME(uint8_t *to, unsigned times)				\
{									\
	bool_t ok = TRUE;						\
	XDR x;								\
									\
	make_values();							\
	xdrmem_create(&x, (char *)to, SPACE, XDR_ENCODE);		\
	while (times-- > 0) {						\
		(void)xdr_setpos(&x, 0);				\
		ok = ok && xdr_##TYPE(&x, &VALUE);			\
	}								\
	return !ok;							\
}									\
									\
static int								\
decode_##NAME(const uint8_t *from, size_t n, unsigned times)		\
{									\
	bool_t ok = TRUE;						\
	TYPE v;								\
	XDR x;								\
									\
	xdrmem_create(&x, (char *)(uintptr_t)from, (u_int)n, XDR_DECODE); \
	while (times-- > 0) {						\
		(void)xdr_setpos(&x, 0);				\
		x.x_op = XDR_DECODE;					\
		memset(&v, 0, sizeof v);				\
		ok = ok && xdr_##TYPE(&x, &v);				\
		x.x_op = XDR_FREE;					\
		(void)xdr_##TYPE(&x, &v);				\
	}								\
	return !ok;							\
}

MESSAGE(getattr, GETATTR3res, getattr_value)
MESSAGE(lookup, LOOKUP3args, lookup_value)
MESSAGE(readdirplus, READDIRPLUS3res, readdirplus_value)
MESSAGE(write, WRITE3args, write_value)

static int
setup_encode(uint8_t *to, unsigned times)
{
	XDR x;

	while (times-- > 0) {
		xdrmem_create(&x, (char *)to, SPACE, XDR_ENCODE);
		KEEP(&x);
	}
	return 0;
}

static int
setup_decode(const uint8_t *from, size_t n, unsigned times)
{
	XDR x;

	while (times-- > 0) {
		xdrmem_create(&x, (char *)(uintptr_t)from, (u_int)n,
		    XDR_DECODE);
		KEEP(&x);
	}
	return 0;
}

const struct side libtirpc = {
	{ encode_getattr, encode_lookup, encode_readdirplus, encode_write,
	    tirpc_encode_compound },
	{ decode_getattr, decode_lookup, decode_readdirplus, decode_write,
	    tirpc_decode_compound },
	setup_encode, setup_decode
};
