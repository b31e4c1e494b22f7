/* NFS version 2: attributes, to and from the protocol's words. */
#include <sys/stat.h>

#include "nfs/nfs2.h"
#include "nfs/words.h"

enum { BLOCK = 4096, UNIT = 512 };

#define LEAVE	UINT32_MAX	/* "-1": leave this alone */
#define FIFO	UINT32_MAX	/* the rdev that makes a FIFO of NFCHR */

/*
 * Numbers of devices, as the kernels pack them: 12 bits of major between the
 * 8 lower and 12 upper bits of minor.
 */
static uint32_t
pack_rdev(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | (major & 0xfff) << 8 |
	    (minor & 0xfff00) << 12;
}

static void
unpack_rdev(uint32_t rdev, struct pinefs_attr *a)
{
	a->rdev_major = rdev >> 8 & 0xfff;
	a->rdev_minor = (rdev & 0xff) | (rdev >> 12 & 0xfff00);
}

uint32_t
nfs2_fileid(uint64_t fileid)
{
	uint32_t high = (uint32_t)(fileid >> 32);
	uint32_t id = (uint32_t)fileid ^ high * 0x9e3779b1u;

	return id != 0 ? id : 1;
}

static nfstime
time_of(struct timespec ts)
{
	nfstime t;

	nfs_clamp_time(ts, &t.seconds, &t.useconds);
	t.useconds /= 1000;
	return t;
}

/*
 * RFC 1094 2.3.5: the mode tells the type again.  It has no type for a FIFO
 * (character device without a number: every client knows this one) or a
 * socket (none).
 */
static const struct {
	ftype		type;
	uint32_t	mode;
} types[] = {
	[PINEFS_REG] =	{ NFREG, S_IFREG },
	[PINEFS_DIR] =	{ NFDIR, S_IFDIR },
	[PINEFS_BLK] =	{ NFBLK, S_IFBLK },
	[PINEFS_CHR] =	{ NFCHR, S_IFCHR },
	[PINEFS_LNK] =	{ NFLNK, S_IFLNK },
	[PINEFS_SOCK] =	{ NFNON, S_IFSOCK },
	[PINEFS_FIFO] =	{ NFCHR, S_IFIFO },
};

int
nfs2_fattr(struct nfs_call *call, const struct pinefs_node *node,
    const struct pinefs_attr *a, fattr *f)
{
	struct pinefs_ident id;

	pinefs_node_ident(node, &id);
	if (nfs_check_fileid(call, id.fileid) != 0 ||
	    a->type < PINEFS_REG || a->type > PINEFS_FIFO)
		return EIO;
	f->type = types[a->type].type;
	f->mode = types[a->type].mode | (a->mode & 07777);
	f->nlink = a->nlink;
	f->uid = a->uid;
	f->gid = a->gid;
	f->size = nfs_clamp_u32(a->size);
	f->blocksize = BLOCK;
	f->rdev = a->type == PINEFS_FIFO ? FIFO :
	    pack_rdev(a->rdev_major, a->rdev_minor);
	f->blocks = nfs_clamp_u32(a->used / UNIT + (a->used % UNIT != 0));
	f->fsid = call->export->id;
	f->fileid = nfs2_fileid(id.fileid);
	f->atime = time_of(a->atime);
	f->mtime = time_of(a->mtime);
	f->ctime = time_of(a->ctime);
	return 0;
}

int
nfs2_attr_of(struct nfs_call *call, struct pinefs_node *node, fattr *f)
{
	struct pinefs_attr a;
	int err = vfs_getattr(&call->vfs, node, &a);

	return err != 0 ? err : nfs2_fattr(call, node, &a, f);
}

int
nfs2_dirop(struct nfs_call *call, struct pinefs_node *node, diropok *ok)
{
	uint32_t len;
	int err = nfs_node_to_fh(call, node, ok->file, &len);

	return err != 0 ? err : nfs2_attr_of(call, node, &ok->attributes);
}

/* --------------------------------------------------------- what to set -- */

static int
set_time(struct pinefs_set *set, uint64_t bit, const nfstime *t,
    struct timespec *to)
{
	if (t->seconds == LEAVE && t->useconds == LEAVE)
		return 0;
	set->attr.have |= bit;
	if (t->useconds == 1000000) {
		set->now |= bit;
		return 0;
	}
	if (t->useconds > 1000000)
		return EINVAL;
	to->tv_sec = t->seconds;
	to->tv_nsec = (long)t->useconds * 1000;
	return 0;
}

/*
 * useconds 1000000 in mtime is a convention of Sun's for "both times, by the
 * server's clock": without it touch(1) by somebody who may write, but does
 * not own the file, would be refused.
 */
static int
set_times(struct pinefs_set *set, const sattr *s)
{
	int err;

	err = set_time(set, PINEFS_ATIME, &s->atime, &set->attr.atime);
	if (err == 0)
		err = set_time(set, PINEFS_MTIME, &s->mtime,
		    &set->attr.mtime);
	if (err == 0 && (set->now & PINEFS_MTIME) != 0) {
		set->attr.have |= PINEFS_ATIME;
		set->now |= PINEFS_ATIME;
	}
	return err;
}

int
nfs2_set(const sattr *s, struct pinefs_set *set)
{
	struct pinefs_attr *a = &set->attr;

	memset(set, 0, sizeof *set);
	if (s->mode != LEAVE && s->mode != 0xffff) {	/* SunOS: a short -1 */
		a->have |= PINEFS_MODE;
		a->mode = s->mode & 07777;
	}
	if (s->uid != LEAVE) {
		a->have |= PINEFS_UID;
		a->uid = s->uid;
	}
	if (s->gid != LEAVE) {
		a->have |= PINEFS_GID;
		a->gid = s->gid;
	}
	if (s->size != LEAVE) {
		a->have |= PINEFS_SIZE;
		a->size = s->size;
	}
	return set_times(set, s);
}

/*
 * Version 2 has no MKNOD.  Clients send CREATE with a type in the mode; the
 * device's number stands where the size does, and S_IFCHR without a number
 * is a FIFO.
 */
int
nfs2_how_to_create(const sattr *s, struct pinefs_create *c)
{
	bool has_number = s->size != LEAVE;
	int err = nfs2_set(s, &c->set);

	if (err != 0)
		return err;
	c->exclusive = PINEFS_UNCHECKED;
	c->type = PINEFS_REG;
	if ((c->set.attr.have & PINEFS_MODE) == 0)
		return 0;
	switch (s->mode & S_IFMT) {
	case 0:
	case S_IFREG:
		return 0;
	case S_IFBLK:
		c->type = PINEFS_BLK;
		break;
	case S_IFCHR:
		c->type = has_number ? PINEFS_CHR : PINEFS_FIFO;
		break;
	case S_IFIFO:
		c->type = PINEFS_FIFO;
		break;
	case S_IFSOCK:
		c->type = PINEFS_SOCK;
		break;
	default:
		return EINVAL;
	}
	c->exclusive = PINEFS_GUARDED;
	c->set.attr.have &= ~(uint64_t)PINEFS_SIZE;
	if (c->type == PINEFS_BLK || c->type == PINEFS_CHR) {
		c->set.attr.have |= PINEFS_RDEV;
		if (has_number)
			unpack_rdev(s->size, &c->set.attr);
	}
	return 0;
}
