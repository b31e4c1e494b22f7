# SPDX-License-Identifier: MIT
"""A large program: what test_large walks, and bench/pyfs-find.

    python3 large.py MODULE...      serve them; prints the port, waits

Instrumented classes are in it: code of theirs that runs is counted.
"""

import importlib
import json
import sys
import threading
import types
import weakref

import census
import served

calls = []


def told(name, result=None, error=None):
    """A method that is counted when it runs."""
    def method(*args, **kwargs):
        calls.append(name)
        if error is not None:
            raise error(name)
        return result
    method.__name__ = name
    return method


class Told:
    """Counts whatever of it is called."""

    __getattr__ = told('__getattr__', error=AttributeError)
    __repr__ = __str__ = __format__ = told('__str__', 'Told')
    __len__ = __hash__ = told('__len__', 0)
    __bool__ = __eq__ = __lt__ = told('__eq__', False)
    __iter__ = __dir__ = told('__iter__', ())
    __fspath__ = __index__ = __int__ = told('__index__', error=TypeError)
    prop = property(told('prop', 1))

    def __init__(self):
        self.__dict__['x'] = 1

    def __getattribute__(self, name):
        calls.append('__getattribute__ ' + name)
        return object.__getattribute__(self, name)


class Liar:
    """Its __dict__ is code of the program, as werkzeug's LocalProxy's is; so
    is its class."""

    __dict__ = property(told('__dict__', {'forged': 1}))
    __class__ = property(told('__class__', dict))


class Slots:
    """One is a property, one is of another class, one is not filled."""

    __slots__ = ('a', 'b', 'free')
    prop = property(told('prop'))


class Described:
    """Its attributes are made by descriptors of the program."""

    class Descriptor:
        __get__ = told('__get__', 1)
        __set__ = told('__set__')

    d = Descriptor()


class Meta(type):
    def __getattribute__(cls, name):
        calls.append('metaclass ' + name)
        return type.__getattribute__(cls, name)

    __instancecheck__ = __subclasscheck__ = told('__instancecheck__', True)
    __iter__ = __len__ = told('metaclass', ())


class WithMeta(metaclass=Meta):
    x = 1


class Listed(list):
    """Lies about what is in it."""

    __iter__ = told('__iter__', iter(()))
    __len__ = told('__len__', 0)
    __getitem__ = told('__getitem__', error=IndexError)


class Mapped(dict):
    items = keys = values = __iter__ = told('items', error=RuntimeError)
    __getitem__ = get = __contains__ = told('get', error=RuntimeError)
    __len__ = told('__len__', 0)


class Paired(tuple):
    __iter__ = __getitem__ = __len__ = Listed.__iter__


class Held(set):
    __iter__ = __contains__ = __len__ = Listed.__iter__


class Text(str):
    __str__ = __repr__ = encode = told('text', 'Text')


class Number(int):
    __str__ = __repr__ = __index__ = told('number', 'Number')


class Lazy(types.ModuleType):
    """Imports when it is asked."""

    __getattr__ = told('lazy', error=AttributeError)

    def __getattribute__(self, name):
        calls.append('module ' + name)
        return types.ModuleType.__getattribute__(self, name)


def of_module(name):
    """What PEP 562 has for modules."""
    calls.append('module ' + name)
    raise AttributeError(name)


slots = Slots()
slots.a, slots.b = Told(), [1]
hostile = [Told(), Liar(), slots, Described(), WithMeta(),
           Listed([1, [2]]), Mapped({'k': {'deep': 1}}), Paired((1, [2])),
           Held({1, 'two'}), Text('text'), Number(7), Lazy('lazy')]
lazy = sys.modules['lazy_one'] = types.ModuleType('lazy_one')
lazy.__getattr__ = of_module
sys.modules['lazy_two'] = hostile[-1]
keyed = {Listed: 1, (1, 'two'): [hostile[0]], None: hostile[1]}
dies = []
references = [weakref.ref(o, dies.append)
              for o in (hostile[0], hostile[3], hostile[5], hostile[8])]
calls.clear()
loaded = []


def load(names):
    for name in names:
        try:
            importlib.import_module(name)
            loaded.append(name)
        except Exception:
            continue


def spin():
    while True:
        for i in range(1000):
            pass


def main(names):
    if 'django' in names:
        try:
            from django.conf import settings
            import django
            settings.configure(SECRET_KEY='x', INSTALLED_APPS=[
                'django.contrib.' + app for app in
                ('admin', 'auth', 'contenttypes', 'sessions', 'messages')])
            django.setup()
        except Exception:
            names = [n for n in names if n != 'django']
    load(names)
    server = served.serve()
    print(server.port, flush=True)
    for order in sys.stdin:
        order = order.strip()
        if order == 'spin':
            threading.Thread(target=spin, daemon=True).start()
        if order == 'census':
            print(json.dumps(census.census()), flush=True)
            continue
        print(len(calls), sum(map(sys.getrefcount, list.__iter__(hostile))),
              len(dies), len(loaded), flush=True)
        for call in calls:
            print(call, file=sys.stderr)
    server.stop()


if __name__ == '__main__':
    main(sys.argv[1:])
