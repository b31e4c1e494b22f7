/* Arguments and results of NFS version 3. */
#include "proto/nfs3.h"

#define ROWS								\
	T(GETATTR3args) T(SETATTR3args) T(LOOKUP3args) T(ACCESS3args)	\
	T(READLINK3args) T(READ3args) T(WRITE3args) T(CREATE3args)	\
	T(MKDIR3args) T(SYMLINK3args) T(MKNOD3args) T(REMOVE3args)	\
	T(RMDIR3args) T(RENAME3args) T(LINK3args) T(READDIR3args)	\
	T(READDIRPLUS3args) T(FSSTAT3args) T(FSINFO3args)		\
	T(PATHCONF3args) T(COMMIT3args)					\
	T(GETATTR3res) T(SETATTR3res) T(LOOKUP3res) T(ACCESS3res)	\
	T(READLINK3res) T(READ3res) T(WRITE3res) T(CREATE3res)		\
	T(MKDIR3res) T(SYMLINK3res) T(MKNOD3res) T(REMOVE3res)		\
	T(RMDIR3res) T(RENAME3res) T(LINK3res) T(READDIR3res)		\
	T(READDIRPLUS3res) T(FSSTAT3res) T(FSINFO3res)			\
	T(PATHCONF3res) T(COMMIT3res)

#include "xdr_target.h"
