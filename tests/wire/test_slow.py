"""Calls that take their time: a Python program is served, which keeps its
interpreter lock while the calls wait for it."""

import os
import re
import subprocess
import time

import nfs3
import nfs4
import nfs4_client
import nfs4_ops as op
import pytest
import rpc
import wire
from wire import NFS, Nfs3, ok

PROGRAM = '''
import ctypes, threading, time
table = {'a': 1}
control = {'hold': 0}
libc = ctypes.PyDLL(None)           # does not let go of the lock

def holder():
    while True:
        time.sleep(0.005)
        ms, control['hold'] = control['hold'], 0
        if ms:
            control['held'] = control.get('held', 0) + 1
            libc.usleep(ms * 1000)

threading.Thread(target=holder, daemon=True).start()
'''


def sanitizer_environment():
    """What Python needs to load a module that is built with sanitizers."""
    libraries = subprocess.run(['ldd', wire.PINEFS], stdout=subprocess.PIPE,
                               check=False).stdout.decode()
    if 'libtsan' in libraries:
        pytest.skip('python3 does not run with the thread sanitizer')
    asan = re.search(r'libasan\S* => (\S+)', libraries)
    if not asan:
        return {}
    return {'LD_PRELOAD': asan[1], 'ASAN_OPTIONS': 'detect_leaks=0'}


@pytest.fixture
def slow(start, tmp_path):
    directory = os.path.join(os.path.dirname(wire.PINEFS), 'python')
    if not any(n.startswith('_pinefs') or n.endswith('.so')
               for _, _, files in os.walk(directory) for n in files):
        pytest.skip('the Python module is not built')
    (tmp_path / 'program.py').write_text(PROGRAM)
    server = start('--no-loop', str(tmp_path / 'program.py'),
                   directory=tmp_path, fs='py', env=sanitizer_environment())
    server.root = wire.root_of(server)
    with Nfs3(server.tcp()) as c:
        server.main = c.find(server.root, b'__main__')
        end = time.monotonic() + wire.PATIENCE
        while not c.is_there(server.main, b'holder'):
            assert time.monotonic() < end, server.text()
            time.sleep(0.05)
        server.table = c.find(server.main, b'table')
        server.control = c.find(server.main, b'control')
    yield server
    server.stop()


def hold(server, seconds):
    """From soon on, for so long, nothing runs in the program."""
    with Nfs3(server.tcp()) as c:
        fh = c.find(server.control, b'hold')
        ok(c.setattr(fh, size=0))
        ok(c.write(fh, 0, b'%d\n' % (seconds * 1000)))
    time.sleep(0.1)


def mkdir_call(server, xid, name):
    return rpc.pack_call(xid, NFS, 3, 9, nfs3.MKDIR3args(
        wire.dirop3(server.table, name),
        wire.sattr3(mode=0o755)).pack(), wire.root())


def status(reply):
    return int.from_bytes(rpc.unpack_reply(reply)[1][:4], 'big')


def test_others_are_answered_while_calls_wait(slow):
    hold(slow, 2)
    with slow.raw() as waiting, slow.raw() as raw:
        waiting.send_call(mkdir_call(slow, 1, b'x'))
        start = time.monotonic()
        for xid in range(20):
            assert rpc.unpack_reply(raw.call(wire.null_call(xid)))
        assert time.monotonic() - start < 1.5
        # On the same connection, too: replies come in any order.
        waiting.send_call(wire.null_call(2))
        assert rpc.unpack_reply(waiting.receive())[0] == 2
        assert status(waiting.receive()) == 0
        assert time.monotonic() - start > 1


def test_a_duplicate_of_a_call_under_way_is_dropped(slow):
    hold(slow, 1.5)
    with slow.raw() as raw:
        for _ in range(3):
            raw.send_call(mkdir_call(slow, 7, b'x'))
        first = raw.receive()
        assert status(first) == 0
        raw.send_call(wire.null_call(8))
        assert rpc.unpack_reply(raw.receive())[0] == 8
        assert raw.is_quiet()
        # Now that it is done, it is replayed.
        assert raw.call(mkdir_call(slow, 7, b'x')) == first


def test_a_duplicate_by_a_new_connection_gets_the_reply_when_it_is_there(
        slow):
    hold(slow, 2)
    raw = slow.raw()
    raw.send_call(mkdir_call(slow, 9, b'x'))
    time.sleep(0.3)         # it has come, and waits
    raw.reset()
    time.sleep(0.3)
    with slow.raw() as again:
        start = time.monotonic()
        assert status(again.call(mkdir_call(slow, 9, b'x'))) == 0
        assert time.monotonic() - start > 0.3
    with Nfs3(slow.tcp()) as c:
        assert sorted(c.names(slow.table)) == [b'a', b'x']


def test_a_client_that_goes_while_its_call_waits_does_no_harm(slow):
    hold(slow, 1)
    for i in range(20):
        raw = slow.raw()
        raw.send_call(mkdir_call(slow, i, b'x%d' % i))
        raw.reset() if i % 2 else raw.close()
    with Nfs3(slow.tcp()) as c:
        assert b'a' in c.names(slow.table)
    assert slow.is_up()


def test_many_calls_wait_together_and_all_are_answered(slow):
    hold(slow, 1)
    with slow.raw() as raw:
        for i in range(100):
            raw.send_call(mkdir_call(slow, i, b'x%d' % i))
        seen = {}
        for _ in range(100):
            reply = raw.receive()
            seen[rpc.unpack_reply(reply)[0]] = status(reply)
        assert seen == {i: 0 for i in range(100)}


def read_call(xid, fh):
    return rpc.pack_call(xid, NFS, 3, 6, nfs3.READ3args(
        wire.fh3(fh), 0, 1 << 20).pack(), wire.root())


def write_call(xid, fh):
    return rpc.pack_call(xid, NFS, 3, 7, nfs3.WRITE3args(
        wire.fh3(fh), 0, 1 << 20, nfs3.UNSTABLE, bytes(1 << 20)).pack(),
        wire.root())


@pytest.mark.parametrize('call', [read_call, write_call])
def test_who_has_8_mib_waiting_is_not_read_from(slow, call):
    """What waits cannot be taken back, so no more of it is let in."""
    with Nfs3(slow.tcp()) as c:
        fh = c.find(slow.table, b'a')
    hold(slow, 1.5)
    with slow.raw() as raw:
        for i in range(12):
            raw.send_call(call(i, fh))
        raw.send_call(wire.null_call(99))
        order = [rpc.unpack_reply(raw.receive())[0] for _ in range(13)]
    assert sorted(order) == [*range(12), 99]
    assert order.index(99) >= 4, order


def test_sigterm_lets_a_call_under_way_end(slow):
    hold(slow, 1)
    with slow.raw() as raw:
        raw.send_call(mkdir_call(slow, 1, b'x'))
        time.sleep(0.1)
        slow.process.terminate()
        assert status(raw.receive()) == 0
    assert slow.stop() in (0, -15)


def test_a_slot_in_use_says_delay_and_runs_nothing_twice(slow):
    """RFC 8881 2.10.6.2: the same request by another connection, while the
    first is under way.  (TEST_STATEID: the call finds out late that it has to
    wait for Python, when its slot is taken.)"""
    with nfs4_client.Client1(slow, 1) as c, slow.raw() as one, \
            slow.tcp() as two:
        operations = [c.session.sequence(), op.test_stateid(),
                      op.putfh(slow.table), op.readdir()]
        hold(slow, 4)
        one.send(rpc.pack_record(rpc.pack_call(
            1, NFS, 4, 1, nfs4_client.pack_compound(1, operations),
            wire.root())))
        time.sleep(0.3)
        reply = nfs4_client.compound(two, 1, *operations)
        body = rpc.unpack_reply(one.receive())[1]
        assert nfs4_client.Reply(body, 1).status == 0
        assert reply.status == nfs4.NFS4ERR_DELAY
        assert len(reply) == 1
        assert nfs4_client.compound(two, 1, *operations).status == \
            nfs4.NFS4ERR_RETRY_UNCACHED_REP
