/* SPDX-License-Identifier: MIT */
/*
 * The table of paths that clients know.
 *
 * A node is a name in a directory; its fileid is a hash of the path and the
 * kind of file, so it is the same again after a restart or when the node was
 * evicted in between.  Three indexes: by fileid, by (directory, name, kind),
 * and by the object that is at home there.
 *
 * A node that a client renamed keeps its fileid and its handle, as open files
 * demand; its fileid is then not the hash of its path, so it must stay.  Hard
 * links are nodes in a ring whose leader lends its fileid to all of them.
 *
 * Above `max` nodes the clock evicts: what has not been used since the hand
 * came by, and nothing else depends on.
 */
#include "pyfs.h"

#include <stdlib.h>

enum { BUCKETS = 1024, ROOT_ID = 0x504e0001 };

static const uint64_t PATH_SEED = UINT64_C(0x70696e656673);

uint64_t
hash64(uint64_t seed, const void *base, size_t len)
{
	const uint8_t *p = base;
	uint64_t h = seed ^ len * UINT64_C(0x9e3779b97f4a7c15), w;
	size_t i, n;

	while (len > 0) {
		n = len < 8 ? len : 8;
		w = 0;
		if (n == 8)
			memcpy(&w, p, 8);
		else
			for (i = 0; i < n; i++)
				w |= (uint64_t)p[i] << 8 * i;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		if (n == 8)
			w = __builtin_bswap64(w);
#endif
		h = (h ^ w) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 29;
		p += n;
		len -= n;
	}
	return mix64(h);
}

static uint64_t
path_hash(const struct node *parent, struct pinefs_name name)
{
	return hash64(parent->path_hash, name.base, name.len);
}

static size_t
id_bucket(const struct nodes *t, uint64_t id)
{
	return (size_t)mix64(id) & (t->size - 1);
}

static size_t
at_bucket(const struct nodes *t, const struct node *parent,
    struct pinefs_name name, int kind)
{
	uint64_t h = hash64(parent->id + (uint64_t)kind, name.base, name.len);

	return (size_t)h & (t->size - 1);
}

static size_t
home_bucket(const struct nodes *t, const void *object)
{
	return (size_t)mix64((uintptr_t)object) & (t->size - 1);
}

static struct pinefs_name
name_of(const struct node *n)
{
	return (struct pinefs_name){ n->name, n->name_len };
}

/* Some clients and tools treat small numbers, and zeros, as special. */
static bool
id_is_good(uint64_t id)
{
	return id > 16 && (uint32_t)id != 0 && id != ROOT_ID;
}

static uint64_t
id_choose(const struct nodes *t, uint64_t path, int kind)
{
	uint64_t id = mix64(path + (uint64_t)kind);

	while (!id_is_good(id) || node_by_id(t, id) != NULL)
		id = mix64(id + 1);
	return id;
}

/* ------------------------------------------------------------- indexes -- */

static void
index_id(struct nodes *t, struct node *n)
{
	struct node **b = &t->by_id[id_bucket(t, n->id)];

	n->id_next = *b;
	*b = n;
}

static void
index_at(struct nodes *t, struct node *n)
{
	struct node **b;

	if (n->parent == NULL || n->flags & NODE_DEAD)
		return;
	b = &t->by_at[at_bucket(t, n->parent, name_of(n), n->kind)];
	n->at_next = *b;
	*b = n;
}

static void
index_home(struct nodes *t, struct node *n)
{
	struct node **b;

	if (n->home == NULL)
		return;
	b = &t->by_home[home_bucket(t, n->home)];
	n->home_next = *b;
	*b = n;
}

static void
unindex_id(struct nodes *t, struct node *n)
{
	struct node **p = &t->by_id[id_bucket(t, n->id)];

	while (*p != n)
		p = &(*p)->id_next;
	*p = n->id_next;
}

static void
unindex_at(struct nodes *t, struct node *n)
{
	struct node **p;

	if (n->parent == NULL || n->flags & NODE_DEAD)
		return;
	p = &t->by_at[at_bucket(t, n->parent, name_of(n), n->kind)];
	while (*p != n)
		p = &(*p)->at_next;
	*p = n->at_next;
}

static void
unindex_home(struct nodes *t, struct node *n)
{
	struct node **p;

	if (n->home == NULL)
		return;
	p = &t->by_home[home_bucket(t, n->home)];
	while (*p != n)
		p = &(*p)->home_next;
	*p = n->home_next;
	n->home = NULL;
}

static struct node **
buckets_new(size_t size)
{
	return calloc(size, sizeof(struct node *));
}

/* Twice the buckets; without memory the chains just get longer. */
static void
grow(struct nodes *t)
{
	struct nodes old = *t;
	struct node *n, *next;
	size_t i;

	t->size = old.size * 2;
	t->by_id = buckets_new(t->size);
	t->by_at = buckets_new(t->size);
	t->by_home = buckets_new(t->size);
	if (t->by_id == NULL || t->by_at == NULL || t->by_home == NULL) {
		free(t->by_id);
		free(t->by_at);
		free(t->by_home);
		*t = old;
		return;
	}
	for (i = 0; i < old.size; i++) {
		for (n = old.by_id[i]; n != NULL; n = next) {
			next = n->id_next;
			index_id(t, n);
			index_at(t, n);
			index_home(t, n);
		}
	}
	t->hand = 0;
	free(old.by_id);
	free(old.by_at);
	free(old.by_home);
}

/* ------------------------------------------------------- life of a node -- */

static struct node *
node_new(struct node *parent, struct pinefs_name name, int kind)
{
	struct node *n = calloc(1, sizeof *n + name.len + 1u);

	if (n == NULL)
		return NULL;
	memcpy(n->inline_name, name.base, name.len);
	n->name = n->inline_name;
	n->name_len = (uint16_t)name.len;
	n->kind = (uint8_t)kind;
	n->parent = parent;
	return n;
}

static bool
is_over(const struct node *n)
{
	return n->flags & NODE_DEAD && n->pins == 0 && n->children == 0 &&
	    n->memo == NULL;
}

static void
node_free(struct nodes *t, struct node *n)
{
	struct node *parent;

	for (; n != NULL; n = parent) {
		parent = n->parent;
		unindex_home(t, n);
		unindex_at(t, n);
		unindex_id(t, n);
		if (n->name != n->inline_name)
			free(n->name);
		view_free(n);
		free(n->own);
		free(n);
		t->n--;
		if (parent == NULL)
			return;
		parent->children--;
		if (!is_over(parent))
			return;
	}
}

int
nodes_init(struct nodes *t, size_t max)
{
	static const struct pinefs_name none = { "", 0 };

	*t = (struct nodes){ .size = BUCKETS, .max = max };
	t->by_id = buckets_new(t->size);
	t->by_at = buckets_new(t->size);
	t->by_home = buckets_new(t->size);
	t->root = node_new(NULL, none, PINEFS_DIR);
	if (t->by_id == NULL || t->by_at == NULL || t->by_home == NULL ||
	    t->root == NULL) {
		nodes_fini(t);
		return ENOMEM;
	}
	t->root->id = ROOT_ID;
	t->root->path_hash = PATH_SEED;
	t->root->pins = 1;
	t->n = 1;
	index_id(t, t->root);
	return 0;
}

void
nodes_fini(struct nodes *t)
{
	struct node *n, *next;
	size_t i;

	if (t->n == 0)
		free(t->root);
	for (i = 0; t->n > 0 && i < t->size; i++) {
		for (n = t->by_id[i]; n != NULL; n = next) {
			next = n->id_next;
			if (n->name != n->inline_name)
				free(n->name);
			view_free(n);
			free(n->own);
			free(n);
		}
	}
	free(t->by_id);
	free(t->by_at);
	free(t->by_home);
	*t = (struct nodes){ 0 };
}

static bool
is_evictable(const struct node *n)
{
	const unsigned keep = NODE_MOVED | NODE_MODE | NODE_SHADOW |
	    NODE_FRESH | NODE_VERF | NODE_TIMES | NODE_WALKING | NODE_AWAY;

	return n->pins == 0 && n->children == 0 && n->opens == 0 &&
	    n->memo == NULL && n->stage == NULL && n->link_next == NULL && !(n->flags & keep);
}

/* The hand passes a few buckets at a time: work in proportion to need. */
static void
evict(struct nodes *t)
{
	struct node *n, *next;
	size_t i;

	for (i = 0; i < 64 && t->n > t->max; i++) {
		t->hand = (t->hand + 1) & (t->size - 1);
		for (n = t->by_id[t->hand]; n != NULL; n = next) {
			next = n->id_next;
			if (n->flags & NODE_USED)
				n->flags &= (uint16_t)~NODE_USED;
			else if (is_evictable(n))
				node_free(t, n);
		}
	}
}

struct node *
node_by_id(const struct nodes *t, uint64_t id)
{
	struct node *n = t->by_id[id_bucket(t, id)];

	while (n != NULL && n->id != id)
		n = n->id_next;
	if (n != NULL)
		n->flags |= NODE_USED;
	return n;
}

struct node *
node_at(const struct nodes *t, const struct node *parent,
    struct pinefs_name name, int kind)
{
	struct node *n = t->by_at[at_bucket(t, parent, name, kind)];

	while (n != NULL && !(n->parent == parent && n->kind == kind &&
	    name_equal(name, n->name, n->name_len)))
		n = n->at_next;
	if (n != NULL)
		n->flags |= NODE_USED;
	return n;
}

struct node *
node_make(struct nodes *t, struct node *parent, struct pinefs_name name,
    int kind)
{
	struct node *n = node_at(t, parent, name, kind);

	if (n != NULL)
		return n;
	parent->pins++;		/* or the clock might take it */
	if (t->n >= t->max)
		evict(t);
	parent->pins--;
	if (t->n >= t->size)
		grow(t);
	if ((n = node_new(parent, name, kind)) == NULL)
		return NULL;
	n->path_hash = path_hash(parent, name);
	n->id = id_choose(t, n->path_hash, kind);
	n->flags = NODE_USED;
	index_id(t, n);
	index_at(t, n);
	parent->children++;
	t->n++;
	return n;
}

void
node_pin(struct node *n)
{
	n->pins++;
}

/* Free it if it is dead and nothing holds it any more. */
void
node_reap(struct nodes *t, struct node *n)
{
	if (is_over(n))
		node_free(t, n);
}

void
node_unpin(struct nodes *t, struct node *n)
{
	n->pins--;
	node_reap(t, n);
}

struct node *
node_by_home(const struct nodes *t, const void *object)
{
	struct node *n = t->by_home[home_bucket(t, object)];

	while (n != NULL && n->home != object)
		n = n->home_next;
	return n;
}

/* An object has one home, and a node is home to one. */
void
node_set_home(struct nodes *t, struct node *n, const void *object)
{
	struct node *old;

	if (n->home == object)
		return;
	if ((old = node_by_home(t, object)) != NULL)
		unindex_home(t, old);
	unindex_home(t, n);
	n->home = object;
	index_home(t, n);
}

/* Handles must stay what they were, so the bytes are kept. */
static int
keep_own(struct node *n)
{
	uint8_t own[OWN_MAX];
	size_t len;

	if (n->flags & NODE_MOVED)
		return 0;
	len = node_own(n, own);
	if (len > 0) {
		if ((n->own = malloc(len)) == NULL)
			return ENOMEM;
		memcpy(n->own, own, len);
	}
	n->own_len = (uint8_t)len;
	return 0;
}

/* --------------------------------------------------------------- links -- */

static void
ring_leave(struct node *n)
{
	struct node *p = n;

	while (p->link_next != n)
		p = p->link_next;
	p->link_next = n->link_next;
	if (p->link_next == p)
		p->link_next = p->leader = NULL;	/* alone again */
	n->link_next = n->leader = NULL;
}

int
node_link(struct nodes *t, struct node *n, struct node *member)
{
	(void)t;
	n = node_lead(n);
	if (member == n || member->leader == n)
		return 0;
	if (member->link_next != NULL)
		return EINVAL;
	if (n->link_next == NULL)
		n->link_next = n;
	member->link_next = n->link_next;
	n->link_next = member;
	member->leader = n;
	return 0;
}

void
node_unlink(struct node *n)
{
	struct node *lead = node_lead(n), *next, *p;

	if (n->link_next == NULL)
		return;
	next = n->link_next;
	ring_leave(n);
	if (n != lead || next->link_next == NULL)
		return;
	/* The others go on under the next one's id. */
	next->leader = NULL;
	for (p = next->link_next; p != next; p = p->link_next)
		p->leader = next;
}

unsigned
node_nlink(const struct node *n)
{
	const struct node *p;
	unsigned count = 1;

	if (n->link_next != NULL)
		for (p = n->link_next; p != n; p = p->link_next)
			count++;
	return count;
}

static void
ring_break(struct node *lead)
{
	struct node *p, *next;

	for (p = lead->link_next; p != lead; p = next) {
		next = p->link_next;
		p->leader = p->link_next = NULL;
	}
	lead->link_next = NULL;
}

/*
 * The leader's name goes while others remain: it takes the place of one of
 * them, which goes instead, since its fileid is the one that clients hold.
 */
static struct node *
give_place(struct nodes *t, struct node *lead)
{
	struct node *member = lead->link_next;
	char *name = malloc(member->name_len + 1u);

	if (name == NULL || keep_own(lead) != 0) {
		free(name);
		ring_break(lead);
		return lead;
	}
	memcpy(name, member->name, member->name_len + 1u);
	unindex_at(t, lead);
	if (lead->name != lead->inline_name)
		free(lead->name);
	lead->name = name;
	lead->name_len = member->name_len;
	lead->parent->children--;
	lead->parent = member->parent;
	lead->parent->children++;
	lead->path_hash = member->path_hash;
	lead->flags |= NODE_MOVED;
	index_at(t, lead);
	return member;
}

void
node_remove(struct nodes *t, struct node *n)
{
	if (n->flags & NODE_DEAD)
		return;
	if (n->link_next != NULL && n->leader == NULL)
		n = give_place(t, n);
	if (n->link_next != NULL)
		ring_leave(n);
	node_beside_drop(n);
	unindex_home(t, n);
	unindex_at(t, n);
	n->flags |= NODE_DEAD;
	n->pins++;
	stage_drop(n);		/* nobody can commit it any more */
	node_unpin(t, n);
}

/* --------------------------------------------------------------- moving -- */

int
node_move(struct nodes *t, struct node *n, struct node *parent,
    struct pinefs_name name)
{
	struct node *other = node_at(t, parent, name, n->kind);
	char *copy;
	int err;

	if (other == n)
		return 0;
	if ((copy = malloc(name.len + 1u)) == NULL)
		return ENOMEM;
	if ((err = keep_own(n)) != 0) {
		free(copy);
		return err;
	}
	memcpy(copy, name.base, name.len);
	copy[name.len] = '\0';
	if (other != NULL)
		node_remove(t, other);
	unindex_at(t, n);
	if (n->name != n->inline_name)
		free(n->name);
	n->name = copy;
	n->name_len = (uint16_t)name.len;
	n->parent->children--;
	n->parent = parent;
	parent->children++;
	n->path_hash = path_hash(parent, name_of(n));
	n->flags |= NODE_MOVED;
	index_at(t, n);
	return 0;
}

/* ---------------------------------------------------------------- paths -- */

unsigned
node_depth(const struct node *n)
{
	unsigned depth = 0;

	for (; n->parent != NULL; n = n->parent)
		depth++;
	return depth;
}

bool
node_is_below(const struct node *n, const struct node *top)
{
	while (n != NULL && n != top)
		n = n->parent;
	return n != NULL;
}

/* The full length, whatever fits: like snprintf. */
static size_t
path_put(const struct node *n, const struct node *top, char *buf, size_t size)
{
	size_t at, i;

	if (n == top)
		return 0;
	at = path_put(n->parent, top, buf, size);
	if (at < size)
		buf[at] = '/';
	at++;
	for (i = 0; i < n->name_len; i++, at++)
		if (at < size)
			buf[at] = n->name[i];
	return at;
}

size_t
node_path(const struct node *n, char *buf, size_t size)
{
	const struct node *root = n;
	size_t len;

	while (root->parent != NULL)
		root = root->parent;
	len = path_put(n, root, buf, size);
	if (size > 0)
		buf[len < size ? len : size - 1] = '\0';
	return len;
}

uint32_t
node_module_hash(struct pinefs_name name)
{
	return (uint32_t)(hash64(PATH_SEED, name.base, name.len) >> 32);
}

/*
 * Kind, a hash of the module's name, the rest of the path: so that a handle
 * names its object after a restart, too.
 */
size_t
node_own(const struct node *n, uint8_t buf[OWN_MAX])
{
	const struct node *top = n;
	uint32_t hash;
	size_t len;

	if (n->flags & NODE_MOVED) {
		if (n->own_len > 0)
			memcpy(buf, n->own, n->own_len);
		return n->own_len;
	}
	if (n->parent == NULL)
		return 0;
	while (top->parent->parent != NULL)
		top = top->parent;
	hash = node_module_hash(name_of(top));
	buf[0] = n->kind;
	buf[1] = (uint8_t)(hash >> 24);
	buf[2] = (uint8_t)(hash >> 16);
	buf[3] = (uint8_t)(hash >> 8);
	buf[4] = (uint8_t)hash;
	len = path_put(n, top, (char *)buf + 5, OWN_MAX - 5);
	return len > OWN_MAX - 5 ? 0 : 5 + len;
}

/* -------------------------------------------------------------- shadows -- */

struct node *
node_beside(const struct node *dir, struct pinefs_name name)
{
	struct node *n = dir->beside;

	while (n != NULL && !name_equal(name, n->name, n->name_len))
		n = n->beside_next;
	return n;
}

void
node_beside_add(struct node *n)
{
	n->flags |= NODE_SHADOW;
	n->beside_next = n->parent->beside;
	n->parent->beside = n;
}

void
node_beside_drop(struct node *n)
{
	struct node **p;

	if (!(n->flags & NODE_SHADOW))
		return;
	for (p = &n->parent->beside; *p != n; p = &(*p)->beside_next)
		continue;
	*p = n->beside_next;
	n->beside_next = NULL;
	n->flags &= (uint16_t)~NODE_SHADOW;
}
