/* SPDX-License-Identifier: MIT */
/* One server: its start, its end, and what fork makes of it. */
#include "pyfs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct pyfs *pyfs_all;

/* One write: no stdio, no sys.stderr, whose locks a fork may hold. */
void
pyfs_log(const char *format, ...)
{
	char line[1024] = "pinefs: py: ";
	size_t at = strlen(line);
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line + at, sizeof line - at - 1, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	at += (size_t)n < sizeof line - at - 1 ? (size_t)n :
	    sizeof line - at - 2;
	line[at++] = '\n';
	if (write(STDERR_FILENO, line, at) == -1)
		return;
}

int64_t
pyfs_now(struct pyfs *pf)
{
	struct timespec ts;
	int64_t ns;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	if (ns <= pf->last_time)
		ns = pf->last_time + 1;
	pf->last_time = ns;
	return ns;
}

/* ---------------------------------------------------------------- switch -- */

/* The value that both modules and the server agree on. */
static long trace_agreed;

void
switch_set(long value)
{
	trace_agreed = value;
	*pinefs_trace() = value != 0;
}

/*
 * The modules' own __setattr__ keeps them in step; a write through their
 * dicts is noticed here, at the next request.
 */
void
switch_look(struct pyfs *pf)
{
	PyObject *list = pf->config.switches, *dict, *v;
	Py_ssize_t i, j;
	long now;

	for (i = 0; list != NULL && i < PyList_Size(list); i++) {
		dict = PyList_GetItem(list, i);
		v = PyDict_GetItemWithError(dict, kit.s_trace_rpc);
		if (v == NULL || !PyLong_Check(v))
			continue;
		now = PyLong_AsLong(v);
		if (now == trace_agreed)
			continue;
		switch_set(now);
		for (j = 0; j < PyList_Size(list); j++)
			if (j != i)
				(void)PyDict_SetItem(PyList_GetItem(list, j),
				    kit.s_trace_rpc, v);
		break;
	}
	PyErr_Clear();
}

/* ----------------------------------------------------------------- start -- */

static void
unlist(struct pyfs *pf)
{
	struct pyfs **p;

	for (p = &pyfs_all; *p != NULL && *p != pf; p = &(*p)->next)
		continue;
	if (*p != NULL)
		*p = pf->next;
}

static int
make_fs(struct pyfs *pf)
{
	struct pinefs_ops ops = pyfs_ops;
	struct pinefs_ident root;
	PyObject *o = pf->config.root;
	int err;

	if ((err = nodes_init(&pf->nodes, pf->config.max_nodes)) != 0 ||
	    (err = glow_init(&pf->glows)) != 0)
		return err;
	if ((pf->gil = gil_new(pf->config.polite, pf->config.signal,
	    pf->config.time_box)) == NULL)
		return ENOMEM;
	node_set_home(&pf->nodes, pf->nodes.root,
	    o != NULL ? o : PyImport_GetModuleDict());
	pyfs_executor(pf, &pf->executor);
	ops.executor = &pf->executor;
	if ((pf->fs = pinefs_new(&ops, pf)) == NULL)
		return errno;
	root = (struct pinefs_ident){ .fileid = pf->nodes.root->id,
	    .generation = 1 };
	return pinefs_set_root(pf->fs, &root);
}

static int
make_server(struct pyfs *pf, PyObject *settings, const char *path,
    PyObject *beside)
{
	PyObject *pair;
	const char *name, *value;
	Py_ssize_t i;
	int err;

	if ((err = pinefs_server_new(&pf->server)) != 0)
		return err;
	for (i = 0; i < PyList_Size(settings); i++) {
		pair = PyList_GetItem(settings, i);
		if (!PyArg_ParseTuple(pair, "ss", &name, &value)) {
			PyErr_Clear();
			return EINVAL;
		}
		if ((err = pinefs_set(pf->server, name, value)) != 0)
			return err;
	}
	if ((err = pinefs_export(pf->server, path, pf->fs)) != 0 ||
	    (err = pinefs_export_set(pf->server, path, "ro",
	    pf->config.readonly ? "yes" : "no")) != 0)
		return err;
	return beside_export(pf, beside);
}

/*
 * With the interpreter lock, which is let go of while the server starts.
 * 0 or an errno; *pf is freed then.
 */
int
pyfs_start(struct pyfs *pf, PyObject *settings, const char *path,
    PyObject *beside)
{
	int err;

	pf->uid = (uint32_t)geteuid();
	pf->gid = (uint32_t)getegid();
	pf->started = pyfs_now(pf);
	if ((err = make_fs(pf)) == 0 &&
	    (err = make_server(pf, settings, path, beside)) == 0 &&
	    (err = workers_start()) == 0) {
		/* Before there is anything a fork could leave to a child. */
		pf->next = pyfs_all;
		pyfs_all = pf;
		Py_BEGIN_ALLOW_THREADS
		err = pinefs_start(pf->server);
		Py_END_ALLOW_THREADS
	}
	pf->serving = err == 0;
	if (err != 0) {
		unlist(pf);
		pyfs_free(pf);
	}
	return err;
}

/* ------------------------------------------------------------------- end -- */

static void
free_patterns(char **list)
{
	char **p;

	for (p = list; p != NULL && *p != NULL; p++)
		free(*p);
	free(list);
}

static void
free_stages(struct pyfs *pf)
{
	while (pf->stages != NULL)
		stage_drop(pf->stages->node);
}

void
pyfs_free_config(struct pyfs *pf)
{
	free_patterns(pf->config.include);
	free_patterns(pf->config.exclude);
	free_patterns(pf->config.protect);
	free_patterns(pf->config.shadow);
	Py_CLEAR(pf->config.root);
	Py_CLEAR(pf->config.symlink);
	Py_CLEAR(pf->config.switches);
	Py_CLEAR(pf->config.ask);
	Py_CLEAR(pf->config.swap);
	Py_CLEAR(pf->config.watchers);
	Py_CLEAR(pf->config.tell);
}

void
pyfs_free(struct pyfs *pf)
{
	struct hold h = { .pf = pf };

	Py_BEGIN_ALLOW_THREADS
	pinefs_server_free(pf->server);
	if (pyfs_all == NULL)
		workers_stop(500);
	Py_END_ALLOW_THREADS
	if (pf->fs != NULL)
		pinefs_free(pf->fs);
	beside_free(pf);
	ops_forget_listing(&h);
	free_stages(pf);
	nodes_fini(&pf->nodes);
	glow_fini(&pf->glows);
	gil_free(pf->gil);
	pyfs_free_config(pf);
	free(pf);
}

/*
 * No call is accepted any more; what waits on workers is completed; what is
 * staged is bound.  With the interpreter lock.
 */
void
pyfs_stop(struct pyfs *pf)
{
	struct hold h = { .pf = pf };
	bool done;

	Py_BEGIN_ALLOW_THREADS
	done = pinefs_stop(pf->server, 1000) == 0;
	Py_END_ALLOW_THREADS
	if (pf->stages != NULL && worker_commit_rest(pf) != 0)
		stage_commit_due(&h, true);	/* no worker is left */
	Py_BEGIN_ALLOW_THREADS
	done = workers_are_done_with(pf, 1000) && done;
	Py_END_ALLOW_THREADS
	unlist(pf);
	if (pyfs_all == NULL)
		gil_restore();
	if (done) {
		pyfs_free(pf);
		return;
	}
	/* It may come back and look for its server: that stays. */
	pyfs_log("code of the program hangs; not waiting for it");
}

/* In the child of a fork: nothing of ours runs there. */
void
pyfs_fork_child(void)
{
	struct pyfs *pf;

	for (pf = pyfs_all; pf != NULL; pf = pf->next)
		pinefs_fork_child(pf->server);
	for (pf = pyfs_all; pf != NULL; pf = pf->next) {
		gil_fork_child_of(pf->gil);
		(void)glow_init(&pf->glows);	/* somebody may have had it */
	}
	gil_fork_child();
	workers_fork_child();
	mounts_fork_child();
	pyfs_all = NULL;
}
