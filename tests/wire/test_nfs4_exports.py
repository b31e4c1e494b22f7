"""Several exports under one root (RFC 8881 7.3; PROTOCOL 6 and 12)."""

import nfs4 as x
import nfs4_client
import nfs4_ops as op
import pytest


@pytest.fixture(scope='module')
def many(start4):
    """Exports /a and /b, and none that is the root."""
    return start4('-f', 'mem:b', fs='mem:a')


@pytest.fixture(params=[0, 1, 2], ids=['4.0', '4.1', '4.2'])
def c(many, request):
    with nfs4_client.new_client(many, request.param) as client:
        yield client


def test_the_pseudo_root_lists_the_exports(c):
    root = c.root()
    assert sorted(c.names(root)) == [b'a', b'b']
    a = c.attr(root, 'type', 'mode', 'fileid', 'fsid', 'mounted_on_fileid')
    assert a['type'] == op.DIR
    assert a['fileid'] != 0
    assert a['mounted_on_fileid'] == a['fileid']


def test_lookup_crosses_into_an_export_and_lookupp_back(c):
    res = c.ok(op.putrootfh(), op.getfh(), op.lookup(b'a'), op.getfh(),
               op.lookupp(), op.getfh())
    assert res[1].object == res[5].object != res[3].object
    c.fails(x.NFS4ERR_NOENT, op.putrootfh(), op.lookupp())


def test_each_export_has_an_fsid_and_covers_a_fileid(c):
    root, a, b = c.root(), c.find(c.root(), b'a'), c.find(c.root(), b'b')
    assert len({c.get(fh, 'fsid') for fh in (root, a, b)}) == 3
    for fh in (a, b):
        attributes = c.attr(fh, 'fileid', 'mounted_on_fileid')
        assert 0 not in attributes.values()
        assert attributes['fileid'] != attributes['mounted_on_fileid']
    listed = {e.name: op.values(e.attrs) for e in c.entries(
        root, asked=['fileid', 'mounted_on_fileid', 'fsid', 'type'])}
    assert listed[b'a'] == c.attr(a, 'fileid', 'mounted_on_fileid', 'fsid',
                                  'type')


def test_nothing_is_made_in_the_pseudo_root(c):
    root = c.root()
    c.fails(x.NFS4ERR_ROFS, op.putfh(root), op.mkdir(b'new'))
    assert c.try_open(root, b'f', how=op.guarded()).status == x.NFS4ERR_ROFS
    assert c.try_open(root, b'none', op.READ).status == x.NFS4ERR_NOENT
    assert c.try_open(root, b'a', op.READ).status == x.NFS4ERR_ISDIR
    assert c(op.putfh(root), op.remove(b'a')).status in (
        x.NFS4ERR_ROFS, x.NFS4ERR_ACCESS)
    c.fails(x.NFS4ERR_ISDIR, op.putfh(root), op.read())
    reply = c(op.putfh(root), op.setattr_(mode=0o777))
    assert reply.status == x.NFS4ERR_ROFS


def test_nothing_goes_from_one_export_to_another(c):
    root = c.root()
    a, b = c.find(root, b'a'), c.find(root, b'b')
    name = b'f%d' % c.minor
    fh = c.make(a, name)
    c.fails(x.NFS4ERR_XDEV, op.putfh(a), op.savefh(), op.putfh(b),
            op.rename(name, name))
    c.fails(x.NFS4ERR_XDEV, op.putfh(fh), op.savefh(), op.putfh(b),
            op.link(name))
    if c.minor == 2:
        source = c.open(a, name)
        target = c.new(b, name)
        for operation in (op.copy, op.clone):
            c.fails(x.NFS4ERR_XDEV, op.putfh(fh), op.savefh(),
                    op.putfh(target.fh), operation(source.s, target.s))
    c.ok(op.putfh(a), op.remove(name))


def test_a_stateid_is_that_of_its_export(c):
    root = c.root()
    one = c.new(c.find(root, b'a'), b's%d' % c.minor)
    two = c.new(c.find(root, b'b'), b's%d' % c.minor)
    c.fails(x.NFS4ERR_BAD_STATEID, op.putfh(two.fh), op.read(s=one.s))


# ------------------------------------------- one of them is the root itself --


@pytest.fixture(scope='module')
def rooted(start4):
    """Exports / and /b."""
    return start4('-f', 'mem:b')


@pytest.fixture(params=[0, 1, 2], ids=['4.0', '4.1', '4.2'])
def r(rooted, request):
    with nfs4_client.new_client(rooted, request.param) as client:
        yield client


def test_a_root_export_shows_its_own_files_and_the_others(r):
    root = r.root()
    name = b'own%d' % r.minor
    r.make(root, name)
    assert sorted(r.names(root)) == sorted([b'b', name])
    r.ok(op.putfh(root), op.remove(name))
    b = r.find(root, b'b')
    assert r.names(b) == []
    assert r.get(b, 'fsid') != r.get(root, 'fsid')
    res = r.ok(op.putfh(b), op.lookupp(), op.getfh())
    assert res[2].object == root


def test_a_name_of_an_export_is_taken_in_the_root(r):
    root = r.root()
    r.fails(x.NFS4ERR_EXIST, op.putfh(root), op.mkdir(b'b'))
    assert r.try_open(root, b'b', how=op.guarded()).status == \
        x.NFS4ERR_EXIST
    assert r.try_open(root, b'b', op.READ).status == x.NFS4ERR_ISDIR
    assert r(op.putfh(root), op.remove(b'b')).status != x.NFS4_OK
    name = b'old%d' % r.minor
    r.make(root, name)
    assert r(op.putfh(root), op.savefh(), op.putfh(root),
             op.rename(name, b'b')).status != x.NFS4_OK
    assert r.names(r.find(root, b'b')) == []
    r.ok(op.putfh(root), op.remove(name))


def test_a_page_may_begin_among_exports_that_wait_for_disks(start4, tmp_path):
    """Each has threads of its own, to which the call goes."""
    names = [b'file', b's1', b's2', b's3']
    where = {name: tmp_path / name.decode() for name in names[1:]}
    root = tmp_path / 'root'
    for i, path in enumerate((root, *where.values())):
        path.mkdir()
        path.chmod(0o700 | i)
    (root / 'file').write_bytes(b'')
    arguments = [a for name, path in where.items()
                 for a in ('-f', 'dir:' + name.decode(), str(path))]
    server = start4(str(root), *arguments, fs='dir')
    with nfs4_client.Client1(server, 2) as c:
        assert sorted(c.names(c.root())) == names
        modes, cookie, pages, eof = {}, 0, 0, False
        while not eof:
            page = c.ok(op.putrootfh(), op.readdir(
                cookie, maxcount=160,
                asked=('type', 'mode', 'maxfilesize')))[1].reply
            for e in page.entries:
                modes[e.name] = op.values(e.attrs)['mode']
                cookie = e.cookie
            pages, eof = pages + 1, page.eof
    assert sorted(modes) == names and pages >= 2
    assert [modes[n] for n in names[1:]] == [0o701, 0o702, 0o703]


@pytest.fixture(name='dirs', params=[0, 1, 2], ids=['4.0', '4.1', '4.2'])
def run_dirs(start4, tmp_path, request):
    """Exports / and /s1, directories of the host with threads of their own."""
    for name in ('root', 's1'):
        (tmp_path / name).mkdir()
    (tmp_path / 's1' / 'in').mkdir()
    server = start4(str(tmp_path / 'root'), '-f', 'dir:s1',
                    str(tmp_path / 's1'), fs='dir')
    with nfs4_client.new_client(server, request.param) as client:
        yield client


def test_a_call_goes_from_one_that_waits_for_disks_to_another(dirs):
    root = dirs.root()
    s1 = dirs.find(root, b's1')
    inner = dirs.find(root, b's1', b'in')
    assert dirs.names(s1) == [b'in']
    res = dirs.ok(op.putfh(s1), op.lookupp(), op.getfh())
    assert res[-1].object == root
    dirs.ok(op.putfh(root), op.secinfo(b's1'))
    res = dirs.ok(op.putfh(s1), op.putrootfh(), op.getfh(), op.putfh(inner),
                  op.putfh(root), op.lookup(b's1'), op.lookup(b'in'),
                  op.getfh())
    assert res[2].object == root and res[-1].object == inner
    assert dirs(op.putfh(root), op.savefh(), op.putfh(s1),
                op.rename(b'a', b'b')).status == x.NFS4ERR_XDEV
    dirs.ok(op.putfh(s1), op.savefh(), op.putfh(root), op.restorefh(),
            op.getattr_('mode'))
