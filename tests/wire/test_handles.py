"""File handles: whatever is not ours, or not ours any more, leads nowhere
(PROTOCOL 3: every bit flipped is BADHANDLE or STALE, never an object)."""

import random

import nfs3
import pytest
import wire
from wire import Nfs3, ok, u32

BAD = (nfs3.NFS3ERR_BADHANDLE, nfs3.NFS3ERR_STALE)


def status_of(c, fh):
    return c.getattr(fh).status


@pytest.mark.parametrize('kind', ['root', 'dir', 'file'])
def test_every_bit_flipped_leads_nowhere(c, d, root_fh, kind):
    fh = {'root': root_fh, 'dir': d, 'file': c.make(d, b'f')}[kind]
    assert status_of(c, fh) == nfs3.NFS3_OK
    for bit in range(8 * len(fh)):
        flipped = bytearray(fh)
        flipped[bit // 8] ^= 1 << bit % 8
        assert status_of(c, bytes(flipped)) in BAD, bit
        res = c.write(bytes(flipped), 0, b'x')
        assert res.status in BAD, bit
    assert status_of(c, fh) == nfs3.NFS3_OK


def test_every_length_but_its_own_leads_nowhere(c, d):
    fh = c.make(d, b'f')
    for n in range(65):
        if n != len(fh):
            cut = fh[:n] + bytes(max(0, n - len(fh)))
            assert status_of(c, cut) in BAD, n


def test_a_handle_of_more_than_64_bytes_is_garbage(c, d):
    import rpc
    for n in (65, 100, 1000):
        with pytest.raises(rpc.GarbageArgs):
            c.transport.call(wire.NFS, 3, 1,
                             u32(n) + bytes(n + 3 & ~3))


def test_random_handles_lead_nowhere(c, d):
    r = random.Random(3)
    fh = c.make(d, b'f')
    for _ in range(2000):
        n = r.choice([32, 32, 32, 28, 40, 64])
        some = bytearray(r.randbytes(n))
        # Half of them begin like ones of ours.
        if r.random() < 0.5:
            some[:8] = fh[:8]
        assert status_of(c, bytes(some)) in BAD


def test_parts_of_two_handles_make_none(c, d):
    one, two = c.make(d, b'f'), c.make(d, b'g')
    for at in range(1, len(one)):
        mixed = one[:at] + two[at:]
        if mixed not in (one, two):
            assert status_of(c, mixed) in BAD, at


def test_handles_of_another_server_lead_nowhere(c, d, start):
    other = start()
    theirs = wire.root_of(other)
    with Nfs3(other.tcp()) as o:
        fh = o.make(theirs, b'f')
        ours = c.make(d, b'f')
        assert status_of(o, ours) in BAD
    assert status_of(c, fh) in BAD
    assert status_of(c, theirs) in BAD
    other.stop()


def test_a_handle_is_the_same_however_it_is_got(c, d):
    fh = c.make(d, b'f')
    assert c.find(d, b'f') == fh
    ok(c.link(fh, d, b'g'))
    assert c.find(d, b'g') == fh
    entries = ok(c.readdirplus(d)).reply.entries
    assert {e.name_handle._data.data for e in entries
            if e.name in (b'f', b'g')} == {fh}


def test_a_name_made_again_has_another_handle(c, d):
    seen = set()
    for _ in range(200):
        fh = c.make(d, b'f')
        assert fh not in seen
        seen.add(fh)
        ok(c.remove(d, b'f'))
        assert status_of(c, fh) == nfs3.NFS3ERR_STALE
    fh = c.make(d, b'f')
    assert all(status_of(c, old) == nfs3.NFS3ERR_STALE for old in seen)
    assert status_of(c, fh) == nfs3.NFS3_OK


def test_handles_have_32_bytes_which_every_client_takes(c, d, root_fh):
    for fh in (root_fh, d, c.make(d, b'f'), c.make_link(d, b'l', b'x')):
        assert len(fh) == 32


def test_the_root_keeps_its_handle_over_a_restart(start, tmp_path):
    """The key is kept in the state directory, and only the root of a
    volatile file system is the same after it."""
    server = start(directory=tmp_path)
    root = wire.root_of(server)
    with Nfs3(server.tcp()) as c:
        fh = c.make(root, b'f')
        old = c.attr(root)
    assert server.stop() == 0
    server = start(directory=tmp_path)
    with Nfs3(server.tcp()) as c:
        assert wire.root_of(server) == root
        new = c.attr(root)
        assert new.fileid == old.fileid and new.fsid == old.fsid
        assert wire.stamp(new.ctime) > wire.stamp(old.ctime)
        assert status_of(c, fh) == nfs3.NFS3ERR_STALE
        assert c.make(root, b'f') != fh
    server.stop()


def test_a_lost_key_makes_every_handle_stale(start, tmp_path):
    server = start(directory=tmp_path)
    root = wire.root_of(server)
    server.stop()
    for path in sorted((tmp_path / 'state').rglob('*'), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    server = start(directory=tmp_path)
    with Nfs3(server.tcp()) as c:
        assert status_of(c, root) == nfs3.NFS3ERR_STALE
    server.stop()
