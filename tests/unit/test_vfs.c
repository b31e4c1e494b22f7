/*
 * What the library promises to file systems of their own tree (door 2), and
 * what happens to those that break their promises.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "vfs/fs.h"
#include "vfs_rig.h"

/*
 * A file system of a root (100) and files 200 to 209, "f0" to "f9".  What it
 * does wrong, or later, is set by each test.
 */
static struct {
	uint64_t	have;		/* of getattr */
	uint64_t	fileid;		/* of lookup; 0: the right one */
	bool		fileid_zero;
	uint64_t	cookie_step;	/* of readdir; 0: falls */
	uint32_t	type;		/* of files */
	uint64_t	change;
	uint64_t	gone;		/* this one is not there any more */
	int		later;		/* reads: LATER, completed by hand */
	int		early;		/* completed before it returns */
	int		twice, and_zero;
	atomic_int	in, most_in;	/* operations under way */
	unsigned	getattrs, reads, lookups, releases;
	struct pinefs_call *parked;
	void		(*cancel)(void *);
	void		*cancel_arg;
	int		err;
} fs;

static void
enter(void)
{
	int n = atomic_fetch_add(&fs.in, 1) + 1;

	if (n > atomic_load(&fs.most_in))
		atomic_store(&fs.most_in, n);
}

static uint64_t
id_of(const struct pinefs_node *node)
{
	struct pinefs_ident id;

	pinefs_node_ident(node, &id);
	return id.fileid;
}

static int
fs_lookup(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, struct pinefs_ident *id)
{
	(void)call;
	fs.lookups++;
	if (id_of(dir) != 100 || name.len != 2 || name.base[0] != 'f')
		return ENOENT;
	id->fileid = fs.fileid != 0 ? fs.fileid :
	    200 + (uint64_t)(name.base[1] - '0');
	if (fs.fileid_zero)
		id->fileid = 0;
	return 0;
}

static int
fs_getattr(struct pinefs_call *call, struct pinefs_node *node, uint64_t want,
    struct pinefs_attr *a)
{
	uint64_t id = id_of(node);

	(void)call, (void)want;
	fs.getattrs++;
	if ((id != 100 && (id < 200 || id > 209)) || id == fs.gone)
		return ENOENT;
	a->have = fs.have;
	a->type = id == 100 ? (uint32_t)PINEFS_DIR : fs.type;
	a->change = fs.change;
	a->size = 1000;
	return 0;
}

static int
fs_readdir(struct pinefs_call *call, struct pinefs_node *dir, uint64_t after,
    struct pinefs_emit *emit)
{
	struct pinefs_ident id = { 0 };
	struct pinefs_name name = { NULL, 2 };
	char text[3] = "f0";
	uint64_t i;

	(void)call, (void)dir;
	for (i = 0; i < 10; i++) {
		uint64_t cookie = fs.cookie_step == 0 ? 100 - i :
		    (i + 1) * fs.cookie_step;

		if (cookie <= after)
			continue;
		text[1] = (char)('0' + i);
		name.base = text;
		id.fileid = fs.fileid_zero ? 0 : 200 + i;
		if (pinefs_emit(emit, name, &id, cookie, NULL) != 0)
			break;
	}
	return 0;
}

static int
fs_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	(void)node, (void)off;
	fs.reads++;
	enter();
	if (fs.err != 0)
		return fs.err;
	memset(pinefs_out_space(out, count), 'r', count);
	if (fs.cancel != NULL)
		pinefs_call_on_cancel(call, fs.cancel, fs.cancel_arg);
	if (fs.early)
		pinefs_complete(call, 0);
	if (fs.twice)
		pinefs_complete(call, 0);
	if (fs.and_zero)
		return 0;
	fs.parked = call;
	return fs.later || fs.early ? PINEFS_LATER : 0;
}

static void
fs_release(struct pinefs_node *node)
{
	(void)node;
	fs.releases++;
}

static const struct pinefs_ops ops = { .flags = PINEFS_STABLE_IDS,
    .lookup = fs_lookup, .getattr = fs_getattr, .readdir = fs_readdir,
    .read = fs_read, .release = fs_release };

static struct vfs_export x;
static struct rig_call r;

static void
start_with(uint64_t flags)
{
	struct pinefs_ops with = ops;
	struct pinefs_ident root = { .fileid = 100 };
	struct pinefs *p;

	memset(&fs, 0, sizeof fs);
	fs.have = PINEFS_TYPE | PINEFS_CHANGE | PINEFS_SIZE;
	fs.type = PINEFS_REG;
	fs.cookie_step = 1;
	fs.change = 5;
	with.flags |= flags;
	p = pinefs_new(&with, NULL);
	CHECK(p != NULL && pinefs_root(p) == NULL);
	CHECK(pinefs_set_root(p, &root) == 0);
	rig_export(&x, p);
	rig_begin(&r, &x);
}

static void
start(void)
{
	start_with(0);
}

static void
stop(void)
{
	rig_end(&r);
	pinefs_free(x.fs);
}

/* The same, with a `read` of its own. */
static void
start_reading(int (*fn)(struct pinefs_call *, struct pinefs_node *, uint64_t,
    uint32_t, struct pinefs_out *))
{
	struct pinefs_ident root = { .fileid = 100 };
	struct pinefs_ops with = ops;

	start();
	stop();
	with.read = fn;
	x.fs = pinefs_new(&with, NULL);
	CHECK(pinefs_set_root(x.fs, &root) == 0);
	rig_begin(&r, &x);
}

static int
by_id(struct pinefs_call *call, uint64_t fileid, struct pinefs_node **node)
{
	struct pinefs_ident id = { .fileid = fileid };

	return vfs_node_find(call, &x, &id, node);
}

/* A procedure: find file 200, read 10 bytes, ask for its attributes. */
struct read_args {
	uint64_t		fileid;
	char			bytes[16];
	struct pinefs_attr	attr;
};

static int
read_proc(struct pinefs_call *call, void *arg)
{
	struct read_args *a = arg;
	struct pinefs_node *node;
	struct vfs_data data;
	int err;

	if ((err = by_id(call, a->fileid, &node)) != 0 ||
	    (err = vfs_read(call, node, 0, 10, &data)) != 0)
		return err;
	a->bytes[rig_bytes(&data.bytes, a->bytes, 10)] = '\0';
	return vfs_getattr(call, node, &a->attr);
}

/* -------------------------------------------------------------- making -- */

static void
test_some_but_not_all_of_the_three_is_no_file_system(void)
{
	struct pinefs_ops t = { .lookup = fs_lookup, .getattr = fs_getattr };

	errno = 0;
	CHECK(pinefs_new(&t, NULL) == NULL && errno == EINVAL);
	t = (struct pinefs_ops){ .flags = PINEFS_OWN_ACCESS };
	errno = 0;
	CHECK(pinefs_new(&t, NULL) == NULL && errno == EINVAL);
}

static void
test_a_table_of_an_older_header_reads_as_null(void)
{
	struct pinefs_ops *t = malloc(sizeof *t);
	struct pinefs *p;
	size_t size = offsetof(struct pinefs_ops, parent);

	/* What lies behind its end is not looked at. */
	memset(t, 0xff, sizeof *t);
	memset(t, 0, size);
	t->lookup = fs_lookup;
	t->getattr = fs_getattr;
	t->readdir = fs_readdir;
	p = pinefs_new_abi(t, size, PINEFS_ABI, NULL);
	CHECK(p != NULL && vfs_fs_ops(p)->read == NULL &&
	    vfs_fs_ops(p)->release == NULL && vfs_fs_ops(p)->fini == NULL);
	pinefs_free(p);
	free(t);
}

static void
test_a_table_of_a_newer_header_must_not_use_what_is_new(void)
{
	struct { struct pinefs_ops ops; void *more[2]; } t = { 0 };
	struct pinefs *p;

	p = pinefs_new_abi(&t.ops, sizeof t, PINEFS_ABI, NULL);
	CHECK(p != NULL);
	pinefs_free(p);
	t.more[1] = &t;
	errno = 0;
	CHECK(pinefs_new_abi(&t.ops, sizeof t, PINEFS_ABI, NULL) == NULL &&
	    errno == ENOSYS);
	CHECK(pinefs_new_abi(&t.ops, sizeof t.ops, 2, NULL) == NULL &&
	    errno == ENOSYS);
}

static void
test_arg_is_given_back_to_be_freed(void)
{
	struct pinefs_ops t = { .fini = free };
	struct pinefs *p = pinefs_new(&t, malloc(10));

	CHECK(pinefs_arg(p) != NULL);
	pinefs_free(p);		/* a leak checker counts */
}

static void
test_what_is_absent_is_said_to_be(void)
{
	struct vfs_limits l;
	struct pinefs_node *root, *f;
	struct vfs_write w = { .data = xdr_view("x", 1) };
	struct xdr_view text;
	struct pinefs_attr a;
	uint32_t bits;

	start();
	CHECK(vfs_node_root(&r.call, &root) == 0);
	CHECK(vfs_lookup(&r.call, root, rig_name("f0"), &f) == 0);
	CHECK(vfs_write(&r.call, f, &w) == EROFS);
	CHECK(vfs_readlink(&r.call, f, &text) == EINVAL);
	CHECK(vfs_limits(&r.call, root, &l) == 0);
	CHECK(l.read_only && !l.can_link && !l.can_symlink &&
	    !l.can_settime && l.st.name_max == 255 && l.st.bytes > 0);
	CHECK(vfs_access(&r.call, root, 0x3f, &bits, &a) == 0);
	CHECK(bits == (PINEFS_ACCESS_READ | PINEFS_ACCESS_LOOKUP));
	stop();
}

/* ---------------------------------------------------------- attributes -- */

static void
test_what_getattr_leaves_out_has_a_default(void)
{
	struct pinefs_attr a;
	struct pinefs_node *root, *f;

	start();
	CHECK(vfs_node_root(&r.call, &root) == 0);
	CHECK(vfs_getattr(&r.call, root, &a) == 0);
	CHECK(a.have == PINEFS_ALL && a.mode == 0555 && a.nlink == 1);
	CHECK(by_id(&r.call, 200, &f) == 0);
	CHECK(vfs_getattr(&r.call, f, &a) == 0);
	CHECK(a.mode == 0444 && a.uid == getuid() && a.used == 1000);
	CHECK(a.mtime.tv_sec > 0);
	stop();
}

static struct timespec
ctime_of_200(void)
{
	struct pinefs_attr a;
	struct pinefs_node *f;

	rig_end(&r);
	rig_begin(&r, &x);
	CHECK(by_id(&r.call, 200, &f) == 0);
	CHECK(vfs_getattr(&r.call, f, &a) == 0);
	return a.ctime;
}

static void
test_times_that_are_not_given_move_with_the_change_counter(void)
{
	const uint64_t changes[] = { 6, 7, 1000, 2000000000,
	    UINT64_C(1900000000000000001), UINT64_C(1900000000000000002) };
	struct timespec a, b;

	start();
	a = ctime_of_200();
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		fs.change = changes[i];
		b = ctime_of_200();
		CHECK(b.tv_sec > a.tv_sec ||
		    (b.tv_sec == a.tv_sec && b.tv_nsec > a.tv_nsec));
		a = b;
	}
	CHECK(a.tv_sec == 1900000000 && a.tv_nsec == 2);
	stop();
	start_with(PINEFS_CHANGE_UNORDERED);
	a = ctime_of_200();
	fs.change = 1;
	b = ctime_of_200();
	CHECK(memcmp(&a, &b, sizeof a) == 0);
	stop();
}

static void
test_without_type_or_change_there_is_no_answer(void)
{
	struct pinefs_attr a;
	struct pinefs_node *root;

	log_set_level(LOG_LEVEL_ERROR);
	start();
	CHECK(vfs_node_root(&r.call, &root) == 0);
	fs.have = PINEFS_TYPE;
	CHECK(vfs_getattr(&r.call, root, &a) == EIO);
	rig_end(&r);
	rig_begin(&r, &x);
	fs.have = PINEFS_CHANGE;
	CHECK(vfs_getattr(&r.call, root, &a) == EIO);
	stop();
	log_set_level(LOG_LEVEL_INFO);
}

static void
test_an_object_that_changes_its_type_is_another(void)
{
	struct pinefs_attr a;
	struct pinefs_node *f;

	start();
	CHECK(by_id(&r.call, 200, &f) == 0);
	pinefs_node_get(f);
	rig_end(&r);
	rig_begin(&r, &x);
	fs.type = PINEFS_LNK;
	CHECK(vfs_getattr(&r.call, f, &a) == ESTALE);
	pinefs_node_put(f);
	stop();
}

static void
test_attributes_are_asked_for_once_where_nothing_changed(void)
{
	struct read_args a = { .fileid = 200 };
	struct pinefs_attr attr;
	struct pinefs_node *f;

	start();
	CHECK(rig_run(&r, read_proc, &a) == 0);
	/* Resolve asks for two, rights for all: the reply needs no more. */
	assert_int_equal(fs.getattrs, 2);
	CHECK(by_id(&r.call, 200, &f) == 0);
	CHECK(vfs_getattr(&r.call, f, &attr) == 0);
	stop();
}

/* ------------------------------------------------------------ identity -- */

static void
test_a_handle_whose_object_is_gone_is_stale(void)
{
	struct pinefs_ident id = { .fileid = 200, .generation = 3 };
	struct pinefs_node *n;

	start();
	CHECK(by_id(&r.call, 300, &n) == ESTALE);
	CHECK(by_id(&r.call, 200, &n) == 0);
	CHECK(vfs_node_find(&r.call, &x, &id, &n) == ESTALE);
	stop();
	CHECK(fs.releases == 4);	/* 300, 200, 200.3, and the root */
}

static void
test_fileid_zero_never_leaves(void)
{
	struct pinefs_node *root, *n;
	struct pinefs_ident none = { 0 };

	log_set_level(LOG_LEVEL_ERROR);
	start();
	CHECK(vfs_node_root(&r.call, &root) == 0);
	fs.fileid_zero = true;
	CHECK(vfs_lookup(&r.call, root, rig_name("f1"), &n) == EIO);
	CHECK(pinefs_set_root(x.fs, &none) == EIO);
	stop();
	log_set_level(LOG_LEVEL_INFO);
}

static void
test_a_node_lives_while_it_is_used_and_is_released_once(void)
{
	struct pinefs_node *n, *m;

	start();
	CHECK(by_id(&r.call, 200, &n) == 0);
	CHECK(by_id(&r.call, 200, &m) == 0 && m == n);
	pinefs_node_set_data(n, &fs);
	pinefs_node_get(n);
	rig_end(&r);
	CHECK(fs.releases == 0);
	rig_begin(&r, &x);
	CHECK(by_id(&r.call, 200, &m) == 0 && m == n);
	CHECK(pinefs_node_data(m) == &fs);
	rig_end(&r);
	pinefs_node_put(n);
	CHECK(fs.releases == 1);
	rig_begin(&r, &x);
	CHECK(by_id(&r.call, 200, &m) == 0 && pinefs_node_data(m) == NULL);
	stop();
	CHECK(fs.releases == 3);
}

static void
test_own_bytes_tell_objects_apart(void)
{
	struct pinefs_ident a = { 200, 0, "one", 3 }, b = { 200, 0, "two", 3 },
	    id;
	struct pinefs_node *na, *nb, *n;

	start();
	CHECK(vfs_node_find(&r.call, &x, &a, &na) == 0);
	CHECK(vfs_node_find(&r.call, &x, &b, &nb) == 0 && na != nb);
	CHECK(vfs_node_find(&r.call, &x, &a, &n) == 0 && n == na);
	vfs_node_handle_ident(nb, &id);
	CHECK(id.own_len == 3 && memcmp(id.own, "two", 3) == 0);
	stop();
}

static void
test_the_parent_is_where_it_was_looked_up(void)
{
	struct pinefs_node *root, *n;

	start();
	fs.type = PINEFS_DIR;
	CHECK(vfs_node_root(&r.call, &root) == 0);
	CHECK(vfs_lookup(&r.call, root, rig_name("f3"), &n) == 0);
	CHECK(vfs_lookup(&r.call, n, rig_name(".."), &n) == 0 && n == root);
	/* One that was never looked up: the root. */
	CHECK(by_id(&r.call, 204, &n) == 0);
	CHECK(vfs_lookup_parent(&r.call, n, &n) == 0 && n == root);
	stop();
}

/* --------------------------------------------------------------- later -- */

static void
test_a_call_waits_and_runs_again_without_asking_twice(void)
{
	struct read_args a = { .fileid = 200 };

	start();
	fs.later = 1;
	CHECK(read_proc(&r.call, &a) == PINEFS_LATER);
	vfs_call_restart(&r.call);
	CHECK(vfs_call_enter(&r.call, &x) == 0);
	/* Too early: it still waits, and nothing is asked. */
	CHECK(read_proc(&r.call, &a) == PINEFS_LATER);
	CHECK(fs.reads == 1 && r.resumed == 0);
	pinefs_complete(fs.parked, 0);
	CHECK(r.resumed == 1);
	CHECK(rig_run(&r, read_proc, &a) == 0);
	CHECK(strcmp(a.bytes, "rrrrrrrrrr") == 0);
	CHECK(fs.reads == 1 && fs.getattrs == 2);
	stop();
}

static void
test_completed_before_it_returned_needs_no_waiting(void)
{
	struct read_args a = { .fileid = 200 };

	start();
	fs.early = 1;
	CHECK(read_proc(&r.call, &a) == 0);
	CHECK(r.resumed == 0 && strcmp(a.bytes, "rrrrrrrrrr") == 0);
	stop();
}

static void
test_an_error_may_come_later_too(void)
{
	struct read_args a = { .fileid = 200 };

	start();
	fs.later = 1;
	CHECK(read_proc(&r.call, &a) == PINEFS_LATER);
	pinefs_complete(fs.parked, ENOSPC);
	CHECK(rig_run(&r, read_proc, &a) == ENOSPC);
	CHECK(fs.reads == 1);
	stop();
}

static void
test_gone_is_said_one_way(void)
{
	struct read_args a = { .fileid = 200 };

	start();
	fs.err = ENOENT;
	CHECK(read_proc(&r.call, &a) == ESTALE);
	stop();
}

#ifndef NDEBUG
static void
complete_twice(void)
{
	struct read_args a = { .fileid = 200 };

	fs.early = fs.twice = 1;
	read_proc(&r.call, &a);
}

static void
complete_and_return_zero(void)
{
	struct read_args a = { .fileid = 200 };

	fs.early = fs.and_zero = 1;
	read_proc(&r.call, &a);
}

static void
return_nonsense(void)
{
	struct read_args a = { .fileid = 200 };

	fs.err = -7;
	read_proc(&r.call, &a);
}

static void
list_backwards(void)
{
	struct vfs_readdir rd = { .cookie = 0 };
	struct pinefs_node *root;

	fs.cookie_step = 0;
	vfs_node_root(&r.call, &root);
	vfs_readdir(&r.call, root, &rd);
}
#endif

static void
test_broken_promises_end_a_debug_build(void)
{
#ifdef NDEBUG
	skip();
#else
	start();
	CHECK(rig_dies(complete_twice));
	CHECK(rig_dies(complete_and_return_zero));
	CHECK(rig_dies(return_nonsense));
	CHECK(rig_dies(list_backwards));
	stop();
#endif
}

static clock_source_fn later_clock;
static time_t offset;

static void
later_clock(clockid_t which, struct timespec *ts)
{
	clock_gettime(which, ts);
	ts->tv_sec += offset;
}

static void
test_a_call_that_waits_long_is_logged_once(void)
{
	struct read_args a = { .fileid = 200 };
	char line[512];
	int fds[2], saved = dup(2);
	ssize_t n;

	start();
	CHECK(pipe(fds) == 0);
	clock_set_source(later_clock);
	fs.later = 1;
	CHECK(read_proc(&r.call, &a) == PINEFS_LATER);
	offset = 29;
	dup2(fds[1], 2);
	vfs_fs_check_waits(x.fs, clock_boot_ms());
	offset = 31;
	vfs_fs_check_waits(x.fs, clock_boot_ms());
	vfs_fs_check_waits(x.fs, clock_boot_ms());
	dup2(saved, 2);
	close(saved);
	close(fds[1]);
	n = read(fds[0], line, sizeof line - 1);
	close(fds[0]);
	clock_set_source(NULL);
	CHECK(n > 0);
	line[n] = '\0';
	CHECK(strstr(line, "read of object 0xc8") != NULL);
	CHECK(strchr(line, '\n') == line + n - 1);	/* one line */
	pinefs_complete(fs.parked, 0);
	CHECK(rig_run(&r, read_proc, &a) == 0);
	stop();
}

/* Whoever looks finds this many ms gone. */
static unsigned tick;
static uint64_t ticked;

static void
ticking_clock(clockid_t which, struct timespec *ts)
{
	(void)which;
	ticked += tick;
	ts->tv_sec = (time_t)(ticked / 1000);
	ts->tv_nsec = (long)(ticked % 1000) * 1000000;
}

/* What is logged of a READ that takes as long. */
static const char *
logged_of_read(unsigned ms)
{
	static char text[512];
	struct read_args a = { .fileid = 200 };
	int fds[2], saved = dup(2);
	ssize_t n;

	CHECK(pipe(fds) == 0);
	CHECK(write(fds[1], "", 1) == 1);
	rig_end(&r);
	rig_begin(&r, &x);
	tick = ms;
	dup2(fds[1], 2);
	CHECK(read_proc(&r.call, &a) == 0);
	dup2(saved, 2);
	tick = 0;
	n = read(fds[0], text, sizeof text - 1);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	text[n < 0 ? 0 : n] = '\0';
	return text + 1;
}

static void
test_an_operation_that_blocks_is_logged_once_a_minute(void)
{
	const char *text;

	start();
	clock_set_source(ticking_clock);
	CHECK(*logged_of_read(10) == '\0');
	text = logged_of_read(11);
	CHECK(strstr(text, "export /") != NULL);
	CHECK(strstr(text, "took 11 ms") != NULL);
	CHECK(strchr(text, '\n') == text + strlen(text) - 1);
	CHECK(*logged_of_read(5000) == '\0');
	ticked += 60000;
	CHECK(strstr(logged_of_read(20), "took 20 ms") != NULL);
	/* It was said that it may. */
	ticked += 60000;
	x.fs->ops.blocking = ~UINT64_C(0);
	CHECK(*logged_of_read(20) == '\0');
	x.fs->ops.blocking = 0;
	clock_set_source(NULL);
	stop();
}

/* -------------------------------------------------------------- cancel -- */

static unsigned cancelled;

static void
count_cancel(void *arg)
{
	cancelled++;
	CHECK(arg == &fs);
}

static void
complete_in_cancel(void *arg)
{
	cancelled++;
	pinefs_complete(arg, EINTR);
}

static void
test_cancel_is_told_once_and_the_call_still_ends(void)
{
	struct read_args a = { .fileid = 200 };

	start();
	cancelled = 0;
	fs.later = 1;
	fs.cancel = count_cancel;
	fs.cancel_arg = &fs;
	CHECK(read_proc(&r.call, &a) == PINEFS_LATER);
	vfs_call_cancel(&r.call);
	vfs_call_cancel(&r.call);
	CHECK(cancelled == 1);
	pinefs_complete(fs.parked, 0);
	CHECK(rig_run(&r, read_proc, &a) == 0);
	stop();
}

static void
test_after_completion_nothing_is_cancelled(void)
{
	struct read_args a = { .fileid = 200 };

	start();
	cancelled = 0;
	fs.later = 1;
	fs.cancel = count_cancel;
	fs.cancel_arg = &fs;
	CHECK(read_proc(&r.call, &a) == PINEFS_LATER);
	pinefs_complete(fs.parked, 0);
	vfs_call_cancel(&r.call);
	CHECK(cancelled == 0);
	CHECK(rig_run(&r, read_proc, &a) == 0);
	stop();
}

static void
test_cancel_may_complete_and_an_early_one_is_not_missed(void)
{
	struct read_args a = { .fileid = 200 };

	start();
	cancelled = 0;
	fs.later = 1;
	fs.cancel = complete_in_cancel;
	fs.cancel_arg = &r.call;
	CHECK(read_proc(&r.call, &a) == PINEFS_LATER);
	vfs_call_cancel(&r.call);
	CHECK(cancelled == 1 && rig_run(&r, read_proc, &a) == EINTR);
	rig_end(&r);

	rig_begin(&r, &x);
	vfs_call_cancel(&r.call);
	CHECK(cancelled == 1);
	CHECK(read_proc(&r.call, &a) == EINTR);	/* told as it registered */
	CHECK(cancelled == 2);
	stop();
}

/* -------------------------------------------------------------- serial -- */

static void
test_a_serial_file_system_has_one_operation_at_a_time(void)
{
	struct read_args a = { .fileid = 200 }, b = { .fileid = 201 };
	static struct rig_call other;
	struct pinefs_call *first;

	start_with(PINEFS_SERIAL);
	rig_begin(&other, &x);
	fs.later = 1;
	CHECK(read_proc(&r.call, &a) == PINEFS_LATER);
	first = fs.parked;
	CHECK(read_proc(&other.call, &b) == PINEFS_LATER);
	CHECK(fs.reads == 1 && other.resumed == 0 && fs.getattrs == 2);
	pinefs_complete(first, 0);
	CHECK(r.resumed == 1 && other.resumed == 1);
	fs.later = 0;
	CHECK(rig_run(&r, read_proc, &a) == 0);
	CHECK(rig_run(&other, read_proc, &b) == 0);
	CHECK(fs.reads == 2);
	rig_end(&other);
	stop();
}

static void
test_a_serial_file_system_is_told_of_releases_in_turn(void)
{
	struct read_args a = { .fileid = 200 };
	struct pinefs_node *n;

	start_with(PINEFS_SERIAL);
	CHECK(by_id(&r.call, 205, &n) == 0);
	pinefs_node_get(n);
	rig_end(&r);
	rig_begin(&r, &x);
	fs.later = 1;
	CHECK(read_proc(&r.call, &a) == PINEFS_LATER);
	pinefs_node_put(n);
	CHECK(fs.releases == 0);	/* an operation is under way */
	pinefs_complete(fs.parked, 0);
	CHECK(fs.releases == 1);
	CHECK(rig_run(&r, read_proc, &a) == 0);
	stop();
	CHECK(fs.releases == 3);
}

/* ------------------------------------------------------------- listing -- */

struct page {
	unsigned	n, max;
	uint64_t	last;
	uint64_t	attrs;
	char		names[2000];
};

static int
page_add(void *arg, const struct vfs_entry *e)
{
	struct page *p = arg;

	if (p->n == p->max)
		return 1;
	p->n++;
	p->last = e->cookie;
	p->attrs += e->attr != NULL;
	strncat(p->names, e->name.base, e->name.len);
	strcat(p->names, " ");
	return 0;
}

static void
list_all(unsigned page_size, bool dots, bool narrow, uint64_t want,
    struct page *all)
{
	struct vfs_readdir rd = { .dots = dots, .narrow = narrow,
	    .want = want, .add = page_add, .add_arg = all };
	struct pinefs_node *root;
	unsigned before;

	memset(all, 0, sizeof *all);
	do {
		rd.cookie = all->last;
		before = all->n;
		all->max = before + page_size;
		CHECK(vfs_node_root(&r.call, &root) == 0);
		CHECK(vfs_readdir(&r.call, root, &rd) == 0);
		CHECK(rd.eof || all->n > before);
		rig_end(&r);
		rig_begin(&r, &x);
	} while (!rd.eof);
}

static void
test_listings_are_whole_with_pages_of_any_size(void)
{
	struct page p;

	start();
	for (unsigned size = 1; size <= 14; size++) {
		list_all(size, true, false, 0, &p);
		CHECK(strcmp(p.names,
		    ". .. f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 ") == 0);
		list_all(size, false, true, 0, &p);
		CHECK(strcmp(p.names,
		    "f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 ") == 0);
		CHECK(p.attrs == 0);
	}
	list_all(100, true, false, PINEFS_ALL, &p);
	CHECK(p.n == 12 && p.attrs == 12);
	stop();
}

static void
test_wide_cookies_fit_into_version_2(void)
{
	struct page p;

	start_with(PINEFS_WIDE_COOKIES);
	fs.cookie_step = UINT64_C(3) << 58;	/* upper halves all differ */
	list_all(3, true, true, 0, &p);
	CHECK(strcmp(p.names,
	    ". .. f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 ") == 0);
	CHECK(p.last <= UINT32_MAX);
	stop();
}

/* Room for `max` entries, and what is reserved behind one is one of 20. */
static int
page_add_reserve(void *arg, const struct vfs_entry *e)
{
	struct page *p = arg;

	if (p->n + e->reserve / 20 >= p->max)
		return 1;
	return page_add(arg, e);
}

static void
test_entries_of_one_short_cookie_are_never_parted(void)
{
	struct vfs_readdir rd = { .narrow = true, .add = page_add_reserve };
	struct pinefs_node *root;
	struct page p = { .max = 8 };

	/* f0 to f9: upper halves 0, 1 1, 2 2, 3 3, 4 4, 5. */
	start_with(PINEFS_WIDE_COOKIES);
	fs.cookie_step = (UINT64_C(1) << 31) + 1;
	rd.add_arg = &p;
	CHECK(vfs_node_root(&r.call, &root) == 0);
	p.max = 4;
	CHECK(vfs_readdir(&r.call, root, &rd) == 0 && !rd.eof);
	CHECK(strcmp(p.names, "f0 f1 f2 ") == 0);	/* f3 would fit alone */
	rd.cookie = p.last;
	p.max = 100;
	CHECK(vfs_readdir(&r.call, root, &rd) == 0 && rd.eof);
	CHECK(strcmp(p.names, "f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 ") == 0);
	stop();
}

static void
test_an_entry_that_went_meanwhile_is_skipped(void)
{
	struct page p;

	start();
	fs.gone = 203;
	list_all(4, false, false, PINEFS_ALL, &p);
	CHECK(strcmp(p.names, "f0 f1 f2 f4 f5 f6 f7 f8 f9 ") == 0);
	CHECK(p.attrs == 9);
	stop();
}

/* --------------------------------------------------------- out pieces -- */

static unsigned given_back;

static void
give_back(void *owner)
{
	(void)owner;
	given_back++;
}

static int
borrow_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	static const char text[100];
	int err = 0;

	(void)call, (void)node, (void)off, (void)count;
	for (int i = 0; i < 20 && err == 0; i++)
		err = pinefs_out_borrow(out, text, sizeof text, give_back,
		    NULL);
	return err != 0 ? err : fs.err;
}

static void
read_borrowed(uint32_t count, int err, unsigned taken)
{
	struct pinefs_node *n;
	struct vfs_data data;
	struct xdr_piece *p;
	unsigned i;

	start_reading(borrow_read);
	given_back = 0;
	fs.err = err;
	CHECK(by_id(&r.call, 200, &n) == 0);
	CHECK(vfs_read(&r.call, n, 0, count, &data) == err);
	if (err == 0) {
		CHECK(data.bytes.len == (count < 2000 ? count : 2000));
		/* Some are moved into a chain, which will give them back. */
		p = (struct xdr_piece *)(uintptr_t)data.bytes.data;
		for (i = 0; i < taken; i++)
			p[i].release = NULL;
	}
	stop();
	assert_int_equal(given_back, 20 - taken);
}

static void
test_every_borrowed_piece_is_given_back_once(void)
{
	read_borrowed(4096, 0, 0);
	read_borrowed(4096, 0, 5);
	read_borrowed(4096, EIO, 0);
	read_borrowed(250, 0, 3);	/* what was too much goes at once */
	read_borrowed(200, 0, 2);
}

static int
slice_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	char text[11] = "0123456789";

	(void)call, (void)node;
	return pinefs_out_slice(out, text, 10, off, count);
}

static void
test_a_slice_is_a_copy_and_knows_its_end(void)
{
	const struct {
		uint64_t	off;
		uint32_t	count;
		const char	*bytes;
		bool		eof;
	} row[] = { { 0, 10, "0123456789", true }, { 0, 9, "012345678", false },
	    { 3, 4, "3456", false }, { 9, 100, "9", true },
	    { 10, 100, "", true }, { 1u << 31, 100, "", true },
	    { UINT64_C(1) << 40, 1, "", true } };
	struct pinefs_node *n;
	struct vfs_data data;
	char bytes[16];

	start_reading(slice_read);
	CHECK(by_id(&r.call, 200, &n) == 0);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		CHECK(vfs_read(&r.call, n, row[i].off, row[i].count,
		    &data) == 0);
		bytes[rig_bytes(&data.bytes, bytes, 15)] = '\0';
		CHECK(strcmp(bytes, row[i].bytes) == 0);
		CHECK(data.eof == row[i].eof);
	}
	stop();
}

static int file_fd;

static int
fd_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	(void)call, (void)node;
	return pinefs_out_fd(out, file_fd, off, count, give_back, NULL);
}

static void
test_bytes_of_a_descriptor_are_read(void)
{
	char name[] = "/tmp/pinefs-test-XXXXXX";
	static char bytes[100000];
	struct pinefs_node *n;
	struct vfs_data data;

	start_reading(fd_read);
	given_back = 0;
	file_fd = mkstemp(name);
	unlink(name);
	memset(bytes, 'z', sizeof bytes);
	CHECK(write(file_fd, bytes, 50000) == 50000);
	CHECK(by_id(&r.call, 200, &n) == 0);
	CHECK(vfs_read(&r.call, n, 0, 100000, &data) == 0);
	CHECK(data.bytes.len == 50000 &&
	    rig_bytes(&data.bytes, bytes, sizeof bytes) == 50000);
	CHECK(vfs_read(&r.call, n, 49990, 20, &data) == 0);
	CHECK(data.bytes.len == 10 && !data.eof);
	CHECK(vfs_read(&r.call, n, 50000, 20, &data) == 0);
	CHECK(data.bytes.len == 0 && data.eof);
	close(file_fd);
	CHECK(vfs_read(&r.call, n, 0, 20, &data) == EBADF);
	stop();
	assert_int_equal(given_back, 4);
}

static struct pinefs_map *map;

static int
map_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	(void)call, (void)node;
	if (off + count >= 1 << 20)
		pinefs_out_eof(out);
	return pinefs_out_map(out, map, off, count);
}

static const struct xdr_piece *
piece_of(const struct vfs_data *data)
{
	return data->bytes.data;
}

static void
test_bytes_of_a_map_are_lent_when_they_are_read_again(void)
{
	static char bytes[1 << 20], got[1 << 16];
	struct pinefs_node *n;
	struct vfs_data data;

	start_reading(map_read);
	file_fd = memfd_create("test", MFD_CLOEXEC);
	memset(bytes, 'y', sizeof bytes);
	CHECK(write(file_fd, bytes, sizeof bytes) == sizeof bytes);
	CHECK((map = pinefs_map_new(file_fd, sizeof bytes)) != NULL);
	close(file_fd);
	CHECK(by_id(&r.call, 200, &n) == 0);
	r.call.may_lend = true;
	CHECK(vfs_read(&r.call, n, 0, 65536, &data) == 0);
	CHECK(data.bytes.len == 65536 && piece_of(&data)->copy == NULL);
	/* The clock may have come to the next moment once, not twice. */
	CHECK(vfs_read(&r.call, n, 0, 65536, &data) == 0);
	if (piece_of(&data)->copy == NULL)
		CHECK(vfs_read(&r.call, n, 0, 65536, &data) == 0);
	CHECK(data.bytes.len == 65536 && piece_of(&data)->copy != NULL);
	CHECK(rig_bytes(&data.bytes, got, sizeof got) == 65536 &&
	    got[0] == 'y' && got[65535] == 'y');
	CHECK(vfs_read(&r.call, n, 0, 20000, &data) == 0);
	CHECK(data.bytes.len == 20000 && piece_of(&data)->copy == NULL);
	r.call.may_lend = false;	/* the call goes on after it */
	CHECK(vfs_read(&r.call, n, 0, 65536, &data) == 0);
	CHECK(data.bytes.len == 65536 && piece_of(&data)->copy == NULL);
	pinefs_map_put(map);	/* what is lent goes with the call */
	stop();
}

static void
test_the_write_verifier_changes_when_data_was_lost(void)
{
	uint8_t a[8], b[8], c[8];

	start();
	vfs_write_verifier(x.fs, a);
	vfs_write_verifier(x.fs, b);
	CHECK(memcmp(a, b, 8) == 0);
	pinefs_data_lost(x.fs);
	vfs_write_verifier(x.fs, c);
	CHECK(memcmp(a, c, 8) != 0);
	stop();
	start();
	vfs_write_verifier(x.fs, b);
	CHECK(memcmp(c, b, 8) != 0);
	stop();
}

CHECK_MAIN(
	CHECK_TEST(test_some_but_not_all_of_the_three_is_no_file_system),
	CHECK_TEST(test_a_table_of_an_older_header_reads_as_null),
	CHECK_TEST(test_a_table_of_a_newer_header_must_not_use_what_is_new),
	CHECK_TEST(test_arg_is_given_back_to_be_freed),
	CHECK_TEST(test_what_is_absent_is_said_to_be),
	CHECK_TEST(test_what_getattr_leaves_out_has_a_default),
	CHECK_TEST(test_times_that_are_not_given_move_with_the_change_counter),
	CHECK_TEST(test_without_type_or_change_there_is_no_answer),
	CHECK_TEST(test_an_object_that_changes_its_type_is_another),
	CHECK_TEST(test_attributes_are_asked_for_once_where_nothing_changed),
	CHECK_TEST(test_a_handle_whose_object_is_gone_is_stale),
	CHECK_TEST(test_fileid_zero_never_leaves),
	CHECK_TEST(test_a_node_lives_while_it_is_used_and_is_released_once),
	CHECK_TEST(test_own_bytes_tell_objects_apart),
	CHECK_TEST(test_the_parent_is_where_it_was_looked_up),
	CHECK_TEST(test_a_call_waits_and_runs_again_without_asking_twice),
	CHECK_TEST(test_completed_before_it_returned_needs_no_waiting),
	CHECK_TEST(test_an_error_may_come_later_too),
	CHECK_TEST(test_gone_is_said_one_way),
	CHECK_TEST(test_broken_promises_end_a_debug_build),
	CHECK_TEST(test_a_call_that_waits_long_is_logged_once),
	CHECK_TEST(test_an_operation_that_blocks_is_logged_once_a_minute),
	CHECK_TEST(test_cancel_is_told_once_and_the_call_still_ends),
	CHECK_TEST(test_after_completion_nothing_is_cancelled),
	CHECK_TEST(test_cancel_may_complete_and_an_early_one_is_not_missed),
	CHECK_TEST(test_a_serial_file_system_has_one_operation_at_a_time),
	CHECK_TEST(test_a_serial_file_system_is_told_of_releases_in_turn),
	CHECK_TEST(test_listings_are_whole_with_pages_of_any_size),
	CHECK_TEST(test_wide_cookies_fit_into_version_2),
	CHECK_TEST(test_entries_of_one_short_cookie_are_never_parted),
	CHECK_TEST(test_an_entry_that_went_meanwhile_is_skipped),
	CHECK_TEST(test_every_borrowed_piece_is_given_back_once),
	CHECK_TEST(test_a_slice_is_a_copy_and_knows_its_end),
	CHECK_TEST(test_bytes_of_a_descriptor_are_read),
	CHECK_TEST(test_bytes_of_a_map_are_lent_when_they_are_read_again),
	CHECK_TEST(test_the_write_verifier_changes_when_data_was_lost),
)
