#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Wheel and source distribution of pinefs.

    packaging/pinefs_build.py [BUILD [DIR]]     both, into DIR (dist/), from
                                                a build directory (build/)
    packaging/pinefs_build.py --dist [DIR]      the source, as .gz and as .xz

The source distribution is one for C and for pip, and is made of the same bytes
whoever makes it: what is in git, with the time of the last commit
(SOURCE_DATE_EPOCH, if that is set), owned by nobody, compressed by the same
libraries.  --dist refuses changes that are not committed, and leaves out files
that git does not know; without it, as for pip, both are taken.

It is also the build backend of pyproject.toml (PEP 517), so that `pip install`
works in a tree and on the source distribution.  It needs nothing that is not
on the system: Meson, ninja, a C compiler.  The wheel has one binary, for the
limited API of Python 3.8, so one wheel does for every later Python.
"""

import base64
import hashlib
import io
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import zipfile
import zlib

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGE = tuple(sorted(
    name for name in os.listdir(os.path.join(SOURCE, 'python', 'pinefs'))
    if name.endswith(('.py', '.pyi', '.typed')))) + ('_pinefs.abi3.so',)
TOP = ('rpc.py', 'rpchelp.py')
# Directories at the top.
NOT_SOURCE = re.compile(r'^(\.git|\.cache|build.*|dist)$')


def version():
    with open(os.path.join(SOURCE, 'meson.build')) as f:
        return re.search(r"version: '([^']+)'", f.read())[1]


def metadata():
    with open(os.path.join(SOURCE, 'README.md'), encoding='utf-8') as f:
        readme = f.read()
    return ('Metadata-Version: 2.1\nName: pinefs\nVersion: %s\n'
            'Summary: A running Python program as a file system, over NFS\n'
            'License: MIT\nLicense-File: LICENSE\n'
            'Classifier: License :: OSI Approved :: MIT License\n'
            'Classifier: Operating System :: POSIX :: Linux\n'
            'Classifier: Programming Language :: Python :: 3\n'
            'Classifier: Typing :: Typed\n'
            'Requires-Python: >=3.8\n'
            'Description-Content-Type: text/markdown\n\n%s' %
            (version(), readme)).encode()


def moment():
    """When this was made, the same for whoever makes it of the same source."""
    if 'SOURCE_DATE_EPOCH' in os.environ:
        return int(os.environ['SOURCE_DATE_EPOCH'])
    unpacked = os.path.join(SOURCE, 'PKG-INFO')
    if os.path.exists(unpacked):
        return int(os.path.getmtime(unpacked))
    try:
        return int(git('log', '-1', '--format=%ct'))
    except (OSError, ValueError, subprocess.CalledProcessError):
        return int(time.time())


def git(*args):
    return subprocess.run(['git', *args], cwd=SOURCE, check=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


# ---------------------------------------------------------------- wheel --

def environment():
    """Ours, without what pip puts before the path of every Python that runs
    below it: Debian's Meson would not find its own modules."""
    path = [p for p in os.environ.get('PYTHONPATH', '').split(os.pathsep)
            if p and 'pip-build-env-' not in p]
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    return dict(env, PYTHONPATH=os.pathsep.join(path)) if path else env


def compile_in(build):
    """The modules, in a build directory; made if it is not there."""
    env = environment()
    if not os.path.exists(os.path.join(build, 'build.ninja')):
        subprocess.run(['meson', 'setup', '-Dman=disabled',
                        '--buildtype=release', build, SOURCE],
                       check=True, stdout=sys.stderr, env=env)
    wanted = ['python/pinefs/' + name for name in PACKAGE] + [
        'python/' + name for name in TOP]
    subprocess.run(['ninja', '-C', build] + wanted, check=True,
                   stdout=sys.stderr, env=env)


def contents(build):
    """name in the wheel: bytes."""
    files = {}
    for name in PACKAGE:
        with open(os.path.join(build, 'python', 'pinefs', name), 'rb') as f:
            files['pinefs/' + name] = f.read()
    for name in TOP:
        with open(os.path.join(build, 'python', name), 'rb') as f:
            files[name] = f.read()
    files['pinefs/_pinefs.abi3.so'] = stripped(
        os.path.join(build, 'python', 'pinefs', '_pinefs.abi3.so'))
    return files


def stripped(path):
    with tempfile.TemporaryDirectory() as d:
        to = os.path.join(d, 'module')
        shutil.copy(path, to)
        if shutil.which('strip'):
            subprocess.run(['strip', '--strip-unneeded', to], check=True)
        with open(to, 'rb') as f:
            return f.read()


def tag():
    platform = re.sub('[-.]', '_', sysconfig.get_platform())
    return 'cp38-abi3-' + platform


def wheel(build, directory):
    files = contents(build)
    info = 'pinefs-%s.dist-info/' % version()
    files[info + 'METADATA'] = metadata()
    files[info + 'WHEEL'] = (
        'Wheel-Version: 1.0\nGenerator: pinefs_build\n'
        'Root-Is-Purelib: false\nTag: %s\n' % tag()).encode()
    with open(os.path.join(SOURCE, 'LICENSE'), 'rb') as f:
        files[info + 'LICENSE'] = f.read()
    record = ''.join('%s,sha256=%s,%d\n' % (
        name, base64.urlsafe_b64encode(hashlib.sha256(data).digest())
        .rstrip(b'=').decode(), len(data)) for name, data in files.items())
    files[info + 'RECORD'] = (record + info + 'RECORD,,\n').encode()
    name = 'pinefs-%s-%s.whl' % (version(), tag())
    when = time.gmtime(max(moment(), 315532800))[:6]    # zip begins in 1980
    with zipfile.ZipFile(os.path.join(directory, name), 'w',
                         zipfile.ZIP_DEFLATED) as z:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, when)
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if path.endswith('.so') else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            z.writestr(entry, data)
    return name


# ---------------------------------------------------------------- sdist --

def sources(committed):
    """Every file of the project, from git or (unpacked) as they lie."""
    try:
        found = [p for p in git('ls-files', '-cz' if committed else '-coz',
                                '--exclude-standard')
                 .decode().split('\0') if p]
        if 'meson.build' in found:
            return sorted(p for p in found
                          if os.path.lexists(os.path.join(SOURCE, p)))
    except (OSError, subprocess.CalledProcessError):
        pass
    found = []
    for at, dirs, names in os.walk(SOURCE):
        dirs[:] = [d for d in dirs if d != '__pycache__' and
                   not (at == SOURCE and NOT_SOURCE.match(d))]
        found += [os.path.relpath(os.path.join(at, n), SOURCE)
                  for n in names if not n.endswith('.pyc')]
    return sorted(p for p in found if p != 'PKG-INFO')


def archive(committed=False):
    """The source as a tar archive of the same bytes each time."""
    top, when = 'pinefs-%s' % version(), moment()

    def plain(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ''
        entry.mtime = when
        if entry.isfile():
            entry.mode = 0o755 if entry.mode & 0o100 else 0o644
        return entry

    bytes_ = io.BytesIO()
    with tarfile.open(fileobj=bytes_, mode='w',
                      format=tarfile.PAX_FORMAT) as t:
        data = metadata()
        entry = tarfile.TarInfo(top + '/PKG-INFO')
        entry.size = len(data)
        t.addfile(plain(entry), io.BytesIO(data))
        for path in sources(committed):
            t.add(os.path.join(SOURCE, path), top + '/' + path,
                  recursive=False, filter=plain)
    return bytes_.getvalue()


def write(directory, ending, data):
    name = 'pinefs-%s.tar.%s' % (version(), ending)
    with open(os.path.join(directory, name), 'wb') as f:
        f.write(data)
    return name


def gzip(data):
    """RFC 1952: without a time, and by no system (255), which Python's own
    header says in some versions and not in others."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (b'\x1f\x8b\x08\0' + bytes(4) + b'\x02\xff' +
            deflate.compress(data) + deflate.flush() +
            struct.pack('<LL', zlib.crc32(data), len(data) & 0xffffffff))


def sdist(directory):
    return write(directory, 'gz', gzip(archive()))


def dist(directory):
    try:
        changed = git('status', '--porcelain', '--untracked-files=no').decode()
    except (OSError, subprocess.CalledProcessError):
        changed = ''
    if changed:
        sys.exit('pinefs: this has changes that are not committed:\n' +
                 changed + 'try: git stash')
    data = archive(committed=True)
    return (write(directory, 'gz', gzip(data)),
            write(directory, 'xz', lzma.compress(data, preset=9)))


# -------------------------------------------------------------- PEP 517 --

def build_wheel(wheel_directory, config_settings=None,
                metadata_directory=None):
    with tempfile.TemporaryDirectory(prefix='pinefs-wheel-') as build:
        compile_in(build)
        return wheel(build, wheel_directory)


def build_sdist(sdist_directory, config_settings=None):
    return sdist(sdist_directory)


def main(build='build', directory='dist'):
    os.makedirs(directory, exist_ok=True)
    if build == '--dist':
        names = dist(directory)
    else:
        compile_in(os.path.abspath(build))
        names = wheel(build, directory), sdist(directory)
    for name in names:
        print(os.path.join(directory, name))


if __name__ == '__main__':
    main(*sys.argv[1:])
