# SPDX-License-Identifier: MIT
"""Clients that think in paths, of every version of the protocol: what
client.Client is for version 3, with the same methods.

    with versions.mount(port, '2') as c:        # one of VERSIONS
        c.write('/app/level', b'5')

Statuses are those of version 3; same() tells what another version, which
lacks one, answers instead.  Version 2 has no INVAL (there it is IO), and
neither COMMIT nor writes that are not stable.  Version 4 opens files and
closes them, as its clients do.
"""

import contextlib
import itertools
import os
import struct

import client
import mount as mount1
import nfs2
import nfs4
import nfs4_ops as op
import rpc
from client import Failed, encode

VERSIONS = '2', '3', '4.0', '4.1', '4.2'
UNSTABLE, FILE_SYNC = client.UNSTABLE, client.FILE_SYNC


def mount(port, version, **options):
    if version == '2':
        return Client2(port, **options)
    if version == '3':
        return client.Client(port, **options)
    return Client4(port, minor=int(version[2:]), **options)


def same(version, status):
    """What `version` answers where version 3 does `status`."""
    if version == '2':
        return {'INVAL': 'IO'}.get(status, status)
    return status


@contextlib.contextmanager
def opened(c, path, create=False, cut=False):
    """What write_at and setattr take, of a file that is being written, as
    a program's open() with O_CREAT and O_TRUNC makes a client do it."""
    if isinstance(c, Client4):
        how = op.unchecked(**({'size': 0} if cut else {})) if create else None
        with c.opened(path, how) as o:
            if cut and not create:
                c.setattr(o, size=0)
            yield o
        return
    there = c.exists(path)
    fh = c.fh(path) if there or not create else c.create(path)
    if cut and there:
        c.setattr((fh,), size=0)
    yield (fh,)


class Attributes:
    """The few that the tests of all versions look at."""

    def __init__(self, kind, mode, nlink, size, fileid):
        self.type, self.mode, self.nlink = int(kind), mode & 0o7777, nlink
        self.size, self.fileid = size, fileid


# ------------------------------------------------------------ version 2 --


class Client2(client.Client):
    def __init__(self, port, uid=None, timeout=60.0):
        self.port = port
        self.cred = rpc.auth_sys(uid=uid)
        self.rpc = rpc.TCPClient('127.0.0.1', port, cred=self.cred,
                                 timeout=timeout)
        self.nfs = nfs2.NFS_PROGRAM_2_client(self.rpc)
        res = mount1.MOUNT_PROGRAM_1_client(self.rpc).MOUNTPROC_MNT(b'/')
        if res.status != 0:
            raise Failed('MNT%d' % res.status, 'mount')
        self.root = res._data

    def do(self, procedure, args, what):
        res = getattr(self.nfs, 'NFSPROC_' + procedure)(args)
        status = res if isinstance(res, int) else res.status
        if status != 0:
            raise Failed(nfs2.nfsstat(status).name.replace('NFSERR_', ''),
                         what)
        return None if isinstance(res, int) else res._data

    def lookup(self, fh, name):
        return self.do('LOOKUP', nfs2.diropargs(fh, encode(name)), name).file

    def where(self, path):
        *above, name = client.split(path)
        return nfs2.diropargs(self.fh(b'/'.join(above)), name)

    def attributes(self, a):
        return Attributes(a.type, a.mode, a.nlink, a.size, a.fileid)

    def getattr(self, path):
        return self.attributes(self.do('GETATTR', self.fh(path), path))

    def read(self, path, count=8192):
        fh, data, size = self.fh(path), b'', 1
        while len(data) < size:
            res = self.do('READ', nfs2.readargs(fh, len(data), count, 0),
                          path)
            size = res.attributes.size
            data += res.data
            assert res.data or len(data) >= size, 'no bytes, and no end'
        return data

    def readlink(self, path):
        return self.do('READLINK', self.fh(path), path)

    def entries(self, path, plus=True, maxcount=8192):
        fh, cookie = self.fh(path), bytes(4)
        while True:
            res = self.do('READDIR', nfs2.readdirargs(fh, cookie, maxcount),
                          path)
            for e in res.entries:
                cookie = e.cookie
                if e.name in (b'.', b'..'):
                    continue
                if plus:
                    found = self.do('LOOKUP', nfs2.diropargs(fh, e.name),
                                    e.name)
                    yield (e.name, e.fileid, self.attributes(
                        found.attributes), found.file)
                else:
                    yield e.name, e.fileid, None, None
            if res.eof:
                return

    def sattr(self, mode=None, size=None, mtime=None):
        none = 0xffffffff
        when = (none, none) if mtime is None else divmod(mtime, 10**9)
        return nfs2.sattr(none if mode is None else mode, none, none,
                          none if size is None else size,
                          nfs2.nfstime(none, none),
                          nfs2.nfstime(when[0], when[1] // 1000
                                       if mtime is not None else none))

    def create(self, path, mode=None, how=0, verf=None):
        assert how == 0, 'version 2 has one way to create'
        return self.do('CREATE', nfs2.createargs(
            self.where(path), self.sattr(mode=mode)), path).file

    def setattr(self, path, **what):
        self.do('SETATTR', nfs2.sattrargs(self.fh(path), self.sattr(**what)),
                path)

    def write_at(self, path, off, data, stable=FILE_SYNC):
        fh = self.fh(path)
        for at in range(0, len(data), 8192):
            self.do('WRITE', nfs2.writeargs(fh, 0, off + at, 0,
                                            data[at:at + 8192]), path)

    def commit(self, path):
        raise AssertionError('version 2 has no COMMIT')

    def write(self, path, data, stable=FILE_SYNC):
        return super().write(path, data, FILE_SYNC)

    def mkdir(self, path):
        return self.do('MKDIR', nfs2.createargs(
            self.where(path), self.sattr(mode=0o755)), path).file

    def symlink(self, target, path):
        self.do('SYMLINK', nfs2.symlinkargs(
            self.where(path), encode(target), self.sattr()), path)

    def link(self, old, new):
        self.do('LINK', nfs2.linkargs(self.fh(old), self.where(new)), new)

    def remove(self, path):
        self.do('REMOVE', self.where(path), path)

    def rmdir(self, path):
        self.do('RMDIR', self.where(path), path)

    def rename(self, old, new):
        self.do('RENAME', nfs2.renameargs(self.where(old), self.where(new)),
                new)


# ------------------------------------------------------------ version 4 --


class Opened:
    """A file that is open: what takes a path takes this, too."""

    def __init__(self, fh, stateid, owner):
        self.fh, self.stateid, self.owner = fh, stateid, owner


class Client4(client.Client):
    """One client, and one owner of what it opens."""

    numbers = itertools.count()

    def __init__(self, port, uid=None, minor=2, timeout=60.0):
        self.port, self.minor = port, minor
        self.cred = rpc.auth_sys(uid=uid)
        self.rpc = rpc.TCPClient('127.0.0.1', port, cred=self.cred,
                                 timeout=timeout)
        self.session, self.seqids = None, {}
        name = b'paths-%d-%d' % (os.getpid(), next(self.numbers))
        if minor == 0:
            made = self(op.setclientid(name, b'verifier'))[0]
            self(op.setclientid_confirm(made.clientid,
                                        made.setclientid_confirm))
            self.clientid = made.clientid
        else:
            made = self(op.exchange_id(name, b'verifier'))[0]
            self.clientid, self.seq = made.eir_clientid, 0
            self.session = self(op.create_session(
                made.eir_clientid, made.eir_sequenceid,
                fore=op.channel(ops=16)))[0].csr_sessionid
            self(op.reclaim_complete())
        self.root = self(op.putrootfh(), op.getfh(), what='/')[-1].object

    def results(self, *operations):
        """All of a compound, as they are."""
        first = ()
        if self.session is not None:
            self.seq += 1
            first = (op.sequence(self.session, self.seq),)
        operations = first + operations
        body = struct.pack('>III', 0, self.minor, len(operations)) + \
            b''.join(op.encode(o) for o in operations)
        res, _ = nfs4.COMPOUND4res.unpack(self.rpc.call(
            nfs4.NFS4_PROGRAM, 4, 1, body))
        return res.resarray[len(first):], res.status

    def __call__(self, *operations, what=''):
        """The values of the results; the first that fails is raised."""
        results, status = self.results(*operations)
        if status != 0:
            name = nfs4.nfsstat4(status).name.replace('NFS4ERR_', '')
            raise Failed({'ACCESS': 'ACCES'}.get(name, name), what)
        return [getattr(r._data, '_data', None) for r in results]

    def owners_seqid(self, owner):
        """4.0 counts what an owner does; later versions do not look."""
        self.seqids[owner] = self.seqids.get(owner, 0) + 1
        return self.seqids[owner]

    def fh(self, path):
        return path.fh if isinstance(path, Opened) else super().fh(path)

    def lookup(self, fh, name):
        return self(op.putfh(fh), op.lookup(encode(name)), op.getfh(),
                    what=name)[-1].object

    def where(self, path):
        *above, name = client.split(path)
        return op.putfh(self.fh(b'/'.join(above))), name

    ASKED = 'type', 'mode', 'numlinks', 'size', 'fileid', 'filehandle'

    def attributes(self, fattr):
        v = op.values(fattr)
        return Attributes(v['type'], v['mode'], v['numlinks'], v['size'],
                          v['fileid']), v['filehandle']

    def getattr(self, path):
        return self.attributes(self(
            op.putfh(self.fh(path)), op.getattr_(*self.ASKED),
            what=path)[-1].obj_attributes)[0]

    def read(self, path, count=65536, s=op.ANON):
        fh, data = self.fh(path), b''
        while True:
            res = self(op.putfh(fh), op.read(len(data), count, s),
                       what=path)[-1]
            data += res.data
            if res.eof:
                return data
            assert res.data, 'no bytes, and no end'

    def readlink(self, path):
        return self(op.putfh(self.fh(path)), op.readlink(),
                    what=path)[-1].link

    def entries(self, path, plus=True, maxcount=8192):
        fh, cookie, verf = self.fh(path), 0, bytes(8)
        while True:
            res = self(op.putfh(fh), op.readdir(
                cookie, verf, maxcount, maxcount,
                self.ASKED if plus else ('fileid',)), what=path)[-1]
            for e in res.reply.entries:
                cookie = e.cookie
                if plus:
                    attr, handle = self.attributes(e.attrs)
                    yield e.name, attr.fileid, attr, handle
                else:
                    yield (e.name, op.values(e.attrs)['fileid'], None, None)
            if res.reply.eof:
                return
            verf = res.cookieverf

    # ------------------------------------------------------ opened files --

    def open(self, path, how=None, access=op.BOTH, owner=b'owner'):
        d, name = self.where(path)
        results, status = self.results(d, op.open_(
            op.by_name(name), access, 0, owner, how,
            self.owners_seqid(owner), self.clientid), op.getfh())
        if status != 0:
            if len(results) < 2:
                self.seqids[owner] -= 1         # OPEN was not reached
            name = nfs4.nfsstat4(status).name.replace('NFS4ERR_', '')
            raise Failed({'ACCESS': 'ACCES'}.get(name, name), path)
        res = results[1]._data._data
        opened = Opened(results[2]._data._data.object, res.stateid, owner)
        if res.rflags & nfs4.OPEN4_RESULT_CONFIRM:
            opened.stateid = self(op.putfh(opened.fh), op.open_confirm(
                opened.stateid, self.owners_seqid(owner)))[-1].open_stateid
        return opened

    def close_file(self, o):
        self(op.putfh(o.fh), op.close(o.stateid, self.owners_seqid(o.owner)),
             what='close')

    @contextlib.contextmanager
    def opened(self, path, how=None, access=op.BOTH, owner=b'owner'):
        o = self.open(path, how, access, owner)
        try:
            yield o
        finally:
            self.close_file(o)

    def create(self, path, mode=None, how=0, verf=None):
        attributes = {} if mode is None else {'mode': mode}
        if how == 2:
            how = op.exclusive(verf)
        else:
            how = (op.unchecked, op.guarded)[how](**attributes)
        with self.opened(path, how) as o:
            return o.fh

    def setattr(self, path, **what):
        if what.get('mtime') is not None:
            what['time_modify_set'] = divmod(what.pop('mtime'), 10**9)
        if isinstance(path, Opened):
            self(op.putfh(path.fh), op.setattr_(path.stateid, **what))
        elif 'size' in what:
            with self.opened(path) as o:
                self.setattr(o, **what)
        else:
            self(op.putfh(self.fh(path)), op.setattr_(**what), what=path)

    def put(self, o, off, data, stable):
        for at in range(0, len(data), 65536):
            self(op.putfh(o.fh), op.write(data[at:at + 65536], off + at,
                                          o.stateid, stable), what='write')

    def write_at(self, path, off, data, stable=FILE_SYNC):
        if isinstance(path, Opened):
            self.put(path, off, data, stable)
            return
        with self.opened(path) as o:
            self.put(o, off, data, stable)

    def commit(self, path):
        self(op.putfh(self.fh(path)), op.commit(), what='commit')

    def write(self, path, data, stable=FILE_SYNC):
        """As the shell does `printf data > path`: create or cut, write."""
        with self.opened(path, op.unchecked(size=0)) as o:
            self.put(o, 0, encode(data), stable)
            if stable != FILE_SYNC:
                self.commit(o)
            return o.fh

    # ----------------------------------------------------------- names --

    def mkdir(self, path):
        d, name = self.where(path)
        return self(d, op.mkdir(name), op.getfh(), what=path)[-1].object

    def symlink(self, target, path):
        d, name = self.where(path)
        self(d, op.symlink(name, encode(target)), what=path)

    def link(self, old, new):
        d, name = self.where(new)
        self(op.putfh(self.fh(old)), op.savefh(), d, op.link(name), what=new)

    def remove(self, path):
        d, name = self.where(path)
        self(d, op.remove(name), what=path)

    rmdir = remove

    def rename(self, old, new):
        d, name = self.where(old)
        to, as_ = self.where(new)
        self(d, op.savefh(), to, op.rename(name, as_), what=new)


