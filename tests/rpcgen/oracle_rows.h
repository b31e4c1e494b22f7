/* The types that both compilers' output is asked about, by file. */
#ifdef ORACLE_NFS3
#define ROWS								\
	T(GETATTR3args) T(SETATTR3args) T(LOOKUP3args) T(READ3args)	\
	T(WRITE3args) T(CREATE3args) T(SYMLINK3args) T(MKNOD3args)	\
	T(RENAME3args) T(READDIR3args) T(READDIRPLUS3args)		\
	T(GETATTR3res) T(SETATTR3res) T(LOOKUP3res) T(ACCESS3res)	\
	T(READLINK3res) T(READ3res) T(WRITE3res) T(CREATE3res)		\
	T(RENAME3res) T(LINK3res) T(READDIR3res) T(READDIRPLUS3res)	\
	T(FSSTAT3res) T(FSINFO3res) T(PATHCONF3res) T(COMMIT3res)	\
	T(sattr3) T(nfsstat3) T(cookieverf3)
#else	/* mount.x */
#define ROWS								\
	T(dirpath) T(fhstatus) T(mountres3) T(mountlist) T(mountbody)	\
	T(groups) T(exports) T(exportnode) T(mountfh3)
#endif
