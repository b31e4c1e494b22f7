# SPDX-License-Identifier: MIT
"""Changing, in each version of the protocol: the rows of the tables of what
text is taken, when it is bound, what can be bound and removed, and what
ordinary tools do.  Each row is a call and what is bound then; what a version
does otherwise stands in the row.
"""

import collections
import contextlib
import os
import sys
import tempfile
import threading
import time
import types

import served
import nfs4_ops as op
import test_change
import test_values
import versions
from served import DIR, LNK, Failed, soon
from versions import FILE_SYNC, UNSTABLE, opened, same

VERSIONS = ('2', '4.2') if served.BRIEF else versions.VERSIONS


@contextlib.contextmanager
def each_version():
    """(version, client) of each, of the shared server."""
    with contextlib.ExitStack() as stack:
        port = served.mounted().port
        yield [(v, stack.enter_context(versions.mount(port, v)))
               for v in VERSIONS]


def status(c, call, *args, **more):
    """The error's name, as version 3 has it; None when there is none."""
    try:
        call(*args, **more)
    except Failed as error:
        return error.status
    return None


# ------------------------------------------------------ 8.1, what is taken --


def test_text_parses_by_the_type_of_what_is_bound_in_each_version():
    rows = test_values.PARSE[::4 if served.BRIEF else 1]
    with each_version() as clients, served.module() as (_, at, m):
        for version, c in clients:
            for old, data, new in rows:
                m.v = old = bytearray(old) if type(old) is bytearray else old
                got = status(c, c.write, at + '/v', data)
                what = version, old, data, got, m.v
                if isinstance(new, str) and new in ('INVAL', 'ACCES'):
                    assert got == same(version, new), what
                    assert m.v is old, what
                else:
                    assert got is None and test_values.same(m.v, new), what


def test_other_types_and_functions_in_each_version():
    with each_version() as clients, served.module() as (_, at, m):
        for version, c in clients:
            m.fixed, m.odd, m.f = test_values.FIXED['one'], object(), len
            c.write(at + '/fixed', b'two\n')
            assert m.fixed is test_values.FIXED['two'], version
            for name, text, error in (('fixed', b'three', 'INVAL'),
                                      ('odd', b'x', 'ACCES'),
                                      ('f', b'def f(): pass\n', 'ACCES')):
                got = status(c, c.write, at + '/' + name, text)
                assert got == same(version, error), (version, name, got)
            assert m.fixed is test_values.FIXED['two'] and m.f is len
            for data, bound in ((b'h\xc3\xa9\n', 'h\xe9\n'),
                                (b'\x7fELF\xff', b'\x7fELF\xff')):
                c.write(at + '/fresh', data)
                assert m.fresh == bound, version
                c.remove(at + '/fresh')


def test_functions_are_written_where_code_may_be():
    space = {}
    exec('def f(x):\n    return x\n', space)
    with served.own(root=space, code=True) as c3:
        for n, version in enumerate(VERSIONS):
            with versions.mount(c3.port, version) as c:
                c.write('/f', b'def f(x):\n    return x + %d\n' % n)
                assert space['f'](1) == 1 + n, version
                got = status(c, c.write, '/f', b'def f(x:\n')
                assert got == same(version, 'INVAL'), (version, got)
                assert space['f'](1) == 1 + n, version


def test_the_newline_rule_in_each_version():
    rows = [('INFO', b'DEBUG\n', 'DEBUG'), ('INFO', b'a\nb\n', 'a\nb\n'),
            ('', b'x\n', 'x\n'), ('with\n', b'x\n', 'x\n'),
            (b'old', b'x\n', b'x\n')]
    with each_version() as clients, served.module() as (_, at, m):
        for version, c in clients:
            for old, data, new in rows:
                m.v = old
                c.write(at + '/v', data)
                assert m.v == new, (version, old, data, m.v)


# -------------------------------------------------- 8.2, when it is bound --


class Told(types.ModuleType):
    """Remembers every value that its names were given."""

    def __init__(self, name):
        super().__init__(name)
        self.__dict__['bound'] = []

    def __setattr__(self, name, value):
        self.__dict__['bound'].append((name, value))
        self.__dict__[name] = value

    def put(self, **names):
        """Bind without remembering, and forget what was."""
        del self.bound[:]
        self.__dict__.update(names)


@contextlib.contextmanager
def told(name='told'):
    m = sys.modules[name] = Told(name)
    try:
        yield '/' + name, m
    finally:
        del sys.modules[name]


def cut_and_write(c, path):
    with opened(c, path, cut=True) as f:
        c.write_at(f, 0, b'42\n', FILE_SYNC)


def cut_write_and_commit(c, path):
    """In pieces, each of which would parse."""
    with opened(c, path, cut=True) as f:
        for off, piece in enumerate((b'4', b'2', b'\n')):
            c.write_at(f, off, piece, UNSTABLE)
        c.commit(f)


def cut_write_and_wait(c, path):
    with opened(c, path, cut=True) as f:
        c.write_at(f, 0, b'42\n', UNSTABLE)


def write_and_link(c, path):
    with opened(c, path, cut=True) as f:
        c.write_at(f, 0, b'42\n', UNSTABLE)
        c.link(path, path + 'l')
    c.remove(path + 'l')


def write_and_rename(c, path):
    with opened(c, path, cut=True) as f:
        c.write_at(f, 0, b'42\n', UNSTABLE)
        c.rename(path, path + 'n')
    c.rename(path + 'n', path)


def too_much_to_be_wrong(c, path):
    """More may come, so it is not refused, and the value stays."""
    with opened(c, path) as f:
        c.write_at(f, 0, b'x' * 5000, FILE_SYNC)


def wrong(stable):
    def write(c, path):
        with opened(c, path, cut=True) as f:
            c.write_at(f, 0, b'9x\n', stable)
            if stable == UNSTABLE:
                c.commit(f)
    return write


def wrong_and_closed(c, path):
    """Nobody waits for it: CLOSE is well, the old value shows again."""
    with opened(c, path, cut=True) as f:
        c.write_at(f, 0, b'9x\n', UNSTABLE)


def cut_only(c, path):
    with opened(c, path, cut=True):
        pass


def too_long(c, path):
    with opened(c, path) as f:
        c.write_at(f, (1 << 26) - 1, b'xy', FILE_SYNC)


def downgraded(c, path):
    """The last that may write goes, and it stays open for reading."""
    o = c.open(path, access=1)
    again = c.open(path, access=3)
    c.write_at(again, 0, b'42\n', UNSTABLE)
    o.stateid = c(op.putfh(o.fh), op.open_downgrade(
        again.stateid, 1, 0, c.owners_seqid(o.owner)))[-1].open_stateid
    soon(lambda: c.read(path) == b'42\n')
    c.close_file(o)


# what is done with 5, error, bound then; versions that have it
EVENTS = [
    (cut_and_write, None, 42, '234'),
    (cut_write_and_commit, None, 42, '34'),
    (cut_write_and_wait, None, 42, '34'),
    (write_and_link, None, 42, '34'),
    (write_and_rename, None, 42, '34'),
    (too_much_to_be_wrong, None, 5, '234'),
    (wrong(FILE_SYNC), 'INVAL', 5, '234'),
    (wrong(UNSTABLE), 'INVAL', 5, '34'),
    (wrong_and_closed, None, 5, '34'),
    (cut_only, None, 5, '234'),
    (too_long, 'FBIG', 5, '234'),
    (downgraded, None, 42, '4'),
]


@served.once
def test_when_what_is_written_is_bound():
    with each_version() as clients, told() as (at, m):
        for version, c in clients:
            for event, error, then, where in EVENTS:
                if version[0] not in where:
                    continue
                m.put(v=5)
                what = version, getattr(event, '__name__', event)
                assert status(c, event, c, at + '/v') == same(
                    version, error), what
                soon(lambda: m.v == then)
                # What was staged has gone, too.
                soon(lambda: c.read(at + '/v') == b'%d\n' % then)
                values = {v for name, v in m.bound if name[0] == 'v'}
                assert values <= {then}, (what, m.bound)


def test_a_write_as_long_as_they_come_is_not_the_last():
    """Version 2 has short ones: the text is bound once, whole."""
    text = 'x' * 8192 + 'y' * 8192 + 'z' * 100
    with each_version() as clients, told() as (at, m):
        for version, c in clients:
            for attempt in range(5):    # unless this machine slept meanwhile
                m.put(v='old')
                c.write(at + '/v', text)
                soon(lambda: m.v == text)
                if [v for _, v in m.bound] == [text]:
                    break
            else:
                raise AssertionError((version, [len(v) for _, v in m.bound]))


def test_another_client_that_opens_it_reads_what_is_staged():
    with told() as (at, m):
        port = served.mounted().port
        for version in [v for v in VERSIONS if v[0] == '4']:
            m.put(v=5)
            with versions.mount(port, version) as c, \
                    versions.mount(port, version) as other:
                with opened(c, at + '/v', cut=True) as f:
                    c.write_at(f, 0, b'42\n', UNSTABLE)
                    with opened(other, at + '/v') as g:
                        assert other.read(g) == b'42\n', version
                        soon(lambda: m.v == 42)     # though both are open


def test_an_open_binds_what_another_client_has_written_and_no_cut():
    """Also where a setter has to run, and where it does not parse."""
    with told() as (at, m):
        port = served.mounted().port
        with versions.mount(port, '3') as c, versions.mount(port, '4.2') as d:
            for name, data, then in (('v', b'42\n', 42), ('v', b'many', 5)):
                m.put(v=5)
                c.write_at(at + '/v', 0, data, UNSTABLE)
                with opened(d, at + '/v') as f:
                    assert m.v == then
                    assert d.read(f) == b'%d\n' % then
            m.put(v='old')
            c.setattr(at + '/v', size=0)
            with opened(d, at + '/v') as f:
                assert m.v == 'old' and d.read(f) == b''
            assert c.write(at + '/v', b'new') and m.v == 'new'


def test_what_is_open_is_not_forgotten():
    """Its path is too long for a handle that is found again by it."""
    deep = dict(x=7)
    for i in range(6):
        deep = {'d' * 40: deep}
    space = {'deep': deep, 'wide': {'k%d' % i: i for i in range(1500)}}
    path = '/deep' + ('/' + 'd' * 40) * 6 + '/x'
    with served.own(root=space, max_nodes=64) as c:
        with versions.mount(c.port, '4.2') as d, opened(d, path) as f:
            for i in range(3):
                assert len(c.list('/wide')) == 1500
            assert d.read(f) == b'7\n'


def attempt_a_late_close():
    """(what is bound, seconds since it was cut) when both workers come to
    a CLOSE only after the file is open again and has been cut."""
    go_on, slow = threading.Event(), []
    space = {'v': 'old'}
    for name in 'ab':
        slow.append(threading.Event())
        space[name] = test_change.Slow('text', slow[-1], go_on)
    with served.own(root=space) as c, contextlib.ExitStack() as stack:
        others = [stack.enter_context(served.client.Client(c.port))
                  for _ in slow]
        writers = [threading.Thread(target=status, args=(
            other, other.write, '/%s/text' % name, b'x'))
            for name, other in zip('ab', others)]
        for t in writers:
            t.start()
        try:
            assert all(begun.wait(20) for begun in slow)
            with versions.mount(c.port, '4.2') as c4:
                c4.write('/v', b'new')
                begun = time.monotonic()
                with opened(c4, '/v', create=True, cut=True):
                    go_on.set()
                    for t in writers:
                        t.join()
                    c.read('/v@repr')           # by workers, after it
                    c.read('/v@len')
                    return space['v'], time.monotonic() - begun
        finally:
            go_on.set()


def test_a_late_close_leaves_alone_what_is_written_after_it():
    for attempt in range(5):    # a second after it was cut, it is bound
        bound, seconds = attempt_a_late_close()
        if seconds < 0.9:
            break
    assert bound == 'new' or seconds >= 0.9


@contextlib.contextmanager
def logged():
    """What goes to file descriptor 2 meanwhile."""
    before, text = os.dup(2), []
    with tempfile.TemporaryFile() as f:
        os.dup2(f.fileno(), 2)
        try:
            yield text
        finally:
            os.dup2(before, 2)
            os.close(before)
        f.seek(0)
        text.append(f.read().decode())


def test_a_newer_value_is_overwritten_and_it_is_logged():
    with each_version() as clients, served.module() as (_, at, m):
        for version, c in clients:
            m.v = 1
            with logged() as text, opened(c, at + '/v', cut=True) as f:
                m.v = 77
                if version == '2':
                    c.write_at(f, 0, b'5')
                else:
                    c.write_at(f, 0, b'5', UNSTABLE)
                    c.commit(f)
            assert m.v == 5, version
            assert 'overwrote a newer value' in text[0], (version, text)


@served.once
def test_holes_patches_and_appends_in_each_version():
    with each_version() as clients, served.module() as (_, at, m):
        for version, c in clients:
            m.s, m.t, m.n = 'abcdef', 'text', 5
            c.write_at(at + '/s', 2, b'XY')
            assert m.s == 'abXYef', version
            c.write_at(at + '/s', 8, b'Z')
            assert m.s == 'abXYef\0\0Z', version
            c.setattr(at + '/s', size=3)
            c.setattr(at + '/t', size=0)
            soon(lambda: m.s == 'abX' and m.t == '')
            got = status(c, c.write_at, at + '/n', 2, b'6\n')
            assert got == same(version, 'INVAL') and m.n == 5, version


def test_exclusive_creation_in_each_version():
    with each_version() as clients, served.module() as (_, at, m):
        for version, c in clients:
            if version == '2':
                continue
            m.d = {}
            new, four = at + '/d/new', version[0] == '4'

            def create(verf):
                if not four:        # to close it would bind it
                    return c.create(new, how=2, verf=verf),
                return c.open(new, op.exclusive(verf))
            create(b'verifier')
            f = create(b'verifier')
            assert m.d == {}, version
            assert status(c, create, b'another.') == 'EXIST', version
            c.write_at(f, 0, b'content')
            assert m.d == {'new': 'content'}, version


# --------------------------------------------- 8.3, binding and removing --


class Checked:
    """A setter decides."""

    def __setattr__(self, name, value):
        error = {'fixed': AttributeError, 'wrong': ValueError,
                 'type': TypeError, 'odd': KeyError}.get(name)
        if error is not None:
            raise error(name)
        self.__dict__[name] = value


def containers():
    """A fresh one of each kind."""
    checked = Checked()
    checked.__dict__.update(fixed=1, wrong=1, type=1, odd=1, x=1)

    class Local:
        x = 1
    return types.SimpleNamespace(
        instance=types.SimpleNamespace(x=1), checked=checked, cls=Local,
        frozen=test_change.Frozen(), dict={'x': 1},
        validated=test_change.Validated(x=1), list=['1', '2'],
        deque=collections.deque('12'), tuple=(1, 2), frozenset=frozenset('x'),
        set={'x'}, proxy=types.MappingProxyType({'x': 1}))


# path, what a write to it does, what its removal does.  Version 3 has no
# PERM for WRITE, and says ACCES; a v2 or v4 client may get either.
PLACES = [
    ('instance/x', None, None),
    ('instance/fresh', None, None),
    ('checked/x', None, None),
    ('checked/fixed', 'PERM', None),
    ('checked/wrong', 'INVAL', None),
    ('checked/type', 'INVAL', None),
    ('checked/odd', 'IO', None),
    ('frozen/x', 'PERM', 'PERM'),
    ('dict/x', None, None),
    ('dict/fresh', None, None),
    ('dict/__init__', None, None),
    ('validated/x', None, None),
    ('validated/fresh', 'INVAL', 'NOENT'),
    ('list/1', None, None),
    ('list/0', None, 'PERM'),
    ('list/2', None, None),
    ('list/7', 'PERM', 'NOENT'),
    ('list/x', 'PERM', 'NOENT'),
    ('deque/1', None, None),
    ('deque/0', None, 'PERM'),
    ('tuple/0', 'ACCES', 'ACCES'),
    ('tuple/2', 'ACCES', 'NOENT'),
    ('frozenset/x', 'ACCES', 'ACCES'),
    ('set/x', 'ACCES', None),
    ('proxy/x', 'ACCES', 'ACCES'),
]
CANNOT = {'PERM', 'ACCES'}


def like(got, expected):
    return got == expected or {got, expected} <= CANNOT


def test_each_kind_of_container_is_bound_and_unbound():
    with each_version() as clients, served.module() as (_, at, m):
        for version, c in clients:
            for path, write, remove in PLACES:
                m.of = containers()
                of = at + '/of/' + path
                for call, error in ((lambda: c.write(of, b'2'), write),
                                    (lambda: c.remove(of), remove)):
                    got = status(c, call)
                    assert like(got, same(version, error)), (
                        version, path, error, got)


def test_classes_are_bound_by_type_and_builtins_are_not():
    with each_version() as clients, served.module() as (_, at, m):
        for version, c in clients:
            m.C = containers().cls
            c.write(at + '/C/x', b'9')
            c.write(at + '/C/fresh', b'9')
            assert m.C().x == 9 and m.C().fresh == '9', version
            c.remove(at + '/C/fresh')
            assert not hasattr(m.C, 'fresh'), version
            for call in ((c.write, '/builtins/int/new', b'x'),
                         (c.remove, '/builtins/int/real'),
                         (c.remove, '/builtins/len'),
                         (c.remove, '/sys/version'),
                         (c.remove, at + '/__name__'),
                         (c.mkdir, '/new_module'),
                         (c.rename, at, '/other')):
                assert status(c, *call) in CANNOT, (version, call)
            assert '/' + m.__name__ == at


def test_names_are_made_moved_and_removed_in_each_version():
    with each_version() as clients, served.module() as (_, at, m):
        for version, c in clients:
            thing = {'x': 1}
            m.d = {'n': 5, 'thing': thing, 'again': thing}
            d = at + '/d'
            c.mkdir(d + '/sub')
            assert m.d['sub'] == {}
            assert status(c, c.mkdir, d + '/sub') == 'EXIST', version
            c.create(d + '/empty')
            soon(lambda: m.d.get('empty') == '')
            assert status(c, c.rmdir, d) == 'NOTEMPTY', version
            # an alias goes, its object stays
            alias, = [e[0].decode() for e in c.entries(d) if e[2].type == LNK]
            c.remove(d + '/' + alias)
            assert alias not in m.d and thing == {'x': 1}, version
            left, = {'thing', 'again'} & set(m.d)
            # a true object is bound as it is, text by the target's type
            c.rename(d + '/' + left, d + '/sub/moved')
            assert m.d['sub'] == {'moved': thing}, version
            assert m.d['sub']['moved'] is thing
            got = status(c, c.rename, d + '/sub', d + '/sub/moved/in')
            assert got == same(version, 'INVAL'), (version, got)
            c.write(d + '/made', b'7\n')
            c.rename(d + '/made', d + '/n')
            assert m.d['n'] == 7 and 'made' not in m.d, version
            c.write(d + '/made', b'seven\n')
            got = status(c, c.rename, d + '/made', d + '/n')
            assert got == same(version, 'INVAL'), (version, got)
            assert m.d['n'] == 7 and m.d['made'] == 'seven\n', version
            # links
            c.symlink('sub', d + '/alias')
            assert m.d['alias'] is m.d['sub'], version
            c.symlink('nowhere', d + '/text')
            assert c.readlink(d + '/text') == b'nowhere', version
            assert m.d['text'] == 'nowhere'
            c.link(d + '/made', d + '/both')
            a, b = c.getattr(d + '/made'), c.getattr(d + '/both')
            assert a.fileid == b.fileid and a.nlink == b.nlink == 2, version
            c.write(d + '/both', b'one\n')
            assert m.d['made'] == m.d['both'] == 'one\n', version
            m.d['both'] = 'by itself'
            # a client that wrote sees that for a moment longer
            soon(lambda: c.getattr(d + '/made').nlink == 1)
            # what only clients know
            c.setattr(d + '/made', mode=0o640, mtime=10**18)
            assert m.d['made'] == 'one\n', version
            c.remove(d + '/alias')
            c.rm_r(d)
            assert not hasattr(m, 'd'), version


# ------------------------------------------------- 8.4, tools and shadows --

LONG = 'line of some length\n' * 1000


def tee(c, path, data):                 # echo, printf, cp, too
    with opened(c, path, create=True, cut=True) as f:
        c.write_at(f, 0, data, FILE_SYNC)


def echo_twice(c, path, data):
    tee(c, path, data)
    tee(c, path, data)


def vim(c, path, data):
    """The swap file, a backup, the file cut and written in pieces, fsync."""
    above, _, name = path.rpartition('/')
    beside = [above + '/.' + name + '.swp', above + '/4913', path + '~']
    for scratch in beside:
        with opened(c, scratch, create=True) as f:
            c.write_at(f, 0, b'scratch' * 100, FILE_SYNC)
    with opened(c, path) as f:
        c.setattr(f, size=0)
        two = isinstance(c, versions.Client2)
        for off in range(0, len(data), 8192):
            c.write_at(f, off, data[off:off + 8192], UNSTABLE)
        if not two:
            c.commit(f)
    for scratch in beside:
        c.remove(scratch)


def by_temporary(pattern):
    """sed -i, rsync, emacs, perl -i: a file beside it, renamed onto it."""
    def tool(c, path, data):
        above, _, name = path.rpartition('/')
        temporary = above + '/' + pattern % name
        with opened(c, temporary, create=True) as f:
            for off in range(0, len(data), 8192):
                c.write_at(f, off, data[off:off + 8192], FILE_SYNC)
        c.setattr(temporary, mode=0o600, mtime=10**18)
        c.rename(temporary, path)
    tool.__name__ = pattern
    return tool


def backup_by_renaming(c, path, data):
    c.rename(path, path + '~')
    tee(c, path, data)
    c.remove(path + '~')


def dd(c, path, data):
    """conv=notrunc: each block is written over what is there."""
    with opened(c, path) as f:
        for off in range(0, len(data), 8192):
            c.write_at(f, off, data[off:off + 8192], FILE_SYNC)


TOOLS = [tee, echo_twice, vim, backup_by_renaming] + [
    by_temporary(p) for p in ('%.0ssedAbC123', '.%s.aB12cD', '#%s#')]

# old, what is written, bound
SAVES = [(5, b'42\n', 42), ('INFO', b'DEBUG\n', 'DEBUG'),
         ('old\n', LONG.encode(), LONG), (True, b'off\n', False)]


def test_what_tools_save_is_bound_once_and_whole():
    """No value but the old and the new is ever bound: no half, no empty."""
    with each_version() as clients, told() as (at, m):
        for version, c in clients:
            for tool in TOOLS:
                for old, data, new in SAVES:
                    m.put(v=old)
                    names = set(m.__dict__)
                    tool(c, at + '/v', data)
                    what = version, tool.__name__, old
                    soon(lambda: m.__dict__.get('v') == new)
                    assert type(m.v) is type(new), what
                    seen = [v for name, v in m.bound]
                    assert seen and all(v == new for v in seen), (
                        what, m.bound)
                    assert set(m.__dict__) == names, what   # no shadow
                    assert c.read(at + '/v') in (data, data.rstrip(),
                                                 b'False\n'), what


def test_what_does_not_parse_is_an_error_of_the_rename():
    with each_version() as clients, told() as (at, m):
        for version, c in clients:
            m.put(v=5)
            with opened(c, at + '/sedAbC123', create=True) as f:
                c.write_at(f, 0, b'five\n', FILE_SYNC)
            got = status(c, c.rename, at + '/sedAbC123', at + '/v')
            assert got == same(version, 'INVAL'), (version, got)
            assert m.v == 5 and not m.bound
            assert c.read(at + '/sedAbC123') == b'five\n'
            c.remove(at + '/sedAbC123')


def test_install_makes_a_new_value_whose_type_is_new():
    with each_version() as clients, served.module() as (_, at, m):
        for version, c in clients:
            m.v = 5
            c.remove(at + '/v')
            tee(c, at + '/v', b'7\n')
            assert m.v == '7\n', version


def test_appending_and_patching_as_the_table_has_it():
    with each_version() as clients, told() as (at, m):
        for version, c in clients:
            m.put(s='one\n', n=5)
            with opened(c, at + '/s') as f:
                c.write_at(f, 4, b'two\n', FILE_SYNC)
            assert m.s == 'one\ntwo\n', version
            dd(c, at + '/s', b'ONE')
            assert m.s == 'ONE\ntwo\n', version
            got = status(c, c.write_at, at + '/n', 2, b'6\n')
            assert got == same(version, 'INVAL') and m.n == 5, version
            assert [v for _, v in m.bound] == ['one\ntwo\n', 'ONE\ntwo\n']


def test_shadows_are_for_clients_only_in_each_version():
    names = ('.v.swp', '.v.swpx', 'v~', '4913', '#v#', '.#v', 'sedAbC123',
             '.v.aB12cD', '.nfs00012', '.goutputstream-XYZ', '._v',
             '.DS_Store', 'no-identifier')
    with each_version() as clients, told() as (at, m):
        for version, c in clients:
            m.put(d={})
            before = set(m.__dict__)
            for name in names:
                for d in (at, at + '/d'):
                    if d != at and name == 'no-identifier':
                        continue        # a dict takes any name
                    tee(c, d + '/' + name, b'scratch')
                    assert name in c.list(d), (version, name)
                    assert c.read(d + '/' + name) == b'scratch'
            assert set(m.__dict__) == before and m.d == {}, version
            for name in names:
                c.remove(at + '/' + name)
                if name != 'no-identifier':
                    c.remove(at + '/d/' + name)
            c.rmdir(at + '/d')
            assert not hasattr(m, 'd')


def test_a_sampling_thread_sees_the_old_or_the_new_value_in_each_version():
    with each_version() as clients, served.module() as (_, at, m):
        m.v, seen, stop = 'a' * 5000, set(), []

        def sample():
            while not stop:
                seen.add(m.__dict__['v'])
        thread = threading.Thread(target=sample)
        thread.start()
        wanted = {'a' * 5000}
        try:
            for n, (version, c) in enumerate(clients):
                for tool, letter in ((vim, 'bdfhj'[n]), (tee, 'cegik'[n])):
                    wanted.add(letter * 5000)
                    tool(c, at + '/v', letter.encode() * 5000)
                    soon(lambda: m.v == letter * 5000)
        finally:
            stop.append(1)
            thread.join()
        assert seen <= wanted, [(len(v), v[:1], v[-1:]) for v in seen]
