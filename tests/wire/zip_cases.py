"""Tricky zips, and what each is to be: as archive_cases.py has it.

ZIPS: name -> (bytes, {path: what it is} or None, [parts of lines of the log]).
"""

import calendar
import os
import random
import struct
import subprocess
import time
import zlib

from archive_cases import DIR, EIO, FIFO, Link, Prefix
from zips import (BZIP2, DARWIN, DEFLATED, DESCRIPTOR, DOS, ENCRYPTED, EOS,
                  FULL32, LZMA, NTFS, STORED, UNIX, UTF8, XZ, ZSTD, Entry,
                  deflate, directory, end, end64, extra, file, ids, lzma1,
                  ntfs_time, symlink, unicode_path, unix_time, zip_of)

ZIPS = {}
TEXT = b'some text, again and again; ' * 50
PLACE = 'lies over another member, or outside of the zip: refused'
ENCRYPTED_LINE = 'encrypted: it cannot be read'
METHOD = 'compressed by a method that this build cannot read'
LENGTHS = 'sizes that cannot be: it cannot be read'
BOMB = 'more than 1000 times its size in the zip: it cannot be read'
BROKEN = 'the directory of the zip is broken here'
TARGET = 'a symbolic link whose target cannot be read: refused'
NAME = "a name with '..' or NUL, too long or too deep: refused"


def case(name, data, tree, *log):
    assert name not in ZIPS, name
    ZIPS[name] = data, tree, list(log)


def is_(what, **attributes):
    return dict(attributes, **{'is': what})


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def local(year, month, day, hour=0, minute=0, second=0):
    """What a clock on the wall here said then."""
    return int(time.mktime((year, month, day, hour, minute, second, 0, 0,
                            -1))), 0


# ---------------------------------------------------------------- the whole --

case('empty', zip_of(), {})
case('empty, with a comment', zip_of(comment=b'nothing'), {})
case('the usual', zip_of(
    directory(b'd/'), file(b'd/stored', b'hello'),
    file(b'd/deflated', TEXT, DEFLATED), symlink(b'link', b'd/stored'),
    symlink(b'long', b'd/' * 100 + b'stored', DEFLATED), file(b'nothing')),
     {b'd': is_(DIR, mode=0o755), b'd/stored': b'hello',
      b'd/deflated': TEXT, b'link': Link(b'd/stored'),
      b'long': Link(b'd/' * 100 + b'stored'), b'nothing': b''})
case('a comment of 65535 bytes', zip_of(file(b'a', b'1'), comment=b'c' * 65535),
     {b'a': b'1'})
case('a comment with an end in it', zip_of(
    file(b'a', b'1'), comment=b'x' + end(b'', 0, 0) + b'more'), {b'a': b'1'})
case('junk behind the end', zip_of(file(b'a', b'1'), junk=b'junk' * 100),
     {b'a': b'1'})
case('a prefix, offsets from the zip', zip_of(
    file(b'a', b'1'), file(b'b', TEXT, DEFLATED), prefix=b'#!/bin/sh\n' * 99),
     {b'a': b'1', b'b': TEXT})
case('a prefix, offsets from the file', zip_of(
    file(b'a', b'1'), file(b'b', TEXT, DEFLATED), prefix=b'#!/bin/sh\n' * 99,
    moved=False), {b'a': b'1', b'b': TEXT})
case('bytes before the directory', zip_of(file(b'a', b'1'), b'signed' * 100),
     {b'a': b'1'})
case('bytes between members', zip_of(
    b'x' * 7, file(b'a', b'1'), b'PK\3\4' * 9, file(b'b', b'2'), b'y'),
     {b'a': b'1', b'b': b'2'})
case('a signed directory', zip_of(
    file(b'a', b'1'), before_end=b'PK\5\5' + struct.pack('<H', 3) + b'abc',
    ending=lambda d, at, n, **kw: end(d, at, n)), {b'a': b'1'})
case('the sign of a split one, alone', b'PK00' + zip_of(
    file(b'a', b'1'), prefix=b'').replace(b'', b'', 0), {b'a': b'1'})
case('zip64', zip_of(file(b'a', b'1', zip64=True),
                     file(b'b', TEXT, DEFLATED, zip64=True), ending=end64),
     {b'a': b'1', b'b': TEXT})
case('zip64 with a prefix', zip_of(
    file(b'a', b'1', zip64=True), prefix=b'12345', ending=end64,
    comment=b'c'), {b'a': b'1'})
case('zip64 of what would fit', zip_of(
    file(b'a', b'1', extra=extra(1, b''))), {b'a': b'1'})
case('the count of members is a lie', zip_of(
    file(b'a', b'1'), file(b'b', b'2'), count=1), {b'a': b'1', b'b': b'2'})
case('no end', zip_of(file(b'a', b'1'))[:-22], None,
     'its end is missing, and with it the directory')
case('cut in the directory', zip_of(file(b'a', b'1'))[:-40], None,
     'its end is missing, and with it the directory')
case('a part of several files', zip_of(file(b'a', b'1'), disk=3), None,
     'a zip that was split over several files')
case('a directory that is not there', zip_of(
    file(b'a', b'1'), ending=lambda d, at, n: end(d, at + 7, n)), None,
     'its directory is not where the end of it says')
case('a directory behind the end', zip_of(
    file(b'a', b'1'), ending=lambda d, at, n: end(d, 1 << 30, n)), None,
     'its directory is not where the end of it says')
case('a broken entry', zip_of(
    file(b'a', b'1'), file(b'b', b'2'), file(b'c', b'3')).replace(
        b'PK\1\2', b'PK\1\1', 2).replace(b'PK\1\1', b'PK\1\2', 1),
     {b'a': b'1'}, BROKEN)
case('an entry too long', zip_of(
    file(b'a', b'1'), file(b'b', b'2')).replace(
        b'\1\0\0\0\0\0\0\0\0\0\0\0\xa4\x81\x20', b'\1\0\xff\xff' + bytes(8) +
        b'\xa4\x81\x20'), {b'a': b'1'}, BROKEN)

# ------------------------------------------------------------------- names --

case('names of Unix are bytes', zip_of(
    file(b'\xff', b'1'), file(b'a\\b', b'2'), file(b'\xc3\xa4', b'3')),
     {b'\xff': b'1', b'a\\b': b'2', b'\xc3\xa4': b'3'})
case('names of DOS are of code page 437', zip_of(
    file(b'\x84\x81', b'1', host=DOS), file(b'\xe1\xff', b'2', host=NTFS)),
     {'\u00e4\u00fc'.encode(): b'1', '\u00df\u00a0'.encode(): b'2'})
case('a flag says UTF-8', zip_of(
    file('\u20ac\\x'.encode(), b'1', host=DOS, flags=UTF8),
    file('\u00e4'.encode(), b'2', flags=UTF8)),
     {'\u20ac'.encode(): DIR, '\u20ac/x'.encode(): b'1',
      '\u00e4'.encode(): b'2'})
case('a path of Unicode', zip_of(
    file(b'?', b'1', host=DOS, extra=unicode_path('\u20ac'.encode(), b'?')),
    file(b'old', b'2', host=DOS, extra=unicode_path(b'new', b'other'))),
     {'\u20ac'.encode(): b'1', b'old': b'2'})
case('backslashes of DOS, Windows, others', zip_of(
    file(b'a\\b\\c', b'1', host=DOS), file(b'a\\d', b'2', host=NTFS),
    file(b'a\\e', b'3', host=UNIX), file(b'x\\', host=DOS),
    file(b'a\\f', b'4', host=DARWIN)),
     {b'a': DIR, b'a/b': DIR, b'a/b/c': b'1', b'a/d': b'2', b'a\\e': b'3',
      b'x': DIR, b'a\\f': b'4'})
case('names that lead up', zip_of(
    file(b'../up', b'1'), file(b'a/../../b', b'1'), file(b'/abs', b'2'),
    file(b'..\\up', b'1', host=DOS), file(b'./c//d', b'3'),
    file(b'x\0y', b'1'), file(b'', b'1')),
     {b'abs': b'2', b'c': DIR, b'c/d': b'3'}, NAME)
case('a drive of DOS', zip_of(file(b'C:\\x', b'1', host=DOS)),
     {b'C:': DIR, b'C:/x': b'1'})
case('a name of 255 bytes, and of 256', zip_of(
    file(b'n' * 255, b'1'), file(b'm' * 256, b'2')), {b'n' * 255: b'1'}, NAME)
case('a local header of another name', zip_of(
    file(b'a', b'1', local_name=b'something/else'),
    file(b'b', TEXT, DEFLATED, local_name=b'')), {b'a': b'1', b'b': TEXT})
case('the last of a name wins', zip_of(
    file(b'a', b'1'), file(b'b', b'2'), file(b'a', b'33')),
     {b'a': b'33', b'b': b'2'})
case('below a file, and below a link', zip_of(
    file(b'a', b'1'), file(b'a/b', b'2'), symlink(b'l', b'/etc'),
    file(b'l/passwd', b'3')), {b'a': b'1', b'l': Link(b'/etc')},
     'lies below what is no directory: refused')
case('directories implied, then real', zip_of(
    file(b'd/e/f', b'1'), directory(b'd/', 0o40700),
    directory(b'd/e', 0o40711)),
     {b'd': is_(DIR, mode=0o700), b'd/e': is_(DIR, mode=0o711),
      b'd/e/f': b'1'})
case('the directory in another order', zip_of(
    file(b'a', b'1'), file(b'b', b'2'), file(b'c', TEXT, DEFLATED),
    order=[2, 0, 1]), {b'a': b'1', b'b': b'2', b'c': TEXT})

# ----------------------------------------------------------- what they are --

case('modes of Unix', zip_of(
    file(b'a', b'1', mode=0o100400), file(b'b', mode=0o106755),
    directory(b'c/', 0o41777), file(b'd', mode=0o100000),
    file(b'e', mode=0o755), file(b'f', mode=0, host=DARWIN)),
     {b'a': is_(b'1', mode=0o400), b'b': is_(b'', mode=0o755),
      b'c': is_(DIR, mode=0o1777), b'd': is_(b'', mode=0),
      b'e': is_(b'', mode=0o755), b'f': is_(b'', mode=0o644)})
case('attributes of DOS', zip_of(
    file(b'a', host=DOS, attributes=0x20), file(b'b', host=DOS, attributes=1),
    file(b'c', host=DOS, attributes=0x10), file(b'd/', host=DOS, attributes=1),
    file(b'e', host=DOS, attributes=0x124 << 16),
    file(b'f', host=DOS, attributes=0o100640 << 16 | 1)),
     {b'a': is_(b'', mode=0o644), b'b': is_(b'', mode=0o444),
      b'c': is_(DIR, mode=0o755), b'd': is_(DIR, mode=0o555),
      b'e': is_(b'', mode=0o644), b'f': is_(b'', mode=0o640)})
case('a fifo, a socket, a device', zip_of(
    file(b'f', mode=0o10600), file(b's', mode=0o140600),
    file(b'c', b'1', mode=0o20600)),
     {b'f': is_(FIFO, mode=0o600), b's': is_(b'', mode=0o600), b'c': b'1'},
     'of an unknown type: taken as a regular file')
case('a directory with data', zip_of(
    directory(b'd/', packed=b'data', size=4), file(b'a', b'1')),
     {b'd': DIR, b'a': b'1'})
case('links that cannot be', zip_of(
    symlink(b'a', b'x' * 4097), symlink(b'b', b'a\0b'), symlink(b'c', b''),
    symlink(b'd', b'x' * 4096, DEFLATED), file(b'e', b'1'),
    symlink(b'f', b'x', crc=5, method=DEFLATED)),
     {b'c': Link(b''), b'd': Link(b'x' * 4096), b'e': b'1'},
     'a long name too long, or without a member: refused', TARGET,
     'its checksum is 00000005')
case('owners', zip_of(
    file(b'a', extra=ids(1000, 50)), file(b'b', extra=ids(1, 2, 1)),
    file(b'c', extra=ids(0xfffffffe, 7, 8)),
    file(b'd', extra=extra(0x7875, b'\1\4\0')), file(b'e')),
     {b'a': is_(b'', uid=1000, gid=50), b'b': is_(b'', uid=1, gid=2),
      b'c': is_(b'', uid=0xfffffffe, gid=7),
      b'd': is_(b'', uid=os.geteuid()), b'e': is_(b'', uid=os.geteuid())})

# ------------------------------------------------------------------- times --

case('times', zip_of(
    file(b'dos'), file(b'zero', date=0, clock=0),
    file(b'unix', extra=unix_time(1000000001)),
    file(b'early', extra=unix_time(-1)),
    file(b'ntfs', extra=ntfs_time(1234567890, 123456700)),
    file(b'both', extra=unix_time(5) + ntfs_time(1234567891)),
    file(b'both2', extra=ntfs_time(1234567891) + unix_time(5)),
    file(b'old', extra=extra(0x5855, struct.pack('<ll', 7, 1000000007))),
    file(b'none', extra=extra(0x5455, b'\2' + struct.pack('<l', 9))),
    file(b'cut', extra=extra(0x5455, b'\1\0') + extra(0x000a, b'\0'))),
     {b'dos': is_(b'', mtime=local(2001, 2, 3, 4, 5, 6)),
      b'zero': is_(b'', mtime=local(1980, 1, 1)),
      b'unix': is_(b'', mtime=(1000000001, 0)),
      b'early': is_(b'', mtime=(0, 0)),
      b'ntfs': is_(b'', mtime=(1234567890, 123456700)),
      b'both': is_(b'', mtime=(1234567891, 0)),
      b'both2': is_(b'', mtime=(1234567891, 0)),
      b'old': is_(b'', mtime=(1000000007, 0)),
      b'none': is_(b'', mtime=local(2001, 2, 3, 4, 5, 6)),
      b'cut': is_(b'', mtime=local(2001, 2, 3, 4, 5, 6))})
case('extra fields that are cut', zip_of(
    file(b'a', b'1', extra=b'\1'),
    file(b'b', b'2', extra=unix_time(1000000001) + b'\x55\x54\xff\xff'),
    file(b'c', b'3', extra=b'\0\0\0\0' * 50)),
     {b'a': b'1', b'b': is_(b'2', mtime=(1000000001, 0)), b'c': b'3'})

# ----------------------------------------------------------------- contents --

LARGE = noise(100000) * 3 + TEXT * 500 + noise(900000, 2)
case('large members', zip_of(
    file(b'stored', LARGE), file(b'deflated', LARGE, DEFLATED),
    file(b'zeros', bytes(3 << 20), DEFLATED),
    file(b'blocks', packed=deflate(LARGE, 0), size=len(LARGE),
         crc=zlib.crc32(LARGE), method=DEFLATED)),
     {b'stored': LARGE, b'deflated': LARGE, b'zeros': bytes(3 << 20),
      b'blocks': LARGE})
for size in (65535, 65536, 65537, 131071, 131072, 131073, 1 << 20, (1 << 20) + 1):
    case('%d bytes' % size, zip_of(file(b'a', LARGE[:size], DEFLATED)),
         {b'a': LARGE[:size]})
case('other methods', zip_of(
    file(b'bzip2', LARGE, BZIP2), file(b'lzma', TEXT, LZMA, flags=EOS),
    file(b'lzma2', TEXT, packed=lzma1(TEXT), method=LZMA, size=len(TEXT),
         flags=EOS), file(b'xz', LARGE, XZ)),
     {b'bzip2': LARGE, b'lzma': TEXT, b'lzma2': TEXT, b'xz': LARGE})
case('data descriptors', zip_of(
    file(b'a', b'1', flags=DESCRIPTOR),
    file(b'b', TEXT, DEFLATED, flags=DESCRIPTOR)), {b'a': b'1', b'b': TEXT})
case('local extra fields', zip_of(
    file(b'a', b'1', local_extra=extra(0x5455, bytes(5))),
    file(b'b', TEXT, DEFLATED, local_extra=extra(0xcafe, bytes(60000)))),
     {b'a': b'1', b'b': TEXT})
case('encrypted', zip_of(
    file(b'a', b'1', packed=b'x' * 13, flags=ENCRYPTED),
    file(b'b', b'2', packed=b'x' * 13, flags=ENCRYPTED), file(b'c', b'3')),
     {b'a': is_(EIO(0), size=1), b'b': is_(EIO(0), size=1), b'c': b'3'},
     ENCRYPTED_LINE)
case('methods that nobody knows', zip_of(
    file(b'a', b'1' * 9, packed=b'x' * 5, method=9),
    file(b'b', b'2', packed=b'x' * 5, method=99), file(b'c', b'3')),
     {b'a': is_(EIO(0), size=9), b'b': is_(EIO(0), size=1), b'c': b'3'},
     METHOD)
case('sums that are wrong', zip_of(
    file(b'a', TEXT, DEFLATED, crc=1), file(b'b', b'2'),
    file(b'c', LARGE, DEFLATED, crc=2)),
     {b'a': is_(EIO(0), size=len(TEXT)), b'b': b'2',
      b'c': is_(Prefix(LARGE), size=len(LARGE))},
     'member at 0: its checksum is 00000001', 'its checksum is 00000002')
case('a stored one with a wrong sum', zip_of(file(b'a', b'1', crc=1)),
     {b'a': b'1'})
CUT = deflate(LARGE)[:600000]
case('damaged', zip_of(
    file(b'a', TEXT, packed=b'\xff' * 100, method=DEFLATED),
    file(b'b', LARGE, packed=CUT, method=DEFLATED), file(b'c', b'3')),
     {b'a': is_(EIO(0), size=len(TEXT)),
      b'b': is_(Prefix(LARGE), size=len(LARGE)), b'c': b'3'},
     'member at 0: it is damaged', 'member at 131: it is damaged')
case('longer than it says', zip_of(
    file(b'a', TEXT, DEFLATED, size=100)),
     {b'a': is_(EIO(0), size=100)}, 'it is longer than the 100 bytes')
case('shorter than it says', zip_of(
    file(b'a', TEXT, DEFLATED, size=2000)),
     {b'a': is_(EIO(0), size=2000)}, 'it is damaged')
case('stored, and of two sizes', zip_of(
    file(b'a', b'123', size=5), file(b'b', b'1')),
     {b'a': is_(EIO(0), size=5), b'b': b'1'}, LENGTHS)
case('no bytes for a size', zip_of(
    file(b'a', b'', DEFLATED, packed=b'', size=5), file(b'b', b'1')),
     {b'a': is_(EIO(0), size=5), b'b': b'1'}, LENGTHS)
case('a size of 2^63', zip_of(
    file(b'a', b'1', DEFLATED, size=1 << 63, zip64=True), file(b'b', b'2')),
     {b'b': b'2'}, LENGTHS)
case('a size of 2^63 - 1', zip_of(
    file(b'a', b'1', DEFLATED, size=(1 << 63) - 1, zip64=True),
    file(b'b', b'2')),
     {b'a': is_(EIO(0), size=(1 << 63) - 1), b'b': b'2'}, BOMB)

# ----------------------------------------------------------------- overlaps --

ONE = file(b'0', TEXT, DEFLATED)
case('5000 entries on one local header', zip_of(
    ONE, *(file(b'%d' % i, header=0, local=b'', size=len(TEXT),
                packed=ONE.packed, method=DEFLATED, crc=ONE.crc)
           for i in range(1, 5000))), {b'0': TEXT}, PLACE)
case('one inside of another', zip_of(
    file(b'a', file(b'b', b'2').in_place()),
    file(b'b', b'2', header=31, local=b'')),
     {b'a': file(b'b', b'2').in_place()}, PLACE)
case('an extra field that reaches into the next', zip_of(
    Entry(b'a', b'1' * 20, local=file(b'a', b'').in_place()[:-3] +
          struct.pack('<H', 40) + b'a' + b'1' * 20), file(b'b', b'2')),
     {b'a': is_(EIO(0), size=20), b'b': b'2'},
     'member at 0: it reaches into what follows it')
case('no local header', zip_of(
    Entry(b'a', b'1', local=b'X' * 40), file(b'b', b'2')),
     {b'a': is_(EIO(0), size=1), b'b': b'2'},
     'member at 0: there is no header of a member')
case('a local header behind everything', zip_of(
    file(b'a', b'1', header=1 << 31), file(b'b', b'2')), {b'b': b'2'}, PLACE)
case('bytes up to behind everything', zip_of(
    file(b'a', b'1', csize=FULL32 - 1), file(b'b', b'2')), {b'b': b'2'},
     PLACE)
case('an offset that is missing', zip_of(
    file(b'a', b'1', header=FULL32), file(b'b', b'2')), {b'b': b'2'}, PLACE)
case('a member of another volume', zip_of(
    file(b'a', b'1', disk=2), file(b'b', b'2')), {b'b': b'2'},
     'continues another volume: not served')
