"""`pinefs mount`, `umount`, `ls` and `stop`, as far as no kernel's NFS client
is needed: what they say, and that nothing is left.  The rest is the boot
`mount` of tests/kernel/run."""

import json
import os
import re
import signal
import subprocess
import tarfile
import time

import pytest

from test_cli import PINEFS, QUIET, Running, lines

pytestmark = pytest.mark.skipif(not os.path.exists(PINEFS),
                                reason="pinefs is not built")

HAS_NFS = "nfs" in open("/proc/filesystems").read()
IS_ROOT = os.geteuid() == 0
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
NO_ADMIN = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps",
            "-sys_admin"]


@pytest.fixture(autouse=True)
def run_directory(tmp_path, monkeypatch):
    """One of our own, in which nothing may be left."""
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    monkeypatch.setenv("PINEFS_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "mnt").mkdir()
    yield run
    assert [p for p in run.rglob("*") if not p.is_dir()] == []


def pinefs(*args, within=(), cwd=None):
    done = subprocess.run([*within, os.path.abspath(PINEFS), *map(str, args)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, cwd=cwd,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def says_what_to_do(err):
    """Each pair of lines: what happened, and what to try."""
    assert re.search(r"(?m)^try: \S", err), err
    for line in lines(err):
        assert line.startswith(("pinefs: ", "try: ")), err


@pytest.mark.parametrize("args, status, what", [
    ([], 64, "mount what, and where?"),
    (["mem:"], 64, "mount what, and where?"),
    (["mem:", "no/such/dir"], 66, "no/such/dir: No such file or directory"),
    (["mem:", "file"], 66, "file: Not a directory"),
    (["nothing", "mnt"], 66, "nothing: No such file or directory"),
    (["tar:nothing", "mnt"], 66, "nothing: No such file or directory"),
    (["file", "mnt"], 65, "neither a directory, an archive nor a Python"),
    (["nfs://", "mnt"], 64, "not a server and a path"),
    (["nfs://host:0/x", "mnt"], 64, "not a server and a path"),
    (["nfs://host:99999/x", "mnt"], 64, "not a server and a path"),
    (["nfs://[::1/x", "mnt"], 64, "not a server and a path"),
    (["nfs://no.such.host.invalid/x", "mnt"], 69, "no.such.host.invalid: "),
    (["py:1", "mnt"], 69, "process 1 serves nothing that is yours"),
    (["nfs://127.0.0.1/x", "mnt", "--size", "1M"], 64,
     "'--size' is for a server that is started here"),
    (["mem:", "mnt", "one"], 64, "only a script has arguments"),
    (["py:", "mnt", "-d"], 64, "cannot be in the background"),
], ids=lambda a: " ".join(a) if isinstance(a, list) else None)
def test_what_cannot_be_mounted_is_said_with_what_to_do(tmp_path, args, status,
                                                        what):
    (tmp_path / "file").write_bytes(b"\0" * 2000)
    is_, out, err = pinefs("mount", *args, cwd=tmp_path)
    assert (is_, out) == (status, ""), err
    assert what in err, err
    says_what_to_do(err)


@pytest.mark.parametrize("args, word", [
    (["mem:", "mnt", "--fs", "tar"], "--fs"), (["mem:", "mnt", "-V"], "-V"),
    (["mem:", "mnt", "--ready-fd", "3"], "--ready-fd"),
    (["mem:", "mnt", "-o"], "-o"),
], ids=lambda a: " ".join(a) if isinstance(a, list) else None)
def test_mount_has_not_every_option_of_serve(args, word):
    status, _, err = pinefs("mount", *args)
    assert status == 64 and word in err and len(lines(err)) == 1, err


def test_an_option_that_the_server_refuses_is_its_error(tmp_path):
    status, _, err = pinefs("mount", "mem:", tmp_path / "mnt", "--size", "much")
    assert status == 64 and "--size much" in err, err


@pytest.mark.skipif(HAS_NFS or not IS_ROOT, reason="as root, without NFS")
def test_a_kernel_without_nfs_is_said_and_the_server_ends(tmp_path):
    with tarfile.open(tmp_path / "x", "w") as tar:
        tar.add(tmp_path / "mnt", "mnt")
    for source, guess in (("mem:", None), ("x", "x is an archive: tar:x"),
                          (".", ". is a directory: dir:.")):
        status, _, err = pinefs("mount", source, "mnt", cwd=tmp_path)
        assert status == 71, err
        assert "this kernel has no NFS client\ntry: modprobe nfs" in err
        if guess:
            assert "pinefs: %s\n" % guess in err
        says_what_to_do(err)


@pytest.mark.skipif(not IS_ROOT, reason="as root")
def test_root_that_may_not_mount_is_told_of_its_container(tmp_path):
    status, _, err = pinefs("mount", "mem:", tmp_path / "mnt", within=NO_ADMIN)
    assert status == 77, err
    assert "root may not mount here: this is a container" in err
    assert "CAP_SYS_ADMIN" in err
    says_what_to_do(err)


@pytest.mark.skipif(not IS_ROOT, reason="becomes another user")
def test_who_is_not_root_is_told_the_line_and_it_waits(tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    os.chown(own, 65534, 65534)
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(own))
    if pinefs("version", within=NOBODY)[0] != 0:
        pytest.skip("this tree is not readable by others")
    with open(tmp_path / "err", "w+b") as err:
        process = subprocess.Popen(
            [*NOBODY, os.path.abspath(PINEFS), "mount", "mem:",
             str(tmp_path / "mnt")], stderr=err)
        until = time.monotonic() + 30
        while b"\ntry: sudo mount " not in (tmp_path / "err").read_bytes():
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.02)
        text = (tmp_path / "err").read_text()
        line = lines(text)[-1]
        assert "only root may mount" in text
        assert re.fullmatch(r"try: sudo mount (-i )?-t nfs -o vers=4\.2,proto=tcp,"
                            r"port=\d+(,addr=\S+)? 127\.0\.0\.1:/ " +
                            re.escape(str(tmp_path / "mnt")), line), line
        assert process.poll() is None
        status, out, _ = pinefs("ls", "--json", within=NOBODY)
        assert json.loads(out)["source"] == "mem", out
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert list(own.rglob("*.*")) == []


def test_without_a_run_directory_it_says_which_and_why(tmp_path, monkeypatch):
    other = tmp_path / "other"
    (other / "pinefs").mkdir(parents=True, mode=0o700)
    (other / "pinefs").chmod(0o777)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(other))
    for args in (["mount", "mem:", tmp_path / "mnt"], ["ls"]):
        status, _, err = pinefs(*args)
        assert status == 77, err
        assert "%s/pinefs cannot be used" % other in err
        says_what_to_do(err)


@pytest.mark.parametrize("args, status, what", [
    ([], 64, "umount what?"), (["a", "b"], 64, "umount what?"),
    (["/no/such"], 66, "nothing is mounted on /no/such"),
    (["/proc"], 64, "/proc is a mount of proc, not of pinefs"),
    (["/proc/../proc/."], 64, "/proc is a mount of proc"),
], ids=lambda a: " ".join(a) if isinstance(a, list) else None)
def test_umount_leaves_alone_what_is_not_its(args, status, what):
    is_, _, err = pinefs("umount", *args)
    assert is_ == status and what in err, err
    says_what_to_do(err)


def test_ls_shows_what_runs_and_stop_ends_it(tmp_path):
    assert pinefs("ls", "--json") == (0, "", "")
    status, _, err = pinefs("stop")
    assert status == 69 and "no server of yours runs" in err, err
    server = Running(tmp_path, *QUIET)
    status, out, _ = pinefs("ls", "--json")
    one = json.loads(out)
    assert one["pid"] == server.process.pid and one["alive"] is True
    assert one["what"] == "mem" and one["mounts"] == []
    head, row = lines(pinefs("ls")[1])
    assert head.split() == ["ID", "ADDRESS", "SERVES", "MOUNTED", "ON"]
    assert row.split() == [str(one["pid"]), "127.0.0.1:%d" % one["port"],
                           "mem"]
    assert "port=%d" % one["port"] in pinefs("help", "mount")[1]
    status, _, err = pinefs("stop", "12345678")
    assert status == 69 and "12345678" in err, err
    assert pinefs("stop", str(one["pid"])) == (0, "", "")
    assert server.end()[0] == 0


def test_a_port_that_a_server_of_ours_has_can_be_freed_by_what_is_said(
        tmp_path):
    server = Running(tmp_path, *QUIET)
    port = json.loads(pinefs("ls", "--json")[1])["port"]
    status, _, err = pinefs("-f", "mem", "--port", port, *QUIET[2:])
    command = re.search(r"(?m)--port 0, or pinefs (stop \d+)$", err)
    assert status == 69 and command, err
    assert pinefs(*command[1].split()) == (0, "", ""), err
    assert server.end()[0] == 0


def test_a_killed_server_leaves_a_record_that_ls_forgets(tmp_path,
                                                         run_directory):
    server = Running(tmp_path, *QUIET)
    server.end(signal.SIGKILL)
    assert list(run_directory.rglob("*.json"))
    pinefs("ls")
    assert list(run_directory.rglob("*.json")) == []


def test_what_a_record_names_and_is_not_its_is_left_alone(tmp_path,
                                                         run_directory):
    server = Running(tmp_path, *QUIET)
    server.end(signal.SIGKILL)
    [path] = run_directory.rglob("*.json")
    record = json.loads(path.read_text())
    record["mounts"] = ["/proc", str(tmp_path / "mnt")]
    path.write_text(json.dumps(record))
    status, _, err = pinefs("mount", "mem:", tmp_path / "none",
                            within=NO_ADMIN if IS_ROOT else ())
    assert status == 66, err
    assert "/proc" not in err and "was killed" not in err, err
    assert list(run_directory.rglob("*.json")) == []


def test_help_mount_has_a_line_for_each_system(tmp_path):
    text = pinefs("help", "mount")[1]
    for system in "Linux", "macOS", "FreeBSD", "OpenBSD", "Windows":
        assert re.search(r"(?m)^  %s  " % system, text), text
    # On the same machine a lock would wait for its own answer for ever.
    for line in re.findall(r"(?m)^.*vers=3.*$", text.partition("By hand")[2]):
        assert "nolock" in line or "locallocks" in line, line
