"""Operations of version 4 as values: `op.lookup(b'name')`.

Each function gives what may stand in a COMPOUND.  Where a test wants an
operation that no client would send, bytes do as well: `raw(...)`.
"""

import struct

import nfs4 as x

# ----------------------------------------------------- bitmaps and values --

ANON = (0, bytes(12))                   # stateids, as (seqid, other)
BYPASS = (0xffffffff, b'\xff' * 12)
CURRENT = (1, bytes(12))
INVALID = (0xffffffff, bytes(12))

READ, WRITE, BOTH = 1, 2, 3             # share access, and deny
NONE = 0
UNCHECKED, GUARDED, EXCLUSIVE, EXCLUSIVE_1 = range(4)
ALL = 0xffffffffffffffff                # a length: to the end
REG, DIR, BLK, CHR, LNK, SOCK, FIFO = range(1, 8)


def bitmap(bits):
    """A bitmap4, as short as can be."""
    words = []
    for bit in bits:
        while len(words) <= bit // 32:
            words.append(0)
        words[bit // 32] |= 1 << bit % 32
    return words


def bits(words):
    return [32 * i + b for i, word in enumerate(words)
            for b in range(32) if word >> b & 1]


def stateid(s):
    return s if isinstance(s, x.stateid4) else x.stateid4(*s)


def pair(s):
    """A stateid4 as (seqid, other), which compares."""
    return (s.seqid, s.other)


def _u32(v):
    return struct.pack('>I', v)


def _u64(v):
    return struct.pack('>Q', v)


def opaque(b):
    return _u32(len(b)) + b + bytes(-len(b) & 3)


def _bool(v):
    return _u32(1 if v else 0)


def time(t):
    """Seconds and nanoseconds."""
    return struct.pack('>qI', *t)


def _settime(t):
    return _u32(0) if t == 'now' else _u32(1) + time(t)


def _pair32(v):
    return struct.pack('>II', *v)


def _fsid(v):
    return struct.pack('>QQ', *v)


def _bitmap(v):
    words = bitmap(v)
    return struct.pack('>%dI' % (len(words) + 1), len(words), *words)


class Reader:
    def __init__(self, b):
        self.b, self.o = b, 0

    def take(self, fmt):
        got = struct.unpack_from(fmt, self.b, self.o)
        self.o += struct.calcsize(fmt)
        return got

    def u32(self):
        return self.take('>I')[0]

    def u64(self):
        return self.take('>Q')[0]

    def bool(self):
        v = self.u32()
        assert v in (0, 1), v
        return v == 1

    def opaque(self):
        n = self.u32()
        b = self.b[self.o:self.o + n]
        assert len(b) == n
        self.o += n
        pad = self.b[self.o:self.o + (-n & 3)]
        assert pad == bytes(-n & 3), 'padding that is not zero'
        self.o += len(pad)
        return b

    def time(self):
        return self.take('>qI')

    def pair32(self):
        return self.take('>II')

    def fsid(self):
        return self.take('>QQ')

    def bitmap(self):
        return bits([self.u32() for _ in range(self.u32())])

    def end(self):
        assert self.o == len(self.b), '%d bytes left' % (
            len(self.b) - self.o)


# number: name, how it is read, how it is written (None: never)
R = Reader
ATTRIBUTES = {
    0: ('supported_attrs', R.bitmap, _bitmap),
    1: ('type', R.u32, _u32),
    2: ('fh_expire_type', R.u32, _u32),
    3: ('change', R.u64, _u64),
    4: ('size', R.u64, _u64),
    5: ('link_support', R.bool, _bool),
    6: ('symlink_support', R.bool, _bool),
    7: ('named_attr', R.bool, _bool),
    8: ('fsid', R.fsid, _fsid),
    9: ('unique_handles', R.bool, _bool),
    10: ('lease_time', R.u32, _u32),
    11: ('rdattr_error', R.u32, _u32),
    13: ('aclsupport', R.u32, _u32),
    14: ('archive', R.bool, _bool),
    15: ('cansettime', R.bool, _bool),
    16: ('case_insensitive', R.bool, _bool),
    17: ('case_preserving', R.bool, _bool),
    18: ('chown_restricted', R.bool, _bool),
    19: ('filehandle', R.opaque, opaque),
    20: ('fileid', R.u64, _u64),
    21: ('files_avail', R.u64, _u64),
    22: ('files_free', R.u64, _u64),
    23: ('files_total', R.u64, _u64),
    25: ('hidden', R.bool, _bool),
    26: ('homogeneous', R.bool, _bool),
    27: ('maxfilesize', R.u64, _u64),
    28: ('maxlink', R.u32, _u32),
    29: ('maxname', R.u32, _u32),
    30: ('maxread', R.u64, _u64),
    31: ('maxwrite', R.u64, _u64),
    32: ('mimetype', R.opaque, opaque),
    33: ('mode', R.u32, _u32),
    34: ('no_trunc', R.bool, _bool),
    35: ('numlinks', R.u32, _u32),
    36: ('owner', R.opaque, opaque),
    37: ('owner_group', R.opaque, opaque),
    38: ('quota_avail_hard', R.u64, _u64),
    39: ('quota_avail_soft', R.u64, _u64),
    40: ('quota_used', R.u64, _u64),
    41: ('rawdev', R.pair32, _pair32),
    42: ('space_avail', R.u64, _u64),
    43: ('space_free', R.u64, _u64),
    44: ('space_total', R.u64, _u64),
    45: ('space_used', R.u64, _u64),
    46: ('system', R.bool, _bool),
    47: ('time_access', R.time, time),
    48: ('time_access_set', None, _settime),
    49: ('time_backup', R.time, time),
    50: ('time_create', R.time, time),
    51: ('time_delta', R.time, time),
    52: ('time_metadata', R.time, time),
    53: ('time_modify', R.time, time),
    54: ('time_modify_set', None, _settime),
    55: ('mounted_on_fileid', R.u64, _u64),
    74: ('mode_set_masked', None, _pair32),
    75: ('suppattr_exclcreat', R.bitmap, _bitmap),
    76: ('fs_charset_cap', R.u32, _u32),
    77: ('clone_blksize', R.u32, _u32),
    78: ('space_freed', R.u64, _u64),
    79: ('change_attr_type', R.u32, _u32),
    81: ('mode_umask', None, _pair32),
    82: ('xattr_support', R.bool, _bool),
}
NUMBER = {row[0]: number for number, row in ATTRIBUTES.items()}
LAST_ATTRIBUTE = {0: 55, 1: 76, 2: 86}  # of each minor version


def fattr(**values):
    """A fattr4 of named attributes, in bit order."""
    pieces = []
    numbers = sorted(NUMBER[name] for name in values)
    for n in numbers:
        name, _, write = ATTRIBUTES[n]
        pieces.append(write(values[name]))
    return x.fattr4(bitmap(numbers), b''.join(pieces))


def values(attributes):
    """The values of a fattr4 by name; every byte must be accounted for."""
    reader, found = Reader(attributes.attr_vals), {}
    for n in bits(attributes.attrmask):
        assert n in ATTRIBUTES, 'attribute %d was not asked for' % n
        name, read, _ = ATTRIBUTES[n]
        assert read is not None, '%s is write-only' % name
        found[name] = read(reader)
    reader.end()
    return found


# ------------------------------------------------------------- operations --


def raw(number, body=b''):
    return _u32(number) + body


def _op(name, data=None):
    return x.nfs_argop4(getattr(x.nfs_opnum4, 'OP_' + name), data)


def encode(operation):
    return operation if isinstance(operation, bytes) else operation.pack()


def _numbers(asked):
    return [NUMBER[a] if isinstance(a, str) else a for a in asked]


def access(want=0x3f):
    return _op('ACCESS', x.ACCESS4args(want))


def close(s, seqid=0):
    return _op('CLOSE', x.CLOSE4args(seqid, stateid(s)))


def commit(offset=0, count=0):
    return _op('COMMIT', x.COMMIT4args(offset, count))


def create(name, kind=DIR, data=None, **attributes):
    return _op('CREATE', x.CREATE4args(
        x.createtype4(kind, data), name, fattr(**attributes)))


def mkdir(name, mode=0o755, **attributes):
    return create(name, DIR, mode=mode, **attributes)


def symlink(name, target, **attributes):
    return create(name, LNK, target, **attributes)


def mknod(name, kind, major, minor, **attributes):
    return create(name, kind, x.specdata4(major, minor), **attributes)


def delegpurge(clientid):
    return _op('DELEGPURGE', x.DELEGPURGE4args(clientid))


def delegreturn(s):
    return _op('DELEGRETURN', x.DELEGRETURN4args(stateid(s)))


def getattr_(*asked):
    """By name or number."""
    return getattr_words(bitmap(_numbers(asked)))


def getattr_words(words):
    return _op('GETATTR', x.GETATTR4args(words))


def getfh():
    return _op('GETFH')


def link(name):
    return _op('LINK', x.LINK4args(name))


def lock_new(kind, offset, length, open_stateid, owner, open_seqid=0,
             lock_seqid=0, clientid=0, reclaim=False):
    return _op('LOCK', x.LOCK4args(
        kind, reclaim, offset, length, x.locker4(True, x.open_to_lock_owner4(
            open_seqid, stateid(open_stateid), lock_seqid,
            x.lock_owner4(clientid, owner)))))


def lock_more(kind, offset, length, lock_stateid, lock_seqid=0,
              reclaim=False):
    return _op('LOCK', x.LOCK4args(
        kind, reclaim, offset, length, x.locker4(
            False, x.exist_lock_owner4(stateid(lock_stateid), lock_seqid))))


def lockt(kind, offset, length, owner, clientid=0):
    return _op('LOCKT', x.LOCKT4args(
        kind, offset, length, x.lock_owner4(clientid, owner)))


def locku(offset, length, s, seqid=0, kind=2):
    return _op('LOCKU', x.LOCKU4args(kind, seqid, stateid(s), offset,
                                     length))


def lookup(name):
    return _op('LOOKUP', x.LOOKUP4args(name))


def lookupp():
    return _op('LOOKUPP')


def nverify(**attributes):
    return _op('NVERIFY', x.NVERIFY4args(fattr(**attributes)))


def nverify_fattr(attributes):
    return _op('NVERIFY', x.NVERIFY4args(attributes))


def verify(**attributes):
    return _op('VERIFY', x.VERIFY4args(fattr(**attributes)))


def verify_fattr(attributes):
    return _op('VERIFY', x.VERIFY4args(attributes))


# How to open, and by which claim.

def no_create():
    return x.openflag4(x.OPEN4_NOCREATE)


def unchecked(**attributes):
    return x.openflag4(x.OPEN4_CREATE, x.createhow4(
        UNCHECKED, fattr(**attributes)))


def guarded(**attributes):
    return x.openflag4(x.OPEN4_CREATE, x.createhow4(
        GUARDED, fattr(**attributes)))


def exclusive(verifier):
    return x.openflag4(x.OPEN4_CREATE, x.createhow4(EXCLUSIVE, verifier))


def exclusive_1(verifier, **attributes):
    return x.openflag4(x.OPEN4_CREATE, x.createhow4(
        EXCLUSIVE_1, x.creatverfattr(verifier, fattr(**attributes))))


def create_with(mode, attributes):
    """UNCHECKED or GUARDED, with a fattr4 of any kind."""
    return x.openflag4(x.OPEN4_CREATE, x.createhow4(mode, attributes))


def by_name(name):
    return x.open_claim4(x.CLAIM_NULL, name)


def by_fh():
    return x.open_claim4(x.CLAIM_FH)


def by_previous(delegation=0):
    return x.open_claim4(x.CLAIM_PREVIOUS, delegation)


def by_delegate_cur(s, name):
    return x.open_claim4(x.CLAIM_DELEGATE_CUR,
                         x.open_claim_delegate_cur4(stateid(s), name))


def by_delegate_prev(name):
    return x.open_claim4(x.CLAIM_DELEGATE_PREV, name)


def by_delegate_cur_fh(s):
    return x.open_claim4(x.CLAIM_DELEG_CUR_FH, stateid(s))


def by_delegate_prev_fh():
    return x.open_claim4(x.CLAIM_DELEG_PREV_FH)


def open_(claim, access=BOTH, deny=NONE, owner=b'owner', how=None, seqid=0,
          clientid=0):
    return _op('OPEN', x.OPEN4args(
        seqid, access, deny, x.open_owner4(clientid, owner),
        how or no_create(), claim))


def openattr(create_dir=False):
    return _op('OPENATTR', x.OPENATTR4args(create_dir))


def open_confirm(s, seqid):
    return _op('OPEN_CONFIRM', x.OPEN_CONFIRM4args(stateid(s), seqid))


def open_downgrade(s, access, deny=NONE, seqid=0):
    return _op('OPEN_DOWNGRADE', x.OPEN_DOWNGRADE4args(
        stateid(s), seqid, access, deny))


def putfh(fh):
    return _op('PUTFH', x.PUTFH4args(fh))


def putpubfh():
    return _op('PUTPUBFH')


def putrootfh():
    return _op('PUTROOTFH')


def read(offset=0, count=65536, s=ANON):
    return _op('READ', x.READ4args(stateid(s), offset, count))


def readdir(cookie=0, verf=bytes(8), dircount=0, maxcount=8192, asked=()):
    return _op('READDIR', x.READDIR4args(
        cookie, verf, dircount, maxcount, bitmap(_numbers(asked))))


def readlink():
    return _op('READLINK')


def remove(name):
    return _op('REMOVE', x.REMOVE4args(name))


def rename(old, new):
    return _op('RENAME', x.RENAME4args(old, new))


def renew(clientid):
    return _op('RENEW', x.RENEW4args(clientid))


def restorefh():
    return _op('RESTOREFH')


def savefh():
    return _op('SAVEFH')


def secinfo(name):
    return _op('SECINFO', x.SECINFO4args(name))


def setattr_(s=ANON, **attributes):
    return setattr_fattr(fattr(**attributes), s)


def setattr_fattr(attributes, s=ANON):
    return _op('SETATTR', x.SETATTR4args(stateid(s), attributes))


def setclientid(owner, verifier, program=0x40000000, netid=b'tcp',
                addr=b'127.0.0.1.0.0', ident=1):
    return _op('SETCLIENTID', x.SETCLIENTID4args(
        x.nfs_client_id4(verifier, owner),
        x.cb_client4(program, x.clientaddr4(netid, addr)), ident))


def setclientid_confirm(clientid, verifier):
    return _op('SETCLIENTID_CONFIRM', x.SETCLIENTID_CONFIRM4args(
        clientid, verifier))


def write(data, offset=0, s=ANON, stable=x.FILE_SYNC4):
    return _op('WRITE', x.WRITE4args(stateid(s), offset, stable, data))


def release_lockowner(clientid, owner):
    return _op('RELEASE_LOCKOWNER', x.RELEASE_LOCKOWNER4args(
        x.lock_owner4(clientid, owner)))


# -------------------------------------------------------------------- 4.1 --


def backchannel_ctl(program=0x40000000, security=None):
    return _op('BACKCHANNEL_CTL', x.BACKCHANNEL_CTL4args(
        program, [x.callback_sec_parms4(0)] if security is None
        else security))


def bind_conn_to_session(session, direction=x.CDFC4_FORE, rdma=False):
    return _op('BIND_CONN_TO_SESSION', x.BIND_CONN_TO_SESSION4args(
        session, direction, rdma))


def exchange_id(owner, verifier, flags=0x101, protect=None, impl=()):
    return _op('EXCHANGE_ID', x.EXCHANGE_ID4args(
        x.client_owner4(verifier, owner), flags,
        protect or x.state_protect4_a(x.SP4_NONE), list(impl)))


def channel(request=1049620, response=1049480, cached=7584, ops=8,
            requests=64, pad=0):
    """What a Linux client asks for."""
    return x.channel_attrs4(pad, request, response, cached, ops, requests,
                            [])


def create_session(clientid, sequence, flags=0, fore=None, back=None,
                   program=0x40000000, security=None):
    return _op('CREATE_SESSION', x.CREATE_SESSION4args(
        clientid, sequence, flags, fore or channel(),
        back or channel(4096, 4096, 0, 2, 16), program,
        [x.callback_sec_parms4(0)] if security is None else security))


def destroy_session(session):
    return _op('DESTROY_SESSION', x.DESTROY_SESSION4args(session))


def free_stateid(s):
    return _op('FREE_STATEID', x.FREE_STATEID4args(stateid(s)))


def secinfo_no_name(style=0):
    return _op('SECINFO_NO_NAME', style)


def sequence(session, seq, slot=0, highest=0, cache=False):
    return _op('SEQUENCE', x.SEQUENCE4args(session, seq, slot, highest,
                                           cache))


def set_ssv(ssv=b'x', digest=b'y'):
    return _op('SET_SSV', x.SET_SSV4args(ssv, digest))


def test_stateid(*stateids):
    return _op('TEST_STATEID', x.TEST_STATEID4args(
        [stateid(s) for s in stateids]))


test_stateid.__test__ = False           # pytest would take it for a test


def destroy_clientid(clientid):
    return _op('DESTROY_CLIENTID', x.DESTROY_CLIENTID4args(clientid))


def reclaim_complete(one_fs=False):
    return _op('RECLAIM_COMPLETE', x.RECLAIM_COMPLETE4args(one_fs))


def get_dir_delegation():
    t = x.nfstime4(0, 0)
    return _op('GET_DIR_DELEGATION', x.GET_DIR_DELEGATION4args(
        False, [], t, t, [], []))


def getdeviceinfo():
    return _op('GETDEVICEINFO', x.GETDEVICEINFO4args(bytes(16), 1, 4096, []))


def getdevicelist():
    return _op('GETDEVICELIST', x.GETDEVICELIST4args(1, 8, 0, bytes(8)))


def layoutcommit():
    return _op('LAYOUTCOMMIT', x.LAYOUTCOMMIT4args(
        0, 1, False, stateid(ANON), x.newoffset4(False), x.newtime4(False),
        x.layoutupdate4(1, b'')))


def layoutget():
    return _op('LAYOUTGET', x.LAYOUTGET4args(
        False, 1, 1, 0, 4096, 0, stateid(ANON), 4096))


def layoutreturn():
    return _op('LAYOUTRETURN', x.LAYOUTRETURN4args(
        False, 1, 1, x.layoutreturn4(x.LAYOUTRETURN4_ALL)))


def want_delegation():
    return _op('WANT_DELEGATION', x.WANT_DELEGATION4args(
        0x100, x.deleg_claim4(x.CLAIM_FH)))


# -------------------------------------------------------------------- 4.2 --


def allocate(offset, length, s=ANON):
    return _op('ALLOCATE', x.ALLOCATE4args(stateid(s), offset, length))


def deallocate(offset, length, s=ANON):
    return _op('DEALLOCATE', x.DEALLOCATE4args(stateid(s), offset, length))


def copy(source, target, from_=0, to=0, count=0, consecutive=True,
         synchronous=True, servers=()):
    """From the saved filehandle to the current one."""
    return _op('COPY', x.COPY4args(
        stateid(source), stateid(target), from_, to, count, consecutive,
        synchronous, list(servers)))


def copy_notify(s=ANON):
    return _op('COPY_NOTIFY', x.COPY_NOTIFY4args(
        stateid(s), x.netloc4(x.NL4_NAME, b'example.org')))


def clone(source, target, from_=0, to=0, count=0):
    return _op('CLONE', x.CLONE4args(
        stateid(source), stateid(target), from_, to, count))


def io_advise(hints, offset=0, count=0, s=ANON):
    return _op('IO_ADVISE', x.IO_ADVISE4args(
        stateid(s), offset, count, bitmap(hints)))


def layouterror():
    return _op('LAYOUTERROR', x.LAYOUTERROR4args(
        0, 1, stateid(ANON), []))


def layoutstats():
    z = x.io_info4(0, 0)
    return _op('LAYOUTSTATS', x.LAYOUTSTATS4args(
        0, 1, stateid(ANON), z, z, bytes(16), x.layoutupdate4(1, b'')))


def offload_cancel():
    return _op('OFFLOAD_CANCEL', x.OFFLOAD_CANCEL4args(stateid(ANON)))


def offload_status():
    return _op('OFFLOAD_STATUS', x.OFFLOAD_STATUS4args(stateid(ANON)))


def read_plus(offset=0, count=65536, s=ANON):
    return _op('READ_PLUS', x.READ_PLUS4args(stateid(s), offset, count))


def seek(offset, what, s=ANON):
    return _op('SEEK', x.SEEK4args(stateid(s), offset, what))


def write_same():
    return _op('WRITE_SAME', x.WRITE_SAME4args(
        stateid(ANON), x.FILE_SYNC4,
        x.app_data_block4(0, 512, 1, 0, 0, 0, b'x')))


def getxattr(name):
    return _op('GETXATTR', x.GETXATTR4args(name))


def setxattr(name, value, option=x.SETXATTR4_EITHER):
    return _op('SETXATTR', x.SETXATTR4args(option, name, value))


def listxattrs(cookie=0, maxcount=8192):
    return _op('LISTXATTRS', x.LISTXATTRS4args(cookie, maxcount))


def removexattr(name):
    return _op('REMOVEXATTR', x.REMOVEXATTR4args(name))


# One of each, well formed, for tests of what holds for all of them.
ONE_OF_EACH = {
    3: access(), 4: close(ANON), 5: commit(), 6: mkdir(b'n'),
    7: delegpurge(0), 8: delegreturn(ANON), 9: getattr_('type'), 10: getfh(),
    11: link(b'n'), 12: lock_new(1, 0, 1, ANON, b'l'),
    13: lockt(1, 0, 1, b'l'), 14: locku(0, 1, ANON), 15: lookup(b'n'),
    16: lookupp(), 17: nverify(size=1), 18: open_(by_name(b'n')),
    19: openattr(), 20: open_confirm(ANON, 1), 21: open_downgrade(ANON, 1),
    22: putfh(bytes(32)), 23: putpubfh(), 24: putrootfh(), 25: read(),
    26: readdir(), 27: readlink(), 28: remove(b'n'), 29: rename(b'n', b'm'),
    30: renew(0), 31: restorefh(), 32: savefh(), 33: secinfo(b'n'),
    34: setattr_(mode=0o600), 35: setclientid(b'o', bytes(8)),
    36: setclientid_confirm(0, bytes(8)), 37: verify(size=1),
    38: write(b'x'), 39: release_lockowner(0, b'l'), 40: backchannel_ctl(),
    41: bind_conn_to_session(bytes(16)), 42: exchange_id(b'o', bytes(8)),
    43: create_session(0, 1), 44: destroy_session(bytes(16)),
    45: free_stateid(ANON), 46: get_dir_delegation(), 47: getdeviceinfo(),
    48: getdevicelist(), 49: layoutcommit(), 50: layoutget(),
    51: layoutreturn(), 52: secinfo_no_name(), 53: sequence(bytes(16), 1),
    54: set_ssv(), 55: test_stateid(), 56: want_delegation(),
    57: destroy_clientid(0), 58: reclaim_complete(), 59: allocate(0, 1),
    60: copy(ANON, ANON), 61: copy_notify(), 62: deallocate(0, 1),
    63: io_advise([0]), 64: layouterror(), 65: layoutstats(),
    66: offload_cancel(), 67: offload_status(), 68: read_plus(),
    69: seek(0, 0), 70: write_same(), 71: clone(ANON, ANON),
    72: getxattr(b'k'), 73: setxattr(b'k', b'v'), 74: listxattrs(),
    75: removexattr(b'k'),
}
LAST = {0: 39, 1: 58, 2: 75}            # operation of each minor version
ONLY_4_0 = (20, 30, 35, 36, 39)
NEEDS_FH = (3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 25,
            26, 27, 28, 29, 32, 33, 34, 37, 38, 52, 59, 60, 62, 63, 68, 69,
            71, 72, 73, 74, 75)


def name_of(number):
    return x.nfs_opnum4(number).name[3:]
