/* Door 1, through vfs.h: what a client may rely on in a tree. */
#include <errno.h>

#include "vfs_rig.h"

static struct vfs_export x;
static struct rig_call r;
static struct pinefs_node *root;

/* Bytes are of no interest here. */
static int
any_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	(void)call, (void)node;
	w->written = w->count;
	return 0;
}

static int
any_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	(void)call, (void)node, (void)off;
	memset(pinefs_out_space(out, count), 'x', count);
	return 0;
}

static unsigned released;

static void
any_release(struct pinefs_node *node)
{
	(void)node;
	released++;
}

static void
start(void)
{
	static const struct pinefs_ops ops = { .flags = PINEFS_PROMPT,
	    .read = any_read, .write = any_write, .release = any_release };

	released = 0;
	rig_export(&x, pinefs_new(&ops, NULL));
	rig_begin(&r, &x);
	CHECK(vfs_node_root(&r.call, &root) == 0);
}

static void
stop(void)
{
	rig_end(&r);
	pinefs_free(x.fs);
}

/* As another user, or simply with fresh memory. */
static void
be(uint32_t uid, uint32_t gid)
{
	rig_end(&r);
	rig_begin_as(&r, &x, uid, gid);
}

static int
make(struct pinefs_node *dir, const char *name, uint32_t type, uint32_t mode,
    struct pinefs_node **node)
{
	struct pinefs_create how = { .type = type,
	    .exclusive = PINEFS_GUARDED };
	struct pinefs_node *n;
	struct vfs_wcc wcc;
	int err;

	how.set.attr.have = PINEFS_MODE;
	how.set.attr.mode = mode;
	err = vfs_create(&r.call, dir, rig_name(name), &how, &n, &wcc);
	if (err == 0) {
		CHECK(wcc.has_before && wcc.has_after);
		CHECK(wcc.change_before + 1 == wcc.after.change);
	}
	if (node != NULL)
		*node = err == 0 ? n : NULL;
	return err;
}

static struct pinefs_node *
dir(struct pinefs_node *above, const char *name)
{
	struct pinefs_node *n;

	assert_int_equal(make(above, name, PINEFS_DIR, 0755, &n), 0);
	return n;
}

static struct pinefs_node *
file(struct pinefs_node *above, const char *name)
{
	struct pinefs_node *n;

	assert_int_equal(make(above, name, PINEFS_REG, 0644, &n), 0);
	return n;
}

static struct pinefs_attr
attr(struct pinefs_node *node)
{
	struct pinefs_attr a;

	CHECK(vfs_getattr(&r.call, node, &a) == 0);
	CHECK(a.have == PINEFS_ALL);
	return a;
}

static struct pinefs_node *
find(struct pinefs_node *dir, const char *name)
{
	struct pinefs_node *n;
	int err = vfs_lookup(&r.call, dir, rig_name(name), &n);

	CHECK(err == 0 || err == ENOENT);
	return err == 0 ? n : NULL;
}

static int
unlink_(struct pinefs_node *dir, const char *name, int kind)
{
	struct vfs_wcc wcc;
	int err = vfs_remove(&r.call, dir, rig_name(name), kind, &wcc);

	CHECK(err != 0 || (wcc.has_before &&
	    wcc.change_before + 1 == wcc.after.change));
	return err;
}

static int
move(struct pinefs_node *from, const char *old, struct pinefs_node *to,
    const char *new)
{
	struct vfs_wcc a, b;
	int err = vfs_rename(&r.call, from, rig_name(old), to, rig_name(new),
	    &a, &b);

	CHECK(err != 0 || (a.has_before && b.has_before && a.has_after &&
	    b.has_after));
	if (err == 0 && from == to)
		CHECK(a.change_before == b.change_before &&
		    a.after.change == b.after.change);
	return err;
}

/* ------------------------------------------------------------- objects -- */

static void
test_ids_are_never_small_nor_half_zero(void)
{
	struct pinefs_ident id;
	char name[16];

	start();
	pinefs_node_ident(root, &id);
	CHECK(id.fileid >= 17);
	for (int i = 0; i < 100; i++) {
		sprintf(name, "%d", i);
		pinefs_node_ident(file(root, name), &id);
		CHECK(id.fileid >= 17 && (uint32_t)id.fileid != 0);
		be(0, 0);
	}
	stop();
}

static void
test_every_type_can_be_made_and_keeps_what_it_is(void)
{
	const uint32_t types[] = { PINEFS_REG, PINEFS_DIR, PINEFS_BLK,
	    PINEFS_CHR, PINEFS_LNK, PINEFS_SOCK, PINEFS_FIFO };
	struct pinefs_create how;
	struct pinefs_node *n;
	struct pinefs_attr a;
	struct vfs_wcc wcc;
	struct xdr_view text;
	char name[8];

	start();
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		memset(&how, 0, sizeof how);
		how.type = types[i];
		how.exclusive = PINEFS_GUARDED;
		how.set.attr.have = PINEFS_MODE | PINEFS_RDEV;
		how.set.attr.mode = 0640;
		how.set.attr.rdev_major = 8;
		how.set.attr.rdev_minor = 17;
		how.target = rig_name("over/there");
		sprintf(name, "%zu", i);
		CHECK(vfs_create(&r.call, root, rig_name(name), &how, &n,
		    &wcc) == 0);
		a = attr(n);
		assert_int_equal(a.type, types[i]);
		assert_int_equal(vfs_node_type(n), types[i]);
		assert_int_equal(a.mode, 0640);
		assert_int_equal(a.nlink, types[i] == PINEFS_DIR ? 2 : 1);
		if (types[i] == PINEFS_BLK || types[i] == PINEFS_CHR)
			CHECK(a.rdev_major == 8 && a.rdev_minor == 17);
		if (types[i] == PINEFS_LNK) {
			CHECK(a.size == 10);
			CHECK(vfs_readlink(&r.call, n, &text) == 0);
			CHECK(text.len == 10 &&
			    memcmp(text.data, "over/there", 10) == 0);
		} else {
			CHECK(vfs_readlink(&r.call, n, &text) == EINVAL);
		}
	}
	stop();
}

static void
test_times_and_change_differ_for_every_change(void)
{
	struct pinefs_set set = { .attr = { .have = PINEFS_MODE } };
	struct pinefs_attr a, b;
	struct pinefs_node *n;
	struct vfs_wcc wcc;

	start();
	n = file(root, "f");
	a = attr(n);
	for (int i = 0; i < 1000; i++) {
		set.attr.mode = (uint32_t)i & 0777;
		CHECK(vfs_setattr(&r.call, n, &set, &wcc) == 0);
		b = attr(n);
		CHECK(b.change > a.change);
		CHECK(b.ctime.tv_sec > a.ctime.tv_sec ||
		    (b.ctime.tv_sec == a.ctime.tv_sec &&
		    b.ctime.tv_nsec > a.ctime.tv_nsec));
		CHECK(wcc.change_before == a.change &&
		    wcc.after.change == b.change);
		a = b;
		be(0, 0);
	}
	CHECK(memcmp(&a.mtime, &a.btime, sizeof a.mtime) == 0);
	stop();
}

static void
test_looking_changes_nothing(void)
{
	struct pinefs_attr a, b;
	struct pinefs_node *n;

	start();
	n = file(root, "f");
	a = attr(root);
	CHECK(find(root, "f") == n && find(root, "g") == NULL);
	b = attr(root);
	CHECK(memcmp(&a, &b, sizeof a) == 0);
	stop();
}

static void
test_counters_of_another_run_are_never_met_again(void)
{
	struct timespec now;
	uint64_t c = 12, d;

	clock_gettime(CLOCK_REALTIME, &now);
	pinefs_change_next(&c);
	CHECK(c / 1000000000 + 5 > (uint64_t)now.tv_sec);
	d = c;
	CHECK(pinefs_change_next(&c) == d + 1 && c == d + 1);
}

/* --------------------------------------------------------------- names -- */

static void
test_names_that_cannot_be(void)
{
	char longest[256], too_long[257];
	struct pinefs_node *n;

	start();
	memset(longest, 'n', 255);
	longest[255] = '\0';
	memset(too_long, 'n', 256);
	too_long[256] = '\0';
	assert_int_equal(make(root, longest, PINEFS_REG, 0, NULL), 0);
	assert_int_equal(make(root, too_long, PINEFS_REG, 0, NULL),
	    ENAMETOOLONG);
	assert_int_equal(make(root, "", PINEFS_REG, 0, NULL), EINVAL);
	assert_int_equal(make(root, "a/b", PINEFS_REG, 0, NULL), EINVAL);
	assert_int_equal(make(root, ".", PINEFS_DIR, 0, NULL), EINVAL);
	assert_int_equal(make(root, "..", PINEFS_DIR, 0, NULL), EINVAL);
	assert_int_equal(unlink_(root, ".", PINEFS_REMOVE_DIR), EINVAL);
	assert_int_equal(unlink_(root, "..", PINEFS_REMOVE_DIR), EINVAL);
	assert_int_equal(move(root, ".", root, "b"), EINVAL);
	assert_int_equal(move(root, longest, root, ".."), EINVAL);
	assert_int_equal(vfs_lookup(&r.call, root, rig_name("a/b"), &n),
	    EINVAL);
	assert_int_equal(vfs_lookup(&r.call, root, rig_name(""), &n),
	    EINVAL);
	assert_int_equal(vfs_lookup(&r.call, root, rig_name(too_long), &n),
	    ENAMETOOLONG);
	n = file(root, "f");
	assert_int_equal(vfs_lookup(&r.call, n, rig_name("x"), &n), ENOTDIR);
	assert_int_equal(make(find(root, "f"), "x", PINEFS_REG, 0, NULL),
	    ENOTDIR);
	stop();
}

static void
test_dots_lead_where_they_should(void)
{
	struct pinefs_node *a, *b, *n;

	start();
	a = dir(root, "a");
	b = dir(a, "b");
	CHECK(find(b, ".") == b && find(b, "..") == a);
	CHECK(find(a, "..") == root && find(root, "..") == root);
	CHECK(vfs_lookup_parent(&r.call, b, &n) == 0 && n == a);
	CHECK(vfs_lookup_parent(&r.call, root, &n) == ENOENT);
	CHECK(move(a, "b", root, "c") == 0);
	CHECK(find(b, "..") == root);
	stop();
}

static void
test_create_guarded_unchecked_exclusive(void)
{
	struct pinefs_create how = { .type = PINEFS_REG };
	struct pinefs_node *n, *again;
	struct vfs_wcc wcc;
	struct vfs_write w = { .data = xdr_view("12345", 5) };

	start();
	n = file(root, "f");
	CHECK(vfs_write(&r.call, n, &w) == 0);
	assert_int_equal(make(root, "f", PINEFS_REG, 0644, NULL), EEXIST);

	/* UNCHECKED opens it; its size changes only if it is to be 0. */
	CHECK(vfs_create(&r.call, root, rig_name("f"), &how, &again,
	    &wcc) == 0);
	CHECK(again == n && attr(n).size == 5);
	CHECK(wcc.has_before && wcc.change_before == wcc.after.change);
	how.set.attr.have = PINEFS_SIZE;
	how.set.attr.size = 3;
	CHECK(vfs_create(&r.call, root, rig_name("f"), &how, &again,
	    &wcc) == 0 && attr(n).size == 5);
	how.set.attr.size = 0;
	CHECK(vfs_create(&r.call, root, rig_name("f"), &how, &again,
	    &wcc) == 0 && attr(n).size == 0);
	dir(root, "d");
	assert_int_equal(vfs_create(&r.call, root, rig_name("d"), &how,
	    &again, &wcc), EISDIR);

	/* EXCLUSIVE survives being sent twice, and is kept in the object. */
	how = (struct pinefs_create){ .type = PINEFS_REG,
	    .exclusive = PINEFS_EXCLUSIVE, .verf = "verifie" };
	CHECK(vfs_create(&r.call, root, rig_name("e"), &how, &n, &wcc) == 0);
	CHECK(vfs_create(&r.call, root, rig_name("e"), &how, &again,
	    &wcc) == 0 && again == n);
	how.verf[3] ^= 1;
	assert_int_equal(vfs_create(&r.call, root, rig_name("e"), &how,
	    &again, &wcc), EEXIST);
	assert_int_equal(vfs_create(&r.call, root, rig_name("f"), &how,
	    &again, &wcc), EEXIST);
	stop();
}

static void
test_remove_tells_files_from_directories(void)
{
	struct pinefs_node *d;

	start();
	file(root, "f");
	d = dir(root, "d");
	assert_int_equal(unlink_(root, "d", PINEFS_REMOVE_FILE), EISDIR);
	assert_int_equal(unlink_(root, "f", PINEFS_REMOVE_DIR), ENOTDIR);
	assert_int_equal(unlink_(root, "x", PINEFS_REMOVE_ANY), ENOENT);
	file(d, "inside");
	assert_int_equal(unlink_(root, "d", PINEFS_REMOVE_DIR), ENOTEMPTY);
	assert_int_equal(attr(root).nlink, 3);
	assert_int_equal(unlink_(d, "inside", PINEFS_REMOVE_FILE), 0);
	assert_int_equal(unlink_(root, "d", PINEFS_REMOVE_ANY), 0);
	assert_int_equal(unlink_(root, "f", PINEFS_REMOVE_ANY), 0);
	assert_int_equal(attr(root).nlink, 2);
	assert_int_equal(attr(d).nlink, 0);
	/* In a directory without a name nothing begins. */
	assert_int_equal(make(d, "late", PINEFS_REG, 0644, NULL), ESTALE);
	CHECK(find(d, "late") == NULL);
	stop();
}

static void
test_what_is_used_stays_until_it_is_let_go(void)
{
	struct vfs_write w = { .data = xdr_view("12345", 5) };
	struct pinefs_ident id;
	struct pinefs_node *n;
	struct vfs_data data;

	start();
	n = file(root, "f");
	vfs_node_handle_ident(n, &id);
	pinefs_node_get(n);	/* as an open file */
	CHECK(unlink_(root, "f", PINEFS_REMOVE_FILE) == 0);
	be(0, 0);
	CHECK(released == 0);
	CHECK(vfs_write(&r.call, n, &w) == 0 && w.written == 5);
	CHECK(vfs_read(&r.call, n, 0, 100, &data) == 0 && data.bytes.len == 5);
	CHECK(attr(n).nlink == 0);
	CHECK(vfs_node_find(&r.call, &x, &id, &n) == 0);
	pinefs_node_put(n);
	be(0, 0);
	CHECK(released == 1);
	CHECK(vfs_node_find(&r.call, &x, &id, &n) == ESTALE);
	stop();
	CHECK(released == 2);	/* the root */
}

static void
test_hard_links_are_one_object(void)
{
	struct pinefs_node *n, *d;
	struct pinefs_attr before;
	struct vfs_wcc wcc;

	start();
	n = file(root, "f");
	d = dir(root, "d");
	before = attr(n);
	CHECK(vfs_link(&r.call, n, d, rig_name("g"), &wcc) == 0);
	CHECK(wcc.has_before && wcc.change_before + 1 == wcc.after.change);
	CHECK(find(d, "g") == n && attr(n).nlink == 2);
	CHECK(attr(n).change > before.change);
	assert_int_equal(vfs_link(&r.call, n, d, rig_name("g"), &wcc),
	    EEXIST);
	assert_int_equal(vfs_link(&r.call, d, root, rig_name("h"), &wcc),
	    EPERM);
	CHECK(unlink_(root, "f", PINEFS_REMOVE_FILE) == 0);
	CHECK(attr(n).nlink == 1 && find(d, "g") == n);
	CHECK(unlink_(d, "g", PINEFS_REMOVE_FILE) == 0);
	/* Its last name went: it does not come back. */
	assert_int_equal(vfs_link(&r.call, n, d, rig_name("g"), &wcc),
	    ESTALE);
	stop();
}

static void
test_rename_in_all_its_cases(void)
{
	struct pinefs_node *a, *b, *f, *g, *d, *e;
	struct vfs_wcc wcc;

	start();
	a = dir(root, "a");
	b = dir(root, "b");
	f = file(a, "f");
	g = file(b, "g");
	d = dir(a, "d");
	e = dir(b, "e");

	/* Within a directory, and across. */
	CHECK(move(a, "f", a, "f2") == 0 && find(a, "f2") == f);
	CHECK(find(a, "f") == NULL);
	CHECK(move(a, "f2", b, "f") == 0 && find(b, "f") == f);
	/* Onto another file, which goes. */
	CHECK(move(b, "f", b, "g") == 0 && find(b, "g") == f);
	CHECK(attr(g).nlink == 0 && attr(f).nlink == 1);
	/* Onto itself, and onto another link of it: nothing happens. */
	CHECK(move(b, "g", b, "g") == 0 && find(b, "g") == f);
	CHECK(vfs_link(&r.call, f, a, rig_name("g"), &wcc) == 0);
	CHECK(move(b, "g", a, "g") == 0);
	CHECK(find(b, "g") == f && find(a, "g") == f && attr(f).nlink == 2);
	CHECK(unlink_(a, "g", PINEFS_REMOVE_FILE) == 0);

	/* Types must match. */
	assert_int_equal(move(b, "g", b, "e"), EISDIR);
	assert_int_equal(move(b, "e", b, "g"), ENOTDIR);
	assert_int_equal(move(b, "none", b, "g"), ENOENT);

	/* Directories move with their parents' link counts. */
	assert_int_equal(attr(a).nlink, 3);
	assert_int_equal(attr(b).nlink, 3);
	CHECK(move(a, "d", b, "d") == 0 && find(d, "..") == b);
	assert_int_equal(attr(a).nlink, 2);
	assert_int_equal(attr(b).nlink, 4);
	/* Onto an empty one; never onto a full one. */
	file(e, "x");
	assert_int_equal(move(b, "d", b, "e"), ENOTEMPTY);
	CHECK(unlink_(e, "x", PINEFS_REMOVE_FILE) == 0);
	CHECK(move(b, "d", b, "e") == 0 && find(b, "e") == d);
	assert_int_equal(attr(e).nlink, 0);
	assert_int_equal(attr(b).nlink, 3);
	/* Not below itself. */
	assert_int_equal(move(root, "b", b, "b"), EINVAL);
	assert_int_equal(move(root, "b", d, "b"), EINVAL);
	/* A directory above is not empty. */
	assert_int_equal(move(b, "e", root, "b"), ENOTEMPTY);
	stop();
}

static void
test_across_file_systems_nothing_moves(void)
{
	struct pinefs_ops ops = { .write = any_write };
	struct pinefs *other = pinefs_new(&ops, NULL);
	struct vfs_wcc a, b;
	struct pinefs_node *f;

	start();
	f = file(root, "f");
	assert_int_equal(vfs_rename(&r.call, root, rig_name("f"),
	    pinefs_root(other), rig_name("f"), &a, &b), EXDEV);
	assert_int_equal(vfs_link(&r.call, f, pinefs_root(other),
	    rig_name("f"), &a), EXDEV);
	stop();
	pinefs_free(other);
}

/* -------------------------------------------------------------- rights -- */

static void
test_rights_are_those_of_the_caller(void)
{
	struct pinefs_node *d, *f, *n;
	struct vfs_write w = { .data = xdr_view("x", 1) };
	struct pinefs_attr a;
	struct vfs_data data;
	struct vfs_wcc wcc;
	uint32_t bits;

	start();
	d = dir(root, "d");
	f = file(d, "f");
	CHECK(make(root, "secret", PINEFS_DIR, 0700, NULL) == 0);
	be(10, 20);
	assert_int_equal(make(d, "mine", PINEFS_REG, 0644, NULL), EACCES);
	assert_int_equal(unlink_(d, "f", PINEFS_REMOVE_FILE), EACCES);
	assert_int_equal(move(d, "f", d, "g"), EACCES);
	assert_int_equal(vfs_link(&r.call, f, d, rig_name("l"), &wcc),
	    EACCES);
	assert_int_equal(vfs_write(&r.call, f, &w), EACCES);
	CHECK(w.wcc.has_after);		/* also on failure */
	CHECK(vfs_read(&r.call, f, 0, 1, &data) == 0);
	CHECK(vfs_access(&r.call, d, 0x3f, &bits, &a) == 0);
	assert_int_equal(bits, PINEFS_ACCESS_READ | PINEFS_ACCESS_LOOKUP);
	n = find(root, "secret");
	assert_int_equal(vfs_lookup(&r.call, n, rig_name("x"), &f), EACCES);
	assert_int_equal(vfs_lookup(&r.call, n, rig_name(".."), &f), EACCES);
	stop();
}

static void
test_a_sticky_directory_is_shared_safely(void)
{
	struct pinefs_node *tmp;

	start();
	CHECK(make(root, "tmp", PINEFS_DIR, 01777, &tmp) == 0);
	pinefs_node_get(tmp);
	be(10, 20);
	CHECK(make(tmp, "hers", PINEFS_REG, 0666, NULL) == 0);
	be(11, 21);
	assert_int_equal(unlink_(tmp, "hers", PINEFS_REMOVE_FILE), EPERM);
	assert_int_equal(move(tmp, "hers", tmp, "his"), EPERM);
	CHECK(make(tmp, "his", PINEFS_REG, 0666, NULL) == 0);
	assert_int_equal(move(tmp, "his", tmp, "hers"), EPERM);
	CHECK(unlink_(tmp, "his", PINEFS_REMOVE_FILE) == 0);
	be(10, 20);
	CHECK(unlink_(tmp, "hers", PINEFS_REMOVE_FILE) == 0);
	pinefs_node_put(tmp);
	stop();
}

static void
test_a_read_only_export_refuses_every_change(void)
{
	struct vfs_write w = { .data = xdr_view("x", 1) };
	struct pinefs_set set = { .attr = { .have = PINEFS_MODE } };
	struct vfs_limits limits;
	struct pinefs_node *f;
	struct pinefs_attr a;
	struct vfs_wcc wcc;
	uint32_t bits;

	start();
	f = file(root, "f");
	x.read_only = true;
	r.call.export = NULL;		/* entered anew, by the new rule */
	CHECK(vfs_call_enter(&r.call, &x) == 0);
	assert_int_equal(make(root, "g", PINEFS_REG, 0644, NULL), EROFS);
	assert_int_equal(unlink_(root, "f", PINEFS_REMOVE_FILE), EROFS);
	assert_int_equal(move(root, "f", root, "g"), EROFS);
	assert_int_equal(vfs_link(&r.call, f, root, rig_name("l"), &wcc),
	    EROFS);
	assert_int_equal(vfs_write(&r.call, f, &w), EROFS);
	assert_int_equal(vfs_setattr(&r.call, f, &set, &wcc), EROFS);
	CHECK(vfs_access(&r.call, f, 0x3f, &bits, &a) == 0);
	assert_int_equal(bits, PINEFS_ACCESS_READ);
	CHECK(vfs_limits(&r.call, root, &limits) == 0 && limits.read_only);
	stop();
}

/* ---------------------------------------------------------- attributes -- */

static void
test_setattr_guards_sizes_and_times(void)
{
	struct pinefs_set set = { .attr = { .have = PINEFS_MODE,
	    .mode = 0600 } };
	struct pinefs_node *f, *d;
	struct pinefs_attr a;
	struct timespec other;
	struct vfs_wcc wcc;

	start();
	f = file(root, "f");
	d = dir(root, "d");
	a = attr(f);
	other = a.ctime;
	other.tv_nsec ^= 1;
	set.if_ctime = &other;
	assert_int_equal(vfs_setattr(&r.call, f, &set, &wcc), ECANCELED);
	set.if_ctime = &a.ctime;
	CHECK(vfs_setattr(&r.call, f, &set, &wcc) == 0);
	assert_int_equal(vfs_setattr(&r.call, f, &set, &wcc), ECANCELED);

	memset(&set, 0, sizeof set);
	set.attr.have = PINEFS_SIZE;
	set.attr.size = 1000;
	assert_int_equal(vfs_setattr(&r.call, d, &set, &wcc), EISDIR);
	CHECK(vfs_setattr(&r.call, f, &set, &wcc) == 0);
	CHECK(wcc.before.size == 0 && wcc.after.size == 1000);
	set.attr.size = UINT64_C(1) << 63;
	assert_int_equal(vfs_setattr(&r.call, f, &set, &wcc), EFBIG);

	memset(&set, 0, sizeof set);
	set.attr.have = PINEFS_ATIME | PINEFS_MTIME | PINEFS_BTIME;
	set.attr.atime.tv_sec = -5;
	set.attr.mtime.tv_sec = 1;
	set.attr.mtime.tv_nsec = 999999999;
	set.attr.btime.tv_sec = 4000000000;
	CHECK(vfs_setattr(&r.call, f, &set, &wcc) == 0);
	a = attr(f);
	CHECK(a.atime.tv_sec == -5 && a.mtime.tv_sec == 1 &&
	    a.mtime.tv_nsec == 999999999 && a.btime.tv_sec == 4000000000);
	/* Nothing asked, nothing changed. */
	set.attr.have = 0;
	CHECK(vfs_setattr(&r.call, f, &set, &wcc) == 0);
	CHECK(attr(f).change == a.change);
	stop();
}

static void
test_writing_takes_suid_away(void)
{
	struct vfs_write w = { .data = xdr_view("x", 1) };
	struct pinefs_node *f;

	start();
	CHECK(make(root, "f", PINEFS_REG, 06777, &f) == 0);
	CHECK(vfs_write(&r.call, f, &w) == 0 && attr(f).mode == 06777);
	be(10, 20);
	CHECK(vfs_write(&r.call, f, &w) == 0 && attr(f).mode == 0777);
	stop();
}

static void
test_reads_and_writes_know_their_limits(void)
{
	struct vfs_write w = { .off = 10, .data = xdr_view("12345", 5) };
	struct pinefs_node *f;
	struct vfs_data data;

	start();
	f = file(root, "f");
	CHECK(vfs_read(&r.call, f, 0, 10, &data) == 0);
	CHECK(data.bytes.len == 0 && data.eof);
	CHECK(vfs_write(&r.call, f, &w) == 0);
	CHECK(w.wcc.before.size == 0 && w.wcc.after.size == 15 &&
	    w.committed == PINEFS_FILE_SYNC);
	CHECK(vfs_read(&r.call, f, 0, 14, &data) == 0);
	CHECK(data.bytes.len == 14 && !data.eof);
	CHECK(vfs_read(&r.call, f, 14, 1, &data) == 0);
	CHECK(data.bytes.len == 1 && data.eof);
	CHECK(vfs_read(&r.call, f, 14, 100, &data) == 0);
	CHECK(data.bytes.len == 1 && data.eof);
	CHECK(vfs_read(&r.call, f, 15, 100, &data) == 0);
	CHECK(data.bytes.len == 0 && data.eof);
	CHECK(vfs_read(&r.call, f, UINT64_MAX, 100, &data) == 0);
	CHECK(data.bytes.len == 0 && data.eof);
	w.off = INT64_MAX - 5;
	CHECK(vfs_write(&r.call, f, &w) == 0);
	w.off = INT64_MAX - 4;
	assert_int_equal(vfs_write(&r.call, f, &w), EFBIG);
	w.off = UINT64_MAX;
	assert_int_equal(vfs_write(&r.call, f, &w), EFBIG);
	assert_int_equal(vfs_read(&r.call, root, 0, 1, &data), EISDIR);
	assert_int_equal(vfs_write(&r.call, root, &w), EFBIG);
	w.off = 0;
	assert_int_equal(vfs_write(&r.call, root, &w), EISDIR);
	stop();
}

/* ------------------------------------------------------- fixed content -- */

static void
test_fixed_bytes_are_read_in_place_and_never_written(void)
{
	static const char text[] = "these bytes stay where they are";
	struct vfs_write w = { .data = xdr_view("x", 1) };
	struct pinefs_node *n;
	struct vfs_data data;
	const struct xdr_piece *p;

	start();
	n = pinefs_add_bytes(x.fs, root, "text", 0644, text, sizeof text - 1);
	CHECK(n != NULL && find(root, "text") == n);
	CHECK(vfs_read(&r.call, n, 6, 5, &data) == 0);
	p = data.bytes.data;
	CHECK(data.bytes.npieces == 1 && p->base == text + 6 && p->len == 5);
	CHECK(!data.eof && p->release != NULL);
	assert_int_equal(vfs_write(&r.call, n, &w), EACCES);
	/* It may be removed while a reply holds its bytes. */
	CHECK(unlink_(root, "text", PINEFS_REMOVE_FILE) == 0);
	CHECK(released == 0);
	be(0, 0);
	CHECK(released == 1);
	stop();
}

static void
test_a_program_changes_its_tree_while_it_is_served(void)
{
	struct pinefs_node *d, *f, *l;
	struct xdr_view text;
	struct pinefs_attr a;

	start();
	d = pinefs_add_dir(x.fs, root, "d", 0755);
	f = pinefs_add_file(x.fs, d, "f", 0444, 42);
	l = pinefs_add_symlink(x.fs, d, "l", "f");
	CHECK(d != NULL && f != NULL && l != NULL);
	CHECK(pinefs_add_link(x.fs, root, "g", f) == f);
	CHECK(attr(f).nlink == 2 && attr(f).size == 42);
	CHECK(vfs_readlink(&r.call, l, &text) == 0 && text.len == 1);

	errno = 0;
	CHECK(pinefs_add_dir(x.fs, root, "d", 0755) == NULL &&
	    errno == EEXIST);
	CHECK(pinefs_add_dir(x.fs, f, "d", 0755) == NULL && errno == ENOTDIR);
	CHECK(pinefs_add_dir(x.fs, root, "a/b", 0755) == NULL &&
	    errno == EINVAL);
	CHECK(pinefs_unlink(x.fs, root, "d") == ENOTEMPTY);
	CHECK(pinefs_move(x.fs, d, "f", root, "h") == 0);
	CHECK(find(root, "h") == f);
	CHECK(pinefs_unlink(x.fs, d, "l") == 0);
	CHECK(pinefs_unlink(x.fs, root, "d") == 0);

	pinefs_node_attr(f, &a);
	pinefs_touch(f, 43);
	CHECK(attr(f).size == 43 && attr(f).change == a.change + 1);
	stop();
}

/* -------------------------------------------------------------- errors -- */

static void
test_handles_of_another_instance_name_nothing_but_the_root(void)
{
	struct pinefs_ident file_id, root_id;
	struct pinefs_node *n;

	start();
	vfs_node_handle_ident(file(root, "f"), &file_id);
	vfs_node_handle_ident(root, &root_id);
	stop();
	start();
	file(root, "f");
	CHECK(vfs_node_find(&r.call, &x, &file_id, &n) == ESTALE);
	CHECK(vfs_node_find(&r.call, &x, &root_id, &n) == 0 && n == root);
	stop();
}

CHECK_MAIN(
	CHECK_TEST(test_ids_are_never_small_nor_half_zero),
	CHECK_TEST(test_every_type_can_be_made_and_keeps_what_it_is),
	CHECK_TEST(test_times_and_change_differ_for_every_change),
	CHECK_TEST(test_looking_changes_nothing),
	CHECK_TEST(test_counters_of_another_run_are_never_met_again),
	CHECK_TEST(test_names_that_cannot_be),
	CHECK_TEST(test_dots_lead_where_they_should),
	CHECK_TEST(test_create_guarded_unchecked_exclusive),
	CHECK_TEST(test_remove_tells_files_from_directories),
	CHECK_TEST(test_what_is_used_stays_until_it_is_let_go),
	CHECK_TEST(test_hard_links_are_one_object),
	CHECK_TEST(test_rename_in_all_its_cases),
	CHECK_TEST(test_across_file_systems_nothing_moves),
	CHECK_TEST(test_rights_are_those_of_the_caller),
	CHECK_TEST(test_a_sticky_directory_is_shared_safely),
	CHECK_TEST(test_a_read_only_export_refuses_every_change),
	CHECK_TEST(test_setattr_guards_sizes_and_times),
	CHECK_TEST(test_writing_takes_suid_away),
	CHECK_TEST(test_reads_and_writes_know_their_limits),
	CHECK_TEST(test_fixed_bytes_are_read_in_place_and_never_written),
	CHECK_TEST(test_a_program_changes_its_tree_while_it_is_served),
	CHECK_TEST(test_handles_of_another_instance_name_nothing_but_the_root),
)
