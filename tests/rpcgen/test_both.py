"""C and Python agree: the same bytes for the same values, and the same
opinion of bytes that are none."""

import os
import random
import re
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tool import HERE, INCLUDE, SANITIZED, SOURCE, compiler, rpcgen, runtime

sys.path.insert(0, os.path.join(SOURCE, 'python'))

import rpchelp      # noqa: E402

FILES = [os.path.join(SOURCE, 'proto', n + '.x')
         for n in ('nfs2', 'nfs3', 'nfs4', 'mount', 'portmap', 'rpc')] + [
             os.path.join(HERE, 'python', 'odd.x')]

# A signalling NaN of 32 bits does not come through a Python float as it is.
HAS_FLOATS = {'fixed_parts', 'arrays', 'by_int', 'alias_of_union'}

MADE = 6000          # values in all, and at most 60 of each type
MUTATED = 6         # faulty messages made of each of them


class C:
    """The program of swap.c for one file."""

    def __init__(self, path, directory, *options):
        stem = os.path.basename(path)[:-2]
        directory.mkdir()
        assert rpcgen(*options, '-o', str(directory) + '/', path)[0] == 0
        with open(directory / (stem + '.h')) as f:
            header = f.read()
        self.types = [t for t in re.findall(
            r'^extern const struct xdr_type (\w+)_type;', header, re.M)
            if re.search(r'^int\s+%s_decode\(' % t, header, re.M)]
        assert self.types
        (directory / 'rows.h').write_text(
            ''.join('ROW(%s)\n' % t for t in self.types))
        compiler('cc', *SANITIZED, '-DTESTED="%s.h"' % stem, *INCLUDE,
                 '-I' + SOURCE + '/src', '-I', str(directory),
                 HERE + '/swap.c', str(directory / (stem + '_xdr.c')),
                 *runtime(SANITIZED), '-o', str(directory / 'swap'))
        self.process = subprocess.Popen(
            [str(directory / 'swap')], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)

    def send(self, *words, more=b''):
        self.process.stdin.write(struct.pack('>%dI' % len(words), *words) +
                                 more)
        self.process.stdin.flush()

    def exactly(self, n):
        b = self.process.stdout.read(n)
        assert len(b) == n, 'the C side ended'
        return b

    def word(self):
        return struct.unpack('>I', self.exactly(4))[0]

    def make(self, row, seed):
        self.send(0, row, seed)
        return self.exactly(self.word())

    def swap(self, row, b):
        """Its bytes, encoded again; None if they cannot be decoded."""
        self.send(1, row, len(b), more=b)
        if self.word() == 1:
            return None
        return self.exactly(self.word())

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0


def python_module(path):
    status, text, err = rpcgen('--lang=python', path)
    assert status == 0, err
    module = {'__name__': 'tested'}
    exec(compile(text, path, 'exec'), module)
    return module


def mutated(r, b):
    """Something near b."""
    b = bytearray(b)
    for _ in range(r.choice([1, 1, 1, 2, 5])):
        what = r.random()
        at = r.randrange(0, len(b) // 4 + 1) * 4
        if what < 0.35 and b:
            i = r.randrange(len(b))
            b[i] ^= 1 << r.randrange(8)
        elif what < 0.7 and at < len(b):
            b[at:at + 4] = struct.pack('>I', r.choice(
                [0, 1, 2, 3, 4, 8, 9, 64, 65, 255, 256, 0x7fffffff,
                 0x80000000, 0xffffffff, len(b) // 4]))
        elif what < 0.8:
            del b[r.randrange(len(b) + 1):]
        elif what < 0.9:
            del b[at:at + 4]
        else:
            b[at:at] = r.randbytes(4)
    return bytes(b)


def swap_in_python(codec, b):
    try:
        value = rpchelp.whole(codec, b)
    except rpchelp.XdrError:
        return None
    return codec.pack(value)


@pytest.mark.parametrize('path', FILES, ids=os.path.basename)
def test_c_and_python_agree_on_values_and_on_garbage(path, tmp_path):
    runtime(SANITIZED)
    with ThreadPoolExecutor() as pool:
        c = pool.submit(C, path, tmp_path / 'c')
        compact = pool.submit(C, path, tmp_path / 'compact', '--compact')
        module = python_module(path)
    c, compact = c.result(), compact.result()
    r = random.Random(1)
    bad = good = 0
    for row, name in enumerate(c.types):
        codec = module[name]
        for seed in range(min(60, MADE // len(c.types))):
            b = c.make(row, seed)
            ours = swap_in_python(codec, b)
            assert ours == b or (name in HAS_FLOATS and ours is not None), (
                name, seed)
            for _ in range(MUTATED):
                m = mutated(r, b)
                ours, theirs = swap_in_python(codec, m), c.swap(row, m)
                assert compact.swap(row, m) == theirs, (name, m)
                if name in HAS_FLOATS and ours is not None:
                    assert theirs is not None
                    continue
                assert ours == theirs, (name, m)
                bad += ours is None
                good += ours is not None
    c.end()
    compact.end()
    assert bad > 0 and good > 0
