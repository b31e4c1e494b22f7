/* COMPOUND: its rules, and the operations without state. */
#include "nfs4_rig.h"

/* ------------------------------------------------------------ compounds -- */

static void
test_root_and_its_attributes(void)
{
	fattr4 *f;

	rig_start();
	op(OP_PUTROOTFH);
	op_getattr(ATTRS(FATTR4_TYPE, FATTR4_FILEID));
	CHECK(run(0) == NFS4_OK);
	CHECK(v4.res.resarray.n == 2);
	f = &RES(1, opgetattr).resok4.obj_attributes;
	CHECK(f->attrmask.n == 1);
	CHECK(f->attrmask.v[0] == (1u << FATTR4_TYPE | 1u << FATTR4_FILEID));
	CHECK(f->attr_vals.len == 12);
	CHECK(xdr_load_u32(f->attr_vals.data) == NF4DIR);
	CHECK(xdr_load_u64((const uint8_t *)f->attr_vals.data + 4) ==
	    TOY_FIRST_ID);
	rig_stop();
}

CHECK_MAIN(
	CHECK_TEST(test_root_and_its_attributes),
)
