"""The table of errors is complete, and every test it names is there."""

import ast
import functools
import os

import nfs4 as x
import nfs4_client
import nfs4_errors
import nfs4_listed
import nfs4_ops as op
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


@functools.lru_cache(None)
def names_in(name):
    path = os.path.join(HERE, 'test_nfs4_%s.py' % name)
    if not os.path.exists(path):
        path = os.path.join(HERE, 'test_%s.py' % name)
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
        'MINOR_VERS_MISMATCH', 'OP_ILLEGAL', 'OFFLOAD_NO_REQS'}
    every = {s.name[len('NFS4ERR_'):] for s in x.nfsstat4
             if s.name != 'NFS4_OK'}
    assert every - listed == elsewhere


def test_every_listed_error_is_in_the_table():
    """And none besides, but what is answered without being listed."""
    for operation, row in nfs4_errors.ERRORS.items():
        listed = set().union(*(minor.get(operation, ())
                               for minor in nfs4_listed.LISTED))
        known = set(nfs4_listed.UNLISTED.get(operation, ()))
        if '*' not in row:
            assert listed - set(row) == set(), operation
        assert set(row) - {'*'} - listed - known == set(), operation


def test_what_is_answered_unlisted_is_not_listed():
    for operation, row in nfs4_listed.UNLISTED.items():
        for error, why in row.items():
            assert why
            assert any(error not in minor[operation]
                       for minor in nfs4_listed.LISTED if operation in minor)


@pytest.mark.last
def test_the_named_tests_do_cause_their_errors(passed_tests):
    """Of those that have passed in this session."""
    wrong = []
    for operation, row in nfs4_errors.ERRORS.items():
        for error, why in row.items():
            test = 'test_' + why.partition(':')[2]
            if not why.startswith('- ') and test in passed_tests and \
                    test not in nfs4_client.caused.get(
                        (operation, error), ()):
                wrong.append((operation, error, test))
    assert wrong == []


@pytest.mark.last
def test_nothing_happened_that_is_said_not_to_happen():
    wrong = [(operation, error, sorted(nfs4_client.caused[operation, error]))
             for operation, row in nfs4_errors.ERRORS.items()
             for error, why in row.items()
             if why.startswith('- ') and (operation, error)
             in nfs4_client.caused]
    assert wrong == []
