/* What an object is known by.  See key.h. */
#include "key.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* file_handle(2) ends in an array without a length of its own. */
union handle {
	struct file_handle	h;
	char			room[sizeof(struct file_handle) + DIR_OWN_MAX];
};

/*
 * Most file systems of Linux put no more into a handle than the number of the
 * object and 32 bits that tell those who had it apart.  Then a generation has
 * room for it, and the handle for version 2.
 */
static const struct layout {
	uint8_t	len, ino, ino_len, gen;
} layouts[] = {
	{ 8, 0, 4, 4 },		/* ext4, xfs: FILEID_INO32_GEN */
	{ 12, 4, 8, 0 },	/* tmpfs */
	{ 12, 0, 8, 8 },	/* xfs, numbers of 64 bits */
};
enum { LAYOUTS = sizeof layouts / sizeof layouts[0], TYPE_SHIFT = 40,
    LAYOUT_SHIFT = 32 };

/* As a generation: type, layout + 1, 32 bits; 0: there is more in it. */
static uint64_t
short_form(uint64_t fileid, const struct file_handle *h)
{
	const struct layout *l;
	uint64_t ino;
	uint32_t gen;
	unsigned i;

	for (i = 0; i < LAYOUTS; i++) {
		l = &layouts[i];
		if (h->handle_bytes != l->len)
			continue;
		ino = 0;
		memcpy(&ino, h->f_handle + l->ino, l->ino_len);
		if (ino != fileid)
			continue;
		memcpy(&gen, h->f_handle + l->gen, sizeof gen);
		return (uint64_t)h->handle_type << TYPE_SHIFT |
		    (uint64_t)(i + 1) << LAYOUT_SHIFT | gen;
	}
	return 0;
}

/* False: it is no short form. */
static bool
long_form(const struct dir_key *key, struct file_handle *h)
{
	unsigned i = (uint8_t)(key->generation >> LAYOUT_SHIFT) - 1u;
	uint32_t gen = (uint32_t)key->generation;
	const struct layout *l;

	if (i >= LAYOUTS || key->generation >> (TYPE_SHIFT + 8) != 0)
		return false;
	l = &layouts[i];
	h->handle_type = (int)(key->generation >> TYPE_SHIFT);
	h->handle_bytes = l->len;
	memcpy(h->f_handle + l->ino, &key->fileid, l->ino_len);
	memcpy(h->f_handle + l->gen, &gen, sizeof gen);
	return true;
}

/* False: the kernel has no handle for it, or none that has room. */
static bool
by_handle(struct dir_key *key, int dir, const char *name)
{
	union handle u;
	int mount;

	memset(&u, 0, sizeof u);
	u.h.handle_bytes = DIR_OWN_MAX - 1;
	if (name_to_handle_at(dir, name, &u.h, &mount, *name == '\0' ?
	    AT_EMPTY_PATH : 0) == -1 || u.h.handle_type < 0 ||
	    u.h.handle_type > UINT8_MAX)
		return false;
	if ((key->generation = short_form(key->fileid, &u.h)) != 0)
		return true;
	key->own[0] = (uint8_t)u.h.handle_type;
	memcpy(key->own + 1, u.h.f_handle, u.h.handle_bytes);
	key->own_len = (uint8_t)(u.h.handle_bytes + 1);
	return true;
}

void
dir_key_make(struct dir_key *key, int dir, const char *name,
    const struct statx *st)
{
	memset(key, 0, sizeof *key);
	key->fileid = st->stx_ino;
	if (by_handle(key, dir, name))
		return;
	key->generation = 1;
	/* No short form has a bit as high as this. */
	if (st->stx_mask & STATX_BTIME)
		key->generation = UINT64_C(1) << 63 |
		    (uint64_t)st->stx_btime.tv_sec << 30 |
		    st->stx_btime.tv_nsec;
}

bool
dir_key_equal(const struct dir_key *a, const struct dir_key *b)
{
	return a->fileid == b->fileid && a->own_len == b->own_len &&
	    (a->own_len > 0 ? memcmp(a->own, b->own, a->own_len) == 0 :
	    a->generation == b->generation);
}

bool
dir_key_test(int root, const struct statx *st)
{
	struct dir_key key;
	int fd;

	dir_key_make(&key, root, "", st);
	if ((fd = dir_key_open(&key, root)) == -1)
		return false;
	close(fd);
	return true;
}

int
dir_key_open(const struct dir_key *key, int root)
{
	union handle u;

	memset(&u, 0, sizeof u);
	if (key->own_len > 0) {
		u.h.handle_type = key->own[0];
		u.h.handle_bytes = key->own_len - 1u;
		memcpy(u.h.f_handle, key->own + 1, key->own_len - 1u);
	} else if (!long_form(key, &u.h)) {
		errno = ESTALE;
		return -1;
	}
	return open_by_handle_at(root, &u.h, O_PATH | O_CLOEXEC);
}

void
dir_key_of_node(struct dir_key *key, const struct pinefs_node *node)
{
	struct pinefs_ident id;

	pinefs_node_ident(node, &id);
	memset(key, 0, sizeof *key);
	key->fileid = id.fileid;
	key->generation = id.generation;
	/* One that is longer was never given: it stays none of ours. */
	if (id.own_len > 0 && id.own_len <= DIR_OWN_MAX) {
		key->own_len = (uint8_t)id.own_len;
		memcpy(key->own, id.own, id.own_len);
	}
}

int
dir_key_ident(const struct dir_key *key, struct pinefs_call *call,
    struct pinefs_ident *id)
{
	void *own;

	*id = (struct pinefs_ident){ .fileid = key->fileid,
	    .generation = key->generation };
	if (key->own_len == 0)
		return 0;
	if ((own = pinefs_call_alloc(call, key->own_len)) == NULL)
		return ENOMEM;
	id->own = memcpy(own, key->own, key->own_len);
	id->own_len = key->own_len;
	return 0;
}
