"""Several exports on one command line: MOUNT, and NFS 2 and 3.

What version 4 makes of them is in test_nfs4_exports.py.
"""

import re

import mount
import nfs2
import nfs3
import pytest
import rpc
import wire
from wire import Nfs2, Nfs3, fails, mount1, mount3, ok, root_of


@pytest.fixture(scope='module')
def many(start):
    """Names only; one of them small, one read-only."""
    return start('-f', 'mem:small', '--size', '1M', '-f', 'mem:frozen',
                 '-o', 'ro', fs='mem:big')


@pytest.fixture(scope='module')
def rooted(start):
    """One of them is the root."""
    return start('-f', 'mem:b')


def test_export_lists_them_in_the_order_they_were_given(many, rooted):
    with mount3(many) as m:
        exports = m.MOUNTPROC3_EXPORT()
    assert [(e.ex_dir, e.ex_groups) for e in exports] == [
        (b'/big', []), (b'/small', []), (b'/frozen', [])]
    with mount1(many) as m:
        assert m.MOUNTPROC_EXPORT() == exports
    with mount3(rooted) as m:
        assert [e.ex_dir for e in m.MOUNTPROC3_EXPORT()] == [b'/', b'/b']


def test_each_is_mounted_by_its_path_in_versions_2_and_3(many):
    seen = set()
    for path in (b'/big', b'/small', b'/frozen'):
        fh = root_of(many, path)
        assert root_of(many, path + b'/') == fh
        with mount1(many) as m:
            res = m.MOUNTPROC_MNT(path)
        assert (res.status, res._data) == (0, fh)
        with Nfs3(many.tcp()) as c, Nfs2(many.tcp()) as c2:
            a = c.attr(fh)
            assert a.type == nfs3.NF3DIR
            assert c2.attr(fh).type == nfs2.NFDIR
            seen.add(a.fsid)
    assert len(seen) == 3


def test_a_path_below_one_and_a_path_of_none(many):
    big = root_of(many, b'/big')
    with Nfs3(many.tcp()) as c:
        sub = c.make_dir(big, b'sub')
    assert root_of(many, b'/big/sub') == sub
    with mount3(many) as m, mount1(many) as m1:
        for path in (b'/', b'', b'/none', b'/bigger', b'/small/sub',
                     b'/big/../small'):
            res = m.MOUNTPROC3_MNT(path)
            assert res.fhs_status == mount.MNT3ERR_NOENT, path
            assert m1.MOUNTPROC_MNT(path).status == 2, path


def test_the_root_of_versions_2_and_3_shows_no_other_export(rooted):
    root, b = root_of(rooted, b'/'), root_of(rooted, b'/b')
    assert root != b
    with Nfs3(rooted.tcp()) as c, Nfs2(rooted.tcp()) as c2:
        assert c.names(root) == []
        fails(c.lookup(root, b'b'), nfs3.NFS3ERR_NOENT)
        assert c2.lookup(root, b'b').status == nfs2.NFSERR_NOENT
        f = c.make(root, b'f')
        fails(c.rename(root, b'f', b, b'f'), nfs3.NFS3ERR_XDEV)
        fails(c.link(f, b, b'f'), nfs3.NFS3ERR_XDEV)
        assert c2.rename(root, b'f', b, b'f') != nfs2.NFS_OK
        assert c.names(b) == [] and c.names(root) == [b'f']
        c.remove(root, b'f')


def test_dump_shows_which_is_mounted(many):
    with mount3(many) as m:
        m.MOUNTPROC3_UMNTALL()
        for path in (b'/big', b'/small', b'/none'):
            m.MOUNTPROC3_MNT(path)
        assert sorted(e.ml_directory for e in m.MOUNTPROC3_DUMP()) == [
            b'/big', b'/small']
        m.MOUNTPROC3_UMNT(b'/big')
        assert [e.ml_directory for e in m.MOUNTPROC3_DUMP()] == [b'/small']
        m.MOUNTPROC3_UMNTALL()


def test_size_and_ro_are_those_of_the_f_before_them(many):
    with Nfs3(many.tcp()) as c:
        big, small, frozen = (root_of(many, p) for p in (
            b'/big', b'/small', b'/frozen'))
        assert ok(c.fsstat(small)).tbytes == 1 << 20
        assert ok(c.fsstat(big)).tbytes == ok(c.fsstat(frozen)).tbytes
        assert ok(c.fsstat(big)).tbytes > 1 << 20
        fails(c.create(frozen, b'f'), nfs3.NFS3ERR_ROFS)
        for fh in (big, small):
            c.make(fh, b'f', mode=0o644)
            ok(c.remove(fh, b'f'))


def test_before_the_first_f_they_are_for_all_without_their_own(start):
    server = start('-o', 'rw', '-f', 'mem:b', '--size', '3M',
                   before=['--size', '2M', '-o', 'ro'], fs='mem:a')
    with Nfs3(server.tcp()) as c:
        a, b = root_of(server, b'/a'), root_of(server, b'/b')
        assert ok(c.fsstat(a)).tbytes == 2 << 20
        assert ok(c.fsstat(b)).tbytes == 3 << 20
        c.make(a, b'f')
        fails(c.create(b, b'f'), nfs3.NFS3ERR_ROFS)
    server.stop()


def test_a_handle_of_one_export_opens_no_other(many):
    """Its file ids are those of the other as well."""
    big, small = root_of(many, b'/big'), root_of(many, b'/small')
    differ = [i for i in range(len(big)) if big[i] != small[i]]
    with Nfs3(many.tcp()) as c:
        for cut in (differ[:len(differ) // 2], differ[len(differ) // 2:]):
            forged = bytearray(big)
            for i in cut:
                forged[i] = small[i]
            assert c.getattr(bytes(forged)).status in (
                nfs3.NFS3ERR_STALE, nfs3.NFS3ERR_BADHANDLE)


def test_handles_of_each_live_through_a_restart(start, tmp_path):
    args = ['-f', 'mem:b', '--state-dir', str(tmp_path / 'state')]
    server = start(*args, fs='mem:a', directory=tmp_path)
    before = [root_of(server, p) for p in (b'/a', b'/b')]
    server.stop()
    server = start(*args, fs='mem:a', directory=tmp_path)
    assert [root_of(server, p) for p in (b'/a', b'/b')] == before
    server.stop()


def test_it_says_what_it_serves_and_how_to_mount_all_and_one(many, rooted):
    text = many.text()
    assert 'serving mem:big, mem:small, mem:frozen (ro) on ' in text
    assert [re.sub(r'port=\d+', 'port=N', line.split('sudo ')[1])
            for line in text.splitlines() if 'sudo ' in line] == [
        'mount -t nfs -o vers=4.2,port=N 127.0.0.1:%s /mnt' % path
        for path in ('/', '/big')]
    assert ',locallocks 127.0.0.1:/big DIR' in text
    text = rooted.text()
    assert 'serving mem, mem:b on ' in text
    assert ' 127.0.0.1:/ /mnt' in text and ' 127.0.0.1:/b /mnt' in text


def test_one_alone_with_a_name_is_mounted_by_it_and_as_the_root(start):
    server = start(fs='mem:only')
    assert root_of(server, b'/') == root_of(server, b'/only')
    assert 'serving mem:only on ' in server.text()
    assert ' 127.0.0.1:/only /mnt' in server.text()
    assert 'or one' not in server.text()
    server.stop()


def test_64_exports_are_served(start):
    args = [a for i in range(1, 64) for a in ('-f', 'mem:x%d' % i)]
    server = start(*args, fs='mem:x0')
    with mount3(server) as m:
        assert [e.ex_dir for e in m.MOUNTPROC3_EXPORT()] == [
            b'/x%d' % i for i in range(64)]
    assert len({root_of(server, b'/x%d' % i) for i in range(64)}) == 64
    server.stop()


def test_an_address_of_ipv6_is_written_as_in_a_mount_line(start, has_ipv6):
    server = start('--addr', '::1', '-f', 'mem:b')
    assert 'on [::1]:%d' % server.port in server.text()
    assert ' [::1]:/ /mnt' in server.text()
    with server.tcp(rpc.NO_AUTH, host='::1') as t:
        assert t.call(wire.NFS, 3, 0) == b''
    server.stop()
