/*
 * NFS version 4 as bytes: what proto/nfs4.x says, held against messages
 * written down by hand from the RFCs, and what a server does with a COMPOUND
 * whose operations are decoded and answered one by one.
 */
#include "proto/nfs4.h"

#include <pinefs/rpc.h>
#include <pinefs/xdr_type.h>
#include <stdlib.h>

#include "check.h"

/* Numbers are written as such: the names of nfs4.h are what is tested. */
#define W(n)								\
	(uint8_t)((uint32_t)(n) >> 24), (uint8_t)((uint32_t)(n) >> 16),	\
	(uint8_t)((uint32_t)(n) >> 8), (uint8_t)(n)
#define SESSION								\
	's', 'e', 's', 's', 'i', 'o', 'n', '-', 0, 1, 2, 3, 4, 5, 6, 7
#define STATEID(seqid)	W(seqid), 't', 'w', 'e', 'l', 'v', 'e', ' ',	\
	'b', 'y', 't', 'e', 's'
#define FH		W(5), 1, 2, 3, 4, 5, 0, 0, 0

enum { BUDGET = 256 << 10 };

struct rig {
	struct xdr_arena arena;
	struct xdr_in in;
	COMPOUND4args args;
};

static void
open_compound(struct rig *r, const uint8_t *wire, size_t len)
{
	xdr_arena_init(&r->arena, NULL, 0, BUDGET);
	xdr_in_init(&r->in, wire, len, &r->arena);
	CHECK(COMPOUND4args_decode(&r->in, &r->args) == 0);
}

static int
next(struct rig *r, nfs_argop4 *op)
{
	return COMPOUND4args_argarray_next(&r->args.argarray, op);
}

static bool
view_is(const struct xdr_view *v, const char *text)
{
	return v->len == strlen(text) && memcmp(v->data, text, v->len) == 0;
}

/*
 * These bytes are one operation and no more, and it encodes to the same
 * bytes.  *op lasts until the next call.
 */
static void
is_one_operation(const uint8_t *wire, size_t len, nfs_argop4 *op)
{
	static struct xdr_arena arena;
	struct xdr_out out;
	struct xdr_in in;
	uint8_t to[512];

	xdr_arena_reset(&arena);
	xdr_arena_init(&arena, NULL, 0, BUDGET);
	xdr_in_init(&in, wire, len, &arena);
	memset(op, 0, sizeof *op);
	CHECK(nfs_argop4_decode(&in, op) == 0);
	CHECK(xdr_in_left(&in) == 0);
	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(nfs_argop4_encode(&out, op) == 0);
	CHECK(xdr_out_len(&out) == len && nfs_argop4_size(op) == len);
	assert_memory_equal(to, wire, len);
}

static void
is_one_result(const uint8_t *wire, size_t len, nfs_resop4 *op)
{
	static struct xdr_arena arena;
	struct xdr_out out;
	struct xdr_in in;
	uint8_t to[512];

	xdr_arena_reset(&arena);
	xdr_arena_init(&arena, NULL, 0, BUDGET);
	xdr_in_init(&in, wire, len, &arena);
	memset(op, 0, sizeof *op);
	CHECK(nfs_resop4_decode(&in, op) == 0);
	CHECK(xdr_in_left(&in) == 0);
	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(nfs_resop4_encode(&out, op) == 0);
	CHECK(xdr_out_len(&out) == len && nfs_resop4_size(op) == len);
	assert_memory_equal(to, wire, len);
}

/* ----------------------------------------------------------- compounds -- */

/* SEQUENCE PUTFH GETATTR of minor version 2, as Linux sends it. */
static const uint8_t getattr[] = {
	W(0), W(2), W(3),
	W(53), SESSION, W(7), W(1), W(2), W(0),
	W(22), FH,
	W(9), W(2), W(0x0010011a), W(0x00b0a23a),
};

static void
test_a_compound_is_decoded_operation_by_operation(void)
{
	nfs_argop4 op;
	struct rig r;

	open_compound(&r, getattr, sizeof getattr);
	CHECK(r.args.tag.len == 0 && r.args.minorversion == 2);
	CHECK(r.args.argarray.n == 3);

	CHECK(next(&r, &op) == 0);
	CHECK(op.argop == OP_SEQUENCE);
	CHECK(memcmp(op.opsequence.sa_sessionid, getattr + 16, 16) == 0);
	CHECK(op.opsequence.sa_sequenceid == 7);
	CHECK(op.opsequence.sa_slotid == 1);
	CHECK(op.opsequence.sa_highest_slotid == 2);
	CHECK(!op.opsequence.sa_cachethis);

	CHECK(next(&r, &op) == 0);
	CHECK(op.argop == OP_PUTFH);
	CHECK(view_is(&op.opputfh.object, "\1\2\3\4\5"));

	CHECK(next(&r, &op) == 0);
	CHECK(op.argop == OP_GETATTR);
	CHECK(op.opgetattr.attr_request.n == 2);
	CHECK(op.opgetattr.attr_request.v[0] == 0x0010011a);
	CHECK(op.opgetattr.attr_request.v[1] == 0x00b0a23a);

	CHECK(next(&r, &op) == ENOENT);
	CHECK(xdr_in_left(&r.in) == 0);
	xdr_arena_reset(&r.arena);
}

static void
test_a_compound_is_encoded_operation_by_operation(void)
{
	uint32_t mask[] = { 0x0010011a, 0x00b0a23a };
	nfs_argop4 op[] = {
		{ .argop = OP_SEQUENCE, .opsequence = {
			.sa_sequenceid = 7, .sa_slotid = 1,
			.sa_highest_slotid = 2 } },
		{ .argop = OP_PUTFH, .opputfh.object =
		    xdr_view("\1\2\3\4\5", 5) },
		{ .argop = OP_GETATTR, .opgetattr.attr_request = {
			mask, 2 } },
	};
	COMPOUND4args args = { .minorversion = 2, .argarray.n = 3 };
	struct xdr_out out;
	uint8_t to[200];

	memcpy(op[0].opsequence.sa_sessionid, getattr + 16, 16);
	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(COMPOUND4args_encode(&out, &args) == 0);
	for (unsigned i = 0; i < 3; i++)
		CHECK(nfs_argop4_encode(&out, &op[i]) == 0);
	CHECK(xdr_out_len(&out) == sizeof getattr);
	assert_memory_equal(to, getattr, sizeof getattr);
}

static void
test_an_iterator_may_be_kept_and_goes_on(void)
{
	struct xdr_lazy kept;
	nfs_argop4 op;
	struct rig r;

	open_compound(&r, getattr, sizeof getattr);
	kept = r.args.argarray;		/* a call that waits runs again */
	CHECK(COMPOUND4args_argarray_next(&kept, &op) == 0);
	CHECK(COMPOUND4args_argarray_next(&kept, &op) == 0);
	CHECK(op.argop == OP_PUTFH);
	xdr_arena_reset(&r.arena);	/* views stay, they point elsewhere */
	CHECK(view_is(&op.opputfh.object, "\1\2\3\4\5"));
	CHECK(COMPOUND4args_argarray_next(&kept, &op) == 0);
	CHECK(op.argop == OP_GETATTR);
	CHECK(COMPOUND4args_argarray_next(&kept, &op) == ENOENT);
	xdr_arena_reset(&r.arena);
}

/* GETFH and then this number. */
static void
number_ends_it(uint32_t number)
{
	const uint8_t wire[] = { W(3), 't', 'a', 'g', 0, W(0), W(3),
	    W(10), W(number), W(10) };
	nfs_argop4 op;
	struct rig r;

	open_compound(&r, wire, sizeof wire);
	CHECK(view_is(&r.args.tag, "tag"));
	CHECK(next(&r, &op) == 0 && op.argop == OP_GETFH);
	CHECK(next(&r, &op) == EBADMSG);
	CHECK((uint32_t)op.argop == number);
	CHECK(r.in.why == XDR_BAD_ENUM || r.in.why == XDR_BAD_ARM);
	CHECK(next(&r, &op) == EBADMSG);
	xdr_arena_reset(&r.arena);
}

static void
test_a_number_that_is_no_operation_ends_it_and_is_told(void)
{
	static const uint32_t numbers[] = { 0, 1, 2, 76, 77, 10043, 10045,
	    0x7fffffff, 0x80000000, 0xffffffff };

	for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		number_ends_it(numbers[i]);
}

/* A client may say OP_ILLEGAL too; it is answered like any other such. */
static void
test_op_illegal_has_no_arguments(void)
{
	const uint8_t wire[] = { W(10044) };
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	CHECK(op.argop == OP_ILLEGAL);
}

static void
test_bad_arguments_end_it_and_the_number_is_told(void)
{
	/* LOCK, but `reclaim` is neither true nor false. */
	const uint8_t wire[] = { W(0), W(1), W(2), W(24),
	    W(12), W(1), W(2), W(0), W(0), W(0), W(1), W(0),
	    STATEID(1), W(0) };
	nfs_argop4 op;
	struct rig r;

	open_compound(&r, wire, sizeof wire);
	CHECK(next(&r, &op) == 0 && op.argop == OP_PUTROOTFH);
	CHECK(next(&r, &op) == EBADMSG && op.argop == OP_LOCK);
	CHECK(r.in.why == XDR_BAD_BOOL && r.in.offset == 24);
	CHECK(strcmp(r.in.where, "LOCK4args.reclaim") == 0);
	xdr_arena_reset(&r.arena);
}

static void
test_a_compound_cut_anywhere_gives_what_is_whole(void)
{
	static const size_t ends[] = { 48, 64, 80 };
	COMPOUND4args args;
	struct xdr_in in;
	nfs_argop4 op;
	struct rig r;
	unsigned n;
	int err;

	for (size_t len = 0; len < sizeof getattr; len++) {
		if (len < 12) {
			xdr_in_init(&in, getattr, len, NULL);
			CHECK(COMPOUND4args_decode(&in, &args) == EBADMSG);
			continue;
		}
		open_compound(&r, getattr, len);
		for (n = 0; (err = next(&r, &op)) == 0; n++)
			CHECK(len >= ends[n]);
		CHECK(err == EBADMSG && n < 3);
		CHECK(len < ends[n] && r.in.why == XDR_SHORT);
		xdr_arena_reset(&r.arena);
	}
}

/* Nothing is allocated for what a count claims. */
static void
test_a_count_beyond_the_bytes_is_found_where_they_end(void)
{
	const uint8_t wire[] = { W(0), W(0), W(0xffffffff), W(24), W(10) };
	nfs_argop4 op;
	struct rig r;

	open_compound(&r, wire, sizeof wire);
	CHECK(r.args.argarray.n == 0xffffffff);
	CHECK(next(&r, &op) == 0 && op.argop == OP_PUTROOTFH);
	CHECK(next(&r, &op) == 0 && op.argop == OP_GETFH);
	CHECK(next(&r, &op) == EBADMSG && (uint32_t)op.argop == 0);
	CHECK(next(&r, &op) == EBADMSG);
	xdr_arena_reset(&r.arena);
}

/* ---------------------------------------------------------------- OPEN -- */

#define OPEN_HEAD							\
	W(18), W(7), W(3), W(0), W(0), W(9), W(3), 'o', 'w', 'n', 0
#define NOCREATE	W(0)
#define NAME		W(4), 'f', 'i', 'l', 'e'

static void
test_open_claim_null(void)
{
	const uint8_t wire[] = { OPEN_HEAD, NOCREATE, W(0), NAME };
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	CHECK(op.argop == OP_OPEN && op.opopen.seqid == 7);
	CHECK(op.opopen.share_access == OPEN4_SHARE_ACCESS_BOTH);
	CHECK(op.opopen.share_deny == OPEN4_SHARE_DENY_NONE);
	CHECK(op.opopen.owner.clientid == 9);
	CHECK(view_is(&op.opopen.owner.owner, "own"));
	CHECK(op.opopen.openhow.opentype == OPEN4_NOCREATE);
	CHECK(op.opopen.claim.claim == CLAIM_NULL);
	CHECK(view_is(&op.opopen.claim.file, "file"));
}

static void
test_open_claim_previous(void)
{
	const uint8_t wire[] = { OPEN_HEAD, NOCREATE, W(1), W(2) };
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	CHECK(op.opopen.claim.claim == CLAIM_PREVIOUS);
	CHECK(op.opopen.claim.delegate_type == OPEN_DELEGATE_WRITE);
}

static void
test_open_claim_delegate_cur(void)
{
	const uint8_t wire[] = { OPEN_HEAD, NOCREATE, W(2), STATEID(4), NAME };
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	CHECK(op.opopen.claim.claim == CLAIM_DELEGATE_CUR);
	CHECK(op.opopen.claim.delegate_cur_info.delegate_stateid.seqid == 4);
	CHECK(memcmp(op.opopen.claim.delegate_cur_info.delegate_stateid.other,
	    "twelve bytes", 12) == 0);
	CHECK(view_is(&op.opopen.claim.delegate_cur_info.file, "file"));
}

static void
test_open_claim_delegate_prev(void)
{
	const uint8_t wire[] = { OPEN_HEAD, NOCREATE, W(3), NAME };
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	CHECK(op.opopen.claim.claim == CLAIM_DELEGATE_PREV);
	CHECK(view_is(&op.opopen.claim.file_delegate_prev, "file"));
}

static void
test_open_claim_fh(void)
{
	const uint8_t wire[] = { OPEN_HEAD, NOCREATE, W(4) };
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	CHECK(op.opopen.claim.claim == CLAIM_FH);
}

static void
test_open_claim_deleg_cur_fh(void)
{
	const uint8_t wire[] = { OPEN_HEAD, NOCREATE, W(5), STATEID(1) };
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	CHECK(op.opopen.claim.claim == CLAIM_DELEG_CUR_FH);
	CHECK(op.opopen.claim.oc_delegate_stateid.seqid == 1);
}

static void
test_open_claim_deleg_prev_fh(void)
{
	const uint8_t wire[] = { OPEN_HEAD, NOCREATE, W(6) };
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	CHECK(op.opopen.claim.claim == CLAIM_DELEG_PREV_FH);
}

static void
test_open_with_a_claim_that_is_none(void)
{
	const uint8_t wire[] = { OPEN_HEAD, NOCREATE, W(7) };
	struct xdr_in in;
	nfs_argop4 op;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(nfs_argop4_decode(&in, &op) == EBADMSG);
	CHECK(op.argop == OP_OPEN && in.offset == sizeof wire - 4);
	CHECK(strcmp(in.where, "open_claim4.claim") == 0);
}

/* What Linux asks for to create: size 0, mode and umask. */
#define ATTRS								\
	W(3), W(1 << 4), W(0), W(1 << 17), W(16), W(0), W(0),		\
	W(0644), W(022)

static void
test_open_creates_in_four_ways(void)
{
	const uint8_t unchecked[] = { OPEN_HEAD, W(1), W(0), ATTRS, W(0),
	    NAME };
	const uint8_t guarded[] = { OPEN_HEAD, W(1), W(1), ATTRS, W(0), NAME };
	const uint8_t exclusive[] = { OPEN_HEAD, W(1), W(2), W(0x01020304),
	    W(5), W(0), NAME };
	const uint8_t exclusive4_1[] = { OPEN_HEAD, W(1), W(3), W(0x01020304),
	    W(5), ATTRS, W(0), NAME };
	const openflag4 *how;
	nfs_argop4 op;

	is_one_operation(unchecked, sizeof unchecked, &op);
	how = &op.opopen.openhow;
	CHECK(how->opentype == OPEN4_CREATE && how->how.mode == UNCHECKED4);
	CHECK(how->how.createattrs.attrmask.n == 3);
	CHECK(how->how.createattrs.attrmask.v[0] == 1u << FATTR4_SIZE);
	CHECK(how->how.createattrs.attrmask.v[2] ==
	    1u << (FATTR4_MODE_UMASK - 64));
	CHECK(how->how.createattrs.attr_vals.len == 16);

	is_one_operation(guarded, sizeof guarded, &op);
	CHECK(op.opopen.openhow.how.mode == GUARDED4);

	is_one_operation(exclusive, sizeof exclusive, &op);
	CHECK(op.opopen.openhow.how.mode == EXCLUSIVE4);
	CHECK(op.opopen.openhow.how.createverf[3] == 4);

	is_one_operation(exclusive4_1, sizeof exclusive4_1, &op);
	how = &op.opopen.openhow;
	CHECK(how->how.mode == EXCLUSIVE4_1);
	CHECK(how->how.ch_createboth.cva_verf[7] == 5);
	CHECK(how->how.ch_createboth.cva_attrs.attr_vals.len == 16);
}

static void
test_open_answers_with_a_stateid_and_no_delegation(void)
{
	const uint8_t none[] = { W(18), W(0), STATEID(1), W(1), W(0), W(5),
	    W(0), W(6), W(4), W(0), W(0) };
	const uint8_t why[] = { W(18), W(0), STATEID(1), W(1), W(0), W(5),
	    W(0), W(6), W(4), W(1), W(16), W(3), W(2), W(0) };
	const uint8_t refused[] = { W(18), W(10015) };
	nfs_resop4 op;

	is_one_result(none, sizeof none, &op);
	CHECK(op.resop == OP_OPEN && op.opopen.status == NFS4_OK);
	CHECK(op.opopen.resok4.cinfo.atomic);
	CHECK(op.opopen.resok4.cinfo.before == 5);
	CHECK(op.opopen.resok4.cinfo.after == 6);
	CHECK(op.opopen.resok4.rflags == OPEN4_RESULT_LOCKTYPE_POSIX);
	CHECK(op.opopen.resok4.delegation.delegation_type ==
	    OPEN_DELEGATE_NONE);

	is_one_result(why, sizeof why, &op);
	CHECK(op.opopen.resok4.delegation.od_whynone.ond_why ==
	    WND4_RESOURCE);

	is_one_result(refused, sizeof refused, &op);
	CHECK(op.opopen.status == NFS4ERR_SHARE_DENIED);
}

static void
test_open_may_delegate(void)
{
	const uint8_t wire[] = { W(18), W(0), STATEID(1), W(0), W(0), W(5),
	    W(0), W(6), W(4), W(0), W(1), STATEID(2), W(0),
	    W(0), W(0), W(0x1f), W(9), 'E', 'V', 'E', 'R', 'Y', 'O', 'N',
	    'E', '@', 0, 0, 0 };
	const open_read_delegation4 *d;
	nfs_resop4 op;

	is_one_result(wire, sizeof wire, &op);
	d = &op.opopen.resok4.delegation.read;
	CHECK(d->stateid.seqid == 2 && !d->recall);
	CHECK(view_is(&d->permissions.who, "EVERYONE@"));
}

/* ------------------------------------------------------ other messages -- */

/* Flags and sizes as Linux sends them. */
static void
test_exchange_id(void)
{
	const uint8_t wire[] = { W(42), W(1), W(2), W(6), 'c', 'l', 'i', 'e',
	    'n', 't', 0, 0, W(0x101), W(0), W(1), W(10), 'k', 'e', 'r', 'n',
	    'e', 'l', '.', 'o', 'r', 'g', 0, 0, W(5), 'L', 'i', 'n', 'u', 'x',
	    0, 0, 0, W(0), W(0), W(0) };
	const EXCHANGE_ID4args *a;
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	a = &op.opexchange_id;
	CHECK(op.argop == OP_EXCHANGE_ID);
	CHECK(a->eia_clientowner.co_verifier[7] == 2);
	CHECK(view_is(&a->eia_clientowner.co_ownerid, "client"));
	CHECK(a->eia_flags == (EXCHGID4_FLAG_SUPP_MOVED_REFER |
	    EXCHGID4_FLAG_BIND_PRINC_STATEID));
	CHECK(a->eia_state_protect.spa_how == SP4_NONE);
	CHECK(a->eia_client_impl_id.n == 1);
	CHECK(view_is(&a->eia_client_impl_id.v[0].nii_name, "Linux"));
}

static void
test_create_session(void)
{
	const uint8_t wire[] = { W(43), W(0), W(9), W(1), W(3),
	    W(0), W(1049620), W(1049480), W(7584), W(8), W(64), W(0),
	    W(0), W(4096), W(4096), W(0), W(2), W(16), W(0),
	    W(0x40000000), W(1), W(1), W(77), W(3), 'p', 'c', '1', 0, W(0),
	    W(0), W(0) };
	const CREATE_SESSION4args *a;
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	a = &op.opcreate_session;
	CHECK(a->csa_clientid == 9 && a->csa_sequence == 1);
	CHECK(a->csa_flags == (CREATE_SESSION4_FLAG_PERSIST |
	    CREATE_SESSION4_FLAG_CONN_BACK_CHAN));
	CHECK(a->csa_fore_chan_attrs.ca_maxrequestsize == 1049620);
	CHECK(a->csa_fore_chan_attrs.ca_maxoperations == 8);
	CHECK(a->csa_back_chan_attrs.ca_maxrequests == 16);
	CHECK(a->csa_cb_program == 0x40000000 && a->csa_sec_parms.n == 1);
	CHECK(a->csa_sec_parms.v[0].cb_secflavor == RPC_AUTH_SYS);
	CHECK(a->csa_sec_parms.v[0].cbsp_sys_cred.stamp == 77);
}

static void
test_setclientid(void)
{
	const uint8_t wire[] = { W(35), W(1), W(2), W(2), 'i', 'd', 0, 0,
	    W(0x40000000), W(3), 't', 'c', 'p', 0, W(13), '1', '2', '7', '.',
	    '0', '.', '0', '.', '1', '.', '3', '.', '4', 0, 0, 0, W(1) };
	nfs_argop4 op;

	is_one_operation(wire, sizeof wire, &op);
	CHECK(view_is(&op.opsetclientid.client.id, "id"));
	CHECK(view_is(&op.opsetclientid.callback.cb_location.na_r_addr,
	    "127.0.0.1.3.4"));
	CHECK(op.opsetclientid.callback_ident == 1);
}

static void
test_a_lock_is_taken_by_a_new_owner_or_a_known_one(void)
{
	const uint8_t fresh[] = { W(12), W(2), W(0), W(0), W(10), W(0), W(20),
	    W(1), W(3), STATEID(1), W(4), W(0), W(9), W(1), 'o', 0, 0, 0 };
	const uint8_t known[] = { W(12), W(4), W(0), W(0), W(10),
	    W(0xffffffff), W(0xffffffff), W(0), STATEID(2), W(5) };
	nfs_argop4 op;

	is_one_operation(fresh, sizeof fresh, &op);
	CHECK(op.oplock.locktype == WRITE_LT && !op.oplock.reclaim);
	CHECK(op.oplock.offset == 10 && op.oplock.length == 20);
	CHECK(op.oplock.locker.new_lock_owner);
	CHECK(op.oplock.locker.open_owner.open_seqid == 3);
	CHECK(op.oplock.locker.open_owner.lock_seqid == 4);
	CHECK(view_is(&op.oplock.locker.open_owner.lock_owner.owner, "o"));

	is_one_operation(known, sizeof known, &op);
	CHECK(op.oplock.locktype == WRITEW_LT);
	CHECK(op.oplock.length == NFS4_UINT64_MAX);
	CHECK(op.oplock.locker.lock_owner.lock_stateid.seqid == 2);
	CHECK(op.oplock.locker.lock_owner.lock_seqid == 5);
}

static void
test_a_denied_lock_names_its_holder(void)
{
	const uint8_t wire[] = { W(12), W(10010), W(0), W(1), W(0), W(2), W(2),
	    W(0), W(9), W(1), 'x', 0, 0, 0 };
	nfs_resop4 op;

	is_one_result(wire, sizeof wire, &op);
	CHECK(op.oplock.status == NFS4ERR_DENIED);
	CHECK(op.oplock.denied.locktype == WRITE_LT);
	CHECK(view_is(&op.oplock.denied.owner.owner, "x"));
}

static void
test_setattr_answers_its_bitmap_with_every_status(void)
{
	const uint8_t ok[] = { W(34), W(0), W(1), W(16) };
	const uint8_t bad[] = { W(34), W(22), W(0) };
	nfs_resop4 op;

	is_one_result(ok, sizeof ok, &op);
	CHECK(op.opsetattr.attrsset.v[0] == 1u << FATTR4_SIZE);
	is_one_result(bad, sizeof bad, &op);
	CHECK(op.opsetattr.status == NFS4ERR_INVAL);
}

static void
test_copy_seek_clone_and_read_plus(void)
{
	const uint8_t copy[] = { W(60), STATEID(1), STATEID(2), W(0), W(3),
	    W(0), W(4), W(0), W(5), W(1), W(1), W(0) };
	const uint8_t copied[] = { W(60), W(0), W(0), W(0), W(5), W(2),
	    W(0), W(1), W(1), W(1) };
	const uint8_t clone[] = { W(71), STATEID(1), STATEID(2), W(0), W(3),
	    W(0), W(4), W(0), W(0) };
	const uint8_t seek[] = { W(69), STATEID(1), W(0), W(7), W(1) };
	const uint8_t plus[] = { W(68), W(0), W(1), W(2), W(0), W(0), W(0),
	    W(2), 'h', 'i', 0, 0, W(1), W(0), W(2), W(0), W(100) };
	nfs_argop4 op;
	nfs_resop4 res;

	is_one_operation(copy, sizeof copy, &op);
	CHECK(op.opcopy.ca_src_offset == 3 && op.opcopy.ca_count == 5);
	CHECK(op.opcopy.ca_synchronous && op.opcopy.ca_source_server.n == 0);
	is_one_operation(clone, sizeof clone, &op);
	CHECK(op.opclone.cl_dst_offset == 4 && op.opclone.cl_count == 0);
	is_one_operation(seek, sizeof seek, &op);
	CHECK(op.opseek.sa_what == NFS4_CONTENT_HOLE);

	is_one_result(copied, sizeof copied, &res);
	CHECK(res.opcopy.cr_resok4.cr_response.wr_count == 5);
	CHECK(res.opcopy.cr_resok4.cr_response.wr_committed == FILE_SYNC4);
	CHECK(res.opcopy.cr_resok4.cr_requirements.cr_synchronous);
	is_one_result(plus, sizeof plus, &res);
	CHECK(res.opread_plus.rp_resok4.rpr_eof);
	CHECK(res.opread_plus.rp_resok4.rpr_contents.n == 2);
	CHECK(res.opread_plus.rp_resok4.rpr_contents.v[1].rpc_hole.di_length
	    == 100);
}

static void
test_extended_attributes(void)
{
	const uint8_t get[] = { W(72), NAME };
	const uint8_t set[] = { W(73), W(1), NAME, W(2), 'v', 'w', 0, 0 };
	const uint8_t list[] = { W(74), W(0), W(8), W(4096) };
	const uint8_t removed[] = { W(75), NAME };
	const uint8_t listed[] = { W(74), W(0), W(0), W(3), W(1), NAME, W(1) };
	nfs_argop4 op;
	nfs_resop4 res;

	is_one_operation(get, sizeof get, &op);
	CHECK(view_is(&op.opgetxattr.gxa_name, "file"));
	is_one_operation(set, sizeof set, &op);
	CHECK(op.opsetxattr.sxa_option == SETXATTR4_CREATE);
	CHECK(view_is(&op.opsetxattr.sxa_value, "vw"));
	is_one_operation(list, sizeof list, &op);
	CHECK(op.oplistxattrs.lxa_cookie == 8);
	is_one_operation(removed, sizeof removed, &op);
	CHECK(op.argop == OP_REMOVEXATTR);
	is_one_result(listed, sizeof listed, &res);
	CHECK(res.oplistxattrs.lxr_value.lxr_names.n == 1);
	CHECK(res.oplistxattrs.lxr_value.lxr_eof);
}

static void
test_a_listing_chains_its_entries(void)
{
	const uint8_t wire[] = { W(26), W(0), W(0), W(0),
	    W(1), W(0), W(3), W(1), 'a', 0, 0, 0, W(1), W(2), W(4), W(2),
	    W(1), W(0), W(4), W(1), 'b', 0, 0, 0, W(0), W(0),
	    W(0), W(1) };
	const dirlist4 *list;
	nfs_resop4 op;

	is_one_result(wire, sizeof wire, &op);
	list = &op.opreaddir.resok4.reply;
	CHECK(list->eof && list->entries->cookie == 3);
	CHECK(view_is(&list->entries->name, "a"));
	CHECK(list->entries->attrs.attr_vals.len == 4);
	CHECK(view_is(&list->entries->nextentry->name, "b"));
	CHECK(list->entries->nextentry->nextentry == NULL);
}

/* ------------------------------------------ what is not the decoder's -- */

/* These are answered UNION_NOTSUPP, UNKNOWN_LAYOUTTYPE and BADTYPE. */
static void
test_numbers_with_an_answer_of_their_own_are_decoded(void)
{
	const uint8_t seek[] = { W(69), STATEID(1), W(0), W(7), W(17) };
	const uint8_t layout[] = { W(50), W(0), W(0x80000001), W(1), W(0),
	    W(0), W(0), W(1), W(0), W(1), STATEID(1), W(99) };
	const uint8_t create[] = { W(6), W(1), NAME, W(0), W(0) };
	nfs_argop4 op;

	is_one_operation(seek, sizeof seek, &op);
	CHECK((int)op.opseek.sa_what == 17);
	is_one_operation(layout, sizeof layout, &op);
	CHECK((uint32_t)op.oplayoutget.loga_layout_type == 0x80000001);
	is_one_operation(create, sizeof create, &op);
	CHECK(op.opcreate.objtype.type == NF4REG);
}

static void
test_too_long_is_bad(void)
{
	uint8_t wire[8 + 132] = { W(22), W(129) };
	struct xdr_in in;
	nfs_argop4 op;

	xdr_in_init(&in, wire, sizeof wire, NULL);
	CHECK(nfs_argop4_decode(&in, &op) == EBADMSG);
	CHECK(op.argop == OP_PUTFH && in.why == XDR_TOO_LONG);
}

/* ------------------------------------------------------------- answers -- */

/* The status and the count of a reply are known last. */
static void
test_answers_are_encoded_one_by_one(void)
{
	const uint8_t want[] = { W(2), W(3), 't', 'a', 'g', 0, W(3),
	    W(24), W(0), W(10), W(0), FH, W(15), W(2) };
	nfs_resop4 res[] = {
		{ .resop = OP_PUTROOTFH },
		{ .resop = OP_GETFH, .opgetfh.resok4.object =
		    xdr_view("\1\2\3\4\5", 5) },
		{ .resop = OP_LOOKUP, .oplookup.status = NFS4ERR_NOENT },
	};
	struct xdr_mark status, count;
	struct xdr_out out;
	uint8_t to[200];

	xdr_out_init_mem(&out, to, sizeof to);
	xdr_mark(&out, &status);
	xdr_put_u32(&out, 0);
	CHECK(xdr_put_view(&out, &(struct xdr_view){ .data = "tag", .len = 3 },
	    UINT32_MAX, "tag") == 0);
	xdr_mark(&out, &count);
	xdr_put_u32(&out, 0);
	for (unsigned i = 0; i < 3; i++)
		CHECK(nfs_resop4_encode(&out, &res[i]) == 0);
	xdr_patch_u32(&out, &status, NFS4ERR_NOENT);
	xdr_patch_u32(&out, &count, 3);
	CHECK(xdr_out_len(&out) == sizeof want);
	assert_memory_equal(to, want, sizeof want);
}

static void
test_an_answer_too_long_is_taken_back(void)
{
	const uint8_t want[] = { W(24), W(0), W(25), W(10066) };
	nfs_resop4 root = { .resop = OP_PUTROOTFH };
	nfs_resop4 data = { .resop = OP_READ, .opread.resok4.data =
	    xdr_view("more than there is room for", 27) };
	struct xdr_mark before;
	struct xdr_out out;
	uint8_t to[32];

	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(nfs_resop4_encode(&out, &root) == 0);
	xdr_mark(&out, &before);
	CHECK(nfs_resop4_encode(&out, &data) == EMSGSIZE);
	xdr_rewind(&out, &before);
	data.opread.status = NFS4ERR_REP_TOO_BIG;
	CHECK(nfs_resop4_encode(&out, &data) == 0);
	CHECK(xdr_out_len(&out) == sizeof want);
	assert_memory_equal(to, want, sizeof want);
}

static void
test_a_whole_reply_is_decoded_at_once(void)
{
	const uint8_t wire[] = { W(0), W(0), W(2),
	    W(53), W(0), SESSION, W(7), W(1), W(63), W(63), W(0),
	    W(24), W(0) };
	struct xdr_arena arena;
	COMPOUND4res res;
	struct xdr_in in;

	xdr_arena_init(&arena, NULL, 0, BUDGET);
	xdr_in_init(&in, wire, sizeof wire, &arena);
	CHECK(COMPOUND4res_decode(&in, &res) == 0);
	CHECK(res.status == NFS4_OK && res.resarray.n == 2);
	CHECK(res.resarray.v[0].opsequence.sr_resok4.sr_slotid == 1);
	CHECK(res.resarray.v[0].opsequence.sr_resok4.sr_target_highest_slotid
	    == 63);
	CHECK(res.resarray.v[1].opputrootfh.status == NFS4_OK);
	CHECK(COMPOUND4res_size(&res) == sizeof wire);
	xdr_arena_reset(&arena);
}

/* ----------------------------------------------------------- callbacks -- */

static void
test_callbacks_are_compounds_too(void)
{
	const uint8_t wire[] = { W(0), W(1), W(7), W(3),
	    W(11), SESSION, W(1), W(0), W(0), W(0), W(0),
	    W(4), STATEID(2), W(0), FH, W(16) };
	struct xdr_arena arena;
	CB_COMPOUND4args args;
	nfs_cb_argop4 op;
	struct xdr_in in;

	xdr_arena_init(&arena, NULL, 0, BUDGET);
	xdr_in_init(&in, wire, sizeof wire, &arena);
	CHECK(CB_COMPOUND4args_decode(&in, &args) == 0);
	CHECK(args.minorversion == 1 && args.callback_ident == 7);
	CHECK(CB_COMPOUND4args_argarray_next(&args.argarray, &op) == 0);
	CHECK(op.argop == OP_CB_SEQUENCE && op.opcbsequence.csa_sequenceid == 1);
	CHECK(CB_COMPOUND4args_argarray_next(&args.argarray, &op) == 0);
	CHECK(op.argop == OP_CB_RECALL && op.opcbrecall.stateid.seqid == 2);
	CHECK(view_is(&op.opcbrecall.fh, "\1\2\3\4\5"));
	CHECK(CB_COMPOUND4args_argarray_next(&args.argarray, &op) == EBADMSG);
	CHECK((int)op.argop == 16);
	xdr_arena_reset(&arena);
}

/* ------------------------------------------------------------ payloads -- */

static void
test_the_payload_of_a_write_is_located(void)
{
	const uint8_t wire[] = { W(0), W(1), W(4),
	    W(53), SESSION, W(7), W(1), W(2), W(0), W(22), FH,
	    W(38), STATEID(1), W(0), W(4096), W(2), W(65536), 'd', 'a' };
	size_t start, payload = sizeof wire - 2, have;
	uint32_t len;
	int err;

	CHECK(nfs4_v4_service.procs[1].bulk == COMPOUND4args_argarray_locate);
	for (have = 0; have <= sizeof wire; have++) {
		err = COMPOUND4args_argarray_locate(wire, have, &start, &len);
		CHECK(err == (have < payload ? EAGAIN : 0));
		CHECK(len == (have < payload ? 0 : 65536));
		CHECK(start == (have < payload ? 0 : payload));
	}
	CHECK(COMPOUND4args_argarray_locate(getattr, sizeof getattr, &start,
	    &len) == EBADMSG);	/* its bitmap would need memory */
	CHECK(len == 0);
}

/* ---------------------------------------------------------- everything -- */

static void
round_trip(const struct xdr_type *type, int (*decode)(struct xdr_in *, void *),
    int (*encode)(struct xdr_out *, const void *),
    size_t (*size)(const void *), uint64_t *seed)
{
	static uint8_t to[256 << 10];
	struct xdr_arena arena;
	struct xdr_out out;
	struct xdr_in in;
	void *v = calloc(2, type->size), *back = (char *)v + type->size;

	CHECK(v != NULL);
	xdr_arena_init(&arena, NULL, 0, 4 * BUDGET);
	CHECK(xdr_random(type, v, seed, &arena) == 0);
	xdr_out_init_mem(&out, to, sizeof to);
	CHECK(encode(&out, v) == 0);
	CHECK(xdr_out_len(&out) == size(v));
	xdr_in_init(&in, to, xdr_out_len(&out), &arena);
	CHECK(decode(&in, back) == 0);
	CHECK(xdr_in_left(&in) == 0);
	CHECK(xdr_equal(type, v, back));
	xdr_arena_reset(&arena);
	free(v);
}

#define BY_VOID(T)							\
static int T##_d(struct xdr_in *in, void *v)				\
{ return T##_decode(in, v); }						\
static int T##_e(struct xdr_out *out, const void *v)			\
{ return T##_encode(out, v); }						\
static size_t T##_s(const void *v)					\
{ return T##_size(v); }
#define ROUND_TRIP(T, SEED) round_trip(&T##_type, T##_d, T##_e, T##_s, SEED)

BY_VOID(nfs_argop4)
BY_VOID(nfs_resop4)
BY_VOID(nfs_cb_argop4)
BY_VOID(nfs_cb_resop4)

static void
test_every_operation_and_result_comes_back(void)
{
	uint64_t seed = 4;

	for (unsigned i = 0; i < 2000; i++) {
		ROUND_TRIP(nfs_argop4, &seed);
		ROUND_TRIP(nfs_resop4, &seed);
	}
	for (unsigned i = 0; i < 400; i++) {
		ROUND_TRIP(nfs_cb_argop4, &seed);
		ROUND_TRIP(nfs_cb_resop4, &seed);
	}
}

CHECK_MAIN(
	CHECK_TEST(test_a_compound_is_decoded_operation_by_operation),
	CHECK_TEST(test_a_compound_is_encoded_operation_by_operation),
	CHECK_TEST(test_an_iterator_may_be_kept_and_goes_on),
	CHECK_TEST(test_a_number_that_is_no_operation_ends_it_and_is_told),
	CHECK_TEST(test_op_illegal_has_no_arguments),
	CHECK_TEST(test_bad_arguments_end_it_and_the_number_is_told),
	CHECK_TEST(test_a_compound_cut_anywhere_gives_what_is_whole),
	CHECK_TEST(test_a_count_beyond_the_bytes_is_found_where_they_end),
	CHECK_TEST(test_open_claim_null),
	CHECK_TEST(test_open_claim_previous),
	CHECK_TEST(test_open_claim_delegate_cur),
	CHECK_TEST(test_open_claim_delegate_prev),
	CHECK_TEST(test_open_claim_fh),
	CHECK_TEST(test_open_claim_deleg_cur_fh),
	CHECK_TEST(test_open_claim_deleg_prev_fh),
	CHECK_TEST(test_open_with_a_claim_that_is_none),
	CHECK_TEST(test_open_creates_in_four_ways),
	CHECK_TEST(test_open_answers_with_a_stateid_and_no_delegation),
	CHECK_TEST(test_open_may_delegate),
	CHECK_TEST(test_exchange_id),
	CHECK_TEST(test_create_session),
	CHECK_TEST(test_setclientid),
	CHECK_TEST(test_a_lock_is_taken_by_a_new_owner_or_a_known_one),
	CHECK_TEST(test_a_denied_lock_names_its_holder),
	CHECK_TEST(test_setattr_answers_its_bitmap_with_every_status),
	CHECK_TEST(test_copy_seek_clone_and_read_plus),
	CHECK_TEST(test_extended_attributes),
	CHECK_TEST(test_a_listing_chains_its_entries),
	CHECK_TEST(test_numbers_with_an_answer_of_their_own_are_decoded),
	CHECK_TEST(test_too_long_is_bad),
	CHECK_TEST(test_answers_are_encoded_one_by_one),
	CHECK_TEST(test_an_answer_too_long_is_taken_back),
	CHECK_TEST(test_a_whole_reply_is_decoded_at_once),
	CHECK_TEST(test_callbacks_are_compounds_too),
	CHECK_TEST(test_the_payload_of_a_write_is_located),
	CHECK_TEST(test_every_operation_and_result_comes_back),
)
