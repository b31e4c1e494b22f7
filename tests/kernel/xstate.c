/*
 * Lets User-Mode Linux 6.1 run on processors with AMX.
 *
 * UML saves and restores its processes' registers with PTRACE_GETREGSET and
 * PTRACE_SETREGSET on NT_X86_XSTATE and a buffer of 2696 bytes, which is the
 * state up to PKRU.  Where the processor has AMX the state is 11 KB, a host
 * takes nothing but the whole of it, and UML dies in its first process with
 * "ptrace set fp regs failed, errno = 14" (fixed in Linux 6.2).
 *
 * umlrun preloads this into linux.uml: ptrace() that sends the whole state,
 * what UML does not know of it being in its initial configuration.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define BV_OFFSET 512		/* of XSTATE_BV, the bit map of what is saved */
#define BV_KNOWN 0x2ffull	/* x87 SSE AVX MPX AVX-512 PKRU */

typedef long ptrace_fn(int, ...);

/* UML's ptracing is done by one process, one call at a time. */
static _Alignas(64) uint8_t whole[64 << 10];

static long
set_xstate(ptrace_fn *real, long pid, void *type, struct iovec *iov)
{
	struct iovec full = { whole, sizeof whole };
	uint64_t bv;
	size_t n;
	long rc;

	rc = real(PTRACE_GETREGSET, pid, type, &full);
	if (rc == -1)
		return rc;
	n = iov->iov_len < full.iov_len ? iov->iov_len : full.iov_len;
	memcpy(whole, iov->iov_base, n);
	memcpy(&bv, whole + BV_OFFSET, sizeof bv);
	bv &= BV_KNOWN;
	memcpy(whole + BV_OFFSET, &bv, sizeof bv);
	return real(PTRACE_SETREGSET, pid, type, &full);
}

long
ptrace(enum __ptrace_request request, ...)
{
	static ptrace_fn *real;
	va_list ap;
	void *addr, *data;
	long pid, rc;

	va_start(ap, request);
	pid = va_arg(ap, int);
	addr = va_arg(ap, void *);
	data = va_arg(ap, void *);
	va_end(ap);

	if (real == NULL)
		real = (ptrace_fn *)dlsym(RTLD_NEXT, "ptrace");
	rc = real((int)request, pid, addr, data);
	if (rc == -1 && errno == EFAULT && request == PTRACE_SETREGSET &&
	    addr == (void *)NT_X86_XSTATE)
		rc = set_xstate(real, pid, addr, data);
	return rc;
}
