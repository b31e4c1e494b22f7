/*
 * NFS 2 and 3: for each workload, the call and what to make of the reply.
 * Procedure numbers are those of RFC 1094 and RFC 1813.
 */
#include <inttypes.h>
#include <stdio.h>

#include "nfsbench.h"

/* The procedure of this number in version 2, or in version 3. */
static uint32_t
proc(uint32_t v2, uint32_t v3)
{
	return cf.vers == 2 ? v2 : v3;
}

uint8_t *
put_fh(uint8_t *p, const struct fh *f)
{
	if (cf.vers == 2)
		return praw(p, f->b, 32);
	return popaque(p, f->b, f->len);
}

bool
get_fh(struct xd *x, struct fh *f)
{
	uint32_t n = cf.vers == 2 ? 32 : g32(x);
	const uint8_t *d = n <= sizeof f->b ? graw(x, n) : NULL;

	if (d == NULL)
		return false;
	f->len = (uint8_t)n;
	memcpy(f->b, d, n);
	return true;
}

/* Mode, and nothing else. */
uint8_t *
put_sattr3(uint8_t *p, uint32_t mode)
{
	p = p32(p32(p, 1), mode);
	return p32(p64(p64(p, 0), 0), 0); /* uid gid size atime mtime */
}

uint8_t *
put_sattr2(uint8_t *p, uint32_t mode)
{
	p = p32(p, mode);
	p = p32(p, cf.uid);
	p = p32(p, cf.gid);
	p = p32(p, 0);
	return p64(p64(p, UINT64_MAX), UINT64_MAX);
}

void
skip_attr3(struct xd *x)
{
	if (g32(x))
		graw(x, 84);
}

void
op_name(const struct worker *w, const struct slot *s, char *buf, size_t size)
{
	snprintf(buf, size, "c%d_%d_%u_%" PRIu64, w->id, s->c->id, s->idx,
	    s->n);
}

static enum verdict
nothing_to_see(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	(void)w, (void)s, (void)x, (void)txn;
	return V_OK;
}

/* null, getattr, access */

static uint8_t *
null_build(struct worker *w, struct slot *s)
{
	(void)w;
	return start(s, 0);
}

static uint8_t *
getattr_build(struct worker *w, struct slot *s)
{
	return put_fh(start(s, 1), &w->j->dir);
}

static enum verdict
getattr_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	(void)w, (void)s, (void)txn;
	if (!cf.verify)
		return V_OK;
	if (g32(x) != 2)	/* a directory */
		return V_BAD;
	graw(x, cf.vers == 2 ? 64 : 80);
	return V_OK;
}

static uint8_t *
access_build(struct worker *w, struct slot *s)
{
	return p32(put_fh(start(s, 4), &w->j->dir), 0x1f);
}

/* lookup */

static uint8_t *
lookup_build(struct worker *w, struct slot *s)
{
	char name[64];

	s->n = rng_next(&w->rng) % w->j->entries;
	name_of(name, sizeof name, "f", s->n);
	return pstr(put_fh(start(s, proc(4, 3)), &w->j->dir), name);
}

static enum verdict
lookup_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	const struct fh *want = w->j->fhs;
	struct fh f;

	(void)txn;
	if (!get_fh(x, &f))
		return V_RPC;
	if (cf.verify && want != NULL && (f.len != want[s->n].len ||
	    memcmp(f.b, want[s->n].b, f.len) != 0))
		return V_BAD;
	return V_OK;
}

/* read: its replies are taken apart in conn.c */

static uint8_t *
read_build(struct worker *w, struct slot *s)
{
	uint8_t *p = put_fh(start(s, 6), &w->j->file);

	s->off = next_offset(w, s, cf.file_size);
	if (cf.vers == 2)
		return p32(p32(p32(p, (uint32_t)s->off), cf.size), 0);
	return p32(p64(p, s->off), cf.size);
}

/* write */

static uint8_t *
write_build(struct worker *w, struct slot *s)
{
	struct job *j = w->j;
	uint8_t *p;

	p = put_fh(start(s, proc(8, 7)), j->fill ? &j->file : &s->c->file);
	s->off = j->fill ? s->n * cf.size :
	    next_offset(w, s, cf.file_size / (uint64_t)j->conns);
	s->pay = pat_at(s->off);
	s->paylen = cf.size;	/* a multiple of 4 */
	if (cf.vers == 2) {
		p = p32(p32(p32(p, 0), (uint32_t)s->off), 0);
		return p32(p, cf.size);
	}
	p = p32(p64(p, s->off), cf.size);
	return p32(p32(p, j->fill ? 0 : cf.stable), cf.size);
}

static enum verdict
write_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	(void)txn;
	if (cf.vers == 3) {
		if (g32(x))
			graw(x, 24);
		skip_attr3(x);
		if (g32(x) != cf.size)
			return V_BAD;
		if (!w->j->fill && g32(x) < cf.stable)
			return V_BAD;
	}
	s->bytes = cf.size;
	if (s->c->written != NULL)
		s->c->written[s->off / cf.size] = 1;
	return V_OK;
}

/* create (and remove), and making and removing the files of preparation */

static uint8_t *
create_call(struct slot *s, const struct fh *dir, const char *name)
{
	uint8_t *p = pstr(put_fh(start(s, proc(9, 8)), dir), name);

	if (cf.vers == 2)
		return put_sattr2(p, 0644);
	return put_sattr3(p32(p, 1), 0644);	/* GUARDED */
}

static uint8_t *
remove_call(struct slot *s, const struct fh *dir, const char *name)
{
	return pstr(put_fh(start(s, proc(10, 12)), dir), name);
}

static uint8_t *
create_build(struct worker *w, struct slot *s)
{
	char name[64];

	op_name(w, s, name, sizeof name);
	return s->step == 0 ? create_call(s, &w->j->dir, name) :
	    remove_call(s, &w->j->dir, name);
}

/* Of a transaction of two calls. */
static enum verdict
pair_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	(void)w, (void)x;
	*txn = s->step == 1;
	if (s->step == 1)
		s->n++;
	s->step ^= 1;
	return V_OK;
}

static uint8_t *
mkfiles_build(struct worker *w, struct slot *s)
{
	char name[64];

	name_of(name, sizeof name, "f", s->n);
	return create_call(s, &w->j->dir, name);
}

static enum verdict
mkfiles_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	(void)txn;
	if (cf.vers == 3 && w->j->fhs != NULL && g32(x))
		get_fh(x, &w->j->fhs[s->n]);
	return V_OK;
}

static uint8_t *
rmfiles_build(struct worker *w, struct slot *s)
{
	char name[64];

	name_of(name, sizeof name, "f", s->n);
	return remove_call(s, &w->j->dir, name);
}

/* mkdir (and rmdir), rename (and back): version 3 only from here on */

static uint8_t *
mkdir_build(struct worker *w, struct slot *s)
{
	char name[64];

	op_name(w, s, name, sizeof name);
	if (s->step == 1)
		return pstr(put_fh(start(s, 13), &w->j->dir), name);
	return put_sattr3(pstr(put_fh(start(s, 9), &w->j->dir), name), 0755);
}

static uint8_t *
rename_build(struct worker *w, struct slot *s)
{
	uint64_t i = (uint64_t)(s->c->id * cf.depth) + s->idx;
	char here[64], there[64];
	uint8_t *p;

	name_of(here, sizeof here, s->step ? "g" : "f", i);
	name_of(there, sizeof there, s->step ? "f" : "g", i);
	p = pstr(put_fh(start(s, 14), &w->j->dir), here);
	return pstr(put_fh(p, &w->j->dir), there);
}

/* readdir, readdirplus */

static uint8_t *
readdir_build(struct worker *w, struct slot *s)
{
	uint8_t *p;

	if (s->step == 0) {
		s->cookie = 0;
		s->seen = 0;
		memset(s->cverf, 0, sizeof s->cverf);
	}
	p = put_fh(start(s, cf.plus ? 17 : 16), &w->j->dir);
	p = praw(p64(p, s->cookie), s->cverf, 8);
	if (cf.plus)
		p = p32(p, cf.dircount / 4);
	return p32(p, cf.dircount);
}

/* --verify: a name of the directory's, and not seen in this listing yet. */
static bool
check_name(struct worker *w, const uint8_t *name, uint32_t len)
{
	uint64_t i = 0;

	if (len != 8 || name[0] != 'f')
		return false;
	for (int k = 1; k < 8; k++)
		i = i * 10 + (uint64_t)(name[k] - '0');
	if (i >= w->j->entries || (w->bitmap[i >> 3] & 1u << (i & 7)))
		return false;
	w->bitmap[i >> 3] |= (unsigned char)(1u << (i & 7));
	return true;
}

static enum verdict
readdir_entry(struct worker *w, struct slot *s, struct xd *x)
{
	const uint8_t *name;
	uint32_t len;

	g64(x);
	len = g32(x);
	name = graw(x, len);
	s->cookie = g64(x);
	if (cf.plus) {
		skip_attr3(x);
		if (g32(x))
			graw(x, g32(x));
	}
	if (x->bad)
		return V_RPC;
	if ((len == 1 && name[0] == '.') ||
	    (len == 2 && name[0] == '.' && name[1] == '.'))
		return V_OK;
	if (cf.verify && w->bitmap != NULL && !check_name(w, name, len))
		return V_BAD;
	s->entries++;
	return V_OK;
}

static enum verdict
readdir_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	const uint8_t *verf;
	enum verdict v;
	bool eof;

	skip_attr3(x);
	if ((verf = graw(x, 8)) == NULL)
		return V_RPC;
	memcpy(s->cverf, verf, 8);
	while (g32(x))
		if ((v = readdir_entry(w, s, x)) != V_OK)
			return v;
	eof = g32(x) != 0;
	s->seen += s->entries;
	s->step = !eof;
	*txn = eof;
	if (!eof)
		return s->entries == 0 ? V_BAD : V_OK;
	if (w->bitmap != NULL)
		memset(w->bitmap, 0, w->j->entries / 8 + 1);
	return s->seen == w->j->entries ? V_OK : V_BAD;
}

/* untar: what tar does to a new tree of small files, 64 in a directory */

enum { FILES_EACH = 64 };
enum untar { CREATE, SETATTR, WRITE, COMMIT, MKDIR = -1, CREATE_FIRST = -2 };

static uint8_t *
untar_setattr(struct slot *s)
{
	uint8_t *p = put_fh(start(s, 2), &s->fh);

	p = p32(p32(p, 1), 0600);
	p = p64(p64(p, 0), 0);		/* uid gid size atime */
	p = p32(p, 2);			/* mtime from the client */
	return p32(p32(p32(p, 1000000000), 0), 0);	/* no guard */
}

static uint8_t *
untar_write(struct slot *s)
{
	uint8_t *p = p64(put_fh(start(s, 7), &s->fh), 0);

	s->pay = pat_at(s->n * 8);
	s->paylen = cf.size;
	return p32(p32(p32(p, cf.size), 0), cf.size);
}

static uint8_t *
untar_build(struct worker *w, struct slot *s)
{
	char name[64];
	uint8_t *p;

	if (s->step == CREATE && s->files % FILES_EACH == 0)
		s->step = MKDIR;
	switch (s->step) {
	case MKDIR:
		snprintf(name, sizeof name, "d%d_%d_%u_%u", w->id, s->c->id,
		    s->idx, s->files / FILES_EACH);
		p = pstr(put_fh(start(s, 9), &w->j->dir), name);
		return put_sattr3(p, 0755);
	case SETATTR:
		return untar_setattr(s);
	case WRITE:
		return untar_write(s);
	case COMMIT:
		return p32(p64(put_fh(start(s, 21), &s->fh), 0), 0);
	default:
		s->step = CREATE;
		name_of(name, sizeof name, "file", s->files % FILES_EACH);
		return create_call(s, &s->dir, name);
	}
}

static enum verdict
untar_digest(struct worker *w, struct slot *s, struct xd *x, bool *txn)
{
	(void)w;
	*txn = false;
	switch (s->step) {
	case MKDIR:
		if (!g32(x) || !get_fh(x, &s->dir))
			return V_BAD;
		s->step = CREATE_FIRST;
		return V_OK;
	case CREATE:
		if (!g32(x) || !get_fh(x, &s->fh))
			return V_BAD;
		s->step = SETATTR;
		return V_OK;
	case SETATTR:
		s->step = WRITE;
		return V_OK;
	case WRITE:
		s->bytes = cf.size;
		s->step = COMMIT;
		return V_OK;
	default:
		s->step = CREATE;
		s->files++;
		s->n++;
		*txn = true;
		return V_OK;
	}
}

const struct calls calls3[W_COUNT] = {
	[W_NULL] = { null_build, nothing_to_see },
	[W_GETATTR] = { getattr_build, getattr_digest },
	[W_CONNSCALE] = { getattr_build, getattr_digest },
	[W_ACCESS] = { access_build, nothing_to_see },
	[W_LOOKUP] = { lookup_build, lookup_digest },
	[W_READ] = { read_build, nothing_to_see },
	[W_WRITE] = { write_build, write_digest },
	[W_CREATE] = { create_build, pair_digest },
	[W_MKFILES] = { mkfiles_build, mkfiles_digest },
	[W_RMFILES] = { rmfiles_build, nothing_to_see },
	[W_MKDIR] = { mkdir_build, pair_digest },
	[W_RENAME] = { rename_build, pair_digest },
	[W_READDIR] = { readdir_build, readdir_digest },
	[W_UNTAR] = { untar_build, untar_digest },
};
