/* Call and reply headers.  See msg.h. */
#include "rpc/msg.h"

static void
auth_get(struct xdr_in *in, struct rpc_auth *a)
{
	a->flavor = xdr_get_u32(in);
	xdr_get_view(in, &a->body, UINT32_MAX, "opaque_auth.body");
}

int
rpc_header_get(struct xdr_in *in, struct rpc_header *h)
{
	*h = (struct rpc_header){ .xid = xdr_get_u32(in) };
	h->mtype = xdr_get_u32(in);
	h->rpcvers = xdr_get_u32(in);
	if (in->bad || h->mtype != RPC_CALL)
		return EBADMSG;
	if (h->rpcvers != RPC_VERSION)
		return EPROTO;
	h->prog = xdr_get_u32(in);
	h->vers = xdr_get_u32(in);
	h->proc = xdr_get_u32(in);
	auth_get(in, &h->cred);
	auth_get(in, &h->verf);
	if (in->bad)
		return EBADMSG;
	if (h->cred.body.len > RPC_MAX_AUTH)
		h->auth_stat = RPC_AUTH_BADCRED;
	else if (h->verf.body.len > RPC_MAX_AUTH)
		h->auth_stat = RPC_AUTH_BADVERF;
	return 0;
}

/* RFC 5531 appendix A: stamp, machine name, uid, gid, gids<16>. */
static enum rpc_auth_stat
auth_sys_get(const struct rpc_auth *a, struct rpc_cred *cred)
{
	struct xdr_in in;
	struct xdr_view machine;
	uint32_t i;

	xdr_in_init(&in, a->body.data, a->body.len, NULL);
	xdr_get_u32(&in);
	xdr_get_view(&in, &machine, RPC_MAX_MACHINE,
	    "authsys_parms.machinename");
	cred->uid = xdr_get_u32(&in);
	cred->gid = xdr_get_u32(&in);
	cred->ngids = xdr_get_u32(&in);
	if (in.bad || cred->ngids > RPC_MAX_GIDS)
		return RPC_AUTH_BADCRED;
	for (i = 0; i < cred->ngids; i++)
		cred->gids[i] = xdr_get_u32(&in);
	return in.bad || in.pos != in.end ? RPC_AUTH_BADCRED : RPC_AUTH_OK;
}

enum rpc_auth_stat
rpc_cred_get(const struct rpc_auth *a, struct rpc_cred *cred)
{
	cred->flavor = a->flavor;
	cred->uid = cred->gid = UINT32_MAX;
	cred->ngids = 0;
	switch (a->flavor) {
	case RPC_AUTH_NONE:
		return RPC_AUTH_OK;
	case RPC_AUTH_SYS:
		return auth_sys_get(a, cred);
	}
	return RPC_AUTH_BADCRED;
}

void
rpc_put_accepted(struct xdr_out *out, uint32_t xid, enum rpc_accept_stat stat)
{
	uint8_t *p = xdr_room(out, 24);

	if (p == NULL)
		return;
	xdr_store_u32(p, xid);
	xdr_store_u32(p + 4, RPC_REPLY);
	xdr_store_u32(p + 8, RPC_ACCEPTED);
	xdr_store_u32(p + 12, RPC_AUTH_NONE);
	xdr_store_u32(p + 16, 0);
	xdr_store_u32(p + 20, stat);
}

void
rpc_put_mismatch(struct xdr_out *out, uint32_t xid, uint32_t low,
    uint32_t high)
{
	rpc_put_accepted(out, xid, RPC_PROG_MISMATCH);
	xdr_put_u32(out, low);
	xdr_put_u32(out, high);
}

void
rpc_put_denied(struct xdr_out *out, uint32_t xid, enum rpc_auth_stat why)
{
	xdr_put_u32(out, xid);
	xdr_put_u32(out, RPC_REPLY);
	xdr_put_u32(out, RPC_DENIED);
	xdr_put_u32(out, RPC_AUTH_ERROR);
	xdr_put_u32(out, why);
}

void
rpc_put_rpc_mismatch(struct xdr_out *out, uint32_t xid)
{
	xdr_put_u32(out, xid);
	xdr_put_u32(out, RPC_REPLY);
	xdr_put_u32(out, RPC_DENIED);
	xdr_put_u32(out, RPC_MISMATCH);
	xdr_put_u32(out, RPC_VERSION);
	xdr_put_u32(out, RPC_VERSION);
}

static void
put_auth_sys(struct xdr_out *out, const struct rpc_cred *cred)
{
	uint32_t i;

	xdr_put_u32(out, RPC_AUTH_SYS);
	xdr_put_u32(out, 4 * (5 + cred->ngids));
	xdr_put_u32(out, 0);		/* stamp */
	xdr_put_u32(out, 0);		/* machine name: proves nothing */
	xdr_put_u32(out, cred->uid);
	xdr_put_u32(out, cred->gid);
	xdr_put_u32(out, cred->ngids);
	for (i = 0; i < cred->ngids; i++)
		xdr_put_u32(out, cred->gids[i]);
}

void
rpc_put_call(struct xdr_out *out, uint32_t xid, uint32_t prog, uint32_t vers,
    uint32_t proc, const struct rpc_cred *cred)
{
	xdr_put_u32(out, xid);
	xdr_put_u32(out, RPC_CALL);
	xdr_put_u32(out, RPC_VERSION);
	xdr_put_u32(out, prog);
	xdr_put_u32(out, vers);
	xdr_put_u32(out, proc);
	if (cred != NULL && cred->flavor == RPC_AUTH_SYS) {
		put_auth_sys(out, cred);
	} else {
		xdr_put_u32(out, RPC_AUTH_NONE);
		xdr_put_u32(out, 0);
	}
	xdr_put_u32(out, RPC_AUTH_NONE);
	xdr_put_u32(out, 0);
}

int
rpc_reply_get(struct xdr_in *in, uint32_t *xid)
{
	struct rpc_auth verf;
	uint32_t stat;

	*xid = xdr_get_u32(in);
	if (xdr_get_u32(in) != RPC_REPLY)
		return EBADMSG;
	stat = xdr_get_u32(in);
	if (stat == RPC_DENIED) {
		stat = xdr_get_u32(in);
		return in->bad ? EBADMSG :
		    stat == RPC_AUTH_ERROR ? EACCES : EPROTONOSUPPORT;
	}
	auth_get(in, &verf);
	stat = xdr_get_u32(in);
	if (in->bad)
		return EBADMSG;
	switch (stat) {
	case RPC_SUCCESS:
		return 0;
	case RPC_PROG_UNAVAIL:
	case RPC_PROG_MISMATCH:
	case RPC_PROC_UNAVAIL:
		return EPROTONOSUPPORT;
	}
	return EREMOTEIO;
}
