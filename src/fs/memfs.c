/*
 * memfs: everything in memory, on door 1: the library keeps names and
 * attributes, this file keeps count of objects and bytes, and mem_file.c has
 * the content.
 *
 *	memfs.c		the table of functions
 *	mem_file.c	reads and writes of one file
 *	mem_map.c	its extents
 *	mem_block.c	their memory
 *	mem_xattr.c	extended attributes
 */
#include "memfs.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem_file.h"

enum { BYTES_PER_INODE = 4096 };

struct memfs {
	struct mem_space	space;
	uint64_t		inode_limit;
	_Atomic uint64_t	inodes;
};

/* The data of what was counted and has neither content nor attributes. */
static char counted;

/* ------------------------------------------------------------- objects -- */

static bool
take_inode(struct memfs *m)
{
	uint64_t n = atomic_load_explicit(&m->inodes, memory_order_relaxed);

	do {
		if (n >= m->inode_limit)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&m->inodes, &n, n + 1,
	    memory_order_relaxed, memory_order_relaxed));
	return true;
}

static int
mem_create(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_made *made)
{
	struct memfs *m = pinefs_arg(pinefs_node_fs(dir));
	void *data = &counted;

	(void)call, (void)name;
	if (!take_inode(m))
		return ENOSPC;
	if (how->type == PINEFS_REG &&
	    (data = mem_file_new(&m->space)) == NULL) {
		atomic_fetch_sub(&m->inodes, 1);
		return ENOMEM;
	}
	pinefs_node_set_data(made->node, data);
	if (how->type == PINEFS_REG)
		pinefs_node_set_used(made->node, 0);
	return 0;
}

static void
mem_release(struct pinefs_node *node)
{
	struct memfs *m = pinefs_arg(pinefs_node_fs(node));
	void *data = pinefs_node_data(node);

	if (data == NULL)
		return;		/* refused by create */
	if (data != &counted)
		mem_file_free(data);
	atomic_fetch_sub_explicit(&m->inodes, 1, memory_order_relaxed);
}

/* ------------------------------------------------------------- content -- */

/* It takes up what its extents do. */
static void
say_used(struct pinefs_node *node, const struct mem_file *f)
{
	pinefs_node_set_used(node, f->map.bytes);
}

static int
mem_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	(void)call;
	return mem_file_read(pinefs_node_data(node), off, count, out);
}

static int
mem_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	struct mem_file *f = pinefs_node_data(node);
	int err;

	(void)call;
	err = mem_file_write(f, w);
	w->committed = PINEFS_FILE_SYNC;	/* as durable as it gets */
	say_used(node, f);
	return err;
}

static int
mem_truncate(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t size)
{
	struct mem_file *f = pinefs_node_data(node);

	(void)call;
	mem_file_truncate(f, size);
	say_used(node, f);
	return 0;
}

static int
mem_seek(struct pinefs_call *call, struct pinefs_node *node, int what,
    uint64_t off, uint64_t *found)
{
	(void)call;
	return mem_file_seek(pinefs_node_data(node), what, off, found);
}

static int
mem_allocate(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t off, uint64_t len, int punch)
{
	struct mem_file *f = pinefs_node_data(node);
	int err;

	(void)call;
	err = punch ? mem_file_punch(f, off, len) :
	    mem_file_reserve(f, off, len);
	say_used(node, f);
	return err;
}

static int
mem_clone(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *to, struct pinefs_range *r)
{
	struct mem_file *f = pinefs_node_data(to);
	int err;

	(void)call;
	err = mem_file_clone(pinefs_node_data(node), r->from_off, f,
	    r->to_off, r->len);
	say_used(to, f);
	return err;
}

/* -------------------------------------------------- extended attributes -- */

static struct mem_file *
file_if_any(struct pinefs_node *node)
{
	void *data = pinefs_node_data(node);

	return data == &counted ? NULL : data;
}

static int
mem_getxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_out *out)
{
	struct mem_file *f = file_if_any(node);

	(void)call;
	return f == NULL ? ENODATA : mem_xattr_get(&f->xattrs, name, out);
}

static int
mem_setxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_in *in, int how)
{
	struct memfs *m = pinefs_arg(pinefs_node_fs(node));
	struct mem_file *f = file_if_any(node);

	(void)call;
	/* A directory's first one. */
	if (f == NULL) {
		if ((f = mem_file_new(&m->space)) == NULL)
			return ENOMEM;
		pinefs_node_set_data(node, f);
	}
	return mem_xattr_set(&f->xattrs, &m->space, name, in, how);
}

static int
mem_removexattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name)
{
	struct mem_file *f = file_if_any(node);

	(void)call;
	return f == NULL ? ENODATA :
	    mem_xattr_remove(&f->xattrs, f->space, name);
}

static int
mem_listxattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *emit)
{
	struct mem_file *f = file_if_any(node);

	(void)call;
	if (f != NULL)
		mem_xattr_list(&f->xattrs, after, emit);
	return 0;
}

/* ---------------------------------------------------------- the whole -- */

static int
mem_statfs(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_statfs *st)
{
	struct memfs *m = pinefs_arg(pinefs_node_fs(node));
	uint64_t inodes = atomic_load(&m->inodes);

	(void)call;
	st->bytes = m->space.limit;
	st->bytes_free = st->bytes_avail = mem_space_left(&m->space);
	st->files = m->inode_limit;
	st->files_free = st->files_avail = inodes < m->inode_limit ?
	    m->inode_limit - inodes : 0;
	st->link_max = 1000000000;
	return 0;
}

static uint64_t
half_of_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	if (pages <= 0 || size <= 0)
		return UINT64_C(1) << 30;
	return (uint64_t)pages * (uint64_t)size / 2;
}

struct pinefs *
memfs_new(uint64_t size_limit, uint64_t inode_limit)
{
	static const struct pinefs_ops ops = {
		.flags = PINEFS_PROMPT | PINEFS_DELEGATION,
		.read = mem_read,
		.write = mem_write,
		.truncate = mem_truncate,
		.create = mem_create,
		.statfs = mem_statfs,
		.seek = mem_seek,
		.allocate = mem_allocate,
		.clone = mem_clone,
		.getxattr = mem_getxattr,
		.setxattr = mem_setxattr,
		.listxattr = mem_listxattr,
		.removexattr = mem_removexattr,
		.release = mem_release,
		.fini = free,
	};
	struct memfs *m = calloc(1, sizeof *m);
	struct pinefs *fs;

	if (m == NULL)
		return NULL;
	m->space.limit = size_limit != 0 ? size_limit : half_of_memory();
	m->inode_limit = inode_limit != 0 ? inode_limit :
	    m->space.limit / BYTES_PER_INODE + 1;
	if ((fs = pinefs_new(&ops, m)) == NULL) {
		free(m);
		return NULL;
	}
	pinefs_node_set_data(pinefs_root(fs), &counted);
	m->inodes = 1;
	return fs;
}
