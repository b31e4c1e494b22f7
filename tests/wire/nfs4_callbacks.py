"""Clients of version 4 that can be called back, and say what they were told.

	h = Holder(server, minor)       # a thread answers what the server calls
	o = h.hold(d, b'a')             # open, and a delegation: o.s, o.deleg
	op = h.told()                   # the next operation the server told
	h.returns(o)

What is answered is for the test to say: `h.answer` is called with each
operation and gives its status, or None: no answer at all.
"""

import queue
import socket
import struct
import threading
import time

import nfs4 as x
import nfs4_ops as op
import rpc
import wire
from nfs4_client import Client0, Client1

PROGRAM = 0x40000123
IDENT = 77


def all_is_well(_):
    return x.NFS4_OK


def receive(sock):
    """A whole record, or None at the end."""
    pieces = []
    while True:
        mark = exactly(sock, 4)
        if mark is None:
            return None
        mark, = struct.unpack('>I', mark)
        pieces.append(exactly(sock, mark & ~rpc.LAST))
        if pieces[-1] is None:
            return None
        if mark & rpc.LAST:
            return b''.join(pieces)


def send(sock, message):
    """Who has hung up hears nothing."""
    try:
        sock.sendall(rpc.pack_record(message))
    except OSError:
        pass


def exactly(sock, n):
    pieces = []
    while n > 0:
        try:
            piece = sock.recv(n)
        except OSError:
            return None
        if not piece:
            return None
        pieces.append(piece)
        n -= len(piece)
    return b''.join(pieces)


class Called:
    """What a server may call: CB_NULL and CB_COMPOUND."""

    def __init__(self):
        self.probes = 0
        self.mute = False               # not even CB_NULL is answered
        self.answer = all_is_well
        self.sequence = all_is_well     # the status of CB_SEQUENCE
        self.compounds = queue.Queue()  # (Call, CB_COMPOUND4args)
        self.operations = queue.Queue()

    def reply_to(self, message):
        """The reply to a call, or None."""
        call = rpc.Call.unpack(message)
        if self.mute:
            return None
        if call.prog != PROGRAM or call.vers != 1:
            return rpc.pack_accepted(call.xid, rpc.PROG_UNAVAIL)
        if call.proc == 0:
            self.probes += 1
            return rpc.pack_accepted(call.xid, rpc.SUCCESS)
        args, end = x.CB_COMPOUND4args.unpack(call.body)
        assert end == len(call.body)
        self.compounds.put((call, args))
        results, status = [], x.NFS4_OK
        for one in args.argarray:
            res, status = self.operate(one)
            if status is None:
                return None
            results.append(res)
            if status != x.NFS4_OK:
                break
        body = []
        x.CB_COMPOUND4res(status, args.tag, results).pack_to(body.append)
        return rpc.pack_accepted(call.xid, rpc.SUCCESS, b''.join(body))

    def operate(self, one):
        a = one._data
        if one.argop == x.OP_CB_SEQUENCE:
            status = self.sequence(a)
            ok = x.CB_SEQUENCE4resok(
                a.csa_sessionid, a.csa_sequenceid, a.csa_slotid, 15, 15)
            return x.nfs_cb_resop4(one.argop, x.CB_SEQUENCE4res(
                status, ok if status == x.NFS4_OK else None)), status
        self.operations.put(a)
        status = self.answer(a)
        kind = {x.OP_CB_RECALL: x.CB_RECALL4res,
                x.OP_CB_NOTIFY_LOCK: x.CB_NOTIFY_LOCK4res}[one.argop]
        return x.nfs_cb_resop4(one.argop, kind(status)), status


class Duplex:
    """A connection for calls both ways; as a transport, for one thread."""

    def __init__(self, server, called, cred=None):
        self.client = server.tcp(cred)
        self.client.sock.settimeout(None)
        self.called, self.replies = called, queue.Queue()
        self.lock = threading.Lock()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            message = receive(self.client.sock)
            if message is None:
                self.replies.put(None)
                return
            if struct.unpack_from('>I', message, 4)[0] == rpc.REPLY:
                self.replies.put(message)
                continue
            reply = self.called.reply_to(message)
            if reply is not None:
                self.send(reply)

    def send(self, message):
        with self.lock:
            send(self.client.sock, message)

    def call(self, prog, vers, proc, body=b''):
        xid = self.client.next_xid()
        self.send(rpc.pack_call(xid, prog, vers, proc, body,
                                self.client.cred))
        while True:
            message = self.replies.get(timeout=wire.PATIENCE)
            if message is None:
                raise ConnectionResetError('the server closed it')
            got, results, error = rpc.parse_reply(message)
            if got != xid:
                continue
            if error is not None:
                raise error
            return results

    def close(self):
        try:
            self.client.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.client.close()


class Listener:
    """4.0: where the server connects to."""

    def __init__(self, called, host='127.0.0.1'):
        self.called, self.host = called, host
        self.sock = socket.socket()
        self.sock.bind((host, 0))
        self.sock.listen()
        self.peers = []
        threading.Thread(target=self.accept, daemon=True).start()

    def address(self):
        port = self.sock.getsockname()[1]
        return b'%s.%d.%d' % (self.host.encode(), port >> 8, port & 255)

    def accept(self):
        while True:
            try:
                peer, _ = self.sock.accept()
            except OSError:
                return
            self.peers.append(peer)
            threading.Thread(target=self.listen, args=(peer,),
                             daemon=True).start()

    def listen(self, peer):
        while True:
            message = receive(peer)
            if message is None:
                return
            reply = self.called.reply_to(message)
            if reply is not None:
                send(peer, reply)

    def hang_up(self):
        for peer in self.peers:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        self.hang_up()


class Holding:
    """What both kinds of holders can do."""

    def told(self, patience=wire.PATIENCE):
        """The next operation that the server told us of."""
        return self.called.operations.get(timeout=patience)

    def told_nothing(self):
        return self.called.operations.empty()

    def try_hold(self, d, claim, want=x.OPEN4_SHARE_ACCESS_WANT_READ_DELEG,
                 owner=b'owner'):
        """Opened for reading; `deleg`: what came with it."""
        access = op.READ | (want if self.minor > 0 else 0)
        o = self.open(d, claim, access=access, owner=owner)
        o.deleg = o.res.delegation
        return o

    def hold(self, d, claim, owner=b'owner'):
        """The same, until there is a delegation: the first OPEN makes the
        server see whether we can be called."""
        end = time.monotonic() + wire.PATIENCE
        while time.monotonic() < end:
            o = self.try_hold(d, claim, owner=owner)
            if o.deleg.delegation_type == x.OPEN_DELEGATE_READ:
                return o
            time.sleep(0.02)
        raise AssertionError('no delegation: %r' % o.deleg)

    def return_of(self, o):
        return self(op.putfh(o.fh), op.delegreturn(
            o.deleg._data.stateid)).status

    def returns(self, o):
        assert self.return_of(o) == x.NFS4_OK

    def read_by(self, o, status=x.NFS4_OK):
        """READ by the delegation's stateid."""
        reply = self(op.putfh(o.fh), op.read(s=o.deleg._data.stateid))
        assert reply.status == status, reply
        return reply[1].data if status == x.NFS4_OK else None


class Holder0(Holding, Client0):
    def __init__(self, server, cred=None, address=None, **kw):
        self.called = Called()
        self.listener = Listener(self.called)
        self.address = self.listener.address() if address is None else \
            address
        Client0.__init__(self, server, cred, **kw)

    def setclientid(self, verifier=None):
        res = self.ok(op.setclientid(
            self.owner, verifier or self.verifier, PROGRAM, b'tcp',
            self.address, IDENT))
        return res[0].clientid, res[0].setclientid_confirm

    def close(self):
        Client0.close(self)
        self.listener.close()


class Holder1(Holding, Client1):
    def __init__(self, server, minor=1, cred=None, **kw):
        self.called = Called()
        Client1.__init__(self, server, minor, cred, session=False, **kw)
        self.transport.close()
        self.transport = Duplex(server, self.called, cred)
        self.exchange_id()
        self.create_session(flags=x.CREATE_SESSION4_FLAG_CONN_BACK_CHAN)
        self.ok(op.reclaim_complete())

    def bare(self, *operations, **kw):
        operations = [
            op.create_session(
                self.clientid, self.cs_seq,
                x.CREATE_SESSION4_FLAG_CONN_BACK_CHAN, op.channel(ops=50),
                op.channel(4096, 4096, 0, 2, 16), PROGRAM,
                [x.callback_sec_parms4(1, x.authsys_parms4(
                    0, b'wire', 42, 43, [44]))])
            if getattr(o, 'argop', None) == x.OP_CREATE_SESSION else o
            for o in operations]
        return Client1.bare(self, *operations, **kw)

    def reconnect(self, bind=True):
        """Another connection, bound to the session."""
        self.transport.close()
        self.transport = Duplex(self.server, self.called)
        if bind:
            reply = self.bare(op.bind_conn_to_session(
                self.session.id, x.CDFC4_FORE_OR_BOTH))
            assert reply.status == 0, reply
            assert reply[0].bctsr_dir == x.CDFS4_BOTH

    def flags(self):
        """Of SEQUENCE's answer."""
        reply = self()
        return reply.sequence._data._data.sr_status_flags


def holder(server, minor, **kw):
    return Holder0(server, **kw) if minor == 0 else \
        Holder1(server, minor, **kw)


class Aside:
    """Something done in a thread of its own; `result()` waits for it."""

    def __init__(self, function, *args):
        self.value = queue.Queue()
        threading.Thread(target=self.run, args=(function, args),
                         daemon=True).start()

    def run(self, function, args):
        try:
            self.value.put((function(*args), None))
        except BaseException as e:      # noqa: B902 (told to who waits)
            self.value.put((None, e))

    def is_done(self):
        return not self.value.empty()

    def result(self):
        value, error = self.value.get(timeout=wire.PATIENCE)
        if error is not None:
            raise error
        return value
