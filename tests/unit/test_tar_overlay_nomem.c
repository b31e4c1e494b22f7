/*
 * The overlay of an archive without memory.  One scenario is run again and
 * again, failing the first allocation, then the second, until none fails any
 * more.  Each time every change has happened or has not, and in the end all
 * memory is given back.
 */
#include <errno.h>

#include "base/log.h"
#include "nomem.h"
#include "overlay_rig.h"

/* With an arena that has no memory of its own: steps fail too. */
static struct {
	struct pinefs_call	call;
	struct xdr_arena	arena;
} c;

static struct pinefs_node *d, *e;
static uint8_t model[150000];
static uint64_t size;

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

/* What a look without failures finds; with a reference, or NULL. */
static struct pinefs_node *
look(struct pinefs_node *dir, const char *name)
{
	struct pinefs_node *n = NULL;
	long saved = countdown;
	int err;

	countdown = -1;
	err = vfs_lookup(begin(), dir, rig_name(name), &n);
	CHECK(err == 0 || err == ENOENT);
	if (err == 0)
		pinefs_node_get(n);
	end(0);
	countdown = saved;
	return n;
}

static bool
is_there(struct pinefs_node *dir, const char *name)
{
	struct pinefs_node *n = look(dir, name);

	if (n != NULL)
		pinefs_node_put(n);
	return n != NULL;
}

static int
count_one(void *arg, const struct vfs_entry *entry)
{
	(void)entry;
	++*(unsigned *)arg;
	return 0;
}

static unsigned
names_in(struct pinefs_node *dir)
{
	unsigned n = 0;
	struct vfs_readdir rd = { .add = count_one, .add_arg = &n };
	long saved = countdown;

	countdown = -1;
	CHECK(vfs_readdir(begin(), dir, &rd) == 0);
	end(0);
	countdown = saved;
	return n;
}

/* --------------------------------------------------------------- changes -- */

static void
make(struct pinefs_node *dir, const char *name, uint32_t type)
{
	struct pinefs_create how = { .type = type,
	    .exclusive = PINEFS_GUARDED, .target = { "to", 2 } };
	unsigned before = names_in(dir);
	struct pinefs_node *n;
	struct vfs_wcc wcc;
	bool done;

	if (is_there(dir, name))
		return;		/* it should have been removed */
	end(vfs_create(begin(), dir, rig_name(name), &how, &n, &wcc));
	done = is_there(dir, name);
	CHECK(names_in(dir) == before + done);
}

static void
rm(struct pinefs_node *dir, const char *name)
{
	unsigned before = names_in(dir);
	struct vfs_wcc wcc;
	bool done;

	if (!is_there(dir, name))
		return;		/* it should have been made */
	end(vfs_remove(begin(), dir, rig_name(name), PINEFS_REMOVE_ANY,
	    &wcc));
	done = !is_there(dir, name);
	CHECK(names_in(dir) == before - done);
}

static void
mv(struct pinefs_node *from, const char *old, struct pinefs_node *to,
    const char *new)
{
	struct pinefs_node *n = look(from, old), *now;
	struct vfs_wcc a, b;
	bool gone;

	if (n == NULL)
		return;
	end(vfs_rename(begin(), from, rig_name(old), to, rig_name(new), &a,
	    &b));
	/* One of the names is there, never both. */
	gone = !is_there(from, old);
	if ((now = look(to, new)) != NULL)
		pinefs_node_put(now);
	CHECK((now == n) == gone);
	pinefs_node_put(n);
}

static void
ln(struct pinefs_node *dir, const char *name, const char *new)
{
	struct pinefs_node *n = look(dir, name), *now;
	struct vfs_wcc wcc;

	if (n == NULL)
		return;
	end(vfs_link(begin(), n, dir, rig_name(new), &wcc));
	if ((now = look(dir, new)) != NULL) {
		CHECK(now == n);
		pinefs_node_put(now);
	}
	pinefs_node_put(n);
}

static void
set_xattr(struct pinefs_node *n, const char *name)
{
	struct vfs_wcc wcc;

	end(vfs_setxattr(begin(), n, rig_name(name), xdr_view("value", 5),
	    PINEFS_XATTR_EITHER, &wcc));
}

/* --------------------------------------------------------------- content -- */

static void
check_content(struct pinefs_node *n)
{
	static uint8_t got[sizeof model];
	long saved = countdown;
	struct vfs_data data;

	countdown = -1;
	CHECK(vfs_read(begin(), n, 0, sizeof got, &data) == 0);
	CHECK(data.bytes.len == size && data.eof);
	rig_flat(&data.bytes, got, sizeof got);
	CHECK(memcmp(got, model, size) == 0);
	end(0);
	countdown = saved;
}

static void
put(struct pinefs_node *n, uint64_t off, uint32_t len, char with)
{
	static uint8_t bytes[70000];
	struct vfs_write w = { .off = off, .data = xdr_view(bytes, len) };

	memset(bytes, with, len);
	end(vfs_write(begin(), n, &w));
	memset(model + off, with, w.written);
	if (w.written > 0 && size < off + w.written)
		size = off + w.written;
	check_content(n);
}

static void
cut(struct pinefs_node *n, uint64_t to)
{
	struct pinefs_set set = { .attr = { .have = PINEFS_SIZE,
	    .size = to } };
	struct pinefs_attr a;
	struct vfs_wcc wcc;
	long saved = countdown;

	end(vfs_setattr(begin(), n, &set, &wcc));
	countdown = -1;
	CHECK(vfs_getattr(begin(), n, &a) == 0);
	end(0);
	countdown = saved;
	if (a.size < size)
		memset(model + a.size, 0, sizeof model - a.size);
	size = a.size;
	check_content(n);
}

static void
scenario(void)
{
	struct pinefs_node *big = look(root, "big");

	memset(model, 0, sizeof model);
	size = 100000;
	put(big, 5, 1, 'a');
	put(big, 6, 100, 'b');
	put(big, 50000, 65536, 'c');
	put(big, 20000, 5000, 'd');
	cut(big, 60000);
	cut(big, 70000);
	set_xattr(big, "user");
	make(d, "new", PINEFS_REG);
	make(d, "link", PINEFS_LNK);
	make(d, "dir", PINEFS_DIR);
	rm(d, "name0");
	make(d, "name0", PINEFS_REG);
	ln(d, "name1", "another");
	mv(d, "name2", d, "moved");
	mv(d, "name3", e, "name3");
	mv(root, "big", d, "big");
	mv(d, "moved", e, "name4");
	rm(e, "name3");
	rm(d, "new");
	pinefs_node_put(big);
}

static void
one(long n)
{
	overlay_begin(1 << 20);
	d = look(root, "d");
	e = look(root, "e");
	failed = false;
	countdown = n;
	scenario();
	countdown = -1;
	pinefs_node_put(d);
	pinefs_node_put(e);
	overlay_end();
}

static void
test_each_allocation_may_fail_once(void)
{
	long n, before;

	log_set_level(LOG_LEVEL_ERROR);
	one(-1);
	one(-1);
	before = live;
	for (n = 0; n < 100000; n++) {
		one(n);
		CHECK(live <= before + 8);	/* slabs keep a piece or two */
		if (!failed)
			break;
	}
	CHECK(n > 50 && n < 100000);
}

CHECK_MAIN(
	CHECK_TEST(test_each_allocation_may_fail_once),
)
