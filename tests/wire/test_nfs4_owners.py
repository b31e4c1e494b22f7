"""What only 4.0 has: SETCLIENTID, numbers of owners and their replay,
OPEN_CONFIRM, RENEW, RELEASE_LOCKOWNER, the cache of replies (RFC 7530 9.1,
16.18, 16.28, 16.33, 16.34, 16.37; PROTOCOL 7 and 8)."""

import os
import time

import nfs4 as x
import nfs4_client
import nfs4_ops as op
import pytest
import rpc
import wire
from nfs4_client import Client0, compound, unique
from wire import NFS

STALE_CLIENTID = x.NFS4ERR_STALE_CLIENTID


# ------------------------------------------------------------ SETCLIENTID --


@pytest.fixture
def fresh(v4, clients):
    """A client of which the server knows nothing."""
    clients.append(Client0(v4, confirmed=False))
    return clients[-1]


def test_a_client_id_is_of_use_when_confirmed(fresh, d):
    fresh.clientid, confirm = fresh.setclientid()
    assert fresh.try_open(d, b'f', how=op.guarded()).status == STALE_CLIENTID
    fresh.ok(op.setclientid_confirm(fresh.clientid, confirm))
    fresh.new(d, b'f')


def test_a_confirmation_may_come_twice(fresh):
    clientid, confirm = fresh.setclientid()
    fresh.ok(op.setclientid_confirm(clientid, confirm))
    fresh.ok(op.setclientid_confirm(clientid, confirm))


def test_a_confirmation_of_nothing_is_stale(fresh):
    clientid, confirm = fresh.setclientid()
    wrong = bytes(b ^ 1 for b in confirm)
    fresh.fails(STALE_CLIENTID, op.setclientid_confirm(clientid, wrong))
    fresh.fails(STALE_CLIENTID, op.setclientid_confirm(clientid + 1,
                                                       confirm))
    fresh.fails(STALE_CLIENTID, op.setclientid_confirm(0, bytes(8)))
    fresh.ok(op.setclientid_confirm(clientid, confirm))


def test_a_linux_client_asks_twice_with_the_same_verifier(fresh, d):
    """PROTOCOL 5: and keeps its client id."""
    first, confirm = fresh.setclientid()
    fresh.ok(op.setclientid_confirm(first, confirm))
    fresh.clientid = first
    o = fresh.new(d, b'f')
    second, again = fresh.setclientid()
    assert second == first
    assert again != confirm
    fresh.ok(op.setclientid_confirm(second, again))
    fresh.close_file(o)


def test_a_restarted_client_loses_what_it_had_when_it_confirms(c40, d):
    o = c40.new(d, b'f', deny=op.BOTH)
    with Client0(c40.server, owner=c40.owner, confirmed=False) as new:
        new.clientid, confirm = new.setclientid()
        assert new.clientid != c40.clientid
        c40.ok(op.putfh(o.fh), op.read(s=o.s))
        new.ok(op.setclientid_confirm(new.clientid, confirm))
        c40.fails(STALE_CLIENTID, op.renew(c40.clientid))
        assert c40(op.putfh(o.fh), op.read(s=o.s)).status in (
            x.NFS4ERR_BAD_STATEID, x.NFS4ERR_EXPIRED,
            x.NFS4ERR_STALE_STATEID)
        new.close_file(new.open(d, b'f', deny=op.BOTH))


def test_an_unconfirmed_record_is_replaced_by_the_next(fresh):
    first, confirm = fresh.setclientid()
    second, again = fresh.setclientid(os.urandom(8))
    fresh.fails(STALE_CLIENTID, op.setclientid_confirm(first, confirm))
    fresh.ok(op.setclientid_confirm(second, again))


def test_an_owner_in_use_by_another_principal_is_in_use(c40, d):
    c40.new(d, b'f')
    with Client0(c40.server, owner=c40.owner, verifier=c40.verifier,
                 cred=wire.user(1000), confirmed=False) as other:
        reply = other.fails(x.NFS4ERR_CLID_INUSE, op.setclientid(
            other.owner, other.verifier))
        assert reply[0].na_r_netid == b'tcp'
    c40.ok(op.renew(c40.clientid))


def test_another_principal_does_not_confirm(fresh):
    clientid, confirm = fresh.setclientid()
    with Client0(fresh.server, cred=wire.user(1000),
                 confirmed=False) as other:
        other.fails(x.NFS4ERR_CLID_INUSE, op.setclientid_confirm(
            clientid, confirm))
    fresh.ok(op.setclientid_confirm(clientid, confirm))


@pytest.mark.parametrize('netid, addr', [
    (b'', b''), (b'tcp', b'no address'), (b'tcp6', b'::1.8.1'),
    (b'x' * 300, b'y' * 3000), (b'tcp', b'%s%n%x')])
def test_a_callback_may_be_nonsense(fresh, netid, addr):
    reply = fresh.ok(op.setclientid(fresh.owner, fresh.verifier,
                                    netid=netid, addr=addr))
    fresh.ok(op.setclientid_confirm(reply[0].clientid,
                                    reply[0].setclientid_confirm))


# ------------------------------------------------------------------ RENEW --


def test_renew_of_a_client_is_fine(c40):
    c40.ok(op.renew(c40.clientid))


def test_renew_of_nobody_is_stale(c40):
    for clientid in (0, 1, c40.clientid + (1 << 32), 0xffffffffffffffff):
        c40.fails(STALE_CLIENTID, op.renew(clientid))


def test_a_session_client_is_nobody_in_4_0(v4, c40, clients):
    clients.append(nfs4_client.Client1(v4, 1))
    c40.fails(STALE_CLIENTID, op.renew(clients[-1].clientid))


def test_a_client_of_4_0_gets_no_session(c40):
    reply = compound(c40.transport, 1, op.create_session(c40.clientid, 1))
    assert reply.status == STALE_CLIENTID


# ------------------------------------------------------ owners' numbers --


def open_raw(c, d, name, seqid, owner=b'owner', **kw):
    return c(op.putfh(d), op.open_(op.by_name(name), owner=owner,
                                   seqid=seqid, clientid=c.clientid, **kw),
             op.getfh())


def test_a_new_owner_must_be_confirmed(c40, d):
    reply = c40.try_open(d, b'f', how=op.guarded())
    assert reply[1].rflags & x.OPEN4_RESULT_CONFIRM
    s, fh = reply[1].stateid, reply[2].object
    res = c40.ok(op.putfh(fh), op.open_confirm(s, 2))
    confirmed = res[1].open_stateid
    assert confirmed.other == s.other
    assert confirmed.seqid == s.seqid + 1
    c40.seqids[b'owner'] = 2
    again = c40.try_open(d, b'g', how=op.guarded())
    assert not again[1].rflags & x.OPEN4_RESULT_CONFIRM


def test_an_open_that_is_not_confirmed_is_of_no_use(c40, d):
    reply = c40.try_open(d, b'f', how=op.guarded())
    s, fh = reply[1].stateid, reply[2].object
    for operation in (op.write(b'x', s=s), op.read(s=s),
                      op.setattr_(s, size=0),
                      op.open_downgrade(s, op.READ, seqid=2)):
        c40.fails(x.NFS4ERR_BAD_STATEID, op.putfh(fh), operation)
    c40.ok(op.putfh(fh), op.open_confirm(s, 2))


def test_open_confirm_is_replayed(c40, d):
    reply = c40.try_open(d, b'f', how=op.guarded())
    s, fh = reply[1].stateid, reply[2].object
    first = c40(op.putfh(fh), op.open_confirm(s, 2))
    again = c40(op.putfh(fh), op.open_confirm(s, 2))
    assert first.status == 0
    assert again.body == first.body


def test_open_confirm_of_a_confirmed_owner_is_refused(c40, d):
    o = c40.new(d, b'f')
    reply = c40(op.putfh(o.fh), op.open_confirm(
        o.s, c40.next_seqid(b'owner')))
    assert reply.status in (x.NFS4ERR_BAD_STATEID, x.NFS4ERR_BAD_SEQID)


def test_a_bad_number_of_open_confirm_is_told(c40, d):
    reply = c40.try_open(d, b'f', how=op.guarded())
    assert reply[1].rflags & x.OPEN4_RESULT_CONFIRM
    fh, s = reply[2].object, reply[1].stateid
    c40.fails(x.NFS4ERR_BAD_SEQID, op.putfh(fh), op.open_confirm(
        s, c40.next_seqid(b'owner') + 1))
    c40.ok(op.putfh(fh), op.open_confirm(s, c40.next_seqid(b'owner')))


def test_an_unconfirmed_owner_starts_over(c40, d):
    """RFC 7530 16.18.5: OPEN again instead of a confirmation."""
    assert open_raw(c40, d, b'f', 1, how=op.guarded()).status == 0
    reply = open_raw(c40, d, b'g', 77, how=op.guarded())
    assert reply.status == 0
    assert reply[1].rflags & x.OPEN4_RESULT_CONFIRM
    c40.ok(op.putfh(reply[2].object), op.open_confirm(
        reply[1].stateid, 78))


def test_open_is_replayed(c40, d):
    c40.new(d, b'first')
    seqid = c40.next_seqid(b'owner')
    first = open_raw(c40, d, b'f', seqid, how=op.guarded(mode=0o600))
    assert first.status == 0
    c40.ok(op.putfh(first[2].object), op.setattr_(mode=0o640))
    again = open_raw(c40, d, b'f', seqid, how=op.guarded(mode=0o600))
    assert again.body == first.body
    assert c40.names(d) == [b'first', b'f']


def test_a_replayed_open_stays_what_it_was_whatever_follows(c40, d):
    """Its answer is encoded when the whole compound is done, and the owner
    remembers another one by then."""
    o = c40.new(d, b'f')
    seqid = c40.next_seqid(b'owner')
    first = op.open_(op.by_name(b'f'), owner=b'owner', seqid=seqid,
                     how=op.unchecked(size=0), clientid=c40.clientid)
    second = op.open_(op.by_name(b'g'), owner=b'owner', seqid=seqid + 1,
                      how=op.guarded(mode=0o600), clientid=c40.clientid)
    once = c40.ok(op.putfh(d), first)[1]
    again = c40.ok(op.putfh(d), first, op.putfh(d), second)
    assert again[1].attrset == once.attrset
    assert again[3].attrset != once.attrset
    assert o.fh == c40.find(d, b'f')


def test_a_replayed_open_sets_the_current_filehandle(c40, d):
    c40.new(d, b'first')
    seqid = c40.next_seqid(b'owner')
    first = open_raw(c40, d, b'f', seqid, how=op.guarded())
    again = open_raw(c40, d, b'f', seqid, how=op.guarded())
    assert again[2].object == first[2].object != d


def test_a_failed_open_is_replayed_as_failed(c40, d):
    c40.new(d, b'first')
    seqid = c40.next_seqid(b'owner')
    assert open_raw(c40, d, b'f', seqid).status == x.NFS4ERR_NOENT
    c40.mkdir(d, b'f')
    assert open_raw(c40, d, b'f', seqid).status == x.NFS4ERR_NOENT
    assert open_raw(c40, d, b'f', seqid + 1).status == x.NFS4ERR_ISDIR


@pytest.mark.parametrize('jump', [-1, 2, 3, 1000])
def test_another_number_is_a_bad_one(c40, d, jump):
    c40.new(d, b'first')
    last = c40.seqids[b'owner']
    assert open_raw(c40, d, b'f', last + jump & 0xffffffff,
                    how=op.guarded()).status == x.NFS4ERR_BAD_SEQID
    assert open_raw(c40, d, b'f', last + 1, how=op.guarded()).status == 0


def test_errors_that_do_not_count_do_not_count(c40, d):
    c40.new(d, b'first')
    n = c40.next_seqid(b'owner')
    args = dict(owner=b'owner', seqid=n, how=op.guarded())
    c40.fails(STALE_CLIENTID, op.putfh(d), op.open_(
        op.by_name(b'f'), clientid=c40.clientid + (1 << 32), **args))
    c40.fails(x.NFS4ERR_NOFILEHANDLE, op.open_(
        op.by_name(b'f'), clientid=c40.clientid, **args))
    c40.fails(x.NFS4ERR_BADXDR, op.putfh(d), op.encode(op.open_(
        op.by_name(b'f'), clientid=c40.clientid, **args))[:-4])
    assert open_raw(c40, d, b'f', n, how=op.guarded()).status == 0


@pytest.mark.parametrize('name, status', [
    (b'none', x.NFS4ERR_NOENT), (b'.', x.NFS4ERR_BADNAME),
    (b'x' * 256, x.NFS4ERR_NAMETOOLONG), (b'sub', x.NFS4ERR_ISDIR)])
def test_other_errors_count(c40, d, name, status):
    c40.mkdir(d, b'sub')
    c40.new(d, b'first')
    n = c40.next_seqid(b'owner')
    reply = open_raw(c40, d, name, n)
    assert reply.status == status or (
        status == x.NFS4ERR_BADNAME and reply.status == x.NFS4ERR_INVAL)
    assert open_raw(c40, d, b'f', n, how=op.guarded()).status == \
        reply.status                    # the same again
    assert open_raw(c40, d, b'f', n + 1, how=op.guarded()).status == 0


def test_owners_have_numbers_of_their_own(c40, d):
    c40.new(d, b'f', owner=b'one')
    c40.new(d, b'g', owner=b'two')
    c40.new(d, b'h', owner=b'one')
    assert c40.seqids[b'one'] == 3
    assert c40.seqids[b'two'] == 2


def test_close_is_replayed(c40, d):
    o = c40.new(d, b'f')
    n = c40.next_seqid(b'owner')
    first = c40(op.putfh(o.fh), op.close(o.s, n))
    assert first.status == 0
    assert c40(op.putfh(o.fh), op.close(o.s, n)).body == first.body
    c40.seqids[b'owner'] = n
    c40.new(d, b'g')


def test_open_downgrade_is_replayed(c40, d):
    o = c40.open(d, b'f', op.READ, how=op.guarded())
    o = c40.open(d, b'f', op.BOTH)
    n = c40.next_seqid(b'owner')
    operation = op.open_downgrade(o.s, op.READ, seqid=n)
    first = c40(op.putfh(o.fh), operation)
    assert first.status == 0
    assert c40(op.putfh(o.fh), operation).body == first.body


def test_the_first_lock_counts_for_the_open_owner(c40, d):
    o = c40.new(d, b'f')
    before = c40.seqids[b'owner']
    c40.lock(o, 0, 10)
    assert c40.seqids[b'owner'] == before + 1
    c40.new(d, b'g')


def test_the_first_lock_is_replayed(c40, d):
    o = c40.new(d, b'f')
    operation = op.lock_new(op.WRITE, 0, 10, o.s, b'l',
                            c40.next_seqid(b'owner'), 1, c40.clientid)
    first = c40(op.putfh(o.fh), operation)
    assert first.status == 0
    assert c40(op.putfh(o.fh), operation).body == first.body


def test_lock_and_locku_are_replayed(c40, d):
    o = c40.new(d, b'f')
    k = c40.lock(o, 0, 10)
    more = op.lock_more(op.WRITE, 20, 10, k.s,
                        c40.next_seqid(b'lock:locker'))
    first = c40(op.putfh(o.fh), more)
    assert first.status == 0
    assert c40(op.putfh(o.fh), more).body == first.body
    c40.used_seqid(b'lock:locker', 0)
    k.s = first[1].lock_stateid
    less = op.locku(0, 10, k.s, c40.next_seqid(b'lock:locker'))
    first = c40(op.putfh(o.fh), less)
    assert first.status == 0
    assert c40(op.putfh(o.fh), less).body == first.body
    c40.used_seqid(b'lock:locker', 0)
    k.s = first[1]
    c40.lock_more(k, 0, 5)


def test_a_denied_lock_is_replayed_with_its_holder(c40, d, another):
    holder = another()
    h = holder.new(d, b'f')
    holder.lock(h, 5, 5, owner=b'the holder')
    o = c40.open(d, b'f')
    operation = op.lock_new(op.WRITE, 0, 10, o.s, b'l',
                            c40.next_seqid(b'owner'), 1, c40.clientid)
    first = c40(op.putfh(o.fh), operation)
    assert first.status == x.NFS4ERR_DENIED
    assert first[1].owner.owner == b'the holder'
    again = c40(op.putfh(o.fh), operation)
    assert again.body == first.body


def test_a_bad_number_of_a_lock_owner_is_told(c40, d):
    o = c40.new(d, b'f')
    k = c40.lock(o, 0, 10)
    n = c40.next_seqid(b'lock:locker')
    c40.fails(x.NFS4ERR_BAD_SEQID, op.putfh(o.fh), op.lock_more(
        op.WRITE, 20, 10, k.s, n + 1))
    c40.fails(x.NFS4ERR_BAD_SEQID, op.putfh(o.fh), op.locku(
        0, 10, k.s, n + 5))
    c40.lock_more(k, 20, 10)


def test_a_bad_number_of_close_is_told(c40, d):
    o = c40.new(d, b'f')
    c40.fails(x.NFS4ERR_BAD_SEQID, op.putfh(o.fh), op.close(
        o.s, c40.next_seqid(b'owner') + 1))
    c40.close_file(o)


def test_a_bad_number_of_open_downgrade_is_told(c40, d):
    o = c40.open(d, b'f', op.READ, how=op.guarded())
    o = c40.open(d, b'f', op.BOTH)
    c40.fails(x.NFS4ERR_BAD_SEQID, op.putfh(o.fh), op.open_downgrade(
        o.s, op.READ, seqid=c40.next_seqid(b'owner') + 1))
    assert c40.downgrade(o, op.READ).status == 0


def test_numbers_wrap_around(c40, d):
    first = open_raw(c40, d, b'f', 0xfffffffe, how=op.guarded())
    c40.ok(op.putfh(first[2].object), op.open_confirm(
        first[1].stateid, 0xffffffff))
    reply = open_raw(c40, d, b'g', 0, how=op.guarded())
    if reply.status == x.NFS4ERR_BAD_SEQID:     # 9.1.3: 1 may follow
        reply = open_raw(c40, d, b'g', 1, how=op.guarded())
    assert reply.status == 0


# ------------------------------------------------------ RELEASE_LOCKOWNER --


def test_a_lock_owner_with_locks_is_not_released(c40, d):
    k = c40.lock(c40.new(d, b'f'), 0, 10)
    c40.fails(x.NFS4ERR_LOCKS_HELD, op.release_lockowner(
        c40.clientid, b'locker'))
    c40.unlock(k, 0, 10)
    c40.ok(op.release_lockowner(c40.clientid, b'locker'))
    assert c40.try_unlock(k, 0, 10).status in (
        x.NFS4ERR_BAD_STATEID, x.NFS4ERR_EXPIRED)


def test_a_released_lock_owner_may_lock_again(c40, d):
    o = c40.new(d, b'f')
    for _ in range(3):
        k = c40.lock(o, 0, 10)
        c40.unlock(k, 0, 10)
        c40.ok(op.release_lockowner(c40.clientid, b'locker'))


def test_release_of_a_lock_owner_that_never_was_is_fine(c40):
    c40.ok(op.release_lockowner(c40.clientid, b'nobody'))


def test_release_for_an_unknown_client_is_stale(c40):
    c40.fails(STALE_CLIENTID, op.release_lockowner(0, b'locker'))


def test_release_concerns_the_calling_client_alone(c40, d, another):
    o = c40.new(d, b'f')
    k = c40.lock(o, 0, 10)
    c40.unlock(k, 0, 10)
    other = another()
    other.ok(op.release_lockowner(other.clientid, b'locker'))
    c40.lock_more(k, 0, 10)


# ------------------------------------------------- the cache of replies --


def call_of(xid, *operations, minor=0):
    return rpc.pack_call(xid, NFS, 4, 1, nfs4_client.pack_compound(
        minor, operations), wire.root())


def replied(raw_reply, minor=0):
    return nfs4_client.Reply(rpc.unpack_reply(raw_reply)[1], minor)


CHANGES = {
    'CREATE': [op.mkdir(b'new')],
    'REMOVE': [op.remove(b'old')],
    'RENAME': [op.savefh(), op.rename(b'old', b'renamed')],
    'SETATTR': [op.setattr_(mode=0o711)],
    'LINK': None,                       # needs two handles: below
    'WRITE': [op.lookup(b'f'), op.write(b'abc')],
}


@pytest.mark.parametrize('name', sorted(CHANGES))
def test_a_compound_that_changes_something_is_replayed(v4, c40, d, name):
    c40.make(d, b'f')
    c40.mkdir(d, b'old')
    operations = CHANGES[name]
    if name == 'LINK':
        operations = [op.lookup(b'f'), op.savefh(), op.putfh(d),
                      op.link(b'g')]
    call = call_of(1000, op.putfh(d), *operations)
    raw = v4.raw()
    first = raw.call(call)
    assert replied(first).status == 0
    assert raw.call(call) == first
    raw.reset()
    time.sleep(0.2)
    assert wire.is_alive(v4)
    with v4.raw() as again:
        assert again.call(call) == first


def test_a_compound_that_changes_nothing_runs_again(v4, c40, d):
    call = call_of(7, op.putfh(d), op.getattr_('change'))
    with v4.raw() as raw:
        first = raw.call(call)
        c40.mkdir(d, b'new')
        assert raw.call(call) != first


def test_the_same_xid_with_another_compound_is_run(v4, c40, d):
    with v4.raw() as raw:
        assert replied(raw.call(call_of(
            5, op.putfh(d), op.mkdir(b'a')))).status == 0
        assert replied(raw.call(call_of(
            5, op.putfh(d), op.mkdir(b'b')))).status == 0
    assert c40.names(d) == [b'a', b'b']


def test_setclientid_is_replayed(v4):
    with v4.raw() as raw:
        call = call_of(9, op.setclientid(unique(), bytes(8)))
        first = raw.call(call)
        assert raw.call(call) == first


@pytest.mark.parametrize('minor', [1, 2])
def test_slots_alone_replay_in_later_versions(v4, clients, d, minor):
    """The same xid with the same slot number: by the slot, not the xid."""
    c = nfs4_client.Client1(v4, minor)
    clients.append(c)
    sequence = c.session.sequence(cache=False)
    call = call_of(3, sequence, op.putfh(d), op.mkdir(b'new'), minor=minor)
    with v4.raw() as raw:
        assert replied(raw.call(call), minor).status == 0
        assert replied(raw.call(call), minor).status == \
            x.NFS4ERR_RETRY_UNCACHED_REP
