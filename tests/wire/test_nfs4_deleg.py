"""Read delegations (RFC 8881 10.2 to 10.4): given, used, recalled, returned,
revoked; RFC 8881 20.2 (CB_RECALL) and 20.9 (CB_SEQUENCE)."""

import time

import nfs4 as x
import nfs4_client
import nfs4_ops as op
import pytest
from nfs4_callbacks import Aside, holder

MINORS = pytest.mark.parametrize('minor', [0, 1, 2],
                                 ids=['4.0', '4.1', '4.2'])


@pytest.fixture
def f(other, d):
    """A file of the directory."""
    return other.make(d, b'f', b'old')


def given(o):
    return o.deleg.delegation_type == x.OPEN_DELEGATE_READ


# ------------------------------------------------------------------- core --


@MINORS
def test_a_client_that_can_be_called_gets_a_delegation(h, d, f):
    o = h.hold(d, b'f')
    assert not o.deleg._data.recall
    assert h.called.probes >= 1
    assert h.read_by(o) == b'old'
    h.returns(o)


@MINORS
def test_an_open_for_writing_recalls_it_and_waits(h, other, d, f):
    o = h.hold(d, b'f')
    writes = Aside(other.try_open, d, b'f', op.WRITE)
    told = h.told()
    assert op.pair(told.stateid) == op.pair(o.deleg._data.stateid)
    assert told.fh == o.fh and told.truncate is False
    h.returns(o)
    assert writes.result().status == x.NFS4_OK
    assert h.told_nothing()


# ---------------------------------------------------------------- giving --


@MINORS
def test_who_reads_a_file_once_gets_none_without_asking(h, other, d, f):
    h.hold(d, b'f')             # it can be called, which is known now
    other.make(d, b'once', b'x')
    o = h.try_hold(d, b'once', want=0)
    assert o.deleg.delegation_type == x.OPEN_DELEGATE_NONE
    h.close_file(o)
    assert given(h.try_hold(d, b'once', want=0))


@MINORS
def test_one_client_has_one_delegation_of_a_file(h, d, f):
    o = h.hold(d, b'f')
    again = h.try_hold(d, b'f', owner=b'another')
    assert not given(again)
    h.returns(o)


@MINORS
def test_two_clients_can_have_one_and_both_are_recalled(v4, clients, h,
                                                        other, d, f):
    clients.append(holder(v4, h.minor))
    second = clients[-1]
    o, o2 = h.hold(d, b'f'), second.hold(d, b'f')
    assert op.pair(o.deleg._data.stateid) != op.pair(o2.deleg._data.stateid)
    writes = Aside(other.try_open, d, b'f', op.WRITE)
    h.told()
    second.told()
    h.returns(o)
    time.sleep(0.05)
    assert not writes.is_done()
    second.returns(o2)
    assert writes.result().status == x.NFS4_OK


@MINORS
def test_none_is_given_while_somebody_writes_or_denies_reading(h, other, d,
                                                               f):
    h.returns(h.hold(d, b'f'))
    other.make(d, b'g', b'x')
    w = other.open(d, b'g', op.WRITE)
    assert not given(h.try_hold(d, b'g'))
    assert not given(h.try_hold(d, b'g'))
    other.close_file(w)
    h.hold(d, b'g')
    other.make(d, b'denied', b'x')
    w = other.open(d, b'denied', op.READ, deny=op.READ)
    assert h.try_open(d, b'denied', op.READ).status == x.NFS4ERR_SHARE_DENIED
    other.close_file(w)
    h.hold(d, b'denied')


@MINORS
def test_none_is_given_to_who_writes_or_cannot_be_called(h, other, d, f):
    h.returns(h.hold(d, b'f'))
    for _ in range(3):
        res = h.open(d, b'f', op.BOTH, owner=b'w').res
        assert res.delegation.delegation_type == x.OPEN_DELEGATE_NONE
        res = other.open(d, b'f', op.READ).res
        assert res.delegation.delegation_type == x.OPEN_DELEGATE_NONE


@MINORS
def test_none_is_given_while_it_is_not_known_whether_calls_arrive(
        v4, clients, minor, other, d, f):
    clients.append(holder(v4, minor))
    deaf = clients[-1]
    deaf.called.mute = True
    for _ in range(3):
        assert not given(deaf.try_hold(d, b'f'))


@MINORS
def test_none_is_given_for_a_file_that_was_recalled_lately(h, other, d, f):
    o = h.hold(d, b'f')
    writes = Aside(other.try_open, d, b'f', op.WRITE)
    h.told()
    h.returns(o)
    reply = writes.result()
    assert reply.status == x.NFS4_OK
    other.close_file(nfs4_client.Opened(reply[2].object, reply[1], b'owner',
                                        op.WRITE))
    for _ in range(3):
        assert not given(h.try_hold(d, b'f'))


@pytest.mark.parametrize('minor', [1, 2], ids=['4.1', '4.2'])
def test_who_asks_is_told_why_there_is_none(h, other, d, f):
    def why(want, name=b'f', client=h):
        o = client.try_hold(d, name, want) if client is h else \
            client.open(d, name, op.READ | want)
        deleg = o.res.delegation
        assert deleg.delegation_type == x.OPEN_DELEGATE_NONE_EXT
        return deleg._data.ond_why

    h.returns(h.hold(d, b'f'))
    assert why(x.OPEN4_SHARE_ACCESS_WANT_NO_DELEG) == x.WND4_NOT_WANTED
    assert why(x.OPEN4_SHARE_ACCESS_WANT_CANCEL) == x.WND4_CANCELLED
    assert why(x.OPEN4_SHARE_ACCESS_WANT_WRITE_DELEG) == \
        x.WND4_WRITE_DELEG_NOT_SUPP_FTYPE
    assert why(x.OPEN4_SHARE_ACCESS_WANT_ANY_DELEG, client=other) == \
        x.WND4_RESOURCE
    w = other.open(d, b'f', op.WRITE, owner=b'w')
    assert why(x.OPEN4_SHARE_ACCESS_WANT_READ_DELEG) == x.WND4_CONTENTION
    other.close_file(w)


@pytest.mark.parametrize('minor', [1, 2], ids=['4.1', '4.2'])
def test_who_asks_for_any_gets_one_for_reading(h, d, f):
    h.returns(h.hold(d, b'f'))
    assert given(h.try_hold(d, b'f', x.OPEN4_SHARE_ACCESS_WANT_ANY_DELEG))


@pytest.mark.parametrize('minor', [2], ids=['4.2'])
def test_there_is_a_limit_for_each_client(h, c, d):
    names = [b'%d' % i for i in range(1025)]
    for name in names:
        c.make(d, name)
    held = [h.hold(d, name) for name in names[:1024]]
    o = h.try_hold(d, names[1024])
    assert o.deleg._data.ond_why == x.WND4_RESOURCE
    h.returns(held[0])
    assert given(h.try_hold(d, names[1024]))


@MINORS
def test_an_option_switches_them_off(start4, clients, tmp_path, minor):
    server = start4('--no-delegations')
    clients.append(holder(server, minor))
    h = clients[-1]
    root = h.root()
    h.make(root, b'f', b'x')
    for _ in range(3):
        o = h.try_hold(root, b'f')
        assert not given(o)
        if minor > 0:
            assert o.deleg._data.ond_why == x.WND4_NOT_SUPP_FTYPE
    assert h.called.probes == 0


# ----------------------------------------------------------------- using --


@MINORS
def test_its_stateid_reads_and_does_not_write(h, other, d, f):
    o = h.hold(d, b'f')
    s = o.deleg._data.stateid
    assert h.read_by(o) == b'old'
    h.close_file(o)
    assert h.read_by(o) == b'old'       # without an open
    h.fails(x.NFS4ERR_OPENMODE, op.putfh(o.fh), op.write(b'x', 0, s))
    h.fails(x.NFS4ERR_OPENMODE, op.putfh(o.fh), op.setattr_(s, size=0))
    g = other.make(d, b'g', b'x')
    h.fails(x.NFS4ERR_BAD_STATEID, op.putfh(g), op.read(s=s))
    h.fails(x.NFS4ERR_BAD_STATEID, op.putfh(o.fh),
            op.close(s, h.next_seqid(b'owner')))
    reply = h(op.putfh(o.fh), op.lock_new(
        op.READ, 0, 1, s, b'l', 1, 1, h.clientid))
    assert reply.status == x.NFS4ERR_BAD_STATEID
    h.returns(o)
    h.read_by(o, x.NFS4ERR_BAD_STATEID)


@MINORS
def test_a_file_is_opened_by_it_while_it_is_recalled(h, other, d, f):
    o = h.hold(d, b'f')
    s = o.deleg._data.stateid
    other.make(d, b'g')
    writes = Aside(other.try_open, d, b'f', op.WRITE)
    h.told()
    mine = h.open(d, op.by_delegate_cur(s, b'f'), op.READ, owner=b'local')
    assert mine.fh == o.fh
    assert mine.res.delegation.delegation_type == x.OPEN_DELEGATE_NONE
    assert h.try_open(d, op.by_delegate_cur(s, b'f'), op.WRITE,
                      owner=b'local').status == x.NFS4ERR_OPENMODE
    assert h.try_open(d, op.by_delegate_cur(s, b'g'), op.READ,
                      owner=b'local').status == x.NFS4ERR_BAD_STATEID
    assert h.try_open(d, op.by_delegate_cur(mine.s, b'f'), op.READ,
                      owner=b'local').status == x.NFS4ERR_BAD_STATEID
    # The number before 1 (RFC 8881 8.2.2).
    assert h.try_open(d, op.by_delegate_cur((0xffffffff, s.other), b'f'),
                      op.READ, owner=b'local').status == x.NFS4ERR_OLD_STATEID
    assert h.try_open(d, op.by_delegate_cur(s, b'none'), op.READ,
                      owner=b'local').status == x.NFS4ERR_NOENT
    if h.minor > 0:
        by_fh = h.open(o.fh, op.by_delegate_cur_fh(s), op.READ,
                       owner=b'more')
        assert by_fh.fh == o.fh
        assert h.try_open(d, op.by_delegate_cur_fh(s), op.READ,
                          owner=b'more').status in (
            x.NFS4ERR_BAD_STATEID, x.NFS4ERR_ISDIR)
    h.returns(o)
    assert writes.result().status == x.NFS4_OK


@MINORS
def test_a_delegation_is_no_other_clients(v4, clients, h, d, f):
    clients.append(holder(v4, h.minor))
    o = h.hold(d, b'f')
    thief = clients[-1]
    if h.minor > 0:     # 4.0 knows a client by its stateids only
        assert thief.return_of(o) == x.NFS4ERR_BAD_STATEID
        thief.read_by(o, x.NFS4ERR_BAD_STATEID)
    h.returns(o)
    assert h.return_of(o) == x.NFS4ERR_BAD_STATEID


@MINORS
def test_it_is_returned_by_its_own_file_and_stateid_only(h, other, d, f):
    o = h.hold(d, b'f')
    g = other.make(d, b'g')
    s = o.deleg._data.stateid
    h.fails(x.NFS4ERR_BAD_STATEID, op.putfh(g), op.delegreturn(s))
    h.fails(x.NFS4ERR_BAD_STATEID, op.putfh(o.fh), op.delegreturn(o.s))
    h.fails(x.NFS4ERR_BAD_STATEID, op.putfh(o.fh),
            op.delegreturn((s.seqid + 1, s.other)))
    # The number before 1 (RFC 8881 8.2.2).
    h.fails(x.NFS4ERR_OLD_STATEID, op.putfh(o.fh),
            op.delegreturn((0xffffffff, s.other)))
    h.fails(x.NFS4ERR_NOFILEHANDLE, op.delegreturn(s))
    h.returns(o)


@pytest.mark.parametrize('minor', [1, 2], ids=['4.1', '4.2'])
def test_a_held_one_is_valid_and_cannot_be_freed(h, d, f):
    o = h.hold(d, b'f')
    s = o.deleg._data.stateid
    assert h.ok(op.test_stateid(s))[0].tsr_status_codes == [x.NFS4_OK]
    h.fails(x.NFS4ERR_LOCKS_HELD, op.free_stateid(s))
    h.returns(o)
    assert h.ok(op.test_stateid(s))[0].tsr_status_codes == [
        x.NFS4ERR_BAD_STATEID]


@pytest.mark.parametrize('minor', [1, 2], ids=['4.1', '4.2'])
def test_a_client_with_one_is_busy(h, d, f):
    o = h.hold(d, b'f')
    h.close_file(o)
    h.bare(op.destroy_session(h.session.id))
    assert h.bare(op.destroy_clientid(h.clientid)).status == \
        x.NFS4ERR_CLIENTID_BUSY


@MINORS
def test_nobody_had_one_before_that_could_be_claimed(h, d, f):
    assert h.try_open(d, op.by_delegate_prev(b'f'), op.READ).status == \
        x.NFS4ERR_NOTSUPP
    if h.minor > 0:
        assert h.try_open(f, op.by_delegate_prev_fh(), op.READ).status == \
            x.NFS4ERR_NOTSUPP
    assert h.try_open(f, op.by_previous(x.OPEN_DELEGATE_READ),
                      op.READ).status == x.NFS4ERR_NO_GRACE
    h.fails(x.NFS4ERR_NOTSUPP, op.delegpurge(h.clientid))
