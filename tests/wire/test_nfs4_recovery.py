"""What a client has again after the server was killed, and who waits for it
(RFC 8881 8.4.2, 18.51; RFC 7530 9.6.2, 9.6.3; PROTOCOL 10).

Archives are the file system here: its handles outlive the server.  Where an
early end of grace is to be seen, a lease lasts a minute, so that no slow
machine sees its end; who waits for the end has one of 5 seconds."""

import signal
import time

import nfs4 as x
import nfs4_ops as op
import pytest
from archives import usual
from nfs4_client import Client0, Client1, new_client

LONG, SHORT = '60', '5'


@pytest.fixture
def again(start4, tmp_path, clients):
    """A function: the server, killed if it runs, and started with a lease."""
    usual(tmp_path / 'a.tar', {'shared': b'0123456789', 'denied': b'text',
                               'free': b''})
    running = []

    def start_again(lease=LONG):
        port = '0'
        if running:
            port = str(running[-1].port)
            running[-1].stop(signal.SIGKILL)
        while clients:
            clients.pop().close()
        running.append(start4(
            '--lease', lease, '--port', port, '--cache-dir', str(tmp_path),
            str(tmp_path / 'a.tar'), fs='tar', directory=tmp_path))
        return running[-1]

    yield start_again
    running[-1].stop()


class Held:
    """What a client has: a file with bytes locked, one denied to others."""

    def __init__(self, c):
        self.c, self.minor = c, c.minor
        root = c.root()
        self.shared = c.open(root, b'shared', op.READ)
        self.range = (10 * self.minor, 10)
        c.lock(self.shared, *self.range, kind=op.READ)
        self.fh = self.shared.fh
        self.denied = None

    def deny(self):
        self.denied = self.c.open(self.c.root(), b'denied', op.READ,
                                  deny=op.READ).fh

    def is_forgotten(self, server):
        """The old ids are of no use any more, and say why."""
        with server.tcp() as self.c.transport:
            if self.minor == 0:
                self.c.fails(x.NFS4ERR_STALE_CLIENTID,
                             op.renew(self.c.clientid))
                return
            assert self.c(op.putrootfh()).status == x.NFS4ERR_BADSESSION
            assert self.c.bare(op.create_session(
                self.c.clientid, self.c.cs_seq)).status == \
                x.NFS4ERR_STALE_CLIENTID

    def come_back(self, server):
        """The same owner, with a new id."""
        kw = {} if self.minor == 0 else {'reclaimed': False}
        self.c = new_client(server, self.minor, owner=self.c.owner,
                            verifier=self.c.verifier, **kw)
        return self.c

    def reclaim(self):
        c = self.c
        self.shared = c.open(self.fh, op.by_previous(), op.READ)
        assert self.shared.fh == self.fh
        # Nothing is confirmed that was before (RFC 7530 16.18.5).
        assert not self.shared.res.rflags & x.OPEN4_RESULT_CONFIRM
        if self.denied:
            again = c.open(self.denied, op.by_previous(), op.READ,
                           deny=op.READ)
            assert again.fh == self.denied
        reply = c.try_lock(self.shared, *self.range, kind=op.READ,
                           reclaim=True)
        assert reply.status == 0, reply
        read = c.ok(op.putfh(self.fh), op.read(s=self.shared.s))[1]
        assert read.data == b'0123456789'


def all_wait(c, fh):
    """What could take what somebody reclaims (RFC 8881 8.4.2.1)."""
    waiting = [op.lockt(op.WRITE, 0, 1, b'tester', c.clientid),
               op.read(0, 1), op.write(b'x'), op.setattr_(size=0)]
    if c.minor == 2:
        waiting += [op.read_plus(), op.seek(0, x.NFS4_CONTENT_DATA),
                    op.allocate(0, 1), op.deallocate(0, 1)]
    for operation in waiting:
        c.fails(x.NFS4ERR_GRACE, op.putfh(fh), operation)
    assert c.try_open(c.root(), b'free', op.READ).status == x.NFS4ERR_GRACE
    # And what cannot is done.
    assert c.get(fh, 'size') == 10


def is_no_reclaimer(c, fh):
    assert c.try_open(fh, op.by_previous(), op.READ).status == \
        x.NFS4ERR_NO_GRACE


def test_the_last_who_reclaims_ends_grace(again, clients):
    """4.1 and 4.2: nobody waits for longer than it takes."""
    first = again()
    held = [Held(new_client(first, m)) for m in (1, 2)]
    clients += [h.c for h in held]
    held[0].deny()
    server = again()
    assert 'grace: waiting' in server.text()
    others = [new_client(server, m) for m in (0, 1, 2)]
    clients += others
    fh = held[0].fh
    for c in others:
        all_wait(c, fh)
        is_no_reclaimer(c, fh)
    for h in held:
        h.is_forgotten(server)
        clients.append(h.come_back(server))
        # Reclaims come first.
        assert h.c.try_open(h.c.root(), b'free', op.READ).status == \
            x.NFS4ERR_GRACE
        h.reclaim()
        assert h.c.try_lock(h.shared, 90, 1, op.READ, b'new').status == \
            x.NFS4ERR_GRACE
        all_wait(others[0], fh)
        if h is held[1]:
            # Who claims what another has reclaimed is refused.
            assert h.c.try_open(held[0].denied, op.by_previous(),
                                op.READ).status == x.NFS4ERR_SHARE_DENIED
        # That of one file system is not that of all.
        h.c.ok(op.putfh(fh), op.reclaim_complete(True))
        all_wait(others[0], fh)
        h.c.ok(op.reclaim_complete())
        if h is held[0]:
            all_wait(others[0], fh)
            is_no_reclaimer(h.c, fh)
    assert 'grace is over: 0 client(s)' in server.text()

    for c in others:
        c.open(c.root(), b'free', op.READ)
        is_no_reclaimer(c, fh)
        # What was reclaimed is held.
        assert c.held(fh, 40) == '.' * 10 + 'r' * 20 + '.' * 10
        assert c.try_open(c.root(), b'denied', op.READ).status == \
            x.NFS4ERR_SHARE_DENIED
    for h in held:
        is_no_reclaimer(h.c, fh)
        assert h.c.try_lock(h.shared, 90, 1, op.READ, b'new', True).status \
            == x.NFS4ERR_NO_GRACE
        h.c.lock(h.shared, 90, 1, op.READ, b'new')


def test_clients_of_4_0_reclaim_although_the_server_dies_again(again, clients):
    """They have no word for "that is all": grace lasts."""
    first = again()
    late, held = Held(Client0(first)), Held(Client0(first))
    clients += [late.c, held.c]
    server = again()
    held.is_forgotten(server)
    clients += [held.come_back(server), Client0(server)]
    held.reclaim()
    all_wait(clients[-1], held.fh)
    server = again()
    assert 'for 2 client(s)' in server.text()
    clients += [late.come_back(server), held.come_back(server),
                Client0(server)]
    late.reclaim()
    held.reclaim()
    all_wait(clients[-1], held.fh)
    is_no_reclaimer(clients[-1], held.fh)


def test_who_does_not_come_back_in_time_is_no_reclaimer_later(again, clients):
    """RFC 8881 8.4.3: others may have had the file meanwhile."""
    first = again()
    gone = [Held(new_client(first, m)) for m in (0, 1)]
    back = Held(Client0(first))
    clients += [h.c for h in [*gone, back]]
    began = time.monotonic()
    server = again(SHORT)
    clients.append(back.come_back(server))
    is_back = time.monotonic() - began < int(SHORT)
    keeps = Client1(server, 2)
    clients.append(keeps)
    while True:
        is_back &= back.c(op.renew(back.c.clientid)).status == 0
        reply = keeps.try_open(keeps.root(), b'free', op.READ)
        if reply.status == 0:
            break
        assert reply.status == x.NFS4ERR_GRACE
        assert time.monotonic() - began < 60, 'grace does not end'
        time.sleep(0.2)
    assert time.monotonic() - began >= int(SHORT), 'grace was cut short'
    assert 'grace is over: 2 client(s)' in server.text() or not is_back
    kept = Held(keeps)

    server = again()
    assert 'for 1 client(s)' in server.text()
    for h in gone:
        clients.append(h.come_back(server))
        is_no_reclaimer(h.c, h.fh)
    clients.append(kept.come_back(server))
    kept.reclaim()
    kept.c.ok(op.reclaim_complete())
    assert 'grace is over: 0 client(s)' in server.text()
    gone[1].c.ok(op.reclaim_complete())
    for h in gone:
        h.c.open(h.c.root(), b'shared', op.READ)


@pytest.mark.parametrize('minor', [1, 2])
def test_without_anybody_to_wait_for_there_is_no_grace(again, clients, minor):
    first = again()
    assert 'grace' not in first.text()
    c = Client1(first, minor)
    clients.append(c)
    c.close_file(c.open(c.root(), b'free', op.READ))
    c.destroy()
    server = again()
    assert 'grace' not in server.text()
    for m in (0, 1, 2):
        with new_client(server, m) as c:
            c.open(c.root(), b'free', op.READ)
            is_no_reclaimer(c, c.find(c.root(), b'free'))
