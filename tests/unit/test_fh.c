#include "nfs/fh.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "nfs/status.h"

static const struct nfs_keys keys = { .now = "0123456789abcdef" };
static const char own[] = "forty bytes that name an object by itself";

static const struct pinefs_ident plain = { .fileid = 0x1122334455667788,
    .generation = 0x99aabbccddeeff00 };

static uint32_t
make(const struct pinefs_ident *id, uint32_t max, uint8_t *fh)
{
	uint32_t len = 0;

	CHECK(nfs_fh_make(&keys, 77, id, max, fh, &len) == 0);
	CHECK(len <= max);
	return len;
}

static struct pinefs_ident
with_own(uint32_t n)
{
	struct pinefs_ident id = plain;

	id.own = own;
	id.own_len = n;
	return id;
}

static int
open_fh(const void *fh, uint32_t len)
{
	struct pinefs_ident id = { 0 };
	uint32_t export_id = 0;
	int err = nfs_fh_open(&keys, fh, len, &export_id, &id);

	if (err == 0)
		CHECK(export_id == 77 && id.fileid == plain.fileid);
	return err;
}

static void
test_a_short_handle_has_32_bytes_and_comes_back(void)
{
	uint8_t fh[NFS_FH_MAX4];
	struct pinefs_ident id;
	uint32_t export_id;

	CHECK(make(&plain, NFS_FH_MAX2, fh) == 32);
	CHECK(nfs_fh_open(&keys, fh, 32, &export_id, &id) == 0);
	CHECK(export_id == 77);
	CHECK(id.fileid == plain.fileid);
	CHECK(id.generation == plain.generation);
	CHECK(id.own_len == 0);
}

static void
test_the_layout_is_that_of_the_picture(void)
{
	static const uint8_t head[24] = { 1, 1, 0, 0, 0, 0, 0, 77,
	    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
	    0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00 };
	struct pinefs_ident id = with_own(7);
	uint8_t fh[NFS_FH_MAX4];

	make(&plain, NFS_FH_MAX3, fh);
	assert_memory_equal(fh, head, sizeof head);
	CHECK(make(&id, NFS_FH_MAX3, fh) == 31);
	CHECK(fh[0] == 1 && fh[1] == 2 && fh[2] == 7 && fh[3] == 0);
	assert_memory_equal(fh + 4, head + 4, 12);
	assert_memory_equal(fh + 24, own, 7);
}

static void
test_a_long_handle_carries_own_bytes(void)
{
	struct pinefs_ident id = with_own(40), back;
	uint8_t fh[NFS_FH_MAX4];
	uint32_t export_id;

	CHECK(make(&id, NFS_FH_MAX3, fh) == 64);
	CHECK(nfs_fh_open(&keys, fh, 64, &export_id, &back) == 0);
	CHECK(back.own_len == 40);
	assert_memory_equal(back.own, own, 40);
}

static void
test_own_bytes_that_do_not_fit_are_left_out(void)
{
	struct pinefs_ident id = with_own(41), back;
	uint8_t fh[NFS_FH_MAX4];
	uint32_t export_id;

	CHECK(make(&id, NFS_FH_MAX3, fh) == 32);
	CHECK(nfs_fh_open(&keys, fh, 32, &export_id, &back) == 0);
	CHECK(back.own_len == 0 && back.generation == plain.generation);
	CHECK(make(&id, NFS_FH_MAX4, fh) == 65);

	/* v2 has 32 bytes, whatever it is. */
	id = with_own(8);
	CHECK(make(&id, NFS_FH_MAX2, fh) == 32);
	CHECK(fh[1] == 1);
}

/* BADHANDLE or STALE, never an object. */
static void
each_bit(const struct pinefs_ident *id)
{
	uint8_t fh[NFS_FH_MAX4];
	uint32_t len = make(id, NFS_FH_MAX3, fh);
	int err;

	for (uint32_t bit = 0; bit < len * 8; bit++) {
		fh[bit / 8] ^= (uint8_t)(1 << bit % 8);
		err = open_fh(fh, len);
		CHECK(err == ESTALE || err == NFS_EBADHANDLE);
		/* The first four bytes are its form; the MAC has the rest. */
		CHECK(err == (bit / 8 < 4 ? NFS_EBADHANDLE : ESTALE));
		fh[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CHECK(open_fh(fh, len) == 0);
}

static void
test_no_flipped_bit_is_accepted(void)
{
	for (uint32_t n = 0; n <= 40; n++) {
		struct pinefs_ident id = with_own(n);

		each_bit(&id);
	}
}

static void
test_cut_and_extended_handles_are_bad(void)
{
	for (uint32_t n = 0; n <= 40; n++) {
		struct pinefs_ident id = with_own(n);
		uint8_t fh[NFS_FH_MAX4 + 64] = { 0 };
		uint32_t len = make(&id, NFS_FH_MAX3, fh);

		for (uint32_t cut = 0; cut < sizeof fh; cut++)
			CHECK(open_fh(fh, cut) ==
			    (cut == len ? 0 : NFS_EBADHANDLE));
	}
}

static void
test_long_and_short_of_one_length_do_not_mix(void)
{
	struct pinefs_ident id = with_own(8);
	uint8_t fh[NFS_FH_MAX4];

	CHECK(make(&id, NFS_FH_MAX3, fh) == 32);
	fh[1] = 1;
	CHECK(open_fh(fh, 32) == NFS_EBADHANDLE);
	fh[2] = 0;
	CHECK(open_fh(fh, 32) == ESTALE);
}

static void
test_another_export_is_another_handle(void)
{
	uint8_t fh[NFS_FH_MAX4], other[NFS_FH_MAX4];
	uint32_t len;

	make(&plain, NFS_FH_MAX3, fh);
	CHECK(nfs_fh_make(&keys, 78, &plain, NFS_FH_MAX3, other, &len) == 0);
	memcpy(fh + 4, other + 4, 4);
	CHECK(open_fh(fh, 32) == ESTALE);
}

static void
test_the_previous_key_is_accepted_and_no_other(void)
{
	struct nfs_keys next = { .now = "fedcba9876543210",
	    .before = "0123456789abcdef", .has_before = true };
	struct pinefs_ident id;
	uint8_t fh[NFS_FH_MAX4];
	uint32_t export_id;

	make(&plain, NFS_FH_MAX3, fh);
	CHECK(nfs_fh_open(&next, fh, 32, &export_id, &id) == 0);
	next.has_before = false;
	CHECK(nfs_fh_open(&next, fh, 32, &export_id, &id) == ESTALE);
}

static void
test_fileid_0_gets_no_handle(void)
{
	struct pinefs_ident id = { .generation = 1 };
	uint8_t fh[NFS_FH_MAX4];
	uint32_t len = 7;

	CHECK(nfs_fh_make(&keys, 77, &id, NFS_FH_MAX3, fh, &len) == EIO);
	CHECK(len == 7);
}

static void
test_peek_tells_the_export_of_what_has_the_form(void)
{
	uint8_t fh[NFS_FH_MAX4];
	uint32_t export_id = 0;

	make(&plain, NFS_FH_MAX3, fh);
	CHECK(nfs_fh_peek(fh, 32, &export_id) && export_id == 77);
	CHECK(!nfs_fh_peek(fh, 31, &export_id));
	CHECK(!nfs_fh_peek(fh, 0, &export_id));
	fh[0] = 2;
	CHECK(!nfs_fh_peek(fh, 32, &export_id));
}

CHECK_MAIN(
	CHECK_TEST(test_a_short_handle_has_32_bytes_and_comes_back),
	CHECK_TEST(test_the_layout_is_that_of_the_picture),
	CHECK_TEST(test_a_long_handle_carries_own_bytes),
	CHECK_TEST(test_own_bytes_that_do_not_fit_are_left_out),
	CHECK_TEST(test_no_flipped_bit_is_accepted),
	CHECK_TEST(test_cut_and_extended_handles_are_bad),
	CHECK_TEST(test_long_and_short_of_one_length_do_not_mix),
	CHECK_TEST(test_another_export_is_another_handle),
	CHECK_TEST(test_the_previous_key_is_accepted_and_no_other),
	CHECK_TEST(test_fileid_0_gets_no_handle),
	CHECK_TEST(test_peek_tells_the_export_of_what_has_the_form),
)
