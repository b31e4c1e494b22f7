#include "nfs/nfs3.h"

#include <stdio.h>

#include "check.h"
#include "nfs_rig.h"

/* ------------------------------------------------------- how to ask it -- */

static uint8_t root_bytes[NFS_FH_MAX3];
static nfs_fh3 root_fh;

/* Handles outlive the call that gave them. */
static uint8_t kept_bytes[32][NFS_FH_MAX3];
static unsigned nkept;

static nfs_fh3
keep(nfs_fh3 fh)
{
	uint8_t *to = kept_bytes[nkept++ % 32];
	nfs_fh3 kept;

	memcpy(to, fh.data.data, fh.data.len);
	kept.data = xdr_view(to, fh.data.len);
	return kept;
}

static nfs_fh3
fh_of(uint64_t fileid)
{
	struct pinefs_ident id = { .fileid = fileid, .generation = 7 };
	uint8_t bytes[NFS_FH_MAX3];
	nfs_fh3 fh;
	uint32_t len;

	CHECK(nfs_fh_make(&rig.nfs.keys, rig.export.id, &id, NFS_FH_MAX3,
	    bytes, &len) == 0);
	fh.data = xdr_view(bytes, len);
	return keep(fh);
}

static void
start(void)
{
	rig_start();
	root_fh = fh_of(TOY_FIRST_ID);
	memcpy(root_bytes, root_fh.data.data, root_fh.data.len);
	root_fh.data.data = root_bytes;
}

static struct xdr_view
text(const char *s)
{
	return xdr_view(s, (uint32_t)strlen(s));
}

static diropargs3
at(nfs_fh3 dir, const char *name)
{
	diropargs3 d = { dir, text(name) };

	return d;
}

/* Calls of one procedure; the result is static, and zeroed for each. */
#define CALL(NAME)							\
static NAME##3res *							\
call_##NAME(const NAME##3args *args)					\
{									\
	static NAME##3res res;						\
									\
	memset(&res, 0, sizeof res);					\
	assert_int_equal(rig_call(100003, 3, NFSPROC3_##NAME, args,	\
	    &res), 0);							\
	return &res;							\
}
CALL(GETATTR) CALL(SETATTR) CALL(LOOKUP) CALL(ACCESS) CALL(READLINK)
CALL(READ) CALL(WRITE) CALL(CREATE) CALL(MKDIR) CALL(SYMLINK) CALL(MKNOD)
CALL(REMOVE) CALL(RMDIR) CALL(RENAME) CALL(LINK) CALL(READDIR)
CALL(READDIRPLUS) CALL(FSSTAT) CALL(FSINFO) CALL(PATHCONF) CALL(COMMIT)

#define ASK(NAME, ...) call_##NAME(&(NAME##3args){ __VA_ARGS__ })

static nfs_fh3
look_up(nfs_fh3 dir, const char *name)
{
	LOOKUP3res *r = ASK(LOOKUP, at(dir, name));

	CHECK(r->status == NFS3_OK);
	return keep(r->resok.object);
}

static fattr3
attributes(nfs_fh3 fh)
{
	GETATTR3res *r = ASK(GETATTR, fh);

	CHECK(r->status == NFS3_OK);
	return r->resok.obj_attributes;
}

static sattr3
with_mode(uint32_t mode)
{
	sattr3 s = { .mode.set_it = true };

	s.mode.mode = mode;
	return s;
}

static createhow3
how(createmode3 mode, const char *verf)
{
	createhow3 h = { .mode = mode };

	if (mode == EXCLUSIVE)
		memcpy(h.verf, verf, 8);
	else
		h.obj_attributes = with_mode(0644);
	return h;
}

static nfs_fh3
create(nfs_fh3 dir, const char *name)
{
	CREATE3res *r = ASK(CREATE, at(dir, name), how(GUARDED, NULL));

	CHECK(r->status == NFS3_OK);
	CHECK(r->resok.obj.handle_follows);
	return keep(r->resok.obj.handle);
}

static WRITE3res *
write_text(nfs_fh3 fh, uint64_t off, const char *s)
{
	return ASK(WRITE, fh, off, (uint32_t)strlen(s), UNSTABLE, text(s));
}

/* -------------------------------------------------------------- handles -- */

static void
test_every_bit_of_a_handle_counts(void)
{
	uint8_t *b = root_bytes;

	start();
	for (unsigned bit = 0; bit < 256; bit++) {
		nfsstat3 status;

		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		status = ASK(GETATTR, root_fh)->status;
		CHECK(status == NFS3ERR_STALE ||
		    status == NFS3ERR_BADHANDLE);
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CHECK(ASK(GETATTR, root_fh)->status == NFS3_OK);
	root_fh.data.len = 31;
	CHECK(ASK(GETATTR, root_fh)->status == NFS3ERR_BADHANDLE);
	CHECK(rig.nfs.count.forged > 0 && rig.nfs.count.bad_handles > 0);
	rig_stop();
}

static void
test_a_removed_object_is_stale(void)
{
	nfs_fh3 fh;

	start();
	fh = create(root_fh, "a");
	CHECK(ASK(REMOVE, at(root_fh, "a"))->status == NFS3_OK);
	CHECK(ASK(GETATTR, fh)->status == NFS3ERR_STALE);
	CHECK(write_text(fh, 0, "x")->status == NFS3ERR_STALE);
	rig_stop();
}

/* ----------------------------------------------------------- attributes -- */

static void
test_getattr_tells_everything(void)
{
	struct toy_obj *o;
	fattr3 f;

	start();
	o = toy_add(rig.toy, &rig.toy->obj[0], "f", PINEFS_REG, 04751,
	    "hello");
	o->attr.uid = 0xfffffffe;
	o->attr.gid = 7;
	o->attr.used = 512;
	f = attributes(look_up(root_fh, "f"));
	CHECK(f.type == NF3REG && f.mode == 04751 && f.nlink == 1);
	CHECK(f.uid == 0xfffffffe && f.gid == 7);
	CHECK(f.size == 5 && f.used == 512);
	CHECK(f.fsid == rig.export.id && f.fileid == o->fileid);
	CHECK(f.mtime.seconds == (uint32_t)o->attr.mtime.tv_sec);
	rig_stop();
}

static void
test_times_beyond_the_wire_stay_at_its_ends(void)
{
	struct toy_obj *o;
	fattr3 f;

	start();
	o = toy_add(rig.toy, &rig.toy->obj[0], "f", PINEFS_REG, 0644, "");
	o->attr.mtime = (struct timespec){ -1, 999999999 };
	o->attr.atime = (struct timespec){ INT64_C(0x100000000), 1 };
	f = attributes(look_up(root_fh, "f"));
	CHECK(f.mtime.seconds == 0 && f.mtime.nseconds == 0);
	CHECK(f.atime.seconds == UINT32_MAX);
	CHECK(f.atime.nseconds == 999999999);
	rig_stop();
}

static void
test_setattr_sets_what_is_asked_and_tells_both_sides(void)
{
	SETATTR3res *r;
	sattr3 s = with_mode(0600);
	nfs_fh3 fh;
	fattr3 was, is;

	start();
	fh = create(root_fh, "f");
	write_text(fh, 0, "hello");
	was = attributes(fh);
	s.size.set_it = true;
	s.size.size = 2;
	s.mtime.set_it = SET_TO_CLIENT_TIME;
	s.mtime.mtime = (nfstime3){ 77, 5 };
	r = ASK(SETATTR, fh, s, { .check = false });
	CHECK(r->status == NFS3_OK);
	CHECK(r->resok.obj_wcc.before.attributes_follow);
	CHECK(r->resok.obj_wcc.before.attributes.size == 5);
	CHECK(r->resok.obj_wcc.before.attributes.ctime.seconds ==
	    was.ctime.seconds);
	CHECK(r->resok.obj_wcc.after.attributes_follow);
	is = r->resok.obj_wcc.after.attributes;
	CHECK(is.size == 2 && is.mode == 0600);
	CHECK(is.mtime.seconds == 77 && is.mtime.nseconds == 5);
	rig_stop();
}

static void
test_a_guard_that_differs_is_not_sync(void)
{
	SETATTR3args a = { .new_attributes = with_mode(0600) };
	fattr3 f;

	start();
	a.object = create(root_fh, "f");
	f = attributes(a.object);
	a.guard.check = true;
	a.guard.obj_ctime = f.ctime;
	a.guard.obj_ctime.nseconds++;
	CHECK(call_SETATTR(&a)->status == NFS3ERR_NOT_SYNC);
	CHECK(attributes(a.object).mode == 0644);
	a.guard.obj_ctime = f.ctime;
	CHECK(call_SETATTR(&a)->status == NFS3_OK);
	rig_stop();
}

static void
test_bad_values_to_set_are_refused(void)
{
	sattr3 s = { .size.set_it = true };
	nfs_fh3 fh;

	start();
	fh = create(root_fh, "f");
	s.size.size = UINT64_C(1) << 63;
	CHECK(ASK(SETATTR, fh, s, { 0 })->status == NFS3ERR_FBIG);
	s = (sattr3){ .atime.set_it = SET_TO_CLIENT_TIME };
	s.atime.atime.nseconds = 1000000000;
	CHECK(ASK(SETATTR, fh, s, { 0 })->status == NFS3ERR_INVAL);
	rig_stop();
}

static void
test_access_answers_only_what_is_asked(void)
{
	ACCESS3res *r;

	start();
	rig.cred.uid = 1000;
	rig.peer.proven = false;
	r = ASK(ACCESS, root_fh, ACCESS3_READ | ACCESS3_MODIFY);
	CHECK(r->status == NFS3_OK);
	CHECK(r->resok.access == ACCESS3_READ);
	CHECK(r->resok.obj_attributes.attributes_follow);
	rig_stop();
}

/* ------------------------------------------------------------ who may -- */

/* Every procedure, each answering `status`. */
static void
all_answer(nfsstat3 status)
{
	sattr3 none = { .mode.set_it = false };

#define ANSWERS(r) CHECK((r)->status == status)
	ANSWERS(ASK(GETATTR, root_fh));
	ANSWERS(ASK(SETATTR, root_fh, none, { 0 }));
	ANSWERS(ASK(LOOKUP, at(root_fh, "a")));
	ANSWERS(ASK(ACCESS, root_fh, 63));
	ANSWERS(ASK(READLINK, root_fh));
	ANSWERS(ASK(READ, root_fh, 0, 5));
	ANSWERS(write_text(root_fh, 0, "x"));
	ANSWERS(ASK(CREATE, at(root_fh, "a"), how(UNCHECKED, NULL)));
	ANSWERS(ASK(MKDIR, at(root_fh, "a"), none));
	ANSWERS(ASK(SYMLINK, at(root_fh, "a"), { none, text("b") }));
	ANSWERS(ASK(MKNOD, at(root_fh, "a"), { .type = NF3FIFO }));
	ANSWERS(ASK(REMOVE, at(root_fh, "a")));
	ANSWERS(ASK(RMDIR, at(root_fh, "a")));
	ANSWERS(ASK(RENAME, at(root_fh, "a"), at(root_fh, "b")));
	ANSWERS(ASK(LINK, root_fh, at(root_fh, "b")));
	ANSWERS(ASK(READDIR, root_fh, .count = 4096));
	ANSWERS(ASK(READDIRPLUS, root_fh, .maxcount = 4096));
	ANSWERS(ASK(FSSTAT, root_fh));
	ANSWERS(ASK(FSINFO, root_fh));
	ANSWERS(ASK(PATHCONF, root_fh));
	ANSWERS(ASK(COMMIT, root_fh, 0, 0));
}

static void
test_an_export_that_refuses_says_so_in_every_procedure(void)
{
	static const uint32_t uids[] = { 77 };

	start();
	rig.export.uids = uids;
	rig.export.nuids = 1;
	all_answer(NFS3ERR_ACCES);
	rig_stop();
}

static void
test_a_call_without_memory_is_asked_to_come_again(void)
{
	start();
	rig.budget = 0;
	all_answer(NFS3ERR_JUKEBOX);
	rig_stop();
}

static void
test_only_proven_root_is_root(void)
{
	start();
	rig.toy->obj[0].attr.uid = 5;	/* 0755: others may not write */
	CHECK(ASK(MKDIR, at(root_fh, "a"), with_mode(0755))->status ==
	    NFS3_OK);
	rig.peer.proven = false;	/* uid 0 is squashed */
	CHECK(ASK(MKDIR, at(root_fh, "b"), with_mode(0755))->status ==
	    NFS3ERR_ACCES);
	rig.peer.proven = true;
	rig.cred.flavor = RPC_AUTH_NONE;
	CHECK(ASK(MKDIR, at(root_fh, "b"), with_mode(0755))->status ==
	    NFS3ERR_ACCES);
	rig_stop();
}

/* --------------------------------------------------------------- files -- */

static void
test_what_is_written_is_read(void)
{
	WRITE3res *w;
	READ3res *r;
	nfs_fh3 fh;

	start();
	fh = create(root_fh, "f");
	w = write_text(fh, 3, "hello");
	CHECK(w->status == NFS3_OK && w->resok.count == 5);
	CHECK(w->resok.committed == UNSTABLE);
	CHECK(w->resok.file_wcc.before.attributes_follow);
	CHECK(w->resok.file_wcc.before.attributes.size == 0);
	CHECK(w->resok.file_wcc.after.attributes.size == 8);

	r = ASK(READ, fh, 0, 100);
	CHECK(r->status == NFS3_OK && r->resok.count == 8 && r->resok.eof);
	CHECK(r->resok.file_attributes.attributes.size == 8);
	/* status, attributes, count, eof, length, then the bytes. */
	assert_memory_equal(rig.reply + 4 + 88 + 4 + 4 + 4, "\0\0\0hello", 8);
	r = ASK(READ, fh, 3, 2);
	CHECK(r->resok.count == 2 && !r->resok.eof);
	r = ASK(READ, fh, 8, 10);
	CHECK(r->status == NFS3_OK && r->resok.count == 0 && r->resok.eof);
	r = ASK(READ, fh, UINT64_MAX, 10);
	CHECK(r->status == NFS3_OK && r->resok.count == 0 && r->resok.eof);
	rig_stop();
}

static void
test_write_and_commit_have_one_verifier(void)
{
	writeverf3 verf;
	COMMIT3res *c;
	nfs_fh3 fh;

	start();
	fh = create(root_fh, "f");
	memcpy(verf, write_text(fh, 0, "x")->resok.verf, 8);
	c = ASK(COMMIT, fh, 0, 0);
	CHECK(c->status == NFS3_OK);
	CHECK(memcmp(c->resok.verf, verf, 8) == 0);
	CHECK(c->resok.file_wcc.after.attributes_follow);
	pinefs_data_lost(rig.toy->fs);
	c = ASK(COMMIT, fh, 0, 0);
	CHECK(memcmp(c->resok.verf, verf, 8) != 0);
	CHECK(ASK(COMMIT, fh, UINT64_MAX, 5)->status == NFS3ERR_INVAL);
	rig_stop();
}

static void
test_writes_that_cannot_be_are_refused(void)
{
	nfs_fh3 fh;

	start();
	fh = create(root_fh, "f");
	CHECK(ASK(WRITE, fh, 0, 4, FILE_SYNC, text("hello"))->status ==
	    NFS3ERR_INVAL);
	CHECK(ASK(WRITE, fh, 0, 6, FILE_SYNC, text("hello"))->status ==
	    NFS3ERR_INVAL);
	CHECK(write_text(fh, INT64_MAX, "hello")->status == NFS3ERR_FBIG);
	CHECK(write_text(fh, UINT64_MAX, "hello")->status == NFS3ERR_FBIG);
	CHECK(write_text(root_fh, 0, "hello")->status == NFS3ERR_INVAL);
	CHECK(ASK(WRITE, fh, 0, 0, FILE_SYNC, text(""))->status == NFS3_OK);
	rig_stop();
}

static void
test_transfers_are_as_large_as_fsinfo_says(void)
{
	FSINFO3res *r;
	nfs_fh3 fh;

	start();
	r = ASK(FSINFO, root_fh);
	CHECK(r->status == NFS3_OK);
	CHECK(r->resok.rtmax == 1 << 20 && r->resok.wtmax == 1 << 20);
	CHECK(r->resok.dtpref == 65536);
	CHECK(r->resok.maxfilesize == INT64_MAX);
	CHECK(r->resok.time_delta.seconds == 0);
	CHECK(r->resok.time_delta.nseconds == 1);
	CHECK(r->resok.properties == (FSF3_LINK | FSF3_SYMLINK |
	    FSF3_HOMOGENEOUS | FSF3_CANSETTIME));
	rig.peer.udp = true;
	r = ASK(FSINFO, root_fh);
	CHECK(r->resok.rtmax == 32768 && r->resok.wtmax == 32768);
	CHECK(r->resok.dtpref == 32768);

	fh = create(root_fh, "f");
	rig.toy->obj[1].attr.size = TOY_BYTES;
	CHECK(ASK(READ, fh, 0, 65536)->resok.count == 32768);
	rig_stop();
}

static void
test_the_file_system_is_told_truly(void)
{
	FSSTAT3res *s;
	PATHCONF3res *p;

	start();
	s = ASK(FSSTAT, root_fh);
	CHECK(s->status == NFS3_OK);
	CHECK(s->resok.tbytes == UINT64_C(3) << 44);
	CHECK(s->resok.abytes == UINT64_C(1) << 44);
	CHECK(s->resok.tfiles == TOY_OBJECTS && s->resok.afiles == 5);
	p = ASK(PATHCONF, root_fh);
	CHECK(p->status == NFS3_OK);
	CHECK(p->resok.linkmax == 1000 && p->resok.name_max == 255);
	CHECK(p->resok.no_trunc && p->resok.case_preserving);
	CHECK(!p->resok.case_insensitive && p->resok.chown_restricted);
	rig_stop();
}

/* --------------------------------------------------------------- names -- */

static void
test_create_in_its_three_modes(void)
{
	CREATE3res *r;
	nfs_fh3 fh;

	start();
	fh = create(root_fh, "f");
	write_text(fh, 0, "hello");
	r = ASK(CREATE, at(root_fh, "f"), how(GUARDED, NULL));
	CHECK(r->status == NFS3ERR_EXIST);
	CHECK(r->resfail.dir_wcc.before.attributes_follow);
	CHECK(r->resfail.dir_wcc.after.attributes_follow);
	CHECK(r->resfail.dir_wcc.before.attributes.ctime.seconds ==
	    r->resfail.dir_wcc.after.attributes.ctime.seconds);
	r = ASK(CREATE, at(root_fh, "f"), how(UNCHECKED, NULL));
	CHECK(r->status == NFS3_OK);
	CHECK(r->resok.obj_attributes.attributes.size == 5);

	r = ASK(CREATE, at(root_fh, "x"), how(EXCLUSIVE, "verifier"));
	CHECK(r->status == NFS3_OK);
	CHECK(r->resok.dir_wcc.before.attributes_follow);
	CHECK(r->resok.obj_attributes.attributes.mode == 0600);
	/* Retransmitted, with nothing of it left in a replay cache. */
	r = ASK(CREATE, at(root_fh, "x"), how(EXCLUSIVE, "verifier"));
	CHECK(r->status == NFS3_OK);
	r = ASK(CREATE, at(root_fh, "x"), how(EXCLUSIVE, "another1"));
	CHECK(r->status == NFS3ERR_EXIST);
	rig_stop();
}

static void
test_unchecked_create_with_size_0_truncates(void)
{
	createhow3 h = how(UNCHECKED, NULL);
	nfs_fh3 fh;

	start();
	fh = create(root_fh, "f");
	write_text(fh, 0, "hello");
	h.obj_attributes.size.set_it = true;
	CHECK(ASK(CREATE, at(root_fh, "f"), h)->status == NFS3_OK);
	CHECK(attributes(fh).size == 0);
	rig_stop();
}

static void
test_each_type_can_be_made(void)
{
	static const ftype3 types[] = { NF3BLK, NF3CHR, NF3SOCK, NF3FIFO };
	static const char *const names[] = { "b", "c", "s", "p" };

	start();
	for (unsigned i = 0; i < 4; i++) {
		mknoddata3 what = { .type = types[i] };
		MKNOD3res *r;
		fattr3 f;

		if (types[i] == NF3BLK || types[i] == NF3CHR) {
			what.device.dev_attributes = with_mode(0640);
			what.device.spec = (specdata3){ 300, 70000 };
		} else {
			what.pipe_attributes = with_mode(0640);
		}
		r = ASK(MKNOD, at(root_fh, names[i]), what);
		CHECK(r->status == NFS3_OK);
		f = attributes(keep(r->resok.obj.handle));
		CHECK(f.type == types[i] && f.mode == 0640);
		CHECK(f.rdev.specdata1 == (i < 2 ? 300u : 0u));
		CHECK(f.rdev.specdata2 == (i < 2 ? 70000u : 0u));
	}
	CHECK(ASK(MKNOD, at(root_fh, "r"), { .type = NF3REG })->status ==
	    NFS3ERR_BADTYPE);
	CHECK(ASK(MKNOD, at(root_fh, "d"), { .type = NF3DIR })->status ==
	    NFS3ERR_BADTYPE);
	rig_stop();
}

static void
test_symbolic_links(void)
{
	SYMLINK3res *s;
	READLINK3res *r;
	nfs_fh3 fh;

	start();
	s = ASK(SYMLINK, at(root_fh, "l"), { with_mode(0777),
	    text("over/there") });
	CHECK(s->status == NFS3_OK);
	fh = keep(s->resok.obj.handle);
	r = ASK(READLINK, fh);
	CHECK(r->status == NFS3_OK && r->resok.data.len == 10);
	assert_memory_equal(rig.reply + 4 + 88 + 4, "over/there", 10);
	CHECK(ASK(READLINK, root_fh)->status == NFS3ERR_INVAL);
	CHECK(ASK(SYMLINK, at(root_fh, "m"), { with_mode(0777),
	    text("") })->status == NFS3ERR_INVAL);
	rig_stop();
}

static void
test_remove_is_for_files_and_rmdir_for_directories(void)
{
	nfs_fh3 dir;
	REMOVE3res *r;

	start();
	create(root_fh, "f");
	dir = keep(ASK(MKDIR, at(root_fh, "d"), with_mode(0755))->
	    resok.obj.handle);
	create(dir, "g");
	CHECK(ASK(REMOVE, at(root_fh, "d"))->status == NFS3ERR_ISDIR);
	CHECK(ASK(RMDIR, at(root_fh, "f"))->status == NFS3ERR_NOTDIR);
	CHECK(ASK(RMDIR, at(root_fh, "d"))->status == NFS3ERR_NOTEMPTY);
	r = ASK(REMOVE, at(dir, "g"));
	CHECK(r->status == NFS3_OK);
	CHECK(r->resok.dir_wcc.before.attributes_follow);
	CHECK(r->resok.dir_wcc.after.attributes_follow);
	CHECK(ASK(REMOVE, at(dir, "g"))->status == NFS3ERR_NOENT);
	CHECK(ASK(RMDIR, at(root_fh, "d"))->status == NFS3_OK);
	CHECK(ASK(LOOKUP, at(root_fh, "d"))->status == NFS3ERR_NOENT);
	rig_stop();
}

static void
test_rename_and_link(void)
{
	nfs_fh3 f, d;
	RENAME3res *r;
	LINK3res *l;

	start();
	f = create(root_fh, "f");
	d = keep(ASK(MKDIR, at(root_fh, "d"), with_mode(0755))->
	    resok.obj.handle);
	r = ASK(RENAME, at(root_fh, "f"), at(d, "g"));
	CHECK(r->status == NFS3_OK);
	CHECK(r->resok.fromdir_wcc.before.attributes_follow);
	CHECK(r->resok.todir_wcc.before.attributes_follow);
	CHECK(r->resok.todir_wcc.after.attributes.fileid !=
	    r->resok.fromdir_wcc.after.attributes.fileid);
	CHECK(attributes(look_up(d, "g")).fileid == attributes(f).fileid);
	CHECK(ASK(RENAME, at(root_fh, "d"), at(d, "d"))->status ==
	    NFS3ERR_INVAL);
	CHECK(ASK(RENAME, at(root_fh, "no"), at(d, "d"))->status ==
	    NFS3ERR_NOENT);

	l = ASK(LINK, f, at(root_fh, "h"));
	CHECK(l->status == NFS3_OK);
	CHECK(l->resok.file_attributes.attributes.nlink == 2);
	CHECK(l->resok.linkdir_wcc.before.attributes_follow);
	CHECK(ASK(LINK, f, at(root_fh, "h"))->status == NFS3ERR_EXIST);
	CHECK(ASK(LINK, d, at(root_fh, "i"))->status == NFS3ERR_PERM);
	rig_stop();
}

static void
test_two_exports_do_not_mix(void)
{
	struct pinefs_ident id = { .fileid = TOY_FIRST_ID, .generation = 7 };
	uint8_t bytes[NFS_FH_MAX3];
	nfs_fh3 other;
	uint32_t len;

	start();
	rig.other = rig.export;
	rig.other.id = 99;
	rig.export.next = &rig.other;
	rig.exports.n = 2;
	nfs_fh_make(&rig.nfs.keys, 99, &id, NFS_FH_MAX3, bytes, &len);
	other.data = xdr_view(bytes, len);
	create(root_fh, "f");
	CHECK(ASK(RENAME, at(root_fh, "f"), at(other, "f"))->status ==
	    NFS3ERR_XDEV);
	CHECK(ASK(LINK, look_up(root_fh, "f"), at(other, "g"))->status ==
	    NFS3ERR_XDEV);
	CHECK(attributes(other).fsid == 99);
	rig_stop();
}

static void
test_names_that_cannot_be(void)
{
	static char long_name[257];
	static const char *const bad[] = { "", ".", "..", "a/b" };

	memset(long_name, 'n', 256);
	start();
	for (unsigned i = 0; i < 4; i++) {
		CHECK(ASK(CREATE, at(root_fh, bad[i]), how(GUARDED, NULL))->
		    status == NFS3ERR_INVAL);
		CHECK(ASK(MKDIR, at(root_fh, bad[i]), with_mode(0))->status ==
		    NFS3ERR_INVAL);
		CHECK(ASK(REMOVE, at(root_fh, bad[i]))->status ==
		    NFS3ERR_INVAL);
		CHECK(ASK(RMDIR, at(root_fh, bad[i]))->status ==
		    NFS3ERR_INVAL);
		CHECK(ASK(RENAME, at(root_fh, bad[i]), at(root_fh, "x"))->
		    status == NFS3ERR_INVAL);
	}
	CHECK(ASK(CREATE, at(root_fh, long_name), how(GUARDED, NULL))->
	    status == NFS3ERR_NAMETOOLONG);
	CHECK(ASK(LOOKUP, at(root_fh, long_name))->status ==
	    NFS3ERR_NAMETOOLONG);
	CHECK(ASK(LOOKUP, at(root_fh, ""))->status == NFS3ERR_ACCES);
	CHECK(attributes(look_up(root_fh, ".")).fileid == TOY_FIRST_ID);
	CHECK(attributes(look_up(root_fh, "..")).fileid == TOY_FIRST_ID);
	long_name[255] = '\0';
	create(root_fh, long_name);
	rig_stop();
}

/* ------------------------------------------------------------ listings -- */

/* Names in pages of `count` bytes; how many, and each once. */
static unsigned
list(uint32_t count, bool plus)
{
	bool seen[TOY_ENTRIES] = { false }, eof = false;
	uint64_t cookie = 0;
	unsigned n = 0;

	while (!eof) {
		unsigned before = n;

		if (plus) {
			READDIRPLUS3res *r = ASK(READDIRPLUS, root_fh, cookie,
			    { 0 }, count, count);

			CHECK(r->status == NFS3_OK);
			CHECK(rig.reply_len - 4 <= count);
			for (entryplus3 *e = r->resok.reply.entries;
			    e != NULL; e = e->nextentry, n++) {
				CHECK(e->cookie > cookie);
				cookie = e->cookie;
				CHECK(e->name_attributes.attributes_follow);
				CHECK(e->name_attributes.attributes.fileid ==
				    e->fileid);
				CHECK(e->name_handle.handle_follows);
				if (cookie > 2) {
					CHECK(!seen[cookie - 3]);
					seen[cookie - 3] = true;
				}
			}
			eof = r->resok.reply.eof;
		} else {
			READDIR3res *r = ASK(READDIR, root_fh, cookie, { 0 },
			    count);

			CHECK(r->status == NFS3_OK);
			CHECK(rig.reply_len - 4 <= count);
			for (entry3 *e = r->resok.reply.entries; e != NULL;
			    e = e->nextentry, n++) {
				CHECK(e->cookie > cookie);
				cookie = e->cookie;
			}
			eof = r->resok.reply.eof;
		}
		CHECK(eof || n > before);
	}
	return n;
}

static void
fill(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof name, "name-%u-%.*s", i, (int)(i % 9),
		    "abcdefghi");
		toy_add(rig.toy, &rig.toy->obj[0], name, PINEFS_REG, 0644,
		    "");
	}
}

static void
test_pages_of_any_size_lose_and_double_nothing(void)
{
	start();
	fill(50);
	for (uint32_t count = 320; count < 9000; count = count * 5 / 3) {
		CHECK(list(count, false) == 52);
		CHECK(list(count, true) == 52);
	}
	rig_stop();
}

static void
test_a_page_too_small_for_one_entry_says_so(void)
{
	READDIR3res *r;

	start();
	for (uint32_t count = 0; count < 104; count++) {
		r = ASK(READDIR, root_fh, 0, { 0 }, count);
		CHECK(r->status == NFS3ERR_TOOSMALL);
		CHECK(r->resfail.dir_attributes.attributes_follow);
		CHECK(ASK(READDIRPLUS, root_fh, 0, { 0 }, 0, count)->status ==
		    NFS3ERR_TOOSMALL);
	}
	CHECK(ASK(READDIR, root_fh, 0, { 0 }, 131)->status ==
	    NFS3ERR_TOOSMALL);
	r = ASK(READDIR, root_fh, 0, { 0 }, 132);	/* "." has 28 */
	CHECK(r->status == NFS3_OK && !r->resok.reply.eof);
	rig_stop();
}

static void
test_an_empty_rest_is_ok_and_eof(void)
{
	READDIR3res *r;

	start();
	fill(3);
	r = ASK(READDIR, root_fh, 5, { 0 }, 4096);
	CHECK(r->status == NFS3_OK);
	CHECK(r->resok.reply.entries == NULL && r->resok.reply.eof);
	r = ASK(READDIR, root_fh, 12345, { 1, 2, 3 }, 4096);
	CHECK(r->status == NFS3_OK && r->resok.reply.eof);
	CHECK(ASK(READDIR, look_up(root_fh, "name-0-"), .count = 4096)->
	    status == NFS3ERR_NOTDIR);
	rig_stop();
}

static void
test_entries_removed_between_pages_do_not_matter(void)
{
	READDIR3res *r;
	uint64_t cookie;

	start();
	fill(20);
	r = ASK(READDIR, root_fh, 0, { 0 }, 400);
	cookie = 0;
	for (entry3 *e = r->resok.reply.entries; e != NULL; e = e->nextentry)
		cookie = e->cookie;
	CHECK(cookie > 2);
	/* Also the very one whose cookie we hold. */
	for (unsigned i = 0; i < cookie; i++)
		rig.toy->obj[0].entry[i].obj = NULL;
	r = ASK(READDIR, root_fh, cookie, { 0 }, 65536);
	CHECK(r->status == NFS3_OK && r->resok.reply.eof);
	CHECK(r->resok.reply.entries->cookie == cookie + 3);
	rig_stop();
}

/* ------------------------------------------------------------- failing -- */

static void
test_later_is_jukebox(void)
{
	start();
	rig.toy->fail = EAGAIN;
	rig.toy->fail_times = 1;
	CHECK(ASK(LOOKUP, at(root_fh, "a"))->status == NFS3ERR_JUKEBOX);
	CHECK(rig.waits == 0);
	rig_stop();
}

static void
test_an_unknown_error_is_a_server_fault(void)
{
	start();
	rig.toy->fail = EBADF;
	rig.toy->fail_times = 1;
	CHECK(ASK(LOOKUP, at(root_fh, "a"))->status == NFS3ERR_SERVERFAULT);
	rig_stop();
}

/* ------------------------------------------ at once, or each step later -- */

struct transcript {
	uint8_t	*bytes;
	size_t	 len;
	unsigned runs;
};

static void
note(struct transcript *t)
{
	memcpy(t->bytes + t->len, rig.reply, rig.reply_len);
	t->len += rig.reply_len;
	t->runs += rig.runs;
}

/* A bit of everything, noting each reply as the client gets it. */
static void
conversation(struct transcript *t, bool later)
{
	nfs_fh3 f, d;

	start();
	rig.toy->later = later;
#define NOTED(call) ((void)(call), note(t))
	NOTED(ASK(CREATE, at(root_fh, "f"), how(EXCLUSIVE, "12345678")));
	f = look_up(root_fh, "f");
	NOTED(ASK(SETATTR, f, with_mode(06755), { 0 }));
	NOTED(ASK(MKDIR, at(root_fh, "d"), with_mode(01777)));
	d = look_up(root_fh, "d");
	/* The verifier is random: only its place is compared. */
	write_text(f, 5, "hello");
	memset(rig.reply + rig.reply_len - 8, 0, 8);
	note(t);
	ASK(COMMIT, f, 0, 0);
	memset(rig.reply + rig.reply_len - 8, 0, 8);
	note(t);
	NOTED(ASK(READ, f, 3, 4));
	NOTED(ASK(READ, d, 3, 4));
	/* Failures come later too, and their attributes after them. */
	rig.toy->fail = ENOSPC;
	rig.toy->fail_times = 1;
	NOTED(write_text(f, 5, "world"));
	rig.toy->fail_times = 1;
	NOTED(ASK(SETATTR, f, with_mode(0), { 0 }));
	rig.toy->fail_times = 1;
	NOTED(ASK(MKDIR, at(root_fh, "no"), with_mode(0)));
	rig.toy->fail_times = 1;
	NOTED(ASK(COMMIT, f, 0, 0));
	NOTED(ASK(SYMLINK, at(d, "l"), { with_mode(0777), text("../f") }));
	NOTED(ASK(READLINK, look_up(d, "l")));
	NOTED(ASK(MKNOD, at(d, "p"), { .type = NF3FIFO }));
	NOTED(ASK(LINK, f, at(d, "g")));
	NOTED(ASK(RENAME, at(d, "g"), at(root_fh, "h")));
	NOTED(ASK(RENAME, at(root_fh, "d"), at(d, "in")));
	NOTED(ASK(RENAME, at(root_fh, "nothing"), at(d, "g")));
	NOTED(ASK(READDIR, root_fh, 0, { 0 }, 4096));
	NOTED(ASK(READDIRPLUS, root_fh, 0, { 0 }, 4096, 4096));
	NOTED(ASK(READDIRPLUS, d, 1, { 0 }, 4096, 8192));
	NOTED(ASK(LOOKUP, at(d, "..")));
	NOTED(ASK(LOOKUP, at(d, "nothing")));
	NOTED(ASK(ACCESS, f, 63));
	NOTED(ASK(FSSTAT, f));
	NOTED(ASK(FSINFO, f));
	NOTED(ASK(PATHCONF, f));
	NOTED(ASK(REMOVE, at(d, "p")));
	NOTED(ASK(REMOVE, at(root_fh, "d")));
	NOTED(ASK(RMDIR, at(root_fh, "d")));
	NOTED(ASK(REMOVE, at(root_fh, "h")));
	NOTED(ASK(GETATTR, f));
	NOTED(ASK(GETATTR, d));
	rig_stop();
}

static void
test_replies_are_the_same_when_each_step_comes_later(void)
{
	struct transcript now = { malloc(1 << 20), 0, 0 };
	struct transcript later = { malloc(1 << 20), 0, 0 };

	conversation(&now, false);
	conversation(&later, true);
	CHECK(later.runs > now.runs * 2);
	CHECK(now.len == later.len);
	assert_memory_equal(now.bytes, later.bytes, now.len);
	free(now.bytes);
	free(later.bytes);
}

CHECK_MAIN(
	CHECK_TEST(test_every_bit_of_a_handle_counts),
	CHECK_TEST(test_a_removed_object_is_stale),
	CHECK_TEST(test_getattr_tells_everything),
	CHECK_TEST(test_times_beyond_the_wire_stay_at_its_ends),
	CHECK_TEST(test_setattr_sets_what_is_asked_and_tells_both_sides),
	CHECK_TEST(test_a_guard_that_differs_is_not_sync),
	CHECK_TEST(test_bad_values_to_set_are_refused),
	CHECK_TEST(test_access_answers_only_what_is_asked),
	CHECK_TEST(test_an_export_that_refuses_says_so_in_every_procedure),
	CHECK_TEST(test_a_call_without_memory_is_asked_to_come_again),
	CHECK_TEST(test_only_proven_root_is_root),
	CHECK_TEST(test_what_is_written_is_read),
	CHECK_TEST(test_write_and_commit_have_one_verifier),
	CHECK_TEST(test_writes_that_cannot_be_are_refused),
	CHECK_TEST(test_transfers_are_as_large_as_fsinfo_says),
	CHECK_TEST(test_the_file_system_is_told_truly),
	CHECK_TEST(test_create_in_its_three_modes),
	CHECK_TEST(test_unchecked_create_with_size_0_truncates),
	CHECK_TEST(test_each_type_can_be_made),
	CHECK_TEST(test_symbolic_links),
	CHECK_TEST(test_remove_is_for_files_and_rmdir_for_directories),
	CHECK_TEST(test_rename_and_link),
	CHECK_TEST(test_two_exports_do_not_mix),
	CHECK_TEST(test_names_that_cannot_be),
	CHECK_TEST(test_pages_of_any_size_lose_and_double_nothing),
	CHECK_TEST(test_a_page_too_small_for_one_entry_says_so),
	CHECK_TEST(test_an_empty_rest_is_ok_and_eof),
	CHECK_TEST(test_entries_removed_between_pages_do_not_matter),
	CHECK_TEST(test_later_is_jukebox),
	CHECK_TEST(test_an_unknown_error_is_a_server_fault),
	CHECK_TEST(test_replies_are_the_same_when_each_step_comes_later),
)
