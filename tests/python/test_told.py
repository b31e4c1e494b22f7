# SPDX-License-Identifier: MIT
"""Every way to change something is told of before, can be refused, and is
seen whole or not at all."""

import array
import collections
import contextlib
import copy
import datetime
import functools
import sys
import threading

import served
from served import status

pinefs = served.pinefs
ABSENT = pinefs.ABSENT


class Thing:
    def __init__(self, **names):
        vars(self).update(names)

    def method(self):
        return 1


class Config:
    """Has items, by the protocol only."""

    def __init__(self):
        self.rows = {'host': 'db'}

    def keys(self):
        return list(self.rows)

    def __getitem__(self, key):
        return self.rows[key]

    def __setitem__(self, key, value):
        self.rows[key] = value


class Cell:
    def __init__(self, text):
        self.text = text


@pinefs.mapper(Cell)
class CellMapper(pinefs.Mapper):
    def read(self, o):
        return o.text

    def write(self, o, data):
        o.text = data.decode()

    views = {'csv': (lambda o: o.text + ',', lambda o, data: setattr(
                o, 'text', data.decode())),
             'npy': (lambda o: b'npy', lambda o, data: Cell(data.decode()))}


def space():
    """The root of a server, with something of each kind."""
    def g(a=1):
        return a

    return {'d': {'k': 1, 'keep': 2}, 'l': [1], 's': {1}, 't': Thing(x=1),
            'q': collections.deque([1]), 'c': Config(), 'cell': Cell('old'),
            'b': bytearray(b'old'), 'a': array.array('b', [1, 2]), 'n': 1,
            'g': g, 'call': g, 'hard': {'x': 'one'}}


def shown(o):
    """What can be compared: of a function its result."""
    if callable(o):
        return 'f: %d' % o()
    if isinstance(o, Cell):
        return 'cell: ' + o.text
    if isinstance(o, Thing):
        return vars(o).copy()
    if isinstance(o, Config):
        return o.rows.copy()
    return o


def state(root):
    return repr({name: shown(o) for name, o in sorted(root.items())})


def write(path, data):
    return lambda c: c.write(path, data)


def call(name, *args):
    return lambda c: getattr(c, name)(*args)


SOURCE = 'def g(a=5):\n    return a + 1\n'

# what a client does; what is told of it; without server: new=, told last
WAYS = [
    (write('/n', b'2'), [('/n', 1, 2)]),
    (write('/n@repr', b'2'), [('/n', 1, 2)]),
    (write('/n@json', b'2'), [('/n', 1, 2)]),
    (write('/n@expr', b'1+1'), [('/n@expr', ABSENT, '1+1'), ('/n', 1, 2)]),
    (write('/d@repr', b"{'k': 3}"), [('/d', {'k': 1, 'keep': 2}, {'k': 3})]),
    (write('/d@json', b'{"k": 3}'), [('/d', {'k': 1, 'keep': 2}, {'k': 3})]),
    (write('/l@repr', b'[3]'), [('/l', [1], [3])]),
    (write('/s@repr', b'{3}'), [('/s', {1}, {3})]),
    (write('/b@repr', b'bytearray()'), None),       # no literal
    (write('/b', b'new'), [('/b', bytearray(b'old'), bytearray(b'new'))]),
    (write('/a@raw', b'xy'), [('/a', array.array('b', [1, 2]), b'xy')]),
    (write('/t@attrs/x', b'2'), [('/t/x', 1, 2)]),
    (write('/t/.@attrs/x', b'2'), [('/t/x', 1, 2)]),
    (write('/.@items/n', b'2'), [('/n', 1, 2)]),
    (write('/d@items/k', b'2'), [('/d/k', 1, 2)]),
    (write('/c@items/host', b'x'), [('/c/host', 'db', 'x')]),
    (write('/l@append', b'2'), [('/l/1', ABSENT, 2)]),
    (write('/q@append', b'2'), [('/q/1', ABSENT, 2)]),
    (write('/s@append', b'2'), [('/s/2', ABSENT, 2)]),
    (write('/cell@csv', b'new'), [('/cell', 'cell: old', b'new')]),
    (write('/cell@npy', b'new'), [('/cell', 'cell: old', b'new'),
                                  ('/cell', 'cell: old', 'cell: new')]),
    (write('/cell', b'new'), [('/cell', 'cell: old', b'new')]),
    (write('/g', SOURCE.encode()), [('/g', 'f: 1', SOURCE)]),
    (write('/g@src', SOURCE.encode()), [('/g', 'f: 1', SOURCE)]),
    (write('/call@call', b'(7,)'), [('/call@call', ABSENT, '(7,)')]),
    (call('mkdir', '/d/new'), [('/d/new', ABSENT, {})]),
    (call('create', '/d/new'), [('/d/new', ABSENT, '')]),
    (call('symlink', '../l', '/d/new'), [('/d/new', ABSENT, [1])]),
    (call('symlink', 'none', '/d/new'), [('/d/new', ABSENT, 'none')]),
    (call('link', '/n', '/d/new'), [('/d/new', ABSENT, 1)]),
    (call('remove', '/d/k'), [('/d/k', 1, ABSENT)]),
    (call('rename', '/d/k', '/d/new'), [('/d/new', ABSENT, 1),
                                        ('/d/k', 1, ABSENT)]),
    (call('rename', '/d/k', '/d/keep'), [('/d/keep', 2, 1),
                                         ('/d/k', 1, ABSENT)]),
    (call('rename', '/d/k', '/.pyfs/trash/k'), [('/d/k', 1, ABSENT)]),
    (write('/.pyfs/run/job', b'pass'), [('/.pyfs/run/job', ABSENT, 'pass')]),
    (write('/.pyfs/modules/load', b'json'),
     [('/.pyfs/modules/load', ABSENT, 'json')]),
    (write('/.pyfs/gc/collect', b'0'), [('/.pyfs/gc/collect', ABSENT, '0')]),
]


@contextlib.contextmanager
def watching(refuse=False):
    told = []

    def note(path, old, new, client):
        told.append((path,) + tuple(copy.copy(shown(x)) if x is not ABSENT
                                    else x for x in (old, new)))
        if refuse and len(told) == len(told.expected):
            raise RuntimeError('refused')

    class Told(list):
        expected = ()
    told = Told()
    pinefs.on_change(note)
    try:
        yield told
    finally:
        pinefs._watchers.remove(note)


def each_way(do, **options):
    """Does each with a client of a server whose root is made anew."""
    root = space()
    with served.own(root=root, code=True, **options) as c:
        c.list('/')
        for act, expected in WAYS:
            root.clear()
            root.update(space())
            do(c, root, act, expected)


def test_every_way_to_change_something_is_told_of_before():
    with watching() as told:
        def do(c, root, act, expected):
            del told[:]
            failed = status(act, c)
            if expected is None:
                assert failed == 'INVAL' and not told
            else:
                assert failed is None and told == expected, (
                    failed, told, expected)
        each_way(do)


def test_what_is_refused_leaves_everything_as_it_was():
    with watching(refuse=True) as told:     # the last one that is asked
        def do(c, root, act, expected):
            if expected is None or len(expected) > 1 and \
                    expected[-1][0] == '/cell':
                return              # the second one is of what was made
            before = state(root)
            del told[:]
            told.expected = expected
            assert status(act, c) in ('PERM', 'ACCES', 'IO'), expected
            assert told == expected
            assert state(root) == before, expected
        each_way(do)


def test_of_what_is_read_only_nothing_is_changed_or_told():
    with watching() as told:
        def do(c, root, act, expected):
            before = state(root)
            assert status(act, c) == 'ROFS', expected
            assert state(root) == before
        each_way(do, readonly=True)
        assert not told


def test_names_that_are_not_served_are_not_made_by_any_way():
    root = {'d': {'n': 1}, 't': Thing(hidden=1, n=1), 'l': []}
    rules = dict(root=root, code=True, exclude=('hidden', 't.n'))
    with served.own(**rules) as c:
        for act in (call('mkdir', '/d/hidden'), call('create', '/d/hidden'),
                    call('symlink', '../l', '/d/hidden'),
                    call('symlink', 'x', '/d/hidden'),
                    call('link', '/d/n', '/d/hidden'),
                    call('rename', '/d/n', '/d/hidden')):
            assert status(act, c) in ('PERM', 'ACCES')
        for act in (call('remove', '/t/hidden'), call('read', '/t/n'),
                    write('/t@attrs/hidden', b'2'), write('/t/n', b'2'),
                    write('/t@attrs/n', b'2'), call('read', '/t@attrs/n'),
                    call('read', '/t/.@attrs/n'),
                    call('rename', '/t/hidden', '/d/new')):
            assert status(act, c) in ('NOENT', 'PERM', 'ACCES')
        assert 'n' not in c.list('/t@attrs')
        assert vars(root['t']) == {'hidden': 1, 'n': 1}
        assert root['d'] == {'n': 1}
    rules = dict(root=root, include=('t.hidden', 'd'))
    with served.own(**rules) as c:
        assert c.read('/t@attrs/hidden') == b'1\n'
        assert status(c.read, '/t@attrs/n') == 'NOENT'
        assert c.list('/t@attrs') == ['hidden']
        assert c.read('/d@items/n') == b'1\n'


class Text(str):
    def __repr__(self):
        return 'hush'

    __str__ = __repr__


class Keeper:
    """Is no container in the tree, and shows all it has."""

    def __init__(self, **names):
        vars(self).update(names)

    def reveal(self):
        """It is bound to self."""

    def __repr__(self):
        return repr(vars(self))


@served.pinefs.mapper(Keeper)
class KeeperMapper(served.pinefs.Mapper):
    kind = 'dir'

    def list(self, o):
        return list(vars(o))

    def get(self, o, name):
        return vars(o)[name]


def test_where_names_are_hidden_no_view_shows_them_within_a_value():
    def work(conf, secret, n):
        ready.set()
        go_on.wait()
    ready, go_on = threading.Event(), threading.Event()
    conf = {'user': 'me', 'secret': 'hush', 'deep': [{'secret': 'hush'}]}
    keeper = Keeper(secret='hush')
    others = {'keeper': keeper, 'values': conf.values(), 'text': Text('t'),
              'bound': keeper.reveal, 'get': conf.get,
              'slice': slice(conf), 'partial': functools.partial(len, conf)}
    root = dict(others, conf=conf, n=5, when=datetime.date(2000, 1, 2),
                t=Thing(conf=conf, **others))
    thread = threading.Thread(target=work, args=(conf, 'hush', 7))
    thread.start()
    ready.wait()
    views = ['/conf@' + v for v in ('repr', 'str', 'json', 'pickle', 'expr')]
    at = '/.pyfs/threads/%d/frames/' % thread.ident
    try:
        for rules in (dict(exclude='secret'), dict(include=('conf.user', 't',
                                                           'n'))):
            with served.own(root=root, code=True, **rules) as c:
                n = [n for n in c.list(at) if c.read(
                    at + n + '/function') == b'work\n'][0]
                for path in views + ['/conf/.@repr', '/conf@items/secret',
                                     '/conf/deep/.@repr', '/conf/secret',
                                     '/conf/deep/0/secret', '/.pyfs/by-id',
                                     at + n + '/locals/secret']:
                    assert status(c.read, path) in ('NOENT', 'STALE'), path
                assert c.read('/n@repr') == b'5\n'
                assert c.read('/conf@len') == b'3\n'
                assert b'hush' not in c.read('/t@attrs/conf')
                assert c.read('/t@attrs/text') == b't'
                if 'exclude' in rules:
                    assert c.read('/when@str') == b'2000-01-02\n'
                    for name in others:         # containers or not
                        for v in ('repr', 'str', 'json', 'pickle', 'expr'):
                            assert status(c.read, '/%s@%s' % (
                                name, v)) == 'NOENT', (name, v)
                        assert b'hush' not in c.read('/t@attrs/' + name)
                if 'exclude' in rules:
                    assert b'hush' not in c.read('/conf@items/deep')
                    assert b'hush' not in c.read(at + n + '/locals/conf')
                    assert c.read(at + n + '/locals/n') == b'7\n'
                else:
                    assert status(c.list, at + n + '/locals') == 'NOENT'
                    assert status(c.list, '/.pyfs/gc/garbage') == 'NOENT'
        with served.own(root=root) as c:
            assert b'hush' in c.read('/conf@repr')
            assert b'hush' in c.read('/keeper@repr')
    finally:
        go_on.set()
        thread.join()


def test_audit_hooks_see_every_way_and_code():
    code, out = served.python('''
import sys
sys.path.append(%r)
import test_told
events = []
sys.addaudithook(lambda event, args: event.startswith('pinefs.') and
                 events.append((event,) + args))

def do(c, root, act, expected):
    del events[:]
    test_told.status(act, c)
    seen = [e[1:] for e in events if e[0] == 'pinefs.write']
    want = [(path, 'delete' if new is test_told.ABSENT else 'bind')
            for path, old, new in expected or ()]
    assert seen == want, (seen, want)
    paths = [path for path, old, new in expected or ()]
    runs = paths and (paths[0] in ('/g', '/call@call', '/n@expr') or
                      'run' in paths[0] or 'load' in paths[0])
    if runs:
        assert 'pinefs.code' in [e[0] for e in events], paths
    if runs and 'run/' in paths[0]:
        assert ('pinefs.code', expected[0][2]) in events, events

test_told.each_way(do)
print('fine')
''' % served.HERE)
    assert (code, out) == (0, 'fine\n'), out


def test_an_expression_that_is_refused_does_not_run():
    sys.served_ran = []
    with served.own(root={'n': 1}, code=True) as c:
        text = b'__import__("sys").served_ran.append(1) or 2'
        with watching(refuse=True) as told:
            told.expected = range(1)
            assert status(c.write, '/n@expr', text) in ('PERM', 'ACCES')
            assert [row[0] for row in told] == ['/n@expr']
        assert not sys.served_ran
        c.write('/n@expr', text)
        assert sys.served_ran == [1] and c.read('/n') == b'2\n'


def test_an_audit_hook_that_never_ends_is_interrupted():
    """It has the broker's thread; what it was asked about is not done."""
    code, out = served.python('''
import sys
sys.path.insert(0, %r)
import served
root = {'n': 1}
def hook(event, args):
    while event == 'pinefs.write':
        pass
sys.addaudithook(hook)
with served.own(root=root, timeout=0.2) as c:
    assert served.status(c.write, '/n', b'2') in ('PERM', 'ACCES')
    assert c.read('/n') == b'1\\n' and root == {'n': 1}
print('fine')
''' % served.HERE)
    assert (code, out) == (0, 'fine\n'), out


# ------------------------------------------------------------- as a whole --

def test_hard_links_are_all_bound_or_none():
    class Picky(dict):
        def __setitem__(self, key, value):
            if value == 'bad':
                raise ValueError(value)
            super().__setitem__(key, value)

    root = {'a': {'x': 'one'}, 'z': Picky()}
    with served.own(root=root) as c:
        c.list('/'), c.list('/a')
        c.link('/a/x', '/a/y')
        c.link('/a/x', '/z/x')
        c.write('/a/x', b'two')
        assert (root['a'], root['z']) == ({'x': 'two', 'y': 'two'},
                                          {'x': 'two'})
        assert status(c.write, '/a/x', b'bad') is not None
        assert (root['a'], root['z']) == ({'x': 'two', 'y': 'two'},
                                          {'x': 'two'})
        with watching(refuse=True) as told:
            told.expected = range(3)
            assert status(c.write, '/a/y', b'three') in ('PERM', 'ACCES')
            assert len(told) == 3
        assert set(root['a'].values()) == {'two'}


def test_hard_links_are_taken_back_whoever_looks_meanwhile():
    inside, go_on = threading.Event(), threading.Event()

    class Slow:
        def __setattr__(self, name, value):
            if value == 'bad':
                inside.set()
                go_on.wait(60)
                raise ValueError(value)
            super().__setattr__(name, value)

    slow = Slow()
    slow.x = 'one'
    root = {'s': slow, 'd': {}}
    found = []
    with served.own(root=root, threads=2) as c:
        for name in ('a', 'b', 'c'):
            c.link('/s/x', '/d/' + name)
        with served.client.Client(c.port) as other:
            thread = threading.Thread(target=lambda: found.append(
                status(c.write, '/s/x', b'bad')))
            thread.start()
            try:
                assert inside.wait(60)
                for path in ('/d/a', '/s/x', '/d/b'):
                    other.getattr(path)     # these are two objects now
                root['d']['c'] = 'mine'     # and this is the program's
            finally:
                go_on.set()
                thread.join()
        assert found[0] is not None
        assert root['d'] == {'a': 'one', 'b': 'one', 'c': 'mine'}
        assert slow.x == 'one'
        # And they are one file still, but for what the program has bound.
        for path in ('/s/x', '/d/a', '/d/b', '/d/c'):
            c.getattr(path)
        assert c.getattr('/s/x').nlink == 3
        c.write('/d/b', b'two')
        assert root['d'] == {'a': 'two', 'b': 'two', 'c': 'mine'}
        assert slow.x == 'two'


class Ends:
    """Looks at a container when it ends."""

    def __init__(self, o, seen):
        self.o, self.seen = o, seen

    def __del__(self):
        self.seen.append(repr(self.o))


def test_a_file_renamed_onto_a_value_is_refused_as_a_whole():
    root = {'b': bytearray(b'old'), 'n': 1, 'd': {}}
    with served.own(root=root) as c:
        c.write('/d/new', b'2')
        for name, path in (('b', '/b'), ('n', '/n')):
            with watching(refuse=True) as told:
                told.expected = range(2)
                assert status(c.rename, '/d/new', path) in ('PERM', 'ACCES')
                assert [row[0] for row in told] == [path, '/d/new']
            assert root == {'b': b'old', 'n': 1, 'd': {'new': '2'}}
        b = root['b']
        c.rename('/d/new', '/b')
        assert root['b'] is b and root == {'b': b'2', 'n': 1, 'd': {}}

    class Keeps:
        def __delattr__(self, name):
            raise AttributeError(name)

    b = bytearray(b'old')
    root = {'b': b, 'd': {}, 'o': Keeps()}
    with served.own(root=root) as c:
        c.write('/o/new', b'longer')
        with watching() as told:
            assert status(c.rename, '/o/new', '/b') == 'PERM'
            assert len(told) == 2               # begun once
        assert root['b'] is b and b == b'old'
        assert vars(root['o']) == {'new': 'longer'}


def test_contents_are_exchanged_in_one_go():
    for o, fill, new in (
            ({}, lambda o, x: o.__setitem__('x', x), {'k': 1}),
            ([], lambda o, x: o.append(x), [1]),
            (set(), lambda o, x: o.add(x), {1})):
        seen = []
        fill(o, Ends(o, seen))
        with served.own(root={'o': o}) as c:
            c.write('/o@repr', repr(new).encode())
            served.soon(lambda: seen)
        # Not empty, nor half: the old ones end when the new are in.
        assert o == new and seen == [repr(new)]


def test_a_program_that_looks_meanwhile_sees_the_old_or_the_new():
    rows = [{str(i): n for i in range(2000)} for n in (1, 2)]
    o = dict(rows[0])
    stop, seen = [], set()

    def look():
        while not stop:
            values = o.copy().values()
            seen.add((len(values), tuple(set(values))))
    with served.own(root={'o': o}) as c:
        thread = threading.Thread(target=look)
        thread.start()
        try:
            for i in range(20):
                c.write('/o@repr', repr(rows[i % 2]).encode())
        finally:
            stop.append(1)
            thread.join()
    assert seen <= {(2000, (1,)), (2000, (2,))}, seen


def test_subclasses_stay_what_they_are():
    class Checked(dict):
        def __setitem__(self, key, value):
            if not isinstance(value, int):
                raise TypeError('numbers only')
            super().__setitem__(key, value)

    class Plain(list):
        pass
    class Lists(collections.defaultdict):
        def __setitem__(self, key, value):
            super().__setitem__(key, value)

    class Slotted(list):
        __slots__ = ('slot',)

        def append(self, item):
            super().append(item)

    class Itself(Checked):
        def __copy__(self):
            return self

    lists, itself, slotted = Lists(list, a=[1]), Itself(a=1), Slotted([1])
    slotted.slot = itself.note = 'stays'
    kept = collections.defaultdict(list, a=[1])
    plain = Plain([1])
    checked = Checked(a=1)
    checked.note = 'stays'
    root = {'d': kept, 'o': collections.OrderedDict(a=1), 'c': checked,
            'p': plain, 'n': collections.Counter('aab'), 'l': lists,
            'i': itself, 's': slotted}
    with served.own(root=root) as c:
        c.write('/d@repr', b"{'b': [2]}")
        assert root['d'] is kept and kept == {'b': [2]} and kept['z'] == []
        c.write('/o@json', b'{"z": 1, "a": 2}')
        assert root['o'] == collections.OrderedDict(z=1, a=2)
        c.write('/p@repr', b'[2, 3]')
        assert root['p'] is plain and plain == [2, 3]
        c.write('/c@repr', b"{'b': 2}")
        assert type(root['c']) is Checked and root['c'] == {'b': 2}
        assert root['c'].note == 'stays' and checked == {'a': 1}
        assert status(c.write, '/c@repr', b"{'b': 3, 'c': 'x'}") == 'INVAL'
        assert root['c'] == {'b': 2}
        c.write('/n@repr', b"{'a': 5}")
        assert root['n'] == collections.Counter(a=5)
        assert type(root['n']) is collections.Counter
        c.write('/l@repr', b"{'b': [2]}")
        assert type(root['l']) is Lists and lists == {'a': [1]}
        assert root['l'] == {'b': [2]} and root['l']['z'] == []
        c.write('/s@repr', b'[2, 3]')
        assert root['s'] == [2, 3] and slotted == [1]
        assert type(root['s']) is Slotted and root['s'].slot == 'stays'
        c.write('/i@repr', b"{'b': 2}")
        assert root['i'] == {'b': 2} and itself == {'a': 1}
        assert type(root['i']) is Itself and root['i'].note == 'stays'


def test_a_function_has_its_new_code_with_its_new_defaults():
    def swapped(a, b=2):
        return a + b

    import pinefs._pinefs as built
    code, defaults = swapped.__code__, swapped.__defaults__
    other = (lambda a, b: a * b).__code__
    for wrong in (('no code', None, None, None),
                  (other, 'no tuple', None, None),
                  (other, (1, 2), 'no dict', None)):
        try:
            built.set_function(swapped, *wrong)
        except (TypeError, ValueError):
            pass
        else:
            raise AssertionError(wrong)
        assert swapped.__code__ is code
        assert swapped.__defaults__ is defaults and swapped(1) == 3
    built.set_function(swapped, other, (5,), None, 'doc')
    assert swapped(2) == 10 and swapped.__doc__ == 'doc'
    # Nobody calls the one with the other's.
    results, stop = set(), []

    def look():
        while not stop:
            results.add(swapped())
    built.set_function(swapped, (lambda a, b: (a, b, 1)).__code__, (1, 1),
                       None, None)
    thread = threading.Thread(target=look)
    with served.own(root={'f': swapped}, code=True) as c:
        thread.start()
        try:
            for n in (2, 3, 4, 5):
                c.write('/f', ('def swapped(a=%d, b=%d):\n'
                               '    return a, b, %d\n' % (n, n, n)).encode())
        finally:
            stop.append(1)
            thread.join()
    assert all(a == b == n for a, b, n in results), results
    assert sys.getswitchinterval() > 0


def test_a_call_is_shown_for_who_was_called():
    root = {'f': lambda: 'one', 'g': lambda: 'two'}
    with served.own(root=root, code=True) as c:
        c.write('/f@call', b'()')
        assert c.read('/f@call') == b"'one'\n"
        assert c.read('/g@call') == b''
        root['f'] = lambda: 'three'
        c.write('/g@call', b'()')
        assert c.read('/f@call') == b'' and c.read('/g@call') == b"'two'\n"


def test_what_runs_at_one_time_leaves_the_output_to_the_program():
    import io
    kept = sys.stdout, sys.stderr
    own = io.StringIO()
    started = threading.Barrier(2)
    main = sys.modules['__main__'].__dict__
    main['started'] = started
    text = b'started.wait(20)\nprint("one")\nstarted.wait(20)\n'
    sys.stdout = own
    try:
        with served.own(root={}, code=True, timeout=30) as c, \
                served.client.Client(c.port) as d:
            thread = threading.Thread(
                target=lambda: c.write('/.pyfs/run/a', text))
            thread.start()
            d.write('/.pyfs/run/b', text)
            thread.join()
            assert c.read('/.pyfs/run/a.out') == b'one\n'
            assert c.read('/.pyfs/run/b.out') == b'one\n'
            assert sys.stdout is own and sys.stderr is kept[1]
            main['seen'] = lambda: print('elsewhere')
            c.write('/.pyfs/run/a', b'import threading\nprint("here")\n'
                    b't = threading.Thread(target=seen)\n'
                    b't.start(); t.join()\n')
            assert c.read('/.pyfs/run/a.out') == b'here\n'
            assert own.getvalue() == 'elsewhere\n'
            assert sys.stdout is own
    finally:
        sys.stdout, sys.stderr = kept
        for name in ('started', 'seen'):
            main.pop(name, None)
