/* SPDX-License-Identifier: MIT */
/* What was counted, for Server.stats() and .pyfs/stats. */
#include "pyfs.h"

/* Seconds that this part of all waits did not exceed, to an eighth. */
static double
quantile(const struct gil_count *c, double part)
{
	uint64_t seen = 0;
	unsigned i;

	for (i = 0; i < GIL_CLASSES - 1; i++) {
		seen += c->waits[i];
		if ((double)seen >= part * (double)c->holds)
			break;
	}
	return (double)gil_class_end(i) * 1e-9;
}

PyObject *
stats_of(const struct pyfs *pf)
{
	const struct gil_count *c = gil_counted(pf->gil);
	const struct gil_test *test = gil_tested();
	struct worker_count w;

	workers_counted(&w);
	return Py_BuildValue(
	    "{s:K,s:K,s:s,s:d,s:d,s:d,s:d,s:d,s:d,s:K,s:K,s:K,s:K,s:K}",
	    "operations", (unsigned long long)pf->calls,
	    "holds", (unsigned long long)c->holds,
	    "gil", gil_way(pf->gil),
	    "test_handoff", (double)test->handoff * 1e-9,
	    "test_signal", (double)test->signal * 1e-9,
	    "test_burst", (double)test->burst * 1e-9,
	    "wait_median", quantile(c, 0.5),
	    "wait_p99", quantile(c, 0.99),
	    "hold_longest", (double)c->longest * 1e-9,
	    "nodes", (unsigned long long)pf->nodes.n,
	    "nodes_max", (unsigned long long)pf->nodes.max,
	    "user_code", (unsigned long long)w.jobs,
	    "interrupted", (unsigned long long)w.interrupted,
	    "given_up", (unsigned long long)w.given_up);
}
