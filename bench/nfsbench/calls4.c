/*
 * NFS 4.1 (RFC 5661): sessions, and for each workload the compound and what to
 * make of the reply.  A call is SEQUENCE, PUTFH and the rest.
 */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "nfsbench.h"

enum {
	OP_ACCESS = 3,
	OP_CLOSE = 4,
	OP_CREATE = 6,
	OP_GETATTR = 9,
	OP_GETFH = 10,
	OP_LOOKUP = 15,
	OP_OPEN = 18,
	OP_PUTFH = 22,
	OP_PUTROOTFH = 24,
	OP_READ = 25,
	OP_REMOVE = 28,
	OP_WRITE = 38,
	OP_EXCHANGE_ID = 42,
	OP_CREATE_SESSION = 43,
	OP_SEQUENCE = 53,
	OP_RECLAIM_COMPLETE = 58
};

static uint8_t *
put_sequence(uint8_t *p, struct slot *s, uint32_t nops)
{
	p = p32(p, 0);		/* tag */
	p = p32(p, 1);		/* minor version */
	p = p32(p, nops + 1);
	p = p32(p, OP_SEQUENCE);
	p = praw(p, s->c->sess, 16);
	p = p32(p, ++s->v4seq);
	p = p32(p, s->idx);
	p = p32(p, (uint32_t)s->c->nslots - 1);
	return p32(p, 0);
}

static uint8_t *
put_putfh(uint8_t *p, const struct fh *f)
{
	return popaque(p32(p, OP_PUTFH), f->b, f->len);
}

static uint8_t *
put_getattr(uint8_t *p)
{
	p = p32(p32(p, OP_GETATTR), 2);
	/* type change size fsid fileid; mode nlink owner group space times */
	p = p32(p, 1u << 1 | 1u << 3 | 1u << 4 | 1u << 8 | 1u << 20);
	return p32(p, 1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 13 |
	    1u << 15 | 1u << 20 | 1u << 21);
}

static uint8_t *
put_open(uint8_t *p, struct conn *c, uint32_t owner, const char *name)
{
	uint8_t o[8];

	p = p32(p, OP_OPEN);
	p = p32(p, 0);		/* seqid */
	p = p32(p, 3);		/* read + write */
	p = p32(p, 0);		/* deny none */
	p = p64(p, c->clientid);
	p32(p32(o, (uint32_t)c->id), owner);
	p = popaque(p, o, 8);
	p = p32(p, 1);		/* OPEN4_CREATE, UNCHECKED */
	p = p32(p, 0);
	p = p32(p32(p32(p, 2), 0), 1u << 1);	/* mode */
	p = p32(p32(p, 4), 0644);
	p = p32(p, 0);		/* CLAIM_NULL */
	return pstr(p, name);
}

/* Past the compound's status, tag and SEQUENCE result. */
uint32_t
v4_reply(struct xd *x)
{
	uint32_t status = g32(x), sequence;

	graw(x, g32(x));
	g32(x);			/* number of results */
	if (g32(x) != OP_SEQUENCE)
		x->bad = true;
	if ((sequence = g32(x)) != 0)
		return sequence;
	graw(x, 36);
	return status;
}

/* Past an operation's number and status, which is 0 as the compound's is. */
static void
skip_op(struct xd *x, uint32_t op)
{
	if (g32(x) != op)
		x->bad = true;
	g32(x);
}

static void
get_open(struct xd *x, uint8_t *stateid)
{
	const uint8_t *s;
	uint32_t delegation, why;

	skip_op(x, OP_OPEN);
	s = graw(x, 16);
	if (s != NULL && stateid != NULL)
		memcpy(stateid, s, 16);
	graw(x, 20);		/* change info */
	g32(x);			/* rflags */
	graw(x, g32(x) * 4);	/* attrset */
	delegation = g32(x);
	if (delegation == 3) {	/* NONE_EXT */
		why = g32(x);
		if (why == 1 || why == 2)
			g32(x);
	} else if (delegation != 0) {
		x->bad = true;
	}
}

uint32_t
v4_read_status(struct xd *x, uint32_t *len)
{
	uint32_t status = v4_reply(x);

	if (status != 0)
		return status;
	skip_op(x, OP_PUTFH);
	skip_op(x, OP_READ);
	g32(x);			/* eof */
	*len = g32(x);
	return 0;
}

static enum verdict
nothing_to_see(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	(void)w, (void)s, (void)x, (void)txn;
	return V_OK;
}

static uint8_t *
null_build(struct worker *w, struct slot *s)
{
	(void)w;
	return start(s, 0);
}

static uint8_t *
getattr_build(struct worker *w, struct slot *s)
{
	uint8_t *p = put_sequence(start(s, 1), s, 2);

	return put_getattr(put_putfh(p, &w->j->dir));
}

static uint8_t *
access_build(struct worker *w, struct slot *s)
{
	uint8_t *p = put_sequence(start(s, 1), s, 2);

	return p32(p32(put_putfh(p, &w->j->dir), OP_ACCESS), 0x1f);
}

static uint8_t *
lookup_build(struct worker *w, struct slot *s)
{
	char name[64];
	uint8_t *p;

	s->n = rng_next(&w->rng) % w->j->entries;
	name_of(name, sizeof name, "f", s->n);
	p = put_putfh(put_sequence(start(s, 1), s, 4), &w->j->dir);
	p = pstr(p32(p, OP_LOOKUP), name);
	return put_getattr(p32(p, OP_GETFH));
}

static enum verdict
lookup_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	struct fh f;

	(void)w, (void)s, (void)txn;
	skip_op(x, OP_PUTFH);
	skip_op(x, OP_LOOKUP);
	skip_op(x, OP_GETFH);
	return get_fh(x, &f) ? V_OK : V_RPC;
}

static uint8_t *
read_build(struct worker *w, struct slot *s)
{
	uint8_t *p = put_sequence(start(s, 1), s, 2);

	s->off = next_offset(w, s, cf.file_size);
	p = p32(put_putfh(p, &w->j->file), OP_READ);
	return p32(p64(praw(p, s->c->stateid, 16), s->off), cf.size);
}

static uint8_t *
write_build(struct worker *w, struct slot *s)
{
	uint8_t *p = put_sequence(start(s, 1), s, 2);
	struct job *j = w->j;

	s->off = j->fill ? s->n * cf.size :
	    next_offset(w, s, cf.file_size / (uint64_t)j->conns);
	s->pay = pat_at(s->off);
	s->paylen = cf.size;
	p = put_putfh(p, j->fill ? &j->file : &s->c->file);
	p = praw(p32(p, OP_WRITE), s->c->stateid, 16);
	p = p32(p64(p, s->off), j->fill ? 0 : cf.stable);
	return p32(p, cf.size);
}

static enum verdict
write_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	(void)w, (void)txn;
	skip_op(x, OP_PUTFH);
	skip_op(x, OP_WRITE);
	if (g32(x) != cf.size)
		return V_BAD;
	s->bytes = cf.size;
	if (s->c->written != NULL)
		s->c->written[s->off / cf.size] = 1;
	return V_OK;
}

/* create: OPEN, CLOSE, and REMOVE unless it is for preparation */

enum { OPEN, CLOSE, REMOVE };

static uint8_t *
open_call(struct worker *w, struct slot *s, const char *name)
{
	uint8_t *p;

	p = put_putfh(put_sequence(start(s, 1), s, 4), &w->j->dir);
	p = put_open(p, s->c, s->idx, name);
	return put_getattr(p32(p, OP_GETFH));
}

static uint8_t *
close_call(struct slot *s)
{
	uint8_t *p = put_sequence(start(s, 1), s, 2);

	p = p32(p32(put_putfh(p, &s->fh), OP_CLOSE), 0);
	return praw(p, s->stateid, 16);
}

static uint8_t *
remove_call(struct worker *w, struct slot *s, const char *name)
{
	uint8_t *p = put_sequence(start(s, 1), s, 2);

	return pstr(p32(put_putfh(p, &w->j->dir), OP_REMOVE), name);
}

static uint8_t *
create_build(struct worker *w, struct slot *s)
{
	char name[64];

	op_name(w, s, name, sizeof name);
	return s->step == OPEN ? open_call(w, s, name) :
	    s->step == CLOSE ? close_call(s) : remove_call(w, s, name);
}

static void
open_digest(struct slot *s, struct xd *x)
{
	skip_op(x, OP_PUTFH);
	get_open(x, s->stateid);
	skip_op(x, OP_GETFH);
	get_fh(x, &s->fh);
}

static enum verdict
create_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	(void)w;
	*txn = s->step == REMOVE;
	if (s->step == OPEN)
		open_digest(s, x);
	if (s->step == REMOVE)
		s->n++;
	s->step = s->step == REMOVE ? OPEN : s->step + 1;
	return V_OK;
}

static uint8_t *
mkfiles_build(struct worker *w, struct slot *s)
{
	char name[64];

	name_of(name, sizeof name, "f", s->n);
	return s->step == OPEN ? open_call(w, s, name) : close_call(s);
}

static enum verdict
mkfiles_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	(void)w;
	*txn = s->step == CLOSE;
	if (s->step == OPEN)
		open_digest(s, x);
	s->step = s->step == OPEN ? CLOSE : OPEN;
	return V_OK;
}

static uint8_t *
rmfiles_build(struct worker *w, struct slot *s)
{
	char name[64];

	name_of(name, sizeof name, "f", s->n);
	return remove_call(w, s, name);
}

const struct calls calls4[W_COUNT] = {
	[W_NULL] = { null_build, nothing_to_see },
	[W_GETATTR] = { getattr_build, nothing_to_see },
	[W_CONNSCALE] = { getattr_build, nothing_to_see },
	[W_ACCESS] = { access_build, nothing_to_see },
	[W_LOOKUP] = { lookup_build, lookup_digest },
	[W_READ] = { read_build, nothing_to_see },
	[W_WRITE] = { write_build, write_digest },
	[W_CREATE] = { create_build, create_digest },
	[W_MKFILES] = { mkfiles_build, mkfiles_digest },
	[W_RMFILES] = { rmfiles_build, nothing_to_see },
};

/* Set-up: one call at a time. */

static uint8_t *
compound_head(void)
{
	return call_head(sync_buf, 0, PROG_NFS, 4, 1, true);
}

/* The head of a compound of one operation outside a session. */
static uint8_t *
lone_head(uint32_t op)
{
	return p32(p32(p32(p32(compound_head(), 0), 1), 1), op);
}

static uint32_t
lone_status(int fd, uint8_t *end, struct xd *x)
{
	uint32_t status;

	if (!sync_call(fd, end, x))
		die("COMPOUND rejected");
	status = g32(x);
	graw(x, g32(x));
	g32(x);
	return status;
}

static uint8_t *
sync_head(struct conn *c, uint32_t nops)
{
	return put_sequence(compound_head(), &c->slots[0], nops);
}

static uint32_t
sync_status(struct conn *c, uint8_t *end, struct xd *x)
{
	if (!sync_call(c->fd, end, x))
		die("COMPOUND rejected");
	return v4_reply(x);
}

static uint32_t
exchange_id(struct conn *c)
{
	static uint32_t unique;
	uint32_t status;
	char owner[64];
	struct xd x;
	uint8_t *p;

	snprintf(owner, sizeof owner, "nfsbench-%d-%u", (int)getpid(),
	    unique++);
	p = p64(lone_head(OP_EXCHANGE_ID), cf.seed);
	p = pstr(p, owner);
	p = p32(p, 0);		/* flags */
	p = p32(p, 0);		/* SP4_NONE */
	p = p32(p, 0);		/* no implementation id */
	if ((status = lone_status(c->fd, p, &x)) != 0)
		die("EXCHANGE_ID: status %u", status);
	skip_op(&x, OP_EXCHANGE_ID);
	c->clientid = g64(&x);
	return g32(&x);
}

static uint8_t *
put_channel(uint8_t *p, uint32_t bytes, uint32_t cached, uint32_t slots)
{
	p = p32(p, 0);		/* header padding */
	p = p32(p32(p, bytes), bytes);
	p = p32(p, cached);
	p = p32(p, 16);		/* operations in a compound */
	p = p32(p, slots);
	return p32(p, 0);	/* no RDMA */
}

static void
create_session(struct conn *c, uint32_t seq, uint32_t nslots)
{
	uint32_t status, granted, io = cf.size > 65536 ? cf.size : 65536;
	const uint8_t *id;
	struct xd x;
	uint8_t *p;

	p = p64(lone_head(OP_CREATE_SESSION), c->clientid);
	p = p32(p32(p, seq), 0);
	p = put_channel(p, io + 4096, 8192, nslots);
	p = put_channel(p, 8192, 4096, 1);
	p = p32(p, 0x40000000);	/* callback program */
	p = p32(p32(p, 1), 0);	/* one security flavour: AUTH_NONE */
	if ((status = lone_status(c->fd, p, &x)) != 0)
		die("CREATE_SESSION: status %u", status);
	skip_op(&x, OP_CREATE_SESSION);
	if ((id = graw(&x, 16)) == NULL)
		die("CREATE_SESSION: short reply");
	memcpy(c->sess, id, 16);
	graw(&x, 8);		/* sequence, flags */
	graw(&x, 20);
	granted = g32(&x);
	if (granted < nslots)
		die("the server grants %u slots; use --depth %u", granted,
		    granted);
	c->nslots = (int)nslots;
}

void
v4_conn_init(struct conn *c, int nslots)
{
	uint32_t status;
	struct xd x;
	uint8_t *p;

	create_session(c, exchange_id(c), (uint32_t)nslots);
	p = p32(p32(sync_head(c, 1), OP_RECLAIM_COMPLETE), 0);
	if ((status = sync_status(c, p, &x)) != 0)
		die("RECLAIM_COMPLETE: status %u", status);
}

void
v4_root(struct conn *c, struct fh *out)
{
	char path[PATH_MAX], *save, *t;
	uint32_t status, n = 0;
	struct xd x;
	uint8_t *p;

	snprintf(path, sizeof path, "%s", cf.export);
	for (const char *q = path; *q != '\0'; q++)
		if (*q != '/' && (q == path || q[-1] == '/'))
			n++;
	p = p32(sync_head(c, n + 2), OP_PUTROOTFH);
	for (t = strtok_r(path, "/", &save); t != NULL;
	    t = strtok_r(NULL, "/", &save))
		p = pstr(p32(p, OP_LOOKUP), t);
	p = p32(p, OP_GETFH);
	if ((status = sync_status(c, p, &x)) != 0)
		die("path %s: status %u", cf.export, status);
	skip_op(&x, OP_PUTROOTFH);
	while (n-- > 0)
		skip_op(&x, OP_LOOKUP);
	skip_op(&x, OP_GETFH);
	if (!get_fh(&x, out))
		die("GETFH: bad handle");
}

void
v4_conn_open(struct conn *c, const struct fh *dir, const char *name,
    struct fh *out, uint8_t *stateid)
{
	uint32_t status;
	struct xd x;
	uint8_t *p;

	p = put_putfh(sync_head(c, 3), dir);
	p = p32(put_open(p, c, 9999, name), OP_GETFH);
	if ((status = sync_status(c, p, &x)) != 0)
		die("OPEN %s: status %u", name, status);
	skip_op(&x, OP_PUTFH);
	get_open(&x, stateid);
	skip_op(&x, OP_GETFH);
	if (!get_fh(&x, out))
		die("OPEN %s: bad handle", name);
}

void
v4_mkdir(const struct fh *dir, const char *name, struct fh *out)
{
	uint32_t status;
	struct xd x;
	uint8_t *p;

	p = put_putfh(sync_head(&setup, 3), dir);
	p = pstr(p32(p32(p, OP_CREATE), 2), name);
	p = p32(p32(p32(p, 2), 0), 1u << 1);	/* mode */
	p = p32(p32(p, 4), 0777);
	p = p32(p, OP_GETFH);
	if ((status = sync_status(&setup, p, &x)) != 0)
		die("CREATE %s: status %u", name, status);
	skip_op(&x, OP_PUTFH);
	skip_op(&x, OP_CREATE);
	graw(&x, 20);
	graw(&x, g32(&x) * 4);
	skip_op(&x, OP_GETFH);
	if (!get_fh(&x, out))
		die("CREATE %s: bad handle", name);
}

void
v4_remove(const struct fh *dir, const char *name)
{
	uint8_t *p = put_putfh(sync_head(&setup, 2), dir);
	struct xd x;

	sync_status(&setup, pstr(p32(p, OP_REMOVE), name), &x);
}
