/*
 * errno to protocol status.
 *
 * Two steps.  The first table says what an errno is called in a version.
 * The second says what an operation of that version may answer: what the RFC
 * lists, and what clients are known to understand though it is not listed,
 * each with its reason.  What an operation may not answer is replaced by the
 * nearest that it may: the third table.
 */
#include "nfs/status.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ----------------------------------------------- 1. errno by version -- */

struct row {
	int		err;
	uint16_t	v2, v3, v4;
};

/*
 * ENOENT where no name was given becomes STALE in the third table: such
 * operations may not answer NOENT.
 */
static const struct row table[] = {
/*	errno		v2		v3		v4		*/
{	EPERM,		ST_PERM,	ST_PERM,	ST_PERM		},
{	ENOENT,		ST_NOENT,	ST_NOENT,	ST_NOENT	},
{	EIO,		ST_IO,		ST_IO,		ST_IO		},
{	ENXIO,		ST_NXIO,	ST_NXIO,	ST_NXIO		},
{	EACCES,		ST_ACCES,	ST_ACCES,	ST_ACCES	},
{	EEXIST,		ST_EXIST,	ST_EXIST,	ST_EXIST	},
{	EXDEV,		ST_ACCES,	ST_XDEV,	ST_XDEV		},
{	ENOTDIR,	ST_NOTDIR,	ST_NOTDIR,	ST_NOTDIR	},
{	EISDIR,		ST_ISDIR,	ST_ISDIR,	ST_ISDIR	},
{	EINVAL,		ST_IO,		ST_INVAL,	ST_INVAL	},
{	EFBIG,		ST_FBIG,	ST_FBIG,	ST_FBIG		},
{	ENOSPC,		ST_NOSPC,	ST_NOSPC,	ST_NOSPC	},
{	EROFS,		ST_ROFS,	ST_ROFS,	ST_ROFS		},
{	EMLINK,		ST_IO,		ST_MLINK,	ST_MLINK	},
{	ENAMETOOLONG,	ST_NAMETOOLONG,	ST_NAMETOOLONG,	ST_NAMETOOLONG	},
{	ENOTEMPTY,	ST_NOTEMPTY,	ST_NOTEMPTY,	ST_NOTEMPTY	},
{	EDQUOT,		ST_DQUOT,	ST_DQUOT,	ST_DQUOT	},
{	ESTALE,		ST_STALE,	ST_STALE,	ST_STALE	},
{	ENOTSUP,	ST_IO,		ST_NOTSUPP,	ST_NOTSUPP	},
#if EOPNOTSUPP != ENOTSUP
{	EOPNOTSUPP,	ST_IO,		ST_NOTSUPP,	ST_NOTSUPP	},
#endif
{	ENOSYS,		ST_IO,		ST_NOTSUPP,	ST_NOTSUPP	},
/* v2 has no "later": nfs_call_retry asks a few times before it comes here. */
{	EAGAIN,		ST_IO,		ST_JUKEBOX,	ST_JUKEBOX	},
{	ETIMEDOUT,	ST_IO,		ST_JUKEBOX,	ST_JUKEBOX	},
{	ENOMEM,		ST_IO,		ST_JUKEBOX,	ST_JUKEBOX	},
{	EBUSY,		ST_ACCES,	ST_ACCES,	ST_FILE_OPEN	},
{	ELOOP,		ST_IO,		ST_INVAL,	ST_SYMLINK	},
{	ECANCELED,	ST_IO,		ST_NOT_SYNC,	ST_INVAL	},
{	NFS_EBADHANDLE,	ST_STALE,	ST_BADHANDLE,	ST_BADHANDLE	},
{	NFS_ETOOSMALL,	ST_IO,		ST_TOOSMALL,	ST_TOOSMALL	},
{	NFS_EBADTYPE,	ST_IO,		ST_BADTYPE,	ST_BADTYPE	},
};

/* EBADF, EFAULT and what else a file system may return by mistake. */
static const struct row other = { 0, ST_IO, ST_SERVERFAULT, ST_SERVERFAULT };

/* Linear: 30 rows, and only where something failed. */
static const struct row *
find(int err)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].err == err)
			return &table[i];
	return &other;
}

/* ------------------------------------- 2. what an operation may answer -- */

/* A status as a bit of a set. */
static const struct {
	uint16_t	status;
	uint32_t	bit;
} bits[] = {
#define PERM		0x00000001u
	{ ST_PERM,		PERM },
#define NOENT		0x00000002u
	{ ST_NOENT,		NOENT },
#define IO		0x00000004u
	{ ST_IO,		IO },
#define NXIO		0x00000008u
	{ ST_NXIO,		NXIO },
#define ACCES		0x00000010u
	{ ST_ACCES,		ACCES },
#define EXIST		0x00000020u
	{ ST_EXIST,		EXIST },
#define XDEV		0x00000040u
	{ ST_XDEV,		XDEV },
#define NOTDIR		0x00000080u
	{ ST_NOTDIR,		NOTDIR },
#define ISDIR		0x00000100u
	{ ST_ISDIR,		ISDIR },
#define INVAL		0x00000200u
	{ ST_INVAL,		INVAL },
#define FBIG		0x00000400u
	{ ST_FBIG,		FBIG },
#define NOSPC		0x00000800u
	{ ST_NOSPC,		NOSPC },
#define ROFS		0x00001000u
	{ ST_ROFS,		ROFS },
#define MLINK		0x00002000u
	{ ST_MLINK,		MLINK },
#define NAMELEN		0x00004000u
	{ ST_NAMETOOLONG,	NAMELEN },
#define NOTEMPTY	0x00008000u
	{ ST_NOTEMPTY,		NOTEMPTY },
#define DQUOT		0x00010000u
	{ ST_DQUOT,		DQUOT },
#define STALE		0x00020000u
	{ ST_STALE,		STALE },
#define BADHANDLE	0x00040000u
	{ ST_BADHANDLE,		BADHANDLE },
#define NOT_SYNC	0x00080000u
	{ ST_NOT_SYNC,		NOT_SYNC },
#define BAD_COOKIE	0x00100000u
	{ ST_BAD_COOKIE,	BAD_COOKIE },
#define NOTSUPP		0x00200000u
	{ ST_NOTSUPP,		NOTSUPP },
#define TOOSMALL	0x00400000u
	{ ST_TOOSMALL,		TOOSMALL },
#define FAULT		0x00800000u
	{ ST_SERVERFAULT,	FAULT },
#define BADTYPE		0x01000000u
	{ ST_BADTYPE,		BADTYPE },
#define JUKEBOX		0x02000000u
	{ ST_JUKEBOX,		JUKEBOX },
#define DELAY		JUKEBOX
#define SYMLINK		0x04000000u
	{ ST_SYMLINK,		SYMLINK },
#define FILE_OPEN	0x08000000u
	{ ST_FILE_OPEN,		FILE_OPEN },
};

static uint32_t
bit_of(enum nfs_status status)
{
	for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
		if (bits[i].status == status)
			return bits[i].bit;
	return 0;
}

/*
 * Version 3: RFC 1813 section 3.3, "ERRORS" of each procedure.  GONE is in
 * each of them.  (None of NULL: it has no status.)
 */
#define GONE	(STALE | BADHANDLE | FAULT)
#define NEW	(IO | ACCES | EXIST | NOTDIR | NOSPC | ROFS | NAMELEN |	\
		    DQUOT | NOTSUPP | GONE)

static const uint32_t listed_v3[22] = {
	[1] = /* GETATTR */	IO | GONE,
	[2] = /* SETATTR */	PERM | IO | ACCES | INVAL | NOSPC | ROFS |
				DQUOT | NOT_SYNC | NOTSUPP | GONE,
	[3] = /* LOOKUP */	IO | NOENT | ACCES | NOTDIR | NAMELEN | GONE,
	[4] = /* ACCESS */	IO | GONE,
	[5] = /* READLINK */	IO | INVAL | ACCES | NOTSUPP | GONE,
	[6] = /* READ */	IO | NXIO | ACCES | INVAL | GONE,
	[7] = /* WRITE */	IO | ACCES | FBIG | DQUOT | NOSPC | ROFS |
				INVAL | GONE,
	[8] = /* CREATE */	NEW,
	[9] = /* MKDIR */	NEW,
	[10] = /* SYMLINK */	NEW,
	[11] = /* MKNOD */	NEW | BADTYPE,
	[12] = /* REMOVE */	IO | NOENT | ACCES | NOTDIR | NAMELEN |
				ROFS | GONE,
	[13] = /* RMDIR */	IO | NOENT | ACCES | INVAL | EXIST | NOTDIR |
				NAMELEN | ROFS | NOTEMPTY | NOTSUPP | GONE,
	[14] = /* RENAME */	IO | NOENT | ACCES | EXIST | XDEV | NOTDIR |
				ISDIR | INVAL | NOSPC | ROFS | MLINK |
				NAMELEN | NOTEMPTY | DQUOT | NOTSUPP | GONE,
	[15] = /* LINK */	IO | ACCES | EXIST | XDEV | NOTDIR | INVAL |
				NOSPC | ROFS | MLINK | NAMELEN | DQUOT |
				NOTSUPP | GONE,
	[16] = /* READDIR */	IO | ACCES | NOTDIR | BAD_COOKIE | TOOSMALL |
				GONE,
	[17] = /* READDIRPLUS */ IO | ACCES | NOTDIR | BAD_COOKIE | TOOSMALL |
				NOTSUPP | GONE,
	[18] = /* FSSTAT */	IO | GONE,
	[19] = /* FSINFO */	GONE,
	[20] = /* PATHCONF */	GONE,
	[21] = /* COMMIT */	IO | GONE,
};

/*
 * Not listed, and better than the nearest that is: every client maps all
 * numbers of 2.6 to an errno, whatever the procedure.
 */
static const struct {
	uint8_t		proc;		/* 0: every one */
	uint32_t	set;
} known_v3[] = {
	/* 2.6 allows JUKEBOX wherever the client is to ask again. */
	{ 0,	JUKEBOX },
	/* An export with `uids` refuses; silence would hang a hard mount. */
	{ 0,	ACCES },
	/* truncate(2): beyond the file system's limit. */
	{ 2,	FBIG },
	/* A range that ends beyond 2^64: COMMIT is asked for nonsense. */
	{ 21,	INVAL },
	/* fsync(2) is where a full disk shows. */
	{ 21,	NOSPC | DQUOT | ROFS | FBIG },
	/* link(2) of a directory. */
	{ 15,	PERM | ISDIR },
	/* A new name in a directory that was removed, but is still in use. */
	{ 8,	NOENT }, { 9, NOENT }, { 10, NOENT }, { 11, NOENT },
	{ 15,	NOENT },
	/* creat(2) of a name that is a directory. */
	{ 8,	ISDIR },
	/* open(2) of a name that is none, mkdir(2) of "." and so on. */
	{ 8,	INVAL }, { 9, INVAL }, { 10, INVAL }, { 11, INVAL },
	/* mkdir(2): the directory above has too many. */
	{ 9,	MLINK },
	/* Devices want privilege; names may be fixed: POSIX has EPERM. */
	{ 8,	PERM }, { 9, PERM }, { 10, PERM }, { 11, PERM },
	/* The sticky bit. */
	{ 12,	PERM }, { 13, PERM }, { 14, PERM },
	/* unlink(2) of a directory; "." and "..". */
	{ 12,	ISDIR | INVAL },
	/* A file system without it says so; Linux reports EOPNOTSUPP. */
	{ 7,	NOTSUPP }, { 12, NOTSUPP },
	/* rmdir(2), unlink(2): the directory itself needs room (copying). */
	{ 12,	NOSPC | DQUOT }, { 13, NOSPC | DQUOT },
};

/*
 * Version 2: RFC 1094 lists no errors by procedure.  So: what the procedure
 * can meet.  NOENT, EXIST and so on need a name.
 */
#define BASE2	(IO | ACCES | STALE)
#define NAME2	(BASE2 | NOENT | NOTDIR | NAMELEN)
#define CHANGE2	(NAME2 | PERM | NOSPC | ROFS | DQUOT)

static const uint32_t listed_v2[18] = {
	[1] = /* GETATTR */	BASE2,
	[2] = /* SETATTR */	BASE2 | PERM | ISDIR | FBIG | NOSPC | ROFS |
				DQUOT,
	[4] = /* LOOKUP */	NAME2,
	[5] = /* READLINK */	BASE2 | NXIO | NAMELEN,
	[6] = /* READ */	BASE2 | NXIO | ISDIR,
	[8] = /* WRITE */	BASE2 | NXIO | ISDIR | FBIG | NOSPC | ROFS |
				DQUOT,
	[9] = /* CREATE */	CHANGE2 | EXIST | ISDIR | FBIG,
	[10] = /* REMOVE */	CHANGE2 | ISDIR,
	[11] = /* RENAME */	CHANGE2 | EXIST | ISDIR | NOTEMPTY,
	[12] = /* LINK */	CHANGE2 | EXIST | ISDIR,
	[13] = /* SYMLINK */	CHANGE2 | EXIST,
	[14] = /* MKDIR */	CHANGE2 | EXIST,
	[15] = /* RMDIR */	CHANGE2 | NOTEMPTY,
	[16] = /* READDIR */	BASE2 | NOTDIR,
	[17] = /* STATFS */	BASE2,
};

/*
 * Version 4: RFC 8881 15.2, RFC 7530 13.2, 7862 11.2, 8276 8.4, as far as
 * errno tells them; other statuses an operation gives by itself.  GONE4 is
 * in each that looks at an object.
 */
#define GONE4	(STALE | DELAY | FAULT)
#define LOOK4	(ACCES | INVAL | IO | GONE4)
#define NAMED4	(ACCES | INVAL | IO | NAMELEN | NOENT | NOTDIR | GONE4)
#define ROOM4	(NOSPC | DQUOT | ROFS)
#define DATA4	(LOOK4 | ISDIR | SYMLINK)

static const uint32_t listed_v4[76] = {
	[3] = /* ACCESS */	LOOK4,
	[4] = /* CLOSE */	GONE4,
	[5] = /* COMMIT */	DATA4,
	[6] = /* CREATE */	NAMED4 | EXIST | PERM | MLINK | ROOM4 |
				BADTYPE,
	[7] = /* DELEGPURGE */	NOTSUPP | DELAY | FAULT,
	[8] = /* DELEGRETURN */	INVAL | NOTSUPP | GONE4,
	[9] = /* GETATTR */	LOOK4,
	[10] = /* GETFH */	STALE | FAULT,
	[11] = /* LINK */	NAMED4 | EXIST | FILE_OPEN | ISDIR | MLINK |
				NOTSUPP | ROOM4 | SYMLINK | XDEV,
	[12] = /* LOCK */	LOOK4 | ISDIR | SYMLINK,
	[13] = /* LOCKT */	LOOK4 | ISDIR | SYMLINK,
	[14] = /* LOCKU */	LOOK4,
	[15] = /* LOOKUP */	NAMED4 | SYMLINK,
	[16] = /* LOOKUPP */	ACCES | IO | NOENT | NOTDIR | SYMLINK | GONE4,
	[17] = /* NVERIFY */	LOOK4,
	[18] = /* OPEN */	NAMED4 | EXIST | FBIG | ISDIR | PERM | ROOM4 |
				SYMLINK,
	[19] = /* OPENATTR */	ACCES | IO | NOENT | NOTSUPP | ROOM4 | GONE4,
	[20] = /* OPEN_CONFIRM */ INVAL | ISDIR | GONE4,
	[21] = /* OPEN_DOWNGRADE */ INVAL | GONE4,
	[22] = /* PUTFH */	BADHANDLE | GONE4,
	[23] = /* PUTPUBFH */	DELAY | FAULT,
	[24] = /* PUTROOTFH */	DELAY | FAULT,
	[25] = /* READ */	DATA4,
	[26] = /* READDIR */	LOOK4 | NOTDIR | BAD_COOKIE | TOOSMALL,
	[27] = /* READLINK */	LOOK4,
	[28] = /* REMOVE */	NAMED4 | FILE_OPEN | NOTEMPTY | NOSPC | ROFS,
	[29] = /* RENAME */	NAMED4 | EXIST | FILE_OPEN | MLINK |
				NOTEMPTY | ROOM4 | XDEV,
	[30] = /* RENEW */	ACCES | FAULT,
	[31] = /* RESTOREFH */	STALE | FAULT,
	[32] = /* SAVEFH */	STALE | FAULT,
	[33] = /* SECINFO */	NAMED4,
	[34] = /* SETATTR */	LOOK4 | FBIG | PERM | ROOM4,
	[35] = /* SETCLIENTID */ INVAL | DELAY | FAULT,
	[36] = /* SETCLIENTID_CONFIRM */ DELAY | FAULT,
	[37] = /* VERIFY */	LOOK4,
	[38] = /* WRITE */	DATA4 | FBIG | ROOM4,
	[39] = /* RELEASE_LOCKOWNER */ FAULT,
	[40] = /* BACKCHANNEL_CTL */ INVAL | DELAY | FAULT,
	[41] = /* BIND_CONN_TO_SESSION */ INVAL | FAULT,
	[42] = /* EXCHANGE_ID */ INVAL | DELAY | FAULT,
	[43] = /* CREATE_SESSION */ INVAL | DELAY | NOSPC | TOOSMALL | FAULT,
	[44] = /* DESTROY_SESSION */ DELAY | FAULT,
	[45] = /* FREE_STATEID */ DELAY | FAULT,
	[46] = /* GET_DIR_DELEGATION */ LOOK4 | NOTDIR | NOTSUPP,
	[47] = /* GETDEVICEINFO */ INVAL | NOENT | NOTSUPP | TOOSMALL |
				DELAY | FAULT,
	[48] = /* GETDEVICELIST */ INVAL | IO | NOTSUPP | GONE4,
	[49] = /* LAYOUTCOMMIT */ LOOK4 | FBIG | ISDIR | NOTSUPP | SYMLINK,
	[50] = /* LAYOUTGET */	LOOK4 | NOTSUPP | TOOSMALL | NOSPC | DQUOT,
	[51] = /* LAYOUTRETURN */ INVAL | ISDIR | NOTSUPP | GONE4,
	[52] = /* SECINFO_NO_NAME */ NAMED4,
	[53] = /* SEQUENCE */	DELAY | FAULT,
	[54] = /* SET_SSV */	INVAL | DELAY | FAULT,
	[55] = /* TEST_STATEID */ DELAY | FAULT,
	[56] = /* WANT_DELEGATION */ INVAL | IO | NOTSUPP | GONE4,
	[57] = /* DESTROY_CLIENTID */ DELAY | FAULT,
	[58] = /* RECLAIM_COMPLETE */ INVAL | DELAY | FAULT,
	[59] = /* ALLOCATE */	DATA4 | FBIG | NOTSUPP | ROOM4,
	[60] = /* COPY */	DATA4 | FBIG | NOTSUPP | ROOM4 | XDEV,
	[61] = /* COPY_NOTIFY */ LOOK4 | ISDIR | NOTSUPP,
	[62] = /* DEALLOCATE */	DATA4 | FBIG | NOTSUPP | ROOM4,
	[63] = /* IO_ADVISE */	DATA4 | NOTSUPP,
	[64] = /* LAYOUTERROR */ INVAL | NOTSUPP | GONE4,
	[65] = /* LAYOUTSTATS */ INVAL | ISDIR | NOTSUPP | GONE4,
	[66] = /* OFFLOAD_CANCEL */ NOTSUPP | DELAY | FAULT,
	[67] = /* OFFLOAD_STATUS */ NOTSUPP | DELAY | FAULT,
	[68] = /* READ_PLUS */	DATA4 | NOTSUPP,
	[69] = /* SEEK */	DATA4 | NOTSUPP | NXIO,
	[70] = /* WRITE_SAME */	DATA4 | FBIG | NOTSUPP | ROOM4,
	[71] = /* CLONE */	DATA4 | FBIG | NOTSUPP | ROOM4 | XDEV,
	[72] = /* GETXATTR */	LOOK4 | NAMELEN | NOTSUPP | PERM | TOOSMALL,
	[73] = /* SETXATTR */	LOOK4 | EXIST | NAMELEN | NOTSUPP | PERM |
				ROOM4,
	[74] = /* LISTXATTRS */	LOOK4 | NAMELEN | NOTSUPP | PERM | TOOSMALL |
				BAD_COOKIE,
	[75] = /* REMOVEXATTR */ LOOK4 | EXIST | NAMELEN | NOTSUPP | PERM |
				ROOM4,
};

/* Not listed, and understood: as in version 3. */
static const struct {
	uint8_t		op;		/* 0: every one that looks at an
					   object */
	uint32_t	set;
} known_v4[] = {
	/* An export with `uids` refuses: at PUTFH, or wherever it is met. */
	{ 0,	ACCES }, { 22, ACCES }, { 23, ACCES }, { 24, ACCES },
	/* A root that is gone; a disk that fails while it is looked for. */
	{ 22,	IO }, { 23, STALE | IO }, { 24, STALE | IO },
	/* What is written shows when it is committed: fsync(2), close(2). */
	{ 4,	INVAL | IO | NOSPC | DQUOT | ROFS | FBIG },
	{ 21,	IO | NOSPC | DQUOT | ROFS | FBIG },
	{ 5,	NOSPC | DQUOT | ROFS | FBIG },
	/* creat(2) of what is there as a directory. */
	{ 6,	ISDIR },
	/* The sticky bit; names that are fixed. */
	{ 11,	PERM }, { 28, PERM }, { 29, PERM },
	/* rename(2) of a file onto a directory. */
	{ 29,	ISDIR },
	/* unlink(2): the directory itself needs room (copying). */
	{ 28,	DQUOT },
	/* truncate(2) of a directory. */
	{ 34,	ISDIR },
	/* A file system without it says so; Linux reports EOPNOTSUPP. */
	{ 6,	NOTSUPP }, { 18, NOTSUPP }, { 28, NOTSUPP }, { 29, NOTSUPP },
	{ 34,	NOTSUPP }, { 38, NOTSUPP },
};

/* MNT: RFC 1813 5.1.5.  Version 1 answers an errno; these are some. */
#define MOUNT_SET (PERM | NOENT | IO | ACCES | NOTDIR | INVAL | NAMELEN | \
		    NOTSUPP | FAULT)

static uint32_t
allowed(unsigned version, unsigned proc)
{
	uint32_t set;

	switch (version) {
	case 2:
		return proc < 18 ? listed_v2[proc] : 0;
	case 3:
		set = proc < 22 ? listed_v3[proc] : 0;
		for (size_t i = 0; i < sizeof known_v3 / sizeof known_v3[0];
		    i++)
			if (set != 0 && (known_v3[i].proc == 0 ||
			    known_v3[i].proc == proc))
				set |= known_v3[i].set;
		return set;
	}
	set = proc < 76 ? listed_v4[proc] : 0;
	for (size_t i = 0; i < sizeof known_v4 / sizeof known_v4[0]; i++)
		if (known_v4[i].op == proc || (known_v4[i].op == 0 &&
		    (set & STALE) != 0))
			set |= known_v4[i].set;
	return set;
}

/* --------------------------------------------------- 3. the nearest one -- */

/* What may not be answered becomes the first of these that may. */
static const struct {
	uint16_t	status;
	uint16_t	nearest[3];	/* then IO, then SERVERFAULT */
} near[] = {
	{ ST_PERM,		{ ST_ACCES } },
	{ ST_NOENT,		{ ST_STALE } },	/* no name: the object went */
	{ ST_NXIO,		{ ST_INVAL } },
	{ ST_ACCES,		{ ST_PERM } },
	{ ST_EXIST,		{ ST_NOTEMPTY, ST_INVAL, ST_ACCES } },
	{ ST_XDEV,		{ ST_INVAL, ST_ACCES } },
	{ ST_NOTDIR,		{ ST_INVAL } },
	{ ST_ISDIR,		{ ST_INVAL, ST_ACCES } },
	{ ST_INVAL,		{ ST_ACCES } },
	{ ST_FBIG,		{ ST_NOSPC, ST_INVAL } },
	{ ST_NOSPC,		{ ST_DQUOT } },
	{ ST_ROFS,		{ ST_ACCES } },
	{ ST_MLINK,		{ ST_NOSPC } },
	{ ST_NAMETOOLONG,	{ ST_INVAL } },
	{ ST_NOTEMPTY,		{ ST_EXIST } },
	{ ST_DQUOT,		{ ST_NOSPC } },
	{ ST_STALE,		{ ST_NOENT } },	/* MNT: the path went */
	{ ST_BADHANDLE,		{ ST_STALE } },
	{ ST_NOT_SYNC,		{ ST_INVAL } },
	{ ST_BAD_COOKIE,	{ ST_INVAL } },
	{ ST_NOTSUPP,		{ ST_INVAL, ST_ACCES } },
	{ ST_TOOSMALL,		{ ST_INVAL } },
	{ ST_BADTYPE,		{ ST_NOTSUPP, ST_INVAL } },
	{ ST_SYMLINK,		{ ST_INVAL, ST_NOTDIR } },
	{ ST_FILE_OPEN,		{ ST_ACCES, ST_JUKEBOX } },
};

static enum nfs_status
nearest(uint32_t set, enum nfs_status status)
{
	if ((bit_of(status) & set) != 0)
		return status;
	for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
		if (near[i].status != status)
			continue;
		for (size_t j = 0; j < 3; j++)
			if ((bit_of(near[i].nearest[j]) & set) != 0)
				return near[i].nearest[j];
	}
	return (set & IO) != 0 ? ST_IO : ST_SERVERFAULT;
}

/* ------------------------------------------------------------- together -- */

enum nfs_status
nfs_status(unsigned version, unsigned proc, int err)
{
	const struct row *row;

	if (err == 0)
		return ST_OK;
	row = find(err);
	return nearest(allowed(version, proc), version == 2 ? row->v2 :
	    version == 3 ? row->v3 : row->v4);
}

enum nfs_status
nfs_mount_status(int err)
{
	return err == 0 ? ST_OK : nearest(MOUNT_SET, find(err)->v3);
}

int
nfs_status_known(int err)
{
	return err == 0 || find(err) != &other;
}

int
nfs_status_allowed(unsigned version, unsigned proc, enum nfs_status status)
{
	return status == ST_OK ||
	    (bit_of(status) & allowed(version, proc)) != 0;
}
