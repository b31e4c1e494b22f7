# SPDX-License-Identifier: MIT
"""The wheel, in an environment of its own, without this tree or a network;
the source distribution; what type checkers are told."""

import ast
import glob
import gzip
import inspect
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get('PINEFS_BUILD',
                                       os.path.join(SOURCE, 'build')))

USE = '''
import os, pinefs, sys, tempfile
assert 'site-packages' in pinefs.__file__, pinefs.__file__
with pinefs.serve(port=0, mount_port=0, portmap=False,
                  state_dir=tempfile.mkdtemp()) as server:
    assert server.port > 0
import rpchelp
print(pinefs.__version__)
'''


@pytest.fixture(scope='module')
def dist(tmp_path_factory):
    directory = str(tmp_path_factory.mktemp('dist'))
    subprocess.run([sys.executable, os.path.join(
        SOURCE, 'packaging', 'pinefs_build.py'), BUILD, directory],
        check=True)
    return directory


def only(pattern):
    found = glob.glob(pattern)
    assert len(found) == 1, found
    return found[0]


def pythons():
    yield sys.executable
    yield from sorted(glob.glob(os.path.expanduser(
        '~/.pyenv/versions/3.*/bin/python3')))


def environment(python, directory, wheel, env):
    """A venv's Python, with the wheel installed; None: this Python makes none,
    has no pip, or is too old.  pip is not copied into it, which takes longest:
    the Python's own installs into its directory of packages."""
    ready = subprocess.run(
        [python, '-c', 'import pip, sys, venv; '
         'sys.exit(sys.version_info < (3, 8))'],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    if ready.returncode != 0:
        return None
    if subprocess.run([python, '-m', 'venv', '--without-pip', directory],
                      stdout=subprocess.DEVNULL, env=env).returncode != 0:
        return None
    packages = only(os.path.join(directory, 'lib', 'python3*',
                                 'site-packages'))
    subprocess.run([python, '-m', 'pip', 'install', '-q', '--no-index',
                    '--no-deps', '--disable-pip-version-check', '--target',
                    packages, wheel], check=True, env=env, cwd='/')
    return os.path.join(directory, 'bin', 'python3')


def test_the_wheel_is_one_for_every_python_from_3_8_on(dist):
    wheel = only(os.path.join(dist, '*.whl'))
    assert '-cp38-abi3-linux_' in wheel
    with zipfile.ZipFile(wheel) as z:
        names = z.namelist()
        assert z.testzip() is None
        assert 'pinefs/py.typed' in names and 'rpchelp.py' in names
        binaries = [n for n in names if n.endswith('.so')]
        assert binaries == ['pinefs/_pinefs.abi3.so']


def test_the_wheel_installs_without_a_network(dist, tmp_path):
    wheel = only(os.path.join(dist, '*.whl'))
    tried = 0
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(('PINEFS', 'PYTHON', 'PIP'))}
    for n, python in enumerate(pythons()):
        here = environment(python, str(tmp_path / str(n)), wheel, env)
        if here is None:
            continue
        tried += 1
        done = subprocess.run([here, '-c', USE], check=True, env=env, cwd='/',
                              stdout=subprocess.PIPE)
        assert done.stdout.strip()
    if tried == 0:
        # No Python here makes environments: unpack it, as pip would.
        to = tmp_path / 'site-packages'
        with zipfile.ZipFile(wheel) as z:
            z.extractall(to)
        subprocess.run([sys.executable, '-c', USE], check=True, cwd='/',
                       env=dict(os.environ, PYTHONPATH=str(to)))


def test_the_source_distribution_has_what_a_build_needs(dist):
    with tarfile.open(only(os.path.join(dist, '*.tar.gz'))) as t:
        names = {n.split('/', 1)[1] for n in t.getnames()}
    for name in ('PKG-INFO', 'meson.build', 'pyproject.toml', 'LICENSE',
                 'packaging/pinefs_build.py', 'python/ops.c', 'proto/nfs3.x',
                 'include/pinefs.h', 'python/pinefs/__init__.py'):
        assert name in names, name
    assert not [n for n in names if n.startswith('build')]


@pytest.fixture(scope='module')
def unpacked(dist, tmp_path_factory):
    directory = str(tmp_path_factory.mktemp('unpacked'))
    umask = os.umask(0o077)     # which is not to be seen in what is made there
    with tarfile.open(only(os.path.join(dist, '*.tar.gz'))) as t:
        t.extractall(directory)
    os.umask(umask)
    return only(os.path.join(directory, 'pinefs-*'))


def test_the_source_distribution_is_of_the_same_bytes_wherever_it_is_made(
        dist, unpacked, tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', 'import sys; sys.path.insert(0, "packaging"); '
         'import pinefs_build; print(pinefs_build.sdist(sys.argv[1]))',
         str(tmp_path)], cwd=unpacked, check=True, stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE='1'))
    name = done.stdout.decode().strip()
    with open(os.path.join(dist, name), 'rb') as a, \
            open(os.path.join(str(tmp_path), name), 'rb') as b:
        assert a.read() == b.read()


@pytest.fixture(scope='module')
def clone(tmp_path_factory):
    """A small tree of git's, with the packaging of this one."""
    to = str(tmp_path_factory.mktemp('clone') / 'pinefs')
    if subprocess.run(['git', 'clone', '-q', '--shared', SOURCE, to],
                      stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip('this is no tree of git')
    for name in ('pinefs_build.py', 'deb'):
        shutil.copy(os.path.join(SOURCE, 'packaging', name),
                    os.path.join(to, 'packaging', name))
    subprocess.run(['git', '-C', to, 'rm', '-rqf', 'bench', 'docs', 'fuzz',
                    'src', 'tests'], check=True)
    subprocess.run(['git', '-C', to, '-c', 'user.name=x', '-c',
                    'user.email=x@localhost', 'commit', '-q', '-a',
                    '--allow-empty', '-m', 'x'], check=True)
    return to


# Instead of Debian's tool: the package it would make.
BUILDS_NOTHING = '''#!/bin/sh
: >../pinefs_1_amd64.deb
: >../pinefs_1_amd64.changes
'''


def test_packages_are_made_of_what_is_in_git_and_replace_only_packages(
        clone, tmp_path):
    """`make dist` and `make deb`."""
    to = tmp_path / 'to'
    for path in (to, tmp_path / 'bin'):
        path.mkdir()
    for name, text in (('dpkg-buildpackage', BUILDS_NOTHING),
                       ('lintian', '#!/bin/sh\n')):
        (tmp_path / 'bin' / name).write_text(text)
        (tmp_path / 'bin' / name).chmod(0o755)
    for name in ('a letter', 'pinefs_notes.txt', 'pinefs_0.1.dsc',
                 'libpinefs1_0.1_amd64.deb'):
        (to / name).write_text('')
    with open(os.path.join(clone, 'key.pem'), 'w') as f:
        f.write('of nobody else')
    subprocess.run([os.path.join(clone, 'packaging', 'deb'), str(to)],
                   check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, PATH='%s:%s' % (
                       tmp_path / 'bin', os.environ['PATH'])))
    names = {path.name for path in to.iterdir()}
    source = names - {'a letter', 'pinefs_notes.txt', 'pinefs_1_amd64.deb',
                      'pinefs_1_amd64.changes'}
    assert len(names) == 5 and len(source) == 1, names
    with tarfile.open(str(to / source.pop())) as t:
        inside = t.getnames()
    assert not [x for x in inside if x.endswith('key.pem')]
    assert [x for x in inside if x.endswith('/meson.build')]


def test_no_distribution_is_made_of_changes_that_are_not_committed(
        clone, tmp_path):
    with open(os.path.join(clone, 'README.md'), 'a') as f:
        f.write('changed\n')
    done = subprocess.run([os.path.join(clone, 'packaging',
                                        'pinefs_build.py'),
                           '--dist', str(tmp_path)], stderr=subprocess.PIPE)
    assert done.returncode == 1 and b'README.md' in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_header_of_gzip_is_the_same_by_every_python(dist):
    with open(only(os.path.join(dist, '*.tar.gz')), 'rb') as f:
        assert f.read(10) == bytes.fromhex('1f8b0800000000') + b'\0\x02\xff'
        f.seek(0)
        gzip.decompress(f.read())       # its length and checksum are right


@pytest.mark.skipif('PINEFS_LONG' not in os.environ,
                    reason='builds all of it: make test-long')
def test_pip_installs_the_source_distribution_without_a_network(
        dist, tmp_path):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(('PINEFS', 'PYTHON', 'PIP'))}
    here = environment(sys.executable, str(tmp_path / 'venv'),
                       only(os.path.join(dist, '*.tar.gz')), env)
    if here is None:
        pytest.skip('%s makes no environments with pip' % sys.executable)
    subprocess.run([here, '-c', USE], check=True, env=env, cwd='/')


def of_stub(f):
    """[(name, kind, has it a default)] of a function of the stub."""
    kind = inspect.Parameter
    given = [(a.arg, kind.POSITIONAL_OR_KEYWORD) for a in f.args.args]
    defaults = len(f.args.defaults)
    rows = [(name, k, i >= len(given) - defaults)
            for i, (name, k) in enumerate(given)]
    if f.args.vararg:
        rows.append((f.args.vararg.arg, kind.VAR_POSITIONAL, False))
    return rows + [(a.arg, kind.KEYWORD_ONLY, d is not None) for a, d in zip(
        f.args.kwonlyargs, f.args.kw_defaults)]


def of_real(f):
    return [(p.name, p.kind, p.default is not p.empty)
            for p in inspect.signature(f).parameters.values()
            if not p.name.startswith('_')]


def is_told(name):
    """Whether a stub has it."""
    return not name.startswith('_') or name in ('__enter__', '__exit__')


def check_class(real, node):
    members = {n.name: n for n in node.body
               if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
    values = {n.target.id for n in node.body if isinstance(n, ast.AnnAssign)}
    there = {n for n in vars(real) if is_told(n)}
    assert there <= set(members) | values, (real, there)
    # Of what the stub has, the object has all; what is in its __init__, too.
    for name in set(members) | values:
        assert name in there or name in inspect.getsource(real), (real, name)
    for name, member in members.items():
        found = vars(real).get(name)
        if inspect.isfunction(found) and name != '__exit__':
            assert of_stub(member) == of_real(found), (real, name)


def test_the_stub_says_what_the_package_has():
    sys.path.insert(0, os.path.join(BUILD, 'python'))
    import pinefs
    sys.path.pop(0)
    with open(os.path.join(SOURCE, 'python', 'pinefs', '__init__.pyi')) as f:
        stub = ast.parse(f.read())
    told = {}
    for node in stub.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            told[node.name] = node
        if isinstance(node, ast.AnnAssign):
            told[node.target.id] = node
    assert set(told) >= set(pinefs.__all__)
    for name, node in told.items():
        real = getattr(pinefs, name)        # nothing is made up
        if isinstance(node, ast.ClassDef):
            check_class(real, node)
        if isinstance(node, ast.FunctionDef):
            assert of_stub(node) == of_real(real), name


def test_every_file_of_the_package_is_in_the_wheel(dist):
    with zipfile.ZipFile(only(os.path.join(dist, '*.whl'))) as z:
        names = set(z.namelist())
    for name in os.listdir(os.path.join(SOURCE, 'python', 'pinefs')):
        if name.endswith(('.py', '.pyi', '.typed')):
            assert 'pinefs/' + name in names, name
