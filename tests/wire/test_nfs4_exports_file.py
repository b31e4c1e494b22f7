"""--exports FILE, as version 4 has it.  See test_exports_file.py."""

import signal
import threading
import time

import nfs4 as x
import nfs4_client
import nfs4_ops as op
import pytest
from test_dirfs_host import put
from test_exports_file import (  # noqa: F401
    exports, pytestmark, where)


@pytest.mark.parametrize('minor', [0, 1, 2])
def test_version_4_has_the_same_rules(exports, where, minor):
    exports.dir('a')
    exports.serve('@/a 127.0.0.1(rw,no_root_squash) 127.0.0.2(ro)\n')
    kind = nfs4_client.Client0 if minor == 0 else nfs4_client.Client1
    arguments = () if minor == 0 else (minor,)
    names = [n.encode() for n in (where + '/a').split('/')[1:]]

    def connect(source):
        return kind(exports.server, *arguments, source=(source, 0))

    with connect('127.0.0.1') as c, connect('127.0.0.2') as ro, \
            connect('127.0.0.3') as nobody:
        a = c.find(c.root(), *names)
        c.close_file(c.new(a, b'f'))
        assert ro.find(ro.root(), *names, b'f')
        ro.fails(x.NFS4ERR_ROFS, op.putfh(a), op.mkdir(b'd'))
        nobody.fails(x.NFS4ERR_ACCESS, op.putfh(a))
        assert nobody(op.putrootfh(), *map(op.lookup, names)).status in (
            x.NFS4ERR_ACCESS, x.NFS4ERR_NOENT)


def test_version_4_finds_what_lies_where_one_is_listed_no_more(exports,
                                                               where):
    exports.dir('s')
    exports.dir('s/a')
    exports.serve('@/s 127.0.0.1(rw,no_root_squash)\n')
    s = [n.encode() for n in (where + '/s').split('/')[1:]]

    def status(*names):
        return c(op.putrootfh(), *map(op.lookup, names)).status

    with nfs4_client.Client1(exports.server, 2) as c:
        for line, finds in (('@/s/a *\n', (x.NFS4_OK, x.NFS4_OK)),
                            ('@/s *\n', (x.NFS4_OK, x.NFS4_OK)),
                            ('@/s/b *\n@/a *\n', (x.NFS4ERR_NOENT,) * 2)):
            exports.reread(line, 'read again')
            assert (status(*s), status(*s, b'a')) == finds, line


def test_version_4_lists_and_is_at_what_is_served_now(exports, where):
    """Of those whose names are seen in the root, and the one that is it."""
    exports.dir('a')
    below, top = '@/a 127.0.0.1\n', '/dev 127.0.0.1\n'
    a = [n.encode() for n in (where + '/a').split('/')[1:]]
    exports.serve(top)
    with nfs4_client.Client1(exports.server, 2) as c:
        assert c.names(c.root()) == [b'dev']
        exports.reread(below, 'read again')
        assert c.names(c.root()) == [b'dev']
        assert c.find(c.root(), *a)
        exports.reread('/ 127.0.0.1\n', 'read again')
        assert b'etc' in c.names(c.root())
        whole = c.root()
        exports.reread(below, 'read again')
        assert c.names(c.root()) == [b'dev']
        assert c.find(c.root(), *a)
        c.fails(x.NFS4ERR_ACCESS, op.putfh(whole))
        exports.reread(top, 'read again')
        assert c.names(c.root()) == [b'dev']


def test_version_4_lists_the_way_to_what_a_client_may_see(exports, where):
    exports.dir('a')
    exports.dir('sub')
    for name in ('sub/b', 'sub/c'):
        exports.dir(name)
    exports.serve('@/a 127.0.0.1\n@/sub/b 127.0.0.1 127.0.0.2\n'
                  '@/sub/c 127.0.0.1\n')
    top, *rest = [n.encode() for n in where.split('/')[1:]]

    def connect(source, minor=2):
        return nfs4_client.Client1(exports.server, minor, source=(source, 0))

    with connect('127.0.0.1', 1) as c, connect('127.0.0.2') as other, \
            connect('127.0.0.3') as nobody:
        root = c.root()
        assert c.names(root) == other.names(root) == [top]
        assert nobody.names(root) == []
        here = c.find(root, top, *rest)
        assert c.names(here) == [b'a', b'sub']
        assert other.names(here) == [b'sub']
        sub = c.find(here, b'sub')
        assert c.names(sub) == [b'b', b'c']
        assert other.names(sub) == [b'b']
        # Page by page, and with what a listing has of each.
        listed = {}
        cookie = 0
        while True:
            page = c.ok(op.putfh(here), op.readdir(
                cookie, maxcount=200, asked=('type', 'fileid')))[1].reply
            for e in page.entries:
                listed[e.name] = op.values(e.attrs)
                cookie = e.cookie
            if page.eof:
                break
        assert sorted(listed) == [b'a', b'sub']
        assert listed[b'sub']['fileid'] == c.get(sub, 'fileid')
        assert {v['type'] for v in listed.values()} == {x.NF4DIR}
        both = c.ok(op.putfh(sub), op.readdir(
            asked=('type', 'mode', 'maxfilesize')))[1].reply.entries
        assert [op.values(e.attrs)['mode'] for e in both] == [0o777] * 2
        before = c.get(here, 'change')
        exports.reread('@/sub/c 127.0.0.1\n', 'read again')
        assert c.get(here, 'change') != before
        assert c.names(here) == [b'sub']
        assert c.names(sub) == [b'c']


def test_a_name_on_the_way_is_not_that_of_another_export(exports, where):
    """/opt and W/opt, of which a client may see the one or both."""
    exports.dir('opt')
    put(where + '/opt', 'ours')
    exports.serve('/opt 127.0.0.1\n@/opt 127.0.0.1 127.0.0.2\n',
                  '-f', 'mem:m')
    opt = [n.encode() for n in (where + '/opt').split('/')[1:]]
    for source, top in (('127.0.0.1', [b'dev', b'm', b'opt']),
                        ('127.0.0.2', [b'dev', b'm'])):
        with nfs4_client.Client1(exports.server, 2, source=(source, 0)) as c:
            assert sorted(c.names(c.root())) == top
            assert c.names(c.find(c.root(), *opt)) == [b'ours']
            c.fails(x.NFS4ERR_NOENT, op.putfh(c.find(c.root(), *opt[:-1])),
                    op.lookup(b'm'))
            reply = c.try_open(c.find(c.root(), *opt[:-1]), b'opt',
                               access=op.READ)
            assert reply.status == x.NFS4ERR_ISDIR


def test_what_is_above_an_export_is_what_lists_it(exports, where):
    exports.dir('a')
    exports.serve('@/a 127.0.0.1\n')
    names = [n.encode() for n in (where + '/a').split('/')[1:]]
    with nfs4_client.Client1(exports.server, 2) as c:
        fh, parents = c.root(), []
        for name in names:
            parents.append(fh)
            fh = c.find(fh, name)
        for parent in reversed(parents):
            fh = c.ok(op.putfh(fh), op.lookupp(), op.getfh())[-1].object
            assert fh == parent
        c.fails(x.NFS4ERR_NOENT, op.putfh(fh), op.lookupp())


def test_handles_on_the_way_outlive_a_restart(exports, where):
    exports.dir('a')
    exports.serve('@/a 127.0.0.1\n')
    names = [n.encode() for n in (where + '/a').split('/')[1:]]
    with nfs4_client.Client1(exports.server, 2) as c:
        ways = [c.find(c.root(), *names[:i]) for i in range(1, len(names))]
    exports.server.stop(signal.SIGKILL)
    exports.serve('@/a 127.0.0.1\n')
    with nfs4_client.Client1(exports.server, 2) as c:
        for way, name in zip(ways, names[1:]):
            assert c.names(way) == [name]


def test_a_listing_goes_on_while_the_file_is_read_again(exports, where):
    """Each entry is its own, whoever comes and goes meanwhile."""
    names = ['d%02d' % i for i in range(40)]
    for i, name in enumerate(names):
        exports.dir(name, mode=0o700 | i)
    every, second = ('\n'.join('@/%s 127.0.0.1' % n for n in part) + '\n'
                     for part in (names, names[::2]))
    exports.serve(every)
    here = [n.encode() for n in where.split('/')[1:]]
    end = time.monotonic() + 3
    wrong, listings = [], 0

    def list_them():
        nonlocal listings
        with nfs4_client.Client1(exports.server, 2) as c:
            d = c.find(c.root(), *here)
            while time.monotonic() < end:
                for e in c.ok(op.putfh(d), op.readdir(
                        maxcount=32768, asked=(
                            'type', 'mode', 'maxfilesize', 'rdattr_error')
                        ))[1].reply.entries:
                    mode = op.values(e.attrs).get('mode')
                    if mode not in (None, 0o700 | int(e.name[1:])):
                        wrong.append((e.name, oct(mode)))
                listings += 1

    threads = [threading.Thread(target=list_them) for _ in range(3)]
    for t in threads:
        t.start()
    while time.monotonic() < end:
        for text in (second, every):
            exports.write(text)
            exports.server.process.send_signal(signal.SIGHUP)
            time.sleep(0.02)
    for t in threads:
        t.join()
    assert wrong == [] and listings > 10
    assert exports.server.process.poll() is None


def test_version_4_state_is_under_the_new_rules(exports, where):
    exports.dir('a')
    exports.serve('@/a 127.0.0.1(rw,no_root_squash)\n')
    names = [n.encode() for n in (where + '/a').split('/')[1:]]
    with nfs4_client.Client1(exports.server, 2) as c:
        a = c.find(c.root(), *names)
        f = c.new(a, b'f')
        c.ok(op.putfh(f.fh), op.write(b'text', 0, f.s))
        exports.reread('@/a 127.0.0.1(ro)\n', 'read again')
        c.fails(x.NFS4ERR_ROFS, op.putfh(f.fh), op.write(b'x', 0, f.s))
        c.close_file(f)
        exports.reread('@/a 127.0.0.9(ro)\n', 'read again')
        c.fails(x.NFS4ERR_ACCESS, op.putfh(f.fh))
