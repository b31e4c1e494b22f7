/*
 * NFS version 4: operations on file handles, names and attributes.  What
 * they mean is RFC 8881 section 18; what a row of nfs4_ops says (handles,
 * their kind, room for the answer) has been seen to when they run.
 */
#include "nfs/nfs4.h"

#include <errno.h>

#include "nfs/nfs4_attr.h"
#include "nfs/nfs4_ops.h"
#include "nfs/nfs4_pseudo.h"

/* ---------------------------------------------------------------- names -- */

/*
 * 8881 14.5: names are what vfs checks too, but with statuses of their own.
 * Bytes that are no UTF-8 are let through.
 */
nfsstat4
nfs4_check_name(struct xdr_view name)
{
	const char *p = name.data;

	if (name.len == 0)
		return NFS4ERR_INVAL;
	if (name.len > 255)
		return NFS4ERR_NAMETOOLONG;
	if ((p[0] == '.' && (name.len == 1 || (name.len == 2 &&
	    p[1] == '.'))) || memchr(p, '/', name.len) != NULL ||
	    memchr(p, '\0', name.len) != NULL)
		return NFS4ERR_BADNAME;
	return NFS4_OK;
}

/*
 * change_info4: before and after are only worth something together.
 * Without them a client asks again, which is right.
 */
void
nfs4_change_info(const struct vfs_wcc *wcc, change_info4 *ci)
{
	ci->atomic = wcc->has_before && wcc->has_after;
	ci->before = wcc->has_before ? wcc->change_before : 0;
	ci->after = wcc->has_after ? wcc->after.change : 0;
}

/* -------------------------------------------------------- file handles -- */

/* 18.19: any export, or the pseudo-root. */
static int
putfh(struct nfs4_call *c, const nfs_fh4 *fh)
{
	const struct vfs_export *x;
	struct pinefs_node *node;
	const struct vfs_way *way;
	struct pinefs_ident id;
	uint32_t export_id;
	int err;

	err = nfs_fh_take(&c->nfs, fh->data, fh->len, &export_id, &id);
	if (err != 0)
		return err;
	if (export_id == NFS4_PSEUDO_EXPORT) {
		if ((way = nfs4_way_of(c->nfs.nfs, id.fileid)) != NULL) {
			nfs4_set_pseudo(c, way);
			return 0;
		}
		if (id.fileid != NFS4_PSEUDO_FILEID ||
		    nfs4_root_export(c->nfs.nfs) != NULL)
			return ESTALE;
		nfs4_set_pseudo(c, NULL);
		return 0;
	}
	x = vfs_export_for_id(c->nfs.nfs->exports, export_id);
	if (x == NULL)
		return ESTALE;		/* served no more */
	err = nfs4_enter(c, x);
	if (err == 0)
		err = vfs_node_find(&c->nfs.vfs, x, &id, &node);
	if (err == 0)
		nfs4_set_current(c, x, node);
	return err;
}

int
nfs4_op_putfh(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	(void)res;
	return putfh(c, &arg->opputfh.object);
}

int
nfs4_op_putrootfh(struct nfs4_call *c, const nfs_argop4 *arg,
    nfs_resop4 *res)
{
	(void)arg, (void)res;
	return nfs4_goto_root(c);
}

/* 18.20: what is public is the root. */
int
nfs4_op_putpubfh(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	(void)arg, (void)res;
	return nfs4_goto_root(c);
}

int
nfs4_op_getfh(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const struct pinefs_ident pseudo = {
	    .fileid = nfs4_pseudo_fileid(&c->current) };
	nfs_fh4 *fh = &res->opgetfh.resok4.object;
	void *to = nfs_call_alloc(&c->nfs, NFS_FH_MAX4);
	int err;

	(void)arg;
	if (to == NULL)
		return ENOMEM;
	if (c->current.pseudo)
		err = nfs_fh_make(&c->nfs.nfs->keys, NFS4_PSEUDO_EXPORT,
		    &pseudo, NFS_FH_MAX4, to, &fh->len);
	else
		err = nfs_node_to_fh(&c->nfs, c->current.node, to, &fh->len);
	fh->data = to;
	c->data = NFS_FH_MAX4;
	return err;
}

int
nfs4_op_savefh(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	(void)arg, (void)res;
	nfs4_fh_copy(&c->saved, &c->current);
	return 0;
}

int
nfs4_op_restorefh(struct nfs4_call *c, const nfs_argop4 *arg,
    nfs_resop4 *res)
{
	(void)arg;
	if (c->saved.set)
		nfs4_fh_copy(&c->current, &c->saved);
	else
		res->oprestorefh.status = c->minor == 0 ?
		    NFS4ERR_RESTOREFH : NFS4ERR_NOFILEHANDLE;
	return 0;
}

/* ----------------------------------------------------------- looking up -- */

/* 18.13.4: a symbolic link on the way is an error of its own. */
static nfsstat4
not_a_directory(struct nfs4_call *c, int err)
{
	if (err == ENOTDIR && !c->current.pseudo &&
	    vfs_node_type(c->current.node) == PINEFS_LNK)
		return NFS4ERR_SYMLINK;
	return nfs4_status(c, err);
}

/* The object of a name, or the export that is mounted on it. */
static int
walk(struct nfs4_call *c, struct pinefs_name name)
{
	const struct vfs_export *x;
	struct pinefs_node *node;
	int err;

	if (c->coming != NULL)
		return nfs4_goto_export(c, c->coming);
	if (nfs4_has_junctions(c, &c->current) && !c->no_junction) {
		if ((x = nfs4_junction(c, name)) != NULL) {
			c->coming = x;
			return nfs4_goto_export(c, x);
		}
		if (nfs4_is_junction(c->nfs.nfs, name))
			return ENOENT;	/* none that this caller may see */
	}
	if (c->current.pseudo)
		return nfs4_goto_coming(c, name);
	/* Run again, it is looked up again, whatever was mounted meanwhile. */
	c->no_junction = true;
	err = vfs_lookup(&c->nfs.vfs, c->current.node, name, &node);
	if (err == 0)
		nfs4_set_current(c, c->current.export, node);
	else if (err == ENOENT && nfs4_is_export_root(&c->current) &&
	    c->current.export == nfs4_root_export(c->nfs.nfs))
		err = nfs4_goto_coming(c, name);
	return err;
}

int
nfs4_op_lookup(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	struct xdr_view name = arg->oplookup.objname;
	nfsstat4 *st = &res->oplookup.status;
	int err;

	if ((*st = nfs4_check_name(name)) != NFS4_OK)
		return 0;
	err = walk(c, nfs_name(name));
	if (err == PINEFS_LATER)
		return err;
	*st = not_a_directory(c, err);
	return 0;
}

static int
walk_up(struct nfs4_call *c)
{
	struct pinefs_node *node;
	int err;

	if (c->current.pseudo || nfs4_is_export_root(&c->current))
		return nfs4_goto_above(c);
	err = vfs_lookup_parent(&c->nfs.vfs, c->current.node, &node);
	if (err == 0)
		nfs4_set_current(c, c->current.export, node);
	return err;
}

int
nfs4_op_lookupp(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	int err = walk_up(c);

	(void)arg;
	if (err == PINEFS_LATER)
		return err;
	res->oplookupp.status = c->minor == 0 ? nfs4_status(c, err) :
	    not_a_directory(c, err);
	return 0;
}

/* --------------------------------------------------------------- secinfo -- */

static nfsstat4
flavors(struct nfs4_call *c, SECINFO4resok *ok)
{
	const struct nfs *nfs = c->nfs.nfs;
	secinfo4 *v = nfs_call_alloc(&c->nfs, nfs->nflavors * sizeof *v);

	if (v == NULL)
		return nfs4_status(c, ENOMEM);
	for (uint32_t i = 0; i < nfs->nflavors; i++) {
		memset(&v[i], 0, sizeof v[i]);
		v[i].flavor = (uint32_t)nfs->flavors[i];
	}
	ok->v = v;
	ok->n = nfs->nflavors;
	if (c->minor > 0)
		nfs4_set_none(c);	/* 18.29.3: it is consumed */
	return NFS4_OK;
}

/* 18.29: the name must be one; then what may be used with it. */
int
nfs4_op_secinfo(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	SECINFO4res *r = &res->opsecinfo;
	struct nfs4_fh was = { 0 };
	int err;

	if ((r->status = nfs4_check_name(arg->opsecinfo.name)) != NFS4_OK)
		return 0;
	nfs4_fh_copy(&was, &c->current);
	err = walk(c, nfs_name(arg->opsecinfo.name));
	nfs4_fh_copy(&c->current, &was);
	nfs4_fh_copy(&was, &(struct nfs4_fh){ 0 });
	if (err == 0)
		r->status = flavors(c, &r->resok4);
	return err;
}

/* 18.45: of the current object, or of what is above it. */
int
nfs4_op_secinfo_no_name(struct nfs4_call *c, const nfs_argop4 *arg,
    nfs_resop4 *res)
{
	SECINFO4res *r = &res->opsecinfo_no_name;
	int err = 0;

	switch (arg->opsecinfo_no_name) {
	case SECINFO_STYLE4_PARENT:
		err = walk_up(c);
		break;
	case SECINFO_STYLE4_CURRENT_FH:
		break;
	default:
		r->status = NFS4ERR_INVAL;
		return 0;
	}
	if (err == 0)
		r->status = flavors(c, &r->resok4);
	return err;
}

/* ------------------------------------------------------------ attributes -- */

int
nfs4_op_getattr(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	GETATTR4res *r = &res->opgetattr;
	fattr4 *f = &r->resok4.obj_attributes;
	int err;

	err = nfs4_getattr(c, &c->current, &arg->opgetattr.attr_request, f,
	    &r->status);
	if (err == 0 && r->status == NFS4_OK)
		c->data = f->attr_vals.len;
	return err;
}

/*
 * Are they what the client says (18.15, 18.31)?  They are compared as they
 * are written: NFS4ERR_SAME, NOT_SAME, or why that cannot be told.
 */
static int
compare(struct nfs4_call *c, const fattr4 *f, nfsstat4 *st)
{
	const bitmap4 *asked = &f->attrmask;
	uint8_t bytes[NFS4_ATTR_BYTES];
	struct nfs4_mask mask;
	struct nfs4_object o;
	struct pinefs_attr a;
	struct vfs_limits l;
	uint32_t n;
	int err;

	if ((*st = nfs4_asked(c, c->current.export, asked, &mask)) != NFS4_OK)
		return 0;
	for (uint32_t i = 0; i < asked->n; i++)
		if (asked->v[i] != (i < NFS4_ATTR_WORDS ? mask.word[i] : 0)) {
			*st = NFS4ERR_ATTRNOTSUPP;
			return 0;
		}
	if ((mask.word[0] & 1u << FATTR4_RDATTR_ERROR) != 0) {
		*st = NFS4ERR_INVAL;
		return 0;
	}
	err = nfs4_object_get(c, &c->current, &mask, &o, &a, &l);
	if (err != 0)
		return err;
	n = nfs4_attr_encode(&o, &mask, bytes);
	*st = n == f->attr_vals.len &&
	    (n == 0 || memcmp(bytes, f->attr_vals.data, n) == 0) ?
	    NFS4ERR_SAME : NFS4ERR_NOT_SAME;
	return 0;
}

int
nfs4_op_verify(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	nfsstat4 *st = &res->opverify.status;
	int err = compare(c, &arg->opverify.obj_attributes, st);

	if (*st == NFS4ERR_SAME)
		*st = NFS4_OK;
	return err;
}

int
nfs4_op_nverify(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	nfsstat4 *st = &res->opnverify.status;
	int err = compare(c, &arg->opnverify.obj_attributes, st);

	if (*st == NFS4ERR_NOT_SAME)
		*st = NFS4_OK;
	return err;
}

/* 18.30: a new size is a write, and wants a stateid like one. */
int
nfs4_op_setattr(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const SETATTR4args *args = &arg->opsetattr;
	SETATTR4res *r = &res->opsetattr;
	struct nfs4_setattr s;
	struct vfs_wcc wcc;
	int err;

	r->status = nfs4_setattr_get(c, &args->obj_attributes, &s);
	if (r->status == NFS4_OK && s.has_umask)
		r->status = NFS4ERR_INVAL;	/* 8275: at creation only */
	if (r->status == NFS4_OK && s.set.attr.have & PINEFS_SIZE)
		r->status = nfs4_may_do_io(c, &args->stateid,
		    OPEN4_SHARE_ACCESS_WRITE);
	if (r->status != NFS4_OK)
		return 0;
	err = vfs_setattr(&c->nfs.vfs, c->current.node, &s.set, &wcc);
	if (err == 0)
		r->attrsset = s.done;
	return err;
}

/* ---------------------------------------------------------------- access -- */

enum {
	XATTR_BITS = ACCESS4_XAREAD | ACCESS4_XAWRITE | ACCESS4_XALIST,
	DIR_BITS = ACCESS4_READ | ACCESS4_LOOKUP | ACCESS4_MODIFY |
	    ACCESS4_EXTEND | ACCESS4_DELETE,
	FILE_BITS = ACCESS4_READ | ACCESS4_MODIFY | ACCESS4_EXTEND |
	    ACCESS4_EXECUTE,
	PLAIN_BITS = DIR_BITS | FILE_BITS
};

/* Extended attributes are read and written as the object itself is. */
static uint32_t
xattr_bits(uint32_t granted)
{
	return (granted & ACCESS4_READ ? ACCESS4_XAREAD | ACCESS4_XALIST : 0)
	    | (granted & ACCESS4_MODIFY ? ACCESS4_XAWRITE : 0);
}

/* 18.1: what is asked, means something of this object, and is allowed. */
int
nfs4_op_access(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	uint32_t asked = arg->opaccess.access, plain, known, granted;
	ACCESS4resok *ok = &res->opaccess.resok4;
	struct pinefs_attr a;
	int err;

	if (c->current.pseudo) {
		ok->supported = asked & DIR_BITS;
		ok->access = asked & (ACCESS4_READ | ACCESS4_LOOKUP);
		return 0;
	}
	plain = asked & PLAIN_BITS;
	if (asked & XATTR_BITS)
		plain |= ACCESS4_READ | ACCESS4_MODIFY;
	err = vfs_access(&c->nfs.vfs, c->current.node, plain, &granted, &a);
	if (err != 0)
		return err;
	known = a.type == PINEFS_DIR ? DIR_BITS : FILE_BITS;
	if (c->minor >= 2 && vfs_can_xattr(c->current.export->fs))
		known |= XATTR_BITS;
	ok->supported = asked & known;
	ok->access = (granted | xattr_bits(granted)) & ok->supported;
	return 0;
}

int
nfs4_op_readlink(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	READLINK4resok *ok = &res->opreadlink.resok4;
	int err = vfs_readlink(&c->nfs.vfs, c->current.node, &ok->link);

	(void)arg;
	if (err == 0)
		c->data = ok->link.len;
	if (err == EINVAL && c->minor > 0) {
		res->opreadlink.status = NFS4ERR_WRONG_TYPE;	/* 18.24.3 */
		return 0;
	}
	return err;
}

/* --------------------------------------------------- directories change -- */

/*
 * A name of the current directory (or the saved one) that is to change: not
 * one on which an export is mounted.
 */
static nfsstat4
check_change(struct nfs4_call *c, const struct nfs4_fh *dir,
    struct xdr_view name, int if_mounted)
{
	nfsstat4 st = nfs4_check_name(name);

	if (st == NFS4_OK && nfs4_has_junctions(c, dir) &&
	    nfs4_is_junction(c->nfs.nfs, nfs_name(name)))
		st = nfs4_status(c, if_mounted);
	return st;
}

/* Those that a client may make here; files are made by OPEN (18.4). */
static nfsstat4
what_to_create(struct nfs4_call *c, const CREATE4args *args,
    struct nfs4_setattr *s, struct pinefs_create *how)
{
	const createtype4 *type = &args->objtype;
	nfsstat4 st;

	memset(how, 0, sizeof *how);
	how->type = (uint32_t)type->type;	/* the numbers are the same */
	how->exclusive = PINEFS_GUARDED;
	switch (type->type) {
	case NF4DIR:
	case NF4SOCK:
	case NF4FIFO:
	case NF4LNK:
	case NF4BLK:
	case NF4CHR:
		break;
	default:
		return NFS4ERR_BADTYPE;
	}
	if ((st = nfs4_setattr_get(c, &args->createattrs, s)) != NFS4_OK)
		return st;
	how->set = s->set;
	if (type->type == NF4LNK) {
		how->target = nfs_name(type->linkdata);
		/* Nobody looks at a link's mode; umask does not apply. */
		how->set.attr.have &= ~(uint64_t)PINEFS_MODE;
	}
	if (type->type == NF4BLK || type->type == NF4CHR) {
		how->set.attr.have |= PINEFS_RDEV;
		how->set.attr.rdev_major = type->devdata.specdata1;
		how->set.attr.rdev_minor = type->devdata.specdata2;
	}
	if (how->set.attr.have & PINEFS_SIZE)
		return NFS4ERR_INVAL;	/* of a file only */
	return NFS4_OK;
}

int
nfs4_op_create(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const CREATE4args *args = &arg->opcreate;
	CREATE4res *r = &res->opcreate;
	struct pinefs_node *node;
	struct pinefs_create how;
	struct nfs4_setattr s;
	struct vfs_wcc wcc;
	int err;

	r->status = check_change(c, &c->current, args->objname, EEXIST);
	if (r->status != NFS4_OK ||
	    (r->status = what_to_create(c, args, &s, &how)) != NFS4_OK)
		return 0;
	err = vfs_create(&c->nfs.vfs, c->current.node,
	    nfs_name(args->objname), &how, &node, &wcc);
	if (err != 0)
		return err;
	nfs4_change_info(&wcc, &r->resok4.cinfo);
	r->resok4.attrset = s.done;
	nfs4_set_current(c, c->current.export, node);
	return 0;
}

/* 18.25: of whatever type. */
int
nfs4_op_remove(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	struct xdr_view name = arg->opremove.target;
	REMOVE4res *r = &res->opremove;
	struct vfs_wcc wcc;
	int err;

	r->status = check_change(c, &c->current, name, EBUSY);
	if (r->status != NFS4_OK)
		return 0;
	err = vfs_remove(&c->nfs.vfs, c->current.node, nfs_name(name),
	    PINEFS_REMOVE_ANY, &wcc);
	if (err == 0)
		nfs4_change_info(&wcc, &r->resok4.cinfo);
	return err;
}

/* 18.26: from the saved directory to the current one. */
int
nfs4_op_rename(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	const RENAME4args *args = &arg->oprename;
	RENAME4res *r = &res->oprename;
	struct vfs_wcc from, to;
	int err;

	r->status = check_change(c, &c->saved, args->oldname, EBUSY);
	if (r->status == NFS4_OK)
		r->status = check_change(c, &c->current, args->newname,
		    EBUSY);
	if (r->status != NFS4_OK)
		return 0;
	if (c->saved.export != c->current.export)
		return EXDEV;
	err = vfs_rename(&c->nfs.vfs, c->saved.node, nfs_name(args->oldname),
	    c->current.node, nfs_name(args->newname), &from, &to);
	if (err == 0) {
		nfs4_change_info(&from, &r->resok4.source_cinfo);
		nfs4_change_info(&to, &r->resok4.target_cinfo);
	}
	return err;
}

/* 18.9: the saved object gets a name in the current directory. */
int
nfs4_op_link(struct nfs4_call *c, const nfs_argop4 *arg, nfs_resop4 *res)
{
	struct xdr_view name = arg->oplink.newname;
	LINK4res *r = &res->oplink;
	struct vfs_wcc wcc;
	int err;

	r->status = check_change(c, &c->current, name, EEXIST);
	if (r->status != NFS4_OK)
		return 0;
	if (c->saved.export != c->current.export)
		return EXDEV;
	err = vfs_link(&c->nfs.vfs, c->saved.node, c->current.node,
	    nfs_name(name), &wcc);
	if (err == 0)
		nfs4_change_info(&wcc, &r->resok4.cinfo);
	/* link(2) has EPERM for it; no version of LINK has PERM. */
	if (err == EPERM && vfs_node_type(c->saved.node) == PINEFS_DIR)
		return EISDIR;
	return err;
}
