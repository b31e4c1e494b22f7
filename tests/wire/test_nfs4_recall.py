"""What recalls a read delegation (RFC 8881 10.4.4, RFC 7530 10.4.4), and what
becomes of it when its holder does not give it back."""

import itertools
import time

import nfs4 as x
import nfs4_callbacks
import nfs4_client
import nfs4_ops as op
import pytest
import wire
from nfs4_callbacks import IDENT, Aside, Listener, holder

MINORS = pytest.mark.parametrize('minor', [0, 1, 2],
                                 ids=['4.0', '4.1', '4.2'])
OLD_AND_NEW = pytest.mark.parametrize('minor', [0, 2], ids=['4.0', '4.2'])
SESSIONS = pytest.mark.parametrize('minor', [1, 2], ids=['4.1', '4.2'])


@pytest.fixture
def f(other, d):
    return other.make(d, b'f', b'old')


# ----------------------------------------------- each conflicting operation --

# What another client does to d/f; its own client must be given.

def sets(**attributes):
    return lambda c, d, f: c.ok(op.putfh(f), op.setattr_(**attributes))


def writes_by_no_open(c, d, f):
    c.ok(op.putfh(f), op.write(b'new'))


def opens_for_writing(c, d, f):
    c.open(d, b'f', op.WRITE)


def opens_and_denies(c, d, f):
    c.open(d, b'f', op.READ, deny=op.READ)


def opens_and_empties(c, d, f):
    c.open(d, b'f', op.BOTH, how=op.unchecked(size=0))


def links(c, d, f):
    c.ok(op.putfh(f), op.savefh(), op.putfh(d), op.link(b'more'))


def removes(c, d, f):
    c.ok(op.putfh(d), op.remove(b'f'))


def renames(c, d, f):
    c.ok(op.putfh(d), op.savefh(), op.rename(b'f', b'moved'))


def renames_onto_it(c, d, f):
    c.ok(op.putfh(d), op.savefh(), op.rename(b'g', b'f'))


CONFLICTS = {
    'size': sets(size=1), 'mode': sets(mode=0o600),
    'mtime': sets(time_modify_set=(1, 2)), 'owner': sets(owner=b'7'),
    'write': writes_by_no_open, 'open': opens_for_writing,
    'deny': opens_and_denies, 'empty': opens_and_empties, 'link': links,
    'remove': removes, 'rename': renames, 'replace': renames_onto_it,
}

CONFLICTS_42 = {
    'allocate': lambda c, d, f: c.ok(op.putfh(f), op.allocate(0, 99)),
    'deallocate': lambda c, d, f: c.ok(op.putfh(f), op.deallocate(0, 2)),
    'copy': lambda c, d, f: c.ok(
        op.putfh(c.find(d, b'g')), op.savefh(), op.putfh(f),
        op.copy(op.ANON, op.ANON)),
    'clone': lambda c, d, f: c.ok(
        op.putfh(c.find(d, b'g')), op.savefh(), op.putfh(f),
        op.clone(op.ANON, op.ANON)),
    'setxattr': lambda c, d, f: c.ok(op.putfh(f), op.setxattr(b'k', b'v')),
    'removexattr': lambda c, d, f: c.ok(op.putfh(f), op.removexattr(b'x')),
}

CONFLICTS_3 = {
    'v3 write': lambda c, d, f: wire.ok(c.write(f, 0, b'new')),
    'v3 setattr': lambda c, d, f: wire.ok(c.setattr(f, mode=0o600)),
    'v3 remove': lambda c, d, f: wire.ok(c.remove(d, b'f')),
    'v3 rename': lambda c, d, f: wire.ok(c.rename(d, b'f', d, b'moved')),
    'v3 replace': lambda c, d, f: wire.ok(c.rename(d, b'g', d, b'f')),
    'v3 link': lambda c, d, f: wire.ok(c.link(f, d, b'more')),
    'v3 create': lambda c, d, f: wire.ok(c.create(d, b'f', size=0)),
}


def recalls(h, d, what, client, f):
    """It waits until the holder has returned what it has; the holder then
    sees another change number."""
    o = h.hold(d, b'f')
    h.close_file(o)
    before = h.get(f, 'change')
    does = Aside(what, client, d, f)
    assert h.told().fh == f
    time.sleep(0.02)
    assert not does.is_done()
    assert h.read_by(o) == b'old'
    h.returns(o)
    does.result()
    if what is opens_for_writing or what is opens_and_denies:
        return
    reply = h(op.putfh(f), op.getattr_('change'))
    assert reply.status == x.NFS4ERR_STALE or op.values(
        reply[1].obj_attributes)['change'] != before


@OLD_AND_NEW
@pytest.mark.parametrize('what', CONFLICTS)
def test_recalls(h, other, d, f, what):
    other.make(d, b'g', b'else')
    recalls(h, d, CONFLICTS[what], other, f)


@pytest.mark.parametrize('minor', [2], ids=['4.2'])
@pytest.mark.parametrize('what', CONFLICTS_42)
def test_recalls_in_4_2(h, other, d, f, what):
    other.make(d, b'g', b'else')
    other.ok(op.putfh(f), op.setxattr(b'x', b'there'))
    recalls(h, d, CONFLICTS_42[what], other, f)


@pytest.mark.parametrize('minor', [1], ids=['4.1'])
@pytest.mark.parametrize('what', CONFLICTS_3)
def test_older_versions_recall(h, other, c, d, f, what):
    other.make(d, b'g', b'else')
    recalls(h, d, CONFLICTS_3[what], c, f)


@pytest.mark.parametrize('minor', [1], ids=['4.1'])
def test_version_2_recalls(h, other, c2, d, f):
    recalls(h, d, lambda c, d, f: wire.ok(c.write(f, 0, b'new')), c2, f)


@MINORS
def test_who_only_looks_recalls_nothing(h, other, c, d, f):
    o = h.hold(d, b'f')
    assert other.contents(f) == b'old'
    other.close_file(other.open(d, b'f', op.READ))
    other.close_file(other.open(d, b'f', op.READ, deny=op.WRITE))
    other.get(f, 'change')
    c.attr(f)
    assert wire.ok(c.read(f)).data == b'old'
    other.ok(op.putfh(f), op.access(0x3f))
    assert c.create(d, b'f', wire.nfs3.GUARDED).status == \
        wire.nfs3.NFS3ERR_EXIST
    assert h.told_nothing()
    h.returns(o)


@MINORS
def test_who_may_not_recalls_nothing(v4, clients, as_user, h, other, c, d, f):
    o = h.hold(d, b'f')
    c.setattr(d, mode=0o755)
    u = as_user(1000)
    assert u.write(f, 0, b'new').status == wire.nfs3.NFS3ERR_ACCES
    assert u.setattr(f, mode=0o666).status in (
        wire.nfs3.NFS3ERR_PERM, wire.nfs3.NFS3ERR_ACCES)
    assert u.remove(d, b'f').status == wire.nfs3.NFS3ERR_ACCES
    assert u.rename(d, b'f', d, b'g').status == wire.nfs3.NFS3ERR_ACCES
    assert u.link(f, d, b'g').status == wire.nfs3.NFS3ERR_ACCES
    assert h.told_nothing()
    h.returns(o)


@MINORS
def test_its_own_holder_changes_it_in_peace(h, d, f):
    o = h.hold(d, b'f')
    w = h.open(d, b'f', op.BOTH, owner=b'writer')
    h.ok(op.putfh(f), op.write(b'new', 0, w.s))
    h.ok(op.putfh(f), op.setattr_(w.s, size=2))
    h.close_file(w)
    if h.minor > 0:             # 4.0 does not say who asks for these
        h.ok(op.putfh(f), op.setattr_(mode=0o600))
        h.ok(op.putfh(d), op.savefh(), op.rename(b'f', b'g'))
        h.ok(op.putfh(d), op.remove(b'g'))
    assert h.read_by(o) == b'ne'
    assert h.told_nothing()
    h.returns(o)


# ------------------------------------------------------ what is told, and how --


@MINORS
def test_what_the_call_looks_like(h, other, d, f):
    o = h.hold(d, b'f')
    does = Aside(writes_by_no_open, other, d, f)
    h.told()
    call, args = h.called.compounds.get(timeout=wire.PATIENCE)
    h.returns(o)
    does.result()
    assert args.minorversion == h.minor
    flavor, body = call.cred
    assert flavor == 1
    if h.minor == 0:
        assert args.callback_ident == IDENT
        assert [a.argop for a in args.argarray] == [x.OP_CB_RECALL]
        return
    # Of those that CREATE_SESSION offers.
    assert body.endswith(wire.u32(42, 43, 1, 44))
    sequence, recall = args.argarray
    assert (sequence.argop, recall.argop) == (x.OP_CB_SEQUENCE,
                                              x.OP_CB_RECALL)
    s = sequence._data
    assert s.csa_sessionid == h.session.id
    assert (s.csa_sequenceid, s.csa_slotid, s.csa_highest_slotid) == (1, 0, 0)
    assert not s.csa_cachethis
    # The OPEN that gave it: its answer may still be on its way.
    ref, = s.csa_referring_call_lists
    assert ref.rcl_sessionid == h.session.id
    once, = ref.rcl_referring_calls
    assert once.rc_slotid == 0
    assert 0 < once.rc_sequenceid <= h.session.seqs[0]


@SESSIONS
def test_calls_of_a_slot_are_counted(h, other, d, f):
    for i in range(1, 4):
        name = b'n%d' % i
        g = other.make(d, name)
        o = h.hold(d, name)
        does = Aside(writes_by_no_open, other, d, g)
        h.told()
        h.returns(o)
        does.result()
        args = h.called.compounds.get(timeout=wire.PATIENCE)[1]
        assert args.argarray[0]._data.csa_sequenceid == i


@MINORS
def test_one_recall_for_many_who_wait(v4, clients, h, other, c, d, f):
    o = h.hold(d, b'f')
    first = Aside(writes_by_no_open, other, d, f)
    h.told()
    second = Aside(lambda: wire.ok(c.write(f, 0, b'x')))
    time.sleep(0.05)
    h.returns(o)
    first.result()
    second.result()
    assert h.told_nothing()


@OLD_AND_NEW
def test_a_client_that_does_not_know_it_yet_is_told_again(h, other, d, f):
    o = h.hold(d, b'f')
    answers = [x.NFS4ERR_BAD_STATEID, x.NFS4ERR_DELAY]
    h.called.answer = lambda _: answers.pop(0) if answers else x.NFS4_OK
    does = Aside(changes_at_last, other, f)
    for _ in range(3):
        h.told()
    h.returns(o)
    does.result()


def changes_at_last(c, f, patience=wire.PATIENCE):
    """Write, and again while the server says DELAY; how often it did."""
    end, delays = time.monotonic() + patience, 0
    while True:
        reply = c(op.putfh(f), op.write(b'new'))
        if reply.status == x.NFS4_OK:
            return delays
        assert reply.status == x.NFS4ERR_DELAY, reply
        assert time.monotonic() < end
        delays += 1


@OLD_AND_NEW
def test_who_waits_too_long_is_told_to_come_again(h, other, c, d, f):
    o = h.hold(d, b'f')
    assert other(op.putfh(f), op.write(b'new')).status == x.NFS4ERR_DELAY
    h.told()
    assert c.write(f, 0, b'new').status == wire.nfs3.NFS3ERR_JUKEBOX
    assert h.read_by(o) == b'old'
    h.returns(o)
    other.ok(op.putfh(f), op.write(b'new'))


@MINORS
def test_a_client_that_goes_leaves_nothing_behind(v4, clients, h, other, d,
                                                  f):
    h.hold(d, b'f')
    does = Aside(writes_by_no_open, other, d, f)
    h.told()
    # The same owner after a restart: what it had is gone.
    clients.append(nfs4_client.new_client(v4, h.minor, owner=h.owner))
    does.result()


@MINORS
def test_a_server_stops_though_somebody_waits(start4, clients, minor):
    server = start4()
    clients.append(holder(server, minor))
    clients.append(nfs4_client.new_client(server, minor))
    h, other = clients[-2:]
    root = h.root()
    f = other.make(root, b'f', b'old')
    h.hold(root, b'f')
    does = Aside(other, op.putfh(f), op.write(b'new'))
    h.told()
    assert server.stop() == 0
    try:
        assert does.result().status == x.NFS4ERR_DELAY
    except (ConnectionError, OSError):
        pass


def reads_twice(h, d, names, until):
    """Hold one file after the other; what is read under a delegation must
    not change before it is returned.  How often it was held."""
    held = 0
    for i in itertools.count():
        name = names[i % len(names)]
        o = h.try_hold(d, name)
        if o.deleg.delegation_type == x.OPEN_DELEGATE_READ:
            held += 1
            first = h.read_by(o)
            h.ok(op.putfh(o.fh), op.access(1))
            assert h.read_by(o) == first
            h.returns(o)
        h.close_file(o)
        if time.monotonic() > until:
            return held


def counts_up(server, fhs, until):
    """Another content for each file, again and again."""
    with wire.Nfs3(server.tcp()) as c:
        for i in itertools.count():
            res = c.write(fhs[i % len(fhs)], 0, b'%08d' % i)
            assert res.status in (0, wire.nfs3.NFS3ERR_JUKEBOX)
            if time.monotonic() > until:
                return i
            time.sleep(0.01)


def test_nothing_changes_while_somebody_holds_it(start4, clients):
    # Recalled files are left alone for a lease time: many files.
    server = start4('--lease', '5')
    with wire.Nfs3(server.tcp()) as c:
        root, names = wire.root_of(server), [b'%d' % i for i in range(200)]
        fhs = [c.make(root, name, b'%08d' % 0) for name in names]
    for minor in (0, 1, 2):
        clients.append(holder(server, minor))
        clients[-1].hold(root, names[0])
    until = time.monotonic() + 2
    holding = [Aside(reads_twice, h, root, names[k:] + names[:k], until)
               for k, h in zip((0, 60, 120), clients)]
    writing = [Aside(counts_up, server, fhs[k:], until) for k in (0, 100)]
    assert all(w.result() > 0 for w in holding)
    assert all(w.result() > 0 for w in writing)


# -------------------------------------------------------------- when it fails --


def three_holders(server, clients):
    """[(holder, another client, a file, what was opened)], of each version,
    on a server with a short lease."""
    found = []
    for minor in (0, 1, 2):
        clients.append(holder(server, minor))
        clients.append(nfs4_client.new_client(server, minor))
        h, other = clients[-2:]
        root, name = h.root(), nfs4_client.unique(b'file')
        f = other.make(root, name, b'old')
        found.append((h, other, f, h.hold(root, name)))
    return found


def renew(h):
    if h.minor == 0:
        h(op.renew(h.clientid))
    else:
        h()


def uses(minor, s):
    """What else than READ a revoked stateid is refused for."""
    return [op.write(b'x', s=s), op.setattr_(s, size=0), *([
        op.allocate(0, 1, s), op.deallocate(0, 1, s), op.read_plus(s=s),
        op.seek(0, x.NFS4_CONTENT_DATA, s), op.io_advise([1], s=s),
        op.copy(s, op.ANON, 0, 1, 1), op.clone(s, op.ANON)]
        if minor == 2 else [])]


def is_revoked(h, f, o):
    s = o.deleg._data.stateid
    assert op.pair(h.told().stateid) == op.pair(s)
    status = x.NFS4ERR_DELEG_REVOKED if h.minor else x.NFS4ERR_ADMIN_REVOKED
    for use in uses(h.minor, s):
        h.fails(status, op.putfh(f), op.savefh(), use)
    if h.minor == 0:
        h.read_by(o, x.NFS4ERR_ADMIN_REVOKED)
        assert h.return_of(o) == x.NFS4ERR_ADMIN_REVOKED
        assert h.return_of(o) == x.NFS4ERR_BAD_STATEID
        return
    revoked = x.SEQ4_STATUS_RECALLABLE_STATE_REVOKED
    assert h.flags() & revoked
    # These take no delegation's, and have no such error.
    for use in (op.close(s), op.open_downgrade(s, op.READ),
                op.lock_new(op.READ, 0, 1, s, b'owner'),
                op.lock_more(op.READ, 0, 1, s), op.locku(0, 1, s)):
        h.fails(x.NFS4ERR_BAD_STATEID, op.putfh(f), use)
    h.read_by(o, x.NFS4ERR_DELEG_REVOKED)
    assert h.try_open(f, op.by_delegate_cur_fh(s), op.READ).status == \
        x.NFS4ERR_DELEG_REVOKED
    assert h.return_of(o) == x.NFS4ERR_DELEG_REVOKED
    assert h.ok(op.test_stateid(s))[0].tsr_status_codes == [
        x.NFS4ERR_DELEG_REVOKED]
    assert h.flags() & revoked
    h.ok(op.free_stateid(s))
    assert not h.flags() & revoked
    assert h.ok(op.test_stateid(s))[0].tsr_status_codes == [
        x.NFS4ERR_BAD_STATEID]
    # The open is still there.
    assert h.ok(op.putfh(f), op.read(s=o.s))[1].data == b'new'


@pytest.mark.slow
def test_one_that_is_not_returned_is_revoked(start4, clients):
    # Its own server, for no client from here gets another one there.
    server = start4('--lease', '5')
    held = three_holders(server, clients)
    waiting = [Aside(changes_at_last, other, f) for _, other, f, _ in held]
    end = time.monotonic() + wire.PATIENCE
    while not all(w.is_done() for w in waiting):
        assert time.monotonic() < end
        for h, _, _, _ in held:
            renew(h)
        time.sleep(0.1)
    # Each was told to come again for nearly a lease time.
    assert all(w.result() >= 2 for w in waiting)
    for h, _, f, o in held:
        is_revoked(h, f, o)
        root, name = h.root(), nfs4_client.unique(b'another')
        h.make(root, name)
        for _ in range(3):
            o = h.try_hold(root, name)
            assert o.deleg.delegation_type != x.OPEN_DELEGATE_READ


@pytest.mark.slow
def test_a_silent_client_stands_in_nobodys_way(short_lease, clients):
    held = three_holders(short_lease, clients)
    time.sleep(5.5)             # their leases have run out
    with wire.Nfs3(short_lease.tcp()) as c:
        for h, _, f, _ in held:
            wire.ok(c.write(f, 0, b'new'))
            assert h.told_nothing()


@SESSIONS
def test_a_call_that_got_no_answer_is_sent_again_as_it_was(h, other, d, f):
    o = h.hold(d, b'f')
    h.called.answer = lambda _: None
    does = Aside(changes_at_last, other, f)
    h.told()
    h.called.answer = lambda _: x.NFS4_OK
    h.reconnect()
    h.told()
    h.returns(o)
    does.result()
    first, again = [h.called.compounds.get(timeout=wire.PATIENCE)
                    for _ in range(2)]
    assert first[0].body == again[0].body
    assert first[0].xid != again[0].xid
    # And the next one counts on.
    g = other.make(d, b'g')
    o = h.hold(d, b'g')
    does = Aside(writes_by_no_open, other, d, g)
    h.told()
    h.returns(o)
    does.result()
    assert h.called.compounds.get(timeout=wire.PATIENCE)[
        1].argarray[0]._data.csa_sequenceid == 2


@SESSIONS
def test_a_client_hears_that_it_cannot_be_called(h, other, d, f):
    down = (x.SEQ4_STATUS_CB_PATH_DOWN |
            x.SEQ4_STATUS_CB_PATH_DOWN_SESSION)
    o = h.hold(d, b'f')
    assert h.flags() & down == 0
    h.reconnect(bind=False)
    end = time.monotonic() + wire.PATIENCE
    while h.flags() & down != down:     # until the server saw the FIN
        assert time.monotonic() < end
    assert other(op.putfh(f), op.write(b'new')).status == x.NFS4ERR_DELAY
    assert h.told_nothing()
    h.bare(op.bind_conn_to_session(h.session.id, x.CDFC4_FORE_OR_BOTH))
    h.told()
    assert h.flags() & down == 0
    h.returns(o)
    other.ok(op.putfh(f), op.write(b'new'))


@SESSIONS
def test_a_client_that_loses_count_is_told_so(h, other, d, f):
    o = h.hold(d, b'f')
    h.called.sequence = lambda _: x.NFS4ERR_SEQ_MISORDERED
    assert other(op.putfh(f), op.write(b'new')).status == x.NFS4ERR_DELAY
    assert h.flags() & x.SEQ4_STATUS_BACKCHANNEL_FAULT
    assert h.told_nothing()
    # A new session helps, and what waits is told there.
    h.called.sequence = lambda _: x.NFS4_OK
    old = h.session
    h.create_session(flags=x.CREATE_SESSION4_FLAG_CONN_BACK_CHAN)
    h.told()
    assert not h.flags() & x.SEQ4_STATUS_BACKCHANNEL_FAULT
    h.bare(op.destroy_session(old.id))
    h.returns(o)
    other.ok(op.putfh(f), op.write(b'new'))


@pytest.mark.parametrize('answer, numbers', [
    (x.NFS4ERR_DELAY, [1, 1]),
    (x.NFS4ERR_RETRY_UNCACHED_REP, [1, 2])],
    ids=['busy', 'forgotten'])
@SESSIONS
def test_a_slot_is_tried_again(h, other, d, f, answer, numbers):
    """A busy one with the same number; an answer already forgotten counts."""
    o = h.hold(d, b'f')
    answers = [answer]
    h.called.sequence = lambda _: answers.pop() if answers else x.NFS4_OK
    does = Aside(changes_at_last, other, f)
    h.told()
    h.returns(o)
    does.result()
    seen = [h.called.compounds.get(timeout=wire.PATIENCE)[1]
            .argarray[0]._data.csa_sequenceid for _ in range(2)]
    assert seen == numbers


@SESSIONS
def test_a_call_without_answer_keeps_no_others_waiting(h, other, d, f):
    """It occupies its session; another one carries what else there is."""
    def write(c, f):
        return c(op.putfh(f), op.write(b'new')).status

    g = other.make(d, b'g', b'old')
    o, o2 = h.hold(d, b'f'), h.hold(d, b'g')
    deaf, first = nfs4_callbacks.Called(), h.transport
    deaf.answer = lambda _: None
    session, h.transport = h.session, nfs4_callbacks.Duplex(h.server, deaf)
    h.create_session(flags=x.CREATE_SESSION4_FLAG_CONN_BACK_CHAN)
    second, h.transport, h.session = h.transport, first, session
    waits = Aside(write, other, f)
    assert deaf.operations.get(timeout=wire.PATIENCE).fh == f
    second.close()
    assert waits.result() == x.NFS4ERR_DELAY
    writes = Aside(write, other, g)
    assert h.told().fh == g
    h.returns(o2)
    assert writes.result() == x.NFS4_OK
    h.returns(o)
    assert write(other, f) == x.NFS4_OK


@pytest.mark.parametrize('minor', [2], ids=['4.2'])
def test_what_the_client_never_got_keeps_nobody_waiting(h, other, d, f):
    o = h.hold(d, b'f')
    assert not h.flags() & x.SEQ4_STATUS_RECALLABLE_STATE_REVOKED
    h.called.answer = lambda _: x.NFS4ERR_BAD_STATEID
    changes_at_last(other, f)
    assert not h.flags() & x.SEQ4_STATUS_RECALLABLE_STATE_REVOKED
    assert h.return_of(o) == x.NFS4ERR_BAD_STATEID


# -------------------------------------------------------- 4.0: where to call --


@pytest.mark.parametrize('minor', [0], ids=['4.0'])
def test_a_broken_connection_is_made_again(h, other, d, f):
    o = h.hold(d, b'f')
    h.listener.hang_up()
    does = Aside(changes_at_last, other, f)
    h.told()
    h.returns(o)
    does.result()
    assert len(h.listener.peers) == 2


@pytest.mark.parametrize('minor', [0], ids=['4.0'])
def test_renew_says_that_calls_do_not_arrive(h, other, d, f):
    o = h.hold(d, b'f')
    h.ok(op.renew(h.clientid))
    h.listener.close()
    assert other(op.putfh(f), op.write(b'new')).status == x.NFS4ERR_DELAY
    end = time.monotonic() + wire.PATIENCE
    while h(op.renew(h.clientid)).status != x.NFS4ERR_CB_PATH_DOWN:
        assert time.monotonic() < end
        time.sleep(0.05)
    h.returns(o)
    h.ok(op.renew(h.clientid))
    other.ok(op.putfh(f), op.write(b'new'))


@pytest.mark.parametrize('address', [
    b'127.0.0.2.%d.%d', b'10.0.0.1.%d.%d', b'', b'127.0.0.1', b'..',
    b'127.0.0.1.0.0', b'127.0.0.1.256.1', b'::1.%d.%d', b'x' * 1000])
def test_nobody_is_sent_elsewhere(v4, clients, d, address):
    clients.append(holder(v4, 0))
    port = clients[-1].listener.sock.getsockname()[1]
    if b'%' in address:
        address %= (port >> 8, port & 255)
    clients.append(holder(v4, 0, address=address))
    h = clients[-1]
    h.make(d, b'f', b'x')
    for _ in range(3):
        o = h.try_hold(d, b'f')
        assert o.deleg.delegation_type == x.OPEN_DELEGATE_NONE
    assert not clients[-2].listener.peers


def test_programs_that_are_no_callbacks_are_not_called(v4, clients, d,
                                                       monkeypatch):
    monkeypatch.setattr('nfs4_callbacks.PROGRAM', 100005)
    clients.append(holder(v4, 0))
    h = clients[-1]
    h.make(d, b'f', b'x')
    for _ in range(3):
        h.try_hold(d, b'f')
    assert not h.listener.peers


def test_who_is_called_back_cannot_call_by_that(v4, clients, d):
    clients.append(holder(v4, 0))
    h = clients[-1]
    h.make(d, b'f', b'x')
    h.hold(d, b'f')
    peer = h.listener.peers[0]
    peer.sendall(wire.rpc.pack_record(wire.null_call()))
    assert wire.is_alive(v4)
    end = time.monotonic() + wire.PATIENCE
    while peer.fileno() != -1 and time.monotonic() < end:
        try:
            peer.getpeername()
            if peer.recv(1, wire.socket.MSG_DONTWAIT |
                         wire.socket.MSG_PEEK) == b'':
                break
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:
            break
    else:
        raise AssertionError('the connection is still there')


@pytest.mark.parametrize('minor', [0], ids=['4.0'])
def test_a_client_may_move(v4, h, other, d, f):
    """SETCLIENTID with the same verifier: another callback, the same
    client."""
    o = h.hold(d, b'f')
    new = Listener(h.called)
    try:
        h.address = new.address()
        clientid, confirm = h.setclientid()
        assert clientid == h.clientid
        h.ok(op.setclientid_confirm(clientid, confirm))
        does = Aside(writes_by_no_open, other, d, f)
        h.told()
        assert len(new.peers) == 1
        h.returns(o)
        does.result()
    finally:
        new.close()
