"""Attributes: GETATTR, SETATTR, VERIFY, NVERIFY (RFC 8881 5, 18.7, 18.15,
18.30, 18.31; RFC 8275; PROTOCOL 6)."""

import grp
import pwd
import struct
import time

import nfs4 as x
import nfs4_ops as op
import pytest
import wire

# PROTOCOL 6: the full list.
SUPPORTED = {0: [*range(0, 12), *range(15, 24), *range(26, 32),
                 *range(33, 38), *range(41, 46), 47, 48, *range(50, 56)]}
SUPPORTED[1] = SUPPORTED[0] + [75]
SUPPORTED[2] = SUPPORTED[1] + [77, 79, 81, 82]
# It is asked where it can be done.
OPTIONAL = {76, 77}
WRITE_ONLY = [48, 54]
READ_ONLY = [n for n in SUPPORTED[1] if n not in (4, 33, 36, 37, 48, 54, 50)]
# Required of every server by RFC 8881 5.6.
REQUIRED = [*range(0, 12), 19]


@pytest.fixture
def f(c4, d):
    return c4.make(d, b'f', b'12345')


def test_the_list_of_supported_attributes_is_the_list(c4, f, d):
    for fh in (f, d, c4.symlink(d, b'l', b't')):
        got = set(c4.get(fh, 'supported_attrs'))
        want = set(SUPPORTED[c4.minor])
        assert want - got - OPTIONAL == set()
        assert got - want - OPTIONAL == set()


def test_no_layouts_are_advertised(c4, f):
    assert not {62, 64, 65} & set(c4.get(f, 'supported_attrs'))


def test_exactly_what_is_asked_and_supported_comes_in_bit_order(c4, f):
    supported = c4.get(f, 'supported_attrs')
    asked = [n for n in range(0, 96) if n not in WRITE_ONLY + [81]]
    res = c4.ok(op.putfh(f), op.getattr_(*asked))[1].obj_attributes
    assert op.bits(res.attrmask) == [
        n for n in supported if n in asked and n != 11]  \
        or op.bits(res.attrmask) == [n for n in supported if n in asked]
    op.values(res)


@pytest.mark.parametrize('number', [
    n for n in SUPPORTED[2] if n not in (48, 54, 81)],
    ids=lambda n: op.ATTRIBUTES[n][0])
def test_each_attribute_comes_alone(c4, f, d, number):
    if number > 55 and number not in c4.get(f, 'supported_attrs'):
        assert c4.attr(f, number) == {}
        return
    for fh in (f, d):
        res = c4.ok(op.putfh(fh), op.getattr_(number))[1].obj_attributes
        assert op.bits(res.attrmask) in ([number],
                                         [] if number == 11 else [number])
        op.values(res)


def test_nothing_asked_is_nothing_answered(c4, f):
    for words in ([], [0], [0, 0, 0], [0] * 10):
        res = c4.ok(op.putfh(f), op.getattr_words(words))[1].obj_attributes
        assert op.bits(res.attrmask) == []
        assert res.attr_vals == b''


def test_attributes_that_nobody_knows_are_left_out(c4, f):
    res = c4.ok(op.putfh(f), op.getattr_words(
        [2, 0, 0xfff80000, 0xffffffff, 0xffffffff]))[1].obj_attributes
    assert op.bits(res.attrmask) == [1]


def test_attributes_of_a_later_minor_version_are_left_out(c4, f):
    last = op.LAST_ATTRIBUTE[c4.minor]
    res = c4.ok(op.putfh(f), op.getattr_(
        1, *range(last + 1, 100)))[1].obj_attributes
    assert op.bits(res.attrmask) == [1]


@pytest.mark.parametrize('number', WRITE_ONLY)
def test_what_can_only_be_written_is_not_read(c4, f, d, number):
    c4.fails(x.NFS4ERR_INVAL, op.putfh(f), op.getattr_(1, number))
    c4.fails(x.NFS4ERR_INVAL, op.putfh(d), op.readdir(asked=[number]))


def test_mode_umask_is_not_read(c42, d):
    c42.fails(x.NFS4ERR_INVAL, op.putfh(d), op.getattr_('mode_umask'))


# ------------------------------------------------------------- the values --


@pytest.mark.parametrize('make, kind', [
    (lambda c, d: c.make(d, b'n'), op.REG),
    (lambda c, d: c.mkdir(d, b'n'), op.DIR),
    (lambda c, d: c.symlink(d, b'n', b't'), op.LNK),
    (lambda c, d: c.ok(op.putfh(d), op.create(b'n', op.FIFO),
                       op.getfh())[2].object, op.FIFO),
    (lambda c, d: c.ok(op.putfh(d), op.create(b'n', op.SOCK),
                       op.getfh())[2].object, op.SOCK),
    (lambda c, d: c.ok(op.putfh(d), op.mknod(b'n', op.CHR, 1, 3),
                       op.getfh())[2].object, op.CHR)],
    ids=['reg', 'dir', 'lnk', 'fifo', 'sock', 'chr'])
def test_types_are_what_was_made(c4, d, make, kind):
    a = c4.attr(make(c4, d), 'type', 'rawdev', 'mode', 'numlinks')
    assert a['type'] == kind
    if kind == op.CHR:
        assert a['rawdev'] == (1, 3)
    assert a['numlinks'] >= 1


def test_attributes_are_those_of_version_3(c4, c, d):
    fh = c.make(d, b'f', b'x' * 5000, mode=0o4751, uid=3, gid=4,
                mtime=(1000, 5), atime=(2000, 6))
    old, new = c.attr(fh), c4.attr(
        fh, 'type', 'mode', 'size', 'fileid', 'numlinks', 'owner',
        'owner_group', 'space_used', 'time_access', 'time_modify',
        'time_metadata')
    assert new == {
        'type': old.type, 'mode': old.mode, 'size': old.size,
        'fileid': old.fileid, 'numlinks': old.nlink,
        'owner': b'%d' % old.uid, 'owner_group': b'%d' % old.gid,
        'space_used': old.used,
        'time_access': (old.atime.seconds, old.atime.nseconds),
        'time_modify': (old.mtime.seconds, old.mtime.nseconds),
        'time_metadata': (old.ctime.seconds, old.ctime.nseconds)}


def test_handles_are_those_of_version_3(c4, c, d, root_fh):
    assert c4.root() == root_fh
    fh = c.make(d, b'f')
    assert c4.find(d, b'f') == fh
    assert c4.get(fh, 'filehandle') == fh


def test_constants_are_what_clients_need(c4, f):
    a = c4.attr(f, *SUPPORTED[0][2:9], 'unique_handles', 'lease_time',
                'cansettime', 'case_insensitive', 'case_preserving',
                'chown_restricted', 'homogeneous', 'maxfilesize', 'maxlink',
                'maxname', 'maxread', 'maxwrite', 'no_trunc', 'time_delta')
    assert a['fh_expire_type'] == 0
    assert a['link_support'] and a['symlink_support']
    assert not a['named_attr']
    assert a['unique_handles']
    assert a['lease_time'] == 60
    assert a['cansettime'] and a['case_preserving']
    assert not a['case_insensitive']
    assert a['chown_restricted'] and a['homogeneous'] and a['no_trunc']
    assert a['maxfilesize'] == (1 << 63) - 1
    assert a['maxname'] == 255
    assert a['maxread'] == a['maxwrite'] == 1 << 20
    assert a['maxlink'] >= 32000
    assert a['time_delta'] == (0, 1)


def test_space_and_files_are_counted(c4, f):
    a = c4.attr(f, 'files_avail', 'files_free', 'files_total',
                'space_avail', 'space_free', 'space_total')
    assert 0 < a['files_avail'] <= a['files_free'] <= a['files_total']
    assert 0 < a['space_avail'] <= a['space_free'] <= a['space_total']


def test_fileids_are_not_0_and_mounted_on_is_the_same(c4, f, d):
    for fh in (f, d, c4.root()):
        a = c4.attr(fh, 'fileid', 'mounted_on_fileid')
        assert a['fileid'] not in (0, 0xffffffff00000000)
        assert a['fileid'] & 0xffffffff
        assert a['mounted_on_fileid'] == a['fileid']


def test_the_file_system_has_one_fsid(c4, f, d):
    assert c4.get(f, 'fsid') == c4.get(d, 'fsid') == c4.get(
        c4.root(), 'fsid')


def test_rdattr_error_of_a_good_object_is_ok(c4, f):
    assert c4.attr(f, 'rdattr_error') in ({}, {'rdattr_error': 0})


def test_what_exclusive_creation_takes_is_a_part_of_what_is_supported(
        c41, d):
    a = c41.attr(d, 'supported_attrs', 'suppattr_exclcreat')
    assert set(a['suppattr_exclcreat']) <= set(a['supported_attrs'])
    assert op.NUMBER['mode'] in a['suppattr_exclcreat']
    assert not set(a['suppattr_exclcreat']) & set(READ_ONLY)


def test_attributes_of_4_2_are_what_memfs_can(c42, d):
    f = c42.make(d, b'f')
    a = c42.attr(f, 'change_attr_type', 'xattr_support', 'clone_blksize')
    assert a['change_attr_type'] == 0           # MONOTONIC_INCR
    assert a['xattr_support'] is True
    assert a.get('clone_blksize', 1) >= 1


# ------------------------------------------------------------------ change --


def test_getattr_changes_nothing(c4, f):
    names = ('change', 'time_access', 'time_modify', 'time_metadata')
    first = c4.attr(f, *names)
    for _ in range(5):
        assert c4.attr(f, *names) == first


def test_change_moves_with_every_change_and_only_up(c4, d):
    o = c4.new(d, b'f')
    fh, last = o.fh, c4.get(o.fh, 'change')
    changes = [
        [op.write(b'x', s=o.s)], [op.write(b'x', s=o.s)],
        [op.setattr_(mode=0o600)], [op.setattr_(mode=0o600)],
        [op.setattr_(o.s, size=10)], [op.setattr_(time_access_set='now')],
        [op.savefh(), op.putfh(d), op.link(b'g')],
    ] + [[op.write(b'y', s=o.s)]] * 50
    for operations in changes:
        c4.ok(op.putfh(fh), *operations)
        now = c4.get(fh, 'change')
        assert now > last, operations
        last = now
    c4.ok(op.putfh(d), op.remove(b'g'))
    assert c4.get(fh, 'change') > last


def test_change_of_a_directory_moves_with_its_entries(c4, d):
    last = c4.get(d, 'change')
    for operations in (
            [op.mkdir(b'a')], [op.symlink(b'b', b't')],
            [op.savefh(), op.rename(b'b', b'c')], [op.remove(b'c')],
            [op.setattr_(mode=0o700)]):
        c4.ok(op.putfh(d), *operations)
        now = c4.get(d, 'change')
        assert now > last
        last = now


def test_a_change_by_version_3_moves_the_same_counter(c4, c, d):
    fh = c.make(d, b'f')
    last = c4.get(fh, 'change')
    wire.ok(c.write(fh, 0, b'x'))
    assert c4.get(fh, 'change') > last


# ----------------------------------------------------------------- SETATTR --


def set_bits(reply):
    return op.bits(reply.ops[-1]._data.attrsset)


def test_setattr_sets_and_tells_what_it_set(c4, f):
    given = dict(mode=0o711, owner=b'5', owner_group=b'6', size=3,
                 time_access_set=(7, 8), time_modify_set=(9, 10))
    reply = c4(op.putfh(f), op.setattr_(**given))
    assert reply.status == 0
    assert set_bits(reply) == sorted(op.NUMBER[n] for n in given)
    assert c4.attr(f, 'mode', 'owner', 'owner_group', 'size',
                   'time_access', 'time_modify') == dict(
        mode=0o711, owner=b'5', owner_group=b'6', size=3,
        time_access=(7, 8), time_modify=(9, 10))


def test_setattr_of_nothing_is_fine(c4, f):
    before = c4.get(f, 'change')
    reply = c4(op.putfh(f), op.setattr_())
    assert (reply.status, set_bits(reply)) == (0, [])
    assert c4.get(f, 'change') >= before


def test_times_may_be_the_servers(c4, f):
    c4.ok(op.putfh(f), op.setattr_(time_modify_set='now',
                                   time_access_set='now'))
    a = c4.attr(f, 'time_modify', 'time_access')
    for t in a.values():
        assert abs(t[0] - time.time()) < 60


@pytest.mark.parametrize('seconds', [-1, 0, 1, 2 ** 31, 2 ** 33])
def test_times_beyond_32_bits_are_kept(c4, f, seconds):
    c4.ok(op.putfh(f), op.setattr_(time_modify_set=(seconds, 999999999)))
    assert c4.get(f, 'time_modify') == (seconds, 999999999)


def test_nanoseconds_beyond_a_second_are_invalid(c4, f):
    for n in (1000000000, 0xffffffff):
        c4.fails(x.NFS4ERR_INVAL, op.putfh(f), op.setattr_(
            time_modify_set=(5, n)))


def test_macos_may_set_the_time_of_creation(c4, f):
    reply = c4(op.putfh(f), op.setattr_(time_create=(11, 12)))
    assert reply.status == 0
    assert c4.get(f, 'time_create') == (11, 12)


@pytest.mark.parametrize('number', READ_ONLY,
                         ids=lambda n: op.ATTRIBUTES[n][0])
def test_what_can_only_be_read_is_not_set(c4, f, d, number):
    _, read, write = op.ATTRIBUTES[number]
    name = op.ATTRIBUTES[number][0]
    value = {0: [1], 8: (1, 2), 19: b'x' * 32, 41: (1, 2), 75: [33]}.get(
        number, (1, 2) if read is op.Reader.time else 1)
    # 4.0 does not know suppattr_exclcreat.
    status = x.NFS4ERR_ATTRNOTSUPP if (number, c4.minor) == (75, 0) else \
        x.NFS4ERR_INVAL
    reply = c4.fails(status, op.putfh(f), op.setattr_(**{name: value}))
    assert set_bits(reply) == []
    c4.fails(status, op.putfh(d), op.mkdir(
        b'new', **{name: value}))
    assert c4.names(d) == [b'f']


@pytest.mark.parametrize('number', [12, 14, 24, 25, 32, 46, 49, 63, 88, 95])
def test_what_is_not_supported_is_not_set(c4, f, number):
    attributes = x.fattr4(op.bitmap([number]), bytes(4))
    reply = c4.fails(x.NFS4ERR_ATTRNOTSUPP, op.putfh(f),
                     op.setattr_fattr(attributes))
    assert set_bits(reply) == []


def test_create_refuses_attributes_as_setattr_does(c4, d):
    kind = x.createtype4(op.DIR, None)
    for status, attributes in (
            (x.NFS4ERR_ATTRNOTSUPP, x.fattr4(op.bitmap([12]), bytes(4))),
            (x.NFS4ERR_INVAL, op.fattr(fileid=7)),
            (x.NFS4ERR_BADOWNER, op.fattr(owner=b'nobody here'))):
        c4.fails(status, op.putfh(d), x.nfs_argop4(
            x.OP_CREATE, x.CREATE4args(kind, b'new', attributes)))
        assert not c4.is_there(d, b'new')


@pytest.mark.parametrize('mask, vals', [
    ([4], bytes(4)), ([4], bytes(12)), ([], bytes(4)), ([4, 33], bytes(8)),
    ([36], struct.pack('>I', 100)), ([54], struct.pack('>I', 2)),
    ([33], b'')], ids=str)
def test_values_of_another_length_are_bad_xdr(c4, f, mask, vals):
    c4.fails(x.NFS4ERR_BADXDR, op.putfh(f), op.setattr_fattr(
        x.fattr4(op.bitmap(mask), vals)))
    assert c4.get(f, 'size') == 5


def test_mode_bits_beyond_07777_are_invalid_or_ignored(c4, f):
    reply = c4(op.putfh(f), op.setattr_(mode=0o100644))
    assert reply.status in (0, x.NFS4ERR_INVAL)
    assert c4.get(f, 'mode') == 0o644


@pytest.mark.parametrize('who, uid', [
    (b'0', 0), (b'1000', 1000), (b'4294967294', 4294967294),
    (b'root@localdomain', 0)])
def test_owners_are_numbers_or_names_with_a_domain(c4, f, who, uid):
    reply = c4(op.putfh(f), op.setattr_(owner=who, owner_group=who))
    assert reply.status == 0
    assert c4.attr(f, 'owner', 'owner_group') == {
        'owner': b'%d' % uid, 'owner_group': b'%d' % uid}


@pytest.mark.parametrize('domain', [b'', b'@', b'@localdomain', b'@a.b@c'])
def test_names_are_those_of_the_servers_machine(c4, f, domain):
    # Debian has both; the second's user and group differ in number.
    for name in ('daemon', 'games'):
        who = name.encode() + domain
        uid, gid = pwd.getpwnam(name).pw_uid, grp.getgrnam(name).gr_gid
        c4.ok(op.putfh(f), op.setattr_(owner=who, owner_group=who))
        assert c4.attr(f, 'owner', 'owner_group') == {
            'owner': b'%d' % uid, 'owner_group': b'%d' % gid}


@pytest.mark.parametrize('who', [
    b'nobody-at-all@example.org', b'', b'-1', b'1x', b'4294967296',
    b'99999999999999999999', b'@', b'@localdomain', b'\xff\xfe',
    b'daemon:x', b'daemon\0', b' daemon', b'daemo', b'x' * 1024])
def test_an_owner_that_is_nobody_is_a_bad_owner(c4, f, who):
    reply = c4(op.putfh(f), op.setattr_(owner=who))
    assert reply.status in (x.NFS4ERR_BADOWNER, x.NFS4ERR_INVAL)
    reply = c4(op.putfh(f), op.setattr_(owner_group=who))
    assert reply.status in (x.NFS4ERR_BADOWNER, x.NFS4ERR_INVAL)
    assert c4.get(f, 'owner') == b'0'


def test_the_size_needs_a_stateid_that_may_write(c4, d):
    c4.make(d, b'f', b'12345')
    o = c4.open(d, b'f', op.READ)
    c4.fails(x.NFS4ERR_OPENMODE, op.putfh(o.fh), op.setattr_(o.s, size=0))
    o = c4.open(d, b'f', op.WRITE)
    c4.ok(op.putfh(o.fh), op.setattr_(o.s, size=2))
    assert c4.get(o.fh, 'size') == 2


def test_other_attributes_need_no_stateid(c4, f):
    c4.ok(op.putfh(f), op.setattr_((7, b'nonsense....'), mode=0o600))


@pytest.mark.parametrize('size', [1 << 63, op.ALL])
def test_a_size_beyond_the_largest_is_too_big(c4, f, size):
    reply = c4(op.putfh(f), op.setattr_(size=size))
    assert reply.status in (x.NFS4ERR_FBIG, x.NFS4ERR_INVAL)
    assert c4.get(f, 'size') == 5


def test_the_size_of_what_is_no_file_is_not_set(c4, d):
    c4.fails(x.NFS4ERR_ISDIR, op.putfh(d), op.setattr_(size=0))
    link = c4.symlink(d, b'l', b't')
    reply = c4(op.putfh(link), op.setattr_(size=0))
    assert reply.status in (x.NFS4ERR_INVAL, x.NFS4ERR_SYMLINK)


def test_only_the_owner_sets_the_mode(v4, d, clients):
    import nfs4_client
    root, user = (nfs4_client.Client1(v4, 1),
                  nfs4_client.Client1(v4, 1, cred=wire.user(1000)))
    clients += [root, user]
    fh = root.make(d, b'f', mode=0o666)
    for attributes in (dict(mode=0o600), dict(owner=b'1000'),
                       dict(time_modify_set=(1, 1))):
        reply = user(op.putfh(fh), op.setattr_(**attributes))
        assert reply.status in (x.NFS4ERR_PERM, x.NFS4ERR_ACCESS)
        assert set_bits(reply) == []
    user.ok(op.putfh(fh), op.setattr_(time_modify_set='now'))
    user.ok(op.putfh(fh), op.setattr_(size=0))
    # "Now" is for whoever may write.
    root.ok(op.putfh(fh), op.setattr_(mode=0o644))
    user.fails(x.NFS4ERR_ACCESS, op.putfh(fh),
               op.setattr_(time_modify_set='now'))


# -------------------------------------------------------------- mode_umask --


@pytest.mark.parametrize('mode, umask, result', [
    (0o666, 0o022, 0o644), (0o777, 0o077, 0o700), (0o4755, 0, 0o4755),
    (0o666, 0o777, 0)])
def test_mode_umask_is_applied_by_the_server(c42, d, mode, umask, result):
    o = c42.open(d, b'f', how=op.guarded(mode_umask=(mode, umask)))
    assert c42.get(o.fh, 'mode') == result
    assert op.bits(o.res.attrset) == [81]
    c42.ok(op.putfh(d), op.create(b'sub', op.DIR, mode_umask=(mode, umask)))
    assert c42.get(c42.find(d, b'sub'), 'mode') == result


def test_mode_umask_belongs_to_creation(c42, d):
    """RFC 8275 4: not into SETATTR, and not beside the mode."""
    fh = c42.make(d, b'f')
    c42.fails(x.NFS4ERR_INVAL, op.putfh(fh), op.setattr_(
        mode_umask=(0o666, 0)))
    reply = c42.try_open(d, b'g', how=op.guarded(
        mode=0o600, mode_umask=(0o666, 0)))
    assert reply.status == x.NFS4ERR_INVAL


def test_mode_umask_is_unknown_before_4_2(v4, d, clients):
    import nfs4_client
    c = nfs4_client.Client1(v4, 1)
    clients.append(c)
    assert c.try_open(d, b'f', how=op.guarded(
        mode_umask=(0o666, 0))).status == x.NFS4ERR_ATTRNOTSUPP


def test_mode_umask_goes_with_exclusive_creation(c42, d):
    """What a Linux client does for O_EXCL."""
    if 81 not in c42.get(d, 'suppattr_exclcreat'):
        pytest.skip('it comes as a SETATTR, then')
    o = c42.open(d, b'f', how=op.exclusive_1(
        b'verifier', mode_umask=(0o666, 0o027)))
    assert c42.get(o.fh, 'mode') == 0o640


# --------------------------------------------------------- VERIFY, NVERIFY --


def test_verify_goes_on_when_all_is_the_same(c4, f):
    a = c4.attr(f, 'size', 'mode', 'type', 'change', 'fileid')
    c4.ok(op.putfh(f), op.verify(**a), op.getfh())
    c4.fails(x.NFS4ERR_SAME, op.putfh(f), op.nverify(**a))


def test_verify_stops_where_something_differs(c4, f):
    c4.fails(x.NFS4ERR_NOT_SAME, op.putfh(f), op.verify(size=4))
    c4.fails(x.NFS4ERR_NOT_SAME, op.putfh(f), op.verify(
        size=5, mode=0o600))
    c4.ok(op.putfh(f), op.nverify(size=4), op.getfh())
    c4.ok(op.putfh(f), op.nverify(size=5, mode=0o600), op.getfh())


@pytest.mark.parametrize('attributes, status', [
    (x.fattr4(op.bitmap([11]), bytes(4)), x.NFS4ERR_INVAL),
    (x.fattr4(op.bitmap([48]), bytes(4)), x.NFS4ERR_INVAL),
    (x.fattr4(op.bitmap([54]), bytes(4)), x.NFS4ERR_INVAL),
    (x.fattr4(op.bitmap([12]), bytes(4)), x.NFS4ERR_ATTRNOTSUPP),
    (x.fattr4(op.bitmap([95]), bytes(4)), x.NFS4ERR_ATTRNOTSUPP)],
    ids=['rdattr_error', 'access_set', 'modify_set', 'acl', '95'])
def test_what_cannot_be_compared_is_an_error(c4, f, attributes, status):
    c4.fails(status, op.putfh(f), op.verify_fattr(attributes))
    c4.fails(status, op.putfh(f), op.nverify_fattr(attributes))


def test_every_attribute_equals_itself(c4, f, d):
    supported = [n for n in c4.get(f, 'supported_attrs')
                 if n not in (11, 48, 54, 81, 42, 43, 21, 22)]
    for fh in (f, d):
        for n in supported:
            a = c4.ok(op.putfh(fh), op.getattr_(n))[1].obj_attributes
            c4.ok(op.putfh(fh), op.verify_fattr(a))
            c4.fails(x.NFS4ERR_SAME, op.putfh(fh), op.nverify_fattr(a))


def test_a_shorter_value_is_not_the_same(c4, f):
    """Or it is bad XDR: but never the same."""
    for vals in (bytes(4), b''):
        reply = c4(op.putfh(f), op.verify_fattr(
            x.fattr4(op.bitmap([4]), vals)))
        assert reply.status in (x.NFS4ERR_NOT_SAME, x.NFS4ERR_BADXDR)


def test_required_attributes_are_supported(c4, f):
    assert set(REQUIRED) <= set(c4.get(f, 'supported_attrs'))
