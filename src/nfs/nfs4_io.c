/*
 * NFS version 4: bytes.  READ, WRITE, COMMIT; those of 4.2 that work on
 * ranges (RFC 7862 15); extended attributes (RFC 8276).
 */
#include "nfs/nfs4.h"

#include <errno.h>

#include "nfs/nfs4_attr.h"
#include "nfs/nfs4_ops.h"

/* ---------------------------------------------------------------- rights -- */

static nfsstat4
ask_state(struct nfs4_call *c, const stateid4 *id, uint32_t access,
    struct nfs4_io *io)
{
	if (!io->known) {
		io->status = nfs4_state_io(c, id, access, &io->opened);
		io->known = true;
	}
	return io->status;
}

nfsstat4
nfs4_may_do_io(struct nfs4_call *c, const stateid4 *id, uint32_t access)
{
	nfsstat4 st = ask_state(c, id, access, &c->io);

	if (st == NFS4_OK && c->io.opened)
		vfs_call_opened(&c->nfs.vfs);
	return st;
}

/* From the saved file to the current one, as COPY and CLONE go. */
static nfsstat4
may_do_both(struct nfs4_call *c, const stateid4 *from, const stateid4 *to)
{
	struct nfs4_fh current = c->current;
	nfsstat4 st;

	if (c->saved.export != c->current.export)
		return NFS4ERR_XDEV;
	c->current = c->saved;
	st = ask_state(c, from, OPEN4_SHARE_ACCESS_READ, &c->io_from);
	c->current = current;
	if (st != NFS4_OK)
		return st;
	st = ask_state(c, to, OPEN4_SHARE_ACCESS_WRITE, &c->io);
	if (st == NFS4_OK && c->io.opened && c->io_from.opened)
		vfs_call_opened(&c->nfs.vfs);
	return st;
}

static void
write_verifier(const struct nfs4_call *c, uint8_t *verf)
{
	vfs_write_verifier(c->current.export->fs, verf);
}

/* ---------------------------------------------------- READ WRITE COMMIT -- */

/* 8881 18.22. */
int
nfs4_op_read(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const READ4args *args = &arg->opread;
	READ4res *r = &res->opread;
	uint32_t count = args->count;
	struct vfs_data data;
	int err;

	r->status = nfs4_may_do_io(c, &args->stateid,
	    OPEN4_SHARE_ACCESS_READ);
	if (r->status != NFS4_OK)
		return 0;
	if (count > c->nfs.max_io)
		count = c->nfs.max_io;
	/* What comes after it must not be seen in it. */
	c->nfs.vfs.may_lend = c->index + 1 == c->nops;
	err = vfs_read(&c->nfs.vfs, c->current.node, args->offset, count,
	    &data);
	if (err == 0) {
		r->resok4.eof = data.eof;
		r->resok4.data = data.bytes;
		c->data = data.bytes.len;
	}
	return err;
}

/* The memory that a payload was received into, if it lies there. */
static struct pinefs_buf *
buf_of(const struct nfs4_call *c, struct xdr_view data)
{
	struct pinefs_buf *buf = rpc_call_bulk(c->nfs.rpc);
	const uint8_t *p = data.data;

	return buf != NULL && p >= buf->base && p < buf->base + buf->size ?
	    buf : NULL;
}

/* 8881 18.32. */
int
nfs4_op_write(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const WRITE4args *args = &arg->opwrite;
	WRITE4res *r = &res->opwrite;
	struct vfs_write w = { .off = args->offset, .data = args->data,
	    .buf = buf_of(c, args->data), .stable = (int)args->stable };
	int err;

	r->status = nfs4_may_do_io(c, &args->stateid,
	    OPEN4_SHARE_ACCESS_WRITE);
	if (r->status != NFS4_OK)
		return 0;
	if (w.data.len > c->nfs.max_io)
		w.data.len = c->nfs.max_io;	/* a short write */
	err = vfs_write(&c->nfs.vfs, c->current.node, &w);
	if (err == 0) {
		r->resok4.count = w.written;
		r->resok4.committed = (stable_how4)w.committed;
		write_verifier(c, r->resok4.writeverf);
	}
	return err;
}

/* 8881 18.3. */
int
nfs4_op_commit(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const COMMIT4args *args = &arg->opcommit;
	struct vfs_wcc wcc;
	int err;

	if (args->offset > UINT64_MAX - args->count)
		return EINVAL;
	err = vfs_commit(&c->nfs.vfs, c->current.node, args->offset,
	    args->count, &wcc);
	if (err == 0)
		write_verifier(c, res->opcommit.resok4.writeverf);
	return err;
}

/* ---------------------------------------------------------- 4.2: ranges -- */

/* 7862 15.1: all bytes of the range can be written later. */
int
nfs4_op_allocate(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const ALLOCATE4args *args = &arg->opallocate;
	struct vfs_wcc wcc;

	res->opallocate.ar_status = nfs4_may_do_io(c, &args->aa_stateid,
	    OPEN4_SHARE_ACCESS_WRITE);
	if (res->opallocate.ar_status != NFS4_OK)
		return 0;
	return vfs_allocate(&c->nfs.vfs, c->current.node, args->aa_offset,
	    args->aa_length, false, &wcc);
}

/* 7862 15.4: a hole. */
int
nfs4_op_deallocate(struct nfs4_call *c, const nfs_argop4 *arg,
    nfs_resop4 *res)
{
	const DEALLOCATE4args *args = &arg->opdeallocate;
	struct vfs_wcc wcc;

	res->opdeallocate.dr_status = nfs4_may_do_io(c, &args->da_stateid,
	    OPEN4_SHARE_ACCESS_WRITE);
	if (res->opdeallocate.dr_status != NFS4_OK)
		return 0;
	return vfs_allocate(&c->nfs.vfs, c->current.node, args->da_offset,
	    args->da_length, true, &wcc);
}

/*
 * 7862 15.11.  ENXIO from vfs: `off` is not before the end, or there is no
 * data from there on, which is no error here.
 */
static int
nothing_found(struct nfs4_call *c, uint64_t off, seek_res4 *ok)
{
	struct pinefs_attr a;
	int err = vfs_getattr(&c->nfs.vfs, c->current.node, &a);

	if (err == 0 && off >= a.size)
		err = ENXIO;
	if (err == 0) {
		ok->sr_eof = true;
		ok->sr_offset = a.size;
	}
	return err;
}

int
nfs4_op_seek(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const SEEK4args *args = &arg->opseek;
	SEEK4res *r = &res->opseek;
	struct pinefs_attr a;
	int what, err;

	switch (args->sa_what) {
	case NFS4_CONTENT_DATA:
		what = PINEFS_SEEK_DATA;
		break;
	case NFS4_CONTENT_HOLE:
		what = PINEFS_SEEK_HOLE;
		break;
	default:
		r->sa_status = NFS4ERR_UNION_NOTSUPP;
		return 0;
	}
	r->sa_status = nfs4_may_do_io(c, &args->sa_stateid,
	    OPEN4_SHARE_ACCESS_READ);
	if (r->sa_status != NFS4_OK)
		return 0;
	err = vfs_seek(&c->nfs.vfs, c->current.node, what, args->sa_offset,
	    &r->resok4.sr_offset);
	if (err == ENXIO)
		return nothing_found(c, args->sa_offset, &r->resok4);
	if (err == 0)
		err = vfs_getattr(&c->nfs.vfs, c->current.node, &a);
	if (err == 0)
		r->resok4.sr_eof = r->resok4.sr_offset >= a.size;
	return err;
}

/* 7862 15.13. */
int
nfs4_op_clone(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const CLONE4args *args = &arg->opclone;
	struct vfs_wcc wcc;

	res->opclone.cl_status = may_do_both(c, &args->cl_src_stateid,
	    &args->cl_dst_stateid);
	if (res->opclone.cl_status != NFS4_OK)
		return 0;
	return vfs_clone(&c->nfs.vfs, c->saved.node, args->cl_src_offset,
	    c->current.node, args->cl_dst_offset, args->cl_count, &wcc);
}

/* ---------------------------------------------------------------- COPY -- */

enum { CHUNK = 65536, MOST = 16 * CHUNK };	/* of one COPY by bytes */

/* What is to be copied, within the source. */
static int
copy_range(struct nfs4_call *c, const COPY4args *args, uint64_t *len)
{
	struct pinefs_attr a;
	int err = vfs_getattr(&c->nfs.vfs, c->saved.node, &a);

	if (err != 0)
		return err;
	if (args->ca_src_offset > a.size)
		return EINVAL;
	*len = a.size - args->ca_src_offset;
	if (args->ca_count > *len)
		return EINVAL;		/* 15.2.3 */
	if (args->ca_count != 0)
		*len = args->ca_count;
	if (c->saved.node == c->current.node &&
	    args->ca_src_offset < args->ca_dst_offset + *len &&
	    args->ca_dst_offset < args->ca_src_offset + *len)
		return EINVAL;		/* onto itself */
	return 0;
}

static int
gather(const struct xdr_view *v, uint8_t *to)
{
	const struct xdr_piece *p = v->data;
	int err = 0;

	if (v->npieces == 0)
		memcpy(to, v->data, v->len);
	for (uint32_t i = 0; i < v->npieces && err == 0; i++) {
		err = xdr_piece_copy(&p[i], 0, to, p[i].len);
		to += p[i].len;
	}
	return err;
}

/*
 * By reading and writing; a part of it where that is long, for the client
 * asks for the rest, and others want their turn.
 */
static int
copy_bytes(struct nfs4_call *c, const COPY4args *args, uint64_t len,
    write_response4 *wr)
{
	uint8_t *chunk = nfs_call_alloc(&c->nfs, CHUNK);
	struct vfs_write w = { 0 };
	struct vfs_data data;
	int err = 0;

	if (chunk == NULL)
		return ENOMEM;
	if (len > MOST)
		len = MOST;
	wr->wr_committed = FILE_SYNC4;
	while (err == 0 && wr->wr_count < len) {
		uint64_t left = len - wr->wr_count;

		err = vfs_read(&c->nfs.vfs, c->saved.node,
		    args->ca_src_offset + wr->wr_count,
		    left < CHUNK ? (uint32_t)left : CHUNK, &data);
		if (err != 0 || data.bytes.len == 0)
			break;
		if ((err = gather(&data.bytes, chunk)) != 0)
			break;
		w.off = args->ca_dst_offset + wr->wr_count;
		w.data = xdr_view(chunk, data.bytes.len);
		err = vfs_write(&c->nfs.vfs, c->current.node, &w);
		if (err != 0)
			break;
		wr->wr_count += w.written;
		if (w.committed < (int)wr->wr_committed)
			wr->wr_committed = (stable_how4)w.committed;
	}
	/* What was copied was copied. */
	return err == PINEFS_LATER || wr->wr_count == 0 ? err : 0;
}

/* 7862 15.2: within this server, and done when it is answered. */
int
nfs4_op_copy(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const COPY4args *args = &arg->opcopy;
	COPY4res *r = &res->opcopy;
	write_response4 *wr = &r->cr_resok4.cr_response;
	uint64_t len = 0, done;
	struct vfs_wcc wcc;
	int err;

	if (args->ca_source_server.n != 0) {
		r->cr_status = NFS4ERR_NOTSUPP;
		return 0;
	}
	r->cr_status = may_do_both(c, &args->ca_src_stateid,
	    &args->ca_dst_stateid);
	if (r->cr_status != NFS4_OK)
		return 0;
	if ((err = copy_range(c, args, &len)) != 0)
		return err;
	wr->wr_committed = FILE_SYNC4;
	if (len > 0) {
		done = len;
		err = vfs_copy(&c->nfs.vfs, c->saved.node,
		    args->ca_src_offset, c->current.node,
		    args->ca_dst_offset, &done, &wcc);
		if (err == 0) {
			wr->wr_count = done;
			wr->wr_committed = vfs_fs_ops(
			    c->current.export->fs)->commit == NULL ?
			    FILE_SYNC4 : UNSTABLE4;
		} else if (err == ENOTSUP || err == EINVAL) {
			err = copy_bytes(c, args, len, wr);
		}
	}
	if (err != 0)
		return err;
	write_verifier(c, wr->wr_writeverf);
	r->cr_resok4.cr_requirements.cr_consecutive = true;
	r->cr_resok4.cr_requirements.cr_synchronous = true;
	return 0;
}

/* ----------------------------------------------------- READ_PLUS, advice -- */

/* 7862 15.5: nothing is done with it, and that is the answer. */
int
nfs4_op_io_advise(struct nfs4_call *c, const nfs_argop4 *arg,
    nfs_resop4 *res)
{
	res->opio_advise.ior_status = nfs4_may_do_io(c,
	    &arg->opio_advise.iaa_stateid, OPEN4_SHARE_ACCESS_READ);
	return 0;
}

/* The hole at `off`, if there is one: its length up to `count`. */
static int
hole_at(struct nfs4_call *c, uint64_t off, uint32_t count, uint64_t size,
    uint64_t *len)
{
	uint64_t data;
	int err = vfs_seek(&c->nfs.vfs, c->current.node, PINEFS_SEEK_DATA,
	    off, &data);

	if (err == ENXIO)
		data = size;
	else if (err != 0)
		return err;
	*len = data <= off ? 0 : data - off < count ? data - off : count;
	return 0;
}

/*
 * 7862 15.10: a hole, then data up to the next one; a client asks for what
 * follows.
 */
static int
read_plus(struct nfs4_call *c, const READ_PLUS4args *args, uint64_t size,
    read_plus_res4 *ok)
{
	uint32_t count = args->rpa_count, n = 0;
	uint64_t off = args->rpa_offset, hole, end;
	read_plus_content *v;
	struct vfs_data data;
	int err;

	if (count > c->nfs.max_io)
		count = c->nfs.max_io;
	if (count > size - off)
		count = (uint32_t)(size - off);
	if ((v = nfs_call_alloc(&c->nfs, 2 * sizeof *v)) == NULL)
		return ENOMEM;
	memset(v, 0, 2 * sizeof *v);
	if ((err = hole_at(c, off, count, size, &hole)) != 0)
		return err;
	if (hole > 0) {
		v[n].rpc_content = NFS4_CONTENT_HOLE;
		v[n].rpc_hole.di_offset = off;
		v[n++].rpc_hole.di_length = hole;
		off += hole;
		count -= (uint32_t)hole;
	}
	if (count > 0) {
		err = vfs_seek(&c->nfs.vfs, c->current.node,
		    PINEFS_SEEK_HOLE, off, &end);
		if (err == 0 && end > off && end - off < count)
			count = (uint32_t)(end - off);
		else if (err != 0 && err != ENXIO)
			return err;
		c->nfs.vfs.may_lend = c->index + 1 == c->nops;
		err = vfs_read(&c->nfs.vfs, c->current.node, off, count,
		    &data);
		if (err != 0)
			return err;
		v[n].rpc_content = NFS4_CONTENT_DATA;
		v[n].rpc_data.d_offset = off;
		v[n++].rpc_data.d_data = data.bytes;
		off += data.bytes.len;
		c->data = data.bytes.len;
	}
	c->data += 48;
	ok->rpr_contents.v = v;
	ok->rpr_contents.n = n;
	ok->rpr_eof = off >= size;
	return 0;
}

int
nfs4_op_read_plus(struct nfs4_call *c, const nfs_argop4 *arg,
    nfs_resop4 *res)
{
	const READ_PLUS4args *args = &arg->opread_plus;
	READ_PLUS4res *r = &res->opread_plus;
	struct pinefs_attr a;
	int err;

	r->rp_status = nfs4_may_do_io(c, &args->rpa_stateid,
	    OPEN4_SHARE_ACCESS_READ);
	if (r->rp_status != NFS4_OK)
		return 0;
	if ((err = vfs_getattr(&c->nfs.vfs, c->current.node, &a)) != 0)
		return err;
	if (args->rpa_offset >= a.size) {
		r->rp_resok4.rpr_eof = true;
		return 0;
	}
	if (args->rpa_count == 0)
		return 0;
	return read_plus(c, args, a.size, &r->rp_resok4);
}

/* -------------------------------------------------- extended attributes -- */

/* 8276 8.4: names of the user's, without the "user." */
static nfsstat4
check_key(struct xdr_view key)
{
	if (key.len == 0)
		return NFS4ERR_INVAL;
	if (key.len > 255)
		return NFS4ERR_NAMETOOLONG;
	return memchr(key.data, '\0', key.len) == NULL ? NFS4_OK :
	    NFS4ERR_BADCHAR;
}

/* errno of xattr(7) to status. */
static int
xattr_status(int err, nfsstat4 *st)
{
	switch (err) {
	case ENODATA:
		*st = NFS4ERR_NOXATTR;
		return 0;
	case ERANGE:
	case E2BIG:
		*st = NFS4ERR_XATTR2BIG;
		return 0;
	}
	return err;
}

int
nfs4_op_getxattr(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	struct xdr_view key = arg->opgetxattr.gxa_name;
	GETXATTR4res *r = &res->opgetxattr;
	int err;

	if ((r->gxr_status = check_key(key)) != NFS4_OK)
		return 0;
	err = vfs_getxattr(&c->nfs.vfs, c->current.node, nfs_name(key),
	    &r->gxr_value);
	if (err == 0)
		c->data = r->gxr_value.len;
	return xattr_status(err, &r->gxr_status);
}

int
nfs4_op_setxattr(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const SETXATTR4args *args = &arg->opsetxattr;
	SETXATTR4res *r = &res->opsetxattr;
	struct vfs_wcc wcc;
	int err;

	if ((r->sxr_status = check_key(args->sxa_key)) != NFS4_OK)
		return 0;
	err = vfs_setxattr(&c->nfs.vfs, c->current.node,
	    nfs_name(args->sxa_key), args->sxa_value, (int)args->sxa_option,
	    &wcc);
	if (err == 0)
		nfs4_change_info(&wcc, &r->sxr_info);
	return xattr_status(err, &r->sxr_status);
}

int
nfs4_op_removexattr(struct nfs4_call *c, const nfs_argop4 *arg,
    nfs_resop4 *res)
{
	struct xdr_view key = arg->opremovexattr.rxa_name;
	REMOVEXATTR4res *r = &res->opremovexattr;
	struct vfs_wcc wcc;
	int err;

	if ((r->rxr_status = check_key(key)) != NFS4_OK)
		return 0;
	err = vfs_removexattr(&c->nfs.vfs, c->current.node, nfs_name(key),
	    &wcc);
	if (err == 0)
		nfs4_change_info(&wcc, &r->rxr_info);
	return xattr_status(err, &r->rxr_status);
}

/* Names as they come, as long as they fit. */
struct names {
	struct nfs4_call	*c;
	LISTXATTRS4resok	*ok;
	uint32_t		 room, most;
	bool			 full;
	int			 err;
};

enum { NAMES_MOST = 512 };

static int
add_name(void *arg, const struct vfs_entry *e)
{
	struct names *l = arg;
	uint32_t need = 4 + ((e->name.len + 3) & ~3u), n;

	n = l->ok->lxr_names.n;
	if (need > l->room || n == l->most) {
		l->full = true;
		return 1;
	}
	l->ok->lxr_names.v[n] = xdr_view(e->name.base, e->name.len);
	l->ok->lxr_names.n++;
	l->ok->lxr_cookie = e->cookie;
	l->room -= need;
	return 0;
}

/*
 * 8276 8.4.3: lxa_maxcount bounds the whole result; TOOSMALL if not even one
 * name fits.
 */
int
nfs4_op_listxattrs(struct nfs4_call *c, const nfs_argop4 *arg,
    nfs_resop4 *res)
{
	const LISTXATTRS4args *args = &arg->oplistxattrs;
	LISTXATTRS4res *r = &res->oplistxattrs;
	struct names l = { .c = c, .ok = &r->lxr_value, .most = NAMES_MOST };
	enum { AROUND = 8 + 4 + 4 };
	size_t room = nfs4_reply_room(c);
	bool eof = false;
	int err;

	l.room = args->lxa_maxcount < room ? args->lxa_maxcount :
	    (uint32_t)room;
	if (l.room < AROUND)
		return NFS_ETOOSMALL;
	l.room -= AROUND;
	l.ok->lxr_names.v = nfs_call_alloc(&c->nfs,
	    NAMES_MOST * sizeof *l.ok->lxr_names.v);
	if (l.ok->lxr_names.v == NULL)
		return ENOMEM;
	l.ok->lxr_cookie = args->lxa_cookie;
	err = vfs_listxattr(&c->nfs.vfs, c->current.node, args->lxa_cookie,
	    add_name, &l, &eof);
	if (err == 0 && l.full && l.ok->lxr_names.n == 0)
		err = NFS_ETOOSMALL;
	if (err == 0) {
		l.ok->lxr_eof = eof;
		c->data = args->lxa_maxcount - AROUND - l.room;
	}
	return err;
}
