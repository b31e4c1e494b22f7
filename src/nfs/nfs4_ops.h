/*
 * What the rows of nfs4_ops run: a function per operation.  NULL in the table
 * (nfs4.c) answers NFS4ERR_NOTSUPP.
 */
#ifndef NFS_NFS4_OPS_H
#define NFS_NFS4_OPS_H

#include "nfs/nfs4.h"

/* -------------------------------------------------------- without state -- */

/* nfs4_file.c: handles, names, attributes */
extern nfs4_run_fn
	nfs4_op_access, nfs4_op_create, nfs4_op_getattr, nfs4_op_getfh,
	nfs4_op_link, nfs4_op_lookup, nfs4_op_lookupp, nfs4_op_nverify,
	nfs4_op_putfh, nfs4_op_putpubfh, nfs4_op_putrootfh,
	nfs4_op_readlink, nfs4_op_remove, nfs4_op_rename, nfs4_op_restorefh,
	nfs4_op_savefh, nfs4_op_secinfo, nfs4_op_secinfo_no_name,
	nfs4_op_setattr, nfs4_op_verify;

/* nfs4_dir.c */
extern nfs4_run_fn nfs4_op_readdir;

/* nfs4_io.c: data and extended attributes */
extern nfs4_run_fn
	nfs4_op_commit, nfs4_op_read, nfs4_op_write,
	nfs4_op_allocate, nfs4_op_clone, nfs4_op_copy, nfs4_op_deallocate,
	nfs4_op_io_advise, nfs4_op_read_plus, nfs4_op_seek,
	nfs4_op_getxattr, nfs4_op_listxattrs, nfs4_op_removexattr,
	nfs4_op_setxattr;

/* ----------------------------------------------------------- with state -- */

/* nfs4_client.c */
extern nfs4_run_fn
	nfs4_op_setclientid, nfs4_op_setclientid_confirm, nfs4_op_renew,
	nfs4_op_exchange_id, nfs4_op_destroy_clientid,
	nfs4_op_reclaim_complete;

/* nfs4_session.c; SEQUENCE is nfs4_sequence (nfs4.h) */
extern nfs4_run_fn
	nfs4_op_create_session, nfs4_op_destroy_session,
	nfs4_op_bind_conn_to_session, nfs4_op_backchannel_ctl;

/* nfs4_state.c */
extern nfs4_run_fn nfs4_op_test_stateid, nfs4_op_free_stateid;

/* nfs4_open.c */
extern nfs4_run_fn
	nfs4_op_open, nfs4_op_open_confirm, nfs4_op_open_downgrade,
	nfs4_op_close;

/* nfs4_lock.c */
extern nfs4_run_fn
	nfs4_op_lock, nfs4_op_lockt, nfs4_op_locku,
	nfs4_op_release_lockowner;

/* nfs4_deleg.c */
extern nfs4_run_fn nfs4_op_delegreturn;

#endif
