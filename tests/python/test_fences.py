# SPDX-License-Identifier: MIT
"""Code of the program at the wrong moment: it forks, hangs, compares keys,
looks at exceptions.  Nothing of it stops what is served."""

import gc
import sys
import threading
import time

import served
from served import status


PROGRAM = '''
import os, sys, threading, time, warnings
warnings.simplefilter('ignore')        # fork in a process with threads
sys.path.append(%r)
import served
from served import status

class Setter:
    def __init__(self, action):
        self.__dict__.update(action=action, x=1)
    def __setattr__(self, name, value):
        self.action()
        object.__setattr__(self, name, value)

root = {'y': 1}
''' % served.HERE


def ends(text, within=60):
    start = time.monotonic()
    code, out = served.python(PROGRAM + text, timeout=within + 20)
    assert code == 0, (code, out)
    assert time.monotonic() - start < within
    return out


def test_code_of_a_setter_forks_and_both_processes_end():
    out = ends('''
children = []

def action():
    pid = os.fork()
    if pid == 0:
        os.write(1, b'child\\n')     # and returns into the server
        return
    children.append(pid)

root['o'] = Setter(action)
with served.own(root=root, timeout=30) as c:
    for n in (2, 3, 4):
        c.write('/o/x', b'%d' % n)
        assert root['o'].__dict__['x'] == n
    for pid in children:
        assert os.waitpid(pid, 0) == (pid, 0)
    assert len(children) == 3
    c.write('/y', b'5')
    assert root['y'] == 5
print('end')
''')
    assert sorted(out.split()) == ['child'] * 3 + ['end'], out


def test_a_child_neither_waits_for_nor_repeats_what_a_worker_does():
    out = ends('''
ran, go_on = [], threading.Event()
inside = threading.Event()

def action():
    os.write(1, b'ran\\n')
    inside.set()
    go_on.wait(60)

root['o'] = Setter(action)
with served.own(root=root, timeout=60) as c:
    t = threading.Thread(target=lambda: c.write('/o/x', b'2'))
    t.start()
    inside.wait()
    pid = os.fork()
    if pid == 0:
        # A server of its own, with workers of its own; then exit handlers.
        with served.own(root={'z': 1, 'o': root['o']}) as mine:
            mine.write('/z@repr', b'2')
            assert mine.read('/z@repr') == b'2\\n'
        assert root['o'].__dict__['x'] == 1
        sys.exit(7)
    assert os.waitpid(pid, 0) == (pid, 7 << 8)
    go_on.set()
    t.join()
    assert root['o'].__dict__['x'] == 2
print('end')
''')
    assert out.split() == ['ran', 'end'], out


def test_the_end_of_values_that_never_ends_is_interrupted():
    class Endless:
        def __del__(self):
            while not stop:
                pass
    stop = []
    root = {'d': {'0': Endless(), '1': Endless(), '2': [Endless()]}, 'n': 1}
    hook, sys.unraisablehook = sys.unraisablehook, lambda info: None
    try:
        with served.own(root=root, timeout=0.2) as c:
            c.write('/d/2@repr', b'[]')     # ends there
            for i in range(3):
                c.rmdir('/d/%d' % i)        # ends by a worker of its own
            c.write('/n@repr', b'2')        # by a worker
            assert root['n'] == 2
    finally:
        stop.append(1)
        sys.unraisablehook = hook


def test_a_setter_that_hangs_at_the_end_is_not_waited_for():
    out = ends('''
root['o'] = Setter(lambda: time.sleep(1000))
root['ok'] = 1
server = served.serve(root=root)
c = served.client.Client(server.port)
c.write_at('/o/x', 0, b'7', 0)
c.write_at('/ok', 0, b'7', 0)
start = time.monotonic()
server.stop()
assert time.monotonic() - start < 30
print('end')
''')
    assert 'end' in out, out


def test_a_key_whose_comparison_never_ends_is_interrupted():
    class Endless:
        def __hash__(self):
            return hash('name')

        def __eq__(self, other):
            while True:
                pass
    d, served_long = {Endless(): 1, (1, 2): 'pair', 'ok': 5}, 60
    with served.own(root={'d': d}, timeout=0.2) as c:
        start = time.monotonic()
        for i in range(3):
            assert served.status(c.lookup, c.fh('/d'), 'name') == 'NOENT'
            # No later code of the thread is interrupted instead.
            assert c.read('/d/%=(1, 2)') == b'pair'
            assert c.read('/d/ok') == b'5\n'
        assert served.status(c.write, '/d/name', b'x') is not None
        c.write('/d/ok', b'6')
        assert d['ok'] == 6
        assert time.monotonic() - start < served_long


def test_keys_that_change_the_dict_when_they_are_compared():
    class Key:
        """Equal to nothing; takes everything away when it is asked."""

        def __init__(self, text):
            self.text = text

        def __hash__(self):
            return hash(self.text)

        def __eq__(self, other):
            if type(other) is str:
                d.clear()
                for i in range(50):
                    d[i] = [i]
            return False

    class Raises(Key):
        __hash__ = Key.__hash__

        def __eq__(self, other):
            raise RuntimeError('compared')

    class Slots:
        __slots__ = ('a', '__dict__')
    o = Slots()
    o.a = 1
    d = {}
    with served.own(root={'d': d, 'o': o}) as c:
        for i in range(15 if served.BRIEF else 60):
            d.clear()
            for n in range(30):
                d[n] = ['x%d' % n]
                d[Key(str(n + 30))] = n
                d[n + 30] = [n]
            try:
                c.list('/d')
                c.list('/d/5')
            except served.Failed as error:
                assert error.status in ('NOENT', 'STALE', 'IO'), error
        gc.collect()
        o.__dict__[Raises('a')] = 1
        o.__dict__[Raises('__class__')] = 1
        for i in range(3):
            assert '__class__' in c.list('/o')
            assert c.getattr('/o').type == served.DIR
            c.list('/')


def test_a_length_of_a_subclass_is_not_asked_while_all_wait():
    asked = []

    class Long(list):
        def __len__(self):
            asked.append(threading.get_ident())
            return 7
    root = {'l': Long([1, 2]), 'd': {}}
    with served.own(root=root) as c:
        assert status(c.rename, '/l/0', '/d/x') == 'PERM'
        assert not asked and root == {'l': [1, 2], 'd': {}}
        c.rename('/l/1', '/d/x')
        assert list.__len__(root['l']) == 1 and root['d'] == {'x': 2}


def test_what_an_exception_shows_is_not_asked_while_all_wait():
    class Key:
        def __repr__(self):
            asked.append(threading.get_ident())
            return 'Key'

        def __hash__(self):
            return hash('gone')

        def __eq__(self, other):
            raise KeyError(self)
    asked = []
    root = {'d': {Key(): 1}}
    with served.own(root=root) as c:
        for act in (lambda: c.read('/d/gone'), lambda: c.remove('/d/gone'),
                    lambda: c.create('/d/gone')):
            status(act)
        # By a worker is no harm; the threads of those are not known here.
        assert threading.get_ident() not in asked


def test_listing_views_does_not_move_their_times():
    class Thing:
        def __init__(self):
            self.text = 'something'
    with served.own(root={'t': Thing()}) as c:
        def times():
            return [e[2].mtime for e in c.entries('/t@attrs')
                    if e[0] == b'text']
        before = times()
        assert c.read('/t@attrs/text') == b'something'
        a = c.getattr('/t@attrs/text')
        assert times() == times()
        b = c.getattr('/t@attrs/text')
        assert (a.mtime.seconds, a.mtime.nseconds) == (
            b.mtime.seconds, b.mtime.nseconds)
        assert len(before) == 1


def test_an_end_in_the_middle_of_a_view_forgets_nothing():
    class Text(bytes):
        """Ends while others ask for so much that the rest is forgotten."""

        def __del__(self):
            time.sleep(0.001)

    class Thing:
        @property
        def text(self):
            return Text(b'x' * 1000)
    root = {'t%d' % i: Thing() for i in range(
        100 if served.BRIEF else 300)}
    with served.own(root=root) as c, served.client.Client(c.port) as d:
        def read(c, names):
            for name in names:
                assert c.read('/%s@attrs/text' % name) == b'x' * 1000
        thread = threading.Thread(target=read, args=(d, sorted(root)))
        thread.start()
        read(c, sorted(root, reverse=True))
        thread.join()
