"""What clients change in an archive is in memory, and the archive is as it
was: names that hide and replace, content beside it, the limit, the end."""

import gzip
import hashlib
import random
import re
import zipfile

import nfs3
import nfs4 as x
import nfs4_ops as op
import pytest
from archive_checks import mount_of
from archives import (archive, directory, link, member, old_gnu_sparse, pax,
                      symlink)
from nfs4_client import Client1
from test_tarfs_index import eventually, replace
from wire import Nfs3, fails, made, ok, root_of

BIG = bytes(random.Random(1).randbytes(300000))
HOLES = bytes(5000) + b'd' * 1024 + bytes(70000) + b'e' * 512
SPARSE = old_gnu_sparse(b'sparse', len(HOLES), [(5000, 1024), (76024, 512)],
                        b'd' * 1024 + b'e' * 512)
PARTS = (directory(b'./'), directory(b'd/'), member(b'd/big', BIG),
         member(b'd/small', b'small'), link(b'd/hard', b'd/big'), SPARSE,
         symlink(b'ln', b'd/small'), directory(b'd/sub/'),
         member(b'd/sub/one', b'1'), member(b'implied/two', b'22'),
         directory(b'empty/'))


def write_archive(path, *parts):
    data = archive(*parts)
    path.write_bytes(gzip.compress(data, 1) if path.suffix == '.gz' else data)
    return hashlib.sha256(path.read_bytes()).digest()


@pytest.fixture(params=['x.tar', 'x.tar.gz'])
def tar(start, tmp_path, request):
    """A server of PARTS, which must be there when all is done."""
    path = tmp_path / request.param
    was = write_archive(path, *PARTS)
    server = start('--cache-dir', str(tmp_path), str(path), fs='tar')
    yield server
    assert hashlib.sha256(path.read_bytes()).digest() == was
    assert server.stop() == 0, server.text()


# ---------------------------------------------------------------- a model --

class Node:
    def __init__(self, fh, kind, data=b''):
        self.fh, self.kind, self.data = fh, kind, bytearray(data)
        self.nlink = 2 if kind == 'dir' else 0
        self.names = {}

    def put(self, name, node):
        self.names[name] = node
        node.nlink += node.kind != 'dir'
        self.nlink += node.kind == 'dir'

    def drop(self, name):
        node = self.names.pop(name)
        node.nlink -= 2 if node.kind == 'dir' else 1
        self.nlink -= node.kind == 'dir'


class Model:
    """A tree of PARTS, and the same changes made to it and to the server."""

    def __init__(self, c, c4, root, seed):
        self.c, self.c4, self.random = c, c4, random.Random(seed)
        self.root = Node(root, 'dir')
        d = self.old(self.root, b'd', 'dir')
        self.old(d, b'big', 'reg', BIG)
        self.old(d, b'small', 'reg', b'small')
        d.put(b'hard', d.names[b'big'])
        self.old(self.old(d, b'sub', 'dir'), b'one', 'reg', b'1')
        self.old(self.root, b'sparse', 'reg', HOLES)
        self.old(self.root, b'ln', 'lnk', b'd/small')
        self.old(self.old(self.root, b'implied', 'dir'), b'two', 'reg', b'22')
        self.old(self.root, b'empty', 'dir')
        self.ids = {}

    def old(self, d, name, kind, data=b''):
        node = Node(self.c.find(d.fh, name), kind, data)
        d.put(name, node)
        return node

    def all(self, kind=None):
        found, todo = [], [self.root]
        while todo:
            node = todo.pop()
            if node not in found:
                found.append(node)
                todo += node.names.values()
        return [n for n in found if kind in (None, n.kind)]

    def pick(self, kind):
        return self.random.choice(self.all(kind) or [None])

    def name(self):
        return self.random.choice(
            [b'n%d' % self.random.randrange(12), b'big', b'small', b'hard',
             b'sub', b'one', b'two', b'sparse', b'd', b'ln', b'empty'])

    def step(self):
        getattr(self, 'do_' + self.random.choice(
            ['create', 'create', 'mkdir', 'symlink', 'remove', 'rmdir',
             'rename', 'rename', 'link', 'write', 'write', 'write',
             'truncate', 'punch', 'allocate', 'clone']))()

    # Each does it twice.

    def make(self, d, name, res, kind, data=b''):
        if name in d.names:
            assert res.status == nfs3.NFS3ERR_EXIST
        else:
            d.put(name, Node(made(res), kind, data))

    def do_create(self):
        d, name = self.pick('dir'), self.name()
        self.make(d, name, self.c.create(d.fh, name, nfs3.GUARDED), 'reg')

    def do_mkdir(self):
        d, name = self.pick('dir'), self.name()
        self.make(d, name, self.c.mkdir(d.fh, name), 'dir')

    def do_symlink(self):
        d, name = self.pick('dir'), self.name()
        self.make(d, name, self.c.symlink(d.fh, name, b'to'), 'lnk', b'to')

    def gone(self, d, name, kind):
        node = d.names.get(name)
        if node is None:
            return nfs3.NFS3ERR_NOENT
        if (node.kind == 'dir') != (kind == 'dir'):
            return (nfs3.NFS3ERR_NOTDIR if kind == 'dir' else
                    nfs3.NFS3ERR_ISDIR)
        if node.names:
            return nfs3.NFS3ERR_NOTEMPTY
        return nfs3.NFS3_OK

    def do_remove(self):
        d, name = self.pick('dir'), self.name()
        want = self.gone(d, name, 'reg')
        assert self.c.remove(d.fh, name).status == want
        if want == 0:
            d.drop(name)

    def do_rmdir(self):
        d, name = self.pick('dir'), self.name()
        want = self.gone(d, name, 'dir')
        assert self.c.rmdir(d.fh, name).status == want
        if want == 0:
            d.drop(name)

    def below(self, node, top):
        return node is top or any(self.below(node, n)
                                  for n in top.names.values())

    def do_rename(self):
        a, old = self.pick('dir'), self.name()
        b, new = self.pick('dir'), self.name()
        node, victim = a.names.get(old), b.names.get(new)
        if node is None:
            want = nfs3.NFS3ERR_NOENT
        elif victim is node:
            want = nfs3.NFS3_OK
        elif node.kind == 'dir' and self.below(b, node):
            want = nfs3.NFS3ERR_INVAL
        elif victim is not None:
            want = self.gone(b, new, node.kind)
        else:
            want = nfs3.NFS3_OK
        status = self.c.rename(a.fh, old, b.fh, new).status
        assert status == want or (want in (
            nfs3.NFS3ERR_ISDIR, nfs3.NFS3ERR_NOTDIR) and
            status == nfs3.NFS3ERR_EXIST), (status, want)
        if want == 0 and victim is not node:
            if victim is not None:
                b.drop(new)
            a.names.pop(old)
            b.names[new] = node
            if node.kind == 'dir':
                a.nlink -= 1
                b.nlink += 1

    def do_link(self):
        node, d, name = self.pick('reg'), self.pick('dir'), self.name()
        if node is None:
            return
        want = nfs3.NFS3ERR_EXIST if name in d.names else nfs3.NFS3_OK
        assert self.c.link(node.fh, d.fh, name).status == want
        if want == 0:
            d.put(name, node)

    def place(self, node):
        size = len(node.data)
        return self.random.randrange(min(size + 3000, 400000) + 1), \
            self.random.choice([1, 100, 5000, 65536, 20000])

    def do_write(self):
        node = self.pick('reg')
        if node is None:
            return
        at, n = self.place(node)
        data = self.random.randbytes(n)
        assert ok(self.c.write(node.fh, at, data)).count == n
        self.overwrite(node, at, data)

    @staticmethod
    def overwrite(node, at, data):
        if len(node.data) < at + len(data):
            node.data.extend(bytes(at + len(data) - len(node.data)))
        node.data[at:at + len(data)] = data

    def do_truncate(self):
        node = self.pick('reg')
        if node is None:
            return
        at = self.random.choice([0, self.place(node)[0]])
        ok(self.c.setattr(node.fh, size=at))
        node.data[at:] = bytes(max(at - len(node.data), 0))

    def do_punch(self):
        node = self.pick('reg')
        if node is None:
            return
        at, n = self.place(node)
        self.c4.ok(op.putfh(node.fh), op.deallocate(at, n))
        stop = min(at + n, len(node.data))
        if at < stop:
            node.data[at:stop] = bytes(stop - at)

    def do_allocate(self):
        node = self.pick('reg')
        if node is None:
            return
        at, n = self.place(node)
        self.c4.ok(op.putfh(node.fh), op.allocate(at, n))
        self.overwrite(node, len(node.data),
                       bytes(max(at + n - len(node.data), 0)))

    def do_clone(self):
        a, b = self.pick('reg'), self.pick('reg')
        if a is None or a is b:
            return
        self.c4.ok(op.putfh(a.fh), op.savefh(), op.putfh(b.fh),
                   op.clone(op.ANON, op.ANON))
        self.overwrite(b, 0, bytes(a.data))

    # And looks whether both are the same.

    def check(self):
        for node in self.all():
            attr = self.c.attr(node.fh)
            assert attr.nlink == node.nlink
            assert self.ids.setdefault(node.fh, attr.fileid) == attr.fileid
            if node.kind == 'dir':
                names = self.c.names(node.fh, 600)
                assert sorted(names) == sorted(node.names)
                for name, child in node.names.items():
                    assert self.c.find(node.fh, name) == child.fh
            elif node.kind == 'lnk':
                assert ok(self.c.readlink(node.fh)).data == bytes(node.data)
            else:
                assert attr.size == len(node.data)
                assert read_all(self.c, node.fh) == bytes(node.data)
                self.check_holes(node)

    def check_holes(self, node):
        """What SEEK calls a hole is zeros, and it comes to an end."""
        at, size = 0, len(node.data)
        while at < size:
            hole = self.seek(node, at, x.NFS4_CONTENT_HOLE)
            assert at <= hole <= size
            at = size
            if hole < size:
                at = self.seek(node, hole, x.NFS4_CONTENT_DATA)
            assert not any(node.data[hole:at])

    def seek(self, node, at, what):
        res = self.c4.ok(op.putfh(node.fh), op.seek(at, what))[1]
        return len(node.data) if res.sr_eof else res.sr_offset


def read_all(c, fh):
    data = b''
    while True:
        res = ok(c.read(fh, len(data), 65536))
        data += res.data
        if res.eof:
            return data
        assert res.data


@pytest.mark.parametrize('seed', range(3))
def test_random_changes_make_what_they_make_of_a_model(tar, seed):
    with Nfs3(tar.tcp()) as c, Client1(tar, 2) as c4:
        model = Model(c, c4, root_of(tar), seed)
        model.check()
        for _ in range(4):
            for _ in range(60):
                model.step()
            model.check()


# ------------------------------------------------------------------ names --


def test_what_is_removed_may_be_made_again_and_is_another(tar):
    root = root_of(tar)
    with Nfs3(tar.tcp()) as c:
        d = c.find(root, b'd')
        old = c.find(d, b'small')
        ok(c.remove(d, b'small'))
        assert not c.is_there(d, b'small')
        assert c.getattr(old).status == nfs3.NFS3ERR_STALE
        new = c.make(d, b'small', b'new')
        assert new != old
        assert c.attr(new).fileid >> 63
        assert sorted(c.names(d)) == [b'big', b'hard', b'small', b'sub']
        assert read_all(c, new) == b'new'


def test_cookies_of_the_archive_stay_and_new_ones_come_behind(tar):
    root = root_of(tar)
    with Nfs3(tar.tcp()) as c:
        was = {e.name: e.cookie for e in c.entries(root)}
        for i in range(300):
            c.make(root, b'new%d' % i)
        ok(c.remove(root, b'sparse'))
        entries = c.entries(root, 700)
        cookies = [e.cookie for e in entries]
        assert cookies == sorted(set(cookies))
        for e in entries:
            assert was.get(e.name, 1 << 31) == e.cookie or (
                e.name not in was and 1 << 31 <= e.cookie < 1 << 32)
        # A listing goes on behind what went meanwhile.
        at = [e.name for e in entries].index(b'new7')
        for i in range(5, 10):
            ok(c.remove(root, b'new%d' % i))
        rest = ok(c.readdir(root, entries[at].cookie)).reply.entries
        assert rest[0].name == b'new10'


def test_a_directory_of_the_archive_moves_with_all_it_has(tar):
    root = root_of(tar)
    with Nfs3(tar.tcp()) as c, Client1(tar, 2) as c4:
        d, one = c.find(root, b'd'), None
        sub = c.find(d, b'sub')
        one = c.find(sub, b'one')
        fails(c.rename(root, b'd', sub, b'x'), nfs3.NFS3ERR_INVAL)
        fails(c.rename(root, b'empty', root, b'd'), nfs3.NFS3ERR_NOTEMPTY)
        ok(c.rename(d, b'sub', root, b'empty'))
        assert c.find(root, b'empty') == sub
        assert c.find(sub, b'one') == one
        assert c4.ok(op.putfh(sub), op.lookupp(), op.getfh())[
            2].object == root
        assert (c.attr(d).nlink, c.attr(root).nlink) == (2, 5)


def test_writing_into_a_big_member_takes_what_is_written(start, tmp_path):
    path = tmp_path / 'x.tar'
    write_archive(path, member(b'big', BIG * 10))
    server = start('--size', '100K', str(path), fs='tar')
    root = root_of(server)
    with Nfs3(server.tcp()) as c:
        fh = c.find(root, b'big')
        assert ok(c.write(fh, 1234567, b'x')).count == 1
        want = bytearray(BIG * 10)
        want[1234567] = ord('x')
        assert read_all(c, fh) == bytes(want)
        # Until there is no more; what is removed makes room.
        status = 0
        for at in range(0, 200000, 10000):
            res = c.write(fh, at, b'y' * 10000)
            status = res.status
            if status != 0:
                break
            n = ok(res).count
            want[at:at + n] = b'y' * n
        assert status == nfs3.NFS3ERR_NOSPC
        assert read_all(c, fh) == bytes(want)
        ok(c.setattr(fh, size=0))
        ok(c.write(fh, 0, b'z' * 50000))
        for i in range(1000):
            status = c.create(root, b'%d' % i).status
            if status != 0:
                break
        assert status == nfs3.NFS3ERR_NOSPC
        assert ok(c.fsstat(root)).fbytes < 1000
        ok(c.remove(root, b'big'))
        ok(c.remove(root, b'1'))
        assert ok(c.fsstat(root)).fbytes > 50000
        c.make(root, b'new', b'w' * 20000)


def test_members_of_a_zip_are_written_over(start, tmp_path):
    path = tmp_path / 'x.zip'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('packed', BIG)
        z.writestr('d/small', b'small')
    server = start(str(path), fs='tar')
    root = root_of(server)
    with Nfs3(server.tcp()) as c:
        fh = c.find(root, b'packed')
        ok(c.write(fh, 150000, b'x' * 1000))
        assert read_all(c, fh) == BIG[:150000] + b'x' * 1000 + BIG[151000:]
        ok(c.rename(c.find(root, b'd'), b'small', root, b'packed'))
        assert read_all(c, c.find(root, b'packed')) == b'small'


# ------------------------------------------------------------------ others --


def test_what_was_open_is_read_on_when_its_name_is_gone(tar):
    root = root_of(tar)
    with Client1(tar, 2) as c4, Nfs3(tar.tcp()) as c:
        d = c.find(root, b'd')
        opened = c4.open(d, b'small')
        ok(c.remove(d, b'small'))
        assert c4.contents(opened.fh) == b'small'
        assert c.attr(opened.fh).nlink == 0
        c4.close_file(opened)
        assert c.getattr(opened.fh).status == nfs3.NFS3ERR_STALE


def test_extended_attributes_of_a_member_change(start, tmp_path):
    path = tmp_path / 'x.tar'
    write_archive(path, pax((b'SCHILY.xattr.user.a', b'1'),
                            (b'SCHILY.xattr.trusted.b', b'2'),
                            (b'SCHILY.xattr.user.c', b'3')), member(b'f'))
    server = start(str(path), fs='tar')
    with Client1(server, 2) as c4:
        fh = c4.find(root_of(server), b'f')
        c4.ok(op.putfh(fh), op.setxattr(b'd', b'4'), op.removexattr(b'a'),
              op.setxattr(b'c', b'33'))
        names = c4.ok(op.putfh(fh), op.listxattrs())[1].lxr_names
        assert [bytes(n) for n in names] == [b'c', b'd']
        assert c4.ok(op.putfh(fh), op.getxattr(b'c'))[1] == b'33'
        c4.fails(x.NFS4ERR_NOXATTR, op.putfh(fh), op.getxattr(b'a'))


def test_what_the_archive_was_cut_of_stays_an_error(start, tmp_path):
    path = tmp_path / 'x.tar'
    path.write_bytes(member(b'cut', BIG)[:100000])
    server = start(str(path), fs='tar')
    with Nfs3(server.tcp()) as c:
        fh = c.find(root_of(server), b'cut')
        there = 100000 - 512
        ok(c.write(fh, 200000, b'x' * 5000))
        assert ok(c.read(fh, there - 1, 100)).data == BIG[there - 1:there]
        assert c.read(fh, there, 100).status == nfs3.NFS3ERR_IO
        assert c.read(fh, 199999, 100).status == nfs3.NFS3ERR_IO
        assert ok(c.read(fh, 200000, 5000)).data == b'x' * 5000
        # No hole, or programs would take it for zeros.
        with Client1(server, 2) as c4:
            for what, at, found in ((x.NFS4_CONTENT_HOLE, 0, len(BIG)),
                                    (x.NFS4_CONTENT_HOLE, there, len(BIG)),
                                    (x.NFS4_CONTENT_DATA, there, there),
                                    (x.NFS4_CONTENT_DATA, 250000, 250000)):
                res = c4.ok(op.putfh(fh), op.seek(at, what))[1]
                assert res.sr_offset == found
        ok(c.setattr(fh, size=there))
        ok(c.setattr(fh, size=150000))
        assert read_all(c, fh) == BIG[:there] + bytes(150000 - there)


def test_times_and_change_counters_of_a_member_move_once_it_changes(tar):
    root = root_of(tar)
    with Nfs3(tar.tcp()) as c, Client1(tar, 2) as c4:
        d = c.find(root, b'd')
        fh = c.find(d, b'small')
        before, change = c.attr(fh), c4.get(fh, 'change')
        assert c.attr(fh) == before and before.mtime.seconds == 1000
        ok(c.setattr(fh, mode=0o600))
        chmod = c.attr(fh)
        assert chmod.mtime == before.mtime and chmod.ctime != before.ctime
        ok(c.write(fh, 0, b'S'))
        after = c.attr(fh)
        assert after.mtime == after.ctime and after.mtime.seconds > 1000
        assert c4.get(fh, 'change') > change
        assert after.fileid == before.fileid and after.size == 5
        assert read_all(c, fh) == b'Small'
        ok(c.setattr(fh, mtime=(77, 5)))
        assert c.attr(fh).mtime.seconds == 77


def test_the_last_line_says_what_is_dropped(start, tmp_path):
    path = tmp_path / 'x.tar'
    write_archive(path, *PARTS)
    server = start(str(path), fs='tar')
    root = root_of(server)
    with Nfs3(server.tcp()) as c:
        d = c.find(root, b'd')
        c.make(d, b'new')
        c.make(root, b'other')
        c.make(root, b'gone')
        ok(c.remove(root, b'gone'))
        ok(c.rename(root, b'other', d, b'small'))       # in its place
        ok(c.write(c.find(d, b'big'), 0, b'x'))
        ok(c.remove(root, b'ln'))
        ok(c.rename(root, b'sparse', root, b'moved'))
    assert server.stop() == 0
    assert re.search(r'tarfs: \S*x\.tar: 2 new, 2 changed, 2 removed: '
                     'dropped\n', server.text()), server.text()


def test_nothing_is_made_before_it_is_known_what_is_there(start, tmp_path):
    """Decoding takes a while, in which a client asks for a name that is the
    archive's; and for a change of what a later member replaces."""
    path = tmp_path / 'x.tar.gz'
    write_archive(path, member(b'first', b'old'), member(b'zeros',
                  bytes(64 << 20)), member(b'last', b'!'),
                  member(b'first', b'new'))
    server = start('--cache-dir', str(tmp_path), str(path), fs='tar')
    root = root_of(server)
    with Nfs3(server.tcp()) as c:
        res = c.create(root, b'last', nfs3.GUARDED)
        while res.status == nfs3.NFS3ERR_JUKEBOX:
            res = c.create(root, b'last', nfs3.GUARDED)
        assert res.status == nfs3.NFS3ERR_EXIST
        assert read_all(c, c.find(root, b'first')) == b'new'


def test_nothing_new_is_there_after_a_restart_and_no_handle_is_mistaken(
        start, tmp_path):
    path, state = tmp_path / 'x.tar', tmp_path / 'server'
    state.mkdir()
    write_archive(path, *PARTS)
    first = start(str(path), fs='tar', directory=state)
    root = root_of(first)
    with Nfs3(first.tcp()) as c:
        d = c.find(root, b'd')
        new, big = c.make(root, b'new'), c.find(d, b'big')
        ok(c.write(big, 0, b'x'))
        ok(c.remove(d, b'small'))
    first.stop()
    second = start(str(path), fs='tar', directory=state)
    with Nfs3(second.tcp()) as c:
        assert c.make(root, b'another') != new
        assert c.getattr(new).status == nfs3.NFS3ERR_STALE
        assert read_all(c, big) == BIG
        assert c.is_there(d, b'small')


def test_what_was_changed_goes_with_an_archive_that_is_lost(start, tmp_path):
    """In its place comes a zip, of which there is a half at first."""
    path = tmp_path / 'x.tar'
    write_archive(path, *PARTS)
    with zipfile.ZipFile(tmp_path / 'zip', 'w') as z:
        z.writestr('other', BIG)
    data = (tmp_path / 'zip').read_bytes()
    server = start('--root', str(tmp_path), fs='tar')
    root = root_of(server, b'/x.tar')
    with Nfs3(server.tcp()) as c:
        d = c.find(root, b'd')
        new, small, big = (c.make(root, b'new', b'1'), c.find(d, b'small'),
                           c.find(d, b'big'))
        ok(c.write(small, 0, b'S'))
        ok(c.setattr(big, mode=0o600))
        ok(c.remove(root, b'ln'))
        replace(path, data[:100000])

        def all_stale():
            return {res.status for fh in (root, d, new, small, big)
                    for res in (c.write(fh, 0, b'w'), c.read(fh, 0, 1),
                                c.lookup(fh, b'small'), c.getattr(fh),
                                c.setattr(fh, mode=0o644),
                                c.readdir(fh, 0))} == {nfs3.NFS3ERR_STALE}

        eventually(all_stale)
        with open(path, 'ab') as f:
            f.write(data[100000:])
        eventually(lambda: mount_of(server, b'/x.tar').fhs_status == 0)
        now = root_of(server, b'/x.tar')
        assert now != root and c.names(now) == [b'other']
        assert read_all(c, c.find(now, b'other')) == BIG
        assert all_stale()
    assert server.stop() == 0
    assert re.search(r'x\.tar: 1 new, \d changed, 1 removed: dropped\n',
                     server.text()), server.text()


def test_what_was_changed_is_of_the_members_there_were(start, tmp_path):
    """An archive that was written over in its middle has others, with other
    numbers; what did not become another object is as in the archive."""
    path = tmp_path / 'x.tar'
    ends = member(b'a', bytes(100000)), member(b'z', BIG)
    write_archive(path, ends[0], member(b'm'), member(b'n'), ends[1])
    server = start('--root', str(tmp_path), fs='tar')
    root = root_of(server, b'/x.tar')
    with Nfs3(server.tcp()) as c:
        z, n = c.find(root, b'z'), c.find(root, b'n')
        ok(c.setattr(z, mode=0o600))
        ok(c.write(z, 0, b'new'))
        write_archive(path, ends[0], member(b'o', b'1'), ends[1])
        eventually(lambda: c.is_there(root, b'o'))
        assert c.getattr(n).status == nfs3.NFS3ERR_STALE
        assert c.find(root, b'z') == z and c.attr(z).mode == 0o644
        assert read_all(c, z) == BIG
        ok(c.write(z, 1, b'again'))
        # The same contents leave what was changed.
        change = c.attr(root).ctime
        write_archive(path, ends[0], member(b'o', b'1'), ends[1])
        eventually(lambda: c.attr(root).ctime != change)
        assert read_all(c, z) == BIG[:1] + b'again' + BIG[6:]
    assert server.stop() == 0
    assert server.text().count('0 new, 1 changed, 0 removed: dropped') == 2


@pytest.mark.parametrize('named', [True, False])
def test_with_o_ro_nothing_changes_and_there_is_no_line(start, tmp_path,
                                                        named):
    path = tmp_path / 'x.tar'
    write_archive(path, *PARTS)
    server = start('-o', 'ro', '--root', str(tmp_path),
                   *([str(path)] if named else []), fs='tar')
    root = root_of(server, b'/' if named else b'/x.tar')
    with Nfs3(server.tcp()) as c:
        for res in (c.create(root, b'new'), c.remove(root, b'ln'),
                    c.write(c.find(root, b'sparse'), 0, b'x'),
                    c.setattr(root, mode=0o700)):
            assert res.status == nfs3.NFS3ERR_ROFS
        assert ok(c.fsstat(root)).fbytes == 0
    assert server.stop() == 0
    assert 'dropped' not in server.text()


def test_all_archives_share_the_limit(start, tmp_path):
    write_archive(tmp_path / 'a.tar', member(b'a', BIG))
    write_archive(tmp_path / 'b.tar', member(b'b', BIG))
    server = start('--size', '200K', '--root', str(tmp_path), fs='tar')
    a, b = root_of(server, b'/a.tar'), root_of(server, b'/b.tar')
    with Nfs3(server.tcp()) as c:
        ok(c.write(c.find(a, b'a'), 0, b'x' * 150000))
        res = c.write(c.find(b, b'b'), 0, b'x' * 150000)
        assert res.status == nfs3.NFS3ERR_NOSPC or ok(res).count < 60000
        ok(c.remove(a, b'a'))
        assert ok(c.write(c.find(b, b'b'), 0, b'x' * 150000)).count == 150000
