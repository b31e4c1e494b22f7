"""Record marking (RFC 5531, 11), and connections that end or stall anywhere
(SECURITY 5 and 9)."""

import os
import random
import re
import socket
import struct
import subprocess
import time

import nfs3
import pytest
import rpc
import wire
from wire import MOUNT, NFS, is_alive, null_call, u32

MARK = struct.Struct('>I').pack


@pytest.fixture
def raw(server):
    with server.raw() as r:
        yield r


def answered(raw, xid):
    return rpc.unpack_reply(raw.receive()) == (xid, b'')


# ------------------------------------------------------------- fragments --


@pytest.mark.parametrize('size', [1, 2, 3, 4, 5, 7, 39, 40, 41])
def test_a_call_comes_in_fragments_of_any_size(raw, size):
    for xid in range(3):
        raw.send_call(null_call(xid), size)
        assert answered(raw, xid)


def test_fragments_of_random_sizes_with_calls_close_together(raw):
    r = random.Random(11)
    stream = b''
    for xid in range(200):
        call = null_call(xid)
        while call:
            n = r.randrange(0, 30)
            piece, call = call[:n], call[n:]
            stream += MARK((0 if call else rpc.LAST) | len(piece)) + piece
    while stream:
        n = r.randrange(1, 500)
        raw.send(stream[:n])
        stream = stream[n:]
    seen = {rpc.unpack_reply(raw.receive())[0] for _ in range(200)}
    assert seen == set(range(200))


def test_an_empty_last_fragment_ends_a_record(raw):
    call = null_call(5)
    raw.send(MARK(len(call)) + call + MARK(rpc.LAST))
    assert answered(raw, 5)


def test_64_empty_fragments_are_taken_and_65_close(server):
    call = null_call(5)
    with server.raw() as raw:
        raw.send(MARK(0) * 64 + rpc.pack_record(call))
        assert answered(raw, 5)
        # And the count starts over with each record.
        raw.send(MARK(0) * 64 + rpc.pack_record(call))
        assert answered(raw, 5)
    with server.raw() as raw:
        raw.send(MARK(0) * 65 + rpc.pack_record(call))
        assert raw.is_closed()
    assert is_alive(server)


def test_empty_fragments_within_a_record_count_too(server):
    call = null_call(5)
    with server.raw() as raw:
        for i in range(0, 32, 4):
            raw.send(MARK(4) + call[i:i + 4] + MARK(0) * 8)
        raw.send(MARK(rpc.LAST | len(call) - 32) + call[32:])
        assert answered(raw, 5)
        for i in range(0, 32, 4):
            raw.send(MARK(4) + call[i:i + 4] + MARK(0) * 9)
        raw.send(MARK(rpc.LAST | len(call) - 32) + call[32:])
        assert raw.is_closed()


def test_a_million_empty_fragments_are_cut_short(server):
    with server.raw() as raw:
        with pytest.raises(OSError):
            for _ in range(1000):
                raw.send(MARK(0) * 1000)
                time.sleep(0.001)
    assert is_alive(server)


@pytest.mark.parametrize('mark', [
    0x7fffffff, 0xffffffff, 0x80000000 | (1 << 20) + 4097,
    (1 << 20) + 4097, 0x80200000])
def test_a_record_longer_than_allowed_closes_at_once(server, mark):
    with server.raw() as raw:
        raw.send(MARK(mark))
        assert raw.is_closed()
    assert is_alive(server)


def test_a_record_too_long_in_fragments_closes(server):
    with server.raw() as raw:
        try:
            for _ in range(20):
                raw.send(MARK(65536) + bytes(65536))
            while raw.sock.recv(65536):     # what it has to say about it
                pass
        except ConnectionError:
            pass
    assert is_alive(server)


def test_the_longest_write_fits_in_a_record(server, c, d):
    fh = c.make(d, b'f')
    n = wire.ok(c.fsinfo(fh)).wtmax
    assert wire.ok(c.write(fh, 0, b'x' * n)).count == n


def test_a_large_write_comes_in_fragments_of_any_size(server, c, d):
    fh = c.make(d, b'f')
    data = random.Random(5).randbytes(100000)
    call = rpc.pack_call(9, NFS, 3, 7, nfs3.WRITE3args(
        wire.fh3(fh), 0, len(data), nfs3.FILE_SYNC, data).pack(),
        wire.root())
    for size in (1000, 1461, 16384, 50000, 99999, len(call) - 1):
        wire.ok(c.setattr(fh, size=0))
        with server.raw() as raw:
            raw.send_call(call, size)
            res = nfs3.WRITE3res.from_bytes(
                rpc.unpack_reply(raw.receive())[1])
            assert wire.ok(res).count == len(data)
        assert wire.ok(c.read(fh, 0, 200000)).data == data


@pytest.mark.parametrize('hello', [
    b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'POST / HTTP/1.1\r\n\r\n',
    b'HEAD / HTTP/1.0\r\n\r\n', b'OPTIONS * HTTP/1.1\r\n\r\n',
    b'PUT /x HTTP/1.1\r\n\r\n', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + bytes(64),
    b'\x16\x03\x03\x00\x05hello', b'SSH-2.0-OpenSSH_9\r\n', b'\n\n\n\n'])
def test_other_protocols_are_shown_the_door(server, hello):
    with server.raw() as raw:
        raw.send(hello)
        assert raw.is_closed()
    assert is_alive(server)


def test_a_web_page_cannot_hide_a_call_in_its_request(server, c, d):
    """The body of a POST is a valid record: it must not be run."""
    args = nfs3.CREATE3args(wire.dirop3(d, b'from-a-browser'),
                            nfs3.createhow3(nfs3.GUARDED, wire.sattr3()))
    call = rpc.pack_record(rpc.pack_call(1, NFS, 3, 8, args.pack(),
                                         wire.root()))
    with server.raw() as raw:
        raw.send(b'POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n' %
                 len(call) + call * 100)
        assert raw.is_closed()
    assert not c.is_there(d, b'from-a-browser')


# ------------------------------------------------------ dribble, byte-cut --


def conversation(fh):
    """What a client might say, one record after the other."""
    one, two = wire.fh3(fh), wire.dirop3(fh, b'file')
    how = nfs3.createhow3(nfs3.UNCHECKED, wire.sattr3(mode=0o600))
    calls = [
        (NFS, 3, 0, b''), (MOUNT, 3, 0, b''),
        (MOUNT, 3, 1, u32(1) + b'/\0\0\0'),
        (NFS, 3, 1, one.pack()), (NFS, 3, 19, one.pack()),
        (NFS, 3, 8, nfs3.CREATE3args(two, how).pack()),
        (NFS, 3, 3, two.pack()), (NFS, 3, 4, one.pack() + u32(63)),
        (NFS, 3, 10, nfs3.SYMLINK3args(
            wire.dirop3(fh, b'link'),
            nfs3.symlinkdata3(wire.sattr3(), b'target')).pack()),
        (NFS, 3, 16, nfs3.READDIR3args(one, 0, bytes(8), 1024).pack()),
        (NFS, 3, 17, nfs3.READDIRPLUS3args(
            one, 0, bytes(8), 1024, 2048).pack()),
        (NFS, 3, 14, nfs3.RENAME3args(
            wire.dirop3(fh, b'link'), wire.dirop3(fh, b'knil')).pack()),
        (NFS, 3, 12, wire.dirop3(fh, b'knil').pack()),
        (NFS, 3, 1, b'garbage!'), (NFS, 2, 0, b''), (NFS, 9, 0, b'')]
    return [rpc.pack_record(rpc.pack_call(
        i, prog, vers, proc, body, wire.root()))
        for i, (prog, vers, proc, body) in enumerate(calls)]


def open_files(server):
    return len(os.listdir('/proc/%d/fd' % server.process.pid))


def settles(server, files):
    """Whatever was opened is closed soon."""
    end = time.monotonic() + wire.PATIENCE
    while open_files(server) > files:
        assert time.monotonic() < end, (open_files(server), files)
        time.sleep(0.05)


def all_replies(server, stream, n):
    with server.raw() as raw:
        raw.send(stream)
        return [raw.receive() for _ in range(n)]


def test_one_byte_at_a_time_gives_the_same_replies(server, d):
    records = conversation(d)
    whole = all_replies(server, b''.join(records), len(records))
    with server.raw() as raw:
        for byte in b''.join(records):
            raw.send(bytes([byte]))
        dribbled = [raw.receive() for _ in records]
    # Times of what was made differ, and nothing else does.
    assert [(len(r), r[:28]) for r in dribbled] == [
        (len(r), r[:28]) for r in whole]


@pytest.mark.parametrize('how', ['close', 'reset', 'half'])
def test_a_conversation_may_end_after_any_byte(server, d, how):
    records = conversation(d)
    stream = b''.join(records)
    expected = len(all_replies(server, stream, len(records)))
    files = open_files(server)
    for k in range(len(stream) + 1):
        raw = server.raw()
        if how == 'half':
            # Who half-closes before it was seen who he is, is not heard.
            raw.call(null_call())
            raw.send(stream[:k])
            raw.sock.shutdown(socket.SHUT_WR)
            # What was asked is answered, and then it ends.
            complete = 0
            try:
                while True:
                    raw.receive()
                    complete += 1
            except (EOFError, ConnectionResetError):
                pass
            at, whole = 0, 0
            for r in records:
                at += len(r)
                whole += at <= k
            assert complete == whole, k
            raw.close()
            continue
        raw.send(stream[:k])
        raw.reset() if how == 'reset' else raw.close()
    settles(server, files)
    assert len(all_replies(server, stream, len(records))) == expected


@pytest.mark.parametrize('how', ['close', 'reset'])
def test_a_client_may_go_after_any_byte_of_the_replies(server, d, how):
    records = conversation(d)
    stream = b''.join(records)
    replies = all_replies(server, stream, len(records))
    total = sum(4 + len(r) for r in replies)
    files = open_files(server)
    for k in range(0, total + 1, 3):
        raw = server.raw()
        raw.send(stream)
        raw.exactly(min(k, total - 200))
        raw.reset() if how == 'reset' else raw.close()
    settles(server, files)
    assert len(all_replies(server, stream, len(records))) == len(replies)


def test_a_large_write_cut_anywhere_writes_nothing_or_all(server, c, d):
    fh = c.make(d, b'f')
    data = b'x' * 40000
    record = rpc.pack_record(rpc.pack_call(1, NFS, 3, 7, nfs3.WRITE3args(
        wire.fh3(fh), 0, len(data), nfs3.UNSTABLE, data).pack(),
        wire.root()))
    files = open_files(server)
    for k in list(range(0, 400)) + list(range(400, len(record), 997)) + [
            len(record) - 1]:
        raw = server.raw()
        raw.send(record[:k])
        raw.reset() if k % 2 else raw.close()
    settles(server, files)
    assert c.attr(fh).size == 0


# ------------------------------------------------- who reads not, or slowly --


def read_calls(fh, n, size, first=0):
    for xid in range(first, first + n):
        yield rpc.pack_record(rpc.pack_call(
            xid, NFS, 3, 6,
            nfs3.READ3args(wire.fh3(fh), 0, size).pack(), wire.root()))


def send_until_it_blocks(raw, calls):
    """How many calls went out before the server stopped reading."""
    raw.sock.settimeout(1.0)
    sent = 0
    try:
        for call in calls:
            raw.send(call)
            sent += 1
    except socket.timeout:
        pass
    raw.sock.settimeout(wire.PATIENCE)
    return sent


def resident(server):
    with open('/proc/%d/status' % server.process.pid) as f:
        for line in f:
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) * 1024


def test_who_does_not_read_replies_is_not_read_from(server, c, d):
    fh = c.make(d, b'f', b'x' * (1 << 20))
    stuck = [server.raw(rcvbuf=4096) for _ in range(4)]
    before = resident(server)
    for raw in stuck:
        sent = send_until_it_blocks(raw, read_calls(fh, 50000, 1 << 20))
        assert 0 < sent < 50000
    # Others are served as if nothing were.
    for _ in range(50):
        start = time.monotonic()
        assert wire.ok(c.read(fh, 0, 10)).data == b'x' * 10
        # Far from the 60 s after which those go; a busy machine is slow.
        assert time.monotonic() - start < 20
    assert resident(server) - before < 128 << 20
    for raw in stuck:
        raw.close()


def test_who_starts_reading_again_gets_every_reply(server, c, d):
    fh = c.make(d, b'f', b'y' * 65536)
    with server.raw(rcvbuf=4096) as raw:
        sent = send_until_it_blocks(raw, read_calls(fh, 300, 65536))
        seen = set()
        for _ in range(sent):
            xid, body = rpc.unpack_reply(raw.receive())
            assert body.endswith(b'y' * 65536)
            seen.add(xid)
        assert seen == set(range(sent))


def test_many_idle_connections_do_no_harm(server):
    files = open_files(server)
    idle = [server.raw() for _ in range(200)]
    assert is_alive(server)
    for raw in idle[::2]:
        raw.send(null_call(1)[:10])
    assert is_alive(server)
    for raw in idle:
        raw.close()
    settles(server, files)


@pytest.mark.slow
def test_half_a_mark_ends_after_10_s_and_half_a_record_after_30(server):
    start = time.monotonic()
    with server.raw() as mark, server.raw() as record, \
            server.raw() as idle:
        mark.send(b'\x80\0')
        record.send(rpc.pack_record(null_call())[:20])
        assert mark.is_closed(25)
        assert 8 < time.monotonic() - start < 25
        assert record.is_closed(45)
        assert 28 < time.monotonic() - start < 60
        # Whoever says nothing at all for a while may stay.
        idle.send(rpc.pack_record(null_call(4)))
        assert answered(idle, 4)


@pytest.mark.slow
@pytest.mark.skipif('PINEFS_LONG' not in os.environ,
                    reason='takes minutes: tests/run --long')
def test_who_does_not_read_for_60_s_and_who_says_nothing_for_6_min_go(
        server, c, d):
    fh = c.make(d, b'f', b'x' * (1 << 20))
    idle = server.raw()
    with server.raw(rcvbuf=4096) as raw:
        send_until_it_blocks(raw, read_calls(fh, 50000, 1 << 20))
        start = time.monotonic()
        while True:
            time.sleep(1)
            try:
                raw.sock.send(b'')
                if time.monotonic() - start > 55:
                    raw.sock.settimeout(1)
                    raw.exactly(16 << 20)
            except (EOFError, OSError):
                break
            assert time.monotonic() - start < 120
    assert idle.is_closed(400)


def test_a_socket_to_a_client_of_this_host_takes_little(server):
    """What leaves is to be in a cache still when the client takes it."""
    with server.raw() as raw:
        raw.call(null_call())
        told = subprocess.run(
            ['ss', '-tmnH', 'dport', '= :%d' % raw.sock.getsockname()[1]],
            check=True, stdout=subprocess.PIPE).stdout.decode()
    buffer = int(re.search(r'\btb(\d+)', told)[1])
    assert buffer <= 2 * (256 << 10), told
