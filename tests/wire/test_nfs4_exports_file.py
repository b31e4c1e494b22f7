"""--exports FILE, as version 4 has it.  See test_exports_file.py."""

import nfs4 as x
import nfs4_client
import nfs4_ops as op
import pytest
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
        assert c.names(c.root()) == []
        assert c.find(c.root(), *a)
        exports.reread('/ 127.0.0.1\n', 'read again')
        assert b'etc' in c.names(c.root())
        whole = c.root()
        exports.reread(below, 'read again')
        assert c.names(c.root()) == []
        assert c.find(c.root(), *a)
        c.fails(x.NFS4ERR_ACCESS, op.putfh(whole))
        exports.reread(top, 'read again')
        assert c.names(c.root()) == [b'dev']


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
