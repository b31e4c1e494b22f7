"""Archives as file systems: how they are named, what they show, and handles
that outlive the server.  What each tricky archive is: test_archives.py."""

import gzip
import os
import signal
import threading
import time

import mount
import nfs3
import pytest
import nfs4 as x
import nfs4_ops as op
from nfs4_client import Client1
from archive_checks import mount_of, read_all, walk
from archives import archive, header, member, usual
from wire import PATIENCE, Nfs3, mount3, ok, root_of


@pytest.fixture(scope='module')
def shelf(tmp_path_factory):
    """A directory of archives."""
    path = tmp_path_factory.mktemp('archives')
    (path / 'junk.tar').write_bytes(b'this is no archive\n' * 100)
    usual(path / 'usual.tar', {'d': None, 'd/a': b'hello', 'b': b'x' * 300000})
    (path / 'sub').mkdir()
    usual(path / 'sub' / 'deep.tar', {'a': b'deep'})
    return path


@pytest.fixture(scope='module')
def tars(start, shelf, tmp_path_factory):
    return start('--root', str(shelf), '--cache-dir',
                 str(tmp_path_factory.mktemp('cache')), fs='tar')


# ----------------------------------------------------------- how it is named --


def test_a_path_is_taken_from_the_root_or_below_each(tars, shelf):
    whole = os.fsencode(str(shelf / 'usual.tar'))
    fh = root_of(tars, b'/usual.tar')
    for path in (b'usual.tar', b'//usual.tar/', whole, whole + b'/'):
        assert root_of(tars, path) == fh
    assert root_of(tars, b'/sub/deep.tar') != fh
    with mount3(tars) as m:
        exports = [e.ex_dir for e in m.MOUNTPROC3_EXPORT()]
    assert exports.count(whole) == 1


def test_the_rest_of_the_path_lies_in_the_archive(tars):
    with Nfs3(tars.tcp()) as c:
        d = ok(c.lookup(root_of(tars, b'/usual.tar'), b'd')).object.data
        assert root_of(tars, b'/usual.tar/d') == d
        assert root_of(tars, b'usual.tar//d/') == d
    assert (mount_of(tars, b'/usual.tar/d/a').fhs_status ==
            mount.MNT3ERR_NOTDIR)
    assert (mount_of(tars, b'/usual.tar/none').fhs_status ==
            mount.MNT3ERR_NOENT)


def test_nothing_outside_the_root_is_reached(start, tmp_path):
    usual(tmp_path / 'outside.tar', {'a': b''})
    root = tmp_path / 'root'
    root.mkdir()
    (root / 'link.tar').symlink_to(tmp_path / 'outside.tar')
    (root / 'up').symlink_to('..')
    usual(root / 'in.tar', {'a': b''})
    (root / 'good.tar').symlink_to('in.tar')
    os.mkfifo(root / 'fifo')
    server = start('--root', str(root), fs='tar')
    for path in ('/link.tar', '/../outside.tar', '/up/outside.tar',
                 str(tmp_path / 'outside.tar'), '/etc/passwd',
                 str(root) + '/../outside.tar', '/fifo', '/', '', '/none',
                 str(root), '/proc/self/exe'):
        assert mount_of(server, path.encode()).fhs_status != 0, path
    assert root_of(server, b'/good.tar') == root_of(server, b'/in.tar')
    # The first archive that somebody mounts does not become the root.
    assert mount_of(server, b'/').fhs_status == mount.MNT3ERR_NOENT


def test_an_archive_on_the_command_line_is_the_root_too(start, shelf):
    server = start('--root', str(shelf), str(shelf / 'usual.tar'), fs='tar')
    fh = root_of(server)
    assert root_of(server, b'/usual.tar') == fh
    assert root_of(server, b'/sub/deep.tar') != fh
    with Nfs3(server.tcp()) as c:
        assert c.names(fh) == [b'd', b'b']
        assert root_of(server, b'/d') == ok(c.lookup(fh, b'd')).object.data


def test_what_is_no_archive_is_said_at_once(shelf, start, tmp_path):
    (tmp_path / 'text').write_bytes(b'hello')
    for path in (tmp_path / 'text', tmp_path / 'none', tmp_path):
        with pytest.raises(RuntimeError, match=os.path.basename(path)):
            start(str(path), fs='tar')


def test_version_4_finds_one_by_its_name(tars):
    with Client1(tars, 2) as c:
        fh = c.ok(op.putrootfh(), op.lookup(b'usual.tar'), op.lookup(b'd'),
                  op.lookup(b'a'), op.getfh())[-1].object
        data = c.ok(op.putfh(fh), op.read(0, 100))[-1]
        assert data.data == b'hello' and data.eof
        c.fails(x.NFS4ERR_NOENT, op.putrootfh(), op.lookup(b'none.tar'))
        c.fails(x.NFS4ERR_IO, op.putrootfh(),
                op.lookup(b'junk.tar'))


@pytest.mark.parametrize('rooted', [False, True])
def test_version_4_walks_to_one_by_its_path(start, shelf, rooted):
    """Component by component, as clients do, and up again."""
    more = [str(shelf / 'usual.tar')] if rooted else []
    server = start('--root', str(shelf), *more, fs='tar')
    with Client1(server, 2) as c:
        deep = c.ok(op.putrootfh(), op.lookup(b'sub'), op.lookup(b'deep.tar'),
                    op.getfh())[-1].object
        assert c.contents(c.find(deep, b'a')) == b'deep'
        # By its whole path, from the root of this machine.
        path = [op.lookup(n.encode()) for n in
                (str(shelf) + '/sub/deep.tar').split('/')[1:]]
        handles = [c.ok(op.putrootfh(), *path[:n], op.getfh())[-1].object
                   for n in range(len(path) + 1)]
        assert len(set(handles)) == len(handles) and handles[-1] == deep
        for fh in handles[1:-1]:
            assert c.attr(fh, 'type')['type'] == x.NF4DIR
            c.fails(x.NFS4ERR_NOENT, op.putfh(fh), op.lookup(b'none'))
            assert c.entries(fh) == []
        # Up, directory by directory; from an archive, to the root.
        for below, above in zip(handles[2:-1], handles[1:]):
            assert c.ok(op.putfh(below), op.lookupp(),
                        op.getfh())[-1].object == above
        assert c.ok(op.putfh(handles[1]), op.lookupp(),
                    op.getfh())[-1].object == handles[0]
        assert c.ok(op.putfh(deep), op.lookupp(),
                    op.getfh())[-1].object == handles[0]


# ------------------------------------------------------------- what it shows --


def test_devices_and_setuid_are_shown_where_asked_for(start, tmp_path):
    (tmp_path / 'x.tar').write_bytes(archive(
        header(b'c', b'3', major=1, minor=3), header(b'b', b'4', major=8),
        header(b's', mode=0o6755)))
    server = start('--dev', '--suid', str(tmp_path / 'x.tar'), fs='tar')
    with Nfs3(server.tcp()) as c:
        root = root_of(server)
        a = c.attr(ok(c.lookup(root, b'c')).object.data)
        assert a.type == nfs3.NF3CHR
        assert (a.rdev.specdata1, a.rdev.specdata2) == (1, 3)
        assert c.attr(ok(c.lookup(root, b'b')).object.data).type == \
            nfs3.NF3BLK
        assert c.attr(ok(c.lookup(root, b's')).object.data).mode == 0o6755


def test_listings_go_on_from_any_cookie_in_the_order_of_headers(
        start, tmp_path):
    names = [b'%05d' % (i * 7919 % 5000) for i in range(5000)]
    (tmp_path / 'x.tar').write_bytes(archive(*(member(b'd/' + n)
                                               for n in names)))
    server = start(str(tmp_path / 'x.tar'), fs='tar')
    with Nfs3(server.tcp()) as c:
        d = ok(c.lookup(root_of(server), b'd')).object.data
        assert c.names(d) == names
        entries = c.entries(d)
        for at in (2, 1234, 4990):
            page = ok(c.readdir(d, entries[at].cookie)).reply.entries
            assert page and [e.name for e in page] == [
                e.name for e in entries[at + 1:at + 1 + len(page)]]


# ----------------------------------------------------------------- identity --


def test_handles_outlive_kill_and_restart(start, shelf, tmp_path):
    arguments = '--root', str(shelf)
    first = start(*arguments, fs='tar', directory=tmp_path)
    with Nfs3(first.tcp()) as c:
        found = dict(walk(c, root_of(first, b'/usual.tar')))
        found[b'deep'] = root_of(first, b'/sub/deep.tar')
        before = {n: c.attr(fh) for n, fh in found.items()}
    first.stop(signal.SIGKILL)
    second = start(*arguments, fs='tar', directory=tmp_path)
    with Nfs3(second.tcp()) as c:
        # Nothing is mounted there: the handle itself brings its archive.
        for name, fh in found.items():
            assert c.attr(fh) == before[name], name
        assert read_all(c, found[b'b'], 300000) == b'x' * 300000


def test_another_archive_in_its_place_has_other_objects(start, tmp_path):
    path, state = tmp_path / 'x.tar', tmp_path / 'server'
    state.mkdir()
    path.write_bytes(archive(member(b'a', b'1'), member(b'b', b'22')))
    first = start(str(path), fs='tar', directory=state)
    with Nfs3(first.tcp()) as c:
        handles = dict(walk(c, root_of(first)))
    first.stop()
    # The same again, and one member more.
    path.write_bytes(archive(member(b'a', b'1'), member(b'b', b'22'),
                             member(b'c')))
    second = start(str(path), fs='tar', directory=state)
    with Nfs3(second.tcp()) as c:
        assert dict(walk(c, root_of(second))).items() >= handles.items()
    second.stop()
    path.write_bytes(archive(member(b'x', b'1'), member(b'y', b'22')))
    third = start(str(path), fs='tar', directory=state)
    with Nfs3(third.tcp()) as c:
        for fh in handles.values():
            assert c.getattr(fh).status == nfs3.NFS3ERR_STALE


def test_a_file_cut_while_it_is_served_is_an_error(start, tmp_path):
    path = tmp_path / 'x.tar'
    path.write_bytes(archive(member(b'a', b'1' * 100000),
                             member(b'b', b'2' * 100000)))
    server = start(str(path), fs='tar')
    with Nfs3(server.tcp()) as c:
        found = dict(walk(c, root_of(server)))
        os.truncate(path, 50000)
        assert ok(c.read(found[b'a'], 0, 1000)).data == b'1' * 1000
        assert c.read(found[b'b'], 0, 1000).status == nfs3.NFS3ERR_IO
        assert c.attr(found[b'b']).size == 100000


# ------------------------------------------------------------------ the end --


def has_open(server, path):
    """Does the server have that file open?"""
    fds = '/proc/%d/fd' % server.process.pid
    for fd in os.listdir(fds):
        try:
            if os.readlink(os.path.join(fds, fd)) == str(path):
                return True
        except FileNotFoundError:
            pass
    return False


def mount_in_vain(server, path):
    with pytest.raises(Exception):
        mount_of(server, path)


def test_it_ends_while_it_still_looks_for_the_first_member(start, tmp_path):
    # 30 GiB are to be decoded before there is one.
    path = tmp_path / 'slow.tar.gz'
    label = header(b'label', b'V', b'\x80' + (30 << 30).to_bytes(11, 'big'))
    part = gzip.compress(label + bytes(64 << 20) + os.urandom(1 << 14))
    with open(path, 'wb') as f:
        for _ in range(500):
            f.write(part)
    server = start('--root', str(tmp_path), fs='tar')
    thread = threading.Thread(target=mount_in_vain,
                              args=(server, b'/slow.tar.gz'))
    thread.start()
    until = time.monotonic() + PATIENCE
    while not has_open(server, path):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert server.stop() == 0, server.text()
    thread.join()
    assert 'never completed' in server.text()
