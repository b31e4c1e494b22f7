/* Bytes of version 4: READ, WRITE, COMMIT, and the ranges of 4.2. */
#include "nfs4_rig.h"

static const stateid4 anonymous;
static nfs_fh4 top;

static struct toy_obj *
add(const char *name, uint32_t type, const char *bytes)
{
	return toy_add(rig.toy, &rig.toy->obj[0], name, type, 0644, bytes);
}

static void
start(void)
{
	rig4_start();
	add("f", PINEFS_REG, "hello world");
	add("g", PINEFS_REG, "");
	add("d", PINEFS_DIR, NULL);
	add("l", PINEFS_LNK, "f");
	add("p", PINEFS_FIFO, NULL);
	top = root();
}

static void
at(const char *name)
{
	op_putfh(top);
	op_lookup(name);
}

static nfsstat4
read_file(const char *name, uint64_t off, uint32_t count)
{
	at(name);
	op(OP_READ)->opread = (READ4args){ anonymous, off, count };
	return run(0);
}

static bool
read_gave(const char *s, bool eof)
{
	READ4resok *r = &RES(2, opread).resok4;
	uint32_t n = (uint32_t)strlen(s);

	return r->data.len == n && r->eof == eof && (n == 0 ||
	    memcmp(r->data.npieces == 0 ? r->data.data :
	    ((const struct xdr_piece *)r->data.data)->base, s, n) == 0);
}

static void
test_reads_end_where_the_file_does(void)
{
	start();
	CHECK(read_file("f", 0, 5) == NFS4_OK && read_gave("hello", false));
	CHECK(read_file("f", 6, 5) == NFS4_OK && read_gave("world", true));
	CHECK(read_file("f", 6, 100) == NFS4_OK && read_gave("world", true));
	CHECK(read_file("f", 11, 1) == NFS4_OK && read_gave("", true));
	CHECK(read_file("f", UINT64_MAX, 9) == NFS4_OK &&
	    read_gave("", true));
	CHECK(read_file("f", 3, 0) == NFS4_OK && read_gave("", false));
	rig4_stop();
}

/* 8881 18.22.3 tells apart what 4.0 has INVAL for. */
static void
test_bytes_are_in_files_only(void)
{
	static const struct { const char *name; nfsstat4 v40, v41; } not[] = {
		{ "d", NFS4ERR_ISDIR, NFS4ERR_ISDIR },
		{ "l", NFS4ERR_INVAL, NFS4ERR_SYMLINK },
		{ "p", NFS4ERR_INVAL, NFS4ERR_WRONG_TYPE },
	};
	static const nfs_opnum4 of_files[] = { OP_READ, OP_WRITE, OP_COMMIT,
	    OP_SEEK, OP_ALLOCATE, OP_DEALLOCATE, OP_READ_PLUS };

	start();
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned j = 0; j < 7; j++) {
			at(not[i].name);
			op(of_files[j]);
			CHECK(run(2) == not[i].v41);
			if (j > 2)
				continue;
			at(not[i].name);
			op(of_files[j]);
			CHECK(run(0) == not[i].v40);
		}
	}
	rig4_stop();
}

static void
test_what_is_written_is_there_and_has_commits_verifier(void)
{
	uint8_t verf[8];

	start();
	at("g");
	op(OP_WRITE)->opwrite = (WRITE4args){ anonymous, 2, UNSTABLE4,
	    text("abc") };
	CHECK(run(0) == NFS4_OK);
	CHECK(RES(2, opwrite).resok4.count == 3);
	memcpy(verf, RES(2, opwrite).resok4.writeverf, sizeof verf);
	at("g");
	op(OP_COMMIT);
	CHECK(run(0) == NFS4_OK);
	CHECK(memcmp(RES(2, opcommit).resok4.writeverf, verf, 8) == 0);
	at("g");
	op(OP_COMMIT)->opcommit = (COMMIT4args){ UINT64_MAX, 2 };
	CHECK(run(0) == NFS4ERR_INVAL);
	at("g");
	op(OP_READ)->opread.count = 10;
	CHECK(run(0) == NFS4_OK);
	CHECK(RES(2, opread).resok4.data.len == 5);
	at("g");
	op(OP_WRITE)->opwrite = (WRITE4args){ anonymous, UINT64_MAX,
	    UNSTABLE4, text("abc") };
	CHECK(run(0) == NFS4ERR_FBIG);
	rig4_stop();
}

/* v4 has opens, but the special stateids do without: the mode counts. */
static void
test_without_an_open_the_mode_counts(void)
{
	start();
	rig.cred.uid = rig.cred.gid = 1000;
	rig.peer.uid = 1000;
	CHECK(read_file("f", 0, 5) == NFS4_OK);
	at("f");
	op(OP_WRITE)->opwrite.data = text("x");
	CHECK(run(0) == NFS4ERR_ACCESS);
	at("f");
	op(OP_SETATTR);
	CHECK(run(0) == NFS4_OK);
	rig4_stop();
}

static void
test_several_reads_in_one_compound_keep_their_bytes(void)
{
	start();
	for (int i = 0; i < 11; i++) {
		at("f");
		op(OP_READ)->opread = (READ4args){ anonymous, (uint64_t)i,
		    1 };
	}
	CHECK(run(0) == NFS4_OK);
	for (unsigned i = 0; i < 11; i++) {
		struct xdr_view v = RES(i * 3 + 2, opread).resok4.data;

		CHECK(v.len == 1);
		CHECK(*(const char *)(v.npieces == 0 ? v.data :
		    ((const struct xdr_piece *)v.data)->base) ==
		    "hello world"[i]);
	}
	rig4_stop();
}

/* ------------------------------------------------------------------ 4.2 -- */

static void
test_seek_finds_data_then_the_end(void)
{
	static const struct { data_content4 what; uint64_t off; nfsstat4 st;
	    bool eof; uint64_t found; } row[] = {
		{ NFS4_CONTENT_DATA, 0, NFS4_OK, false, 0 },
		{ NFS4_CONTENT_DATA, 10, NFS4_OK, false, 10 },
		{ NFS4_CONTENT_HOLE, 0, NFS4_OK, true, 11 },
		{ NFS4_CONTENT_DATA, 11, NFS4ERR_NXIO, false, 0 },
		{ NFS4_CONTENT_HOLE, 11, NFS4ERR_NXIO, false, 0 },
		{ NFS4_CONTENT_HOLE, UINT64_MAX, NFS4ERR_NXIO, false, 0 },
		{ (data_content4)2, 0, NFS4ERR_UNION_NOTSUPP, false, 0 },
	};

	start();
	for (unsigned i = 0; i < sizeof row / sizeof row[0]; i++) {
		at("f");
		op(OP_SEEK)->opseek = (SEEK4args){ anonymous, row[i].off,
		    row[i].what };
		CHECK(run(2) == row[i].st);
		if (row[i].st != NFS4_OK)
			continue;
		CHECK(RES(2, opseek).resok4.sr_eof == row[i].eof);
		CHECK(RES(2, opseek).resok4.sr_offset == row[i].found);
	}
	rig4_stop();
}

static COPY4args *
op_copy(const char *from, const char *to)
{
	at(from);
	op(OP_SAVEFH);
	at(to);
	return &op(OP_COPY)->opcopy;
}

static void
test_copy_by_reading_and_writing(void)
{
	COPY4resok *r;
	COPY4args *a;

	start();
	a = op_copy("f", "g");
	a->ca_src_offset = 6;
	a->ca_dst_offset = 2;
	CHECK(run(2) == NFS4_OK);
	r = &RES(5, opcopy).cr_resok4;
	CHECK(r->cr_response.wr_count == 5);
	CHECK(r->cr_requirements.cr_synchronous);
	CHECK(r->cr_response.wr_callback_id.n == 0);
	CHECK(read_file("g", 2, 9) == NFS4_OK && read_gave("world", true));

	op_copy("f", "g")->ca_count = 12;
	CHECK(run(2) == NFS4ERR_INVAL);
	op_copy("f", "g")->ca_src_offset = 12;
	CHECK(run(2) == NFS4ERR_INVAL);
	a = op_copy("f", "f");
	a->ca_count = 4;
	a->ca_dst_offset = 3;
	CHECK(run(2) == NFS4ERR_INVAL);
	a = op_copy("f", "f");
	a->ca_count = 3;
	a->ca_dst_offset = 3;
	CHECK(run(2) == NFS4_OK);
	CHECK(read_file("f", 0, 6) == NFS4_OK && read_gave("helhel", false));
	op_copy("f", "g")->ca_src_offset = 11;
	CHECK(run(2) == NFS4_OK);
	CHECK(RES(5, opcopy).cr_resok4.cr_response.wr_count == 0);
	rig4_stop();
}

/* A write that takes less than it was given; a disk that is full. */
static void
test_copy_says_how_far_it_came(void)
{
	start();
	rig.toy->write_max = 4;
	op_copy("f", "g");
	CHECK(run(2) == NFS4_OK);
	CHECK(RES(5, opcopy).cr_resok4.cr_response.wr_count == 11);
	rig.toy->write_max = 0;
	op_copy("f", "g")->ca_dst_offset = TOY_BYTES;
	CHECK(run(2) == NFS4ERR_NOSPC);
	rig4_stop();
}

static void
test_what_the_file_system_cannot_is_notsupp(void)
{
	start();
	at("f");
	op(OP_ALLOCATE)->opallocate.aa_length = 1;
	CHECK(run(2) == NFS4ERR_NOTSUPP);
	at("f");
	op(OP_DEALLOCATE)->opdeallocate.da_length = 1;
	CHECK(run(2) == NFS4ERR_NOTSUPP);
	at("f");
	op(OP_SAVEFH);
	at("g");
	op(OP_CLONE);
	CHECK(run(2) == NFS4ERR_NOTSUPP);
	at("f");
	op(OP_GETXATTR)->opgetxattr.gxa_name = text("x");
	CHECK(run(2) == NFS4ERR_NOTSUPP);
	at("f");
	op(OP_SETXATTR)->opsetxattr.sxa_key = text("x");
	CHECK(run(2) == NFS4ERR_NOTSUPP);
	at("f");
	op(OP_REMOVEXATTR)->opremovexattr.rxa_name = text("x");
	CHECK(run(2) == NFS4ERR_NOTSUPP);
	at("f");
	op(OP_LISTXATTRS)->oplistxattrs.lxa_maxcount = 4096;
	CHECK(run(2) == NFS4ERR_NOTSUPP);
	rig4_stop();
}

static void
test_read_plus_is_data_where_there_are_no_holes(void)
{
	read_plus_res4 *r;

	start();
	at("f");
	op(OP_READ_PLUS)->opread_plus.rpa_count = 5;
	CHECK(run(2) == NFS4_OK);
	r = &RES(2, opread_plus).rp_resok4;
	CHECK(!r->rpr_eof && r->rpr_contents.n == 1);
	CHECK(r->rpr_contents.v[0].rpc_content == NFS4_CONTENT_DATA);
	CHECK(r->rpr_contents.v[0].rpc_data.d_data.len == 5);
	at("f");
	op(OP_READ_PLUS)->opread_plus = (READ_PLUS4args){ anonymous, 6,
	    100 };
	CHECK(run(2) == NFS4_OK);
	r = &RES(2, opread_plus).rp_resok4;
	CHECK(r->rpr_eof && r->rpr_contents.v[0].rpc_data.d_data.len == 5);
	at("f");
	op(OP_READ_PLUS)->opread_plus = (READ_PLUS4args){ anonymous, 11,
	    100 };
	CHECK(run(2) == NFS4_OK);
	CHECK(RES(2, opread_plus).rp_resok4.rpr_eof);
	CHECK(RES(2, opread_plus).rp_resok4.rpr_contents.n == 0);
	rig4_stop();
}

/* ------------------------------------------------------------ lent bytes -- */

static uint8_t lent[4096];
static unsigned given_back;

/* Whoever reads them after that reads nonsense. */
static void
give_back(void *owner)
{
	given_back++;
	memset(owner, 0xee, sizeof lent);
}

static int
lend(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	(void)call, (void)node, (void)off;
	memset(lent, 0x5a, sizeof lent);
	return pinefs_out_borrow(out, lent, count, give_back, lent);
}

/* A reply that the slot keeps leaves the lent bytes to the one that goes. */
static void
test_lent_bytes_are_given_back_when_they_were_sent(void)
{
	static const struct pinefs_ops ops = { .read = lend };
	struct pinefs *fs = pinefs_new(&ops, NULL);
	const uint8_t *p;

	rig4_start();
	CHECK(pinefs_add_file(fs, pinefs_root(fs), "f", 0644, sizeof lent)
	    != NULL);
	EXPORTS("/");
	v4.more[0].fs = fs;
	v4.fore = (channel_attrs4){ 0, 1 << 20, 1 << 20, 16384, 32, 4,
	    { 0 } };
	for (int cache = 0; cache < 2; cache++) {
		v4.cachethis = cache;
		given_back = 0;
		op(OP_PUTROOTFH);
		op_lookup("f");
		op(OP_READ)->opread.count = sizeof lent;
		CHECK(run(1) == NFS4_OK);
		rig_end_call();
		CHECK(given_back == 1);
		p = rig.reply + rig.reply_len - sizeof lent;
		for (unsigned i = 0; i < sizeof lent; i++)
			CHECK(p[i] == 0x5a);
	}
	rig4_stop();
	pinefs_free(fs);
}

CHECK_MAIN(
	CHECK_TEST(test_lent_bytes_are_given_back_when_they_were_sent),
	CHECK_TEST(test_reads_end_where_the_file_does),
	CHECK_TEST(test_bytes_are_in_files_only),
	CHECK_TEST(test_what_is_written_is_there_and_has_commits_verifier),
	CHECK_TEST(test_without_an_open_the_mode_counts),
	CHECK_TEST(test_several_reads_in_one_compound_keep_their_bytes),
	CHECK_TEST(test_seek_finds_data_then_the_end),
	CHECK_TEST(test_copy_by_reading_and_writing),
	CHECK_TEST(test_copy_says_how_far_it_came),
	CHECK_TEST(test_what_the_file_system_cannot_is_notsupp),
	CHECK_TEST(test_read_plus_is_data_where_there_are_no_holes),
)
