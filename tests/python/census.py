# SPDX-License-Identifier: MIT
"""How many entries of which kind pyfs has to show of this process: counted
in Python, from what docs/pyfs.md says and from nothing of pyfs.

A container is a directory once, at its home, and a link wherever else it is
bound; so the numbers do not depend on where homes are.  What is looked at is
looked at by functions of the base types, as pyfs must: counting runs no code
of the program either.
"""

import collections
import datetime
import decimal
import enum
import fnmatch
import fractions
import functools
import gc
import ipaddress
import pathlib
import sys
import types
import uuid

# What are files although instances of theirs have a dict or slots.
FILES = (str, bytes, bytearray, int, float, complex, enum.Enum,
         types.FunctionType, types.MethodType, property, staticmethod,
         classmethod, functools.cached_property)
EXACTLY_FILES = (
    type(None), type(...), range, slice, decimal.Decimal, fractions.Fraction,
    datetime.datetime, datetime.date, datetime.time, datetime.timedelta,
    datetime.timezone, uuid.UUID, pathlib.PosixPath, pathlib.PurePosixPath,
    pathlib.PureWindowsPath, ipaddress.IPv4Address, ipaddress.IPv6Address,
    ipaddress.IPv4Network, ipaddress.IPv6Network, ipaddress.IPv4Interface,
    ipaddress.IPv6Interface)
DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)
type_dict = type.__dict__['__dict__'].__get__
type_mro = type.__dict__['__mro__'].__get__


def is_of(o, kinds):
    """isinstance() asks o.__class__, which is code of the program."""
    return any(k in type_mro(type(o)) for k in kinds)


def in_class(cls, name):
    """(value, dict of the class it was found in), by the mro."""
    for c in type_mro(cls):
        d = type_dict(c)
        if name in d:
            return d[name], d
    return None, None


def dict_of(o):
    """The dict of an instance, if C code gives it."""
    descriptor, _ = in_class(type(o), '__dict__')
    if type(descriptor) not in DESCRIPTORS:
        return None
    found = descriptor.__get__(o)
    return found if is_of(found, (dict,)) else None


def slots_of(cls):
    for c in type_mro(cls):
        d = type_dict(c)
        if '__slots__' in d:
            for name in d:
                if type(d[name]) is types.MemberDescriptorType:
                    yield name


def behind_proxy(proxy):
    behind = gc.get_referents(proxy)
    return behind[0] if len(behind) == 1 and is_of(behind[0], (dict,)) \
        else None


def fields_of(o):
    fields, _ = in_class(type(o), '_fields')
    return type(fields) is tuple and all(type(f) is str for f in fields)


def bindings(o):
    """[(name or None, value)] of a container; None: it is a file."""
    if is_of(o, (dict,)):
        return [(k, v) for k, v in dict.items(o)]
    if is_of(o, (list,)):
        return [(None, v) for v in list.__iter__(o)]
    if is_of(o, (tuple,)):
        return [(None, v) for v in tuple.__iter__(o)]
    if is_of(o, (type,)):
        return list(type_dict(o).items())
    if is_of(o, (types.ModuleType,)):
        return list(module_dict(o).items())
    if is_of(o, (set,)):
        return [(None, v) for v in set.__iter__(o)]
    if is_of(o, (frozenset,)):
        return [(None, v) for v in frozenset.__iter__(o)]
    if is_of(o, (collections.deque,)):
        return [(None, v) for v in collections.deque.__iter__(o)]
    if is_of(o, FILES) or type(o) in EXACTLY_FILES:
        return None
    if type(o) is types.MappingProxyType:
        d = behind_proxy(o)
        return None if d is None else list(dict.items(d))
    return instance_bindings(o)


def instance_bindings(o):
    found, _ = in_class(type(o), '__dict__')
    slots = list(slots_of(type(o)))
    if type(found) not in DESCRIPTORS and not slots:
        return None
    d = dict_of(o)
    rows = [] if d is None else list(dict.items(d))
    names = {k for k, _ in rows if type(k) is str}
    rows.append(('__class__', type(o)))
    for name in slots:
        if name in names:
            continue
        descriptor, where = in_class(type(o), name)
        if type(descriptor) is types.MemberDescriptorType and \
                '__slots__' in where:
            try:
                rows.append((name, descriptor.__get__(o)))
            except AttributeError:
                continue            # not filled
    return rows


def module_dict(m):
    return types.ModuleType.__dict__['__dict__'].__get__(m)


def same_place(o):
    """What is at home where `o` is: the dict of a module is the module."""
    if o is sys.modules or not is_of(o, (dict,)):
        return o
    name = dict.get(o, '__name__')
    m = sys.modules.get(name) if type(name) is str else None
    if m is not None and is_of(m, (types.ModuleType,)) and \
            module_dict(m) is o:
        return m
    return o


def is_hidden(parent, name):
    """exclude=('pinefs._*',), where a module or its names are met."""
    if type(name) is not str:
        return False
    if parent is sys.modules:
        return fnmatch.fnmatchcase(name, 'pinefs._*')
    return parent is sys.modules.get('pinefs') and name.startswith('_')


def census():
    """{'directories', 'links', 'files'}: entries below the root."""
    count = collections.Counter(directories=0, links=0, files=0)
    seen, keep = {id(sys.modules)}, []
    todo = [sys.modules]
    while todo:
        container = todo.pop()
        for name, value in bindings(container):
            if is_hidden(container, name):
                continue
            value = same_place(value)
            if id(value) in seen:
                count['links'] += 1
            elif bindings(value) is None:
                count['files'] += 1
            else:
                count['directories'] += 1
                seen.add(id(value))
                keep.append(value)      # its address stays its own
                todo.append(value)
    return dict(count)


if __name__ == '__main__':
    print(census())
