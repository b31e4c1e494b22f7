/*
 * Trees under random operations, against a model that is too simple to be
 * wrong; listings while everything changes; a million entries.
 */
#include <errno.h>

#include "vfs_rig.h"

static struct vfs_export x;
static struct rig_call r;

static int
any_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	(void)call, (void)node;
	w->written = w->count;
	return 0;
}

static void
start(void)
{
	static const struct pinefs_ops ops = { .flags = PINEFS_PROMPT,
	    .write = any_write };

	rig_export(&x, pinefs_new(&ops, NULL));
	rig_begin(&r, &x);
}

static void
stop(void)
{
	rig_end(&r);
	pinefs_free(x.fs);
}

static void
fresh(void)
{
	rig_end(&r);
	rig_begin(&r, &x);
}

/* ----------------------------------------------------------- the model -- */

enum { OBJECTS = 400, NAMES = 12 };

/* An object is a number; a directory has a table of names. */
static struct {
	bool			there, dir;
	int			names;		/* how many it has */
	int			parent;		/* of a directory */
	int			entry[NAMES];	/* object, or -1 */
	struct pinefs_node	*node;		/* a reference */
} m[OBJECTS];

/* The number in a name, which does not end with NUL. */
static int
number_in(struct pinefs_name name)
{
	int n = 0;

	for (uint32_t i = 0; i < name.len; i++)
		if (name.base[i] >= '0' && name.base[i] <= '9')
			n = n * 10 + name.base[i] - '0';
	return n;
}

static char name_text[NAMES][4];

static struct pinefs_name
name_of(int i)
{
	sprintf(name_text[i], "n%d", i);
	return rig_name(name_text[i]);
}

static int
m_new(bool dir, int parent, struct pinefs_node *node)
{
	int i = 0;

	while (m[i].there)
		CHECK(++i < OBJECTS);
	m[i].there = true;
	m[i].dir = dir;
	m[i].names = 1;
	m[i].parent = parent;
	m[i].node = node;
	pinefs_node_get(node);
	for (int k = 0; k < NAMES; k++)
		m[i].entry[k] = -1;
	return i;
}

static void
m_unname(int i)
{
	if (--m[i].names > 0)
		return;
	m[i].there = false;
	pinefs_node_put(m[i].node);
}

static bool
m_empty(int dir)
{
	for (int k = 0; k < NAMES; k++)
		if (m[dir].entry[k] != -1)
			return false;
	return true;
}

static bool
m_above(int i, int dir)
{
	for (; dir != 0; dir = m[dir].parent)
		if (dir == i)
			return true;
	return i == 0;
}

static int
some_dir(void)
{
	int i;

	do
		i = rand() % 60;
	while (!m[i].there || !m[i].dir);
	return i;
}

static void
do_make(bool dir)
{
	struct pinefs_create how = { .type = dir ? (uint32_t)PINEFS_DIR :
	    (uint32_t)PINEFS_REG, .exclusive = PINEFS_GUARDED };
	int d = some_dir(), n = rand() % NAMES, err;
	struct pinefs_node *node;
	struct vfs_wcc wcc;

	err = vfs_create(&r.call, m[d].node, name_of(n), &how, &node, &wcc);
	if (m[d].entry[n] != -1) {
		assert_int_equal(err, EEXIST);
		return;
	}
	assert_int_equal(err, 0);
	m[d].entry[n] = m_new(dir, d, node);
}

static void
do_remove(void)
{
	int d = some_dir(), n = rand() % NAMES, o = m[d].entry[n], err, want;
	int kind = 1 + rand() % 3;
	struct vfs_wcc wcc;

	err = vfs_remove(&r.call, m[d].node, name_of(n), kind, &wcc);
	want = o == -1 ? ENOENT :
	    m[o].dir && !(kind & PINEFS_REMOVE_DIR) ? EISDIR :
	    !m[o].dir && !(kind & PINEFS_REMOVE_FILE) ? ENOTDIR :
	    m[o].dir && !m_empty(o) ? ENOTEMPTY : 0;
	assert_int_equal(err, want);
	if (err == 0) {
		m[d].entry[n] = -1;
		m_unname(o);
	}
}

static void
do_link(void)
{
	int d = some_dir(), n = rand() % NAMES, d2 = some_dir(),
	    n2 = rand() % NAMES, o = m[d].entry[n], err, want;
	struct vfs_wcc wcc;

	if (o == -1)
		return;
	err = vfs_link(&r.call, m[o].node, m[d2].node, name_of(n2), &wcc);
	want = m[o].dir ? EPERM : m[d2].entry[n2] != -1 ? EEXIST : 0;
	assert_int_equal(err, want);
	if (err == 0) {
		m[d2].entry[n2] = o;
		m[o].names++;
	}
}

static int
rename_want(int o, int d2, int old, int d)
{
	if (o == -1)
		return ENOENT;
	if (o == old)
		return 0;
	if (m[o].dir && d != d2 && m_above(o, d2))
		return EINVAL;
	if (old == -1)
		return 0;
	if (m[o].dir && !m[old].dir)
		return ENOTDIR;
	if (!m[o].dir && m[old].dir)
		return EISDIR;
	return m[old].dir && !m_empty(old) ? ENOTEMPTY : 0;
}

static void
do_rename(void)
{
	int d = some_dir(), n = rand() % NAMES, d2 = some_dir(),
	    n2 = rand() % NAMES, o = m[d].entry[n], old = m[d2].entry[n2],
	    err;
	struct vfs_wcc a, b;

	err = vfs_rename(&r.call, m[d].node, name_of(n), m[d2].node,
	    name_of(n2), &a, &b);
	assert_int_equal(err, rename_want(o, d2, old, d));
	if (err != 0 || o == old)
		return;
	m[d].entry[n] = -1;
	m[d2].entry[n2] = o;
	if (m[o].dir)
		m[o].parent = d2;
	if (old != -1)
		m_unname(old);
}

struct seen {
	int	n, count[NAMES];
};

static int
seen_add(void *arg, const struct vfs_entry *e)
{
	struct seen *s = arg;

	s->n++;
	s->count[number_in(e->name)]++;
	return 0;
}

/* Everything that can be seen is as in the model. */
static void
check_all(void)
{
	struct vfs_readdir rd = { .add = seen_add };
	struct pinefs_attr a;
	struct pinefs_node *n;
	int i, k, subdirs, entries;

	for (i = 0; i < OBJECTS; i++) {
		if (!m[i].there)
			continue;
		fresh();
		CHECK(vfs_getattr(&r.call, m[i].node, &a) == 0);
		if (!m[i].dir) {
			assert_int_equal(a.nlink, m[i].names);
			continue;
		}
		struct seen s = { 0 };

		rd.add_arg = &s;
		CHECK(vfs_readdir(&r.call, m[i].node, &rd) == 0 && rd.eof);
		subdirs = entries = 0;
		for (k = 0; k < NAMES; k++) {
			int o = m[i].entry[k];

			assert_int_equal(s.count[k], o != -1);
			entries += o != -1;
			subdirs += o != -1 && m[o].dir;
			assert_int_equal(vfs_lookup(&r.call, m[i].node,
			    name_of(k), &n), o == -1 ? ENOENT : 0);
			CHECK(o == -1 || n == m[o].node);
		}
		assert_int_equal(s.n, entries);
		assert_int_equal(a.nlink, 2 + subdirs);
		CHECK(vfs_lookup(&r.call, m[i].node, rig_name(".."), &n) ==
		    0 && n == m[m[i].parent].node);
	}
}

static void
test_random_operations_end_as_in_the_model(void)
{
	struct pinefs_node *root;
	const char *s = getenv("SEED");
	unsigned seed = s == NULL ? 1 : (unsigned)atoi(s);
	int i;

	for (; seed < (s == NULL ? 5u : (unsigned)atoi(s) + 1); seed++) {
		srand(seed);
		start();
		memset(m, 0, sizeof m);
		CHECK(vfs_node_root(&r.call, &root) == 0);
		m_new(true, 0, root);
		for (i = 0; i < 6000; i++) {
			switch (rand() % 8) {
			case 0: case 1:
				do_make(false);
				break;
			case 2:
				do_make(true);
				break;
			case 3: case 4:
				do_remove();
				break;
			case 5:
				do_link();
				break;
			default:
				do_rename();
			}
			fresh();
			if (i % 500 == 499)
				check_all();
		}
		for (i = 0; i < OBJECTS; i++)
			if (m[i].there)
				pinefs_node_put(m[i].node);
		stop();
	}
}

/* ------------------------------------------ listings while things change -- */

enum { FILES = 300 };

struct listing {
	unsigned	page, n;
	uint64_t	last;
	unsigned	count[FILES * 2];
};

static int
list_add(void *arg, const struct vfs_entry *e)
{
	struct listing *l = arg;

	if (l->n == l->page)
		return 1;
	l->n++;
	CHECK(e->cookie > l->last);
	l->last = e->cookie;
	l->count[number_in(e->name)]++;
	return 0;
}

static int
touch(struct pinefs_node *dir, int n)
{
	struct pinefs_create how = { .type = PINEFS_REG };
	struct pinefs_node *node;
	struct vfs_wcc wcc;
	char name[16];

	sprintf(name, "%d", n);
	return vfs_create(&r.call, dir, rig_name(name), &how, &node, &wcc);
}

static int
rm(struct pinefs_node *dir, int n)
{
	struct vfs_wcc wcc;
	char name[8];

	sprintf(name, "%d", n);
	return vfs_remove(&r.call, dir, rig_name(name), PINEFS_REMOVE_FILE,
	    &wcc);
}

static int
mv(struct pinefs_node *dir, int from, int to)
{
	struct vfs_wcc a, b;
	char old[8], new[8];

	sprintf(old, "%d", from);
	sprintf(new, "%d", to);
	return vfs_rename(&r.call, dir, rig_name(old), dir, rig_name(new), &a,
	    &b);
}

/*
 * Even files stay; odd ones are removed, renamed away or made again between
 * the pages.
 */
static void
list_while_changing(unsigned page, unsigned changes)
{
	struct listing l = { .page = page };
	struct vfs_readdir rd = { .add = list_add, .add_arg = &l,
	    .dots = false };
	unsigned pages = 0, k;
	struct pinefs_node *root;
	int i, n;

	start();
	CHECK(vfs_node_root(&r.call, &root) == 0);
	for (i = 0; i < FILES; i++) {
		CHECK(touch(root, i) == 0);
		fresh();
	}
	do {
		l.n = 0;
		rd.cookie = l.last;
		CHECK(vfs_readdir(&r.call, root, &rd) == 0);
		fresh();
		/* New ones come last: who adds for ever, lists for ever. */
		for (k = 0; pages < FILES && k < changes; k++) {
			n = rand() % (FILES / 2) * 2 + 1;
			if (rand() % 2)
				rm(root, n);
			else
				mv(root, n, FILES + n);
			rm(root, FILES + n);
			if (rand() % 4 == 0)
				touch(root, n);
			fresh();
		}
		pages++;
	} while (!rd.eof);
	for (i = 0; i < FILES; i += 2)
		assert_int_equal(l.count[i], 1);
	stop();
}

static void
test_listings_lose_and_double_nothing(void)
{
	srand(3);
	for (unsigned page = 1; page < 40; page += 3)
		for (unsigned changes = 0; changes < 30; changes += 9)
			list_while_changing(page, changes);
}

static void
test_removing_what_was_listed_empties_a_directory(void)
{
	struct listing l = { .page = 20 };
	struct vfs_readdir rd = { .add = list_add, .add_arg = &l };
	struct pinefs_node *root;
	struct pinefs_attr a;
	int i;

	start();
	CHECK(vfs_node_root(&r.call, &root) == 0);
	for (i = 0; i < FILES; i++) {
		CHECK(touch(root, i) == 0);
		fresh();
	}
	do {
		l.n = 0;
		rd.cookie = l.last;
		CHECK(vfs_readdir(&r.call, root, &rd) == 0);
		for (i = 0; i < FILES; i++) {
			if (l.count[i] == 1) {
				CHECK(rm(root, i) == 0);
				l.count[i] = 2;
				fresh();
			}
		}
	} while (!rd.eof);
	CHECK(vfs_getattr(&r.call, root, &a) == 0 && a.size == 0);
	stop();
}

/* --------------------------------------------------------- large numbers -- */

struct count {
	unsigned	n, page;
	uint64_t	last;
};

static int
count_add(void *arg, const struct vfs_entry *e)
{
	struct count *c = arg;

	if (c->page == 0)
		return 1;
	c->page--;
	c->n++;
	c->last = e->cookie;
	return 0;
}

static void
test_a_million_entries_take_seconds_not_hours(void)
{
	enum { MANY = 1000000 };
	struct count c = { 0 };
	struct vfs_readdir rd = { .add = count_add, .add_arg = &c };
	struct pinefs_node *root, *n;
	char name[16];
	int i;

	start();
	CHECK(vfs_node_root(&r.call, &root) == 0);
	for (i = 0; i < MANY; i++) {
		CHECK(touch(root, i) == 0);
		fresh();
	}
	do {
		c.page = 500;
		rd.cookie = c.last;
		CHECK(vfs_readdir(&r.call, root, &rd) == 0);
		fresh();
	} while (!rd.eof);
	assert_int_equal(c.n, MANY);
	for (i = 0; i < MANY; i += 7) {
		sprintf(name, "%d", i);
		CHECK(vfs_lookup(&r.call, root, rig_name(name), &n) == 0);
		fresh();
	}
	for (i = 0; i < MANY; i++) {
		CHECK(rm(root, i) == 0);
		fresh();
	}
	stop();
}

CHECK_MAIN(
	CHECK_TEST(test_random_operations_end_as_in_the_model),
	CHECK_TEST(test_listings_lose_and_double_nothing),
	CHECK_TEST(test_removing_what_was_listed_empties_a_directory),
	CHECK_TEST(test_a_million_entries_take_seconds_not_hours),
)
