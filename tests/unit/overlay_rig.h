/* An archive that is served as a file system, for calls without a server. */
#ifndef TESTS_UNIT_OVERLAY_RIG_H
#define TESTS_UNIT_OVERLAY_RIG_H

#include <unistd.h>

#include "fs/tarfs.h"
#include "tar_rig.h"

#define rig_bytes rig_flat		/* both rigs have these */
#define rig_end rig_end_call
#include "vfs_rig.h"
#undef rig_bytes
#undef rig_end

enum { OLD_NAMES = 12 };

static struct vfs_export x;
static struct tarfs *tar;
static struct pinefs_node *root;

static inline int
overlay_whole(struct pinefs_call *call, void *arg)
{
	struct pinefs_node *n;

	(void)arg;
	return vfs_lookup(call, root, rig_name("none"), &n);
}

/*
 * Members d/name0 and so on, e/name0 and so on, of "archive", and `big`, of
 * zeros.  The index is whole.
 */
static inline void
overlay_begin(uint64_t limit)
{
	static char zeros[100000];
	static struct rig_call r;
	struct tarfs_config config = { .overlay_size = limit,
	    .cache_dir = "/tmp" };
	struct made *m = calloc(1, sizeof *m);
	char path[] = "/tmp/test_tar_overlay.XXXXXX", name[32];
	struct pinefs *fs;
	int i, fd;

	for (i = 0; i < OLD_NAMES; i++) {
		sprintf(name, "d/name%d", i);
		rig_add(m, name, '0', "archive");
		sprintf(name, "e/name%d", i);
		rig_add(m, name, '0', "archive");
	}
	rig_put(m, rig_header("big", '0', sizeof zeros), zeros, sizeof zeros);
	rig_end(m);
	fd = mkstemp(path);
	CHECK(fd != -1 && write(fd, m->base, m->len) == (ssize_t)m->len);
	close(fd);
	free(m);
	CHECK((tar = tarfs_new(&config)) != NULL);
	CHECK(tarfs_open(tar, path, &fs) == 0);
	unlink(path);
	rig_export(&x, fs);
	root = pinefs_root(fs);
	rig_begin(&r, &x);
	CHECK(rig_run(&r, overlay_whole, NULL) == ENOENT);
	rig_end_call(&r);
}

static inline void
overlay_end(void)
{
	tarfs_free(tar);
}

#endif
