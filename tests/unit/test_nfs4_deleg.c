/*
 * Delegations and what is to be told of them, without anybody to tell: what
 * waits, how long, and that nothing is left behind.
 */
#include "nfs4_rig.h"

#include "nfs/nfs2.h"
#include "nfs/nfs4_deleg.h"
#include "vfs/fs.h"

static struct nfs4 *n;
static nfs_fh4 file;
static clientid4 holder;
static uint32_t seqid;		/* of its owner, the last one */

/* ------------------------------------------------------- 4.0: a client -- */

static clientid4
client(const char *name, uint8_t verifier)
{
	SETCLIENTID4args *a = &op(OP_SETCLIENTID)->opsetclientid;
	SETCLIENTID_CONFIRM4args *c;
	SETCLIENTID4resok ok;

	a->client.id = text(name);
	a->client.verifier[0] = verifier;
	CHECK(run(0) == NFS4_OK);
	ok = RES(0, opsetclientid).resok4;
	c = &op(OP_SETCLIENTID_CONFIRM)->opsetclientid_confirm;
	c->clientid = ok.clientid;
	memcpy(c->setclientid_confirm, ok.setclientid_confirm,
	    sizeof c->setclientid_confirm);
	CHECK(run(0) == NFS4_OK);
	return ok.clientid;
}

/* As if it had answered, from a place where nobody can be reached now. */
static void
can_be_called(clientid4 id)
{
	struct nfs4_client *c = nfs4_client_find(n, id);

	c->cb_sa.ss_family = AF_INET;
	c->cb_path = CB_UP;
	nfs4_client_release(n, c);
}

static OPEN4resok
open_file(void)
{
	OPEN4args *o;

	op(OP_PUTROOTFH);
	o = &op(OP_OPEN)->opopen;
	o->seqid = ++seqid;
	o->share_access = OPEN4_SHARE_ACCESS_READ;
	o->owner.clientid = holder;
	o->owner.owner = text("owner");
	o->claim.claim = CLAIM_NULL;
	o->claim.file = text("file");
	CHECK(run(0) == NFS4_OK);
	return RES(1, opopen).resok4;
}

/* What comes with a second OPEN, of a confirmed owner. */
static open_delegation4
asks(void)
{
	OPEN4resok r;
	OPEN_CONFIRM4args *a;

	can_be_called(holder);
	r = open_file();
	if ((r.rflags & OPEN4_RESULT_CONFIRM) != 0) {
		op_putfh(file);
		a = &op(OP_OPEN_CONFIRM)->opopen_confirm;
		a->open_stateid = r.stateid;
		a->seqid = ++seqid;
		CHECK(run(0) == NFS4_OK);
		open_file();
		r = open_file();
	}
	return r.delegation;
}

static stateid4
hold(void)
{
	open_delegation4 d = asks();

	CHECK(d.delegation_type == OPEN_DELEGATE_READ);
	return d.read.stateid;
}

static nfsstat4
give_back(stateid4 s)
{
	op_putfh(file);
	op(OP_DELEGRETURN)->opdelegreturn.deleg_stateid = s;
	return run(0);
}

/* Somebody else changes it. */
static nfsstat4
change(void)
{
	op_putfh(file);
	op(OP_WRITE)->opwrite.data = text("new");
	return run(0);
}

static void
start(void)
{
	rig4_start();
	n = rig.nfs.nfs4;
	rig.toy->fs->ops.flags |= PINEFS_DELEGATION;
	toy_add(rig.toy, &rig.toy->obj[0], "file", PINEFS_REG, 0666, "text");
	file = look_up(root(), "file");
	seqid = 0;
	holder = client("holder", 0);
}

/* --------------------------------------------------------------- timers -- */

static void (*timer)(void *);
static void *timer_arg;

static int
after(void *arg, unsigned ms, void (*fn)(void *), void *fn_arg)
{
	(void)arg, (void)ms;
	timer = fn;
	timer_arg = fn_arg;
	return 0;
}

static void
timers_work(bool yes)
{
	rig.nfs.after = after;
	n->timers = yes;
	n->delegs->ticks = false;
}

/* What is done four times a second, while there is something to do. */
static void
tick(void)
{
	timers_work(true);
	nfs4_deleg_tick(n);
	timer(timer_arg);
	timers_work(false);
}

/* -------------------------------------------------------------- recalls -- */

static void
test_a_recall_goes_with_its_delegation(void)
{
	stateid4 s;

	start();
	s = hold();
	CHECK(change() == NFS4ERR_DELAY);
	CHECK(change() == NFS4ERR_DELAY);
	CHECK(n->delegs->cb.used == 1);
	CHECK(give_back(s) == NFS4_OK);
	CHECK(n->delegs->cb.used == 0);
	CHECK(change() == NFS4_OK);
	rig4_stop();
}

static void
test_a_recall_goes_with_its_client(void)
{
	start();
	hold();
	CHECK(change() == NFS4ERR_DELAY);
	CHECK(n->delegs->cb.used == 1);
	client("holder", 1);	/* restarted */
	CHECK(n->delegs->cb.used == 0);
	CHECK(change() == NFS4_OK);
	rig4_stop();
}

static void
test_a_recall_that_found_no_room_is_made_when_there_is_some(void)
{
	stateid4 s;

	start();
	s = hold();
	n->delegs->cb.limit = 0;
	CHECK(change() == NFS4ERR_DELAY);
	tick();
	CHECK(n->delegs->cb.used == 0);
	n->delegs->cb.limit = 8;
	tick();
	CHECK(n->delegs->cb.used == 1);
	tick();
	CHECK(n->delegs->cb.used == 1);
	CHECK(give_back(s) == NFS4_OK);
	CHECK(n->delegs->cb.used == 0);
	rig4_stop();
}

/* ------------------------------------------------------ who waits for it -- */

/* A SETATTR of version 2, which may have to wait: rig_call does not. */
static int
change_by_2(sattrargs *a, attrstat *res)
{
	const struct rpc_program *p = rig_program(100003, 2);
	struct pinefs_ident id = { .fileid = TOY_FIRST_ID + 1,
	    .generation = 7 };
	uint32_t len;

	memset(&a->attributes, 0xff, sizeof a->attributes);
	a->attributes.mode = 0600;
	CHECK(nfs_fh_make(&rig.nfs.keys, rig.export.id, &id, NFS_FH_MAX2,
	    a->file, &len) == 0);
	rig_end_call();
	rig.rpc->peer = &rig.peer;
	rig.rpc->cred = rig.cred;
	rig.rpc->program = p;
	rig.rpc->proc = &p->service->procs[NFSPROC_SETATTR];
	rig.rpc->h.proc = NFSPROC_SETATTR;
	xdr_arena_init(&rig.rpc->arena, NULL, 0, rig.budget);
	atomic_store(&rig.rpc->phase, CALL_RUNNING);
	return rig.rpc->proc->call(p->handlers, p->self, rig.rpc, a, res);
}

static bool
is_resumed(void)
{
	return atomic_load(&rig.rpc->phase) == CALL_RESUMED;
}

static void
test_version_2_waits_until_the_delegation_is_gone(void)
{
	const struct rpc_program *p;
	sattrargs a;
	attrstat res;

	start();
	hold();
	timers_work(true);
	p = rig_program(100003, 2);
	CHECK(change_by_2(&a, &res) == RPC_LATER);
	CHECK(n->delegs->nwaiters == 1);
	CHECK(n->delegs->waiters->until_ms > nfs4_now_ms() + n->lease_ms);
	tick();
	CHECK(!is_resumed());
	n->delegs->recalled->revoke_ms = 0;
	tick();
	CHECK(is_resumed());
	CHECK(n->delegs->nwaiters == 0);
	CHECK(rig.rpc->proc->call(p->handlers, p->self, rig.rpc, &a, &res) ==
	    0);
	CHECK(res.status == NFS_OK);
	rig4_stop();
}

static void
test_where_many_wait_others_are_told_to_come_again(void)
{
	start();
	hold();
	timers_work(true);
	n->delegs->nwaiters = NFS4_MAX_WAITERS;
	CHECK(change() == NFS4ERR_DELAY);
	n->delegs->nwaiters = 0;
	rig4_stop();
}

static int
no_timer(void *arg, unsigned ms, void (*fn)(void *), void *fn_arg)
{
	(void)arg, (void)ms, (void)fn, (void)fn_arg;
	return ENOMEM;
}

static void
test_nobody_waits_without_a_timer_to_wake_him(void)
{
	start();
	hold();
	timers_work(true);
	rig.nfs.after = no_timer;
	CHECK(change() == NFS4ERR_DELAY);
	CHECK(n->delegs->nwaiters == 0);
	rig4_stop();
}

/* ------------------------------------------------------ not given back -- */

static void
is_not_returned(void)
{
	CHECK(change() == NFS4ERR_DELAY);
	n->delegs->recalled->revoke_ms = 0;
	tick();
	CHECK(n->delegs->recalled == NULL);
	CHECK(change() == NFS4_OK);
}

/* As if its lease had passed since the recall. */
static void
is_quiet(void)
{
	memset(n->delegs->quiet, 0, sizeof n->delegs->quiet);
}

static void
test_who_did_not_return_one_gets_none_for_long(void)
{
	start();
	hold();
	is_not_returned();
	is_quiet();
	CHECK(asks().delegation_type == OPEN_DELEGATE_NONE);
	for (unsigned i = 0; i < NFS4_DELEG_TABLE; i++)
		n->delegs->shunned[i].until_ms = 0;
	hold();
	rig4_stop();
}

static void
test_another_client_of_his_is_no_better(void)
{
	start();
	hold();
	is_not_returned();
	holder = client("another", 0);
	seqid = 0;
	is_quiet();
	CHECK(asks().delegation_type == OPEN_DELEGATE_NONE);
	rig.peer.uid = 7;	/* somebody else, who opens it twice */
	open_file();
	hold();
	rig4_stop();
}

static void
test_one_that_its_client_does_not_know_is_not_revoked_but_gone(void)
{
	stateid4 s;

	start();
	s = hold();
	CHECK(change() == NFS4ERR_DELAY);
	n->delegs->recalled->unknown = true;
	is_not_returned();
	CHECK(n->delegs->deleg.used == 0);
	CHECK(give_back(s) == NFS4ERR_BAD_STATEID);
	is_quiet();
	hold();
	rig4_stop();
}

static void
test_a_silent_client_loses_its_delegation_and_no_more(void)
{
	struct nfs4_client *c;
	stateid4 s;

	start();
	s = hold();
	c = nfs4_client_find(n, holder);
	CHECK(c != NULL);
	c->expires_ms = 0;
	nfs4_client_release(n, c);
	CHECK(change() == NFS4_OK);
	CHECK(n->delegs->cb.used == 0);
	assert_int_equal(give_back(s), NFS4ERR_ADMIN_REVOKED);
	is_quiet();
	hold();		/* it has cost nobody anything */
	rig4_stop();
}

/* ------------------------------------------------- what was had before -- */

/* After a restart, `called`: known to be reachable. */
static open_read_delegation4
reclaim(bool called)
{
	struct nfs4_client *c = nfs4_client_find(n, holder);
	OPEN4resok *r;
	OPEN4args *o;

	rig.toy->fs->ops.flags |= PINEFS_STABLE_IDS;
	n->grace = true;
	n->reclaimers = 1;
	c->reclaims = true;
	nfs4_client_release(n, c);
	if (called)
		can_be_called(holder);
	op_putfh(file);
	o = &op(OP_OPEN)->opopen;
	o->seqid = ++seqid;
	o->share_access = OPEN4_SHARE_ACCESS_READ;
	o->owner.clientid = holder;
	o->owner.owner = text("owner");
	o->claim.claim = CLAIM_PREVIOUS;
	o->claim.delegate_type = OPEN_DELEGATE_READ;
	CHECK(run(0) == NFS4_OK);
	r = &RES(1, opopen).resok4;
	CHECK((r->rflags & OPEN4_RESULT_CONFIRM) == 0);
	CHECK(r->delegation.delegation_type == OPEN_DELEGATE_READ);
	return r->delegation.read;
}

static void
test_a_delegation_is_reclaimed_in_grace(void)
{
	open_read_delegation4 d;

	start();
	d = reclaim(true);
	CHECK(!d.recall);
	n->grace = false;
	CHECK(change() == NFS4ERR_DELAY);
	CHECK(give_back(d.stateid) == NFS4_OK);
	CHECK(change() == NFS4_OK);
	rig4_stop();
}

static void
test_who_cannot_be_called_is_to_give_back_what_he_reclaims(void)
{
	open_read_delegation4 d;

	start();
	d = reclaim(false);
	CHECK(d.recall);
	n->grace = false;
	CHECK(change() == NFS4ERR_DELAY);
	CHECK(give_back(d.stateid) == NFS4_OK);
	CHECK(change() == NFS4_OK);
	rig4_stop();
}

CHECK_MAIN(
	CHECK_TEST(test_a_silent_client_loses_its_delegation_and_no_more),
	CHECK_TEST(test_who_did_not_return_one_gets_none_for_long),
	CHECK_TEST(test_another_client_of_his_is_no_better),
	CHECK_TEST(
	    test_one_that_its_client_does_not_know_is_not_revoked_but_gone),
	CHECK_TEST(test_version_2_waits_until_the_delegation_is_gone),
	CHECK_TEST(test_where_many_wait_others_are_told_to_come_again),
	CHECK_TEST(test_nobody_waits_without_a_timer_to_wake_him),
	CHECK_TEST(test_a_recall_goes_with_its_delegation),
	CHECK_TEST(test_a_recall_goes_with_its_client),
	CHECK_TEST(test_a_recall_that_found_no_room_is_made_when_there_is_some),
	CHECK_TEST(test_a_delegation_is_reclaimed_in_grace),
	CHECK_TEST(test_who_cannot_be_called_is_to_give_back_what_he_reclaims),
)
