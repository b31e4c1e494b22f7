"""What other servers did wrong, and clients need, as rules: which tests hold
us to each.  test_rules.py sees that every one of them is there.

A rule is a row: what must be so, and tests as FILE:NAME, which is
tests/wire/test_FILE.py, or with a directory tests/DIRECTORY/FILE.
"""

RULES = {
    # ------------------------------------------------ programs, ports, sizes
    'version 4 over UDP is a mismatch of 2 and 3': [
        'nfs4_compound:over_udp_there_are_versions_2_and_3'],
    'NFSACL, which Linux probes, is unavailable, as all unknown programs': [
        'rpc:an_unknown_program_is_unavailable'],
    'sizes offered: 1 MiB over TCP, 32 KiB over UDP': [
        'nfs3_fs:fsinfo_over_tcp_offers_1_mib',
        'udp:datagrams_carry_32_kib_at_most',
        'nfs4_session:a_megabyte_is_read_and_written_in_one_call'],
    'maxread and maxwrite are there: without, Linux moves 1 KiB at a time': [
        'nfs4_attr:constants_are_what_clients_need'],
    'no portmapper is a warning, and never the end': [
        'cli/test_cli.py:def test_no_portmapper_is_one_line('],
    'one export that cannot be served harms no other': [
        'python/test_process.py:def test_memory_is_served_where_python_'
        'cannot_be(',
        'python/test_process.py:def test_what_is_beside_a_program_that_'
        'fails_is_served_on('],
    # ------------------------------------------------------------------ RPC
    'a record longer than the longest call closes the connection': [
        'records:a_record_longer_than_allowed_closes_at_once',
        'records:the_longest_write_fits_in_a_record'],
    'empty fragments count against a limit': [
        'records:64_empty_fragments_are_taken_and_65_close',
        'records:a_million_empty_fragments_are_cut_short'],
    'calls are answered out of order, each by its xid': [
        'rpc:many_calls_are_answered_each_once_in_any_order',
        'slow:others_are_answered_while_calls_wait'],
    'unknown program, version, procedure, RPC version': [
        'rpc:an_unknown_program_is_unavailable',
        'rpc:an_unknown_version_of_nfs_is_a_mismatch_with_the_range',
        'rpc:an_unknown_procedure_is_unavailable',
        'rpc:another_version_of_rpc_is_a_mismatch_of_2_to_2'],
    'NULL takes any flavour': ['rpc:null_takes_any_flavour'],
    'more than 16 groups or 255 bytes of machine name are BADCRED': [
        'rpc:16_groups_and_255_bytes_of_machine_are_taken',
        'rpc:a_bad_auth_sys_body_is_badcred'],
    'ids are never signed: -2 is not root': ['rpc:ids_are_never_signed'],
    'squashing keeps groups, and all-squash lets write': [
        'options:root_that_is_not_proven_is_squashed_with_root',
        'options:with_all_squashed_everybody_is_just_another',
        'options:with_nobody_squashed_everybody_is_himself'],
    # -------------------------------------------------------------- handles
    'every bit of a handle counts, and no length but its own': [
        'handles:every_bit_flipped_leads_nowhere',
        'handles:every_length_but_its_own_leads_nowhere',
        'nfs4_names:every_bit_of_a_handle_counts'],
    'the export is inside the checksum': [
        'handles:parts_of_two_handles_make_none',
        'exports:a_handle_of_one_export_opens_no_other',
        'unit/test_fh.c:another_export_is_another_handle'],
    'a rename changes no handle': [
        'nfs3_names:rename_keeps_the_handle',
        'nfs4_names:rename_changes_no_handle'],
    'the root keeps its handle over a restart, others of memory go stale': [
        'handles:the_root_keeps_its_handle_over_a_restart',
        'nfs4_lease:after_a_restart_a_volatile_file_system_is_clean'],
    'STALE for nothing but objects that are gone': [
        'unit/test_status.c:stale_for_nothing_else'],
    'handles have 32 bytes, which every client takes': [
        'handles:handles_have_32_bytes_which_every_client_takes'],
    'fileid 0 panics a client: it is never sent': [
        'nfs4_attr:fileids_are_not_0_and_mounted_on_is_the_same',
        'unit/test_vfs.c:fileid_zero_never_leaves'],
    'no id is below 17, nor has low 32 bits of 0': [
        'unit/test_tree.c:ids_are_never_small_nor_half_zero'],
    # ----------------------------------------------------------- operations
    'numbers that no RFC gave out are illegal, unbuilt ones NOTSUPP': [
        'nfs4_compound:a_number_of_no_operation_is_illegal',
        'nfs4_compound:4_1_has_no_operation_of_4_2',
        'nfs4_compound:what_is_not_built_is_not_supported'],
    'what only 4.0 has is NOTSUPP later, not illegal': [
        'nfs4_compound:operations_of_4_0_alone_are_not_supported_later'],
    'COPY says how stable it is, with the verifier of COMMIT': [
        'nfs4_io:copy_is_as_stable_as_it_says_and_has_commits_verifier'],
    'SEEK beyond the end is NXIO, and looks at what it is asked for': [
        'nfs4_io:seek_at_and_beyond_the_end_is_nxio',
        'nfs4_io:seek_for_something_else_is_a_union_not_supported'],
    'clone_blksize is told and kept to': [
        'nfs4_io:clone_keeps_to_the_block_size_it_names'],
    'a minor version too high has no results; the tag comes back': [
        'nfs4_compound:a_minor_version_too_high_is_a_mismatch_with_no_results',
        'nfs4_compound:the_tag_comes_back_with_an_error'],
    '51 operations: RESOURCE in 4.0, TOO_MANY_OPS later': [
        'nfs4_compound:51_operations_are_too_many'],
    'BADXDR is for the operation, after those before it ran': [
        'nfs4_compound:an_operation_cut_short_is_bad_xdr_after_the_others_'
        'ran'],
    'OP_NOT_IN_SESSION, SEQUENCE_POS, NOT_ONLY_OP': [
        'nfs4_compound:what_belongs_into_a_session_does_not_stand_first',
        'nfs4_compound:sequence_stands_first_only',
        'nfs4_compound:what_stands_alone_stands_alone'],
    'SECINFO consumes the filehandle in sessions': [
        'nfs4_names:secinfo_consumes_the_filehandle_in_sessions',
        'nfs4_names:secinfo_no_name_lists_a_flavour_and_consumes_the_'
        'filehandle'],
    'version 2: all ones leave alone, a million microseconds are now': [
        'nfs2:setattr_leaves_alone_what_is_all_ones',
        'nfs2:a_million_microseconds_is_the_servers_time'],
    'version 2 has no MKNOD: the mode tells': [
        'nfs2:create_with_a_type_in_its_mode_is_mknod',
        'nfs2:a_fifo_is_a_character_device_without_number'],
    # ------------------------------------------------------ what Linux sends
    'EXCHANGE_ID and SETCLIENTID come twice': [
        'nfs4_session:case_4_the_same_incarnation_may_ask_twice',
        'nfs4_owners:a_linux_client_asks_twice_with_the_same_verifier'],
    'what Linux asks a session for is granted': [
        'nfs4_session:what_linux_asks_for_is_granted'],
    'no more calls than needed': ['kernel/calls:needs no more than'],
    # ----------------------------------------------------------- attributes
    'exactly what is asked and supported, in the order of bits': [
        'nfs4_attr:exactly_what_is_asked_and_supported_comes_in_bit_order',
        'nfs4_attr:attributes_of_a_later_minor_version_are_left_out'],
    'layouts are never advertised': ['nfs4_attr:no_layouts_are_advertised'],
    'write-only is INVAL when read, read-only when set, unknown ATTRNOTSUPP': [
        'nfs4_attr:what_can_only_be_written_is_not_read',
        'nfs4_attr:what_can_only_be_read_is_not_set',
        'nfs4_attr:what_is_not_supported_is_not_set'],
    'one change counter, whoever changes, whoever asks': [
        'nfs4_attr:change_moves_with_every_change_and_only_up',
        'nfs4_attr:a_change_by_version_3_moves_the_same_counter',
        'nfs4_names:change_info_is_atomic_and_that_of_getattr'],
    'a change within one tick of the clock is seen': [
        'nfs3_data:every_write_moves_times_even_within_one_clock_tick'],
    'exports have an fsid each; fileid and mounted_on_fileid differ there': [
        'nfs4_exports:each_export_has_an_fsid_and_covers_a_fileid'],
    'with mode_umask the server applies the mask': [
        'nfs4_attr:mode_umask_is_applied_by_the_server'],
    'what exclusive creation sets is a part of what is supported': [
        'nfs4_attr:what_exclusive_creation_takes_is_a_part_of_what_is_'
        'supported'],
    'owners are numbers or names with a domain': [
        'nfs4_attr:owners_are_numbers_or_names_with_a_domain',
        'nfs4_attr:names_are_those_of_the_servers_machine'],
    'GETATTR bumps nothing': ['nfs4_attr:getattr_changes_nothing',
                              'nfs3_attr:getattr_changes_nothing'],
    'macOS sets the time of creation': [
        'nfs4_attr:macos_may_set_the_time_of_creation'],
    # ------------------------------------------------------- retransmission
    'a change is run once, and its reply sent again': [
        'replay:a_replay_does_nothing_again',
        'replay:every_change_is_replayed_after_a_broken_connection'],
    'nobody gets the reply of somebody else, whatever his xids are': [
        'replay:no_change_is_replayed_to_another_client',
        'replay:a_live_connections_reply_is_never_anothers',
        'replay:xids_that_start_at_0_on_many_connections_do_not_mix'],
    'a call under way is not run twice; its reply goes where it is asked': [
        'slow:a_duplicate_of_a_call_under_way_is_dropped',
        'slow:a_duplicate_by_a_new_connection_gets_the_reply_when_it_is_'
        'there'],
    'reads are never kept': ['replay:reads_are_never_replayed'],
    '4.0: compounds that change something are kept': [
        'nfs4_owners:a_compound_that_changes_something_is_replayed',
        'nfs4_owners:a_compound_that_changes_nothing_runs_again'],
    'owners: the same number replays, the next runs, others are bad': [
        'nfs4_owners:open_is_replayed',
        'nfs4_owners:another_number_is_a_bad_one'],
    'errors that do not use up an owner\'s number do not': [
        'nfs4_owners:errors_that_do_not_count_do_not_count',
        'nfs4_owners:other_errors_count'],
    'slot: last + 1, idle: runs': ['nfs4_session:last_plus_1_runs'],
    'slot: last, never used: SEQ_MISORDERED': [
        'nfs4_session:last_on_a_slot_never_used_is_misordered'],
    'slot: last, running: DELAY': [
        'slow:a_slot_in_use_says_delay_and_runs_nothing_twice'],
    'slot: last, another request: SEQ_FALSE_RETRY': [
        'nfs4_session:last_with_another_request_is_a_false_retry'],
    'slot: last, kept: that reply': [
        'nfs4_session:last_with_a_cached_reply_gets_that_reply'],
    'slot: last, not kept: RETRY_UNCACHED_REP; a lone SEQUENCE always': [
        'nfs4_session:last_without_a_cached_reply_says_so_and_runs_nothing',
        'nfs4_session:a_lone_sequence_is_always_replayed'],
    'slot: any other number: SEQ_MISORDERED': [
        'nfs4_session:any_other_number_is_misordered'],
    'a new slot begins with 1': [
        'nfs4_session:the_first_request_of_a_slot_carries_1'],
    'BADSLOT, BAD_HIGH_SLOT': [
        'nfs4_session:a_slot_beyond_the_table_is_bad',
        'nfs4_session:a_highest_slot_beyond_the_table_is_bad'],
    'SEQUENCE offers all slots: 0 throttles Linux to one call at a time': [
        'nfs4_session:sequence_answers_what_it_was_asked_and_all_slots'],
    'status flags are 0, and CB_PATH_DOWN only where one was promised': [
        'nfs4_session:the_status_flags_are_normally_0',
        'nfs4_session:a_lost_back_channel_is_told_until_there_is_one_again'],
    'RECALLABLE_STATE_REVOKED is told until what was revoked is freed': [
        'nfs4_recall:one_that_is_not_returned_is_revoked'],
    'only a SEQUENCE that succeeds renews': [
        'nfs4_lease:only_what_succeeds_renews'],
    'whether a reply fits is known before something changes': [
        'nfs4_session:a_change_whose_reply_does_not_fit_is_not_made',
        'nfs4_session:each_answer_that_does_not_fit_is_too_big'],
    'several sessions on a connection, several connections of a session': [
        'nfs4_session:one_session_works_over_several_connections',
        'nfs4_session:one_connection_carries_several_sessions_and_minor_'
        'versions'],
    'a change is run once over a reconnect': [
        'nfs4_session:a_change_is_run_once_over_a_lost_connection'],
    # ------------------------------------------------- clients and sessions
    'EXCHANGE_ID, nine cases': [
        'nfs4_session:case_1_a_new_owner_gets_an_unconfirmed_client_id',
        'nfs4_session:case_2_a_confirmed_owner_gets_its_client_id_again',
        'nfs4_session:case_3_another_principal_finds_the_owner_in_use',
        'nfs4_session:case_4_an_unconfirmed_record_is_replaced',
        'nfs4_session:case_5_a_restarted_client_gets_another_id',
        'nfs4_session:case_6_an_update_of_a_confirmed_record',
        'nfs4_session:case_7_an_update_without_a_confirmed_record',
        'nfs4_session:case_8_an_update_by_another_incarnation',
        'nfs4_session:case_9_an_update_by_another_principal'],
    'no pNFS, and no flag that is unknown': [
        'nfs4_session:exchange_id_says_it_is_no_pnfs_server_and_nothing_'
        'unknown'],
    'owner and scope: one of a server, kept over a restart': [
        'nfs4_session:one_server_has_one_owner_and_scope',
        'nfs4_session:another_server_has_another_owner_and_scope',
        'nfs4_lease:server_owner_and_scope_survive_a_restart'],
    'CREATE_SESSION has a replay of its own': [
        'nfs4_session:create_session_is_replayed',
        'nfs4_session:create_session_is_replayed_on_another_connection'],
    'sizes too small are TOOSMALL; PERSIST and RDMA are cleared': [
        'nfs4_session:what_is_too_small_to_work_is_refused',
        'nfs4_session:persistence_and_rdma_are_not_granted'],
    'a client with state is busy': [
        'nfs4_session:a_client_id_with_state_is_busy'],
    'after a restart: BADSESSION, STALE_CLIENTID': [
        'nfs4_lease:after_a_restart_a_volatile_file_system_is_clean'],
    # -------------------------------------------------------------- READDIR
    'cookies are constant, and any resumes, also when its entry went': [
        'nfs3_dir:a_cookie_stays_the_same_while_its_entry_lives',
        'nfs3_dir:a_cookie_of_an_entry_that_went_resumes_at_the_next',
        'nfs4_dir:a_cookie_is_good_after_its_entry_went'],
    'version 4 lists no dots; cookies 1 and 2 are bad': [
        'nfs4_dir:there_are_no_dots', 'nfs4_dir:cookies_1_and_2_are_bad'],
    'the verifier is constant': [
        'nfs3_dir:the_verifier_is_constant_and_any_is_taken',
        'nfs4_dir:the_verifier_does_not_move'],
    'maxcount is never exceeded': [
        'nfs4_dir:maxcount_is_never_exceeded',
        'nfs3_dir:a_page_is_never_longer_than_asked'],
    'without room for an entry: TOOSMALL, not the end': [
        'nfs4_dir:what_cannot_hold_an_entry_is_too_small',
        'nfs3_dir:an_entry_longer_than_the_page_is_toosmall_and_not_the_end'],
    'dircount is a hint': ['nfs4_dir:dircount_is_a_hint'],
    'nothing is lost or doubled while entries come and go': [
        'nfs4_dir:what_stays_is_listed_once_whatever_else_happens',
        'nfs3_dir:names_that_stay_come_just_once_whatever_else_happens'],
    'rm -r of 10 000 entries, page by page': [
        'nfs3_dir:10000_entries_are_made_listed_and_removed_like_rm_r',
        'nfs4_dir:5000_entries_are_removed_page_by_page'],
    'a listing does not get slower with each page': [
        'nfs3_dir:a_listing_of_many_does_not_get_slower_with_each_page'],
    'an empty directory has an end': [
        'nfs4_dir:an_empty_directory_has_an_end'],
    # ------------------------------------------------- OPEN, locks, leases
    'each claim': [
        'nfs4_open:claim_null_opens_by_name',
        'nfs4_open:claim_fh_opens_the_current_file',
        'nfs4_open:claim_previous_outside_of_grace_is_no_grace',
        'nfs4_deleg:a_file_is_opened_by_it_while_it_is_recalled',
        'nfs4_open:claim_delegate_cur_of_no_delegation_is_a_bad_stateid',
        'nfs4_open:claim_delegate_prev_is_not_supported'],
    'the client id in OPEN is ignored in sessions, and counts in 4.0': [
        'nfs4_open:the_client_id_of_open_is_ignored_in_sessions',
        'nfs4_open:the_client_id_of_open_counts_in_4_0'],
    'wishes in share_access are no error': [
        'nfs4_open:wishes_for_delegations_are_no_error_in_sessions'],
    'LOCKTYPE_POSIX, or Linux locks nothing': [
        'nfs4_open:open_answers_flags_that_linux_needs'],
    'an unlinked open file stays readable': [
        'nfs4_open:an_unlinked_open_file_stays_readable_until_closed'],
    'OPEN once more is the same stateid, one further': [
        'nfs4_open:opening_again_is_an_upgrade_of_the_same_stateid'],
    'CLOSE ends the lock stateids': [
        'nfs4_open:close_ends_the_lock_stateids'],
    'the current stateid goes with SAVEFH and RESTOREFH': [
        'nfs4_open:the_current_stateid_is_saved_and_restored'],
    'of the special stateids only all ones passes denials, and reads only': [
        'nfs4_open:special_stateids_heed_denials'],
    'each wrong stateid in each operation': [
        'nfs4_stateids:one_of_an_earlier_instance',
        'nfs4_stateids:one_with_an_old_number',
        'nfs4_stateids:one_with_a_number_from_the_future',
        'nfs4_stateids:one_of_another_file',
        'nfs4_stateids:one_of_another_client',
        'nfs4_stateids:an_open_is_no_lock_and_a_lock_no_open'],
    'all attributes of creation are set, not the mode alone': [
        'nfs4_open:all_attributes_of_creation_are_set_and_told'],
    'an exclusive verifier survives changes of the file': [
        'nfs4_open:an_exclusive_verifier_outlives_changes_of_the_file',
        'nfs3_names:a_verifier_is_not_kept_in_the_times_a_client_may_set'],
    'a lock is denied with its true holder, and holds no reply back': [
        'nfs4_lock:a_denied_lock_names_its_holder',
        'nfs4_lock:a_blocking_lock_is_denied_at_once'],
    'ranges of one owner split and join': [
        'nfs4_lock:any_pattern_of_locks_is_that_of_a_model'],
    'lengths: all ones to the end, 0 and overflow invalid': [
        'nfs4_lock:a_length_of_all_ones_is_to_the_end',
        'nfs4_lock:lengths_of_0_and_beyond_the_end_are_invalid'],
    'an expired client keeps its state until somebody minds': [
        'nfs4_lease:what_an_expired_client_has_goes_when_somebody_minds'],
    'nobody recorded, or nothing that lasts: no grace': [
        'nfs4_lease:after_a_restart_a_volatile_file_system_is_clean'],
    'one_fs does not end the reclaim of all; twice is COMPLETE_ALREADY': [
        'nfs4_session:reclaim_complete_of_one_file_system_is_not_that_of_all',
        'nfs4_session:reclaim_complete_is_said_once',
        'nfs4_session:nothing_is_opened_before_reclaim_complete'],
    # ---------------------------------------------------- READ, WRITE, COMMIT
    'eof is exact, and beyond the end there is none': [
        'nfs3_data:eof_is_exact', 'nfs4_io:what_is_read_and_where_the_end_is'],
    'committed is at least what was asked': [
        'nfs3_data:write_is_at_least_as_stable_as_asked',
        'nfs4_io:a_write_is_at_least_as_stable_as_asked'],
    'one verifier everywhere, another after a start': [
        'nfs4_io:the_verifier_is_the_same_everywhere',
        'nfs4_lease:the_write_verifier_changes_over_a_restart'],
    'without open, owners read and write in spite of the mode': [
        'nfs3_data:read_needs_the_right_to_but_owners_may_always',
        'nfs3_data:write_needs_the_right_to_but_owners_may_always'],
    # ----------------------------------------------------- names, directories
    'change_info is atomic': [
        'nfs4_names:change_info_is_atomic_and_that_of_getattr',
        'nfs4_open:change_info_of_creation_is_atomic'],
    'wcc data is there on failure, too': [
        'nfs3_names:create_exclusive_with_another_verifier_is_exist',
        'nfs3_attr:wcc_data_of_setattr_is_before_and_after'],
    'REMOVE of a directory, RMDIR of a file fail in 3; 4 removes both': [
        'nfs3_names:remove_of_a_directory_is_isdir',
        'nfs3_names:rmdir_of_a_file_is_notdir',
        'nfs4_names:remove_removes_files_and_directories'],
    'renames onto itself, into itself, between exports': [
        'nfs4_names:rename_onto_another_link_of_the_same_file_does_nothing',
        'nfs4_names:a_directory_does_not_go_into_itself',
        'nfs4_exports:nothing_goes_from_one_export_to_another'],
    'names that cannot be, and any bytes else': [
        'nfs4_names:a_name_that_cannot_be_is_refused',
        'nfs4_names:any_other_name_is_a_name',
        'nfs3_names:names_are_bytes_of_any_kind'],
    'ACCESS answers what is asked, and no LOOKUP of files': [
        'nfs4_names:access_answers_only_what_is_asked_and_there_is',
        'nfs3_attr:access_of_a_file_has_no_lookup_bit'],
    'the pseudo-root lists exports, and one can walk up and down': [
        'nfs4_exports:the_pseudo_root_lists_the_exports',
        'nfs4_exports:lookup_crosses_into_an_export_and_lookupp_back',
        'nfs4_exports:nothing_is_made_in_the_pseudo_root'],
    # ---------------------------------------------------------------- errors
    'each errno becomes a status that the operation may answer': [
        'unit/test_status.c:every_errno_lands_on_a_status_the_operation_may_'
        'answer'],
    'each listed error has a test or a reason': [
        'nfs4_errors:every_error_has_a_test_or_a_reason',
        'nfs4_errors:the_named_tests_do_cause_their_errors'],
    # ----------------------------------------------------- other servers' bugs
    'no client can use up what is there for all': [
        'nfs4_session:a_client_has_no_more_than_8_sessions',
        'nfs4_deleg:there_is_a_limit_for_each_client',
        'mount:the_list_of_mounts_is_bounded',
        'unit/test_drc.c:a_flood_of_one_client_stays_within_its_bytes'],
    'a slow reader is bounded by his own memory': [
        'records:who_does_not_read_replies_is_not_read_from'],
    'links, renames and look-ups of many threads race without harm': [
        'unit/test_tree_threads.c:threads_in_the_same_directories_do_no_harm'],
    'counts are checked before memory is asked for': [
        'nfs4_compound:a_count_without_operations_takes_no_memory',
        'rpc:lengths_that_lie_are_garbage'],
    'one who does not answer recalls stands in nobody\'s way': [
        'nfs4_recall:a_silent_client_stands_in_nobodys_way',
        'nfs4_recall:one_that_is_not_returned_is_revoked'],
}
