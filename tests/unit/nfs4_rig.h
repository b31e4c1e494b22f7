/*
 * Compounds for unit tests: put operations in, run them on the rig's toy
 * file system, look at their answers.
 *
 *	op_putrootfh();
 *	op_lookup("a");
 *	op_getfh();
 *	CHECK(run(1) == NFS4_OK);
 *	fh = RES(2, opgetfh).resok4.object;
 */
#ifndef TESTS_UNIT_NFS4_RIG_H
#define TESTS_UNIT_NFS4_RIG_H

#include "nfs/nfs4.h"
#include "check.h"
#include "nfs_rig.h"

enum { V4_OPS = 64, V4_BYTES = 1 << 16 };

static struct {
	nfs_argop4	 op[V4_OPS];
	uint32_t	 n;
	uint32_t	 claimed;	/* operations; 0: as many as there are */
	uint8_t		 bytes[V4_BYTES];
	size_t		 len;
	struct xdr_in	 in;
	struct xdr_view	 tag;
	uint32_t	 minor;
	COMPOUND4args	 args;
	COMPOUND4res	 res;
} v4;

#define RES(i, arm) (v4.res.resarray.v[i].arm)

static inline struct xdr_view
text(const char *s)
{
	return xdr_view(s, (uint32_t)strlen(s));
}

static nfs_argop4 *
op(nfs_opnum4 number)
{
	nfs_argop4 *o = &v4.op[v4.n++];

	memset(o, 0, sizeof *o);
	o->argop = number;
	return o;
}

static inline nfsstat4
status_of(uint32_t i)
{
	return i < v4.res.resarray.n ? RES(i, opillegal.status) :
	    (nfsstat4)0xffff;
}

/* Run what v4.bytes holds. */
static inline nfsstat4
run_bytes(uint32_t n)
{
	xdr_in_init(&v4.in, v4.bytes, v4.len, &rig.rpc->arena);
	v4.args = (COMPOUND4args){ .tag = v4.tag, .minorversion = v4.minor,
	    .argarray = { .in = &v4.in, .n = v4.claimed != 0 ? v4.claimed :
	    n } };
	memset(&v4.res, 0, sizeof v4.res);
	assert_int_equal(rig_call(100003, 4, NFSPROC4_COMPOUND, &v4.args,
	    &v4.res), 0);
	v4.n = 0;
	v4.claimed = 0;
	return v4.res.status;
}

static void
encode_ops(void)
{
	struct xdr_out out;

	xdr_out_init_mem(&out, v4.bytes, sizeof v4.bytes);
	for (uint32_t i = 0; i < v4.n; i++)
		assert_int_equal(nfs_argop4_encode(&out, &v4.op[i]), 0);
	v4.len = xdr_out_len(&out);
}

/* Run what was put in; the status of the whole. */
static inline nfsstat4
run(uint32_t minor)
{
	v4.minor = minor;
	encode_ops();
	return run_bytes(v4.n);
}

/* -------------------------------------------------------- operations -- */

static inline void
op_lookup(const char *name)
{
	op(OP_LOOKUP)->oplookup.objname = text(name);
}

static inline void
op_putfh(nfs_fh4 fh)
{
	op(OP_PUTFH)->opputfh.object = fh;
}

/* Attributes asked for, by number; ended by a negative one. */
static inline bitmap4
bitmap(uint32_t words[3], const int *attrs)
{
	bitmap4 b = { words, 0 };

	memset(words, 0, 3 * sizeof words[0]);
	for (; *attrs >= 0; attrs++) {
		words[*attrs / 32] |= 1u << *attrs % 32;
		if (b.n < (uint32_t)*attrs / 32 + 1)
			b.n = (uint32_t)*attrs / 32 + 1;
	}
	return b;
}

#define ATTRS(...) bitmap((uint32_t[3]){ 0 }, (const int[]){ __VA_ARGS__, -1 })

static inline void
op_getattr(bitmap4 asked)
{
	op(OP_GETATTR)->opgetattr.attr_request = asked;
}

/* Handles outlive the call that gave them. */
static inline nfs_fh4
keep(nfs_fh4 fh)
{
	static uint8_t kept[32][NFS_FH_MAX4];
	static unsigned n;
	uint8_t *to = kept[n++ % 32];

	memcpy(to, fh.data, fh.len);
	return xdr_view(to, fh.len);
}

#endif
