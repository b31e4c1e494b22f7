/*
 * Compounds of two clients, A and B, run on a small file system.  What no
 * fuzzer could guess, the target knows: handles, session ids, slots' numbers,
 * client ids, stateids, owners' numbers.  They are put in place of what the
 * input has there, unless that says to leave it alone.
 */
#ifndef FUZZ_NFS4_FUZZ_H
#define FUZZ_NFS4_FUZZ_H

#include "fuzz/nfs_fuzz.h"
#define CHECK assert
#define TESTS_UNIT_CHECK_H
#include "tests/unit/nfs4_rig.h"

enum { STATES = 16, OWNERS = 2, SLOTS = 4 };

/* One client, of 4.0 and of 4.1 and 4.2. */
struct fuzz_client {
	const char	*name;
	bool		 has0, has1;
	clientid4	 id0, id1;
	verifier4	 confirm;	/* of the last SETCLIENTID */
	sequenceid4	 cs_seq;	/* of the next CREATE_SESSION */
	sessionid4	 session;
	sequenceid4	 slot[SLOTS];	/* last numbers used */
	seqid4		 owner[OWNERS];	/* 4.0: of open- and lock-owner */
};

static struct {
	struct fuzz_client	 client[2], *is;	/* who calls */
	uint32_t		 minor;
	stateid4		 state[STATES];
	unsigned		 nstates;
	uint8_t			 fh[2 * V4_OPS][NFS_FH_MAX3];
	unsigned		 nfh;
	uint8_t			 counted[V4_OPS];	/* owners, as bits */
	uint8_t			*bytes;		/* of the last compound */
} fuzz;

/* ---------------------------------------------------------- what is known -- */

static void
patch_fh(nfs_fh4 *fh)
{
	uint8_t *to = fuzz.fh[fuzz.nfh % (2 * V4_OPS)];

	if (fuzz_handle(fh->data, fh->len, to)) {
		*fh = xdr_view(to, NFS_FH_SHORT);
		fuzz.nfh++;
	}
}

/*
 * Special ones stay.  Of others the last byte chooses: the newest for the
 * seeds' "open-stateid".  The number 1 becomes that one's own.
 */
static void
patch_stateid(stateid4 *id)
{
	const stateid4 *known;
	unsigned back = (unsigned)(id->other[11] - 'd') % 8;

	if (id->other[0] == 0 || id->other[0] >= FUZZ_KEEP ||
	    back >= fuzz.nstates)
		return;
	known = &fuzz.state[(fuzz.nstates - 1 - back) % STATES];
	memcpy(id->other, known->other, sizeof id->other);
	if (id->seqid == 1)
		id->seqid = known->seqid;
}

static void
patch_client(clientid4 *id)
{
	if (*id < 16)
		*id = fuzz.minor == 0 ? fuzz.is->id0 : fuzz.is->id1;
}

static void
patch_owner(state_owner4 *owner)
{
	patch_client(&owner->clientid);
}

/* 0 is the next number of this owner, in 4.0. */
static void
patch_seqid(seqid4 *seqid, unsigned owner, unsigned op)
{
	if (*seqid == 0 && fuzz.minor == 0) {
		*seqid = ++fuzz.is->owner[owner];
		fuzz.counted[op] |= (uint8_t)(1 << owner);
	}
}

static void
patch_sequence(SEQUENCE4args *a)
{
	uint32_t slot = a->sa_slotid % SLOTS;

	if (a->sa_sessionid[0] < FUZZ_KEEP)
		memcpy(a->sa_sessionid, fuzz.is->session,
		    sizeof a->sa_sessionid);
	if (a->sa_sequenceid == 1)		/* the next */
		a->sa_sequenceid = ++fuzz.is->slot[slot];
	else if (a->sa_sequenceid == 2)		/* once more */
		a->sa_sequenceid = fuzz.is->slot[slot];
}

static void
patch_open(OPEN4args *a, unsigned i)
{
	patch_seqid(&a->seqid, 0, i);
	patch_owner(&a->owner);
	if (a->claim.claim == CLAIM_DELEGATE_CUR)
		patch_stateid(&a->claim.delegate_cur_info.delegate_stateid);
	else if (a->claim.claim == CLAIM_DELEG_CUR_FH)
		patch_stateid(&a->claim.oc_delegate_stateid);
}

static void
patch_lock(LOCK4args *a, unsigned i)
{
	open_to_lock_owner4 *first = &a->locker.open_owner;

	if (!a->locker.new_lock_owner) {
		patch_stateid(&a->locker.lock_owner.lock_stateid);
		patch_seqid(&a->locker.lock_owner.lock_seqid, 1, i);
		return;
	}
	patch_seqid(&first->open_seqid, 0, i);
	patch_stateid(&first->open_stateid);
	patch_seqid(&first->lock_seqid, 1, i);
	patch_owner(&first->lock_owner);
}

static void
patch(nfs_argop4 *o, unsigned i)
{
	switch (o->argop) {
	case OP_PUTFH:
		patch_fh(&o->opputfh.object);
		break;
	case OP_SEQUENCE:
		patch_sequence(&o->opsequence);
		break;
	case OP_CREATE_SESSION:
		patch_client(&o->opcreate_session.csa_clientid);
		if (o->opcreate_session.csa_sequence == 1)
			o->opcreate_session.csa_sequence = fuzz.is->cs_seq;
		break;
	case OP_DESTROY_SESSION:
		if (o->opdestroy_session.dsa_sessionid[0] < FUZZ_KEEP)
			memcpy(o->opdestroy_session.dsa_sessionid,
			    fuzz.is->session, sizeof fuzz.is->session);
		break;
	case OP_BIND_CONN_TO_SESSION:
		if (o->opbind_conn_to_session.bctsa_sessid[0] < FUZZ_KEEP)
			memcpy(o->opbind_conn_to_session.bctsa_sessid,
			    fuzz.is->session, sizeof fuzz.is->session);
		break;
	case OP_DESTROY_CLIENTID:
		patch_client(&o->opdestroy_clientid.dca_clientid);
		break;
	case OP_SETCLIENTID_CONFIRM:
		patch_client(&o->opsetclientid_confirm.clientid);
		memcpy(o->opsetclientid_confirm.setclientid_confirm,
		    fuzz.is->confirm, sizeof fuzz.is->confirm);
		break;
	case OP_RENEW:
		patch_client(&o->oprenew.clientid);
		break;
	case OP_RELEASE_LOCKOWNER:
		patch_owner(&o->oprelease_lockowner.lock_owner);
		break;
	case OP_OPEN:
		patch_open(&o->opopen, i);
		break;
	case OP_OPEN_CONFIRM:
		patch_stateid(&o->opopen_confirm.open_stateid);
		patch_seqid(&o->opopen_confirm.seqid, 0, i);
		break;
	case OP_OPEN_DOWNGRADE:
		patch_stateid(&o->opopen_downgrade.open_stateid);
		patch_seqid(&o->opopen_downgrade.seqid, 0, i);
		break;
	case OP_CLOSE:
		patch_stateid(&o->opclose.open_stateid);
		patch_seqid(&o->opclose.seqid, 0, i);
		break;
	case OP_LOCK:
		patch_lock(&o->oplock, i);
		break;
	case OP_LOCKT:
		patch_owner(&o->oplockt.owner);
		break;
	case OP_LOCKU:
		patch_stateid(&o->oplocku.lock_stateid);
		patch_seqid(&o->oplocku.seqid, 1, i);
		break;
	case OP_READ:
		patch_stateid(&o->opread.stateid);
		break;
	case OP_WRITE:
		patch_stateid(&o->opwrite.stateid);
		break;
	case OP_SETATTR:
		patch_stateid(&o->opsetattr.stateid);
		break;
	case OP_DELEGRETURN:
		patch_stateid(&o->opdelegreturn.deleg_stateid);
		break;
	case OP_FREE_STATEID:
		patch_stateid(&o->opfree_stateid.fsa_stateid);
		break;
	case OP_TEST_STATEID:
		for (uint32_t j = 0; j < o->optest_stateid.ts_stateids.n; j++)
			patch_stateid(&o->optest_stateid.ts_stateids.v[j]);
		break;
	case OP_ALLOCATE:
		patch_stateid(&o->opallocate.aa_stateid);
		break;
	case OP_DEALLOCATE:
		patch_stateid(&o->opdeallocate.da_stateid);
		break;
	case OP_COPY:
		patch_stateid(&o->opcopy.ca_src_stateid);
		patch_stateid(&o->opcopy.ca_dst_stateid);
		break;
	case OP_CLONE:
		patch_stateid(&o->opclone.cl_src_stateid);
		patch_stateid(&o->opclone.cl_dst_stateid);
		break;
	case OP_SEEK:
		patch_stateid(&o->opseek.sa_stateid);
		break;
	case OP_READ_PLUS:
		patch_stateid(&o->opread_plus.rpa_stateid);
		break;
	case OP_IO_ADVISE:
		patch_stateid(&o->opio_advise.iaa_stateid);
		break;
	default:
		break;
	}
}

/* ---------------------------------------------------------- what is learnt -- */

static void
learn_stateid(const stateid4 *id)
{
	fuzz.state[fuzz.nstates++ % STATES] = *id;
}

static void
learn_open(const OPEN4resok *r)
{
	const open_delegation4 *d = &r->delegation;

	learn_stateid(&r->stateid);
	if (d->delegation_type == OPEN_DELEGATE_READ)
		learn_stateid(&d->read.stateid);
	else if (d->delegation_type == OPEN_DELEGATE_WRITE)
		learn_stateid(&d->write.stateid);
}

static void
learn(const nfs_resop4 *r)
{
	switch (r->resop) {
	case OP_SETCLIENTID:
		fuzz.is->id0 = r->opsetclientid.resok4.clientid;
		memcpy(fuzz.is->confirm,
		    r->opsetclientid.resok4.setclientid_confirm,
		    sizeof fuzz.is->confirm);
		break;
	case OP_EXCHANGE_ID:
		fuzz.is->id1 = r->opexchange_id.eir_resok4.eir_clientid;
		fuzz.is->cs_seq = r->opexchange_id.eir_resok4.eir_sequenceid;
		break;
	case OP_CREATE_SESSION:
		memcpy(fuzz.is->session,
		    r->opcreate_session.csr_resok4.csr_sessionid,
		    sizeof fuzz.is->session);
		memset(fuzz.is->slot, 0, sizeof fuzz.is->slot);
		fuzz.is->cs_seq++;
		break;
	case OP_OPEN:
		learn_open(&r->opopen.resok4);
		break;
	case OP_OPEN_CONFIRM:
		learn_stateid(&r->opopen_confirm.resok4.open_stateid);
		break;
	case OP_OPEN_DOWNGRADE:
		learn_stateid(&r->opopen_downgrade.resok4.open_stateid);
		break;
	case OP_LOCK:
		learn_stateid(&r->oplock.resok4.lock_stateid);
		break;
	case OP_LOCKU:
		learn_stateid(&r->oplocku.lock_stateid);
		break;
	default:
		break;
	}
}

/* RFC 7530 9.1.7: after these an owner's number stays what it was. */
static bool
number_stays(uint32_t i)
{
	if (i >= v4.res.resarray.n)
		return true;
	switch (v4.res.resarray.v[i].opillegal.status) {
	case NFS4ERR_STALE_CLIENTID:
	case NFS4ERR_STALE_STATEID:
	case NFS4ERR_BAD_STATEID:
	case NFS4ERR_BAD_SEQID:
	case NFS4ERR_BADXDR:
	case NFS4ERR_RESOURCE:
	case NFS4ERR_NOFILEHANDLE:
	case NFS4ERR_MOVED:
		return true;
	default:
		return false;
	}
}

/* RFC 8881 16.2.3: all are good but the last, whose status is the whole's. */
static void
check_results(uint32_t asked, bool raw)
{
	uint32_t n = v4.res.resarray.n;

	if (raw)
		return;
	assert(n <= asked);
	for (uint32_t i = 0; i + 1 < n; i++)
		assert(v4.res.resarray.v[i].opillegal.status == NFS4_OK);
	assert(n == 0 || v4.res.resarray.v[n - 1].opillegal.status ==
	    v4.res.status);
	for (uint32_t i = 0; i < n; i++)
		if (v4.res.resarray.v[i].opillegal.status == NFS4_OK)
			learn(&v4.res.resarray.v[i]);
	for (unsigned i = 0; i < V4_OPS; i++)
		for (unsigned w = 0; w < OWNERS; w++)
			if (fuzz.counted[i] & 1 << w && number_stays(i))
				fuzz.is->owner[w]--;
}

/* ------------------------------------------------------------ a compound -- */

static void
fuzz_end_call(void)
{
	rig_end_call();
	free(fuzz.bytes);
	fuzz.bytes = NULL;
}

/*
 * What is in v4.bytes, from memory of its own, so that a read beyond it is
 * seen.  Results are good until the next.
 */
static void
fuzz_run(uint32_t asked)
{
	fuzz_end_call();
	fuzz.bytes = malloc(v4.len + (v4.len == 0));
	assert(fuzz.bytes != NULL);
	memcpy(fuzz.bytes, v4.bytes, v4.len);
	xdr_in_init(&v4.in, fuzz.bytes, v4.len, &rig.rpc->arena);
	v4.args = (COMPOUND4args){ .tag = v4.tag, .minorversion = fuzz.minor,
	    .argarray = { .in = &v4.in, .n = asked } };
	memset(&v4.res, 0, sizeof v4.res);
	rig.rpc->segs[0] = (struct xdr_seg){ fuzz.bytes, v4.len };
	rig.rpc->size = v4.len;
	memset(&rig.rpc->raw, 0, sizeof rig.rpc->raw);
	assert(rig_call(100003, 4, NFSPROC4_COMPOUND, &v4.args, &v4.res) ==
	    0);
	check_results(asked, rig.rpc->raw.len > 0);
	memset(fuzz.counted, 0, sizeof fuzz.counted);
}

/* The operations that `op` has put into v4. */
static void
fuzz_run_ops(uint32_t minor)
{
	uint32_t n = v4.n;

	fuzz.minor = minor;
	encode_ops();
	v4.n = 0;
	fuzz_run(n);
}

/* Who calls exists, in the minor version it speaks. */
static void
fuzz_introduce(uint32_t minor)
{
	static const channel_attrs4 plenty = { 0, 1 << 20, 1 << 20, 4096, 32,
	    SLOTS, { 0 } };
	CREATE_SESSION4args *cs;

	if (minor > 2)
		return;
	if (minor == 0 && !fuzz.is->has0) {
		fuzz.is->has0 = true;
		op(OP_SETCLIENTID)->opsetclientid.client.id =
		    text(fuzz.is->name);
		fuzz_run_ops(0);
		op(OP_SETCLIENTID_CONFIRM);
		patch(&v4.op[0], 0);
		fuzz_run_ops(0);
	} else if (minor > 0 && !fuzz.is->has1) {
		fuzz.is->has1 = true;
		op(OP_EXCHANGE_ID)->opexchange_id.eia_clientowner.co_ownerid =
		    text(fuzz.is->name);
		fuzz_run_ops(minor);
		cs = &op(OP_CREATE_SESSION)->opcreate_session;
		cs->csa_clientid = fuzz.is->id1;
		cs->csa_sequence = fuzz.is->cs_seq;
		cs->csa_fore_chan_attrs = cs->csa_back_chan_attrs = plenty;
		fuzz_run_ops(minor);
		op(OP_SEQUENCE)->opsequence.sa_sequenceid = 1;
		patch(&v4.op[0], 0);
		op(OP_RECLAIM_COMPLETE);
		fuzz_run_ops(minor);
	}
}

static void
fuzz4_start(void)
{
	fuzz_start();
	v4.n = 0;
	memset(&fuzz, 0, sizeof fuzz);
	fuzz.client[0].name = "A";
	fuzz.client[1].name = "B";
	fuzz.is = &fuzz.client[0];
	rig.nfs.nfs4 = nfs4_new(&rig.nfs, NULL, 0);
	assert(rig.nfs.nfs4 != NULL);
}

static void
fuzz4_stop(void)
{
	fuzz_end_call();
	rig4_stop();
}

#endif
