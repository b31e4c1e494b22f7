# SPDX-License-Identifier: MIT
"""A large program: what test_large walks, and bench/pyfs-find.

    python3 large.py MODULE...      serve them; prints the port, waits

Instrumented classes are in it: code of theirs that runs is counted.
"""

import importlib
import sys
import threading
import weakref

import served

calls = []


class Told:
    """Counts whatever of it is called."""

    def __init__(self):
        self.__dict__['x'] = 1

    def __getattribute__(self, name):
        calls.append('__getattribute__ ' + name)
        return object.__getattribute__(self, name)

    def __getattr__(self, name):
        calls.append('__getattr__ ' + name)
        raise AttributeError(name)

    def __repr__(self):
        calls.append('__repr__')
        return 'Told'

    __str__ = __repr__

    @property
    def prop(self):
        calls.append('prop')
        return 1


class Liar:
    """Its __dict__ is code of the program, as werkzeug's LocalProxy's is."""

    @property
    def __dict__(self):
        calls.append('__dict__')
        return {}


class Listed(list):
    """Lies about what is in it."""

    def __iter__(self):
        calls.append('__iter__')
        return iter(())

    def __len__(self):
        calls.append('__len__')
        return 0

    def __getitem__(self, i):
        calls.append('__getitem__')
        raise IndexError(i)


told, liar, listed = Told(), Liar(), Listed([1, [2]])
calls.clear()
dies = []
reference = weakref.ref(told, dies.append)
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
        print(len(calls), sys.getrefcount(told), len(dies), len(loaded),
              flush=True)
    server.stop()


if __name__ == '__main__':
    main(sys.argv[1:])
