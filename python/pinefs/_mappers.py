# SPDX-License-Identifier: MIT
"""Types of the program that say themselves what they are as files."""

from ._nodes import Dir, File, change, text

kinds = {}          # type, or Mapper: 'f', 'w' or 'd'; the server reads it
_instances = {}     # type: its Mapper


class Mapper:
    """What an object of some type is as a file, or as a directory.

    kind = 'file': read(o) gives str or bytes; write(o, data), if there is
    one, returns the new value, or None when it has changed o in place.
    kind = 'dir': list(o) gives names, get(o, name) a value or raises
    LookupError; set(o, name, data), if there is one, is a write.
    views = {'csv': (read, write or None)}: of NAME@csv; @npy and @raw, too.
    """

    kind = 'file'
    views = {}

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        kinds[cls] = _kind(cls)

    def read(self, o):
        raise LookupError('no content')

    def list(self, o):
        return ()

    def get(self, o, name):
        raise LookupError(name)


def _kind(cls):
    if cls.kind not in ('file', 'dir'):
        raise ValueError('kind is "file" or "dir"')
    if cls.kind == 'dir':
        return 'd'
    return 'w' if hasattr(cls, 'write') else 'f'


def mapper(*types):
    """A decorator of a Mapper: it is for these types and their subclasses.
    Not for the types of Python that are files and directories already."""
    def register(cls):
        for t in types:
            _instances[t] = cls()
            kinds[t] = _kind(cls)
        return cls
    return register


def _of(o):
    for t in type(o).__mro__:
        if t in _instances:
            return _instances[t]
    own = getattr(type(o), '__pinefs__', None)
    if isinstance(own, type) and issubclass(own, Mapper):
        return own()
    return None


def node(o):
    """As the tree shows it, or None."""
    m = _of(o)
    if m is None:
        if not hasattr(type(o), '__pinefs__'):
            return None
        return File(lambda: _shown(o.__pinefs__()))
    if m.kind == 'file':
        return _file(lambda: m.read(o), getattr(m, 'write', None), o)

    def get(name):
        value = m.get(o, name)

        def write(data):
            return change(name, value, data, lambda: m.set(o, name, data))
        return File(lambda: text(value), write if hasattr(m, 'set') else None)
    kind = 'w' if hasattr(m, 'set') else 'f'
    return Dir(lambda: [(name, kind) for name in m.list(o)], get)


def _shown(value):
    if value is None:
        raise LookupError('hidden')
    return value if isinstance(value, (str, bytes)) else text(value)


def _file(read, write, o):
    def take(data):
        def do():
            value = write(o, data)
            return None if value is None else (value,)
        return [(None, (o,), (data,))], do
    return File(read, None if write is None else take)


def view(o, name):
    """NAME@name, of a mapper's `views`."""
    m = _of(o)
    if m is None or name not in m.views:
        return None
    read, write = m.views[name]
    return _file(lambda: read(o), write, o)
