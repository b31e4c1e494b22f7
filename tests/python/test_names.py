# SPDX-License-Identifier: MIT
"""Keys of dicts as names of files, and back (PYFS 7)."""

import served
from served import status

# key, name
ROWS = [
    ('plain', 'plain'),
    ('', '%-'),
    ('.', '%2E'),
    ('..', '%2E%2E'),
    ('...', '...'),
    ('.hidden', '.hidden'),
    ('a/b', 'a%2Fb'),
    ('/', '%2F'),
    ('nul\0', 'nul%00'),
    ('tab\t', 'tab%09'),
    ('del\x7f', 'del%7F'),
    ('50%', '50%'),
    ('100%-sure', '100%-sure'),
    ('%41', '%41'),             # not one of ours: left alone
    ('url%20name', 'url%20name'),
    ('%2F', '%252F'),           # would be read as a slash
    ('%25', '%2525'),
    ('%2f', '%2f'),             # ours are in capitals
    ('%=5', '%25=5'),
    ('%:x', '%25:x'),
    ('%-', '%25-'),
    ('a%=b', 'a%=b'),
    ('h\xe9', 'h\xe9'),
    ('\u65e5\u672c', '\u65e5\u672c'),
    ('e\u0301', 'e\u0301'),     # never normalised
    ('\udcff', '\udcff'),       # a byte of a file name
    (b'bytes', "%=b'bytes'"),
    (None, '%=None'),
    (True, '%=True'),
    (2.5, '%=2.5'),
    (1j, '%=1j'),
    ((1, 2), '%=(1, 2)'),
    (('a', None), "%=('a', None)"),
    (7, '7'),
    (-7, '-7'),
    (10**30, '1' + '0' * 30),
]


def test_each_kind_of_key_has_its_name_and_is_found_by_it():
    for key, name in ROWS:
        with served.module(d={key: 'the value'}) as (c, at, m):
            listed = c.list(at + '/d')
            assert listed == [name], (key, listed)
            assert c.read(at + '/d/' + name) == b'the value', key
            c.write(at + '/d/' + name, b'another')
            assert m.d == {key: 'another'}, (key, m.d)
            c.remove(at + '/d/' + name)
            assert m.d == {}, (key, m.d)


def test_a_name_that_no_key_has_is_not_found():
    with served.module(d={'A': 1, 'a/b': 2, 5: 3}) as (c, at, m):
        for name in ('%2E', 'a%2fb', '%=5.0x', '05', '+5', ' 5', '%=A', '6',
                     'a', '%:A', 'A%', '%2EA'):
            assert status(c.getattr, at + '/d/' + name) == 'NOENT', name


def test_what_a_client_makes_has_the_key_its_name_stands_for():
    for key, name in ROWS:
        if isinstance(key, int) and not isinstance(key, bool):
            continue            # a new dict has no ints: it would be a str
        with served.module(d={}) as (c, at, m):
            c.write(at + '/d/' + name, b'x')
            assert list(m.d) == [key], (name, list(m.d))


def test_a_decimal_is_an_int_where_the_first_key_is_one():
    with served.module(d={1: 'one'}, e={'a': 'b'}, f={}) as (c, at, m):
        c.write(at + '/d/2', b'two')
        c.write(at + '/d/-3', b'three')
        c.write(at + '/e/2', b'two')
        c.write(at + '/f/2', b'two')
        assert m.d == {1: 'one', 2: 'two', -3: 'three'}
        assert m.e == {'a': 'b', '2': 'two'}
        assert m.f == {'2': 'two'}


def test_a_number_and_its_text_are_two_files():
    with served.module(d={5: 'int', '5': 'str'}) as (c, at, m):
        assert c.list(at + '/d') == ['%=5', '5']
        assert c.read(at + '/d/%=5') == b'int'
        assert c.read(at + '/d/5') == b'str'
        c.write(at + '/d/%=5', b'changed')
        assert m.d == {5: 'changed', '5': 'str'}


def test_an_int_has_one_name():
    with served.module(d={5: 'int', 10: 'ten'}) as (c, at, m):
        for name in ('%=5', '%=0x5', '%=1_0', '%=+5', '%=10'):
            assert status(c.read, at + '/d/' + name) == 'NOENT', name
            assert status(c.create, at + '/d/' + name) == 'INVAL', name
        assert m.d == {5: 'int', 10: 'ten'}


def test_classes_and_objects_as_keys_are_files_too():
    class Key:
        pass
    thing = Key()
    with served.module(d={int: 'int', thing: 'thing'}) as (c, at, m):
        names = c.list(at + '/d')
        assert '%:builtins.int' in names
        other, = set(names) - {'%:builtins.int'}
        assert other.startswith('%:') and 'Key-0x' in other
        assert c.read(at + '/d/%:builtins.int') == b'int'
        assert c.read(at + '/d/' + other) == b'thing'
        c.write(at + '/d/' + other, b'new')
        assert m.d[thing] == 'new'
        c.rm_r(at + '/d')
        assert not hasattr(m, 'd')


def test_long_names_are_cut_and_told_apart():
    one, two = 'x' * 300, 'x' * 299 + 'y'
    wide = '\xe9' * 150
    with served.module(d={one: '1', two: '2', wide: '3'}) as (c, at, m):
        names = c.list(at + '/d')
        assert len(names) == 3
        assert all(len(n.encode()) <= 255 for n in names)
        values = sorted(c.read(at + '/d/' + n) for n in names)
        assert values == [b'1', b'2', b'3']
        c.rm_r(at + '/d')


def test_names_with_bytes_that_are_no_utf_8_round_trip():
    with served.module(d={}) as (c, at, m):
        c.write(at.encode() + b'/d/\xff\xfe', b'x')
        assert list(m.d) == ['\udcff\udcfe']
        assert c.read(at.encode() + b'/d/\xff\xfe') == b'x'


def test_other_lone_surrogates_are_listed_and_found():
    with served.module(d={'\ud800': 'x'}) as (c, at, m):
        (name, _, _, _), = c.entries(at + '/d')
        assert c.read(at.encode() + b'/d/' + name) == b'x'
