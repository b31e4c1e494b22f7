/* Hot files.  See hot.h. */
#include "vfs/hot.h"

#include <stdlib.h>
#include <string.h>

#include "base/spin.h"
#include "vfs/fs.h"

/* After so many uses between two looks, one of ONE_OF is counted, as so many. */
enum { ALL_OF = 4096, ONE_OF = 17 };

enum { WAYS = 4, SETS = VFS_HOT_FILES / WAYS, NAME = 100, DEPTH = 32 };

struct use {
	uint64_t	fileid;		/* 0: free */
	uint64_t	count;
	uint32_t	seen;		/* of the set's clock */
};

struct name {
	uint64_t	fileid, dir;
	uint32_t	seen;
	uint32_t	len;		/* may be more than there is room for */
	char		text[NAME];
};

struct use_set {
	struct spin	lock;
	uint32_t	clock;
	struct use	v[WAYS];
};

struct name_set {
	struct spin	lock;
	uint32_t	clock;
	struct name	v[WAYS];
};

struct vfs_hot {
	atomic_uint	 left;		/* of ALL_OF */
	struct use_set	 uses[SETS];
	struct name_set	 names[SETS];
};

static unsigned
set_of(uint64_t fileid)
{
	return (unsigned)(fileid * UINT64_C(0x9e3779b97f4a7c15) >> 48) % SETS;
}

/* As how many does this one count?  Threads may do one of them more. */
static unsigned
weight(struct vfs_hot *h)
{
	static _Thread_local unsigned uses;
	unsigned left = atomic_load_explicit(&h->left, memory_order_relaxed);

	if (left > 0) {
		atomic_store_explicit(&h->left, left - 1,
		    memory_order_relaxed);
		return 1;
	}
	return uses++ % ONE_OF == 0 ? ONE_OF : 0;
}

void
hot_use(struct vfs_hot *h, uint64_t fileid)
{
	struct use_set *s = &h->uses[set_of(fileid)];
	struct use *u, *old = s->v;
	unsigned n = weight(h);

	if (n == 0 || !spin_try(&s->lock))
		return;
	s->clock++;
	for (u = s->v; u < s->v + WAYS && u->fileid != fileid; u++)
		if (s->clock - u->seen > s->clock - old->seen)
			old = u;
	if (u == s->v + WAYS) {
		u = old;
		*u = (struct use){ .fileid = fileid };
	}
	u->count += n;
	u->seen = s->clock;
	spin_unlock(&s->lock);
}

static void
set_name(struct name *n, uint64_t dir, struct pinefs_name name)
{
	n->dir = dir;
	n->len = name.len;
	memcpy(n->text, name.base, name.len < NAME ? name.len : NAME);
}

void
hot_found(struct vfs_hot *h, uint64_t dir, struct pinefs_name name,
    uint64_t fileid)
{
	struct name_set *s = &h->names[set_of(fileid)];
	struct name *n, *old = s->v;

	if (fileid == dir || !spin_try(&s->lock))
		return;
	s->clock++;
	for (n = s->v; n < s->v + WAYS && n->fileid != fileid; n++)
		if (s->clock - n->seen > s->clock - old->seen)
			old = n;
	if (n == s->v + WAYS)
		n = old;
	n->fileid = fileid;
	n->seen = s->clock;
	set_name(n, dir, name);
	spin_unlock(&s->lock);
}

static bool
is_name(const struct name *n, uint64_t dir, struct pinefs_name name)
{
	return n->fileid != 0 && n->dir == dir && n->len == name.len &&
	    memcmp(n->text, name.base, name.len < NAME ? name.len : NAME) == 0;
}

/* Which object that is, only its set can tell: all are looked through. */
void
hot_renamed(struct vfs_hot *h, uint64_t from, struct pinefs_name old,
    uint64_t to, struct pinefs_name new)
{
	struct name_set *s;
	unsigned i;

	for (s = h->names; s < h->names + SETS; s++) {
		spin_lock(&s->lock);
		for (i = 0; i < WAYS; i++)
			if (is_name(&s->v[i], from, old))
				set_name(&s->v[i], to, new);
		spin_unlock(&s->lock);
	}
}

static bool
find_name(struct vfs_hot *h, uint64_t fileid, struct name *to)
{
	struct name_set *s = &h->names[set_of(fileid)];
	bool found = false;
	unsigned i;

	spin_lock(&s->lock);
	for (i = 0; i < WAYS && !found; i++) {
		found = s->v[i].fileid == fileid && fileid != 0;
		if (found)
			*to = s->v[i];
	}
	spin_unlock(&s->lock);
	return found;
}

/* Put text before what *at begins; false: there is no room. */
static bool
prepend(char *path, size_t *at, const char *text, size_t len)
{
	if (*at < len)
		return false;
	*at -= len;
	memcpy(path + *at, text, len);
	return true;
}

/* Names from the object up, as far as they were seen, and fit. */
static void
make_path(struct vfs_hot *h, uint64_t fileid, uint64_t root, char *to)
{
	char path[VFS_HOT_PATH];
	size_t at = sizeof path - 1;
	struct name n;
	unsigned i;

	path[at] = '\0';
	for (i = 0; i < DEPTH && fileid != root &&
	    find_name(h, fileid, &n); i++) {
		if ((n.len > NAME && !prepend(path, &at, "...", 3)) ||
		    !prepend(path, &at, n.text, n.len > NAME ? NAME : n.len) ||
		    !prepend(path, &at, "/", 1))
			break;
		fileid = n.dir;
	}
	if (fileid == root && path[at] == '\0')
		prepend(path, &at, "/", 1);
	else if (fileid != root && path[at] == '/')
		at++;		/* above it there is more */
	memcpy(to, path + at, sizeof path - at);
}

/* ----------------------------------------------------------- for others -- */

static struct vfs_hot *
tables(struct pinefs *fs)
{
	return atomic_load_explicit(&fs->hot_tables, memory_order_acquire);
}

/*
 * The tables stay for the life of the file system, for calls may be in them.
 * One thread at a time says who watches: the control socket's.
 */
int
vfs_hot_watch(struct pinefs *fs, bool on)
{
	struct vfs_hot *h = tables(fs);

	if (h == NULL) {
		if (!on)
			return 0;
		if ((h = calloc(1, sizeof *h)) == NULL)
			return ENOMEM;
		atomic_store_explicit(&fs->hot_tables, h,
		    memory_order_release);
	}
	atomic_store_explicit(&fs->hot, on ? h : NULL, memory_order_release);
	return 0;
}

unsigned
vfs_hot_list(struct pinefs *fs, struct vfs_hot_file *to, unsigned max)
{
	struct vfs_hot *h = atomic_load_explicit(&fs->hot,
	    memory_order_acquire);
	struct use_set *s;
	unsigned n = 0, i;

	if (h != NULL)
		atomic_store_explicit(&h->left, ALL_OF, memory_order_relaxed);
	for (s = h == NULL ? NULL : h->uses; s != NULL && s < h->uses + SETS;
	    s++) {
		spin_lock(&s->lock);
		for (i = 0; i < WAYS && n < max; i++) {
			if (s->v[i].fileid == 0)
				continue;
			to[n].fileid = s->v[i].fileid;
			to[n++].count = s->v[i].count;
		}
		spin_unlock(&s->lock);
	}
	return n;
}

void
vfs_hot_path(struct pinefs *fs, uint64_t fileid, char path[VFS_HOT_PATH])
{
	struct pinefs_node *root = fs->root;

	path[0] = '\0';
	if (tables(fs) != NULL)
		make_path(tables(fs), fileid,
		    root == NULL ? 0 : root->fileid, path);
}

void
hot_free(struct vfs_hot *h)
{
	free(h);
}
