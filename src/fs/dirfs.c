/* A directory of this host as a file system.  See dirfs.h. */
#include "dirfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir/dir.h"
#include "dir/mounts.h"
#include "dir/place.h"

enum { FDS_FEW = 64, FDS_MOST = 1 << 16, THREADS = 8 };

struct dir_proc
dir_proc_of(int fd)
{
	struct dir_proc p;

	snprintf(p.path, sizeof p.path, "/proc/self/fd/%d", fd);
	return p;
}

/* How many descriptors objects may take: of those the process may have. */
static unsigned
fds(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return FDS_FEW;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
		getrlimit(RLIMIT_NOFILE, &r);
	}
	if (r.rlim_cur > FDS_MOST)
		r.rlim_cur = FDS_MOST;
	/* Connections take most, and there may be another directory. */
	return (unsigned)r.rlim_cur / 4;
}

static void
begin(void *arg)
{
	(void)arg;
	dir_who_begin();
}

static void
fini(void *arg)
{
	struct dir_fs *d = arg;

	dir_objects_free(d->objects);
	dir_lists_free(d->lists);
	dir_mounts_free(d->mounts);
	dir_places_free(d->places);
	if (d->root != -1)
		close(d->root);
	free(d->path);
	free(d);
}

static const struct pinefs_ops dir_ops = {
	.flags = PINEFS_STABLE_IDS | PINEFS_WIDE_COOKIES | PINEFS_OWN_ACCESS |
	    PINEFS_CHANGE_UNORDERED,	/* the host may set its clock back */
	.blocking = ~UINT64_C(0),	/* all wait for a disk, maybe */
	.lookup = dir_lookup,
	.getattr = dir_getattr,
	.readdir = dir_readdir,
	.resolve = dir_resolve,
	.parent = dir_parent,
	.read = dir_read,
	.write = dir_write,
	.commit = dir_commit,
	.setattr = dir_setattr,
	.create = dir_create,
	.remove = dir_remove,
	.rename = dir_rename,
	.link = dir_link,
	.readlink = dir_readlink,
	.statfs = dir_statfs,
	.access = dir_access,
	.open = dir_open,
	.close = dir_close,
	.written = dir_written,
	.seek = dir_seek,
	.allocate = dir_allocate,
	.clone = dir_clone,
	.getxattr = dir_getxattr,
	.setxattr = dir_setxattr,
	.listxattr = dir_listxattr,
	.removexattr = dir_removexattr,
	.fini = fini,
};

/* errno. */
static int
open_root(struct dir_fs *d, const char *path)
{
	struct statx st;

	d->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->root == -1 ||
	    statx(d->root, "", AT_EMPTY_PATH, DIR_STATX, &st) == -1)
		return errno;
	d->dev = dir_dev_of(&st);
	d->root_ino = st.stx_ino;
	if (access(dir_proc_of(d->root).path, F_OK) == -1)
		return ENOSYS;		/* no /proc */
	if (!dir_who_is_safe())
		return EPERM;
	d->by_handle = dir_who_is_real() && dir_key_test(d->root, &st);
	return (d->path = strdup(path)) == NULL ? ENOMEM : 0;
}

/* errno; what was made is fini's to free. */
static int
make(struct dir_fs *d, const struct dirfs_config *config)
{
	int err = open_root(d, config->dir);

	if (err != 0)
		return err;
	atomic_init(&d->async, config->async);
	d->lists = dir_lists_new();
	d->mounts = dir_mounts_new();
	d->objects = dir_objects_new(d, fds());
	if (!d->by_handle)
		d->places = dir_places_new(config->state_dir,
		    d->root_ino, &d->dev);
	if (d->objects == NULL || d->lists == NULL || d->mounts == NULL ||
	    (!d->by_handle && d->places == NULL))
		return ENOMEM;
	d->executor = (struct pinefs_executor){ .threads = THREADS,
	    .begin = begin, .arg = d };
	return 0;
}

void
dirfs_set_async(struct pinefs *fs, bool async)
{
	struct dir_fs *d = pinefs_arg(fs);

	atomic_store(&d->async, async);
}

bool
dirfs_is_at(struct pinefs *fs, const char *path)
{
	const struct dir_fs *d = pinefs_arg(fs);
	struct dir_dev dev;
	struct statx st;

	if (statx(AT_FDCWD, path, 0, DIR_STATX, &st) == -1)
		return false;
	/* It is no other where it was only mounted once more. */
	dev = dir_dev_of(&st);
	dev.mount = d->dev.mount;
	return st.stx_ino == d->root_ino && dir_dev_equal(&dev, &d->dev);
}

int
dirfs_new(const struct dirfs_config *config, struct pinefs **to)
{
	struct pinefs_ident root = { .generation = 1 };
	struct pinefs_ops ops = dir_ops;
	struct dir_fs *d = calloc(1, sizeof *d);
	int err = d == NULL ? ENOMEM : 0;

	if (d != NULL) {
		d->root = -1;
		err = make(d, config);
	}
	if (err != 0) {
		pinefs_log(PINEFS_LOG_ERROR, "dirfs: %s: %s", config->dir,
		    err == ENOSYS ? "it needs /proc, which is not mounted" :
		    err == EPERM && !dir_who_is_safe() ? "as root with "
		    "SECBIT_NO_SETUID_FIXUP everybody would be root" :
		    strerror(err));
		if (d != NULL)
			fini(d);
		return err;
	}
	ops.executor = &d->executor;
	if ((d->fs = pinefs_new(&ops, d)) == NULL) {
		err = errno;
		fini(d);
		return err;
	}
	root.fileid = d->root_ino;
	if ((err = pinefs_set_root(d->fs, &root)) != 0) {
		pinefs_free(d->fs);
		return err;
	}
	*to = d->fs;
	return 0;
}
