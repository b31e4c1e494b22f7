"""Operation × error that its RFC lists: which test causes it, or why none
can.  test_nfs4_errors.py checks that nothing is missing.

An error is one of these:

	'file:test'	tests/wire/test_nfs4_FILE.py has test_TEST, causing it
	'- why'		it cannot be caused, and why

What holds for whole groups of operations stands first; a row of an operation
says what is its own.  Lists: RFC 8881 15.2 (for what only 4.0 has, RFC 7530
13.2), RFC 7862 11.2 and 15, RFC 8276 8.4.
"""

# --------------------------------------------------------- for everybody --

XDR = 'compound:an_operation_cut_short_is_bad_xdr_after_the_others_ran'
XDR_42 = 'compound:an_operation_of_4_2_cut_short_is_bad_xdr'
XDR_SESSION = 'compound:an_operation_of_sessions_cut_short_is_bad_xdr'
ILLEGAL_FIRST = 'compound:what_belongs_into_a_session_does_not_stand_first'
NO_FH = 'compound:what_is_about_a_file_needs_a_filehandle'
NOT_BUILT = 'compound:what_is_not_built_is_not_supported'
TYPES = 'lock:only_files_are_locked'
NO_CONFLICT = '- nothing blocks or is short of memory in these tests'

# In every operation of a session (RFC 8881 15.2 repeats them everywhere).
COMMON = {
    'BADXDR': XDR,
    'DEADSESSION': '- a session that ends is gone at once: BADSESSION',
    'DELAY': NO_CONFLICT,
    'OP_NOT_IN_SESSION': ILLEGAL_FIRST,
    'REP_TOO_BIG': 'session:a_reply_larger_than_granted_is_too_big',
    'REP_TOO_BIG_TO_CACHE':
        'session:a_reply_larger_than_is_cached_is_too_big_to_cache',
    'REQ_TOO_BIG': 'session:a_request_larger_than_granted_is_too_big',
    'RETRY_UNCACHED_REP':
        'session:last_without_a_cached_reply_says_so_and_runs_nothing',
    'SERVERFAULT': '- memfs makes no mistakes; replaced errnos: unit tests',
    'TOO_MANY_OPS': 'session:more_operations_than_granted_are_too_many',
}
HANDLE = {
    'FHEXPIRED': '- handles are persistent (fh_expire_type 0)',
    'MOVED': '- file systems do not migrate',
    'NOFILEHANDLE': NO_FH,
    'STALE': 'names:a_handle_of_what_was_removed_is_stale',
}
ONLY_0 = {                              # 4.0 instead of COMMON
    'BADXDR': XDR,
    'SERVERFAULT': COMMON['SERVERFAULT'],
    'RESOURCE': 'compound:51_operations_are_too_many',
}
IO = {'IO': '- memory does not fail'}
ACCESS = {'ACCESS': 'open:open_asks_for_rights'}
GRACE = {'GRACE': '- memfs is volatile: it has no grace period'}
STATE = {
    'ADMIN_REVOKED': '- nobody revokes state here',
    'BAD_STATEID': 'open:a_stateid_with_one_bit_flipped_is_no_stateid',
    'EXPIRED': 'lease:what_an_expired_client_has_goes_when_somebody_minds',
    'OLD_STATEID': 'open:a_stateid_with_an_old_number_is_old',
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
ROFS = {'ROFS': '- memfs is writable; see test_options for --ro'}
WRONGSEC = {'WRONGSEC': '- AUTH_SYS is all there is'}
PNFS = {'PNFS_IO_HOLE': '- no pNFS', 'PNFS_NO_LAYOUT': '- no pNFS'}
DELEG = {'DELEG_REVOKED': '- no delegation is revoked here'}
NEW = {**NAME, **ROOM, **ROFS, **IO,
       'ACCESS': 'open:a_directory_that_may_not_be_written_is_not'}
DATA = {**COMMON, **HANDLE, **STATE, **IO, **GRACE, **DELEG,
        'ISDIR': 'io:data_are_of_files_only',
        'SYMLINK': 'io:data_are_of_files_only',
        'WRONG_TYPE': 'io:data_are_of_files_only',
        'ACCESS': '- who has opened may; who has not is asked: '
                  'open:open_asks_for_rights'}
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
              'BAD_STATEID': 'open:close_of_a_lock_stateid_is_bad',
              'LOCKS_HELD': '- CLOSE lets go of locks'},
    'COMMIT': {**COMMON, **HANDLE, **IO,
               'ACCESS': '- COMMIT asks for no right',
               'ISDIR': 'io:data_are_of_files_only',
               'SYMLINK': 'io:data_are_of_files_only',
               'WRONG_TYPE': 'io:data_are_of_files_only'},
    'CREATE': {**COMMON, **HANDLE, **NEW, **VALUES,
               'BADTYPE': 'names:create_makes_no_files',
               'EXIST': 'names:create_of_what_is_there_already',
               'MLINK': '- a directory may have any number of others',
               'PERM': 'names:a_device_is_made_by_root_alone',
               'UNSAFE_COMPOUND': '- one operation locks one directory'},
    'DELEGPURGE': UNBUILT,
    'DELEGRETURN': {**COMMON, **HANDLE, **STATE, **DELEG, **WRONG_CRED,
                    'BAD_STATEID': 'state:an_open_is_no_delegation',
                    'EXPIRED': '- delegations need a back channel',
                    'OLD_STATEID': '- delegations need a back channel',
                    'INVAL': '- no argument is invalid by itself',
                    'NOTSUPP': '- it is built'},
    'GETATTR': {**COMMON, **HANDLE, **IO, **GRACE,
                'ACCESS': '- attributes need no right',
                'INVAL': 'attr:what_can_only_be_written_is_not_read',
                'WRONG_TYPE': '- every object has every attribute'},
    'GETFH': {**COMMON, **HANDLE,
              'BADXDR': '- it has no arguments'},
    'LINK': {**COMMON, **HANDLE, **NEW, **GRACE, **WRONGSEC,
             'EXIST': 'names:link_fails_where_it_must',
             'FILE_OPEN': '- open files get links',
             'ISDIR': 'names:link_fails_where_it_must',
             'MLINK': '- 2^32 links are not made in a test',
             'NOTSUPP': '- memfs has hard links',
             'SYMLINK': '- symbolic links get hard links',
             'WRONG_TYPE': '- everything but directories gets links',
             'XDEV': 'exports:nothing_goes_from_one_export_to_another'},
    'LOCK': {**COMMON, **HANDLE, **STATE, **GRACE, **ROFS, **WRONG_CRED,
             'ACCESS': '- OPEN has asked',
             'BAD_RANGE': '- every range is supported',
             'BAD_SEQID': 'owners:a_bad_number_of_a_lock_owner_is_told',
             'BAD_STATEID': 'lock:a_lock_needs_the_stateid_of_an_open',
             'DEADLOCK': '- nothing waits, so nothing is deadlocked',
             'DENIED': 'lock:writers_exclude_everybody_and_readers_writers',
             'INVAL': 'lock:lengths_of_0_and_beyond_the_end_are_invalid',
             'ISDIR': TYPES, 'SYMLINK': TYPES,
             'WRONG_TYPE': 'io:data_are_of_files_only',
             'LOCK_NOTSUPP': '- changing a lock is supported',
             'LOCK_RANGE': '- parts of locks are supported',
             'NO_GRACE':
                 'lock:reclaiming_a_lock_outside_of_grace_is_no_grace',
             'OLD_STATEID': 'lock:an_old_lock_stateid_is_old',
             'OPENMODE':
                 'lock:a_write_lock_needs_a_file_open_for_writing',
             'RECLAIM_BAD': '- memfs has no grace period',
             'RECLAIM_CONFLICT': '- memfs has no grace period'},
    'LOCKT': {**COMMON, **HANDLE, **GRACE, **ROFS, **WRONG_CRED,
              'ACCESS': '- to ask needs no right',
              'BAD_RANGE': '- every range is supported',
              'DENIED':
                  'lock:lockt_is_not_denied_by_its_own_owner',
              'INVAL': 'lock:lengths_of_0_and_beyond_the_end_are_invalid',
              'ISDIR': TYPES, 'SYMLINK': TYPES,
              'WRONG_TYPE': 'io:data_are_of_files_only',
              'LOCK_RANGE': '- parts of locks are supported',
              'STALE_CLIENTID':
                  'lock:lockt_of_an_unknown_client_is_stale_in_4_0'},
    'LOCKU': {**COMMON, **HANDLE, **STATE, **WRONG_CRED,
              'ACCESS': '- letting go needs no right',
              'BAD_RANGE': '- every range is supported',
              'BAD_SEQID': 'owners:a_bad_number_of_a_lock_owner_is_told',
              'BAD_STATEID': 'lock:more_locks_need_the_stateid_of_a_lock',
              'INVAL': 'lock:lengths_of_0_and_beyond_the_end_are_invalid',
              'LOCK_RANGE': '- parts of locks are supported',
              'OLD_STATEID': 'lock:an_old_lock_stateid_is_old'},
    'LOOKUP': {**COMMON, **HANDLE, **NAME, **IO, **WRONGSEC,
               'ACCESS':
                   'open:a_directory_that_may_not_be_searched_is_not',
               'NOENT': 'names:lookup_of_what_is_not_there',
               'SYMLINK': 'names:lookup_in_what_is_no_directory'},
    'LOOKUPP': {**COMMON, **HANDLE, **IO, **WRONGSEC,
                'BADXDR': '- it has no arguments',
                'ACCESS': '- memfs knows parents without searching',
                'NOENT': 'names:above_the_root_is_nothing',
                'NOTDIR': 'names:lookup_in_what_is_no_directory',
                'SYMLINK': 'names:lookup_in_what_is_no_directory'},
    'NVERIFY': {**COMPARED,
                'SAME': 'attr:verify_goes_on_when_all_is_the_same'},
    'OPEN': {**COMMON, **HANDLE, **NEW, **STATE, **VALUES, **GRACE,
             **DELEG, **WRONGSEC,
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
             'EXPIRED': '- a delegation only',
             'FBIG': '- a size beyond the largest: attr, by SETATTR',
             'GRACE': 'session:nothing_is_opened_before_reclaim_complete',
             'INVAL': 'open:share_modes_that_are_none_are_invalid',
             'ISDIR': 'open:a_directory_is_not_opened',
             'NAMETOOLONG': 'open:a_name_that_cannot_be_is_not_opened',
             'NOENT': 'open:a_name_that_cannot_be_is_not_opened',
             'NOTDIR': 'open:a_name_in_a_file_is_not_opened',
             'NO_GRACE':
                 'open:claim_previous_outside_of_grace_is_no_grace',
             'NOTSUPP': 'open:claim_delegate_prev_is_not_supported',
             'OLD_STATEID': '- a delegation only',
             'PERM': '- rights are ACCESS; owners: SETATTR',
             'RECLAIM_BAD': '- memfs has no grace period',
             'RECLAIM_CONFLICT': '- memfs has no grace period',
             'SHARE_DENIED': 'open:share_reservations_are_kept',
             'STALE_CLIENTID':
                 'open:the_client_id_of_open_counts_in_4_0',
             'SYMLINK': 'open:a_symbolic_link_is_not_opened',
             'UNSAFE_COMPOUND': '- one operation locks one directory',
             'WRONG_TYPE': 'open:a_node_is_not_opened'},
    'OPENATTR': UNBUILT,
    'OPEN_CONFIRM': {**ONLY_0, **HANDLE, **STATE,
                     'BADHANDLE': '- PUTFH finds it first',
                     'BAD_SEQID': 'owners:open_confirm_of_a_confirmed_'
                                  'owner_is_refused',
                     'BAD_STATEID': 'owners:open_confirm_of_a_confirmed_'
                                    'owner_is_refused',
                     'INVAL': '- no argument is invalid by itself',
                     'ISDIR': '- a directory has no such stateid',
                     'LEASE_MOVED': '- file systems do not migrate',
                     'STALE_STATEID':
                         'open:a_stateid_of_another_instance_is_stale'},
    'OPEN_DOWNGRADE': {**COMMON, **HANDLE, **STATE, **ROFS, **WRONG_CRED,
                       'INVAL': 'open:a_downgrade_to_what_was_never_'
                                'opened_is_invalid'},
    'PUTFH': {**COMMON, 'MOVED': HANDLE['MOVED'],
              'STALE': HANDLE['STALE'], **WRONGSEC,
              'BADHANDLE': 'names:what_is_no_handle_is_a_bad_one'},
    'PUTPUBFH': {**COMMON, **WRONGSEC, 'BADXDR': '- it has no arguments'},
    'PUTROOTFH': {**COMMON, **WRONGSEC, 'BADXDR': '- it has no arguments'},
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
    'READLINK': {**COMMON, **HANDLE, **IO,
                 'BADXDR': '- it has no arguments',
                 'ACCESS': '- links are readable to all',
                 'INVAL': 'names:readlink_of_what_is_no_link',
                 'WRONG_TYPE': 'names:readlink_of_what_is_no_link'},
    'REMOVE': {**COMMON, **HANDLE, **NAME, **IO, **GRACE, **ROFS,
               'ACCESS': '- the same check as for OPEN that creates',
               'FILE_OPEN': '- open files may be removed',
               'NOENT': 'names:remove_of_what_is_not_there',
               'NOTEMPTY':
                   'names:a_directory_that_is_not_empty_is_not_removed'},
    'RENAME': {**COMMON, **HANDLE, **NEW, **GRACE, **WRONGSEC,
               'EXIST': 'names:what_rename_does_with_what_is_there',
               'FILE_OPEN': '- open files may be renamed',
               'INVAL': 'names:a_directory_does_not_go_into_itself',
               'MLINK': '- a directory may have any number of others',
               'NOENT': 'names:what_rename_does_with_what_is_there',
               'NOTDIR': 'names:rename_from_what_is_no_directory',
               'NOTEMPTY': 'names:what_rename_does_with_what_is_there',
               'XDEV': 'exports:nothing_goes_from_one_export_to_another'},
    'RENEW': {**ONLY_0,
              'ACCESS': '- nobody else\'s lease is refused a renewal',
              'CB_PATH_DOWN': '- 4.0 gets no delegations',
              'EXPIRED': '- an expired client is kept, or gone: STALE_CLIENTID',
              'LEASE_MOVED': '- file systems do not migrate',
              'STALE_CLIENTID': 'owners:renew_of_nobody_is_stale'},
    'RESTOREFH': {**COMMON, **HANDLE, **WRONGSEC,
                  'BADXDR': '- it has no arguments',
                  'NOFILEHANDLE': 'names:restorefh_of_nothing_is_an_error',
                  'RESTOREFH': 'names:restorefh_of_nothing_is_an_error'},
    'SAVEFH': {**COMMON, **HANDLE, 'BADXDR': '- it has no arguments'},
    'SECINFO': {**COMMON, **HANDLE, **NAME,
                'ACCESS': '- the same lookup as LOOKUP',
                'NOENT': 'names:secinfo_of_what_is_not_there'},
    'SETATTR': {**COMMON, **HANDLE, **STATE, **VALUES, **IO, **GRACE,
                **ROOM, **ROFS, **DELEG,
                'ACCESS': 'attr:only_the_owner_sets_the_mode',
                'BADCHAR': '- owners that are no text are BADOWNER',
                'FBIG': 'attr:a_size_beyond_the_largest_is_too_big',
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
              'INVAL': '- a range beyond 2^64 is too big'},
    'RELEASE_LOCKOWNER': {
        **ONLY_0,
        'EXPIRED': '- an expired client is kept, or gone: STALE_CLIENTID',
        'LEASE_MOVED': '- file systems do not migrate',
        'LOCKS_HELD': 'owners:a_lock_owner_with_locks_is_not_released',
        'STALE_CLIENTID':
            'owners:release_for_an_unknown_client_is_stale'},

    # ---------------------------------------------------------------- 4.1

    'BACKCHANNEL_CTL': {
        **COMMON_42,
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
        'CONN_NOT_BOUND_TO_SESSION': '- SP4_NONE asks for no binding'},
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
        **SESSION,
        'NOT_ONLY_OP': '- it is made to have company',
        'BADSESSION': 'session:a_session_that_never_was_is_bad',
        'BADSLOT': 'session:a_slot_beyond_the_table_is_bad',
        'BAD_HIGH_SLOT':
            'session:a_highest_slot_beyond_the_table_is_bad',
        'CONN_NOT_BOUND_TO_SESSION': '- SP4_NONE asks for no binding',
        'DELAY': '- memfs answers before a second call is read',
        'SEQUENCE_POS': 'compound:sequence_stands_first_only',
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
        'COMPLETE_ALREADY': 'session:reclaim_complete_is_said_once',
        'NOFILEHANDLE': 'session:reclaim_complete_of_one_file_system_is_'
                        'not_that_of_all',
        'WRONG_TYPE': '- any object names its file system'},

    # ---------------------------------------------------------------- 4.2

    'ALLOCATE': {
        **DATA, **FOR_WRITING, 'BADXDR': XDR_42,
        'BAD_STATEID': 'open:state_of_another_client_is_of_no_use_in_4_2_'
                       'operations',
        'INVAL': 'io:ranges_of_nothing_or_beyond_are_refused',
        'NOSPC': 'io:allocate_of_more_than_there_is_is_no_space',
        'NOTSUPP': '- memfs has it',
        'OPENMODE':
            'io:changing_ranges_needs_a_file_open_for_writing'},
    'COPY': {
        **DATA, **FOR_WRITING, 'BADXDR': XDR_42,
        'BAD_STATEID': 'io:copies_need_files_open_as_they_are_used',
        'INVAL': 'io:copy_from_beyond_the_end_is_invalid',
        'ISDIR': 'io:copies_are_of_files',
        'NOFILEHANDLE': 'compound:copies_need_a_saved_filehandle',
        'NOTSUPP': 'io:copy_from_another_server_is_not_offered',
        'OFFLOAD_DENIED': 'io:copy_from_another_server_is_not_offered',
        'OFFLOAD_NO_REQS': 'io:copy_from_another_server_is_not_offered',
        'OPENMODE': 'io:copies_need_files_open_as_they_are_used',
        'PARTNER_NO_AUTH': '- no copies between servers',
        'PARTNER_NOTSUPP': '- no copies between servers',
        'XDEV': 'exports:nothing_goes_from_one_export_to_another'},
    'COPY_NOTIFY': UNBUILT,
    'DEALLOCATE': {
        **DATA, **FOR_WRITING, 'BADXDR': XDR_42,
        'BAD_STATEID': 'open:state_of_another_client_is_of_no_use_in_4_2_'
                       'operations',
        'INVAL': 'io:ranges_of_nothing_or_beyond_are_refused',
        'NOTSUPP': '- memfs has it',
        'OPENMODE':
            'io:changing_ranges_needs_a_file_open_for_writing'},
    'IO_ADVISE': {
        **DATA, 'BADXDR': XDR_42,
        'INVAL': '- hints are only hints',
        'NOTSUPP': '- it is built'},
    'LAYOUTERROR': UNBUILT, 'LAYOUTSTATS': UNBUILT,
    'OFFLOAD_CANCEL': UNBUILT, 'OFFLOAD_STATUS': UNBUILT,
    'READ_PLUS': {
        **DATA, **PNFS, 'BADXDR': XDR_42,
        'BAD_STATEID': 'io:read_plus_needs_what_read_needs',
        'INVAL': '- any offset may be asked for',
        'ISDIR': 'io:read_plus_needs_what_read_needs',
        'LOCKED': 'open:special_stateids_heed_denials',
        'NOTSUPP': '- it is built',
        'OPENMODE': '- who may write may read',
        'PARTNER_NO_AUTH': '- no copies between servers'},
    'SEEK': {
        **DATA, **PNFS, 'BADXDR': XDR_42,
        'INVAL': '- any offset may be asked for',
        'LOCKED': 'open:special_stateids_heed_denials',
        'NOTSUPP': '- memfs has it',
        'NXIO': 'io:seek_at_and_beyond_the_end_is_nxio',
        'OPENMODE': '- who may write may read',
        'UNION_NOTSUPP':
            'io:seek_for_something_else_is_a_union_not_supported'},
    'WRITE_SAME': UNBUILT,
    'CLONE': {
        **DATA, **FOR_WRITING, 'BADXDR': XDR_42,
        'BAD_STATEID': 'io:copies_need_files_open_as_they_are_used',
        'INVAL': 'io:clone_from_beyond_the_end_is_invalid',
        'ISDIR': 'io:copies_are_of_files',
        'NOFILEHANDLE': 'compound:copies_need_a_saved_filehandle',
        'NOTSUPP': '- memfs has it',
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
        'NOXATTR': 'io:an_extended_attribute_that_is_not_there',
        'PERM': '- rights are ACCESS',
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
        'NOXATTR': 'io:an_extended_attribute_that_is_not_there',
        'PERM': '- rights are ACCESS',
        'WRONG_TYPE': '- every object may have some',
        'XATTR2BIG':
            'io:a_value_of_64_kib_is_kept_and_a_larger_one_too_big'},
    'LISTXATTRS': {
        **COMMON_42, **HANDLE, **IO,
        'ACCESS': 'io:extended_attributes_follow_the_rights_of_the_file',
        'BAD_COOKIE': '- any cookie can be gone on from',
        'INVAL': '- any cookie can be gone on from',
        'NOTSUPP': '- memfs has it',
        'PERM': '- rights are ACCESS',
        'TOOSMALL': 'io:a_list_without_room_for_a_name_is_too_small',
        'WRONG_TYPE': '- every object may have some'},
    'REMOVEXATTR': {
        **COMMON_42, **HANDLE, **IO, **ROFS,
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
