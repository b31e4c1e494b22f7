"""Is a mounted archive what archive_cases.py says of it?"""

import re

import nfs3
from archive_cases import DIR, EIO, FIFO, LOST, Hole, Link, Prefix
from wire import mount3, ok


def read_all(c, fh, size):
    data = b''
    while len(data) < size:
        res = ok(c.read(fh, len(data), 65536))
        data += res.data
        if res.eof:
            break
        assert res.data
    return data


def check_hole(c, fh, hole):
    for at, data in hole.pieces:
        if data is LOST:
            assert c.read(fh, at, 1).status == nfs3.NFS3ERR_IO
            continue
        assert ok(c.read(fh, at, len(data))).data == data
        if at + len(data) < hole.size:
            got = ok(c.read(fh, at + len(data), 1)).data
            assert got == b'\0' or any(o == at + len(data)
                                       for o, _ in hole.pieces)
    if any(data is LOST for _, data in hole.pieces):
        return
    res = ok(c.read(fh, hole.size - 1, 2))
    assert res.eof and len(res.data) == 1
    if hole.size <= 1 << 20:
        expected = bytearray(hole.size)
        for at, data in hole.pieces:
            expected[at:at + len(data)] = data
        assert read_all(c, fh, hole.size) == expected


def check_cut(c, fh, readable, size):
    if readable:
        res = ok(c.read(fh, 0, min(size, 65536)))
        assert len(res.data) == readable and not res.eof
    assert c.read(fh, readable, 100).status == nfs3.NFS3ERR_IO


def check_prefix(c, fh, whole):
    data, res = b'', c.read(fh, 0, 65536)
    while res.status == 0:
        assert res._data.data and not res._data.eof
        data += res._data.data
        res = c.read(fh, len(data), 65536)
    assert res.status == nfs3.NFS3ERR_IO
    assert data and len(data) < len(whole) and whole.startswith(data)


def check(c, fh, what):
    a = c.attr(fh)
    wanted = dict(what) if isinstance(what, dict) else {'is': what}
    what = wanted.pop('is')
    wanted.pop('mtime4', None)
    for name, value in wanted.items():
        got = getattr(a, name)
        if name == 'mtime':
            got = got.seconds, got.nseconds
        assert got == value, name
    if what is DIR:
        assert a.type == nfs3.NF3DIR
    elif what is FIFO:
        assert a.type == nfs3.NF3FIFO
    elif isinstance(what, Link):
        assert a.type == nfs3.NF3LNK
        assert ok(c.readlink(fh)).data == what.target
    elif isinstance(what, Prefix):
        check_prefix(c, fh, what.data)
    elif isinstance(what, EIO):
        check_cut(c, fh, what.readable, a.size)
    elif isinstance(what, Hole):
        assert a.size == what.size
        check_hole(c, fh, what)
    else:
        assert a.type == nfs3.NF3REG and a.size == len(what)
        assert read_all(c, fh, a.size) == what


def walk(c, fh, path=b''):
    """Every path and its handle."""
    yield path, fh
    if c.attr(fh).type != nfs3.NF3DIR:
        return
    for name in c.names(fh):
        below = ok(c.lookup(fh, name)).object.data
        yield from walk(c, below, path + b'/' * bool(path) + name)


def check_depth(c, fh, depth):
    for _ in range(depth):
        fh = ok(c.lookup(fh, b'd')).object.data
    check(c, ok(c.lookup(fh, b'f')).object.data, b'1')


def check_below(c, fh, name, depth):
    """Directories, each in the one before, and all of one name."""
    for _ in range(depth):
        fh = ok(c.lookup(fh, name)).object.data
        assert c.attr(fh).type == nfs3.NF3DIR
    assert c.names(fh) == []


def check_same(c, root, count):
    """So many names of one file."""
    entries = [e for e in c.entries(root, 65536)
               if e.name not in (b'.', b'..')]
    assert len(entries) == len({e.name for e in entries}) == count
    assert len({e.fileid for e in entries}) == 1
    for e in entries[::count // 3]:
        assert c.attr(ok(c.lookup(root, e.name)).object.data).nlink == count


def check_tree(c, root, tree):
    found = dict(walk(c, root))
    assert set(found) == set(tree) | {b''}
    for name, what in tree.items():
        check(c, found[name], what)


def check_log(server, archive_name, expected):
    """These lines there are about an archive, and no others."""
    lines = [text for text in server.text().splitlines()
             if 'tarfs: ' in text and '/%s: ' % archive_name in text and
             not re.search(r' \d+ names$| times in all: ', text)]
    assert len(lines) == len(expected), lines
    for part in expected:
        assert any(part in text for text in lines), (part, lines)


def mount_of(server, path):
    with mount3(server) as m:
        return m.MOUNTPROC3_MNT(path)
