/*
 * MOUNT versions 1 and 3 (RFC 1094 appendix A, RFC 1813 appendix I): from a
 * path to the first handle.  Everything else about mounting, the list that
 * DUMP shows, is a courtesy to showmount(8).
 *
 * Rights are checked at every NFS call, not here; an export that does not
 * admit a caller says so already here, where mount(8) can show it.
 */
#include <errno.h>

#include "base/log.h"
#include "nfs/call.h"
#include "nfs/mounts.h"
#include "nfs/program.h"
#include "proto/mount.h"

/* ----------------------------------------------------------------- MNT -- */

static bool
is_root(struct xdr_view path)
{
	for (uint32_t i = 0; i < path.len; i++)
		if (((const char *)path.data)[i] != '/')
			return false;
	return true;
}

/* One export is mounted as "/" whatever its name is, if it stays the only
 * one. */
static const struct vfs_export *
only_export(const struct nfs *nfs, struct xdr_view path)
{
	return nfs->exports->n == 1 && nfs->exports->executor == NULL &&
	    is_root(path) ? nfs->exports->first : NULL;
}

static const struct vfs_export *
find_export(const struct nfs *nfs, struct xdr_view path,
    struct pinefs_name *rest)
{
	const struct vfs_export *x;

	memset(rest, 0, sizeof *rest);
	x = vfs_export_for_path(nfs->exports, path.data, path.len, rest);
	return x != NULL ? x : only_export(nfs, path);
}

/* The same, of those there are. */
static const struct vfs_export *
find_known(const struct nfs *nfs, struct xdr_view path,
    struct pinefs_name *rest)
{
	const struct vfs_export *x;

	x = vfs_export_by_path(nfs->exports, path.data, path.len, rest);
	return x != NULL ? x : only_export(nfs, path);
}

/* Cut the next component off a path; false: there is none. */
static bool
next_component(struct pinefs_name *path, struct pinefs_name *name)
{
	const char *end = path->base + path->len, *p = path->base, *q;

	while (p < end && *p == '/')
		p++;
	for (q = p; q < end && *q != '/'; )
		q++;
	name->base = p;
	name->len = (uint32_t)(q - p);
	path->base = q;
	path->len = (uint32_t)(end - q);
	return name->len > 0;
}

/* The directory a path names, below its export's root. */
static int
walk(struct nfs_call *call, struct xdr_view path, struct pinefs_node **node)
{
	const struct vfs_export *x;
	struct pinefs_name rest, name;
	struct pinefs_attr attr;
	int err;

	if ((x = find_export(call->nfs, path, &rest)) == NULL)
		return ENOENT;
	err = nfs_enter(call, x);
	if (err == 0)
		err = vfs_node_root(&call->vfs, node);
	while (err == 0 && rest.len > 0 &&
	    next_component(&rest, &name))
		err = vfs_lookup(&call->vfs, *node, name, node);
	/* Of a root of door 2 nobody may have asked the type yet. */
	if (err == 0)
		err = vfs_getattr(&call->vfs, *node, &attr);
	if (err == 0 && attr.type != PINEFS_DIR)
		err = ENOTDIR;
	return err;
}

/* What a client chose may stand in a log only escaped. */
static void
log_mnt(const struct nfs_call *call, struct xdr_view path, int err)
{
	static struct log_limit limit;
	char text[128];

	log_escape(text, sizeof text, path.data, path.len);
	if (err == 0)
		log_debug("%s mounted %s (MOUNT %u)", call->given.client, text,
		    call->service->vers);
	else
		log_limited(&limit, "%s cannot mount %s: %s", call->given.client,
		    text, strerror(err));
}

/* The address without its port: "127.0.0.1", "[::1]". */
static const char *
host_of(const struct nfs_call *call, char *to, size_t size)
{
	const char *end = strrchr(call->given.client, ':');
	size_t n = end == NULL ? strlen(call->given.client) :
	    (size_t)(end - call->given.client);

	if (n > size - 1)
		n = size - 1;
	memcpy(to, call->given.client, n);
	to[n] = '\0';
	return to;
}

/* MNT of either version; the handle goes to `fh`. */
static int
mnt(struct nfs_call *call, struct xdr_view path, void *fh, uint32_t *len)
{
	struct pinefs_node *node = NULL;
	char host[NFS_MOUNT_HOST];
	int err;

	err = walk(call, path, &node);
	if (err == 0)
		err = nfs_node_to_fh(call, node, fh, len);
	if (err == PINEFS_LATER)
		return err;
	if (err == 0)
		nfs_mounts_add(&call->nfs->mounts,
		    host_of(call, host, sizeof host), path.data, path.len);
	log_mnt(call, path, err);
	return err;
}

static int
mnt_v1(void *self, struct rpc_call *rpc, const dirpath *args,
    fhstatus *res)
{
	struct nfs_call *call = nfs_call(self, rpc, &mount_v1_service);
	uint32_t len;
	int err;

	err = mnt(call, *args, res->directory, &len);
	if (err == PINEFS_LATER)
		return err;
	res->status = nfs_mount_status(err);
	return 0;
}

static int
mnt_v3(void *self, struct rpc_call *rpc, const dirpath *args,
    mountres3 *res)
{
	struct nfs_call *call = nfs_call(self, rpc, &mount_v3_service);
	void *fh = nfs_call_alloc(call, NFS_FH_MAX3);
	uint32_t len = 0;
	int err;

	err = fh == NULL ? ENOMEM : mnt(call, *args, fh, &len);
	if (err == PINEFS_LATER)
		return err;
	res->fhs_status = (mountstat3)nfs_mount_status(err);
	if (err == 0) {
		res->mountinfo.fhandle = xdr_view(fh, len);
		res->mountinfo.auth_flavors.v = call->nfs->flavors;
		res->mountinfo.auth_flavors.n = call->nfs->nflavors;
	}
	return 0;
}

/* ---------------------------------------------------------------- UMNT -- */

static int
umnt(void *self, struct rpc_call *rpc, const dirpath *args)
{
	struct nfs_call *call = nfs_call(self, rpc, &mount_v3_service);
	char host[NFS_MOUNT_HOST];

	nfs_mounts_remove(&call->nfs->mounts,
	    host_of(call, host, sizeof host), args->data, args->len);
	return 0;
}

static int
umntall(void *self, struct rpc_call *rpc)
{
	struct nfs_call *call = nfs_call(self, rpc, &mount_v3_service);
	char host[NFS_MOUNT_HOST];

	nfs_mounts_remove_all(&call->nfs->mounts,
	    host_of(call, host, sizeof host));
	return 0;
}

/* --------------------------------------------------------- DUMP, EXPORT -- */

struct dump {
	struct nfs_call	*call;
	size_t		 left;		/* bytes of the reply */
	mountlist	*tail;
};

static bool
copy_text(struct nfs_call *call, const char *text, struct xdr_view *view)
{
	uint32_t len = (uint32_t)strlen(text);
	char *copy = nfs_call_alloc(call, len + 1);

	if (copy == NULL)
		return false;
	memcpy(copy, text, len);
	*view = xdr_view(copy, len);
	return true;
}

/* Whatever does not fit is left out: this list is a courtesy. */
static int
dump_one(void *arg, const struct nfs_mounted *m)
{
	struct dump *d = arg;
	size_t need = 4 + 4 + sizeof m->host + 4 + sizeof m->path;
	struct mountbody *b;

	if (need > d->left ||
	    (b = nfs_call_alloc(d->call, sizeof *b)) == NULL ||
	    !copy_text(d->call, m->host, &b->ml_hostname) ||
	    !copy_text(d->call, m->path, &b->ml_directory))
		return 1;
	b->ml_next = NULL;
	*d->tail = b;
	d->tail = &b->ml_next;
	d->left -= need;
	return 0;
}

static int
dump(void *self, struct rpc_call *rpc, mountlist *res)
{
	struct nfs_call *call = nfs_call(self, rpc, &mount_v3_service);
	struct dump d = { call, call->max_io, res };

	*res = NULL;
	nfs_mounts_walk(&call->nfs->mounts, dump_one, &d);
	return 0;
}

struct listing {
	struct nfs_call	*call;
	size_t		 left;		/* bytes of the reply */
	unsigned	 n;
	bool		 everybody;
	groups		*tail;
};

/* What does not fit is left out, as with DUMP. */
static int
list_client(void *arg, const struct vfs_rule *rule)
{
	struct listing *l = arg;
	size_t need = 8 + sizeof rule->client;
	struct groupnode *g;

	l->n++;
	l->everybody = rule->bits == 0;
	if (need > l->left ||
	    (g = nfs_call_alloc(l->call, sizeof *g)) == NULL ||
	    !copy_text(l->call, rule->client, &g->gr_name))
		return 1;
	g->gr_next = NULL;
	*l->tail = g;
	l->tail = &g->gr_next;
	l->left -= need;
	return 0;
}

/* False: nobody may come there. */
static bool
list_clients(struct listing *l, struct vfs_rules *rules, groups *to)
{
	*to = NULL;
	if (rules == NULL)
		return true;
	l->tail = to;
	l->n = 0;
	vfs_rules_walk(rules, list_client, l);
	/* No groups are everybody. */
	if (l->n == 1 && l->everybody)
		*to = NULL;
	return l->n > 0;
}

static int
export_(void *self, struct rpc_call *rpc, exports *res)
{
	struct nfs_call *call = nfs_call(self, rpc, &mount_v3_service);
	struct listing l = { .call = call, .left = call->max_io };
	const struct vfs_export *x;
	exports *tail = res;

	*res = NULL;
	for (x = call->nfs->exports->first; x != NULL; x = x->next) {
		struct exportnode *e = nfs_call_alloc(call, sizeof *e);

		if (e == NULL)
			return ENOMEM;
		if (!list_clients(&l, x->rules, &e->ex_groups))
			continue;
		e->ex_dir = xdr_view(x->path, (uint32_t)strlen(x->path));
		e->ex_next = NULL;
		*tail = e;
		tail = &e->ex_next;
	}
	return 0;
}

/* ---------------------------------------------------------- the tables -- */

static const struct mount_v1_server handlers_v1 = {
	.mnt = mnt_v1,	.dump = dump,
	.umnt = umnt,		.umntall = umntall,
	.export_ = export_,
};

static const struct mount_v3_server handlers_v3 = {
	.mnt = mnt_v3,	.dump = dump,
	.umnt = umnt,		.umntall = umntall,
	.export_ = export_,
};

/*
 * MNT goes where its file system's look-ups go, or, if these go nowhere, where
 * exports are found that are not known yet; all else is ours.
 */
static struct rpc_executor *
route(void *self, struct rpc_call *rpc, const void *args)
{
	const struct nfs *nfs = self;
	const dirpath *path = args;
	struct rpc_executor *on = NULL;
	const struct vfs_export *x;
	struct pinefs_name rest;

	if (rpc_call_proc(rpc) != MOUNTPROC3_MNT)
		return NULL;
	if ((x = find_known(nfs, *path, &rest)) != NULL)
		on = vfs_fs_executor(x->fs, PINEFS_OP_LOOKUP |
		    PINEFS_OP_GETATTR | PINEFS_OP_RESOLVE);
	return on != NULL ? on : nfs->exports->executor;
}

void
mount_v1_program(struct nfs *nfs, struct rpc_program *row)
{
	*row = (struct rpc_program){ .service = &mount_v1_service,
	    .handlers = &handlers_v1, .self = nfs, .route = route,
	    .mount_port = true };
}

void
mount_v3_program(struct nfs *nfs, struct rpc_program *row)
{
	*row = (struct rpc_program){ .service = &mount_v3_service,
	    .handlers = &handlers_v3, .self = nfs, .route = route,
	    .mount_port = true };
}
