/* Arguments and results of NFS version 2, and what MOUNT sends. */
#include "proto/mount.h"
#include "proto/nfs2.h"

#define ROWS								\
	T(sattrargs) T(diropargs) T(readargs) T(writeargs)		\
	T(createargs) T(renameargs) T(linkargs) T(symlinkargs)		\
	T(readdirargs) T(fhandle) T(attrstat) T(diropres)		\
	T(readlinkres) T(readres) T(nfsstat) T(readdirres)		\
	T(statfsres) T(dirpath) T(fhstatus) T(mountres3)		\
	T(mountbody) T(exportnode) T(mountlist) T(exports)

#include "xdr_target.h"
