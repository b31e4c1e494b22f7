"""Archives made block by block, so that each may be wrong in its own way."""

import tarfile

BLOCK = 512


def blocks(data):
    return data + b'\0' * (-len(data) % BLOCK)


def number(n, size):
    if isinstance(n, bytes):
        return n.ljust(size, b'\0')
    return b'%0*o\0' % (size - 1, n)


def base256(n, size):
    return (n & (1 << 8 * size) - 1 | 1 << 8 * size - 1).to_bytes(size, 'big')


def header(name, kind=b'0', size=0, link=b'', *, mode=0o644, uid=1000,
           gid=50, mtime=1000, magic=b'ustar\x0000', prefix=b'', major=0,
           minor=0, checksum=None, **fields):
    """One header; `size` and others may be bytes, and are written as such.
    `fields`: at_N=bytes puts them at offset N."""
    def field(value, length):
        return value if isinstance(value, bytes) else number(value, length)

    h = bytearray(BLOCK)
    for at, value in ((0, name), (100, field(mode, 8)), (108, field(uid, 8)),
                      (116, field(gid, 8)), (124, field(size, 12)),
                      (136, field(mtime, 12)), (156, kind), (157, link),
                      (257, magic), (329, field(major, 8)),
                      (337, field(minor, 8)), (345, prefix)):
        h[at:at + len(value)] = value
    for at, value in fields.items():
        at = int(at[3:])
        h[at:at + len(value)] = value
    assert len(h) == BLOCK
    h[148:156] = b' ' * 8
    total = sum(h) if checksum is None else checksum(h)
    h[148:156] = b'%06o\0 ' % total
    return bytes(h)


def member(name, data=b'', kind=b'0', **kw):
    return header(name, kind, len(data), **kw) + blocks(data)


def link(name, target, kind=b'1', **kw):
    return header(name, kind, 0, target, **kw)


def symlink(name, target, **kw):
    return link(name, target, b'2', **kw)


def directory(name, **kw):
    kw.setdefault('mode', 0o755)
    return header(name, b'5', 0, **kw)


def record(key, value):
    rest = b' %s=%s\n' % (key, value)
    n = len(rest) + 1
    while n != len(rest) + len(b'%d' % n):
        n += 1
    return b'%d%s' % (n, rest)


def pax(*records, kind=b'x'):
    """A pax header of (key, value)s, or of bytes as they are."""
    return member(b'pax', b''.join(
        r if isinstance(r, bytes) else record(*r) for r in records), kind)


def long_name(text, kind=b'L'):
    return member(b'././@LongLink', text, kind, magic=b'ustar  \0')


def end():
    return b'\0' * 2 * BLOCK


def archive(*parts):
    return b''.join(parts) + end()


def old_gnu_sparse(name, size, segments, data, **kw):
    """Old GNU: (offset, length)s in the header and in blocks behind it."""
    def pairs(some):
        return b''.join(number(o, 12) + number(n, 12) for o, n in some)

    first, rest = segments[:4], segments[4:]
    out = header(name, b'S', len(data), magic=b'ustar  \0',
                 at_386=pairs(first), at_482=b'\1' if rest else b'\0',
                 at_483=number(size, 12), **kw)
    while rest:
        some, rest = rest[:21], rest[21:]
        out += (pairs(some).ljust(504, b'\0') + (b'\1' if rest else b'\0')
                ).ljust(BLOCK, b'\0')
    return out + blocks(data)


def usual(path, files, kind=tarfile.PAX_FORMAT):
    """What Python writes: {name: bytes, or None for a directory}."""
    import io
    with tarfile.open(path, 'w', format=kind) as t:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.mtime = 1000
            if data is None:
                info.type = tarfile.DIRTYPE
                info.mode = 0o755
            else:
                info.size = len(data)
            t.addfile(info, io.BytesIO(data or b''))
