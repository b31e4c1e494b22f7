"""NFS version 3: READ, WRITE, COMMIT (RFC 1813, 3.3.6, 3.3.7, 3.3.21)."""

import random
import threading

import nfs3
import pytest
import wire
from wire import Nfs3, fails, made, ok, post, stamp, wcc


def pattern(n, seed=1):
    return random.Random(seed).randbytes(n)


# ------------------------------------------------------------------ READ --


def test_read_gives_bytes_count_eof_and_attributes(c, d):
    fh = c.make(d, b'f', b'0123456789')
    data = ok(c.read(fh, 2, 5))
    assert (data.count, data.eof, data.data) == (5, False, b'23456')
    assert post(data.file_attributes).size == 10


def test_eof_is_exact(c, d):
    fh = c.make(d, b'f', b'0123456789')
    for offset, count, expected, eof in (
            (0, 9, b'012345678', False), (0, 10, b'0123456789', True),
            (0, 11, b'0123456789', True), (9, 1, b'9', True),
            (8, 1, b'8', False), (10, 1, b'', True), (11, 5, b'', True),
            (1 << 40, 5, b'', True)):
        data = ok(c.read(fh, offset, count))
        assert (data.data, data.eof) == (expected, eof), offset
        assert data.count == len(data.data)


def test_read_of_no_bytes_gives_none(c, d):
    fh = c.make(d, b'f', b'0123456789')
    data = ok(c.read(fh, 0, 0))
    assert (data.count, data.data) == (0, b'')
    assert not data.eof


def test_read_of_an_empty_file_is_eof(c, d):
    data = ok(c.read(c.make(d, b'f')))
    assert (data.count, data.eof, data.data) == (0, True, b'')


def test_read_beyond_the_greatest_offset_is_no_disaster(c, d):
    fh = c.make(d, b'f', b'x')
    for offset in ((1 << 63) - 1, 1 << 63, (1 << 64) - 1):
        res = c.read(fh, offset, 100)
        assert res.status in (nfs3.NFS3_OK, nfs3.NFS3ERR_INVAL)
        if res.status == nfs3.NFS3_OK:
            assert (res._data.count, res._data.eof) == (0, True)


def test_read_gives_no_more_than_rtmax(c, d):
    rtmax = ok(c.fsinfo(d)).rtmax
    fh = c.make(d, b'f')
    ok(c.setattr(fh, size=2 * rtmax))
    for count in (rtmax, rtmax + 1, 0xffffffff):
        data = ok(c.read(fh, 0, count))
        assert len(data.data) == data.count == rtmax
        assert not data.eof


def test_read_of_what_is_no_file_is_refused(c, d):
    assert c.read(d).status in (nfs3.NFS3ERR_ISDIR, nfs3.NFS3ERR_INVAL)
    fails(c.read(c.make_link(d, b'l', b'x')), nfs3.NFS3ERR_INVAL)


def test_read_needs_the_right_to_but_owners_may_always(c, d, as_user):
    fh = c.make(d, b'f', b'x', mode=0, uid=1000)
    failed = fails(as_user(1001).read(fh), nfs3.NFS3ERR_ACCES)
    assert not failed.file_attributes.attributes_follow or \
        failed.file_attributes._data == c.attr(fh)
    assert ok(as_user(1000).read(fh)).data == b'x'      # it may have it open
    ok(c.setattr(fh, mode=0o111))
    assert ok(as_user(1001).read(fh)).data == b'x'      # to execute it


# ----------------------------------------------------------------- WRITE --


@pytest.mark.parametrize('how', [nfs3.UNSTABLE, nfs3.DATA_SYNC,
                                 nfs3.FILE_SYNC])
def test_write_is_at_least_as_stable_as_asked(c, d, how):
    fh = c.make(d, b'f')
    data = ok(c.write(fh, 0, b'12345', how))
    assert data.count == 5
    assert data.committed >= how
    assert len(data.verf) == 8
    assert ok(c.read(fh)).data == b'12345'


def test_write_of_an_unknown_stability_is_garbage(c, d, server):
    import rpc
    fh = c.make(d, b'f')
    args = nfs3.WRITE3args(wire.fh3(fh), 0, 4, nfs3.FILE_SYNC, b'1234').pack()
    at = 4 + len(fh) + 8 + 4
    bad = args[:at] + wire.u32(3) + args[at + 4:]
    with pytest.raises(rpc.GarbageArgs):
        c.transport.call(wire.NFS, 3, 7, bad)
    assert c.attr(fh).size == 0


def test_wcc_data_of_write_is_before_and_after(c, d):
    fh = c.make(d, b'f', b'123')
    old = c.attr(fh)
    before, after = wcc(ok(c.write(fh, 3, b'45')).file_wcc)
    assert (before.size, before.mtime, before.ctime) == (
        3, old.mtime, old.ctime)
    assert after == c.attr(fh)
    assert after.size == 5
    assert stamp(after.mtime) > stamp(old.mtime)
    assert stamp(after.ctime) > stamp(old.ctime)


def test_every_write_moves_times_even_within_one_clock_tick(c, d):
    fh = c.make(d, b'f')
    seen = set()
    for i in range(200):
        _, after = wcc(ok(c.write(fh, 0, b'%d' % (i % 10))).file_wcc)
        seen.add((stamp(after.mtime), stamp(after.ctime)))
    assert len(seen) == 200


def test_the_verifier_is_the_same_in_write_and_commit(c, d):
    one, two = c.make(d, b'f'), c.make(d, b'g')
    seen = {ok(c.write(one, 0, b'x')).verf,
            ok(c.write(two, 0, b'x', nfs3.UNSTABLE)).verf,
            ok(c.commit(one)).verf, ok(c.commit(two, 0, 1)).verf}
    assert len(seen) == 1
    assert seen != {bytes(8)}


def test_a_hole_reads_as_zeros(c, d):
    fh = c.make(d, b'f')
    ok(c.write(fh, 100000, b'x'))
    a = c.attr(fh)
    assert a.size == 100001
    assert a.used < 100000
    assert ok(c.read(fh, 0, 65536)).data == bytes(65536)
    assert ok(c.read(fh, 99999, 10)).data == b'\0x'


def test_a_write_far_out_makes_a_sparse_file(c, d):
    fh = c.make(d, b'f')
    far = (1 << 40) + 5
    assert ok(c.write(fh, far, b'end')).count == 3
    assert c.attr(fh).size == far + 3
    assert ok(c.read(fh, far - 1, 10)).data == b'\0end'


def test_a_write_beyond_the_greatest_size_is_fbig(c, d):
    fh = c.make(d, b'f')
    most = ok(c.fsinfo(fh)).maxfilesize
    for offset in (most, 1 << 63, (1 << 64) - 1, (1 << 64) - 4):
        assert c.write(fh, offset, b'12345').status in (
            nfs3.NFS3ERR_FBIG, nfs3.NFS3ERR_INVAL), offset
    assert c.attr(fh).size == 0


def test_a_write_of_no_bytes_changes_nothing(c, d):
    fh = c.make(d, b'f', b'123')
    old = c.attr(fh)
    assert ok(c.write(fh, 10, b'')).count == 0
    assert c.attr(fh).size == 3
    assert c.attr(fh).mtime == old.mtime


def test_a_count_that_is_not_that_of_the_data_writes_nothing(c, d):
    fh = c.make(d, b'f', b'123')
    for count in (0, 4, 6, 0xffffffff):
        fails(c.write(fh, 0, b'99999', count=count), nfs3.NFS3ERR_INVAL)
    assert ok(c.read(fh)).data == b'123'


def test_write_to_what_is_no_file_is_refused(c, d):
    assert c.write(d, 0, b'x').status in (
        nfs3.NFS3ERR_ISDIR, nfs3.NFS3ERR_INVAL)
    fails(c.write(c.make_link(d, b'l', b'x'), 0, b'x'), nfs3.NFS3ERR_INVAL)


def test_write_needs_the_right_to_but_owners_may_always(c, d, as_user):
    fh = c.make(d, b'f', b'123', mode=0o444, uid=1000)
    failed = fails(as_user(1001).write(fh, 0, b'x'), nfs3.NFS3ERR_ACCES)
    if failed.file_wcc.after.attributes_follow:
        assert post(failed.file_wcc.after) == c.attr(fh)
    assert ok(as_user(1000).write(fh, 0, b'x')).count == 1


@pytest.mark.parametrize('size', [
    1, 3, 4095, 4096, 4097, 16383, 16384, 16385, 65535, 65536, 65537,
    262144, 1 << 20])
def test_what_is_written_is_read(c, d, size):
    data = pattern(size, size)
    fh = c.make(d, b'f')
    assert ok(c.write(fh, 0, data)).count == size
    got = b''
    while len(got) < size:
        page = ok(c.read(fh, len(got), 1 << 20))
        assert page.data
        got += page.data
    assert got == data
    # And in odd pieces.
    for offset in (1, size // 3, size - 1):
        assert ok(c.read(fh, offset, 1000)).data == data[offset:offset + 1000]


def test_a_write_of_more_than_wtmax_is_cut_or_refused(c, d, server):
    import rpc
    wtmax = ok(c.fsinfo(d)).wtmax
    fh = c.make(d, b'f')
    try:
        res = c.write(fh, 0, bytes(wtmax + 4))
    except (OSError, rpc.RpcError):
        pass        # a record too long
    else:
        assert res.status == nfs3.NFS3_OK
        assert 0 < res._data.count <= wtmax + 4
    assert wire.is_alive(server)


def test_random_writes_and_truncations_give_what_a_file_would(c, d):
    r = random.Random(42)
    fh, model = c.make(d, b'f'), bytearray()
    for i in range(300):
        where = r.randrange(0, 300000)
        kind = r.random()
        if kind < 0.6:
            data = r.randbytes(r.choice([1, 100, 4096, 20000, 70000]))
            if where > len(model):
                model.extend(bytes(where - len(model)))
            model[where:where + len(data)] = data
            assert ok(c.write(fh, where, data, r.choice(
                [nfs3.UNSTABLE, nfs3.FILE_SYNC]))).count == len(data)
        elif kind < 0.75:
            ok(c.setattr(fh, size=where))
            if where > len(model):
                model.extend(bytes(where - len(model)))
            del model[where:]
        else:
            count = r.choice([1, 5000, 65536, 200000])
            data = ok(c.read(fh, where, count))
            assert data.data == model[where:where + count]
            assert data.eof == (where + count >= len(model))
    assert c.attr(fh).size == len(model)


def test_writers_of_one_file_do_not_disturb_each_other(server, c, d):
    fh = c.make(d, b'f')
    size, each = 8192, 40
    failures = []

    def writer(n):
        try:
            with Nfs3(server.tcp()) as mine:
                for i in range(each):
                    ok(mine.write(fh, (i * 4 + n) * size, bytes([n]) * size))
        except Exception as e:      # shown by the assertion below
            failures.append(e)

    threads = [threading.Thread(target=writer, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failures == []
    for i in range(4 * each):
        assert ok(c.read(fh, i * size, size)).data == bytes([i % 4]) * size


def test_a_reply_under_way_is_not_changed_by_later_writes(server, c, d):
    """Bytes are borrowed by replies: a write must not show through."""
    import rpc
    size = 65536
    fh = c.make(d, b'f', b'a' * size)
    with server.raw(rcvbuf=4096) as raw:
        for xid in range(40):
            raw.send_call(rpc.pack_call(
                xid, wire.NFS, 3, 6,
                nfs3.READ3args(wire.fh3(fh), 0, size).pack(), wire.root()))
        # Half of it stands in queues now.
        for i in range(20):
            ok(c.write(fh, 0, bytes([98 + i]) * size))
        for xid in range(40):
            _, body = rpc.unpack_reply(raw.receive())
            data = ok(nfs3.READ3res.from_bytes(body)).data
            assert len(data) == size
            assert len(set(data)) == 1


def room_of_8_mib(c, d):
    """What is taken by a file of that size, what stays so; and the file."""
    before = ok(c.fsstat(d)).fbytes
    fh = c.make(d, b'f')
    for i in range(8):
        ok(c.write(fh, i << 20, pattern(1 << 20)))
    taken = before - ok(c.fsstat(d)).fbytes
    ok(c.remove(d, b'f'))
    return taken, before - ok(c.fsstat(d)).fbytes, fh


def test_a_removed_file_frees_its_room(server, c, d):
    for _ in range(20):     # others may use a file system of the host
        taken, kept, fh = room_of_8_mib(c, d)
        if taken >= 8 << 20 and kept <= 1 << 20:
            break
    assert taken >= 8 << 20 and kept <= 1 << 20
    fails(c.read(fh), nfs3.NFS3ERR_STALE)
    fails(c.write(fh, 0, b'x'), nfs3.NFS3ERR_STALE)


# ---------------------------------------------------------------- COMMIT --


def test_commit_takes_any_range(c, d):
    fh = c.make(d, b'f', b'12345')
    old = c.attr(fh)
    for offset, count in ((0, 0), (0, 5), (2, 1), (100, 100), (1 << 40, 0)):
        data = ok(c.commit(fh, offset, count))
        assert post(data.file_wcc.after) == old
        assert len(data.verf) == 8


def test_commit_of_a_range_beyond_2_to_the_64_is_refused_or_whole(c, d):
    fh = c.make(d, b'f', b'12345')
    assert c.commit(fh, (1 << 64) - 1, 2).status in (
        nfs3.NFS3_OK, nfs3.NFS3ERR_INVAL)


def test_commit_of_what_is_no_file_is_refused(c, d):
    assert c.commit(d).status in (
        nfs3.NFS3ERR_ISDIR, nfs3.NFS3ERR_INVAL, nfs3.NFS3_OK)
    fifo = made(c.mknod(d, b'p', nfs3.NF3FIFO))
    assert c.commit(fifo).status in (nfs3.NFS3ERR_INVAL, nfs3.NFS3_OK)


def test_another_server_has_another_verifier(server, start, c, d):
    other = start()
    fh = wire.root_of(other)
    with Nfs3(other.tcp()) as o:
        theirs = ok(o.write(o.make(fh, b'f'), 0, b'x')).verf
    other.stop()
    assert theirs != ok(c.write(c.make(d, b'f'), 0, b'x')).verf


# --------------------------------------------------------- a full system --


@pytest.fixture(scope='module')
def small(start):
    return start('--size', '4M')


def test_a_full_file_system_is_nospc_and_loses_nothing(small):
    fh = wire.root_of(small)
    with Nfs3(small.tcp()) as c:
        kept = c.make(fh, b'kept', pattern(65536))
        full = c.make(fh, b'full')
        at = 0
        while True:
            res = c.write(full, at, pattern(65536, at))
            if res.status != nfs3.NFS3_OK:
                break
            at += res._data.count
            assert at < 8 << 20
        fails(res, nfs3.NFS3ERR_NOSPC)
        assert at > 2 << 20
        assert ok(c.fsstat(fh)).abytes < 1 << 20
        assert ok(c.read(kept, 0, 65536)).data == pattern(65536)
        for offset in range(0, at - 65536, 65536 * 8):
            assert ok(c.read(full, offset, 65536)).data == pattern(
                65536, offset)
        # Truncation gives room, and one can go on.
        ok(c.setattr(full, size=0))
        assert ok(c.write(full, 0, pattern(65536))).count == 65536
        ok(c.remove(fh, b'full'))
        ok(c.remove(fh, b'kept'))


def test_names_too_need_room(small):
    fh = wire.root_of(small)
    with Nfs3(small.tcp()) as c:
        d = c.make_dir(fh, b'many')
        made_names = []
        for i in range(100000):
            res = c.create(d, b'name%d' % i)
            if res.status != nfs3.NFS3_OK:
                break
            made_names.append(b'name%d' % i)
        fails(res, nfs3.NFS3ERR_NOSPC)
        assert len(made_names) > 100
        assert sorted(c.names(d)) == sorted(made_names)
        for name in made_names:
            ok(c.remove(d, name))
        ok(c.create(d, b'again'))
