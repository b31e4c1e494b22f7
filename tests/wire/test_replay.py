"""Retransmission: a call that changes something is run once (PROTOCOL 7)."""

import time

import nfs2
import nfs3
import pytest
import rpc
import wire
from wire import NFS, Nfs3, ok


def create_args(d, name, how=nfs3.GUARDED):
    return nfs3.CREATE3args(wire.dirop3(d, name), nfs3.createhow3(
        how, wire.sattr3(mode=0o600))).pack()


def call_of(xid, proc, args, cred=None, vers=3):
    return rpc.pack_call(xid, NFS, vers, proc, args, cred or wire.root())


def create_call(xid, d, name, **kw):
    return call_of(xid, 8, create_args(d, name), **kw)


def status(reply):
    """The first word of the results."""
    return int.from_bytes(rpc.unpack_reply(reply)[1][:4], 'big')


def settle(server):
    """Let the server see that a connection has ended."""
    time.sleep(0.2)
    assert wire.is_alive(server)


def test_the_same_call_on_its_connection_gets_the_same_bytes(server, c, d):
    with server.raw() as raw:
        call = create_call(7, d, b'f')
        first = raw.call(call)
        assert status(first) == 0
        again = raw.call(call)
        assert again == first
    assert c.names(d) == [b'f']


def test_a_replay_does_nothing_again(server, c, d):
    with server.raw() as raw:
        fh = c.make(d, b'f')
        remove = call_of(8, 12, nfs3.REMOVE3args(
            wire.dirop3(d, b'f')).pack())
        assert status(raw.call(remove)) == 0
        c.make(d, b'f')
        assert status(raw.call(remove)) == 0
        assert c.is_there(d, b'f')
        assert c.find(d, b'f') != fh


def every_change(c, d):
    """Each procedure that changes something, once done not to be repeated:
    its number and arguments."""
    f = c.make(d, b'f')
    c.make(d, b'remove-me')
    c.make_dir(d, b'rmdir-me')
    c.make(d, b'rename-me')
    here = wire.dirop3
    return {
        'SETATTR': (2, nfs3.SETATTR3args(
            wire.fh3(f), wire.sattr3(mode=0o611), nfs3.sattrguard3(
                True, c.attr(f).ctime)).pack()),
        'WRITE': (7, nfs3.WRITE3args(
            wire.fh3(f), 0, 1, nfs3.FILE_SYNC, b'x').pack()),
        'CREATE': (8, create_args(d, b'new')),
        'MKDIR': (9, nfs3.MKDIR3args(
            here(d, b'newdir'), wire.sattr3()).pack()),
        'SYMLINK': (10, nfs3.SYMLINK3args(
            here(d, b'newlink'),
            nfs3.symlinkdata3(wire.sattr3(), b't')).pack()),
        'MKNOD': (11, nfs3.MKNOD3args(
            here(d, b'newfifo'),
            nfs3.mknoddata3(nfs3.NF3FIFO, wire.sattr3())).pack()),
        'REMOVE': (12, nfs3.REMOVE3args(here(d, b'remove-me')).pack()),
        'RMDIR': (13, nfs3.RMDIR3args(here(d, b'rmdir-me')).pack()),
        'RENAME': (14, nfs3.RENAME3args(
            here(d, b'rename-me'), here(d, b'renamed')).pack()),
        'LINK': (15, nfs3.LINK3args(wire.fh3(f), here(d, b'linked')).pack()),
    }


NAMES = ['SETATTR', 'WRITE', 'CREATE', 'MKDIR', 'SYMLINK', 'MKNOD',
         'REMOVE', 'RMDIR', 'RENAME', 'LINK']


@pytest.mark.parametrize('name', NAMES)
def test_every_change_is_replayed_after_a_broken_connection(
        server, c, d, name):
    proc, args = every_change(c, d)[name]
    raw = server.raw()
    first = raw.call(call_of(100, proc, args))
    assert status(first) == 0
    raw.reset()
    settle(server)
    with server.raw() as raw:
        assert raw.call(call_of(100, proc, args)) == first


@pytest.mark.parametrize('name', NAMES)
def test_no_change_is_replayed_to_another_client(server, c, d, name):
    """That one ended well, having got its reply.  The other one happens to
    begin with the same xid, and to ask the very same."""
    proc, args = every_change(c, d)[name]
    raw = server.raw()
    first = raw.call(call_of(0, proc, args))
    assert status(first) == 0
    raw.close()
    settle(server)
    with server.raw() as raw:
        second = raw.call(call_of(0, proc, args))
    # Run again, it either fails, or changes something and so has new times.
    assert second != first


def test_the_same_source_port_gets_the_replay_after_a_clean_end(server, c, d):
    """As Linux reconnects."""
    raw = server.raw(source=('127.0.0.1', 0))
    source = raw.sock.getsockname()
    first = raw.call(create_call(5, d, b'f'))
    raw.close()
    settle(server)
    # For a second, the kernel gives a port that was closed to nobody.
    end = time.monotonic() + 10
    while True:
        try:
            raw = server.raw(source=source)
            break
        except OSError as e:
            if time.monotonic() > end:
                pytest.skip('the port cannot be used again: %s' % e)
            time.sleep(0.2)
    with raw:
        assert raw.call(create_call(5, d, b'f')) == first


def test_a_live_connections_reply_is_never_anothers(server, c, d):
    with server.raw() as one, server.raw() as two:
        assert status(one.call(create_call(0, d, b'f'))) == 0
        assert status(two.call(create_call(0, d, b'f'))) == \
            nfs3.NFS3ERR_EXIST
        # Each keeps its own.
        assert status(one.call(create_call(0, d, b'f'))) == 0
        assert status(two.call(create_call(0, d, b'f'))) == \
            nfs3.NFS3ERR_EXIST


def test_xids_that_start_at_0_on_many_connections_do_not_mix(server, c, d):
    dirs = [c.make_dir(d, b'%d' % i) for i in range(8)]
    raws = [server.raw() for _ in dirs]
    for xid in range(50):
        for fh, raw in zip(dirs, raws):
            raw.send_call(create_call(xid, fh, b'f%d' % xid))
        for raw in raws:
            assert status(raw.receive()) == 0
    for fh, raw in zip(dirs, raws):
        assert len(c.names(fh)) == 50
        raw.close()


def test_the_same_xid_with_another_body_is_another_call(server, c, d):
    raw = server.raw()
    assert status(raw.call(create_call(9, d, b'one'))) == 0
    assert status(raw.call(create_call(9, d, b'two'))) == 0
    raw.reset()
    settle(server)
    with server.raw() as raw:
        assert status(raw.call(create_call(9, d, b'three'))) == 0
    assert sorted(c.names(d)) == [b'one', b'three', b'two']


def test_a_difference_in_any_of_the_first_bytes_is_a_difference(
        server, c, d):
    """A name of 60 bytes ends before byte 256, which is where the sum does."""
    with server.raw() as raw:
        for i in range(60):
            name = bytearray(b'n' * 60)
            name[i] = 120
            assert status(raw.call(create_call(9, d, bytes(name)))) == 0
    assert len(c.names(d)) == 60


def test_the_same_call_of_another_user_is_another_call(server, c, d):
    with server.raw() as raw:
        assert status(raw.call(create_call(3, d, b'f'))) == 0
        assert status(raw.call(create_call(
            3, d, b'f', cred=wire.user(1000)))) == nfs3.NFS3ERR_EXIST


def test_reads_are_never_replayed(server, c, d):
    fh = c.make(d, b'f', b'1')
    read = call_of(4, 6, nfs3.READ3args(wire.fh3(fh), 0, 10).pack())
    get = call_of(5, 1, nfs3.GETATTR3args(wire.fh3(fh)).pack())
    with server.raw() as raw:
        one, two = raw.call(read), raw.call(get)
        ok(c.write(fh, 0, b'2'))
        assert raw.call(read) != one
        assert raw.call(get) != two


def test_a_write_replayed_late_does_not_overwrite(server, c, d):
    fh = c.make(d, b'f')
    write = call_of(6, 7, nfs3.WRITE3args(
        wire.fh3(fh), 0, 3, nfs3.FILE_SYNC, b'old').pack())
    raw = server.raw()
    first = raw.call(write)
    raw.reset()
    settle(server)
    ok(c.write(fh, 0, b'new'))
    with server.raw() as raw:
        assert raw.call(write) == first
    assert ok(c.read(fh)).data == b'new'


def test_a_large_write_is_replayed_like_any_other(server, c, d):
    fh = c.make(d, b'f')
    write = call_of(6, 7, nfs3.WRITE3args(
        wire.fh3(fh), 0, 100000, nfs3.UNSTABLE, b'o' * 100000).pack())
    raw = server.raw()
    first = raw.call(write)
    raw.reset()
    settle(server)
    ok(c.write(fh, 0, b'new'))
    with server.raw() as raw:
        assert raw.call(write) == first
    assert ok(c.read(fh, 0, 3)).data == b'new'


def test_two_large_writes_that_differ_in_data_are_two(server, c, d):
    fh = c.make(d, b'f')

    def write(byte, at):
        data = bytearray(100000)
        data[at] = byte
        return call_of(6, 7, nfs3.WRITE3args(
            wire.fh3(fh), 0, 100000, nfs3.UNSTABLE, bytes(data)).pack())

    with server.raw() as raw:
        for byte, at in ((1, 0), (2, 0), (3, 0)):
            assert status(raw.call(write(byte, at))) == 0
            assert ok(c.read(fh, at, 1)).data == bytes([byte])


def test_duplicates_close_together_are_run_once(server, c, d):
    """The second may come while the first is under way: dropped or answered
    alike, never run."""
    with server.raw() as raw:
        for i in range(50):
            call = rpc.pack_record(create_call(i, d, b'f%d' % i))
            raw.send(call * 3)
        raw.send_call(wire.null_call(1000))
        replies = {}
        while True:
            reply = raw.receive()
            xid = int.from_bytes(reply[:4], 'big')
            if xid == 1000:
                break
            replies.setdefault(xid, set()).add(reply)
        assert len(replies) == 50
        for same in replies.values():
            assert len(same) == 1
            assert status(same.pop()) == 0


def test_a_client_cut_off_before_its_reply_gets_it_later(server, c, d):
    for i in range(30):
        raw = server.raw()
        raw.send_call(create_call(i, d, b'f%d' % i))
        raw.reset()             # perhaps before, perhaps after it ran
        with server.raw() as raw:
            reply = raw.call(create_call(i, d, b'f%d' % i))
        if status(reply) != 0:
            # It is only said to exist if the server could not know yet that
            # the first connection is gone.
            assert status(reply) == nfs3.NFS3ERR_EXIST
            settle(server)
            with server.raw() as raw:
                again = raw.call(create_call(i, d, b'f%d' % i))
            assert status(again) in (0, nfs3.NFS3ERR_EXIST)
    assert len(c.names(d)) == 30


def test_failures_are_replayed_too(server, c, d):
    call = call_of(3, 12, nfs3.REMOVE3args(wire.dirop3(d, b'f')).pack())
    raw = server.raw()
    first = raw.call(call)
    assert status(first) == nfs3.NFS3ERR_NOENT
    raw.reset()
    settle(server)
    c.make(d, b'f')
    with server.raw() as raw:
        assert raw.call(call) == first
    assert c.is_there(d, b'f')


def test_version_2_is_replayed_too(server, c2, d):
    args = nfs2.diropargs(d, b'f').pack()
    c2.make(d, b'f')
    raw = server.raw()
    first = raw.call(call_of(9, 10, args, vers=2))
    assert status(first) == 0
    raw.reset()
    settle(server)
    c2.make(d, b'f')
    with server.raw() as raw:
        assert raw.call(call_of(9, 10, args, vers=2)) == first
    assert c2.names(d) == [b'f']


# -------------------------------------------------------------------- UDP --


def test_over_udp_the_same_port_gets_the_replay(server, c, d):
    with server.udp() as u:
        call = create_call(77, d, b'f')
        u.send(call)
        first = u.receive(wire.PATIENCE)
        assert status(first) == 0
        for _ in range(3):
            u.send(call)
            assert u.receive(wire.PATIENCE) == first
    assert c.names(d) == [b'f']


def test_over_udp_another_port_is_another_client(server, c, d):
    with server.udp() as one, server.udp() as two:
        call = create_call(78, d, b'f')
        one.send(call)
        assert status(one.receive(wire.PATIENCE)) == 0
        two.send(call)
        assert status(two.receive(wire.PATIENCE)) == nfs3.NFS3ERR_EXIST


def test_udp_and_tcp_do_not_answer_for_each_other(server, c, d):
    call = create_call(79, d, b'f')
    with server.udp() as u:
        u.send(call)
        assert status(u.receive(wire.PATIENCE)) == 0
    with server.raw() as raw:
        assert status(raw.call(call)) == nfs3.NFS3ERR_EXIST


def test_thousands_of_changes_do_not_push_the_newest_out(server, c, d):
    with server.raw() as raw:
        fh = c.make(d, b'f')
        for xid in range(5000):
            raw.send_call(call_of(xid, 7, nfs3.WRITE3args(
                wire.fh3(fh), 0, 1, nfs3.UNSTABLE, b'x').pack()))
            if xid % 50 == 49:
                last = [raw.receive() for _ in range(50)][-1]
        again = raw.call(call_of(4999, 7, nfs3.WRITE3args(
            wire.fh3(fh), 0, 1, nfs3.UNSTABLE, b'x').pack()))
        assert int.from_bytes(last[:4], 'big') == 4999
        assert again == last
    with Nfs3(server.tcp()) as other:
        ok(other.getattr(fh))
