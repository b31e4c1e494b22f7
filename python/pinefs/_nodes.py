# SPDX-License-Identifier: MIT
"""What the made-up part of the tree consists of."""

from . import _pinefs


class File:
    """Text or bytes that read() makes; write(data), or None."""

    def __init__(self, read, write=None):
        self.read, self.write = read, write
        self.kind = 'f' if write is None else 'w'


class Link:
    """A symbolic link to where the object that read() gives is at home."""

    kind = 'l'

    def __init__(self, read):
        self.read = read


class Dir:
    """list() gives pairs of names and kinds; get(name) a node, or None."""

    kind = 'd'

    def __init__(self, list, get):
        self.list, self.get = list, get

    @classmethod
    def of(cls, nodes):
        """A fixed one: {name: node}."""
        return cls(lambda: [(n, node.kind) for n, node in nodes.items()],
                   nodes.get)


def line(value):
    return '%s\n' % (value,)


def text(value):
    """As the tree shows it; what is a directory there as repr() prints it."""
    shown = _pinefs.text(value)
    return line(repr(value)) if shown is None else shown
