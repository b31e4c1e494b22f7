"""NFS 2 and 3 and MOUNT in datagrams, over IPv4 and IPv6."""

import random

import mount
import nfs3
import pytest
import rpc
import wire
from wire import MOUNT, NFS, Nfs2, Nfs3, is_alive, ok, u32


@pytest.fixture
def udp(server):
    with server.udp() as u:
        yield u


def test_null_of_every_version(udp):
    for prog, versions in ((NFS, (2, 3)), (MOUNT, (1, 3))):
        for vers in versions:
            assert udp.call(prog, vers, 0) == b''


def test_version_4_is_not_served_in_datagrams(udp):
    with pytest.raises(rpc.ProgMismatch) as e:
        udp.call(NFS, 4, 0)
    assert (e.value.low, e.value.high) == (2, 3)


def test_mount_and_a_file_by_version_3(server):
    with wire.mount3(server, udp=True) as m:
        fh = m.MOUNTPROC3_MNT(b'/')._data.fhandle
    with Nfs3(server.udp()) as c:
        d = c.make_dir(fh, b'udp-3')
        f = c.make(d, b'f', b'12345')
        assert ok(c.read(f)).data == b'12345'
        assert c.names(d) == [b'f']
        ok(c.rename(d, b'f', d, b'g'))
        assert c.find(d, b'g') == f
        ok(c.remove(d, b'g'))
        ok(c.rmdir(fh, b'udp-3'))


def test_mount_and_a_file_by_version_2(server):
    with wire.mount1(server, udp=True) as m:
        fh = m.MOUNTPROC_MNT(b'/')._data
    with Nfs2(server.udp()) as c:
        d = c.make_dir(fh, b'udp-2')
        f = c.make(d, b'f', b'x' * 8192)
        assert ok(c.read(f)).data == b'x' * 8192
        assert c.names(d) == [b'f']
        assert c.remove(d, b'f') == 0


def test_datagrams_carry_32_kib_at_most(server, c, d):
    with Nfs3(server.udp()) as u:
        i = ok(u.fsinfo(d))
        assert i.rtmax == i.wtmax == 32768
        assert i.rtpref <= 32768 and i.wtpref <= 32768
        assert i.dtpref <= 32768
        fh = c.make(d, b'f', bytes(range(256)) * 1024)
        for count in (32768, 32769, 1 << 20, 0xffffffff):
            data = ok(u.read(fh, 0, count))
            assert data.count == len(data.data) == 32768
            assert not data.eof
        assert ok(u.write(fh, 0, b'y' * 32768)).count == 32768
        assert ok(c.read(fh, 0, 32768)).data == b'y' * 32768


def test_listings_fit_in_datagrams_whatever_is_asked(server, c, d):
    for i in range(1000):
        c.make(d, b'a-rather-long-name-of-a-file-%06d' % i)
    with Nfs3(server.udp()) as u:
        assert len(u.names(d, 1 << 20)) == 1000
        data = ok(u.readdirplus(d, 0, bytes(8), 1 << 20, 1 << 20))
        assert 0 < len(data.reply.entries) < 1000


def test_errors_come_as_over_tcp(udp, root_fh):
    for args, kind in (((NFS, 3, 99), rpc.ProcUnavail),
                       ((12345, 1, 0), rpc.ProgUnavail),
                       ((NFS, 7, 0), rpc.ProgMismatch),
                       ((NFS, 3, 1, b'1234'), rpc.GarbageArgs),
                       ((NFS, 3, 1, wire.fh3(root_fh).pack() + bytes(4)),
                        rpc.GarbageArgs)):
        with pytest.raises(kind):
            udp.call(*args)
    udp.cred = (1, b'12')
    with pytest.raises(rpc.AuthError):
        udp.call(NFS, 3, 1, wire.fh3(root_fh).pack())


def test_what_is_no_call_is_not_answered(server, udp):
    r = random.Random(9)
    good = rpc.pack_call(1, NFS, 3, 0)
    for junk in ([b'', b'1', u32(1), u32(1, 1, 0, 0, 0, 0), u32(1, 0, 2),
                  bytes(65000), b'GET / HTTP/1.0\r\n\r\n'] +
                 [good[:n] for n in range(0, len(good))] +
                 [r.randbytes(r.randrange(1, 2000)) for _ in range(200)]):
        udp.send(junk)
    while True:
        reply = udp.receive(0.5)
        if reply is None:
            break
        # Some of it may have been worth a denial.
        assert rpc.parse_reply(reply)[2] is not None
    assert udp.call(NFS, 3, 0) == b''
    assert is_alive(server)


def test_many_clients_get_each_its_own_reply(server):
    clients = [server.udp() for _ in range(20)]
    for i, u in enumerate(clients):
        u.send(rpc.pack_call(i, NFS, 3, 0))
    for i, u in enumerate(clients):
        assert rpc.unpack_reply(u.receive(wire.PATIENCE)) == (i, b'')
        u.close()


def test_everything_works_over_ipv6(server, has_ipv6, root_fh):
    for kind in (server.tcp, server.udp):
        with kind(host='::1') as t:
            assert t.call(MOUNT, 3, 0) == b''
            with Nfs3(t) as c:
                assert c.attr(root_fh).type == nfs3.NF3DIR
                d = c.make_dir(root_fh, b'v6-%d' % (kind == server.udp))
                f = c.make(d, b'f', b'12345')
                assert ok(c.read(f)).data == b'12345'
                with pytest.raises(rpc.ProgUnavail):
                    t.call(12345, 1, 0)
    with server.tcp(host='::1') as t:
        m = mount.MOUNT_PROGRAM_3_client(t)
        assert m.MOUNTPROC3_MNT(b'/')._data.fhandle == root_fh


def test_with_t_there_are_no_datagrams(start):
    server = start('-t')
    with server.tcp() as t:
        assert t.call(NFS, 3, 0) == b''
    with server.udp() as u:
        u.timeout = 1.0
        with pytest.raises((rpc.RpcTimeout, ConnectionRefusedError)):
            u.call(NFS, 3, 0)
    server.stop()
