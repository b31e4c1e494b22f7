/*
 * vfsbench: what vfs and memfs cost by themselves, without protocol and
 * sockets, in ns per operation on one thread.
 *
 *	vfsbench [FILES]	files in the directory, 1000 unless given
 *
 * Each line is the best of five runs.  PERFORMANCE 5 has the budgets:
 * getattr 250, lookup 500, create and remove together 1200.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "fs/memfs.h"
#include "vfs/vfs.h"

enum { RUNS = 5, PAGE = 65536 };

static struct {
	struct pinefs_call	 call;
	struct xdr_arena	 arena;
	struct vfs_export	 export;
	_Alignas(16) char	 memory[7168];
	unsigned		 files;
	struct pinefs_ident	*id;	/* handles of the files */
	struct pinefs_ident	 root;
} b;

static void
die(const char *what)
{
	fprintf(stderr, "vfsbench: %s failed\n", what);
	exit(1);
}

static void
no_resume(void *arg)
{
	(void)arg;
	die("an operation that waits");
}

/* What the RPC layer does for each call. */
static struct pinefs_call *
begin(void)
{
	static const struct pinefs_cred cred = { .flavor = 1 };

	memset(&b.call, 0, sizeof b.call);
	vfs_call_init(&b.call, &b.arena, &cred, true, no_resume, NULL);
	if (vfs_call_enter(&b.call, &b.export) != 0)
		die("enter");
	return &b.call;
}

static void
end(void)
{
	vfs_call_fini(&b.call);
	xdr_arena_reset(&b.arena);
}

static struct pinefs_node *
node(const struct pinefs_ident *id)
{
	struct pinefs_node *n;

	if (vfs_node_find(&b.call, &b.export, id, &n) != 0)
		die("find");
	return n;
}

static struct pinefs_name
name(char *to, unsigned i)
{
	struct pinefs_name n = { to, (uint32_t)sprintf(to, "file%06u", i) };

	return n;
}

/* Handles come in no order. */
static unsigned
some(unsigned i)
{
	return i * 7919u % b.files;
}

static void
do_nothing(unsigned i)
{
	(void)i;
	begin();
	end();
}

static void
do_getattr(unsigned i)
{
	struct pinefs_call *c = begin();
	struct pinefs_attr a;

	if (vfs_getattr(c, node(&b.id[some(i)]), &a) != 0)
		die("getattr");
	end();
}

static void
do_access(unsigned i)
{
	struct pinefs_call *c = begin();
	struct pinefs_attr a;
	uint32_t bits;

	if (vfs_access(c, node(&b.id[some(i)]), 0x1f, &bits, &a) != 0)
		die("access");
	end();
}

/* With the attributes of both, as the reply of v3 has them. */
static void
do_lookup(unsigned i)
{
	struct pinefs_call *c = begin();
	struct pinefs_node *dir = node(&b.root), *n;
	struct pinefs_attr a;
	char text[16];

	if (vfs_lookup(c, dir, name(text, some(i)), &n) != 0 ||
	    vfs_getattr(c, n, &a) != 0 || vfs_getattr(c, dir, &a) != 0)
		die("lookup");
	end();
}

static void
do_create_remove(unsigned i)
{
	static const struct pinefs_name fresh = { "a new one", 9 };
	struct pinefs_create how = { .type = PINEFS_REG,
	    .set.attr = { .have = PINEFS_MODE, .mode = 0644 } };
	struct pinefs_call *c = begin();
	struct pinefs_node *dir = node(&b.root), *n;
	struct pinefs_attr a;
	struct vfs_wcc wcc;

	(void)i;
	if (vfs_create(c, dir, fresh, &how, &n, &wcc) != 0 ||
	    vfs_getattr(c, n, &a) != 0)
		die("create");
	end();
	c = begin();
	if (vfs_remove(c, node(&b.root), fresh, PINEFS_REMOVE_FILE,
	    &wcc) != 0)
		die("remove");
	end();
}

static void
do_rename(unsigned i)
{
	struct pinefs_call *c = begin();
	struct pinefs_node *dir = node(&b.root);
	struct vfs_wcc w1, w2;
	char from[16], to[16] = "other";
	struct pinefs_name a = name(from, some(i / 2)),
	    o = { to, 5 };

	if (vfs_rename(c, dir, i % 2 ? o : a, dir, i % 2 ? a : o, &w1,
	    &w2) != 0)
		die("rename");
	end();
}

static uint32_t io_size;

static void
do_read(unsigned i)
{
	struct pinefs_call *c = begin();
	struct vfs_data d;
	struct pinefs_attr a;
	struct pinefs_node *n = node(&b.id[0]);

	if (vfs_read(c, n, (uint64_t)(i % 16) * io_size, io_size, &d) != 0 ||
	    d.bytes.len != io_size || vfs_getattr(c, n, &a) != 0)
		die("read");
	end();
}

static void
do_write(unsigned i)
{
	static char bytes[1 << 20];
	struct pinefs_call *c = begin();
	struct vfs_write w = { .off = (uint64_t)(i % 16) * io_size };

	w.data = xdr_view(bytes, io_size);
	if (io_size >= 16384) {
		/* Received into memory of its own. */
		w.buf = buf_new(io_size);
		w.data.data = w.buf->base;
	}
	if (vfs_write(c, node(&b.id[0]), &w) != 0 || w.written != io_size)
		die("write");
	end();
	if (w.buf != NULL)
		pinefs_buf_put(w.buf);
}

static unsigned listed;
static uint32_t room;

/* As much work as a packer has: look at all of it, count bytes. */
static int
list_add(void *arg, const struct vfs_entry *e)
{
	uint64_t *cookie = arg;
	uint32_t n = 200 + e->name.len;

	if (room < n || (e->attr != NULL && e->attr->type == 0))
		return 1;
	room -= n;
	*cookie = e->cookie;
	listed++;
	return 0;
}

static void
do_list(unsigned i)
{
	static uint64_t cookie;
	struct vfs_readdir rd = { .want = PINEFS_ALL, .add = list_add,
	    .add_arg = &cookie, .cookie = cookie };
	struct pinefs_call *c = begin();

	(void)i;
	room = PAGE;
	if (vfs_readdir(c, node(&b.root), &rd) != 0)
		die("readdir");
	if (rd.eof)
		cookie = 0;
	end();
}

static double
once(void (*fn)(unsigned), unsigned n)
{
	struct timespec from, to;
	unsigned i;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (i = 0; i < n; i++)
		fn(i);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) * 1e9 +
	    (double)(to.tv_nsec - from.tv_nsec);
}

static void
row(const char *what, void (*fn)(unsigned), unsigned n)
{
	double best = 0, ns;
	int i;

	for (i = 0; i < RUNS; i++) {
		ns = once(fn, n) / n;
		if (i == 0 || ns < best)
			best = ns;
	}
	printf("%-24s %8.0f ns\n", what, best);
}

static void
list_row(void)
{
	double best = 0, ns;
	int i;

	for (i = 0; i < RUNS; i++) {
		listed = 0;
		ns = once(do_list, 2000);
		ns /= listed;
		if (i == 0 || ns < best)
			best = ns;
	}
	printf("%-24s %8.0f ns an entry\n", "list with attributes", best);
}

static void
fill(void)
{
	struct pinefs_create how = { .type = PINEFS_REG,
	    .set.attr = { .have = PINEFS_MODE, .mode = 0644 } };
	struct pinefs_node *root, *n;
	struct vfs_wcc wcc;
	char text[16];
	unsigned i;

	b.id = calloc(b.files, sizeof *b.id);
	for (i = 0; i < b.files; i++) {
		begin();
		if (b.id == NULL || vfs_node_root(&b.call, &root) != 0 ||
		    vfs_create(&b.call, root, name(text, i), &how, &n,
		    &wcc) != 0)
			die("create");
		vfs_node_handle_ident(n, &b.id[i]);
		vfs_node_handle_ident(root, &b.root);
		end();
	}
}

int
main(int argc, char **argv)
{
	b.files = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	if (b.files == 0)
		die("no number");
	b.export.path = (char *)(uintptr_t)"/";
	b.export.fs = memfs_new(UINT64_C(1) << 30, b.files + 10);
	xdr_arena_init(&b.arena, b.memory, sizeof b.memory, 512 << 10);
	fill();

	printf("%u files\n", b.files);
	row("a call by itself", do_nothing, 1000000);
	row("getattr", do_getattr, 1000000);
	row("access", do_access, 1000000);
	row("lookup", do_lookup, 1000000);
	row("create + remove", do_create_remove, 300000);
	list_row();
	row("rename", do_rename, 300000);
	for (io_size = 4096; io_size <= 1 << 20; io_size *= 16) {
		char what[32];

		sprintf(what, "write %u KiB", io_size >> 10);
		row(what, do_write, io_size > 65536 ? 2000 : 100000);
		sprintf(what, "read %u KiB", io_size >> 10);
		row(what, do_read, 300000);
	}
	return 0;
}
