# SPDX-License-Identifier: MIT
"""Views (NAME@view) and the control directory .pyfs."""

import collections
import json
import os
import pickle
import struct
import sys
import threading
import types

import served
import nfs4
import nfs4_ops as op
import rpc
from served import DIR, LNK, REG, soon, status


class Thing:
    """What it is."""

    def __init__(self):
        self.plain = 1
        self.calls = 0

    @property
    def double(self):
        self.calls += 1
        return self.plain * 2

    @double.setter
    def double(self, value):
        self.plain = value // 2

    def method(self, a, b=2):
        return a + b

    def __len__(self):
        return 7

    def __repr__(self):
        return 'Thing(%d)' % self.plain


def test_views_read_as_the_table_says():
    thing = Thing()
    with served.module(n=5, t=thing, d={'b': [1], 'a': None}, f=len,
                       m=Thing.method) as (c, at, m):
        rows = [('n@repr', '5\n'), ('n@str', '5\n'), ('t@repr', 'Thing(1)\n'),
                ('n@id', hex(id(m.n)) + '\n'), ('t@len', '7\n'),
                ('t@doc', 'What it is.\n'), ('d@len', '2\n'),
                ('m@sig', '(self, a, b=2)\n'),
                ('d@json', json.dumps(m.d, indent=2, sort_keys=True) + '\n'),
                ('n@sizeof', '%d\n' % sys.getsizeof(5)),
                ('d@repr', "{'b': [1], 'a': None}\n"),
                ('d/b@repr', '[1]\n'), ('d/.@repr', m.d and repr(m.d) + '\n')]
        for name, text in rows:
            assert c.read(at + '/' + name).decode() == text, name
            assert c.getattr(at + '/' + name).size == len(text), name
        assert pickle.loads(c.read(at + '/d@pickle')) == m.d
        assert c.read('/json/.@doc').startswith(b'JSON')
        for name in ('n@len', 'n@sig', 'n@append', 'n@call', 'f@src',
                     'n@nothing', 'gone@repr', '@repr', 'n@raw', 'n@csv'):
            assert status(c.read, at + '/' + name) == 'NOENT', name
        # Errors of the program's are errors of the file.
        assert status(c.read, at + '/t@json') == 'IO'
        assert c.list(at) == sorted(m.__dict__)     # none is listed


def test_a_reference_count_is_that_of_the_program():
    o = object()
    with served.module(o=o) as (c, at, m):
        count = sys.getrefcount(o) - 1
        assert c.read(at + '/o@refcount') == b'%d\n' % count


def test_a_real_entry_wins_over_a_view():
    with served.module(d={'x': 1, 'x@repr': 'mine'}) as (c, at, m):
        assert c.read(at + '/d/x@repr') == b'mine'
        c.write(at + '/d/y@nothing', b'a name')
        assert m.d['y@nothing'] == 'a name'


def test_type_is_a_link_to_the_class():
    with served.module(t=Thing(), n=5) as (c, at, m):
        assert c.getattr(at + '/t@type').type == LNK
        assert c.readlink(at + '/t@type') == b'../test_views/Thing'
        assert c.readlink(at + '/n@type') == b'../builtins/int'


def test_writing_repr_and_json_binds_and_changes_the_type():
    with served.module(n=5, d={'a': 1}, l=[1]) as (c, at, m):
        d, items = m.d, m.l
        c.write(at + '/n@repr', b"'text'\n")
        assert m.n == 'text' and c.read(at + '/n') == b'text'
        c.write(at + '/n@repr', b'[1, 2]')
        assert m.n == [1, 2] and c.getattr(at + '/n').type == DIR
        c.write(at + '/d@repr', b"{'b': 2}")
        c.write(at + '/l@json', b'[3, null]')
        assert m.d is d and d == {'b': 2}
        assert m.l is items and items == [3, None]
        c.write(at + '/d/b@json', b'"x"')
        assert d == {'b': 'x'}
        assert status(c.write, at + '/n@repr', b'what is it') == 'INVAL'
        assert m.n == [1, 2]
        assert status(c.write, at + '/n@str', b'x') == 'ACCES'
        assert status(c.write, at + '/n@expr', b'1 + 1') == 'ACCES'
        # One answer for the size and the bytes, then the new one.
        c.write(at + '/d/b', b'later')
        assert c.read(at + '/d@repr') == b"{'b': 'later'}\n"


def test_append_adds_a_literal_or_a_line():
    with served.module(l=[], s=set(), q=collections.deque()) as (c, at, m):
        for name in 'lsq':
            c.write(at + '/%s@append' % name, b'5\n')
            c.write(at + '/%s@append' % name, b'some text\n')
            assert c.read(at + '/%s@append' % name) == b''
        assert m.l == [5, 'some text'] and m.s == {5, 'some text'}
        assert list(m.q) == [5, 'some text']


def test_raw_bytes_are_changed_in_place():
    import array
    with served.module(a=array.array('i', [1, 2])) as (c, at, m):
        a = m.a
        assert c.read(at + '/a@raw') == a.tobytes()
        c.write(at + '/a@raw', array.array('i', [7, 8]).tobytes())
        assert m.a is a and list(a) == [7, 8]
        assert status(c.write, at + '/a@raw', b'xyz') == 'INVAL'


def test_attributes_are_looked_at_when_they_are_read():
    thing = Thing()
    with served.module(t=thing) as (c, at, m):
        names = c.list(at + '/t@attrs')
        assert sorted(names) == sorted(dir(thing))
        assert thing.calls == 0                 # listing ran no property
        assert c.read(at + '/t@attrs/double') == b'2\n'
        assert thing.calls > 0
        c.write(at + '/t@attrs/double', b'10')
        assert thing.plain == 5
        assert status(c.write, at + '/t@attrs/double', b'ten') == 'INVAL'
        assert status(c.read, at + '/t@attrs/gone') == 'NOENT'
        text = c.read(at + '/t@attrs/__repr__').decode()
        assert 'def __repr__(self):' in text        # as the tree shows it


def test_items_go_by_the_protocol():
    class Config:
        def keys(self):
            return ['host', 2]

        def __getitem__(self, key):
            return {'host': 'db', 2: [1]}[key]

        def __setitem__(self, key, value):
            self.set = (key, value)

    with served.module(conf=Config(), s='text') as (c, at, m):
        assert c.list(at + '/conf@items') == ['2', 'host']
        assert c.read(at + '/conf@items/host') == b'db'
        assert c.read(at + '/conf@items/2') == b'[1]\n'
        c.write(at + '/conf@items/host', b'other')
        assert m.conf.set == ('host', 'other')
        assert status(c.read, at + '/conf@items/gone') == 'NOENT'
        assert status(c.list, at + '/s@items') == 'NOENT'


def test_referrers_are_links_to_who_holds_it():
    with served.module(o=Thing(), d={}) as (c, at, m):
        m.d['held'] = m.o
        c.list(at), c.list(at + '/d')
        links = [c.readlink(at + '/o@referrers/' + name)
                 for name in c.list(at + '/o@referrers')]
        assert b'd' in [os.path.basename(os.path.normpath(x)) for x in links]
        links = [c.readlink(at + '/o@referents/' + name)
                 for name in c.list(at + '/o@referents')]
        assert links


def test_slow_raising_and_endless_views():
    class Bad:
        def __init__(self, action):
            self.action = action

        def __repr__(self):
            return self.action()

    def endless():
        while True:
            pass

    def deep():
        return deep()

    space = {'raises': Bad(lambda: 1 // 0), 'endless': Bad(endless),
             'deep': Bad(deep), 'exits': Bad(lambda: sys.exit(1)),
             'ok': Bad(lambda: 'fine')}
    with served.own(root=space, timeout=0.2) as c:
        for name in ('raises', 'endless', 'deep', 'exits'):
            assert status(c.read, '/%s@repr' % name) == 'IO', name
            assert c.read('/ok@repr') == b'fine\n'
        errors = c.read('/.pyfs/errors').decode()
        assert 'ZeroDivisionError' in errors and 'TimeoutError' in errors


def test_the_tree_goes_on_beside_views_that_wait():
    begun, go_on = [threading.Event(), threading.Event()], threading.Event()

    class Waits:
        def __init__(self, i):
            self.i = i

        def __repr__(self):
            begun[self.i].set()
            go_on.wait(20)
            return 'waited'

    space = {'a': Waits(0), 'b': Waits(1), 'n': 5, 'd': {}}
    got = []
    with served.own(root=space, timeout=30) as c:
        def read(path):
            with served.client.Client(c.port) as other:
                got.append(other.read(path))
        readers = [threading.Thread(target=read, args=(path,))
                   for path in ('/a@repr', '/b@repr')]
        for t in readers:
            t.start()
        try:
            assert all(b.wait(20) for b in begun)   # both workers are busy
            assert c.list('/') == ['a', 'b', 'd', 'n']
            c.write('/n', b'6')
            c.mkdir('/d/e')
            assert space['n'] == 6 and space['d'] == {'e': {}}
            assert not got
        finally:
            go_on.set()
            for t in readers:
                t.join()
    assert got == [b'waited\n'] * 2


def test_views_in_version_2_and_with_a_handle_of_an_earlier_run():
    import tempfile
    space = {'d': {'x': 5}}
    state = tempfile.mkdtemp(prefix='pinefs-test-')
    with served.own(root=space, state_dir=state) as c:
        handle = c.fh('/d/x@repr')
        stats = c.fh('/.pyfs/stats')
    with served.own(root=space, state_dir=state) as c:
        assert c.read((handle,)) == b'5\n'
        c.write_at((handle,), 0, b'6\n')
        assert space['d']['x'] == 6
        assert b'operations' in c.read((stats,))
        del space['d']
        assert status(c.read, (handle,)) in ('STALE', 'IO')


# ---------------------------------------------------------------- .pyfs --

def test_the_control_directory_is_there_and_not_listed():
    c = served.mounted()
    assert '.pyfs' not in c.list('/')
    assert c.getattr('/.pyfs').type == DIR
    names = c.list('/.pyfs')
    assert set(names) == {'README', 'version', 'stats', 'errors', 'threads',
                          'gc', 'by-id', 'trash'}
    assert b'NAME@VIEW' in c.read('/.pyfs/README')
    assert served.pinefs.__version__.encode() in c.read('/.pyfs/version')
    for path in ('/.pyfs/eval', '/.pyfs/run', '/.pyfs/modules',
                 '/.pyfs/nothing', '/.pyfs/threads/1/name'):
        assert status(c.getattr, path) in ('NOENT', 'IO'), path
    assert status(c.create, '/.pyfs/new') is not None
    assert status(c.mkdir, '/.pyfs/new') is not None
    assert status(c.remove, '/.pyfs/stats') == 'ACCES'
    with served.own(root={}, control='off') as c:
        assert status(c.getattr, '/.pyfs') == 'NOENT'


def test_statistics_count():
    c = served.mounted()
    rows = dict(row.split() for row in
                c.read('/.pyfs/stats').decode().splitlines())
    assert int(rows['operations']) > 0 and float(rows['wait_median']) > 0


def test_errors_tell_what_was_wrong_with_the_text():
    with served.module(n=5) as (c, at, m):
        c.setattr('/.pyfs/errors', size=0)
        c.commit('/.pyfs/errors')
        assert c.read('/.pyfs/errors') == b''
        assert status(c.write, at + '/n', b'five') == 'INVAL'
        text = c.read('/.pyfs/errors').decode()
        assert at + '/n' in text and 'five' in text, text
        assert 'ValueError' in text


def test_threads_show_frames_and_locals():
    ready, go_on = threading.Event(), threading.Event()

    def work(job_id):
        plenty = {'k': [1]}     # noqa: F841
        ready.set()
        go_on.wait()

    thread = threading.Thread(target=work, args=(4711,), name='the worker')
    thread.start()
    ready.wait()
    try:
        c = served.mounted()
        at = '/.pyfs/threads/%d' % thread.ident
        assert str(thread.ident) in c.list('/.pyfs/threads')
        assert c.read(at + '/name') == b'the worker\n'
        assert c.read(at + '/daemon') == b'False\n'
        assert b'go_on.wait()' in c.read(at + '/stack')
        frames = c.list(at + '/frames')
        mine = [n for n in frames if
                c.read(at + '/frames/%s/function' % n) == b'work\n']
        assert len(mine) == 1
        at += '/frames/' + mine[0]
        assert c.read(at + '/locals/job_id') == b'4711\n'
        assert c.read(at + '/locals/plenty') == b"{'k': [1]}\n"
        assert c.read(at + '/file') == __file__.encode() + b'\n'
        assert b'>' in c.read(at + '/source')
        assert c.readlink(at + '/globals').endswith(__name__.encode())
        writable = c.getattr(at + '/locals/job_id').mode & 0o200
        assert bool(writable) == (sys.version_info >= (3, 13))
        if writable:
            c.write(at + '/locals/job_id', b'5')
            assert c.read(at + '/locals/job_id') == b'5\n'
    finally:
        go_on.set()
        thread.join()


def test_the_collector_is_asked_and_told():
    import gc
    c = served.mounted()

    class Cycle:
        pass

    one = Cycle()
    one.self = one
    gone = []
    import weakref
    weakref.finalize(one, gone.append, 1)
    del one
    c.write('/.pyfs/gc/collect', b'2\n')
    assert gone == [1]
    before = gc.get_threshold()
    try:
        c.write('/.pyfs/gc/threshold', b'500 9 8')
        assert gc.get_threshold()[:2] == (500, 9)
        c.write('/.pyfs/gc/enabled', b'off')
        assert not gc.isenabled()
        assert c.read('/.pyfs/gc/enabled') == b'False\n'
    finally:
        gc.enable()
        gc.set_threshold(*before)
    rows = c.read('/.pyfs/gc/types').decode().splitlines()
    assert any(row.endswith(' builtins.dict') for row in rows)
    assert int(rows[0].split()[0]) >= int(rows[-1].split()[0])


def test_an_address_is_looked_for_and_never_believed():
    with served.module(o=Thing()) as (c, at, m):
        c.list(at)
        found = '/.pyfs/by-id/' + hex(id(m.o))
        assert c.readlink(found + '/home').endswith(at.encode() + b'/o')
        assert c.list('/.pyfs/by-id') == []
        assert {'type', 'repr', 'attrs', 'referents'} <= set(c.list(found))
        assert 'src' not in c.list(found)
        assert c.readlink(found + '/type').endswith(b'test_views/Thing')
        assert c.read(found + '/repr') == b'Thing(1)\n'
        assert c.read(found + '/attrs/double') == b'2\n'
        c.write(found + '/attrs/double', b'8')
        assert m.o.plain == 4
        assert status(c.write, found + '/repr', b'5') == 'ACCES'
        for name in ('0x10', 'zzz', '0x' + 'f' * 16, hex(id(m.o)).upper()):
            assert status(c.getattr, '/.pyfs/by-id/' + name) == 'NOENT', name


def test_trash_drops_a_binding_and_empties_nothing():
    kept = {'a': 1}
    with served.module(d=kept) as (c, at, m):
        c.rename(at + '/d', '/.pyfs/trash/d')
        assert not hasattr(m, 'd') and kept == {'a': 1}
        assert c.list('/.pyfs/trash') == []
        m.d = kept
        assert status(c.rename, at + '/d', '/.pyfs/gc/d') == 'ACCES'
        assert status(c.rename, at + '/__name__', '/.pyfs/trash/x') == 'PERM'


def test_code_runs_only_if_it_may():
    main = sys.modules['__main__'].__dict__
    main['answer'] = 42
    calls = []
    space = {'f': lambda *a, **k: calls.append((a, k)) or 'done', 'n': 1}
    with served.own(root=space, code=True) as c:
        assert c.read('/.pyfs/eval/answer+1') == b'43\n'
        assert status(c.read, '/.pyfs/eval/answer+') == 'NOENT'
        assert status(c.read, '/.pyfs/eval/1%2F0') is not None
        c.write('/.pyfs/run/job', b'print("hello")\nanswer = 7\n')
        assert main['answer'] == 7
        assert c.read('/.pyfs/run/job.out') == b'hello\n'
        c.write('/.pyfs/run/bad', b'1 // 0\n')
        assert b'ZeroDivisionError' in c.read('/.pyfs/run/bad.out')
        assert sorted(c.list('/.pyfs/run')) == ['bad.out', 'job.out']
        c.write('/n@expr', b'answer * 2')
        assert space['n'] == 14
        c.write('/f@call', b"(1, 'x')")
        c.write('/f@call', b'a = 1\nb = [2]\n')
        assert calls == [((1, 'x'), {}), ((), {'a': 1, 'b': [2]})]
        assert c.read('/f@call') == b"'done'\n"
        c.write('/.pyfs/modules/load', b'colorsys\n')
        assert 'colorsys' in sys.modules
        c.write('/.pyfs/modules/unload', b'colorsys\n')
        assert 'colorsys' not in sys.modules


def test_an_expression_is_evaluated_once_for_size_and_bytes():
    main = sys.modules['__main__'].__dict__
    main['counter'] = iter(range(1000))
    with served.own(root={}, code=True) as c:
        assert c.getattr('/.pyfs/eval/next(counter)').size == 2
        assert c.read('/.pyfs/eval/next(counter)') == b'0\n'
        c.mkdir('/d')           # something changed: it is asked again
        soon(lambda: c.read('/.pyfs/eval/next(counter)') == b'1\n')


def test_views_while_the_program_changes_what_they_are_of():
    stop = threading.Event()
    space = {'d': {}}

    def churn():
        while not stop.is_set():
            space['d'] = {'x': Thing(), 'l': [1, 2]}
            space['d'].pop('x', None)

    thread = threading.Thread(target=churn)
    with served.own(root=space) as c:
        thread.start()
        try:
            for i in range(100 if served.BRIEF else 150):
                for name in ('d/x@repr', 'd/x@attrs/plain', 'd/l@len',
                             'd@json', 'd/.@repr'):
                    assert status(c.read, '/' + name) in (
                        None, 'NOENT', 'STALE', 'IO'), name
        finally:
            stop.set()
            thread.join()


@served.once
def test_a_long_text_is_read_in_pieces_and_old_ones_are_forgotten():
    space = {'n%d' % i: 'x' * 1000 for i in range(600)}
    space['long'] = 'abc' * 2000000
    with served.own(root=space) as c:
        text = c.read('/long@repr')
        assert text == ("'%s'\n" % space['long']).encode()
        for i in range(600):
            assert len(c.read('/n%d@repr' % i)) == 1003
        for i in range(4):          # more than is kept
            assert c.read('/long@str') == text[1:-2] + b'\n'
            assert c.read('/long@repr') == text


def test_kinds_of_entries():
    with served.module(n=5, t=types.SimpleNamespace(a=1)) as (c, at, m):
        kinds = {e[0]: e[2].type for e in c.entries(at + '/t@attrs')}
        assert kinds[b'a'] == REG
        assert c.getattr(at + '/t@attrs').type == DIR


def test_hidden_names_are_hidden_in_views_and_views_can_be_off():
    thing = Thing()
    thing.password = 'x'
    space = {'t': thing, 'd': {'password': 1, 'user': 2}}
    space['API_SECRET'] = 'x'
    with served.own(root=space, exclude=served.pinefs.REDACT) as c:
        assert c.list('/') == ['d', 't']
        assert 'password' not in c.list('/t@attrs')
        assert status(c.read, '/t@attrs/password') == 'NOENT'
        assert status(c.read, '/d@items/password') == 'NOENT'
        assert c.read('/d@items/user') == b'2\n'
        assert c.getattr('/.pyfs').type == DIR
    with served.own(root=space, views=False, include='d') as c:
        assert status(c.read, '/d@repr') == 'NOENT'
        assert c.list('/') == ['d']
        assert b'operations' in c.read('/.pyfs/stats')


def test_views_do_not_bind_what_is_protected():
    with served.module(n=5) as (c, at, m):
        assert status(c.write, '/json@repr', b'5') in ('PERM', 'ACCES')
        assert isinstance(sys.modules['json'], types.ModuleType)
        c.write(at + '/n@repr', b'7')
        assert m.n == 7
    main = sys.modules['__main__'].__dict__
    main['hits'] = []
    o = types.SimpleNamespace(n=5, m=5)
    with served.own(root={'o': o}, code=True, protect=('/o/n',)) as c:
        for name, error, hits in (('n', ('PERM', 'ACCES'), 0),
                                  ('m', (None,), 1)):
            assert status(c.write, '/o/%s@expr' % name,
                          b'hits.append(1) or 7') in error
            assert len(main['hits']) == hits    # not even evaluated
        assert vars(o) == {'n': 5, 'm': 7}


class Session:
    """A client of version 4.2: operations to the values of their results."""

    def __init__(self, port):
        self.rpc = rpc.TCPClient('127.0.0.1', port, cred=rpc.auth_sys())
        made = self.compound(op.exchange_id(b'views', b'12345678'))[1][0]
        made = self.compound(op.create_session(
            made.eir_clientid, made.eir_sequenceid))[1][0]
        self.id, self.seq = made.csr_sessionid, 0
        self(op.reclaim_complete())

    def compound(self, *operations):
        """The status, and the results."""
        res, _ = nfs4.COMPOUND4res.unpack(self.rpc.call(
            nfs4.NFS4_PROGRAM, 4, 1, struct.pack(
                '>III', 0, 2, len(operations)) +
            b''.join(o.pack() for o in operations)))
        return res.status, [getattr(r._data, '_data', None)
                            for r in res.resarray]

    def __call__(self, *operations):
        self.seq += 1
        return self.compound(op.sequence(self.id, self.seq), *operations)


def test_views_are_extended_attributes_and_can_be_off():
    n = op.putrootfh(), op.lookup(b'n')
    for views in (True, False):
        with served.own(root={'n': 5}, views=views) as c:
            c4 = Session(c.port)
            assert c4(*n)[0] == 0
            names = c4(*n, op.listxattrs())[1][-1].lxr_names
            assert (b'py.repr' in names) == views
            if views:
                assert c4(*n, op.getxattr(b'py.repr'))[1][-1] == b'5\n'
            else:
                assert names == []
                for o in (op.getxattr(b'py.repr'),
                          op.setxattr(b'py.repr', b'6')):
                    assert c4(*n, o)[0] == nfs4.NFS4ERR_NOXATTR
            c4.rpc.close()
