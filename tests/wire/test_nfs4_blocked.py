"""Who waits for a lock is called when he may have it (RFC 8881 20.11)."""

import nfs4 as x
import nfs4_client
import nfs4_ops as op
import pytest
import wire
from nfs4_callbacks import holder

READW, WRITEW = x.READW_LT, x.WRITEW_LT
SESSIONS = pytest.mark.parametrize('minor', [1, 2], ids=['4.1', '4.2'])


@pytest.fixture
def files(h, other, d):
    """The same file, opened by both."""
    other.make(d, b'f')
    return h.open(d, b'f'), other.open(d, b'f')


def waits(h, o, offset=0, length=10, kind=WRITEW, owner=b'patient'):
    assert h.try_lock(o, offset, length, kind,
                      owner).status == x.NFS4ERR_DENIED


def is_called(h, o, owner=b'patient'):
    told = h.told()
    assert told.cnla_fh == o.fh
    assert told.cnla_lock_owner.clientid == h.clientid
    assert told.cnla_lock_owner.owner == owner


@pytest.mark.parametrize('minor', [0, 1, 2], ids=['4.0', '4.1', '4.2'])
def test_who_can_be_called_is_told_so_at_open(h, other, files):
    mine, theirs = files
    notifies = x.OPEN4_RESULT_MAY_NOTIFY_LOCK
    assert bool(mine.res.rflags & notifies) == (h.minor > 0)
    assert not theirs.res.rflags & notifies


@SESSIONS
def test_unlock_calls_who_waits(h, other, files):
    mine, theirs = files
    k = other.lock(theirs, 0, 100)
    waits(h, mine)
    assert h.told_nothing()
    other.unlock(k, 0, 100)
    is_called(h, mine)
    h.lock(mine, 0, 10, owner=b'patient')
    assert h.told_nothing()


@SESSIONS
def test_what_stays_locked_calls_nobody(h, other, files):
    mine, theirs = files
    k = other.lock(theirs, 0, 100)
    waits(h, mine, 20, 10)
    other.unlock(k, 40, 60)
    other.unlock(k, 0, 25)
    h()
    assert h.told_nothing()
    other.unlock(k, 25, 5)
    is_called(h, mine)


@SESSIONS
def test_close_calls_who_waits(h, other, files):
    mine, theirs = files
    k = other.lock(theirs, 0, 100)
    waits(h, mine)
    other.unlock(k, 50, 50)
    h()
    assert h.told_nothing()
    if other.try_close(theirs).status == x.NFS4ERR_LOCKS_HELD:
        other.unlock(k, 0, 100)
    is_called(h, mine)


@SESSIONS
def test_a_downgrade_calls_readers_only(h, other, files):
    mine, theirs = files
    k = other.lock(theirs, 0, 100)
    waits(h, mine, owner=b'writes')
    waits(h, mine, kind=READW, owner=b'reads')
    other.lock_more(k, 0, 100, op.READ)
    is_called(h, mine, b'reads')
    assert h.told_nothing()
    other.unlock(k, 0, 100)
    is_called(h, mine, b'writes')


@SESSIONS
def test_they_are_called_in_the_order_they_came(h, other, files):
    mine, theirs = files
    k = other.lock(theirs, 0, 100)
    for owner in (b'1', b'2', b'3'):
        waits(h, mine, owner=owner)
    waits(h, mine, owner=b'1')          # again: it keeps its place
    other.unlock(k, 0, 100)
    for owner in (b'1', b'2', b'3'):
        is_called(h, mine, owner)
    assert h.told_nothing()


@SESSIONS
def test_who_asked_without_waiting_is_not_called(h, other, files):
    mine, theirs = files
    k = other.lock(theirs, 0, 100)
    waits(h, mine, kind=op.WRITE)
    waits(h, mine, 50, 10, kind=WRITEW)
    other.unlock(k, 0, 100)
    is_called(h, mine)
    assert h.told_nothing()


@SESSIONS
def test_who_got_it_meanwhile_is_not_called(h, other, files):
    mine, theirs = files
    k = other.lock(theirs, 0, 10)
    waits(h, mine, 0, 20)
    waits(h, mine, 5, 5)
    other.unlock(k, 0, 10)
    is_called(h, mine)
    is_called(h, mine)
    again = other.lock(theirs, 0, 10, owner=b'once more')
    waits(h, mine, 0, 20)
    other.unlock(again, 0, 10)
    is_called(h, mine)
    mine_now = h.lock(mine, 0, 20, owner=b'patient')
    h.unlock(mine_now, 0, 20)
    assert h.told_nothing()


@SESSIONS
def test_the_end_of_a_client_calls_who_waits(v4, clients, h, other, files):
    mine, theirs = files
    other.lock(theirs, 0, 100)
    waits(h, mine)
    nfs4_client.state_is_dropped(other)
    is_called(h, mine)


@SESSIONS
def test_a_client_that_waits_can_go(h, other, files, v4):
    mine, theirs = files
    k = other.lock(theirs, 0, 100)
    waits(h, mine)
    nfs4_client.state_is_dropped(h)
    other.unlock(k, 0, 100)
    assert wire.is_alive(v4)
    assert h.told_nothing()


@SESSIONS
def test_nobody_waits_more_often_than_is_good_for_all(h, other, files, v4):
    mine, theirs = files
    k = other.lock(theirs, 0, 5000)
    waits(h, mine, 0, 1)
    first = h.seqids
    for i in range(1, 260):
        reply = h(op.putfh(mine.fh), op.lock_new(
            WRITEW, i, 1, mine.s, b'patient', clientid=h.clientid))
        assert reply.status == x.NFS4ERR_DENIED
    other.unlock(k, 0, 5000)
    for _ in range(256):
        is_called(h, mine)
    assert h.told_nothing()
    assert first == h.seqids


@SESSIONS
def test_what_a_client_answers_to_it_does_not_matter(h, other, files):
    mine, theirs = files
    for status in (x.NFS4ERR_BADHANDLE, x.NFS4ERR_INVAL, x.NFS4_OK):
        h.called.answer = lambda _, status=status: status
        k = other.lock(theirs, 0, 100)
        waits(h, mine)
        other.unlock(k, 0, 100)
        is_called(h, mine)
    assert h.told_nothing()


@pytest.mark.parametrize('minor', [1], ids=['4.1'])
def test_it_is_so_without_delegations_too(start4, clients, minor):
    server = start4('--no-delegations')
    clients.append(holder(server, minor))
    clients.append(nfs4_client.new_client(server, minor))
    h, other = clients[-2:]
    other.make(other.root(), b'f')
    mine, theirs = h.open(h.root(), b'f'), other.open(h.root(), b'f')
    k = other.lock(theirs, 0, 1)
    waits(h, mine)
    other.unlock(k, 0, 1)
    is_called(h, mine)
