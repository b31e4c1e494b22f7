"""Archives that come again, change, or are very many: the index in a file,
what is known of them, and what a server keeps open."""

import gzip
import lzma
import os
import re
import resource
import shutil
import signal
import struct
import threading
import time

import mount
import nfs3
import nfs4 as x
import nfs4_ops as op
import pytest
from archives import archive, blocks, end, header, member, usual
from nfs4_client import Client1
from test_tarfs import has_open, mount_of, read_all, walk
from wire import PATIENCE, Nfs3, made, mount3, ok, root_of

STALE = nfs3.NFS3ERR_STALE


def eventually(is_true):
    """A file is looked at once a second."""
    until = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < until
        time.sleep(0.05)


def file(c, root, name):
    return ok(c.lookup(root, name)).object.data


def status(c, fh):
    return c.getattr(fh).status


def large(path, size=30 << 20, codec=gzip):
    """One that is worth an index file: 30 MB are to be decoded."""
    with (gzip.open(path, 'wb', 1) if codec is gzip else
          lzma.open(path, 'wb', preset=0)) as f:
        f.write(member(b'f', b'text'))
        f.write(header(b'zeros', size=size) + bytes(size))
        f.write(header(b'soft', b'2', link=b'f') + end())


def change_of(server, path):
    with Client1(server, 2) as c:
        fh = c.ok(op.putrootfh(), *(op.lookup(n) for n in path),
                  op.getfh())[-1].object
        return c.attr(fh, 'change')['change']


# ------------------------------------------------------------ what it becomes --


def test_one_that_is_touched_or_copied_back_is_the_same(start, tmp_path):
    path = tmp_path / 'x.tar'
    usual(path, {'d': None, 'd/a': b'hello'})
    server = start('--root', str(tmp_path), fs='tar')
    with Nfs3(server.tcp()) as c:
        found = dict(walk(c, root_of(server, b'/x.tar')))
        before, change = c.attr(found[b'd/a']), change_of(
            server, [b'x.tar', b'd', b'a'])
        os.utime(path, ns=(1, 1))
        eventually(lambda: c.attr(found[b'd/a']).ctime != before.ctime)
        # Who knows what has become of its middle: clients ask again.
        after = change_of(server, [b'x.tar', b'd', b'a'])
        assert after > change
        shutil.copy(path, tmp_path / 'copy')
        os.rename(tmp_path / 'copy', path)
        eventually(lambda: change_of(server, [b'x.tar', b'd', b'a']) > after)
        assert dict(walk(c, root_of(server, b'/x.tar'))) == found
        assert ok(c.read(found[b'd/a'], 0, 9)).data == b'hello'
    assert 'another' not in server.text()


def test_the_middle_of_one_that_was_touched_is_read_anew(start, tmp_path):
    """Neither end tells it."""
    path = tmp_path / 'x.tar'

    def write(text):
        path.write_bytes(archive(
            member(b'a', bytes(100000)), member(b'm', text, mtime=2000),
            member(b'same', b'1'), member(b'z', bytes(100000))))
    write(b'old')
    server = start('--root', str(tmp_path), fs='tar')
    with Nfs3(server.tcp()) as c:
        found = dict(walk(c, root_of(server, b'/x.tar')))
        data = path.read_bytes()
        new = data.replace(member(b'm', b'old', mtime=2000),
                           member(b'new', b'new', mtime=3000))
        assert len(new) == len(data)
        path.write_bytes(new)
        eventually(lambda: status(c, found[b'm']) == STALE)
        root = root_of(server, b'/x.tar')
        assert root == found[b'']
        assert file(c, root, b'same') == found[b'same']
        assert ok(c.read(file(c, root, b'new'), 0, 9)).data == b'new'


def test_what_is_appended_is_there_by_the_same_handles(start, tmp_path):
    path = tmp_path / 'x.tar'
    first = [member(b'd/a', b'1'), member(b'b', b'2'), member(b'c', b'old')]
    path.write_bytes(archive(*first))
    server = start('--root', str(tmp_path), fs='tar', directory=tmp_path)
    with Nfs3(server.tcp()) as c:
        root = root_of(server, b'/x.tar')
        found = dict(walk(c, root))
        assert c.lookup(root, b'new').status == nfs3.NFS3ERR_NOENT
        before = c.entries(root)
        path.write_bytes(archive(*first, member(b'd/new', b'3'),
                                 member(b'new', b'4'), member(b'c', b'new')))
        eventually(lambda: c.lookup(root, b'new').status == 0)
        now = dict(walk(c, root))
        assert {n: now[n] for n in (b'', b'd', b'd/a', b'b')} == {
            n: found[n] for n in (b'', b'd', b'd/a', b'b')}
        assert read_all(c, now[b'd/new'], 1) == b'3'
        assert read_all(c, now[b'c'], 3) == b'new'
        # Who has the old one reads on.
        assert read_all(c, found[b'c'], 3) == b'old'
        assert c.attr(found[b'c']).nlink == 0
        # A listing goes on from where it was.
        page = ok(c.readdir(root, before[-2].cookie)).reply.entries
        assert [e.name for e in page] == [b'new', b'c']
        # The same to a server that never saw less of it.
        server.stop(signal.SIGKILL)
        server = start('--root', str(tmp_path), fs='tar', directory=tmp_path)
    with Nfs3(server.tcp()) as c:
        assert dict(walk(c, root_of(server, b'/x.tar'))) == now
        assert c.attr(found[b'c']).nlink == 0


def test_a_compressed_one_grows_too(start, tmp_path):
    path = tmp_path / 'x.tar.gz'
    part = member(b'a', b'1')
    path.write_bytes(gzip.compress(part))
    server = start('--root', str(tmp_path), fs='tar')
    with Nfs3(server.tcp()) as c:
        root = root_of(server, b'/x.tar.gz')
        a = file(c, root, b'a')
        with open(path, 'ab') as f:
            f.write(gzip.compress(member(b'b', b'2') + end()))
        eventually(lambda: c.lookup(root, b'b').status == 0)
        assert file(c, root, b'a') == a
        assert read_all(c, file(c, root, b'b'), 1) == b'2'


def replace(path, data):
    """As programs do that replace a file."""
    new = path.with_name('new')
    new.write_bytes(data)
    os.rename(new, path)


def rewrite(path, data):
    path.write_bytes(data)


@pytest.mark.parametrize('how', [replace, rewrite])
def test_another_in_its_place_is_another(start, tmp_path, how):
    path = tmp_path / 'x.tar'
    old = archive(member(b'd/a', b'1'), member(b'b', b'2'))
    path.write_bytes(old)
    server = start('--root', str(tmp_path), fs='tar', directory=tmp_path)
    with Nfs3(server.tcp()) as c:
        found = dict(walk(c, root_of(server, b'/x.tar')))
        # The headers are the same, so only contents tell it.
        how(path, archive(member(b'd/a', b'9'), member(b'b', b'2')))
        eventually(lambda: status(c, found[b'']) == STALE)
        for fh in found.values():
            assert c.read(fh, 0, 1).status == STALE
            assert c.lookup(fh, b'b').status == STALE
            assert c.readdir(fh, 0).status == STALE
            assert c.access(fh, 1).status == STALE
        now = dict(walk(c, root_of(server, b'/x.tar')))
        assert set(now) == set(found)
        assert not set(now.values()) & set(found.values())
        assert read_all(c, now[b'd/a'], 1) == b'9'
        assert 'another archive now' in server.text()
        # It is no archive at all, and it comes back.
        how(path, b'nothing' * 1000)
        eventually(lambda: status(c, now[b'']) == STALE)
        assert (mount_of(server, b'/x.tar').fhs_status ==
                mount.MNT3ERR_NOENT)
        how(path, old)
        last = dict(walk(c, root_of(server, b'/x.tar')))
        assert read_all(c, last[b'd/a'], 1) == b'1'
        os.unlink(path)
        # Nothing in its place: it is open, so it goes on.
        assert read_all(c, last[b'd/a'], 1) == b'1'
        path.write_bytes(old)
    # Who comes with them after a restart hears the same.
    server.stop(signal.SIGKILL)
    server = start('--root', str(tmp_path), fs='tar', directory=tmp_path)
    with Nfs3(server.tcp()) as c:
        for name in found:
            assert status(c, found[name]) == status(c, now[name]) == STALE
            assert status(c, last[name]) == 0
        assert dict(walk(c, root_of(server, b'/x.tar'))) == last


def test_one_replaced_while_nobody_serves_is_another(start, tmp_path):
    path = tmp_path / 'x.tar'
    path.write_bytes(archive(member(b'a', b'1')))
    server = start('--root', str(tmp_path), fs='tar', directory=tmp_path)
    with Nfs3(server.tcp()) as c:
        found = dict(walk(c, root_of(server, b'/x.tar')))
    server.stop()
    path.write_bytes(archive(member(b'a', b'2')))
    server = start('--root', str(tmp_path), fs='tar', directory=tmp_path)
    with Nfs3(server.tcp()) as c:
        for fh in found.values():
            assert status(c, fh) == STALE


@pytest.mark.parametrize('pack', [bytes, gzip.compress])
def test_one_replaced_is_kept_open_on_demand(start, tmp_path, pack):
    path = tmp_path / 'x'
    path.write_bytes(pack(archive(member(b'a', b'1'))))
    server = start('--root', str(tmp_path), '--keep-open', fs='tar')
    with Nfs3(server.tcp()) as c:
        a = file(c, root_of(server, b'/x'), b'a')
        # Others, whose files must not pass for it.
        for i in range(5):
            (tmp_path / str(i)).write_bytes(archive(member(b'a', b'%d' % i)))
            file(c, root_of(server, b'/%d' % i), b'a')
        replace(path, pack(archive(member(b'a', b'2'))))
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            assert ok(c.read(a, 0, 1)).data == b'1'
            time.sleep(0.3)


def test_a_full_disk_leaves_no_half_of_what_is_known(start, tmp_path):
    for name in 'abc':
        (tmp_path / name).write_bytes(archive(member(b'a', b'1')))
    server = start('--root', str(tmp_path), fs='tar', directory=tmp_path,
                   preexec=lambda: signal.signal(signal.SIGXFSZ,
                                                 signal.SIG_IGN))
    state = tmp_path / 'state' / 'archives'

    def serve(name, most=resource.RLIM_INFINITY):
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE,
                         (most, resource.RLIM_INFINITY))
        with Nfs3(server.tcp()) as c:
            assert c.names(root_of(server, name)) == [b'a']

    serve(b'/a')
    serve(b'/b', state.stat().st_size + 50)
    serve(b'/c')
    server.stop()
    lines = [n for n in state.read_text().splitlines() if n]
    assert len(lines) >= 2
    for line in lines:
        assert re.fullmatch(r'1( [0-9a-f]+){16} /\S+/[abc]', line)


# ------------------------------------------------------------------- names --


def test_an_archive_has_one_identity_by_all_its_names(start, tmp_path):
    root, other = tmp_path / 'root', tmp_path / 'other'
    root.mkdir()
    other.mkdir()
    usual(root / 'x.tar', {'a': b'hello'})
    os.link(root / 'x.tar', root / 'hard.tar')
    (root / 'soft.tar').symlink_to('x.tar')
    (root / 'd').symlink_to('.')
    names = [b'/x.tar', b'/hard.tar', b'/soft.tar', b'/d/x.tar']
    fh = a = None
    for first in names:
        server = start('--root', str(root), fs='tar', directory=other)
        with Nfs3(server.tcp()) as c:
            for name in [first] + names:
                now = root_of(server, name)
                assert fh in (None, now)
                fh = now
            assert a in (None, file(c, fh, b'a'))
            a = file(c, fh, b'a')
        with mount3(server) as m:
            assert len(list(m.MOUNTPROC3_EXPORT())) == 1
        server.stop()
    # The handle itself finds it.
    server = start('--root', str(root), fs='tar', directory=other)
    with Nfs3(server.tcp()) as c:
        assert ok(c.read(a, 0, 9)).data == b'hello'


def test_mounting_directories_leaves_room_for_the_ways_to_others(
        start, tmp_path):
    (tmp_path / 'd').mkdir()
    usual(tmp_path / 'd' / 'x.tar', {'a': b'hello'})
    server = start('--root', str(tmp_path), fs='tar')
    with mount3(server) as m:
        for n in range(1, 5000):
            m.MOUNTPROC3_MNT(b'/' * (n % 900 + 1) + b'd' + b'/' * (n // 900))
    with Client1(server, 2) as c:
        c.ok(op.putrootfh(), op.lookup(b'd'), op.lookup(b'x.tar'))


def test_a_slow_archive_keeps_no_other_waiting(start, tmp_path):
    # 30 GiB are to be decoded before there is a member.
    label = header(b'label', b'V', b'\x80' + (30 << 30).to_bytes(11, 'big'))
    part = gzip.compress(label + bytes(64 << 20) + os.urandom(1 << 14))
    with open(tmp_path / 'slow.tar.gz', 'wb') as f:
        for _ in range(500):
            f.write(part)
    usual(tmp_path / 'x.tar', {'a': b'hello'})
    server = start('--root', str(tmp_path), fs='tar')

    def mount_in_vain():
        with pytest.raises(Exception):
            mount_of(server, b'/slow.tar.gz')
            time.sleep(PATIENCE)

    thread = threading.Thread(target=mount_in_vain, daemon=True)
    thread.start()
    eventually(lambda: has_open(server, tmp_path / 'slow.tar.gz'))
    root = root_of(server, b'/x.tar')
    with Client1(server, 2) as c:
        fh = c.ok(op.putrootfh(), op.lookup(b'x.tar'), op.lookup(b'a'),
                  op.getfh())[-1].object
        assert c.contents(fh) == b'hello'
    with Nfs3(server.tcp()) as c:
        assert c.names(root) == [b'a']
    server.stop(signal.SIGKILL)


# ------------------------------------------------------------ the index file --


def cached(cache):
    return sorted(n for n in os.listdir(cache) if n.endswith('.index'))


def test_a_small_archive_leaves_nothing_behind(start, tmp_path):
    cache, root = tmp_path / 'cache', tmp_path / 'root'
    root.mkdir()
    usual(root / 'x.tar', {'a': b'hello'})
    server = start('--root', str(root), '--cache-dir', str(cache), fs='tar')
    with Nfs3(server.tcp()) as c:
        assert c.names(root_of(server, b'/x.tar')) == [b'a']
    server.stop()
    assert os.listdir(cache) == [] and os.listdir(root) == ['x.tar']


@pytest.fixture(scope='module')
def shelf(tmp_path_factory):
    path = tmp_path_factory.mktemp('large')
    large(path / '0.tar.gz')
    for i in range(1, 12):
        shutil.copy(path / '0.tar.gz', path / ('%d.tar.gz' % i))
    return path


def serve_large(start, shelf, directory, *more):
    return start('--root', str(shelf), '--cache-dir', str(directory / 'cache'),
                 *more, fs='tar', directory=directory)


def check_large(server, i, found):
    """Mounted again, it has the same objects."""
    with Nfs3(server.tcp()) as c:
        root = root_of(server, b'/%d.tar.gz' % i)
        now = dict(walk(c, root))
        assert set(now) == {b'', b'f', b'zeros', b'soft'}
        assert found.setdefault(i, now) == now
        assert ok(c.read(now[b'f'], 0, 9)).data == b'text'
        assert ok(c.readlink(now[b'soft'])).data == b'f'


SECTIONS = 7
FIRST = 512 - 8 - SECTIONS * 24     # where a header begins to tell of them


def sections(data):
    """(offset, bytes) of each that has any."""
    table = 8 + 8 + 32 + 72 + 8 + 16 + 8
    sizes = 80, 1, 1, 16, 24, 4, 1
    for i, size in enumerate(sizes):
        at, n, _ = struct.unpack_from('=QQQ', data, table + 24 * i)
        if n > 0:
            yield at, n * size


def test_an_index_is_kept_and_checked(start, shelf, tmp_path):
    cache, found = tmp_path / 'cache', {}
    server = serve_large(start, shelf, tmp_path)
    for i in range(12):
        check_large(server, i, found)
    eventually(lambda: len(cached(cache)) == 12)
    server.stop(signal.SIGKILL)
    files = [cache / n for n in cached(cache)]
    assert all(f.stat().st_mode & 0o777 == 0o600 for f in files)
    # By the file alone: nothing is decoded for a name.
    server = serve_large(start, shelf, tmp_path)
    for i in range(12):
        with Nfs3(server.tcp()) as c:
            assert dict(walk(c, root_of(server, b'/%d.tar.gz' % i))) == \
                found[i]
    assert 'names' not in server.text()
    server.stop()
    # Damaged in every section, in the header, cut, empty, of somebody else.
    data = files[0].read_bytes()
    wrong = [(at, n) for at, n in sections(data)]
    assert len(wrong) == 4      # records, names, texts, slots
    wrong += [(0, 8), (12, 4), (500, 4)]
    for f, (at, n) in zip(files, wrong):
        data = bytearray(f.read_bytes())
        for i in range(at, at + n):
            data[i] ^= 0xff
        f.write_bytes(data)
    files[7].write_bytes(files[8].read_bytes())
    os.truncate(files[8], 700)
    os.truncate(files[9], 0)
    os.chmod(files[10], 0o666)
    damaged = [f.read_bytes() for f in files]
    server = serve_large(start, shelf, tmp_path)
    for i in range(12):
        with mount3(server) as m:
            m.MOUNTPROC3_MNT(b'/%d.tar.gz' % i)
    # All but the last one are made anew.
    eventually(lambda: server.text().count(': damaged') >= 9 and
               server.text().count(' names') >= 11)
    for i in range(12):
        check_large(server, i, found)
    eventually(lambda: cached(cache) == [f.name for f in files] and
               sum(f.read_bytes() != d for f, d in zip(files, damaged)) >= 10
               and files[10].stat().st_mode & 0o777 == 0o600)
    server.stop()
    # Lost.
    shutil.rmtree(cache)
    server = serve_large(start, shelf, tmp_path)
    with Nfs3(server.tcp()) as c:
        for fhs in found.values():
            for fh in fhs.values():
                assert status(c, fh) == 0
    check_large(server, 3, found)


@pytest.mark.parametrize('codec', [gzip, lzma])
def test_what_was_decoded_is_kept_for_the_next_time(start, tmp_path, codec):
    """Points of a decoder, or blocks in a file of their own: of what is more
    than memory keeps."""
    cache, size = tmp_path / 'cache', 70 << 20
    large(tmp_path / 'x.tar.c', size, codec)
    server = serve_large(start, tmp_path, tmp_path)
    with Nfs3(server.tcp()) as c:
        root = root_of(server, b'/x.tar.c')
        zeros = file(c, root, b'zeros')
    eventually(lambda: len(cached(cache)) == 1)
    names = sorted(os.listdir(cache))
    stem = names[0].partition('.')[0]
    assert names == [stem + '.blocks', stem + '.index', 'key']
    assert all((cache / n).stat().st_mode & 0o777 == 0o600 for n in names)
    assert len(list(sections((cache / names[1]).read_bytes()))) == 5
    server.stop(signal.SIGKILL)
    server = serve_large(start, tmp_path, tmp_path)
    with Nfs3(server.tcp()) as c:
        assert ok(c.read(zeros, size - 9, 9)).data == bytes(9)
        assert ok(c.read(file(c, root, b'f'), 0, 9)).data == b'text'
        for at in size // 2, size // 3, size // 4:
            assert ok(c.read(zeros, at, 9)).data == bytes(9)
    assert ' names' not in server.text()
    server.stop()
    # Of one in blocks nothing is decoded.
    assert (' 0.0 MB were decoded in order, and ' in server.text()) == \
        (codec is gzip)
    # Who has not the key cannot have made it: once it is made anew.
    (cache / 'key').write_bytes(bytes(16))
    files = [(cache / n).stat().st_ino for n in names[:2]]
    server = serve_large(start, tmp_path, tmp_path)
    with Nfs3(server.tcp()) as c:
        assert ok(c.read(zeros, size - 9, 9)).data == bytes(9)
    assert "damaged, or another's" in server.text()
    eventually(lambda: all((cache / n).stat().st_ino != i
                           for n, i in zip(names, files)))
    server.stop()
    server = serve_large(start, tmp_path, tmp_path)
    with Nfs3(server.tcp()) as c:
        assert ok(c.read(zeros, size - 9, 9)).data == bytes(9)
    assert ' names' not in server.text()
    assert "another's" not in server.text()


def test_an_index_is_of_the_options_it_was_made_with(start, tmp_path):
    with gzip.open(tmp_path / 'x.tar.gz', 'wb', 1) as f:
        f.write(header(b'zeros', size=30 << 20) + bytes(30 << 20) + end())
        f.write(member(b'behind') + end())
    for more in [], ['--ignore-zeros'], []:
        server = serve_large(start, tmp_path, tmp_path, *more)
        with Nfs3(server.tcp()) as c:
            names = c.names(root_of(server, b'/x.tar.gz'))
        assert names == [b'zeros'] + [b'behind'] * len(more)
        eventually(lambda: len(cached(tmp_path / 'cache')) == 1)
        server.stop()


def test_the_cache_has_a_limit_and_keeps_what_was_used_last(
        start, shelf, tmp_path):
    cache, found = tmp_path / 'cache', {}
    server = serve_large(start, shelf, tmp_path, '--cache-max', '16K')
    for i in range(12):
        check_large(server, i, found)
    eventually(lambda: server.text().count(' names') == 12)
    eventually(lambda: 0 < sum((cache / n).stat().st_blocks * 512
                               for n in cached(cache)) <= 16384)
    for i in range(12):
        check_large(server, i, found)


def test_a_cache_that_others_can_write_to_is_not_used(start, shelf, tmp_path):
    cache = tmp_path / 'cache'
    cache.mkdir()
    cache.chmod(0o777)
    server = serve_large(start, shelf, tmp_path)
    check_large(server, 0, {})
    assert 'not ours alone' in server.text()
    assert os.listdir(cache) == []


def test_a_size_of_the_cache_is_one(start, tmp_path):
    with pytest.raises(RuntimeError, match='--cache-max x: not a number'):
        start('--cache-max', 'x', fs='tar')


# --------------------------------------------------------------- very many --


def test_very_many_archives_cost_few_descriptors(start, tmp_path):
    n = 400
    data = archive(member(b'a', b'hello'))
    for i in range(n):
        (tmp_path / ('%d.tar' % i)).write_bytes(data)

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))

    server = start('--root', str(tmp_path), fs='tar', preexec=few)
    with mount3(server) as m:
        roots = [m.MOUNTPROC3_MNT(b'/%d.tar' % i) for i in range(n)]
    roots = [r._data.fhandle for r in roots]
    with Nfs3(server.tcp()) as c:
        # One that has to stay keeps no other open.
        made(c.create(roots[0], b'new'))
        for fh in roots + roots[:10]:
            assert ok(c.read(file(c, fh, b'a'), 0, 9)).data == b'hello'
    assert len(os.listdir('/proc/%d/fd' % server.process.pid)) < 80
