# SPDX-License-Identifier: MIT
"""A client of NFS version 3 that thinks in paths: what the tests speak.

Made of the code that pinefs-rpcgen generates from proto/*.x.  Errors are
Failed, whose `status` is the name in the protocol, as 'INVAL'.
"""

import mount
import nfs3
import rpc

UNSTABLE, DATA_SYNC, FILE_SYNC = 0, 1, 2
REG, DIR, LNK = 1, 2, 5


class Failed(Exception):
    def __init__(self, status, what):
        super().__init__('%s: %s' % (what, status))
        self.status = status


def sattr(mode=None, size=None, mtime=None):
    def of(cls, value):
        return cls(value is not None, value)
    if mtime is None:
        when = nfs3.set_mtime(0)
    else:
        when = nfs3.set_mtime(2, nfs3.nfstime3(*divmod(mtime, 10**9)))
    return nfs3.sattr3(of(nfs3.set_mode3, mode), of(nfs3.set_uid3, None),
                       of(nfs3.set_gid3, None), of(nfs3.set_size3, size),
                       nfs3.set_atime(0), when)


def encode(name):
    return name if isinstance(name, bytes) else name.encode(
        'utf-8', 'surrogateescape')


def split(path):
    return [p for p in encode(path).split(b'/') if p]


class Client:
    """One mount.  `uid` is what the credential says."""

    def __init__(self, port, uid=None, host='127.0.0.1', timeout=60.0,
                 path='/'):
        self.port = port
        self.cred = rpc.auth_sys(uid=uid)
        self.rpc = rpc.TCPClient(host, port, cred=self.cred, timeout=timeout)
        self.nfs = nfs3.NFS_PROGRAM_3_client(self.rpc)
        res = mount.MOUNT_PROGRAM_3_client(self.rpc).MOUNTPROC3_MNT(
            encode(path))
        if res.fhs_status != 0:
            raise Failed(res.fhs_status.name, 'mount')
        self.root = nfs3.nfs_fh3(res._data.fhandle)

    def close(self):
        self.rpc.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def do(self, procedure, args, what):
        res = getattr(self.nfs, 'NFSPROC3_' + procedure)(args)
        if res.status != 0:
            raise Failed(res.status.name.replace('NFS3ERR_', ''), what)
        return res._data

    # ---------------------------------------------------------- handles --

    def lookup(self, fh, name):
        return self.do('LOOKUP', nfs3.LOOKUP3args(
            nfs3.diropargs3(fh, encode(name))), name).object

    def fh(self, path):
        if isinstance(path, tuple):
            return path[0]
        fh = self.root
        for name in split(path):
            fh = self.lookup(fh, name)
        return fh

    def where(self, path):
        *above, name = split(path)
        return nfs3.diropargs3(self.fh(b'/'.join(above)), name)

    # ----------------------------------------------------------- looking --

    def getattr(self, path):
        return self.do('GETATTR', nfs3.GETATTR3args(self.fh(path)),
                       path).obj_attributes

    def stamp(self, path):
        a = self.getattr(path)
        return (a.ctime.seconds, a.ctime.nseconds, a.size)

    def exists(self, path):
        try:
            self.getattr(path)
            return True
        except Failed as error:
            if error.status == 'NOENT':
                return False
            raise

    def read(self, path, count=65536):
        fh, data, off = self.fh(path), [], 0
        while True:
            res = self.do('READ', nfs3.READ3args(fh, off, count), path)
            data.append(res.data)
            off += len(res.data)
            if res.eof:
                return b''.join(data)
            assert res.data, 'no bytes, and no end'

    def readlink(self, path):
        return self.do('READLINK', nfs3.READLINK3args(self.fh(path)),
                       path).data

    def entries(self, path, plus=True, maxcount=8192):
        """(name, fileid, attributes, handle) of each."""
        fh, cookie, verf = self.fh(path), 0, bytes(8)
        while True:
            if plus:
                res = self.do('READDIRPLUS', nfs3.READDIRPLUS3args(
                    fh, cookie, verf, maxcount, maxcount), path)
            else:
                res = self.do('READDIR', nfs3.READDIR3args(
                    fh, cookie, verf, maxcount), path)
            for e in res.reply.entries:
                cookie = e.cookie
                if e.name in (b'.', b'..'):
                    continue
                if plus:
                    yield (e.name, e.fileid, e.name_attributes._data,
                           e.name_handle._data)
                else:
                    yield e.name, e.fileid, None, None
            if res.reply.eof:
                return
            verf = res.cookieverf

    def list(self, path='/'):
        return sorted(e[0].decode('utf-8', 'surrogateescape')
                      for e in self.entries(path))

    # ---------------------------------------------------------- changing --

    def create(self, path, mode=None, how=0, verf=None):
        if how == 2:
            how = nfs3.createhow3(2, verf)
        else:
            how = nfs3.createhow3(how, sattr(mode=mode))
        return self.do('CREATE', nfs3.CREATE3args(self.where(path), how),
                       path).obj._data

    def setattr(self, path, **what):
        self.do('SETATTR', nfs3.SETATTR3args(
            self.fh(path), sattr(**what), nfs3.sattrguard3(False)), path)

    def write_at(self, path, off, data, stable=FILE_SYNC):
        return self.do('WRITE', nfs3.WRITE3args(
            self.fh(path), off, len(data), stable, data), path)

    def commit(self, path):
        self.do('COMMIT', nfs3.COMMIT3args(self.fh(path), 0, 0), path)

    def write(self, path, data, stable=FILE_SYNC):
        """As `printf data > path` does it: cut, or create; write; commit."""
        data = encode(data)
        try:
            fh = self.fh(path)
            self.setattr((fh,), size=0)
        except Failed as error:
            if error.status != 'NOENT':
                raise
            fh = self.create(path)
        if data:
            self.write_at((fh,), 0, data, stable)
        if stable != FILE_SYNC:
            self.commit((fh,))
        return fh

    def mkdir(self, path):
        return self.do('MKDIR', nfs3.MKDIR3args(
            self.where(path), sattr(mode=0o755)), path).obj._data

    def symlink(self, target, path):
        self.do('SYMLINK', nfs3.SYMLINK3args(
            self.where(path), nfs3.symlinkdata3(sattr(), encode(target))),
            path)

    def link(self, old, new):
        self.do('LINK', nfs3.LINK3args(self.fh(old), self.where(new)), new)

    def remove(self, path):
        self.do('REMOVE', nfs3.REMOVE3args(self.where(path)), path)

    def rmdir(self, path):
        self.do('RMDIR', nfs3.RMDIR3args(self.where(path)), path)

    def rename(self, old, new):
        self.do('RENAME', nfs3.RENAME3args(
            self.where(old), self.where(new)), new)

    def rm_r(self, path):
        """As rm -r does it: remove while reading."""
        for name, _, attr, _ in self.entries(path):
            below = encode(path) + b'/' + name
            if attr.type == DIR:
                self.rm_r(below)
            else:
                self.remove(below)
        self.rmdir(path)

    def walk(self, path=b'/', entry=None):
        """(path, fileid, attributes) of everything below, links unfollowed."""
        stack = [(encode(path), self.fh(path))]
        while stack:
            at, fh = stack.pop()
            for name, fileid, attr, handle in self.entries((fh,)):
                below = at.rstrip(b'/') + b'/' + name
                yield below, fileid, attr
                if attr is not None and attr.type == DIR:
                    stack.append((below, handle or self.fh(below)))
