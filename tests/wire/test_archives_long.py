"""The whole of Linux's source archive, in every form, is what `tar -x` makes of
it.  140 MB are fetched and some 3 GB written: `make test-long` only."""

import os
import shutil
import stat
import subprocess
import sys

import nfs3
import pytest
from wire import Nfs3, ok, root_of

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(SOURCE, '.cache', 'sources')

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif('PINEFS_LONG' not in os.environ,
                       reason='takes minutes: tests/run --long'),
]

FORMS = {
    'tar': ['cat'], 'tar.gz': ['gzip', '-1'], 'tar.xz': None,
    'tar.bz2': ['bzip2', '-1'], 'tar.zst': ['zstd', '-q', '-3'],
    'tar.lz4': ['lz4', '-q', '-1'], 'zip': ['zip', '-q', '-r', '-y', '-1'],
}


@pytest.fixture(scope='module')
def packed():
    """The archive as Debian packs it: xz, in blocks of 24 MiB."""
    get = os.path.join(SOURCE, 'tests', 'kernel', 'get-kernel')
    if subprocess.run([get, CACHE], stdin=subprocess.DEVNULL).returncode != 0:
        pytest.skip('there is no source archive of Linux')
    return os.path.realpath(os.path.join(CACHE, 'linux.tar.xz'))


@pytest.fixture(scope='module')
def shelf(packed, tmp_path_factory):
    """All forms of it, and x: what tar makes."""
    path = tmp_path_factory.mktemp('linux')
    for form, command in FORMS.items():
        target = path / ('linux.' + form)
        if command is None:
            shutil.copyfile(packed, target)
        elif shutil.which(command[0]) and form != 'zip':
            with open(target, 'wb') as out:
                plain = subprocess.Popen(['xz', '-dc', packed],
                                         stdout=subprocess.PIPE)
                subprocess.run(command, stdin=plain.stdout, stdout=out,
                               check=True)
                plain.stdout.close()
                assert plain.wait() == 0
    (path / 'x').mkdir()
    # Else tar loses the time of directories whose members come later.
    subprocess.run(['tar', 'xpf', 'linux.tar', '--numeric-owner',
                    '--delay-directory-restore', '-C', 'x'], cwd=path,
                   check=True)
    if shutil.which('zip'):
        subprocess.run([*FORMS['zip'], '../linux.zip', '.'], cwd=path / 'x',
                       check=True)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope='module')
def tars(start, shelf, tmp_path_factory):
    return start('--root', str(shelf), '--cache-dir',
                 str(tmp_path_factory.mktemp('cache')), fs='tar')


def entries(c, fh):
    """Name, handle and attributes of all in a directory."""
    cookie, verf = 0, bytes(8)
    while True:
        res = c.readdirplus(fh, cookie, verf)
        if res.status == nfs3.NFS3ERR_JUKEBOX:
            continue            # the index is not whole yet
        page = ok(res)
        for e in page.reply.entries:
            cookie = e.cookie
            if e.name not in (b'.', b'..'):
                yield e
        if page.reply.eof:
            return
        verf = page.cookieverf


def contents(c, fh, size):
    data = b''
    while len(data) < size:
        res = c.read(fh, len(data), 1 << 20)
        if res.status == nfs3.NFS3ERR_JUKEBOX:
            continue
        part = ok(res).data
        assert part
        data += part
    return data


TYPES = {nfs3.NF3REG: stat.S_IFREG, nfs3.NF3DIR: stat.S_IFDIR,
         nfs3.NF3LNK: stat.S_IFLNK}


def same(c, e, path):
    """One object against one of this machine; its attributes."""
    if not e.name_attributes.attributes_follow or \
            not e.name_handle.handle_follows:
        pytest.fail('no attributes of ' + os.fsdecode(path))
    a, fh = e.name_attributes._data, e.name_handle._data.data
    st = os.lstat(path)
    assert (TYPES[a.type] | a.mode, a.nlink, a.uid, a.gid) == \
        (st.st_mode, st.st_nlink, st.st_uid, st.st_gid), path
    assert (a.mtime.seconds * 10**9 + a.mtime.nseconds) == \
        st.st_mtime_ns, path
    if a.type == nfs3.NF3LNK:
        assert ok(c.readlink(fh)).data == os.fsencode(os.readlink(path)), path
    elif a.type == nfs3.NF3REG:
        assert a.size == st.st_size, path
        with open(path, 'rb') as f:
            assert contents(c, fh, a.size) == f.read(), path
    return a.type, fh


def same_tree(c, fh, path):
    """How many objects there are below."""
    here = list(entries(c, fh))
    assert sorted(e.name for e in here) == sorted(os.listdir(path)), path
    count = 0
    for e in here:
        below = path + b'/' + e.name
        kind, handle = same(c, e, below)
        count += 1
        if kind == nfs3.NF3DIR:
            count += same_tree(c, handle, below)
    return count


@pytest.mark.parametrize('form', FORMS)
def test_the_whole_of_linux_is_what_tar_makes_of_it(tars, shelf, form):
    if not os.path.exists(shelf / ('linux.' + form)):
        pytest.skip('no %s here' % FORMS[form][0])
    root = root_of(tars, b'/linux.' + form.encode())
    sys.setrecursionlimit(10000)
    with Nfs3(tars.tcp()) as c:
        assert same_tree(c, root, os.fsencode(str(shelf / 'x'))) > 50000
