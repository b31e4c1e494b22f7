"""Who is at the other end: on loopback, the kernel is asked whose socket it
is, and everybody but root speaks only for himself (SECURITY 3)."""

import grp
import os
import pickle
import pwd
import socket
import time
import traceback

import nfs3
import pytest
import rpc
import wire
from wire import MOUNT, NFS, Nfs3, fails, ok

NOBODY = 65534


@pytest.fixture(autouse=True)
def only_root():
    wire.need_root()


def as_uid(uid, function, *args, gid=NOBODY):
    """What function(*args) gives in a process of another user."""
    r, w = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(r)
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            try:
                result = True, function(*args)
            except BaseException as e:
                try:
                    pickle.dumps(e)
                except Exception:
                    e = RuntimeError(traceback.format_exc())
                result = False, e
            with os.fdopen(w, 'wb') as out:
                pickle.dump(result, out)
        finally:
            os._exit(0)
    os.close(w)
    with os.fdopen(r, 'rb') as f:
        data = f.read()
    os.waitpid(child, 0)
    good, result = pickle.loads(data)
    if not good:
        raise result
    return result


def stat_of_getattr(server, fh, cred, kind='tcp'):
    """0, or the auth_stat it was refused with."""
    with Nfs3(getattr(server, kind)(cred)) as c:
        try:
            return int(c.getattr(fh).status)
        except rpc.AuthError as e:
            return 'auth', e.stat


@pytest.mark.parametrize('kind', ['tcp', 'udp'])
def test_a_user_may_speak_for_himself(server, root_fh, kind):
    assert as_uid(NOBODY, stat_of_getattr, server, root_fh,
                  wire.user(NOBODY), kind) == 0


@pytest.mark.parametrize('kind', ['tcp', 'udp'])
@pytest.mark.parametrize('uid', [0, 1, 1000, 65533, 0xffffffff])
def test_a_user_may_not_speak_for_another(server, root_fh, kind, uid):
    assert as_uid(NOBODY, stat_of_getattr, server, root_fh,
                  wire.user(uid), kind) == ('auth', rpc.AUTH_BADCRED)


def test_the_log_says_who_came_and_who_he_said_he_is(start):
    server = start()
    fh = wire.root_of(server)
    as_uid(NOBODY, stat_of_getattr, server, fh, wire.user(1))
    server.stop()
    lines = [line for line in server.text().splitlines() if 'calls as' in line]
    assert len(lines) == 1
    assert 'is a socket of uid %d, but calls as uid 1' % NOBODY in lines[0]
    assert 'as uid %d or from root' % NOBODY in lines[0]


def test_the_log_says_who_may_use_an_export_that_is_not_for_all(
        start, tmp_path):
    """A directory that an ordinary user serves is his, and root's."""
    if as_uid(1, os.access, wire.PINEFS, os.X_OK) is False:
        pytest.skip('others may not run %s' % wire.PINEFS)
    for path in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(path, 0o755)
    for name in ('state', 'served'):
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, 1, 1)

    def drop():
        os.setgroups([])
        os.setresgid(1, 1, 1)
        os.setresuid(1, 1, 1)
    server = start(str(tmp_path / 'served'), fs='dir', directory=tmp_path,
                   preexec=drop)
    with pytest.raises(Exception):      # MOUNT is refused
        as_uid(NOBODY, wire_root_as, server)
    server.stop()
    lines = [line for line in server.text().splitlines()
             if 'calls as uid %d, but only uid 0, 1 may' % NOBODY in line]
    assert len(lines) == 1 and 'as one of these' in lines[0], server.text()


def test_root_may_speak_for_anybody(server, root_fh):
    for uid in (0, 1, 1000, NOBODY, 0xffffffff):
        assert stat_of_getattr(server, root_fh, wire.user(uid)) == 0


def test_anybody_may_call_without_a_name_as_far_as_that_goes(
        server, root_fh):
    assert as_uid(NOBODY, stat_of_getattr, server, root_fh,
                  rpc.NO_AUTH) == 0


def read_status(server, fh, cred):
    with Nfs3(server.tcp(cred)) as c:
        return int(c.read(fh).status)


def test_groups_are_those_of_the_user_database_not_what_is_claimed(
        server, c, d):
    """The gid and groups in AUTH_SYS are not proven by anything."""
    mine = pwd.getpwuid(NOBODY).pw_gid
    root_only = c.make(d, b'of-group-0', b'x', mode=0o040, uid=0, gid=0)
    for cred in (wire.user(NOBODY, 0), wire.user(NOBODY, mine, [0]),
                 wire.user(NOBODY, 0, list(range(16)))):
        assert as_uid(NOBODY, read_status, server, root_only,
                      cred) == nfs3.NFS3ERR_ACCES
    ours = c.make(d, b'of-mine', b'x', mode=0o040, uid=0, gid=mine)
    for cred in (wire.user(NOBODY, mine), wire.user(NOBODY, 12345)):
        assert as_uid(NOBODY, read_status, server, ours, cred) == 0


def test_supplementary_groups_of_the_database_count(server, c, d):
    for user in pwd.getpwall():
        groups = [g.gr_gid for g in grp.getgrall()
                  if user.pw_name in g.gr_mem]
        if user.pw_uid != 0 and groups:
            break
    else:
        pytest.skip('no user here is in a second group')
    fh = c.make(d, b'f', b'x', mode=0o040, uid=0, gid=groups[0])
    assert as_uid(user.pw_uid, read_status, server, fh,
                  wire.user(user.pw_uid), gid=user.pw_gid) == 0


def create_as(server, d, name, cred):
    with Nfs3(server.tcp(cred)) as c:
        return c.attr(c.make(d, name))


def test_what_a_user_makes_is_his_and_of_his_group(server, c, d):
    a = as_uid(NOBODY, create_as, server, d, b'f', wire.user(NOBODY, 0))
    assert (a.uid, a.gid) == (NOBODY, pwd.getpwuid(NOBODY).pw_gid)


def test_a_user_the_database_does_not_know_has_no_groups(server, c, d):
    uid = 54321
    fh = c.make(d, b'f', b'x', mode=0o040, uid=0, gid=0)
    assert as_uid(uid, read_status, server, fh,
                  wire.user(uid, 0, [0])) == nfs3.NFS3ERR_ACCES
    a = as_uid(uid, create_as, server, d, b'g', wire.user(uid, 0, [0]))
    assert a.uid == uid
    assert a.gid != 0


def send_and_vanish(address, call, how):
    s = socket.create_connection(address)
    s.sendall(rpc.pack_record(call))
    if how == 'half':
        s.shutdown(socket.SHUT_WR)
        s.settimeout(5)
        try:
            while s.recv(4096):
                pass
        except OSError:
            pass
    elif how == 'close':
        s.close()
    # 'exit': the process ends with the socket open


@pytest.mark.parametrize('how', ['close', 'exit', 'half'])
def test_who_connects_sends_and_is_gone_gains_nothing(server, c, d, how):
    """The kernel reports such a socket as root's, but without an inode."""
    call = rpc.pack_call(1, NFS, 3, 8, nfs3.CREATE3args(
        wire.dirop3(d, b'as-root'),
        nfs3.createhow3(nfs3.UNCHECKED, wire.sattr3())).pack(), wire.root())
    for _ in range(40):
        as_uid(NOBODY, send_and_vanish, ('127.0.0.1', server.port), call,
               how)
    time.sleep(0.3)
    assert wire.is_alive(server)
    assert c.names(d) == []


def udp_and_vanish(address, call):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(call, address)
    s.close()


def test_a_datagram_whose_sender_is_gone_gains_nothing(server, c, d):
    call = rpc.pack_call(1, NFS, 3, 8, nfs3.CREATE3args(
        wire.dirop3(d, b'as-root'),
        nfs3.createhow3(nfs3.UNCHECKED, wire.sattr3())).pack(), wire.root())
    for _ in range(40):
        as_uid(NOBODY, udp_and_vanish, ('127.0.0.1', server.port), call)
    time.sleep(0.3)
    assert c.names(d) == []


def refused_then_fine(server, fh):
    """One connection: refused, then used well."""
    with server.raw() as raw:
        args = nfs3.GETATTR3args(wire.fh3(fh)).pack()
        _, _, error = rpc.parse_reply(raw.call(
            rpc.pack_call(1, NFS, 3, 1, args, wire.user(0))))
        xid, body, good = rpc.parse_reply(raw.call(
            rpc.pack_call(2, NFS, 3, 1, args, wire.user(NOBODY))))
        return error.stat, good is None, rpc.parse_reply(
            raw.call(wire.null_call(3)))[2] is None


def test_a_refusal_does_not_end_the_connection(server, root_fh):
    assert as_uid(NOBODY, refused_then_fine, server, root_fh) == (
        rpc.AUTH_BADCRED, True, True)


def test_every_changing_procedure_is_refused_in_anothers_name(server, d):
    def attempt(server, d):
        stats = []
        with server.raw() as raw:
            for proc in (2, 7, 8, 9, 10, 11, 12, 13, 14, 15, 21):
                _, _, error = rpc.parse_reply(raw.call(rpc.pack_call(
                    proc, NFS, 3, proc, wire.fh3(d).pack(), wire.root())))
                stats.append(getattr(error, 'stat', str(error)))
        return stats
    assert as_uid(NOBODY, attempt, server, d) == [rpc.AUTH_BADCRED] * 11


def test_mount_is_for_everybody_but_not_in_anothers_name(server):
    def attempt(server, cred):
        with wire.mount3(server, cred) as m:
            try:
                return int(m.MOUNTPROC3_MNT(b'/').fhs_status)
            except rpc.AuthError as e:
                return 'auth', e.stat
    assert as_uid(NOBODY, attempt, server, wire.user(NOBODY)) == 0
    assert as_uid(NOBODY, attempt, server, rpc.NO_AUTH) == 0
    assert as_uid(NOBODY, attempt, server, wire.root()) == (
        'auth', rpc.AUTH_BADCRED)


def test_over_ipv6_it_is_the_same(server, has_ipv6, root_fh):
    def attempt(server, fh, uid):
        with Nfs3(server.tcp(wire.user(uid), host='::1')) as c:
            try:
                return int(c.getattr(fh).status)
            except rpc.AuthError as e:
                return 'auth', e.stat
    assert as_uid(NOBODY, attempt, server, root_fh, NOBODY) == 0
    assert as_uid(NOBODY, attempt, server, root_fh, 0) == (
        'auth', rpc.AUTH_BADCRED)


def test_with_local_auth_none_everybody_is_who_he_says(start):
    server = start('--local-auth', 'none', '--squash', 'none')
    fh = wire.root_of(server)
    assert as_uid(NOBODY, stat_of_getattr, server, fh, wire.user(0)) == 0
    with Nfs3(server.tcp()) as c:
        group = c.make(fh, b'f', b'x', mode=0o040, uid=0, gid=77)
    assert as_uid(NOBODY, read_status, server, group,
                  wire.user(1234, 77)) == 0
    server.stop()


def test_a_server_without_rights_serves_its_own_user(start, tmp_path):
    """Unprivileged: it can still tell who is at the other end."""
    def drop():
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    if not os.access(os.path.dirname(wire.PINEFS), os.X_OK) or \
            as_uid(NOBODY, os.access, wire.PINEFS, os.X_OK) is False:
        pytest.skip('nobody may not run %s' % wire.PINEFS)
    for path in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(path, 0o755)
    state = tmp_path / 'own'
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    server = start('--state-dir', str(state), directory=tmp_path,
                   preexec=drop)
    fh = as_uid(NOBODY, wire_root_as, server)
    assert as_uid(NOBODY, stat_of_getattr, server, fh,
                  wire.user(NOBODY)) == 0
    assert as_uid(NOBODY, stat_of_getattr, server, fh,
                  wire.user(1)) == ('auth', rpc.AUTH_BADCRED)
    assert stat_of_getattr(server, fh, wire.user(5)) == 0
    assert server.stop() == 0


def wire_root_as(server):
    with wire.mount3(server, wire.user(NOBODY)) as m:
        return m.MOUNTPROC3_MNT(b'/')._data.fhandle


def test_root_is_root_over_loopback(server, c, d):
    fh = c.make(d, b'f', b'x', mode=0, uid=1000)
    assert ok(c.read(fh)).data == b'x'
    with server.tcp() as t:
        assert t.call(MOUNT, 3, 0) == b''
    fails(c.lookup(d, b'g'), nfs3.NFS3ERR_NOENT)
