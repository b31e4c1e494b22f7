"""A directory of the host: what goes on there, and who may do it.

What it has in common with memfs is in test_dirfs.py.
"""

import ctypes
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time

import pytest

import nfs3
import nfs4 as x
import nfs4_client
import nfs4_ops as op
import rpc
import wire
from test_nfs4_owners import call_of
from test_peer import NOBODY, as_uid
from test_watch import Stream
from wire import Nfs3, fails, ok

pytestmark = pytest.mark.skipif(os.geteuid() != 0,
                                reason='only root acts as others')


@pytest.fixture
def where():
    directory = tempfile.mkdtemp(prefix='pinefs-dir-', dir='/dev/shm')
    os.chmod(directory, 0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def serve(start, where, tmp_path):
    """A server of it, each time with the same state."""
    def serve_it(*args, **kw):
        server = start(where, *args, fs='dir', directory=tmp_path, **kw)
        root = wire.root_of(server)
        return server, root
    return serve_it


@pytest.fixture
def client(request):
    """A version 3 client as that user."""
    def one(server, uid=0, gid=None, gids=()):
        cred = wire.root() if uid == 0 else wire.user(uid, gid, gids)
        made = wire.Nfs3(server.tcp(cred))
        request.addfinalizer(made.close)
        return made
    return one


def put(directory, name, data=b'', mode=0o644, owner=(0, 0)):
    path = os.path.join(directory, name)
    with open(path, 'wb') as f:
        f.write(data)
    os.chmod(path, mode)
    os.chown(path, *owner)
    return path


# -------------------------------------------------------------- identity --


def test_callers_act_as_who_they_are(serve, where, client):
    os.chmod(where, 0o777)
    server, root = serve()
    client(server, 1000, 100).make(root, b'mine')
    client(server, 1001).make_dir(root, b'dir')
    st = os.stat(where + '/mine')
    assert (st.st_uid, st.st_gid) == (1000, 100)
    assert os.stat(where + '/dir').st_uid == 1001
    put(where, 'secret', b'text', 0o600)
    secret = client(server).find(root, b'secret')
    fails(client(server, 1000).read(secret), nfs3.NFS3ERR_ACCES)
    fails(client(server, 1000).write(secret, 0, b'x'), nfs3.NFS3ERR_ACCES)
    fails(client(server, 1000).setattr(secret, mode=0o666),
          nfs3.NFS3ERR_PERM)
    assert ok(client(server).read(secret)).data == b'text'


def test_groups_count_up_to_the_last(serve, where, client):
    put(where, 'f', b'text', 0o640, (0, 77))
    server, root = serve()
    fh = client(server).find(root, b'f')
    fails(client(server, 1000, 1, (2, 3)).read(fh), nfs3.NFS3ERR_ACCES)
    assert ok(client(server, 1000, 1, (2, 77)).read(fh)).data == b'text'
    fails(client(server, 1000, 1, (2, 3)).read(fh), nfs3.NFS3ERR_ACCES)


def test_lists_of_access_are_the_kernels_to_check(serve, where, client):
    path = put(where, 'f', b'text', 0o600)
    # posix_acl_xattr: user::rw- user:1000:r-- group::--- mask::r-- other::---
    none = 0xffffffff
    entries = [(1, 6, none), (2, 4, 1000), (4, 0, none), (16, 4, none),
               (32, 0, none)]
    try:
        os.setxattr(path, 'system.posix_acl_access', struct.pack('<I', 2) +
                    b''.join(struct.pack('<HHI', *e) for e in entries))
    except OSError:
        pytest.skip('no lists of access on this file system')
    server, root = serve()
    fh = client(server).find(root, b'f')
    assert ok(client(server, 1000).read(fh)).data == b'text'
    fails(client(server, 1001).read(fh), nfs3.NFS3ERR_ACCES)
    fails(client(server, 1000).write(fh, 0, b'x'), nfs3.NFS3ERR_ACCES)
    assert ok(client(server, 1000).access(fh)).access == 0x01


def test_root_is_squashed_where_it_is_said(serve, where, client):
    os.chmod(where, 0o777)
    server, root = serve('-o', 'all_squash,anonuid=1234,anongid=4321')
    client(server).make(root, b'f')
    st = os.stat(where + '/f')
    assert (st.st_uid, st.st_gid) == (1234, 4321)


def test_quotas_of_root_are_not_used_up(serve, client):
    """A thread that acts for others has no right that files do not need."""
    server, root = serve()
    ok(client(server).getattr(root))
    beyond = 1 << 24            # CAP_SYS_RESOURCE
    tasks = '/proc/%d/task' % server.process.pid
    effective = []
    for task in os.listdir(tasks):
        with open('%s/%s/status' % (tasks, task), encoding='ascii') as f:
            effective += [int(line.split()[1], 16) for line in f
                          if line.startswith('CapEff')]
    assert any(not e & beyond for e in effective)


# ------------------------------------------------- large files, by a map --

PART = 1 << 16
MIB = 1 << 20


def is_mapped(server, path):
    with open('/proc/%d/maps' % server.process.pid, encoding='utf-8') as f:
        return any(line.rstrip().endswith(path) for line in f)


def is_lent(server, path):
    """Bytes have left out of the map: only the kernel looked at them."""
    with open('/proc/%d/smaps' % server.process.pid, encoding='utf-8') as f:
        ours = False
        for line in f:
            if line[0] in '0123456789abcdef':
                ours = line.rstrip().endswith(path)
            elif ours and line.startswith('Rss:'):
                return int(line.split()[1]) > 0
    return False


def read_all(c, fh, size):
    return b''.join(ok(c.read(fh, at, PART)).data
                    for at in range(0, size, PART))


@pytest.fixture
def large(where):
    """A file, and what is in it."""
    data = os.urandom(MIB + 5000)
    return put(where, 'large', data), data


def test_a_large_file_is_mapped_and_reads_as_it_is(serve, client, large):
    path, data = large
    server, root = serve()
    c = client(server)
    fh = c.find(root, b'large')
    for _ in range(3):
        assert read_all(c, fh, len(data)) == data
    assert is_lent(server, path)
    end = ok(c.read(fh, MIB, PART))
    assert end.data == data[MIB:] and end.eof
    assert ok(c.read(fh, 12345, PART)).data == data[12345:12345 + PART]
    # Whoever changes it is seen, by each of its ways.
    ok(c.write(fh, PART, b'changed'))
    assert ok(c.read(fh, PART, PART)).data[:7] == b'changed'
    with open(path, 'r+b') as f:
        f.seek(2 * PART)
        f.write(b'changed')
        f.seek(0, 2)
        f.write(b'more' * PART)
    assert ok(c.read(fh, 2 * PART, PART)).data[:7] == b'changed'
    grown = read_all(c, fh, len(data) + 4 * PART)
    assert grown[len(data):] == b'more' * PART
    assert read_all(c, fh, len(data) + 4 * PART) == grown
    os.truncate(path, 100)
    short = ok(c.read(fh, 0, PART))
    assert short.data == data[:100] and short.eof


@pytest.mark.parametrize('cut', [0, 3 * PART + 100])
def test_a_file_cut_off_below_replies_under_way_ends_in_zeros(
        serve, client, large, cut):
    path, data = large
    server, root = serve()
    c = client(server)
    fh = c.find(root, b'large')
    for _ in range(3):
        read_all(c, fh, len(data))
    assert is_lent(server, path)
    parts = [i % 16 for i in range(64)]
    with server.raw(rcvbuf=4096) as raw:
        for xid, part in enumerate(parts):
            raw.send_call(rpc.pack_call(
                xid, wire.NFS, 3, 6, nfs3.READ3args(
                    wire.fh3(fh), part * PART, PART).pack(), wire.root()))
        time.sleep(0.3)             # they stand in queues
        os.truncate(path, cut)
        zeros = 0
        for _ in parts:
            xid, body = rpc.unpack_reply(raw.receive())
            at = parts[xid] * PART
            got = ok(nfs3.READ3res.from_bytes(body)).data
            lost = len(got) - len(got.rstrip(b'\0'))
            kept = len(got) - lost
            if lost > 16:
                zeros += 1
                assert at + kept <= max(cut, at) + 4096
            else:
                kept = len(got)
            assert got[:kept] == data[at:at + kept]
        assert zeros > 16
        assert ok(c.read(fh, 0, PART)).data == data[:min(cut, PART)]


def operations_after_it(name):
    return {'WRITE': [op.write(b'x' * PART, PART)],
            'SETATTR': [op.setattr_(size=10)],
            'DEALLOCATE': [op.deallocate(PART, PART)]}[name]


@pytest.mark.parametrize('minor, name', [
    (0, 'WRITE'), (0, 'SETATTR'), (2, 'WRITE'), (2, 'SETATTR'),
    (2, 'DEALLOCATE')])
def test_what_comes_after_a_read_is_not_seen_in_it(serve, client, large,
                                                   minor, name):
    """Of one COMPOUND, whose operations run one after the other."""
    path, data = large
    server, root = serve()
    fh = client(server).find(root, b'large')
    for _ in range(2):
        read_all(client(server), fh, len(data))
    with nfs4_client.new_client(server, minor) as c:
        before = c.ok(op.putfh(fh), op.read(PART, PART))[1].data
        read = c.ok(op.putfh(fh), op.read(PART, PART),
                    *operations_after_it(name))[1].data
    assert before == read == data[PART:2 * PART]
    with open(path, 'rb') as f:
        assert f.read() != data


def test_a_kept_reply_of_a_large_file_is_replayed(serve, client, large):
    path, data = large
    server, root = serve()
    read_all(client(server), client(server).find(root, b'large'), len(data))
    call = call_of(1000, op.putfh(root), op.setattr_(mode=0o711),
                   op.lookup(b'large'), op.read(PART, PART))
    with server.raw() as raw:
        first = raw.call(call)
        os.truncate(path, 0)
        assert raw.call(call) == first
    assert data[PART:2 * PART] in first


@pytest.fixture
def watched(serve, client, large, tmp_path):
    """A server with a control socket, a client, and that file's handle."""
    server, root = serve(env={'XDG_RUNTIME_DIR': str(tmp_path)})
    server.run = tmp_path
    c = client(server)
    return server, c, c.find(root, b'large')


def test_a_trace_of_a_mapped_file_shows_its_bytes(watched, large):
    path, data = large
    server, c, fh = watched
    with Stream(server, 'trace', procedure='READ') as trace:
        for _ in range(3):
            ok(c.read(fh, PART, PART))
            shown = trace.until('call')
            assert 'data=' + data[PART:PART + 80].hex() in shown['results']
    assert is_lent(server, path)


def test_a_trace_goes_on_while_files_are_cut_off(watched, large):
    path, data = large
    server, c, fh = watched
    call = rpc.pack_call(1, wire.NFS, 3, 6, nfs3.READ3args(
        wire.fh3(fh), PART, PART).pack(), wire.root())
    end = time.monotonic() + 3
    with Stream(server, 'trace', procedure='GETATTR') as trace, \
            Stream(server, 'trace', procedure='READ'), server.raw() as raw:
        while time.monotonic() < end:
            with open(path, 'r+b') as f:
                f.write(data)
            for _ in range(8):
                raw.send_call(call)
            os.truncate(path, 0)
            for _ in range(8):
                _, body = rpc.unpack_reply(raw.receive())
                got = ok(nfs3.READ3res.from_bytes(body)).data
                kept = got.rstrip(b'\0')
                assert data[PART:].startswith(kept)
        ok(c.getattr(fh))
        assert trace.until('call')['status'] == 'NFS3_OK'


def test_datagrams_of_a_mapped_file_are_as_it_is(serve, client, large):
    path, data = large
    server, root = serve()
    fh = client(server).find(root, b'large')
    with Nfs3(server.udp(wire.root())) as c:
        for _ in range(3):
            assert ok(c.read(fh, 0, PART // 2)).data == data[:PART // 2]
    assert is_lent(server, path)


def test_holes_are_read_without_being_filled(serve, client, where):
    path = put(where, 'holes')
    os.truncate(path, 4 * MIB)
    server, root = serve()
    c = client(server)
    fh = c.find(root, b'holes')
    for _ in range(3):
        assert read_all(c, fh, 4 * MIB) == bytes(4 * MIB)
    assert os.stat(path).st_blocks == 0
    # Those made a moment after it was read, too.
    with open(path, 'r+b') as f:
        f.write(b'x' * 4 * MIB)
    for _ in range(2):
        read_all(c, fh, 4 * MIB)
    assert is_lent(server, path)
    with nfs4_client.Client1(server, 2) as c4:
        c4.ok(op.putfh(fh), op.deallocate(0, 4 * MIB))
    assert read_all(c, fh, 4 * MIB) == bytes(4 * MIB)
    assert os.stat(path).st_blocks == 0


def test_a_map_goes_with_its_file(serve, client, large, where):
    path, data = large
    server, root = serve()
    c = client(server)
    fh = c.find(root, b'large')
    read_all(c, fh, len(data))
    assert is_mapped(server, path)
    os.unlink(path)
    wait_until(lambda: not is_mapped(server, path + ' (deleted)'))
    with nfs4_client.Client1(server) as c4:
        put(where, 'open', data)
        o = c4.open(c4.root(), b'open', access=op.READ)
        read = (op.putfh(o.fh), op.read(0, PART, o.s))
        assert c4.ok(*read)[-1].data == data[:PART]
        assert is_mapped(server, where + '/open')
        wait_until(lambda: not is_mapped(server, where + '/open'))
        assert c4.ok(*read)[-1].data == data[:PART]


# ------------------------------------------------- nothing outside of it --


def test_links_are_shown_and_never_followed(serve, where, client):
    os.symlink('/etc', where + '/out')
    server, root = serve()
    c = client(server)
    link = c.find(root, b'out')
    assert c.attr(link).type == nfs3.NF3LNK
    assert ok(c.readlink(link)).data == b'/etc'
    fails(c.lookup(link, b'passwd'), nfs3.NFS3ERR_NOTDIR)
    fails(c.read(link), nfs3.NFS3ERR_INVAL)


def test_above_the_root_is_the_root(serve, where, client):
    server, root = serve()
    c = client(server)
    assert ok(c.lookup(root, b'..')).object.data == root
    sub = c.make_dir(root, b'sub')
    assert ok(c.lookup(sub, b'..')).object.data == root


def test_a_directory_that_is_moved_out_is_gone(serve, where, client):
    os.makedirs(where + '/sub/below')
    server, root = serve()
    c = client(server)
    sub = c.find(root, b'sub')
    below = c.find(sub, b'below')
    outside = tempfile.mkdtemp(dir='/dev/shm')
    try:
        os.rename(where + '/sub', outside + '/sub')
        until = time.monotonic() + 30
        while c.lookup(sub, b'below').status == 0:
            assert time.monotonic() < until
            time.sleep(0.1)
        fails(c.getattr(sub), nfs3.NFS3ERR_STALE)
        fails(c.lookup(below, b'..'), nfs3.NFS3ERR_STALE)
    finally:
        shutil.rmtree(outside)


def test_a_file_that_is_moved_out_is_gone(serve, where, client):
    put(where, 'f', b'text')
    put(where, 'two', b'names')
    os.link(where + '/two', where + '/names')
    server, root = serve()
    c = client(server)
    fh, two = c.find(root, b'f'), c.find(root, b'two')
    outside = tempfile.mkdtemp(dir='/dev/shm')
    try:
        os.rename(where + '/f', outside + '/f')
        os.rename(where + '/two', outside + '/two')
        until = time.monotonic() + 30
        while c.read(fh).status == 0:
            assert time.monotonic() < until
            time.sleep(0.1)
        fails(c.getattr(fh), nfs3.NFS3ERR_STALE)
        # It is still there, by its other name.
        assert ok(c.read(two)).data == b'names'
        os.rename(outside + '/f', where + '/f')
        assert ok(c.read(fh)).data == b'text'
    finally:
        shutil.rmtree(outside)


SWAP = """
import ctypes, os, sys
where, outside = map(os.fsencode, sys.argv[1:])
libc = ctypes.CDLL(None, use_errno=True)
while True:
    # A directory is a link to the outside, and again a directory.
    if libc.renameat2(-100, where + b'/d', -100, where + b'/link', 2) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    # One goes out of it and comes back, and what lies in it with it.
    os.rename(where + b'/up', outside + b'/up')
    os.rename(outside + b'/up', where + b'/up')
    os.rename(where + b'/up/f', where + b'/f')
    os.symlink(outside + b'/secret', where + b'/up/f')
    os.rename(where + b'/f', where + b'/up/f')
"""


def swapped(c, root, name):
    """What can be got at by a name that is changed all the time: nothing, or
    the bytes of a file inside."""
    res = c.lookup(root, name)
    if res.status != 0:
        return
    fh = res._data.object.data
    for there in (b'secret', b'f'):
        res = c.lookup(fh, there)
        if res.status == 0:
            data = c.read(res._data.object.data)
            assert data.status != 0 or data._data.data == b'inside'
    c.create(fh, b'made', mode=0o644)
    c.rename(fh, b'made', root, b'moved')
    c.link(fh, root, b'other')
    above = c.lookup(fh, b'..')
    if above.status == 0:
        assert above._data.object.data == root
    for page in (c.readdirplus(fh), c.readdir(fh)):
        if page.status == 0:
            assert b'only-outside' not in [
                e.name for e in page._data.reply.entries]


def race(server, root, where):
    outside = tempfile.mkdtemp(dir='/dev/shm')
    os.chmod(outside, 0o777)
    for directory, data in ((where + '/d', b'inside'), (outside, b'outside')):
        os.makedirs(directory, exist_ok=True)
        put(directory, 'secret', data)
    put(outside, 'only-outside')
    os.mkdir(where + '/up')
    put(where + '/up', 'f', b'inside')
    os.symlink(outside, where + '/link')
    for name in ('d', 'up', ''):
        os.chmod(os.path.join(where, name), 0o777)
    before = sorted(os.listdir(outside))
    swap = subprocess.Popen([sys.executable, '-c', SWAP, where, outside])
    try:
        with Nfs3(server.tcp()) as c:
            for _ in range(200):
                for name in (b'd', b'link', b'up'):
                    swapped(c, root, name)
        assert swap.poll() is None
    finally:
        swap.kill()
        swap.wait()
    after = sorted(set(os.listdir(outside)) - {'up'})
    try:
        assert after == before
        with open(outside + '/secret', 'rb') as f:
            assert f.read() == b'outside'
    finally:
        shutil.rmtree(outside)


def test_nothing_outside_is_reached_while_the_host_swaps_things(serve,
                                                                where):
    server, root = serve()
    race(server, root, where)


def in_a_mount(where, options, then='true'):
    """Before the server is started: a tmpfs there that it alone sees."""
    def mount():
        clone_newns = 0x20000
        assert ctypes.CDLL(None).unshare(clone_newns) == 0
        assert os.system('mount --make-rprivate / && '
                         'mount -t tmpfs -o %s none %s && %s' %
                         (options, where, then)) == 0
    return mount


def test_what_is_mounted_below_is_not_shown(serve, where, client):
    os.mkdir(where + '/other')
    os.makedirs(where + '/sub/with a blank')
    put(where, 'f')
    server, root = serve(preexec=in_a_mount(
        where + '/other', 'size=1m', 'touch %s/other/secret && mount -t '
        'tmpfs none "%s/sub/with a blank"' % (where, where)))
    c = client(server)
    assert sorted(c.names(root)) == [b'f', b'sub']
    assert c.names(c.find(root, b'sub')) == []
    fails(c.lookup(root, b'other'), nfs3.NFS3ERR_ACCES)
    page = ok(c.readdirplus(root)).reply.entries
    assert b'f' in [e.name for e in page]
    assert b'other' not in [e.name for e in page]
    # And what comes later.
    assert os.system('nsenter -t %d -m mount -t tmpfs none %s/sub' % (
        server.process.pid, where)) == 0
    assert c.names(root) == [b'f']


def test_a_full_disk_is_nospc_and_what_was_written_stays(serve, where,
                                                         client):
    server, root = serve(preexec=in_a_mount(where, 'size=1m,mode=0755'))
    c = client(server)
    fh = c.make(root, b'f')
    block, written = b'x' * 65536, 0
    while (reply := c.write(fh, written, block)).status == 0:
        written += reply._data.count
        assert written <= 1 << 20
    assert reply.status == nfs3.NFS3ERR_NOSPC
    assert c.attr(fh).size == written
    assert ok(c.read(fh, written - 65536)).data == block
    ok(c.remove(root, b'f'))
    ok(c.write(c.make(root, b'g'), 0, block))


# ---------------------------------------------------------------- handles --


def test_handles_outlive_kill_and_restart(serve, where, client):
    os.makedirs(where + '/a/b')
    put(where + '/a/b', 'f', b'text')
    server, root = serve()
    c = client(server)
    sub = c.find(c.find(root, b'a'), b'b')
    fh = c.find(sub, b'f')
    server.stop(signal.SIGKILL)
    os.rename(where + '/a', where + '/z')
    server, again = serve()
    c = client(server)
    assert again == root
    assert ok(c.read(fh)).data == b'text'
    assert c.find(sub, b'f') == fh
    assert c.find(root, b'z') == ok(c.lookup(sub, b'..')).object.data


def test_another_file_of_that_name_is_another(serve, where, client):
    put(where, 'f', b'old')
    server, root = serve()
    c = client(server)
    old = c.find(root, b'f')
    put(where, 'new', b'new')
    os.rename(where + '/new', where + '/f')
    new = c.find(root, b'f')
    assert new != old
    assert ok(c.read(new)).data == b'new'
    server.stop()
    server, root = serve()
    c = client(server)
    fails(c.getattr(old), nfs3.NFS3ERR_STALE)
    assert ok(c.read(new)).data == b'new'


def test_an_exclusive_create_is_known_again_after_a_restart(serve, client):
    server, root = serve()
    made = ok(client(server).create(root, b'f', nfs3.EXCLUSIVE, b'verifier'))
    server.stop(signal.SIGKILL)
    server, root = serve()
    c = client(server)
    again = ok(c.create(root, b'f', nfs3.EXCLUSIVE, b'verifier'))
    assert again.obj._data.data == made.obj._data.data
    fails(c.create(root, b'f', nfs3.EXCLUSIVE, b'another.'),
          nfs3.NFS3ERR_EXIST)


def test_an_empty_file_of_another_is_none_of_an_exclusive_create(
        serve, where, client):
    """Its times, which can be read, are no proof of who made it."""
    os.chmod(where, 0o1777)
    path = put(where, 'f', b'', 0o600)
    os.utime(path, (0x11111111, 0x22222222))
    server, root = serve()
    verf = struct.pack('=II', 0x22222222, 0x11111111)
    fails(client(server, 1000).create(root, b'f', nfs3.EXCLUSIVE, verf),
          nfs3.NFS3ERR_EXIST)


def test_version_4_leaves_no_verifier_in_the_times(serve, where):
    server, root = serve()
    c = nfs4_client.Client1(server, 2)
    try:
        verf = struct.pack('=II', 0x22222222, 0x11111111)
        c.open(c.root(), b'f', how=op.exclusive(verf))
    finally:
        c.close()
    assert abs(os.stat(where + '/f').st_mtime - time.time()) < 1000


def test_a_deep_tree_can_be_made_and_removed(serve, where, client):
    """Its path has no room in any system call."""
    server, root = serve()
    c = client(server)
    dirs = [root]
    for i in range(25):
        dirs.append(c.make_dir(dirs[-1], b'n' * 250))
    assert ok(c.lookup(dirs[-1], b'..')).object.data == dirs[-2]
    time.sleep(1.1)         # where it lies is looked after once a second
    fh = c.make(dirs[-1], b'f', b'text')
    assert ok(c.read(fh)).data == b'text'
    ok(c.remove(dirs[-1], b'f'))
    for above in reversed(dirs[:-1]):
        ok(c.rmdir(above, b'n' * 250))


def test_what_the_server_keeps_is_written_as_the_server(serve, where):
    """Though the thread has just acted as somebody else."""
    os.chmod(where, 0o777)
    server, root = serve()
    for i in range(20):
        with nfs4_client.Client0(server, cred=wire.user(1000)) as c:
            c.make(c.root(), b'f%d' % i)
    assert 'could not be recorded' not in server.text()


def test_what_the_kernel_cannot_clone_is_notsupp(serve):
    """tmpfs shares no ranges; a copy is made all the same."""
    server, root = serve()
    with nfs4_client.Client1(server, 2) as c:
        source = c.new(c.root(), b'a')
        c.ok(op.putfh(source.fh), op.write(b'text' * 1024, 0, source.s))
        target = c.new(c.root(), b'b')
        both = op.putfh(source.fh), op.savefh(), op.putfh(target.fh)
        c.fails(x.NFS4ERR_NOTSUPP, *both, op.clone(source.s, target.s))
        c.ok(*both, op.copy(source.s, target.s))
        assert c.contents(target.fh) == b'text' * 1024


def test_a_copy_is_the_kernels(serve, where):
    """Not by reading and writing: that does a MiB at a time."""
    data = os.urandom(1 << 20) * 3 + b'end'
    put(where, 'a', data)
    server, root = serve()
    with nfs4_client.Client1(server, 2) as c:
        source = c.open(c.root(), b'a', access=op.READ)
        target = c.new(c.root(), b'b')
        both = op.putfh(source.fh), op.savefh(), op.putfh(target.fh)
        res = c.ok(*both, op.copy(source.s, target.s))[-1]
        assert res.cr_response.wr_count == len(data)
        c.ok(op.putfh(target.fh), op.commit())
        # A part, behind the end: a hole before it.
        c.ok(*both, op.copy(source.s, target.s, 5, 4 << 20, 100))
    with open(where + '/b', 'rb') as f:
        assert f.read() == (data.ljust(4 << 20, b'\0') + data[5:105])


def test_what_was_written_can_be_executed_on_the_host(serve, where, client):
    """It is not open for writing: from its CLOSE on, and by version 3, which
    has none, a while later."""
    server, root = serve()
    with nfs4_client.Client1(server, 2) as c:
        for how in (nfs3.FILE_SYNC, nfs3.UNSTABLE):
            f = c.new(c.root(), b'v4-%d' % how, mode=0o755)
            c.ok(op.putfh(f.fh), op.write(b'text', 0, f.s, how))
            assert is_written(server, where + '/v4-%d' % how)
            c.close_file(f)
            wait_until(lambda: not is_written(server,
                                              where + '/v4-%d' % how))
        # Somebody else goes on reading.
        f = c.new(c.root(), b'v4', mode=0o755)
        reads = c.open(c.root(), b'v4', op.READ, owner=b'reads')
        c.ok(op.putfh(f.fh), op.write(b'text', 0, f.s))
        assert is_written(server, where + '/v4')
        c.close_file(f)
        wait_until(lambda: not is_written(server, where + '/v4'))
        assert c.contents(reads.fh) == b'text'
    client(server).make(root, b'v3', b'text', mode=0o755)
    wait_until(lambda: not is_written(server, where + '/v3'))


def wait_until(holds):
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_written(server, path):
    """Has the server a descriptor of it that is open for writing?"""
    directory = '/proc/%d/' % server.process.pid
    for fd in os.listdir(directory + 'fd'):
        try:
            if os.readlink(directory + 'fd/' + fd) != path:
                continue
            with open(directory + 'fdinfo/' + fd, encoding='ascii') as f:
                flags = int(next(line for line in f if line.startswith(
                    'flags:')).split()[1], 8)
        except FileNotFoundError:
            continue
        if not flags & os.O_PATH and flags & os.O_ACCMODE != os.O_RDONLY:
            return True
    return False


def test_what_the_host_does_is_seen(serve, where, client):
    path = put(where, 'f', b'one')
    server, root = serve()
    c = client(server)
    fh = c.find(root, b'f')
    assert ok(c.read(fh)).data == b'one'
    with open(path, 'ab') as f:
        f.write(b' and more')
    assert ok(c.read(fh)).data == b'one and more'
    put(where, 'g')
    assert sorted(c.names(root)) == [b'f', b'g']
    os.unlink(where + '/g')
    assert c.names(root) == [b'f']


# ------------------------------------------------------------ descriptors --


def open_files(server):
    directory = '/proc/%d/fd' % server.process.pid
    for fd in os.listdir(directory):
        try:
            yield os.readlink(directory + '/' + fd)
        except FileNotFoundError:
            pass


def test_what_was_removed_is_not_held_open(serve, where, client):
    server, root = serve()
    c = client(server)
    fh = c.make(root, b'f', b'text')
    assert ok(c.read(fh)).data == b'text'
    ok(c.remove(root, b'f'))
    fails(c.getattr(fh), nfs3.NFS3ERR_STALE)
    assert not [f for f in open_files(server) if f.endswith('(deleted)')]


@pytest.mark.slow
def test_what_the_host_removed_is_let_go_of(serve, where, client):
    put(where, 'f', b'text')
    server, root = serve()
    c = client(server)
    ok(c.read(c.find(root, b'f')))
    os.unlink(where + '/f')
    until = time.monotonic() + 60
    while [f for f in open_files(server) if f.endswith('(deleted)')]:
        assert time.monotonic() < until
        time.sleep(0.5)


def test_more_files_than_descriptors(serve, where, client):
    import resource
    names = [b'f%d' % i for i in range(1500)]
    for name in names:
        put(where, name.decode(), name)

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))

    server, root = serve(preexec=few)
    c = client(server)
    handles = [c.find(root, name) for name in names]
    for name, fh in zip(names, handles):
        assert ok(c.read(fh)).data == name
    assert len(list(open_files(server))) <= 400


# ---------------------------------------------------------- not as root --


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


@pytest.fixture
def serve_as_nobody(serve, where):
    if not as_uid(NOBODY, os.access, wire.PINEFS, os.X_OK):
        pytest.skip('nobody may not run %s' % wire.PINEFS)
    os.chown(where, NOBODY, NOBODY)
    state = tempfile.mkdtemp(dir='/dev/shm')
    os.chown(state, NOBODY, NOBODY)
    yield lambda *args: serve('--state-dir', state, '--local-auth', 'none',
                              *args, preexec=become_nobody)
    shutil.rmtree(state)


def test_whoever_is_not_root_serves_as_who_they_are(serve_as_nobody, where,
                                                    client):
    put(where, 'secret', b'text', 0o600)
    put(where, 'open', b'text')
    server, root = serve_as_nobody()
    c = client(server)
    c.make(root, b'f')
    client(server, NOBODY).make(root, b'g')
    for name in ('f', 'g'):
        assert os.stat(where + '/' + name).st_uid == NOBODY
    fails(client(server, 1000).getattr(root), nfs3.NFS3ERR_ACCES)
    fails(c.read(c.find(root, b'secret')), nfs3.NFS3ERR_ACCES)
    fails(c.write(c.find(root, b'open'), 0, b'x'), nfs3.NFS3ERR_ACCES)
    assert ok(c.read(c.find(root, b'open'))).data == b'text'


def test_everybody_is_who_serves_where_that_is_said(serve_as_nobody, where,
                                                    client):
    server, root = serve_as_nobody('-o', 'all_squash')
    client(server, 1000).make(root, b'f')
    assert os.stat(where + '/f').st_uid == NOBODY


def test_nothing_outside_is_reached_meanwhile_without_root(serve_as_nobody,
                                                          where):
    server, root = serve_as_nobody()
    race(server, root, where)


def test_a_name_that_is_linked_and_removed_is_found_by_the_other(
        serve_as_nobody, client):
    server, root = serve_as_nobody()
    c = client(server)
    fh = c.make(root, b'tmp', b'text')
    ok(c.link(fh, root, b'final'))
    ok(c.remove(root, b'tmp'))
    server.stop(signal.SIGKILL)
    server, root = serve_as_nobody()
    assert ok(client(server).read(fh)).data == b'text'


def test_what_is_gone_takes_no_room_in_the_table(serve_as_nobody, client):
    server, root = serve_as_nobody()
    c = client(server)
    kept = c.make(root, b'kept', b'text')

    def many():
        for i in range(700):
            c.make(root, b'f%d' % i)
            ok(c.remove(root, b'f%d' % i))
    many()
    many()
    state = server_state(server)
    table = os.path.join(state, [n for n in os.listdir(state)
                                 if n.startswith('dir-')][0])
    size = os.path.getsize(table)
    server.stop()
    server, root = serve_as_nobody()
    assert ok(client(server).read(kept)).data == b'text'
    assert os.path.getsize(table) < size / 10


def test_handles_outlive_a_restart_without_root(serve_as_nobody, where,
                                                client):
    os.makedirs(where + '/a/b')
    put(where + '/a/b', 'f', b'text')
    server, root = serve_as_nobody()
    c = client(server)
    sub = c.find(c.find(root, b'a'), b'b')
    fh = c.find(sub, b'f')
    made = c.make(root, b'made', b'by us')
    ok(c.rename(root, b'made', root, b'moved'))
    listed = {e.name: e.name_handle._data.data
              for e in ok(c.readdirplus(root)).reply.entries}
    server.stop(signal.SIGKILL)
    server, again = serve_as_nobody()
    c = client(server)
    assert again == root
    assert ok(c.read(fh)).data == b'text'
    assert ok(c.read(made)).data == b'by us'
    assert c.find(sub, b'f') == fh
    assert c.attr(listed[b'a']).type == nfs3.NF3DIR


def test_a_table_that_is_damaged_costs_handles_and_no_more(
        serve_as_nobody, where, client, tmp_path):
    put(where, 'f', b'text')
    server, root = serve_as_nobody()
    fh = client(server).find(root, b'f')
    state = server_state(server)
    server.stop(signal.SIGKILL)
    table = [n for n in os.listdir(state) if n.startswith('dir-')][0]
    path = os.path.join(state, table)
    with open(path, 'rb') as f:
        good = f.read()
    for bad in (b'', good[:-1], b'\xff' * 300, good[:8] + b'\xff' * 20):
        with open(path, 'wb') as f:
            f.write(bad)
        server, root = serve_as_nobody()
        c = client(server)
        fails(c.getattr(fh), nfs3.NFS3ERR_STALE)
        assert c.find(root, b'f') == fh
        assert ok(c.read(fh)).data == b'text'
        server.stop()


def server_state(server):
    args = server.process.args
    return args[args.index('--state-dir') + 1]


def test_a_mode_that_shuts_the_owner_out_does_not_end_an_open(
        serve_as_nobody, where, client):
    """Version 3 has no open: a descriptor of ours stands for it."""
    server, root = serve_as_nobody()
    c = client(server)
    fh = c.make(root, b'f', b'text', mode=0o444)
    ok(c.write(fh, 4, b' and more'))
    assert ok(c.read(fh)).data == b'text and more'
    assert stat.S_IMODE(os.stat(where + '/f').st_mode) == 0o444
