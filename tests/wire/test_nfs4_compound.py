"""COMPOUND itself (RFC 8881 16.2, RFC 7530 15.2; PROTOCOL 4)."""

import struct

import nfs4 as x
import nfs4_client
import nfs4_listed
import nfs4_ops as op
import pytest
import rpc
import wire
from nfs4_client import compound
from wire import NFS


@pytest.fixture
def t(v4):
    with v4.tcp() as transport:
        yield transport


def test_null_does_nothing(v4, t):
    assert t.call(NFS, 4, 0) == b''


@pytest.mark.parametrize('procedure', [2, 3, 21, 0xffffffff])
def test_there_are_two_procedures(v4, t, procedure):
    with pytest.raises(rpc.ProcUnavail):
        t.call(NFS, 4, procedure)


def test_version_5_is_a_mismatch_of_2_to_4(v4, t):
    with pytest.raises(rpc.ProgMismatch) as e:
        t.call(NFS, 5, 0)
    assert (e.value.low, e.value.high) == (2, 4)


def test_over_udp_there_are_versions_2_and_3(v4):
    with v4.udp() as u:
        for procedure in (0, 1):
            with pytest.raises(rpc.ProgMismatch) as e:
                u.call(NFS, 4, procedure)
            assert (e.value.low, e.value.high) == (2, 3)
        assert u.call(NFS, 3, 0) == b''


@pytest.mark.parametrize('minor', [0, 1, 2])
def test_an_empty_compound_is_fine(v4, t, minor):
    reply = compound(t, minor)
    assert (reply.status, reply.ops) == (0, [])


@pytest.mark.parametrize('minor', [3, 4, 0x7fffffff, 0xffffffff])
def test_a_minor_version_too_high_is_a_mismatch_with_no_results(
        v4, t, minor):
    reply = compound(t, minor, op.putrootfh(), tag=b'tag')
    assert reply.status == x.NFS4ERR_MINOR_VERS_MISMATCH
    assert (reply.ops, reply.tag) == ([], b'tag')


def test_the_minor_version_is_checked_before_what_is_asked(v4, t):
    reply = compound(t, 3, op.raw(0xdeadbeef, b'zz'))
    assert reply.status == x.NFS4ERR_MINOR_VERS_MISMATCH


@pytest.mark.parametrize('tag', [b'', b'a', b'tag of a test',
                                 'grüße'.encode(), b'x' * 1024])
@pytest.mark.parametrize('minor', [0, 1, 2])
def test_the_tag_comes_back(v4, t, minor, tag):
    assert compound(t, minor, tag=tag).tag == tag


def test_the_tag_comes_back_with_an_error(v4, t):
    reply = compound(t, 0, op.getfh(), tag=b'tag')
    assert (reply.status, reply.tag) == (x.NFS4ERR_NOFILEHANDLE, b'tag')


@pytest.mark.parametrize('minor, status', [
    (0, x.NFS4ERR_RESOURCE), (1, x.NFS4ERR_REQ_TOO_BIG)])
def test_a_tag_of_1025_bytes_is_too_long(v4, t, minor, status):
    reply = compound(t, minor, op.putrootfh(), tag=b'x' * 1025)
    assert (reply.status, reply.ops) == (status, [])


@pytest.mark.parametrize('minor', [0, 1, 2])
def test_a_tag_that_is_no_utf8_is_invalid(v4, t, minor):
    reply = compound(t, minor, op.putrootfh(), tag=b'\xff\xfe')
    assert (reply.status, reply.ops) == (x.NFS4ERR_INVAL, [])


def test_50_operations_run(v4, t):
    assert len(compound(t, 0, *[op.putrootfh()] * 50)) == 50


@pytest.mark.parametrize('minor, status', [
    (0, x.NFS4ERR_RESOURCE), (1, x.NFS4ERR_TOO_MANY_OPS),
    (2, x.NFS4ERR_TOO_MANY_OPS)])
def test_51_operations_are_too_many(v4, t, minor, status):
    reply = compound(t, minor, *[op.putrootfh()] * 51)
    assert reply.status == status


def test_a_count_without_operations_takes_no_memory(v4, t):
    for count in (0x7fffffff, 0xffffffff):
        reply = compound(t, 0, op.putrootfh(), count=count)
        assert reply.status in (x.NFS4ERR_RESOURCE, x.NFS4ERR_BADXDR)


def test_the_operations_after_a_failed_one_do_not_run(c4, d):
    reply = c4.fails(x.NFS4ERR_NOENT, op.putfh(d), op.lookup(b'none'))
    assert len(reply) == 2
    reply = c4(op.putfh(d), op.lookup(b'none'), op.putfh(d),
               op.mkdir(b'new'))
    assert (reply.status, len(reply)) == (x.NFS4ERR_NOENT, 2)
    assert not c4.is_there(d, b'new')


def test_what_ran_before_a_failed_operation_stays_done(c4, d):
    c4.fails(x.NFS4ERR_NOENT, op.putfh(d), op.mkdir(b'new'),
             op.lookup(b'none'))
    assert c4.is_there(d, b'new')


# ------------------------------------------------ numbers of operations --


@pytest.mark.parametrize('number', [0, 1, 2, 10044, 77, 0xffff, 0xffffffff])
def test_a_number_of_no_operation_is_illegal(c4, number):
    reply = c4.fails(x.NFS4ERR_OP_ILLEGAL, op.putrootfh(), op.raw(number))
    assert reply.ops[-1].resop == x.OP_ILLEGAL


@pytest.mark.parametrize('number', [0, 2, 76, 10044])
def test_an_illegal_operation_ends_the_compound(c4, d, number):
    reply = c4(op.putfh(d), op.raw(number), op.mkdir(b'new'))
    assert (reply.status, len(reply)) == (x.NFS4ERR_OP_ILLEGAL, 2)
    assert not c4.is_there(d, b'new')


@pytest.mark.parametrize('number', range(40, 76), ids=op.name_of)
def test_4_0_has_no_operation_of_later_versions(v4, t, number):
    reply = compound(t, 0, op.putrootfh(), op.ONE_OF_EACH[number])
    assert reply.status == x.NFS4ERR_OP_ILLEGAL
    assert reply.ops[-1].resop == x.OP_ILLEGAL


@pytest.mark.parametrize('number', range(59, 76), ids=op.name_of)
def test_4_1_has_no_operation_of_4_2(v4, clients, number):
    c = nfs4_client.Client1(v4, 1)
    clients.append(c)
    reply = c.fails(x.NFS4ERR_OP_ILLEGAL, op.putrootfh(),
                    op.ONE_OF_EACH[number])
    assert reply.ops[-1].resop == x.OP_ILLEGAL


@pytest.mark.parametrize('number', op.ONLY_4_0, ids=op.name_of)
def test_operations_of_4_0_alone_are_not_supported_later(c41, number):
    reply = c41.fails(x.NFS4ERR_NOTSUPP, op.putrootfh(),
                      op.ONE_OF_EACH[number])
    assert reply.ops[-1].resop == number


# What stays out, by minor version; PROTOCOL 4.
REFUSED = {1: (7, 19, 46, 47, 48, 49, 50, 51, 54, 56),
           2: (61, 64, 65, 66, 67, 70)}


@pytest.mark.parametrize('number', REFUSED[1] + REFUSED[2], ids=op.name_of)
def test_what_is_not_built_is_not_supported(c42, d, number):
    fh = c42.make(d, b'f')
    reply = c42.fails(x.NFS4ERR_NOTSUPP, op.putfh(fh),
                      op.ONE_OF_EACH[number])
    assert reply.ops[-1].resop == number


@pytest.mark.parametrize('number', [7, 19], ids=op.name_of)
def test_what_is_not_built_is_not_supported_in_4_0_either(c40, d, number):
    fh = c40.make(d, b'f')
    c40.fails(x.NFS4ERR_NOTSUPP, op.putfh(fh), op.ONE_OF_EACH[number])


# -------------------------------------------------------------- bad XDR --


def cut(operation):
    """Without its last word."""
    return op.encode(operation)[:-4]


@pytest.mark.parametrize('number', [
    n for n in sorted(op.ONE_OF_EACH) if n <= 39
    and len(op.encode(op.ONE_OF_EACH[n])) > 4], ids=op.name_of)
def test_an_operation_cut_short_is_bad_xdr_after_the_others_ran(
        c40, d, number):
    reply = c40.fails(x.NFS4ERR_BADXDR, op.putfh(d), op.mkdir(b'new'),
                      op.putfh(d), cut(op.ONE_OF_EACH[number]))
    assert reply.ops[-1].resop == number
    assert c40.is_there(d, b'new')


@pytest.mark.parametrize('number', [
    n for n in sorted(op.ONE_OF_EACH) if n > 39
    and n not in (41, 42, 43, 44, 53, 57)], ids=op.name_of)
def test_an_operation_of_4_2_cut_short_is_bad_xdr(c42, d, number):
    reply = c42.fails(x.NFS4ERR_BADXDR, op.putfh(d),
                      cut(op.ONE_OF_EACH[number]))
    assert reply.ops[-1].resop == number


@pytest.mark.parametrize('number', [41, 42, 43, 44, 53, 57],
                         ids=op.name_of)
def test_an_operation_of_sessions_cut_short_is_bad_xdr(v4, t, number):
    reply = compound(t, 1, cut(op.ONE_OF_EACH[number]))
    assert reply.status == x.NFS4ERR_BADXDR
    assert [r.resop for r in reply.ops] == [number]


def test_a_number_of_an_operation_cut_off_is_bad_xdr(c40):
    reply = c40(op.putrootfh(), count=2)
    assert (reply.status, len(reply)) == (x.NFS4ERR_BADXDR, 2)


@pytest.mark.parametrize('body, what', [
    (struct.pack('>I', 129) + bytes(132), 'a handle of 129 bytes'),
    (struct.pack('>I', 0xffffffff), 'a handle of 4 GiB'),
    (struct.pack('>I', 32) + bytes(16), 'half a handle'),
], ids=['129', '4GiB', 'half'])
def test_a_handle_of_a_wrong_length_is_bad_xdr(c4, body, what):
    c4.fails(x.NFS4ERR_BADXDR, op.raw(x.OP_PUTFH, body))


def test_a_bool_of_2_is_bad_xdr(c40, d):
    fh = c40.make(d, b'f')
    c40.fails(x.NFS4ERR_BADXDR, op.putfh(fh), op.raw(
        x.OP_LOCK, struct.pack('>II', 1, 2) + bytes(64)))


@pytest.mark.parametrize('operation', [
    op.raw(x.OP_LOCK, struct.pack('>II', 5, 0) + bytes(80)),
    op.raw(x.OP_LOCK, struct.pack('>II', 0, 0) + bytes(80)),
    op.raw(x.OP_WRITE, bytes(16 + 8) + struct.pack('>II', 3, 0)),
    op.raw(x.OP_OPEN, struct.pack('>IIIQII', 1, 1, 0, 0, 0, 2)),
], ids=['locktype 5', 'locktype 0', 'stable 3', 'opentype 2'])
def test_a_number_of_no_enum_is_bad_xdr(c40, d, operation):
    fh = c40.make(d, b'f')
    c40.fails(x.NFS4ERR_BADXDR, op.putfh(fh), operation)


def test_bytes_behind_the_last_operation_do_no_harm(v4, t):
    """Garbage, or nothing: but an answer."""
    body = nfs4_client.pack_compound(0, [op.putrootfh()]) + b'more'
    try:
        assert nfs4_client.Reply(t.call(NFS, 4, 1, body)).status in (
            0, x.NFS4ERR_BADXDR)
    except rpc.GarbageArgs:
        pass


@pytest.mark.parametrize('body', [
    b'', b'\0\0\0\4', b'\0\0\0\0', b'\xff\xff\xff\xff', bytes(8)])
def test_a_compound_without_its_head_is_garbage(v4, t, body):
    with pytest.raises(rpc.GarbageArgs):
        t.call(NFS, 4, 1, body)


def test_an_owner_of_1025_bytes_is_bad_xdr(c4, d):
    owner = b'o' * 1025
    body = struct.pack('>IIIQ', 1, 1, 0, c4.clientid) + op.opaque(owner)
    c4.fails(x.NFS4ERR_BADXDR, op.putfh(d), op.raw(
        x.OP_OPEN, body + struct.pack('>II', 0, 0) + op.opaque(b'f')))


# -------------------------------------------------- places in a compound --


@pytest.mark.parametrize('minor', [1, 2])
def test_what_belongs_into_a_session_does_not_stand_first(v4, t, minor):
    for number, operation in op.ONE_OF_EACH.items():
        if 'OP_NOT_IN_SESSION' not in nfs4_listed.LISTED[minor].get(
                op.name_of(number), ()):
            continue
        reply = compound(t, minor, operation)
        assert reply.status == x.NFS4ERR_OP_NOT_IN_SESSION, reply
        assert len(reply) == 1
        assert reply.ops[0].resop == number


def test_an_illegal_operation_is_illegal_in_the_first_place_too(v4, t):
    reply = compound(t, 1, op.raw(9999))
    assert reply.status == x.NFS4ERR_OP_ILLEGAL


def test_sequence_stands_first_only(c41):
    reply = c41.fails(x.NFS4ERR_SEQUENCE_POS,
                      c41.session.sequence(slot=1))
    assert reply.ops[0].resop == x.OP_SEQUENCE
    c41.fails(x.NFS4ERR_SEQUENCE_POS, op.putrootfh(),
              op.sequence(bytes(16), 1))


@pytest.mark.parametrize('first', [
    op.exchange_id(b'o', bytes(8)), op.create_session(0, 1),
    op.destroy_session(bytes(16)), op.destroy_clientid(0),
    op.bind_conn_to_session(bytes(16))],
    ids=lambda o: op.name_of(o.argop))
def test_what_stands_alone_stands_alone(v4, t, first):
    reply = compound(t, 1, first, op.putrootfh())
    assert reply.status == x.NFS4ERR_NOT_ONLY_OP
    assert len(reply) == 1


def test_bind_conn_stands_alone_even_after_sequence(c41):
    c41.fails(x.NFS4ERR_NOT_ONLY_OP,
              op.bind_conn_to_session(c41.session.id))


def test_4_0_needs_no_session_for_anything(v4, t):
    assert compound(t, 0, op.putrootfh(), op.getfh()).status == 0


# -------------------------------------------------------- who is asking --


def test_a_compound_without_credentials_sees_the_root(v4):
    with v4.tcp(rpc.NO_AUTH) as t:
        reply = compound(t, 0, op.putrootfh(), op.getattr_('type'))
        assert reply.status == 0


def test_open_confirm_needs_a_filehandle(c40):
    c40.fails(x.NFS4ERR_NOFILEHANDLE, op.open_confirm(op.ANON, 1))


@pytest.mark.parametrize('number', sorted(op.NEEDS_FH), ids=op.name_of)
def test_what_is_about_a_file_needs_a_filehandle(v4, clients, number):
    minor = 0 if number <= 39 else 1 if number <= 58 else 2
    c = nfs4_client.new_client(v4, minor)
    clients.append(c)
    operation = op.ONE_OF_EACH[number]
    if number in (18, 13):          # these name the client, too
        operation = {18: op.open_(op.by_name(b'n'), seqid=1,
                                  clientid=c.clientid),
                     13: op.lockt(1, 0, 1, b'l', c.clientid)}[number]
    status = c(operation).status
    if number == 19:                # OPENATTR is not built
        assert status in (x.NFS4ERR_NOTSUPP, x.NFS4ERR_NOFILEHANDLE)
    else:
        assert status == x.NFS4ERR_NOFILEHANDLE


@pytest.mark.parametrize('operation', [
    op.link(b'n'), op.rename(b'a', b'b')], ids=['LINK', 'RENAME'])
def test_what_needs_a_saved_filehandle_says_so(c4, d, operation):
    c4.fails(x.NFS4ERR_NOFILEHANDLE, op.putfh(d), operation)


@pytest.mark.parametrize('operation', [
    op.copy(op.ANON, op.ANON), op.clone(op.ANON, op.ANON)],
    ids=['COPY', 'CLONE'])
def test_copies_need_a_saved_filehandle(c42, d, operation):
    fh = c42.make(d, b'f')
    c42.fails(x.NFS4ERR_NOFILEHANDLE, op.putfh(fh), operation)


def test_many_compounds_in_one_segment_are_all_answered(v4, d):
    with v4.raw() as raw:
        calls = b''.join(rpc.pack_record(rpc.pack_call(
            i, NFS, 4, 1, nfs4_client.pack_compound(
                0, [op.putfh(d), op.getattr_('fileid')]), wire.root()))
            for i in range(1, 33))
        raw.send(calls)
        seen = set()
        for _ in range(32):
            xid, body = rpc.unpack_reply(raw.receive())
            assert nfs4_client.Reply(body).status == 0
            seen.add(xid)
        assert seen == set(range(1, 33))
