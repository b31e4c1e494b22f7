"""MOUNT versions 1 and 3 (RFC 1094 appendix A, RFC 1813 appendix I)."""

import mount
import nfs3
import pytest
import rpc
import wire
from wire import MOUNT, Nfs3, mount1, mount3, ok, u32


def test_null_and_umntall_of_each_version(server):
    with server.tcp() as t:
        for vers in (1, 3):
            assert t.call(MOUNT, vers, 0) == b''
            assert t.call(MOUNT, vers, 4) == b''


def test_mnt_3_gives_a_handle_and_at_least_one_flavour(server):
    with mount3(server) as m:
        res = m.MOUNTPROC3_MNT(b'/')
    assert res.fhs_status == mount.MNT3_OK
    assert 0 < len(res._data.fhandle) <= 64
    assert rpc.AUTH_SYS in res._data.auth_flavors
    with Nfs3(server.tcp()) as c:
        assert c.attr(res._data.fhandle).type == nfs3.NF3DIR


def test_mnt_1_gives_a_handle_of_32_bytes_the_same(server, root_fh):
    with mount1(server) as m:
        res = m.MOUNTPROC_MNT(b'/')
    assert res.status == 0
    assert res._data == root_fh


def test_mnt_of_a_directory_below_gives_its_handle(server, c, d):
    parent = [e.name for e in c.entries(wire.root_of(server))
              if c.is_there(wire.root_of(server), e.name) and
              c.find(wire.root_of(server), e.name) == d][0]
    sub = c.make_dir(d, b'sub')
    with mount3(server) as m:
        for path in (b'/' + parent + b'/sub', b'/' + parent + b'/sub/',
                     b'//' + parent + b'//sub'):
            res = m.MOUNTPROC3_MNT(path)
            assert res.fhs_status == mount.MNT3_OK
            assert res._data.fhandle == sub
    with mount1(server) as m:
        assert m.MOUNTPROC_MNT(b'/' + parent + b'/sub')._data == sub


def test_mnt_of_nothing_is_noent_and_of_a_file_notdir(server, c, root_fh):
    c.create(root_fh, b'a-file')
    with mount3(server) as m:
        assert m.MOUNTPROC3_MNT(b'/nothing').fhs_status == \
            mount.MNT3ERR_NOENT
        assert m.MOUNTPROC3_MNT(b'/a-file').fhs_status == \
            mount.MNT3ERR_NOTDIR
        assert m.MOUNTPROC3_MNT(b'/a-file/x').fhs_status == \
            mount.MNT3ERR_NOTDIR
        assert m.MOUNTPROC3_MNT(b'/' + b'n' * 300).fhs_status == \
            mount.MNT3ERR_NAMETOOLONG
    with mount1(server) as m:
        assert m.MOUNTPROC_MNT(b'/nothing').status == 2
        assert m.MOUNTPROC_MNT(b'/a-file').status == 20


@pytest.mark.parametrize('path', [b'/..', b'/../..', b'/./.', b'/../etc'])
def test_dots_in_a_path_do_not_lead_out(server, root_fh, path):
    with mount3(server) as m:
        res = m.MOUNTPROC3_MNT(path)
    assert res.fhs_status != mount.MNT3_OK or res._data.fhandle == root_fh


@pytest.mark.parametrize('path', [b'', b'relative', b'\0', b'/\xff'])
def test_mnt_of_odd_paths_fails_or_is_the_root(server, root_fh, path):
    with mount3(server) as m:
        res = m.MOUNTPROC3_MNT(path)
    assert res.fhs_status != mount.MNT3_OK or res._data.fhandle == root_fh


def test_a_path_of_more_than_1024_bytes_is_garbage(server):
    with server.tcp() as t:
        with pytest.raises(rpc.GarbageArgs):
            t.call(MOUNT, 3, 1, u32(1025) + b'/' * 1028)
        with pytest.raises(rpc.GarbageArgs):
            t.call(MOUNT, 1, 1, u32(1025) + b'/' * 1028)


def test_export_lists_the_root_for_everybody(server):
    with mount3(server) as m:
        exports = m.MOUNTPROC3_EXPORT()
    assert [(e.ex_dir, e.ex_groups) for e in exports] == [(b'/', [])]
    with mount1(server) as m:
        assert m.MOUNTPROC_EXPORT() == exports


def test_dump_shows_mounts_until_umnt(start):
    server = start()
    with Nfs3(server.tcp()) as c:
        c.make_dir(wire.root_of(server), b'sub')
    with mount3(server) as m:
        m.MOUNTPROC3_UMNTALL()
        assert m.MOUNTPROC3_DUMP() == []
        m.MOUNTPROC3_MNT(b'/')
        m.MOUNTPROC3_MNT(b'/sub')
        m.MOUNTPROC3_MNT(b'/sub')
        listed = m.MOUNTPROC3_DUMP()
        assert sorted(e.ml_directory for e in listed) == [b'/', b'/sub']
        assert {e.ml_hostname for e in listed} == {b'127.0.0.1'}
        m.MOUNTPROC3_UMNT(b'/sub')
        assert [e.ml_directory for e in m.MOUNTPROC3_DUMP()] == [b'/']
        m.MOUNTPROC3_UMNT(b'/never-mounted')
        m.MOUNTPROC3_UMNTALL()
        assert m.MOUNTPROC3_DUMP() == []
    with mount1(server) as m:
        m.MOUNTPROC_MNT(b'/')
        assert [e.ml_directory for e in m.MOUNTPROC_DUMP()] == [b'/']
        m.MOUNTPROC_UMNTALL()
    server.stop()


def test_a_failed_mnt_is_not_listed(start):
    server = start()
    with mount3(server) as m:
        m.MOUNTPROC3_MNT(b'/nothing')
        assert m.MOUNTPROC3_DUMP() == []
    server.stop()


def test_the_list_of_mounts_is_bounded(server, c, root_fh):
    with mount3(server) as m:
        for i in range(2000):
            name = b'mounted-%d' % (i % 50)
            if i < 50:
                c.make_dir(root_fh, name)
            m.MOUNTPROC3_MNT(b'/' + name)
        assert len(m.MOUNTPROC3_DUMP()) <= 1000
        m.MOUNTPROC3_UMNTALL()


def test_mnt_needs_no_credential(server):
    with mount3(server, rpc.NO_AUTH) as m:
        assert m.MOUNTPROC3_MNT(b'/').fhs_status == mount.MNT3_OK


def test_a_handle_got_without_credential_shows_attributes(server, root_fh):
    """Clients ask for FSINFO and GETATTR while they mount, by AUTH_NONE."""
    with Nfs3(server.tcp(rpc.NO_AUTH)) as c:
        assert c.attr(root_fh).type == nfs3.NF3DIR
        ok(c.fsinfo(root_fh))
        with pytest.raises(rpc.AuthError) as e:
            c.create(root_fh, b'x')
        assert e.value.stat == rpc.AUTH_TOOWEAK


def test_versions_there_are_not_are_a_mismatch_of_1_to_3(server):
    with server.tcp() as t:
        for vers in (0, 4, 0xffffffff):
            with pytest.raises(rpc.ProgMismatch) as e:
                t.call(MOUNT, vers, 0)
            assert (e.value.low, e.value.high) == (1, 3)


def test_procedures_there_are_not_are_unavailable(server):
    with server.tcp() as t:
        for vers, proc in ((1, 6), (3, 6), (3, 0xffffffff)):
            with pytest.raises(rpc.ProcUnavail):
                t.call(MOUNT, vers, proc)


def test_mount_answers_on_a_port_of_its_own_too(start):
    import socket
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    server = start(mount_port=port)
    with mount3(server) as m:
        fh = m.MOUNTPROC3_MNT(b'/')._data.fhandle
    for udp in (False, True):
        with mount3(server, port=port, udp=udp) as m:
            assert m.MOUNTPROC3_MNT(b'/')._data.fhandle == fh
        with mount1(server, port=port, udp=udp) as m:
            assert m.MOUNTPROC_MNT(b'/')._data == fh
    # NFS is not served there.
    with server.tcp(port=port) as t:
        with pytest.raises(rpc.ProgUnavail):
            t.call(wire.NFS, 3, 0)
    server.stop()
