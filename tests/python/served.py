# SPDX-License-Identifier: MIT
"""What every test here begins with: the module, a server, a client.

The tests are plain functions and use nothing of pytest, so that `run` can
have them done by every Python there is; most of those have no pytest.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import types

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get('PINEFS_SOURCE',
                        os.path.dirname(os.path.dirname(HERE)))
BUILD = os.path.abspath(os.environ.get('PINEFS_BUILD',
                                       os.path.join(SOURCE, 'build')))
PACKAGE = os.path.join(BUILD, 'python')
GENERATED = os.path.join(BUILD, 'python-tests')
BRIEF = 'PINEFS_BRIEF' in os.environ    # it has been done at length elsewhere


def generate():
    """The client's modules, from proto/*.x."""
    os.makedirs(GENERATED, exist_ok=True)
    rpcgen = os.path.join(BUILD, 'pinefs-rpcgen')
    for name in ('mount', 'nfs2', 'nfs3', 'nfs4'):
        source = os.path.join(SOURCE, 'proto', name + '.x')
        target = os.path.join(GENERATED, name + '.py')
        if os.path.exists(target) and os.path.getmtime(target) > max(
                os.path.getmtime(source), os.path.getmtime(rpcgen)):
            continue
        text = subprocess.run([rpcgen, '--lang=python', source],
                              stdout=subprocess.PIPE, check=True).stdout
        handle, scratch = tempfile.mkstemp(dir=GENERATED)
        with os.fdopen(handle, 'wb') as f:
            f.write(text)
        os.rename(scratch, target)


generate()
for _path in (HERE, PACKAGE, GENERATED,
              os.path.join(SOURCE, 'tests', 'wire')):
    if _path not in sys.path:
        sys.path.append(_path)

import client       # noqa: E402
import pinefs       # noqa: E402
from client import DIR, LNK, REG, Failed       # noqa: E402,F401

# Whoever started us in the background had us ignore it, and all we start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

STATE = tempfile.mkdtemp(prefix='pinefs-test-')
_shared = {}
_numbers = itertools.count()


def once(test):
    """What it tests does not depend on the version of Python: the system's
    does it for all."""
    test.once = True
    return test


def serve(**options):
    options = dict({'port': 0, 'mount_port': 0, 'portmap': False,
                    'state_dir': STATE, 'threads': 1}, **options)
    return pinefs.serve(**options)


def mounted():
    """A client of the server that the tests of this process share."""
    if not _shared:
        _shared['server'] = serve()
        _shared['client'] = client.Client(_shared['server'].port)
    return _shared['client']


@contextlib.contextmanager
def own(**options):
    """A server of its own, and a client."""
    options.setdefault('state_dir', tempfile.mkdtemp(prefix='pinefs-test-'))
    with serve(**options) as server:
        with client.Client(server.port) as c:
            yield c


@contextlib.contextmanager
def module(**names):
    """(client, path, module): a new module in sys.modules with `names`."""
    name = 'served%d' % next(_numbers)
    m = types.ModuleType(name)
    m.__dict__.update(names)
    del names       # the test may count references
    sys.modules[name] = m
    try:
        yield mounted(), '/' + name, m
    finally:
        sys.modules.pop(name, None)


def status(call, *args, **more):
    """The error's name; None when there is none."""
    try:
        call(*args, **more)
    except Failed as error:
        return error.status
    return None


def soon(condition, seconds=20.0):
    """Wait until it is true."""
    import time
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError('not within %g s' % seconds)
        time.sleep(0.01)


def python(text, *args, **options):
    """Run a program that may import pinefs; (status, its output)."""
    options.setdefault('timeout', 100)
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(
        (PACKAGE, HERE, GENERATED)), PINEFS_BUILD=BUILD,
        PINEFS_SOURCE=SOURCE)
    done = subprocess.run([sys.executable, '-c', text] + list(args),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=env, **options)
    return done.returncode, done.stdout.decode('utf-8', 'replace')
