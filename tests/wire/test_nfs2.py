"""NFS version 2, every procedure (RFC 1094), and the limits it has."""

import stat
import time

import nfs2
import nfs3
import pytest
import wire
from nfs2 import (NFSERR_ACCES, NFSERR_EXIST, NFSERR_FBIG, NFSERR_IO,
                  NFSERR_ISDIR, NFSERR_NAMETOOLONG, NFSERR_NOENT,
                  NFSERR_NOTDIR, NFSERR_NOTEMPTY, NFSERR_NXIO, NFSERR_PERM,
                  NFSERR_ROFS, NFSERR_STALE)
from wire import LEAVE, NFS, Nfs2, Nfs3, fails, ok, u32

BAD_NAMES = [b'', b'.', b'..', b'a/b', b'a\0b']


def test_null_root_and_writecache_take_and_give_nothing(c2):
    for proc in (0, 3, 7):
        assert c2.transport.call(NFS, 2, proc) == b''


# ------------------------------------------------------------ attributes --


def test_getattr_tells_the_type_twice(c2, d):
    fh = c2.make(d, b'f', b'12345', mode=0o640)
    a = c2.attr(fh)
    assert (a.type, a.mode) == (nfs2.NFREG, stat.S_IFREG | 0o640)
    assert (a.nlink, a.size) == (1, 5)
    assert a.fileid != 0
    assert a.blocksize > 0
    a = c2.attr(d)
    assert (a.type, a.mode) == (nfs2.NFDIR, stat.S_IFDIR | 0o777)


def test_setattr_leaves_alone_what_is_all_ones(c2, d):
    fh = c2.make(d, b'f', b'12345', mode=0o640)
    old = c2.attr(fh)
    assert ok(c2.setattr(fh)).mode == old.mode
    a = ok(c2.setattr(fh, mode=0o600))
    assert (a.mode, a.size, a.mtime) == (
        stat.S_IFREG | 0o600, 5, old.mtime)
    a = ok(c2.setattr(fh, uid=5, gid=6))
    assert (a.mode & 0o777, a.uid, a.gid) == (0o600, 5, 6)
    a = ok(c2.setattr(fh, size=2))
    assert (a.size, a.uid) == (2, 5)
    a = ok(c2.setattr(fh, atime=(1, 2), mtime=(3, 4)))
    assert (a.atime, a.mtime) == (nfs2.nfstime(1, 2), nfs2.nfstime(3, 4))
    a = ok(c2.setattr(fh, atime=(5, 0)))
    assert (a.atime, a.mtime) == (nfs2.nfstime(5, 0), nfs2.nfstime(3, 4))


def test_a_million_microseconds_is_the_servers_time(c2, d):
    fh = c2.make(d, b'f')
    ok(c2.setattr(fh, atime=(1, 0), mtime=(1, 0)))
    now = time.time()
    a = ok(c2.setattr(fh, atime=(1, 1000000), mtime=(1, 1000000)))
    assert abs(a.mtime.seconds - now) < 5
    assert abs(a.atime.seconds - now) < 5


def test_setattr_is_the_owners(c2, d, server):
    wire_root = c2.make(d, b'f', mode=0o644)
    with Nfs2(server.tcp(wire.user(1000))) as user:
        assert user.setattr(wire_root, mode=0o777).status in (
            NFSERR_PERM, NFSERR_ACCES)
        fails(user.setattr(wire_root, size=0), NFSERR_ACCES)


def test_attributes_are_those_of_version_3(c2, c, d):
    fh2 = c2.make(d, b'f', b'12345', mode=0o640)
    fh3 = c.find(d, b'f')
    assert fh2 == fh3
    a2, a3 = c2.attr(fh2), c.attr(fh3)
    assert a2.mtime.seconds == a3.mtime.seconds
    assert a2.mtime.useconds == a3.mtime.nseconds // 1000
    assert (a2.uid, a2.gid, a2.size, a2.nlink) == (
        a3.uid, a3.gid, a3.size, a3.nlink)


def test_fileids_have_32_bits_and_agree_with_readdir(c2, d):
    for i in range(10):
        c2.make(d, b'f%d' % i)
    for e in c2.entries(d):
        if e.name not in (b'.', b'..'):
            assert e.fileid == c2.attr(c2.find(d, e.name)).fileid != 0


def test_a_size_that_version_2_cannot_say_is_the_greatest_it_can(c2, c, d):
    fh = c.make(d, b'f')
    ok(c.setattr(fh, size=1 << 40))
    assert c2.attr(fh).size >= 0x7fffffff


# ---------------------------------------------------------------- LOOKUP --


def test_lookup_gives_handle_and_attributes(c2, d):
    fh = c2.make(d, b'f', b'123')
    data = ok(c2.lookup(d, b'f'))
    assert data.file == fh
    assert data.attributes == c2.attr(fh)
    assert c2.find(d, b'.') == d


def test_lookup_errors(c2, d):
    fh = c2.make(d, b'f')
    fails(c2.lookup(d, b'nothing'), NFSERR_NOENT)
    fails(c2.lookup(fh, b'x'), NFSERR_NOTDIR)


@pytest.mark.parametrize('name', [b'', b'a/b', b'a\0b'])
def test_lookup_of_names_that_cannot_be(c2, d, name):
    assert c2.lookup(d, name).status in (NFSERR_ACCES, NFSERR_NOENT)


def test_names_have_255_bytes_and_more_are_garbage(c2, d):
    import rpc
    fh = c2.make(d, b'n' * 255)
    assert c2.find(d, b'n' * 255) == fh
    with pytest.raises(rpc.GarbageArgs):
        c2.transport.call(NFS, 2, 4, d + u32(256) + b'n' * 256)


# ----------------------------------------------------- READLINK and data --


def test_readlink(c2, d):
    ok_status = c2.symlink(d, b'l', b'some/where', mode=0o777)
    assert ok_status == nfs2.NFS_OK
    fh = c2.find(d, b'l')
    assert ok(c2.readlink(fh)) == b'some/where'
    assert c2.attr(fh).type == nfs2.NFLNK


def test_readlink_of_anything_else_fails(c2, d):
    for fh in (d, c2.make(d, b'f')):
        assert c2.readlink(fh).status in (NFSERR_NXIO, NFSERR_IO,
                                          NFSERR_ACCES)


def test_a_target_longer_than_version_2_can_say_fails(c2, c, d):
    c.make_link(d, b'l', b't' * 2000)
    fh = c2.find(d, b'l')
    assert c2.readlink(fh).status in (NFSERR_NAMETOOLONG, NFSERR_IO)


def test_what_is_written_is_read_in_pieces_of_8_kib(c2, d):
    fh = c2.make(d, b'f')
    blocks = [bytes([i]) * 8192 for i in range(5)]
    for i, b in enumerate(blocks):
        assert ok(c2.write(fh, i * 8192, b)).size == (i + 1) * 8192
    for i, b in enumerate(blocks):
        data = ok(c2.read(fh, i * 8192, 8192))
        assert data.data == b
        assert data.attributes == c2.attr(fh)
    assert ok(c2.read(fh, 40000, 8192)).data == b'\4' * 960
    assert ok(c2.read(fh, 1 << 30, 8192)).data == b''
    assert len(ok(c2.read(fh, 0, 100000)).data) == 8192


def test_a_write_of_more_than_8_kib_is_garbage(c2, d):
    import rpc
    fh = c2.make(d, b'f')
    with pytest.raises(rpc.GarbageArgs):
        c2.transport.call(NFS, 2, 8, fh + u32(0, 0, 0, 8193) + bytes(8196))
    assert c2.attr(fh).size == 0


def test_a_write_beyond_32_bits_is_fbig(c2, d):
    fh = c2.make(d, b'f')
    assert c2.write(fh, 0xfffffff0, bytes(100)).status in (
        NFSERR_FBIG, NFSERR_IO)
    assert c2.attr(fh).size == 0


def test_read_and_write_of_a_directory_are_isdir(c2, d):
    assert c2.read(d).status in (NFSERR_ISDIR, NFSERR_IO, NFSERR_NXIO)
    assert c2.write(d, 0, b'x').status in (
        NFSERR_ISDIR, NFSERR_IO, NFSERR_NXIO)


def test_read_and_write_need_the_right_to(c2, d, server):
    fh = c2.make(d, b'f', b'123', mode=0o600)
    with Nfs2(server.tcp(wire.user(1000))) as user:
        fails(user.read(fh), NFSERR_ACCES)
        fails(user.write(fh, 0, b'x'), NFSERR_ACCES)


# ----------------------------------------------------------------- names --


def test_create_makes_a_file_or_truncates_one(c2, d):
    fh = ok(c2.create(d, b'f', mode=0o640)).file
    ok(c2.write(fh, 0, b'12345'))
    assert ok(c2.create(d, b'f')).file == fh
    assert c2.attr(fh).size == 5
    data = ok(c2.create(d, b'f', size=0))
    assert (data.file, data.attributes.size) == (fh, 0)


def test_create_over_a_directory_fails(c2, d):
    c2.make_dir(d, b'sub')
    assert c2.create(d, b'sub').status in (NFSERR_EXIST, NFSERR_ISDIR)


@pytest.mark.parametrize('mode, size, kind', [
    (stat.S_IFIFO, LEAVE, nfs3.NF3FIFO), (stat.S_IFCHR, LEAVE, nfs3.NF3FIFO),
    (stat.S_IFCHR, 0x103, nfs3.NF3CHR), (stat.S_IFBLK, 0x801, nfs3.NF3BLK),
    (stat.S_IFSOCK, LEAVE, nfs3.NF3SOCK),
    (stat.S_IFREG, LEAVE, nfs3.NF3REG)])
def test_create_with_a_type_in_its_mode_is_mknod(c2, c, d, mode, size, kind):
    data = ok(c2.create(d, b's', mode=mode | 0o600, size=size))
    a = c.attr(c.find(d, b's'))
    assert (a.type, a.mode) == (kind, 0o600)
    if kind in (nfs3.NF3CHR, nfs3.NF3BLK):
        assert (a.rdev.specdata1, a.rdev.specdata2) == (
            size >> 8, size & 255)
        assert data.attributes.rdev == size
    assert data.attributes.size == 0
    fails(c2.create(d, b's', mode=stat.S_IFIFO | 0o600), NFSERR_EXIST)


def test_a_fifo_is_a_character_device_without_number(c2, d):
    a = ok(c2.create(d, b'p', mode=stat.S_IFIFO | 0o600)).attributes
    assert a.type == nfs2.NFCHR
    assert a.rdev == 0xffffffff


def test_mkdir_and_rmdir(c2, d):
    data = ok(c2.mkdir(d, b'sub', mode=0o750))
    assert data.attributes.type == nfs2.NFDIR
    assert data.attributes.mode & 0o7777 == 0o750
    fails(c2.mkdir(d, b'sub'), NFSERR_EXIST)
    c2.make(data.file, b'f')
    assert c2.rmdir(d, b'sub') == NFSERR_NOTEMPTY
    assert c2.remove(data.file, b'f') == nfs2.NFS_OK
    assert c2.rmdir(d, b'sub') == nfs2.NFS_OK
    assert c2.rmdir(d, b'sub') == NFSERR_NOENT
    fails(c2.getattr(data.file), NFSERR_STALE)


def test_remove_and_rmdir_know_the_difference(c2, d):
    c2.make_dir(d, b'sub')
    c2.make(d, b'f')
    assert c2.remove(d, b'sub') in (NFSERR_ISDIR, NFSERR_PERM)
    assert c2.rmdir(d, b'f') == NFSERR_NOTDIR
    assert c2.remove(d, b'nothing') == NFSERR_NOENT
    assert sorted(c2.names(d)) == [b'f', b'sub']


def test_rename(c2, d):
    fh = c2.make(d, b'f', b'1')
    c2.make(d, b'g', b'2')
    sub = c2.make_dir(d, b'sub')
    assert c2.rename(d, b'f', d, b'g') == nfs2.NFS_OK
    assert c2.find(d, b'g') == fh
    assert c2.rename(d, b'g', sub, b'h') == nfs2.NFS_OK
    assert c2.find(sub, b'h') == fh
    assert c2.rename(d, b'nothing', d, b'x') == NFSERR_NOENT
    assert c2.rename(sub, b'h', d, b'sub') in (
        NFSERR_ISDIR, NFSERR_EXIST, NFSERR_NOTEMPTY)
    assert c2.rename(d, b'sub', sub, b'x') in (NFSERR_IO, NFSERR_ACCES)


def test_link(c2, d):
    fh = c2.make(d, b'f')
    assert c2.link(fh, d, b'g') == nfs2.NFS_OK
    assert c2.attr(fh).nlink == 2
    assert c2.link(fh, d, b'g') == NFSERR_EXIST
    assert c2.link(d, d, b'h') in (NFSERR_PERM, NFSERR_ISDIR, NFSERR_ACCES)


def test_symlink_over_anything_is_exist(c2, d):
    c2.make(d, b'f')
    assert c2.symlink(d, b'f', b'x') == NFSERR_EXIST


@pytest.mark.parametrize('name', BAD_NAMES)
def test_no_procedure_makes_a_name_that_cannot_be(c2, d, name):
    fh = c2.make(d, b'f')
    for status in (c2.create(d, name).status, c2.mkdir(d, name).status,
                   c2.symlink(d, name, b'x'), c2.link(fh, d, name),
                   c2.rename(d, b'f', d, name)):
        assert status in (NFSERR_ACCES, NFSERR_EXIST, NFSERR_ISDIR,
                          NFSERR_IO, NFSERR_NOENT), status
    assert c2.names(d) == [b'f']


def test_changing_a_directory_needs_write(c2, d, server):
    sub = c2.make_dir(d, b'sub', mode=0o755)
    f = c2.make(sub, b'f', mode=0o666)
    with Nfs2(server.tcp(wire.user(1000))) as user:
        for status in (user.create(sub, b'x').status,
                       user.mkdir(sub, b'x').status,
                       user.symlink(sub, b'x', b'y'), user.remove(sub, b'f'),
                       user.rename(sub, b'f', d, b'x'),
                       user.link(f, sub, b'x')):
            assert status == NFSERR_ACCES


# --------------------------------------------------------------- READDIR --


def test_readdir_pages_and_loses_nothing(c2, d):
    wanted = [b'name%03d' % i for i in range(150)]
    for name in wanted:
        c2.make(d, name)
    for count in (256, 512, 1024, 4096, 8192):
        entries = c2.entries(d, count)
        assert [e.name for e in entries[:2]] == [b'.', b'..']
        assert sorted(e.name for e in entries[2:]) == wanted


def test_a_page_is_never_longer_than_asked(c2, d):
    for i in range(50):
        c2.make(d, b'name%d' % i)
    for count in range(128, 700, 13):
        body = c2.transport.call(NFS, 2, 16, d + bytes(4) + u32(count))
        assert len(body) <= count
        assert nfs2.readdirres.from_bytes(body).status == nfs2.NFS_OK


def test_files_removed_while_listing_lose_nothing(c2, d):
    wanted = [b'name%03d' % i for i in range(150)]
    for name in wanted:
        c2.make(d, name)
    seen, cookie = [], bytes(4)
    while True:
        page = ok(c2.readdir(d, cookie, 512))
        for e in page.entries:
            cookie = e.cookie
            if e.name not in (b'.', b'..'):
                seen.append(e.name)
                assert c2.remove(d, e.name) == nfs2.NFS_OK
        if page.eof:
            break
    assert sorted(seen) == wanted
    assert c2.names(d) == []


def test_readdir_errors(c2, d, server):
    fails(c2.readdir(c2.make(d, b'f')), NFSERR_NOTDIR)
    sub = c2.make_dir(d, b'sub', mode=0o700)
    with Nfs2(server.tcp(wire.user(1000))) as user:
        fails(user.readdir(sub), NFSERR_ACCES)


# ------------------------------------------------------- STATFS and more --


def test_statfs(c2, d):
    s = ok(c2.statfs(d))
    assert s.tsize == 8192
    assert s.bsize > 0
    assert 0 < s.bavail <= s.bfree <= s.blocks <= 0x7fffffff


def test_a_handle_of_something_removed_or_none_at_all_is_stale(c2, d):
    gone = c2.make(d, b'gone')
    c2.make(d, b'there')
    assert c2.remove(d, b'gone') == nfs2.NFS_OK
    for fh in (gone, bytes(32), b'\xff' * 32):
        for res in (c2.getattr(fh), c2.setattr(fh, mode=0o600),
                    c2.lookup(fh, b'x'), c2.readlink(fh), c2.read(fh),
                    c2.write(fh, 0, b'x'), c2.create(fh, b'x'),
                    c2.mkdir(fh, b'x'), c2.readdir(fh), c2.statfs(fh)):
            fails(res, NFSERR_STALE)
        for status in (c2.remove(fh, b'x'), c2.rmdir(fh, b'x'),
                       c2.symlink(fh, b'x', b'y'), c2.link(fh, d, b'x'),
                       c2.rename(fh, b'x', d, b'y'),
                       c2.rename(d, b'there', fh, b'y'),
                       c2.link(d, fh, b'x')):
            assert status == NFSERR_STALE


def test_with_o_ro_everything_that_changes_is_rofs(start):
    server = start('-o', 'ro')
    fh = wire.root_of(server)
    with Nfs2(server.tcp()) as c2:
        for res in (c2.setattr(fh, mode=0o700), c2.create(fh, b'x'),
                    c2.mkdir(fh, b'x'), c2.write(fh, 0, b'x')):
            fails(res, NFSERR_ROFS)
        for status in (c2.remove(fh, b'x'), c2.rmdir(fh, b'x'),
                       c2.symlink(fh, b'x', b'y'),
                       c2.rename(fh, b'x', fh, b'y'), c2.link(fh, fh, b'x')):
            assert status == NFSERR_ROFS
        assert c2.attr(fh).type == nfs2.NFDIR
    server.stop()


def test_both_versions_see_what_the_other_does(c2, c, d):
    fh = c2.make(d, b'f', b'two')
    assert c.names(d) == [b'f']
    assert wire.ok(c.read(fh)).data == b'two'
    ok(c.write(fh, 0, b'333'))
    assert ok(c2.read(fh)).data == b'333'
    with Nfs3(c.transport) as both:
        ok(both.remove(d, b'f'))
    fails(c2.getattr(fh), NFSERR_STALE)
