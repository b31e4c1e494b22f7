"""Fixtures for tests of memfs that are run over another file system.

A file that imports all of these after the tests, and has a `start` of its
own, gets one server of that, by every version.
"""

import pytest

import nfs4_client
import wire


@pytest.fixture(scope='session')
def server(start):
    return start()


@pytest.fixture(scope='session')
def root_fh(server):
    return wire.root_of(server)


@pytest.fixture(scope='session')
def v4(server):
    if not nfs4_client.speaks_v4(server):
        pytest.skip('the server does not speak version 4')
    return server


@pytest.fixture(scope='session')
def start4(start):
    return start


# Minor versions differ above the file system only.

@pytest.fixture
def c4(v4, clients):
    clients.append(nfs4_client.Client1(v4, 2))
    return clients[-1]


@pytest.fixture
def c41(v4, clients):
    clients.append(nfs4_client.Client1(v4, 2))
    return clients[-1]
