/* Attributes and rights, as the kernel has them. */
#include "dir.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MODE_BITS = 07777, UNIT = 512 };

/* ----------------------------------------------------------------- reading -- */

static struct timespec
time_of(const struct statx_timestamp *t)
{
	return (struct timespec){ (time_t)t->tv_sec, (long)t->tv_nsec };
}

/*
 * The change counter is ctime, and how often we changed the object since it
 * came to be that: the kernel's clock ticks slower than clients call.  `mods`
 * was read before the attributes were.
 */
static uint64_t
change_of(struct dir_object *o, const struct statx *st, unsigned mods)
{
	uint64_t ctime = (uint64_t)st->stx_ctime.tv_sec << 30 |
	    st->stx_ctime.tv_nsec;
	unsigned base;

	if (o == NULL)
		return ctime;
	pthread_mutex_lock(&o->lock);
	if (ctime > o->ctime) {
		o->ctime = ctime;
		o->base = mods;
	}
	/* One that was read before another, and comes behind it. */
	base = ctime < o->ctime ? mods : o->base;
	pthread_mutex_unlock(&o->lock);
	return ctime + (mods > base ? mods - base : 0);
}

void
dir_attr_of(struct dir_object *o, const struct statx *st, unsigned mods,
    struct pinefs_attr *a)
{
	static const uint8_t types[] = { [S_IFREG >> 12] = PINEFS_REG,
	    [S_IFDIR >> 12] = PINEFS_DIR, [S_IFBLK >> 12] = PINEFS_BLK,
	    [S_IFCHR >> 12] = PINEFS_CHR, [S_IFLNK >> 12] = PINEFS_LNK,
	    [S_IFSOCK >> 12] = PINEFS_SOCK, [S_IFIFO >> 12] = PINEFS_FIFO };

	memset(a, 0, sizeof *a);
	a->type = types[(st->stx_mode & S_IFMT) >> 12];
	a->mode = st->stx_mode & MODE_BITS;
	a->nlink = st->stx_nlink;
	a->uid = st->stx_uid;
	a->gid = st->stx_gid;
	a->rdev_major = st->stx_rdev_major;
	a->rdev_minor = st->stx_rdev_minor;
	a->size = st->stx_size;
	a->used = st->stx_blocks * UNIT;
	a->change = change_of(o, st, mods);
	a->atime = time_of(&st->stx_atime);
	a->mtime = time_of(&st->stx_mtime);
	a->ctime = time_of(&st->stx_ctime);
	a->btime = time_of(&st->stx_btime);
	a->have = PINEFS_ALL & ~PINEFS_GENERATION;
	if (!(st->stx_mask & STATX_BTIME))
		a->have &= ~(uint64_t)PINEFS_BTIME;
}

/* errno. */
static int
stat_of(struct dir_object *o, struct statx *st)
{
	return statx(atomic_load(&o->fd[DIR_PATH]), "", AT_EMPTY_PATH,
	    DIR_STATX, st) == -1 ? errno : 0;
}

int
dir_getattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t want, struct pinefs_attr *attr)
{
	struct dir_object *o;
	struct statx st;
	unsigned mods;
	int err;

	(void)call, (void)want;
	if ((err = dir_get(node, &o)) != 0)
		return err;
	mods = atomic_load(&o->mods);
	if ((err = stat_of(o, &st)) == 0)
		dir_attr_of(o, &st, mods, attr);
	dir_put(dir_of(node), o);
	return err;
}

/* ------------------------------------------------------------------ rights -- */

/* As the thread's present identity: mode, lists of access, and whatever else
 * the kernel asks. */
static bool
kernel_says(int fd, int mode)
{
	return syscall(SYS_faccessat2, fd, "", mode, AT_EMPTY_PATH |
	    AT_EACCESS) == 0;
}

static const struct {
	uint32_t	bits;
	int		mode;
} rights[] = {
	{ PINEFS_ACCESS_READ, R_OK },
	{ PINEFS_ACCESS_MODIFY | PINEFS_ACCESS_EXTEND, W_OK },
	{ PINEFS_ACCESS_LOOKUP | PINEFS_ACCESS_EXECUTE, X_OK },
	/* Who removes a name must change the directory and search it. */
	{ PINEFS_ACCESS_DELETE, W_OK | X_OK },
};
enum { RIGHTS = sizeof rights / sizeof rights[0] };

static uint32_t
granted_of(int fd, uint32_t asked)
{
	uint32_t granted = 0, known = 0;
	int all = 0;
	unsigned i;

	for (i = 0; i < RIGHTS; i++) {
		known |= asked & rights[i].bits;
		if (asked & rights[i].bits)
			all |= rights[i].mode;
	}
	if (kernel_says(fd, all))
		return known;
	for (i = 0; i < RIGHTS; i++)
		if (asked & rights[i].bits && kernel_says(fd, rights[i].mode))
			granted |= asked & rights[i].bits;
	return granted;
}

/* An owner reads and writes what it has open, whatever the mode says. */
static uint32_t
owners_bits(const struct pinefs_call *call, struct dir_object *o)
{
	struct statx st;

	if (stat_of(o, &st) != 0 || !S_ISREG(st.stx_mode) ||
	    st.stx_uid != pinefs_call_cred(call)->uid)
		return 0;
	return PINEFS_ACCESS_READ | PINEFS_ACCESS_MODIFY;
}

int
dir_access(struct pinefs_call *call, struct pinefs_node *node,
    uint32_t asked, uint32_t *granted)
{
	uint32_t bits = asked & ~PINEFS_ACCESS_OPENED;
	struct dir_object *o;
	int err;

	if ((err = dir_get(node, &o)) != 0)
		return err;
	if ((err = dir_who_become(pinefs_call_cred(call))) == 0) {
		*granted = granted_of(atomic_load(&o->fd[DIR_PATH]), bits);
		if (*granted != bits && asked & PINEFS_ACCESS_OPENED)
			*granted |= owners_bits(call, o) & bits;
		/* What may be executed must be read to be. */
		if (bits & ~*granted & PINEFS_ACCESS_READ &&
		    asked & PINEFS_ACCESS_OPENED && !S_ISDIR(o->type) &&
		    kernel_says(atomic_load(&o->fd[DIR_PATH]), X_OK))
			*granted |= PINEFS_ACCESS_READ;
	}
	dir_put(dir_of(node), o);
	return err == EPERM ? EACCES : err;
}

/* ---------------------------------------------------------------- changing -- */

static int
set_size(struct dir_object *o, uint64_t size)
{
	int fd = dir_fd(o, DIR_WRITE);

	return fd == -1 || ftruncate(fd, (off_t)size) == -1 ? errno : 0;
}

/* What is not said stays. */
static int
set_owner(struct dir_object *o, const struct pinefs_attr *a)
{
	uid_t uid = a->have & PINEFS_UID ? a->uid : (uid_t)-1;
	gid_t gid = a->have & PINEFS_GID ? a->gid : (gid_t)-1;

	return fchownat(atomic_load(&o->fd[DIR_PATH]), "", uid, gid,
	    AT_EMPTY_PATH) == -1 ? errno : 0;
}

static int
set_mode(struct dir_object *o, uint32_t mode)
{
	struct dir_proc proc = dir_proc_of(atomic_load(&o->fd[DIR_PATH]));

	return chmod(proc.path, mode & MODE_BITS) == -1 ? errno : 0;
}

static struct timespec
time_to_set(const struct pinefs_set *set, uint64_t bit, struct timespec to)
{
	if (set->now & bit)
		to.tv_nsec = UTIME_NOW;
	else if (!(set->attr.have & bit))
		to.tv_nsec = UTIME_OMIT;
	return to;
}

static int
set_times(struct dir_object *o, const struct pinefs_set *set)
{
	struct timespec t[2] = {
	    time_to_set(set, PINEFS_ATIME, set->attr.atime),
	    time_to_set(set, PINEFS_MTIME, set->attr.mtime) };
	const uint64_t both = PINEFS_ATIME | PINEFS_MTIME;
	int fd = atomic_load(&o->fd[DIR_PATH]);

	if (utimensat(fd, "", t, AT_EMPTY_PATH) == 0)
		return 0;
	/* Who may write may set them to now, both: utimensat(2). */
	if (errno != EPERM || ((set->attr.have & ~set->now) & both) != 0)
		return errno;
	t[0].tv_nsec = t[1].tv_nsec = UTIME_NOW;
	return utimensat(fd, "", t, AT_EMPTY_PATH) == -1 ? errno : 0;
}

/* Those that were done before one fails stay done, as with any client. */
static int
apply(struct dir_object *o, const struct pinefs_set *set)
{
	const struct pinefs_attr *a = &set->attr;
	uint64_t all = a->have | set->now;
	int err = 0;

	if (a->have & PINEFS_SIZE)
		err = set_size(o, a->size);
	if (err == 0 && a->have & (PINEFS_UID | PINEFS_GID))
		err = set_owner(o, a);
	/* After the owner, which takes setuid and setgid bits away. */
	if (err == 0 && a->have & PINEFS_MODE)
		err = set_mode(o, a->mode);
	if (err == 0 && all & (PINEFS_ATIME | PINEFS_MTIME))
		err = set_times(o, set);
	/* No call of the kernel's sets when it was made. */
	if (err == 0 && all & PINEFS_BTIME)
		err = ENOTSUP;
	return err;
}

static int
check_ctime(struct dir_object *o, const struct timespec *want)
{
	struct statx st;
	int err = stat_of(o, &st);

	if (err == 0 && (st.stx_ctime.tv_sec != want->tv_sec ||
	    st.stx_ctime.tv_nsec != (uint32_t)want->tv_nsec))
		err = ECANCELED;
	return err;
}

int
dir_apply(struct pinefs_call *call, struct dir_object *o,
    const struct pinefs_set *set)
{
	int err;

	/* Opened as the server, before it acts as the caller. */
	if (set->attr.have & PINEFS_SIZE && dir_fd(o, DIR_WRITE) == -1)
		return errno;
	if ((err = dir_who_become(pinefs_call_cred(call))) != 0)
		return err;
	err = apply(o, set);
	dir_changed(o);
	return err;
}

int
dir_setattr(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_set *set, struct pinefs_change *chg)
{
	struct dir_fs *d = dir_of(node);
	struct dir_object *o;
	int err;

	(void)chg;		/* others change it, too: nothing is atomic */
	if ((err = dir_get(node, &o)) != 0)
		return err;
	if (set->if_ctime != NULL)
		err = check_ctime(o, set->if_ctime);
	if (err == 0 && (err = dir_apply(call, o, set)) == 0)
		err = dir_sync(d, o);
	dir_put(d, o);
	return err;
}

int
dir_statfs(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_statfs *st)
{
	struct statvfs v;

	(void)call;
	if (fstatvfs(dir_of(node)->root, &v) == -1)
		return errno;
	st->bytes = (uint64_t)v.f_blocks * v.f_frsize;
	st->bytes_free = (uint64_t)v.f_bfree * v.f_frsize;
	st->bytes_avail = (uint64_t)v.f_bavail * v.f_frsize;
	st->files = v.f_files;
	st->files_free = v.f_ffree;
	st->files_avail = v.f_favail;
	st->name_max = (uint32_t)(v.f_namemax < 255 ? v.f_namemax : 255);
	return 0;
}
