"""NFS version 3: READDIR and READDIRPLUS (RFC 1813, 3.3.16 and 3.3.17), and
what PROTOCOL demands of cookies: nothing is lost, nothing comes twice."""

import random

import nfs3
import pytest
import wire
from wire import Nfs3, fails, ok, post

DOTS = [b'.', b'..']


def fill(c, d, n, prefix=b'name'):
    """n files; by their names."""
    return {b'%s%06d' % (prefix, i): c.make(d, b'%s%06d' % (prefix, i))
            for i in range(n)}


def names(entries):
    return [e.name for e in entries if e.name not in DOTS]


class Lister:
    """A directory read page by page, by either procedure."""

    def __init__(self, c, d, count, plus=False):
        self.c, self.d, self.count, self.plus = c, d, count, plus
        self.cookie, self.verf, self.eof = 0, bytes(8), False

    def page(self):
        if self.plus:
            res = self.c.readdirplus(self.d, self.cookie, self.verf,
                                     self.count, self.count)
        else:
            res = self.c.readdir(self.d, self.cookie, self.verf, self.count)
        data = ok(res)
        entries = data.reply.entries
        self.eof, self.verf = data.reply.eof, data.cookieverf
        if entries:
            self.cookie = entries[-1].cookie
        else:
            assert self.eof, 'a page without an entry that is not the last'
        return entries

    def rest(self):
        found = []
        while not self.eof:
            found += self.page()
        return found


# --------------------------------------------------------------- READDIR --


def test_an_empty_directory_has_its_dots_and_ends(c, d):
    data = ok(c.readdir(d))
    assert [e.name for e in data.reply.entries] == DOTS
    assert data.reply.eof
    assert post(data.dir_attributes).type == nfs3.NF3DIR


def test_dots_have_the_ids_of_what_they_are(c, d, root_fh):
    entries = ok(c.readdir(d)).reply.entries
    assert entries[0].fileid == c.attr(d).fileid
    assert entries[1].fileid == c.attr(root_fh).fileid


def test_fileids_are_those_of_getattr(c, d):
    files = fill(c, d, 5)
    for e in ok(c.readdir(d)).reply.entries:
        if e.name not in DOTS:
            assert e.fileid == c.attr(files[e.name]).fileid


def test_every_name_comes_once_with_any_size_of_page(c, d):
    files = fill(c, d, 200)
    for count in (512, 513, 600, 1024, 4096, 65536, 1 << 20):
        assert sorted(names(Lister(c, d, count).rest())) == sorted(files)


def test_cookies_are_unique_rising_and_never_0(c, d):
    fill(c, d, 100)
    cookies = [e.cookie for e in Lister(c, d, 512).rest()]
    assert cookies == sorted(set(cookies))
    assert 0 < cookies[0] and cookies[-1] < 1 << 63


def test_a_cookie_stays_the_same_while_its_entry_lives(c, d):
    files = fill(c, d, 50)
    before = {e.name: e.cookie for e in Lister(c, d, 4096).rest()}
    for i, name in enumerate(sorted(files)):
        if i % 3 == 0:
            ok(c.remove(d, name))
    fill(c, d, 20, b'more')
    after = {e.name: e.cookie for e in Lister(c, d, 512).rest()}
    for name in after:
        if name in before:
            assert after[name] == before[name]
    fresh = [after[n] for n in after if n.startswith(b'more')]
    assert min(fresh) > max(before.values())


def test_any_cookie_resumes_behind_its_entry(c, d):
    fill(c, d, 30)
    entries = Lister(c, d, 65536).rest()
    for i, e in enumerate(entries):
        rest = ok(c.readdir(d, e.cookie, bytes(8), 65536))
        assert [x.name for x in rest.reply.entries] == [
            x.name for x in entries[i + 1:]]
        assert rest.reply.eof


def test_a_cookie_of_an_entry_that_went_resumes_at_the_next(c, d):
    fill(c, d, 10)
    entries = Lister(c, d, 65536).rest()
    gone = set()
    for i in (2, 5, 11):
        gone.add(entries[i].name)
        ok(c.remove(d, entries[i].name))
        rest = ok(c.readdir(d, entries[i].cookie, bytes(8), 65536))
        assert [x.name for x in rest.reply.entries] == [
            x.name for x in entries[i + 1:] if x.name not in gone]


def test_a_cookie_that_never_was_is_beyond_the_end_or_bad(c, d):
    fill(c, d, 10)
    last = Lister(c, d, 65536).rest()[-1].cookie
    for cookie in (last + 1, last + 1000, 1 << 62, (1 << 64) - 1):
        res = c.readdir(d, cookie)
        if res.status == nfs3.NFS3_OK:
            assert (res._data.reply.entries, res._data.reply.eof) == (
                [], True)
        else:
            assert res.status == nfs3.NFS3ERR_BAD_COOKIE


def test_the_verifier_is_constant_and_any_is_taken(c, d):
    fill(c, d, 10)
    entries = ok(c.readdir(d))
    verf = entries.cookieverf
    cookie = entries.reply.entries[3].cookie
    fill(c, d, 5, b'more')
    assert ok(c.readdir(d)).cookieverf == verf
    assert len(ok(c.readdir(d, cookie, verf)).reply.entries) == 13
    assert len(ok(c.readdir(d, cookie, bytes(8))).reply.entries) == 13


@pytest.mark.parametrize('plus', [False, True])
def test_a_page_is_never_longer_than_asked(server, c, d, plus):
    import rpc
    fill(c, d, 60)
    for count in list(range(150, 800, 7)) + [1000, 4096]:
        if plus:
            proc, args = 17, nfs3.READDIRPLUS3args(
                wire.fh3(d), 0, bytes(8), count, count)
        else:
            proc, args = 16, nfs3.READDIR3args(
                wire.fh3(d), 0, bytes(8), count)
        body = c.transport.call(wire.NFS, 3, proc, args.pack())
        kind = nfs3.READDIRPLUS3res if plus else nfs3.READDIR3res
        res = kind.from_bytes(body)
        if res.status == nfs3.NFS3ERR_TOOSMALL:
            assert count < 512
            continue
        # What counts is the READDIR3resok without its attributes at most.
        around = 4 + len(ok(res).dir_attributes.pack())
        assert len(body) - around <= count, rpc


@pytest.mark.parametrize('count', [0, 1, 4, 15])
def test_a_page_with_no_room_for_an_entry_is_toosmall(c, d, count):
    fill(c, d, 3)
    fails(c.readdir(d, 0, bytes(8), count), nfs3.NFS3ERR_TOOSMALL)
    fails(c.readdirplus(d, 0, bytes(8), count, count),
          nfs3.NFS3ERR_TOOSMALL)


def test_an_entry_longer_than_the_page_is_toosmall_and_not_the_end(c, d):
    c.make(d, b'n' * 255)
    first = Lister(c, d, 200)
    found = [first.page()]
    assert [e.name for e in found[0]] == DOTS
    assert not first.eof
    fails(c.readdir(d, first.cookie, first.verf, 200), nfs3.NFS3ERR_TOOSMALL)
    assert names(Lister(c, d, 512).rest()) == [b'n' * 255]


def test_names_of_all_lengths_come_back(c, d):
    made = {b'x' * n for n in range(1, 256)}
    for name in made:
        c.make(d, name)
    for count in (512, 4096):
        assert set(names(Lister(c, d, count).rest())) == made
        assert set(names(Lister(c, d, count, True).rest())) == made


def test_readdir_of_what_is_no_directory_is_notdir(c, d):
    f, link = c.make(d, b'f'), c.make_link(d, b'l', b'.')
    for fh in (f, link):
        failed = fails(c.readdir(fh), nfs3.NFS3ERR_NOTDIR)
        post(failed.dir_attributes)
        fails(c.readdirplus(fh), nfs3.NFS3ERR_NOTDIR)


def test_readdir_needs_the_right_to_read(c, d, as_user):
    sub = c.make_dir(d, b'sub', mode=0o700, uid=1000)
    c.make(sub, b'f')
    for mode in (0o100, 0o300):
        ok(c.setattr(sub, mode=mode))
        fails(as_user(1000).readdir(sub), nfs3.NFS3ERR_ACCES)
        fails(as_user(1000).readdirplus(sub), nfs3.NFS3ERR_ACCES)
    ok(c.setattr(sub, mode=0o400))
    assert names(ok(as_user(1000).readdir(sub)).reply.entries) == [b'f']
    fails(as_user(1001).readdir(sub), nfs3.NFS3ERR_ACCES)


# ----------------------------------------------------------- READDIRPLUS --


def test_readdirplus_gives_handles_and_attributes(c, d, root_fh):
    files = fill(c, d, 5)
    files[b'sub'] = c.make_dir(d, b'sub')
    files[b'link'] = c.make_link(d, b'link', b'x')
    files[b'.'], files[b'..'] = d, root_fh
    data = ok(c.readdirplus(d))
    assert data.reply.eof
    assert {e.name for e in data.reply.entries} == set(files)
    for e in data.reply.entries:
        assert e.name_handle.handle_follows
        assert e.name_handle._data.data == files[e.name]
        a = post(e.name_attributes)
        assert a == c.attr(files[e.name])
        assert a.fileid == e.fileid


def test_readdirplus_pages_like_readdir(c, d):
    files = fill(c, d, 200)
    for count in (512, 700, 4096, 32768):
        assert sorted(names(Lister(c, d, count, True).rest())) == \
            sorted(files)


def test_cookies_of_both_listings_are_the_same(c, d):
    fill(c, d, 20)
    one = ok(c.readdir(d)).reply.entries
    two = ok(c.readdirplus(d)).reply.entries
    assert [(e.name, e.cookie, e.fileid) for e in one] == [
        (e.name, e.cookie, e.fileid) for e in two]


def test_dircount_is_a_hint_and_0_means_nothing(c, d):
    files = fill(c, d, 20)
    data = ok(c.readdirplus(d, dircount=0, maxcount=32768))
    assert data.reply.entries
    few = ok(c.readdirplus(d, dircount=200, maxcount=32768))
    assert 0 < len(few.reply.entries) < 22
    assert sorted(names(Lister(c, d, 32768, True).rest())) == sorted(files)


# ------------------------------------------- changes while one is reading --


@pytest.mark.parametrize('plus', [False, True])
def test_what_is_removed_behind_the_reader_loses_nothing(c, d, plus):
    """As `rm -r` does: a page, its files removed, the next page."""
    fill(c, d, 300)
    lister, seen = Lister(c, d, 512, plus), []
    while not lister.eof:
        for name in names(lister.page()):
            seen.append(name)
            ok(c.remove(d, name))
    assert len(seen) == len(set(seen)) == 300
    assert c.names(d) == []


@pytest.mark.parametrize('plus', [False, True])
def test_names_that_stay_come_just_once_whatever_else_happens(c, d, plus):
    r = random.Random(7)
    stay = set(fill(c, d, 150, b'stay'))
    others = list(fill(c, d, 150, b'other'))
    lister, seen, made = Lister(c, d, 512, plus), [], 0
    while not lister.eof:
        seen += names(lister.page())
        for _ in range(4):
            what = r.random()
            if what < 0.4 and others:
                ok(c.remove(d, others.pop(r.randrange(len(others)))))
            elif what < 0.7 and others:
                i = r.randrange(len(others))
                made += 1
                ok(c.rename(d, others[i], d, b'renamed%d' % made))
                others[i] = b'renamed%d' % made
            elif made < 400:
                made += 1
                c.make(d, b'made%d' % made)
                others.append(b'made%d' % made)
    assert len([n for n in seen if n in stay]) == 150
    assert stay <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_rename_within_the_directory_shows_one_name_or_the_other(c, d):
    files = sorted(fill(c, d, 100))
    lister = Lister(c, d, 512)
    seen = names(lister.page())
    # One already seen, one yet to come.
    ok(c.rename(d, seen[0], d, b'was-seen'))
    ok(c.rename(d, files[-1], d, b'was-to-come'))
    seen += names(lister.rest())
    assert len(seen) == len(set(seen))
    assert set(files[1:-1]) <= set(seen)
    assert b'was-to-come' in seen or files[-1] in seen


def test_new_names_do_not_make_a_listing_endless(c, d):
    fill(c, d, 100)
    lister, pages = Lister(c, d, 4096), 0
    while not lister.eof:
        lister.page()
        pages += 1
        assert pages < 200
        if pages < 20:
            c.make(d, b'new%d' % pages)


def test_another_clients_removals_do_not_disturb(server, c, d):
    stay = set(fill(c, d, 200, b'stay'))
    go = list(fill(c, d, 200, b'go'))
    lister = Lister(c, d, 512)
    seen = names(lister.page())
    with Nfs3(server.tcp()) as other:
        for name in go:
            ok(other.remove(d, name))
    seen += names(lister.rest())
    assert stay <= set(seen)
    assert len(seen) == len(set(seen))


def pipelined(server, calls, window=64):
    """Replies to (proc, args) by place; many calls are under way at once."""
    import rpc
    replies = {}
    with server.raw() as raw:
        sent = 0
        while len(replies) < len(calls):
            while sent < len(calls) and sent - len(replies) < window:
                proc, args = calls[sent]
                raw.send_call(rpc.pack_call(sent, wire.NFS, 3, proc, args,
                                            wire.root()))
                sent += 1
            xid, body = rpc.unpack_reply(raw.receive())
            assert xid not in replies
            replies[xid] = body
    return [replies[i] for i in range(len(calls))]


def test_10000_entries_are_made_listed_and_removed_like_rm_r(server, c, d):
    how = nfs3.createhow3(nfs3.GUARDED, wire.sattr3(mode=0o600))
    wanted = [b'entry-%05d' % i for i in range(10000)]
    for body in pipelined(server, [(8, nfs3.CREATE3args(
            wire.dirop3(d, n), how).pack()) for n in wanted]):
        assert body[:4] == bytes(4)
    assert sorted(c.names(d, 512)) == wanted
    assert sorted(c.names(d, 65536)) == wanted

    lister, seen = Lister(c, d, 512), []
    while not lister.eof:
        page = names(lister.page())
        seen += page
        for body in pipelined(server, [(12, nfs3.REMOVE3args(
                wire.dirop3(d, n)).pack()) for n in page]):
            assert body[:4] == bytes(4)
    assert sorted(seen) == wanted
    assert c.names(d) == []


def test_a_listing_of_many_does_not_get_slower_with_each_page(server, c, d):
    """Not timed: each page must be found by its cookie, and the last page
    is as good as the first."""
    fill(c, d, 1000)
    entries = Lister(c, d, 65536).rest()
    last = entries[-2].cookie
    for _ in range(200):
        data = ok(c.readdir(d, last, bytes(8), 512))
        assert [e.name for e in data.reply.entries] == [entries[-1].name]
