"""NFS version 3: what makes, finds and removes names (RFC 1813, 3.3.3,
3.3.8 to 3.3.15)."""

import nfs3
import pytest
from wire import fails, made, ok, post, stamp, wcc

LONGEST = b'n' * 255
TOO_LONG = b'n' * 256
BAD_NAMES = [b'', b'.', b'..', b'a/b', b'/', b'a\0b']


def all_changed(c, fh, old):
    """mtime and ctime of a directory have moved on."""
    a = c.attr(fh)
    assert stamp(a.mtime) > stamp(old.mtime)
    assert stamp(a.ctime) > stamp(old.ctime)


def dir_wcc(c, d, old, wcc_data):
    """wcc data of a directory that has changed since `old`."""
    before, after = wcc(wcc_data)
    assert (before.size, before.mtime, before.ctime) == (
        old.size, old.mtime, old.ctime)
    assert after == c.attr(d)
    assert stamp(after.ctime) > stamp(before.ctime)


def dir_wcc_failed(c, d, old, wcc_data):
    """... of one that did not: a client's cache of it may stay."""
    before, after = wcc(wcc_data)
    assert after == old == c.attr(d)
    assert (before.size, before.mtime, before.ctime) == (
        old.size, old.mtime, old.ctime)


# ---------------------------------------------------------------- LOOKUP --


def test_lookup_gives_handle_and_attributes_of_both(c, d):
    fh = c.make(d, b'f', b'123')
    data = ok(c.lookup(d, b'f'))
    assert data.object.data == fh
    assert post(data.obj_attributes) == c.attr(fh)
    assert post(data.dir_attributes) == c.attr(d)


def test_lookup_of_what_is_not_there_is_noent(c, d):
    failed = fails(c.lookup(d, b'nothing'), nfs3.NFS3ERR_NOENT)
    assert post(failed.dir_attributes) == c.attr(d)


def test_lookup_in_what_is_no_directory_is_notdir(c, d):
    fh = c.make(d, b'f')
    fails(c.lookup(fh, b'x'), nfs3.NFS3ERR_NOTDIR)
    fails(c.lookup(fh, b'.'), nfs3.NFS3ERR_NOTDIR)
    fails(c.lookup(c.make_link(d, b'l', b'.'), b'f'), nfs3.NFS3ERR_NOTDIR)


def test_lookup_of_dot_and_dot_dot(c, d, root_fh):
    sub = c.make_dir(d, b'sub')
    assert c.find(d, b'.') == d
    assert c.find(sub, b'..') == d
    assert c.find(d, b'..') == root_fh
    assert c.find(root_fh, b'..') == root_fh


def test_a_name_of_255_bytes_is_found_and_256_are_too_long(c, d):
    fh = c.make(d, LONGEST)
    assert c.find(d, LONGEST) == fh
    fails(c.lookup(d, TOO_LONG), nfs3.NFS3ERR_NAMETOOLONG)
    fails(c.lookup(d, b'n' * 5000), nfs3.NFS3ERR_NAMETOOLONG)


@pytest.mark.parametrize('name', [b'', b'a/b', b'a\0b'])
def test_lookup_of_names_that_cannot_be(c, d, name):
    assert c.lookup(d, name).status in (
        nfs3.NFS3ERR_ACCES, nfs3.NFS3ERR_INVAL, nfs3.NFS3ERR_NOENT)


def test_names_are_bytes_of_any_kind(c, d):
    for name in (b'\xff\xfe', 'é'.encode('latin-1'), 'ß'.encode(), b'\n',
                 b' ', b'*', b'\x01', b'...', b'.hidden'):
        fh = c.make(d, name)
        assert c.find(d, name) == fh


def test_lookup_needs_the_right_to_search(c, d, as_user):
    sub = c.make_dir(d, b'sub', mode=0o600, uid=1000)
    c.make(sub, b'f')
    fails(as_user(1000).lookup(sub, b'f'), nfs3.NFS3ERR_ACCES)
    ok(c.setattr(sub, mode=0o100))
    ok(as_user(1000).lookup(sub, b'f'))
    fails(as_user(1001).lookup(sub, b'f'), nfs3.NFS3ERR_ACCES)


# ---------------------------------------------------------------- CREATE --


def test_create_unchecked_makes_a_file(c, d):
    old = c.attr(d)
    data = ok(c.create(d, b'f', mode=0o640))
    assert post(data.obj_attributes) == c.attr(data.obj._data.data)
    assert post(data.obj_attributes).mode == 0o640
    dir_wcc(c, d, old, data.dir_wcc)


def test_create_unchecked_of_what_is_there_keeps_it(c, d):
    fh = c.make(d, b'f', b'12345', mode=0o600)
    assert made(c.create(d, b'f', mode=0o777)) == fh
    assert ok(c.read(fh)).data == b'12345'


def test_create_unchecked_with_size_0_truncates(c, d):
    fh = c.make(d, b'f', b'12345')
    assert made(c.create(d, b'f', size=0)) == fh
    assert c.attr(fh).size == 0


def test_create_guarded_of_what_is_there_is_exist(c, d):
    c.make(d, b'f', b'12345')
    old = c.attr(d)
    failed = fails(c.create(d, b'f', nfs3.GUARDED, mode=0o600),
                   nfs3.NFS3ERR_EXIST)
    dir_wcc_failed(c, d, old, failed.dir_wcc)


def test_create_over_a_directory_fails(c, d):
    c.make_dir(d, b'sub')
    fails(c.create(d, b'sub', nfs3.GUARDED), nfs3.NFS3ERR_EXIST)
    assert c.create(d, b'sub').status in (
        nfs3.NFS3ERR_EXIST, nfs3.NFS3ERR_ISDIR)


def test_create_exclusive_twice_with_one_verifier_is_one_file(c, d):
    verf = b'12345678'
    one = made(c.create(d, b'f', nfs3.EXCLUSIVE, verf))
    assert made(c.create(d, b'f', nfs3.EXCLUSIVE, verf)) == one


def test_create_exclusive_with_another_verifier_is_exist(c, d):
    made(c.create(d, b'f', nfs3.EXCLUSIVE, b'12345678'))
    old = c.attr(d)
    failed = fails(c.create(d, b'f', nfs3.EXCLUSIVE, b'12345679'),
                   nfs3.NFS3ERR_EXIST)
    dir_wcc_failed(c, d, old, failed.dir_wcc)


def test_create_exclusive_of_what_was_made_otherwise_is_exist(c, d):
    c.make(d, b'f')
    for verf in (bytes(8), b'\xff' * 8, b'12345678'):
        fails(c.create(d, b'f', nfs3.EXCLUSIVE, verf), nfs3.NFS3ERR_EXIST)


def test_a_verifier_is_not_kept_in_the_times_a_client_may_set(c, d):
    verf = b'\0\0\0\1\0\0\0\2'
    fh = made(c.create(d, b'f', nfs3.EXCLUSIVE, verf))
    ok(c.setattr(fh, mode=0o644, atime=(7, 7), mtime=(8, 8)))
    assert made(c.create(d, b'f', nfs3.EXCLUSIVE, verf)) == fh
    a = c.attr(fh)
    assert (a.atime.seconds, a.mtime.seconds) == (7, 8)


def test_create_needs_the_right_to_write_the_directory(c, d, as_user):
    sub = c.make_dir(d, b'sub', mode=0o755, uid=1000)
    other = as_user(1001)
    for how, more in ((nfs3.UNCHECKED, {}), (nfs3.GUARDED, {}),
                      (nfs3.EXCLUSIVE, {'verf': b'12345678'})):
        fails(other.create(sub, b'f', how, **more), nfs3.NFS3ERR_ACCES)
    assert c.names(sub) == []
    ok(as_user(1000).create(sub, b'f'))


def test_create_in_what_is_no_directory_is_notdir(c, d):
    fh = c.make(d, b'f')
    fails(c.create(fh, b'x'), nfs3.NFS3ERR_NOTDIR)


def test_a_new_file_belongs_to_who_made_it(c, d, as_user):
    fh = as_user(1000, 1007).make(d, b'f')
    a = c.attr(fh)
    assert (a.uid, a.gid) == (1000, 1007)


def test_a_setgid_directory_gives_its_group(c, d, as_user):
    sub = c.make_dir(d, b'sub', uid=1000, gid=77)
    ok(c.setattr(sub, mode=0o2777))
    user = as_user(1001, 1001)
    assert c.attr(user.make(sub, b'f')).gid == 77
    a = c.attr(user.make_dir(sub, b'deeper'))
    assert a.gid == 77
    assert a.mode & 0o2000


def test_a_user_may_not_make_files_for_another(c, d, as_user):
    res = as_user(1000).create(d, b'f', nfs3.GUARDED, uid=1001, gid=51,
                               mode=0o600)
    if res.status == nfs3.NFS3_OK:      # as the Linux server does it
        a = c.attr(made(res))
        assert (a.uid, a.gid) == (1000, 1000)
    else:
        assert res.status in (nfs3.NFS3ERR_PERM, nfs3.NFS3ERR_ACCES)


# ---------------------------------------------------- MKDIR and the like --


def test_mkdir_makes_a_directory_and_counts_a_link(c, d):
    old = c.attr(d)
    data = ok(c.mkdir(d, b'sub', mode=0o750))
    a = post(data.obj_attributes)
    assert (a.type, a.mode, a.nlink) == (nfs3.NF3DIR, 0o750, 2)
    dir_wcc(c, d, old, data.dir_wcc)
    assert c.attr(d).nlink == old.nlink + 1
    ok(c.rmdir(d, b'sub'))
    assert c.attr(d).nlink == old.nlink


def test_mkdir_over_anything_is_exist(c, d):
    c.make(d, b'f')
    c.make_dir(d, b'sub')
    c.make_link(d, b'l', b'nowhere')
    old = c.attr(d)
    for name in (b'f', b'sub', b'l'):
        failed = fails(c.mkdir(d, name), nfs3.NFS3ERR_EXIST)
        dir_wcc_failed(c, d, old, failed.dir_wcc)


def test_symlink_keeps_its_text_as_it_is(c, d):
    old = c.attr(d)
    text = b'../x//\xff ' + b't' * 1000
    data = ok(c.symlink(d, b'l', text, mode=0o777))
    a = post(data.obj_attributes)
    assert (a.type, a.size) == (nfs3.NF3LNK, len(text))
    dir_wcc(c, d, old, data.dir_wcc)
    data = ok(c.readlink(data.obj._data.data))
    assert data.data == text
    post(data.symlink_attributes)


def test_symlink_over_anything_is_exist(c, d):
    c.make(d, b'f')
    fails(c.symlink(d, b'f', b'x'), nfs3.NFS3ERR_EXIST)


def test_a_symlink_to_nothing_or_too_much_is_refused(c, d):
    assert c.symlink(d, b'l', b'').status in (
        nfs3.NFS3ERR_INVAL, nfs3.NFS3ERR_NOENT)
    assert c.symlink(d, b'm', b't' * 70000).status in (
        nfs3.NFS3ERR_NAMETOOLONG, nfs3.NFS3ERR_INVAL)
    assert c.names(d) == []


def test_readlink_of_what_is_no_symlink_is_invalid(c, d):
    fails(c.readlink(d), nfs3.NFS3ERR_INVAL)
    failed = fails(c.readlink(c.make(d, b'f')), nfs3.NFS3ERR_INVAL)
    post(failed.symlink_attributes)


@pytest.mark.parametrize('kind', [nfs3.NF3CHR, nfs3.NF3BLK, nfs3.NF3SOCK,
                                  nfs3.NF3FIFO])
def test_mknod_makes_each_special_file(c, d, kind):
    old = c.attr(d)
    data = ok(c.mknod(d, b's', kind, rdev=(0x123, 0x45678), mode=0o640))
    a = post(data.obj_attributes)
    assert (a.type, a.mode) == (kind, 0o640)
    if kind in (nfs3.NF3CHR, nfs3.NF3BLK):
        assert a.rdev == nfs3.specdata3(0x123, 0x45678)
    dir_wcc(c, d, old, data.dir_wcc)
    assert c.find(d, b's') == data.obj._data.data
    fails(c.mknod(d, b's', kind), nfs3.NFS3ERR_EXIST)
    ok(c.remove(d, b's'))


@pytest.mark.parametrize('kind', [nfs3.NF3REG, nfs3.NF3DIR, nfs3.NF3LNK])
def test_mknod_of_other_types_is_badtype(c, d, kind):
    fails(c.mknod(d, b's', kind), nfs3.NFS3ERR_BADTYPE)
    assert c.names(d) == []


def test_devices_are_for_root(c, d, as_user):
    user = as_user(1000)
    for kind in (nfs3.NF3CHR, nfs3.NF3BLK):
        assert user.mknod(d, b's', kind, mode=0o666).status in (
            nfs3.NFS3ERR_PERM, nfs3.NFS3ERR_ACCES)
    ok(user.mknod(d, b'pipe', nfs3.NF3FIFO, mode=0o600))
    ok(user.mknod(d, b'sock', nfs3.NF3SOCK, mode=0o600))


def test_special_files_have_no_bytes_here(c, d):
    fh = made(c.mknod(d, b'p', nfs3.NF3FIFO, mode=0o666))
    assert c.read(fh).status in (nfs3.NFS3ERR_INVAL, nfs3.NFS3ERR_NXIO)
    assert c.write(fh, 0, b'x').status in (
        nfs3.NFS3ERR_INVAL, nfs3.NFS3ERR_NXIO)


@pytest.mark.parametrize('name', BAD_NAMES)
def test_no_procedure_makes_a_name_that_cannot_be(c, d, name):
    fh = c.make(d, b'f')
    for res in (c.create(d, name), c.create(d, name, nfs3.GUARDED),
                c.create(d, name, nfs3.EXCLUSIVE, b'12345678'),
                c.mkdir(d, name), c.symlink(d, name, b'x'),
                c.mknod(d, name, nfs3.NF3FIFO), c.link(fh, d, name),
                c.rename(d, b'f', d, name)):
        assert res.status in (nfs3.NFS3ERR_ACCES, nfs3.NFS3ERR_INVAL,
                              nfs3.NFS3ERR_EXIST, nfs3.NFS3ERR_ISDIR), res
    assert c.names(d) == [b'f']


def test_no_procedure_makes_a_name_of_256_bytes(c, d):
    fh = c.make(d, b'f')
    for res in (c.create(d, TOO_LONG), c.mkdir(d, TOO_LONG),
                c.symlink(d, TOO_LONG, b'x'),
                c.mknod(d, TOO_LONG, nfs3.NF3FIFO), c.link(fh, d, TOO_LONG),
                c.rename(d, b'f', d, TOO_LONG), c.remove(d, TOO_LONG),
                c.rmdir(d, TOO_LONG), c.rename(d, TOO_LONG, d, b'g')):
        assert res.status == nfs3.NFS3ERR_NAMETOOLONG, res
    assert c.names(d) == [b'f']


def test_every_procedure_with_a_name_wants_a_directory(c, d):
    f = c.make(d, b'f')
    c.make(d, b'g')
    for res in (c.mkdir(f, b'x'), c.symlink(f, b'x', b'y'),
                c.mknod(f, b'x', nfs3.NF3FIFO), c.remove(f, b'x'),
                c.rmdir(f, b'x'), c.rename(f, b'x', d, b'y'),
                c.rename(d, b'g', f, b'y'), c.link(f, f, b'x')):
        assert res.status == nfs3.NFS3ERR_NOTDIR, res


def test_every_procedure_that_changes_a_directory_needs_write(c, d, as_user):
    sub = c.make_dir(d, b'sub', mode=0o755, uid=1000)
    f = c.make(sub, b'f', mode=0o666)
    c.make_dir(sub, b'dir', mode=0o777)
    user = as_user(1001)
    old = c.attr(sub)
    for res in (user.mkdir(sub, b'x'), user.symlink(sub, b'x', b'y'),
                user.mknod(sub, b'x', nfs3.NF3FIFO), user.remove(sub, b'f'),
                user.rmdir(sub, b'dir'), user.rename(sub, b'f', sub, b'g'),
                user.rename(sub, b'f', d, b'g'), user.link(f, sub, b'x')):
        assert res.status == nfs3.NFS3ERR_ACCES, res
    assert c.attr(sub) == old


# ----------------------------------------------------- REMOVE and RMDIR --


def test_remove_takes_the_name_away(c, d):
    fh = c.make(d, b'f')
    old = c.attr(d)
    dir_wcc(c, d, old, ok(c.remove(d, b'f')).dir_wcc)
    fails(c.lookup(d, b'f'), nfs3.NFS3ERR_NOENT)
    fails(c.getattr(fh), nfs3.NFS3ERR_STALE)


def test_remove_and_rmdir_of_nothing_are_noent(c, d):
    old = c.attr(d)
    failed = fails(c.remove(d, b'x'), nfs3.NFS3ERR_NOENT)
    dir_wcc_failed(c, d, old, failed.dir_wcc)
    failed = fails(c.rmdir(d, b'x'), nfs3.NFS3ERR_NOENT)
    dir_wcc_failed(c, d, old, failed.dir_wcc)


def test_remove_of_a_directory_is_isdir(c, d):
    c.make_dir(d, b'sub')
    fails(c.remove(d, b'sub'), nfs3.NFS3ERR_ISDIR)
    assert c.is_there(d, b'sub')


def test_remove_takes_everything_that_is_no_directory(c, d):
    c.make_link(d, b'l', b'nowhere')
    ok(c.mknod(d, b'p', nfs3.NF3FIFO))
    ok(c.mknod(d, b'c', nfs3.NF3CHR, (1, 3)))
    for name in (b'l', b'p', b'c'):
        ok(c.remove(d, name))
    assert c.names(d) == []


def test_rmdir_of_a_file_is_notdir(c, d):
    c.make(d, b'f')
    c.make_dir(d, b'sub')
    c.make_link(d, b'l', b'sub')
    fails(c.rmdir(d, b'f'), nfs3.NFS3ERR_NOTDIR)
    fails(c.rmdir(d, b'l'), nfs3.NFS3ERR_NOTDIR)
    assert len(c.names(d)) == 3


def test_rmdir_of_a_directory_in_use_is_notempty(c, d):
    sub = c.make_dir(d, b'sub')
    c.make(sub, b'f')
    old = c.attr(d)
    failed = fails(c.rmdir(d, b'sub'), nfs3.NFS3ERR_NOTEMPTY)
    dir_wcc_failed(c, d, old, failed.dir_wcc)
    ok(c.remove(sub, b'f'))
    ok(c.rmdir(d, b'sub'))
    fails(c.getattr(sub), nfs3.NFS3ERR_STALE)


def test_rmdir_of_dot_is_invalid_and_of_dot_dot_fails(c, d):
    sub = c.make_dir(d, b'sub')
    assert c.rmdir(sub, b'.').status in (
        nfs3.NFS3ERR_INVAL, nfs3.NFS3ERR_ACCES)
    assert c.rmdir(sub, b'..').status in (
        nfs3.NFS3ERR_EXIST, nfs3.NFS3ERR_INVAL, nfs3.NFS3ERR_NOTEMPTY,
        nfs3.NFS3ERR_ACCES)
    for name in (b'.', b'..'):
        assert c.remove(sub, name).status in (
            nfs3.NFS3ERR_INVAL, nfs3.NFS3ERR_ACCES, nfs3.NFS3ERR_ISDIR)
    assert c.is_there(d, b'sub')


def test_nothing_is_made_in_a_directory_that_was_removed(c, d):
    sub = c.make_dir(d, b'sub')
    f = c.make(d, b'f')
    ok(c.rmdir(d, b'sub'))
    for res in (c.create(sub, b'x'), c.mkdir(sub, b'x'),
                c.symlink(sub, b'x', b'y'), c.link(f, sub, b'x'),
                c.rename(d, b'f', sub, b'x'), c.lookup(sub, b'x'),
                c.readdir(sub), c.readdirplus(sub),
                c.lookup(sub, b'..'), c.lookup(sub, b'.')):
        assert res.status in (nfs3.NFS3ERR_STALE, nfs3.NFS3ERR_NOENT), res
    assert c.find(d, b'f') == f


def test_in_a_sticky_directory_only_owners_remove(c, d, as_user):
    sub = c.make_dir(d, b'sub')
    ok(c.setattr(sub, mode=0o1777))
    owner, other = as_user(1000), as_user(1001)
    for name in (b'f', b'g'):
        owner.make(sub, name)
    owner.make_dir(sub, b'dir')
    other.make(sub, b'h')
    for res in (other.remove(sub, b'f'), other.rename(sub, b'f', sub, b'x'),
                other.rmdir(sub, b'dir'), other.rename(sub, b'h', sub, b'g')):
        assert res.status in (nfs3.NFS3ERR_PERM, nfs3.NFS3ERR_ACCES), res
    ok(owner.remove(sub, b'f'))
    ok(owner.rmdir(sub, b'dir'))
    ok(c.remove(sub, b'g'))


# ---------------------------------------------------------------- RENAME --


def test_rename_keeps_the_handle(c, d):
    fh = c.make(d, b'f', b'123')
    old = c.attr(d)
    data = ok(c.rename(d, b'f', d, b'g'))
    dir_wcc(c, d, old, data.fromdir_wcc)
    dir_wcc(c, d, old, data.todir_wcc)
    assert c.names(d) == [b'g']
    assert c.find(d, b'g') == fh
    assert ok(c.read(fh)).data == b'123'


def test_rename_moves_between_directories(c, d):
    one, two = c.make_dir(d, b'one'), c.make_dir(d, b'two')
    fh = c.make(one, b'f')
    old1, old2 = c.attr(one), c.attr(two)
    data = ok(c.rename(one, b'f', two, b'g'))
    dir_wcc(c, one, old1, data.fromdir_wcc)
    dir_wcc(c, two, old2, data.todir_wcc)
    assert (c.names(one), c.names(two)) == ([], [b'g'])
    assert c.find(two, b'g') == fh


def test_rename_of_a_directory_moves_its_links_and_dot_dot(c, d):
    one, two = c.make_dir(d, b'one'), c.make_dir(d, b'two')
    sub = c.make_dir(one, b'sub')
    below = c.make(sub, b'below')
    assert (c.attr(one).nlink, c.attr(two).nlink) == (3, 2)
    ok(c.rename(one, b'sub', two, b'sub'))
    assert (c.attr(one).nlink, c.attr(two).nlink) == (2, 3)
    assert c.find(sub, b'..') == two
    assert c.find(sub, b'below') == below


def test_rename_replaces_a_file(c, d):
    old = c.make(d, b'g', b'old')
    new = c.make(d, b'f', b'new')
    ok(c.rename(d, b'f', d, b'g'))
    assert c.names(d) == [b'g']
    assert c.find(d, b'g') == new
    fails(c.getattr(old), nfs3.NFS3ERR_STALE)


def test_rename_replaces_an_empty_directory(c, d):
    c.make_dir(d, b'one')
    two = c.make_dir(d, b'two')
    links = c.attr(d).nlink
    ok(c.rename(d, b'one', d, b'two'))
    fails(c.getattr(two), nfs3.NFS3ERR_STALE)
    assert c.attr(d).nlink == links - 1


def test_rename_onto_a_directory_in_use_is_notempty(c, d):
    c.make_dir(d, b'one')
    two = c.make_dir(d, b'two')
    c.make(two, b'f')
    assert c.rename(d, b'one', d, b'two').status in (
        nfs3.NFS3ERR_NOTEMPTY, nfs3.NFS3ERR_EXIST)


def test_rename_of_a_file_onto_a_directory_fails_and_back(c, d):
    c.make(d, b'f')
    c.make_dir(d, b'sub')
    assert c.rename(d, b'f', d, b'sub').status in (
        nfs3.NFS3ERR_ISDIR, nfs3.NFS3ERR_EXIST)
    assert c.rename(d, b'sub', d, b'f').status in (
        nfs3.NFS3ERR_NOTDIR, nfs3.NFS3ERR_EXIST)
    assert sorted(c.names(d)) == [b'f', b'sub']


def test_rename_of_nothing_is_noent(c, d):
    old = c.attr(d)
    failed = fails(c.rename(d, b'x', d, b'y'), nfs3.NFS3ERR_NOENT)
    dir_wcc_failed(c, d, old, failed.fromdir_wcc)
    dir_wcc_failed(c, d, old, failed.todir_wcc)


def test_rename_onto_itself_or_another_link_does_nothing(c, d):
    fh = c.make(d, b'f')
    ok(c.link(fh, d, b'g'))
    ok(c.rename(d, b'f', d, b'f'))
    ok(c.rename(d, b'f', d, b'g'))
    assert sorted(c.names(d)) == [b'f', b'g']
    assert c.attr(fh).nlink == 2


def test_rename_of_a_directory_below_itself_is_invalid(c, d):
    one = c.make_dir(d, b'one')
    two = c.make_dir(one, b'two')
    fails(c.rename(d, b'one', one, b'x'), nfs3.NFS3ERR_INVAL)
    fails(c.rename(d, b'one', two, b'x'), nfs3.NFS3ERR_INVAL)
    assert c.find(two, b'..') == one


@pytest.mark.parametrize('name', [b'.', b'..'])
def test_rename_of_dot_and_dot_dot_fails(c, d, name):
    sub = c.make_dir(d, b'sub')
    assert c.rename(sub, name, d, b'x').status in (
        nfs3.NFS3ERR_INVAL, nfs3.NFS3ERR_ACCES)
    assert c.names(d) == [b'sub']


def test_rename_moves_ctime_of_the_object(c, d):
    fh = c.make(d, b'f')
    old = c.attr(fh)
    ok(c.rename(d, b'f', d, b'g'))
    assert stamp(c.attr(fh).ctime) >= stamp(old.ctime)
    assert c.attr(fh).mtime == old.mtime


# ------------------------------------------------------------------ LINK --


def test_link_is_another_name_of_the_same(c, d):
    fh = c.make(d, b'f', b'123')
    sub = c.make_dir(d, b'sub')
    old, old_file = c.attr(sub), c.attr(fh)
    data = ok(c.link(fh, sub, b'g'))
    assert post(data.file_attributes) == c.attr(fh)
    dir_wcc(c, sub, old, data.linkdir_wcc)
    assert c.find(sub, b'g') == fh
    a = c.attr(fh)
    assert a.nlink == 2
    assert stamp(a.ctime) > stamp(old_file.ctime)
    ok(c.remove(d, b'f'))
    assert c.attr(fh).nlink == 1
    assert ok(c.read(fh)).data == b'123'


def test_link_over_anything_is_exist(c, d):
    fh = c.make(d, b'f')
    c.make_dir(d, b'sub')
    for name in (b'f', b'sub'):
        failed = fails(c.link(fh, d, name), nfs3.NFS3ERR_EXIST)
        post(failed.file_attributes)
        post(failed.linkdir_wcc.after)
    assert c.attr(fh).nlink == 1


def test_link_of_a_directory_is_refused(c, d):
    sub = c.make_dir(d, b'sub')
    assert c.link(sub, d, b'x').status in (
        nfs3.NFS3ERR_PERM, nfs3.NFS3ERR_ISDIR, nfs3.NFS3ERR_INVAL)
    assert c.names(d) == [b'sub']


def test_link_of_a_removed_file_is_stale(c, d):
    fh = c.make(d, b'f')
    ok(c.remove(d, b'f'))
    fails(c.link(fh, d, b'g'), nfs3.NFS3ERR_STALE)


def test_symlinks_and_special_files_can_be_linked(c, d):
    link = c.make_link(d, b'l', b'nowhere')
    fifo = made(c.mknod(d, b'p', nfs3.NF3FIFO))
    for fh, name in ((link, b'l2'), (fifo, b'p2')):
        ok(c.link(fh, d, name))
        assert c.attr(fh).nlink == 2
        assert c.find(d, name) == fh


def test_a_thousand_links_are_counted(c, d):
    fh = c.make(d, b'f')
    for i in range(1000):
        ok(c.link(fh, d, b'link%d' % i))
    assert c.attr(fh).nlink == 1001
    for i in range(1000):
        ok(c.remove(d, b'link%d' % i))
    assert c.attr(fh).nlink == 1
