/*
 * Delegations and what is to be told of them, without anybody to tell: what
 * waits, how long, and that nothing is left behind.
 */
#include "nfs4_rig.h"

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

/* A delegation comes with the second OPEN. */
static stateid4
hold(void)
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
	CHECK(r.delegation.delegation_type == OPEN_DELEGATE_READ);
	return r.delegation.read.stateid;
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

/* What is done four times a second, while there is something to do. */
static void
tick(void)
{
	rig.nfs.after = after;
	n->timers = true;
	nfs4_deleg_tick(n);
	timer(timer_arg);
	n->timers = n->delegs->ticks = false;
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

CHECK_MAIN(
	CHECK_TEST(test_a_recall_goes_with_its_delegation),
	CHECK_TEST(test_a_recall_goes_with_its_client),
	CHECK_TEST(test_a_recall_that_found_no_room_is_made_when_there_is_some),
)
