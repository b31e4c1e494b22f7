"""Filehandles, names and directories: PUTFH … SECINFO_NO_NAME (RFC 8881
18.1, 18.4, 18.8, 18.9, 18.13, 18.14, 18.19 to 18.21, 18.24 to 18.29, 18.45;
PROTOCOL 4 and 12)."""

import nfs4 as x
import nfs4_client
import nfs4_ops as op
import pytest
import wire

BADNAMES = {'empty': b'', 'dot': b'.', 'dotdot': b'..', 'slash': b'a/b',
            'nul': b'a\0b'}
BAD = (x.NFS4ERR_INVAL, x.NFS4ERR_BADNAME, x.NFS4ERR_BADCHAR)


# ------------------------------------------------------------- filehandles --


def test_the_root_has_a_handle(c4):
    fh = c4.root()
    assert 1 <= len(fh) <= 128
    assert c4.ok(op.putfh(fh), op.getfh())[1].object == fh
    assert c4.get(fh, 'type') == op.DIR


def test_the_public_handle_is_the_root(c4):
    assert c4.ok(op.putpubfh(), op.getfh())[1].object == c4.root()


@pytest.mark.parametrize('fh', [b'', b'x', bytes(31), bytes(33), bytes(128),
                                b'\xff' * 32], ids=len)
def test_what_is_no_handle_is_a_bad_one(c4, fh):
    assert c4(op.putfh(fh), op.getfh()).status in (
        x.NFS4ERR_BADHANDLE, x.NFS4ERR_STALE)


def test_every_bit_of_a_handle_counts(c4, d):
    fh = c4.make(d, b'f')
    for i in range(8 * len(fh)):
        b = bytearray(fh)
        b[i // 8] ^= 1 << i % 8
        reply = c4(op.putfh(bytes(b)), op.getattr_('type'))
        assert reply.status in (x.NFS4ERR_BADHANDLE, x.NFS4ERR_STALE), i


def test_a_handle_of_what_was_removed_is_stale(c4, d):
    fh = c4.make(d, b'f')
    c4.ok(op.putfh(d), op.remove(b'f'))
    assert c4(op.putfh(fh), op.getattr_('type')).status == x.NFS4ERR_STALE


def test_rename_changes_no_handle(c4, d):
    sub = c4.mkdir(d, b'sub')
    fh = c4.make(sub, b'f')
    c4.ok(op.putfh(d), op.savefh(), op.rename(b'sub', b'other'))
    assert c4.find(d, b'other', b'f') == fh
    assert c4.get(fh, 'type') == op.REG


def test_savefh_and_restorefh(c4, d):
    c4.mkdir(d, b'sub')
    res = c4.ok(op.putfh(d), op.savefh(), op.lookup(b'sub'), op.getfh(),
                op.restorefh(), op.getfh(), op.restorefh(), op.getfh())
    assert res[3].object != d
    assert res[5].object == res[7].object == d


def test_restorefh_of_nothing_is_an_error(c4, d):
    """RFC 7530 16.29.5; RFC 8881 18.27.3 has it by another name."""
    reply = c4(op.putfh(d), op.restorefh())
    assert reply.status == x.NFS4ERR_RESTOREFH or (
        c4.minor > 0 and reply.status == x.NFS4ERR_NOFILEHANDLE)


def test_the_saved_handle_does_not_outlive_its_compound(c4, d):
    c4.ok(op.putfh(d), op.savefh())
    assert c4(op.putfh(d), op.restorefh()).status != 0
    assert c4(op.getfh()).status == x.NFS4ERR_NOFILEHANDLE


# --------------------------------------------------------- LOOKUP, LOOKUPP --


def test_lookup_goes_down_and_lookupp_up(c4, d):
    sub = c4.mkdir(d, b'sub')
    res = c4.ok(op.putfh(d), op.lookup(b'sub'), op.getfh(), op.lookupp(),
                op.getfh())
    assert (res[2].object, res[4].object) == (sub, d)


def test_above_the_root_is_nothing(c4):
    c4.fails(x.NFS4ERR_NOENT, op.putrootfh(), op.lookupp())


def test_lookup_of_what_is_not_there(c4, d):
    c4.fails(x.NFS4ERR_NOENT, op.putfh(d), op.lookup(b'none'))


@pytest.mark.parametrize('what', ['file', 'link'])
def test_lookup_in_what_is_no_directory(c4, d, what):
    if what == 'file':
        fh, wanted = c4.make(d, b'f'), (x.NFS4ERR_NOTDIR,)
    else:
        fh, wanted = c4.symlink(d, b'l', b'.'), (x.NFS4ERR_SYMLINK,)
    c4_status = c4(op.putfh(fh), op.lookup(b'n')).status
    assert c4_status in wanted
    assert c4(op.putfh(fh), op.lookupp()).status in (
        x.NFS4ERR_NOTDIR, x.NFS4ERR_SYMLINK)


NAMED = {
    'LOOKUP': lambda n: [op.lookup(n)],
    'CREATE': lambda n: [op.mkdir(n)],
    'REMOVE': lambda n: [op.remove(n)],
    'RENAME from': lambda n: [op.savefh(), op.rename(n, b'new')],
    'RENAME to': lambda n: [op.savefh(), op.rename(b'f', n)],
    'LINK': lambda n: [op.link(n)],     # of a file saved before
    'SECINFO': lambda n: [op.secinfo(n)],
}


@pytest.mark.parametrize('bad', sorted(BADNAMES))
@pytest.mark.parametrize('name', sorted(NAMED))
def test_a_name_that_cannot_be_is_refused(c4, d, name, bad):
    fh = c4.make(d, b'f')
    reply = c4(op.putfh(fh), op.savefh(), op.putfh(d),
               *NAMED[name](BADNAMES[bad]))
    assert reply.status in BAD, reply
    if bad == 'empty':
        assert reply.status == x.NFS4ERR_INVAL
    assert c4.names(d) == [b'f']


@pytest.mark.parametrize('name', sorted(NAMED))
def test_a_name_of_256_bytes_is_too_long(c4, d, name):
    fh = c4.make(d, b'f')
    reply = c4(op.putfh(fh), op.savefh(), op.putfh(d),
               *NAMED[name](b'n' * 256))
    assert reply.status == x.NFS4ERR_NAMETOOLONG
    assert c4.names(d) == [b'f']


@pytest.mark.parametrize('name', sorted(NAMED))
def test_a_name_in_a_file_is_refused(c4, d, name):
    fh = c4.make(d, b'f')
    operations = NAMED[name](b'n')
    if name == 'LINK':
        operations = [op.savefh(), op.link(b'n')]
    assert c4(op.putfh(fh), *operations).status == x.NFS4ERR_NOTDIR


@pytest.mark.parametrize('name', [
    b'n' * 255, b'a b', b'\xff\xfe\xfd', b'...', b' ', b'-',
    'ü'.encode(), b'\x01', b'.nfs0001', b'%2F'])
def test_any_other_name_is_a_name(c4, d, name):
    fh = c4.make(d, name, b'x')
    assert c4.find(d, name) == fh
    assert c4.names(d) == [name]
    c4.ok(op.putfh(d), op.savefh(), op.rename(name, b'plain'),
          op.rename(b'plain', name), op.remove(name))


def test_names_are_told_apart_by_every_byte(c4, d):
    names = [b'a', b'A', b'a ', 'é'.encode(), 'e\u0301'.encode(), b'\xe9']
    handles = {c4.make(d, n) for n in names}
    assert len(handles) == len(names)
    assert sorted(c4.names(d)) == sorted(names)


# ----------------------------------------------------------------- CREATE --


def test_create_makes_everything_but_files(c4, d):
    c4.ok(op.putfh(d), op.mkdir(b'dir'))
    c4.ok(op.putfh(d), op.symlink(b'link', b'over there'))
    c4.ok(op.putfh(d), op.create(b'fifo', op.FIFO))
    c4.ok(op.putfh(d), op.create(b'sock', op.SOCK))
    c4.ok(op.putfh(d), op.mknod(b'chr', op.CHR, 5, 6))
    c4.ok(op.putfh(d), op.mknod(b'blk', op.BLK, 7, 8))
    assert c4.names(d) == [b'dir', b'link', b'fifo', b'sock', b'chr', b'blk']
    assert c4.get(c4.find(d, b'blk'), 'rawdev') == (7, 8)
    assert c4.ok(op.putfh(c4.find(d, b'link')), op.readlink())[1].link == \
        b'over there'


@pytest.mark.parametrize('kind', [op.REG, 8, 9])
def test_create_makes_no_files(c4, d, kind):
    c4.fails(x.NFS4ERR_BADTYPE, op.putfh(d), op.create(b'n', kind))
    assert c4.names(d) == []


def test_create_sets_attributes_and_the_current_handle(c4, d):
    res = c4.ok(op.putfh(d), op.mkdir(
        b'n', 0o2751, owner=b'3', owner_group=b'4'), op.getfh(),
        op.getattr_('mode', 'owner', 'owner_group', 'type'))
    assert op.bits(res[1].attrset) == [33, 36, 37]
    assert op.values(res[3].obj_attributes) == {
        'type': op.DIR, 'mode': 0o2751, 'owner': b'3', 'owner_group': b'4'}
    assert res[2].object == c4.find(d, b'n')


def test_create_of_what_is_there_already(c4, d):
    c4.make(d, b'f')
    for operation in (op.mkdir(b'f'), op.symlink(b'f', b't'),
                      op.create(b'f', op.FIFO)):
        c4.fails(x.NFS4ERR_EXIST, op.putfh(d), operation)


def test_a_symbolic_link_to_nothing_is_invalid(c4, d):
    c4.fails(x.NFS4ERR_INVAL, op.putfh(d), op.symlink(b'l', b''))


def test_a_device_is_made_by_root_alone(v4, d, clients):
    c = nfs4_client.Client1(v4, 1, cred=wire.user(1000))
    clients.append(c)
    assert c(op.putfh(d), op.mknod(b'n', op.CHR, 1, 3)).status in (
        x.NFS4ERR_PERM, x.NFS4ERR_ACCESS)
    c.ok(op.putfh(d), op.create(b'fifo', op.FIFO))


# ------------------------------------------------ change_info, and REMOVE --


def test_change_info_is_atomic_and_that_of_getattr(c4, d):
    """Before and after of everything that changes a directory."""
    fh = c4.make(d, b'f')
    other = c4.mkdir(d, b'other')

    def change(directory=d):
        return c4.get(directory, 'change')

    def check(operations, pick, directory=d):
        before = change(directory)
        info = pick(c4.ok(*operations)[-1])
        assert info.atomic
        assert (info.before, info.after) == (before, change(directory))
        assert info.after > info.before

    check([op.putfh(d), op.mkdir(b'a')], lambda r: r.cinfo)
    check([op.putfh(d), op.symlink(b'b', b't')], lambda r: r.cinfo)
    check([op.putfh(fh), op.savefh(), op.putfh(d), op.link(b'c')],
          lambda r: r.cinfo)
    check([op.putfh(d), op.remove(b'c')], lambda r: r.cinfo)
    check([op.putfh(d), op.remove(b'a')], lambda r: r.cinfo)
    check([op.putfh(d), op.savefh(), op.rename(b'f', b'g')],
          lambda r: r.source_cinfo)
    check([op.putfh(d), op.savefh(), op.rename(b'g', b'f')],
          lambda r: r.target_cinfo)
    check([op.putfh(d), op.savefh(), op.putfh(other),
           op.rename(b'f', b'f')], lambda r: r.source_cinfo)
    check([op.putfh(other), op.savefh(), op.putfh(d),
           op.rename(b'f', b'f')], lambda r: r.source_cinfo, other)
    check([op.putfh(d), op.savefh(), op.putfh(other),
           op.rename(b'f', b'f')], lambda r: r.target_cinfo, other)


def test_remove_removes_files_and_directories(c4, d):
    c4.make(d, b'f')
    c4.mkdir(d, b'sub')
    c4.symlink(d, b'l', b't')
    for name in (b'f', b'sub', b'l'):
        c4.ok(op.putfh(d), op.remove(name))
    assert c4.names(d) == []


def test_a_directory_that_is_not_empty_is_not_removed(c4, d):
    sub = c4.mkdir(d, b'sub')
    c4.make(sub, b'f')
    c4.fails(x.NFS4ERR_NOTEMPTY, op.putfh(d), op.remove(b'sub'))
    c4.ok(op.putfh(sub), op.remove(b'f'))
    c4.ok(op.putfh(d), op.remove(b'sub'))


def test_remove_of_what_is_not_there(c4, d):
    c4.fails(x.NFS4ERR_NOENT, op.putfh(d), op.remove(b'none'))


def test_nothing_is_made_in_a_removed_directory(c4, d):
    sub = c4.mkdir(d, b'sub')
    c4.ok(op.putfh(d), op.remove(b'sub'))
    assert c4(op.putfh(sub), op.mkdir(b'n')).status in (
        x.NFS4ERR_STALE, x.NFS4ERR_NOENT)


# ------------------------------------------------------------ RENAME, LINK --


def rename(c, source, old, target, new):
    return c(op.putfh(source), op.savefh(), op.putfh(target),
             op.rename(old, new))


def test_rename_moves_and_replaces(c4, d):
    sub = c4.mkdir(d, b'sub')
    fh = c4.make(d, b'f', b'f')
    c4.make(sub, b'g', b'g')
    assert rename(c4, d, b'f', sub, b'g').status == 0
    assert c4.find(sub, b'g') == fh
    assert (c4.names(d), c4.names(sub)) == ([b'sub'], [b'g'])


@pytest.mark.parametrize('old, new, status', [
    (b'none', b'x', x.NFS4ERR_NOENT), (b'f', b'full', x.NFS4ERR_EXIST),
    (b'full', b'f', x.NFS4ERR_EXIST), (b'sub', b'full', x.NFS4ERR_EXIST),
    (b'f', b'f', 0), (b'sub', b'sub', 0), (b'sub', b'empty', 0)])
def test_what_rename_does_with_what_is_there(c4, d, old, new, status):
    c4.make(d, b'f')
    for name in (b'sub', b'full', b'empty'):
        c4.mkdir(d, name)
    c4.make(c4.find(d, b'full'), b'x')
    allowed = {x.NFS4ERR_EXIST: (x.NFS4ERR_EXIST, x.NFS4ERR_NOTEMPTY,
                                 x.NFS4ERR_ISDIR, x.NFS4ERR_NOTDIR)}
    got = rename(c4, d, old, d, new).status
    assert got in allowed.get(status, (status,))


def test_a_directory_does_not_go_into_itself(c4, d):
    sub = c4.mkdir(d, b'sub')
    below = c4.mkdir(sub, b'below')
    for target in (sub, below):
        assert rename(c4, d, b'sub', target, b'n').status == \
            x.NFS4ERR_INVAL


def test_rename_onto_another_link_of_the_same_file_does_nothing(c4, d):
    fh = c4.make(d, b'f')
    c4.ok(op.putfh(fh), op.savefh(), op.putfh(d), op.link(b'g'))
    assert rename(c4, d, b'f', d, b'g').status == 0
    assert c4.names(d) == [b'f', b'g']


def test_rename_from_what_is_no_directory(c4, d):
    fh = c4.make(d, b'f')
    assert rename(c4, fh, b'a', d, b'b').status == x.NFS4ERR_NOTDIR
    assert rename(c4, d, b'f', fh, b'b').status == x.NFS4ERR_NOTDIR


def test_link_makes_a_second_name(c4, d):
    fh = c4.make(d, b'f', b'data')
    c4.ok(op.putfh(fh), op.savefh(), op.putfh(d), op.link(b'g'))
    assert c4.find(d, b'g') == fh
    assert c4.get(fh, 'numlinks') == 2


def test_link_fails_where_it_must(c4, d):
    fh = c4.make(d, b'f')
    sub = c4.mkdir(d, b'sub')
    c4.fails(x.NFS4ERR_EXIST, op.putfh(fh), op.savefh(), op.putfh(d),
             op.link(b'sub'))
    c4.fails(x.NFS4ERR_ISDIR, op.putfh(sub), op.savefh(), op.putfh(d),
             op.link(b'n'))
    c4.fails(x.NFS4ERR_NOTDIR, op.putfh(fh), op.savefh(), op.link(b'n'))


# --------------------------------------------------------- READLINK, ACCESS --


@pytest.mark.parametrize('kind', ['file', 'dir'])
def test_readlink_of_what_is_no_link(c4, d, kind):
    fh = c4.make(d, b'n') if kind == 'file' else d
    reply = c4(op.putfh(fh), op.readlink())
    assert reply.status in ((x.NFS4ERR_INVAL,) if c4.minor == 0 else (
        x.NFS4ERR_WRONG_TYPE, x.NFS4ERR_INVAL, x.NFS4ERR_ISDIR))


def test_a_link_of_4_kib_is_read(c4, d):
    text = b'x' * 4000
    fh = c4.symlink(d, b'l', text)
    assert c4.ok(op.putfh(fh), op.readlink())[1].link == text


@pytest.mark.parametrize('kind, bits', [
    ('file', x.ACCESS4_READ | x.ACCESS4_MODIFY | x.ACCESS4_EXTEND |
     x.ACCESS4_EXECUTE),
    ('dir', x.ACCESS4_READ | x.ACCESS4_LOOKUP | x.ACCESS4_MODIFY |
     x.ACCESS4_EXTEND | x.ACCESS4_DELETE)])
def test_access_answers_only_what_is_asked_and_there_is(c4, d, kind, bits):
    fh = c4.make(d, b'f', mode=0o755) if kind == 'file' else d
    for want in range(64):
        res = c4.ok(op.putfh(fh), op.access(want))[1]
        assert res.supported & ~want == 0
        assert res.access & ~res.supported == 0
        if kind == 'file':
            assert not res.supported & x.ACCESS4_LOOKUP
        else:
            assert not res.supported & x.ACCESS4_EXECUTE
    assert c4.ok(op.putfh(fh), op.access(0x3f))[1].access & bits == bits


def test_access_bits_that_nobody_knows_are_not_supported(c4, d):
    reply = c4(op.putfh(d), op.access(0xfffffe00 | 1))
    if reply.status == 0:
        assert reply[1].supported == 1
    else:
        assert reply.status == x.NFS4ERR_INVAL


def test_access_is_that_of_who_asks(v4, d, clients):
    root = nfs4_client.Client1(v4, 1)
    user = nfs4_client.Client1(v4, 1, cred=wire.user(1000))
    clients += [root, user]
    fh = root.make(d, b'f', mode=0o604)
    assert user.ok(op.putfh(fh), op.access())[1].access == x.ACCESS4_READ
    root.ok(op.putfh(fh), op.setattr_(mode=0o602))
    assert user.ok(op.putfh(fh), op.access())[1].access == \
        x.ACCESS4_MODIFY | x.ACCESS4_EXTEND


def test_access_knows_extended_attributes_in_4_2(c42, d):
    fh = c42.make(d, b'f')
    bits = x.ACCESS4_XAREAD | x.ACCESS4_XAWRITE | x.ACCESS4_XALIST
    res = c42.ok(op.putfh(fh), op.access(bits))[1]
    assert (res.supported, res.access) == (bits, bits)


# ---------------------------------------------- SECINFO, SECINFO_NO_NAME --


def flavors(res):
    return [f.flavor for f in res]


def test_secinfo_lists_a_flavour(c4, d):
    c4.make(d, b'f')
    res = c4.ok(op.putfh(d), op.secinfo(b'f'))[1]
    assert 1 in flavors(res)


def test_secinfo_of_what_is_not_there(c4, d):
    c4.fails(x.NFS4ERR_NOENT, op.putfh(d), op.secinfo(b'none'))


def test_secinfo_consumes_the_filehandle_in_sessions(c41, d):
    c41.make(d, b'f')
    c41.fails(x.NFS4ERR_NOFILEHANDLE, op.putfh(d), op.secinfo(b'f'),
              op.getfh())


def test_secinfo_leaves_the_filehandle_in_4_0(c40, d):
    """RFC 7530 16.31 knows nothing of that."""
    c40.make(d, b'f')
    assert c40(op.putfh(d), op.secinfo(b'f'), op.getfh()).status in (
        0, x.NFS4ERR_NOFILEHANDLE)


@pytest.mark.parametrize('style', [0, 1])
def test_secinfo_no_name_lists_a_flavour_and_consumes_the_filehandle(
        c41, d, style):
    res = c41.ok(op.putfh(d), op.secinfo_no_name(style))[1]
    assert 1 in flavors(res)
    c41.fails(x.NFS4ERR_NOFILEHANDLE, op.putfh(d),
              op.secinfo_no_name(style), op.getattr_('type'))


def test_secinfo_no_name_of_the_root_is_what_linux_asks_first(c41):
    assert 1 in flavors(c41.ok(op.putrootfh(), op.secinfo_no_name(0))[1])


def test_above_the_root_there_is_no_security(c41):
    c41.fails(x.NFS4ERR_NOENT, op.putrootfh(), op.secinfo_no_name(1))


def test_a_style_that_is_none_is_bad_xdr(c41, d):
    c41.fails(x.NFS4ERR_BADXDR, op.putfh(d), op.raw(
        x.OP_SECINFO_NO_NAME, b'\0\0\0\2'))
