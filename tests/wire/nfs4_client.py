"""A client of version 4, for tests: compounds, sessions, owners.

	reply = compound(transport, 0, op.putrootfh(), op.getfh())
	c = Client0(server) or Client1(server, minor)
	fh, attributes = c.ok(op.putfh(d), ..., op.getfh(), op.getattr_(...))[1:]

A Client puts SEQUENCE in front of what it is asked where the minor version
has one, and counts slots' and owners' sequence ids; it hides no result.
"""

import itertools
import os
import struct

import nfs4 as x
import nfs4_listed
import nfs4_ops as op
import rpc
import wire
from wire import NFS


def name_of(status):
    try:
        return x.nfsstat4(status).name
    except ValueError:
        return str(status)


# (operation, error): the tests that caused it.  Filled while they run, and
# looked through by the last one (test_nfs4_errors.py).
caused = {}


def check_listed(minor, result):
    """No operation answers what nfs4_listed does not have for it."""
    status = status_of(result)
    if status == 0 or minor > 2:
        return
    operation = x.nfs_opnum4(result.resop).name[len('OP_'):]
    error = name_of(status)[len('NFS4ERR_'):]
    caused.setdefault((operation, error), set()).add(current_test())
    assert nfs4_listed.may_answer(minor, operation, error), \
        '%s of 4.%d answers %s' % (operation, minor, error)


def current_test():
    """The function's name, without parameters."""
    return os.environ.get('PYTEST_CURRENT_TEST', '').partition('::')[
        2].partition(' ')[0].partition('[')[0]


class Reply:
    """status, tag, and `ops`: the results, each an nfs_resop4."""

    def __init__(self, body, minor=0):
        res, end = x.COMPOUND4res.unpack(body)
        assert end == len(body), '%d bytes behind the results' % (
            len(body) - end)
        self.body, self.status, self.tag = body, res.status, res.tag
        self.ops = res.resarray
        self.sequence = None            # SEQUENCE's, taken out of ops
        # RFC 8881 16.2.3: the compound's status is its last operation's,
        # and all before that are good.
        if self.ops:
            assert status_of(self.ops[-1]) == self.status
            assert all(status_of(r) == 0 for r in self.ops[:-1])
            check_listed(minor, self.ops[-1])

    def without_sequence(self):
        if self.ops and self.ops[0].resop == x.OP_SEQUENCE:
            self.sequence = self.ops.pop(0)
        return self

    def __len__(self):
        return len(self.ops)

    def __getitem__(self, i):
        return value_of(self.ops[i])

    def __repr__(self):
        return '<%s: %s>' % (name_of(self.status), ', '.join(
            '%s %s' % (getattr(r.resop, 'name', r.resop),
                       name_of(status_of(r))) for r in self.ops))


def status_of(result):
    """The first word of a result is always its status."""
    arm = result._data
    return getattr(arm, arm.__slots__[0])


def value_of(result):
    """What a result carries beside its status."""
    arm = result._data
    return arm._data if '_data' in arm.__slots__ else arm


def pack_compound(minor, operations, tag=b'', count=None):
    operations = [op.encode(o) for o in operations]
    return b''.join([
        op.opaque(tag), struct.pack('>II', minor, len(operations)
                                    if count is None else count),
        *operations])


def compound(transport, minor, *operations, tag=b'', count=None):
    return Reply(transport.call(NFS, 4, 1, pack_compound(
        minor, operations, tag, count)), minor)


counter = itertools.count(1)


def unique(prefix=b'wire'):
    return b'%s-%d-%d' % (prefix, os.getpid(), next(counter))


# Errors after which an owner's seqid stays (RFC 7530 9.1.7).
SEQID_STAYS = (
    x.NFS4ERR_STALE_CLIENTID, x.NFS4ERR_STALE_STATEID,
    x.NFS4ERR_BAD_STATEID, x.NFS4ERR_BAD_SEQID, x.NFS4ERR_BADXDR,
    x.NFS4ERR_RESOURCE, x.NFS4ERR_NOFILEHANDLE, x.NFS4ERR_MOVED)


class Opened:
    """A file that was opened: handle, stateid, whole result of OPEN."""

    def __init__(self, fh, res, owner, access):
        self.fh, self.res, self.owner, self.access = fh, res, owner, access
        self.s = res.stateid


class Locked:
    def __init__(self, opened, owner, s):
        self.opened, self.owner, self.s = opened, owner, s
        self.fh = opened.fh


class Client:
    """What both kinds have in common.  Calling it makes a compound."""

    minor = None
    clientid = 0

    def __init__(self, server, cred=None, **kw):
        self.server = server
        self.transport = server.tcp(cred, **kw)
        self.seqids = {}                # 4.0: of owners, the last one used

    def close(self):
        self.transport.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def ok(self, *operations, **kw):
        """The values of all results, which must be good."""
        reply = self(*operations, **kw)
        assert reply.status == 0, reply
        assert len(reply) == len(operations)
        return [value_of(r) for r in reply.ops]

    def fails(self, status, *operations, **kw):
        """The reply; the last of the operations must fail like that."""
        reply = self(*operations, **kw)
        assert reply.status == status, (name_of(status), reply)
        assert len(reply) == len(operations), reply
        return reply

    # Owners' numbers: 4.0 counts them, later versions send what they like.

    def next_seqid(self, owner):
        if self.minor > 0:
            return 0
        return self.seqids.get(owner, 0) + 1

    def used_seqid(self, owner, status):
        if self.minor == 0 and status not in SEQID_STAYS:
            self.seqids[owner] = self.next_seqid(owner)

    # The usual things.

    def root(self):
        return self.ok(op.putrootfh(), op.getfh())[1].object

    def find(self, d, *names):
        return self.ok(op.putfh(d), *map(op.lookup, names),
                       op.getfh())[-1].object

    def is_there(self, d, name):
        reply = self(op.putfh(d), op.lookup(name))
        assert reply.status in (0, x.NFS4ERR_NOENT), reply
        return reply.status == 0

    def attr(self, fh, *asked):
        """Attributes by name."""
        return op.values(self.ok(op.putfh(fh), op.getattr_(*asked))[
            1].obj_attributes)

    def get(self, fh, name):
        """One attribute."""
        return self.attr(fh, name)[name]

    def mkdir(self, d, name, mode=0o755):
        return self.ok(op.putfh(d), op.mkdir(name, mode), op.getfh())[
            -1].object

    def symlink(self, d, name, target):
        return self.ok(op.putfh(d), op.symlink(name, target), op.getfh())[
            -1].object

    def try_open(self, d, claim, access=op.BOTH, deny=op.NONE,
                 owner=b'owner', how=None, clientid=None, seqid=None):
        """OPEN and GETFH after PUTFH; without OPEN_CONFIRM."""
        if isinstance(claim, bytes):
            claim = op.by_name(claim)
        reply = self(op.putfh(d), op.open_(
            claim, access, deny, owner, how,
            self.next_seqid(owner) if seqid is None else seqid,
            self.clientid if clientid is None else clientid), op.getfh())
        if seqid is None and len(reply) > 1:
            self.used_seqid(owner, status_of(reply.ops[1]))
        return reply

    def open(self, d, claim, access=op.BOTH, deny=op.NONE, owner=b'owner',
             how=None):
        reply = self.try_open(d, claim, access, deny, owner, how)
        assert reply.status == 0, reply
        opened = Opened(reply[2].object, reply[1], owner, access)
        if opened.res.rflags & x.OPEN4_RESULT_CONFIRM:
            assert self.minor == 0
            self.confirm(opened)
        return opened

    def confirm(self, opened):
        res = self.ok(op.putfh(opened.fh), op.open_confirm(
            opened.s, self.next_seqid(opened.owner)))
        self.used_seqid(opened.owner, 0)
        opened.s = res[1].open_stateid

    def new(self, d, name, owner=b'owner', mode=0o644, **kw):
        """A new file, open for both."""
        return self.open(d, name, owner=owner,
                         how=op.guarded(mode=mode), **kw)

    def try_close(self, o, s=None):
        reply = self(op.putfh(o.fh), op.close(
            s or o.s, self.next_seqid(o.owner)))
        self.used_seqid(o.owner, reply.status)
        return reply

    def close_file(self, o):
        reply = self.try_close(o)
        assert reply.status == 0, reply
        return reply[1]

    def make(self, d, name, data=b'', mode=0o644):
        """The handle of a new file with this in it, closed."""
        o = self.new(d, name, mode=mode)
        if data:
            assert self.ok(op.putfh(o.fh), op.write(data, s=o.s))[
                1].count == len(data)
        self.close_file(o)
        return o.fh

    def contents(self, fh, offset=0, count=1 << 16):
        return self.ok(op.putfh(fh), op.read(offset, count, op.BYPASS))[
            1].data

    def downgrade(self, o, access, deny=op.NONE):
        reply = self(op.putfh(o.fh), op.open_downgrade(
            o.s, access, deny, self.next_seqid(o.owner)))
        self.used_seqid(o.owner, reply.status)
        if reply.status == 0:
            o.s = reply[1].open_stateid
        return reply

    def try_lock(self, o, offset, length, kind=op.WRITE, owner=b'locker',
                 reclaim=False):
        """The first lock of an owner under an open."""
        reply = self(op.putfh(o.fh), op.lock_new(
            kind, offset, length, o.s, owner, self.next_seqid(o.owner),
            self.next_seqid(b'lock:' + owner), self.clientid, reclaim))
        self.used_seqid(o.owner, reply.status)
        if reply.status == 0:
            self.used_seqid(b'lock:' + owner, 0)
        return reply

    def lock(self, o, offset, length, kind=op.WRITE, owner=b'locker'):
        reply = self.try_lock(o, offset, length, kind, owner)
        assert reply.status == 0, reply
        return Locked(o, owner, reply[1].lock_stateid)

    def try_lock_more(self, k, offset, length, kind=op.WRITE):
        owner = b'lock:' + k.owner
        reply = self(op.putfh(k.fh), op.lock_more(
            kind, offset, length, k.s, self.next_seqid(owner)))
        self.used_seqid(owner, reply.status)
        if reply.status == 0:
            k.s = reply[1].lock_stateid
        return reply

    def lock_more(self, k, offset, length, kind=op.WRITE):
        reply = self.try_lock_more(k, offset, length, kind)
        assert reply.status == 0, reply

    def try_unlock(self, k, offset, length):
        owner = b'lock:' + k.owner
        reply = self(op.putfh(k.fh), op.locku(
            offset, length, k.s, self.next_seqid(owner)))
        self.used_seqid(owner, reply.status)
        if reply.status == 0:
            k.s = reply[1]
        return reply

    def unlock(self, k, offset, length):
        reply = self.try_unlock(k, offset, length)
        assert reply.status == 0, reply

    def test_lock(self, fh, offset, length, kind=op.WRITE, owner=b'tester'):
        """None, or the LOCK4denied."""
        reply = self(op.putfh(fh), op.lockt(
            kind, offset, length, owner, self.clientid))
        if reply.status == 0:
            return None
        assert reply.status == x.NFS4ERR_DENIED, reply
        return reply[1]

    def held(self, fh, end=64, kind=op.WRITE):
        """Which bytes another owner may not lock, as a string: r, w or .;
        of every byte before `end`."""
        line = ''
        for i in range(end):
            denied = self.test_lock(fh, i, 1, kind)
            line += '.' if denied is None else \
                'w' if denied.locktype == x.WRITE_LT else 'r'
        return line

    def entries(self, d, maxcount=8192, asked=(), dircount=0):
        """Page by page."""
        found, cookie, verf = [], 0, bytes(8)
        while True:
            page = self.ok(op.putfh(d), op.readdir(
                cookie, verf, dircount, maxcount, asked))[1]
            found += page.reply.entries
            if page.reply.eof:
                return found
            assert page.reply.entries, 'a page without an entry'
            cookie, verf = page.reply.entries[-1].cookie, page.cookieverf

    def names(self, d, maxcount=8192):
        return [e.name for e in self.entries(d, maxcount)]


class Client0(Client):
    """4.0: SETCLIENTID, confirmed."""

    minor = 0

    def __init__(self, server, cred=None, owner=None, verifier=None,
                 confirmed=True, **kw):
        super().__init__(server, cred, **kw)
        self.owner = owner or unique()
        self.verifier = verifier or os.urandom(8)
        if confirmed:
            self.clientid, confirm = self.setclientid()
            self.ok(op.setclientid_confirm(self.clientid, confirm))

    def setclientid(self, verifier=None):
        res = self.ok(op.setclientid(self.owner, verifier or self.verifier))
        return res[0].clientid, res[0].setclientid_confirm

    def __call__(self, *operations, tag=b'', count=None):
        return compound(self.transport, 0, *operations, tag=tag, count=count)


class Session:
    """What a session has: its id, what was granted, a number per slot."""

    def __init__(self, resok):
        self.id = resok.csr_sessionid
        self.flags = resok.csr_flags
        self.fore, self.back = (resok.csr_fore_chan_attrs,
                                resok.csr_back_chan_attrs)
        self.seqs = {}

    def sequence(self, slot=0, cache=False, highest=None):
        """The next SEQUENCE of a slot."""
        self.seqs[slot] = self.seqs.get(slot, 0) + 1
        return op.sequence(self.id, self.seqs[slot], slot,
                           slot if highest is None else highest, cache)

    def again(self, slot=0, cache=False, highest=None):
        """The last one once more."""
        return op.sequence(self.id, self.seqs[slot], slot,
                           slot if highest is None else highest, cache)


class Client1(Client):
    """4.1 and 4.2: EXCHANGE_ID, a session, and nothing to reclaim."""

    def __init__(self, server, minor=1, cred=None, owner=None, verifier=None,
                 session=True, reclaimed=True, fore=None, flags=0, **kw):
        super().__init__(server, cred, **kw)
        self.minor = minor
        self.owner = owner or unique()
        self.verifier = verifier or os.urandom(8)
        self.session = None
        if session:
            self.exchange_id()
            self.create_session(fore=fore, flags=flags)
            if reclaimed:
                self.ok(op.reclaim_complete())

    def bare(self, *operations, **kw):
        """Without SEQUENCE."""
        return compound(self.transport, self.minor, *operations, **kw)

    def exchange_id(self, verifier=None, flags=0x101):
        reply = self.bare(op.exchange_id(
            self.owner, verifier or self.verifier, flags))
        assert reply.status == 0, reply
        res = reply[0]
        self.clientid, self.cs_seq = res.eir_clientid, res.eir_sequenceid
        return res

    def create_session(self, fore=None, flags=0, back=None):
        reply = self.bare(op.create_session(
            self.clientid, self.cs_seq, flags, fore or op.channel(ops=50),
            back))
        assert reply.status == 0, reply
        self.cs_seq += 1
        self.session = Session(reply[0])
        return self.session

    def destroy(self):
        """Session and client id."""
        assert self.bare(op.destroy_session(self.session.id)).status == 0
        assert self.bare(op.destroy_clientid(self.clientid)).status == 0

    def __call__(self, *operations, cache=False, slot=0, tag=b'',
                 transport=None, count=None):
        reply = compound(transport or self.transport, self.minor,
                         self.session.sequence(slot, cache), *operations,
                         tag=tag, count=count)
        if len(reply) == 0 or (len(reply) == 1 and reply.status):
            self.session.seqs[slot] -= 1        # SEQUENCE itself failed
        return reply.without_sequence()

    def again(self, *operations, cache=False, slot=0, tag=b'',
              transport=None):
        """The same slot's last number once more."""
        return compound(transport or self.transport, self.minor,
                        self.session.again(slot, cache), *operations,
                        tag=tag)


def new_client(server, minor, **kw):
    return Client0(server, **kw) if minor == 0 else \
        Client1(server, minor, **kw)


def speaks_v4(server):
    with server.tcp() as t:
        try:
            t.call(NFS, 4, 0)
        except rpc.ProgMismatch:
            return False
    return True


def state_is_dropped(c):
    """End a client's state as another incarnation of it."""
    if c.minor == 0:
        with wire.contextlib.closing(Client0(c.server, owner=c.owner)):
            pass
    else:
        with wire.contextlib.closing(Client1(c.server, c.minor,
                                             owner=c.owner)):
            pass
