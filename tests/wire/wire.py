"""A client of our own, and a server to call: what the wire tests share.

The client speaks NFS 2 and 3, MOUNT and RPC by modules that pinefs-rpcgen
made of proto/*.x; conftest.py puts them on sys.path.  It keeps nothing and
hides nothing: each method is one call, and gives the result as it came.
"""

import contextlib
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time

import mount
import nfs2
import nfs3
import pytest
import rpc

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))

NFS, MOUNT = 100003, 100005
PINEFS = None           # the program; conftest.py finds it
PATIENCE = 20.0         # seconds that a reply may take; sanitizers are slow


def u32(*numbers):
    return struct.pack('>%dI' % len(numbers), *numbers)


# ----------------------------------------------------------- the server --


class Server:
    """`pinefs -f mem` with more arguments, on free ports of loopback.

    fs=None: what is served is among the arguments.
    """

    def __init__(self, program, directory, *args, fs='mem', before=(),
                 mount_port=0, portmap=False, preexec=None, env=None):
        self.directory = str(directory)
        self.log = os.path.join(self.directory, 'log')
        command = [program, *before, *(['-f', fs] if fs else []),
                   '--port', '0', '--mount-port', str(mount_port)]
        if '--state-dir' not in args:
            command += ['--state-dir', os.path.join(self.directory, 'state')]
        if not portmap:
            command.append('--no-portmap')
        self.begin = (os.path.getsize(self.log)
                      if os.path.exists(self.log) else 0)
        read, write = os.pipe()
        command += ['--ready-fd', str(write), *args]
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[write], preexec_fn=preexec,
                env=dict(os.environ, **(env or {})))
        os.close(write)
        with os.fdopen(read, 'rb') as ready:
            came = select.select([ready], [], [], PATIENCE)[0]
            if not came or ready.read(1) != b'\n':
                self.stop()
                raise RuntimeError('the server did not start:\n' +
                                   self.text())
        self.port = int(re.search(r'serving .+ on \S+:(\d+)',
                                  self.text())[1])
        self.mount_port = mount_port

    def text(self):
        """All it has printed."""
        with open(self.log, 'rb') as f:
            f.seek(self.begin)
            return f.read().decode('utf-8', 'replace')

    def is_up(self):
        return self.process.poll() is None

    def stop(self, sig=signal.SIGTERM):
        """Its exit status."""
        if self.is_up():
            self.process.send_signal(sig)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    # What may be opened towards it.

    def tcp(self, cred=None, host='127.0.0.1', port=None, **kw):
        return rpc.TCPClient(host, port or self.port, cred or root(),
                             timeout=PATIENCE, **kw)

    def udp(self, cred=None, host='127.0.0.1', port=None, **kw):
        return rpc.UDPClient(host, port or self.port, cred or root(),
                             timeout=PATIENCE, **kw)

    def raw(self, host='127.0.0.1', port=None, **kw):
        return Raw((host, port or self.port), **kw)


def root():
    return rpc.auth_sys(0, 0, machine='wire')


def user(uid, gid=None, gids=()):
    return rpc.auth_sys(uid, uid if gid is None else gid, gids,
                        machine='wire')


class Raw:
    """A connection for bytes that no client would send."""

    def __init__(self, address, timeout=PATIENCE, source=None, rcvbuf=None):
        family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        if rcvbuf is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        if source is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind(source)
        self.sock.connect(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Close with RST: the server cannot know what was received."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack('ii', 1, 0))
        self.sock.close()

    def send(self, b):
        self.sock.sendall(b)

    def send_call(self, message, fragment=None):
        self.sock.sendall(rpc.pack_record(message, fragment))

    def exactly(self, n):
        pieces = []
        while n > 0:
            piece = self.sock.recv(min(n, 1 << 20))
            if not piece:
                raise EOFError('closed, %d bytes short' % n)
            pieces.append(piece)
            n -= len(piece)
        return b''.join(pieces)

    def receive(self):
        """A whole reply."""
        pieces = []
        while True:
            mark, = struct.unpack('>I', self.exactly(4))
            pieces.append(self.exactly(mark & ~rpc.LAST))
            if mark & rpc.LAST:
                return b''.join(pieces)

    def call(self, message):
        self.send_call(message)
        return self.receive()

    def is_quiet(self, seconds=0.3):
        """Nothing comes for a while, and nobody closes."""
        return not select.select([self.sock], [], [], seconds)[0]

    def is_closed(self, seconds=PATIENCE):
        """Closed by the server, without another byte."""
        end = time.monotonic() + seconds
        self.sock.settimeout(max(0.01, end - time.monotonic()))
        try:
            return self.sock.recv(1) == b''
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False


def null_call(xid=1, prog=NFS, vers=3):
    return rpc.pack_call(xid, prog, vers, 0)


def need_root():
    if os.getuid() != 0:
        pytest.skip('only root may speak for other users')


def is_alive(server):
    """It answers a client that does everything right."""
    with server.tcp() as c:
        assert c.call(NFS, 3, 0) == b''
    return server.is_up()


# --------------------------------------------------------------- NFS v3 --


def sattr3(mode=None, uid=None, gid=None, size=None, atime=None, mtime=None):
    """Times are 'now' or pairs of seconds and nanoseconds."""
    def when(kind, t):
        if t is None:
            return kind(nfs3.DONT_CHANGE)
        if t == 'now':
            return kind(nfs3.SET_TO_SERVER_TIME)
        return kind(nfs3.SET_TO_CLIENT_TIME, nfs3.nfstime3(*t))

    def what(kind, v):
        return kind(v is not None, v)

    return nfs3.sattr3(
        what(nfs3.set_mode3, mode), what(nfs3.set_uid3, uid),
        what(nfs3.set_gid3, gid), what(nfs3.set_size3, size),
        when(nfs3.set_atime, atime), when(nfs3.set_mtime, mtime))


def fh3(fh):
    return nfs3.nfs_fh3(fh)


def dirop3(d, name):
    return nfs3.diropargs3(fh3(d), name)


class Nfs3:
    """Each method is a procedure; handles and names are bytes."""

    def __init__(self, transport):
        self.transport = transport
        self.client = nfs3.NFS_PROGRAM_3_client(transport)

    def close(self):
        self.transport.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def null(self):
        return self.client.NFSPROC3_NULL()

    def getattr(self, fh):
        return self.client.NFSPROC3_GETATTR(nfs3.GETATTR3args(fh3(fh)))

    def setattr(self, fh, guard=None, **attributes):
        return self.client.NFSPROC3_SETATTR(nfs3.SETATTR3args(
            fh3(fh), sattr3(**attributes),
            nfs3.sattrguard3(guard is not None, guard)))

    def lookup(self, d, name):
        return self.client.NFSPROC3_LOOKUP(nfs3.LOOKUP3args(dirop3(d, name)))

    def access(self, fh, bits=0x3f):
        return self.client.NFSPROC3_ACCESS(nfs3.ACCESS3args(fh3(fh), bits))

    def readlink(self, fh):
        return self.client.NFSPROC3_READLINK(nfs3.READLINK3args(fh3(fh)))

    def read(self, fh, offset=0, count=65536):
        return self.client.NFSPROC3_READ(
            nfs3.READ3args(fh3(fh), offset, count))

    def write(self, fh, offset, data, stable=nfs3.FILE_SYNC, count=None):
        return self.client.NFSPROC3_WRITE(nfs3.WRITE3args(
            fh3(fh), offset, len(data) if count is None else count, stable,
            data))

    def create(self, d, name, how=nfs3.UNCHECKED, verf=None, **attributes):
        if how == nfs3.EXCLUSIVE:
            data = nfs3.createhow3(how, verf)
        else:
            data = nfs3.createhow3(how, sattr3(**attributes))
        return self.client.NFSPROC3_CREATE(
            nfs3.CREATE3args(dirop3(d, name), data))

    def mkdir(self, d, name, **attributes):
        return self.client.NFSPROC3_MKDIR(
            nfs3.MKDIR3args(dirop3(d, name), sattr3(**attributes)))

    def symlink(self, d, name, target, **attributes):
        return self.client.NFSPROC3_SYMLINK(nfs3.SYMLINK3args(
            dirop3(d, name),
            nfs3.symlinkdata3(sattr3(**attributes), target)))

    def mknod(self, d, name, kind, rdev=(0, 0), **attributes):
        if kind in (nfs3.NF3CHR, nfs3.NF3BLK):
            data = nfs3.devicedata3(sattr3(**attributes),
                                    nfs3.specdata3(*rdev))
        elif kind in (nfs3.NF3SOCK, nfs3.NF3FIFO):
            data = sattr3(**attributes)
        else:
            data = None
        return self.client.NFSPROC3_MKNOD(nfs3.MKNOD3args(
            dirop3(d, name), nfs3.mknoddata3(kind, data)))

    def remove(self, d, name):
        return self.client.NFSPROC3_REMOVE(nfs3.REMOVE3args(dirop3(d, name)))

    def rmdir(self, d, name):
        return self.client.NFSPROC3_RMDIR(nfs3.RMDIR3args(dirop3(d, name)))

    def rename(self, d, name, to_d, to):
        return self.client.NFSPROC3_RENAME(
            nfs3.RENAME3args(dirop3(d, name), dirop3(to_d, to)))

    def link(self, fh, d, name):
        return self.client.NFSPROC3_LINK(
            nfs3.LINK3args(fh3(fh), dirop3(d, name)))

    def readdir(self, d, cookie=0, verf=bytes(8), count=8192):
        return self.client.NFSPROC3_READDIR(
            nfs3.READDIR3args(fh3(d), cookie, verf, count))

    def readdirplus(self, d, cookie=0, verf=bytes(8), dircount=8192,
                    maxcount=32768):
        return self.client.NFSPROC3_READDIRPLUS(nfs3.READDIRPLUS3args(
            fh3(d), cookie, verf, dircount, maxcount))

    def fsstat(self, fh):
        return self.client.NFSPROC3_FSSTAT(nfs3.FSSTAT3args(fh3(fh)))

    def fsinfo(self, fh):
        return self.client.NFSPROC3_FSINFO(nfs3.FSINFO3args(fh3(fh)))

    def pathconf(self, fh):
        return self.client.NFSPROC3_PATHCONF(nfs3.PATHCONF3args(fh3(fh)))

    def commit(self, fh, offset=0, count=0):
        return self.client.NFSPROC3_COMMIT(
            nfs3.COMMIT3args(fh3(fh), offset, count))

    # What tests need all the time, and expect to go well.

    def attr(self, fh):
        return ok(self.getattr(fh)).obj_attributes

    def find(self, d, name):
        return ok(self.lookup(d, name)).object.data

    def make(self, d, name, data=b'', **attributes):
        """The handle of a new file with this in it."""
        attributes.setdefault('mode', 0o644)
        fh = made(self.create(d, name, nfs3.GUARDED, **attributes))
        if data:
            assert ok(self.write(fh, 0, data)).count == len(data)
        return fh

    def make_dir(self, d, name, mode=0o755, **attributes):
        return made(self.mkdir(d, name, mode=mode, **attributes))

    def make_link(self, d, name, target):
        return made(self.symlink(d, name, target))

    def names(self, d, count=8192):
        """All names of a directory but `.` and `..`, page by page."""
        return [e.name for e in self.entries(d, count)
                if e.name not in (b'.', b'..')]

    def entries(self, d, count=8192):
        found, cookie, verf = [], 0, bytes(8)
        while True:
            page = ok(self.readdir(d, cookie, verf, count))
            found += page.reply.entries
            if page.reply.eof:
                return found
            assert page.reply.entries, 'a page without an entry'
            cookie, verf = page.reply.entries[-1].cookie, page.cookieverf

    def is_there(self, d, name):
        status = self.lookup(d, name).status
        assert status in (nfs3.NFS3_OK, nfs3.NFS3ERR_NOENT)
        return status == nfs3.NFS3_OK


def ok(res):
    """What a call gives when all is well."""
    assert res.status == 0, res.status
    return res._data


def made(res):
    """The handle of what was made, which always comes along."""
    data = ok(res)
    assert data.obj.handle_follows
    assert data.obj_attributes.attributes_follow
    return data.obj._data.data


def fails(res, status):
    """The failure's own results."""
    assert res.status == status, res
    return res._data


def post(attributes):
    """The attributes of a post_op_attr, which must be there."""
    assert attributes.attributes_follow
    return attributes._data


def wcc(data):
    """(before, after) of a wcc_data, both of which must be there."""
    assert data.before.attributes_follow
    return data.before._data, post(data.after)


def stamp(t):
    return t.seconds * 1000000000 + t.nseconds


# --------------------------------------------------------------- NFS v2 --

LEAVE = 0xffffffff      # "-1": do not set this


def sattr2(mode=LEAVE, uid=LEAVE, gid=LEAVE, size=LEAVE, atime=None,
           mtime=None):
    def when(t):
        return nfs2.nfstime(*(t or (LEAVE, LEAVE)))
    return nfs2.sattr(mode, uid, gid, size, when(atime), when(mtime))


class Nfs2:
    def __init__(self, transport):
        self.transport = transport
        self.client = nfs2.NFS_PROGRAM_2_client(transport)

    def close(self):
        self.transport.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def getattr(self, fh):
        return self.client.NFSPROC_GETATTR(fh)

    def setattr(self, fh, **attributes):
        return self.client.NFSPROC_SETATTR(
            nfs2.sattrargs(fh, sattr2(**attributes)))

    def lookup(self, d, name):
        return self.client.NFSPROC_LOOKUP(nfs2.diropargs(d, name))

    def readlink(self, fh):
        return self.client.NFSPROC_READLINK(fh)

    def read(self, fh, offset=0, count=8192):
        return self.client.NFSPROC_READ(
            nfs2.readargs(fh, offset, count, 0))

    def write(self, fh, offset, data):
        return self.client.NFSPROC_WRITE(
            nfs2.writeargs(fh, 0, offset, 0, data))

    def create(self, d, name, **attributes):
        return self.client.NFSPROC_CREATE(nfs2.createargs(
            nfs2.diropargs(d, name), sattr2(**attributes)))

    def mkdir(self, d, name, **attributes):
        return self.client.NFSPROC_MKDIR(nfs2.createargs(
            nfs2.diropargs(d, name), sattr2(**attributes)))

    def remove(self, d, name):
        return self.client.NFSPROC_REMOVE(nfs2.diropargs(d, name))

    def rmdir(self, d, name):
        return self.client.NFSPROC_RMDIR(nfs2.diropargs(d, name))

    def rename(self, d, name, to_d, to):
        return self.client.NFSPROC_RENAME(nfs2.renameargs(
            nfs2.diropargs(d, name), nfs2.diropargs(to_d, to)))

    def link(self, fh, d, name):
        return self.client.NFSPROC_LINK(
            nfs2.linkargs(fh, nfs2.diropargs(d, name)))

    def symlink(self, d, name, target, **attributes):
        return self.client.NFSPROC_SYMLINK(nfs2.symlinkargs(
            nfs2.diropargs(d, name), target, sattr2(**attributes)))

    def readdir(self, d, cookie=bytes(4), count=4096):
        return self.client.NFSPROC_READDIR(
            nfs2.readdirargs(d, cookie, count))

    def statfs(self, fh):
        return self.client.NFSPROC_STATFS(fh)

    def attr(self, fh):
        return ok(self.getattr(fh))

    def find(self, d, name):
        return ok(self.lookup(d, name)).file

    def make(self, d, name, data=b'', mode=0o644):
        fh = ok(self.create(d, name, mode=mode)).file
        if data:
            ok(self.write(fh, 0, data))
        return fh

    def make_dir(self, d, name, mode=0o755):
        return ok(self.mkdir(d, name, mode=mode)).file

    def names(self, d, count=4096):
        return [e.name for e in self.entries(d, count)
                if e.name not in (b'.', b'..')]

    def entries(self, d, count=4096):
        found, cookie = [], bytes(4)
        while True:
            page = ok(self.readdir(d, cookie, count))
            found += page.entries
            if page.eof:
                return found
            assert page.entries, 'a page without an entry'
            cookie = page.entries[-1].cookie


# ---------------------------------------------------------------- MOUNT --


@contextlib.contextmanager
def mount3(server, cred=None, port=None, udp=False):
    kind = server.udp if udp else server.tcp
    with kind(cred, port=port) as t:
        yield mount.MOUNT_PROGRAM_3_client(t)


@contextlib.contextmanager
def mount1(server, cred=None, port=None, udp=False):
    kind = server.udp if udp else server.tcp
    with kind(cred, port=port) as t:
        yield mount.MOUNT_PROGRAM_1_client(t)


def root_of(server, path=b'/'):
    """The handle of an export, of version 3."""
    with mount3(server) as m:
        res = m.MOUNTPROC3_MNT(path)
    assert res.fhs_status == mount.MNT3_OK
    return res._data.fhandle
