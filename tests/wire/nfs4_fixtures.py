"""What the tests of version 4 are given; conftest.py takes these over.

	c4	a client, of each minor version in turn
	c40	of 4.0; c41 of 4.1 and 4.2; c42 of 4.2
	d	a directory of the test's own (the same handle as in version 3)
	another	a function: one more client of the same minor version
	h	a client that can be called back, of the version `minor`, which
		the test is parametrized by
	other	another client of it, which cannot
"""

import nfs4_callbacks
import nfs4_client
import pytest

MISSING = 'the server does not speak version 4'


@pytest.fixture(scope='session')
def v4(server):
    """The common server, if it speaks version 4."""
    if not nfs4_client.speaks_v4(server):
        pytest.skip(MISSING)
    return server


@pytest.fixture(scope='session')
def start4(v4, start):
    """A function that starts a server for one test alone."""
    def start_one(*args, **kw):
        server = start(*args, **kw)
        if not nfs4_client.speaks_v4(server):
            pytest.skip(MISSING)
        return server
    return start_one


LEASE = 5                       # seconds: the least there is


@pytest.fixture(scope='session')
def short_lease(start4):
    return start4('--lease', str(LEASE))


@pytest.fixture
def clients():
    """Whoever is in this list is closed when the test ends."""
    made = []
    yield made
    for c in made:
        c.close()


@pytest.fixture(params=[0, 1, 2], ids=['4.0', '4.1', '4.2'])
def c4(v4, clients, request):
    clients.append(nfs4_client.new_client(v4, request.param))
    return clients[-1]


@pytest.fixture
def c40(v4, clients):
    clients.append(nfs4_client.Client0(v4))
    return clients[-1]


@pytest.fixture(params=[1, 2], ids=['4.1', '4.2'])
def c41(v4, clients, request):
    clients.append(nfs4_client.Client1(v4, request.param))
    return clients[-1]


@pytest.fixture
def c42(v4, clients):
    clients.append(nfs4_client.Client1(v4, 2))
    return clients[-1]


@pytest.fixture
def another(v4, clients, request):
    """More clients of the version that the test has."""
    def one(**kw):
        minor = next(request.getfixturevalue(n).minor
                     for n in ('c4', 'c40', 'c41', 'c42')
                     if n in request.fixturenames)
        clients.append(nfs4_client.new_client(v4, minor, **kw))
        return clients[-1]
    return one


@pytest.fixture
def h(v4, clients, minor):
    clients.append(nfs4_callbacks.holder(v4, minor))
    return clients[-1]


@pytest.fixture
def other(v4, clients, minor):
    clients.append(nfs4_client.new_client(v4, minor))
    return clients[-1]
