/*
 * The trace switch.  One line a call, when its reply is ready, by one
 * write(2): NFS_V3 READ {...} -> {...} 14 us.  What is printed comes from
 * the tables that pinefs-rpcgen makes of the description.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "rpc/peer.h"
#include "rpc/server.h"

enum { VALUE = 2048 };

int *
rpc_trace_switch(void)
{
	static int on;

	return &on;
}

static const char *
stat_name(enum rpc_accept_stat stat)
{
	static const char *const names[] = { "", "PROG_UNAVAIL",
	    "PROG_MISMATCH", "PROC_UNAVAIL", "GARBAGE_ARGS", "SYSTEM_ERR" };

	return names[stat];
}

static void
print(char *to, const struct xdr_type *type, const void *value)
{
	to[0] = '\0';
	if (type != NULL && value != NULL)
		xdr_print(to, VALUE, type, value);
}

void
rpc_trace(const struct rpc_call *call, enum rpc_accept_stat stat)
{
	char args[VALUE], res[VALUE], line[2 * VALUE + 256];
	unsigned long us = 0;
	int n;

	args[0] = res[0] = '\0';
	if (call->proc != NULL && stat != RPC_GARBAGE_ARGS)
		print(args, call->proc->args_type, call->args);
	if (call->proc != NULL && stat == RPC_SUCCESS)
		print(res, call->proc->res_type, call->res);
	if (call->started != 0)
		us = (unsigned long)((clock_boot_ns() - call->started) / 1000);
	if (call->proc != NULL)
		n = snprintf(line, sizeof line,
		    "%s %08x %s(%s) -> %s%s %lu us\n", call->peer->name, call->h.xid,
		    call->proc->name, args, stat_name(stat), res, us);
	else
		n = snprintf(line, sizeof line,
		    "%s %08x program %u version %u procedure %u -> %s\n",
		    call->peer->name, call->h.xid, call->h.prog, call->h.vers,
		    call->h.proc, stat_name(stat));
	if (write(STDERR_FILENO, line, (size_t)n) == -1) {
		/* Nobody watches. */
	}
}
