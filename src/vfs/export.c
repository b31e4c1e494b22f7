/* Exports, and who a caller is in them. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "vfs/vfs.h"

bool
vfs_export_is_closed(const struct vfs_export *x)
{
	return x->rules != NULL && vfs_rules_is_empty(x->rules);
}

struct vfs_export *
vfs_export_by_id(const struct vfs_exports *exports, uint32_t id)
{
	unsigned left = exports->by_id == NULL ? UINT_MAX : exports->named;
	struct vfs_export *x;

	/* Linear, where there are few. */
	for (x = exports->first; x != NULL && left > 0; x = x->next, left--)
		if (x->id == id)
			return x;
	if (exports->by_id == NULL)
		return NULL;
	x = exports->by_id[id % VFS_EXPORT_BUCKETS];
	while (x != NULL && x->id != id)
		x = x->id_next;
	return x;
}

static void
skip_slashes(const char **p, size_t *len)
{
	while (*len > 0 && **p == '/') {
		++*p;
		--*len;
	}
}

struct vfs_export *
vfs_export_by_path(const struct vfs_exports *exports, const char *path,
    size_t len, struct pinefs_name *rest)
{
	struct vfs_export *x, *root = NULL;
	const char *end;
	size_t n;

	while (len > 0 && path[len - 1] == '/')
		len--;
	skip_slashes(&path, &len);
	end = len == 0 ? NULL : memchr(path, '/', len);
	n = end == NULL ? len : (size_t)(end - path);

	for (x = exports->first; x != NULL; x = x->next) {
		if (strcmp(x->path, "/") == 0) {
			if (!vfs_export_is_closed(x))
				root = x;
		} else if (n > 0 && strlen(x->path + 1) == n &&
		    memcmp(x->path + 1, path, n) == 0 &&
		    !vfs_export_is_closed(x)) {
			path += n;
			len -= n;
			skip_slashes(&path, &len);
			break;
		}
	}
	if (x == NULL)
		x = root;
	rest->base = path;
	rest->len = (uint32_t)len;
	return x;
}

struct vfs_export *
vfs_export_for_id(const struct vfs_exports *exports, uint32_t id)
{
	struct vfs_export *x = vfs_export_by_id(exports, id);
	struct vfs_found found = { 0 };

	if (x == NULL && exports->executor != NULL &&
	    exports->more(exports->more_arg, NULL, 0, id, &found) == 0)
		x = found.export;
	return x;
}

struct vfs_export *
vfs_export_for_path(const struct vfs_exports *exports, const char *path,
    size_t len, struct pinefs_name *rest)
{
	struct vfs_export *x = vfs_export_by_path(exports, path, len, rest);
	struct vfs_found found = { 0 };

	if (exports->executor == NULL || (x != NULL &&
	    (strcmp(x->path, "/") != 0 || rest->len == 0)) ||
	    exports->more(exports->more_arg, path, len, 0, &found) != 0)
		return x;
	*rest = found.rest;
	return found.export;
}

static uint32_t
squash_one(uint32_t id, enum vfs_squash squash, uint32_t anon)
{
	switch (squash) {
	case VFS_SQUASH_NONE:
		return id;
	case VFS_SQUASH_ROOT:
		return id == 0 ? anon : id;
	case VFS_SQUASH_ALL:
		break;
	}
	return anon;
}

void
vfs_squash(const struct pinefs_cred *given, enum vfs_squash squash,
    uint32_t anon_uid, uint32_t anon_gid, struct pinefs_cred *out,
    uint32_t *gids)
{
	uint32_t i;

	*out = *given;
	out->gids = gids;
	if (given->flavor == 0) {
		/* AUTH_NONE says nothing of who it is. */
		out->uid = anon_uid;
		out->gid = anon_gid;
		out->ngids = 0;
		return;
	}
	out->uid = squash_one(given->uid, squash, anon_uid);
	out->gid = squash_one(given->gid, squash, anon_gid);
	out->ngids = given->ngids < VFS_MAX_GIDS ? given->ngids :
	    VFS_MAX_GIDS;
	for (i = 0; i < out->ngids; i++)
		gids[i] = squash_one(given->gids[i], squash, anon_gid);
}
