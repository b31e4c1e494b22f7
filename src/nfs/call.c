/* What every procedure starts from and ends with: see call.h. */
#include "nfs/call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "rpc/peer.h"
#include "vfs/hot.h"

/* ------------------------------------------------------ who is asking -- */

enum { NOBODY = 65534 };

/* What rpc found out of the caller, as file systems see it. */
static void
fill_given(struct nfs_call *call, const struct rpc_peer *peer)
{
	const struct rpc_cred *cred = rpc_call_cred(call->rpc);
	struct pinefs_cred *given = &call->given;

	given->client = peer->name;
	given->proven = peer->proven;
	given->peer_uid = peer->uid;
	if (cred->flavor == RPC_AUTH_SYS) {
		given->flavor = RPC_AUTH_SYS;
		given->uid = cred->uid;
		given->gid = cred->gid;
		given->ngids = cred->ngids;
		given->gids = cred->gids;
	} else {
		given->flavor = RPC_AUTH_NONE;
		given->uid = given->gid = NOBODY;
	}
}

/* ------------------------------------------------------- life of a call -- */

static void
resume(void *rpc)
{
	rpc_call_resume(rpc);
}

static void
cancel(void *arg)
{
	struct nfs_call *call = arg;

	vfs_call_cancel(&call->vfs);
}

void
nfs_call_fini(struct nfs_call *call)
{
	vfs_call_fini(&call->vfs);
}

static void
fini(void *arg)
{
	nfs_call_fini(arg);
}

static void
begin_vfs(struct nfs_call *call)
{
	const struct rpc_peer *peer = rpc_call_peer(call->rpc);

	vfs_call_init(&call->vfs, rpc_call_arena(call->rpc), &call->given,
	    peer->proven && peer->uid == 0, resume, call->rpc);
	call->vfs.patient = call->service->vers == 2;
	peer_addr_bytes(&peer->addr, call->vfs.from);
}

static uint32_t
fh_max(uint32_t vers)
{
	switch (vers) {
	case 4:
		return NFS_FH_MAX4;
	case 3:
		return NFS_FH_MAX3;
	}
	return NFS_FH_MAX2;
}

void
nfs_call_begin(struct nfs_call *call, struct nfs *nfs, struct rpc_call *rpc,
    const struct rpc_service *service)
{
	const struct rpc_peer *peer = rpc_call_peer(rpc);

	call->nfs = nfs;
	call->rpc = rpc;
	call->service = service;
	call->proc = rpc_call_proc(rpc);
	call->fh_max = fh_max(service->vers);
	call->max_io = peer->udp ? nfs->max_udp : nfs->max_tcp;
	fill_given(call, peer);
	begin_vfs(call);
	rpc_call_on_cancel(rpc, cancel, call);
}

/*
 * A call for which there is no memory: whatever it wants fails with ENOMEM
 * at its first step (nfs_enter), so that procedures need not ask.
 */
static struct nfs_call *
no_memory(struct nfs *nfs, struct rpc_call *rpc,
    const struct rpc_service *service)
{
	static _Thread_local struct nfs_call none;

	none.nfs = nfs;
	none.service = service;
	none.proc = rpc_call_proc(rpc);
	none.given.client = "";
	return &none;
}

struct nfs_call *
nfs_call(void *self, struct rpc_call *rpc, const struct rpc_service *service)
{
	struct nfs_call *call = rpc_call_state(rpc, sizeof *call, fini);

	if (call == NULL)
		return no_memory(self, rpc, service);
	if (call->rpc == NULL)
		nfs_call_begin(call, self, rpc, service);
	else
		vfs_call_restart(&call->vfs);
	call->export = NULL;
	call->late = false;
	call->block = NULL;
	return call;
}

void
nfs_call_object(const void *state, char *to, size_t size)
{
	const struct nfs_call *call = state;
	const struct pinefs_call *v = &call->vfs;
	char path[VFS_HOT_PATH];
	size_t n;

	to[0] = '\0';
	if (v->last_fs == NULL || v->export == NULL)
		return;
	vfs_hot_path(v->last_fs, v->last_fileid, path);
	n = (size_t)snprintf(to, size, "%s", strcmp(v->export->path, "/") ==
	    0 ? "" : v->export->path);
	if (n >= size)
		return;
	if (path[0] == '\0')
		snprintf(to + n, size - n, ":fileid %" PRIu64,
		    v->last_fileid);
	else
		snprintf(to + n, size - n, "%s%s", path[0] == '/' ? "" :
		    "/.../", path);
}

/*
 * 0.1, 0.2, 0.4 ... 3.2 s: 6.3 s in all, less than a client's patience.  The
 * steps recorded so far are forgotten with the one that failed; that repeats
 * look-ups, and nothing else, for a v2 procedure changes things in one step.
 */
bool
nfs_call_again(struct nfs_call *call)
{
	struct nfs *nfs = call->nfs;

	if (nfs->after == NULL || call->tries == 6)
		return false;
	vfs_call_fini(&call->vfs);
	memset(&call->vfs, 0, sizeof call->vfs);
	begin_vfs(call);
	return nfs->after(nfs->after_arg, 100u << call->tries++, resume,
	    call->rpc) == 0;
}

enum nfs_status
nfs_call_status(struct nfs_call *call, int err)
{
	static struct log_limit limit;

	if (err == ESTALE)
		atomic_fetch_add_explicit(&call->nfs->count.stale, 1,
		    memory_order_relaxed);
	if (!nfs_status_known(err))
		log_limited(&limit, "%s: the file system's error %d (%s) has "
		    "no status in version %u",
		    call->service->procs[call->proc].name, err, strerror(err),
		    call->service->vers);
	return nfs_status(call->service->vers, call->proc, err);
}

/* ------------------------------------------------------------- memory -- */

enum { BLOCK = 4096 - 64 };

struct nfs_block {
	struct nfs_block	*next;
	size_t			 size, used;
	_Alignas(16) uint8_t	 bytes[];
};

/* The block after call->block that can hold n bytes, emptied. */
static struct nfs_block *
next_block(struct nfs_call *call, size_t n)
{
	struct nfs_block **at = call->block == NULL ? &call->blocks :
	    &call->block->next;
	struct nfs_block *b;
	size_t size = n > BLOCK ? n : BLOCK;

	while ((b = *at) != NULL && b->size < n)
		at = &b->next;
	if (b == NULL) {
		b = xdr_arena_alloc(rpc_call_arena(call->rpc),
		    sizeof *b + size);
		if (b == NULL)
			return NULL;
		b->next = NULL;
		b->size = size;
		*at = b;
	}
	b->used = 0;
	return b;
}

void *
nfs_call_alloc(struct nfs_call *call, size_t n)
{
	struct nfs_block *b = call->block;
	void *p;

	if (call->rpc == NULL)
		return NULL;
	n = (n + 15) & ~(size_t)15;
	if (b == NULL || n > b->size - b->used) {
		if ((b = next_block(call, n)) == NULL)
			return NULL;
		call->block = b;
	}
	p = b->bytes + b->used;
	b->used += n;
	return p;
}

void
nfs_call_mark(const struct nfs_call *call, struct nfs_mark *m)
{
	m->block = call->block;
	m->used = call->block == NULL ? 0 : call->block->used;
}

void
nfs_call_rewind(struct nfs_call *call, const struct nfs_mark *m)
{
	call->block = m->block;
	if (m->block != NULL)
		m->block->used = m->used;
}

/* ------------------------------------------------------------- handles -- */

static void
count_failure(struct nfs *nfs, int err)
{
	atomic_uint_fast64_t *c = err == NFS_EBADHANDLE ?
	    &nfs->count.bad_handles : &nfs->count.forged;

	atomic_fetch_add_explicit(c, 1, memory_order_relaxed);
}

/* Who came, and who may: for the person at the server. */
static void
log_refusal(const struct nfs_call *call, const struct vfs_export *export)
{
	static struct log_limit limit;
	char uids[64] = "no uid";
	struct vfs_rights rights;
	size_t n = 0;

	if (export->rules != NULL && !vfs_rules_find(export->rules,
	    call->vfs.from, &rights)) {
		log_limited(&limit, "export %s: %s is none of its clients",
		    export->path, call->given.client);
		return;
	}
	for (unsigned i = 0; i < export->nuids && n < sizeof uids - 12; i++)
		n += (size_t)snprintf(uids + n, sizeof uids - n, "%s%u",
		    i == 0 ? "uid " : ", ", export->uids[i]);
	if (call->given.flavor == RPC_AUTH_SYS)
		log_limited(&limit, "export %s: %s calls as uid %u, but only "
		    "%s may; work there as one of these", export->path,
		    call->given.client, call->given.uid, uids);
	else
		log_limited(&limit, "export %s: %s calls as nobody, but only "
		    "%s may; mount with sec=sys", export->path,
		    call->given.client, uids);
}

int
nfs_enter(struct nfs_call *call, const struct vfs_export *export)
{
	int err;

	if (call->rpc == NULL)
		return ENOMEM;
	err = vfs_call_enter(&call->vfs, export);
	if (err == 0) {
		call->export = export;
	} else if (err == EACCES) {
		atomic_fetch_add_explicit(&call->nfs->count.refused, 1,
		    memory_order_relaxed);
		log_refusal(call, export);
	}
	return err;
}

int
nfs_fh_take(struct nfs_call *call, const void *fh, uint32_t len,
    uint32_t *export_id, struct pinefs_ident *id)
{
	int err = nfs_fh_open(&call->nfs->keys, fh, len, export_id, id);

	if (err != 0)
		count_failure(call->nfs, err);
	return err;
}

int
nfs_fh_to_node(struct nfs_call *call, const void *fh, uint32_t len,
    struct pinefs_node **node)
{
	struct nfs *nfs = call->nfs;
	const struct vfs_export *export;
	struct pinefs_ident id;
	uint32_t export_id;
	int err;

	err = nfs_fh_take(call, fh, len, &export_id, &id);
	if (err != 0)
		return err;
	export = vfs_export_for_id(nfs->exports, export_id);
	if (export == NULL)
		return ESTALE;		/* served no more */
	if (call->export != NULL && call->export != export)
		return EXDEV;
	err = nfs_enter(call, export);
	if (err == 0)
		err = vfs_node_find(&call->vfs, export, &id, node);
	return err;
}

int
nfs_check_fileid(struct nfs_call *call, uint64_t fileid)
{
	static struct log_limit limit;

	if (fileid != 0)
		return 0;
	/* PROTOCOL 3: a macOS kernel panicked at mount. */
	log_limited(&limit, "export %s: an object has fileid 0: refused",
	    call->export->path);
	return EIO;
}

int
nfs_ident_to_fh(struct nfs_call *call, const struct pinefs_ident *id,
    void *to, uint32_t *len)
{
	int err = nfs_check_fileid(call, id->fileid);

	return err != 0 ? err : nfs_fh_make(&call->nfs->keys,
	    call->export->id, id, call->fh_max, to, len);
}

int
nfs_node_to_fh(struct nfs_call *call, const struct pinefs_node *node,
    void *to, uint32_t *len)
{
	struct pinefs_ident id;

	vfs_node_handle_ident(node, &id);
	return nfs_ident_to_fh(call, &id, to, len);
}

/*
 * The handle is not verified here: a forged one at worst fails on another
 * thread.  Every procedure may need attributes, and its handle resolved.
 */
struct rpc_executor *
nfs_executor(const struct nfs *nfs, const void *fh, uint32_t len,
    uint64_t ops)
{
	const struct vfs_export *export;
	uint32_t export_id;

	if (!nfs_fh_peek(fh, len, &export_id))
		return NULL;
	export = vfs_export_by_id(nfs->exports, export_id);
	if (export == NULL)
		return nfs->exports->executor;
	return vfs_fs_executor(export->fs,
	    ops | PINEFS_OP_GETATTR | PINEFS_OP_RESOLVE | PINEFS_OP_ACCESS);
}
