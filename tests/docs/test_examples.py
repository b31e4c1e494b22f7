"""Every example of README and of the manual pages is run.

A block of commands in one of them needs a row below, which says how: `serves`
(the command serves, and ends well), `does` (a script in which the line @ is the
example), the same in a kernel with an NFS client (`guest`: all in one boot of
User-Mode Linux), or `elsewhere`, a test of another suite.  An example
without a row fails, and so does a row without an example.  What cannot be run
is `skipped`, with a reason, and there are at most MOST_SKIPPED of those.
"""

import glob
import os
import re
import signal
import subprocess
import time

import pytest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("PINEFS_BUILD",
                                       os.path.join(SOURCE, "build")))
UMLRUN = os.path.join(SOURCE, "tests", "kernel", "umlrun")
PATIENCE = 60           # seconds until a server serves, on a busy machine

MOST_SKIPPED = 2


# --------------------------------------------------------------- the rows --

ROWS = {}               # (file, first line): (how, argument)


def row(file, first, how, argument=None):
    assert (file, first) not in ROWS
    ROWS[file, first] = how, argument


README, PINEFS = "README.md", "docs/man/pinefs.1.scd"
PYFS, TARFS = "docs/man/pinefs-pyfs.7.scd", "docs/man/pinefs-tarfs.7.scd"
PROTOCOLS = "docs/man/pinefs-protocols.7.scd"
EXPORTS = "docs/man/pinefs-exports.5.scd"

# What stands before it: a server, and that it is there.
SERVED = r"""
served() {
	"$@" <&0 2>said &
	server=$!
	until (exec 3<>/dev/tcp/127.0.0.1/2049) 2>/dev/null; do
		kill -0 $server
		sleep 0.1
	done
}
ended() {
	umount /mnt
	kill $server
	wait $server
}
"""

row(README, "make run            # your Python prompt, and everything in it as "
    "files", "does", r"""
make() {
	case $1 in
	run) (cd "$SOURCE" && exec make B="$BUILD" run) </dev/null 2>said &
	    maker=$!
	    until grep -q '^mount it' said; do kill -0 $maker; sleep 0.1; done
	    pkill -TERM -P $maker
	    wait $maker || true;;
	*) command make -n -C "$SOURCE" "$@";;
	esac
}
@
""")
row(README, "sudo mount -t nfs 127.0.0.1:/ /mnt", "guest", SERVED + r"""
echo 'answer = 42' >typed
served pinefs <typed
@
test -d /mnt/__main__
ended
""")
row(README, "cat /mnt/__main__/answer                 # 42", "guest",
    SERVED + r"""
echo 'answer = 42' >typed
served pinefs <typed
mount -t nfs 127.0.0.1:/ /mnt
until test -e /mnt/__main__/answer; do sleep 0.1; done
sed -n '/trace_rpc/!p' example >quiet; sed -n '/trace_rpc/p' example >traced
. ./quiet >shown
test "$(head -1 shown)" = 42 && test "$(cat /mnt/__main__/answer)" = 43
grep -qx sys shown && grep -q __doc__ shown
before=$(wc -l <said)
. ./traced
after=$(wc -l <said)
test $after -gt $before
cat /mnt/__main__/__name__
test $(wc -l <said) = $after
ended
""")
MOUNTS = r"""
example=$PWD/example
cd "$(mktemp -d)"
# One that stays, until it is told to end; the line is $1.
stays() {
	bash -c "exec $1" &
	stays=$!
	until mountpoint -q "$2"; do kill -0 $stays; sleep 0.1; done
}
ends() {
	kill $stays
	wait $stays
	for mount; do mountpoint -q "$mount" && exit 1; done
	true
}
mkdir -p linux/lib
echo 'EXPORT_SYMBOL(x);' >linux/lib/x.c
tar cJf linux.tar.xz linux
"""
row(README, "pinefs mount mem: DIR                    # or tar:FILE, dir:PATH, "
    "py:SCRIPT, or just a path", "guest", MOUNTS + r"""
mkdir DIR
stays "$(head -1 "$example" | sed 's/#.*//')" DIR
touch DIR/file
ends DIR
sed -n 2p "$example" >line; . ./line
test -f DIR/linux/lib/x.c
sed -n 3p "$example" >line; . ./line >listed
grep -q DIR listed
mountpoint -q DIR && exit 1
true
""")
row(README, "make run ARGS='-f mem'", "does", r"""
make() (cd "$SOURCE" && exec make B="$BUILD" "$@")
@ 2>said &
maker=$!
until grep -q '^mount it' said; do kill -0 $maker; sleep 0.1; done
kill $(pgrep -f "^$BUILD/pinefs -f mem\$" -s 0)
wait $maker
""")
row(README, "build/pinefs -f py:python -f mem:scratch", "serves")
row(README, "build/pinefs -f tar linux.tar.xz", "serves",
    "mkdir linux; echo hi >linux/README; tar cJf linux.tar.xz linux")
row(README, "build/pinefs -f dir ~/files", "serves", "mkdir ~/files")
row(README, "make install PREFIX=$HOME/pinefs", "does", r"""
make() {	# where the prefix is another than that of this build
	test "$2" = "PREFIX=$HOME/pinefs"
	meson install -C "$BUILD" --no-rebuild --quiet --destdir "$HOME/pinefs"
	export PKG_CONFIG_SYSROOT_DIR=$HOME/pinefs
}
cp "$SOURCE/examples/hello.c" .
sed '$d' example >build; sed -n '$p' example >start
. ./build
. ./start 2>said &
until grep -q '^mount it' said; do kill -0 $!; sleep 0.1; done
kill $(pgrep -s 0 hello)
wait $!
""")
row(README, "make deb", "elsewhere",
    ("tests/install/test_deb.py", "make deb"))
row(PINEFS, "pinefs -f tar --root /srv/archives", "guest", SERVED + r"""
mkdir -p /srv/archives top
echo hi >top/file
tar cf /srv/archives/x.tar top
served $(head -1 example)
sed -n 2p example >mount
. ./mount
test "$(cat /mnt/top/file)" = hi
ended
""")
row(PINEFS, "pinefs: serving mem on 127.0.0.1:2049 (NFS 2 3 4.0 4.1 4.2)",
    "guest", SERVED + r"""
served pinefs -f mem --no-portmap
until grep -q macOS said; do sleep 0.1; done
head -n 3 said | cmp - example		# it may speak of clients after that
kill $server
wait $server
""")
row(PINEFS, "pinefs completion bash >~/.local/share/bash-completion/completions"
    "/pinefs", "does", r"""
mkdir -p ~/.local/share/bash-completion/completions ~/.zsh \
    ~/.config/fish/completions
@
bash -n ~/.local/share/bash-completion/completions/pinefs
grep -q compdef ~/.zsh/_pinefs
grep -q 'complete' ~/.config/fish/completions/pinefs.fish
""")
row(PINEFS, "systemctl edit pinefs@linux", "skipped",
    "no service manager in a test; tests/cli/test_systemd.py plays one")
row(PINEFS, "pinefs -f mem -t --port 0", "serves")
row(PINEFS, "pinefs -f mem:scratch --size 1G -f mem:frozen -o ro -f py "
    "program.py --its-option", "serves",
    "echo 'import signal; signal.pause()' >program.py")
row(PINEFS, "pinefs -f py --no-loop program.py --its-option", "serves",
    "echo 'import sys; assert sys.argv[1] == \"--its-option\"' >program.py")
MOUNT = "docs/man/pinefs-mount.1.scd"
row(MOUNT, "mkdir -p /tmp/scratch", "guest", MOUNTS + r"""
head -1 "$example" >line; . ./line
stays "$(tail -1 "$example")" /tmp/scratch
touch /tmp/scratch/file
ends /tmp/scratch
""")
row(MOUNT, "mkdir -p /tmp/linux", "guest", MOUNTS + r"""
. "$example" >found
grep -q '^/tmp/linux/linux/lib/x.c:EXPORT' found
mountpoint -q /tmp/linux && exit 1
true
""")
row(MOUNT, "pinefs mount program.py /mnt -- --its-option", "guest",
    MOUNTS + r"""
cat >program.py <<'P'
import os, sys, time
assert sys.argv[1:] == ['--its-option']
while not os.path.exists('/tmp/done'):
    time.sleep(0.1)
P
stays "$(cat "$example")" /mnt
test -d /mnt/__main__
touch /tmp/done
wait $stays
mountpoint -q /mnt && exit 1
true
""")
row("docs/man/pinefs-rpcgen.1.scd", "pinefs-rpcgen -o gen/ pingpong.x", "does",
    r"""
cp "$SOURCE/examples/pingpong/pingpong.x" .
mkdir gen
@
ls gen/pingpong.h gen/pingpong_xdr.c gen/pingpong_svc.c gen/pingpong_clnt.c
""")
row(PROTOCOLS, "mount -t nfs 127.0.0.1:/ /mnt", "guest", SERVED + r"""
served pinefs -f mem --no-portmap
while read line; do
	echo "$line" >one
	. ./one
	nfsstat=$(grep ' /mnt ' /proc/mounts)
	echo "$nfsstat" >>versions
	umount /mnt
done <example
grep -q 'vers=4.2' versions && grep -q 'vers=3' versions
kill $server
wait $server
""")
row(EXPORTS, "# the office reads and writes, its printers read", "guest",
    SERVED + r"""
mount -t tmpfs none /srv	# the guest's root is layers of several
mkdir -p /srv/files "/srv/to do"
echo hi >"/srv/to do/today"
echo 10.1.2.3 office.example >>/etc/hosts
served pinefs --exports example
mount -t nfs "127.0.0.1:/srv/to do" /mnt
test "$(cat /mnt/today)" = hi
ended
""")
row(EXPORTS, "/srv/files  10.0.0.0/8(rw)", "guest", r"""
mkdir -p /srv/files
echo 10.0.0.3 backup.example >>/etc/hosts
pinefs --exports example 2>said &
until grep -q '^mount it' said; do kill -0 $!; sleep 0.1; done
kill $!
wait $!
""")
row(EXPORTS, "pinefs --exports /etc/pinefs.exports --addr 10.0.0.1", "guest",
    r"""
mount -t tmpfs none /srv
mkdir -p /srv/files
ip addr add 10.0.0.1/32 dev lo
echo '/srv/files 10.0.0.0/8(ro)' >/etc/pinefs.exports
$(head -1 example) 2>said &
server=$!
until grep -q '^mount it' said; do kill -0 $server; sleep 0.1; done
mount -t nfs 10.0.0.1:/srv/files /mnt
! touch /mnt/f
umount /mnt		# a client believes for long what it was told
echo '/srv/files 10.0.0.0/8(rw,no_root_squash)' >/etc/pinefs.exports
sed -n "2s/4711/$server/p" example >again
. ./again
until grep -q 'read again' said; do kill -0 $server; sleep 0.1; done
mount -t nfs 10.0.0.1:/srv/files /mnt
touch /mnt/f
umount /mnt
kill $server
wait $server
""")
row(PYFS, "echo 10 >/mnt/logging/root/level", "guest", SERVED + r"""
cat >program.py <<'P'
import logging, sys, types
for name in 'shop', 'app':
    sys.modules[name] = types.ModuleType(name)
class Cart:
    total = 3
sys.modules['shop'].Cart = Cart
P
touch /tmp/since
served pinefs -f py --no-loop --no-portmap program.py
mount -t nfs 127.0.0.1:/ /mnt
vim() { test "$(cat "$1")" = 3; echo 4 >"$1"; }
@ >shown
test "$(cat /mnt/logging/root/level)" = 10
test "$(cat /mnt/shop/Cart/total)" = 4
grep -q stack shown && grep -q '^/mnt/app' shown
ended
""")
row("docs/man/pinefs-security.7.scd", "systemctl start pinefs@mem", "skipped",
    "no service manager in a test; tests/cli/test_systemd.py plays one")
for line in ("pinefs -f tar --root /srv/archives &", "cd /mnt/demo-1.0",
             "mkdir -p /media/src", "umount /media/src /mnt"):
    row(TARFS, line, "elsewhere",
        ("tests/kernel/tar-tests", "the examples of pinefs-tarfs(7)"))


# --------------------------------------------------------------- examples --

def blocks(path):
    """The blocks of commands in a file: fenced, and in README indented."""
    with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
        text = f.read()
    for language, block in re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", text):
        if language in ("", "sh"):
            yield block
    if path.endswith(".md"):
        text = re.sub(r"(?ms)^```.*?^```$", "", text)
        for block in re.findall(r"(?m)((?:^    .+\n)+)", text):
            yield re.sub("(?m)^    ", "", block)


def examples():
    pages = sorted(os.path.relpath(p, SOURCE) for p in
                   glob.glob(os.path.join(SOURCE, "docs", "man", "*.scd")))
    for path in ["README.md", *pages]:
        for block in blocks(path):
            yield path, block.split("\n")[0], block


EXAMPLES = list(examples())


def test_each_row_is_of_an_example():
    there = {(path, first) for path, first, _ in EXAMPLES}
    assert not set(ROWS) - there


def test_few_are_skipped():
    skipped = [key for key, (how, _) in ROWS.items() if how == "skipped"]
    assert len(skipped) <= MOST_SKIPPED


# ---------------------------------------------------------------- running --

def bash(script):
    return ["bash", "-euo", "pipefail", "-c", script]


def environment(tmp):
    """On free ports, with nothing of the user's."""
    home = os.path.join(tmp, "home")
    os.makedirs(home, exist_ok=True)
    return dict(
        os.environ, PATH=BUILD + ":" + os.environ["PATH"], HOME=home,
        PINEFS_PORT="0", PINEFS_MOUNT_PORT="0", PINEFS_NO_PORTMAP="yes",
        PINEFS_STATE_DIR=os.path.join(tmp, "state"), XDG_RUNTIME_DIR=home,
        PINEFS_PYTHON="/usr/bin/python3", SOURCE=SOURCE, BUILD=BUILD)


def place(tmp, block):
    """A directory to run it in: ./example is it, ./build this build."""
    here = os.path.join(tmp, "here")
    os.makedirs(here)
    with open(os.path.join(here, "example"), "w", encoding="utf-8") as f:
        f.write(block)
    return here


def run_serves(tmp, block, before):
    here = place(tmp, block)
    os.symlink(BUILD, os.path.join(here, "build"))
    env = environment(tmp)
    if before:
        subprocess.run(bash(before), cwd=here, env=env, check=True)
    said = os.path.join(tmp, "said")
    with open(said, "wb") as err:
        server = subprocess.Popen(bash("exec " + block), cwd=here, env=env,
                                  stdin=subprocess.DEVNULL, stderr=err)
    until = time.monotonic() + PATIENCE
    try:
        while "mount it:" not in open(said).read():
            assert server.poll() is None, open(said).read()
            assert time.monotonic() < until, open(said).read()
            time.sleep(0.05)
        # With a program of its own it ends as that does.
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) in (0, -signal.SIGTERM)
    finally:
        server.kill()
        server.wait()


def run_does(tmp, block, script):
    done = subprocess.Popen(
        bash("set -x; " + script.replace("\n@", "\n. ./example")),
        cwd=place(tmp, block), env=environment(tmp), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True)
    try:
        out = done.communicate(timeout=2 * PATIENCE)[0]
    except subprocess.TimeoutExpired:
        os.killpg(done.pid, signal.SIGKILL)
        out = done.communicate()[0]
        raise AssertionError(out.decode()) from None
    assert done.returncode == 0, out.decode()


GUEST = r"""
set -u
mkdir -p /tmp/shims
printf '#!/bin/sh\nexec "$@"\n' >/tmp/shims/sudo
chmod +x /tmp/shims/sudo
export PATH=/tmp/shims:$BUILD:$PATH HOME=/tmp
for dir in "$1"/*/; do
	cd "$dir"
	timeout -k 5 60 unshare --net --mount --propagation private bash -c '
		ip link set lo up
		exec bash -euxo pipefail ./script' >log 2>&1 </dev/null
	echo $? >status
done
"""


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    """Runs all of the guest's examples; {(file, first line): directory}."""
    if subprocess.run([UMLRUN, "--check"], stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("User-Mode Linux cannot run here")
    top = str(tmp_path_factory.mktemp("guest"))
    wanted = {}
    for path, first, block in EXAMPLES:
        how, script = ROWS.get((path, first), (None, None))
        if how != "guest":
            continue
        directory = os.path.join(top, "%02d" % len(wanted))
        os.mkdir(directory)
        wanted[path, first] = directory
        with open(os.path.join(directory, "example"), "w",
                  encoding="utf-8") as f:
            f.write(block)
        with open(os.path.join(directory, "script"), "w",
                  encoding="utf-8") as f:
            f.write(script.replace("\n@", "\n. ./example"))
    subprocess.run([UMLRUN, "-t", "300", "-o", top, "-e", "BUILD=" + BUILD,
                    "-e", "PINEFS_PYTHON=/usr/bin/python3", "--", "bash", "-c",
                    GUEST, "guest", top], check=False)
    return wanted


def run_guest(wanted, path, first):
    directory = wanted[path, first]
    log = os.path.join(directory, "log")
    status = os.path.join(directory, "status")
    text = open(log, errors="replace").read() if os.path.exists(log) else ""
    assert os.path.exists(status), "the guest did not come to it\n" + text
    assert open(status).read().strip() == "0", text


@pytest.mark.parametrize(
    "path, first, block", EXAMPLES,
    ids=["%s: %s" % (os.path.basename(p), f[:40]) for p, f, _ in EXAMPLES])
def test_the_example_does_what_it_says(request, tmp_path, path, first, block):
    assert (path, first) in ROWS, \
        "no row in tests/docs/test_examples.py says how to run this"
    how, argument = ROWS[path, first]
    if how == "serves":
        run_serves(str(tmp_path), block, argument)
    elif how == "does":
        run_does(str(tmp_path), block, argument)
    elif how == "guest":
        run_guest(request.getfixturevalue("guest"), path, first)
    elif how == "elsewhere":
        with open(os.path.join(SOURCE, argument[0]), encoding="utf-8") as f:
            text = f.read()
        assert argument[1] in text
    else:
        pytest.skip(argument)
