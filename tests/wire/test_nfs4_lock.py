"""Byte-range locks (RFC 8881 18.10 to 18.12; RFC 7530 16.10 to 16.12)."""

import nfs4 as x
import nfs4_ops as op
import pytest
from nfs4_client import Client0, Client1

R, W = op.READ, op.WRITE
READW, WRITEW = 3, 4


@pytest.fixture
def o(c4, d):
    """A new file, open for both."""
    return c4.new(d, b'f')



# --------------------------------------------------------------- conflicts --


@pytest.mark.parametrize('first, second, ok', [
    (R, R, True), (R, W, False), (W, R, False), (W, W, False),
    (R, READW, True), (W, READW, False), (R, WRITEW, False),
    (READW, R, True), (WRITEW, R, False)])
def test_writers_exclude_everybody_and_readers_writers(
        c4, o, another, d, first, second, ok):
    c4.lock(o, 10, 10, first)
    other = another()
    reply = other.try_lock(other.open(d, b'f'), 15, 10, second)
    assert reply.status == (0 if ok else x.NFS4ERR_DENIED)


def test_a_denied_lock_names_its_holder(c4, o, another, d):
    c4.lock(o, 10, 7, W, owner=b'holder \0\xff')
    other = another()
    reply = other.try_lock(other.open(d, b'f'), 12, 1)
    denied = reply[1]
    assert (denied.offset, denied.length, denied.locktype) == (10, 7, W)
    assert denied.owner.owner == b'holder \0\xff'
    assert denied.owner.clientid == c4.clientid


def test_a_blocking_lock_is_denied_at_once(c4, o, another, d):
    """The client polls: no reply is held back."""
    c4.lock(o, 0, 10)
    other = another()
    p = other.open(d, b'f')
    for kind in (READW, WRITEW):
        assert other.try_lock(p, 0, 1, kind).status == x.NFS4ERR_DENIED


def test_owners_of_one_client_exclude_each_other(c4, o):
    c4.lock(o, 0, 10, W, owner=b'one')
    assert c4.try_lock(o, 5, 10, W, owner=b'two').status == \
        x.NFS4ERR_DENIED
    c4.lock(o, 10, 10, W, owner=b'two')


def test_the_same_owner_name_of_two_clients_is_two_owners(
        c4, o, another, d):
    c4.lock(o, 0, 10, W, owner=b'same')
    other = another()
    assert other.try_lock(other.open(d, b'f'), 0, 10, W,
                          owner=b'same').status == x.NFS4ERR_DENIED


def test_clients_of_different_minor_versions_exclude_each_other(
        v4, d, clients):
    one, two, three = Client0(v4), Client1(v4, 1), Client1(v4, 2)
    clients += [one, two, three]
    one.lock(one.new(d, b'f'), 0, 10)
    for c in (two, three):
        assert c.try_lock(c.open(d, b'f'), 5, 1).status == x.NFS4ERR_DENIED


def test_locks_of_different_files_have_nothing_to_do_with_each_other(
        c4, o, another, d):
    c4.lock(o, 0, 10)
    other = another()
    other.lock(other.new(d, b'g'), 0, 10)


# ------------------------------------------------------- split and merge --


@pytest.fixture
def watch(another, d):
    """A function that tells what is locked, as another client sees it."""
    seen = []

    def look(fh, end=40):
        if not seen:
            seen.append(another())
        return seen[0].held(fh, end)
    return look


def test_unlocking_the_middle_splits(c4, o, watch):
    k = c4.lock(o, 0, 30)
    c4.unlock(k, 10, 10)
    assert watch(o.fh) == 'w' * 10 + '.' * 10 + 'w' * 10 + '.' * 10


def test_unlocking_an_end_shortens(c4, o, watch):
    k = c4.lock(o, 5, 20)
    c4.unlock(k, 0, 10)
    c4.unlock(k, 20, 40)
    assert watch(o.fh) == '.' * 10 + 'w' * 10 + '.' * 20


def test_adjoining_locks_are_one(c4, o, watch, another):
    k = c4.lock(o, 0, 10)
    c4.lock_more(k, 10, 10)
    c4.lock_more(k, 20, 10)
    denied = another().test_lock(o.fh, 15, 1)
    assert (denied.offset, denied.length) == (0, 30)
    assert watch(o.fh) == 'w' * 30 + '.' * 10


def test_overlapping_locks_are_one(c4, o, another):
    k = c4.lock(o, 0, 20)
    c4.lock_more(k, 10, 20)
    denied = another().test_lock(o.fh, 0, 1)
    assert (denied.offset, denied.length) == (0, 30)
    c4.unlock(k, 0, 30)
    assert another().test_lock(o.fh, 0, op.ALL) is None


def test_a_downgrade_in_the_middle_splits(c4, o, watch):
    k = c4.lock(o, 0, 30)
    c4.lock_more(k, 10, 10, R)
    assert watch(o.fh) == 'w' * 10 + 'r' * 10 + 'w' * 10 + '.' * 10


def test_an_upgrade_in_the_middle_splits(c4, o, watch):
    k = c4.lock(o, 0, 30, R)
    c4.lock_more(k, 10, 10, W)
    assert watch(o.fh) == 'r' * 10 + 'w' * 10 + 'r' * 10 + '.' * 10


def test_an_upgrade_over_several_is_one_lock(c4, o, another):
    k = c4.lock(o, 0, 5, R)
    c4.lock_more(k, 10, 5, R)
    c4.lock_more(k, 20, 5, W)
    c4.lock_more(k, 0, 30, W)
    denied = another().test_lock(o.fh, 7, 1)
    assert (denied.offset, denied.length, denied.locktype) == (0, 30, W)


def test_an_upgrade_against_another_reader_is_denied(c4, o, another, d):
    k = c4.lock(o, 0, 10, R)
    other = another()
    j = other.lock(other.open(d, b'f'), 5, 10, R)
    assert c4.try_lock_more(k, 0, 10, W).status == x.NFS4ERR_DENIED
    other.unlock(j, 5, 10)
    c4.lock_more(k, 0, 10, W)


def test_unlocking_what_is_not_locked_is_fine(c4, o, watch):
    k = c4.lock(o, 0, 10)
    c4.unlock(k, 20, 10)
    c4.unlock(k, 20, op.ALL)
    assert watch(o.fh) == 'w' * 10 + '.' * 30


def test_unlocking_leaves_what_others_hold(c4, o, watch):
    k = c4.lock(o, 0, 10, R, owner=b'one')
    c4.lock(o, 0, 10, R, owner=b'two')
    c4.unlock(k, 0, 10)
    assert watch(o.fh, 12) == 'r' * 10 + '..'


def test_any_pattern_of_locks_is_that_of_a_model(c4, o, watch):
    """200 steps of one owner, against a string."""
    import random
    rng = random.Random(4)
    model = ['.'] * 40
    k = c4.lock(o, 0, 1, W)
    model[0] = 'w'
    for step in range(200):
        start, length = rng.randrange(36), rng.randrange(1, 12)
        what = rng.choice('rw.')
        if what == '.':
            c4.unlock(k, start, length)
        else:
            c4.lock_more(k, start, length, R if what == 'r' else W)
        for i in range(start, min(40, start + length)):
            model[i] = what
        if step % 20 == 19:
            assert watch(o.fh) == ''.join(model), step


# ------------------------------------------------------------------ ranges --


def test_a_length_of_all_ones_is_to_the_end(c4, o, another):
    c4.lock(o, 100, op.ALL)
    other = another()
    assert other.test_lock(o.fh, 0, 100) is None
    for offset in (100, 1 << 40, 0xfffffffffffffffe):
        denied = other.test_lock(o.fh, offset, 1)
        assert (denied.offset, denied.length) == (100, op.ALL)


@pytest.mark.parametrize('offset, length', [
    (0, 0), (10, 0), (op.ALL, 0),
    (op.ALL, 1), (2, op.ALL - 1), (op.ALL - 5, 10)])
def test_lengths_of_0_and_beyond_the_end_are_invalid(
        c4, o, offset, length):
    assert c4.try_lock(o, offset, length).status == x.NFS4ERR_INVAL
    c4.fails(x.NFS4ERR_INVAL, op.putfh(o.fh), op.lockt(
        W, offset, length, b't', c4.clientid))
    k = c4.lock(o, 0, 1)
    assert c4.try_unlock(k, offset, length).status == x.NFS4ERR_INVAL


def test_the_last_bytes_can_be_locked(c4, o, another):
    """Offset and length together may be 2^64 - 1 (RFC 8881 18.10.3)."""
    k = c4.lock(o, op.ALL - 1, 1)
    assert another().test_lock(o.fh, op.ALL - 1, 1) is not None
    assert another().test_lock(o.fh, 0, op.ALL - 1) is None
    c4.unlock(k, op.ALL - 1, 1)
    k = c4.lock(o, op.ALL, op.ALL, owner=b'other')
    assert another().test_lock(o.fh, op.ALL, op.ALL).offset == op.ALL


def test_a_lock_beyond_the_end_of_the_file_is_fine(c4, o):
    c4.lock(o, 1 << 50, 10)


# ---------------------------------------------------------------- stateids --


def test_the_first_lock_has_number_1_and_each_next_one_more(c4, o):
    k = c4.lock(o, 0, 10)
    assert k.s.seqid == 1
    other = k.s.other
    c4.lock_more(k, 20, 10)
    assert op.pair(k.s) == (2, other)
    c4.unlock(k, 20, 10)
    assert op.pair(k.s) == (3, other)


def test_a_second_new_lock_of_an_owner_keeps_its_stateid(c41, d):
    """Clients that lost count ask as new owners again."""
    o = c41.new(d, b'f')
    k = c41.lock(o, 0, 10)
    again = c41.lock(o, 20, 10)
    assert again.s.other == k.s.other
    assert again.s.seqid == k.s.seqid + 1


def test_each_owner_and_file_has_a_lock_stateid_of_its_own(c4, o, d):
    p = c4.new(d, b'g')
    others = {c4.lock(o, 0, 1, owner=b'1').s.other,
              c4.lock(o, 5, 1, owner=b'2').s.other,
              c4.lock(p, 0, 1, owner=b'1').s.other}
    assert len(others) == 3


def test_a_lock_needs_the_stateid_of_an_open(c4, o):
    k = c4.lock(o, 0, 10)
    for s in (op.ANON, op.BYPASS, k.s):
        reply = c4(op.putfh(o.fh), op.lock_new(
            W, 20, 1, s, b'new', c4.next_seqid(o.owner), 1, c4.clientid))
        assert reply.status == x.NFS4ERR_BAD_STATEID


def test_more_locks_need_the_stateid_of_a_lock(c4, o):
    for s in (op.ANON, op.BYPASS, o.s):
        c4.fails(x.NFS4ERR_BAD_STATEID, op.putfh(o.fh), op.lock_more(
            W, 20, 1, s, 1))
        c4.fails(x.NFS4ERR_BAD_STATEID, op.putfh(o.fh), op.locku(
            20, 1, s, 1))


def test_an_old_lock_stateid_is_old(c4, o):
    k = c4.lock(o, 0, 10)
    first = k.s
    c4.lock_more(k, 20, 10)
    seqid = c4.next_seqid(b'lock:locker')
    c4.fails(x.NFS4ERR_OLD_STATEID, op.putfh(o.fh), op.locku(
        0, 10, first, seqid))
    c4.fails(x.NFS4ERR_OLD_STATEID, op.putfh(o.fh), op.lock_more(
        W, 30, 10, first, seqid))


def test_a_lock_of_another_file_than_the_stateids_is_refused(c4, o, d):
    p = c4.new(d, b'g')
    c4.fails(x.NFS4ERR_BAD_STATEID, op.putfh(p.fh), op.lock_new(
        W, 0, 1, o.s, b'l', c4.next_seqid(o.owner), 1, c4.clientid))


def test_a_write_lock_needs_a_file_open_for_writing(c4, d):
    c4.make(d, b'f')
    o = c4.open(d, b'f', R)
    assert c4.try_lock(o, 0, 10, W).status == x.NFS4ERR_OPENMODE
    k = c4.lock(o, 0, 10, R)
    assert c4.try_lock_more(k, 0, 5, W).status == x.NFS4ERR_OPENMODE


def test_a_read_lock_needs_a_file_open_for_reading(c4, d):
    c4.make(d, b'f')
    o = c4.open(d, b'f', W)
    assert c4.try_lock(o, 0, 10, R).status in (0, x.NFS4ERR_OPENMODE)


# ------------------------------------------------------------ what is locked --


@pytest.mark.parametrize('kind, status', [
    ('dir', x.NFS4ERR_ISDIR), ('link', x.NFS4ERR_SYMLINK)])
def test_only_files_are_locked(c4, d, kind, status):
    fh = c4.mkdir(d, b'n') if kind == 'dir' else c4.symlink(d, b'n', b't')
    wanted = (status,) if c4.minor else (status, x.NFS4ERR_INVAL)
    for operation in (
            op.lockt(R, 0, 1, b'l', c4.clientid),
            op.lock_new(R, 0, 1, (1, b'x' * 12), b'l', 1, 1, c4.clientid)):
        assert c4(op.putfh(fh), operation).status in wanted
    # LOCKU has no such errors in 4.1: there is no such stateid.
    assert c4(op.putfh(fh), op.locku(0, 1, (1, b'x' * 12), 1)).status in (
        x.NFS4ERR_BAD_STATEID, x.NFS4ERR_STALE_STATEID)


def test_lockt_needs_no_open(c4, d, another):
    fh = c4.make(d, b'f')
    assert another().test_lock(fh, 0, 10) is None


def test_lockt_is_not_denied_by_its_own_owner(c4, o):
    c4.lock(o, 0, 10, owner=b'me')
    assert c4.test_lock(o.fh, 0, 10, owner=b'me') is None
    assert c4.test_lock(o.fh, 0, 10, owner=b'you') is not None


def test_lockt_of_an_unknown_client_is_stale_in_4_0(c40, d):
    fh = c40.make(d, b'f')
    c40.fails(x.NFS4ERR_STALE_CLIENTID, op.putfh(fh), op.lockt(
        W, 0, 1, b'l', 77))


def test_locks_are_advisory(c4, o, another, d):
    """RFC 8881 9.1.2: or mandatory; ours are not."""
    c4.lock(o, 0, 10)
    other = another()
    p = other.open(d, b'f')
    other.ok(op.putfh(p.fh), op.write(b'x', s=p.s), op.read(s=p.s))


def test_locks_survive_the_removal_of_the_name(c4, o, d):
    k = c4.lock(o, 0, 10)
    c4.ok(op.putfh(d), op.remove(b'f'))
    c4.unlock(k, 0, 10)


def test_reclaiming_a_lock_outside_of_grace_is_no_grace(c4, o):
    assert c4.try_lock(o, 0, 10, reclaim=True).status == x.NFS4ERR_NO_GRACE


def test_a_thousand_locks_are_held_and_let_go(c4, o, another):
    k = c4.lock(o, 0, 1)
    for i in range(1, 1000):
        c4.lock_more(k, 2 * i, 1)
    other = another()
    assert other.test_lock(o.fh, 1998, 1).offset == 1998
    assert other.test_lock(o.fh, 1997, 1) is None
    c4.unlock(k, 0, op.ALL)
    assert other.test_lock(o.fh, 0, op.ALL) is None
