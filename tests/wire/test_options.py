"""Options that change what is seen on the wire: squashing, addresses, ports,
and what is said when it cannot start."""

import json
import socket
import subprocess
import sys

import nfs3
import pytest
import rpc
import wire
from wire import NFS, Nfs3, fails, ok


def owner_of_new(server, cred):
    fh = wire.root_of(server)
    with Nfs3(server.tcp()) as c:
        c.setattr(fh, mode=0o777)
    with Nfs3(server.tcp(cred)) as c:
        a = c.attr(c.make(fh, b'f%d' % len(c.names(fh))))
        return a.uid, a.gid


@pytest.fixture(scope='module')
def squashing(start):
    servers = {}

    def get(how):
        if how not in servers:
            servers[how] = start('--squash', how)
        return servers[how]
    return get


@pytest.mark.parametrize('uid, gid', [
    (0, 0), (1000, 100), (0xfffffffe, 0xfffffffe)])
def test_with_nobody_squashed_everybody_is_himself(squashing, uid, gid):
    wire.need_root()
    assert owner_of_new(squashing('none'), wire.user(uid, gid)) == (uid, gid)


def test_root_proven_on_loopback_is_not_squashed_with_root(squashing):
    wire.need_root()
    assert owner_of_new(squashing('root'), wire.root()) == (0, 0)
    assert owner_of_new(squashing('root'), wire.user(5, 6)) == (5, 6)


def test_root_that_is_not_proven_is_squashed_with_root(start):
    server = start('--local-auth', 'none')
    fh = wire.root_of(server)
    with Nfs3(server.tcp()) as c:
        assert c.setattr(fh, mode=0o777).status in (
            nfs3.NFS3ERR_PERM, nfs3.NFS3ERR_ACCES)
        fails(c.create(fh, b'f'), nfs3.NFS3ERR_ACCES)
    server.stop()


@pytest.mark.parametrize('uid', [0, 1000, 0xfffffffe])
def test_with_all_squashed_everybody_is_just_another(squashing, uid):
    """The root is root's, mode 0755: all may look, and nobody may write."""
    server = squashing('all')
    fh = wire.root_of(server)
    with Nfs3(server.tcp(wire.user(uid, 0, [0, 1]))) as c:
        assert (c.attr(fh).uid, c.attr(fh).mode) == (0, 0o755)
        assert ok(c.access(fh)).access == (
            nfs3.ACCESS3_READ | nfs3.ACCESS3_LOOKUP)
        assert c.names(fh) == []
        fails(c.create(fh, b'f'), nfs3.NFS3ERR_ACCES)
        assert c.setattr(fh, mode=0o777).status in (
            nfs3.NFS3ERR_PERM, nfs3.NFS3ERR_ACCES)


def test_o_ro_refuses_changes_and_says_so_in_access(start):
    server = start('-o', 'ro')
    fh = wire.root_of(server)
    with Nfs3(server.tcp()) as c:
        fails(c.create(fh, b'f'), nfs3.NFS3ERR_ROFS)
        assert ok(c.access(fh)).access & nfs3.ACCESS3_MODIFY == 0
    server.stop()


def run(*args):
    return subprocess.run(
        [wire.PINEFS, '-f', 'mem', '--no-portmap', '--mount-port', '0', *args],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=wire.PATIENCE)


def test_a_port_in_use_is_one_line_with_a_way_out_and_status_69(
        server, tmp_path):
    done = run('--port', str(server.port), '--state-dir', str(tmp_path))
    assert done.returncode == 69
    text = done.stderr.decode()
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) <= 2
    assert str(server.port) in lines[0]
    assert 'in use' in lines[0]
    assert 'pinefs' in lines[0]     # who holds it
    assert '--port 0' in text


def test_a_second_port_in_use_is_a_warning(start):
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen()
        port = s.getsockname()[1]
        server = start(mount_port=port)
        with server.tcp() as t:
            assert t.call(NFS, 3, 0) == b''
        assert str(port) in server.text()
        server.stop()


def test_two_servers_run_side_by_side(start, server):
    other = start()
    assert other.port != server.port
    assert wire.is_alive(other) and wire.is_alive(server)
    other.stop()


def addresses():
    """Those of the machine's interfaces, as the kernel lists them, each as
    what getaddrinfo takes; link-local ones with their interface."""
    text = subprocess.run(['ip', '-json', 'address'], check=True,
                          stdout=subprocess.PIPE).stdout
    for link in json.loads(text):
        for a in link.get('addr_info', []):
            if 'local' in a:
                yield a['local'] + ('%' + link['ifname'] if a.get(
                    'scope') == 'link' and a['family'] == 'inet6' else '')


def answers(address, port):
    family, kind, proto, _, where = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, proto) as s:
        s.settimeout(wire.PATIENCE)
        return s.connect_ex(where) == 0


def test_it_listens_on_loopback_alone(server):
    answering = {a for a in addresses() if answers(a, server.port)}
    assert '127.0.0.1' in answering
    assert answering <= {'127.0.0.1', '::1'}
    # Other addresses of loopback are not bound, and nor is any address.
    assert not answers('127.0.0.2', server.port)
    assert bound_to(server.port) <= {'127.0.0.1', '::1'}


def bound_to(port):
    """The addresses that sockets of this port are bound to, TCP and UDP."""
    found = set()
    for name, family, size in (('tcp', socket.AF_INET, 4),
                               ('tcp6', socket.AF_INET6, 16),
                               ('udp', socket.AF_INET, 4),
                               ('udp6', socket.AF_INET6, 16)):
        with open('/proc/net/' + name, encoding='ascii') as f:
            rows = [line.split() for line in f][1:]
        for row in rows:
            address, _, bound = row[1].partition(':')
            if int(bound, 16) == port and row[3] in ('0A', '07'):
                # Words of 32 bits in the machine's order.
                raw = bytes.fromhex(address)
                raw = b''.join(raw[i:i + 4][::-1 if sys.byteorder == 'little'
                                            else 1] for i in range(0, size, 4))
                found.add(socket.inet_ntop(family, raw))
    return found


def test_sigterm_finishes_and_ends_with_0(start):
    server = start()
    fh = wire.root_of(server)
    with Nfs3(server.tcp()) as c:
        c.make(fh, b'f')
        assert server.stop() == 0
        with pytest.raises((OSError, rpc.RpcError)):
            c.getattr(fh)


def test_replies_under_way_leave_before_the_end(start):
    server = start()
    fh = wire.root_of(server)
    with Nfs3(server.tcp()) as c:
        f = c.make(fh, b'f', b'x' * (1 << 20))
    with server.raw() as raw:
        # Together: one that comes after the signal may find nobody.
        raw.send(b''.join(rpc.pack_record(rpc.pack_call(
            xid, NFS, 3, 6, nfs3.READ3args(wire.fh3(f), 0, 1 << 20).pack(),
            wire.root())) for xid in range(2)))
        raw.exactly(100)
        server.process.terminate()
        n = 2 * (4 + len(rpc.pack_accepted(0, 0)) + 4 + 88 + 12 +
                 (1 << 20)) - 100
        assert len(raw.exactly(n)) == n
    assert server.stop() == 0


def test_a_server_out_of_descriptors_serves_those_it_has(start):
    import resource

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    server = start(preexec=few)
    with server.tcp() as first:
        assert first.call(NFS, 3, 0) == b''
        many = []
        for _ in range(120):
            try:
                many.append(server.raw(timeout=1))
            except OSError:
                break
        assert first.call(NFS, 3, 0) == b''
        for _ in range(20):
            assert first.call(NFS, 3, 0) == b''
        for raw in many:
            raw.close()
    assert wire.is_alive(server)
    server.stop()
