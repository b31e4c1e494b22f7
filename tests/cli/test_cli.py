"""The program `pinefs` from outside: starting, messages, ending."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess

import pytest

BUILD = os.environ.get("PINEFS_BUILD", "build")
PINEFS = os.path.join(BUILD, "pinefs")

pytestmark = pytest.mark.skipif(not os.path.exists(PINEFS),
                                reason="pinefs is not built")


class Running:
    """A server that has said it is ready."""

    def __init__(self, tmp_path, *args, state=True, within=()):
        read, write = os.pipe()
        command = [*within, PINEFS, "-f", "mem", "--ready-fd", str(write), *args]
        if state:
            command += ["--state-dir", str(tmp_path / "state")]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, pass_fds=[write])
        os.close(write)
        with os.fdopen(read, "rb") as ready:
            self.ready = ready.read()

    def end(self, sig=signal.SIGTERM):
        """Exit status, standard output and standard error."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out.decode(), err.decode()


@contextlib.contextmanager
def busy(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            s.listen()
        yield s.getsockname()[1]


def refused(*args):
    done = subprocess.run([PINEFS, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=20, check=False)
    return done.returncode, done.stderr.decode()


def has_ipv6():
    with socket.socket(socket.AF_INET6) as s:
        try:
            s.bind(("::1", 0))
        except OSError:
            return False
    return True


def lines(text):
    return [line for line in text.splitlines() if line.strip()]


QUIET = ["--port", "0", "--mount-port", "0", "--no-portmap"]


def port_of(err):
    return int(re.search(r"serving mem on 127\.0\.0\.1:(\d+)", err)[1])


def test_it_says_what_it_serves_where_and_how_to_mount_it(tmp_path):
    server = Running(tmp_path, *QUIET)
    assert server.ready == b"\n"
    status, out, err = server.end()
    assert status == 0, err
    assert out == ""
    port = port_of(err)
    assert port != 0
    first = lines(err)[0]
    assert re.match(r"pinefs: serving mem on 127\.0\.0\.1:\d+ \(NFS [\d. ]+\)",
                    first)
    mount = [line for line in lines(err) if "mount -t nfs" in line]
    assert len(mount) == 1
    assert "port=%d" % port in mount[0]
    assert "vers=4.2" in mount[0]
    assert "macOS, not verified" in err


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path, sig):
    assert Running(tmp_path, *QUIET).end(sig)[0] == 0


def test_it_listens_when_it_is_ready(tmp_path):
    with busy() as free:
        pass
    server = Running(tmp_path, "--port", str(free), "--mount-port", "0",
                     "--no-portmap")
    socket.create_connection(("127.0.0.1", free), 5).close()
    if has_ipv6():
        socket.create_connection(("::1", free), 5).close()
    assert server.end()[0] == 0


def udp_null(port):
    """Whether NULL of NFS 3 is answered over UDP."""
    call = b"".join(n.to_bytes(4, "big") for n in
                    (77, 0, 2, 100003, 3, 0, 0, 0, 0, 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        s.connect(("127.0.0.1", port))
        s.send(call)
        try:
            return s.recv(1000)[:4] == call[:4]
        except OSError:
            return False


@pytest.mark.parametrize("option, answered", [([], True), (["-t"], False)])
def test_udp_is_answered_unless_t_is_given(tmp_path, option, answered):
    with busy() as free:
        pass
    server = Running(tmp_path, "--port", str(free), "--mount-port", "0",
                     "--no-portmap", *option)
    assert udp_null(free) == answered
    assert server.end()[0] == 0


def test_a_busy_port_is_named_with_its_holder(tmp_path):
    with busy() as port:
        status, err = refused("-f", "mem", "--port", str(port),
                              "--mount-port", "0", "--no-portmap",
                              "--state-dir", str(tmp_path))
    assert status == 69
    assert str(port) in err
    assert re.search(r"in use by .*(python|pytest)", err), err
    assert "--port 0" in err
    assert len(lines(err)) <= 2


def test_a_busy_mount_port_is_only_a_warning(tmp_path):
    with busy() as port:
        server = Running(tmp_path, "--port", "0", "--mount-port", str(port),
                         "--no-portmap")
        assert server.ready == b"\n"
        status, _, err = server.end()
    assert status == 0, err
    assert len([line for line in lines(err) if str(port) in line]) == 1


def test_no_portmapper_is_one_line(tmp_path):
    with socket.socket() as s:
        if s.connect_ex(("127.0.0.1", 111)) == 0:
            pytest.skip("a portmapper runs here")
    server = Running(tmp_path, "--port", "0", "--mount-port", "0")
    assert server.ready == b"\n"
    status, _, err = server.end()
    assert status == 0, err
    told = [line for line in lines(err) if re.search("portmap|rpcbind", line)]
    assert len(told) == 1, told
    assert "not needed, give port= and mountport=" in told[0]


def test_an_unwritable_state_directory_is_a_warning(tmp_path):
    (tmp_path / "file").write_text("")
    server = Running(tmp_path, *QUIET, "--state-dir",
                     str(tmp_path / "file" / "state"), state=False)
    assert server.ready == b"\n"
    status, _, err = server.end()
    assert status == 0, err
    assert len([line for line in lines(err) if "file/state" in line]) >= 1


def test_the_state_directory_is_private(tmp_path):
    server = Running(tmp_path, *QUIET)
    files = [p for p in (tmp_path / "state").rglob("*") if p.is_file()]
    assert files
    for path in files:
        assert path.stat().st_mode & 0o077 == 0, path
    assert server.end()[0] == 0


@pytest.mark.parametrize("args", [
    ["--no-such-option"], ["-Z"], ["-f", "nothing"], ["--port"],
    ["--port", "x"], ["--port", "70000"], ["--size", "much"],
    ["--threads", "-1"], ["--log", "loud"], ["--local-auth", "maybe"],
    ["-o", "fast"], ["--addr", "not an address"], ["word", "too", "many"],
], ids=" ".join)
def test_wrong_usage_is_one_line_and_status_64(args):
    status, err = refused("-f", "mem", *args)
    assert status == 64, err
    assert len(lines(err)) == 1, err
    assert err.startswith("pinefs: ")


@pytest.mark.parametrize("args, word", [
    (["-f", "mem:"], "name"), (["-f", "mem:a/b"], "name"),
    (["-f", "mem:/a"], "name"), (["-f", "mem:.."], "name"),
    (["-f", "mem:a b"], "name"), (["-f", "mem:a\n"], "name"),
    (["-f", "py:a", "-f", "tar"], "not beside"),
    (["-f", "tar", "-f", "tar:a"], "any number of archives"),
    (["-f", "tar", "a.tar", "b.tar"], "not understood"),
    (["-f", "tar", "a.tar", "--port", "b"], "--port b"),
    (["-f", "tar", "a.tar", "-o", "ro", "b.tar"], "'b.tar'"),
    (["-f", "mem:" + "n" * 256], "name"), (["-f", "memory:a"], "py, mem, tar or dir"),
    (["-f", "mem", "-f", "mem"], "already"),
    (["-f", "mem:a", "-f", "mem:b", "-f", "mem:a"], "already"),
    (["-f", "mem:a", "-f", "py:a"], "already"),
    (["-f", "py", "-f", "mem"], "already"),
    (["-f", "py", "-f", "mem:a", "-f", "py:b"], "one py"),
    ([a for i in range(65) for a in ("-f", "mem:n%d" % i)], "64"),
    (["-f", "py", "-f", "mem:a", "--size", "0"], "--size"),
    (["--size", "much", "-f", "mem"], "--size"),
    (["-f", "py", "--size", "1G", "-f", "mem:a"], "--size"),
    (["--size", "1G"], "--size"), (["--size", "1G", "-f", "py"], "--size"),
    (["-f", "mem:a", "-o", "fast"], "fast"),
    (["-f", "mem", "-o", "ro,fast"], "fast"),
    (["-f", "mem", "-o", "anonuid=-1"], "anonuid=-1"),
    (["-f", "mem", "-o", "anongid=4294967296"], "anongid"),
    (["-f", "dir"], "which directory"),
    (["-f", "dir", "/", "-f", "py:py"], "another pinefs"),
    (["-f", "mem", "-m", "timeit"], "-m timeit"),
    (["-f", "mem:a", "--", "--port"], "--port"), (["-m"], "-m"),
], ids=lambda a: " ".join(a)[:40] if isinstance(a, list) else None)
def test_exports_that_cannot_be_are_one_line_and_status_64(args, word):
    status, err = refused(*args)
    assert status == 64, err
    # A name with a line break is shown as it was given.
    assert len(lines(err.replace("a\n:", "a:"))) == 1, err
    assert err.startswith("pinefs: ") and word in err, err


def test_another_address_wants_allow(tmp_path):
    status, err = refused("-f", "mem", "--addr", "0.0.0.0", *QUIET,
                          "--state-dir", str(tmp_path))
    assert status in (64, 77)
    assert "--allow" in err


def test_help_and_version_go_to_standard_output():
    done = subprocess.run([PINEFS, "serve", "--help"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=True)
    assert b"--port" in done.stdout and done.stderr == b""
    done = subprocess.run([PINEFS, "--version"], stdout=subprocess.PIPE,
                          check=True)
    assert re.match(rb"pinefs \d+\.\d+\.\d+\n$", done.stdout)


def test_two_servers_of_one_state_directory_do_not_share_it(tmp_path):
    first = Running(tmp_path, *QUIET)
    second = Running(tmp_path, *QUIET)
    assert first.ready == b"\n"
    status, _, err = second.end()
    # It refuses, or it serves with a key of its own; it says which.
    assert status in (0, 69, 71), err
    assert "state" in err
    assert first.end()[0] == 0


@pytest.mark.parametrize("junk", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    b"\x7f\xff\xff\xff" + bytes(64), b"\xff\xff\xff\xff" + bytes(64),
], ids=["GET", "POST", "TLS", "long fragment", "long last fragment"])
def test_what_is_no_rpc_is_cut_off_and_the_server_lives(tmp_path, junk):
    server = Running(tmp_path, *QUIET, "--log", "debug")
    # The port is on standard error, which is read at the end: ask the kernel.
    port = listening_port(server.process.pid)
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(junk)
        s.settimeout(5)
        with contextlib.suppress(ConnectionError):
            assert s.recv(100) == b""
    socket.create_connection(("127.0.0.1", port), 5).close()
    assert server.end()[0] == 0


def listening_port(pid):
    inodes = set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(OSError):
            target = os.readlink("/proc/%d/fd/%s" % (pid, fd))
            if m := re.match(r"socket:\[(\d+)\]", target):
                inodes.add(m[1])
    with open("/proc/net/tcp", encoding="ascii") as f:
        for line in list(f)[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                return int(words[1].split(":")[1], 16)
    raise AssertionError("it listens on no port")


def test_a_log_of_json_is_nothing_but_objects_on_lines(tmp_path):
    server = Running(tmp_path, *QUIET, "--log-format", "json")
    status, _, err = server.end()
    assert status == 0
    records = [json.loads(line) for line in err.splitlines()]
    assert re.fullmatch(r"serving NFS on 127\.0\.0\.1 port \d+",
                        records[0]["message"])
    assert records[0]["level"] == "info"
    assert all({"time", "level", "pid", "message"} <= set(r) for r in records)
    with busy() as port:
        status, err = refused("-f", "mem", "--log-format", "json", "--port",
                              str(port), "--mount-port", "0", "--no-portmap",
                              "--state-dir", str(tmp_path))
    record = json.loads(err)
    assert "--port 0" in err and "in use" in record["message"]


def test_what_clients_did_is_counted_not_repeated(tmp_path):
    server = Running(tmp_path, *QUIET, "--color", "always")
    port = listening_port(server.process.pid)
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port), 20) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while s.recv(100):
                pass
    status, _, err = server.end()
    assert status == 0
    said = [line for line in lines(err) if "HTTP" in line]
    assert len(said) == 2, err
    assert re.search(r"\.\.\. 4 more in \d+ s$", said[1]), said
    assert said[0].startswith("\033[1;33mpinefs: warning: \033[0m")


@pytest.mark.parametrize("option, says", [
    (("--log-format", "xml"), "text, json or journal"),
    (("--color", "sometimes"), "auto, always or never")])
def test_looks_of_the_log_that_there_are_not(option, says):
    status, err = refused("-f", "mem", *option)
    assert status == 64 and says in err


# --------------------------------------------------------- its descriptors --

def test_a_descriptor_for_readiness_must_be_open(tmp_path):
    """Or it would be one of the server's own by the time it serves."""
    status, err = refused("-f", "mem", *QUIET, "--ready-fd", "8",
                          "--state-dir", str(tmp_path))
    assert status == 64
    assert lines(err) == ["pinefs: --ready-fd 8: Bad file descriptor"]


def test_no_file_of_it_becomes_standard_error(tmp_path):
    within = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    server = Running(tmp_path, *QUIET, within=within)
    assert server.ready == b"\n"
    fds = "/proc/%d/fd/" % server.process.pid
    assert [os.readlink(fds + fd) for fd in "012"] == ["/dev/null"] * 3
    assert server.end()[0] == 0
    for path in (tmp_path / "state").rglob("*"):
        assert path.is_dir() or b"pinefs" not in path.read_bytes(), path


def test_nohup_keeps_it(tmp_path):
    server = Running(tmp_path, *QUIET, within=["nohup"])
    server.process.send_signal(signal.SIGHUP)
    server.process.send_signal(signal.SIGUSR1)      # behind it
    while b"calls" not in (line := server.process.stderr.readline()):
        assert line, "it has ended"
    assert server.process.poll() is None
    assert server.end()[0] == 0
