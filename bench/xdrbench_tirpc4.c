/* xdrbench: NFS version 4 by Sun's compiler and libtirpc. */
#include <rpc/rpc.h>

#include <stdint.h>
#include <string.h>

#include "nfs4_tirpc.h"
#include "xdrbench.h"

static char handle[32] = "handle";

static nfs_argop4 operations[3];
static COMPOUND4args value;

static void
make_value(void)
{
	nfs_argop4 *op = operations;

	value.minorversion = 2;
	value.argarray.argarray_val = operations;
	value.argarray.argarray_len = 3;
	op[0].argop = OP_SEQUENCE;
	memset(op[0].nfs_argop4_u.opsequence.sa_sessionid, 5, 4);
	op[0].nfs_argop4_u.opsequence.sa_sequenceid = 77;
	op[1].argop = OP_PUTFH;
	op[1].nfs_argop4_u.opputfh.object.nfs_fh4_val = handle;
	op[1].nfs_argop4_u.opputfh.object.nfs_fh4_len = sizeof handle;
	op[2].argop = OP_READ;
	op[2].nfs_argop4_u.opread.stateid.seqid = 1;
	op[2].nfs_argop4_u.opread.offset = 4096;
	op[2].nfs_argop4_u.opread.count = 65536;
}

int
tirpc_encode_compound(uint8_t *to, unsigned times)
{
	bool_t ok = TRUE;
	XDR x;

	make_value();
	xdrmem_create(&x, (char *)to, SPACE, XDR_ENCODE);
	while (times-- > 0) {
		(void)xdr_setpos(&x, 0);
		ok = ok && xdr_COMPOUND4args(&x, &value);
	}
	return !ok;
}

int
tirpc_decode_compound(const uint8_t *from, size_t n, unsigned times)
{
	COMPOUND4args args;
	bool_t ok = TRUE;
	XDR x;

	xdrmem_create(&x, (char *)(uintptr_t)from, (u_int)n, XDR_DECODE);
	while (times-- > 0) {
		(void)xdr_setpos(&x, 0);
		x.x_op = XDR_DECODE;
		memset(&args, 0, sizeof args);
		ok = ok && xdr_COMPOUND4args(&x, &args);
		x.x_op = XDR_FREE;
		(void)xdr_COMPOUND4args(&x, &args);
	}
	return !ok;
}
