/* SPDX-License-Identifier: MIT */
/*
 * What `pinefs -f py -f mem:NAME` serves beside the program: file systems in
 * memory, which know nothing of Python and never wait for its lock.
 */
#include "pyfs.h"

#include <stdlib.h>

#include "fs/memfs.h"

static int
export_one(struct pyfs *pf, PyObject *tuple)
{
	struct pinefs *fs;
	const char *path;
	unsigned long long size;
	int readonly, err;

	if (!PyArg_ParseTuple(tuple, "sKp", &path, &size, &readonly)) {
		PyErr_Clear();
		return EINVAL;
	}
	errno = ENOMEM;
	if ((fs = memfs_new(size, 0)) == NULL)
		err = errno;
	else if ((err = pinefs_export(pf->server, path, fs)) != 0)
		pinefs_free(fs);
	if (err != 0) {
		pyfs_log("mem at %s is not served: %s", path, strerror(err));
		return 0;
	}
	pf->beside[pf->nbeside++] = fs;
	return pinefs_export_set(pf->server, path, "ro",
	    readonly ? "yes" : "no");
}

int
beside_export(struct pyfs *pf, PyObject *list)
{
	Py_ssize_t i, n = PyList_Size(list);
	int err = 0;

	if (n == 0)
		return 0;
	if ((pf->beside = calloc((size_t)n, sizeof *pf->beside)) == NULL)
		return ENOMEM;
	for (i = 0; i < n && err == 0; i++)
		err = export_one(pf, PyList_GetItem(list, i));
	return err;
}

void
beside_free(struct pyfs *pf)
{
	size_t i;

	for (i = 0; i < pf->nbeside; i++)
		pinefs_free(pf->beside[i]);
	free(pf->beside);
}
