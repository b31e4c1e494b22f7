# SPDX-License-Identifier: MIT
"""Views of what is bound to a name, and the control directory .pyfs.

The server asks Views(what, object, path, argument) on a worker, never while
the program is stopped for a look-up: what is done here may run code of the
program (repr, properties), for two seconds at most.

    look    'f' a file, 'w' one that can be written, 'd', 'l'; LookupError
    read    str or bytes; of a link the object that it leads to.  The argument
            of `refcount` is the count, the object of `referrers` a list of
            them: by who does not hold the object only to ask
    list    pairs of a name, or key, and what `look` says of it
    write   what is to be done about it: see _nodes.File
    make, delete, rename
            the same, of names in a directory: see _nodes.Dir

A path begins with the name of the view, or with .pyfs; `where` is that of the
file in the tree, as bytes.  Nothing is kept from one question to the next but
text.
"""

import ast
import collections
import copy
import gc
import inspect
import json
import pickle
import sys

from . import _control
from . import _hotswap
from . import _mappers
from . import _pinefs
from ._nodes import (Dir, File, Link, change, changes, line, orders, text,
                     told)

# Views that show all that is in an object.
WHOLE = {'repr', 'str', 'expr', 'json', 'pickle'}
MAX_ITEMS = 100000
MAX_REPR = 1000000      # elements: longer than two seconds, and no use


class Views:
    """What the server of these options asks."""

    def __init__(self, code, hides=False, only=False):
        self.code = code
        self.hides = hides              # some names are not served,
        self.only = only                # or all but some
        self.handle = None              # of the server, when it has started
        self.results = collections.OrderedDict()        # of @call, as text
        self.outputs = {}               # of .pyfs/run
        self.tails = ()                 # names of _tails

    def __call__(self, what, o, path, argument, where):
        if path[0] == '.pyfs':
            node = _control.root(self)
        else:
            node = self.view(o, path[0], where)
        for name in path[1:]:
            if not isinstance(node, Dir):
                raise LookupError(name)
            if what == 'write' and node.set and name == path[-1]:
                return node.set(name, argument)
            node = node.get(name)
        if node is None:
            raise LookupError(path[-1])
        if what == 'look':
            return node.kind
        if what == 'read':
            return line(argument) if argument is not None else node.read()
        if what == 'list':
            return list(node.list())
        if what == 'write':
            return node.write(argument)
        # make, delete, rename: names in a directory
        do = getattr(node, what)
        if do is None:
            raise PermissionError('%s is not for this directory' % what)
        return do(*argument) if what == 'rename' else do(argument)

    def view(self, o, name, where):
        if self.hides and name in WHOLE and not _pinefs.is_scalar(o):
            return None         # may show what has hidden names
        if name == 'call':
            return self.view_call(o, where)
        return getattr(self, 'view_' + name)(o) or _mappers.view(o, name)

    def text(self, o):
        """Of what is within a view: nothing hidden is in it."""
        if self.hides and _pinefs.text(o) is None:
            return line(object.__repr__(o))
        return text(o)

    # ---------------------------------------------------------------- text --

    def view_repr(self, o):
        return File(lambda: line(_repr(o)), lambda data: replace(
            o, literal(data)))

    def view_str(self, o):
        return File(lambda: line(str(o)))

    def view_expr(self, o):
        def write(data):
            """An order first, that can be refused before it runs."""
            return orders(data), lambda: (evaluate(data),)
        return File(lambda: line(_repr(o)), write if self.code else None)

    def view_json(self, o):
        def read():
            try:
                return line(json.dumps(o, indent=2, sort_keys=True))
            except (TypeError, ValueError) as error:
                raise RuntimeError('no JSON: %s' % error) from None
        return File(read, lambda data: replace(o, json.loads(
            data.decode())))

    def view_id(self, o):
        return File(lambda: line(hex(id(o))))

    def view_refcount(self, o):
        return File(lambda: line('?'))      # the server has counted

    def view_sizeof(self, o):
        return File(lambda: line(sys.getsizeof(o)))

    def view_len(self, o):
        if not hasattr(type(o), '__len__'):
            return None
        return File(lambda: line(len(o)))

    def view_doc(self, o):
        return File(lambda: line(inspect.getdoc(o) or ''))

    def view_sig(self, o):
        return File(lambda: line(inspect.signature(o))) if callable(o) \
            else None

    def view_src(self, o):
        if _hotswap.function_of(o) is not None:
            def write(data):
                return change(None, o, data.decode('utf-8', 'replace'),
                              lambda: _hotswap.swap(o, data))
            return File(lambda: _pinefs.text(o),
                        write if self.code else None)
        if not (inspect.isclass(o) or inspect.ismodule(o) or
                inspect.iscode(o)):
            return None
        return File(lambda: inspect.getsource(o))

    def view_pickle(self, o):
        return File(lambda: pickle.dumps(o))

    def view_raw(self, o):
        try:
            view = memoryview(o)
        except TypeError:
            return None

        def fill(data):
            with memoryview(o) as to, to.cast('B') as flat:
                flat[:] = data

        def write(data):
            if len(data) != view_size:
                raise ValueError('%d bytes, not %d' % (len(data), view_size))
            return change(None, o, data, lambda: fill(data))
        view_size = view.nbytes
        with view:
            return File(lambda: memoryview(o).tobytes(),
                        None if view.readonly else write)

    def view_mapped(self, o):
        return _mappers.node(o)

    def view_npy(self, o):
        return None         # those two are for mappers

    view_csv = view_npy

    def view_append(self, o):
        add = getattr(o, 'append', None) or getattr(o, 'add', None)
        if not isinstance(o, (list, set, collections.deque)):
            return None

        def write(data):
            if not data:
                return None
            try:
                value = literal(data)
            except (ValueError, SyntaxError):
                value = data.decode('utf-8', 'surrogateescape')
                value = value[:-1] if value.endswith('\n') else value
            name = _pinefs.key_name(value) if isinstance(o, set) else \
                str(len(o))
            return changes([(name, (), (value,))], lambda: add(value))
        return File(bytes, write)

    def view_call(self, o, where):
        if not callable(o) or not self.code:
            return None

        def read():
            # Of what was called here: another object may be bound by now.
            whose, result = self.results.get(where, (None, b''))
            return result if whose == id(o) else b''

        def do(data):
            result = call(o, data)
            self.results.pop(where, None)
            self.results[where] = id(o), line(_repr(result)).encode(
                'utf-8', 'surrogateescape')
            while len(self.results) > 32:
                self.results.popitem(last=False)
        return File(read, lambda data: told(data, lambda: do(data)))

    # --------------------------------------------------------- directories --

    def view_type(self, o):
        return Link(lambda: type(o))

    def view_attrs(self, o):
        def get(name):
            if name not in dir(o):
                getattr(o, name)        # made by __getattr__, or not there

            def write(data):
                old = getattr(o, name)
                new = _pinefs.parse(old, data)
                return change(name, old, new, lambda: setattr(o, name, new))
            return File(lambda: self.text(getattr(o, name)), write)
        return Dir(lambda: ((name, 'w') for name in dir(o)), get)

    def view_items(self, o):
        if not hasattr(type(o), '__getitem__') or \
                isinstance(o, (str, bytes, bytearray, type)):
            return None

        def keys():
            if hasattr(type(o), 'keys'):
                found = o.keys()
            else:
                found = range(len(o))
            for i, key in enumerate(found):
                if i == MAX_ITEMS:
                    break
                yield key

        def get(name):
            for key in keys():
                if key == name or _pinefs.key_name(key) == name:
                    break
            else:
                raise LookupError(name)

            def write(data):
                old = o[key]
                new = _pinefs.parse(old, data)
                return change(_pinefs.key_name(key), old, new,
                              lambda: o.__setitem__(key, new))
            return File(lambda: self.text(o[key]), write)
        return Dir(lambda: ((key, 'w') for key in keys()), get)

    def view_referrers(self, o):
        return _links(lambda: [x for x in o if not inspect.isframe(x)])

    def view_referents(self, o):
        return _links(lambda: gc.get_referents(o))


def _repr(o):
    try:
        n = 0 if isinstance(o, (str, bytes, bytearray)) else len(o)
    except Exception:
        n = 0
    if n > MAX_REPR:
        raise OverflowError('%d elements' % n)
    return repr(o)


def literal(data):
    return ast.literal_eval(data.decode().strip())


def evaluate(data):
    source = data.decode().strip()
    sys.audit('pinefs.code', source)
    return eval(source, sys.modules['__main__'].__dict__)


_FILLED = (dict, list, set, bytearray)
_FILLING = {'__setitem__', '__delitem__', 'update', 'clear', 'pop', 'popitem',
            'setdefault', 'append', 'extend', 'insert', 'remove', 'add',
            'discard'}


def replace(o, value):
    """In place where it is of the same kind and can be changed, else anew."""
    cls, kind = type(o), type(value)
    if kind not in _FILLED or not issubclass(cls, kind):
        return (value,)
    own = cls.__mro__[:cls.__mro__.index(kind)]
    if not any(_FILLING & vars(c).keys() for c in own):
        return change(None, o, value, lambda: _pinefs.fill(o, value))
    # Its class wants to know of each item: another one, bound when it is
    # whole, so that the program never sees half of it.
    new = _another(o)
    if kind is dict:
        for key in value:
            new[key] = value[key]
    else:
        add = new.add if kind is set else new.append
        for item in value:
            add(item)
    return (new,)


def _another(o):
    """Of its class and with its state (a default_factory, slots), but empty."""
    try:
        new = copy.copy(o)
    except Exception:
        new = o
    if new is o or type(new) is not type(o):    # it has a way of its own
        new = type(o)()
    new.clear()
    if hasattr(o, '__dict__'):
        vars(new).update(vars(o))
    return new


def call(o, data):
    """Arguments are the literal of a tuple, or lines k=v."""
    source = data.decode().strip()
    sys.audit('pinefs.code', source)
    if not source:
        return o()
    if source.startswith('('):
        return o(*ast.literal_eval(source))
    named = {}
    for row in source.splitlines():
        name, _, value = row.partition('=')
        named[name.strip()] = ast.literal_eval(value.strip())
    return o(**named)


def _owner(o):
    """Whose __dict__ it is, for that has a place in the tree."""
    if type(o) is dict:
        for x in gc.get_referrers(o):
            try:
                if object.__getattribute__(x, '__dict__') is o:
                    return x
            except Exception:
                continue
    return o


def _links(objects):
    def get(name):
        for x in objects():
            if hex(id(x)) == name:
                return Link(lambda: _owner(x))
        raise LookupError(name)
    return Dir(lambda: [(hex(id(x)), 'l') for x in objects()], get)
