"""Delegations, as far as there are any (RFC 8881 10.4, 18.6)."""

import nfs4 as x
import nfs4_ops as op


def test_an_open_is_no_delegation(c4, d):
    o = c4.new(d, b'f')
    c4.fails(x.NFS4ERR_BAD_STATEID, op.putfh(o.fh), op.delegreturn(o.s))
    c4.ok(op.putfh(o.fh), op.read(s=o.s))


def test_a_lock_is_no_delegation(c4, d):
    k = c4.lock(c4.new(d, b'f'), 0, 1)
    c4.fails(x.NFS4ERR_BAD_STATEID, op.putfh(k.fh), op.delegreturn(k.s))
    c4.unlock(k, 0, 1)


def test_one_of_an_earlier_instance_is_stale_in_4_0(c4, d):
    o = c4.new(d, b'f')
    other = bytes(b ^ 0x55 for b in o.s.other[:4]) + o.s.other[4:]
    c4.fails(x.NFS4ERR_BAD_STATEID if c4.minor else x.NFS4ERR_STALE_STATEID,
             op.putfh(o.fh), op.delegreturn((1, other)))


def test_special_stateids_are_no_delegations(c4, d):
    fh = c4.make(d, b'f')
    for s in (op.ANON, op.BYPASS):
        c4.fails(x.NFS4ERR_BAD_STATEID, op.putfh(fh), op.delegreturn(s))
