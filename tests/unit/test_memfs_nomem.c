/*
 * Without memory.  One scenario is run again and again, failing the first
 * allocation, then the second, until none fails any more.  Each time every
 * operation has happened or has not, what it says about it is true, and in
 * the end all memory is given back.
 */
#include "fs/memfs.h"

#include <errno.h>

#include "base/buf.h"
#include "nomem.h"
#include "vfs_rig.h"

static struct vfs_export x;
static struct pinefs_node *root;
static uint8_t model[200000], bytes[200000];
static uint64_t size;

/* With an arena that has no memory of its own: steps fail too. */
static struct {
	struct pinefs_call	call;
	struct xdr_arena	arena;
} c;

static void
no_resume(void *arg)
{
	(void)arg;
	abort();
}

static struct pinefs_call *
begin(void)
{
	static const struct pinefs_cred cred = { .flavor = 1 };

	memset(&c, 0, sizeof c);
	xdr_arena_init(&c.arena, NULL, 0, 1 << 20);
	vfs_call_init(&c.call, &c.arena, &cred, true, no_resume, NULL);
	CHECK(vfs_call_enter(&c.call, &x) == 0);
	return &c.call;
}

static int
end(int err)
{
	vfs_call_fini(&c.call);
	xdr_arena_reset(&c.arena);
	CHECK(err == 0 || (err == ENOMEM && failed));
	return err;
}

static bool
is_there(const char *name)
{
	long saved = countdown;
	struct pinefs_node *n;
	int err;

	countdown = -1;
	err = vfs_lookup(begin(), root, rig_name(name), &n);
	CHECK(err == 0 || err == ENOENT);
	end(0);
	countdown = saved;
	return err == 0;
}

static bool
make(const char *name, uint32_t type)
{
	struct pinefs_create how = { .type = type,
	    .exclusive = PINEFS_GUARDED, .target = { "to", 2 } };
	struct pinefs_node *n;
	struct vfs_wcc wcc;
	int err = end(vfs_create(begin(), root, rig_name(name), &how, &n,
	    &wcc));

	CHECK(is_there(name) == (err == 0));
	return err == 0;
}

/* A step with the node of a name; ENOENT where it was never made. */
static int
node_of(struct pinefs_call *call, const char *name, struct pinefs_node **n)
{
	return vfs_lookup(call, root, rig_name(name), n);
}

static void
check_content(void)
{
	static uint8_t got[200000];
	long saved = countdown;
	struct pinefs_node *n;
	struct vfs_data d;

	countdown = -1;
	CHECK(node_of(begin(), "file", &n) == 0);
	CHECK(vfs_read(&c.call, n, 0, sizeof got, &d) == 0);
	CHECK(d.bytes.len == size && d.eof);
	rig_bytes(&d.bytes, got, sizeof got);
	CHECK(memcmp(got, model, size) == 0);
	end(0);
	countdown = saved;
}

static void
put(uint64_t off, uint32_t len, uint8_t with, bool own)
{
	struct vfs_write w = { .off = off, .data = xdr_view(bytes, len) };
	struct pinefs_buf *buf = own ? buf_new(len) : NULL;
	struct pinefs_node *n;
	int err;

	memset(bytes, with, len);
	if (buf != NULL) {
		memcpy(buf->base, bytes, len);
		w.data.data = buf->base;
		w.buf = buf;
	}
	if ((err = node_of(begin(), "file", &n)) == 0)
		err = vfs_write(&c.call, n, &w);
	end(err);
	if (buf != NULL)
		pinefs_buf_put(buf);
	/* As much as it says, no more and no less. */
	CHECK(w.written <= len);
	memset(model + off, with, w.written);
	if (w.written > 0 && size < off + w.written)
		size = off + w.written;
	check_content();
}

static void
punch(uint64_t off, uint64_t len)
{
	struct pinefs_node *n;
	struct vfs_wcc wcc;
	int err;

	if ((err = node_of(begin(), "file", &n)) == 0)
		err = vfs_allocate(&c.call, n, off, len, true, &wcc);
	if (end(err) == 0)
		memset(model + off, 0, len);
	check_content();
}

static void
cut(uint64_t to)
{
	struct pinefs_set set = { .attr = { .have = PINEFS_SIZE,
	    .size = to } };
	struct pinefs_node *n;
	struct vfs_wcc wcc;
	int err;

	if ((err = node_of(begin(), "file", &n)) == 0)
		err = vfs_setattr(&c.call, n, &set, &wcc);
	if (end(err) == 0) {
		memset(model + to, 0, sizeof model - to);
		size = to;
	}
	check_content();
}

static void
content(void)
{
	memset(model, 0, sizeof model);
	size = 0;
	put(0, 10, 'a', false);
	put(10, 5000, 'b', false);
	put(100000, 65536, 'c', true);
	put(110000, 300, 'd', false);
	put(50000, 3000, 'e', false);
	punch(120000, 5000);
	put(105000, 20000, 'f', true);
	cut(130000);
	cut(150000);
	put(149990, 20, 'g', false);
}

static int
list_add(void *arg, const struct vfs_entry *e)
{
	unsigned *n = arg;

	CHECK(e->attr != NULL);
	++*n;
	return 0;
}

static void
list(unsigned want)
{
	unsigned n = 0;
	struct vfs_readdir rd = { .want = PINEFS_ALL, .add = list_add,
	    .add_arg = &n };

	if (end(vfs_readdir(begin(), root, &rd)) == 0)
		CHECK(n == want && rd.eof);
}

static void
clone_file(void)
{
	struct pinefs_node *n, *to;
	struct vfs_wcc wcc;
	int err;

	if ((err = node_of(begin(), "file", &n)) == 0 &&
	    (err = node_of(&c.call, "copy", &to)) == 0)
		err = vfs_clone(&c.call, n, 0, to, 0, 0, &wcc);
	end(err);
	check_content();
}

static unsigned
names(void)
{
	static unsigned made;
	struct pinefs_node *n;
	struct vfs_wcc a, b;
	char name[16];
	int i, err;

	made = 0;
	for (i = 0; i < 20; i++) {
		sprintf(name, "n%d", i);
		made += make(name, i % 5 == 0 ? PINEFS_DIR : i % 5 == 1 ?
		    PINEFS_LNK : PINEFS_REG);
	}
	if (is_there("n2")) {
		if ((err = node_of(begin(), "n2", &n)) == 0)
			err = vfs_link(&c.call, n, root, rig_name("link"),
			    &a);
		end(err);
		CHECK(is_there("link") == (err == 0));
		made += err == 0;
		/* After rename one of the names is there, never both. */
		err = end(vfs_rename(begin(), root, rig_name("n2"), root,
		    rig_name("moved"), &a, &b));
		CHECK(is_there("moved") == (err == 0));
		CHECK(is_there("n2") == (err != 0));
	}
	return made;
}

static void
scenario(void)
{
	unsigned made;

	made = names();
	list(made);
	if (!make("file", PINEFS_REG))
		return;
	content();
	if (make("copy", PINEFS_REG))
		clone_file();
}

/* Everything goes, and nothing is left. */
static int
collect(void *arg, const struct vfs_entry *e)
{
	char (*to)[16] = arg;

	while (**to != '\0')
		to++;
	memcpy(*to, e->name.base, e->name.len);
	return 0;
}

static void
sweep(void)
{
	char all[64][16] = { "" };
	struct vfs_readdir rd = { .add = collect, .add_arg = all };
	struct vfs_limits l;
	struct vfs_wcc wcc;

	CHECK(vfs_readdir(begin(), root, &rd) == 0);
	end(0);
	for (int i = 0; all[i][0] != '\0'; i++) {
		CHECK(vfs_remove(begin(), root, rig_name(all[i]),
		    PINEFS_REMOVE_ANY, &wcc) == 0);
		end(0);
	}
	CHECK(vfs_limits(begin(), root, &l) == 0);
	CHECK(l.st.bytes_free == l.st.bytes &&
	    l.st.files_free == l.st.files - 1);
	end(0);
}

static void
test_each_allocation_may_fail_once(void)
{
	long n, before = live;

	for (n = 0; n < 100000; n++) {
		failed = false;
		countdown = n;
		rig_export(&x, memfs_new(1 << 20, 100));
		if (x.fs == NULL) {
			CHECK(failed && errno == ENOMEM);
			countdown = -1;
			CHECK(live == before);
			continue;
		}
		root = pinefs_root(x.fs);
		scenario();
		countdown = -1;
		sweep();
		pinefs_free(x.fs);
		/* Slabs keep a piece or two for later: never more. */
		CHECK(live <= before + 8);
		if (!failed)
			break;
	}
	CHECK(n > 100 && n < 100000);
}

/* The same without a failure, twice: nothing is left behind. */
static void
test_no_memory_is_lost(void)
{
	long before = 0;

	for (int i = 0; i < 3; i++) {
		rig_export(&x, memfs_new(1 << 20, 100));
		root = pinefs_root(x.fs);
		scenario();
		sweep();
		pinefs_free(x.fs);
		if (i == 1)
			before = live;
	}
	assert_int_equal(live, before);
}

CHECK_MAIN(
	CHECK_TEST(test_no_memory_is_lost),
	CHECK_TEST(test_each_allocation_may_fail_once),
)
