#!/usr/bin/python3
"""fuzz/nfs4_seeds.py TARGET DIR: seeds for fuzz_nfs4, one COMPOUND4args per
file, for fuzz_compound, one story of them per file, or for fuzz_fattr4.

The compounds are those of a Linux client (mount, files, locks, unmount, in
4.2, 4.1 and 4.0), then one of each operation that it does not send, then some
that are wrong.  `nfs4` is proto/nfs4.x as Python:

	build/pinefs-rpcgen --lang=python proto/nfs4.x >/tmp/nfs4.py
	PYTHONPATH=python:/tmp fuzz/nfs4_seeds.py nfs4 fuzz/corpus/nfs4
"""

import os
import struct
import sys

import nfs4 as n
from nfs4 import nfs_argop4 as op

SESSION = bytes(range(16))
VERF = b"\0\1\2\3\4\5\6\7"
FH = b"\1\1\0\0" + bytes(range(28))
DIR = b"\1\1\0\0" + bytes(range(28, 56))
OPEN_STATE = n.stateid4(1, b"open-stateid")
LOCK_STATE = n.stateid4(1, b"lock-stateid")
ZERO_STATE = n.stateid4(0, bytes(12))
CURRENT = n.stateid4(1, bytes(12))
OWNER = n.state_owner4(9, b"open id:\0\0\0\1\0\0\0\2")
LOCKER = n.state_owner4(9, b"lock id:\0\0\0\1\0\0\0\3")
TIME = n.nfstime4(1700000000, 5)


def bits(*numbers):
    words = [0] * (max(numbers) // 32 + 1 if numbers else 0)
    for i in numbers:
        words[i // 32] |= 1 << i % 32
    return words


def attrs(**values):
    """An fattr4 of attributes by name, each as its bytes."""
    order = sorted(values, key=lambda name: getattr(n, "FATTR4_" + name))
    return n.fattr4(bits(*(getattr(n, "FATTR4_" + a) for a in order)),
                    b"".join(values[a] for a in order))


def u32(*values):
    return struct.pack(">%dI" % len(values), *values)


def u64(value):
    return struct.pack(">Q", value)


def seq(slot=0, cache=False):
    return op(n.OP_SEQUENCE,
              n.SEQUENCE4args(SESSION, 1, slot, slot, cache))


def putfh(fh=FH):
    return op(n.OP_PUTFH, n.PUTFH4args(fh))


def getattr_(*words):
    return op(n.OP_GETATTR, n.GETATTR4args(list(words)))


def access(mask):
    return op(n.OP_ACCESS, n.ACCESS4args(mask))


def name(number, kind, text=b"file"):
    return op(number, kind(text))


def open_(how, claim, access=3):
    return op(n.OP_OPEN, n.OPEN4args(0, access, 0, OWNER, how, claim))


NOCREATE = n.openflag4(n.OPEN4_NOCREATE)
ROOT, GETFH, SAVEFH, RESTOREFH, READLINK, LOOKUPP, PUBFH = (
    op(k) for k in (n.OP_PUTROOTFH, n.OP_GETFH, n.OP_SAVEFH, n.OP_RESTOREFH,
                    n.OP_READLINK, n.OP_LOOKUPP, n.OP_PUTPUBFH))
BASIC = getattr_(0x0010011a, 0x00b0a23a)
AFTER = getattr_(0x00100018, 0x00b0a030)
NEW = attrs(SIZE=u64(0), MODE_UMASK=u32(0o644, 0o022))


def create(mode, data):
    return n.openflag4(n.OPEN4_CREATE, n.createhow4(mode, data))


def channel(request, response, cached, ops, requests):
    return n.channel_attrs4(0, request, response, cached, ops, requests, [])


SYS = n.callback_sec_parms4(1, n.authsys_parms4(77, b"host", 0, 0, [0, 4]))
CREATE_SESSION = op(n.OP_CREATE_SESSION, n.CREATE_SESSION4args(
    9, 1, 3, channel(1049620, 1049480, 7584, 8, 64),
    channel(4096, 4096, 0, 2, 16), 0x40000000, [SYS]))


def exchange_id(protect):
    return op(n.OP_EXCHANGE_ID, n.EXCHANGE_ID4args(
        n.client_owner4(VERF, b"Linux NFSv4.2 host"), 0x101, protect,
        [n.nfs_impl_id4(b"kernel.org", b"Linux 6.1.0 x86_64",
                        n.nfstime4(0, 0))]))


NONE = n.state_protect4_a(n.SP4_NONE)
MACHINE = n.state_protect4_a(n.SP4_MACH_CRED, n.state_protect_ops4(
    bits(41, 42, 43, 44, 57), bits(4, 8, 14, 18, 21, 38)))
SSV = n.state_protect4_a(n.SP4_SSV, n.ssv_sp_parms4(
    n.state_protect_ops4([], []), [b"\x2b\x0e"], [b"\x60\x86"], 4, 1))

NETADDR = n.netaddr4(b"tcp", b"127.0.0.1.3.4")
NETLOC = n.netloc4(n.NL4_NETADDR, NETADDR)


def setclientid():
    return op(n.OP_SETCLIENTID, n.SETCLIENTID4args(
        n.nfs_client_id4(VERF, b"Linux NFSv4.0 host"),
        n.cb_client4(0x40000000, NETADDR), 1))


CONFIRM = op(n.OP_SETCLIENTID_CONFIRM,
             n.SETCLIENTID_CONFIRM4args(9, VERF))


def read(count=4096, state=OPEN_STATE):
    return op(n.OP_READ, n.READ4args(state, 0, count))


def write(data, stable=None, state=OPEN_STATE):
    return op(n.OP_WRITE, n.WRITE4args(
        state, 0, n.FILE_SYNC4 if stable is None else stable, data))


def setattr_(state=ZERO_STATE, **values):
    return op(n.OP_SETATTR, n.SETATTR4args(state, attrs(**values)))


def lock(kind, locker):
    return op(n.OP_LOCK, n.LOCK4args(kind, False, 0, 2**64 - 1, locker))


NEW_LOCKER = n.locker4(True, n.open_to_lock_owner4(
    0, OPEN_STATE, 0, LOCKER))
OLD_LOCKER = n.locker4(False, n.exist_lock_owner4(LOCK_STATE, 0))
LOCKU = op(n.OP_LOCKU, n.LOCKU4args(
    n.WRITE_LT, 0, LOCK_STATE, 0, 2**64 - 1))


def free_stateid():
    return op(n.OP_FREE_STATEID, n.FREE_STATEID4args(LOCK_STATE))


def readdir(cookie=0):
    return op(n.OP_READDIR, n.READDIR4args(
        cookie, bytes(8), 65448, 65448, [0x0018091a, 0x00b0a23a]))


def make(kind, data=None):
    return op(n.OP_CREATE, n.CREATE4args(
        n.createtype4(kind, data), b"new",
        attrs(MODE_UMASK=u32(0o777, 0o022))))


COMMIT = op(n.OP_COMMIT, n.COMMIT4args(0, 0))
CLOSE = op(n.OP_CLOSE, n.CLOSE4args(0, OPEN_STATE))
LAYOUT_BODY = n.layoutupdate4(n.LAYOUT4_NFSV4_1_FILES, b"")
DEVICE = bytes(16)

# name: minor version, operations
LINUX = {
    "mount-exchange-id": (2, [exchange_id(NONE)]),
    "mount-create-session": (2, [CREATE_SESSION]),
    "mount-reclaim-complete": (2, [seq(), op(
        n.OP_RECLAIM_COMPLETE, n.RECLAIM_COMPLETE4args(False))]),
    "mount-secinfo-no-name": (2, [seq(), ROOT, op(
        n.OP_SECINFO_NO_NAME, n.SECINFO_STYLE4_CURRENT_FH)]),
    "mount-root": (2, [seq(), ROOT, GETFH, BASIC]),
    "mount-caps": (2, [seq(), putfh(), getattr_(0x32065, 0, 0x800)]),
    "mount-fsinfo": (2, [seq(), putfh(),
                         getattr_(0xf0000400, 0x80000, 0x40002)]),
    "mount-pathconf": (2, [seq(), putfh(), getattr_(0x30000000)]),
    "mount-component": (2, [seq(), putfh(), name(
        n.OP_LOOKUP, n.LOOKUP4args, b"export"), GETFH, BASIC]),
    "mount-access": (2, [seq(), putfh(), access(0x1f), BASIC]),
    "umount-session": (2, [op(n.OP_DESTROY_SESSION,
                              n.DESTROY_SESSION4args(SESSION))]),
    "umount-clientid": (2, [op(n.OP_DESTROY_CLIENTID,
                               n.DESTROY_CLIENTID4args(9))]),
    "keep-alive": (2, [seq()]),
    "getattr": (2, [seq(1), putfh(), BASIC]),
    "access-xattr": (2, [seq(), putfh(), access(0x1ff), BASIC]),
    "lookup": (2, [seq(), putfh(DIR), name(
        n.OP_LOOKUP, n.LOOKUP4args), GETFH, BASIC]),
    "lookupp": (2, [seq(), putfh(DIR), LOOKUPP, GETFH, BASIC]),
    "open-fh": (2, [seq(cache=True), putfh(), open_(
        NOCREATE, n.open_claim4(n.CLAIM_FH), 1), access(0x2d), BASIC]),
    "open-direct": (2, [seq(cache=True), putfh(), open_(
        NOCREATE, n.open_claim4(n.CLAIM_FH), 0x403), access(0x2d), BASIC]),
    "open-create": (2, [seq(cache=True), putfh(DIR), open_(
        create(n.UNCHECKED4, NEW), n.open_claim4(n.CLAIM_NULL, b"file")),
        GETFH, access(0x2d), BASIC]),
    "open-exclusive": (2, [seq(cache=True), putfh(DIR), open_(
        create(n.EXCLUSIVE4_1, n.creatverfattr(
            VERF, attrs(MODE_UMASK=u32(0o600, 0o022)))),
        n.open_claim4(n.CLAIM_NULL, b"file")), GETFH, access(0x2d), BASIC]),
    "open-guarded": (2, [seq(cache=True), putfh(DIR), open_(
        create(n.GUARDED4, NEW), n.open_claim4(n.CLAIM_NULL, b"file"))]),
    "open-reclaim": (2, [seq(cache=True), putfh(), open_(
        NOCREATE, n.open_claim4(n.CLAIM_PREVIOUS, n.OPEN_DELEGATE_NONE))]),
    "open-delegate-cur": (2, [seq(cache=True), putfh(DIR), open_(
        NOCREATE, n.open_claim4(
            n.CLAIM_DELEGATE_CUR,
            n.open_claim_delegate_cur4(OPEN_STATE, b"file")))]),
    "open-delegate-prev": (1, [seq(cache=True), putfh(DIR), open_(
        NOCREATE, n.open_claim4(n.CLAIM_DELEGATE_PREV, b"file"))]),
    "open-deleg-cur-fh": (1, [seq(cache=True), putfh(), open_(
        NOCREATE, n.open_claim4(n.CLAIM_DELEG_CUR_FH, OPEN_STATE))]),
    "open-deleg-prev-fh": (1, [seq(cache=True), putfh(), open_(
        NOCREATE, n.open_claim4(n.CLAIM_DELEG_PREV_FH))]),
    "open-downgrade": (2, [seq(cache=True), putfh(), op(
        n.OP_OPEN_DOWNGRADE,
        n.OPEN_DOWNGRADE4args(OPEN_STATE, 0, 1, 0))]),
    "close": (2, [seq(cache=True), putfh(), AFTER, CLOSE]),
    "read": (2, [seq(), putfh(), read(1048576)]),
    "write-small": (2, [seq(), putfh(), write(b"hello\n"), AFTER]),
    "write-unstable": (2, [seq(), putfh(), write(
        bytes(2000), n.UNSTABLE4), AFTER]),
    "commit": (2, [seq(), putfh(), COMMIT]),
    "setattr-times": (2, [seq(cache=True), putfh(), setattr_(
        TIME_ACCESS_SET=u32(1) + u64(5) + u32(6),
        TIME_MODIFY_SET=u32(0)), BASIC]),
    "truncate": (2, [seq(cache=True), putfh(), setattr_(
        OPEN_STATE, SIZE=u64(0), TIME_MODIFY_SET=u32(0)), BASIC]),
    "chown": (2, [seq(cache=True), putfh(), setattr_(
        OWNER=u32(4) + b"1000", OWNER_GROUP=u32(3) + b"100\0",
        MODE=u32(0o755)), BASIC]),
    "readdir": (2, [seq(), putfh(DIR), readdir()]),
    "readdir-more": (2, [seq(), putfh(DIR), readdir(77)]),
    "readlink": (2, [seq(), putfh(), READLINK]),
    "mkdir": (2, [seq(cache=True), putfh(DIR), make(n.NF4DIR), GETFH, BASIC]),
    "symlink": (2, [seq(cache=True), putfh(DIR), make(
        n.NF4LNK, b"../target"), GETFH, BASIC]),
    "mknod": (2, [seq(cache=True), putfh(DIR), make(
        n.NF4CHR, n.specdata4(1, 3)), GETFH, BASIC]),
    "mkfifo": (2, [seq(cache=True), putfh(DIR), make(n.NF4FIFO)]),
    "remove": (2, [seq(cache=True), putfh(DIR), name(
        n.OP_REMOVE, n.REMOVE4args)]),
    "rename": (2, [seq(cache=True), putfh(DIR), SAVEFH, putfh(DIR), op(
        n.OP_RENAME, n.RENAME4args(b"file", b".nfs0000000000000001"))]),
    "link": (2, [seq(cache=True), putfh(), SAVEFH, putfh(DIR), name(
        n.OP_LINK, n.LINK4args, b"link"), RESTOREFH, BASIC]),
    "lock-new": (2, [seq(cache=True), putfh(), lock(n.WRITE_LT, NEW_LOCKER)]),
    "lock-wait": (2, [seq(cache=True), putfh(), lock(
        n.READW_LT, OLD_LOCKER)]),
    "lockt": (2, [seq(), putfh(), op(
        n.OP_LOCKT, n.LOCKT4args(n.READ_LT, 5, 10, LOCKER))]),
    "locku": (2, [seq(cache=True), putfh(), LOCKU]),
    "free-stateid": (2, [seq(), free_stateid()]),
    "test-stateid": (2, [seq(), op(n.OP_TEST_STATEID, n.TEST_STATEID4args(
        [OPEN_STATE, LOCK_STATE, CURRENT]))]),
    "delegreturn": (2, [seq(cache=True), putfh(), BASIC, op(
        n.OP_DELEGRETURN, n.DELEGRETURN4args(OPEN_STATE))]),
    "statfs": (2, [seq(), putfh(), getattr_(0x00e00000, 0x1c00)]),
    "copy": (2, [seq(cache=True), putfh(), SAVEFH, putfh(DIR), op(
        n.OP_COPY, n.COPY4args(OPEN_STATE, OPEN_STATE, 0, 4096, 65536, True,
                               True, [])), COMMIT]),
    "clone": (2, [seq(cache=True), putfh(), SAVEFH, putfh(DIR), op(
        n.OP_CLONE, n.CLONE4args(OPEN_STATE, OPEN_STATE, 0, 0, 0)), AFTER]),
    "allocate": (2, [seq(), putfh(), op(
        n.OP_ALLOCATE, n.ALLOCATE4args(OPEN_STATE, 0, 65536)), AFTER]),
    "deallocate": (2, [seq(), putfh(), op(
        n.OP_DEALLOCATE, n.DEALLOCATE4args(OPEN_STATE, 0, 65536)), AFTER]),
    "seek": (2, [seq(), putfh(), op(
        n.OP_SEEK, n.SEEK4args(OPEN_STATE, 0, n.NFS4_CONTENT_HOLE))]),
    "read-plus": (2, [seq(), putfh(), op(
        n.OP_READ_PLUS, n.READ_PLUS4args(OPEN_STATE, 0, 65536))]),
    "getxattr": (2, [seq(), putfh(), name(
        n.OP_GETXATTR, n.GETXATTR4args, b"user.a"[5:])]),
    "setxattr": (2, [seq(cache=True), putfh(), op(
        n.OP_SETXATTR, n.SETXATTR4args(
            n.SETXATTR4_EITHER, b"a", b"value")), BASIC]),
    "listxattrs": (2, [seq(), putfh(), op(
        n.OP_LISTXATTRS, n.LISTXATTRS4args(0, 65536))]),
    "removexattr": (2, [seq(cache=True), putfh(), name(
        n.OP_REMOVEXATTR, n.REMOVEXATTR4args, b"a")]),
    "layoutstats": (2, [seq(), putfh(), op(
        n.OP_LAYOUTSTATS, n.LAYOUTSTATS4args(
            0, 4096, LOCK_STATE, n.io_info4(1, 4096), n.io_info4(0, 0),
            DEVICE, LAYOUT_BODY))]),
    "bind-conn": (2, [op(
        n.OP_BIND_CONN_TO_SESSION, n.BIND_CONN_TO_SESSION4args(
            SESSION, n.CDFC4_BACK_OR_BOTH, False))]),
    "v40-setclientid": (0, [setclientid()]),
    "v40-confirm": (0, [CONFIRM, ROOT, getattr_(0x400)]),
    "v40-open": (0, [putfh(DIR), open_(
        create(n.EXCLUSIVE4, VERF), n.open_claim4(n.CLAIM_NULL, b"file")),
        GETFH, access(0x2d), BASIC]),
    "v40-open-confirm": (0, [putfh(), op(
        n.OP_OPEN_CONFIRM, n.OPEN_CONFIRM4args(OPEN_STATE, 2))]),
    "v40-renew": (0, [op(n.OP_RENEW, n.RENEW4args(9))]),
    "v40-release-lockowner": (0, [op(
        n.OP_RELEASE_LOCKOWNER, n.RELEASE_LOCKOWNER4args(LOCKER))]),
    "v40-secinfo": (0, [putfh(DIR), name(n.OP_SECINFO, n.SECINFO4args)]),
}

RARE = {
    "rare-exchange-id-mach": (1, [exchange_id(MACHINE)]),
    "rare-exchange-id-ssv": (1, [exchange_id(SSV)]),
    "rare-backchannel-ctl": (1, [seq(), op(
        n.OP_BACKCHANNEL_CTL, n.BACKCHANNEL_CTL4args(
            0x40000000, [n.callback_sec_parms4(0), SYS,
                         n.callback_sec_parms4(6, n.gss_cb_handles4(
                             n.RPC_GSS_SVC_PRIVACY, b"a", b"b"))]))]),
    "rare-dir-delegation": (1, [seq(), putfh(DIR), op(
        n.OP_GET_DIR_DELEGATION, n.GET_DIR_DELEGATION4args(
            True, bits(2, 3, 4), TIME, TIME, bits(1, 4), bits(1)))]),
    "rare-getdeviceinfo": (1, [seq(), op(
        n.OP_GETDEVICEINFO, n.GETDEVICEINFO4args(
            DEVICE, n.LAYOUT4_NFSV4_1_FILES, 4096, bits(1, 2)))]),
    "rare-getdevicelist": (1, [seq(), putfh(), op(
        n.OP_GETDEVICELIST, n.GETDEVICELIST4args(
            n.LAYOUT4_NFSV4_1_FILES, 10, 0, bytes(8)))]),
    "rare-layoutget": (1, [seq(), putfh(), op(
        n.OP_LAYOUTGET, n.LAYOUTGET4args(
            False, n.LAYOUT4_FLEX_FILES, n.LAYOUTIOMODE4_RW, 0, 2**64 - 1,
            4096, OPEN_STATE, 8192))]),
    "rare-layoutcommit": (1, [seq(), putfh(), op(
        n.OP_LAYOUTCOMMIT, n.LAYOUTCOMMIT4args(
            0, 4096, False, LOCK_STATE, n.newoffset4(True, 4095),
            n.newtime4(True, TIME), LAYOUT_BODY))]),
    "rare-layoutreturn": (1, [seq(), putfh(), op(
        n.OP_LAYOUTRETURN, n.LAYOUTRETURN4args(
            False, n.LAYOUT4_NFSV4_1_FILES, n.LAYOUTIOMODE4_ANY,
            n.layoutreturn4(n.LAYOUTRETURN4_FILE, n.layoutreturn_file4(
                0, 2**64 - 1, LOCK_STATE, b""))))]),
    "rare-layoutreturn-all": (1, [seq(), op(
        n.OP_LAYOUTRETURN, n.LAYOUTRETURN4args(
            True, n.LAYOUT4_NFSV4_1_FILES, n.LAYOUTIOMODE4_ANY,
            n.layoutreturn4(n.LAYOUTRETURN4_ALL)))]),
    "rare-layouterror": (2, [seq(), putfh(), op(
        n.OP_LAYOUTERROR, n.LAYOUTERROR4args(
            0, 4096, LOCK_STATE, [n.device_error4(
                DEVICE, n.NFS4ERR_IO, n.OP_READ)]))]),
    "rare-set-ssv": (1, [seq(), op(
        n.OP_SET_SSV, n.SET_SSV4args(bytes(20), bytes(20)))]),
    "rare-want-delegation": (1, [seq(), putfh(), op(
        n.OP_WANT_DELEGATION, n.WANT_DELEGATION4args(
            0x10300, n.deleg_claim4(
                n.CLAIM_PREVIOUS, n.OPEN_DELEGATE_READ)))]),
    "rare-copy-notify": (2, [seq(), putfh(), op(
        n.OP_COPY_NOTIFY, n.COPY_NOTIFY4args(OPEN_STATE, NETLOC))]),
    "rare-copy-between": (2, [seq(), putfh(), SAVEFH, putfh(), op(
        n.OP_COPY, n.COPY4args(
            OPEN_STATE, OPEN_STATE, 0, 0, 0, False, False,
            [NETLOC, n.netloc4(n.NL4_NAME, b"host"),
             n.netloc4(n.NL4_URL, b"nfs://host/a")]))]),
    "rare-offload": (2, [seq(), putfh(), op(
        n.OP_OFFLOAD_STATUS, n.OFFLOAD_STATUS4args(OPEN_STATE)), op(
        n.OP_OFFLOAD_CANCEL, n.OFFLOAD_CANCEL4args(OPEN_STATE))]),
    "rare-io-advise": (2, [seq(), putfh(), op(
        n.OP_IO_ADVISE, n.IO_ADVISE4args(OPEN_STATE, 0, 0, bits(4, 8)))]),
    "rare-write-same": (2, [seq(), putfh(), op(
        n.OP_WRITE_SAME, n.WRITE_SAME4args(
            OPEN_STATE, n.UNSTABLE4, n.app_data_block4(
                0, 4096, 16, 8, 1, 16, b"pattern")))]),
    "rare-delegpurge": (0, [op(n.OP_DELEGPURGE, n.DELEGPURGE4args(9))]),
    "rare-openattr": (0, [putfh(), op(
        n.OP_OPENATTR, n.OPENATTR4args(True))]),
    "rare-verify": (0, [putfh(), op(
        n.OP_VERIFY, n.VERIFY4args(attrs(SIZE=u64(7)))), op(
        n.OP_NVERIFY, n.NVERIFY4args(attrs(CHANGE=u64(7))))]),
    "rare-pubfh": (0, [PUBFH, name(n.OP_LOOKUP, n.LOOKUP4args), GETFH]),
    "rare-illegal": (2, [seq(), op(n.OP_ILLEGAL)]),
    "rare-two-writes": (2, [seq(), putfh(), write(b"one"), write(
        b"four"), COMMIT, read(10, CURRENT)]),
}


def pack(minor, operations, tag=b""):
    out = []
    n.COMPOUND4args(tag, minor, operations).pack_to(out.append)
    return b"".join(out)


def wrong():
    whole = pack(2, [seq(), putfh(), BASIC])
    yield "wrong-empty", b""
    yield "wrong-no-operation", pack(2, [])
    yield "wrong-tag", pack(2, [ROOT], b"tag \xff\0 that is no text")
    yield "wrong-minor", pack(77, [ROOT])
    yield "wrong-cut", whole[:-6]
    yield "wrong-count", whole[:8] + u32(0xffffffff) + whole[12:]
    yield "wrong-unknown", u32(0, 2, 2) + u32(24, 76)
    yield "wrong-fewer", whole[:8] + u32(2) + whole[12:]
    yield "wrong-bool", whole[:44] + u32(2) + whole[48:]
    yield "wrong-fh-too-long", u32(0, 2, 1, 22, 129) + bytes(132)
    yield "wrong-bitmap", u32(0, 2, 1, 9, 0x40000000) + bytes(64)
    yield "wrong-fifty-one", pack(1, [seq()] + 50 * [GETFH])


# Compounds one after another, as a client sends them: for fuzz_compound.
STORIES = {
    "file": "open-create write-small write-unstable commit read close",
    "exclusive": "open-exclusive setattr-times truncate chown close",
    "locks": "open-create lock-new lock-wait lockt locku free-stateid close",
    "again": "open-fh open-downgrade test-stateid delegreturn close",
    "ranges": "open-create write-unstable allocate seek deallocate "
              "read-plus clone copy rare-io-advise close",
    "names": "mkdir symlink mknod mkfifo lookup link rename remove readdir "
             "readlink",
    "xattrs": "setxattr getxattr listxattrs removexattr",
    "session": "bind-conn rare-backchannel-ctl keep-alive mount-root "
               "umount-session umount-clientid",
    "clients": "mount-exchange-id mount-create-session "
               "mount-reclaim-complete open-create",
    "v40": "v40-setclientid v40-confirm v40-open v40-confirmed v40-renew "
           "v40-lock v40-lockt v40-locku v40-release-lockowner v40-close",
}
OLD = {
    "v40-confirmed": (0, [putfh(), op(
        n.OP_OPEN_CONFIRM, n.OPEN_CONFIRM4args(OPEN_STATE, 0))]),
    "v40-lock": (0, [putfh(), lock(n.WRITE_LT, NEW_LOCKER)]),
    "v40-lockt": (0, [putfh(), op(
        n.OP_LOCKT, n.LOCKT4args(n.READ_LT, 5, 10, LOCKER))]),
    "v40-locku": (0, [putfh(), LOCKU]),
    "v40-close": (0, [putfh(), AFTER, CLOSE]),
}


def nfs4_seeds():
    yield from ((k, pack(*v)) for k, v in {**LINUX, **RARE}.items())
    yield from wrong()


def told(compounds, head=0, who=None, fh=2):
    """A story.  fuzz_compound has objects: 1 is the directory, 2 the file `f`
    above it; what is made is 5."""
    parts = [bytes([head])]
    for i, c in enumerate(compounds):
        c = c.replace(FH, bytes([fh]) + FH[1:])
        if fh == 2:
            c = c.replace(DIR, b"\0" + DIR[1:]).replace(
                u32(4) + b"file", u32(1) + b"f\0\0\0")
        parts += struct.pack(">BH", who[i] if who else 0, len(c)), c
    return b"".join(parts)


def compound_seeds():
    single = {k: pack(*v) for k, v in {**LINUX, **RARE, **OLD}.items()}
    for k, c in {**single, **dict(wrong())}.items():
        if len(c) < 1 << 16:
            yield k, told([c])
    for k, story in STORIES.items():
        compounds = [single[c] for c in story.split()]
        for fh in 2, 5:
            yield "story-%s-%d" % (k, fh), told(compounds, fh=fh)
        yield "later-" + k, told(compounds, 1)
        # Each also by the other client, and as another user.
        for who in 1, 3:
            yield "two-%s-%d" % (k, who), told(
                [c for c in compounds for _ in "ab"], 0,
                [0, who] * len(compounds))


def fattr4_seeds():
    """What is done (1 byte), to what, minor version, then a bitmap's length
    in words, the words, the values."""
    samples = {
        "size": attrs(SIZE=u64(7)),
        "mode": attrs(MODE=u32(0o640)),
        "mode-umask": attrs(MODE_UMASK=u32(0o666, 0o022)),
        "owners": attrs(OWNER=u32(4) + b"1000",
                        OWNER_GROUP=u32(6) + b"root@x\0\0"),
        "times": attrs(TIME_ACCESS_SET=u32(1) + u64(5) + u32(6),
                       TIME_MODIFY_SET=u32(0)),
        "birth": attrs(TIME_CREATE=u64(5) + u32(999999999)),
        "all": attrs(SIZE=u64(1), MODE=u32(0o600), OWNER=u32(1) + b"0\0\0\0",
                     OWNER_GROUP=u32(1) + b"0\0\0\0",
                     TIME_CREATE=u64(5) + u32(1),
                     TIME_ACCESS_SET=u32(0), TIME_MODIFY_SET=u32(0)),
        "read-only": attrs(TYPE=u32(1), FILEID=u64(102), CHANGE=u64(1),
                           SIZE=u64(5)),
        "unknown": n.fattr4(bits(12, 70, 86), bytes(40)),
        "nothing": attrs(),
    }
    for k, f in samples.items():
        words = list(f.attrmask)
        for does in range(8):
            yield "%s-%d" % (k, does), bytes(
                [does, 2, 2 * does % 3, len(words)]) + u32(*words) + \
                f.attr_vals


SEEDS = {"nfs4": nfs4_seeds, "compound": compound_seeds,
         "fattr4": fattr4_seeds}


def main(target, directory):
    os.makedirs(directory, exist_ok=True)
    seeds = dict(SEEDS[target]())
    for seed, data in seeds.items():
        with open(os.path.join(directory, seed), "wb") as f:
            f.write(data)
    sent = {o.argop for _, ops in {**LINUX, **RARE}.values() for o in ops}
    missing = sorted(set(n.nfs_opnum4) - sent)
    assert not missing, missing
    print("%d seeds, %d bytes" % (
        len(seeds), sum(len(d) for d in seeds.values())))


if __name__ == "__main__":
    main(*sys.argv[1:])
