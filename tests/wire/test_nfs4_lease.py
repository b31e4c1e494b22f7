"""Leases, courtesy, and restarts (RFC 8881 8.3, 8.4; RFC 7530 9.5, 9.6;
PROTOCOL 10).  These wait for leases of 5 seconds to run out."""

import signal
import time

import nfs4 as x
import nfs4_client
import nfs4_ops as op
import pytest
import wire
from nfs4_client import Client0, Client1, new_client

LEASE = 5
pytestmark = pytest.mark.slow


def wait_for_expiry():
    time.sleep(LEASE + 0.6)


@pytest.fixture
def s(short_lease):
    return short_lease


def directory(server, name):
    """Of a test's own."""
    with wire.Nfs3(server.tcp()) as c:
        return c.make_dir(wire.root_of(server), name, mode=0o777)


def test_the_lease_is_told(s):
    with Client1(s) as c:
        assert c.get(c.root(), 'lease_time') == LEASE


def all_have_expired(c, held):
    """4.0: whatever a stateid of what is gone is for (7530 9.6.3)."""
    share, lock, _ = held
    n = c.next_seqid(b'owner')
    for k, operation in (
            (share, op.write(b'x', s=share.s)),
            (share, op.setattr_(share.s, size=0)),
            (share, op.close(share.s, n)),
            (share, op.open_downgrade(share.s, op.READ, seqid=n)),
            (share, op.open_confirm(share.s, n)),
            (share, op.lock_new(op.READ, 0, 1, share.s, b'n', n, 1,
                                c.clientid)),
            (lock, op.locku(0, 1, lock.s, c.next_seqid(b'lock:locker')))):
        c.fails(x.NFS4ERR_EXPIRED, op.putfh(k.fh), operation)


def test_what_an_expired_client_has_goes_when_somebody_minds(s):
    """In one wait: courtesy, conflicts, clients that renewed."""
    d = directory(s, b'expiry')
    gone, other = {}, {}
    for minor in (0, 1, 2):
        gone[minor] = new_client(s, minor)
        other[minor] = new_client(s, minor)
    keep = Client1(s, 1)
    kept = keep.new(d, b'kept', deny=op.BOTH)
    held = {}
    for minor, c in gone.items():
        held[minor] = (c.new(d, b'share-%d' % minor, deny=op.BOTH),
                       c.lock(c.new(d, b'lock-%d' % minor), 0, 10),
                       c.new(d, b'free-%d' % minor))
    for minor, c in other.items():
        assert c.try_open(d, b'share-%d' % minor).status == \
            x.NFS4ERR_SHARE_DENIED
    # Everything else speaks now and then; those in `gone` do not.
    end = time.monotonic() + LEASE + 1.5
    while time.monotonic() < end:
        time.sleep(1)
        for c in [keep, *other.values()]:
            c.ok(op.renew(c.clientid) if c.minor == 0 else op.putrootfh())

    # Nobody minded: a courtesy client speaks, and has what it had.
    g = gone.pop(2)
    g.ok(op.putfh(held[2][2].fh), op.write(b'x', s=held[2][2].s))
    g.unlock(held[2][1], 0, 10)

    # Somebody minds.
    for minor, c in gone.items():
        o = other[minor]
        p = o.open(d, b'lock-%d' % minor)
        o.lock(p, 0, 10)
        o.open(d, b'share-%d' % minor, deny=op.BOTH)
        reply = c(op.putfh(held[minor][0].fh),
                  op.read(s=held[minor][0].s))
        assert reply.status in (
            x.NFS4ERR_EXPIRED, x.NFS4ERR_BAD_STATEID,
            x.NFS4ERR_STALE_STATEID) if minor == 0 else \
            reply.status in (x.NFS4ERR_BADSESSION, x.NFS4ERR_EXPIRED,
                             x.NFS4ERR_BAD_STATEID), reply
    all_have_expired(gone[0], held[0])
    assert other[0].try_open(d, b'kept').status == x.NFS4ERR_SHARE_DENIED
    keep.ok(op.putfh(kept.fh), op.write(b'x', s=kept.s))
    for c in [keep, g, *gone.values(), *other.values()]:
        c.close()


def test_only_what_succeeds_renews(s):
    """A SEQUENCE that fails is no sign of life (chimera#1087)."""
    d = directory(s, b'renewal')
    c, other = Client1(s, 1), Client1(s, 1)
    c.new(d, b'f', deny=op.BOTH)
    end = time.monotonic() + LEASE + 1.5
    while time.monotonic() < end:
        time.sleep(0.8)
        reply = nfs4_client.compound(c.transport, 1, op.sequence(
            c.session.id, 9999, 0, 0, False))
        assert reply.status == x.NFS4ERR_SEQ_MISORDERED
        other.ok(op.putrootfh())
    other.open(d, b'f', deny=op.BOTH)
    c.close()
    other.close()


def test_io_by_a_stateid_renews_in_4_0(s):
    d = directory(s, b'implicit')
    c, other = Client0(s), Client0(s)
    o = c.new(d, b'f', deny=op.BOTH)
    end = time.monotonic() + LEASE + 1.5
    while time.monotonic() < end:
        time.sleep(1)
        c.ok(op.putfh(o.fh), op.read(s=o.s))
        other.ok(op.renew(other.clientid))
    assert other.try_open(d, b'f').status == x.NFS4ERR_SHARE_DENIED
    c.close()
    other.close()


def test_a_client_without_state_is_forgotten(s):
    c, e = Client0(s), Client1(s, 1)
    time.sleep(2 * LEASE + 1)
    assert c(op.renew(c.clientid)).status in (
        x.NFS4ERR_STALE_CLIENTID, x.NFS4ERR_EXPIRED)
    reply = e.bare(e.session.sequence())
    assert reply.status == x.NFS4ERR_BADSESSION
    c.close()
    e.close()


# ---------------------------------------------------------------- restarts --


def test_after_a_restart_a_volatile_file_system_is_clean(start4, tmp_path):
    """kill -9, and again on the same port: no grace, nothing reclaimed,
    old ids and handles are told for what they are."""
    args = dict(directory=tmp_path)
    first = start4('--lease', '5', **args)
    port = str(first.port)
    old = {m: new_client(first, m) for m in (0, 1, 2)}
    root = old[0].root()
    made = {m: c.new(root, b'f%d' % m) for m, c in old.items()}
    first.stop(signal.SIGKILL)
    for c in old.values():
        c.close()
    second = start4('--lease', '5', '--port', port, **args)
    try:
        began = time.monotonic()
        for m, c in old.items():
            c.transport = second.tcp()
            o = made[m]
            if m == 0:
                c.fails(x.NFS4ERR_STALE_CLIENTID, op.renew(c.clientid))
                reply = c(op.putfh(root), op.lookup(b'f0'))
                assert reply.status == x.NFS4ERR_NOENT
                assert c(op.putfh(root), op.read(s=o.s)).status in (
                    x.NFS4ERR_STALE_STATEID, x.NFS4ERR_ISDIR)
            else:
                assert c(op.putrootfh()).status == x.NFS4ERR_BADSESSION
                assert c.bare(op.create_session(
                    c.clientid, c.cs_seq)).status == \
                    x.NFS4ERR_STALE_CLIENTID
            new = new_client(second, m, owner=c.owner,
                             verifier=c.verifier)
            # The mount survives, and its files are gone.
            assert new.root() == root
            assert new(op.putfh(o.fh), op.getattr_('type')).status == \
                x.NFS4ERR_STALE
            fh = new.make(root, b'new%d' % m)
            assert new.try_open(fh, op.by_previous()).status == \
                x.NFS4ERR_NO_GRACE
            new.close()
            c.close()
        assert time.monotonic() - began < 4, 'somebody waited for grace'
        assert 'grace' not in second.text()
    finally:
        second.stop()


def test_the_write_verifier_changes_over_a_restart(start4, tmp_path):
    seen = []
    for _ in range(2):
        server = start4(directory=tmp_path)
        with Client1(server) as c:
            o = c.new(c.root(), b'f')
            seen.append(c.ok(op.putfh(o.fh), op.write(b'x', s=o.s))[
                1].writeverf)
        server.stop(signal.SIGKILL)
    assert seen[0] != seen[1]


def test_server_owner_and_scope_survive_a_restart(start4, tmp_path):
    seen = []
    for _ in range(2):
        server = start4(directory=tmp_path)
        with Client1(server, session=False) as c:
            seen.append(c.exchange_id().eir_server_scope)
        server.stop()
    assert seen[0] == seen[1]


@pytest.mark.parametrize('seconds', ['0', '4', '-1', 'x', ''])
def test_a_lease_that_cannot_be_is_refused(v4, tmp_path, seconds):
    import subprocess
    import conftest
    done = subprocess.run(
        [conftest.PINEFS, '-f', 'mem', '--port', '0', '--no-portmap',
         '--state-dir', str(tmp_path), '--lease', seconds],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=20, check=False)
    assert done.returncode not in (0, -11)
    assert b'lease' in done.stdout
