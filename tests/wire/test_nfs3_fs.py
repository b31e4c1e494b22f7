"""NFS version 3: FSSTAT, FSINFO, PATHCONF (RFC 1813, 3.3.18 to 3.3.20), and
what all procedures have in common."""

import nfs3
import pytest
import wire
from nfs3 import (FSF3_CANSETTIME, FSF3_HOMOGENEOUS, FSF3_LINK,
                  FSF3_SYMLINK)
from wire import Nfs3, fails, ok, post


def test_fsstat_counts_bytes_and_files(c, d):
    s = ok(c.fsstat(d))
    assert 0 < s.abytes <= s.fbytes <= s.tbytes
    assert s.afiles <= s.ffiles <= s.tfiles
    post(s.obj_attributes)


def test_fsstat_shows_what_is_written(c, d):
    free = ok(c.fsstat(d)).fbytes
    fh = c.make(d, b'f', bytes(range(256)) * 4096)
    assert ok(c.fsstat(d)).fbytes <= free - (1 << 20)
    ok(c.setattr(fh, size=0))


def test_fsinfo_over_tcp_offers_1_mib(c, d):
    i = ok(c.fsinfo(d))
    assert i.rtmax == i.wtmax == 1 << 20
    assert 0 < i.rtpref <= i.rtmax
    assert 0 < i.wtpref <= i.wtmax
    assert i.rtmult >= 1 and i.wtmult >= 1
    assert i.rtmax % i.rtmult == 0
    assert 512 <= i.dtpref <= 1 << 20
    assert i.maxfilesize == (1 << 63) - 1
    assert (i.time_delta.seconds, i.time_delta.nseconds) == (0, 1)
    assert i.properties == (FSF3_LINK | FSF3_SYMLINK | FSF3_HOMOGENEOUS |
                            FSF3_CANSETTIME)
    post(i.obj_attributes)


def test_pathconf_tells_what_the_file_system_does(c, d):
    p = ok(c.pathconf(d))
    assert p.linkmax >= 1000
    assert p.name_max == 255
    assert p.no_trunc
    assert p.chown_restricted
    assert not p.case_insensitive
    assert p.case_preserving
    post(p.obj_attributes)


def test_names_differ_by_case_as_pathconf_says(c, d):
    one, two = c.make(d, b'Name'), c.make(d, b'name')
    assert one != two
    assert sorted(c.names(d)) == [b'Name', b'name']


def test_all_of_them_take_any_object(c, d):
    for fh in (c.make(d, b'f'), c.make_link(d, b'l', b'x'), d):
        ok(c.fsstat(fh))
        ok(c.fsinfo(fh))
        ok(c.pathconf(fh))


def every_call(c, fh, good):
    """Each procedure with a handle, given `fh`."""
    return {
        'GETATTR': lambda: c.getattr(fh),
        'SETATTR': lambda: c.setattr(fh, mode=0o777),
        'LOOKUP': lambda: c.lookup(fh, b'x'),
        'ACCESS': lambda: c.access(fh),
        'READLINK': lambda: c.readlink(fh),
        'READ': lambda: c.read(fh),
        'WRITE': lambda: c.write(fh, 0, b'x'),
        'CREATE': lambda: c.create(fh, b'x'),
        'MKDIR': lambda: c.mkdir(fh, b'x'),
        'SYMLINK': lambda: c.symlink(fh, b'x', b'y'),
        'MKNOD': lambda: c.mknod(fh, b'x', nfs3.NF3FIFO),
        'REMOVE': lambda: c.remove(fh, b'x'),
        'RMDIR': lambda: c.rmdir(fh, b'x'),
        'RENAME from': lambda: c.rename(fh, b'x', good, b'y'),
        'RENAME to': lambda: c.rename(good, b'there', fh, b'y'),
        'LINK': lambda: c.link(fh, good, b'y'),
        'LINK to': lambda: c.link(c.find(good, b'there'), fh, b'y'),
        'READDIR': lambda: c.readdir(fh),
        'READDIRPLUS': lambda: c.readdirplus(fh),
        'FSSTAT': lambda: c.fsstat(fh),
        'FSINFO': lambda: c.fsinfo(fh),
        'PATHCONF': lambda: c.pathconf(fh),
        'COMMIT': lambda: c.commit(fh),
    }


CALLS = list(every_call(None, b'', b''))


@pytest.mark.parametrize('name', CALLS)
def test_a_handle_of_something_removed_is_stale(c, d, name):
    c.make(d, b'there')
    fh = c.make(d, b'gone')
    ok(c.remove(d, b'gone'))
    fails(every_call(c, fh, d)[name](), nfs3.NFS3ERR_STALE)
    assert c.names(d) == [b'there']


@pytest.mark.parametrize('name', CALLS)
@pytest.mark.parametrize('bad', ['empty', 'short', 'long', 'other'])
def test_a_handle_that_is_none_is_badhandle(c, d, name, bad):
    c.make(d, b'there')
    fh = {'empty': b'', 'short': d[:-1], 'long': d + b'\0',
          'other': b'\xff' * 32}[bad]
    fails(every_call(c, fh, d)[name](), nfs3.NFS3ERR_BADHANDLE)
    assert c.names(d) == [b'there']


@pytest.mark.parametrize('name', [
    'SETATTR', 'WRITE', 'CREATE', 'MKDIR', 'SYMLINK', 'MKNOD', 'REMOVE',
    'RMDIR', 'RENAME from', 'RENAME to', 'LINK', 'LINK to'])
def test_with_o_ro_everything_that_changes_is_rofs(readonly, name):
    fh = wire.root_of(readonly)
    with Nfs3(readonly.tcp()) as c:
        calls = every_call(c, fh, fh)
        calls['RENAME to'] = lambda: c.rename(fh, b'x', fh, b'y')
        calls['LINK to'] = lambda: c.link(fh, fh, b'y')
        fails(calls[name](), nfs3.NFS3ERR_ROFS)


@pytest.fixture(scope='module')
def readonly(start):
    return start('-o', 'ro')


def test_with_o_ro_reading_works(readonly):
    fh = wire.root_of(readonly)
    with Nfs3(readonly.tcp()) as c:
        assert c.attr(fh).type == nfs3.NF3DIR
        assert c.names(fh) == []
        ok(c.fsinfo(fh))
        granted = ok(c.access(fh)).access
        assert granted & (nfs3.ACCESS3_MODIFY | nfs3.ACCESS3_EXTEND |
                          nfs3.ACCESS3_DELETE) == 0
        assert granted & nfs3.ACCESS3_READ
