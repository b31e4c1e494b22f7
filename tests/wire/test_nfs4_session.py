"""Client ids and sessions of 4.1 and 4.2 (RFC 8881 2.10, 18.33 to 18.38,
18.46 to 18.51; PROTOCOL 7 and 8)."""

import os

import nfs4 as x
import nfs4_ops as op
import pytest
import wire
from nfs4_client import Client1, compound, unique

CONFIRMED = x.EXCHGID4_FLAG_CONFIRMED_R
UPDATE = x.EXCHGID4_FLAG_UPD_CONFIRMED_REC_A


@pytest.fixture(params=[1, 2], ids=['4.1', '4.2'])
def e(v4, clients, request):
    """A client that has no client id yet."""
    clients.append(Client1(v4, request.param, session=False))
    return clients[-1]


@pytest.fixture(scope='module')
def quiet(start4):
    """A server whose sessions have not been shared out among many tests."""
    return start4()


@pytest.fixture(params=[1, 2], ids=['4.1', '4.2'])
def alone(quiet, clients, request):
    """Its only client, that has no client id yet."""
    clients.append(Client1(quiet, request.param, session=False))
    return clients[-1]


@pytest.fixture
def as_other(v4, clients):
    """The same owner, spoken for by another user."""
    def other(c):
        clients.append(Client1(v4, c.minor, session=False, owner=c.owner,
                               verifier=c.verifier, cred=wire.user(1000)))
        return clients[-1]
    return other


def exchange(c, **kw):
    kw.setdefault('flags', 0x101)
    return c.bare(op.exchange_id(kw.pop('owner', c.owner),
                                 kw.pop('verifier', c.verifier), **kw))


def confirmed(c):
    c.exchange_id()
    c.create_session()
    c.ok(op.reclaim_complete())
    return c


# ------------------------------- EXCHANGE_ID: the cases of RFC 8881 18.35.4 --


def test_case_1_a_new_owner_gets_an_unconfirmed_client_id(e):
    res = e.exchange_id()
    assert res.eir_clientid != 0
    assert not res.eir_flags & CONFIRMED


def test_case_2_a_confirmed_owner_gets_its_client_id_again(e):
    first = confirmed(e).clientid
    res = exchange(e)[0]
    assert res.eir_clientid == first
    assert res.eir_flags & CONFIRMED
    e.ok(op.putrootfh())


def test_case_3_another_principal_finds_the_owner_in_use(e, d, as_other):
    confirmed(e).new(d, b'f')
    reply = exchange(as_other(e))
    assert reply.status == x.NFS4ERR_CLID_INUSE
    e.ok(op.putrootfh())


def test_case_3_without_state_another_principal_may_have_the_owner(
        e, as_other):
    confirmed(e)
    other = as_other(e)
    res = exchange(other)
    assert res.status == 0
    assert res[0].eir_clientid != e.clientid
    assert not res[0].eir_flags & CONFIRMED


def test_case_4_an_unconfirmed_record_is_replaced(e):
    first = exchange(e)[0].eir_clientid
    second = exchange(e, verifier=os.urandom(8))[0].eir_clientid
    assert first != second
    reply = e.bare(op.create_session(first, 1))
    assert reply.status == x.NFS4ERR_STALE_CLIENTID


def test_case_4_the_same_incarnation_may_ask_twice(e):
    """A Linux client does (PROTOCOL 5)."""
    first, second = exchange(e)[0], exchange(e)[0]
    assert first.eir_clientid == second.eir_clientid
    assert first.eir_sequenceid == second.eir_sequenceid
    reply = e.bare(op.create_session(second.eir_clientid,
                                     second.eir_sequenceid))
    assert reply.status == 0


def test_case_5_a_restarted_client_gets_another_id(e):
    first = confirmed(e).clientid
    res = exchange(e, verifier=os.urandom(8))[0]
    assert res.eir_clientid != first
    assert not res.eir_flags & CONFIRMED


def test_case_5_what_it_had_goes_when_the_new_one_is_confirmed(
        e, d, another_of):
    o = confirmed(e).new(d, b'f', deny=op.BOTH)
    new = another_of(e, verifier=os.urandom(8))
    e.ok(op.putfh(o.fh), op.read(s=o.s))
    new.exchange_id()
    e.ok(op.putfh(o.fh), op.read(s=o.s))
    new.create_session()
    new.ok(op.reclaim_complete())
    reply = e(op.putrootfh())
    assert reply.status == x.NFS4ERR_BADSESSION
    again = new.open(d, b'f', deny=op.BOTH)
    new.close_file(again)


@pytest.fixture
def another_of(v4, clients):
    def other(c, **kw):
        clients.append(Client1(v4, c.minor, session=False, owner=c.owner,
                               **kw))
        return clients[-1]
    return other


def test_case_6_an_update_of_a_confirmed_record(e):
    first = confirmed(e).clientid
    res = exchange(e, flags=0x101 | UPDATE)[0]
    assert res.eir_clientid == first
    assert res.eir_flags & CONFIRMED


def test_case_7_an_update_without_a_confirmed_record(e):
    assert exchange(e, flags=UPDATE).status == x.NFS4ERR_NOENT
    exchange(e)
    assert exchange(e, flags=UPDATE).status == x.NFS4ERR_NOENT


def test_case_8_an_update_by_another_incarnation(e):
    confirmed(e)
    assert exchange(e, flags=UPDATE, verifier=os.urandom(8)).status == \
        x.NFS4ERR_NOT_SAME


def test_case_9_an_update_by_another_principal(e, as_other):
    confirmed(e)
    assert exchange(as_other(e), flags=UPDATE).status == x.NFS4ERR_PERM


def test_exchange_id_says_it_is_no_pnfs_server_and_nothing_unknown(e):
    flags = e.exchange_id().eir_flags
    assert flags & x.EXCHGID4_FLAG_USE_NON_PNFS
    assert not flags & (x.EXCHGID4_FLAG_USE_PNFS_MDS |
                        x.EXCHGID4_FLAG_USE_PNFS_DS)
    assert not flags & ~(0x00070107 | CONFIRMED)


@pytest.mark.parametrize('flags', [0x8, 0x200, 0x80000, 0x80000000,
                                   0x20000000])
def test_flags_that_nobody_knows_are_invalid(e, flags):
    assert exchange(e, flags=flags).status == x.NFS4ERR_INVAL


def test_other_protection_than_none_is_refused(e):
    ops = x.state_protect_ops4([], [])
    ssv = x.state_protect4_a(x.SP4_SSV, x.ssv_sp_parms4(
        ops, [b'\x60\x86\x48\x01\x65\x03\x04\x02\x01'],
        [b'\x60\x86\x48\x01\x65\x03\x04\x01\x02'], 1, 1))
    assert exchange(e, protect=ssv).status == x.NFS4ERR_ENCR_ALG_UNSUPP
    mach = x.state_protect4_a(x.SP4_MACH_CRED, ops)
    assert exchange(e, protect=mach).status == x.NFS4ERR_INVAL


def test_an_implementation_may_name_itself_once(e):
    impl = x.nfs_impl_id4(b'example.org', b'wire', x.nfstime4(0, 0))
    assert exchange(e, impl=[impl]).status == 0
    twice = op.encode(op.exchange_id(e.owner, e.verifier))[:-4] + \
        b'\0\0\0\2' + 2 * impl.pack()
    assert e.bare(twice).status == x.NFS4ERR_BADXDR


def test_one_server_has_one_owner_and_scope(v4, e):
    first, second = e.exchange_id(), Client1(
        v4, e.minor, session=False).exchange_id()
    assert first.eir_server_owner == second.eir_server_owner
    assert first.eir_server_scope == second.eir_server_scope
    assert first.eir_server_owner.so_major_id
    assert first.eir_server_scope


def test_another_server_has_another_owner_and_scope(e, start4):
    other = start4()
    with Client1(other, e.minor, session=False) as f:
        first, second = e.exchange_id(), f.exchange_id()
    other.stop()
    assert first.eir_server_owner.so_major_id != \
        second.eir_server_owner.so_major_id
    assert first.eir_server_scope != second.eir_server_scope


def test_exchange_id_is_known_within_a_session_too(c41):
    res = c41.ok(op.exchange_id(unique(), os.urandom(8)))[0]
    assert res.eir_clientid != c41.clientid


# --------------------------------------------------------- CREATE_SESSION --


def test_the_first_number_of_create_session_is_what_exchange_id_said(e):
    res = e.exchange_id()
    for wrong in (1, -1, 2):
        reply = e.bare(op.create_session(
            res.eir_clientid, res.eir_sequenceid + wrong & 0xffffffff))
        assert reply.status == x.NFS4ERR_SEQ_MISORDERED
    assert e.bare(op.create_session(
        res.eir_clientid, res.eir_sequenceid)).status == 0


def test_create_session_is_replayed(e):
    e.exchange_id()
    first = e.bare(op.create_session(e.clientid, e.cs_seq))
    again = e.bare(op.create_session(e.clientid, e.cs_seq))
    assert first.status == 0
    assert again.body == first.body
    reply = e.bare(op.create_session(e.clientid, e.cs_seq + 1))
    assert reply.status == 0
    assert reply[0].csr_sessionid != first[0].csr_sessionid
    old = e.bare(op.create_session(e.clientid, e.cs_seq - 1))
    assert old.status == x.NFS4ERR_SEQ_MISORDERED


def test_create_session_is_replayed_on_another_connection(v4, e):
    e.exchange_id()
    first = e.bare(op.create_session(e.clientid, e.cs_seq))
    with v4.tcp() as t:
        again = compound(t, e.minor, op.create_session(
            e.clientid, e.cs_seq))
    assert again.body == first.body


def test_create_session_of_an_unknown_client_is_stale(e):
    for clientid in (0, 1, 0xffffffffffffffff):
        assert e.bare(op.create_session(clientid, 1)).status == \
            x.NFS4ERR_STALE_CLIENTID


def test_create_session_for_another_principal_is_refused(e, as_other):
    e.exchange_id()
    reply = as_other(e).bare(op.create_session(e.clientid, e.cs_seq))
    assert reply.status == x.NFS4ERR_CLID_INUSE
    assert e.bare(op.create_session(e.clientid, e.cs_seq)).status == 0


def test_a_confirmed_client_has_sessions_for_other_principals_too(
        e, as_other):
    """RFC 8881 18.36.4: only the first session confirms."""
    confirmed(e)
    reply = as_other(e).bare(op.create_session(e.clientid, e.cs_seq))
    assert reply.status == 0, reply


def test_what_linux_asks_for_is_granted(alone):
    """Else it fails the mount, or is slow (PROTOCOL 8)."""
    asked = op.channel()
    alone.exchange_id()
    fore = alone.create_session(fore=asked).fore
    for name in ('ca_maxrequestsize', 'ca_maxresponsesize',
                 'ca_maxoperations', 'ca_maxrequests'):
        assert getattr(fore, name) == getattr(asked, name), name
    assert 0 < fore.ca_maxresponsesize_cached <= \
        asked.ca_maxresponsesize_cached
    assert fore.ca_headerpadsize == 0
    assert fore.ca_rdma_ird == []


def test_more_than_there_is_is_granted_in_part(alone):
    most = op.channel(*[0xffffffff] * 6)
    alone.exchange_id()
    s = alone.create_session(fore=most, back=most)
    assert 1 << 20 <= s.fore.ca_maxrequestsize <= (1 << 20) + 65536
    assert 1 << 20 <= s.fore.ca_maxresponsesize <= (1 << 20) + 65536
    assert s.fore.ca_maxoperations == 50
    assert 32 <= s.fore.ca_maxrequests <= 64
    assert s.fore.ca_maxrequests * s.fore.ca_maxresponsesize_cached <= \
        1 << 19
    assert s.back.ca_maxrequests <= 64


@pytest.mark.parametrize('field, value', [
    ('request', 0), ('request', 64), ('response', 0), ('response', 64),
    ('requests', 0), ('ops', 0)])
def test_what_is_too_small_to_work_is_refused(e, field, value):
    e.exchange_id()
    reply = e.bare(op.create_session(
        e.clientid, e.cs_seq, fore=op.channel(**{field: value})))
    assert reply.status == x.NFS4ERR_TOOSMALL


def test_persistence_and_rdma_are_not_granted(e):
    e.exchange_id()
    s = e.create_session(flags=x.CREATE_SESSION4_FLAG_PERSIST |
                         x.CREATE_SESSION4_FLAG_CONN_RDMA)
    assert s.flags == 0


def test_a_session_flag_that_nobody_knows_is_invalid(e):
    e.exchange_id()
    assert e.bare(op.create_session(e.clientid, e.cs_seq, flags=8)).status \
        == x.NFS4ERR_INVAL


def test_a_client_has_no_more_than_8_sessions(e):
    e.exchange_id()
    ids = {e.create_session().id for _ in range(8)}
    assert len(ids) == 8
    assert e.bare(op.create_session(e.clientid, e.cs_seq)).status == \
        x.NFS4ERR_NOSPC


# --------------------------------------------- slots: the table of PROTOCOL 7 --


def seq(c, number, *more, slot=0, highest=None, cache=False):
    return c.bare(op.sequence(
        c.session.id, number, slot, slot if highest is None else highest,
        cache), *more)


@pytest.fixture
def s(e):
    """A client with a session of which no slot was used."""
    e.exchange_id()
    e.create_session()
    return e


def test_the_first_request_of_a_slot_carries_1(s):
    assert seq(s, 2).status == x.NFS4ERR_SEQ_MISORDERED
    assert seq(s, 1).status == 0


def test_last_plus_1_runs(s):
    for n in (1, 2, 3):
        assert seq(s, n, op.putrootfh()).status == 0


def test_last_on_a_slot_never_used_is_misordered(s):
    for slot in (0, 5, s.session.fore.ca_maxrequests - 1):
        assert seq(s, 0, slot=slot).status == x.NFS4ERR_SEQ_MISORDERED


def test_last_with_a_cached_reply_gets_that_reply(s, d):
    first = seq(s, 1, op.putfh(d), op.mkdir(b'new'), cache=True)
    assert first.status == 0
    again = seq(s, 1, op.putfh(d), op.mkdir(b'new'), cache=True)
    assert again.body == first.body
    seq(s, 2, op.putfh(d), op.remove(b'new'))
    assert seq(s, 1, op.putfh(d), op.mkdir(b'new'),
               cache=True).status == x.NFS4ERR_SEQ_MISORDERED


def test_a_replayed_failure_is_the_same_failure(s, d):
    first = seq(s, 1, op.putfh(d), op.remove(b'none'), cache=True)
    assert first.status == x.NFS4ERR_NOENT
    s.bare(op.sequence(s.session.id, 1, 1, 1, False), op.putfh(d),
           op.mkdir(b'none'))
    again = seq(s, 1, op.putfh(d), op.remove(b'none'), cache=True)
    assert again.body == first.body


def test_last_with_another_request_is_a_false_retry(s, d):
    assert seq(s, 1, op.putfh(d), op.mkdir(b'one'), cache=True).status == 0
    reply = seq(s, 1, op.putfh(d), op.mkdir(b'two'), cache=True)
    assert reply.status == x.NFS4ERR_SEQ_FALSE_RETRY
    reply = seq(s, 1, op.putrootfh(), cache=True)
    assert reply.status == x.NFS4ERR_SEQ_FALSE_RETRY


def test_last_without_a_cached_reply_says_so_and_runs_nothing(s, d):
    assert seq(s, 1, op.putfh(d), op.mkdir(b'new')).status == 0
    reply = seq(s, 1, op.putfh(d), op.mkdir(b'new'))
    assert reply.status == x.NFS4ERR_RETRY_UNCACHED_REP
    assert len(reply) in (1, 2)


def test_a_lone_sequence_is_always_replayed(s):
    first = seq(s, 1)
    assert seq(s, 1).body == first.body
    assert seq(s, 2).status == 0


def test_a_lone_sequence_is_not_replayed_in_company(s, d):
    """It would run what follows without a slot."""
    assert seq(s, 1).status == 0
    reply = seq(s, 1, op.putfh(d), op.create(b'new', op.DIR))
    assert reply.status == x.NFS4ERR_SEQ_FALSE_RETRY
    assert len(reply) == 1
    assert seq(s, 2, op.putfh(d), op.lookup(b'new')).status == \
        x.NFS4ERR_NOENT


@pytest.mark.parametrize('jump', [2, 3, 0x7fffffff, 0xfffffffe])
def test_any_other_number_is_misordered(s, jump):
    assert seq(s, 1).status == 0
    assert seq(s, 2).status == 0
    assert seq(s, 2 + jump & 0xffffffff).status == \
        x.NFS4ERR_SEQ_MISORDERED
    assert seq(s, 3).status == 0


def test_an_error_of_sequence_does_not_use_up_the_number(s):
    assert seq(s, 1, highest=9999).status == x.NFS4ERR_BAD_HIGH_SLOT
    assert seq(s, 1).status == 0


def test_an_error_behind_sequence_uses_up_the_number(s):
    assert seq(s, 1, op.getfh()).status == x.NFS4ERR_NOFILEHANDLE
    assert seq(s, 2).status == 0


def test_an_undecodable_operation_behind_sequence_uses_up_the_number(s):
    assert seq(s, 1, op.raw(x.OP_LOOKUP)).status == x.NFS4ERR_BADXDR
    assert seq(s, 2).status == 0


def test_slots_have_numbers_of_their_own(s):
    last = s.session.fore.ca_maxrequests - 1
    for slot in (0, 1, last):
        assert seq(s, 1, slot=slot).status == 0
    for slot in (last, 0, 1):
        assert seq(s, 2, slot=slot).status == 0


def test_a_slot_beyond_the_table_is_bad(s):
    n = s.session.fore.ca_maxrequests
    for slot in (n, n + 1, 0xffffffff):
        assert seq(s, 1, slot=slot, highest=0).status == x.NFS4ERR_BADSLOT


def test_a_highest_slot_beyond_the_table_is_bad(s):
    n = s.session.fore.ca_maxrequests
    assert seq(s, 1, highest=n).status == x.NFS4ERR_BAD_HIGH_SLOT
    assert seq(s, 1, highest=n - 1).status == 0


def test_sequence_answers_what_it_was_asked_and_all_slots(s):
    reply = seq(s, 1, slot=3)
    res = reply[0]
    assert (res.sr_sessionid, res.sr_sequenceid, res.sr_slotid) == (
        s.session.id, 1, 3)
    last = s.session.fore.ca_maxrequests - 1
    assert res.sr_highest_slotid == last
    assert res.sr_target_highest_slotid == last


def test_the_status_flags_are_normally_0(c41):
    assert c41(op.putrootfh()).sequence._data._data.sr_status_flags == 0


@pytest.mark.parametrize('session', [bytes(16), b'\xff' * 16])
def test_a_session_that_never_was_is_bad(e, session):
    assert e.bare(op.sequence(session, 1)).status == x.NFS4ERR_BADSESSION


def test_a_session_with_one_bit_flipped_is_bad(s):
    for byte in range(16):
        b = bytearray(s.session.id)
        b[byte] ^= 1
        assert s.bare(op.sequence(bytes(b), 1)).status == \
            x.NFS4ERR_BADSESSION


def test_a_failed_sequence_ends_the_compound(s, d):
    reply = seq(s, 5, op.putfh(d), op.mkdir(b'new'))
    assert (reply.status, len(reply)) == (x.NFS4ERR_SEQ_MISORDERED, 1)
    assert reply.ops[0].resop == x.OP_SEQUENCE


# -------------------------------------------- replay, connections, trunking --


CHANGES = {
    'CREATE': op.mkdir(b'new'), 'REMOVE': op.remove(b'old'),
    'SETATTR': op.setattr_(mode=0o700),
    'OPEN': op.open_(op.by_name(b'opened'), how=op.guarded(mode=0o600)),
}


@pytest.mark.parametrize('name', sorted(CHANGES))
def test_a_change_is_run_once_over_a_lost_connection(v4, c41, d, name):
    c41.mkdir(d, b'old')
    first = compound(c41.transport, c41.minor, c41.session.sequence(
        cache=True), op.putfh(d), CHANGES[name])
    assert first.status == 0
    c41.transport.close()
    with v4.tcp() as t:
        again = c41.again(op.putfh(d), CHANGES[name], cache=True,
                          transport=t)
        assert again.body == first.body
        names = [entry.name for entry in compound(
            t, c41.minor, c41.session.sequence(slot=1), op.putfh(d),
            op.readdir())[2].reply.entries]
    assert names == {'CREATE': [b'old', b'new'], 'REMOVE': [],
                     'SETATTR': [b'old'],
                     'OPEN': [b'old', b'opened']}[name]


def test_rename_and_link_are_run_once_over_a_lost_connection(v4, c41, d):
    fh = c41.make(d, b'f')
    for operations in (
            (op.putfh(fh), op.savefh(), op.putfh(d), op.link(b'g')),
            (op.putfh(d), op.savefh(), op.rename(b'g', b'h'))):
        first = compound(c41.transport, c41.minor, c41.session.sequence(
            cache=True), *operations)
        assert first.status == 0
        with v4.tcp() as t:
            assert c41.again(*operations, cache=True,
                             transport=t).body == first.body
    assert c41.names(d) == [b'f', b'h']


def test_one_session_works_over_several_connections(v4, c41, d):
    with v4.tcp() as t, v4.tcp() as u:
        for i, transport in enumerate([t, u, c41.transport] * 3):
            assert c41(op.putfh(d), op.mkdir(b'd%d' % i), slot=i % 3,
                       transport=transport).status == 0
    assert len(c41.names(d)) == 9


def test_one_connection_carries_several_sessions_and_minor_versions(
        v4, d, clients):
    one = Client1(v4, 1)
    two = Client1(v4, 2, session=False)
    clients += [one, two]
    two.transport.close()
    two.transport = one.transport
    confirmed(two)
    for c in (one, two, one, two):
        c.ok(op.putfh(d), op.getattr_('change'))
    assert compound(one.transport, 0, op.putrootfh()).status == 0


def test_a_client_may_have_several_sessions(c41, d):
    first = c41.session
    c41.create_session()
    second = c41.session
    o = c41.new(d, b'f')
    c41.session = first
    c41.ok(op.putfh(o.fh), op.write(b'x', s=o.s))
    assert compound(c41.transport, c41.minor, op.destroy_session(
        second.id)).status == 0
    c41.close_file(o)


# ------------------------------------------------------------------ sizes --


@pytest.fixture
def tight(v4, clients, request):
    def client(minor=1, **fore):
        clients.append(Client1(v4, minor, fore=op.channel(**fore)))
        return clients[-1]
    return client


def test_more_operations_than_granted_are_too_many(tight):
    c = tight(ops=4)
    c.ok(*[op.putrootfh()] * 3)
    reply = c(*[op.putrootfh()] * 4)
    assert reply.status == x.NFS4ERR_TOO_MANY_OPS
    c = tight(ops=4)
    c.ok(*[op.putrootfh()] * 3)


def test_a_request_larger_than_granted_is_too_big(tight, d):
    c = tight(request=1024)
    fh = c.make(d, b'f')
    c.ok(op.putfh(fh), op.write(b'x' * 500))
    reply = c(op.putfh(fh), op.write(b'x' * 1024))
    assert reply.status == x.NFS4ERR_REQ_TOO_BIG
    assert c.get(fh, 'size') == 500


def test_a_reply_larger_than_granted_is_too_big(tight, d):
    c = tight(response=1024, ops=50)
    c.ok(op.putfh(d), *[op.getfh()] * 5)
    reply = c(op.putfh(d), *[op.getfh()] * 40)
    assert reply.status == x.NFS4ERR_REP_TOO_BIG
    assert 10 < len(reply) < 40
    assert len(reply.body) <= 1024


# Answers with something in them beside a status.
LONG = [op.access(), op.commit(), op.getattr_('type'), op.getfh(),
        op.read(), op.readlink(),
        op.secinfo(b'f'), op.secinfo_no_name(), op.mkdir(b'new'),
        op.remove(b'f'), op.link(b'new'), op.rename(b'f', b'new'),
        op.setattr_(mode=0o600), op.open_(op.by_name(b'f')),
        op.write(b'x'), op.lock_new(1, 0, 1, op.ANON, b'l'),
        op.locku(0, 1, op.ANON), op.close(op.ANON),
        op.open_downgrade(op.ANON, 1), op.test_stateid(op.ANON)]
LONG_42 = [op.copy(op.ANON, op.ANON), op.seek(0, 0), op.read_plus(),
           op.io_advise([1]), op.getxattr(b'k'), op.setxattr(b'k', b'v'),
           op.removexattr(b'k')]
ABOUT_A_DIRECTORY = ('SECINFO', 'SECINFO_NO_NAME', 'CREATE',
                     'REMOVE', 'LINK', 'RENAME', 'OPEN')


@pytest.mark.parametrize('cached', [False, True])
def test_each_answer_that_does_not_fit_is_too_big(v4, d, clients, cached):
    """Handles fill the reply up to where a bare status still fits."""
    with Client1(v4, 2) as c:
        things = {'READLINK': c.symlink(d, b'l', b'target'),
                  'dir': c.mkdir(d, b'dir', mode=0o777)}
        f = c.make(things['dir'], b'f', b'data')
        c.ok(op.putfh(f), op.setxattr(b'k', b'v'))
    for size in range(512, 556, 4):
        c = Client1(v4, 2, fore=op.channel(
            response=65536 if cached else size, cached=size, ops=50))
        clients.append(c)
        fill = [op.putfh(f), op.savefh()]
        while c(*fill, op.getfh(), op.putfh(f), cache=cached).status == 0:
            fill.append(op.getfh())
        if c(*fill, op.access(), cache=cached).status:
            break
    else:
        pytest.fail('nothing is just too small')
    status = x.NFS4ERR_REP_TOO_BIG_TO_CACHE if cached else \
        x.NFS4ERR_REP_TOO_BIG
    for operation in LONG + LONG_42:
        name = op.name_of(operation.argop)
        fill[0] = op.putfh(things['dir'] if name in ABOUT_A_DIRECTORY else
                           things.get(name, f))
        c.fails(status, *fill, operation, cache=cached)
    for operation in op.readdir(), op.listxattrs():     # as for maxcount
        fill[0] = op.putfh(things['dir'])
        c.fails(x.NFS4ERR_TOOSMALL, *fill, operation, cache=cached)
    assert c.names(things['dir']) == [b'f']
    assert c.contents(f) == b'data'


def test_a_reply_larger_than_is_cached_is_too_big_to_cache(tight, d):
    c = tight(response=65536, cached=1024, ops=50)
    c.ok(op.putfh(d), *[op.getfh()] * 40)
    reply = c(op.putfh(d), *[op.getfh()] * 40, cache=True)
    assert reply.status == x.NFS4ERR_REP_TOO_BIG_TO_CACHE
    assert len(reply.body) <= 1024


def test_a_change_whose_reply_does_not_fit_is_not_made(tight, d):
    c = tight(response=1024, ops=50)
    names, last = [], 0
    for n in range(46):
        reply = c(op.putfh(d), *[op.getfh()] * n, op.mkdir(b'%d' % n))
        if reply.status == 0:
            names.append(b'%d' % n)
            last = n
        else:
            assert reply.status == x.NFS4ERR_REP_TOO_BIG
    assert 5 < last < 30
    assert sorted(c.names(d, 512)) == sorted(names)


def test_a_read_gives_no_more_than_fits(tight, d):
    c = tight(response=4096)
    fh = tight().make(d, b'f', b'x' * 100000)
    reply = c(op.putfh(fh), op.read(0, 100000))
    assert reply.status in (0, x.NFS4ERR_REP_TOO_BIG)
    if reply.status == 0:
        assert 0 < len(reply[1].data) < 4096
        assert not reply[1].eof


def test_a_megabyte_is_read_and_written_in_one_call(c41, d):
    o = c41.new(d, b'f')
    data = os.urandom(1 << 20)
    assert c41.ok(op.putfh(o.fh), op.write(data, s=o.s))[1].count == 1 << 20
    res = c41.ok(op.putfh(o.fh), op.read(0, 1 << 20, o.s))[1]
    assert res.data == data
    assert res.eof


# ------------------------------------- BIND_CONN_TO_SESSION, BACKCHANNEL_CTL --


@pytest.mark.parametrize('asked, granted', [
    (x.CDFC4_FORE, (x.CDFS4_FORE,)),
    (x.CDFC4_BACK, (x.CDFS4_BACK,)),
    (x.CDFC4_FORE_OR_BOTH, (x.CDFS4_FORE, x.CDFS4_BOTH)),
    (x.CDFC4_BACK_OR_BOTH, (x.CDFS4_BACK, x.CDFS4_BOTH))])
def test_a_connection_is_bound(v4, c41, asked, granted):
    with v4.tcp() as t:
        reply = compound(t, c41.minor, op.bind_conn_to_session(
            c41.session.id, asked))
        assert reply.status == 0
        assert reply[0].bctsr_sessid == c41.session.id
        assert reply[0].bctsr_dir in granted
        assert not reply[0].bctsr_use_conn_in_rdma_mode
        assert c41(op.putrootfh(), transport=t).status == 0


def test_no_connection_is_bound_to_a_session_that_never_was(c41):
    assert c41.bare(op.bind_conn_to_session(b'\xee' * 16)).status == \
        x.NFS4ERR_BADSESSION


def test_rdma_mode_is_not_granted(c41):
    reply = c41.bare(op.bind_conn_to_session(c41.session.id, rdma=True))
    assert reply.status == 0
    assert not reply[0].bctsr_use_conn_in_rdma_mode


def test_a_lost_back_channel_is_told_until_there_is_one_again(v4, e):
    e.exchange_id()
    s = e.create_session(flags=x.CREATE_SESSION4_FLAG_CONN_BACK_CHAN)
    if not s.flags & x.CREATE_SESSION4_FLAG_CONN_BACK_CHAN:
        pytest.skip('no back channel is granted')

    def down():
        reply = e(op.putrootfh())
        return bool(reply.sequence._data._data.sr_status_flags & (
            x.SEQ4_STATUS_CB_PATH_DOWN | x.SEQ4_STATUS_CB_PATH_DOWN_SESSION))

    assert not down()
    e.transport.close()
    e.transport = v4.tcp()
    for _ in range(50):
        if down():
            break
    else:
        pytest.fail('nothing was said')
    assert e.bare(op.bind_conn_to_session(
        s.id, x.CDFC4_BACK_OR_BOTH)).status == 0
    assert not down()


def test_backchannel_ctl_is_taken(c41):
    c41.ok(op.backchannel_ctl(0x40000001))
    c41.ok(op.backchannel_ctl(0x40000002, [x.callback_sec_parms4(
        1, x.authsys_parms4(0, b'm', 0, 0, []))]))


def test_backchannel_ctl_with_an_unknown_gss_context_is_refused(c41):
    gss = x.callback_sec_parms4(6, x.gss_cb_handles4(
        x.RPC_GSS_SVC_NONE, b'a', b'b'))
    c41.fails(x.NFS4ERR_NOENT, op.backchannel_ctl(1, [gss]))


# -------------------------------------------- DESTROY_*, RECLAIM_COMPLETE --


def test_a_destroyed_session_is_bad(c41):
    assert c41.bare(op.destroy_session(c41.session.id)).status == 0
    assert c41(op.putrootfh()).status == x.NFS4ERR_BADSESSION
    assert c41.bare(op.destroy_session(c41.session.id)).status == \
        x.NFS4ERR_BADSESSION


def test_a_session_may_be_destroyed_within_itself(c41):
    c41.ok(op.destroy_session(c41.session.id))
    assert c41(op.putrootfh()).status == x.NFS4ERR_BADSESSION


def test_state_outlives_the_session(c41, d):
    o = c41.new(d, b'f')
    assert c41.bare(op.destroy_session(c41.session.id)).status == 0
    c41.create_session()
    c41.ok(op.putfh(o.fh), op.write(b'x', s=o.s))
    c41.close_file(o)


def test_a_client_id_with_a_session_is_busy(c41):
    assert c41.bare(op.destroy_clientid(c41.clientid)).status == \
        x.NFS4ERR_CLIENTID_BUSY


def test_a_client_id_with_state_is_busy(c41, d):
    o = c41.new(d, b'f')
    c41.bare(op.destroy_session(c41.session.id))
    assert c41.bare(op.destroy_clientid(c41.clientid)).status == \
        x.NFS4ERR_CLIENTID_BUSY
    c41.create_session()
    c41.close_file(o)
    c41.destroy()


def test_a_destroyed_client_id_is_stale(c41):
    c41.destroy()
    assert c41.bare(op.destroy_clientid(c41.clientid)).status == \
        x.NFS4ERR_STALE_CLIENTID
    assert c41.bare(op.create_session(c41.clientid, c41.cs_seq)).status == \
        x.NFS4ERR_STALE_CLIENTID


def test_an_unconfirmed_client_id_can_be_destroyed(e):
    e.exchange_id()
    assert e.bare(op.destroy_clientid(e.clientid)).status == 0


def test_reclaim_complete_is_said_once(c41):
    c41.fails(x.NFS4ERR_COMPLETE_ALREADY, op.reclaim_complete())


def test_reclaim_complete_of_one_file_system_is_not_that_of_all(s, d):
    s.fails(x.NFS4ERR_NOFILEHANDLE, op.reclaim_complete(True))
    s.ok(op.putfh(d), op.reclaim_complete(True))
    s.ok(op.reclaim_complete())
    s.fails(x.NFS4ERR_COMPLETE_ALREADY, op.reclaim_complete())


def test_nothing_is_opened_before_reclaim_complete(s, d):
    assert s.try_open(d, b'f', how=op.guarded()).status == x.NFS4ERR_GRACE
    assert not s.is_there(d, b'f')
    s.ok(op.reclaim_complete())
    s.new(d, b'f')


# ------------------------------------------- TEST_STATEID, FREE_STATEID --


def states_of(c, *stateids):
    return c.ok(op.test_stateid(*stateids))[0].tsr_status_codes


def test_stateids_are_tested_each_for_itself(c41, d):
    o = c41.new(d, b'f')
    k = c41.lock(o, 0, 1)
    closed = c41.new(d, b'g')
    c41.close_file(closed)
    c41.open(d, b'f', op.READ)          # seqid 2 now
    assert states_of(c41) == []
    assert states_of(c41, k.s, (0, o.s.other), closed.s, op.ANON, op.BYPASS,
                  (9, o.s.other), o.s) == [
        0, 0, x.NFS4ERR_BAD_STATEID, x.NFS4ERR_BAD_STATEID,
        x.NFS4ERR_BAD_STATEID, x.NFS4ERR_BAD_STATEID,
        x.NFS4ERR_OLD_STATEID]


def test_stateids_of_another_client_are_bad(c41, d, another):
    o = c41.new(d, b'f')
    assert states_of(another(), o.s) == [x.NFS4ERR_BAD_STATEID]


def test_a_lock_stateid_without_locks_is_freed(c41, d):
    k = c41.lock(c41.new(d, b'f'), 0, 10)
    c41.fails(x.NFS4ERR_LOCKS_HELD, op.free_stateid(k.s))
    c41.unlock(k, 0, 10)
    c41.ok(op.free_stateid(k.s))
    assert states_of(c41, k.s) == [x.NFS4ERR_BAD_STATEID]
    c41.fails(x.NFS4ERR_BAD_STATEID, op.free_stateid(k.s))


def test_an_open_stateid_is_not_freed(c41, d):
    o = c41.new(d, b'f')
    c41.fails(x.NFS4ERR_LOCKS_HELD, op.free_stateid(o.s))
    assert states_of(c41, o.s) == [0]


def test_nothing_of_another_client_is_freed(c41, d, another):
    k = c41.lock(c41.new(d, b'f'), 0, 10)
    c41.unlock(k, 0, 10)
    another().fails(x.NFS4ERR_BAD_STATEID, op.free_stateid(k.s))
    c41.fails(x.NFS4ERR_OLD_STATEID, op.free_stateid((1, k.s.other)))
    c41.ok(op.free_stateid(k.s))


def test_special_stateids_are_not_freed(c41):
    for s in (op.ANON, op.BYPASS, op.CURRENT):
        c41.fails(x.NFS4ERR_BAD_STATEID, op.free_stateid(s))


def test_a_lock_held_again_after_free_stateid_is_new(c41, d):
    """As a Linux client does after each unlock."""
    o = c41.new(d, b'f')
    seen = set()
    for _ in range(5):
        k = c41.lock(o, 0, 10)
        c41.unlock(k, 0, 10)
        c41.ok(op.free_stateid(k.s))
        seen.add(k.s.other)
    assert len(seen) == 5

