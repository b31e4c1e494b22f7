"""RPC itself (RFC 5531): what is answered to calls that are not quite right,
and to credentials that are not."""


import nfs3
import pytest
import rpc
import wire
from wire import MOUNT, NFS, is_alive, null_call, u32


@pytest.fixture
def raw(server):
    with server.raw() as r:
        yield r


def error_of(reply):
    xid, body, error = rpc.parse_reply(reply)
    assert body is None
    return error


def refused(raw, message, kind):
    error = error_of(raw.call(message))
    assert isinstance(error, kind), error
    # The connection goes on.
    assert rpc.unpack_reply(raw.call(null_call(99))) == (99, b'')
    return error


# ------------------------------------------------------- what is not there --


def test_an_unknown_program_is_unavailable(raw):
    for prog in (0, 1, 100001, 100021, 100227, 0xffffffff):
        refused(raw, rpc.pack_call(1, prog, 1, 0), rpc.ProgUnavail)


@pytest.mark.parametrize('vers', [0, 1, 5, 0x7fffffff, 0xffffffff])
def test_an_unknown_version_of_nfs_is_a_mismatch_with_the_range(raw, vers):
    e = refused(raw, rpc.pack_call(1, NFS, vers, 0), rpc.ProgMismatch)
    assert e.low == 2
    assert e.high in (3, 4)


def test_version_4_is_served_or_a_mismatch_of_2_to_3(raw):
    reply = raw.call(rpc.pack_call(1, NFS, 4, 0))
    xid, body, error = rpc.parse_reply(reply)
    if error is not None:
        assert (error.low, error.high) == (2, 3)
    else:
        assert body == b''


def test_an_unknown_procedure_is_unavailable(raw):
    for vers, procs in ((2, (18, 255)), (3, (22, 255, 0xffffffff))):
        for proc in procs:
            refused(raw, rpc.pack_call(1, NFS, vers, proc, b'',
                                       wire.root()), rpc.ProcUnavail)


@pytest.mark.parametrize('version', [0, 1, 3, 0xffffffff])
def test_another_version_of_rpc_is_a_mismatch_of_2_to_2(raw, version):
    e = refused(raw, rpc.pack_call(1, NFS, 3, 0, rpcvers=version),
                rpc.RpcMismatch)
    assert (e.low, e.high) == (2, 2)


def test_the_xid_comes_back_whatever_it_is(raw):
    for xid in (0, 1, 0x7fffffff, 0x80000000, 0xffffffff):
        assert rpc.unpack_reply(raw.call(null_call(xid))) == (xid, b'')


def test_replies_have_a_verifier_of_auth_none(raw):
    assert raw.call(null_call(7)) == u32(7, 1, 0, 0, 0, 0)


# -------------------------------------------------------------- arguments --


def getattr_call(fh, cut=0, more=b'', cred=None):
    args = nfs3.GETATTR3args(wire.fh3(fh)).pack()
    return rpc.pack_call(1, NFS, 3, 1, args[:len(args) - cut] + more,
                         cred or wire.root())


def test_arguments_cut_anywhere_are_garbage(raw, root_fh):
    for cut in range(4, 4 + len(root_fh) + 1, 4):
        refused(raw, getattr_call(root_fh, cut), rpc.GarbageArgs)


def test_arguments_cut_within_a_word_are_garbage(raw, root_fh):
    for cut in (1, 2, 3):
        refused(raw, getattr_call(root_fh, cut), rpc.GarbageArgs)


def test_bytes_behind_the_arguments_are_garbage(raw, root_fh):
    for more in (b'\0', bytes(4), bytes(400)):
        refused(raw, getattr_call(root_fh, 0, more), rpc.GarbageArgs)
    refused(raw, rpc.pack_call(1, NFS, 3, 0, bytes(4)), rpc.GarbageArgs)


def test_lengths_that_lie_are_garbage(raw):
    for n in (65, 0x7fffffff, 0x80000000, 0xfffffffd, 0xffffffff):
        refused(raw, rpc.pack_call(1, NFS, 3, 1, u32(n) + bytes(64),
                                   wire.root()), rpc.GarbageArgs)


def test_bools_and_enums_that_are_none_are_garbage(raw, root_fh):
    fh = wire.fh3(root_fh).pack()
    for body in (
            fh + u32(2, 0) + bytes(24),             # set_mode3
            fh + u32(0, 0, 0, 0, 3, 0, 0),          # time_how
            fh + u32(0, 0, 0, 0, 0, 0, 2),          # sattrguard3
            fh + u32(0xffffffff, 0, 0, 0, 0, 0, 0)):
        refused(raw, rpc.pack_call(1, NFS, 3, 2, body, wire.root()),
                rpc.GarbageArgs)
    for mode in (3, 0xffffffff):                    # createmode3
        body = fh + u32(1) + b'x\0\0\0' + u32(mode) + bytes(24)
        refused(raw, rpc.pack_call(1, NFS, 3, 8, body, wire.root()),
                rpc.GarbageArgs)
    body = fh + u32(1) + b'x\0\0\0' + u32(8) + bytes(24)    # ftype3
    refused(raw, rpc.pack_call(1, NFS, 3, 11, body, wire.root()),
            rpc.GarbageArgs)


PROCEDURES = {3: range(1, 22), 2: [1, 2, 4, 5, 6] + list(range(8, 18))}


@pytest.mark.parametrize('vers, proc', [
    (v, p) for v in PROCEDURES for p in PROCEDURES[v]])
def test_no_arguments_are_garbage_for_every_procedure(raw, vers, proc):
    refused(raw, rpc.pack_call(1, NFS, vers, proc, b'', wire.root()),
            rpc.GarbageArgs)


# ------------------------------------------------------------- credentials --


@pytest.mark.parametrize('flavor', [0, 1, 2, 3, 6, 99, 0xffffffff])
def test_null_takes_any_flavour(raw, flavor):
    body = wire.root()[1] if flavor == 1 else b'some'
    if flavor == 0:
        body = b''
    reply = raw.call(rpc.pack_call(1, NFS, 3, 0, b'', (flavor, body)))
    assert rpc.unpack_reply(reply) == (1, b'')


@pytest.mark.parametrize('flavor', [2, 3, 4, 5, 6, 99, 0xffffffff])
def test_other_flavours_are_refused_everywhere_else(raw, root_fh, flavor):
    e = refused(raw, getattr_call(root_fh, cred=(flavor, b'1234')),
                rpc.AuthError)
    assert e.stat in (rpc.AUTH_BADCRED, rpc.AUTH_REJECTEDCRED,
                      rpc.AUTH_TOOWEAK)


def test_auth_none_is_too_weak_for_files(raw, root_fh):
    args = nfs3.READDIR3args(wire.fh3(root_fh), 0, bytes(8), 4096).pack()
    e = refused(raw, rpc.pack_call(1, NFS, 3, 16, args), rpc.AuthError)
    assert e.stat == rpc.AUTH_TOOWEAK


def sys_body(machine=b'm', ngids=0, gids=None, cut=0, more=b''):
    body = b''.join([
        u32(0, len(machine)), machine, bytes(-len(machine) & 3),
        u32(0, 0, ngids), bytes(4 * ngids) if gids is None else gids])
    return body[:len(body) - cut] + more


def test_16_groups_and_255_bytes_of_machine_are_taken(raw, root_fh):
    for body in (sys_body(ngids=16), sys_body(b'm' * 255),
                 sys_body(b''), sys_body(b'm' * 255, 16)):
        reply = raw.call(getattr_call(root_fh, cred=(1, body)))
        assert rpc.parse_reply(reply)[2] is None


@pytest.mark.parametrize('body', [
    sys_body(ngids=17), sys_body(b'm' * 256), sys_body(cut=4),
    sys_body(cut=1), sys_body(more=bytes(4)), sys_body(ngids=5, cut=4),
    sys_body(ngids=0xffffffff, gids=b''),
    sys_body(ngids=0x40000001, gids=bytes(4)),
    u32(0, 0xffffffff, 0, 0, 0), b'', bytes(4)],
    ids=['17 groups', 'machine of 256', 'short by a word', 'short by a byte',
         'a word too much', 'a group missing', 'groups that lie',
         'groups that wrap', 'a machine that lies', 'empty', 'one word'])
def test_a_bad_auth_sys_body_is_badcred(raw, root_fh, body):
    e = refused(raw, getattr_call(root_fh, cred=(1, body)), rpc.AuthError)
    assert e.stat == rpc.AUTH_BADCRED


def test_a_credential_of_400_bytes_is_read_and_401_are_badcred(raw, root_fh):
    for n in (400, 401, 404, 4000):
        e = refused(raw, getattr_call(root_fh, cred=(99, bytes(n))),
                    rpc.AuthError)
        if n > 400:
            assert e.stat == rpc.AUTH_BADCRED
    reply = raw.call(rpc.pack_call(1, NFS, 3, 0, b'', (99, bytes(400))))
    assert rpc.unpack_reply(reply) == (1, b'')


def test_a_verifier_of_more_than_400_bytes_is_badverf(raw, root_fh):
    args = nfs3.GETATTR3args(wire.fh3(root_fh)).pack()
    e = refused(raw, rpc.pack_call(1, NFS, 3, 1, args, wire.root(),
                                   (0, bytes(401))), rpc.AuthError)
    assert e.stat == rpc.AUTH_BADVERF


def test_a_verifier_that_is_not_empty_does_no_harm(raw, root_fh):
    args = nfs3.GETATTR3args(wire.fh3(root_fh)).pack()
    reply = raw.call(rpc.pack_call(1, NFS, 3, 1, args, wire.root(),
                                   (0, b'1234')))
    assert rpc.parse_reply(reply)[2] is None


def test_ids_are_never_signed(server, c, d):
    wire_ids = [0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]
    for uid in wire_ids:
        with wire.Nfs3(server.tcp(wire.user(uid, uid))) as one:
            fh = one.make(d, b'%d' % uid)
            a = c.attr(fh)
            assert (a.uid, a.gid) == (uid, uid)


# -------------------------------------------------------- no calls at all --


@pytest.mark.parametrize('message', [
    b'', b'1', u32(1), u32(1, 0), u32(1, 0, 2), u32(1, 0, 2, NFS, 3),
    u32(1, 0, 2, NFS, 3, 0), u32(1, 0, 2, NFS, 3, 0, 0, 0),
    u32(1, 0, 2, NFS, 3, 0, 0, 5, 0, 0), u32(1, 2, 2, NFS, 3, 0, 0, 0, 0, 0),
    u32(1, 0, 2, NFS, 3, 0, 1, 0xffffffff, 0, 0)],
    ids=['empty', '1 byte', 'xid', '2 words', '3 words', '5 words',
         'no credential', 'no verifier', 'credential too long',
         'message type 2', 'credential that lies'])
def test_a_message_that_is_no_call_ends_the_connection_or_is_refused(
        server, raw, message):
    raw.send_call(message)
    try:
        reply = raw.receive()
    except (EOFError, ConnectionResetError):
        pass
    else:
        assert isinstance(error_of(reply), rpc.RpcError)
    assert is_alive(server)


def test_a_reply_sent_to_the_server_is_not_answered(server, raw):
    raw.send_call(u32(1, 1, 0, 0, 0, 0))
    assert raw.is_quiet() or raw.is_closed()
    assert is_alive(server)


def test_many_calls_are_answered_each_once_in_any_order(raw):
    for xid in range(500):
        raw.send_call(null_call(xid))
    seen = [rpc.unpack_reply(raw.receive())[0] for _ in range(500)]
    assert sorted(seen) == list(range(500))


def test_calls_of_all_programs_share_a_connection(raw):
    raw.send_call(rpc.pack_call(1, NFS, 2, 0))
    raw.send_call(rpc.pack_call(2, NFS, 3, 0))
    raw.send_call(rpc.pack_call(3, MOUNT, 1, 0))
    raw.send_call(rpc.pack_call(4, MOUNT, 3, 0))
    assert sorted(rpc.unpack_reply(raw.receive())[0]
                  for _ in range(4)) == [1, 2, 3, 4]


def test_the_log_shows_what_a_client_says_only_escaped(start):
    server = start()
    with wire.mount3(server) as m:
        m.MOUNTPROC3_MNT(b'/\x1b[31mred\n\x07pinefs: forged')
    text = server.text()
    server.stop()
    assert '\x1b' not in text
    assert '\x07' not in text
    assert not any(line.startswith('pinefs: forged')
                   for line in text.splitlines())


def test_garbage_at_full_speed_does_not_flood_the_log(start):
    server = start()
    with server.raw() as raw:
        for i in range(3000):
            raw.send_call(rpc.pack_call(i, NFS, 3, 1, b'x', wire.root()))
            if i % 50 == 49:
                for _ in range(50):
                    raw.receive()
    text = server.text()
    server.stop()
    assert len(text) < 20000
