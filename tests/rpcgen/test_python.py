"""The Python backend: its output as text, and at work in every Python.

What the output must do stands in python/cases.py.
"""

import glob
import os
import re
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
PYTHON = os.path.join(HERE, 'python')

WANTED = ['3.8', '3.9', '3.10', '3.11', '3.12', '3.13']

with open(os.path.join(PYTHON, 'cases.py')) as f:
    CASES = re.findall(r'^def (test_\w+)', f.read(), re.M)


def interpreters():
    """One of each version: the system's, then those of pyenv."""
    found = {}
    for path in ['/usr/bin/python3'] + sorted(glob.glob(
            os.path.expanduser('~/.pyenv/versions/3.*/bin/python3'))):
        try:
            version = subprocess.check_output(
                [path, '-c', 'import sys; print("%d.%d" % '
                 'sys.version_info[:2])']).decode().strip()
        except (OSError, subprocess.CalledProcessError):
            continue
        found.setdefault(version, path)
    return found


INTERPRETERS = interpreters()


@pytest.fixture(scope='session')
def modules(rpcgen, tmp_path_factory):
    """A directory with what the compiler makes of odd.x and others."""
    path = tmp_path_factory.mktemp('modules')
    for out, source in ((path / 'odd.py', os.path.join(PYTHON, 'odd.x')),
                        (path / 'hide.py', os.path.join(PYTHON, 'hide.x')),
                        (path / 'portmap.py',
                         os.path.join(SOURCE, 'proto', 'portmap.x')),
                        (path / 'nfs3.py',
                         os.path.join(SOURCE, 'proto', 'nfs3.x'))):
        status, text, _ = rpcgen('--lang=python', source)
        assert status == 0
        out.write_text(text)
    (path / 'again').mkdir()
    status, _, _ = rpcgen('--lang=python', '-o', 'again/',
                          os.path.join(PYTHON, 'odd.x'), cwd=str(path))
    assert status == 0
    return str(path)


ran = {}


def results(version, modules):
    """What each case came to, by name."""
    if version not in ran:
        done = subprocess.run(
            [INTERPRETERS[version], '-W', 'error',
             os.path.join(PYTHON, 'cases.py')],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
            env=dict(os.environ, PYTHONDONTWRITEBYTECODE='1',
                     PYTHONPATH=os.pathsep.join([
                         os.path.join(SOURCE, 'python'), modules])))
        ran[version] = done.stdout.decode('utf-8', 'replace')
    return ran[version]


@pytest.mark.parametrize('version', WANTED)
@pytest.mark.parametrize('case', CASES)
def test_in_each_python(case, version, modules):
    if version not in INTERPRETERS:
        pytest.skip('there is no Python %s here' % version)
    text = results(version, modules)
    if not re.search(r'^ok \d+ - %s$' % case, text, re.M):
        pytest.fail(text, pytrace=False)


def test_the_output_for_odd_x_is_as_expected(rpcgen):
    """To accept another output: PINEFS_ACCEPT=1 in the environment."""
    status, text, messages = rpcgen('--lang=python', 'odd.x', cwd=PYTHON)
    assert status == 0
    assert messages.count('warning') == 1
    expected = os.path.join(PYTHON, 'odd.expect')
    if os.environ.get('PINEFS_ACCEPT'):
        with open(expected, 'w') as f:
            f.write(text)
    with open(expected) as f:
        assert text == f.read()


@pytest.mark.parametrize('name', ['mount', 'nfs2', 'nfs3', 'nfs4',
                                  'portmap', 'rpc'])
def test_output_for_our_own_protocols_compiles_and_is_not_wide(name, rpcgen):
    status, text, messages = rpcgen(
        '--lang=python', os.path.join(SOURCE, 'proto', name + '.x'))
    assert (status, messages) == (0, '')
    compile(text, name + '.py', 'exec')
    # Some names of version 4 leave no room for anything else.
    wide = [line for line in text.splitlines() if len(line) > 79]
    assert len(wide) <= (50 if name == 'nfs4' else 0)


@pytest.mark.parametrize('path', sorted(
    glob.glob(os.path.join(HERE, 'good', '*.x')) +
    glob.glob(os.path.join(HERE, 'protocols', '*.x')) +
    glob.glob(os.path.join(HERE, '*.x'))), ids=os.path.basename)
def test_output_for_everything_the_compiler_takes_can_be_imported(
        path, rpcgen, tmp_path):
    status, text, _ = rpcgen('--lang=python', path)
    assert status == 0
    (tmp_path / 'made.py').write_text(text)
    for python in (INTERPRETERS[v] for v in WANTED if v in INTERPRETERS):
        subprocess.run(
            [python, '-W', 'error', '-c', 'import made'], check=True,
            env=dict(os.environ, PYTHONDONTWRITEBYTECODE='1',
                     PYTHONPATH=os.pathsep.join([
                         os.path.join(SOURCE, 'python'), str(tmp_path)])))


def test_output_goes_to_standard_output_a_file_or_a_directory(
        rpcgen, tmp_path):
    source = os.path.join(PYTHON, 'odd.x')
    _, text, _ = rpcgen('--lang=python', source)
    assert rpcgen('--lang=python', '-o', str(tmp_path / 'a.py'),
                  source)[:2] == (0, '')
    assert rpcgen('--lang=python', '-o', str(tmp_path) + '/',
                  source)[:2] == (0, '')
    assert (tmp_path / 'a.py').read_text() == text
    assert (tmp_path / 'odd.py').read_text() == text


def test_called_as_rpcgen_py_it_writes_python(build, rpcgen, tmp_path):
    """The command of 2003: rpcgen.py FILE.x > out.py"""
    os.symlink(os.path.join(build, 'pinefs-rpcgen'), tmp_path / 'rpcgen.py')
    source = os.path.join(PYTHON, 'hide.x')
    text = subprocess.check_output(
        [str(tmp_path / 'rpcgen.py'), source],
        env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0')).decode()
    assert text == rpcgen('--lang=python', source)[1]


def test_strict_padding_is_checked_when_decoding(rpcgen, tmp_path):
    import sys
    sys.path.insert(0, os.path.join(SOURCE, 'python'))
    import rpchelp
    (tmp_path / 's.x').write_text(
        'struct s { opaque a[5]; string b<>; opaque c[6000]; int d; };'
        'typedef opaque t[5]; typedef string u<9>;'
        'struct v { t a; u b<>; };')
    _, text, _ = rpcgen('--lang=python', '--strict-pad',
                        str(tmp_path / 's.x'))
    m = {'__name__': 'strict'}
    exec(compile(text, 's.py', 'exec'), m)
    b = m['s'](b'12345', b'1', b'x' * 6000, 7).pack()
    assert m['s'].from_bytes(b).d == 7
    for i in (5, 7, 13, 15):
        bad = b[:i] + b'\1' + b[i + 1:]
        with pytest.raises(rpchelp.XdrError):
            m['s'].unpack(bad)
    b = m['v'](b'12345', [b'1']).pack()
    assert m['v'].from_bytes(b).b == [b'1']
    for i in (5, 17):
        with pytest.raises(rpchelp.XdrError):
            m['v'].unpack(b[:i] + b'\1' + b[i + 1:])


def test_an_open_enum_keeps_values_it_does_not_list(rpcgen, tmp_path):
    import sys
    sys.path.insert(0, os.path.join(SOURCE, 'python'))
    (tmp_path / 'o.x').write_text(
        'enum e { A = 1, B = 2 }; struct s { e one; e many<>; };'
        'union u switch (e d) { case A: int i; default: void; };')
    _, text, _ = rpcgen('--lang=python', '--open-enum', 'e',
                        str(tmp_path / 'o.x'))
    m = {'__name__': 'opened'}
    exec(compile(text, 'o.py', 'exec'), m)
    v = m['s'](7, [1, 8])
    assert m['s'].from_bytes(v.pack()) == v
    assert m['s'].from_bytes(v.pack()).many[0] is m['A']
    assert m['u'].from_bytes(m['u'](9).pack()).d == 9


def test_a_faulty_file_gives_messages_and_no_output(rpcgen, tmp_path):
    (tmp_path / 'bad.x').write_text('struct s { nothing n; };')
    status, text, messages = rpcgen('--lang=python', '-o',
                                    str(tmp_path / 'bad.py'),
                                    str(tmp_path / 'bad.x'))
    assert (status, text) == (1, '')
    assert "unknown type 'nothing'" in messages
    assert not (tmp_path / 'bad.py').exists()
