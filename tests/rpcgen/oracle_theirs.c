/* The other half of oracle_ours.c: libtirpc and /usr/bin/rpcgen's output. */
#include <rpc/rpc.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include MADE

size_t theirs(unsigned row, uint8_t *wire, size_t n, uint8_t *to,
    size_t size);

static const struct {
	xdrproc_t codec;
	size_t size;
} rows[] = {
#define T(NAME) { (xdrproc_t)xdr_##NAME, sizeof(NAME) },
#include "rows.h"
#undef T
};

size_t
theirs(unsigned row, uint8_t *wire, size_t n, uint8_t *to, size_t size)
{
	void *value = calloc(1, rows[row].size);
	size_t len = 0;
	XDR x;

	xdrmem_create(&x, (char *)wire, (u_int)n, XDR_DECODE);
	if (rows[row].codec(&x, value) && xdr_getpos(&x) == n) {
		xdrmem_create(&x, (char *)to, (u_int)size, XDR_ENCODE);
		if (rows[row].codec(&x, value))
			len = xdr_getpos(&x);
	}
	xdr_free(rows[row].codec, value);
	free(value);
	return len;
}
