"""--exports FILE: directories of the host, each for the clients a file says.

Version 4 is in test_nfs4_exports_file.py.

Clients are told apart by address: each test's come from its own of 127.0.0.0/8,
and --local-auth none makes them as much worth as those of any network.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import mount
import nfs2
import nfs3
import pytest
import wire
from test_dirfs_host import NOBODY, become_nobody, put
from test_peer import as_uid
from wire import Nfs2, Nfs3, fails, ok

pytestmark = pytest.mark.skipif(os.geteuid() != 0,
                                reason='only root acts as others')


@pytest.fixture
def where():
    directory = tempfile.mkdtemp(prefix='pinefs-exports-', dir='/dev/shm')
    os.chmod(directory, 0o755)
    yield directory
    shutil.rmtree(directory)


class Exports:
    """A server of such a file, which can be written anew."""

    def __init__(self, start, where, **kw):
        self.start, self.where, self.kw = start, where, kw
        self.file = os.path.join(where, 'exports')
        self.server = None

    def dir(self, name, mode=0o777):
        path = os.path.join(self.where, name)
        if not os.path.isdir(path):
            os.mkdir(path)
            os.chmod(path, mode)
        return path

    def write(self, text):
        """@/ is the directory of them all.  Never seen half written: the
        server may be reading what was written before."""
        new = self.file + '.new'
        with open(new, 'w', encoding='utf-8') as f:
            f.write(text.replace('@/', self.where + '/'))
        os.chmod(new, 0o644)
        os.rename(new, self.file)

    def serve(self, text, *args):
        self.write(text)
        self.server = self.start('--exports', self.file, '--local-auth',
                                 'none', *args, fs=None, **self.kw)
        return self.server

    def reread(self, text, until):
        """Written anew and read; `until` is in the line that says so."""
        seen = len(self.server.text())
        self.write(text)
        self.server.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + wire.PATIENCE
        while until not in self.server.text()[seen:]:
            assert time.monotonic() < end, self.server.text()
            time.sleep(0.01)
        return self.server.text()[seen:]

    def transport(self, source, uid=0):
        return self.server.tcp(wire.root() if uid == 0 else wire.user(uid),
                               source=(source, 0))

    def mnt(self, name, source='127.0.0.1'):
        """The result of MNT."""
        with self.transport(source) as t:
            return mount.MOUNT_PROGRAM_3_client(t).MOUNTPROC3_MNT(
                os.path.join(self.where, name).encode())

    def root(self, name, source='127.0.0.1'):
        res = self.mnt(name, source)
        assert res.fhs_status == mount.MNT3_OK, res
        return res._data.fhandle

    def listed(self):
        with self.transport('127.0.0.1') as t:
            return {e.ex_dir.decode(): [g.gr_name.decode()
                                        for g in e.ex_groups]
                    for e in mount.MOUNT_PROGRAM_3_client(
                        t).MOUNTPROC3_EXPORT()}


@pytest.fixture
def exports(start, where, tmp_path):
    return Exports(start, where, directory=tmp_path)


@pytest.fixture
def client(exports, request):
    """A version 3 client at that address."""
    def one(source, uid=0):
        made = Nfs3(exports.transport(source, uid))
        request.addfinalizer(made.close)
        return made
    return one


def test_clients_have_the_rules_of_their_address(exports, where, client):
    exports.dir('a')
    exports.serve('@/a 127.0.1.0/24(rw,no_root_squash) '
                  '127.0.0.2(rw,all_squash,anonuid=1234,anongid=77) '
                  '127.0.0.1(ro)\n')
    a = exports.root('a')
    made = {}
    for source, name in (('127.0.1.9', b'net'), ('127.0.0.2', b'host')):
        client(source).make(a, name)
        st = os.stat(where + '/a/' + name.decode())
        made[source] = st.st_uid, st.st_gid
    assert made == {'127.0.1.9': (0, 0), '127.0.0.2': (1234, 77)}
    fails(client('127.0.0.1').create(a, b'f'), nfs3.NFS3ERR_ROFS)
    assert client('127.0.0.1').is_there(a, b'net')
    # A handle is not enough, whoever gave it.
    fails(client('127.0.0.9').getattr(a), nfs3.NFS3ERR_ACCES)
    assert exports.mnt('a', '127.0.0.9').fhs_status == mount.MNT3ERR_ACCES
    with Nfs2(exports.transport('127.0.0.9')) as c2:
        assert c2.getattr(a).status == nfs2.NFSERR_ACCES
    assert 'none of its clients' in exports.server.text()


def test_root_is_squashed_and_nothing_may_be_changed_unless_it_is_said(
        exports, where, client):
    exports.dir('a')
    put(where + '/a', 'secret', b'text', 0o600)
    exports.serve('@/a 127.0.0.1 127.0.0.2(rw)\n')
    a = exports.root('a')
    fails(client('127.0.0.1').create(a, b'f'), nfs3.NFS3ERR_ROFS)
    c = client('127.0.0.2')
    c.make(a, b'f')
    assert os.stat(where + '/a/f').st_uid == 65534
    fails(c.read(c.find(a, b'secret')), nfs3.NFS3ERR_ACCES)


def test_the_first_of_hosts_then_networks_then_everybody_counts(
        exports, client):
    exports.dir('a')
    exports.serve('@/a *(ro) 127.1.2.0/24(rw) 127.0.0.0/255.0.0.0(ro) '
                  '127.1.2.3(ro)\n')
    a = exports.root('a')
    for source, status in (('127.1.2.3', nfs3.NFS3ERR_ROFS),
                           ('127.1.2.4', nfs3.NFS3_OK),
                           ('127.1.3.4', nfs3.NFS3ERR_ROFS)):
        assert client(source).create(a, b'f').status == status, source


def test_hosts_are_found_by_name_and_by_ipv6(exports, has_ipv6):
    exports.dir('a')
    exports.dir('b')
    exports.serve('@/a localhost(rw)\n@/b ::1(rw)\n')
    exports.root('a')
    assert exports.mnt('b').fhs_status == mount.MNT3ERR_ACCES
    assert exports.mnt('a', '127.0.0.2').fhs_status == mount.MNT3ERR_ACCES
    with exports.server.tcp(host='::1') as t:
        m = mount.MOUNT_PROGRAM_3_client(t)
        assert m.MOUNTPROC3_MNT(
            (exports.where + '/b').encode()).fhs_status == mount.MNT3_OK


def test_the_list_of_exports_has_the_clients(exports):
    for name in 'abc':
        exports.dir(name)
    exports.serve('@/a *(rw)\n@/b 10.0.0.0/8(ro) 127.0.0.1 *(ro)\n'
                  '@/c 127.0.0.0/8\n')
    w = exports.where
    assert exports.listed() == {
        w + '/a': [], w + '/b': ['127.0.0.1', '10.0.0.0/8', '*'],
        w + '/c': ['127.0.0.0/8']}


def test_lines_may_be_written_as_in_exports_5(exports, client):
    for name in ('a b', 'c d', 'e', '#f', 'g"h'):
        exports.dir(name)
    exports.serve('# a comment\n\n"@/a b" *(rw)  # another\n'
                  '@/c\\040d\t127.0.0.2(rw) \\\n   127.0.0.3\n'
                  '@/e/ -rw,no_subtree_check 127.0.0.2 127.0.0.3(ro)\r\n'
                  '@//e 127.0.0.4(rw,sync,secure)\n'
                  '@/#f *\n@/g\\042h *')
    w = exports.where
    assert set(exports.listed()) == {
        w + '/' + n for n in ('a b', 'c d', 'e', '#f', 'g"h')}
    # What is printed to be typed needs no quotes.
    assert re.search(r'sudo mount -t nfs .*:%s/e /mnt\n' % re.escape(w),
                     exports.server.text())
    e = exports.root('e', '127.0.0.2')
    for source, status in (('127.0.0.2', nfs3.NFS3_OK),
                           ('127.0.0.3', nfs3.NFS3ERR_ROFS),
                           ('127.0.0.4', nfs3.NFS3_OK)):
        assert client(source).create(e, b'f').status == status
    assert exports.root('c d', '127.0.0.3') == exports.root(
        'c d', '127.0.0.2')


MISTAKES = [
    ('srv *', "'srv' is no directory: a line begins with a path like "
     "/srv/files"),
    ('/a', '/a has no clients: write *(ro) behind it for everybody'),
    ('/a (rw)', '(rw) stands alone: join it to the client before, or write '
     '*(rw) for everybody'),
    ('/a *(rw', '*(rw: there is no ) at its end; options have no blanks '
     'between them'),
    ('/a *(rw, sync)', '*(rw,: there is no ) at its end; options have no '
     'blanks between them'),
    ('/b *(rx)', "'rx' is no option: say ro, rw, sync, async, root_squash, "
     "no_root_squash, all_squash, anonuid=N or anongid=N"),
    ('/c *(anonuid=-2)', "'anonuid=-2' is no option: say ro, rw, sync, "
     "async, root_squash, no_root_squash, all_squash, anonuid=N or "
     "anongid=N"),
    ('/d *(fsid=0)', 'fsid=0: not to be had here: leave it out, see '
     'pinefs-exports(5)'),
    ('/a @trusted', '@trusted: netgroups are not known here: write hosts or '
     'networks'),
    ('/a *.example.org', '*.example.org: patterns are not known here: write '
     'a network like 10.0.0.0/8, or * for everybody'),
    ('/a 10.0.0.0/33', '10.0.0.0/33: behind the slash stands a number from '
     '0 to 32, or a mask like 255.255.255.0'),
    ('/a 10.0.0.0/255.0.255.0', '10.0.0.0/255.0.255.0: behind the slash '
     'stands a number from 0 to 32, or a mask like 255.255.255.0'),
    ('/a ::/0', '::/0: say * for everybody'),
    ('/a gss/krb5', "'gss/krb5' is neither a host nor a network like "
     "10.0.0.0/8"),
    ('/a 10.0.0.1 10.0.0.1', '10.0.0.1 is among the clients of /a already'),
    ('/a/b *', '/a/b and /a of line 2 lie in one another: export one of '
     'them'),
    ('/n/../b *', '/n/../b: write it without . and ..'),
    ('"/n *', 'a " without another: quotes end on their line'),
    ('/n/\\000 *', 'a byte that is 0: no name has one'),
]


def refused(exports, text, *args):
    """The status and lines of a server that does not start."""
    exports.write(text)
    done = subprocess.run(
        [wire.PINEFS, '--exports', exports.file, '--port', '0',
         '--state-dir', exports.where + '/state', '--no-portmap',
         '--mount-port', '0', *args], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        timeout=wire.PATIENCE)
    return done.returncode, done.stdout.decode()


def test_each_mistake_is_a_line_with_its_place(exports):
    # At most 20 are said of a file.
    for part in (MISTAKES[:10], MISTAKES[10:]):
        text = '\n/a 10.0.0.0/8\n' + ''.join(line + '\n'
                                             for line, _ in part)
        status, out = refused(exports, text)
        assert status == 65
        assert [line.partition(exports.file + ':')[2]
                for line in out.splitlines() if exports.file + ':' in line
                ] == ['%d: %s' % (i + 3, what)
                      for i, (_, what) in enumerate(part)]


def test_mistakes_that_are_of_a_whole_line_are_said_too(exports):
    status, out = refused(exports, '/a 10.0.0.0/8 10.1.0.0/16(rw)\n'
                          '/b 10.0.0.1(sync) 10.0.0.2(async)\n')
    assert status == 65
    assert ':1: 10.1.0.0/16 would never count, for 10.0.0.0/8 before it ' \
        'has it: write it first' in out
    assert ':2: /b: sync and async: it can be one of them, the same for ' \
        'all clients' in out


def test_a_file_that_is_not_there_or_empty_serves_nothing(exports):
    status, out = refused(exports, '# nothing\n')
    assert status == 65 and 'there is no directory in it' in out
    os.unlink(exports.file)
    os.mkdir(exports.file)
    done = subprocess.run([wire.PINEFS, '--exports', exports.file + '/none'],
                          stderr=subprocess.PIPE, check=False)
    assert done.returncode == 66
    assert b'No such file or directory' in done.stderr
    os.rmdir(exports.file)


def test_it_does_not_go_with_what_finds_its_exports_otherwise(exports):
    exports.dir('a')
    for fs in ('py', 'tar'):
        status, out = refused(exports, '@/a *\n', '-f', fs)
        assert status == 64
        assert 'not beside -f %s; start another pinefs for it' % fs in out


def test_a_directory_that_is_not_there_harms_no_other(exports):
    exports.dir('a')
    server = exports.serve('@/none *\n@/a *\n')
    assert '%s:1: %s/none is not served: No such file' % (
        exports.file, exports.where) in server.text()
    exports.root('a')
    assert exports.mnt('none').fhs_status == mount.MNT3ERR_NOENT


def test_a_host_without_an_address_is_left_out_and_harms_no_other(
        exports, where, client):
    exports.dir('a')
    exports.dir('b')
    server = exports.serve('@/a no-such-host.invalid(rw) 127.0.0.1(ro)\n'
                           '@/b no-such-host.invalid(rw)\n')
    said = ': no-such-host.invalid cannot be found: '
    assert exports.file + ':1' + said in server.text()
    assert exports.file + ':2' + said in server.text()
    a = exports.root('a')
    assert exports.mnt('b').fhs_status == mount.MNT3ERR_NOENT
    assert list(exports.listed()) == [where + '/a']
    # Nor does it keep others what is taken from them.
    exports.reread('@/a no-such-host.invalid(rw)\n@/b 127.0.0.1(ro)\n',
                   'read again')
    fails(client('127.0.0.1').getattr(a), nfs3.NFS3ERR_ACCES)
    exports.root('b')


def test_memory_is_served_beside_them(exports):
    exports.dir('a')
    exports.write('@/a *\n')
    exports.server = exports.start('--exports', exports.file, fs='mem:m')
    exports.root('a')
    wire.root_of(exports.server, b'/m')
    text = exports.server.text()
    assert 'serving mem:m, %s on' % exports.file in text


# ---------------------------------------------------------------- SIGHUP --


def test_sighup_changes_rules_at_once_and_drops_nobody(exports, where,
                                                       client):
    for name in 'abc':
        exports.dir(name)
    exports.serve('@/a 127.0.0.2(rw)\n@/b *\n')
    a, b = exports.root('a', '127.0.0.2'), exports.root('b')
    c, other = client('127.0.0.2'), client('127.0.0.3')
    c.make(a, b'f')
    fails(other.getattr(a), nfs3.NFS3ERR_ACCES)

    text = exports.reread('@/a 127.0.0.3(rw) 127.0.0.2(ro)\n@/c *\n',
                          'read again')
    assert 'read again: 2 of 2 served' in text
    # The same connections, and handles.
    fails(c.create(a, b'g'), nfs3.NFS3ERR_ROFS)
    assert c.attr(c.find(a, b'f')).type == nfs3.NF3REG
    other.make(a, b'g')
    fails(c.getattr(b), nfs3.NFS3ERR_ACCES)
    assert exports.mnt('b').fhs_status == mount.MNT3ERR_NOENT
    assert set(exports.listed()) == {where + '/a', where + '/c'}
    exports.root('c')

    exports.reread('@/b *(rw)\n@/a *\n@/c *\n', 'read again')
    c.make(b, b'back')


def test_another_may_lie_where_one_is_listed_no_more(exports, where, client):
    exports.dir('s')
    exports.dir('s/a')
    exports.serve('@/s *(rw)\n')
    s, c = exports.root('s'), client('127.0.0.1')
    a = c.find(s, b'a')

    exports.reread('@/s/a *(rw)\n', 'read again')
    c.make(exports.root('s/a'), b'f')
    assert exports.mnt('s').fhs_status == mount.MNT3ERR_NOENT
    assert list(exports.listed()) == [where + '/s/a']
    for fh in (s, a):
        fails(c.getattr(fh), nfs3.NFS3ERR_ACCES)

    exports.reread('@/s *(rw)\n', 'read again')
    assert exports.root('s') == s and exports.root('s/a') == a
    assert c.is_there(a, b'f')
    assert list(exports.listed()) == [where + '/s']


def test_a_directory_that_was_replaced_is_the_new_one(exports, where, client):
    text = '@/s *(rw)\n'
    put(exports.dir('s'), 'old', b'')
    exports.serve(text)
    old, c = exports.root('s'), client('127.0.0.1')
    os.rename(where + '/s', where + '/away')
    # Until it is read again it is what was opened.
    assert c.is_there(exports.root('s'), b'old')

    put(exports.dir('s'), 'new', b'')
    exports.reread(text, '1 of 1 served')
    new = exports.root('s')
    assert c.is_there(new, b'new') and not c.is_there(new, b'old')
    fails(c.getattr(old), nfs3.NFS3ERR_ACCES)
    assert list(exports.listed()) == [where + '/s']

    os.rename(where + '/s', where + '/other')
    exports.reread(text, '0 of 1 served')
    fails(c.getattr(new), nfs3.NFS3ERR_ACCES)
    os.rename(where + '/away', where + '/s')
    exports.reread(text, '1 of 1 served')
    assert exports.root('s') == old and c.is_there(old, b'old')


def test_handles_of_a_replaced_directory_outlive_a_restart(exports, where,
                                                           client):
    text = '@/s *(rw)\n'
    exports.dir('s')
    exports.serve(text)
    old = exports.root('s')
    os.rename(where + '/s', where + '/away')
    exports.dir('s')
    exports.reread(text, '1 of 1 served')
    new = client('127.0.0.1').make(exports.root('s'), b'f')
    exports.server.stop()
    exports.serve(text)
    c = client('127.0.0.1')
    ok(c.getattr(new))
    fails(c.getattr(old), nfs3.NFS3ERR_STALE)


def test_a_wrong_file_changes_nothing(exports, client):
    exports.dir('a')
    exports.serve('@/a 127.0.0.1(rw)\n')
    a = exports.root('a')
    text = exports.reread('@/a 127.0.0.1(ro)\n@/b *(rx)\n', 'still holds')
    assert "%s:2: 'rx' is no option" % exports.file in text
    client('127.0.0.1').make(a, b'f')
    os.unlink(exports.file)
    exports.server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + wire.PATIENCE
    while 'No such file' not in exports.server.text():
        assert time.monotonic() < end
        time.sleep(0.01)
    client('127.0.0.1').make(a, b'g')


def test_handles_outlive_a_restart_wherever_the_line_went(exports, client):
    exports.dir('a')
    exports.dir('b')
    exports.serve('@/a *(rw)\n@/b *\n')
    fh = client('127.0.0.1').make(exports.root('a'), b'f', b'text')
    b = exports.root('b')
    exports.server.stop(signal.SIGKILL)
    exports.serve('@/b *\n@/a *\n')
    c = client('127.0.0.1')
    assert ok(c.read(fh)).data == b'text'
    assert exports.root('b') == b
    exports.server.stop()
    exports.serve('@/b *\n')
    fails(client('127.0.0.1').getattr(fh), nfs3.NFS3ERR_STALE)


def test_many_clients_while_it_is_read_again_and_again(exports, client):
    """Rules are asked for by every call, and change under it."""
    exports.dir('a')
    both = ['@/a *(rw)\n', '@/a 127.0.0.1(rw) 127.0.0.2(ro) *(rw)\n']
    exports.serve(both[0], '--threads', '2')
    a = exports.root('a')
    clients = [client('127.0.0.%d' % i) for i in (1, 3)]
    for i in range(50):
        exports.write(both[i % 2])
        exports.server.process.send_signal(signal.SIGHUP)
        for c in clients:
            ok(c.create(a, b'f'))
    exports.reread(both[0], 'read again')


# ------------------------------------------------------------------- who --


def test_whoever_is_not_root_is_all_of_them(start, where, tmp_path, client,
                                            exports):
    if not as_uid(NOBODY, os.access, wire.PINEFS, os.X_OK):
        pytest.skip('nobody may not run %s' % wire.PINEFS)
    state = tempfile.mkdtemp(dir='/dev/shm')
    os.chown(state, NOBODY, NOBODY)
    try:
        for name in 'ab':
            exports.dir(name)
        exports.kw['preexec'] = become_nobody
        exports.serve('@/a *(rw)\n@/b *(rw,all_squash)\n', '--state-dir',
                      state)
        a, b = exports.root('a'), exports.root('b')
        for fh, name, uid in ((a, 'a', 0), (a, 'a', NOBODY), (b, 'b', 1000)):
            client('127.0.0.1', uid).make(fh, b'of%d' % uid)
            st = os.stat('%s/%s/of%d' % (where, name, uid))
            assert st.st_uid == NOBODY
        fails(client('127.0.0.1', 1000).getattr(a), nfs3.NFS3ERR_ACCES)
        exports.server.stop()
    finally:
        shutil.rmtree(state)


def test_clients_from_elsewhere_need_no_allow(exports, where):
    """The file says who may come: a network of its own, by a veth pair."""
    for program in ('ip', 'nsenter', 'unshare'):
        if shutil.which(program) is None:
            pytest.skip('no ' + program)
    exports.dir('a')
    script = '''
ip link set lo up && ip link add v0 type veth peer name v1 &&
ip addr add 10.9.0.1/24 dev v0 && ip link set v0 up || exit 77
exec "$@"
'''
    exports.write('@/a 10.9.0.2(rw,no_root_squash) 10.9.0.1(ro)\n')
    log = open(where + '/log', 'w+b')
    process = subprocess.Popen(
        ['unshare', '-n', 'sh', '-c', script, 'sh', wire.PINEFS,
         '--exports', exports.file, '--addr', '10.9.0.1', '--port', '2049',
         '--mount-port', '0', '--no-portmap', '--state-dir',
         where + '/state'], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    client = '''
import os, sys
sys.path[:0] = %r
import mount, rpc, nfs3, wire
def root(source):
    t = rpc.TCPClient('10.9.0.1', 2049, wire.root(), timeout=20,
                      source=(source, 700))
    return t, mount.MOUNT_PROGRAM_3_client(t).MOUNTPROC3_MNT(%r)
t, res = root('10.9.0.2')
assert res.fhs_status == 0, res
c = wire.Nfs3(t)
c.make(res._data.fhandle, b'f')
c.close()
t, res = root('10.9.0.3')
assert res.fhs_status == mount.MNT3ERR_ACCES, res
''' % (sys_path(), (where + '/a').encode())
    try:
        end = time.monotonic() + wire.PATIENCE
        while b'serving' not in read_log(log):
            if process.poll() == 77:
                pytest.skip('no veth here')
            assert process.poll() is None and time.monotonic() < end, \
                read_log(log)
            time.sleep(0.02)
        move = subprocess.Popen(['unshare', '-n', 'sleep', '60'])
        try:
            there = 'nsenter -t %d -n ' % move.pid
            wait_for_namespace(move.pid)
            subprocess.run(
                'nsenter -t {0} -n ip link set v1 netns {1} && {2} ip link '
                'set lo up && {2} ip addr add 10.9.0.2/24 dev v1 && {2} ip '
                'addr add 10.9.0.3/24 dev v1 && {2} ip link set v1 up'.format(
                    process.pid, move.pid, there), shell=True, check=True)
            subprocess.run([*there.split(), 'python3', '-c', client],
                           check=True, timeout=60)
        finally:
            move.kill()
            move.wait()
        assert os.stat(where + '/a/f').st_uid == 0
    finally:
        process.terminate()
        process.wait(wire.PATIENCE)
        log.close()


def sys_path():
    import sys
    return [p for p in sys.path if p]


def read_log(log):
    log.seek(0)
    return log.read()


def wait_for_namespace(pid):
    """Until it has left ours."""
    end = time.monotonic() + wire.PATIENCE
    while os.readlink('/proc/%d/ns/net' % pid) == os.readlink(
            '/proc/self/ns/net'):
        assert time.monotonic() < end
        time.sleep(0.01)
