/* The pseudo-root above the exports, and the ways across: see its header. */
#include "nfs/nfs4_pseudo.h"

#include <errno.h>

/* ----------------------------------------------------------- junctions -- */

static bool
is_root(const struct vfs_export *x)
{
	return strcmp(x->path, "/") == 0;
}

const struct vfs_export *
nfs4_root_export(const struct nfs *nfs)
{
	const struct vfs_export *x;

	/* Linear: 16 exports at most in practice. */
	for (x = nfs->exports->first; x != NULL; x = x->next)
		if (is_root(x) && !vfs_export_is_closed(x))
			return x;
	return NULL;
}

static struct pinefs_name
junction_name(const struct vfs_export *x)
{
	struct pinefs_name name = { x->path, (uint32_t)strlen(x->path) };

	if (name.len > 0 && name.base[0] == '/') {
		name.base++;
		name.len--;
	}
	return name;
}

bool
nfs4_may_see(struct nfs4_call *c, const struct vfs_export *x)
{
	if (vfs_call_enter(&c->nfs.vfs, x) != 0)
		return false;
	c->nfs.export = x;
	return true;
}

static const struct vfs_export *
by_name(const struct nfs *nfs, struct pinefs_name name)
{
	const struct vfs_export *x;
	struct pinefs_name n;

	for (x = nfs->exports->first; x != NULL; x = x->next) {
		n = junction_name(x);
		if (!is_root(x) && n.len == name.len &&
		    memcmp(n.base, name.base, n.len) == 0 &&
		    !vfs_export_is_closed(x))
			break;
	}
	return x;
}

bool
nfs4_is_junction(const struct nfs *nfs, struct pinefs_name name)
{
	return by_name(nfs, name) != NULL;
}

const struct vfs_export *
nfs4_junction(struct nfs4_call *c, struct pinefs_name name)
{
	const struct vfs_export *x = by_name(c->nfs.nfs, name);

	return x == NULL || nfs4_may_see(c, x) ? x : NULL;
}

/* What is left of its path below that of a way; empty: it is not there. */
static struct pinefs_name
path_below(const struct vfs_export *x, const struct vfs_way *way)
{
	struct pinefs_name rest = junction_name(x);
	size_t n = way == NULL ? 0 : way->len;		/* "/a/", "a/" */

	if (n == 0)
		return rest;
	if (rest.len <= n || memcmp(rest.base, way->path + 1, n - 1) != 0 ||
	    rest.base[n - 1] != '/')
		return (struct pinefs_name){ 0 };
	return (struct pinefs_name){ rest.base + n, rest.len - (uint32_t)n };
}

/*
 * One whose name is a path is listed if somebody has named it so (`rules`);
 * others have come by that path, and could be a million.
 */
bool
nfs4_entry_of(const struct nfs4_fh *dir, const struct vfs_export *x,
    struct nfs4_entry *e)
{
	struct pinefs_name rest = path_below(x, dir->way);
	const char *slash;

	if (rest.len == 0 || is_root(x) || vfs_export_is_closed(x))
		return false;
	slash = memchr(rest.base, '/', rest.len);
	e->is_export = slash == NULL;
	e->name = rest;
	if (slash != NULL)
		e->name.len = (uint32_t)(slash - rest.base);
	if (x->rules == NULL)
		return slash == NULL && dir->way == NULL;
	return slash == NULL || dir->pseudo;
}

bool
nfs4_is_export_root(const struct nfs4_fh *fh)
{
	return !fh->pseudo && fh->node == pinefs_root(fh->export->fs);
}

bool
nfs4_has_junctions(const struct nfs4_call *c, const struct nfs4_fh *fh)
{
	if (fh->pseudo)
		return fh->way == NULL;
	return c->nfs.nfs->exports->n > 1 && is_root(fh->export) &&
	    nfs4_is_export_root(fh);
}

/* Never 0 in its lower half: export ids are not 0. */
uint64_t
nfs4_covered_fileid(const struct vfs_export *x)
{
	return UINT64_C(1) << 32 | x->id;
}

uint64_t
nfs4_mounted_on(const struct vfs_export *x, uint64_t fileid)
{
	struct pinefs_ident root;

	if (is_root(x) || pinefs_root(x->fs) == NULL)
		return fileid;
	pinefs_node_ident(pinefs_root(x->fs), &root);
	return fileid == root.fileid ? nfs4_covered_fileid(x) : fileid;
}

/* ----------------------------------------------------------------- ways -- */

int
nfs4_goto_export(struct nfs4_call *c, const struct vfs_export *x)
{
	struct vfs_place end = { 0 };
	struct pinefs_node *node;
	int err;

	/* Run again there, it is not to be sent back to where it comes from. */
	err = vfs_call_go(&c->nfs.vfs, &end);
	if (err == 0)
		err = nfs4_enter(c, x);
	if (err == 0)
		err = vfs_node_root(&c->nfs.vfs, &node);
	if (err == 0)
		nfs4_set_current(c, x, node);
	return err;
}

int
nfs4_goto_root(struct nfs4_call *c)
{
	const struct vfs_export *x = nfs4_root_export(c->nfs.nfs);

	if (x != NULL)
		return nfs4_goto_export(c, x);
	nfs4_set_pseudo(c, NULL);
	return 0;
}

/* ---------------------------------------------- ways to what is to come -- */

const struct vfs_way *
nfs4_way_of(const struct nfs *nfs, uint64_t fileid)
{
	const struct vfs_exports *exports = nfs->exports;

	return exports->way == NULL ? NULL :
	    exports->way(exports->more_arg, fileid);
}

uint64_t
nfs4_pseudo_fileid(const struct nfs4_fh *fh)
{
	return fh->way == NULL ? NFS4_PSEUDO_FILEID : fh->way->fileid;
}

/* The path of a name in that directory, of the call's memory. */
static char *
path_of(struct nfs4_call *c, const struct vfs_way *way,
    struct pinefs_name name, size_t *len)
{
	size_t n = way == NULL ? 0 : way->len;
	char *path = nfs_call_alloc(&c->nfs, n + 1 + name.len);

	if (path == NULL)
		return NULL;
	if (n > 0)
		memcpy(path, way->path, n);
	path[n] = '/';
	memcpy(path + n + 1, name.base, name.len);
	*len = n + 1 + name.len;
	return path;
}

const struct vfs_way *
nfs4_way_below(struct nfs4_call *c, const struct nfs4_fh *dir,
    struct pinefs_name name)
{
	const struct vfs_exports *exports = c->nfs.nfs->exports;
	size_t len;
	char *path = path_of(c, dir->way, name, &len);

	return path == NULL || exports->known_way == NULL ? NULL :
	    exports->known_way(exports->more_arg, path, len);
}

int
nfs4_goto_coming(struct nfs4_call *c, struct pinefs_name name)
{
	const struct vfs_exports *exports = c->nfs.nfs->exports;
	struct vfs_found found = { .wants_way = true };
	char *path;
	size_t len;
	int err;

	if (exports->executor == NULL)
		return ENOENT;
	if (rpc_call_executor(c->nfs.rpc) != exports->executor) {
		rpc_call_move(c->nfs.rpc, exports->executor);
		return PINEFS_LATER;
	}
	if ((path = path_of(c, c->current.way, name, &len)) == NULL)
		return ENOMEM;
	err = exports->more(exports->more_arg, path, len, 0, &found);
	if (err == EISDIR) {
		nfs4_set_pseudo(c, found.way);
		return 0;
	}
	if (err != 0)
		return err == ENOEXEC ? EIO : ENOENT;
	c->coming = found.export;
	return nfs4_goto_export(c, found.export);
}

/* The directory that an export is listed in; NULL: the root. */
static const struct vfs_way *
way_to(const struct nfs *nfs, const struct vfs_export *x)
{
	const char *slash = strrchr(x->path, '/');

	if (x->rules == NULL || slash == NULL || slash == x->path)
		return NULL;
	return nfs->exports->known_way(nfs->exports->more_arg, x->path,
	    (size_t)(slash - x->path));
}

int
nfs4_goto_above(struct nfs4_call *c)
{
	const struct vfs_way *way = c->current.way, *up;

	if (way == NULL && (c->current.pseudo || is_root(c->current.export)))
		return ENOENT;
	up = way != NULL ? way->up : way_to(c->nfs.nfs, c->current.export);
	if (up == NULL)
		return nfs4_goto_root(c);
	nfs4_set_pseudo(c, up);
	return 0;
}

/* -------------------------------------------------------- the directory -- */

void
nfs4_pseudo_attr(const struct nfs4_call *c, struct pinefs_attr *a)
{
	const struct nfs *nfs = c->nfs.nfs;

	memset(a, 0, sizeof *a);
	a->have = PINEFS_ALL;
	a->type = PINEFS_DIR;
	a->mode = 0555;
	a->nlink = 2 + nfs->exports->n;
	a->size = a->used = 4096;
	/* The next run differs, too. */
	a->change = (uint64_t)nfs->started.tv_sec * 1000000000 +
	    (uint64_t)nfs->started.tv_nsec + nfs->exports->changes;
	a->atime = a->mtime = a->ctime = a->btime = nfs->started;
}

static bool
is_entry(struct nfs4_call *c, struct pinefs_name name)
{
	const struct vfs_export *x;
	struct nfs4_entry e;

	for (x = c->nfs.nfs->exports->first; x != NULL; x = x->next)
		if (nfs4_entry_of(&c->current, x, &e) &&
		    e.name.len == name.len &&
		    memcmp(e.name.base, name.base, name.len) == 0 &&
		    nfs4_may_see(c, x))
			return true;
	return false;
}

nfsstat4
nfs4_pseudo_open(struct nfs4_call *c, const OPEN4args *args)
{
	const struct xdr_view *v = &args->claim.file;
	struct pinefs_name name = { v->data, v->len };
	nfsstat4 st;

	if (args->claim.claim != CLAIM_NULL)
		return NFS4ERR_ISDIR;
	if ((st = nfs4_check_name(*v)) != NFS4_OK)
		return st;
	if (is_entry(c, name))
		return NFS4ERR_ISDIR;
	return args->openhow.opentype == OPEN4_CREATE ? NFS4ERR_ROFS :
	    NFS4ERR_NOENT;
}
