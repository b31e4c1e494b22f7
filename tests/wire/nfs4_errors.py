"""Operation × error that its RFC lists: which test causes it, or why none
can.  test_nfs4_errors.py checks that nothing is missing.

An error is one of these:

	'file:test'	tests/wire/test_nfs4_FILE.py (or test_FILE.py) has
			test_TEST, causing it
	'- why'		it cannot be caused, and why

What holds for whole groups of operations stands first; a row of an operation
says what is its own; what 4.0 alone lists stands last.  The RFCs' lists are in
nfs4_listed.py.
"""

import nfs4_listed

# --------------------------------------------------------- for everybody --

XDR = 'compound:an_operation_cut_short_is_bad_xdr_after_the_others_ran'
XDR_42 = 'compound:an_operation_of_4_2_cut_short_is_bad_xdr'
XDR_SESSION = 'compound:an_operation_of_sessions_cut_short_is_bad_xdr'
ILLEGAL_FIRST = 'compound:what_belongs_into_a_session_does_not_stand_first'
NO_FH = 'compound:what_is_about_a_file_needs_a_filehandle'
NOT_BUILT = 'compound:what_is_not_built_is_not_supported'
TYPES = 'lock:only_files_are_locked'
NO_CONFLICT = '- memory is enough, and delegations come back in time; but ' \
              'see WRITE'
REVOKED = 'recall:one_that_is_not_returned_is_revoked'

BY_SEQUENCE = '- SEQUENCE answers it, and the operation is not reached'

# In every operation of a session (RFC 8881 15.2 repeats them everywhere).
COMMON = {
    'BADXDR': XDR,
    'DEADSESSION': '- a session that ends is gone at once: BADSESSION',
    'DELAY': NO_CONFLICT,
    'OP_NOT_IN_SESSION': ILLEGAL_FIRST,
    'REP_TOO_BIG': '- a bare status has always room',
    'REP_TOO_BIG_TO_CACHE': '- a bare status has always room',
    'REQ_TOO_BIG': BY_SEQUENCE,
    'RETRY_UNCACHED_REP': BY_SEQUENCE,
    'SERVERFAULT': '- memfs makes no mistakes; replaced errnos: unit tests',
    'TOO_MANY_OPS': BY_SEQUENCE,
}
NO_FAULT = {k: v for k, v in COMMON.items() if k != 'SERVERFAULT'}
NO_ARGUMENTS = {k: v for k, v in COMMON.items() if k != 'BADXDR'}
HANDLE = {
    'FHEXPIRED': '- handles are persistent (fh_expire_type 0)',
    'MOVED': '- file systems do not migrate',
    'NOFILEHANDLE': NO_FH,
    'STALE': '- PUTFH finds it; what goes meanwhile stays for the call',
}
ONLY_0 = {                              # 4.0 instead of COMMON
    'BADXDR': XDR,
    'SERVERFAULT': COMMON['SERVERFAULT'],
    'RESOURCE': '- of the compound as such: '
                'compound:51_operations_are_too_many',
}
IO = {'IO': '- memory does not fail'}
GRACE = {'GRACE': '- it takes nothing that others may reclaim'}
STATE = {
    'ADMIN_REVOKED': '- only delegations are revoked: READ, WRITE, SETATTR, '
                     'DELEGRETURN',
    'BAD_STATEID': 'stateids:one_that_never_was',
    'EXPIRED': 'lease:what_an_expired_client_has_goes_when_somebody_minds',
    'OLD_STATEID': 'stateids:one_with_an_old_number',
}
WRONG_CRED = {'WRONG_CRED': '- SP4_NONE binds no state to principals'}
NAME = {
    'BADCHAR': '- any byte is taken in names but NUL and the slash',
    'BADNAME': 'names:a_name_that_cannot_be_is_refused',
    'INVAL': 'names:a_name_that_cannot_be_is_refused',
    'NAMETOOLONG': 'names:a_name_of_256_bytes_is_too_long',
    'NOTDIR': 'names:a_name_in_a_file_is_refused',
}
ROOM = {
    'DQUOT': '- memfs has no quotas',
    'NOSPC': '- kernel test mem-full; here the file system is not filled',
}
ROFS = {'ROFS': '- memfs is writable here; -o ro: test_options, by version 3'}
WRONGSEC = {'WRONGSEC': '- AUTH_SYS is all there is'}
PNFS = {'PNFS_IO_HOLE': '- no pNFS', 'PNFS_NO_LAYOUT': '- no pNFS'}
DELEG = {'DELEG_REVOKED': REVOKED}
NEW = {**NAME, **ROOM, **ROFS, **IO,
       'ACCESS': 'open:a_directory_that_may_not_be_written_is_not'}
DATA = {**COMMON, **HANDLE, **STATE, **IO, **GRACE, **DELEG,
        'ISDIR': 'io:data_are_of_files_only',
        'SYMLINK': 'io:data_are_of_files_only',
        'WRONG_TYPE': 'io:data_are_of_files_only',
        'ACCESS': '- who has opened may; who has not is asked: '
                  'open:open_asks_for_rights'}
DATA_42 = {**DATA, 'BADXDR': XDR_42,
           'EXPIRED': '- the session goes with its client: BADSESSION',
           'ISDIR': 'io:data_operations_of_4_2_are_of_files_only',
           'SYMLINK': 'io:data_operations_of_4_2_are_of_files_only',
           'WRONG_TYPE': 'io:data_operations_of_4_2_are_of_files_only'}
BIG = 'io:no_range_ends_beyond_the_largest_file'
FOR_WRITING = {**ROOM, **ROFS,
               'FBIG': 'io:a_write_beyond_the_largest_file_is_too_big',
               'LOCKED': 'open:special_stateids_heed_denials',
               'OPENMODE': 'open:a_file_open_for_reading_is_not_written'}
SESSION = {**COMMON, 'BADXDR': XDR_SESSION,
           'NOT_ONLY_OP': 'compound:what_stands_alone_stands_alone'}
del SESSION['OP_NOT_IN_SESSION']
VALUES = {
    'ATTRNOTSUPP': 'attr:what_is_not_supported_is_not_set',
    'BADOWNER': 'attr:an_owner_that_is_nobody_is_a_bad_owner',
}
COMPARED = {**COMMON, **HANDLE, **IO, **GRACE,
            'ACCESS': '- attributes need no right',
            'ATTRNOTSUPP': 'attr:what_cannot_be_compared_is_an_error',
            'BADCHAR': '- no attribute compared has a character set',
            'INVAL': 'attr:what_cannot_be_compared_is_an_error',
            'UNKNOWN_LAYOUTTYPE': '- no layouts',
            'WRONG_TYPE': '- every object has every attribute'}
UNBUILT = {'NOTSUPP': NOT_BUILT,
           '*': '- the operation is not built: NOTSUPP'}
COMMON_42 = {**COMMON, 'BADXDR': XDR_42}

# ----------------------------------------------------------- by operation --

ERRORS = {
    'ACCESS': {**COMMON, **HANDLE, **IO,
               'ACCESS': '- what may not be done is told in the answer',
               'INVAL': '- unknown bits are not supported, no error'},
    'CLOSE': {**COMMON, **HANDLE, **STATE, **WRONG_CRED,
              'BAD_SEQID': 'owners:a_bad_number_of_close_is_told',
              'INVAL': '- no argument is invalid by itself',
              'ISDIR': '- a directory has no such stateid',
              'LOCKS_HELD': '- CLOSE lets go of locks'},
    'COMMIT': {**COMMON, **HANDLE, **IO,
               'ACCESS': '- COMMIT asks for no right',
               'INVAL': '- a range that wraps around is all of it',
               'ROFS': '- what cannot be written has nothing to commit',
               'ISDIR': 'io:data_are_of_files_only',
               'SYMLINK': 'io:data_are_of_files_only',
               'WRONG_TYPE': 'io:data_are_of_files_only'},
    'CREATE': {**COMMON, **HANDLE, **NEW,
               'ATTRNOTSUPP':
                   'attr:create_refuses_attributes_as_setattr_does',
               'BADOWNER':
                   'attr:create_refuses_attributes_as_setattr_does',
               'BADTYPE': 'names:create_makes_no_files',
               'EXIST': 'names:create_of_what_is_there_already',
               'MLINK': '- a directory may have any number of others',
               'PERM': 'names:a_device_is_made_by_root_alone',
               'UNSAFE_COMPOUND': '- one operation locks one directory'},
    'DELEGPURGE': UNBUILT,
    'DELEGRETURN': {**COMMON, **HANDLE, **STATE, **DELEG, **WRONG_CRED,
                    'BAD_STATEID': 'state:an_open_is_no_delegation',
                    'EXPIRED': '- of a client that is gone, by the look-up '
                               'that all stateids share: see CLOSE',
                    'OLD_STATEID': 'deleg:it_is_returned_by_its_own_file_'
                                   'and_stateid_only',
                    'INVAL': '- no argument is invalid by itself',
                    'NOTSUPP': '- it is built',
                    'STALE_STATEID':
                        'state:one_of_an_earlier_instance_is_stale_in_4_0'},
    'GETATTR': {**COMMON, **HANDLE, **IO, **GRACE,
                'ACCESS': '- attributes need no right',
                'INVAL': 'attr:what_can_only_be_written_is_not_read',
                'WRONG_TYPE': '- every object has every attribute'},
    'GETFH': {**HANDLE,
              'OP_NOT_IN_SESSION': ILLEGAL_FIRST,
              'REP_TOO_BIG': COMMON['REP_TOO_BIG'],
              'REP_TOO_BIG_TO_CACHE': COMMON['REP_TOO_BIG_TO_CACHE'],
              'SERVERFAULT': COMMON['SERVERFAULT']},
    'LINK': {**COMMON, **HANDLE, **NEW, **GRACE, **WRONGSEC,
             'EXIST': 'names:link_fails_where_it_must',
             'FILE_OPEN': '- open files get links',
             'ISDIR': 'names:link_fails_where_it_must',
             'MLINK': '- 2^32 links are not made in a test',
             'NOENT': '- the saved filehandle has no name',
             'NOTSUPP': '- memfs has hard links',
             'SYMLINK': '- symbolic links get hard links',
             'WRONG_TYPE': '- everything but directories gets links',
             'XDEV': 'exports:nothing_goes_from_one_export_to_another'},
    'LOCK': {**COMMON, **HANDLE, **STATE, **GRACE, **ROFS, **WRONG_CRED,
             'ACCESS': '- OPEN has asked',
             'BAD_RANGE': '- every range is supported',
             'BAD_SEQID': 'owners:a_bad_number_of_a_lock_owner_is_told',
             'DEADLOCK': '- nothing waits, so nothing is deadlocked',
             'DENIED': 'lock:writers_exclude_everybody_and_readers_writers',
             'INVAL': 'lock:lengths_of_0_and_beyond_the_end_are_invalid',
             'ISDIR': TYPES, 'SYMLINK': TYPES,
             'WRONG_TYPE': 'io:data_operations_of_4_2_are_of_files_only',
             'LOCK_NOTSUPP': '- changing a lock is supported',
             'LOCK_RANGE': '- parts of locks are supported',
             'NO_GRACE':
                 'lock:reclaiming_a_lock_outside_of_grace_is_no_grace',
             'OPENMODE':
                 'lock:a_write_lock_needs_a_file_open_for_writing',
             'RECLAIM_BAD': '- who may not reclaim is told NO_GRACE',
             'RECLAIM_CONFLICT': '- what another has is DENIED',
             'STALE_CLIENTID': '- the open stateid says whose it is'},
    'LOCKT': {**COMMON, **HANDLE, **GRACE, **ROFS, **WRONG_CRED,
              'ACCESS': '- to ask needs no right',
              'BAD_RANGE': '- every range is supported',
              'DENIED':
                  'lock:lockt_is_not_denied_by_its_own_owner',
              'INVAL': 'lock:lengths_of_0_and_beyond_the_end_are_invalid',
              'ISDIR': TYPES, 'SYMLINK': TYPES,
              'WRONG_TYPE': 'io:data_operations_of_4_2_are_of_files_only',
              'EXPIRED': '- an expired client is kept, or gone: '
                         'STALE_CLIENTID',
              'LOCK_RANGE': '- parts of locks are supported',
              'STALE_CLIENTID':
                  'lock:lockt_of_an_unknown_client_is_stale_in_4_0'},
    'LOCKU': {**COMMON, **HANDLE, **STATE, **WRONG_CRED,
              'ACCESS': '- letting go needs no right',
              'BAD_RANGE': '- every range is supported',
              'BAD_SEQID': 'owners:a_bad_number_of_a_lock_owner_is_told',
              'GRACE': '- what is held may be let go of in grace',
              'INVAL': 'lock:lengths_of_0_and_beyond_the_end_are_invalid',
              'ISDIR': '- a directory has no such stateid',
              'LOCK_RANGE': '- parts of locks are supported'},
    'LOOKUP': {**COMMON, **HANDLE, **NAME, **WRONGSEC,
               'IO': 'tarfs:version_4_finds_one_by_its_name',
               'ACCESS':
                   'open:a_directory_that_may_not_be_searched_is_not',
               'NOENT': 'names:lookup_of_what_is_not_there',
               'SYMLINK': 'names:lookup_in_what_is_no_directory'},
    'LOOKUPP': {**NO_ARGUMENTS, **HANDLE, **IO, **WRONGSEC,
                'ACCESS': '- memfs knows parents without searching',
                'NOENT': 'names:above_the_root_is_nothing',
                'NOTDIR': 'names:lookup_in_what_is_no_directory',
                'SYMLINK': 'names:lookup_in_what_is_no_directory'},
    'NVERIFY': {**COMPARED,
                'SAME': 'attr:verify_goes_on_when_all_is_the_same'},
    'OPEN': {**COMMON, **HANDLE, **NEW, **STATE, **VALUES, **DELEG, **WRONGSEC,
             'ACCESS': 'open:open_asks_for_rights',
             'BADOWNER':
                 'open:attributes_that_cannot_be_set_create_nothing',
             'ATTRNOTSUPP':
                 'open:attributes_that_cannot_be_set_create_nothing',
             'BAD_SEQID': 'owners:another_number_is_a_bad_one',
             'BADNAME': 'open:a_name_that_cannot_be_is_not_opened',
             'BAD_STATEID': 'open:claim_delegate_cur_of_no_delegation_is_'
                            'a_bad_stateid',
             'DELEG_ALREADY_WANTED': '- wishes are not kept',
             'EXIST': 'open:guarded_creates_once',
             'EXPIRED': '- of a delegation whose client has gone, and so '
                        'has the client id: STALE_CLIENTID',
             'FBIG': '- a size beyond the largest: attr, by SETATTR',
             'GRACE': 'session:nothing_is_opened_before_reclaim_complete',
             'INVAL': 'open:share_modes_that_are_none_are_invalid',
             'ISDIR': 'open:a_directory_is_not_opened',
             'NAMETOOLONG': 'open:a_name_that_cannot_be_is_not_opened',
             'NOENT': 'open:a_name_that_is_not_there_is_not_opened',
             'NOTDIR': 'open:a_name_in_a_file_is_not_opened',
             'NO_GRACE':
                 'open:claim_previous_outside_of_grace_is_no_grace',
             'NOTSUPP': 'open:claim_delegate_prev_is_not_supported',
             'OPENMODE': 'deleg:a_file_is_opened_by_it_while_it_is_recalled',
             'STALE_STATEID': 'open:claim_delegate_cur_of_no_delegation_is_'
                              'a_bad_stateid',
             'OLD_STATEID':
                 'deleg:a_file_is_opened_by_it_while_it_is_recalled',
             'PERM': '- rights are ACCESS; owners: SETATTR',
             'RECLAIM_BAD': '- who may not reclaim is told NO_GRACE',
             'RECLAIM_CONFLICT': '- what another denies is SHARE_DENIED',
             'SHARE_DENIED': 'open:share_reservations_are_kept',
             'STALE_CLIENTID':
                 'open:the_client_id_of_open_counts_in_4_0',
             'SYMLINK': 'open:a_symbolic_link_is_not_opened',
             'UNSAFE_COMPOUND': '- one operation locks one directory',
             'WRONG_TYPE': 'open:a_node_is_not_opened'},
    'OPENATTR': UNBUILT,
    'OPEN_CONFIRM': {**ONLY_0, **HANDLE, **STATE,
                     'BADHANDLE': '- PUTFH finds it first',
                     'BAD_SEQID':
                         'owners:a_bad_number_of_open_confirm_is_told',
                     'NOFILEHANDLE':
                         'compound:open_confirm_needs_a_filehandle',
                     'BAD_STATEID': 'owners:open_confirm_of_a_confirmed_'
                                    'owner_is_refused',
                     'INVAL': '- no argument is invalid by itself',
                     'ISDIR': '- a directory has no such stateid',
                     'LEASE_MOVED': '- file systems do not migrate',
                     'STALE_STATEID':
                         'stateids:one_of_an_earlier_instance'},
    'OPEN_DOWNGRADE': {**COMMON, **HANDLE, **STATE, **ROFS, **WRONG_CRED,
                       'BAD_SEQID':
                           'owners:a_bad_number_of_open_downgrade_is_told',
                       'LOCKS_HELD': '- locks need an open, not a mode',
                       'INVAL': 'open:a_downgrade_to_what_was_never_'
                                'opened_is_invalid'},
    'PUTFH': {**COMMON, 'MOVED': HANDLE['MOVED'],
              'STALE': 'names:a_handle_of_what_was_removed_is_stale',
              **WRONGSEC,
              'FHEXPIRED': HANDLE['FHEXPIRED'],
              'BADHANDLE': 'names:what_is_no_handle_is_a_bad_one'},
    'PUTPUBFH': {**NO_ARGUMENTS, **WRONGSEC},
    'PUTROOTFH': {**NO_ARGUMENTS, **WRONGSEC},
    'READ': {**DATA, **PNFS,
             'INVAL': '- any offset may be asked for',
             'LOCKED': 'open:special_stateids_heed_denials',
             'OPENMODE': '- who may write may read'},
    'READDIR': {**COMMON, **HANDLE, **IO,
                'ACCESS': 'dir:a_listing_needs_the_right_to_read',
                'BAD_COOKIE': 'dir:cookies_1_and_2_are_bad',
                'INVAL': 'attr:what_can_only_be_written_is_not_read',
                'NOTDIR': 'dir:only_directories_are_listed',
                'NOT_SAME': '- verifiers do not change',
                'TOOSMALL': 'dir:what_cannot_hold_an_entry_is_too_small'},
    'READLINK': {**NO_ARGUMENTS, **HANDLE, **IO,
                 'ACCESS': '- links are readable to all',
                 'INVAL': 'names:readlink_of_what_is_no_link',
                 'ISDIR': '- INVAL, as for whatever else is no link',
                 'NOTSUPP': '- memfs has symbolic links',
                 'WRONG_TYPE': 'names:readlink_of_what_is_no_link'},
    'REMOVE': {**COMMON, **HANDLE, **NAME, **IO, **GRACE, **ROFS,
               'ACCESS': '- the same check as for OPEN that creates',
               'FILE_OPEN': '- open files may be removed',
               'NOENT': 'names:remove_of_what_is_not_there',
               'NOTEMPTY':
                   'names:a_directory_that_is_not_empty_is_not_removed'},
    'RENAME': {**COMMON, **HANDLE, **NEW, **GRACE, **WRONGSEC,
               'EXIST': '- what does not give way is told apart: NOTDIR, '
                        'NOTEMPTY, ISDIR',
               'FILE_OPEN': '- open files may be renamed',
               'ISDIR': 'names:what_rename_does_with_what_is_there',
               'INVAL': 'names:a_directory_does_not_go_into_itself',
               'MLINK': '- a directory may have any number of others',
               'NOENT': 'names:what_rename_does_with_what_is_there',
               'NOTDIR': 'names:rename_from_what_is_no_directory',
               'NOTEMPTY': 'names:what_rename_does_with_what_is_there',
               'XDEV': 'exports:nothing_goes_from_one_export_to_another'},
    'RENEW': {**ONLY_0,
              'ACCESS': '- nobody else\'s lease is refused a renewal',
              'CB_PATH_DOWN': 'recall:renew_says_that_calls_do_not_arrive',
              'EXPIRED': '- an expired client is kept, or STALE_CLIENTID',
              'LEASE_MOVED': '- file systems do not migrate',
              'STALE_CLIENTID': 'owners:renew_of_nobody_is_stale'},
    'RESTOREFH': {**NO_ARGUMENTS, **HANDLE, **WRONGSEC,
                  'NOFILEHANDLE': 'names:restorefh_of_nothing_is_an_error',
                  'RESTOREFH': 'names:restorefh_of_nothing_is_an_error'},
    'SAVEFH': {**NO_ARGUMENTS, **HANDLE},
    'SECINFO': {**COMMON, **HANDLE, **NAME,
                'ACCESS': '- the same lookup as LOOKUP',
                'NOENT': 'names:secinfo_of_what_is_not_there'},
    'SETATTR': {**COMMON, **HANDLE, **STATE, **VALUES, **IO, **GRACE,
                **ROOM, **ROFS, **DELEG,
                'ACCESS': 'attr:only_the_owner_sets_the_mode',
                'BADCHAR': '- owners that are no text are BADOWNER',
                'FBIG': 'attr:a_size_beyond_the_largest_is_too_big',
                'ISDIR': 'attr:the_size_of_what_is_no_file_is_not_set',
                'INVAL': 'attr:what_can_only_be_read_is_not_set',
                'LOCKED':
                    'open:setattr_of_the_size_heeds_denied_writes',
                'OPENMODE':
                    'attr:the_size_needs_a_stateid_that_may_write',
                'PERM': 'attr:only_the_owner_sets_the_mode',
                'UNKNOWN_LAYOUTTYPE': '- no layouts',
                'WRONG_TYPE': '- sizes of what is no file: ISDIR, INVAL'},
    'SETCLIENTID': {**ONLY_0,
                    'CLID_INUSE': 'owners:an_owner_in_use_by_another_'
                                  'principal_is_in_use',
                    'DELAY': NO_CONFLICT,
                    'INVAL': '- any callback is taken'},
    'SETCLIENTID_CONFIRM': {
        **ONLY_0,
        'CLID_INUSE': 'owners:another_principal_does_not_confirm',
        'DELAY': NO_CONFLICT,
        'STALE_CLIENTID': 'owners:a_confirmation_of_nothing_is_stale'},
    'VERIFY': {**COMPARED,
               'NOT_SAME': 'attr:verify_stops_where_something_differs'},
    'WRITE': {**DATA, **FOR_WRITING, **PNFS,
              'INVAL': '- a range beyond 2^64 is too big',
              'NXIO': '- devices are not written to'},
    'RELEASE_LOCKOWNER': {
        **ONLY_0,
        'EXPIRED': '- an expired client is kept, or gone: STALE_CLIENTID',
        'LEASE_MOVED': '- file systems do not migrate',
        'LOCKS_HELD': 'owners:a_lock_owner_with_locks_is_not_released',
        'STALE_CLIENTID':
            'owners:release_for_an_unknown_client_is_stale'},

    # ---------------------------------------------------------------- 4.1

    'BACKCHANNEL_CTL': {
        **NO_FAULT, 'BADXDR': XDR_42,
        'INVAL': '- any program number is taken',
        'NOENT': 'session:backchannel_ctl_with_an_unknown_gss_context_is_'
                 'refused'},
    'BIND_CONN_TO_SESSION': {
        **SESSION,
        'BADSESSION':
            'session:no_connection_is_bound_to_a_session_that_never_was',
        'BAD_SESSION_DIGEST': '- SP4_NONE has no digests',
        'INVAL': '- XDR takes no other direction',
        'NOT_ONLY_OP': 'compound:bind_conn_stands_alone_even_after_sequence'},
    'EXCHANGE_ID': {
        **SESSION,
        'BADCHAR': '- names of implementations are not looked at',
        'CLID_INUSE': 'session:case_3_another_principal_finds_the_owner_'
                      'in_use',
        'ENCR_ALG_UNSUPP':
            'session:other_protection_than_none_is_refused',
        'HASH_ALG_UNSUPP': '- ENCR_ALG_UNSUPP comes first',
        'INVAL': 'session:flags_that_nobody_knows_are_invalid',
        'NOENT': 'session:case_7_an_update_without_a_confirmed_record',
        'NOT_SAME': 'session:case_8_an_update_by_another_incarnation',
        'PERM': 'session:case_9_an_update_by_another_principal'},
    'CREATE_SESSION': {
        **SESSION, **WRONG_CRED,
        'CLID_INUSE':
            'session:create_session_for_another_principal_is_refused',
        'INVAL': 'session:a_session_flag_that_nobody_knows_is_invalid',
        'NOENT': '- no GSS contexts',
        'NOSPC': 'session:a_client_has_no_more_than_8_sessions',
        'SEQ_MISORDERED': 'session:the_first_number_of_create_session_is_'
                          'what_exchange_id_said',
        'STALE_CLIENTID':
            'session:create_session_of_an_unknown_client_is_stale',
        'TOOSMALL': 'session:what_is_too_small_to_work_is_refused'},
    'DESTROY_SESSION': {
        **SESSION, **WRONG_CRED,
        'BACK_CHAN_BUSY': '- calls to the client are given up',
        'BADSESSION': 'session:a_destroyed_session_is_bad',
        'CB_PATH_DOWN': '- calls to the client are given up',
        'CONN_NOT_BOUND_TO_SESSION': '- SP4_NONE asks for no binding',
        'STALE_CLIENTID': '- a session goes with its client: BADSESSION'},
    'FREE_STATEID': {
        **COMMON_42, **WRONG_CRED,
        'BAD_STATEID': 'session:a_lock_stateid_without_locks_is_freed',
        'LOCKS_HELD': 'session:an_open_stateid_is_not_freed',
        'OLD_STATEID': 'session:nothing_of_another_client_is_freed'},
    'GET_DIR_DELEGATION': UNBUILT, 'GETDEVICEINFO': UNBUILT,
    'GETDEVICELIST': UNBUILT, 'LAYOUTCOMMIT': UNBUILT,
    'LAYOUTGET': UNBUILT, 'LAYOUTRETURN': UNBUILT,
    'SECINFO_NO_NAME': {
        **COMMON_42, **HANDLE,
        'ACCESS': '- memfs knows parents without searching',
        'INVAL': '- XDR takes no other style',
        'NOENT': 'names:above_the_root_there_is_no_security',
        'NOTDIR': '- the parent of a file is not asked for by clients',
        'NOTSUPP': '- it is built'},
    'SEQUENCE': {
        **{k: v for k, v in SESSION.items()
           if k not in ('NOT_ONLY_OP', 'SERVERFAULT')},
        'BADSESSION': 'session:a_session_that_never_was_is_bad',
        'BADSLOT': 'session:a_slot_beyond_the_table_is_bad',
        'BAD_HIGH_SLOT':
            'session:a_highest_slot_beyond_the_table_is_bad',
        'CONN_NOT_BOUND_TO_SESSION': '- SP4_NONE asks for no binding',
        'SEQUENCE_POS': 'compound:sequence_stands_first_only',
        'REQ_TOO_BIG': 'session:a_request_larger_than_granted_is_too_big',
        'RETRY_UNCACHED_REP':
            'session:last_without_a_cached_reply_says_so_and_runs_nothing',
        'TOO_MANY_OPS':
            'session:more_operations_than_granted_are_too_many',
        'SEQ_FALSE_RETRY':
            'session:last_with_another_request_is_a_false_retry',
        'SEQ_MISORDERED':
            'session:last_on_a_slot_never_used_is_misordered'},
    'SET_SSV': UNBUILT,
    'TEST_STATEID': COMMON_42,
    'WANT_DELEGATION': UNBUILT,
    'DESTROY_CLIENTID': {
        **SESSION, **WRONG_CRED,
        'CLIENTID_BUSY': 'session:a_client_id_with_a_session_is_busy',
        'STALE_CLIENTID': 'session:a_destroyed_client_id_is_stale'},
    'RECLAIM_COMPLETE': {
        **COMMON_42, **HANDLE, **WRONG_CRED,
        'INVAL': '- no argument is invalid by itself',
        'COMPLETE_ALREADY': 'session:reclaim_complete_is_said_once',
        'NOFILEHANDLE': 'session:reclaim_complete_of_one_file_system_is_'
                        'not_that_of_all',
        'WRONG_TYPE': '- any object names its file system'},

    # ---------------------------------------------------------------- 4.2

    'ALLOCATE': {
        **DATA_42, **FOR_WRITING, 'FBIG': BIG,
        'BAD_STATEID': 'open:state_of_another_client_is_of_no_use_in_4_2_'
                       'operations',
        'INVAL': 'io:ranges_of_nothing_or_beyond_are_refused',
        'NOSPC': 'io:allocate_of_more_than_there_is_is_no_space',
        'NOTSUPP': '- memfs has it',
        'OPENMODE':
            'io:changing_ranges_needs_a_file_open_for_writing'},
    'COPY': {
        **DATA_42, **FOR_WRITING, 'FBIG': BIG,
        'BAD_STATEID': 'io:copies_need_files_open_as_they_are_used',
        'INVAL': 'io:copy_from_beyond_the_end_is_invalid',
        'NOFILEHANDLE': 'compound:copies_need_a_saved_filehandle',
        **PNFS,
        'NOTSUPP': 'io:copy_from_another_server_is_not_offered',
        'OFFLOAD_DENIED': '- no copies between servers',
        'OPENMODE': 'io:copies_need_files_open_as_they_are_used',
        'PARTNER_NO_AUTH': '- no copies between servers',
        'PARTNER_NOTSUPP': '- no copies between servers',
        'XDEV': 'exports:nothing_goes_from_one_export_to_another'},
    'COPY_NOTIFY': UNBUILT,
    'DEALLOCATE': {
        **DATA_42, **FOR_WRITING, 'FBIG': BIG,
        'BAD_STATEID': 'open:state_of_another_client_is_of_no_use_in_4_2_'
                       'operations',
        'INVAL': 'io:ranges_of_nothing_or_beyond_are_refused',
        'NOTSUPP': '- memfs has it',
        'OPENMODE':
            'io:changing_ranges_needs_a_file_open_for_writing'},
    'IO_ADVISE': {
        **DATA_42,
        'INVAL': '- hints are only hints',
        'LOCKED': '- a hint is no access',
        'OPENMODE': '- a hint is no access',
        'NOTSUPP': '- it is built'},
    'LAYOUTERROR': UNBUILT, 'LAYOUTSTATS': UNBUILT,
    'OFFLOAD_CANCEL': UNBUILT, 'OFFLOAD_STATUS': UNBUILT,
    'READ_PLUS': {
        **DATA_42, **PNFS,
        'BAD_STATEID': 'io:read_plus_needs_what_read_needs',
        'INVAL': '- any offset may be asked for',
        'LOCKED': 'open:special_stateids_heed_denials',
        'NOTSUPP': '- it is built',
        'OPENMODE': '- who may write may read',
        'PARTNER_NO_AUTH': '- no copies between servers'},
    'SEEK': {
        **DATA_42, **PNFS,
        'INVAL': '- any offset may be asked for',
        'LOCKED': 'open:special_stateids_heed_denials',
        'NOTSUPP': '- memfs has it',
        'NXIO': 'io:seek_at_and_beyond_the_end_is_nxio',
        'OPENMODE': '- who may write may read',
        'UNION_NOTSUPP':
            'io:seek_for_something_else_is_a_union_not_supported'},
    'WRITE_SAME': UNBUILT,
    'CLONE': {
        **DATA_42, **FOR_WRITING, **PNFS, 'FBIG': BIG,
        'BAD_STATEID': 'io:copies_need_files_open_as_they_are_used',
        'INVAL': 'io:clone_from_beyond_the_end_is_invalid',
        'NOFILEHANDLE': 'compound:copies_need_a_saved_filehandle',
        'NOTSUPP':
            'dirfs_host:what_the_kernel_cannot_clone_is_notsupp',
        'OPENMODE': 'io:copies_need_files_open_as_they_are_used',
        'XDEV': 'exports:nothing_goes_from_one_export_to_another'},

    # ----------------------------------------------------------- RFC 8276

    'GETXATTR': {
        **COMMON_42, **HANDLE, **IO,
        'ACCESS': 'io:extended_attributes_follow_the_rights_of_the_file',
        'INVAL':
            'io:a_name_of_an_extended_attribute_that_cannot_be',
        'NAMETOOLONG':
            'io:a_name_of_an_extended_attribute_that_cannot_be',
        'BADCHAR':
            'io:a_name_of_an_extended_attribute_that_cannot_be',
        'NOTSUPP': '- memfs has them',
        'NOXATTR': 'io:an_extended_attribute_that_is_not_there',
        'PERM': '- rights are ACCESS',
        'TOOSMALL': '- values are given whole: REP_TOO_BIG',
        'WRONG_TYPE': '- every object may have some'},
    'SETXATTR': {
        **COMMON_42, **HANDLE, **IO, **ROOM, **ROFS,
        'ACCESS': 'io:extended_attributes_follow_the_rights_of_the_file',
        'BADCHAR': NAME['BADCHAR'],
        'EXIST': 'io:an_extended_attribute_is_created_once',
        'INVAL':
            'io:a_name_of_an_extended_attribute_that_cannot_be',
        'NAMETOOLONG':
            'io:a_name_of_an_extended_attribute_that_cannot_be',
        'NOTSUPP': '- memfs has them',
        'NOXATTR': 'io:an_extended_attribute_that_is_not_there',
        'PERM': '- rights are ACCESS',
        'WRONG_TYPE': '- every object may have some',
        'XATTR2BIG':
            'io:a_value_of_64_kib_is_kept_and_a_larger_one_too_big'},
    'LISTXATTRS': {
        **COMMON_42, **HANDLE, **IO,
        'ACCESS': '- names are for everybody, as of files',
        'BAD_COOKIE': '- any cookie can be gone on from',
        'INVAL': '- any cookie can be gone on from',
        'NAMETOOLONG': '- it is given no name',
        'NOTSUPP': '- memfs has it',
        'PERM': '- rights are ACCESS',
        'TOOSMALL': 'io:a_list_without_room_for_a_name_is_too_small',
        'WRONG_TYPE': '- every object may have some'},
    'REMOVEXATTR': {
        **COMMON_42, **HANDLE, **IO, **ROFS, **ROOM,
        'EXIST': '- nothing is made',
        'NOTSUPP': '- memfs has them',
        'ACCESS': 'io:extended_attributes_follow_the_rights_of_the_file',
        'BADCHAR': NAME['BADCHAR'],
        'INVAL':
            'io:a_name_of_an_extended_attribute_that_cannot_be',
        'NAMETOOLONG':
            'io:a_name_of_an_extended_attribute_that_cannot_be',
        'NOXATTR': 'io:an_extended_attribute_that_is_not_there',
        'PERM': '- rights are ACCESS',
        'WRONG_TYPE': '- every object may have some'},
}

# What 4.0 lists of almost every operation, and later versions do not.
ONLY_IN_4_0 = {
    'BADHANDLE': '- PUTFH finds it first',
    'LEASE_MOVED': '- file systems do not migrate',
    'RESOURCE': '- of the compound as such: '
                'compound:51_operations_are_too_many',
    'STALE_STATEID': 'stateids:one_of_an_earlier_instance',
}
for _operation, _row in ERRORS.items():
    if '*' not in _row:
        for _error in nfs4_listed.V40.get(_operation, ()):
            if _error in ONLY_IN_4_0:
                _row.setdefault(_error, ONLY_IN_4_0[_error])
    # Later versions have the numbers of these, and no more.
    if nfs4_listed.V41.get(_operation) == {'NOTSUPP'}:
        _row['NOTSUPP'] = \
            'compound:operations_of_4_0_alone_are_not_supported_later'

for _operation in 'READDIR', 'LISTXATTRS':
    for _error in 'REP_TOO_BIG', 'REP_TOO_BIG_TO_CACHE':
        ERRORS[_operation][_error] = '- TOOSMALL, as for a small maxcount'

# Answers that are longer than a status.
_BIG = 'session:each_answer_that_does_not_fit_is_too_big'
for _operation in (
        'ACCESS', 'COMMIT', 'GETATTR', 'GETFH', 'READ',
        'READLINK', 'SECINFO', 'SECINFO_NO_NAME', 'CREATE', 'REMOVE', 'LINK',
        'RENAME', 'SETATTR', 'OPEN', 'WRITE', 'LOCK', 'LOCKU', 'CLOSE',
        'OPEN_DOWNGRADE', 'TEST_STATEID', 'COPY', 'SEEK', 'READ_PLUS',
        'IO_ADVISE', 'GETXATTR', 'SETXATTR', 'REMOVEXATTR'):
    ERRORS[_operation]['REP_TOO_BIG'] = _BIG
    ERRORS[_operation]['REP_TOO_BIG_TO_CACHE'] = _BIG

for _operation in ('LOCK', 'LOCKT', 'READ', 'WRITE', 'SETATTR', 'ALLOCATE',
                   'DEALLOCATE', 'READ_PLUS', 'SEEK'):
    ERRORS[_operation]['GRACE'] = 'recovery:the_last_who_reclaims_ends_grace'

# Where a reason given for a group does not hold for one of it.
for _operation, _error, _why in (
        ('COMMIT', 'INVAL', 'io:data_are_of_files_only'),
        ('READ', 'INVAL', 'io:data_are_of_files_only'),
        ('WRITE', 'INVAL', 'io:data_are_of_files_only'),
        ('CREATE', 'ROFS', 'exports:nothing_is_made_in_the_pseudo_root'),
        ('OPEN', 'ROFS', 'exports:nothing_is_made_in_the_pseudo_root'),
        ('REMOVE', 'ROFS', 'exports:nothing_is_made_in_the_pseudo_root'),
        ('SETATTR', 'ROFS', 'exports:nothing_is_made_in_the_pseudo_root'),
        ('REMOVE', 'FILE_OPEN',
         'exports:a_name_of_an_export_is_taken_in_the_root'),
        ('RENAME', 'FILE_OPEN',
         'exports:a_name_of_an_export_is_taken_in_the_root'),
        ('REMOVE', 'ACCESS',
         'open:a_directory_that_may_not_be_written_is_not'),
        ('SECINFO', 'ACCESS',
         'open:a_directory_that_may_not_be_searched_is_not'),
        ('READ', 'ADMIN_REVOKED', REVOKED),
        ('WRITE', 'ADMIN_REVOKED', REVOKED),
        ('SETATTR', 'ADMIN_REVOKED', REVOKED),
        ('DELEGRETURN', 'ADMIN_REVOKED', REVOKED),
        ('WRITE', 'ROFS',
         'exports_file:version_4_state_is_under_the_new_rules'),
        ('WRITE', 'DELAY', 'recall:who_waits_too_long_is_told_to_come_again'),
        ('SEQUENCE', 'DELAY',
         'slow:a_slot_in_use_says_delay_and_runs_nothing_twice'),
        ('DEALLOCATE', 'FBIG', 'io:ranges_of_nothing_or_beyond_are_refused'),
        ('SETXATTR', 'BADCHAR',
         'io:a_name_of_an_extended_attribute_that_cannot_be'),
        ('REMOVEXATTR', 'BADCHAR',
         'io:a_name_of_an_extended_attribute_that_cannot_be')):
    ERRORS[_operation][_error] = _why
