# SPDX-License-Identifier: MIT
"""What the made-up part of the tree consists of."""

from . import _pinefs


class File:
    """Text or bytes that read() makes; write(data), or None.

    write() changes nothing of the program by itself.  It answers

        None            there is nothing to do
        (value,)        this is to be bound to the name
        (changes, do)   do() makes the changes, if nobody refuses one; its
                        answer is one of the two above

    Changes are a list of (name, (old,), (new,)), or () where nothing is bound:
    of what is called `name` in the object, of the object itself where that is
    None, and of the file that is written where it is `...`.
    """

    def __init__(self, read, write=None):
        self.read, self.write = read, write
        self.kind = 'f' if write is None else 'w'


class Link:
    """A symbolic link to where the object that read() gives is at home."""

    kind = 'l'

    def __init__(self, read):
        self.read = read


class Dir:
    """list() gives pairs of names and kinds; get(name) a node, or None.

    set(name, data), delete(name) and rename(old, new), where there are such,
    answer as write() of a file does; set() is for all files in it.
    """

    def __init__(self, list, get, set=None, delete=None, rename=None):
        self.list, self.get = list, get
        self.set, self.delete, self.rename = set, delete, rename
        self.kind = 'D' if set or delete or rename else 'd'

    @classmethod
    def of(cls, nodes):
        """A fixed one: {name: node}."""
        return cls(lambda: [(n, node.kind) for n, node in nodes.items()],
                   nodes.get)

    def make(self, name):
        """May there be a new file?"""
        if self.set is None:
            raise PermissionError('no names can be made here')


def changes(rows, do):
    """What write() answers; what do() returns is nothing to bind."""
    def done():
        do()
    return rows, done


def change(name, old, new, do):
    """The same, of one thing."""
    return changes([(name, (old,), (new,))], do)


def orders(data):
    """The list of one: the file that is written is an order to do something."""
    return [(..., (), (data.decode('utf-8', 'replace'),))]


def told(data, do):
    return changes(orders(data), do)


def line(value):
    return '%s\n' % (value,)


def text(value):
    """As the tree shows it; what is a directory there as repr() prints it."""
    shown = _pinefs.text(value)
    return line(repr(value)) if shown is None else shown
