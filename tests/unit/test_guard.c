/*
 * Promises: given only where nothing changes, and asked for before each
 * change, by whatever operation.
 */
#include <errno.h>

#include "vfs/fs.h"
#include "vfs/guard.h"
#include "vfs_rig.h"

static struct vfs_export x;
static struct rig_call r;
static struct pinefs_node *root, *file;
static unsigned writes;

static int
fs_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	(void)call;
	CHECK(!vfs_node_promise(node));	/* while it changes */
	w->written = w->count;
	w->committed = PINEFS_FILE_SYNC;
	writes++;
	return 0;
}

static int
fs_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	(void)call, (void)node;
	return pinefs_out_slice(out, "12345678", 8, off, count);
}

static int
fs_truncate(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t size)
{
	(void)call, (void)node, (void)size;
	return 0;
}

static const struct pinefs_ops ops = {
	.flags = PINEFS_PROMPT | PINEFS_DELEGATION, .read = fs_read,
	.write = fs_write, .truncate = fs_truncate };

/* What is asked, and what is answered. */
static struct {
	unsigned		 n;
	int			 answer;
	struct pinefs_node	*node;
	struct pinefs_call	*call;
} asked;

static bool moves;		/* another object comes there meanwhile */

static int
ask(void *arg, struct pinefs_call *call, struct pinefs_node *node)
{
	CHECK(arg == &asked);
	if (moves)
		CHECK(pinefs_move(x.fs, root, "new", root, "f") == 0);
	moves = false;
	asked.n++;
	asked.node = node;
	asked.call = call;
	return asked.answer;
}

static void
start(const struct pinefs_ops *table)
{
	rig_export(&x, pinefs_new(table, NULL));
	CHECK(x.fs != NULL);
	vfs_fs_set_guard(x.fs, ask, &asked);
	rig_begin(&r, &x);
	CHECK(vfs_node_root(&r.call, &root) == 0);
	file = pinefs_add_file(x.fs, root, "f", 0644, 8);
	CHECK(file != NULL);
	pinefs_node_get(file);	/* beyond its last name */
	memset(&asked, 0, sizeof asked);
	writes = 0;
}

static void
stop(void)
{
	rig_end(&r);
	pinefs_node_put(file);
	pinefs_free(x.fs);
}

static void
as(uint32_t uid)
{
	rig_end(&r);
	rig_begin_as(&r, &x, uid, uid);
}

static uint32_t
word(void)
{
	return atomic_load(&file->guard);
}

/* Each change of the file "f" of the root. */

static int
do_write(struct pinefs_call *call, void *arg)
{
	struct vfs_write w = { .data = xdr_view("x", 1) };

	(void)arg;
	return vfs_write(call, file, &w);
}

static int
do_chmod(struct pinefs_call *call, void *arg)
{
	struct pinefs_set set = { .attr.have = PINEFS_MODE,
	    .attr.mode = 0600 };
	struct vfs_wcc wcc;

	(void)arg;
	return vfs_setattr(call, file, &set, &wcc);
}

static int
do_cut(struct pinefs_call *call, void *arg)
{
	struct pinefs_set set = { .attr.have = PINEFS_SIZE };
	struct vfs_wcc wcc;

	(void)arg;
	return vfs_setattr(call, file, &set, &wcc);
}

static int
do_link(struct pinefs_call *call, void *arg)
{
	struct vfs_wcc wcc;

	(void)arg;
	return vfs_link(call, file, root, rig_name("g"), &wcc);
}

static int
do_rename(struct pinefs_call *call, void *arg)
{
	struct vfs_wcc from, to;

	(void)arg;
	return vfs_rename(call, root, rig_name("f"), root, rig_name("h"),
	    &from, &to);
}

static int
do_replace(struct pinefs_call *call, void *arg)
{
	struct vfs_wcc from, to;

	(void)arg;
	return vfs_rename(call, root, rig_name("other"), root, rig_name("f"),
	    &from, &to);
}

static int
do_remove(struct pinefs_call *call, void *arg)
{
	struct vfs_wcc wcc;

	(void)arg;
	return vfs_remove(call, root, rig_name("f"), PINEFS_REMOVE_FILE,
	    &wcc);
}

static const struct {
	const char	*name;
	rig_proc_fn	*proc;
} changes[] = {
	{ "write", do_write },
	{ "chmod", do_chmod },
	{ "cut", do_cut },
	{ "link", do_link },
	{ "rename", do_rename },
	{ "replace", do_replace },
	{ "remove", do_remove },
};
enum { CHANGES = sizeof changes / sizeof changes[0],
    FIRST_OF_NAME = CHANGES - 3 };	/* those that take the name away */

static void
test_nobody_is_asked_where_nothing_is_promised(void)
{
	for (unsigned i = 0; i < CHANGES; i++) {
		start(&ops);
		pinefs_add_file(x.fs, root, "other", 0644, 0);
		CHECK(rig_run(&r, changes[i].proc, NULL) == 0);
		CHECK(asked.n == 0);
		CHECK(word() == 0);
		stop();
	}
}

static void
test_each_change_asks_first_and_may_be_refused(void)
{
	for (unsigned i = 0; i < CHANGES; i++) {
		start(&ops);
		pinefs_add_file(x.fs, root, "other", 0644, 0);
		CHECK(vfs_node_promise(file));
		asked.answer = EAGAIN;
		CHECK(rig_run(&r, changes[i].proc, NULL) == EAGAIN);
		CHECK(asked.n == 1);
		CHECK(asked.node == file);
		CHECK(word() == GUARD_PROMISED);
		CHECK(writes == 0);
		/* And nothing has happened. */
		as(0);
		asked.answer = 0;
		CHECK(rig_run(&r, changes[i].proc, NULL) == 0);
		CHECK(asked.n == 2);
		stop();
	}
}

static void
test_another_object_that_comes_to_the_name_meanwhile_is_announced(void)
{
	struct pinefs_node *new;

	for (unsigned i = FIRST_OF_NAME; i < CHANGES; i++) {
		start(&ops);
		pinefs_add_file(x.fs, root, "other", 0644, 0);
		new = pinefs_add_file(x.fs, root, "new", 0644, 0);
		pinefs_node_get(new);
		CHECK(vfs_node_promise(file) && vfs_node_promise(new));
		moves = true;
		CHECK(rig_run(&r, changes[i].proc, NULL) == EAGAIN);
		CHECK(asked.n == 1 && asked.node == file);
		CHECK(atomic_load(&new->guard) == GUARD_PROMISED);
		as(0);
		CHECK(rig_run(&r, changes[i].proc, NULL) == 0);
		CHECK(asked.n == 2 && asked.node == new);
		pinefs_node_put(new);
		stop();
	}
}

static void
test_a_change_that_waits_is_made_once_and_lets_nobody_promise(void)
{
	int err;

	for (unsigned i = 0; i < CHANGES; i++) {
		start(&ops);
		pinefs_add_file(x.fs, root, "other", 0644, 0);
		CHECK(vfs_node_promise(file));
		asked.answer = PINEFS_LATER;
		vfs_call_restart(&r.call);
		CHECK(vfs_call_enter(&r.call, &x) == 0);
		CHECK(changes[i].proc(&r.call, NULL) == PINEFS_LATER);
		CHECK(word() == (GUARD_PROMISED | 1));
		/* The promise ends; no other can be given before the change. */
		vfs_node_promise_end(file);
		CHECK(!vfs_node_promise(file));
		pinefs_complete(&r.call, 0);
		CHECK(!vfs_node_promise(file));
		err = rig_run(&r, changes[i].proc, NULL);
		CHECK(err == 0);
		CHECK(asked.n == 1);
		CHECK(word() == 0);
		stop();
	}
}

static void
test_a_call_that_never_comes_back_leaves_nothing_behind(void)
{
	start(&ops);
	CHECK(vfs_node_promise(file));
	asked.answer = PINEFS_LATER;
	vfs_call_restart(&r.call);
	CHECK(vfs_call_enter(&r.call, &x) == 0);
	CHECK(do_write(&r.call, NULL) == PINEFS_LATER);
	pinefs_complete(&r.call, EAGAIN);
	vfs_call_restart(&r.call);
	as(0);
	CHECK(word() == GUARD_PROMISED);
	stop();
}

static void
test_who_may_not_disturbs_nobody(void)
{
	for (unsigned i = 0; i < CHANGES; i++) {
		start(&ops);
		pinefs_add_file(x.fs, root, "other", 0644, 0);
		CHECK(vfs_node_promise(file));
		as(1000);
		CHECK(rig_run(&r, changes[i].proc, NULL) > 0);
		CHECK(asked.n == 0);
		CHECK(word() == GUARD_PROMISED);
		stop();
	}
}

static void
test_reading_asks_nobody(void)
{
	struct pinefs_attr a;
	struct vfs_data data;

	start(&ops);
	CHECK(vfs_node_promise(file));
	CHECK(vfs_read(&r.call, file, 0, 8, &data) == 0);
	CHECK(vfs_getattr(&r.call, file, &a) == 0);
	CHECK(asked.n == 0);
	stop();
}

static void
test_two_promises_are_one_and_end_together(void)
{
	start(&ops);
	CHECK(vfs_node_promise(file));
	CHECK(vfs_node_promise(file));
	vfs_node_promise_end(file);
	CHECK(word() == 0);
	stop();
}

static void
test_only_file_systems_that_say_so_can_be_relied_on(void)
{
	struct pinefs_ops plain = ops, serial = ops;

	plain.flags = PINEFS_PROMPT;
	start(&plain);
	CHECK(!vfs_fs_can_promise(x.fs, &asked));
	CHECK(vfs_node_promise(file));	/* and nobody would ask */
	CHECK(rig_run(&r, do_chmod, NULL) == 0);
	CHECK(asked.n == 0);
	stop();
	serial.flags |= PINEFS_SERIAL;
	start(&serial);
	CHECK(!vfs_fs_can_promise(x.fs, &asked));
	stop();
	start(&ops);
	CHECK(vfs_fs_can_promise(x.fs, &asked));
	/* Nor by another one beside the first. */
	vfs_fs_set_guard(x.fs, ask, &writes);
	CHECK(!vfs_fs_can_promise(x.fs, &writes));
	CHECK(vfs_fs_can_promise(x.fs, &asked));
	vfs_fs_set_guard(x.fs, NULL, &asked);
	CHECK(!vfs_fs_can_promise(x.fs, &asked));
	vfs_fs_set_guard(x.fs, ask, &writes);
	CHECK(vfs_fs_can_promise(x.fs, &writes));
	stop();
}

/* What the program itself does is told after the fact. */

static unsigned told;

static void
hear(void *arg, struct pinefs_node *node)
{
	(void)arg;
	CHECK(node == file);
	told++;
}

static void
test_what_the_program_changes_by_itself_is_told(void)
{
	start(&ops);
	vfs_fs_set_watch(x.fs, hear, NULL);
	told = 0;
	pinefs_touch(file, 1);
	CHECK(told == 0);		/* nobody wants to know */
	CHECK(vfs_node_promise(file));
	pinefs_touch(file, 1);
	CHECK(told == 1);
	CHECK(pinefs_add_link(x.fs, root, "g", file) == file);
	CHECK(told == 2);
	CHECK(pinefs_move(x.fs, root, "g", root, "h") == 0);
	CHECK(told == 3);
	CHECK(pinefs_unlink(x.fs, root, "h") == 0);
	CHECK(told == 4);
	pinefs_add_file(x.fs, root, "new", 0644, 0);
	CHECK(pinefs_move(x.fs, root, "new", root, "f") == 0);
	CHECK(told == 5);
	stop();
}

/* Promises and changes from several threads: never both at once. */

enum { ROUNDS = 20000 };
static atomic_uint promised, both;

static void *
promise_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		if (!vfs_node_promise(file))
			continue;
		atomic_store(&promised, 1);
		atomic_store(&promised, 0);
		vfs_node_promise_end(file);
	}
	return NULL;
}

static int
race_ask(void *arg, struct pinefs_call *call, struct pinefs_node *node)
{
	(void)arg, (void)call, (void)node;
	return EAGAIN;
}

static int
race_change(struct pinefs_call *call, void *arg)
{
	struct vfs_guard *g;
	int err = vfs_guard_begin(call, file, &g);

	(void)arg;
	if (err != 0)
		return err;
	if (atomic_load(&promised))
		atomic_fetch_add(&both, 1);
	vfs_guard_end(g);
	return 0;
}

static void
test_promises_and_changes_never_meet(void)
{
	pthread_t t;

	start(&ops);
	vfs_fs_set_guard(x.fs, race_ask, &asked);
	CHECK(pthread_create(&t, NULL, promise_often, NULL) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		rig_run(&r, race_change, NULL);
		as(0);
	}
	pthread_join(t, NULL);
	CHECK(both == 0);
	CHECK(word() == 0);
	stop();
}

CHECK_MAIN(
	CHECK_TEST(test_nobody_is_asked_where_nothing_is_promised),
	CHECK_TEST(test_each_change_asks_first_and_may_be_refused),
	CHECK_TEST(
	    test_another_object_that_comes_to_the_name_meanwhile_is_announced),
	CHECK_TEST(test_a_change_that_waits_is_made_once_and_lets_nobody_promise),
	CHECK_TEST(test_a_call_that_never_comes_back_leaves_nothing_behind),
	CHECK_TEST(test_who_may_not_disturbs_nobody),
	CHECK_TEST(test_reading_asks_nobody),
	CHECK_TEST(test_two_promises_are_one_and_end_together),
	CHECK_TEST(test_only_file_systems_that_say_so_can_be_relied_on),
	CHECK_TEST(test_what_the_program_changes_by_itself_is_told),
	CHECK_TEST(test_promises_and_changes_never_meet),
)
