/* The table of nodes.  See node.h. */
#include "vfs/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vfs/fs.h"
#include "vfs/tree.h"

enum { FIRST_BUCKETS = 8 };

/* ---------------------------------------------------------- identity -- */

int
node_ident_check(struct pinefs *fs, const char *op,
    const struct pinefs_ident *id)
{
	if (id->fileid == 0) {
		/* Clients crash on it (PROTOCOL 3). */
		log_limited(&fs->bad, "vfs: %s: fileid is 0", op);
		return EIO;
	}
	if (id->own_len > NODE_OWN_MAX ||
	    (id->own_len > 0 && id->own == NULL)) {
		log_limited(&fs->bad, "vfs: %s: %u own bytes, at most %d fit "
		    "into a handle", op, id->own_len, NODE_OWN_MAX);
		return EIO;
	}
	return 0;
}

/*
 * Own bytes stand in a handle in place of the generation; where they did not
 * fit (v2), the handle has the generation alone.
 */
static bool
is_it(const struct pinefs_node *node, const struct pinefs_ident *id)
{
	if (node->fileid != id->fileid)
		return false;
	if (node->own_len > 0 && id->own_len > 0)
		return node->own_len == id->own_len &&
		    memcmp(node->own, id->own, id->own_len) == 0;
	return node->generation == id->generation;
}

/*
 * The tree counts its fileids up: they are spread as they are, and new nodes
 * lie side by side.  Other file systems choose them as they like, maybe all
 * multiples of something, so there they are multiplied.  No client can choose
 * what collides here, since handles carry a MAC.
 */
static uint64_t
spread(const struct pinefs *fs, uint64_t fileid)
{
	if (fs->tree)
		return fileid;
	fileid *= UINT64_C(0x9e3779b97f4a7c15);
	return fileid ^ fileid >> 32;
}

static struct node_shard *
shard_of(struct pinefs *fs, uint64_t h)
{
	return &fs->table.shard[h % NODE_SHARDS];
}

static struct pinefs_node **
bucket_of(struct node_shard *sh, uint64_t h)
{
	return &sh->bucket[h / NODE_SHARDS & sh->mask];
}

/* -------------------------------------------------------- the table -- */

/* Without memory chains grow longer. */
static void
shard_resize(struct node_shard *sh, uint32_t n)
{
	uint32_t i, old = sh->bucket == NULL ? 0 : sh->mask + 1;
	struct pinefs_node **was = sh->bucket, *node, *next, **to;

	if ((to = calloc(n, sizeof *to)) == NULL)
		return;
	sh->bucket = to;
	sh->mask = n - 1;
	for (i = 0; i < old; i++) {
		for (node = was[i]; node != NULL; node = next) {
			next = node->hash_next;
			to = bucket_of(sh, spread(node->fs, node->fileid));
			node->hash_next = *to;
			*to = node;
		}
	}
	free(was);
}

/* One node is to be added, or was removed. */
static void
shard_fit(struct node_shard *sh)
{
	if (sh->bucket == NULL)
		shard_resize(sh, FIRST_BUCKETS);
	else if (sh->n > sh->mask)
		shard_resize(sh, (sh->mask + 1) * 2);
	else if (sh->mask >= FIRST_BUCKETS && sh->n < sh->mask / 8)
		shard_resize(sh, (sh->mask + 1) / 4);
}

static struct pinefs_node *
shard_find(struct node_shard *sh, uint64_t h, const struct pinefs_ident *id)
{
	struct pinefs_node *node;

	if (sh->bucket == NULL)
		return NULL;
	for (node = *bucket_of(sh, h); node != NULL; node = node->hash_next)
		if (is_it(node, id))
			return node;
	return NULL;
}

struct pinefs_node *
node_find(struct pinefs *fs, const struct pinefs_ident *id)
{
	uint64_t h = spread(fs, id->fileid);
	struct node_shard *sh = shard_of(fs, h);
	struct pinefs_node *node;

	spin_lock(&sh->lock);
	if ((node = shard_find(sh, h, id)) != NULL)
		node_get(node);
	spin_unlock(&sh->lock);
	return node;
}

struct pinefs_node *
node_new(struct pinefs *fs, const struct pinefs_ident *id, size_t size)
{
	struct pinefs_node *node = calloc(1, size + id->own_len);

	if (node == NULL)
		return NULL;
	node->fs = fs;
	node->fileid = id->fileid;
	node->generation = id->generation;
	atomic_init(&node->refs, 1);
	if (id->own_len > 0) {
		node->own_len = (uint8_t)id->own_len;
		node->own = memcpy((char *)node + size, id->own,
		    id->own_len);
	}
	return node;
}

struct pinefs_node *
node_enter(struct pinefs_node *node)
{
	struct pinefs_ident id = { node->fileid, node->generation, node->own,
	    node->own_len };
	uint64_t h = spread(node->fs, node->fileid);
	struct node_shard *sh = shard_of(node->fs, h);
	struct pinefs_node *found = NULL, **b;

	spin_lock(&sh->lock);
	/* Fileids of the tree are new: there is no equal one. */
	if (!node->fs->tree && (found = shard_find(sh, h, &id)) != NULL) {
		node_get(found);
	} else {
		shard_fit(sh);
		if (sh->bucket != NULL) {
			b = bucket_of(sh, h);
			node->hash_next = *b;
			*b = node;
			node->listed = true;
			sh->n++;
			found = node;
		}
	}
	spin_unlock(&sh->lock);
	if (found != node)
		pinefs_node_put(node);
	return found;
}

int
node_get_or_make(struct pinefs *fs, const char *op,
    const struct pinefs_ident *id, struct pinefs_node **to)
{
	struct pinefs_node *node;
	int err;

	if ((err = node_ident_check(fs, op, id)) != 0)
		return err;
	if ((node = node_find(fs, id)) == NULL &&
	    ((node = node_new(fs, id, sizeof *node)) == NULL ||
	    (node = node_enter(node)) == NULL))
		return ENOMEM;
	*to = node;
	return 0;
}

/* ------------------------------------------------------- references -- */

void
pinefs_node_get(struct pinefs_node *node)
{
	node_get(node);
}

static void
shard_remove(struct node_shard *sh, uint64_t h, struct pinefs_node *node)
{
	struct pinefs_node **p = bucket_of(sh, h);

	while (*p != node)
		p = &(*p)->hash_next;
	*p = node->hash_next;
	node->listed = false;
	sh->n--;
	shard_fit(sh);
}

/* One reference less; true if it was the last, and nobody finds it now. */
static bool
node_drop(struct pinefs_node *node)
{
	unsigned refs = atomic_load_explicit(&node->refs,
	    memory_order_relaxed);
	struct node_shard *sh;
	uint64_t h;
	bool last;

	while (refs > 1)
		if (atomic_compare_exchange_weak_explicit(&node->refs, &refs,
		    refs - 1, memory_order_release, memory_order_relaxed))
			return false;

	h = spread(node->fs, node->fileid);
	sh = shard_of(node->fs, h);
	spin_lock(&sh->lock);
	last = atomic_fetch_sub_explicit(&node->refs, 1,
	    memory_order_acq_rel) == 1;
	if (last && node->listed)
		shard_remove(sh, h, node);
	spin_unlock(&sh->lock);
	return last;
}

/* The file system is told, and what the node held is handed back. */
static struct pinefs_node *
node_free(struct pinefs_node *node)
{
	struct pinefs *fs = node->fs;
	struct pinefs_node *held = NULL;

	if (fs->ops.release != NULL)
		fs->ops.release(node);
	if (fs->tree)
		held = tree_node_fini(node);
	free(atomic_load(&node->gate));
	free(node);
	return held;
}

void
pinefs_node_put(struct pinefs_node *node)
{
	struct pinefs *fs;

	/* A loop, for a chain of removed directories may be long. */
	while (node != NULL && node_drop(node)) {
		fs = node->fs;
		if (fs->ops.release != NULL &&
		    fs->ops.flags & PINEFS_SERIAL) {
			gate_drop(&fs->gate, node);
			return;
		}
		node = node_free(node);
	}
}

void
node_release(struct pinefs_node *node)
{
	pinefs_node_put(node_free(node));
}

void
node_table_fini(struct pinefs *fs)
{
	struct node_shard *sh;
	struct pinefs_node *node;
	uint32_t b;
	int i;

	for (i = 0; i < NODE_SHARDS; i++) {
		sh = &fs->table.shard[i];
		for (b = 0; sh->bucket != NULL && b <= sh->mask; b++) {
			while ((node = sh->bucket[b]) != NULL) {
				sh->bucket[b] = node->hash_next;
				node->listed = false;
				node_free(node);
			}
		}
		free(sh->bucket);
	}
}

/* ----------------------------------------------------------- members -- */

struct gate *
node_gate(struct pinefs_node *node)
{
	struct gate *g = atomic_load_explicit(&node->gate,
	    memory_order_acquire), *mine;

	if (g != NULL || (mine = calloc(1, sizeof *mine)) == NULL)
		return g;
	if (atomic_compare_exchange_strong_explicit(&node->gate, &g, mine,
	    memory_order_acq_rel, memory_order_acquire))
		return mine;
	free(mine);
	return g;
}

void
pinefs_node_ident(const struct pinefs_node *node, struct pinefs_ident *id)
{
	id->fileid = node->fileid;
	id->generation = node->generation;
	id->own = node->own;
	id->own_len = node->own_len;
}

void
pinefs_node_set_data(struct pinefs_node *node, void *data)
{
	atomic_store_explicit(&node->data, data, memory_order_release);
}

void *
pinefs_node_data(const struct pinefs_node *node)
{
	return atomic_load_explicit(&node->data, memory_order_acquire);
}

struct pinefs *
pinefs_node_fs(const struct pinefs_node *node)
{
	return node->fs;
}

enum pinefs_type
vfs_node_type(const struct pinefs_node *node)
{
	return node_type(node);
}
