/*
 * Delegations.  None are given yet (OPEN answers NONE), so none can be
 * returned or recalled.
 */
#include "nfs/nfs4_ops.h"
#include "nfs/nfs4_tables.h"

int
nfs4_op_delegreturn(struct nfs4_call *call, const nfs_argop4 *arg,
    nfs_resop4 *r)
{
	struct nfs4_state *s;
	nfsstat4 st;

	nfs4_lock(call->nfs4);
	st = nfs4_state_find(call, &arg->opdelegreturn.deleg_stateid, &s);
	/* An open or a lock is no delegation. */
	r->opdelegreturn.status = st == NFS4_OK ? NFS4ERR_BAD_STATEID : st;
	nfs4_unlock(call->nfs4);
	return 0;
}

void
nfs4_deleg_drop_client(struct nfs4 *n, struct nfs4_client *c)
{
	(void)n, (void)c;
}

nfsstat4
nfs4_recall(struct nfs4_call *call, struct pinefs_node *node, bool write)
{
	(void)call, (void)node, (void)write;
	return NFS4_OK;
}
