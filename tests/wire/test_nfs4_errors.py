"""The table of errors is complete, and every test it names is there."""

import ast
import functools
import os

import nfs4 as x
import nfs4_errors
import nfs4_ops as op
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


@functools.lru_cache(None)
def names_in(name):
    path = os.path.join(HERE, 'test_nfs4_%s.py' % name)
    with open(path, encoding='utf-8') as f:
        return {node.name for node in ast.parse(f.read()).body
                if isinstance(node, ast.FunctionDef)}


def test_every_operation_has_a_row():
    assert sorted(nfs4_errors.ERRORS) == sorted(
        op.name_of(n) for n in op.ONE_OF_EACH)


@pytest.mark.parametrize('operation', sorted(nfs4_errors.ERRORS))
def test_every_error_has_a_test_or_a_reason(operation):
    for error, why in nfs4_errors.ERRORS[operation].items():
        if error != '*':
            assert hasattr(x, 'NFS4ERR_' + error), error
        if why.startswith('- '):
            assert len(why) > 8
            continue
        name, _, test = why.partition(':')
        assert 'test_' + test in names_in(name), (error, why)


def test_every_error_of_version_4_is_in_the_table():
    listed = {e for row in nfs4_errors.ERRORS.values() for e in row}
    # Of layouts, callbacks and named attributes only, or of the compound.
    elsewhere = {
        'BADIOMODE', 'BADLAYOUT', 'LAYOUTTRYLATER', 'LAYOUTUNAVAILABLE',
        'NOMATCHING_LAYOUT', 'RECALLCONFLICT', 'DIRDELEG_UNAVAIL',
        'REJECT_DELEG', 'RETURNCONFLICT', 'WRONG_LFS', 'BADLABEL',
        'MINOR_VERS_MISMATCH', 'OP_ILLEGAL'}
    every = {s.name[len('NFS4ERR_'):] for s in x.nfsstat4
             if s.name != 'NFS4_OK'}
    assert every - listed == elsewhere
