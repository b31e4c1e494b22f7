/*
 * Results of NFS version 4, callbacks, and what lies in attributes and
 * layouts.  Arguments are fuzz_nfs4's.
 */
#include "proto/nfs4.h"

#define ROWS								\
	T(nfs_resop4) T(COMPOUND4res) T(nfs_cb_argop4) T(nfs_cb_resop4)	\
	T(CB_COMPOUND4res) T(nfsacl41) T(fs_locations4)			\
	T(fs_locations_info4) T(mdsthreshold4) T(retention_get4)	\
	T(retention_set4) T(settime4) T(sec_label4) T(open_arguments4)	\
	T(notify_add4) T(notify_rename4) T(nfsv4_1_file_layout4)	\
	T(nfsv4_1_file_layout_ds_addr4) T(copy_from_auth_priv)		\
	T(copy_to_auth_priv)

#include "xdr_target.h"
