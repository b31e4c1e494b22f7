/*
 * Bytes from clients and to them.
 *
 * What is handed out is copied at most once, and only what somebody cannot
 * lend: small copies go into the call's arena, large ones into counted
 * buffers, which then leave by reference like everything borrowed.
 */
#include "vfs/io.h"

#include "vfs/map.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	BIG = 8192,		/* beyond it a buffer of its own */
	PIECES_MAX = 4096	/* of one answer */
};

/* ------------------------------------------------------------ received -- */

void
in_init(struct pinefs_in *in, const struct xdr_view *data,
    struct pinefs_buf *buf)
{
	in->iov[0].iov_base = (void *)(uintptr_t)data->data;
	in->iov[0].iov_len = data->len;
	in->n = 1;
	in->buf = buf;
}

const struct iovec *
pinefs_in_iov(const struct pinefs_in *in, unsigned *n)
{
	*n = in->n;
	return in->iov;
}

uint32_t
pinefs_in_copy(const struct pinefs_in *in, void *to)
{
	uint32_t done = 0;
	unsigned i;

	for (i = 0; i < in->n; i++) {
		memcpy((char *)to + done, in->iov[i].iov_base,
		    in->iov[i].iov_len);
		done += (uint32_t)in->iov[i].iov_len;
	}
	return done;
}

void *
pinefs_in_keep(struct pinefs_in *in, unsigned seg)
{
	if (seg >= in->n || in->buf == NULL)
		return NULL;
	pinefs_buf_get(in->buf);
	return in->buf;
}

/* ---------------------------------------------------------- handed out -- */

void
out_init(struct pinefs_out *out, struct pinefs_call *call)
{
	out->call = call;
	out->piece = out->first;
	out->cap = OUT_FIRST;
}

/* Room for another piece, or NULL. */
static struct xdr_piece *
next_piece(struct pinefs_out *out)
{
	struct xdr_piece *more;

	if (out->n < out->cap)
		return &out->piece[out->n];
	if (out->cap >= PIECES_MAX ||
	    (more = xdr_arena_alloc(out->call->arena,
	    out->cap * 4 * sizeof *more)) == NULL)
		return NULL;
	memcpy(more, out->piece, out->n * sizeof *more);
	out->piece = more;
	out->cap *= 4;
	return &out->piece[out->n];
}

/* What it cannot take is released. */
static int
append(struct pinefs_out *out, const struct xdr_piece *piece)
{
	struct xdr_piece *p = NULL;
	int err = 0;

	if (piece->len > UINT32_MAX - out->len)
		err = EINVAL;
	else if (piece->len > 0 && (p = next_piece(out)) == NULL)
		err = ENOMEM;
	if (p == NULL) {
		if (piece->release != NULL)
			piece->release(piece->owner);
		return err;
	}
	*p = *piece;
	out->n++;
	out->len += piece->len;
	return 0;
}

int
pinefs_out_borrow(struct pinefs_out *out, const void *base, size_t len,
    pinefs_release_fn *release, void *owner)
{
	struct xdr_piece p = { base, len, release, owner, NULL };

	return append(out, &p);
}

void *
pinefs_out_space(struct pinefs_out *out, size_t len)
{
	struct pinefs_buf *buf;
	void *to;

	if (len > BIG) {
		if ((buf = buf_new(len)) == NULL)
			return NULL;
		to = buf->base;
		return pinefs_out_borrow(out, to, len, pinefs_buf_put, buf) ==
		    0 ? to : NULL;
	}
	if ((to = xdr_arena_alloc(out->call->arena, len)) == NULL ||
	    pinefs_out_borrow(out, to, len, NULL, NULL) != 0)
		return NULL;
	return to;
}

int
pinefs_out_copy(struct pinefs_out *out, const void *base, size_t len)
{
	void *to;

	if (len == 0)
		return 0;
	if ((to = pinefs_out_space(out, len)) == NULL)
		return ENOMEM;
	memcpy(to, base, len);
	return 0;
}

int
pinefs_out_slice(struct pinefs_out *out, const void *base, size_t size,
    uint64_t off, uint32_t count)
{
	size_t n;

	if (off >= size) {
		out->eof = true;
		return 0;
	}
	n = size - (size_t)off;
	if (n <= count)
		out->eof = true;
	else
		n = count;
	return pinefs_out_copy(out, (const char *)base + off, n);
}

/* Take the last `len` bytes back: the space was not filled. */
static void
shorten(struct pinefs_out *out, size_t len)
{
	out_clip(out, out->len - len);
}

int
pinefs_out_fd(struct pinefs_out *out, int fd, uint64_t off, size_t len,
    pinefs_release_fn *release, void *owner)
{
	size_t done = 0;
	ssize_t n = 0;
	char *to;
	int err = 0;

	/*
	 * Read here and now: whoever has a file declared `read` as blocking,
	 * so this is a thread that may wait.  sendfile(2) would cost a system
	 * call per reply and lose the batch (PERFORMANCE 2).
	 */
	if (len > 0) {
		if ((to = pinefs_out_space(out, len)) == NULL) {
			err = ENOMEM;
			goto out;
		}
		while (done < len) {
			n = pread(fd, to + done, len - done,
			    (off_t)(off + done));
			if (n == -1 && errno == EINTR)
				continue;
			if (n <= 0)
				break;
			done += (size_t)n;
		}
		if (n == -1 && done == 0)
			err = errno;
		shorten(out, len - done);
	}
out:
	if (release != NULL)
		release(owner);
	return err;
}

int
pinefs_out_map(struct pinefs_out *out, struct pinefs_map *map, uint64_t off,
    size_t len)
{
	struct xdr_piece p = { .len = len, .release = map_take_back,
	    .owner = map, .copy = map_copy };
	uint64_t before = out->len;
	int err;

	if (out->call->may_lend && (p.base = map_lend(map, off, len)) != NULL)
		return append(out, &p);
	err = pinefs_out_fd(out, map_fd(map), off, len, NULL, NULL);
	if (err == 0 && out->len - before == len)
		map_was_read(map, off, len, out->eof);
	return err;
}

void
pinefs_out_eof(struct pinefs_out *out)
{
	out->eof = true;
}

void
out_clip(struct pinefs_out *out, uint64_t max)
{
	struct xdr_piece *p;

	while (out->len > max) {
		p = &out->piece[out->n - 1];
		if (out->len - max < p->len) {
			p->len -= (size_t)(out->len - max);
			out->len = max;
			return;
		}
		out->len -= p->len;
		out->n--;
		if (p->release != NULL)
			p->release(p->owner);
	}
}

void
out_view(struct pinefs_out *out, struct xdr_view *view)
{
	view->len = (uint32_t)out->len;
	view->npieces = out->n;
	view->data = out->piece;
	if (out->n == 1 && out->piece[0].release == NULL) {
		view->npieces = 0;
		view->data = out->piece[0].base;
	} else if (out->n == 0) {
		view->data = NULL;
	}
}

void
out_drop(struct pinefs_out *out)
{
	struct xdr_piece *p;
	uint32_t i;

	for (i = 0; i < out->n; i++) {
		p = &out->piece[i];
		if (p->release != NULL)
			p->release(p->owner);
		p->release = NULL;
	}
}
