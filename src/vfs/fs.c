/* File systems: made from a table of functions, and freed. */
#include "vfs/fs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "vfs/guard.h"
#include "vfs/tree.h"

enum { PARENTS = 512 };

/* What the six operations that change something are. */
#define CHANGES (PINEFS_OP_WRITE | PINEFS_OP_CREATE | PINEFS_OP_REMOVE |    \
    PINEFS_OP_RENAME | PINEFS_OP_LINK | PINEFS_OP_SETATTR)

/* ------------------------------------------------------------- making -- */

/*
 * A table compiled against an older header is shorter: the rest is NULL.  A
 * newer one may be longer, if what we do not know is not used.
 */
static int
table_copy(struct pinefs_ops *to, const struct pinefs_ops *ops, size_t size)
{
	const unsigned char *p = (const unsigned char *)ops;
	size_t i;

	memset(to, 0, sizeof *to);
	for (i = sizeof *to; i < size; i++)
		if (p[i] != 0)
			return ENOSYS;
	memcpy(to, ops, size < sizeof *to ? size : sizeof *to);
	return 0;
}

static int
table_check(const struct pinefs_ops *ops, bool *tree)
{
	int n = (ops->lookup != NULL) + (ops->getattr != NULL) +
	    (ops->readdir != NULL);

	if (n != 0 && n != 3)
		return EINVAL;
	if (ops->flags & PINEFS_OWN_ACCESS && ops->access == NULL)
		return EINVAL;
	*tree = n == 0;
	return 0;
}

/* Which changes it can make; none: it is read-only. */
static uint32_t
changes_of(const struct pinefs_ops *ops, bool tree)
{
	uint32_t can = 0;

	if (ops->write != NULL)
		can |= tree ? CHANGES : (uint32_t)PINEFS_OP_WRITE;
	if (ops->create != NULL)
		can |= PINEFS_OP_CREATE;
	if (ops->remove != NULL)
		can |= PINEFS_OP_REMOVE;
	if (ops->rename != NULL)
		can |= PINEFS_OP_RENAME;
	if (ops->link != NULL)
		can |= PINEFS_OP_LINK;
	if (ops->setattr != NULL)
		can |= PINEFS_OP_SETATTR;
	return can;
}

struct pinefs *
pinefs_new_abi(const struct pinefs_ops *ops, size_t ops_size, int abi,
    void *arg)
{
	struct pinefs *fs;
	int err;

	if (abi != PINEFS_ABI) {
		errno = ENOSYS;
		return NULL;
	}
	if ((fs = calloc(1, sizeof *fs)) == NULL)
		return NULL;
	if ((err = table_copy(&fs->ops, ops, ops_size)) != 0 ||
	    (err = table_check(&fs->ops, &fs->tree)) != 0) {
		free(fs);
		errno = err;
		return NULL;
	}
	/* One at a time is more than a node's lock can promise. */
	if (fs->ops.flags & PINEFS_SERIAL)
		fs->ops.flags &= ~(uint64_t)PINEFS_PROMPT;
	fs->arg = arg;
	fs->can = changes_of(&fs->ops, fs->tree);
	fs->instance = random_u64();
	atomic_init(&fs->verifier, random_u64());
	clock_wall(&fs->born);
	fs->uid = (uint32_t)getuid();
	fs->gid = (uint32_t)getgid();
	pthread_mutex_init(&fs->wait_lock, NULL);
	if (fs->tree && (err = tree_init(fs)) != 0) {
		fs->ops.fini = NULL;	/* `arg` stays the caller's */
		pinefs_free(fs);
		errno = err;
		return NULL;
	}
	return fs;
}

void
pinefs_free(struct pinefs *fs)
{
	if (fs == NULL)
		return;
	if (fs->tree) {
		tree_fini(fs);
	} else if (fs->root != NULL) {
		pinefs_node_put(fs->root);
		fs->root = NULL;
		while (fs->nold_roots > 0)
			pinefs_node_put(fs->old_root[--fs->nold_roots]);
		free(fs->old_root);
	}
	node_table_fini(fs);
	if (fs->tree)
		pthread_mutex_destroy(&fs->rename_lock);
	pthread_mutex_destroy(&fs->wait_lock);
	if (fs->ops.fini != NULL)
		fs->ops.fini(fs->arg);
	free(fs->parents);
	log_limit_end(&fs->bad);
	hot_free(fs->hot_tables);
	free(fs);
}

/* -------------------------------------------------------------- asking -- */

void *
pinefs_arg(const struct pinefs *fs)
{
	return fs->arg;
}

struct pinefs_node *
pinefs_root(struct pinefs *fs)
{
	return fs->root;
}

static int
keep_old_root(struct pinefs *fs, struct pinefs_node *was)
{
	size_t n = fs->nold_roots + (size_t)1;
	struct pinefs_node **all = realloc(fs->old_root, n * sizeof *all);

	if (all == NULL)
		return ENOMEM;
	all[n - 1] = was;
	fs->old_root = all;
	fs->nold_roots++;
	return 0;
}

int
pinefs_set_root(struct pinefs *fs, const struct pinefs_ident *id)
{
	struct pinefs_node *node, *was = fs->root;
	int err;

	if (fs->tree)
		return EINVAL;
	if ((err = node_get_or_make(fs, "pinefs_set_root", id, &node)) != 0)
		return err;
	if (was != NULL && (err = keep_old_root(fs, was)) != 0) {
		pinefs_node_put(node);
		return err;
	}
	fs->root = node;
	return 0;
}

void
pinefs_data_lost(struct pinefs *fs)
{
	uint64_t v, old = atomic_load(&fs->verifier);

	do
		v = random_u64();
	while (v == old);
	atomic_store(&fs->verifier, v);
}

void
vfs_write_verifier(const struct pinefs *fs, uint8_t verf[8])
{
	uint64_t v = atomic_load(&fs->verifier);

	memcpy(verf, &v, 8);
}

uint64_t
pinefs_change_next(uint64_t *change)
{
	static _Atomic uint64_t started;
	uint64_t first = atomic_load_explicit(&started,
	    memory_order_relaxed);

	/*
	 * No object has changed more than once per ns, so every counter of an
	 * earlier run is behind the time at which this one began.
	 */
	if (first == 0) {
		first = clock_wall_ns();
		atomic_store_explicit(&started, first, memory_order_relaxed);
	}
	if (*change < first)
		*change = clock_wall_ns();
	else
		++*change;
	return *change;
}

void
pinefs_changed(struct pinefs_node *node)
{
	struct pinefs *fs = node->fs;

	if (fs->watch != NULL &&
	    (atomic_load(&node->guard) & GUARD_PROMISED) != 0)
		fs->watch(fs->watch_arg, node);
}

void
vfs_fs_set_watch(struct pinefs *fs, void (*fn)(void *, struct pinefs_node *),
    void *arg)
{
	fs->watch_arg = arg;
	fs->watch = fn;
}

void *
vfs_fs_executor(const struct pinefs *fs, uint64_t op)
{
	return fs->ops.blocking & op ? fs->executor : NULL;
}

void
vfs_fs_set_executor(struct pinefs *fs, void *executor)
{
	fs->executor = executor;
}

const struct pinefs_ops *
vfs_fs_ops(const struct pinefs *fs)
{
	return &fs->ops;
}

/* ------------------------------------------------------------- parents -- */

/* In which directory an object was looked up last. */
struct fs_parent {
	uint64_t		child;		/* fileid; 0: free */
	struct pinefs_ident	dir;		/* .own: in `own` */
	uint8_t			own[NODE_OWN_MAX];
};

void
fs_parent_note(struct pinefs *fs, const struct pinefs_ident *child,
    const struct pinefs_node *dir)
{
	struct fs_parent *p;

	spin_lock(&fs->parents_lock);
	if (fs->parents == NULL)
		fs->parents = calloc(PARENTS, sizeof *fs->parents);
	if (fs->parents != NULL) {
		p = &fs->parents[child->fileid % PARENTS];
		p->child = child->fileid;
		pinefs_node_ident(dir, &p->dir);
		if (dir->own_len > 0)
			memcpy(p->own, dir->own, dir->own_len);
	}
	spin_unlock(&fs->parents_lock);
}

bool
fs_parent_find(struct pinefs *fs, const struct pinefs_node *child,
    struct pinefs_ident *dir, uint8_t own[NODE_OWN_MAX])
{
	const struct fs_parent *p;
	bool found = false;

	spin_lock(&fs->parents_lock);
	if (fs->parents != NULL) {
		p = &fs->parents[child->fileid % PARENTS];
		if ((found = p->child == child->fileid)) {
			*dir = p->dir;
			memcpy(own, p->own, NODE_OWN_MAX);
			dir->own = dir->own_len > 0 ? own : NULL;
		}
	}
	spin_unlock(&fs->parents_lock);
	return found;
}

uint64_t
pinefs_hash(const uint8_t key[16], const void *data, size_t len)
{
	return siphash13(key, data, len);
}
