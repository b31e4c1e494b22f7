"""Each operation that takes a stateid, with each kind of a wrong one."""

import nfs4 as x
import nfs4_ops as op
import pytest

BAD_STATEID, OLD_STATEID, STALE_STATEID = (
    x.NFS4ERR_BAD_STATEID, x.NFS4ERR_OLD_STATEID, x.NFS4ERR_STALE_STATEID)


class Held:
    """A file opened twice and locked twice by one client: numbers 2."""

    def __init__(self, c, d, name=b'f'):
        self.c, self.name = c, name
        self.o = c.new(d, name, access=op.READ)
        self.o = c.open(d, name, op.BOTH)
        c.ok(op.putfh(self.o.fh), op.write(b'data', s=self.o.s))
        self.k = c.lock(self.o, 0, 10)
        c.lock_more(self.k, 20, 10)
        self.fh = self.o.fh

    def seqid(self, owner=b'owner'):
        return self.c.next_seqid(owner)


# operation: (of an open or of a lock, the operation with this stateid)
TAKE = {
    'READ': ('o', lambda h, s: op.read(s=s)),
    'WRITE': ('o', lambda h, s: op.write(b'x', s=s)),
    'SETATTR': ('o', lambda h, s: op.setattr_(s, size=0)),
    'CLOSE': ('o', lambda h, s: op.close(s, h.seqid())),
    'OPEN_DOWNGRADE': ('o', lambda h, s: op.open_downgrade(
        s, op.READ, seqid=h.seqid())),
    'LOCK': ('o', lambda h, s: op.lock_new(
        op.READ, 50, 1, s, b'other', h.seqid(), 1, h.c.clientid)),
    'LOCK, more': ('k', lambda h, s: op.lock_more(
        op.READ, 50, 1, s, h.seqid(b'lock:locker'))),
    'LOCKU': ('k', lambda h, s: op.locku(
        0, 1, s, h.seqid(b'lock:locker'))),
    'READ, locked': ('k', lambda h, s: op.read(s=s)),
    'WRITE, locked': ('k', lambda h, s: op.write(b'x', s=s)),
}
# No good one is at hand: what is open is confirmed.
TAKE_40 = {'OPEN_CONFIRM': ('o', lambda h, s: op.open_confirm(
    s, h.seqid()))}
# Whose number they use up in 4.0.
COUNTED = {'CLOSE': b'owner', 'OPEN_DOWNGRADE': b'owner', 'LOCK': b'owner',
           'LOCK, more': b'lock:locker', 'LOCKU': b'lock:locker'}
TAKE_41 = {'FREE_STATEID': ('k', lambda h, s: op.free_stateid(s))}
TAKE_42 = {
    'ALLOCATE': ('o', lambda h, s: op.allocate(0, 1, s)),
    'DEALLOCATE': ('o', lambda h, s: op.deallocate(0, 1, s)),
    'SEEK': ('o', lambda h, s: op.seek(0, x.NFS4_CONTENT_DATA, s)),
    'READ_PLUS': ('o', lambda h, s: op.read_plus(s=s)),
    'IO_ADVISE': ('o', lambda h, s: op.io_advise([1], s=s)),
    'COPY from': ('o', lambda h, s: op.copy(s, op.ANON, 0, 1, 1)),
    'COPY to': ('o', lambda h, s: op.copy(op.ANON, s, 0, 1, 1)),
    'CLONE from': ('o', lambda h, s: op.clone(s, op.ANON)),
    'CLONE to': ('o', lambda h, s: op.clone(op.ANON, s)),
}


def each(c, good=False):
    """name, which of the two, operation."""
    taking = {**TAKE, **(TAKE_41 if c.minor else {} if good else TAKE_40),
              **(TAKE_42 if c.minor == 2 else {})}
    return [(name, *row) for name, row in taking.items()]


def refused(c, h, make, fh=None):
    """{operation: status} of each with the stateid that `make` makes of a
    good one."""
    found = {}
    for name, which, operation in each(c):
        good = op.pair(getattr(h, which).s)
        reply = c(op.putfh(fh or h.fh), op.savefh(),
                  operation(h, make(*good)))
        found[name] = reply.status
    return found


def all_are(found, *statuses):
    assert {n: s for n, s in found.items() if s not in statuses} == {}


def test_a_good_stateid_is_good(c4, d):
    """What is refused below is refused for its stateid."""
    for name, which, operation in each(c4, True):
        h = Held(c4, d, name.encode())
        if name == 'FREE_STATEID':
            c4.unlock(h.k, 0, op.ALL)
        s = op.pair(getattr(h, which).s)
        # Overlapping in one file, which is no matter of stateids.
        wanted = (0, x.NFS4ERR_INVAL) if name[:5] in ('COPY ', 'CLONE') \
            else (0,)
        reply = c4(op.putfh(h.fh), op.savefh(), operation(h, s))
        assert reply.status in wanted, (name, reply)
        if name in COUNTED:
            c4.used_seqid(COUNTED[name], reply.status)


def test_one_of_an_earlier_instance(c4, d):
    """Stale in 4.0; in sessions there is no need to tell (8881 15.1.16.5)."""
    def flip(seqid, other):
        return seqid, bytes(b ^ 0x55 for b in other[:4]) + other[4:]

    found = refused(c4, Held(c4, d), flip)
    all_are(found, BAD_STATEID if c4.minor else STALE_STATEID)


def test_one_that_never_was(c4, d):
    def flip(seqid, other):
        return seqid, other[:8] + bytes(b ^ 0x55 for b in other[8:])

    all_are(refused(c4, Held(c4, d), flip), BAD_STATEID)


def test_one_with_an_old_number(c4, d):
    all_are(refused(c4, Held(c4, d), lambda seqid, other: (1, other)),
            OLD_STATEID)


def test_one_with_a_number_from_the_future(c4, d):
    found = refused(c4, Held(c4, d), lambda seqid, other: (seqid + 1, other))
    all_are(found, BAD_STATEID)


def test_one_of_another_file(c4, d):
    h = Held(c4, d)
    another = c4.make(d, b'another')
    found = refused(c4, h, lambda *s: s, fh=another)
    if c4.minor:
        # It means what it says, not a file; and it has locks.
        assert found.pop('FREE_STATEID') == x.NFS4ERR_LOCKS_HELD
    all_are(found, BAD_STATEID)


def test_one_of_another_client(c41, d, another):
    """4.0 knows no other client than that of the stateid."""
    h = Held(c41, d)
    h.c = another()
    all_are(refused(h.c, h, lambda *s: s), BAD_STATEID)


def test_an_open_is_no_lock_and_a_lock_no_open(c4, d):
    h = Held(c4, d)
    o, k = op.pair(h.o.s), op.pair(h.k.s)
    for name, s in (('LOCK', k), ('CLOSE', k), ('OPEN_DOWNGRADE', k),
                    ('LOCK, more', o), ('LOCKU', o)):
        c4.fails(BAD_STATEID, op.putfh(h.fh), TAKE[name][1](h, s))


@pytest.mark.parametrize('name', ['CLOSE', 'OPEN_DOWNGRADE', 'LOCK', 'LOCKU',
                                  'LOCK, more'])
@pytest.mark.parametrize('special', [op.ANON, op.BYPASS, op.INVALID])
def test_special_ones_are_for_data_only(c4, d, name, special):
    h = Held(c4, d)
    c4.fails(BAD_STATEID, op.putfh(h.fh), TAKE[name][1](h, special))
