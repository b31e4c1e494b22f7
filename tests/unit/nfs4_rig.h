/*
 * Compounds for unit tests: put operations in, run them on the rig's toy
 * file system, look at their answers.
 *
 *	op(OP_PUTROOTFH);
 *	op_lookup("a");
 *	op(OP_GETFH);
 *	CHECK(run(0) == NFS4_OK);
 *	fh = RES(2, opgetfh).resok4.object;
 *
 * In minor versions 1 and 2 run() puts a SEQUENCE before them; RES and
 * status_of count without it.
 */
#ifndef TESTS_UNIT_NFS4_RIG_H
#define TESTS_UNIT_NFS4_RIG_H

#include "nfs/nfs4.h"
#include "check.h"
#include "nfs_rig.h"

enum { V4_OPS = 64, V4_BYTES = 1 << 18 };

static struct {
	nfs_argop4	 op[V4_OPS];
	uint32_t	 n;
	uint8_t		 bytes[V4_BYTES];
	size_t		 len;
	struct xdr_in	 in;
	struct xdr_view	 tag;
	COMPOUND4args	 args;
	COMPOUND4res	 res;
	uint32_t	 first;		/* 1: SEQUENCE stands before */
	uint32_t	 minor;		/* of the session; 0: none yet */
	sessionid4	 session;
	sequenceid4	 seq;
	bool		 cachethis;
	channel_attrs4	 fore;		/* to ask for; zeros: plenty */
	struct vfs_export more[4];	/* of rig_exports */
} v4;

#define RES(i, arm) (v4.res.resarray.v[v4.first + (i)].arm)

static inline struct xdr_view
text(const char *s)
{
	return xdr_view(s, (uint32_t)strlen(s));
}

static inline nfs_argop4 *
op(nfs_opnum4 number)
{
	nfs_argop4 *o = &v4.op[v4.n++];

	memset(o, 0, sizeof *o);
	o->argop = number;
	return o;
}

/* 0xffff: it was not run. */
static inline nfsstat4
status_of(uint32_t i)
{
	return v4.first + i < v4.res.resarray.n ?
	    RES(i, opillegal.status) : (nfsstat4)0xffff;
}

static inline void
encode_ops(void)
{
	struct xdr_out out;

	xdr_out_init_mem(&out, v4.bytes, sizeof v4.bytes);
	for (uint32_t i = 0; i < v4.n; i++)
		assert_int_equal(nfs_argop4_encode(&out, &v4.op[i]), 0);
	v4.len = xdr_out_len(&out);
}

/* Run what v4.bytes holds as `n` operations. */
static inline nfsstat4
run_bytes(uint32_t minor, uint32_t n)
{
	xdr_in_init(&v4.in, v4.bytes, v4.len, &rig.rpc->arena);
	v4.args = (COMPOUND4args){ .tag = v4.tag, .minorversion = minor,
	    .argarray = { .in = &v4.in, .n = n } };
	memset(&v4.res, 0, sizeof v4.res);
	assert_int_equal(rig_call(100003, 4, NFSPROC4_COMPOUND, &v4.args,
	    &v4.res), 0);
	v4.n = 0;
	return v4.res.status;
}

/* Just these operations. */
static inline nfsstat4
run_bare(uint32_t minor)
{
	v4.first = 0;
	encode_ops();
	return run_bytes(minor, v4.n);
}

static inline void
make_session(uint32_t minor)
{
	static const channel_attrs4 plenty = { 0, 1 << 20, 1 << 20, 4096, 32,
	    4, { 0 } };
	CREATE_SESSION4args *cs;
	EXCHANGE_ID4args *ei = &op(OP_EXCHANGE_ID)->opexchange_id;
	EXCHANGE_ID4resok *r;

	ei->eia_clientowner.co_ownerid = text("rig");
	assert_int_equal(run_bare(minor), NFS4_OK);
	r = &RES(0, opexchange_id).eir_resok4;
	cs = &op(OP_CREATE_SESSION)->opcreate_session;
	cs->csa_clientid = r->eir_clientid;
	cs->csa_sequence = r->eir_sequenceid;
	cs->csa_fore_chan_attrs = v4.fore.ca_maxoperations == 0 ? plenty :
	    v4.fore;
	cs->csa_back_chan_attrs = plenty;
	assert_int_equal(run_bare(minor), NFS4_OK);
	memcpy(v4.session, RES(0, opcreate_session).csr_resok4.csr_sessionid,
	    sizeof v4.session);
	v4.minor = minor;
	v4.seq = 0;
}

/* The operations in a session, where the version has them. */
static inline nfsstat4
run(uint32_t minor)
{
	nfs_argop4 kept[V4_OPS];
	uint32_t n = v4.n;
	SEQUENCE4args *s;

	if (minor == 0)
		return run_bare(0);
	memcpy(kept, v4.op, n * sizeof kept[0]);
	v4.n = 0;
	if (v4.minor != minor) {
		make_session(minor);
		/* Else some operations are in grace. */
		memcpy(&v4.op[v4.n], kept, 0);
	}
	s = &op(OP_SEQUENCE)->opsequence;
	memcpy(s->sa_sessionid, v4.session, sizeof v4.session);
	s->sa_sequenceid = ++v4.seq;
	s->sa_cachethis = v4.cachethis;
	memcpy(&v4.op[1], kept, n * sizeof kept[0]);
	v4.n = n + 1;
	encode_ops();
	v4.first = 1;
	return run_bytes(minor, n + 1);
}

/* ------------------------------------------------------ start and stop -- */

static inline void
rig4_start(void)
{
	rig_start();
	memset(&v4, 0, sizeof v4);
	rig.nfs.nfs4 = nfs4_new(&rig.nfs, NULL, 0);
	CHECK(rig.nfs.nfs4 != NULL);
}

static inline void
rig4_stop(void)
{
	rig_end_call();
	nfs4_free(rig.nfs.nfs4);
	rig.nfs.nfs4 = NULL;
	rig_stop();
}

/* Export the toy under these paths instead of "/". */
static inline void
rig4_exports(const char *const *paths)
{
	struct vfs_export *x;
	_Atomic(struct vfs_export *) *last = &rig.exports.first;

	rig.exports.n = 0;
	for (x = v4.more; *paths != NULL; paths++, x++) {
		*x = rig.export;
		x->path = (char *)(uintptr_t)*paths;
		x->id = 0x100 + rig.exports.n++;
		*last = x;
		last = &x->next;
	}
	*last = NULL;
}

#define EXPORTS(...) rig4_exports((const char *const[]){ __VA_ARGS__, NULL })

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

/* Attributes by number; ended by a negative one.  Good for a while. */
static inline bitmap4
bitmap(const int *attrs)
{
	static uint32_t ring[64][3];
	static unsigned n;
	uint32_t *words = ring[n++ % 64];
	bitmap4 b = { words, 0 };

	memset(words, 0, sizeof ring[0]);
	for (; *attrs >= 0; attrs++) {
		words[*attrs / 32] |= 1u << *attrs % 32;
		if (b.n < (uint32_t)*attrs / 32 + 1)
			b.n = (uint32_t)*attrs / 32 + 1;
	}
	return b;
}

#define ATTRS(...) bitmap((const int[]){ __VA_ARGS__, -1 })

static inline void
op_getattr(bitmap4 asked)
{
	op(OP_GETATTR)->opgetattr.attr_request = asked;
}

/* Handles outlive the call that gave them. */
static inline nfs_fh4
keep(nfs_fh4 fh)
{
	static uint8_t kept[64][NFS_FH_MAX4];
	static unsigned n;
	uint8_t *to = kept[n++ % 64];

	memcpy(to, fh.data, fh.len);
	return xdr_view(to, fh.len);
}

static inline nfs_fh4
root(void)
{
	op(OP_PUTROOTFH);
	op(OP_GETFH);
	assert_int_equal(run_bare(0), NFS4_OK);
	return keep(RES(1, opgetfh).resok4.object);
}

static inline nfs_fh4
look_up(nfs_fh4 dir, const char *name)
{
	op_putfh(dir);
	op_lookup(name);
	op(OP_GETFH);
	assert_int_equal(run_bare(0), NFS4_OK);
	return keep(RES(2, opgetfh).resok4.object);
}

#endif
