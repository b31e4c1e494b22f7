# SPDX-License-Identifier: MIT
"""Values as bytes (PYFS 6), and bytes as values (PYFS 8.1)."""

import collections
import datetime
import decimal
import enum
import fractions
import ipaddress
import pathlib
import uuid

import served
from served import status


class Colour(enum.Enum):
    RED = 1
    BLUE = 'b'


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2

    def __repr__(self):
        raise AssertionError('the repr of the user was called')

    __str__ = __repr__


class Text(str):
    def __str__(self):
        raise AssertionError('called')

    __repr__ = __str__


class Number(int):
    __repr__ = __str__ = Text.__str__


UTC = datetime.timezone.utc
PLUS1 = datetime.timezone(datetime.timedelta(hours=1))

# value, what READ gives
RENDER = [
    ('text', b'text'),
    ('', b''),
    ('two\nlines\n', b'two\nlines\n'),
    ('h\xe9', b'h\xc3\xa9'),
    ('\udcff', b'\xff'),
    (Text('sub'), b'sub'),
    (b'\0\xff', b'\0\xff'),
    (bytearray(b'ab'), b'ab'),
    (True, b'True\n'),
    (False, b'False\n'),
    (0, b'0\n'),
    (-5, b'-5\n'),
    (1 << 64, b'18446744073709551616\n'),
    (Number(7), b'7\n'),
    (Level.HIGH, b'2\n'),
    (0.5, b'0.5\n'),
    (float('nan'), b'nan\n'),
    (1e300, b'1e+300\n'),
    (1 - 2j, b'(1-2j)\n'),
    (None, b'None\n'),
    (Ellipsis, b'Ellipsis\n'),
    (range(3), b'range(0, 3)\n'),
    (slice(1, None), b'slice(1, None, None)\n'),
    (Colour.RED, b'RED\n'),
    (decimal.Decimal('1.50'), b'1.50\n'),
    (fractions.Fraction(1, 3), b'1/3\n'),
    (datetime.date(2024, 2, 29), b'2024-02-29\n'),
    (datetime.datetime(2024, 2, 29, 1, 2, 3), b'2024-02-29T01:02:03\n'),
    (datetime.datetime(2024, 2, 29, tzinfo=UTC),
     b'2024-02-29T00:00:00+00:00\n'),
    (datetime.time(1, 2), b'01:02:00\n'),
    (datetime.timedelta(days=1, seconds=2), b'1 day, 0:00:02\n'),
    (uuid.UUID(int=5), b'00000000-0000-0000-0000-000000000005\n'),
    (pathlib.PurePosixPath('/a/b'), b'/a/b\n'),
    (ipaddress.ip_address('10.0.0.1'), b'10.0.0.1\n'),
    (ipaddress.ip_network('10.0.0.0/8'), b'10.0.0.0/8\n'),
    (len, b'<built-in function len>\n'),
    (str.upper, b"<method 'upper' of 'str' objects>\n"),
]

# value, what is written, what is bound then (or the error)
INVAL, ACCES = 'INVAL', 'ACCES'
PARSE = [
    ('old', b'new', 'new'),
    ('old', b'new\nlines', 'new\nlines'),
    ('old', b'\xff', '\udcff'),
    (b'old', b'\0new', b'\0new'),
    (b'old', b'x\n', b'x\n'),
    (bytearray(b'old'), b'new', bytearray(b'new')),
    (True, b'0\n', False),
    (True, b'1', True),
    (False, b'YES\n', True),
    (False, b'on', True),
    (True, b'Off', False),
    (True, b'no', False),
    (True, b'false', False),
    (False, b'TRUE', True),
    (True, b'2', INVAL),
    (True, b'None', INVAL),
    (1, b'2\n', 2),
    (1, b' -3 ', -3),
    (1, b'0xff', 255),
    (1, b'0b101', 5),
    (1, b'0o17', 15),
    (1, b'007', 7),
    (1, b'1_000', 1000),
    (1, b'5\n6\n', INVAL),
    (1, b'1.5', INVAL),
    (1, b'one', INVAL),
    (1, b'1\x00', INVAL),
    (1, b'\xff', INVAL),
    (0.5, b'2', 2.0),
    (0.5, b'1e3\n', 1000.0),
    (0.5, b'inf', float('inf')),
    (0.5, b'half', INVAL),
    (1j, b'1+2j', 1 + 2j),
    (1j, b'x', INVAL),
    (None, b'5\n', 5),
    (None, b"'text'", 'text'),
    (None, b'None', None),
    (None, b'[1, {"a": None}]', [1, {'a': None}]),
    (None, b'unquoted', INVAL),
    (None, b'__import__("os")', INVAL),
    (Colour.RED, b'BLUE\n', Colour.BLUE),
    (Colour.RED, b'Colour.BLUE', Colour.BLUE),
    (Colour.RED, b"'b'", Colour.BLUE),
    (Colour.BLUE, b'1', Colour.RED),
    (Colour.RED, b'GREEN', INVAL),
    (Colour.RED, b'7', INVAL),
    (Level.LOW, b'2\n', Level.HIGH),
    (Level.LOW, b'HIGH', Level.HIGH),
    (Level.LOW, b'3', INVAL),
    (Text('sub'), b'new', Text('new')),
    (Number(7), b'8', Number(8)),
    (Number(7), b'x', INVAL),
    (decimal.Decimal('1.5'), b'2.50\n', decimal.Decimal('2.50')),
    (decimal.Decimal('1.5'), b'x', INVAL),
    (fractions.Fraction(1, 3), b'2/4', fractions.Fraction(1, 2)),
    (datetime.date(2024, 2, 29), b'2023-01-02\n', datetime.date(2023, 1, 2)),
    (datetime.date(2024, 2, 29), b'2023-02-30', INVAL),
    (datetime.datetime(2024, 1, 1), b'2024-01-01T10:00:00+01:00',
     datetime.datetime(2024, 1, 1, 10, tzinfo=PLUS1)),
    (datetime.time(1), b'02:03:04', datetime.time(2, 3, 4)),
    (datetime.timedelta(1), b'0:00:01.500000\n',
     datetime.timedelta(seconds=1, microseconds=500000)),
    (datetime.timedelta(1), b'-1 day, 23:59:59',
     datetime.timedelta(seconds=-1)),
    (datetime.timedelta(1), b'3 days, 1:00:00',
     datetime.timedelta(days=3, hours=1)),
    (datetime.timedelta(1), b'soon', INVAL),
    (uuid.UUID(int=5), b'00000000-0000-0000-0000-000000000006\n',
     uuid.UUID(int=6)),
    (uuid.UUID(int=5), b'6', INVAL),
    (pathlib.PurePosixPath('/a'), b'/c\n', pathlib.PurePosixPath('/c')),
    (ipaddress.ip_address('10.0.0.1'), b'10.0.0.2\n',
     ipaddress.ip_address('10.0.0.2')),
    (ipaddress.ip_address('10.0.0.1'), b'10.0.0.256', INVAL),
    (Ellipsis, b'x', ACCES),
    (range(3), b'range(0, 4)', ACCES),
    (slice(1), b'x', ACCES),
    (len, b'x', ACCES),
    ((lambda: 0), b'x', ACCES),
    (object(), b'x', ACCES),
]


def test_values_read_as_the_table_says():
    for value, text in RENDER:
        with served.module(v=value) as (c, at, m):
            assert c.read(at + '/v') == text, value
            assert c.getattr(at + '/v').size == len(text), value


def test_a_heap_type_without_names_prints_without_its_repr():
    class Bare:
        __slots__ = ()

        def __repr__(self):
            raise AssertionError('called')

    with served.module(v=Bare(), s=slice(Bare(), Level.LOW)) as (c, at, m):
        text = c.read(at + '/v').decode()
        assert text.startswith('<') and '.Bare object at 0x' in text, text
        assert text.endswith('>\n')
        assert 'slice object at 0x' in c.read(at + '/s').decode()


def test_an_int_beyond_the_digit_limit_prints_in_hexadecimal():
    import sys
    if not hasattr(sys, 'set_int_max_str_digits'):
        return
    with served.module(v=1 << 20000) as (c, at, m):
        assert c.read(at + '/v') == hex(1 << 20000).encode() + b'\n'


def same(a, b):
    return type(a) is type(b) and (a == b or a != a and b != b)


def test_text_parses_by_the_type_of_what_is_bound():
    for old, data, new in PARSE:
        for stable in (0, 2):
            with served.module(v=old) as (c, at, m):
                got = status(c.write, at + '/v', data, stable)
                if new in (INVAL, ACCES) and isinstance(new, str):
                    assert got == new, (old, data, stable, got, m.v)
                    assert m.v is old, (old, data, m.v)
                    assert c.read(at + '/v') is not None
                else:
                    assert got is None, (old, data, stable, got)
                    assert same(m.v, new), (old, data, stable, m.v)


class Weekday(enum.IntEnum):
    MONDAY = 1
    TUESDAY = 2


class Word(str):
    pass


class Count(int):
    pass


class Permission(enum.Flag):
    R = 4
    W = 2
    X = 1


class Mask(enum.IntFlag):
    A = 1
    B = 2


class Fixed:
    """A type nobody knows, of which T(str(v)) == v."""
    __slots__ = ()
    text = 'one'

    def __new__(cls, text):
        if text not in ('one', 'two'):
            raise ValueError(text)
        return FIXED[text] if FIXED else object.__new__(cls)

    def __str__(self):
        return [k for k, v in FIXED.items() if v is self][0]


FIXED = {}
FIXED.update(one=Fixed('one'), two=Fixed('two'))


def of_every_type(n):
    """Some value of each type of the parse table, the n-th."""
    import random
    r = random.Random(n)
    f = r.choice([r.uniform(-1e9, 1e9), r.random() * 10.0 ** r.randrange(
        -300, 300), float(r.randrange(-9, 9)), float('inf'), -0.0])
    delta = datetime.timedelta(r.randrange(-99, 99), r.randrange(86400),
                               r.choice([0, r.randrange(10**6)]))
    zone = datetime.timezone(datetime.timedelta(
        minutes=r.randrange(-1439, 1440),
        seconds=r.choice([0, 0, r.randrange(60)]) if n % 3 else 0))
    when = datetime.datetime(r.randrange(1, 9999), r.randrange(1, 13),
                             r.randrange(1, 29), r.randrange(24),
                             r.randrange(60), r.randrange(60),
                             r.choice([0, r.randrange(10**6)]))
    four = ipaddress.IPv4Address(r.getrandbits(32))
    six = ipaddress.IPv6Address(r.getrandbits(128))
    yield ''.join(chr(r.choice([r.randrange(11, 128), r.randrange(
        128, 0xd800), 0xdc80, 0x1f600])) for i in range(r.randrange(1, 9)))
    yield r.random() < 0.5
    yield r.getrandbits(r.choice([3, 40, 63, 64, 200])) * r.choice([1, -1])
    yield f
    yield complex(f, r.uniform(-9, 9))
    yield None
    yield r.choice(list(Colour))
    yield r.choice(list(Weekday))
    yield Permission(r.randrange(1, 8))
    yield Mask(r.randrange(1, 4))
    yield Word("t%d" % n)
    yield Count(r.randrange(-99, 99))
    yield decimal.Decimal(r.randrange(-10**9, 10**9)).scaleb(
        r.randrange(-30, 30))
    yield fractions.Fraction(r.randrange(-99, 99), r.randrange(1, 99))
    yield when
    yield when.replace(tzinfo=zone)
    yield when.date()
    yield when.time()
    yield delta
    yield zone
    yield uuid.UUID(int=r.getrandbits(128))
    yield pathlib.PurePosixPath('/' * r.randrange(2) + 'a/b%d' % n)
    yield pathlib.PosixPath('c/%d' % n)
    yield pathlib.PureWindowsPath(r'C:\x\%d' % n)
    yield four
    yield six
    yield ipaddress.ip_network((four, 24), strict=False)
    yield ipaddress.ip_network((six, 64), strict=False)
    yield ipaddress.ip_interface((four, 24))
    yield ipaddress.ip_interface((six, 64))


def test_what_str_prints_is_parsed_again_for_every_type():
    with served.module() as (c, at, m):
        for n in range(10 if served.BRIEF else 25):
            for old, new in zip(of_every_type(n), of_every_type(n + 1)):
                m.v = old
                c.write(at + '/v', str(new))
                assert same(m.v, new), (old, new, m.v)
                m.v = old       # and what is read is taken
                text = c.read(at + '/v')
                m.v = new
                c.write(at + '/v', text)
                if not isinstance(old, str):
                    assert same(m.v, old), (old, text, m.v)


def test_other_types_are_tried_and_refused_unless_str_is_their_inverse():
    with served.module(v=FIXED['one'], w=object()) as (c, at, m):
        assert c.getattr(at + '/v').mode == 0o400
        c.write(at + '/v', b'two\n')
        assert m.v is FIXED['two']
        assert status(c.write, at + '/v', b'three') == 'INVAL'
        assert m.v is FIXED['two']
        assert status(c.write, at + '/w', b'x') == 'ACCES'


def test_flags_are_written_by_name_or_number():
    both = Permission.R | Permission.X
    with served.module(v=Permission.W) as (c, at, m):
        for text in (b'R|X', b'Permission.R|X\n', b'5', b'X | R'):
            m.v = Permission.W
            c.write(at + '/v', text)
            assert m.v is both or m.v == both, (text, m.v)
        assert status(c.write, at + '/v', b'R|Q') == 'INVAL'


def test_sequences_can_be_files_of_their_literals():
    class Odd:
        def __repr__(self):
            raise AssertionError('called')

    space = {'l': [1, 'x', None], 't': (1,), 's': {2}, 'o': [Odd()],
             'd': {'k': [1]}, 'f': frozenset({3}), 'e': [],
             'q': collections.deque([1])}
    with served.own(root=space, sequences='file') as c:
        assert c.read('/l') == b"[1, 'x', None]\n"
        assert c.read('/t') == b'(1,)\n' and c.read('/s') == b'{2}\n'
        assert c.read('/d/k') == b'[1]\n'
        assert b'list object at 0x' in c.read('/o')
        c.write('/l', b'[2, 3]\n')
        c.write('/t', b'()')
        c.write('/e', b"['a']")
        assert (space['l'], space['t'], space['e']) == ([2, 3], (), ['a'])
        assert status(c.write, '/l', b'(2, 3)') == 'INVAL'
        assert status(c.write, '/l', b'[Odd()]') == 'INVAL'
        assert status(c.write, '/f', b'{1}') == 'ACCES'
        assert status(c.write, '/q', b'[1]') == 'ACCES'
        assert space['l'] == [2, 3]


def test_a_bytearray_is_changed_in_place():
    with served.module(v=bytearray(b'old')) as (c, at, m):
        before = m.v
        c.write(at + '/v', b'longer than before')
        assert m.v is before and before == b'longer than before'


def test_the_newline_rule():
    # old, written, bound
    rows = [
        ('INFO', b'DEBUG\n', 'DEBUG'),
        ('INFO', b'DEBUG', 'DEBUG'),
        ('INFO', b'a\nb\n', 'a\nb\n'),
        ('INFO', b'\n', ''),
        ('INFO', b'x\n\n', 'x\n\n'),
        ('with\n', b'DEBUG\n', 'DEBUG\n'),
        ('', b'DEBUG\n', 'DEBUG\n'),
    ]
    for old, data, new in rows:
        with served.module(v=old) as (c, at, m):
            c.write(at + '/v', data)
            assert m.v == new, (old, data, m.v)
    with served.module(v='INFO') as (c, at, m):
        c.write_at(at + '/v', 4, b'RMATION\n')  # appended: kept
        assert m.v == 'INFORMATION\n'
        c.write(at + '/new', b'one line\n')     # nothing was there: kept
        assert m.new == 'one line\n'


def test_the_newline_rule_can_be_turned_off():
    space = {'v': 'INFO'}
    with served.own(root=space, newline='exact') as c:
        c.write('/v', b'DEBUG\n')
        assert space == {'v': 'DEBUG\n'}


def test_new_files_are_text_or_bytes_as_their_content_is():
    with served.module() as (c, at, m):
        c.write(at + '/text', 'h\xe9\n'.encode())
        c.write(at + '/binary', b'\x7fELF\xff\0')
        assert m.text == 'h\xe9\n' and m.binary == b'\x7fELF\xff\0'
        c.write(at + '/text', b'\xff')
        c.write(at + '/binary', b'text')
        assert m.text == b'\xff' and m.binary == 'text'


def test_empty_text_keeps_what_cannot_be_empty():
    for old in (5, 0.5, True, None, Colour.RED):
        with served.module(v=old) as (c, at, m):
            c.setattr(at + '/v', size=0)
            assert c.getattr(at + '/v').size == 0
            c.commit(at + '/v')
            assert m.v is old
            assert c.getattr(at + '/v').size > 0
    with served.module(s='x', b=b'x') as (c, at, m):
        for name in 'sb':
            c.setattr(at + '/' + name, size=0)
            c.commit(at + '/' + name)
        assert m.s == '' and m.b == b''


def test_a_namedtuple_lists_its_fields_and_cannot_be_changed():
    Point = collections.namedtuple('Point', 'x y')
    with served.module(p=Point(1, 2)) as (c, at, m):
        assert c.list(at + '/p') == ['x', 'y']
        assert c.read(at + '/p/y') == b'2\n'
        assert c.getattr(at + '/p/y').mode == 0o400
        assert status(c.write, at + '/p/y', b'3') == 'ACCES'


def documented(a, b=2, *args):
    """A function
    of two lines."""
    text = """
def looks_like_one(): pass
"""
    return (a,
            b)


class Holder:
    @property
    def prop(self):
        return 1

    @staticmethod
    def static():
        return 2

    @classmethod
    def of_class(cls):
        return 3

    one_line = lambda self: 4       # noqa: E731
    two_lines = (lambda self:
                 5)

    async def co(self):
        # a comment at the end of the block

        return 6
    # and one behind it


def test_functions_read_as_their_source():
    import inspect
    with served.module(f=documented) as (c, at, m):
        at = '/' + __name__
        assert c.read(at + '/documented').decode() == inspect.getsource(
            documented)
        for name in ('prop', 'static', 'of_class', 'co'):
            f = Holder.__dict__[name]
            f = getattr(f, 'fget', None) or getattr(f, '__func__', f)
            text = inspect.getsource(f)
            assert c.read(at + '/Holder/' + name).decode() == text, name
        assert c.read(at + '/Holder/one_line').startswith(b'    one_line = lambda')
        assert c.read(at + '/Holder/two_lines').endswith(b'5)\n')
        assert c.getattr(at + '/documented').mode == 0o400
        assert status(c.write, at + '/documented', b'x') == 'ACCES'


def test_a_function_without_source_says_so():
    space = {}
    exec('def f(a, b):\n    "What it does."\n    return a', space)
    with served.module(f=space['f']) as (c, at, m):
        text = c.read(at + '/f').decode()
        assert text == '# no source\nf(a, b)\n\nWhat it does.\n', text


def test_lines_that_linecache_holds_are_source():
    import linecache
    source = 'def f():\n    return 1\n\nx = 5\n'
    space = {}
    exec(compile(source, '<notebook 7>', 'exec'), space)
    linecache.cache['<notebook 7>'] = (
        len(source), None, source.splitlines(True), '<notebook 7>')
    with served.module(f=space['f']) as (c, at, m):
        assert c.read(at + '/f') == b'def f():\n    return 1\n'
