"""Each tricky archive is what was decided: names, modes, times, contents,
errors, and what the log says.  The archives are in archive_cases.py, and what
each is there for in archive_rows.py."""

import bz2
import fnmatch
import glob
import importlib
import lzma
import os
import re

import mount
import nfs3
import nfs4 as x
import nfs4_ops as op
import pytest
from nfs4_client import Client1
from archive_cases import (ATTRIBUTES, CASES, CODECS, CUT, DIR, EIO, FILES,
                           LOST, PLAIN, Hole, Link)
from archive_checks import (check, check_below, check_depth, check_log,
                            check_same, check_tree, mount_of, read_all, walk)
from archive_rows import ROWS
from archives import (BLOCK, archive, base256, directory, end, header, link,
                      long_name, member, old_gnu_sparse, pax, symlink)
from wire import Nfs2, Nfs3, mount1, ok, root_of
from zip_cases import ZIPS

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
NUMBER = {name: i for i, name in enumerate(CASES)}


@pytest.fixture(scope='module')
def shelf(tmp_path_factory):
    """A directory of archives; those of CASES by their numbers."""
    path = tmp_path_factory.mktemp('archives')
    for i, (data, _, _) in enumerate(CASES.values()):
        (path / ('%d.tar' % i)).write_bytes(data)
    (path / 'xattr.tar').write_bytes(ATTRIBUTES)
    return path


@pytest.fixture(scope='module')
def tars(start, shelf, tmp_path_factory):
    return start('--root', str(shelf), '--cache-dir',
                 str(tmp_path_factory.mktemp('cache')), fs='tar')


def serve(server, shelf, name, data):
    """One archive more; its root."""
    (shelf / name).write_bytes(data)
    return root_of(server, b'/' + name.encode())


# ---------------------------------------------------------------- the table --


@pytest.mark.parametrize('number', range(len(CASES)), ids=list(CASES))
def test_each_archive_is_what_was_decided(tars, number):
    _, tree, log = list(CASES.values())[number]
    path = b'/%d.tar' % number
    if tree is None:
        assert mount_of(tars, path).fhs_status == mount.MNT3ERR_NOENT
        check_log(tars, '%d.tar' % number, log)
        return
    root = root_of(tars, path)
    with Nfs3(tars.tcp()) as c:
        tree = dict(tree)
        depth = tree.pop('deep', None)
        if depth is not None:
            check_depth(c, root, depth)
            check(c, ok(c.lookup(root, b'y')).object.data, tree[b'y'])
        elif 'below' in tree:
            check_below(c, root, *tree.pop('below'))
            check(c, ok(c.lookup(root, b'a')).object.data, tree[b'a'])
        elif 'same' in tree:
            check_same(c, root, tree['same'])
        else:
            check_tree(c, root, tree)
    check_log(tars, '%d.tar' % number, log)


def units():
    """What tests/unit/test_tar_*.c say they test."""
    for path in glob.glob(os.path.join(SOURCE, 'tests/unit/test_tar_*.c')):
        with open(path, encoding='utf-8') as f:
            yield from re.findall(r'^(test_\w+)\(', f.read(), re.M)


def there_are(what):
    """The cases of that name; or True, if there is such a test."""
    module, _, name = what.rpartition('.')
    if what.startswith('zip.'):
        return bool(fnmatch.filter(ZIPS, what[4:]))
    if module == 'unit':
        return name in set(units())
    if name.startswith('test_'):
        return hasattr(importlib.import_module(module or __name__), name)
    return set(fnmatch.filter(CASES, what))


def test_each_row_of_what_was_decided_has_a_test():
    used = set()
    for row, tests in ROWS.items():
        assert tests, row
        for what in tests:
            found = there_are(what)
            assert found or what in CODECS, (row, what)
            used |= found if isinstance(found, set) else set()
    assert used == set(CASES)


def test_each_row_of_the_document_has_a_test():
    with open(os.path.join(SOURCE, 'docs', 'tarfs.md'), encoding='utf-8') as f:
        # Of tables that tell what becomes of something; not how.
        tables = re.findall(r'^\| (?:there is|its file) \|.*\n'
                            r'\| ---.*\n((?:\|.*\n)+)', f.read(), re.M)
    rows = {line[2:].partition(' |')[0]
            for table in tables for line in table.splitlines()}
    assert rows and rows == {row[1] for row in ROWS if row[0] == 'tarfs.md'}


# ------------------------------------------------------- by other versions --


def test_version_4_has_times_exactly(tars):
    with Client1(tars, 2) as c:
        for name, (_, tree, _) in CASES.items():
            for path, what in (tree or {}).items():
                if not isinstance(what, dict) or 'mtime4' not in what:
                    continue
                fh = c.find(c.root(), b'%d.tar' % NUMBER[name], path)
                t = c.get(fh, 'time_modify')
                assert t == what['mtime4']


def test_names_are_the_same_bytes_in_each_version(tars):
    for name in ('bytes that are no UTF-8', 'twins', 'newlines and controls'):
        path = b'/%d.tar' % NUMBER[name]
        names = list(CASES[name][1])
        with mount1(tars) as m:
            root = m.MOUNTPROC_MNT(path)._data
        with Nfs2(tars.tcp()) as c:
            assert c.names(root) == names
        with Nfs3(tars.tcp()) as c:
            assert c.names(root_of(tars, path)) == names
        with Client1(tars, 2) as c:
            assert c.names(c.find(c.root(), path[1:])) == names


def test_extended_attributes_of_users_are_shown(tars):
    with Client1(tars, 2) as c:
        root = c.find(c.root(), b'xattr.tar')
        a, d = c.find(root, b'a'), c.find(root, b'd')
        for fh, wanted in ((a, {b'raw': b'a\0b', b'enc=oded': b'\xff\0'}),
                           (d, {b'of': b'a directory'})):
            res = c.ok(op.putfh(fh), op.listxattrs())[1]
            assert res.lxr_eof and sorted(res.lxr_names) == sorted(wanted)
            for name, value in wanted.items():
                assert c.ok(op.putfh(fh), op.getxattr(name))[1] == value
        c.fails(x.NFS4ERR_NOXATTR, op.putfh(a), op.getxattr(b'selinux'))


# --------------------------------------------------- cut wherever it may be --

SPOTS = [(i * 1000, b'%c' % (65 + i)) for i in range(30)]

# Bytes; how many of them belong to its header; name, and what is there when
# the first n bytes behind that are.
PARTS = [
    (member(b'a', b'1' * 600), 512, b'a', b'1' * 600),
    (directory(b'd'), 512, b'd', DIR),
    (pax((b'path', b'd/' + b'p' * 110)) + member(b'x', b'2' * 512), 1536,
     b'd/' + b'p' * 110, b'2' * 512),
    (long_name(b'n' * 150) + long_name(b't' * 150, b'K') +
     symlink(b'x', b'y'), 2560, b'n' * 150, Link(b't' * 150)),
    (link(b'd/l', b'a'), 512, b'd/l', 'a'),
    (old_gnu_sparse(b's', 30000, [(o, 1) for o, _ in SPOTS],
                    b''.join(d for _, d in SPOTS)), 1536, b's', SPOTS),
    (member(b'e'), 512, b'e', b''),
    (member(b'z', b'3' * 5), 512, b'z', b'3' * 5),
]


def part_of(what, n, tree):
    """What is there of it, and is it whole?"""
    if what == 'a':
        return tree[b'a'], True
    if what is SPOTS:
        return Hole(30000, [(o, d if i < n else LOST)
                            for i, (o, d) in enumerate(SPOTS)]), n >= 30
    if isinstance(what, bytes) and n < len(what):
        return {'is': EIO(n), 'size': len(what)}, False
    return what, True


def expected_of(cut):
    """The tree, and lines of the log, of PARTS cut there."""
    tree, at = {}, 0
    for data, head, name, what in PARTS:
        if cut == at:
            return tree, []
        if cut < at + head:
            return tree, [CUT]
        tree[name], whole = part_of(what, cut - at - head, tree)
        if not whole:
            own = at if what is SPOTS else at + head - BLOCK
            return tree, ['offset %d, %s: %s' % (own, name.decode(), CUT)]
        at += len(data)
        if cut < at:
            return tree, []
    return tree, [CUT] if cut % BLOCK and cut < at + BLOCK else []


@pytest.mark.slow
def test_it_may_be_cut_at_every_place(tars, shelf):
    whole = archive(*(data for data, _, _, _ in PARTS))
    borders = {b + more for b in range(BLOCK, len(whole), BLOCK)
               for more in (-1, 0, 1)}
    for cut in sorted(borders | set(range(BLOCK, len(whole), 211))):
        if cut < BLOCK:
            continue            # not a header: no archive
        name = 'cut-%d.tar' % cut
        root = serve(tars, shelf, name, whole[:cut])
        tree, log = expected_of(cut)
        with Nfs3(tars.tcp()) as c:
            check_tree(c, root, tree)
        check_log(tars, name, log)


def check_some(c, root, files):
    """The first of these files, the last of them in part."""
    found = dict(walk(c, root))
    del found[b'']
    assert list(found) == list(files)[:len(found)]
    for name, fh in found.items():
        data, at = files[name], 0
        assert c.attr(fh).size == len(data)
        while at < len(data):
            res = c.read(fh, at, 65536)
            if res.status != 0:
                assert res.status == x.NFS4ERR_IO and \
                    name == list(found)[-1]
                break
            got = res._data.data
            assert got and got == data[at:at + len(got)]
            at += len(got)


@pytest.mark.slow
@pytest.mark.parametrize('codec', CODECS)
def test_a_compressed_one_may_be_cut_at_every_place(tars, shelf, codec):
    if CODECS[codec] is None:
        pytest.skip('no ' + codec + ' here')
    # With small blocks, so that there is something before a cut.
    packed = (bz2.compress(PLAIN, 1) if codec == 'bzip2' else
              CODECS[codec](PLAIN, *['-B4'] * (codec == 'lz4')))
    for i in range(1, 12):
        cut = len(packed) * i // 12 + i
        name = '%s-%d.tar' % (codec, cut)
        root = serve(tars, shelf, name, packed[:cut])
        with Nfs3(tars.tcp()) as c:
            check_some(c, root, FILES)
        assert re.search(r'/%s: %s: cut' % (name, codec), tars.text())


# ------------------------------------------------------------- what it costs --


def io_of(server):
    """Bytes it has asked the kernel for, and given it."""
    with open('/proc/%d/io' % server.process.pid, encoding='ascii') as f:
        values = dict(line.split(': ') for line in f.read().splitlines())
    return int(values['rchar']), int(values['wchar'])


def test_data_are_neither_read_nor_copied_for_the_index(tars, shelf):
    size = 1 << 30
    path = shelf / 'large.tar'
    with open(path, 'wb') as f:
        for name in (b'a', b'b', b'c'):
            f.write(header(name, size=size))
            f.seek(size, os.SEEK_CUR)
        f.write(member(b'last', b'1') + end())
    before = io_of(tars)
    with Nfs3(tars.tcp()) as c:
        root = root_of(tars, b'/large.tar')
        found = dict(walk(c, root))
        assert list(found) == [b'', b'a', b'b', b'c', b'last']
        assert read_all(c, found[b'last'], 1) == b'1'
        assert ok(c.read(found[b'c'], size - 1, 1)).data == b'\0'
    after = io_of(tars)
    assert after[0] - before[0] < 1 << 20 and after[1] - before[1] < 1 << 20


@pytest.mark.slow
def test_a_small_archive_that_would_decode_to_a_large_one_is_stopped(
        tars, shelf):
    zeros = lzma.compress(bytes(32 << 20), preset=0)
    name = 'bomb.tar'
    root = serve(tars, shelf, name, lzma.compress(
        header(b'a', size=base256(1 << 40, 12))) + zeros * 40)
    with Nfs3(tars.tcp()) as c:
        # Who waits for too long is told to ask again.
        while c.readdir(root).status == nfs3.NFS3ERR_JUKEBOX:
            pass
        assert c.names(root) == [b'a']
        a = ok(c.lookup(root, b'a')).object.data
        assert ok(c.read(a, (1 << 30) - 512 - 10, 10)).data == bytes(10)
        assert c.read(a, 1 << 31, 1).status == x.NFS4ERR_IO
    check_log(tars, name, ['xz: more than 1000 times its size',
                           'offset 0, a: ' + CUT])


def test_archives_behind_the_end_are_read_where_asked_for(start, tmp_path):
    (tmp_path / 'x.tar').write_bytes(
        archive(member(b'a', b'1'), member(b'b', b'2')) + bytes(10240) +
        archive(member(b'b', b'33'), member(b'c', b'4')))
    server = start('--ignore-zeros', str(tmp_path / 'x.tar'), fs='tar')
    with Nfs3(server.tcp()) as c:
        check_tree(c, root_of(server), {b'a': b'1', b'b': b'33', b'c': b'4'})


@pytest.mark.last
def test_nothing_is_written_beside_the_archives(tars, shelf):
    assert all(re.fullmatch(r'[-\w]+\.tar', name)
               for name in os.listdir(shelf))
    assert not any(os.path.isdir(shelf / name) for name in os.listdir(shelf))
