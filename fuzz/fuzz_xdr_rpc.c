/* Messages of RPC itself, the portmapper and rpcbind. */
#include "proto/portmap.h"
#include "proto/rpc.h"

#define ROWS								\
	T(rpc_msg) T(authsys_parms) T(opaque_auth) T(mapping)		\
	T(pmaplist) T(call_args) T(call_result) T(rpcb) T(rpcblist)

#include "xdr_target.h"
