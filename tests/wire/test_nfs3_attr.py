"""NFS version 3: GETATTR, SETATTR, ACCESS (RFC 1813, 3.3.1, 3.3.2, 3.3.4)."""

import time

import nfs3
import pytest
from nfs3 import (ACCESS3_DELETE, ACCESS3_EXECUTE, ACCESS3_EXTEND,
                  ACCESS3_LOOKUP, ACCESS3_MODIFY, ACCESS3_READ)
from wire import fails, made, ok, post, stamp, wcc

GIB = 1 << 30


def test_null_takes_and_gives_nothing(c):
    assert c.null() is None


# --------------------------------------------------------------- GETATTR --


def test_getattr_of_the_root_is_a_directory_with_an_id(c, root_fh):
    a = c.attr(root_fh)
    assert a.type == nfs3.NF3DIR
    assert a.nlink >= 1
    assert a.fileid != 0
    assert a.fileid & 0xffffffff != 0


def test_getattr_of_a_new_file_shows_what_was_asked_for(c, d):
    before = time.time()
    fh = c.make(d, b'f', b'12345', mode=0o640, uid=7, gid=8)
    a = c.attr(fh)
    assert (a.type, a.mode, a.nlink) == (nfs3.NF3REG, 0o640, 1)
    assert (a.uid, a.gid, a.size) == (7, 8, 5)
    assert a.used >= 0
    assert a.fsid == c.attr(d).fsid
    for t in (a.atime, a.mtime, a.ctime):
        assert before - 5 <= t.seconds <= time.time() + 5
        assert t.nseconds < 1000000000


def test_getattr_changes_nothing(c, d):
    fh = c.make(d, b'f', b'x')
    assert c.attr(fh) == c.attr(fh)


def test_ids_of_files_differ_and_are_never_0(c, d):
    ids = [c.attr(c.make(d, b'%d' % i)).fileid for i in range(20)]
    ids.append(c.attr(d).fileid)
    assert len(set(ids)) == 21
    assert min(ids) > 16
    assert all(i & 0xffffffff for i in ids)


# --------------------------------------------------------------- SETATTR --


def test_setattr_sets_what_it_is_told_and_nothing_else(c, d):
    fh = c.make(d, b'f', b'12345', mode=0o644, uid=1, gid=2)
    old = c.attr(fh)
    ok(c.setattr(fh, mode=0o600))
    a = c.attr(fh)
    assert (a.mode, a.uid, a.gid, a.size) == (0o600, 1, 2, 5)
    assert a.mtime == old.mtime
    ok(c.setattr(fh, uid=3))
    ok(c.setattr(fh, gid=4))
    a = c.attr(fh)
    assert (a.mode, a.uid, a.gid) == (0o600, 3, 4)
    ok(c.setattr(fh, mode=0o4755, size=2, atime=(1, 2), mtime=(3, 4)))
    a = c.attr(fh)
    assert (a.mode, a.size) == (0o4755, 2)
    assert (stamp(a.atime), stamp(a.mtime)) == (1000000002, 3000000004)


def test_setattr_of_nothing_is_fine(c, d):
    fh = c.make(d, b'f')
    ok(c.setattr(fh))


def test_setattr_takes_the_servers_time(c, d):
    fh = c.make(d, b'f')
    ok(c.setattr(fh, atime=(1, 0), mtime=(1, 0)))
    now = time.time()
    ok(c.setattr(fh, atime='now', mtime='now'))
    a = c.attr(fh)
    assert now - 5 < a.atime.seconds < now + 5
    assert now - 5 < a.mtime.seconds < now + 5


def test_times_before_2106_come_back(c, d):
    fh = c.make(d, b'f')
    for seconds in (0, 1, 0x7fffffff, 0x80000000, 0xffffffff):
        ok(c.setattr(fh, mtime=(seconds, 999999999)))
        assert c.attr(fh).mtime == nfs3.nfstime3(seconds, 999999999)


def test_every_setattr_moves_ctime_and_it_never_goes_back(c, d):
    fh = c.make(d, b'f')
    last = stamp(c.attr(fh).ctime)
    for i in range(50):
        ok(c.setattr(fh, mode=0o600 + i % 2))
        now = stamp(c.attr(fh).ctime)
        assert now > last
        last = now


def test_wcc_data_of_setattr_is_before_and_after(c, d):
    fh = c.make(d, b'f', b'12345')
    old = c.attr(fh)
    before, after = wcc(ok(c.setattr(fh, size=3)).obj_wcc)
    assert (before.size, before.mtime, before.ctime) == (
        5, old.mtime, old.ctime)
    assert after == c.attr(fh)
    assert after.size == 3


def test_truncation_moves_mtime_and_growth_fills_with_zeros(c, d):
    fh = c.make(d, b'f', b'12345')
    old = c.attr(fh)
    ok(c.setattr(fh, size=2))
    ok(c.setattr(fh, size=6))
    assert ok(c.read(fh)).data == b'12\0\0\0\0'
    assert stamp(c.attr(fh).mtime) > stamp(old.mtime)


def test_a_guard_that_holds_lets_setattr_through(c, d):
    fh = c.make(d, b'f')
    ok(c.setattr(fh, guard=c.attr(fh).ctime, mode=0o600))
    assert c.attr(fh).mode == 0o600


def test_a_guard_that_fails_is_not_sync_and_changes_nothing(c, d):
    fh = c.make(d, b'f', mode=0o644)
    old = c.attr(fh).ctime
    ok(c.setattr(fh, mode=0o640))
    now = c.attr(fh)
    failed = fails(c.setattr(fh, guard=old, mode=0o600),
                   nfs3.NFS3ERR_NOT_SYNC)
    assert post(failed.obj_wcc.after) == now
    assert c.attr(fh) == now
    other = nfs3.nfstime3(now.ctime.seconds, now.ctime.nseconds ^ 1)
    fails(c.setattr(fh, guard=other, mode=0o600), nfs3.NFS3ERR_NOT_SYNC)


def test_a_file_can_be_2_to_the_63_less_1_bytes_long_and_no_more(c, d):
    fh = c.make(d, b'f')
    most = ok(c.fsinfo(fh)).maxfilesize
    assert most >= 1 << 40
    ok(c.setattr(fh, size=most))
    assert c.attr(fh).size == most
    if most < (1 << 64) - 1:
        for size in (most + 1, (1 << 63), (1 << 64) - 1):
            assert c.setattr(fh, size=size).status in (
                nfs3.NFS3ERR_FBIG, nfs3.NFS3ERR_INVAL)
    assert c.attr(fh).size == most


def test_the_size_of_what_is_no_file_cannot_be_set(c, d):
    assert c.setattr(d, size=0).status in (
        nfs3.NFS3ERR_ISDIR, nfs3.NFS3ERR_INVAL)
    link = c.make_link(d, b'l', b'target')
    fails(c.setattr(link, size=0), nfs3.NFS3ERR_INVAL)
    fifo = made(c.mknod(d, b'p', nfs3.NF3FIFO, mode=0o600))
    fails(c.setattr(fifo, size=0), nfs3.NFS3ERR_INVAL)


def test_nanoseconds_beyond_a_second_are_invalid(c, d):
    fh = c.make(d, b'f')
    old = c.attr(fh)
    fails(c.setattr(fh, mtime=(5, 1000000000)), nfs3.NFS3ERR_INVAL)
    fails(c.setattr(fh, atime=(5, 0xffffffff)), nfs3.NFS3ERR_INVAL)
    assert c.attr(fh) == old


def test_only_the_owner_changes_mode_and_times(c, d, as_user):
    fh = c.make(d, b'f', mode=0o666, uid=1000, gid=1000)
    other = as_user(1001)
    fails(other.setattr(fh, mode=0o777), nfs3.NFS3ERR_PERM)
    fails(other.setattr(fh, mtime=(1, 1)), nfs3.NFS3ERR_PERM)
    fails(other.setattr(fh, uid=1001), nfs3.NFS3ERR_PERM)
    owner = as_user(1000)
    ok(owner.setattr(fh, mode=0o606))
    ok(owner.setattr(fh, mtime=(1, 1), atime=(2, 2)))
    assert c.attr(fh).mode == 0o606


def test_who_may_write_may_touch_and_truncate(c, d, as_user):
    fh = c.make(d, b'f', b'123', mode=0o666, uid=1000, gid=1000)
    other = as_user(1001)
    ok(other.setattr(fh, atime='now', mtime='now'))
    ok(other.setattr(fh, size=1))
    c.setattr(fh, mode=0o644)
    fails(other.setattr(fh, size=0), nfs3.NFS3ERR_ACCES)
    assert other.setattr(fh, mtime='now').status in (
        nfs3.NFS3ERR_ACCES, nfs3.NFS3ERR_PERM)


def test_nobody_gives_files_away_but_root(c, d, as_user):
    fh = c.make(d, b'f', uid=1000, gid=1000)
    owner = as_user(1000, 1000, [50])
    fails(owner.setattr(fh, uid=1001), nfs3.NFS3ERR_PERM)
    fails(owner.setattr(fh, gid=51), nfs3.NFS3ERR_PERM)
    ok(owner.setattr(fh, uid=1000))
    ok(owner.setattr(fh, gid=50))
    assert c.attr(fh).gid == 50
    ok(c.setattr(fh, uid=0xfffffffe, gid=0x80000000))
    a = c.attr(fh)
    assert (a.uid, a.gid) == (0xfffffffe, 0x80000000)


def test_a_change_of_owner_or_data_by_a_user_clears_setuid(c, d, as_user):
    owner = as_user(1000, 1000, [50])
    fh = c.make(d, b'f', uid=1000, gid=1000)
    c.setattr(fh, mode=0o6755)
    ok(owner.setattr(fh, gid=50))
    assert c.attr(fh).mode & 0o4000 == 0
    c.setattr(fh, mode=0o6777)
    ok(as_user(1001).write(fh, 0, b'x'))
    assert c.attr(fh).mode & 0o4000 == 0


def test_setgid_is_not_for_those_outside_of_the_group(c, d, as_user):
    fh = c.make(d, b'f', uid=1000, gid=60)
    ok(as_user(1000, 1000).setattr(fh, mode=0o2755))
    assert c.attr(fh).mode & 0o2000 == 0
    ok(as_user(1000, 1000, [60]).setattr(fh, mode=0o2755))
    assert c.attr(fh).mode & 0o2000


# ---------------------------------------------------------------- ACCESS --


FILE_BITS = ACCESS3_READ | ACCESS3_MODIFY | ACCESS3_EXTEND | ACCESS3_EXECUTE
DIR_BITS = (ACCESS3_READ | ACCESS3_LOOKUP | ACCESS3_MODIFY |
            ACCESS3_EXTEND | ACCESS3_DELETE)


def granted(c, fh, bits=0x3f):
    data = ok(c.access(fh, bits))
    assert data.access & ~bits == 0
    post(data.obj_attributes)
    return data.access


@pytest.mark.parametrize('bits', [0, 1, 2, 4, 8, 0x10, 0x20, 0x3f])
def test_access_grants_only_what_is_asked(c, d, bits):
    assert granted(c, d, bits) == bits & DIR_BITS


def test_access_ignores_bits_there_are_not(c, d):
    assert ok(c.access(d, 0xffffffff)).access == DIR_BITS


def test_root_may_do_all_but_execute_what_is_not_executable(c, d):
    fh = c.make(d, b'f', mode=0)
    assert granted(c, fh) == FILE_BITS & ~ACCESS3_EXECUTE
    ok(c.setattr(fh, mode=0o100))
    assert granted(c, fh) == FILE_BITS


@pytest.mark.parametrize('mode, who, expected', [
    (0o700, 'owner', FILE_BITS), (0o700, 'group', 0), (0o700, 'other', 0),
    (0o070, 'owner', 0), (0o070, 'group', FILE_BITS), (0o070, 'other', 0),
    (0o007, 'owner', 0), (0o007, 'group', 0), (0o007, 'other', FILE_BITS),
    (0o400, 'owner', ACCESS3_READ), (0o200, 'owner',
                                     ACCESS3_MODIFY | ACCESS3_EXTEND),
    (0o100, 'owner', ACCESS3_EXECUTE)])
def test_access_follows_the_modes_of_a_file(c, d, as_user, mode, who,
                                            expected):
    fh = c.make(d, b'f', uid=1000, gid=50)
    ok(c.setattr(fh, mode=mode))
    one = {'owner': as_user(1000, 1), 'group': as_user(1001, 1, [2, 50]),
           'other': as_user(1002, 1)}[who]
    assert granted(one, fh) == expected


def test_access_follows_the_modes_of_a_directory(c, d, as_user):
    fh = c.make_dir(d, b'sub', uid=1000, gid=50)
    user = as_user(1000)
    for mode, expected in (
            (0o700, DIR_BITS), (0o500, ACCESS3_READ | ACCESS3_LOOKUP),
            (0o400, ACCESS3_READ), (0o100, ACCESS3_LOOKUP), (0, 0)):
        ok(c.setattr(fh, mode=mode))
        assert granted(user, fh) & ~ACCESS3_DELETE == expected & \
            ~ACCESS3_DELETE


def test_access_of_a_file_has_no_lookup_bit(c, d):
    fh = c.make(d, b'f', mode=0o777)
    assert granted(c, fh) & ACCESS3_LOOKUP == 0
