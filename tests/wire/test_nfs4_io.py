"""READ, WRITE, COMMIT; of 4.2 SEEK, ALLOCATE, DEALLOCATE, COPY, CLONE,
READ_PLUS, IO_ADVISE, and extended attributes (RFC 8881 18.3, 18.22, 18.32;
RFC 7862 15; RFC 8276; PROTOCOL 4 and 11)."""

import os

import nfs4 as x
import nfs4_ops as op
import pytest

DATA, HOLE = 0, 1


@pytest.fixture
def o(c4, d):
    return c4.new(d, b'f')


@pytest.fixture
def p(c42, d):
    """A file of 4.2, open."""
    return c42.new(d, b'f')


def put(c, o, data, offset=0, **kw):
    return c.ok(op.putfh(o.fh), op.write(data, offset, o.s, **kw))[1]


def get(c, o, offset=0, count=1 << 16):
    return c.ok(op.putfh(o.fh), op.read(offset, count, o.s))[1]


# --------------------------------------------------------- READ and WRITE --


@pytest.mark.parametrize('offset, count, data, eof', [
    (0, 5, b'01234', False), (0, 10, b'0123456789', True),
    (0, 11, b'0123456789', True), (9, 1, b'9', True), (8, 1, b'8', False),
    (10, 1, b'', True), (11, 1, b'', True), (1 << 62, 1, b'', True),
    (op.ALL, 1, b'', True), (0, 0, b'', False), (5, 0xffffffff, b'56789',
                                                 True)])
def test_what_is_read_and_where_the_end_is(c4, o, offset, count, data, eof):
    put(c4, o, b'0123456789')
    res = get(c4, o, offset, count)
    assert (res.data, res.eof) == (data, eof)


def test_an_empty_file_is_at_its_end(c4, o):
    res = get(c4, o)
    assert (res.data, res.eof) == (b'', True)


@pytest.mark.parametrize('stateid', [op.ANON, op.BYPASS])
def test_special_stateids_read_and_write(c4, o, stateid):
    c4.ok(op.putfh(o.fh), op.write(b'data', s=stateid))
    assert c4.ok(op.putfh(o.fh), op.read(s=stateid))[1].data == b'data'


def test_a_gap_reads_as_zeros(c4, o):
    put(c4, o, b'x', 100000)
    res = get(c4, o, 0, 200000)
    assert res.data == bytes(100000) + b'x'


def test_a_write_of_nothing_writes_nothing(c4, o):
    put(c4, o, b'12345')
    assert put(c4, o, b'', 100).count == 0
    assert c4.get(o.fh, 'size') == 5


@pytest.mark.parametrize('stable', [0, 1, 2])
def test_a_write_is_at_least_as_stable_as_asked(c4, o, stable):
    res = put(c4, o, b'x' * 1000, stable=stable)
    assert res.count == 1000
    assert res.committed >= stable


def test_the_verifier_is_the_same_everywhere(c4, o):
    verf = put(c4, o, b'x', stable=0).writeverf
    assert put(c4, o, b'y', stable=2).writeverf == verf
    assert c4.ok(op.putfh(o.fh), op.commit())[1].writeverf == verf
    assert verf != bytes(8)


@pytest.mark.parametrize('offset, count', [
    (0, 0), (0, 10), (1 << 40, 0), (5, 0xffffffff)])
def test_commit_of_any_range_is_fine(c4, o, offset, count):
    put(c4, o, b'x' * 100, stable=0)
    c4.ok(op.putfh(o.fh), op.commit(offset, count))


@pytest.mark.parametrize('offset', [1 << 63, op.ALL, (1 << 63) - 1])
def test_a_write_beyond_the_largest_file_is_too_big(c4, o, offset):
    reply = c4(op.putfh(o.fh), op.write(b'xx', offset, o.s))
    assert reply.status in (x.NFS4ERR_FBIG, x.NFS4ERR_INVAL)
    assert c4.get(o.fh, 'size') == 0


@pytest.mark.parametrize('operation', [
    op.read(), op.write(b'x'), op.commit()], ids=['READ', 'WRITE', 'COMMIT'])
def test_data_are_of_files_only(c4, d, operation):
    wanted = {b'dir': (x.NFS4ERR_ISDIR,),
              b'link': (x.NFS4ERR_SYMLINK, x.NFS4ERR_INVAL),
              b'fifo': (x.NFS4ERR_WRONG_TYPE, x.NFS4ERR_INVAL)}
    c4.mkdir(d, b'dir')
    c4.symlink(d, b'link', b't')
    c4.ok(op.putfh(d), op.create(b'fifo', op.FIFO))
    for name, statuses in wanted.items():
        assert c4(op.putfh(d), op.lookup(name), operation).status in statuses


def test_data_operations_of_4_2_are_of_files_only(c42, d):
    c42.mkdir(d, b'dir')
    c42.symlink(d, b'link', b't')
    c42.ok(op.putfh(d), op.create(b'fifo', op.FIFO))
    for operation in (
            op.allocate(0, 1), op.deallocate(0, 1),
            op.seek(0, x.NFS4_CONTENT_DATA), op.read_plus(),
            op.io_advise([1]), op.copy(op.ANON, op.ANON),
            op.clone(op.ANON, op.ANON), op.lockt(1, 0, 1, b'l'),
            op.lock_new(1, 0, 1, op.ANON, b'l')):
        for name, status in ((b'dir', x.NFS4ERR_ISDIR),
                             (b'link', x.NFS4ERR_SYMLINK),
                             (b'fifo', x.NFS4ERR_WRONG_TYPE)):
            c42.fails(status, op.putfh(d), op.lookup(name), op.savefh(),
                      operation)


def test_no_range_ends_beyond_the_largest_file(c42, d):
    """INVAL where that is a matter of the arguments alone."""
    o = c42.new(d, b'f')
    put(c42, o, b'data')
    for operation in (
            op.allocate((1 << 63) - 1, 2, o.s),
            op.deallocate((1 << 63) - 1, 2, o.s),
            op.copy(o.s, o.s, 0, (1 << 63) - 1, 2),
            op.clone(o.s, o.s, 0, 1 << 63, 0)):
        reply = c42(op.putfh(o.fh), op.savefh(), operation)
        assert reply.status in (x.NFS4ERR_FBIG, x.NFS4ERR_INVAL), reply
    assert c42.get(o.fh, 'size') == 4


def test_a_write_moves_size_times_and_change(c4, o):
    before = c4.attr(o.fh, 'change', 'time_modify', 'time_metadata')
    put(c4, o, b'x' * 10)
    after = c4.attr(o.fh, 'change', 'time_modify', 'time_metadata', 'size')
    assert after['size'] == 10
    for name in before:
        assert after[name] > before[name]


def test_getattr_behind_write_is_what_getattr_says(c4, o):
    """As Linux sends it: WRITE and GETATTR in one."""
    res = c4.ok(op.putfh(o.fh), op.write(b'x', s=o.s), op.getattr_(
        'size', 'change', 'time_modify'))
    assert op.values(res[2].obj_attributes) == c4.attr(
        o.fh, 'size', 'change', 'time_modify')


# ------------------------------------------------------- SEEK and holes --


def seek(c, p, offset, what):
    res = c.ok(op.putfh(p.fh), op.seek(offset, what, p.s))[1]
    return res.sr_eof, res.sr_offset


MIB = 1 << 20


@pytest.fixture
def holes(c42, p):
    """1 MiB of hole, 1 MiB of data, 1 MiB of hole, 1 byte."""
    put(c42, p, b'x' * MIB, MIB)
    put(c42, p, b'y', 3 * MIB)
    return p


def test_seek_finds_data_and_holes(c42, holes):
    size = 3 * MIB + 1
    eof, at = seek(c42, holes, 0, DATA)
    assert 0 < at <= MIB
    eof, at = seek(c42, holes, 0, HOLE)
    assert (eof, at) == (False, 0)
    eof, at = seek(c42, holes, MIB, HOLE)
    assert 2 * MIB <= at < 3 * MIB
    eof, at = seek(c42, holes, 2 * MIB + 100000, DATA)
    assert 2 * MIB + 100000 < at <= 3 * MIB
    eof, at = seek(c42, holes, size - 1, HOLE)
    assert at == size


def test_seek_within_data_is_there(c42, holes):
    assert seek(c42, holes, MIB + 5, DATA)[1] == MIB + 5


@pytest.mark.parametrize('what', [DATA, HOLE])
def test_seek_at_and_beyond_the_end_is_nxio(c42, holes, what):
    for offset in (3 * MIB + 1, 3 * MIB + 2, 1 << 60, op.ALL):
        c42.fails(x.NFS4ERR_NXIO, op.putfh(holes.fh), op.seek(
            offset, what, holes.s))


def test_seek_for_data_where_none_follows_is_the_end(c42, p):
    """RFC 7862 15.11.3: eof, or NXIO."""
    put(c42, p, b'x')
    c42.ok(op.putfh(p.fh), op.setattr_(p.s, size=MIB))
    reply = c42(op.putfh(p.fh), op.seek(MIB // 2, DATA, p.s))
    assert reply.status == x.NFS4ERR_NXIO or (
        reply.status == 0 and reply[1].sr_eof)


@pytest.mark.parametrize('what', [2, 3, 0xffffffff])
def test_seek_for_something_else_is_a_union_not_supported(c42, holes, what):
    c42.fails(x.NFS4ERR_UNION_NOTSUPP, op.putfh(holes.fh), op.raw(
        x.OP_SEEK, op.stateid(holes.s).pack() + bytes(8) +
        what.to_bytes(4, 'big')))


def test_deallocate_makes_a_hole_of_zeros(c42, p):
    put(c42, p, b'x' * MIB)
    used = c42.get(p.fh, 'space_used')
    c42.ok(op.putfh(p.fh), op.deallocate(100000, 800000, p.s))
    data = get(c42, p, 0, MIB).data
    assert data == b'x' * 100000 + bytes(800000) + b'x' * (MIB - 900000)
    assert c42.get(p.fh, 'space_used') < used
    assert c42.get(p.fh, 'size') == MIB
    assert 100000 <= seek(c42, p, 0, HOLE)[1] < 900000


def test_deallocate_beyond_the_end_does_not_grow(c42, p):
    put(c42, p, b'x' * 100)
    c42.ok(op.putfh(p.fh), op.deallocate(50, 1 << 40, p.s))
    assert c42.get(p.fh, 'size') == 100
    assert get(c42, p).data == b'x' * 50 + bytes(50)


def test_deallocate_to_the_very_end(c42, p):
    put(c42, p, b'x' * 100)
    reply = c42(op.putfh(p.fh), op.deallocate(50, op.ALL, p.s))
    assert reply.status in (0, x.NFS4ERR_INVAL)


def test_allocate_grows_and_keeps_data(c42, p):
    put(c42, p, b'x' * 100)
    c42.ok(op.putfh(p.fh), op.allocate(50, 100000, p.s))
    assert c42.get(p.fh, 'size') == 100050
    assert get(c42, p, 0, 200).data == b'x' * 100 + bytes(100)


def test_allocate_of_more_than_there_is_is_no_space(c42, p):
    reply = c42(op.putfh(p.fh), op.allocate(0, 1 << 50, p.s))
    assert reply.status in (x.NFS4ERR_NOSPC, x.NFS4ERR_FBIG)
    assert c42.get(p.fh, 'size') == 0


@pytest.mark.parametrize('offset, length', [
    (0, 0), (op.ALL, 2), (1 << 63, 1 << 63)])
def test_ranges_of_nothing_or_beyond_are_refused(c42, p, offset, length):
    for operation in (op.allocate(offset, length, p.s),
                      op.deallocate(offset, length, p.s)):
        status = c42(op.putfh(p.fh), operation).status
        assert status in (x.NFS4ERR_INVAL, x.NFS4ERR_FBIG) or (
            length == 0 and status == 0)
    assert c42.get(p.fh, 'size') == 0


def test_allocate_and_deallocate_move_change(c42, p):
    last = c42.get(p.fh, 'change')
    for operation in (op.allocate(0, 1000, p.s), op.deallocate(0, 10, p.s)):
        c42.ok(op.putfh(p.fh), operation)
        now = c42.get(p.fh, 'change')
        assert now > last
        last = now


@pytest.mark.parametrize('operation', [
    lambda s: op.allocate(0, 10, s), lambda s: op.deallocate(0, 10, s)],
    ids=['ALLOCATE', 'DEALLOCATE'])
def test_changing_ranges_needs_a_file_open_for_writing(c42, d, operation):
    c42.make(d, b'f', b'data')
    o = c42.open(d, b'f', op.READ)
    c42.fails(x.NFS4ERR_OPENMODE, op.putfh(o.fh), operation(o.s))


# ----------------------------------------------------------- COPY and CLONE --


@pytest.fixture
def pair(c42, d):
    """A file of random bytes, and an empty one, both open."""
    source, target = c42.new(d, b'source'), c42.new(d, b'target')
    data = os.urandom(300000)
    put(c42, source, data)
    return source, target, data


def copy(c, source, target, operation=op.copy, **kw):
    return c(op.putfh(source.fh), op.savefh(), op.putfh(target.fh),
             operation(source.s, target.s, **kw))


@pytest.mark.parametrize('from_, to, count', [
    (0, 0, 0), (0, 0, 300000), (1000, 0, 5000), (0, 777, 0),
    (299999, 5, 1), (100000, 100000, 0)])
def test_copy_copies(c42, pair, from_, to, count):
    source, target, data = pair
    reply = copy(c42, source, target, from_=from_, to=to, count=count)
    assert reply.status == 0
    res = reply[3]
    n = count or len(data) - from_
    assert res.cr_response.wr_count == n
    assert res.cr_response.wr_callback_id == []
    assert res.cr_requirements.cr_synchronous
    assert get(c42, target, 0, 1 << 20).data == \
        bytes(to) + data[from_:from_ + n]


def test_copy_is_as_stable_as_it_says_and_has_commits_verifier(c42, pair):
    source, target, _ = pair
    response = copy(c42, source, target)[3].cr_response
    assert response.wr_writeverf == c42.ok(
        op.putfh(target.fh), op.commit())[1].writeverf


def test_copy_asked_to_go_on_behind_is_done_at_once(c42, pair):
    source, target, data = pair
    reply = copy(c42, source, target, synchronous=False)
    assert reply.status == 0
    assert reply[3].cr_requirements.cr_synchronous
    assert reply[3].cr_response.wr_callback_id == []


def test_copy_within_a_file_that_does_not_overlap(c42, pair):
    source, _, data = pair
    assert copy(c42, source, source, from_=0, to=300000,
                count=1000).status == 0
    assert get(c42, source, 300000).data == data[:1000]


def test_copy_within_a_file_that_overlaps_is_invalid(c42, pair):
    source, _, data = pair
    assert copy(c42, source, source, from_=0, to=500,
                count=1000).status == x.NFS4ERR_INVAL
    assert get(c42, source, 0, 300000).data == data


def test_copy_from_beyond_the_end_is_invalid(c42, pair):
    source, target, _ = pair
    for kw in (dict(from_=300001), dict(from_=299999, count=2),
               dict(from_=op.ALL, count=5)):
        assert copy(c42, source, target, **kw).status == x.NFS4ERR_INVAL, kw
    assert c42.get(target.fh, 'size') == 0


def test_copy_from_another_server_is_not_offered(c42, pair):
    source, target, _ = pair
    status = copy(c42, source, target, servers=[
        x.netloc4(x.NL4_NAME, b'example.org')]).status
    assert status in (x.NFS4ERR_NOTSUPP, x.NFS4ERR_OFFLOAD_DENIED,
                      x.NFS4ERR_OFFLOAD_NO_REQS)


@pytest.mark.parametrize('operation', [op.copy, op.clone],
                         ids=['COPY', 'CLONE'])
def test_copies_need_files_open_as_they_are_used(c42, d, pair, operation):
    source, target, _ = pair
    reader = c42.open(d, b'target', op.READ, owner=b'reader')
    writer = c42.open(d, b'source', op.WRITE, owner=b'writer')
    assert copy(c42, source, reader, operation).status == x.NFS4ERR_OPENMODE
    assert copy(c42, writer, target, operation).status in (
        0, x.NFS4ERR_OPENMODE)
    bad = target.s
    target.s = (1, b'\x77' * 12)
    assert copy(c42, source, target, operation).status == \
        x.NFS4ERR_BAD_STATEID
    target.s, source.s = bad, (1, b'\x77' * 12)
    assert copy(c42, source, target, operation).status == \
        x.NFS4ERR_BAD_STATEID


@pytest.mark.parametrize('operation', [op.copy, op.clone],
                         ids=['COPY', 'CLONE'])
def test_copies_are_of_files(c42, d, pair, operation):
    source, target, _ = pair
    reply = c42(op.putfh(d), op.savefh(), op.putfh(target.fh),
                operation(op.ANON, target.s))
    assert reply.status in (x.NFS4ERR_ISDIR, x.NFS4ERR_WRONG_TYPE,
                            x.NFS4ERR_INVAL)
    reply = c42(op.putfh(source.fh), op.savefh(), op.putfh(d),
                operation(source.s, op.ANON))
    assert reply.status in (x.NFS4ERR_ISDIR, x.NFS4ERR_WRONG_TYPE)


def cloned(c, reply):
    if reply.status == x.NFS4ERR_NOTSUPP:
        pytest.skip('this file system clones nothing')
    return reply


def test_clone_clones(c42, pair):
    source, target, data = pair
    reply = cloned(c42, copy(c42, source, target, op.clone))
    assert reply.status == 0
    assert get(c42, target, 0, 1 << 20).data == data


def test_a_clone_is_a_file_of_its_own(c42, pair):
    source, target, data = pair
    cloned(c42, copy(c42, source, target, op.clone))
    put(c42, source, b'SOURCE', 10)
    put(c42, target, b'TARGET', 200000)
    assert get(c42, target, 0, 1 << 20).data == \
        data[:200000] + b'TARGET' + data[200006:]
    assert get(c42, source, 0, 1 << 20).data == \
        data[:10] + b'SOURCE' + data[16:]


def test_clone_keeps_to_the_block_size_it_names(c42, pair):
    source, target, data = pair
    block = c42.get(source.fh, 'clone_blksize')
    if block > 1:
        assert copy(c42, source, target, op.clone, from_=1, to=1,
                    count=block).status == x.NFS4ERR_INVAL
    reply = copy(c42, source, target, op.clone, from_=block, to=0,
                 count=block)
    assert reply.status == 0
    assert get(c42, target).data == data[block:2 * block]


def test_clone_from_beyond_the_end_is_invalid(c42, pair):
    source, target, _ = pair
    cloned(c42, copy(c42, source, target, op.clone, from_=1 << 20,
                     count=1 << 20))
    assert copy(c42, source, target, op.clone, from_=1 << 20,
                count=1 << 20).status == x.NFS4ERR_INVAL


# ---------------------------------------------------------------- READ_PLUS --


def pieces(c, p, offset=0, count=1 << 20):
    res = c.ok(op.putfh(p.fh), op.read_plus(offset, count, p.s))[1]
    data, at = b'', offset
    for piece in res.rpr_contents:
        if piece.rpc_content == x.NFS4_CONTENT_DATA:
            assert piece._data.d_offset == at
            data += piece._data.d_data
        else:
            assert piece._data.di_offset == at
            data += bytes(min(piece._data.di_length, 1 << 23))
        at = offset + len(data)
    return res, data


def test_read_plus_reads_what_read_reads(c42, holes):
    whole = bytes(MIB) + b'x' * MIB + bytes(MIB) + b'y'
    offset, got = 0, b''
    while True:
        res, data = pieces(c42, holes, offset)
        got += data
        offset += len(data)
        if res.rpr_eof:
            break
        assert data
    assert got[:len(whole)] == whole
    assert not got[len(whole):].strip(b'\0')


def test_read_plus_tells_holes_in_few_bytes(c42, holes):
    reply = c42(op.putfh(holes.fh), op.read_plus(0, MIB // 2, holes.s))
    assert reply.status == 0
    assert len(reply.body) < 1000


@pytest.mark.parametrize('offset, count', [
    (100, 1), (101, 10), (1 << 60, 1), (0, 0)])
def test_read_plus_of_nothing(c42, p, offset, count):
    put(c42, p, b'x' * 100)
    res = c42.ok(op.putfh(p.fh), op.read_plus(offset, count, p.s))[1]
    assert res.rpr_contents == [] or count == 0
    assert res.rpr_eof == (offset >= 100)


def test_read_plus_keeps_to_the_count(c42, p):
    put(c42, p, b'x' * 1000)
    res, data = pieces(c42, p, 10, 100)
    assert data == b'x' * 100
    assert not res.rpr_eof


def test_read_plus_needs_what_read_needs(c42, d, p):
    c42.fails(x.NFS4ERR_BAD_STATEID, op.putfh(p.fh), op.read_plus(
        s=(1, b'\x77' * 12)))
    c42.fails(x.NFS4ERR_ISDIR, op.putfh(d), op.read_plus())
    c42.ok(op.putfh(p.fh), op.read_plus(s=op.ANON))


def test_io_advise_takes_any_hint_and_may_keep_none(c42, p):
    for hints in ([], [0], [1, 4], list(range(11))):
        res = c42.ok(op.putfh(p.fh), op.io_advise(hints, s=p.s))[1]
        assert set(op.bits(res.ior_hints)) <= set(hints)


# ------------------------------------------------------ extended attributes --


@pytest.fixture
def fh(c42, d):
    return c42.make(d, b'f')


def listed(c, fh, maxcount=8192):
    names, cookie = [], 0
    while True:
        res = c.ok(op.putfh(fh), op.listxattrs(cookie, maxcount))[1]
        names += res.lxr_names
        if res.lxr_eof:
            return names
        assert res.lxr_names
        cookie = res.lxr_cookie


def test_extended_attributes_are_set_read_listed_and_removed(c42, fh, d):
    for what in (fh, d):
        assert listed(c42, what) == []
        c42.ok(op.putfh(what), op.setxattr(b'one', b'1'),
               op.setxattr(b'two', b''))
        assert c42.ok(op.putfh(what), op.getxattr(b'one'))[1] == b'1'
        assert c42.ok(op.putfh(what), op.getxattr(b'two'))[1] == b''
        assert sorted(listed(c42, what)) == [b'one', b'two']
        c42.ok(op.putfh(what), op.setxattr(b'one', b'other'))
        assert c42.ok(op.putfh(what), op.getxattr(b'one'))[1] == b'other'
        c42.ok(op.putfh(what), op.removexattr(b'one'))
        assert listed(c42, what) == [b'two']


def test_an_extended_attribute_that_is_not_there(c42, fh):
    c42.fails(x.NFS4ERR_NOXATTR, op.putfh(fh), op.getxattr(b'none'))
    c42.fails(x.NFS4ERR_NOXATTR, op.putfh(fh), op.removexattr(b'none'))
    c42.fails(x.NFS4ERR_NOXATTR, op.putfh(fh), op.setxattr(
        b'none', b'v', x.SETXATTR4_REPLACE))
    assert listed(c42, fh) == []


def test_an_extended_attribute_is_created_once(c42, fh):
    c42.ok(op.putfh(fh), op.setxattr(b'k', b'1', x.SETXATTR4_CREATE))
    c42.fails(x.NFS4ERR_EXIST, op.putfh(fh), op.setxattr(
        b'k', b'2', x.SETXATTR4_CREATE))
    c42.ok(op.putfh(fh), op.setxattr(b'k', b'3', x.SETXATTR4_REPLACE))
    assert c42.ok(op.putfh(fh), op.getxattr(b'k'))[1] == b'3'


def test_change_info_of_extended_attributes_is_the_objects(c42, fh):
    for operation in (op.setxattr(b'k', b'1'), op.setxattr(b'k', b'2'),
                      op.removexattr(b'k')):
        before = c42.get(fh, 'change')
        info = c42.ok(op.putfh(fh), operation)[1]
        assert info.atomic
        assert (info.before, info.after) == (before, c42.get(fh, 'change'))
        assert info.after > info.before


def test_a_value_of_64_kib_is_kept_and_a_larger_one_too_big(c42, fh):
    value = os.urandom(65536)
    c42.ok(op.putfh(fh), op.setxattr(b'k', value))
    assert c42.ok(op.putfh(fh), op.getxattr(b'k'))[1] == value
    c42.fails(x.NFS4ERR_XATTR2BIG, op.putfh(fh), op.setxattr(
        b'big', value + b'x'))


@pytest.mark.parametrize('name', [b'', b'n' * 256, b'a\0b'],
                         ids=['empty', '256', 'nul'])
def test_a_name_of_an_extended_attribute_that_cannot_be(c42, fh, name):
    for operation in (op.setxattr(name, b'v'), op.getxattr(name),
                      op.removexattr(name)):
        assert c42(op.putfh(fh), operation).status in (
            x.NFS4ERR_INVAL, x.NFS4ERR_NAMETOOLONG, x.NFS4ERR_BADNAME,
            x.NFS4ERR_BADCHAR)


@pytest.mark.parametrize('maxcount', [64, 100, 300, 8192])
def test_extended_attributes_are_listed_page_by_page(c42, fh, maxcount):
    names = [b'name-%02d' % i for i in range(30)]
    for name in names:
        c42.ok(op.putfh(fh), op.setxattr(name, b'v'))
    assert sorted(listed(c42, fh, maxcount)) == names


def test_a_list_keeps_to_its_maxcount(c42, fh):
    for i in range(30):
        c42.ok(op.putfh(fh), op.setxattr(b'name-%02d' % i, b'v'))
    for maxcount in (64, 200, 300):
        res = c42.ok(op.putfh(fh), op.listxattrs(0, maxcount))[1]
        assert len(res.pack()) <= maxcount
        assert not res.lxr_eof


@pytest.mark.parametrize('maxcount', [0, 4, 8, 20])
def test_a_list_without_room_for_a_name_is_too_small(c42, fh, maxcount):
    c42.ok(op.putfh(fh), op.setxattr(b'a rather long name', b'v'))
    assert c42(op.putfh(fh), op.listxattrs(0, maxcount)).status == \
        x.NFS4ERR_TOOSMALL


def test_extended_attributes_go_with_the_file(c42, d, fh):
    c42.ok(op.putfh(fh), op.setxattr(b'k', b'v'))
    c42.ok(op.putfh(d), op.remove(b'f'))
    assert listed(c42, c42.make(d, b'f')) == []


def test_extended_attributes_follow_the_rights_of_the_file(
        v4, c42, d, clients):
    import nfs4_client
    import wire
    fh = c42.make(d, b'f', mode=0o640)
    c42.ok(op.putfh(fh), op.setxattr(b'k', b'v'))
    user = nfs4_client.Client1(v4, 2, cred=wire.user(1000))
    clients.append(user)
    for operation in (op.setxattr(b'k', b'w'), op.getxattr(b'k'),
                      op.removexattr(b'k')):
        user.fails(x.NFS4ERR_ACCESS, op.putfh(fh), operation)
    c42.ok(op.putfh(fh), op.setattr_(mode=0o644))
    user.ok(op.putfh(fh), op.getxattr(b'k'))
    user.fails(x.NFS4ERR_ACCESS, op.putfh(fh), op.setxattr(b'k', b'w'))
