# SPDX-License-Identifier: MIT
"""ONC RPC version 2 (RFC 5531) over TCP and UDP, for rpchelp's servers and
clients.

    class Pong(pingpong.PINGPONG_1):
        def PING(self, n):
            return n + 1

    server = Pong()
    transport = server.create_transport_server(4000, rpc.TCPServer)
    server.register(transport)
    transport.loop()

    with pingpong.PINGPONG_1_client(rpc.TCPClient('127.0.0.1', 4000)) as c:
        print(c.PING(1))
"""

import asyncio
import os
import random
import select
import socket
import struct
import sys
import threading
import time

CALL, REPLY = 0, 1
MSG_ACCEPTED, MSG_DENIED = 0, 1
SUCCESS, PROG_UNAVAIL, PROG_MISMATCH, PROC_UNAVAIL, GARBAGE_ARGS, \
    SYSTEM_ERR = range(6)
RPC_MISMATCH, AUTH_ERROR = 0, 1
AUTH_OK, AUTH_BADCRED, AUTH_REJECTEDCRED, AUTH_BADVERF, AUTH_REJECTEDVERF, \
    AUTH_TOOWEAK = range(6)
AUTH_NONE, AUTH_SYS, AUTH_SHORT = 0, 1, 2
AUTH_GSS, AUTH_TLS = 6, 7

MAX_AUTH = 400
MAX_RECORD = (1 << 20) + 4096
MAX_EMPTY_FRAGMENTS = 64
MAX_DATAGRAM = 65507

PMAP_PROG, PMAP_VERS, PMAP_PORT = 100000, 2, 111
IPPROTO_TCP, IPPROTO_UDP = 6, 17

# ------------------------------------------------------------- 1. errors --


class RpcError(Exception):
    """A call that was not answered with its results."""


class RpcTimeout(RpcError):
    pass


class ProgUnavail(RpcError):
    pass


class ProgMismatch(RpcError):
    """The program has the versions `low` to `high`."""

    def __init__(self, low, high):
        super().__init__('versions %d to %d' % (low, high))
        self.low, self.high = low, high


class ProcUnavail(RpcError):
    pass


class GarbageArgs(RpcError):
    pass


class SystemErr(RpcError):
    pass


class RpcMismatch(ProgMismatch):
    """RPC itself has the versions `low` to `high`."""


class AuthError(RpcError):
    """The credential is refused; `stat` tells why (AUTH_BADCRED ...)."""

    def __init__(self, stat):
        super().__init__('auth_stat %d' % stat)
        self.stat = stat


class BadMessage(RpcError):
    """Bytes that are no RPC message."""


_accept_errors = {PROG_UNAVAIL: ProgUnavail, PROC_UNAVAIL: ProcUnavail,
                  GARBAGE_ARGS: GarbageArgs, SYSTEM_ERR: SystemErr}

# ----------------------------------------------------------- 2. messages --

_u32 = struct.Struct('>I')
_2u32 = struct.Struct('>2I')
_6u32 = struct.Struct('>6I')

NO_AUTH = (AUTH_NONE, b'')


def _opaque(b):
    return _u32.pack(len(b)) + b + bytes(-len(b) & 3)


def pack_auth(auth):
    flavor, body = auth
    return _u32.pack(flavor) + _opaque(body)


def unpack_auth(b, o):
    if len(b) - o < 8:
        raise BadMessage('%d bytes, where a credential is due' % (len(b) - o))
    flavor, n = _2u32.unpack_from(b, o)
    o += 8
    if n > len(b) - o:
        raise BadMessage('a credential of %d bytes, %d left' %
                         (n, len(b) - o))
    return (flavor, b[o:o + n]), o + (n + 3 & ~3)


def auth_sys(uid=None, gid=None, gids=(), machine=None, stamp=0):
    """An AUTH_SYS credential; by default, of this process."""
    if uid is None:
        uid = os.getuid()
    if gid is None:
        gid = os.getgid()
    if machine is None:
        machine = socket.gethostname()
    if isinstance(machine, str):
        machine = machine.encode()
    return AUTH_SYS, b''.join([
        _u32.pack(stamp), _opaque(machine),
        struct.pack('>3I', uid, gid, len(gids)),
        struct.pack('>%dI' % len(gids), *gids)])


class Call:
    """A call as a server sees it.  `body` are the encoded arguments."""

    __slots__ = ('xid', 'rpcvers', 'prog', 'vers', 'proc', 'cred', 'verf',
                 'body', 'host')

    @classmethod
    def unpack(cls, b, host=None):
        """BadMessage if it is no call; with an `xid` that may be answered
        where that much can be told."""
        if len(b) < 24:
            raise BadMessage('a message of %d bytes' % len(b))
        self = cls()
        (self.xid, mtype, self.rpcvers, self.prog, self.vers,
         self.proc) = _6u32.unpack_from(b)
        if mtype != CALL:
            raise BadMessage('message type %d' % mtype)
        self.host, self.cred, self.verf, self.body = host, NO_AUTH, None, b''
        if self.rpcvers != 2:
            return self
        try:
            self.cred, o = unpack_auth(b, 24)
            self.verf, o = unpack_auth(b, o)
        except BadMessage:
            return self
        self.body = b[o:]
        return self


def pack_call(xid, prog, vers, proc, body=b'', cred=NO_AUTH, verf=NO_AUTH,
              rpcvers=2):
    return b''.join([
        _6u32.pack(xid, CALL, rpcvers, prog, vers, proc),
        pack_auth(cred), pack_auth(verf), body])


def pack_accepted(xid, stat, body=b'', verf=NO_AUTH):
    return b''.join([struct.pack('>3I', xid, REPLY, MSG_ACCEPTED),
                     pack_auth(verf), _u32.pack(stat), body])


def pack_denied(xid, stat, *details):
    return struct.pack('>%dI' % (4 + len(details)), xid, REPLY, MSG_DENIED,
                       stat, *details)


def unpack_reply(b):
    """(xid, results) of a reply; any other outcome is raised, as an
    RpcError with the reply's xid."""
    xid, body, error = parse_reply(b)
    if error is not None:
        raise error
    return xid, body


def parse_reply(b):
    """(xid, results, None) or (xid, None, RpcError)."""
    if len(b) < 12:
        raise BadMessage('a message of %d bytes' % len(b))
    xid, mtype, status = struct.unpack_from('>3I', b)
    if mtype != REPLY:
        raise BadMessage('message type %d' % mtype)
    try:
        if status == MSG_ACCEPTED:
            verf, o = unpack_auth(b, 12)
            stat, = _u32.unpack_from(b, o)
            o += 4
            if stat == SUCCESS:
                return xid, b[o:], None
            if stat == PROG_MISMATCH:
                error = ProgMismatch(*_2u32.unpack_from(b, o))
                o += 8
            elif stat in _accept_errors:
                error = _accept_errors[stat]()
            else:
                error = BadMessage('accept_stat %d' % stat)
        elif status == MSG_DENIED:
            stat, = _u32.unpack_from(b, 12)
            o = 16
            if stat == RPC_MISMATCH:
                error = RpcMismatch(*_2u32.unpack_from(b, o))
                o += 8
            elif stat == AUTH_ERROR:
                error = AuthError(*_u32.unpack_from(b, o))
                o += 4
            else:
                error = BadMessage('reject_stat %d' % stat)
        else:
            error = BadMessage('reply_stat %d' % status)
    except struct.error as e:
        raise BadMessage('a reply cut short: %s' % e) from e
    if o != len(b) and not isinstance(error, BadMessage):
        error = BadMessage('%d bytes behind a reply' % (len(b) - o))
    return xid, None, error


LAST = 1 << 31


def pack_record(message, fragment=None):
    """A message with its record mark; in fragments of that size."""
    if fragment is None:
        return _u32.pack(LAST | len(message)) + message
    pieces = [message[i:i + fragment]
              for i in range(0, len(message), fragment)] or [b'']
    return b''.join(
        _u32.pack((LAST if i + 1 == len(pieces) else 0) | len(p)) + p
        for i, p in enumerate(pieces))

# ------------------------------------------------------------ 3. servers --


class _Transport:
    """What both servers share: who answers, and how."""

    def __init__(self, host, port, lock):
        self.host, self.lock = host, lock
        self.servers = {}               # by program, then version
        self.registered = []            # with the portmapper
        self._loop = self._stopped = None
        self._stop_asked = False
        self._ready = threading.Event()
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=self.kind, flags=socket.AI_PASSIVE)[0]
        self.sock = socket.socket(family, self.kind)
        if self.kind == socket.SOCK_STREAM:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(address)
        if self.kind == socket.SOCK_STREAM:
            self.sock.listen(100)       # whoever hears of the port may come
        self.port = self.sock.getsockname()[1]

    def register(self, server, portmap=True):
        self.servers.setdefault(server.prog, {})[server.vers] = server
        if portmap:
            key = server.prog, server.vers, self.protocol, self.port
            try:
                if not portmap_set(*key):
                    raise RpcError('refused')
                self.registered.append(key)
            except (OSError, RpcError) as e:
                print('rpc: the portmapper does not list program %d version '
                      '%d: %s' % (server.prog, server.vers, e or
                                  type(e).__name__), file=sys.stderr)

    def answer(self, message, host):
        """The reply to a message, None, or a coroutine for the reply."""
        try:
            call = Call.unpack(message, host)
        except BadMessage:
            return None
        if call.rpcvers != 2:
            return pack_denied(call.xid, RPC_MISMATCH, 2, 2)
        if call.verf is None or len(call.cred[1]) > MAX_AUTH:
            return pack_denied(call.xid, AUTH_ERROR, AUTH_BADCRED)
        if len(call.verf[1]) > MAX_AUTH:
            return pack_denied(call.xid, AUTH_ERROR, AUTH_BADVERF)
        versions = self.servers.get(call.prog)
        if not versions:
            return pack_accepted(call.xid, PROG_UNAVAIL)
        server = versions.get(call.vers)
        if server is None:
            return pack_accepted(call.xid, PROG_MISMATCH, _2u32.pack(
                min(versions), max(versions)))
        if not server.check_host_ok(host, call.cred, call.verf):
            return pack_denied(call.xid, AUTH_ERROR, AUTH_TOOWEAK)
        if self.lock is not None:
            with self.lock:
                result = server.handle(call)
        else:
            result = server.handle(call)
        if asyncio.iscoroutine(result):
            return self._later(call.xid, result)
        return pack_accepted(call.xid, *result)

    async def _later(self, xid, result):
        return pack_accepted(xid, *await result)

    async def serve(self):
        """Answer until stop() is called."""
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        await self._start()
        self._ready.set()
        try:
            if not self._stop_asked:
                await self._stopped.wait()
        finally:
            await self._end()
            for prog, vers, _, _ in self.registered:
                try:
                    portmap_unset(prog, vers)
                except (OSError, RpcError):
                    pass

    def loop(self):
        """The same, for those who have no event loop."""
        asyncio.run(self.serve())

    def start(self):
        """The same, in a thread of its own; returns when it listens."""
        thread = threading.Thread(target=self.loop, daemon=True)
        thread.start()
        self._ready.wait()
        return thread

    def stop(self):
        """From any thread."""
        self._stop_asked = True
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._stopped.set)
            except RuntimeError:
                pass                    # it has ended


class TCPServer(_Transport):
    kind, protocol = socket.SOCK_STREAM, IPPROTO_TCP

    async def _start(self):
        self._tasks = set()
        self._server = await asyncio.start_server(
            self._connected, sock=self.sock)

    async def _end(self):
        self._server.close()
        for task in list(self._tasks):
            task.cancel()

    async def _connected(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        host = writer.get_extra_info('peername')
        try:
            while True:
                message = await self._record(reader)
                if message is None:
                    break
                reply = self.answer(message, host)
                if asyncio.iscoroutine(reply):
                    later = asyncio.ensure_future(self._send(writer, reply))
                    self._tasks.add(later)
                    later.add_done_callback(self._tasks.discard)
                elif reply is not None:
                    writer.write(pack_record(reply))
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _send(self, writer, reply):
        writer.write(pack_record(await reply))
        await writer.drain()

    async def _record(self, reader):
        """A whole message; None if it cannot be one."""
        pieces, size, empty = [], 0, 0
        while True:
            mark, = _u32.unpack(await reader.readexactly(4))
            n = mark & ~LAST
            size += n
            empty += n == 0
            if size > MAX_RECORD or empty > MAX_EMPTY_FRAGMENTS:
                return None
            pieces.append(await reader.readexactly(n))
            if mark & LAST:
                return b''.join(pieces)


class UDPServer(_Transport):
    kind, protocol = socket.SOCK_DGRAM, IPPROTO_UDP

    async def _start(self):
        server = self

        class Protocol(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                self.transport = transport

            def datagram_received(self, data, host):
                reply = server.answer(data, host)
                if asyncio.iscoroutine(reply):
                    asyncio.ensure_future(self.later(reply, host))
                elif reply is not None:
                    self.transport.sendto(reply, host)

            async def later(self, reply, host):
                self.transport.sendto(await reply, host)

            def error_received(self, error):
                pass                    # a caller is gone: its business

        self._endpoint, _ = await self._loop.create_datagram_endpoint(
            Protocol, sock=self.sock)

    async def _end(self):
        self._endpoint.close()

# ------------------------------------------------------------ 4. clients --


class _Client:
    def __init__(self, host, port, cred=NO_AUTH, timeout=10.0, source=None):
        self.cred, self.verf, self.timeout = cred, NO_AUTH, timeout
        self.xid = random.getrandbits(32)
        error = OSError('no address of %s' % host)
        for family, _, _, _, address in socket.getaddrinfo(
                host, port, type=self.kind):
            self.sock = socket.socket(family, self.kind)
            try:
                self.sock.settimeout(timeout)
                if source is not None:
                    self.sock.bind(source)
                self.sock.connect(address)
                return
            except OSError as e:
                error = e
                self.sock.close()
        raise error

    def next_xid(self):
        self.xid = self.xid + 1 & 0xffffffff
        return self.xid

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class TCPClient(_Client):
    kind = socket.SOCK_STREAM

    def call(self, prog, vers, proc, body=b''):
        """The encoded results of a call.  What else may come is raised."""
        xid = self.next_xid()
        self.send(pack_call(xid, prog, vers, proc, body, self.cred,
                            self.verf))
        while True:
            got, results, error = parse_reply(self.receive())
            if got != xid:
                continue        # of a call that was given up
            if error is not None:
                raise error
            return results

    def send(self, message):
        self.sock.sendall(pack_record(message))

    def receive(self):
        """The next record."""
        pieces = []
        while True:
            mark, = _u32.unpack(self._exactly(4))
            pieces.append(self._exactly(mark & ~LAST))
            if mark & LAST:
                return b''.join(pieces)

    def _exactly(self, n):
        pieces = []
        while n > 0:
            try:
                piece = self.sock.recv(min(n, 1 << 20))
            except socket.timeout:
                raise RpcTimeout('no reply for %g s' % self.timeout) from None
            if not piece:
                raise ConnectionResetError('the server closed the connection')
            pieces.append(piece)
            n -= len(piece)
        return b''.join(pieces)


class UDPClient(_Client):
    kind = socket.SOCK_DGRAM
    first_wait = 0.5            # seconds until a call is sent again; doubled

    def call(self, prog, vers, proc, body=b''):
        xid = self.next_xid()
        message = pack_call(xid, prog, vers, proc, body, self.cred, self.verf)
        end = time.monotonic() + self.timeout
        wait = self.first_wait
        while True:
            self.send(message)
            again = min(time.monotonic() + wait, end)
            while True:
                left = again - time.monotonic()
                reply = self.receive(left) if left > 0 else None
                if reply is None:
                    break
                got, results, error = parse_reply(reply)
                if got != xid:
                    continue
                if error is not None:
                    raise error
                return results
            if again >= end:
                raise RpcTimeout('no reply for %g s' % self.timeout)
            wait *= 2

    def send(self, message):
        self.sock.send(message)

    def receive(self, timeout):
        """The next datagram, or None."""
        if not select.select([self.sock], [], [], timeout)[0]:
            return None
        return self.sock.recv(MAX_DATAGRAM)

# --------------------------------------------------------- 5. portmapper --


def _portmap(proc, prog, vers, protocol, port, host):
    with UDPClient(host, PMAP_PORT, timeout=1.0) as client:
        return _u32.unpack(client.call(
            PMAP_PROG, PMAP_VERS, proc,
            struct.pack('>4I', prog, vers, protocol, port)))[0]


def portmap_set(prog, vers, protocol, port, host='127.0.0.1'):
    return bool(_portmap(1, prog, vers, protocol, port, host))


def portmap_unset(prog, vers, host='127.0.0.1'):
    return bool(_portmap(2, prog, vers, 0, 0, host))


def portmap_getport(prog, vers, protocol, host='127.0.0.1'):
    """0: it is not served there."""
    return _portmap(3, prog, vers, protocol, 0, host)
