/*
 * Many threads in the same few directories.  Nothing is lost: what can be
 * reached at the end has as many names as it says it has, every directory is
 * where its `..` says, and all that was made is released once.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "vfs_rig.h"

enum { THREADS = 4, STEPS = 20000, DIRS = 5, NAMES = 10, OBJECTS = 100000 };

static struct vfs_export x;
static struct pinefs_node *dirs[DIRS];
static atomic_uint made, released, bad;

static int
any_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	unsigned *bytes = pinefs_node_data(node);

	(void)call;
	/* Under the node's lock, so this is no race. */
	if (bytes != NULL)
		*bytes += w->count;
	w->written = w->count;
	return 0;
}

static int
any_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	unsigned *bytes = pinefs_node_data(node);

	(void)call, (void)off;
	if (bytes == NULL)
		return 0;
	return pinefs_out_slice(out, bytes, sizeof *bytes, 0, count);
}

static int
any_create(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_made *m)
{
	(void)call, (void)dir, (void)name, (void)how;
	atomic_fetch_add(&made, 1);
	pinefs_node_set_data(m->node, calloc(1, sizeof(unsigned)));
	return 0;
}

static void
any_release(struct pinefs_node *node)
{
	free(pinefs_node_data(node));
	atomic_fetch_add(&released, 1);
}

struct thread {
	pthread_t	id;
	unsigned	seed;
	struct rig_call	r;
};

static unsigned
any(struct thread *t, unsigned n)
{
	return (unsigned)rand_r(&t->seed) / 3 % n;
}

/* Not CHECK: a thread of ours must not jump out of cmocka's stack. */
static void
expect(bool ok)
{
	if (!ok)
		atomic_fetch_add(&bad, 1);
}

static int
list_add(void *arg, const struct vfs_entry *e)
{
	unsigned *n = arg;

	if (e->attr == NULL || e->attr->nlink > 1000000)
		atomic_fetch_add(&bad, 1);
	return ++*n > NAMES * 2;
}

static const char *const names[NAMES] = { "a", "b", "c", "d", "e", "f", "g",
    "h", "i", "j" };

/* One of the directories that stay, or one below it. */
static struct pinefs_node *
some_dir(struct thread *t, struct pinefs_call *call)
{
	struct pinefs_node *d = dirs[any(t, DIRS)], *n;

	while (any(t, 2) != 0 && vfs_lookup(call, d,
	    rig_name(names[any(t, NAMES)]), &n) == 0 &&
	    vfs_node_type(n) == PINEFS_DIR)
		d = n;
	return d;
}

static void
step(struct thread *t, struct pinefs_call *call)
{
	struct pinefs_create how = { .exclusive = PINEFS_UNCHECKED };
	struct pinefs_set set = { .attr = { .have = PINEFS_MODE |
	    PINEFS_SIZE, .mode = 0644 } };
	struct vfs_write w = { .data = xdr_view("1234", 4) };
	struct pinefs_node *d = some_dir(t, call), *d2 = some_dir(t, call),
	    *n;
	struct pinefs_name a = rig_name(names[any(t, NAMES)]),
	    b = rig_name(names[any(t, NAMES)]);
	struct vfs_wcc w1, w2;
	struct vfs_readdir rd = { .add = list_add, .want = PINEFS_ALL };
	struct pinefs_attr attr;
	struct pinefs_ident id;
	struct vfs_data data;
	unsigned count = 0;
	int err;

	switch (any(t, 10)) {
	case 0:
	case 1:
		how.type = PINEFS_REG;
		err = vfs_create(call, d, a, &how, &n, &w1);
		expect(err == 0 || err == EEXIST || err == EISDIR ||
		    err == ESTALE);
		if (err == 0 && vfs_node_type(n) == PINEFS_REG)
			expect(vfs_write(call, n, &w) == 0);
		break;
	case 2:
		how.type = PINEFS_DIR;
		how.exclusive = PINEFS_GUARDED;
		err = vfs_create(call, d, a, &how, &n, &w1);
		expect(err == 0 || err == EEXIST || err == ESTALE);
		break;
	case 3:
	case 4:
		err = vfs_remove(call, d, a, PINEFS_REMOVE_ANY, &w1);
		expect(err == 0 || err == ENOENT || err == ENOTEMPTY ||
		    err == ESTALE);
		expect(err != 0 || w1.change_before < w1.after.change);
		break;
	case 5:
		err = vfs_lookup(call, d, a, &n);
		if (err == 0)
			err = vfs_link(call, n, d2, b, &w1);
		expect(err == 0 || err == ENOENT || err == EEXIST ||
		    err == EPERM || err == ESTALE);
		break;
	case 6:
	case 7:
		err = vfs_rename(call, d, a, d2, b, &w1, &w2);
		expect(err == 0 || err == ENOENT || err == EISDIR ||
		    err == ENOTDIR || err == ENOTEMPTY || err == EINVAL ||
		    err == ESTALE);
		break;
	case 8:
		rd.add_arg = &count;
		expect(vfs_readdir(call, d, &rd) == 0);
		break;
	default:
		err = vfs_lookup(call, d, a, &n);
		if (err != 0)
			break;
		vfs_node_handle_ident(n, &id);
		expect(vfs_node_find(call, &x, &id, &n) == 0);
		expect(vfs_getattr(call, n, &attr) == 0);
		if (attr.type == PINEFS_REG) {
			expect(vfs_setattr(call, n, &set, &w1) == 0);
			expect(vfs_read(call, n, 0, 4, &data) == 0);
		}
	}
}

static void *
work(void *arg)
{
	struct thread *t = arg;
	int i;

	for (i = 0; i < STEPS; i++) {
		rig_begin(&t->r, &x);
		step(t, &t->r.call);
		rig_end(&t->r);
	}
	return NULL;
}

/* ---------------------------------------------------- what is left then -- */

static struct {
	uint64_t	fileid;
	unsigned	names;
} found[OBJECTS];

static unsigned nfound;

struct walk {
	struct pinefs_node	*dir;
	unsigned		subdirs;
};

static void walk(struct pinefs_node *dir);

static int
walk_add(void *arg, const struct vfs_entry *e)
{
	struct walk *w = arg;
	unsigned i;

	if (e->attr->type == PINEFS_DIR)
		w->subdirs++;
	for (i = 0; i < nfound && found[i].fileid != e->id.fileid; i++)
		;
	if (i == nfound)
		found[nfound++].fileid = e->id.fileid;
	found[i].names++;
	return 0;
}

static int
descend(void *arg, const struct vfs_entry *e)
{
	struct pinefs_node *dir = arg, *n, *up;
	struct rig_call r;
	struct pinefs_attr a;

	if (e->attr->type != PINEFS_DIR)
		return 0;
	rig_begin(&r, &x);
	CHECK(vfs_node_find(&r.call, &x, &e->id, &n) == 0);
	CHECK(vfs_lookup(&r.call, n, rig_name(".."), &up) == 0 && up == dir);
	CHECK(vfs_getattr(&r.call, n, &a) == 0);
	pinefs_node_get(n);
	rig_end(&r);
	walk(n);
	pinefs_node_put(n);
	return 0;
}

static int
collect(void *arg, const struct vfs_entry *e)
{
	struct vfs_entry **to = arg;
	struct pinefs_attr *a = malloc(sizeof *a);

	*a = *e->attr;
	**to = *e;
	(*to)++->attr = a;
	return 0;
}

static void
walk(struct pinefs_node *dir)
{
	struct rig_call *r = malloc(sizeof *r);
	struct vfs_entry entries[64], *end = entries, *e;
	struct walk w = { .dir = dir };
	struct vfs_readdir rd = { .add = collect, .add_arg = &end,
	    .want = PINEFS_ALL };
	struct pinefs_attr a;

	rig_begin(r, &x);
	CHECK(vfs_readdir(&r->call, dir, &rd) == 0 && rd.eof);
	for (e = entries; e < end; e++)
		walk_add(&w, e);
	CHECK(vfs_getattr(&r->call, dir, &a) == 0);
	assert_int_equal(a.nlink, 2 + w.subdirs);
	for (e = entries; e < end; e++)
		descend(dir, e);
	for (e = entries; e < end; e++) {
		for (unsigned i = 0; i < nfound; i++)
			if (found[i].fileid == e->id.fileid &&
			    e->attr->type == PINEFS_DIR)
				assert_int_equal(found[i].names, 1);
		free((void *)(uintptr_t)e->attr);
	}
	rig_end(r);
	free(r);
}

static void
check_links(struct pinefs_node *root)
{
	static struct rig_call r;
	struct pinefs_attr a;
	struct pinefs_node *n;

	walk(root);
	for (unsigned i = 0; i < nfound; i++) {
		struct pinefs_ident id = { .fileid = found[i].fileid };
		struct pinefs_ident same;

		rig_begin(&r, &x);
		/* Handles carry the instance's number: ask the root's way. */
		vfs_node_handle_ident(dirs[0], &same);
		id.generation = same.generation;
		CHECK(vfs_node_find(&r.call, &x, &id, &n) == 0);
		CHECK(vfs_getattr(&r.call, n, &a) == 0);
		if (a.type != PINEFS_DIR)
			assert_int_equal(a.nlink, found[i].names);
		rig_end(&r);
	}
}

static void
test_threads_in_the_same_directories_do_no_harm(void)
{
	static const struct pinefs_ops ops = { .flags = PINEFS_PROMPT,
	    .read = any_read, .write = any_write, .create = any_create,
	    .release = any_release };
	static struct thread t[THREADS];
	struct pinefs_node *root;
	char name[] = "dir0";
	int i;

	rig_export(&x, pinefs_new(&ops, NULL));
	root = pinefs_root(x.fs);
	for (i = 0; i < DIRS; i++, name[3]++) {
		dirs[i] = pinefs_add_dir(x.fs, root, name, 0777);
		CHECK(dirs[i] != NULL);
		pinefs_node_get(dirs[i]);
	}
	for (i = 0; i < THREADS; i++) {
		t[i].seed = (unsigned)i + 1;
		CHECK(pthread_create(&t[i].id, NULL, work, &t[i]) == 0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i].id, NULL);
	assert_int_equal(atomic_load(&bad), 0);
	check_links(root);
	/* What is not gone can be reached, also where removals race. */
	assert_int_equal(atomic_load(&made) - atomic_load(&released) + DIRS,
	    nfound);
	for (i = 0; i < DIRS; i++)
		pinefs_node_put(dirs[i]);
	pinefs_free(x.fs);
	assert_int_equal(atomic_load(&released), atomic_load(&made) + DIRS +
	    1);
}

CHECK_MAIN(
	CHECK_TEST(test_threads_in_the_same_directories_do_no_harm),
)
