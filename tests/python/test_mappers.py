# SPDX-License-Identifier: MIT
"""Types that say themselves what they are as files."""

import served
from served import DIR, REG, status

pinefs = served.pinefs


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


class Frozen(Point):
    pass


class Table:
    def __init__(self):
        self.rows = {'a': 1, 'b': 'text'}


class Own:
    def __init__(self, text):
        self.text = text

    def __pinefs__(self):
        return self.text


reads = []


@pinefs.mapper(Point)
class PointMapper(pinefs.Mapper):
    def read(self, p):
        reads.append(p)
        return '%d %d\n' % (p.x, p.y)

    def write(self, p, data):
        x, y = map(int, data.split())
        if isinstance(p, Frozen):
            return type(p)(x, y)
        p.x, p.y = x, y

    views = {'csv': (lambda p: '%d,%d\n' % (p.x, p.y), None)}


@pinefs.mapper(Table)
class TableMapper(pinefs.Mapper):
    kind = 'dir'

    def list(self, t):
        return list(t.rows)

    def get(self, t, name):
        return t.rows[name]

    def set(self, t, name, data):
        t.rows[name] = data.decode()


class Custom:
    class __pinefs__(pinefs.Mapper):
        def read(self, o):
            return b'custom'


def test_a_mapper_reads_and_writes():
    with served.module(p=Point(1, 2), f=Frozen(3, 4)) as (c, at, m):
        p, f = m.p, m.f
        kinds = {e[0]: e[2].type for e in c.entries(at)}
        assert kinds[b'p'] == REG and not reads     # listing ran nothing
        assert c.read(at + '/p') == b'1 2\n'
        assert c.getattr(at + '/p').size == 4
        c.write(at + '/p', b'5 6')
        assert m.p is p and (p.x, p.y) == (5, 6)
        c.write(at + '/f', b'7 8')
        assert m.f is not f and type(m.f) is Frozen and m.f.y == 8
        assert status(c.write, at + '/p', b'five') == 'INVAL'
        assert (p.x, p.y) == (5, 6)
        assert c.read(at + '/p@csv') == b'5,6\n'
        assert c.read(at + '/p@type'[:-5] + '@repr').startswith(b'<')
        c.write(at + '/sedABCDEF', b'9 9')          # as editors save
        c.rename(at + '/sedABCDEF', at + '/p')
        assert m.p is p and p.x == 9
        c.remove(at + '/f')
        assert not hasattr(m, 'f')


def test_a_mapper_can_be_a_directory():
    with served.module(t=Table()) as (c, at, m):
        assert c.getattr(at + '/t').type == DIR
        assert c.list(at + '/t') == ['a', 'b']
        assert c.read(at + '/t/a') == b'1\n'
        c.write(at + '/t/b', b'new')
        assert m.t.rows['b'] == 'new'
        assert status(c.read, at + '/t/gone') == 'NOENT'
        assert status(c.mkdir, at + '/t/more') == 'PERM'
        assert status(c.remove, at + '/t/a') == 'ACCES'     # no delete()


def test_a_class_says_it_itself():
    with served.module(o=Own('text'), n=Own(None), k=Custom()) as (c, at, m):
        assert c.read(at + '/o') == b'text'
        assert status(c.read, at + '/n') is not None
        assert c.read(at + '/k') == b'custom'
        assert status(c.write, at + '/o', b'x') == 'ACCES'


def test_what_has_a_mapper_may_become_something_else():
    with served.module(v=Point(1, 2)) as (c, at, m):
        handle = c.fh(at + '/v')
        assert c.read((handle,)) == b'1 2\n'
        m.v = 5
        assert status(c.read, (handle,)) in (None, 'STALE', 'IO')
        assert c.read(at + '/v') == b'5\n'
        c.write(at + '/v', b'6')
        assert m.v == 6
        m.v = Point(3, 4)
        assert c.read(at + '/v') == b'3 4\n'
        m.v = {'k': 1}
        assert c.list(at + '/v') == ['k']
        m.v = Table()
        assert c.list(at + '/v') == ['a', 'b']


def test_a_mapped_directory_is_removed_or_replaced_when_it_is_empty():
    with served.module(t=Table(), u=Table(), d={}) as (c, at, m):
        t, u, d = m.t, m.u, m.d
        assert status(c.rmdir, at + '/t') == 'NOTEMPTY'
        for name in ('d', 'u'):
            assert status(c.rename, at + '/' + name, at + '/t') == 'NOTEMPTY'
        assert (m.t, m.u, m.d) == (t, u, d) and len(t.rows) == 2
        t.rows.clear()
        c.rename(at + '/u', at + '/t')
        assert m.t is u and not hasattr(m, 'u')
        u.rows.clear()
        c.rmdir(at + '/t')
        assert not hasattr(m, 't')


class Counted(Point):
    """Remembers what was written to it."""

    def __init__(self, x, y):
        super().__init__(x, y)
        self.got = []


@pinefs.mapper(Counted)
class CountedMapper(PointMapper):
    def write(self, p, data):
        p.got.append(data)
        super().write(p, data)


@served.once
def test_a_backup_of_a_mapped_file_has_its_text_and_the_mapper_no_write():
    with served.module(p=Counted(1, 2), q=Counted(3, 4)) as (c, at, m):
        p, q = m.p, m.q
        c.rename(at + '/p', at + '/p~')         # nobody has read it before
        assert c.read(at + '/p~') == b'1 2\n'
        names = c.list(at)                      # looks at all of them
        assert 'p~' in names and 'p' not in names
        assert status(c.getattr, at + '/p') == 'NOENT' and m.p is p
        served.soon(lambda: not hasattr(m, 'p'))
        assert not p.got and c.read(at + '/p~') == b'1 2\n'
        m.p = Counted(5, 6)                     # the name is not lost
        assert c.read(at + '/p') == b'5 6\n'
        c.rename(at + '/q', at + '/q~')         # as editors save
        assert status(c.getattr, at + '/q') == 'NOENT'
        c.create(at + '/q')
        c.write(at + '/q', b'7 8')
        assert m.q is q and (q.x, q.y) == (7, 8) and q.got == [b'7 8']
        assert c.read(at + '/q~') == b'3 4\n'
        c.rename(at + '/q', at + '/.nfs0001')   # removed while it is open
        assert not hasattr(m, 'q') and len(q.got) == 1
        assert c.read(at + '/.nfs0001') == b'7 8\n'


class Box:
    def __init__(self, **rows):
        self.rows, self.calls = rows, []


class Full(Box):
    """Can do all; Box has no rename()."""


@pinefs.mapper(Box)
class BoxMapper(pinefs.Mapper):
    kind = 'dir'

    def list(self, b):
        return list(b.rows)

    def get(self, b, name):
        return b.rows[name]

    def set(self, b, name, data):
        b.calls.append(('set', name, data))
        if name.rstrip('0123456789') == 'n':        # numbers only
            data = int(data)
        b.rows[name] = data if isinstance(data, int) else data.decode()

    def delete(self, b, name):
        b.calls.append(('delete', name))
        if name == 'keep':
            raise PermissionError('kept')
        del b.rows[name]


@pinefs.mapper(Full)
class FullMapper(BoxMapper):
    def rename(self, b, name, new):
        b.calls.append(('rename', name, new))
        b.rows[new] = b.rows.pop(name)


@served.once
def test_names_in_a_mapped_directory_are_made_and_removed():
    with served.module(b=Box(a='text', n=1)) as (c, at, m):
        rows = m.b.rows
        assert c.getattr(at + '/b').mode & 0o300 == 0o300
        c.create(at + '/b/new')
        assert 'new' not in rows                    # until it is written
        assert c.read(at + '/b/new') == b''
        c.write_at(at + '/b/new', 0, b'content', 0)
        assert c.read(at + '/b/new') == b'content'
        c.commit(at + '/b/new')
        assert rows['new'] == 'content' and 'new' in c.list(at + '/b')
        assert m.b.calls == [('set', 'new', b'content')]
        c.write(at + '/b/n2', b'5')
        assert rows['n2'] == 5
        c.create(at + '/b/n3')
        assert status(c.write, at + '/b/n3', b'five') == 'INVAL'
        assert status(c.getattr, at + '/b/n3') == 'NOENT'
        c.create(at + '/b/empty')                   # touch
        served.soon(lambda: rows.get('empty') == '')
        c.create(at + '/b/never')
        c.remove(at + '/b/never')
        c.remove(at + '/b/n2')
        assert 'n2' not in rows and 'n2' not in c.list(at + '/b')
        assert status(c.remove, at + '/b/n2') == 'NOENT'
        assert status(c.rmdir, at + '/b/a') == 'NOTDIR'
        rows['keep'] = 1
        assert status(c.remove, at + '/b/keep') == 'ACCES'
        assert status(c.create, at + '/b/a', how=1) == 'EXIST'
        c.create(at + '/b/x', how=2, verf=b'12345678')
        c.create(at + '/b/x', how=2, verf=b'12345678')      # again
        c.write(at + '/b/x', b'made')
        assert rows['x'] == 'made' and 'never' not in rows
        for act in (lambda: c.mkdir(at + '/b/dir'),
                    lambda: c.symlink('a', at + '/b/link'),
                    lambda: c.link(at + '/b/a', at + '/b/hard')):
            assert status(act) in ('PERM', 'ACCES')
        c.rename(at + '/b/x', '/.pyfs/trash/x')
        assert 'x' not in rows


def test_names_in_a_mapped_directory_are_renamed():
    for kind in (Box, Full):
        with served.module(b=kind(a='text', n=1), d={'k': 'v'}) as (
                c, at, m):
            rows, calls = m.b.rows, m.b.calls
            fh = c.fh(at + '/b/a')
            c.rename(at + '/b/a', at + '/b/z')
            assert rows == {'z': 'text', 'n': 1}
            assert calls == ([('rename', 'a', 'z')] if kind is Full else [
                ('set', 'z', b'text'), ('delete', 'a')])
            assert c.read((fh,)) == b'text'         # is what it was
            c.write_at((fh,), 0, b'TEXT')
            assert rows['z'] == 'TEXT'
            c.write(at + '/b/y', b'other')
            c.rename(at + '/b/y', at + '/b/z')      # onto another
            assert rows == {'z': 'other', 'n': 1}
            assert c.list(at + '/b') == ['n', 'z']
            assert status(c.rename, at + '/b/gone', at + '/b/q') == 'NOENT'
            assert status(c.rename, at + '/b/z', at + '/d/z') == 'XDEV'
            assert status(c.rename, at + '/d/k', at + '/b/k') == 'XDEV'
            assert m.d == {'k': 'v'} and 'k' not in rows
            # Written, not yet bound, and renamed.
            c.write_at(at + '/b/z', 0, b'OTHER', 0)
            c.rename(at + '/b/z', at + '/b/w')
            assert rows == {'w': 'OTHER', 'n': 1}


def test_editors_work_in_a_mapped_directory():
    with served.module(b=Box(a='old\n', n=1)) as (c, at, m):
        rows = m.b.rows
        c.write(at + '/b/.a.swp', b'scratch')
        assert m.b.calls == [] and '.a.swp' in c.list(at + '/b')
        c.rename(at + '/b/.a.swp', at + '/b/.a.swx')
        assert c.read(at + '/b/.a.swx') == b'scratch'
        c.remove(at + '/b/.a.swx')
        assert c.list(at + '/b') == ['a', 'n']
        c.write(at + '/b/sedABCDEF', b'new\n')          # sed -i
        fh = c.fh(at + '/b/sedABCDEF')
        c.rename(at + '/b/sedABCDEF', at + '/b/a')
        assert rows['a'] == 'new\n' and c.read((fh,)) == b'new\n'
        assert c.list(at + '/b') == ['a', 'n']
        c.write(at + '/b/sedABCDEF', b'no number')
        assert status(c.rename, at + '/b/sedABCDEF', at + '/b/n') == 'INVAL'
        assert rows['n'] == 1
        assert c.read(at + '/b/sedABCDEF') == b'no number'
        c.remove(at + '/b/sedABCDEF')
        c.rename(at + '/b/a', at + '/b/a~')             # a backup
        assert rows == {'n': 1} and c.read(at + '/b/a~') == b'new\n'
        c.write(at + '/b/a', b'newer\n')
        assert rows['a'] == 'newer\n'
        assert status(c.rmdir, at + '/b') == 'NOTEMPTY'
        rows.clear()
        assert status(c.rmdir, at + '/b') == 'NOTEMPTY'
        c.remove(at + '/b/a~')
        c.rmdir(at + '/b')


def test_changes_in_a_mapped_directory_are_told_of_and_refused():
    with served.module(b=Full(a='1', b='2')) as (c, at, m):
        told, refuse = [], []

        @pinefs.on_change
        def note(path, old, new, client):
            told.append((path, old, new))
            if refuse:
                raise RuntimeError
        try:
            c.write(at + '/b/new', b'x')
            c.rename(at + '/b/a', at + '/b/b')
            c.remove(at + '/b/b')
            gone = pinefs.ABSENT
            assert told == [(at + '/b/new', gone, b'x'),
                            (at + '/b/b', '2', '1'), (at + '/b/a', '1', gone),
                            (at + '/b/b', '1', gone)]
            refuse.append(1)
            for act in (lambda: c.write(at + '/b/new', b'y'),
                        lambda: c.write(at + '/b/newer', b'y'),
                        lambda: c.rename(at + '/b/new', at + '/b/z'),
                        lambda: c.remove(at + '/b/new')):
                assert status(act) in ('PERM', 'ACCES')
            assert m.b.rows == {'new': 'x'}
        finally:
            pinefs._watchers.remove(note)
    root = {'b': Full(a='1', hidden='2')}
    with served.own(root=root, exclude='b.hidden', protect=('/b/a',)) as c:
        for act in (lambda: c.remove('/b/hidden'), lambda: c.remove('/b/a'),
                    lambda: c.rename('/b/a', '/b/z'),
                    lambda: c.create('/b/hidden'), lambda: c.rename(
                        '/b/a', '/b/hidden')):
            assert status(act) in ('PERM', 'NOENT')
        c.write('/b/.x.swp', b'')
        assert status(c.rename, '/b/.x.swp', '/b/hidden') == 'PERM'
        assert root['b'].rows == {'a': '1', 'hidden': '2'}
    with served.own(root=root, readonly=True) as c:
        for act in (lambda: c.remove('/b/a'), lambda: c.create('/b/z'),
                    lambda: c.rename('/b/a', '/b/z')):
            assert status(act) == 'ROFS'
