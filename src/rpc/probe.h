/*
 * Probes for bpftrace, perf and systemtap (USDT): what nobody traces costs a
 * nop.  Those of the provider pinefs:
 *
 *	call__start	xid, program, version, procedure, the caller's address
 *	call__end	xid, program, version, procedure, 1 if it is answered
 *
 *	bpftrace -e 'usdt:/usr/bin/pinefs:pinefs:call__start
 *	    { @[arg1, arg2, arg3] = count(); }'
 */
#ifndef RPC_PROBE_H
#define RPC_PROBE_H

#include "rpc/call.h"

#ifndef NO_USDT
#include <sys/sdt.h>
#else
#define DTRACE_PROBE5(provider, name, a, b, c, d, e)			\
	((void)(a), (void)(b), (void)(c), (void)(d), (void)(e))
#endif

/* Their macros leave out what may be left out only in GNU's C. */
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif

static inline void
probe_start(const struct rpc_call *call)
{
	DTRACE_PROBE5(pinefs, call__start, call->h.xid, call->h.prog,
	    call->h.vers, call->h.proc, (const char *)call->peer->name);
}

static inline void
probe_end(const struct rpc_call *call, bool answered)
{
	DTRACE_PROBE5(pinefs, call__end, call->h.xid, call->h.prog,
	    call->h.vers, call->h.proc, (int)answered);
}

#ifdef __clang__
#pragma clang diagnostic pop
#endif

#endif
