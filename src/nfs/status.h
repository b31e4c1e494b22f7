/*
 * errno to protocol status.  Inside, errors are errno values; what a client
 * is told is decided here, from one table of errno by version and one of
 * what each operation may answer.
 */
#ifndef NFS_STATUS_H
#define NFS_STATUS_H

/*
 * The numbers mean the same in every version that has them, and in MOUNT
 * (RFC 1094 2.3.1, RFC 1813 2.6 and 5.1.5, RFC 7530 13.1).
 */
enum nfs_status {
	ST_OK = 0,
	ST_PERM = 1,
	ST_NOENT = 2,
	ST_IO = 5,
	ST_NXIO = 6,
	ST_ACCES = 13,
	ST_EXIST = 17,
	ST_XDEV = 18,
	ST_NODEV = 19,
	ST_NOTDIR = 20,
	ST_ISDIR = 21,
	ST_INVAL = 22,
	ST_FBIG = 27,
	ST_NOSPC = 28,
	ST_ROFS = 30,
	ST_MLINK = 31,
	ST_NAMETOOLONG = 63,
	ST_NOTEMPTY = 66,
	ST_DQUOT = 69,
	ST_STALE = 70,
	ST_BADHANDLE = 10001,
	ST_NOT_SYNC = 10002,
	ST_BAD_COOKIE = 10003,
	ST_NOTSUPP = 10004,
	ST_TOOSMALL = 10005,
	ST_SERVERFAULT = 10006,
	ST_BADTYPE = 10007,
	ST_JUKEBOX = 10008,		/* v4: DELAY */
	ST_SYMLINK = 10029,		/* v4 */
	ST_FILE_OPEN = 10046		/* v4 */
};

/* Errors that no errno tells; they come from src/nfs and go no lower. */
enum {
	NFS_EBADHANDLE = 0x10000,	/* not a handle of ours */
	NFS_ETOOSMALL,			/* not one entry fits */
	NFS_EBADTYPE			/* no such type of object */
};

/*
 * What an operation answers for `err` (0: ST_OK).  `version` is 2, 3 or 4;
 * `proc` a number of that version.  Always one that the operation may
 * answer.
 */
enum nfs_status	nfs_status(unsigned version, unsigned proc, int err);

/* The same for MNT of MOUNT 1 and 3. */
enum nfs_status	nfs_mount_status(int err);

/* Does the table have a row of its own for this error?  Others are logged. */
int	nfs_status_known(int err);

/* May the operation answer this?  For tests, and for the table's reader. */
int	nfs_status_allowed(unsigned version, unsigned proc, enum nfs_status);

#endif
