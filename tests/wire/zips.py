"""Zips made record by record, so that each may be wrong in its own way."""

import bz2
import lzma
import struct
import zlib

STORED, DEFLATED, BZIP2, LZMA, ZSTD, XZ = 0, 8, 12, 14, 93, 95
DOS, UNIX, NTFS, DARWIN = 0, 3, 10, 19
UTF8, ENCRYPTED, DESCRIPTOR, EOS = 2048, 1, 8, 2
FULL16, FULL32 = 0xffff, 0xffffffff
DATE, CLOCK = (2001 - 1980) << 9 | 2 << 5 | 3, 4 << 11 | 5 << 5 | 6 // 2


def deflate(data, level=6):
    z = zlib.compressobj(level, zlib.DEFLATED, -15)
    return z.compress(data) + z.flush()


def lzma1(data, eos=True):
    """As zip has it: version, length of the properties, these, the stream."""
    filters = {'id': lzma.FILTER_LZMA1, 'dict_size': 1 << 16}
    packed = lzma.compress(data, lzma.FORMAT_RAW, filters=[filters])
    return (b'\x09\x14\x05\0' + bytes([(2 * 5 + 0) * 9 + 3]) +
            struct.pack('<L', 1 << 16) + packed)


PACK = {STORED: lambda data: data, DEFLATED: deflate, BZIP2: bz2.compress,
        LZMA: lzma1, XZ: lzma.compress}


def extra(kind, data):
    return struct.pack('<HH', kind, len(data)) + data


def unix_time(seconds, local=False):
    return extra(0x5455, b'\1' + struct.pack('<l', seconds))


def ntfs_time(seconds, nanoseconds=0):
    t = (seconds + 11644473600) * 10 ** 7 + nanoseconds // 100
    return extra(0x000a, struct.pack('<LHHQQQ', 0, 1, 24, t, 1, 2))


def ids(uid, gid, size=4):
    return extra(0x7875, b'\1' + bytes([size]) + uid.to_bytes(size, 'little')
                 + bytes([size]) + gid.to_bytes(size, 'little'))


def unicode_path(name, old):
    return extra(0x7075, b'\1' + struct.pack('<L', zlib.crc32(old)) + name)


class Entry:
    """One member.  What is given counts; the rest is made to fit."""

    def __init__(self, name, data=b'', method=STORED, *, host=UNIX,
                 mode=0o100644, attributes=None, flags=0, extra=b'',
                 packed=None, crc=None, size=None, csize=None, header=None,
                 disk=0, comment=b'', date=DATE, clock=CLOCK, zip64=False,
                 local=None, local_name=None, local_extra=b'', skip=0):
        self.name, self.method, self.host = name, method, host
        self.packed = PACK[method](data) if packed is None else packed
        self.crc = zlib.crc32(data) if crc is None else crc
        self.size = len(data) if size is None else size
        self.csize = len(self.packed) if csize is None else csize
        self.attributes = mode << 16 if attributes is None else attributes
        self.flags, self.extra, self.disk = flags, extra, disk
        self.date, self.clock, self.comment = date, clock, comment
        self.header, self.zip64, self.local = header, zip64, local
        self.local_name = name if local_name is None else local_name
        self.local_extra = local_extra
        self.skip = skip        # bytes before its local header

    def in_place(self):
        """Local header and data."""
        if self.local is not None:
            return self.local
        stream = self.flags & DESCRIPTOR
        head = struct.pack(
            '<4s5H3L2H', b'PK\3\4', 20, self.flags, self.method, self.clock,
            self.date, *((0, 0, 0) if stream else
                         (self.crc, self.csize & FULL32, self.size & FULL32)),
            len(self.local_name), len(self.local_extra))
        tail = struct.pack('<4s3L', b'PK\7\10', self.crc, self.csize,
                           self.size) if stream else b''
        return head + self.local_name + self.local_extra + self.packed + tail

    def in_directory(self, at):
        at = at if self.header is None else self.header
        large = b''
        sizes = [self.size, self.csize, at]
        if self.zip64:
            large = extra(1, struct.pack('<3Q', *sizes))
            sizes = [FULL32] * 3
        return struct.pack(
            '<4sBB5H3L5H2L', b'PK\1\2', 20, self.host, 20, self.flags,
            self.method, self.clock, self.date, self.crc, sizes[1], sizes[0],
            len(self.name), len(large + self.extra), len(self.comment),
            self.disk, 0, self.attributes, sizes[2]) + self.name + large + \
            self.extra + self.comment


def file(name, data=b'', method=STORED, **kw):
    return Entry(name, data, method, **kw)


def directory(name, mode=0o40755, **kw):
    return Entry(name, mode=mode, **kw)


def symlink(name, target, method=STORED, **kw):
    return Entry(name, target, method, mode=0o120777, **kw)


def end(directory, at, count, *, disk=0, comment=b'', comment_len=None):
    return struct.pack('<4s4H2LH', b'PK\5\6', disk, disk, count & FULL16,
                       count & FULL16, len(directory), at,
                       len(comment) if comment_len is None else comment_len
                       ) + comment


def end64(directory, at, count, base=0, comment=b''):
    place = at + len(directory) - base
    return (struct.pack('<4sQ2H2L4Q', b'PK\6\6', 44, 45, 45, 0, 0, count,
                        count, len(directory), at) +
            struct.pack('<4sLQL', b'PK\6\7', 0, place, 1) +
            struct.pack('<4s4H2LH', b'PK\5\6', FULL16, FULL16, FULL16, FULL16,
                        FULL32, FULL32, len(comment)) + comment)


def zip_of(*entries, prefix=b'', moved=True, order=None, before_end=b'',
           ending=end, junk=b'', count=None, **kw):
    """`moved`: offsets do not count the prefix.  `order`: of the directory.
    Entries may be Entry or bytes that stand between them."""
    body, places = b'', []
    base = 0 if moved else len(prefix)
    for e in entries:
        if isinstance(e, bytes):
            body += e
            continue
        places.append((e, base + len(body)))
        body += e.in_place()
    if order is not None:
        places = [places[i] for i in order]
    central = b''.join(e.in_directory(at) for e, at in places)
    return (prefix + body + central + before_end +
            ending(central, base + len(body),
                   len(places) if count is None else count, **kw) + junk)
