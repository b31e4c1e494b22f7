/*
 * How much state there may be: of one client, of all; who gives way, what
 * the answer is, and what is left behind (nothing).
 */
#include "nfs4_rig.h"

#include <stdio.h>

#include "nfs/nfs4_opens.h"

static struct nfs4 *n;
static nfs_fh4 file;

static void
start(void)
{
	rig4_start();
	n = rig.nfs.nfs4;
	toy_add(rig.toy, &rig.toy->obj[0], "file", PINEFS_REG, 0666, "text");
	file = look_up(root(), "file");
}

/* ---------------------------------------------------------- 4.1: clients -- */

struct who {
	sessionid4	session;
	sequenceid4	seq;
	clientid4	id;
};

static CREATE_SESSION4res
create_session(clientid4 id, sequenceid4 seq, const channel_attrs4 *fore)
{
	static const channel_attrs4 plenty = { 0, 1 << 20, 1 << 20, 4096, 32,
	    4, { 0 } };
	CREATE_SESSION4args *cs = &op(OP_CREATE_SESSION)->opcreate_session;

	cs->csa_clientid = id;
	cs->csa_sequence = seq;
	cs->csa_fore_chan_attrs = fore == NULL ? plenty : *fore;
	cs->csa_back_chan_attrs = plenty;
	run_bare(1);
	return RES(0, opcreate_session);
}

static clientid4
exchange_id(const char *name)
{
	op(OP_EXCHANGE_ID)->opexchange_id.eia_clientowner.co_ownerid =
	    text(name);
	CHECK(run_bare(1) == NFS4_OK);
	return RES(0, opexchange_id).eir_resok4.eir_clientid;
}

static struct who
client(const char *name)
{
	struct who w = { .id = exchange_id(name) };
	CREATE_SESSION4res res = create_session(w.id, 1, NULL);

	CHECK(res.csr_status == NFS4_OK);
	memcpy(w.session, res.csr_resok4.csr_sessionid, sizeof w.session);
	return w;
}

/* What was gathered, by this client. */
static nfsstat4
run_as(struct who *w)
{
	nfsstat4 st;

	memcpy(v4.session, w->session, sizeof w->session);
	v4.minor = 1;
	v4.seq = w->seq;
	st = run(1);
	w->seq = v4.seq;
	return st;
}

static void
reclaim_complete(struct who *w)
{
	op(OP_RECLAIM_COMPLETE);
	CHECK(run_as(w) == NFS4_OK);
}

static void
op_open(const char *owner)
{
	OPEN4args *o = &op(OP_OPEN)->opopen;

	o->share_access = OPEN4_SHARE_ACCESS_BOTH;
	o->owner.owner = text(owner);
	o->claim.claim = CLAIM_FH;
}

static nfsstat4
open_as(struct who *w, const char *owner)
{
	op_putfh(file);
	op_open(owner);
	return run_as(w);
}

static nfsstat4
close_as(struct who *w, stateid4 s)
{
	op_putfh(file);
	op(OP_CLOSE)->opclose.open_stateid = s;
	return run_as(w);
}

static stateid4
opened(void)
{
	return RES(1, opopen).resok4.stateid;
}

static nfsstat4
lock_first(struct who *w, stateid4 open, const char *owner, uint64_t off,
    uint64_t len)
{
	LOCK4args *l;

	op_putfh(file);
	l = &op(OP_LOCK)->oplock;
	l->locktype = WRITE_LT;
	l->offset = off;
	l->length = len;
	l->locker.new_lock_owner = true;
	l->locker.open_owner.open_stateid = open;
	l->locker.open_owner.lock_owner.owner = text(owner);
	return run_as(w);
}

/* -------------------------------------------------------------- opens -- */

static void
test_one_client_cannot_have_all_opens(void)
{
	struct who greedy, other;
	unsigned before;

	start();
	n->limits.client_states = 3;
	greedy = client("greedy");
	other = client("other");
	reclaim_complete(&greedy);
	reclaim_complete(&other);
	CHECK(open_as(&greedy, "1") == NFS4_OK);
	CHECK(open_as(&greedy, "2") == NFS4_OK);
	CHECK(open_as(&greedy, "3") == NFS4_OK);
	before = n->opens->owner.used;
	CHECK(open_as(&greedy, "4") == NFS4ERR_DELAY);
	CHECK(n->opens->owner.used == before);
	CHECK(open_as(&other, "1") == NFS4_OK);
	CHECK(close_as(&greedy, (open_as(&greedy, "1"), opened())) ==
	    NFS4_OK);
	CHECK(open_as(&greedy, "4") == NFS4_OK);
	rig4_stop();
}

static void
test_an_expired_client_gives_way_where_state_runs_short(void)
{
	struct who dead, alive;
	uint64_t lease;

	start();
	n->limits.states = 2;
	dead = client("dead");
	alive = client("alive");
	reclaim_complete(&alive);
	reclaim_complete(&dead);
	lease = n->lease_ms;
	n->lease_ms = 0;
	CHECK(open_as(&dead, "1") == NFS4_OK);
	CHECK(open_as(&dead, "2") == NFS4_OK);
	n->lease_ms = lease;
	CHECK(open_as(&alive, "1") == NFS4_OK);
	CHECK(n->nstates == 1);
	/* It is gone with all it had, and its session. */
	CHECK(open_as(&dead, "1") == NFS4ERR_BADSESSION);
	CHECK(open_as(&alive, "2") == NFS4_OK);
	/* A client that is alive gives nothing. */
	CHECK(open_as(&alive, "3") == NFS4ERR_DELAY);
	rig4_stop();
}

/* -------------------------------------------------------------- locks -- */

static void
test_one_client_cannot_have_all_ranges(void)
{
	struct who greedy, other;
	stateid4 s;

	start();
	n->limits.client_ranges = 2;
	greedy = client("greedy");
	other = client("other");
	reclaim_complete(&greedy);
	reclaim_complete(&other);
	CHECK(open_as(&greedy, "o") == NFS4_OK);
	s = opened();
	CHECK(lock_first(&greedy, s, "l", 0, 1) == NFS4_OK);
	CHECK(lock_first(&greedy, s, "l", 10, 1) == NFS4_OK);
	CHECK(lock_first(&greedy, s, "l", 20, 1) == NFS4ERR_DELAY);
	CHECK(open_as(&other, "o") == NFS4_OK);
	CHECK(lock_first(&other, opened(), "l", 20, 1) == NFS4_OK);
	/* What was counted is counted back. */
	CHECK(close_as(&greedy, s) == NFS4_OK);
	CHECK(open_as(&greedy, "o") == NFS4_OK);
	CHECK(lock_first(&greedy, opened(), "l", 30, 1) == NFS4_OK);
	rig4_stop();
}

static void
test_a_lock_that_fails_leaves_no_state_behind(void)
{
	struct who w;
	stateid4 s;

	start();
	w = client("client");
	reclaim_complete(&w);
	CHECK(open_as(&w, "o") == NFS4_OK);
	s = opened();
	n->limits.client_ranges = 0;
	CHECK(lock_first(&w, s, "l", 0, 1) == NFS4ERR_DELAY);
	CHECK(n->nstates == 1);
	CHECK(n->opens->locks.used == 0);
	CHECK(n->opens->range.used == 0);
	CHECK(n->opens->owner.used == 1);
	n->limits.client_ranges = 1;
	CHECK(lock_first(&w, s, "l", 0, 1) == NFS4_OK);
	CHECK(RES(1, oplock).resok4.lock_stateid.seqid == 1);
	CHECK(close_as(&w, s) == NFS4_OK);
	CHECK(n->nstates == 0);
	CHECK(n->opens->owner.used == 0);
	rig4_stop();
}

/* --------------------------------------------------------- 4.0: owners -- */

static clientid4
client_40(void)
{
	SETCLIENTID4resok *ok;
	clientid4 id;
	uint8_t confirm[8];

	op(OP_SETCLIENTID)->opsetclientid.client.id = text("old");
	CHECK(run(0) == NFS4_OK);
	ok = &RES(0, opsetclientid).resok4;
	id = ok->clientid;
	memcpy(confirm, ok->setclientid_confirm, sizeof confirm);
	op(OP_SETCLIENTID_CONFIRM)->opsetclientid_confirm.clientid = id;
	memcpy(v4.op[0].opsetclientid_confirm.setclientid_confirm, confirm,
	    sizeof confirm);
	CHECK(run(0) == NFS4_OK);
	return id;
}

static nfsstat4
open_40(clientid4 id, const char *owner, uint32_t seqid)
{
	OPEN4args *o;
	nfsstat4 st;

	op(OP_PUTROOTFH);
	op_open(owner);
	o = &v4.op[1].opopen;
	o->seqid = seqid;
	o->owner.clientid = id;
	o->claim.claim = CLAIM_NULL;
	o->claim.file = text("file");
	st = run(0);
	return st;
}

static stateid4
confirm_40(stateid4 s, uint32_t seqid)
{
	OPEN_CONFIRM4args *c;

	op_putfh(file);
	c = &op(OP_OPEN_CONFIRM)->opopen_confirm;
	c->open_stateid = s;
	c->seqid = seqid;
	CHECK(run(0) == NFS4_OK);
	return RES(1, opopen_confirm).resok4.open_stateid;
}

static nfsstat4
close_40(stateid4 s, uint32_t seqid)
{
	op_putfh(file);
	op(OP_CLOSE)->opclose.open_stateid = s;
	v4.op[1].opclose.seqid = seqid;
	return run(0);
}

static void
test_owners_that_are_idle_for_longest_give_way(void)
{
	char name[8];
	stateid4 s[6];
	clientid4 id;

	start();
	n->limits.client_owners = 4;
	id = client_40();
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "%d", i);
		CHECK(open_40(id, name, 1) == NFS4_OK);
		s[i] = confirm_40(opened(), 2);
		CHECK(close_40(s[i], 3) == NFS4_OK);
	}
	CHECK(n->opens->owner.used == 4);
	/* The last is still answered again, the first is forgotten. */
	CHECK(close_40(s[5], 3) == NFS4_OK);
	CHECK(close_40(s[0], 3) == NFS4ERR_BAD_STATEID);
	rig4_stop();
}

static void
test_owners_with_something_open_do_not_give_way(void)
{
	char name[8];
	clientid4 id;

	start();
	n->limits.client_owners = 2;
	id = client_40();
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof name, "%d", i);
		CHECK(open_40(id, name, 1) == NFS4_OK);
		confirm_40(opened(), 2);
	}
	CHECK(open_40(id, "more", 1) == NFS4ERR_RESOURCE);
	CHECK(open_40(id, "1", 3) == NFS4_OK);
	rig4_stop();
}

static void
test_idle_owners_of_others_give_way_where_owners_run_short(void)
{
	struct who w;
	clientid4 id;

	start();
	n->limits.owners = 2;
	id = client_40();
	CHECK(open_40(id, "one", 1) == NFS4_OK);
	CHECK(close_40(confirm_40(opened(), 2), 3) == NFS4_OK);
	w = client("client");
	reclaim_complete(&w);
	CHECK(open_as(&w, "1") == NFS4_OK);
	CHECK(open_as(&w, "2") == NFS4_OK);
	CHECK(open_as(&w, "3") == NFS4ERR_DELAY);
	rig4_stop();
}

/* ------------------------------------------------------------- replies -- */

static const channel_attrs4 linux_asks = { 0, 1049620, 1049480, 7584, 8, 64,
    { 0 } };

static size_t
granted(const CREATE_SESSION4res *res)
{
	const channel_attrs4 *f = &res->csr_resok4.csr_fore_chan_attrs;

	CHECK(res->csr_status == NFS4_OK);
	CHECK(f->ca_maxrequests >= 1);
	CHECK(f->ca_maxrequests <= 64);
	CHECK(f->ca_maxresponsesize_cached >= 2048);
	CHECK(f->ca_maxresponsesize_cached <= 7584);
	return (size_t)f->ca_maxrequests * f->ca_maxresponsesize_cached;
}

static void
test_replies_that_are_kept_have_a_budget(void)
{
	size_t sum = 0, last = SIZE_MAX, got, first = 0, before;
	CREATE_SESSION4res res;
	char name[16];
	clientid4 id = 0;
	int i;

	start();
	n->limits.replies = 4 << 20;
	n->limits.session_replies = 128 << 10;
	n->limits.least_replies = 16 << 10;
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "client %d", i);
		id = exchange_id(name);
		res = create_session(id, 1, &linux_asks);
		got = granted(&res);
		if (i == 0)
			first = got;
		/* As there is less, each gets less; none gets nothing. */
		CHECK(got <= last);
		CHECK(got <= n->limits.session_replies);
		CHECK(got >= n->limits.least_replies / 2);
		last = got;
		sum += got;
	}
	CHECK(first > 4 * last);
	CHECK(n->replies <= n->limits.replies);
	CHECK(sum <= n->limits.replies + 300 * n->limits.least_replies);
	before = n->replies;
	memcpy(op(OP_DESTROY_SESSION)->opdestroy_session.dsa_sessionid,
	    res.csr_resok4.csr_sessionid, sizeof(sessionid4));
	CHECK(run_bare(1) == NFS4_OK);
	CHECK(n->replies <= before);
	nfs4_lock(n);
	nfs4_clients_drop(n);
	nfs4_unlock(n);
	CHECK(n->replies == 0);
	rig4_stop();
}

static void
test_where_sessions_run_short_nobody_gets_a_second(void)
{
	clientid4 id;

	start();
	n->sessions.limit = 4;
	id = exchange_id("one");
	CHECK(create_session(id, 1, NULL).csr_status == NFS4_OK);
	CHECK(create_session(id, 2, NULL).csr_status == NFS4_OK);
	CHECK(create_session(id, 3, NULL).csr_status == NFS4_OK);
	CHECK(create_session(id, 4, NULL).csr_status == NFS4ERR_NOSPC);
	id = exchange_id("two");
	CHECK(create_session(id, 1, NULL).csr_status == NFS4_OK);
	rig4_stop();
}

/* -------------------------------------------------------------- memory -- */

static void
test_what_clients_had_is_gone_with_them(void)
{
	struct who w[3];
	stateid4 s;

	start();
	client_40();
	w[0] = client("a");
	w[1] = client("b");
	w[2] = client("c");
	for (int i = 0; i < 3; i++) {
		reclaim_complete(&w[i]);
		CHECK(open_as(&w[i], "o") == NFS4_OK);
		s = opened();
		CHECK(open_as(&w[i], "p") == NFS4_OK);
		CHECK(lock_first(&w[i], s, "l", (uint64_t)i, 1) == NFS4_OK);
		CHECK(lock_first(&w[i], s, "m", (uint64_t)i + 10, 1) ==
		    NFS4_OK);
	}
	rig_end_call();
	nfs4_lock(n);
	nfs4_clients_drop(n);
	nfs4_unlock(n);
	CHECK(n->nstates == 0);
	CHECK(n->clients.used == 0);
	CHECK(n->sessions.used == 0);
	CHECK(n->held.used == 0);
	CHECK(n->opens->file.used == 0);
	CHECK(n->opens->owner.used == 0);
	CHECK(n->opens->open.used == 0);
	CHECK(n->opens->locks.used == 0);
	CHECK(n->opens->range.used == 0);
	rig4_stop();
}

CHECK_MAIN(
	CHECK_TEST(test_one_client_cannot_have_all_opens),
	CHECK_TEST(test_an_expired_client_gives_way_where_state_runs_short),
	CHECK_TEST(test_one_client_cannot_have_all_ranges),
	CHECK_TEST(test_a_lock_that_fails_leaves_no_state_behind),
	CHECK_TEST(test_owners_that_are_idle_for_longest_give_way),
	CHECK_TEST(test_owners_with_something_open_do_not_give_way),
	CHECK_TEST(test_idle_owners_of_others_give_way_where_owners_run_short),
	CHECK_TEST(test_replies_that_are_kept_have_a_budget),
	CHECK_TEST(test_where_sessions_run_short_nobody_gets_a_second),
	CHECK_TEST(test_what_clients_had_is_gone_with_them),
)
