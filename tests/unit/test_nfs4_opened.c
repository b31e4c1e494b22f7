/*
 * What file systems are told of files that are open, and what else is done
 * only when the lock on the tables is free (nfs4_opened.c, nfs4_chores.c).
 */
#include "nfs4_rig.h"

#include "nfs/nfs4_tables.h"

/* ----------------------------------------------------------- the outside -- */

static bool
lock_is_free(void)
{
	struct nfs4 *n = rig.nfs.nfs4;

	if (pthread_mutex_trylock(&n->lock) != 0)
		return false;
	pthread_mutex_unlock(&n->lock);
	return true;
}

static void
told(char what)
{
	char *log = rig.toy->told;
	size_t len = strlen(log);

	CHECK(lock_is_free());
	CHECK(len + 1 < sizeof rig.toy->told);
	log[len] = what;
}

static void
told_close(void)
{
	told('c');
}

static void
told_written(void)
{
	told('w');
}

/* Records of clients: in memory, and what is "on the disk". */
static struct {
	unsigned	adds, removes, ends, syncs, unsynced;
	int		err;		/* of the next syncs */
} disk;

static int
disk_add(void *arg, const void *owner, uint32_t len)
{
	(void)arg, (void)owner, (void)len;
	disk.adds++;
	disk.unsynced++;
	return 0;
}

static void
disk_remove(void *arg, const void *owner, uint32_t len)
{
	(void)arg, (void)owner, (void)len;
	disk.removes++;
	disk.unsynced++;
}

static void
disk_end(void *arg)
{
	(void)arg;
	disk.ends++;
}

static int
disk_each(void *arg, void (*fn)(void *, const void *, uint32_t), void *ctx)
{
	(void)arg, (void)fn, (void)ctx;
	return 0;
}

static int
disk_sync(void *arg)
{
	(void)arg;
	CHECK(rig.nfs.nfs4 == NULL || lock_is_free());
	disk.syncs++;
	if (disk.err == 0)
		disk.unsynced = 0;
	return disk.err;
}

static const struct nfs4_records records = { disk_each, disk_add,
    disk_remove, disk_end, disk_sync, NULL };

/* ------------------------------------------------------------ two calls -- */

/* One of two calls under way at once, each in a slot of its own. */
struct one {
	struct rpc_call	*rpc;
	uint8_t		 bytes[4096];
	struct xdr_in	 in;
	COMPOUND4args	 args;
	COMPOUND4res	 res;
	uint32_t	 slot;
	sequenceid4	 seq;
};

static struct one a, b;
static nfs_fh4 file;

static void
start(void)
{
	memset(&disk, 0, sizeof disk);
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	rig_start();
	memset(&v4, 0, sizeof v4);
	rig.nfs.nfs4 = nfs4_new(&rig.nfs, &records, 0);
	rig.toy->on_close = told_close;
	rig.toy->on_written = told_written;
	toy_add(rig.toy, &rig.toy->obj[0], "file", PINEFS_REG, 0666, "text");
	file = look_up(root(), "file");
	op(OP_RECLAIM_COMPLETE);
	CHECK(run(1) == NFS4_OK);
	a.slot = 1;
	b.slot = 2;
	a.rpc = calloc(1, sizeof *a.rpc + 64);
	b.rpc = calloc(1, sizeof *b.rpc + 64);
}

static void
stop(void)
{
	free(a.rpc);
	free(b.rpc);
	rig4_stop();
}

static void
end_of(struct one *o)
{
	if (o->rpc->state_fini != NULL)
		o->rpc->state_fini(o->rpc->state);
	o->rpc->state = NULL;
	o->rpc->state_fini = NULL;
	xdr_arena_reset(&o->rpc->arena);
}

/* Run it, or run it again; false: it waits. */
static bool
go_on(struct one *o)
{
	const struct rpc_program *p = rig_program(100003, 4);
	int err;

	atomic_store(&o->rpc->phase, CALL_RUNNING);
	err = p->service->procs[NFSPROC4_COMPOUND].call(p->handlers, p->self,
	    o->rpc, &o->args, &o->res);
	CHECK(err == 0 || err == RPC_LATER);
	return err == 0;
}

static bool
is_resumed(const struct one *o)
{
	return atomic_load(&o->rpc->phase) == CALL_RESUMED;
}

/* Start what op() has gathered. */
static bool
go(struct one *o)
{
	const struct rpc_program *p = rig_program(100003, 4);
	nfs_argop4 kept[V4_OPS];
	uint32_t n = v4.n;
	struct xdr_out out;
	SEQUENCE4args *s;

	memcpy(kept, v4.op, n * sizeof kept[0]);
	v4.n = 0;
	s = &op(OP_SEQUENCE)->opsequence;
	memcpy(s->sa_sessionid, v4.session, sizeof v4.session);
	s->sa_sequenceid = ++o->seq;
	s->sa_slotid = o->slot;
	xdr_out_init_mem(&out, o->bytes, sizeof o->bytes);
	CHECK(nfs_argop4_encode(&out, &v4.op[0]) == 0);
	for (uint32_t i = 0; i < n; i++)
		CHECK(nfs_argop4_encode(&out, &kept[i]) == 0);
	v4.n = 0;
	o->rpc->peer = &rig.peer;
	o->rpc->cred = rig.cred;
	o->rpc->program = p;
	o->rpc->proc = &p->service->procs[NFSPROC4_COMPOUND];
	o->rpc->h.proc = NFSPROC4_COMPOUND;
	xdr_arena_init(&o->rpc->arena, NULL, 0, rig.budget);
	xdr_in_init(&o->in, o->bytes, xdr_out_len(&out), &o->rpc->arena);
	o->args = (COMPOUND4args){ .minorversion = 1,
	    .argarray = { .in = &o->in, .n = n + 1 } };
	return go_on(o);
}

static bool
open_by(struct one *o, const char *owner, uint32_t access)
{
	OPEN4args *args;

	op_putfh(file);
	args = &op(OP_OPEN)->opopen;
	args->share_access = access;
	args->owner.owner = text(owner);
	args->claim.claim = CLAIM_FH;
	return go(o);
}

/* The stateid of its OPEN, which must have succeeded. */
static stateid4
opened(struct one *o)
{
	CHECK(o->res.status == NFS4_OK);
	return o->res.resarray.v[2].opopen.resok4.stateid;
}

static stateid4
open_now(const char *owner, uint32_t access)
{
	stateid4 s;

	CHECK(open_by(&a, owner, access));
	s = opened(&a);
	end_of(&a);
	return s;
}

static void
close_it(stateid4 s)
{
	op_putfh(file);
	op(OP_CLOSE)->opclose.open_stateid = s;
	CHECK(run(1) == NFS4_OK);
}

/* ------------------------------------------------------- open and close -- */

static void
test_a_file_system_hears_of_the_first_open_and_the_last_close(void)
{
	stateid4 one, two;

	start();
	one = open_now("one", OPEN4_SHARE_ACCESS_READ);
	two = open_now("two", OPEN4_SHARE_ACCESS_READ);
	assert_string_equal(rig.toy->told, "o");
	close_it(one);
	assert_string_equal(rig.toy->told, "o");
	close_it(two);
	assert_string_equal(rig.toy->told, "oc");
	close_it(open_now("one", OPEN4_SHARE_ACCESS_READ));
	assert_string_equal(rig.toy->told, "ococ");
	stop();
}

static void
test_a_file_that_is_open_is_closed_when_the_server_ends(void)
{
	start();
	open_now("one", OPEN4_SHARE_ACCESS_READ);
	nfs4_free(rig.nfs.nfs4);
	assert_string_equal(rig.toy->told, "oc");
	rig.nfs.nfs4 = nfs4_new(&rig.nfs, NULL, 0);
	stop();
}

static void
test_an_open_waits_while_the_file_system_is_told_of_another(void)
{
	stateid4 one, two;

	start();
	rig.toy->later_open = true;
	CHECK(!open_by(&a, "one", OPEN4_SHARE_ACCESS_READ));
	CHECK(!open_by(&b, "two", OPEN4_SHARE_ACCESS_READ));
	assert_string_equal(rig.toy->told, "o");
	CHECK(!is_resumed(&b));
	CHECK(toy_complete(rig.toy));
	CHECK(is_resumed(&a));
	CHECK(go_on(&a));
	CHECK(is_resumed(&b));
	CHECK(go_on(&b));
	assert_string_equal(rig.toy->told, "o");
	one = opened(&a);
	two = opened(&b);
	end_of(&a);
	end_of(&b);
	close_it(one);
	assert_string_equal(rig.toy->told, "o");
	close_it(two);
	assert_string_equal(rig.toy->told, "oc");
	stop();
}

static void
test_an_open_that_fails_gives_the_turn_to_the_next(void)
{
	start();
	rig.toy->later_open = true;
	CHECK(!open_by(&a, "one", OPEN4_SHARE_ACCESS_READ));
	CHECK(!open_by(&b, "two", OPEN4_SHARE_ACCESS_READ));
	rig.toy->pending_err = EACCES;
	CHECK(toy_complete(rig.toy));
	CHECK(go_on(&a));
	CHECK(a.res.status == NFS4ERR_ACCESS);
	end_of(&a);
	CHECK(is_resumed(&b));
	CHECK(!go_on(&b));
	assert_string_equal(rig.toy->told, "oo");
	CHECK(toy_complete(rig.toy));
	CHECK(go_on(&b));
	opened(&b);
	end_of(&b);
	stop();
}

static void
test_calls_that_end_while_they_wait_leave_nothing_behind(void)
{
	start();
	rig.toy->later_open = true;
	CHECK(!open_by(&a, "one", OPEN4_SHARE_ACCESS_READ));
	CHECK(!open_by(&b, "two", OPEN4_SHARE_ACCESS_READ));
	end_of(&b);
	CHECK(toy_complete(rig.toy));
	CHECK(go_on(&a));
	close_it(opened(&a));
	end_of(&a);
	assert_string_equal(rig.toy->told, "oc");
	stop();
}

static void
test_the_last_who_may_write_is_told_while_others_read(void)
{
	stateid4 reader, writer;

	start();
	reader = open_now("reader", OPEN4_SHARE_ACCESS_READ);
	writer = open_now("writer", OPEN4_SHARE_ACCESS_BOTH);
	close_it(writer);
	assert_string_equal(rig.toy->told, "ow");
	close_it(reader);
	assert_string_equal(rig.toy->told, "owc");
	/* The last of all is told by close alone. */
	close_it(open_now("writer", OPEN4_SHARE_ACCESS_WRITE));
	assert_string_equal(rig.toy->told, "owcoc");
	stop();
}

static void
test_a_downgrade_that_gives_up_writing_is_told(void)
{
	OPEN_DOWNGRADE4args *d;
	stateid4 s;

	start();
	open_now("one", OPEN4_SHARE_ACCESS_READ);
	s = open_now("one", OPEN4_SHARE_ACCESS_WRITE);
	assert_string_equal(rig.toy->told, "o");
	op_putfh(file);
	d = &op(OP_OPEN_DOWNGRADE)->opopen_downgrade;
	d->open_stateid = s;
	d->share_access = OPEN4_SHARE_ACCESS_READ;
	CHECK(run(1) == NFS4_OK);
	assert_string_equal(rig.toy->told, "ow");
	close_it(RES(1, opopen_downgrade).resok4.open_stateid);
	assert_string_equal(rig.toy->told, "owc");
	stop();
}

/* --------------------------------------------------- created by somebody -- */

/* OPEN of a name that another makes between our look-up and our creation. */
static nfsstat4
create_behind(uint32_t access, uint64_t *size)
{
	static uint32_t size_word[1] = { 1u << FATTR4_SIZE };
	static const uint8_t zero[8];
	OPEN4args *args;
	nfsstat4 st;

	rig.toy->hide = true;
	op(OP_PUTROOTFH);
	args = &op(OP_OPEN)->opopen;
	args->share_access = access;
	args->owner.owner = text("one");
	args->openhow.opentype = OPEN4_CREATE;
	args->openhow.how.mode = UNCHECKED4;
	args->openhow.how.createattrs.attrmask = (bitmap4){ size_word, 1 };
	args->openhow.how.createattrs.attr_vals = xdr_view(zero, 8);
	args->claim.claim = CLAIM_NULL;
	args->claim.file = text("file");
	st = run(1);
	CHECK(!rig.toy->hide);
	*size = toy_find(&rig.toy->obj[0], (struct pinefs_name){ "file",
	    4 })->obj->attr.size;
	return st;
}

static void
test_a_file_that_is_there_after_all_is_not_opened_without_its_rights(void)
{
	struct toy_obj *o;
	uint64_t size;

	start();
	rig.cred.uid = rig.cred.gid = 1000;
	rig.toy->obj[0].attr.mode = 0777;
	o = toy_find(&rig.toy->obj[0], (struct pinefs_name){ "file",
	    4 })->obj;
	o->attr.mode = 0444;
	CHECK(create_behind(OPEN4_SHARE_ACCESS_WRITE, &size) ==
	    NFS4ERR_ACCESS);
	CHECK(size == 4);
	o->attr.mode = 0;
	CHECK(create_behind(OPEN4_SHARE_ACCESS_READ, &size) ==
	    NFS4ERR_ACCESS);
	CHECK(size == 4);
	o->attr.mode = 0666;
	CHECK(create_behind(OPEN4_SHARE_ACCESS_BOTH, &size) == NFS4_OK);
	CHECK(size == 0);
	stop();
}

static void
test_a_file_that_is_there_after_all_is_not_cut_against_a_reservation(void)
{
	OPEN4args *args;
	uint64_t size;

	start();
	op_putfh(file);
	args = &op(OP_OPEN)->opopen;
	args->share_access = OPEN4_SHARE_ACCESS_READ;
	args->share_deny = OPEN4_SHARE_DENY_WRITE;
	args->owner.owner = text("other");
	args->claim.claim = CLAIM_FH;
	CHECK(run(1) == NFS4_OK);
	CHECK(create_behind(OPEN4_SHARE_ACCESS_WRITE, &size) ==
	    NFS4ERR_SHARE_DENIED);
	CHECK(size == 4);
	stop();
}

/* --------------------------------------------------------------- records -- */

static void
test_a_client_is_on_the_disk_before_its_reply_goes_out(void)
{
	start();	/* which said RECLAIM_COMPLETE */
	CHECK(disk.adds == 1);
	CHECK(disk.syncs == 1);
	CHECK(disk.unsynced == 0);
	open_now("one", OPEN4_SHARE_ACCESS_READ);
	CHECK(disk.adds == 1);
	stop();
}

static void
test_a_client_that_could_not_be_recorded_is_recorded_at_its_next_open(void)
{
	start();
	rig4_stop();
	rig_start();
	memset(&v4, 0, sizeof v4);
	rig.nfs.nfs4 = nfs4_new(&rig.nfs, &records, 0);
	rig.toy->on_close = told_close;
	toy_add(rig.toy, &rig.toy->obj[0], "file", PINEFS_REG, 0666, "text");
	file = look_up(root(), "file");
	memset(&disk, 0, sizeof disk);
	disk.err = ENOSPC;
	a.seq = 0;
	op(OP_RECLAIM_COMPLETE);
	CHECK(run(1) == NFS4_OK);
	CHECK(disk.adds == 1);
	disk.err = 0;
	open_now("one", OPEN4_SHARE_ACCESS_READ);
	CHECK(disk.adds == 2);
	CHECK(disk.unsynced == 0);
	open_now("two", OPEN4_SHARE_ACCESS_READ);
	CHECK(disk.adds == 2);
	stop();
}

static void
test_a_client_that_goes_is_taken_off_the_disk(void)
{
	clientid4 id;

	start();
	memcpy(&id, v4.session, sizeof id);	/* nfs4_session.c */
	memcpy(op(OP_DESTROY_SESSION)->opdestroy_session.dsa_sessionid,
	    v4.session, sizeof v4.session);
	CHECK(run_bare(1) == NFS4_OK);
	op(OP_DESTROY_CLIENTID)->opdestroy_clientid.dca_clientid = id;
	CHECK(run_bare(1) == NFS4_OK);
	CHECK(disk.removes == 1);
	CHECK(disk.unsynced == 0);
	stop();
}

CHECK_MAIN(
	CHECK_TEST(test_a_file_system_hears_of_the_first_open_and_the_last_close),
	CHECK_TEST(test_a_file_that_is_open_is_closed_when_the_server_ends),
	CHECK_TEST(test_an_open_waits_while_the_file_system_is_told_of_another),
	CHECK_TEST(test_an_open_that_fails_gives_the_turn_to_the_next),
	CHECK_TEST(test_calls_that_end_while_they_wait_leave_nothing_behind),
	CHECK_TEST(test_the_last_who_may_write_is_told_while_others_read),
	CHECK_TEST(test_a_downgrade_that_gives_up_writing_is_told),
	CHECK_TEST(test_a_file_that_is_there_after_all_is_not_opened_without_its_rights),
	CHECK_TEST(test_a_file_that_is_there_after_all_is_not_cut_against_a_reservation),
	CHECK_TEST(test_a_client_is_on_the_disk_before_its_reply_goes_out),
	CHECK_TEST(test_a_client_that_could_not_be_recorded_is_recorded_at_its_next_open),
	CHECK_TEST(test_a_client_that_goes_is_taken_off_the_disk),
)
