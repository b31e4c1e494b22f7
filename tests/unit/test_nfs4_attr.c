/* Attributes of version 4: each row, sets of them, what may be set. */
#include "nfs4_rig.h"

#include "nfs/nfs4_attr.h"
#include "nfs/nfs4_pseudo.h"

enum { MINORS = 3 };

/* Bytes of each value; 0: of no fixed size. */
static const uint8_t value_size[NFS4_ATTRS] = {
	[FATTR4_TYPE] = 4, [FATTR4_FH_EXPIRE_TYPE] = 4, [FATTR4_CHANGE] = 8,
	[FATTR4_SIZE] = 8, [FATTR4_LINK_SUPPORT] = 4,
	[FATTR4_SYMLINK_SUPPORT] = 4, [FATTR4_NAMED_ATTR] = 4,
	[FATTR4_FSID] = 16, [FATTR4_UNIQUE_HANDLES] = 4,
	[FATTR4_LEASE_TIME] = 4, [FATTR4_RDATTR_ERROR] = 4,
	[FATTR4_CANSETTIME] = 4, [FATTR4_CASE_INSENSITIVE] = 4,
	[FATTR4_CASE_PRESERVING] = 4, [FATTR4_CHOWN_RESTRICTED] = 4,
	[FATTR4_FILEHANDLE] = 36, [FATTR4_FILEID] = 8,
	[FATTR4_FILES_AVAIL] = 8, [FATTR4_FILES_FREE] = 8,
	[FATTR4_FILES_TOTAL] = 8, [FATTR4_HOMOGENEOUS] = 4,
	[FATTR4_MAXFILESIZE] = 8, [FATTR4_MAXLINK] = 4, [FATTR4_MAXNAME] = 4,
	[FATTR4_MAXREAD] = 8, [FATTR4_MAXWRITE] = 8, [FATTR4_MODE] = 4,
	[FATTR4_NO_TRUNC] = 4, [FATTR4_NUMLINKS] = 4, [FATTR4_RAWDEV] = 8,
	[FATTR4_SPACE_AVAIL] = 8, [FATTR4_SPACE_FREE] = 8,
	[FATTR4_SPACE_TOTAL] = 8, [FATTR4_SPACE_USED] = 8,
	[FATTR4_TIME_ACCESS] = 12, [FATTR4_TIME_CREATE] = 12,
	[FATTR4_TIME_DELTA] = 12, [FATTR4_TIME_METADATA] = 12,
	[FATTR4_TIME_MODIFY] = 12, [FATTR4_MOUNTED_ON_FILEID] = 8,
	[FATTR4_CLONE_BLKSIZE] = 4, [FATTR4_CHANGE_ATTR_TYPE] = 4,
	[FATTR4_XATTR_SUPPORT] = 4,
};

static struct toy_obj *
add(const char *name, uint32_t type, const char *bytes)
{
	return toy_add(rig.toy, &rig.toy->obj[0], name, type, 0644, bytes);
}

/* What an object's attributes are said to be; of the last call. */
static fattr4 *
ask(uint32_t minor, nfs_fh4 fh, bitmap4 asked)
{
	op_putfh(fh);
	op_getattr(asked);
	assert_int_equal(run(minor), NFS4_OK);
	return &RES(1, opgetattr).resok4.obj_attributes;
}

static uint64_t
ask_u64(uint32_t minor, nfs_fh4 fh, int attr)
{
	return xdr_load_u64(ask(minor, fh, ATTRS(attr))->attr_vals.data);
}

static uint32_t
ask_u32(uint32_t minor, nfs_fh4 fh, int attr)
{
	return xdr_load_u32(ask(minor, fh, ATTRS(attr))->attr_vals.data);
}

static bool
has(const bitmap4 *b, unsigned attr)
{
	return attr / 32 < b->n && (b->v[attr / 32] & 1u << attr % 32) != 0;
}

/* --------------------------------------------------------------- getting -- */

static bool
is_served(uint32_t minor, unsigned attr)
{
	const struct nfs4_attr_row *row = nfs4_attr_row(attr);

	/* The toy cannot clone. */
	return row != NULL && row->from <= minor &&
	    attr != FATTR4_CLONE_BLKSIZE;
}

static void
test_each_attribute_by_itself(void)
{
	nfs_fh4 fh;

	rig4_start();
	fh = root();
	for (uint32_t minor = 0; minor < MINORS; minor++) {
		for (unsigned i = 0; i < 96; i++) {
			fattr4 *f;

			op_putfh(fh);
			op_getattr(ATTRS((int)i));
			if (is_served(minor, i) && !nfs4_attr_row(i)->read) {
				CHECK(run(minor) == NFS4ERR_INVAL);
				continue;
			}
			CHECK(run(minor) == NFS4_OK);
			f = &RES(1, opgetattr).resok4.obj_attributes;
			CHECK(has(&f->attrmask, i) == is_served(minor, i));
			if (!is_served(minor, i)) {
				CHECK(f->attrmask.n == 0);
				CHECK(f->attr_vals.len == 0);
			} else if (value_size[i] != 0) {
				CHECK(f->attrmask.n == i / 32 + 1);
				CHECK(f->attr_vals.len == value_size[i]);
			}
		}
	}
	rig4_stop();
}

/* All at once are the same bytes as one after the other. */
static void
test_values_stand_in_the_order_of_their_bits(void)
{
	uint8_t one[2048];
	uint32_t w[3], n;
	fattr4 *f;
	nfs_fh4 fh;

	rig4_start();
	fh = root();
	for (uint32_t minor = 0; minor < MINORS; minor++) {
		n = 0;
		memset(w, 0, sizeof w);
		for (unsigned i = 0; i < 96; i++) {
			if (is_served(minor, i) && !nfs4_attr_row(i)->read)
				continue;
			w[i / 32] |= 1u << i % 32;
			f = ask(minor, fh, ATTRS((int)i));
			memcpy(one + n, f->attr_vals.data, f->attr_vals.len);
			n += f->attr_vals.len;
		}
		f = ask(minor, fh, (bitmap4){ w, 3 });
		CHECK(f->attr_vals.len == n);
		CHECK(n <= NFS4_ATTR_BYTES);
		CHECK(memcmp(f->attr_vals.data, one, n) == 0);
	}
	rig4_stop();
}

static void
test_supported_attrs_are_those_of_the_minor_version(void)
{
	nfs_fh4 fh;

	rig4_start();
	fh = root();
	for (uint32_t minor = 0; minor < MINORS; minor++) {
		fattr4 *f = ask(minor, fh, ATTRS(FATTR4_SUPPORTED_ATTRS));
		const uint8_t *p = f->attr_vals.data;
		uint32_t n = xdr_load_u32(p);

		CHECK(f->attr_vals.len == 4 + 4 * n);
		CHECK(n == (minor == 0 ? 2 : 3));
		for (unsigned i = 0; i < 32 * n; i++)
			CHECK(((xdr_load_u32(p + 4 + i / 32 * 4) >> i % 32 &
			    1) != 0) == is_served(minor, i));
	}
	/* PROTOCOL 6: never layouts. */
	CHECK(nfs4_attr_row(62) == NULL && nfs4_attr_row(64) == NULL &&
	    nfs4_attr_row(65) == NULL);
	rig4_stop();
}

static void
test_attributes_are_the_objects(void)
{
	struct toy_obj *o;
	nfs_fh4 fh;
	const uint8_t *p;

	rig4_start();
	o = add("f", PINEFS_REG, "hello");
	o->attr.mode = 04751;
	o->attr.uid = 4294967294;
	o->attr.gid = 0;
	o->attr.mtime = (struct timespec){ -2, 7 };
	fh = look_up(root(), "f");
	CHECK(ask_u32(0, fh, FATTR4_TYPE) == NF4REG);
	CHECK(ask_u32(0, fh, FATTR4_MODE) == 04751);
	CHECK(ask_u64(0, fh, FATTR4_SIZE) == 5);
	CHECK(ask_u64(0, fh, FATTR4_CHANGE) == o->attr.change);
	CHECK(ask_u64(0, fh, FATTR4_FILEID) == o->fileid);
	CHECK(ask_u64(0, fh, FATTR4_MOUNTED_ON_FILEID) == o->fileid);
	CHECK(ask_u64(0, fh, FATTR4_FSID) == rig.export.id);
	CHECK(ask_u64(0, fh, FATTR4_MAXREAD) == 1 << 20);
	CHECK(ask_u64(0, fh, FATTR4_MAXWRITE) == 1 << 20);
	CHECK(ask_u32(0, fh, FATTR4_LEASE_TIME) == 60);
	CHECK(ask_u32(2, fh, FATTR4_CHANGE_ATTR_TYPE) ==
	    NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR);
	p = ask(0, fh, ATTRS(FATTR4_TIME_MODIFY))->attr_vals.data;
	CHECK((int64_t)xdr_load_u64(p) == -2 && xdr_load_u32(p + 8) == 7);
	p = ask(0, fh, ATTRS(FATTR4_OWNER))->attr_vals.data;
	CHECK(memcmp(p, "\0\0\0\x0a" "4294967294\0\0", 16) == 0);
	p = ask(0, fh, ATTRS(FATTR4_OWNER_GROUP))->attr_vals.data;
	CHECK(memcmp(p, "\0\0\0\1" "0\0\0\0", 8) == 0);
	rig4_stop();
}

static void
test_a_mask_may_be_longer_than_we_know(void)
{
	uint32_t w[5] = { 1u << FATTR4_TYPE, 0, 0, UINT32_MAX, UINT32_MAX };
	fattr4 *f;

	rig4_start();
	f = ask(0, root(), (bitmap4){ w, 5 });
	CHECK(f->attrmask.n == 1 && f->attr_vals.len == 4);
	rig4_stop();
}

/* ----------------------------------------------------------- pseudo-root -- */

static void
test_the_pseudo_root_has_attributes_like_any_directory(void)
{
	nfs_fh4 top, a;

	rig4_start();
	EXPORTS("/a", "/b");
	top = root();
	a = look_up(top, "a");
	for (unsigned i = 0; i < 96; i++) {
		if (!is_served(2, i) || !nfs4_attr_row(i)->read)
			continue;
		CHECK(has(&ask(2, top, ATTRS((int)i))->attrmask, i));
	}
	CHECK(ask_u32(0, top, FATTR4_TYPE) == NF4DIR);
	CHECK(ask_u64(0, top, FATTR4_FSID) == 0);
	CHECK(ask_u64(0, top, FATTR4_FILEID) != 0);
	CHECK(ask_u64(0, top, FATTR4_CHANGE) != 0);
	/* At a junction the covered directory has an id of its own. */
	CHECK(ask_u64(0, a, FATTR4_FSID) == 0x100);
	CHECK(ask_u64(0, a, FATTR4_FILEID) == TOY_FIRST_ID);
	CHECK(ask_u64(0, a, FATTR4_MOUNTED_ON_FILEID) ==
	    nfs4_covered_fileid(&v4.more[0]));
	rig4_stop();
}

/* --------------------------------------------------------------- setting -- */

struct value {
	uint8_t		bytes[128];
	uint32_t	len;
};

static void
put_u32(struct value *v, uint32_t n)
{
	xdr_store_u32(v->bytes + v->len, n);
	v->len += 4;
}

static void
put_u64(struct value *v, uint64_t n)
{
	xdr_store_u64(v->bytes + v->len, n);
	v->len += 8;
}

static void
put_text(struct value *v, const char *s)
{
	uint32_t n = (uint32_t)strlen(s);

	put_u32(v, n);
	memset(v->bytes + v->len, 0, (n + 3) & ~3u);
	memcpy(v->bytes + v->len, s, n);
	v->len += (n + 3) & ~3u;
}

static nfsstat4
set(uint32_t minor, nfs_fh4 fh, bitmap4 mask, const struct value *v)
{
	op_putfh(fh);
	op(OP_SETATTR)->opsetattr.obj_attributes = (fattr4){ mask,
	    xdr_view(v->bytes, v->len) };
	return run(minor);
}

static void
test_setattr_sets_all_it_can_and_says_so(void)
{
	struct value v = { .len = 0 };
	struct toy_obj *o;
	bitmap4 done;
	nfs_fh4 fh;

	rig4_start();
	o = add("f", PINEFS_REG, "hello");
	fh = look_up(root(), "f");
	put_u64(&v, 3);
	put_u32(&v, 0600);
	put_text(&v, "12");
	put_text(&v, "34@example.org");
	put_u32(&v, SET_TO_CLIENT_TIME4);
	put_u64(&v, 77);
	put_u32(&v, 5);
	put_u64(&v, 1);			/* time_create: the toy ignores it */
	put_u32(&v, 2);
	put_u32(&v, SET_TO_SERVER_TIME4);
	CHECK(set(0, fh, ATTRS(FATTR4_SIZE, FATTR4_MODE, FATTR4_OWNER,
	    FATTR4_OWNER_GROUP, FATTR4_TIME_ACCESS_SET, FATTR4_TIME_CREATE,
	    FATTR4_TIME_MODIFY_SET), &v) == NFS4_OK);
	done = RES(1, opsetattr).attrsset;
	CHECK(done.n == 2 && done.v[0] == 1u << FATTR4_SIZE);
	CHECK(has(&done, FATTR4_MODE) && has(&done, FATTR4_TIME_MODIFY_SET));
	CHECK(o->attr.size == 3 && o->attr.mode == 0600);
	CHECK(o->attr.uid == 12 && o->attr.gid == 34);
	CHECK(o->attr.atime.tv_sec == 77 && o->attr.atime.tv_nsec == 5);
	CHECK(o->attr.mtime.tv_nsec == 9);
	CHECK(set(0, fh, (bitmap4){ NULL, 0 }, &(struct value){ .len = 0 })
	    == NFS4_OK);
	CHECK(RES(1, opsetattr).attrsset.n == 0);
	rig4_stop();
}

static void
test_what_cannot_be_set_is_refused_before_anything_is(void)
{
	static const struct value zeros = { .len = 64 };
	struct toy_obj *o;
	uint64_t change;
	nfs_fh4 fh;

	rig4_start();
	o = add("f", PINEFS_REG, "hello");
	fh = look_up(root(), "f");
	change = o->attr.change;
	for (uint32_t minor = 0; minor < MINORS; minor++) {
		for (unsigned i = 0; i < 128; i++) {
			uint32_t w[4] = { 0 };
			nfsstat4 st;

			if (is_served(minor, i) && nfs4_attr_row(i)->write)
				continue;
			w[i / 32] = 1u << i % 32;
			st = set(minor, fh, (bitmap4){ w, 4 }, &zeros);
			CHECK(st == (is_served(minor, i) ? NFS4ERR_INVAL :
			    NFS4ERR_ATTRNOTSUPP));
			CHECK(RES(1, opsetattr).attrsset.n == 0);
		}
	}
	CHECK(o->attr.change == change);
	rig4_stop();
}

static void
test_values_that_cannot_be(void)
{
	struct value v;
	nfs_fh4 fh;

	rig4_start();
	add("f", PINEFS_REG, "hello");
	fh = look_up(root(), "f");
#define TRY(status, minor, attr, ...) do {				\
	v.len = 0;							\
	__VA_ARGS__;							\
	CHECK(set(minor, fh, ATTRS(attr), &v) == (status));		\
} while (0)
	TRY(NFS4ERR_INVAL, 0, FATTR4_MODE, put_u32(&v, 010000));
	TRY(NFS4ERR_INVAL, 0, FATTR4_TIME_MODIFY_SET,
	    (put_u32(&v, SET_TO_CLIENT_TIME4), put_u64(&v, 1),
	    put_u32(&v, 1000000000)));
	TRY(NFS4ERR_BADXDR, 0, FATTR4_TIME_MODIFY_SET, put_u32(&v, 2));
	TRY(NFS4ERR_BADXDR, 0, FATTR4_MODE, put_u64(&v, 1));
	TRY(NFS4ERR_BADXDR, 0, FATTR4_SIZE, put_u32(&v, 1));
	TRY(NFS4ERR_BADXDR, 0, FATTR4_MODE, (void)0);
	TRY(NFS4ERR_BADOWNER, 0, FATTR4_OWNER, put_text(&v, ""));
	TRY(NFS4ERR_BADOWNER, 0, FATTR4_OWNER, put_text(&v, "nobody"));
	TRY(NFS4ERR_BADOWNER, 0, FATTR4_OWNER, put_text(&v, "x@y"));
	TRY(NFS4ERR_BADOWNER, 0, FATTR4_OWNER, put_text(&v, "-1"));
	TRY(NFS4ERR_BADOWNER, 0, FATTR4_OWNER, put_text(&v, "4294967296"));
	TRY(NFS4ERR_BADOWNER, 0, FATTR4_OWNER, put_text(&v, "12x"));
	TRY(NFS4ERR_BADOWNER, 0, FATTR4_OWNER, put_text(&v, "root"));
	TRY(NFS4_OK, 0, FATTR4_OWNER, put_text(&v, "root@anywhere"));
	TRY(NFS4_OK, 0, FATTR4_OWNER, put_text(&v, "4294967295"));
	TRY(NFS4ERR_FBIG, 0, FATTR4_SIZE, put_u64(&v, UINT64_MAX));
	TRY(NFS4ERR_INVAL, 2, FATTR4_MODE_UMASK,
	    (put_u32(&v, 0644), put_u32(&v, 022)));
#undef TRY
	rig4_stop();
}

static nfsstat4
make_dir(uint32_t minor, bitmap4 mask, const struct value *v)
{
	CREATE4args *a;

	op(OP_PUTROOTFH);
	a = &op(OP_CREATE)->opcreate;
	a->objtype.type = NF4DIR;
	a->objname = text("d");
	a->createattrs = (fattr4){ mask, xdr_view(v->bytes, v->len) };
	op_getattr(ATTRS(FATTR4_MODE));
	return run(minor);
}

static void
test_the_umask_is_the_servers_to_apply(void)
{
	struct value v = { .len = 0 };

	rig4_start();
	put_u32(&v, 02777);
	put_u32(&v, 027);
	CHECK(make_dir(1, ATTRS(FATTR4_MODE_UMASK), &v) ==
	    NFS4ERR_ATTRNOTSUPP);
	CHECK(make_dir(2, ATTRS(FATTR4_MODE_UMASK), &v) == NFS4_OK);
	CHECK(has(&RES(1, opcreate).resok4.attrset, FATTR4_MODE_UMASK));
	CHECK(xdr_load_u32(RES(2, opgetattr).resok4.obj_attributes
	    .attr_vals.data) == 02750);
	v.len = 0;
	put_u32(&v, 0700);
	put_u32(&v, 0777);
	put_u32(&v, 022);
	CHECK(make_dir(2, ATTRS(FATTR4_MODE, FATTR4_MODE_UMASK), &v) ==
	    NFS4ERR_INVAL);
	v.len = 0;
	put_u64(&v, 5);
	CHECK(make_dir(0, ATTRS(FATTR4_SIZE), &v) == NFS4ERR_INVAL);
	rig4_stop();
}

static void
test_an_exclusive_create_may_set_what_can_be_set(void)
{
	fattr4 *f;

	rig4_start();
	f = ask(1, root(), ATTRS(FATTR4_SUPPATTR_EXCLCREAT));
	for (unsigned i = 0; i < 96; i++) {
		const uint8_t *p = f->attr_vals.data;
		bool set = i / 32 < xdr_load_u32(p) &&
		    (xdr_load_u32(p + 4 + i / 32 * 4) >> i % 32 & 1) != 0;

		CHECK(set == (is_served(1, i) && nfs4_attr_row(i)->write));
	}
	rig4_stop();
}

/* ------------------------------------------------------- VERIFY, NVERIFY -- */

static nfsstat4
verify(bool same, bitmap4 mask, const struct value *v)
{
	op(OP_PUTROOTFH);
	op(same ? OP_VERIFY : OP_NVERIFY)->opverify.obj_attributes =
	    (fattr4){ mask, xdr_view(v->bytes, v->len) };
	return run(0);
}

static void
test_verify_compares(void)
{
	struct value v = { .len = 0 }, none = { .len = 0 };

	rig4_start();
	put_u32(&v, NF4DIR);
	put_u64(&v, rig.toy->obj[0].attr.change);
	CHECK(verify(true, ATTRS(FATTR4_TYPE, FATTR4_CHANGE), &v) ==
	    NFS4_OK);
	CHECK(verify(false, ATTRS(FATTR4_TYPE, FATTR4_CHANGE), &v) ==
	    NFS4ERR_SAME);
	v.bytes[11] ^= 1;
	CHECK(verify(true, ATTRS(FATTR4_TYPE, FATTR4_CHANGE), &v) ==
	    NFS4ERR_NOT_SAME);
	CHECK(verify(false, ATTRS(FATTR4_TYPE, FATTR4_CHANGE), &v) ==
	    NFS4_OK);
	CHECK(verify(true, ATTRS(FATTR4_ACL), &v) == NFS4ERR_ATTRNOTSUPP);
	CHECK(verify(false, ATTRS(FATTR4_SUPPATTR_EXCLCREAT), &v) ==
	    NFS4ERR_ATTRNOTSUPP);
	CHECK(verify(true, ATTRS(FATTR4_RDATTR_ERROR), &v) ==
	    NFS4ERR_INVAL);
	CHECK(verify(false, ATTRS(FATTR4_TIME_MODIFY_SET), &v) ==
	    NFS4ERR_INVAL);
	CHECK(verify(true, (bitmap4){ NULL, 0 }, &none) == NFS4_OK);
	rig4_stop();
}

CHECK_MAIN(
	CHECK_TEST(test_each_attribute_by_itself),
	CHECK_TEST(test_values_stand_in_the_order_of_their_bits),
	CHECK_TEST(test_supported_attrs_are_those_of_the_minor_version),
	CHECK_TEST(test_attributes_are_the_objects),
	CHECK_TEST(test_a_mask_may_be_longer_than_we_know),
	CHECK_TEST(test_the_pseudo_root_has_attributes_like_any_directory),
	CHECK_TEST(test_setattr_sets_all_it_can_and_says_so),
	CHECK_TEST(test_what_cannot_be_set_is_refused_before_anything_is),
	CHECK_TEST(test_values_that_cannot_be),
	CHECK_TEST(test_the_umask_is_the_servers_to_apply),
	CHECK_TEST(test_an_exclusive_create_may_set_what_can_be_set),
	CHECK_TEST(test_verify_compares),
)
