/*
 * Procedures of NFS and MOUNT, called as rpc calls them but without a
 * network: a struct rpc_call made by hand, the real src/nfs and src/vfs, and
 * toyfs below.
 */
#ifndef TESTS_UNIT_NFS_RIG_H
#define TESTS_UNIT_NFS_RIG_H

#include <arpa/inet.h>

#include "base/chain.h"
#include "nfs/nfs.h"
#include "nfs/status.h"
#include "rpc/call.h"
#include "toyfs.h"

enum { RIG_REPLY = 1 << 20 };

struct rig {
	struct toy		*toy;
	struct vfs_export	 export, other;
	struct vfs_exports	 exports;
	struct nfs		 nfs;
	struct rpc_program	 program[NFS_PROGRAMS];
	struct rpc_peer		 peer;
	struct rpc_cred		 cred;
	unsigned		 waits;		/* times somebody waited */
	unsigned		 runs;		/* of the last procedure */
	struct rpc_call		*rpc;
	size_t			 budget;	/* of a call's memory */
	uint8_t			*reply;		/* as the client gets it */
	size_t			 reply_len;
};

static struct rig rig;
static struct toy rig_toy;

/* Time goes by at once. */
static int
rig_after(void *arg, unsigned ms, void (*fn)(void *), void *fn_arg)
{
	(void)arg, (void)ms;
	rig.waits++;
	fn(fn_arg);
	return 0;
}

static void
rig_start(void)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&rig.peer.addr;
	static uint8_t reply[RIG_REPLY];

	memset(&rig, 0, sizeof rig);
	rig.reply = reply;
	rig.budget = 256 << 10;
	rig.toy = &rig_toy;
	toy_init(rig.toy);
	rig.export.path = (char *)"/";
	rig.export.id = 0x01020304;
	rig.export.fs = rig.toy->fs;
	rig.export.squash = VFS_SQUASH_ROOT;
	rig.export.anon_uid = rig.export.anon_gid = 65534;
	rig.exports.first = &rig.export;
	rig.exports.n = 1;
	nfs_init(&rig.nfs, &rig.exports);
	memcpy(rig.nfs.keys.now, "0123456789abcdef", 16);
	rig.nfs.after = rig_after;
	nfs_programs(&rig.nfs, rig.program);
	sin->sin_family = AF_INET;
	sin->sin_port = htons(1012);
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rig.peer.loopback = rig.peer.proven = true;
	strcpy(rig.peer.name, "127.0.0.1:1012");
	rig.cred.flavor = RPC_AUTH_SYS;	/* uid 0, and proven */
	rig.rpc = calloc(1, sizeof *rig.rpc + 64);
}

static void
rig_end_call(void)
{
	if (rig.rpc->state_fini != NULL)
		rig.rpc->state_fini(rig.rpc->state);
	rig.rpc->state = NULL;
	rig.rpc->state_fini = NULL;
	xdr_arena_reset(&rig.rpc->arena);
}

static void
rig_stop(void)
{
	rig_end_call();
	free(rig.rpc);
	nfs_fini(&rig.nfs);
	toy_fini(rig.toy);
}

static const struct rpc_program *
rig_program(uint32_t prog, uint32_t vers)
{
	for (unsigned i = 0; i < NFS_PROGRAMS; i++)
		if (rig.program[i].service != NULL &&
		    rig.program[i].service->prog == prog &&
		    rig.program[i].service->vers == vers)
			return &rig.program[i];
	return NULL;
}

/* What the client would get. */
static void
rig_encode(const struct rpc_procedure *proc, const void *res)
{
	struct pinefs_chain chain;
	struct iovec iov[64];
	struct xdr_out out;
	unsigned n;

	rig.reply_len = 0;
	if (proc->encode == NULL)
		return;
	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, RIG_REPLY);
	assert_int_equal(proc->encode(&out, res), 0);
	xdr_out_flush(&out);
	n = chain_iov(&chain, iov, 64);
	for (unsigned i = 0; i < n; i++) {
		memcpy(rig.reply + rig.reply_len, iov[i].iov_base,
		    iov[i].iov_len);
		rig.reply_len += iov[i].iov_len;
	}
	chain_fini(&chain);
}

/* Run it until it has an answer.  What *res points to lives until the next. */
static int
rig_call(uint32_t prog, uint32_t vers, uint32_t proc, const void *args,
    void *res)
{
	const struct rpc_program *p = rig_program(prog, vers);
	const struct rpc_procedure *row = &p->service->procs[proc];
	int err;

	rig_end_call();
	rig.rpc->peer = &rig.peer;
	rig.rpc->cred = rig.cred;
	rig.rpc->program = p;
	rig.rpc->proc = row;
	rig.rpc->h.proc = proc;
	xdr_arena_init(&rig.rpc->arena, NULL, 0, rig.budget);
	rig.runs = 0;
	do {
		/* Never PARKED: rpc_call_resume then only takes a note. */
		atomic_store(&rig.rpc->phase, CALL_RUNNING);
		rig.runs++;
		err = row->call(p->handlers, p->self, rig.rpc, args, res);
	} while (err == RPC_LATER && (toy_complete(rig.toy) ||
	    atomic_load(&rig.rpc->phase) == CALL_RESUMED));
	assert_int_not_equal(err, RPC_LATER);
	if (err == 0)
		rig_encode(row, res);
	return err;
}

#endif
