/* --lang=tirpc: a long list comes, goes and is freed on a small stack. */
#include "oracle.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 100000, WIRE = 12 * NODES + 64, STACK = 64 << 10 };

static char wire[WIRE], again[WIRE];

static void
require(int x, const char *what)
{
	if (x)
		return;
	puts(what);
	exit(1);
}

/* value, name "" and more, as often as there are nodes. */
static u_int
make(void)
{
	pointers p;
	last *nodes = calloc(NODES, sizeof *nodes);
	u_int n, i;
	XDR x;

	require(nodes != NULL, "memory");
	memset(&p, 0, sizeof p);
	for (i = 0; i < NODES; i++) {
		nodes[i].name = (char *)"";
		nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : NULL;
	}
	p.l = nodes;
	xdrmem_create(&x, wire, WIRE, XDR_ENCODE);
	require(xdr_pointers(&x, &p), "encoded");
	n = xdr_getpos(&x);
	free(nodes);
	return n;
}

static void *
run(void *arg)
{
	pointers p;
	u_int n = make(), count = 0;
	last *l;
	XDR x;

	memset(&p, 0, sizeof p);
	xdrmem_create(&x, wire, n, XDR_DECODE);
	require(xdr_pointers(&x, &p) && xdr_getpos(&x) == n, "decoded");
	for (l = p.l; l != NULL; l = l->next)
		count++;
	require(count == NODES, "as many");
	xdrmem_create(&x, again, WIRE, XDR_ENCODE);
	require(xdr_pointers(&x, &p) && xdr_getpos(&x) == n &&
	    memcmp(wire, again, n) == 0, "the same");
	xdr_free((xdrproc_t)xdr_pointers, (char *)&p);

	/* Cut short: what there is is freed, and nothing else is. */
	memset(&p, 0, sizeof p);
	xdrmem_create(&x, wire, n / 2 & ~3u, XDR_DECODE);
	require(!xdr_pointers(&x, &p), "cut short");
	xdr_free((xdrproc_t)xdr_pointers, (char *)&p);
	return arg;
}

int
main(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	require(pthread_attr_init(&attr) == 0 &&
	    pthread_attr_setstacksize(&attr, STACK) == 0 &&
	    pthread_create(&thread, &attr, run, NULL) == 0 &&
	    pthread_join(thread, NULL) == 0, "thread");
	return 0;
}
