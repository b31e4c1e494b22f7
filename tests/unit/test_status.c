#include "nfs/status.h"

#include <errno.h>
#include <stdbool.h>

#include "check.h"

enum { LAST_ERRNO = 140, PROCS2 = 18, PROCS3 = 22, OPS4 = 76 };

/* ROOT and WRITECACHE answer void. */
static bool
has_status(unsigned version, unsigned proc)
{
	if (version == 4)
		return proc > 2;
	return proc != 0 && !(version == 2 && (proc == 3 || proc == 7));
}

static const int special[] = { NFS_EBADHANDLE, NFS_ETOOSMALL, NFS_EBADTYPE,
    -1, 0x7fffffff };

static void
check_row(unsigned version, unsigned proc, int err)
{
	enum nfs_status st = nfs_status(version, proc, err);

	if (err == 0)
		CHECK(st == ST_OK);
	else
		CHECK(st != ST_OK && nfs_status_allowed(version, proc, st));
}

static void
test_every_errno_lands_on_a_status_the_operation_may_answer(void)
{
	static const unsigned procs[] = { PROCS2, PROCS3, OPS4 };

	for (unsigned version = 2; version <= 4; version++) {
		for (unsigned proc = 1; proc < procs[version - 2]; proc++) {
			if (!has_status(version, proc))
				continue;
			for (int err = 0; err < LAST_ERRNO; err++)
				check_row(version, proc, err);
			for (unsigned i = 0; i < 5; i++)
				check_row(version, proc, special[i]);
		}
	}
}

/* RFC 1094 2.3.1: these and no others (WFLUSH 99 is not ours to say). */
static void
test_v2_knows_only_its_own_numbers(void)
{
	for (unsigned proc = 1; proc < PROCS2; proc++) {
		if (!has_status(2, proc))
			continue;
		for (int err = 0; err < LAST_ERRNO; err++) {
			switch (nfs_status(2, proc, err)) {
			case ST_OK: case ST_PERM: case ST_NOENT: case ST_IO:
			case ST_NXIO: case ST_ACCES: case ST_EXIST:
			case ST_NODEV: case ST_NOTDIR: case ST_ISDIR:
			case ST_FBIG: case ST_NOSPC: case ST_ROFS:
			case ST_NAMETOOLONG: case ST_NOTEMPTY: case ST_DQUOT:
			case ST_STALE:
				break;
			default:
				fail_msg("v2 %u: errno %d", proc, err);
			}
		}
	}
}

static void
test_names_that_are_the_same_stay_the_same(void)
{
	/* In operations that have them in both versions: RENAME, v3 WRITE. */
	static const struct { int err; enum nfs_status st; } same[] = {
		{ ENOENT, ST_NOENT }, { EIO, ST_IO }, { EACCES, ST_ACCES },
		{ EEXIST, ST_EXIST }, { ENOTDIR, ST_NOTDIR },
		{ EISDIR, ST_ISDIR }, { ENOSPC, ST_NOSPC },
		{ EROFS, ST_ROFS }, { ENAMETOOLONG, ST_NAMETOOLONG },
		{ ENOTEMPTY, ST_NOTEMPTY }, { EDQUOT, ST_DQUOT },
		{ EPERM, ST_PERM }, { ESTALE, ST_STALE },
	};

	for (unsigned i = 0; i < sizeof same / sizeof same[0]; i++) {
		CHECK(nfs_status(2, 11, same[i].err) == same[i].st);
		CHECK(nfs_status(3, 14, same[i].err) == same[i].st);
		CHECK(nfs_status(4, 29, same[i].err) == same[i].st);
	}
	CHECK(nfs_status(3, 7, EFBIG) == ST_FBIG);
	CHECK(nfs_status(2, 8, EFBIG) == ST_FBIG);
	CHECK(nfs_status(3, 6, ENXIO) == ST_NXIO);
}

static void
test_gone_without_a_name_is_stale(void)
{
	CHECK(nfs_status(2, 1, ENOENT) == ST_STALE);
	CHECK(nfs_status(2, 6, ENOENT) == ST_STALE);
	CHECK(nfs_status(3, 1, ENOENT) == ST_STALE);
	CHECK(nfs_status(3, 7, ENOENT) == ST_STALE);
	CHECK(nfs_status(3, 16, ENOENT) == ST_STALE);
	CHECK(nfs_status(3, 3, ENOENT) == ST_NOENT);
	CHECK(nfs_status(4, 9, ENOENT) == ST_STALE);
	CHECK(nfs_status(4, 25, ENOENT) == ST_STALE);
	CHECK(nfs_status(4, 15, ENOENT) == ST_NOENT);
	CHECK(nfs_status(4, 18, ENOENT) == ST_NOENT);
}

/* PROTOCOL 3: EBADF mapped to STALE lost data of macOS clients. */
static void
test_stale_for_nothing_else(void)
{
	for (unsigned proc = 1; proc < PROCS3; proc++) {
		for (int err = 1; err < LAST_ERRNO; err++) {
			if (err == ESTALE || err == ENOENT)
				continue;
			CHECK(nfs_status(3, proc, err) != ST_STALE);
		}
	}
}

static void
test_later_is_jukebox_in_v3_and_delay_in_v4(void)
{
	for (unsigned proc = 1; proc < PROCS3; proc++) {
		CHECK(nfs_status(3, proc, EAGAIN) == ST_JUKEBOX);
		CHECK(nfs_status(3, proc, ENOMEM) == ST_JUKEBOX);
	}
	CHECK(nfs_status(4, 9, ETIMEDOUT) == ST_JUKEBOX);
	CHECK(nfs_status(2, 1, EAGAIN) == ST_IO);
}

static void
test_a_refused_caller_hears_access_from_every_procedure(void)
{
	for (unsigned proc = 1; proc < PROCS3; proc++)
		CHECK(nfs_status(3, proc, EACCES) == ST_ACCES);
	for (unsigned proc = 1; proc < PROCS2; proc++)
		if (has_status(2, proc))
			CHECK(nfs_status(2, proc, EACCES) == ST_ACCES);
	CHECK(nfs_mount_status(EACCES) == ST_ACCES);
}

static void
test_a_bad_handle_is_told_apart_where_it_can_be(void)
{
	for (unsigned proc = 1; proc < PROCS3; proc++)
		CHECK(nfs_status(3, proc, NFS_EBADHANDLE) == ST_BADHANDLE);
	CHECK(nfs_status(2, 1, NFS_EBADHANDLE) == ST_STALE);
	CHECK(nfs_status(4, 22, NFS_EBADHANDLE) == ST_BADHANDLE);
}

static void
test_the_nearest_allowed_status_is_taken(void)
{
	CHECK(nfs_status(3, 6, EISDIR) == ST_INVAL);	/* READ of a directory */
	CHECK(nfs_status(3, 3, EINVAL) == ST_ACCES);	/* LOOKUP of "a/b" */
	CHECK(nfs_status(3, 14, EBUSY) == ST_ACCES);
	CHECK(nfs_status(4, 29, EBUSY) == ST_FILE_OPEN);
	CHECK(nfs_status(4, 15, ELOOP) == ST_SYMLINK);
	CHECK(nfs_status(4, 69, ENXIO) == ST_NXIO);
	CHECK(nfs_status(4, 25, ENXIO) == ST_INVAL);
	CHECK(nfs_status(3, 2, ECANCELED) == ST_NOT_SYNC);
	CHECK(nfs_status(3, 16, EINVAL) == ST_ACCES);
	CHECK(nfs_status(3, 19, EIO) == ST_SERVERFAULT);
	CHECK(nfs_status(2, 11, EXDEV) == ST_ACCES);
	CHECK(nfs_status(2, 12, EMLINK) == ST_IO);
	CHECK(nfs_status(3, 11, NFS_EBADTYPE) == ST_BADTYPE);
	CHECK(nfs_status(3, 17, NFS_ETOOSMALL) == ST_TOOSMALL);
}

static void
test_what_a_table_does_not_know_is_a_server_fault(void)
{
	CHECK(!nfs_status_known(EBADF));
	CHECK(!nfs_status_known(EFAULT));
	CHECK(nfs_status_known(EACCES));
	CHECK(nfs_status(2, 6, EBADF) == ST_IO);
	CHECK(nfs_status(3, 6, EBADF) == ST_SERVERFAULT);
	CHECK(nfs_status(4, 25, EFAULT) == ST_SERVERFAULT);
}

static void
test_mount_answers_its_own_set(void)
{
	static const enum nfs_status set[] = { ST_OK, ST_PERM, ST_NOENT,
	    ST_IO, ST_ACCES, ST_NOTDIR, ST_INVAL, ST_NAMETOOLONG, ST_NOTSUPP,
	    ST_SERVERFAULT };

	for (int err = 0; err < LAST_ERRNO; err++) {
		enum nfs_status st = nfs_mount_status(err);
		bool found = false;

		for (unsigned i = 0; i < sizeof set / sizeof set[0]; i++)
			found |= set[i] == st;
		CHECK(found);
	}
	CHECK(nfs_mount_status(ENOENT) == ST_NOENT);
	CHECK(nfs_mount_status(ESTALE) == ST_NOENT);
}

CHECK_MAIN(
	CHECK_TEST(test_every_errno_lands_on_a_status_the_operation_may_answer),
	CHECK_TEST(test_v2_knows_only_its_own_numbers),
	CHECK_TEST(test_names_that_are_the_same_stay_the_same),
	CHECK_TEST(test_gone_without_a_name_is_stale),
	CHECK_TEST(test_stale_for_nothing_else),
	CHECK_TEST(test_later_is_jukebox_in_v3_and_delay_in_v4),
	CHECK_TEST(test_a_refused_caller_hears_access_from_every_procedure),
	CHECK_TEST(test_a_bad_handle_is_told_apart_where_it_can_be),
	CHECK_TEST(test_the_nearest_allowed_status_is_taken),
	CHECK_TEST(test_what_a_table_does_not_know_is_a_server_fault),
	CHECK_TEST(test_mount_answers_its_own_set),
)
