"""Starts what the wire tests talk to.

Nothing is built here, but for the client's modules: pinefs-rpcgen makes them
of proto/*.x when a session begins.  The programs are those of $PINEFS_BUILD,
or of build-asan/ or build/; $PINEFS names another server.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))


def find_program(name):
    given = os.environ.get('PINEFS_BUILD')
    for directory in [given] if given else ['build-asan', 'build']:
        path = os.path.join(SOURCE, directory, name)
        if os.path.exists(path):
            return path
    return None


PINEFS = os.environ.get('PINEFS') or find_program('pinefs')
MODULES = tempfile.mkdtemp(prefix='pinefs-wire-')


def generate():
    rpcgen = find_program('pinefs-rpcgen')
    if rpcgen is None:
        pytest.exit('pinefs-rpcgen is not built: run `make`', 1)
    for name in ('nfs2', 'nfs3', 'nfs4', 'mount', 'portmap'):
        subprocess.run(
            [rpcgen, '--lang=python', '-o', MODULES + '/',
             os.path.join(SOURCE, 'proto', name + '.x')], check=True,
            env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    sys.path[:0] = [MODULES, os.path.join(SOURCE, 'python'), HERE]


generate()

import wire     # noqa: E402  (needs what was made just now)

wire.PINEFS = PINEFS
from nfs4_fixtures import *     # noqa: E402,F401,F403


def pytest_configure(config):
    config.addinivalue_line('markers', 'slow: takes more than some seconds')
    config.addinivalue_line('markers', 'last: looks at what others have done')


def pytest_unconfigure(config):
    shutil.rmtree(MODULES, ignore_errors=True)


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: item.get_closest_marker('last') is not None)
    if PINEFS is None:
        skip = pytest.mark.skip(reason='pinefs is not built')
        for item in items:
            item.add_marker(skip)


passed, failed = set(), set()


def pytest_runtest_logreport(report):
    name = report.nodeid.partition('::')[2].partition('[')[0]
    if report.failed:
        passed.discard(name)
        failed.add(name)
    elif report.when == 'call' and report.passed and name not in failed:
        passed.add(name)


def pytest_deselected(items):
    """What runs with some parameters only has not shown all it can."""
    failed.update(item.originalname for item in items)


@pytest.fixture
def passed_tests():
    """Functions whose every case has passed."""
    return passed


@pytest.fixture(scope='session')
def start(tmp_path_factory):
    """A function that starts a server, which ends with the session."""
    servers = []

    def start_one(*args, **kw):
        if 'directory' not in kw:
            kw['directory'] = tmp_path_factory.mktemp('server')
        directory = kw.pop('directory')
        servers.append(wire.Server(PINEFS, directory, *args, **kw))
        return servers[-1]

    yield start_one
    ended = [(s, s.stop()) for s in servers]
    for server, status in ended:
        text = server.text()
        # What a sanitizer finds is a failure of whatever test it was.
        assert not re.search(r'Sanitizer|runtime error', text), text
        assert status in (0, -9, None), (status, text)


@pytest.fixture(scope='session')
def server(start):
    """One server for all tests that do not need one for themselves."""
    return start()


@pytest.fixture(autouse=True)
def still_up(request):
    """No test may kill the common server, whatever it sends."""
    yield
    if 'server' in request.fixturenames:
        s = request.getfixturevalue('server')
        assert s.is_up(), s.text()


@pytest.fixture(scope='session')
def root_fh(server):
    return wire.root_of(server)


@pytest.fixture
def c(server):
    """A version 3 client, as root."""
    with wire.Nfs3(server.tcp()) as client:
        yield client


@pytest.fixture
def as_user(server):
    """A function: a version 3 client with another uid and other groups."""
    clients = []

    def client(uid=1000, gid=1000, gids=()):
        wire.need_root()
        clients.append(wire.Nfs3(server.tcp(wire.user(uid, gid, gids))))
        return clients[-1]

    yield client
    for one in clients:
        one.close()


counter = [0]


@pytest.fixture
def d(server, root_fh, request):
    """A directory of the test's own, writable by all."""
    counter[0] += 1
    name = b'%d-%s' % (counter[0], request.node.name.encode()[:200])
    with wire.Nfs3(server.tcp()) as client:
        return client.make_dir(root_fh, name.replace(b'/', b'_'), mode=0o777)


@pytest.fixture
def c2(server):
    """A version 2 client, as root."""
    with wire.Nfs2(server.tcp()) as client:
        yield client


@pytest.fixture(scope='session')
def has_ipv6():
    with socket.socket(socket.AF_INET6) as s:
        try:
            s.bind(('::1', 0))
        except OSError:
            pytest.skip('there is no IPv6 here')

