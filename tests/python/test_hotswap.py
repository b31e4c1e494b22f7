# SPDX-License-Identifier: MIT
"""Functions that are given other code by writing their files."""

import functools
import inspect
import sys
import threading
import types

import served
from served import soon, status


def plain(a, b=2):
    """What it does."""
    return a + b


def closure():
    n = 10

    def inner(x):
        return x + n
    return inner


class Base:
    def who(self):
        return 'base'


class Derived(Base):
    __secret = 5

    def who(self):
        return 'derived ' + super().who()

    def private(self):
        return self.__secret

    @property
    def prop(self):
        return 1

    @staticmethod
    def static():
        return 2

    @classmethod
    def of_class(cls):
        return 3

    @functools.lru_cache(None)
    def cached(self):
        return 4


class Rows:
    """Fresh functions and a server that may change them."""

    def __enter__(self):
        self.space = {'plain': plain, 'inner': closure(), 'Derived': Derived}
        self.own = served.own(root=self.space, code=True)
        return self.own.__enter__(), self.space

    def __exit__(self, *exc):
        return self.own.__exit__(*exc)


def test_saving_a_function_replaces_its_code_everywhere():
    def f(a):
        return a

    space = {'f': f, 'alias': f, 'table': [f]}
    with served.own(root=space, code=True) as c:
        text = b'def f(a):\n    """New."""\n    return a * 10\n'
        assert c.getattr('/f').mode & 0o200
        c.write('/f', text)
        assert f(2) == space['alias'](2) == space['table'][0](2) == 20
        assert space['f'] is f and f.__doc__ == 'New.'
        assert c.read('/f') == text                 # and shows it
        assert inspect.getsource(f).encode() == text
        c.write('/f', text.replace(b'10', b'11'))   # again
        assert f(2) == 22
        try:
            c.write('/f', b'def f(a):\n    return 1 // a\n')
            f(0)
        except ZeroDivisionError:
            import traceback
            assert 'return 1 // a' in traceback.format_exc()


def test_closures_methods_properties_and_their_kin():
    d = Derived()
    bound = d.who
    with Rows() as (c, space):
        inner = space['inner']
        c.write('/inner', b'    def inner(x):\n        return x * n\n')
        assert inner(3) == 30
        c.write('/inner', b'def inner(x):\n    return x\n')     # n unused
        assert inner(3) == 3
        c.write('/inner', b'def inner(x):\n    return x - n\n')
        assert inner(3) == -7
        c.write('/Derived/who', b'    def who(self):\n'
                b"        return 'new ' + super().who()\n")
        assert bound() == d.who() == 'new base'
        c.write('/Derived/private', b'    def private(self):\n'
                b'        return self.__secret + 1\n')
        assert d.private() == 6
        c.write('/Derived/prop', b'    @property\n    def prop(self):\n'
                b'        return 10\n')
        c.write('/Derived/static', b'    @staticmethod\n    def static():\n'
                b'        return 20\n')
        c.write('/Derived/of_class', b'    @classmethod\n'
                b'    def of_class(cls):\n        return cls.__name__\n')
        assert (d.prop, d.static(), d.of_class()) == (10, 20, 'Derived')
        assert b'@property' in c.read('/Derived/prop')


def test_defaults_change_if_they_are_literals():
    marker = object()

    def f(a, b=1, *, c=2, d=marker):
        return a, b, c, d

    with served.own(root={'f': f}, code=True) as c:
        c.write('/f', b'def f(a, b=5, *, c="x", d=marker):\n'
                b'    return a, b, c, d\n')
        assert f(0) == (0, 5, 'x', marker)
        assert status(c.write, '/f', b'def f(a, b=other()):\n'
                      b'    return a\n') is None      # b had one: stays
        assert f(0) == 0
        assert status(c.write, '/f', b'def f(a=other()):\n'
                      b'    return a\n') == 'INVAL'


def test_what_is_no_single_function_is_refused_and_nothing_changes():
    def f(a):
        return a

    with served.own(root={'f': f, 'g': lambda: 5, 'len': len},
                    code=True) as c:
        for text in (b'def f(a:\n', b'x = 1\n', b'def f(a): pass\n' * 2,
                     b'\xff\xfe', b'class f: pass\n', b'f = lambda a: 2\n'):
            assert status(c.write, '/f', text) == 'INVAL', text
            assert f(1) == 1, text
        good = b'def f(a):\n    return a + 0\n'
        c.write('/f', good)
        assert status(c.write, '/f', b'def f(a:\n') == 'INVAL'
        assert c.read('/f') == good
        assert 'SyntaxError' in c.read('/.pyfs/errors').decode()
        assert status(c.write, '/len', b'def len(x): return 1\n') == 'ACCES'


def test_without_code_functions_are_not_written():
    def f():
        return 1

    with served.own(root={'f': f}) as c:
        assert not c.getattr('/f').mode & 0o200
        assert status(c.write, '/f', b'def f(): return 2\n') == 'ACCES'
        assert status(c.write, '/f@src', b'def f(): return 2\n') == 'ACCES'
        assert f() == 1


def test_running_frames_finish_the_old_code():
    started, go_on, results = threading.Event(), threading.Event(), []

    def f(started, go_on):
        started.set()
        go_on.wait()
        return 'old'

    with served.own(root={'f': f}, code=True) as c:
        thread = threading.Thread(
            target=lambda: results.append(f(started, go_on)))
        thread.start()
        started.wait()
        c.write('/f', b'def f(*args):\n    return "new"\n')
        assert f() == 'new'
        go_on.set()
        thread.join()
        assert results == ['old']


def test_generators_and_coroutines():
    def gen():
        yield 1

    async def co():
        return 1

    def run(coroutine):
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value

    with served.own(root={'gen': gen, 'co': co}, code=True) as c:
        c.write('/gen', b'def gen():\n    yield 2\n    yield 3\n')
        assert list(gen()) == [2, 3]
        c.write('/co', b'async def co():\n    return 2\n')
        assert run(co()) == 2


def test_an_editor_saves_by_rename():
    def f(a):
        return a

    m = types.ModuleType('swapped')
    m.f = f
    sys.modules['swapped'] = m
    try:
        with served.own(code=True) as c:
            c.create('/swapped/.f.swp')
            c.write('/swapped/sedABCDEF', b'def f(a):\n    return -a\n')
            c.rename('/swapped/sedABCDEF', '/swapped/f')
            assert m.f is f
            soon(lambda: f(3) == -3)
    finally:
        del sys.modules['swapped']


def test_source_of_a_class_and_a_module_is_shown():
    with served.module(C=Derived) as (c, at, m):
        assert c.read(at + '/C@src').decode() == inspect.getsource(Derived)
        assert c.read('/served/.@src').startswith(b'# SPDX')
