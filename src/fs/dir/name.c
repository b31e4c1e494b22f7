/*
 * Names.  Whatever is done with one is done as the caller, so the kernel
 * checks the right to.
 */
#include "dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "place.h"

enum { TARGET_MAX = 4096, MODE_NEW = 0600 };

int
dir_name_of(struct dir_name *to, struct pinefs_name name)
{
	if (name.len >= sizeof to->text)
		return ENAMETOOLONG;
	memcpy(to->text, name.base, name.len);
	to->text[name.len] = '\0';
	return 0;
}

static int
path_fd(struct dir_object *o)
{
	return atomic_load(&o->fd[DIR_PATH]);
}

/* ---------------------------------------------------------------- look up -- */

/* What `fd`, opened as a path by that name, is; takes it over. */
static int
enter(struct dir_fs *d, struct dir_object *dir, const char *name, int fd,
    struct dir_object **to)
{
	struct dir_key key;
	struct dir_dev dev;
	struct statx st;
	int err = 0;

	if (statx(fd, "", AT_EMPTY_PATH, DIR_STATX, &st) == -1) {
		err = errno;
		close(fd);
		return err;
	}
	dev = dir_dev_of(&st);
	if (!dir_dev_equal(&dev, &d->dev)) {
		close(fd);
		return EACCES;		/* mounted there: not ours to show */
	}
	dir_key_make(&key, fd, "", &st);
	if ((err = dir_places_note(d, &key, &dir->key, name)) != 0) {
		close(fd);
		return err;
	}
	if ((*to = dir_enter(d, &key, fd, st.stx_mode)) == NULL)
		return ENOMEM;
	dir_seen(*to);
	return 0;
}

/*
 * The object of that name, used.  What is open already need not be opened to
 * be known: nothing else can have its number.
 */
static int
find(struct dir_fs *d, struct dir_object *dir, const char *name,
    struct dir_object **to)
{
	struct dir_dev dev;
	struct statx st;
	int fd, err;

	if (statx(path_fd(dir), name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
	    DIR_STATX, &st) == -1)
		return errno;
	dev = dir_dev_of(&st);
	if (dir_dev_equal(&dev, &d->dev) &&
	    (*to = dir_find(d, st.stx_ino)) != NULL) {
		err = dir_places_note(d, &(*to)->key, &dir->key, name);
		if (err != 0) {
			dir_put(d, *to);
			*to = NULL;
		}
		return err;
	}
	fd = openat(path_fd(dir), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd == -1 ? errno : enter(d, dir, name, fd, to);
}

int
dir_lookup(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_ident *id)
{
	struct dir_fs *d = dir_of(node);
	struct dir_object *dir, *o = NULL;
	struct dir_name text;
	int err;

	if ((err = dir_name_of(&text, name)) != 0 ||
	    (err = dir_get(node, &dir)) != 0)
		return err;
	if ((err = dir_who_become(pinefs_call_cred(call))) == 0 &&
	    (err = find(d, dir, text.text, &o)) == 0)
		err = dir_key_ident(&o->key, call, id);
	if (o != NULL)
		dir_put(d, o);
	dir_put(d, dir);
	return err;
}

int
dir_resolve(struct pinefs_call *call, struct pinefs_node *node)
{
	struct dir_object *o;
	int err = dir_get(node, &o);

	(void)call;
	if (err == 0)
		dir_put(dir_of(node), o);
	return err;
}

/* Nothing above the root, nor where somebody has moved the directory to. */
static int
find_parent(struct dir_fs *d, struct dir_object *o, struct dir_key *key)
{
	struct statx st;
	int fd, err = 0;

	dir_who_server();
	fd = openat(path_fd(o), "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return errno;
	if (statx(fd, "", AT_EMPTY_PATH, DIR_STATX, &st) == -1)
		err = errno;
	else if (!dir_is_below(d, fd))
		err = ESTALE;
	else if (st.stx_ino == d->root_ino)
		*key = (struct dir_key){ .fileid = d->root_ino,
		    .generation = 1 };
	else
		dir_key_make(key, fd, "", &st);
	close(fd);
	return err;
}

int
dir_parent(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_ident *id)
{
	struct dir_fs *d = dir_of(node);
	struct dir_object *o;
	struct dir_key key;
	int err;

	if ((err = dir_get(node, &o)) != 0)
		return err;
	if (o->key.fileid == d->root_ino)
		key = o->key;
	else
		err = find_parent(d, o, &key);
	dir_put(d, o);
	return err != 0 ? err : dir_key_ident(&key, call, id);
}

/* ------------------------------------------------------------------- make -- */

/* A half of a verifier as a time that every file system can keep. */
static time_t
seconds_of(const uint8_t verf[8], unsigned half)
{
	uint32_t w[2];

	memcpy(w, verf, sizeof w);
	return (time_t)(w[half] & INT32_MAX);
}

bool
dir_verf_is_in_times(const uint8_t verf[8], const struct statx *st)
{
	return st->stx_mtime.tv_sec == seconds_of(verf, 0) &&
	    st->stx_atime.tv_sec == seconds_of(verf, 1);
}

/* Its caller made it with this verifier: the call came twice. */
static bool
made_with(struct pinefs_call *call, struct dir_fs *d, struct dir_object *o,
    const struct pinefs_create *how)
{
	uint8_t verf[sizeof how->verf];
	struct statx st;

	/* Times can be read, so they prove nothing of anybody else's file. */
	if (statx(path_fd(o), "", AT_EMPTY_PATH, DIR_STATX, &st) == -1 ||
	    !S_ISREG(st.stx_mode) ||
	    st.stx_uid != pinefs_call_cred(call)->uid)
		return false;
	if (dir_verf(d, o, verf))
		return memcmp(verf, how->verf, sizeof verf) == 0;
	return st.stx_size == 0 && dir_verf_is_in_times(how->verf, &st);
}

/*
 * Kept with the object, and, over a restart, in the times of the file: a
 * client of version 3 puts others there soon (RFC 1813 3.3.8), and for one of
 * version 4 dir_open does.
 */
static void
keep_verf(struct dir_fs *d, struct dir_object *o,
    const struct pinefs_create *how)
{
	struct timespec t[2] = { { .tv_sec = seconds_of(how->verf, 1) },
	    { .tv_sec = seconds_of(how->verf, 0) } };

	dir_keep_verf(d, o, how->verf);
	utimensat(path_fd(o), "", t, AT_EMPTY_PATH);
}

/* errno; EEXIST.  *fd: a regular file is open to read and write. */
static int
make(struct dir_object *dir, const char *name,
    const struct pinefs_create *how, int *fd)
{
	uint32_t mode = how->set.attr.have & PINEFS_MODE ?
	    how->set.attr.mode : MODE_NEW;
	char target[TARGET_MAX + 1];
	int at = path_fd(dir), done;

	switch (how->type) {
	case PINEFS_REG:
		*fd = openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
		    O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, mode & 0777);
		return *fd == -1 ? errno : 0;
	case PINEFS_DIR:
		done = mkdirat(at, name, mode & 01777);
		break;
	case PINEFS_LNK:
		if (how->target.len > TARGET_MAX)
			return ENAMETOOLONG;
		memcpy(target, how->target.base, how->target.len);
		target[how->target.len] = '\0';
		done = symlinkat(target, at, name);
		break;
	default:
		done = mknodat(at, name, (mode & 0777) |
		    (how->type == PINEFS_BLK ? S_IFBLK :
		    how->type == PINEFS_CHR ? S_IFCHR :
		    how->type == PINEFS_FIFO ? S_IFIFO : S_IFSOCK),
		    makedev(how->set.attr.rdev_major,
		    how->set.attr.rdev_minor));
	}
	return done == -1 ? errno : 0;
}

/*
 * Is it there as it was made?  Making sets permissions alone; and the kernel
 * hands a directory's setgid bit down, which its maker could not set itself.
 */
static bool
has_mode(struct dir_object *o, const struct pinefs_create *how)
{
	uint32_t more = how->set.attr.mode & 07000;
	struct statx st;

	if (how->type == PINEFS_LNK || more == 0)
		return true;
	return statx(path_fd(o), "", AT_EMPTY_PATH, STATX_MODE, &st) == 0 &&
	    (st.stx_mode & 07000) == more;
}

/*
 * What making it did not do already.  The owner is who made it, unless root
 * asks for another; the group is as the kernel gives it.
 */
static int
dress(struct pinefs_call *call, struct dir_object *o,
    const struct pinefs_create *how)
{
	const struct pinefs_cred *cred = pinefs_call_cred(call);
	struct pinefs_set set = how->set;

	if (cred->uid != 0 || !dir_who_is_real())
		set.attr.have &= ~(uint64_t)(PINEFS_UID | PINEFS_GID);
	if (has_mode(o, how))
		set.attr.have &= ~(uint64_t)PINEFS_MODE;
	if (how->type != PINEFS_REG || set.attr.size == 0)
		set.attr.have &= ~(uint64_t)PINEFS_SIZE;
	set.attr.have &= ~(uint64_t)PINEFS_BTIME;
	if (set.attr.have == 0 && set.now == 0)
		return 0;
	return dir_apply(call, o, &set);
}

/*
 * Both ways are open from now on, whatever the mode says.  Not for writing
 * more often than need be: what is cannot be executed.
 */
static void
open_new(struct dir_object *o, int fd)
{
	int in;

	/* Root opens it when it is asked for. */
	if (!dir_who_is_real()) {
		in = open(dir_proc_of(fd).path, O_RDONLY | O_CLOEXEC);
		if (in == -1)
			in = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		dir_give_fd(o, DIR_READ, in);
	}
	dir_give_fd(o, DIR_WRITE, fd);
}

/* The object that was just made, used. */
static int
take_new(struct dir_fs *d, struct dir_object *dir, const char *name, int fd,
    struct dir_object **to)
{
	int path, err;

	if (fd == -1)
		return find(d, dir, name, to);
	path = open(dir_proc_of(fd).path, O_PATH | O_CLOEXEC);
	err = path == -1 ? errno : enter(d, dir, name, path, to);
	if (err != 0) {
		close(fd);
		return err;
	}
	open_new(*to, fd);
	return 0;
}

/* *made->existed, or it is new. */
static int
make_or_find(struct pinefs_call *call, struct dir_fs *d,
    struct dir_object *dir, const char *name,
    const struct pinefs_create *how, struct pinefs_made *made,
    struct dir_object **to)
{
	int fd = -1, err = make(dir, name, how, &fd);

	if (err == 0) {
		dir_changed(dir);
		if ((err = take_new(d, dir, name, fd, to)) == 0) {
			if (how->exclusive == PINEFS_EXCLUSIVE)
				keep_verf(d, *to, how);
			if ((err = dress(call, *to, how)) == 0)
				return dir_sync(d, dir);
		}
		/* Half made is not made. */
		dir_who_become(pinefs_call_cred(call));
		unlinkat(path_fd(dir), name, how->type == PINEFS_DIR ?
		    AT_REMOVEDIR : 0);
		return err;
	}
	if (err != EEXIST || how->exclusive == PINEFS_GUARDED)
		return err;
	if ((err = find(d, dir, name, to)) != 0)
		return err == ENOENT ? EAGAIN : err;	/* it went again */
	if (how->exclusive == PINEFS_EXCLUSIVE && !made_with(call, d, *to, how))
		return EEXIST;
	made->existed = true;
	return 0;
}

static int
tell_made(struct pinefs_call *call, struct dir_object *o,
    struct pinefs_made *made)
{
	unsigned mods = atomic_load(&o->mods);
	struct statx st;

	if (statx(path_fd(o), "", AT_EMPTY_PATH, DIR_STATX, &st) == -1)
		return errno;
	dir_attr_of(o, &st, mods, &made->attr);
	return dir_key_ident(&o->key, call, &made->id);
}

int
dir_create(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_made *made)
{
	struct dir_fs *d = dir_of(node);
	struct dir_object *dir, *o = NULL;
	struct dir_name text;
	int err;

	if ((err = dir_name_of(&text, name)) != 0 ||
	    (err = dir_get(node, &dir)) != 0)
		return err;
	if ((err = dir_who_become(pinefs_call_cred(call))) == 0 &&
	    (err = make_or_find(call, d, dir, text.text, how, made,
	    &o)) == 0)
		err = tell_made(call, o, made);
	if (o != NULL)
		dir_put(d, o);
	dir_put(d, dir);
	return err;
}

int
dir_link(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *to, struct pinefs_name name,
    struct pinefs_change *chg)
{
	struct dir_fs *d = dir_of(node);
	struct dir_object *dir, *o;
	struct dir_name text;
	struct dir_proc proc;
	int err;

	(void)chg;
	if ((err = dir_name_of(&text, name)) != 0 ||
	    (err = dir_get(node, &o)) != 0)
		return err;
	if ((err = dir_get(to, &dir)) == 0) {
		err = dir_who_become(pinefs_call_cred(call));
		proc = dir_proc_of(path_fd(o));
		if (err == 0 && linkat(AT_FDCWD, proc.path, path_fd(dir),
		    text.text, AT_SYMLINK_FOLLOW) == -1)
			err = errno;
		dir_changed(o);
		dir_changed(dir);
		if (err == 0)
			err = dir_places_note(d, &o->key, &dir->key,
			    text.text);
		if (err == 0)
			err = dir_sync(d, dir);
		dir_put(d, dir);
	}
	dir_put(d, o);
	return err;
}

/* ----------------------------------------------------- remove and rename -- */

static int
remove_name(int at, const char *name, int kind)
{
	if (kind != PINEFS_REMOVE_DIR && unlinkat(at, name, 0) == 0)
		return 0;
	if (kind == PINEFS_REMOVE_FILE || (kind == PINEFS_REMOVE_ANY &&
	    errno != EISDIR))
		return errno;
	return unlinkat(at, name, AT_REMOVEDIR) == -1 ? errno : 0;
}

/* What lost its name is not to be held open for nothing. */
static void
let_go(struct dir_fs *d, uint64_t fileid)
{
	struct dir_object *o = dir_find(d, fileid);
	struct statx st;

	if (o == NULL)
		return;
	dir_changed(o);
	if (statx(path_fd(o), "", AT_EMPTY_PATH, STATX_NLINK, &st) == 0 &&
	    (st.stx_nlink == 0 || S_ISDIR(o->type))) {
		dir_let_go(d, o);
		dir_places_forget(d, &o->key);
	}
	dir_put(d, o);
}

/* Its number, or 0: it is none of those that are open. */
static uint64_t
number_of(struct dir_object *dir, const char *name)
{
	struct statx st;

	return statx(path_fd(dir), name, AT_SYMLINK_NOFOLLOW |
	    AT_NO_AUTOMOUNT, STATX_INO, &st) == -1 ? 0 : st.stx_ino;
}

int
dir_remove(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, int kind, struct pinefs_change *chg)
{
	struct dir_fs *d = dir_of(node);
	struct dir_object *dir;
	struct dir_name text;
	uint64_t fileid;
	int err;

	(void)chg;
	if ((err = dir_name_of(&text, name)) != 0 ||
	    (err = dir_get(node, &dir)) != 0)
		return err;
	if ((err = dir_who_become(pinefs_call_cred(call))) == 0) {
		fileid = number_of(dir, text.text);
		err = remove_name(path_fd(dir), text.text, kind);
		dir_changed(dir);
		if (err == 0) {
			let_go(d, fileid);
			err = dir_sync(d, dir);
		}
	}
	dir_put(d, dir);
	return err;
}

/* The kernel's order of checks is that of rename(2). */
static int
rename_names(struct dir_fs *d, struct dir_object *from, const char *old_name,
    struct dir_object *to, const char *new_name)
{
	uint64_t replaced = number_of(to, new_name);
	struct dir_object *o;
	int err;

	if (renameat(path_fd(from), old_name, path_fd(to), new_name) == -1)
		return errno;
	dir_changed(from);
	dir_changed(to);
	if (replaced != 0)
		let_go(d, replaced);
	/* Where it is now: it changed, and has to be found again there. */
	if (find(d, to, new_name, &o) == 0) {
		dir_changed(o);
		atomic_store(&o->checked, 0);
		dir_put(d, o);
	}
	if ((err = dir_sync(d, from)) == 0 && to != from)
		err = dir_sync(d, to);
	return err;
}

int
dir_rename(struct pinefs_call *call, struct pinefs_rename *r)
{
	struct dir_fs *d = dir_of(r->from);
	struct dir_name old_name, new_name;
	struct dir_object *from, *to;
	int err;

	if ((err = dir_name_of(&old_name, r->old_name)) != 0 ||
	    (err = dir_name_of(&new_name, r->new_name)) != 0 ||
	    (err = dir_get(r->from, &from)) != 0)
		return err;
	if ((err = dir_get(r->to, &to)) == 0) {
		err = dir_who_become(pinefs_call_cred(call));
		if (err == 0)
			err = rename_names(d, from, old_name.text, to,
			    new_name.text);
		dir_put(d, to);
	}
	dir_put(d, from);
	return err;
}

int
dir_readlink(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_out *out)
{
	struct dir_object *o;
	char text[TARGET_MAX + 1];
	ssize_t n;
	int err;

	(void)call;
	if ((err = dir_get(node, &o)) != 0)
		return err;
	n = readlinkat(path_fd(o), "", text, sizeof text);
	err = n == -1 ? errno : pinefs_out_copy(out, text, (size_t)n);
	dir_put(dir_of(node), o);
	return err;
}
