"""OPEN, OPEN_DOWNGRADE, CLOSE, and stateids (RFC 8881 18.16, 18.18, 18.2,
8.2; RFC 7530 16.16; PROTOCOL 10)."""

import os

import nfs4 as x
import nfs4_ops as op
import pytest
import wire

BAD_STATEID = x.NFS4ERR_BAD_STATEID


# -------------------------------------------------------------- claims --


def test_ids_cannot_be_guessed(c4, d, another):
    """From one's own nobody can tell what others have."""
    mine = [int.from_bytes(c4.new(d, b'%d' % i).s.other[8:], 'big')
            for i in range(4)]
    assert max(abs(a - b) for a, b in zip(mine, mine[1:])) > 1000, mine
    ids = [another().clientid & 0xffffffff for _ in range(4)]
    assert max(abs(a - b) for a, b in zip(ids, ids[1:])) > 1000, ids


def test_claim_null_opens_by_name(c4, d):
    fh = c4.make(d, b'f', b'data')
    o = c4.open(d, b'f', op.READ)
    assert o.fh == fh
    assert c4.ok(op.putfh(fh), op.read(s=o.s))[1].data == b'data'
    c4.close_file(o)


def test_claim_fh_opens_the_current_file(c41, d):
    fh = c41.make(d, b'f', b'data')
    o = c41.open(fh, op.by_fh())
    assert o.fh == fh
    assert c41.ok(op.putfh(fh), op.read(s=o.s))[1].data == b'data'
    c41.close_file(o)


def test_claim_fh_creates_nothing(c41, d):
    fh = c41.make(d, b'f')
    assert c41.try_open(fh, op.by_fh(), how=op.guarded()).status == \
        x.NFS4ERR_INVAL


def test_claim_fh_of_a_directory_is_a_directory(c41, d):
    assert c41.try_open(d, op.by_fh(), op.READ).status == x.NFS4ERR_ISDIR


@pytest.mark.parametrize('claim', [
    op.by_fh(), op.by_delegate_cur_fh((1, b'x' * 12)),
    op.by_delegate_prev_fh()], ids=['FH', 'DELEG_CUR_FH', 'DELEG_PREV_FH'])
def test_4_0_does_not_know_claims_of_4_1(c40, d, claim):
    fh = c40.make(d, b'f')
    assert c40.try_open(fh, claim).status in (
        x.NFS4ERR_BADXDR, x.NFS4ERR_INVAL, x.NFS4ERR_NOTSUPP)


def test_claim_previous_outside_of_grace_is_no_grace(c4, d):
    fh = c4.make(d, b'f')
    assert c4.try_open(fh, op.by_previous()).status == x.NFS4ERR_NO_GRACE


def test_claim_delegate_cur_of_no_delegation_is_a_bad_stateid(c4, d):
    fh = c4.make(d, b'f')
    o = c4.open(d, b'f')
    for s in ((1, b'\x11' * 12), op.pair(o.s)):
        assert c4.try_open(d, op.by_delegate_cur(s, b'f')).status in (
            BAD_STATEID, x.NFS4ERR_STALE_STATEID)
        if c4.minor > 0:
            assert c4.try_open(fh, op.by_delegate_cur_fh(s)).status == \
                BAD_STATEID


def test_claim_delegate_prev_is_not_supported(c4, d):
    fh = c4.make(d, b'f')
    assert c4.try_open(d, op.by_delegate_prev(b'f')).status == \
        x.NFS4ERR_NOTSUPP
    if c4.minor > 0:
        assert c4.try_open(fh, op.by_delegate_prev_fh()).status == \
            x.NFS4ERR_NOTSUPP


def test_the_client_id_of_open_is_ignored_in_sessions(c41, d):
    c41.make(d, b'f')
    for clientid in (0, 1, 0xffffffffffffffff):
        assert c41.try_open(d, b'f', clientid=clientid).status == 0


def test_the_client_id_of_open_counts_in_4_0(c40, d):
    c40.make(d, b'f')
    for clientid in (0, 1, c40.clientid + (1 << 32)):
        assert c40.try_open(d, b'f', clientid=clientid).status == \
            x.NFS4ERR_STALE_CLIENTID


# ------------------------------------------------------- what is opened --


def test_a_name_that_is_not_there_is_not_opened(c4, d):
    assert c4.try_open(d, b'none').status == x.NFS4ERR_NOENT
    assert c4.names(d) == []


@pytest.mark.parametrize('name, status', [
    (b'', x.NFS4ERR_INVAL),
    (b'.', x.NFS4ERR_BADNAME), (b'..', x.NFS4ERR_BADNAME),
    (b'a/b', x.NFS4ERR_BADNAME), (b'a\0b', x.NFS4ERR_BADNAME),
    (b'n' * 256, x.NFS4ERR_NAMETOOLONG)],
    ids=['empty', 'dot', 'dotdot', 'slash', 'nul', '256'])
@pytest.mark.parametrize('create', [False, True])
def test_a_name_that_cannot_be_is_not_opened(c4, d, name, status, create):
    reply = c4.try_open(d, name, how=op.guarded() if create else None)
    assert reply.status == status or (
        status == x.NFS4ERR_BADNAME and reply.status == x.NFS4ERR_INVAL)
    assert c4.names(d) == []


def test_a_directory_is_not_opened(c4, d):
    c4.mkdir(d, b'sub')
    assert c4.try_open(d, b'sub', op.READ).status == x.NFS4ERR_ISDIR
    assert c4.try_open(d, b'sub', how=op.unchecked()).status in (
        x.NFS4ERR_ISDIR, x.NFS4ERR_EXIST)


def test_a_symbolic_link_is_not_opened(c4, d):
    c4.symlink(d, b'link', b'target')
    assert c4.try_open(d, b'link', op.READ).status == x.NFS4ERR_SYMLINK


@pytest.mark.parametrize('kind', [op.FIFO, op.SOCK], ids=['fifo', 'socket'])
def test_a_node_is_not_opened(c4, d, kind):
    c4.ok(op.putfh(d), op.create(b'node', kind, mode=0o666))
    assert c4.try_open(d, b'node', op.READ).status == (
        x.NFS4ERR_WRONG_TYPE if c4.minor else x.NFS4ERR_SYMLINK) or \
        c4.minor == 0


def test_a_name_in_a_file_is_not_opened(c4, d):
    fh = c4.make(d, b'f')
    assert c4.try_open(fh, b'g').status == x.NFS4ERR_NOTDIR
    assert c4.try_open(fh, b'g', how=op.guarded()).status == \
        x.NFS4ERR_NOTDIR


def test_a_name_in_a_symbolic_link_is_not_opened(c4, d):
    fh = c4.symlink(d, b'link', b'target')
    assert c4.try_open(fh, b'g').status in (
        x.NFS4ERR_NOTDIR, x.NFS4ERR_SYMLINK)


@pytest.mark.parametrize('access, deny', [
    (0, 0), (4, 0), (op.BOTH, 4), (op.READ, 0xff), (0x80, 0)])
def test_share_modes_that_are_none_are_invalid(c4, d, access, deny):
    c4.make(d, b'f')
    assert c4.try_open(d, b'f', access, deny).status == x.NFS4ERR_INVAL


@pytest.mark.parametrize('want', [0x100, 0x200, 0x300, 0x400, 0x500,
                                  0x10400, 0x20100])
def test_wishes_for_delegations_are_no_error_in_sessions(c41, d, want):
    """O_DIRECT sends WANT_NO_DELEG."""
    c41.make(d, b'f')
    o = c41.open(d, b'f', op.READ | want)
    c41.close_file(o)
    assert c41.try_open(d, b'f', want).status == x.NFS4ERR_INVAL


def test_wishes_are_unknown_in_4_0(c40, d):
    c40.make(d, b'f')
    assert c40.try_open(d, b'f', op.READ | 0x400).status == x.NFS4ERR_INVAL


def test_open_answers_flags_that_linux_needs(c4, d):
    flags = c4.new(d, b'f').res.rflags
    assert flags & x.OPEN4_RESULT_LOCKTYPE_POSIX
    assert not flags & ~0x2e
    if c4.minor == 0:
        assert not flags & ~(x.OPEN4_RESULT_CONFIRM |
                             x.OPEN4_RESULT_LOCKTYPE_POSIX)


def test_without_a_back_channel_nothing_is_delegated(c4, d):
    res = c4.new(d, b'f').res
    assert res.delegation.delegation_type in (
        x.OPEN_DELEGATE_NONE, x.OPEN_DELEGATE_NONE_EXT)
    assert not res.rflags & x.OPEN4_RESULT_MAY_NOTIFY_LOCK
    if c4.minor == 0:
        assert res.delegation.delegation_type == x.OPEN_DELEGATE_NONE


def test_open_sets_the_current_filehandle_and_stateid(c41, d):
    c41.make(d, b'f', b'data')
    res = c41.ok(op.putfh(d), op.open_(op.by_name(b'f')),
                 op.read(s=op.CURRENT), op.getattr_('size'),
                 op.close(op.CURRENT))
    assert res[2].data == b'data'


# ------------------------------------------------------------- creation --


def test_guarded_creates_once(c4, d):
    c4.new(d, b'f')
    assert c4.try_open(d, b'f', how=op.guarded()).status == x.NFS4ERR_EXIST


def test_unchecked_creates_or_opens(c4, d):
    first = c4.open(d, b'f', how=op.unchecked(mode=0o640))
    c4.ok(op.putfh(first.fh), op.write(b'data', s=first.s))
    second = c4.open(d, b'f', how=op.unchecked(mode=0o600))
    assert second.fh == first.fh
    assert c4.attr(first.fh, 'size', 'mode') == {'size': 4, 'mode': 0o640}
    assert op.bits(second.res.attrset) == []


def test_unchecked_with_size_0_empties_what_is_there(c4, d):
    fh = c4.make(d, b'f', b'data')
    o = c4.open(d, b'f', how=op.unchecked(size=0, mode=0o600))
    assert c4.attr(fh, 'size', 'mode') == {'size': 0, 'mode': 0o644}
    assert op.bits(o.res.attrset) == [op.NUMBER['size']]


def test_unchecked_with_another_size_leaves_what_is_there(c4, d):
    fh = c4.make(d, b'f', b'data')
    c4.open(d, b'f', how=op.unchecked(size=2))
    assert c4.get(fh, 'size') == 4


def test_all_attributes_of_creation_are_set_and_told(c4, d):
    wire_time = (1000000000, 123456789)
    given = dict(mode=0o4751, size=100, owner=b'12', owner_group=b'34',
                 time_modify_set=wire_time, time_access_set=(5, 6))
    o = c4.open(d, b'f', how=op.guarded(**given))
    assert op.bits(o.res.attrset) == sorted(
        op.NUMBER[n] for n in given)
    assert c4.attr(o.fh, 'mode', 'size', 'owner', 'owner_group',
                   'time_modify', 'time_access') == dict(
        mode=0o4751, size=100, owner=b'12', owner_group=b'34',
        time_modify=wire_time, time_access=(5, 6))


def test_a_new_file_belongs_to_who_made_it(v4, d, clients):
    c = nfs4_client_of(v4, clients, wire.user(1000, 1001))
    o = c.new(d, b'f')
    assert c.attr(o.fh, 'owner', 'owner_group') == {
        'owner': b'1000', 'owner_group': b'1001'}


def nfs4_client_of(v4, clients, cred, minor=1):
    import nfs4_client
    clients.append(nfs4_client.new_client(v4, minor, cred=cred))
    return clients[-1]


@pytest.mark.parametrize('kind', ['EXCLUSIVE4', 'EXCLUSIVE4_1'])
def test_an_exclusive_create_is_the_same_when_sent_again(
        c4, d, kind, another):
    verifier = os.urandom(8)
    how = op.exclusive(verifier) if kind == 'EXCLUSIVE4' else \
        op.exclusive_1(verifier, mode=0o600)
    if kind == 'EXCLUSIVE4_1' and c4.minor == 0:
        does_not_know(c4, d, how)
        return
    first = c4.open(d, b'f', how=how)
    second = c4.open(d, b'f', how=how)
    assert second.fh == first.fh
    assert second.s.other == first.s.other
    third = another().open(d, b'f', how=how)
    assert third.fh == first.fh


def does_not_know(c40, d, how):
    """RFC 7530's createmode4 ends with EXCLUSIVE4."""
    assert c40.try_open(d, b'f', how=how).status in (
        x.NFS4ERR_BADXDR, x.NFS4ERR_INVAL)
    assert c40.names(d) == []


@pytest.mark.parametrize('kind', ['EXCLUSIVE4', 'EXCLUSIVE4_1'])
def test_another_exclusive_create_finds_it_there(c4, d, kind):
    def how():
        v = os.urandom(8)
        return op.exclusive(v) if kind == 'EXCLUSIVE4' else op.exclusive_1(v)
    if kind == 'EXCLUSIVE4_1' and c4.minor == 0:
        does_not_know(c4, d, how())
        return
    c4.open(d, b'f', how=how())
    assert c4.try_open(d, b'f', how=how()).status == x.NFS4ERR_EXIST
    c4.make(d, b'g')
    assert c4.try_open(d, b'g', how=how()).status == x.NFS4ERR_EXIST


def test_an_exclusive_verifier_outlives_changes_of_the_file(c4, d):
    """It is not hidden in the times (chimera#1001)."""
    how = op.exclusive(os.urandom(8))
    o = c4.open(d, b'f', how=how)
    c4.ok(op.putfh(o.fh), op.write(b'x', s=o.s), op.setattr_(
        o.s, time_modify_set=(1, 2), time_access_set=(3, 4), mode=0o600))
    assert c4.open(d, b'f', how=how).fh == o.fh


def test_exclusive4_1_sets_attributes_at_once(c41, d):
    o = c41.open(d, b'f', how=op.exclusive_1(
        os.urandom(8), mode=0o751, owner=b'7', size=10))
    told = op.bits(o.res.attrset)
    assert op.NUMBER['mode'] in told
    assert c41.attr(o.fh, 'mode', 'owner', 'size') == {
        'mode': 0o751, 'owner': b'7', 'size': 10}


def test_exclusive4_1_of_4_0_is_an_error(c40, d):
    assert c40.try_open(d, b'f', how=op.exclusive_1(bytes(8))).status in (
        x.NFS4ERR_INVAL, x.NFS4ERR_BADXDR)
    assert c40.names(d) == []


def test_attributes_that_cannot_be_set_create_nothing(c4, d):
    for attributes, status in (
            (op.fattr(fileid=7), x.NFS4ERR_INVAL),
            (op.fattr(change=7), x.NFS4ERR_INVAL),
            (x.fattr4(op.bitmap([12]), bytes(4)), x.NFS4ERR_ATTRNOTSUPP),
            (x.fattr4(op.bitmap([14]), bytes(4)), x.NFS4ERR_ATTRNOTSUPP),
            (op.fattr(owner=b'no.one@nowhere.example'), x.NFS4ERR_BADOWNER),
            (x.fattr4(op.bitmap([4]), bytes(4)), x.NFS4ERR_BADXDR),
            (x.fattr4(op.bitmap([4]), bytes(12)), x.NFS4ERR_BADXDR)):
        reply = c4.try_open(d, b'f', how=op.create_with(
            op.GUARDED, attributes))
        assert reply.status == status, (attributes, reply)
    assert c4.names(d) == []


def test_change_info_of_creation_is_atomic(c4, d):
    before = c4.get(d, 'change')
    cinfo = c4.new(d, b'f').res.cinfo
    assert cinfo.atomic
    assert cinfo.before == before
    assert cinfo.after == c4.get(d, 'change') > before


def test_opening_what_is_there_changes_no_directory(c4, d):
    c4.make(d, b'f')
    before = c4.get(d, 'change')
    cinfo = c4.open(d, b'f').res.cinfo
    assert (cinfo.before, cinfo.after) == (before, before)
    assert c4.get(d, 'change') == before


# ------------------------------------------------------------------ rights --


@pytest.fixture
def as_user4(v4, clients):
    def one(minor, uid=1000, gid=1000):
        return nfs4_client_of(v4, clients, wire.user(uid, gid), minor)
    return one


@pytest.mark.parametrize('mode, access, status', [
    (0o644, op.READ, 0), (0o644, op.WRITE, x.NFS4ERR_ACCESS),
    (0o644, op.BOTH, x.NFS4ERR_ACCESS), (0o600, op.READ, x.NFS4ERR_ACCESS),
    (0o602, op.WRITE, 0), (0o666, op.BOTH, 0)])
def test_open_asks_for_rights(c4, d, as_user4, mode, access, status):
    c4.make(d, b'f', b'x', mode)
    assert as_user4(c4.minor).try_open(d, b'f', access).status == status


def test_a_directory_that_may_not_be_searched_is_not(c4, d, as_user4):
    sub = c4.mkdir(d, b'sub', 0o700)
    c4.make(sub, b'f', mode=0o666)
    user = as_user4(c4.minor)
    assert user.try_open(sub, b'f', op.READ).status == x.NFS4ERR_ACCESS
    user.fails(x.NFS4ERR_ACCESS, op.putfh(sub), op.lookup(b'f'))
    user.fails(x.NFS4ERR_ACCESS, op.putfh(sub), op.secinfo(b'f'))


def test_a_directory_that_may_not_be_written_is_not(c4, d, as_user4):
    sub = c4.mkdir(d, b'sub', 0o755)
    old = c4.make(sub, b'old', mode=0o666)
    user = as_user4(c4.minor)
    assert user.try_open(sub, b'f', how=op.guarded()).status == \
        x.NFS4ERR_ACCESS
    for operation in (op.mkdir(b'f'), op.symlink(b'f', b't'),
                      op.remove(b'old')):
        user.fails(x.NFS4ERR_ACCESS, op.putfh(sub), operation)
    user.fails(x.NFS4ERR_ACCESS, op.putfh(old), op.savefh(), op.putfh(sub),
               op.link(b'f'))
    user.fails(x.NFS4ERR_ACCESS, op.putfh(sub), op.savefh(),
               op.rename(b'old', b'f'))


def test_a_new_file_is_open_for_writing_whatever_its_mode(
        c4, d, as_user4):
    u = as_user4(c4.minor)
    o = u.new(d, b'f', mode=0o444)
    u.ok(op.putfh(o.fh), op.write(b'x', s=o.s))


def test_rights_lost_after_open_do_not_matter(c4, d, as_user4):
    u = as_user4(c4.minor)
    o = u.new(d, b'f', mode=0o600)
    c4.ok(op.putfh(o.fh), op.setattr_(mode=0, owner=b'0'))
    u.ok(op.putfh(o.fh), op.write(b'x', s=o.s), op.read(s=o.s))


# ------------------------------------------------------ share reservations --

MODES = [(a, b) for a in (1, 2, 3) for b in (0, 1, 2, 3)]


@pytest.mark.parametrize('a1, d1', MODES)
def test_share_reservations_are_kept(v4, d, clients, a1, d1):
    """All combinations; against a table made of the definition."""
    import nfs4_client
    one, two = (nfs4_client.Client1(v4, 1), nfs4_client.Client1(v4, 1))
    clients += [one, two]
    one.make(d, b'f')
    first = one.open(d, b'f', a1, d1)
    for a2, d2 in MODES:
        reply = two.try_open(d, b'f', a2, d2)
        if a1 & d2 or a2 & d1:
            assert reply.status == x.NFS4ERR_SHARE_DENIED, (a2, d2)
        else:
            assert reply.status == 0, (a2, d2)
            two.close_file(nfs4_client.Opened(
                reply[2].object, reply[1], b'owner', a2))
    one.close_file(first)
    two.open(d, b'f', op.BOTH, op.BOTH)


def test_share_reservations_hold_between_owners_of_one_client(c4, d):
    c4.new(d, b'f', owner=b'one', deny=op.WRITE)
    assert c4.try_open(d, b'f', op.WRITE, owner=b'two').status == \
        x.NFS4ERR_SHARE_DENIED
    c4.open(d, b'f', op.READ, owner=b'two')


def test_an_owner_is_not_denied_by_itself(c4, d):
    c4.new(d, b'f', deny=op.WRITE)
    c4.open(d, b'f', op.READ, op.READ)
    reply = c4.try_open(d, b'f', op.WRITE)
    assert reply.status in (0, x.NFS4ERR_SHARE_DENIED)


def test_truncating_by_open_heeds_denied_writes(c4, d, another):
    fh = c4.make(d, b'f', b'data')
    c4.open(d, b'f', op.READ, op.WRITE)
    reply = another().try_open(d, b'f', op.READ,
                               how=op.unchecked(size=0))
    assert reply.status == x.NFS4ERR_SHARE_DENIED
    assert c4.get(fh, 'size') == 4


def test_special_stateids_heed_denials(c4, d, another):
    o = c4.new(d, b'f', access=op.READ | 2, deny=op.BOTH)
    other = another()
    other.fails(x.NFS4ERR_LOCKED, op.putfh(o.fh), op.read(s=op.ANON))
    other.fails(x.NFS4ERR_LOCKED, op.putfh(o.fh), op.write(b'x'))
    other.fails(x.NFS4ERR_LOCKED, op.putfh(o.fh),
                op.write(b'x', s=op.BYPASS))
    other.ok(op.putfh(o.fh), op.read(s=op.BYPASS))
    if c4.minor == 2:
        for operation in (
                op.allocate(0, 1), op.deallocate(0, 1),
                op.seek(0, x.NFS4_CONTENT_DATA), op.read_plus(),
                op.copy(op.ANON, op.ANON, 0, 8, 1),
                op.clone(op.ANON, op.ANON, 0, 8, 1)):
            other.fails(x.NFS4ERR_LOCKED, op.putfh(o.fh), op.savefh(),
                        operation)
    c4.close_file(o)
    other.ok(op.putfh(o.fh), op.write(b'x'), op.read(s=op.ANON))


def test_setattr_of_the_size_heeds_denied_writes(c4, d, another):
    fh = c4.make(d, b'f', b'data')
    c4.open(d, b'f', op.READ, op.WRITE)
    reply = another()(op.putfh(fh), op.setattr_(size=0))
    assert reply.status == x.NFS4ERR_LOCKED
    assert c4.get(fh, 'size') == 4


# ------------------------------------------------- upgrade and downgrade --


def test_opening_again_is_an_upgrade_of_the_same_stateid(c4, d):
    c4.make(d, b'f')
    first = c4.open(d, b'f', op.READ)
    c4.fails(x.NFS4ERR_OPENMODE, op.putfh(first.fh), op.write(
        b'x', s=first.s))
    second = c4.open(d, b'f', op.WRITE)
    assert second.s.other == first.s.other
    assert second.s.seqid == first.s.seqid + 1
    c4.ok(op.putfh(first.fh), op.write(b'x', s=second.s),
          op.read(s=second.s))
    assert c4(op.putfh(first.fh), op.read(s=first.s)).status == \
        x.NFS4ERR_OLD_STATEID
    c4.close_file(second)
    assert c4.try_close(second).status == BAD_STATEID or c4.minor == 0


def test_another_owner_gets_another_stateid(c4, d):
    one = c4.new(d, b'f', owner=b'one')
    two = c4.open(d, b'f', owner=b'two')
    assert one.s.other != two.s.other
    c4.close_file(one)
    c4.ok(op.putfh(two.fh), op.write(b'x', s=two.s))


def test_the_same_owner_has_a_stateid_for_each_file(c4, d):
    one, two = c4.new(d, b'f'), c4.new(d, b'g')
    assert one.s.other != two.s.other
    c4.fails(BAD_STATEID, op.putfh(two.fh), op.read(s=one.s))


def test_a_downgrade_gives_back_what_was_opened_in_addition(c4, d, another):
    c4.make(d, b'f')
    c4.open(d, b'f', op.READ)
    o = c4.open(d, b'f', op.WRITE, op.WRITE)
    other = another()
    assert other.try_open(d, b'f', op.WRITE).status == \
        x.NFS4ERR_SHARE_DENIED
    before = o.s
    assert c4.downgrade(o, op.READ, op.NONE).status == 0
    assert o.s.other == before.other
    assert o.s.seqid == before.seqid + 1
    c4.fails(x.NFS4ERR_OPENMODE, op.putfh(o.fh), op.write(b'x', s=o.s))
    other.open(d, b'f', op.WRITE)


@pytest.mark.parametrize('access, deny', [
    (op.READ, op.NONE), (op.WRITE, op.NONE), (0, op.NONE), (op.BOTH, op.READ),
    (4, 0), (op.BOTH, 4)])
def test_a_downgrade_to_what_was_never_opened_is_invalid(
        c4, d, access, deny):
    o = c4.new(d, b'f')
    assert c4.downgrade(o, access, deny).status == x.NFS4ERR_INVAL
    c4.ok(op.putfh(o.fh), op.write(b'x', s=o.s))


def test_a_downgrade_to_the_same_is_fine(c4, d):
    o = c4.new(d, b'f')
    assert c4.downgrade(o, op.BOTH).status == 0


def test_a_downgrade_is_no_way_up(c4, d):
    c4.make(d, b'f')
    o = c4.open(d, b'f', op.READ)
    assert c4.downgrade(o, op.BOTH).status == x.NFS4ERR_INVAL


# ------------------------------------------------------------------ CLOSE --


def test_a_closed_stateid_is_bad(c4, d):
    o = c4.new(d, b'f')
    c4.close_file(o)
    for operation in (op.read(s=o.s), op.write(b'x', s=o.s)):
        assert c4(op.putfh(o.fh), operation).status in (
            BAD_STATEID, x.NFS4ERR_EXPIRED)


def test_close_answers_a_stateid_of_no_use_in_sessions(c41, d):
    o = c41.new(d, b'f')
    assert op.pair(c41.close_file(o)) == op.INVALID


def test_close_ends_the_lock_stateids(c4, d, another):
    o = c4.new(d, b'f')
    k = c4.lock(o, 0, 10)
    reply = c4.try_close(o)
    if reply.status == x.NFS4ERR_LOCKS_HELD:    # RFC 8881 18.2.3 lets it
        c4.unlock(k, 0, 10)
        c4.close_file(o)
    else:
        assert reply.status == 0
        assert c4.try_unlock(k, 0, 10).status in (
            BAD_STATEID, x.NFS4ERR_EXPIRED)
    other = another()
    other.lock(other.open(d, b'f'), 0, 10)


def test_close_of_a_lock_stateid_is_bad(c4, d):
    o = c4.new(d, b'f')
    k = c4.lock(o, 0, 10)
    assert c4.try_close(o, k.s).status == BAD_STATEID


def test_close_of_a_special_stateid_is_bad(c4, d):
    o = c4.new(d, b'f')
    for s in (op.ANON, op.BYPASS):
        assert c4.try_close(o, s).status == BAD_STATEID


# --------------------------------------------------------------- stateids --


def test_a_stateid_with_a_number_from_the_future_is_bad(c4, d):
    o = c4.new(d, b'f')
    c4.fails(BAD_STATEID, op.putfh(o.fh), op.read(
        s=(o.s.seqid + 1, o.s.other)))


def test_a_stateid_with_an_old_number_is_old(c4, d):
    c4.make(d, b'f')
    o = c4.open(d, b'f', op.READ)
    c4.open(d, b'f', op.BOTH)
    c4.fails(x.NFS4ERR_OLD_STATEID, op.putfh(o.fh), op.read(s=o.s))
    assert c4.try_close(o).status == x.NFS4ERR_OLD_STATEID


def test_number_0_is_the_newest_in_sessions(c41, d):
    c41.make(d, b'f')
    o = c41.open(d, b'f', op.READ)
    c41.open(d, b'f', op.BOTH)
    c41.ok(op.putfh(o.fh), op.write(b'x', s=(0, o.s.other)))
    c41.ok(op.putfh(o.fh), op.close((0, o.s.other)))


def test_number_0_is_nothing_special_in_4_0(c40, d):
    o = c40.new(d, b'f')
    assert c40(op.putfh(o.fh), op.read(s=(0, o.s.other))).status in (
        x.NFS4ERR_OLD_STATEID, BAD_STATEID)


def test_a_stateid_of_another_instance_is_stale(c4, d):
    o = c4.new(d, b'f')
    other = bytearray(o.s.other)
    for i in range(4):
        other[i] ^= 0x55
    c4.fails(BAD_STATEID if c4.minor else x.NFS4ERR_STALE_STATEID,
             op.putfh(o.fh), op.read(s=(o.s.seqid, bytes(other))))


@pytest.mark.parametrize('byte', range(12))
def test_a_stateid_with_one_bit_flipped_is_no_stateid(c4, d, byte):
    o = c4.new(d, b'f')
    other = bytearray(o.s.other)
    other[byte] ^= 0x40
    s = (o.s.seqid, bytes(other))
    for operation in (op.read(s=s), op.write(b'x', s=s),
                      op.setattr_(s, size=0)):
        assert c4(op.putfh(o.fh), operation).status in (
            BAD_STATEID, x.NFS4ERR_STALE_STATEID, x.NFS4ERR_EXPIRED)


def test_state_of_another_client_is_of_no_use_in_sessions(
        c41, d, another):
    o = c41.new(d, b'f')
    k = c41.lock(o, 0, 1)
    other = another()
    for operation in (op.read(s=o.s), op.write(b'x', s=o.s), op.close(o.s),
                      op.open_downgrade(o.s, op.READ),
                      op.setattr_(o.s, size=0),
                      op.lock_new(op.READ, 5, 5, o.s, b'l'),
                      op.locku(0, 1, k.s),
                      op.lock_more(op.READ, 5, 5, k.s)):
        other.fails(BAD_STATEID, op.putfh(o.fh), operation)
    c41.ok(op.putfh(o.fh), op.read(s=o.s))
    c41.unlock(k, 0, 1)


def test_state_of_another_client_is_of_no_use_in_4_2_operations(
        c42, d, another):
    o = c42.new(d, b'f')
    other = another()
    for operation in (op.seek(0, 0, o.s), op.allocate(0, 10, o.s),
                      op.deallocate(0, 10, o.s), op.read_plus(s=o.s)):
        other.fails(BAD_STATEID, op.putfh(o.fh), operation)


def test_a_lock_stateid_reads_and_writes(c4, d):
    k = c4.lock(c4.new(d, b'f'), 0, 10)
    c4.ok(op.putfh(k.fh), op.write(b'x', s=k.s), op.read(s=k.s))


def test_a_file_open_for_reading_is_not_written(c4, d):
    c4.make(d, b'f', b'data')
    o = c4.open(d, b'f', op.READ)
    c4.fails(x.NFS4ERR_OPENMODE, op.putfh(o.fh), op.write(b'x', s=o.s))
    c4.fails(x.NFS4ERR_OPENMODE, op.putfh(o.fh), op.setattr_(o.s, size=0))


def test_a_file_open_for_writing_may_be_read_by_its_client(c4, d):
    """RFC 8881 9.1.2 allows it: clients fill pages they write into."""
    c4.make(d, b'f', b'data')
    o = c4.open(d, b'f', op.WRITE)
    assert c4(op.putfh(o.fh), op.read(s=o.s)).status in (
        0, x.NFS4ERR_OPENMODE)


# ---------------------------------------------------- the current stateid --


def test_the_current_stateid_needs_one(c41, d):
    fh = c41.make(d, b'f')
    for operation in (op.read(s=op.CURRENT), op.close(op.CURRENT),
                      op.write(b'x', s=op.CURRENT)):
        c41.fails(BAD_STATEID, op.putfh(fh), operation)


def test_the_current_stateid_goes_with_putfh(c41, d):
    fh = c41.make(d, b'f')
    c41.fails(BAD_STATEID, op.putfh(d), op.open_(op.by_name(b'f')),
              op.putfh(fh), op.read(s=op.CURRENT))


@pytest.mark.parametrize('away', [
    [op.putrootfh()], [op.putpubfh()]], ids=['PUTROOTFH', 'PUTPUBFH'])
def test_the_current_stateid_goes_when_the_filehandle_is_set(
        c41, d, away):
    c41.make(d, b'f')
    reply = c41(op.putfh(d), op.open_(op.by_name(b'f')), *away,
                op.close(op.CURRENT))
    assert reply.status == BAD_STATEID, reply


def test_the_current_stateid_is_saved_and_restored(c41, d):
    c41.make(d, b'f', b'data')
    res = c41.ok(op.putfh(d), op.open_(op.by_name(b'f')), op.savefh(),
                 op.putrootfh(), op.restorefh(), op.read(s=op.CURRENT),
                 op.close(op.CURRENT))
    assert res[5].data == b'data'


def test_lock_and_locku_and_downgrade_set_the_current_stateid(c41, d):
    c41.make(d, b'f')
    c41.open(d, b'f', op.READ)
    c41.ok(op.putfh(d), op.open_(op.by_name(b'f')),
           op.open_downgrade(op.CURRENT, op.READ),
           op.read(s=op.CURRENT),
           op.lock_new(op.READ, 0, 1, op.CURRENT, b'l'),
           op.locku(0, 1, op.CURRENT), op.read(s=op.CURRENT))


def test_close_leaves_no_current_stateid(c41, d):
    c41.make(d, b'f')
    c41.fails(BAD_STATEID, op.putfh(d), op.open_(op.by_name(b'f')),
              op.close(op.CURRENT), op.read(s=op.CURRENT))


def test_4_0_has_no_current_stateid(c40, d):
    o = c40.new(d, b'f')
    assert c40(op.putfh(o.fh), op.read(s=op.CURRENT)).status in (
        BAD_STATEID, x.NFS4ERR_STALE_STATEID)


# ---------------------------------------------------------- open, unlinked --


def test_an_unlinked_open_file_stays_readable_until_closed(c4, d):
    o = c4.new(d, b'f')
    c4.ok(op.putfh(o.fh), op.write(b'data', s=o.s))
    c4.ok(op.putfh(d), op.remove(b'f'))
    res = c4.ok(op.putfh(o.fh), op.read(s=o.s), op.getattr_('numlinks'),
                op.write(b'more', 4, o.s))
    assert res[1].data == b'data'
    assert op.values(res[2].obj_attributes) == {'numlinks': 0}
    c4.close_file(o)
    assert c4(op.putfh(o.fh), op.getattr_('type')).status == x.NFS4ERR_STALE


def test_a_file_replaced_by_rename_stays_readable_while_open(c4, d):
    o = c4.new(d, b'f')
    c4.ok(op.putfh(o.fh), op.write(b'old', s=o.s))
    c4.make(d, b'g', b'new')
    c4.ok(op.putfh(d), op.savefh(), op.rename(b'g', b'f'))
    assert c4.ok(op.putfh(o.fh), op.read(s=o.s))[1].data == b'old'
    c4.close_file(o)
    assert c4.contents(c4.find(d, b'f')) == b'new'
