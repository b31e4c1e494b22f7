/* Door 1: objects, and what a program does with them.  See tree.h. */
#include "vfs/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"

enum {
	ROOT_ID = 32,		/* below 17 clients have prejudices */
	GENERATION = 1,		/* fileids are not used again */
	MODE_ROOT = 0755,
	NAME_BYTES = 32		/* what an entry adds to a directory's size */
};

/* ------------------------------------------------------------ objects -- */

static uint64_t
next_fileid(struct pinefs *fs)
{
	uint64_t id;

	/* Never one whose lower half is 0: 32-bit clients take it for 0. */
	do
		id = atomic_fetch_add_explicit(&fs->next_fileid, 1,
		    memory_order_relaxed);
	while ((uint32_t)id == 0);
	return id;
}

static void
set_times(struct tree_node *t, const struct pinefs_attr *set, uint64_t now)
{
	struct timespec ts;

	clock_wall(&ts);
	t->atime = t->mtime = t->ctime = t->btime = ts;
	if (set->have & PINEFS_ATIME & ~now)
		t->atime = set->atime;
	if (set->have & PINEFS_MTIME & ~now)
		t->mtime = set->mtime;
	if (set->have & PINEFS_BTIME & ~now)
		t->btime = set->btime;
	/* Larger than any counter of a run before: see pinefs_change_next. */
	t->change = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

struct tree_node *
tree_new(struct pinefs *fs, uint32_t type, const struct pinefs_attr *set,
    uint64_t now)
{
	struct pinefs_ident id = { .fileid = next_fileid(fs),
	    .generation = GENERATION };
	struct tree_node *t;

	t = (struct tree_node *)node_new(fs, &id, sizeof *t);
	if (t == NULL)
		return NULL;
	if (type == PINEFS_DIR && (t->dir = tree_dir_new()) == NULL) {
		free(t);
		return NULL;
	}
	atomic_store_explicit(&t->node.type, (uint8_t)type,
	    memory_order_relaxed);
	t->mode = set->mode & 07777;
	t->uid = set->uid;
	t->gid = set->gid;
	t->nlink = type == PINEFS_DIR ? 2 : 0;
	if (type == PINEFS_BLK || type == PINEFS_CHR) {
		t->rdev_major = set->rdev_major;
		t->rdev_minor = set->rdev_minor;
	}
	atomic_store_explicit(&t->used, TREE_USED_IS_SIZE,
	    memory_order_relaxed);
	set_times(t, set, now);
	return t;
}

struct pinefs_node *
tree_node_fini(struct pinefs_node *node)
{
	struct tree_node *t = tree_node(node);

	tree_dir_free(t->dir);
	if (node_type(node) == PINEFS_LNK)
		free((void *)(uintptr_t)t->bytes);
	return t->parent == NULL ? NULL : &t->parent->node;
}

int
tree_init(struct pinefs *fs)
{
	struct pinefs_attr set = { .mode = MODE_ROOT, .uid = fs->uid,
	    .gid = fs->gid };
	struct tree_node *root;

	pthread_mutex_init(&fs->rename_lock, NULL);
	random_fill(fs->name_key, sizeof fs->name_key);
	atomic_init(&fs->next_fileid, ROOT_ID);
	if ((root = tree_new(fs, PINEFS_DIR, &set, 0)) == NULL)
		return ENOMEM;
	fs->root = node_enter(&root->node);
	return fs->root == NULL ? ENOMEM : 0;
}

/*
 * Take the tree apart from its root, without recursion: directories whose
 * entries are still to be dropped are chained by `parent`, which they no
 * longer need.
 */
void
tree_fini(struct pinefs *fs)
{
	struct tree_node *todo, *t, *child, *up;
	struct tree_entry *e;
	uint32_t i;

	if (fs->root == NULL)
		return;
	todo = tree_node(fs->root);
	while ((t = todo) != NULL) {
		todo = t->parent;
		t->parent = NULL;
		for (i = 0; i < t->dir->n; i++) {
			if ((e = t->dir->list[i].entry) == NULL)
				continue;
			child = e->node;
			free(e);
			if (child->dir == NULL) {
				pinefs_node_put(&child->node);
				continue;
			}
			up = child->parent;
			child->parent = todo;
			todo = child;
			if (up != NULL)
				pinefs_node_put(&up->node);
		}
		t->dir->n = t->dir->live = 0;
		pinefs_node_put(&t->node);
	}
	fs->root = NULL;
}

/* --------------------------------------------------------- attributes -- */

void
tree_attr(const struct tree_node *t, struct pinefs_attr *attr)
{
	uint64_t used = atomic_load_explicit(&t->used,
	    memory_order_relaxed);

	attr->have = PINEFS_ALL;
	attr->type = node_type(&t->node);
	attr->mode = t->mode;
	attr->nlink = t->nlink;
	attr->uid = t->uid;
	attr->gid = t->gid;
	attr->rdev_major = t->rdev_major;
	attr->rdev_minor = t->rdev_minor;
	attr->size = t->size;
	attr->used = used == TREE_USED_IS_SIZE ? t->size : used;
	attr->change = t->change;
	attr->generation = t->node.generation;
	attr->atime = t->atime;
	attr->mtime = t->mtime;
	attr->ctime = t->ctime;
	attr->btime = t->btime;
}

void
tree_stamp(const struct tree_node *t, struct pinefs_stamp *stamp)
{
	stamp->change = t->change;
	stamp->size = t->size;
	stamp->mtime = t->mtime;
	stamp->ctime = t->ctime;
}

void
tree_who(const struct tree_node *t, struct who *who)
{
	who->type = node_type(&t->node);
	who->mode = t->mode;
	who->uid = t->uid;
	who->gid = t->gid;
}

static bool
is_after(const struct timespec *a, const struct timespec *b)
{
	if (a->tv_sec != b->tv_sec)
		return a->tv_sec > b->tv_sec;
	return a->tv_nsec > b->tv_nsec;
}

void
tree_bump(struct tree_node *t, struct timespec now, bool data)
{
	/*
	 * Times differ for every change, however fast they come and however
	 * coarse the clock is.
	 */
	if (!is_after(&now, &t->ctime)) {
		now = t->ctime;
		if (++now.tv_nsec == 1000000000) {
			now.tv_nsec = 0;
			now.tv_sec++;
		}
	}
	t->ctime = now;
	if (data)
		t->mtime = now;
	t->change++;
}

void
tree_set_size(struct tree_node *t, uint64_t size)
{
	t->size = size;
}

void
tree_getattr(struct pinefs_node *node, struct pinefs_attr *attr)
{
	spin_lock(&node->lock);
	tree_attr(tree_node(node), attr);
	spin_unlock(&node->lock);
}

int
tree_may(struct pinefs_call *call, struct pinefs_node *node, unsigned want)
{
	struct who who;

	if (call == NULL || node->fs->ops.flags & PINEFS_OWN_ACCESS)
		return 0;
	spin_lock(&node->lock);
	tree_who(tree_node(node), &who);
	spin_unlock(&node->lock);
	return access_check(&call->cred, &who, want);
}

/* ------------------------------------------- what a program does with it -- */

/* NULL and errno, or the name as we use it. */
static bool
name_of(const char *text, struct pinefs_name *name)
{
	size_t len = strlen(text);

	if (len > 255) {
		errno = ENAMETOOLONG;
		return false;
	}
	name->base = text;
	name->len = (uint32_t)len;
	if (len == 0 || strchr(text, '/') != NULL || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0) {
		errno = EINVAL;
		return false;
	}
	return true;
}

/* Insert a new object; it is the tree's from here on, or gone. */
static struct pinefs_node *
add(struct pinefs_node *dir, const char *text, struct tree_node *t)
{
	struct pinefs_name name;
	struct pinefs_node *node;
	int err;

	if (t == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	if (!name_of(text, &name)) {
		err = errno;
		pinefs_node_put(&t->node);
		errno = err;
		return NULL;
	}
	node = &t->node;
	err = tree_insert(NULL, dir, name, t, NULL);
	pinefs_node_put(node);
	if (err != 0) {
		errno = err;
		return NULL;
	}
	return node;
}

static struct tree_node *
make(struct pinefs *fs, uint32_t type, uint32_t mode)
{
	struct pinefs_attr set = { .mode = mode, .uid = fs->uid,
	    .gid = fs->gid };

	return tree_new(fs, type, &set, 0);
}

/* Door 2 has no tree to add to. */
static bool
has_tree(struct pinefs *fs)
{
	if (!fs->tree)
		errno = EINVAL;
	return fs->tree;
}

struct pinefs_node *
pinefs_add_dir(struct pinefs *fs, struct pinefs_node *dir, const char *name,
    uint32_t mode)
{
	if (!has_tree(fs))
		return NULL;
	return add(dir, name, make(fs, PINEFS_DIR, mode));
}

struct pinefs_node *
pinefs_add_file(struct pinefs *fs, struct pinefs_node *dir, const char *name,
    uint32_t mode, uint64_t size)
{
	struct tree_node *t;

	if (!has_tree(fs))
		return NULL;
	if ((t = make(fs, PINEFS_REG, mode)) != NULL)
		t->size = size;
	return add(dir, name, t);
}

struct pinefs_node *
pinefs_add_bytes(struct pinefs *fs, struct pinefs_node *dir,
    const char *name, uint32_t mode, const void *base, size_t len)
{
	struct tree_node *t;

	if (!has_tree(fs))
		return NULL;
	if ((t = make(fs, PINEFS_REG, mode)) != NULL) {
		t->bytes = base == NULL ? "" : base;
		t->len = len;
		t->size = len;
	}
	return add(dir, name, t);
}

struct pinefs_node *
pinefs_add_symlink(struct pinefs *fs, struct pinefs_node *dir,
    const char *name, const char *target)
{
	struct tree_node *t;

	if (!has_tree(fs))
		return NULL;
	if ((t = make(fs, PINEFS_LNK, 0777)) != NULL) {
		t->len = t->size = strlen(target);
		if ((t->bytes = strdup(target)) == NULL) {
			pinefs_node_put(&t->node);
			t = NULL;
		}
	}
	return add(dir, name, t);
}

struct pinefs_node *
pinefs_add_link(struct pinefs *fs, struct pinefs_node *dir,
    const char *text, struct pinefs_node *node)
{
	struct pinefs_name name;

	if (!has_tree(fs) || !name_of(text, &name))
		return NULL;
	errno = tree_link(NULL, node, dir, name, NULL);
	if (errno != 0)
		return NULL;
	pinefs_changed(node);
	return node;
}

int
pinefs_unlink(struct pinefs *fs, struct pinefs_node *dir, const char *text)
{
	struct pinefs_name name;

	if (!has_tree(fs) || !name_of(text, &name))
		return errno;
	return tree_remove(NULL, dir, name, PINEFS_REMOVE_ANY, NULL);
}

int
pinefs_move(struct pinefs *fs, struct pinefs_node *from, const char *old,
    struct pinefs_node *to, const char *new)
{
	struct pinefs_name old_name, new_name;

	if (!has_tree(fs) || !name_of(old, &old_name) ||
	    !name_of(new, &new_name))
		return errno;
	return tree_rename(NULL, from, old_name, to, new_name, NULL, NULL);
}

void
pinefs_touch(struct pinefs_node *node, uint64_t size)
{
	struct tree_node *t = tree_node(node);
	struct timespec now;

	if (!node->fs->tree || node_type(node) != PINEFS_REG)
		return;
	clock_wall(&now);
	spin_lock(&node->lock);
	tree_set_size(t, size);
	tree_bump(t, now, true);
	spin_unlock(&node->lock);
	pinefs_changed(node);
}

void
pinefs_node_attr(struct pinefs_node *node, struct pinefs_attr *attr)
{
	if (node->fs->tree)
		tree_getattr(node, attr);
	else
		attr->have = 0;
}

void
pinefs_node_set_used(struct pinefs_node *node, uint64_t bytes)
{
	if (node->fs->tree)
		atomic_store_explicit(&tree_node(node)->used, bytes,
		    memory_order_relaxed);
}
