# SPDX-License-Identifier: MIT
"""The packages of Debian, built by packaging/deb (`make deb`), and installed,
used and removed in a new system by debootstrap.

Minutes, root and Debian's mirror: with PINEFS_LONG only (`make test-deb`).
That every file is of one package is tested always, from what Meson installs.
PINEFS_DEBS is a directory of packages that are built already.
"""

import contextlib
import fnmatch
import glob
import os
import re
import shutil
import subprocess

import pytest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get('PINEFS_BUILD',
                                       os.path.join(SOURCE, 'build')))
DEBIAN = os.path.join(SOURCE, 'packaging', 'debian')
PACKAGES = 'pinefs', 'libpinefs1', 'libpinefs-dev', 'python3-pinefs', \
    'pinefs-rpcgen'


# ------------------------------------------------------------- the lists --

def listed(package):
    with open(os.path.join(DEBIAN, package + '.install')) as f:
        return f.read().split()


def left_out():
    """What rules has dh_install leave out of the program's package."""
    with open(os.path.join(DEBIAN, 'rules')) as f:
        return re.findall(r' -X(\S+)', f.read())


def is_of(path, package):
    if package == 'pinefs' and any(x in path for x in left_out()):
        return False
    return any(fnmatch.fnmatch(path, p) or fnmatch.fnmatch(path, p + '/*')
               for p in listed(package))


def installed(to):
    """What Meson installs, as it would be in a package: usr/bin/pinefs."""
    subprocess.run(['/usr/bin/meson', 'install', '-C', BUILD, '--no-rebuild',
                    '--quiet', '--destdir', to], check=True)
    prefix = os.path.dirname(os.path.dirname(
        glob.glob(to + '/**/bin/pinefs', recursive=True)[0]))
    for at, _, names in os.walk(prefix):
        for name in names:
            path = 'usr/' + os.path.relpath(os.path.join(at, name), prefix)
            # The unit's place is an option, which rules sets.
            yield path.replace('usr/lib/systemd', 'lib/systemd')


def test_every_file_is_of_exactly_one_package(tmp_path):
    files = list(installed(str(tmp_path)))
    assert len(files) > 20
    for path in files:
        owners = [p for p in PACKAGES if is_of(path, p)]
        assert len(owners) == 1, (path, owners)
    for package in PACKAGES:
        assert any(is_of(path, package) for path in files), package


# ------------------------------------------------------------ a new system --

def system_id():
    with open('/etc/os-release') as f:
        return dict(re.findall(r'(?m)^(\w+)="?([^"\n]*)"?$', f.read()))


def mirror():
    """(release, URI) where this system has its packages from."""
    release = system_id()['VERSION_CODENAME']
    done = subprocess.run(
        ['apt-get', 'indextargets', '--format', '$(RELEASE) $(REPO_URI)',
         'Created-By: Packages', 'Identifier: Packages'],
        stdout=subprocess.PIPE, check=True)
    for line in done.stdout.decode().splitlines():
        if line.startswith(release + ' '):
            return line.split()
    return pytest.skip('apt has no mirror of ' + release)


@pytest.fixture(scope='module')
def debs(tmp_path_factory):
    there = os.environ.get('PINEFS_DEBS')
    if there:
        return there
    to = str(tmp_path_factory.mktemp('debs'))
    subprocess.run([os.path.join(SOURCE, 'packaging', 'deb'), to], check=True)
    return to


class Root:
    """A new system in a directory."""

    def __init__(self, path):
        self.path = path

    def run(self, script, user=None):
        command = ['chroot', *(['--userspec', user] if user else []),
                   self.path, '/bin/sh', '-euc', script]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={
                'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root',
                'LC_ALL': 'C.UTF-8', 'DEBIAN_FRONTEND': 'noninteractive'})
        assert done.returncode == 0, done.stdout.decode()
        return done.stdout.decode()

    def files(self):
        """All there are, but for what apt and dpkg note of themselves."""
        noted = re.compile(r'^/(proc|dev|tmp|debs|var/(lib|cache|log)/'
                           r'(apt|dpkg|debconf|man|ldconfig|systemd)|'
                           r'var/log|etc/ld.so.cache|etc/apt|root)(/|$)')
        return {p for p in self.run('find / -xdev').splitlines()
                if not noted.match(p)}


@contextlib.contextmanager
def mounted(path, *what):
    subprocess.run(['mount', *what, path], check=True)
    try:
        yield
    finally:
        subprocess.run(['umount', '-l', path], check=True)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    path = str(tmp_path_factory.mktemp('root'))
    os.chmod(path, 0o755)
    release, uri = mirror()
    subprocess.run(['debootstrap', '--variant=minbase', release, path, uri],
                   check=True)
    shutil.copy('/etc/resolv.conf', path + '/etc/resolv.conf')
    for conf in glob.glob('/etc/apt/apt.conf.d/*proxy*'):
        shutil.copy(conf, path + '/etc/apt/apt.conf.d/')
    with mounted(path + '/proc', '-t', 'proc', 'proc'):
        yield Root(path)
    shutil.rmtree(path, ignore_errors=True)


SERVE = r'''
mkfifo /tmp/ready
pinefs %s --port 0 --mount-port 0 --no-portmap --ready-fd 3 \
    3>/tmp/ready 2>/tmp/said &
pid=$!
head -c 1 /tmp/ready >/dev/null
port=$(sed -n 's/.*serving .*:\([0-9]*\) .*/\1/p' /tmp/said)
python3 - $port <<'P'
import socket, sys
call = b"".join(n.to_bytes(4, "big") for n in
                (77, 0, 2, 100003, 3, 0, 0, 0, 0, 0))
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30) as s:
    s.sendall((0x80000000 | len(call)).to_bytes(4, "big") + call)
    assert s.recv(100)[4:8] == call[:4]
P
kill $pid
wait $pid
rm -r /tmp/ready /tmp/said
'''

BUILD_HELLO = r'''
cd /tmp
cc -std=c17 -Wall -Wextra -Werror -o hello /debs/hello.c \
    $(pkg-config --cflags --libs pinefs)
./hello --version
cc -o hello-static /debs/hello.c $(pkg-config --cflags pinefs) \
    -l:libpinefs.a -pthread
./hello-static --help | grep -q usage
rm hello hello-static
'''

RPCGEN = r'''
mkdir /tmp/gen; cd /tmp/gen
echo 'program T { version V { int F(string) = 1; } = 1; } = 0x20000001;' >t.x
pinefs-rpcgen t.x
for c in *.c; do cc -std=c17 -Wall -Wextra -Werror -c $c \
    $(pkg-config --cflags pinefs); done
pinefs-rpcgen --lang=python t.x >t.py
python3 -c 'import t'
rm -r /tmp/gen
'''

PYTHON = r'''
cd /; python3 -c '
import pinefs, rpchelp, rpc, tempfile
with pinefs.serve(port=0, mount_port=0, portmap=False,
                  state_dir=tempfile.mkdtemp()) as server:
    assert server.port > 0'
'''

MAN = r'''
for page in pinefs pinefs-rpcgen pinefs-pyfs pinefs-tarfs pinefs.h \
    pinefs-protocols pinefs-security; do
    man -w $page
    man $page | grep -q NAME
done
'''


@pytest.mark.skipif('PINEFS_LONG' not in os.environ,
                    reason='minutes: make test-deb')
@pytest.mark.skipif(os.geteuid() != 0, reason='debootstrap wants root')
@pytest.mark.skipif(not shutil.which('debootstrap') or
                    not shutil.which('dpkg-buildpackage'),
                    reason='no debootstrap or dpkg-buildpackage here')
def test_the_packages_install_work_and_are_removed_without_a_trace(debs, root):
    found = glob.glob(debs + '/*.deb')
    names = sorted(os.path.basename(p).split('_')[0] for p in found)
    assert set(names) >= set(PACKAGES), names
    root.run('apt-get -q update; apt-get -qy --no-install-recommends install '
             'gcc libc6-dev pkgconf man-db python3')
    # minbase leaves out manual pages.
    before = root.files()
    os.mkdir(root.path + '/debs')
    shutil.copy(os.path.join(SOURCE, 'examples', 'hello.c'),
                root.path + '/debs')
    for path in found:
        if '-dbgsym' not in path:
            shutil.copy(path, root.path + '/debs')
    root.run('apt-get -qy --no-install-recommends install /debs/*.deb')
    root.run(SERVE % '-f mem')
    root.run(SERVE % '-f py --no-loop')
    for script in BUILD_HELLO, RPCGEN, PYTHON, MAN:
        root.run(script)
    root.run('apt-get -qy purge ' + ' '.join(PACKAGES))
    root.run('apt-get -qy autoremove --purge')
    left = root.files() - before
    assert not [p for p in left if 'pinefs' in p], left
    assert not left, left
