"""READDIR (RFC 8881 18.23; PROTOCOL 9)."""

import nfs4 as x
import nfs4_ops as op
import pytest
import wire


@pytest.fixture
def full(c, d):
    """A directory of 100 entries of different lengths."""
    names = [b'%03d' % i + b'x' * (i * 7 % 40) for i in range(100)]
    for name in names:
        c.make(d, name)
    return names


def page(c, d, cookie=0, maxcount=8192, verf=bytes(8), **kw):
    return c(op.putfh(d), op.readdir(cookie, verf, maxcount=maxcount, **kw))


def size_of(reply):
    """What maxcount counts: the result beside operation and status."""
    return len(reply[1].pack())


def test_an_empty_directory_has_an_end(c4, d):
    for maxcount in (64, 8192, 1 << 20):
        res = page(c4, d, maxcount=maxcount)[1]
        assert (res.reply.entries, res.reply.eof) == ([], True)


def test_there_are_no_dots(c4, d, full):
    assert c4.names(d) == full


@pytest.mark.parametrize('maxcount', [128, 200, 512, 1000, 4096, 65536])
def test_every_page_size_lists_everything_once(c4, d, full, maxcount):
    assert c4.names(d, maxcount) == full


@pytest.mark.parametrize('maxcount', [100, 128, 333, 512, 1024, 4096])
@pytest.mark.parametrize('asked', [
    [], ['type', 'fileid'], ['filehandle', 'size', 'owner', 'change']],
    ids=['nothing', 'some', 'more'])
def test_maxcount_is_never_exceeded(c4, d, full, maxcount, asked):
    cookie = 0
    while True:
        reply = page(c4, d, cookie, maxcount, asked=asked)
        if reply.status == x.NFS4ERR_TOOSMALL:
            assert maxcount < 250
            return
        assert reply.status == 0
        assert size_of(reply) <= maxcount
        if reply[1].reply.eof:
            return
        assert reply[1].reply.entries
        cookie = reply[1].reply.entries[-1].cookie


def test_pages_are_filled(c4, d, full):
    """As many entries as fit: the next one would have been too much."""
    reply = page(c4, d, 0, 1024)
    assert 1024 - size_of(reply) < 4 + 8 + 4 + 44 + 8 + 4


@pytest.mark.parametrize('maxcount', [0, 1, 8, 15, 16, 20, 30])
def test_what_cannot_hold_an_entry_is_too_small(c4, d, full, maxcount):
    assert page(c4, d, 0, maxcount).status == x.NFS4ERR_TOOSMALL


@pytest.mark.parametrize('maxcount', range(0, 16))
def test_less_than_16_bytes_is_too_small_even_for_nothing(
        c4, d, maxcount):
    assert page(c4, d, 0, maxcount).status == x.NFS4ERR_TOOSMALL


def test_a_page_of_4_gib_is_as_large_as_it_can_be(c4, d, full):
    res = page(c4, d, 0, 0xffffffff)
    assert res.status == 0
    assert [e.name for e in res[1].reply.entries] == full


def test_dircount_is_a_hint(c4, d, full):
    for dircount in (0, 1, 100, 0xffffffff):
        assert [e.name for e in c4.entries(d, 2048, dircount=dircount)] == \
            full


# ------------------------------------------------------ cookies, verifiers --


@pytest.mark.parametrize('cookie', [1, 2])
def test_cookies_1_and_2_are_bad(c4, d, full, cookie):
    assert page(c4, d, cookie).status == x.NFS4ERR_BAD_COOKIE


def test_a_verifier_with_cookie_0_is_bad(c4, d, full):
    assert page(c4, d, 0, verf=b'12345678').status == x.NFS4ERR_BAD_COOKIE


def test_a_verifier_of_zeros_is_always_good(c4, d, full):
    cookie = page(c4, d, 0, 512)[1].reply.entries[-1].cookie
    assert page(c4, d, cookie, 512, bytes(8)).status == 0


def test_the_verifier_does_not_move(c4, d, full):
    first = page(c4, d)[1].cookieverf
    c4.ok(op.putfh(d), op.remove(full[0]), op.mkdir(b'new'))
    assert page(c4, d)[1].cookieverf == first


def test_cookies_differ_and_are_below_2_to_the_63(c4, d, full):
    cookies = [e.cookie for e in c4.entries(d, 700)]
    assert len(set(cookies)) == len(cookies)
    assert all(2 < k < 1 << 63 for k in cookies)


def test_every_cookie_can_be_gone_on_from(c4, d, full):
    entries = c4.entries(d)
    for i, e in enumerate(entries):
        res = page(c4, d, e.cookie, 65536)[1]
        assert [n.name for n in res.reply.entries] == full[i + 1:]


def test_cookies_are_those_of_version_3(c4, c, d, full):
    old = {e.name: e.cookie for e in c.entries(d)}
    for e in c4.entries(d):
        assert old[e.name] == e.cookie


def test_a_cookie_is_good_after_its_entry_went(c4, d, full):
    entries = c4.entries(d)
    c4.ok(op.putfh(d), *[op.remove(n) for n in full[10:30]])
    for i in (10, 20, 29):
        res = page(c4, d, entries[i].cookie, 65536)[1]
        assert [n.name for n in res.reply.entries] == full[30:]


def test_a_cookie_beyond_the_last_is_the_end(c4, d, full):
    res = page(c4, d, c4.entries(d)[-1].cookie)[1]
    assert (res.reply.entries, res.reply.eof) == ([], True)


@pytest.mark.parametrize('maxcount', [300, 512, 2000])
def test_a_directory_is_emptied_while_it_is_listed(
        c4, d, full, maxcount):
    """rm -r: list a page, remove it, go on."""
    cookie, seen = 0, []
    while True:
        res = page(c4, d, cookie, maxcount)[1]
        for e in res.reply.entries:
            seen.append(e.name)
            c4.ok(op.putfh(d), op.remove(e.name))
            cookie = e.cookie
        if res.reply.eof:
            break
    assert seen == full
    assert c4.names(d) == []


def test_what_stays_is_listed_once_whatever_else_happens(c4, d, full):
    stays = full[1::2]
    cookie, seen, i = 0, [], 0
    while True:
        res = page(c4, d, cookie, 400)[1]
        seen += [e.name for e in res.reply.entries]
        if res.reply.eof:
            break
        cookie = res.reply.entries[-1].cookie
        if 2 * i < len(full):
            c4.ok(op.putfh(d), op.remove(full[2 * i]))
        c4.ok(op.putfh(d), op.mkdir(b'new-%d' % i))
        i += 1
    assert [n for n in seen if n in stays] == stays
    assert len(seen) == len(set(seen))


def test_a_renamed_entry_is_not_lost(c4, d, full):
    """Renamed in the part already listed: it comes (again) at the end."""
    res = page(c4, d, 0, 600)[1]
    first = res.reply.entries[0].name
    c4.ok(op.putfh(d), op.savefh(), op.rename(first, b'renamed'))
    rest = []
    cookie = res.reply.entries[-1].cookie
    while True:
        res = page(c4, d, cookie, 4096)[1]
        rest += [e.name for e in res.reply.entries]
        if res.reply.eof:
            break
        cookie = res.reply.entries[-1].cookie
    assert b'renamed' in rest
    assert len(rest) == len(set(rest))


# -------------------------------------------------------------- attributes --

ASKED = ['type', 'change', 'size', 'fsid', 'rdattr_error', 'filehandle',
         'fileid', 'mode', 'numlinks', 'owner', 'owner_group', 'rawdev',
         'space_used', 'time_access', 'time_metadata', 'time_modify',
         'mounted_on_fileid']


def test_attributes_in_a_listing_are_those_of_getattr(c4, d):
    c4.make(d, b'file', b'x' * 100)
    c4.mkdir(d, b'dir')
    c4.symlink(d, b'link', b'target')
    c4.ok(op.putfh(d), op.mknod(b'dev', op.CHR, 1, 2))
    for e in c4.entries(d, asked=ASKED):
        a = op.values(e.attrs)
        fh = a['filehandle']
        assert fh == c4.find(d, e.name)
        assert a.pop('rdattr_error', 0) == 0
        assert a == c4.attr(fh, *[n for n in ASKED if n != 'rdattr_error'])


def test_rdattr_error_comes_when_asked(c4, d):
    c4.make(d, b'f')
    entry = c4.entries(d, asked=['type', 'rdattr_error'])[0]
    assert op.values(entry.attrs) == {'type': op.REG, 'rdattr_error': 0}


def test_what_a_linux_client_asks_for_comes(c4, d):
    """PROTOCOL 5: 0018091a 00b0a23a."""
    c4.make(d, b'f')
    words = [0x0018091a, 0x00b0a23a]
    res = c4.ok(op.putfh(d), x.nfs_argop4(
        x.OP_READDIR, x.READDIR4args(0, bytes(8), 65448, 65448, words)))[1]
    entry = res.reply.entries[0]
    assert op.bits(entry.attrs.attrmask) == op.bits(words)
    op.values(entry.attrs)


def test_no_attributes_asked_is_none_answered(c4, d):
    c4.make(d, b'f')
    entry = c4.entries(d)[0]
    assert op.bits(entry.attrs.attrmask) == []
    assert entry.attrs.attr_vals == b''


def test_a_listing_changes_neither_change_nor_times(c4, d, full):
    names = ('change', 'time_modify', 'time_metadata')
    before = c4.attr(d, *names)
    c4.names(d)
    assert c4.attr(d, *names) == before


# ------------------------------------------------------------------ errors --


def test_only_directories_are_listed(c4, d):
    fh = c4.make(d, b'f')
    assert page(c4, fh).status == x.NFS4ERR_NOTDIR
    fh = c4.symlink(d, b'l', b'.')
    assert page(c4, fh).status in (x.NFS4ERR_NOTDIR, x.NFS4ERR_SYMLINK)


def test_a_listing_needs_the_right_to_read(v4, c4, d, clients):
    import nfs4_client
    sub = c4.mkdir(d, b'sub', 0o711)
    user = nfs4_client.new_client(v4, c4.minor, cred=wire.user(1000))
    clients.append(user)
    assert page(user, sub).status == x.NFS4ERR_ACCESS


def test_a_removed_directory_is_stale(c4, d):
    sub = c4.mkdir(d, b'sub')
    c4.ok(op.putfh(d), op.remove(b'sub'))
    assert page(c4, sub).status == x.NFS4ERR_STALE


@pytest.mark.slow
def test_5000_entries_are_removed_page_by_page(v4, d, clients):
    import nfs4_client
    c = nfs4_client.Client1(v4, 1, fore=op.channel(ops=50))
    clients.append(c)
    for i in range(0, 5000, 20):
        c.ok(*[o for j in range(i, i + 20) for o in (
            op.putfh(d), op.mkdir(b'%05d' % j))])
    cookie, seen = 0, 0
    while True:
        res = page(c, d, cookie, 512)[1]
        names = [e.name for e in res.reply.entries]
        seen += len(names)
        if names:
            c.ok(op.putfh(d), *map(op.remove, names))
            cookie = res.reply.entries[-1].cookie
        if res.reply.eof:
            break
    assert seen == 5000
    assert c.names(d) == []
