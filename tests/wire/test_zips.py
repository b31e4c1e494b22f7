"""Zips as file systems: each tricky one is what was decided, and what other
programs make of a usual one."""

import os
import random
import re
import shutil
import subprocess
import zipfile

import mount
import nfs3
import pytest
from archive_checks import check_log, check_tree, mount_of, read_all, walk
from test_tarfs_index import eventually
from wire import Nfs3, ok, root_of
from zip_cases import LARGE, TEXT, ZIPS
from zips import DEFLATED, ZSTD, end64, file, zip_of


@pytest.fixture(scope='module')
def shelf(tmp_path_factory):
    """A directory of zips; those of ZIPS by their numbers."""
    path = tmp_path_factory.mktemp('zips')
    for i, (data, _, _) in enumerate(ZIPS.values()):
        (path / ('%d.zip' % i)).write_bytes(data)
    return path


@pytest.fixture(scope='module')
def zips(start, shelf, tmp_path_factory):
    return start('--root', str(shelf), '--cache-dir',
                 str(tmp_path_factory.mktemp('cache')), fs='tar')


@pytest.mark.parametrize('number', range(len(ZIPS)), ids=list(ZIPS))
def test_each_zip_is_what_was_decided(zips, number):
    _, tree, log = list(ZIPS.values())[number]
    path = b'/%d.zip' % number
    if tree is None:
        assert mount_of(zips, path).fhs_status == mount.MNT3ERR_NOENT
    else:
        with Nfs3(zips.tcp()) as c:
            check_tree(c, root_of(zips, path), tree)
    check_log(zips, '%d.zip' % number, log)


def test_there_are_enough_of_them():
    assert len(ZIPS) >= 40


# ------------------------------------------------------ large ones, anyhow --


def test_a_large_member_is_read_from_anywhere(zips, shelf):
    """Back and forth, while another one is read from its beginning."""
    rnd = random.Random(5)
    data = b''.join(rnd.choice((TEXT, rnd.randbytes(900), bytes(5000))) *
                    rnd.randrange(1, 9) for _ in range(800))
    assert len(data) > 4 << 20
    other = data[::-1]
    (shelf / 'anywhere.zip').write_bytes(zip_of(
        file(b'a', data, DEFLATED), file(b'b', other, DEFLATED)))
    with Nfs3(zips.tcp()) as c:
        root = root_of(zips, b'/anywhere.zip')
        a, b = (ok(c.lookup(root, n)).object.data for n in (b'a', b'b'))
        spots = [rnd.randrange(len(data)) for _ in range(50)]
        spots += range(len(data) - 1000, 0, -(1 << 19))
        for i, at in enumerate(spots):
            assert ok(c.read(a, at, 5000)).data == data[at:at + 5000]
            assert (ok(c.read(b, i * 65536, 65536)).data ==
                    other[i * 65536:(i + 1) * 65536])
        assert read_all(c, a, len(data)) == data


def test_a_zip_of_more_than_4_gib(zips, shelf):
    """Of holes, but for its ends."""
    size = (5 << 30) + 3
    a = file(b'a', b'', size=size, csize=size, zip64=True)
    b = file(b'b', TEXT, DEFLATED, zip64=True)
    with open(shelf / 'large.zip', 'wb') as f:
        f.write(b'12345' + a.in_place())
        f.seek(size - 4, os.SEEK_CUR)
        f.write(b'last')
        at = f.tell()
        f.write(b.in_place())
        central = a.in_directory(0) + b.in_directory(at - 5)
        f.write(central + end64(central, f.tell() - 5, 2))
    with Nfs3(zips.tcp()) as c:
        found = dict(walk(c, root_of(zips, b'/large.zip')))
        assert c.attr(found[b'a']).size == size
        assert ok(c.read(found[b'a'], size - 6, 9)).data == b'\0\0last'
        assert ok(c.read(found[b'a'], 1 << 32, 9)).data == bytes(9)
        assert read_all(c, found[b'b'], len(TEXT)) == TEXT


def test_zstd_is_read(zips, shelf):
    if shutil.which('zstd') is None:
        pytest.skip('no zstd here')
    packed = subprocess.run(['zstd', '-c'], input=LARGE, check=True,
                            stdout=subprocess.PIPE).stdout
    # One frame, and two of them.
    (shelf / 'zstd.zip').write_bytes(zip_of(
        file(b'a', LARGE, packed=packed, method=ZSTD),
        file(b'b', LARGE * 2, packed=packed * 2, method=ZSTD)))
    with Nfs3(zips.tcp()) as c:
        check_tree(c, root_of(zips, b'/zstd.zip'),
                   {b'a': LARGE, b'b': LARGE * 2})


# ------------------------------------------------------------ other programs --


@pytest.fixture(scope='module')
def tree(tmp_path_factory):
    """What there is on disks."""
    top = tmp_path_factory.mktemp('tree')
    (top / 'd' / 'e').mkdir(parents=True)
    for i in range(300):
        (top / 'd' / ('file %03d' % i)).write_bytes(TEXT * (i % 7))
    (top / 'd' / 'e' / 'large').write_bytes(LARGE)
    (top / 'caf\u00e9').write_bytes(b'x')
    (top / 'link').symlink_to('d/e/large')
    os.chmod(top / 'd' / 'e', 0o711)
    os.chmod(top / 'caf\u00e9', 0o440)
    for i, path in enumerate(sorted(top.rglob('*'))):
        os.utime(path, (1, 1000000000 + i), follow_symlinks=False)
    return top


MAKERS = {
    'zip': ['zip', '-qryX'],
    'zip, with owners': ['zip', '-qry'],
    'zip -0': ['zip', '-qry0'],
    'bsdtar': ['bsdtar', '--format=zip', '-cf'],
    '7zz': ['7zz', 'a', '-tzip', '-snl', '-bso0'],
}


def check_as_on_disk(server, path, top, tolerance=0):
    """Names, types, modes, times, targets and contents."""
    wanted = {os.fsencode(str(p.relative_to(top))): p
              for p in top.rglob('*')}
    with Nfs3(server.tcp()) as c:
        found = dict(walk(c, root_of(server, path)))
        del found[b'']
        assert set(found) == set(wanted)
        for name, fh in found.items():
            p, a = wanted[name], c.attr(fh)
            st = p.lstat()
            if p.is_symlink():
                assert a.type == nfs3.NF3LNK
                assert ok(c.readlink(fh)).data == os.fsencode(os.readlink(p))
                continue
            assert a.mode == st.st_mode & 0o7777
            assert abs(a.mtime.seconds - int(st.st_mtime)) <= tolerance
            assert (a.uid, a.gid) == (st.st_uid, st.st_gid)
            if p.is_file():
                assert a.size == st.st_size
                assert read_all(c, fh, a.size) == p.read_bytes()


@pytest.mark.parametrize('maker', MAKERS)
def test_what_other_programs_write_is_what_they_read(zips, shelf, tree,
                                                     maker):
    command = MAKERS[maker]
    if shutil.which(command[0]) is None:
        pytest.skip('no ' + command[0] + ' here')
    path = shelf / (re.sub(r'\W', '', maker) + '-made.zip')
    subprocess.run([*command, str(path), '.'], cwd=tree, check=True,
                   env=dict(os.environ, LC_ALL='C.UTF-8'))
    # Without extra fields there are but the 2 s of DOS.
    check_as_on_disk(zips, b'/' + os.fsencode(path.name), tree,
                     2 if '-qryX' in command else 0)


def test_what_python_writes_and_appends_is_what_it_reads(zips, shelf, tree):
    path = shelf / 'python.zip'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
        for p in sorted(tree.rglob('*')):
            z.write(p, p.relative_to(tree))
    with zipfile.ZipFile(path, 'a') as z, pytest.warns(UserWarning):
        z.writestr('d/file 001', b'another')
    with zipfile.ZipFile(path) as z, Nfs3(zips.tcp()) as c:
        found = dict(walk(c, root_of(zips, b'/python.zip')))
        for name, fh in found.items():
            if c.attr(fh).type == nfs3.NF3REG:
                assert (read_all(c, fh, c.attr(fh).size) ==
                        z.read(name.decode()))
        assert ({n.rstrip('/') for n in z.namelist()} ==
                {n.decode() for n in found if n})


# ----------------------------------------------------------------- changes --


def test_members_are_changed_in_memory(zips, shelf):
    data = ZIPS['encrypted'][0], zip_of(file(b'a', LARGE, DEFLATED),
                                        file(b'b', TEXT))
    for i, content in enumerate(data):
        (shelf / ('changed-%d.zip' % i)).write_bytes(content)
    with Nfs3(zips.tcp()) as c:
        root = root_of(zips, b'/changed-1.zip')
        for name, was in ((b'a', LARGE), (b'b', TEXT)):
            fh = ok(c.lookup(root, name)).object.data
            ok(c.write(fh, 1000, b'new'))
            assert (read_all(c, fh, len(was)) ==
                    was[:1000] + b'new' + was[1003:])
        # What cannot be read is there once it is written.
        a = ok(c.lookup(root_of(zips, b'/changed-0.zip'), b'a')).object.data
        assert c.read(a, 0, 1).status == nfs3.NFS3ERR_IO
        ok(c.write(a, 0, b'new'))
        assert read_all(c, a, 3) == b'new'


# ----------------------------------------------------------------- identity --


def test_handles_outlive_a_restart_and_what_is_appended(start, tmp_path):
    path, state = tmp_path / 'x.zip', tmp_path / 'server'
    state.mkdir()
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('d/a', b'1')
        z.writestr('d/b', TEXT)
    first = start(str(path), fs='tar', directory=state)
    with Nfs3(first.tcp()) as c:
        before = dict(walk(c, root_of(first)))
        attributes = {n: c.attr(fh) for n, fh in before.items() if n}
    first.stop()
    with zipfile.ZipFile(path, 'a') as z:
        z.writestr('c', b'2')
    second = start(str(path), fs='tar', directory=state)
    with Nfs3(second.tcp()) as c:
        for name, fh in before.items():
            if name and attributes[name].type != nfs3.NF3DIR:
                assert c.attr(fh) == attributes[name]
        assert read_all(c, before[b'd/b'], len(TEXT)) == TEXT
        assert dict(walk(c, root_of(second))).items() >= before.items()


def test_what_is_appended_is_there_by_the_same_handles(start, tmp_path):
    path, new = tmp_path / 'x.zip', tmp_path / 'new'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('d/a', b'1')
        z.writestr('d/b', TEXT)
    server = start('--root', str(tmp_path), fs='tar')
    with Nfs3(server.tcp()) as c:
        root = root_of(server, b'/x.zip')
        found = dict(walk(c, root))
        shutil.copy(path, new)
        with zipfile.ZipFile(new, 'a') as z:
            z.writestr('c', b'2')
        new.rename(path)
        eventually(lambda: c.lookup(root, b'c').status == 0)
        now = dict(walk(c, root))
        assert now.items() >= found.items()
        assert read_all(c, now[b'c'], 1) == b'2'
        assert read_all(c, found[b'd/b'], len(TEXT)) == TEXT


def test_an_index_that_was_kept_leads_to_the_bytes(start, tmp_path):
    """What is large enough for it has many directories here."""
    cache, state = tmp_path / 'cache', tmp_path / 'state'
    state.mkdir()
    (tmp_path / 'x.zip').write_bytes(zip_of(
        file(b'stored', TEXT), file(b'deflated', LARGE, DEFLATED),
        *(file(b'%d/' % i + b'd/' * 4000 + b'f') for i in range(13)),
        file(b'last', LARGE[:200000], DEFLATED)))
    handles = {}
    for _ in range(2):
        server = start('--root', str(tmp_path), '--cache-dir', str(cache),
                       fs='tar', directory=state)
        with Nfs3(server.tcp()) as c:
            root = root_of(server, b'/x.zip')
            for name, data in ((b'last', LARGE[:200000]), (b'stored', TEXT),
                               (b'deflated', LARGE)):
                fh = ok(c.lookup(root, name)).object.data
                assert handles.setdefault(name, fh) == fh
                assert read_all(c, fh, len(data)) == data
        eventually(lambda: any(f.is_file() for f in cache.rglob('*')))
        server.stop()
    # The second one has not gone through it again.
    assert ' names' not in server.text()


def test_a_zip_cut_while_it_is_served_is_an_error(start, tmp_path):
    path = tmp_path / 'x.zip'
    path.write_bytes(zip_of(file(b'a', LARGE[:100000]),
                            file(b'b', LARGE, DEFLATED), file(b'c', b'1')))
    server = start(str(path), fs='tar')
    with Nfs3(server.tcp()) as c:
        found = dict(walk(c, root_of(server)))
        os.truncate(path, 50000)
        assert ok(c.read(found[b'a'], 0, 1000)).data == LARGE[:1000]
        for name, at in ((b'a', 60000), (b'b', 0), (b'c', 0)):
            assert c.read(found[name], at, 1000).status == nfs3.NFS3ERR_IO
