"""Where these tests find what they need."""

import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))


def build_directory():
    given = os.environ.get('PINEFS_BUILD')
    for path in [given] if given else [
            os.path.join(SOURCE, d) for d in ('build-asan', 'build')]:
        if os.path.exists(os.path.join(path, 'pinefs-rpcgen')):
            return path
    pytest.exit('pinefs-rpcgen is not built: run `make`', 1)


@pytest.fixture(scope='session')
def build():
    return build_directory()


@pytest.fixture(scope='session')
def rpcgen(build):
    """A function that runs the compiler: (status, output, messages)."""
    def run(*args, **kw):
        done = subprocess.run(
            [os.path.join(build, 'pinefs-rpcgen'), *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'), **kw)
        return (done.returncode, done.stdout.decode('utf-8', 'replace'),
                done.stderr.decode('utf-8', 'replace'))
    return run
