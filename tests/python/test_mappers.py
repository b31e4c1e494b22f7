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
        assert status(c.create, at + '/t/more') is not None


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


def test_a_mapped_directory_is_removed_when_it_is_empty():
    with served.module(t=Table()) as (c, at, m):
        assert status(c.rmdir, at + '/t') == 'NOTEMPTY'
        m.t.rows.clear()
        c.rmdir(at + '/t')
        assert not hasattr(m, 't')
