/* xdrbench: NFS version 4 by Sun's compiler and libtirpc. */
#include <rpc/rpc.h>

#include <stdint.h>
#include <string.h>

#include "nfs4_tirpc.h"
#include "xdrbench.h"

static char handle[32] = "handle";

size_t
tirpc_encode_compound(uint8_t *to)
{
	static nfs_argop4 ops[3];
	COMPOUND4args args;
	XDR x;

	memset(&args, 0, sizeof args);
	args.minorversion = 2;
	args.argarray.argarray_val = ops;
	args.argarray.argarray_len = 3;
	ops[0].argop = OP_SEQUENCE;
	memset(ops[0].nfs_argop4_u.opsequence.sa_sessionid, 5, 16);
	ops[0].nfs_argop4_u.opsequence.sa_sequenceid = 77;
	ops[1].argop = OP_PUTFH;
	ops[1].nfs_argop4_u.opputfh.object.nfs_fh4_val = handle;
	ops[1].nfs_argop4_u.opputfh.object.nfs_fh4_len = sizeof handle;
	ops[2].argop = OP_READ;
	ops[2].nfs_argop4_u.opread.stateid.seqid = 1;
	ops[2].nfs_argop4_u.opread.offset = 4096;
	ops[2].nfs_argop4_u.opread.count = 65536;
	xdrmem_create(&x, (char *)to, SPACE, XDR_ENCODE);
	(void)xdr_COMPOUND4args(&x, &args);
	return xdr_getpos(&x);
}

int
tirpc_decode_compound(const uint8_t *from, size_t n)
{
	COMPOUND4args args;
	bool_t ok;
	XDR x;

	memset(&args, 0, sizeof args);
	xdrmem_create(&x, (char *)(uintptr_t)from, (u_int)n, XDR_DECODE);
	ok = xdr_COMPOUND4args(&x, &args);
	x.x_op = XDR_FREE;
	(void)xdr_COMPOUND4args(&x, &args);
	return !ok;
}
