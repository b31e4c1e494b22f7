/* Bytes. */
#include "dir.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { IOV_MOST = 64, COPY_MOST = 64 << 20,
    LARGE = 32 << 10 /* bytes of a read: less is not lent */ };

/*
 * The object with a descriptor of it for that, the thread as the caller.
 * EWOULDBLOCK: somebody has a lease on it.
 */
static int
begin(struct pinefs_call *call, struct pinefs_node *node, enum dir_way way,
    struct dir_object **o, int *fd)
{
	int err = dir_get(node, o);

	if (err != 0)
		return err;
	if ((*fd = dir_fd(*o, way)) == -1)
		err = errno;
	else
		err = dir_who_become(pinefs_call_cred(call));
	if (err != 0)
		dir_put(dir_of(node), *o);
	return err == ETXTBSY ? EACCES : err;
}

/* Version 4 does not set the times after an exclusive create. */
static void
end_verifier(struct dir_fs *d, struct dir_object *o)
{
	int fd = atomic_load(&o->fd[DIR_PATH]);
	uint8_t verf[8];
	struct statx st;

	if (!dir_verf(d, o, verf) || statx(fd, "", AT_EMPTY_PATH, DIR_STATX,
	    &st) == -1 || !dir_verf_is_in_times(verf, &st))
		return;
	dir_who_server();
	utimensat(fd, "", NULL, AT_EMPTY_PATH);
	dir_changed(o);
}

int
dir_open(struct pinefs_call *call, struct pinefs_node *node, uint32_t access)
{
	struct dir_object *o;
	int err = dir_get(node, &o);

	(void)call;
	if (err != 0)
		return err;
	dir_pin(dir_of(node), o);
	end_verifier(dir_of(node), o);
	/* Now, while the mode lets us: a later chmod is not to matter.  What
	 * fails is said by whoever reads or writes. */
	if (access & PINEFS_ACCESS_READ)
		dir_fd(o, DIR_READ);
	if (access & PINEFS_ACCESS_MODIFY)
		dir_fd(o, DIR_WRITE);
	dir_put(dir_of(node), o);
	return 0;
}

void
dir_close(struct pinefs_node *node)
{
	dir_unpin(node);
}

void
dir_written(struct pinefs_node *node)
{
	dir_stop_writing(node);
}

static int
read_in(struct dir_object *o, int fd, uint64_t size, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	struct pinefs_map *map;

	if (count >= LARGE && (map = dir_map(o, fd, size)) != NULL)
		return pinefs_out_map(out, map, off, count);
	return pinefs_out_fd(out, fd, off, count, NULL, NULL);
}

int
dir_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	struct dir_object *o;
	struct statx st;
	uint64_t size;
	int fd, err;

	if ((err = begin(call, node, DIR_READ, &o, &fd)) != 0)
		return err;
	/* As much room as there are bytes, not as many as were asked for. */
	if (statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &st) == -1) {
		err = errno;
	} else {
		size = off >= st.stx_size ? 0 : st.stx_size - off;
		if (count >= size) {
			count = (uint32_t)size;
			pinefs_out_eof(out);
		}
		err = read_in(o, fd, st.stx_size, off, count, out);
	}
	dir_put(dir_of(node), o);
	return err;
}

/* How many bytes were written, or -1 with errno. */
static ssize_t
write_in(int fd, const struct pinefs_write *w)
{
	const struct iovec *iov;
	unsigned n;
	int flags = w->stable == PINEFS_FILE_SYNC ? RWF_SYNC :
	    w->stable == PINEFS_DATA_SYNC ? RWF_DSYNC : 0;
	ssize_t done;

	iov = pinefs_in_iov(w->in, &n);
	do
		done = pwritev2(fd, iov, (int)(n > IOV_MOST ? IOV_MOST : n),
		    (off_t)w->off, flags);
	while (done == -1 && errno == EINTR);
	return done;
}

int
dir_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	struct dir_object *o;
	ssize_t done;
	int fd, err;

	if ((err = begin(call, node, DIR_WRITE, &o, &fd)) != 0)
		return err;
	/* Before it is: a commit that goes on meanwhile may miss it. */
	if (w->stable == PINEFS_UNSTABLE)
		atomic_store(&o->dirty, true);
	done = write_in(fd, w);
	dir_changed(o);
	if (done == -1) {
		err = errno;
		if (err == EIO)
			pinefs_data_lost(dir_of(node)->fs);
	} else {
		w->written = (uint32_t)done;
		w->committed = w->stable;
	}
	dir_put(dir_of(node), o);
	return err;
}

/*
 * What could not be written to the disk is said once (fsync(2)), whoever asks
 * first: then all clients must write again what they have not seen committed.
 */
static int
sync_fd(struct dir_fs *d, struct dir_object *o, int fd)
{
	atomic_store(&o->dirty, false);
	if (fsync(fd) == 0)
		return 0;
	if (errno == EINVAL || errno == EROFS)
		return 0;		/* nothing that could be lost */
	pinefs_data_lost(d->fs);
	return errno;
}

int
dir_commit(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint64_t len)
{
	struct dir_object *o;
	int fd, err = dir_get(node, &o);

	(void)call, (void)off, (void)len;
	if (err != 0)
		return err;
	if ((fd = atomic_load(&o->fd[DIR_WRITE])) == -1 &&
	    (fd = dir_fd(o, DIR_READ)) == -1)
		fd = dir_fd(o, DIR_WRITE);
	err = fd == -1 ? errno : sync_fd(dir_of(node), o, fd);
	dir_put(dir_of(node), o);
	return err;
}

int
dir_sync(struct dir_fs *d, struct dir_object *o)
{
	int fd;

	if (atomic_load(&d->async))
		return 0;
	/* What nobody can open for reading has no contents to be lost. */
	if ((fd = atomic_load(&o->fd[DIR_WRITE])) == -1 &&
	    (fd = dir_fd(o, DIR_READ)) == -1)
		return 0;
	return sync_fd(d, o, fd);
}

void
dir_close_written(struct dir_fs *d, struct dir_object *o, int fd)
{
	if (atomic_load(&o->dirty))
		sync_fd(d, o, fd);
	close(fd);
}

int
dir_seek(struct pinefs_call *call, struct pinefs_node *node, int what,
    uint64_t off, uint64_t *found)
{
	struct dir_object *o;
	off_t at;
	int fd, err;

	if ((err = begin(call, node, DIR_READ, &o, &fd)) != 0)
		return err;
	/* Nobody uses the descriptor's own place. */
	at = lseek(fd, (off_t)off, what == PINEFS_SEEK_DATA ? SEEK_DATA :
	    SEEK_HOLE);
	if (at == -1)
		err = errno;
	else
		*found = (uint64_t)at;
	dir_put(dir_of(node), o);
	return err;
}

int
dir_allocate(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint64_t len, int punch)
{
	struct dir_object *o;
	int fd, err;

	if ((err = begin(call, node, DIR_WRITE, &o, &fd)) != 0)
		return err;
	if (fallocate(fd, punch ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE :
	    0, (off_t)off, (off_t)len) == -1)
		err = errno;
	dir_changed(o);
	if (err == 0)
		err = dir_sync(dir_of(node), o);
	dir_put(dir_of(node), o);
	return err == EOPNOTSUPP ? ENOTSUP : err;
}

/* errno; 0: some of it. */
static int
copy(int in, int out, struct pinefs_range *r)
{
	off_t from = (off_t)r->from_off, to = (off_t)r->to_off;
	/* The client asks for the rest, and others want their turn. */
	size_t len = r->len > COPY_MOST ? COPY_MOST : (size_t)r->len;
	ssize_t n;

	do
		n = copy_file_range(in, &from, out, &to, len, 0);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return n == -1 && errno != EXDEV && errno != EINVAL &&
		    errno != EOPNOTSUPP && errno != ENOSYS ? errno : ENOTSUP;
	r->len = (uint64_t)n;
	return 0;
}

static int
share(int in, int out, const struct pinefs_range *r)
{
	struct file_clone_range range = { .src_fd = in,
	    .src_offset = r->from_off, .src_length = r->len,
	    .dest_offset = r->to_off };

	return ioctl(out, FICLONERANGE, &range) == -1 ? errno : 0;
}

int
dir_clone(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_node *to, struct pinefs_range *r)
{
	struct dir_object *from, *o;
	int in, out, err;

	if ((err = begin(call, node, DIR_READ, &from, &in)) != 0)
		return err;
	if ((err = begin(call, to, DIR_WRITE, &o, &out)) == 0) {
		/* What is copied is to be committed, as what is written. */
		if (r->may_copy)
			atomic_store(&o->dirty, true);
		err = r->may_copy ? copy(in, out, r) : share(in, out, r);
		dir_changed(o);
		if (err == 0 && !r->may_copy)
			err = dir_sync(dir_of(to), o);
		if (err == EIO)
			pinefs_data_lost(dir_of(to)->fs);
		dir_put(dir_of(to), o);
	}
	dir_put(dir_of(node), from);
	return err == ENOTTY ? ENOTSUP : err;
}
