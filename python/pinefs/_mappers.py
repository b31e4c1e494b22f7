# SPDX-License-Identifier: MIT
"""Types of the program that say themselves what they are as files."""

from ._nodes import Dir, File, changes, text

kinds = {}          # type, or Mapper: 'f', 'w' or 'd'; the server reads it
_instances = {}     # type: its Mapper


class Mapper:
    """What an object of some type is as a file, or as a directory.

    kind = 'file': read(o) gives str or bytes; write(o, data), if there is
    one, returns the new value, or None when it has changed o in place.
    kind = 'dir': list(o) gives names, get(o, name) a value or raises
    LookupError.  If there are such, set(o, name, data) is a write, of a name
    that is there or a new one, delete(o, name) removes it, and
    rename(o, name, new) renames it, onto another perhaps; without it that is
    set() and delete().
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
        return 'D' if any(hasattr(cls, name) for name in (
            'set', 'delete', 'rename')) else 'd'
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

    return _directory(m, o)


def _directory(m, o):
    can_set, can_delete = hasattr(m, 'set'), hasattr(m, 'delete')
    kind = 'w' if can_set else 'f'

    def get(name):
        value = m.get(o, name)
        return File(lambda: text(value), bytes if can_set else None)

    def bound(name):
        """(value,), or () where there is none."""
        try:
            return (m.get(o, name),)
        except LookupError:
            return ()

    def set(name, data):
        return changes([(name, bound(name), (data,))],
                       lambda: m.set(o, name, data))

    def delete(name):
        return changes([(name, bound(name), ())], lambda: m.delete(o, name))

    def rename(name, new):
        value = m.get(o, name)

        def do():
            if hasattr(m, 'rename'):
                m.rename(o, name, new)
                return
            data = text(value)
            m.set(o, new, data if isinstance(data, bytes) else data.encode())
            m.delete(o, name)
        return changes([(new, bound(new), (value,)), (name, (value,), ())],
                       do)
    return Dir(lambda: [(name, kind) for name in m.list(o)], get,
               set if can_set else None, delete if can_delete else None,
               rename if hasattr(m, 'rename') or can_set and can_delete
               else None)


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
