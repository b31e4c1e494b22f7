"""Tricky archives, and what each is to be.

CASES: name -> (bytes, {path: what it is}, log); the paths are all there are.
What it is: bytes (a file's content), DIR, Link(target), or a dict with `is`
and attributes of NFS 3; EIO(n): a file of which n bytes can be read.  None
instead of the paths: not to be mounted.  log: a part of each line about that
archive; there is no other line.  archive_rows.py tells what each is for.
"""

import base64
import collections

from archives import (BLOCK, archive, base256, blocks, directory, end, header,
                      link, long_name, member, number, old_gnu_sparse, pax,
                      record, symlink)

DIR = object()
FIFO = object()
Link = collections.namedtuple('Link', 'target')
EIO = collections.namedtuple('EIO', 'readable')
Prefix = collections.namedtuple('Prefix', 'data')   # some of it, then EIO
Hole = collections.namedtuple('Hole', 'size pieces')    # [(offset, bytes)]
LOST = object()         # in place of a piece's bytes: EIO

# Lines of the log.
CUT = 'the archive ends inside it'
CHECKSUM = 'no header where one must be'
SIZE = 'a size that cannot be'
PAX = 'broken pax records'
TOO_LONG = 'a long name too long, or without a member'
SPARSE = 'a sparse map that cannot be'
TYPE = 'of an unknown type'
VOLUME = 'continues another volume'
OLD_NAMES = 'a list of old names is ignored'
NUMBER = 'a field is no number'
NAME = "a name with '..' or NUL, too long or too deep"
LINK = 'a hard link to nothing that can be linked'
PARENT = 'lies below what is no directory'
REPLACE = 'would replace a directory that is not empty'
NO_ARCHIVE = 'not an archive'

CASES = {}


def case(name, data, tree, *log):
    assert name not in CASES, name
    if tree is None and not log:
        log = NO_ARCHIVE,
    CASES[name] = data, tree, log


def file(data=b'', **attributes):
    return dict(attributes, **{'is': data})


# ------------------------------------------------------------------ names --

LONG = b'n' * 100
case('name of 100 bytes', archive(member(LONG, b'1')), {LONG: b'1'})
case('prefix of 155 bytes', archive(member(LONG, b'1', prefix=b'p' * 155)),
     {b'p' * 155: DIR, b'p' * 155 + b'/' + LONG: b'1'})
case('short prefix', archive(member(b'x', b'1', prefix=b'a/b')),
     {b'a': DIR, b'a/b': DIR, b'a/b/x': b'1'})
case('v7 has no prefix', archive(member(b'x', b'1', magic=b'', prefix=b'a')),
     {b'x': b'1'})
case('times of GNU are no prefix', archive(
    member(b'x', b'1', magic=b'ustar  \0', prefix=b'14000000000')),
     {b'x': b'1'})
case('star has a shorter prefix', archive(
    member(b'x', b'1', prefix=b'p' * 131, at_476=number(5, 12),
           at_508=b'tar\0')), {b'p' * 131: DIR, b'p' * 131 + b'/x': b'1'})
case('component of 255 bytes', archive(long_name(b'c' * 255 + b'\0'),
                                       member(b'c', b'1')),
     {b'c' * 255: b'1'})
case('component of 256 bytes', archive(long_name(b'c' * 256 + b'\0'),
                                       member(b'c', b'1'), member(b'd')),
     {b'd': b''}, NAME)
case('a path of 4095 components', archive(
    pax((b'path', b'/'.join([b'd'] * 4094 + [b'f']))), member(b'x', b'1'),
    member(b'y')), {'deep': 4094, b'y': b''})
case('a path of 4097 components', archive(
    pax((b'path', b'/'.join([b'd'] * 4097))), member(b'x', b'1'),
    member(b'y')), {b'y': b''}, NAME)
case('slashes and dots', archive(
    member(b'/abs', b'1'), member(b'.//a///./b', b'2'),
    directory(b'./a/'), member(b'/./c', b'3')),
     {b'abs': b'1', b'a': DIR, b'a/b': b'2', b'c': b'3'})
case('dot-dot', archive(
    member(b'../up'), member(b'a/../../b'), member(b'..'), member(b'c/..'),
    member(b'..c', b'1'), member(b'd..', b'2')), {b'..c': b'1', b'd..': b'2'},
     NAME)
case('the root itself', archive(directory(b'./', mode=0o711, mtime=77),
                                member(b'./a')),
     {b'': {'is': DIR, 'mode': 0o711, 'mtime': (77, 0)}, b'a': b''})
case('empty name', archive(member(b'', b'1'), member(b'/', b'2'),
                           member(b'a', b'3')), {b'a': b'3'})
case('NUL in a pax path', archive(
    pax((b'path', b'a\0b')), member(b'x', b'1'), member(b'y', b'2')),
     {b'y': b'2'}, NAME)
case('bytes that are no UTF-8', archive(
    member(b'\xff\xfe', b'1'), member(b'caf\xe9', b'2')),
     {b'\xff\xfe': b'1', b'caf\xe9': b'2'})
case('twins', archive(
    member(b'A', b'1'), member(b'a', b'2'), member(b'\xc3\xa9', b'3'),
    member(b'e\xcc\x81', b'4')),
     {b'A': b'1', b'a': b'2', b'\xc3\xa9': b'3', b'e\xcc\x81': b'4'})
case('newlines and controls', archive(
    member(b'a\nb', b'1'), member(b'\x01\x7f\\', b'2')),
     {b'a\nb': b'1', b'\x01\x7f\\': b'2'})
case('hdrcharset', archive(
    pax((b'hdrcharset', b'BINARY'), (b'path', b'\xe9')), member(b'x', b'1')),
     {b'\xe9': b'1'})
case('a name on two levels', archive(
    *(member(b'drivers/saa/saa/%d.c' % i, b'%d' % i) for i in range(40)),
    directory(b'drivers/saa/'), directory(b'drivers/saa/saa/'),
    member(b'drivers/saa/c', b'3')),
     {b'drivers': DIR, b'drivers/saa': DIR, b'drivers/saa/saa': DIR,
      **{b'drivers/saa/saa/%d.c' % i: b'%d' % i for i in range(40)},
      b'drivers/saa/c': b'3'})
case('up, to what is there outside', archive(
    member(b'../../etc/passwd', b'1'), member(b'a/../etc/passwd', b'2'),
    member(b'b')), {b'b': b''}, NAME)
case('an absolute name', archive(member(b'//etc/passwd', b'1')),
     {b'etc': DIR, b'etc/passwd': b'1'})
case('NUL in a long name', archive(long_name(b'one\0two'),
                                   member(b'x', b'1')), {b'one': b'1'})
case('a prefix that is all of it', archive(
    header(b'', b'5', prefix=b'd'), member(b'a', prefix=b'd/')),
     {b'd': DIR, b'd/a': b''})

# -------------------------------------------------------------- long names --

BIG = b'/'.join([b'd' * 200] * 3)
PARENTS = {b'd' * 200: DIR, b'/'.join([b'd' * 200] * 2): DIR}
case('GNU long name', archive(long_name(BIG + b'\0'), member(b'x', b'1')),
     {**PARENTS, BIG: b'1'})
case('GNU long name without NUL', archive(long_name(BIG),
                                          member(b'x', b'1')),
     {**PARENTS, BIG: b'1'})
case('GNU long link', archive(long_name(b't' * 300, b'K'),
                              symlink(b's', b'short')),
     {b's': Link(b't' * 300)})
case('both, in either order', archive(
    long_name(b'a' * 150), long_name(b't' * 300, b'K'), symlink(b'x', b'y'),
    long_name(b'u' * 300, b'K'), long_name(b'b' * 150), symlink(b'x', b'y')),
     {b'a' * 150: Link(b't' * 300), b'b' * 150: Link(b'u' * 300)})
case('the last long name wins', archive(
    long_name(b'one'), long_name(b'two'), member(b'x', b'1')), {b'two': b'1'})
case('an empty long name', archive(long_name(b''), member(b'x', b'1')),
     {b'x': b'1'})
case('pax over a long name', archive(
    long_name(b'long'), pax((b'path', b'pax')), member(b'x', b'1'),
    pax((b'path', b'pax2')), long_name(b'long'), member(b'x', b'2')),
     {b'pax': b'1', b'pax2': b'2'})
case('a long name at the end', archive(member(b'a', b'1'), long_name(b'b')),
     {b'a': b'1'}, TOO_LONG)
case('a long name at the end of the bytes',
     member(b'a', b'1') + long_name(b'b'), {b'a': b'1'}, CUT)
case('a long name cut', member(b'a', b'1') + long_name(b'b' * 900)[:1000],
     {b'a': b'1'}, CUT)
case('a long name longer than the archive', archive(
    member(b'a', b'1'), header(b'n', b'L', 1 << 32), member(b'b')),
     {b'a': b'1'}, CUT)
case('a name of 64 KiB', archive(
    pax((b'path', b'/'.join([b'n' * 255] * 256) + b'/')), directory(b'x'),
    member(b'a')), {'below': (b'n' * 255, 256), b'a': b''})
case('a target of 4096 bytes', archive(
    long_name(b't' * 4096, b'K'), symlink(b's', b''),
    long_name(b't' * 4097, b'K'), symlink(b'r', b''), member(b'a')),
     {b's': Link(b't' * 4096), b'a': b''}, TOO_LONG)
case('a long name of more than 1 MiB', archive(
    long_name(b'n' * (1 << 20) + b'n'), member(b'a'), member(b'b', b'1')),
     {b'b': b'1'}, TOO_LONG)

# ------------------------------------------------------------------- types --

case('directories of both kinds', archive(
    header(b'a/'), header(b'b', b'5'), header(b'c/', b'\0'),
    header(b'd/', b'5')), {b'a': DIR, b'b': DIR, b'c': DIR, b'd': DIR})
case('types of regular files', archive(
    member(b'a', b'1', b'0'), member(b'b', b'2', b'\0'),
    member(b'c', b'3', b'7'), member(b'd', b'4', b'Z')),
     {b'a': b'1', b'b': b'2', b'c': b'3', b'd': b'4'}, TYPE)
case('a fifo', archive(header(b'p', b'6')), {b'p': FIFO})
case('devices are not shown', archive(
    header(b'c', b'3', major=1, minor=3), header(b'b', b'4', major=8),
    member(b'a')), {b'a': b''})
case('sizes of what has no data', archive(
    header(b's', b'2', 99999, b't'), header(b'd', b'5', 99999),
    header(b'p', b'6', 99999), header(b'c', b'3', 99999),
    header(b'b', b'4', 99999), member(b'a', b'1')),
     {b's': Link(b't'), b'd': DIR, b'p': FIFO, b'a': b'1'})
case('label, dump directory, continuation, names', archive(
    header(b'label', b'V'), member(b'd', b'Yx\0Yy\0\0', b'D'),
    member(b'part', b'x' * 700, b'M'), member(b'old', b'x' * 600, b'N'),
    member(b'a', b'1')), {b'd': DIR, b'a': b'1'}, VOLUME, OLD_NAMES)
case('the first of several volumes', archive(member(b'a', b'1'))[:-1024] +
     header(b'b', size=5000) + b'2' * 1024,
     {b'a': b'1', b'b': {'is': EIO(1024), 'size': 5000}},
     'offset 1024, b: ' + CUT)
case('the second of several volumes', archive(
    header(b'b', b'M', 3976, at_369=number(1024, 12), magic=b'ustar  \0') +
    b'2' * 3976 + b'\0' * 120, member(b'c', b'3')), {b'c': b'3'}, VOLUME)
case('nothing but a label', archive(header(b'label', b'V')), {})
case('links of all loops', archive(
    symlink(b'a', b'b'), symlink(b'b', b'a'), symlink(b'c', b'.'),
    symlink(b'd', b'../..'), member(b'a/x')),
     {b'a': Link(b'b'), b'b': Link(b'a'), b'c': Link(b'.'),
      b'd': Link(b'../..')}, PARENT)
case('a symlink with no target', archive(symlink(b's', b''),
                                         symlink(b'l', b'l')),
     {b's': Link(b''), b'l': Link(b'l')})
case('an absolute symlink', archive(symlink(b's', b'/etc/passwd')),
     {b's': Link(b'/etc/passwd')})

# -------------------------------------------------------------- duplicates --

case('the last of a name wins', archive(
    member(b'a', b'old'), member(b'b', b'x'), member(b'a', b'newer')),
     {b'a': file(b'newer', nlink=1), b'b': b'x'})
case('a thousand of one name', archive(
    *(member(b'a', b'%d' % i) for i in range(1000))), {b'a': b'999'})
case('a directory repeated', archive(
    directory(b'd', mode=0o700), member(b'd/a', b'1'),
    directory(b'd', mode=0o711, mtime=5)),
     {b'd': {'is': DIR, 'mode': 0o711, 'mtime': (5, 0), 'nlink': 2},
      b'd/a': b'1'})
case('implied, then real', archive(
    member(b'd/e/a', b'1'), directory(b'd/', mode=0o700), directory(b'd/e/')),
     {b'd': {'is': DIR, 'mode': 0o700, 'nlink': 3}, b'd/e': DIR,
      b'd/e/a': b'1'})
case('a file over a full directory', archive(
    member(b'd/a', b'1'), member(b'd', b'2')), {b'd': DIR, b'd/a': b'1'},
     REPLACE)
case('a file over an empty directory', archive(
    directory(b'd'), member(b'd', b'2')), {b'd': b'2'})
case('a directory over a file', archive(
    member(b'd', b'2'), directory(b'd'), member(b'd/a', b'1')),
     {b'd': DIR, b'd/a': b'1'})
case('below a symlink', archive(
    directory(b'd'), symlink(b's', b'd'), member(b's/a', b'1'),
    member(b'b', b'2')), {b'd': DIR, b's': Link(b'd'), b'b': b'2'}, PARENT)
case('below a file', archive(member(b'f', b'1'), member(b'f/a', b'2')),
     {b'f': b'1'}, PARENT)
case('a symlink over a file, a file over a symlink', archive(
    member(b'a', b'1'), symlink(b'a', b't'), symlink(b'b', b't'),
    member(b'b', b'2')), {b'a': Link(b't'), b'b': b'2'})
case('a name again, below a directory given again', archive(
    directory(b'd'), member(b'd/a', b'1'), directory(b'd'),
    member(b'd/a', b'22'), member(b'./d//a', b'333')),
     {b'd': DIR, b'd/a': file(b'333', nlink=1)})
case('a symlink over a directory', archive(
    member(b'd/a', b'1'), symlink(b'd', b'/tmp')),
     {b'd': DIR, b'd/a': b'1'}, REPLACE)

# -------------------------------------------------------------- hard links --

case('hard links', archive(
    member(b'a', b'1'), link(b'b', b'a'), link(b'd/c', b'b')),
     {b'a': file(b'1', nlink=3), b'b': file(b'1', nlink=3), b'd': DIR,
      b'd/c': b'1'})
case('a link with ./', archive(
    member(b'./a', b'1'), link(b'./b', b'./a'), link(b'c', b'/a')),
     {b'a': file(b'1', nlink=3), b'b': b'1', b'c': b'1'})
case('a link keeps the old data', archive(
    member(b'a', b'old'), link(b'b', b'a'), member(b'a', b'newer')),
     {b'a': file(b'newer', nlink=1), b'b': file(b'old', nlink=1)})
case('a link to a later member', archive(
    link(b'b', b'a'), member(b'a', b'1')),
     {b'a': file(b'1', nlink=2), b'b': b'1'})
case('a link to itself', archive(member(b'x'), link(b'a', b'a')),
     {b'x': b''}, LINK)
case('a link to itself over a file', archive(
    member(b'a', b'1'), link(b'a', b'a')), {b'a': file(b'1', nlink=1)}, LINK)
case('a link to nothing', archive(link(b'b', b'a'), member(b'c')),
     {b'c': b''}, LINK)
case('a link outside', archive(
    link(b'b', b'../../etc/passwd'), link(b'c', b'/etc/passwd'),
    member(b'd')), {b'd': b''}, LINK)
case('a link to a directory', archive(directory(b'd'), link(b'b', b'd')),
     {b'd': DIR}, LINK)
case('a link to a symlink', archive(symlink(b's', b't'), link(b'b', b's')),
     {b's': Link(b't'), b'b': Link(b't')})
case('a link, then its target again, then a link', archive(
    member(b'a', b'old'), link(b'b', b'a'), member(b'a', b'newer'),
    link(b'c', b'a')),
     {b'a': file(b'newer', nlink=2), b'b': file(b'old', nlink=1),
      b'c': b'newer'})
case('a link in place of a file', archive(
    member(b'a', b'1'), member(b'b', b'22'), link(b'b', b'a')),
     {b'a': file(b'1', nlink=2), b'b': b'1'})
case('two links to each other', archive(
    link(b'a', b'b'), link(b'b', b'a'), member(b'c')), {b'c': b''}, LINK)
case('a link below a symlink', archive(
    member(b'd/a', b'1'), symlink(b's', b'd'), link(b'b', b's/a')),
     {b'd': DIR, b'd/a': file(b'1', nlink=1), b's': Link(b'd')}, LINK)
case('a link to a fifo', archive(header(b'p', b'6'), link(b'q', b'p')),
     {b'p': {'is': FIFO, 'nlink': 2}, b'q': FIFO})
case('ten thousand links', archive(
    member(b'a', b'1'), *(link(b'%d' % i, b'a') for i in range(10000))),
     {'same': 10001})
case('links of links', archive(
    member(b'a', b'1'), *(link(b'l%d' % i, b'l%d' % (i - 1) if i else b'a')
                          for i in range(50))),
     {b'a': file(b'1', nlink=51),
      **{b'l%d' % i: b'1' for i in range(50)}})
case('a link with a size', archive(
    member(b'a', b'123'), header(b'b', b'1', 3, b'a'), member(b'c', b'4')),
     {b'a': b'123', b'b': b'123', b'c': b'4'})
case('a link with data', archive(
    member(b'a', b'123'), header(b'b', b'1', 3, b'a') +
    b'123'.ljust(BLOCK, b'\0'), member(b'c', b'4')),
     {b'a': b'123', b'b': b'123', b'c': b'4'})
case('a link with data by pax', archive(
    member(b'a', b'123'), pax((b'linkpath', b'a')),
    header(b'b', b'1', BLOCK, b'x') + header(b'trap'), member(b'c', b'4')),
     {b'a': b'123', b'b': b'123', b'c': b'4'})

# ----------------------------------------------------------------- numbers --

case('blanks in fields', archive(
    header(b'a', size=b'          3 ', mode=b'   644 \0', uid=b'  1750 \0') +
    b'abc'.ljust(BLOCK, b'\0')), {b'a': file(b'abc', mode=0o644, uid=1000)})
case('fields without NUL', archive(
    header(b'a', size=b'000000000003', mode=b'00000644') +
    b'abc'.ljust(BLOCK, b'\0')), {b'a': file(b'abc', mode=0o644)})
case('base-256', archive(
    header(b'a', size=base256(3, 12), uid=base256(70000000, 8),
           gid=base256(4294967295, 8), mtime=base256(4000000000, 12)) +
    b'abc'.ljust(BLOCK, b'\0')),
     {b'a': file(b'abc', uid=70000000, gid=4294967295,
                 mtime=(4000000000, 0))})
case('negative numbers', archive(
    header(b'a', uid=base256(-2, 8), gid=base256(-1, 8),
           mtime=base256(-5, 12))),
     {b'a': file(b'', uid=4294967294, gid=4294967295, mtime=(0, 0))})
case('the largest ids', archive(
    header(b'a', uid=base256((1 << 32) - 1, 8), gid=b'37777777'),
    header(b'b', uid=base256(1 << 32, 8), gid=base256(-(1 << 31), 8))),
     {b'a': file(b'', uid=4294967295, gid=0o37777777),
      b'b': file(b'', uid=65534, gid=1 << 31)}, NUMBER)
CLAMPED = (1 << 32) - 1, 999999999
case('times of the last century and the next', archive(
    header(b'a', mtime=base256(1 << 33, 12)),
    header(b'b', mtime=base256(-(1 << 33), 12)),
    pax((b'mtime', b'8589934592.25')), header(b'c'),
    pax((b'mtime', b'-1.25')), header(b'd'),
    header(b'e', mtime=b'77777777777\0')),
     {b'a': {'is': b'', 'mtime4': (1 << 33, 0), 'mtime': CLAMPED},
      b'b': {'is': b'', 'mtime4': (-(1 << 33), 0), 'mtime': (0, 0)},
      b'c': {'is': b'', 'mtime4': (1 << 33, 250000000),
             'mtime': CLAMPED},
      b'd': {'is': b'', 'mtime4': (-2, 750000000), 'mtime': (0, 0)},
      b'e': {'is': b'', 'mtime4': ((1 << 33) - 1, 0),
             'mtime': CLAMPED}})
case('odd bits of modes', archive(header(b'a', mode=b'0177644\0')),
     {b'a': file(b'', mode=0o1644)})
case('setuid is not shown', archive(header(b'a', mode=0o6755)),
     {b'a': file(b'', mode=0o755)})
case('garbage in fields', archive(
    header(b'a', mode=b'garbage!', uid=b'x', mtime=b'yesterday')),
     {b'a': file(b'', mode=0, uid=0, mtime=(0, 0))}, NUMBER)
case('a signed checksum', archive(
    header(b'\xc3\xa9', checksum=lambda h: sum(
        b - 256 if b > 127 else b for b in h))), {b'\xc3\xa9': b''})
PHANTOM = archive(member(b'phantom', b'x'))
case('a tar inside, then a bad checksum', archive(
    member(b'in.tar', PHANTOM), header(b'b', size=len(PHANTOM),
                                       checksum=lambda h: sum(h) + 1) +
    PHANTOM, member(b'c')), {b'in.tar': PHANTOM}, CHECKSUM)
case('a size in octal that is too large', archive(
    member(b'a', b'1'), header(b'b', size=b'777777777777')),
     {b'a': b'1', b'b': {'is': EIO(1024), 'size': (1 << 36) - 1}}, CUT)
case('a size that is no number', archive(
    member(b'a', b'1'), header(b'b', size=b'12345x\0'), member(b'c')),
     {b'a': b'1'}, SIZE)
case('a size in pax that is none', archive(
    pax((b'size', b'-3')), member(b'a', b'1'),
    pax((b'size', b'nine')), member(b'b', b'22'),
    pax((b'size', b'99999999999999999999')), member(b'c', b'333')),
     {b'a': b'1', b'b': b'22', b'c': b'333'}, NUMBER)
case('a size in pax up to the end', archive(
    pax((b'size', b'9223372036854775807')), member(b'a', b'1')),
     {b'a': {'is': EIO(1536), 'size': (1 << 63) - 1}}, CUT)
case('a negative size', archive(
    member(b'a', b'1'), header(b'b', size=base256(-512, 12)), member(b'c')),
     {b'a': b'1'}, SIZE)
case('a bad checksum in the middle', archive(
    member(b'a', b'1'), header(b'b', checksum=lambda h: sum(h) + 1),
    member(b'c')), {b'a': b'1'}, CHECKSUM)
case('a size of 2^63 - 1', archive(
    member(b'a', b'1'), header(b'b', size=base256((1 << 63) - 1, 12))),
     {b'a': b'1', b'b': {'is': EIO(1024), 'size': (1 << 63) - 1}}, CUT)
case('a size of 2^63', archive(
    member(b'a', b'1'), header(b'b', size=base256(1 << 63, 12))),
     {b'a': b'1'}, SIZE)

# --------------------------------------------------------------------- pax --

case('pax sizes and ids', archive(
    pax((b'size', b'3'), (b'uid', b'3000000'), (b'gid', b'-2')),
    header(b'a') + b'abc'.ljust(BLOCK, b'\0')),
     {b'a': file(b'abc', uid=3000000, gid=4294967294)})
for i, (text, mtime) in enumerate((
        (b'1.5', (1, 500000000)), (b'1700000000.123456789',
                                   (1700000000, 123456789)),
        (b'-1.25', (0, 0)), (b'garbage', (1000, 0)), (b'1e9', (1000, 0)),
        (b'5.', (5, 0)), (b'4294967295.9', (4294967295, 900000000)))):
    case('pax mtime %d' % i, archive(pax((b'mtime', text)), header(b'a')),
         {b'a': file(b'', mtime=mtime)},
         *([NUMBER] if mtime == (1000, 0) else []))
case('global pax', archive(
    pax((b'uid', b'7'), kind=b'g'), header(b'a'),
    pax((b'uid', b'8')), header(b'b'), header(b'c'),
    pax((b'uid', b'')), header(b'd'),
    pax((b'uid', b''), kind=b'g'), header(b'e')),
     {b'a': file(b'', uid=7), b'b': file(b'', uid=8), b'c': file(b'', uid=7),
      b'd': file(b'', uid=1000), b'e': file(b'', uid=1000)})
case('local over global, and only once', archive(
    pax((b'mtime', b'7'), (b'gid', b'9'), kind=b'g'),
    pax((b'mtime', b'8')), header(b'a'), header(b'b'),
    pax((b'gid', b'')), header(b'c')),
     {b'a': file(b'', mtime=(8, 0), gid=9),
      b'b': file(b'', mtime=(7, 0), gid=9),
      b'c': file(b'', mtime=(7, 0), gid=50)})
case('a global name names nothing', archive(
    pax((b'path', b'all'), (b'linkpath', b'all'), kind=b'g'),
    member(b'a', b'1'), symlink(b's', b't')), {b'a': b'1', b's': Link(b't')})
case('records again: the last one', archive(
    pax((b'path', b'one'), (b'uid', b'1'), (b'path', b'two'),
        (b'uid', b'2')), member(b'a', b'1')), {b'two': file(b'1', uid=2)})
case('two pax headers of one member', archive(
    pax((b'path', b'one'), (b'uid', b'1')), pax((b'path', b'two')),
    member(b'a', b'1')), {b'two': file(b'1', uid=1)})
case('a value with a newline and an equals sign', archive(
    pax((b'path', b'a=b\nc')), member(b'x', b'1')), {b'a=b\nc': b'1'})
case('pax padded by zeros', archive(
    pax(record(b'uid', b'42'), b'\0' * 100), member(b'a', b'1')),
     {b'a': file(b'1', uid=42)})
case('pax of no bytes', archive(pax(), member(b'a', b'1')), {b'a': b'1'})
case('pax at the end', archive(member(b'a', b'1'), pax((b'uid', b'1'))),
     {b'a': b'1'}, TOO_LONG)
case('devices by pax, not shown', archive(
    pax((b'SCHILY.devmajor', b'8'), (b'SCHILY.devminor', b'1')),
    header(b'b', b'4'), header(b'a')), {b'a': b''})
case('pax of Solaris', archive(pax((b'path', b'sun'), kind=b'X'),
                               member(b'a', b'1')), {b'sun': b'1'})
for i, bad in enumerate((b'0 path=x\n', b'99 path=x\n', b'7 pathx\n',
                         b'9' * 30 + b' path=x\n', b'-5 path=x\n',
                         b'8 path=x', b'path=x\n', b'4 =\n', b' \n',
                         b'\xff\xff\xff\n')):
    case('broken pax %d' % i, archive(
        pax(record(b'uid', b'42'), bad, record(b'uid', b'43')),
        member(b'a', b'1')), {b'a': file(b'1', uid=42)}, PAX)
case('pax of more than 16 MiB', archive(
    pax((b'comment', b'x' * (16 << 20)), (b'path', b'x')),
    member(b'a', b'1')), {b'a': b'1'}, PAX)
case('pax of 2 MiB', archive(
    pax((b'comment', b'x' * (2 << 20)), (b'path', b'x')),
    member(b'a', b'1')), {b'x': b'1'})
case('pax longer than the archive', archive(
    member(b'a', b'1'), header(b'pax', b'x', 1 << 33), member(b'b')),
     {b'a': b'1'}, PAX, CUT)

# ------------------------------------------------------------------ sparse --

PIECES = [(0, b'ab'), (1048573, b'cde')]
HOLE = Hole(1 << 20, PIECES)
MAP = [(o, len(d)) for o, d in PIECES]
DATA = b'abcde'
case('sparse of old GNU', archive(
    old_gnu_sparse(b'a', 1 << 20, MAP, DATA), member(b'b', b'1')),
     {b'a': HOLE, b'b': b'1'})
MANY = [(i * 1000, b'%02d' % i) for i in range(60)]
case('sparse of old GNU, many segments', archive(
    old_gnu_sparse(b'a', 100000, [(o, 2) for o, _ in MANY],
                   b''.join(d for _, d in MANY)), member(b'b', b'1')),
     {b'a': Hole(100000, MANY), b'b': b'1'})
case('sparse of star', archive(
    header(b'a', b'S', 5, at_356=b''.join(
        number(n, 12) for pair in MAP for n in pair),
           at_452=number(1 << 20, 12), at_508=b'tar\0') +
    DATA.ljust(BLOCK, b'\0')), {b'a': HOLE})
case('sparse of pax 0.0', archive(
    pax((b'GNU.sparse.size', b'1048576'), (b'GNU.sparse.numblocks', b'2'),
        (b'GNU.sparse.offset', b'0'), (b'GNU.sparse.numbytes', b'2'),
        (b'GNU.sparse.offset', b'1048573'), (b'GNU.sparse.numbytes', b'3')),
    member(b'a', DATA)), {b'a': HOLE})
case('sparse of pax 0.1', archive(
    pax((b'GNU.sparse.size', b'1048576'), (b'path', b'other'),
        (b'GNU.sparse.name', b'a'),
        (b'GNU.sparse.map', b'0,2,1048573,3')), member(b'x', DATA)),
     {b'a': HOLE})
case('sparse of pax 1.0', archive(
    pax((b'GNU.sparse.major', b'1'), (b'GNU.sparse.minor', b'0'),
        (b'GNU.sparse.name', b'a'), (b'GNU.sparse.realsize', b'1048576')),
    member(b'x', b'2\n0\n2\n1048573\n3\n'.ljust(BLOCK, b'\0') + DATA),
    member(b'b', b'1')), {b'a': HOLE, b'b': b'1'})
case('sparse of pax 1.0, many segments', archive(
    pax((b'GNU.sparse.major', b'1'), (b'GNU.sparse.minor', b'0'),
        (b'GNU.sparse.name', b'a'), (b'GNU.sparse.realsize', b'400000')),
    member(b'x', blocks(b'400\n' + b''.join(
        b'%d\n3\n' % (i * 1000) for i in range(400))) + b''.join(
            b'%03d' % i for i in range(400))), member(b'b', b'1')),
     {b'a': Hole(400000, [(i * 1000, b'%03d' % i) for i in range(400)]),
      b'b': b'1'})
case('sparse of pax 0.0, GNU.sparse.name over path', archive(
    pax((b'GNU.sparse.name', b'a'), (b'path', b'GNUSparseFile.1/a'),
        (b'GNU.sparse.size', b'1048576'), (b'GNU.sparse.numblocks', b'2'),
        (b'GNU.sparse.offset', b'0'), (b'GNU.sparse.numbytes', b'2'),
        (b'GNU.sparse.offset', b'1048573'), (b'GNU.sparse.numbytes', b'3')),
    member(b'x', DATA)), {b'a': HOLE})
case('sparse of old GNU, a size of more than 8 GiB', archive(
    old_gnu_sparse(b'a', base256(1 << 40, 12),
                   [(0, 2), (base256((1 << 40) - 3, 12), 3)], DATA),
    member(b'b', b'1')),
     {b'a': Hole(1 << 40, [(0, b'ab'), ((1 << 40) - 3, b'cde')]),
      b'b': b'1'})
case('sparse, and a link to it', archive(
    old_gnu_sparse(b'a', 1 << 20, MAP, DATA), link(b'b', b'a')),
     {b'a': HOLE, b'b': HOLE})
case('sparse, cut', archive(
    member(b'b', b'1'), old_gnu_sparse(b'a', 1 << 20, MAP, DATA))[:1538],
     {b'b': b'1', b'a': Hole(1 << 20, [(0, b'ab'), (1048573, LOST)])}, CUT)
case('nothing but a hole', archive(
    pax((b'GNU.sparse.size', b'1048576'), (b'GNU.sparse.map', b'1048576,0')),
    member(b'a')), {b'a': Hole(1 << 20, [])})
case('a hole of 1 TiB', archive(
    pax((b'GNU.sparse.size', b'%d' % (1 << 40)),
        (b'GNU.sparse.map', b'%d,3' % ((1 << 40) - 3))), member(b'a', b'end')),
     {b'a': Hole(1 << 40, [((1 << 40) - 3, b'end')])})
case('a hole of 2^63 - 1', archive(
    pax((b'GNU.sparse.size', b'%d' % ((1 << 63) - 1)),
        (b'GNU.sparse.map', b'0,3')), member(b'a', b'beg')),
     {b'a': Hole((1 << 63) - 1, [(0, b'beg')])})
for i, bad in enumerate((b'0,2,1,2', b'5,1,0,1', b'0,6', b'18,3', b'0,2,3',
                         b'0,-1', b'x,1', b'9223372036854775807,1',
                         b'1,9223372036854775807', b'0,1,0,1')):
    case('bad map %d' % i, archive(
        pax((b'GNU.sparse.size', b'20'), (b'GNU.sparse.map', bad)),
        member(b'a', DATA), member(b'b', b'1')), {b'b': b'1'}, SPARSE)
for i, bad in enumerate((b'', b'9999999999999\n', b'2000000\n0\n1\n',
                         b'1\n0\n', b'x\n', b'-1\n', b'1' * 600)):
    case('bad map in data %d' % i, archive(
        pax((b'GNU.sparse.major', b'1'), (b'GNU.sparse.realsize', b'9')),
        member(b'a', bad), member(b'b', b'1')), {b'b': b'1'}, SPARSE)
case('an endless map in headers', member(b'b', b'1') + header(
    b'a', b'S', 0, magic=b'ustar  \0', at_482=b'\1',
    at_483=number(9, 12)) + b'\1' * BLOCK * 3, {b'b': b'1'}, CUT)

case('bad maps of old GNU', archive(
    old_gnu_sparse(b'a', 20, [(5, 1), (0, 1)], b'ab'),
    old_gnu_sparse(b'b', 20, [(0, 2), (19, 2)], b'abcd'),
    old_gnu_sparse(b'c', 20, [(0, 9)], b'abc'),
    old_gnu_sparse(b'd', base256(-1, 12), [(0, 1)], b'a'),
    old_gnu_sparse(b'e', 20, [(b'x', 1)], b'a'), member(b'f', b'1')),
     {b'f': b'1'}, SPARSE)
case('an absurd count of segments', archive(
    pax((b'GNU.sparse.major', b'1'), (b'GNU.sparse.minor', b'0'),
        (b'GNU.sparse.realsize', b'9')),
    header(b'a', size=1 << 40) + b'999999\n' + b'0\n1\n' * 126 + b'0',
    member(b'b')), {}, SPARSE, CUT)

# ------------------------------------------------------------------ the end --

WHOLE = member(b'a', b'1' * 600) + member(b'b', b'2' * 600)
case('no end mark', WHOLE, {b'a': b'1' * 600, b'b': b'2' * 600})
case('one zero block', WHOLE + b'\0' * BLOCK + member(b'c'),
     {b'a': b'1' * 600, b'b': b'2' * 600})
case('two archives, one behind the other',
     archive(member(b'a', b'1')) + archive(member(b'b', b'2')), {b'a': b'1'})
case('junk after the end', archive(WHOLE) + b'junk' * 1000,
     {b'a': b'1' * 600, b'b': b'2' * 600})
for i, cut in enumerate((1537, 1800, 2047)):
    case('cut inside a header %d' % i, WHOLE[:cut], {b'a': b'1' * 600}, CUT)
for i, cut in enumerate((2048, 2049, 2500, 2647)):
    case('cut inside data %d' % i, WHOLE[:cut],
         {b'a': b'1' * 600,
          b'b': {'is': EIO(cut - 2048), 'size': 600}}, CUT)
case('cut between members', WHOLE[:1536], {b'a': b'1' * 600})
case('cut inside padding', WHOLE[:2700],
     {b'a': b'1' * 600, b'b': b'2' * 600})
case('cut inside pax', (WHOLE + pax((b'path', b'p' * 300)))[:-300],
     {b'a': b'1' * 600, b'b': b'2' * 600}, CUT)
case('cut after pax', WHOLE + pax((b'uid', b'1')),
     {b'a': b'1' * 600, b'b': b'2' * 600}, CUT)
case('only zeros', end(), {})
case('a hundred thousand zeros', b'\0' * 100352, {})
case('an empty file', b'', None)
case('junk', b'this is no archive\n' * 100, None)
case('junk before the start', b'junk' + archive(WHOLE), None)
case('a block of junk before', b'x' * BLOCK + archive(WHOLE), None)
case('less than a block', member(b'a')[:300], None)
case('zeros before', b'\0' * BLOCK + archive(WHOLE), {})

ATTRIBUTES = archive(
    pax((b'SCHILY.xattr.user.raw', b'a\0b'),
        (b'LIBARCHIVE.xattr.user.enc%3doded', base64.b64encode(b'\xff\0')),
        (b'LIBARCHIVE.xattr.user.raw', base64.b64encode(b'other')),
        (b'SCHILY.xattr.security.selinux', b'label'),
        (b'RHT.security.selinux', b'label')), member(b'a', b'1'),
    pax((b'SCHILY.xattr.user.of', b'a directory')), directory(b'd'))


# -------------------------------------------------------------- compressed --

import bz2  # noqa: E402
import gzip  # noqa: E402
import lzma  # noqa: E402
import random  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
import zlib  # noqa: E402


def by(program):
    """A compressor by a program; None where there is none."""
    def run(data, *options):
        return subprocess.run([program, '-q', '-c', *options], input=data,
                              stdout=subprocess.PIPE, check=True).stdout
    return run if shutil.which(program) else None


def noise(n, seed):
    return random.Random(seed).randbytes(n)


FILES = {b'text': b'a line of text\n' * 40000, b'noise': noise(700000, 1),
         b'last': b'the end'}
PLAIN = archive(*(member(n, d) for n, d in FILES.items()))
CODECS = {
    'gzip': (lambda d: gzip.compress(d, 1)), 'bzip2': bz2.compress,
    'xz': (lambda d: lzma.compress(d, preset=1)),
    'lzma': (lambda d: lzma.compress(d, lzma.FORMAT_ALONE, preset=1)),
    'zstd': by('zstd'), 'lz4': by('lz4'),
}
for codec, pack in CODECS.items():
    if pack is None:
        continue
    packed = pack(PLAIN)
    case(codec, packed, FILES)
    case(codec + ' again', pack(packed), None,
         'inside of %s it is %s again' % (codec, codec))
    case(codec + ' of junk', pack(b'no archive' * 100), None)
    case(codec + ' of nothing', pack(b''), None)
    case(codec + ' of zeros', pack(b'\0' * 2000000), {})
    case(codec + ' cut at once', packed[:20], None, codec + ': cut',
         NO_ARCHIVE)
    if codec == 'lzma':
        continue            # one stream only, and no sum
    case(codec + ' in two streams', pack(PLAIN[:700000]) +
         pack(PLAIN[700000:]), FILES)
    case(codec + ' with an empty stream', pack(b'') + pack(PLAIN) + pack(b''),
         FILES)
    case(codec + ' with junk behind', packed + b'junk' * 100, FILES,
         codec + ': what follows the last stream is something else')
    case(codec + ' with zeros behind', packed + b'\0' * 3000, FILES)

# Cut in the middle of the second file; how much is readable depends.
for codec in ('gzip', 'bzip2', 'xz'):
    packed = CODECS[codec](PLAIN)
    case(codec + ' cut', packed[:len(packed) // 2],
         {b'text': FILES[b'text'],
          b'noise': {'size': 700000, 'is': Prefix(FILES[b'noise'])}},
         codec + ': cut', 'noise: ' + CUT)
packed = CODECS['gzip'](PLAIN)
case('gzip with a wrong sum', packed[:-8] + b'\0' * 8, FILES,
     'gzip: damaged')
case('gzip with extra fields', b'\x1f\x8b\x08\x1c' + b'\0' * 6 +
     b'\x03\0abc' + b'name\0comment\0' + packed[10:], FILES)
case('many small gzip members', b''.join(
    gzip.compress(PLAIN[i:i + 4096], 1)
    for i in range(0, len(PLAIN), 4096)), FILES)
